"""The lines of the log are written aside: who does not read them stops nothing."""

import asyncio
import fcntl
import logging
import os
import signal
import sys
from queue import SimpleQueue
from select import select
from threading import Event

import pytest

from gateway.logs import Aside, Stderr
from tests.clients import LineClient, within
from tests.e2e.programs import DEADLINE, Lines
from tests.e2e.server import FREE_PORTS, IN_MEMORY, LOOPBACK, PARLOUR, environment, port_in


def full_pipe() -> tuple[int, int]:
    """Both ends; nothing more goes in."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    size = fcntl.fcntl(writer, fcntl.F_GETPIPE_SZ) if sys.platform == "linux" else 65_536
    assert os.write(writer, bytes(size)) == size
    os.set_blocking(writer, True)
    return reader, writer


async def test_a_log_that_nobody_reads_holds_up_neither_the_chat_nor_a_stop() -> None:
    reader, writer = full_pipe()
    try:
        process = await asyncio.create_subprocess_exec(
            *(PARLOUR, "serve", *LOOPBACK, *FREE_PORTS, *IN_MEMORY),
            stdout=asyncio.subprocess.PIPE, stderr=writer, env=environment(),
        )  # fmt: skip
        try:
            assert process.stdout is not None
            said = await Lines(process.stdout).line()
            port = port_in(r"Server listening on 127\.0\.0\.1:(\d+)", said)
            for n in range(5):
                async with LineClient(port, f"LOGIN Ann{n}") as ann:
                    await ann.send("PING")
                    await ann.expect("PONG")
            process.send_signal(signal.SIGTERM)
            async with within(DEADLINE):
                assert await process.wait() == 0
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    finally:
        os.close(reader)
        os.close(writer)


def test_a_pipe_that_somebody_has_made_one_that_does_not_wait_gets_every_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reader, writer = full_pipe()
    try:
        os.set_blocking(writer, False)
        monkeypatch.setattr("gateway.logs.STDERR", writer)
        aside = Aside(Stderr())
        for n in range(5):
            aside.emit(logging.makeLogRecord({"msg": f"{n} {'x' * 50_000}"}))
        aside.emit(logging.makeLogRecord({"msg": "that was all"}))
        found = b""
        while b"all" not in found:
            assert select([reader], [], [], DEADLINE)[0], found[-100:]
            found += os.read(reader, 65_536).lstrip(b"\0")
        assert [line.split()[0] for line in found.splitlines()] == [b"0", b"1", b"2", b"3", b"4", b"that"]
        aside.close()
    finally:
        os.close(reader)
        os.close(writer)


def test_of_too_many_lines_some_are_left_out_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.logs.MOST_WAITING", 3)
    written: SimpleQueue[str] = SimpleQueue()
    began, may = Event(), Event()

    class Slow(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            began.set()
            assert may.wait(DEADLINE)
            written.put(record.getMessage())

    aside = Aside(Slow())
    log = logging.Logger("a log of its own")  # noqa: LOG001 - of which nothing is left afterwards
    log.addHandler(aside)
    log.info("%d", 0)
    assert began.wait(DEADLINE)
    for n in range(1, 6):
        log.info("%d", n)
    may.set()
    assert [written.get(timeout=DEADLINE) for _ in range(4)] == ["0", "1", "2", "3"]
    log.info("and on")
    aside.close()
    assert [written.get(timeout=DEADLINE) for _ in range(2)] == [
        "2 lines are left out: nobody read them",
        "and on",
    ]
    assert written.empty()


def test_a_line_that_cannot_be_made_does_not_end_the_log(capfd: pytest.CaptureFixture[str]) -> None:
    aside = Aside(Stderr())
    log = logging.Logger("a log of its own")  # noqa: LOG001 - of which nothing is left afterwards
    log.addHandler(aside)
    log.info("%d", "no number")
    log.info("and on")
    aside.close()
    assert capfd.readouterr().err.endswith("\nand on\n")
