"""`camclip redrive`: what the dead letters are, and back to the queue with those worth it.

SQS moves dead letters by itself too (StartMessageMoveTask), but all of them, and as new messages:
their age would count from now, and what was asked for in time would be refused as asked for too
late. So each is received, sent with its first sending noted in `retryTimestamps`, and deleted.
"""

import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from attrs import define, field

from domain.errors import ClipError
from entrypoints.cli.units import span

if TYPE_CHECKING:
    from rich.table import Table

    from application.triage_dead_letters import Selection, TriageDeadLetters, TriagedLetter
    from infrastructure.sqs import DeadLetter, DeadLetterQueue

HIDDEN_S = 600
"""How long letters are kept from others while they are looked at and moved."""
MARGIN_S = 30
MAX_LETTERS = 2000
"""Looked at in one go: so many are looked at and moved within that time."""
TRIAGE_CONCURRENCY = 8
ASK_S = 20
EXAMPLES = 3


def redrive(
    *,
    go: Annotated[bool, typer.Option("--go", help="Move them; else nothing is changed.")] = False,
    all_groups: Annotated[
        bool, typer.Option("--all", help="Every letter, not only those worth another try.")
    ] = False,
    clip: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Only this clip's; may be repeated.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Move N at most, the oldest first.")
    ] = None,
    source: Annotated[
        str | None,
        typer.Option("--from", metavar="URL", help="The dead-letter queue; else the queue's own."),
    ] = None,
) -> None:
    """Say what the dead letters are; with `--go`, put them back into the queue.

    Without `--go` the letters stay as they are, but for their receive count, and are hidden from
    others for as long as it takes. Bodies are never printed. Reads the environment and `.env`.
    """
    from application.triage_dead_letters import Selection  # noqa: PLC0415 - boto3 and all: not for --help
    from entrypoints.cli.app import FAILED, err, out  # noqa: PLC0415 - it registers this command

    selection = Selection(all_groups, frozenset(clip or ()), limit)
    queue_url, dead, sort = _open(source)
    now_ms = time.time_ns() // 1_000_000
    with held(dead) as hand:
        letters = list(hand.letters.values())
        with ThreadPoolExecutor(TRIAGE_CONCURRENCY) as pool:
            found = list(pool.map(partial(sort, now_ms=now_ms), letters))
        chosen = selection(found)
        if found:
            out.print(table(found, chosen, now_ms))
        for line in remarks(found, selection):
            err.print(line, markup=False, soft_wrap=True)
        if not go:
            err.print(f"A dry run: --go would move {len(chosen)}. Nothing was changed.")
            return
        moved = [hand.move(letter, queue_url) for letter in chosen]
    err.print(f"Moved {sum(moved)} of {len(chosen)} back into the queue.")
    raise typer.Exit(0 if all(moved) else FAILED)


def _open(source: str | None) -> "tuple[str, DeadLetterQueue, TriageDeadLetters]":
    """Return the queue's address, the dead letters, and who sorts them."""
    from application.triage_dead_letters import TriageDeadLetters  # noqa: PLC0415
    from entrypoints.cli.app import UsageError, environment  # noqa: PLC0415 - as above
    from entrypoints.container import Aws  # noqa: PLC0415
    from entrypoints.settings import read_settings  # noqa: PLC0415
    from infrastructure.aws import translating_errors  # noqa: PLC0415
    from infrastructure.sqs import DeadLetterQueue, dead_letter_url, queue_attributes  # noqa: PLC0415

    os.environ.update(environment())  # boto3 looks there
    settings = read_settings(os.environ)
    service = Aws(settings=settings, ffmpeg=Path("ffmpeg"))  # which nothing here needs
    queue_url = settings.places.queue_url
    with translating_errors("AWS"):
        client, clips = service.sqs(), service.clips()
    if source is None:
        attributes = queue_attributes(client, queue_url, _soon())
        source = dead_letter_url(client, attributes, _soon())
    if source is None:
        raise UsageError("The queue names no dead-letter queue: say which with --from.")
    if source == queue_url:
        raise UsageError("--from is the queue itself, not its dead-letter queue.")
    sorter = TriageDeadLetters(clips, service.cameras(), settings.rules)
    return queue_url, DeadLetterQueue(client, source), sorter


