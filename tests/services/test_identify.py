"""Identify and compare: who is admitted is named, who is refused is nobody, and nothing else is settled."""

import asyncio
import io

import pytest
from PIL import Image

from app.effects.read_pictures import PictureRefused
from app.services import enrol
from app.services.connected import Connection
from app.services.enrol import Enrolling
from app.services.identify import Admitted, NoCode, Person, admitted, compare, identify, look
from app.services.mistakes import NotFound, TooManyPictures
from app.services.sight import UnreadablePicture
from app.storage.failures import Unavailable
from tests.effects.frames import code
from tests.faces.http.endpoints import stored
from tests.faces.http.pictures import photo
from tests.service import Service
from tests.services.connecting import connect, sight, token
from tests.shared import on_each_engine, service, shared_service, shared_url

__all__ = ["service", "shared_service", "shared_url"]

pytestmark = pytest.mark.asyncio(loop_scope="session")
POSTER = "https://example.com/menu"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    on_each_engine(metafunc)


async def shown(service: Service, connection: Connection, *texts: str) -> Admitted | None:
    """Who is found by a camera that sees the codes of these texts."""
    return await admitted(service.context, connection, await sight(service, connection, *texts))


async def ref(service: Service, connection: Connection, *texts: str) -> str | None:
    found = await shown(service, connection, *texts)
    return found and found.ref


async def recorded(service: Service) -> list[tuple[str, str]]:
    """What was decided, the newest first."""
    listed = (await service.call("GET", "/v1/verifications")).json()["items"]
    return [(each["decision"], each["reason"]) for each in listed]


async def enrolled(service: Service, connection: Connection, *refs: str, collection: str = "") -> None:
    for each in refs:
        await enrol.enrol(service.context, connection, Enrolling(collection, each))


async def test_who_is_admitted_is_named_with_the_code_that_showed_it(service: Service) -> None:
    here = await connect(service)
    await enrol.enrol(service.context, here, Enrolling("", "emp-1", name="Ada"))
    text = await token(service, "emp-1")
    found = await shown(service, here, text)
    assert found is not None
    assert (found.ref, found.name, found.code.text) == ("emp-1", "Ada", text)
    assert await recorded(service) == [("admit", "ok")]


async def test_a_camera_that_polls_gets_the_same_answer_and_makes_one_verification(service: Service) -> None:
    here = await connect(service)
    text = await token(service, "emp-1")
    found = await asyncio.gather(*(shown(service, here, text) for _ in range(6)))
    assert len({each.settled.verification for each in found if each is not None}) == 1
    assert [each and each.ref for each in found] == ["emp-1"] * 6
    assert await recorded(service) == [("admit", "ok")]


async def test_a_code_that_is_shown_again_later_names_nobody(service: Service) -> None:
    here = await connect(service)
    text = await token(service, "emp-1", ttl_s=600)
    assert await ref(service, here, text) == "emp-1"
    service.clock.advance(6)
    assert await ref(service, here, text) is None
    assert await recorded(service) == [("deny", "already_used"), ("admit", "ok")]


async def test_a_refusal_is_remembered_for_as_long_as_a_camera_polls(service: Service) -> None:
    here, there = await connect(service), await connect(service, "back-door")
    text = await token(service, "emp-1", gate="back-door")
    for _ in range(3):
        assert await ref(service, here, text) is None
    assert await recorded(service) == [("deny", "wrong_gate")]
    assert await ref(service, there, text) == "emp-1"
    service.clock.advance(6)
    assert await ref(service, here, text) is None
    assert await recorded(service) == [("deny", "wrong_gate"), ("admit", "ok"), ("deny", "wrong_gate")]


async def test_codes_of_several_holders_are_nobodys(service: Service) -> None:
    here = await connect(service)
    texts = [await token(service, f"emp-{n}") for n in range(2)]
    assert await shown(service, here, *texts) is None
    assert await recorded(service) == [("deny", "ambiguous")]
    assert [await ref(service, here, text) for text in texts] == ["emp-0", "emp-1"]


