"""What is particular to the folder; what every adapter owes is in tests/contract."""

import errno
import json
import os
import shutil
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from threading import Timer

import pytest
from attrs import evolve

from application.ports import AlreadyExists, FilePiece, RecordingPiece, Rendition, ThumbnailSpec
from devtools.footage import Recording, cached_recording
from domain.clip import ClipName, ClipReport, ClipRequest, ClipStatus
from domain.coverage import Coverage
from domain.errors import (
    ClipDeleted,
    DeadlineExceeded,
    NotRecordedYet,
    RecordingChanged,
    Rejected,
    Unavailable,
    UnusableFootage,
)
from domain.manifest import Manifest, MediaInfo
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from infrastructure.folder.cameras import FolderCameraService
from infrastructure.folder.clips import FolderClipStore
from infrastructure.folder.files import ABANDONED_S, OPERATIONS, FileOperations
from infrastructure.folder.notifier import FolderNotifier
from infrastructure.folder.queue import VISIBILITY_MS, FolderRetryQueue
from infrastructure.folder.recordings import FolderRecordingStore
from infrastructure.formats.messages import message_body
from infrastructure.formats.reports import ReportFormat
from infrastructure.mp4.boxes import box
from tests.contract.filesystem import refusing

START_MS = 1_534_341_619_000
NAME = "pier.20180815T140019.mp4"
REQUEST = ClipRequest("c1", "pier", START_MS, START_MS + 1000, unknown_keys={"session": "s9"})
REPORT = ClipReport.of(REQUEST, ClipStatus.AVAILABLE)
FOOTAGE = MediaInfo(30, 0, 966.7, 1000, "h264", 320, 180, 24)
FORMAT = ReportFormat("clips", "file:///clips", ThumbnailSpec((300, 640)))


@pytest.fixture
def soon() -> float:
    """Return a deadline that no test reaches."""
    return time.monotonic() + 60


@pytest.fixture(scope="session")
def footage(films: Path) -> Path:
    """Make two seconds of footage."""
    return cached_recording(films, Recording(first_number=0, frames=60))


@pytest.fixture
def recorded(tmp_path: Path, footage: Path) -> Path:
    """Store the only recording of the camera "pier"."""
    path = tmp_path / "recordings" / "pier" / NAME
    path.parent.mkdir(parents=True)
    shutil.copyfile(footage, path)
    return path


def window(start_ms: int, end_ms: int) -> TimeWindow:
    return TimeWindow(START_MS + start_ms, START_MS + end_ms)


def rendition_of(folder: Path, data: bytes = b"0123456789") -> Rendition:
    path = folder / "rendered.mp4"
    path.write_bytes(data)
    return Rendition((FilePiece(path, 0, len(data)),), {}, FOOTAGE)


def killed_at(step: int, action: Callable[[], object]) -> bool:
    """Return whether a process that runs it reaches the file operation before which it dies."""
    child = os.fork()
    if child == 0:
        left = step

        def count(event: str, _: object) -> None:
            nonlocal left
            left -= event in {"open", "os.mkdir", "os.rename", "os.link", "os.remove"}
            if left == 0:
                os._exit(9)

        sys.addaudithook(count)
        try:
            action()
            os._exit(0)
        finally:
            os._exit(1)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in {0, 9}
    return status == 9


