"""``explain``: the examples of the manual, as they stand there, and everything around them."""

from __future__ import annotations

import asyncio
import io
import json
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest

from teleport_email.cli import main
from teleport_email.commands import explain as explaining
from teleport_email.config.settings import Settings
from teleport_email.core.model import AccessMonitoringRule, Constraint, ResourceID, Schedule, Shift, User
from teleport_email.sandbox.cluster.cluster import SandboxCluster
from teleport_email.sandbox.cluster.permissions import MINIMAL

MANUAL = (Path(__file__).parent.parent.parent / "docs/routing.md").read_text()
ASKING = explaining._rules_of_the_cluster
BLOCK = re.compile(r"^```(\w+)( base)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def sections() -> list[tuple[str, list[tuple[str, str]]]]:
    """The examples: headline, and (language, text) of each block."""
    parts = re.split(
        r"^### (\d+\. .*)$", MANUAL.partition("\n## Access Monitoring Rules\n")[0], flags=re.MULTILINE
    )
    return [
        (headline, [(block[1], block[3]) for block in BLOCK.finditer(text)])
        for headline, text in zip(parts[1::2], parts[2::2], strict=True)
    ]


def base() -> str:
    return next(block[3] for block in BLOCK.finditer(MANUAL) if block[2])


def merged(changes: str) -> str:
    """The configuration of the manual, with the tables of an example added to its own, or in place of them."""
    tables = tomllib.loads(base())
    for name, table in tomllib.loads(changes).items():
        tables[name] = table if name == "role_to_recipients" else {**tables.get(name, {}), **table}
    lines = []
    for name, table in tables.items():
        lines.append(f"[{name}]")
        lines += [f"{json.dumps(key)} = {json.dumps(value)}" for key, value in table.items()]
    return "\n".join(lines)


def conversations(text: str) -> list[tuple[str, str]]:
    """Commands and what they print."""
    parts = re.split(r"^\$ (.*)$\n", text, flags=re.MULTILINE)
    return list(zip(parts[1::2], parts[2::2], strict=True))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with the manual's configuration, and a cluster without rules."""
    monkeypatch.chdir(tmp_path)

    async def no_rules(_: Settings) -> tuple[list[AccessMonitoringRule], tuple[str, ...]]:
        return [], ()

    monkeypatch.setattr(explaining, "_rules_of_the_cluster", no_rules)
    (tmp_path / "teleport-email.toml").write_text(base())
    return tmp_path


def explain(*arguments: str) -> int:
    return main(["explain", "-c", "teleport-email.toml", *arguments])


def explained(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, Any]]:
    explain("--json", *arguments)
    requests: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["requests"]
    return requests


def test_the_manual_has_twelve_examples() -> None:
    assert [headline.split(".")[0] for headline, _ in sections()] == [str(number) for number in range(1, 13)]


