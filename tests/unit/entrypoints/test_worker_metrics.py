"""The worker's metrics: names in Prometheus's form, and what each message adds."""

import pytest
from prometheus_client import generate_latest

from entrypoints.log_line import METRIC_UNITS
from entrypoints.worker.decisions import WorkOutcome
from entrypoints.worker.metrics import Metrics, metric_name


@pytest.mark.parametrize(
    ("member", "name"),
    [
        ("elapsedInMs", "camclip_elapsed_seconds"),
        ("findSegmentsInMs", "camclip_find_segments_seconds"),
        ("readBytes", "camclip_read_bytes"),
        ("encodedFrames", "camclip_encoded_frames"),
        ("retries", "camclip_retries"),
    ],
)
def test_a_members_name_becomes_prometheuss(member: str, name: str) -> None:
    """In snake case, in base units."""
    assert member in METRIC_UNITS
    assert metric_name(member) == name


def test_messages_add_up() -> None:
    """Sizes are summed, durations are distributed, and a member that is absent adds nothing."""
    metrics = Metrics()
    figures = {"status": "CLIP_AVAILABLE", "readBytes": 10, "elapsedInMs": 2500, "retries": 2}
    metrics.observe(WorkOutcome.DONE, figures)
    metrics.observe(WorkOutcome.FAILED, {"status": "GIVEN_BACK", "error": "Unavailable"})
    metrics.observe(WorkOutcome.DONE, {**figures, "retries": 1})
    metrics.observe(WorkOutcome.DIED, {})
    served = generate_latest(metrics.registry).decode().splitlines()
    for line in (
        'camclip_clips_total{status="CLIP_AVAILABLE"} 2.0',
        'camclip_clips_total{status="GIVEN_BACK"} 1.0',
        'camclip_errors_total{error="Unavailable"} 1.0',
        'camclip_worker_messages_total{outcome="done"} 2.0',
        'camclip_worker_messages_total{outcome="died"} 1.0',
        "camclip_read_bytes_total 20.0",
        "camclip_elapsed_seconds_sum 5.0",
        'camclip_elapsed_seconds_bucket{le="1.0"} 0.0',
        'camclip_elapsed_seconds_bucket{le="3.0"} 2.0',
        "camclip_retries_sum 3.0",
        "camclip_render_seconds_count 0.0",
    ):
        assert line in served


def test_two_workers_count_apart() -> None:
    """Each has a registry of its own."""
    one, other = Metrics(), Metrics()
    one.observe(WorkOutcome.DONE, {})
    assert b'outcome="done"' not in generate_latest(other.registry)
    assert b'outcome="done"' in generate_latest(one.registry)
