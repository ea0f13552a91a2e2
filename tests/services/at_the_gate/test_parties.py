"""Groups: a pass for a party."""

from tests.service import Service


async def test_a_party_goes_in_together(service: Service) -> None:
    await service.gate()
    token = await service.token(await service.pass_(party_size=3))
    answer = await service.verify(token["token"], people=3)
    assert (answer["decision"], answer["people"], answer["people_left"]) == ("admit", 3, 0)
    assert (await service.verify(token["token"]))["reason"] == "already_used"


async def test_part_of_it_may_follow_later(service: Service) -> None:
    await service.gate()
    token = await service.token(await service.pass_(party_size=5))
    answer = await service.verify(token["token"], people=3)
    assert (answer["decision"], answer["people"], answer["people_left"]) == ("admit", 3, 2)
    answer = await service.verify(token["token"], people=3)
    assert (answer["reason"], answer["people"], answer["people_left"]) == ("too_many_people", 0, 2)
    answer = await service.verify(token["token"])
    assert (answer["decision"], answer["people"], answer["people_left"]) == ("admit", 1, 1)
    answer = await service.verify(token["token"], request_id="last")
    assert (answer["decision"], answer["people_left"]) == ("admit", 0)
    again = await service.verify(token["token"], request_id="last")
    assert again == {**answer, "repeated": "request_id"}


async def test_the_answer_says_how_many_may_go_in(service: Service) -> None:
    await service.create("/v1/zones", id="hq", name="hq", capacity=4)
    await service.gate(into_zone="hq")
    other = await service.token(await service.pass_("other", party_size=3))
    await service.verify(other["token"], people=3)
    token = await service.token(await service.pass_(party_size=5))
    answer = await service.verify(token["token"], people=5)
    assert (answer["reason"], answer["people_left"]) == ("zone_full", 1)
    assert (await service.verify(token["token"], people=1))["decision"] == "admit"


async def test_every_one_of_them_is_an_entry_and_is_counted_inside(service: Service) -> None:
    await service.create("/v1/zones", id="hq", name="hq", counted=True)
    await service.gate(into_zone="hq")
    await service.gate("out", direction="exit", from_zone="hq")
    pass_ = await service.pass_(party_size=5, max_entries=5)
    token = await service.token(pass_)
    await service.verify(token["token"], people=4)
    assert (await service.call("GET", f"/v1/passes/{pass_['id']}")).json()["entries"] == 4
    assert (await service.call("GET", "/v1/zones/hq/occupancy")).json()["people"] == 4
    await service.verify(token["token"], "out", people=3)
    assert (await service.call("GET", "/v1/zones/hq/occupancy")).json()["people"] == 1
    first = await service.verify(token["token"])
    assert first["decision"] == "admit"
    await service.call("POST", f"/v1/verifications/{first['id']}/undo")
    assert (await service.call("GET", f"/v1/passes/{pass_['id']}")).json()["entries"] == 4
    assert (await service.call("GET", "/v1/zones/hq/occupancy")).json()["people"] == 1


async def test_a_pass_for_one_lets_one_in(service: Service) -> None:
    await service.gate()
    token = await service.token(await service.pass_())
    answer = await service.verify(token["token"], people=2)
    assert (answer["decision"], answer["reason"], answer["people_left"]) == ("deny", "too_many_people", 0)
    assert (await service.verify(token["token"]))["decision"] == "admit"


async def test_another_number_of_people_is_another_request(service: Service) -> None:
    await service.gate()
    token = await service.token(await service.pass_(party_size=3))
    await service.verify(token["token"], people=1, request_id="r1")
    body = {"token": token["token"], "gate": "main-door", "people": 2, "request_id": "r1"}
    answer = await service.call("POST", "/v1/verifications", json=body)
    assert (answer.status_code, answer.json()["code"]) == (409, "request_id_reused")


async def test_a_polling_camera_repeats_what_it_showed_and_no_more(service: Service) -> None:
    await service.gate(repeat_window_s=60)
    token = await service.token(await service.pass_(party_size=4))
    first = await service.verify(token["token"])
    again = await service.verify(token["token"])
    assert (again["repeated"], again["people"], again["people_left"]) == ("window", 1, 3)
    assert again["id"] == first["id"]
    more = await service.verify(token["token"], people=2)
    assert (more["decision"], more["repeated"], more["people"], more["people_left"]) == ("admit", None, 2, 1)