@pytest.mark.parametrize(
    ("headline", "blocks"), sections(), ids=lambda part: part if isinstance(part, str) else ""
)
def test_an_example_of_the_manual_is_true(
    headline: str, blocks: list[tuple[str, str]], here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    by_language = dict(blocks)
    (here / "teleport-email.toml").write_text(merged(by_language.get("toml", "")))
    (here / "rules.yaml").write_text(by_language.get("yaml", ""))
    spoken = conversations(by_language["console"])
    assert spoken
    for command, printed in spoken:
        program, verb, *arguments = shlex.split(command)
        assert (program, verb) == ("teleport-email", "explain")
        assert main(["explain", "-c", "teleport-email.toml", *arguments]) in (0, 1)
        assert capsys.readouterr().out.strip() == printed.strip()


# Without a cluster ------------------------------------------------------------------------------------


def test_json_says_the_same_to_programs(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (request,) = explained(capsys, "--roles", "dev", "--user", "ann", "--reviewers", "bob")
    assert request == {
        "request": "(made up)",
        "user": "ann",
        "roles": ["dev"],
        "resources": [],
        "resource_names": {},
        "recipients": [{"address": "security@example.com", "why": 'role_to_recipients "*" for role dev'}],
        "escalation": [],
        "escalation_after_seconds": None,
        "requester": None,
        "skipped": [
            {
                "candidate": "bob",
                "why": "suggested reviewer: not an email address, and users could not be looked up",
            }
        ],
        "rules": [],
        "excluded": False,
        "silenced": False,
        "fallback": False,
        "problem": "",
        "notes": [],
    }


def test_whom_a_request_is_escalated_to_and_after_how_long(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (here / "teleport-email.toml").open("a") as file:
        file.write('\n[escalation]\nafter = "90m"\n[escalation.role_to_recipients]\n')
        file.write('dev = ["security@example.com", "Head@Example.com"]\ndba = "dba-head@example.com"\n')
    (request,) = explained(capsys, "--roles", "dev", "--user", "ann", "--reviewers", "bob@example.com")
    head = {"address": "Head@example.com", "why": 'escalation.role_to_recipients "dev"'}
    assert request["escalation"] == [head], "the other is told at once"
    assert request["escalation_after_seconds"] == 5400.0
    explain("--roles", "dev", "--user", "ann")
    assert "Told after 1h30m without a decision (1):\n  Head@example.com" in capsys.readouterr().out
    explain("--roles", "ops", "--user", "ann")
    assert "Told after 1h30m without a decision: nobody else\n" in capsys.readouterr().out


def test_the_exit_code_tells_when_nobody_could_be_told(here: Path) -> None:
    assert explain("--roles", "dev") == 0
    (here / "rules.json").write_text(
        json.dumps(
            {
                "metadata": {"name": "r"},
                "spec": {
                    "subjects": ["access_request"],
                    "condition": "true",
                    "notification": {"name": "email", "recipients": ["#x"]},
                },
            }
        )
    )
    assert explain("--roles", "dev", "--rules", "rules.json") == 1


def test_requests_are_read_as_tctl_prints_them(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def printed(name: str, role: str) -> dict[str, Any]:
        spec = {
            "user": "ann",
            "roles": [role],
            "state": 1,
            "created": "2026-11-22T16:00:00Z",
            "expires": "2026-11-23T04:00:00Z",
            "request_reason": "INC-1",
            "suggested_reviewers": ["eve@example.com"],
            "system_annotations": {"teams": ["red"]},
        }
        metadata = {"name": name, "expires": "2026-11-22T17:00:00Z"}
        return {"kind": "access_request", "version": "v3", "metadata": metadata, "spec": spec}

    (here / "rules.yaml").write_text(
        """
- metadata: {name: r}
  spec:
    subjects: [access_request]
    condition: >-
      access_request.spec.system_annotations["teams"].contains("red")
      && access_request.spec.expiry.before(time.RFC3339("2026-11-22T17:00:01Z"))
      && access_request.spec.roles.contains("dev")
    notification: {name: email, recipients: [red@example.com]}
"""
    )
    (here / "one.json").write_text(json.dumps(printed("0193-1", "dev")))
    (one,) = explained(capsys, "--request", "one.json", "--rules", "rules.yaml")
    assert (one["request"], [each["address"] for each in one["recipients"]]) == (
        "0193-1",
        ["red@example.com"],
    )
    (here / "two.json").write_text(json.dumps([printed("0193-1", "dev"), printed("0193-2", "dba")]))
    two = explained(capsys, "--request", "two.json", "--rules", "rules.yaml")
    assert [[each["address"] for each in request["recipients"]] for request in two] == [
        ["red@example.com"],
        ["security@example.com", "eve@example.com"],
    ]


def test_rules_can_come_from_standard_input(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = b"metadata: {name: r}\nspec: {subjects: [access_request], condition: true, notification: {name: email, recipients: [a@x.org]}}"
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text)))
    (request,) = explained(capsys, "--roles", "dev", "--rules", "-")
    assert [each["address"] for each in request["recipients"]] == ["a@x.org"]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("", "holds no rule"),
        ("a: [", "line 1"),
        ("kind: role\nmetadata: {name: r}\nspec: {}", "kind is 'role'"),
        ("metadata: {}\nspec: {}", "metadata.name is missing"),
        ("metadata: {name: r}", "spec is missing"),
        ("- 1", "no table"),
        ("metadata: {name: r}\nspec: {subjects: access_request}", "subjects is no list"),
        ("metadata: {name: r}\nspec: {condition: [x]}", "condition is no text"),
        ("metadata: {name: r}\nspec: {notification: {recipients: [{}]}}", "recipients is no text"),
        ("metadata: {name: 2026-02-30}\nspec: {}", "no YAML"),
        ("\x00", "no YAML"),
        ("[" * 3000, "no YAML"),
    ],
)
def test_a_file_of_rules_that_is_none_is_named_with_what_is_wrong(
    text: str, hint: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "rules.yaml").write_text(text)
    assert explain("--roles", "dev", "--rules", "rules.yaml") == 1
    complaint = capsys.readouterr().err
    assert complaint.startswith("teleport-email: rules.yaml: ")
    assert hint in complaint


