"""What custody's runtime role may do to its tables on PostgreSQL; tests run as that role."""

from __future__ import annotations

from garim.kit import governance_table, ledger, revocation_lists
from garim.kit.db.rights import Rights

RIGHTS: Rights = {
    **ledger.RIGHTS,
    **governance_table.RIGHTS,
    **revocation_lists.RIGHTS,
    "documents_used": "select, insert",
    "dossier_conversations": "select, insert",
    "dossier_shares": "select, insert, update (sealed), delete",
    "dossiers": (
        "select, insert,"
        " update (state, wrapped_private, sealed_secret, closing_digest, receipt, receipt_proof)"
    ),
    "epochs": "select, insert, update (wrapped_private, wrapped_index)",
    "freezes": "select, insert, update (ended_ms)",
    "governance_decisions": "select, insert, update (envelope), delete",
    "governance_proposals": "select, insert, delete",
    "key_objects": "select, insert, update (state, due_ms, cause, silent_ms, certificate)",
    "log_comparison": "select, update",
    "order_batches": "select, insert, delete",
    "order_epochs": "select, insert, delete",
    "order_keys": "select, insert, delete",
    "orders": "select, insert, update (wrapped_key)",
    "recovery_keys": "select, insert",
    "share_holders": "select, insert, update (holder), delete",
    "share_transfers": "select, insert, update (state, acceptance, accepted_ms), delete",
    "stopped_documents": "select, insert",
    "thaw_decisions": "select, insert, update (envelope)",
    "transferred_shares": "select, insert, delete",
    "unmask_decisions": "select, insert",
    "unmask_identities": "select, insert",
    "unmask_requests": "select, insert, update (state, grant_proof, wrapped_private, answer)",
    "unmask_shares": "select, insert, update (sealed), delete",
}
