"""Cards that holders carry already, shown at a gate."""

import httpx
import pytest

from app.core.damm import check_digit
from tests.service import Service


async def enrol(service: Service, ref: str, value: str, kind: str = "barcode") -> httpx.Response:
    holder = (await service.call("GET", f"/v1/holders?ref={ref}")).json()["items"][0]
    body = {"kind": kind, "value": value}
    return await service.call("POST", f"/v1/holders/{holder['id']}/credentials", json=body)


async def test_a_card_admits_again_and_again(service: Service) -> None:
    await service.gate()
    pass_ = await service.pass_("ada")
    assert (await enrol(service, "ada", "STUDENT-0042")).status_code == 201
    for _ in range(3):
        answer = await service.verify("STUDENT-0042\r")
        assert (answer["decision"], answer["pass"], answer["token_kind"]) == ("admit", pass_["id"], "barcode")
    assert (await service.call("GET", f"/v1/passes/{pass_['id']}")).json()["entries"] == 3


@pytest.mark.parametrize("shown", ["04A2B3C4D5E680", "04:a2:b3:c4:d5:e6:80", "04 a2 b3 c4 d5 e6 80"])
async def test_a_tag_is_known_however_the_reader_spells_it(service: Service, shown: str) -> None:
    await service.gate()
    await service.pass_("ada")
    await enrol(service, "ada", "04a2b3c4d5e680", "nfc")
    answer = await service.verify(shown)
    assert (answer["reason"], answer["token_kind"]) == ("ok", "nfc")


@pytest.mark.parametrize(
    ("text", "reason"), [("a poster", "unrecognised"), ("100412345678", "malformed"), ("4006381333931", "malformed")]
)
async def test_a_card_that_nobody_enrolled_is_what_it_was_without_cards(
    service: Service, text: str, reason: str
) -> None:
    await service.gate()
    answer = await service.verify(text)
    assert (answer["decision"], answer["reason"], answer["token_kind"], answer["pass"]) == ("deny", reason, None, None)


async def test_a_card_whose_number_looks_like_a_code_is_still_a_card(service: Service) -> None:
    await service.gate()
    await service.pass_("ada")
    looks = "40063813339" + check_digit("40063813339")
    await enrol(service, "ada", looks)
    for _ in range(12):  # more often than codes may be guessed
        assert (await service.verify(looks))["reason"] == "ok"


async def test_a_lost_card_is_blocked(service: Service) -> None:
    await service.gate()
    await service.pass_("ada")
    card = (await enrol(service, "ada", "STUDENT-0042")).json()
    await service.call("POST", f"/v1/credentials/{card['id']}/block", json={"reason": "lost"})
    answer = await service.verify("STUDENT-0042")
    assert (answer["reason"], answer["holder"]["ref"]) == ("token_blocked", "ada")
    await service.call("POST", f"/v1/credentials/{card['id']}/unblock")
    assert (await service.verify("STUDENT-0042"))["reason"] == "ok"
    assert (await service.call("DELETE", f"/v1/credentials/{card['id']}")).status_code == 204
    assert (await service.verify("STUDENT-0042"))["reason"] == "unrecognised"


async def test_of_several_passes_the_one_that_is_good_now_counts(service: Service) -> None:
    await service.gate()
    await service.gate("gym")
    for at_gym in (True, False):
        await service.pass_("ada", gates=["gym" if at_gym else "main-door"])
    over = await service.pass_("ada", gates=["main-door"])
    await service.call("POST", f"/v1/passes/{over['id']}/suspend")
    await enrol(service, "ada", "STUDENT-0042")
    for gate in ("gym", "main-door"):
        answer = await service.verify("STUDENT-0042", gate)
        assert answer["reason"] == "ok"
        named = (await service.call("GET", f"/v1/passes/{answer['pass']}")).json()
        assert named["gates"] == [gate]


async def test_several_that_are_good_now_are_ambiguous(service: Service) -> None:
    await service.gate()
    await service.gate("out", direction="exit")
    passes = [await service.pass_("ada") for _ in range(2)]
    await enrol(service, "ada", "STUDENT-0042")
    answer = await service.verify("STUDENT-0042")
    assert (answer["decision"], answer["reason"]) == ("deny", "ambiguous")
    assert (await service.verify("STUDENT-0042", "out"))["flags"] == []
    await service.call("POST", f"/v1/passes/{passes[0]['id']}/revoke")
    assert (await service.verify("STUDENT-0042"))["reason"] == "ok"


