"""The evidence that is committed with a clip."""

import base64
import zlib

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from domain.manifest import Evidence
from infrastructure.formats import evidence
from infrastructure.formats.evidence import evidence_text, read_evidence
from tests.golden import cases
from tests.unit.formats.values import PROOFS, SOURCES, UNHURRIED


@UNHURRIED
@given(st.builds(Evidence, SOURCES, st.none() | PROOFS))
def test_it_is_read_back_and_fits_a_header(value: Evidence) -> None:
    """Whatever the names of recordings hold."""
    text = evidence_text(value)
    assert text.isascii()
    assert text.isprintable()
    assert " " not in text
    assert read_evidence(text) == value


def test_what_a_newer_version_adds_is_ignored() -> None:
    """As in all that versions write for each other."""
    inflated = zlib.decompress(base64.b64decode(evidence_text(cases.EVIDENCE)))
    newer = inflated.replace(b'"own":', b'"added":[1],"own":', 1)
    text = base64.b64encode(zlib.compress(newer)).decode()
    assert newer != inflated
    assert read_evidence(text) == cases.EVIDENCE


def packed(data: bytes) -> str:
    return base64.b64encode(zlib.compress(data)).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no base64",
        "AAAA",
        evidence_text(cases.EVIDENCE)[:-8],
        packed(b"[]"),
        packed(b"{}x"),
        packed(b'{"sources":[{"name":1}]}'),
        packed(b'{"proof":{"own":[{"offset":"0"}]}}'),
        packed(b"\xff"),
        packed(b"[" * 100_000),
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    """The clip then is not the service's own."""
    with pytest.raises(ValueError, match="no evidence"):
        read_evidence(text)


def test_a_text_that_would_fill_the_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few KB may be a thousand times as much."""
    monkeypatch.setattr(evidence, "MAX_JSON_BYTES", 2000)
    assert read_evidence(evidence_text(cases.EVIDENCE)) == cases.EVIDENCE
    long = evolve(cases.EVIDENCE, sources=cases.EVIDENCE.sources * 100)
    with pytest.raises(ValueError, match="no evidence"):
        read_evidence(evidence_text(long))
