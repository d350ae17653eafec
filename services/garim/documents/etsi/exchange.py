"""What a service needs of a message to answer it, as it crosses from the process that reads messages.

`opening.read_exchange` runs there; its answer is JSON with the signer's chain.
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
)
from garim.statements import strict_json
from garim.statements.refusal import RefusedError


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


def written(header: Header | None, message: Message | None, refusals: tuple[RefusedError, ...]) -> bytes:
    """Return what was read, as JSON; see `Exchange`."""
    value: dict[str, Any] = {
        "header": None if header is None else header_to_object(header),
        "message": None if message is None else message_to_object(message),
        "refusals": [[one.reason, one.message, one.field] for one in refusals],
    }
    return strict_json.dump(value)


def exchange_of(read: Envelope) -> Exchange:
    """Return what `opening.read_exchange` read.

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
