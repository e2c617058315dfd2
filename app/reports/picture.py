"""A picture of usage for people who plan: peak ports, participant-hours and quality, below each other.

It is drawn without pyplot, which keeps state, and the same figures give the same bytes. Colours are those of
Okabe and Ito, which the colour-blind tell apart (jfly.uni-koeln.de/color); bad quality lies on the axis.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, BinaryIO, Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from app.reports.catalogue import MONTHS, WEEKDAYS, Language, number, word
from app.reports.period import Period
from app.reports.usage import Report
from vdx.usage import Scope

_INCHES: Final = (12, 9)
_DOTS_AN_INCH: Final = 120
_USE: Final = "#0072B2"
_ABOVE: Final = "#D55E00"
_HOURS: Final = "#009E73"
_QUALITIES: Final = (
    ("terrible", "#000000"),
    ("bad", "#D55E00"),
    ("ok", "#F0E442"),
    ("unknown", "#BBBBBB"),
    ("good", "#56B4E9"),
)
"""From the axis upwards."""
_WHOLE_HOURS: Final = {"week": 167, "month": 671}
"""The fewest hours of a whole one, in which clocks are put forward."""
_LABELS: Final = 16
"""Labels that fit below the picture."""


def granularity(period: Period) -> str:
    """The length of its bars: a readable number of them, whatever the period."""
    if period.days <= 3:
        return "hour"
    if period.days <= 93:
        return "day"
    return "week" if period.days <= 800 else "month"


def draw(file: BinaryIO, form: str, report: Report, *, pool: int, language: Language) -> None:
    """Draws a report over time as `png` or `svg`. `pool` is the number of licence ports there are."""
    with mpl.rc_context(
        {
            "svg.hashsalt": "vdx",
            "font.family": "DejaVu Sans",
            "font.size": 10,
            "text.parse_math": False,
        }
    ):
        figure = Figure(figsize=_INCHES, dpi=_DOTS_AN_INCH, layout="constrained")
        FigureCanvasAgg(figure)
        figure.suptitle(report.title(language), fontsize=15, x=0.01, ha="left", weight="bold")
        axes = figure.subplots(3, 1, sharex=True, height_ratios=(3, 2, 2))
        _ports(axes[0], report, pool, language)
        _hours(axes[1], report, language)
        _quality(axes[2], report, language)
        _scale(axes, report, language)
        notes = report.words(language)
        if notes:
            figure.supxlabel("\n".join(notes), fontsize=8, x=0.01, ha="left", color="#444444")
        metadata: dict[str, Any] = {"Date": None} if form == "svg" else {"Software": None}
        figure.savefig(file, format=form, metadata=metadata)


def _values(report: Report, name: str) -> list[float]:
    return [float(value) for value in report.frame[name].fillna(0)]


def _ports(axes: Axes, report: Report, pool: int, language: Language) -> None:
    """Peaks against the pool, which is the platform's and shown for others where they come near it."""
    peaks = _values(report, "peak_ports")
    highest = max(peaks, default=0)
    shown = report.selection.scope is Scope.PLATFORM or highest > pool / 2
    colours = [_ABOVE if shown and peak > pool else _USE for peak in peaks]
    axes.bar(range(len(peaks)), peaks, width=0.9, color=_paled(colours, report))
    title = word(f"peak_of_{report.by}", language)
    if _ABOVE in colours:
        title = word("above", language, title)
    axes.set_title(title, loc="left", fontsize=11)
    axes.set_ylabel(word("ports_axis", language))
    axes.set_ylim(0, max(highest, pool if shown else 0, 1) * 1.15)
    if shown:
        label = word("pool", language, number(pool, language))
        axes.axhline(pool, color="#000000", linestyle="--", linewidth=1.2, label=label)
        axes.legend(loc="lower right", bbox_to_anchor=(1, 1), frameon=False, fontsize=9)
    if highest:
        place = peaks.index(highest)
        left = place < len(peaks) * 0.85
        moment = _moment(report.frame["peak_at"].iloc[place], language)
        axes.annotate(
            word("highest", language, number(highest, language), moment),
            (place, highest),
            xytext=(0, 4),
            textcoords="offset points",
            ha="left" if left else "right",
            fontsize=9,
            weight="bold",
        )


