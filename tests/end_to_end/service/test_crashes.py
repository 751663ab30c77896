"""The handler as deployed dies at each call it makes, once before it and once after."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from devtools.footage import Recording, wanted
from tests.end_to_end.service.tripwire import Crash, Tripwire, hung
from tests.support.exact_clip import ExactClip
from tests.support.service import World

FOOTAGE = Recording(first_number=0, frames=90, gop_frames=30, size=(160, 90))


@pytest.fixture
def tripwire(world: World) -> Iterator[Tripwire]:  # noqa: ARG001 - the handler is imported by it
    """Set a tripwire on the calls of the handler."""
    from entrypoints.aws_lambda import service  # noqa: PLC0415 - it reads the environment

    with hung(service) as wire:
        yield wire


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_whichever_call_it_dies_at_the_next_delivery_ends_right(
    world: World, tripwire: Tripwire, after: bool, tmp_path: Path
) -> None:
    """One clip with its frames, AVAILABLE last and never without bytes, one notification."""
    world.record(FOOTAGE)
    exact = ExactClip(wanted([FOOTAGE], 500, 1_700))
    for at in count():
        clip = world.new_clip(f"{at:03}")
        message = clip.message(clip.body(500, 1_700))
        tripwire.set(at, after=after)
        try:
            assert clip.handle(message) == []
            break  # it has outlived the last call
        except Crash:
            died = f"{tripwire.calls[at]}, the call no. {at}"
        assert f"{clip.key}.mp4" in clip.stored() or not clip.reports(), died

        tripwire.set()
        message["attributes"]["ApproximateReceiveCount"] = "2"
        assert clip.handle(message) == [], died
        exact.check(clip.download(tmp_path))
        assert len(clip.stored()) == 4, died
        assert set(clip.statuses()) == {"CLIP_AVAILABLE"}, died
        notes = clip.published()
        assert len({note["MessageAttributes"]["eventId"]["Value"] for note in notes}) == 1, died
        # Published but not yet recorded in the manifest: the one crash that repeats a notification.
        repeated = died.startswith("Publish" if after else "PutObject json")
        assert len(notes) == 1 + repeated, died
        assert clip.queued() == []
    assert {call.split()[0] for call in tripwire.calls} == {
        "HeadObject",
        "GetObject",
        "GET",
        "PutObject",
        "PUT",
        "Publish",
    }
    assert at == len(tripwire.calls) >= 11