async def test_of_several_codes_of_one_holder_the_largest_counts(service: Service) -> None:
    here = await connect(service)
    small, large = await token(service, "emp-1"), await token(service, "emp-1")
    drawn = [code(small, 3), code(large, 6)]
    ground = Image.new("L", (sum(each.width for each in drawn), drawn[1].height), 255)
    ground.paste(drawn[0], (0, 0))
    ground.paste(drawn[1], (drawn[0].width, 0))
    out = io.BytesIO()
    ground.save(out, "PNG")
    seen = await look(service.context, here, out.getvalue())
    assert [each.text for each in seen.codes] == [large, small]
    assert (seen.width, seen.height) == ground.size
    assert all(0 <= each.box.left < each.box.right <= seen.width for each in seen.codes)
    assert seen.codes[1].box.right <= drawn[0].width <= seen.codes[0].box.left
    found = await admitted(service.context, here, seen)
    assert found is not None
    assert found.code.text == large
    assert await ref(service, here, small) == "emp-1"


async def test_a_poster_and_a_code_that_nobody_was_given_do_not_count_beside_a_good_one(service: Service) -> None:
    here = await connect(service)
    for other in (POSTER, "GP0" + "A" * 26):
        assert await ref(service, here, other, await token(service, "emp-1")) == "emp-1"
    assert await ref(service, here, POSTER) is None
    assert (await recorded(service))[0] == ("deny", "unrecognised")


async def test_another_tenants_code_is_nobodys_here(service: Service) -> None:
    here, other = await connect(service), await service.another_tenant()
    for kind in ("signed", "short"):
        assert await ref(service, here, await token(other, "emp-1", kind=kind)) is None
    assert await recorded(service) == [("deny", "unknown"), ("deny", "bad_signature")]
    assert await recorded(other) == []


async def test_of_somebody_who_is_not_asked_for_nothing_is_used(service: Service) -> None:
    here = await connect(service)
    await enrol.add_collection(service.context, here, "staff")
    await enrolled(service, here, "emp-1", collection="staff")
    text = await token(service, "emp-1")
    seen = await sight(service, here, text)
    before = stored(service)
    assert await identify(service.context, here, seen, wanted=lambda person: person.is_among("", "guests")) is None
    assert stored(service) == before
    found = await identify(service.context, here, seen, wanted=lambda person: person.is_among("guests", "staff"))
    assert found is not None
    assert found.ref == "emp-1"


async def test_a_visitor_whom_the_client_never_enrolled_is_found_in_every_collection(service: Service) -> None:
    here, there = await connect(service), await connect(service, "back-door")
    await enrolled(service, there, "emp-1")
    visitor = await token(service, "visitor", gate="main-door")
    await service.pass_("emp-1")
    theirs = await token(service, "emp-1")
    for text, whose in ((visitor, "visitor"), (theirs, "emp-1")):
        seen, people = await sight(service, here, text), list[Person]()
        found = await identify(service.context, here, seen, wanted=lambda person, to=people: not to.append(person))  # type: ignore[misc]
        assert found is not None
        assert (found.ref, found.person.subjects) == (whose, ())
        assert [person.is_among("any") for person in people] == [True]


async def test_looking_settles_nothing(service: Service) -> None:
    here = await connect(service)
    text = await token(service, "emp-1")
    before = stored(service)
    for _ in range(2):
        seen = await sight(service, here, text)
    assert [each.text for each in seen.codes] == [text]
    assert stored(service) == before
    assert await ref(service, here, text) == "emp-1"


async def test_a_picture_without_a_code_and_what_is_no_picture_are_told_apart(service: Service) -> None:
    here, app = await connect(service), service.context
    with pytest.raises(NoCode):
        await look(app, here, photo())
    for picture, refusal in ((b"", "not_a_picture"), (b"no picture", "not_a_picture"), (b"x" * 6_000_000, "too_large")):
        with pytest.raises(UnreadablePicture) as refused:
            await look(app, here, picture)
        assert refused.value.refusal == refusal


@pytest.mark.parametrize(("refusal", "mistake"), [("busy", TooManyPictures), ("too_slow", NoCode)])
async def test_a_picture_that_could_not_be_read_in_time_is_no_fault_of_the_clients(
    service: Service, monkeypatch: pytest.MonkeyPatch, refusal: str, mistake: type[Exception]
) -> None:
    async def refuse(*_: object, **__: object) -> None:
        raise PictureRefused(refusal)  # type: ignore[arg-type]

    here = await connect(service)
    monkeypatch.setattr(type(service.context.pictures), "codes", refuse)
    with pytest.raises(mistake):
        await look(service.context, here, b"a picture")


