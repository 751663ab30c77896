"""The use cases without effects."""

import time
import uuid
from typing import Protocol

from application.gather_footage import GatheredFootage, GatherFootage
from application.ports import Listing
from application.preview_clip import PreviewClip
from domain.clip import ClipRequest
from domain.delivery import Delivery
from domain.recording import RecordingSegment
from entrypoints.cli.session import LISTING_S
from entrypoints.container import Service


class OpenService(Protocol):
    """A service that is ready to be used."""

    @property
    def service(self) -> Service:
        """The service."""


def preview_clip(session: OpenService) -> PreviewClip:
    """Return the use case that foresees what becomes of a request."""
    service, settings = session.service, session.service.settings()
    return PreviewClip(
        service.cameras(), service.recordings(), settings.policy, settings.seam_tolerance_ms
    )


def in_recording(
    session: OpenService, segment: RecordingSegment, moment: ClipRequest, deadline_s: float
) -> GatheredFootage | None:
    """Return the footage of a moment in one recording, the latest; None if it has none.

    A clip may show another recording's, where several overlap: to find out, those around must be
    opened, too, which takes three times as long.
    """
    service, settings = session.service, session.service.settings()
    gather = GatherFootage(service.cameras(), service.recordings(), settings.seam_tolerance_ms)
    footage = gather(moment, Listing((segment,)), deadline_s)
    return footage if footage.plan and footage.plan.cuts else None


def first_delivery(request: ClipRequest, at_ms: int) -> Delivery:
    """Return the delivery of a request that is sent at this moment."""
    return Delivery(request, str(uuid.uuid4()), at_ms, at_ms, time.monotonic() + LISTING_S)
