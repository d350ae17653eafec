"""Asking for a dossier and watching it being made; no content passes here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from garim.api.redaction.v1 import redaction_pb2
from garim.cli.session import Session
from garim.statements.refusal import Kind, RefusedError

STAGES = {
    redaction_pb2.BUILD_STAGE_PREPARING: "preparing",
    redaction_pb2.BUILD_STAGE_ROSTERS: "reading rosters",
    redaction_pb2.BUILD_STAGE_MASKING: "masking",
    redaction_pb2.BUILD_STAGE_SCANNING: "scanning for leaks",
    redaction_pb2.BUILD_STAGE_CLOSING: "closing with custody",
    redaction_pb2.BUILD_STAGE_CLOSED: "closed",
    redaction_pb2.BUILD_STAGE_HELD: "held",
}


@dataclass(frozen=True, slots=True)
class Built:
    """A finished dossier.

    Attributes:
        dossier: Its id.
        figures: How much it holds.
    """

    dossier: bytes
    figures: redaction_pb2.DossierFigures

    def to_json(self) -> dict[str, object]:
        """Return it as JSON."""
        names = [field.name for field in self.figures.DESCRIPTOR.fields]
        return {"dossier": self.dossier.hex(), **{name: getattr(self.figures, name) for name in names}}


def build(own: Session, case: bytes, watch: Callable[[str, int, int], None]) -> Built:
    """Build the dossier of a granted case.

    Args:
        own: A clerk's session.
        case: Id of the case.
        watch: Told each stage with how much of it is done and how much there is (0: unknown).

    Raises:
        RefusedError: `LEAK_HOLDS`: reviewers must judge places first; `BUILD_BROKEN_OFF`; those of the
            service.
    """
    last: redaction_pb2.BuildDossierResponse | None = None
    for answer in own.redaction.BuildDossier(redaction_pb2.BuildDossierRequest(case_id=case)):
        last = answer
        watch(STAGES.get(answer.stage, "working"), answer.done, answer.total)
    if last is not None and last.stage == redaction_pb2.BUILD_STAGE_HELD:
        raise RefusedError(
            "LEAK_HOLDS",
            "reviewers must judge some places first: see `garim dossier holds list`, then build again",
            kind=Kind.PRECONDITION,
        )
    if last is None or last.stage != redaction_pb2.BUILD_STAGE_CLOSED:
        raise RefusedError(
            "BUILD_BROKEN_OFF", "the build ended before it was done: build again", kind=Kind.UNAVAILABLE
        )
    return Built(last.dossier_id, last.figures)
