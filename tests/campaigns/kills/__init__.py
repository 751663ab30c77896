"""The Lambda function as a process of its own, killed while it works.

`python -m tests.campaigns.kills` kills it at 5 named and 20 random points.
"""
