"""What warrants's runtime role may do to its tables on PostgreSQL; tests run as that role."""

from __future__ import annotations

from garim.kit import governance_table, ledger, revocation_lists
from garim.kit.db.rights import Rights

RIGHTS: Rights = {
    **ledger.RIGHTS,
    **governance_table.RIGHTS,
    **revocation_lists.RIGHTS,
    "attachments": "select, insert",
    "case_conversations": "select, insert",
    "case_deliveries": (
        "select, insert, update (receipt, proof, delivered_ms, delivered_index, acknowledged_ms)"
    ),
    "case_events": "select, insert",
    "case_settlements": "select, insert",
    "case_tickets": "select, insert",
    "cases": "select, insert, update (state, forecast, remarks, refusal, body, statement, proof, request)",
    "decisions": "select, insert",
    "hi1_objects": "select, insert, update (generation, changed_ms)",
    "hi1_transactions": "select, insert",
    "refused_documents": "select, insert",
    "revocations": "select, insert",
}
