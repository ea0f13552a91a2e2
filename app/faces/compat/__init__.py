"""Face-recognition APIs, on the wire: what their own client libraries send is understood and answered."""

from app.faces.dialect import Dialect

from .compreface import COMPREFACE

DIALECTS: tuple[Dialect, ...] = (COMPREFACE,)
