"""Recordings read from S3 by ranges, and clips put together and stored there."""

from infrastructure.s3.clips import S3Clips
from infrastructure.s3.owners import expect_owners
from infrastructure.s3.recordings import S3Recording, S3Recordings

__all__ = ["S3Clips", "S3Recording", "S3Recordings", "expect_owners"]
