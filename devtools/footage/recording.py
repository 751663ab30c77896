"""A recording as a camera would store it, described by its content and its format."""

import fcntl
import hashlib
import subprocess
import tempfile
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from struct import pack
from typing import Literal

import imageio_ffmpeg
from attrs import evolve, field, frozen

from devtools.footage import picture
from devtools.footage.audio import beeping
from devtools.footage.fragments import start_later

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
DEADLINE_S = 120
# Without a time base, ffmpeg guesses a frame rate and rounds every time to it.
KEEP_TIMES = ("-fps_mode", "passthrough", "-enc_time_base", "demux")
_VERSION = 1

_MOVFLAGS = {
    "faststart": "+faststart",
    "moov_last": "0",
    "fragmented": "+frag_keyframe+empty_moov+default_base_moof",
    "fragmented_no_index": "+frag_keyframe+empty_moov+default_base_moof+skip_trailer",
}


@frozen(kw_only=True)
class Recording:
    """One stored recording. Frame n of it shows the number `first_number` + n, below 2**24.

    start_ms: wall clock at its first presented frame; the audio beeps at whole wall-clock seconds.
    pts_ms: presentation times of its frames (variable frame rate); None means `fps`. The last
        frame has the duration of the one before it.
    start_time_s: the first frame's presentation time. A fragmented file has no edit list, so its
        first frame is shown later than that by the reorder delay of its B-frames.
    rotation: quarter turns, in degrees clockwise, by which a player turns the coded picture.
    listed_ms: how long the camera says it is, if that is not its duration.
    codec_params: more of x264's or x265's own parameters, separated by colons.
    bitrate_kbps replaces `crf`. extra_args go to ffmpeg before the output's name.
    """

    first_number: int
    frames: int
    start_ms: int = 0
    fps: Fraction = Fraction(30)
    pts_ms: tuple[int, ...] | None = None
    size: tuple[int, int] = (320, 180)
    codec: Literal["h264", "hevc", "mpeg4"] = "h264"
    gop_frames: int = 60
    bframes: int = 2
    open_gop: bool = False
    all_intra: bool = False
    intra_refresh: bool = False
    pix_fmt: str = "yuv420p"
    interlaced: bool = False
    crf: int = 23
    bitrate_kbps: int | None = None
    preset: str = "ultrafast"
    audio: Literal["aac", "mp3"] | None = "aac"
    audio_rate_hz: int = 48_000
    channels: Literal[1, 2] = 1
    layout: Literal["faststart", "moov_last", "fragmented", "fragmented_no_index"] = "faststart"
    start_time_s: float = 0.0
    rotation: Literal[0, 90, 180, 270] = 0
    codec_params: str = ""
    extra_args: tuple[str, ...] = ()
    listed_ms: int | None = field(default=None, repr=False)

    @property
    def is_fragmented(self) -> bool:
        """Whether its samples are described fragment by fragment."""
        return self.layout in {"fragmented", "fragmented_no_index"}

    @property
    def numbers(self) -> list[int]:
        """The numbers its frames carry, in presentation order."""
        return list(range(self.first_number, self.first_number + self.frames))

    @property
    def times_ms(self) -> list[Fraction]:
        """Presentation time of each frame after the first frame, exact."""
        if self.pts_ms is None:
            return [Fraction(1000 * n) / self.fps for n in range(self.frames)]
        return [Fraction(pts - self.pts_ms[0]) for pts in self.pts_ms]

    @property
    def duration_ms(self) -> Fraction:
        """From its first frame to the end of its last one, exact."""
        times = self.times_ms
        if self.pts_ms is None or self.frames == 1:
            return times[-1] + 1000 / self.fps
        return 2 * times[-1] - times[-2]


def constant_bitrate(recording: Recording, kbps: int) -> Recording:
    """Return the recording with `kbps` of video, mostly filler: a large file, quickly made."""
    rate = f"{kbps}k"
    hrd = ("-minrate", rate, "-maxrate", rate, "-bufsize", rate, "-x264-params", "nal-hrd=cbr")
    return evolve(recording, bitrate_kbps=kbps, extra_args=(*recording.extra_args, *hrd))


