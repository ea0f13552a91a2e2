"""CompreFace's own shapes and codes, and what a code is worth behind them."""

import asyncio
import json
import time
import uuid
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from app.effects.read_pictures import PictureRefused
from app.faces.compat.compreface import ROUTES
from app.faces.http.front import Front
from app.faces.http.routes import make_routes
from tests.conftest import make_settings
from tests.effects.frames import code, encoded
from tests.postgres import PostgresServer
from tests.service import Service, running_service

RECOGNITION = "/api/v1/recognition"
NOT_A_PICTURE = b"what a camera might send: anything"
NOBODYS = "GP0" + "A" * 26


class Camera:
    """A client of CompreFace: its key at its gate."""

    def __init__(self, service: Service, key: str) -> None:
        self.service = service
        self.key = key

    async def call(self, method: str, path: str, *, key: str | None = None, **arguments: Any) -> httpx.Response:
        headers = {"x-api-key": key or self.key, **arguments.pop("headers", {})}
        return await self.service.http.request(method, path, headers=headers, **arguments)

    async def show(self, path: str, picture: bytes, **arguments: Any) -> httpx.Response:
        """Send a picture as compreface-sdk does: with a file's name and without a type."""
        return await self.call("POST", path, **form(file=picture), **arguments)

    async def result(self, path: str, picture: bytes, **arguments: Any) -> list[dict[str, Any]]:
        answer = await self.show(path, picture, **arguments)
        assert answer.status_code == 200, answer.text
        result: list[dict[str, Any]] = answer.json()["result"]
        return result

    async def names(self, picture: bytes, query: str = "") -> list[list[str]]:
        """The subjects of each code in the picture."""
        result = await self.result(f"{RECOGNITION}/recognize{query}", picture)
        return [[subject["subject"] for subject in each["subjects"]] for each in result]

    async def enrol(self, subject: str, picture: bytes = NOT_A_PICTURE) -> str:
        answer = await self.show(f"{RECOGNITION}/faces", picture, params={"subject": subject})
        assert answer.status_code == 201, answer.text
        id_: str = answer.json()["image_id"]
        assert answer.json() == {"image_id": id_, "subject": subject}
        return id_

    async def get(self, path: str, **arguments: Any) -> Any:
        answer = await self.call("GET", path, **arguments)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def compare(self, source: bytes, target: bytes, query: str = "") -> httpx.Response:
        return await self.call(
            "POST", f"/api/v1/verification/verify{query}", **form(source_image=source, target_image=target)
        )

    async def token(self, holder: str, **body: Any) -> str:
        """A new token of the holder's good pass."""
        passes = (await self.service.call("GET", "/v1/passes", params={"holder": holder})).json()["items"]
        (pass_,) = [each for each in passes if each["status"] == "active"]
        token: str = (await self.service.token(pass_, "short", **body))["token"]
        return token

    async def settled(self, **query: str) -> list[tuple[str, str]]:
        """The decision and the reason of every verification, oldest first."""
        found = (await self.service.call("GET", "/v1/verifications", params=query)).json()["items"]
        return [(each["decision"], each["reason"]) for each in reversed(found)]


async def camera_at(service: Service, gate: str = "main-door", **body: Any) -> Camera:
    """A client at a new gate."""
    await service.gate(gate)
    made = await service.create("/v1/connections", kind="compreface", gate=gate, **body)
    return Camera(service, made["credentials"]["api_key"])


def form(**files: bytes) -> dict[str, Any]:
    """A form by hand: httpx would say which type a part has."""
    boundary = b"between-parts"
    parts = [
        b'Content-Disposition: form-data; name="%s"; filename="p.jpg"\r\n\r\n%s' % (name.encode(), content)
        for name, content in files.items()
    ]
    body = b"".join(b"--" + boundary + b"\r\n" + part + b"\r\n" for part in parts) + b"--" + boundary + b"--\r\n"
    return {"content": body, "headers": {"Content-Type": f"multipart/form-data; boundary={boundary.decode()}"}}


