"""The oracle is no rubber stamp: each other order of effects one could think of turns it red."""

from pathlib import Path

import pytest
from attrs import frozen
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from application.make_clip import Ending, Gathered, MakeClip
from domain.clip import Attempt, ClipRequest, ClipStatus, report_of
from domain.errors import BeingMade
from domain.retry import Refuse
from domain.standing import (
    Finished,
    InOtherHands,
    Manifest,
    Standing,
    Taken,
    Unannounced,
    available,
    decide_standing,
)
from tests.crash.cases import TOGETHER
from tests.crash.exploring import Exploration
from tests.crash.running import ACKNOWLEDGE
from tests.crash.test_accounts import Disorder


class AcknowledgesBeforeItTells(MakeClip):
    def _announce(
        self, request: ClipRequest, attempt: Attempt, manifest: Manifest, notes: tuple[str, ...]
    ) -> Ending:
        self.cameras.record(manifest.report, attempt.deadline_s)
        acknowledge = getattr(self.queue, ACKNOWLEDGE.method)  # no port's: the tests' own
        acknowledge()
        return super()._announce(request, attempt, manifest, notes)


class LosesAndAcknowledges(MakeClip):
    def _build(
        self, request: ClipRequest, attempt: Attempt, folder: Path, gathered: Gathered
    ) -> Ending:
        try:
            return super()._build(request, attempt, folder, gathered)
        except BeingMade:
            return Ending(available(request, gathered.plan.gaps))


class TellsBeforeItStores(MakeClip):
    def _build(
        self, request: ClipRequest, attempt: Attempt, folder: Path, gathered: Gathered
    ) -> Ending:
        self.cameras.record(available(request, gathered.plan.gaps), attempt.deadline_s)
        return super()._build(request, attempt, folder, gathered)


class LooksOnce(MakeClip):
    def _look_again(self, request: ClipRequest, attempt: Attempt) -> None:
        pass


class ReadsTheManifestFirst(MakeClip):
    def _standing(self, request: ClipRequest, attempt: Attempt) -> Standing:
        manifest = self.clips.read_manifest(request.name, attempt.deadline_s)
        clip = self.clips.find(request.name, attempt.deadline_s)
        return decide_standing(request, attempt, clip, manifest, self.patience_ms)


class WritesTheManifestBeforeItPublishes(MakeClip):
    def _announce(
        self, request: ClipRequest, attempt: Attempt, manifest: Manifest, notes: tuple[str, ...]
    ) -> Ending:
        self.cameras.record(manifest.report, attempt.deadline_s)
        self.clips.write_manifest(request.name, manifest, attempt.deadline_s, replace=True)
        self.notifier.publish(manifest.report, attempt.deadline_s)
        return Ending(manifest.report, notes)


class AnnouncesWhatOthersHaveJustStored(MakeClip):
    def _go_on_from(
        self,
        standing: Finished | Unannounced | InOtherHands | Taken,
        request: ClipRequest,
        attempt: Attempt,
    ) -> Ending:
        if isinstance(standing, InOtherHands):
            manifest = Manifest(available(request, ()), attempt.writer)
            return self._announce(request, attempt, manifest, ())
        return super()._go_on_from(standing, request, attempt)


class RefusesOverAFinishedClip(MakeClip):
    def _refuse(
        self,
        request: ClipRequest,
        attempt: Attempt,
        refused: Refuse,
        notes: tuple[str, ...] = (),
    ) -> Ending:
        ending = super()._refuse(request, attempt, refused, notes)
        manifest = Manifest(ending.report, attempt.writer)
        self.clips.write_manifest(request.name, manifest, attempt.deadline_s, replace=True)
        return ending


class WaitsForNothing(MakeClip):
    def _wait(
        self, request: ClipRequest, attempt: Attempt, delay_s: int, notes: tuple[str, ...]
    ) -> Ending:
        report = report_of(request, ClipStatus.PENDING, reason=f"{delay_s} s")
        self.cameras.record(report, attempt.deadline_s)
        return Ending(report, notes)


@frozen
class Wrong:
    """A wrong order, where it shows, what is seen of it, and after how many crashes."""

    kind: type[MakeClip]
    world: str
    fault: str
    crashes: int = 0


WRONG = [
    Wrong(
        AcknowledgesBeforeItTells,
        "one message",
        "the subscribers were never told",
        crashes=1,
    ),
    Wrong(
        LosesAndAcknowledges,
        "one message in two hands",
        "the subscribers were never told",
        crashes=1,
    ),
    Wrong(
        TellsBeforeItStores,
        "two messages of one request",
        "AVAILABLE was told before the bytes were there",
    ),
    Wrong(LooksOnce, "one may refuse, one may build", "the last status is wrong"),
    Wrong(LooksOnce, "one may wait, one may build", "the last status is wrong"),
    Wrong(
        ReadsTheManifestFirst,
        "two messages of one request",
        "a finished clip was taken for an unfinished one",
    ),
    Wrong(
        WritesTheManifestBeforeItPublishes,
        "one message",
        "the subscribers were never told",
        crashes=1,
    ),
    Wrong(
        AnnouncesWhatOthersHaveJustStored,
        "two messages of one request",
        "one ending was told twice",
    ),
    Wrong(
        RefusesOverAFinishedClip,
        "one may refuse, one may build",
        "the manifest does not say how it ended",
    ),
    Wrong(
        WaitsForNothing,
        "one may wait, one may build",
        "all is acknowledged and the request has not ended",
    ),
]


@pytest.mark.parametrize("wrong", WRONG, ids=lambda w: w.kind.__name__)
def test_a_wrong_order_is_found_out(wrong: Wrong) -> None:
    """Some schedule ends in just that fault; the right order has none in the same world."""
    world = TOGETHER[wrong.world]
    for kind, faulty in ((wrong.kind, True), (MakeClip, False)):
        exploration = Exploration(kind)
        exploration.explore(exploration.begin(world.outside, world.deliveries, wrong.crashes))
        assert (wrong.fault in exploration.faults) is faulty


@pytest.mark.parametrize("kind", [AcknowledgesBeforeItTells, WritesTheManifestBeforeItPublishes])
def test_the_accounts_find_a_wrong_order_out(kind: type[MakeClip]) -> None:
    """What can be seen without two receivers at once, the state machine sees too."""
    quick = settings(phases=[Phase.generate], max_examples=1_000, stateful_step_count=20)
    with pytest.raises(AssertionError, match=r"never told|manifest does not say"):
        run_state_machine_as_test(type("Wrong", (Disorder,), {"kind": kind}), settings=quick)
