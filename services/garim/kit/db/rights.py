"""What a service's runtime role may do on PostgreSQL: exactly what its code does, and no DDL."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

Rights = Mapping[str, str]
"""By table what the service does: `select, insert, update (state)`. Every table of the service is named, and
where rows change, the columns that do."""


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
