"""What the environment says beside the configuration file."""

from __future__ import annotations

from collections.abc import Mapping

from teleport_email.core.errors import ConfigError, Fault

_TRUE, _FALSE = ("1", "t", "true"), ("", "0", "f", "false")


def fail_fast(environ: Mapping[str, str]) -> bool:
    """``TELEPORT_PLUGIN_FAIL_FAST``, read as Go reads a bool. Raises :class:`ConfigError`."""
    name = "TELEPORT_PLUGIN_FAIL_FAST"
    text = environ.get(name, "").lower()
    if text not in (*_TRUE, *_FALSE):
        raise ConfigError([Fault(f"${name}", f"'{text}' is neither true nor false; write one of these")])
    return text in _TRUE
