"""The generated code is what the .proto files say, and nothing has to stand on sys.path for it."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
GENERATE = ROOT / "proto" / "generate.py"
GENERATED = ROOT / "src" / "teleport_email" / "teleport" / "_proto"


def test_is_up_to_date():
    result = subprocess.run(
        [sys.executable, str(GENERATE), "--check"], capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stderr) == (0, "")


def test_check_names_what_differs(tmp_path):
    """The check itself: one .proto changed in a copy is noticed, in its modules and no others."""
    (tmp_path / "proto").mkdir()
    for source in [GENERATE, *GENERATE.parent.glob("*.proto")]:
        (tmp_path / "proto" / source.name).write_bytes(source.read_bytes())
    target = tmp_path / "src" / GENERATED.relative_to(ROOT / "src")
    target.mkdir(parents=True)
    for generated in GENERATED.glob("*_pb2*"):
        (target / generated.name).write_bytes(generated.read_bytes())
    users = tmp_path / "proto" / "users.proto"
    users.write_text(users.read_text().replace("bool with_secrets = 3;", "bool with_secrets = 4;"))
    (target / "gone_pb2.py").write_text("")

    check = [sys.executable, str(tmp_path / "proto" / "generate.py"), "--check"]
    result = subprocess.run(check, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert re.findall(r"(\w+)\.pyi? ", result.stderr) == ["gone_pb2", "users_pb2"]

    assert subprocess.run(check[:-1], check=False).returncode == 0
    assert subprocess.run(check, check=False).returncode == 0
    assert not (target / "gone_pb2.py").exists()


def test_minimum_versions_are_those_of_the_generator():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    requirements = " ".join(project["project"]["dependencies"])
    grpc_text = (GENERATED / "auth_pb2_grpc.py").read_text()
    protobuf_text = (GENERATED / "auth_pb2.py").read_text()
    grpc_version = re.search(r"GRPC_GENERATED_VERSION = '([\d.]+)'", grpc_text)
    protobuf_version = re.search(r"Protobuf Python Version: ([\d.]+)", protobuf_text)
    assert grpc_version is not None
    assert protobuf_version is not None
    assert f"grpcio>={grpc_version[1]} " in requirements + " "
    assert f"protobuf>={protobuf_version[1]}," in requirements
    assert f'GENERATOR = "{grpc_version[1]}"' in GENERATE.read_text()


def test_imports_by_full_name_only():
    """A stray ``import types_pb2`` would need the directory on sys.path and clash with others' modules."""
    for module in GENERATED.glob("*.py*"):
        for line in module.read_text().splitlines():
            if line.startswith(("import ", "from ")):
                assert line.split()[1].split(".")[0] in {
                    "collections", "datetime", "google", "grpc", "teleport_email", "typing", "warnings",
                }, f"{module.name}: {line}"  # fmt: skip
