"""Encode exactly the frames of an excerpt, and prove with our own reader that they are there."""

from collections.abc import Callable, Iterable
from pathlib import Path

from attrs import field, frozen

from domain.errors import UnusableFootage
from infrastructure.ffmpeg.decode import decoding, is_fault_reported
from infrastructure.ffmpeg.excerpt import (
    Excerpt,
    encoded_track,
    index_file,
    require_possible_slices,
)
from infrastructure.ffmpeg.runner import Ffmpeg, file_url, mp4_input
from infrastructure.mp4.avc import AvcConfig, parse_avcc
from infrastructure.mp4.errors import InvalidMp4
from infrastructure.mp4.index import Track
from infrastructure.splicing.picture_format import PictureFormat, geometry
from infrastructure.splicing.tracks import EncodedTrack

PROFILES = {66: "baseline", 77: "main", 100: "high"}
MAX_PARAMETER_SETS = 31
"""As many SPS as an avcC can hold (ISO/IEC 14496-15, 5.3.3.1)."""
GOP_FRAMES = 60
QUALITY = ("-preset", "superfast", "-crf", "18")
"""The worst of 56 frames of noisy 1080p keeps 45.1 dB (41.7 with veryfast, which takes a fifth more
time, 43.8 with ultrafast, which takes a third less and half as many bytes again)."""


@frozen
class Encoder:
    """Encodes excerpts so that all of their frames fit under one sample entry."""

    ffmpeg: Ffmpeg
    picture_format: PictureFormat
    folder: Path
    first_id: int = 0
    """The first free SPS and PPS id; smaller ids belong to copied frames."""
    on_frames: Callable[[int], None] = field(default=lambda _: None)
    """Called with the number of frames encoded so far, of all excerpts."""

    def encode(self, excerpts: Iterable[Excerpt], deadline_s: float) -> list[EncodedTrack]:
        """Encode every excerpt's frames, in order.

        UnusableFootage if one is not decoded to exactly these frames, or not without a fault unless
        that is known.

        Spans with different parameter sets need distinct SPS ids. Similar recordings usually yield
        identical sets, so an id is reused optimistically, and the excerpt is encoded again if that
        was wrong.
        """
        encoded: list[EncodedTrack] = []
        configs: list[AvcConfig] = []
        likely_number: dict[object, int] = {}
        done = 0
        for excerpt in excerpts:
            video = excerpt.source.video
            kind = (video.timescale, video.config, _profile(video), geometry(video))
            number = likely_number.get(kind, len(configs))
            track, config = self._encode(excerpt, number, deadline_s, done)
            if number < len(configs) and not _same_sets(config, configs[number]):
                number = len(configs)
                track, config = self._encode(excerpt, number, deadline_s, done)
            if number == len(configs):
                configs.append(config)
            likely_number[kind] = number
            encoded.append(track)
            done += len(excerpt.frames)
        return encoded

    def _encode(
        self, excerpt: Excerpt, number: int, deadline_s: float, done: int
    ) -> tuple[EncodedTrack, AvcConfig]:
        sps_id = self.first_id + number
        if sps_id >= MAX_PARAMETER_SETS:
            raise UnusableFootage(
                f"The recordings need more than {MAX_PARAMETER_SETS} parameter sets."
            )
        path = self.folder / f"{excerpt.path.stem}-encoded.mp4"
        arguments = self._arguments(excerpt, sps_id, path)

        def on_line(line: str) -> None:
            key, _, count = line.strip().partition("=")
            if key == "frame" and count.isdecimal():
                self.on_frames(done + int(count))

        name = excerpt.source.cut.segment.name
        if not excerpt.is_damaged:
            require_possible_slices(excerpt.path, name)
        messages = self.ffmpeg.run(arguments, deadline_s, on_line=on_line)
        if messages and is_fault_reported(excerpt):
            raise UnusableFootage(f"{name} decodes with a message: {messages.splitlines()[0]}")
        return _checked(excerpt, path)

    def _arguments(self, excerpt: Excerpt, sps_id: int, path: Path) -> list[str]:
        first, end = excerpt.first_shown, excerpt.last_shown + 1
        trim = f"trim=start_pts={first}:end_pts={end},setpts=PTS-STARTPTS"
        params = f"sps-id={sps_id}:keyint={GOP_FRAMES}:open-gop=0"
        video = excerpt.source.video
        return [
            *("-y", "-progress", "pipe:1", "-stats_period", "0.5", "-copyts"),
            *decoding(excerpt),
            *mp4_input(excerpt.path),
            *("-map", "0:v:0", "-map_metadata", "-1"),
            *("-vf", f"{trim},{self.picture_format.filters}"),
            *("-fps_mode", "passthrough", "-enc_time_base", "demux"),
            *("-c:v", "libx264", *QUALITY, "-x264-params", params),
            *("-profile:v", _profile(video)),
            *("-video_track_timescale", str(video.timescale)),
            *("-f", "mp4", file_url(path)),
        ]


def _profile(video: Track) -> str:
    return PROFILES.get(video.config[1] if video.codec == "avc1" and video.config else 0, "high")


def _same_sets(one: AvcConfig, other: AvcConfig) -> bool:
    return (one.sps, one.pps) == (other.sps, other.pps)


def _checked(excerpt: Excerpt, path: Path) -> tuple[EncodedTrack, AvcConfig]:
    """Return the encoded track if it has the excerpt's frames at their times."""
    source, frames = excerpt.source, excerpt.frames
    track = index_file(path).video
    name = source.cut.segment.name
    if track is None:
        raise UnusableFootage(f"ffmpeg made no frame of {name}.")
    shown = sorted(track.pts)
    planned = [source.video.pts[i] - source.video.pts[frames[0]] for i in frames]
    if len(shown) != len(planned):
        raise UnusableFootage(f"{name} gave {len(shown)} frames where {len(planned)} were planned.")
    for number, (time, wanted) in enumerate(zip(shown, planned, strict=True)):
        if time * source.video.timescale != wanted * track.timescale:
            raise UnusableFootage(f"{name} gave frame {number} of {len(planned)} at another time.")
    try:
        return encoded_track(path, track), parse_avcc(track.config)
    except InvalidMp4 as error:
        raise UnusableFootage(f"ffmpeg wrote no readable H.264: {error}") from error
