"""Attacks by what is sent: half of something, nonsense, another protocol, the same thing again and again."""

import asyncio
import json
import os
import re
import socket
import time
from collections.abc import Awaitable

from attack.crowd import Person, crowd, measured
from attack.loads import FREE, ms
from attack.raw import UPGRADE, dial, dialled, heard, masked
from attack.report import Finding
from attack.server import target

DANGEROUS = (
    *range(0x20), 0x7F, *range(0x80, 0xA0), 0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A),
)  # fmt: skip
"""What moves a cursor, ends a line, or turns the order of what follows."""


async def forgery() -> Finding:
    """Each of these in a text, with what looks like another's line behind it, from both doors to both."""
    texts = [f"so{chr(code)}MSG Bob forged" for code in DANGEROUS]
    async with target(*FREE) as server:
        ann = await dial(server.tcp, b"LOGIN Ann\n")
        cleo = await dial(server.web, UPGRADE + masked(b'{"type":"login","nick":"Cleo"}'))
        page = await dial(server.web, UPGRADE + masked(b'{"type":"login","nick":"Eve"}'))
        line = await dial(server.tcp, b"LOGIN Mallory\n")
        loop = asyncio.get_running_loop()
        for text in texts:
            command = {"type": "msg", "room": "#general", "text": text}
            await loop.sock_sendall(page, masked(json.dumps(command).encode()))
            if "\n" not in text:  # which ends a line, and what follows is a command of the same person
                await loop.sock_sendall(line, f"MSG {text}\n".encode())
        shown = (await heard(ann, 1.5)).decode()
        frames = (await heard(cleo, 0.5)).decode(errors="replace")
        for sock in (ann, cleo, page, line):
            sock.close()
    lines = shown.split("\n")
    whole = len([each for each in lines if each.startswith(("MSG Eve so", "MSG Mallory so"))])
    forged = len([each for each in lines if each.startswith("MSG Bob")])
    on_the_page = [json.loads(text) for text in re.findall(r'"text":("(?:[^"\\]|\\.)*")', frames)]
    escaped = sum(ord(each) in DANGEROUS for each in "".join([*lines, *on_the_page]))
    return Finding(
        "forged lines, colours, cursor moves and turned text, from both doors",
        "one line each, nothing of it left",
        f"{whole} of {2 * len(texts) - 1} shown on a line, {len(on_the_page)} on a page; "
        f"{forged} forged lines, {escaped} dangerous characters shown",
        whole == len(on_the_page) == 2 * len(texts) - 1 and forged == escaped == 0,
    )


async def foreign_pages() -> Finding:
    """A page of another site, and another site's name that points here."""
    async with target("--public-host", "chat.example") as server:
        answers = [
            await answer(server.web, host, origin)
            for host, origin in (
                ("chat.example", "https://evil.example"),
                ("chat.example", "null"),
                ("chat.example", "https://chat.example.evil.example"),
                ("chat.example", "https://evil.example/chat.example"),
                ("rebound.example", "http://rebound.example"),
                ("rebound.example", ""),
            )
        ]
        own = await answer(server.web, "chat.example", "http://chat.example")
    refused = sum(any(f" {code} ".encode() in each[:20] for code in (403, 421)) for each in answers)
    protected = sum(b"Content-Security-Policy" in each for each in [*answers, own])
    return Finding(
        "WebSockets for pages of other sites and under other host names",
        "refused; all security headers on every answer",
        f"{refused} of {len(answers)} refused, {protected} of {len(answers) + 1} answers have the headers",
        refused == len(answers) and protected == len(answers) + 1 and b" 101 " in own[:20],
    )


async def answer(port: int, host: str, origin: str) -> bytes:
    """What the wish for a WebSocket is answered with."""
    headers = f"Host: {host}\r\n" + (f"Origin: {origin}\r\n" if origin else "")
    sock = await dial(port, UPGRADE.replace(b"Host: x\r\n", headers.encode()))
    said = await heard(sock, 0.3)
    sock.close()
    return said


