"""How what was said is shown."""

import re
from typing import Final

import pytest
from playwright.async_api import FloatRect, expect

from tests.browser.guest import Guests, page_of
from tests.e2e.netcat import command_user
from tests.e2e.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.network, pytest.mark.asyncio(loop_scope="session")]


async def test_links_code_and_names_stand_out(server: Server, guests: Guests) -> None:
    ann = await guests.enter(page_of(server), "Ann")
    async with command_user(server, "Cy") as cy:
        await cy.send("MSG see https://example.org/a?b=c, @ann: `x < y` not javascript:alert(1)")
        link = ann.log.get_by_role("link")
        await expect(link).to_have_text(["https://example.org/a?b=c"])
        await expect(link).to_have_attribute("href", "https://example.org/a?b=c")
        await expect(link).to_have_attribute("rel", "noopener noreferrer")
        await expect(link).to_have_attribute("target", "_blank")
        await expect(ann.log.locator("code")).to_have_text("`x < y`")
        await expect(ann.log.locator("mark")).to_have_text("@ann")
        await ann.message.fill("```\nx = 1\n```")
        await ann.message.press("Enter")
        await ann.sees("x = 1")
        await expect(ann.log.locator(".item.code")).to_have_text(re.compile("x = 1"))


async def test_a_link_to_a_room_of_this_page_opens_it_here(server: Server, guests: Guests) -> None:
    ann = await guests.enter(page_of(server), "Ann")
    async with command_user(server, "Cy") as cy:
        await cy.send(f"MSG come to {page_of(server)}#/room/tea now")
        await ann.log.get_by_role("link").click()
        await ann.is_in("#tea")
        await ann.says("here I am")
        await ann.page.go_back()
        await ann.is_in("#general")
    assert len(ann.page.context.pages) == 1


async def test_marks_that_are_piled_up_do_not_cover_what_others_have_said(
    server: Server, guests: Guests
) -> None:
    ann = await guests.enter(page_of(server), "Ann")
    async with command_user(server, "Cy") as cy:
        await cy.send("MSG first")
        await ann.sees("first")
        row = ann.log.locator(".item", has_text="first")
        piled = ("A" + "\u030a" * 30) * 3
        await ann.types(piled)
        await ann.has_sent_everything()
        await ann.sees(piled)
        box = await row.bounding_box()
        assert box is not None
        inside = FloatRect(x=box["x"], y=box["y"], width=box["width"], height=box["height"] - 2)
        with_it = await ann.page.screenshot(clip=inside)
        await ann.log.locator(".item").last.evaluate("row => (row.style.visibility = 'hidden')")
        assert await ann.page.screenshot(clip=inside) == with_it


async def test_days_stand_apart_and_times_are_told_in_full(server: Server, guests: Guests) -> None:
    ann = await guests.enter(page_of(server), "Ann")
    await ann.says("today")
    await expect(ann.log.locator(".line")).to_have_text(re.compile(r"^\w+day,? \d+ \w+ \d{4}$"))
    await expect(ann.log.locator("time")).to_have_attribute("title", re.compile(r"\d{4}.*\d\d:\d\d:\d\d"))


async def test_comings_and_goings_are_one_line(server: Server, guests: Guests) -> None:
    ann = await guests.enter(page_of(server), "Ann")
    async with command_user(server, "Cy"), command_user(server, "Di"):
        await ann.sees("Cy, Di joined the room")
    await ann.sees("Cy, Di left the chat")
    await expect(ann.log.locator(".item")).to_have_count(1)
    await expect(ann.log.locator(".item")).not_to_contain_text("joined")


async def test_a_line_shows_where_one_left_off_and_names_are_counted_apart(
    server: Server, guests: Guests
) -> None:
    ann = await guests.enter(page_of(server), "Ann")
    line = ann.log.get_by_text("New messages", exact=True)
    async with command_user(server, "Cy") as cy:
        await cy.send("MSG old")
        await ann.sees("old")
        await ann.joins("#tea")
        await cy.send("MSG first new", "MSG Ann?")
        await expect(ann.link("#general", unread=2).locator(".mentions")).to_be_visible()
        await ann.link("#general", unread=2).click()
        await expect(line).to_be_visible()
        said = await ann.reads("old|New messages|first new")
        assert said == ["old", "New messages", "first new"]
        await cy.send("MSG seen at once")
        await ann.sees("seen at once")
        await ann.opens("#tea")
        await ann.opens("#general")
        await expect(line).to_have_count(0)


