"""What the doctor found, one line for each thing looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

from garim.statements.refusal import RefusedError, reasons_of

Level = Literal["ok", "warning", "fault"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at.

    Attributes:
        about: The service, or `mesh`.
        check: What was looked at.
        level: How it is.
        what: What is so.
        do: What to do about it; empty where all is well.
    """

    about: str
    check: str
    level: Level
    what: str
    do: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "about": self.about,
            "check": self.check,
            "level": self.level,
            "what": self.what,
            "do": self.do,
        }


class Findings:
    """The findings about one service, or about the mesh.

    Args:
        about: Which.
    """

    def __init__(self, about: str) -> None:
        self._about = about
        self.found: list[Finding] = []

    def ok(self, check: str, what: str) -> None:
        """Note that all is well."""
        self.found.append(Finding(self._about, check, "ok", what))

    def warn(self, check: str, what: str, do: str) -> None:
        """Note what will become a fault, or may be one."""
        self.found.append(Finding(self._about, check, "warning", what, do))

    def fault(self, check: str, what: str, do: str) -> None:
        """Note what is wrong."""
        self.found.append(Finding(self._about, check, "fault", what, do))

    def look(self, check: str, do: str, step: Callable[[], None]) -> None:
        """Take a step that notes what it finds; what it refuses is a fault.

        Args:
            check: What is looked at.
            do: What to do where it is refused.
            step: The look.
        """
        try:
            step()
        except RefusedError as refusal:
            for one in reasons_of(refusal):
                self.fault(check, f"{one.reason}: {one.message}", do)
        except OSError as error:
            self.fault(check, f"{error.filename or 'a file'}: {error.strerror or type(error).__name__}", do)


def healthy(found: Iterable[Finding]) -> bool:
    """Tell whether there is no fault; warnings are none."""
    return all(one.level != "fault" for one in found)
