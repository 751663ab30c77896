"""The oracle is no rubber stamp: each other order of effects one could think of turns it red."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve, frozen
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from application.gather_footage import GatheredFootage
from application.make_clip import ClipResult, MakeClip, Situation
from application.ports import Rendition
from domain.clip import ClipReport, ClipStatus
from domain.delivery import Delivery
from domain.errors import AlreadyInProgress
from domain.idempotency import Existing, InProgress, Unannounced, decide_existing
from domain.manifest import Manifest, StoredClip
from domain.retry import Reject
from tests.model.explorer import Exploration
from tests.model.recorder import ACKNOWLEDGE, Commit, Committing, under_a_claim
from tests.model.scenarios import TOGETHER
from tests.model.test_state_machine import RequestLifecycle
from tests.model.world import Call


class AcknowledgesBeforeItPublishes(MakeClip):
    def _announce(
        self,
        delivery: Delivery,
        manifest: Manifest,
        thumbnails: Mapping[int, Path],
        notes: tuple[str, ...],
        folder: Path,
    ) -> ClipResult:
        self.cameras.update_clip(manifest.report, delivery.deadline_s)
        acknowledge = getattr(self.queue, ACKNOWLEDGE.method)  # no port's: the tests' own
        acknowledge()
        return super()._announce(delivery, manifest, thumbnails, notes, folder)


class StoresThumbnailsBeforeTheClip(MakeClip):
    def _render(
        self, delivery: Delivery, situation: Situation, sending: ExitStack
    ) -> tuple[GatheredFootage, Rendition]:
        gathered, rendition = super()._render(delivery, situation, sending)
        self.clips.store_thumbnails(
            delivery.request.name, rendition.thumbnails, delivery.deadline_s
        )
        return gathered, rendition


class LosesAndAcknowledges(MakeClip):
    def _build(self, delivery: Delivery, situation: Situation) -> ClipResult:
        assert situation.footage.plan
        try:
            return super()._build(delivery, situation)
        except AlreadyInProgress:
            return ClipResult(ClipReport.available(delivery.request, situation.footage.coverage))


class ReportsBeforeItStores(MakeClip):
    def _build(self, delivery: Delivery, situation: Situation) -> ClipResult:
        assert situation.footage.plan
        report = ClipReport.available(delivery.request, situation.footage.coverage)
        self.cameras.update_clip(report, delivery.deadline_s)
        return super()._build(delivery, situation)


class IgnoresRivals(MakeClip):
    def _yield_to_rival(self, delivery: Delivery, folder: Path) -> None:
        pass


class BelievesAManifestReadFirst(MakeClip):
    def _existing(self, delivery: Delivery) -> Existing:
        name, deadline_s = delivery.request.name, delivery.deadline_s
        manifest = self.clips.read_manifest(name, deadline_s)
        clip = self.clips.find(name, deadline_s)
        return decide_existing(delivery, clip, manifest, self.delivery_timeout_ms)


class WritesTheManifestBeforeItPublishes(MakeClip):
    def _announce(
        self,
        delivery: Delivery,
        manifest: Manifest,
        thumbnails: Mapping[int, Path],
        notes: tuple[str, ...],
        folder: Path,
    ) -> ClipResult:
        del folder
        name, deadline_s = delivery.request.name, delivery.deadline_s
        stored = self.clips.store_thumbnails(name, thumbnails, deadline_s)
        manifest = manifest.with_thumbnails(stored)
        self.cameras.update_clip(manifest.report, deadline_s)
        self.clips.write_manifest(name, manifest, deadline_s, replace=True)
        self.notifier.publish(manifest.report, deadline_s)
        return ClipResult(manifest.report, notes)


class StoresSidecarsAfterItPublishes(MakeClip):
    def _announce(
        self,
        delivery: Delivery,
        manifest: Manifest,
        thumbnails: Mapping[int, Path],
        notes: tuple[str, ...],
        folder: Path,
    ) -> ClipResult:
        name, deadline_s = delivery.request.name, delivery.deadline_s
        stored = self.clips.store_thumbnails(name, thumbnails, deadline_s)
        manifest = manifest.with_thumbnails(stored)
        self.cameras.update_clip(manifest.report, deadline_s)
        self.notifier.publish(manifest.report, deadline_s)
        manifest = self._with_sidecars(delivery, manifest, folder)
        self.clips.write_manifest(name, manifest, deadline_s, replace=True)
        return ClipResult(manifest.report, notes)


class AnnouncesWhatOthersHaveJustStored(MakeClip):
    def _existing(self, delivery: Delivery) -> Existing:
        existing = super()._existing(delivery)
        if isinstance(existing, InProgress):
            return Unannounced(StoredClip(delivery.request.fingerprint, delivery.id, 0))
        return existing


class RejectsOverAFinishedClip(MakeClip):
    def _reject(self, delivery: Delivery, situation: Situation, reject: Reject) -> ClipResult:
        result = super()._reject(delivery, situation, reject)
        manifest = Manifest(result.report, delivery.id)
        name = delivery.request.name
        self.clips.write_manifest(name, manifest, delivery.deadline_s, replace=True)
        return result


class RepeatsARejectionOverARivalsClip(MakeClip):
    def _repeat(self, delivery: Delivery, report: ClipReport, folder: Path) -> ClipResult:  # noqa: ARG002
        self.cameras.update_clip(report, delivery.deadline_s)
        return ClipResult(report)


class WaitsForNothing(MakeClip):
    def _requeue(self, delivery: Delivery, situation: Situation, delay_s: int) -> ClipResult:
        report = ClipReport.of(delivery.request, ClipStatus.PENDING, reason=f"{delay_s} s")
        self.cameras.update_clip(report, delivery.deadline_s)
        return ClipResult(report, situation.footage.left_out)


class AnnouncesAnotherClipsProof(MakeClip):
    """It proves what it would have cut itself of the footage that there is by now."""

    def _resume(self, delivery: Delivery, clip: StoredClip, folder: Path) -> ClipResult:
        footage = self._gather(delivery, self._list(delivery))
        assert footage.plan
        rendition = self.transcoder.render(
            footage.plan, footage.recordings, self.thumbnails, folder, delivery.deadline_s
        )
        return super()._resume(delivery, evolve(clip, evidence=rendition.evidence), folder)


@frozen
class Wrong:
    """A wrong order, where it shows, what is seen of it, and after how many crashes."""

    kind: type[MakeClip]
    world: str
    fault: str
    crashes: int = 0


WRONG = [
    Wrong(
        AcknowledgesBeforeItPublishes, "one message", "the outcome was never published", crashes=1
    ),
    Wrong(
        StoresThumbnailsBeforeTheClip,
        "two windows of one clip",
        "the thumbnails are another clip's",
    ),
    Wrong(
        StoresSidecarsAfterItPublishes,
        "two messages of one request with previews",
        "files next to the clip are not its own",
    ),
    Wrong(
        LosesAndAcknowledges,
        "one message at two receivers",
        "the outcome was never published",
        crashes=1,
    ),
    Wrong(
        ReportsBeforeItStores,
        "two messages of one request",
        "AVAILABLE was reported before the clip was stored",
    ),
    Wrong(IgnoresRivals, "one may refuse, one may build", "the last status is wrong"),
    Wrong(IgnoresRivals, "one may wait, one may build", "the last status is wrong"),
    Wrong(
        BelievesAManifestReadFirst,
        "two messages of one request",
        "a finished clip was taken for an unfinished one",
    ),
    Wrong(
        WritesTheManifestBeforeItPublishes,
        "one message",
        "the outcome was never published",
        crashes=1,
    ),
    Wrong(
        AnnouncesWhatOthersHaveJustStored,
        "two messages of one request",
        "one outcome was published twice",
    ),
    Wrong(
        RejectsOverAFinishedClip,
        "one may refuse, one may build",
        "the manifest does not say how it ended",
    ),
    Wrong(
        RepeatsARejectionOverARivalsClip,
        "one may repeat a rejection, one may build",
        "the last status is wrong",
    ),
    Wrong(
        WaitsForNothing,
        "one may wait, one may build",
        "all is acknowledged and the request has not ended",
    ),
    Wrong(
        AnnouncesAnotherClipsProof,
        "one message",
        "the manifest does not prove what was committed",
        crashes=1,
    ),
]


@pytest.mark.parametrize("wrong", WRONG, ids=lambda w: w.kind.__name__)
def test_a_wrong_order_is_found_out(wrong: Wrong) -> None:
    """Some schedule ends in just that fault; the right order has none in the same world."""
    world = TOGETHER[wrong.world]
    for kind, faulty in ((wrong.kind, True), (MakeClip, False)):
        exploration = Exploration(kind)
        exploration.explore(exploration.begin(world.world, world.deliveries, wrong.crashes))
        assert (wrong.fault in exploration.faults) is faulty


def without_a_claim(answer: Callable[[Call], Any]) -> Commit:
    return lambda *args: answer(Call("clips", "overwrite", args))


def under_a_claim_that_falls_at_once(answer: Callable[[Call], Any]) -> Commit:
    return under_a_claim(answer, timeout_ms=0)


@pytest.mark.parametrize("committing", [without_a_claim, under_a_claim_that_falls_at_once])
def test_a_wrong_claim_is_found_out(committing: Committing) -> None:
    """Where completing has no condition, two clips of one name are both called available."""
    world = TOGETHER["two windows of one clip"]
    exploration = Exploration(committing=committing)
    exploration.explore(exploration.begin(world.world, world.deliveries, 0))
    assert "one outcome was published under two event ids" in exploration.faults


FOUND = r"never published|manifest does not say|before the clip was stored"


@pytest.mark.parametrize(
    "kind", [AcknowledgesBeforeItPublishes, WritesTheManifestBeforeItPublishes]
)
def test_the_accounts_find_a_wrong_order_out(kind: type[MakeClip]) -> None:
    """What can be seen without two receivers at once, the state machine sees too."""
    quick = settings(phases=[Phase.generate], max_examples=1_000, stateful_step_count=20)
    with pytest.raises(AssertionError, match=FOUND):
        run_state_machine_as_test(
            type("Wrong", (RequestLifecycle,), {"kind": kind}), settings=quick
        )
