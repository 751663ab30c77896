"""Stores that lack what AWS has: the clip is the same, and what is promised of it is kept.

Each switch of the strict S3 stands for a store: see the table in tests/support/strict_s3.py.
"""

import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from attrs import evolve
from botocore.config import Config

from application.ports import AlreadyExists, Piece, RecordingPiece, Rendition
from devtools.local_aws.http_server import Response
from domain.clip import ClipReport, ClipRequest, ClipStatus
from domain.coverage import Coverage
from domain.errors import AlreadyInProgress, RecordingChanged, Unavailable
from domain.manifest import Manifest
from infrastructure.aws import CONFIG
from infrastructure.s3 import S3ClipStore
from infrastructure.s3.conditions import NAMED, PROBE_KEY, Conditions, find_conditions
from tests.contract.real import aws_session
from tests.integration.s3.test_multipart import (
    FOOTAGE,
    KEY,
    MIB,
    REQUEST,
    World,
    commit,
    expected,
    noise,
    soon,
)
from tests.support.clip_store import clip_store
from tests.support.strict_s3 import StrictS3, fails, lost, properly, strict_s3

OTHER = evolve(REQUEST, end_ms=REQUEST.end_ms + 5000)
CLAIM = "clips/pier/c1.claim-0"


@pytest.fixture
def server() -> Iterator[StrictS3]:
    with strict_s3() as served:
        yield served


def world_of(server: StrictS3, folder: Path, **config: Any) -> World:  # noqa: ANN401 - botocore's
    fast = Config(retries={"mode": "standard", "total_max_attempts": 2}, **config)
    client = aws_session().client("s3", endpoint_url=server.url, config=CONFIG.merge(fast))
    return World(client, "sources", "clips", folder, server)


@pytest.fixture
def world(server: StrictS3, tmp_path: Path) -> World:
    return world_of(server, tmp_path)


def long_clip(world: World, seed: int = 1) -> tuple[Piece, ...]:
    """Return a clip that is composed of copied and uploaded parts."""
    recording = world.recording(seed)
    return world.own(6 * MIB), RecordingPiece(recording, 7, 39 * MIB), world.own(100_000)


def short_clip(world: World) -> tuple[Piece, ...]:
    """Return a clip that is one request."""
    return world.own(MIB), world.own(3)


def commit_as(
    store: S3ClipStore, request: ClipRequest, writer: str, pieces: Sequence[Piece]
) -> None:
    store.commit(request, Rendition(tuple(pieces), {}, FOOTAGE), writer, Coverage(), soon())


# What a store honours

SWITCHES = {
    "both": {},
    "put": {"conditions_on_complete": False},
    "complete": {"conditions_on_put": False},
    "none": {"conditions_on_put": False, "conditions_on_complete": False},
}


@pytest.mark.parametrize("own_codes", [False, True])
@pytest.mark.parametrize("name", SWITCHES)
def test_what_a_store_honours_is_found_by_trying(
    world: World, server: StrictS3, name: str, own_codes: bool
) -> None:
    """The first time, and again on the object that stayed; no upload is left."""
    server.own_codes = own_codes
    for switch, value in SWITCHES[name].items():
        setattr(server, switch, value)
    for _ in range(2):
        assert find_conditions(world.client, "clips", soon()) == NAMED[name]
    assert set(server.objects) == {f"clips/{PROBE_KEY}"}
    assert not server.uploads


def test_a_store_that_does_not_know_the_condition_on_put(world: World, server: StrictS3) -> None:
    """It answers 501."""
    server.knows_condition_on_put = False
    assert find_conditions(world.client, "clips", soon()) == NAMED["complete"]


def test_a_store_that_does_not_know_the_condition_on_complete(
    world: World, server: StrictS3
) -> None:
    server.faults["complete"] = [fails(501, "NotImplemented")]
    assert find_conditions(world.client, "clips", soon()) == NAMED["put"]
    assert not server.uploads


@pytest.mark.parametrize("operation", ["put", "create", "complete"])
def test_a_store_that_fails_shows_nothing(world: World, server: StrictS3, operation: str) -> None:
    """The message is delivered again, and the next commit tries again."""
    server.faults[operation] = [fails(503, "SlowDown"), fails(503, "SlowDown"), properly]
    store = clip_store(world.client, "clips", None)
    with pytest.raises(Unavailable):
        commit(store, *short_clip(world))
    commit(store, *short_clip(world))
    assert KEY in server.objects


