"""Policy evaluation as in IAM (IAM user guide, "Policy evaluation logic"), as far as ours needs it.

Access needs a statement that allows it, and none that denies it. `*` and `?` in actions and
resources match any characters and any one character; actions ignore case.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attrs import frozen


@frozen(order=True)
class Access:
    """An action on a resource."""

    action: str
    arn: str


def allows(statements: Iterable[Mapping[str, Any]], access: Access) -> bool:
    """Return whether the statements of a role allow the access."""
    effects = {s["Effect"] for s in statements if matches(s, access)}
    return effects == {"Allow"}


def matches(statement: Mapping[str, Any], access: Access) -> bool:
    """Return whether the statement applies; it must have no conditions or exceptions."""
    assert set(statement) <= {"Sid", "Effect", "Action", "Resource"}, statement
    return any(_like(p, access.action, re.IGNORECASE) for p in actions(statement)) and any(
        _like(p, access.arn) for p in resources(statement)
    )


def actions(statement: Mapping[str, Any]) -> Sequence[str]:
    return _some(statement["Action"])


def resources(statement: Mapping[str, Any]) -> Sequence[str]:
    return _some(statement["Resource"])


def _some(value: str | Sequence[str]) -> Sequence[str]:
    return [value] if isinstance(value, str) else value


def _like(pattern: str, text: str, flags: int = 0) -> bool:
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return bool(re.fullmatch(expression, text, flags | re.DOTALL))
