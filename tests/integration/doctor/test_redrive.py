"""`camclip redrive`: its verdicts on dead letters, and which of them it moves."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from attrs import define, field

from application.triage_dead_letters import HOPELESS, Selection, TriagedLetter, Verdict
from devtools.local_aws.camera_api import fails
from domain.clip import ClipReport, ClipRequest, ClipStatus
from domain.coverage import Coverage
from domain.errors import Unavailable
from domain.manifest import Manifest, MediaInfo
from entrypoints.cli.redrive import (
    MAX_LETTERS,
    Droppable,
    ReceivedLetters,
    received_letters,
    remarks,
)
from infrastructure.formats.manifests import manifest_json
from infrastructure.formats.messages import message_body
from infrastructure.formats.object_keys import clip_key, manifest_key, metadata
from infrastructure.sqs.dead_letters import DeadLetterQueue
from tests.contract.real import Aws, HttpCameraWorld
from tests.contract.worlds import LENGTH_MS
from tests.integration.doctor.deployment import SECRET, MotoDeployment, deployed

MEDIA = MediaInfo(25, 0.0, 960.0, 1000.0, "avc1", 64, 64)
HOUR_MS = 3_600_000
INVALID = "invalid message (cameraId is not 1 to 64 letters, digits, hyphens or underscores)"


@define
class World:
    """A deployment whose camera recorded two seconds an hour ago, and its dead letters."""

    deployment: MotoDeployment
    start_ms: int
    sent: list[str] = field(factory=list)
    """The bodies of its dead letters."""

    def request(self, clip_id: str, **changed: Any) -> ClipRequest:  # noqa: ANN401 - fields
        """Return a request for a second of the recording, first sent in time."""
        fields: dict[str, Any] = {
            "camera_id": "pier",
            "start_ms": self.start_ms,
            "end_ms": self.start_ms + 1000,
            "retries_ms": (self.start_ms + 60_000,),
        }
        return ClipRequest(clip_id, **{**fields, **changed})

    def add_letter(self, body: str | ClipRequest, **attributes: str) -> None:
        text = body if isinstance(body, str) else message_body(body)
        self.sent.append(text)
        self.deployment.aws.sqs.send_message(
            QueueUrl=self.deployment.aws.dead_url,
            MessageBody=text,
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value}
                for name, value in attributes.items()
            },
        )

    def store_clip(self, request: ClipRequest, *, is_announced: bool) -> None:
        s3, bucket = self.deployment.aws.s3, self.deployment.aws.destination
        about = metadata(request, MEDIA, "m#1", Coverage())
        s3.put_object(Bucket=bucket, Key=clip_key(request.name), Body=b"x", Metadata=about)
        if is_announced:
            manifest = manifest_json(
                Manifest(ClipReport.available(request, Coverage()), "m#1", MEDIA)
            )
            s3.put_object(Bucket=bucket, Key=manifest_key(request.name), Body=manifest.encode())

    def dead(self) -> list[str]:
        letters = self.deployment.receive(self.deployment.aws.dead_url)
        return sorted(letter["Body"] for letter in letters)

    def queued(self) -> list[dict[str, Any]]:
        return self.deployment.receive(self.deployment.aws.queue_url)


@pytest.fixture
def world(aws: Aws, http_cameras: HttpCameraWorld) -> Iterator[World]:
    start_ms = time.time_ns() // 1_000_000_000 * 1000 - HOUR_MS
    http_cameras.has_segment("pier", start_ms)
    with deployed(aws, http_cameras) as deployment:
        yield World(deployment, start_ms)


def add_one_of_each(world: World) -> None:
    """Add a dead letter for every verdict, and two that failed."""
    world.add_letter(world.request("failed-1"))
    world.add_letter(world.request("failed-2", end_ms=world.start_ms + LENGTH_MS))
    world.add_letter(world.request("unannounced"))
    world.store_clip(world.request("unannounced"), is_announced=False)
    world.add_letter(world.request("announced"))
    world.store_clip(world.request("announced"), is_announced=True)
    world.add_letter(world.request("taken"))
    world.store_clip(world.request("taken", end_ms=world.start_ms + 500), is_announced=True)
    world.add_letter(world.request("long", end_ms=world.start_ms + 301_000))
    world.add_letter(world.request("unknown", camera_id="boat"))
    early_ms = world.start_ms - 4 * 24 * HOUR_MS
    world.add_letter(world.request("early", start_ms=early_ms, end_ms=early_ms + 1000))
    world.add_letter('{"clipId": "invalid", "cameraId": "../x", "note": "private"}')
    world.add_letter("no JSON, and private")


def rows_of(printed: str) -> dict[str, tuple[bool, int, str]]:
    """Return the table's rows by verdict: whether they are selected, the count, the clip ids."""
    rows = [line.strip("│").split("│") for line in printed.splitlines() if line.startswith("│")]
    cells = [[cell.strip() for cell in row] for row in rows]
    return {verdict: (mark == ">", int(count), ids) for mark, count, _, verdict, ids in cells}


