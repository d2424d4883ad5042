"""Whatever a condition says: an answer or a ``ConditionError``, soon, and in little memory."""

from __future__ import annotations

import asyncio
import re
import sys
import time
from collections.abc import ItemsView, Iterator, Sequence
from contextlib import contextmanager

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec import structs

from teleport_email.config.settings import (
    DeliverySettings,
    LogSettings,
    Secret,
    Settings,
    SmtpSettings,
    TeleportSettings,
)
from teleport_email.core.errors import ConditionError
from teleport_email.core.model import AccessMonitoringRule, AccessRequest, ResourceID, Schedule, Shift, User
from teleport_email.routing.audience import AudienceFinder
from teleport_email.routing.recipients import judged
from teleport_email.routing.rules import Condition, Surroundings, compile_rule, parse
from teleport_email.routing.rules.grammar import MAX_LENGTH
from teleport_email.routing.rules.kinds import Work
from teleport_email.routing.rules.tree import MAX_DEPTH

KNOWN = Surroundings(
    AccessRequest(id="1", user="ann@example.com", roles=("dev", "a" * 500), request_reason="ab " * 1000),
    traits={},
)
SECONDS = 8.0
"""Many times what is needed on a machine that is busy with other tests."""


@contextmanager
def soon() -> Iterator[None]:
    start = time.process_time()
    yield
    assert time.process_time() - start < SECONDS


def try_it(text: str) -> bool | None:
    try:
        return parse(text).holds(KNOWN)
    except ConditionError:
        return None


def problem(condition: Condition) -> str:
    try:
        condition.holds(KNOWN)
    except ConditionError as error:
        return str(error)
    return ""


PIECES = st.sampled_from(
    [
        *"()[].,!\"`\n ", "&&", "||", "==", "!=", "...", "true", "false", '"a"', "`b`", "1", "1.5", "set", "dict",
        "pair", "union", "ifelse", "choose", "option", "strings.upper", "strings.split", "regexp.replace",
        "email.local", "time.RFC3339", "before", "between", "contains", "contains_any", "is_empty", "isempty",
        "add", "remove", "put", "add_values", "access_request.spec.roles", "access_request.spec.user",
        "access_request.spec.system_annotations", "access_request.spec.expiry", "user.traits", "'", "+", "//", "/*",
        "*/", "\\", "\x00", "é", "\ud800",
    ]
)  # fmt: skip


@given(st.text(max_size=60))
@example("\ud800")
@example("\ufeff")
def test_any_text_gives_an_answer_or_a_condition_error(text: str) -> None:
    try_it(text)


@given(st.lists(PIECES, max_size=25).map("".join))
@settings(max_examples=300)
def test_any_heap_of_words_gives_an_answer_or_a_condition_error(text: str) -> None:
    try_it(text)


LEAVES = {
    "string": ['"a"', '"\\xff"', "access_request.spec.user", "`$1`", '"a(.*)"', '""'],
    "set": ["set()", "access_request.spec.roles", "user.traits.x"],
    "boolean": ["true", "false"],
}
# What each kind can be made of; a word in brackets stands for an expression of that kind.
BRANCHES = {
    "string": [
        "strings.lower([string])",
        "strings.replaceall([string], [string], [string])",
        "ifelse([boolean], [string], [string])",
    ],
    "set": [
        "set([string], [string])",
        "strings.split([set], [string])",
        "regexp.replace([set], [string], [string])",
        "email.local([set])",
        "[set].add([string])",
        "[set].remove([string])",
    ],
    "boolean": [
        "![boolean]",
        "([boolean] && [boolean])",
        "([boolean] || [boolean])",
        '("a" == [string])',
        "[set].contains([string])",
        "contains_all([set], [set])",
    ],
}


@st.composite
def expressions(draw: st.DrawFn, kind: str = "boolean", depth: int = 4) -> str:
    """A condition that parses."""
    if depth == 0 or draw(st.integers(0, 4)) == 0:
        return draw(st.sampled_from(LEAVES[kind]))
    branch = draw(st.sampled_from(BRANCHES[kind]))
    return re.sub(r"\[(\w+)\]", lambda found: draw(expressions(found[1], depth - 1)), branch)


