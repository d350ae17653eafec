"""The demo's figures, for programs."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from garim.cli.files import write_private


@dataclass(slots=True)
class Summary:
    """What came of the demo.

    Attributes:
        messages: Messages in the dossier.
        conversations: Conversations in it.
        subjects: Subjects' accounts in it.
        bystanders: Masked people.
        pseudonyms: Pseudonyms, people and values together.
        leaks: Places where the demo's own scan found a bystander.
        identities_unmasked: Identities that the second request opened.
        log_size: Entries in the log.
        verified: Whether log, receipt and package verified.
        package: The encrypted package.
        transcript: The opened transcript's first page.
        opened: Folder of the opened dossier, before the identity is applied.
        more: Further figures.
    """

    messages: int = 0
    conversations: int = 0
    subjects: int = 0
    bystanders: int = 0
    pseudonyms: int = 0
    leaks: int = 0
    identities_unmasked: int = 0
    log_size: int = 0
    verified: bool = False
    package: str = ""
    transcript: str = ""
    opened: str = ""
    more: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON: the further figures stand beside the others."""
        value = asdict(self)
        return {**value.pop("more"), **value}

    def write(self, path: Path) -> None:
        """Write it to a file."""
        write_private(
            path, json.dumps(self.to_json(), ensure_ascii=False, indent=2).encode() + b"\n", replace=True
        )
