"""The worker from outside: messages in, clips out, whoever kills it and whatever goes down."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

from devtools.footage import assert_clip, read_clip, wanted
from devtools.local_aws.process_table import is_running
from entrypoints.worker.metrics import metric_name
from tests.integration.worker.conftest import FOOTAGE, REPOSITORY, World
from tests.support.service import wait_until


def assert_exact(world: World) -> None:
    """Assert that the clip "one" is stored whole, and that it is the right one."""
    assert set(world.stored()) == {f"{world.key}{end}" for end in (".mp4", ".json", "_160.jpg")}
    assert_clip(read_clip(world.download(world.folder)), wanted([FOOTAGE], 500, 1_700))


def test_a_request_becomes_an_exact_clip(world: World) -> None:
    """The same effects and the same line of the log as in Lambda; then SIGTERM ends it with 0."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(world.folder / "systemd"))
        systemd.settimeout(10)
        world.request("one")
        worker = world.start(NOTIFY_SOCKET=str(world.folder / "systemd"))
        assert systemd.recv(64) == b"READY=1"
        wait_until(lambda: world.statuses("one") and world.is_done())
        worker.signal(signal.SIGTERM)
        assert worker.ended() == 0
        heard = [systemd.recv(64)]
        while heard[-1] != b"STOPPING=1":
            heard.append(systemd.recv(64))
    assert world.statuses("one") == ["CLIP_AVAILABLE"]
    assert len(world.published()) == 1
    assert_exact(world)
    assert list(world.scratch.iterdir()) == []
    assert not world.health_file.exists()
    (line,) = worker.said("clip")
    assert line["clipId"] == "one"
    assert line["attempt"] == 1
    assert [entry["message"] for entry in worker.log] == [
        "working",
        "a slot is ready",
        "clip",
        "stopping",
        "stopped",
    ]
    assert "a-word-of-the-body" not in worker.output.read_text()


def test_messages_stay_hidden_while_they_are_worked_on_and_no_others_are(world: World) -> None:
    """Two slots work at once, each message delivered once; the third waits for a free slot."""
    world.held.freed.clear()
    for clip_id in ("one", "two", "three"):
        world.request(clip_id)
    world.start(WORKER_SLOTS="2", WORKER_VISIBILITY="4")
    wait_until(lambda: world.held.waiting == 2)
    time.sleep(5)
    assert world.counts() == (1, 2)
    assert sum("/recording/" in asked for asked in world.cameras.requests) == 0
    assert world.held.max_waiting == 2
    world.held.freed.set()
    wait_until(world.is_done)
    assert [world.statuses(clip_id) for clip_id in ("one", "two", "three")] == [
        ["CLIP_AVAILABLE"]
    ] * 3
    assert sum("/recording/" in asked for asked in world.cameras.requests) == 3
    world.published()
    assert len(world.notes) == 3


def test_a_message_in_progress_is_finished_when_the_worker_stops(world: World) -> None:
    """SIGTERM while a clip is made: nothing new is taken, the clip is made, and it ends with 0."""
    world.held.freed.clear()
    world.request("one")
    worker = world.start(WORKER_GRACE="60")
    wait_until(lambda: world.held.waiting)
    worker.signal(signal.SIGTERM)
    wait_until(lambda: worker.said("stopping"))
    world.request("later")
    time.sleep(0.5)
    world.held.freed.set()
    assert worker.ended() == 0
    assert world.statuses("one") == ["CLIP_AVAILABLE"]
    assert_exact(world)
    assert world.counts() == (1, 0)


@pytest.mark.parametrize(("grace", "signals"), [("0", 1), ("60", 2)], ids=["no grace", "twice"])
def test_a_message_in_progress_is_redelivered_when_there_is_no_time(
    world: World, grace: str, signals: int
) -> None:
    """SIGTERM inside ffmpeg, without grace or twice: all is ended, and then the message is free."""
    world.hung.touch()
    world.request("one")
    worker = world.start(WORKER_GRACE=grace)
    ffmpeg = world.hung_ffmpeg()
    for number in range(signals):
        worker.signal((signal.SIGTERM, signal.SIGINT)[number])
        wait_until(lambda: worker.said("stopping"))
    assert worker.ended(15) == 0
    assert world.counts() == (1, 0)
    assert not is_running(ffmpeg)
    assert list(world.scratch.iterdir()) == []
    (line,) = worker.said("a message was not finished")
    assert line["fault"] == "the worker is stopping"
    assert world.stored() == {}


