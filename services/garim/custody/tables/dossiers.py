"""Dossiers, their shares, the conversations they touched, and the documents that were used."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Literal, cast

from sqlalchemy import Connection, Row, insert, or_, select, update

from garim.custody.tables import transfers
from garim.custody.tables.schema import (
    documents_used,
    dossier_conversations,
    dossier_shares,
    share_holders,
)
from garim.custody.tables.schema import dossiers as t

State = Literal["making", "open", "closing", "closed"]
"""`making`: its creation is not logged yet; `closing`: its receipt is not; neither releases anything."""


@dataclasses.dataclass(frozen=True, slots=True)
class Dossier:
    """A dossier as custody keeps it.

    Attributes:
        id: Random id, 32 hexadecimal digits.
        document_digest: SHA-256 of the document's payload.
        media_type: Format of the document.
        document: The document as received.
        payload: The payload that custody verified.
        grant_digest: SHA-256 of the grant's payload.
        grant: The grant's envelope, JSON.
        grant_proof: Its log proof, JSON.
        case_id: Id of the case at warrants.
        mode: `sealed` or `erased`.
        state: Where it stands.
        created_ms: When it was made.
        created_body: Body of its log entry.
        governance_version: Whose custodians hold the shares.
        quorum: How many of them open it.
        expires_ms: When the grant or the document ends, whichever is sooner; None for neither.
        unmask_until_ms: When its key is destroyed.
        unmask_budget: How many identities it may give up.
        public_key: HPKE public key; None in erased mode.
        wrapped_private: The private key under Q and the dossier's object; None in erased mode and once
            destroyed.
        sealed_secret: S, sealed to the public key, once closing.
        closing_digest: SHA-256 of all that it was closed with, once closing.
        receipt: The receipt's envelope, JSON, once closing.
        receipt_proof: Its log proof, JSON, once closed.
    """

    id: str
    document_digest: str
    media_type: str
    document: bytes
    payload: bytes
    grant_digest: str
    grant: bytes
    grant_proof: bytes
    case_id: str
    mode: Literal["sealed", "erased"]
    state: State
    created_ms: int
    created_body: bytes
    governance_version: int
    quorum: int
    expires_ms: int | None
    unmask_until_ms: int
    unmask_budget: int
    public_key: bytes | None
    wrapped_private: bytes | None
    sealed_secret: bytes | None = None
    closing_digest: str | None = None
    receipt: bytes | None = None
    receipt_proof: bytes | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class KeptShare:
    """A sealed share of one subset.

    Attributes:
        subset: Names of the subset's custodians, sorted.
        custodian: Whose place in the subset it fills.
        sealed: Share, HPKE-sealed to its holder.
        digest: SHA-256 of the share.
        holder: Who can open it.
    """

    subset: tuple[str, ...]
    custodian: str
    sealed: bytes
    digest: bytes
    holder: str


def _of(row: Row[Any]) -> Dossier:
    values = {
        field.name: getattr(row, field.name) for field in dataclasses.fields(Dossier) if field.name != "id"
    }
    return Dossier(id=row.dossier_id, **values)


def add(
    connection: Connection, dossier: Dossier, shares: Collection[KeptShare], conversations: Iterable[str]
) -> None:
    """Keep a new dossier with its shares and the conversations its forecast matched."""
    values = dataclasses.asdict(dossier)
    connection.execute(insert(t).values(dossier_id=values.pop("id"), **values))
    rows = [
        {
            "dossier_id": dossier.id,
            "subset": json.dumps(one.subset),
            "custodian": one.custodian,
            "sealed": one.sealed,
            "digest": one.digest,
        }
        for one in shares
    ]
    if rows:
        connection.execute(insert(dossier_shares), rows)
        held = {one.custodian: one.holder for one in shares}
        connection.execute(
            insert(share_holders),
            [{"dossier_id": dossier.id, "custodian": name, "holder": held[name]} for name in held],
        )
    tags = [{"dossier_id": dossier.id, "tag": tag} for tag in conversations]
    if tags:
        connection.execute(insert(dossier_conversations), tags)


def find(connection: Connection, dossier_id: str) -> Dossier | None:
    """Return a dossier by its id."""
    row = connection.execute(select(t).where(t.c.dossier_id == dossier_id)).first()
    return None if row is None else _of(row)


def of_document(connection: Connection, digest: str) -> Dossier | None:
    """Return the dossier of a document."""
    row = connection.execute(select(t).where(t.c.document_digest == digest)).first()
    return None if row is None else _of(row)


def shares(connection: Connection, dossier_id: str, holder: str | None = None) -> list[KeptShare]:
    """Return a dossier's shares, all or those that one person holds."""
    joined = dossier_shares.join(
        share_holders,
        (share_holders.c.dossier_id == dossier_shares.c.dossier_id)
        & (share_holders.c.custodian == dossier_shares.c.custodian),
    )
    query = select(dossier_shares, share_holders.c.holder).select_from(joined)
    query = query.where(dossier_shares.c.dossier_id == dossier_id)
    if holder is not None:
        query = query.where(share_holders.c.holder == holder)
    query = query.order_by(dossier_shares.c.subset, dossier_shares.c.custodian)
    return [
        KeptShare(tuple(json.loads(row.subset)), row.custodian, row.sealed, row.digest, row.holder)
        for row in connection.execute(query)
    ]


