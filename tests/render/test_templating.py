"""Own templates: replaced one by one, confined, and never in the way of a message."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from teleport_email.config.settings import DeliverySettings
from teleport_email.core.model import Kind, Topic
from teleport_email.render import TEMPLATE_OF, Facts, Renderer, samples
from teleport_email.render.templating import SUFFIXES, builtin_sources

GERMAN = Path(__file__).parents[2] / "examples" / "templates-de"
BUILTIN = Renderer(DeliverySettings(sender="teleport@example.com"))


def renderer(directory: Path, faults: list | None = None) -> Renderer:
    on_fault = None if faults is None else faults.append
    return Renderer(DeliverySettings(sender="teleport@example.com", templates=directory), on_fault=on_fault)


def announce(one: Renderer, request=samples.REQUEST):
    facts = Facts(samples.CLUSTER, samples.RECIPIENTS)
    return one.render(Kind(Topic.ANNOUNCEMENT), request, facts, now=samples.NOW, boundary="b")


def test_without_a_directory_there_is_nothing_to_check():
    assert BUILTIN.check() == []


def test_an_empty_directory_changes_nothing(tmp_path):
    assert announce(renderer(tmp_path)) == announce(BUILTIN)
    assert renderer(tmp_path).check() == []


def test_the_builtin_templates_pass_their_own_check(tmp_path):
    for name, source in builtin_sources().items():
        (tmp_path / name).write_text(source, "utf-8")
    assert renderer(tmp_path).check() == []
    assert announce(renderer(tmp_path)) == announce(BUILTIN)


def test_the_german_set_is_complete():
    assert renderer(GERMAN).check() == []
    german = announce(renderer(GERMAN))
    assert '<html lang="de"' in german.html
    assert "Neuer Zugriffsantrag" in german.html
    assert "Status: ⏳ PENDING" in german.text  # what filters look for stays


def test_every_template_has_both_forms():
    for name in TEMPLATE_OF.values():
        assert {f"{name}.txt", f"{name}.html"} <= set(builtin_sources())


def test_one_block_of_one_template_may_be_replaced(tmp_path):
    (tmp_path / "announcement.txt").write_text(
        '{% extends "layout.txt" %}{% block details %}\nAsk in the room, {{ request.user }}.\n{% endblock %}'
    )
    content = announce(renderer(tmp_path))
    assert "Ask in the room, alice@example.com.\n" in content.text
    assert "Status: ⏳ PENDING" in content.text
    assert content.html == announce(BUILTIN).html


def test_an_own_layout_may_extend_the_builtin_one(tmp_path):
    (tmp_path / "layout.txt").write_text(
        '{% extends "builtin/layout.txt" %}{% block details %}\nShort.\n{% endblock %}'
    )
    content = announce(renderer(tmp_path))
    assert "Short.\n" in content.text
    assert "Told:" not in content.text


def test_an_own_block_has_the_layouts_pieces_also_through_an_own_layout(tmp_path):
    (tmp_path / "layout.html").write_text(
        '{% extends "builtin/layout.html" %}{% block details %}{{ super() }}'
        '{% call row("Room") %}#access{% endcall %}{% endblock %}'
    )
    (tmp_path / "announcement.html").write_text(
        '{% extends "layout.html" %}{% block heading %}{{ badge(request.status) }}'
        '<p style="{{ font }};{{ mono }}">{{ quoted(request.reason, "Why") }}</p>{% endblock %}'
    )
    assert renderer(tmp_path).check() == []
    html = announce(renderer(tmp_path)).html
    assert ">Room</th>" in html
    assert ">Told</th>" in html
    assert "⏳&nbsp;Pending</span>" in html
    assert ">Why</div>" in html


def test_a_replaced_file_counts_only_after_a_reload(tmp_path):
    own = tmp_path / "announcement.txt"
    own.write_text("first {{ request.id }}")
    running = renderer(tmp_path)
    assert announce(running).text.startswith("first")
    own.write_text("{{ half writ")
    assert announce(running).text.startswith("first")


@pytest.mark.parametrize(
    ("source", "line", "what"),
    [
        ("one\n{% if %}", 2, "Expected an expression"),
        ("one\ntwo\n{{ request.nothing }}", 3, "has no attribute 'nothing'"),
        ("{{ nothing }}", 1, "'nothing' is undefined"),
        ("\n{{ 1 // 0 }}", 2, "zero"),
        ("{{ ''.__class__.__mro__ }}", 1, "__class__"),
        ("{{ request.__init__.__globals__ }}", 1, "__init__"),
        ("{{ request.reason | safe }}", 1, "users' text must stay escaped"),
        ("{{ request.id | urlize }}", 1, "users' text must stay escaped"),
        ('\n{% include "nothing.txt" %}', 2, "no template 'nothing.txt'"),
        ("{% macro m() %}{{ m() }}{% endmacro %}\n{{ m() }}", 1, "without end"),
        ("{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}", 1, "rounds"),
        ("{% macro m(x) %}{% for i in x %}{% endfor %}{% endmacro %}{% for j in range(999) %}{{ m(range(999)) }}{% endfor %}", 1, "rounds"),
        ("{% for i in range(9999) %}" + "x" * 100 + "{% endfor %}", None, "longer than"),
        ("{{ 'x' * 999999999 }}", 1, "not available"),
        ("{{ [1] * 999999999 }}", 1, "not available"),
        ("{{ 9 ** 999999999 }}", 1, "not available"),
        ("{{ request.id.format() }}{{ '{0.__class__}'.format(1) }}", 1, "__class__"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("suffix", [".txt", ".html"])
def test_a_fault_is_found_with_file_and_line_and_no_message_is_lost(tmp_path, suffix, source, line, what):
    own = tmp_path / f"announcement{suffix}"
    own.write_text(source, "utf-8")
    (fault,) = renderer(tmp_path).check()
    assert fault.path == (f"{own}:{line}" if line else str(own))
    assert what in fault.what
    met = []
    assert announce(renderer(tmp_path, met)) == announce(BUILTIN)
    assert met == [fault]


def test_a_fault_that_only_some_requests_meet_is_found_by_the_samples(tmp_path):
    (tmp_path / "resolution.txt").write_text("{% if not request.created %}{{ oops }}{% endif %}fine")
    (fault,) = renderer(tmp_path).check()
    assert "'oops' is undefined" in fault.what


def test_words_of_ones_own_with_a_macro_missing(tmp_path):
    words = (GERMAN / "words.jinja").read_text("utf-8").replace("macro footer()", "macro foot()")
    (tmp_path / "words.jinja").write_text(words, "utf-8")
    faults = renderer(tmp_path).check()
    assert {fault.path.split(":")[0] for fault in faults} == {"builtin/layout.txt", "builtin/layout.html"}
    assert all("footer" in fault.what for fault in faults)


def test_what_users_wrote_is_escaped_in_own_html_also_through_words(tmp_path):
    (tmp_path / "announcement.html").write_text(
        '{% import "words.jinja" as w with context %}<p>{{ request.user }}{{ w.listed(request.roles) }}</p>'
    )
    request = replace(samples.REQUEST, user="<b>eve</b>", roles=("<i>admin</i>",))
    assert announce(renderer(tmp_path), request).html == (
        "<p>&lt;b&gt;eve&lt;/b&gt;&lt;i&gt;admin&lt;/i&gt;</p>\n"
    )


def test_a_misnamed_file_is_told(tmp_path):
    (tmp_path / "anouncement.html").write_text("x")
    (fault,) = renderer(tmp_path).check()
    assert fault.what == "replaces nothing; did you mean announcement.html?"


def test_files_of_ones_own_may_be_included(tmp_path):
    (tmp_path / "company.txt").write_text("Example Ltd.")
    (tmp_path / "announcement.txt").write_text('{% include "company.txt" %}')
    assert renderer(tmp_path).check() == []
    assert announce(renderer(tmp_path)).text == "Example Ltd.\n"


def test_unreadable_files_are_told_and_the_builtin_ones_used(tmp_path):
    (tmp_path / "announcement.txt").write_bytes(b"\xff\xfe")
    (tmp_path / "review.txt").mkdir()
    faults = {Path(fault.path).name: fault.what for fault in renderer(tmp_path).check()}
    assert "not UTF-8" in faults["announcement.txt"]
    assert "cannot be read" in faults["review.txt"]
    assert announce(renderer(tmp_path)) == announce(BUILTIN)


def test_a_directory_that_is_not_there(tmp_path):
    (fault,) = renderer(tmp_path / "none").check()
    assert "cannot be read" in fault.what
    assert announce(renderer(tmp_path / "none")) == announce(BUILTIN)


def test_a_huge_file_is_refused(tmp_path):
    (tmp_path / "announcement.txt").write_text("x" * 600_000)
    (fault,) = renderer(tmp_path).check()
    assert "longer than" in fault.what


def test_the_example_replaces_only_what_there_is():
    assert {path.name for path in GERMAN.iterdir() if path.suffix in SUFFIXES} <= set(builtin_sources())