def test_kill_9_loses_nothing(world: World) -> None:
    """Killed inside ffmpeg: all its processes end, and another worker makes the one clip."""
    world.hung.touch()
    world.request("one")
    killed = world.start(WORKER_VISIBILITY="3")
    ffmpeg = world.hung_ffmpeg()
    (child,) = killed.children()
    killed.signal(signal.SIGKILL)
    wait_until(lambda: not is_running(child))
    assert len(list(world.scratch.iterdir())) == 1

    world.hung.unlink()
    world.start(WORKER_VISIBILITY="3")
    wait_until(world.is_done)
    assert world.statuses("one") == ["CLIP_AVAILABLE"]
    assert len(world.published()) == 1
    assert_exact(world)
    assert list(world.scratch.iterdir()) == []
    assert not is_running(ffmpeg)


def test_what_the_poll_of_a_dead_worker_took_comes_back_soon(world: World) -> None:
    """SQS gives a message to a connection that is gone: it is hidden for as long as we said."""
    dead = world.start(WORKER_VISIBILITY="2", WORKER_POLL="20")
    wait_until(lambda: dead.said("a slot is ready"))
    time.sleep(0.5)
    dead.signal(signal.SIGKILL)
    dead.ended()
    world.request("one")
    wait_until(lambda: world.counts() == (0, 1))
    world.start()
    wait_until(world.is_done)
    assert world.statuses("one") == ["CLIP_AVAILABLE"]


def method_of(line: str) -> str:
    """Return the method of a request to AWS: only those to S3 are GET or HEAD."""
    return line.partition(" ")[0]


def test_work_ends_before_its_message_can_no_longer_be_hidden(world: World) -> None:
    """AWS goes down while a clip is made: the work is ended in time, and done when AWS is back."""
    world.held.freed.clear()
    world.request("one")
    # A sixth of it, 2 s, is left to end the work: a busy machine may stall for most of a second.
    worker = world.start(WORKER_VISIBILITY="12", MAX_RECEIVE_COUNT="5")
    # The store is looked at, too: if that failed, so would the work, and its process remain.
    wait_until(lambda: world.held.waiting and {"HEAD", "GET"} <= {*map(method_of, world.aws.asked)})
    (child,) = worker.children()
    world.shut_aws()
    wait_until(lambda: world.counts() == (1, 0))
    assert not is_running(child)
    world.held.freed.set()
    world.aws.release()
    wait_until(world.is_done)
    assert world.statuses("one") == ["CLIP_AVAILABLE"]
    (line,) = worker.said("a message was not finished")
    assert line["fault"] == "its lease could not be extended"
    assert len(worker.said("SQS fails")) == 1
    assert len(worker.said("SQS works again")) == 1


def test_a_worker_that_starts_while_aws_is_down_waits_for_it(world: World) -> None:
    """It says so once, is healthy, and works as soon as it can."""
    world.shut_aws()
    world.request("one")
    worker = world.start()
    wait_until(lambda: worker.said("SQS fails"))
    time.sleep(1)
    assert world.is_healthy()
    world.aws.release()
    wait_until(world.is_done)
    assert world.statuses("one") == ["CLIP_AVAILABLE"]
    assert len(worker.said("SQS fails")) == 1
    assert len(worker.said("SQS works again")) == 1


def test_a_message_that_nobody_can_handle_ends_in_the_dead_letter_queue(world: World) -> None:
    """It is handled as often as the queue says, rests in between, and is never logged."""
    world.request("", body="{a-poisoned-body")
    worker = world.start()
    wait_until(lambda: world.counts(world.cloud.dead_url) == (1, 0))
    assert world.is_done()
    assert [line["attempt"] for line in worker.said("no clip")] == [1, 2]
    first, second = (line["timestamp"] for line in worker.said("no clip"))
    assert first != second
    assert "poisoned" not in worker.output.read_text()


def test_a_process_that_dies_costs_its_message_one_delivery(world: World) -> None:
    """As if memory had run out: the message comes back, and a new process makes the clip."""
    world.hung.touch()
    world.request("one")
    worker = world.start()
    world.hung_ffmpeg()
    (child,) = worker.children()
    os.kill(child, signal.SIGKILL)
    world.hung.unlink()
    wait_until(world.is_done)
    assert world.statuses("one") == ["CLIP_AVAILABLE"]
    (line,) = worker.said("clip")
    assert line["attempt"] == 2
    (line,) = worker.said("a message was not finished")
    assert line["fault"] == "its process died"


