"""The files next to a clip that its options ask for, made of its own bytes alone.

So none shows a picture that the clip does not, and it does not matter whether the clip has just
been stored, or long ago by a delivery that was interrupted.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta, tzinfo
from functools import cached_property
from math import ceil
from pathlib import Path

from attrs import field, frozen

from application.ports import Recording
from domain.clip import ClipName
from domain.clip_label import EPOCH, ClipLabel, offset_text
from domain.errors import Unavailable, UnusableFootage
from domain.instants import instants_of
from domain.manifest import Manifest
from domain.sidecars import SHEET, SPRITE, SPRITE_INDEX, WALL_CLOCK
from domain.window import TimeWindow
from infrastructure.ffmpeg.runner import Ffmpeg
from infrastructure.ffmpeg.small_pictures import decode_small, write_jpeg
from infrastructure.formats.sprite_index import SpritePicture, sprite_index
from infrastructure.formats.webvtt import webvtt
from infrastructure.mp4.errors import InvalidMp4
from infrastructure.mp4.index import Track
from infrastructure.mp4.runs_writer import write_runs
from infrastructure.pictures import sheet, sprite
from infrastructure.pictures.canvas import Canvas, Size
from infrastructure.pictures.choice import Timeline, choose_frames
from infrastructure.splicing.codecs import AccessPoint, codec_of
from infrastructure.splicing.frames import find_decode_start, index_in
from infrastructure.transcoder.picture import shown_height, shown_width
from infrastructure.transcoder.wall_clock import read_text

MAX_DECODED_PIXELS = 1800 * 1920 * 1080
"""Of all frames that are decoded for one preview: a minute of 1080p at 30 frames a second."""
MAX_READ_BYTES = 64 << 20
"""Of the clip, for one preview."""
READ_CONCURRENCY = 8


def make_sidecars(  # noqa: PLR0913, PLR0917
    ffmpeg: Ffmpeg,
    clip: Recording,
    manifest: Manifest,
    zone: tzinfo,
    folder: Path,
    deadline_s: float,
) -> dict[str, Path]:
    """Make the files that the manifest's report names, by name.

    UnusableFootage if the clip cannot be read.
    """
    names = manifest.report.sidecars
    try:
        makers: list[Callable[[], dict[str, Path]]] = []
        if {SHEET, SPRITE, SPRITE_INDEX} & set(names):
            stored = _StoredClip.of(clip, manifest, zone)
            previews = _Previews(ffmpeg, stored, folder, deadline_s)
            makers += [previews.sheet] if SHEET in names else []
            makers += [previews.sprite] if SPRITE in names else []
        if WALL_CLOCK in names:
            makers.append(lambda: _wall_clock(clip, folder))
        return {name: path for make in makers for name, path in make().items()}
    except InvalidMp4 as error:
        raise UnusableFootage(f"The clip cannot be read: {error}.") from error
    except OSError as error:
        raise Unavailable(f"The scratch folder cannot be used: {error.strerror}") from error


@frozen(eq=False)
class _StoredClip:
    """A clip, and its frames in the order in which they are shown."""

    recording: Recording
    video: Track = field(repr=False)
    samples: Sequence[int] = field(repr=False)
    """The video sample of each frame, by its number."""
    duration_ms: int
    label: ClipLabel
    instant_ms: Callable[[int], int]
    """When a frame was seen, by its number."""

    @classmethod
    def of(cls, clip: Recording, manifest: Manifest, zone: tzinfo) -> "_StoredClip":
        """Read the clip's tables; InvalidMp4 if they have no frame."""
        video = index_in(clip).video
        if video is None:
            raise InvalidMp4("it has no video")
        shown = (i for i, pts in enumerate(video.pts) if 0 <= pts < video.shown_until)
        samples = sorted(shown, key=video.pts.__getitem__)
        times = [video.pts[sample] for sample in samples]
        report = manifest.report
        assert report.camera_id  # noqa: S101 - a clip has a camera and a window
        assert report.start_ms is not None  # noqa: S101
        assert report.end_ms is not None  # noqa: S101
        window = TimeWindow(report.start_ms, report.end_ms)
        return cls(
            clip,
            video,
            samples,
            ceil(manifest.media.duration_ms) if manifest.media else _ms(times[-1] + 1, video),
            ClipLabel(ClipName(report.camera_id, report.clip_id), window, zone),
            instants_of(manifest, times, video.timescale),
        )

    def size_in(self, room: Size) -> Size:
        """Return how large its pictures are that fit into a room."""
        return Size(shown_width(self.video), shown_height(self.video)).fitted(room)

    @cached_property
    def timeline(self) -> Timeline:
        """When it shows its frames."""
        times = [self.video.pts[sample] for sample in self.samples]
        keyframes = [
            n for n, sample in enumerate(self.samples) if n == 0 or self.video.sync[sample]
        ]
        return Timeline(times, self.duration_ms * self.video.timescale // 1000, keyframes)

    def shown_ms(self, number: int) -> int:
        """Return the first ms of the clip in which it shows a frame."""
        return _ms(self.video.pts[self.samples[number]], self.video)

    def cost(self, numbers: Iterable[int]) -> float:
        """Return what decoding frames takes, as a share of the most that it may."""
        video = self.video
        samples = [sample for run in runs_of(self._starts(numbers)) for sample in run]
        pixels = len(samples) * video.width * video.height
        size_bytes = sum(video.sizes[sample] for sample in samples)
        return max(pixels / MAX_DECODED_PIXELS, size_bytes / MAX_READ_BYTES)

    def _starts(self, numbers: Iterable[int]) -> list[tuple[int, int]]:
        """Return the sample of each frame, after the sync sample before it by the tables."""
        return [(self._sync_before(self.samples[n]), self.samples[n]) for n in numbers]

    def _sync_before(self, sample: int) -> int:
        pts, sync = self.video.pts, self.video.sync
        return next((i for i in range(sample, 0, -1) if sync[i] and pts[i] <= pts[sample]), 0)

    def decoded_runs(self, numbers: Sequence[int], readers: ThreadPoolExecutor) -> list[range]:
        """Return the runs of samples that are decoded to show frames."""

        def start(sample: int) -> int:
            found = find_decode_start(self.recording.read, self.video, (sample,))
            return 0 if found is None else found

        samples = [self.samples[number] for number in numbers]
        return runs_of(zip(readers.map(start, samples), samples, strict=True))

    def begins_sequence(self, payload: bytes, run: range) -> bool:
        """Return whether a decoder takes the first sample of a run for the start of a sequence.

        If not, it takes the run for what follows the one before it: picture order counts and frame
        numbers, of which only the last bits are in the samples, then come out wrong, and so does
        the order of pictures (ITU-T H.264, 8.2.1; H.265, 8.3.1).
        """
        first = payload[: self.video.sizes[run.start]]
        access = codec_of(self.video).access_point(first, self.video.config)
        return access is AccessPoint.ANYWHERE

    def payload(self, run: range) -> bytes:
        """Read the bytes of consecutive samples."""
        places = [(self.video.offsets[i], self.video.sizes[i]) for i in run]
        parts: list[tuple[int, int]] = []
        for offset, size in places:
            if parts and sum(parts[-1]) == offset:
                parts[-1] = parts[-1][0], parts[-1][1] + size
            else:
                parts.append((offset, size))
        return b"".join(self.recording.read_once(offset, length) for offset, length in parts)


@frozen
class _Previews:
    """Makes pictures of a clip."""

    ffmpeg: Ffmpeg
    clip: _StoredClip
    folder: Path
    deadline_s: float

    def sheet(self) -> dict[str, Path]:
        """Draw the contact sheet."""
        clip = self.clip
        numbers = choose_frames(clip.timeline, sheet.MAX_PICTURES, clip.cost)
        size = clip.size_in(sheet.PICTURE)
        decoded = self._decoded(numbers, size, "sheet.mp4")
        pictures = [
            sheet.Captioned(decoded.get(n), _caption(clip.instant_ms(n), clip.label.zone))
            for n in numbers
        ]
        canvas = sheet.draw_sheet(clip.label.title, pictures, size)
        return {SHEET: self._jpeg(canvas, SHEET)}

    def sprite(self) -> dict[str, Path]:
        """Draw the sprite, and write its index."""
        clip = self.clip
        numbers = choose_frames(clip.timeline, sprite.sprite_count(clip.duration_ms), clip.cost)
        size = clip.size_in(sprite.PICTURE)
        decoded = self._decoded(numbers, size, "sprite.mp4")
        canvas = sprite.draw_sprite([decoded.get(number) for number in numbers], size)
        starts_ms = [clip.shown_ms(number) for number in numbers]
        ends_ms = [*starts_ms[1:], max(clip.duration_ms, starts_ms[-1] + 1)]
        places = sprite.sprite_places(len(numbers), size)
        pictures = (
            SpritePicture(start, end, clip.instant_ms(n), at.x, at.y, size.width, size.height)
            for n, start, end, at in zip(numbers, starts_ms, ends_ms, places, strict=True)
        )
        index = self.folder / SPRITE_INDEX
        image = f"{clip.label.name.clip_id}.{SPRITE}"
        index.write_text(sprite_index(pictures, image, clip.label.zone), encoding="utf-8")
        return {SPRITE: self._jpeg(canvas, SPRITE), SPRITE_INDEX: index}

    def _decoded(self, numbers: Sequence[int], size: Size, name: str) -> Mapping[int, bytes]:
        """Return the pictures of frames, by number; some may be missing."""
        clip, path, decoded = self.clip, self.folder / name, dict[int, bytes]()
        timescale, sides = clip.video.timescale, (size.width, size.height)
        with ThreadPoolExecutor(READ_CONCURRENCY) as readers:
            runs = clip.decoded_runs(numbers, readers)
            for together in self._sequences(runs, readers.map(clip.payload, runs)):
                own, payloads = zip(*together, strict=True)
                with path.open("wb") as out:
                    shown = write_runs(clip.video, own, payloads, out)
                times = {n: shown[clip.samples[n]] for n in numbers if clip.samples[n] in shown}
                made = decode_small(self.ffmpeg, path, times, timescale, sides, self.deadline_s)
                decoded.update(made)
        return decoded

    def _sequences(
        self, runs: Iterable[range], payloads: Iterable[bytes]
    ) -> Iterator[list[tuple[range, bytes]]]:
        """Yield the runs, with their bytes, that one decoder may decode in turn."""
        together: list[tuple[range, bytes]] = []
        for run, payload in zip(runs, payloads, strict=True):
            if together and not self.clip.begins_sequence(payload, run):
                yield together
                together = []
            together.append((run, payload))
        yield together

    def _jpeg(self, canvas: Canvas, name: str) -> Path:
        path, sides = self.folder / name, (canvas.size.width, canvas.size.height)
        write_jpeg(self.ffmpeg, bytes(canvas.pixels), sides, path, self.deadline_s)
        return path


def runs_of(parts: Iterable[tuple[int, int]]) -> list[range]:
    """Return the samples from each start to its last one, each sample once, in order."""
    runs: list[range] = []
    for start, last in sorted(parts):
        if runs and start < runs[-1].stop:
            runs[-1] = range(runs[-1].start, max(runs[-1].stop, last + 1))
        else:
            runs.append(range(start, last + 1))
    return runs


def _wall_clock(clip: Recording, folder: Path) -> dict[str, Path]:
    """Write the clip's own track of text as WebVTT."""
    _, cues = read_text(clip.read, clip.size_bytes)
    path = folder / "wall-clock.vtt"
    path.write_text(webvtt(cues), encoding="utf-8")
    return {WALL_CLOCK: path}


def _caption(instant_ms: int, zone: tzinfo) -> str:
    local = (EPOCH + timedelta(milliseconds=instant_ms)).astimezone(zone)
    return f"{local:%Y-%m-%d %H:%M:%S}.{instant_ms % 1000:03d} {offset_text(local)}"


def _ms(ticks: int, video: Track) -> int:
    return -(-ticks * 1000 // video.timescale)
