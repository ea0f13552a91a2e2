"""Door readers and terminals, on the wire: they send the text of a code, and open or do not."""

from app.faces.dialect import Dialect

DIALECTS: tuple[Dialect, ...] = ()