async def test_only_what_is_said_now_is_read_out(server: Server, guests: Guests) -> None:
    """A log that is busy tells a screen reader that its changes are no news."""
    ann = await guests.enter(page_of(server), "Ann")
    await expect(ann.log).to_have_attribute("aria-busy", "false")
    await ann.page.evaluate(
        """() => {
          const log = document.querySelector("[role=log]");
          const newest = () => log.innerText.match(/Cy joined|said by Cy/g)?.at(-1);
          window.busy = [];
          new MutationObserver(() => busy.push(newest() + log.ariaBusy))
            .observe(document.getElementById("messages"), {childList: true});
        }"""
    )
    async with command_user(server, "Cy") as cy:
        await ann.sees("Cy joined the room")
        await expect(ann.log).to_have_attribute("aria-busy", "false")
        await cy.send("MSG said by Cy")
        await ann.sees("said by Cy")
        seen = await ann.page.evaluate("busy")
        assert "Cy joinedtrue" in seen
        assert seen[-1] == "said by Cyfalse"


ENDS: Final = """node => [0, node.textContent.length - 1].map((at) => {
  const range = document.createRange();
  range.setStart(node.firstChild, at);
  range.setEnd(node.firstChild, at + 1);
  return range.getBoundingClientRect().x;
})"""
"""Where the first and the last character of a text stand."""


async def test_what_is_written_from_right_to_left_is_shown_so(server: Server, guests: Guests) -> None:
    """And what stands around it is not: the name before it, the time after it."""
    ann = await guests.enter(page_of(server), "Ann")
    async with command_user(server, "Cy") as cy:
        await cy.send("TOPIC שלום לכם!", "MSG שלום!", "MSG مرحبا!", "MSG hello שלום!", "MSG /me אומר שלום!")
        await ann.sees("* Cy אומר שלום!")
        action = ann.log.locator("bdi")
        starts: dict[str, bool] = {}
        for place in (
            *(ann.log.get_by_text(text, exact=True) for text in ("שלום!", "مرحبا!", "hello שלום!")),
            ann.page.locator("#topic"),
            action,
        ):
            start, end = await place.evaluate(ENDS)
            starts[await place.inner_text()] = start < end
        assert starts == {
            "שלום!": False,
            "مرحبا!": False,
            "hello שלום!": True,
            "שלום לכם!": False,
            "אומר שלום!": False,
        }
        edges: list[float] = []
        for each in (".nick", "bdi", "time"):
            box = await ann.log.locator(".item", has=ann.page.locator("bdi")).locator(each).bounding_box()
            assert box is not None
            edges += [box["x"], box["x"] + box["width"]]
        assert edges == sorted(edges)
        for text, direction in {"": "ltr", "שלום": "rtl", "hello": "ltr"}.items():
            await ann.message.fill(text)
            await expect(ann.message).to_have_css("direction", direction)


SELECT: Final = """() => {
  const said = document.querySelectorAll(".item.msg");
  getSelection().setBaseAndExtent(said[0], 0, said[said.length - 1], said[said.length - 1].childNodes.length);
}"""


async def test_what_is_copied_reads_line_by_line(server: Server, guests: Guests) -> None:
    ann = await guests.enter(page_of(server), "Ann")
    async with command_user(server, "Cy") as cy:
        await cy.send("MSG one", "MSG two `x`", "MSG three", "MSG /me waves")
        await ann.sees("* Cy waves")
        await ann.log.focus()
        await ann.page.evaluate(SELECT)
        await ann.page.keyboard.press("Control+c")
        await ann.message.focus()
        await ann.page.keyboard.press("Control+v")
        time = r"\d\d:\d\d"
        await expect(ann.message).to_have_value(
            re.compile(rf"^Cy {time}\none\ntwo `x`\nthree\n\* Cy waves {time}$")
        )
