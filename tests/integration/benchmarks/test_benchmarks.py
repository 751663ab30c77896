"""The benchmark measures what it says, seen at a tiny size. How long anything takes is no test."""

from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from threading import Thread
from time import monotonic
from typing import Any

import pytest

from benchmarks.cost import costs, table
from benchmarks.footage import FPS, Size, read_numbers, recordings
from benchmarks.link import Counts, Link, link
from benchmarks.local_file import compare
from benchmarks.measuring import s3_client
from benchmarks.message import message_times
from benchmarks.pipelines import PIPELINES
from benchmarks.report import HEADER, Report, describe_machine
from benchmarks.running import Bench, Case, Clip
from benchmarks.timeline import observe
from infrastructure.ffmpeg.locate import find_ffmpeg

TINY = Size(160, 120, 200)
TINY_HEVC = Size(160, 120, 200, "hevc")
LENGTH_S = 16
ONE_FILE = Clip(TINY, 4, 1, LENGTH_S)
TWO_FILES = Clip(TINY, 4, 2, LENGTH_S)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the recordings."""
    return tmp_path_factory.mktemp("recordings")


@pytest.fixture(scope="module")
def ffmpeg() -> Path:
    """Return the ffmpeg that everything runs with."""
    return find_ffmpeg({})


@pytest.fixture(scope="module")
def s3(cache: Path) -> Iterator[Link]:
    """Return a link to S3 on which a byte takes no time."""
    with link(cache, mbit_s=10_000, latency_ms=1) as running:
        yield running


def test_every_frame_of_two_recordings_has_a_number_of_its_own(cache: Path, ffmpeg: Path) -> None:
    """The two hold the same frames in another order, so that no place has the same number."""
    earlier, later = recordings(ffmpeg, cache, TINY, LENGTH_S)
    for made in (earlier, later):
        assert read_numbers(ffmpeg, made.path, TINY) == (list(made.numbers), "")
    assert later.start_ms == earlier.end_ms
    assert sorted(later.numbers) == list(earlier.numbers) == list(range(LENGTH_S * FPS))
    assert all(a != b for a, b in zip(earlier.numbers, later.numbers, strict=True))


def test_a_clip_may_take_more_recordings_than_two(cache: Path, ffmpeg: Path, s3: Link) -> None:
    """The later ones hold the frames of the first two again, at their own times."""
    bench = Bench(ffmpeg, cache, s3)
    clip = Clip(TINY, 3 * LENGTH_S, 4, LENGTH_S)
    made = bench.media(clip)
    assert [m.start_ms - made[0].start_ms for m in made] == [0, 16_000, 32_000, 48_000]
    start_ms, end_ms = clip.window_ms(made)
    assert made[0].start_ms < start_ms < made[0].end_ms
    assert made[3].start_ms < end_ms < made[3].end_ms
    row, floor = bench.rows([Case(clip, {"camclip": 1, "floor": 1})])
    assert row.exact, row.wrong
    assert row.clip_bytes > made[0].path.stat().st_size  # no copy of it fits into one
    assert floor.runs[0].down_bytes == row.clip_bytes


def test_every_pipeline_fills_its_row_with_an_exact_clip(
    cache: Path, ffmpeg: Path, s3: Link
) -> None:
    """All four make a clip of two files; what was measured adds up and stands in the report."""
    bench = Bench(ffmpeg, cache, s3)
    rows = list(bench.rows([Case(TWO_FILES, dict.fromkeys(PIPELINES, 1))]))
    assert [row.pipeline for row in rows] == list(PIPELINES)
    sources = sum(made.path.stat().st_size for made in bench.media(TWO_FILES))
    for row in rows:
        (run,) = row.runs
        assert row.exact is (None if row.pipeline == "floor" else True), row.wrong
        assert min(run.wall_s, run.cpu_s, run.requests, run.scratch_bytes) > 0
        assert run.memory_bytes > 10e6
        assert run.up_bytes >= row.clip_bytes
    by_2018, by_window, camclip, floor = (row.runs[0] for row in rows)
    assert by_2018.down_bytes == sources
    assert by_window.encoded_frames == 4 * FPS
    assert camclip.copied_frames + (camclip.encoded_frames or 0) == 4 * FPS
    assert floor.down_bytes == floor.up_bytes == rows[2].clip_bytes
    index, machine = bench.index_time(TWO_FILES, 1), describe_machine(ffmpeg, 200, 30)
    report = Report("make bench", machine, rows, index)
    headline, values, *table = (
        line for line in report.markdown().splitlines() if line.startswith("| ")
    )
    assert headline.startswith("| clip | camclip, s | plain copy, s | camclip / plain copy |")
    assert values.startswith(f"| {TWO_FILES.name} | {camclip.wall_s:.2f} | {floor.wall_s:.2f} |")
    assert table[0] == HEADER
    assert [line.split(" | ")[0] for line in table[1:]] == [f"| {name}" for name in PIPELINES]
    assert len(report.json()["rows"]) == len(PIPELINES)


def test_a_clip_of_hevc_stays_hevc_and_is_judged_alike(cache: Path, ffmpeg: Path, s3: Link) -> None:
    """Nearly all its frames are copied, so nothing in the recordings prevents that."""
    clip = Clip(TINY_HEVC, 12, 1, LENGTH_S)
    (row,) = Bench(ffmpeg, cache, s3).rows([Case(clip, {"camclip": 1})])
    assert row.exact, row.wrong
    assert (row.runs[0].copied_frames, row.runs[0].encoded_frames) == (12 * FPS - 38, 38)


def test_a_clip_of_short_files_shows_each_of_them(cache: Path, ffmpeg: Path, s3: Link) -> None:
    """Recordings shorter than 16 s are two unlike pieces, too."""
    clip = Clip(TINY, 30, 4, 10)
    (row,) = Bench(ffmpeg, cache, s3).rows([Case(clip, {"camclip": 1})])
    assert row.exact, row.wrong
    assert clip.name == "30 s of 120p, 4 files of 10 s"


def test_a_message_is_timed_until_its_status(cache: Path, ffmpeg: Path, s3: Link) -> None:
    """The function is cold for the first and warm for the others, and every clip is checked."""
    times = message_times(Bench(ffmpeg, cache, s3), ONE_FILE, 1, warm=2)
    assert not times.wrong
    assert 0 < min(times.warm_s) < times.cold_s
    assert len(times.warm_s) == 2
    assert ONE_FILE.name in times.sentence


def test_a_timeline_has_every_request_and_process_of_a_clip(
    cache: Path, ffmpeg: Path, s3: Link, tmp_path: Path
) -> None:
    """Each of them within the clip's time, and Python's own work between them."""
    s3_client(s3.direct).create_bucket(Bucket="clips")
    job = Bench(ffmpeg, cache, s3).job(ONE_FILE, "camclip", "timeline", str(tmp_path))
    timeline = observe(job, s3, ffmpeg, tmp_path)
    labels = {span.label for span in timeline.spans}
    assert labels >= {"HEAD clip", "GET recording", "encode", "thumbnails", "check", "PUT manifest"}
    assert {span.kind for span in timeline.spans} == {"store", "ffmpeg", "Python"}
    for span in timeline.spans:
        assert timeline.began_s - 0.01 < span.began_s <= span.ended_s < timeline.ended_s + 0.01


def test_programs_on_a_local_file_are_measured_and_judged(
    cache: Path, ffmpeg: Path, s3: Link
) -> None:
    """A program that cannot be installed is left out, which the comparison says."""
    absent = ("--no-index", "absent")
    local = compare(Bench(ffmpeg, cache, s3), ONE_FILE, 1, install=absent, locked=absent)
    camclip, copy = local.rows
    assert "smartcut 1.7 could not be installed" in local.skipped
    assert (camclip.program, camclip.wrong) == ("camclip cut", "")
    assert "expected" in copy.wrong
    for row in local.rows:
        assert min(row.runs[0].wall_s, row.runs[0].cpu_s, row.runs[0].memory_bytes) > 0


def test_a_thousand_clips_are_priced_by_what_was_measured() -> None:
    """GB s at two processors' memory, writes dearer than reads, the queue and the topic."""
    run = {"wall_s": 2.0, "requests": 24, "writes": 10, "scratch_bytes": (512 << 20) + (1 << 30)}
    name = "60 s of 1080p, two files"
    rows = [{"name": name, "pipeline": own, "runs": [run]} for own in ("camclip", "floor")]
    prices = {
        "lambda_gb_s_arm64": 0.001,
        "lambda_request": 0.5,
        "lambda_scratch_gb_s": 0.25,
        "s3_read": 0.01,
        "s3_write": 0.1,
        "sqs_request": 0.2,
        "sns_publish": 0.3,
    }
    (priced,) = costs({"rows": rows}, prices)
    assert priced.clip == name
    assert priced.gb_s == pytest.approx(1000 * 2 * 3538 / 1024)
    assert priced.compute == pytest.approx(priced.gb_s * 0.001 + 500 + 1000 * 2 * 0.25)
    assert priced.storage_requests == pytest.approx(1000 * (14 * 0.01 + 10 * 0.1))
    assert priced.messages == pytest.approx(1000 * (2 * 0.2 + 0.3))
    assert priced.total == pytest.approx(priced.compute + priced.storage_requests + priced.messages)
    assert table([priced]).count("\n") == 2


