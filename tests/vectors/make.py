"""Makes the test vectors of the token formats: `signed.json`, `short.json` and `code.json`, beside this file.

    python -m tests.vectors.make

Deterministic. The keys in them are published, and for tests only. Everything is made from the parts of the standards
(CBOR heads, COSE arrays, Ed25519, HMAC), not by the code that the vectors test.
"""

import json
from pathlib import Path

from tests.vectors.opaque import code, short
from tests.vectors.signed import signed

FOLDER = Path(__file__).parent


def rendered() -> dict[str, str]:
    """The files, by name."""
    made = {"signed.json": signed(), "short.json": short(), "code.json": code()}
    return {name: json.dumps(content, indent=1, ensure_ascii=True) + "\n" for name, content in made.items()}


if __name__ == "__main__":
    for name, text in rendered().items():
        (FOLDER / name).write_text(text, encoding="ascii")
