"""Where a service keeps the governance versions that it has verified."""

from __future__ import annotations

import json
from collections.abc import Sequence

import sqlalchemy as sa

from garim.kit.db import Database
from garim.kit.db.rights import Rights
from garim.kit.governance import Version
from garim.statements import dsse, strict_json
from garim.translog.proven import LogProof

_METADATA = sa.MetaData()

versions = sa.Table(
    "governance_versions",
    _METADATA,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("document", sa.LargeBinary, nullable=False),
    # A JSON list of DSSE envelopes.
    sa.Column("decisions", sa.Text, nullable=False),
    sa.Column("proof", sa.LargeBinary),
)


RIGHTS: Rights = {"governance_versions": "select, insert"}


def add_to(metadata: sa.MetaData) -> None:
    """Add the table to a service's own metadata.

    Args:
        metadata: Where the service declares its tables.
    """
    versions.to_metadata(metadata)


def create_all(connection: sa.Connection) -> None:
    """Create the table where it is missing.

    Args:
        connection: An open writing transaction.
    """
    _METADATA.create_all(connection)


class GovernanceTable:
    """A `garim.kit.governance.VersionStore` in the service's database.

    Args:
        database: The service's own, with this module's table.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def load(self) -> Sequence[Version]:
        """Return the kept versions in order; the caller verifies them anew."""
        with self._database.reading() as connection:
            rows = connection.execute(sa.select(versions).order_by(versions.c.number)).all()
        return [
            Version(
                row.document,
                tuple(dsse.from_json(one) for one in json.loads(row.decisions)),
                None if row.proof is None else LogProof.from_object(strict_json.parse_object(row.proof)),
            )
            for row in rows
        ]

    def append(self, number: int, version: Version) -> None:
        """Keep one more version, durably; the same again changes nothing."""
        with self._database.writing() as connection:
            if connection.execute(sa.select(versions.c.number).where(versions.c.number == number)).first():
                return
            connection.execute(
                sa.insert(versions).values(
                    number=number,
                    document=version.document,
                    decisions=json.dumps([dsse.to_json(one) for one in version.decisions]),
                    proof=None if version.proof is None else strict_json.dump(version.proof.to_object()),
                )
            )
