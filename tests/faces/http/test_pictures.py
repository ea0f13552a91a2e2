"""Pictures at the gate: `POST /v1/verifications` with `picture`."""

from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from PIL import Image

from tests.conftest import make_settings
from tests.effects.frames import encoded, frame
from tests.faces.http.answers import assert_problem
from tests.faces.http.endpoints import stored
from tests.faces.http.pictures import WAYS, multipart, photo, show
from tests.service import Service, running_service

POSTER = "https://example.com/welcome"


@pytest_asyncio.fixture(loop_scope="session")
async def reader(service: Service) -> Service:
    """A service with a way in and a way out."""
    await service.gate()
    await service.gate("out", direction="exit")
    return service


async def texts(service: Service, *holders: str, kind: str = "signed") -> list[str]:
    return [(await service.token(await service.pass_(holder), kind))["token"] for holder in holders]


@pytest.mark.parametrize("way", WAYS)
async def test_a_picture_admits_as_its_text_does(reader: Service, way: str) -> None:
    for kind in ("signed", "short", "code"):
        (text,) = await texts(reader, "emp-1", kind=kind)
        answers = [(await show(reader, photo(text), way)).json() for _ in range(2)]
        assert [answer["reason"] for answer in answers] == ["ok", "already_used"]
        assert (answers[0]["token_kind"], answers[0]["holder"]["ref"]) == (kind, "emp-1")


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "BMP", "GIF"])
async def test_a_picture_may_be_of_five_formats(reader: Service, form: str) -> None:
    (text,) = await texts(reader, "emp-1")
    answer = await show(reader, photo(text, form=form), "data uri", part_type=f"image/{form.lower()}")
    assert answer.json()["decision"] == "admit"


@pytest.mark.parametrize("part_type", [None, "image/jpeg", "application/octet-stream", "text/plain", "nonsense"])
async def test_what_a_part_says_of_its_type_does_not_matter(reader: Service, part_type: str | None) -> None:
    (text,) = await texts(reader, "emp-1")
    assert (await show(reader, photo(text), "multipart", part_type=part_type)).json()["decision"] == "admit"


async def test_a_form_may_hold_every_field_in_any_order(reader: Service) -> None:
    (text,) = await texts(reader, "emp-1")
    fields = {"gate": "main-door", "request_id": f"r-{text[-6:].encode().hex()}", "direction": "entry"}
    answer = (await reader.call("POST", "/v1/verifications", data=fields, files={"picture": photo(text)})).json()
    assert (answer["decision"], answer["request_id"]) == ("admit", fields["request_id"])
    again = (await show(reader, photo(text), "multipart", **fields)).json()
    assert again == {**answer, "repeated": "request_id"}


async def test_a_form_may_hold_a_token_or_a_picture_as_text(reader: Service) -> None:
    first, second = await texts(reader, "emp-1", "emp-2", kind="short")
    for fields in ({"token": first}, {"picture": b64encode(photo(second, form="PNG")).decode()}):
        form = {name: (None, value) for name, value in {"gate": "main-door", **fields}.items()}
        answer = await reader.call("POST", "/v1/verifications", files=form)
        assert answer.json()["decision"] == "admit", answer.text


async def test_a_camera_frame_is_read(reader: Service) -> None:
    picture, _ = frame("perspective", 1)
    assert (await show(reader, picture)).json()["reason"] in {"malformed", "bad_signature"}


async def test_a_picture_without_a_code_is_refused(reader: Service) -> None:
    answer = (await show(reader, photo())).json()
    assert (answer["decision"], answer["reason"], answer["token_kind"]) == ("deny", "no_code_in_picture", None)
    at_the_exit = (await show(reader, photo(), gate="out")).json()
    assert (at_the_exit["decision"], at_the_exit["flags"]) == ("admit", ["no_code_in_picture"])


@pytest.mark.parametrize("kind", ["signed", "short"])
async def test_two_holders_codes_are_ambiguous_and_neither_is_burnt(reader: Service, kind: str) -> None:
    both = await texts(reader, "emp-1", "emp-2", kind=kind)
    answer = (await show(reader, photo(*both))).json()
    assert (answer["decision"], answer["reason"], answer["pass"], answer["holder"]) == ("deny", "ambiguous", None, None)
    for text in both:
        assert (await show(reader, photo(text))).json()["decision"] == "admit"


async def test_one_holders_two_codes_admit_once(reader: Service) -> None:
    pass_ = await reader.pass_("emp-1")
    both = [(await reader.token(pass_, kind))["token"] for kind in ("signed", "short")]
    answer = (await show(reader, photo(*both))).json()
    assert (answer["decision"], answer["holder"]["ref"]) == ("admit", "emp-1")
    reasons = [(await reader.verify(text))["reason"] for text in both]
    assert sorted(reasons) == ["already_used", "ok"]


