"""What a service's runtime role may do on PostgreSQL: exactly what its code does, and no DDL."""

from __future__ import annotations

import re
from collections.abc import Mapping

import sqlalchemy as sa

Rights = Mapping[str, str]
"""By table what the service does: `select, insert, update (state)`. Every table of the service is named, and
where rows change, the columns that do."""

_UPDATE = re.compile(r"\bupdate\b(?: \(([^)]*)\))?")
_HELD = """
SELECT c.relname, a.attname, has_column_privilege(c.oid, a.attnum, 'UPDATE') AS changes,
    has_table_privilege(c.oid, 'DELETE') AS deletes, has_table_privilege(c.oid, 'TRUNCATE') AS empties
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
ORDER BY c.relname, a.attnum
"""


def grant(connection: sa.Connection, role: str, rights: Rights) -> None:
    """Give a role these rights and no others; the owner says it after each migration.

    Args:
        connection: An open writing transaction of the database's owner.
        role: The runtime role.
        rights: What the service does.
    """
    quoted = connection.dialect.identifier_preparer.quote
    name = quoted(role)
    database = quoted(connection.exec_driver_sql("SELECT current_database()").scalar_one())
    for statement in (
        f"REVOKE ALL ON DATABASE {database} FROM PUBLIC, {name}",
        f"REVOKE ALL ON SCHEMA public FROM PUBLIC, {name}",
        f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, {name}",
        f"GRANT CONNECT ON DATABASE {database} TO {name}",
        f"GRANT USAGE ON SCHEMA public TO {name}",
        f"GRANT SELECT ON alembic_version TO {name}",
    ):
        connection.exec_driver_sql(statement)
    for table, words in rights.items():
        connection.exec_driver_sql(f"GRANT {words} ON {quoted(table)} TO {name}")


def excess(connection: sa.Connection, rights: Rights) -> str:
    """Return the first change or deletion that the connected role may do, but its service does not.

    Args:
        connection: An open transaction of the runtime role.
        rights: What the service does.

    Returns:
        Words for it; none where there is none.
    """
    for row in connection.exec_driver_sql(_HELD):
        words = rights.get(row.relname, "")
        if row.empties or (row.deletes and "delete" not in words):
            return f"empty or delete rows of {row.relname}"
        if row.changes and not _changes(words, row.attname):
            return f"change {row.relname}.{row.attname}"
    return ""


def _changes(words: str, column: str) -> bool:
    found = _UPDATE.search(words)
    return found is not None and (found[1] is None or column in found[1].split(", "))