@given(expressions())
@settings(max_examples=200)
def test_a_well_typed_condition_parses_and_gives_a_boolean_or_a_condition_error(text: str) -> None:
    assert "not a boolean" not in problem(parse(text))


@given(expressions())
def test_negation_negates(text: str) -> None:
    plain, negated = try_it(text), try_it(f"!({text})")
    assert negated is (None if plain is None else not plain)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 10_000 + "true" + ")" * 10_000,
        "(" * 10_000,
        "!" * 20_000 + "true",
        "[" * 10_000,
        "set(" * 5_000 + ")" * 5_000,
        "set()" + ".add()" * 5_000 + ".isempty()",
        "x" + ".x" * 10_000,
        'user.traits["x"]' + '["x"]' * 3_000,
        '"a" == ' * 4_000 + '"a"',
        "ifelse(true, " * 1_000 + "true" + ", true)" * 1_000,
        "/*" * 10_000,
        '"' + "\\" * 20_000,
        "/" * 20_000,
        "1" * 20_000,
        "1_" * 10_000,
        ".1" * 10_000,
    ],
    ids=lambda text: text[:12],
)
def test_nesting_without_end_is_a_condition_error(text: str) -> None:
    with soon(), pytest.raises(ConditionError):
        parse(text)


def test_the_deepest_that_is_allowed_works_within_a_small_stack() -> None:
    depth = MAX_DEPTH - 1
    text = "ifelse(true, " * depth + "true" + ", true)" * depth
    limit = sys.getrecursionlimit()
    assert limit <= 1000
    assert parse(text).holds(KNOWN)
    with pytest.raises(ConditionError, match="nested"):
        parse(f"!{text}")


def test_long_conditions_are_not_deep_ones() -> None:
    names = " || ".join(f'access_request.spec.roles.contains("role-{number}")' for number in range(600))
    assert len(names) < MAX_LENGTH
    with soon():
        assert parse(f"{names} || true").holds(KNOWN)


def test_a_condition_that_is_too_long_is_not_even_read() -> None:
    with soon(), pytest.raises(ConditionError, match="longer"):
        parse("true " + " " * MAX_LENGTH)


@pytest.mark.parametrize(
    "text",
    [
        # each level doubles the text
        "strings.replaceall(" * 60 + '"a"' + ', "a", "aa")' * 60 + ' == "b"',
        "strings.replaceall(" * 60 + '"a"' + ', "", "aa")' * 60 + ' == "b"',
        "regexp.replace(" * 60 + 'set("a")' + ', "a", "aa")' * 60 + ".isempty()",
        "regexp.replace(" * 60 + 'set("a")' + ', "", "${0}xx")' * 60 + ".isempty()",
        # each search looks at all the rest
        " || ".join(
            'regexp.replace(set(access_request.spec.request_reason), "a(.*c)?", "x").contains("y")'
            for _ in range(200)
        ),
        'strings.split(regexp.replace(set(access_request.spec.request_reason), "", "'
        + "x" * 2000
        + '"), "").isempty()',
    ],
    ids=["replaceall", "replaceall empty", "regexp", "regexp empty", "quadratic", "product"],
)
def test_work_without_end_is_cut_short(text: str) -> None:
    condition = parse(text)
    with soon(), pytest.raises(ConditionError, match="too much work"):
        condition.holds(KNOWN)


@pytest.mark.parametrize(
    "pattern", ["(a*)*b", "(a|aa)+$", "((a{0,100}){0,100}){0,100}", "(x+x+)+y", "(?i)" + "[a-zé]{0,50}" * 30]
)
def test_patterns_are_linear(pattern: str) -> None:
    with soon():
        try_it(f'regexp.replace(access_request.spec.roles, "{pattern}", "x").isempty()')


def test_a_rule_never_raises() -> None:
    for text in ("", "(", "choose()", "1", '"' * 5):
        rule = compile_rule(AccessMonitoringRule("r", ("access_request",), text, "email", ("a@example.com",)))
        verdict = rule.judge(KNOWN)
        assert not verdict.matched
        assert verdict.faulty
        assert verdict.why


