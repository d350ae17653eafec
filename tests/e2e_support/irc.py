"""Opened dossiers of real IRC rooms against the hand-made annotations of who is mentioned where."""

from __future__ import annotations

import html
import json
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from garim.cli.import_command import read_source, send
from garim.documents.fields import write_instant
from garim.dossier.lines import MessageLine
from garim.dossier.opening import OpenedDossier
from garim.importers import Kind, Message, Renamed
from garim.importers.irc import account_of
from mesh_support.live import LiveMesh

SHARED = Path(__file__).parents[3] / "shared" / "testdata"
CHATS = SHARED / "chats" / "irc"
GOLD = SHARED / "gold" / "irc_dev.jsonl"
_TAG = re.compile(r"<style.*?</style>|<[^>]*>", re.DOTALL)
_PSEUDONYM = re.compile(r"[A-Z][A-Z0-9_]{0,30}-[0-9A-Z]{5}-[0-9A-Z]{5}")
_NICK = r"[A-Za-z0-9_\-\[\]\\`^{}|]"


@dataclass(frozen=True, slots=True)
class Room:
    """A room as imported, with its annotations.

    Attributes:
        path: The log.
        messages: What people said, in order.
        rows: The annotation of each message; actions (`/me`) have none and an empty row.
        period: First instant and first behind, RFC 3339.
        accounts: Every account in it.
        renames: Nicks that an account took in the room.
    """

    path: Path
    messages: tuple[Message, ...]
    rows: tuple[dict[str, Any], ...]
    period: tuple[str, str]
    accounts: frozenset[str]
    renames: dict[str, set[str]]

    def busiest(self, count: int) -> list[str]:
        """Return who wrote most."""
        return [one for one, _ in Counter(each.sender for each in self.messages).most_common(count)]


@dataclass(slots=True)
class Findings:
    """What an opened dossier shows that it must not.

    Attributes:
        lines: Messages compared.
        subject_lines: Those of the subject.
        addressed: Annotated mentions of bystanders, tier `addressed`, in them.
        standing: Rows and texts of those not masked.
        nicks: Messages and pages where an addressed bystander's nick, no ambiguous one, stands as a word.
        senders: Files in which a bystander's account id stands, and bystanders' messages that show a name.
        changed: Subject's lines that differ outside masked spans.
        unmatched: Lines for which no message of the room was found.
    """

    lines: int = 0
    subject_lines: int = 0
    addressed: int = 0
    standing: list[tuple[str, str]] = field(default_factory=list)
    nicks: list[tuple[str, str]] = field(default_factory=list)
    senders: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    unmatched: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether the promise holds."""
        return not (self.standing or self.nicks or self.senders or self.changed or self.unmatched)


def paths() -> list[Path]:
    """Return the logs; empty without the outside test data."""
    return sorted(CHATS.glob("*.raw.txt"))


def read_gold() -> dict[str, list[dict[str, Any]]]:
    """Return the annotations by room."""
    rooms = defaultdict(list)
    with GOLD.open(encoding="utf-8") as source:
        for line in source:
            row = json.loads(line)
            rooms[row["room"]].append(row)
    return rooms


def read_room(path: Path, gold: dict[str, list[dict[str, Any]]]) -> Room:
    """Read a log as the importer does, beside its annotations, whose texts must be the same."""
    source = read_source(path, "auto", "", None, None)
    looked = source.reader.survey
    messages: list[Message] = []
    renames: dict[str, set[str]] = defaultdict(set)
    for event in source.reader:
        if isinstance(event, Message):
            messages.append(event)
        elif isinstance(event, Renamed):
            renames[event.account].add(event.new_name)
    annotated = iter(gold[path.name.removesuffix(".raw.txt")])
    unannotated: dict[str, Any] = {"id": "", "spans": ()}
    rows = [unannotated if one.kind is Kind.ACTION else next(annotated) for one in messages]
    assert next(annotated, None) is None
    assert all(row is unannotated or row["text"] == one.text for one, row in zip(messages, rows, strict=True))
    return Room(
        path,
        tuple(messages),
        tuple(rows),
        (write_instant(looked.first_ms), write_instant(looked.last_ms + 1)),
        frozenset(one.account for one in looked.members),
        dict(renames),
    )


def differs(original: str, line: MessageLine) -> bool:
    """Tell whether a shown text differs from the original outside its masks."""
    return _alignment(original, line) is None


def _alignment(original: str, line: MessageLine) -> list[tuple[int, int]] | None:
    """Return where each mask's original stands, or None where the rest differs."""
    pattern, at = [], 0
    for mask in line.masks:
        pattern.append(re.escape(line.text[at : mask.start]) + "(.+?)")
        at = mask.end
    found = re.fullmatch("".join(pattern) + re.escape(line.text[at:]), original, re.DOTALL)
    return None if found is None else [found.span(group) for group in range(1, len(line.masks) + 1)]


