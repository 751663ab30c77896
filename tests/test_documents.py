"""What the documents name is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = [
    path for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")) if ".venv" not in path.parts
]
TESTS = {
    name
    for path in (ROOT / "tests").rglob("test_*.py")
    for found in re.findall(r"^    def (test_\w+)|^def (test_\w+)", path.read_text(), re.MULTILINE)
    for name in found
}


@pytest.mark.parametrize("document", DOCUMENTS, ids=[str(p.relative_to(ROOT)) for p in DOCUMENTS])
def test_every_test_and_file_that_a_document_names_is_there(document: Path) -> None:
    """A test in backticks, and a link to a file of ours."""
    text = document.read_text()
    assert set(re.findall(r"`(test_\w+)`", text)) <= TESTS
    links = re.findall(r"\]\(([^)#:]+)\)", text)
    assert [link for link in links if not (document.parent / link).exists()] == []


def test_every_variable_of_the_settings_is_in_the_readme() -> None:
    """Whoever configures it finds all of them."""
    settings = (ROOT / "entrypoints/settings.py").read_text()
    variables = set(re.findall(r'env\.read\(\s*"(\w+)"', settings))
    assert len(variables) > 15
    readme = (ROOT / "README.md").read_text()
    assert {name for name in variables if f"`{name}`" not in readme} == set()
