"""What a camera wrote."""

from attrs import evolve, frozen

from domain.window import TimeWindow


@frozen(order=True)
class RecordingSegment:
    """One stored file of a recording and the window it covers.

    Before the file is opened the window is what the camera API says; afterwards its end is what
    the file holds (see `measured`).
    """

    window: TimeWindow
    name: str
    """The file's name in the recording store, such as `pier.20180815T140019.mp4`."""
    last_frame_duration_ms: int = 0
    """How long the last frame is shown, the end of the window: 0 while that is not known."""
    hold_last_frame_until_ms: int = 0
    """Until when the recorder says that it recorded, if that is a moment after the end."""

    def with_media_duration(
        self, duration_ms: int, last_frame_ms: int, tolerance_ms: int
    ) -> "RecordingSegment":
        """Return the segment as long as its media is, `duration_ms` from the same start.

        `last_frame_ms` is the last frame's time in the media, rounded down. The camera API's date
        is the start and the media's own length is the truth. But a recorder rounds: where it says
        that it recorded for at most `tolerance_ms` longer than the last frame lasts, there was
        nothing more to record, and that frame may be held until then.
        """
        end_ms = self.window.start_ms + duration_ms
        held = end_ms < self.window.end_ms <= end_ms + tolerance_ms
        return evolve(
            self,
            window=TimeWindow(self.window.start_ms, end_ms),
            last_frame_duration_ms=duration_ms - last_frame_ms,
            hold_last_frame_until_ms=self.window.end_ms if held else 0,
        )
