"""The oracle is no rubber stamp: each other order of effects one could think of turns it red."""

from pathlib import Path

import pytest
from attrs import frozen
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from application.make_clip import ClipInputs, ClipResult, MakeClip
from domain.clip import ClipRequest, ClipStatus, report_of
from domain.delivery import Delivery
from domain.errors import AlreadyInProgress
from domain.idempotency import (
    Announced,
    Existing,
    InProgress,
    NameTaken,
    Unannounced,
    available,
    decide_existing,
)
from domain.manifest import Manifest
from domain.retry import Reject
from tests.model.cases import TOGETHER
from tests.model.exploring import Exploration
from tests.model.running import ACKNOWLEDGE
from tests.model.test_accounts import Disorder


class AcknowledgesBeforeItTells(MakeClip):
    def _announce(
        self, request: ClipRequest, delivery: Delivery, manifest: Manifest, notes: tuple[str, ...]
    ) -> ClipResult:
        self.cameras.update_clip(manifest.report, delivery.deadline_s)
        acknowledge = getattr(self.queue, ACKNOWLEDGE.method)  # no port's: the tests' own
        acknowledge()
        return super()._announce(request, delivery, manifest, notes)


class LosesAndAcknowledges(MakeClip):
    def _build(
        self, request: ClipRequest, delivery: Delivery, folder: Path, gathered: ClipInputs
    ) -> ClipResult:
        try:
            return super()._build(request, delivery, folder, gathered)
        except AlreadyInProgress:
            return ClipResult(available(request, gathered.plan.gaps))


class TellsBeforeItStores(MakeClip):
    def _build(
        self, request: ClipRequest, delivery: Delivery, folder: Path, gathered: ClipInputs
    ) -> ClipResult:
        self.cameras.update_clip(available(request, gathered.plan.gaps), delivery.deadline_s)
        return super()._build(request, delivery, folder, gathered)


class LooksOnce(MakeClip):
    def _look_again(self, request: ClipRequest, delivery: Delivery) -> None:
        pass


class ReadsTheManifestFirst(MakeClip):
    def _standing(self, request: ClipRequest, delivery: Delivery) -> Existing:
        manifest = self.clips.read_manifest(request.name, delivery.deadline_s)
        clip = self.clips.find(request.name, delivery.deadline_s)
        return decide_existing(request, delivery, clip, manifest, self.delivery_timeout_ms)


class WritesTheManifestBeforeItPublishes(MakeClip):
    def _announce(
        self, request: ClipRequest, delivery: Delivery, manifest: Manifest, notes: tuple[str, ...]
    ) -> ClipResult:
        self.cameras.update_clip(manifest.report, delivery.deadline_s)
        self.clips.write_manifest(request.name, manifest, delivery.deadline_s, replace=True)
        self.notifier.publish(manifest.report, delivery.deadline_s)
        return ClipResult(manifest.report, notes)


class AnnouncesWhatOthersHaveJustStored(MakeClip):
    def _go_on_from(
        self,
        standing: Announced | Unannounced | InProgress | NameTaken,
        request: ClipRequest,
        delivery: Delivery,
    ) -> ClipResult:
        if isinstance(standing, InProgress):
            manifest = Manifest(available(request, ()), delivery.writer)
            return self._announce(request, delivery, manifest, ())
        return super()._go_on_from(standing, request, delivery)


class RefusesOverAFinishedClip(MakeClip):
    def _refuse(
        self,
        request: ClipRequest,
        delivery: Delivery,
        refused: Reject,
        notes: tuple[str, ...] = (),
    ) -> ClipResult:
        result = super()._refuse(request, delivery, refused, notes)
        manifest = Manifest(result.report, delivery.writer)
        self.clips.write_manifest(request.name, manifest, delivery.deadline_s, replace=True)
        return result


class WaitsForNothing(MakeClip):
    def _wait(
        self, request: ClipRequest, delivery: Delivery, delay_s: int, notes: tuple[str, ...]
    ) -> ClipResult:
        report = report_of(request, ClipStatus.PENDING, reason=f"{delay_s} s")
        self.cameras.update_clip(report, delivery.deadline_s)
        return ClipResult(report, notes)


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
