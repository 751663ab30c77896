"""`camclip redrive`: dead letters by cause, and back to the queue, or deleted.

SQS's own redrive (StartMessageMoveTask) moves all dead letters, as new messages: their age would
count from now, and requests sent in time would be rejected as sent too late. So each one is
received, sent with the time of its first sending in `retryTimestamps`, and deleted.
"""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from enum import Enum
from typing import Annotated

import typer
from attrs import define, field
from rich.table import Table

from application.triage_dead_letters import Selection, TriageDeadLetters, TriagedLetter, Verdict
from domain.clip import ClipRequest, InvalidRequest
from domain.delivery import Delivery
from domain.errors import ClipError, NoClipId
from entrypoints.cli.command import command
from entrypoints.cli.console import FAILED, UsageError, err, out
from entrypoints.cli.service import call_deadline_s, open_aws
from entrypoints.cli.times import now_ms
from entrypoints.cli.units import in_largest_unit
from infrastructure.aws import translating_errors
from infrastructure.formats.messages import FittedBody, read_message
from infrastructure.sqs.dead_letters import DeadLetter, DeadLetterQueue, dead_letter_url
from infrastructure.sqs.queue import accepted_body, queue_attributes

HIDDEN_S = 600
"""The visibility timeout of the letters while they are triaged and moved."""
MARGIN_S = 30
MAX_LETTERS = 2000
"""How many letters can be triaged and moved within that time."""
TRIAGE_CONCURRENCY = 8
EXAMPLES = 3
"""Clip ids shown for each verdict."""


class Droppable(Enum):
    """The verdicts that `--drop` names."""

    ANNOUNCED = "announced"
    REJECTED = "rejected"
    TAKEN = "taken"
    INVALID = "invalid"

    @property
    def verdict(self) -> Verdict:
        """The verdict that it names."""
        return Verdict.NAME_TAKEN if self is Droppable.TAKEN else Verdict[self.name]


@command(
    example="`camclip redrive`, then `camclip redrive --go --limit 1`,"
    " or `camclip redrive --drop announced`"
)
def redrive(  # noqa: PLR0913 - one parameter per option
    *,
    go: Annotated[bool, typer.Option("--go", help="Move them; otherwise a dry run.")] = False,
    all_verdicts: Annotated[
        bool, typer.Option("--all", help="Move all, not only those that may succeed now.")
    ] = False,
    drop: Annotated[
        list[Droppable] | None,
        typer.Option(help="Delete those of this verdict instead; may be repeated."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Delete without a question.")] = False,
    clip: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Only this clip's; may be repeated.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="At most N, the oldest first.")
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="URL", help="The dead-letter queue, if not the queue's own."
        ),
    ] = None,
) -> None:
    """Group dead letters by cause, and send them back.

    A dry run, without `--go` and `--drop`, changes nothing but their receive counts. Letters are
    hidden from other receivers while the command runs. Their bodies are never printed. `--drop`
    deletes only letters of requests that would not succeed; their last status stays. Configured by
    the environment and `.env`.
    """
    if drop and (go or all_verdicts):
        raise UsageError("--go and --all move letters, --drop deletes some: choose.")
    dropped = tuple(word.verdict for word in drop or ())
    selection = Selection(all_verdicts, frozenset(clip or ()), limit, dropped)
    queue_url, dead, triage = _open(source)
    with received_letters(dead) as received:
        letters = list(received.letters.values())
        with ThreadPoolExecutor(TRIAGE_CONCURRENCY) as pool:
            triaged = list(pool.map(lambda letter: triaged_letter(letter, triage), letters))
        selected = selection(triaged)
        if triaged:
            out.print(table(triaged, selected))
        for line in remarks(triaged, selection):
            err.print(line, markup=False, soft_wrap=True)
        if drop:
            raise typer.Exit(_drop(received, selected, yes=yes))
        if not go:
            err.print(f"Dry run: --go would move {len(selected)}. Nothing was changed.")
            return
        moved = [received.move(letter, queue_url) for letter in selected]
    err.print(f"Moved {sum(moved)} of {len(selected)} back to the queue.")
    raise typer.Exit(0 if all(moved) else FAILED)


