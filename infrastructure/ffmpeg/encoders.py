"""The encoders of the frames between copied ones, and how their output is made to fit."""

from abc import ABC, abstractmethod
from array import array
from collections.abc import Mapping
from pathlib import Path

from attrs import evolve

from application.ports import FilePiece
from infrastructure.ffmpeg.excerpt import encoded_track
from infrastructure.mp4.hevc import build_hvcc, parse_hvcc
from infrastructure.mp4.hevc_ids import renumbered
from infrastructure.mp4.index import Track
from infrastructure.splicing.codecs import AVC, HEVC, Codec
from infrastructure.splicing.stored_samples import StoredSamples
from infrastructure.splicing.tracks import EncodedTrack

GOP_FRAMES = 60
PROFILES = {66: "baseline", 77: "main", 100: "high"}


class VideoEncoder(ABC):
    """An encoder of ffmpeg."""

    @abstractmethod
    def arguments(self, video: Track, number: int) -> list[str]:
        """Return ffmpeg's arguments to encode frames of a recording's track.

        `number` is the id that their parameter sets are to have, here or by `fit`.
        """

    @abstractmethod
    def fit(self, path: Path, track: Track, number: int, *, ends_sequence: bool) -> EncodedTrack:
        """Return what ffmpeg wrote to `path`, with parameter sets of the id `number`.

        `ends_sequence` is whether an end of sequence follows the last picture. InvalidMp4 if that
        cannot be done.
        """


class X264(VideoEncoder):
    """H.264."""

    QUALITY = ("-preset", "ultrafast", "-crf", "17")
    """The worst of 38 frames of noisy 1080p (6 Mbit/s) keeps 45.3 dB, in 0.99 s of an EPYC's
    processor time and 5.0 MB. With superfast, crf 18: 45.0 dB, 1.32 s, 3.2 MB; ultrafast, crf 18:
    44.5 dB, 0.95 s, 4.3 MB. What it writes also decodes in two thirds of the time, to be verified.
    """

    def arguments(self, video: Track, number: int) -> list[str]:
        """Return arguments by which x264 itself writes the ids."""
        params = f"sps-id={number}:keyint={GOP_FRAMES}:open-gop=0"
        is_avc = video.codec == "avc1" and video.config
        profile = PROFILES.get(video.config[1] if is_avc else 0, "high")
        coding = ["-c:v", "libx264", *self.QUALITY, "-x264-params", params]
        return [*coding, "-profile:v", profile]

    def fit(self, path: Path, track: Track, number: int, *, ends_sequence: bool) -> EncodedTrack:
        """Return the track as it is: an IDR picture follows in any case."""
        del number, ends_sequence
        return encoded_track(path, track)


class X265(VideoEncoder):
    """HEVC: all parameter sets that x265 writes have the id 0."""

    QUALITY = ("-preset", "ultrafast", "-crf", "15")
    """The worst of 40 frames of noisy 1080p keeps 44.4 dB, in 1.8 s of an EPYC's processor time;
    with superfast, crf 16, 43.7 dB in 2.8 s."""
    PARAMS = (
        f"log-level=error:keyint={GOP_FRAMES}:open-gop=0:bframes=0:weightp=0"
        ":info=0:repeat-headers=0:aud=0:hrd=0:frame-threads=2"
    )
    """What the headers of slices may hold without being unreadable, and nothing but slices in the
    samples. Without B-frames, no picture waits to be shown when a copied keyframe follows. More
    frames at once than these take longer for so few."""

    def arguments(self, video: Track, number: int) -> list[str]:
        """Return arguments by which x265 writes what can be renumbered."""
        del video, number
        return ["-c:v", "libx265", *self.QUALITY, "-x265-params", self.PARAMS, "-tag:v", "hvc1"]

    def fit(self, path: Path, track: Track, number: int, *, ends_sequence: bool) -> EncodedTrack:
        """Write the samples again, next to `path`, which is deleted."""
        target = path.with_suffix(".hevc")
        new = renumbered(parse_hvcc(track.config), number)
        offsets, sizes = array("q"), array("Q")
        with path.open("rb") as file, target.open("wb") as out:
            for offset, size in zip(track.offsets, track.sizes, strict=True):
                file.seek(offset)
                offsets.append(out.tell())
                sizes.append(out.write(new.sample(file.read(size))))
            if ends_sequence:
                sizes[-1] += out.write(new.end_of_sequence)
        path.unlink()
        stored = StoredSamples(FilePiece(target, 0, sum(sizes)), offsets, sizes)
        return EncodedTrack(evolve(track, config=build_hvcc(new.config)), stored)


ENCODERS: Mapping[Codec, VideoEncoder] = {AVC: X264(), HEVC: X265()}
