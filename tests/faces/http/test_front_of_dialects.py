"""What holds for every request to a dialect, before its own calls are looked for."""

import asyncio
import dataclasses
import json
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.effects.read_pictures import PictureRefused
from app.faces.dialect import Dialect, Told
from app.faces.dialects import DIALECTS
from app.faces.http.front import Front
from app.faces.problems import Problem
from app.services.connected import Kind
from app.services.context import Network
from app.services.identify import NoCode
from app.services.mistakes import Clash, Forbidden, Invalid, NotFound, TooManyPictures
from app.services.sight import UnreadablePicture
from app.storage.failures import Unavailable
from tests.faces.http.answers import assert_problem
from tests.faces.http.endpoints import ENDPOINTS
from tests.faces.http.test_front import asked, front_of
from tests.service import Service

MAIN, OWN_PORT, OWN_HOST = "http://gatepass.test:8000", "http://gatepass.test:8801", "http://birds.test:8000"
OF_THE_CORE = ("/", "/healthz", "/readyz", "/metrics", "/docs", "/openapi.json", "/.well-known/jwks.json", "/v1/gates")
LONGEST = 1000


async def sing(request: Request) -> Response:
    """What came, and whether it came to an address that the dialect has to itself."""
    return JSONResponse({"own": request.state.own_address, "body": (await request.body()).decode()}, 201)


async def fall(request: Request) -> Response:
    raise {
        "fault": RuntimeError("Canary7f3a"),
        "mistake": NotFound("egg"),
        "told": Told(JSONResponse({"told": "itself"}, 418)),
        "gone": Unavailable("Canary7f3a"),
    }[request.path_params["how"]]


def tell(fault: Exception) -> Response:
    status = fault.status if isinstance(fault, Problem) else 490
    return JSONResponse({"sad": type(fault).__name__, "status": status}, status)


@pytest.fixture
def birds(monkeypatch: pytest.MonkeyPatch) -> Dialect:
    """A dialect of the test's own, registered beside the others."""
    kind = Kind("birds", key=lambda _: "key", credentials=lambda key, _: {"key": key})
    routes = (Route("/birds/song", sing, methods=["GET", "POST"]), Route("/birds/falls/{how}", fall, methods=["GET"]))
    dialect = Dialect(kind, routes, tell, prefixes=("/birds/",), longest_body=LONGEST)
    assert isinstance(DIALECTS, MutableMapping)
    monkeypatch.setitem(DIALECTS, "birds", dialect)
    return dialect


