"""The certificate and the key that the service is given to prove with who it is."""

import ssl
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes


def good_until(certificate: Path, key: Path, now: datetime) -> datetime:
    """When the certificate expires. Raises ValueError with a sentence where a server could not use the two now."""
    first = _first_certificate(_content(certificate, "certificate"))
    if _key(_content(key, "key")).public_key() != first.public_key():
        raise ValueError(
            "The certificate and the key do not belong together. "
            "In a file of several certificates the server's own is first."
        )
    if first.not_valid_after_utc <= now:
        raise ValueError(
            f"The certificate expired on {first.not_valid_after_utc:%Y-%m-%d}. One of a local authority is renewed by "
            "`gatepass tls renew`."
        )
    if first.not_valid_before_utc > now:
        raise ValueError(
            f"The certificate is not good before {first.not_valid_before_utc:%Y-%m-%d}. Is this machine's clock right?"
        )
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
    except ssl.SSLError as fault:
        raise ValueError(f"OpenSSL does not take this certificate with this key: {fault.reason}.") from None
    return first.not_valid_after_utc


def _content(path: Path, noun: str) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise ValueError(f"There is no file where the {noun} should be.") from None
    except OSError as fault:
        raise ValueError(f"The {noun}'s file cannot be read: {fault.strerror}.") from None


def _first_certificate(content: bytes) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificates(content)[0]
    except ValueError:
        raise ValueError(
            "The certificate's file has no certificate in PEM form, which begins with -----BEGIN CERTIFICATE-----."
        ) from None


def _key(content: bytes) -> PrivateKeyTypes:
    try:
        return serialization.load_pem_private_key(content, password=None)
    except TypeError:
        raise ValueError(
            "The key is encrypted, and nobody is asked for a password: give it decrypted, mode 0600."
        ) from None
    except ValueError:
        raise ValueError(
            "The key's file has no key in PEM form, which begins with -----BEGIN PRIVATE KEY-----."
        ) from None
