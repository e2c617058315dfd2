"""docs/metrics.md is the table of metrics."""

from exporters.documentation import FILE, markdown
from vdx.metrics import METRICS


def test_the_page_is_up_to_date() -> None:
    assert FILE.read_text(encoding="utf-8") == markdown(), "run python -m exporters.documentation"


def test_every_metric_is_documented_once() -> None:
    text = markdown()
    for name in METRICS:
        assert text.count(f"| `{name}` |") == 1
