"""What a chat back end imports to hand messages to Garim: rosters, batching, retry, back-pressure.

Small on purpose: gRPC, protobuf and cryptography, nothing else. It holds messages only until the store has
acknowledged them, writes nothing to disk and logs nothing. Invariants:

- a position counts as acknowledged only once everything put before it is durable in the store;
- a batch is sent again unchanged under its id until it is answered, so that nothing is stored twice;
- memory is bounded: over its limit `put` waits or raises, as the caller has chosen, and never drops.

See README.md beside this file.
"""

from garim.sdk.client import GarimStore, TlsPaths
from garim.sdk.errors import GarimError, QueueFullError, StoreRefusedError, StoreUnavailableError
from garim.sdk.model import Attachment, Member, Message, Roster
from garim.sdk.producer import Producer

__all__ = [
    "Attachment",
    "GarimError",
    "GarimStore",
    "Member",
    "Message",
    "Producer",
    "QueueFullError",
    "Roster",
    "StoreRefusedError",
    "StoreUnavailableError",
    "TlsPaths",
]
