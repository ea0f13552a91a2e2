"""DeepStack's own shapes and statuses, and what a code is worth behind them."""

from base64 import b64encode
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from app.faces.compat.deepstack import _CONFIDENCE
from tests.effects.frames import code, encoded
from tests.faces.http.pictures import photo
from tests.service import Service

FACE = "/v1/vision/face"
NOT_A_PICTURE = b"what a camera might send: anything"
NOBODYS = "GP0" + "A" * 26
CANARY = "Canary7f3a"
NOTHING = {"success": True, "predictions": [], "duration": 0}


class Camera:
    """A client of DeepStack at its gate: the key is a field beside the others."""

    def __init__(self, service: Service, credentials: dict[str, str]) -> None:
        self.service = service
        self.key = credentials["api_key"]

    async def send(self, call: str, files: dict[str, Any] | None = None, **fields: str) -> httpx.Response:
        return await self.service.http.post(f"{FACE}{call}", data={"api_key": self.key, **fields}, files=files)

    async def asked(self, call: str, files: dict[str, Any] | None = None, **fields: str) -> dict[str, Any]:
        answer = await self.send(call, files, **fields)
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        assert told["success"] is True
        assert told["duration"] == 0
        return told

    async def sees(self, picture: bytes) -> list[dict[str, Any]]:
        predictions: list[dict[str, Any]] = (await self.asked("/recognize", {"image": picture}))["predictions"]
        return predictions

    async def names(self, picture: bytes) -> list[tuple[str, float]]:
        return [(each["userid"], each["confidence"]) for each in await self.sees(picture)]

    async def register(self, *userids: str) -> None:
        for userid in userids:
            told = await self.asked("/register", {"image": NOT_A_PICTURE}, userid=userid)
            assert told["message"] == "face added"

    async def token(self, holder: str, **body: Any) -> str:
        """A new token of the holder's good pass."""
        passes = (await self.service.call("GET", "/v1/passes", params={"holder": holder})).json()["items"]
        (pass_,) = [each for each in passes if each["status"] == "active"]
        token: str = (await self.service.token(pass_, "short", **body))["token"]
        return token

    async def settled(self) -> list[tuple[str, str]]:
        """The decision and the reason of every verification, oldest first."""
        found = (await self.service.call("GET", "/v1/verifications")).json()["items"]
        return [(each["decision"], each["reason"]) for each in reversed(found)]


async def camera_at(service: Service, gate: str = "main-door") -> Camera:
    """A client at a new gate."""
    await service.gate(gate)
    made = await service.create("/v1/connections", kind="deepstack", gate=gate)
    return Camera(service, made["credentials"])


def assert_error(answer: httpx.Response, status: int, error: str | None = None) -> None:
    told = answer.json()
    assert (answer.status_code, told["success"]) == (status, False), answer.text
    assert told.keys() == {"success", "error", "duration"}
    assert error is None or told["error"] == error
    assert CANARY not in answer.text


async def test_a_connection_has_a_key_of_32_characters(service: Service) -> None:
    assert len((await camera_at(service)).key) == 32


async def test_who_was_registered_is_recognised_by_a_code(service: Service) -> None:
    camera = await camera_at(service)
    await camera.register("emp-1042")
    (seen,) = await camera.sees(photo(await camera.token("emp-1042")))
    assert seen.keys() == {"userid", "confidence", "x_min", "y_min", "x_max", "y_max"}
    assert (seen["userid"], seen["confidence"]) == ("emp-1042", 1.0)
    assert await camera.settled() == [("admit", "ok")]


async def test_a_visitor_whom_the_client_never_registered_is_recognised_too(service: Service) -> None:
    camera = await camera_at(service)
    await service.pass_("visitor-7")
    assert await camera.names(photo(await camera.token("visitor-7"))) == [("visitor-7", 1.0)]
    assert (await camera.asked("/list"))["faces"] == []


async def test_a_camera_that_polls_sees_the_same_name_and_admits_once(service: Service) -> None:
    camera = await camera_at(service)
    await camera.register("emp-1042")
    picture = photo(await camera.token("emp-1042"))
    assert [await camera.names(picture) for _ in range(3)] == [[("emp-1042", 1.0)]] * 3
    service.clock.advance(10)
    assert [await camera.names(picture) for _ in range(3)] == [[("unknown", 0)]] * 3
    assert await camera.settled() == [("admit", "ok"), ("deny", "already_used")]


