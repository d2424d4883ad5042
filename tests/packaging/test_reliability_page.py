"""docs/reliability.md names a test in each row of its table, and these tests exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROWS = [
    line
    for line in (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| ") and not line.startswith(("| Fault |", "| --- |"))
]
HEADINGS = [line for line in ROWS if re.fullmatch(r"\| \*\*.+\*\* \| \| \|", line)]


@pytest.mark.parametrize("row", [line for line in ROWS if line not in HEADINGS])
def test_a_row_names_a_test_that_exists(row: str) -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", row)
    assert named, "each row points to its test"
    for path, name in named:
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        assert name in {
            node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }


def test_every_fault_of_the_list_has_its_place() -> None:
    assert len(HEADINGS) == 11
    assert len(ROWS) > 60


@pytest.mark.parametrize(
    "module", ["smtp_faults", "mailgun_faults", "teleport_faults", "ledgers", "downtime", "replicas", "clock"]
)
def test_no_fault_is_tested_and_not_told_of(module: str) -> None:
    """But for those that only show that all stays quiet."""
    quiet = {
        "test_a_second_start_tells_nothing_anew",
        "test_nothing_is_sent_of_a_request_that_was_over_when_the_program_was_installed",
        "test_a_request_that_expired_by_itself_ends_its_thread",
    }
    path = ROOT / "tests" / "flow" / f"test_{module}.py"
    tree = ast.parse(path.read_text(encoding="utf-8"))
    tests = {node.name for node in tree.body if isinstance(node, ast.AsyncFunctionDef)}
    told = set(re.findall(rf"`tests/flow/test_{module}\.py::(\w+)`", "\n".join(ROWS)))
    assert {name for name in tests if name.startswith("test_")} - quiet == told
