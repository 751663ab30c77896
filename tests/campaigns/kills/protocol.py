"""The two kinds of lines with which the function's process answers; all others are its log."""

READY = "@ready "
ANSWER = "@answer "
