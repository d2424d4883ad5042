"""What stands above the button, so that it is on the first screen of a phone, whatever comes in. Pure.

In: the harmless names of a request. Out: those that its first sentence tells, and the part of a reason that
fits below it. A mail cannot measure, so it is computed for a screen of 320 by 500 pixels, with the widths of
Arial's letters and some room for wider ones. How high everything else is: ``layout.html``, whose styles
the numbers here repeat; a test computes the whole from these styles.
"""

from __future__ import annotations

from teleport_email.core.model import Topic, replace
from teleport_email.render import quoting
from teleport_email.render.names import shorter
from teleport_email.render.quoting import Quote, column_width
from teleport_email.render.views import First, RequestView, ReviewView, Some

HEIGHT = 258
"""Pixels for the first sentence and the reason: 500 less all around them, and two rows for long words."""
SENTENCE_ROW = 23
SENTENCE_WIDTH = 270
REASON_ROW = 21
LEAST_OF_REASON = 2
"""Rows of a reason that are shown at least; the first sentence leaves room for them."""
NO_REASON = frozenset({Topic.REQUESTER_APPROVED})
"""Where the command is what the reader needs, and reasons stand below the button."""
_BESIDE = {
    Topic.ANNOUNCEMENT: 0,
    Topic.REVIEW: 105,
    Topic.REMINDER: 79,
    Topic.ESCALATION: 105,
    Topic.APPROVED: 56,
    Topic.DENIED: 56,
    Topic.PROMOTED: 79,
    Topic.REQUESTER_APPROVED: 100,  # less the box of a reason
}
_BESIDE_OTHERS = 150
"""Pixels of what else there is above the button: a title of two rows, what to do now, a command."""

# Of ' ' to '~' in thousandths of the letters' size (the font's metrics); bold ones and other fonts are wider.
_ARIAL = """
278 278 355 556 556 889 667 191 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 556 556 556 278
278 584 584 584 556 1015 667 667 722 722 667 611 778 722 278 500 667 556 833 722 778 667 778 722 667 611 722
667 944 667 667 611 278 278 278 469 556 333 556 556 500 556 556 278 556 556 222 222 500 222 833 556 556 556
556 333 500 278 556 500 722 500 500 500 334 260 334 584
"""


class _Widths(dict[str, int]):
    """By character: a look-up costs nothing beside a call, and each letter of a reason is one."""

    def __missing__(self, char: str) -> int:
        return 600 * column_width(char)


_width = _Widths(zip(map(chr, range(32, 127)), map(int, _ARIAL.split()), strict=True)).__getitem__
# A tenth for wider fonts, and what breaking lines leaves.
_SENTENCE_ROOM = SENTENCE_WIDTH * 1000 // 16 * 10 // 11
_REASON_ROOM = 238 * 1000 // 15 * 15 // 16
_WORDS = 24_000  # the sentence's own words, in languages that need many
_KIND = "Kubernetes cluster "  # the longest of those that Teleport has
_ELSEWHERE = "(Cluster)"

_FITTING = ((3, 64), (3, 44), (3, 32), (3, 20), (2, 20), (1, 20), (1, 12))
"""How many names of each sort, and columns of each: the first that fits is taken."""
_FEW = 3
_LONG_NAME = 44
"""Where there are no more, they are what the reader decides about: told whole up to so many columns if at all
that can be."""
_LEAST_WITH_FEW = {Topic.ANNOUNCEMENT: 0, Topic.REMINDER: -1}
"""Rows that then may be missing, else -4: the sum is made for wide fonts and long words, and other topics
have more of both in it than there is."""
_REMNANT = 2
"""Rows of a reason that are not worth being told apart from the rest, where there is not much else."""


def first(request: RequestView, review: ReviewView | None, topic: Topic) -> First:
    """What the first sentence names: at most three of each, cut where they would fill the screen."""
    most = max(request.roles.total, request.decided_by.total, len(request.resources))
    for count, width in _FITTING:
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
        least = 0 if topic in NO_REASON else LEAST_OF_REASON
        if most <= _FEW and width >= _LONG_NAME:
            least = _LEAST_WITH_FEW.get(topic, -4)
        if _left(found, topic) >= least:
            break
    return found


def with_head(quote: Quote, sentence: First, topic: Topic) -> Quote:
    """The reason with as much in its head as fits below the sentence."""
    rows = max(LEAST_OF_REASON, _left(sentence, topic))
    few = not (sentence.roles.more or sentence.resources_more)
    whole = quote.shortened(rows + _REMNANT * few, _REASON_ROOM, _width)
    return quote.shortened(rows, _REASON_ROOM, _width) if whole.rest else whole


def _some(names: Some, count: int, width: int) -> Some:
    shown = tuple(shorter(name, width) for name in names.items[:count])
    return Some(shown, names.total - len(shown))


def _left(sentence: First, topic: Topic) -> int:
    """Rows that are left for a reason."""
    names = [sentence.user, sentence.name, sentence.author, *sentence.roles.items, *sentence.decided_by.items]
    for each in sentence.resources:
        names += [max(_KIND, each.kind, key=len), each.name, _ELSEWHERE * bool(each.cluster), each.cluster]
    told = ", ".join(filter(None, names))
    wide = _WORDS + sum(map(_width, told))
    rows = max(-(-wide // _SENTENCE_ROOM), len(quoting.row_starts(told, _SENTENCE_ROOM, _width)) + 1)
    return (HEIGHT - _BESIDE.get(topic, _BESIDE_OTHERS) - rows * SENTENCE_ROW) // REASON_ROW
