"""What a clip's manifest proves, in words."""

from collections.abc import Iterator

from domain.manifest import Manifest, Source
from domain.proof import COPIED
from entrypoints.cli.clip_page.view import Fact

MAX_RANGES = 3
"""So many ranges of a recording are shown; the manifest has all."""
MAX_HASHES = 4
"""The same of our own parts."""


def copied_text(source: Source) -> str:
    """Return which bytes of a recording are in the clip."""
    if not source.ranges:
        return "none: what the clip has of it is among the bytes written by camclip"
    total = sum(each.length for each in source.ranges)
    of = f" of {source.size_bytes:,}" if source.size_bytes else ""
    shown = ", ".join(f"{r.offset:,} to {r.end - 1:,}" for r in source.ranges[:MAX_RANGES])
    more = len(source.ranges) - MAX_RANGES
    return f"{total:,}{of}: {shown}{f' and {more} more ranges' if more > 0 else ''}"


def proof_facts(manifest: Manifest) -> Iterator[Fact]:
    """Yield what the proof says; nothing if there is none."""
    proof = manifest.proof
    if proof is None:
        return
    copied = sum(run.frames for run in proof.frames if run.origin == COPIED)
    encoded = proof.frame_count - copied
    yield Fact("Frames", f"{copied:,} are the recordings' own, {encoded:,} were encoded")
    own, theirs = (sum(p.length for p in parts) for parts in (proof.own, proof.copied))
    yield Fact("Bytes", f"{theirs:,} are ranges of the recordings, {own:,} were written by camclip")
    hashes = [part.sha256 for part in proof.own]
    for number, each in enumerate(hashes[:MAX_HASHES], 1):
        yield Fact(f"SHA-256 of part {number}", each)
    if more := len(hashes[MAX_HASHES:]):
        yield Fact("SHA-256", f"{more} more are in the manifest")
    tools = ", ".join(f"{tool.name} {tool.version}" for tool in proof.tools)
    yield Fact("Made with", tools or "unknown")
    yield Fact("Signed", _signed_text(manifest))


def _signed_text(manifest: Manifest) -> str:
    signature = manifest.signature
    if signature:
        return f"by the {signature.algorithm} key {signature.key_id}"
    return (
        "no: whoever can write clips could replace this one and its manifest alike."
        " Set PROOF_KEY to sign manifests."
    )
