"""How cost grows, as SVG in the colours of the reader's theme. Axes begin at 0 if not logarithmic."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple
from xml.sax.saxutils import escape

from bench.results import Result

WIDTH: Final = 760
HEIGHT: Final = 330
LEFT, RIGHT, TOP, BOTTOM = 58, 22, 66, 48
"""Around each panel: numbers on its left, title and legend above, numbers and label below."""

STYLE: Final = """<style>
svg { --paper: #ffffff; --ink: #1f2328; --soft: #59636e; --grid: #e4e8ec;
  --s0: #0969da; --s1: #d1570a; --s2: #8250df;
  font: 12px system-ui, -apple-system, "Segoe UI", sans-serif; fill: var(--soft) }
@media (prefers-color-scheme: dark) {
  svg { --paper: #0d1117; --ink: #f0f6fc; --soft: #9198a1; --grid: #262c34;
    --s0: #58a6ff; --s1: #f0883e; --s2: #bc8cff } }
.paper { fill: var(--paper) } .grid { stroke: var(--grid) }
.title { fill: var(--ink); font-size: 14px; font-weight: 600 }
.s0 { color: var(--s0) } .s1 { color: var(--s1) } .s2 { color: var(--s2) }
polyline { fill: none; stroke: currentColor; stroke-width: 2; stroke-linejoin: round }
circle, .key { fill: currentColor }
.end { text-anchor: end } .middle { text-anchor: middle }
</style>"""

Points = Sequence[tuple[float, float]]


class Panel(NamedTuple):
    title: str
    x: str
    series: dict[str, Points]
    log_x: bool = True
    log_y: bool = False
    none_at_one: bool = False
    """The 1 of a logarithmic axis stands for none."""


class Scale:
    """Numbers of an axis to places between `start` and `end`."""

    def __init__(self, values: Sequence[float], start: float, end: float, *, log: bool) -> None:
        self._at: Callable[[float], float] = math.log10 if log else float
        if log:
            self.ticks = _log_ticks(min(values), max(values))
        else:
            self.ticks = _ticks(max(values))
        self._low, self._high = self._at(self.ticks[0]), self._at(self.ticks[-1])
        self._start, self._end = start, end

    def __call__(self, value: float) -> float:
        share = (self._at(value) - self._low) / (self._high - self._low)
        return round(self._start + share * (self._end - self._start), 1)


def _ticks(most: float) -> list[float]:
    step = float(10 ** math.floor(math.log10(most / 4))) if most > 0 else 1.0
    step *= next(times for times in (1, 2, 2.5, 5, 10) if step * times * 5 >= most)
    return [step * n for n in range(math.ceil(most / step - 1e-9) + 1)]


def _log_ticks(least: float, most: float) -> list[float]:
    """Powers of ten; the ends may be 2 or 5 times one, so that little stays empty."""
    first, last = math.floor(math.log10(least) + 1e-9), math.ceil(math.log10(most) - 1e-9)
    inner = [10.0**n for n in range(first + 1, last)]
    low = max(10.0**first * times for times in (1, 2, 5) if 10.0**first * times <= least * 1.001)
    high = min(10.0**last / times for times in (1, 2, 5) if 10.0**last / times >= most * 0.999)
    return [low, *inner, high] if low < high else [10.0**first, 10.0 ** (first + 1)]


def short(value: float) -> str:
    for size, unit in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.4g}{unit}"
    return f"{value:.3g}"


def svg(panels: Sequence[Panel]) -> str:
    each = WIDTH / len(panels)
    body = "\n".join(line for n, panel in enumerate(panels) for line in _panel(panel, n * each, each))
    titles = ", ".join(panel.title for panel in panels)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">\n'
        f"<title>{escape(titles)}</title>\n{STYLE}\n"
        f'<rect class="paper" width="{WIDTH}" height="{HEIGHT}" rx="8"/>\n{body}\n</svg>\n'
    )


def _panel(panel: Panel, left: float, width: float) -> Iterator[str]:
    start, end = left + LEFT, left + width - RIGHT
    top, bottom = TOP, HEIGHT - BOTTOM
    points = [point for line in panel.series.values() for point in line]
    x = Scale([point[0] for point in points], start, end, log=panel.log_x)
    y = Scale([point[1] for point in points], bottom, top, log=panel.log_y)
    yield f'<text class="title" x="{start}" y="26">{escape(panel.title)}</text>'
    place = start
    for n, name in enumerate(panel.series):
        yield f'<g class="s{n}"><rect class="key" x="{place}" y="39" width="14" height="4" rx="2"/></g>'
        yield f'<text x="{place + 20}" y="46">{escape(name)}</text>'
        place += 40 + 7 * len(name)
    for tick in y.ticks:
        yield f'<line class="grid" x1="{start}" x2="{end}" y1="{y(tick)}" y2="{y(tick)}"/>'
        yield f'<text class="end" x="{start - 8}" y="{y(tick) + 4}">{short(tick)}</text>'
    for tick in x.ticks:
        shown = "0" if panel.none_at_one and tick == 1 else short(tick)
        yield f'<text class="middle" x="{x(tick)}" y="{bottom + 18}">{shown}</text>'
    yield f'<text class="middle" x="{(start + end) / 2}" y="{bottom + 38}">{escape(panel.x)}</text>'
    for n, line in enumerate(panel.series.values()):
        places = [(x(a), y(b)) for a, b in line]
        joined = " ".join(f"{a},{b}" for a, b in places)
        dots = "".join(f'<circle cx="{a}" cy="{b}" r="3"/>' for a, b in places)
        yield f'<g class="s{n}"><polyline points="{joined}"/>{dots}</g>'


# ---------------------------------------------------------------------- what is drawn

DOOR_NAMES: Final = {"tcp": "TCP", "web": "WebSocket"}


def drawn(results: Sequence[Result]) -> dict[str, str]:
    """File name to SVG, of those for which there are results."""
    room = "readers of one room"
    deliveries = _doors(results, "readers", "readers", "deliveries_s")
    cost = _doors(results, "readers", "readers", "us")
    latencies = {
        shown: _line(results, "latency", "messages_s", name)
        for shown, name in (("p50", "p50"), ("p99", "p99"), ("p99.9", "p99_9"))
    }
    memory = _doors(results, "connections", "connections", "mib")
    logins = _doors(results, "connections", "connections", "login_us")
    rooms = {"one reader a room": _line(results, "by rooms", "rooms", "us")}
    starts = {"median of 5 starts": _line(results, "start", "messages", "open_s", least=1)}
    pictures = {
        "bench-readers.svg": [
            Panel("Deliveries per second", room, deliveries),
            Panel("µs of CPU per delivery", room, cost),
        ],
        "bench-latency.svg": [
            Panel(
                "Milliseconds from due to delivered, 100 readers",
                "messages offered per second",
                latencies,
                log_y=True,
            )
        ],
        "bench-connections.svg": [
            Panel("MiB of memory", "connections", memory, log_x=False),
            Panel("µs of CPU per login", "connections", logins, log_x=False),
        ],
        "bench-growth.svg": [
            Panel("µs of CPU per message", "rooms", rooms),
            Panel("Seconds to both doors open", "messages in the database", starts, none_at_one=True),
        ],
    }
    return {
        name: svg(panels)
        for name, panels in pictures.items()
        if all(line for panel in panels for line in panel.series.values())
    }


def _line(
    results: Sequence[Result], step: str, x: str, number: str, *, kind: str = "", least: float = 0
) -> Points:
    """`least` stands for smaller ones, which a logarithm cannot show."""
    return [
        (max(least, float(each.setting[x])), each.numbers[number])
        for each in results
        if each.step == step and number in each.numbers and kind in ("", each.setting.get("kind"))
    ]


def _doors(results: Sequence[Result], step: str, x: str, number: str) -> dict[str, Points]:
    return {shown: _line(results, step, x, number, kind=door) for door, shown in DOOR_NAMES.items()}
