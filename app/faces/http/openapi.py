"""`openapi.yaml`: generated from the routes, and completed with what FastAPI cannot know."""

import sys
from importlib.metadata import version
from typing import Any

import yaml
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from .problems import MEDIA_TYPE, ProblemDetails
from .verifications import NewVerification, Verification

_REF = "#/components/schemas/{model}"
_PROBLEMS = {
    400: "Malformed body",
    401: "No valid API key",
    403: "The key may not do this",
    404: "No such thing in this tenant",
    408: "The request was sent too slowly",
    409: "It does not fit what is there",
    413: "Too large",
    415: "Another media type is needed",
    422: "A field is missing or invalid",
    429: "Too many at once",
    503: "Cannot answer just now",
}


def openapi(app: FastAPI) -> dict[str, Any]:
    """The API's description, made once."""
    if app.openapi_schema is None:
        schema = get_openapi(
            title=app.title,
            version=app.version,
            summary=app.summary,
            description=app.description,
            routes=app.routes,
        )
        models = [
            (NewVerification, "validation"),
            (Verification, "serialization"),
            (ProblemDetails, "serialization"),
        ]
        _, definitions = models_json_schema(models, ref_template=_REF)  # type: ignore[arg-type]
        schemas = schema.setdefault("components", {}).setdefault("schemas", {})
        schemas |= definitions["$defs"]
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        schema["paths"]["/v1/verifications"]["post"] = _post_verification(schemas)
        for path, operations in schema["paths"].items():
            for operation in operations.values():
                _add_problems(path, operation)
        app.openapi_schema = schema
    return app.openapi_schema


def as_yaml(app: FastAPI) -> str:
    """What stands in `openapi.yaml`."""
    return yaml.safe_dump(openapi(app), sort_keys=False, allow_unicode=True, width=110)


def _post_verification(schemas: dict[str, Any]) -> dict[str, Any]:
    """The endpoint that `front.py` calls past the routes."""
    form = {**schemas["NewVerification"], "title": "NewVerificationForm"}
    form["properties"] = {**form["properties"], "picture": {"type": "string", "format": "binary"}}
    schemas["NewVerificationForm"] = form
    content = {
        "application/json": {"schema": {"$ref": _REF.format(model="NewVerification")}},
        "multipart/form-data": {"schema": {"$ref": _REF.format(model="NewVerificationForm")}},
    }
    return {
        "tags": ["verifications"],
        "summary": "Verify",
        "description": "Decide one attempt at a gate. A refusal is a 200 with `decision: deny` and a `reason`.",
        "operationId": "create_v1_verifications_post",
        "requestBody": {"required": True, "content": content},
        "responses": {
            "200": {
                "description": "The decision",
                "content": {"application/json": {"schema": {"$ref": _REF.format(model="Verification")}}},
            }
        },
        "security": [{"HTTPBearer": []}],
    }


def _add_problems(path: str, operation: dict[str, Any]) -> None:
    """Every way in which a route under `/v1` can refuse."""
    responses = operation["responses"]
    responses.pop("422", None)
    if not path.startswith("/v1/"):
        return
    problem = {MEDIA_TYPE: {"schema": {"$ref": _REF.format(model="ProblemDetails")}}}
    for status, description in _PROBLEMS.items():
        responses[str(status)] = {"description": description, "content": problem}


if __name__ == "__main__":
    from app.faces.http.routes import make_routes

    sys.stdout.write(as_yaml(make_routes(version("gatepass"), None)))
