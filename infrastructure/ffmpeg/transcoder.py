"""The exact cut: the wanted frames encoded, the sound copied, the MP4 put together by us.

Of each recording only a window is read: from the keyframe that the first wanted frame needs to the
last wanted frame. ffmpeg encodes exactly the wanted frames of it; when they are shown is taken from
the plan, never from ffmpeg. What comes out is measured and decoded before anybody hears of it.
Interlaced pictures are left woven.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from attrs import evolve, field, frozen
from attrs.validators import in_

from application.ports import Recording, Rendition, Stills, Transcoder
from domain.errors import Unavailable
from domain.planning import ClipPlan
from infrastructure.ffmpeg.aac import encode_sound, silent_packet
from infrastructure.ffmpeg.check import decode, measure
from infrastructure.ffmpeg.encode import Encoder
from infrastructure.ffmpeg.frames import (
    Take,
    clip_times,
    clip_timescale,
    decoded_from,
    find_takes,
)
from infrastructure.ffmpeg.look import common_look
from infrastructure.ffmpeg.mux import (
    ClipTrack,
    copied_sound,
    encoded_sound,
    video_track,
    write_clip,
)
from infrastructure.ffmpeg.runner import Ffmpeg
from infrastructure.ffmpeg.sound import SoundPlan, can_be_copied, plan_sound, sounding
from infrastructure.ffmpeg.stills import make_stills
from infrastructure.ffmpeg.window import Stored, Window, open_window

PREROLL_PACKETS = 12
"""Decoded before the sound that is wanted: MP3 refers to earlier packets, AAC to the last one."""


@frozen
class FfmpegTranscoder(Transcoder):
    """Makes clips with the ffmpeg at `path`."""

    path: Path
    on_progress: Callable[[int, int], None] | None = None
    """Told, now and then, how many frames are encoded, and of how many."""
    verify: str = field(default="frames", validator=in_(("frames", "decode")))
    """What of the clip is decoded to prove it: "frames", or "decode" for frames and sound."""

    def render(
        self,
        plan: ClipPlan,
        recordings: Mapping[str, Recording],
        stills: Stills,
        folder: Path,
        deadline_s: float,
    ) -> Rendition:
        """Cut, encode, put together, and check."""
        try:
            return self._render(plan, recordings, stills, folder, deadline_s)
        except OSError as error:
            raise Unavailable(f"The scratch folder cannot be used: {error.strerror}") from error

    def _render(
        self,
        plan: ClipPlan,
        recordings: Mapping[str, Recording],
        stills: Stills,
        folder: Path,
        deadline_s: float,
    ) -> Rendition:
        ffmpeg = Ffmpeg(self.path)
        length_ms = plan.delivered_ms
        takes = find_takes(plan, recordings)
        timescale = clip_timescale(takes)
        times = clip_times(takes, timescale)
        look = common_look(takes)
        sound = _Sound(ffmpeg, plan_sound(takes, length_ms), takes, folder, deadline_s)
        windows = [
            open_window(take, folder / f"window-{number}.mp4", sound.wanted(number))
            for number, take in enumerate(takes)
        ]
        quarter = _shown_at(takes, times, length_ms * timescale // 4000)
        still = open_window(quarter, folder / "still.mp4")
        encoder = Encoder(ffmpeg, look, folder, self._progress(sum(map(len, times))))
        with ThreadPoolExecutor(1) as beside:
            pictures = beside.submit(make_stills, ffmpeg, still, look, stills, folder, deadline_s)
            pieces = encoder.encode(windows, deadline_s)
            tracks = [video_track(pieces, times, timescale, length_ms)]
            tracks += sound.tracks(windows, length_ms)
            paths = pictures.result()
        clip = folder / "clip.mp4"
        header, payload = write_clip(tracks, clip)
        shown = [time for own in times for time in own]
        footage = measure(clip, payload, shown, tracks[0])
        decode(ffmpeg, clip, shown, timescale, deadline_s, sound=self.verify == "decode")
        return Rendition((header, payload), paths, footage)

    def _progress(self, frames: int) -> Callable[[int], None]:
        tell = self.on_progress
        return (lambda done: tell(done, frames)) if tell else lambda _: None


def _shown_at(takes: Sequence[Take], times: Sequence[Sequence[int]], moment: int) -> Take:
    """Return the take of the one frame that the clip shows at `moment`, or else of its first."""
    frames = [
        (time, take, frame)
        for take, own in zip(takes, times, strict=True)
        for frame, time in zip(take.frames, own, strict=True)
    ]
    _, take, frame = next((f for f in reversed(frames) if f[0] <= moment), frames[0])
    first = decoded_from(take.recording, take.video, (frame,))
    return evolve(take, frames=(frame,), decoded_from=first or take.decoded_from)


class _Sound:
    """How the clip gets its sound: copied where that can be, else encoded whole."""

    def __init__(
        self,
        ffmpeg: Ffmpeg,
        plan: SoundPlan | None,
        takes: Sequence[Take],
        folder: Path,
        deadline_s: float,
    ) -> None:
        self._ffmpeg, self._plan, self._takes = ffmpeg, plan, takes
        self._folder, self._deadline_s = folder, deadline_s
        self._silence: Stored | None = None
        self._copied = plan is not None and can_be_copied(takes)
        if plan and self._copied and plan.has_silence:
            silence = folder / "silence.mp4"
            self._silence = silent_packet(ffmpeg, plan.model, silence, deadline_s)
            self._copied = self._silence is not None

    def wanted(self, number: int) -> range:
        """Say which sound samples are needed of a take."""
        sound = self._takes[number].index.sound
        if self._plan is None or sound is None:
            return range(0)
        if self._copied:
            return self._plan.samples(number)
        own = sounding(self._takes[number], sound)
        return range(max(0, own.start - PREROLL_PACKETS), own.stop) if own else own

    def tracks(self, windows: Sequence[Window], length_ms: int) -> list[ClipTrack]:
        """Return the sound track, if the clip has sound."""
        if self._plan is None:
            return []
        if self._copied:
            return [copied_sound(self._plan, windows, self._silence)]
        made = encode_sound(self._ffmpeg, windows, length_ms, self._folder, self._deadline_s)
        return [encoded_sound(made, length_ms)]
