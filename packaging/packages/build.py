"""Build packages of this checkout: ``python packaging/packages/build.py [TARGET ...]`` (or: make packages).

Each has an environment of its own under /usr/lib/teleport-email: the locked wheels of its platform and the
interpreter of its distribution. So nothing of the target has to be here, and arm64 is made on amd64. What
needs the interpreter itself (compiling) the package does where it is installed. The same commit gives the
same bytes.

MAINTAINER  name and address that the packages have
NFPM        the program that makes packages of trees; if it is not in PATH it is built, once, where Go is
"""

from __future__ import annotations

import gzip
import os
import re
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = ROOT / "packaging/packages"
BUILD = ROOT / "build/packages"
DIST = ROOT / "dist"
HOME = "usr/lib/teleport-email"
# The last one whose dependencies are all in the Go module proxy.
NFPM = "v2.41.3"
MAINTAINER = os.environ.get("MAINTAINER", "The teleport-email authors <teleport-email@example.com>")
[VERSION] = re.findall(r'__version__ = "(.*)"', (ROOT / "src/teleport_email/__init__.py").read_text())


@dataclass(frozen=True)
class Target:
    """A distribution on a machine: its Python and its glibc decide which wheels run there."""

    kind: str
    release: str
    python: str
    glibc: int
    """The minor version of its glibc 2."""
    arch: str

    @property
    def machine(self) -> str:
        """As the kernel calls it."""
        return {"amd64": "x86_64", "arm64": "aarch64"}[self.arch]


TARGETS = {
    f"{name}-{arch}": Target(kind, release, python, glibc, arch)
    for name, kind, release, python, glibc in (
        ("bookworm", "deb", "1~deb12u1", "3.11", 36),
        ("trixie", "deb", "1~deb13u1", "3.13", 41),
        # EL 9 has it as a package beside its own 3.9.
        ("el9", "rpm", "1.el9", "3.12", 34),
    )
    for arch in ("amd64", "arm64")
}


def main(names: list[str]) -> int:
    """Build what is named, or all."""
    if unknown := set(names) - set(TARGETS):
        print(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(TARGETS)}", file=sys.stderr)
        return 2
    nfpm = find_nfpm()
    wheel = build_wheel()
    DIST.mkdir(exist_ok=True)
    for name in names or TARGETS:
        made = build(name, TARGETS[name], wheel, nfpm)
        print(f"{made.relative_to(ROOT)}  {made.stat().st_size / 1e6:.1f} MB", flush=True)
    return 0


def build(name: str, target: Target, wheel: Path, nfpm: str) -> Path:
    """The tree of one target, and the package of it."""
    tree = BUILD / name
    shutil.rmtree(tree, ignore_errors=True)
    environment(tree, target, wheel)
    host(tree, target)
    documents(tree, target)
    at = epoch()
    for path in sorted(tree.rglob("*"), reverse=True):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.parent == tree / "usr/bin" else 0o644)
        os.utime(path, (at, at), follow_symlinks=False)
    words = {
        "ARCH": target.arch,
        "VERSION": VERSION,
        "RELEASE": target.release,
        "PYTHON": target.python,
        "MAINTAINER": MAINTAINER,
        "VENDOR": MAINTAINER.partition(" <")[0],
        "CONFIG_GROUP": "root" if target.kind == "deb" else "teleport-email",
        "MTIME": datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z"),
        "ROOT": str(tree),
    }
    config = re.sub(r"\$\{(\w+)\}", lambda found: words[found[1]], (HERE / "nfpm.yaml").read_text())
    (BUILD / f"{name}.yaml").write_text(config)
    file = {
        "deb": f"teleport-email_{VERSION}-{target.release}_{target.arch}.deb",
        "rpm": f"teleport-email-{VERSION}-{target.release}.{target.machine}.rpm",
    }[target.kind]
    package = ["package", "--packager", target.kind, "--config", str(BUILD / f"{name}.yaml")]
    run([nfpm, *package, "--target", str(DIST / file)], SOURCE_DATE_EPOCH=str(at))
    return DIST / file


def environment(tree: Path, target: Target, wheel: Path) -> None:
    """A virtual environment as the target's own Python would make it, without pip and without scripts."""
    home = tree / HOME
    site = home / f"lib/python{target.python}/site-packages"
    site.mkdir(parents=True)
    tags = [f"manylinux_2_{minor}_{target.machine}" for minor in range(target.glibc, 4, -1)]
    tags.append(f"manylinux2014_{target.machine}")
    pip(
        ["install", "--target", str(site), "--no-deps", "--require-hashes", "--only-binary=:all:",
         "--no-compile", "--python-version", target.python, *(f"--platform={tag}" for tag in tags),
         "-r", "requirements/runtime.txt"]
    )  # fmt: skip
    shutil.rmtree(site / "bin", ignore_errors=True)
    for record in site.glob("*.dist-info/RECORD"):
        kept = [
            line for line in record.read_text().splitlines() if not re.match(r"(\.\./)*bin/|.*\.pyc,", line)
        ]
        record.write_text("".join(f"{line}\n" for line in kept))
    with zipfile.ZipFile(wheel) as ours:
        ours.extractall(site)
    (home / "bin").mkdir()
    (home / "bin/python").symlink_to(f"/usr/bin/python{target.python}")
    (home / "bin/python3").symlink_to("python")
    (home / "pyvenv.cfg").write_text(
        f"home = /usr/bin\ninclude-system-site-packages = false\nversion = {target.python}\n"
    )


