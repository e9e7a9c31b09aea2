"""JSON that is deep, huge, doubled, of the wrong type or half a character: one answer, and life goes on."""

import json

import pytest

from tests.clients import LineClient, WebClient
from tests.doors import Doors
from tests.e2e.server import serving
from tests.e2e.sockets import dialling, opening

DEEP = "[" * 8000
BROKEN = [
    "",
    " ",
    "\x00",
    "nul",
    "null",
    "[]",
    "[{}]",
    "1",
    '"ping"',
    "NaN",
    '{"type":"ping"',
    '{"type":"ping"}}',
    '{"type":"ping"}{"type":"ping"}',
    '{"type":"ping"},',
    "{'type':'ping'}",
    '{type:"ping"}',
    DEEP,
    DEEP + "]" * 8000,
    '{"a":' * 3000,
    '{"a":' * 2500 + "1" + "}" * 2500,
    "9" * 16_000,
    "-" * 16_000,
    '"' + "\\u0000" * 2000 + '"',
    "\ufeff{}",
]
REFUSED = [
    '{"type":null}',
    '{"type":1}',
    '{"type":["ping"]}',
    '{"type":{"type":"ping"}}',
    "{}",
    '{"TYPE":"ping"}',
    '{"type":"ping","ref":1}',
    '{"type":"ping","ref":["x"]}',
    '{"type":"ping","ref":"' + "x" * 65 + '"}',
    '{"type":"ping","more":1}',
    '{"type":"ping","type":1}',
    '{"type":"login"}',
    '{"type":"login","nick":null}',
    '{"type":"login","nick":["Ann"]}',
    '{"type":"login","nick":"\\ud800"}',
    '{"type":"msg","room":"#general"}',
    '{"type":"msg","room":"#general","text":"\\ud800"}',
    '{"type":"msg","room":"#general","text":"\\udfff\\ud800"}',
    '{"type":"msg","room":"#general","text":1e400}',
    '{"type":"msg","room":1,"text":"x"}',
    '{"type":"history","room":"#general","limit":0}',
    '{"type":"history","room":"#general","limit":201}',
    '{"type":"history","room":"#general","limit":1.5}',
    '{"type":"history","room":"#general","limit":true}',
    '{"type":"history","room":"#general","limit":"5"}',
    '{"type":"history","room":"#general","before":-1}',
    '{"type":"resume","token":"x","after":-1}',
    '{"type":"resume","token":1}',
    '{"type":"__class__"}',
    '{"type":"invalid","code":"x"}',
    '{"type":"gone"}',
    '{"type":"token"}',
    '{"type":"reencode","encode":"x"}',
]
ODD_BUT_FINE = [
    '{"type":"history","room":"#general","before":9223372036854775807}',
    '{"type":"history","room":"#general","before":9223372036854775808}',
    '{"type":"history","room":"#general","before":18446744073709551615}',
    '{"type":"history","room":"#general","before":' + "9" * 400 + "}",
    '{"type":"history","with":"\\u0000"}',
    '{"type":"history","room":"#general","with":"Ann"}',
    '{"type":"history"}',
    '{"type":"resume","token":"","after":18446744073709551615}',
    '{"type":"search","query":"\\"\\u0000*()^:AND OR NOT NEAR(\'"}',
    '{"type":"search","query":"text:* OR author:x"}',
    '{"type":"search","query":"x","room":"\\u0000"}',
    '{"type":"dm","to":"\\u0000","text":"x"}',
    '{"type":"dm","to":"' + "x" * 16_000 + '","text":"x"}',
    '{"type":"who","room":"' + "#" * 16_000 + '"}',
    '{"type":"\\u0070ing"}',
    '{"type":"ping","ref":"\\u0000\\u202e"}',
]


@pytest.mark.parametrize("frame", BROKEN, ids=lambda frame: repr(frame[:20]))
async def test_what_is_no_json_object_is_answered_with_bad_json(doors: Doors, frame: str) -> None:
    async with WebClient(doors.web_port, "Zoe") as zoe:
        await zoe.ws.send(frame)
        assert (await zoe.next())["code"] in ("bad-json", "bad-request")
        await zoe.hears_nothing()


@pytest.mark.parametrize("frame", REFUSED, ids=lambda frame: frame[:60])
async def test_an_object_that_is_no_command_is_answered_once(doors: Doors, frame: str) -> None:
    async with WebClient(doors.web_port) as stranger, WebClient(doors.web_port, "Zoe") as zoe:
        for person in (stranger, zoe):
            await person.ws.send(frame)
            answer = await person.next()
            assert (answer["type"], answer["code"]) in (
                ("error", "bad-request"),
                ("error", "unknown-command"),
            )
        await zoe.hears_nothing()


@pytest.mark.parametrize("frame", ODD_BUT_FINE, ids=lambda frame: frame[:60])
async def test_odd_values_are_no_fault_of_the_server(doors: Doors, frame: str) -> None:
    async with WebClient(doors.web_port, "Zoe") as zoe:
        await zoe.ws.send(frame)
        assert (await zoe.next()).get("code") != "internal-error"
        await zoe.hears_nothing()


@pytest.mark.parametrize("frame", ODD_BUT_FINE, ids=lambda frame: frame[:60])
async def test_nor_are_they_where_the_log_is_a_file(
    tmp_path_factory: pytest.TempPathFactory, frame: str
) -> None:
    file = tmp_path_factory.mktemp("log") / "chat.db"
    async with serving("--rate", "0", "--data", str(file)) as server, opening(server) as page:
        await page.send("login", nick="Zoe")
        await page.event()
        await page.send("msg", room="#general", text="hello")
        await page.event()
        await page.websocket.send(frame)
        answer = await page.event()
        assert answer.get("code") not in ("internal-error", "storage-failed"), answer


async def test_a_thousand_bad_frames_and_lines_hurt_nobody() -> None:
    async with serving("--rate", "0") as server, dialling(server) as ann, opening(server) as eve:
        await ann.send("LOGIN Ann")
        await ann.hears("OK")
        frames = (BROKEN + REFUSED) * 18
        for frame in frames:
            await eve.websocket.send(frame)
        for _ in frames:
            assert (await eve.event())["type"] == "error"
        await ann.send("PING")
        await ann.hears("PONG")


async def test_the_same_words_in_both_doors_for_a_line_that_is_too_long_or_no_text(doors: Doors) -> None:
    async with LineClient(doors.tcp_port, "LOGIN Ann") as ann, WebClient(doors.web_port, "Bob") as bob:
        await ann.line()
        await ann.send("MSG " + "x" * 4092, "MSG " + "x" * 4093, "MSG " + "ä" * 2046, "MSG \u202e")
        await ann.expect("ERR text-too-long 2000", "ERR line-too-long 4096", "ERR text-too-long 2000")
        assert (await ann.line()).startswith(("ERR usage", "ERR empty-text"))
        for text, code in (("x" * 2001, "text-too-long"), ("\u202e\u0000", "empty-text")):
            assert (await bob.call("msg", room="#general", text=text))["code"] == code
        for number, expected in ((2001, "error"), (2000, "ok")):
            command = {"type": "msg", "room": "#general", "text": "😀" * number}
            await bob.ws.send(json.dumps(command, ensure_ascii=False))
            assert (await bob.next())["type"] == expected
        await ann.expect("MSG Bob " + "😀" * 2000)
