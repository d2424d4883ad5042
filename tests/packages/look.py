"""Runs in a root with lintian and rpm: what is in each package, for the machine that it says.

Every package below /packages is unpacked. Its modules are for its machine and its Python, and need no library that
it does not name. lintian finds no error in a Debian package.
"""

from __future__ import annotations

import re
import struct
import subprocess
from pathlib import Path

HERE = Path("/packages")
MACHINES = {"amd64": 62, "x86_64": 62, "arm64": 183, "aarch64": 183}
"""e_machine of ELF."""
LIBRARIES = re.compile(r"lib(c|m|dl|rt|pthread|gcc_s|stdc\+\+)\.so\.\d+|ld-linux-(x86-64|aarch64)\.so\.\d")
"""Those of the packages libc6, libgcc-s1, libstdc++6, glibc, libgcc, libstdc++."""
NEEDED = {
    "usr/bin/teleport-email",
    "usr/lib/systemd/system/teleport-email.service",
    "usr/lib/sysusers.d/teleport-email.conf",
    "usr/lib/tmpfiles.d/teleport-email.conf",
    "usr/share/man/man1/teleport-email.1.gz",
    "usr/share/man/man5/teleport-email.toml.5.gz",
    "usr/share/bash-completion/completions/teleport-email",
    "usr/share/fish/vendor_completions.d/teleport-email.fish",
    "usr/share/teleport-email/teleport-email.schema.json",
    "etc/teleport-email.toml",
    "etc/logrotate.d/teleport-email",
}


def run(*command: str | Path, good: bool = True) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode == 0) is good, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def unpacked(package: Path) -> Path:
    tree = Path("/srv") / package.name
    tree.mkdir()
    if package.suffix == ".deb":
        run("dpkg-deb", "-x", package, tree)
    else:
        run("sh", "-c", f"cd {tree} && rpm2cpio {package} | cpio -idm --quiet")
    return tree


def look(package: Path) -> None:
    machine = next(name for name in MACHINES if package.stem.endswith(name))
    tree = unpacked(package)
    missing = [name for name in NEEDED if not (tree / name).exists()]
    assert not missing, missing
    [site] = tree.glob("usr/lib/teleport-email/lib/python*/site-packages")
    python = site.parent.name.removeprefix("python")
    assert (tree / "usr/lib/teleport-email/bin/python").readlink() == Path(f"/usr/bin/python{python}")
    modules = list(site.rglob("*.so"))
    assert len(modules) > 5
    for module in modules:
        with module.open("rb") as file:
            head = file.read(20)
        assert head[:4] == b"\x7fELF", module
        assert struct.unpack("<H", head[18:20]) == (MACHINES[machine],), module
        tag = re.search(r"\.cpython-(\d)(\d+)-(\w+)-", module.name)
        assert tag is None or f"{tag[1]}.{tag[2]}" == python, module
        libraries = re.findall(r"\(NEEDED\).*\[(.*)\]", run("readelf", "-d", module))
        assert all(LIBRARIES.fullmatch(name) for name in libraries), (module, libraries)
    assert not list(tree.rglob("__pycache__"))
    assert not [
        path
        for path in tree.rglob("*")
        if path.stat(follow_symlinks=False).st_mode & 0o7022 and not path.is_symlink()
    ]
    (of_deb if package.suffix == ".deb" else of_rpm)(package, python)
    print(f"  ok {package.name}: {len(modules)} modules for {machine} and Python {python}")


def of_deb(package: Path, python: str) -> None:
    assert f"python{python}," in run("dpkg-deb", "-f", package, "Depends")
    run("lintian", "--allow-root", "--fail-on", "error", package)


def of_rpm(package: Path, python: str) -> None:
    asked = ("rpm", "-qp", "--nosignature")
    assert f"/usr/bin/python{python}\n" in run(*asked, "--requires", package)
    assert set(run(*asked, "--configfiles", package).split()) == {
        "/etc/logrotate.d/teleport-email",
        "/etc/teleport-email.toml",
    }
    form = "[%{FILENAMES} %{FILEMODES:perms} %{FILEUSERNAME}:%{FILEGROUPNAME}\n]"
    listed = run(*asked, "--queryformat", form, package).splitlines()
    assert "/etc/teleport-email.toml -rw-r----- root:teleport-email" in listed
    for kind in ("preinstall", "postinstall", "preuninstall", "postuninstall"):
        assert f"{kind} scriptlet" in run(*asked, "--scripts", package)
    script = re.sub(r"(?m)^\w+ scriptlet.*$", "", run(*asked, "--scripts", package))
    run("sh", "-n", "-c", script)


packages = [path for path in sorted(HERE.iterdir()) if path.suffix in (".deb", ".rpm")]
assert packages, "make packages first"
for package in packages:
    look(package)
