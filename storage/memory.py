"""A log that lives as long as the process: `--data memory`."""

import re
import secrets
import time
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from heapq import merge
from itertools import islice
from types import TracebackType
from typing import Final, Self, TypeVar, assert_never
from unicodedata import combining, normalize

from core.facts import Entry, Said, Shouted, Spoken, Told
from core.log import Between, InRoom, Page, Place, Reader, Record
from core.names import HALL, RoomName, fold

REFS_PER_AUTHOR = 1_000
"""Messages of one author among which a retry is recognised."""

PEOPLE_MAX = 10_000
"""Identities whose messages to one another, sessions and latest refs are kept: those of the latest."""

K = TypeVar("K")
V = TypeVar("V")


def _make_latest(kept: dict[K, V], key: K) -> V | None:
    """Gives the one that is let go of, if there are too many."""
    kept[key] = kept.pop(key)
    return kept.pop(next(iter(kept))) if len(kept) > PEOPLE_MAX else None


class _Kept:
    """The newest entries of one place; knows the newest one it no longer has."""

    __slots__ = ("entries", "gone", "most")

    def __init__(self, most: int) -> None:
        self.entries: deque[Entry] = deque()
        self.most = most
        self.gone = 0

    def add(self, entry: Entry) -> None:
        self.entries.append(entry)
        if self.most and len(self.entries) > self.most:
            self.gone = self.entries.popleft().id