async def test_a_poster_beside_a_code_does_not_matter(reader: Service) -> None:
    (text,) = await texts(reader, "emp-1")
    assert (await show(reader, photo(POSTER, text))).json()["decision"] == "admit"
    alone = (await show(reader, photo(POSTER))).json()
    assert (alone["decision"], alone["reason"]) == ("deny", "unrecognised")


async def test_a_forged_code_beside_a_genuine_one_does_not_shut_its_holder_out(reader: Service) -> None:
    (text,) = await texts(reader, "emp-1")
    assert (await show(reader, photo("GP1:AAAA", text))).json()["holder"] == {"ref": "emp-1", "name": None}


@pytest.mark.parametrize("way", WAYS)
async def test_what_is_no_picture_is_refused(reader: Service, way: str) -> None:
    whole = photo("x")
    before = stored(reader)
    for broken in (b"", b"Canary7f3a", whole[: len(whole) // 2], b"%PDF-1.7", b"<svg xmlns='x'/>", b"\x00" * 1000):
        answer = await show(reader, broken, way)
        assert_problem(answer, 422, field="picture")
        assert "Canary" not in answer.text
    assert stored(reader) == before


@pytest.mark.parametrize(
    "text",
    [
        "Canary7f3a!",
        "data:image/png;base64,Canary7f3a!",
        "data:text/html;base64,AAAA",
        "data:image/png,AAAA",
        "data:image/" + "a" * 99 + ";base64,AAAA",
        "/9j/4AAQ\nSkZJ",
        "é",
        "AAA",
        "https://example.com/p.png",
    ],
)  # fmt: skip
async def test_what_is_no_base64_is_refused(reader: Service, text: str) -> None:
    answer = await reader.call("POST", "/v1/verifications", json={"gate": "main-door", "picture": text})
    assert_problem(answer, 422, field="picture")
    assert "Canary" not in answer.text


async def test_a_picture_of_too_many_pixels_is_refused(reader: Service) -> None:
    bomb = encoded(Image.new("1", (12_000, 1_001)), "PNG")
    assert len(bomb) < 20_000
    for way in WAYS:
        assert_problem(await show(reader, bomb, way), 422, field="picture")


@pytest.mark.parametrize("way", WAYS)
async def test_a_picture_over_5_mb_is_too_large(reader: Service, way: str) -> None:
    picture = photo("x")
    limit = 5 * 1024 * 1024
    before = stored(reader)
    assert_problem(await show(reader, picture + b"\0" * (limit + 1 - len(picture)), way), 413)
    assert stored(reader) == before
    assert (await show(reader, picture + b"\0" * (limit - len(picture)), way)).status_code == 200


@pytest.mark.parametrize("way", WAYS)
async def test_a_token_and_a_picture_are_too_much(reader: Service, way: str) -> None:
    (text,) = await texts(reader, "emp-1")
    assert_problem(await show(reader, photo(text), way, token=text), 422, field="token")
    assert (await reader.verify(text))["decision"] == "admit"


async def test_a_form_that_is_none_is_refused(reader: Service) -> None:
    good = multipart(photo("x"), {"gate": "main-door"})
    body, typed = good["content"], good["headers"]["Content-Type"]
    twice = body.replace(b"--a-line-between-parts--", body)
    before = stored(reader)
    for content, content_type in (
        (body, "multipart/form-data"),
        (body, "multipart/form-data; boundary="),
        (body, "multipart/form-data; boundary=another"),
        (body[:200], typed),
        (b"Canary7f3a", typed),
        (b"", typed),
        (twice, typed),
        (body.replace(b'name="gate"', b'nome="gate"'), typed),
        (body.replace(b"main-door", b"\xff\xfe"), typed),
        (body.replace(b"main-door", b"main\0door"), typed),
        (body.replace(b'name="picture"', b'name="Canary7f3a"'), typed),
        (body.replace(b'name="gate"', b'name="Canary7f3a"'), typed),
        (body.replace(b'name="gate"', b'name="gate"; filename="g"'), typed),
        (body.replace(b"main-door", b"a" * 20_000), typed),
    ):
        answer = await reader.call("POST", "/v1/verifications", content=content, headers={"Content-Type": content_type})
        assert answer.status_code in {400, 422}, (content[:60], answer.text)
        assert_problem(answer, answer.status_code)
        assert "Canary" not in answer.text
    assert stored(reader) == before


async def test_while_no_picture_can_be_read_the_caller_is_told_to_come_back(sqlite_url: str, tmp_path: Path) -> None:
    async with running_service(make_settings(sqlite_url)) as service:
        await service.gate()
        await service.context.pictures.close()
        answer = await show(service, photo("x"))
        assert_problem(answer, 429)
        assert answer.headers["retry-after"] == "1"
        listed: dict[str, Any] = (await service.call("GET", "/v1/verifications")).json()
        assert listed["items"] == []