def test_a_dry_run_groups_the_letters_by_verdict(world: World) -> None:
    """With their count and clip ids; the ones that may succeed now are marked."""
    add_one_of_each(world)
    ran = world.deployment.camclip("redrive")
    assert ran.exit_code == 0, ran.output
    rows = rows_of(ran.stdout)
    failed = rows.pop("failed; may succeed now")
    assert failed[:2] == (True, 2)
    assert sorted(failed[2].split(", ")) == ["failed-1", "failed-2"]
    assert rows == {
        "clip stored, not announced": (True, 1, "unannounced"),
        "clip stored and announced": (False, 1, "announced"),
        "would end as CLIP_TOO_LONG": (False, 1, "long"),
        "would end as FATAL_ERROR (unknown camera)": (False, 1, "unknown"),
        "would end as CLIP_OUT_OF_RANGE (no footage)": (False, 1, "early"),
        "clip id taken by a clip of another window or other options": (False, 1, "taken"),
        INVALID: (False, 1, "invalid"),
        "invalid message (without a clip id)": (False, 1, ""),
    }
    assert "Dry run: --go would move 3. Nothing was changed." in ran.stderr
    assert "search it for the clipId" in ran.stderr
    assert (
        "No redrive helps 1 announced, 3 rejected, 1 taken, 2 invalid: --drop VERDICT deletes them."
    ) in ran.stderr
    assert "private" not in ran.output
    assert SECRET not in ran.output


def test_a_dry_run_leaves_everything_as_it_was(world: World) -> None:
    """All letters, more than one call returns, are visible; nothing is queued or reported."""
    add_one_of_each(world)
    for number in range(3):
        world.add_letter(world.request(f"more-{number}"))
    world.deployment.camclip("redrive")
    assert world.dead() == sorted(world.sent)
    assert world.queued() == []
    assert world.deployment.cameras.stand_in.reports == []


def test_ages_count_from_the_first_sending(world: World) -> None:
    """Not from the last time that the request was queued."""
    world.add_letter(
        world.request("old", retries_ms=(world.start_ms - 1000, world.start_ms + 1_800_000))
    )
    ran = world.deployment.camclip("redrive")
    assert "1 h ago" in ran.stdout


def test_failed_requests_are_queued_with_their_age(world: World) -> None:
    """And with their unknown keys and message attributes; all others stay."""
    add_one_of_each(world)
    world.add_letter(world.request("noted", unknown_keys={"priority": 7}), tenant="harbour")
    sent_at_ms = time.time_ns() // 1_000_000
    ran = world.deployment.camclip("redrive", "--go")
    assert ran.exit_code == 0, ran.output
    assert "Moved 4 of 4 back to the queue." in ran.stderr
    queued = {json.loads(letter["Body"])["clipId"]: letter for letter in world.queued()}
    assert set(queued) == {"failed-1", "failed-2", "unannounced", "noted"}
    moved = json.loads(queued["noted"]["Body"])
    first_ms, second_ms = moved["retryTimestamps"]
    assert first_ms == world.start_ms + 60_000
    assert abs(second_ms - sent_at_ms) < 10_000
    assert moved["priority"] == 7
    assert queued["noted"]["MessageAttributes"]["tenant"]["StringValue"] == "harbour"
    left = [body for body in world.sent if not any(f'"{name}"' in body for name in queued)]
    assert world.dead() == sorted(left)


