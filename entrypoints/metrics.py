"""Figures for CloudWatch, in the line of the log that tells of a message.

The line says in `_aws` which of its own members are metrics (CloudWatch's "Embedded metric format
specification"), so nothing is said twice. Only the count of messages is kept apart by status: each
further dimension makes a metric of its own, which is charged.
"""

from collections.abc import Mapping

COUNTED = "clips"
"""1 in each line; its dimension is the line's status."""
UNITS = {
    "elapsedInMs": "Milliseconds",
    "findSegmentsInMs": "Milliseconds",
    "openInMs": "Milliseconds",
    "renderInMs": "Milliseconds",
    "storeStillsInMs": "Milliseconds",
    "commitInMs": "Milliseconds",
    "recordInMs": "Milliseconds",
    "publishInMs": "Milliseconds",
    "waitedInMs": "Milliseconds",
    "readBytes": "Bytes",
    "copiedFrames": "Count",
    "encodedFrames": "Count",
    "retries": "Count",
}


def with_metrics(line: Mapping[str, object], namespace: str, now_ms: int) -> dict[str, object]:
    """Return the line with what makes metrics of its figures in a namespace."""
    figures = [{"Name": name, "Unit": unit} for name, unit in UNITS.items() if name in line]
    counted = {"Name": COUNTED, "Unit": "Count"}
    return {
        **line,
        COUNTED: 1,
        "_aws": {
            "Timestamp": now_ms,
            "CloudWatchMetrics": [
                {"Namespace": namespace, "Dimensions": [["status"]], "Metrics": [counted]},
                {"Namespace": namespace, "Dimensions": [[]], "Metrics": figures},
            ],
        },
    }
