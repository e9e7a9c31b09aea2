"""The machine that is measured on: its cores, its descriptors, and what a process uses of it. Linux only."""

import os
import platform
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

if sys.platform != "linux":
    sys.exit("bench: what a server uses is read from /proc, which only Linux has")

CORES: Final = sorted(os.sched_getaffinity(0))
SERVER_CORES: Final = set(CORES[:1])
GENERATOR_CORES: Final = set(CORES[1:2] or CORES)
"""One core each, where there are two; whatever else the machine has stays free."""


@contextmanager
def on_the_server_core() -> Iterator[None]:
    """What is started in this block stays on the server's core."""
    os.sched_setaffinity(0, SERVER_CORES)
    try:
        yield
    finally:
        os.sched_setaffinity(0, GENERATOR_CORES)


def cpu(pid: int) -> float:
    """Seconds of CPU that a process and all below it have used."""
    total = 0.0
    waiting = [pid]
    while waiting:
        process = waiting.pop()
        # Its CPU clock, as clock_getcpuclockid(3) makes it; /proc/PID/stat counts in steps of 10 ms.
        total += time.clock_gettime((~process << 3) | 2)
        for thread in Path(f"/proc/{process}/task").iterdir():
            waiting += map(int, (thread / "children").read_text().split())
    return total


def raise_descriptors(wanted: int) -> None:
    """Raise the limit of open descriptors to this, for us and all we start.

    The hard limit can be raised by root; whoever else needs it is told what does it.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, wanted))
        except (OSError, ValueError):
            print(
                f"bench: a process may open {hard:,} descriptors here, {wanted:,} are wanted: "
                f"fewer connections are measured. After `ulimit -n {wanted}` as root all are.",
                file=sys.stderr,
            )
        else:
            return
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def descriptors() -> int:
    """How many a process may open."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def described() -> dict[str, str | int]:
    model = ""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return {
        "cores": len(CORES),
        "model": model or platform.machine(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load": f"{os.getloadavg()[0]:.1f}",
    }