async def half_sent() -> Finding:
    async with target() as server, dialled(server.web, 200, b"GET / HTTP/1.1\r\nHost: x\r\nCook") as sockets:
        began = time.monotonic()
        drips = await dial(server.web, b"GET / HTTP/1.1\r\nX: ")

        async def drip() -> None:
            loop = asyncio.get_running_loop()
            while True:
                await loop.sock_sendall(drips, b"x")
                await asyncio.sleep(0.2)

        dripping = asyncio.create_task(drip())
        times: list[float] = []

        async def until_cut(sock: socket.socket) -> None:
            await heard(sock, 20)
            times.append(time.monotonic() - began)

        await asyncio.gather(*[until_cut(sock) for sock in [*sockets, drips]])
        dripping.cancel()
        await asyncio.gather(dripping, return_exceptions=True)
        drips.close()
    return Finding(
        "200 half-sent HTTP requests, and one that drips",
        "cut within 10 s",
        f"the last after {max(times):.1f} s",
        max(times) < 10,
    )


async def http_on_the_line_port() -> Finding:
    said = b" / HTTP/1.1\r\nHost: x\r\n\r\nLOGIN Eve\r\nMSG boo\r\n"
    delays: list[float] = []
    async with target(*FREE) as server, crowd(server.tcp, 1, delays):
        turned = 0
        methods = (b"GET", b"POST", b"PUT", b"OPTIONS", b"CONNECT")
        for n in range(500):
            sock = await dial(server.tcp, methods[n % len(methods)] + said)
            turned += b"HTTP/1.1 421 " in await heard(sock, 3)
            sock.close()
        numbers = await server.counters()
    said_in_chat = numbers["parlour_messages_total"]
    return Finding(
        "500 HTTP requests with chat lines on the line port",
        "421, nothing carried out",
        f"{turned} answered with 421, {said_in_chat:.0f} messages said",
        turned == 500 and said_in_chat == 0,
    )


async def garbage() -> Finding:
    delays: list[float] = []
    frames = [
        b"[" * 8000,
        b'{"a":' * 2000,
        b"9" * 9000,
        b'{"type":"x"}',
        b'{"type":"msg","text":"\\ud800"}',
        b"\xff\xfe",
        b"{}",
    ]
    async with target(*FREE) as server, crowd(server.tcp, 50, delays) as people:
        quiet = await measured(people, delays, 3)

        async def web() -> int:
            sent = 0
            for _ in range(20):
                sock = await dial(server.web, UPGRADE)
                loop = asyncio.get_running_loop()
                for frame in frames[:5] * 4:
                    await loop.sock_sendall(sock, masked(frame))
                    sent += 1
                await loop.sock_sendall(sock, os.urandom(2000))
                await heard(sock, 0.1)
                sock.close()
            return sent

        async def lines() -> int:
            sent = 0
            for _ in range(40):
                sock = await dial(
                    server.tcp, os.urandom(60_000) + b"\n" + b"\xff\xfd\x06" * 20_000 + b"x" * 100_000
                )
                await heard(sock, 0.05)
                sock.close()
                sent += 1
            return sent

        attacking = asyncio.gather(web(), lines(), return_exceptions=True)
        loaded = await measured(people, delays, 4)
        await attacking
        alive = (await server.counters())["parlour_messages_total"] > 0
    return Finding(
        "garbage: deep and broken JSON, random bytes, telnet commands, endless lines",
        "answered or cut; the others unhurt",
        f"p99 {ms(quiet)} before, {ms(loaded)} meanwhile; {'still serving' if alive else 'gone'}",
        alive and loaded < 0.1,
    )


async def beside(attacking: Awaitable[object], people: list[Person], delays: list[float]) -> float:
    """The others' p99 while this goes on, which is ended then."""
    task = asyncio.ensure_future(attacking)
    loaded = await measured(people, delays, 4)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return loaded


