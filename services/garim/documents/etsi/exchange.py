"""What a service needs of a message to answer it: read where nothing can be harmed, handed over as values.

`read_exchange` runs in the process that opens documents; its answer crosses as JSON with the signer's chain.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from garim.documents.envelope import Envelope
from garim.documents.etsi.message import (
    Header,
    Message,
    header_of_object,
    header_to_object,
    message_of_object,
    message_to_object,
    read_header,
    read_message,
)
from garim.documents.etsi.names import HI1, core
from garim.documents.etsi.schemas import Schemas
from garim.documents.etsi.signature import is_signed, verify_signature
from garim.documents.etsi.trees import elements_of, parse, tree_of
from garim.statements import strict_json
from garim.statements.refusal import RefusedError, RefusedWithReasonsError


@dataclasses.dataclass(frozen=True)
class Exchange:
    """A message as far as it could be read.

    Attributes:
        header: Its header, which nobody vouches for where `refusals` are not empty or `chain` is; None where
            it cannot be read.
        message: The message; of a signed one, what the signature covers. None where there are refusals.
        refusals: Why it is not looked at any further.
        chain: Certificates of who signed it, DER, leaf first, not yet trusted; empty where nobody has.
    """

    header: Header | None
    message: Message | None
    refusals: tuple[RefusedError, ...]
    chain: tuple[bytes, ...]


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
        return Envelope(_written(header, None, every), ())
    return Envelope(_written(message.header, message, ()), (signed.chain,) if signed is not None else ())


def _header(data: bytes) -> Header | None:
    root = parse(data)
    found = next((one for one in elements_of(root) if one.tag == core("Header")), None)
    return read_header(tree_of(found)) if root.tag == HI1 and found is not None else None


def _written(header: Header | None, message: Message | None, refusals: tuple[RefusedError, ...]) -> bytes:
    value: dict[str, Any] = {
        "header": None if header is None else header_to_object(header),
        "message": None if message is None else message_to_object(message),
        "refusals": [[one.reason, one.message, one.field] for one in refusals],
    }
    return strict_json.dump(value)


def exchange_of(read: Envelope) -> Exchange:
    """Return what `read_exchange` read.

    Raises:
        RefusedError: Those of `strict_json`: the process that read it was taken over.
    """
    value = strict_json.parse_object(read.payload, max_bytes=64 * 1024 * 1024)
    refusals = tuple(
        RefusedError(reason, message, field=field) for reason, message, field in value["refusals"]
    )
    return Exchange(
        None if value["header"] is None else header_of_object(value["header"]),
        None if value["message"] is None else message_of_object(value["message"]),
        refusals,
        read.chains[0] if read.chains else (),
    )
