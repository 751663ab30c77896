"""What the doctor found."""

import re
from typing import Any

from attrs import field, frozen
from botocore.exceptions import ClientError

from domain.errors import ClipError

DENIED = {"403", "AccessDenied", "AccessDeniedException", "AuthorizationError", "Forbidden"}
ABSENT = {
    *("404", "NoSuchBucket", "NotFound", "QueueDoesNotExist"),
    "AWS.SimpleQueueService.NonExistentQueue",
}
UNKNOWN_CALLER = {
    "400",  # all that S3 says of an expired token in answer to a HEAD
    *("ExpiredToken", "ExpiredTokenException", "InvalidAccessKeyId", "InvalidClientTokenId"),
    *("InvalidToken", "SignatureDoesNotMatch", "UnrecognizedClientException"),
    *("NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError"),
    *("TokenRetrievalError", "UnauthorizedSSOTokenError", "SSOTokenLoadError", "ProfileNotFound"),
}
NO_WAY = {
    *("EndpointConnectionError", "ConnectTimeoutError", "ReadTimeoutError", "DeadlineExceeded"),
    *("NoRegionError", "ProxyConnectionError", "SSLError", "ConnectionClosedError"),
}


def without_secrets(text: str) -> str:
    """Take names and passwords, and queries, out of the addresses in `text`."""
    text = re.sub(r"://[^/@\s'\"]*@", "://...@", text)
    return re.sub(r"\?[^\s'\"]+", "?...", text)


@frozen
class Finding:
    """One thing looked at: `ok`, at fault, or (None) not judged. Holds no secret."""

    name: str
    ok: bool | None
    said: str = field(converter=without_secrets)
    mend: str = ""
    """What to do about it; of what is ok, what would be better still."""

    @property
    def word(self) -> str:
        """The judgement in a word."""
        return {True: "ok", False: "fault", None: "skipped"}[self.ok]

    def as_json(self) -> dict[str, Any]:
        """Return it as it is printed by --json."""
        return {"name": self.name, "finding": self.word, "said": self.said, "mend": self.mend}


def failed(name: str, error: ClipError, permission: str, place: str, *, ours: bool) -> Finding:
    """Say that a call came to nothing: it needs `permission`, and `place` says whom it asked.

    If the permission is only `ours`, its lack is no fault of the service: nothing is judged.
    """
    code = code_of(error)
    if ours and code in DENIED:
        mend = f"Allow {permission} to who asks; the service itself does not need it."
        return Finding(name, None, str(error), mend)
    return Finding(name, False, str(error), fix_for(code, permission, place))


def code_of(error: ClipError) -> str:
    """Return the service's own code, or the name of what the library raised."""
    cause = error.__cause__
    if not isinstance(cause, ClientError):
        return type(cause or error).__name__
    code = str(cause.response.get("Error", {}).get("Code", ""))
    status = str(cause.response.get("ResponseMetadata", {}).get("HTTPStatusCode", ""))
    # A service may have a word of its own for what the status says plainly.
    known = code in DENIED | ABSENT | UNKNOWN_CALLER
    return status if status in DENIED | ABSENT and not known else code


def fix_for(code: str, permission: str, place: str) -> str:
    """Say how to mend a call that was answered with `code`."""
    if code in DENIED:
        owner = f" {place}_OWNER, if set, must name the owner." if "BUCKET" in place else ""
        return f"Allow {permission} to who asks, here and in the function's role.{owner}"
    if code in ABSENT:
        return f"Create it, or put {place} right; it must be in the region of the credentials."
    if code in UNKNOWN_CALLER:
        return "Give valid AWS credentials: `aws sts get-caller-identity` must answer."
    if code in NO_WAY:
        return "See to AWS_DEFAULT_REGION, AWS_ENDPOINT_URL, the network and its proxies."
    return f"See to {place}, and try again."


def is_hopeless(finding: Finding) -> bool:
    """Tell whether every other call to AWS would come to the same."""
    return finding.ok is False and finding.mend in {
        fix_for("ExpiredToken", "", ""),
        fix_for("NoRegionError", "", ""),
    }
