"""The requests of a soak, their times and their faults, all drawn from a seed."""

import json
from random import Random

from attrs import field, frozen

from devtools.footage import Recording

FIRST = Recording(first_number=0, frames=600, size=(160, 90))
SECOND = Recording(first_number=600, frames=600, start_ms=20_000, size=(160, 90))
FOOTAGE_MS = 40_000
SHARES = {
    "duplicate": 0.10,
    "waiting": 0.05,
    "poison": 0.03,
    "refused": 0.02,
    "api 500": 0.02,
    "killed": 0.01,
}
VARIANTS = {
    "plain": ("",),
    "duplicate": ("at once", "later"),
    "waiting": ("1", "2"),
    "poison": ("gibberish", "nameless"),
    "refused": ("too long", "unknown camera", "media"),
    "api 500": ("camera", "status", "recording"),
    "killed": ("status", "at random", "recording", "camera"),
}
EARLY = {"poison": 0.5, "killed": 0.3}
"""Poison and kills come in the first part of the time: poison needs five deliveries before it is
dead-lettered, and the last process must live long enough to show whether it grows."""


@frozen
class SoakRequest:
    """One request for a clip, and what goes wrong with it."""

    number: int
    kind: str
    variant: str
    start_ms: int
    """After the footage's start."""
    end_ms: int
    sent_after_s: tuple[float, ...]
    """Since the soak's start; more than once for a duplicate."""
    chance: float = field(default=0.5)
    """From 0 to 1, for what happens at a random moment."""

    @property
    def clip_id(self) -> str:
        return f"clip-{self.number}"

    @property
    def camera_id(self) -> str:
        return f"cam-{self.number}"

    @property
    def expected(self) -> str | None:
        """The final status; None if the message names no clip."""
        match self.kind, self.variant:
            case "poison", _:
                return None
            case "refused", "too long":
                return "CLIP_TOO_LONG"
            case "refused", _:
                return "FATAL_ERROR"
            case _:
                return "CLIP_AVAILABLE"

    def body(self, moment_ms: int) -> str:
        """Return the message body for footage that starts at `moment_ms`."""
        if self.variant == "gibberish":
            return f"gibberish {self.camera_id}"
        longer_ms = 10**6 if self.variant == "too long" else 0
        return json.dumps(
            {
                "clipId": "../x" if self.variant == "nameless" else self.clip_id,
                "cameraId": self.camera_id,
                "startTimestampInMs": moment_ms + self.start_ms - longer_ms,
                "endTimestampInMs": moment_ms + self.end_ms,
            }
        )


def draw(seed: int, count: int, sending_s: float) -> list[SoakRequest]:
    """Draw `count` requests that are sent within `sending_s`, at least one of each kind."""
    random = Random(seed)
    kinds = [kind for kind, share in SHARES.items() for _ in range(max(1, round(share * count)))]
    kinds += ["plain"] * (count - len(kinds))
    drawn = []
    used = dict.fromkeys(VARIANTS, 0)
    for number, kind in enumerate(random.sample(kinds, len(kinds))):
        variants = VARIANTS[kind]
        variant = variants[used[kind] % len(variants)]
        used[kind] += 1
        duration_ms = random.randint(1_000, 3_000)
        start_ms = random.randint(0, FOOTAGE_MS - duration_ms)
        sent_s = number / count * sending_s * EARLY.get(kind, 1)
        again = (
            () if kind != "duplicate" else (0.0 if variant == "at once" else random.uniform(0, 9),)
        )
        drawn.append(
            SoakRequest(
                number,
                kind,
                variant,
                start_ms,
                start_ms + duration_ms,
                (sent_s, *(min(sent_s + wait, sending_s) for wait in again)),
                random.random(),
            )
        )
    return drawn
