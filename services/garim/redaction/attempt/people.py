"""Who is who in a scope: the members of all its rosters, and which of them the document names."""

from __future__ import annotations

from collections.abc import Iterable

from garim.masking.people import Person
from garim.sealing.tags import normalise
from garim.statements.grants import Subject
from garim.statements.refusal import RefusedError
from garim.statements.roster import RosterMember


def _is_subject(member: RosterMember, subjects: frozenset[tuple[str, str]]) -> bool:
    identifiers = [("account", member.account)]
    identifiers += [("phone", one) for one in member.phones]
    identifiers += [("email", one) for one in member.emails]
    return any((kind, _normal(kind, value)) in subjects for kind, value in identifiers)


def _normal(kind: str, value: str) -> str:
    try:
        return normalise(kind, value)
    except RefusedError:
        return ""


def people_of(members: Iterable[RosterMember], subjects: Iterable[Subject]) -> dict[str, Person]:
    """Return everybody in the rosters by account id, with all names and identifiers of all rosters.

    A person's key is `account:` and the account id: no account can pose as a name that is in no roster.

    Args:
        members: Members of every roster of the scope, repeated as they occur.
        subjects: Whom the document names.
    """
    named = frozenset((one.kind, normalise(one.kind, one.value)) for one in subjects)
    people: dict[str, Person] = {}
    for member in members:
        known = people.get(member.account)
        if known is None:
            known = Person(f"account:{member.account}", member.account, ())
        people[member.account] = Person(
            key=known.key,
            account=member.account,
            names=_union(known.names, member.names),
            phones=_union(known.phones, member.phones),
            emails=_union(known.emails, member.emails),
            subject=known.subject or _is_subject(member, named),
        )
    return people


def _union(known: tuple[str, ...], more: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*known, *more)))
