"""Plans a clip's tracks sample by sample: which are copied, which are encoded, and where they go.

Pure: nothing here opens a file or starts a process. Bytes are read only through a recording.
"""
