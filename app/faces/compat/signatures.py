"""Signed requests: AWS Signature Version 4, and Tencent's TC3-HMAC-SHA256, which is the same with other words.

Whoever holds a secret signs a digest of the request; whoever knows the secret computes it again. Sources: AWS General
Reference, "Signature Version 4 signing process"; Tencent Cloud API, "Signature v3"; HMAC is RFC 2104. All work is done
on the bytes that were received, in time linear in their number. It takes two steps, because between them the secret
is looked up:

    claim = read_claim(SIGV4, request)
    check(claim, request, secret_of(claim.key_id), service="rekognition", now=clock.now(), public_hosts=hosts)
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import quote

_MAX_SKEW = 5 * 60 * 1_000_000
_LONGEST_AUTHORIZATION = 8192


class Refused(Exception):
    """The request is not shown to come from a holder of the secret. The message repeats nothing of the request.

    `code` is stable: "missing" without an Authorization of this scheme, "incomplete" when it or what it needs is not
    there or is malformed, "expired" when it was signed more than five minutes before or after now, and "bad_signature".
    """

    def __init__(self, code: Literal["missing", "incomplete", "expired", "bad_signature"], message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A request as it was received: `path` still percent-encoded and without the query, `headers` with duplicates."""

    method: str
    path: bytes
    query: bytes
    headers: Sequence[tuple[bytes, bytes]]
    body: bytes


@dataclass(frozen=True, slots=True)
class Scheme:
    """What differs between the two: the words, the time, and how parts of a request are written to be signed.

    Signed has to be every header that `must_sign` names, and every one that is there and begins with one of
    `must_sign_all`. Where there are two `value_forms`, a header's value may have been signed in either.
    """

    word: bytes
    authorization: re.Pattern[bytes]
    must_sign: frozenset[str]
    must_sign_all: tuple[str, ...]
    time_header: bytes
    hash_header: bytes
    second_and_day: Callable[[bytes], tuple[int, str]]
    path_and_query: Callable[[SignedRequest], tuple[bytes, bytes]]
    value_forms: tuple[Callable[[bytes], bytes], ...]

    @property
    def algorithm(self) -> bytes:
        return self.word + b"-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class Claim:
    """What an Authorization header says; `check` shows whether it is so. TC3 has no region: there it is empty.

    `scope` is date, region, service and a last word, with slashes between them, as sent.
    """

    scheme: Scheme
    key_id: str
    scope: str
    date: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str
    region: str = ""


def read_claim(scheme: Scheme, request: SignedRequest) -> Claim:
    """The claim of the one Authorization header, which signs all that must be signed. Raises Refused."""
    values = [value.strip() for name, value in request.headers if name.lower() == b"authorization"]
    if not any(value.startswith(scheme.algorithm) for value in values):
        raise Refused("missing", f"There is no Authorization header with {scheme.algorithm.decode()}.")
    if len(values) > 1 or len(values[0]) > _LONGEST_AUTHORIZATION:
        raise Refused("incomplete", "There is more than one Authorization header, or it is too long.")
    match = scheme.authorization.fullmatch(values[0])
    if not match:
        raise Refused("incomplete", "Authorization has to hold a Credential, SignedHeaders and a Signature.")
    said = {name: value.decode("ascii") for name, value in match.groupdict().items()}
    signed = tuple(said.pop("signed_headers").split(";"))
    if len(set(signed)) < len(signed) or not scheme.must_sign.issubset(signed):
        raise Refused("incomplete", f"SignedHeaders has to name {' and '.join(sorted(scheme.must_sign))}, each once.")
    sent = {name.lower().decode("latin-1") for name, _ in request.headers}
    if any(name.startswith(scheme.must_sign_all) for name in sent.difference(signed)):
        raise Refused("incomplete", f"SignedHeaders has to name each that begins with {scheme.must_sign_all[0]}.")
    return Claim(scheme=scheme, signed_headers=signed, **said)


def check(
    claim: Claim, request: SignedRequest, secret: bytes, *, service: str, now: int, public_hosts: Sequence[str] = ()
) -> None:
    """Raises Refused unless the request was signed with `secret`, for `service`, within five minutes of `now`.

    `now` is in microseconds since 1970-01-01 UTC. The signed host may be the Host header as received or one of
    `public_hosts`; the body's hash is always that of the body: an unsigned one is refused.
    """
    scheme, headers = claim.scheme, _by_name(request.headers)
    if any(name.encode() not in headers for name in claim.signed_headers):
        raise Refused("incomplete", "A header named in SignedHeaders is not there.")
    host, time = _only(headers, b"host"), _only(headers, scheme.time_header)
    try:
        second, day = scheme.second_and_day(time)
    except ValueError:
        raise Refused("incomplete", "The time of signing is not written as it has to be.") from None
    if (day, service) != (claim.date, claim.service):
        raise Refused("bad_signature", "Credential is for another service, or for another day than that of signing.")
    if abs(second * 1_000_000 - now) > _MAX_SKEW:
        raise Refused("expired", "Signature expired: it was not made within five minutes of now.")
    body_hash = hashlib.sha256(request.body).hexdigest().encode()
    if headers.get(scheme.hash_header, [body_hash]) != [body_hash]:
        raise Refused("bad_signature", "The hash in the header is not that of the body.")
    key = scheme.word + secret
    for part in claim.scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    for name in dict.fromkeys([host, *(public.encode() for public in public_hosts)]):
        for canonical in _canonical_requests(claim, request, headers | {b"host": [name]}, body_hash):
            digest = hashlib.sha256(canonical).hexdigest().encode()
            to_sign = b"\n".join([scheme.algorithm, time, claim.scope.encode(), digest])
            if hmac.compare_digest(hmac.digest(key, to_sign, "sha256").hex(), claim.signature):
                return
    raise Refused("bad_signature", "The signature is not that of this request with this key's secret.")


