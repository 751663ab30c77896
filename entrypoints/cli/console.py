"""The terminal: results on standard output; progress, remarks and errors on standard error."""

import sys
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from attrs import define
from rich.console import Console
from rich.markup import escape
from rich.text import Text

if TYPE_CHECKING:
    from rich.progress import Progress

AVAILABLE, FAILED, USAGE, WAITING, REJECTED = range(5)
"""Exit codes: every clip is available, something failed, the command line or the settings are
invalid, footage is awaited, a request was rejected."""
INTERRUPTED = 130
"""The exit code after Ctrl-C, as shells report SIGINT."""

PIPED_WIDTH = 240
"""Columns of the output when it is piped, so that paths stay on one line."""
MIN_LABEL_WIDTH = 9

WRITING_ORDER = {
    *("LRE", "RLE", "LRO", "RLO", "PDF"),
    *("LRI", "RLI", "FSI", "PDI"),
}
"""Bidirectional classes of the characters that change the order of others (Unicode, annex 9)."""
LINE_ENDS_AND_TABS = "\n\t"


class PlainConsole(Console):
    """A console on which names of files and cameras, and what they hold, have no effect."""

    def render_str(self, text: str, **styles: Any) -> Text:  # noqa: ANN401 - as the library's
        """Render a text without its control characters."""
        return super().render_str(shown(text), **styles)


def shown(text: str) -> str:
    """Return a text as it may be printed: what a terminal would obey, or cannot show, is escaped.

    Names of files may have control characters, and bytes that are no UTF-8.
    """
    return "".join(map(_shown, text))


def _shown(character: str) -> str:
    is_effect = (
        unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"}
        or unicodedata.bidirectional(character) in WRITING_ORDER
    )
    if is_effect and character not in LINE_ENDS_AND_TABS:
        return character.encode("unicode_escape").decode("ascii")
    return character


# A name such as `:car:` is no emoji; the table of emojis is not loaded then, either.
out = PlainConsole(width=None if sys.stdout.isatty() else PIPED_WIDTH, emoji=False)
err = PlainConsole(stderr=True, highlight=False, emoji=False)


class UsageError(Exception):
    """The command line, or the event, is invalid."""


def fail(error: object, code: int) -> int:
    """Print an error, and return `code`."""
    err.print(f"camclip: {error}", style="red", markup=False, soft_wrap=True)
    return code


def print_facts(title: str, facts: Iterable[tuple[str, str]], style: str = "") -> None:
    """Print a title and labelled facts, a line for each; `style` is that of the first.

    Lines are never folded, so that a path can be copied from a narrow terminal, too.
    """
    rows = list(facts)
    width = max([MIN_LABEL_WIDTH, *(len(label) for label, _ in rows)])
    out.print(escape(title), style="italic", highlight=False, soft_wrap=True)
    for number, (label, fact) in enumerate(rows):
        shown = f"[{style}]{escape(fact)}[/]" if style and not number else escape(fact)
        out.print(f"[dim]{label:<{width}}[/] │ {shown}", highlight=False, soft_wrap=True)


@define
class ProgressReporter:
    """Progress on standard error: a bar on a terminal, else nothing."""

    unit: str = "frames"
    bar: "Progress | None" = None

    @contextmanager
    def reporting(self, task: str) -> Iterator[None]:
        """Report the progress of `task` while the block runs, and when it will end."""
        if not err.is_terminal:
            yield
            return
        from rich.progress import (  # noqa: PLC0415 - only a terminal shows it
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        columns = (
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn(self.unit),
            TimeElapsedColumn(),
            TextColumn("left:"),
            TimeRemainingColumn(),
        )
        with Progress(
            TextColumn("{task.description}"), *columns, console=err, transient=True
        ) as bar:
            bar.add_task(task, total=None)
            self.bar = bar
            try:
                yield
            finally:
                self.bar = None

    def __call__(self, done: int, total: int) -> None:
        """Report that `done` of `total` are done."""
        if self.bar:
            self.bar.update(self.bar.task_ids[0], completed=done, total=total)
