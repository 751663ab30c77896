"""Encode exactly the wanted frames of a window, and prove by our own reader that they are there."""

from collections.abc import Callable, Iterable
from pathlib import Path

from attrs import field, frozen

from domain.errors import UnusableFootage
from infrastructure.ffmpeg.excerpt import Excerpt, index_file
from infrastructure.ffmpeg.runner import Ffmpeg, file_url, mp4_input
from infrastructure.mp4.avc import AvcConfig, parse_avcc
from infrastructure.mp4.errors import InvalidMp4
from infrastructure.mp4.index import Track
from infrastructure.splicing.picture_format import PictureFormat, geometry

PROFILES = {66: "baseline", 77: "main", 100: "high"}
MAX_PARAMETER_SETS = 31
"""As many SPS as an avcC can hold (ISO/IEC 14496-15, 5.3.3.1)."""
GOP_FRAMES = 60
QUALITY = ("-preset", "superfast", "-crf", "18")
"""The worst of 56 frames of noisy 1080p keeps 45.1 dB (41.7 with veryfast, which takes a fifth more
time, 43.8 with ultrafast, which takes a third less and half as many bytes again)."""


@frozen(eq=False)
class EncodedFrames:
    """Encoded frames of one window: the i-th shown is the take's i-th frame."""

    window: Excerpt
    path: Path
    track: Track = field(repr=False)
    config: AvcConfig = field(repr=False)


@frozen
class Encoder:
    """Encodes windows; all of its pieces can stand under one sample entry."""

    ffmpeg: Ffmpeg
    picture_format: PictureFormat
    folder: Path
    first_id: int = 0
    """The SPS and PPS ids before it belong to frames that are taken over."""
    on_frames: Callable[[int], None] = field(default=lambda _: None)
    """Told how many frames are encoded, of all pieces."""

    def encode(self, excerpts: Iterable[Excerpt], deadline_s: float) -> list[EncodedFrames]:
        """Encode every window's wanted frames.

        Pieces whose parameter sets differ get an SPS id each, as a decoder would otherwise read
        one with the other's. Those of like recordings come out equal, so an id is used again where
        that may be, and the piece encoded anew where it turns out that it may not.
        """
        pieces: list[EncodedFrames] = []
        configs: list[AvcConfig] = []
        likely: dict[object, int] = {}
        done = 0
        for window in excerpts:
            kind = (window.source.video.timescale, window.source.video.config, _profile(window))
            number = likely.get((kind, geometry(window.source.video)), len(configs))
            piece = self._encode(window, number, deadline_s, done)
            if number < len(configs) and not _same_sets(piece.config, configs[number]):
                number = len(configs)
                piece = self._encode(window, number, deadline_s, done)
            if number == len(configs):
                configs.append(piece.config)
            likely[kind, geometry(window.source.video)] = number
            pieces.append(piece)
            done += len(window.source.frames)
        return pieces

    def _encode(self, window: Excerpt, number: int, deadline_s: float, done: int) -> EncodedFrames:
        sps_id = self.first_id + number
        if sps_id >= MAX_PARAMETER_SETS:
            raise UnusableFootage(f"The recordings are of more than {MAX_PARAMETER_SETS} kinds.")
        path = self.folder / f"{window.path.stem}-encoded.mp4"
        arguments = self._arguments(window, sps_id, path)

        def on_line(line: str) -> None:
            key, _, count = line.strip().partition("=")
            if key == "frame" and count.isdecimal():
                self.on_frames(done + int(count))

        # Strictly first. Where that fails, what a damaged recording still gives is as good, if it
        # is every frame.
        try:
            self.ffmpeg.run(["-xerror", *arguments], deadline_s, on_line=on_line)
            return _checked(window, path)
        except UnusableFootage:
            self.ffmpeg.run(arguments, deadline_s, on_line=on_line)
            return _checked(window, path)

    def _arguments(self, window: Excerpt, sps_id: int, path: Path) -> list[str]:
        first, end = window.first_shown, window.last_shown + 1
        filters = f"trim=start_pts={first}:end_pts={end},setpts=PTS-STARTPTS,{self.picture_format.filters}"
        params = f"sps-id={sps_id}:keyint={GOP_FRAMES}:open-gop=0"
        return [
            *("-y", "-progress", "pipe:1", "-stats_period", "0.5", "-copyts"),
            *mp4_input(window.path),
            *("-map", "0:v:0", "-map_metadata", "-1", "-vf", filters),
            *("-fps_mode", "passthrough", "-enc_time_base", "demux"),
            *("-c:v", "libx264", *QUALITY, "-x264-params", params),
            *("-profile:v", _profile(window)),
            *("-video_track_timescale", str(window.source.video.timescale)),
            *("-f", "mp4", file_url(path)),
        ]


def _profile(window: Excerpt) -> str:
    video = window.source.video
    return PROFILES.get(video.config[1] if video.codec == "avc1" and video.config else 0, "high")


def _same_sets(one: AvcConfig, other: AvcConfig) -> bool:
    return (one.sps, one.pps) == (other.sps, other.pps)


def _checked(window: Excerpt, path: Path) -> EncodedFrames:
    """Return the piece in `path` if it holds the wanted frames at their times; else UnusableFootage."""
    source = window.source
    track = index_file(path).video
    name = source.cut.segment.name
    if track is None:
        raise UnusableFootage(f"ffmpeg made no frame of {name}.")
    shown = sorted(track.pts)
    wanted = [source.video.pts[i] - source.video.pts[source.frames[0]] for i in source.frames]
    if len(shown) != len(wanted):
        raise UnusableFootage(f"{name} gave {len(shown)} frames where {len(wanted)} were wanted.")
    off = [i for i, time in enumerate(wanted) if not _alike(shown[i], track, time, source.video)]
    if off:
        raise UnusableFootage(f"{name} gave frame {off[0]} of {len(wanted)} at another time.")
    try:
        return EncodedFrames(window, path, track, parse_avcc(track.config))
    except InvalidMp4 as error:
        raise UnusableFootage(f"ffmpeg wrote no H.264 that can be read: {error}") from error


def _alike(time: int, track: Track, wanted: int, source: Track) -> bool:
    return time * source.timescale == wanted * track.timescale
