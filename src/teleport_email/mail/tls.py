"""TLS towards the mail server: always verified, against the system's CAs or the operator's own."""

from __future__ import annotations

import functools
import os
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path

from teleport_email.config.settings import SmtpSettings

__all__ = ["ClientTls", "TlsFileError", "seconds", "system_context"]


class TlsFileError(Exception):
    """A file that the settings name cannot be used. The text names setting, file and fact."""


def system_context() -> ssl.SSLContext:
    """A client's context that trusts the system's CAs; OpenSSL honours SSL_CERT_FILE and SSL_CERT_DIR."""
    context = _bare_context()
    context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    return context


def _bare_context() -> ssl.SSLContext:
    # Not create_default_context(): since 3.13 it rejects CAs without key identifiers, as people's own are.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


# Each connection sees the same certificates, and reading a date takes a while.
@functools.lru_cache(maxsize=8)
def seconds(ends: str) -> int:
    """Unix time of a certificate's date, as :meth:`ssl.SSLObject.getpeercert` gives it."""
    return ssl.cert_time_to_seconds(ends)


class ClientTls:
    """Gives the TLS context, and a new one when a file that it was made from has changed.

    Reading the system's CAs takes some 20 ms, too long for every connection.
    """

    def __init__(self, settings: SmtpSettings, environ: Mapping[str, str] = os.environ) -> None:
        self._settings = settings
        self._environ = environ
        self._made_from: tuple[object, ...] | None = None
        self._context: ssl.SSLContext | None = None

    def context(self) -> ssl.SSLContext:
        """The context. :raises TlsFileError:"""
        made_from = tuple(_state(path) for path in self._files())
        if self._context is None or made_from != self._made_from:
            self._context, self._made_from = self._make(), made_from
        return self._context

    def _files(self) -> list[Path]:
        settings = self._settings
        own = [path for path in (settings.ca_file, settings.client_cert, settings.client_key) if path]
        system = self._environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile
        return own if settings.ca_file or not system else [*own, Path(system)]

    def _make(self) -> ssl.SSLContext:
        settings = self._settings
        context = _bare_context() if settings.ca_file else system_context()
        if settings.ca_file:
            _load("smtp.ca_file", settings.ca_file, lambda: context.load_verify_locations(settings.ca_file))
        if settings.client_cert:
            certificate, key = settings.client_cert, settings.client_key
            # With an empty pass phrase OpenSSL does not ask the terminal for one.
            _load("smtp.client_cert", certificate, lambda: context.load_cert_chain(certificate, key, ""))
        return context


def _load(setting: str, path: Path, load: Callable[[], None]) -> None:
    try:
        load()
    except ssl.SSLError as error:
        raise TlsFileError(f"{setting} {path} cannot be used: {error.reason or error}") from error
    except OSError as error:
        raise TlsFileError(f"{setting} {path} cannot be read: {error.strerror or error}") from error


def _state(path: Path) -> tuple[object, ...]:
    try:
        stat = path.stat()
    except OSError:
        return (path, None)
    return (path, stat.st_mtime_ns, stat.st_ino, stat.st_size)