class TestFolderCameras:
    """Cameras and their recordings are found by names."""

    @pytest.mark.usefixtures("recorded")
    def test_dropped_in_recordings_are_found_as_long_as_their_media(
        self, tmp_path: Path, soon: float
    ) -> None:
        """No cameras.json is needed, and a recording ends where its frames end."""
        cameras = FolderCameraService(tmp_path, FORMAT)
        [found] = cameras.find_segments("pier", window(1999, 9000), soon).segments
        assert (found.name, found.window) == (NAME, window(0, 2000))
        assert not cameras.find_segments("pier", window(2000, 9000), soon).segments
        assert not cameras.find_segments("pier", window(-9000, 0), soon).segments

    @pytest.mark.usefixtures("recorded")
    def test_an_alias_names_the_folder(self, tmp_path: Path, soon: float) -> None:
        """A camera's recordings are in the folder of its alias."""
        (tmp_path / "cameras.json").write_text('{"17": {"alias": "pier"}}')
        [found] = (
            FolderCameraService(tmp_path, FORMAT).find_segments("17", window(0, 1), soon).segments
        )
        assert found.name == NAME

    def test_both_forms_of_names_tell_the_start(
        self, tmp_path: Path, recorded: Path, soon: float
    ) -> None:
        """Milliseconds in a name count."""
        recorded.rename(recorded.with_name("pier.stream.20180815T140019051.mp4"))
        [found] = (
            FolderCameraService(tmp_path, FORMAT)
            .find_segments("pier", window(60, 61), soon)
            .segments
        )
        assert found.window == window(51, 2051)

    @pytest.mark.parametrize("kept", [b"", b"cut off", b"text"], ids=["empty", "cut off", "text"])
    def test_an_unreadable_recording_is_listed_until_the_next_one_begins(
        self, tmp_path: Path, recorded: Path, kept: bytes, soon: float
    ) -> None:
        """However late in it the window is: it is not the same as none."""
        whole = recorded.read_bytes()
        recorded.write_bytes({b"": b"", b"cut off": whole[:1000]}.get(kept, kept * 1000))
        recorded.with_name("pier.20180815T150019.mp4").write_bytes(whole)
        cameras = FolderCameraService(tmp_path, FORMAT)
        for start_ms in (0, 1_800_000, 3_599_000):
            [found] = cameras.find_segments("pier", window(start_ms, start_ms + 500), soon).segments
            assert (found.name, found.window) == (NAME, window(0, 3_600_000))
        [after] = cameras.find_segments("pier", window(3_600_000, 3_601_000), soon).segments
        assert after.name == "pier.20180815T150019.mp4"

    @pytest.mark.parametrize(
        ("written_ms", "end_ms"),
        [(1000, 600_000), (7_200_000, 7_260_000), (10**10, 86_400_000), (-1000, 86_400_000)],
        ids=["at once", "for two hours", "copied later", "by another clock"],
    )
    def test_the_last_recording_is_listed_until_it_was_last_written(
        self, tmp_path: Path, recorded: Path, written_ms: int, end_ms: int, soon: float
    ) -> None:
        """For ten minutes at least and a day at most; the time must not be before its start."""
        recorded.write_bytes(recorded.read_bytes()[:1000])
        os.utime(recorded, ns=((START_MS + written_ms) * 10**6,) * 2)
        [found] = (
            FolderCameraService(tmp_path, FORMAT)
            .find_segments("pier", window(5000, 6000), soon)
            .segments
        )
        assert found.window == window(0, end_ms)

    def test_files_of_another_kind_are_left_out_by_name(
        self, tmp_path: Path, recorded: Path, soon: float
    ) -> None:
        """If they may overlap the window, and no recording has the same name but for its suffix."""
        for name in ("pier.20180815T140021.ts", "pier.20180815T150019.ts"):
            recorded.with_name(name).write_bytes(b"video")
        recorded.with_suffix(".jpg").write_bytes(b"picture")
        recorded.with_name("readme.txt").write_bytes(b"text")
        cameras = FolderCameraService(tmp_path, FORMAT)
        listing = cameras.find_segments("pier", window(0, 60_000), soon)
        assert [segment.name for segment in listing.segments] == [NAME]
        assert list(map(str, listing.left_out)) == [
            "pier.20180815T140021.ts was left out: its name does not end with .mp4, .m4v or .mov."
        ]

    def test_undated_recordings_are_named_and_left_out(
        self, tmp_path: Path, recorded: Path, soon: float
    ) -> None:
        """A name without a start cannot be placed; a hidden file is no recording."""
        shutil.copyfile(recorded, recorded.with_name("holiday.mp4"))
        shutil.copyfile(recorded, recorded.with_name("._holiday.mp4"))
        cameras = FolderCameraService(tmp_path, FORMAT)
        assert cameras.undated("pier") == ["holiday.mp4"]
        listing = cameras.find_segments("pier", window(0, 1000), soon)
        assert [segment.name for segment in listing.segments] == [NAME]
        assert [left.name for left in listing.left_out] == ["holiday.mp4"]

    @pytest.mark.usefixtures("recorded")
    def test_an_unknown_camera_is_refused(self, tmp_path: Path, soon: float) -> None:
        """Neither listed nor a folder: there is no such camera."""
        with pytest.raises(Rejected, match="unknown camera boat"):
            FolderCameraService(tmp_path, FORMAT).find_segments("boat", window(0, 1000), soon)

    @pytest.mark.parametrize(
        "text", ["{", "[]", '{"17": 5}', '{"17": {"alias": "../.."}}', '{"17": {"alias": ".."}}']
    )
    def test_a_senseless_camera_list_is_unavailable(
        self, tmp_path: Path, text: str, soon: float
    ) -> None:
        """It never reads as a camera without recordings, and no alias leaves the folder."""
        (tmp_path / "cameras.json").write_text(text)
        with pytest.raises(Unavailable):
            FolderCameraService(tmp_path, FORMAT).find_segments("17", window(0, 1000), soon)

    def test_a_deleted_clip_is_reported(self, tmp_path: Path, soon: float) -> None:
        """The mark of a deleted clip stops its states from being stored."""
        cameras = FolderCameraService(tmp_path, FORMAT)
        cameras.update_clip(REPORT, soon)
        assert json.loads((tmp_path / "status/c1.json").read_text())["status"] == "CLIP_AVAILABLE"
        (tmp_path / "status/c1.deleted").touch()
        with pytest.raises(ClipDeleted):
            cameras.update_clip(REPORT, soon)


