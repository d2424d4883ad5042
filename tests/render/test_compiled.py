"""The built-in templates are compiled before anybody starts anything, and say what their sources say."""

import subprocess
import sys
from pathlib import Path

import jinja2
import pytest

from teleport_email.config.settings import DeliverySettings
from teleport_email.render import Facts, Renderer, _compiled, samples, templating

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def anew():
    """Nothing is loaded yet, and nothing of the test is left."""
    templating.trusted.cache_clear()
    yield
    templating.trusted.cache_clear()


def everything() -> list[object]:
    renderer = Renderer(DeliverySettings(sender="teleport@example.com", subject="descriptive"))
    contents = [
        renderer.render(
            sample.kind,
            sample.request,
            Facts(
                sample.cluster, sample.recipients, sample.resource_names, sample.requester_name, sample.silent
            ),
            now=sample.now,
            boundary="b",
        )
        for sample in samples.all_kinds()
    ]
    reminders = [
        renderer.remind(one.audits, one.cluster, now=one.now, boundary="b") for one in samples.reminders()
    ]
    return contents + reminders


def test_are_up_to_date():
    check = [sys.executable, str(ROOT / "packaging/templates.py"), "--check"]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_nothing_is_compiled_for_a_message(monkeypatch):
    def never(*_args, **_options):
        raise AssertionError("compiled")

    monkeypatch.setattr(jinja2.Environment, "compile", never)
    assert everything()
    monkeypatch.setattr(_compiled, "JINJA", "of another version")
    templating.trusted.cache_clear()
    with pytest.raises(AssertionError, match="compiled"):
        everything()


def test_another_version_of_jinja_says_the_same(monkeypatch):
    before = everything()
    monkeypatch.setattr(_compiled, "JINJA", "of another version")
    templating.trusted.cache_clear()
    assert everything() == before
