"""The glossary of ARCHITECTURE.md is the dictionary of the code."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from devtools.prose import replaced_words, words_of

ROOT = Path(__file__).parents[2]
PRODUCT = ("domain", "application", "infrastructure", "entrypoints")
FOLDERS = (*PRODUCT, "devtools", "deploy", "benchmarks", "tests")
GLOSSARY = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").partition("## Glossary")[2]
TERMS = re.findall(r"\*\*([^*]+)\*\*(?: \(`(\w+)`\))?", GLOSSARY)
"""Each term, and its name in the code where that differs."""


@cache
def names(folder: str) -> dict[str, str]:
    """All names in a folder's modules, the modules' included, each with a place of it."""
    found: dict[str, str] = {}
    for path in (ROOT / folder).rglob("*.py"):
        place = path.relative_to(ROOT)
        if any(part.startswith(".") for part in place.parts):
            continue  # The benchmark's cache has other people's code.
        found |= dict.fromkeys(place.with_suffix("").parts, str(place))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for kind in ("name", "attr", "arg", "id"):
                name = getattr(node, kind, None)
                if isinstance(name, str):
                    found[name] = f"{place}:{getattr(node, 'lineno', 1)}: {name}"
    return found


@pytest.mark.parametrize(("term", "name"), TERMS, ids=[term for term, _ in TERMS])
def test_a_term_is_a_name_in_the_product(term: str, name: str) -> None:
    """A class, function, attribute, parameter or module bears it, in the singular or plural."""
    pattern = re.compile(f"{words_of(name or term)[:-1]}s?_")
    assert any(pattern.search(words_of(used)) for folder in PRODUCT for used in names(folder))


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_name_uses_a_word_that_a_term_replaces(folder: str) -> None:
    """One word per thing: the glossary's."""
    found = [place for name, place in names(folder).items() if replaced_words(name)]
    assert "\n".join(sorted(found)) == ""
