"""From identifiers to blinded tags, under one epoch's index key."""

from __future__ import annotations

from typing import NamedTuple

from garim.api.messages.v1 import messages_pb2 as pb
from garim.sealing import tags
from garim.sealing.roster import MemberTag
from garim.sealing.secret import Secret
from garim.statements import roster
from garim.statements.refusal import RefusedError, RefusedWithReasonsError

MAX_MEMBERS = 10_000
MAX_ROSTER_BYTES = 4 * 1024 * 1024


class RosterDraft(NamedTuple):
    """A roster before it is sealed.

    Attributes:
        conversation_tag: Blinded tag of its conversation.
        asking: HMAC by which it is found again.
        canonical: What is sealed.
        canonical_digest: By which back ends name it.
        members: Tags of all identifiers, sorted by value.
    """

    conversation_tag: bytes
    asking: bytes
    canonical: bytes
    canonical_digest: bytes
    members: tuple[MemberTag, ...]


class Blinding:
    """Makes tags.

    Args:
        index_key: K of the epoch.
        mesh: Name of the mesh.
    """

    def __init__(self, index_key: Secret, mesh: str) -> None:
        self._key = index_key
        self._mesh = mesh

    def conversation(self, conversation_id: str) -> bytes:
        """Return a conversation's tag."""
        return tags.tag(self._key, self._mesh, "conversation", conversation_id)

    def account(self, account: str) -> bytes:
        """Return an account id's tag."""
        return tags.tag(self._key, self._mesh, "account", account)

    def asking(self, conversation_tag: bytes, digest: bytes) -> bytes:
        """Return the form under which a roster's digest is remembered."""
        return tags.roster_asking(self._key, self._mesh, conversation_tag, digest)

    def roster(self, requested: pb.Roster, path: str) -> RosterDraft:
        """Check a roster and blind it.

        Args:
            requested: The roster.
            path: Of the roster in its request, for refusals.

        Raises:
            RefusedError: `ROSTER_EMPTY`, `ROSTER_MEMBER` or `ROSTER_TOO_LARGE`.
        """
        if len(requested.members) > MAX_MEMBERS:
            raise RefusedError("ROSTER_TOO_LARGE", f"at most {MAX_MEMBERS} members", field=f"{path}.members")
        if not requested.conversation_id:
            raise RefusedError("ROSTER_MEMBER", "must not be empty", field=f"{path}.conversation_id")
        try:
            canonical = roster.canonical(
                requested.conversation_id,
                requested.title,
                (
                    roster.RosterMember(one.account, tuple(one.names), tuple(one.phones), tuple(one.emails))
                    for one in requested.members
                ),
            )
        except RefusedError as refusal:
            raise RefusedError(refusal.reason, refusal.message, field=f"{path}.{refusal.field}") from None
        if len(canonical) > MAX_ROSTER_BYTES:
            raise RefusedError("ROSTER_TOO_LARGE", "at most 4 MiB", field=path)
        conversation_tag = self.conversation(requested.conversation_id)
        digest = roster.digest(canonical)
        return RosterDraft(
            conversation_tag,
            self.asking(conversation_tag, digest),
            canonical,
            digest,
            self._members(requested, path),
        )

    def _members(self, requested: pb.Roster, path: str) -> tuple[MemberTag, ...]:
        blinded: dict[bytes, MemberTag] = {}
        refused: list[RefusedError] = []
        for position, member in enumerate(requested.members):
            identifiers = [("account", "account", member.account)]
            identifiers += [("phone", f"phones[{at}]", one) for at, one in enumerate(member.phones)]
            identifiers += [("email", f"emails[{at}]", one) for at, one in enumerate(member.emails)]
            for kind, field, value in identifiers:
                try:
                    tag = tags.tag(self._key, self._mesh, kind, value)
                except RefusedError as refusal:
                    where = f"{path}.members[{position}].{field}"
                    refused.append(RefusedError("ROSTER_MEMBER", refusal.message, field=where))
                else:
                    blinded[tag] = MemberTag(tag, kind)
        if refused:
            raise refused[0] if len(refused) == 1 else RefusedWithReasonsError(refused)
        return tuple(blinded[tag] for tag in sorted(blinded))
