"""Opening messages: as a document of two signatures, and as a message to be answered.

Runs in the process that opens documents. The agency's signature covers the message, the court's its PDF.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from garim.documents.claims import read_claims
from garim.documents.envelope import Envelope
from garim.documents.etsi.comparing import compare
from garim.documents.etsi.exchange import written
from garim.documents.etsi.message import Header, read_header
from garim.documents.etsi.names import HI1, core
from garim.documents.etsi.parsing import elements_of, parse, read_message, tree_of
from garim.documents.etsi.request import Parts, members_of
from garim.documents.etsi.schemas import Schemas
from garim.documents.etsi.signature import is_signed, verify_signature
from garim.statements import strict_json
from garim.statements.refusal import RefusedError, RefusedWithReasonsError

OpenCourt = Callable[[bytes], Envelope]
"""Opens the court's PDF: its claims, and the chain of its one signature."""


def open_message(data: bytes, open_court: OpenCourt) -> Envelope:
    """Open a signed request for what our profile knows; a document's format (`formats.FORMATS`).

    Args:
        data: The HI1 message as received.
        open_court: Opens the PDF in it.

    Returns:
        Claims, always the same bytes for the same request; the court's chain, then the agency's.

    Raises:
        RefusedError: Those of `verify_signature`, `read_message` and `open_court`; `REQUEST_SHAPE`,
            `FIELD_*`, `BODY_UNREADABLE`, and every `REQUEST_WIDER` and `REQUEST_DIFFERS` together.
    """
    signed = verify_signature(data)
    message = read_message(signed.content)
    parts = Parts(message)
    court = open_court(parts.pdf)
    allowed = read_claims(court.payload)
    payload = strict_json.dump(members_of(message, parts, allowed))
    differences = compare(allowed, read_claims(payload))
    if differences:
        raise RefusedWithReasonsError(differences)
    shown = court.shown and dataclasses.replace(
        court.shown, bare=(*court.shown.bare, signed.bare), pdf=parts.pdf, message=signed.content
    )
    return Envelope(payload, (*court.chains, signed.chain), shown)


def read_exchange(data: bytes, schemas: Schemas | None = None) -> Envelope:
    """Read a message, signed or not, and return it as JSON with the signer's chain.

    Args:
        data: The message as received.
        schemas: Those that it must fit, if any.
    """
    header: Header | None = None
    try:
        header = _header(data)
        if schemas is not None:
            schemas.demand(data)
        signed = verify_signature(data) if is_signed(parse(data)) else None
        message = read_message(signed.content if signed is not None else data)
    except RefusedError as refusal:
        every = refusal.reasons if isinstance(refusal, RefusedWithReasonsError) else (refusal,)
        return Envelope(written(header, None, every), ())
    return Envelope(written(message.header, message, ()), (signed.chain,) if signed is not None else ())


def _header(data: bytes) -> Header | None:
    root = parse(data)
    found = next((one for one in elements_of(root) if one.tag == core("Header")), None)
    return read_header(tree_of(found)) if root.tag == HI1 and found is not None else None