async def test_where_none_is_good_the_one_that_came_furthest_says_why(service: Service) -> None:
    await service.gate()
    revoked = await service.pass_("ada")
    await service.call("POST", f"/v1/passes/{revoked['id']}/revoke")
    used_up = await service.pass_("ada", max_entries=1)
    await enrol(service, "ada", "STUDENT-0042")
    assert (await service.verify("STUDENT-0042"))["reason"] == "ok"
    answer = await service.verify("STUDENT-0042")
    assert (answer["reason"], answer["pass"]) == ("no_entries_left", used_up["id"])


async def test_a_card_and_a_code_are_two_proofs(service: Service) -> None:
    await service.gate("vault", second_proof_s=10)
    pass_ = await service.pass_("ada")
    await enrol(service, "ada", "04a2b3c4", "nfc")
    assert (await service.verify("04A2B3C4", "vault"))["reason"] == "needs_second_proof"
    code = await service.token(pass_, "code")
    assert (await service.verify(code["token"], "vault"))["reason"] == "ok"
    assert (await service.verify("04A2B3C4", "vault"))["reason"] == "needs_second_proof"


async def test_an_undone_card_and_its_pass_are_as_before(service: Service) -> None:
    await service.gate()
    pass_ = await service.pass_("ada", max_entries=1)
    await enrol(service, "ada", "STUDENT-0042")
    first = await service.verify("STUDENT-0042")
    assert (await service.call("POST", f"/v1/verifications/{first['id']}/undo")).status_code == 200
    assert (await service.call("GET", f"/v1/passes/{pass_['id']}")).json()["entries"] == 0
    assert (await service.verify("STUDENT-0042"))["reason"] == "ok"


async def test_another_tenants_card_is_not_known(service: Service) -> None:
    other = await service.another_tenant()
    for each in (service, other):
        await each.gate()
        await each.pass_("ada")
    await enrol(service, "ada", "STUDENT-0042")
    assert (await other.verify("STUDENT-0042"))["reason"] == "unrecognised"


@pytest.mark.parametrize("taken_back", ["revoke", "suspend"])
async def test_within_a_repeat_window_the_pass_that_was_used_is_asked_and_no_other(
    service: Service, taken_back: str
) -> None:
    await service.gate(repeat_window_s=3600)
    used = await service.pass_("ada")
    await service.pass_("ada", gates=["main-door"], valid_until="2020-01-01T00:00:00Z")
    await enrol(service, "ada", "STUDENT-0042")
    assert (await service.verify("STUDENT-0042"))["pass"] == used["id"]
    assert (await service.verify("STUDENT-0042"))["repeated"] == "window"
    await service.call("POST", f"/v1/passes/{used['id']}/{taken_back}")
    answer = await service.verify("STUDENT-0042")
    assert (answer["decision"], answer["reason"][:5]) == ("deny", "pass_")


async def test_a_deleted_card_is_no_first_proof(service: Service) -> None:
    await service.gate("vault", second_proof_s=60)
    pass_ = await service.pass_("ada")
    card = (await enrol(service, "ada", "04a2b3c4", "nfc")).json()
    assert (await service.verify("04A2B3C4", "vault"))["reason"] == "needs_second_proof"
    await service.call("DELETE", f"/v1/credentials/{card['id']}")
    code = await service.token(pass_, "code")
    assert (await service.verify(code["token"], "vault"))["reason"] == "needs_second_proof"


async def test_barcodes_are_what_they_are_to_the_letter(service: Service) -> None:
    await service.gate()
    for ref, value in (("ada", "cafe0001"), ("ben", "CAFE0001"), ("cyd", "CA-FE-00-01")):
        await service.pass_(ref)
        assert (await enrol(service, ref, value)).status_code == 201
        assert (await service.verify(value))["holder"]["ref"] == ref


async def test_on_the_way_out_several_good_passes_are_not_ambiguous(service: Service) -> None:
    await service.gate("hall", direction="both")
    for _ in range(2):
        await service.pass_("ada")
    await enrol(service, "ada", "STUDENT-0042")
    assert (await service.verify("STUDENT-0042", "hall", direction="entry"))["reason"] == "ambiguous"
    assert (await service.verify("STUDENT-0042", "hall", direction="exit"))["reason"] == "ok"


async def test_the_pass_for_today_is_found_among_many_for_later(service: Service) -> None:
    await service.gate()
    today = await service.pass_("ada")
    for n in range(25):
        await service.pass_("ada", valid_from=f"2099-01-{n + 1:02}T00:00:00Z")
    await enrol(service, "ada", "STUDENT-0042")
    answer = await service.verify("STUDENT-0042")
    assert (answer["reason"], answer["pass"]) == ("ok", today["id"])
