"""The results, as tables in Markdown: on the terminal, and in docs/bench.md."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from bench.results import Result


class Column(NamedTuple):
    head: str
    number: str
    shown: Callable[[float], str]


def _whole(value: float) -> str:
    return f"{value:,.0f}"


def _two(value: float) -> str:
    return f"{value:.2f}"


def _one(value: float) -> str:
    return f"{value:.1f}"


def _small(value: float) -> str:
    return f"{value:.1%}"


def _share(value: float) -> str:
    return f"{value:.0%}"


LATENCIES: Final = (
    Column("p50 ms", "p50", _two),
    Column("p99 ms", "p99", _two),
    Column("p99.9 ms", "p99_9", _two),
)
CPU: Final = (Column("server", "server", _share), Column("generator", "generator", _share))
TRAFFIC: Final = (
    Column("deliveries/s", "deliveries_s", _whole),
    Column("µs CPU", "us", _two),
    Column("generator µs", "generator_us", _two),
)


class Table(NamedTuple):
    title: str
    steps: Sequence[str]
    columns: Sequence[Column]
    setting: Sequence[str]
    """What tells the rows apart, beside the name of the step."""


TABLES: Final = (
    Table(
        "Closed loops",
        ("fan", "flood", "fan1k", "rooms"),
        (*TRAFFIC, *CPU),
        ("data", "kind"),
    ),
    Table("Open loops", ("rate", "rate2k"), (*TRAFFIC, *CPU, *LATENCIES), ("data", "kind")),
    Table(
        "A member that never reads",
        ("noslow", "slow"),
        (
            *TRAFFIC[:2],
            *LATENCIES,
            Column("growth MiB", "growth_mib", _one),
            Column("cut", "cut", _whole),
        ),
        ("kind",),
    ),
    Table(
        "Coming in, and being there",
        ("idle",),
        (
            Column("KiB a connection", "kib", _two),
            Column("logins/s", "logins_s", _whole),
            Column("µs CPU a login", "login_us", _whole),
            *CPU,
        ),
        ("kind", "connections"),
    ),
    Table("By readers", ("readers",), (*TRAFFIC, *CPU), ("kind", "readers")),
    Table(
        "By load (100 readers)",
        ("latency",),
        (*TRAFFIC[:2], *CPU, *LATENCIES, Column("cut", "cut", _whole)),
        ("messages_s",),
    ),
    Table(
        "By rooms",
        ("by rooms",),
        (Column("messages/s", "deliveries_s", _whole), Column("µs CPU a message", "us", _one), *CPU),
        ("rooms",),
    ),
    Table(
        "By connections",
        ("connections",),
        (
            Column("MiB", "mib", _one),
            Column("KiB a connection", "kib", _two),
            Column("µs CPU a login", "login_us", _whole),
            Column("logins/s", "logins_s", _whole),
            *CPU,
        ),
        ("kind", "connections"),
    ),
    Table(
        "Connections that do nothing",
        ("held",),
        (Column("CPU", "idle_cpu", _small), Column("seconds", "seconds", _whole)),
        ("kind", "connections"),
    ),
    Table(
        "Start, by messages in the database",
        ("start",),
        (
            Column("s to both doors open", "open_s", _two),
            Column("slowest of 5", "slowest_s", _two),
            Column("s CPU", "start_cpu_s", _two),
        ),
        ("messages",),
    ),
    Table(
        "History paged and searched",
        ("history",),
        (
            Column("pages/s", "pages_s", _whole),
            Column("searches/s", "searches_s", _whole),
            Column("server", "server", _share),
            Column("loop lag median ms", "lag_median", _two),
            Column("loop lag p99 ms", "lag_p99", _two),
            Column("PING p50 ms", "ping_p50", _two),
            Column("PING p99 ms", "ping_p99", _two),
        ),
        ("messages",),
    ),
    Table(
        "The page, in Chromium",
        ("page",),
        (
            Column("form, first visit ms", "form_ms", _whole),
            Column("form, again ms", "form_again_ms", _whole),
            Column("from there into the room ms", "room_ms", _whole),
            Column("scrolling by 800 px ms", "scroll_ms", _one),
            Column("longest ms", "scroll_longest_ms", _one),
            Column("MiB of script's", "heap_mib", _one),
        ),
        ("messages",),
    ),
)


class Growth(NamedTuple):
    """A cost that should stay the same, whatever grows."""

    cost: str
    step: str
    number: str
    by: str
    kind: str = ""
    since: int = 0
    """Smaller ones are left out."""


GROWTH: Final = (
    Growth("µs CPU a delivery, TCP", "readers", "us", "readers", "tcp"),
    Growth("µs CPU a delivery, TCP", "readers", "us", "readers", "tcp", 100),
    Growth("µs CPU a delivery, WebSocket", "readers", "us", "readers", "web"),
    Growth("µs CPU a delivery, WebSocket", "readers", "us", "readers", "web", 100),
    Growth("µs CPU a message", "by rooms", "us", "rooms"),
    Growth("KiB a connection, TCP", "connections", "kib", "connections", "tcp"),
    Growth("KiB a connection, WebSocket", "connections", "kib", "connections", "web"),
    Growth("µs CPU a login, TCP", "connections", "login_us", "connections", "tcp"),
    Growth("µs CPU a login, WebSocket", "connections", "login_us", "connections", "web"),
    Growth("s until both doors are open", "start", "open_s", "messages"),
)


class Wanted(NamedTuple):
    what: str
    wanted: str
    step: str
    number: str
    shown: Callable[[float], str]
    good: Callable[[float], bool]
    kind: str = ""


WANTED: Final = (
    Wanted("s to open, largest database", "< 0.4", "start", "open_s", _two, lambda s: s < 0.4),
    Wanted("logins/s, TCP", "≥ 2,000", "idle", "logins_s", _whole, lambda n: n >= 2000, "tcp"),
    Wanted("logins/s, WebSocket", "≥ 2,000", "idle", "logins_s", _whole, lambda n: n >= 2000, "web"),
    Wanted("CPU of idle TCP", "< 2.0%", "held", "idle_cpu", _small, lambda n: n < 0.02, "tcp"),
    Wanted("CPU of idle WebSockets", "< 2.0%", "held", "idle_cpu", _small, lambda n: n < 0.02, "web"),
    Wanted("loop lag p99 ms while history is read", "< 5", "history", "lag_p99", _two, lambda n: n < 5),
)


def in_short(results: Sequence[Result]) -> str:
    """What grows, what was wanted, and where the generator ends."""
    costs = [["how cost grows", "from", "to", "at first", "at last", "times"]]
    for growth in GROWTH:
        rows = [row for row in _of(results, growth) if int(row.setting[growth.by]) >= growth.since]
        if len(rows) > 1:
            before, after = rows[0].numbers[growth.number], rows[-1].numbers[growth.number]
            ends = [f"{row.setting[growth.by]:,} {growth.by}" for row in (rows[0], rows[-1])]
            times = f"{after / before:.2f}" if before else ""
            costs.append([growth.cost, *ends, f"{before:,.4g}", f"{after:,.4g}", times])
    wishes = [["what", "wanted", "found", "reached"]]
    for wish in WANTED:
        if rows := _of(results, wish):
            value = rows[-1].numbers[wish.number]
            reached = "yes" if wish.good(value) else "**no**"
            wishes.append([wish.what, wish.wanted, wish.shown(value), reached])
    limits = [["the generator's own limit", "µs a delivery", "deliveries/s of a full core"]]
    for row in results:
        if row.setting.get("data") == "floor":
            cost = row.numbers["generator_us"]
            limits.append([f"{row.step} against the floor", _two(cost), f"{1e6 / cost:,.0f}"])
    return "\n".join(_markdown(cells) for cells in (costs, wishes, limits) if len(cells) > 1)


def _of(results: Sequence[Result], wanted: Growth | Wanted) -> list[Result]:
    return [
        row
        for row in results
        if row.step == wanted.step
        and wanted.kind in ("", row.setting.get("kind"))
        and wanted.number in row.numbers
    ]


def medians(results: Sequence[Result]) -> list[Result]:
    """One result for the repetitions of a step: the median of each number, the sum of all faults."""
    groups: dict[tuple[object, ...], list[Result]] = {}
    for result in results:
        groups.setdefault((result.step, *result.setting.items()), []).append(result)
    found = []
    for group in groups.values():
        numbers = {
            name: statistics.median([each.numbers[name] for each in group if name in each.numbers])
            for name in dict.fromkeys(name for each in group for name in each.numbers)
        }
        faults: dict[str, int] = {}
        for each in group:
            for kind, number in each.faults.items():
                faults[kind] = faults.get(kind, 0) + number
        found.append(Result(group[0].step, group[0].setting, numbers, faults))
    return found


def tables(results: Sequence[Result]) -> str:
    """Those for which there are results."""
    found = medians(results)
    parts = [in_short(found), *(_table(table, found) for table in TABLES)]
    return "\n".join(part for part in parts if part)


def _table(table: Table, results: Sequence[Result]) -> str:
    rows = [result for result in results if result.step in table.steps]
    if not rows:
        return ""
    several = len(table.steps) > 1
    head = [*(("scenario",) if several else ()), *(name.replace("_s", "/s") for name in table.setting)]
    cells = [head + [column.head for column in table.columns] + ["faults"]]
    for row in rows:
        mark = " ¹" if row.generator_was_the_limit else " ²" if row.neither_was_full else ""
        name = row.step + mark
        setting = [_setting(row.setting.get(each, "")) for each in table.setting]
        if not several:
            setting[-1] += mark
        numbers = [
            column.shown(row.numbers[column.number]) if column.number in row.numbers else ""
            for column in table.columns
        ]
        cells.append([*([name] if several else []), *setting, *numbers, faults(row.faults)])
    text = f"### {table.title}\n\n" + _markdown(cells)
    if any(row.generator_was_the_limit for row in rows):
        text += "\n¹ The generator was the limit, not the server.\n"
    if any(row.neither_was_full for row in rows):
        text += "\n² Neither core was full: other programs had them too. µs CPU holds, deliveries/s do not.\n"
    return text


def _setting(value: str | int) -> str:
    return f"{value:,}" if isinstance(value, int) else value


def faults(found: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {kind}" for kind, number in found.items()) or "0"


def _markdown(cells: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[n]) for row in cells) for n in range(len(cells[0]))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in cells
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines) + "\n"


def brief(results: Sequence[Result]) -> str:
    """One line for who watches: what matters most of the last result."""
    result = results[-1]
    numbers = result.numbers
    wanted = (
        ("deliveries_s", "{:,.0f} deliveries/s"),
        ("us", "{:.2f} µs"),
        ("p99", "p99 {:.2f} ms"),
        ("kib", "{:.2f} KiB a connection"),
        ("logins_s", "{:,.0f} logins/s"),
        ("idle_cpu", "{:.1%} CPU idle"),
        ("lag_p99", "loop lag p99 {:.2f} ms"),
        ("open_s", "{:.2f} s to open"),
        ("form_ms", "{:.0f} ms to the form"),
    )
    shown = [form.format(numbers[name]) for name, form in wanted if name in numbers]
    if result.generator_was_the_limit:
        shown.append("the generator was the limit")
    wrong = sum(sum(each.faults.values()) for each in results)
    if wrong:
        shown.append(f"{wrong} FAULTS")
    return ", ".join(shown)
