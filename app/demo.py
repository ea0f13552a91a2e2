"""The demonstration behind `make demo`: the main job, done over HTTP as a client would do it."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import typer
import uvicorn

from app.effects.draw_pictures import draw_png, draw_terminal
from app.services.context import Context
from app.services.tenants import create_tenant
from app.serving import alone, listen, server_config
from app.settings import Settings
from app.wiring import prepare_database, running

GATE = "main-door"
_UP_WITHIN_S = 30.0
_STEP_S = 0.1


def run_demo(settings: Settings, *, host: str, port: int, stay: bool) -> None:
    """Serve, show the job once, and go on serving until Ctrl-C if `stay`. Raises `CannotStart`."""
    prepare_database(settings)
    tenant, key = asyncio.run(_first_key(settings))
    address = f"http://{host}:{port}"
    with alone(settings), _serving(host, port) as server:
        with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {key}"}, timeout=10) as http:
            _show_the_job(http, tenant)
        if stay:
            _say_how_to_go_on(address, key)
            _until_interrupted(server)
    typer.echo("\nStopped.")


async def _first_key(settings: Settings) -> tuple[str, str]:
    """A tenant of this demonstration's own, so that it can be shown again on the same database."""

    async def make(app: Context) -> tuple[str, str]:
        tenant = f"demo-{app.clock.now() // 1000}"
        key = await create_tenant(app, tenant, "UTC")
        return tenant, str(key.secret)

    async with running(settings) as app:
        return await make(app)


@contextmanager
def _serving(host: str, port: int) -> Iterator[threading.Thread]:
    """The server on a thread of its own; it stops when the block is left."""
    with listen(host, port) as listening:
        server = uvicorn.Server(server_config())
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="server")
        thread.start()
        try:
            deadline = time.monotonic() + _UP_WITHIN_S
            while not server.started and thread.is_alive() and time.monotonic() < deadline:
                time.sleep(_STEP_S)
            yield thread
        finally:
            server.should_exit = True
            thread.join()


def _show_the_job(http: httpx.Client, tenant: str) -> None:
    typer.secho(f"\nTenant {tenant}, a gate and a pass", bold=True)
    _post(http, "/v1/gates", {"id": GATE, "name": "Main door"})
    pass_ = _post(http, "/v1/passes", {"holder": "emp-1042", "gates": [GATE]})
    typer.echo(f"  emp-1042 may enter by {GATE}: {pass_['id']}")

    typer.secho("\nA signed QR code goes out", bold=True)
    token = _post(http, "/v1/tokens", {"pass": pass_["id"], "kind": "signed", "ttl_s": 300})
    typer.echo(draw_terminal(token["token"]))
    typer.echo(f"  good until {token['expires_at']}, once")

    typer.secho("\nA picture of it comes back to the gate", bold=True)
    picture = draw_png(token["token"])
    typer.echo(f"  a PNG of {len(picture):,} bytes:   {_present(http, picture)}")
    typer.echo(f"  the same picture again:  {_present(http, picture)}")

    typer.secho("\nA code is typed", bold=True)
    code = _post(http, "/v1/tokens", {"pass": pass_["id"], "kind": "code"})
    decided = _post(http, "/v1/verifications", {"token": code["display"], "gate": GATE}, status=200)
    typer.echo(f"  {code['display']}:          {_decision(decided)}")


def _present(http: httpx.Client, picture: bytes) -> str:
    answer = http.post("/v1/verifications", data={"gate": GATE}, files={"picture": ("gate.png", picture, "image/png")})
    return _decision(answer.raise_for_status().json())


def _decision(verification: dict[str, Any]) -> str:
    admitted = verification["decision"] == "admit"
    words = f"{verification['decision'].upper()} {verification['reason']}"
    return typer.style(words, fg=typer.colors.GREEN if admitted else typer.colors.RED, bold=True)


def _post(http: httpx.Client, path: str, body: dict[str, Any], *, status: int = 201) -> dict[str, Any]:
    answer = http.post(path, json=body)
    if answer.status_code != status:
        raise RuntimeError(f"{path} answered {answer.status_code}")
    made: dict[str, Any] = answer.json()
    return made


def _say_how_to_go_on(address: str, key: str) -> None:
    typer.secho("\nDo it yourself, in another terminal", bold=True)
    call = f'curl -s -H "Authorization: Bearer $KEY" -H "Content-Type: application/json" {address}'
    typer.echo(f"""
KEY={key}
field() {{ python3 -c "import json, sys; print(json.load(sys.stdin)['$1'])"; }}

PASS=$({call}/v1/passes \\
  -d '{{"holder": "emp-7", "gates": ["{GATE}"]}}' | field id)

TOKEN=$({call}/v1/tokens \\
  -d "{{\\"pass\\": \\"$PASS\\", \\"kind\\": \\"signed\\"}}" | field token)

{call}/v1/verifications \\
  -d "{{\\"token\\": \\"$TOKEN\\", \\"gate\\": \\"{GATE}\\"}}"

API reference: {address}/docs
Ctrl-C stops it.""")


def _until_interrupted(server: threading.Thread) -> None:
    try:
        while server.is_alive():
            time.sleep(_STEP_S)
    except KeyboardInterrupt:
        pass
