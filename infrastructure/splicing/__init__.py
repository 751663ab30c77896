"""Plans a clip's tracks sample by sample: which are copied, which are encoded, and where they go.

Its only I/O is `Recording.read`: nothing here opens a file or starts a thread or a process.
"""
