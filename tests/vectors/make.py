"""Makes the test vectors beside this file: of the token formats, `signed.json`, `short.json` and `code.json`, of bundles,
`bundle.json`, and of the rules, `rules/*.json`.

    python -m tests.vectors.make

Deterministic. The keys in them are published, and for tests only. Those of the token formats and of bundles are made
from the parts of the standards (CBOR heads, COSE arrays, Ed25519, HMAC), not by the code that the vectors test. Those of
the rules say what was meant, by hand, and are made only if the core agrees.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

from tests.vectors.bundle import bundle
from tests.vectors.decision_vectors import decision
from tests.vectors.expected import Vector, rendered_vector
from tests.vectors.opaque import code, short
from tests.vectors.rule_vectors import RULE_VECTORS
from tests.vectors.rules import BASE, facts_json
from tests.vectors.signed import signed

FOLDER = Path(__file__).parent
VERSION = 1


@cache
def rendered() -> dict[str, str]:
    """The files, by name."""
    made = {"signed.json": signed(), "short.json": short(), "code.json": code(), "bundle.json": bundle()}
    made["rules/base.json"] = facts_json(BASE)
    files = {name: json.dumps(content, indent=1, ensure_ascii=True) + "\n" for name, content in made.items()}
    return files | {f"rules/{name}.json": _one_a_line(name, vectors) for name, vectors in rule_vectors().items()}


def rule_vectors() -> dict[str, list[Vector]]:
    """The vectors of each rule, and those of what no single rule says."""
    return {name: make() for name, make in RULE_VECTORS.items()} | {"decision": decision()}


def _one_a_line(name: str, vectors: list[Vector]) -> str:
    head = f'{{\n "format": "rule",\n "version": {VERSION},\n "of": {json.dumps(name)},\n "vectors": [\n  '
    return head + ",\n  ".join(_line(rendered_vector(vector)) for vector in vectors) + "\n ]\n}\n"


def _line(content: Any) -> str:
    return json.dumps(content, ensure_ascii=True)


if __name__ == "__main__":
    (FOLDER / "rules").mkdir(exist_ok=True)
    for name, text in rendered().items():
        (FOLDER / name).write_text(text, encoding="ascii")