class TestFolderRecordings:
    """Recordings are opened by name and never mixed."""

    def open(self, root: Path, deadline_s: float) -> bytes:
        segment = RecordingSegment(window(0, 2000), NAME)
        return FolderRecordingStore(root).open(segment, segment.window, deadline_s).read(4, 4)

    @pytest.mark.usefixtures("recorded")
    def test_a_range_is_read(self, tmp_path: Path, soon: float) -> None:
        """The bytes are the file's."""
        assert self.open(tmp_path, soon) == b"ftyp"

    @pytest.mark.parametrize("kept", [None, 0, 5000])
    def test_what_cannot_be_read_yet_is_not_recorded(
        self, tmp_path: Path, recorded: Path, kept: int | None, soon: float
    ) -> None:
        """Absent, empty and cut off before the sample table are all the same."""
        if kept is None:
            recorded.unlink()
        else:
            os.truncate(recorded, kept)
        with pytest.raises(NotRecordedYet):
            self.open(tmp_path, soon)

    @pytest.mark.parametrize("change", ["replaced", "removed", "grown", "touched"])
    def test_a_changed_file_is_never_read_on(
        self, tmp_path: Path, recorded: Path, change: str, soon: float
    ) -> None:
        """Bytes of another version are never returned."""
        with recorded.open("ab") as file:
            file.write(box(b"free", bytes(200_000)))  # opening the file does not read all of it
        opened = FolderRecordingStore(tmp_path).open(
            RecordingSegment(window(0, 2000), NAME),
            RecordingSegment(window(0, 2000), NAME).window,
            soon,
        )
        match change:
            case "replaced":
                other = recorded.with_name("other")
                shutil.copyfile(recorded, other)
                other.replace(recorded)
            case "removed":
                recorded.unlink()
            case "grown":
                with recorded.open("ab") as file:
                    file.write(b"more")
            case _:
                os.utime(recorded, ns=(0, 0))
        with pytest.raises(RecordingChanged):
            opened.read(opened.size_bytes - 8, 8)

    def test_one_name_in_two_folders_is_not_guessed_at(
        self, tmp_path: Path, recorded: Path, soon: float
    ) -> None:
        """The footage of another camera must not get into a clip."""
        (tmp_path / "recordings/boat").mkdir()
        shutil.copyfile(recorded, tmp_path / "recordings/boat" / NAME)
        with pytest.raises(UnusableFootage, match="boat and pier"):
            self.open(tmp_path, soon)

    def test_a_name_does_not_lead_out_of_the_folder(
        self, tmp_path: Path, recorded: Path, soon: float
    ) -> None:
        """A segment's name is a name, not a path."""
        (tmp_path / "secret.mp4").write_bytes(recorded.read_bytes())
        with pytest.raises(NotRecordedYet):
            FolderRecordingStore(tmp_path).open(
                RecordingSegment(window(0, 1), "../../secret.mp4"), window(0, 1), soon
            )

    @pytest.mark.usefixtures("recorded")
    def test_reads_end_with_the_attempt(self, tmp_path: Path) -> None:
        """A recording is read until the deadline it was opened with."""
        with pytest.raises(DeadlineExceeded):
            self.open(tmp_path, time.monotonic() - 1)