def test_a_wrong_clip_is_seen(cache: Path, ffmpeg: Path, s3: Link) -> None:
    """A clip judged by the window next to its own is not exact, and the reason says where."""
    made = recordings(ffmpeg, cache, TINY, LENGTH_S)
    bench = Bench(ffmpeg, cache, s3)
    wrong = bench.judge(made[0].path, range(1, LENGTH_S * FPS + 1), TINY)
    assert "1 missing, 1 others" in wrong
    assert "the first difference is at 0" in wrong
    assert not bench.judge(made[0].path, made[0].numbers, TINY)


def test_the_link_counts_bodies_and_nothing_else(cache: Path, s3: Link) -> None:
    """Requests, and the bytes of what is put and got, whole or by range, from moto or a file."""
    client = s3_client(s3.endpoint)
    client.create_bucket(Bucket="counted")
    (cache / "some.mp4").write_bytes(bytes(range(200)))
    s3.counts()
    client.put_object(Bucket="counted", Key="key", Body=b"x" * 300_000)
    assert s3.counts() == Counts(1, 0, 300_000, writes=1)
    assert client.get_object(Bucket="counted", Key="key")["Body"].read() == b"x" * 300_000
    ranged = client.get_object(Bucket="recordings", Key="some.mp4", Range="bytes=10-109")
    assert ranged["Body"].read() == bytes(range(10, 110))
    assert s3.counts() == Counts(2, 300_100, 0)
    assert client.head_object(Bucket="recordings", Key="some.mp4")["ETag"] == ranged["ETag"]
    assert s3.counts() == Counts(1, 0, 0)


