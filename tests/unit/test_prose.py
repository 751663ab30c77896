"""Product and documents keep the prose rules that a program can check."""

from pathlib import Path

import pytest

from devtools.prose import check, check_markdown, check_python

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "folder", ["domain", "application", "infrastructure", "entrypoints", "deploy", "devtools"]
)
def test_the_code_keeps_the_rules(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names, docstrings, comments and messages break no rule."""
    monkeypatch.chdir(ROOT)
    assert "\n".join(map(str, check(sorted(Path(folder).rglob("*.py"))))) == ""


def test_the_documents_keep_the_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    """Paragraphs break no rule and wrap at one width."""
    monkeypatch.chdir(ROOT)
    paths = [*Path().glob("*.md"), *Path("docs").rglob("*.md"), Path("benchmarks/README.md")]
    assert "\n".join(map(str, check(sorted(paths)))) == ""


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("longest_s = 1\n", [1]),
        ("class ToldTwice: ...\n", [1]),
        ("MAX_BYTES = most_bytes = BYTES_AT_MOST\n", [1]),
        ("# It is fine.\n# Whoever is told waits.\n", [2]),
        ('def f():\n    """Tell whether."""\n', [2, 2]),
        ('"""First.\n\nIt lies as a\nrule there. What is copied stays."""\n', [3, 4]),
        ('"""Looks like a letter that hands over a sound idea."""\n', []),
        ('found = {"mend": 1}\n', []),
    ],
)
def test_a_module_is_checked(source: str, lines: list[int]) -> None:
    """Names by their words, texts by their sentences, across line ends."""
    assert [found.line for found in check_python(Path("module.py"), source)] == lines


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("One line.\n\nThen\nanew.\n", [4]),
        ("`anew` is code.\n\n```\nanew\n```\n", []),
        (f"{'wide ' * 21}\n", [1]),
        (f"| {'wide ' * 21} |\n", []),
        (f"- {'w' * 101}\n", []),
    ],
)
def test_a_document_is_checked(source: str, lines: list[int]) -> None:
    """Its code is skipped; tables and unbreakable words may be wide."""
    assert [found.line for found in check_markdown(Path("page.md"), source)] == lines
