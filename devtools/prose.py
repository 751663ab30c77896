"""Check the prose rules of CONTRIBUTING.md that a program can check: `python -m devtools.prose`.

It reads names, docstrings, comments and messages of Python files, and the paragraphs of Markdown.
Each finding is a line `path:line: rule: text`; the exit code is 1 if there is any.
"""

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
    r"told|tells? (?:whether|the|us|it|them|people|how|when|what)": "R4: report, publish, return",
    r"anew": "R8: again",
    r"taken over": "R8: copied, adopted",
    r"beside": "R8: next to, in addition to",
    r"meanwhile": "R8: since, in the meantime",
    r"mend(?:s|ed|ing)?": "R8: fix",
    r"as a rule": "R8: usually",
    r"for good": "R8: permanently",
    r"for ever": "R8: forever",
    r"(?:no|any|every|some)body": "R7: name the part that acts",
    r"in (?:(?:other|our|two|its) )?hands?": "R7: in progress, being processed",
    r"hears? (?:of|about|it|that|nothing)|heard (?:of|about)": "R7: receives, is notified",
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
    "at_most": "max",
    "in_hand": "in_flight",
}
"""Words that names do not contain, and the field's words for them."""

OPENINGS = ("Say", "Tell", "See", "Let", "Have", "Give", "Be", "Look", "Pass")
"""R5: a docstring begins with "Return" or the domain's own verb, never with one of these."""

RULES = [
    *(
        (re.compile(rf"\b(?:{words})\b".replace(" ", r"\s+"), re.IGNORECASE), rule)
        for words, rule in REPLACED_WORDS.items()
    ),
    (
        re.compile(
            r"(?:^|[.!?]\s+)((?:Of|With) (?:an?|the|what|such)\b|What (?:is|are|comes|lies)\b)"
        ),
        "R2, R3: the subject comes first",
    ),
    (
        re.compile(rf'^[rf]*"""(?:{"|".join(OPENINGS)})\b'),
        'R5: "Return", or the domain\'s verb',
    ),
]
PROSE_TOKENS = {tokenize.STRING, tokenize.COMMENT, getattr(tokenize, "FSTRING_MIDDLE", -1)}
QUOTES_ITSELF = {
    Path(name) for name in ("CONTRIBUTING.md", "devtools/prose.py", "tests/unit/test_prose.py")
}
"""Files that quote what they forbid."""


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


def check_text(path: Path, line: int, text: str) -> Iterator[Finding]:
    """Check a text that begins at `line`."""
    for pattern, rule in RULES:
        for found in pattern.finditer(text):
            begins = line + text.count("\n", 0, found.start())
            yield Finding(path, begins, rule, " ".join(found[0].strip('."').split()))


def words_of(name: str) -> str:
    """Return the words of a name in any case convention as `_lower_case_`."""
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)
    return f"_{'_'.join(words).lower()}_"


def replaced_words(name: str) -> list[str]:
    """Return the words of a name that others replace."""
    words = words_of(name)
    return [word for word in REPLACED_NAMES if f"_{word}_" in words]


def check_python(path: Path, source: str) -> Iterator[Finding]:
    """Check the names, docstrings, comments and messages of a module."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        line = token.start[0]
        if token.type == tokenize.NAME:
            for word in replaced_words(token.string):
                yield Finding(path, line, f"names: {REPLACED_NAMES[word]}", token.string)
        # A single word in quotes is a key, whose name may be promised.
        elif token.type in PROSE_TOKENS and not re.fullmatch(r'"\w+"', token.string):
            yield from check_text(path, line, token.string)


def check_markdown(path: Path, source: str) -> Iterator[Finding]:
    """Check a document without its code, and that its paragraphs wrap at one width."""
    without_code = re.sub(
        r"^ *```.*?^ *```|`[^`]+`",
        lambda code: re.sub(r"[^\n]", "x", code[0]),
        source,
        flags=re.DOTALL | re.MULTILINE,
    )
    start = 0
    for paragraph in without_code.split("\n\n"):
        yield from check_text(path, without_code.count("\n", 0, start) + 1, paragraph)
        start += len(paragraph) + 2
    code_lines = without_code.splitlines()
    for number, line in enumerate(code_lines, 1):
        can_wrap = " " in line[:MARKDOWN_COLUMNS].lstrip(" -*0123456789.")
        if len(line) > MARKDOWN_COLUMNS and can_wrap and not re.match(r" *[|!#]|x+$", line):
            yield Finding(path, number, f"R10: {MARKDOWN_COLUMNS} columns", f"{len(line)} columns")


def check(paths: Sequence[Path]) -> list[Finding]:
    """Check files, in order."""
    found: list[Finding] = []
    for path in paths:
        kind = {".py": check_python, ".md": check_markdown}.get(path.suffix)
        if kind and path not in QUOTES_ITSELF:
            found += kind(path, path.read_text(encoding="utf-8"))
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
