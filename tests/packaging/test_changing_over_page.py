"""docs/changing-over.md: what it names is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "changing-over.md").read_text("utf-8")
LOG = re.findall(r"^\| `([a-z ]+)`", (DOCS / "operations.md").read_text("utf-8"), flags=re.MULTILINE)


def test_its_links_lead_somewhere() -> None:
    for target, anchor in re.findall(r"\]\(([\w.-]*)#?([\w-]*)\)", PAGE):
        text = (DOCS / (target or "changing-over.md")).read_text("utf-8")
        headings = {
            re.sub(r"[^\w -]", "", line).strip().lower().replace(" ", "-")
            for line in re.findall(r"^#+ (.*)$", text, flags=re.MULTILINE)
        }
        assert not anchor or anchor in headings, (target, anchor)


def test_the_log_texts_that_it_names_are_those_of_the_table() -> None:
    section = PAGE.partition("| Look for, instead")[2].partition("\n\n")[0]
    named = [name for line in section.splitlines()[2:] for name in re.findall(r"`([a-z ]+)`", line)]
    assert len(named) >= 5
    assert set(named) - {"hint"} <= set(LOG)


@pytest.mark.parametrize("page", ["operations.md", "kubernetes.md"])
def test_it_is_linked_where_it_is_looked_for(page: str) -> None:
    assert "(changing-over.md" in (DOCS / page).read_text("utf-8")
    assert "(docs/changing-over.md)" in (DOCS.parent / "README.md").read_text("utf-8")
