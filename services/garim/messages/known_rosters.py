"""Rosters of the present epochs in memory, so that a batch need neither look them up nor blind again.

What is held names nobody: an entry stands under the roster's digest, and conversations and senders are known
by the interpreter's own keyed hash of strings (SipHash, PEP 456; 64 bits under a key of this process). Memory
is bounded by entries and by senders; the oldest entries go first.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from garim.api.messages.v1 import messages_pb2 as pb
from garim.kit.db import Database
from garim.messages import ingest_rows as rows
from garim.messages.blinding import Blinding, RosterDraft
from garim.messages.epochs import Epoch
from garim.statements.refusal import RefusedError

ROSTERS_KEPT = 50_000
SENDERS_KEPT = 1_000_000

_Key = tuple[int, bytes, int]


@dataclass(slots=True)
class Known:
    """A stored roster.

    Attributes:
        row: Where it is stored.
        conversation_tag: Blinded tag of its conversation.
        senders: Keyed hashes of the account ids that were seen to be its members.
    """

    row: rows.KnownRoster
    conversation_tag: bytes
    senders: set[int] = field(default_factory=set)


class KnownRosters:
    """Finds the rosters that batches name.

    Args:
        database: The store's tables.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._known: OrderedDict[_Key, Known] = OrderedDict()
        self._senders = 0

    def find(
        self, epoch: Epoch, blinding: Blinding, conversations: Sequence[pb.ConversationBatch]
    ) -> list[Known | None]:
        """Return the stored roster of each conversation, None where this epoch has none.

        Args:
            epoch: The epoch.
            blinding: Makes tags under its index key.
            conversations: Of the batch.
        """
        number = epoch.number
        keys = [(number, one.roster_digest, hash(one.conversation_id)) for one in conversations]
        found = [self._known.get(key) for key in keys]
        missing = {keys[at]: conversations[at] for at, one in enumerate(found) if one is None}
        if missing:
            loaded = self._load(epoch, blinding, missing)
            found = [one or loaded.get(key) for one, key in zip(found, keys, strict=True)]
        return found

    def demand_members(
        self, epoch: Epoch, blinding: Blinding, rosters: Sequence[Known], senders: Sequence[set[str]]
    ) -> None:
        """Refuse a batch of which a sender is no member of the roster it names.

        Args:
            epoch: The epoch.
            blinding: Makes tags under its index key.
            rosters: Of the batch's conversations.
            senders: Account ids that sent something, for each.

        Raises:
            RefusedError: `MESSAGE_SENDER`, and those of the database.
        """
        unseen = [
            (position, name)
            for position, (one, names) in enumerate(zip(rosters, senders, strict=True))
            for name in names
            if hash(name) not in one.senders
        ]
        if not unseen:
            return
        tag_of = {name: blinding.account(name) for name in {name for _, name in unseen}}
        pairs = [(tag_of[name], rosters[position].row) for position, name in unseen]
        with self._database.reading() as connection:
            members = rows.are_members(connection, epoch.shelf, pairs)
        for is_member, (position, name) in zip(members, unseen, strict=True):
            if not is_member:
                raise RefusedError(
                    "MESSAGE_SENDER",
                    "a sender is no member of the roster",
                    field=f"conversations[{position}]",
                )
            rosters[position].senders.add(hash(name))
        with self._lock:
            self._senders += len(unseen)
            self._trim()

    def learn(self, epoch: Epoch, drafts: Sequence[RosterDraft], requested: Sequence[pb.Roster]) -> None:
        """Take in rosters that were just stored, with their members.

        Args:
            epoch: The epoch that they were stored in.
            drafts: What was stored.
            requested: The same rosters as the back end sent them.
        """
        with self._database.reading() as connection:
            wanted = {draft.asking: draft.conversation_tag for draft in drafts}
            stored = rows.find_rosters(connection, epoch.shelf, wanted)
        learned = {
            (epoch.number, draft.canonical_digest, hash(one.conversation_id)): Known(
                stored[draft.asking],
                draft.conversation_tag,
                {hash(member.account) for member in one.members},
            )
            for draft, one in zip(drafts, requested, strict=True)
            if draft.asking in stored
        }
        self._keep(learned)

    def clear(self) -> None:
        """Forget them all."""
        with self._lock:
            self._known.clear()
            self._senders = 0

    def _load(
        self, epoch: Epoch, blinding: Blinding, missing: dict[_Key, pb.ConversationBatch]
    ) -> dict[_Key, Known]:
        tags = {key: blinding.conversation(one.conversation_id) for key, one in missing.items()}
        askings = {key: blinding.asking(tags[key], one.roster_digest) for key, one in missing.items()}
        with self._database.reading() as connection:
            wanted = {asking: tags[key] for key, asking in askings.items()}
            stored = rows.find_rosters(connection, epoch.shelf, wanted)
        loaded = {
            key: Known(stored[asking], tags[key]) for key, asking in askings.items() if asking in stored
        }
        self._keep(loaded)
        return loaded

    def _keep(self, found: Mapping[_Key, Known]) -> None:
        with self._lock:
            for key, one in found.items():
                if key not in self._known:
                    self._known[key] = one
                    self._senders += len(one.senders)
            self._trim()

    def _trim(self) -> None:
        while self._known and (len(self._known) > ROSTERS_KEPT or self._senders > SENDERS_KEPT):
            _, gone = self._known.popitem(last=False)
            self._senders -= len(gone.senders)
