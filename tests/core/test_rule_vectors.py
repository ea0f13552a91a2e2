"""Every published vector of the rules, run as another implementation would run it."""

import json
from typing import Any

import pytest

from app.core.decision import decide
from app.core.rules import RULES
from tests.core.facts import NOW, a_pass, facts
from tests.vectors import make
from tests.vectors.expected import Meant, Vector, admitted, denied, rendered_vector
from tests.vectors.rules import BASE, decision_json, difference, facts_json, facts_of

Json = dict[str, Any]
FOLDER = make.FOLDER / "rules"
VECTORS: dict[str, list[Json]] = {
    path.stem: json.loads(path.read_text("ascii"))["vectors"]
    for path in sorted(FOLDER.glob("*.json"))
    if path.stem != "base"
}


@pytest.mark.parametrize(
    ("facts", "decision"),
    [(each["facts"], each["decision"]) for vectors in VECTORS.values() for each in vectors],
    ids=[f"{name}: {each['name']}" for name, vectors in VECTORS.items() for each in vectors],
)
def test_a_vector_is_decided_as_it_says(facts: Json, decision: Json) -> None:
    assert decision_json(decide(facts_of(facts))) == decision


def test_the_files_are_those_that_are_made() -> None:
    """That they are what is made, word for word, is checked with those of the token formats."""
    made = {name for name in make.rendered() if name.startswith("rules/")}
    assert made == {f"rules/{path.name}" for path in FOLDER.glob("*.json")}
    assert all((make.FOLDER / name).read_text("ascii") == make.rendered()[name] for name in made)


def test_there_are_vectors_of_every_rule_and_of_what_no_single_rule_says() -> None:
    assert set(VECTORS) == {*(rule.code for rule in RULES), "decision"}
    for rule in RULES:
        assert len(VECTORS[rule.code]) >= (10 if rule.offline else 8)
    assert sum(map(len, VECTORS.values())) >= 200


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_rule_refuses_in_some_of_its_vectors_and_in_others_does_not(rule: Any) -> None:
    refuses = [rule.refuses(facts_of(each["facts"])) for each in VECTORS[rule.code]]
    assert sum(refuses) >= 4
    assert len(refuses) - sum(refuses) >= 1
    assert rule.code in {each["decision"]["reason"] for each in VECTORS[rule.code]}


@pytest.mark.parametrize("name", VECTORS)
def test_no_vector_is_there_twice(name: str) -> None:
    assert len({each["name"] for each in VECTORS[name]}) == len(VECTORS[name])
    assert len({json.dumps(each["facts"], sort_keys=True) for each in VECTORS[name]}) == len(VECTORS[name])


def test_the_base_attempt_differs_from_itself_in_nothing_and_is_admitted() -> None:
    assert difference(BASE) == {}
    assert facts_json(facts_of({})) == facts_json(BASE) == json.loads((FOLDER / "base.json").read_text("ascii"))
    assert decide(facts_of({})).reason == "ok"


@pytest.mark.parametrize("name", VECTORS)
def test_what_differs_gives_back_the_facts_of_which_it_was_made(name: str) -> None:
    for vector in make.rule_vectors()[name]:
        assert facts_json(facts_of(difference(vector.facts))) == facts_json(vector.facts)
        assert decide(facts_of(difference(vector.facts))) == decide(vector.facts)


OVER = facts(pass_=a_pass(valid_until=NOW))


@pytest.mark.parametrize(
    "wrong",
    [
        denied("another reason", OVER, "expired"),
        admitted("another outcome", OVER),
        Vector("another flag", OVER._replace(override=True), Meant("admit", flags=(), changes=("redeem",))),
        denied("another time", OVER, "pass_expired", not_before=NOW),
        denied("people left", OVER, "pass_expired", people_left=1),
        denied("a change", OVER, "pass_expired", changes=("redeem",)),
        admitted("no change", facts(), changes=()),
        admitted("another change", facts(), changes=("move",)),
    ],
    ids=lambda vector: vector.name,
)
def test_no_vector_is_made_of_which_something_else_was_meant(wrong: Vector) -> None:
    with pytest.raises(ValueError, match=wrong.name):
        rendered_vector(wrong)
