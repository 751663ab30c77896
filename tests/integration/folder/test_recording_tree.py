"""The recordings of a folder in a recorder's layout."""

import os
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from application.gather_footage import GatheredFootage, GatherFootage
from devtools.footage import Recording, cached_recording
from domain.clip import ClipRequest
from domain.errors import NotRecordedYet, Rejected
from domain.planning import Availability
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from infrastructure.folder.cameras import FolderCameraService
from infrastructure.folder.machine_zone import machine_zone
from infrastructure.folder.open_tree import open_tree
from infrastructure.folder.recording_tree import RecordingTree, TreeRecordingStore
from infrastructure.layouts.configuration import InvalidConfiguration
from infrastructure.layouts.guessing import UnknownLayout, chosen_layout
from tests.contract.media import FORMAT
from tests.support.watched import watched

START = datetime(2026, 5, 1, tzinfo=UTC)
START_MS = int(START.timestamp() * 1000)
FILE_MS = 10_000
FILM = Recording(first_number=1, frames=300)
"""Ten seconds."""
PATTERNS = {
    "frigate": "%Y-%m-%d/%H/pier/%M.%S",
    "mediamtx": "pier/%Y-%m-%d_%H-%M-%S-%f",
    "camclip": "pier/pier.%Y%m%dT%H%M%S",
    "ffmpeg": "pier_%Y%m%d_%H%M%S",
}


def gathered(
    cameras: FolderCameraService, store: TreeRecordingStore, request: ClipRequest
) -> GatheredFootage:
    deadline_s = time.monotonic() + 60
    listing = cameras.find_segments(request.camera_id, request.window.widened(1000), deadline_s)
    return GatherFootage(cameras, store, 1000)(request, listing, deadline_s)


def grow(folder: Path, pattern: str, film: Path, count: int, zone: tzinfo = UTC) -> None:
    """Store the same film many times, as if every ten seconds, written as soon as it ends."""
    made: set[Path] = set()
    for number in range(count):
        start = START + timedelta(milliseconds=FILE_MS * number)
        path = folder / f"{start.astimezone(zone):{pattern}}.mp4"
        if path.parent not in made:
            path.parent.mkdir(parents=True, exist_ok=True)
            made.add(path.parent)
        shutil.copyfile(film, path) if number == 0 else path.touch()
        os.utime(path, ns=((START_MS + FILE_MS * (number + 1)) * 10**6,) * 2)


@pytest.mark.parametrize("layout", PATTERNS)
def test_only_files_that_can_overlap_the_window_are_opened(
    tmp_path: Path, films: Path, layout: str
) -> None:
    """Of thousands, and folders of other hours are not even listed."""
    grow(tmp_path, PATTERNS[layout], cached_recording(films, FILM), count=9000)
    at_ms = START_MS + 4321 * FILE_MS + 2500
    film = cached_recording(films, FILM)
    for number in range(4290, 4330):
        start = START + timedelta(milliseconds=FILE_MS * number)
        path = tmp_path / f"{start:{PATTERNS[layout]}}.mp4"
        shutil.copyfile(film, path)
        os.utime(path, ns=((START_MS + FILE_MS * (number + 1)) * 10**6,) * 2)
    tree = open_tree(tmp_path, layout, "UTC", {}).tree
    cameras = FolderCameraService(tmp_path / "none", FORMAT, recorded=tree)
    request = ClipRequest("c1", "pier", at_ms, at_ms + 20_000)
    with watched(tmp_path) as seen:
        found = gathered(cameras, TreeRecordingStore(tree.folder), request)
    assert found.plan is not None
    assert found.plan.availability is Availability.FULL
    assert len(found.plan.cuts) == 3
    assert len(seen["open"]) <= 3 + 60_000 // FILE_MS + 1
    assert len(seen["os.scandir"]) <= 4


@pytest.mark.parametrize("name", ["../secret.mp4", "pier/../../secret.mp4", "{}/secret.mp4"])
def test_no_name_leaves_the_folder(tmp_path: Path, films: Path, name: str) -> None:
    """A path above the folder, or an absolute one, does not exist."""
    (tmp_path / "dvr/pier").mkdir(parents=True)
    shutil.copyfile(cached_recording(films, FILM), tmp_path / "secret.mp4")
    window = TimeWindow(START_MS, START_MS + 1000)
    segment = RecordingSegment(window, name.format(tmp_path))
    with pytest.raises(NotRecordedYet):
        TreeRecordingStore(tmp_path / "dvr").open(segment, window, time.monotonic() + 60)


