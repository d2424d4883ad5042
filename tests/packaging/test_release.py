"""What a release is made of: versions with notes, a bill of materials, packages that the document names."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

from teleport_email import __version__

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "requirements/runtime.txt").read_text()


def load(path: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(Path(path).stem, ROOT / path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_the_version_has_its_notes_and_none_of_another() -> None:
    notes = subprocess.run(
        [ROOT / "packaging/release/notes.sh", __version__], capture_output=True, text=True, check=True
    ).stdout
    assert re.match(rf"## \[{re.escape(__version__)}\] - \d{{4}}-\d\d-\d\d\n\n\S", notes)
    assert notes.count("\n## ") == 0
    assert "### Added" in notes
    assert (ROOT / "CHANGELOG.md").read_text().count("\n## [Unreleased]\n") == 1


def test_the_bill_of_materials_names_what_is_locked() -> None:
    sbom = load("packaging/release/sbom.py")
    bill = sbom.bill(LOCK, __version__)
    assert bill == sbom.bill(LOCK, __version__)
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.5")
    names = {f"{each['name']}=={each['version']}" for each in bill["components"]}
    assert names == set(re.findall(r"^[a-z0-9.-]+==\S+", LOCK, re.MULTILINE))
    hashes = [
        each["content"]
        for component in bill["components"]
        for file in component["externalReferences"]
        for each in file["hashes"]
    ]
    assert sorted(hashes) == sorted(re.findall(r"sha256:([0-9a-f]{64})", LOCK))
    licensed = [each for each in bill["components"] if "licenses" in each]
    assert len(licensed) > 5
    [root, *others] = bill["dependencies"]
    assert root["dependsOn"] == [each["ref"] for each in others]


def test_the_document_names_every_distribution_that_there_is_a_package_for() -> None:
    build = load("packaging/packages/build.py")
    assert {target.python for target in build.TARGETS.values()} == {"3.11", "3.12", "3.13"}
    assert {target.arch for target in build.TARGETS.values()} == {"amd64", "arm64"}
    document = (ROOT / "docs/installing.md").read_text()
    for distribution in {name.partition("-")[0] for name in build.TARGETS}:
        assert distribution in document
