"""The newest revocation list of each issuer."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, delete, insert, select

from garim.custody.tables.schema import revocation_lists as t
from garim.documents.crls import Crl


def _same(crl: Crl) -> ColumnElement[bool]:
    return (t.c.issuer == crl.issuer) & (t.c.signer == crl.signer_sha256)


def is_newer(connection: Connection, crl: Crl) -> bool:
    """Tell whether a list is newer than the one kept of its issuer."""
    number = connection.execute(select(t.c.number).where(_same(crl))).scalar_one_or_none()
    return number is None or crl.number > int(number)


def keep(connection: Connection, crl: Crl) -> None:
    """Keep a list in place of an older one; an older or equal one changes nothing."""
    if is_newer(connection, crl):
        connection.execute(delete(t).where(_same(crl)))
        connection.execute(
            insert(t).values(
                issuer=crl.issuer, signer=crl.signer_sha256, number=str(crl.number), content=crl.der
            )
        )


def contents(connection: Connection) -> list[bytes]:
    """Return all kept lists, DER."""
    return list(connection.execute(select(t.c.content)).scalars())
