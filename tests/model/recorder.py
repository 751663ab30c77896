"""The use case run on the world: by a recorder that numbers every call and can cut it short."""

from abc import ABCMeta
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from attrs import define, evolve, frozen

from application.make_clip import MakeClip
from application.ports import (
    AlreadyExists,
    CameraService,
    ClipStore,
    Notifier,
    RecordingStore,
    RetryQueue,
    ThumbnailSpec,
    Transcoder,
)
from domain.clip import ClipName, ClipRequest
from domain.manifest import Manifest, StoredClip
from domain.retry import RetryPolicy
from infrastructure.s3.claims import Claims, claimed
from tests.model.sqs_model import DELIVERY_TIMEOUT_MS
from tests.model.world import Call, InFlightMessage, Raised, World

PORTS: dict[str, ABCMeta] = {
    "cameras": CameraService,
    "recordings": RecordingStore,
    "transcoder": Transcoder,
    "clips": ClipStore,
    "queue": RetryQueue,
    "notifier": Notifier,
}
POLICY = RetryPolicy(retry_limit_ms=299_000, retry_delay_ms=300_000)
FOLDER = Path("/nowhere")
Commit = Callable[..., None]
Committing = Callable[[Callable[[Call], Any]], Commit]
ACKNOWLEDGE = Call("queue", "acknowledge")


class ModelClaims(Claims):
    """Claims whose every call goes through `answer`."""

    def __init__(self, answer: Callable[[Call], Any]) -> None:
        self._answer = answer

    def create(self, number: int) -> bool:
        return bool(self._answer(Call("claims", "create", (number,))))

    def age_ms(self, number: int) -> int:
        return int(self._answer(Call("claims", "age_ms", (number,))))

    def delete(self, number: int) -> None:
        self._answer(Call("claims", "delete", (number,)))


def under_a_claim(answer: Callable[[Call], Any], timeout_ms: int = DELIVERY_TIMEOUT_MS) -> Commit:
    """Return how a clip is committed where completing an upload has no condition."""

    def commit(request: ClipRequest, *args: object) -> None:
        with claimed(ModelClaims(answer), timeout_ms):
            if answer(Call("clips", "find", (request.name, *args[-1:]))):
                raise AlreadyExists
            answer(Call("clips", "overwrite", (request, *args)))

    return commit


def at_once(answer: Callable[[Call], Any]) -> Commit:
    """Return how a clip is committed where the store honours the condition."""
    return lambda *args: answer(Call("clips", "commit", args))


def manifest_first(clips: ClipStore) -> Callable[[ClipName, float], Any]:
    """Return `look` in the other order: where both are read at once, either may be first."""

    def look(name: ClipName, deadline_s: float) -> tuple[StoredClip | None, Manifest | None]:
        manifest = clips.read_manifest(name, deadline_s)
        return clips.find(name, deadline_s), manifest

    return look


def make_clip(
    kind: type[MakeClip],
    answer: Callable[[Call], Any],
    policy: RetryPolicy = POLICY,
    committing: Committing = at_once,
    *,
    is_manifest_first: bool = False,
) -> MakeClip:
    """Put the use case together on ports whose every call goes through `answer`."""

    def port(name: str) -> Any:  # noqa: ANN401 - one of each
        def through(method: str) -> Callable[..., Any]:
            return lambda _, *args, **kwargs: answer(
                Call(name, method, args, tuple(kwargs.items()))
            )

        methods = {*PORTS[name].__abstractmethods__, "acknowledge"}
        return type(name, (PORTS[name],), {method: through(method) for method in methods})()

    ports = {name: port(name) for name in PORTS}
    ports["clips"].commit = committing(answer)
    if is_manifest_first:
        ports["clips"].look = manifest_first(ports["clips"])
    return kind(
        **ports,
        policy=policy,
        thumbnails=ThumbnailSpec((300,)),
        delivery_timeout_ms=DELIVERY_TIMEOUT_MS,
    )


class Crash(BaseException):
    """The process dies. No Exception, so that nothing hides it."""


@frozen
class Disturbance:
    """What befalls a call: instead of it, or after it, so that its reply is lost."""

    error: BaseException
    after: bool = False


Disturb = Callable[[int, Call], Disturbance | None]


def undisturbed(_number: int, _call: Call) -> None:
    """Make every call succeed."""


@frozen
class At:
    """Disturbs the effect of that number, before or after it: with a crash, or an error."""

    number: int
    after: bool
    error: type[BaseException] = Crash

    def __call__(self, number: int, _call: Call) -> Disturbance | None:
        return Disturbance(self.error("disturbed"), self.after) if number == self.number else None


@define
class Recorder:
    """Runs one delivery, carries its calls out on the world, and numbers them from 0.

    The acknowledgement is the last effect.
    """

    world: World
    kind: type[MakeClip] = MakeClip
    disturb: Disturb = undisturbed

    def deliver(self, by: InFlightMessage) -> list[Call]:
        """Return the effects that were attempted, in order."""
        effects: list[Call] = []

        def answer(call: Call) -> object:
            effects.append(call)
            disturbance = self.disturb(len(effects) - 1, call)
            if disturbance and not disturbance.after:
                raise disturbance.error
            self.world, reply = self.world.performed(by, call)
            if disturbance:
                raise disturbance.error
            if isinstance(reply, Raised):
                raise reply.again()
            return reply

        self.world = self.world.begun(by)
        try:
            make_clip(self.kind, answer)(by.message.delivery(by.began_ms), FOLDER)
            answer(ACKNOWLEDGE)
        except Crash:
            how = "crashed"
        except Exception as error:  # noqa: BLE001 - whatever it is, the message goes back
            how = type(error).__name__
        else:
            how = "done"
        self.world = self.world.ended(by, how)
        return effects


def received(world: World) -> tuple[World, InFlightMessage | None]:
    """Wait for the next message and receive it; None if it has become a dead letter."""
    message = min(world.queue.held, key=lambda m: (m.visible_ms, m.name))
    now_ms = max(world.now_ms, message.visible_ms)
    queue, taken = world.queue.received(message, now_ms)
    world = evolve(world, queue=queue, now_ms=now_ms)
    return world, InFlightMessage(taken, now_ms) if taken else None


def drained(
    world: World, disturbances: Iterable[Disturb] = (), kind: type[MakeClip] = MakeClip
) -> tuple[World, list[list[Call]]]:
    """Deliver one message after the other until none is left; return each delivery's effects.

    The first deliveries are disturbed as said, the others not. Between two deliveries the recorder
    uploads what is still to come.
    """
    disturbing = iter(disturbances)
    effects: list[list[Call]] = []
    while world.queue.held:
        if effects and world.to_come:
            world = world.uploaded()
        world, by = received(world)
        if by:
            recorder = Recorder(world, kind, next(disturbing, undisturbed))
            effects.append(recorder.deliver(by))
            world = recorder.world
    return world, effects


def redriven(world: World) -> World:
    """Fix the footage, move the dead letters back, and drain the queue."""
    queue = world.queue.redriven(world.now_ms)
    return drained(evolve(world, broken=False, queue=queue))[0]
