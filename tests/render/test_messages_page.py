"""docs/messages.md tells what there is, and its examples work."""

import re
from pathlib import Path

import pytest

from teleport_email.config.settings import DeliverySettings
from teleport_email.core.model import Topic
from teleport_email.render import (
    TEMPLATE_OF,
    Facts,
    Renderer,
    approvals,
    audit_data,
    samples,
    template_data,
    times,
)
from teleport_email.render.quoting import Quote
from teleport_email.render.templating import builtin_sources

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "messages.md").read_text("utf-8")
VIEWS = (
    *(
        template_data.RequestView,
        template_data.ReviewView,
        template_data.ResourceView,
        approvals.Approvals,
        audit_data.ListView,
    ),
    *(
        template_data.Command,
        template_data.First,
        template_data.Some,
        template_data.Status,
        times.Moment,
        Quote,
    ),
)


def documented(name: str) -> bool:
    return re.search(rf"`(?:[a-z_]+)?\.?{name}`", PAGE) is not None


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.__name__)
def test_every_attribute_is_documented(view):
    properties = {name for name, value in vars(view).items() if isinstance(value, property)}
    for name in {*view.__struct_fields__} | properties:
        assert documented(name), name


def test_every_variable_is_documented():
    variables = template_data.build(
        samples.kinds()[0],
        samples.REQUEST,
        samples.CLUSTER,
        subject="",
        told=(),
        resource_names={},
        requester_name="",
        silent=(),
        now=samples.NOW,
        zone=times.zone("UTC"),
    )
    of_lists = audit_data.build(
        samples.reminders()[0].audits, samples.CLUSTER, subject="", now=samples.NOW, zone=times.zone("UTC")
    )
    for name in (*variables, *of_lists):
        assert documented(name), name


def test_every_kind_template_and_block_is_documented():
    for topic, template in TEMPLATE_OF.items():
        assert documented(audit_data.KIND if topic is Topic.AUDIT else topic.name.lower())
        assert documented(template)
    for source in builtin_sources().values():
        for block in re.findall(r"{% block (\w+) %}", source):
            assert documented(block)


def test_the_links_of_the_page_lead_somewhere():
    for target in re.findall(r"\]\(([^)#:]+)\)", PAGE):
        assert (ROOT / "docs" / target).exists(), target


def test_the_pictures_are_small():
    for picture in (ROOT / "docs" / "images").glob("*.png"):
        assert picture.stat().st_size < 150_000, picture.name


def test_the_example_works(tmp_path):
    (example,) = re.findall(r"^```jinja\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)
    (tmp_path / "announcement.html").write_text(example, "utf-8")
    renderer = Renderer(DeliverySettings(sender="teleport@example.com", templates=tmp_path))
    assert renderer.check() == []
    content = renderer.render(
        samples.kinds()[0], samples.REQUEST, Facts(samples.CLUSTER), now=samples.NOW, boundary="b"
    )
    assert "<p>Not sure? Ask in the room #access before you approve.</p>" in content.html


def test_the_lines_for_filters_are_those_of_the_sample():
    shown, _, of_lists = re.findall(r"^```text\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)
    renderer = Renderer(DeliverySettings(sender="teleport@example.com"))
    content = renderer.render(
        samples.kinds()[0], samples.REQUEST, Facts(samples.CLUSTER), now=samples.NOW, boundary="b"
    )
    assert shown in content.text
    one = samples.reminders()[0]
    assert of_lists in renderer.remind(one.audits, one.cluster, now=one.now, boundary="b").text
