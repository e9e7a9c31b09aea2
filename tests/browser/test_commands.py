"""What one can type besides plain messages."""

import pytest
from playwright.async_api import expect

from tests.browser.cable import cable
from tests.browser.chromium import NO_NETWORK, Watch
from tests.browser.guest import Guests, page_of
from tests.e2e.netcat import command_user, plain_user
from tests.e2e.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.network, pytest.mark.asyncio(loop_scope="session")]


async def test_an_action_is_shown_as_one_on_both_doors(server: Server, guests: Guests) -> None:
    ann = await guests.enter(page_of(server), "Ann")
    async with plain_user(server, "Pat") as pat:
        await ann.types("/me puts the kettle on")
        await pat.is_told("* Ann puts the kettle on")
        await ann.sees("* Ann puts the kettle on")
        await pat.send("/me brings biscuits")
        await ann.sees("* Pat brings biscuits")
        await ann.sees("* Ann puts the kettle on")


async def test_two_slashes_say_a_text_that_begins_with_one(server: Server, guests: Guests) -> None:
    ann = await guests.enter(page_of(server), "Ann")
    async with plain_user(server, "Pat") as pat:
        await ann.types("//quit is how you leave")
        await ann.sees("/quit is how you leave")
        await pat.is_told("Ann: /quit is how you leave")
        await pat.send("//join is next")
        await ann.sees("/join is next")
        await ann.types("//me is how you act")
        await pat.is_told("Ann:  /me is how you act")
        await ann.sees("/me is how you act")


async def test_an_unknown_slash_command_is_answered_here_and_sent_to_nobody(
    server: Server, guests: Guests
) -> None:
    ann = await guests.visit(page_of(server))
    sent: list[str] = []
    ann.page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(str(frame))))
    await ann.enters("Ann")
    async with plain_user(server, "Pat") as pat:
        await ann.types("/frobnicate the server")
        await ann.is_told("There is no /frobnicate; /help has a list. To say it, type //frobnicate")
        await expect(ann.message).to_have_value("/frobnicate the server")
        await ann.says("never mind")
        await ann.is_told_nothing()
        await ann.sees("/frobnicate the server", times=0)
        await pat.is_told("Ann: never mind")
    assert any("never mind" in frame for frame in sent)
    assert not any("frobnicate" in frame for frame in sent)


async def test_a_change_of_name_is_seen_by_all_and_a_taken_name_is_refused(
    server: Server, guests: Guests
) -> None:
    ann, bo = await guests.enter_all(page_of(server), "Ann", "Bo")
    async with plain_user(server, "Pat") as pat:
        await ann.types("/nick pat")
        await ann.is_told("Somebody has that name. Please choose another.")
        await ann.types("/nick Anna")
        await pat.is_told("Ann is now known as Anna.")
        for tab in (ann, bo):
            await tab.sees("Ann is now known as Anna")
        await ann.finds_here("Anna you", "Bo", "Pat")
        await bo.finds_here("Anna", "Bo you", "Pat")
        await ann.says("still me")
        await pat.is_told("Anna: still me")


async def test_who_is_here_and_who_is_online_are_answered(server: Server, guests: Guests) -> None:
    ann = await guests.enter(page_of(server), "Ann")
    async with command_user(server, "Cy") as cy:
        await cy.send("JOIN #tea")
        await ann.sees("Cy left the room")
        await ann.types("/who")
        await ann.sees("In #general: Ann")
        await ann.types("/whosonline")
        await ann.sees("Online users: Ann, Cy")
        await ann.types("/help")
        await expect(ann.page.get_by_role("dialog", name="Commands", exact=True)).to_contain_text(
            "go to a room, or open a new one"
        )


async def test_a_message_to_everyone_reaches_other_rooms(server: Server, guests: Guests) -> None:
    ann = await guests.enter(page_of(server), "Ann")
    async with command_user(server, "Cy") as cy:
        await cy.send("JOIN #tea")
        await cy.hears("OK joined #tea")
        await ann.types("/all the cake is ready")
        await cy.hears("GMSG Ann the cake is ready")
        await ann.sees("the cake is ready")
        await cy.send("GMSG coming")
        await ann.sees("coming")
        await expect(ann.log.get_by_text("to everyone")).to_have_count(2)


async def test_who_quits_is_back_at_the_door_and_gone_for_the_others(server: Server, guests: Guests) -> None:
    ann, bo = await guests.enter_all(page_of(server), "Ann", "Bo")
    await ann.types("/msg Bo between us")
    await ann.is_in("Bo")
    await ann.types("/quit")
    await expect(ann.entry).to_be_visible()
    await expect(ann.nick).to_have_value("Ann")
    await expect(ann.log).not_to_be_visible()
    await expect(ann.status).to_have_text("Not connected")
    await bo.sees("Ann left the chat")
    await ann.enters("Anna")
    await expect(ann.rooms.get_by_role("link")).to_have_count(1)
    await bo.sees("Anna joined the room")
    await ann.page.get_by_role("button", name="Quit", exact=True).click()
    await expect(ann.entry).to_be_visible()
    await bo.sees("Ann, Anna left the chat")
    await ann.page.reload()
    await expect(ann.entry).to_be_visible()
    await bo.finds_here("Bo you")


async def test_who_quits_is_asked_before_something_unsent_is_lost(
    server: Server, guests: Guests, watch: Watch
) -> None:
    """And the question is declined."""
    watch.allow(NO_NETWORK)
    watch.allow("^dialog: Something is written and not sent.")
    async with cable(server.web_port) as line:
        ann = await guests.enter(line.url, "Ann")
        leave = ann.page.get_by_role("button", name="Quit", exact=True)
        await ann.message.fill("not done yet")
        async with ann.page.expect_event("dialog"):
            await leave.click()
        await ann.joins("#tea")
        async with ann.page.expect_event("dialog"):
            await ann.types("/quit")
        await ann.opens("#general")
        await expect(ann.message).to_have_value("not done yet")
        await ann.message.fill("")
        line.cut()
        await ann.is_cut_off()
        await ann.types("wait for me")
        async with ann.page.expect_event("dialog"):
            await leave.click()
        await expect(ann.unsent).to_have_count(1)
        line.mend()
        await ann.connects_again()
        await ann.has_sent_everything()
        before = len(watch.seen)
        await leave.click()
        await expect(ann.entry).to_be_visible()
        assert watch.seen[before:] == []
