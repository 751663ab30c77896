"""The verdict: what must be true of every soak, as violations and a table."""

from collections import Counter
from collections.abc import Iterable
from random import Random

from attrs import frozen

from devtools.footage import assert_clip, read_clip, wanted
from infrastructure.mp4.index import read_index
from tests.campaigns.soak.memory import MIN_SAMPLES, memory_slope, warm_lives
from tests.campaigns.soak.requests import FIRST, SECOND, VARIANTS, SoakRequest
from tests.campaigns.soak.soak import DRAIN_S, Course, Soak


@frozen
class Growth:
    """How memory may grow: by so much for each 100 invocations, after so many."""

    warm_after: int
    most_mib_per_100: float


LONG, SHORT = Growth(100, 1.0), Growth(20, 5.0)
"""A process fills its allocator's arenas for a while: of 300 like invocations, the first hundred
after the 25th took 0.9 MiB, the next two 0.7 MiB together, while the number of its objects stayed.
A short soak mostly measures the former."""
LONG_S = 300
STEADY_DESCRIPTORS = 6
"""Descriptors a warm process may open and keep: connections to services it calls late."""


@frozen
class Verdict:
    """The figures of a soak, and the promises it broke."""

    rows: list[tuple[str, str]]
    violations: list[str]

    def table(self) -> str:
        """Return both as text."""
        width = max(len(name) for name, _ in self.rows)
        lines = [f"{name:<{width}}  {value}" for name, value in self.rows]
        lines.append(f"{'violations':<{width}}  {len(self.violations)}")
        return "\n".join([*lines, *(f"  {violation}" for violation in self.violations)])


def judge(soak: Soak, course: Course) -> Verdict:
    """Check everything that happened."""
    violations = list(course.violations)
    rows = [
        ("soak", f"{soak.seconds:g} s, seed {soak.seed}; took {course.took_s:.1f} s"),
        ("requests", _counted(Counter(r.kind for r in course.requests), order=list(VARIANTS))),
    ]
    for part in (_messages, _endings, _notifications, _clips, _growth):
        more_rows, more_violations = part(soak, course)
        rows += more_rows
        violations += more_violations
    return Verdict(rows, violations)


Part = tuple[list[tuple[str, str]], list[str]]


def _messages(_soak: Soak, course: Course) -> Part:
    """Every message is accounted for, and only poison is dead."""
    delivered = [record["messageId"] for d in course.deliveries for record in d.records]
    attempted = course.sent.keys() | set(delivered)
    deleted = {message for d in course.deliveries for message in d.deleted}
    lost = len(attempted) - len(deleted) - course.queued - len(course.dead)
    errors = Counter(d.error for d in course.deliveries if d.error)
    own = len(attempted - course.sent.keys())
    times, failed = len(course.deliveries), sum(errors.values())
    rows = [
        ("messages attempted", f"{len(attempted)}, {own} of them queued by the function itself"),
        ("  acknowledged", str(len(deleted))),
        ("  in the queue", str(course.queued)),
        ("  dead-lettered", str(len(course.dead))),
        ("  lost", str(lost)),
        ("deliveries", f"{len(delivered)} in {times} invocations, {failed} failed"),
        ("faults", f"{course.kills} SIGKILLs, {course.failures} answers of 500"),
    ]
    wrong = [f"{lost} messages lost"] if lost else []
    if course.queued:
        wrong.append(f"{course.queued} messages are in the queue after {DRAIN_S} s")
    if both := deleted & set(course.dead):
        wrong.append(f"acknowledged and dead: {sorted(both)}")
    poison = {r.body(course.moment_ms) for r in course.requests if r.kind == "poison"}
    bodies = set(course.dead.values())
    wrong += [f"dead without being poison: {body}" for body in bodies - poison]
    alive = poison - bodies
    wrong += [f"poison that is not dead: {body}" for body in alive if not course.queued]
    return rows, wrong


def _endings(_soak: Soak, course: Course) -> Part:
    """The last status of each request is the expected one."""
    wrong = []
    endings = Counter[str]()
    for request in course.requests:
        statuses = [report["status"] for report in course.reports.get(request.clip_id, [])]
        last = statuses[-1] if statuses else None
        endings[last or "no clip named"] += 1
        if last != request.expected:
            wrong.append(f"{_name(request)}: {statuses} instead of {request.expected} at last")
        if request.kind == "waiting" and "CLIP_PENDING" not in statuses:
            wrong.append(f"{_name(request)}: never pending")
    return [("last statuses", _counted(endings))], wrong