class TestFolderClips:
    """A clip is there whole, with what describes it, or not at all."""

    def test_pieces_become_one_file(self, tmp_path: Path, recorded: Path, soon: float) -> None:
        """Bytes of files and of recordings follow one another."""
        opened = FolderRecordingStore(tmp_path).open(
            RecordingSegment(window(0, 2000), NAME),
            RecordingSegment(window(0, 2000), NAME).window,
            soon,
        )
        part = tmp_path / "part"
        part.write_bytes(b"abcdef")
        pieces = (
            FilePiece(part, 1, 2),
            RecordingPiece(opened, 0, opened.size_bytes),
            FilePiece(part, 5, 1),
        )
        clips = FolderClipStore(tmp_path)
        clips.commit(REQUEST, Rendition(pieces, {}, FOOTAGE), "w", Coverage(), soon)
        assert clips.path(REQUEST.name).read_bytes() == b"bc" + recorded.read_bytes() + b"f"

    def test_the_loser_leaves_the_winners_clip_and_its_description(
        self, tmp_path: Path, soon: float
    ) -> None:
        """What is stored first stays, and nothing of the second is left."""
        clips = FolderClipStore(tmp_path)
        gaps = (window(200, 300),)
        clips.commit(REQUEST, rendition_of(tmp_path, b"first"), "m#1", Coverage(gaps), soon)
        with pytest.raises(AlreadyExists):
            clips.commit(REQUEST, rendition_of(tmp_path, b"second"), "m#2", Coverage(), soon)
        found = clips.find(REQUEST.name, soon)
        assert found is not None
        assert (found.writer, found.coverage.gaps, found.media) == ("m#1", gaps, FOOTAGE)
        assert abs(found.stored_at_ms / 1000 - time.time()) < 60
        assert clips.path(REQUEST.name).read_bytes() == b"first"
        assert len(list((tmp_path / "clips/pier").iterdir())) == 2

    def test_nothing_is_left_of_a_clip_that_could_not_be_stored(
        self, tmp_path: Path, soon: float
    ) -> None:
        """A rendition that is shorter than it says is not stored, not even in part."""
        clips = FolderClipStore(tmp_path)
        rendition = rendition_of(tmp_path)
        (tmp_path / "rendered.mp4").write_bytes(b"01234")
        with pytest.raises(Unavailable):
            clips.commit(REQUEST, rendition, "m#1", Coverage(), soon)
        assert clips.find(REQUEST.name, soon) is None
        assert not list((tmp_path / "clips/pier").iterdir())

    @pytest.mark.parametrize(
        "operations", [OPERATIONS, refusing(errno.EPERM, claim_s=0)], ids=["links", "no links"]
    )
    def test_a_crash_at_any_step_leaves_a_described_clip_or_none(
        self, tmp_path: Path, operations: FileOperations, soon: float
    ) -> None:
        """Whatever the file operation before which the process dies; the next attempt finishes."""
        rendition, gaps = rendition_of(tmp_path), (window(200, 300),)
        for step in range(1, 100):
            clips = FolderClipStore(tmp_path / str(step), operations)
            commit = partial(clips.commit, REQUEST, rendition, "a", Coverage(gaps), soon)
            if not killed_at(step, commit):
                break
            found = clips.find(REQUEST.name, soon)
            if found is None:
                clips.commit(REQUEST, rendition, "b", Coverage(gaps), soon)
                found = clips.find(REQUEST.name, soon)
            assert found is not None
            assert (found.coverage.gaps, found.media) == (gaps, FOOTAGE)
            assert clips.path(REQUEST.name).read_bytes() == b"0123456789"
        assert 8 < step < 100

    @pytest.mark.parametrize(
        "number",
        [errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EINVAL, errno.EACCES],
        ids=errno.errorcode.get,
    )
    def test_a_clip_is_stored_without_links_and_without_flushing_folders(
        self, tmp_path: Path, number: int, soon: float
    ) -> None:
        """However the file system refuses them; nothing but the clip and its metadata is left."""
        clips = FolderClipStore(tmp_path, refusing(number))
        clips.commit(REQUEST, rendition_of(tmp_path), "m#1", Coverage((window(200, 300),)), soon)
        manifest = Manifest(REPORT, "m#1")
        clips.write_manifest(REQUEST.name, manifest, soon, replace=False)
        found = clips.find(REQUEST.name, soon)
        assert found is not None
        assert (found.writer, found.coverage.gaps) == ("m#1", (window(200, 300),))
        assert clips.read_manifest(REQUEST.name, soon) == manifest
        names = {path.name for path in (tmp_path / "clips/pier").iterdir()}
        assert names == {".c1.10-bytes.json", "c1.mp4", "c1.json"}

    @pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC])
    def test_other_faults_of_a_link_are_faults(
        self, tmp_path: Path, number: int, soon: float
    ) -> None:
        """A full or broken disk is not one without links."""
        clips = FolderClipStore(tmp_path, refusing(number))
        with pytest.raises(Unavailable):
            clips.commit(REQUEST, rendition_of(tmp_path), "m#1", Coverage(), soon)
        assert not list((tmp_path / "clips/pier").iterdir())

    def test_a_clip_whose_inode_changes_keeps_its_metadata(
        self, tmp_path: Path, soon: float
    ) -> None:
        """FUSE and exFAT number inodes as they please."""
        clips = FolderClipStore(tmp_path, refusing(errno.EPERM))
        clips.commit(REQUEST, rendition_of(tmp_path), "m#1", Coverage(), soon)
        path = clips.path(REQUEST.name)
        shutil.copyfile(path, path.with_suffix(".new"))
        path.with_suffix(".new").replace(path)
        found = clips.find(REQUEST.name, soon)
        assert found is not None
        assert found.writer == "m#1"

    def test_a_claim_of_a_living_process_is_waited_for(self, tmp_path: Path, soon: float) -> None:
        """An empty file is not a clip yet; the clip that replaces it is not overwritten."""
        clips = FolderClipStore(tmp_path, refusing(errno.EPERM, claim_s=30))
        path = clips.path(REQUEST.name)
        path.parent.mkdir(parents=True)
        path.touch()
        assert clips.find(REQUEST.name, soon) is None
        Timer(0.3, path.write_bytes, [b"theirs"]).start()
        with pytest.raises(AlreadyExists):
            clips.commit(REQUEST, rendition_of(tmp_path), "m#1", Coverage(), soon)
        assert path.read_bytes() == b"theirs"

    @pytest.mark.parametrize(
        "operations", [OPERATIONS, refusing(errno.EPERM)], ids=["links", "none"]
    )
    def test_a_claim_of_a_dead_process_is_replaced(
        self, tmp_path: Path, operations: FileOperations, soon: float
    ) -> None:
        """After a while; a manifest's too, which reads as none until then."""
        clips = FolderClipStore(tmp_path, evolve(operations, claim_s=0.2))
        clips.path(REQUEST.name).parent.mkdir(parents=True)
        clips.path(REQUEST.name).touch()
        clips.manifest_path(REQUEST.name).touch()
        assert clips.read_manifest(REQUEST.name, soon) is None
        clips.commit(REQUEST, rendition_of(tmp_path), "m#1", Coverage(), soon)
        clips.write_manifest(REQUEST.name, Manifest(REPORT, "m#1"), soon, replace=False)
        found = clips.find(REQUEST.name, soon)
        assert found is not None
        assert found.writer == "m#1"

    def test_a_claim_is_waited_for_until_the_deadline(self, tmp_path: Path) -> None:
        """Another attempt follows."""
        clips = FolderClipStore(tmp_path, refusing(errno.EPERM, claim_s=30))
        clips.path(REQUEST.name).parent.mkdir(parents=True)
        clips.path(REQUEST.name).touch()
        began_s = time.monotonic()
        with pytest.raises(DeadlineExceeded):
            clips.commit(REQUEST, rendition_of(tmp_path), "m#1", Coverage(), began_s + 0.3)
        assert time.monotonic() - began_s < 1.3

    def test_what_a_killed_attempt_left_is_cleared_away_in_time(
        self, tmp_path: Path, soon: float
    ) -> None:
        """A part that has not been written to for long is deleted; a recent one is kept."""
        clips = FolderClipStore(tmp_path)
        old, new = (tmp_path / f"clips/pier/.c1.mp4.{name}.part" for name in ("old", "new"))
        for part in (old, new):
            part.parent.mkdir(parents=True, exist_ok=True)
            part.touch()
        long_ago_s = time.time() - ABANDONED_S - 60
        os.utime(old, (long_ago_s, long_ago_s))
        clips.commit(REQUEST, rendition_of(tmp_path), "m#1", Coverage(), soon)
        assert (old.exists(), new.exists()) == (False, True)

    def test_a_clip_of_somebody_else_is_nobodys(self, tmp_path: Path, soon: float) -> None:
        """A file that was put there by hand is found, and fits no request."""
        clips = FolderClipStore(tmp_path)
        clips.path(REQUEST.name).parent.mkdir(parents=True)
        clips.path(REQUEST.name).write_bytes(b"mine")
        found = clips.find(REQUEST.name, soon)
        assert found is not None
        assert found.fingerprint == ""

    def test_a_removed_clip_leaves_its_manifest_and_its_neighbours(
        self, tmp_path: Path, soon: float
    ) -> None:
        """Removed twice is removed."""
        clips = FolderClipStore(tmp_path)
        neighbour = evolve(REQUEST, clip_id=f"{REQUEST.clip_id}_2")
        for request in (REQUEST, neighbour):
            clips.commit(request, rendition_of(tmp_path), "w#1", Coverage(), soon)
            manifest = Manifest(ClipReport.available(request, Coverage()), "w#1")
            clips.write_manifest(request.name, manifest, soon, replace=False)
        picture = tmp_path / "picture.jpg"
        picture.write_bytes(b"jpg")
        clips.store_thumbnails(REQUEST.name, {300: picture}, soon)
        for _ in range(2):
            clips.remove(REQUEST.name, soon)
            assert clips.find(REQUEST.name, soon) is None
            assert clips.thumbnails(REQUEST.name) == []
            assert clips.read_manifest(REQUEST.name, soon)
        found = clips.find(neighbour.name, soon)
        assert found is not None
        assert found.writer == "w#1"
        names = {path.name for path in (tmp_path / "clips/pier").iterdir()}
        assert {name for name in names if name.startswith((".c1.", "c1."))} == {"c1.json"}

    def test_manifests_are_listed_the_newest_first(self, tmp_path: Path, soon: float) -> None:
        """With when each was written; other files are no clips."""
        clips = FolderClipStore(tmp_path)
        assert clips.manifests() == []
        for second, clip_id in enumerate(("a", "b")):
            request = evolve(REQUEST, clip_id=clip_id)
            manifest = Manifest(ClipReport.available(request, Coverage()), "w#1")
            clips.write_manifest(request.name, manifest, soon, replace=False)
            os.utime(clips.manifest_path(request.name), (second, second))
        (tmp_path / "clips/pier/not an id.json").touch()
        (tmp_path / "clips/.camclip").mkdir()
        (tmp_path / "clips/.camclip/c.json").touch()
        assert [(ms, name.clip_id) for ms, name in clips.manifests()] == [(1000, "b"), (0, "a")]
        assert clips.manifest_changed_ms(ClipName("pier", "b")) == 1000
        assert clips.manifest_changed_ms(ClipName("pier", "c")) == 0

    def test_thumbnails_are_found_next_to_the_clip(self, tmp_path: Path, soon: float) -> None:
        """By width, and only this clip's."""
        clips = FolderClipStore(tmp_path)
        picture = tmp_path / "picture.jpg"
        picture.write_bytes(b"jpg")
        clips.store_thumbnails(REQUEST.name, {1500: picture, 300: picture}, soon)
        (tmp_path / "clips/pier/c1_2_300.jpg").touch()
        names = [thumbnail.name for thumbnail in clips.thumbnails(REQUEST.name)]
        assert names == ["c1_300.jpg", "c1_1500.jpg"]

    def test_a_file_in_the_place_of_a_folder_is_unavailable(
        self, tmp_path: Path, soon: float
    ) -> None:
        """The file system's refusals are translated, with its own words."""
        (tmp_path / "clips").touch()
        with pytest.raises(Unavailable, match=r"c1\.mp4: Not a directory"):
            FolderClipStore(tmp_path).find(REQUEST.name, soon)