def seen(*texts: str, scales: tuple[int, ...] = (4, 4, 4)) -> bytes:
    """What a camera of 640x480 sees: the texts' codes side by side, `scales` pixels a module."""
    picture = Image.new("L", (640, 480), 140)
    for place, (text, scale) in enumerate(zip(texts, scales, strict=False)):
        drawn = code(text, scale)
        picture.paste(drawn, (640 * (2 * place + 1) // (2 * len(texts)) - drawn.width // 2, 240 - drawn.height // 2))
    return encoded(picture)


def corners(result: dict[str, Any]) -> tuple[int, int, int, int]:
    box = result["box"]
    assert box["probability"] == 1.0
    assert box.keys() == {"probability", "x_min", "y_min", "x_max", "y_max"}
    return box["x_min"], box["y_min"], box["x_max"], box["y_max"]


def assert_error(answer: httpx.Response, status: int, code: int) -> str:
    """That it is an error as CompreFace has them; its message."""
    assert (answer.status_code, answer.json().get("code")) == (status, code), answer.text
    assert answer.json().keys() == {"message", "code"}
    message: str = answer.json()["message"]
    return message


async def test_who_was_enrolled_is_recognised_by_a_code(service: Service) -> None:
    camera = await camera_at(service)
    await camera.enrol("emp-1042")
    (result,) = await camera.result(f"{RECOGNITION}/recognize", seen(await camera.token("emp-1042")))
    assert result.keys() == {"box", "subjects"}
    assert result["subjects"] == [{"subject": "emp-1042", "similarity": 1.0}]
    left, top, right, bottom = corners(result)
    assert abs(left + right - 640) < 8
    assert abs(top + bottom - 480) < 8
    assert await camera.settled() == [("admit", "ok")]


async def test_a_visitor_whom_the_client_never_enrolled_is_recognised_too(service: Service) -> None:
    camera = await camera_at(service)
    await service.pass_("visitor-7")
    assert await camera.names(seen(await camera.token("visitor-7"))) == [["visitor-7"]]
    assert await camera.get(f"{RECOGNITION}/subjects") == {"subjects": []}


async def test_a_picture_may_come_in_every_way_that_clients_send_one(service: Service) -> None:
    camera = await camera_at(service)
    await camera.enrol("emp-1042")
    picture = seen(await camera.token("emp-1042"))
    text = b64encode(picture).decode()
    for sent in (
        form(file=picture),
        {"files": {"file": ("p.jpg", picture, "image/jpeg")}},
        {"files": {"file": ("p", picture, "text/plain")}, "data": {"subject": "somebody"}},
        {"json": {"file": text}},
        {"json": {"file": f"data:image/jpeg;base64,{text}"}},
        {"content": json.dumps({"file": text}), "headers": {"Content-Type": "text/plain"}},
        {"files": {"file": (None, text)}},
        {"data": {"file": text}},
    ):
        answer = await camera.call("POST", f"{RECOGNITION}/recognize", **sent)
        assert answer.json()["result"][0]["subjects"], sent.keys()
    assert await camera.settled() == [("admit", "ok")]


async def test_what_a_camera_sees_while_nobody_is_there_is_error_28(service: Service) -> None:
    camera = await camera_at(service)
    id_ = await camera.enrol("emp-1042")
    nobody = {"message": "No face is found in the given image", "code": 28}
    token = seen(await camera.token("emp-1042"))
    for picture in (seen(), NOT_A_PICTURE):
        for path in ("recognition/recognize", "detection/detect", f"recognition/faces/{id_}/verify"):
            answer = await camera.show(f"/api/v1/{path}", picture)
            assert (answer.status_code, answer.json()) == (400, nobody)
        for pair in ((picture, token), (token, picture)):
            assert (await camera.compare(*pair)).json() == nobody
    assert await camera.settled() == []


async def test_a_refused_code_has_a_box_and_no_subject(service: Service) -> None:
    camera = await camera_at(service, pass_template={"gates": ["main-door"]})
    stranger = await camera_at(await service.another_tenant())
    await stranger.enrol("theirs")
    for holder in ("used", "suspended", "revoked", "expired"):
        await camera.enrol(holder)
    await service.gate("side-door")
    await service.pass_("elsewhere", gates=["side-door"])
    tokens = {
        "no token": NOBODYS,
        "of another tenant": await stranger.token("theirs"),
        "for another gate": await camera.token("elsewhere"),
        "expired": await camera.token("expired", ttl_s=15),
        "suspended": await camera.token("suspended"),
        "revoked": await camera.token("revoked"),
        "used": await camera.token("used"),
    }
    assert await camera.names(seen(tokens["used"])) == [["used"]]
    for holder, verb in (("suspended", "suspend"), ("revoked", "revoke")):
        passes = (await service.call("GET", "/v1/passes", params={"holder": holder})).json()["items"]
        answer = await service.call("POST", f"/v1/passes/{passes[0]['id']}/{verb}", json={"reason": "a test"})
        assert answer.status_code == 200
    service.clock.advance(50)
    for why, token in tokens.items():
        (result,) = await camera.result(f"{RECOGNITION}/recognize", seen(token))
        assert result["subjects"] == [], why
        left, top, right, bottom = corners(result)
        assert min(right - left, bottom - top) >= 120, why
    reasons = [reason for decision, reason in await camera.settled() if decision == "deny"]
    assert sorted(reasons) == sorted(
        ["unknown", "unknown", "wrong_gate", "expired", "pass_suspended", "pass_revoked", "already_used"]
    )


async def test_codes_of_several_holders_in_one_picture_name_nobody_and_use_nothing(service: Service) -> None:
    camera = await camera_at(service)
    tokens = []
    for holder in ("emp-1", "emp-2"):
        await camera.enrol(holder)
        tokens.append(await camera.token(holder))
    for query in ("", "?limit=1"):
        assert not any(await camera.names(seen(*tokens), query))
    assert await camera.settled() == [("deny", "ambiguous")]
    assert [await camera.names(seen(token)) for token in tokens] == [[["emp-1"]], [["emp-2"]]]


async def test_a_code_on_a_poster_does_not_hide_who_is_there(service: Service) -> None:
    camera = await camera_at(service)
    await camera.enrol("emp-1042")
    picture = seen("https://example.org/poster", await camera.token("emp-1042"), scales=(9, 3))
    assert await camera.names(picture) == [[], ["emp-1042"]]
    assert await camera.names(picture, "?limit=1") == [["emp-1042"]]
    assert await camera.names(picture, "?limit=5") == [[], ["emp-1042"]]


async def test_polls_of_a_code_get_one_answer_and_are_one_verification(service: Service) -> None:
    camera = await camera_at(service)
    await camera.enrol("emp-1042")
    picture = seen(await camera.token("emp-1042"))
    polls = [await camera.show(f"{RECOGNITION}/recognize", picture) for _ in range(3)]
    polls += await asyncio.gather(*(camera.show(f"{RECOGNITION}/recognize", picture) for _ in range(3)))
    assert polls[0].json()["result"][0]["subjects"]
    assert {poll.text for poll in polls} == {polls[0].text}
    assert await camera.settled() == [("admit", "ok")]
    service.clock.advance(6)
    assert await camera.names(picture) == [[]]
    assert await camera.settled() == [("admit", "ok"), ("deny", "already_used")]


async def test_polls_of_a_refused_code_are_one_verification_in_five_seconds(service: Service) -> None:
    camera = await camera_at(service)
    picture = seen(NOBODYS)
    assert [await camera.names(picture) for _ in range(3)] == [[[]]] * 3
    assert await camera.settled() == [("deny", "unknown")]
    service.clock.advance(5.1)
    assert await camera.names(picture) == [[]]
    assert await camera.settled() == [("deny", "unknown")] * 2


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        (
            "recognition/recognize",
            ("limit=-1", "limit=x", "prediction_count=0", "prediction_count=x", "status=%00", "face_plugins=%00"),
        ),
        ("recognition/faces/{id}/verify", ("status=%00", "face_plugins=%00")),
        ("verification/verify", ("limit=-1", "limit=x", "status=%00", "face_plugins=%00")),
    ],
)
async def test_a_code_is_still_good_after_a_request_with_a_wrong_parameter(
    service: Service, path: str, wrong: tuple[str, ...]
) -> None:
    camera = await camera_at(service)
    path = f"/api/v1/{path.format(id=await camera.enrol('emp-1042'))}"
    picture = seen(await camera.token("emp-1042"))
    for query in wrong:
        answer = await camera.call(
            "POST", f"{path}?{query}", **form(file=picture, source_image=picture, target_image=picture)
        )
        assert answer.status_code in (400, 404), query
    assert await camera.settled() == []
    answer = await camera.call("POST", path, **form(file=picture, source_image=picture, target_image=picture))
    assert '"similarity":1.0' in answer.text
    assert await camera.settled() == [("admit", "ok")]


