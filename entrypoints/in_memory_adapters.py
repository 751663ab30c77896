"""The adapters in memory, made by functions that import them: no command needs them."""
# ruff: noqa: PLC0415 - imports at the first use

from application.ports import (
    CameraService,
    ClipStore,
    Notifier,
    RecordingStore,
    RetryQueue,
    Transcoder,
)


def cameras() -> CameraService:
    """Return cameras without recordings."""
    from infrastructure.in_memory import InMemoryCameraService

    return InMemoryCameraService()


def recordings() -> RecordingStore:
    """Return a store of no recordings."""
    from infrastructure.in_memory import InMemoryRecordingStore

    return InMemoryRecordingStore()


def transcoder() -> Transcoder:
    """Return a transcoder that makes up its clips."""
    from infrastructure.in_memory import InMemoryTranscoder

    return InMemoryTranscoder()


def clips() -> ClipStore:
    """Return a store without clips."""
    from infrastructure.in_memory import InMemoryClipStore

    return InMemoryClipStore()


def queue() -> RetryQueue:
    """Return an empty queue."""
    from infrastructure.in_memory import InMemoryRetryQueue

    return InMemoryRetryQueue()


def notifier() -> Notifier:
    """Return a topic without subscribers."""
    from infrastructure.in_memory import InMemoryNotifier

    return InMemoryNotifier()
