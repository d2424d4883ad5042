"""The keys of the configuration file, and the words that some of them take. Nothing but tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

Severity = Literal["trace", "debug", "info", "warning", "error"]

KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "": (
        "teleport",
        "mailgun",
        "smtp",
        "delivery",
        "role_to_recipients",
        "escalation",
        "access_lists",
        "log",
        "diagnostics",
        "plugin_name",
    ),
    "teleport": (
        "addr",
        "auth_server",
        "identity",
        "refresh_identity",
        "refresh_identity_interval",
        "client_key",
        "client_crt",
        "root_cas",
        "resync_interval",
    ),
    "mailgun": ("domain", "private_key", "private_key_file", "region", "api_base", "require_tls"),
    "smtp": (
        "host",
        "port",
        "username",
        "password",
        "password_file",
        "starttls_policy",
        "tls",
        "auth",
        "allow_plaintext_auth",
        "ca_file",
        "client_cert",
        "client_key",
        "helo_hostname",
        "max_connections",
        "messages_per_connection",
        "max_per_minute",
        "pipelining",
        "oauth2",
    ),
    "smtp.oauth2": ("token_url", "client_id", "client_secret", "client_secret_file", "scope", "token_file"),
    "delivery": (
        "sender",
        "recipients",
        "catch_up",
        "reply_to",
        "timezone",
        "templates",
        "subject",
        "notify_requester",
        "remind_before_expiry",
        "merge_deciding_review",
        "skip_own_review",
        "quiet_reviews",
        "exclude_roles",
        "suggested_reviewers",
        "max_suggested_reviewers",
        "recipients_annotation",
        "allowed_domains",
        "skip_requester",
        "fallback_recipient",
        "max_recipients",
    ),
    "escalation": ("after", "role_to_recipients"),
    "access_lists": ("enabled", "skip_without_members"),
    "log": ("output", "severity", "format"),
    "diagnostics": ("addr", "allow_remote"),
}
"""Every key of every table, by the table's dotted path. The documents and the example are held against it."""

BY_ROLE: Final = frozenset({"role_to_recipients", "escalation.role_to_recipients"})
"""Tables whose keys are names of roles."""
GO_PLUGIN_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "": ("teleport", "mailgun", "smtp", "delivery", "role_to_recipients", "log"),
    "teleport": tuple(key for key in KEYS["teleport"] if key != "resync_interval"),
    "mailgun": ("domain", "private_key", "private_key_file"),
    "smtp": ("host", "port", "username", "password", "password_file", "starttls_policy"),
    "delivery": ("sender", "recipients"),
    "log": ("output", "severity"),
}
"""Those of them that the Go plugin has too."""

REQUESTER_EVENTS: Final = ("received", "approved", "promoted", "denied", "expired", "ended")
MAILGUN_BASES: Final = {"us": "https://api.mailgun.net", "eu": "https://api.eu.mailgun.net"}
SEVERITIES: Final[Mapping[str, Severity]] = {
    "info": "info",
    "err": "error",
    "error": "error",
    "debug": "debug",
    "warn": "warning",
    "warning": "warning",
    "trace": "trace",
}
"""Lower case of every word -> ours (the Go plugin takes both spellings, in any case)."""
POLICIES: Final[Mapping[str, Literal["starttls", "opportunistic", "none"]]] = {
    "mandatory": "starttls",
    "opportunistic": "opportunistic",
    "disabled": "none",
}
TLS_MODES: Final[Mapping[str, Literal["auto", "starttls", "implicit", "none"]]] = {
    "auto": "auto",
    "starttls": "starttls",
    "implicit": "implicit",
    "none": "none",
}
AUTH_MODES: Final[Mapping[str, Literal["auto", "none", "xoauth2"]]] = {
    "auto": "auto",
    "none": "none",
    "xoauth2": "xoauth2",
}
SUBJECTS: Final[Mapping[str, Literal["standard", "descriptive"]]] = {
    "standard": "standard",
    "descriptive": "descriptive",
}
REVIEWERS: Final[Mapping[str, Literal["add", "only", "ignore"]]] = {
    "add": "add",
    "only": "only",
    "ignore": "ignore",
}
LOG_STREAMS: Final[Mapping[str, Literal["stdout", "stderr"]]] = {
    "stdout": "stdout",
    "out": "stdout",
    "1": "stdout",
    "stderr": "stderr",
    "error": "stderr",
    "2": "stderr",
}
"""What the Go plugin takes for a stream in ``log.output``, to the letter; all else is a file's path."""
FORMATS: Final[Mapping[str, Literal["text", "json"]]] = {"text": "text", "json": "json"}
