"""Face-recognition APIs, on the wire: what their own client libraries send is understood and answered."""

from app.faces.dialect import Dialect

from .baidu import BAIDU
from .compreface import COMPREFACE
from .deepstack import DEEPSTACK
from .facepp import FACEPP
from .rekognition import REKOGNITION
from .tencent import TENCENT

DIALECTS: tuple[Dialect, ...] = (COMPREFACE, REKOGNITION, BAIDU, DEEPSTACK, FACEPP, TENCENT)
