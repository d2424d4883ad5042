"""``teleport-email configure``."""

from __future__ import annotations

import argparse
import os
import sys


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """``configure [--schema]``."""
    parser = subparsers.add_parser(
        "configure", help="print a configuration file to begin with", allow_abbrev=False
    )
    parser.add_argument(
        "--schema", action="store_true", help="print the JSON schema of the file in its place, for editors"
    )
    parser.set_defaults(run=run)


def boilerplate() -> str:
    """The configuration file to begin with: valid TOML, every key in it, most of them commented out."""
    # Without pathlib, which takes longer to load than all the rest of this command.
    path = os.path.join(os.path.dirname(__file__), "boilerplate.toml")  # noqa: PTH118, PTH120
    with open(path, encoding="utf-8") as file:  # noqa: PTH123
        return file.read()


def run(args: argparse.Namespace) -> int:
    """Print it: ``teleport-email configure > /etc/teleport-email.toml``."""
    if args.schema:
        import json

        from teleport_email.config.schema import schema

        json.dump(schema(descriptions(boilerplate())), sys.stdout, indent=1, ensure_ascii=False)
        sys.stdout.write("\n")
    else:
        sys.stdout.write(boilerplate())
    return 0


def descriptions(text: str) -> dict[str, str]:
    """What the comments above and beside sections and keys say of them, by their dotted path."""
    import re

    found: dict[str, str] = {}
    section, above = "", ""
    for line in text.splitlines():
        key = re.fullmatch(r"(?:# )?(\w+) = (?:.*?\s+# (.*)|.*)", line)
        header = re.fullmatch(r"(?:# )?\[([\w.]+)\]", line)
        if key or header:
            section = header[1] if header else section
            path = header[1] if header else f"{section}.{key[1] if key else ''}".removeprefix(".")
            found[path] = above or (key and key[2]) or ""
        above = f"{above} {line[2:]}".strip() if line.startswith("# ") and not (key or header) else ""
    return {path: said for path, said in found.items() if said}
