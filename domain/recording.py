"""Stored files of a camera's recording."""

from attrs import evolve, frozen

from domain.window import TimeWindow


@frozen(order=True)
class RecordingSegment:
    """One stored file of a recording and the window that it covers.

    The camera API supplies the window. Once the file is open, the window ends where its media ends
    (see `with_media_duration`).
    """

    window: TimeWindow
    name: str
    """The file's name in the recording store, such as `pier.20180815T140019.mp4`."""
    last_frame_duration_ms: int = 0
    """The duration of the last frame, up to the window's end; 0 until the file is open."""
    hold_last_frame_until_ms: int = 0
    """An instant shortly after the end that the recorder still claims as recorded, else 0."""

    def with_media_duration(
        self, duration_ms: int, last_frame_ms: int, tolerance_ms: int
    ) -> "RecordingSegment":
        """Return the segment with the duration of its media, from the same start.

        `last_frame_ms` is the last frame's time in the media, rounded down. The camera API's start
        date stands; its end date gives way to the media. Recorders round that date: if it exceeds
        the end of the media by at most `tolerance_ms`, nothing more was recorded, and the last
        frame may be held until then.
        """
        end_ms = self.window.start_ms + duration_ms
        hold = end_ms < self.window.end_ms <= end_ms + tolerance_ms
        return evolve(
            self,
            window=TimeWindow(self.window.start_ms, end_ms),
            last_frame_duration_ms=duration_ms - last_frame_ms,
            hold_last_frame_until_ms=self.window.end_ms if hold else 0,
        )
