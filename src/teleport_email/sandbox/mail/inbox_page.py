"""A small web page to read what came into a mailbox: threads, HTML, text and source. No scripts.

What the mails contain is hostile: everything is escaped, and their HTML is shown only in a sandboxed
frame, under a policy that lets it load and run nothing.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import jinja2

from teleport_email.telemetry.httpd import Handler, HttpServer, Request, Response

from .mailbox import Mailbox, ReceivedMail
from .threads import build_threads

_PAGES = Path(__file__).parent / "pages"

_PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
# Of a mail's HTML: inline styles are how mails are styled; nothing is fetched, nothing runs, no link opens.
_MAIL_POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'"
)
_VIEWS = ("html", "text", "source")
_LOOPBACK = ("127.0.0.1", "[::1]", "localhost")


class InboxPage:
    """Serves the page for one mailbox. ``async with`` starts and stops it."""

    def __init__(self, mailbox: Mailbox, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self._mailbox = mailbox
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(_PAGES),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._style = (_PAGES / "style.css").read_bytes()
        self._server = HttpServer(
            {
                ("GET", "/"): self._local(self._list),
                ("GET", "/threads/{number}"): self._local(self._thread),
                ("GET", "/messages/{number}/html"): self._local(self._html),
                ("GET", "/messages/{number}/source"): self._local(self._source),
                ("GET", "/style.css"): self._local(self._stylesheet),
            },
            host=host,
            port=port,
        )

    async def __aenter__(self) -> Self:
        await self._server.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._server.close(grace=0.5)

    @property
    def url(self) -> str:
        """Where to look."""
        return f"{self._server.url}/"

    def _local(self, handler: Handler) -> Handler:
        async def checked(request: Request) -> Response:
            # A foreign name that was made to resolve to this machine must not read the mail.
            name = request.headers.get("host", "").rpartition(":")[0] or request.headers.get("host", "")
            if name not in _LOOPBACK:
                return Response.text("ask for this page by its loopback address\n", 421)
            return await handler(request)

        return checked

    async def _list(self, request: Request) -> Response:
        recipient = request.query.get("to", "")
        mails = list(self._mailbox.messages)
        boxes = Counter(address for mail in mails for address in mail.envelope_to)
        return self._page(
            "list.html",
            threads=build_threads(mails, recipient),
            boxes=sorted(boxes.items()),
            recipient=recipient,
            total=len(mails),
        )

    async def _thread(self, request: Request) -> Response:
        recipient = request.query.get("to", "")
        for thread in build_threads(self._mailbox.messages, recipient):
            if str(thread.number) == request.parameters["number"]:
                view = request.query.get("view", "html")
                return self._page("thread.html", thread=thread, view=view if view in _VIEWS else "html")
        return self._missing()

    async def _html(self, request: Request) -> Response:
        mail = self._find(request)
        if mail is None or not mail.html:
            return self._missing()
        return Response.html(mail.html, headers=(("Content-Security-Policy", _MAIL_POLICY), *_PRIVATE))

    async def _source(self, request: Request) -> Response:
        mail = self._find(request)
        if mail is None:
            return self._missing()
        name = ("Content-Disposition", f'attachment; filename="message-{mail.number}.eml"')
        return Response(200, mail.raw, "message/rfc822", (name, *_PRIVATE))

    async def _stylesheet(self, _request: Request) -> Response:
        return Response(200, self._style, "text/css; charset=utf-8")

    def _find(self, request: Request) -> ReceivedMail | None:
        number = request.parameters["number"]
        return next((mail for mail in self._mailbox.messages if str(mail.number) == number), None)

    def _missing(self) -> Response:
        return self._page("missing.html", status=404)

    def _page(self, template: str, status: int = 200, **values: Any) -> Response:
        html = self._templates.get_template(template).render(**values)
        return Response.html(html, status, (("Content-Security-Policy", _PAGE_POLICY), *_PRIVATE))


_PRIVATE = (("Cache-Control", "no-store"), ("Referrer-Policy", "no-referrer"))
