"""Alert rules and dashboard: well-formed, and about metrics, labels and values that really exist."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from teleport_email.telemetry.health import Reviews, Snapshot
from teleport_email.telemetry.metrics import Metrics
from teleport_email.telemetry.tally import KINDS, OUTCOMES, Tally
from teleport_email.watching.link import Status

MONITORING = Path(__file__).parents[2] / "packaging/monitoring"
NOW = datetime(2026, 11, 22, tzinfo=UTC)
WORD = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
GIVEN_BY_PROMETHEUS = {"up", "job", "instance"}
LANGUAGE = {
    *("absent", "histogram_quantile", "increase", "max", "max_over_time", "rate", "sum", "time"),
    *("and", "by", "on", "or"),
}


def existing() -> tuple[set[str], dict[str, set[str]]]:
    """Names of all samples, and the values of each label."""
    tally = Tally(lambda: NOW)
    tally.last_delivery = tally.last_reload = NOW
    now = Snapshot(at=NOW, link=Status(identity_ends=NOW), reviews=Reviews(polled_at=NOW))
    body, _ = Metrics(lambda: now, tally).exposition()
    names: set[str] = set()
    labels: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(body.decode()):
        for sample in family.samples:
            names.add(sample.name)
            for label, value in sample.labels.items():
                labels.setdefault(label, set()).add(value)
    return names, labels


NAMES, LABELS = existing()


def alerts() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load((MONITORING / "alerts.yaml").read_text())["groups"]
    return list(group["rules"])


def dashboard() -> dict[str, Any]:
    return dict(json.loads((MONITORING / "dashboard.json").read_text()))


def expressions() -> Iterator[tuple[str, str]]:
    for rule in alerts():
        yield rule["alert"], rule["expr"]
    for panel in dashboard()["panels"]:
        for target in panel["targets"]:
            yield f"{panel['title']} {target['refId']}", target["expr"]


@pytest.mark.parametrize(("name", "expr"), list(expressions()))
def test_an_expression_uses_only_what_exists(name: str, expr: str) -> None:
    for label, value in re.findall(r'(\w+)(?:=|!=|=~|!~)"([^"]*)"', expr):
        assert label in LABELS or label in GIVEN_BY_PROMETHEUS, f"no metric has the label {label}"
        if label in LABELS:
            assert value in LABELS[label], f"{label} is never {value}"
    bare = re.sub(r'"[^"]*"|\[[^]]*\]', " ", expr)
    words = {word for word in WORD.findall(bare) if not re.fullmatch(r"e\d*", word)}
    unknown = words - NAMES - LANGUAGE - GIVEN_BY_PROMETHEUS - set(LABELS)
    assert unknown == set(), f"{name}: {unknown}"
    assert expr.count("(") == expr.count(")")
    assert words & NAMES, "an expression about nothing of ours"


def test_the_check_itself_finds_a_metric_that_does_not_exist() -> None:
    with pytest.raises(AssertionError, match="teleport_email_nothing"):
        test_an_expression_uses_only_what_exists("x", "sum(teleport_email_nothing) > teleport_email_ready")
    with pytest.raises(AssertionError, match="never lost"):
        test_an_expression_uses_only_what_exists("x", 'teleport_email_messages_total{outcome="lost"}')


def test_counters_are_asked_for_their_increase() -> None:
    for name, expr in expressions():
        for counter in re.findall(r"\w+_total", expr):
            assert re.search(rf"(increase|rate)\({counter}", expr), f"{name}: {counter} is a counter"


def test_every_alert_says_what_it_means_and_what_to_do() -> None:
    names = [rule["alert"] for rule in alerts()]
    assert len(set(names)) == len(names)
    for rule in alerts():
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert rule["annotations"].keys() == {"summary", "description"}
        assert "\n" not in rule["annotations"]["description"].strip()
        for label in re.findall(r"\$labels\.(\w+)", rule["annotations"]["description"]):
            assert label in LABELS or label in GIVEN_BY_PROMETHEUS
            grouped = re.search(r"\bby \(([^)]*)\)", rule["expr"])
            if grouped:  # a label that was summed away would show as nothing
                assert label in grouped[1].split(", ")


def test_every_metric_of_ours_is_shown_on_the_dashboard() -> None:
    shown = " ".join(target["expr"] for panel in dashboard()["panels"] for target in panel["targets"])
    ours = {name for name in NAMES if name.startswith("teleport_email_")}
    assert {name for name in ours if not re.search(rf"\b{name}\b", shown)} == set()


def test_the_dashboards_panels_lie_beside_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24  # the width of Grafana's grid
        taken |= cells
        assert panel["description"]


PAGE = (MONITORING.parents[1] / "docs/monitoring.md").read_text()


def test_every_metric_of_ours_and_no_other_stands_in_the_page() -> None:
    documented = set(re.findall(r"^\| `(teleport_email_\w+)` \|", PAGE, flags=re.MULTILINE))
    ours = {name for name in NAMES if name.startswith("teleport_email_")}
    assert {re.sub(r"_(bucket|sum|count|created)$", "", name) for name in ours} == documented


@pytest.mark.parametrize("words", [KINDS, OUTCOMES])
def test_the_page_explains_every_value_of_the_labels(words: tuple[str, ...]) -> None:
    assert all(f"`{word}`" in PAGE for word in words)
