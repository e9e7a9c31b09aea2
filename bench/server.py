"""The server that is measured: fresh for each step, on its own core, with no limit that would be measured."""

import asyncio
import os
import re
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from attack.server import PARLOUR, Target
from bench import machine

UNLIMITED: Final = ("--rate", "0", "--idle-timeout", "0", "--max-connections-per-address", "0")
"""The pace of a person, silence, and how many come from one machine are the load here."""


@asynccontextmanager
async def started(*command: str, ports: int) -> AsyncIterator[tuple[int, list[int]]]:
    """A program that prints a line for each of its ports: its process id and those."""
    environment = {
        name: value for name, value in os.environ.items() if not re.match("PARLOUR_|CHAT_PORT", name)
    }
    with machine.on_the_server_core():
        process = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL, env=environment
        )
    try:
        assert process.stdout is not None
        found = []
        async with asyncio.timeout(60):
            for _ in range(ports):
                line = (await process.stdout.readline()).decode()
                if not line:
                    raise ChildProcessError(f"{command[0]} did not start")
                found.append(int(re.findall(r":(\d+)", line)[-1]))
        yield process.pid, found
    finally:
        with suppress(ProcessLookupError):
            process.kill()  # a clean stop tells everyone, which is not what is measured
        await process.wait()


@asynccontextmanager
async def parlour(data: str = "file", *options: str) -> AsyncIterator[Target]:
    """`data` is "file" for a new one, "memory", or the path of one."""
    with tempfile.TemporaryDirectory(prefix="parlour-bench-") as folder:
        where = str(Path(folder, "parlour.db")) if data == "file" else data
        ports = ("--tcp-port", "0", "--web-port", "0", "--admin-port", "0")
        command = (str(PARLOUR), "serve", "--host", "127.0.0.1", *ports, "--data", where, *UNLIMITED)
        async with started(*command, *options, ports=3) as (pid, (tcp, web, admin)):
            yield Target(pid, tcp, web, admin)


@asynccontextmanager
async def floor() -> AsyncIterator[Target]:
    """The program in floor.py, which has the line door only."""
    async with started(sys.executable, "-m", "bench.floor", ports=1) as (pid, (tcp,)):
        yield Target(pid, tcp, 0, 0)


async def until_open(data: str) -> tuple[float, float]:
    """Seconds from the start of the program until both doors take a connection; CPU seconds by then."""
    began = time.perf_counter()
    command = (str(PARLOUR), "serve", "--host", "127.0.0.1", "--tcp-port", "0", "--web-port", "0")
    async with started(*command, "--data", data, ports=2) as (pid, doors):
        for port in doors:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
        return time.perf_counter() - began, machine.cpu(pid)
