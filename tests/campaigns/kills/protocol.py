"""The two kinds of lines by which the function's process answers; all others are its log."""

READY = "@ready "
ANSWER = "@answer "
