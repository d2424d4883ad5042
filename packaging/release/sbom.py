"""The bill of materials of a release, CycloneDX 1.5 in JSON: ``sbom.py VERSION < requirements/runtime.txt``

It says what the lock says: each package, its version, and the hashes of the files that may be installed; its
licence as its metadata here names it. The same lock gives the same bytes.
"""

from __future__ import annotations

import importlib.metadata
import json
import re
import sys
import uuid
from collections.abc import Iterator
from typing import Any

PROGRAM = "teleport-email"


def bill(lock: str, version: str) -> dict[str, Any]:
    """The document. Raises ``importlib.metadata.PackageNotFoundError`` for what is not installed here."""
    components = [component(*each) for each in locked(lock)]
    root = {
        "type": "application",
        "bom-ref": f"pkg:pypi/{PROGRAM}@{version}",
        "name": PROGRAM,
        "version": version,
        "purl": f"pkg:pypi/{PROGRAM}@{version}",
        "licenses": [{"license": {"id": "Apache-2.0"}}],
    }
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, lock + version)}",
        "version": 1,
        "metadata": {"component": root},
        "components": components,
        "dependencies": [
            {"ref": root["bom-ref"], "dependsOn": [each["bom-ref"] for each in components]},
            *({"ref": each["bom-ref"]} for each in components),
        ],
    }


def locked(lock: str) -> Iterator[tuple[str, str, list[str]]]:
    """Name, version and SHA-256 of each package of a lock."""
    for name, version, rest in re.findall(r"(?m)^([a-z0-9.-]+)==(\S+)((?:.*\\\n)*.*)$", lock):
        yield name, version, re.findall(r"--hash=sha256:([0-9a-f]{64})", rest)


def component(name: str, version: str, hashes: list[str]) -> dict[str, Any]:
    """One package. Its hashes belong to files, of which each platform takes one."""
    purl = f"pkg:pypi/{name}@{version}"
    metadata = importlib.metadata.metadata(name)
    licence = metadata.get("License-Expression")
    return {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": version,
        "purl": purl,
        **({"licenses": [{"expression": licence}]} if licence else {}),
        "externalReferences": [
            {
                "type": "distribution",
                "url": purl,
                "comment": "one of the files that may be installed",
                "hashes": [{"alg": "SHA-256", "content": each}],
            }
            for each in hashes
        ],
    }


if __name__ == "__main__":
    json.dump(bill(sys.stdin.read(), sys.argv[1]), sys.stdout, indent=1, sort_keys=True)
    sys.stdout.write("\n")
