"""Puts a clip together from copied and encoded samples, and verifies it."""
