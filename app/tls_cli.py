"""`gatepass tls`: a small certificate authority for a network that has none."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from app.effects.clock import SystemClock
from app.effects.local_ca import Host, allowed_by, certify, hosts_of, make_authority, make_key, read_host
from app.effects.local_ca_folder import LocalCaFolder
from app.terminal import Json, explained, say

Folder = Annotated[Path, typer.Option(help="Where the authority and its certificate are kept.")]
_FOLDER = Path("tls")
_PORT = 8443

tls_cli = typer.Typer(no_args_is_help=True, help="A certificate for the service, from an authority of the site's own.")


@tls_cli.command("init")
def init(
    *,
    host: Annotated[list[str], typer.Option(help="A name or an address of the service. Can be repeated.")],
    folder: Folder = _FOLDER,
    as_json: Json = False,
) -> None:
    """Make an authority for these hosts, and a certificate that it signs. One that is there is kept."""
    with explained():
        _issue(LocalCaFolder(folder), [read_host(each) for each in host], as_json=as_json)


@tls_cli.command("renew")
def renew(*, folder: Folder = _FOLDER, as_json: Json = False) -> None:
    """Sign a new certificate for the same hosts and the same key. Tablets need nothing new."""
    with explained():
        kept = LocalCaFolder(folder)
        current = kept.server_certificate()
        if kept.authority() is None or current is None:
            raise ValueError(f"There is no authority with a certificate in {folder}. `gatepass tls init` makes them.")
        _issue(kept, hosts_of(current), as_json=as_json)


def _issue(folder: LocalCaFolder, hosts: list[Host] | tuple[Host, ...], *, as_json: bool) -> None:
    now = datetime.fromtimestamp(SystemClock().now() / 1_000_000, UTC)
    authority = folder.authority()
    made = authority is None
    if authority is None:
        authority = make_authority(hosts, now)
        folder.keep_authority(authority)
    key = folder.server_key()
    if key is None:
        key = make_key()
        folder.keep_server_key(key)
    certificate = certify(authority, hosts, key.public_key(), now)
    folder.keep_server_certificate(certificate)
    _tell(folder, authority.certificate, certificate, made=made, as_json=as_json)


def _tell(
    folder: LocalCaFolder, authority: x509.Certificate, certificate: x509.Certificate, *, made: bool, as_json: bool
) -> None:
    hosts = [str(host) for host in hosts_of(certificate)]
    fingerprint = authority.fingerprint(hashes.SHA256()).hex(":").upper()
    value = {
        "authority": {
            "certificate": str(folder.ca_certificate),
            "certificate_der": str(folder.ca_certificate_der),
            "made": made,
            "for": allowed_by(authority),
            "sha256": fingerprint,
            "expires_at": _time(authority.not_valid_after_utc),
        },
        "certificate": str(folder.certificate),
        "key": str(folder.key),
        "hosts": hosts,
        "expires_at": _time(certificate.not_valid_after_utc),
    }
    address = f"[{hosts[0]}]" if ":" in hosts[0] else hosts[0]
    words = f"""\
{folder.ca_certificate} is {"a new authority" if made else "the authority that was there"}, good until \
{authority.not_valid_after_utc:%Y-%m-%d}. It may speak for \
{", ".join(allowed_by(authority))} and for nobody else.
{folder.certificate} is a new certificate for {", ".join(hosts)}, good until {certificate.not_valid_after_utc:%Y-%m-%d}.

1. Put the authority's certificate onto every tablet, once. It is no secret; docs/https.md says how.
   Android, iPadOS, Windows: {folder.ca_certificate_der}   Linux: {folder.ca_certificate}
   Its SHA-256: {fingerprint}
2. Start the service with the certificate:
   GATEPASS_PUBLIC_URL=https://{address}:{_PORT} gatepass serve --host 0.0.0.0 --port {_PORT} \\
     --tls-cert {folder.certificate} --tls-key {folder.key}
3. Every month: gatepass tls renew --folder {folder.path}, and start the service anew.

{folder.ca_key} makes further certificates. Let nobody have it."""
    say(value, words, as_json=as_json)


def _time(when: datetime) -> str:
    return f"{when:%Y-%m-%dT%H:%M:%SZ}"