class MemoryLog:
    """Keeps the newest `history_per_room` entries of each room, each person's mail, and of what all hear."""

    def __init__(self, *, history_per_room: int = 10_000) -> None:
        self.epoch = secrets.token_hex(8)
        self.busy = False
        self._history_per_room = history_per_room
        self.last_id = 0
        self._rooms: defaultdict[RoomName, _Kept] = defaultdict(lambda: _Kept(history_per_room))
        self._mail: defaultdict[str, _Kept] = defaultdict(self._no_mail)
        self._mail_gone = 0
        """The newest entry of the mail that is no longer kept because there are so many people."""
        self._hall = _Kept(history_per_room)
        self._refs: defaultdict[str, dict[str, Entry]] = defaultdict(dict)
        self._records: dict[str, Record] = {}
        self._tokens: dict[bytes, str] = {}
        self.topics: dict[RoomName, str] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    async def check(self) -> None: ...

    async def append(self, batch: Sequence[Spoken]) -> Sequence[Entry]:
        return self.append_at_once(batch)

    def append_at_once(self, batch: Sequence[Spoken]) -> Sequence[Entry]:
        now = time.time_ns() // 1_000_000
        return [self._store(fact, now) for fact in batch]

    def _store(self, fact: Spoken, now: int) -> Entry:
        refs = None
        if fact.ref is not None:
            refs = self._refs[fact.author]
            if fact.ref in refs:
                return refs[fact.ref]
        self.last_id += 1
        entry = Entry(self.last_id, now, fact)
        match fact:
            case Said():
                self._rooms[fact.room].add(entry)
            case Told():
                for identity in {fact.author, fact.reader}:
                    self._mail[identity].add(entry)
                    forgotten = _make_latest(self._mail, identity)
                    if forgotten is not None:
                        self._mail_gone = forgotten.entries[-1].id
            case Shouted():
                self._hall.add(entry)
            case _:
                assert_never(fact)
        if refs is not None and fact.ref is not None:
            refs[fact.ref] = entry
            if len(refs) > REFS_PER_AUTHOR:
                del refs[next(iter(refs))]
            _make_latest(self._refs, fact.author)
        return entry

    def _no_mail(self) -> _Kept:
        """Of someone who never had any, or whose mail was forgotten: that cannot be told."""
        kept = _Kept(self._history_per_room)
        kept.gone = self._mail_gone
        return kept

    async def find(self, author: str, ref: str) -> Entry | None:
        return self._refs[author].get(ref) if author in self._refs else None

    async def history(self, place: Place, *, before: int | None, limit: int) -> Page:
        newest_first: Iterable[Entry]
        match place:
            case InRoom():
                newest_first = reversed(self._rooms[place.room].entries) if place.room in self._rooms else ()
            case Between():
                newest_first = self._between(place)
            case _:
                assert_never(place)
        older = (entry for entry in newest_first if before is None or entry.id < before)
        page = list(islice(older, limit + 1))
        return Page(tuple(reversed(page[:limit])), more=len(page) > limit)

    def _between(self, place: Between) -> Iterator[Entry]:
        mail = self._mail.get(place.reader)
        for entry in reversed(mail.entries if mail else ()):
            fact = entry.fact
            assert isinstance(fact, Told)
            mine = fact.author == place.reader
            other, identity = (fact.to, fact.reader) if mine else (fact.nick, fact.author)
            if fold(other) == place.nick or identity == place.identity:
                yield entry

    def _heard_by(self, reader: Reader) -> Iterator[tuple[_Kept, int]]:
        """The places of a reader, each with the id after which it hears them."""
        for room, entered in reader.rooms.items():
            if room in self._rooms:
                yield self._rooms[room], entered
        yield self._mail.get(reader.id) or self._no_mail(), 0
        yield self._hall, reader.rooms.get(HALL, 0)

    async def since(self, reader: Reader, *, after: int, upto: int, limit: int) -> Sequence[Entry] | None:
        missed: list[Entry] = []
        for kept, entered in self._heard_by(reader):
            start = max(after, entered)
            if kept.gone > start:
                return None
            for entry in reversed(kept.entries):
                if entry.id <= start:
                    break
                if entry.id <= upto and _author(entry) != reader.id:
                    missed.append(entry)
            if len(missed) > limit:
                return None
        return sorted(missed, key=lambda entry: entry.id)

    async def search(
        self, reader: Reader, words: str, *, room: RoomName | None, upto: int, limit: int
    ) -> Sequence[Entry]:
        *whole, beginning = _words(words) or [""]
        if not beginning:  # only signs, which are in no word
            return ()
        rooms = reader.rooms if room is None else (room,)
        places = [reversed(self._rooms[name].entries) for name in rooms if name in self._rooms]
        if room is None and reader.id in self._mail:
            places.append(reversed(self._mail[reader.id].entries))
        newest_first = merge(*places, key=lambda entry: -entry.id)

        def is_found(entry: Entry) -> bool:
            said = _words(_text(entry))
            return all(word in said for word in whole) and any(word.startswith(beginning) for word in said)

        found = (entry for entry in newest_first if entry.id <= upto and is_found(entry))
        return list(islice(found, limit))[::-1]

    async def set_topic(self, room: RoomName, text: str) -> None:
        self.topics.pop(room, None)
        if text:
            self.topics[room] = text  # the latest last

    def remember(self, record: Record) -> None:
        old = self._records.get(record.id)
        if old is not None:
            self._tokens.pop(old.token, None)
        self._records[record.id] = record
        forgotten = _make_latest(self._records, record.id)
        if forgotten is not None:
            self._tokens.pop(forgotten.token, None)
        self._tokens[record.token] = record.id

    async def recall(self, token: bytes) -> Record | None:
        return self._records.get(self._tokens.get(token, ""))


_WORD: Final = re.compile(r"[^\W_]+")


def _words(text: str) -> list[str]:
    """Without case, accents and punctuation, as the word index of the SQLite log takes a text apart."""
    if not text.isascii():
        text = "".join(letter for letter in normalize("NFD", text) if not combining(letter))
    return _WORD.findall(text.casefold())


def _spoken(entry: Entry) -> Spoken:
    assert isinstance(entry.fact, Said | Shouted | Told)  # only speech is stored
    return entry.fact


def _author(entry: Entry) -> str:
    return _spoken(entry).author


def _text(entry: Entry) -> str:
    return _spoken(entry).text
