"""The TEST court and agency of a throwaway mesh: what they draft and sign."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from garim.cli import document_files
from garim.cli.demo.chosen import Chosen
from garim.cli.document_files import acknowledger_of
from garim.cli.draft_commands import common
from garim.cli.files import write_private
from garim.cli.mesh_plan import AUDIENCE, Places
from garim.cli.mesh_setup import AGE_IDENTITY
from garim.cli.unmask_commands import write_draft
from garim.cli.unmask_draft import draft_unmask
from garim.documents import draft
from garim.dossier.opening import OpenedDossier
from garim.statements.receipts import DossierReceipt

CASE_NUMBER = "TEST-2026-형제-00001"
OFFENCE = "drugs"
WARRANT_TYPE = "search-and-seizure-stored"


@dataclass(frozen=True, slots=True)
class Agency:
    """The TEST court and agency.

    Attributes:
        places: The mesh's folders.
        papers: Where their documents are written.
    """

    places: Places
    papers: Path

    @property
    def identity(self) -> Path:
        """The investigator's age identity."""
        return self.places.agency / AGE_IDENTITY

    @property
    def recipient(self) -> str:
        """The investigator's age recipient."""
        return (self.places.agency / "recipient.txt").read_text().strip()

    def _common(self, number: str) -> dict[str, str]:
        court, authority = (self.places.agency / "names.txt").read_text().split("\n")[:2]
        return common(AUDIENCE, authority, court, number, CASE_NUMBER)

    def warrant(self, chosen: Chosen) -> bytes:
        """Draft the first request."""
        payload = draft.draft_disclosure(
            self._common("TEST-2026-압수-0001"),
            offence=OFFENCE,
            warrant_type=WARRANT_TYPE,
            subjects=[("account", chosen.subject)],
            period=chosen.period,
            recipient=self.recipient,
            acknowledger=acknowledger_of(self.places.agency / "clerk.pem"),
        )
        write_private(self.papers / "warrant.draft.json", payload, replace=True)
        return payload

    def second_request(
        self, dossier: OpenedDossier, receipt: DossierReceipt, wanted: Mapping[str, Sequence[str]]
    ) -> tuple[bytes, list[bytes]]:
        """Draft the second request; returns it with the sealed identities that lie beside it."""
        payload, sealed = draft_unmask(
            dossier,
            receipt,
            wanted,
            self._common("TEST-2026-압수-0002"),
            recipient=self.recipient,
            acknowledger=acknowledger_of(self.places.agency / "clerk.pem"),
        )
        write_draft(self.papers / "second.draft.json", payload, sealed)
        return payload, [data for _, data in sealed]

    def sign(self, document: bytes, *signers: str) -> bytes:
        """Return a document signed by `judge`, `chief`, or both."""
        for name in signers:
            key = document_files.read_private_key(self.places.agency / f"{name}.key", None)
            chain = document_files.read_chain(self.places.agency / f"{name}.pem")
            document = document_files.sign_file(document, key, chain)
        return document