@define
class ReceivedLetters:
    """Letters that nobody else sees for the time being."""

    dead: "DeadLetterQueue"
    until_s: float
    letters: "dict[str, DeadLetter]" = field(factory=dict)
    """By message id."""

    def take(self) -> None:
        """Receive what there is, up to MAX_LETTERS."""
        while len(self.letters) < MAX_LETTERS:
            some = self.dead.receive(HIDDEN_S, _soon())
            if not some:
                return
            self.letters |= {letter.message_id: letter for letter in some}

    def move(self, chosen: "TriagedLetter", queue_url: str) -> bool:
        """Move a letter; say so if that fails, and keep it."""
        from entrypoints.cli.app import err  # noqa: PLC0415 - as above

        name = chosen.clip_id or chosen.letter.message_id
        if time.monotonic() > self.until_s:
            err.print(f"{name} was not moved: the letters are not ours any more. Run it again.")
            return False
        try:
            self.dead.move(chosen.letter, chosen.body, queue_url, _soon())
        except ClipError as error:
            err.print(f"{name} was not moved, or is in both queues: {error}", markup=False)
            return False
        del self.letters[chosen.letter.message_id]
        return True


@contextmanager
def held(dead: "DeadLetterQueue") -> Iterator[ReceivedLetters]:
    """Take the letters; those still in hand in the end are given back, whatever happens."""
    from entrypoints.cli.app import err  # noqa: PLC0415 - as above

    hand = ReceivedLetters(dead, time.monotonic() + HIDDEN_S - MARGIN_S)
    try:
        hand.take()
        yield hand
    finally:
        try:
            dead.give_back(list(hand.letters.values()), _soon())
        except ClipError as error:
            err.print(f"The letters stay hidden for up to {HIDDEN_S} s: {error}", markup=False)


def table(
    found: "Sequence[TriagedLetter]", chosen: "Sequence[TriagedLetter]", now_ms: int
) -> "Table":
    """Group the letters by what they are; a group that is moved, or some of it, is marked."""
    from rich.table import Table  # noqa: PLC0415 - not for --help

    rows = Table(title=f"Dead letters: {len(found)}", title_justify="left")
    for heading in ("", "letters", "asked for", "what they are", "such as"):
        rows.add_column(heading, justify="right" if heading == "letters" else "left")
    order = sorted(found, key=lambda letter: letter.group.rank)
    for what in dict.fromkeys(letter.what for letter in order):
        group = [letter for letter in order if letter.what == what]
        ages_s = sorted((now_ms - letter.first_seen_ms) // 1000 for letter in group)
        ages = dict.fromkeys(span(age_s) for age_s in (ages_s[0], ages_s[-1]))
        names = list(dict.fromkeys(letter.clip_id for letter in group if letter.clip_id))
        rows.add_row(
            ">" if any(letter in chosen for letter in group) else "",
            str(len(group)),
            " to ".join(ages) + " ago",
            what,
            ", ".join(names[:EXAMPLES]) + (", ..." if len(names) > EXAMPLES else ""),
        )
    return rows


def remarks(found: "Sequence[TriagedLetter]", selection: "Selection") -> Iterator[str]:
    """Say what else there is to know."""
    if not found:
        yield "There are no dead letters, or others are looking at them."
    if len(found) >= MAX_LETTERS:
        yield f"There may be more: {MAX_LETTERS} are looked at in one go."
    for fault in dict.fromkeys(letter.fault for letter in found if letter.fault):
        yield f"Could not look: {fault}"
    known = {letter.clip_id for letter in found}
    for clip_id in sorted(selection.clip_ids - known):
        yield f"No letter names the clip {clip_id}."
    if any(letter.group.name == "FAILED" for letter in found):
        yield "Why one failed is in the log: look for its clipId."


def _soon() -> float:
    return time.monotonic() + ASK_S
