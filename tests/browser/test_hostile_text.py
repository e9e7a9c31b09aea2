"""Whatever people type stays text: no element, no dialog, no violation of the policy, no error.

The dialogs, violations and errors are what the fixture `guests` looks for in every test.
"""

from typing import Final
from urllib.parse import quote

import pytest
from playwright.async_api import expect

from tests.browser.guest import Guest, Guests, page_of
from tests.e2e.netcat import command_user, netcat
from tests.e2e.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.network, pytest.mark.asyncio(loop_scope="session")]

HOSTILE: Final = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(2)>",
    "\"'><svg/onload=alert(3)>",
    "</textarea></title></style></script><script>alert(4)</script>",
    "<iframe srcdoc='<script>parent.alert(5)</script>'></iframe>",
    "<a href=javascript:alert(6) autofocus onfocus=alert(6)>click</a>",
    "javascript:alert(7)",
    "<details open ontoggle=alert(8)><summary>x",
    "<math><mtext><table><mglyph><style><!--</style><img title='--><img src onerror=alert(9)>'>",
    "<style>*{display:none}</style><base href='//example.invalid/'>",
    "{{constructor.constructor('alert(10)')()}} ${alert(11)} `-alert(12)-`",
    "&lt;script&gt;alert(13)&lt;/script&gt; &amp; &#60;b&#62;",
    "<form action=//example.invalid><button>Send</button><input name=nick>",
    (
        "jaVasCript:/*-/*`/*\\`/*'/*\"/**/(/* */oNcliCk=alert() )//%0D%0A%0d%0a//</stYle/</titLe/</teXtarEa/"
        "</scRipt/--!>\\x3csVg/<sVg/oNloAd=alert()//>\\x3e"
    ),
)

BROUGHT_IN: Final = (
    *("script", "link", "meta", "base", "style", "img", "svg", "math", "iframe", "object", "embed", "form"),
    *("input", "textarea", "table", "details", "title", "b", "[onerror]", "[onload]", "[onclick]"),
    *("[onfocus]", "[autofocus]", "[srcdoc]", "[href^='javascript' i]"),
)
COUNT: Final = "kinds => kinds.map((kind) => `${document.querySelectorAll(kind).length} ${kind}`)"


async def elements(guest: Guest) -> list[str]:
    """How many there are on the page of each kind that somebody may try to bring in."""
    found: list[str] = await guest.page.evaluate(COUNT, list(BROUGHT_IN))
    return found


async def test_markup_that_is_said_is_shown_as_it_was_typed(server: Server, guests: Guests) -> None:
    ann, bo = await guests.enter_all(page_of(server), "Ann", "Bo")
    ours = await elements(ann)
    async with command_user(server, "Cy") as cy:
        for text in HOSTILE:
            await ann.types(text)
            await cy.hears(f"MSG Ann {text}")
            await cy.send(f"MSG {text}!")
        said = [each for text in HOSTILE for each in (text, f"{text}!")]
        for guest in (ann, bo):
            await guest.sees(said[-1])
            assert [line for line in await guest.reads(".+") if line in said] == said
            assert await elements(guest) == ours
        await cy.send(f"DM Bo {HOSTILE[1]}", f"GMSG {HOSTILE[2]}?", f"MSG /me {HOSTILE[3]}")
        await bo.sees(f"{HOSTILE[2]}?", f"* Cy {HOSTILE[3]}")
        assert await elements(bo) == ours
        await bo.link("Cy", unread=1).click()
        await bo.sees(HOSTILE[1])
        assert await elements(bo) == ours
        await bo.page.reload()
        await bo.is_connected()
        await bo.is_in("Cy")
        await bo.sees(HOSTILE[1])
        await bo.opens("#general")
        await bo.sees(HOSTILE[0], said[-1])
        assert await elements(bo) == ours


async def test_markup_is_refused_as_a_name_and_the_refusal_is_text(server: Server, guests: Guests) -> None:
    ann = await guests.visit(page_of(server))
    ours = await elements(ann)
    for text in HOSTILE:
        await ann.nick.fill(text)
        await ann.enter.click()
        await expect(ann.entry.get_by_role("alert")).to_contain_text("A nick begins with a letter")
    async with netcat(server) as cy:
        for text in HOSTILE:
            await cy.send(f"LOGIN {text}")
            assert (await cy.line()).startswith("ERR invalid-username")
    await ann.enters("Ann")
    for text in HOSTILE[:5]:
        await ann.types(f"/nick {text.replace(' ', '_')}")
        await expect(ann.problem).to_contain_text("A nick begins with a letter")
        assert await elements(ann) == ours
        await ann.message.fill("")
    await ann.finds_here("Ann you")


async def test_markup_is_refused_as_a_room_and_the_refusal_is_text(server: Server, guests: Guests) -> None:
    ann = await guests.enter(page_of(server), "Ann")
    ours = await elements(ann)
    async with command_user(server, "Cy") as cy:
        for text in HOSTILE:
            await ann.types(f"/join {text}")
            await ann.is_told("A room is # and 1 to 63 of: letters, digits, - and _.")
            assert await elements(ann) == ours
            await cy.send(f"JOIN {text}")
            assert (await cy.line()).startswith("ERR bad-room-name")
    for text in HOSTILE[:5]:
        await ann.types(f"/{text}")
        await expect(ann.problem).to_contain_text(f"There is no /{text.split()[0]}")
        assert await elements(ann) == ours
    await expect(ann.rooms.get_by_role("link")).to_have_count(1)


async def test_markup_in_the_address_leads_nowhere_and_is_no_person_to_write_to(
    server: Server, guests: Guests
) -> None:
    ann = await guests.visit(page_of(server))
    ours = await elements(ann)
    for text in HOSTILE:
        await ann.page.goto(f"{page_of(server)}#/room/{quote(text)}")
        await ann.page.goto(f"{page_of(server)}#/with/{text}")
    await ann.enters("Ann")
    await ann.is_in("#general")
    for text in HOSTILE:
        name = text.replace(" ", "_")
        await ann.types(f"/msg {name} {text}")
        await expect(ann.problem).to_contain_text("A nick begins with a letter")
        await ann.is_in("#general")
    await expect(ann.log).not_to_contain_text("Not sent.")
    assert [line for line in await elements(ann) if line not in ours] == []