def test_literal_patterns_are_compiled_with_the_rule_and_only_there(monkeypatch: pytest.MonkeyPatch) -> None:
    import re2

    made = []
    compile_ = re2.compile
    monkeypatch.setattr(re2, "compile", lambda *given: made.append(given[0]) or compile_(*given))
    condition = parse('regexp.replace(access_request.spec.roles, `once-(d)(.)v`, "$1").isempty()')
    match = parse("regexp.match(access_request.spec.roles, `^once-[ab]$`) || regexp.match(set(), `once-*`)")
    assert made == [b"once-(d)(.)v", b"^once-[ab]$"]
    for _ in range(3):
        for each in (condition, match):
            each.holds(KNOWN, Work(2_000))
    assert len(made) == 2, "no request pays for it"


def any_of(pattern: str, count: int) -> str:
    """A condition of so many patterns, each by its number another one."""
    each = (f"regexp.match(set(`x`), `^{pattern.replace('#', str(number))}$`)" for number in range(count))
    return " || ".join(each)


@pytest.mark.parametrize(
    "text",
    [
        any_of(r"[\pL]{1,60}N#", 529),
        any_of(r"[\PL]{1,60}N#", 529),
        any_of("#" + r"\pL" * 1300, 8),
        any_of("#" + r"[^\pN]" * 600, 8),
    ],
    ids=["as seen", "negated", "many classes", "many sets"],
)
def test_compiling_what_a_rule_has_is_bounded(text: str) -> None:
    with soon(), pytest.raises(ConditionError, match=r"its patterns: .*too much work"):
        parse(text)


@pytest.mark.parametrize(
    "pattern",
    [f"^{'(a)*' * 1000}$", f"^{'(a|b)*' * 600}$", f"^{'(' * 33}a{')' * 33}$"],
    ids=["stars", "choices", "nested"],
)
def test_patterns_with_hundreds_of_groups_are_refused(pattern: str) -> None:
    """Each costs seconds for the first text that it meets, in one call that nothing can interrupt."""
    with soon():
        assert "more than 32 groups" in problem(parse(f"regexp.match(set(`{'a' * 4000}`), `{pattern}`)"))
    assert parse(f"regexp.match(set(`aaa`), `^{'(a)*' * 32}$`)").holds(KNOWN)


@pytest.mark.parametrize(
    "text",
    [
        " && ".join(
            f"regexp.match(set(access_request.spec.request_reason), `^(?:.|a|{each}|)*{'(?:a|b|)' * 490}$`)"
            for each in "bcd"
        ),
        'regexp.replace(set(strings.replaceall("aaaaaaaa", "a", `'
        + "b" * 9_000
        + '`)), "(?s).*", "'
        + "${0}" * 1_000
        + '").isempty()',
        "email.local(set(strings.replaceall(`" + "a" * 100 + "`, `a`, `" + "a, " * 500 + "`))).isempty()",
        "regexp.replace(set(`a`), access_request.spec.user, `" + "$$" * 3_000 + "`).isempty()",
    ],
    ids=["states", "expansion", "addresses", "replacement"],
)
def test_what_asks_for_much_in_one_call_is_refused_before_it(text: str) -> None:
    with soon(), pytest.raises(ConditionError, match=r"too much work|more than"):
        parse(text).holds(KNOWN)


def spent(text: str) -> int:
    work = Work()
    parse(text).holds(KNOWN, work)
    return Work.PIECE - work.left


def test_what_people_write_costs_a_hundredth_of_what_it_may() -> None:
    for text in (
        'access_request.spec.roles.contains("dev")',
        'contains_any(access_request.spec.roles, set("a", "b", "c")) && !access_request.spec.roles.contains("x")',
        'regexp.match(access_request.spec.roles, "^(dev|prod)-[a-z]+$") || access_request.spec.user == "x"',
        'regexp.replace(user.traits["team"], "^team-(.*)$", "$1").contains("red")',
    ):
        assert spent(text) < Work.PIECE / 100, text
    many = " || ".join(f'access_request.spec.roles.contains("role-{number}")' for number in range(600))
    assert spent(many) < Work.PIECE / 2


