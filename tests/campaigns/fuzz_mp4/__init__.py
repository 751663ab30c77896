"""Mutated recordings: each is cut, or rejected with a clear error, in little time and memory."""
