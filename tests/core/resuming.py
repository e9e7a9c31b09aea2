"""Taking a session back, as a test does it."""

from core import commands as c
from core.chat import Chat
from core.limits import Limits
from core.replies import Replayed, Resumed, Welcome
from tests.core.person import Person, words

LINGER = 10.0
LIMITS = Limits(rate=0, login_timeout=0, idle_timeout=0, linger=LINGER)


def token_of(person: Person) -> str:
    """The one that came with the login."""
    (welcome,) = [shown for shown in person.seen if isinstance(shown, Welcome)]
    return welcome.token


async def resume(
    chat: Chat, token: str, after: int | None = None, *, one_room: bool = False
) -> tuple[Person, Resumed, list[str]]:
    """Someone who has come back, the answer, and what was replayed."""
    person = Person(chat, one_room=one_room)
    person.does(c.Resume(token, after))
    answer = await person.next()
    assert isinstance(answer, Resumed), answer
    replayed = []
    for _ in range(answer.missed):
        shown = await person.next()
        assert isinstance(shown, Replayed)
        replayed.append(words(shown.entry))
    return person, answer, replayed
