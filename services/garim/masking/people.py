"""Who is known to take part in the conversations of a dossier."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Person:
    """A member of a roster.

    Args:
        key: Opaque stable id within a dossier attempt, such as the account id.
        account: Account id as the back end knows it, "" if none.
        names: Display names and nicks, as the back end stores them.
        phones: Phone numbers, in any spelling.
        emails: E-mail addresses.
        subject: True for a subject of the document: the subject's own name stays readable.
    """

    key: str
    account: str
    names: tuple[str, ...]
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    subject: bool = False