def test_a_letter_is_moved_no_longer_than_the_queue_accepts(world: World) -> None:
    """Its message attributes count, too; the keys that it loses are named."""
    aws = world.deployment.aws
    aws.sqs.set_queue_attributes(QueueUrl=aws.queue_url, Attributes={"MaximumMessageSize": "4096"})
    unknown_keys = {"long": "x" * 2000, "short": "y" * 1000}
    world.add_letter(world.request("fits", unknown_keys=unknown_keys))
    world.add_letter(world.request("tagged", unknown_keys=unknown_keys), tenant="z" * 1000)
    ran = world.deployment.camclip("redrive", "--go")
    assert ran.exit_code == 0, ran.output
    assert "tagged lost unknown keys too long for the queue: long\n" in ran.stderr
    assert "fits lost" not in ran.stderr
    queued = {body["clipId"]: body for body in (json.loads(m["Body"]) for m in world.queued())}
    assert {name: sorted({"long", "short"} & set(body)) for name, body in queued.items()} == {
        "fits": ["long", "short"],
        "tagged": ["short"],
    }


def test_all_moves_every_letter(world: World) -> None:
    """An invalid body stays as it is."""
    add_one_of_each(world)
    ran = world.deployment.camclip("redrive", "--go", "--all")
    assert ran.exit_code == 0, ran.output
    assert world.dead() == []
    bodies = [letter["Body"] for letter in world.queued()]
    assert len(bodies) == len(world.sent)
    assert "no JSON, and private" in bodies


def test_letters_are_selected_by_clip_or_number(world: World) -> None:
    """By id, whatever the verdict; or the oldest ones that may succeed."""
    for number in range(3):
        earlier_ms = world.start_ms + 60_000 - 1000 * number
        world.add_letter(world.request(f"failed-{number}", retries_ms=(earlier_ms,)))
    world.add_letter(world.request("long", end_ms=world.start_ms + 301_000))
    dry = world.deployment.camclip("redrive", "--clip", "long", "--clip", "none")
    assert "would move 1." in dry.stderr
    assert "No dead letter is for the clip none." in dry.stderr
    assert world.deployment.camclip("redrive", "--go", "--limit", "1").exit_code == 0
    assert world.deployment.camclip("redrive", "--go", "--clip", "long").exit_code == 0
    queued = [json.loads(letter["Body"])["clipId"] for letter in world.queued()]
    assert sorted(queued) == ["failed-2", "long"]
    left = {json.loads(body)["clipId"] for body in world.dead()}
    assert left == {"failed-0", "failed-1"}


def test_unchecked_letters_stay(world: World) -> None:
    """They would only fail again; the reason is printed once."""
    world.add_letter(world.request("c1"))
    world.add_letter(world.request("c2"))
    world.deployment.cameras.stand_in.fault = fails("/cameras/pier", 403)
    ran = world.deployment.camclip("redrive", "--go")
    assert rows_of(ran.stdout)["not checked"][:2] == (False, 2)
    assert ran.stderr.count("Not checked: The camera API answered 403") == 1
    assert len(world.dead()) == 2
    assert world.queued() == []


def test_an_empty_queue_is_not_an_error(world: World) -> None:
    """A remark says so."""
    ran = world.deployment.camclip("redrive")
    assert (ran.exit_code, ran.stdout) == (0, "")
    assert "There are no dead letters" in ran.stderr


def test_the_dead_letter_queue_can_be_given(world: World, aws: Aws) -> None:
    """For a queue without a RedrivePolicy; but it must not be the queue itself."""
    other = aws.queue()
    aws.sqs.send_message(QueueUrl=other, MessageBody=message_body(world.request("c1")))
    assert world.deployment.camclip("redrive", "--go", "--from", other).exit_code == 0
    assert [json.loads(letter["Body"])["clipId"] for letter in world.queued()] == ["c1"]
    itself = world.deployment.camclip("redrive", "--go", "--from", world.deployment.aws.queue_url)
    assert itself.exit_code == 2
    nowhere = world.deployment.camclip("redrive", AWS_SQS_QUEUE_URL=other)
    assert nowhere.exit_code == 2
    assert "pass one with --from" in nowhere.stderr


