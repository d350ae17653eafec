"""Closing an epoch: its account of every segment, logged, so that a planted or missing one shows.

Leaf of a conversation: lp(tag), number of segments (8 bytes), SHA-256 over the SHA-256 of each header in
stored order. Leaves are sorted by tag; the tree is that of RFC 6962. The account is durable before it is
logged, and the same on every retry.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from garim.kit.clock import Clock
from garim.kit.db import Database
from garim.messages import epoch_rows as rows
from garim.messages.forecast import Log
from garim.messages.reader import HEADER_BYTES
from garim.statements import dsse, strict_json
from garim.statements.labels import lp
from garim.statements.receipts import EpochClosed
from garim.translog.proven import LogProof
from garim.translog.tree import Frontier, hash_leaf

_CONVERSATIONS_AT_ONCE = 50_000
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
            rows.close(connection, epoch.number, dsse.to_bytes(envelope), proof)

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
        self._digest_conversations(epoch.number)
        tree = self._grow_tree(epoch.number)
        with self._database.reading() as connection:
            summary = rows.summary(connection, epoch.number)
        statement = EpochClosed(
            mesh=self._mesh,
            purpose="epoch-closed",
            issued=self._clock.now_ms(),
            expires=None,
            checkpoint=self._log.checkpoint_seen(),
            store=self._store,
            epoch=epoch.epoch.hex(),
            head=None if summary.head is None else hashlib.sha256(summary.head).hexdigest(),
            write_secrets=summary.write_secrets,
            segments=summary.segments,
            conversations=tree.size,
            conversations_root=tree.root().hex(),
        )
        payload = statement.to_bytes()
        with self._database.writing() as connection:
            rows.keep_payload(connection, epoch.number, tree.size, payload)
        return payload

    def _digest_conversations(self, epoch: int) -> None:
        with self._database.reading() as connection:
            low, high = rows.conversation_span(connection, epoch)
        for first in range(low, high + 1, _CONVERSATIONS_AT_ONCE):
            span = (first, min(high, first + _CONVERSATIONS_AT_ONCE - 1))
            counts: dict[int, int] = {}
            hashers: dict[int, hashlib._Hash] = {}
            with self._database.reading() as connection:
                for conversation, header in rows.headers_by_batch(connection, epoch, span, HEADER_BYTES):
                    counts[conversation] = counts.get(conversation, 0) + 1
                    hasher = hashers.setdefault(conversation, hashlib.sha256())
                    hasher.update(hashlib.sha256(header).digest())
            with self._database.writing() as connection:
                rows.keep_accounts(
                    connection, [(counts[one], hashers[one].digest(), one) for one in sorted(counts)]
                )

    def _grow_tree(self, epoch: int) -> Frontier:
        frontier = Frontier()
        behind = b""
        while True:
            with self._database.reading() as connection:
                page = rows.accounts_page(connection, epoch, behind, _PAGE)
            if not page:
                return frontier
            leaves = [hash_leaf(conversation_leaf(tag, count, account)) for _, tag, count, account in page]
            places = [(frontier.size + at, row[0]) for at, row in enumerate(page)]
            frontier, runs = frontier.extend(leaves)
            with self._database.writing() as connection:
                rows.keep_places(connection, places)
                rows.keep_nodes(connection, epoch, runs)
            behind = page[-1][1]
