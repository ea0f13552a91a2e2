"""Forms with files: read in memory, or refused in a sentence that repeats nothing of them."""

import encodings.aliases
import re
import tempfile
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.faces.multipart import Form, read_form

TYPE = "multipart/form-data; boundary=line"
OURS = re.compile(
    r"The body (is not multipart/form-data with at most [0-9]+ file\(s\)|has the same field twice"
    r"|has a character that no text may have: NUL, or half of a surrogate pair)\."
)


def part(name: str, content: bytes, *, file: str | None = None, more: bytes = b"") -> bytes:
    filename = "" if file is None else f'; filename="{file}"'
    head = f'Content-Disposition: form-data; name="{name}"{filename}\r\n'.encode()
    return b"--line\r\n" + head + more + b"\r\n" + content + b"\r\n"


def body(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--line--\r\n"


async def read(content: bytes, content_type: str = TYPE, **limits: Any) -> Form:
    return await read_form(content_type, content, **{"max_files": 1, "max_fields": 3, **limits})


async def told(content: bytes, content_type: str = TYPE, **limits: Any) -> Form | str:
    """The form, or the sentence with which it is refused."""
    try:
        return await read(content, content_type, **limits)
    except ValueError as fault:
        return str(fault)


async def refused(content: bytes, content_type: str = TYPE, **limits: Any) -> str:
    said = await told(content, content_type, **limits)
    assert isinstance(said, str)
    assert OURS.fullmatch(said), said
    return said


async def test_fields_and_files_are_told_apart_by_the_file_name() -> None:
    form = await read(
        body(part("gate", b"main-door"), part("file", b"\xff\xd8", file="a.jpg"), part("name", "李".encode()))
    )
    assert form == Form({"gate": "main-door", "name": "李"}, {"file": b"\xff\xd8"})


@pytest.mark.parametrize("more", [b"", b"Content-Type: image/jpeg\r\n", b"content-type: text/plain\r\nX-Other: x\r\n"])
async def test_a_file_is_taken_as_it_came_whatever_is_said_of_it(more: bytes) -> None:
    content = bytes(range(256)) * 40 + b"\r\n--lin\r\n--line"[:-4]
    assert (await read(body(part("file", content, file="", more=more)))).files == {"file": content}


async def test_an_empty_form_and_an_empty_file_are_forms() -> None:
    assert await read(b"--line--\r\n") == Form({}, {})
    assert await read(body(part("file", b"", file="a"), part("a", b""))) == Form({"a": ""}, {"file": b""})


async def test_a_file_of_many_megabytes_stays_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def rolled(_self: Any) -> None:
        raise AssertionError("the file was put on disk")

    monkeypatch.setattr(tempfile.SpooledTemporaryFile, "rollover", rolled)
    content = b"x" * 5_000_000
    assert (await read(body(part("file", content, file="a")))).files == {"file": content}


async def test_there_are_at_most_so_many_files_and_fields_of_at_most_such_a_length() -> None:
    files = [part(f"file-{n}", b"x", file="a") for n in range(3)]
    assert len((await read(body(*files[:2]), max_files=2)).files) == 2
    await refused(body(*files), max_files=2)
    fields = [part(f"field-{n}", b"x" * 10) for n in range(4)]
    assert len((await read(body(*fields[:3]), max_field=10)).fields) == 3
    await refused(body(*fields))
    await refused(body(*fields[:3]), max_field=9)
    await refused(body(part("a", b"x" * 16_385)))


@pytest.mark.parametrize(
    "parts",
    [
        (part("a", b"1"), part("a", b"2")),
        (part("a", b"1"), part("a", b"2", file="x")),
        (part("a", b"1", file="x"), part("a", b"2", file="y")),
        (part("a", b"1", file="x"), part("a", b"2")),
    ],
)
async def test_a_field_that_comes_twice_is_refused(parts: tuple[bytes, bytes]) -> None:
    assert "twice" in await refused(body(*parts), max_files=2)


async def test_a_text_with_nul_is_refused_and_a_file_with_it_is_not() -> None:
    for parts in ((part("a", b"x\0y"),), (part("a\0b", b"x"),)):
        assert await refused(body(*parts))
    assert (await read(body(part("a", b"x\0y", file="a")))).files == {"a": b"x\0y"}


@pytest.mark.parametrize(
    "content_type",
    ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=other", "", "text/plain",
     f"multipart/form-data; boundary={'x' * 500}", "multipart/form-data; boundary=Canary7f3a\r\n", TYPE.upper()],
)  # fmt: skip
async def test_without_its_boundary_it_is_no_form(content_type: str) -> None:
    await refused(body(part("a", b"Canary7f3a")), content_type)


WHOLE = body(part("gate", b"main-door"), part("file", b"a picture", file="a.jpg"))


async def test_a_form_that_was_cut_short_has_no_part_that_was() -> None:
    for length in range(len(WHOLE)):
        said = await told(WHOLE[:length])
        if isinstance(said, str):
            assert OURS.fullmatch(said)
        else:
            assert said.fields in ({}, {"gate": "main-door"})
            assert said.files in ({}, {"file": b"a picture"})


@pytest.mark.parametrize(
    "charset", sorted({*encodings.aliases.aliases.values(), "undefined", "idna", "punycode", "none"})
)
async def test_no_charset_is_a_fault(charset: str) -> None:
    for text in (b"\xff\xfe\0", b"xn--a.\xff", b"\\", b"plain", b"." * 70):
        said = await told(body(part("a", text)), f"{TYPE}; charset={charset}")
        assert isinstance(said, Form) or OURS.fullmatch(said), said


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    st.lists(
        st.sampled_from([b"--line", b"--", b"\r\n", b"\r", b"\n", b":", b'name="a"', b"Content-Disposition: form-data; ", b";", b"\0", b"=", b"\xff"])
        | st.binary(max_size=6),
        max_size=30,
    ).map(b"".join)
)  # fmt: skip
async def test_any_bytes_are_a_form_or_are_refused(content: bytes) -> None:
    for content_type in (TYPE, "multipart/form-data; boundary=-"):
        said = await told(content, content_type)
        assert isinstance(said, Form) or OURS.fullmatch(said), said
