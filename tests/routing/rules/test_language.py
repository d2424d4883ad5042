"""The language beyond what was recorded: types, names, calls, and what is evaluated when."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from teleport_email.core.errors import ConditionError
from teleport_email.core.model import AccessRequest, ResourceID
from teleport_email.routing.rules import Surroundings, parse

REQUEST = AccessRequest(
    id="0193",
    user="ann",
    roles=("dev", "dba"),
    created=datetime(2026, 11, 22, 16, 0, 0, 500_000, tzinfo=UTC),
    expires=datetime(2026, 11, 23, 4, tzinfo=UTC),
    access_expires=datetime(2026, 11, 30, tzinfo=UTC),
    suggested_reviewers=("alice@example.com",),
    system_annotations={"teams": ("red", "blue")},
    request_reason="Übung 1",
)
KNOWN = Surroundings(REQUEST, traits={"teams": ("red",), "level": ()}, labels=())

TRUE = [
    # precedence and short circuit
    '!true || "a" == "a"',
    "true || choose()",
    "!(false || false) && true",
    "!!!false",
    'true || "a" == "b" && false',
    # strings and values known only when they are there
    'ifelse(true, "a", "b") == ifelse(false, "b", "a")',
    'strings.upper("a") == "A"',
    '"A" != strings.lower("A")',
    'set(ifelse(true, "x", 1)).contains("x")',
    'ifelse(true, set("x"), "x").contains("x")',
    'choose(option(false, "a"), option(true, set("b"))).contains("b")',
    "ifelse(false, 1, true)",
    "ifelse(false, 1.5e3, true)",
    "choose(option(true, true), option(true, false))",
    # text as Go sees it
    'strings.upper("straße") == "STRAßE"',
    'strings.lower("ΑΣ") == "ασ"',
    'strings.replaceall("aaa", "aa", "b") == "ba"',
    'strings.replaceall("ab", "", "-") == "-a-b-"',
    'strings.split(set("a::b"), "::").contains("b")',
    'strings.split(set("éa"), "").contains("é")',
    'strings.split(set(""), ",").contains("")',
    'is_empty(strings.split(set(""), ""))',
    'strings.split(set("a,b", "b,c"), ",").contains_all(set("a", "b", "c"))',
    '"\\xc3\\xa9" == "é"',
    '"\\303\\251" == `é`',
    "`a\r` == `a`",
    '"\\"" == `"`',
    'access_request.spec.request_reason == "\\u00dcbung 1"',
    # variables
    'access_request . spec . roles . contains ( "dev" )',
    '(access_request.spec.roles).contains("dev")',
    'access_request.spec.system_annotations.teams.contains("red")',
    'access_request.spec.system_annotations[strings.lower("TEAMS")].contains("red")',
    'access_request.spec.system_annotations[ifelse(true, "teams", 1)].contains("red")',
    'access_request.spec.system_annotations["teams",].contains("red")',
    "access_request.spec.system_annotations.contains.isempty()",
    'user.traits.teams.contains("red")',
    'user.traits["level"].isempty() && user.traits["none"].isempty()',
    "is_empty(access_request.spec.resource_labels_union.env)",
    'access_request.spec.expiry.before(time.RFC3339("2026-11-23T04:00:01Z"))',
    'access_request.spec.creation_time.after(time.RFC3339("2026-11-22T16:00:00.499999999Z"))',
    'access_request.spec.creation_time.before(time.RFC3339("2026-11-22T17:00:00,6+01:00"))',
    # sets and dicts
    "union().isempty()",
    'union(set("a"), access_request.spec.roles).contains_all(set("a", "dev", "dba"))',
    '!set("a").contains_all(set())',
    'set("a", "a").remove("a").isempty()',
    'set("a").remove().contains("a")',
    'set().add().isempty() && set("a").add("b").contains_all(set("a", "b"))',
    'access_request.spec.roles.add("x").contains("x") && !access_request.spec.roles.contains("x")',
    # patterns
    'regexp.replace(set("ab", "xb"), "^a(?P<rest>.*)$", "$rest$$").contains("b$")',
    'regexp.replace(set("ab"), "(a)(b)", "$2$1x").contains("b")',
    'regexp.replace(set("ab"), "(a)(b)", "${2}${1}x").contains("bax")',
    'regexp.replace(set("a"), "a", "").isempty()',
    'regexp.replace(set(), "a", "").isempty()',
    'regexp.replace(set("é1"), `\\B`, "-").contains("-é1")',
    # addresses
    'email.local(set("\\"Ann Lee\\" <ann.lee@example.com>")).contains("ann.lee")',
    'email.local(set("bob@example.com (Bob)")).contains("bob")',
    # line ends as in Go
    "// first\ntrue",
    "true // last",
    "true\n\n",
    "true &&\n  // why\n  true",
    'set(\n  "a",\n  "b", // the second\n).contains("b")',
    'set("a").\n  contains("a")',
    "/* a */ true /* b */",
    "\ufefftrue",
    'set("a"...).contains("a")',
    # times at their edges
    'time.RFC3339("0000-01-01T00:00:00Z").before(time.RFC3339("9999-12-31T23:59:59Z"))',
    'between(access_request.spec.creation_time, access_request.spec.expiry, time.RFC3339("2026-01-01T5:00:00Z"))',
    'after(time.RFC3339("2024-02-29T00:00:00Z"), time.RFC3339("2024-02-28T23:59:59.999999999Z"))',
]

FALSE = [
    "!true",
    "false && choose()",
    'set("a").contains_any(set())',
    'contains_all(set("a"), set("a", "b"))',
    "between(access_request.spec.expiry, access_request.spec.expiry, access_request.spec.expiry)",
    "before(access_request.spec.expiry, access_request.spec.expiry)",
    '"a\\x00" == "a"',
    'access_request.spec.roles.contains("DEV")',
]

NOT_PARSED = [
    # types that are known
    '!"a"',
    '"a" && true',
    "true || 1",
    "1 == 1",
    "true == true",
    '"a" == 1',
    "access_request.spec.roles == access_request.spec.roles",
    'ifelse("a", 1, 2)',
    "ifelse(1, true, true)",
    'option("x", true)',
    "choose(true)",
    'dict("a", set("b"))',
    'union("a")',
    'strings.split("a,b", ",")',
    'strings.replaceall("a", 1, "b")',
    'regexp.replace("a", "b", "c")',
    'email.local("a@b")',
    "time.RFC3339(1)",
    "before(access_request.spec.roles, access_request.spec.expiry)",
    'between(access_request.spec.expiry, "a", "b")',
    "is_empty(access_request.spec.system_annotations)",
    'access_request.spec.system_annotations.contains("red")',
    'access_request.spec.roles.put("a", set())',
    'access_request.spec.roles.add_values("a")',
    '"a".remove("a")',
    'access_request.spec.user.contains("a")',
    'set("a").add(set("b"))',
    "access_request.spec.system_annotations[1].isempty()",
    "access_request.spec.system_annotations[set()].isempty()",
    # what cannot be indexed
    'access_request.spec.system_annotations.put("a", set("b"))["a"].isempty()',
    'access_request.spec.system_annotations.remove("a")["a"].isempty()',
    'ifelse(true, access_request.spec.system_annotations, 1)["a"].isempty()',
    'access_request.spec.user["a"] == ""',
    'set("a")["a"]',
    "access_request.spec.system_annotations[]",
    'access_request.spec.system_annotations["a":"b"]',
    'access_request.spec.system_annotations["a", "b"]',
    # numbers of arguments
    "is_empty()",
    "is_empty(set(), set())",
    "contains_any(set())",
    "set().contains()",
    'set().contains("a", "b")',
    "set().isempty(1)",
    "between()",
    "ifelse(true, true)",
    "option(true)",
    'pair("a")',
    'time.RFC3339("a", "b")',
    'regexp.replace(set(), "a")',
    'access_request.spec.system_annotations.put("a")',
    "access_request.spec.system_annotations.add_values()",
    # names
    "access_request",
    "access_request.spec",
    "access_request.spec.roles.length",
    "access_request.spec.system_annotations.a.b",
    "access_request.spec.system_annotations.type",
    "access_request.metadata.name",
    "user",
    'user.spec.traits["a"]',
    "plugin.name",
    "True",
    "nil",
    "true.x",
    "set",
    "true()",
    "access_request.spec.roles()",
    '(set)("a")',
    '(strings).upper("a") == "A"',
    "(access_request.spec).roles.isempty()",
    'set("a")("b")',
    'strings["upper"]("a")',
    'contains(set("a"), "a")',
    'set("a").is_empty()',
    "isempty(set())",
    "is_empty",
    'strings.contains("a")',
    'strings.title("a") == "A"',
    'regexp.match("a", "a")',
    'set("a").match("a")',
    'newer_than("1.2.3")',
    'newer_than(access_request.spec.roles, "1.2.3")',
    'between("1.2.3", access_request.spec.expiry, access_request.spec.expiry)',
    'set.contains("a")',
    # syntax
    "",
    " ",
    "()",
    "true true",
    "true;",
    "true\n;",
    "true\n&& true",
    'set("a")\n.contains("a")',
    'set(\n"a"\n)',
    "(true\n)",
    "true /* a\n b */ && true",
    "true & true",
    "true = true",
    "-1 == -1",
    "*true",
    "set{}",
    "func() {}",
    "[]string",
    "x.(string)",
    "set(,)",
    'set("a",,)',
    'set("a"..., "b")',
    "'a'",
    '"a',
    "`a",
    '"a\nb"',
    '"\\q"',
    '"\\\'"',
    '"\\400"',
    '"\\ud800"',
    '"\\U00110000"',
    '"\\x4"',
    "true /* open",
    "true \x00",
    '"\x00"',
    '"\ufeff"',
    "true\u00a0",
    "0x1f",
    "08",
    "1_000",
    "1i",
    "1e999",
    "9223372036854775808",
    "ifelse(false, 0b1, true)",
    "x²",
    "Ⅷ",
    "true # no",
]

NOT_EVALUATED = [
    # known only when there is a value
    "ifelse(false, true, 1) || true",
    'ifelse(true, 1, 2) == "a"',
    '!ifelse(true, "a", "b")',
    'set(ifelse(true, 1, "a")).isempty()',
    'ifelse(true, "a", set()).contains("a")',
    'strings.upper(1) == "1"',
    'strings.lower(true) == "true"',
    'strings.replaceall(access_request.spec.expiry, "a", "b") == "a"',
    'access_request.spec.system_annotations.remove("a").isempty()',
    'dict(pair(1, set())).remove("a").isempty()',
    'is_empty(ifelse(true, dict(pair("a", set())), set()))',
    'ifelse(true, "a", "b").remove("a") == "a"',
    'access_request.spec.system_annotations[ifelse(true, 1, "a")].isempty()',
    # all arguments are evaluated
    "ifelse(true, true, choose())",
    "choose(option(true, true), option(false, choose()))",
    # functions without a result
    "choose(option(false, true))",
    "between(access_request.spec.expiry)",
    "between(access_request.spec.expiry, access_request.spec.expiry)",
    "access_request.spec.expiry.between()",
    'time.RFC3339("2026-02-29T00:00:00Z").before(access_request.spec.expiry)',
    'time.RFC3339("2026-11-22T23:59:60Z").before(access_request.spec.expiry)',
    'time.RFC3339("2026-11-22").before(access_request.spec.expiry)',
    'time.RFC3339("2026-11-22t16:00:00z").before(access_request.spec.expiry)',
    'email.local(set("")).isempty()',
    'email.local(set("a@b", "none")).isempty()',
    'email.local(set("a@b, c@d")).isempty()',
    'regexp.replace(set(), "(?=a)", "").isempty()',
    'regexp.replace(set(), "a**", "").isempty()',
    'regexp.replace(set(), "\\\\1", "").isempty()',
    'regexp.replace(set(), `\\C`, "").isempty()',
    'regexp.replace(set(), "a{1001}", "").isempty()',
    'regexp.replace(set(), "\\xff", "").isempty()',
    # values that are no booleans
    '"true"',
    "access_request.spec.expiry",
    "access_request.spec.system_annotations",
    "user.traits",
    'pair("a", 1)',
    "option(true, true)",
    "1.5",
    "ifelse(true, 1, true)",
]


@pytest.mark.parametrize("text", TRUE)
def test_true(text: str) -> None:
    assert parse(text).holds(KNOWN) is True


@pytest.mark.parametrize("text", FALSE)
def test_false(text: str) -> None:
    assert parse(text).holds(KNOWN) is False


@pytest.mark.parametrize("text", NOT_PARSED)
def test_does_not_parse(text: str) -> None:
    with pytest.raises(ConditionError):
        parse(text)


@pytest.mark.parametrize("text", NOT_EVALUATED)
def test_parses_but_does_not_evaluate(text: str) -> None:
    condition = parse(text)
    with pytest.raises(ConditionError):
        condition.holds(KNOWN)


def test_what_is_not_known_is_not_taken_for_empty() -> None:
    unknown = Surroundings(AccessRequest(id="1", user="ann", resources=(ResourceID("c", "node", "n"),)))
    for text in ("user.traits.x.isempty()", "is_empty(access_request.spec.resource_labels_union.env)"):
        with pytest.raises(ConditionError, match="not known"):
            parse(text).holds(unknown)


def test_labels_are_joined_and_intersected_over_the_resources() -> None:
    labels = ({"env": "prod", "team": "red"}, {"env": "prod", "team": "blue"}, {"env": "prod"})
    known = Surroundings(REQUEST, labels=labels)
    spec = "access_request.spec.resource_labels"
    assert parse(f'{spec}_union["team"].contains_all(set("red", "blue"))').holds(known)
    assert parse(f'{spec}_intersection["env"].contains("prod")').holds(known)
    assert parse(f'{spec}_intersection["team"].isempty()').holds(known)


def test_a_time_that_the_cluster_did_not_give_is_the_zero_of_go() -> None:
    known = Surroundings(AccessRequest(id="1", user="ann"))
    assert parse('access_request.spec.expiry.before(time.RFC3339("0001-01-01T00:00:01Z"))').holds(known)
    assert parse('access_request.spec.expiry.after(time.RFC3339("0000-12-31T23:59:59Z"))').holds(known)


@pytest.mark.parametrize(
    ("text", "position", "hint"),
    [
        ("access_request.spec.user == 'a'", 28, "double quotes"),
        ("true and false", 5, "write &&"),
        ('"a" + "b"', 4, "no [+]"),
        ("true &&", 7, "too early"),
        ("true\n&& true", 5, "must end with an operator"),
        ('set("a"\n)', 7, "must end with an operator"),
        ('foo("x")', 0, "no function foo"),
        ('set("a").contains(set())', 18, "a string is expected, not a set"),
        ('"abc', 0, "does not end"),
    ],
)
def test_an_error_says_where_and_what_to_do(text: str, position: int, hint: str) -> None:
    with pytest.raises(ConditionError, match=hint) as caught:
        parse(text)
    assert caught.value.position == position


def test_it_knows_which_variables_it_reads() -> None:
    assert parse('user.traits.a.isempty() && access_request.spec.user == ""').uses == {
        "user.traits",
        "access_request.spec.user",
    }


@pytest.mark.parametrize(
    "text", ["x" * 30_000, f"{'x' * 9000}()", f"true.{'x' * 9000}", f"(true).{'x' * 9000}"]
)
def test_an_error_is_a_line_for_the_log_whatever_the_condition(text: str) -> None:
    with pytest.raises(ConditionError) as caught:
        parse(text)
    assert len(str(caught.value)) < 200
    assert str(caught.value).isprintable()
