"""The encoders of the frames between copied ones, and how their output is made to fit."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path

from attrs import evolve

from application.ports import FilePiece
from infrastructure.ffmpeg.excerpt import encoded_track
from infrastructure.mp4.hevc import build_hvcc, parse_hvcc
from infrastructure.mp4.hevc_ids import renumbered
from infrastructure.mp4.index import Track
from infrastructure.splicing.codecs import AVC, HEVC, Codec
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
    def fit(self, path: Path, track: Track, number: int) -> EncodedTrack:
        """Return what ffmpeg wrote to `path`, with parameter sets of the id `number`.

        InvalidMp4 if that cannot be done.
        """


class X264(VideoEncoder):
    """H.264."""

    QUALITY = ("-preset", "superfast", "-crf", "18")
    """The worst of 56 frames of noisy 1080p keeps 45.1 dB (41.7 with veryfast, which takes a fifth
    more time, 43.8 with ultrafast, which takes a third less and half as many bytes again)."""

    def arguments(self, video: Track, number: int) -> list[str]:
        """Return arguments by which x264 itself writes the ids."""
        params = f"sps-id={number}:keyint={GOP_FRAMES}:open-gop=0"
        is_avc = video.codec == "avc1" and video.config
        profile = PROFILES.get(video.config[1] if is_avc else 0, "high")
        coding = ["-c:v", "libx264", *self.QUALITY, "-x264-params", params]
        return [*coding, "-profile:v", profile]

    def fit(self, path: Path, track: Track, number: int) -> EncodedTrack:
        """Return the track as it is."""
        del number
        return encoded_track(path, track)


class X265(VideoEncoder):
    """HEVC: all parameter sets that x265 writes have the id 0."""

    QUALITY = ("-preset", "superfast", "-crf", "16")
    PARAMS = (
        f"log-level=error:keyint={GOP_FRAMES}:open-gop=0:bframes=0:weightp=0"
        ":info=0:repeat-headers=0:aud=0:hrd=0"
    )
    """What the headers of slices may hold without being unreadable, and nothing but slices in the
    samples. Without B-frames, no picture waits to be shown when a copied keyframe follows."""

    def arguments(self, video: Track, number: int) -> list[str]:
        """Return arguments by which x265 writes what can be renumbered."""
        del video, number
        return ["-c:v", "libx265", *self.QUALITY, "-x265-params", self.PARAMS, "-tag:v", "hvc1"]

    def fit(self, path: Path, track: Track, number: int) -> EncodedTrack:
        """Write the samples again, next to `path`, which is deleted."""
        target = path.with_suffix(".hevc")
        new = renumbered(parse_hvcc(track.config), number)
        pieces = []
        at = 0
        with path.open("rb") as file, target.open("wb") as out:
            for offset, size in zip(track.offsets, track.sizes, strict=True):
                file.seek(offset)
                length = out.write(new.sample(file.read(size)))
                pieces.append(FilePiece(target, at, length))
                at += length
        path.unlink()
        return EncodedTrack(evolve(track, config=build_hvcc(new.config)), pieces)


ENCODERS: Mapping[Codec, VideoEncoder] = {AVC: X264(), HEVC: X265()}
