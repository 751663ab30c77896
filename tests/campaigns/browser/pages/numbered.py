"""Footage with a number in each frame, and the numbers that the browser shows."""

from base64 import b64decode
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from attrs import frozen
from playwright.sync_api import Locator

from devtools.footage import Recording, cached_recording
from devtools.footage.picture import read_number
from tests.support.recorders import EPOCH, FPS, START_MS, files_of, local, store

FILE_MS = 10_000
GAP_MS = 10_000
GAP_START_MS = START_MS + 3 * FILE_MS
FRAMES = FPS * FILE_MS // 1000
GRAY_OF = """
async (element) => {
  const isVideo = element instanceof HTMLVideoElement;
  if (!isVideo) await element.decode();
  const picture = isVideo ? new VideoFrame(element) : element;
  const context = new OffscreenCanvas(36, 36).getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, 0, 0, 36, 36);
  if (isVideo) picture.close();
  const pixels = context.getImageData(0, 0, 36, 36).data;
  const gray = new Uint8Array(36 * 36).map((_, at) => pixels[4 * at + 1]);
  return btoa(String.fromCharCode(...gray));
}
"""
"""A VideoFrame has the pixels alone: the element's box may have margins."""


@frozen
class Numbered:
    """The recordings of two cameras: "pier" has a gap, "mole" none."""

    pier: Sequence[Recording]
    mole: Sequence[Recording]

    def number_at(self, at_ms: int, camera: str = "pier") -> int:
        """Return the number of the frame that was on screen at an instant."""
        recordings: Sequence[Recording] = getattr(self, camera)
        [shown] = [r for r in recordings if r.start_ms <= at_ms < r.start_ms + FILE_MS]
        seen_ms = [shown.start_ms + int(time) for time in shown.times_ms]
        return shown.first_number + sum(ms <= at_ms for ms in seen_ms) - 1

    def seen_ms(self, number: int) -> int:
        """Return when a frame of "pier" was seen, in ms since the epoch."""
        [shown] = [r for r in self.pier if 0 <= number - r.first_number < r.frames]
        return shown.start_ms + int(shown.times_ms[number - shown.first_number])

    def numbers(self, start_ms: int, end_ms: int) -> list[int]:
        """Return the numbers of the frames of "pier" that were seen in a window, in order."""
        all_numbers = [number for recording in self.pier for number in recording.numbers]
        return [n for n in all_numbers if start_ms <= self.seen_ms(n) < end_ms]


def write_numbered(folder: Path, films: Path) -> Numbered:
    """Write the recordings as Frigate does."""
    pier = files_of(3, FRAMES, "faststart")
    after = Recording(
        first_number=9000, frames=FRAMES, start_ms=GAP_START_MS + GAP_MS, layout="faststart"
    )
    pier = [*pier, after]
    mole = [
        Recording(first_number=20_000, frames=FRAMES, start_ms=START_MS),
        Recording(first_number=30_000, frames=FRAMES, start_ms=START_MS + FILE_MS),
    ]
    for camera, recordings in (("pier", pier), ("mole", mole)):
        for recording in recordings:
            start = local(recording.start_ms)
            path = folder / f"{start:%Y-%m-%d/%H}" / camera / f"{start:%M.%S}.mp4"
            written_ms = recording.start_ms + FILE_MS
            store(path, cached_recording(films, recording), written_ms)
    return Numbered(pier, mole)


def number_in(shown: Locator) -> int:
    """Return the number that an image or a video shows."""
    return read_number(b64decode(shown.evaluate(GRAY_OF)))


def clock(at_ms: int) -> str:
    """Return a time of day in UTC, as the pages show it."""
    return f"{EPOCH + timedelta(milliseconds=at_ms):%H:%M:%S.%f}"[:-3]
