"""What messages's runtime role may do to its tables on PostgreSQL; tests run as that role.

It deletes nothing and changes no row of a partition: the owner's functions drop partitions whole.
"""

from __future__ import annotations

from garim.kit import governance_table, ledger
from garim.kit.db.rights import Rights

RIGHTS: Rights = {
    **ledger.RIGHTS,
    **governance_table.RIGHTS,
    "account_nodes": "select, insert",
    "batches": "select, insert",
    "conversations": "select, insert",
    "epochs": "select, insert, update (partition, leaving, ended, leaves, payload, envelope, proof, dropped)",
    "forecasts": "select, insert, update (envelope)",
    "member_tags": "select, insert",
    "parts": "select, insert",
    "preserved": "select, insert, update (until)",
    "rosters": "select, insert",
    "segments": "select, insert",
    "write_secrets": "select, insert",
}
