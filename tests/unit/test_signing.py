"""Keys, and the signatures of manifests."""

import base64

import pytest
from attrs import evolve

from domain.findings import Judgement
from infrastructure.signing import (
    is_signature,
    public_key_of,
    signature_finding,
    signer_of,
)
from tests.support.keys import OTHER_KEY, SIGNING_KEY, private_key, public_key

DATA = b'{"a":1}'
SIGNATURE = signer_of(SIGNING_KEY)(DATA)
KEY, OTHER = public_key_of(public_key(SIGNING_KEY)), public_key_of(public_key(OTHER_KEY))


def test_a_signature_is_that_of_the_standard() -> None:
    """RFC 8032, 7.1, test 2: a key, one byte, and the signature."""
    seed = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
    expected = (
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )
    made = signer_of(private_key(seed))(b"\x72")
    assert base64.b64decode(made.value).hex() == expected
    assert made.algorithm == "Ed25519"


@pytest.mark.parametrize(
    ("signature", "data"),
    [
        (SIGNATURE, b'{"a":2}'),
        (evolve(SIGNATURE, algorithm="none"), DATA),
        (evolve(SIGNATURE, value=""), DATA),
        (evolve(SIGNATURE, value="no base64"), DATA),
        (evolve(SIGNATURE, value="\u00e9"), DATA),
        (evolve(SIGNATURE, value=SIGNATURE.value[:-4]), DATA),
        (evolve(SIGNATURE, value=signer_of(OTHER_KEY)(DATA).value), DATA),
    ],
)
def test_no_other_signature_is_valid(signature: object, data: bytes) -> None:
    """Neither of other bytes, nor by another key, nor in another form."""
    assert is_signature(SIGNATURE, DATA, KEY)
    assert not is_signature(signature, data, KEY)  # type: ignore[arg-type]


def test_the_findings_say_who_signed_and_whether_that_was_checked() -> None:
    """A signature that is missing is a change only where one is required."""
    other = evolve(SIGNATURE, key_id=signer_of(OTHER_KEY).key_id)
    rows = [
        (None, None, Judgement.UNKNOWN, "not signed"),
        (None, KEY, Judgement.CHANGED, "not signed"),
        (SIGNATURE, None, Judgement.UNKNOWN, "--public-key"),
        (SIGNATURE, KEY, Judgement.INTACT, SIGNATURE.key_id),
        (SIGNATURE, OTHER, Judgement.CHANGED, "and not by"),
        (other, OTHER, Judgement.CHANGED, "was changed"),
    ]
    for signature, key, judgement, text in rows:
        found = signature_finding(signature, DATA, key)
        assert (found.judgement, text in found.text) == (judgement, True)


@pytest.mark.parametrize("text", ["", "words", SIGNING_KEY, public_key(SIGNING_KEY)[:-40]])
def test_what_is_no_public_key_is_refused(text: str) -> None:
    """A private one above all."""
    with pytest.raises(ValueError, match="Ed25519 public key"):
        public_key_of(text)
