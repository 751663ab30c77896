"""What becomes of a file in a watched folder."""

import json

import pytest

from entrypoints.cli.dropped import Accept, Refuse, Wait, decide_dropped

REQUEST = json.dumps(
    {"clipId": "c1", "cameraId": "pier", "startTimestampInMs": 1, "endTimestampInMs": 2}
)
OF_2018 = str(json.loads(REQUEST))
INCOMPLETE = '{"clipId": "c1"}'
EVENT = json.dumps({"Records": [{"body": REQUEST}, {"body": OF_2018}]})
HALF = REQUEST[:30]
NO_OBJECT = Refuse("The message is not a JSON object.")

CASES = {
    "a request": (REQUEST, 0, Accept((REQUEST,))),
    "as the 2018 service wrote it": (OF_2018, 0, Accept((OF_2018,))),
    "one that lacks something is rejected later, with a report": (
        INCOMPLETE,
        0,
        Accept((INCOMPLETE,)),
    ),
    "an event": (EVENT, 0, Accept((REQUEST, OF_2018))),
    "half a file that is being written": (HALF, 1.9, Wait()),
    "an empty file that was just made": ("", 0, Wait()),
}


@pytest.mark.parametrize("name", CASES)
def test_files(name: str) -> None:
    """By their text and their age."""
    text, age_s, expected = CASES[name]
    assert decide_dropped(text, age_s) == expected


@pytest.mark.parametrize(
    "text",
    [HALF, "", "[]", "{}", '{"clipId": "../c1"}', '{"Records": []}', '{"Records": [{"body": 1}]}'],
)
def test_what_names_no_clip_is_refused_when_it_is_old(text: str) -> None:
    """With the reason; until then it may be half a file."""
    assert decide_dropped(text, 1.9) == Wait()
    assert isinstance(decide_dropped(text, 2.0), Refuse)