async def test_a_refused_code_is_unknown_with_its_box(service: Service) -> None:
    camera = await camera_at(service)
    stranger = await camera_at(await service.another_tenant())
    await camera.register("deleted")
    await stranger.register("theirs")
    deleted = await camera.token("deleted")
    await camera.asked("/delete", userid="deleted")
    for token in (NOBODYS, "https://example.org/poster", await stranger.token("theirs"), deleted):
        (seen,) = await camera.sees(photo(token))
        assert (seen["userid"], seen["confidence"]) == ("unknown", 0)
        assert min(seen["x_max"] - seen["x_min"], seen["y_max"] - seen["y_min"]) >= 120


async def test_codes_of_several_holders_name_nobody_and_use_nothing(service: Service) -> None:
    camera = await camera_at(service)
    await camera.register("emp-1", "emp-2")
    tokens = [await camera.token(holder) for holder in ("emp-1", "emp-2")]
    assert await camera.names(photo(*tokens)) == [("unknown", 0)] * 2
    assert await camera.names(photo(tokens[0])) == [("emp-1", 1.0)]


async def test_of_a_poster_and_a_code_the_code_is_named(service: Service) -> None:
    camera = await camera_at(service)
    await camera.register("emp-1")
    seen = await camera.sees(photo("https://example.org/poster", await camera.token("emp-1")))
    by_place = sorted(seen, key=lambda each: int(each["x_min"]))
    assert [(each["userid"], each["confidence"]) for each in by_place] == [("unknown", 0), ("emp-1", 1.0)]


async def test_no_code_is_no_prediction_and_no_error(service: Service) -> None:
    camera = await camera_at(service)
    for call in ("/recognize", "", "/"):
        answer = await camera.send(call, {"image": photo()})
        assert (answer.status_code, answer.json()) == (200, NOTHING)
    assert await camera.settled() == []


async def test_detecting_locates_the_codes_the_largest_first_and_uses_nothing(service: Service) -> None:
    camera = await camera_at(service)
    await camera.register("emp-1042")
    token = await camera.token("emp-1042")
    picture = Image.new("L", (640, 480), 140)
    picture.paste(code("a poster", 2), (500, 20))
    picture.paste(code(token, 5), (20, 200))
    for call in ("", "/"):
        large, small = (await camera.asked(call, {"image": encoded(picture)}))["predictions"]
        assert large.keys() == {"confidence", "x_min", "y_min", "x_max", "y_max"}
        assert (large["confidence"], large["x_min"] < 100, small["x_min"] > 400) == (1.0, True, True)
        assert (small["x_max"] - small["x_min"], small["y_max"] - small["y_min"]) == (120, 120)
    assert await camera.settled() == []
    assert await camera.names(photo(token)) == [("emp-1042", 1.0)]


async def test_a_comparison_settles_the_live_token_and_no_other(service: Service) -> None:
    camera = await camera_at(service)
    await camera.register("emp-1", "emp-2")
    one, other = await camera.token("emp-1"), await camera.token("emp-2")

    async def similarity(first: str, second: str) -> float:
        answer = await camera.asked("/match", {"image1": photo(first), "image2": photo(second)})
        found: float = answer["similarity"]
        return found

    assert await similarity(one, other) == 0.0
    assert await similarity(one, NOBODYS) == 0.0
    assert await camera.settled() == []
    assert await similarity(one, one) == 1.0
    service.clock.advance(10)
    assert await similarity(one, one) == 0.0
    assert await camera.settled() == [("admit", "ok"), ("deny", "already_used")]
    assert await camera.names(photo(other)) == [("emp-2", 1.0)]


