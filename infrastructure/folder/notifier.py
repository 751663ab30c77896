"""The folder's notifications."""

import json
import os
from pathlib import Path

from attrs import frozen

from application.ports import Notifier
from domain.clip import ClipReport
from domain.errors import Unavailable
from infrastructure.folder.files import translating_os_errors
from infrastructure.formats.reports import ReportFormat


@frozen
class FolderNotifier(Notifier):
    """Appends notifications to `notifications.jsonl`, one per line."""

    root: Path
    report_format: ReportFormat

    def publish(self, report: ClipReport, deadline_s: float) -> None:
        """Append one line, whole even if others append at the same time."""
        with translating_os_errors("The notifications", deadline_s):
            self.root.mkdir(parents=True, exist_ok=True)
            line = {
                "eventId": report.event_id,
                "status": report.status.value,
                "message": self.report_format.report(report),
            }
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
            handle = os.open(self.root / "notifications.jsonl", flags, 0o644)
            try:
                data = json.dumps(line).encode() + b"\n"
                if os.write(handle, data) < len(data):
                    raise Unavailable("The notification could not be written whole.")
                os.fsync(handle)
            finally:
                os.close(handle)
