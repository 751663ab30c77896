"""Viewers: each has a connection of its own, and all ask at the same moment."""

import http.client
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from attrs import frozen

ANSWERED_WITHIN_S = 60


@frozen
class Answered:
    """How long one answer took, and what was wrong with it."""

    took_ms: float
    fault: str = ""


def ask_at_once(address: tuple[str, int], paths: Sequence[Sequence[str]]) -> list[Answered]:
    """Return the answers to viewers, one for each list of paths, who ask for them in turn.

    All wait for each other before each of their requests. The lists are equally long.
    """
    barrier = Barrier(len(paths))

    def view(own: Sequence[str]) -> list[Answered]:
        connection = http.client.HTTPConnection(*address, timeout=ANSWERED_WITHIN_S)
        answers = []
        connection.connect()
        for path in own:
            barrier.wait(ANSWERED_WITHIN_S)
            answers.append(_ask(connection, path))
        connection.close()
        return answers

    with ThreadPoolExecutor(len(paths)) as threads:
        return [answer for answers in threads.map(view, paths) for answer in answers]


def _ask(connection: http.client.HTTPConnection, path: str) -> Answered:
    began_s = time.perf_counter()
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read()
        status = response.status
    except (OSError, http.client.HTTPException) as error:
        connection.close()  # It is opened again by the next request.
        return Answered((time.perf_counter() - began_s) * 1000, f"{path}: {error!r}")
    took_ms = (time.perf_counter() - began_s) * 1000
    is_good = status == http.client.OK and len(body) > 0
    return Answered(took_ms, "" if is_good else f"{path}: {status} {body[:200]!r}")
