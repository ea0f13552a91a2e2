"""The folder in which a local certificate authority is kept, and the certificate of the server with it."""

import os
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from .local_ca import Authority, key_as_pem

_OWNER_ONLY, _EVERYBODY = 0o600, 0o644


class LocalCaFolder:
    """Five files. Each is written whole or not at all; one that cannot be read raises ValueError with a sentence.

    `ca.crt` and `ca.cer` are the authority's certificate in PEM and in DER, for everybody; `ca.key` its key;
    `server.crt` and `server.key` are what the service proves with who it is.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.ca_certificate, self.ca_certificate_der, self.ca_key = (
            path / f"ca.{end}" for end in ("crt", "cer", "key")
        )
        self.certificate, self.key = path / "server.crt", path / "server.key"

    def authority(self) -> Authority | None:
        """The authority that is kept here; None where there is none yet."""
        certificate, key = _certificate_in(self.ca_certificate), _key_in(self.ca_key)
        if certificate is None and key is None:
            return None
        if certificate is None or key is None:
            there, missing = (
                (self.ca_key, self.ca_certificate) if certificate is None else (self.ca_certificate, self.ca_key)
            )
            raise ValueError(f"There is {there} without {missing}. Put it back, or begin in another folder.")
        return Authority(certificate, key)

    def keep_authority(self, authority: Authority) -> None:
        """Keep a new authority. The folder is made where it is not there."""
        self.path.mkdir(parents=True, exist_ok=True)
        _write(self.ca_key, key_as_pem(authority.key), _OWNER_ONLY)
        _write(self.ca_certificate_der, authority.certificate.public_bytes(serialization.Encoding.DER), _EVERYBODY)
        _write(self.ca_certificate, authority.certificate.public_bytes(serialization.Encoding.PEM), _EVERYBODY)

    def server_certificate(self) -> x509.Certificate | None:
        """The server's certificate; None where there is none yet."""
        return _certificate_in(self.certificate)

    def server_key(self) -> ec.EllipticCurvePrivateKey | None:
        """The server's key; None where there is none yet."""
        return _key_in(self.key)

    def keep_server_key(self, key: ec.EllipticCurvePrivateKey) -> None:
        _write(self.key, key_as_pem(key), _OWNER_ONLY)

    def keep_server_certificate(self, certificate: x509.Certificate) -> None:
        _write(self.certificate, certificate.public_bytes(serialization.Encoding.PEM), _EVERYBODY)


def _certificate_in(path: Path) -> x509.Certificate | None:
    content = _content(path)
    try:
        return None if content is None else x509.load_pem_x509_certificate(content)
    except ValueError:
        raise ValueError(f"{path} is no certificate in PEM form.") from None


def _key_in(path: Path) -> ec.EllipticCurvePrivateKey | None:
    content = _content(path)
    if content is None:
        return None
    try:
        key = serialization.load_pem_private_key(content, password=None)
    except (ValueError, TypeError):  # a TypeError where it is encrypted
        key = None
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key
    raise ValueError(f"{path} is no key that was made here.")


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as fault:
        raise ValueError(f"{path} cannot be read: {fault.strerror}.") from None


def _write(path: Path, content: bytes, mode: int) -> None:
    """Put a file in the place of what is there, in one step: whoever reads it sees the old one or the new one."""
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
