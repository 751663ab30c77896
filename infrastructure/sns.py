"""The topic that reports are published to."""

import json
from typing import TYPE_CHECKING

from attrs import frozen

from application.ports import Notifier
from domain.clip import ClipReport
from infrastructure.aws import call
from infrastructure.formats.reports import ReportFormat

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sns.type_defs import MessageAttributeValueTypeDef


@frozen
class SnsNotifier(Notifier):
    """An SNS topic. Message attributes hold the status, the camera and the event id."""

    client: "SNSClient"
    topic_arn: str
    report_format: ReportFormat

    def publish(self, report: ClipReport, deadline_s: float) -> None:
        """Publish the report."""
        attributes: dict[str, MessageAttributeValueTypeDef] = {
            key: {"DataType": "String", "StringValue": value}
            for key, value in (
                ("status", report.status.value),
                ("cameraId", report.camera_id),
                ("eventId", report.event_id),
            )
            if value
        }
        message = json.dumps({"default": json.dumps(self.report_format.report(report))})
        call(
            "SNS",
            deadline_s,
            lambda: self.client.publish(
                TopicArn=self.topic_arn,
                Message=message,
                MessageStructure="json",
                MessageAttributes=attributes,
            ),
        )
