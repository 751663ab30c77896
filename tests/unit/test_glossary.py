"""The glossary of ARCHITECTURE.md is the dictionary of the code."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from devtools.prose import REPLACED_NAMES, name_parts

ROOT = Path(__file__).parents[2]
PRODUCT = ("domain", "application", "infrastructure", "entrypoints")
FOLDERS = (*PRODUCT, "devtools", "deploy", "benchmarks", "tests")
GLOSSARY = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").partition("## Glossary")[2]
TERMS = re.findall(r"\*\*([^*]+)\*\*(?: \(`(\w+)`\))?", GLOSSARY)
"""Each term, and its name in the code where that differs."""


@cache
def names(folder: str) -> dict[str, str]:
    """All names in a folder's modules as `_words_in_lower_case_`, each with a place of it."""
    found = {}
    for path in (ROOT / folder).rglob("*.py"):
        place = str(path.relative_to(ROOT))
        for part in path.relative_to(ROOT).with_suffix("").parts:
            found[f"_{'_'.join(name_parts(part))}_"] = place
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for kind in ("name", "attr", "arg", "id"):
                name = getattr(node, kind, None)
                if isinstance(name, str):
                    line = getattr(node, "lineno", 0)
                    found[f"_{'_'.join(name_parts(name))}_"] = f"{place}:{line}: {name}"
    return found


@pytest.mark.parametrize(("term", "name"), TERMS, ids=[term for term, _ in TERMS])
def test_a_term_is_a_name_in_the_product(term: str, name: str) -> None:
    """A class, function, attribute, parameter or module bears it, in the singular or plural."""
    words = "_".join(name_parts(name or term))
    pattern = re.compile(f"_{words}s?_")
    assert any(pattern.search(used) for folder in PRODUCT for used in names(folder))


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_name_uses_a_word_that_a_term_replaces(folder: str) -> None:
    """One word per thing: the glossary's."""
    pattern = re.compile(f"_({'|'.join(REPLACED_NAMES)})_")
    found = {used: place for used, place in names(folder).items() if pattern.search(used)}
    assert "\n".join(sorted(found.values())) == ""
