"""What custody's runtime role may do to its tables on PostgreSQL; tests run as that role."""

from __future__ import annotations

from garim.kit import governance_table, ledger, revocation_lists
from garim.kit.db.rights import Rights

RIGHTS: Rights = {
    **ledger.RIGHTS,
    **governance_table.RIGHTS,
    **revocation_lists.RIGHTS,
    "documents_used": "SI",
    "dossier_conversations": "SI",
    "dossier_shares": "SIUD",
    "dossiers": "SIU",
    "epochs": "SIU",
    "freezes": "SIU",
    "governance_decisions": "SIUD",
    "governance_proposals": "SID",
    "key_objects": "SIU",
    "log_comparison": "SU",
    "order_batches": "SID",
    "order_epochs": "SID",
    "order_keys": "SID",
    "orders": "SIU",
    "recovery_keys": "SI",
    "share_holders": "SIUD",
    "share_transfers": "SIUD",
    "stopped_documents": "SI",
    "thaw_decisions": "SIU",
    "transferred_shares": "SID",
    "unmask_decisions": "SI",
    "unmask_identities": "SI",
    "unmask_requests": "SIU",
    "unmask_shares": "SIUD",
}
