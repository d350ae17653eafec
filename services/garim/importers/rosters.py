"""Who is in the room: presence while an export is read, and the roster file that may lie beside it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from garim.importers.events import Event, Joined, Left, Member, Renamed
from garim.statements.refusal import RefusedError
from garim.statements.strict_json import parse_object

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

_NUMBER = re.compile(r"\+[1-9][0-9 \u00a0().\u2011-]{6,24}")


class Presence:
    """The roster as it changes from event to event.

    Args:
        start: Members in the room before the first event.
        profiles: What is known of accounts beyond the export (from a roster file), by account.
    """

    def __init__(self, start: Iterable[Member] = (), profiles: Mapping[str, Member] | None = None) -> None:
        self.members: dict[str, Member] = {member.account: member for member in start}
        self.unannounced: list[str] = []
        """Accounts that were met without having joined: they were there before the export begins."""
        self._present = set(self.members)
        self._profiles = profiles or {}

    def meet(self, at_ms: int, account: str, name: str) -> Iterator[Event]:
        """A member does something and so must be present.

        Args:
            at_ms: When.
            account: Who.
            name: The name shown.
        """
        if account in self._present:
            return
        if account not in self.members:
            self.unannounced.append(account)
        self._present.add(account)
        yield Joined(at_ms, self._known(account, name))

    def join(self, at_ms: int, account: str, name: str, host: str = "") -> Iterator[Event]:
        """A member is announced.

        Args:
            at_ms: When.
            account: Who.
            name: The name shown.
            host: `user@host`, where the network shows it.
        """
        member = self._known(account, name)
        if account in self._present and host in {"", member.host}:
            return
        if host:
            member = replace(member, host=host)
            self.members[account] = member
        self._present.add(account)
        yield Joined(at_ms, member)

    def leave(self, at_ms: int, account: str, name: str) -> Iterator[Event]:
        """A member is gone.

        Args:
            at_ms: When.
            account: Who.
            name: The name shown.
        """
        if account not in self.members:
            yield from self.meet(at_ms, account, name)
        if account in self._present:
            self._present.discard(account)
            yield Left(at_ms, account)

    def rename(self, at_ms: int, account: str, new_name: str) -> Iterator[Event]:
        """A member who is present takes a further name.

        Args:
            at_ms: When.
            account: Who.
            new_name: The name.
        """
        member = self.members[account]
        if new_name != member.name and new_name not in member.other_names:
            self.members[account] = replace(member, other_names=(*member.other_names, new_name))
        yield Renamed(at_ms, account, new_name)

    def _known(self, account: str, name: str) -> Member:
        known = self.members.get(account)
        if known is None:
            known = self._profiles.get(account) or Member(account, name, _phone_shown(name))
            self.members[account] = known
        return known


def _phone_shown(name: str) -> str:
    """The number that stands in place of a name, as WhatsApp shows people in no address book."""
    digits = "".join(one for one in name if one.isdecimal())
    return f"+{digits}" if _NUMBER.fullmatch(name) and 8 <= len(digits) <= 15 else ""


_FIELDS = {"account", "name", "phone", "email", "other_names"}


def read_roster(path: Path) -> tuple[Member, ...]:
    """The members that a roster file beside an export names, with their phones and e-mail addresses.

    The file is JSON: `{"members": [{"account", "name", "phone", "email", "other_names"}]}`; all five fields
    are needed, empty where nothing is known.

    Args:
        path: The file.

    Raises:
        RefusedError: ROSTER_FILE where it cannot be read or breaks this form.
    """
    try:
        content = parse_object(path.read_bytes())
    except OSError as error:
        raise _refuse_roster(f"cannot be read ({type(error).__name__})", "roster") from None
    except RefusedError as error:
        raise _refuse_roster(f"is not strict JSON ({error.reason})", "roster") from None
    if set(content) != {"members"} or not isinstance(content["members"], list):
        raise _refuse_roster("must be an object with the one list `members`", "members")
    members = tuple(_member(entry, position) for position, entry in enumerate(content["members"]))
    if len({member.account for member in members}) != len(members):
        raise _refuse_roster("names one account twice", "members")
    return members


def _member(entry: object, position: int) -> Member:
    where = f"members[{position}]"
    if not isinstance(entry, dict) or set(entry) != _FIELDS:
        raise _refuse_roster(f"needs exactly the fields {', '.join(sorted(_FIELDS))} in each member", where)
    names = entry["other_names"]
    account, name, phone, email = (entry[field] for field in ("account", "name", "phone", "email"))
    if not isinstance(names, list) or not all(
        isinstance(text, str) for text in [account, name, phone, email, *names]
    ):
        raise _refuse_roster("takes texts only, and a list of texts as other_names", where)
    if not account or not name:
        raise _refuse_roster("needs an account and a name for each member", where)
    return Member(account, name, phone, email, other_names=tuple(names))


def _refuse_roster(what: str, field: str) -> RefusedError:
    return RefusedError("ROSTER_FILE", f"the roster file {what}", field=field)
