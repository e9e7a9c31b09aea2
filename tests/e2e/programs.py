"""Real programs, driven line by line: the server itself, netcats, whatever reads and writes lines.

Nothing here sleeps: every wait is for a line, an ending or an exit, and has a deadline.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from tests.clients import require

STAMP = re.compile(r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\] ")
"""What the plain dialect puts before each line."""

DEADLINE = 10.0
"""Seconds that anything may take on a busy machine. A test that works waits for none of it."""


class Lines:
    """What comes in, line by line. CR and everything else but LF stays visible."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self.heard: list[str] = []

    async def line(self) -> str:
        """The next line; fails at the end of the output and after the deadline."""
        try:
            async with asyncio.timeout(DEADLINE):
                raw = await self._reader.readline()
        except TimeoutError:
            problem = f"no further line within {DEADLINE:g} s after {self.heard[-20:]}"
            raise AssertionError(problem) from None
        text = raw.decode()
        assert text.endswith("\n"), f"the output ended with {text!r} after {self.heard[-20:]}"
        self.heard.append(text[:-1])
        return self.heard[-1]

    async def hears(self, *expected: str) -> None:
        """Exactly these lines come next."""
        for text in expected:
            heard = await self.line()
            assert heard == text, f"{heard!r} came instead of {text!r}"

    async def is_told(self, *expected: str) -> None:
        """Exactly these lines come next, each behind a timestamp."""
        for text in expected:
            heard = await self.line()
            stamp = STAMP.match(heard)
            assert stamp, f"{heard!r} has no timestamp"
            assert heard[stamp.end() :] == text, f"{heard!r} came instead of {text!r}"

    async def until(self, pattern: str) -> list[str]:
        """The lines up to the one that the pattern matches as a whole, with it."""
        lines = [await self.line()]
        while not re.fullmatch(pattern, lines[-1]):
            lines.append(await self.line())
        return lines

    async def rest(self) -> list[str]:
        """Everything up to the end of the output, which must come."""
        try:
            async with asyncio.timeout(DEADLINE):
                raw = await self._reader.read()
        except TimeoutError:
            raise AssertionError(f"the output did not end within {DEADLINE:g} s") from None
        return raw.decode().split("\n")[:-1]


class Program(Lines):
    """A running program with pipes; what it writes on stderr is kept in `errors`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        super().__init__(process.stdout)
        self.process = process
        self.errors: list[str] = []
        self._more_errors = asyncio.Event()
        self._collecting = asyncio.create_task(self._collect())

    async def _collect(self) -> None:
        """Reads stderr all the time: a full pipe would stop the program."""
        assert self.process.stderr is not None
        async for raw in self.process.stderr:
            self.errors.append(raw.decode().rstrip("\n"))
            self._more_errors.set()

    async def send(self, *lines: str, end: str = "\n") -> None:
        await self.send_raw("".join(line + end for line in lines).encode())

    async def send_raw(self, data: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(data)
        await self.process.stdin.drain()

    async def end_input(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        await self.process.stdin.wait_closed()

    async def complains(self, pattern: str, *, times: int = 1) -> list[str]:
        """The lines on stderr in which the pattern is found, once there are as many as `times`."""
        try:
            async with asyncio.timeout(DEADLINE):
                while len(found := [line for line in self.errors if re.search(pattern, line)]) < times:
                    self._more_errors.clear()
                    await self._more_errors.wait()
        except TimeoutError:
            problem = f"{pattern!r} came {len(found)} times, not {times}, in {self.errors[-20:]}"
            raise AssertionError(problem) from None
        return found

    async def exited(self) -> int:
        """Its exit status, once it has ended by itself and all it wrote on stderr is in `errors`."""
        try:
            async with asyncio.timeout(DEADLINE):
                await self._collecting
                return await self.process.wait()
        except TimeoutError:
            raise AssertionError(f"the program was still there after {DEADLINE:g} s") from None


@asynccontextmanager
async def running(*command: str, env: Mapping[str, str] | None = None) -> AsyncIterator[Program]:
    """Start a program; end it (this one, by its id) at the latest when the block is left."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        require(command[0]), *command[1:], stdin=pipe, stdout=pipe, stderr=pipe, env=env
    )
    program = Program(process)
    try:
        yield program
    finally:
        if process.returncode is None:
            process.kill()
        if process.stdin is not None:
            process.stdin.close()
        await program.exited()
        await program.rest()