def test_labels_of_all_resources_are_gone_through_once_for_all_rules() -> None:
    read = []

    class Labels(dict[str, str]):
        def items(self) -> ItemsView[str, str]:
            read.append(1)
            return super().items()

    request = AccessRequest(id="1", user="a", resources=(ResourceID("c", "node", "n"),) * 3)
    known = Surroundings(request, traits={}, labels=[Labels(a="b"), Labels(a="c"), Labels(d="e")])
    text = "!access_request.spec.resource_labels_intersection[`a`].contains(`b`) && " * 50 + "true"
    rule = compile_rule(AccessMonitoringRule("r", ("access_request",), text, "email"))
    assert all(rule.judge(known).matched for _ in range(20))
    assert len(read) == 3


GREEDY = (
    'regexp.replace(set(access_request.spec.request_reason), "a(.*c)?", "x").contains("y") || ' * 200 + "true"
)
SHIFTS = tuple(Shift("Monday", "08:00", "09:00") for _ in range(3_000))


@pytest.mark.parametrize(
    ("rules", "matching"),
    [
        (["true"] * 5, 5),
        (['access_request.spec.roles.contains("dev")'] * 2_000, 2_000),
        ([GREEDY], 0),
        ([GREEDY] * 3 + ["true"] * 3, 3),
        ([GREEDY] * 500, 0),
        (["true", *[GREEDY] * 100, "access_request.spec.user == `x`"], 1),
        ([SHIFTS] * 50, 0),
    ],
    ids=["few", "many", "one", "some", "hundreds", "between", "shifts"],
)
def test_all_rules_together_have_one_budget_and_no_piece_is_large(
    rules: list[str | tuple[Shift, ...]], matching: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In units of work, which cost a quarter of a microsecond each at worst."""
    parsed = {
        rule: compile_rule(
            AccessMonitoringRule(
                "",
                ("access_request",),
                rule if isinstance(rule, str) else "true",
                "email",
                schedules={} if isinstance(rule, str) else {"s": Schedule(shifts=rule, timezone="UTC")},
            )
        )
        for rule in dict.fromkeys(rules)
    }
    made = [structs.replace(parsed[rule], name=f"r{number:05}") for number, rule in enumerate(rules)]
    given: list[Work] = []
    shared = Work.shared

    def noted(left: int, rules: int) -> Work:
        given.append(shared(left, rules))
        before.append(given[-1].left)
        return given[-1]

    before: list[int] = []
    monkeypatch.setattr(Work, "shared", noted)
    pieces, total = [], 0
    verdicts = []
    for piece in judged(KNOWN.request, DeliverySettings(sender="t@example.com"), made):
        spent = sum(first - max(work.left, 0) for first, work in zip(before, given, strict=True)) - total
        total += spent
        pieces.append(spent)
        verdicts += piece
    assert [verdict.name for verdict in verdicts] == [rule.name for rule in made]
    assert sum(verdict.matched for verdict in verdicts) == matching
    assert total <= Work.LIMIT
    assert max(pieces) <= Work.PIECE + Work.SHARE


async def test_others_have_their_turn_between_the_pieces() -> None:
    rule = AccessMonitoringRule("r", ("access_request",), GREEDY, "email")
    once = compile_rule(rule)
    compiled = tuple(structs.replace(once, name=f"r{number}") for number in range(100))
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    beside = asyncio.create_task(other())
    nobody = Nobody()
    settings = Settings(
        teleport=TeleportSettings(),
        mailer=SmtpSettings(host="localhost", password=Secret("")),
        delivery=DeliverySettings(sender="t@example.com"),
        role_to_recipients={"*": ("all@example.com",)},
        log=LogSettings(),
    )
    route = await AudienceFinder(settings, lambda: compiled, nobody, nobody).route(KNOWN.request)
    beside.cancel()
    assert route.recipients == ("all@example.com",)
    assert turns >= Work.LIMIT / (Work.PIECE + Work.SHARE)


class Nobody:
    permitted = False

    async def user(self, name: str) -> User | None:
        return None

    async def address(self, name: str) -> str | None:
        return None

    async def labels(self, ids: Sequence[ResourceID]) -> None:
        return None