@pytest.mark.parametrize(
    ("call", "names", "wrong", "admitted"),
    [
        ("/recognize", ("image",), ({"min_confidence": "x"}, {"min_confidence": "1.5"}, {"min_confidence": "\0"}), "emp-1"),
        ("/match", ("image1", "image2"), ({}, {"image3": "AAAA"}), '"similarity":1.0'),
    ],
)  # fmt: skip
async def test_a_code_is_still_good_after_a_request_with_a_wrong_parameter(
    service: Service, call: str, names: tuple[str, ...], wrong: tuple[dict[str, str], ...], admitted: str
) -> None:
    camera = await camera_at(service)
    await camera.register("emp-1")
    pictures = dict.fromkeys(names, photo(await camera.token("emp-1")))
    for fields in wrong:
        files = pictures if fields else {"image1": pictures["image1"]}
        files = files | {name: b"x" for name in fields if name == "image3"}
        assert_error(await camera.send(call, files, **fields), 400)
    assert_error(await camera.send(call, pictures, api_key="0" * 32), 401)
    assert await camera.settled() == []
    assert admitted in (await camera.send(call, pictures)).text
    assert await camera.settled() == [("admit", "ok")]


async def test_json_is_refused_unread_since_the_key_is_in_it(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    camera = await camera_at(service)
    monkeypatch.setattr("app.faces.fields.read_json", None)
    for sent in (
        {"json": {"api_key": camera.key}},
        {"content": b'{"api_key": "x"}'},
        {"content": b"[[]]", "headers": {"Content-Type": "text/plain"}},
    ):
        assert_error(await service.http.post(f"{FACE}/list", **sent), 400, "Send a form: JSON is not read here.")


async def test_a_comparison_needs_two_pictures_with_codes(service: Service) -> None:
    camera = await camera_at(service)
    files = {f"image{number}": photo() for number in range(1, 4)}
    assert_error(await camera.send("/match", {"image1": photo()}), 400, "expected two image files")
    assert_error(await camera.send("/match", files), 400, "only two images allowed")
    assert_error(await camera.send("/match"), 400)
    # DeepStack answers this one under a 200.
    assert_error(await camera.send("/match", {"image1": photo("a poster"), "image2": photo()}), 200, "no face found")


async def test_pictures_that_register_are_dropped_undecoded_under_any_name_and_counted(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera = await camera_at(service)

    async def never(*_: object, **__: object) -> None:
        raise AssertionError("the picture was read")

    async def discarded() -> float:
        lines = (await service.http.get("/metrics")).text.splitlines()
        name = 'gatepass_face_fields_discarded_total{kind="deepstack"} '
        return sum(float(line.removeprefix(name)) for line in lines if line.startswith(name))

    monkeypatch.setattr(type(service.context.pictures), "codes", never)
    monkeypatch.setattr("app.faces.fields.from_base64", never)
    before = await discarded()
    await camera.register("A")
    many = {"image1": b"\x00\xff", "image2": NOT_A_PICTURE, "a-name-of-its-own": b"x"}
    assert (await camera.asked("/register", many, userid="B"))["message"] == "face added"
    assert (await camera.asked("/register", None, userid="C", image="!*? no base64"))["message"] == "face added"
    assert (await camera.asked("/register", {"image": b"another"}, userid="A"))["message"] == "face updated"
    assert await discarded() == before + 6
    assert (await camera.asked("/list"))["faces"] == ["A", "B", "C"]


async def test_deleting_revokes_the_pass_and_says_the_same_of_nobody(service: Service) -> None:
    camera = await camera_at(service)
    await camera.register("emp-1")
    token = await camera.token("emp-1")
    for userid in ("emp-1", "emp-1", "nobody"):
        assert await camera.asked("/delete", userid=userid) == {"success": True, "duration": 0}
    assert (await camera.asked("/list/"))["faces"] == []
    assert await camera.names(photo(token)) == [("unknown", 0)]
    await camera.register("emp-1")
    assert await camera.names(photo(await camera.token("emp-1"))) == [("emp-1", 1.0)]


async def test_one_client_knows_nothing_of_what_another_registered(service: Service) -> None:
    camera = await camera_at(service)
    other = await camera_at(service, "side-door")
    await other.register("theirs")
    assert (await camera.asked("/list"))["faces"] == []
    await camera.asked("/delete", userid="theirs")
    assert (await other.asked("/list"))["faces"] == ["theirs"]


async def test_a_wrong_key_is_401_everywhere_and_a_revoked_one_too(service: Service) -> None:
    camera = await camera_at(service)
    for key in ("", "0" * 32, service.key, camera.key[:-1], camera.key.lower() + "x", "\uff10" * 32):
        for call in ("", "/recognize", "/register", "/list", "/delete", "/match"):
            answer = await service.http.post(f"{FACE}{call}", data={"api_key": key}, files={"image": photo()})
            assert_error(answer, 401, "Incorrect api key")
    assert_error(await service.http.post(f"{FACE}/list"), 401, "Incorrect api key")
    (connection,) = (await service.call("GET", "/v1/connections")).json()["items"]
    await service.call("DELETE", f"/v1/connections/{connection['id']}")
    assert_error(await camera.send("/list"), 401, "Incorrect api key")


async def test_bad_input_is_a_clear_error_with_the_status_that_deepstack_has_for_it(sqlite_service: Service) -> None:
    camera = await camera_at(sqlite_service)
    picture = {"image": photo()}
    for call in ("/recognize", ""):
        assert_error(await camera.send(call), 400, "No valid image file found")
        assert_error(await camera.send(call, {"image": b""}), 400, "No valid image file found")
        assert_error(await camera.send(call, {"image": NOT_A_PICTURE}), 400, "invalid image")
        for bad in ("nan", "-1", "0,5", "inf", "\uff10.5", CANARY, "1" * 400, "\0"):
            assert_error(await camera.send(call, picture, min_confidence=bad), 400)
        assert_error(
            await camera.send(call, picture, min_confidence="80"), 400, "min_confidence cannot be greater than 1"
        )
        for good in ("", "0.45", "1", ".5", "1e-3"):
            assert (await camera.send(call, picture, min_confidence=good)).json() == NOTHING
    assert_error(await camera.send("/register", userid="x"), 400, "No valid image file found")
    assert_error(await camera.send("/register", picture), 400, "userid not specified")
    assert_error(await camera.send("/delete"), 400, "userid not specified")
    for userid in ("x" * 129, f"{CANARY}\n", "\x7f"):
        assert_error(await camera.send("/register", picture, userid=userid), 400)
    for body in (b"{", b"[]", b"\xff", b"api_key=a&api_key=b", b"api_key=a%00"):
        assert_error(await sqlite_service.http.post(f"{FACE}/list", content=body), 400)
    too_many = {f"image{number}": b"x" for number in range(11)}
    assert_error(await camera.send("/register", too_many, userid="x"), 400)
    assert_error(await camera.send("/register", {"image": b"x" * 15_000_000}, userid="x"), 413)
    assert (await camera.asked("/list"))["faces"] == []


async def test_what_is_not_about_faces_is_no_call_and_the_core_keeps_its_paths(service: Service) -> None:
    camera = await camera_at(service)
    for path in ("/v1/vision/detection", "/v1/vision/scene", f"{FACE}/embed", "/v1/vision/"):
        assert_error(await service.http.post(path, data={"api_key": camera.key}), 404)
    assert_error(await service.http.get(f"{FACE}/list"), 404)
    for path in ("/v1/vision", "/v1/visions/face", "/v1/verifications"):
        answer = await service.http.post(path, data={"api_key": camera.key})
        assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json"), path


async def test_a_picture_may_come_as_text_too(service: Service) -> None:
    camera = await camera_at(service)
    await camera.register("emp-1")
    text = b64encode(photo(await camera.token("emp-1"))).decode()
    assert (await camera.asked("/recognize", image=text))["predictions"][0]["userid"] == "emp-1"


async def test_no_metric_names_a_key_or_a_person(service: Service) -> None:
    camera = await camera_at(service)
    await camera.register(CANARY)
    await service.http.post(f"{FACE}/{CANARY}", data={"api_key": camera.key})
    metrics = (await service.http.get("/metrics")).text
    assert f'route="deepstack {FACE}/register"' in metrics
    assert camera.key not in metrics
    assert CANARY not in metrics


@given(st.text(alphabet="0123456789.eE+-_ \u0661\uff10nainf", max_size=30))
def test_a_confidence_that_is_let_through_is_a_number(text: str) -> None:
    if _CONFIDENCE.fullmatch(text):
        assert text.isascii()
        assert 0 <= float(text) < float("inf")