def holders(connection: Connection, dossier_id: str) -> dict[str, str]:
    """Return who holds each custodian's shares of a dossier; nobody once its key is destroyed."""
    query = select(share_holders).where(share_holders.c.dossier_id == dossier_id)
    return {row.custodian: row.holder for row in connection.execute(query)}


def held_by(connection: Connection, holder: str, after: str, limit: int) -> list[Dossier]:
    """Return the logged dossiers of which a person holds shares, by id.

    Args:
        connection: An open transaction.
        holder: Who.
        after: Id of the last one of the page before; empty for the first page.
        limit: How many at most.
    """
    query = select(t).select_from(t.join(share_holders)).where(share_holders.c.holder == holder)
    query = query.where(t.c.state != "making", t.c.dossier_id > after)
    return [_of(row) for row in connection.execute(query.order_by(t.c.dossier_id).limit(limit))]


def hand_over(
    connection: Connection,
    dossier_id: str,
    custodian: str,
    holder: str,
    sealed: Mapping[tuple[str, ...], bytes],
) -> None:
    """Put a custodian's shares into another person's hands; their digests stay.

    Args:
        connection: A writing transaction.
        dossier_id: The dossier.
        custodian: Whose place in the subsets it is.
        holder: Who fills it from now on.
        sealed: Of each subset the share, sealed to the holder.
    """
    connection.execute(
        update(share_holders)
        .where(share_holders.c.dossier_id == dossier_id, share_holders.c.custodian == custodian)
        .values(holder=holder)
    )
    for subset, share in sealed.items():
        connection.execute(
            update(dossier_shares)
            .where(
                dossier_shares.c.dossier_id == dossier_id,
                dossier_shares.c.custodian == custodian,
                dossier_shares.c.subset == json.dumps(subset),
            )
            .values(sealed=share)
        )


def overlapping(connection: Connection, conversations: Iterable[str]) -> set[str]:
    """Return the ids of the dossiers that touched any of these conversations.

    Args:
        connection: An open transaction.
        conversations: Blinded tags, hexadecimal.
    """
    wanted = list(conversations)
    found: set[str] = set()
    for at in range(0, len(wanted), 500):
        query = select(dossier_conversations.c.dossier_id).where(
            dossier_conversations.c.tag.in_(wanted[at : at + 500])
        )
        found |= set(connection.execute(query).scalars())
    return found


def conversations(connection: Connection, dossier_id: str) -> list[str]:
    """Return the blinded tags of the conversations that a dossier's forecast matched."""
    query = select(dossier_conversations.c.tag).where(dossier_conversations.c.dossier_id == dossier_id)
    return list(connection.execute(query).scalars())


def change(connection: Connection, dossier_id: str, **values: object) -> None:
    """Change columns of a dossier."""
    connection.execute(update(t).where(t.c.dossier_id == dossier_id).values(**values))


def drop_key(connection: Connection, dossier_id: str) -> None:
    """Drop the private key, the shares that would open it, and offers of them."""
    change(connection, dossier_id, wrapped_private=None)
    transfers.drop(connection, dossier_id)
    for table in (dossier_shares, share_holders):
        connection.execute(table.delete().where(table.c.dossier_id == dossier_id))


def use_document(
    connection: Connection, *, digest: str, authority: str, number: str, kind: str, target: str
) -> None:
    """Claim a document for good; the caller has seen that it is unused."""
    connection.execute(
        insert(documents_used).values(
            digest=digest, authority=authority, number=number, kind=kind, target=target
        )
    )


def used(connection: Connection, digest: str) -> tuple[str, str] | None:
    """Return the authority and number under which a document was used."""
    query = select(documents_used.c.authority, documents_used.c.number).where(
        documents_used.c.digest == digest
    )
    row = connection.execute(query).first()
    return None if row is None else (row.authority, row.number)


def used_for(connection: Connection, *, digest: str, authority: str, number: str) -> str | None:
    """Return what a document was used for: by its payload, or by its authority and number."""
    query = select(documents_used.c.target).where(
        or_(
            documents_used.c.digest == digest,
            (documents_used.c.authority == authority) & (documents_used.c.number == number),
        )
    )
    return cast("str | None", connection.execute(query).scalars().first())
