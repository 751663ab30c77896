"""All interleavings of deliveries, by visiting each state of the world once.

A delivery is a function of the replies that it got: run again on those, it makes its next call or
ends. So a state is the world plus, for each delivery under way, its replies; and a step is to
let one of them make its next call. Every schedule is a path of that graph. The paths are counted,
not walked.
"""

import random
from collections import deque
from collections.abc import Iterable, Iterator, Mapping

from attrs import Factory, define, evolve, field, frozen

from application.make_clip import MakeClip
from tests.model.recorder import FOLDER, Committing, at_once, make_clip
from tests.model.sqs_model import DELIVERY_TIMEOUT_MS
from tests.model.world import Call, InFlightMessage, Raised, World

Replies = tuple[int, ...]


class Pause(BaseException):
    """The delivery has come to a call that is not answered yet."""


@frozen(cache_hash=True)
class State:
    """Numbers stand for values, so that states compare fast."""

    world: int
    in_flight: tuple[tuple[int, Replies], ...]
    """Deliveries and their replies."""
    crashes: int
    """How many there may still be."""


@define
class Values:
    """Numbers values: equal ones get the same."""

    known: list[object] = Factory(list)
    numbers: dict[object, int] = Factory(dict)

    def number(self, value: object) -> int:
        try:
            # A reply may be a mapping, as that of store_thumbnails.
            kept = tuple(value.items()) if isinstance(value, Mapping) else value
            key: object = (type(value), kept)
            hash(key)
        except TypeError:
            key = id(value)  # it is kept, and made only once
        if key not in self.numbers:
            self.numbers[key] = len(self.known)
            self.known.append(value)
        return self.numbers[key]


