"""The heap of a program that runs for months: what is there for good, and what goes back to the system."""

from __future__ import annotations

import gc
from asyncio import sslproto

TLS_BUFFER = 32 * 1024
"""Two of the largest records (RFC 8446 section 5.1): no more than one comes at once of what we are told."""


def spare() -> None:
    """To be called before anything is connected.

    asyncio gives each TLS connection 256 KB to read into: 2.5 MB for ten connections to a mail server, whose
    replies have a hundred bytes.
    """
    sslproto.SSLProtocol.max_size = TLS_BUFFER


def settle() -> None:
    """To be called once everything is loaded: it is there for good, and no collection looks at it again.

    Else each full collection goes through some 50,000 objects: 5 % of the time that a burst of mails takes.
    """
    gc.collect()
    gc.freeze()


def give_back() -> None:
    """To be called after a great need has passed: all ledgers at once, the templates' compiler.

    glibc keeps freed memory unless it is told otherwise (malloc_trim(3)); with 10,000 open requests these
    were 43 MB of 126. Takes milliseconds. Without glibc nothing happens.
    """
    import ctypes  # one use per connection: not worth its memory before

    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, OSError):  # musl has no such function, and needs none
        return
