"""TLS as browsers have it: the system's certificate authorities, and ``SSL_CERT_FILE`` / ``SSL_CERT_DIR``."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping

from teleport_email.core.errors import Unreachable


def public_context(environ: Mapping[str, str]) -> ssl.SSLContext:
    """A client context that verifies names and certificates; HTTP/1.1 only.

    Raises :class:`Unreachable` for an ``SSL_CERT_FILE`` that cannot be used.
    """
    # Not create_default_context: from Python 3.13 on it refuses private CAs without key identifiers.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_alpn_protocols(["http/1.1"])
    defaults = ssl.get_default_verify_paths()
    file = environ.get("SSL_CERT_FILE", "")
    directory = environ.get("SSL_CERT_DIR", "") or defaults.openssl_capath
    try:
        # As in OpenSSL: the variable takes the place of the system's file.
        if file or os.path.isfile(defaults.openssl_cafile):  # noqa: PTH113
            context.load_verify_locations(cafile=file or defaults.openssl_cafile)
        if os.path.isdir(directory):  # noqa: PTH112
            context.load_verify_locations(capath=directory)
    except OSError as exc:  # ssl.SSLError is one
        raise Unreachable(
            f"the certificate authorities in {file or defaults.openssl_cafile} cannot be used: "
            f"{exc.strerror or exc}; check SSL_CERT_FILE"
        ) from None
    return context
