"""What pyHanko itself thinks of a file: a judge that shares no code with ours but the parser of values."""

from __future__ import annotations

from collections.abc import Sequence

from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import (
    CatalogModificationRule,
    FormUpdatingRule,
    ModificationLevel,
    SigFieldCreationRule,
    SigFieldModificationRule,
    StandardDiffPolicy,
    SuspiciousModification,
)
from pyhanko.sign.fields import MDPPerm
from pyhanko.sign.validation.status import SignatureCoverageLevel

from garim.statements.refusal import RefusedError

_POLICY = StandardDiffPolicy(
    global_rules=[CatalogModificationRule()],
    form_rule=FormUpdatingRule(field_rules=[SigFieldCreationRule(), SigFieldModificationRule()]),
    ignore_orphaned_objects=False,
    ignore_identical_objects=False,
)


def check(reader: PdfFileReader, revisions: Sequence[int]) -> None:
    """Demand that pyHanko finds each signature to cover its revision, and later ones to change nothing else.

    Args:
        reader: Strict reader of the file.
        revisions: Number of the revision that each signature closes, oldest first.

    Raises:
        RefusedError: `ENVELOPE_SIGNATURES`, `PDF_COVERAGE` or `PDF_CHANGED_AFTER_SIGNING`.
    """
    found = reader.embedded_signatures
    if [signature.signed_revision for signature in found] != list(revisions):
        raise RefusedError("ENVELOPE_SIGNATURES", "the number of signatures is ambiguous", field="Fields")
    for signature in found:
        wanted = SignatureCoverageLevel.ENTIRE_REVISION
        if signature is found[-1]:
            wanted = SignatureCoverageLevel.ENTIRE_FILE
        if signature.evaluate_signature_coverage() != wanted:
            raise RefusedError(
                "PDF_COVERAGE", "a signature does not cover its whole revision", field="ByteRange"
            )
    for later in revisions[1:]:
        _check_changes(reader, later)


def _check_changes(reader: PdfFileReader, later: int) -> None:
    refusal = RefusedError(
        "PDF_CHANGED_AFTER_SIGNING", "more was changed than a signature added", field="objects"
    )
    try:
        result = _POLICY.apply(
            old=reader.get_historical_resolver(later - 1),
            new=reader.get_historical_resolver(later),
            doc_mdp=MDPPerm.FILL_FORMS,
        )
    except SuspiciousModification:
        raise refusal from None
    if result.modification_level > ModificationLevel.FORM_FILLING:
        raise refusal