def _hours(axes: Axes, report: Report, language: Language) -> None:
    hours = [minutes / 60 for minutes in _values(report, "participant_minutes")]
    axes.bar(range(len(hours)), hours, width=0.9, color=_paled([_HOURS] * len(hours), report))
    title = word(f"hours_of_{report.by}", language)
    if any(_parts(report)):
        title = word("pale", language, title)
    axes.set_title(title, loc="left", fontsize=11)
    axes.set_ylabel(word("participant_hours", language))
    axes.set_ylim(0, max([*hours, 1]) * 1.08)


def _parts(report: Report) -> list[bool]:
    """Which bars are of a part of a week or a month alone: at an edge of the period, or not over yet."""
    whole = _WHOLE_HOURS.get(report.by, 0)
    return [hours < whole for hours in report.frame["hours"]]


def _paled(colours: Sequence[str], report: Report) -> list[tuple[float, float, float, float]]:
    """The colours, those of parts lighter."""
    return [
        to_rgba(colour, 0.45 if part else 1) for colour, part in zip(colours, _parts(report), strict=True)
    ]


def _quality(axes: Axes, report: Report, language: Language) -> None:
    base = [0.0] * len(report.frame)
    for name, colour in _QUALITIES:
        shares = _values(report, f"quality_{name}_percent")
        axes.bar(range(len(shares)), shares, width=0.9, bottom=base, color=colour, label=word(name, language))
        base = [below + share for below, share in zip(base, shares, strict=True)]
    axes.set_title(word("quality_axis", language), loc="left", fontsize=11)
    axes.set_ylabel("%")
    axes.set_ylim(0, 100)
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=len(_QUALITIES), frameon=False, fontsize=9)


def _scale(panels: Sequence[Axes], report: Report, language: Language) -> None:
    begins = list(report.frame["begin"])
    places = _ticks(begins, report.by)
    labels = [_label(begins[place], report.by, language) for place in places]
    for axes in panels:
        axes.set_xlim(-0.6, max(len(begins), 1) - 0.4)
        axes.yaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value, language)))
        axes.grid(axis="y", color="#DDDDDD", linewidth=0.7)
        axes.set_axisbelow(True)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        for place, begin in enumerate(begins if report.by == "day" else ()):
            if begin.weekday() >= 5:
                axes.axvspan(place - 0.5, place + 0.5, color="#F2F2F2", zorder=0, linewidth=0)
    panels[-1].set_xticks(places, labels)


def _ticks(begins: Sequence[date | datetime], by: str) -> list[int]:
    """The bars that have a label: Mondays, midnights, the first week of a month, or some at even distance."""
    if by == "hour":
        step = 6 if len(begins) <= 80 else 24
        return [place for place, begin in enumerate(begins) if _hour(begin) % step == 0]
    if by == "day" and len(begins) > _LABELS:
        return [place for place, begin in enumerate(begins) if begin.weekday() == 0]
    if by == "week" and len(begins) > _LABELS:
        months = [begin.month for begin in begins]
        return [place for place, month in enumerate(months) if place == 0 or month != months[place - 1]]
    step = -(-len(begins) // _LABELS) or 1
    return list(range(0, len(begins), step))


def _hour(begin: date | datetime) -> int:
    return begin.hour if isinstance(begin, datetime) else 0


def _day(day: date | datetime, language: Language) -> str:
    month = MONTHS[language][day.month - 1]
    return f"{day.day}. {month}" if language is Language.DANISH else f"{day.day} {month}"


def _label(begin: date | datetime, by: str, language: Language) -> str:
    if by == "hour":
        hour = _hour(begin)
        return _weekday(begin, language) if hour == 0 else f"{hour:02}"
    if by == "day":
        return _weekday(begin, language)
    if by == "week":
        return f"{'uge' if language is Language.DANISH else 'week'} {begin:%V}\n{_day(begin, language)}"
    return f"{MONTHS[language][begin.month - 1]}\n{begin.year}"


def _weekday(begin: date | datetime, language: Language) -> str:
    return f"{WEEKDAYS[language][begin.weekday()]}\n{_day(begin, language)}"


def _moment(moment: datetime, language: Language) -> str:
    return f"{moment:%H:%M}, {WEEKDAYS[language][moment.weekday()]} {_day(moment, language)}"
