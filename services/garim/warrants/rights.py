"""What warrants's runtime role may do to its tables on PostgreSQL; tests run as that role."""

from __future__ import annotations

from garim.kit import governance_table, ledger, revocation_lists
from garim.kit.db.rights import Rights

RIGHTS: Rights = {
    **ledger.RIGHTS,
    **governance_table.RIGHTS,
    **revocation_lists.RIGHTS,
    "attachments": "SI",
    "case_conversations": "SI",
    "case_deliveries": "SIU",
    "case_events": "SI",
    "case_settlements": "SI",
    "case_tickets": "SI",
    "cases": "SIU",
    "decisions": "SI",
    "hi1_objects": "SIU",
    "hi1_transactions": "SI",
    "refused_documents": "SI",
    "revocations": "SI",
}
