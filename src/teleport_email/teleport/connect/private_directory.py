"""A directory of mode 0700 for a socket, that leaves nothing behind for long.

Its owner holds a lock on it. Directories of ours that nobody holds were left by a process that was
killed: they are removed when the next one is made.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from teleport_email.core.errors import Unreachable

PREFIX = "teleport-email-relay-"
"""Of these directories only: what is found unlocked under this name is removed."""

MAX_PATH = 90
"""A socket's path has 108 bytes at most (unix(7)); this leaves room for our directory's and its own name."""


class PrivateDirectory:
    """Made by :meth:`create`; exists until :meth:`remove`, which may be called more than once."""

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self._lock = lock

    @classmethod
    def create(cls, base: Path | None = None) -> PrivateDirectory:
        """In ``base``, or else in the first of the usual places that works.

        Raises :class:`Unreachable` when nowhere can be written to, saying what to do.
        """
        tried: list[str] = []
        for place in [base] if base is not None else list(dict.fromkeys(_places())):
            if len(os.fsencode(place)) > MAX_PATH - len(PREFIX):
                tried.append(f"{place} (path too long for a socket)")
                continue
            _sweep(place)
            try:
                return cls._create_in(place)
            except OSError as exc:
                tried.append(f"{place} ({exc.strerror or exc})")
        raise Unreachable(
            f"no directory for a private socket; tried {', '.join(tried) or 'none'}: make one writable, "
            "or set RUNTIME_DIRECTORY or TMPDIR (systemd: RuntimeDirectory=, Kubernetes: an emptyDir)"
        )

    @classmethod
    def _create_in(cls, place: Path) -> PrivateDirectory:
        for _ in range(10):  # again only if another process swept ours in the instant before we locked it
            path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))
            if (lock := _lock(path)) is not None:
                return cls(path, lock)
        raise OSError("the directory is taken away as soon as it is made")

    def remove(self) -> None:
        """Remove directory and lock."""
        lock, self._lock = self._lock, -1
        if lock >= 0:
            shutil.rmtree(self.path, ignore_errors=True)
            os.close(lock)


def _places() -> Iterator[Path]:
    # systemd may give several, separated by colons
    runtime = os.environ.get("RUNTIME_DIRECTORY", "").split(":")[0]
    if runtime:
        yield Path(runtime)
    with contextlib.suppress(FileNotFoundError):
        yield Path(tempfile.gettempdir())
    yield Path("/dev/shm")  # noqa: S108 - writable where a container's root file system is not; ours is 0700


def _sweep(place: Path) -> None:
    """Remove what killed processes of this user left there."""
    with contextlib.suppress(OSError), os.scandir(place) as entries:
        for entry in entries:
            if entry.name.startswith(PREFIX):
                info = entry.stat(follow_symlinks=False)
                # Permissions only: in a directory of a group (Kubernetes, fsGroup) it is set-group-ID too.
                private = stat.S_ISDIR(info.st_mode) and info.st_mode & 0o777 == 0o700
                if private and info.st_uid == os.geteuid() and (lock := _lock(Path(entry.path))) is not None:
                    shutil.rmtree(entry.path, ignore_errors=True)
                    os.close(lock)


def _lock(path: Path) -> int | None:
    """A descriptor that holds the lock on the directory; None if another has it, or it is gone."""
    try:
        lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(lock).st_ino == path.stat(follow_symlinks=False).st_ino:
            return lock
    except OSError:
        pass
    os.close(lock)
    return None
