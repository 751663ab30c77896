"""What pages show of a clip: the server's, and the demo's report.

::

    clock      when each frame is shown, and when it was seen
    view       a clip's facts and findings, in words
    templates  the parts that both pages are made of; they, the style sheets and the scripts are
               the server's files (entrypoints/serve/templates and static)
"""