class TestFolderQueue:
    """Messages rest, come again when they must, and are given up in the end."""

    def test_a_message_is_received_when_it_is_due(self, tmp_path: Path, soon: float) -> None:
        """Not before, only once, and with all that was sent."""
        clock = [START_MS]
        queue = FolderRetryQueue(tmp_path, now_ms=lambda: clock[0])
        queue.send(REQUEST, 60, soon)
        clock[0] += 59_999
        assert queue.receive() is None
        assert queue.next_due_ms() == START_MS + 60_000
        clock[0] += 1
        message = queue.receive()
        assert message is not None
        assert (message.sent_at_ms, message.receive_count) == (START_MS, 1)
        assert json.loads(message.body)["session"] == "s9"
        assert queue.receive() is None
        queue.delete(message)
        assert queue.next_due_ms() is None

    def test_two_receivers_never_get_the_same_message(self, tmp_path: Path, soon: float) -> None:
        """Each message is received once, the one that is due first before the others."""
        clock = [START_MS]
        one, other = (FolderRetryQueue(tmp_path, now_ms=lambda: clock[0]) for _ in range(2))
        for delay_s in (3, 1, 2):
            one.send(REQUEST, delay_s, soon)
        clock[0] += 5000
        received = [queue.receive() for queue in (one, other, one, other)]
        assert received[3] is None
        assert len({message.message_id for message in received if message}) == 3

    def test_a_message_whose_receiver_died_comes_again(self, tmp_path: Path, soon: float) -> None:
        """It stays hidden for a while and counts how often it was received."""
        clock = [START_MS]
        queue = FolderRetryQueue(tmp_path, now_ms=lambda: clock[0])
        queue.send(REQUEST, 1, soon)
        clock[0] += 1000
        first = queue.receive()
        clock[0] += VISIBILITY_MS - 1
        assert queue.receive() is None
        clock[0] += 1
        second = queue.receive()
        assert first is not None
        assert second is not None
        assert (second.message_id, second.receive_count) == (first.message_id, 2)

    def test_a_lease_can_be_extended(self, tmp_path: Path) -> None:
        """Then the message comes again, and its first receiver cannot hide it any more."""
        clock = [START_MS]
        queue = FolderRetryQueue(tmp_path, now_ms=lambda: clock[0])
        queue.add(message_body(REQUEST))
        lease = queue.receive(60_000)
        assert lease is not None
        clock[0] += 40_000
        lease = queue.extend(lease, 60_000)
        clock[0] += 59_999
        assert queue.receive(60_000) is None
        clock[0] += 1
        again = queue.receive(60_000)
        assert again is not None
        assert queue.extend(lease, 60_000) == lease
        queue.delete(lease)
        assert [message.receive_count for message in queue.waiting()] == [2]
        queue.delete(again)
        assert queue.waiting() == []

    def test_waiting_messages_and_dead_letters_can_be_looked_at(
        self, tmp_path: Path, soon: float
    ) -> None:
        """In the order in which they are due; nothing changes."""
        clock = [START_MS]
        queue = FolderRetryQueue(tmp_path, max_receive_count=1, now_ms=lambda: clock[0])
        queue.send(REQUEST, 5, soon)
        queue.add(message_body(REQUEST))
        assert [message.due_ms - START_MS for message in queue.waiting()] == [0, 5000]
        assert {message.sent_at_ms for message in queue.waiting()} == {START_MS}
        assert queue.dead() == []
        message = queue.receive()
        assert message is not None
        queue.release(message, 10)
        assert [dead.receive_count for dead in queue.dead()] == [1]
        assert queue.dead()[0].body == message.body

    def test_a_message_that_fails_every_time_is_put_with_the_dead(
        self, tmp_path: Path, soon: float
    ) -> None:
        """After its last time it is out of the queue, and not lost."""
        clock = [START_MS]
        queue = FolderRetryQueue(tmp_path, max_receive_count=2, now_ms=lambda: clock[0])
        queue.send(REQUEST, 1, soon)
        for count in (1, 2):
            clock[0] += 10_000
            message = queue.receive()
            assert message is not None
            assert message.receive_count == count
            queue.release(message, 10)
        assert queue.next_due_ms() is None
        assert len(list((tmp_path / "queue/dead").iterdir())) == 1


def test_every_notification_is_a_line(tmp_path: Path, soon: float) -> None:
    """Repetitions are kept, as subscribers would see them, under one event id."""
    notifier = FolderNotifier(tmp_path, FORMAT)
    notifier.publish(REPORT, soon)
    notifier.publish(REPORT, soon)
    lines = (tmp_path / "notifications.jsonl").read_text().splitlines()
    first, second = map(json.loads, lines)
    assert first == second
    assert first["eventId"] == REPORT.event_id
    assert first["message"]["clip"]["key"] == "/pier/c1.mp4"
