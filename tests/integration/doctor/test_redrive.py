"""`camclip redrive`: what it says of dead letters, which it moves, and what it leaves alone."""

import json
import time
from typing import Any

import pytest
from attrs import define, field
from pytest_httpserver import HTTPServer

from application.triage_dead_letters import Selection, TriagedLetter, Verdict
from domain.clip import ClipReport, ClipRequest, ClipStatus
from domain.errors import Unavailable
from domain.manifest import Manifest, MediaInfo
from entrypoints.cli.redrive import MAX_LETTERS, ReceivedLetters, held, remarks
from infrastructure.formats.manifests import manifest_json
from infrastructure.formats.messages import message_body
from infrastructure.formats.object_keys import clip_key, manifest_key, metadata
from infrastructure.sqs import DeadLetter, DeadLetterQueue
from tests.contract.conftest import aws
from tests.contract.real import Aws
from tests.contract.worlds import LENGTH_MS
from tests.integration.doctor.deployment import SECRET, Deployment, deploy

__all__ = ["aws"]  # a fixture

FOOTAGE = MediaInfo(25, 0.0, 960.0, 1000.0, "avc1", 64, 64)
HOUR_MS = 3_600_000
BROKEN = "cannot be understood (cameraId is not 1 to 64 letters, digits, hyphens or underscores)"


@define
class World:
    """A deployment whose camera recorded two seconds an hour ago, and its dead letters."""

    deployment: Deployment
    start_ms: int
    sent: list[str] = field(factory=list)

    def request(self, clip_id: str, **changed: Any) -> ClipRequest:  # noqa: ANN401 - fields
        """Ask for a second of what was recorded, in time."""
        asked: dict[str, Any] = {
            "camera_id": "pier",
            "start_ms": self.start_ms,
            "end_ms": self.start_ms + 1000,
            "retries_ms": (self.start_ms + 60_000,),
        }
        return ClipRequest(clip_id, **{**asked, **changed})

    def letter(self, body: str | ClipRequest, **attributes: str) -> None:
        text = body if isinstance(body, str) else message_body(body)
        self.sent.append(text)
        self.deployment.aws.sqs.send_message(
            QueueUrl=self.deployment.dead_url,
            MessageBody=text,
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value}
                for name, value in attributes.items()
            },
        )

    def clip(self, request: ClipRequest, *, manifest: bool) -> None:
        """Store the clip of the request, and tell everybody of it, or not."""
        s3, bucket = self.deployment.aws.s3, self.deployment.clips
        about = metadata(request, FOOTAGE, "m#1", ())
        s3.put_object(Bucket=bucket, Key=clip_key(request.name), Body=b"x", Metadata=about)
        if manifest:
            told = manifest_json(Manifest(ClipReport.available(request, ()), "m#1", FOOTAGE))
            s3.put_object(Bucket=bucket, Key=manifest_key(request.name), Body=told.encode())

    def dead(self) -> list[str]:
        return sorted(
            letter["Body"] for letter in self.deployment.letters(self.deployment.dead_url)
        )

    def queued(self) -> list[dict[str, Any]]:
        return self.deployment.letters(self.deployment.queue_url)


@pytest.fixture
def world(aws: Aws, httpserver: HTTPServer) -> World:
    deployment = deploy(aws, httpserver)
    start_ms = time.time_ns() // 1_000_000_000 * 1000 - HOUR_MS
    deployment.cameras.has_segment("pier", start_ms)
    return World(deployment, start_ms)


def one_of_each(world: World) -> None:
    """Put a letter of every group into the dead-letter queue, and two of what failed."""
    world.letter(world.request("failed-1"))
    world.letter(world.request("failed-2", end_ms=world.start_ms + LENGTH_MS))
    world.letter(world.request("untold"))
    world.clip(world.request("untold"), manifest=False)
    world.letter(world.request("done"))
    world.clip(world.request("done"), manifest=True)
    world.letter(world.request("taken"))
    world.clip(world.request("taken", end_ms=world.start_ms + 500), manifest=True)
    world.letter(world.request("long", end_ms=world.start_ms + 301_000))
    world.letter(world.request("unknown", camera_id="boat"))
    early_ms = world.start_ms - 4 * 24 * HOUR_MS
    world.letter(world.request("early", start_ms=early_ms, end_ms=early_ms + 1000))
    world.letter('{"clipId": "broken", "cameraId": "../x", "note": "private"}')
    world.letter("no JSON, and private")


