"""The benchmark's report: names, ratios, and what is compared with what."""

import pytest

from benchmarks.__main__ import clip, parse
from benchmarks.footage import HD, HD_HEVC, SD
from benchmarks.local_file import LocalComparison, LocalRow, LocalRun
from benchmarks.measuring import Run
from benchmarks.message import MessageTimes
from benchmarks.report import Ratio, Report
from benchmarks.running import Clip, IndexTime, Row

INDEX = IndexTime(100, 1_000_000, (1.0, 3.0, 2.0))
MINUTE, LONG = Clip(HD, 60, 1), Clip(HD, 300, 31, 10)


def row(of: Clip, pipeline: str, *walls_s: float) -> Row:
    runs = tuple(Run(wall_s, 1.0, 10, 2, 3, 4, 5, 1, 6, 7) for wall_s in walls_s)
    return Row(of, pipeline, runs, 4, exact=pipeline != "floor" or None)


@pytest.mark.parametrize(
    ("text", "meant", "name"),
    [
        ("1080p,60,1", MINUTE, "60 s of 1080p, one file"),
        ("1080p,60,2", Clip(HD, 60, 2), "60 s of 1080p, two files"),
        ("1080p,300,31,10", LONG, "300 s of 1080p, 31 files of 10 s"),
        ("1080p-hevc,60,1,120", Clip(HD_HEVC, 60, 1, 120), "60 s of 1080p-hevc, one file of 120 s"),
        ("360p,3600,361,10", Clip(SD, 3600, 361, 10), "3600 s of 360p, 361 files of 10 s"),
    ],
)
def test_a_clip_is_chosen_and_named(text: str, meant: Clip, name: str) -> None:
    """By size, seconds, files, and how long each file is if that is not ten minutes."""
    assert clip(text) == meant
    assert meant.name == name


@pytest.mark.parametrize("text", ["1080p,60", "1080p,60,0", "1080p,60,401", "9000p,60,1"])
def test_a_clip_that_is_none_is_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With the usage of the command."""
    with pytest.raises(SystemExit):
        parse(["--clip", text])
    assert f"invalid clip value: '{text}'" in capsys.readouterr().err


def test_the_headline_compares_each_clip_with_its_copy_and_with_a_minute() -> None:
    """Medians are compared; a clip without a copy has no ratio to it."""
    rows = [
        row(LONG, "camclip", 4.0),
        row(MINUTE, "2018", 80.0),
        row(MINUTE, "camclip", 1.0, 9.0, 2.0),
        row(MINUTE, "floor", 5.0, 3.0, 4.0),
    ]
    report = Report("make bench", {"CPU": "one"}, rows, INDEX)
    assert report.ratios == [
        Ratio(LONG.name, 4.0, None, None, 2.0),
        Ratio(MINUTE.name, 2.0, 4.0, 0.5, 1.0),
    ]
    assert report.json()["ratios"][1]["per_copy"] == 0.5
    lines = report.markdown().splitlines()
    assert (
        "| clip | camclip, s | plain copy, s | camclip / plain copy | / 60 s of 1080p, one file |"
        in lines
    )
    assert f"| {LONG.name} | 4.00 | - | - | 2.00 |" in lines
    assert f"| {MINUTE.name} | 2.00 | 4.00 | **0.50** | 1.00 |" in lines


def test_without_a_minute_the_first_clip_is_the_unit() -> None:
    """So that any choice of clips has a report."""
    rows = [row(LONG, "camclip", 4.0), row(Clip(SD, 60, 1), "camclip", 1.0)]
    ratios = Report("", {}, rows, INDEX).ratios
    assert [ratio.per_unit for ratio in ratios] == [1.0, 0.25]
    assert Report("", {}, [row(MINUTE, "2018", 80.0)], INDEX).ratios == []


def test_the_message_and_the_local_file_are_in_the_report() -> None:
    """With what is wrong, and what was left out."""
    local = LocalComparison(
        MINUTE.name,
        (
            LocalRow("camclip cut", (LocalRun(3.0, 4.0, 200_000_000),), ""),
            LocalRow("copy", (LocalRun(0.1, 0.1, 40_000_000),), "1802 frames, 1800 expected"),
        ),
        "smartcut was left out.",
    )
    message = MessageTimes(MINUTE.name, 4.0, (3.0, 2.0, 2.5))
    rows = [row(MINUTE, "camclip", 2.0)]
    report = Report("make bench", {"CPU": "one"}, rows, INDEX, message, local)
    text = report.markdown()
    assert "| camclip cut | 3.00 | 4.00 | 200 | exact |" in text
    assert "| copy | 0.10 | 0.10 | 40 | 1802 frames, 1800 expected |" in text
    assert "smartcut was left out." in text
    assert "4.00 s for the function's first message, 2.50 s for a later one (2.00 to 3.00)" in text
    assert report.json()["message"]["warm_s"] == (3.0, 2.0, 2.5)
    assert report.json()["local"]["rows"][1]["wrong"] == "1802 frames, 1800 expected"