@define
class Exploration:
    """The graph of everything that can happen from `begin` on."""

    kind: type[MakeClip] = MakeClip
    committing: Committing = at_once
    is_manifest_first: bool = False
    values: Values = Factory(Values)
    steps: dict[State, list[tuple[str, State]]] = Factory(dict)
    faults: dict[str, list[str]] = Factory(dict)
    """What went wrong, and a shortest way to it."""
    _next: dict[tuple[int, Replies], Call | str] = field(factory=dict, init=False)

    def begin(self, world: World, by: Iterable[InFlightMessage], crashes: int) -> State:
        """The state in which the deliveries have just begun."""
        deliveries = list(by)
        for delivery in deliveries:
            world = world.begun(delivery)
        number = self.values.number
        return State(number(world), tuple((number(d), ()) for d in deliveries), crashes)

    def explore(self, start: State) -> "Exploration":
        """Visit every state, nearest first."""
        came: dict[State, tuple[str, State] | None] = {start: None}
        waiting = deque([start])
        while waiting:
            state = waiting.popleft()
            for fault in self.faults_in(state) - self.faults.keys():
                self.faults[fault] = _way(came, state)
            for name, after in self.steps_from(state):
                if after not in came:
                    came[after] = name, state
                    waiting.append(after)
        return self

    def walk(self, state: State, seed: int) -> frozenset[str]:
        """Follow one schedule, by chance, to its end."""
        chance = random.Random(seed)
        while steps := self.steps_from(state):
            _, state = chance.choice(steps)
        return frozenset(self.faults_in(state))

    def schedules(self, start: State, *, first: bool = False) -> int:
        """Count the paths to an end; with `first`, until no delivery is under way."""
        counted: dict[State, int] = {}
        stack = [start]
        while stack:
            state = stack[-1]
            after = [] if first and not state.in_flight else [s for _, s in self.steps[state]]
            missing = [s for s in after if s not in counted]
            if missing:
                stack += missing
            else:
                counted[state] = sum(counted[s] for s in after) if after else 1
                stack.pop()
        return counted[start]

    def faults_in(self, state: State) -> frozenset[str]:
        world = self._world(state)
        return world.faults if state.in_flight else world.verdict()

    def steps_from(self, state: State) -> list[tuple[str, State]]:
        """Everything that can happen next."""
        if state not in self.steps:
            self.steps[state] = list(self._steps_from(state))
        return self.steps[state]

    def _steps_from(self, state: State) -> Iterator[tuple[str, State]]:
        for number in range(len(state.in_flight)):
            yield self._stepped(state, number)
            if state.crashes:
                yield self._ended(state, number, "crashed")
        world = self._world(state)
        if world.to_come and (state.in_flight or world.queue.held):
            yield "upload", evolve(state, world=self.values.number(world.uploaded()))
        yield from self._received(state)

    def _stepped(self, state: State, number: int) -> tuple[str, State]:
        delivery_number, replies = state.in_flight[number]
        then = self._call_after(delivery_number, replies)
        if isinstance(then, str):
            return self._ended(state, number, then)
        delivery = self._delivery(delivery_number)
        world, reply = self._world(state).performed(delivery, then)
        in_flight = list(state.in_flight)
        in_flight[number] = delivery_number, (*replies, self.values.number(reply))
        return f"{delivery} {then}", evolve(
            state, world=self.values.number(world), in_flight=tuple(in_flight)
        )

    def _ended(self, state: State, number: int, how: str) -> tuple[str, State]:
        delivery = self._delivery(state.in_flight[number][0])
        others = state.in_flight[:number] + state.in_flight[number + 1 :]
        world = self._world(state).ended(delivery, how)
        left = state.crashes - (how == "crashed")
        return f"{delivery} {how}", State(self.values.number(world), others, left)

    def _received(self, state: State) -> Iterator[tuple[str, State]]:
        """Receive those messages that are due next, while the deliveries under way can last."""
        world = self._world(state)
        in_flight = [self._delivery(number) for number, _ in state.in_flight]
        held = {d.message.name for d in in_flight}
        due = [m for m in world.queue.held if m.name not in held]
        for message in due:
            now_ms = max(world.now_ms, message.visible_ms)
            too_late = any(now_ms >= d.began_ms + DELIVERY_TIMEOUT_MS for d in in_flight)
            if too_late or message.visible_ms > min(m.visible_ms for m in due):
                continue
            queue, taken = world.queue.received(message, now_ms)
            after = evolve(world, queue=queue, now_ms=now_ms)
            if not taken:
                yield f"{message.name} dies", evolve(state, world=self.values.number(after))
                continue
            delivery = InFlightMessage(taken, now_ms)
            begun = (self.values.number(delivery), ())
            yield (
                f"{delivery} begins",
                evolve(
                    state,
                    world=self.values.number(after.begun(delivery)),
                    in_flight=tuple(sorted((*state.in_flight, begun))),
                ),
            )

    def _call_after(self, delivery: int, replies: Replies) -> Call | str:
        """Run the use case again on the replies; return its next call, or how it ended."""
        if (delivery, replies) not in self._next:
            self._next[delivery, replies] = self._run(self._delivery(delivery), replies)
        return self._next[delivery, replies]

    def _run(self, in_flight: InFlightMessage, replies: Replies) -> Call | str:
        known = iter(replies)

        def answer(call: Call) -> object:
            number = next(known, None)
            if number is None:
                raise Pause(call)
            reply = self.values.known[number]
            if isinstance(reply, Raised):
                raise reply.again()
            return reply

        delivery = in_flight.message.delivery(in_flight.began_ms)
        try:
            use = make_clip(
                self.kind,
                answer,
                committing=self.committing,
                is_manifest_first=self.is_manifest_first,
            )
            use(delivery, FOLDER)
        except Pause as pause:
            call: Call = pause.args[0]
            return call
        except Exception as error:  # noqa: BLE001 - whatever it is, the message goes back
            return type(error).__name__
        return "done"

    def _world(self, state: State) -> World:
        world = self.values.known[state.world]
        assert isinstance(world, World)
        return world

    def _delivery(self, number: int) -> InFlightMessage:
        delivery = self.values.known[number]
        assert isinstance(delivery, InFlightMessage)
        return delivery


def _way(came: dict[State, tuple[str, State] | None], state: State) -> list[str]:
    names = []
    while step := came[state]:
        name, state = step
        names.append(name)
    return names[::-1]