def groups(printed: str) -> dict[str, tuple[bool, int, str]]:
    """Return, by what the letters are: whether some are moved, how many, and such as which."""
    rows = [line.strip("│").split("│") for line in printed.splitlines() if line.startswith("│")]
    cells = [[cell.strip() for cell in row] for row in rows]
    return {what: (mark == ">", int(count), names) for mark, count, _, what, names in cells}


def test_a_dry_run_groups_the_letters_by_what_they_are(world: World) -> None:
    """Each with how many there are and what clips; what is worth it is marked."""
    one_of_each(world)
    ran = world.deployment.camclip("redrive")
    assert ran.exit_code == 0, ran.output
    told = groups(ran.stdout)
    failed = told.pop("failed, and may be made now")
    assert failed[:2] == (True, 2)
    assert sorted(failed[2].split(", ")) == ["failed-1", "failed-2"]
    assert told == {
        "the clip is stored, not told to everybody": (True, 1, "untold"),
        "the clip is there, and told": (False, 1, "done"),
        "would end as CLIP_TOO_LONG": (False, 1, "long"),
        "would end as FATAL_ERROR (unknown camera)": (False, 1, "unknown"),
        "would end as CLIP_OUT_OF_RANGE (there is no footage)": (False, 1, "early"),
        "the name is taken by a clip of another window": (False, 1, "taken"),
        BROKEN: (False, 1, "broken"),
        "cannot be understood (it names no clip)": (False, 1, ""),
    }
    assert "A dry run: --go would move 3. Nothing was changed." in ran.stderr
    assert "look for its clipId" in ran.stderr
    assert "private" not in ran.output
    assert SECRET not in ran.output


def test_a_dry_run_leaves_everything_as_it_was(world: World) -> None:
    """The letters, more than a call holds, can be received at once; nothing is queued or told."""
    one_of_each(world)
    for number in range(3):
        world.letter(world.request(f"more-{number}"))
    world.deployment.camclip("redrive")
    assert world.dead() == sorted(world.sent)
    assert world.queued() == []
    assert world.deployment.cameras.states == {}


def test_the_ages_count_from_the_first_asking(world: World) -> None:
    """Not from the last time that the request was queued."""
    world.letter(
        world.request("old", retries_ms=(world.start_ms - 1000, world.start_ms + 1_800_000))
    )
    ran = world.deployment.camclip("redrive")
    assert "1 h ago" in ran.stdout


def test_what_failed_goes_back_with_its_age(world: World) -> None:
    """And with what the sender had put on it; the rest stays."""
    one_of_each(world)
    world.letter(world.request("noted", unknown_keys={"priority": 7}), tenant="harbour")
    sent_at_ms = time.time_ns() // 1_000_000
    ran = world.deployment.camclip("redrive", "--go")
    assert ran.exit_code == 0, ran.output
    assert "Moved 4 of 4 back into the queue." in ran.stderr
    queued = {json.loads(letter["Body"])["clipId"]: letter for letter in world.queued()}
    assert set(queued) == {"failed-1", "failed-2", "untold", "noted"}
    moved = json.loads(queued["noted"]["Body"])
    first_ms, second_ms = moved["retryTimestamps"]
    assert first_ms == world.start_ms + 60_000
    assert abs(second_ms - sent_at_ms) < 10_000
    assert moved["priority"] == 7
    assert queued["noted"]["MessageAttributes"]["tenant"]["StringValue"] == "harbour"
    left = [body for body in world.sent if not any(f'"{name}"' in body for name in queued)]
    assert world.dead() == sorted(left)


def test_all_moves_the_others_too_as_they_are(world: World) -> None:
    """A body that cannot be understood is not touched."""
    one_of_each(world)
    ran = world.deployment.camclip("redrive", "--go", "--all")
    assert ran.exit_code == 0, ran.output
    assert world.dead() == []
    bodies = [letter["Body"] for letter in world.queued()]
    assert len(bodies) == len(world.sent)
    assert "no JSON, and private" in bodies


