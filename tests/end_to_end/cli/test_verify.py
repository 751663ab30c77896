"""`camclip verify` on clips of a folder: what was changed is named."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve, frozen
from typer.testing import CliRunner, Result

from devtools.footage import Recording, cached_recording, constant_bitrate
from entrypoints.cli.app import app
from tests.support.keys import OTHER_KEY, SIGNING_KEY, public_key

START_MS = 1_777_636_800_000
"""2026-05-01 12:00:00 UTC."""
FIRST = constant_bitrate(Recording(first_number=0, frames=120), 40_000)
SECOND = evolve(FIRST, first_number=120)
FILES = {"pier.20260501T120000.mp4": FIRST, "pier.20260501T120004.mp4": SECOND}
QUICK = {"THUMBNAIL_SIZES": "160 320", "TZ": "UTC", "PROOF_KEY": SIGNING_KEY}


def run(*arguments: object, **settings: str) -> Result:
    return CliRunner().invoke(app, list(map(str, arguments)), env={**QUICK, **settings})


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, films: Path) -> Path:
    """Make a root with two recordings, and a clip over both."""
    root = tmp_path_factory.mktemp("root")
    folder = root / "recordings" / "pier"
    folder.mkdir(parents=True)
    for name, recording in FILES.items():
        shutil.copy2(cached_recording(films, recording), folder / name)
    window = ("--from", START_MS + 1234, "--to", START_MS + 6987)
    done = run("cut", "--root", root, "--camera", "pier", "--id", "c1", *window)
    assert done.exit_code == 0, done.output
    return root


@frozen
class Case:
    """A copy of the root, whose clip may be changed."""

    root: Path

    @property
    def clip(self) -> Path:
        return self.root / "clips/pier/c1.mp4"

    @property
    def manifest(self) -> Path:
        return self.clip.with_suffix(".json")

    @property
    def proof(self) -> dict[str, Any]:
        proof: dict[str, Any] = json.loads(self.manifest.read_text())["proof"]
        return proof

    def key(self, private: str = SIGNING_KEY) -> Path:
        path = self.root / "key.pub"
        path.write_text(public_key(private))
        return path

    def flip(self, path: Path, at: int) -> None:
        data = bytearray(path.read_bytes())
        data[at] ^= 1
        path.write_bytes(data)

    def changes(self, *options: object) -> list[dict[str, Any]]:
        """Verify against the recordings; return what was changed."""
        done = run("verify", "pier/c1", "--root", self.root, "--json", *options)
        found = json.loads(done.stdout)
        changed = [each for each in found["findings"] if each["judgement"] == "changed"]
        assert done.exit_code == bool(changed)
        assert found["judgement"] == ("changed" if changed else "intact")
        return changed


@pytest.fixture
def case(made: Path, tmp_path: Path) -> Case:
    """Copy the root: the clip's own changes are of this test alone."""
    return Case(shutil.copytree(made, tmp_path / "root", copy_function=shutil.copy2))


def test_a_clip_is_what_was_cut(case: Case) -> None:
    """Every byte of it, by our own hashes and the recordings' bytes."""
    done = run("verify", "pier/c1", "--root", case.root, "--public-key", case.key())
    assert done.exit_code == 0, done.output
    assert "is what was cut" in done.output
    assert "byte for byte" in done.output
    assert "as the Ed25519 key" in done.output
    assert case.changes() == []


def test_a_file_is_verified_by_itself_without_its_recordings(case: Case, tmp_path: Path) -> None:
    """Its manifest may be elsewhere; that its thumbnails are is no change."""
    elsewhere = tmp_path / "evidence.mp4"
    case.clip.rename(elsewhere)
    done = run("verify", elsewhere, "--manifest", case.manifest)
    assert done.exit_code == 0, done.output
    assert "were not compared" in done.output
    done = run("verify", elsewhere, "--manifest", case.manifest, "--root", case.root)
    assert "byte for byte" in done.output
    offline = ("--root", case.root, "--offline")
    done = run("verify", elsewhere, "--manifest", case.manifest, *offline)
    assert "were not compared" in done.output


def test_most_of_the_clip_is_copied_here(case: Case) -> None:
    """Else these tests prove little."""
    copied = sum(part["length"] for part in case.proof["copied"])
    assert 0.5 * case.clip.stat().st_size < copied < case.clip.stat().st_size
    assert {part["source"] for part in case.proof["copied"]} == set(FILES)


