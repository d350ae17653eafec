"""A service's side of the transparency log: entries survive crashes, answers count only once proven.

Invariants:

- body, salt and commitment are durable before an entry is sent; a retry repeats them; an attempt that is two
  minutes old is never sent again, another one follows it;
- nothing that the log answers counts before its signature, witnesses, inclusion, type, actor, commitment and
  time have been checked, and its checkpoint is proven consistent with the durable pin;
- the first pin of a log demands the genesis leaf that governance names; pins only grow afterwards;
- what cannot be checked because the log does not answer is refused: `LOG_UNAVAILABLE`, never assumed.
"""

from garim.kit.ledger.flusher import Flusher
from garim.kit.ledger.ledger import Ledger, LoggedEntry
from garim.kit.ledger.log import AuditLog
from garim.kit.ledger.refusals import RefusedCalls
from garim.kit.ledger.tables import RIGHTS, add_to

__all__ = ["RIGHTS", "AuditLog", "Flusher", "Ledger", "LoggedEntry", "RefusedCalls", "add_to"]
