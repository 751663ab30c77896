"""The parts that pages about clips are made of: templates, style sheets and scripts."""

import base64
import json
import re
from datetime import UTC, datetime, timedelta, tzinfo
from importlib.resources import files
from pathlib import Path

from attrs import frozen
from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from entrypoints.cli.clip_page.proof_text import copied_text, proof_facts
from entrypoints.cli.clip_page.view import (
    facts_of,
    findings_of,
    remarks_of,
    remedy_of,
    status_class,
    status_text,
)
from entrypoints.cli.times import EPOCH, clock, iso_utc, utc
from entrypoints.cli.units import seconds, size

SERVED = Path(str(files("entrypoints.serve")))
"""The server's files: named, not imported, because the server imports the commands."""
STATIC = SERVED / "static"
BARE = "camclip/"
"""Names of modules begin with it where they are not addresses."""
IMPORT = re.compile(r'(?m)^(import [^"]* from )"\./([a-z_]+\.js)";$')


@frozen
class Thumbnail:
    """A picture of a clip."""

    width: int
    url: str
    size_bytes: int

    @classmethod
    def of(cls, path: Path, url: str) -> "Thumbnail":
        """Return the thumbnail in a file that is named `<clip id>_<width>`."""
        return cls(int(path.stem.rpartition("_")[2]), url, path.stat().st_size)


def environment(zone: tzinfo, *folders: Path) -> Environment:
    """Return the templates of these folders and the server's; instants are shown in `zone`."""
    loaders = [FileSystemLoader(folder) for folder in (*folders, SERVED / "templates")]
    found = Environment(
        loader=ChoiceLoader(loaders),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.globals |= {
        "facts_of": facts_of,
        "findings_of": findings_of,
        "modules": modules,
        "copied_text": copied_text,
        "proof_facts": proof_facts,
        "remarks_of": remarks_of,
        "remedy_of": remedy_of,
        "status_class": status_class,
        "status_text": status_text,
        "zone": str(zone),
    }
    found.filters |= {
        "clock": clock,
        "file_size": size,
        "highlighted_json": highlighted_json,
        "instant": lambda instant_ms: instant(instant_ms, zone),
        "seconds": seconds,
        "utc": utc,
    }
    return found


def instant(instant_ms: int, zone: tzinfo) -> Markup:
    """Return the element that shows an instant; scripts show it in another zone."""
    return Markup('<time datetime="{}" data-instant="{}">{}</time>').format(
        iso_utc(instant_ms), instant_ms, in_zone(instant_ms, zone)
    )


def in_zone(instant_ms: int, zone: tzinfo) -> str:
    """Format an instant as 2026-05-01 14:00:10.250 +02:00, as `formatInstant` of zones.js does."""
    try:
        local = (EPOCH + timedelta(milliseconds=instant_ms)).astimezone(zone)
    except OverflowError:
        return utc(instant_ms)
    return f"{local:%Y-%m-%d %H:%M:%S}.{instant_ms % 1000:03d} {_offset(local)}"


def _offset(local: datetime) -> str:
    """Format an offset as +02:00; UTC itself, and no other zone with its offset, as UTC."""
    if local.tzinfo is UTC or str(local.tzinfo) == "UTC":
        return "UTC"
    text = f"{local:%z}"
    return f"{text[:3]}:{text[3:5]}"


def highlighted_json(body: object) -> Markup:
    """Return indented JSON with bold keys, and lists of numbers on one line."""
    text = str(escape(json.dumps(body, indent=2)))
    text = re.sub(r"\[([\d,\s]+)\]", lambda found: "[" + " ".join(found[1].split()) + "]", text)
    return Markup(re.sub(r"(?m)^( *)(&#34;\w+&#34;):", r"\1<b>\2</b>:", text))  # noqa: S704 - escaped


def style_sheet(*names: str) -> Markup:
    """Return the server's style sheets as one, for a page without a server."""
    return Markup("\n".join(_read(STATIC / name) for name in names))  # noqa: S704 - our own files


def script(path: Path) -> Markup:
    """Return a module as a script of a page without a server; `import_map` has what it imports."""
    return Markup(_with_bare_names(path))  # noqa: S704 - our own file


def import_map(path: Path) -> dict[str, dict[str, str]]:
    """Return the import map for the script of a page without a server.

    Browsers load no module from a file next to a page: each is a data URL.
    """
    names = [name for each in _imported(path) for name in modules(each)]
    return {"imports": {f"{BARE}{name}": _data_url(STATIC / name) for name in dict.fromkeys(names)}}


def modules(name: str) -> list[str]:
    """Return a module's name and those of all that it needs, which browsers fetch at once."""
    needed = [name]
    for each in needed:
        needed += [other for other in _imported(STATIC / each) if other not in needed]
    return needed


def _imported(path: Path) -> list[str]:
    return [name for _, name in IMPORT.findall(_read(path))]


def _with_bare_names(path: Path) -> str:
    return IMPORT.sub(rf'\1"{BARE}\2";', _read(path))


def _data_url(path: Path) -> str:
    data = base64.b64encode(_with_bare_names(path).encode()).decode()
    return f"data:text/javascript;base64,{data}"


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")
