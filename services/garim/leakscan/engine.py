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
from garim.leakscan.folding import BLANK
from garim.leakscan.found import Spot

_WORTH_ASKING = re.compile(r"[\d@]")
_PIECE = 2_000
_OVERLAP = 200


def _digits(count: int) -> re.Pattern[str]:
    """Return what finds so many digits close together, as all numbers are written."""
    return re.compile(rf"\d(?:\D{{0,6}}\d){{{count - 1}}}")


def _never(_detection: Detection, _text: str) -> bool:
    return False


def _written(shape: re.Pattern[str]) -> Callable[[Detection, str], bool]:
    """Return what tells whether a detection is written in the one way that masking cannot take otherwise.

    Args:
        shape: Of the detection, with two characters before it and two behind.
    """

    def written(detection: Detection, text: str) -> bool:
        around = f"  {text}  "
        return shape.search(around[detection.start : detection.end + 4]) is not None

    return written


def _checked_in_halves(detection: Detection, text: str) -> bool:
    """Tell whether the check digit fits, which full confidence means there, and both halves stand alone."""
    return detection.confidence == 1.0 and _HALVES(detection, text)


def _checked_in_groups(detection: Detection, text: str) -> bool:
    """Tell whether the check digit of a card fits and its digits stand in four groups."""
    return detection.confidence > 0.9 and _GROUPS(detection, text)


_BEFORE, _BEHIND = rf"\A(?![\d{BLANK}].).[^\w,.*/-]", rf"(?![\w*/-]|[ .,][\d{BLANK}])..\Z"
_MOBILE = _written(
    re.compile(
        rf"\A(?![\d{BLANK}].).[^\d.-](?:\+82[- ]?|0)1[016789]([- .]?)\d{{3,4}}\1\d{{4}}{_BEHIND}", re.DOTALL
    )
)
_HALVES = _written(re.compile(rf"{_BEFORE}\d{{6}}-\d{{7}}{_BEHIND}", re.DOTALL))
_GROUPS = _written(re.compile(rf"{_BEFORE}\d{{4}}([- ])\d{{4}}\1\d{{4}}\1\d{{4}}{_BEHIND}", re.DOTALL))
_ADDRESS = _written(
    re.compile(
        r"(?<![^\s(<\"':,])[a-z][a-z0-9._%+-]*[a-z0-9]@(?:[a-z](?:[a-z0-9-]*[a-z0-9])?\.)+"
        rf"(?:com|net|org|edu|gov|info|kr|jp|cn|us|uk|de|fr|example){_BEHIND}",
        re.DOTALL | re.ASCII,
    )
)
_KINDS: dict[str, tuple[str, Callable[[Detection, str], bool]]] = {
    "rrn": (found.RRN, _checked_in_halves),
    "passport": (found.PASSPORT, _never),
    "driver_license": (found.DRIVER_LICENSE, _never),
    "phone": (found.PHONE, _MOBILE),
    "email": (found.EMAIL, _ADDRESS),
    "address": (found.ADDRESS, _never),
    "card": (found.CARD, _checked_in_groups),
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
