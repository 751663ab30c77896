"""The report that the camera API and the subscribers get."""

from attrs import frozen

from application.ports import ThumbnailSpec
from domain.clip import ClipName, ClipReport
from infrastructure.formats.coverages import coverage_members
from infrastructure.formats.json_keys import END, START
from infrastructure.formats.object_keys import clip_key, sidecar_key, thumbnail_key


@frozen
class ReportFormat:
    """The JSON form of a report, with the places of the clip and its thumbnails."""

    bucket: str
    clip_url: str
    """The base URL of clips: an object's key follows it."""
    thumbnails: ThumbnailSpec

    def report(self, report: ClipReport) -> dict[str, object]:
        """Return the report's members but those that are None; object keys begin with a slash."""
        message: dict[str, object] = {
            **report.unknown_keys,
            "clipId": report.clip_id,
            "cameraId": report.camera_id,
            START: report.start_ms,
            END: report.end_ms,
            "status": report.status.value,
            "retryTimestamps": list(report.retries_ms),
            **self._places(report),
            "coverage": {
                "complete": report.has_clip and report.coverage.is_complete,
                "deliveredInMs": report.delivered_ms,
                **coverage_members(report.coverage),
            },
            "options": dict(report.options) or None,
            "reason": report.reason,
        }
        return {key: value for key, value in message.items() if value is not None}

    def _places(self, report: ClipReport) -> dict[str, object]:
        if not report.has_clip or report.camera_id is None:
            return {"thumbnail": {"sizes": []}}
        name = ClipName(report.camera_id, report.clip_id)
        thumbnail = thumbnail_key(name, "{size}", self.thumbnails.format)
        return {
            "bucket": self.bucket,
            "clip": self._place(clip_key(name)),
            "thumbnail": {**self._place(thumbnail), "sizes": list(self.thumbnails.widths)},
            "sidecars": [
                {"name": sidecar, **self._place(sidecar_key(name, sidecar))}
                for sidecar in report.sidecars
            ]
            or None,
        }

    def _place(self, key: str) -> dict[str, str]:
        return {"key": f"/{key}", "url": f"{self.clip_url.rstrip('/')}/{key}"}
