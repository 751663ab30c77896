"""What can be wrong with an MP4, sorted by what happens next.

InvalidMp4        the file lies, is hostile, or uses what is not supported: reading again won't help
└── NoMoov    the file is empty, cut off or has no index yet: a recording still being written
"""


class InvalidMp4(Exception):
    """A table lies, is hostile or unsupported; the message is a sentence for people."""


class NoMoov(InvalidMp4):
    """The file has no whole index yet: empty, cut off, or still being written."""
