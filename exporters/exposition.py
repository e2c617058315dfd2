"""The Prometheus text format 0.0.4, rendered fast enough to be made once per poll.

Source of the rules: "Exposition formats" of the Prometheus documentation.
"""

import math
from collections.abc import Iterable, Mapping
from itertools import chain
from operator import add
from typing import Final, TypeAlias

from vdx.metrics import Metric

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

Samples: TypeAlias = Mapping[tuple[str, ...], float]
"""Label values, in the order of the metric's labels -> value."""

Family: TypeAlias = tuple[Metric, Samples]

_ESCAPES: Final = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


def _header(metric: Metric) -> str:
    text = metric.help.replace("\\", r"\\").replace("\n", r"\n")
    return f"# HELP {metric.name} {text}\n# TYPE {metric.name} {metric.kind}\n"


def _escape(labels: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(value.translate(_ESCAPES) for value in labels)


def _prefixes(metric: Metric, rows: Iterable[tuple[str, ...]]) -> Iterable[str]:
    """Each row's line up to its value."""
    names = ",".join(f'{name}="%s"' for name in metric.labels)
    template = f"{metric.name}{{{names}}} " if names else f"{metric.name} "
    # One look at all values together is far cheaper than one at each, and hardly any value needs escaping.
    values = "".join(chain.from_iterable(rows))
    if "\\" in values or '"' in values or "\n" in values:
        rows = map(_escape, rows)
    return map(template.__mod__, rows)


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return repr(value)


def _double(value: float) -> float:
    """An integer beyond the range of a double counts as infinite; no scraper could read its digits."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _numbers(samples: Samples) -> Iterable[str]:
    """Each value as the shortest text that reads back as the same double."""
    try:
        values = list(map(float, samples.values()))
    except OverflowError:
        values = list(map(_double, samples.values()))
    # The sum of finite numbers is finite, save where it overflows; then the longer way is right as well.
    return map(repr if math.isfinite(sum(values)) else _number, values)


class Renderer:
    """Renders families of gauges and counters, and remembers each series' name and labels as text.

    A family is remembered while its series stay the same, so that the memory is that of the last text.
    """

    def __init__(self) -> None:
        self._known: dict[str, dict[tuple[str, ...], str]] = {}

    def _prefixes(self, metric: Metric, samples: Samples) -> dict[tuple[str, ...], str]:
        known = self._known.get(metric.name, {})
        if known.keys() == samples.keys():
            return known
        return dict(zip(samples, _prefixes(metric, samples), strict=True))

    def render(self, families: Iterable[Family]) -> bytes:
        r"""The families as text, such as `pexip_up 1.0\n` under its HELP and TYPE; each only once."""
        parts = self.parts(families).values()
        return "".join(chain.from_iterable(parts)).encode("utf-8", "replace")

    def parts(self, families: Iterable[Family]) -> dict[str, tuple[str, str]]:
        """Name -> the family's HELP and TYPE, and its lines, for texts that are put together of several."""
        text: dict[str, tuple[str, str]] = {}
        used: dict[str, dict[tuple[str, ...], str]] = {}
        for metric, samples in families:
            if metric.name in used:
                raise ValueError(f"metric {metric.name} is rendered twice")
            prefixes = used[metric.name] = self._prefixes(metric, samples)
            lines = "\n".join(map(add, map(prefixes.__getitem__, samples), _numbers(samples)))
            text[metric.name] = _header(metric), f"{lines}\n" if samples else ""
        self._known = used
        return text
