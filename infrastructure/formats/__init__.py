"""JSON, object keys and object metadata <-> domain. Pure: input is not trusted, output is read back."""
