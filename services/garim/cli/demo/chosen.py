"""What the demo is about: the chat, the subject, the time, the bystander whose identity will be asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from garim.cli.import_command import Source, read_source
from garim.cli.importing import store_member
from garim.documents.fields import parse_instant, write_instant
from garim.importers import Joined, Member, Message, Renamed
from garim.statements.refusal import RefusedError

SAMPLE_SUBJECT = "kakao:최현우"
SAMPLE_BYSTANDER = "kakao:강도윤"
DAY_MS = 24 * 3_600_000
MAX_PERIOD_MS = 184 * DAY_MS


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the demo is about.

    Attributes:
        source: The chat, as it is imported.
        people: Everybody in it, with all their names.
        originals: The chat's own messages, in order; the demo compares them with the dossier.
        subject: Account of the subject.
        wanted: Account of the bystander whom the second request names, where that is known beforehand.
        period: First instant asked for and first behind, as the warrant writes them.
        shortened: Whether the chat is longer than a warrant may ask for.
    """

    source: Source
    people: tuple[Member, ...]
    originals: tuple[Message, ...]
    subject: str
    wanted: str | None
    period: tuple[str, str]
    shortened: bool

    @property
    def span(self) -> tuple[int, int]:
        """The period in milliseconds since 1970."""
        return parse_instant(self.period[0]), parse_instant(self.period[1])

    def name_of(self, account: str) -> str:
        """Return the name that an account shows."""
        return next(one.name for one in self.people if one.account == account)

    @property
    def bystanders(self) -> tuple[Member, ...]:
        """Everybody but the subject."""
        return tuple(one for one in self.people if one.account != self.subject)


def choose(
    chat: Path | None, subject: str, window: str, timezone: str = "", *, day_first: bool | None = None
) -> Chosen:
    """Read the chat and settle what the demo is about.

    Args:
        chat: An export; the project's own sample room without.
        subject: Account, name or nick; the busiest sender without.
        window: `start/end`, RFC 3339 or bare dates; the whole chat without.
        timezone: IANA zone of the chat's times; its network's usual one without.
        day_first: How to read dates such as 3/4/24; None where the chat tells it itself.

    Raises:
        RefusedError: Those of the importers; `DEMO_SUBJECT`, `DEMO_WINDOW`, `DEMO_BYSTANDER` (nobody else
            wrote in that time).
    """
    if chat is None:
        folder = Path(str(resources.files("garim.testing") / "sample"))
        source = read_source(
            folder / "room.txt", "auto", timezone, folder / "roster.json", folder / "secret.txt"
        )
    else:
        source = read_source(chat, "auto", timezone, None, None, day_first=day_first)
    looked = source.reader.survey
    account = _account(subject, looked.members) if subject else _busiest(chat, looked.by_sender)
    period, shortened = _period(window, looked.first_ms, looked.last_ms)
    messages, people = _second_look(source)
    start, end = (parse_instant(text) for text in period)
    if not any(one.sender != account and start <= one.at_ms < end for one in messages):
        raise RefusedError("DEMO_BYSTANDER", "nobody but the subject wrote in this time", field="WINDOW")
    wanted = SAMPLE_BYSTANDER if chat is None and account != SAMPLE_BYSTANDER else None
    return Chosen(source, people, messages, account, wanted, period, shortened)


def _second_look(source: Source) -> tuple[tuple[Message, ...], tuple[Member, ...]]:
    """Return the chat's messages and everybody in it with every name they ever had."""
    messages: list[Message] = []
    names: dict[str, list[str]] = {}
    for event in source.reader:
        if isinstance(event, Message):
            messages.append(event)
        elif isinstance(event, Renamed):
            names.setdefault(event.account, []).append(event.new_name)
        elif isinstance(event, Joined):
            names.setdefault(event.member.account, []).append(event.member.name)
    people = []
    for member in source.reader.survey.members:
        known = dict.fromkeys((*member.other_names, *names.get(member.account, ())))
        people.append(
            Member(
                member.account,
                member.name,
                member.phone,
                member.email,
                other_names=tuple(one for one in known if one != member.name),
            )
        )
        store_member(people[-1])
    return tuple(messages), tuple(people)


def _busiest(chat: Path | None, by_sender: Mapping[str, int]) -> str:
    counts = Counter(dict(by_sender))
    if chat is None and SAMPLE_SUBJECT in counts:
        return SAMPLE_SUBJECT
    return counts.most_common(1)[0][0]


def _account(subject: str, members: tuple[Member, ...]) -> str:
    folded = subject.casefold()
    ways: tuple[Callable[[Member], tuple[str, ...]], ...] = (
        lambda one: (one.account,),
        lambda one: (one.name,),
        lambda one: one.other_names,
    )
    for texts in ways:
        found = [one.account for one in members if folded in {text.casefold() for text in texts(one)}]
        if found:
            return found[0]
    raise RefusedError("DEMO_SUBJECT", "nobody of that name is in the chat", field="SUBJECT")


def _period(window: str, first_ms: int, last_ms: int) -> tuple[tuple[str, str], bool]:
    if window:
        start, slash, end = window.partition("/")
        try:
            parse_instant(start), parse_instant(end)
        except ValueError:
            slash = ""
        if not slash:
            raise RefusedError(
                "DEMO_WINDOW",
                "write start/end, as RFC 3339 or bare dates (first second, KST)",
                field="WINDOW",
            )
        return (start, end), False
    begin = max(first_ms, last_ms + 1 - MAX_PERIOD_MS)
    return (write_instant(begin), write_instant(last_ms + 1)), begin > first_ms
