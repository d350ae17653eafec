"""The canonical form of a roster: what its digest covers and what is sealed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from garim.statements import strict_json
from garim.statements.refusal import RefusedError


@dataclass(frozen=True, slots=True)
class RosterMember:
    """A member of a conversation.

    Args:
        account: Account id.
        names: Names in this conversation, the current one first.
        phones: Phone numbers in E.164 form.
        emails: E-mail addresses.
    """

    account: str
    names: tuple[str, ...]
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()


def canonical(conversation: str, title: str, members: Iterable[RosterMember]) -> bytes:
    """Return a roster's canonical bytes: JSON with members sorted by account id.

    Args:
        conversation: Conversation id.
        title: Title of the room.
        members: All members, in any order.

    Raises:
        RefusedError: `ROSTER_EMPTY`, or `ROSTER_MEMBER` for an empty or repeated account id.
    """
    ordered = sorted(members, key=lambda one: one.account)
    accounts = [one.account for one in ordered]
    if not ordered:
        raise RefusedError("ROSTER_EMPTY", "a roster names at least one member", field="members")
    if not all(accounts) or len(set(accounts)) != len(accounts):
        raise RefusedError("ROSTER_MEMBER", "account ids must be present and unique", field="members")
    return strict_json.dump(
        {
            "conversation": conversation,
            "title": title,
            "members": [
                {"account": m.account, "names": m.names, "phones": m.phones, "emails": m.emails}
                for m in ordered
            ],
        }
    )


def digest(canonical_bytes: bytes) -> bytes:
    """Return the 32-byte digest by which a batch names its roster."""
    return hashlib.sha256(canonical_bytes).digest()


def parse(canonical_bytes: bytes) -> tuple[str, str, tuple[RosterMember, ...]]:
    """Return conversation id, title and members of a canonical roster.

    Raises:
        RefusedError: `ROSTER_FORM` where the bytes are not canonical, and those of `strict_json`.
    """
    value = strict_json.parse_object(canonical_bytes)
    try:
        members = tuple(
            RosterMember(m["account"], tuple(m["names"]), tuple(m["phones"]), tuple(m["emails"]))
            for m in value["members"]
        )
        conversation, title = value["conversation"], value["title"]
        if canonical(conversation, title, members) != canonical_bytes:
            raise ValueError
    except (KeyError, TypeError, ValueError):
        raise RefusedError("ROSTER_FORM", "the roster's bytes are not in canonical form") from None
    return conversation, title, members