def test_a_changed_byte_of_an_encoded_frame_is_named(case: Case) -> None:
    """By its part, and by when the frames were seen."""
    part = case.proof["own"][1]
    case.flip(case.clip, part["offset"] + part["length"] // 2)
    (changed,) = case.changes()
    assert changed["subject"] == "own bytes"
    assert changed["range"] == {"offset": part["offset"], "length": part["length"]}
    seen_ms = [ms for run in changed["frames"] for ms in list(run.values())[1:]]
    assert START_MS + 1234 <= min(seen_ms) <= max(seen_ms) < START_MS + 6987


def test_a_changed_byte_of_a_copied_frame_is_named_exactly(case: Case) -> None:
    """With the recording's own."""
    part = case.proof["copied"][1]
    case.flip(case.clip, part["offset"] + 1000)
    (changed,) = case.changes()
    assert changed["subject"] == "copied bytes"
    assert changed["range"] == {"offset": part["offset"] + 1000, "length": 1}
    assert changed["source"] == part["source"]
    assert changed["sourceRange"] == {"offset": part["sourceOffset"] + 1000, "length": 1}
    (frames,) = changed["frames"]
    assert frames["count"] == 1
    # The second recording begins at 4 s.
    assert START_MS + 4000 <= frames["firstTimestampInMs"] < START_MS + 6987
    assert run("verify", case.clip).exit_code == 0  # Offline, that is not known.


def test_each_changed_byte_of_the_index_is_found(case: Case) -> None:
    """Wherever it is: the tables may become unreadable, or other ones."""
    length = case.proof["own"][0]["length"]
    data = case.clip.read_bytes()
    # It ends with the header of mdat, after whose name a size of 64 bits may follow.
    assert data[:length].rpartition(b"mdat")[2] in {b"", data[length - 8 : length]}
    for at in range(0, length, max(1, length // 40)):
        case.clip.write_bytes(data)
        case.flip(case.clip, at)
        done = run("verify", case.clip, "--json")
        found = json.loads(done.stdout)["findings"]
        changed = [each for each in found if each["judgement"] == "changed"]
        assert [each["range"] for each in changed] == [{"offset": 0, "length": length}]
        assert done.exit_code == 1


def test_a_changed_thumbnail_is_named(case: Case) -> None:
    """By its width."""
    case.flip(case.clip.with_name("c1_320.jpg"), 300)
    (changed,) = case.changes()
    assert changed["subject"] == "thumbnail"
    assert "320" in changed["text"]


def tamper(members: dict[str, Any]) -> None:
    members["report"]["cameraId"] = "../mole"


def remove_signature(members: dict[str, Any]) -> None:
    del members["signature"]


def add_member(members: dict[str, Any]) -> None:
    members["proof"]["remark"] = "added"


def change_signature(members: dict[str, Any]) -> None:
    value = members["signature"]["value"]
    members["signature"]["value"] = value[:10] + ("A" if value[10] != "A" else "B") + value[11:]


def change_instant(members: dict[str, Any]) -> None:
    members["proof"]["frames"][0]["firstTimestampInMs"] += 1


@pytest.mark.parametrize(
    "change", [tamper, remove_signature, add_member, change_signature, change_instant]
)
def test_a_changed_manifest_is_found_by_its_signature(
    case: Case, change: Callable[[dict[str, Any]], None]
) -> None:
    """Whatever was changed in it, or that it was removed."""
    members = json.loads(case.manifest.read_text())
    case.manifest.write_text(json.dumps(members))  # The form does not matter.
    assert case.changes("--public-key", case.key()) == []
    change(members)
    case.manifest.write_text(json.dumps(members))
    changed = case.changes("--public-key", case.key())
    assert "signature" in {each["subject"] for each in changed}


def test_another_key_is_not_this_one(case: Case) -> None:
    """Both are named."""
    (changed,) = case.changes("--public-key", case.key(OTHER_KEY))
    assert changed["subject"] == "signature"


def test_a_swapped_clip_is_found(case: Case) -> None:
    """One of the same camera, with its own manifest or with the other's."""
    window = ("--from", START_MS + 500, "--to", START_MS + 6000)
    done = run("cut", "--root", case.root, "--camera", "pier", "--id", "c2", *window)
    assert done.exit_code == 0, done.output
    other = case.clip.with_name("c2.mp4")
    shutil.copy2(other, case.clip)
    assert {each["subject"] for each in case.changes()} >= {"own bytes", "size"}
    shutil.copy2(other.with_suffix(".json"), case.manifest)
    for width in (160, 320):
        shutil.copy2(case.clip.with_name(f"c2_{width}.jpg"), case.clip.with_name(f"c1_{width}.jpg"))
    (changed,) = case.changes("--public-key", case.key())
    assert changed["subject"] == "manifest"
    assert "pier/c2" in changed["text"]


def test_a_replaced_recording_is_named(case: Case) -> None:
    """The clip itself is as it was."""
    name = next(iter(FILES))
    path = case.root / "recordings/pier" / name
    path.write_bytes(path.read_bytes() + bytes(8))
    (changed,) = case.changes()
    assert (changed["subject"], changed["source"]) == ("source", name)
    path.write_bytes(b"no recording")
    (changed,) = case.changes()
    assert (changed["subject"], changed["source"]) == ("source", name)
    path.unlink()
    assert case.changes() == []


def test_a_clip_from_before_proofs_says_so(case: Case) -> None:
    """With an exit code of its own: that is no fault of the clip."""
    members = json.loads(case.manifest.read_text())
    del members["proof"]
    case.manifest.write_text(json.dumps(members))
    done = run("verify", case.clip)
    assert done.exit_code == 4
    assert "has no proof" in done.output
    case.manifest.unlink()
    assert run("verify", case.clip).exit_code == 4


def test_what_is_no_clip_or_no_key_is_refused(case: Case) -> None:
    """With what to pass instead."""
    assert run("verify", case.root / "none.mp4").exit_code == 2
    assert run("verify", "pier/none", "--root", case.root).exit_code == 4
    assert run("verify", "pier/../c1", "--root", case.root).exit_code == 2
    assert run("verify", "pier/c1", "--root", case.root, "--manifest", "x").exit_code == 2
    case.manifest.write_text("{")
    assert run("verify", case.clip).exit_code == 1
    key = case.root / "key"
    key.write_text(SIGNING_KEY)
    refused = run("verify", case.clip, "--public-key", key)
    assert refused.exit_code == 2
    assert SIGNING_KEY[30:60] not in refused.output
