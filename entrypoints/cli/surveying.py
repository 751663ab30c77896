"""Find the footage of a camera in a folder: what is opened, and what is nearest to a miss."""

import time
from collections.abc import Iterable

from attrs import frozen

from application.survey_footage import Nearest, Stretch, Survey, nearest, survey
from domain.errors import NotRecordedYet, RecordingChanged, Unavailable, UnusableFootage
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from entrypoints.cli.console import ProgressReporter, err
from entrypoints.cli.session import LISTING_S, Session
from entrypoints.cli.times import in_zones
from entrypoints.cli.units import in_largest_unit
from infrastructure.folder.camera_files import ALL_TIME, StoredFile
from infrastructure.folder.cameras import OTHER_KIND, UNDATED

DAY_MS = 86_400_000
MARGIN_MS = 60_000
"""A recording's first picture may be so much later than its name says."""
MAX_NEIGHBOURS = 5
"""So many recordings on each side are tried to find the nearest one that can be read."""


@frozen
class CameraSurvey:
    """The footage of a camera, and the files that are none."""

    found: Survey
    left_out: tuple[str, ...]
    """For people: which files were left out, and why."""


def last_day(session: Session, camera_id: str) -> tuple[TimeWindow, bool]:
    """Return a window of the last day of a camera's footage, and whether there is more before it.

    By names alone; all of time if there is no recording. Rejected if the camera is unknown.
    """
    files = session.cameras.files(camera_id, ALL_TIME).dated
    starts_ms = [file.start_ms for file in files if file.is_recording]
    if not starts_ms:
        return ALL_TIME, False
    window = TimeWindow(max(starts_ms) - DAY_MS, max(starts_ms) + DAY_MS)
    return window, min(starts_ms) < window.start_ms


def survey_camera(session: Session, camera_id: str, window: TimeWindow) -> CameraSurvey:
    """Open all recordings of a camera that may overlap `window`; Rejected if it is unknown."""
    files = session.cameras.files(camera_id, window)
    left_out = [f"{name}: {UNDATED}." for name in files.undated]
    opened = []
    around = list(files.around(window, StoredFile.written_ms))
    progress = ProgressReporter("files")
    with progress.reporting("Reading"):
        for number, (segment, file) in enumerate(around):
            progress(number, len(around))
            if not file.is_recording:
                left_out.append(f"{file.name}: {OTHER_KIND}.")
                continue
            try:
                opened.append(_opened(session, segment, window))
            except (NotRecordedYet, UnusableFootage, RecordingChanged, Unavailable) as error:
                left_out.append(str(error))
    tolerance_ms = session.service.settings().seam_tolerance_ms
    return CameraSurvey(survey(window, opened, tolerance_ms), tuple(left_out))


def nearest_footage(session: Session, camera_id: str, window: TimeWindow) -> Nearest:
    """Find the footage next to a window that has none; Rejected if the camera is unknown."""
    files = session.cameras.files(camera_id, ALL_TIME).dated
    starts_ms = sorted(file.start_ms for file in files if file.is_recording)
    before = [ms for ms in reversed(starts_ms) if ms < window.start_ms]
    after = [ms for ms in starts_ms if ms >= window.end_ms] or [window.end_ms]
    tried = (
        [TimeWindow(ms, window.start_ms) for ms in before[:MAX_NEIGHBOURS]],
        [TimeWindow(window.end_ms, ms + MARGIN_MS) for ms in after[:MAX_NEIGHBOURS]],
    )
    return nearest(window, [s for side in tried for s in _first_found(session, camera_id, side)])


def print_nearest(session: Session, camera_id: str, window: TimeWindow) -> None:
    """Name the footage nearest to a window that has none, on standard error."""
    found = nearest_footage(session, camera_id, window)
    err.print(nearest_text(session, window, found), markup=False, soft_wrap=True)


def nearest_text(session: Session, window: TimeWindow, found: Nearest) -> str:
    """Write where the nearest footage is, in one sentence."""
    parts = []
    if found.before_ms is not None:
        distance = in_largest_unit((window.start_ms - found.before_ms) / 1000)
        parts.append(f"ends {distance} before, at {in_zones(found.before_ms, session.zone)}")
    if found.after_ms is not None:
        distance = in_largest_unit((found.after_ms - window.end_ms) / 1000)
        parts.append(f"begins {distance} after, at {in_zones(found.after_ms, session.zone)}")
    if not parts:
        return "The camera has no footage at all."
    return f"The nearest footage {', and '.join(parts)}."


def _first_found(
    session: Session, camera_id: str, windows: Iterable[TimeWindow]
) -> tuple[Stretch, ...]:
    """Return the footage of the first of `windows` that has any."""
    surveyed = (survey_camera(session, camera_id, window).found for window in windows)
    return next((found.stretches for found in surveyed if found.stretches), ())


def _opened(session: Session, segment: RecordingSegment, window: TimeWindow) -> RecordingSegment:
    deadline_s = time.monotonic() + LISTING_S
    return session.service.recordings().open(segment, window, deadline_s).segment
