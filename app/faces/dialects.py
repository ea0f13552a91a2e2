"""All dialects, by kind of connection."""

from collections.abc import Mapping

from . import compat, readers
from .dialect import Dialect

DIALECTS: Mapping[str, Dialect] = {dialect.kind.name: dialect for dialect in (*compat.DIALECTS, *readers.DIALECTS)}
