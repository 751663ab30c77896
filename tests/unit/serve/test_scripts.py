"""The pages' scripts: their pure functions, run by Node."""

import shutil
import subprocess
from pathlib import Path

import pytest

from entrypoints.cli.clip_page.templates import IMPORT, STATIC, modules

TESTS = sorted((Path(__file__).parent / "scripts").glob("*.test.js"))
NODE = shutil.which("node")
SCRIPTS = sorted(path.name for path in STATIC.glob("*.js"))
UNLESS_ABOUT_THE_PAGE = """
const unlessItIsAboutThePage = (error) => {
  if (error instanceof SyntaxError) throw error; // Node has no document, which comes later.
};
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder in which Node takes the scripts for modules, as browsers do."""
    (tmp_path / "package.json").write_text('{"type": "module"}')
    shutil.copytree(STATIC, tmp_path / "static")
    shutil.copytree(TESTS[0].parent, tmp_path / "tests")
    return tmp_path


@pytest.mark.skipif(NODE is None, reason="There is no node.")
@pytest.mark.parametrize("name", [path.name for path in TESTS])
def test_functions_return_what_their_tables_say(folder: Path, name: str) -> None:
    """Whatever the zone of this machine is."""
    ran = subprocess.run(
        [str(NODE), "--test", "--test-reporter=tap", f"tests/{name}"],
        cwd=folder,
        env={"TZ": "America/Sao_Paulo"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "# tests 0" not in ran.stdout


@pytest.mark.skipif(NODE is None, reason="There is no node.")
def test_scripts_are_modules_without_a_fault(folder: Path) -> None:
    """Each by itself: names that are imported exist where they are imported from."""
    imported = [
        f"await import('./static/{name}').catch(unlessItIsAboutThePage);" for name in SCRIPTS
    ]
    linked = "\n".join([UNLESS_ABOUT_THE_PAGE, *imported])
    (folder / "linked.js").write_text(linked)
    ran = subprocess.run(
        [str(NODE), "linked.js"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_imports_only_scripts_that_are_there(name: str) -> None:
    """From this server, and, for the demo's report, in a form that it understands."""
    assert set(modules(name)) <= set(SCRIPTS)
    text = (STATIC / name).read_text()
    assert len(IMPORT.findall(text)) == text.count(' from "')
    assert "import(" not in text or name == "start.js"