def test_cameras_are_listed_by_id(tmp_path: Path, films: Path) -> None:
    """However deep their folders are, with the names that a user gave some of them."""
    film = cached_recording(films, FILM)
    for camera in ("pier", "cams/mole", "cams/Süd 1"):
        (tmp_path / camera).mkdir(parents=True)
        shutil.copyfile(film, tmp_path / camera / "2026-05-01_00-00-00-000000.mp4")
    (tmp_path / "cams/empty").mkdir()
    (tmp_path / "camclip.toml").write_text('[cameras]\nharbour = "cams/mole"\n')
    tree = open_tree(tmp_path, "", "", {}).tree
    assert tree.cameras() == {
        "cams-Sud-1": "cams/Süd 1",
        "harbour": "cams/mole",
        "pier": "pier",
    }
    window = TimeWindow(START_MS, START_MS + 1)
    for camera_id, name in tree.cameras().items():
        [file] = tree.files(camera_id, window).dated
        assert file.name == f"{name}/2026-05-01_00-00-00-000000.mp4"
    with pytest.raises(Rejected, match="unknown camera boat; there is cams-Sud-1, harbour, pier"):
        tree.files("boat", window)


@pytest.mark.parametrize(("layout", "pattern"), PATTERNS.items())
def test_a_cameras_files_are_listed_without_being_opened(
    tmp_path: Path, films: Path, layout: str, pattern: str
) -> None:
    """With their starts, by the names alone."""
    grow(tmp_path, pattern, cached_recording(films, FILM), count=3)
    tree = open_tree(tmp_path, layout, "UTC", {}).tree
    with watched(tmp_path) as seen:
        files = tree.files("pier", TimeWindow(START_MS, START_MS + 30_000)).dated
    assert [file.start_ms - START_MS for file in files] == [0, 10_000, 20_000]
    assert all(file.path.is_file() for file in files)
    assert not seen["open"]


def test_a_folder_without_camera_names_is_one_camera(tmp_path: Path, films: Path) -> None:
    """It is called as the folder."""
    folder = tmp_path / "Front door"
    grow(folder, "%Y%m%dT%H%M%S", cached_recording(films, FILM), count=2)
    tree = open_tree(folder, "", "UTC", {}).tree
    assert tree.cameras() == {"Front-door": "Front door"}
    window = TimeWindow(START_MS, START_MS + 1000)
    assert len(tree.files("Front-door", window).dated) == 2
    with pytest.raises(Rejected, match="unknown camera pier; there is Front-door"):
        tree.files("pier", window)