async def flooded(door: str, hello: bytes, data: bytes) -> tuple[float, float, int]:
    """The others' p99 before and while one peer sends `data` without end; how often that was taken."""
    delays: list[float] = []
    times = 0
    async with target() as server, crowd(server.tcp, 50, delays) as people:
        quiet = await measured(people, delays, 3)
        sock = await dial(server.tcp if door == "tcp" else server.web, hello)

        async def flood() -> None:
            nonlocal times
            loop = asyncio.get_running_loop()
            while True:
                await loop.sock_sendall(sock, data)
                times += 1
                await asyncio.sleep(0)

        loaded = await beside(asyncio.gather(flood(), heard(sock, 30)), people, delays)
        sock.close()
    return quiet, loaded, times


async def telnet_flood() -> Finding:
    """No line ever ends: what does reading it cost the others?"""
    commands = b"\xff\xf1" * 30_000
    quiet, loaded, times = await flooded("tcp", b"", commands)
    return Finding(
        "one peer sends telnet commands without end",
        "the others' p99 at most twice the quiet one, or 50 ms",
        f"p99 {ms(quiet)} quiet, {ms(loaded)} beside it; {times * len(commands) / 1e6:.0f} MB taken",
        loaded <= max(2 * quiet, 0.05),
    )


async def ping_flood() -> Finding:
    quiet, loaded, times = await flooded("web", UPGRADE, b"\x89\x80\x00\x00\x00\x00" * 2000)
    return Finding(
        "one page sends WebSocket pings without end",
        "the others' p99 at most twice the quiet one, or 50 ms",
        f"p99 {ms(quiet)} quiet, {ms(loaded)} beside it; {times * 2000:,} pings taken",
        loaded <= max(2 * quiet, 0.05),
    )


async def resume_storm() -> Finding:
    delays: list[float] = []
    async with (
        target("--max-connections-per-address", "0") as server,
        crowd(server.tcp, 50, delays) as people,
    ):
        quiet = await measured(people, delays, 3)
        sock = await dial(server.web, UPGRADE + masked(b'{"type":"login","nick":"Storm"}'))
        said = await heard(sock, 0.5)
        token = json.loads(said[said.index(b'{"type":"welcome"') :].split(b"}")[0] + b"}")["token"]
        resume = UPGRADE + masked(json.dumps({"type": "resume", "token": token, "after": 0}).encode())
        guess = UPGRADE + masked(b'{"type":"resume","token":"guess"}')
        resumed = 0

        async def storm() -> None:
            nonlocal resumed
            while True:
                sockets = [await dial(server.web, resume), *[await dial(server.web, guess) for _ in range(4)]]
                resumed += len(sockets)
                await asyncio.sleep(0.02)
                for each in sockets:
                    each.close()

        loaded = await beside(storm(), people, delays)
        sock.close()
        people_now = (await server.counters())['parlour_connections{door="web"}']
    return Finding(
        "a storm of resumes, good and guessed",
        "the others' p99 at most twice the quiet one, or 50 ms",
        f"{resumed} in 5 s; p99 {ms(quiet)} before, {ms(loaded)} meanwhile; "
        f"{people_now:.0f} connections left over",
        loaded <= max(2 * quiet, 0.05) and people_now < 10,
    )


async def ghosts() -> Finding:
    """A paste, and the connection is gone: how long does it go on talking?"""
    async with target() as server:
        ann = await dial(server.tcp, b"LOGIN Ann\n")
        for n in range(20):
            sock = await dial(server.tcp, f"LOGIN Ghost{n}\n".encode() + b"MSG boo\n" * 2000)
            await heard(sock, 0.1)
            sock.close()
        ann.send(b"MSG who is there?\n")  # what is written to somebody who is gone comes back as a reset
        await asyncio.sleep(1)
        before = (await server.counters())["parlour_messages_total"]
        await asyncio.sleep(3)
        after = await server.counters()
        connected = after['parlour_connections{door="tcp"}'] - 1
        speaking = after["parlour_messages_total"] - before
        ann.close()
    return Finding(
        "20 peers paste 2,000 lines and are gone",
        "nobody speaks on for long",
        f"{connected:.0f} of them connected, {speaking:.0f} messages in the 3 s after",
        speaking == 0,
    )