def make_recording(path: Path, recording: Recording) -> Path:
    """Encode `recording` to the MP4 file `path` and return `path`.

    Raises RuntimeError with ffmpeg's messages if ffmpeg fails or writes any.
    """
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "log")
        argv = [FFMPEG, "-nostdin", "-hide_banner", "-v", "error", "-y"]
        argv += ["-noautorotate", "-display_rotation:v:0", str(-recording.rotation)]
        argv += ["-f", "ivf", "-i", "pipe:0"]
        if recording.audio is not None:
            pcm = Path(folder, "pcm")
            pcm.write_bytes(_pcm_of(recording))
            argv += ["-f", "s16le", "-ar", str(recording.audio_rate_hz)]
            argv += ["-ch_layout", {1: "mono", 2: "stereo"}[recording.channels], "-i", str(pcm)]
        argv += [*_encoding(recording), *recording.extra_args, "-f", "mp4", str(path)]
        with log.open("wb") as stderr:
            ffmpeg = subprocess.Popen(argv, stdin=subprocess.PIPE, stderr=stderr, env={})
            assert ffmpeg.stdin is not None
            try:
                with ffmpeg.stdin as stdin:
                    stdin.writelines(_ivf(recording))
            except BrokenPipeError:
                pass  # ffmpeg's messages say why it exited
            status = ffmpeg.wait(DEADLINE_S)
        messages = log.read_text(errors="replace")
        if status != 0 or messages:
            raise RuntimeError(f"ffmpeg exited with {status}: {messages}")
    if recording.start_time_s and recording.is_fragmented:
        start_later(path, recording.start_time_s)
    return path


def cached_recording(folder: Path, recording: Recording) -> Path:
    """Return the file of `recording` in `folder`, made once however many processes ask for it."""
    name = hashlib.sha256(f"{_VERSION} {recording!r}".encode()).hexdigest()[:24]
    path = folder / f"{name}.mp4"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            make_recording(folder / f"{name}.part", recording).replace(path)
    return path


def _pcm_of(recording: Recording) -> bytes:
    return beeping(
        recording.start_ms,
        recording.duration_ms,
        recording.audio_rate_hz,
        recording.channels,
    )


def _ivf(recording: Recording) -> Iterator[bytes]:
    """Wrap raw pictures in IVF, the simplest container in which each frame has its own time."""
    width, height = recording.size
    if recording.pts_ms is None:
        rate, times = recording.fps, list(range(recording.frames))
    else:
        rate, times = Fraction(1000), list(recording.pts_ms)
        if len(times) != recording.frames:
            raise ValueError(f"{recording.frames} frames but {len(times)} presentation times")
    yield b"DKIF" + pack(
        "<HH4sHHIIII",
        *(0, 32, b"I420", width, height, rate.numerator, rate.denominator, recording.frames, 0),
    )
    pictures = picture.draw(recording.size, recording.first_number, recording.frames)
    for time, drawn in zip(times, pictures, strict=True):
        yield pack("<IQ", len(drawn), time) + drawn


def _encoding(recording: Recording) -> list[str]:
    argv = ["-map", "0:v", *KEEP_TIMES, "-pix_fmt", recording.pix_fmt]
    argv += ["-threads", "2", *_video_codec(recording)]
    if recording.audio is not None:
        argv += ["-map", "1:a", "-b:a", "64k"]
    if recording.audio == "aac":
        argv += ["-c:a", "aac", "-aac_coder", "fast"]
    if recording.audio == "mp3":
        argv += ["-c:a", "libmp3lame"]
    if recording.start_time_s and not recording.is_fragmented:
        argv += ["-output_ts_offset", str(recording.start_time_s)]
    return [*argv, "-movflags", _MOVFLAGS[recording.layout]]


def _video_codec(recording: Recording) -> list[str]:
    gop_frames = 1 if recording.all_intra else recording.gop_frames
    bframes = 0 if recording.all_intra or recording.intra_refresh else recording.bframes
    open_gop, refresh = int(recording.open_gop), int(recording.intra_refresh)
    argv = ["-g", str(gop_frames), "-bf", str(bframes)]
    if recording.interlaced:
        argv += ["-flags", "+ilme+ildct"]
    if recording.bitrate_kbps is not None:
        argv += ["-b:v", f"{recording.bitrate_kbps}k"]
    elif recording.codec == "mpeg4":
        argv += ["-q:v", "4"]
    else:
        argv += ["-crf", str(recording.crf)]
    if recording.codec == "mpeg4":
        closed = [] if recording.open_gop else ["-flags", "+cgop", "-sc_threshold", "1000000000"]
        return [*argv, "-c:v", "mpeg4", *closed]
    argv += ["-preset", recording.preset]
    params = f"keyint={gop_frames}:min-keyint={gop_frames}:scenecut=0:open-gop={open_gop}"
    params += f":intra-refresh={refresh}"
    if recording.codec_params:
        params += f":{recording.codec_params}"
    if recording.codec == "h264":
        tff = ":tff=1" if recording.interlaced else ""
        return [*argv, "-c:v", "libx264", "-x264-params", params + tff]
    return [*argv, "-c:v", "libx265", "-tag:v", "hvc1", "-x265-params", params + ":log-level=error"]
