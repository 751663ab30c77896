"""Requests of every form to a running server: `python -m tests.campaigns.fuzz_api`.

schemathesis sends what the API's description allows and what it does not, also as sequences of
requests that build on each other's answers, and compares all answers with the description.
"""