def _by_name(headers: Sequence[tuple[bytes, bytes]]) -> dict[bytes, list[bytes]]:
    found: dict[bytes, list[bytes]] = {}
    for name, value in headers:
        found.setdefault(name.lower(), []).append(value.strip())
    return found


def _only(headers: dict[bytes, list[bytes]], name: bytes) -> bytes:
    values = headers.get(name, [])
    if len(values) != 1:
        raise Refused("incomplete", f"There has to be one {name.decode()} header.")
    return values[0]


def _canonical_requests(
    claim: Claim, request: SignedRequest, headers: dict[bytes, list[bytes]], body_hash: bytes
) -> Iterator[bytes]:
    """The request in each form in which it may have been signed."""
    method = request.method.encode("utf-8", "surrogatepass")
    path, query = claim.scheme.path_and_query(request)
    names = [name.encode() for name in claim.signed_headers]
    for form in claim.scheme.value_forms:
        lines = [name + b":" + b",".join(map(form, headers[name])) + b"\n" for name in names]
        yield b"\n".join([method, path, query, b"".join(lines), b";".join(names), body_hash])


def _aws_second_and_day(time: bytes) -> tuple[int, str]:
    if not re.fullmatch(rb"\d{8}T\d{6}Z", time):
        raise ValueError("not a time")
    text = time.decode("ascii")
    return int(datetime.strptime(text, "%Y%m%dT%H%M%S%z").timestamp()), text[:8]


def _tencent_second_and_day(time: bytes) -> tuple[int, str]:
    if not re.fullmatch(rb"\d{1,11}", time):
        raise ValueError("not a time")
    return int(time), datetime.fromtimestamp(int(time), UTC).date().isoformat()


def _aws_path_and_query(request: SignedRequest) -> tuple[bytes, bytes]:
    """The path without empty and dotted segments, encoded once more (as all services but S3 have it); sorted pairs."""
    segments: list[bytes] = []
    for segment in request.path.split(b"/"):
        if segment == b"..":
            del segments[-1:]
        elif segment not in {b"", b"."}:
            segments.append(segment)
    last = b"/" if segments and request.path.endswith(b"/") else b""
    path = quote(b"/" + b"/".join(segments) + last, safe="/").encode()
    pairs = sorted(pair.partition(b"=")[::2] for pair in request.query.split(b"&")) if request.query else []
    return path, b"&".join(name + b"=" + value for name, value in pairs)


def _authorization(word: str, scope: str) -> re.Pattern[bytes]:
    names = "[!#$%&'*+.^_`|~0-9a-z-]+"
    pattern = (
        rf"{word}-HMAC-SHA256 +Credential=(?P<key_id>[\w-]{{1,128}})/(?P<scope>{scope}), *"
        rf"SignedHeaders=(?P<signed_headers>{names}(?:;{names})*), *Signature=(?P<signature>[0-9a-f]{{64}})"
    )
    return re.compile(pattern.encode())


SIGV4 = Scheme(
    word=b"AWS4",
    authorization=_authorization(
        "AWS4", r"(?P<date>\d{8})/(?P<region>[\w-]{1,64})/(?P<service>[\w-]{1,64})/aws4_request"
    ),
    must_sign=frozenset({"host", "x-amz-date"}),
    must_sign_all=("x-amz-",),
    time_header=b"x-amz-date",
    hash_header=b"x-amz-content-sha256",
    second_and_day=_aws_second_and_day,
    path_and_query=_aws_path_and_query,
    value_forms=(lambda value: b" ".join(value.split()),),
)
TC3 = Scheme(
    word=b"TC3",
    authorization=_authorization("TC3", r"(?P<date>\d{4}-\d\d-\d\d)/(?P<service>[\w-]{1,64})/tc3_request"),
    must_sign=frozenset({"content-type", "host"}),
    must_sign_all=(),  # Tencent's SDKs sign no header but these two
    time_header=b"x-tc-timestamp",
    hash_header=b"x-tc-content-sha256",
    second_and_day=_tencent_second_and_day,
    path_and_query=lambda request: (b"/", request.query),
    value_forms=(bytes.lower, bytes),  # Tencent's text lower-cases values; its SDKs sign them as they are
)
