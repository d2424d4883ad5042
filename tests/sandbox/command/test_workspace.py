"""The sandbox's directory: private, whole, and a configuration that reads back."""

from __future__ import annotations

import os

import pytest
import tomli
from hypothesis import given
from hypothesis import strategies as st

from teleport_email.sandbox.command import workspace

TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]))


def test_the_directory_is_made_private_even_if_it_was_not(tmp_path):
    directory = tmp_path / "a" / "b"
    workspace.make(directory)
    assert directory.stat().st_mode & 0o777 == 0o700
    directory.chmod(0o755)
    workspace.make(directory)
    assert directory.stat().st_mode & 0o777 == 0o700


def test_a_file_in_the_way(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(workspace.WorkspaceError, match=r"file.* cannot be used: .*--dir"):
        workspace.make(tmp_path / "file")


def test_somebody_elses_directory(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    with pytest.raises(workspace.WorkspaceError, match=r"somebody else.*--dir"):
        workspace.make(tmp_path)


def test_files_are_private_and_replaced_in_one_step(tmp_path):
    path = tmp_path / "secret"
    path.write_text("old")
    path.chmod(0o644)
    workspace.write(path, "new\n")
    assert path.read_text() == "new\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(workspace.WorkspaceError, match="cannot be written"):
        workspace.write(tmp_path / "missing" / "x", b"")


VALUES = st.one_of(TEXT, st.booleans(), st.integers(-(2**31), 2**31), st.lists(TEXT))


@given(st.dictionaries(TEXT, VALUES, max_size=5))
def test_every_value_reads_back(values):
    assert tomli.loads(workspace.configuration({"section": values})) == {"section": values}
