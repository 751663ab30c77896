"""What can be wrong with an MP4, sorted by what happens next.

InvalidMp4    the file contradicts itself, is hostile, or unsupported: reading again won't help
└── NoMoov    the file is empty, cut off or has no index yet: a recording still being written
"""


class InvalidMp4(Exception):
    """The file contradicts itself, is hostile or unsupported; the message is for people."""


class NoMoov(InvalidMp4):
    """The file has no complete index yet: empty, cut off, or still being written."""
