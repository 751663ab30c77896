"""A clip is verified by the server that made it."""

import json
from pathlib import Path
from threading import Event, Thread

import pytest
from attrs import evolve

from domain.clip import ClipName
from domain.findings import Finding
from entrypoints.serve.verification import VerificationRoutes
from tests.integration.serve.test_clip_pages import CLIP, CLIPS, PAGE, page
from tests.support.recorders import START_MS
from tests.support.served import Served, running

VERIFICATION = f"{CLIP}/verification"
FILE, MANIFEST = Path("clips/pier/c1.mp4"), Path("clips/pier/c1.json")
BODY = {
    "cameraId": "pier",
    "clipId": "c1",
    "startTimestampInMs": START_MS,
    "endTimestampInMs": START_MS + 20_000,
}
"""Two whole recordings: their frames are copied."""


@pytest.fixture
def done(server: Served) -> Served:
    server.post(CLIPS, BODY)
    server.wait_for(CLIP)
    return server


def verified(server: Served) -> dict[str, list[str]]:
    """Return the texts of the findings by their judgements, and assert what follows from them."""
    answer = server.post(VERIFICATION, None)
    assert answer.status_code == 200, answer.text
    members = answer.json()
    found: dict[str, list[str]] = {"intact": [], "changed": [], "unknown": []}
    for each in members["findings"]:
        found[each["judgement"]].append(each["text"])
    assert members["judgement"] == ("changed" if found["changed"] else "intact")
    return found


def change(path: Path, offset: int) -> None:
    """Change one byte of a file."""
    data = bytearray(path.read_bytes())
    data[offset] ^= 0xFF
    path.write_bytes(data)


def test_a_clip_as_it_was_made_is_intact(done: Served) -> None:
    """All of it, and the bytes of both recordings; only who wrote it is not known."""
    found = verified(done)
    assert found["changed"] == []
    assert found["unknown"] == ["The manifest is not signed: who wrote it is not known."]
    assert sum("byte for byte" in text for text in found["intact"]) >= 2


def test_a_changed_clip_names_the_frames_with_the_changed_bytes(done: Served) -> None:
    """A byte in the middle of the file."""
    change(FILE, FILE.stat().st_size // 2)
    members = done.post(VERIFICATION, None).json()
    [changed] = [each for each in members["findings"] if each["judgement"] == "changed"]
    assert changed["subject"] == "copied bytes"
    assert changed["range"] == {"offset": FILE.stat().st_size // 2, "length": 1}
    [run] = changed["frames"]
    assert run["count"] == 1
    assert START_MS <= run["firstTimestampInMs"] < START_MS + 20_000


def test_a_changed_recording_is_named(done: Served) -> None:
    """It was replaced after the clip was made."""
    [recording, *_] = sorted(Path("dvr").rglob("pier/*.mp4"))
    change(recording, recording.stat().st_size // 2)
    changed = verified(done)["changed"]
    assert changed
    assert all(recording.name in text for text in changed)


def test_a_recording_that_is_gone_is_no_fault_of_the_clip(done: Served) -> None:
    """What could not be compared is said."""
    for recording in Path("dvr").rglob("pier/*.mp4"):
        recording.unlink()
    found = verified(done)
    assert found["changed"] == []
    assert any("not stored any more" in text for text in found["unknown"])


@pytest.mark.parametrize("name", ["pier/none", "mole/c1"])
def test_an_unknown_clip_is_not_verified(done: Served, name: str) -> None:
    """Nor one of another camera."""
    answer = done.post(f"{CLIPS}/{name}/verification", None)
    assert (answer.status_code, answer.json()["type"]) == (404, "/api#unknown-clip")


def test_a_clip_whose_file_is_gone_is_not_verified(done: Served) -> None:
    """The answer names no path of this machine."""
    FILE.unlink()
    answer = done.post(VERIFICATION, None)
    assert (answer.status_code, answer.json()["detail"]) == (404, "Its file is gone.")


def test_a_clip_without_a_proof_is_not_verified(done: Served) -> None:
    """As of a version from before there were proofs: nothing speaks against it."""
    manifest = json.loads(MANIFEST.read_bytes())
    MANIFEST.write_text(json.dumps({**manifest, "proof": None}))
    answer = done.post(VERIFICATION, None)
    assert (answer.status_code, answer.json()["type"]) == (404, "/api#no-proof")
    assert "This clip has none" in page(done, PAGE).text


def test_one_clip_is_verified_at_a_time(done: Served) -> None:
    """Whoever asks in the meantime is refused, and may ask again."""
    began, ends = Event(), Event()

    def slowly(_: ClipName) -> list[Finding]:
        began.set()
        assert ends.wait(20)
        return []

    answers = []
    with running(evolve(done.serving, verify=slowly)) as slow:
        first = Thread(target=lambda: answers.append(slow.post(VERIFICATION, None)))
        first.start()
        assert began.wait(20)
        refused = done.client.post(slow.url + VERIFICATION, timeout=20)
        ends.set()
        first.join(20)
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "5")
        assert [answer.status_code for answer in answers] == [200]
        assert slow.post(VERIFICATION, None).status_code == 200


def test_a_server_that_verifies_nothing_says_what_does(done: Served) -> None:
    """It names the command."""
    [route] = VerificationRoutes(done.known, None).routes()
    assert route.methods == {"POST"}
    with running(evolve(done.serving, verify=None)) as server:
        answer = server.post(VERIFICATION, None)
    assert (answer.status_code, answer.json()["type"]) == (501, "/api#no-verification")
    assert "camclip verify" in answer.json()["remedy"]


def test_the_page_says_what_the_manifest_proves(done: Served) -> None:
    """In words: frames, bytes and their sources, hashes, tools, and that it is not signed."""
    manifest = done.get(f"{CLIP}/manifest").json()
    proof = manifest["proof"]
    found = page(done, PAGE)
    copied = sum(run["frames"] for run in proof["frames"] if run["origin"] == "copied")
    assert f"{copied:,} are the recordings' own" in found.text
    assert all(part["sha256"] in found.text for part in proof["own"][:4])
    for source in manifest["sources"]:
        assert f"{source['ranges'][0]['offset']:,} to " in found.text
    assert all(f"{tool['name']} {tool['version']}" in found.text for tool in proof["tools"])
    assert "no: whoever can write clips" in found.text
    assert "verify" in found.by_id
