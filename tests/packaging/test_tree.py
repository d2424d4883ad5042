"""The tree tells the flow: every folder says what it is for, and is small enough to take in at a glance."""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src/teleport_email"
PACKAGES = sorted(path.parent for path in SOURCE.rglob("__init__.py") if path.parent != SOURCE)
GENERATED = {"_proto", "_compiled"}
WRITTEN = [package for package in PACKAGES if package.name not in GENERATED]
MOST_MODULES = 16
"""About a dozen, and a few more where a folder is one thing: the language of conditions, the way in."""


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_a_folder_says_what_comes_in_what_goes_out_and_what_it_may_not_know(package: Path) -> None:
    text = ast.get_docstring(ast.parse((package / "__init__.py").read_text()))
    assert text is not None
    assert "In: " in text
    assert "Out: " in text
    assert any(word in text for word in ("nows", "know", "ecides nothing", "Prints nothing"))


@pytest.mark.parametrize("package", WRITTEN, ids=lambda path: str(path.relative_to(SOURCE)))
def test_a_folder_has_about_a_dozen_modules(package: Path) -> None:
    modules = [path for path in package.glob("*.py") if path.name != "__init__.py"]
    assert len(modules) <= MOST_MODULES


LONGER = {"render/template_data.py"}  # one list: all that templates can see


def test_no_module_has_more_than_four_hundred_lines() -> None:
    long = {
        str(path.relative_to(SOURCE)): lines
        for path in SOURCE.rglob("*.py")
        if not GENERATED & set(path.parts) and (lines := len(path.read_text().splitlines())) > 400
    }
    assert long.keys() <= LONGER, long
