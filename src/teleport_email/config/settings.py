"""The configuration as frozen values. What is in here has been checked: nothing further needs asking.

Durations are seconds (float), addresses are plain ``local@domain`` in the one form that
:func:`~teleport_email.core.addresses.parse_address` gives. Secrets are :class:`Secret` and show
themselves to nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from msgspec import Struct, field

from teleport_email.core import redaction

HOUR = 3600.0


class Secret:
    """A string that stays out of repr, logs and errors. ``reveal()`` at the place of use."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value
        redaction.know(value)  # also where a server or a library says it

    def reveal(self) -> str:
        """The secret itself; bytes that are no UTF-8 stand in it as ``surrogateescape`` has them."""
        return self._value

    def raw(self) -> bytes:
        """The secret as it goes over the wire."""
        return self._value.encode("utf-8", "surrogateescape")

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __bool__(self) -> bool:
        return bool(self._value)


NO_SECRET = Secret("")


class TeleportSettings(Struct, frozen=True, kw_only=True):
    """``[teleport]``: where the cluster is and who we are there. Either ``identity`` or the three files."""

    addr: str = "localhost:3025"
    """``host:port``, or several separated by commas, tried in turn."""
    identity: Path | None = None
    refresh_identity: bool = False
    refresh_identity_interval: float = 60.0
    client_key: Path | None = None
    client_crt: Path | None = None
    root_cas: Path | None = None
    resync_interval: float = 600.0


class OAuth2Settings(Struct, frozen=True, kw_only=True):
    """``[smtp.oauth2]``: client credentials, or ``token_file`` that something else renews."""

    token_url: str = ""
    client_id: str = ""
    client_secret: Secret = NO_SECRET
    scope: str = ""
    token_file: Path | None = None


class SmtpSettings(Struct, frozen=True, kw_only=True):
    """``[smtp]``, with ``tls`` and ``auth`` already worked out from port and ``starttls_policy``."""

    host: str
    port: int = 587
    username: str = ""
    password: Secret = NO_SECRET
    tls: Literal["implicit", "starttls", "opportunistic", "none"] = "starttls"
    """``opportunistic``: STARTTLS where offered (``starttls_policy = "opportunistic"``)."""
    auth: Literal["none", "password", "xoauth2"] = "none"
    oauth2: OAuth2Settings | None = None
    allow_plaintext_auth: bool = False
    ca_file: Path | None = None
    client_cert: Path | None = None
    client_key: Path | None = None
    helo_hostname: str = ""
    max_connections: int = 10
    messages_per_connection: int = 10
    max_per_minute: int = 0
    """0: no limit."""
    pipelining: bool = True
    """Use PIPELINING where it is offered."""


class MailgunSettings(Struct, frozen=True, kw_only=True):
    """``[mailgun]``."""

    domain: str
    private_key: Secret
    api_base: str = "https://api.mailgun.net"
    """Without a path; https, or http to a loopback address."""
    require_tls: bool = True


class DeliverySettings(Struct, frozen=True, kw_only=True):
    """``[delivery]``."""

    sender: str
    """Plain address, or ``Name <address>``; the name is printable text, not yet quoted or encoded."""
    catch_up: float = 168 * HOUR
    """Announce pending requests up to this age when they have no ledger; 0 turns that off."""
    reply_to: str = ""
    timezone: str = "UTC"
    """IANA name that this machine knows; ``UTC`` needs no time zone data."""
    templates: Path | None = None
    subject: Literal["standard", "descriptive"] = "standard"
    """``standard``: cluster and id, as the Go plugin writes it. ``descriptive``: who asks for what."""
    notify_requester: frozenset[str] = frozenset()
    """Of ``received approved promoted denied expired ended``; ``promoted`` goes with ``approved``."""
    remind_before_expiry: tuple[float, ...] = ()
    """Each in another minute, the longest first."""
    merge_deciding_review: bool = False
    skip_own_review: bool = False
    quiet_reviews: bool = False
    exclude_roles: tuple[str, ...] = ()
    suggested_reviewers: Literal["add", "only", "ignore"] = "add"
    max_suggested_reviewers: int = 20
    recipients_annotation: str = ""
    """Name of a system annotation with more recipients; empty: none."""
    allowed_domains: tuple[str, ...] = ()
    skip_requester: bool = False
    fallback_recipient: str = ""
    max_recipients: int = 500


class EscalationSettings(Struct, frozen=True, kw_only=True):
    """``[escalation]``."""

    after: float = 0.0
    """0: off."""
    role_to_recipients: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Role or glob -> addresses; a role that no key fits is escalated to nobody."""


class AccessListSettings(Struct, frozen=True, kw_only=True):
    """``[access_lists]``: reminding owners of Access Lists of reviews that are due."""

    enabled: bool = False
    skip_without_members: bool = True


class LogSettings(Struct, frozen=True, kw_only=True):
    """``[log]``."""

    output: str = "stderr"
    """``stdout``, ``stderr`` or a file's path."""
    severity: Literal["trace", "debug", "info", "warning", "error"] = "info"
    format: Literal["text", "json"] = "text"


class DiagnosticsSettings(Struct, frozen=True, kw_only=True):
    """``[diagnostics]``."""

    addr: str = ""
    """``host:port``; empty: off."""
    allow_remote: bool = False


class Settings(Struct, frozen=True, kw_only=True):
    """The whole configuration. ``mailer`` is the one that sends: with both sections SMTP wins."""

    teleport: TeleportSettings
    mailer: SmtpSettings | MailgunSettings
    delivery: DeliverySettings
    role_to_recipients: Mapping[str, tuple[str, ...]]
    """Role or glob -> addresses; ``"*"`` is always there."""
    spelled: Mapping[str, str] = field(default_factory=dict)
    """Address -> how the file writes it, where that is another form of it."""
    escalation: EscalationSettings = field(default_factory=EscalationSettings)
    access_lists: AccessListSettings = field(default_factory=AccessListSettings)
    log: LogSettings = field(default_factory=LogSettings)
    diagnostics: DiagnosticsSettings = field(default_factory=DiagnosticsSettings)
    plugin_name: str = "email"
    """Our entry in the plugin data, and our name in Access Monitoring Rules."""
    secret_files: tuple[Path, ...] = ()
    """Files with secrets that the configuration names and that were read; ``check`` looks at who may."""
    warnings: tuple[str, ...] = ()
    """What the user should know though it is no fault: an old key's name, a password in clear text ..."""
