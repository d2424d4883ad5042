"""What the tests read out of a message's HTML: its texts with their colours, tags, links, and the preheader."""

from __future__ import annotations

import re
from html.parser import HTMLParser


class Page(HTMLParser):
    """Walks a message's HTML and notes each text with its colours (in light or dark), each tag, each link."""

    VOID = frozenset({"meta", "br", "img", "hr", "link", "input"})

    def __init__(self, html: str, *, dark: bool = False) -> None:
        super().__init__(convert_charrefs=True)
        self.texts: list[tuple[str, str, str]] = []
        self.tags: list[str] = []
        self.links: list[str] = []
        self.attributes: set[str] = set()
        self.unclosed: list[str] = []
        self._dark = dict(re.findall(r"^\.(\w+)\{(.*)\}$", html, flags=re.MULTILINE)) if dark else {}
        self._stack: list[tuple[str, str, str, bool]] = [("", "#000000", "#ffffff", False)]
        self.feed(html)
        self.close()
        self.unclosed = [tag for tag, *_ in self._stack[1:]]

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.tags.append(tag)
        self.attributes |= set(given)
        if "href" in given:
            self.links.append(given["href"])
        if tag in self.VOID:
            return
        _, colour, background, hidden = self._stack[-1]
        rules = [given.get("style", "")] + [
            self._dark.get(name, "") for name in given.get("class", "").split()
        ]
        for declaration in ";".join(rules).split(";"):
            name, _, value = declaration.partition(":")
            value = value.replace("!important", "").strip()
            if name == "color":
                colour = value
            elif name == "background-color":
                background = value
            elif declaration == "display:none":
                hidden = True
        self._stack.append((tag, colour, background, hidden or tag in {"head", "style", "title"}))

    def handle_endtag(self, tag):
        assert self._stack[-1][0] == tag, f"{tag} closes {self._stack[-1][0]}"
        self._stack.pop()

    def handle_data(self, data):
        _, colour, background, hidden = self._stack[-1]
        if data.strip() and not hidden:
            self.texts.append((data, colour, background))


def visible_text(html: str) -> str:
    return "".join(text for text, _, _ in Page(re.sub(r"<(?:br|div|p|td|tr|th)\b", r" \g<0>", html)).texts)


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def preheader(html: str) -> str:
    found = re.search(r'<div style="display:none;[^"]*">([^<]*)</div>', html)
    assert found
    return found[1].replace("\u034f\u00a0", "")
