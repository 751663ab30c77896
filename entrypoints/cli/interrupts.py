"""What Ctrl-C leaves: said in sentences, for each clip in flight and for the queue."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

from domain.clip import ClipName
from domain.errors import NoClipId
from entrypoints.cli.session import LISTING_S, Session
from infrastructure.formats.messages import read_message


def left_by_interrupt(session: Session) -> Iterator[str]:
    """Yield what became of the clips in flight, and what waits in the queue."""
    for record in session.in_flight:
        name = _name_in(record)
        outcome = session.outcomes.get(name) if name else None
        if name is None or (outcome and (outcome.result or outcome.error)):
            continue
        if session.clips.find(name, time.monotonic() + LISTING_S) is None:
            yield f"Clip {name.clip_id} of {name.camera_id} was not made; nothing is left of it."
        else:
            yield (
                f"Clip {name.clip_id} of {name.camera_id} is stored in"
                f" {session.clips.path(name)}, but not announced: repeat the command for that."
            )
    waiting = 0 if session.clip_file else session.queue.count()
    if waiting:
        requests = "1 request waits" if waiting == 1 else f"{waiting} requests wait"
        yield f"{requests} in the queue: camclip run {session.options} --until-done"


def _name_in(record: Mapping[str, Any]) -> ClipName | None:
    try:
        return read_message(str(record.get("body")), 0).name
    except NoClipId:
        return None
