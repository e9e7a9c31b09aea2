"""Whatever bytes a peer sends, nothing raises and one line in is at most one line out, for everyone else."""

import re
from typing import Final

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tcp_frontend.command_dialect import VERBS
from tcp_frontend.plain_dialect import COMMANDS
from tests.clients import LineClient, WebClient
from tests.doors import open_doors
from tests.tcp_frontend.plain import PlainClient

NAME: Final = "[A-Za-z][A-Za-z0-9_-]{0,31}"
COMMAND_LINE: Final = re.compile(
    rf"(MSG|GMSG|DM) {NAME} .+"
    rf"|INFO {NAME} (connected|disconnected|joined the room|left the room|is now known as {NAME})"
    rf"|INFO {NAME} (changed the topic: .+|took the topic away)"
)
PLAIN_LINE: Final = re.compile(
    rf"{NAME}( \(to (all|you)\))?: .+|\* {NAME} .*"
    rf"|{NAME} (has (joined|left) the (chat|room)|is now known as {NAME}|took the topic away)\."
    rf"|{NAME} changed the topic: .+"
)
CONTROLS: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")

_verb = st.sampled_from([*VERBS, *(f"/{name}" for name in COMMANDS), "//", "/"])
_mean = st.text(alphabet="ab /#:*\r\t\0\x1b\x0b\x85\u2028\u202e\u200d", max_size=30) | st.text(max_size=30)
_name = st.sampled_from(["Command", "Plain", "Web", "Mallory2", "#general", "#x"])
_line = st.one_of(
    st.tuples(_verb, st.one_of(_mean, _name, st.tuples(_name, _mean).map(" ".join))).map(" ".join),
    _mean,
).map(lambda line: line.encode("utf-8", "surrogatepass"))
_bytes = st.binary(max_size=40) | st.sampled_from(
    [b"\xff\xfd\x06", b"\xff\xfa\x18\x01", b"\xff\xf0", b"\xff\xff", b"x" * 4097, b"\xed\xa0\x80"]
)
_ending = st.sampled_from([b"\n", b"\r\n", b"\r\0", b"\r"])
_input = st.lists(st.tuples(_line | _bytes, _ending).map(b"".join), max_size=12).map(b"".join)


@settings(max_examples=200)
@given(login=st.sampled_from([b"LOGIN Mallory\n", b"Mallory\n", b""]), said=_input)
@example(login=b"LOGIN Mallory\n", said=b"MSG x\rINFO Plain disconnected\n")
@example(
    login=b"Mallory\n", said="x\u2028INFO Plain disconnected\x85[2026-11-20 09:30:00] Plain: x\n".encode()
)
async def test_any_bytes_do_no_harm(login: bytes, said: bytes) -> None:
    data = login + said + b"\n"
    lines_in = data.count(b"\n") + data.count(b"\r\0")
    async with (
        open_doors() as doors,
        LineClient(doors.tcp_port, "LOGIN Command") as command,
        PlainClient(doors.tcp_port, "Plain") as plain,
        WebClient(doors.web_port, "Web") as web,
    ):
        # An input before this one may have set a topic, which is told on coming in.
        await command.until("INFO Web connected")
        while await plain.hear() != "Web has joined the chat.":
            pass
        async with LineClient(doors.tcp_port) as mallory:
            await mallory.send_bytes(data)
            mallory.finish()
            while await mallory.line_bytes():
                pass
        await command.send("PING")
        heard = await command.until("PONG")
        await plain.send("/leave")
        read = []
        while (text := await plain.hear()) != "*** You are in #general already.":
            read.append(text)
        assert len(heard) <= lines_in + 1  # and the news that it has left
        assert len(read) <= lines_in + 1
        for line in heard:
            assert COMMAND_LINE.fullmatch(line), line
            assert not CONTROLS.search(line), line
        for line in read:
            assert PLAIN_LINE.fullmatch(line), line
            assert not CONTROLS.search(line), line
        shown = []
        await web.call("ping")
        while web.waiting:
            shown.append(web.waiting.popleft())
        assert len(shown) <= lines_in + 1
        assert not any(CONTROLS.search(str(value)) for event in shown for value in event.values())
        await command.send("QUIT")
        await command.rest()
        await plain.send("/quit")
        await plain.rest()
        await web.call("quit")
        await web.close_code()