def test_a_recording_that_is_not_the_asked_one_is_refused(cache: Path, s3: Link) -> None:
    """Absent, replaced and too short recordings answer as S3's do."""
    client = s3_client(s3.endpoint)
    (cache / "other.mp4").write_bytes(b"other")
    refused: list[tuple[dict[str, Any], str]] = [
        ({"Key": "absent.mp4"}, "NoSuchKey"),
        ({"Key": "other.mp4", "IfMatch": '"0"'}, "PreconditionFailed"),
        ({"Key": "other.mp4", "Range": "bytes=5-9"}, "InvalidRange"),
    ]
    for asked, code in refused:
        with pytest.raises(client.exceptions.ClientError, match=code):
            client.get_object(Bucket="recordings", **asked)


def test_connections_share_the_bandwidth_and_wait_for_the_answer(cache: Path) -> None:
    """Four at once get 1 MB in no less than 16 Mbit/s allow; each waits for the latency."""
    (cache / "quarter.mp4").write_bytes(bytes(250_000))
    with link(cache, mbit_s=16, latency_ms=100) as slow:

        def get() -> None:
            connection = HTTPConnection(slow.endpoint.removeprefix("http://"))
            connection.request("GET", "/recordings/quarter.mp4")
            assert len(connection.getresponse().read()) == 250_000
            connection.close()

        began_s = monotonic()
        threads = [Thread(target=get) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        took_s = monotonic() - began_s
        assert took_s > 0.1 + 0.5 - 0.05
        assert slow.counts() == Counts(4, 1_000_000, 0)
