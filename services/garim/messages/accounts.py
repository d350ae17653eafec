"""Closing an epoch: its account of every segment, logged, so that a planted or missing one shows.

Leaf of a conversation: lp(tag), number of segments (8 bytes), SHA-256 over the SHA-256 of each header in
stored order. Leaves are sorted by tag; the tree is that of RFC 6962. The account is durable before it is
logged, and the same on every retry.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator

import sqlalchemy as sa

from garim.kit.clock import Clock
from garim.kit.db import Database
from garim.messages import epoch_rows as rows
from garim.messages import index_rows
from garim.messages.epochs import Shelf
from garim.messages.forecast import Log
from garim.messages.index_rows import Roster
from garim.messages.reader import all_headers
from garim.statements import dsse, strict_json
from garim.statements.labels import lp
from garim.statements.receipts import EpochClosed
from garim.translog.proven import LogProof
from garim.translog.tree import Frontier, hash_leaf

_CONVERSATIONS_AT_ONCE = 500
_PAGE = 5_000


def conversation_leaf(tag: bytes, segments: int, account: bytes) -> bytes:
    """Return the leaf of one conversation in its epoch's account.

    Args:
        tag: Blinded tag.
        segments: How many segments were stored.
        account: SHA-256 over the digests of their headers, in stored order.
    """
    return lp(tag) + segments.to_bytes(8, "big") + account


class Accountant:
    """Closes epochs.

    Args:
        database: The store's tables.
        log: The transparency log.
        sign: Signs with the store's key.
        mesh: Name of the mesh.
        store: Name of this store.
        clock: For the time of issue.
    """

    def __init__(
        self,
        database: Database,
        log: Log,
        sign: Callable[[bytes], bytes],
        *,
        mesh: str,
        store: str,
        clock: Clock,
    ) -> None:
        self._database = database
        self._log = log
        self._sign = sign
        self._mesh = mesh
        self._store = store
        self._clock = clock

    def unclosed(self, until_ms: int) -> list[rows.EndingEpoch]:
        """Return epochs that ended before a time and are not closed yet."""
        with self._database.reading() as connection:
            return rows.unclosed(connection, until_ms)

    def end(self, number: int) -> None:
        """Take no more rows into an epoch, for good."""
        with self._database.writing() as connection:
            rows.end(connection, number)

    def close(self, epoch: rows.EndingEpoch) -> None:
        """Account for an ended epoch, log the account, sign it.

        Args:
            epoch: The epoch; it takes no more rows.

        Raises:
            RefusedError: Those of the log and the database; the same call goes on later.
        """
        payload = epoch.payload or self._state(epoch)
        entry = self._log.append("epoch-closed", payload, key=epoch.epoch.hex())
        envelope = dsse.sign(EpochClosed.PAYLOAD_TYPE, payload, self._sign)
        proof = strict_json.dump(entry.proof.to_object())
        with self._database.writing() as connection:
            rows.close(connection, epoch.shelf.number, dsse.to_bytes(envelope), proof)

    def log_anew(self) -> None:
        """Log the accounts whose proofs are of a former log in the one in force; nothing else takes them.

        Raises:
            RefusedError: As `close`.
        """
        with self._database.reading() as connection:
            kept = rows.closed(connection)
        for number, data, proof in kept:
            if self._log.is_succeeded(LogProof.from_object(strict_json.parse_object(proof))):
                envelope = dsse.from_bytes(data)
                epoch = EpochClosed.from_bytes(envelope.payload).epoch
                entry = self._log.append("epoch-closed", envelope.payload, key=epoch)
                with self._database.writing() as connection:
                    rows.close(connection, number, data, strict_json.dump(entry.proof.to_object()))

    def _state(self, epoch: rows.EndingEpoch) -> bytes:
        tree = self._account(epoch.shelf)
        with self._database.reading() as connection:
            summary = rows.summary(connection, epoch.shelf)
        statement = EpochClosed(
            mesh=self._mesh,
            purpose="epoch-closed",
            issued=self._clock.now_ms(),
            expires=None,
            checkpoint=self._log.checkpoint_seen(),
            store=self._store,
            epoch=epoch.epoch.hex(),
            head=None if summary.head is None else summary.head.hex(),
            write_secrets=summary.write_secrets,
            segments=summary.segments,
            conversations=tree.size,
            conversations_root=tree.root().hex(),
        )
        with self._database.writing() as connection:
            return rows.keep_payload(connection, epoch.shelf.number, tree.size, statement.to_bytes())

    def _account(self, shelf: Shelf) -> Frontier:
        """Account for the conversations in order of tag, some at a time, and return their tree."""
        frontier = Frontier()
        behind = b""
        while True:
            with self._database.reading() as connection:
                page = rows.conversations_page(connection, shelf, behind, _CONVERSATIONS_AT_ONCE)
                accounts = [one for one in self._accounts(connection, shelf, page) if one.segments]
            if not page:
                return frontier
            first = frontier.size
            leaves = [hash_leaf(conversation_leaf(*one)) for one in accounts]
            frontier, runs = frontier.extend(leaves)
            with self._database.writing(shared=True) as connection:
                rows.keep_accounts(connection, shelf, first, accounts, runs)
            behind = max(page)

    def _accounts(
        self, connection: sa.Connection, shelf: Shelf, page: dict[bytes, list[Roster]]
    ) -> Iterator[rows.Account]:
        alone: dict[int, list[Roster]] = {}
        for rosters in page.values():
            if len(rosters) == 1:
                alone.setdefault(rosters[0].bucket, []).append(rosters[0])
        digested: dict[bytes, _Digested] = {}
        for rosters in alone.values():
            for tag, header in _headers(connection, shelf, rosters):
                digested.setdefault(tag, _Digested()).add(header)
        for tag, rosters in page.items():
            if len(rosters) > 1:
                digested[tag] = _Digested()
                for header in all_headers(connection, shelf, tag):
                    digested[tag].add(header)
            yield digested.get(tag, _Digested()).account(tag)


class _Digested:
    """The digest of a conversation's headers, growing."""

    def __init__(self) -> None:
        self._segments = 0
        self._hash = hashlib.sha256()

    def add(self, header: bytes) -> None:
        self._segments += 1
        self._hash.update(hashlib.sha256(header).digest())

    def account(self, tag: bytes) -> rows.Account:
        return rows.Account(tag, self._segments, self._hash.digest())


def _headers(connection: sa.Connection, shelf: Shelf, rosters: list[Roster]) -> Iterator[tuple[bytes, bytes]]:
    """Yield tag and header of every segment under rosters of one bucket, each roster's in stored order."""
    behind: tuple[int, int, int] | None = (0, 0, -1)
    while behind is not None:
        found, behind = index_rows.segments_of(connection, shelf, rosters, behind, _PAGE)
        for row in found:
            yield row.roster.tag, row.header
