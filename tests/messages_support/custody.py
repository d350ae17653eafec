"""Custody as a message store sees it, with the private keys in the test's hand."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Iterable, Sequence

import zstandard
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from garim.api.messages.v1 import messages_pb2 as pb
from garim.kit.clock import Clock
from garim.messages.epochs import EpochOffer
from garim.sealing import hpke, roster, segment, tags, write_secret
from garim.sealing.secret import Secret
from garim.statements import dsse
from garim.statements.grants import Period
from garim.statements.refusal import Kind, RefusedError
from garim.statements.scope import EpochTags, ScopeTicket


@dataclasses.dataclass
class MadeEpoch:
    id: bytes
    not_before: int
    not_after: int
    private: Secret
    public: bytes
    index_key: bytes


class FakeCustody:
    """Makes epochs, signs tickets, opens what the store sealed."""

    def __init__(self, mesh: str, clock: Clock, *, epoch_ms: int) -> None:
        self.mesh = mesh
        self.clock = clock
        self.epoch_ms = epoch_ms
        self.key = Ed25519PrivateKey.generate()
        self.epochs: list[MadeEpoch] = []
        self.away = False
        self.asked = 0

    def ask(self) -> Sequence[EpochOffer]:
        self.asked += 1
        if self.away:
            raise RefusedError("PEER_UNAVAILABLE", "the peer cannot be reached", kind=Kind.UNAVAILABLE)
        now = self.clock.now_ms()
        start = now - now % self.epoch_ms
        return [self._offer(self._epoch(at)) for at in (start, start + self.epoch_ms)]

    def tags(self, epoch: MadeEpoch, *subjects: tuple[str, str]) -> tuple[str, ...]:
        key = Secret(bytearray(epoch.index_key))
        return tuple(sorted(tags.tag(key, self.mesh, kind, value).hex() for kind, value in subjects))

    def ticket(
        self,
        *subjects: tuple[str, str],
        purpose: str = "read",
        start: int = 0,
        end: int | None = None,
        received_until: int | None = None,
        order_ends: int | None = None,
        document: str = "11" * 32,
        epochs: Iterable[MadeEpoch] | None = None,
        expires: int | None = None,
        signer: Ed25519PrivateKey | None = None,
        grant: str | None = "22" * 32,
        mesh: str | None = None,
    ) -> dsse.Envelope:
        now = self.clock.now_ms()
        until = now if received_until is None else received_until
        chosen = self.epochs if epochs is None else epochs
        statement = ScopeTicket.from_json(
            {
                "mesh": mesh or self.mesh,
                "purpose": purpose,
                "issued": now,
                "expires": now + 600_000 if expires is None else expires,
                "checkpoint": None,
                "ticket": secrets.token_hex(16),
                "document": document,
                "grant": None if purpose == "forecast" else grant,
                "period": Period(start=start, end=until if end is None else end).to_json(),
                "received_until": until,
                "until": (order_ends or now + 90 * 86_400_000) if purpose == "preserve" else None,
                "epochs": [
                    EpochTags(epoch=one.id.hex(), tags=self.tags(one, *subjects)).to_json()
                    for one in sorted(chosen, key=lambda one: one.id)
                ],
                "destroyed_epochs": 0,
            }
        )
        return statement.sign((signer or self.key).sign)

    def open_secret(self, kept: write_secret.SealedWriteSecret) -> Secret:
        record = write_secret.WriteSecretRecord.decode(kept.record)
        epoch = next(one for one in self.epochs if one.id == record.epoch)
        return write_secret.open_secret(kept, epoch.private)

    def read_segment(
        self, kept: write_secret.SealedWriteSecret, header: bytes, ciphertext: bytes
    ) -> list[pb.ChatMessage]:
        root = segment.segment_root(self.open_secret(kept), self.mesh)
        block = segment.open_block(segment.segment_key(root, self.mesh, header), header, ciphertext)
        return list(pb.MessageBlock.FromString(zstandard.ZstdDecompressor().decompress(block)).messages)

    def read_roster(self, kept: write_secret.SealedWriteSecret, record: bytes) -> bytes:
        decoded = roster.RosterRecord.decode(record)
        root = roster.roster_root(self.open_secret(kept), self.mesh)
        return roster.open_roster(roster.roster_key(root, self.mesh, decoded.plain_bytes), decoded)

    def _epoch(self, start: int) -> MadeEpoch:
        for one in self.epochs:
            if one.not_before == start:
                return one
        private, public = hpke.generate()
        made = MadeEpoch(
            secrets.token_bytes(16), start, start + self.epoch_ms, private, public, secrets.token_bytes(32)
        )
        self.epochs.append(made)
        return made

    @staticmethod
    def _offer(made: MadeEpoch) -> EpochOffer:
        return EpochOffer(
            made.id, made.not_before, made.not_after, made.public, Secret(bytearray(made.index_key))
        )