def _drop(received: "ReceivedLetters", selected: Sequence[TriagedLetter], *, yes: bool) -> int:
    """Name the letters and delete them, after a question unless `yes`; return the exit code."""
    for letter in selected:
        line = f"{letter.name}: {letter.summary}"
        err.print(f"To be deleted: {line}", markup=False, soft_wrap=True)
    if selected and not yes and not _is_confirmed(len(selected)):
        err.print("Nothing was deleted.")
        return 0
    deleted = [received.drop(letter) for letter in selected]
    err.print(f"Deleted {sum(deleted)} of {len(selected)}.")
    return 0 if all(deleted) else FAILED


def _is_confirmed(count: int) -> bool:
    letters = "this dead letter" if count == 1 else f"these {count} dead letters"
    try:
        return typer.confirm(f"Delete {letters}? This cannot be undone.", err=True)
    except typer.Abort as error:
        raise UsageError(
            "Nothing was deleted: the question has no answer. Pass --yes to delete without it."
        ) from error


def _open(source: str | None) -> tuple[str, DeadLetterQueue, TriageDeadLetters]:
    """Return the queue's URL, its dead letters, and the use case that triages them."""
    service = open_aws()
    settings, queue_url = service.settings(), service.aws().queue_url
    with translating_errors("AWS"):
        client, clips = service.sqs(), service.clips()
    if source is None:
        attributes = queue_attributes(client, queue_url, call_deadline_s())
        source = dead_letter_url(client, attributes, call_deadline_s())
    if source is None:
        raise UsageError("The queue has no dead-letter queue: pass one with --from.")
    if source == queue_url:
        raise UsageError("--from is the queue itself: pass its dead-letter queue.")
    triage = TriageDeadLetters(
        clips,
        service.cameras(),
        settings.policy,
        settings.seam_tolerance_ms,
        settings.function_timeout_ms,
    )
    return queue_url, DeadLetterQueue(client, source), triage


def triaged_letter(letter: DeadLetter, triage: TriageDeadLetters) -> TriagedLetter:
    """Read a letter and triage it."""
    message_id, sent_at_ms = letter.message_id, letter.sent_at_ms
    try:
        request = read_message(letter.body, sent_at_ms)
    except NoClipId:
        return TriagedLetter(message_id, Verdict.INVALID, sent_at_ms, detail="(without a clip id)")
    if isinstance(request, InvalidRequest):
        detail = f"({request.reason.rstrip('.')})"
        return TriagedLetter(
            message_id, Verdict.INVALID, sent_at_ms, request.clip_id, detail=detail
        )
    again = request.retried(sent_at_ms)
    return triage(Delivery(again, message_id, now_ms(), now_ms(), call_deadline_s()))


@define
class ReceivedLetters:
    """Letters hidden from other receivers until `hidden_until_s`, on the monotonic clock."""

    dead: DeadLetterQueue
    hidden_until_s: float
    letters: dict[str, DeadLetter] = field(factory=dict)
    """By message id."""

    def receive(self) -> None:
        """Receive all letters, up to MAX_LETTERS."""
        while len(self.letters) < MAX_LETTERS:
            batch = self.dead.receive(HIDDEN_S, call_deadline_s())
            if not batch:
                return
            self.letters |= {letter.message_id: letter for letter in batch}

    def move(self, triaged: TriagedLetter, queue_url: str) -> bool:
        """Move a letter to the queue; if that fails, print why, keep it, and return False."""
        name = triaged.name
        if self._has_expired(name, "moved"):
            return False
        letter = self.letters[triaged.message_id]
        try:
            fitted = self._fitted(letter, triaged.request, queue_url)
            self.dead.move(letter, fitted.body, queue_url, call_deadline_s())
        except ClipError as error:
            err.print(f"{name} was not moved, or is in both queues: {error}", markup=False)
            return False
        if fitted.dropped:
            keys = ", ".join(fitted.dropped)
            err.print(f"{name} lost unknown keys too long for the queue: {keys}", markup=False)
        del self.letters[triaged.message_id]
        return True

    def drop(self, triaged: TriagedLetter) -> bool:
        """Delete a letter; if that fails, print why, keep it, and return False."""
        if self._has_expired(triaged.name, "deleted"):
            return False
        try:
            self.dead.delete(self.letters[triaged.message_id], call_deadline_s())
        except ClipError as error:
            err.print(f"{triaged.name} was not deleted: {error}", markup=False)
            return False
        del self.letters[triaged.message_id]
        return True

    def _has_expired(self, name: str, done: str) -> bool:
        if time.monotonic() <= self.hidden_until_s:
            return False
        err.print(f"{name} was not {done}: its visibility timeout is over. Run this again.")
        return True

    def _fitted(
        self, letter: DeadLetter, request: ClipRequest | None, queue_url: str
    ) -> FittedBody:
        if request is None:
            return FittedBody(letter.body)
        size = letter.attributes_bytes
        return accepted_body(self.dead.client, queue_url, request, call_deadline_s(), size)


