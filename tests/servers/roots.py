"""Unpack real mail servers, each into a root of its own under ``build/servers/``: ``python tests/servers/roots.py``.

Debian's packages of mail servers exclude each other, and nothing is to be installed on the machine. So apt, with
a state of its own and the mirror that the machine uses anyway, fetches each server with all that it needs, and
dpkg-deb unpacks that; no script of any package runs. Exit code 0: the roots are there; 3: they cannot be made
here, and why is on standard output.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

BUILD = Path(__file__).resolve().parents[2] / "build" / "servers"
SUITE = "trixie"
"""Debian 13: its OpenSMTPD is 7.6; 6.8 of Debian 12 cannot do TLS with OpenSSL 3."""
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
SERVERS = {
    "postfix": ["postfix", "dovecot-core"],
    "exim": ["exim4-daemon-heavy"],
    "opensmtpd": ["opensmtpd", "dash"],  # it delivers through a shell
}

USERS = {
    "root": 0, "nobody": 65534, "mail": 8, "keeper": 5000,
    "postfix": 901, "dovecot": 902, "dovenull": 903, "Debian-exim": 904, "opensmtpd": 905, "opensmtpq": 906,
}  # fmt: skip
GROUPS = USERS | {"postdrop": 907}
_DEVICES = {"null": (1, 3), "zero": (1, 5), "random": (1, 8), "urandom": (1, 9)}


class CannotError(Exception):
    """This machine cannot make or run the roots."""


def main() -> int:
    """Make what is missing."""
    try:
        need()
        for server, packages in SERVERS.items():
            make(server, packages)
    except CannotError as error:
        print(f"real mail servers cannot be run here: {error}")
        return 3
    return 0


def need() -> None:
    """:raises CannotError: with what is missing."""
    if os.geteuid() != 0:
        raise CannotError("that needs root (chroot, a network namespace)")
    for program in ("apt-get", "dpkg-deb", "unshare", "chroot"):
        if shutil.which(program) is None:
            raise CannotError(f"{program} is missing")
    if not KEYRING.exists():
        raise CannotError(f"{KEYRING} is missing")
    namespaces = subprocess.run(
        ["unshare", "--net", "--pid", "--fork", "--mount", "true"],
        capture_output=True,
        text=True,
        check=False,
    )
    if namespaces.returncode != 0:
        raise CannotError(f"no namespaces of our own: {namespaces.stderr.strip()}")


def make(server: str, packages: list[str]) -> None:
    """Fetch and unpack one server, unless that was done before."""
    root = BUILD / server
    made = root / ".made"
    if made.exists() and made.read_text() == repr(packages):
        return
    shutil.rmtree(root, ignore_errors=True)
    archives = fetch(server, packages)
    for name in ("bin", "sbin", "lib", "lib64"):
        (root / "usr" / name).mkdir(parents=True)
        (root / name).symlink_to(f"usr/{name}")
    for archive in archives:
        _run("dpkg-deb", "-x", str(archive), str(root))
    _furnish(root)
    made.write_text(repr(packages))
    shutil.rmtree(BUILD / "apt" / server)


def fetch(server: str, packages: list[str]) -> list[Path]:
    """The packages and all that they depend on."""
    apt = BUILD / "apt"
    config = apt / "apt.conf"
    if not config.exists():
        for folder in ("lists/partial", "etc/apt.conf.d", "etc/preferences.d", "etc/trusted.gpg.d"):
            (apt / folder).mkdir(parents=True, exist_ok=True)
        (apt / "status").touch()
        (apt / "etc/sources.list").write_text(f"deb [signed-by={KEYRING}] {mirror()} {SUITE} main\n")
        text = (
            f'Dir "{apt}/";\nDir::State "{apt}";\nDir::State::status "{apt}/status";\n'
            f'Dir::State::lists "{apt}/lists";\nDir::Cache "{apt}";\nDir::Etc "{apt}/etc";\n'
            'APT::Install-Recommends "false";\nAPT::Sandbox::User "root";\nAcquire::Languages "none";\n'
            'Acquire::Retries "3";\nDPkg::Post-Invoke {};\nAPT::Update::Post-Invoke {};\n'
        )
        config.write_text(text)
        try:
            _run("apt-get", "-qq", "--error-on=any", "update", config=config)
        except CannotError:
            config.unlink()
            raise
    archives = apt / server
    (archives / "partial").mkdir(parents=True, exist_ok=True)
    options = ["-y", "-qq", "--download-only", "-o", f"Dir::Cache::archives={archives}/"]
    _run("apt-get", *options, "install", *packages, config=config)
    return sorted(archives.glob("*.deb"))


def mirror() -> str:
    """Where this machine has its Debian packages from."""
    listed = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI) $(CODENAME)", "Created-By: Packages"],
        capture_output=True,
        text=True,
        check=False,
    )
    for line in listed.stdout.splitlines():
        uri, _, codename = line.partition(" ")
        if uri.rstrip("/").endswith("/debian") and "-" not in codename:
            return uri
    raise CannotError("apt names no mirror of Debian")


def _furnish(root: Path) -> None:
    """What packages' scripts and the base system would have made."""
    for folder in ("dev", "proc", "tmp", "run", "root", "var/log", "var/mail", "var/spool", "var/empty"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    (root / "var/run").symlink_to("../run")
    (root / "tmp").chmod(0o1777)
    for name, numbers in _DEVICES.items():
        try:
            os.mknod(root / "dev" / name, stat.S_IFCHR | 0o666, os.makedev(*numbers))
        except OSError as error:
            raise CannotError(f"devices cannot be made: {error.strerror}") from error
        (root / "dev" / name).chmod(0o666)
    if (root / "usr/bin/dash").exists() and not (root / "usr/bin/sh").exists():
        (root / "usr/bin/sh").symlink_to("dash")
    etc = root / "etc"
    (etc / "passwd").write_text("".join(f"{n}:x:{i}:{i}::/var/empty:/bin/false\n" for n, i in USERS.items()))
    (etc / "group").write_text("".join(f"{name}:x:{number}:\n" for name, number in GROUPS.items()))
    (etc / "hosts").write_text("127.0.0.1 localhost\n::1 localhost\n")
    (etc / "nsswitch.conf").write_text("passwd: files\ngroup: files\nhosts: files\n")
    (etc / "resolv.conf").write_text("")
    (etc / "services").touch()


def _run(*command: str, config: Path | None = None) -> None:
    environ = os.environ | {"LC_ALL": "C"} | ({"APT_CONFIG": str(config)} if config else {})
    done = subprocess.run(
        command, env=environ, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    if done.returncode != 0:
        raise CannotError(f"{command[0]}: {(done.stderr or done.stdout).strip()[-500:]}")


if __name__ == "__main__":
    sys.exit(main())