def compare(room: Room, subject: str, dossier: OpenedDossier) -> Findings:
    """Look for bystanders of a room in an opened dossier."""
    found = Findings()
    own = {subject.removeprefix("irc:"), *(one.casefold() for one in room.renames.get(subject, ()))}
    by_time: dict[int, list[int]] = defaultdict(list)
    for place, message in enumerate(room.messages):
        by_time[message.at_ms].append(place)
    ambiguous = _forms(room, "ambiguous")
    forms = _forms(room, "addressed") - ambiguous - own - _nicks_of(own)
    pattern = _words(sorted(forms))
    for line in dossier.messages():
        _nicks_in(line, pattern, found)
        if line.sender.pseudonym is not None and (line.sender.account or line.sender.name):
            found.senders.append(line.number)
        if line.kind not in {"text", "action"}:
            continue
        found.lines += 1
        ours = line.sender.pseudonym is None
        found.subject_lines += ours
        candidates = [place for place in by_time[line.at] if (room.messages[place].sender == subject) == ours]
        aligned = None
        for place in candidates:
            aligned = _alignment(room.messages[place].text, line)
            if aligned is not None:
                by_time[line.at].remove(place)
                _mentions(room.rows[place], aligned, own, found)
                break
        if aligned is None:
            (found.changed if ours and candidates else found.unmatched).append(line.number)
    found.senders += _senders(room, subject, dossier.folder)
    for page in sorted(dossier.folder.glob("transcript/*.html")):
        text = _PSEUDONYM.sub(" ", html.unescape(_TAG.sub(" ", page.read_text(encoding="utf-8"))))
        found.nicks += [(page.name, hit[0]) for hit in pattern.finditer(text)]
    return found


def _forms(room: Room, tier: str) -> set[str]:
    return {span["text"].casefold() for row in room.rows for span in row["spans"] if span["tier"] == tier}


def _nicks_of(own: set[str]) -> set[str]:
    return {account_of(one).removeprefix("irc:") for one in own}


def _words(forms: Sequence[str]) -> re.Pattern[str]:
    return re.compile(rf"(?<!{_NICK})(?:{'|'.join(map(re.escape, forms))})(?!{_NICK})", re.IGNORECASE)


def _nicks_in(line: MessageLine, pattern: re.Pattern[str], found: Findings) -> None:
    shown, at = [], 0
    for mask in line.masks:
        shown.append(line.text[at : mask.start])
        at = mask.end
    shown.append(line.text[at:])
    text = " ".join(shown)
    found.nicks += [(line.number, hit[0]) for hit in pattern.finditer(text)]


def _mentions(row: dict[str, Any], masked: list[tuple[int, int]], own: set[str], found: Findings) -> None:
    for span in row["spans"]:
        if span["tier"] != "addressed" or span["text"].casefold() in own:
            continue
        found.addressed += 1
        if not any(start <= span["start"] and span["end"] <= end for start, end in masked):
            found.standing.append((row["id"], span["text"]))


def _senders(room: Room, subject: str, folder: Path) -> list[str]:
    accounts = re.compile(
        "|".join(re.escape(one) + f"(?!{_NICK})" for one in sorted(room.accounts - {subject}, key=len))
    )
    places = []
    for path in sorted(one for one in folder.rglob("*") if one.is_file()):
        places += [path.name for _ in accounts.finditer(path.read_text(encoding="utf-8"))]
    return places


def store(mesh: LiveMesh, room: Room) -> None:
    """Import a room."""
    send(read_source(room.path, "auto", "", None, None), mesh.root, "", lambda _read, _total: None)


def disclose(mesh: LiveMesh, room: Room, subject: str, folder: Path) -> Findings:
    """Ask for one subject of a stored room, open the dossier, look for bystanders."""
    case = mesh.granted(mesh.document([("account", subject)], room.period))
    mesh.build(case)
    _, opened = mesh.fetch(case, folder)
    return compare(room, subject, opened)
