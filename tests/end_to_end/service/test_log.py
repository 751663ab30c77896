"""The one line that each message leaves: what people read, and what CloudWatch counts."""

import json
import logging
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from devtools.footage import Recording
from devtools.local_aws.camera_api import fails
from entrypoints.log_line import METRIC_UNITS
from tests.support.service import World

FOOTAGE = Recording(first_number=0, frames=90, gop_frames=30, size=(160, 90))


@pytest.fixture
def lines(world: World) -> Iterator[list[dict[str, Any]]]:  # noqa: ARG001 - the handler is imported by it
    """Collect the lines as they are written in Lambda."""
    from entrypoints.aws_lambda import logger  # noqa: PLC0415 - it reads the environment

    found: list[dict[str, Any]] = []
    handler = logging.Handler()
    handler.emit = lambda record: found.append(  # type: ignore[method-assign]
        json.loads(logger.registered_formatter.format(record))
    )
    logging.getLogger("camclip").addHandler(handler)
    yield found
    logging.getLogger("camclip").removeHandler(handler)


def figures(line: dict[str, Any]) -> dict[str, tuple[list[list[str]], str]]:
    """Read the metrics of a line by CloudWatch's rules: name, dimensions and unit of each."""
    about = line["_aws"]
    assert abs(about["Timestamp"] - line_time_ms(line)) < 60_000
    found = {}
    for directive in about["CloudWatchMetrics"]:
        assert directive["Namespace"] == "camclip"
        for dimensions in directive["Dimensions"]:
            assert all(isinstance(line[name], str) and line[name] for name in dimensions)
        for metric in directive["Metrics"]:
            assert isinstance(line[metric["Name"]], int | float)
            found[metric["Name"]] = (directive["Dimensions"], metric["Unit"])
    return found


def line_time_ms(line: dict[str, Any]) -> float:
    return datetime.strptime(line["timestamp"], "%Y-%m-%d %H:%M:%S,%f%z").timestamp() * 1000


def test_a_clip_is_one_line_with_all_its_figures(world: World, lines: list[dict[str, Any]]) -> None:
    """Who, what, how long each stage took, what was read, and how long people waited."""
    name = world.record(FOOTAGE)
    assert world.handle(world.message(world.body(300, 2_900))) == []
    (line,) = lines
    assert line["level"] == "INFO"
    assert line["status"] == "CLIP_AVAILABLE"
    assert line["clipId"] == world.clip_id
    assert line["cameraId"] == world.camera_id
    assert line["attempt"] == 1
    assert line["complete"] is True
    assert line["frames"] == 78 == line["copiedFrames"] + line["encodedFrames"]
    assert line["copiedFrames"] >= 30
    size = world.s3.head_object(Bucket=world.cloud.origin, Key=f"rewinds/{name}")["ContentLength"]
    assert size / 2 < line["readBytes"] <= size  # so small that all of it is near a cut, read once
    parts_ms = [
        taken for key, taken in line.items() if key.endswith("InMs") and key in METRIC_UNITS
    ]
    assert line["renderInMs"] > 0
    assert max(parts_ms) <= line["elapsedInMs"] + 1 or line["waitedInMs"] == max(parts_ms)
    # It was asked for just now, long after the footage ended.
    assert line["elapsedInMs"] <= line["waitedInMs"] < line["elapsedInMs"] + 60_000
    (note,) = world.published()
    assert line["eventId"] == note["MessageAttributes"]["eventId"]["Value"]
    counted = figures(line)
    assert set(counted) == {"clips", *METRIC_UNITS}
    assert counted["clips"] == ([["status"]], "Count")
    assert counted["readBytes"] == ([[]], "Bytes")


def test_a_clip_with_a_hole_is_not_complete(world: World, lines: list[dict[str, Any]]) -> None:
    """The line says so, and counts the gaps."""
    world.record(FOOTAGE)
    assert world.handle(world.message(world.body(-5_000, 2_900))) == []
    assert (lines[0]["complete"], lines[0]["gaps"]) == (False, 1)


def test_what_is_given_back_is_counted_as_such(world: World, lines: list[dict[str, Any]]) -> None:
    """With the error, the fault in words, and no figures of a clip that there is not."""
    world.cameras.fault = fails("/cameras/")
    assert len(world.handle(world.message(world.body(300, 2_900)))) == 1
    (line,) = lines
    assert (line["level"], line["status"], line["error"]) == (
        "WARNING",
        "GIVEN_BACK",
        "Unavailable",
    )
    assert "camera API" in line["fault"]
    assert set(figures(line)) == {"clips", "elapsedInMs", "findSegmentsInMs", "retries"}


def test_a_denial_is_an_error_in_the_log(world: World, lines: list[dict[str, Any]]) -> None:
    """People must put it right, so it must be found."""
    world.cameras.fault = fails("/cameras/", 403)
    assert len(world.handle(world.message(world.body(300, 2_900)))) == 1
    assert (lines[0]["level"], lines[0]["error"]) == ("ERROR", "AccessDenied")
    assert "exception" not in lines[0]  # nothing of it is ours


def test_a_message_that_names_no_clip_is_counted_too(
    world: World, lines: list[dict[str, Any]]
) -> None:
    """Nothing of it is logged."""
    assert len(world.handle(world.message("[1, 'a secret of theirs']"))) == 1
    assert lines[0]["status"] == "GIVEN_BACK"
    assert "secret" not in json.dumps(lines)
    assert set(figures(lines[0])) == {"clips", "elapsedInMs"}


def test_only_the_first_batch_of_a_process_started_cold(
    world: World, lines: list[dict[str, Any]]
) -> None:
    """Later ones say that they did not."""
    for _ in range(2):
        world.handle(world.message("{"))
    assert lines[1]["coldStart"] is False
