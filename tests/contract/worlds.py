"""The worlds that adapters live in: verbs to arrange them, and to see what an adapter did there."""

from tests.contract.filesystem import (
    FolderCameraWorld,
    FolderClipWorld,
    FolderNotifierWorld,
    FolderQueueWorld,
    FolderRecordingWorld,
)
from tests.contract.in_memory import (
    InMemoryCameraWorld,
    InMemoryClipWorld,
    InMemoryNotifierWorld,
    InMemoryQueueWorld,
    InMemoryRecordingWorld,
)
from tests.contract.media import FORMAT, LENGTH_MS, START_MS, Footages, Media
from tests.contract.real import (
    BucketCameraWorld,
    HttpCameraWorld,
    S3ClipWorld,
    S3RecordingWorld,
    SnsNotifierWorld,
    SqsQueueWorld,
)

__all__ = ["FORMAT", "LENGTH_MS", "START_MS", "BucketCameraWorld", "Footages", "Media"]

CameraWorld = InMemoryCameraWorld | FolderCameraWorld | HttpCameraWorld | BucketCameraWorld
StatusWorld = InMemoryCameraWorld | FolderCameraWorld | HttpCameraWorld
"""Worlds that know cameras without recordings, when recordings end, and clips."""
RecordingWorld = InMemoryRecordingWorld | FolderRecordingWorld | S3RecordingWorld
ClipWorld = InMemoryClipWorld | FolderClipWorld | S3ClipWorld
QueueWorld = InMemoryQueueWorld | FolderQueueWorld | SqsQueueWorld
NotifierWorld = InMemoryNotifierWorld | FolderNotifierWorld | SnsNotifierWorld
