"""The service on a real Ceph RADOS Gateway, started for it from Debian's packages.

`python -m tests.campaigns.ceph` runs it, in a few minutes; docs/stores.md has what it found.
"""
