"""The Lambda function as a process of its own, killed while it works.

`python -m tests.campaigns.kills` kills it at every named point and at 20 random ones.
"""
