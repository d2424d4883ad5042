"""The inbox's page: readable, and not to be broken out of by what a mail contains."""

from __future__ import annotations

import html.parser

import httpx
import pytest

from teleport_email.sandbox.mail.inbox_page import InboxPage
from teleport_email.sandbox.mail.mailbox import Mailbox, ReceivedMail

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


def mail(
    number: int,
    to: str = "alice@example.com",
    *,
    text="hello there",
    html="<p>hello</p>",
    subject="s",
    extra="",
):
    raw = (
        f"From: bot@example.com\r\nTo: {to}\r\nSubject: {subject}\r\nMessage-ID: <m{number}>\r\n{extra}"
        'MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary="b"\r\n\r\n'
        f"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n"
        f"--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{html}\r\n--b--\r\n"
    )
    return ReceivedMail(
        number, "bot@example.com", (to,), raw.encode(), session=1, tls="TLSv1.3", auth_user="bot"
    )


@pytest.fixture
def mailbox():
    return Mailbox()


@pytest.fixture
async def http(mailbox):
    async with (
        InboxPage(mailbox) as page,
        httpx.AsyncClient(base_url=page.url, trust_env=False) as http,
    ):
        yield http


class Tags(html.parser.HTMLParser):
    """Every tag of a page with its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def names(self) -> set[str]:
        return {tag for tag, _ in self.found}


async def test_an_empty_inbox(http):
    page = await http.get("/")
    assert page.status_code == 200
    assert "Nothing has come in yet" in page.text


async def test_the_list_has_threads_and_mailboxes(http, mailbox):
    mailbox.add(mail(1))
    mailbox.add(mail(2, extra="References: <m1>\r\n", text="and again"))
    mailbox.add(mail(3, "bob@example.com", subject="other", text="for bob"))
    everything = (await http.get("/")).text
    assert everything.index("other") < everything.index("and again")
    assert "hello there" not in everything  # the newest of a thread speaks for it
    bobs = (await http.get("/", params={"to": "bob@example.com"})).text
    assert "/threads/3?to=bob%40example.com" in bobs
    assert "/threads/1" not in bobs


async def test_a_thread_as_html_text_and_source(http, mailbox):
    mailbox.add(mail(1))
    mailbox.add(mail(2, extra="References: <m1>\r\n", text="and again"))
    address = "/threads/1?to=alice%40example.com"
    as_html = await http.get(address)
    frames = [attributes for tag, attributes in Tags(as_html.text).found if tag == "iframe"]
    assert [(frame["src"], frame["sandbox"]) for frame in frames] == [
        ("/messages/1/html", None),
        ("/messages/2/html", None),
    ]
    assert "TLSv1.3, logged in as bot" in as_html.text
    as_text = (await http.get(address + "&view=text")).text
    assert as_text.index("hello there") < as_text.index("and again")
    assert "multipart/alternative" in (await http.get(address + "&view=source")).text
    source = await http.get("/messages/1/source")
    assert source.content == mailbox.messages[0].raw
    assert source.headers["content-disposition"].startswith("attachment")


async def test_a_mails_html_is_served_under_a_policy_that_lets_it_do_nothing(http, mailbox):
    mailbox.add(mail(1, html=EVIL))
    answer = await http.get("/messages/1/html")
    assert EVIL in answer.text
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("sandbox;")
    assert "default-src 'none'" in policy
    assert "script" not in policy


@pytest.mark.parametrize("view", ["html", "text", "source", "nonsense"])
async def test_hostile_mail_stays_text(http, mailbox, view):
    mailbox.add(mail(1, f"{EVIL}@example.com", text=EVIL, subject=EVIL, extra=f"X-Evil: {EVIL}\r\n"))
    for page in (
        await http.get("/"),
        await http.get("/", params={"to": EVIL}),
        await http.get("/threads/1", params={"view": view}),
    ):
        assert page.status_code == 200
        tags = Tags(page.text)
        assert not tags.names() & {"script", "img"}
        assert not any(name.startswith("on") for _, attributes in tags.found for name in attributes)
        assert "script-src" not in page.headers["content-security-policy"]
        assert page.headers["content-security-policy"].startswith("default-src 'none'")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff\xfe\x00",
        b"Content-Type: multipart/mixed\r\n\r\n",
        b"From: =?x?\r\nTo: a@[\r\nSubject: \x00\r\n\r\n",
    ],
)
async def test_broken_mail_can_be_looked_at(http, mailbox, raw):
    mailbox.add(ReceivedMail(1, "bot@example.com", ("alice@example.com",), raw))
    for view in ("html", "text", "source"):
        assert (await http.get(f"/threads/1?view={view}")).status_code == 200
    assert (await http.get("/")).status_code == 200
    assert (await http.get("/messages/1/html")).status_code == 404


@pytest.mark.parametrize("path", ["/threads/9", "/threads/x", "/messages/9/html", "/messages/9/source"])
async def test_what_is_not_there(http, path):
    assert (await http.get(path)).status_code == 404


async def test_only_by_a_loopback_name(http):
    assert (await http.get("/", headers={"Host": "evil.example:80"})).status_code == 421
    assert (await http.get("/", headers={"Host": "localhost"})).status_code == 200
    assert (await http.get("/", headers={"Host": "[::1]:80"})).status_code == 200


async def test_the_style_sheet(http):
    answer = await http.get("/style.css")
    assert answer.headers["content-type"].startswith("text/css")
    assert "prefers-color-scheme: dark" in answer.text
