"""Ed25519 signatures of manifests (RFC 8032), by the library `cryptography`.

It is imported when there is a key: whoever has none does not wait for it.
"""

import base64
import hashlib
import re
from typing import TYPE_CHECKING, Any

from attrs import Factory, field, frozen

from domain.findings import Finding, Judgement, Subject
from domain.manifest import Signature

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )

ALGORITHM = "Ed25519"
KEY_ID_DIGITS = 32
PEM = re.compile(
    r"\s*-----BEGIN (?P<kind>[A-Z ]+)-----(?P<body>[A-Za-z0-9+/=\s]+)-----END (?P=kind)-----\s*"
)


@frozen
class ManifestSigner:
    """Signs with one private key."""

    key: "Ed25519PrivateKey" = field(repr=False, eq=False)
    key_id: str = Factory(lambda self: key_id(self.key.public_key()), takes_self=True)

    def __call__(self, data: bytes) -> Signature:
        """Return the signature of `data`."""
        value = base64.b64encode(self.key.sign(data)).decode()
        return Signature(ALGORITHM, self.key_id, value)


def signer_of(pem: str) -> ManifestSigner:
    """Return the signer of an Ed25519 private key in PEM (PKCS 8, not encrypted); else ValueError.

    Its line ends may be written as a backslash and an n, or be spaces, as in environment variables.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

    key = _load(pem, lambda data: load_pem_private_key(data, None))
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError("must be an Ed25519 private key in PEM, not encrypted")  # noqa: TRY004 - a setting
    return ManifestSigner(key)


def public_key_of(pem: str) -> "Ed25519PublicKey":
    """Return an Ed25519 public key in PEM; ValueError if it is none."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_public_key  # noqa: PLC0415

    key = _load(pem, load_pem_public_key)
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError("must be an Ed25519 public key in PEM")  # noqa: TRY004 - an option
    return key


def key_id(key: "Ed25519PublicKey") -> str:
    """Return the first half of the SHA-256 of a public key's 32 bytes."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:KEY_ID_DIGITS]


def is_signature(signature: Signature, data: bytes, key: "Ed25519PublicKey") -> bool:
    """Return whether it is the key's signature of `data`."""
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415

    if signature.algorithm != ALGORITHM:
        return False
    try:
        key.verify(base64.b64decode(signature.value, validate=True), data)
    except (InvalidSignature, ValueError):  # it is no base64
        return False
    return True


def _load(pem: str, load: Any) -> object:  # noqa: ANN401 - one of the library's functions
    """Load a key; None if it is none."""
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415

    found = PEM.fullmatch(pem.replace("\\n", "\n"))
    if not found:
        return None
    kind, body = found["kind"], "".join(found["body"].split())
    lines = "\n".join(body[at : at + 64] for at in range(0, len(body), 64))
    try:
        key: object = load(f"-----BEGIN {kind}-----\n{lines}\n-----END {kind}-----\n".encode())
    except (ValueError, TypeError, UnsupportedAlgorithm):  # TypeError: it is encrypted
        return None
    return key


def signature_finding(
    signature: Signature | None, data: bytes, key: "Ed25519PublicKey | None"
) -> Finding:
    """Return whether a manifest, whose signed bytes are `data`, is signed by the key, if any.

    Without a signature that is a change only if there is a key: it was removed.
    """
    subject = Subject.SIGNATURE
    if signature is None:
        text = "The manifest is not signed: who wrote it is not known."
        judgement = Judgement.CHANGED if key else Judgement.UNKNOWN
        return Finding(subject, judgement, text)
    signer = f"the {signature.algorithm} key {signature.key_id}"
    if key is None:
        text = f"The manifest is signed by {signer}: pass --public-key to check that."
        return Finding(subject, Judgement.UNKNOWN, text)
    if signature.key_id != key_id(key):
        text = f"The manifest is signed by {signer}, and not by {key_id(key)}."
        return Finding(subject, Judgement.CHANGED, text)
    if not is_signature(signature, data, key):
        text = f"The manifest, or its signature by {signer}, was changed."
        return Finding(subject, Judgement.CHANGED, text)
    return Finding(subject, Judgement.INTACT, f"The manifest is as {signer} signed it.")
