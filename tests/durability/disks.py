"""Disks that go bad while a server runs, and get well again."""

import os
import resource
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Protocol

import pytest

from tests.clients import require
from tests.e2e.server import Server, serving


class Disk(Protocol):
    code: str
    """The error that a message meets while the disk is bad."""

    def breaks(self) -> None: ...

    def heals(self) -> None: ...


class FullDisk:
    code = "storage-full"

    def __init__(self, place: Path) -> None:
        self._ballast = place / "ballast"

    def breaks(self) -> None:
        with suppress(OSError), self._ballast.open("wb", buffering=0) as file:
            while file.write(bytes(1024)):
                pass

    def heals(self) -> None:
        self._ballast.unlink()


class FailingDisk:
    """Every write of this process beyond the first page of a file fails. Nobody has to be root for that."""

    code = "storage-failed"

    def __init__(self, process: int) -> None:
        self._process = process
        self._usual = resource.prlimit(process, resource.RLIMIT_FSIZE)

    def breaks(self) -> None:
        resource.prlimit(self._process, resource.RLIMIT_FSIZE, (4096, self._usual[1]))

    def heals(self) -> None:
        resource.prlimit(self._process, resource.RLIMIT_FSIZE, self._usual)


@asynccontextmanager
async def suffering(data: Path) -> AsyncIterator[Server]:
    """A server that may report what it cannot read or write, and nothing else; it stops cleanly."""
    async with serving("--data", str(data), "--rate", "0", "--history-per-room", "0") as server:
        yield server
        if server.program.process.returncode is None:  # else the test has ended it
            server.program.process.terminate()
            assert await server.program.exited() == 0
        for line in server.program.errors:
            assert "Traceback" not in line
            assert " ERROR " not in line or "cannot write" in line or "cannot read" in line, line


@contextmanager
def mounted(place: Path) -> Iterator[None]:
    """A file system of 2 MB in memory. Only root may; without it the test is skipped."""
    place.mkdir(exist_ok=True)
    command = [require("mount"), "-t", "tmpfs", "-o", "size=2m", "parlour-test", str(place)]
    mount = subprocess.run(command, capture_output=True, text=True, check=False)
    if mount.returncode:
        if os.environ.get("PARLOUR_REQUIRE_ALL") == "1" and os.geteuid() == 0:
            pytest.fail(f"cannot mount a file system: {mount.stderr}")
        pytest.skip(f"cannot mount a file system: {mount.stderr}")
    try:
        yield
    finally:
        subprocess.run([require("umount"), "--lazy", place], check=True)


def remount_read_only(place: Path) -> None:
    subprocess.run([require("mount"), "-o", "remount,ro", place], check=True)
