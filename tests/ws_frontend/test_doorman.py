"""Who stands at the web door, and for how long."""

import pytest

import ws_frontend.server
from tests.clients import WebClient
from tests.doors import open_doors
from ws_frontend.doorman import Doormen


@pytest.fixture
def doormen(monkeypatch: pytest.MonkeyPatch) -> Doormen:
    """Those of the door that is opened next."""
    doormen = Doormen()
    monkeypatch.setattr(ws_frontend.server, "Doormen", lambda: doormen)
    return doormen


async def test_nobody_looks_after_a_connection_that_was_handed_over(doormen: Doormen) -> None:
    """It would be ended like one that does not take its answer, and a stop would wait for it."""
    async with open_doors() as doors, WebClient(doors.web_port, "Ann"):
        assert list(doormen) == []
