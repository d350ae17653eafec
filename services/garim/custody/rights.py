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
    "dossier_shares": "select, insert, update, delete",
    "dossiers": "select, insert, update",
    "epochs": "select, insert, update",
    "freezes": "select, insert, update",
    "governance_decisions": "select, insert, update, delete",
    "governance_proposals": "select, insert, delete",
    "key_objects": "select, insert, update",
    "log_comparison": "select, update",
    "order_batches": "select, insert, delete",
    "order_epochs": "select, insert, delete",
    "order_keys": "select, insert, delete",
    "orders": "select, insert, update",
    "recovery_keys": "select, insert",
    "share_holders": "select, insert, update, delete",
    "share_transfers": "select, insert, update, delete",
    "stopped_documents": "select, insert",
    "thaw_decisions": "select, insert, update",
    "transferred_shares": "select, insert, delete",
    "unmask_decisions": "select, insert",
    "unmask_identities": "select, insert",
    "unmask_requests": "select, insert, update",
    "unmask_shares": "select, insert, update, delete",
}
