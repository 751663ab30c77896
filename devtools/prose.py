"""Check the prose rules of CONTRIBUTING.md that a program can check: `python -m devtools.prose`.

It reads docstrings, comments and messages of Python files, and Markdown. Each finding is a line
`path:line: rule: text`; the exit code is 1 if there is any.
"""

import ast
import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator, Sequence
from pathlib import Path

from attrs import frozen

MARKDOWN_COLUMNS = 100
REPLACED_WORDS = {
    r"told|tells? (?:whether|the|us|it|them|people|everybody|nobody|how|when|what)": "R4: report,"
    " publish, log, return, state",
    r"anew": "R8: again",
    r"taken over|takes? over": "R8: copied, adopted",
    r"beside": "R8: next to, in addition to",
    r"meanwhile": "R8: since, in the meantime",
    r"mend(?:s|ed|ing)?": "R8: fix",
    r"as a rule": "R8: usually",
    r"for good": "R8: permanently",
    r"nobody|anybody|everybody|somebody": "R7: name the part that acts",
    r"in (?:other )?hands?|in our hands": "R7: in progress, being processed",
    r"hears?|heard": "R7: is notified, receives",
    r"luck|illness": "R7: chance, jitter; failure",
    r"of no account": "R6: does not matter",
    r"no longer ours": "R7: its lease has expired",
    r"dead letters? (?:are|is) looked at": "R6: triaged",
}
"""What a sentence must not say, and what says it in the field's words."""

REPLACED_NAMES = {
    "sound": "audio",
    "sounding": "audio",
    "still": "thumbnail",
    "stills": "thumbnails",
    "told": "reported, published",
    "anew": "again",
    "longest": "max",
    "lasts": "duration",
    "nameless": "no_clip_id",
    "undecodable": "unusable",
    "beside": "next_to",
}
"""Parts of names that are never used, and the field's words for them."""

OPENINGS = ("Say", "Tell", "See", "Let", "Have", "Give", "Be", "Look", "Pass")
"""R5: a docstring begins with "Return" or the domain's own verb, never with one of these."""

SENTENCE = re.compile(
    r"(?:^|[.!?] +)((?:Of|With) (?:a|an|the|what|such)\b|What (?:is|are|comes|lies)\b)"
)
"""R2 and R3: topics in front of the subject, and clauses that stand for it."""


@frozen
class Finding:
    """A place in the repository's prose that breaks a rule."""

    path: Path
    line: int
    rule: str
    text: str

    def __str__(self) -> str:
        """Write it as compilers do."""
        return f"{self.path}:{self.line}: {self.rule}: {self.text}"


def findings_in(text: str) -> Iterator[tuple[str, str]]:
    """Yield each broken rule of a sentence or more, with the words that break it."""
    if re.fullmatch(r'"\w+"', text):  # a key, whose name may be promised
        return
    for words, rule in REPLACED_WORDS.items():
        for found in re.finditer(rf"\b(?:{words})\b", text, re.IGNORECASE):
            yield rule, found[0]
    for found in SENTENCE.finditer(text):
        yield "R2, R3: subject first", found[1]


def check_python(path: Path) -> Iterator[Finding]:
    """Check names, docstrings, comments and messages of a module."""
    source = path.read_text(encoding="utf-8")
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in {tokenize.STRING, tokenize.COMMENT} or token.string.startswith(" "):
            for rule, words in findings_in(token.string):
                yield Finding(path, token.start[0], rule, words)
        elif token.type == tokenize.NAME:
            for part in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", token.string):
                if part.lower() in REPLACED_NAMES:
                    better = REPLACED_NAMES[part.lower()]
                    yield Finding(path, token.start[0], f"names: {better}", token.string)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module):
            opening = (ast.get_docstring(node) or "").partition(" ")[0]
            if opening in OPENINGS:
                line = getattr(node, "lineno", 1)
                yield Finding(path, line, "R5: Return, or the domain's verb", opening)


def check_markdown(path: Path) -> Iterator[Finding]:
    """Check a document, and that its paragraphs wrap at one width."""
    is_code = False
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.lstrip().startswith("```"):
            is_code = not is_code
        if is_code:
            continue
        for rule, words in findings_in(re.sub(r"`[^`]*`", "", line)):
            yield Finding(path, number, rule, words)
        wraps = " " in line.strip() and not line.startswith(("|", "!", "[", "#"))
        if wraps and len(line) > MARKDOWN_COLUMNS:
            yield Finding(path, number, f"R10: {MARKDOWN_COLUMNS} columns", f"{len(line)} columns")


def check(paths: Sequence[Path]) -> list[Finding]:
    """Check files, in order."""
    found: list[Finding] = []
    for path in paths:
        if path == Path("devtools/prose.py"):  # which quotes what it forbids
            continue
        if path.suffix == ".py":
            found += check_python(path)
        elif path.suffix == ".md" and path.name != "CONTRIBUTING.md":
            found += check_markdown(path)
    return found


def main(arguments: Sequence[str]) -> int:
    """Check the files below `arguments`, else all that git knows; return the exit code."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *arguments],  # noqa: S607
        capture_output=True,
        check=True,
        text=True,
    )
    found = check([path for path in map(Path, listed.stdout.split()) if path.is_file()])
    for finding in found:
        sys.stdout.write(f"{finding}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
