"""The server under attack, and what its process uses."""

import asyncio
import os
import re
import resource
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

PARLOUR = Path(sys.executable).with_name("parlour")


class Target(NamedTuple):
    pid: int
    tcp: int
    web: int
    admin: int

    def memory(self) -> int:
        """Resident bytes."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * resource.getpagesize()

    def descriptors(self) -> int:
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))

    async def counters(self) -> dict[str, float]:
        """The numbers of /metrics."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.admin)
        writer.write(b"GET /metrics HTTP/1.0\r\nHost: localhost\r\n\r\n")
        text = (await reader.read()).decode()
        writer.close()
        found = re.findall(r"^(parlour_\S+) (\S+)$", text, re.MULTILINE)
        return {name: float(value) for name, value in found}


@asynccontextmanager
async def target(*options: str, before: Sequence[str] = ()) -> AsyncIterator[Target]:
    """A server of its own for each attack, with a database of its own memory. Its log goes nowhere."""
    environment = {
        name: value for name, value in os.environ.items() if not re.match("PARLOUR_|CHAT_PORT", name)
    }
    process = await asyncio.create_subprocess_exec(
        *before, str(PARLOUR), "serve", "--host", "127.0.0.1", "--tcp-port", "0", "--web-port", "0",
        "--admin-port", "0", "--data", "memory", *options,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL, env=environment,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        ports = []
        for _ in range(3):
            async with asyncio.timeout(10):
                line = (await process.stdout.readline()).decode()
            ports.append(int(re.findall(r":(\d+)", line)[-1]))
        yield Target(process.pid, *ports)
        process.terminate()
        async with asyncio.timeout(12):
            await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
