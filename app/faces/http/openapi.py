"""`openapi.yaml`: generated from the routes, and completed with what FastAPI cannot know."""

import re
from typing import Any

import yaml
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic.json_schema import models_json_schema

from app.faces.problems import MEDIA_TYPE, ProblemDetails

from .presentation import NewVerification
from .verifications import Verification

TAGS = [
    {"name": "gates", "description": "Check-in points: a turnstile, a door, a desk."},
    {"name": "passes", "description": "What a holder may do: where, when, how often."},
    {"name": "schedules", "description": "Hours in which passes may be used."},
    {"name": "tokens", "description": "Short-lived proofs of a pass, shown once."},
    {"name": "verifications", "description": "Attempts at a gate, and their decisions."},
    {"name": "holders", "description": "The people who enter, known by your own refs."},
    {"name": "zones", "description": "Areas with people in them."},
    {"name": "credentials", "description": "Barcodes and NFC tags that holders carry already."},
    {"name": "audit-events", "description": "What was done by hand, by whose key, and why."},
    {"name": "api-keys", "description": "Credentials of callers, with scopes."},
    {"name": "connections", "description": "Clients and readers that were made for face scanning."},
    {"name": "devices", "description": "Kiosks, readers and terminals with a credential of their own."},
    {"name": "keys", "description": "The public keys that tokens are verified with."},
    {"name": "health", "description": "Whether the service is well, and what it counts."},
]

DESCRIPTION = """\
Issue a code for a pass, show it at a gate, and the gate opens once:

1. `POST /v1/gates` makes a gate, and `POST /v1/passes` a pass for a holder.
2. `POST /v1/tokens` issues a token of the pass: a text, and a QR code where one is asked for.
3. `POST /v1/verifications` decides what is shown at the gate. A refusal is a 200 with `decision: deny` and a `reason`.

Every request under `/v1` carries `Authorization: Bearer gp_...`, but for `POST /v1/devices/initialize`, which a device
makes that has no key yet. A field that is not known is refused. Times are RFC 3339 in UTC. Lists give
`next`, which is the `cursor` of the page behind, and null at the end.

Errors are problem details (RFC 9457) with a stable `code`; they repeat nothing of what was sent. Every answer has a
`Request-Id` header, which finds it in the log. Another method at an address is answered 405, and HEAD as GET is.
"""

_REF = "#/components/schemas/{model}"
_PROBLEMS = {
    400: ("MalformedBody", "The body cannot be read."),
    401: ("Unauthenticated", "There is no valid API key."),
    403: ("Forbidden", "The key may not do this."),
    404: ("NotFound", "There is no such thing in this tenant."),
    408: ("Timeout", "The body was sent too slowly."),
    409: ("Conflict", "It does not fit what is there: `code` says how."),
    413: ("TooLarge", "The body is too large."),
    415: ("UnsupportedMediaType", "The body has to be of another media type."),
    422: ("Invalid", "A field is missing or invalid: `errors` names it."),
    429: ("TooManyRequests", "Too many pictures wait; `Retry-After` says when to try again."),
    500: ("InternalError", "A fault of the service. `request_id` finds it in the log."),
    503: ("Unavailable", "The service cannot answer just now; `Retry-After` says when to try again."),
}
_NEVER_IN_CONFLICT = ("/clear-budget", "/block", "/unblock", "/reset-anti-passback", "/simulate", "/report", "/roll")
_ALWAYS = (401, 403, 408, 413, 500, 503)
_WITH_BODY = (400, 415, 422)
_REQUEST_ID = {"Request-Id": {"$ref": "#/components/headers/RequestId"}}


def operation_id(route: APIRoute) -> str:
    """`create_gate`, `list_gates`: the summary without its articles."""
    if not route.path.startswith("/v1/"):
        return route.name
    words = re.findall(r"[a-z]+", (route.summary or "").lower().replace("'s", ""))
    return "_".join(word for word in words if word not in ("a", "an"))


def openapi(app: FastAPI) -> dict[str, Any]:
    """The API's description, made once."""
    if app.openapi_schema is None:
        schema = get_openapi(
            title=app.title,
            version=app.version,
            summary=app.summary,
            description=DESCRIPTION,
            routes=app.routes,
            tags=TAGS,
            servers=app.servers or None,
        )
        components = schema.setdefault("components", {})
        components["schemas"] = _schemas(components.get("schemas", {}))
        components["responses"] = {name: _problem(status, text) for status, (name, text) in _PROBLEMS.items()}
        components["headers"] = {
            "RequestId": {
                "description": "The request's id: what to quote when asking about it.",
                "schema": {"type": "string"},
            }
        }
        listed = schema["paths"]["/v1/verifications"]
        schema["paths"]["/v1/verifications"] = {"post": _post_verification(), **listed}
        for path, operations in schema["paths"].items():
            for method, operation in operations.items():
                _complete(path, method, operation)
        app.openapi_schema = _tidied(schema)
    return app.openapi_schema


