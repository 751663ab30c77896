"""The body of a request for a clip: the queue's message, of known members only."""

import json
from collections.abc import Mapping

from domain.clip import ClipRequest, InvalidRequest
from domain.errors import NoClipId
from domain.window import TimeWindow
from entrypoints.cli.requests import request_for
from entrypoints.cli.times import now_ms
from entrypoints.serve.problems import INVALID, Problem
from infrastructure.formats.json_keys import END, START
from infrastructure.formats.json_values import shown_key
from infrastructure.formats.messages import OPTIONS, read_message

CLIP_ID = "clipId"
MEMBERS = ("cameraId", CLIP_ID, START, END, OPTIONS)


def request_in(body: Mapping[str, object]) -> ClipRequest:
    """Return the request of a body; Problem if it is none.

    Without an id, the clip's is made of its window and options.
    """
    unknown = [shown_key(key) for key in body if key not in MEMBERS]
    if unknown:
        raise Problem(INVALID, f"The body has no member {unknown[0]}; it has {', '.join(MEMBERS)}.")
    # The id does not matter yet if there is none.
    message = json.dumps({CLIP_ID: "unnamed", **body})
    try:
        found = read_message(message, now_ms())
    except NoClipId as error:
        fault = "clipId is not 1 to 64 letters, digits, hyphens or underscores."
        raise Problem(INVALID, fault) from error
    if isinstance(found, InvalidRequest):
        raise Problem(INVALID, found.reason)
    if found.start_ms >= found.end_ms:
        raise Problem(INVALID, f"{START} must be before {END}.")
    if CLIP_ID in body:
        return found
    window = TimeWindow(found.start_ms, found.end_ms)
    return request_for(None, found.camera_id, window, found.options)
