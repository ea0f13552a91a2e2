"""The page's words: both languages say everything, and every reason has words."""

import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from app.core.decision import REASONS
from app.faces.pages.files import FOLDER
from tests.faces.pages.test_core import node

LANGUAGES = ("en", "zh")
OF_THE_PAGE_ITSELF = {"not_asked", "signed_out"}
PLACEHOLDER = re.compile(r"\{\w+\}")


@lru_cache
def words(language: str) -> dict[str, dict[str, Any]]:
    file = (FOLDER / "words" / f"{language}.js").as_uri()
    script = f"const {{PAGE, REASONS}} = await import('{file}'); console.log(JSON.stringify({{PAGE, REASONS}}))"
    ran = node("--input-type=module", "-e", script)
    assert ran.returncode == 0, ran.stderr
    said: dict[str, dict[str, Any]] = json.loads(ran.stdout)
    return said


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_has_words(language: str) -> None:
    said = words(language)["REASONS"]
    assert set(said) == set(REASONS) | OF_THE_PAGE_ITSELF
    for code, (what, todo) in said.items():
        assert what, code
        assert todo or code == "ok", code


def test_the_languages_say_the_same() -> None:
    english, chinese = (words(language)["PAGE"] for language in LANGUAGES)
    assert list(english) == list(chinese)
    for key, text in english.items():
        assert chinese[key], key
        assert set(PLACEHOLDER.findall(text)) == set(PLACEHOLDER.findall(chinese[key])), key


def test_what_the_page_says_has_words() -> None:
    known = set(words("en")["PAGE"])
    html = (FOLDER / "index.html").read_text("utf-8")
    used = set(re.findall(r'data-(?:word|label)="(\w+)"', html))
    for script in FOLDER.glob("*.js"):
        used |= set(re.findall(r'\bsay\("(\w+)"', script.read_text("utf-8")))
    assert used <= known


def test_parts_that_need_no_browser() -> None:
    ran = node("--test", Path(__file__).with_name("page.test.mjs"))
    assert ran.returncode == 0, ran.stdout + ran.stderr
