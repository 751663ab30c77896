"""Pages for people about clips: the history, and one for each clip."""

import json
from collections.abc import Sequence
from datetime import tzinfo

from attrs import Factory, frozen
from jinja2 import Environment
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from domain.clip import DELETED, ClipName, ClipReport
from domain.clip_label import ClipLabel
from domain.window import TimeWindow
from entrypoints.cli.clip_page.templates import Thumbnail, environment
from entrypoints.serve.answers import HtmlAnswer
from entrypoints.serve.clips import MAX_LISTED, USUALLY_LISTED, address_of
from entrypoints.serve.known_clip import KnownClip, Phase
from entrypoints.serve.parameters import camera_id_in, clip_name_in, identifier, query, whole
from entrypoints.serve.ports import ClipFiles, Clips, ListedFiles
from entrypoints.serve.problems import DELETED as DELETED_PROBLEM
from entrypoints.serve.problems import UNKNOWN_CLIP
from infrastructure.formats.manifests import manifest_json

MAX_SHOWN_MANIFEST_BYTES = 20_000
"""A longer manifest is linked, so that the page stays small."""
MIN_POSTER_WIDTH = 300
HERE = "clips"
"""The entry of the pages' menu."""


@frozen
class Row:
    """A clip of the history."""

    known: KnownClip
    files: ListedFiles


@frozen
class ClipPageRoutes:
    """The pages' addresses."""

    known: Clips
    files: ClipFiles
    zone: tzinfo
    templates: Environment = Factory(lambda self: environment(self.zone), takes_self=True)

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/clips", self.history, methods=["GET"]),
            Route("/clips/{camera:identifier}", self.of_camera, methods=["GET"]),
            Route("/clips/{camera:identifier}/{clip:identifier}", self.clip, methods=["GET"]),
        ]

    async def history(self, request: Request) -> Response:
        """Answer with the page of all clips, the newest first; an empty camera is any."""
        given = {name: text for name, text in query(request, ("camera", "limit")).items() if text}
        camera_id = identifier(given, "camera")
        limit = whole(given, "limit", 1, MAX_LISTED, USUALLY_LISTED)
        return await run_in_threadpool(self._history, camera_id, limit)

    def of_camera(self, request: Request) -> Response:
        """Answer with the address of the list of a camera's clips."""
        query(request, ())
        return RedirectResponse(f"/clips?camera={camera_id_in(request)}")

    async def clip(self, request: Request) -> Response:
        """Answer with the page of a clip, however far it is."""
        query(request, ())
        return await run_in_threadpool(self._clip, clip_name_in(request))

    def _history(self, camera_id: str | None, limit: int) -> Response:
        found = self.known.newest(camera_id, limit)
        is_more = sum(known.phase is Phase.DONE for known in found) >= limit < MAX_LISTED
        return self._page(
            "clips.html.jinja",
            rows=[self._row(known) for known in found],
            camera=camera_id,
            cameras=sorted(self.known.camera_ids | {known.name.camera_id for known in found}),
            more=min(4 * limit, MAX_LISTED) if is_more else None,
        )

    def _row(self, known: KnownClip) -> Row:
        files = self.files.listed(known.name) if known.report.has_clip else ListedFiles()
        return Row(known, files)

    def _clip(self, name: ClipName) -> Response:
        known = self.known.find(name)
        if known is None or known.report.status == DELETED:
            problem = DELETED_PROBLEM if known else UNKNOWN_CLIP
            again = cut_again(known.report) if known else ""
            return self._page(
                "clip_missing.html.jinja", problem.status, problem=problem, name=name, again=again
            )
        manifest = self.known.manifest(name) if known.phase is Phase.DONE else None
        text = manifest_json(manifest) if manifest else ""
        thumbnails = self.files.thumbnails(name) if known.report.has_clip else []
        poster = thumbnail_from(thumbnails, MIN_POSTER_WIDTH)
        return self._page(
            "clip.html.jinja",
            known=known,
            title=self._title(known),
            api=address_of(name),
            again=cut_again(known.report),
            members=self.known.members(known),
            manifest=manifest,
            manifest_members=json.loads(text) if 0 < len(text) < MAX_SHOWN_MANIFEST_BYTES else None,
            media=manifest.media if manifest else None,
            thumbnails=thumbnails,
            sidecars=known.report.sidecars,
            poster=poster.url if poster else "",
            has_file=known.report.has_clip and self.files.has(name),
        )

    def _title(self, known: KnownClip) -> str:
        report = known.report
        if report.start_ms is None or report.end_ms is None:
            return f"{known.name.camera_id} {known.name.clip_id}"
        window = TimeWindow(report.start_ms, report.end_ms)
        return ClipLabel(known.name, window, self.zone).title

    def _page(self, template: str, status: int = 200, **values: object) -> Response:
        page = self.templates.get_template(template).render(
            here=HERE, abilities=self.known.abilities, **values
        )
        return HtmlAnswer(page, status)


def thumbnail_from(found: Sequence[Thumbnail], min_width: int) -> Thumbnail | None:
    """Return the smallest thumbnail of that width or more, else the widest, else None."""
    wide = (each for each in found if each.width >= min_width)
    return next(wide, found[-1] if found else None)


def cut_again(report: ClipReport) -> str:
    """Return the address at which other ends of a clip's window can be chosen."""
    if report.start_ms is None or report.end_ms is None:
        return f"/?camera={report.camera_id}"
    return f"/?camera={report.camera_id}&from={report.start_ms}&to={report.end_ms}"
