"""What audit's runtime role may do to its tables on PostgreSQL; tests run as that role."""

from __future__ import annotations

from garim.kit.db.rights import Rights

RIGHTS: Rights = {
    "log_leaves": "select, insert",
    "log_nodes": "select, insert",
    "own_entries": "select, insert",
}
