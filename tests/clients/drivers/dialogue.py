"""How a driver in Python is spoken to: its settings on the command line, then one JSON object a line on stdin and stdout.

`{"call": name, "arguments": {...}}` is answered by `{"result": ...}` or `{"error": class, "message": ..., "code": ...}`.
"""

import base64
import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

SETTINGS: dict[str, str] = json.loads(sys.argv[1])


def converse(calls: Mapping[str, Callable[..., Any]], code_of: Callable[[Any], Any] = lambda _: None) -> None:
    """Answer until stdin ends."""
    with os.fdopen(os.dup(1), "w") as answers:
        os.dup2(2, 1)  # what a client prints is no answer
        for line in sys.stdin:
            asked = json.loads(line, object_hook=_as_picture)
            try:
                answer = {"result": calls[asked["call"]](**asked["arguments"])}
            except Exception as error:  # noqa: BLE001  whatever it is, the caller is told
                answer = {"error": type(error).__name__, "message": str(error), "code": code_of(error)}
            answers.write(json.dumps(answer, default=str) + "\n")
            answers.flush()


def with_pictures(value: Any, shape: Callable[[Path], Any]) -> Any:
    """The same, with every picture in it in the shape that a client wants."""
    if isinstance(value, Path):
        return shape(value)
    if isinstance(value, dict):
        return {name: with_pictures(item, shape) for name, item in value.items()}
    return [with_pictures(item, shape) for item in value] if isinstance(value, list) else value


def in_base64(picture: Path) -> str:
    return base64.b64encode(picture.read_bytes()).decode()


def _as_picture(value: dict[str, Any]) -> Any:
    return Path(value["path"]) if value.keys() == {"path"} else value
