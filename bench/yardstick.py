"""The yardstick: a bare FastAPI route with a pydantic model in and out, which does nothing."""

from fastapi import FastAPI
from pydantic import BaseModel


class Question(BaseModel):
    """As large as a verification's request."""

    token: str
    gate: str
    request_id: str | None = None


class Reply(BaseModel):
    """As large as a verification's answer."""

    id: str
    decision: str
    reason: str
    flags: list[str]
    gate: str
    direction: str
    token_kind: str
    at: str
    request_id: str | None


app = FastAPI(openapi_url=None)


@app.post("/echo")
async def echo(question: Question) -> Reply:
    """Answer without looking at the question."""
    return Reply(
        id="ver_0352KHp03nkIFjBlpafwia",
        decision="admit",
        reason="ok",
        flags=[],
        gate=question.gate,
        direction="entry",
        token_kind="signed",
        at="2026-11-22T09:30:00.123456Z",
        request_id=question.request_id,
    )
