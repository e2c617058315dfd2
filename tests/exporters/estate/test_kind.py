"""What is known of each kind of exporter holds together with the rules that need it."""

import re
from pathlib import Path

import pytest
import yaml

from exporters.estate.kind import Kind, kind, kinds

PAGE = Path(__file__).parents[3] / "docs" / "estate.md"
RULES = Path(__file__).parents[3] / "alerts" / "rules" / "estate.yml"
_METRIC = re.compile(r"\b(?:node|mysql|mongodb|nginx|kube|kubelet|vmware|probe|keycloak|http|jvm|agroal)_\w+")


def expressions() -> list[str]:
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    return [rule["expr"] for group in groups for rule in group["rules"]]


def test_every_metric_that_an_alert_reads_is_listed_with_its_kind() -> None:
    listed = {name for known in kinds().values() for name in known.metrics}
    read = {name for expression in expressions() for name in _METRIC.findall(expression)}
    assert len(read) > 20
    assert read <= listed


def test_an_alert_on_up_names_kinds_that_there_are_and_leaves_out_none() -> None:
    told = {
        name
        for expression in expressions()
        for jobs in re.findall(r'up\{job=~?"([^"]+)"', expression)
        for name in jobs.split("|")
    }
    assert told == set(kinds())


@pytest.mark.parametrize("known", kinds().values(), ids=kinds())
def test_a_metric_is_used_by_the_expression_that_needs_it(known: Kind) -> None:
    for name, needed in known.metrics.items():
        assert name in needed.use
    assert known.up == "" or known.up in known.metrics
    assert known.timeout_seconds < known.interval_seconds


@pytest.mark.parametrize(("name", "known"), kinds().items(), ids=kinds())
def test_the_operator_s_page_tells_how_it_is_switched_on_and_what_it_gives(name: str, known: Kind) -> None:
    text = PAGE.read_text(encoding="utf-8")
    chapter = text.partition(f"## {known.title}: `{name}`\n")[2].partition("\n## ")[0]
    assert f"port {known.port}, `{known.path}`, each {known.interval_seconds} s" in chapter
    assert " ".join(known.switch_on.split()) in chapter
    assert f'kind = "{name}"' in chapter
    for metric, needed in known.metrics.items():
        use = needed.use.replace("|", "\\|")
        assert f"| `{metric}` | `{use}` | {needed.when or 'always'} |" in chapter


def test_an_unknown_kind_is_told_with_the_nearest() -> None:
    with pytest.raises(ValueError, match="there is no kind 'mysql'; did you mean mysqld\\?"):
        kind("mysql")
    with pytest.raises(ValueError, match="use one of blackbox, keycloak"):
        kind("zzz")
