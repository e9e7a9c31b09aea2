"""One attack after the other against a server of its own; about two minutes."""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable

from attack import loads, report, tricks
from attack.report import Finding

ATTACKS: tuple[Callable[[], Awaitable[Finding]], ...] = (
    loads.silent_sockets,
    loads.stopped_readers,
    loads.flooder,
    loads.few_descriptors,
    tricks.forgery,
    tricks.foreign_pages,
    tricks.half_sent,
    tricks.http_on_the_line_port,
    tricks.garbage,
    tricks.telnet_flood,
    tricks.ping_flood,
    tricks.resume_storm,
    tricks.ghosts,
)


async def attack(wanted: list[str]) -> list[Finding]:
    findings = []
    for each in ATTACKS:
        if wanted and each.__name__ not in wanted:
            continue
        print(f"attack: {each.__name__.replace('_', ' ')} …", end=" ", file=sys.stderr, flush=True)
        began = time.monotonic()
        try:
            async with asyncio.timeout(60):
                finding = await each()
        except (OSError, AssertionError, TimeoutError) as problem:
            finding = Finding(
                each.__name__, "to be carried out", f"{type(problem).__name__}: {problem}", held=False
            )
        findings.append(finding)
        print(
            f"{'held' if finding.held else 'DID NOT HOLD'} ({time.monotonic() - began:.0f} s)",
            file=sys.stderr,
        )
    return findings


def main() -> None:
    wanted = sys.argv[1:]
    findings = asyncio.run(attack(wanted))
    print(report.table(findings))
    if not wanted:
        report.write(findings)
    sys.exit(any(not finding.held for finding in findings))


if __name__ == "__main__":
    main()