@contextmanager
def received_letters(dead: DeadLetterQueue) -> Iterator[ReceivedLetters]:
    """Receive the letters; release those that are still there, also after an error."""
    received = ReceivedLetters(dead, time.monotonic() + HIDDEN_S - MARGIN_S)
    try:
        received.receive()
        yield received
    finally:
        try:
            dead.release(list(received.letters.values()), call_deadline_s())
        except ClipError as error:
            err.print(f"Letters stay hidden for up to {HIDDEN_S} s: {error}", markup=False)


def table(triaged: Sequence[TriagedLetter], selected: Sequence[TriagedLetter]) -> Table:
    """Return a row for each verdict; `>` marks those of which letters are selected."""
    rows = Table(title=f"Dead letters: {len(triaged)}", title_justify="left")
    for heading in ("", "count", "first sent", "verdict", "clip ids"):
        rows.add_column(heading, justify="right" if heading == "count" else "left")
    ordered = sorted(triaged, key=lambda letter: letter.verdict.rank)
    for summary in dict.fromkeys(letter.summary for letter in ordered):
        group = [letter for letter in ordered if letter.summary == summary]
        ages_s = sorted((now_ms() - letter.first_seen_ms) // 1000 for letter in group)
        ages = dict.fromkeys(in_largest_unit(age_s) for age_s in (ages_s[0], ages_s[-1]))
        clip_ids = list(dict.fromkeys(letter.clip_id for letter in group if letter.clip_id))
        rows.add_row(
            ">" if any(letter in selected for letter in group) else "",
            str(len(group)),
            " to ".join(ages) + " ago",
            summary,
            ", ".join(clip_ids[:EXAMPLES]) + (", ..." if len(clip_ids) > EXAMPLES else ""),
        )
    return rows


def remarks(triaged: Sequence[TriagedLetter], selection: Selection) -> Iterator[str]:
    """Yield what the table does not show."""
    if not triaged:
        yield "There are no dead letters, or other receivers are processing them."
    if len(triaged) >= MAX_LETTERS:
        yield f"There may be more: one run handles {MAX_LETTERS}. Run this again."
    for fault in dict.fromkeys(letter.fault for letter in triaged if letter.fault):
        yield f"Not checked: {fault}"
    for clip_id in sorted(selection.clip_ids - {letter.clip_id for letter in triaged}):
        yield f"No dead letter is for the clip {clip_id}."
    for letter in triaged if selection.dropped else ():
        if letter.clip_id in selection.clip_ids and letter.verdict not in selection.dropped:
            yield f"The dead letter for the clip {letter.clip_id} stays: {letter.summary}."
    counts = Counter(letter.verdict for letter in triaged)
    hopeless = [
        f"{counts[word.verdict]} {word.value}" for word in Droppable if counts[word.verdict]
    ]
    if hopeless and not selection.dropped:
        yield f"No redrive helps {', '.join(hopeless)}: --drop VERDICT deletes them."
    if any(letter.verdict is Verdict.FAILED for letter in triaged):
        yield "The log says why a request failed: search it for the clipId."