def test_a_process_that_hangs_is_ended_at_the_timeout(world: World) -> None:
    """As Lambda ends a function, whatever it is doing; and a worker that hangs looks ill."""
    worker = world.start(FUNCTION_TIMEOUT="1")
    child = wait_until(lambda: worker.said("a slot is ready"))[0]["pid"]
    os.kill(child, signal.SIGSTOP)
    world.request("one")
    wait_until(lambda: worker.said("a message was not finished"))
    assert not is_running(child)
    (line,) = worker.said("a message was not finished")
    assert line["fault"] == "it took longer than FUNCTION_TIMEOUT"

    worker.signal(signal.SIGSTOP)
    os.utime(world.health_file, (time.time() - 60, time.time() - 60))
    assert not world.is_healthy()
    worker.signal(signal.SIGCONT)
    wait_until(world.is_healthy, 10)


def scrape(port: int) -> dict[str, float]:
    """Return every sample that the worker serves, by its name and labels; none if it does not."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            text = answer.read().decode()
    except OSError:
        return {}
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def test_prometheus_reads_the_figures_of_the_log(world: World) -> None:
    """Of all slots and of processes that were replaced; every message counts once."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    world.request("one")
    worker = world.start(WORKER_METRICS_PORT=str(port), WORKER_SLOTS="2")
    served = wait_until(lambda: (found := scrape(port)).get(AVAILABLE) and found)
    assert served[AVAILABLE] == 1
    assert served["camclip_worker_slots"] == 2
    assert served['camclip_worker_messages_total{outcome="done"}'] == 1
    wait_until(lambda: worker.said("clip"))
    (line,) = worker.said("clip")
    assert served["camclip_read_bytes_total"] == line["readBytes"]
    assert served["camclip_encoded_frames_total"] == line["encodedFrames"]
    for member in ("elapsedInMs", "renderInMs", "commitInMs", "waitedInMs"):
        name = metric_name(member)
        assert served[f"{name}_count"] == 1
        assert served[f"{name}_sum"] == pytest.approx(line[member] / 1000)
    assert served["camclip_retries_sum"] == 0
    for child in worker.children():
        os.kill(child, signal.SIGKILL)
    world.request("two")
    world.request("nobody", "no clip is named here")
    wait_until(lambda: scrape(port).get(AVAILABLE) == 2 and GONE in scrape(port))
    served = scrape(port)
    assert served[GONE] == served['camclip_errors_total{error="NoClipId"}'] >= 1
    assert served["camclip_elapsed_seconds_count"] == 2 + served[GONE]


AVAILABLE = 'camclip_clips_total{status="CLIP_AVAILABLE"}'
GONE = 'camclip_clips_total{status="GIVEN_BACK"}'


def test_a_metrics_port_that_is_taken_is_reported(world: World) -> None:
    """Before a message is received."""
    with socket.create_server(("0.0.0.0", 0)) as taken:  # noqa: S104 - as the worker does
        port = str(taken.getsockname()[1])
        worker = world.start(WORKER_METRICS_PORT=port)
        assert worker.ended() == 2
    assert worker.output.read_text() == f"WORKER_METRICS_PORT={port}: Address already in use\n"


CAMCLIP = ("-c", "from entrypoints.cli.app import main; main()", "worker")
MODULE = ("-m", "entrypoints.worker")


@pytest.mark.parametrize("command", [CAMCLIP, MODULE], ids=["camclip worker", "module"])
def test_invalid_settings_are_reported_in_one_message(
    world: World, command: tuple[str, ...]
) -> None:
    """The worker's and the service's; nothing is received from the queue."""
    world.request("one")
    nonsense = {"WORKER_SLOTS": "0", "WORKER_VISIBILITY": "1", "WORKER_GRACE": "a while"}
    worker = world.start(command, **nonsense, AWS_SNS_TOPIC="")
    assert worker.ended() == 2
    output = worker.output.read_text()
    assert all(
        name in output
        for name in ("WORKER_SLOTS", "WORKER_VISIBILITY", "WORKER_GRACE", "AWS_SNS_TOPIC")
    )
    assert "Traceback" not in output
    assert world.counts() == (1, 0)


def test_the_worker_needs_nothing_of_the_command_line(world: World) -> None:
    """Neither the worker nor a slot's process imports typer or rich."""
    code = (
        "import sys, entrypoints.aws_lambda\n"
        "import entrypoints.worker.__main__, entrypoints.worker.supervisor\n"
        "sys.exit(repr({'typer', 'rich', 'pytest'} & set(sys.modules) or ''))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=world.environ(),
        cwd=REPOSITORY,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.stderr.strip() in {"", "''"}
