"""Anything in any order: nothing is lost, and all is right once the faults have passed."""

import random

from attrs import evolve, frozen
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from application.make_clip import MakeClip
from domain.clip import ClipRequest, ClipStatus
from domain.errors import Unavailable
from tests.model.recorder import (
    ACKNOWLEDGE,
    Crash,
    Disturb,
    Disturbance,
    Recorder,
    drained,
    redriven,
    undisturbed,
)
from tests.model.scenarios import HALVES, REFUSED, WANTED
from tests.model.world import Call, InFlightMessage, World

REQUESTS = (
    WANTED,
    WANTED,  # the likeliest
    evolve(WANTED, end_ms=WANTED.end_ms - 200),
    REFUSED,
    evolve(WANTED, start_ms=WANTED.start_ms - 300_000),
    evolve(WANTED, camera_id="quay"),
)
MAX_MESSAGES = 4


METHODS = ("find", "store_thumbnails", "commit", "update_clip", "publish", "write_manifest", "send")


@frozen
class CrashOn:
    """Crashes at the first call of that method, before or after it."""

    method: str
    after: bool

    def __call__(self, _number: int, call: Call) -> Disturbance | None:
        return Disturbance(Crash(), self.after) if call.method == self.method else None


class RequestLifecycle(RuleBasedStateMachine):
    """One request, the queue, everything around it, and what can happen to them."""

    kind: type[MakeClip] = MakeClip

    def __init__(self) -> None:
        super().__init__()
        self.world = World(WANTED)
        self.failing: set[str] = set()
        """Ports whose calls fail, some before and some after their effect."""

    @initialize(request=st.sampled_from(REQUESTS), there=st.integers(0, 2))
    def choose(self, request: ClipRequest, there: int) -> None:
        self.world = World(request, recorded=HALVES[:there], to_come=HALVES[there:])
        self.ask()

    @precondition(lambda self: self.world.queue.attempted < MAX_MESSAGES)
    @rule()
    def ask(self) -> None:
        """The same request, in a message of its own."""
        queue = self.world.queue.sent(self.world.request, self.world.now_ms)
        self.world = evolve(self.world, queue=queue)

    @precondition(lambda self: self.world.queue.held)
    @rule(choice=st.integers(0, MAX_MESSAGES), chance=st.integers(0, 1000))
    def deliver(self, choice: int, chance: int) -> None:
        self.receive(choice, chance, undisturbed)

    @precondition(lambda self: self.world.queue.held)
    @rule(choice=st.integers(0, MAX_MESSAGES), chance=st.integers(0, 1000))
    def drop_acknowledgement(self, choice: int, chance: int) -> None:
        self.receive(choice, chance, CrashOn("acknowledge", after=False))

    @precondition(lambda self: self.world.queue.held)
    @rule(
        choice=st.integers(0, MAX_MESSAGES),
        chance=st.integers(0, 1000),
        crash=st.builds(CrashOn, st.sampled_from(METHODS), st.booleans()),
    )
    def crash(self, choice: int, chance: int, crash: CrashOn) -> None:
        self.receive(choice, chance, crash)

    def receive(self, choice: int, chance: int, disturb: Disturb) -> None:
        """Receive any message, as soon as it is visible."""
        held = self.world.queue.held
        message = held[choice % len(held)]
        now_ms = max(self.world.now_ms, message.visible_ms)
        queue, taken = self.world.queue.received(message, now_ms)
        self.world = evolve(self.world, queue=queue, now_ms=now_ms)
        if taken:
            recorder = Recorder(self.world, self.kind, self.flaky(disturb, chance))
            recorder.deliver(InFlightMessage(taken, now_ms))
            self.world = recorder.world

    def flaky(self, disturb: Disturb, seed: int) -> Disturb:
        """Make some calls of the failing ports fail as well."""
        chance = random.Random(seed)

        def either(number: int, call: Call) -> Disturbance | None:
            if call.port in self.failing and call is not ACKNOWLEDGE and chance.random() < 0.4:
                return Disturbance(Unavailable("it is out of order"), chance.random() < 0.5)
            return disturb(number, call)

        return either

    @rule(duration_ms=st.sampled_from([1_000, 60_000, 300_000, 310_000]))
    def advance(self, duration_ms: int) -> None:
        self.world = evolve(self.world, now_ms=self.world.now_ms + duration_ms)

    @precondition(lambda self: self.world.to_come)
    @rule()
    def upload(self) -> None:
        self.world = self.world.uploaded()

    @rule(port=st.sampled_from(["cameras", "recordings", "clips", "notifier", "queue"]))
    def fail(self, port: str) -> None:
        self.failing.add(port)

    @precondition(lambda self: self.failing)
    @rule()
    def mend(self) -> None:
        self.failing.clear()

    @invariant()
    def nothing_is_lost(self) -> None:
        """Each request is acknowledged, queued or dead-lettered; nothing wrong was published."""
        assert self.world.queue.is_balanced
        found = self.world.verdict()
        assert not found, found

    def teardown(self) -> None:
        """Everything works again, the queue is drained, the dead letters are sent again."""
        world, _ = drained(self.world, kind=self.kind)
        world = redriven(world)
        found = world.verdict()
        assert not found, found
        assert not world.queue.held
        assert not world.queue.dead
        assert len(world.queue.acknowledged) == world.queue.attempted
        assert world.status_report
        assert world.status_report.status is not ClipStatus.PENDING


RequestLifecycle.TestCase.settings = settings(stateful_step_count=30)


class TestNothingIsLost(RequestLifecycle.TestCase):  # type: ignore[misc, valid-type]
    """Ask, deliver, drop, crash, fail, wait and upload in any order."""
