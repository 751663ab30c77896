"""The terminal: results on standard output; progress, remarks and errors on standard error."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from attrs import define
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

AVAILABLE, FAILED, USAGE, WAITING, REJECTED = range(5)
"""Exit codes: every clip is available, something failed, the command line or the settings are
invalid, footage is awaited, a request was rejected."""

PIPED_WIDTH = 240
"""Columns of the output when it is piped, so that paths stay on one line."""

out = Console(width=None if sys.stdout.isatty() else PIPED_WIDTH)
err = Console(stderr=True, highlight=False)


class UsageError(Exception):
    """The command line, or the event, is invalid."""


def fail(error: object, code: int) -> int:
    """Print an error, and return `code`."""
    err.print(f"camclip: {error}", style="red", markup=False, soft_wrap=True)
    return code


@define
class ProgressReporter:
    """Progress on standard error: a bar on a terminal, else a line for each quarter."""

    task: str = ""
    bar: Progress | None = None
    quarter: int = 0

    @contextmanager
    def reporting(self, task: str) -> Iterator[None]:
        """Report the progress of `task` while the block runs."""
        self.task, self.quarter = task, 0
        if not err.is_terminal:
            yield
            return
        columns = (BarColumn(), MofNCompleteColumn(), TextColumn("frames"), TimeElapsedColumn())
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
        """Report that `done` of `total` frames are done."""
        quarter = 4 * done // max(total, 1)
        if self.bar:
            self.bar.update(self.bar.task_ids[0], completed=done, total=total)
        elif quarter > self.quarter:
            err.print(f"{self.task}: {done} of {total} frames")
        self.quarter = quarter
