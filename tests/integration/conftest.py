"""What the adapters' own tests share with the contract suites."""

from tests.contract.conftest import aws, footages, http_cameras

__all__ = ["aws", "footages", "http_cameras"]
