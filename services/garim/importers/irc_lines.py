"""The lines of an IRC channel's log: `[HH:MM] <nick> text`, actions, joins, parts and nick changes."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

from garim.importers.lines import refuse_line


class Part(enum.Enum):
    """What a line of a log is."""

    MESSAGE = "message"
    ACTION = "action"
    JOIN = "join"
    LEAVE = "leave"
    NICK = "nick"
    SYSTEM = "system"
    BLANK = "blank"


@dataclass(frozen=True, slots=True)
class Line:
    """One line.

    Args:
        part: What it is.
        time: Hour, minute and second, where the line shows them.
        nick: Who acts.
        text: What is said or done, or the new nick.
        host: `user@host` of a join.
    """

    part: Part
    time: tuple[int, int, int] | None = None
    nick: str = ""
    text: str = ""
    host: str = ""


_STAMP = re.compile(r"\[([0-9]{2}):([0-9]{2})(?::([0-9]{2}))?\] ?")
_SAID = re.compile(r"<[ @+%&~]?(?P<nick>[^\s<>]+) *>(?: (?P<text>.*))?$", re.DOTALL)
_ACTED = re.compile(r" ?\* (?P<nick>\S+)(?: (?P<text>.*))?$", re.DOTALL)
_NOTICED = re.compile(r"-(?P<nick>[^\s!-]\S*)- (?P<text>.*)$", re.DOTALL)
_JOIN = re.compile(r"(?P<nick>\S+) \[(?P<host>[^\s\]]*)\] +has joined \S+\s*$")
_LEAVE = re.compile(r"(?P<nick>\S+) \[(?P<host>[^\s\]]*)\] +has (?:left \S+|quit)(?: \[.*\])?\s*$")
_KICK = re.compile(r"(?P<nick>\S+) was kicked from \S+ by \S+(?: \[.*\])?\s*$")
_NICK = re.compile(r"(?P<nick>\S+) is now known as (?P<text>\S+)\s*$")
_SERVER = re.compile(
    r"mode/|\.\.\[|\.\.|[#&]|Topic (?:for|\(|set)|ServerMode/|Irssi:|Netsplit|You(?:'re| are) now"
)


def parse(text: str, number: int) -> Line:
    """What the line is.

    Args:
        text: The line.
        number: Its number, for refusals.

    Raises:
        RefusedError: CHAT_LINE for a line of no form of these logs, or a time that does not exist.
    """
    if not text.strip():
        return Line(Part.BLANK)
    if text.startswith("=== "):
        return _event(text[4:], None, actions=True) or Line(Part.SYSTEM)
    stamp = _STAMP.match(text)
    if stamp is None:
        raise refuse_line(
            number, "has none of the forms of an IRC log; is the file cut off, or another format?"
        )
    time = (int(stamp[1]), int(stamp[2]), int(stamp[3] or 0))
    if time[0] > 23 or time[1] > 59 or time[2] > 59:
        raise refuse_line(number, "shows a time that does not exist; get the log again")
    rest = text[stamp.end() :]
    for prefix in ("=== ", "-!- "):
        if rest.startswith(prefix):
            return _event(rest[4:], time, actions=False) or Line(Part.SYSTEM, time)
    for form, part in ((_SAID, Part.MESSAGE), (_ACTED, Part.ACTION), (_NOTICED, Part.MESSAGE)):
        if found := form.match(rest):
            return Line(part, time, found["nick"], found["text"] or "")
    raise refuse_line(number, "has a time and then none of the forms of an IRC log; is the file cut off?")


def _event(rest: str, time: tuple[int, int, int] | None, *, actions: bool) -> Line | None:
    """A line of the channel itself; older logs write actions in the same form."""
    if found := _JOIN.match(rest):
        return Line(Part.JOIN, time, found["nick"], host=found["host"])
    if found := _LEAVE.match(rest) or _KICK.match(rest):
        return Line(Part.LEAVE, time, found["nick"])
    if found := _NICK.match(rest):
        return Line(Part.NICK, time, found["nick"], found["text"])
    if not actions or _SERVER.match(rest):
        return None
    nick, _, text = rest.strip().partition(" ")
    return Line(Part.ACTION, time, nick, text)
