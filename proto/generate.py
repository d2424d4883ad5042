"""Generate ``teleport_email.teleport._proto`` from the .proto files beside this script.

    python proto/generate.py            write the generated modules
    python proto/generate.py --check    say which of them are out of date; exit code 1 if any is

The compiler is told that this directory *is* the package's, so the modules import each other by their full
name and nothing has to stand on ``sys.path``. For the services it writes no type stubs; this script does.
The same grpcio-tools gives the same bytes; another version is refused, since the generated code demands
runtimes at least as new as its generator (see the minimum versions in pyproject.toml).
"""

from __future__ import annotations

import argparse
import importlib.metadata
import re
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import grpc_tools
from google.protobuf import descriptor_pb2
from grpc_tools import protoc

GENERATOR = "1.85.1"
"""Version of grpcio-tools. A new one goes together with new minimum versions of grpcio and protobuf."""

SOURCES = Path(__file__).resolve().parent
PACKAGE = "teleport_email/teleport/_proto"
TARGET = SOURCES.parent / "src" / PACKAGE
MARK = "# Generated from proto/ by proto/generate.py. Do not edit.\n"

CALLS = "teleport_email.teleport.calls.call"
"""Where the types of a stub's methods are: grpcio brings no annotations."""


def generate() -> dict[str, str]:
    """The generated files by name."""
    with tempfile.TemporaryDirectory() as directory:
        out = Path(directory)
        descriptors = out / "descriptors"
        status = protoc.main(
            [
                "protoc",
                f"-I{PACKAGE}={SOURCES}",
                f"-I{Path(grpc_tools.__file__).parent / '_proto'}",
                f"--python_out={out}",
                f"--pyi_out={out}",
                f"--grpc_python_out={out}",
                f"--descriptor_set_out={descriptors}",
                "--include_imports",
                *(f"{PACKAGE}/{source.name}" for source in sorted(SOURCES.glob("*.proto"))),
            ]
        )
        if status != 0:
            raise SystemExit(f"protoc failed with exit code {status}")
        files = descriptor_pb2.FileDescriptorSet.FromString(descriptors.read_bytes()).file
        ours = [file for file in files if file.name.startswith(PACKAGE)]
        generated: dict[str, str] = {}
        for file in ours:
            stem = Path(file.name).stem
            generated[f"{stem}_pb2.py"] = MARK + (out / PACKAGE / f"{stem}_pb2.py").read_text()
            generated[f"{stem}_pb2.pyi"] = MARK + unshadow((out / PACKAGE / f"{stem}_pb2.pyi").read_text())
            if file.service:
                generated[f"{stem}_pb2_grpc.py"] = MARK + (out / PACKAGE / f"{stem}_pb2_grpc.py").read_text()
                generated[f"{stem}_pb2_grpc.pyi"] = MARK + service_types(file, files)
        return generated


def unshadow(stub: str) -> str:
    """Type stubs in which a field may have the name of its type (``Metadata: Metadata`` means itself)."""
    names: list[str] = []

    def alias(match: re.Match[str]) -> str:
        names.append(match["name"])
        return f"    {match['name']}: _{match['name']}\n"

    stub = re.sub(r"^    (?P<name>\w+): (?P=name)\n", alias, stub, flags=re.MULTILINE)
    return stub + "".join(f"\n_{name} = {name}\n" for name in dict.fromkeys(names))


def service_types(
    file: descriptor_pb2.FileDescriptorProto, files: Iterable[descriptor_pb2.FileDescriptorProto]
) -> str:
    """Type stubs of the client and server classes that the compiler makes for a file's services."""
    modules = {
        f".{other.package}.{message.name}": other.name.removesuffix(".proto").replace("/", ".") + "_pb2"
        for other in files
        for message in other.message_type
    }
    used: set[str] = set()

    def python(name: str) -> str:
        module = modules[name]
        used.add(module)
        return f"{module.rpartition('.')[2]}.{name.rpartition('.')[2]}"

    body: list[str] = []
    for service in file.service:
        body += [
            f"\nclass {service.name}Stub:",
            "    def __init__(self, channel: grpc.aio.Channel) -> None: ...",
        ]
        for method in service.method:
            call = "StreamCall" if method.server_streaming else "UnaryCall"
            body.append(
                f"    {method.name}: {call}[{python(method.input_type)}, {python(method.output_type)}]"
            )
        body += [f"\nclass {service.name}Servicer:"]
        for method in service.method:
            answer = python(method.output_type)
            start = "async def"
            if method.server_streaming:
                start, answer = "def", f"AsyncIterator[{answer}]"
            parameters = f"self, request: {python(method.input_type)}, context: Any"
            body.append(f"    {start} {method.name}({parameters}) -> {answer}: ...")
        body.append(
            f"\ndef add_{service.name}Servicer_to_server"
            f"(servicer: {service.name}Servicer, server: grpc.aio.Server) -> None: ..."
        )
    imports = (
        f"from {module.rpartition('.')[0]} import {module.rpartition('.')[2]}" for module in sorted(used)
    )
    head = [
        "from collections.abc import AsyncIterator",
        "from typing import Any",
        "",
        "import grpc.aio",
        *imports,
        f"from {CALLS} import StreamCall, UnaryCall",
    ]
    return "\n".join([*head, *body]) + "\n"


def out_of_date(generated: dict[str, str]) -> list[str]:
    """Names of the files that differ from what is generated, are missing, or are left over."""
    present = {path.name: path.read_text() for path in TARGET.glob("*_pb2*.py*")}
    return sorted(
        name for name in generated.keys() | present.keys() if generated.get(name) != present.get(name)
    )


def main(arguments: Sequence[str]) -> int:
    """Write the files, or compare them with ``--check``."""
    parser = argparse.ArgumentParser(description="Generate the code for Teleport's messages and services.")
    parser.add_argument("--check", action="store_true", help="write nothing, compare")
    options = parser.parse_args(arguments)
    installed = importlib.metadata.version("grpcio-tools")
    if installed != GENERATOR:
        print(f"grpcio-tools is {installed}, but the code is generated with {GENERATOR}.", file=sys.stderr)
        return 1
    generated = generate()
    differing = out_of_date(generated)
    if options.check:
        for name in differing:
            print(
                f"out of date: {TARGET.relative_to(SOURCES.parent) / name} (run `make protos`)",
                file=sys.stderr,
            )
        return 1 if differing else 0
    TARGET.mkdir(parents=True, exist_ok=True)
    for name in differing:
        if name in generated:
            (TARGET / name).write_text(generated[name])
        else:
            (TARGET / name).unlink()
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
