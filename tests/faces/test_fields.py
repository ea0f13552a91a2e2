"""The same fields, however they are sent; and whatever is sent, fields or a `Problem` of the caller's."""

import json
from base64 import b64encode
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.types import Message

from app.faces.fields import Fields, read_fields, whole_number
from app.faces.problems import Problem

Result = TypeVar("Result")

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=between-parts"
names = st.text("abcdefgh_-", min_size=1, max_size=8)
texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40)
CANARY = "Canary7f3a"


def done(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """What a coroutine gives that has nothing to wait for."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        result: Result = stop.value
        return result
    raise AssertionError("it waits for something")


def read(body: bytes, content_type: str | None, files: tuple[str, ...] = ("file",)) -> Fields:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    headers = [] if content_type is None else [(b"content-type", content_type.encode("latin-1"))]
    scope = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": headers}
    return done(read_fields(Request(scope, receive), files=files))


def problem_of(work: Callable[[], object]) -> Problem | None:
    """The problem that it raises. Anything else that it raises is ours."""
    try:
        work()
    except Problem as problem:
        return problem
    return None


def takes(fields: Fields, name: str) -> list[Callable[[], object]]:
    """Every way to take a field."""
    each = (fields.text, fields.listed, fields.picture, fields.has, lambda name: fields.number(name, 0))
    return [partial(take, name) for take in each]


def multipart(fields: Mapping[str, str], files: Mapping[str, bytes]) -> bytes:
    parts = [f'name="{name}"\r\n\r\n'.encode() + text.encode() for name, text in fields.items()]
    parts += [f'name="{name}"; filename="x"\r\n\r\n'.encode() + data for name, data in files.items()]
    lines = [b"--between-parts\r\nContent-Disposition: form-data; " + part + b"\r\n" for part in parts]
    return b"".join(lines) + b"--between-parts--\r\n"


@given(st.dictionaries(names, texts, max_size=5))
def test_texts_are_the_same_as_json_as_a_form_and_as_a_form_with_files(fields: dict[str, str]) -> None:
    for sent in (
        read(json.dumps(fields).encode(), "application/json"),
        read(json.dumps(fields, ensure_ascii=False).encode(), None),
        read(urlencode(fields).encode(), FORM),
        read(multipart(fields, {}), MULTIPART),
    ):
        assert {name: sent.text(name) for name in fields} == fields
        assert [sent.has(name) for name in fields] == [bool(text) for text in fields.values()]
        assert (sent.text("not there"), sent.has("not there"), sent.number("not there", 7)) == (None, False, 7)


@given(st.binary(min_size=1, max_size=200))
@example(b"\r\n--between-parts--\r")
@example(b"--between-parts")
def test_a_picture_is_the_same_in_a_file_in_base64_and_as_a_data_uri(picture: bytes) -> None:
    text = b64encode(picture).decode()
    ways = [
        read(json.dumps({"file": text}).encode(), "application/json"),
        read(json.dumps({"file": f"data:image/png;base64,{text}"}).encode(), None),
        read(urlencode({"file": text}).encode(), FORM),
        read(multipart({"file": text}, {}), MULTIPART),
    ]
    if b"\r\n--between-parts" not in picture and not picture.startswith(b"--between-parts"):
        ways.append(read(multipart({}, {"file": picture}), MULTIPART))
    assert [(sent.has("file"), sent.picture("file")) for sent in ways] == [(True, picture)] * len(ways)


@given(st.text(max_size=12) | st.from_regex(r"[+-]?\d{1,11}", fullmatch=True))
@example("\uff11\uff12")
@example("\u0661")
@example("1_0")
@example(" 1")
@example("1\n")
@example("-0")
def test_a_number_is_ascii_digits_and_nothing_else(text: str) -> None:
    digits = text[1:] if text[:1] in ("+", "-") else text
    good = 0 < len(digits) <= 9 and set(digits) <= set("0123456789")
    if good:
        assert whole_number(text) == int(text)
    else:
        with pytest.raises(Problem, match=r"^A number of the request is none\.$"):
            whole_number(text)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | texts,
        lambda each: st.lists(each) | st.dictionaries(names, each),
    )
)
def test_a_field_of_any_type_is_a_value_or_a_problem(value: object) -> None:
    sent = json.dumps({"file": value}).encode()
    if refused := problem_of(lambda: read(sent, "application/json")):
        assert refused.status == 400
        return
    fields = read(sent, "application/json")
    assert all(problem is None or problem.status == 400 for problem in map(problem_of, takes(fields, "file")))
    if isinstance(value, bool | list | dict):
        for take in (fields.text, fields.picture):
            with pytest.raises(Problem, match="another type"):
                take("file")
    elif value is not None:
        assert fields.text("file") == str(value)


pieces = st.sampled_from(
    [
        b"--between-parts\r\n", b"--between-parts--\r\n", b"\r\n\r\n", b"\r\n", b"--", b"{", b"}", b"[", b'"', b":", b",",
        b'Content-Disposition: form-data; name="file"', b'; filename="x"', b"; filename*=UTF-8''%ff", b"Content-Type: x",
        b"Content-Type: text/plain; charset=utf-7", b"Content-Transfer-Encoding: base64", b'"file"', b"file=", b"&", b"%00",
        b"%ED%A0%80", b"\\ud800", b"\\u0000", b"\0", b"\xff", b"NaN", b"1e999", b"\xef\xbb\xbf", CANARY.encode(),
    ]
)  # fmt: skip
types = st.sampled_from(
    [None, "", "application/json", FORM, MULTIPART, "multipart/form-data", "multipart/form-data; boundary=",
     "multipart/form-data; boundary=between-parts; charset=utf-16", "multipart/form-data; boundary=\xff", "text/plain"]
)  # fmt: skip


@given(st.lists(pieces | st.binary(max_size=8), max_size=14).map(b"".join), types)
def test_whatever_is_sent_is_fields_or_a_problem_that_repeats_none_of_it(body: bytes, content_type: str | None) -> None:
    problems = [problem_of(lambda: read(body, content_type))]
    if problems == [None]:
        fields = read(body, content_type)
        problems = [problem_of(take) for name in ("file", CANARY) for take in takes(fields, name)]
    for problem in problems:
        assert problem is None or (problem.status == 400 and CANARY not in problem.detail)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'{"a": "\\u0000"}', "application/json"),
        (b'{"a": "\\ud800"}', "application/json"),
        (b'{"a": 1, "a": 1}', "application/json"),
        (b"a=%00", FORM),
        (b"a=1&a=1", FORM),
        (b"a=\xff", FORM),
        (b"&".join(b"a%d=1" % number for number in range(33)), FORM),
        (multipart({"a": "\0"}, {}), MULTIPART),
        (multipart({"a": "1"}, {"a": b"1"}), MULTIPART),
        (multipart({f"a{number}": "1" for number in range(33)}, {}), MULTIPART),
        (multipart({}, {"file": b"1", "other": b"1"}), MULTIPART),
        (b'--between-parts\r\nContent-Disposition: form-data; name="a"\r\n\r\n1', "multipart/form-data"),
    ],
    ids=lambda value: repr(value[-40:]),
)
def test_what_means_nothing_or_two_things_is_refused(body: bytes, content_type: str) -> None:
    with pytest.raises(Problem) as refused:
        read(body, content_type)
    assert refused.value.status == 400


def test_a_list_is_the_body_or_a_field_and_has_an_end() -> None:
    assert read(b'["a", 1]', "application/json").listed() == ["a", 1]
    assert read(b'{"a": ["b"]}', "application/json").listed("a") == ["b"]
    assert read(b"{}", "application/json").listed("a") == []
    for body in (b"{}", b'"a"', b"1", b"[" + b"1," * 4096 + b"1]"):
        with pytest.raises(Problem):
            read(body, "application/json").listed()


def test_a_picture_in_base64_may_be_in_lines() -> None:
    picture = bytes(range(256))
    for line in ("\n", "\r\n"):
        text = line.join(b64encode(picture).decode()[at : at + 76] for at in range(0, 344, 76)) + line
        assert read(json.dumps({"file": text}).encode(), "application/json").picture("file") == picture