def test_invalid_settings_are_wrong_usage(world: World) -> None:
    """As for every command."""
    ran = world.deployment.camclip("redrive", SQS_TIMEOUT="0")
    assert ran.exit_code == 2
    assert "SQS_TIMEOUT='0'" in ran.stderr


def test_a_redriven_request_keeps_its_age(world: World) -> None:
    """Sent in time, it is not too old now; as a new message it would be."""
    start_ms = world.start_ms - 2 * HOUR_MS
    for clip_id, sent_at_ms in (("late", start_ms + HOUR_MS), ("gone", start_ms + 2000)):
        world.add_letter(ClipRequest(clip_id, "pier", start_ms, start_ms + 1000, (sent_at_ms,)))
    rows = rows_of(world.deployment.camclip("redrive").stdout)
    assert rows["would end as CLIP_NOT_AVAILABLE (no footage)"][2] == "late"
    assert rows["would end as CLIP_RETRY_TIMEOUT (no footage)"][2] == "gone"


# Deleting letters


def test_letters_of_a_verdict_are_named_and_deleted(world: World) -> None:
    """Only those; nothing is queued or reported, and no body is printed."""
    add_one_of_each(world)
    ran = world.deployment.camclip("redrive", "--drop", "announced", "--drop", "invalid", "--yes")
    assert ran.exit_code == 0, ran.output
    named = [line for line in ran.stderr.splitlines() if line.startswith("To be deleted: ")]
    assert "To be deleted: announced: clip stored and announced" in named
    assert f"To be deleted: invalid: {INVALID}" in named
    assert [line.partition(": ")[2][36:] for line in named if "without" in line] == [
        ": invalid message (without a clip id)"  # after the message's id
    ]
    assert len(named) == 3
    assert ran.stderr.splitlines()[-1] == "Deleted 3 of 3."
    assert "private" not in ran.output
    gone = ('"announced"', '"invalid"', "no JSON")
    left = [body for body in world.sent if not any(text in body for text in gone)]
    assert world.dead() == sorted(left)
    assert world.queued() == []
    assert world.deployment.cameras.stand_in.reports == []


@pytest.mark.parametrize(
    ("answer", "exit_code", "said", "left"),
    [
        ("y\n", 0, "Deleted 1 of 1.", 0),
        ("n\n", 0, "Nothing was deleted.", 1),
        ("\n", 0, "Nothing was deleted.", 1),
        ("", 2, "the question has no answer. Pass --yes to delete without it.", 1),
    ],
)
def test_letters_are_deleted_after_a_question(
    world: World, answer: str, exit_code: int, said: str, left: int
) -> None:
    """Only after a yes; the letters are visible again after any other answer."""
    world.add_letter(world.request("long", end_ms=world.start_ms + 301_000))
    ran = world.deployment.camclip("redrive", "--drop", "rejected", answer=answer)
    assert ran.exit_code == exit_code, ran.output
    assert "To be deleted: long: would end as CLIP_TOO_LONG" in ran.stderr
    assert "Delete this dead letter? This cannot be undone." in ran.stderr
    assert said in ran.stderr
    assert len(world.dead()) == left


def test_a_letter_that_may_succeed_is_never_deleted(world: World) -> None:
    """Not even by its clip's id; the reason is printed."""
    world.add_letter(world.request("good"))
    ran = world.deployment.camclip("redrive", "--drop", "rejected", "--clip", "good", "--yes")
    assert "The dead letter for the clip good stays: failed; may succeed now." in ran.stderr
    assert "Deleted 0 of 0." in ran.stderr
    assert len(world.dead()) == 1


@pytest.mark.parametrize("option", ["--go", "--all"])
def test_letters_are_moved_or_deleted_but_not_both(world: World, option: str) -> None:
    """Before any letter is received."""
    ran = world.deployment.camclip("redrive", "--drop", "invalid", option)
    assert ran.exit_code == 2
    assert "--go and --all move letters, --drop deletes some: choose." in ran.stderr


def test_every_hopeless_verdict_has_a_word() -> None:
    """And no other has one."""
    assert {word.verdict for word in Droppable} == set(HOPELESS)


def test_letters_are_not_deleted_after_their_visibility_timeout(world: World) -> None:
    """Another receiver may have them by then."""
    received, letter = receive_one(world)
    received.hidden_until_s = time.monotonic() - 1
    assert not received.drop(letter)
    received.dead.release(list(received.letters.values()), time.monotonic() + 10)
    assert len(world.dead()) == 1