def test_one_clip_and_the_oldest_can_be_chosen(world: World) -> None:
    """By id, whatever the group; or so many of what is worth it."""
    for number in range(3):
        earlier_ms = world.start_ms + 60_000 - 1000 * number
        world.letter(world.request(f"failed-{number}", retries_ms=(earlier_ms,)))
    world.letter(world.request("long", end_ms=world.start_ms + 301_000))
    dry = world.deployment.camclip("redrive", "--clip", "long", "--clip", "none")
    assert "would move 1." in dry.stderr
    assert "No letter names the clip none." in dry.stderr
    assert world.deployment.camclip("redrive", "--go", "--limit", "1").exit_code == 0
    assert world.deployment.camclip("redrive", "--go", "--clip", "long").exit_code == 0
    queued = [json.loads(letter["Body"])["clipId"] for letter in world.queued()]
    assert sorted(queued) == ["failed-2", "long"]
    left = {json.loads(body)["clipId"] for body in world.dead()}
    assert left == {"failed-0", "failed-1"}


def test_what_cannot_be_looked_at_stays(world: World, httpserver: HTTPServer) -> None:
    """It would only fail again; why is said, once."""
    world.letter(world.request("c1"))
    world.letter(world.request("c2"))
    httpserver.clear()
    httpserver.expect_request("/cameras/pier").respond_with_data(status=403)
    ran = world.deployment.camclip("redrive", "--go")
    assert groups(ran.stdout)["could not be looked at"][:2] == (False, 2)
    assert ran.stderr.count("Could not look: The camera API answered 403") == 1
    assert len(world.dead()) == 2
    assert world.queued() == []


def test_an_empty_queue_is_no_fault(world: World) -> None:
    """It says so."""
    ran = world.deployment.camclip("redrive")
    assert (ran.exit_code, ran.stdout) == (0, "")
    assert "There are no dead letters" in ran.stderr


def test_the_letters_can_be_taken_from_elsewhere(world: World, aws: Aws) -> None:
    """From a queue that names no dead letters of its own, say; but never from the queue itself."""
    other = aws.queue()
    aws.sqs.send_message(QueueUrl=other, MessageBody=message_body(world.request("c1")))
    assert world.deployment.camclip("redrive", "--go", "--from", other).exit_code == 0
    assert [json.loads(letter["Body"])["clipId"] for letter in world.queued()] == ["c1"]
    itself = world.deployment.camclip("redrive", "--go", "--from", world.deployment.queue_url)
    assert itself.exit_code == 2
    nowhere = world.deployment.camclip("redrive", AWS_SQS_QUEUE_URL=other)
    assert nowhere.exit_code == 2
    assert "say which with --from" in nowhere.stderr


def test_settings_that_make_no_sense_are_told(world: World) -> None:
    """As every command tells them."""
    ran = world.deployment.camclip("redrive", SQS_TIMEOUT="0")
    assert ran.exit_code == 2
    assert "SQS_TIMEOUT='0'" in ran.stderr


def test_a_redriven_letter_is_decided_as_if_asked_for_then(world: World) -> None:
    """Asked for in time, it is not too old now; as a new message it would be."""
    start_ms = world.start_ms - 2 * HOUR_MS
    for clip_id, asked_ms in (("late", start_ms + HOUR_MS), ("gone", start_ms + 2000)):
        world.letter(ClipRequest(clip_id, "pier", start_ms, start_ms + 1000, (asked_ms,)))
    told = groups(world.deployment.camclip("redrive").stdout)
    assert told["would end as CLIP_NOT_AVAILABLE (there is no footage)"][2] == "late"
    assert told["would end as CLIP_RETRY_TIMEOUT (there is no footage)"][2] == "gone"


# One letter's move, and what can go wrong with it


def dead_letters(world: World) -> DeadLetterQueue:
    return DeadLetterQueue(world.deployment.aws.sqs, world.deployment.dead_url)


