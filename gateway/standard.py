"""The standard streams: whoever starts the program may have closed them, or stops to read."""

import os
import sys
from typing import Final

STDERR: Final = 2


def hold() -> None:
    """Open to nowhere what is closed of the three: else the next socket would be taken for one of them."""
    while (fd := os.open(os.devnull, os.O_RDWR)) <= STDERR:
        pass
    os.close(fd)


def announce(line: str) -> None:
    """A line on stdout, if anyone wants it."""
    try:
        print(line, flush=True)
    except OSError:
        give_up()


def give_up() -> None:
    """Nobody takes what is written to stdout: the rest, also what Python writes at its end, goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
