"""Every rule is valid, is tested firing and silent, and tells on-call what to do."""

import subprocess
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

FOLDER: Final = Path(__file__).parents[2] / "alerts"
RULES: Final = sorted((FOLDER / "rules").glob("*.yml"))
TESTS: Final = sorted((FOLDER / "tests").glob("*.yml"))


def _names(path: Path) -> str:
    return path.stem


def alerts() -> list[dict[str, Any]]:
    """All alerting rules."""
    files = (yaml.safe_load(path.read_text(encoding="utf-8")) for path in RULES)
    return [rule for file in files for group in file["groups"] for rule in group["rules"] if "alert" in rule]


@cache
def expectations() -> dict[str, list[bool]]:
    """Alert -> for each expectation of the tests, whether it shall fire."""
    expected: dict[str, list[bool]] = {}
    for path in TESTS:
        for test in yaml.safe_load(path.read_text(encoding="utf-8"))["tests"]:
            for case in test.get("alert_rule_test", ()):
                expected.setdefault(case["alertname"], []).append(bool(case["exp_alerts"]))
    return expected


@pytest.mark.parametrize("path", RULES, ids=_names)
def test_promtool_finds_no_fault_in_the_rules(path: Path) -> None:
    done = subprocess.run(
        ["promtool", "check", "rules", str(path)], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", TESTS, ids=_names)
def test_the_rules_fire_as_their_tests_say(path: Path) -> None:
    done = subprocess.run(
        ["promtool", "test", "rules", str(path)], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: str(rule["alert"]))
def test_an_alert_tells_whom_it_is_for_and_what_to_do(rule: dict[str, Any]) -> None:
    name = rule["alert"]
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert rule["labels"]["service"]
    assert "{{ $value" not in str(rule["labels"]), "a label that changes makes another alert"
    assert "{{ $value" not in rule["annotations"]["summary"]
    assert "First step" in rule["annotations"]["description"]
    assert rule["annotations"]["runbook_url"] == f"/runbooks/{name}"
    runbook = (FOLDER / "runbooks" / f"{name}.md").read_text(encoding="utf-8")
    for part in ("**Means.**", "**Hurts.**", "**See it.**", "**First step.**", "**Call.**"):
        assert part in runbook
    expected = expectations().get(name, [])
    assert True in expected, f"{name} is not tested firing"
    assert False in expected, f"{name} is not tested silent"


def test_every_runbook_is_of_an_alert() -> None:
    assert {path.stem for path in (FOLDER / "runbooks").glob("*.md")} == {rule["alert"] for rule in alerts()}
