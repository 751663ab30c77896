"""The command line: `camclip`."""
