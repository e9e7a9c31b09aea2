"""The netcats, as a person starts them, and what both dialects say first."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from tests.e2e.programs import Program, running
from tests.e2e.server import Server

NETCATS: Final = ("nc.openbsd", "nc.traditional", "ncat")

GREETING: Final = (
    "Welcome! Please login with: LOGIN <username>",
    "Or type just a name (letters, digits, - and _) to chat in plain words.",
)


def plain_welcome(name: str) -> tuple[str, str]:
    """What the plain dialect tells someone who has just come in, without the timestamps."""
    return (
        f"{name} has joined the chat.",
        f"You are {name}, in #general. What you type is what you say; /help lists the commands.",
    )


@asynccontextmanager
async def netcat(server: Server, name: str = "nc.openbsd", *options: str) -> AsyncIterator[Program]:
    """A netcat that is connected to the line door and has shown the greeting."""
    async with running(name, *options, "127.0.0.1", str(server.tcp_port)) as program:
        await program.hears(*GREETING)
        yield program


async def log_in(user: Program, name: str) -> None:
    await user.send(f"LOGIN {name}")
    await user.hears("OK")


async def give_name(user: Program, name: str) -> None:
    """Just a name, into rooms where nothing was said yet."""
    await user.send(name)
    await user.is_told(*plain_welcome(name))


@asynccontextmanager
async def command_user(server: Server, name: str, program: str = "nc.openbsd") -> AsyncIterator[Program]:
    """Someone who has logged in with LOGIN."""
    async with netcat(server, program) as user:
        await log_in(user, name)
        yield user


@asynccontextmanager
async def plain_user(server: Server, name: str, program: str = "nc.openbsd") -> AsyncIterator[Program]:
    """Someone who has typed just a name, into rooms where nothing was said yet."""
    async with netcat(server, program) as user:
        await give_name(user, name)
        yield user
