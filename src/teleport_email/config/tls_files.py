"""Whether certificates and keys that the configuration names can be used, not only read.

A reload must find that out before it lets go of the configuration that works.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path


def faults(
    ca_file: Path | None, client_cert: Path | None, client_key: Path | None
) -> Iterator[tuple[str, str]]:
    """Key and fault of each that OpenSSL refuses; what cannot even be read is somebody else's to tell."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if ca_file:
        try:
            context.load_verify_locations(ca_file)
        except ssl.SSLError as error:
            yield "ca_file", f"holds no usable certificate in PEM form: {ca_file}{_reason(error)}"
        except OSError:
            pass
    if client_cert:
        try:
            # With an empty pass phrase OpenSSL does not ask the terminal for one.
            context.load_cert_chain(client_cert, client_key, password="")
        except ssl.SSLError as error:
            where = f"{client_cert} and {client_key}" if client_key else f"{client_cert}, without client_key,"
            needed = "must hold a certificate and its key in PEM form, without a pass phrase"
            yield "client_cert", f"{where} {needed}{_reason(error)}"
        except OSError:
            pass


def _reason(error: ssl.SSLError) -> str:
    return f" ({error.reason.lower().replace('_', ' ')})" if error.reason else ""
