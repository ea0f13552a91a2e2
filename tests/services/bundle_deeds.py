"""A site of which a kiosk has the bundle, and all that can happen there which changes what the bundle says."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from app.core.model import SECOND
from app.services import enrol
from app.services.enrol import Enrolling
from app.services.keys import rotate
from app.services.tenants import raise_epoch
from app.storage.repositories.enrolments import SubjectFilter
from tests.service import Service
from tests.services.bundling import later, tenant_of
from tests.services.connecting import connect

OFFICE = [{"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "from": "08:00", "until": "18:00"}]


class Site:
    """A gate into a zone within another, and passes of every kind."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.passes: dict[str, dict[str, Any]] = {}
        self.tokens: dict[str, dict[str, Any]] = {}

    async def build(self) -> None:
        service = self.service
        for zone, within in (("hq", None), ("floor", "hq"), ("yard", None)):
            await service.create("/v1/zones", id=zone, name=zone, within=within)
        await service.gate("main-door", into_zone="floor")
        await service.gate("back-door", into_zone="yard")
        for schedule in ("unused", "office", "spare"):
            await service.create("/v1/schedules", id=schedule, name=schedule, weekly=OFFICE)
        for name, wish in self.wishes().items():
            self.passes[name] = await service.pass_(name, **wish)
        for name in ("plain", "limited", "in-hq"):
            self.tokens[name] = await service.token(self.passes[name], ttl_s=3600)

    def wishes(self) -> dict[str, dict[str, Any]]:
        soon, much_later = self.at(40), self.at(900_000)
        return {
            "plain": {},
            "here": {"gates": ["main-door"]},
            "in-hq": {"gates": [], "zones": ["hq"]},
            "in-yard": {"gates": [], "zones": ["yard"]},
            "elsewhere": {"gates": ["back-door"]},
            "office": {"schedule": "office"},
            "limited": {"max_entries": 5, "party_size": 2},
            "ending": {"valid_until": soon},
            "visiting": {"valid_from": soon, "valid_until": much_later},
            "suspended": {},
            "revoked": {},
        }

    def at(self, seconds: float) -> str:
        now = self.service.context.clock.now()
        return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=now + seconds * SECOND)).isoformat()

    async def post(self, path: str, **body: Any) -> Any:
        answer = await self.service.call("POST", path, json=body)
        assert answer.is_success, answer.text
        return answer.json()

    async def patch(self, path: str, **body: Any) -> None:
        answer = await self.service.call("PATCH", path, json=body)
        assert answer.is_success, answer.text

    async def change(self, name: str, **body: Any) -> None:
        await self.patch(f"/v1/passes/{self.passes[name]['id']}", **body)

    async def say(self, name: str, verb: str) -> None:
        await self.post(f"/v1/passes/{self.passes[name]['id']}/{verb}", reason="a reason")

    async def block(self, name: str, verb: str = "block") -> None:
        found = await self.service.call("GET", "/v1/holders", params={"ref": name})
        await self.post(f"/v1/holders/{found.json()['items'][0]['id']}/{verb}", reason="a reason")

    async def of_token(self, name: str, verb: str) -> None:
        body = {} if verb == "revoke" else {"reason": "a reason"}
        await self.post(f"/v1/tokens/{self.tokens[name]['id']}/{verb}", **body)

    async def admit(self, name: str = "limited", people: int = 1) -> str:
        token = await self.service.token(self.passes[name])
        admitted = await self.service.verify(token["token"], people=people)
        assert admitted["decision"] == "admit", admitted
        id_: str = admitted["id"]
        return id_


Deed = Callable[[Site], Awaitable[Any]]


async def suspend_and_resume(site: Site) -> None:
    await site.say("plain", "suspend")
    await later(site.service)
    await site.say("plain", "resume")
    await site.say("here", "suspend")


async def block_and_unblock(site: Site) -> None:
    await site.block("plain")
    await later(site.service)
    await site.block("plain", "unblock")
    await site.block("here")


async def undo(site: Site) -> None:
    admitted, undone = await site.admit(), await site.admit()
    await later(site.service, seconds=100)
    await site.post(f"/v1/verifications/{undone}/undo")
    assert admitted != undone


async def block_and_unblock_a_token(site: Site) -> None:
    await site.of_token("plain", "block")
    await site.of_token("limited", "block")
    await later(site.service)
    await site.of_token("plain", "unblock")


async def take_a_schedule_away(site: Site) -> None:
    await site.change("here", schedule="spare")
    await later(site.service)
    assert (await site.service.call("DELETE", "/v1/schedules/unused")).is_success


