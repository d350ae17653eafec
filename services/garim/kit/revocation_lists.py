"""Revocation lists: anybody may deliver them into a folder; the newest of each issuer is kept for good.

What is kept lies in the database, so that taking a list out of the folder, or putting an older one there,
brings no revoked certificate back.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import sqlalchemy as sa

from garim.documents.crls import Crl, ends_ms, read_crl
from garim.documents.x509 import TrustPolicy
from garim.kit.clock import Clock
from garim.kit.db import Database
from garim.kit.db.rights import Rights
from garim.kit.files import read_file
from garim.statements.refusal import RefusedError

SUFFIXES = frozenset({".crl", ".pem", ".der"})

_METADATA = sa.MetaData()

lists = sa.Table(
    "revocation_lists",
    _METADATA,
    # DER of the name, and fingerprint of the certificate whose key signed: each pair numbers its lists anew.
    sa.Column("issuer", sa.LargeBinary, primary_key=True),
    sa.Column("signer", sa.Text, primary_key=True),
    # CRL numbers have up to 20 octets (RFC 5280 section 5.2.3): more than an integer column holds.
    sa.Column("number", sa.Text, nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
)


RIGHTS: Rights = {"revocation_lists": "select, insert, delete"}


def add_to(metadata: sa.MetaData) -> None:
    """Add the table to a service's own metadata.

    Args:
        metadata: Where the service declares its tables.
    """
    lists.to_metadata(metadata)


class RevocationLists:
    """The lists at hand.

    Args:
        folder: Where they are delivered.
        database: The service's own, with this module's table.
        clock: Time at which a list must count.
    """

    def __init__(self, folder: Path, database: Database, clock: Clock) -> None:
        self._folder = folder
        self._database = database
        self._clock = clock

    def at_hand(self, trust: TrustPolicy) -> Sequence[bytes]:
        """Take in what was delivered, and return the newest list of each issuer, DER.

        A delivered list that does not count (unreadable, stale, of an unknown issuer, not newer than the kept
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
            return list(connection.execute(sa.select(lists.c.content)).scalars())

    def ends_ms(self, trust: TrustPolicy) -> int:
        """Return when the first of the newest lists ends to count, in milliseconds since 1970; 0 without any.

        Args:
            trust: What governance trusts.
        """
        return min((ends_ms(der, trust.max_crl_age_ms) for der in self.at_hand(trust)), default=0)

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
    return (lists.c.issuer == crl.issuer) & (lists.c.signer == crl.signer_sha256)


def _is_newer(connection: sa.Connection, crl: Crl) -> bool:
    number = connection.execute(sa.select(lists.c.number).where(_same(crl))).scalar_one_or_none()
    return number is None or crl.number > int(number)


def _keep(connection: sa.Connection, crl: Crl) -> None:
    """Keep a list in place of an older one; of two delivered at once, the newer one stays."""
    if not _is_newer(connection, crl):
        return
    connection.execute(sa.delete(lists).where(_same(crl)))
    connection.execute(
        sa.insert(lists).values(
            issuer=crl.issuer, signer=crl.signer_sha256, number=str(crl.number), content=crl.der
        )
    )
