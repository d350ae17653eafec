"""A third party's detectors: maskingtape, without its guesses at names.

Each is asked only about texts that hold what its kind cannot do without: so many digits close together,
an `@`, a word for birth. A province or a town alone is no address. Long texts are given in pieces, which
overlap.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from maskingtape import Detection, Pipeline
from maskingtape import detectors as theirs

from garim.leakscan import found
from garim.leakscan.found import Spot

_MOBILE = re.compile(r"(?:82)?0?1[016789]\d{7,8}\Z")
_MAIL_DOMAIN = re.compile(r"\.(?:com|net|org|edu|gov|info|kr|jp|cn|us|uk|de|fr|example)\Z")
_WORTH_ASKING = re.compile(r"[\d@]")
_PIECE = 2_000
_OVERLAP = 200


def _digits(count: int) -> re.Pattern[str]:
    """Return what finds so many digits close together, as all numbers are written."""
    return re.compile(rf"\d(?:\D{{0,6}}\d){{{count - 1}}}")


def _never(_detection: Detection, _text: str) -> bool:
    return False


def _mail_domain(detection: Detection, text: str) -> bool:
    """Tell whether an address ends in a domain that mail goes to, and ends there."""
    behind = text[detection.end : detection.end + 1]
    return _MAIL_DOMAIN.search(detection.text) is not None and not (behind.isascii() and behind.isalnum())


def _mobile(detection: Detection, _text: str) -> bool:
    return _MOBILE.match("".join(filter(str.isdecimal, detection.text))) is not None


def _checked(detection: Detection, _text: str) -> bool:
    """Tell whether the check digit fits, which full confidence means there, and it is written in halves."""
    return detection.confidence == 1.0 and not detection.text.isdecimal()


def _in_groups(detection: Detection, _text: str) -> bool:
    """Tell whether the check digit of a card fits and its digits stand in groups."""
    return detection.confidence > 0.9 and not detection.text.isdecimal()


_KINDS: dict[str, tuple[str, Callable[[Detection, str], bool]]] = {
    "rrn": (found.RRN, _checked),
    "passport": (found.PASSPORT, _never),
    "driver_license": (found.DRIVER_LICENSE, _never),
    "phone": (found.PHONE, _mobile),
    "email": (found.EMAIL, _mail_domain),
    "address": (found.ADDRESS, _never),
    "card": (found.CARD, _in_groups),
    "account": (found.BANK_ACCOUNT, _never),
    "biz_reg": (found.BUSINESS_REG, _never),
    "birth_date": (found.DATE_OF_BIRTH, _never),
}
"""Their kinds: what we call them, and when a finding has one reading only."""


class Engine:
    """maskingtape's detectors of identifiers, each asked about what can hold its kind."""

    def __init__(self) -> None:
        mark, hangul, birth = re.compile("@"), re.compile("[가-힣]"), re.compile("생|태어")
        self._asked = (
            ((mark,), Pipeline([theirs.EmailDetector()])),
            ((_digits(5),), Pipeline([theirs.RRNDetector()])),
            (
                (_digits(8),),
                Pipeline(
                    [
                        theirs.PassportDetector(),
                        theirs.DriverLicenseDetector(),
                        theirs.PhoneDetector(),
                        theirs.CreditCardDetector(),
                        theirs.AccountDetector(),
                        theirs.BusinessRegistrationDetector(),
                    ]
                ),
            ),
            ((hangul,), Pipeline([theirs.AddressDetector()])),
            ((birth, _digits(4)), Pipeline([theirs.BirthDateDetector()])),
        )

    def find(self, text: str) -> Iterator[Spot]:
        """Yield what the detectors find.

        Args:
            text: One folded text.
        """
        if not _WORTH_ASKING.search(text):
            return
        seen: set[tuple[int, int]] = set()
        for signs, pipeline in self._asked:
            if all(sign.search(text) for sign in signs):
                for low in range(0, max(len(text) - _OVERLAP, 1), _PIECE - _OVERLAP):
                    piece = text[low : low + _PIECE]
                    for detection in pipeline.scan(piece):
                        start, end = low + detection.start, low + detection.end
                        if (start, end) not in seen and _identifies(detection):
                            seen.add((start, end))
                            kind, certain = _KINDS[detection.kind]
                            yield Spot(start, end, certain(detection, piece), kind)


def _identifies(detection: Detection) -> bool:
    """Tell whether a finding can say who somebody is: a province or a town alone cannot."""
    return detection.kind != "address" or any(map(str.isdecimal, detection.text))
