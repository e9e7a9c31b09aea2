"""The generator: all steps, or those that are asked for; what was found as JSON, tables and plots."""

import argparse
import math
import os
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec
import uvloop

from bench import growth, machine, page, plots, report, scenarios
from bench.results import FULL, QUICK, Result, Scale, Step

ROOT: Final = Path(__file__).parent.parent
DOCS: Final = ROOT / "docs"
ELSEWHERE: Final = ROOT / "var" / "bench"
"""For the results of some steps only, or of small ones."""

HEAD: Final = """<!-- written by `make bench` -->
One run of `make bench` on {date}: {model}, {cores} cores, {system}, Python {python},
load average {load} before it. The server has one core, the generator another; each step has a fresh server.
[bench/README.md](../bench/README.md) says what the numbers mean; all of them are in [bench.json](bench.json).

"""


def arguments(given: Sequence[str]) -> argparse.Namespace:
    names = sorted({step.name for step in _steps(FULL)})
    parser = argparse.ArgumentParser(prog="make bench", description="Measure what Parlour costs.")
    parser.add_argument(
        "--only", type=lambda text: text.split(","), metavar="STEP,…", help="of: " + ", ".join(names)
    )
    parser.add_argument("--reps", type=int, default=1, help="runs of each step, in turns; shows medians")
    parser.add_argument(
        "--data",
        type=lambda text: tuple(text.split(",")),
        metavar="WHERE,…",
        help="of: floor, file, memory (default all): for the scenarios of the first two tables",
    )
    parser.add_argument("--seconds", type=float, help="that each load is measured (default 1.5)")
    parser.add_argument("--quick", action="store_true", help="everything small and short: does it work?")
    parser.add_argument("--out", type=Path, help="folder for the results (default: docs for a whole run)")
    options = parser.parse_args(given)
    if unknown := set(options.data or ()) - set(FULL.data):
        parser.error(f"messages are kept in floor, file or memory, not in {', '.join(unknown)}")
    for name in options.only or ():
        if name not in names:
            parser.error(f"there is no step {name!r}; there are {', '.join(names)}")
    return options


def _steps(scale: Scale) -> list[Step]:
    return scenarios.steps(scale) + growth.steps(scale) + page.steps(scale)


async def carry_out(steps: Sequence[Step], reps: int) -> list[Result]:
    results: list[Result] = []
    total = sum(step.seconds for step in steps) * reps
    planned, began, count = 0.0, time.monotonic(), len(steps) * reps
    for number in range(count):
        step = steps[number % len(steps)]
        left = (total - planned) * ((time.monotonic() - began) / planned if planned else 1.0)
        planned += step.seconds
        _say(f"[{number + 1}/{count}] {_minutes(left)} left: {step.name}, {step.setting} … ", end="")
        try:
            found = await step.run()
        except (OSError, AssertionError, TimeoutError, ExceptionGroup) as problem:
            found = [Result(step.name, {}, {}, {f"{type(problem).__name__}: {problem}": 1})]
        results += found
        _say(report.brief(found))
    return results


def _say(text: str, end: str = "\n") -> None:
    print(text, end=end, file=sys.stderr, flush=True)


def _minutes(seconds: float) -> str:
    whole = math.ceil(seconds)
    return f"{whole // 60}:{whole % 60:02d}"


def write(folder: Path, results: Sequence[Result], machine_is: dict[str, str | int], scale: Scale) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    date = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    document = {"date": date, "machine": machine_is, "scale": scale, "results": results}
    encoded = msgspec.json.format(msgspec.json.encode(document), indent=1)
    (folder / "bench.json").write_bytes(encoded + b"\n")
    (folder / "bench.md").write_text(HEAD.format(date=date, **machine_is) + report.tables(results))
    for name, svg in plots.drawn(report.medians(results)).items():
        (folder / name).write_text(svg)


def main() -> None:
    options = arguments(sys.argv[1:])
    scale = QUICK if options.quick else FULL
    if options.seconds is not None:
        scale = msgspec.structs.replace(scale, seconds=options.seconds)
    if options.data is not None:
        scale = msgspec.structs.replace(scale, data=options.data)
    steps = [step for step in _steps(scale) if not options.only or step.name in options.only]
    if page.BROWSER is None:
        _say("There is no Chromium here (`scripts/setup tools` installs it): the page is not measured.")
        steps = [step for step in steps if step.name != "page"]
    whole = not (options.only or options.quick or options.data)
    machine_is = machine.described()
    os.sched_setaffinity(0, machine.GENERATOR_CORES)
    machine.raise_descriptors(2 * max(scale.connection_counts) + growth.RESERVE)
    began = time.monotonic()
    try:
        results = uvloop.run(carry_out(steps, options.reps))
    except KeyboardInterrupt:
        sys.exit(130)
    folder = options.out or (DOCS if whole else ELSEWHERE)
    write(folder, results, machine_is, scale)
    print(report.tables(results))
    _say(f"{time.monotonic() - began:.0f} s; the results are in {folder}")
    wrong = [result for result in results if result.faults]
    for result in wrong:
        _say(f"FAULTS: {result.step} {result.setting}: {report.faults(result.faults)}")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
