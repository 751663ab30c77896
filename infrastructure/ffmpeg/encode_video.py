"""Encode exactly the frames of an excerpt, and prove with our own reader that they are there."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from attrs import field, frozen

from domain.errors import UnusableFootage
from infrastructure.ffmpeg.decode import decoding, is_fault_reported
from infrastructure.ffmpeg.encoders import ENCODERS
from infrastructure.ffmpeg.excerpt import (
    Excerpt,
    index_file,
    require_possible_slices,
    with_fewest_samples,
)
from infrastructure.ffmpeg.runner import Ffmpeg, file_url, mp4_input
from infrastructure.mp4.errors import InvalidMp4
from infrastructure.mp4.index import Track
from infrastructure.splicing.codecs import Codec
from infrastructure.splicing.picture_format import PictureFormat, geometry
from infrastructure.splicing.tracks import EncodedTrack


@frozen
class Encoder:
    """Encodes excerpts so that all of their frames fit under one sample entry."""

    ffmpeg: Ffmpeg
    codec: Codec
    picture_format: PictureFormat
    folder: Path
    first_id: int = 0
    """The first free parameter-set id; smaller ids belong to copied frames."""
    on_frames: Callable[[int], None] = field(default=lambda _: None)
    """Called with the number of frames encoded so far, of all excerpts."""

    def encode(self, excerpts: Iterable[Excerpt], deadline_s: float) -> list[EncodedTrack]:
        """Encode every excerpt's frames, in order.

        UnusableFootage if one is not decoded to exactly these frames, or not without a fault unless
        that is known.

        Spans with different parameter sets need distinct ids. Similar recordings usually yield
        identical sets, so an id is reused optimistically, and the excerpt is encoded again if that
        was wrong.
        """
        encoded: list[EncodedTrack] = []
        known: list[Sequence[bytes]] = []
        likely_number: dict[object, int] = {}
        done = 0
        for excerpt in excerpts:
            video = excerpt.source.video
            kind = (video.timescale, video.codec, video.config, geometry(video))
            number = likely_number.get(kind, len(known))
            track, sets = self._encode(excerpt, number, deadline_s, done)
            if number < len(known) and sets != known[number]:
                number = len(known)
                track, sets = self._encode(excerpt, number, deadline_s, done)
            if number == len(known):
                known.append(sets)
            likely_number[kind] = number
            encoded.append(track)
            done += excerpt.encoded_frames
        return encoded

    def _encode(
        self, excerpt: Excerpt, number: int, deadline_s: float, done: int
    ) -> tuple[EncodedTrack, Sequence[bytes]]:
        return with_fewest_samples(
            excerpt, lambda fewest: self._encode_decoded(fewest, number, deadline_s, done)
        )

    def _encode_decoded(
        self, excerpt: Excerpt, number: int, deadline_s: float, done: int
    ) -> tuple[EncodedTrack, Sequence[bytes]]:
        set_id = self.first_id + number
        if set_id >= self.codec.max_ids:
            raise UnusableFootage(
                f"The recordings need more than {self.codec.max_ids} parameter sets."
            )
        path = self.folder / f"{excerpt.path.stem}-encoded.mp4"
        arguments = self._arguments(excerpt, set_id, path)

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
        track = _checked(excerpt, path)
        try:
            fitted = ENCODERS[self.codec].fit(
                path, track, set_id, ends_sequence=excerpt.ends_sequence
            )
            return fitted, self.codec.sets(fitted.track.config)
        except InvalidMp4 as error:
            raise UnusableFootage(f"ffmpeg wrote unknown {self.codec.title}: {error}") from error

    def _arguments(self, excerpt: Excerpt, set_id: int, path: Path) -> list[str]:
        first, end = excerpt.first_shown, excerpt.last_shown + 1
        trim = f"trim=start_pts={first}:end_pts={end},setpts=PTS-STARTPTS"
        video, drawing = excerpt.source.video, excerpt.drawing
        filters = [trim, self.picture_format.filters(video)]
        if drawing:
            filters.append(drawing.filters(self.picture_format, video))
        return [
            *("-y", "-progress", "pipe:1", "-stats_period", "0.5", "-copyts"),
            *decoding(excerpt),
            *mp4_input(excerpt.path),
            *("-map", "0:v:0", "-map_metadata", "-1"),
            *("-vf", ",".join(filters)),
            *("-fps_mode", "passthrough", "-enc_time_base", "demux"),
            *ENCODERS[self.codec].arguments(video, set_id),
            *("-video_track_timescale", str(video.timescale)),
            *("-f", "mp4", file_url(path)),
        ]


def _checked(excerpt: Excerpt, path: Path) -> Track:
    """Return the encoded track if it has the excerpt's frames at their times."""
    source, frames = excerpt.source, excerpt.frames
    track = index_file(path).video
    name = source.cut.segment.name
    if track is None:
        raise UnusableFootage(f"ffmpeg made no frame of {name}.")
    shown = sorted(track.pts)
    if excerpt.drawing:
        planned = [number * source.video.timescale for number in range(excerpt.drawing.count)]
    else:
        planned = [source.video.pts[i] - source.video.pts[frames[0]] for i in frames]
    if len(shown) != len(planned):
        raise UnusableFootage(f"{name} gave {len(shown)} frames where {len(planned)} were planned.")
    for number, (time, wanted) in enumerate(zip(shown, planned, strict=True)):
        if time * source.video.timescale != wanted * track.timescale:
            raise UnusableFootage(f"{name} gave frame {number} of {len(planned)} at another time.")
    return track
