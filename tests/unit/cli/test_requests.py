"""Requests of a command line, and their ids."""

import pytest

from domain.clip import IDENTIFIER
from domain.options import USUAL, ClipOptions
from domain.window import TimeWindow
from entrypoints.cli.console import UsageError
from entrypoints.cli.requests import free_id, requests_for

WINDOW = TimeWindow(1_777_636_810_250, 1_777_636_831_000)


@pytest.mark.parametrize(
    ("clip_id", "taken", "free"),
    [
        ("c1", {"c1"}, "c1-2"),
        ("c1", {"c1", "c1-2", "c1-3"}, "c1-4"),
        ("c1-7", {"c1-7"}, "c1-8"),
        ("clip-2026", {"clip-2026"}, "clip-2026-2"),
        ("x" * 64, {"x" * 64}, "x" * 62 + "-2"),
        ("20260501T120010250-20750ms", set(), "20260501T120010250-20750ms-2"),
        ("-5", set(), "-6"),
    ],
)
def test_a_free_id_is_the_next_number(clip_id: str, taken: set[str], free: str) -> None:
    """Up to three digits at the end are taken for one."""
    assert free_id(clip_id, taken.__contains__) == free


@pytest.mark.parametrize(
    ("clip_id", "cameras", "expected"),
    [
        (None, ["pier"], ["20260501T120010250-20750ms"]),
        ("c1", ["pier"], ["c1"]),
        ("c1", ["pier", "pier"], ["c1"]),
        ("c1", ["pier", "mole"], ["c1-pier", "c1-mole"]),
        (
            None,
            ["pier", "mole"],
            ["20260501T120010250-20750ms-pier", "20260501T120010250-20750ms-mole"],
        ),
    ],
)
def test_several_cameras_have_as_many_requests(
    clip_id: str | None, cameras: list[str], expected: list[str]
) -> None:
    """Of one window, each with an id of its own: statuses are stored by it alone."""
    requests = requests_for(clip_id, cameras, WINDOW)
    assert [request.clip_id for request in requests] == expected
    assert [request.camera_id for request in requests] == list(dict.fromkeys(cameras))
    assert {request.window for request in requests} == {WINDOW}


def test_other_options_make_another_id() -> None:
    """So that the usual clip of a window is no conflict with one that has a wall clock."""
    chosen = [USUAL, ClipOptions(wall_clock="UTC"), ClipOptions(wall_clock="Europe/Madrid")]
    ids = [requests_for(None, ["pier"], WINDOW, options)[0].clip_id for options in chosen]
    assert len(set(ids)) == 3
    assert ids[1].startswith("20260501T120010250-20750ms-")
    assert requests_for(None, ["pier"], WINDOW, chosen[1])[0].clip_id == ids[1]
    assert {r.clip_id for r in requests_for(None, ["pier", "mole"], WINDOW, chosen[1])} == {
        f"{ids[1]}-pier",
        f"{ids[1]}-mole",
    }
    assert requests_for("c1", ["pier"], WINDOW, chosen[1])[0].clip_id == "c1"


def test_an_invalid_id_is_wrong_usage() -> None:
    """Also one that becomes too long."""
    assert IDENTIFIER.endswith("{1,64}")
    for clip_id, cameras in (("../c1", ["pier"]), ("x" * 60, ["pier", "mole"])):
        with pytest.raises(UsageError, match="An id is 1 to 64 letters"):
            requests_for(clip_id, cameras, WINDOW)