@pytest.mark.parametrize("zone", ["Europe/Madrid", "America/New_York", "Australia/Lord_Howe"])
@pytest.mark.parametrize("change", ["2026-03", "2026-04", "2026-10", "2026-11"])
def test_every_start_around_a_clock_change_is_exact(tmp_path: Path, zone: str, change: str) -> None:
    """Files of ten minutes, for two days around the change: each is found at its instant."""
    folder = tmp_path / "pier"
    folder.mkdir()
    instants = list(_around_change(ZoneInfo(zone), change))
    for number, at in enumerate(instants):
        local = at.astimezone(ZoneInfo(zone))
        path = folder / f"{local:%Y-%m-%d_%H-%M-%S}-{number:06}.mp4"
        path.touch()
        os.utime(path, (at.timestamp() + 600,) * 2)
    tree = RecordingTree(tmp_path, chosen_layout("mediamtx"), ZoneInfo(zone))
    for at in instants[144::6]:
        at_ms = int(at.timestamp() * 1000)
        files = tree.files("pier", TimeWindow(at_ms, at_ms + 1000)).dated
        starts = {file.start_ms // 1000 for file in files}
        assert int(at.timestamp()) in starts
        assert starts <= {int(instant.timestamp()) for instant in instants}
        assert len(starts) == len(files)


def _around_change(zone: ZoneInfo, month: str) -> Iterator[datetime]:
    """Yield an instant every ten minutes of a day before and after the month's change, if any."""
    begin = datetime.fromisoformat(f"{month}-01").replace(tzinfo=UTC) - timedelta(days=1)
    hours = [begin + timedelta(hours=n) for n in range(32 * 24)]
    offsets = [at.astimezone(zone).utcoffset() for at in hours]
    changes = [at for at, a, b in zip(hours, offsets, offsets[1:], strict=False) if a != b]
    for at in changes[:1]:
        yield from (at + timedelta(minutes=10 * n) for n in range(-6 * 36, 6 * 24))


def test_a_doubtful_start_is_a_note_of_the_segment(tmp_path: Path, films: Path) -> None:
    """So that the report says it."""
    film = cached_recording(films, FILM)
    (tmp_path / "pier").mkdir()
    path = tmp_path / "pier/2026-10-25_02-30-00-000000.mp4"
    shutil.copyfile(film, path)
    first_ms = int(datetime(2026, 10, 25, 0, 30, tzinfo=UTC).timestamp() * 1000)
    os.utime(path, ns=((first_ms + FILE_MS) * 10**6,) * 2)
    tree = open_tree(tmp_path, "", "Europe/Madrid", {}).tree
    cameras = FolderCameraService(tmp_path / "none", FORMAT, recorded=tree)
    store = TreeRecordingStore(tree.folder)
    request = ClipRequest("c1", "pier", first_ms + 1000, first_ms + 2000)
    found = gathered(cameras, store, request)
    [note] = found.coverage.notes
    assert "which a change of the clock repeats in Europe/Madrid: taken for the first time" in note


@pytest.mark.parametrize(
    ("layout", "tz", "environ", "toml", "expected"),
    [
        (
            "",
            "",
            {"TZ": "Asia/Tokyo"},
            "",
            ("Asia/Tokyo", "Guessed", "this machine's zone", "--tz"),
        ),
        ("", "Europe/Madrid", {}, "", ("Europe/Madrid", "Guessed", "use --layout.")),
        ("mediamtx", "", {"TZ": "UTC"}, "", ("UTC", "taken as UTC, this machine's zone", "--tz")),
        ("mediamtx", "Europe/Madrid", {}, "", ("Europe/Madrid",)),
        ("", "", {}, 'layout = "mediamtx"\ntz = "Europe/Madrid"', ("Europe/Madrid",)),
        ("", "Asia/Tokyo", {}, 'layout = "mediamtx"\ntz = "Europe/Madrid"', ("Asia/Tokyo",)),
    ],
)
def test_what_the_user_does_not_choose_is_remarked(
    tmp_path: Path,
    *,
    layout: str,
    tz: str,
    environ: dict[str, str],
    toml: str,
    expected: tuple[str, ...],
) -> None:
    """The options come first, then `camclip.toml`, then a guess with the way to correct it."""
    (tmp_path / "pier").mkdir()
    (tmp_path / "pier/2026-05-01_00-00-00-000000.mp4").touch()
    (tmp_path / "camclip.toml").write_text(toml)
    opened = open_tree(tmp_path, layout, tz, environ)
    zone, *parts = expected
    assert str(opened.tree.zone) == zone
    assert all(part in opened.remark for part in parts), opened.remark
    assert bool(opened.remark) is bool(parts)


def test_a_folder_without_recordings_is_an_error(tmp_path: Path) -> None:
    """It names the folder and what was looked for."""
    (tmp_path / "notes.txt").touch()
    with pytest.raises(UnknownLayout, match="holds no files ending with"):
        open_tree(tmp_path, "", "", {})


def test_the_folder_of_clips_holds_no_recordings(tmp_path: Path) -> None:
    """Although it may be within that of the recordings."""
    for name in ("pier/2026-05-01_00-00-00-000000.mp4", "clips/x/2026-05-01_00-00-00-000000.mp4"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    tree = open_tree(tmp_path, "", "", {}, tmp_path / "clips").tree
    assert list(tree.cameras()) == ["pier"]


def test_the_machines_zone_is_that_of_tz_or_of_its_localtime(tmp_path: Path) -> None:
    """Which is a link into the zones, or a copy of one; UTC if there is none."""
    link, copy = tmp_path / "link", tmp_path / "copy"
    madrid = Path("/usr/share/zoneinfo/Europe/Madrid")
    if not madrid.exists():
        pytest.skip("this machine has no files of zones")
    link.symlink_to(madrid)
    shutil.copyfile(madrid, copy)
    assert str(machine_zone({"TZ": ":Asia/Tokyo"})) == "Asia/Tokyo"
    assert str(machine_zone({}, link)) == "Europe/Madrid"
    winter = datetime(2026, 1, 1, 12, tzinfo=machine_zone({}, copy))
    assert winter.utcoffset() == timedelta(hours=1)
    assert machine_zone({}, tmp_path / "none") is UTC
    with pytest.raises(InvalidConfiguration):
        machine_zone({"TZ": "Europe/Nowhere"})


ODD = {
    **PATTERNS,
    "a date after other text": "pier/%H%M%S of %Y%m%d",
    "a day after its month in folders": "%m/pier/%d-%Y/%H%M%S",
    "any text before": "pier/x*_%Y%m%d_%H%M%S",
    "seconds since the epoch": "pier/%s",
}


@pytest.mark.parametrize("zone", ["UTC", "Europe/Madrid"])
@pytest.mark.parametrize("form", ODD)
@pytest.mark.parametrize("is_last", [True, False])
def test_the_outermost_recordings_are_those_of_all(
    tmp_path: Path, form: str, zone: str, *, is_last: bool
) -> None:
    """The first or the last ones, in any order of folders and names, over a change of the clock."""
    pattern = ODD[form].replace("pier", "{camera}")
    local = ZoneInfo(zone)
    began = datetime(2026, 10, 24, 23, 30, tzinfo=UTC)
    for number in range(30):
        start = began + timedelta(minutes=7 * number)
        shown = f"{start.timestamp():.0f}" if "%s" in pattern else ""
        name = f"{start.astimezone(local):{ODD[form].replace('%s', shown).replace('*', '1')}}"
        path = tmp_path / f"{name}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        os.utime(path, (start.timestamp() + 400,) * 2)
    tree = RecordingTree(tmp_path, chosen_layout(pattern), local)
    everything = tree.files("pier", TimeWindow(0, 10**15)).dated
    starts_ms = sorted(file.start_ms for file in everything)
    assert len(starts_ms) == 30
    for count in (1, 2, 5, 100):
        found = tree.outermost("pier", count, is_last=is_last).dated
        found_ms = sorted(file.start_ms for file in found)
        expected_ms = starts_ms[-count:] if is_last else starts_ms[:count]
        assert (found_ms[-count:] if is_last else found_ms[:count]) == expected_ms
        assert set(found) <= set(everything)


@pytest.mark.parametrize("is_last", [True, False])
@pytest.mark.parametrize(("layout", "pattern"), PATTERNS.items())
def test_few_folders_are_listed_for_the_outermost_recordings(
    tmp_path: Path, layout: str, pattern: str, *, is_last: bool
) -> None:
    """Of a day with many hours: those around one hour, and no file is opened."""
    for number in range(24):
        start = START + timedelta(hours=number)
        path = tmp_path / f"{start:{pattern}}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    tree = open_tree(tmp_path, layout, "UTC", {}).tree
    with watched(tmp_path) as seen:
        files = tree.outermost("pier", 1, is_last=is_last).dated
    [start_ms] = [file.start_ms for file in files]
    assert start_ms == START_MS + (23 * 3_600_000 if is_last else 0)
    assert not seen["open"]
    assert len(seen["os.scandir"]) <= 4


def test_the_outermost_recordings_of_no_camera(tmp_path: Path) -> None:
    """It is unknown; files that are no recordings do not count as such."""
    folder = tmp_path / "pier"
    folder.mkdir()
    for day in range(1, 10):
        suffix = "mp4" if day < 4 else "ts"
        Path(folder, f"2026-05-{day:02d}_10-00-00-000000.{suffix}").touch()
    tree = open_tree(tmp_path, "mediamtx", "UTC", {}).tree
    found = tree.outermost("pier", 2, is_last=True)
    assert [file.name[-8:] for file in found.dated if file.is_recording] == ["0000.mp4"] * 2
    with pytest.raises(Rejected, match="unknown camera mole"):
        tree.outermost("mole", 1, is_last=True)
