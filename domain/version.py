"""The version of camclip. A release changes it here and in pyproject.toml."""

VERSION = "0.1.0"