async def test_at_a_gate_that_was_deleted_nobody_is_named(service: Service) -> None:
    here = await connect(service)
    text = await token(service, "emp-1")
    await service.call("DELETE", "/v1/gates/main-door")
    with pytest.raises(NotFound):
        await shown(service, here, text)


async def test_a_call_that_comes_again_names_who_was_admitted_for_a_minute(service: Service) -> None:
    here, app = await connect(service), service.context
    await service.call("PATCH", "/v1/gates/main-door", json={"repeat_window_s": 0})
    seen = await sight(service, here, await token(service, "emp-1", ttl_s=600))

    async def asked(call_id: str) -> bool:
        return await identify(app, here, seen, wanted=lambda _: True, call_id=call_id) is not None

    assert await asyncio.gather(*(asked("call-1") for _ in range(4))) == [True] * 4
    service.clock.advance(50)
    assert await asked("call-1")
    assert await recorded(service) == [("admit", "ok")]
    assert not await asked("call-2")
    service.clock.advance(11)
    assert not await asked("call-1")


async def test_a_call_that_comes_again_names_nobody_whose_pass_was_taken_back(service: Service) -> None:
    here, app = await connect(service), service.context
    issued = await service.token(await service.pass_("emp-1"), "short")
    seen = await sight(service, here, issued["token"])
    assert await compare(app, here, seen, seen, call_id="call-1") is not None
    assert await identify(app, here, seen, wanted=lambda _: True, call_id="call-1") is not None
    await service.call("POST", f"/v1/passes/{issued['pass']}/revoke")
    assert await compare(app, here, seen, seen, call_id="call-1") is None
    assert await identify(app, here, seen, wanted=lambda _: True, call_id="call-1") is None


