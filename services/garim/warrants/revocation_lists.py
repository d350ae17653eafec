"""Revocation lists: anybody may deliver them into a folder; the newest of each issuer is kept for good.

What is kept lies in the database, so that taking a list out of the folder, or putting an older one there,
brings no revoked certificate back.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import sqlalchemy as sa

from garim.documents.crls import Crl, read_crl
from garim.documents.x509 import TrustPolicy
from garim.kit.clock import Clock
from garim.kit.db import Database
from garim.kit.files import read_file
from garim.statements.refusal import RefusedError
from garim.warrants.tables import revocation_lists as table

SUFFIXES = frozenset({".crl", ".pem", ".der"})


class RevocationLists:
    """The lists at hand.

    Args:
        folder: Where they are delivered.
        database: Where the newest ones are kept.
        clock: Time at which a list must count.
    """

    def __init__(self, folder: Path, database: Database, clock: Clock) -> None:
        self._folder = folder
        self._database = database
        self._clock = clock

    def at_hand(self, trust: TrustPolicy) -> Sequence[bytes]:
        """Take in what was delivered, and return the newest list of each issuer.

        A delivered list that does not count (unreadable, stale, of an unknown issuer, older than the kept
        one) is passed over: without a fresh one, documents are refused.

        Args:
            trust: What governance trusts.
        """
        delivered = [crl for path in self._files() if (crl := self._read(path, trust)) is not None]
        with self._database.reading() as connection:
            newer = [crl for crl in delivered if _is_newer(connection, crl)]
        if newer:
            with self._database.writing() as connection:
                for crl in newer:
                    _keep(connection, crl)
        with self._database.reading() as connection:
            return list(connection.execute(sa.select(table.c.content)).scalars())

    def _files(self) -> list[Path]:
        if not self._folder.is_dir():
            return []
        return sorted(path for path in self._folder.iterdir() if path.suffix in SUFFIXES)

    def _read(self, path: Path, trust: TrustPolicy) -> Crl | None:
        try:
            return read_crl(read_file(path, "revocation list"), trust, self._clock.now_ms())
        except RefusedError:
            return None


def _same(crl: Crl) -> sa.ColumnElement[bool]:
    return (table.c.issuer == crl.issuer) & (table.c.signer == crl.signer_sha256)


def _is_newer(connection: sa.Connection, crl: Crl) -> bool:
    row = connection.execute(sa.select(table.c.number).where(_same(crl))).first()
    return row is None or crl.number > int(row.number)


def _keep(connection: sa.Connection, crl: Crl) -> None:
    if not _is_newer(connection, crl):
        return
    connection.execute(sa.delete(table).where(_same(crl)))
    connection.execute(
        sa.insert(table).values(
            issuer=crl.issuer, signer=crl.signer_sha256, number=str(crl.number), content=crl.der
        )
    )
