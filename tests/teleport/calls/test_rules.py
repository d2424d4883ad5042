"""Listing Access Monitoring Rules, on new and old servers."""

import base64

import pytest

from teleport_email.core.errors import Denied, Rejected, Unsupported
from teleport_email.core.model import AccessMonitoringRule
from teleport_email.teleport._proto import rules_pb2
from teleport_email.teleport._proto.rules_pb2_grpc import AccessMonitoringRulesServiceStub
from teleport_email.teleport.calls.call import Caller, TolerantChannel
from teleport_email.teleport.calls.convert import rule_to_proto
from teleport_email.teleport.calls.rules import Rules

SERVICE = "/teleport.accessmonitoringrules.v1.AccessMonitoringRulesService/"
FILTERED, PLAIN = SERVICE + "ListAccessMonitoringRulesWithFilter", SERVICE + "ListAccessMonitoringRules"


@pytest.fixture
def rules(channel):
    return Rules(Caller(lambda: None), AccessMonitoringRulesServiceStub(TolerantChannel(channel)), "email")


def rule(name: str, *, subjects=("access_request",), notification="email") -> AccessMonitoringRule:
    return AccessMonitoringRule(name, subjects, "true", notification, ("a@example.com",))


def page(*rules_: AccessMonitoringRule, following: str = "") -> rules_pb2.ListAccessMonitoringRulesResponse:
    """The two methods' answers are alike on the wire."""
    return rules_pb2.ListAccessMonitoringRulesResponse(
        rules=[rule_to_proto(each) for each in rules_], next_page_token=following
    )


async def test_the_recorded_rules(raw, rules, recorded):
    raw.replay(recorded("rules for access_request and email"))
    (found,) = await rules.list()
    assert (found.name, found.recipients) == ("dev-requests", ("rule@example.com", "carol@example.com"))
    (asked,) = raw.asked(FILTERED, rules_pb2.ListAccessMonitoringRulesWithFilterRequest)
    recording = rules_pb2.ListAccessMonitoringRulesWithFilterRequest.FromString(
        base64.b64decode(recorded("rules for access_request and email")["request"])
    )
    asked.page_size = recording.page_size
    assert asked == recording


async def test_a_server_without_the_filter_is_asked_for_all_and_not_for_the_filter_again(
    raw, rules, recorded
):
    raw.replay(recorded("all rules, plain list"))
    assert [each.name for each in await rules.list()] == ["dev-requests"]
    assert [each.name for each in await rules.list()] == ["dev-requests"]
    assert (raw.calls[FILTERED], raw.calls[PLAIN]) == (1, 2)


@pytest.mark.parametrize("method", [FILTERED, PLAIN])
async def test_rules_for_others_are_left_out(raw, rules, method):
    raw.answer(
        method,
        page(
            rule("ours"),
            rule("slack's", notification="slack"),
            rule("automatic review", notification=""),
            rule("of sessions", subjects=("session",)),
            rule(""),
            rule("ours too", subjects=("session", "access_request")),
        ),
    )
    assert [each.name for each in await rules.list()] == ["ours", "ours too"]


async def test_a_server_without_rules_has_none(raw, rules):
    assert not await rules.exist()
    with pytest.raises(Unsupported, match="does not have the call"):
        await rules.list()


async def test_the_recorded_refusal(raw, rules, recorded):
    raw.replay(recorded("not permitted"))
    with pytest.raises(Denied, match='"list" on "access_monitoring_rule"'):
        await rules.list()
    assert raw.calls[PLAIN] == 0


async def test_pages(raw, rules):
    pages = {"": page(rule("one"), following="t"), "t": page(rule("two"), rule("one"))}

    async def handler(request):
        token = rules_pb2.ListAccessMonitoringRulesWithFilterRequest.FromString(request).page_token
        yield pages[token].SerializeToString()

    raw.handle(FILTERED, handler)
    assert [each.name for each in await rules.list()] == ["one", "two"]
    pages["t"] = page(following="t")
    with pytest.raises(Rejected, match="go round in circles"):
        await rules.list()