def test_aws_is_not_asked() -> None:
    """It is known to honour both, in every region and partition."""
    for region in ("us-east-1", "eu-west-1", "cn-north-1", "us-gov-west-1"):
        own = Config(ignore_configured_endpoint_urls=True)  # type: ignore[call-arg]
        client = aws_session().client("s3", region_name=region, config=own)
        client.meta.events.register("before-send.s3", _no_network)
        assert find_conditions(client, "clips", soon()) == NAMED["both"]


def _no_network(**_: object) -> None:
    raise AssertionError("a request was sent")


def test_a_store_is_asked_once(world: World, server: StrictS3) -> None:
    """By the first commit of a process; with the setting, by none."""
    store = clip_store(world.client, "clips", None)
    commit(store, *short_clip(world))
    first = len(server.requests)
    del server.objects[KEY]
    commit(store, *short_clip(world))
    assert len(server.requests) == first + 1
    server.requests.clear()
    del server.objects[KEY]
    commit(clip_store(world.client, "clips", NAMED["both"]), *short_clip(world))
    assert server.operations() == ["put"]


# Replaced sources


@pytest.mark.parametrize("compares", [True, False])
@pytest.mark.parametrize("change", ["replaced", "deleted"])
def test_a_recording_replaced_after_it_was_copied_is_noticed(
    world: World, server: StrictS3, compares: bool, change: str
) -> None:
    """On every store: its ETag is compared once all of its parts are copied."""
    server.compares_sources = compares
    clip = long_clip(world)
    source = "sources/rewinds/1 à.mp4"

    def replaced(proper: Any) -> Response:  # noqa: ANN401 - a fault's
        response: Response = proper()
        if change == "replaced":
            server.put(source, noise(2, 40 * MIB))
        else:
            server.objects.pop(source, None)
        return response

    server.faults["copy"] = [properly, replaced]
    with pytest.raises(RecordingChanged):
        commit(world.store, *clip)
    assert not server.uploads
    assert KEY not in server.objects


def test_a_recording_replaced_before_it_is_copied_is_noticed(
    world: World, server: StrictS3
) -> None:
    """Where the store ignores the condition on the copy, as Ceph does."""
    server.compares_sources = False
    clip = long_clip(world)
    server.put("sources/rewinds/1 à.mp4", noise(2, 40 * MIB))
    with pytest.raises(RecordingChanged):
        commit(world.store, *clip)
    assert not server.uploads


def test_each_recording_is_asked_for_once_after_its_last_copy(
    world: World, server: StrictS3
) -> None:
    """While other parts are still on their way: at most one round trip more."""
    first, second = world.recording(1), world.recording(2)
    ranges = RecordingPiece(first, 0, 39 * MIB), RecordingPiece(second, 0, 39 * MIB)
    server.requests.clear()
    commit(world.store, world.own(6 * MIB), *ranges)
    heads = [request.key for request in server.asked("head")]
    assert sorted(heads) == ["sources/rewinds/1 à.mp4", "sources/rewinds/2 à.mp4"]
    for head in heads:
        names = [request.headers.get("x-amz-copy-source", "") for request in server.requests]
        number = head.removeprefix("sources/rewinds/")[0]
        last_copy = max(at for at, name in enumerate(names) if f"/{number}%20" in name)
        assert last_copy < [request.key for request in server.requests].index(head)


# Two deliveries at once

LAX = {"put": NAMED["put"], "complete": NAMED["complete"], "both": NAMED["both"]}


