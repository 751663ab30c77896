"""JSON, object keys and object metadata <-> domain.

Pure: input is not trusted, and output can be read back.
"""