async def test_verifying_one_to_one_leaves_somebody_elses_code_unused(service: Service) -> None:
    camera = await camera_at(service)
    mine = await camera.enrol("emp-1")
    await camera.enrol("emp-2")
    verify = f"{RECOGNITION}/faces/{mine}/verify"
    theirs = seen(await camera.token("emp-2"))
    (result,) = await camera.result(verify, theirs)
    assert (result["subject"], result["similarity"]) == ("emp-1", 0.0)
    assert result.keys() == {"box", "subject", "similarity"}
    assert await camera.settled() == []
    (result,) = await camera.result(verify, seen(await camera.token("emp-1")))
    assert (result["subject"], result["similarity"]) == ("emp-1", 1.0)
    assert await camera.settled() == [("admit", "ok")]
    assert await camera.names(theirs) == [["emp-2"]]


async def test_verifying_against_an_unknown_enrolment_uses_nothing(service: Service) -> None:
    camera = await camera_at(service)
    await camera.enrol("emp-1")
    picture = seen(await camera.token("emp-1"))
    for id_ in (uuid.uuid4(), "1", "\uff11" * 32):
        answer = await camera.show(f"{RECOGNITION}/faces/{id_}/verify", picture)
        assert_error(answer, 404, 44)
    assert await camera.settled() == []


async def test_a_comparison_uses_exactly_the_live_token(service: Service) -> None:
    camera = await camera_at(service)
    for holder in ("emp-1", "emp-2"):
        await camera.enrol(holder)
    badge, other = seen(await camera.token("emp-1", ttl_s=300)), seen(await camera.token("emp-2"))
    answer = await camera.compare(badge, other)
    (result,) = answer.json()["result"]
    assert [match["similarity"] for match in result["face_matches"]] == [0.0]
    assert await camera.settled() == []
    service.clock.advance(1)
    live = await camera.token("emp-1")
    poster = seen("https://example.org/poster", live, scales=(9, 3))
    (result,) = (await camera.compare(badge, poster)).json()["result"]
    assert result.keys() == {"source_image_face", "face_matches"}
    corners(result["source_image_face"])
    assert [match["similarity"] for match in result["face_matches"]] == [0.0, 1.0]
    assert corners(result["face_matches"][0]) != corners(result["face_matches"][1])
    (result,) = (await camera.compare(badge, poster, "?limit=1")).json()["result"]
    assert [match["similarity"] for match in result["face_matches"]] == [1.0]
    # The live token may be in either picture; it is the badge's place that is told here.
    target = seen("https://example.org/poster", await camera.token("emp-2"), scales=(9, 3))
    service.clock.advance(1)
    (result,) = (await camera.compare(seen(await camera.token("emp-2")), target)).json()["result"]
    assert [match["similarity"] for match in result["face_matches"]] == [0.0, 1.0]
    assert await camera.settled() == [("admit", "ok")] * 2
    assert await camera.names(badge) == [["emp-1"]]
    assert await camera.names(other) == [["emp-2"]]


async def test_a_comparison_wants_one_code_in_the_source(service: Service) -> None:
    camera = await camera_at(service)
    await camera.enrol("emp-1")
    one = await camera.token("emp-1")
    answer = await camera.compare(seen(one, await camera.token("emp-1")), seen(one))
    assert assert_error(answer, 400, 31) == "More than one face in the source image"
    assert await camera.settled() == []


async def test_detecting_uses_nothing(service: Service) -> None:
    camera = await camera_at(service)
    await camera.enrol("emp-1042")
    token = await camera.token("emp-1042")
    detected = await camera.result("/api/v1/detection/detect", seen("a poster", token, scales=(3, 5)))
    assert [each.keys() for each in detected] == [{"box"}] * 2
    assert [corners(each)[0] > 320 for each in detected] == [True, False]
    assert len(await camera.result("/api/v1/detection/detect?limit=1", seen("a poster", token))) == 1
    assert await camera.settled() == []
    assert await camera.names(seen(token)) == [["emp-1042"]]


