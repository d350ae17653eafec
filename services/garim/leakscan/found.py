"""What the scan says: a place, a kind, and how sure it is."""

from __future__ import annotations

from dataclasses import dataclass

PERSON, PHONE, EMAIL, USER_HOST = "PERSON", "PHONE", "EMAIL", "USER_HOST"
RRN, FRN, SSN, PASSPORT, DRIVER_LICENSE = "RRN", "FRN", "SSN", "PASSPORT", "DRIVER_LICENSE"
CARD, BANK_ACCOUNT, IBAN, BUSINESS_REG = "CARD", "BANK_ACCOUNT", "IBAN", "BUSINESS_REG"
IP, MAC, GPS, VEHICLE, ADDRESS = "IP", "MAC", "GPS", "VEHICLE", "ADDRESS"
URL_HANDLE, HANDLE, DATE_OF_BIRTH = "URL_HANDLE", "HANDLE", "DATE_OF_BIRTH"


@dataclass(frozen=True, slots=True)
class Leak:
    """A place where somebody seems to stand in outgoing text. It names the place, never the value.

    Args:
        index: Which of the scanned texts.
        start: First code point there.
        end: Code point behind the last.
        certain: True blocks; False is a hold for reviewers.
        type: What sort of value it seems to be, in UPPER_SNAKE.
        person: Key of the bystander, None where the value is no member's.
    """

    index: int
    start: int
    end: int
    certain: bool
    type: str
    person: str | None


@dataclass(frozen=True, slots=True)
class Spot:
    """A leak in one folded text.

    Args:
        start: First character.
        end: Character behind the last.
        certain: Whether it has this one reading only.
        type: What sort of value it seems to be.
        person: Key of the bystander, None where the value is no member's.
    """

    start: int
    end: int
    certain: bool
    type: str
    person: str | None = None
