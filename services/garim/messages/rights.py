"""What messages's runtime role may do to its tables on PostgreSQL; tests run as that role."""

from __future__ import annotations

from garim.kit import governance_table, ledger
from garim.kit.db.rights import Rights

RIGHTS: Rights = {
    **ledger.RIGHTS,
    **governance_table.RIGHTS,
    "account_nodes": "select, insert, delete",
    "batch_ids": "select, insert, delete",
    "batches": "select, insert, update, delete",
    "conversations": "select, insert, update, delete",
    "epochs": "select, insert, update",
    "forecasts": "select, insert, update",
    "member_tags": "select, insert, delete",
    "preserved": "select, insert, update, delete",
    "rosters": "select, insert, delete",
    "segments": "select, insert, update, delete",
    "write_secrets": "select, insert, delete",
}
