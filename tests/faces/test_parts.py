"""The parts of a form come out as they went in."""

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.faces.parts import Part, read_parts

TYPE = "multipart/form-data; boundary=between"
names = st.text("abcXYZ_0189", min_size=1, max_size=12)


def form(*parts: tuple[str, bytes]) -> bytes:
    """A form whose parts have these heads and contents."""
    written = [f"--between\r\n{head}\r\n\r\n".encode() + content + b"\r\n" for head, content in parts]
    return b"".join(written) + b"--between--\r\n"


def named(name: str, more: str = "") -> str:
    return f'Content-Disposition: form-data; name="{name}"{more}'


@settings(deadline=None, derandomize=True)
@given(st.dictionaries(names, st.binary(max_size=200), max_size=8))
def test_what_a_client_puts_in_comes_out(sent: dict[str, bytes]) -> None:
    request = httpx.Request(
        "POST", "http://gatepass.test", files={name: ("a.bin", each) for name, each in sent.items()}
    )
    if not sent:
        return
    parts = read_parts(request.headers["content-type"], request.read(), max_parts=8)
    assert parts == [Part(name, "", content) for name, content in sent.items()]


def test_fields_and_files_are_told_by_name_and_encoding() -> None:
    body = form(
        (named("SN"), b" FC-1"),
        (named("RecordDetail") + "\r\ncontent-ENCODING: GZip ", b"\x1f\x8b\r\n--betwee"),
        (named("Photo", '; filename="a.jpg"') + "\r\nContent-Type: image/jpeg", b"\xff\xd8"),
    )
    assert read_parts(TYPE, body, max_parts=3) == [
        Part("SN", "", b" FC-1"),
        Part("RecordDetail", "gzip", b"\x1f\x8b\r\n--betwee"),
        Part("Photo", "", b"\xff\xd8"),
    ]


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("", b""),
        ("multipart/form-data", form((named("a"), b"Canary"))),
        ("text/plain; boundary=between", form((named("a"), b"Canary"))),
        ("multipart/form-data; boundary=", form((named("a"), b"Canary"))),
        (TYPE, b"Canary"),
        (TYPE, form((named("a"), b"Canary"))[:-8]),
        (TYPE, form((named("a"), b"Canary"), (named("a"), b"Canary"))),
        (TYPE, form(*((named(f"a{place}"), b"Canary") for place in range(4)))),
        (TYPE, form(("Canary" * 1000, b""))),
        (TYPE, form((named("a"), b"Canary")).replace(b'"a"', b'"\xff"')),
    ],
)
def test_a_broken_form_is_refused_and_not_repeated(content_type: str, body: bytes) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011  whatever is wrong with it
        read_parts(content_type, body, max_parts=3)
    assert "Canary" not in str(refused.value)


@settings(deadline=None, derandomize=True)
@given(st.binary(max_size=120), st.text(st.characters(codec="latin-1"), max_size=40))
def test_any_bytes_are_parts_or_refused(body: bytes, content_type: str) -> None:
    for type_ in (content_type, TYPE):
        for sent in (body, b"--between\r\n" + body, b"--between\r\n" + body + b"\r\n--between--\r\n"):
            try:
                parts = read_parts(type_, sent, max_parts=2)
            except ValueError:
                continue
            assert len(parts) <= 2
