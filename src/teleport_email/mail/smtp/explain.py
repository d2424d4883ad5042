"""Why a connection to the mail server did not come about, in words that say what to do; and our own name."""

from __future__ import annotations

import ipaddress
import socket
import ssl

from aiosmtplib.errors import SMTPResponseException, SMTPServerDisconnected

from teleport_email.config.settings import SmtpSettings
from teleport_email.core import redaction
from teleport_email.core.model import AccountFault, Refused, Temporary
from teleport_email.network.unresolved import unresolved

__all__ = [
    "NAME_US",
    "bare",
    "cannot_name",
    "explain",
    "in_certificate",
    "is_loopback",
    "own_name",
    "silent",
    "what_happened",
]

NAME_US = "if it does not like what we call ourselves, set smtp.helo_hostname to this host's full name"
"""What to do about a refused EHLO."""


def explain(error: Exception, settings: SmtpSettings) -> Temporary | AccountFault:
    """Why there is no connection, and whether trying again without a person's help can change it."""
    where = f"{settings.host}:{settings.port}"
    match error:
        case ssl.SSLCertVerificationError():
            what = error.verify_message or str(error)
            remedy = _remedy(error.verify_code, settings)
            return AccountFault(f"the certificate of {where} is not valid for us: {what}; {remedy}")
        case ssl.SSLError() if getattr(error, "reason", "") == "WRONG_VERSION_NUMBER":
            return AccountFault(
                f'{where} does not begin with TLS; ports other than 465 usually want smtp.tls = "starttls"'
            )
        case ssl.SSLError():
            return Temporary(f"TLS with {where} failed: {getattr(error, 'reason', '') or error}")
        case socket.gaierror():
            return Temporary(unresolved(settings.host, "smtp.host", error))
        case ConnectionRefusedError():
            return Temporary(f"{where} refused the connection")
        case _:
            return Temporary(f"no connection to {where}: {what_happened(error)}")


def silent(reason: str, settings: SmtpSettings, *, silence: bool) -> Temporary:
    """Why there was no greeting. ``silence``: the server took the connection and said nothing."""
    hint = ""
    if silence and settings.tls != "implicit":
        hint = '; perhaps this port wants TLS from the start: smtp.tls = "implicit"'
    return Temporary(f"{settings.host}:{settings.port}: {reason}{hint}")


_STRANGER = frozenset({2, 18, 19, 20, 21})
"""OpenSSL's verify codes where nobody whom we trust has signed it (X509_V_ERR_...)."""
_NOT_YET_VALID, _EXPIRED = 9, 10
_OTHER_NAME = frozenset({62, 64})


def _remedy(code: int, settings: SmtpSettings) -> str:
    """What to do about a certificate that failed for this reason."""
    if code in _STRANGER and settings.ca_file:
        return f"the CA that signed it is not in smtp.ca_file ({settings.ca_file})"
    if code in _STRANGER:
        return "if your own CA signed it, name that CA in smtp.ca_file"
    if code in _OTHER_NAME:
        return "set smtp.host to a name that the certificate has"
    if code == _EXPIRED:
        return "it has to be renewed, unless this machine's clock is wrong"
    if code == _NOT_YET_VALID:
        return "is this machine's clock right?"
    return "look at the certificate, and at smtp.ca_file"


def cannot_name(sender: str, recipient: str) -> Refused | AccountFault:
    """RFC 6531 section 3.5: without SMTPUTF8 such an address must not be named. No retry changes that."""
    reason = "has non-ASCII characters before the @, and the mail server does not offer SMTPUTF8"
    if not sender.isascii():
        return AccountFault(f"delivery.sender {sender} {reason}")
    return Refused(f"{recipient} {reason}")


def what_happened(error: BaseException) -> str:
    """What happened to the connection."""
    if isinstance(error, SMTPServerDisconnected):
        return "the mail server closed the connection"
    if isinstance(error, TimeoutError):
        return "the mail server did not answer in time"
    if isinstance(error, SMTPResponseException):
        return "the mail server's answer is not SMTP"
    return redaction.hide(str(error)) or type(error).__name__


def bare(host: str) -> str:
    """``[::1]`` without its brackets."""
    return host.removeprefix("[").removesuffix("]")


def in_certificate(host: str) -> str:
    """The name that SNI and certificates have: without the dot of the root (RFC 6066 section 3)."""
    return host.removesuffix(".")


def is_loopback(address: str) -> bool:
    """Whether an IP address is of this very machine."""
    try:
        return ipaddress.ip_address(address.partition("%")[0]).is_loopback
    except ValueError:
        return False


def own_name(sockname: object) -> str:
    """What we call ourselves: the host's full name, else the address as RFC 5321 section 4.1.3 writes it.

    Not ``socket.getfqdn()``: it asks DNS, which can take long and answers ``localhost`` at times.
    """
    name = socket.gethostname()
    if "." in name.strip(".") and name.isascii() and not any(c.isspace() for c in name):
        return name
    address = str(sockname[0]).partition("%")[0] if isinstance(sockname, tuple) else "127.0.0.1"
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"
