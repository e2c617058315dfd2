"""The renderer: the library's output is the judge."""

import gzip
import math
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from exporters.compression import Text
from exporters.exposition import Family, Renderer, Samples
from vdx.metrics import Kind, Metric

Parsed = dict[str, tuple[str, str, list[tuple[str, str, str]]]]

PLAIN = Metric("vdx_plain", Kind.GAUGE, "Without labels.")
LABELLED = Metric("vdx_labelled", Kind.GAUGE, "With\nlabels \\ and lines.", ("b", "a"))
COUNTED = Metric("vdx_counted_total", Kind.COUNTER, "A counter.", ("a",))

texts = st.text() | st.text('\\"\n\r{}=, %sé\u2028\0', max_size=8)
values = st.floats() | st.integers() | st.booleans()


class Library(Collector):
    def __init__(self, families: list[Family]) -> None:
        self.families = families

    def collect(self) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
        for metric, samples in self.families:
            kind = GaugeMetricFamily if metric.kind == Kind.GAUGE else CounterMetricFamily
            family = kind(metric.name, metric.help, labels=metric.labels)
            for labels, value in samples.items():
                family.add_metric(labels, value)
            yield family


def generated(families: list[Family]) -> bytes:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Library(families))
    return generate_latest(registry)


def parsed(text: bytes) -> Parsed:
    return {
        family.name: (
            family.type,
            family.documentation,
            [
                (sample.name, repr(sorted(sample.labels.items())), repr(sample.value))
                for sample in family.samples
            ],
        )
        for family in text_string_to_metric_families(text.decode())
    }


@given(
    st.dictionaries(st.just(()), values),
    st.dictionaries(st.tuples(texts, texts), values),
    st.dictionaries(st.tuples(texts), values),
)
def test_the_text_says_what_the_library_would_say(
    plain: Samples, labelled: Samples, counted: Samples
) -> None:
    families: list[Family] = [(PLAIN, plain), (LABELLED, labelled), (COUNTED, counted)]
    renderer = Renderer()
    assert parsed(renderer.render(families)) == parsed(generated(families))
    assert renderer.render(families) == Renderer().render(families)


def test_the_text_is_exact() -> None:
    families: list[Family] = [
        (PLAIN, {(): 5}),
        (LABELLED, {('say "hi"\\\n', ""): 0.1, ("x", "y"): math.inf, ("x", "z"): math.nan}),
        (COUNTED, {("x",): -math.inf}),
    ]
    assert Renderer().render(families).decode() == (
        "# HELP vdx_plain Without labels.\n"
        "# TYPE vdx_plain gauge\n"
        "vdx_plain 5.0\n"
        "# HELP vdx_labelled With\\nlabels \\\\ and lines.\n"
        "# TYPE vdx_labelled gauge\n"
        'vdx_labelled{b="say \\"hi\\"\\\\\\n",a=""} 0.1\n'
        'vdx_labelled{b="x",a="y"} +Inf\n'
        'vdx_labelled{b="x",a="z"} NaN\n'
        "# HELP vdx_counted_total A counter.\n"
        "# TYPE vdx_counted_total counter\n"
        'vdx_counted_total{a="x"} -Inf\n'
    )


def test_numbers_beyond_the_range_of_a_double_can_still_be_scraped() -> None:
    text = Renderer().render([(LABELLED, {("a", ""): 10**400, ("b", ""): -(10**400), ("c", ""): 1e308})])
    assert text.decode().splitlines()[2:] == [
        'vdx_labelled{b="a",a=""} +Inf',
        'vdx_labelled{b="b",a=""} -Inf',
        'vdx_labelled{b="c",a=""} 1e+308',
    ]


def test_a_surrogate_does_not_stop_the_text() -> None:
    assert b'a="?"' in Renderer().render([(COUNTED, {("\ud800",): 1})])


def test_series_that_are_gone_are_forgotten() -> None:
    renderer = Renderer()
    renderer.render([(COUNTED, {(str(number),): 1 for number in range(1000)}), (PLAIN, {(): 1})])
    text = renderer.render([(COUNTED, {("1",): 2})])
    assert text.endswith(b'\nvdx_counted_total{a="1"} 2.0\n')
    assert renderer._known == {COUNTED.name: {("1",): 'vdx_counted_total{a="1"} '}}


def test_a_family_that_comes_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="vdx_plain is rendered twice"):
        Renderer().render([(PLAIN, {}), (PLAIN, {})])


def test_labels_that_are_not_the_metrics_are_refused() -> None:
    with pytest.raises(TypeError):
        Renderer().render([(COUNTED, {("a", "b"): 1})])


@given(st.binary(), st.binary())
def test_a_compressed_text_reads_back_with_its_end(plain: bytes, end: bytes) -> None:
    text = Text(plain)
    assert gzip.decompress(text.gzip(end)) == plain + end
    assert gzip.decompress(text.gzip(b"")) == plain
