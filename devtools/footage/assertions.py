"""Assertions on a clip, each with a message that names the fault and its place."""

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction

from devtools.footage.audio import DISTINCT_SECONDS
from devtools.footage.expected_frames import Stretch, Wanted
from devtools.footage.picture import UNREADABLE
from devtools.footage.reading import ClipReading

CLEAR_MS = 80
_SHOWN = 5


def assert_clip(
    reading: ClipReading,
    wanted: Wanted,
    *,
    frame_within_ms: float = 1.0,
    audio_within_ms: float = 34.0,
    from_first_frame: bool = False,
) -> None:
    """Assert that a clip is clean, with the wanted frames, times and audio."""
    assert_clean(reading)
    assert_frames(reading, wanted.numbers)
    assert_times(
        reading, wanted.times_ms, within_ms=frame_within_ms, from_first_frame=from_first_frame
    )
    assert_audio_in_step(reading, wanted.stretches, within_ms=audio_within_ms)


def assert_clean(reading: ClipReading) -> None:
    """Assert that ffmpeg decoded the clip without a message."""
    assert reading.messages == "", f"ffmpeg reports of the clip:\n{reading.messages[:2000]}"


def assert_frames(reading: ClipReading, numbers: Sequence[int]) -> None:
    """Assert that the clip shows exactly these frames in this order."""
    had = reading.numbers
    if had == list(numbers):
        return
    at = next(
        (i for i, (a, b) in enumerate(zip(had, numbers, strict=False)) if a != b),
        min(len(had), len(numbers)),
    )
    around = slice(max(0, at - 2), at + 3)
    seen, asked = Counter(had), Counter(numbers)
    twice = [number for number, times in seen.items() if times > max(1, asked[number])]
    raise AssertionError(
        f"{len(had)} frames, wanted {len(numbers)}; first difference at position {at}: "
        f"has {had[around]}, wanted {list(numbers[around])} around it; "
        f"missing {_some(sorted(asked.keys() - seen.keys()))}, "
        f"extra {_some(sorted(seen.keys() - asked.keys() - {UNREADABLE}))}, "
        f"repeated {_some(sorted(set(twice) - {UNREADABLE}))}, "
        f"unreadable {seen[UNREADABLE]}"
    )


def assert_times(
    reading: ClipReading,
    times_ms: Sequence[Fraction | float],
    *,
    within_ms: float,
    from_first_frame: bool = False,
) -> None:
    """Assert when each frame is shown, on the clip's clock or counted from its first frame."""
    had, asked = reading.times_ms, [float(time) for time in times_ms]
    assert len(had) == len(asked), f"{len(had)} frames, but {len(asked)} times wanted"
    if from_first_frame:
        had, asked = [t - had[0] for t in had], [t - asked[0] for t in asked]
    back = [i for i in range(1, len(had)) if had[i] <= had[i - 1]]
    assert not back, f"times do not rise at positions {_some(back)}"
    wrong = [i for i, (a, b) in enumerate(zip(had, asked, strict=True)) if abs(a - b) > within_ms]
    if wrong:
        worst = max(wrong, key=lambda i: abs(had[i] - asked[i]))
        raise AssertionError(
            f"{len(wrong)} of {len(had)} frames are shown more than {within_ms} ms off; "
            f"{_off(had, asked, wrong[0])}; worst {_off(had, asked, worst)}"
        )


def assert_audio_in_step(
    reading: ClipReading,
    stretches: Sequence[Stretch],
    *,
    within_ms: float,
    clear_ms: float = CLEAR_MS,
) -> None:
    """Assert the right beep for each whole second of the stretches' audio, and no other beep.

    Seconds whose beep touches the `clear_ms` before or after a cut edge may beep or not.
    """
    must, may = _beeps_expected(stretches, clear_ms)
    faults = []
    for time_ms, second in must:
        near = [beep for beep in reading.beeps if abs(beep.time_ms - time_ms) <= within_ms]
        if not any(beep.second == second for beep in near):
            faults.append(f"second {second} wants its beep at {time_ms:.1f} ms, found {near}")
    for beep in reading.beeps:
        expected = any(
            beep.second == second and abs(beep.time_ms - time_ms) <= within_ms
            for time_ms, second in must
        )
        near_edge = any(low <= beep.time_ms <= high for low, high in may)
        if not expected and not near_edge:
            faults.append(
                f"nothing wants the beep of second {beep.second} at {beep.time_ms:.1f} ms"
            )
    assert not faults, (
        f"audio out of step by more than {within_ms} ms ({len(faults)} faults, "
        f"{len(must)} beeps wanted, {len(reading.beeps)} found): {'; '.join(faults[:_SHOWN])}"
    )


def _beeps_expected(
    stretches: Sequence[Stretch], clear_ms: float
) -> tuple[list[tuple[float, int]], list[tuple[float, float]]]:
    """Return the (clip time, second) that must beep, and the clip times at edges that may."""
    must: list[tuple[float, int]] = []
    may: list[tuple[float, float]] = []
    for stretch in stretches:
        if not stretch.has_audio:
            continue
        clip_end_ms = stretch.clip_ms + stretch.end_ms - stretch.start_ms
        may += [(float(e) - clear_ms, float(e) + clear_ms) for e in (stretch.clip_ms, clip_end_ms)]
        for second in range(int(stretch.start_ms // 1000), int(stretch.end_ms // 1000) + 1):
            wall_ms = second * 1000
            if stretch.start_ms + clear_ms <= wall_ms < stretch.end_ms - clear_ms:
                time_ms = float(stretch.clip_ms + wall_ms - stretch.start_ms)
                must.append((time_ms, second % DISTINCT_SECONDS))
    return must, may


def _off(had: Sequence[float], asked: Sequence[float], at: int) -> str:
    return f"position {at} at {had[at]:.3f} ms, wanted {asked[at]:.3f}"


def _some(items: Sequence[int]) -> str:
    more = f" and {len(items) - _SHOWN} more" if len(items) > _SHOWN else ""
    return f"{list(items[:_SHOWN])}{more}"
