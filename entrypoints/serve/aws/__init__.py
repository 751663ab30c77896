"""What `camclip serve --aws` serves: the service in AWS (docs/decisions/0027).

::

    cameras      cameras and footage by the camera API, or by the list of the recordings' bucket
    clips        requests to the queue, states from manifests and from what was sent from here
    awaited      when a clip without a manifest is looked for again, and what is reported of it
    watcher      the thread that looks for the manifests of clips that are awaited
    files        links to clips and thumbnails, which expire

Nothing is made here: the function or a worker handles the queue.
"""
