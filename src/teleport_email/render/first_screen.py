"""What stands above the button, so that it is on the first screen of a phone, whatever comes in. Pure.

In: the harmless names of a request. Out: those that its first sentence tells, and the part of a reason that
fits below it. Counted in rows of a screen of 320 pixels, since a mail cannot measure: letters are taken for a
little wider than they are, so that there is room rather left than missing.
"""

from __future__ import annotations

import re
from dataclasses import replace

from teleport_email.render.names import shorter
from teleport_email.render.quoting import Quote, columns
from teleport_email.render.views import First, RequestView, ReviewView, Some

ROWS = 13
"""Of sentences and reason together: with title, button and margins they take less than 500 pixels."""
LEAST_OF_REASON = 3
"""Rows of a reason that are shown at least; the first sentence leaves room for them."""
SENTENCE = 30
"""Columns of a row of the first sentence: 270 pixels, 16 pixels high."""
QUOTED = 29
"""Columns of a row of a reason: 238 pixels, 15 pixels high."""

_WORDS = 36  # columns of the sentence's own words, in languages that need many
_KIND = 12  # "Database", "Kubernetes cluster": what kind of resource
_WIDE = re.compile(r"[A-Zmw@%&]")
_FITTING = ((3, 64), (3, 32), (3, 20), (2, 20), (1, 20))
"""How many names of each sort, and columns of each: the first that fits is taken. Less than three of a sort
only where there are more than three: that two are not told for want of room would not be understood."""


def first(request: RequestView, review: ReviewView | None, beside: int) -> First:
    """What the first sentence names: at most three of each, cut where they would fill the screen.

    ``beside``: columns of what else stands above the button, in whole rows.
    """
    crowded = max(request.roles.total, request.decided_by.total, len(request.resources)) > _FITTING[0][0]
    for count, width in _FITTING if crowded else _FITTING[:3]:
        shown = request.resources[:count]
        found = First(
            user=shorter(request.user, max(width // 2, 40)),
            name=shorter(request.name, width),
            author=shorter(review.author, max(width // 2, 40)) if review else "",
            roles=_some(request.roles, count, width),
            resources=tuple(
                replace(each, name=shorter(each.name, width), cluster=shorter(each.cluster, width))
                for each in shown
            ),
            resources_more=len(request.resources) - len(shown) + request.resources_more,
            decided_by=_some(request.decided_by, count, max(width, 30)),
        )
        if _rows(found, beside) <= ROWS - LEAST_OF_REASON:
            break
    return found


def with_head(quote: Quote, sentence: First, beside: int) -> Quote:
    """The reason with as much in its head as fits below the sentence."""
    rows = max(LEAST_OF_REASON, ROWS - _rows(sentence, beside))
    text = " ".join(quote.lines)
    return quote.shortened(rows, QUOTED * columns(text) // max(1, _width(text)))


def _some(names: Some, count: int, width: int) -> Some:
    shown = tuple(shorter(name, width) for name in names.items[:count])
    return Some(shown, names.total - len(shown))


def _rows(sentence: First, beside: int) -> int:
    names = [sentence.user, sentence.name, sentence.author, *sentence.roles.items, *sentence.decided_by.items]
    names += [each.name for each in sentence.resources] + [each.cluster for each in sentence.resources]
    wide = _WORDS + _KIND * len(sentence.resources) + sum(_width(name) + 2 for name in names if name)
    return -(-wide // SENTENCE) + -(-beside // SENTENCE)


def _width(text: str) -> int:
    """Columns, where capitals and other wide letters take two thirds of one more."""
    return columns(text) + len(_WIDE.findall(text)) * 2 // 3
