"""What the service must do on the gateway; each scene yields the promises that it saw broken."""

from collections.abc import Callable, Iterator

from attrs import evolve, frozen

from devtools.footage import Recording, cached_recording, constant_bitrate
from devtools.local_aws.http_server import Request, Response
from tests.campaigns.ceph.stage import Stage, deliver, ends_of
from tests.support.gate import Upstream, forward, gate
from tests.support.service import World, redelivered

LARGE = constant_bitrate(Recording(first_number=0, frames=180, gop_frames=30), 40_000)
"""30 MB, so that a clip of most of it is composed."""
LARGE_NEXT = evolve(LARGE, first_number=180, start_ms=6_000)
REPLACEMENT = evolve(LARGE, first_number=1_000)
SMALL = Recording(first_number=0, frames=180)

Url = Callable[[Stage], str]
Scene = Callable[[Stage], Iterator[str]]


def http(stage: Stage) -> str:
    """Return the gateway's address without TLS."""
    return stage.gateway.http_url


def https(stage: Stage) -> str:
    """Return the gateway's address with TLS."""
    return stage.gateway.https_url


@frozen
class _Clip:
    """A request, and the recordings of its camera."""

    films: tuple[Recording, ...]
    window_ms: tuple[int, int]

    def make(self, stage: Stage, world: World, environ: dict[str, str]) -> Iterator[str]:
        """Deliver the request; yield what is wrong with its clip."""
        answer = deliver(environ, world.message(world.body(*self.window_ms)))
        yield from answer.faults
        yield from (f"warning: {line.strip()}" for line in answer.warnings)
        yield from stage.faults_of(world, self.films, self.window_ms)


LARGE_CLIP = _Clip((LARGE, LARGE_NEXT), (1_234, 10_987))
SMALL_CLIP = _Clip((SMALL,), (567, 3_210))


def large_clip(url: Url, **settings: str) -> Scene:
    """Return a scene in which the gateway composes a clip of two recordings."""

    def scene(stage: Stage) -> Iterator[str]:
        world = stage.new_clip(*LARGE_CLIP.films)
        yield from LARGE_CLIP.make(stage, world, stage.environ(world, url(stage), **settings))
        clip = world.stored().get(f"{world.key}.mp4")
        if not clip:
            return
        if "-" not in clip["ETag"]:  # the ETag of an upload in parts has a hyphen
            yield "uploaded whole instead of composed"
        if clip["ContentType"] != "video/mp4" or not clip["Metadata"]:
            yield f"stored with {clip['ContentType']} and metadata {clip['Metadata']}"

    return scene


def small_clip(url: Url) -> Scene:
    """Return a scene in which a clip is stored by one PUT."""

    def scene(stage: Stage) -> Iterator[str]:
        world = stage.new_clip(*SMALL_CLIP.films)
        yield from SMALL_CLIP.make(stage, world, stage.environ(world, url(stage)))

    return scene


@frozen
class _Replacing:
    """An upstream that replaces the recording whenever a part is copied from it."""

    upstream: Upstream
    replace: Callable[[], object]
    after: bool

    def __call__(self, request: Request) -> Response:
        if "x-amz-copy-source" not in request.headers:
            return self.upstream(request)
        if not self.after:
            self.replace()
        response = self.upstream(request)
        if self.after:
            self.replace()
        return response


def replaced(*, after: bool) -> Scene:
    """Return a scene in which a recording is replaced before or after it is copied."""

    def scene(stage: Stage) -> Iterator[str]:
        world, window_ms = stage.new_clip(), (950, 4_500)
        name = world.record(LARGE)
        data = cached_recording(world.films, REPLACEMENT).read_bytes()
        upstream = _Replacing(forward(http(stage)), lambda: world.put(name, data), after)
        message = world.message(world.body(*window_ms))
        with gate(upstream) as opened:
            first = deliver(stage.environ(world, opened.url), message)
        if first.errors != ["RecordingChanged"]:
            yield f"answered {first.errors or 'that all is well'}, reported {world.statuses()}"
        if left := ends_of(world) & {".mp4", ".json"}:
            yield f"stored: {sorted(left)}"
            yield from stage.faults_of(world, [LARGE], window_ms)
            return
        if world.reports():
            yield f"reported: {world.statuses()}"
        yield from stage.uploads()
        again = deliver(stage.environ(world, http(stage)), redelivered(message))
        yield from again.faults
        yield from stage.faults_of(world, [REPLACEMENT], window_ms)

    return scene
