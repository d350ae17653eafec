"""What audit's runtime role may do to its tables on PostgreSQL; tests run as that role."""

from __future__ import annotations

from garim.kit.db.rights import Rights

RIGHTS: Rights = {
    "log_leaves": "SI",
    "log_nodes": "SI",
    "own_entries": "SI",
}
