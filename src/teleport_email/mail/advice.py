"""What to do about a refusal, in words for whoever runs the daemon. Pure.

It decides nothing: a reply that is not known here is treated the same, and only goes without advice.
"""

from __future__ import annotations

import re

__all__ = ["advice"]

_SEND_AS = "give this login the right to send as delivery.sender, or set that to the login's own address"
_VERIFY = "verify the address or domain of delivery.sender at your provider, or set it to one that is"
_SPF = "the domain of delivery.sender needs SPF or DKIM that cover this mail server"
_BASIC = 'allow SMTP AUTH for this mailbox, or use smtp.auth = "xoauth2"'
_CROWD = "fewer connections at once: smtp.max_connections"
_QUOTA = (
    "a quota or rate of the provider, which ends by itself (a day's mostly at midnight); ask for a larger"
    " one, or set smtp.max_per_minute"
)
_FULL = "the recipient's mailbox is full"
_NAME = "set smtp.helo_hostname to this host's full name, one that DNS knows"
_GROUP = "this group takes mail from certain senders only: let it take mail from delivery.sender"
_SENDER = "set delivery.sender to an address that exists, and that this server and login may send from"
_RELAY = (
    "the mail server passes nothing on for us to this domain: allow this host or login to relay there, or"
    " set smtp.username and smtp.password"
)
_LOGIN = "set smtp.username and smtp.password"
_SIZE = "the message is larger than the server takes: raise its limit, or shorten your templates"
_LIST = "a filter takes us for a mailing list because of the header List-Id: exempt delivery.sender from it"
_FILTER = "a filter or policy of a mail server: exempt delivery.sender and this host from it"

# Compiled when a reply is first looked at: not at each start.
_KNOWN = (
    # The first that matches is said; the text is in lower case.
    (r"sendasdenied|5\.2\.252|5\.7\.60\b|send as this|not allowed to send as|send on behalf", _SEND_AS),
    (r"verified sender|sender identity|sender .*not verified|not a verified", _VERIFY),
    (r"5\.7\.26|\bspf\b|\bdkim\b|\bdmarc\b|authentication information", _SPF),
    (r"5\.7\.139|5\.7\.30\b|clientauthentication is disabled|basic authentication is disabled", _BASIC),
    (r"too many recipients", ""),
    (r"concurrent|too many (?:simultaneous )?connections", _CROWD),
    (r"5\.4\.5\b|5\.1\.90\b|\bquota exceeded\b|\bdaily\b|(?:sending|message|rate) limit", _QUOTA),
    (r"limit (?:was |is )?exceeded|exceeded .*limit|too much mail|too many (?:message|e?-?mail)", _QUOTA),
    (r"over quota|mailbox (?:is )?full|5\.2\.2\b", _FULL),
    (r"helo|ehlo", _NAME),
    (r"5\.7\.(?:133|129|124)|authenticatedforgroup|restrictedtorecipients", _GROUP),
    (r"not owned by|sender address|sender verif|verify sender|invalid sender|5\.1\.[78]\b", _SENDER),
    (r"'from' parameter|from address|sender (?:denied|rejected|not)", _SENDER),
    (r"\brelay", _RELAY),
    (r"5\.7\.57|not authenticated|authentication (?:is )?required|must (?:be )?authenticate", _LOGIN),
    (r"5\.3\.4|size exceeds|too (?:large|big)|maximum (?:message )?size", _SIZE),
    (r"list software|mailing list|list-id", _LIST),
    (r"spam|content|virus|blocked|blacklist|blocklist|listed|policy|milter", _FILTER),
)
_BY_CODE = {
    530: _LOGIN,
    535: "check smtp.username and smtp.password",
    538: 'logging in needs TLS here: set smtp.tls = "starttls" or "implicit"',
}
_ADDRESS = re.compile(r"\S+@\S+")


def advice(text: str, code: int = 0) -> str:
    """``; `` and what to do about a reply with this text, or nothing. ``code``: an SMTP reply code."""
    said = _ADDRESS.sub(" ", text.lower())  # what people are called says nothing
    words = next((words for pattern, words in _KNOWN if re.search(pattern, said)), _BY_CODE.get(code, ""))
    return f"; {words}" if words else ""
