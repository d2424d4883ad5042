"""Draws docs/images/perf-*.svg from the results that ``run.py --save FILE`` has kept.

python bench/plots.py results.json docs/images
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

WIDTH, HEIGHT = 640, 320
LEFT, RIGHT, TOP, BOTTOM = 60, 36, 40, 50
COLOURS = ("#8a94a6", "#2f6fde", "#d9822b")
STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#444}.t{font-size:14px;font-weight:600}"
    "line{stroke:#ccc}path{fill:none;stroke-width:2}@media(prefers-color-scheme:dark)"
    "{text{fill:#ccc}line{stroke:#555}}"
)


def nice(top: float) -> float:
    """The next round number above."""
    step = 10 ** math.floor(math.log10(top))
    return next(step * factor for factor in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if step * factor >= top)


class Chart:
    """Axes, and what is drawn between them. ``log_x``: decades on the x axis."""

    def __init__(
        self,
        title: str,
        x_label: str,
        y_label: str,
        y_top: float,
        xs: Sequence[float],
        *,
        log_x: bool = False,
    ) -> None:
        self.log_x, self.y_top, self.xs = log_x, nice(y_top), xs
        middle, half = (LEFT + WIDTH - RIGHT) / 2, (TOP + HEIGHT - BOTTOM) / 2
        self.parts = [
            f'<text class="t" x="{LEFT}" y="20">{escape(title)}</text>',
            f'<text x="{middle}" y="{HEIGHT - 8}" text-anchor="middle">{escape(x_label)}</text>',
            f'<text transform="translate(14 {half}) rotate(-90)">{escape(y_label)}</text>',
        ]
        for tick in range(5):
            value = self.y_top * tick / 4
            y = self.y(value)
            self.parts += [
                f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}"/>',
                f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>',
            ]
        self._legend = 0

    def x(self, value: float) -> float:
        low, high = self.xs[0], self.xs[-1]
        if self.log_x:
            value, low, high = math.log10(value), math.log10(low), math.log10(high)
        return LEFT + (value - low) / ((high - low) or 1) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        return HEIGHT - BOTTOM - value / self.y_top * (HEIGHT - TOP - BOTTOM)

    def label_x(self, places: Sequence[tuple[float, str]]) -> None:
        for place, text in places:
            y = HEIGHT - BOTTOM + 18
            self.parts.append(f'<text x="{place:.1f}" y="{y}" text-anchor="middle">{escape(text)}</text>')

    def legend(self, name: str) -> str:
        colour = COLOURS[self._legend % len(COLOURS)]
        x = WIDTH - RIGHT - 150
        y = TOP + 8 + 18 * self._legend
        self.parts += [
            f'<rect x="{x}" y="{y - 9}" width="10" height="10" fill="{colour}"/>',
            f'<text x="{x + 16}" y="{y}">{escape(name)}</text>',
        ]
        self._legend += 1
        return colour

    def line(self, name: str, points: Sequence[tuple[float, float]]) -> None:
        colour = self.legend(name)
        path = " ".join(
            f"{'L' if place else 'M'}{self.x(x):.1f} {self.y(y):.1f}" for place, (x, y) in enumerate(points)
        )
        self.parts.append(f'<path d="{path}" stroke="{colour}"/>')
        if len(points) < 10:
            self.parts += [
                f'<circle cx="{self.x(x):.1f}" cy="{self.y(y):.1f}" r="3" fill="{colour}"/>'
                for x, y in points
            ]

    def bars(self, groups: Sequence[str], series: Sequence[tuple[str, Sequence[float]]]) -> None:
        room = (WIDTH - LEFT - RIGHT) / len(groups)
        width = room * 0.6 / len(series)
        for number, (name, values) in enumerate(series):
            colour = self.legend(name)
            for group, value in enumerate(values):
                x = LEFT + room * (group + 0.2) + width * number
                y = self.y(value)
                self.parts += [
                    (
                        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width - 2:.1f}"'
                        f' height="{HEIGHT - BOTTOM - y:.1f}" fill="{colour}"/>'
                    ),
                    f'<text x="{x + width / 2:.1f}" y="{y - 4:.1f}" text-anchor="middle">{value:.3g}</text>',
                ]
        self.label_x([(LEFT + room * (place + 0.5), text) for place, text in enumerate(groups)])

    def save(self, path: Path) -> None:
        body = "\n".join(self.parts)
        path.write_text(
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}"'
            f' height="{HEIGHT}"><style>{STYLE}</style>\n{body}\n</svg>\n'
        )
        print(path)


def table(results: dict[str, Any], beginning: str) -> list[dict[str, Any]]:
    """The rows of the first result whose name begins so."""
    for name, result in results.items():
        if name.startswith(beginning):
            return [dict(zip(result["columns"], row, strict=False)) for row in result["rows"]]
    return []


def main() -> None:
    results = json.loads(Path(sys.argv[1]).read_text())
    directory = Path(sys.argv[2])
    directory.mkdir(parents=True, exist_ok=True)
    if rows := table(results, "burst of 200 requests x 5, 10 connections, TLS"):
        top = max(max(row["recorded s"], row["floor s"]) for row in rows)
        chart = Chart(
            "1,000 mails: floor and daemon", "round trip to the mail server", "seconds", top * 1.3, [0]
        )
        groups = [f"{row['delay ms']:g} ms" for row in rows]
        chart.bars(
            groups,
            [
                ("bare loop", [row["floor s"] for row in rows]),
                ("daemon, all recorded", [row["recorded s"] for row in rows]),
            ],
        )
        chart.save(directory / "perf-burst.svg")
    if rows := [row for row in table(results, "first list") if row["open"]]:
        xs = [row["open"] for row in rows]
        chart = Chart(
            "First list, above a start with nothing open",
            "open requests",
            "per request",
            max(*(row["KB per request"] for row in rows), 1) * 1.2,
            xs,
            log_x=True,
        )
        chart.line("KB of memory", [(row["open"], max(0.0, row["KB per request"])) for row in rows])
        chart.line(
            "0.1 ms of processor", [(row["open"], 10 * max(0.0, row["ms per request"])) for row in rows]
        )
        chart.label_x([(chart.x(x), f"{x:,}") for x in xs])
        chart.save(directory / "perf-growth.svg")
    if rows := table(results, "long run"):
        xs = [row["events"] for row in rows]
        chart = Chart("A long run", "events", "RSS, MB", max(row["RSS MB"] for row in rows) * 1.2, xs)
        chart.line("daemon", [(row["events"], row["RSS MB"]) for row in rows])
        chart.label_x([(chart.x(x), f"{x:,}") for x in (xs[0], xs[len(xs) // 2], xs[-1])])
        chart.save(directory / "perf-memory.svg")


if __name__ == "__main__":
    main()
