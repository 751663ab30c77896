"""A clip's timeline: what each piece of work is called, and where it is drawn."""

import re
from xml.etree import ElementTree as ET

import pytest

from benchmarks.link_server import Passed
from benchmarks.timeline import Span, Timeline, busy, draw, ffmpeg_label, request_label, rows_of

CLIP = "/clips/pier/c1.mp4"


@pytest.mark.parametrize(
    ("method", "target", "copied_bytes", "label"),
    [
        pytest.param("HEAD", CLIP, 0, "HEAD clip", id="is there a clip"),
        pytest.param("GET", "/clips/pier/c1.json", 0, "GET manifest", id="a manifest"),
        pytest.param("GET", "/recordings/1080p-600s.0.mp4", 0, "GET recording", id="a range"),
        pytest.param("PUT", "/clips/pier/c1_300.jpg", 0, "PUT thumbnail", id="a thumbnail"),
        pytest.param("PUT", CLIP, 0, "PUT clip", id="a clip in one piece"),
        pytest.param("POST", f"{CLIP}?uploads", 0, "begin the upload", id="an upload begins"),
        pytest.param(
            "PUT", f"{CLIP}?partNumber=1&uploadId=u", 0, "upload part", id="a part is sent"
        ),
        pytest.param(
            "PUT", f"{CLIP}?partNumber=2&uploadId=u", 9, "copy part", id="a part is copied"
        ),
        pytest.param("POST", f"{CLIP}?uploadId=u", 0, "complete the upload", id="it is complete"),
        pytest.param("DELETE", f"{CLIP}?uploadId=u", 0, "abort the upload", id="it is aborted"),
    ],
)
def test_a_request_is_named_after_what_it_does(
    method: str, target: str, copied_bytes: int, label: str
) -> None:
    """By its method, the object, and the parameters of uploads."""
    assert request_label(Passed(method, target, 0, 1, copied_bytes=copied_bytes)) == label


@pytest.mark.parametrize(
    ("arguments", "label"),
    [
        ("-i file:/a -c:v libx264 -preset superfast -f mp4 file:/b", "encode"),
        ("-i file:/a -c:v libx265 -f mp4 file:/b", "encode"),
        ("-i file:/a -filter_complex split -c:v mjpeg -f image2pipe -", "thumbnails"),
        ("-i file:/a -c:v wrapped_avframe -f framecrc pipe:1", "check"),
        ("-f s16le -i pipe:0 -c:a aac -f mp4 file:/b", "audio"),
    ],
)
def test_a_process_is_named_after_what_it_does(arguments: str, label: str) -> None:
    """By the encoder or the format of its output."""
    assert ffmpeg_label(arguments) == label


def test_a_process_works_where_it_has_a_quarter_of_a_processor() -> None:
    """Stretches that follow each other are one; the clock and the processor time are in seconds."""
    samples = [(0.0, 0.0), (1.0, 0.0), (2.0, 0.3), (3.0, 1.3), (4.0, 1.5), (5.0, 2.5)]
    assert busy(samples) == [(1.0, 3.0), (4.0, 5.0)]
    assert busy([]) == []


def test_the_same_work_in_a_row_is_one_row() -> None:
    """Unless it pauses; Python's own work is the last row, whatever its pauses."""
    spans = [
        Span("Python", "own work", 0.0, 0.1),
        Span("store", "GET recording", 0.2, 0.3, 1_000_000),
        Span("store", "GET recording", 0.25, 0.4, 500_000),
        Span("ffmpeg", "encode", 0.4, 2.0),
        Span("store", "GET recording", 0.45, 0.5, 4_000),
        Span("store", "GET recording", 2.0, 2.1, 999),
        Span("Python", "own work", 2.1, 2.2),
    ]
    assert [row.label for row in rows_of(spans)] == [
        "GET recording &#215; 3, 1.5 MB",
        "encode",
        "GET recording",
        "own work",
    ]


def test_bars_lie_where_their_time_is_and_labels_within_the_picture() -> None:
    """The picture is well-formed; a label stands before its bar if there is no room behind it."""
    spans = [Span("store", "HEAD clip", 10.0, 12.0), Span("ffmpeg", "encode", 19.0, 20.0)]
    svg = draw(Timeline(10.0, 20.0, spans), "a clip")
    width = float(ET.fromstring(svg).attrib["viewBox"].split()[2])  # noqa: S314 - our own
    bars = re.findall(r'<rect x="([\d.]+)" y="(\d+)" width="([\d.]+)" height="12"', svg)
    (first, top, first_width), (second, below, second_width) = (map(float, bar) for bar in bars)
    assert first_width == pytest.approx(2 * second_width, abs=0.2)
    assert second + second_width == pytest.approx(width - first, abs=0.2)
    assert below > top
    labels = {
        text: (float(x), anchor)
        for x, anchor, text in re.findall(r'<text x="([\d.]+)" .*?anchor="(\w+)">(.*?)<', svg)
    }
    assert labels["HEAD clip"][0] > first + first_width
    assert labels["HEAD clip"][1] == "start"
    assert labels["encode"][0] < second
    assert labels["encode"][1] == "end"
