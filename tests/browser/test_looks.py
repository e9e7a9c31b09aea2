"""Themes, the tab's icon, what makes the page installable, and nobody kept out."""

import json
import re
import urllib.request
from typing import Final, Literal

import pytest
from playwright.async_api import expect

from tests.browser.axe import violations
from tests.browser.guest import DESKTOP, PHONE, Device, Guests, page_of
from tests.e2e.netcat import command_user
from tests.e2e.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.network, pytest.mark.asyncio(loop_scope="session")]

SCHEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")
PAPER: Final = {"light": "rgb(253, 252, 250)", "dark": "rgb(23, 25, 28)"}


async def test_the_theme_follows_the_system_until_one_chooses(server: Server, guests: Guests) -> None:
    ann = await guests.enter(page_of(server), "Ann")
    body = ann.page.locator("body")
    for scheme in SCHEMES:
        await ann.page.emulate_media(color_scheme=scheme)
        await expect(body).to_have_css("background-color", PAPER[scheme])
    theme = ann.settings.get_by_role("combobox", name="Theme", exact=True)
    await ann.opens_settings()
    await theme.select_option("light")
    await expect(body).to_have_css("background-color", PAPER["light"])
    await ann.page.reload()
    await ann.is_connected()
    await ann.opens_settings()
    await expect(theme).to_have_value("light")
    await expect(body).to_have_css("background-color", PAPER["light"])


async def test_the_icon_of_the_tab_shows_what_is_unread(server: Server, guests: Guests) -> None:
    ann = await guests.enter(page_of(server), "Ann")
    icon = ann.page.locator("#icon")
    async with command_user(server, "Cy") as cy:
        await cy.send("DM Ann psst")
        await expect(icon).to_have_attribute("href", "/static/favicon-unread.svg")
        await ann.link("Cy", unread=1).click()
        await expect(icon).to_have_attribute("href", "/static/favicon.svg")


@pytest.mark.parametrize("device", [DESKTOP, PHONE], ids=["desktop", "phone"])
async def test_what_is_long_leaves_room_for_the_rest(server: Server, guests: Guests, device: Device) -> None:
    """The counter covers no message, a name not the word beside it, a room not its topic."""
    ann = await guests.enter(page_of(server), "W" * 32, device)
    await ann.types("/join team-planning-for-the-autumn-release-2026-and-then-the-winter")
    await ann.types("/topic Deadline is Friday")
    topic = ann.page.locator("#topic")
    await expect(topic).to_have_text("Deadline is Friday")
    assert await topic.evaluate("node => node.scrollWidth <= node.clientWidth")
    await ann.message.fill("x" * 1990)
    counter = ann.page.locator("#counter")
    await expect(counter).to_have_text("10 left")
    box, log = await counter.bounding_box(), await ann.log.bounding_box()
    assert box is not None
    assert log is not None
    assert box["y"] >= log["y"] + log["height"]
    if device is PHONE:
        await ann.page.get_by_role("button", name="Show people").click()
    you = await ann.people.get_by_text("you", exact=True).bounding_box()
    assert you is not None
    assert you["height"] < 1.5 * you["width"]


async def test_the_page_can_be_installed(server: Server, guests: Guests) -> None:
    ann = await guests.visit(page_of(server))
    manifest = ann.page.locator("link[rel=manifest]")
    await expect(manifest).to_have_attribute("href", "/static/manifest.json")

    def get(path: str) -> tuple[bytes, str]:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.web_port}{path}", timeout=5) as answer:
            return answer.read(), answer.headers["Content-Type"]

    text, kind = get("/static/manifest.json")
    assert kind == "application/json"
    told = json.loads(text)
    assert (told["start_url"], told["display"]) == ("/", "standalone")
    for icon in told["icons"]:
        image, kind = get(icon["src"])
        assert kind == icon["type"]
        if kind == "image/png":
            width = int.from_bytes(image[16:20], "big")
            assert icon["sizes"] == f"{width}x{width}"


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("device", [DESKTOP, PHONE], ids=["desktop", "phone"])
async def test_axe_finds_nothing_to_complain_about(
    server: Server, guests: Guests, device: Device, scheme: Literal["light", "dark"]
) -> None:
    ann = await guests.visit(page_of(server), device)
    await ann.page.emulate_media(color_scheme=scheme)
    assert await violations(ann.page) == []
    await ann.enters("Ann")
    async with command_user(server, "Cy") as cy:
        await ann.types("/topic all that is ripe")
        await ann.types("/help")
        await expect(ann.page.get_by_role("dialog", name="Commands", exact=True)).to_be_visible()
        assert await violations(ann.page) == []
        await ann.page.keyboard.press("Escape")
        await cy.send(
            "MSG Ann, see https://example.org and `this`", "MSG /me waves", "GMSG to all", "DM Ann psst"
        )
        await ann.sees("* Cy waves")
        await ann.types("/msg Nobody hello")
        await expect(ann.log).to_contain_text("Not sent.")
        assert await violations(ann.page) == []
        await ann.types("/ignore Di")
        if device == PHONE:
            await ann.page.get_by_role("button", name="Show rooms", exact=True).tap()
        await ann.opens_settings()
        assert await violations(ann.page) == []
        await ann.page.keyboard.press("Escape")
        await ann.page.keyboard.press("Control+k")
        dialog = ann.page.get_by_role("dialog", name="Jump to", exact=True)
        await ann.page.keyboard.type("se")
        await expect(dialog.get_by_role("button", name=re.compile("^#general Cy:"))).to_be_visible()
        assert await violations(ann.page) == []


