"""What an attack has shown, as a table on the terminal and in docs/attacks.md."""

import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

DOCUMENT: Final = Path(__file__).parent.parent / "docs" / "attacks.md"

HEAD: Final = """# What attacks have shown

One run of `make attack`: a server of its own for each attack, everybody on one machine ({cpus} CPUs,
{system}, Python {python}), {date}. Expected is what PROTOCOL.md and README.md promise; the tests in
`tests/hostile` check the same and more on every run of `make test`. p99 is the time from saying a
message until another person has it, of which 1 % are worse; the people themselves run on the same CPUs.

| attack | expected | measured | held |
|---|---|---|---|
"""


class Finding(NamedTuple):
    attack: str
    expected: str
    measured: str
    held: bool


def line(finding: Finding) -> str:
    held = "yes" if finding.held else "**no**"
    return f"| {finding.attack} | {finding.expected} | {finding.measured} | {held} |"


def write(findings: list[Finding]) -> None:
    head = HEAD.format(
        cpus=os.cpu_count(),
        system=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
        date=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    )
    DOCUMENT.write_text(head + "".join(line(finding) + "\n" for finding in findings))


def table(findings: list[Finding]) -> str:
    rows = [("attack", "expected", "measured", "held")]
    rows += [(f.attack, f.expected, f.measured, "yes" if f.held else "NO") for f in findings]
    widths = [max(len(row[n]) for row in rows) for n in range(4)]
    return "\n".join(
        " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows
    )
