"""From a view to HTML."""

import gzip
import hashlib
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import jinja2
import msgspec
from markupsafe import Markup

from app.web import texts
from app.web.curve import drawing
from app.web.state import RANK
from app.web.view import NODE_RANK, View
from vdx.settings import Settings

FOLDER: Final = Path(__file__).parent
STATIC: Final = FOLDER / "static"
STALE_INTERVALS: Final = 2.5
"""Age of the figures, in poll intervals, from which the page says that they are old."""

MOST_TROUBLES: Final = 6
"""Troubles that are shown; the rest unfolds."""

MOST_CHANGES: Final = 4


def digest(*contents: bytes) -> str:
    """A short name for some content."""
    return hashlib.blake2s(b"".join(contents), digest_size=8).hexdigest()


class Figures:
    """The part of the page that is renewed, as one poll made it."""

    def __init__(self, html: str, time: datetime | None) -> None:
        self.html = html
        self.time = time
        self.body = html.encode()
        self.version = digest(self.body)

    @cached_property
    def compressed(self) -> bytes:
        """The body in gzip, made once for all browsers."""
        return gzip.compress(self.body, compresslevel=5, mtime=0)


class Frame(msgspec.Struct, frozen=True):
    """What is around the figures of a page."""

    root: str
    """The way from the page to the root of the site: empty, or `../` and so on."""
    interval: float
    """Seconds within which the server tells each browser that it is there."""
    stale_seconds: float
    """Age from which figures are old."""
    footer: str
    data: str = ""
    """Where the figures are as data, from the page; empty where they are not."""


class Page:
    """Renders the page. `assets` names the version of what /static serves."""

    def __init__(self, settings: Settings) -> None:
        zone = ZoneInfo(settings.sla.time_zone)
        interval = settings.pexip.interval_seconds
        footer = texts.PAGE["polled_every"].format(seconds=interval, zone=settings.sla.time_zone)
        self._frame = Frame("", interval, STALE_INTERVALS * interval, footer, "api/snapshot")
        self.assets = digest(
            *(path.read_bytes() for path in sorted(STATIC.rglob("*")) if path.is_file()),
        )
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(FOLDER / "templates"),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=jinja2.StrictUndefined,
            auto_reload=False,
        )
        self._templates.filters |= {
            "number": texts.number,
            "percent": texts.percent,
            "key": lambda name: digest(name.encode()),
            "service": texts.service,
            "duration": texts.duration,
            "bits": texts.bits,
            "rate": texts.rate,
            "clock": lambda time: texts.clock(time, zone),
            "moment": lambda time, now: texts.moment(time, zone, now),
        }
        self._templates.globals |= {
            "t": texts.PAGE,
            "texts": texts,
            "rank": RANK,
            "node_rank": NODE_RANK,
            "draw": lambda curve: drawing(curve, zone),
            "assets": self.assets,
            "zone": settings.sla.time_zone,
            "has_network": bool(settings.devices),
            "most_troubles": MOST_TROUBLES,
            "most_changes": MOST_CHANGES,
        }

        for name in self._templates.list_templates():
            self._templates.get_template(name)

    def figures(self, view: View | None) -> Figures:
        """The renewed part; without a view it waits for the first poll."""
        template = "waiting.html" if view is None else "figures.html"
        return self.render(template, view.time if view else None, view=view)

    def render(self, template: str, time: datetime | None, **values: Any) -> Figures:
        """The renewed part of any page, with the time of its figures."""
        return Figures(self._templates.get_template(template).render(values), time)

    def whole(self, figures: Figures, now: datetime, *, stale: bool, frame: Frame | None = None) -> str:
        """The whole page around its figures, as it is at `now`; in the live page's frame by default."""
        return self._templates.get_template("page.html").render(
            figures=figures,
            content=Markup(figures.html),  # noqa: S704 - rendered by `render`, escaped there
            now=now,
            stale=stale,
            frame=frame or self._frame,
        )
