"""What messages's runtime role may do to its tables on PostgreSQL; tests run as that role."""

from __future__ import annotations

from garim.kit import governance_table, ledger
from garim.kit.db.rights import Rights

RIGHTS: Rights = {
    **ledger.RIGHTS,
    **governance_table.RIGHTS,
    "account_nodes": "SID",
    "batch_ids": "SID",
    "batches": "SIUD",
    "conversations": "SIUD",
    "epochs": "SIU",
    "forecasts": "SIU",
    "member_tags": "SID",
    "preserved": "SIUD",
    "rosters": "SID",
    "segments": "SIUD",
    "write_secrets": "SID",
}
