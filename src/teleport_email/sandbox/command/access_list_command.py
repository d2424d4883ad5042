"""``teleport-email sandbox access-list ...``: Access Lists in the running sandbox, like ``tctl acl``."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from teleport_email.commands.cells import cell, columns, indented

from .action import Ask, add_action, say, words

_UNITS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
_SPAN = re.compile(r"([0-9]{1,6})([wdhms])")
_MOST_MEMBERS = 10_000


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """``access-list create|review|delete|ls``."""
    parser = commands.add_parser(
        "access-list", help="create and review Access Lists in the sandbox that runs", allow_abbrev=False
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", title="actions", required=True)

    create = add_action(actions, "create", "make an Access List, or change one", _create)
    create.add_argument("name", metavar="NAME", help="such as oncall")
    create.add_argument("--title", metavar="TEXT", default="", help="what people read (default: the name)")
    create.add_argument("--description", metavar="TEXT", default="", help="what it is for")
    create.add_argument(
        "--owners",
        type=words,
        default=[],
        metavar="A,B",
        help="users who review it (default alice@example.com)",
    )
    create.add_argument(
        "--owner-lists", type=words, default=[], metavar="L,M", help="lists whose members review it"
    )
    create.add_argument(
        "--due",
        type=_due,
        metavar="3d",
        help="when its review is due: in 3d, =-2d (over), or a date (default 3d)",
    )
    create.add_argument(
        "--notify-before", type=_span, metavar="2w", help="how long before it reminding begins (default 2w)"
    )
    create.add_argument(
        "--members",
        type=_members,
        default=_members("3"),
        metavar="N",
        help="how many (default 3), or who: A,B",
    )
    create.add_argument(
        "--member-lists", type=words, default=[], metavar="L,M", help="lists that are members"
    )
    create.add_argument("--roles", type=words, default=[], metavar="A,B", help="what it grants")
    create.add_argument(
        "--recurrence",
        type=int,
        choices=(1, 3, 6, 12),
        default=6,
        metavar="MONTHS",
        help="from one review to the next: 1, 3, 6 (default) or 12",
    )
    create.add_argument(
        "--day-of-month",
        type=int,
        choices=(1, 15, 31),
        default=1,
        metavar="DAY",
        help="of the next one: 1 (default), 15, or 31 for the last",
    )

    review = add_action(actions, "review", "review a list, which moves its date on", _review)
    review.add_argument("name", metavar="NAME", help="as `ls` shows it")

    delete = add_action(actions, "delete", "delete a list", _delete)
    delete.add_argument("name", metavar="NAME", help="as `ls` shows it")

    add_action(actions, "ls", "list the lists", _list)


def _create(args: argparse.Namespace, ask: Ask) -> None:
    due = {"due_in": timedelta(days=3).total_seconds()} if args.due is None else args.due
    options: dict[str, Any] = {} if args.notify_before is None else {"notify_before": args.notify_before}
    made = ask(
        "create_list",
        name=args.name,
        title=args.title,
        description=args.description,
        owners=args.owners or ([] if args.owner_lists else ["alice@example.com"]),
        owner_lists=args.owner_lists,
        members=args.members,
        member_lists=args.member_lists,
        roles=args.roles,
        months=args.recurrence,
        day_of_month=args.day_of_month,
        **due,
        **options,
    )
    _show(args, made)


def _show(args: argparse.Namespace, made: Mapping[str, Any]) -> None:
    say(
        args,
        made,
        [cell(f"{made['name']} is due {_day(made['due'])}"), indented(f"  owners: {_owners(made)}")],
    )


def _review(args: argparse.Namespace, ask: Ask) -> None:
    reviewed = ask("review_list", name=args.name)
    say(args, reviewed, [cell(f"{reviewed['name']} reviewed, the next one is due {_day(reviewed['due'])}")])


def _delete(args: argparse.Namespace, ask: Ask) -> None:
    ask("delete_list", name=args.name)
    say(args, None, [cell(f"{args.name} deleted")])


def _list(args: argparse.Namespace, ask: Ask) -> None:
    lists = ask("lists")
    say(args, lists, [table(lists, datetime.now(UTC)) if lists else "no Access Lists"])


def table(lists: Sequence[Mapping[str, Any]], now: datetime) -> str:
    """The lists as lines of columns, under a line of headings; no space at line ends."""
    rows = [("NAME", "TITLE", "OWNERS", "MEMBERS", "DUE", "")]
    rows += [
        (
            each["name"],
            each["title"],
            _owners(each),
            _members_of(each),
            _day(each["due"]),
            _when(each["due"], now),
        )
        for each in lists
    ]
    return "\n".join(columns(rows))


def _owners(each: Mapping[str, Any]) -> str:
    return ", ".join([*each["owners"], *(f"list {name}" for name in each["owner_lists"])])


def _members_of(each: Mapping[str, Any]) -> str:
    users, lists = each["members"], each["member_lists"]
    return f"{users}, {lists} list{'s' if lists > 1 else ''}" if lists else str(users)


def _day(due: str | None) -> str:
    return "never" if due is None else f"{datetime.fromisoformat(due):%Y-%m-%d}"


def _when(due: str | None, now: datetime) -> str:
    if due is None:
        return ""
    left = (datetime.fromisoformat(due) - now).total_seconds()
    for unit in "dhms":
        if abs(left) >= _UNITS[unit]:
            many = f"{int(abs(left) / _UNITS[unit] + 0.5)}{unit}"  # 3 days minus a moment are 3
            return f"in {many}" if left > 0 else f"{many} over"
    return "now"


def _span(text: str) -> int:
    """Seconds of ``2w``, ``1d12h``."""
    parts = _SPAN.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise argparse.ArgumentTypeError(f"{text!r} is no time: write it such as 3d, 2w or 1d12h")
    return sum(int(number) * _UNITS[unit] for number, unit in parts)


def _due(text: str) -> dict[str, Any]:
    if text[:1] == "-" or _SPAN.match(text):
        return {"due_in": -_span(text[1:]) if text[0] == "-" else _span(text)}
    try:
        due = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no time: write it such as 3d, --due=-2d or 2026-12-01"
        ) from None
    return {"due": (due if due.tzinfo else due.replace(tzinfo=UTC)).isoformat()}


def _members(text: str) -> list[str]:
    if not (text.isascii() and text.isdigit()):
        return words(text)
    if len(text) > len(str(_MOST_MEMBERS)) or int(text) > _MOST_MEMBERS:
        raise argparse.ArgumentTypeError(f"at most {_MOST_MEMBERS}")
    return [f"member-{number}@example.com" for number in range(1, int(text) + 1)]
