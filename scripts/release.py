"""Release a version: `python scripts/release.py VERSION [--dry-run]`.

CHANGELOG.md's [Unreleased] becomes the version of today, pyproject.toml and domain/version.py name
it, git commits and tags it, and dist/ gets the packages and their SHA-256 checksums. Nothing is
pushed. A dry run prints what CHANGELOG.md would say of the version, and changes nothing.
"""

import argparse
import hashlib
import re
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
VERSION = re.compile(r"\d+\.\d+\.\d+")
UNRELEASED = "## [Unreleased]\n"


class CannotRelease(Exception):
    """The release cannot be made; the message says why."""


def released(changelog: str, version: str, date: str) -> str:
    """Return the changelog with its unreleased changes under the version and the date."""
    before, found, after = changelog.partition(UNRELEASED)
    changes = re.split(r"^## \[", after, maxsplit=1, flags=re.MULTILINE)[0].strip()
    if not found or not changes:
        raise CannotRelease("CHANGELOG.md has nothing under [Unreleased]: describe the changes.")
    if f"## [{version}]" in changelog:
        raise CannotRelease(f"CHANGELOG.md has {version} already: choose the next version.")
    return f"{before}{UNRELEASED}\n## [{version}] - {date}\n{after}"


def section_of(changelog: str, version: str) -> str:
    """Return what the changelog says of a version."""
    _, _, after = changelog.partition(f"## [{version}]")
    return f"## [{version}]" + re.split(r"^## \[", after, maxsplit=1, flags=re.MULTILINE)[0]


def checksums(folder: Path) -> str:
    """Return the checksums of the folder's zips, as `sha256sum --check` reads them."""
    zips = sorted(folder.glob("*.zip"))
    return "".join(f"{hashlib.sha256(p.read_bytes()).hexdigest()}  {p.name}\n" for p in zips)


def release(version: str, *, dry_run: bool) -> None:
    """Make the release in the working tree, or only print its notes."""
    if not VERSION.fullmatch(version):
        raise CannotRelease("Name a version: make release VERSION=0.1.0")
    changelog, project = TOP / "CHANGELOG.md", TOP / "pyproject.toml"
    module = TOP / "domain" / "version.py"
    date = datetime.now(UTC).date().isoformat()
    text = released(changelog.read_text(encoding="utf-8"), version, date)
    sys.stdout.write(section_of(text, version))
    if dry_run:
        return
    if _git("status", "--porcelain"):
        raise CannotRelease("The working tree has changes: commit them, or put them aside.")
    if _git("tag", "--list", f"v{version}"):
        raise CannotRelease(f"The tag v{version} exists: choose the next version.")
    for old in (TOP / "dist").glob("*.zip"):
        old.unlink()
    named = re.sub(r'(?m)^VERSION = ".*"$', f'VERSION = "{version}"', module.read_text())
    module.write_text(named)  # the packages name it in proofs
    subprocess.run([sys.executable, "-m", "deploy.package"], cwd=TOP, check=True)
    (TOP / "dist" / "SHA256SUMS").write_text(checksums(TOP / "dist"))
    changelog.write_text(text, encoding="utf-8")
    named = re.sub(r'(?m)^version = ".*"$', f'version = "{version}"', project.read_text())
    project.write_text(named)
    files = (changelog.name, project.name, module.relative_to(TOP).as_posix())
    _git("commit", "--quiet", "--message", f"Version {version}", *files)
    _git("tag", "--annotate", f"v{version}", "--message", f"Version {version}")
    sys.stdout.write(f"Tagged v{version}. Publish it: git push --follow-tags, and attach dist/*.\n")


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=TOP, capture_output=True, text=True, check=False)  # noqa: S607 - the user's
    if done.returncode:
        raise CannotRelease(f"git {words[0]} failed: {done.stderr.strip()}")
    return done.stdout.strip()


def main(argv: Sequence[str] | None = None) -> int:
    """Release; return 1 if it cannot be done."""
    parser = argparse.ArgumentParser(prog="make release", description=__doc__)
    parser.add_argument("version", help="such as 0.1.0")
    parser.add_argument("--dry-run", action="store_true", help="print the notes, change nothing")
    arguments = parser.parse_args(argv)
    try:
        release(arguments.version, dry_run=arguments.dry_run)
    except CannotRelease as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
