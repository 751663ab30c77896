"""Recordings listed in S3 and read by byte ranges, and clips assembled and stored there."""

from infrastructure.s3.cameras import S3CameraService
from infrastructure.s3.clips import S3ClipStore
from infrastructure.s3.listing import BucketFolder
from infrastructure.s3.new_objects import NewObjects
from infrastructure.s3.owners import expect_owners
from infrastructure.s3.recordings import S3Recording, S3RecordingStore
from infrastructure.s3.requester_pays import pay_for_requests

__all__ = [
    "BucketFolder",
    "NewObjects",
    "S3CameraService",
    "S3ClipStore",
    "S3Recording",
    "S3RecordingStore",
    "expect_owners",
    "pay_for_requests",
]
