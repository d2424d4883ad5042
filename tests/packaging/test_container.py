"""The container's build file: the rules of a linter that matter here, and its health check against a daemon."""

from __future__ import annotations

import asyncio
import fnmatch
import json
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from teleport_email.telemetry.httpd import HttpServer, Request, Response

ROOT = Path(__file__).parents[2]
CONTAINER = ROOT / "packaging/container"


@dataclass(frozen=True)
class Step:
    name: str
    text: str
    stage: int


def steps(text: str) -> list[Step]:
    """The instructions, lines joined, comments gone; ``stage`` is -1 before the first FROM."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n", " ", "\n".join(lines))
    found: list[Step] = []
    stage = -1
    for line in joined.splitlines():
        if not line.strip():
            continue
        name, _, rest = line.partition(" ")
        assert name.isupper(), f"not an instruction: {line}"
        stage += name == "FROM"
        found.append(Step(name, " ".join(rest.split()), stage))
    return found


STEPS = steps((CONTAINER / "Dockerfile").read_text())
FINAL = [step for step in STEPS if step.stage == max(step.stage for step in STEPS)]


def final(name: str) -> list[str]:
    return [step.text for step in FINAL if step.name == name]


def test_every_base_is_pinned_by_a_digest_that_has_no_default() -> None:
    bases = [step.text.split()[0] for step in STEPS if step.name == "FROM"]
    assert len(bases) == 2
    assert all(base.endswith("@${PYTHON_DIGEST}") for base in bases)
    [default] = [step.text for step in STEPS if step.name == "ARG" and step.text.startswith("PYTHON_DIGEST=")]
    assert "@sha256:" not in f"@{default.partition('=')[2]}"
    assert "packaging/container/build.sh" in default, "what the error shows says what to do"


def test_packages_are_checked_against_their_hashes() -> None:
    for step in STEPS:
        for command in re.split(r"&&|\|\||;", step.text) if step.name == "RUN" else []:
            words = shlex.split(command)
            if "install" in words and "pip" in words:
                local = any(word.endswith("*.whl") for word in words)
                assert "--require-hashes" in words or (local and "--no-deps" in words), command
            assert not {"apt-get", "apk", "curl", "wget", "ADD", "sudo"} & set(words), command
    assert not [step for step in STEPS if step.name == "ADD"]


def test_the_labels_say_what_it_is_and_of_what() -> None:
    (labels,) = final("LABEL")
    for name, value in (("version", "VERSION"), ("revision", "COMMIT"), ("source", "SOURCE")):
        assert f'org.opencontainers.image.{name}="${value}"' in labels
        assert f"{value}=" in final("ARG")


def test_the_final_stage_needs_no_shell() -> None:
    assert final("RUN") == []
    for name in ("ENTRYPOINT", "CMD"):
        (text,) = final(name)
        assert isinstance(json.loads(text), list)  # the form without a shell
    (health,) = final("HEALTHCHECK")
    assert isinstance(json.loads(health.partition("CMD")[2]), list)


def test_it_does_not_run_as_root() -> None:
    (user,) = final("USER")
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)  # a number: Kubernetes cannot judge a name
    names = [step.name for step in FINAL]
    assert names.index("USER") < names.index("ENTRYPOINT")
    assert all("--chown" not in text for text in final("COPY"))  # what runs cannot be changed by who runs it


def test_no_secret_can_be_baked_in() -> None:
    for step in STEPS:
        if step.name in ("ARG", "ENV"):
            assert not re.search(r"(?i)passw|secret|token|key", step.text), step.text


def test_the_user_is_the_one_that_the_chart_names() -> None:
    import yaml

    values = yaml.safe_load((ROOT / "packaging/helm/teleport-email/values.yaml").read_text())
    context = values["podSecurityContext"]
    assert final("USER") == [f"{context['runAsUser']}:{context['runAsGroup']}"]


def test_what_is_copied_exists_and_is_not_ignored() -> None:
    ignored = [
        line for line in (CONTAINER / "Dockerfile.dockerignore").read_text().splitlines() if line[:1] != "#"
    ]
    assert ignored[0] == "*"
    allowed = [line[1:] for line in ignored if line.startswith("!")]
    for step in STEPS:
        if step.name != "COPY" or "--from" in step.text:
            continue
        *sources, _ = [word for word in shlex.split(step.text) if not word.startswith("--")]
        for source in sources:
            assert (ROOT / source).exists(), source
            assert any(fnmatch.fnmatch(source, pattern) for pattern in allowed), f"{source} is ignored"
    for pattern in allowed:
        assert (ROOT / pattern).exists()


def test_what_the_wheel_is_made_of_is_copied() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    copied = {source for step in STEPS if step.name == "COPY" for source in step.text.split()}
    assert {project["readme"], *project["license-files"], "pyproject.toml", "src"} <= copied


def health_command() -> list[str]:
    (text,) = final("HEALTHCHECK")
    return [str(word) for word in json.loads(text.partition("CMD")[2])]


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1), (None, 1)])
async def test_the_health_check_asks_the_daemon(status: int | None, code: int) -> None:
    asked = []

    async def healthz(request: Request) -> Response:
        asked.append(request.path)
        return Response.text("", status or 500)

    async with HttpServer({("GET", "/healthz"): healthz}) as server:
        port = server.port
        if status is None:
            await server.close()
        command = [word.replace(":8080/", f":{port}/") for word in health_command()]
        assert command != health_command()
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *command[1:],
            env=os.environ | {"http_proxy": "http://127.0.0.1:1"},
            stderr=asyncio.subprocess.DEVNULL,
        )
        assert await process.wait() == code
    assert asked == ([] if status is None else ["/healthz"])


def test_the_health_check_looks_where_the_daemon_listens() -> None:
    (arguments,) = final("CMD")
    (address,) = re.findall(r"--diag-addr=([\d.:]+)", arguments)
    assert f"http://{address}/healthz" in health_command()[-1]


def test_the_script_builds_on_the_digest_that_it_is_given(tmp_path: Path) -> None:
    docker = tmp_path / "docker"
    docker.write_text(
        '#!/bin/sh\necho "$@" >>"$0.calls"\n[ "$1 $2" != "image inspect" ] || echo python@sha256:new\n'
    )
    docker.chmod(0o700)
    for digest, expected in (("sha256:old", "sha256:old"), ("", "sha256:new")):
        environ = os.environ | {"DOCKER": str(docker), "PYTHON_DIGEST": digest}
        subprocess.run(
            [CONTAINER / "build.sh", "x:1"], env=environ, check=True, timeout=30, capture_output=True
        )
        *before, build = Path(f"{docker}.calls").read_text().splitlines()
        assert f"--build-arg PYTHON_DIGEST={expected} --tag x:1 ." in build
        assert [call.split()[0] for call in before if call != build] == (
            [] if digest else ["build", "pull", "image"]
        )


@pytest.mark.parametrize("program", ["docker", "podman", "buildah"])
def test_the_health_check_survives_every_program(tmp_path: Path, program: str) -> None:
    fake = tmp_path / program
    fake.write_text('#!/bin/sh\necho "$@" >>"$0.calls"\n')
    fake.chmod(0o700)
    environ = os.environ | {"DOCKER": str(fake), "PYTHON_DIGEST": "sha256:old", "SOURCE_URL": "https://x"}
    subprocess.run([CONTAINER / "build.sh"], env=environ, check=True, timeout=30, capture_output=True)
    [call] = Path(f"{fake}.calls").read_text().splitlines()
    assert call.startswith("build --format docker" if program != "docker" else "build --file")
    assert "--build-arg SOURCE=https://x " in call
    done = subprocess.run(
        [CONTAINER / "build.sh"],
        env=environ | {"PYTHON_DIGEST": ""}, check=False, timeout=30, capture_output=True, text=True,
    )  # fmt: skip
    assert ("PYTHON_DIGEST=sha256:..." in done.stderr) is (program == "buildah")


def test_the_image_starts_in_the_chart_of_the_go_plugin() -> None:
    """Its command is `/usr/local/bin/teleport-plugin start --config /etc/teleport-email.toml`."""
    [copied] = [text for text in final("COPY") if "teleport-plugin" in text]
    assert copied == "--chmod=755 packaging/container/teleport-plugin /usr/local/bin/teleport-plugin"
    script = (CONTAINER / "teleport-plugin").read_text()
    (entry,) = final("ENTRYPOINT")
    words = shlex.split(script.splitlines()[-1])
    assert words == ["exec", *json.loads(entry), "$@"], "the same program, whatever user it runs as"
    here = script.replace(json.loads(entry)[0], sys.executable)
    command = ["sh", "-c", here, "teleport-plugin", "start", "--config", "/nowhere/teleport-email.toml"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 78
    assert "/nowhere/teleport-email.toml: cannot be read: No such file" in done.stderr