@pytest.mark.parametrize("shapes", ["two long ones", "a long and a short one"])
@pytest.mark.parametrize("honoured", LAX)
@pytest.mark.parametrize("known", [True, False], ids=["set", "found"])
def test_of_two_clips_of_one_name_at_once_one_wins(
    server: StrictS3, tmp_path: Path, honoured: str, shapes: str, known: bool
) -> None:
    """Wherever the store honours one of the two conditions; the winner's bytes stay."""
    for switch, value in SWITCHES[honoured].items():
        setattr(server, switch, value)
    conditions = LAX[honoured] if known else None
    worlds = [world_of(server, folder) for folder in (tmp_path / "a", tmp_path / "b")]
    for each in worlds:
        each.folder.mkdir()
    is_short = shapes == "a long and a short one"
    clips = [long_clip(worlds[0]), short_clip(worlds[1]) if is_short else long_clip(worlds[1], 2)]
    together = Barrier(2)

    def attempt(number: int) -> str | None:
        store = clip_store(worlds[number].client, "clips", conditions)
        request = (REQUEST, OTHER)[number]
        together.wait()
        try:
            commit_as(store, request, f"m{number}#1", clips[number])
        except (AlreadyExists, AlreadyInProgress):
            return None
        return f"m{number}#1"

    with ThreadPoolExecutor(2) as pool:
        winners = [writer for writer in pool.map(attempt, range(2)) if writer]
    found = clip_store(worlds[0].client, "clips").find(REQUEST.name, soon())
    assert found
    assert winners == [found.writer]
    assert worlds[0].stored() == expected(clips[int(found.writer[1])])
    assert not server.uploads
    assert not [key for key in server.objects if "claim" in key]


def test_a_clip_that_is_there_stays_where_completing_has_no_condition(
    world: World, server: StrictS3
) -> None:
    """The claim alone would not show it: a delivery before may have deleted its own."""
    server.conditions_on_complete = False
    store = clip_store(world.client, "clips", NAMED["put"])
    clip = long_clip(world)
    commit_as(store, REQUEST, "m1#1", clip)
    with pytest.raises(AlreadyExists):
        commit_as(store, OTHER, "m2#1", long_clip(world, 2))
    assert world.stored() == expected(clip)
    assert CLAIM not in server.objects


def test_a_store_without_conditions_keeps_a_clip_that_is_there(
    world: World, server: StrictS3
) -> None:
    """Of deliveries one after the other; of two at once, the later one would win."""
    server.conditions_on_put = server.conditions_on_complete = False
    store = clip_store(world.client, "clips", NAMED["none"])
    for clip in (short_clip(world), long_clip(world)):
        commit_as(store, REQUEST, "m1#1", clip)
        with pytest.raises(AlreadyExists):
            commit_as(store, OTHER, "m2#1", short_clip(world))
        with pytest.raises(AlreadyExists):
            commit_as(store, OTHER, "m2#1", long_clip(world))
        assert world.stored() == expected(clip)
        del server.objects[KEY]


@pytest.mark.parametrize("name", NAMED)
def test_a_rejection_never_replaces_a_manifest(world: World, server: StrictS3, name: str) -> None:
    """Whatever the store honours."""
    for switch, value in SWITCHES[name].items():
        setattr(server, switch, value)
    store = clip_store(world.client, "clips", NAMED[name])
    available = Manifest(ClipReport.available(REQUEST, Coverage()), "m#1", FOOTAGE)
    refused = Manifest(ClipReport.of(REQUEST, ClipStatus.NOT_AVAILABLE), "m#2")
    store.write_manifest(REQUEST.name, available, soon(), replace=False)
    with pytest.raises(AlreadyExists):
        store.write_manifest(REQUEST.name, refused, soon(), replace=False)
    assert store.read_manifest(REQUEST.name, soon()) == available


# Claims


def claiming(world: World, server: StrictS3) -> S3ClipStore:
    server.conditions_on_complete = False
    return clip_store(world.client, "clips", NAMED["put"])


def test_a_claim_is_respected_until_its_delivery_must_have_ended(
    world: World, server: StrictS3
) -> None:
    """By the store's clock."""
    store, clip = claiming(world, server), long_clip(world)
    server.put(CLAIM, b"{}")
    server.age_s = 299
    with pytest.raises(AlreadyInProgress):
        commit(store, *clip)
    assert KEY not in server.objects
    assert not server.uploads
    server.age_s = 301
    commit(store, *clip)
    assert world.stored() == expected(clip)
    assert not [key for key in server.objects if "claim" in key]


def test_a_claim_whose_answer_was_lost_is_known_again(world: World, server: StrictS3) -> None:
    """The library tries again, and is answered that there is one."""
    store, clip = claiming(world, server), long_clip(world)
    server.faults["put"] = [lost, properly]
    commit(store, *clip)
    assert world.stored() == expected(clip)


