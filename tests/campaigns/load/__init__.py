"""Viewers of a week of recordings at once: `python -m tests.campaigns.load`.

A search for requests that are refused or fail. How long they take is printed, and no verdict: a
slow machine is no fault.
"""