def test_a_file_that_cannot_be_read_is_named(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert explain("--roles", "dev", "--rules", "none.yaml") == 1
    assert "none.yaml: cannot be read: No such file" in capsys.readouterr().err
    (here / "latin.yaml").write_bytes(b"\xff\xfe\xfa")
    assert explain("--roles", "dev", "--rules", "latin.yaml") == 1
    assert "latin.yaml: is not UTF-8" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["0193", "--roles", "dev"],
        ["0193", "--request", "f.json"],
        ["0193", "--user", "ann"],
        ["--request", "f.json", "--reason", "x"],
        ["0193", "--trait", "a=b"],
        ["--roles", "dev", "--trait", "a"],
        ["--request", "-", "--rules", "-"],
        ["--roles", "dev", "--at", "tonight"],
        ["--roles", "dev", "--at", "0001-01-01T00:00+14:00"],
    ],
)
def test_what_makes_no_sense_together_is_wrong_usage(arguments: list[str], here: Path) -> None:
    with pytest.raises(SystemExit) as left:
        explain(*arguments)
    assert left.value.code == 2


def test_names_cannot_move_the_cursor(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    explain("--roles", "dev\x1b[2J", "--user", "a\nTold: x", "--reviewers", "\x9b31m,b\u202e")
    printed = capsys.readouterr().out
    assert all(line.isprintable() for line in printed.splitlines())
    assert "Told: x" not in printed.splitlines()


def test_looking_at_roles_needs_neither_lark_nor_the_cluster() -> None:
    import subprocess
    import sys

    code = (
        "import sys, teleport_email.routing.recipients, teleport_email.routing.rules; "
        "print(sorted({'lark', 're2', 'grpc', 'yaml', 'idna', 'structlog'} & set(sys.modules)))"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "[]\n"
    )


# With a cluster ---------------------------------------------------------------------------------------


async def ask(
    here: Path, cluster: SandboxCluster, capsys: Any, *arguments: str, delivery: str = "", **identity: Any
) -> dict[str, Any]:
    """What ``explain`` says about a request of the cluster; ``delivery``: lines for that table."""
    cluster.write_identity(here, cluster.identity(**identity))
    text = base().replace("teleport.example.com:443", cluster.addr)
    text = text.replace("[delivery]", f"[delivery]\n{delivery}", 1)
    (here / "teleport-email.toml").write_text(
        text.replace("/opt/machine-id/identity", str(here / "identity"))
    )
    code = await asyncio.to_thread(explain, "--json", *arguments)
    printed = capsys.readouterr()
    return {
        "code": code,
        "err": printed.err,
        **(json.loads(printed.out)["requests"][0] if printed.out else {}),
    }


def told(answer: dict[str, Any]) -> list[str]:
    return [each["address"] for each in answer["recipients"]]


@pytest.fixture
async def cluster() -> Any:
    async with SandboxCluster(seed=3) as made:
        yield made


async def test_a_request_of_the_cluster_is_explained_with_its_users_and_rules(
    here: Path, cluster: SandboxCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster.put_user(User("bob", traits={"email": ("bob@example.com",)}))
    cluster.put_user(User("ann", traits={"team": ("red",)}))
    request = await cluster.create(user="ann", roles=("dev",), suggested_reviewers=("bob", "carol"))
    answer = await ask(here, cluster, capsys, request.id)
    assert answer["code"] == 0
    assert told(answer) == ["security@example.com", "bob@example.com"]
    assert [each["candidate"] for each in answer["skipped"]] == ["carol"]
    condition = 'user.traits["team"].contains("red")'
    cluster.put_rule(AccessMonitoringRule("red", ("access_request",), condition, "email", ("bob", "r@x.org")))
    answer = await ask(here, cluster, capsys, request.id)
    assert told(answer) == ["bob@example.com", "r@x.org"]
    assert [each["name"] for each in answer["rules"] if each["matched"]] == ["red"]


async def test_requesters_who_are_told_are_explained_too(
    here: Path, cluster: SandboxCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster.put_user(User("ann", traits={"email": ("ann@example.com",)}))
    request = await cluster.create(user="ann", roles=("dev",))
    assert (await ask(here, cluster, capsys, request.id))["requester"] is None
    answer = await ask(here, cluster, capsys, request.id, delivery="notify_requester = true")
    assert answer["requester"] == {"address": "ann@example.com", "why": 'user ann, trait "email"'}
    strange = "notify_requester = true\nallowed_domains = ['example.org']"
    answer = await ask(here, cluster, capsys, request.id, delivery=strange)
    assert answer["requester"]["address"] == ""
    assert "allowed_domains" in answer["requester"]["why"]


@pytest.mark.parametrize(
    ("arguments", "printed"),
    [
        (["--user", "ann@example.com"], "Told as the requester:\n  ann@example.com  user name\n"),
        (
            ["--user", "ann", "--address", "ann=a@example.com"],
            'Told as the requester:\n  a@example.com  user ann, trait "email"\n',
        ),
        (["--user", "ann"], "Requester not told:\n  ann  no address is known\n"),
    ],
)
def test_requesters_are_explained_without_a_cluster(
    here: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], printed: str
) -> None:
    path = here / "teleport-email.toml"
    path.write_text(path.read_text().replace("[delivery]", "[delivery]\nnotify_requester = true", 1))
    assert main(["explain", "-c", "teleport-email.toml", "--roles", "dev", *arguments]) == 0
    assert printed in capsys.readouterr().out


async def test_rules_of_a_file_stand_in_for_those_of_the_cluster(
    here: Path, cluster: SandboxCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster.put_rule(AccessMonitoringRule("r", ("access_request",), "true", "email", ("old@example.com",)))
    request = await cluster.create(roles=("dev",))
    (here / "rules.yaml").write_text(
        "metadata: {name: r}\nspec: {subjects: [access_request], condition: 'true', notification: {name: email, recipients: [new@example.com]}}"
    )
    assert told(await ask(here, cluster, capsys, request.id, "--rules", "rules.yaml")) == ["new@example.com"]


async def test_what_is_not_permitted_is_said_and_done_without(
    here: Path, cluster: SandboxCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    request = await cluster.create(roles=("dev",), suggested_reviewers=("bob",))
    answer = await ask(here, cluster, capsys, request.id, permissions=MINIMAL)
    assert told(answer) == ["security@example.com"]
    notes = "\n".join(answer["notes"])
    assert "resources: [access_monitoring_rule]" in notes
    assert "users cannot be looked up" in notes
    assert "could not be looked up" in answer["skipped"][0]["why"]


async def test_a_request_that_is_gone_is_an_error_that_says_so(
    here: Path, cluster: SandboxCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = await ask(here, cluster, capsys, "01939999-0000-7000-8000-000000000000")
    assert answer["code"] == 1
    assert "it was deleted, has expired, or is mistyped" in answer["err"]


async def test_requested_resources_are_named_where_the_cluster_can_be_asked(
    here: Path, cluster: SandboxCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster.put_node("uuid-1", "web-01")
    part = Constraint("logins", ("root",))
    node = ResourceID("demo.example.com", "node", "uuid-1", constraint=part)
    request = await cluster.create(roles=("dev",), resources=[node])
    answer = await ask(here, cluster, capsys, request.id)
    assert answer["resource_names"] == {str(node): "web-01"}


NIGHTS = Schedule((Shift("Monday", "22:00", "23:59"),), "Europe/Lisbon")


async def test_a_request_of_the_cluster_can_be_looked_at_as_of_another_time(
    here: Path, cluster: SandboxCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster.put_rule(
        AccessMonitoringRule(
            "nights", ("access_request",), 'plugin.spec.name == "email"', "email", ("oncall@example.com",),
            schedules={"nights": NIGHTS},
        )
    )  # fmt: skip
    request = await cluster.create(roles=("dev",))
    night = await ask(here, cluster, capsys, request.id, "--at", "2026-11-30T23:30:00+01:00")
    assert told(night) == ["oncall@example.com"]
    assert "plugin.spec.name" in night["rules"][0]["remarks"][0]
    day = await ask(here, cluster, capsys, request.id, "--at", "2026-11-30T12:00")
    assert told(day) == ["security@example.com"]
    assert day["rules"][0]["why"].endswith("next: Monday 2026-11-30, 22:00 to 23:59 (Europe/Lisbon)")


def test_a_rule_of_a_file_with_what_this_version_does_not_know(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "rules.yaml").write_text(
        "metadata: {name: r, labels: {a: b}}\n"
        "spec:\n"
        "  subjects: [access_request]\n"
        "  condition: 'true'\n"
        "  colour: red\n"
        "  schedules: {a: {time: {shifts: [{weekday: Monday, start: 22:00, end: 23:59}]}}}\n"
        "  notification: {name: email, recipients: [new@example.com]}\n"
    )
    assert explain("--roles", "dev", "--rules", "rules.yaml", "--at", "2026-11-30T22:00") == 0
    printed = capsys.readouterr().out
    assert "new@example.com" in printed
    assert "Rules to look at (1):\n  r  spec: colour is not known to this version and passed over" in printed


@pytest.mark.parametrize(
    ("schedules", "words"),
    [
        ("[]", None),
        ("x", "rule r: spec.schedules is no table"),
        ("{a: x}", "spec.schedules.a is no table"),
        ("{a: {time: {shifts: x}}}", "shifts is no list"),
        ("{a: {time: {shifts: [x]}}}", "shift 1 is no table"),
        ("{a: {time: {timezone: [x]}}}", "timezone is no text"),
        ("{a: {time: {shifts: [{weekday: {}}]}}}", "weekday is no text"),
    ],
)
def test_schedules_of_a_file_that_are_none(
    schedules: str, words: str | None, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "rules.yaml").write_text(f"metadata: {{name: r}}\nspec: {{schedules: {schedules}}}")
    assert explain("--roles", "dev", "--rules", "rules.yaml") == (0 if words is None else 1)
    if words is not None:
        assert words in capsys.readouterr().err


async def test_a_request_that_is_made_up_is_held_against_the_cluster_s_rules(
    here: Path, cluster: SandboxCluster, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explaining, "_rules_of_the_cluster", ASKING)
    cluster.put_rule(
        AccessMonitoringRule(
            name="dbas",
            subjects=("access_request",),
            condition='contains_all(set("dba"), access_request.spec.roles)',
            notification="email",
            recipients=("dba@example.com",),
        )
    )
    answer = await ask(here, cluster, capsys, "--roles", "dba", "--user", "ann")
    assert (told(answer), answer["notes"]) == (["dba@example.com"], [])


async def test_where_the_cluster_cannot_be_asked_the_answer_says_so(
    here: Path, cluster: SandboxCluster, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explaining, "_rules_of_the_cluster", ASKING)
    (here / "identity").unlink(missing_ok=True)
    (here / "teleport-email.toml").write_text(
        base().replace("/opt/machine-id/identity", str(here / "identity"))
    )
    answer = await asyncio.to_thread(explained, capsys, "--roles", "dba", "--user", "ann")
    [note] = answer[0]["notes"]
    assert note.startswith("the cluster was not asked for its Access Monitoring Rules, which come first (")


def test_requested_resources_are_shown_with_the_part_that_is_asked_for(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    node = {"id": {"cluster": "c", "kind": "node", "name": "n"}, "constraints": {"ssh": {"logins": ["root"]}}}
    request = {"metadata": {"name": "0193"}, "spec": {"user": "ann", "resource_access_ids": [node]}}
    (here / "request.json").write_text(json.dumps(request))
    (answer,) = explained(capsys, "--request", "request.json")
    assert answer["resources"] == ["/c/node/n (logins: root)"]
    explain("--request", "request.json")
    assert "of ann for /c/node/n (logins: root)\n" in capsys.readouterr().out
