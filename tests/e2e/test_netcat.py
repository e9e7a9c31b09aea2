"""Netcat in its three kinds: what people see, to the letter."""

import pytest

from tests.e2e.netcat import NETCATS, command_user, netcat, plain_user
from tests.e2e.server import Server, serving

pytestmark = pytest.mark.network

HALF_CLOSING = [
    pytest.param("nc.openbsd", "-N", id="nc.openbsd -N"),
    pytest.param("nc.traditional", "-q9", id="nc.traditional -q9"),
    pytest.param("ncat", "-v", id="ncat"),  # it does so of itself
]


@pytest.mark.parametrize("program", NETCATS)
async def test_two_netcats_talk_in_the_command_dialect(server: Server, program: str) -> None:
    async with command_user(server, "Ann", program) as ann, command_user(server, "Bo", program) as bo:
        await ann.hears("INFO Bo connected")
        await ann.send("MSG hello  Bo", "PING")
        await ann.hears("PONG")  # and no echo before it
        await bo.hears("MSG Ann hello  Bo")
        await bo.send("MSG Grüße, Ann 👋", "DM Ann between us", "QUIT")
        await bo.hears("OK bye")
        await ann.hears("MSG Bo Grüße, Ann 👋", "DM Bo between us", "INFO Bo disconnected")
        await bo.end_input()  # nc.openbsd waits for it even when the server has closed
        assert await bo.rest() == []


@pytest.mark.parametrize("program", NETCATS)
async def test_two_netcats_talk_in_the_plain_dialect(server: Server, program: str) -> None:
    async with plain_user(server, "Ann", program) as ann, plain_user(server, "Bo", program) as bo:
        await ann.is_told("Bo has joined the chat.")
        await ann.send("hello  Bo", "/who")
        await ann.is_told("In #general: Ann, Bo")
        await bo.is_told("Ann: hello  Bo")
        await bo.send("Grüße, Ann 👋", "/msg ann between us", "/QUIT")
        await bo.is_told("Bye.")
        await ann.is_told("Bo: Grüße, Ann 👋", "Bo (to you): between us", "Bo has left the chat.")
        await bo.end_input()
        assert await bo.rest() == []


async def test_three_kinds_of_netcat_and_both_dialects_share_a_room(server: Server) -> None:
    async with (
        command_user(server, "Ann", "nc.openbsd") as ann,
        plain_user(server, "Bo", "nc.traditional") as bo,
        command_user(server, "Cy", "ncat") as cy,
    ):
        await ann.hears("INFO Bo connected", "INFO Cy connected")
        await bo.is_told("Cy has joined the chat.")
        await ann.send("MSG from Ann")
        await bo.is_told("Ann: from Ann")
        await cy.hears("MSG Ann from Ann")
        await bo.send("from Bo")
        await ann.hears("MSG Bo from Bo")
        await cy.hears("MSG Bo from Bo")
        await cy.send("MSG from Cy")
        await ann.hears("MSG Cy from Cy")
        await bo.is_told("Cy: from Cy")


@pytest.mark.parametrize(("program", "option"), HALF_CLOSING)
async def test_all_replies_come_before_the_end_when_the_input_ends_early(program: str, option: str) -> None:
    async with (
        serving("--rate", "20", "--burst", "5") as server,  # so slow that the end of the input comes first
        command_user(server, "Bo") as bo,
        netcat(server, program, option) as ann,
    ):
        await ann.send("LOGIN Ann", *["PING"] * 8, *[f"MSG {n}" for n in range(8)], "WHO", "MSG unfinished")
        await ann.send_raw(b"MSG without its ending is not said")
        await ann.end_input()
        assert await ann.rest() == [
            "OK",
            *["PONG"] * 8,
            "INFO --- All Connected Users ---",
            "USER Ann",
            "USER Bo",
            "USERS Ann, Bo",
            "INFO --- End of List ---",
        ]
        assert await ann.exited() == 0
        await bo.hears("INFO Ann connected", *[f"MSG Ann {n}" for n in range(8)])
        await bo.hears("MSG Ann unfinished", "INFO Ann disconnected")


@pytest.mark.parametrize("program", ["ncat", "nc.openbsd"])
async def test_lines_may_end_with_cr_lf(server: Server, program: str) -> None:
    async with netcat(server, program, "-C") as ann, command_user(server, "Bo") as bo:
        await ann.send("LOGIN Ann")
        await ann.hears("OK")
        await bo.hears("INFO Ann connected")
        await ann.send("MSG no return", "PING")
        await ann.hears("PONG")
        await bo.hears("MSG Ann no return")


async def test_someone_whose_netcat_is_killed_is_gone_at_once_and_once(server: Server) -> None:
    async with command_user(server, "Bo") as bo, command_user(server, "Ann") as ann:
        ann.process.kill()
        await bo.hears("INFO Ann connected", "INFO Ann disconnected")
        async with command_user(server, "Ann") as again:  # and the name is free
            await again.send("QUIT")
            await again.hears("OK bye")
        await bo.hears("INFO Ann connected", "INFO Ann disconnected")
        await bo.send("PING")
        await bo.hears("PONG")