async def test_a_picture_that_enrols_is_dropped_undecoded_and_counted(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera = await camera_at(service)

    async def never(*_: object, **__: object) -> None:
        raise AssertionError("the picture was read")

    async def discarded() -> float:
        lines = (await service.http.get("/metrics")).text.splitlines()
        name = 'gatepass_face_fields_discarded_total{kind="compreface"} '
        return sum(float(line.removeprefix(name)) for line in lines if line.startswith(name))

    monkeypatch.setattr(type(service.context.pictures), "codes", never)
    monkeypatch.setattr("app.faces.fields.from_base64", never)
    before = await discarded()
    await camera.enrol("from-a-file", b"\x00\xff no picture \xed\xa0\x80")
    for subject, text in (("from-base64", b64encode(seen()).decode()), ("from-anything", "!*? no base64")):
        answer = await camera.call("POST", f"{RECOGNITION}/faces?subject={subject}", json={"file": text})
        assert answer.status_code == 201, answer.text
    assert await discarded() == before + 3
    assert len((await camera.get(f"{RECOGNITION}/subjects"))["subjects"]) == 3


async def test_there_never_is_a_picture_to_show(service: Service) -> None:
    camera = await camera_at(service)
    id_ = await camera.enrol("emp-1042", seen("a poster"))
    for path in (f"{RECOGNITION}/faces/{id_}/img", f"/api/v1/static/{camera.key}/images/{id_}"):
        image = await camera.call("GET", path)
        assert (image.status_code, image.content) == (200, b"")


async def test_no_metric_names_a_key_a_subject_or_an_id(service: Service) -> None:
    camera = await camera_at(service)
    id_ = await camera.enrol("Canary-subject")
    await camera.call("DELETE", f"{RECOGNITION}/faces/{id_}")
    await camera.call("DELETE", f"{RECOGNITION}/subjects/Canary-subject")
    await camera.call("GET", f"/api/v1/static/{camera.key}/images/{id_}")
    await camera.call("GET", f"/api/v1/Canary-subject/{id_}")
    metrics = (await service.http.get("/metrics")).text
    assert 'route="compreface /api/v1/recognition/subjects/{subject}"' in metrics
    assert not [secret for secret in (camera.key, "Canary", id_) if secret in metrics]


async def test_ids_of_enrolments_are_stable_and_come_in_pages(service: Service) -> None:
    camera = await camera_at(service)
    made = [(await camera.enrol(f"emp-{number % 2}"), f"emp-{number % 2}") for number in range(5)]
    listed = [{"image_id": id_, "subject": subject} for id_, subject in made]
    faces = f"{RECOGNITION}/faces"
    pages = [await camera.get(f"{faces}?page={page}&size=2") for page in range(4)]
    assert [face for page in pages for face in page["faces"]] == listed
    assert [(page["page_number"], page["page_size"]) for page in pages] == [(number, 2) for number in range(4)]
    assert {(page["total_pages"], page["total_elements"]) for page in pages} == {(3, 5)}
    assert await camera.get(faces) == {
        "faces": listed, "page_number": 0, "page_size": 20, "total_pages": 1, "total_elements": 5
    }  # fmt: skip
    of_one = await camera.get(f"{faces}?subject=emp-1")
    assert (of_one["faces"], of_one["total_elements"]) == ([listed[1], listed[3]], 2)
    nobodys = await camera.get(f"{faces}?subject=nobody")
    assert (nobodys["faces"], nobodys["total_pages"], nobodys["total_elements"]) == ([], 0, 0)


async def test_enrolments_are_deleted_by_id_by_list_by_subject_or_all(service: Service) -> None:
    camera = await camera_at(service)
    faces = f"{RECOGNITION}/faces"
    ids = [await camera.enrol(subject) for subject in ("A", "A", "B", "C", "C")]
    assert (await camera.call("DELETE", f"{faces}/{ids[0].upper()}")).json() == {"image_id": ids[0], "subject": "A"}
    for id_ in (ids[0], "1", uuid.uuid4()):
        assert_error(await camera.call("DELETE", f"{faces}/{id_}"), 404, 44)
    some = await camera.call("POST", f"{faces}/delete", json=[ids[1], str(uuid.uuid4()), "x", 7, None, {}])
    assert some.json() == [{"image_id": ids[1], "subject": "A"}]
    assert (await camera.call("DELETE", f"{faces}?subject=B")).json() == {"deleted": 1}
    assert (await camera.call("DELETE", f"{faces}?subject=nobody")).json() == {"deleted": 0}
    # Whose variable was empty by mistake meant one subject, not all.
    for blank in ("", "%20"):
        assert_error(await camera.call("DELETE", f"{faces}?subject={blank}"), 400, 26)
    assert (await camera.call("DELETE", faces)).json() == {"deleted": 2}
    assert (await camera.get(faces))["total_elements"] == 0
    assert await camera.get(f"{RECOGNITION}/subjects") == {"subjects": ["A", "B", "C"]}


async def test_a_list_of_ids_has_an_end(service: Service) -> None:
    camera = await camera_at(service)
    ids = [str(uuid.uuid4())] * 4097
    assert (await camera.call("POST", f"{RECOGNITION}/faces/delete", json=ids[:-1])).json() == []
    assert_error(await camera.call("POST", f"{RECOGNITION}/faces/delete", json=ids), 400, 0)


async def test_a_subject_is_made_listed_and_not_made_twice(service: Service) -> None:
    camera = await camera_at(service)
    subjects = f"{RECOGNITION}/subjects"
    made = await camera.call("POST", subjects, json={"subject": "B", "api_endpoint": "ignored"})
    assert (made.status_code, made.json()) == (201, {"subject": "B"})
    await camera.enrol("A")
    assert await camera.get(subjects) == {"subjects": ["A", "B"]}
    for name in ("A", "B"):
        assert assert_error(await camera.call("POST", subjects, json={"subject": name}), 400, 43)
    assert await camera.names(seen(await camera.token("B"))) == [["B"]]


async def test_a_renamed_subject_keeps_its_pass_and_its_ids(service: Service) -> None:
    camera = await camera_at(service)
    id_, token = await camera.enrol("before"), await camera.token("before")
    renamed = await camera.call("PUT", f"{RECOGNITION}/subjects/before", json={"subject": "after", "api_endpoint": "x"})
    assert (renamed.status_code, renamed.json()) == (200, {"updated": True})
    assert (await camera.get(f"{RECOGNITION}/faces"))["faces"] == [{"image_id": id_, "subject": "after"}]
    assert await camera.names(seen(token)) == [["after"]]
    again = await camera.call("PUT", f"{RECOGNITION}/subjects/before", json={"subject": "after"})
    assert assert_error(again, 404, 42) == "Subject not found"


async def test_a_subject_renamed_to_another_becomes_one_with_it(service: Service) -> None:
    camera = await camera_at(service)
    ids = [await camera.enrol(subject) for subject in ("one", "other")]
    token = await camera.token("one")
    merged = await camera.call("PUT", f"{RECOGNITION}/subjects/one", json={"subject": "other"})
    assert merged.json() == {"updated": True}
    assert await camera.get(f"{RECOGNITION}/subjects") == {"subjects": ["other"]}
    faces = (await camera.get(f"{RECOGNITION}/faces?subject=other"))["faces"]
    assert [face["image_id"] for face in faces] == ids
    assert await camera.names(seen(token)) == [[]]
    assert await camera.names(seen(await camera.token("other"))) == [["other"]]


async def test_deleting_a_subject_revokes_its_pass_and_deleting_its_faces_does_not(service: Service) -> None:
    camera = await camera_at(service)
    for subject in ("A", "B", "C"):
        await camera.enrol(subject)
    kept, gone = await camera.token("A"), await camera.token("B")
    await camera.call("DELETE", f"{RECOGNITION}/faces?subject=A")
    deleted = await camera.call("DELETE", f"{RECOGNITION}/subjects/B")
    assert (deleted.status_code, deleted.json()) == (200, {"subject": "B"})
    assert_error(await camera.call("DELETE", f"{RECOGNITION}/subjects/B"), 404, 42)
    assert await camera.names(seen(kept)) == [["A"]]
    assert await camera.names(seen(gone)) == [[]]
    assert await camera.settled() == [("admit", "ok"), ("deny", "pass_revoked")]
    assert (await camera.call("DELETE", f"{RECOGNITION}/subjects")).json() == {"deleted": 2}
    assert await camera.get(f"{RECOGNITION}/subjects") == {"subjects": []}
    await camera.enrol("B")
    assert await camera.names(seen(await camera.token("B"))) == [["B"]]


async def test_boxes_are_in_source_pixels_at_least_120_each_way_and_the_largest_comes_first(service: Service) -> None:
    camera = await camera_at(service)
    texts = ("a poster", "another poster", "a third")
    result = await camera.result(f"{RECOGNITION}/recognize", seen(*texts, scales=(2, 6, 4)))
    boxes = [corners(each) for each in result]
    middles = [(left + right) // 2 for left, _, right, _ in boxes]
    assert [round(middle / 640 * 6) for middle in middles] == [3, 5, 1]
    sizes = [(right - left, bottom - top) for left, top, right, bottom in boxes]
    assert all(side >= 120 for size in sizes for side in size)
    assert sizes == sorted(sizes, reverse=True)
    corner = Image.new("L", (640, 480), 140)
    corner.paste(code("a poster", 2), (640 - code("a poster", 2).width, 0))
    ((left, top, right, bottom),) = [
        corners(each) for each in await camera.result("/api/v1/detection/detect", encoded(corner))
    ]
    assert (right, top) == (640, 0)
    assert (right - left, bottom - top) == (120, 120)


async def test_status_adds_times_and_versions_and_nothing_of_a_face_is_ever_given(service: Service) -> None:
    camera = await camera_at(service)
    await camera.enrol("emp-1042")
    picture = seen(await camera.token("emp-1042"))
    plugins = "face_plugins=age,gender,mask,landmarks,calculator&det_prob_threshold=0.8&detect_faces=true"
    for status, more in (("true", {"execution_time"}), ("false", set())):
        answer = await camera.show(f"{RECOGNITION}/recognize?{plugins}&prediction_count=-1&status={status}", picture)
        (result,) = answer.json()["result"]
        assert result.keys() == {"box", "subjects"} | more
        assert ("plugins_versions" in answer.json()) == bool(more)


async def test_a_prediction_count_that_is_none_is_refused_before_anything_is_used(service: Service) -> None:
    camera = await camera_at(service)
    await camera.enrol("emp-1042")
    picture = seen(await camera.token("emp-1042"))
    for count in (0, -2):
        answer = await camera.show(f"{RECOGNITION}/recognize?prediction_count={count}", picture)
        assert assert_error(answer, 404, 400) == "Prediction count should be any positive number or -1"
    for query, number in (("limit=-1", 26), ("limit=x", 0), ("limit=\uff11", 0), ("prediction_count=\u0661", 0)):
        assert_error(await camera.show(f"{RECOGNITION}/recognize?{query}", picture), 400, number)
    assert await camera.settled() == []


async def test_slashes_at_the_end_and_queries_that_begin_with_an_ampersand_are_understood(service: Service) -> None:
    camera = await camera_at(service)
    enrolled = await camera.show(f"{RECOGNITION}/faces/?subject=emp-1042", b"")
    assert_error(enrolled, 400, 34)
    enrolled = await camera.show(f"{RECOGNITION}/faces/?&subject=emp-1042", NOT_A_PICTURE)
    assert enrolled.status_code == 201
    assert await camera.get(f"{RECOGNITION}/subjects/") == {"subjects": ["emp-1042"]}
    picture = seen(await camera.token("emp-1042"))
    for path in ("/recognize/", "/recognize"):
        (result,) = await camera.result(f"{RECOGNITION}{path}?&limit=0&det_prob_threshold=0.8&status=false", picture)
        assert result["subjects"]
    assert (await camera.call("DELETE", f"{RECOGNITION}/subjects/emp-1042/")).json() == {"subject": "emp-1042"}


async def test_another_method_and_another_path_are_404_with_code_0(service: Service) -> None:
    camera = await camera_at(service)
    paths = {route.path.replace("{", "").replace("}", "").replace(":path", "") for route in ROUTES}
    for path in paths:
        assert_error(await camera.call("PATCH", path), 404, 0)
    for method, path in (("GET", f"{RECOGNITION}/recognize"), ("POST", "/api/v1/nothing"), ("OPTIONS", "/api/v1/")):
        assert_error(await camera.call(method, path), 404, 0)


async def test_embeddings_are_refused_by_design(service: Service) -> None:
    camera = await camera_at(service)
    for path in ("recognition/embeddings/recognize", "verification/embeddings/verify"):
        answer = await camera.call("POST", f"/api/v1/{path}", json={"embeddings": [[0.1, 0.2]]})
        assert "biometric" in assert_error(answer, 400, 37)


async def test_a_key_that_is_missing_misshapen_or_unknown_is_told_as_compreface_tells_it(service: Service) -> None:
    camera = await camera_at(service)
    api_key = await service.api_key("admin")
    shapes = [
        ("POST", f"{RECOGNITION}/recognize", "Recognition"),
        ("GET", f"{RECOGNITION}/subjects", "Recognition"),
        ("POST", "/api/v1/verification/verify", "Verification"),
        ("POST", "/api/v1/detection/detect", "Detection"),
    ]
    for method, path, name in shapes:
        missing = await service.http.request(method, path)
        assert assert_error(missing, 400, 20) == "Missing header: x-api-key"
        for key in (
            " ",
            "x",
            camera.key[:-1],
            camera.key + "0",
            "{" + camera.key + "}",
            api_key,
            camera.key.replace("-", "_"),
        ):
            bad = await camera.call(method, path, key=key)
            assert assert_error(bad, 400, 26) == "Service API key should be UUID"
        unknown = str(uuid.uuid4())
        message = assert_error(await camera.call(method, path, key=unknown), 404, 10)
        assert message.startswith(name)
        assert unknown not in message
    assert (await camera.call("GET", f"{RECOGNITION}/subjects", key=camera.key.upper())).status_code == 200


async def test_another_tenants_key_finds_nothing_of_ours(service: Service) -> None:
    camera = await camera_at(service)
    id_ = await camera.enrol("emp-1042")
    stranger = await camera_at(await service.another_tenant())
    assert await stranger.get(f"{RECOGNITION}/subjects") == {"subjects": []}
    assert (await stranger.get(f"{RECOGNITION}/faces"))["faces"] == []
    assert_error(await stranger.call("DELETE", f"{RECOGNITION}/faces/{id_}"), 404, 44)
    assert_error(await stranger.call("DELETE", f"{RECOGNITION}/subjects/emp-1042"), 404, 42)
    picture = seen(await camera.token("emp-1042"))
    assert await stranger.names(picture) == [[]]
    assert await camera.names(picture) == [["emp-1042"]]


async def test_a_revoked_key_is_unknown_here_at_once_and_in_another_process_within_two_seconds(sqlite_url: str) -> None:
    settings = make_settings(sqlite_url)
    async with running_service(settings) as service, running_service(settings, key=service.key) as elsewhere:
        camera = await camera_at(service)
        there = Camera(elsewhere, camera.key)
        for each in (camera, there):
            assert await each.get(f"{RECOGNITION}/subjects") == {"subjects": []}
        (connection,) = (await service.call("GET", "/v1/connections")).json()["items"]
        assert (await service.call("DELETE", f"/v1/connections/{connection['id']}")).status_code == 204
        revoked = time.monotonic()
        assert_error(await camera.call("GET", f"{RECOGNITION}/subjects"), 404, 10)
        while (await there.call("GET", f"{RECOGNITION}/subjects")).status_code == 200:
            assert time.monotonic() < revoked + 2
            await asyncio.sleep(0.05)
        assert_error(await there.call("GET", f"{RECOGNITION}/subjects"), 404, 10)


async def test_what_is_missing_from_a_request_is_named(service: Service) -> None:
    camera = await camera_at(service)
    faces = f"{RECOGNITION}/faces"
    assert "'subject'" in assert_error(await camera.show(faces, NOT_A_PICTURE), 400, 33)
    withouts: list[dict[str, Any]] = [{}, {"json": {}}, {"json": {"file": ""}}, {"json": {"file": None}}]
    for picture in (*withouts, form(other=b"x")):
        assert "'file'" in assert_error(await camera.call("POST", f"{faces}?subject=A", **picture), 400, 34)
    for path in (f"{RECOGNITION}/recognize", "/api/v1/detection/detect"):
        assert "'file'" in assert_error(await camera.call("POST", path, json={}), 400, 34)
    source = await camera.call("POST", "/api/v1/verification/verify", **form(target_image=seen("a poster")))
    assert "'source_image'" in assert_error(source, 400, 34)
    target = await camera.call("POST", "/api/v1/verification/verify", **form(source_image=seen("a poster")))
    assert "'target_image'" in assert_error(target, 400, 34)
    for blank in ({}, {"subject": ""}, {"subject": "  "}, {"subject": None}):
        for method, path in (("POST", "/subjects"), ("PUT", "/subjects/A")):
            assert assert_error(await camera.call(method, RECOGNITION + path, json=blank), 400, 26)
    assert_error(await camera.show(f"{faces}?subject=%20", NOT_A_PICTURE), 400, 26)
    assert await camera.get(f"{RECOGNITION}/subjects") == {"subjects": []}


async def test_what_is_no_base64_is_error_21(service: Service) -> None:
    camera = await camera_at(service)
    good = b64encode(seen("a poster")).decode()
    for text in (
        "!",
        good[:-3],
        "\uff21" * 8,
        "data:text/html;base64," + good,
        "https://192.0.2.1/face.jpg",
    ):
        answer = await camera.call("POST", f"{RECOGNITION}/recognize", json={"file": text})
        assert assert_error(answer, 400, 21) == "Provided value is not Base64"


CANARY = "Canary7f3a"
BROKEN = {
    "a lone surrogate": b'{"subject": "Canary7f3a \\ud800", "file": "QQ=="}',
    "NUL": b'{"subject": "Canary7f3a \\u0000", "file": "QQ=="}',
    "NaN": b'{"subject": NaN, "file": "Canary7f3a"}',
    "a huge number": b'{"subject": 1e999, "file": "Canary7f3a"}',
    "deep": b'{"subject": ' + b"[" * 9_000 + b'"Canary7f3a"' + b"]" * 9_000 + b"}",
    "not UTF-8": b'{"subject": "Canary7f3a \xff"}',
    "half": b'{"subject": "Canary7f3a',
    "a key twice": b'{"Canary7f3a": 1, "Canary7f3a": 2}',
    "a list for a text": b'{"subject": ["Canary7f3a"], "file": {"Canary7f3a": 1}}',
    "true for a text": b'{"subject": true, "file": true, "Canary7f3a": 0}',
    "a control character": b'{"subject": "Canary7f3a \\u0007"}',
    "a long name": b'{"subject": "' + CANARY.encode() * 20 + b'"}',
}
CALLS = (
    ("POST", f"{RECOGNITION}/recognize"),
    ("POST", f"{RECOGNITION}/faces"),
    ("POST", f"{RECOGNITION}/faces/delete"),
    ("POST", f"{RECOGNITION}/subjects"),
    ("PUT", f"{RECOGNITION}/subjects/emp-1042"),
    ("POST", "/api/v1/verification/verify"),
    ("POST", "/api/v1/detection/detect"),
)


async def test_a_broken_request_is_told_in_compreface_s_own_shape_and_not_repeated(service: Service) -> None:
    camera = await camera_at(service)
    before = (await service.call("GET", "/v1/holders")).json()
    types = ("application/json", "text/plain", "multipart/form-data", "multipart/form-data; boundary=x", "\xff", "")
    for method, path in CALLS:
        for why, body in BROKEN.items():
            for type_ in types if why in ("half", "NUL") else types[:1]:
                headers = {"Content-Type": type_.encode("latin-1")}
                assert_refused(await camera.call(method, path, content=body, headers=headers), f"{path}: {why}")
    good = "x" * 20
    for path in (
        f"{RECOGNITION}/faces?subject={CANARY}%00&file={good}", f"{RECOGNITION}/faces?subject={CANARY}%07",
        f"{RECOGNITION}/faces?subject={CANARY * 20}", f"{RECOGNITION}/recognize?limit={CANARY}",
        f"{RECOGNITION}/recognize?limit=1{'0' * 20}&{CANARY}", f"{RECOGNITION}/recognize?status={CANARY}%00",
    ):  # fmt: skip
        assert_refused(await camera.show(path, NOT_A_PICTURE), path)
    for query in (
        f"page={CANARY}",
        "page=-1",
        "size=0",
        "size=10001",
        "page=\uff11",
        "page=1.0",
        f"subject={CANARY}%00",
    ):
        assert_refused(await camera.call("GET", f"{RECOGNITION}/faces?{query}"), query)
    for path in (f"{CANARY}%00", CANARY, f"{CANARY}%ED%A0%80"):
        assert_refused(await camera.call("DELETE", f"{RECOGNITION}/subjects/{path}"), path)
    assert (await service.call("GET", "/v1/holders")).json() == before


def assert_refused(answer: httpx.Response, why: str) -> None:
    assert 400 <= answer.status_code < 500, why
    assert answer.json().keys() == {"message", "code"}, why
    assert CANARY not in answer.text + repr(answer.headers), why


async def test_forms_with_too_much_in_them_are_refused(service: Service) -> None:
    camera = await camera_at(service)
    twice = form(file=b"x")["content"].replace(b"--between-parts--\r\n", b"") + form(file=b"x")["content"]
    headers = form()["headers"]
    assert_refused(await camera.call("POST", f"{RECOGNITION}/recognize", content=twice, headers=headers), "twice")
    many = form(**{f"part{number}": b"x" for number in range(9)})
    assert_refused(await camera.call("POST", f"{RECOGNITION}/recognize", **many), "many")
    large = await camera.show(f"{RECOGNITION}/recognize", b"\xff" * (5 * 1024 * 1024 + 1))
    assert assert_error(large, 400, 21) == "The picture has more than 5 MiB."
    assert_error(await camera.show(f"{RECOGNITION}/recognize", b"x" * 15 * 1024 * 1024), 413, 0)


async def test_a_body_that_does_not_come_is_not_waited_for(service: Service) -> None:
    camera = await camera_at(service)
    front = Front(make_routes("0", None), receipt_s=0.05)
    front.open(service.context)

    async def never() -> AsyncIterator[bytes]:
        await asyncio.sleep(10)
        yield b""

    async with httpx.AsyncClient(transport=httpx.ASGITransport(front), base_url="http://gatepass.test") as http:
        answer = await http.post(f"{RECOGNITION}/recognize", content=never(), headers={"x-api-key": camera.key})
    assert_error(answer, 408, 0)
    assert answer.headers["connection"] == "close"


async def test_pages_of_configured_origins_may_call_and_no_others(sqlite_url: str) -> None:
    settings = make_settings(sqlite_url, allowed_origins="https://kiosk.example, https://desk.example:8443")
    async with running_service(settings) as service:
        camera = await camera_at(service)
        asks = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-api-key,content-type"}
        url = f"{RECOGNITION}/recognize"
        for origin in ("https://kiosk.example", "https://desk.example:8443"):
            preflight = await service.http.options(url, headers={"Origin": origin, **asks})
            assert preflight.status_code == 200
            assert preflight.headers["access-control-allow-origin"] == origin
            assert "POST" in preflight.headers["access-control-allow-methods"]
            assert preflight.headers["access-control-allow-headers"] == "x-api-key,content-type"
            answer = await camera.call("GET", f"{RECOGNITION}/subjects", headers={"Origin": origin})
            assert answer.headers["access-control-allow-origin"] == origin
            refused = await camera.call("POST", url, headers={"Origin": origin})
            assert refused.headers["access-control-allow-origin"] == origin
            assert_error(refused, 400, 34)
        for origin in ("https://elsewhere.example", "https://kiosk.example.elsewhere.example", "null"):
            preflight = await service.http.options(url, headers={"Origin": origin, **asks})
            assert preflight.status_code == 400
            assert "access-control-allow-origin" not in preflight.headers
            answer = await camera.call("GET", f"{RECOGNITION}/subjects", headers={"Origin": origin})
            assert "access-control-allow-origin" not in answer.headers


async def test_without_configured_origins_no_page_may_call(service: Service) -> None:
    camera = await camera_at(service)
    asks = {"Origin": "https://kiosk.example", "Access-Control-Request-Method": "POST"}
    preflight = await camera.call("OPTIONS", f"{RECOGNITION}/recognize", headers=asks)
    assert_error(preflight, 404, 0)
    assert "access-control-allow-origin" not in preflight.headers


async def test_busy_pictures_are_to_be_tried_again(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    camera = await camera_at(service)

    async def busy(*_: object, **__: object) -> None:
        raise PictureRefused("busy")

    monkeypatch.setattr(type(service.context.pictures), "codes", busy)
    answer = await camera.show(f"{RECOGNITION}/recognize", seen())
    assert assert_error(answer, 429, 0) == "Something went wrong, please try again"
    assert answer.headers["retry-after"] == "1"


async def test_a_fault_of_ours_is_told_without_its_words(
    service: Service, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    camera = await camera_at(service)

    async def fails(*_: object, **__: object) -> None:
        raise RuntimeError(CANARY)

    monkeypatch.setattr(type(service.context.pictures), "codes", fails)
    answer = await camera.show(f"{RECOGNITION}/recognize", seen())
    assert assert_error(answer, 500, 0) == "Something went wrong, please try again"
    (line,) = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"fault"' in line]
    assert line["request_id"] == answer.headers["request-id"]
    assert CANARY not in json.dumps(line)


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[PostgresServer]:
    """A PostgreSQL that the test may stop."""
    server = PostgresServer(tmp_path / "postgresql")
    server.start()
    server.execute("CREATE DATABASE gatepass")
    yield server
    server.stop(at_once=True)


async def test_without_a_database_nobody_is_named_and_afterwards_they_are(own_server: PostgresServer) -> None:
    settings = make_settings(own_server.url("gatepass"), settle_timeout_s=0.7)
    async with running_service(settings) as service:
        camera = await camera_at(service)
        await camera.enrol("emp-1042")
        picture = seen(await camera.token("emp-1042", ttl_s=600))
        unseen = str(uuid.uuid4())
        own_server.stop(at_once=True)
        for _ in range(2):
            assert await camera.names(picture) == [[]]
            assert len(await camera.result("/api/v1/detection/detect", picture)) == 1
            service.clock.advance(3)
        (result,) = (await camera.compare(picture, picture)).json()["result"]
        assert [match["similarity"] for match in result["face_matches"]] == [0.0]
        for answer in (
            await camera.show(f"{RECOGNITION}/faces?subject=new", NOT_A_PICTURE),
            await camera.call("GET", f"{RECOGNITION}/subjects"),
            await camera.call("GET", f"{RECOGNITION}/subjects", key=unseen),
        ):
            assert assert_error(answer, 503, 0) == "Something went wrong, please try again"
            assert answer.headers["retry-after"] == "1"
        own_server.start()
        await asyncio.sleep(1.1)  # until connections have been read again
        assert await camera.names(picture) == [["emp-1042"]]
        assert_error(await camera.call("GET", f"{RECOGNITION}/subjects", key=unseen), 404, 10)
        assert await camera.settled() == [("admit", "ok")]
