"""Attacks by numbers: many connections, much to read, much said."""

import asyncio
import resource
import time

from attack.crowd import crowd, measured, p99, talk
from attack.raw import UPGRADE, dial, dialled, heard
from attack.report import Finding
from attack.server import target

FREE = ("--rate", "0", "--max-connections-per-address", "0")


def ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"


async def silent_sockets() -> Finding:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    number = min(2500, (hard - 200) // 2)
    delays: list[float] = []
    async with target("--login-timeout", "0") as server, crowd(server.tcp, 20, delays) as people:
        quiet, before = await measured(people, delays, 4), server.memory()
        async with dialled(server.tcp, number):
            between = server.memory()
            async with dialled(server.web, number):
                await asyncio.sleep(1)
                after = server.memory()
                delays.clear()
                loaded = await measured(people, delays, 4)
    line, web = (between - before) / number / 1024, (after - between) / number / 1024
    return Finding(
        f"{2 * number:,} silent sockets, half on each door",
        "the chat goes on; under 20 KiB each",
        f"{line:.1f} KiB a line, {web:.1f} KiB a page; p99 {ms(quiet)} before, {ms(loaded)} beside them",
        line < 20 and web < 20 and loaded < max(2 * quiet, 0.05),
    )


async def stopped_readers() -> Finding:
    delays: list[float] = []
    async with target(*FREE, "--sendq", "65536") as server, crowd(server.tcp, 180, delays) as people:
        quiet = await measured(people, delays, 6)
        said = [f"LOGIN Stuck{n}\n".encode() for n in range(20)]
        stuck = [await dial(server.tcp, each, receive_buffer=4096) for each in said]
        try:
            async with crowd(server.tcp, 1, [], name="Loud") as (loud,):
                began, cuts = time.monotonic(), 0.0
                delays.clear()
                talking = asyncio.create_task(talk(people, 10))
                while cuts < 20 and time.monotonic() - began < 10:
                    for _ in range(5):
                        loud.transport.write(b"MSG " + b"x" * 1900 + b"\n")
                    await asyncio.sleep(0.1)
                    cuts = (await server.counters()).get('parlour_cuts_total{reason="sendq"}', 0)
                took = time.monotonic() - began
                await talking
                loaded = p99(delays)
        finally:
            for sock in stuck:
                sock.close()
    return Finding(
        "20 of 200 readers stop reading",
        "all 20 cut at sendq; the others unhurt",
        f"{cuts:.0f} cut within {took:.1f} s; the others' p99 {ms(quiet)} before, {ms(loaded)} meanwhile",
        cuts == 20 and loaded < max(2 * quiet, 0.05),
    )


async def flooder() -> Finding:
    delays: list[float] = []
    async with (
        target("--max-connections-per-address", "0") as server,
        crowd(server.tcp, 200, delays) as people,
    ):
        quiet = await measured(people, delays, 6)
        sock = await dial(server.tcp, b"LOGIN Flood\n")
        sent = 0

        async def flood() -> None:
            nonlocal sent
            loop = asyncio.get_running_loop()
            due = loop.time()
            while True:
                await loop.sock_sendall(sock, b"MSG flood\n" * 100)
                sent += 100
                due = max(due + 0.01, loop.time() - 0.1)
                await asyncio.sleep(max(0.0, due - loop.time()))

        before = await server.counters()
        began = time.monotonic()
        flooding = asyncio.create_task(flood())
        loaded = await measured(people, delays, 6)
        seconds = time.monotonic() - began
        flooding.cancel()
        sock.close()
        said = (await server.counters())["parlour_received_total"] - before["parlour_received_total"]
    return Finding(
        "a flooder at 10,000 lines/s beside 200 talkers",
        "their p99 at most twice the quiet one",
        f"p99 {ms(quiet)} quiet, {ms(loaded)} beside it; "
        f"{sent:,} lines got into pipes in {seconds:.0f} s ({said:,.0f} read in all)",
        loaded <= max(2 * quiet, 0.01),
    )


async def few_descriptors() -> Finding:
    delays: list[float] = []
    limited = ("sh", "-c", 'ulimit -n 256; exec "$@"', "sh")
    async with target(before=limited) as server, crowd(server.tcp, 10, delays) as people:
        before = server.descriptors()
        answers: list[bytes] = []
        for port, said in ((server.tcp, b""), (server.web, UPGRADE)):
            sockets = await asyncio.gather(*[dial(port, said) for _ in range(500)])
            try:
                answers += await asyncio.gather(*[heard(sock, 2) for sock in sockets])
            finally:
                for sock in sockets:
                    sock.close()
        most = server.descriptors()
        inside = sum(b"Welcome!" in each or b" 101 " in each for each in answers)
        told = sum(b"too-many-connections" in each for each in answers)
        during = await measured(people, delays, 2)
        again = await dial(server.tcp)
        recovered = b"Welcome!" in await heard(again, 0.5)
        again.close()
    return Finding(
        "1,000 connects at a limit of 256 descriptors",
        "refused with a reason, then all is well",
        f"{inside} let in, {told} told why, {1000 - inside - told} without a word; "
        f"{before} to {most} descriptors; "
        f"p99 {ms(during)} after it; {'a newcomer gets in' if recovered else 'no newcomer gets in'}",
        recovered and inside + told >= 990,
    )
