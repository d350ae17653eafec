"""From received bytes to what all signatures of a PDF cover."""

from __future__ import annotations

import dataclasses
import io

from pyhanko.pdf_utils.reader import PdfFileReader

from garim.documents.envelope import SIGNATURES, Envelope, Shown
from garim.documents.pdf import second_opinion
from garim.documents.pdf.content import Content, check_content
from garim.documents.pdf.layout import Revision, read_revisions
from garim.documents.pdf.profile import MAX_PDF_BYTES
from garim.documents.pdf.signatures import check_signature
from garim.documents.pdf.updates import check_update
from garim.documents.pdf.values import Objects, number_of, plain, raw
from garim.statements.refusal import RefusedError


def open_pdf(data: bytes, *, signers: int = SIGNATURES) -> Envelope:
    """Return the claims in a signed PDF, after finding each signature right and all of it covered by both.

    The profile is PAdES B-B (ETSI EN 319 142-1) in a file of classic structure; see this package's head. Says
    nothing about trust: who the certificates belong to is for `garim.documents.x509`.

    Args:
        data: The file as received.
        signers: Signatures expected: two on a document of its own, the court's alone inside an ETSI message.

    Raises:
        RefusedError: `PDF_SIZE`, `PDF_UNREADABLE`, `PDF_STRUCTURE`, `PDF_CONTENT`, `PDF_EMBEDDED_FILE`,
            `PDF_SIGNATURE`, `PDF_COVERAGE`, `PDF_CHANGED_AFTER_SIGNING`, `ENVELOPE_SIGNATURES` and those of
            `cms_signature.check_cms`.
    """
    if len(data) > MAX_PDF_BYTES:
        raise RefusedError("PDF_SIZE", f"a PDF of at most {MAX_PDF_BYTES} bytes is taken")
    try:
        return _open(data, signers)
    except (RefusedError, MemoryError):
        raise
    except Exception:  # noqa: BLE001 - parsers of hostile bytes fail in any way, and each is a refusal
        raise RefusedError("PDF_UNREADABLE", "the file is no PDF that can be read strictly") from None


def _open(data: bytes, signers: int) -> Envelope:
    reader = PdfFileReader(io.BytesIO(data), strict=True)
    revisions = read_revisions(data, reader)
    states = _states(revisions)
    root = _root(revisions, signers)
    content = check_content(states[-1], revisions[-1].trailer, signers)
    signatures = _signatures(states[-1], revisions, content, root)
    checked = []
    for place, signature in enumerate(signatures):
        if signature.revision > 0:
            check_update(
                states[signature.revision - 1],
                revisions[signature.revision],
                field=signature.field,
                page=signature.page,
                root=root,
                first=place == 0,
            )
        checked.append(
            check_signature(
                data,
                states[-1],
                signature.number,
                revisions[signature.revision],
                first=place == 0,
                field=f"signatures[{place}]",
            )
        )
    second_opinion.check(reader, [signature.revision for signature in signatures])
    chains, bare, spans = zip(*checked, strict=True)
    embedded = content.embedded
    return Envelope(embedded.payload, chains, Shown(bare, spans, embedded.carried, embedded.deflated))


@dataclasses.dataclass(frozen=True, order=True)
class _Signature:
    """Where one signature stands: number of its revision, its dictionary, its field and the field's page."""

    revision: int
    number: int
    field: int
    page: int


def _states(revisions: tuple[Revision, ...]) -> list[Objects]:
    """Return the objects as of each revision."""
    states = [Objects(revisions[0].objects)]
    for revision in revisions[1:]:
        states.append(Objects({**states[-1].numbered, **revision.objects}))
    return states


def _root(revisions: tuple[Revision, ...], signers: int) -> int:
    """Return the catalog's number, which no revision changes; /Info may come with the first signature."""
    roots = {number_of(raw(revision.trailer, "/Root"), "trailer") for revision in revisions}
    infos = [plain(raw(revision.trailer, "/Info")) for revision in revisions]
    if len(roots) != 1 or len(set(infos[-signers:])) != 1:
        raise RefusedError("PDF_CHANGED_AFTER_SIGNING", "a later trailer leads elsewhere", field="trailer")
    return roots.pop()


def _signatures(
    objects: Objects, revisions: tuple[Revision, ...], content: Content, root: int
) -> list[_Signature]:
    """Return the signatures, oldest first: each closes one revision; only one save may come before."""
    found = []
    for field, page in zip(content.fields, content.pages, strict=True):
        number = number_of(raw(objects.dictionary(objects.numbered.get(field), "Fields"), "/V"), "V")
        holding = [index for index, revision in enumerate(revisions) if number in revision.objects]
        if len(holding) != 1:
            raise RefusedError("PDF_CHANGED_AFTER_SIGNING", "a signature was replaced", field="V")
        found.append(_Signature(holding[0], number, field, page))
    found.sort()
    start = len(revisions) - len(found)
    closed = [one.revision for one in found] == list(range(start, len(revisions)))
    if not closed or start > 1:
        raise RefusedError(
            "PDF_CHANGED_AFTER_SIGNING",
            "save the file once, then sign it; each later save adds one signature",
            field="Fields",
        )
    _check_permissions(objects, root, found[0])
    return found


def _check_permissions(objects: Objects, root: int, first: _Signature) -> None:
    """Demand that the catalog names no other certifying signature than the first."""
    permissions = raw(objects.dictionary(objects.numbered.get(root), "catalog"), "/Perms")
    if permissions is None:
        return
    certifying = objects.dictionary(permissions, "Perms")
    if certifying.keys() != {"/DocMDP"} or number_of(raw(certifying, "/DocMDP"), "Perms") != first.number:
        raise RefusedError("PDF_CONTENT", "only the first signature certifies", field="Perms")
