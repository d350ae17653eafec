"""Check digits and calendar shapes: what confirms a number, never what alone condemns it."""

from __future__ import annotations


def luhn(digits: str) -> bool:
    """Tell whether `digits` ends with its Luhn check digit (ISO/IEC 7812-1, annex B)."""
    doubled = (int(digit) * 2 for digit in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(value // 10 + value % 10 for value in doubled)) % 10 == 0


def resident_number(digits: str) -> bool:
    """Tell whether 13 `digits` carry the check digit of Korean resident or foreigner numbers.

    Numbers issued since October 2020 have none, so a failure means little.
    """
    weighted = sum(
        int(digit) * weight
        for digit, weight in zip(digits, (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5), strict=False)
    )
    expected = (11 - weighted % 11) % 10
    return int(digits[12]) in {expected, (expected + 2) % 10}


def business_number(digits: str) -> bool:
    """Tell whether 10 `digits` end with the check digit of Korean business registration numbers."""
    weighted = sum(
        int(digit) * weight for digit, weight in zip(digits, (1, 3, 7, 1, 3, 7, 1, 3, 5), strict=False)
    )
    return (weighted + int(digits[8]) * 5 // 10 + int(digits[9])) % 10 == 0


def iban(value: str) -> bool:
    """Tell whether `value`, without spaces, satisfies ISO 7064 MOD 97-10 (ISO 13616)."""
    moved = value[4:] + value[:4]
    return int("".join(str(int(character, 36)) for character in moved)) % 97 == 1