def test_a_letter_whose_deletion_fails_is_kept(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """And named."""

    def fails(**_: object) -> None:
        raise Unavailable("DeleteMessage failed.")

    received, letter = receive_one(world)
    events, name = world.deployment.aws.sqs.meta.events, "before-call.sqs.DeleteMessage"
    events.register(name, fails)
    try:
        assert not received.drop(letter)
    finally:
        events.unregister(name, fails)
    assert "c1 was not deleted: DeleteMessage failed." in capsys.readouterr().err
    assert list(received.letters) == [letter.message_id]


# Moving one letter


def dead_letters(world: World) -> DeadLetterQueue:
    return DeadLetterQueue(world.deployment.aws.sqs, world.deployment.aws.dead_url)


def receive_one(world: World) -> tuple[ReceivedLetters, TriagedLetter]:
    """Add a letter and receive it."""
    world.add_letter(world.request("c1"))
    received = ReceivedLetters(dead_letters(world), time.monotonic() + 60)
    received.receive()
    (letter,) = received.letters.values()
    return received, TriagedLetter(letter.message_id, Verdict.FAILED, letter.sent_at_ms, "c1")


@pytest.mark.parametrize(
    ("broken", "queued", "dead"), [("DeleteMessage", 1, 1), ("SendMessage", 0, 1)]
)
def test_a_letter_is_sent_before_it_is_deleted(
    world: World, broken: str, queued: int, dead: int
) -> None:
    """Whichever call fails, it is in one queue at least, and is released in the end."""

    def fails(**_: object) -> None:
        raise Unavailable(f"{broken} failed.")

    received, letter = receive_one(world)
    events, name = world.deployment.aws.sqs.meta.events, f"before-call.sqs.{broken}"
    events.register(name, fails)
    try:
        moved = received.move(letter, world.deployment.aws.queue_url)
    finally:
        events.unregister(name, fails)
    assert not moved
    received.dead.release(list(received.letters.values()), time.monotonic() + 10)
    assert (len(world.queued()), len(world.dead())) == (queued, dead)


def test_a_moved_letter_is_not_released(world: World) -> None:
    """The dead-letter queue no longer has it."""
    received, letter = receive_one(world)
    assert received.move(letter, world.deployment.aws.queue_url)
    assert received.letters == {}
    assert [message["Body"] for message in world.queued()] == world.sent


def test_letters_are_not_moved_after_their_visibility_timeout(world: World) -> None:
    """Another receiver may have them by then."""
    received, letter = receive_one(world)
    received.hidden_until_s = time.monotonic() - 1
    assert not received.move(letter, world.deployment.aws.queue_url)
    assert world.queued() == []


def test_received_letters_are_released_after_any_error(world: World) -> None:
    """Ctrl-C, for example: they are visible at once, not after ten minutes."""
    world.add_letter(world.request("c1"))

    def interrupted() -> None:
        with received_letters(dead_letters(world)) as received:
            assert len(received.letters) == 1
            assert world.dead() == []
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert len(world.dead()) == 1


def test_a_full_batch_says_that_there_may_be_more() -> None:
    """The run can be repeated."""
    letters = [TriagedLetter(str(number), Verdict.FAILED, 0) for number in range(MAX_LETTERS)]
    assert "There may be more" in "".join(remarks(letters, Selection()))
    assert "There may be more" not in "".join(remarks(letters[1:], Selection()))


def test_a_reported_rejection_does_not_prevent_a_clip(world: World) -> None:
    """If there is footage now, the clip replaces the rejection."""
    request = world.request("c1")
    world.add_letter(request)
    report = ClipReport("c1", ClipStatus.RETRY_TIMEOUT, "pier", fingerprint=request.fingerprint)
    world.deployment.aws.s3.put_object(
        Bucket=world.deployment.aws.destination,
        Key=manifest_key(request.name),
        Body=manifest_json(Manifest(report, "m#1")).encode(),
    )
    rows = rows_of(world.deployment.camclip("redrive").stdout)
    assert rows["failed; may succeed now"] == (True, 1, "c1")
