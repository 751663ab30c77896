"""The camelCase keys that messages, reports and manifests share."""

START = "startTimestampInMs"


END = "endTimestampInMs"


OTHER_KEYS = {
    "start_ms": START,
    "end_ms": END,
    "retries_ms": "retryTimestamps",
    "media": "footage",
    "seen_ms": "seenTimestampInMs",
    "size_bytes": "sizeInBytes",
}


def key_of(field: str) -> str:
    """Name the JSON key of a field: `clip_id` is clipId, `duration_ms` is durationInMs."""
    head, *rest = field.replace("_ms", "_in_ms").split("_")
    return OTHER_KEYS.get(field) or head + "".join(map(str.capitalize, rest))
