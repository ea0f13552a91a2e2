"""Door readers and terminals, on the wire: they send the text of a code, and open or do not."""

from app.faces.dialect import Dialect

from .controlid import CONTROLID
from .fcard import FCARD
from .hikvision import HIKVISION
from .vguang import VGUANG
from .zkteco import ZKTECO

DIALECTS: tuple[Dialect, ...] = (VGUANG, FCARD, CONTROLID, ZKTECO, HIKVISION)