def test_a_claim_is_given_up_if_nothing_was_stored(world: World, server: StrictS3) -> None:
    """The next delivery need not wait."""
    store, clip = claiming(world, server), long_clip(world)
    server.faults["copy"] = [fails(412, "PreconditionFailed")]
    with pytest.raises(RecordingChanged):
        commit(store, *clip)
    assert CLAIM not in server.objects


def test_a_claim_stays_if_the_clip_may_come_late(world: World, server: StrictS3) -> None:
    """The effect of a completion without an answer may come late."""
    store, clip = claiming(world, server), long_clip(world)
    server.faults["complete"] = [fails(500, "InternalError")]
    with pytest.raises(Unavailable):
        commit(store, *clip)
    assert CLAIM in server.objects


def test_a_claim_that_cannot_be_deleted_harms_nothing(world: World, server: StrictS3) -> None:
    """The clip is stored; a later clip of this name waits for its age."""
    store, clip = claiming(world, server), long_clip(world)
    server.faults["delete"] = [fails(403, "AccessDenied")]
    commit(store, *clip)
    assert world.stored() == expected(clip)


# Checksums, and what else a store may reject


def test_checksums_are_named_only_if_they_are_sent(server: StrictS3, tmp_path: Path) -> None:
    """With AWS_REQUEST_CHECKSUM_CALCULATION=when_required neither."""
    world = world_of(server, tmp_path, request_checksum_calculation="when_required")
    clip = long_clip(world)
    commit(world.store, *clip)
    assert world.stored() == expected(clip)
    (create,) = server.asked("create")
    assert "x-amz-checksum-algorithm" not in create.headers
    assert all("x-amz-checksum-crc32" not in sent.headers for sent in server.asked("send"))
    (complete,) = server.asked("complete")
    assert b"Checksum" not in complete.body


REJECTING = {
    "no checksums of copied parts": {"checksums_copies": False},
    "parts of unlike size": {"wants_equal_parts": True},
}


@pytest.mark.parametrize("case", REJECTING)
def test_a_store_that_rejects_the_parts_gets_all_bytes_at_once(
    world: World, server: StrictS3, caplog: pytest.LogCaptureFixture, case: str
) -> None:
    """In the same delivery, with a warning that names the setting; the next clip at once."""
    for switch, value in REJECTING[case].items():
        setattr(server, switch, value)
    store, clip = world.store, long_clip(world)
    with caplog.at_level(logging.WARNING):
        commit(store, *clip)
        assert world.stored() == expected(clip)
        del server.objects[KEY]
        server.requests.clear()
        commit(store, *clip)
    assert world.stored() == expected(clip)
    assert not server.asked("copy")
    assert not server.uploads
    (warning,) = [r.getMessage() for r in caplog.records if r.name.startswith("infrastructure")]
    assert "InvalidPart" in warning
    assert "COMPOSE=off or AWS_REQUEST_CHECKSUM_CALCULATION=when_required" in warning


def test_a_put_that_is_not_implemented_becomes_another_at_once(
    world: World, server: StrictS3, caplog: pytest.LogCaptureFixture
) -> None:
    """Although the setting says that it is; the warning names the right one."""
    server.knows_condition_on_put = False
    store = clip_store(world.client, "clips", NAMED["both"])
    commit(store, *short_clip(world))
    assert world.stored() == expected(short_clip(world))
    with pytest.raises(AlreadyExists):
        commit(store, *short_clip(world))
    (warning,) = [r.getMessage() for r in caplog.records if r.name.startswith("infrastructure")]
    assert "S3_CONDITIONS=complete" in warning


@pytest.mark.parametrize("conditions", NAMED.values(), ids=NAMED)
def test_codes_of_its_own_mean_what_their_status_says(
    world: World, server: StrictS3, conditions: Conditions
) -> None:
    """A missing object is missing, and one that is there stays."""
    server.own_codes = True
    store = clip_store(world.client, "clips", conditions)
    assert store.find(REQUEST.name, soon()) is None
    assert store.read_manifest(REQUEST.name, soon()) is None
    commit(store, *short_clip(world))
    with pytest.raises(AlreadyExists):
        commit(store, *short_clip(world))
    with pytest.raises(AlreadyExists):
        commit(store, *long_clip(world))