def hand(world: World) -> ReceivedLetters:
    taken = ReceivedLetters(dead_letters(world), time.monotonic() + 60)
    taken.take()
    return taken


def sorted_as_failed(letter: DeadLetter) -> TriagedLetter:
    return TriagedLetter(letter, Verdict.FAILED, letter.body, letter.sent_at_ms, "c1")


@pytest.mark.parametrize(
    ("broken", "queued", "dead"), [("DeleteMessage", 1, 1), ("SendMessage", 0, 1)]
)
def test_a_letter_is_sent_before_it_is_deleted(
    world: World, broken: str, queued: int, dead: int
) -> None:
    """Whichever call fails, it is in one queue at least, and stays in hand to be given back."""

    def fails(**_: object) -> None:
        raise Unavailable(f"{broken} failed.")

    world.letter(world.request("c1"))
    taken = hand(world)
    (letter,) = taken.letters.values()
    events, name = world.deployment.aws.sqs.meta.events, f"before-call.sqs.{broken}"
    events.register(name, fails)
    try:
        moved = taken.move(sorted_as_failed(letter), world.deployment.queue_url)
    finally:
        events.unregister(name, fails)
    assert not moved
    taken.dead.give_back(list(taken.letters.values()), time.monotonic() + 10)
    assert (len(world.queued()), len(world.dead())) == (queued, dead)


def test_a_moved_letter_is_out_of_hand(world: World) -> None:
    """It is not given back to a queue that has it no more."""
    world.letter(world.request("c1"))
    taken = hand(world)
    (letter,) = taken.letters.values()
    assert taken.move(sorted_as_failed(letter), world.deployment.queue_url)
    assert taken.letters == {}
    assert [message["Body"] for message in world.queued()] == world.sent


def test_letters_that_others_may_see_again_are_not_moved(world: World) -> None:
    """They were hidden for ten minutes; whoever takes them now would find them twice."""
    world.letter(world.request("c1"))
    taken = hand(world)
    taken.until_s = time.monotonic() - 1
    (letter,) = taken.letters.values()
    assert not taken.move(sorted_as_failed(letter), world.deployment.queue_url)
    assert world.queued() == []


def test_what_is_in_hand_is_given_back_whatever_happens(world: World) -> None:
    """Ctrl-C, say: nobody need wait for ten minutes."""
    world.letter(world.request("c1"))

    def interrupted() -> None:
        with held(dead_letters(world)) as taken:
            assert len(taken.letters) == 1
            assert world.dead() == []
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert len(world.dead()) == 1


def test_the_oldest_are_chosen_first() -> None:
    """By their first asking; a clip asked for by name counts alone."""
    letters = [
        TriagedLetter(DeadLetter(name, "", age, "", {}), group, "", age, name)
        for name, group, age in [
            ("b", Verdict.FAILED, 2),
            ("a", Verdict.UNTOLD, 1),
            ("d", Verdict.DONE, 0),
            ("c", Verdict.FAILED, 3),
        ]
    ]

    def chosen(*wanted: Any) -> str:  # noqa: ANN401 - fields
        return "".join(str(letter.clip_id) for letter in Selection(*wanted)(letters))

    assert chosen() == "abc"
    assert chosen(False, frozenset(), 2) == "ab"
    assert chosen(True) == "dabc"
    assert chosen(False, frozenset("dc")) == "dc"
    many = letters * (MAX_LETTERS // len(letters))
    assert "There may be more" in "".join(remarks(many, Selection()))


def test_a_refusal_that_was_told_does_not_hide_that_there_is_footage_now(world: World) -> None:
    """A clip may replace a refusal, never the other way round."""
    request = world.request("c1")
    world.letter(request)
    report = ClipReport("c1", ClipStatus.RETRY_TIMEOUT, "pier", fingerprint=request.fingerprint)
    world.deployment.aws.s3.put_object(
        Bucket=world.deployment.clips,
        Key=manifest_key(request.name),
        Body=manifest_json(Manifest(report, "m#1")).encode(),
    )
    told = groups(world.deployment.camclip("redrive").stdout)
    assert told["failed, and may be made now"] == (True, 1, "c1")
