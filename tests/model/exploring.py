"""All interleavings of deliveries, by visiting each state of the world once.

A delivery is a function of the replies that it got: run again on those, it makes its next call or
ends. So a state is the outside plus, for each delivery under way, its replies; and a step is to
let one of them make its next call. Every schedule is a path of that graph. The paths are counted,
not walked.
"""

import random
from collections import deque
from collections.abc import Iterable, Iterator

from attrs import Factory, define, evolve, field, frozen

from application.make_clip import MakeClip
from tests.model.outside import Call, InFlightMessage, Outside, Raised
from tests.model.queueing import PATIENCE_MS
from tests.model.running import FOLDER, make_clip

Replies = tuple[int, ...]


class Pause(BaseException):
    """The delivery has come to a call that is not answered yet."""


@frozen(cache_hash=True)
class State:
    """Numbers stand for values, so that states compare fast."""

    outside: int
    under_way: tuple[tuple[int, Replies], ...]
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
            key: object = (type(value), value)
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
    values: Values = Factory(Values)
    steps: dict[State, list[tuple[str, State]]] = Factory(dict)
    faults: dict[str, list[str]] = Factory(dict)
    """What went wrong, and a shortest way to it."""
    _next: dict[tuple[int, Replies], Call | str] = field(factory=dict, init=False)

    def begin(self, outside: Outside, by: Iterable[InFlightMessage], crashes: int) -> State:
        """The state in which the deliveries have just begun."""
        deliveries = list(by)
        for delivery in deliveries:
            outside = outside.begun(delivery)
        number = self.values.number
        return State(number(outside), tuple((number(d), ()) for d in deliveries), crashes)

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
            after = [] if first and not state.under_way else [s for _, s in self.steps[state]]
            missing = [s for s in after if s not in counted]
            if missing:
                stack += missing
            else:
                counted[state] = sum(counted[s] for s in after) if after else 1
                stack.pop()
        return counted[start]

    def faults_in(self, state: State) -> frozenset[str]:
        outside = self._outside(state)
        return outside.faults if state.under_way else outside.verdict()

    def steps_from(self, state: State) -> list[tuple[str, State]]:
        """Everything that can happen next."""
        if state not in self.steps:
            self.steps[state] = list(self._steps_from(state))
        return self.steps[state]

    def _steps_from(self, state: State) -> Iterator[tuple[str, State]]:
        for number in range(len(state.under_way)):
            yield self._stepped(state, number)
            if state.crashes:
                yield self._ended(state, number, "crashed")
        outside = self._outside(state)
        if outside.to_come and (state.under_way or outside.queue.held):
            yield "upload", evolve(state, outside=self.values.number(outside.uploaded()))
        yield from self._received(state)

    def _stepped(self, state: State, number: int) -> tuple[str, State]:
        delivery_number, replies = state.under_way[number]
        then = self._call_after(delivery_number, replies)
        if isinstance(then, str):
            return self._ended(state, number, then)
        delivery = self._delivery(delivery_number)
        outside, reply = self._outside(state).performed(delivery, then)
        under_way = list(state.under_way)
        under_way[number] = delivery_number, (*replies, self.values.number(reply))
        return f"{delivery} {then}", evolve(
            state, outside=self.values.number(outside), under_way=tuple(under_way)
        )

    def _ended(self, state: State, number: int, how: str) -> tuple[str, State]:
        delivery = self._delivery(state.under_way[number][0])
        others = state.under_way[:number] + state.under_way[number + 1 :]
        outside = self._outside(state).ended(delivery, how)
        left = state.crashes - (how == "crashed")
        return f"{delivery} {how}", State(self.values.number(outside), others, left)

    def _received(self, state: State) -> Iterator[tuple[str, State]]:
        """Receive those messages that are due next, while the deliveries under way can last."""
        outside = self._outside(state)
        under_way = [self._delivery(number) for number, _ in state.under_way]
        held = {d.message.name for d in under_way}
        due = [m for m in outside.queue.held if m.name not in held]
        for message in due:
            now_ms = max(outside.now_ms, message.visible_ms)
            too_late = any(now_ms >= d.began_ms + PATIENCE_MS for d in under_way)
            if too_late or message.visible_ms > min(m.visible_ms for m in due):
                continue
            queue, taken = outside.queue.received(message, now_ms)
            after = evolve(outside, queue=queue, now_ms=now_ms)
            if not taken:
                yield f"{message.name} dies", evolve(state, outside=self.values.number(after))
                continue
            delivery = InFlightMessage(taken, now_ms)
            begun = (self.values.number(delivery), ())
            yield (
                f"{delivery} begins",
                evolve(
                    state,
                    outside=self.values.number(after.begun(delivery)),
                    under_way=tuple(sorted((*state.under_way, begun))),
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
            make_clip(self.kind, answer)(delivery, FOLDER)
        except Pause as pause:
            call: Call = pause.args[0]
            return call
        except Exception as error:  # noqa: BLE001 - whatever it is, the message goes back
            return type(error).__name__
        return "done"

    def _outside(self, state: State) -> Outside:
        outside = self.values.known[state.outside]
        assert isinstance(outside, Outside)
        return outside

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
