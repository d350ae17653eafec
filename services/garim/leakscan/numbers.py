"""Members' numbers, however their digits are spaced."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from garim.leakscan.found import Spot
from garim.leakscan.known import Known

_RUN = re.compile(r"\d(?:[ \-.()/·~_,+:|*]{0,3}\d){6,}")
_INSIDE = 10
"""A number of so many digits is also looked for inside a longer one."""


class Numbers:
    """Numbers to look for.

    Args:
        known: What they are, by their digits.
    """

    def __init__(self, known: Mapping[str, Known]) -> None:
        self._known = known
        self._sizes = sorted({len(one) for one in known if len(one) >= _INSIDE})

    def find(self, text: str) -> Iterator[Spot]:
        """Yield the places of known numbers; one inside a longer number is doubtful.

        Args:
            text: Folded text.
        """
        if not self._known:
            return
        for run in _RUN.finditer(text):
            digits = "".join(filter(str.isdecimal, run[0]))
            known = self._known.get(digits)
            certain = known is not None and known.certain
            known = known or self._inside(digits)
            if known is not None:
                yield Spot(run.start(), run.end(), certain, known.type, known.person)

    def _inside(self, digits: str) -> Known | None:
        for size in self._sizes:
            for at in range(len(digits) - size + 1):
                known = self._known.get(digits[at : at + size])
                if known is not None:
                    return known
        return None