@asynccontextmanager
async def at(service: Service, address: str, **network: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the service at that address, for whom the operator has set something of its network."""
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=front(service, **network)), base_url=address
    ) as http:
        yield http


def front(service: Service, *, receipt_s: float = 5.0, **network: Any) -> Front:
    return front_of(dataclasses.replace(service.context, network=Network(**network)), receipt_s=receipt_s)


@pytest.mark.parametrize(("own", "there"), [("8801", OWN_PORT), ("birds.test", OWN_HOST)])
async def test_at_its_own_address_a_dialect_is_all_there_is(
    still_service: Service, birds: Dialect, own: str, there: str
) -> None:
    key = {"Authorization": f"Bearer {still_service.key}"}
    async with at(still_service, there, faces={"birds": own}) as http:
        assert (await http.post("/birds/song", content=b"tweet")).json() == {"own": True, "body": "tweet"}
        for path in (*OF_THE_CORE, "/v1/verifications", "/api/v1/recognition/subjects", "/rest/2.0/face/v3/search"):
            for method in ("GET", "POST", "DELETE"):
                answer = await http.request(method, path, headers=key)
                assert (answer.status_code, answer.json()["sad"]) == (404, "Problem")
    async with at(still_service, MAIN, faces={"birds": own}) as http:
        assert (await http.post("/birds/song")).json() == {"own": False, "body": ""}
        assert (await http.get("/v1/gates", headers=key)).status_code == 200
        assert (await http.get("/healthz")).status_code == 200


async def test_a_host_name_counts_however_it_is_written_and_a_port_only_where_it_came_in(
    still_service: Service, birds: Dialect
) -> None:
    for own, hosts in (
        (
            {"birds": "birds.test"},
            {"birds.test": True, "BIRDS.test:9": True, "birds.test.": False, "xbirds.test": False},
        ),
        ({"birds": "8801"}, {"8801": False, "gatepass.test:8801": False, "8801:8801": False, "": False}),
    ):
        async with at(still_service, MAIN, faces=own) as http:
            for host, is_own in hosts.items():
                answer = await http.get("/birds/song", headers={"Host": host})
                assert answer.json()["own"] is is_own, host
                assert (await http.get("/healthz", headers={"Host": host})).is_success is not is_own, host


async def test_where_no_address_is_known_a_dialect_is_known_by_its_look(still_service: Service, birds: Dialect) -> None:
    for server in (None, ("/run/gatepass.sock", None)):
        sent = await asked(front(still_service, faces={"birds": "8801"}), "/birds/song", {}, whole(), server=server)
        assert json.loads(sent[1]["body"]) == {"own": False, "body": ""}


def test_no_dialect_touches_what_is_the_cores() -> None:
    headers = {b"x-amz-target": b"", b"x-tc-action": b"", b"x-api-key": b"", b"host": b""}
    for path in (*OF_THE_CORE[1:], *(endpoint.path for endpoint in ENDPOINTS)):
        assert [kind for kind, dialect in DIALECTS.items() if dialect.claims(path, headers)] == []
    assert [kind for kind, dialect in DIALECTS.items() if dialect.claims("/", {})] == []


def test_no_two_dialects_claim_one_request() -> None:
    for kind, dialect in DIALECTS.items():
        for prefix in dialect.prefixes:
            path, nothing = prefix + "x", dict[bytes, bytes]()
            assert [each for each, other in DIALECTS.items() if other.claims(path, nothing)] == [kind]
        if dialect.header is not None:
            assert [each for each, other in DIALECTS.items() if other.claims("/", {dialect.header: b""})] == [kind]


def whole(*parts: bytes) -> Any:
    """A `receive` that gives these parts of a body, and then that the caller has gone."""
    left = [
        {"type": "http.request", "body": part, "more_body": n + 1 < len(parts)} for n, part in enumerate(parts or [b""])
    ]

    async def receive() -> Any:
        return left.pop(0) if left else {"type": "http.disconnect"}

    return receive


async def test_a_body_that_is_too_large_is_refused_as_the_dialect_says_it(
    still_service: Service, birds: Dialect
) -> None:
    async def never() -> Any:
        raise AssertionError("the body was read")

    serving = front(still_service)
    for headers, receive in (
        ({"content-length": str(LONGEST + 1)}, never),
        ({"content-length": "9" * 5000}, never),
        ({}, whole(*[b"x" * 100] * 11)),
    ):
        sent = await asked(serving, "/birds/song", headers, receive)
        assert sent[0]["status"] == 413
        assert json.loads(sent[1]["body"]) == {"sad": "Problem", "status": 413}
    sent = await asked(serving, "/birds/song", {"content-length": "-1"}, never)
    assert json.loads(sent[1]["body"]) == {"sad": "Problem", "status": 400}
    sent = await asked(serving, "/birds/song", {}, whole(*[b"x" * 100] * 10))
    assert json.loads(sent[1]["body"]) == {"own": False, "body": "x" * LONGEST}


async def test_a_stranger_is_told_before_the_body_is_read(
    still_service: Service, birds: Dialect, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never() -> Any:
        raise AssertionError("the body was read")

    async def before(request: Request) -> None:
        if "x-bird" not in request.headers:
            raise Problem(401, "No bird.")

    monkeypatch.setitem(DIALECTS, "birds", birds._replace(before_body=before))  # type: ignore[index]
    sent = await asked(front(still_service), "/birds/song", {}, never)
    assert json.loads(sent[1]["body"]) == {"sad": "Problem", "status": 401}
    sent = await asked(front(still_service), "/birds/song", {"x-bird": "robin"}, whole(b"tweet"))
    assert json.loads(sent[1]["body"]) == {"own": False, "body": "tweet"}


UNKNOWN_AWS = "AWS4-HMAC-SHA256 Credential=AKIAX/20150830/us-east-1/rekognition/aws4_request, SignedHeaders=host;x-amz-date;x-amz-target, Signature="
UNKNOWN_TC3 = "TC3-HMAC-SHA256 Credential=AKIDX/2015-08-30/iai/tc3_request, SignedHeaders=content-type;host, Signature="
LONG = {"content-length": "65537"}


@pytest.mark.parametrize(
    ("path", "headers", "told"),
    [
        ("/api/v1/recognition/recognize", {}, '"code":20'),
        ("/api/v1/verification/verify", {"x-api-key": "0" * 8 + "-0000" * 3 + "-" + "0" * 12}, "Verification service"),
        ("/api/v1/nothing", {"x-api-key": "x"}, '"code":26'),
        ("/api/v1/static/key/images/id", LONG, "65536"),
        ("/api/v1/static/key/images/id", {"transfer-encoding": "chunked"}, "Content-Length"),
        ("/", {"x-amz-target": "RekognitionService.IndexFaces"}, "MissingAuthenticationTokenException"),
        ("/rekognition/", {"authorization": UNKNOWN_AWS + "0" * 64}, "UnrecognizedClientException"),
        ("/", {"x-tc-action": "SearchFaces"}, "AuthFailure.InvalidAuthorization"),
        ("/tencent/", {"authorization": UNKNOWN_TC3 + "0" * 64}, "AuthFailure.SecretIdNotFound"),
        ("/rest/2.0/face/v3/search", {}, '"error_code":110'),
        ("/rest/2.0/nothing", {}, '"error_code":110'),
        ("/oauth/2.0/token", LONG, '"error_code":222304'),
        ("/oauth/2.0/token", {"content-length": "9" * 20}, '"error_code":222304'),
        ("/oauth/2.0/token", {"transfer-encoding": "chunked"}, "Content-Length"),
    ],
)  # fmt: skip
async def test_the_body_of_a_stranger_is_not_read(
    still_service: Service, path: str, headers: dict[str, str], told: str
) -> None:
    async def never() -> Any:
        raise AssertionError("the body was read")

    sent = await asked(front(still_service), path, headers, never)
    assert told in sent[1]["body"].decode()


async def test_at_its_own_address_a_dialect_tells_strangers_so_on_any_path(still_service: Service) -> None:
    for kind in DIALECTS:
        async with at(still_service, OWN_PORT, faces={kind: "8801"}) as http:
            for path in ("/", "/x", "//", "/a/b/c/d"):
                for headers in ({}, {"x-api-key": "0" * 8 + "-0000" * 3 + "-" + "0" * 12}):
                    answer = await http.post(path, headers=headers)
                    assert answer.status_code < 500, (kind, path)


async def test_only_so_much_is_held_of_what_is_sent_at_once(
    still_service: Service, birds: Dialect, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = 100_000
    monkeypatch.setitem(DIALECTS, "birds", birds._replace(longest_body=large))  # type: ignore[index]
    monkeypatch.setattr("app.faces.http.front.ROOM", 2 * large)
    serving, held = front(still_service), asyncio.Event()

    async def slow() -> Any:
        await held.wait()
        return {"type": "http.request", "body": b"x" * large, "more_body": False}

    said, unsaid = {"content-length": str(large)}, {"transfer-encoding": "chunked"}
    waiting = [asyncio.create_task(asked(serving, "/birds/song", headers, slow)) for headers in (said, unsaid)]
    await asyncio.sleep(0)
    for headers in (said, unsaid):
        sent = await asked(serving, "/birds/song", headers, whole(b"x"))
        assert json.loads(sent[1]["body"]) == {"sad": "Problem", "status": 503}
        assert (b"retry-after", b"1") in sent[0]["headers"]
    for headers in ({"content-length": "1"}, {}):
        sent = await asked(serving, "/birds/song", headers, whole(b"x"))
        assert sent[0]["status"] == 201
    held.set()
    assert [sent[0]["status"] for sent in await asyncio.gather(*waiting)] == [201, 201]
    sent = await asked(serving, "/birds/song", said, whole(b"x" * large))
    assert sent[0]["status"] == 201


async def test_who_sends_too_slowly_is_told_so_as_the_dialect_says_it(still_service: Service, birds: Dialect) -> None:
    async def receive() -> Any:
        await asyncio.sleep(0.03)
        return {"type": "http.request", "body": b" ", "more_body": True}

    sent = await asyncio.wait_for(asked(front(still_service, receipt_s=0.1), "/birds/song", {}, receive), 5)
    assert sent[0]["status"] == 408
    assert (b"connection", b"close") in sent[0]["headers"]
    assert json.loads(sent[1]["body"]) == {"sad": "Problem", "status": 408}


async def test_who_goes_away_from_a_dialect_is_forgotten(still_service: Service, birds: Dialect) -> None:
    gone = iter([{"type": "http.request", "body": b"tw", "more_body": True}, {"type": "http.disconnect"}])

    async def receive() -> Any:
        return next(gone)

    assert await asked(front(still_service), "/birds/song", {}, receive) == []


async def test_a_fault_of_ours_is_told_in_the_dialect_and_is_one_line_in_the_log(
    still_service: Service, birds: Dialect, capfd: pytest.CaptureFixture[str]
) -> None:
    async with at(still_service, MAIN) as http:
        answer = await http.get("/birds/falls/fault?Canary=Canary7f3a", headers={"x-api-key": "Canary7f3a"})
    assert (answer.status_code, answer.json()) == (500, {"sad": "Problem", "status": 500})
    out, err = capfd.readouterr()
    (line,) = [json.loads(line) for line in (out + err).splitlines() if line.startswith("{")]
    assert (line["event"], line["fault"]) == ("fault", "RuntimeError")
    assert line["request_id"] == answer.headers["request-id"]
    assert "Canary" not in out + err + answer.text


async def test_what_a_client_can_mend_is_told_in_the_dialect_and_not_logged(
    still_service: Service, birds: Dialect, capfd: pytest.CaptureFixture[str]
) -> None:
    async with at(still_service, MAIN) as http:
        answers = [await http.get(f"/birds/falls/{how}") for how in ("mistake", "told", "gone")]
        missing = [await http.get("/birds/nothing"), await http.delete("/birds/song")]
    assert [(each.status_code, each.json()) for each in answers] == [
        (490, {"sad": "NotFound", "status": 490}),
        (418, {"told": "itself"}),
        (503, {"sad": "Problem", "status": 503}),
    ]
    assert answers[2].headers["retry-after"] == "1"
    assert [each.json() for each in missing] == [{"sad": "Problem", "status": 404}] * 2
    assert len({each.headers["request-id"] for each in (*answers, *missing)}) == 5
    out, err = capfd.readouterr()
    assert "fault" not in out + err


async def test_head_is_answered_as_get_is_without_the_body(still_service: Service, birds: Dialect) -> None:
    async with at(still_service, MAIN) as http:
        for path in ("/birds/song", "/birds/falls/mistake", "/birds/falls/fault"):
            get, head = await http.get(path), await http.head(path)
            assert (head.status_code, head.content) == (get.status_code, b"")
            assert head.headers["content-length"] == get.headers["content-length"] != "0"


async def test_a_web_page_may_call_a_dialect_from_an_origin_that_the_operator_allows(
    still_service: Service, birds: Dialect
) -> None:
    allowed, other = "https://kiosk.example.com", "https://example.org"
    asking = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-api-key"}
    async with at(still_service, MAIN, origins=frozenset({allowed})) as http:
        asked = await http.options("/birds/song", headers={"Origin": allowed, **asking})
        assert asked.status_code == 200
        assert asked.headers["access-control-allow-origin"] == allowed
        assert "x-api-key" in asked.headers["access-control-allow-headers"]
        for path, status in (("/birds/song", 201), ("/birds/falls/mistake", 490), ("/birds/falls/fault", 500)):
            answer = await http.get(path, headers={"Origin": allowed})
            assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (status, allowed)
        refused = await http.options("/birds/song", headers={"Origin": other, **asking})
        assert refused.status_code == 400
        for headers in ({"Origin": other}, {}):
            assert "access-control-allow-origin" not in (await http.get("/birds/song", headers=headers)).headers
        core = await http.get("/healthz", headers={"Origin": allowed})
        assert "access-control-allow-origin" not in core.headers
    async with at(still_service, MAIN) as http:
        answer = await http.options("/birds/song", headers={"Origin": allowed, **asking})
        assert (answer.status_code, answer.json()["sad"]) == (404, "Problem")
        assert "access-control-allow-origin" not in answer.headers


async def test_a_dialects_calls_are_counted_by_their_pattern(still_service: Service, birds: Dialect) -> None:
    async with at(still_service, MAIN) as http:
        await http.get("/birds/falls/told?Canary7f3a")
        await http.get("/birds/Canary7f3a")
        counted = (await http.get("/metrics")).text
    assert 'route="birds /birds/falls/{how}"' in counted
    assert 'route="birds none"' in counted
    assert "Canary" not in counted
    assert "told" not in counted


FAULTS = [
    NoCode(), UnreadablePicture(PictureRefused("not_a_picture")), UnreadablePicture(PictureRefused("too_large")),
    NotFound("subject"), NotFound("enrolment"), NotFound("collection"), NotFound("gate"), Forbidden("x"), Invalid("subject", "x"),
    Clash("subject_exists", "x"), Clash("enrolment_exists", "x"), Clash("collection_exists", "x"), Clash("request_id_reused", "x"),
    TooManyPictures("x"), *(Problem(status, "x") for status in (400, 401, 403, 404, 405, 408, 413, 415, 422, 429, 500, 503)),
]  # fmt: skip


@pytest.mark.parametrize("kind", list(DIALECTS))
def test_every_dialect_can_tell_whatever_goes_wrong(kind: str) -> None:
    for fault in FAULTS:
        response = DIALECTS[kind].tell(fault)
        assert 200 <= response.status_code < 600
        assert response.headers.get("content-type") != "application/problem+json"
    assert DIALECTS[kind].tell(Problem(500, "x")).status_code != 404


@pytest.mark.parametrize("kind", list(DIALECTS))
async def test_every_dialect_refuses_what_is_too_large_in_its_own_shape(still_service: Service, kind: str) -> None:
    async def never() -> Any:
        raise AssertionError("the body was read")

    dialect = DIALECTS[kind]
    path, headers = dialect.prefixes[0] + "Canary7f3a", {"content-length": str(dialect.longest_body + 1)}
    sent = await asked(front(still_service), path, headers, never)
    told = dict(sent[0]["headers"])
    assert told.get(b"content-type") != b"application/problem+json"
    assert b"Canary" not in sent[1]["body"]


async def test_a_core_that_refuses_still_does_it_in_its_own_shape(still_service: Service, birds: Dialect) -> None:
    async with at(still_service, MAIN, faces={"birds": "8801"}, origins=frozenset({"https://a.test"})) as http:
        assert_problem(await http.get("/v1/gates", headers={"Origin": "https://a.test"}), 401)
        assert_problem(await http.get("/birdsong"), 404)
