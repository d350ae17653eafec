"""Who holds each custodian's shares of a dossier, and offers of them to successors."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# 64 bits on both: SQLite's INTEGER has them, PostgreSQL's only 32.
_WIDE = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_TABLES = ("share_holders", "share_transfers", "transferred_shares")


def upgrade() -> None:
    """Make the tables; so far every custodian holds their own shares."""
    op.create_table(
        "share_holders",
        sa.Column("dossier_id", sa.String, sa.ForeignKey("dossiers.dossier_id"), primary_key=True),
        sa.Column("custodian", sa.String, primary_key=True),
        sa.Column("holder", sa.String, nullable=False),
        sa.UniqueConstraint("dossier_id", "holder"),
    )
    op.create_index("ix_share_holders_holder", "share_holders", ["holder"])
    op.create_table(
        "share_transfers",
        sa.Column("digest", sa.String, primary_key=True),
        sa.Column("dossier_id", sa.String, sa.ForeignKey("dossiers.dossier_id"), nullable=False),
        sa.Column("custodian", sa.String, nullable=False),
        sa.Column("leaving", sa.String, nullable=False),
        sa.Column("successor", sa.String, nullable=False),
        sa.Column("subject", sa.String, nullable=False),
        sa.Column("envelope", sa.LargeBinary, nullable=False),
        sa.Column("expires_ms", _WIDE, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("acceptance", sa.LargeBinary),
        sa.Column("accepted_ms", _WIDE),
    )
    op.create_index("ix_share_transfers_dossier_id", "share_transfers", ["dossier_id"])
    op.create_index("ix_share_transfers_successor", "share_transfers", ["successor"])
    op.create_table(
        "transferred_shares",
        sa.Column("digest", sa.String, sa.ForeignKey("share_transfers.digest"), primary_key=True),
        sa.Column("subset", sa.String, primary_key=True),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
    )
    op.execute(
        "INSERT INTO share_holders (dossier_id, custodian, holder)"
        " SELECT DISTINCT dossier_id, custodian, custodian FROM dossier_shares"
    )


def downgrade() -> None:
    """Drop them."""
    for name in reversed(_TABLES):
        op.drop_table(name)
