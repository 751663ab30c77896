"""The package in its real runtime: cold and warm starts, failures, timeouts, crashes."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from attrs import evolve

from devtools.footage import assert_clip, read_clip, wanted
from devtools.local_aws.event_source import Delivery, failures
from devtools.local_aws.process_table import descendants, is_running
from devtools.local_aws.runtime import Function
from devtools.local_aws.runtime_api import FunctionError
from tests.end_to_end.lambda_runtime.conftest import (
    FOOTAGE,
    HANGING,
    MAX_S,
    Deployment,
    deliver,
)
from tests.support.service import wait_until

PROBE = """
import importlib.util
def handler(event, context):
    found = [n for n in event if importlib.util.find_spec(n)]
    return {"found": found, "left": context.get_remaining_time_in_millis(),
            "arn": context.invoked_function_arn}
"""


def pid_of(delivery: Delivery) -> int:
    assert delivery.invoked, delivery.error
    return delivery.invoked.pid


def test_a_cold_start_then_the_same_process_again(deployment: Deployment, tmp_path: Path) -> None:
    """Two messages, one process, and every frame of both clips is right."""
    deployment.function.restart()
    source = deployment.source()
    first = deployment.world.ask(500, 1_700)
    one = deliver(source)
    second = deployment.world.ask(1_234, 3_777)
    two = deliver(source)
    assert one.invoked
    assert two.invoked
    assert (one.invoked.cold, two.invoked.cold) == (True, False)
    assert pid_of(one) == pid_of(two)
    for clip, start_ms, end_ms in ((first, 500, 1_700), (second, 1_234, 3_777)):
        assert clip.statuses() == ["CLIP_AVAILABLE"]
        assert_clip(read_clip(clip.download(tmp_path)), wanted([FOOTAGE], start_ms, end_ms))
    assert deployment.world.cloud.waiting(deployment.world.cloud.queue_url) == 0


def test_only_the_bad_message_of_a_batch_is_redelivered_until_it_is_dead(
    deployment: Deployment,
) -> None:
    """The others are deleted; the bad one is delivered until the maximum, then dead-lettered."""
    source = deployment.source()
    clips = [deployment.world.ask(100, 600), deployment.world.ask(1_100, 1_600)]
    bad = deployment.world.cloud.send("gibberish")
    delivered = deliver(source)
    assert len(delivered.records) == 3
    assert delivered.deleted == {r["messageId"] for r in delivered.records} - {bad}
    assert [clip.statuses() for clip in clips] == [["CLIP_AVAILABLE"]] * 2
    for received in ("2", "3"):
        again = deliver(source)
        assert [r["messageId"] for r in again.records] == [bad]
        assert again.records[0]["attributes"]["ApproximateReceiveCount"] == received
        assert again.deleted == frozenset()
    assert source.poll() is None
    assert deployment.world.cloud.waiting(deployment.world.cloud.queue_url) == 0
    dead = deployment.world.cloud.sqs.receive_message(QueueUrl=deployment.world.cloud.dead_url)
    assert [m["MessageId"] for m in dead["Messages"]] == [bad]


def test_a_process_that_hangs_is_killed_at_the_timeout_and_replaced(deployment: Deployment) -> None:
    """The message stays in the queue, and a new process makes the clip."""
    function, source = deployment.function, deployment.source()
    function.start()
    hung = function.pid
    assert hung
    os.kill(hung, signal.SIGSTOP)
    clip = deployment.world.ask(200, 700)
    function.timeout_s = 1.0
    try:
        lost = deliver(source)
    finally:
        function.timeout_s = MAX_S
    assert "timed out after 1.00 seconds" in lost.error
    assert lost.deleted == frozenset()
    assert not is_running(hung)
    again = deliver(source)
    assert pid_of(again) != hung
    assert again.records[0]["attributes"]["ApproximateReceiveCount"] == "2"
    assert clip.statuses() == ["CLIP_AVAILABLE"]


def test_a_message_in_flight_is_hidden_until_its_visibility_timeout(deployment: Deployment) -> None:
    """Also one delivered to a function that cannot be imported."""
    cloud, source = deployment.world.cloud, deployment.source(failed_hidden_s=None)
    source.function = evolve(deployment.function, handler="no.handler")
    clip = deployment.world.ask(300, 800)
    lost = deliver(source)
    assert lost.error.startswith("Runtime.ImportModuleError: Unable to import module 'no'")
    source.function = deployment.function
    assert source.poll() is None
    assert cloud.waiting(cloud.queue_url) == 1
    cloud.sqs.change_message_visibility(
        QueueUrl=cloud.queue_url,
        ReceiptHandle=lost.records[0]["receiptHandle"],
        VisibilityTimeout=1,
    )
    deliver(source)
    assert clip.statuses() == ["CLIP_AVAILABLE"]


def test_a_process_killed_at_work_is_a_function_error_and_its_message_is_finished_later(
    deployment: Deployment, tmp_path: Path
) -> None:
    """Its ffmpeg goes with it; the next process sweeps its scratch and makes the clip."""
    pid_file = tmp_path / "ffmpeg.pid"
    ffmpeg = tmp_path / "ffmpeg"
    ffmpeg.write_text(HANGING.format(pid_file=pid_file))
    ffmpeg.chmod(0o755)
    hanging = evolve(
        deployment.function, environ={**deployment.function.environ, "CAMCLIP_FFMPEG": str(ffmpeg)}
    )
    clip = deployment.world.ask(400, 900)
    source = deployment.source()
    source.function = hanging
    found: list[Delivery] = []
    at_work = Thread(target=lambda: found.append(deliver(source)))
    at_work.start()
    wait_until(pid_file.exists)
    ffmpeg_pid = int(pid_file.read_text())
    assert hanging.pid
    assert ffmpeg_pid in descendants(hanging.pid)
    assert len(list(deployment.world.scratch.iterdir())) == 1
    hanging.close()
    at_work.join()
    assert found[0].error == "Runtime exited with error: signal: SIGKILL"
    assert not is_running(ffmpeg_pid)
    deliver(deployment.source())
    assert clip.statuses() == ["CLIP_AVAILABLE"]
    assert list(deployment.world.scratch.iterdir()) == []


def test_an_event_that_is_no_batch_is_an_error_and_the_process_lives_on(
    deployment: Deployment,
) -> None:
    """Its type and message come through the Runtime API."""
    deployment.function.start()
    pid = deployment.function.pid
    with pytest.raises(FunctionError, match=r"^NotAnSqsEvent: The event has no list of Records"):
        deployment.function.invoke({"Hello": "world"})
    assert deployment.function.invoke({"Records": []}).pid == pid


def test_settings_that_make_no_sense_are_an_error_of_the_start(deployment: Deployment) -> None:
    """Every invocation says so, and no process is left."""
    bad = evolve(deployment.function, environ={**deployment.function.environ, "SQS_TIMEOUT": "901"})
    with pytest.raises(FunctionError, match="SQS_TIMEOUT='901' must be a whole number"):
        bad.invoke({"Records": []})
    assert bad.pid is None


@pytest.fixture
def probe(tmp_path: Path, package: list[Path]) -> Iterator[Function]:
    """Run a handler that inspects its environment, next to the package."""
    (tmp_path / "probe.py").write_text(PROBE)
    function = Function([tmp_path, *package], {}, 60, handler="probe.handler")
    yield function
    function.close()


def test_nothing_but_the_package_and_the_runtime_client_is_on_the_path(probe: Function) -> None:
    """The function finds its own libraries and the client, and none of the development's."""
    asked = ("attrs", "boto3", "entrypoints", "awslambdaric", "typer", "rich", "moto", "pytest")
    seen = probe.invoke(asked).payload
    assert seen["found"] == ["attrs", "boto3", "entrypoints", "awslambdaric"]
    assert 0 < seen["left"] <= 60_000
    assert seen["arn"].startswith("arn:aws:lambda:")


IDS = frozenset({"a", "b"})
ANSWERS: dict[str, tuple[object, str]] = {
    "nothing": (None, ""),
    "no key": ({}, ""),
    "no failures": ({"batchItemFailures": []}, ""),
    "null": ({"batchItemFailures": None}, ""),
    "one": ({"batchItemFailures": [{"itemIdentifier": "a"}]}, "a"),
    "an unknown id": ({"batchItemFailures": [{"itemIdentifier": "c"}]}, "ab"),
    "an empty id": ({"batchItemFailures": [{"itemIdentifier": ""}]}, "ab"),
    "a wrong key": ({"batchItemFailures": [{"id": "a"}]}, "ab"),
    "no list": ({"batchItemFailures": "a"}, "ab"),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_an_answer_is_read_as_lambda_reads_it(case: str) -> None:
    """Empty is success; a malformed answer fails the whole batch."""
    answer, back = ANSWERS[case]
    assert failures(answer, IDS) == frozenset(back)
