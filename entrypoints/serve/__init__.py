"""`camclip serve`: an HTTP API on recordings, and what makes its clips, or awaits them.

::

    command      the command line: what is served, and where
    server       listens, and ends in order
    application  the table of routes, inside the guard; puts a folder or AWS behind them
    guard        which requests are answered at all: host, origin, token, rate; headers of answers
    parameters   untrusted queries and bodies <-> values
    problems     errors as application/problem+json, each with a remedy
    pages        the pages for people, and their files in static/ and templates/
    cameras      cameras, and the footage of one
    frames       when frames were seen, and pictures of them
    plans        what a request would become
    clips        requests for clips, and how they end
    files        the clips' bytes and thumbnails
    evidence     a clip's manifest, and its clock
    sidecars     what is stored next to a clip: contact sheet, sprite, wall clock
    clip_pages   pages for people: the history, and one for each clip
    events       what happens to clips, as it happens

    ports           what these routes need of the place where recordings and clips are
    known_clip      how far a clip is
    found_footage   what opened recordings have of a window
    background      the thread of the maker, and of the one that watches in AWS

    folder_cameras  a folder's cameras
    folder_files    a folder's files of clips
    known_clips     what is known of a clip, from the queue, the manifests and the maker
    maker           makes the queue's clips

    aws             the same of the service in AWS

On a folder, a request goes to its queue before it is answered, and the maker handles the queue by
the use case, as `camclip run` does: a restart loses nothing. `openapi.json` describes the API.

The pages' scripts are ES modules that browsers run as they are. `start.js` wires the page of
footage: `state.js` is what it shows, `actions.js` what keys and buttons do, `*_view.js` and
`drawing.js` show it. Decisions are pure functions (`geometry.js`, `ticks.js`, `tiles.js`,
`typed.js`, `view_state.js`, `zones.js`), which node tests.
"""
