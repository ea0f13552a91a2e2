"""A client of Rekognition made of botocore's own parts: its serialiser, its signer, its parser and its service model.

Every answer is held against the model: no member that is not there, and of each the type, the pattern, the limits and
the choices.
"""

import re
import uuid
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

import botocore.session
import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.model import Shape
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from app.core.model import SECOND
from tests.service import Service

MODEL = botocore.session.Session().get_service_model("rekognition")
CONTENT_TYPE = "application/x-amz-json-1.1"

COMMON_ERRORS = {
    "IncompleteSignatureException",
    "InvalidSignatureException",
    "MissingAuthenticationTokenException",
    "RequestTimeoutException",
    "SerializationException",
    "UnknownOperationException",
    "UnrecognizedClientException",
    "ValidationException",
}
"""What any AWS service may answer, beside the errors that the model gives an operation."""

_TYPES = {
    "string": str,
    "integer": int,
    "long": int,
    "float": int | float,
    "timestamp": int | float,
    "list": list,
    "structure": dict,
}


class Refusal(Exception):
    """An exception of the service's."""

    def __init__(self, name: str, message: str, status: int) -> None:
        super().__init__(f"{name}: {message}")
        self.name = name
        self.message = message
        self.status = status


class Rekognition:
    """A client with the credentials of a connection."""

    def __init__(self, service: Service, connection: dict[str, Any], region: str | None = None) -> None:
        given = connection["credentials"]
        self.http, self.clock = service.http, service.clock
        self.credentials = Credentials(given["access_key_id"], given["secret_access_key"])
        self.region = region or given["region"]

    async def call(self, operation: str, /, *, invocation: str | None = None, **members: Any) -> dict[str, Any]:
        """The answer, as botocore reads it."""
        model = MODEL.operation_model(operation)
        request = create_serializer("json").serialize_to_request(members, model)
        invocation = invocation or str(uuid.uuid4())
        answer = await self.send(
            request["headers"]["X-Amz-Target"], request["body"], **{"amz-sdk-invocation-id": invocation}
        )
        if answer.status_code != 200:
            refusal = refusal_in(answer)
            known = COMMON_ERRORS | {shape.name for shape in model.error_shapes}
            assert refusal.name in known, refusal
            raise refusal
        assert_fits(model.output_shape, answer.json(), operation)
        read = {"status_code": 200, "headers": answer.headers, "body": answer.content}
        parsed: dict[str, Any] = create_parser("json").parse(read, model.output_shape)
        assert parsed.pop("ResponseMetadata")["RequestId"].startswith("req_")
        return parsed

    def sign(
        self, target: str, body: bytes, *, path: str = "/", host: str = "gatepass.test", **headers: str
    ) -> dict[str, str]:
        """The headers of a request that is signed now, by the service's clock."""
        request = AWSRequest("POST", f"http://{host}{path}", data=body)
        for name, value in {"Content-Type": CONTENT_TYPE, "X-Amz-Target": target, **headers}.items():
            request.headers[name] = value
        now = datetime.fromtimestamp(self.clock.now() / SECOND, UTC)
        with patch("botocore.auth.get_current_datetime", return_value=now):
            SigV4Auth(self.credentials, "rekognition", self.region).add_auth(request)
        return dict(request.headers.items())

    async def send(self, target: str, body: bytes, *, path: str = "/", **headers: str) -> httpx.Response:
        """What is answered to any body that is signed well."""
        return await self.post(self.sign(target, body, path=path, **headers), body, path=path)

    async def post(self, headers: dict[str, str], body: bytes, *, path: str = "/") -> httpx.Response:
        """What is answered to a request that is signed already, or not. Its form holds whatever it says."""
        answer = await self.http.post(path, content=body, headers=headers)
        assert answer.headers["content-type"] == CONTENT_TYPE
        assert answer.headers["x-amzn-requestid"].startswith("req_")
        return answer


def refusal_in(answer: httpx.Response) -> Refusal:
    said = answer.json()
    assert said.keys() == {"__type", "message"}
    assert answer.status_code == (500 if said["__type"] == "InternalServerError" else 400)
    return Refusal(said["__type"], said["message"], answer.status_code)


def assert_fits(shape: Shape, value: Any, place: str) -> None:
    """See that a value is what the model says."""
    assert isinstance(value, _TYPES[shape.type_name]), place
    assert not isinstance(value, bool), place
    limits = shape.metadata
    if shape.type_name == "structure":
        assert value.keys() <= shape.members.keys(), place
        assert value.keys() >= set(shape.required_members), place
        for name, member in value.items():
            assert_fits(shape.members[name], member, f"{place}.{name}")
        return
    if shape.type_name == "list":
        for number, member in enumerate(value):
            assert_fits(shape.member, member, f"{place}[{number}]")
    size = len(value) if isinstance(value, str | list) else value
    # FaceIdList is what is asked with, of which one is the least; the service answers it empty.
    if shape.type_name != "timestamp" and shape.name != "FaceIdList":
        assert limits.get("min", size) <= size <= limits.get("max", size), place
    if "pattern" in limits:
        assert re.fullmatch(limits["pattern"], value), place
    if "enum" in limits:
        assert value in limits["enum"], place