CONTRASTS: Final = """() => {
  const paint = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const luminance = (colour) => {
    paint.fillStyle = colour;
    paint.fillRect(0, 0, 1, 1);
    const parts = [...paint.getImageData(0, 0, 1, 1).data].slice(0, 3).map((part) => part / 255);
    const [r, g, b] = parts.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const nick = document.querySelector("#people .nick");
  const groundOf = (place) => getComputedStyle(document.querySelector(place)).backgroundColor;
  const grounds = ["body", "#people"].map(groundOf);
  return Array.from({length: 12}, (_, hue) => {
    nick.className = `nick hue-${hue}`;
    const ink = luminance(getComputedStyle(nick).color);
    return Math.min(...grounds.map(luminance).map((ground) =>
      (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05)));
  });
}"""


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_every_colour_of_a_name_can_be_read(
    server: Server, guests: Guests, scheme: Literal["light", "dark"]
) -> None:
    """AA wants 4.5 to 1; axe sees only the colours that happen to be there."""
    ann = await guests.enter(page_of(server), "Ann")
    await ann.page.emulate_media(color_scheme=scheme)
    async with command_user(server, "Cy"):
        await ann.finds_here("Ann you", "Cy")
        ratios = await ann.page.evaluate(CONTRASTS)
        assert len(ratios) == 12
        assert min(ratios) >= 4.5


async def test_nothing_moves_for_those_who_do_not_want_it(server: Server, guests: Guests) -> None:
    ann = await guests.enter(page_of(server), "Ann")
    await ann.page.emulate_media(reduced_motion="reduce")
    moving = """[...document.querySelectorAll("*")].filter((node) => {
      const {transitionDuration, animationName, scrollBehavior} = getComputedStyle(node);
      return transitionDuration !== "0s" || animationName !== "none" || scrollBehavior === "smooth";
    }).length"""
    assert await ann.page.evaluate(moving) == 0


async def test_the_longest_name_of_a_room_leaves_the_words_about_the_connection_whole(
    server: Server, guests: Guests
) -> None:
    ann = await guests.enter(page_of(server), "Ann")
    height = "node => node.getBoundingClientRect().height"
    before = await ann.status.evaluate(height)
    room = "#" + "r" * 63
    await ann.types(f"/join {room}")
    await ann.is_in(room)
    assert await ann.status.evaluate(height) == before


async def test_with_colours_of_the_system_one_sees_what_is_chosen(server: Server, guests: Guests) -> None:
    ann = await guests.enter(page_of(server), "Ann")
    await ann.page.emulate_media(forced_colors="active")
    ground = "node => getComputedStyle(node).backgroundColor"
    paper = await ann.page.locator("body").evaluate(ground)
    chosen = await ann.link("#general").evaluate(ground)
    assert chosen not in (paper, "rgba(0, 0, 0, 0)")
    await ann.message.press_sequentially(":co")
    options = ann.page.get_by_role("option")
    await expect(options).to_have_count(5)
    grounds = [await each.evaluate(ground) for each in await options.all()]
    assert grounds[0] == chosen
    assert chosen not in grounds[1:]
    await ann.message.fill("")
    await ann.says("no mark")
    said = ann.log.locator(".item.msg")
    assert await said.evaluate("node => getComputedStyle(node).borderLeftColor") == paper
    assert await ann.status.evaluate("node => getComputedStyle(node, '::before').backgroundColor") != paper


async def test_on_paper_the_conversation_is_whole(server: Server, guests: Guests) -> None:
    ann = await guests.enter(page_of(server), "Ann")
    async with command_user(server, "Cy") as cy:
        await cy.send(*(f"MSG m{n}" for n in range(150)))
        await ann.sees("m149")
        assert await ann.log.evaluate("log => log.scrollHeight > log.clientHeight")
        await ann.page.emulate_media(media="print", color_scheme="dark")
        assert await ann.log.evaluate("log => log.scrollHeight === log.clientHeight")
        assert await ann.page.evaluate("document.documentElement.scrollHeight > 3 * innerHeight")
        for place in (ann.rooms, ann.people, ann.message):
            await expect(place).not_to_be_visible()
        await expect(ann.page.locator("body")).to_have_css("background-color", PAPER["light"])
