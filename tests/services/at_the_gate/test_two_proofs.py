"""Gates that want two proofs of the same holder."""

import asyncio

from tests.service import Service


async def tokens(service: Service, holder: str = "ada") -> tuple[str, str]:
    """A QR code and a typed code of one holder."""
    pass_ = await service.pass_(holder)
    return (await service.token(pass_))["token"], (await service.token(pass_, "code"))["token"]


async def test_the_first_proof_reserves_and_the_second_consumes_both(service: Service) -> None:
    await service.gate("vault", second_proof_s=10)
    await service.gate()
    qr, code = await tokens(service)
    first = await service.verify(qr, "vault")
    assert (first["decision"], first["reason"], first["holder"]["ref"]) == ("deny", "needs_second_proof", "ada")
    assert (await service.verify(qr))["reason"] == "already_used"  # elsewhere, as long as it waits
    assert (await service.verify(qr, "vault"))["reason"] == "needs_second_proof"  # a camera looks again
    second = await service.verify(code, "vault")
    assert (second["decision"], second["reason"]) == ("admit", "ok")
    for token in (qr, code):
        for gate in ("vault", "main-door"):
            assert (await service.verify(token, gate))["reason"] == "already_used"


async def test_the_code_may_come_first(service: Service) -> None:
    await service.gate("vault", second_proof_s=10)
    qr, code = await tokens(service)
    assert (await service.verify(code, "vault"))["reason"] == "needs_second_proof"
    assert (await service.verify(qr, "vault"))["reason"] == "ok"


async def test_two_of_a_kind_are_one_proof(service: Service) -> None:
    await service.gate("vault", second_proof_s=10)
    pass_ = await service.pass_("ada")
    for kind in ("signed", "short", "signed"):
        token = await service.token(pass_, kind)
        assert (await service.verify(token["token"], "vault"))["reason"] == "needs_second_proof"


async def test_somebody_elses_code_is_no_second_proof(service: Service) -> None:
    await service.gate("vault", second_proof_s=10)
    qr, _ = await tokens(service, "ada")
    _, code = await tokens(service, "ben")
    assert (await service.verify(qr, "vault"))["reason"] == "needs_second_proof"
    assert (await service.verify(code, "vault"))["reason"] == "needs_second_proof"


async def test_too_late_it_is_a_first_proof_again_and_the_first_token_is_good(service: Service) -> None:
    await service.gate("vault", second_proof_s=10)
    await service.gate()
    qr, code = await tokens(service)
    await service.verify(qr, "vault")
    service.clock.advance(10)
    assert (await service.verify(code, "vault"))["reason"] == "needs_second_proof"
    assert (await service.verify(qr))["reason"] == "ok"


async def test_a_first_proof_whose_pass_was_taken_back_counts_no_more(service: Service) -> None:
    await service.gate("vault", second_proof_s=30)
    one, other = await service.pass_("ada"), await service.pass_("ada")
    await service.verify((await service.token(one))["token"], "vault")
    await service.call("POST", f"/v1/passes/{one['id']}/suspend")
    code = await service.token(other, "code")
    assert (await service.verify(code["token"], "vault"))["reason"] == "needs_second_proof"


async def test_one_first_proof_serves_one_of_two_who_come_at_once(service: Service) -> None:
    await service.gate("vault", second_proof_s=10)
    one, other = await service.pass_("ada"), await service.pass_("ada")
    await service.verify((await service.token(one, "code"))["token"], "vault")
    texts = [(await service.token(pass_))["token"] for pass_ in (one, other, one, other)]
    answers = await asyncio.gather(*(service.verify(text, "vault") for text in texts))
    assert sorted(answer["reason"] for answer in answers) == ["needs_second_proof"] * 3 + ["ok"]


async def test_an_undo_gives_both_back(service: Service) -> None:
    await service.gate("vault", second_proof_s=10)
    qr, code = await tokens(service)
    await service.verify(qr, "vault")
    second = await service.verify(code, "vault")
    assert (await service.call("POST", f"/v1/verifications/{second['id']}/undo")).status_code == 200
    assert (await service.verify(qr, "vault"))["reason"] == "needs_second_proof"
    assert (await service.verify(code, "vault"))["reason"] == "ok"


async def test_a_replay_of_the_first_proof_is_answered_as_before(service: Service) -> None:
    await service.gate("vault", second_proof_s=10)
    qr, code = await tokens(service)
    first = await service.verify(qr, "vault", request_id="r1")
    await service.verify(code, "vault")
    assert await service.verify(qr, "vault", request_id="r1") == {**first, "repeated": "request_id"}


async def test_the_second_proof_lets_in_no_more_than_showed_the_first(service: Service) -> None:
    await service.gate("vault", second_proof_s=10)
    pass_ = await service.pass_("ada", party_size=3)
    qr, code = (await service.token(pass_))["token"], (await service.token(pass_, "code"))["token"]
    assert (await service.verify(qr, "vault", people=2))["reason"] == "needs_second_proof"
    assert (await service.verify(code, "vault", people=3))["reason"] == "needs_second_proof"
    qr = (await service.token(pass_))["token"]
    answer = await service.verify(qr, "vault", people=2)
    assert (answer["decision"], answer["people"]) == ("admit", 2)


async def test_one_holder_can_wait_at_two_gates(service: Service) -> None:
    for gate in ("vault", "safe"):
        await service.gate(gate, second_proof_s=10)
    pass_ = await service.pass_("ada")
    texts = [(await service.token(pass_))["token"] for _ in range(2)]
    first = await asyncio.gather(
        *(service.verify(text, gate) for text, gate in zip(texts, ("vault", "safe"), strict=True))
    )
    assert [each["reason"] for each in first] == ["needs_second_proof"] * 2
    for gate in ("safe", "vault"):
        code = (await service.token(pass_, "code"))["token"]
        assert (await service.verify(code, gate))["reason"] == "ok"


async def test_a_first_proof_that_was_used_to_go_out_is_none(service: Service) -> None:
    await service.gate("vault", direction="both", second_proof_s=60)
    qr, code = await tokens(service)
    assert (await service.verify(qr, "vault", direction="entry"))["reason"] == "needs_second_proof"
    assert (await service.verify(qr, "vault", direction="exit"))["reason"] == "ok"
    assert (await service.verify(code, "vault", direction="entry"))["reason"] == "needs_second_proof"


async def test_a_first_proof_that_was_used_elsewhere_by_hand_is_none(service: Service) -> None:
    await service.gate("vault", second_proof_s=60)
    await service.gate()
    qr, code = await tokens(service)
    await service.verify(qr, "vault")
    by_hand = service.verify(qr, override={"reason": "The desk knows them."})
    forced, second = await asyncio.gather(by_hand, service.verify(code, "vault"))
    assert forced["decision"] == "admit"
    if second["decision"] == "admit":  # it came first, and the desk went past that
        assert "already_used" in forced["flags"]
    else:
        assert second["reason"] == "needs_second_proof"


async def test_the_window_of_the_first_proof_repeats_as_many_as_were_let_in(service: Service) -> None:
    await service.gate("vault", second_proof_s=60, repeat_window_s=60)
    pass_ = await service.pass_("ada", party_size=3)
    qr, code = (await service.token(pass_))["token"], (await service.token(pass_, "code"))["token"]
    await service.verify(qr, "vault", people=2)
    one, two = await asyncio.gather(service.verify(code, "vault"), service.verify(qr, "vault", people=2))
    assert (one["decision"], one["people"]) == ("admit", 1)
    assert (two["decision"], two["repeated"]) == ("deny", None)
