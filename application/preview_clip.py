"""What would become of a request now, without any effect."""

from attrs import frozen

from application.gather_footage import GatheredFootage, GatherFootage
from application.ports import CameraService, RecordingStore
from domain.clip import ClipRequest
from domain.delivery import Delivery
from domain.retry import RetryDecision, RetryPolicy, decide_from_request, decide_retry


@frozen
class Preview:
    """The footage of a request, as far as that was looked for, and the decision about it."""

    footage: GatheredFootage
    decision: RetryDecision


@frozen
class PreviewClip:
    """Finds a clip's footage as `MakeClip` does; recordings are only read."""

    cameras: CameraService
    recordings: RecordingStore
    policy: RetryPolicy
    seam_tolerance_ms: int = 1000

    def __call__(self, delivery: Delivery) -> Preview:
        """Return what the delivery would do; Rejected if the camera is unknown."""
        reject = decide_from_request(self.policy, delivery)
        if reject:
            return Preview(GatheredFootage(), reject)
        footage = self.gather(delivery.request, delivery.deadline_s)
        return Preview(footage, decide_retry(self.policy, delivery, footage.found))

    def gather(self, request: ClipRequest, deadline_s: float) -> GatheredFootage:
        """Return the footage of a request, however old or long it is."""
        window = request.window.widened(self.seam_tolerance_ms)
        listing = self.cameras.find_segments(request.camera_id, window, deadline_s)
        gather = GatherFootage(self.cameras, self.recordings, self.seam_tolerance_ms)
        return gather(request, listing, deadline_s)
