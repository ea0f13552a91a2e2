"""A certificate authority for one site's network, so that the tablets there reach the service by https.

Whoever trusts an authority lets it speak for any name there is. This one says in its own certificate for which names
and addresses alone it may speak (name constraints, RFC 5280 section 4.2.1.10), so that its key, if it is stolen, is of
no use against a bank. P-256 and SHA-256, since every tablet knows them.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

AUTHORITY_LASTS = timedelta(days=3650)
CERTIFICATE_LASTS = timedelta(days=397)
"""Browsers refuse a certificate that is good for longer."""

Host = str | IPv4Address | IPv6Address
"""A host name in lower case, or an address."""

_BEHIND = timedelta(days=1)
"""What is made now was good yesterday: a tablet's clock may be behind."""

_LONGEST_NAME, _LONGEST_COMMON_NAME = 253, 64
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_EVERY_ADDRESS = (ip_network("0.0.0.0/0"), ip_network("::/0"))


class Authority(NamedTuple):
    """A certificate that others are signed by, and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def read_host(text: str) -> Host:
    """The name or address that is written there. Raises ValueError with a sentence."""
    try:
        return ip_address(text)
    except ValueError:
        name = text.lower().removesuffix(".")
    labels = name.split(".")
    if len(name) > _LONGEST_NAME or labels[-1].isdigit() or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError(
            "A host is a name like gate.example.lan or an address like 192.0.2.10: no https://, no port, no *, "
            "and other letters than a-z as xn--."
        )
    return name


def make_key() -> ec.EllipticCurvePrivateKey:
    """A new key."""
    return ec.generate_private_key(ec.SECP256R1())


def make_authority(hosts: Sequence[Host], now: datetime) -> Authority:
    """A new authority, for these hosts and nothing else. Raises ValueError where there are none."""
    if not hosts:
        raise ValueError("Name at least one host.")
    key = make_key()
    name = _named(f"Gatepass authority of {hosts[0]}"[:_LONGEST_COMMON_NAME])
    begins = _begin(now)
    certificate = (
        _made(name, name, key.public_key(), begins, begins + AUTHORITY_LASTS)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(certificates=True), critical=True)
        .add_extension(_only(hosts), critical=True)
        .sign(key, hashes.SHA256())
    )
    return Authority(certificate, key)


def certify(
    authority: Authority, hosts: Sequence[Host], key: ec.EllipticCurvePublicKey, now: datetime
) -> x509.Certificate:
    """A certificate for the server that is reached by these hosts and has this key.

    Raises ValueError with a sentence where the authority may not speak for a host, or is no longer good.
    """
    signer = authority.certificate
    if authority.key.public_key() != signer.public_key():
        raise ValueError("The authority's certificate and its key do not belong together.")
    if signer.not_valid_after_utc <= now:
        raise ValueError(
            f"The authority expired on {signer.not_valid_after_utc:%Y-%m-%d}. Make another, in another folder."
        )
    if not hosts:
        raise ValueError("Name at least one host.")
    if outside := [str(host) for host in hosts if not _may_speak_for(signer, host)]:
        raise ValueError(
            f"The authority may not speak for {', '.join(outside)}. What it may speak for was set when it was made: "
            f"{', '.join(allowed_by(signer))}. For other hosts make another, in another folder."
        )
    # Its name is no host's name: programs that look for one there would hold it against the constraints.
    begins = _begin(now)
    ends = min(begins + CERTIFICATE_LASTS, signer.not_valid_after_utc)
    return (
        _made(signer.subject, _named("Gatepass"), key, begins, ends)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_general_name(host) for host in hosts]), critical=False)
        .sign(authority.key, hashes.SHA256())
    )


def hosts_of(certificate: x509.Certificate) -> tuple[Host, ...]:
    """The names and addresses that a server's certificate is for."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(name.value for name in names if isinstance(name.value, Host))


def allowed_by(authority: x509.Certificate) -> tuple[str, ...]:
    """The names, addresses and networks that an authority may speak for, as its certificate says."""
    return tuple(str(each).removesuffix("/32").removesuffix("/128") for each in _permitted(authority))


def key_as_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The key as a file holds it, not encrypted."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _begin(now: datetime) -> datetime:
    return now.replace(microsecond=0) - _BEHIND


def _made(
    issuer: x509.Name, subject: x509.Name, key: ec.EllipticCurvePublicKey, begins: datetime, ends: datetime
) -> x509.CertificateBuilder:
    """What every certificate has."""
    return (
        x509.CertificateBuilder()
        .issuer_name(issuer)
        .subject_name(subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _only(hosts: Iterable[Host]) -> x509.NameConstraints:
    """These hosts and no others. A kind of name of which none is permitted has to be excluded, or all of it is free."""
    permitted = [_general_name(host, as_network=True) for host in dict.fromkeys(hosts)]
    networks = [name.value for name in permitted if isinstance(name, x509.IPAddress)]
    excluded: list[x509.GeneralName] = [
        x509.IPAddress(every)
        for every in _EVERY_ADDRESS
        if not any(network.version == every.version for network in networks)
    ]
    if len(networks) == len(permitted):
        excluded.append(x509.DNSName(""))  # every name
    return x509.NameConstraints(permitted, excluded or None)


def _permitted(authority: x509.Certificate) -> tuple[str | IPv4Network | IPv6Network, ...]:
    try:
        constraints = authority.extensions.get_extension_for_class(x509.NameConstraints).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(name.value for name in constraints.permitted_subtrees or ())


def _may_speak_for(authority: x509.Certificate, host: Host) -> bool:
    if isinstance(host, str):
        return any(f".{host}".endswith(f".{name}") for name in _permitted(authority) if isinstance(name, str))
    return any(host in network for network in _permitted(authority) if not isinstance(network, str))


def _general_name(host: Host, *, as_network: bool = False) -> x509.DNSName | x509.IPAddress:
    if isinstance(host, str):
        return x509.DNSName(host)
    return x509.IPAddress(ip_network(host) if as_network else host)


def _named(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])


def _usage(*, certificates: bool) -> x509.KeyUsage:
    """To sign certificates with, or to prove in a handshake who one is."""
    return x509.KeyUsage(
        digital_signature=not certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certificates,
        crl_sign=certificates,
        encipher_only=False,
        decipher_only=False,
    )
