"""A request that waits longer than Lambda's recursive-loop detection lets it, in its runtime."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from moto.sqs.models import sqs_backends

from devtools.footage import assert_clip, read_clip, wanted
from devtools.footage.recording import FFMPEG
from devtools.local_aws.cloud import REGION
from devtools.local_aws.command import local_aws
from devtools.local_aws.event_source import Delivery, EventSource
from devtools.local_aws.log import Log
from devtools.local_aws.recursive_loop import (
    MAX_INVOCATIONS,
    RecursiveLoop,
    invocation_trace,
    invocations_before,
    is_loop,
)
from devtools.local_aws.runtime import Function, link_client, source_path
from tests.end_to_end.lambda_runtime.conftest import FOOTAGE, TIMEOUT_S
from tests.integration.deploy.template import read_document
from tests.support.service import World, deployed

RETRIES = 20
PENDING, AVAILABLE = "CLIP_PENDING", "CLIP_AVAILABLE"
ACCOUNT = "123456789012"


@pytest.fixture
def world(tmp_path: Path, films: Path) -> Iterator[World]:
    """Deploy without footage."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with deployed("loop", scratch, films, visibility_s=TIMEOUT_S + 30) as made:
        yield made.new_camera()


@pytest.fixture
def function(world: World, tmp_path: Path) -> Iterator[Function]:
    """Return the function, run from source; it waits for a second between two tries."""
    settings = {"CAMCLIP_FFMPEG": FFMPEG, "THUMBNAIL_SIZES": "160", "SQS_TIMEOUT": "1"}
    path = [*source_path(), link_client(tmp_path / "client")]
    running = Function(path, {**world.environ(), **settings}, TIMEOUT_S)
    yield running
    running.close()


def chain(retries: int) -> str:
    """Return the trace header of a message that was sent again so many times."""
    header = invocation_trace()
    for _ in range(retries):
        header = invocation_trace([header])
    return header


def end_delays(queue_url: str) -> None:
    """Make all delayed messages visible."""
    queue = sqs_backends[ACCOUNT][REGION].queues[queue_url.rpartition("/")[2]]
    for message in queue._messages:  # noqa: SLF001 - moto shows only what is visible
        message.delayed_until = 0


def deliver_all(source: EventSource, times: int) -> list[Delivery]:
    """Deliver up to so many times, without waiting for a delay."""
    deliveries: list[Delivery] = []
    while len(deliveries) < times:
        end_delays(source.queue_url)
        delivery = source.poll()
        if delivery is None:
            break
        deliveries.append(delivery)
    return deliveries


def test_a_request_waits_through_twenty_retries_where_loops_are_allowed(
    world: World, function: Function, tmp_path: Path
) -> None:
    """Its footage comes after the twentieth, and the next invocation makes the clip."""
    source = EventSource(world.cloud.sqs, world.cloud.queue_url, function)
    clip = world.ask(500, 1_700)
    waits = deliver_all(source, RETRIES)
    assert [len(delivery.deleted) for delivery in waits] == [1] * RETRIES
    assert set(clip.statuses()) == {PENDING}
    world.record(FOOTAGE)
    [last] = deliver_all(source, RETRIES)
    retries = json.loads(last.records[0]["body"])["retryTimestamps"]
    assert len(retries) == RETRIES
    assert clip.statuses()[-1] == AVAILABLE
    assert_clip(read_clip(clip.download(tmp_path)), wanted([FOOTAGE], 500, 1_700))
    assert world.cloud.waiting(world.cloud.dead_url) == 0


def test_the_seventeenth_invocation_for_a_request_is_dropped_where_loops_are_terminated(
    world: World, function: Function
) -> None:
    """Its message becomes a dead letter, the log says so, and another request is a new chain."""
    log = Log()
    source = EventSource(world.cloud.sqs, world.cloud.queue_url, function, log.delivery)
    source.loop_dead_letters_url = world.cloud.dead_url
    clip = world.ask(500, 1_700)
    *invoked, dropped = deliver_all(source, RETRIES)
    assert [len(delivery.deleted) for delivery in invoked] == [1] * MAX_INVOCATIONS
    assert (list(dropped.records), dropped.invoked, len(dropped.dropped)) == ([], None, 1)
    assert world.cloud.waiting(world.cloud.queue_url) == 0
    [letter] = world.cloud.take(world.cloud.dead_url)
    assert letter["Body"] == dropped.dropped[0]["body"]
    assert json.loads(letter["Body"])["clipId"] == clip.clip_id
    assert set(clip.statuses()) == {PENDING}
    lines = [log.waiting.get_nowait() for _ in range(log.waiting.qsize())]
    assert re.search(
        rf"  lambda +message {dropped.dropped[0]['messageId']} dropped, now a dead letter: 16 ",
        lines[-1],
    )
    # A redriven request begins a new chain: no invocation sends it.
    world.record(FOOTAGE)
    world.cloud.send(letter["Body"])
    [again] = deliver_all(source, RETRIES)
    assert len(again.deleted) == 1
    assert clip.statuses()[-1] == AVAILABLE


def test_a_batch_is_delivered_without_the_messages_that_are_dropped(
    world: World, function: Function
) -> None:
    """The function gets the others."""
    cloud = world.cloud
    source = EventSource(cloud.sqs, cloud.queue_url, function)
    source.loop_dead_letters_url = cloud.dead_url
    world.record(FOOTAGE)
    short = world.ask(100, 600)
    looped = json.dumps(world.new_clip("looped").body(1_100, 1_600))
    header = chain(MAX_INVOCATIONS - 1)
    cloud.sqs.send_message(
        QueueUrl=cloud.queue_url,
        MessageBody=looped,
        MessageSystemAttributes={"AWSTraceHeader": {"DataType": "String", "StringValue": header}},
    )
    [delivery] = deliver_all(source, RETRIES)
    assert [json.loads(r["body"])["clipId"] for r in delivery.records] == [short.clip_id]
    assert [record["body"] for record in delivery.dropped] == [looped]
    assert [letter["Attributes"]["AWSTraceHeader"] for letter in cloud.take(cloud.dead_url)] == [
        header
    ]


HEADERS = {
    "none": ("", 0, False),
    "a trace without lineage": ("Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1", 0, False),
    "another function's": ("Root=1-a-b;Lineage=1:fe460cdd:40", 0, False),
    "of the first invocation": (chain(0), 1, False),
    "of the fifteenth": (chain(14), 15, False),
    "of the sixteenth": (chain(15), 16, True),
}


@pytest.mark.parametrize("case", HEADERS)
def test_a_trace_header_counts_the_invocations_of_its_chain(case: str) -> None:
    """The message of the sixteenth would cause the seventeenth."""
    header, invocations, loop = HEADERS[case]
    assert (invocations_before(header), is_loop(header)) == (invocations, loop)


def test_an_invocation_continues_the_chain_with_most_invocations() -> None:
    """With the root of that chain's trace."""
    long = chain(5)
    continued = invocation_trace([chain(2), long, ""])
    assert invocations_before(continued) == invocations_before(long) + 1
    assert continued.split(";")[0] == long.split(";")[0]


def test_local_aws_allows_what_the_template_allows() -> None:
    """AWS's own default has to be chosen."""
    [default] = [option.default for option in local_aws.params if option.name == "recursive_loop"]
    function = read_document()["Resources"]["Function"]["Properties"]
    assert default == function["RecursiveLoop"] == RecursiveLoop.ALLOW