async def test_without_its_database_nobody_is_named_and_no_refusal_is_remembered(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unavailable(*_: object) -> None:
        raise Unavailable

    here = await connect(service)
    texts = [await token(service, f"emp-{n}") for n in range(2)]
    with monkeypatch.context() as without:
        for call in ("read", "settle"):
            without.setattr(type(service.context.store), call, unavailable)
        assert await ref(service, here, texts[0]) is None
    assert await ref(service, here, texts[0]) == "emp-0"
    with monkeypatch.context() as without:
        without.setattr(type(service.context.store), "read", unavailable)
        seen = await sight(service, here, texts[1])
        assert await identify(service.context, here, seen, wanted=lambda _: True) is None
        assert await shown(service, here, *texts) is None
    assert await ref(service, here, texts[1]) == "emp-1"


async def test_a_badge_and_a_live_code_of_one_holder_are_the_same(service: Service) -> None:
    here, app = await connect(service), service.context
    badge = await token(service, "emp-1", kind="signed", reusable=True, ttl_s=3600)
    service.clock.advance(2)
    live = await token(service, "emp-1")
    for pictures, matched in (((badge, live), live), ((live, badge), badge)):
        one, other = [await sight(service, here, text) for text in pictures]
        found = await compare(app, here, one, other)
        assert found is not None
        assert (found.ref, found.code.text) == ("emp-1", live)
        assert [each.text for each in found.matched] == [matched]
    assert await recorded(service) == [("admit", "ok")]


async def test_the_live_code_alone_is_used_in_a_comparison(service: Service) -> None:
    here, app = await connect(service), service.context
    older = await token(service, "emp-1", ttl_s=600)
    service.clock.advance(2)
    live = await token(service, "emp-1", ttl_s=600)
    one, other = [await sight(service, here, text) for text in (older, live)]
    assert await compare(app, here, one, other) is not None
    service.clock.advance(6)
    assert await compare(app, here, one, other) is None
    assert await ref(service, here, older) == "emp-1"


async def test_the_same_code_in_both_pictures_is_used_once(service: Service) -> None:
    here, app = await connect(service), service.context
    seen = await sight(service, here, await token(service, "emp-1"))
    found = await compare(app, here, seen, seen)
    assert found is not None
    assert found.matched == seen.codes
    assert len(await recorded(service)) == 1


async def test_codes_that_are_not_one_holders_are_not_the_same_and_nothing_is_used(service: Service) -> None:
    here, app = await connect(service), service.context
    mine, other = await token(service, "emp-1"), await token(service, "emp-2")
    before = stored(service)
    for one, two in (((mine,), (other,)), ((mine, other), (mine,)), ((mine,), (POSTER,)), ((POSTER,), (POSTER,))):
        assert await compare(app, here, await sight(service, here, *one), await sight(service, here, *two)) is None
    assert stored(service) == before


@pytest.mark.parametrize("word", ["revoke", "block"])
async def test_a_badge_that_was_taken_back_vouches_for_nobody(service: Service, word: str) -> None:
    here, app = await connect(service), service.context
    badge = await service.token(await service.pass_("emp-1"), "signed", reusable=True)
    service.clock.advance(2)
    live = await token(service, "emp-1")
    await service.call("POST", f"/v1/tokens/{badge['id']}/{word}", json={"reason": "lost"} if word == "block" else None)
    before = stored(service)
    one, other = await sight(service, here, badge["token"]), await sight(service, here, live)
    assert await compare(app, here, one, other) is None
    assert stored(service) == before


@pytest.mark.parametrize("later", [0, 2], ids=["the badge first", "the badge last"])
async def test_a_code_that_is_used_or_over_is_like_no_badge_however_late_that_was_issued(
    service: Service, later: int
) -> None:
    here, app = await connect(service), service.context
    await service.call("PATCH", "/v1/gates/main-door", json={"repeat_window_s": 0})
    issued = [("short", {"ttl_s": 60}), ("signed", {"ttl_s": 3600, "reusable": True})]
    texts = {}
    for kind, body in issued if later else reversed(issued):
        texts[kind] = await token(service, "emp-1", kind=kind, **body)
        service.clock.advance(2)
    badge, dead = await sight(service, here, texts["signed"]), await sight(service, here, texts["short"])
    assert await admitted(app, here, dead) is not None
    for seconds in (0, 120):  # used, and then expired as well
        service.clock.advance(seconds)
        for one, other in ((badge, dead), (dead, badge)):
            assert await compare(app, here, one, other) is None
    assert await admitted(app, here, badge) is not None


@pytest.mark.parametrize("word", ["revoke", "suspend"])
async def test_a_badge_of_a_pass_that_was_taken_back_vouches_for_nobody(service: Service, word: str) -> None:
    here, app = await connect(service), service.context
    old = await service.pass_("emp-1")
    badge = await service.token(old, "signed", reusable=True)
    live = await service.token(await service.pass_("emp-1"), "short")
    await service.call("POST", f"/v1/passes/{old['id']}/{word}")
    before = stored(service)
    one, other = await sight(service, here, badge["token"]), await sight(service, here, live["token"])
    assert await compare(app, here, one, other) is None
    assert stored(service) == before


async def test_on_the_way_out_who_shows_a_genuine_code_is_named_but_like_nobody(service: Service) -> None:
    await service.gate("way-out", direction="exit")
    here, app = await connect(service, "way-out"), service.context
    issued = await service.token(await service.pass_("emp-1"), "short")
    seen = await sight(service, here, issued["token"])
    assert await compare(app, here, seen, seen) is not None
    await service.call("POST", f"/v1/passes/{issued['pass']}/revoke")
    found = await admitted(app, here, seen)
    assert found is not None
    assert (found.ref, found.settled.flags) == ("emp-1", ("pass_revoked",))
    assert await compare(app, here, seen, seen) is None


async def test_without_its_database_nothing_of_somebody_asked_for_is_used(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, app = await connect(service), service.context
    seen = await sight(service, here, await token(service, "emp-1"))

    async def gone(_work: object) -> None:
        raise Unavailable

    with monkeypatch.context() as patch:
        patch.setattr(app.store, "read", gone)
        assert await identify(app, here, seen, wanted=lambda _: True) is None
    assert await recorded(service) == []
    assert await identify(app, here, seen, wanted=lambda _: True) is not None
