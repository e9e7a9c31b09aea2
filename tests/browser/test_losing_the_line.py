"""The cable between a page and the server is pulled in mid-conversation."""

from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from playwright.async_api import expect

from tests.browser.cable import cable
from tests.browser.chromium import NO_NETWORK, Watch
from tests.browser.guest import Guests, page_of
from tests.e2e.netcat import plain_user
from tests.e2e.server import Server, serving

pytestmark = [pytest.mark.browser, pytest.mark.network, pytest.mark.asyncio(loop_scope="session")]


async def test_who_comes_back_in_time_has_missed_nothing_and_was_not_missed(
    server: Server, guests: Guests, watch: Watch
) -> None:
    watch.allow(NO_NETWORK)
    async with cable(server.web_port) as line, plain_user(server, "Pat") as pat:
        ann = await guests.enter(line.url, "Ann")
        bo = await guests.enter(page_of(server), "Bo")
        await pat.is_told("Ann has joined the chat.", "Bo has joined the chat.")
        await ann.joins("#tea")
        await bo.joins("#tea")
        await ann.sees("Bo joined the room")
        await ann.opens("#general")
        await bo.opens("#general")
        await pat.send("m1")
        await ann.sees("m1")
        await ann.says("m2")
        line.cut()
        await ann.is_cut_off()
        await pat.send("m3")
        await bo.sees("m3")
        await bo.says("m4", "m5")
        await bo.types("/msg Ann m6, for you alone")
        await bo.opens("#tea")
        await bo.says("m7")
        assert await ann.reads(r"\bm\d\b") == ["m1", "m2"]
        line.mend()
        await ann.connects_again()
        await ann.sees("m3", "m4", "m5")
        await ann.says("m8")
        assert await ann.reads(r"\bm\d\b") == ["m1", "m2", "m3", "m4", "m5", "m8"]
        await ann.link("Bo", unread=1).click()
        await ann.sees("m6, for you alone")
        await ann.link("#tea", unread=1).click()
        await ann.sees("m7")
        await bo.link("#general", unread=1).click()
        await bo.sees("m8")
        assert await bo.reads("Ann (?:joined|left).*") == []
        await pat.is_told("Ann: m2", "Bo: m4", "Bo: m5", "Ann: m8")


AFTER_THE_TEXT: Final = """() => {
  const {content, fontSize} = getComputedStyle(document.querySelector(".text"), "::after");
  return content !== "none" && parseFloat(fontSize) > 0 ? content : "";
}"""


async def test_what_waits_for_the_line_says_so_to_those_who_see(
    server: Server, guests: Guests, watch: Watch
) -> None:
    watch.allow(NO_NETWORK)
    async with cable(server.web_port) as line:
        ann = await guests.enter(line.url, "Ann")
        line.cut()
        await ann.is_cut_off()
        await ann.types("wait for me")
        waits = await ann.page.wait_for_function(AFTER_THE_TEXT)
        assert await waits.json_value() == '"· not sent yet" / ""'
        line.mend()
        await ann.connects_again()
        await ann.has_sent_everything()
        assert await ann.page.evaluate(AFTER_THE_TEXT) == ""


async def test_what_is_typed_without_a_line_waits_and_goes_out_once(
    server: Server, guests: Guests, watch: Watch
) -> None:
    watch.allow(NO_NETWORK)
    async with cable(server.web_port) as line, plain_user(server, "Pat") as pat:
        ann = await guests.enter(line.url, "Ann")
        bo = await guests.enter(page_of(server), "Bo")
        await pat.is_told("Ann has joined the chat.", "Bo has joined the chat.")
        line.cut()
        await ann.is_cut_off()
        for text in ("m1", "m2", "m3"):
            await ann.types(text)
            await ann.sees(text)
        await expect(ann.unsent).to_have_count(3)
        await bo.says("m0")
        line.mend()
        await ann.connects_again()
        await ann.has_sent_everything()
        await ann.says("m4")
        await pat.is_told("Bo: m0", "Ann: m1", "Ann: m2", "Ann: m3", "Ann: m4")
        await bo.sees("m4")
        for tab in (ann, bo):
            assert await tab.reads(r"\bm\d\b") == ["m0", "m1", "m2", "m3", "m4"]


async def test_a_message_whose_answer_was_lost_is_said_once(
    server: Server, guests: Guests, watch: Watch
) -> None:
    watch.allow(NO_NETWORK)
    async with cable(server.web_port) as line, plain_user(server, "Pat") as pat:
        ann = await guests.enter(line.url, "Ann")
        line.muffle()
        await ann.types("m1")
        await pat.is_told("Ann has joined the chat.", "Ann: m1")  # the server has it
        await expect(ann.unsent).to_have_count(1)
        line.cut()
        await ann.is_cut_off()
        line.mend()
        await ann.connects_again()
        await ann.says("m2")
        assert await ann.reads(r"\bm\d\b") == ["m1", "m2"]
        await pat.is_told("Ann: m2")


async def test_whoever_gives_up_a_line_that_seems_dead_has_not_left(
    server: Server, guests: Guests, watch: Watch
) -> None:
    watch.allow(NO_NETWORK)
    async with cable(server.web_port) as line, plain_user(server, "Pat") as pat:
        ann = await guests.enter(line.url, "Ann")
        line.muffle()  # what the page says still gets to the server, and so does its good-bye
        await ann.page.evaluate("dispatchEvent(new Event('online'))")
        await ann.is_cut_off()
        line.cut()
        line.mend()
        await ann.connects_again()
        await ann.says("m1")
        await pat.is_told("Ann has joined the chat.", "Ann: m1")


