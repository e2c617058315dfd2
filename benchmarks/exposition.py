"""How fast the text of /metrics is made: `python -m benchmarks.exposition`.

Gauges with the four labels and values of a node's series, 10,000 and 100,000 of them, against
`generate_latest` of prometheus-client over a custom collector with the same data; medians of one run.
"""

import asyncio
import statistics
import time
from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from exporters.compression import Text
from exporters.exposition import Family, Renderer
from vdx.metrics import Kind, Metric
from vdx.telemetry import Telemetry

ROUNDS = 5
SERIES_PER_FAMILY = 1_000


def build(series: int) -> list[Family]:
    """Families of gauges whose values differ by `series`."""
    families: list[Family] = []
    for family in range(series // SERIES_PER_FAMILY):
        labels = ("node", "location", "tier", "version")
        metric = Metric(f"pexip_benchmark_{family}_ratio", Kind.GAUGE, "A benchmark.", labels)
        families.append(
            (
                metric,
                {
                    (
                        f"region-conf{number:04}",
                        f"Location {number % 14}",
                        "central" if number % 3 else "decentral",
                        "37 (80240.0.0)",
                    ): number * 7919 % 1000 / 100
                    for number in range(SERIES_PER_FAMILY)
                },
            )
        )
    return families


class Library(Collector):
    """The same families the library's way: made anew at every scrape."""

    def __init__(self, families: list[Family]) -> None:
        self._families = families

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The families as the library's objects."""
        for metric, samples in self._families:
            family = GaugeMetricFamily(metric.name, metric.help, labels=metric.labels)
            for labels, value in samples.items():
                family.add_metric(labels, value)
            yield family


def milliseconds(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Median duration of some rounds."""
    durations = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        durations.append(time.perf_counter() - start)
    return statistics.median(durations) * 1000


def parsed(text: bytes) -> set[tuple[str, frozenset[tuple[str, str]], float]]:
    """Every sample of a text, whatever the order."""
    return {
        (sample.name, frozenset(sample.labels.items()), sample.value)
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


async def longest_hold(work: Callable[[], object]) -> float:
    """Milliseconds for which `work` keeps the event loop from anything else."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    loop.call_soon(work)
    await asyncio.sleep(0)
    return (loop.time() - start) * 1000


def compare(series: int) -> None:
    """Print one size's figures."""
    families = build(series)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Library(families))
    library = milliseconds(lambda: generate_latest(registry))
    renderer = Renderer()
    text = renderer.render(families)
    polls = iter([build_again(families) for _ in range(ROUNDS)])
    warm = milliseconds(lambda: renderer.render(next(polls)))
    cold = milliseconds(lambda: Renderer().render(families))
    equal = parsed(text) == parsed(generate_latest(registry))
    ready = Text(text)
    telemetry = Telemetry().registry
    scrapes = {
        "plain": lambda: ready.plain + generate_latest(telemetry),
        "gzip": lambda: ready.gzip(generate_latest(telemetry)),
    }
    print(f"{series:,} series, {len(text) / 1e6:.1f} MB")
    print(f"  generate_latest           {library:9.1f} ms")
    print(f"  Renderer, cold            {cold:9.1f} ms  {library / cold:5.1f} times faster")
    print(f"  Renderer, warm            {warm:9.1f} ms  {library / warm:5.1f} times faster")
    print(f"  equal once parsed         {equal!s:>9}")
    print(f"  compress, once per poll   {milliseconds(lambda: Text(text)):9.1f} ms")
    for name, scrape in scrapes.items():
        hold = statistics.median(asyncio.run(longest_hold(scrape)) for _ in range(ROUNDS))
        print(f"  scrape holds loop, {name:6} {hold:9.3f} ms")


def build_again(families: list[Family]) -> list[Family]:
    """The same series as other objects, as the next poll gives them."""
    return [
        (metric, {(*labels,): value for labels, value in samples.items()}) for metric, samples in families
    ]


def main() -> None:
    """Print both sizes."""
    for series in (10_000, 100_000):
        compare(series)


if __name__ == "__main__":
    main()