def as_yaml(app: FastAPI) -> str:
    """What stands in `openapi.yaml`."""
    return yaml.dump(openapi(app), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)


class _Dumper(yaml.SafeDumper):
    """YAML that says everything where it stands, and text of several lines as such."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ANN401, ARG002
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def _schemas(of_routes: dict[str, Any]) -> dict[str, Any]:
    """The models, with those of the endpoint that is past the routes."""
    models = [(NewVerification, "validation"), (Verification, "serialization"), (ProblemDetails, "serialization")]
    _, definitions = models_json_schema(models, ref_template=_REF)  # type: ignore[arg-type]
    schemas = {**of_routes, **definitions["$defs"]}
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    for name, schema in schemas.items():
        if name.endswith("Change"):  # what is not named stays: nothing is a default
            schema["properties"] = {
                field: {key: value for key, value in described.items() if key != "default"}
                for field, described in schema["properties"].items()
            }
    form = {key: value for key, value in schemas["NewVerification"].items() if key != "examples"}
    picture = {"type": "string", "format": "binary", "description": "The file: JPEG, PNG, WebP, BMP or GIF; 5 MB"}
    form["properties"] = {name: _never_null(field) for name, field in form["properties"].items()} | {
        "picture": picture,
        "override": {**schemas["OverrideReason"]["properties"]["reason"], "description": "The reason of an override"},
    }
    schemas["NewVerificationForm"] = form
    return dict(sorted(schemas.items()))


def _post_verification() -> dict[str, Any]:
    """The endpoint that `front.py` calls past the routes."""
    content = {
        "application/json": {"schema": {"$ref": _REF.format(model="NewVerification")}},
        "multipart/form-data": {"schema": {"$ref": _REF.format(model="NewVerificationForm")}},
    }
    decision = {"application/json": {"schema": {"$ref": _REF.format(model="Verification")}}}
    return {
        "tags": ["verifications"],
        "summary": "Verify",
        "description": "Decide one attempt at a gate. A refusal is a 200 with `decision: deny` and a `reason`.",
        "operationId": "verify",
        "requestBody": {"required": True, "content": content},
        "responses": {"200": {"description": "The decision", "content": decision}},
        "security": [{"ApiKey": []}],
    }


def _never_null(schema: dict[str, Any]) -> dict[str, Any]:
    """What can be left out, but not be null: a parameter, or a part of a form."""
    return next((each for each in schema.get("anyOf", ()) if each != {"type": "null"}), schema)


def _problem(status: int, description: str) -> dict[str, Any]:
    schema = {"$ref": _REF.format(model="ProblemDetails")}
    headers: dict[str, Any] = dict(_REQUEST_ID)
    if status in (429, 503):
        headers["Retry-After"] = {"description": "Seconds to wait.", "schema": {"type": "integer"}}
    return {"description": description, "headers": headers, "content": {MEDIA_TYPE: {"schema": schema}}}


def _complete(path: str, method: str, operation: dict[str, Any]) -> None:
    """Every way in which a route under `/v1` can refuse, and the header that every answer has."""
    responses = operation["responses"]
    responses.pop("422", None)
    for response in responses.values():
        response["headers"] = _REQUEST_ID | response.get("headers", {})
    for parameter in operation.get("parameters", ()):
        parameter["schema"] = _never_null(parameter["schema"])
    if not path.startswith("/v1/"):
        return
    for status in sorted(_refusals(path, method, operation)):
        responses[str(status)] = {"$ref": f"#/components/responses/{_PROBLEMS[status][0]}"}


def _refusals(path: str, method: str, operation: dict[str, Any]) -> set[int]:
    refusals = set(_ALWAYS)
    if "{id}" in path or method == "post":
        refusals.add(404)
    if method in ("post", "patch"):
        refusals.update(_WITH_BODY)
    if any(parameter["in"] == "query" for parameter in operation.get("parameters", ())):
        refusals.add(422)
    if method == "post" and not path.endswith(_NEVER_IN_CONFLICT):
        refusals.add(409)
    if path == "/v1/schedules/{id}" and method == "delete":
        refusals.add(409)
    if path == "/v1/verifications" and method == "post":
        refusals.add(429)
    if operation["security"] == []:
        refusals -= {401, 403}
    return refusals


def _tidied(value: Any) -> Any:  # noqa: ANN401  JSON
    """Without the titles that pydantic makes of names, and whole numbers as such."""
    if isinstance(value, dict):
        named = value.get("type") in ("object", "string") and "properties" in value
        return {
            key: _tidied(each)
            for key, each in value.items()
            if not (key == "title" and isinstance(each, str) and ("type" in value or "anyOf" in value) and not named)
        }
    if isinstance(value, list):
        return [_tidied(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
