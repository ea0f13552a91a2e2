"""`aws rekognition`, set up by environment variables alone. Called by the names of the API's operations."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import botocore.session
from botocore import xform_name
from dialogue import converse

AWS = Path(sys.executable).with_name("aws")
ENDS_WITHIN_S = 50
REFUSAL = re.compile(
    r"An error occurred \((?P<code>\w+)\) when calling the \w+ operation(?: \(reached max retries: \d+\))?: (?P<message>.*)",
    re.DOTALL,
)


class AwsFailed(Exception):
    """`aws` ended with a status that says so."""

    def __init__(self, complaint: str) -> None:
        refusal = REFUSAL.search(complaint)
        super().__init__(refusal["message"].strip() if refusal else complaint.strip())
        self.code = refusal["code"] if refusal else None


def options(arguments: dict[str, Any]) -> Iterator[str]:
    """As they are typed: `--image-bytes fileb://code.png --max-faces 1`."""
    for name, value in arguments.items():
        option = "--" + xform_name(name, "-")
        if isinstance(value, dict) and isinstance(value.get("Bytes"), Path):
            yield from (f"{option}-bytes", f"fileb://{value['Bytes']}")
        elif isinstance(value, list):
            yield from (option, *map(str, value))
        else:
            yield from (option, json.dumps(value) if isinstance(value, dict) else str(value))


def call(operation: str, **arguments: Any) -> Any:
    command = [AWS, "rekognition", xform_name(operation, "-"), "--output", "json", *options(arguments)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=ENDS_WITHIN_S, check=False)
    if ran.returncode:
        raise AwsFailed(ran.stderr)
    return json.loads(ran.stdout or "{}")


operations = botocore.session.get_session().get_service_model("rekognition").operation_names
converse({operation: partial(call, operation) for operation in operations}, lambda error: getattr(error, "code", None))