def _notifications(_soak: Soak, course: Course) -> Part:
    """Each final status was published under one event id."""
    events_of: dict[str, list[tuple[str, str]]] = {}
    for note in course.notes:
        event_id = note["MessageAttributes"]["eventId"]["Value"]
        events_of.setdefault(note["Message"]["clipId"], []).append(
            (note["Message"]["status"], event_id)
        )
    wrong = []
    for request in course.requests:
        events = set(events_of.get(request.clip_id, []))
        if {status for status, _ in events} != ({request.expected} - {None}):
            wrong.append(f"{_name(request)}: notified of {sorted(events)}")
        if len(events) > 1:
            wrong.append(f"{_name(request)}: {len(events)} event ids")
    repeated = len(course.notes) - len(events_of)
    return [("notifications", f"{len(course.notes)}, {repeated} of them repeated")], wrong


def _clips(soak: Soak, course: Course) -> Part:
    """Each available clip is stored with its frames; some are decoded and checked."""
    wrong = []
    made = [r for r in course.requests if r.expected == "CLIP_AVAILABLE"]
    frames = 0
    for request in made:
        path = course.clips / f"{request.clip_id}.mp4"
        if not path.exists():
            wrong.append(f"{_name(request)}: no clip is stored")
            continue
        count = _frames(path.read_bytes())
        asked = len(wanted([FIRST, SECOND], request.start_ms, request.end_ms).numbers)
        frames += count
        if count != asked:
            wrong.append(f"{_name(request)}: {count} frames, wanted {asked}")
    there = [r for r in made if (course.clips / f"{r.clip_id}.mp4").exists()]
    decoded = Random(soak.seed).sample(there, min(soak.decoded, len(there)))
    for request in decoded:
        try:
            assert_clip(
                read_clip(course.clips / f"{request.clip_id}.mp4"),
                wanted([FIRST, SECOND], request.start_ms, request.end_ms),
            )
        except (AssertionError, ValueError) as error:
            wrong.append(f"{_name(request)}: {error}")
    strays = {path.stem for path in course.clips.iterdir()} - {r.clip_id for r in made}
    wrong += [f"{stray}: a clip that must not exist" for stray in strays]
    summary = f"{len(there)} with {frames} frames; {len(decoded)} of them decoded and checked"
    return [("clips", summary)], wrong


def _frames(data: bytes) -> int:
    index = read_index(lambda at, length: data[at : at + length], len(data))
    return len(index.video.pts) if index.video else 0


def _growth(soak: Soak, course: Course) -> Part:
    """Warm processes do not grow, and leave nothing behind."""
    samples, growth = course.samples, LONG if soak.seconds >= LONG_S else SHORT
    slope = memory_slope(samples, growth.warm_after)
    lives = warm_lives(samples, growth.warm_after)
    warm = [sample for life in lives for sample in life]
    invocations = Counter(s.pid for s in samples)
    most = max(invocations.values(), default=0)
    rows = [("processes", f"{len(invocations)}, the longest-lived with {most} invocations")]
    wrong = []
    if slope.samples >= MIN_SAMPLES:
        growth_text = (
            f"{slope.mib_per_100:+.2f} MiB per 100 invocations, standard error {slope.error:.2f}"
        )
        held_mib = _range(s.memory_bytes >> 20 for s in warm)
        rows.append(("memory", f"{held_mib} MiB; {growth_text}, {slope.samples} warm invocations"))
        if slope.mib_per_100 - 2 * slope.error >= growth.most_mib_per_100:
            wrong.append(f"memory grows by {slope.mib_per_100:.2f} MiB per 100 invocations")
    else:
        rows.append(
            ("memory", f"too few invocations for a slope: {slope.samples} of {MIN_SAMPLES}")
        )
    for life in lives:
        first, last = life[0].descriptors, life[-1].descriptors
        if last - first > STEADY_DESCRIPTORS:
            wrong.append(f"descriptors grow from {first} to {last}")
    rows.append(("descriptors", _range(s.descriptors for s in warm)))
    for name, worst in (
        ("zombies", max((s.zombies for s in samples), default=0)),
        ("orphan ffmpegs", course.orphans),
        ("scratch left", course.scratch),
    ):
        rows.append((name, str(worst)))
        if worst:
            wrong.append(f"{name}: {worst}")
    return rows, wrong


def _name(request: SoakRequest) -> str:
    return f"{request.clip_id} ({request.kind} {request.variant})".replace(" )", ")")


def _counted(counts: "Counter[str]", order: list[str] | None = None) -> str:
    names = order or sorted(counts, key=lambda name: -counts[name])
    return f"{counts.total()}: " + ", ".join(f"{counts[n]} {n}" for n in names if counts[n])


def _range(values: Iterable[int]) -> str:
    found = list(values)
    return f"{min(found)} to {max(found)}" if found else "none"
