"""Two hundred people in one room."""

import asyncio
import re
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Final

from tests.e2e.programs import Lines
from tests.e2e.server import serving
from tests.e2e.sockets import Line, Page, dialling, opening

EACH: Final = 100
"""People of each door."""
TALKERS: Final = 5
"""Of them, those who talk."""
MESSAGES: Final = 20
"""Of each talker."""

Said = tuple[str, str]
"""Nick and text."""

END: Final = ("end", "of the test")


async def lines_heard(line: Lines) -> list[Said]:
    """All that was said in the room, until the end is announced to all."""
    heard: list[Said] = []
    while (text := await line.line()) != f"GMSG {' '.join(END)}":
        if match := re.fullmatch(r"MSG (\S+) (.*)", text):
            heard.append((match[1], match[2]))
        else:
            assert re.fullmatch(r"INFO \S+ connected", text), text
    return heard


async def events_heard(page: Page, stored: dict[int, str]) -> list[Said]:
    """The same; what the answers say of our own messages goes into `stored`: the text by its id."""
    heard: list[Said] = []
    last = 0
    while True:
        event = await page.event()
        match event["type"]:
            case "msg":
                assert event["id"] > last, "ids only rise"
                last = event["id"]
                heard.append((event["nick"], event["text"]))
            case "ok":
                stored[event["id"]] = event["ref"]
            case "gmsg":
                return heard
            case type_:
                assert type_ == "joined", event


async def talk(lines: Sequence[Line], pages: Sequence[Page]) -> None:
    """All talkers at once, each one's messages in turn."""
    for n in range(MESSAGES):
        await asyncio.gather(
            *(line.send(f"MSG {n} from t{i}") for i, line in enumerate(lines)),
            *(
                page.send("msg", room="#general", text=f"{n} from w{i}", ref=f"{n} from w{i}")
                for i, page in enumerate(pages)
            ),
        )


async def test_two_hundred_people_all_hear_every_message_once_and_in_one_order() -> None:
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(serving("--rate", "0"))
        lines = [await stack.enter_async_context(dialling(server)) for _ in range(EACH)]
        pages = [await stack.enter_async_context(opening(server)) for _ in range(EACH)]
        for i, (line, page) in enumerate(zip(lines, pages, strict=True)):
            await line.send(f"LOGIN t{i}")
            await line.hears("OK")
            await page.send("login", nick=f"w{i}")
            assert (await page.event())["type"] == "welcome"
        names = [f"t{i}" for i in range(EACH)] + [f"w{i}" for i in range(EACH)]
        end = await stack.enter_async_context(dialling(server))
        await end.send("LOGIN end", "WHO")
        *_, users, _ = await end.until("INFO --- End of List ---")
        assert users == f"USERS {', '.join(sorted([*names, 'end']))}"

        stored: dict[int, str] = {}
        async with asyncio.TaskGroup() as group:
            hearing = [group.create_task(lines_heard(line)) for line in lines]
            hearing += [group.create_task(events_heard(page, stored)) for page in pages]
            await talk(lines[:TALKERS], pages[:TALKERS])
            for _ in range(2 * TALKERS * MESSAGES):
                await end.until(r"MSG \S+ .*")
            await end.send(f"GMSG {END[1]}")
        heard = {name: task.result() for name, task in zip(names, hearing, strict=True)}

    talkers = [f"{door}{i}" for door in "tw" for i in range(TALKERS)]
    order = heard["t99"]
    assert sorted(order) == sorted((nick, f"{n} from {nick}") for nick in talkers for n in range(MESSAGES))
    for name in names:
        assert heard[name] == [said for said in order if said[0] != name], f"what {name} heard"
    answered = [text for _, text in sorted(stored.items())]
    assert answered == [text for nick, text in order if nick in talkers and nick.startswith("w")]
