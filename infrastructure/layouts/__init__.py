"""Where recorders put their files: patterns of paths, pure, for folders and buckets alike.

``pattern`` reads a pattern and matches paths with it, ``pruning`` computes which folders and names
can hold a window, ``key_ranges`` which keys of a bucket, ``clock_changes`` turns local times into
instants, ``camera_files`` limits how long each file may be, ``presets`` are the layouts of known
recorders, ``guessing`` chooses among them, ``bucket_layout`` reads which one a bucket has,
``camera_ids`` gives cameras of any name an id, and ``configuration`` reads `camclip.toml`.
"""
