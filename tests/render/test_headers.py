"""Headers for filters: what they say once decoded, on the wire in short lines, whatever the names are."""

from __future__ import annotations

import email
import email.policy
import re
from email.header import decode_header, make_header

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from teleport_email.config.settings import DeliverySettings
from teleport_email.core.model import OF_REQUESTS, AccessRequest, ClusterInfo, Kind, Mail, Topic
from teleport_email.mail.message import build
from teleport_email.render import Facts, Renderer, headers, samples

RENDERER = Renderer(DeliverySettings(sender="teleport@example.com"))
HOSTILE = [
    "x\r\nBcc: eve@evil.example",
    "=?utf-8?q?x?=",
    "a\u202eb",
    "%recipient%",
    "rôle\nX-Other: 1",
    "\ud800",
]
NAMES = st.one_of(
    st.text(max_size=150), st.sampled_from(HOSTILE), st.sampled_from(["db-admin", "rôle", "管理者"])
)


def raw(
    request: AccessRequest, topic: Topic = Topic.ANNOUNCEMENT, cluster: ClusterInfo = samples.CLUSTER
) -> bytes:
    kind = Kind(topic, 1 if topic is Topic.REVIEW else 0)
    content = RENDERER.render(kind, request, Facts(cluster), now=samples.NOW, boundary="b")
    return build(Mail("bob@example.com", "id@example.com", "root@example.com", content))


def decoded(request: AccessRequest, name: str) -> str:
    found = email.message_from_bytes(raw(request), policy=email.policy.compat32)[name] or ""
    return str(make_header(decode_header(re.sub(r"\r?\n", "", found))))


@pytest.mark.parametrize("topic", OF_REQUESTS)
def test_each_kind_says_which_it_is(topic: Topic) -> None:
    assert f"\r\nX-Teleport-Kind: {topic.name.lower()}\r\n".encode() in raw(
        samples.request_for(Kind(topic)), topic
    )


@pytest.mark.parametrize(
    "user", ["alice@example.com", "bot-ci", "Jürgen Groß", "管理者@例え.jp", "a" * 100, "x, y"]
)
def test_the_user_is_told_as_the_cluster_names_them(user: str) -> None:
    assert decoded(replace(samples.REQUEST, user=user), "X-Teleport-User") == user


@pytest.mark.parametrize(
    "roles", [("db-admin", "web-deploy"), ("db-admin", "rôle"), ("管理者",), ("r" * 110, "db")]
)
def test_roles_are_told_as_they_are(roles: tuple[str, ...]) -> None:
    assert decoded(replace(samples.REQUEST, roles=roles), "X-Teleport-Roles") == ",".join(roles)


def test_many_roles_are_folded_behind_commas_and_say_when_cut() -> None:
    roles = tuple(f"role-of-team-{number}" for number in range(60))
    told = decoded(replace(samples.REQUEST, roles=roles), "X-Teleport-Roles")
    *whole, last = re.split(", ?", told)
    assert tuple(whole) == roles[: len(whole)]
    assert last == "..."
    assert len(whole) > 20


@pytest.mark.parametrize("length", range(2, 40))
def test_roles_in_encoded_words_are_whole_or_said_to_be_left_out(length: int) -> None:
    roles = tuple("é" + "r" * (length - len(str(number))) + str(number) for number in range(90))
    *whole, last = decoded(replace(samples.REQUEST, roles=roles), "X-Teleport-Roles").split(",")
    assert tuple(whole) == roles[: len(whole)]
    assert last == "..."


@pytest.mark.parametrize("evil", HOSTILE)
def test_a_user_name_forges_no_header(evil: str) -> None:
    lines = raw(replace(samples.REQUEST, user=evil, roles=(evil, "db"))).partition(b"\r\n\r\n")[0]
    plain = raw(replace(samples.REQUEST, user="x", roles=("x", "db"))).partition(b"\r\n\r\n")[0]
    names = [re.findall(rb"^([A-Za-z-]+):", part, re.MULTILINE) for part in (lines, plain)]
    assert names[0] == names[1]
    assert b"%recipient%" not in lines


@given(user=NAMES, roles=st.lists(NAMES, max_size=40).map(tuple), cluster=NAMES)
def test_every_header_line_is_short_ascii_and_begins_what_it_should(
    user: str, roles: tuple[str, ...], cluster: str
) -> None:
    request = replace(samples.REQUEST, user=user, roles=roles)
    found = headers.headers(Kind(Topic.ANNOUNCEMENT), request, ClusterInfo(cluster), "PENDING")
    assert all(re.fullmatch(r"[!-~][ -~]{0,420}", value) for _, value in found)
    head = raw(request, cluster=ClusterInfo(cluster)).partition(b"\r\n\r\n")[0].decode("ascii")
    for line in head.split("\r\n"):
        assert line.strip()
        # An address, an id and a list's name are never broken.
        assert len(line) <= 78 or line.startswith(("List-Id:", "References:"))


def test_what_older_programs_froze_keeps_its_bytes() -> None:
    """Their values had spaces in the names of roles only, and were never folded."""
    long = ",".join(f"Team {number} Admin" for number in range(20))
    content = replace(
        RENDERER.render(
            Kind(Topic.REVIEW), samples.REQUEST, Facts(samples.CLUSTER), now=samples.NOW, boundary="b"
        ),
        headers=(("X-Teleport-Roles", long),),
    )
    mail = build(Mail("bob@example.com", "id@example.com", "root@example.com", content))
    assert f"\r\nX-Teleport-Roles: {long}\r\n".encode() in mail
