"""A local authority: verifiers take its certificates for its own hosts, and for no others."""

import shutil
import stat
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from app.effects.local_ca import (
    Authority,
    Host,
    allowed_by,
    certify,
    hosts_of,
    make_authority,
    make_key,
    read_host,
)
from app.effects.local_ca_folder import LocalCaFolder

NOW = datetime.now(UTC)
NAME, ADDRESS, ADDRESS_6 = "gate.example.lan", "192.0.2.10", "2001:db8::10"
HOSTS = [read_host(text) for text in (NAME, ADDRESS, ADDRESS_6)]
KEY = make_key()
OPENSSL = shutil.which("openssl")


@pytest.fixture(scope="module")
def authority() -> Authority:
    return make_authority(HOSTS, NOW)


def general_name(host: Host) -> x509.DNSName | x509.IPAddress:
    return x509.DNSName(host) if isinstance(host, str) else x509.IPAddress(host)


def taken_by_cryptography(authority: Authority, certificate: x509.Certificate, host: Host, when: datetime) -> bool:
    verifier = (
        PolicyBuilder().store(Store([authority.certificate])).time(when).build_server_verifier(general_name(host))
    )
    try:
        verifier.verify(certificate, [])
    except VerificationError:
        return False
    return True


def taken_by_openssl(authority: Authority, certificate: x509.Certificate, host: Host, folder: Path) -> bool:
    assert OPENSSL is not None
    ours, theirs = folder / "ca.pem", folder / "server.pem"
    ours.write_bytes(authority.certificate.public_bytes(serialization.Encoding.PEM))
    theirs.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    which = "-verify_hostname" if isinstance(host, str) else "-verify_ip"
    verify = ["verify", "-x509_strict", "-purpose", "sslserver", which, str(host), "-CAfile", ours, theirs]
    return subprocess.run([OPENSSL, *verify], check=False, capture_output=True, timeout=10).returncode == 0


def assert_taken(authority: Authority, certificate: x509.Certificate, host: Host, folder: Path, *, taken: bool) -> None:
    assert taken_by_cryptography(authority, certificate, host, NOW) is taken
    if OPENSSL is not None:
        assert taken_by_openssl(authority, certificate, host, folder) is taken


def signed_by_a_thief(authority: Authority, host: Host) -> x509.Certificate:
    """What somebody who has the authority's key makes, who does not ask `certify`."""
    return (
        x509.CertificateBuilder()
        .issuer_name(authority.certificate.subject)
        .subject_name(x509.Name([]))
        .public_key(KEY.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(hours=1))
        .not_valid_after(NOW + timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([general_name(host)]), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(KEY.public_key()), critical=False)
        .sign(authority.key, hashes.SHA256())
    )


@pytest.mark.parametrize("host", HOSTS, ids=str)
def test_verifiers_take_its_certificate_by_name_and_by_address(
    authority: Authority, host: Host, tmp_path: Path
) -> None:
    certificate = certify(authority, HOSTS, KEY.public_key(), NOW)
    assert_taken(authority, certificate, host, tmp_path, taken=True)
    assert_taken(make_authority(HOSTS, NOW), certificate, host, tmp_path, taken=False)


@pytest.mark.parametrize("own", [[NAME], [ADDRESS], [ADDRESS_6], [NAME, ADDRESS], [NAME, ADDRESS, ADDRESS_6]], ids=str)
@pytest.mark.parametrize("other", ["bank.example", "192.0.2.11", "2001:db8::11"])
def test_verifiers_refuse_what_its_key_signs_for_another(own: Sequence[str], other: str, tmp_path: Path) -> None:
    authority = make_authority([read_host(text) for text in own], NOW)
    for text in (*own, other):
        host = read_host(text)
        assert_taken(authority, signed_by_a_thief(authority, host), host, tmp_path, taken=text in own)


def test_a_certificate_is_good_for_397_days_and_no_longer_than_its_authority(authority: Authority) -> None:
    certificate = certify(authority, HOSTS, KEY.public_key(), NOW)
    assert certificate.not_valid_after_utc - certificate.not_valid_before_utc == timedelta(days=397)
    assert certificate.not_valid_before_utc < NOW - timedelta(hours=23)  # for a tablet whose clock is behind
    assert authority.certificate.not_valid_after_utc - authority.certificate.not_valid_before_utc == timedelta(
        days=3650
    )
    late = certify(authority, HOSTS, KEY.public_key(), authority.certificate.not_valid_after_utc - timedelta(days=5))
    assert late.not_valid_after_utc == authority.certificate.not_valid_after_utc