def host(tree: Path, target: Target) -> None:
    """What lies outside of the environment: command, service, manual pages, completion, configuration."""
    write(
        tree / "usr/bin/teleport-email",
        f'#!/bin/sh\nexec /{HOME}/bin/python -I -m teleport_email "$@"\n',
    )
    own(
        "install-service",
        "--write",
        "--prefix=/usr",
        "--program=/usr/bin/teleport-email",
        f"--destdir={tree}",
    )
    for page in (tree / "usr/share/man").glob("man?/*"):
        squeeze(page)
    functions = {"deb": "vendor-completions", "rpm": "site-functions"}[target.kind]
    share = tree / "usr/share"
    for shell, place in (
        ("bash", share / "bash-completion/completions/teleport-email"),
        ("zsh", share / f"zsh/{functions}/_teleport-email"),
        ("fish", share / "fish/vendor_completions.d/teleport-email.fish"),
    ):
        write(place, own("completion", shell))
    write(share / "teleport-email/teleport-email.schema.json", own("configure", "--schema"))
    write(tree / "etc/teleport-email.toml", own("configure"))


def documents(tree: Path, target: Target) -> None:
    """Licence, changelog, examples."""
    doc = tree / "usr/share/doc/teleport-email"
    shutil.copytree(ROOT / "examples", doc / "examples")
    if target.kind == "rpm":
        write(tree / "usr/share/licenses/teleport-email/LICENSE", (ROOT / "LICENSE").read_text())
        write(doc / "CHANGELOG.md", (ROOT / "CHANGELOG.md").read_text())
        return
    write(doc / "copyright", (HERE / "deb/copyright").read_text())
    write(doc / "changelog", (ROOT / "CHANGELOG.md").read_text())
    squeeze(doc / "changelog")
    write(
        doc / "changelog.Debian",
        f"teleport-email ({VERSION}-{target.release}) unstable; urgency=medium\n\n"
        f"  * {VERSION}; what is new stands in changelog.gz.\n\n"
        f" -- {MAINTAINER}  {format_datetime(datetime.fromtimestamp(epoch(), UTC))}\n",
    )
    squeeze(doc / "changelog.Debian")
    write(tree / "usr/share/lintian/overrides/teleport-email", (HERE / "deb/lintian-overrides").read_text())


def build_wheel() -> Path:
    """Our own wheel, with the commit in it."""
    shutil.rmtree(BUILD / "wheel", ignore_errors=True)
    run(["make", "--no-print-directory", "wheel", f"WHEELS={BUILD / 'wheel'}", f"VENV={Path(sys.prefix)}"])
    [wheel] = (BUILD / "wheel").glob("*.whl")
    return wheel


def find_nfpm() -> str:
    """The program, or one built of Go's modules and kept."""
    if found := os.environ.get("NFPM") or shutil.which("nfpm"):
        return found
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "teleport-email"
    kept = cache / f"nfpm-{NFPM}"
    if not kept.exists():
        if shutil.which("go") is None:
            raise SystemExit(
                "neither nfpm nor Go (to build it) is installed here: see https://nfpm.goreleaser.com"
            )
        print(f"building nfpm {NFPM}, a few minutes the first time", flush=True)
        BUILD.mkdir(parents=True, exist_ok=True)
        run(
            ["go", "install", f"github.com/goreleaser/nfpm/v2/cmd/nfpm@{NFPM}"],
            GOBIN=str(BUILD),
            GOFLAGS="-mod=mod",
        )
        cache.mkdir(parents=True, exist_ok=True, mode=0o700)
        shutil.move(BUILD / "nfpm", kept)
    return str(kept)


def epoch() -> int:
    """The time of every file: that of the last commit, or what SOURCE_DATE_EPOCH says."""
    if given := os.environ.get("SOURCE_DATE_EPOCH"):
        return int(given)
    done = subprocess.run(
        ["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return int(done.stdout) if done.returncode == 0 else 315532800


def pip(arguments: list[str]) -> None:
    run([sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments])


def own(*arguments: str) -> str:
    """What this checkout's program prints."""
    return run([sys.executable, "-m", "teleport_email", *arguments], PYTHONPATH=str(ROOT / "src"))


def run(command: list[str], **environ: str) -> str:
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | environ, stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command[:4])} ... failed; why stands above")
    return done.stdout


def write(path: Path, text: str) -> None:
    """A file of the tree; what may be done with it :func:`build` says in the end, of all of them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def squeeze(path: Path) -> None:
    """In place, as `gzip -9n` does it."""
    with gzip.GzipFile(f"{path}.gz", "wb", 9, mtime=0) as file:
        file.write(path.read_bytes())
    path.unlink()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
