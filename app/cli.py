"""The command line: `gatepass`."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from app.demo import run_demo
from app.effects.entropy import SystemEntropy
from app.effects.sealing import MasterKey, make_master_key_file, read_master_key
from app.logs import configure_logs
from app.services import keys as signing_keys
from app.services import tenants
from app.services.context import Context
from app.services.keychain import rewrap
from app.serving import serve as run_server
from app.settings import Settings
from app.terminal import Json, explained, say
from app.tls_cli import tls_cli
from app.wiring import prepare_database, running

Result = TypeVar("Result")

cli = typer.Typer(no_args_is_help=True, add_completion=False, help="Gatepass: codes at the door, in place of faces.")
tenant_cli = typer.Typer(no_args_is_help=True, help="Organisations whose data is kept apart.")
keys_cli = typer.Typer(no_args_is_help=True, help="The service's signing keys.")
master_key_cli = typer.Typer(no_args_is_help=True, help="The key that secrets at rest are sealed under.")
cli.add_typer(tenant_cli, name="tenant")
cli.add_typer(keys_cli, name="keys")
cli.add_typer(master_key_cli, name="master-key")
cli.add_typer(tls_cli, name="tls")


@cli.command()
def init(
    *,
    tenant: Annotated[str, typer.Option(help="The tenant's name.")] = "default",
    time_zone: Annotated[str, typer.Option(help="The tenant's time zone.")] = "UTC",
    as_json: Json = False,
) -> None:
    """Make the database where needed, a tenant and its first key, which is shown once."""
    _print_first_key(_run(lambda app: tenants.create_tenant(app, tenant, time_zone)), tenant, as_json=as_json)


@tenant_cli.command("create")
def tenant_create(
    name: Annotated[str, typer.Argument(help="a-z, 0-9, - and _; up to 64.")],
    *,
    time_zone: Annotated[str, typer.Option(help="Such as Asia/Shanghai.")] = "UTC",
    as_json: Json = False,
) -> None:
    """Make another tenant and its first key, which is shown once."""
    _print_first_key(_run(lambda app: tenants.create_tenant(app, name, time_zone)), name, as_json=as_json)


@tenant_cli.command("raise-epoch")
def tenant_raise_epoch(name: str, *, as_json: Json = False) -> None:
    """Refuse every token issued until now: after the database was restored from a backup."""
    epoch = _run(lambda app: tenants.raise_epoch(app, name))
    say(
        {"tenant": name, "epoch": epoch},
        f"{name} is in epoch {epoch}: older tokens are refused.",
        as_json=as_json,
    )


@cli.command()
def serve(
    *,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8000,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes; more than one needs PostgreSQL.")] = 1,
    face: Annotated[
        list[str] | None,
        typer.Option(help="A port or host name that a dialect has to itself, like compreface=8801. Can be repeated."),
    ] = None,
    tls_cert: Annotated[
        Path | None, typer.Option(help="The certificate, to serve https; PEM, what signed it last.")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option(help="The certificate's key; PEM, not encrypted.")] = None,
) -> None:
    """Serve the API until Ctrl-C."""
    given = {"FACES": ",".join(face or ()), "TLS_CERT": tls_cert, "TLS_KEY": tls_key}
    # The environment is where worker processes find them too.
    os.environ.update({f"GATEPASS_{name}": str(value) for name, value in given.items() if value})
    settings = Settings()
    with explained():
        prepare_database(settings)
        run_server(settings, host=host, port=port, workers=workers)


@cli.command()
def migrate() -> None:
    """Bring the database to this version's tables."""
    with explained():
        prepare_database(Settings(), apply_migrations=True)
    typer.echo("The database is up to date.")


@cli.command()
def demo(
    *,
    host: Annotated[str, typer.Option()] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8000,
    stay: Annotated[bool, typer.Option(help="Keep serving afterwards, until Ctrl-C.")] = True,
) -> None:
    """Show the main job: a QR code goes out, a picture of it comes back, one person gets in, once."""
    with explained():
        run_demo(Settings(), host=host, port=port, stay=stay)


@keys_cli.command("list")
def keys_list(*, as_json: Json = False) -> None:
    """Every signing key and its state: next, active, retiring or gone."""
    listed = [{"kid": key.kid.hex(), "state": state} for key, state in _run(signing_keys.list_signing_keys)]
    say({"keys": listed}, "\n".join(f"{key['kid']}  {key['state']}" for key in listed), as_json=as_json)


@keys_cli.command("rotate")
def keys_rotate(
    *,
    at_once: Annotated[bool, typer.Option("--at-once", help="Sign with it now, not in 72 hours.")] = False,
    as_json: Json = False,
) -> None:
    """Add the next key. It is published now and signs in 72 hours, when every verifier knows it."""
    kid = _run(lambda app: signing_keys.rotate(app, at_once=at_once)).kid.hex()
    say({"kid": kid}, f"{kid} is {'active' if at_once else 'next: it signs in 72 hours'}.", as_json=as_json)


@keys_cli.command("retire")
def keys_retire(
    kid: Annotated[str, typer.Argument(help="8 hexadecimal digits, as `keys list` shows them.")],
    *,
    at_once: Annotated[bool, typer.Option("--at-once", help="Refuse its tokens too: somebody may know it.")] = False,
    as_json: Json = False,
) -> None:
    """Stop signing with a key. Its tokens are good until they expire."""
    try:
        wanted = bytes.fromhex(kid)
    except ValueError:
        wanted = b""
    _run(lambda app: signing_keys.retire(app, wanted, at_once=at_once))
    state = "gone" if at_once else "retiring"
    say({"kid": kid, "state": state}, f"{kid} is {state}.", as_json=as_json)


@master_key_cli.command("rotate")
def master_key_rotate(
    new_file: Annotated[Path, typer.Argument(help="Where the new key goes; made with mode 0600 if it is not there.")],
) -> None:
    """Seal every secret under a new master key. Stop the service first, and start it with the new file."""
    with explained():
        entropy = SystemEntropy()
        key = read_master_key(new_file) if new_file.exists() else make_master_key_file(new_file, entropy)
    _run(lambda app: app.store.write(lambda tx: rewrap(tx, app.master_key, MasterKey(key), entropy)))
    typer.echo(f"Sealed anew. Start the service with GATEPASS_MASTER_KEY_FILE={new_file}")


def main() -> None:
    """The console script."""
    configure_logs()
    cli()


def _run(work: Callable[[Context], Awaitable[Result]]) -> Result:
    """Run `work` on the service, without serving."""
    settings = Settings()

    async def in_service() -> Result:
        async with running(settings) as context:
            return await work(context)

    with explained():
        prepare_database(settings)
        return asyncio.run(in_service())


def _print_first_key(key: object, tenant: str, *, as_json: bool) -> None:
    secret = getattr(key, "secret", None)
    say(
        {"tenant": tenant, "api_key": secret},
        f"Tenant {tenant}. Its first API key, shown this once:\n{secret}",
        as_json=as_json,
    )


if __name__ == "__main__":
    main()