async def put_another_schedule_in_its_place(site: Site) -> None:
    """A schedule comes behind the others, is used, and goes again before the next one that comes."""
    for name in ("one", "two"):
        await site.post("/v1/schedules", id=name, name=name, weekly=OFFICE)
    await site.change("plain", schedule="two")
    await later(site.service)
    assert (await site.service.call("DELETE", "/v1/schedules/one")).is_success
    await site.post("/v1/schedules", id="three", name="three")
    await site.change("here", schedule="three")


async def a_new_schedule(site: Site) -> None:
    await site.post("/v1/schedules", id="new", name="new", weekly=OFFICE)
    await site.service.pass_("somebody", schedule="new")


async def another_key(site: Site) -> None:
    await rotate(site.service.context)
    await site.service.context.keychain.refresh()


async def another_epoch(site: Site) -> None:
    await raise_epoch(site.service.context, await tenant_of(site.service))


async def enrolled(site: Site) -> None:
    connection = await connect(site.service)
    for ref in ("one", "two"):
        await enrol.enrol(site.service.context, connection, Enrolling("", ref))
    await later(site.service, seconds=100)
    await enrol.delete_subjects(site.service.context, connection, SubjectFilter("", ["one"]))


async def the_gate_goes_and_comes_back(site: Site) -> None:
    assert (await site.service.call("DELETE", "/v1/gates/main-door")).is_success
    site.service.clock.advance(1)
    assert (await site.service.call("GET", "/v1/gates/main-door/bundle")).status_code == 404
    await site.service.gate("main-door", into_zone="yard")


DEEDS: dict[str, Deed] = {
    "a pass is made": lambda site: site.service.pass_("somebody new"),
    "a pass is made for the gate": lambda site: site.service.pass_("somebody", gates=["main-door"]),
    "a pass is made for a zone around": lambda site: site.service.pass_("somebody", gates=[], zones=["hq"]),
    "a pass is suspended, another resumed": suspend_and_resume,
    "a pass is revoked": lambda site: site.say("plain", "revoke"),
    "a suspended pass is revoked": lambda site: site.say("suspended", "revoke"),
    "a holder is blocked, another unblocked": block_and_unblock,
    "a holder is blocked whose pass is revoked": lambda site: site.block("revoked"),
    "a window changes": lambda site: site.change("plain", valid_until=site.at(5000), valid_from=site.at(-5000)),
    "a window goes": lambda site: site.change("visiting", valid_until=None, valid_from=None),
    "a pass ends at once": lambda site: site.change("plain", valid_until=site.at(-1)),
    "a pass gets a schedule": lambda site: site.change("plain", schedule="spare"),
    "a pass loses its schedule": lambda site: site.change("office", schedule=None),
    "a pass is for another gate now": lambda site: site.change("here", gates=["back-door"]),
    "a pass is for this gate now": lambda site: site.change("elsewhere", gates=["main-door"]),
    "a pass is for every gate now": lambda site: site.change("in-yard", gates="all"),
    "a limit is new": lambda site: site.change("plain", max_entries=3),
    "a limit goes": lambda site: site.change("limited", max_entries=None),
    "a party grows": lambda site: site.change("limited", party_size=4),
    "somebody enters on a limited pass": lambda site: site.admit(people=2),
    "such an entry is undone": undo,
    "a token is revoked": lambda site: site.of_token("plain", "revoke"),
    "a token is blocked, another unblocked": block_and_unblock_a_token,
    "the hours of a schedule change": lambda site: site.patch("/v1/schedules/office", weekly=OFFICE, early_s=600),
    "a schedule is new": a_new_schedule,
    "a schedule goes": take_a_schedule_away,
    "a schedule takes the place of another": put_another_schedule_in_its_place,
    "the gate leads elsewhere": lambda site: site.patch("/v1/gates/main-door", into_zone="yard"),
    "the gate leads nowhere": lambda site: site.patch("/v1/gates/main-door", into_zone=None),
    "the gate becomes an exit": lambda site: site.patch(
        "/v1/gates/main-door", direction="exit", from_zone="floor", into_zone=None
    ),
    "the gate is for both ways": lambda site: site.patch("/v1/gates/main-door", direction="both"),
    "the gate repeats": lambda site: site.patch("/v1/gates/main-door", repeat_window_s=5, second_proof_s=60),
    "the gate lets in": lambda site: site.patch("/v1/gates/main-door", offline="admit_and_reconcile"),
    "the gate trusts it for less long": lambda site: site.patch("/v1/gates/main-door", offline_max_stale_s=60),
    "clocks at the gate show another time": lambda site: site.patch("/v1/zones/hq", time_zone="Asia/Shanghai"),
    "the epoch goes up": another_epoch,
    "there is another key": another_key,
    "a client enrols and deletes": enrolled,
    "the gate goes and comes back": the_gate_goes_and_comes_back,
}
