"""People and programs that are in a hurry, clumsy, slow or hostile: they hurt only themselves."""

import socket
from contextlib import AsyncExitStack

from tests.e2e.server import Server, serving
from tests.e2e.sockets import dialling, reset_at_close, small_socket, web_user


async def test_a_whole_session_may_come_in_one_packet(server: Server) -> None:
    async with dialling(server) as bo, dialling(server) as ann:
        await bo.send("LOGIN Bo")
        await bo.hears("OK")
        commands = ["LOGIN Ann", "MSG 1", "NICK Anna", "MSG 2", "JOIN #tea", "MSG 3", "LEAVE", "GMSG 4"]
        await ann.send(*commands, "DM Bo 5", "PING", "QUIT", "MSG too late")
        expected = ["OK", "OK nick-changed", "OK joined #tea", "OK joined #general", "PONG", "OK bye"]
        assert await ann.rest() == expected
        await bo.hears("INFO Ann connected", "MSG Ann 1", "INFO Ann is now known as Anna", "MSG Anna 2")
        await bo.hears("INFO Anna left the room", "INFO Anna joined the room", "GMSG Anna 4", "DM Anna 5")
        await bo.hears("INFO Anna disconnected")
        await bo.send("PING")
        await bo.hears("PONG")


async def test_lines_may_come_byte_by_byte(server: Server) -> None:
    async with dialling(server) as bo, dialling(server) as ann, dialling(server) as clock:
        await bo.send("LOGIN Bo")
        await bo.hears("OK")
        for byte in "LOGIN Ann\r\nMSG ä 👋\r\nQUIT\r\n".encode():
            await ann.send_raw(bytes([byte]))
            await clock.send("PING")  # once this is answered the server has read the byte
            await clock.hears("ERR login-required Send: LOGIN <username>")
        assert await ann.rest() == ["OK", "OK bye"]
        await bo.hears("INFO Ann connected", "MSG Ann ä 👋", "INFO Ann disconnected")


async def test_a_command_is_answered_when_the_input_ends_right_behind_it(server: Server) -> None:
    for command in ("LOGIN Ann", "PING", "WHO", "HISTORY", "JOIN #tea", "NICK Anna"):
        async with dialling(server) as ann:
            login = "" if command.startswith("LOGIN") else "LOGIN Ann\n"
            ann.writer.write(f"{login}{command}\n".encode())
            ann.writer.write_eof()
            answers = await ann.rest()
            assert len(answers) > len(login.split("\n")) - 1, f"{command} was answered with {answers}"


async def test_hundreds_that_come_and_go_at_once_leave_nothing_behind(server: Server) -> None:
    async with dialling(server) as bo:
        await bo.send("LOGIN Bo")
        await bo.hears("OK")
        for n in range(300):
            with socket.create_connection(("127.0.0.1", server.tcp_port)) as peer:
                if n % 2:
                    reset_at_close(peer)
                if n % 4 > 1:
                    peer.sendall(b"LOGIN Ann\nMSG half a li")
        async with dialling(server) as ann:  # the name is free again
            await ann.send("LOGIN Anna", "WHO")
            await ann.until("INFO --- End of List ---")
            assert ann.heard[-2] == "USERS Anna, Bo"
        notices = await bo.until("INFO Anna disconnected")
        assert notices[:-2].count("INFO Ann connected") == notices.count("INFO Ann disconnected") > 0
        assert set(notices[:-2]) == {"INFO Ann connected", "INFO Ann disconnected"}
    await server.stops()  # and its log tells of no failure


async def test_a_name_is_free_as_soon_as_its_owner_has_gone(server: Server) -> None:
    for _ in range(20):
        async with dialling(server) as ann:
            await ann.send("LOGIN Ann")
            await ann.hears("OK")
            ann.writer.write_eof()
            assert await ann.rest() == []


async def test_of_many_who_want_one_name_at_once_one_gets_it(server: Server) -> None:
    async with AsyncExitStack() as stack:
        lines = [await stack.enter_async_context(dialling(server)) for _ in range(20)]
        for n, line in enumerate(lines):
            await line.send("login WINNER" if n % 2 else "winner")
        answers = []
        for line in lines:
            text = await line.line()
            while " connected" in text:
                text = await line.line()
            answers.append(text.partition("] ")[2] or text)
    taken = ("ERR username-taken", "*** Somebody has that name already. Try another one:")
    assert len([answer for answer in answers if answer not in taken]) == 1


async def test_what_is_pasted_faster_than_the_pace_is_said_to_its_end() -> None:
    async with (
        serving("--rate", "20", "--burst", "5", "--idle-timeout", "1") as server,
        web_user(server, "Wes") as wes,
        dialling(server) as ann,
    ):
        await ann.send("LOGIN Ann", *[f"MSG {n}" for n in range(40)])
        await wes.hears({"type": "joined", "room": "#general", "nick": "Ann"})
        for n in range(40):
            await wes.hears({"type": "msg", "room": "#general", "nick": "Ann", "text": str(n)})


async def test_who_does_not_read_is_cut_and_nobody_waits_for_it(server: Server) -> None:
    async with web_user(server, "Wes") as wes, dialling(server) as ann:
        with small_socket(server.tcp_port) as deaf:
            deaf.sendall(b"LOGIN Deaf\n")
            await wes.hears({"type": "joined", "room": "#general", "nick": "Deaf"})
            await ann.send("LOGIN Ann")
            await ann.hears("OK")
            await wes.hears({"type": "joined", "room": "#general", "nick": "Ann"})
            # The kernel takes some megabytes before anything waits in the server.
            for said in range(20, 10_000, 20):
                await ann.send(*[f"MSG {n} {'x' * 1900}" for n in range(said - 20, said)], "PING")
                if (answers := await ann.until("PONG")) != ["PONG"]:
                    break
            assert answers == ["INFO Deaf disconnected", "PONG"]
            await server.logs("Cut .* bytes were waiting for it")
        heard = [await wes.event() for _ in range(said + 1)]
        assert [event["type"] for event in heard if event["type"] != "msg"] == ["disconnected"]
        texts = [event["text"] for event in heard if event["type"] == "msg"]
        assert [text.partition(" ")[0] for text in texts] == [str(n) for n in range(said)]


async def test_the_list_of_many_people_comes_in_lines_that_fit(server: Server) -> None:
    async with AsyncExitStack() as stack:
        names = [f"Somebody-with-a-long-name-{n:03}" for n in range(300)]
        for name in names:
            line = await stack.enter_async_context(dialling(server))
            await line.send(f"LOGIN {name}")
            await line.hears("OK")
        await line.send("WHO")
        _, *listed, _ = await line.until("INFO --- End of List ---")
    assert listed[:300] == [f"USER {name}" for name in names]
    assert all(text.startswith("USERS ") and len(text) <= 4096 for text in listed[300:])
    assert ", ".join(text.removeprefix("USERS ") for text in listed[300:]).split(", ") == names
