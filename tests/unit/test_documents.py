"""Everything that the documents name exists."""

import re
import shlex
from importlib import import_module
from pathlib import Path

import pytest
import typer

from domain.options import ClipOptions
from entrypoints.cli.app import COMMANDS
from entrypoints.settings import VARIABLES
from infrastructure.formats.options import option_rows

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "benchmarks/README.md"]
TESTS = {
    name
    for path in (ROOT / "tests").rglob("test_*.py")
    for name in re.findall(r"^ *def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
}
documents = pytest.mark.parametrize(
    "document", DOCUMENTS, ids=[str(path.relative_to(ROOT)) for path in DOCUMENTS]
)


def anchors(document: Path) -> set[str]:
    """The anchors of a document's headings, as GitHub derives them."""
    headings = re.findall(r"^#+ (.+)", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def code(document: Path) -> str:
    """The shell code of a document: its blocks and spans, one command per line."""
    text = document.read_text(encoding="utf-8").replace("\\\n", " ")
    fenced = re.findall(r"```(\w*)\n(.*?)```", text, re.DOTALL)
    blocks = [block for language, block in fenced if language in {"", "sh"}]
    return "\n".join([*blocks, *re.findall(r"`([^`\n]+)`", text)])


@documents
def test_a_documents_tests_exist(document: Path) -> None:
    """Every test that a document names in backticks exists."""
    assert set(re.findall(r"`(test_\w+)`", document.read_text(encoding="utf-8"))) <= TESTS


@documents
def test_a_documents_links_lead_somewhere(document: Path) -> None:
    """Every link leads to a file of the repository, and to one of its headings."""
    broken = []
    links = re.findall(r"\]\(([^):#]*)(?:#([\w-]+))?\)", document.read_text(encoding="utf-8"))
    for path, anchor in links:
        target = document.parent / path if path else document
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(f"{path}#{anchor}")
    assert broken == []


def test_the_readme_lists_every_setting() -> None:
    """Every environment variable that the service reads has a row."""
    missing = [name for name in (*VARIABLES, "CAMCLIP_FFMPEG") if f"`{name}`" not in README]
    assert missing == []


def test_the_readme_lists_every_option() -> None:
    """Every option of a message has the row that follows from its declaration."""
    rows = option_rows(ClipOptions) or ["There are no options yet"]
    assert [row for row in rows if row not in README] == []


@documents
def test_a_documents_commands_exist(document: Path) -> None:
    """Every `camclip` command that a document shows exists, with its options."""
    unknown = []
    for name, arguments in re.findall(r"\bcamclip ([a-z][a-z-]*)([^\n|>#]*)", code(document)):
        if name not in COMMANDS:
            unknown.append(name)
            continue
        module = import_module(COMMANDS[name][0])
        command = getattr(module, name.replace("-", "_"))
        assert isinstance(command, typer.core.TyperCommand)
        options = {option for parameter in command.params for option in parameter.opts}
        given = {word for word in shlex.split(arguments) if re.match(r"--?[a-z]", word)}
        unknown += [f"{name} {option}" for option in sorted(given - options - {"--help"})]
    assert unknown == []


@documents
def test_a_documents_make_targets_exist(document: Path) -> None:
    """Every `make` target that a document shows exists."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    rules = re.findall(r"^([a-z][a-z0-9 -]*):", makefile, re.MULTILINE)
    targets = {target for rule in rules for target in rule.split()}
    shown = re.findall(r"^make ([a-z0-9-]+)", code(document), re.MULTILINE)
    assert set(shown) <= targets


def test_the_architecture_names_functions_that_exist() -> None:
    """Each function is in the module named next to it; the walk has at most twelve."""
    architecture = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    walk = re.findall(r"^\d+\. ", architecture.partition("## The tree")[0], re.MULTILINE)
    assert 0 < len(walk) <= 12
    named = re.findall(r"`([\w.]+)`\s+in\s+`([\w/]+\.py)`", architecture)
    assert len(named) > len(walk)
    for function, path in named:
        *owner, name = function.split(".")
        (module,) = (
            ROOT / top / path for top in ("", "infrastructure") if (ROOT / top / path).exists()
        )
        source = module.read_text(encoding="utf-8")
        assert re.search(rf"^ *(?:def|class) {name}\b", source, re.MULTILINE), function
        assert not owner or re.search(rf"^class {owner[0]}\b", source, re.MULTILINE), function