def test_it_does_not_sign_for_a_host_that_verifiers_would_refuse(authority: Authority) -> None:
    for text in ("other.example.lan", "example.lan", "evilgate.example.lan", "192.0.2.11", "2001:db8::11"):
        with pytest.raises(
            ValueError, match=r"may not speak for .*made: gate\.example\.lan, 192\.0\.2\.10, 2001:db8::10\."
        ):
            certify(authority, [read_host(NAME), read_host(text)], KEY.public_key(), NOW)
    below = read_host(f"hall.{NAME}")
    assert taken_by_cryptography(authority, certify(authority, [below], KEY.public_key(), NOW), below, NOW)


def test_an_authority_that_expired_or_has_another_key_signs_nothing(authority: Authority) -> None:
    with pytest.raises(ValueError, match="The authority expired on 20"):
        certify(authority, HOSTS, KEY.public_key(), NOW + timedelta(days=3650))
    with pytest.raises(ValueError, match="do not belong together"):
        certify(Authority(authority.certificate, make_key()), HOSTS, KEY.public_key(), NOW)
    for act in (lambda: make_authority([], NOW), lambda: certify(authority, [], KEY.public_key(), NOW)):
        with pytest.raises(ValueError, match="Name at least one host"):
            act()


def test_a_certificate_tells_its_hosts_and_an_authority_whom_it_may_speak_for(authority: Authority) -> None:
    assert hosts_of(certify(authority, HOSTS, KEY.public_key(), NOW)) == tuple(HOSTS)
    assert allowed_by(authority.certificate) == (NAME, ADDRESS, ADDRESS_6)
    assert hosts_of(authority.certificate) == ()
    assert allowed_by(certify(authority, HOSTS, KEY.public_key(), NOW)) == ()


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("Gate.Example.LAN", "gate.example.lan"),
        ("gate.example.lan.", "gate.example.lan"),
        ("gate", "gate"),
        ("xn--80ak6aa92e.example", "xn--80ak6aa92e.example"),
        ("192.0.2.10", "192.0.2.10"),
        ("2001:DB8::10", "2001:db8::10"),
    ],
)
def test_a_host_is_a_name_or_an_address(text: str, host: str) -> None:
    assert str(read_host(text)) == host


@pytest.mark.parametrize(
    "text",
    [
        *("", ".", "gate.lan\n", "gate lan", "https://gate.lan", "gate.lan:8443", "192.0.2.0/24", "192.0.2.256"),
        *("*.lan", "gate_1.lan", "tür.lan", "-a.lan", "a..lan", "a" * 64 + ".lan", ".".join(["a" * 63] * 4)),
    ],
)
def test_what_is_no_host_is_refused_with_a_word_on_what_is(text: str) -> None:
    with pytest.raises(ValueError, match=r"A host is a name like gate\.example\.lan or an address like 192\.0\.2\.10"):
        read_host(text)


# The folder


def test_a_folder_gives_back_what_was_kept_in_it(authority: Authority, tmp_path: Path) -> None:
    folder = LocalCaFolder(tmp_path / "site" / "tls")
    assert (folder.authority(), folder.server_key(), folder.server_certificate()) == (None, None, None)
    folder.keep_authority(authority)
    folder.keep_server_key(KEY)
    certificate = certify(authority, HOSTS, KEY.public_key(), NOW)
    folder.keep_server_certificate(certificate)
    kept, key = folder.authority(), folder.server_key()
    assert kept is not None
    assert key is not None
    assert kept.certificate == authority.certificate
    assert kept.key.private_numbers() == authority.key.private_numbers()
    assert key.private_numbers() == KEY.private_numbers()
    assert folder.server_certificate() == certificate
    assert x509.load_der_x509_certificate(folder.ca_certificate_der.read_bytes()) == authority.certificate
    for secret in (folder.ca_key, folder.key):
        assert stat.S_IMODE(secret.stat().st_mode) == 0o600


def test_half_an_authority_is_not_taken_for_none(authority: Authority, tmp_path: Path) -> None:
    for missing in ("ca.key", "ca.crt"):
        folder = LocalCaFolder(tmp_path)
        folder.keep_authority(authority)
        (tmp_path / missing).unlink()
        with pytest.raises(ValueError, match=rf"without \S*{missing}\. Put it back"):
            folder.authority()


def test_a_file_that_is_something_else_is_named(authority: Authority, tmp_path: Path) -> None:
    folder = LocalCaFolder(tmp_path)
    folder.keep_authority(authority)
    folder.ca_certificate.write_bytes(folder.ca_certificate_der.read_bytes())
    with pytest.raises(ValueError, match=r"ca\.crt is no certificate in PEM form"):
        folder.authority()
    folder.key.write_text("nothing")
    with pytest.raises(ValueError, match=r"server\.key is no key that was made here"):
        folder.server_key()
    encrypted = serialization.BestAvailableEncryption(b"password")
    folder.key.write_bytes(
        ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encrypted
        )
    )
    with pytest.raises(ValueError, match=r"server\.key is no key that was made here"):
        folder.server_key()
    folder.certificate.mkdir()
    with pytest.raises(ValueError, match=r"server\.crt cannot be read: Is a directory"):
        folder.server_certificate()
