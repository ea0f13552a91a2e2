"""boto3's client of Rekognition, set up by environment variables alone. Called by the names of the API's operations."""

from functools import partial
from pathlib import Path
from typing import Any

import boto3
from dialogue import converse, with_pictures

client = boto3.client("rekognition")


def call(method: str, **arguments: Any) -> Any:
    return getattr(client, method)(**with_pictures(arguments, Path.read_bytes))


converse(
    {operation: partial(call, method) for method, operation in client.meta.method_to_api_mapping.items()},
    lambda error: error.response["Error"]["Code"] if hasattr(error, "response") else None,
)
