"""The camera API over HTTP."""

import http.client
import json
import re
import time
from collections.abc import Callable
from urllib.parse import quote

import requests
import urllib3
from attrs import Factory, field, frozen

from application.ports import CameraService, Listing
from domain.clip import ClipReport
from domain.errors import AccessDenied, ClipDeleted, DeadlineExceeded, Rejected, Unavailable
from domain.window import TimeWindow
from infrastructure.camera_api.answers import read_alias, read_segments
from infrastructure.camera_api.names import SegmentNaming
from infrastructure.camera_api.session import Exchange, current_exchange, open_session
from infrastructure.deadline import begin, run_within
from infrastructure.formats.reports import ReportFormat

MAX_ANSWER_BYTES = 1 << 20
CONNECT_S = 3
READ_S = 10
DENIALS = {401, 403}
NOT_FOUND = 404


@frozen
class _Answer:
    status: int
    body: bytes
    is_json_typed: bool = False

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode(errors="replace")

    @property
    def is_unknown(self) -> bool:
        """Whether it is the camera API's own 404: JSON, and not a gateway's or a proxy's page."""
        if self.status != NOT_FOUND or len(self.body) > MAX_ANSWER_BYTES:
            return False
        if self.is_json_typed and not self.body.strip():
            return True
        try:
            payload = json.loads(self.body)
        except (ValueError, RecursionError):
            return False
        return self.is_json_typed or isinstance(payload, dict)


@frozen
class HttpCameraService(CameraService):
    """The API of cameras and their clips, and the list of recordings.

    Any unexpected answer is Unavailable, never an empty list.
    """

    cam_services_url: str = field(repr=False)
    recordings_url: str = field(repr=False)
    report_format: ReportFormat
    naming: SegmentNaming = Factory(SegmentNaming)
    max_call_s: float = 30
    """How long one call may take, its retries included."""
    session: requests.Session = field(default=Factory(open_session), repr=False)

    def find_segments(self, camera_id: str, window: TimeWindow, deadline_s: float) -> Listing:
        """GET the camera's alias, then the recordings listed under it."""
        camera = self._camera(camera_id, deadline_s)
        if camera.is_unknown:
            raise Rejected(f"unknown camera {camera_id}")
        address = _address(
            self.recordings_url, "cameras", "recording", read_alias(_payload(camera, "a camera"))
        )
        dates = {"startDate": window.start_ms, "endDate": window.end_ms}
        listed = self._request("GET", address, deadline_s, {**dates, "allowPartialMatch": "true"})
        return read_segments(_payload(listed, "a list of recordings"), self.naming, window)

    def list_segments(
        self, camera_id: str, window: TimeWindow, deadline_s: float
    ) -> Callable[[], Listing]:
        """Begin in another thread."""
        listing = begin(lambda: self.find_segments(camera_id, window, deadline_s))
        return listing.result

    def update_clip(self, report: ClipReport, deadline_s: float) -> None:
        """PUT the report; a 404 counts as a deletion only if the API knows the clip's camera."""
        address = _address(self.cam_services_url, "cameras", "clips", report.clip_id)
        body = json.dumps(self.report_format.report(report))
        answer = self._request("PUT", address, deadline_s, body=body)
        if answer.is_unknown:
            self._require_camera(report, deadline_s)
            raise ClipDeleted(f"The camera API no longer knows the clip {report.clip_id}.")
        _check(answer, "a clip's status")

    def answers_alike(self, unknown_id: str, deadline_s: float) -> bool:
        """Return whether an unknown camera and an unknown path are answered with the same 404.

        Then a wrong path in `cam_services_url` makes every camera unknown.
        """
        bodies = set()
        for folder in ("cameras", "no-such-path"):
            address = _address(self.cam_services_url, folder, unknown_id)
            answer = self._request("GET", address, deadline_s)
            if not answer.is_unknown:
                return False
            bodies.add(re.sub(rf"[0-9]+|/?({folder})?/?{re.escape(unknown_id)}", "", answer.text))
        return len(bodies) == 1

    def _camera(self, camera_id: str, deadline_s: float) -> _Answer:
        return self._request(
            "GET", _address(self.cam_services_url, "cameras", camera_id), deadline_s
        )

    def _require_camera(self, report: ClipReport, deadline_s: float) -> None:
        """Raise Unavailable unless the API knows the clip's camera.

        A wrong path in `cam_services_url` answers 404 to everything.
        """
        if report.camera_id:
            read_alias(_payload(self._camera(report.camera_id, deadline_s), "a clip's camera"))
        else:
            raise Unavailable(
                f"The camera API answered 404 for the clip {report.clip_id}, whose message names"
                " no camera to verify the path of CAM_SERVICES_URL by."
            )

    def _request(
        self,
        method: str,
        address: str,
        deadline_s: float,
        params: dict[str, str | int] | None = None,
        body: str | None = None,
    ) -> _Answer:
        own_deadline_s = time.monotonic() + self.max_call_s
        until_s, current = min(deadline_s, own_deadline_s), Exchange()

        def exchange() -> _Answer:
            current_exchange.set(current)
            with self.session.request(
                method,
                address,
                params=params,
                data=body,
                headers={"Content-Type": "application/json"} if body else None,
                timeout=(CONNECT_S, READ_S),
                allow_redirects=False,
                stream=True,
            ) as response:
                # The body of a PUT's answer is ignored, except that of a 404.
                status = response.status_code
                ignored = body is not None and status != NOT_FOUND
                kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
                return _Answer(
                    status,
                    b"" if ignored else _read(response.raw),
                    kind == "application/json" or kind.endswith("+json"),
                )

        try:
            return _translated(
                lambda: run_within(until_s, "the camera API", exchange, current.abort)
            )
        except DeadlineExceeded as error:
            if own_deadline_s < deadline_s:
                raise Unavailable(
                    f"The camera API did not answer within {self.max_call_s:g} s."
                ) from error
            raise


def _read(raw: urllib3.HTTPResponse) -> bytes:
    """Return a body, at most a byte longer than allowed; an error if it is incomplete."""
    body = b""
    # Only the read after the last bytes raises an error if more should have come.
    while len(body) <= MAX_ANSWER_BYTES and (more := raw.read(MAX_ANSWER_BYTES + 1 - len(body))):
        body += more
    return body


def _translated(exchange: Callable[[], _Answer]) -> _Answer:
    try:
        return exchange()
    except (
        requests.RequestException,
        urllib3.exceptions.HTTPError,
        http.client.HTTPException,
        OSError,
        ValueError,  # a host name that cannot be encoded
    ) as error:
        raise Unavailable(f"The camera API could not be called: {type(error).__name__}.") from error


def _address(base: str, *parts: str) -> str:
    return "/".join([base.rstrip("/"), *(quote(part, safe="") for part in parts)])


def _check(answer: _Answer, what: str) -> None:
    if not 200 <= answer.status < 300:  # noqa: PLR2004
        fault = AccessDenied if answer.status in DENIALS else Unavailable
        raise fault(f"The camera API answered {answer.status} to the request for {what}.")


def _payload(answer: _Answer, what: str) -> object:
    _check(answer, what)
    if len(answer.body) > MAX_ANSWER_BYTES:
        raise Unavailable(f"The camera API's answer about {what} is over {MAX_ANSWER_BYTES} bytes.")
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError) as error:
        raise Unavailable(f"The camera API's answer about {what} is not JSON.") from error