async def test_a_longer_gap_than_can_be_replayed_is_filled_from_history(
    server: Server, guests: Guests, watch: Watch
) -> None:
    watch.allow(NO_NETWORK)
    texts = [f"m{n}" for n in range(1000, 1310)]
    async with cable(server.web_port) as line, plain_user(server, "Pat") as pat:
        ann = await guests.enter(line.url, "Ann")
        await ann.says("m999")
        line.cut()
        await ann.is_cut_off()
        await pat.is_told("Ann has joined the chat.", "Ann: m999")
        await pat.send(*texts, "/who")
        await pat.is_told("In #general: Ann, Pat")
        line.mend()
        await ann.connects_again()
        await ann.is_told("You missed more than can be replayed; this is what history has.")
        await ann.sees(texts[-1])
        everything = ["m999", *texts]
        first = ""
        while first != "m999":  # what is far from the screen is not in the page
            await ann.log.evaluate("log => log.scrollTo(0, 0)")
            read = await ann.reads(r"\bm\d+\b")
            first = read[0]
            start = everything.index(first)
            assert read == everything[start : start + len(read)]


async def test_the_button_connects_at_once(server: Server, guests: Guests, watch: Watch) -> None:
    watch.allow(NO_NETWORK)
    async with cable(server.web_port) as line:
        ann = await guests.visit(line.url)
        await ann.waits_long_between_attempts()
        await ann.enters("Ann")
        line.cut()
        await ann.is_cut_off()
        line.mend()
        await ann.page.get_by_role("button", name="Connect now", exact=True).click()
        await ann.is_connected()
        await expect(ann.log).to_be_focused()  # the button is gone


async def test_who_stays_away_too_long_is_gone_and_comes_back_by_name(guests: Guests, watch: Watch) -> None:
    watch.allow(NO_NETWORK)
    async with serving("--rate", "0", "--linger", "0.2") as server, cable(server.web_port) as line:
        ann = await guests.enter(line.url, "Ann")
        await ann.joins("#tea")
        await ann.says("before")
        async with plain_user(server, "Pat") as pat:
            await pat.send("/join #tea")
            await ann.sees("Pat joined the room")
            line.cut()
            bo = await guests.enter(page_of(server), "Bo")
            await bo.finds_here("Bo you")
            await pat.send("meanwhile")
            line.mend()
            await ann.connects_again()
            await ann.sees("before", "meanwhile")
            await ann.finds_here("Ann you", "Pat")
            await bo.sees("Ann joined the room")


async def test_a_silent_line_is_noticed_although_the_clock_was_set_back(
    server: Server, guests: Guests, watch: Watch
) -> None:
    watch.allow(NO_NETWORK)
    async with cable(server.web_port) as line:
        ann = await guests.visit(line.url)
        await ann.page.clock.install()
        await ann.page.reload()
        await ann.enters("Ann")
        await ann.says("m1")
        line.muffle()
        await ann.page.clock.set_system_time(datetime.now(UTC) - timedelta(hours=1))
        await ann.page.clock.run_for(60_000)
        await ann.is_cut_off()


@pytest.mark.parametrize("sign", ["online", "pageshow", "visibilitychange"])
async def test_the_page_comes_back_at_once_when_the_network_does_or_somebody_looks(
    server: Server, guests: Guests, watch: Watch, sign: str
) -> None:
    watch.allow(NO_NETWORK)
    async with cable(server.web_port) as line:
        ann = await guests.visit(line.url)
        await ann.waits_long_between_attempts()
        await ann.enters("Ann")
        line.cut()
        await expect(ann.status).to_have_text("Reconnecting…")
        await expect(ann.page.get_by_role("button", name="Connect now", exact=True)).to_be_visible()
        line.mend()
        place = "document" if sign == "visibilitychange" else "window"
        await ann.page.evaluate(f"{place}.dispatchEvent(new Event('{sign}'))")
        await ann.is_connected()


async def test_what_was_missed_is_marked_in_the_room_one_looks_at(
    server: Server, guests: Guests, watch: Watch
) -> None:
    watch.allow(NO_NETWORK)
    async with cable(server.web_port) as line, plain_user(server, "Pat") as pat:
        ann = await guests.enter(line.url, "Ann")
        await ann.says("m1")
        await pat.is_told("Ann has joined the chat.", "Ann: m1")
        for missed in (["m2", "m3"], ["m4"]):
            line.cut()
            await ann.is_cut_off()
            await pat.send(*missed, "/who")
            await pat.is_told("In #general: Ann, Pat")
            line.mend()
            await ann.connects_again()
            await ann.sees(*missed)
            expected = ["m1", "m2", "m3", "m4"][: int(missed[-1][1])]
            expected.insert(int(missed[0][1]) - 1, "New messages")
            await expect(ann.log.get_by_text("New messages", exact=True)).to_be_visible()
            assert await ann.reads(r"\bm\d\b|New messages") == expected
            await expect(ann.link("#general")).to_be_visible()  # nothing is unread
