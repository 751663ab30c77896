"""The doctor's findings."""

import re
from collections.abc import Sequence
from typing import Any

from attrs import field, frozen
from botocore.exceptions import ClientError

from domain.errors import ClipError

DENIED = {"403", "AccessDenied", "AccessDeniedException", "AuthorizationError", "Forbidden"}
ABSENT = {
    *("404", "NoSuchBucket", "NotFound", "QueueDoesNotExist"),
    "AWS.SimpleQueueService.NonExistentQueue",
}
UNAUTHENTICATED = {
    "400",  # S3's whole answer to a HEAD with an expired token
    *("ExpiredToken", "ExpiredTokenException", "InvalidAccessKeyId", "InvalidClientTokenId"),
    *("InvalidToken", "SignatureDoesNotMatch", "UnrecognizedClientException"),
    *("NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError"),
    *("TokenRetrievalError", "UnauthorizedSSOTokenError", "SSOTokenLoadError", "ProfileNotFound"),
}
UNREACHABLE = {
    *("EndpointConnectionError", "ConnectTimeoutError", "ReadTimeoutError", "DeadlineExceeded"),
    *("NoRegionError", "ProxyConnectionError", "SSLError", "ConnectionClosedError"),
}


def without_secrets(text: str) -> str:
    """Return `text` without user names, passwords and queries in its addresses."""
    text = re.sub(r"://[^/@\s'\"]*@", "://...@", text)
    return re.sub(r"\?[^\s'\"]+", "?...", text)


@frozen
class Finding:
    """The result of a check: `ok`, a fault (False), or not judged (None). Holds no secret."""

    name: str
    ok: bool | None
    detail: str = field(converter=without_secrets)
    fix: str = ""
    """How to fix it; if it is ok, how to improve it."""
    settings: tuple[str, ...] = ()
    """Settings to copy, as `NAME=value`."""

    @property
    def word(self) -> str:
        """The verdict in one word."""
        return {True: "ok", False: "fault", None: "skipped"}[self.ok]

    def as_json(self) -> dict[str, Any]:
        """Return it as `--json` prints it."""
        row = {"name": self.name, "finding": self.word, "said": self.detail, "mend": self.fix}
        return {**row, "settings": list(self.settings)} if self.settings else row


def summary(findings: Sequence[Finding], unasked: Sequence[str]) -> str:
    """Return how many checks found a fault, and what was not checked, in a line for people."""
    checked = [finding for finding in findings if finding.ok is not None]
    faults = [finding for finding in checked if not finding.ok]
    skipped = dict.fromkeys(finding.name for finding in findings if finding.ok is None)
    result = f"{len(faults)} of {len(checked)} checks found a fault."
    if not faults:
        result = f"{len(checked)} checks, no fault."
    unchecked = ", ".join((*skipped, *unasked))
    return f"{result} Not checked: {unchecked}." if unchecked else result


def judged(name: str, ok: bool, detail: str, fix: str) -> Finding:  # noqa: FBT001 - the verdict
    """Return a finding that needs the fix only if it is not `ok`."""
    return Finding(name, ok, detail, "" if ok else fix)


def failure(
    name: str, error: ClipError, permission: str, setting: str, *, doctor_only: bool
) -> Finding:
    """Return the finding for a failed call, which needs `permission` on what `setting` names.

    If the permission is `doctor_only`, its lack is not a fault of the deployment.
    """
    code = code_of(error)
    if doctor_only and code in DENIED:
        fix = f"Allow {permission} to your own credentials; the service does not need it."
        return Finding(name, None, str(error), fix)
    return Finding(name, False, str(error), fix_for(code, permission, setting))


def code_of(error: ClipError) -> str:
    """Return the AWS error code, or the name of the library's error."""
    cause = error.__cause__
    if not isinstance(cause, ClientError):
        return type(cause or error).__name__
    code = str(cause.response.get("Error", {}).get("Code", ""))
    status = str(cause.response.get("ResponseMetadata", {}).get("HTTPStatusCode", ""))
    # Some stores have a code of their own for what the HTTP status says plainly.
    known = code in DENIED | ABSENT | UNAUTHENTICATED
    return status if status in DENIED | ABSENT and not known else code


def fix_for(code: str, permission: str, setting: str) -> str:
    """Return how to fix a call that failed with `code`."""
    if code in DENIED:
        owner = (
            f" If {setting}_OWNER is set, it must be the owner's." if "BUCKET" in setting else ""
        )
        return f"Allow {permission} to your own credentials and to the function's role.{owner}"
    if code in ABSENT:
        return f"Create it, or correct {setting}. It must be in the region of the credentials."
    if code in UNAUTHENTICATED:
        return "Provide valid AWS credentials: `aws sts get-caller-identity` must succeed."
    if code in UNREACHABLE:
        return "Check AWS_DEFAULT_REGION, AWS_ENDPOINT_URL, the network and its proxies."
    return f"Check {setting}, and try again."


def ends_all_checks(finding: Finding) -> bool:
    """Return whether every other call to AWS would fail too."""
    return finding.ok is False and finding.fix in {
        fix_for("ExpiredToken", "", ""),
        fix_for("NoRegionError", "", ""),
    }
