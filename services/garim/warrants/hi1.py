"""HI1 messages answered (TS 103 120): agencies ask, cancel and inquire; each message all or nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from garim.documents import crls, paths, x509
from garim.documents.envelope import Envelope
from garim.documents.etsi import names
from garim.documents.etsi.answers import (
    UNREADABLE_HEADER,
    Failure,
    Outcome,
    Record,
    answer,
    failure_of,
    with_status,
)
from garim.documents.etsi.exchange import Exchange, exchange_of
from garim.documents.etsi.message import Action, Message
from garim.documents.etsi.reader import Reader
from garim.documents.etsi.request import sealed_identities
from garim.documents.etsi.trees import Node
from garim.documents.media_types import ETSI_MEDIA_TYPE
from garim.kit.convert import Received
from garim.kit.identity import Peer
from garim.statements import strict_json
from garim.statements.refusal import Kind, RefusedError, RefusedWithReasonsError
from garim.warrants.cases import Case, Change, Note
from garim.warrants.hi1_rows import KeptObject, NewObject, Taken, exists, repeated, stale
from garim.warrants.hi1_status import status_of
from garim.warrants.machine import FINAL, UNDECIDED, Cause, State
from garim.warrants.means import Means
from garim.warrants.ports import View
from garim.warrants.reviews import ENTRY_CANCEL
from garim.warrants.service import Warrants

MAX_LISTED = 1000
READ_VERBS = frozenset({"GET", "LIST"})
_OUT_OF_SCOPE = frozenset({"DELIVER", "GETCSPCONFIG"})
_CANCELLABLE = (names.AUTHORISATION_OBJECT, names.DISCLOSURE_TASK, names.PRESERVATION_TASK)
_SIGNER = "Signature.KeyInfo"

ReadMessage = Callable[[bytes], Envelope]
"""Reads a message apart from any key: what `opening.read_exchange` returns."""


class Correspondence:
    """Answers messages.

    Args:
        means: What the service works with.
        warrants: The use cases.
        read: Reads a message.
    """

    def __init__(self, means: Means, warrants: Warrants, read: ReadMessage) -> None:
        self._means = means
        self._warrants = warrants
        self._read = read

    def answer(self, data: bytes, caller: Peer) -> bytes:
        """Carry a message out, or refuse it, and return the answer.

        Args:
            data: The message as received.
            caller: Who sends it; an agency sends only its own messages, a clerk hands in any agency's.
        """
        header = UNREADABLE_HEADER
        outcomes: list[Outcome] | Failure
        try:
            read = exchange_of(self._read(data))
            header = read.header or header
            outcomes = self._carry_out(read, data, caller)
        except RefusedError as refusal:
            outcomes = failure_of(refusal)
        return answer(header, outcomes, self._means.clock.now_ms())

    def _carry_out(self, read: Exchange, data: bytes, caller: Peer) -> list[Outcome]:
        message = read.message
        if message is None:
            raise _together(list(read.refusals))
        _demand_request(message)
        refused = {one.identifier: why for one in message.actions if (why := _unsupported(one)) is not None}
        if refused:
            return _none_carried_out(message, refused)
        self._demand_sender(message, read.chain, caller)
        verbs = {one.verb for one in message.actions}
        if verbs <= READ_VERBS:
            return self._look_up(message)
        if verbs == {"CREATE"}:
            return self._create(message, data, caller)
        if verbs == {"UPDATE"}:
            return self._cancel(message, data, caller)
        raise RefusedError("REQUEST_SHAPE", "a message creates, or changes, or asks", field="ActionRequests")

    def _demand_sender(self, message: Message, chain: tuple[bytes, ...], caller: Peer) -> None:
        """Demand that the sender signed it, that we are meant, and that it was not carried out before."""
        means, sender = self._means, message.header.sender.name
        if not chain:
            raise RefusedError("SIGNATURE_MISSING", "the sender must sign the message", field="Signature")
        governance = means.governance.current()
        if message.header.receiver.name != governance.audience:
            raise RefusedError(
                "AUDIENCE_WRONG", "the message is for another operator", field="Header.ReceiverIdentifier"
            )
        trust, now_ms = x509.TrustPolicy.of(governance), means.clock.now_ms()
        path = paths.verify_path(x509.read_chain(chain, field=_SIGNER), trust, now_ms, field=_SIGNER)
        crls.check_revocation(path, means.crls(trust), trust, now_ms, field=_SIGNER)
        if path.signer.role is not x509.Role.CHIEF_INVESTIGATOR:
            raise RefusedError("ROLES_WRONG", "a chief investigator signs messages", field=_SIGNER)
        others = caller.kind == "agency" and caller.name != sender
        if path.signer.organisation != sender or others:
            raise RefusedError(
                "AUTHORITY_MISMATCH",
                "certificates and message name different agencies",
                kind=Kind.FORBIDDEN,
                field="Header.SenderIdentifier",
            )
        if means.store.transaction_known(sender, message.header.transaction):
            raise repeated()

    def _taken(
        self,
        message: Message,
        created: tuple[NewObject, ...] = (),
        changed: tuple[tuple[str, int], ...] = (),
    ) -> Taken:
        header = message.header
        return Taken(header.sender.name, header.transaction, self._means.clock.now_ms(), created, changed)

    def _create(self, message: Message, data: bytes, caller: Peer) -> list[Outcome]:
        taking = self._taken(
            message,
            created=tuple(
                NewObject(one.target, one.subject.tree) for one in message.actions if one.subject is not None
            ),
        )
        known = {
            one.identifier: exists()
            for one in message.actions
            if self._means.store.hi1_object(one.target) is not None
        }
        if known:
            return _none_carried_out(message, known)
        try:
            received = Received(ETSI_MEDIA_TYPE, data, sealed_identities(message))
            submitted = self._warrants.submit(received, caller, taking)
        except RefusedError as refusal:
            if not self._means.store.transaction_known(taking.sender, taking.transaction):
                return _all_failed(message, failure_of(refusal))
            # The document was accepted; what comes next is made up for when its state is asked.
        else:
            if submitted.case is None:
                reasons = [
                    RefusedError(one.reason, one.message, field=one.field) for one in submitted.reasons
                ]
                return _all_failed(message, failure_of(_together(reasons)))
        return [self._shown(one, "CREATE") for one in message.actions]

    def _cancel(self, message: Message, data: bytes, caller: Peer) -> list[Outcome]:
        targets = [self._demand_change(one, message.header.sender.name) for one in message.actions]
        if len({one.case for one in targets}) != 1 or len(set(targets)) != len(targets):
            raise RefusedError(
                "UPDATE_REFUSED", "a message changes the objects of one authorisation, each once"
            )
        changed = tuple((one.identifier, one.generation) for one in targets)
        taking = self._taken(message, changed=changed)
        note = _cancel_note(targets[0].case, taking, data)

        def cancelled(view: View) -> Change:
            if view.case.state is State.CANCELLED:
                return Change(message=taking)
            if view.case.state in FINAL:
                raise RefusedError("CASE_STATE", "the case is closed already", kind=Kind.PRECONDITION)
            return Change(
                cause=Cause.CANCELLED_BY_AGENCY,
                who=caller.path,
                cascade=True,
                notes=(note,),
                message=taking,
            )

        self._means.store.settle(targets[0].case, cancelled)
        return [self._shown(one, "UPDATE") for one in message.actions]

    def _demand_change(self, action: Action, sender: str) -> KeptObject:
        """Return the object that an update is about; the only change there is, is to cancel."""
        kept = self._owned(action.target, sender)
        if kept is None or action.subject is None or kept.tree.kind != action.subject.kind:
            raise RefusedError(
                "UPDATE_UNKNOWN",
                "the sender has no such object",
                kind=Kind.NOT_FOUND,
                field="ObjectIdentifier",
            )
        if action.subject.generation is None:
            raise RefusedError("FIELD_MISSING", "say which generation is changed", field="Generation")
        if action.subject.generation != kept.generation:
            raise stale()
        if kept.tree.kind not in _CANCELLABLE or not _only_cancels(action.subject.tree):
            raise RefusedError(
                "UPDATE_REFUSED",
                "an object may be cancelled, and nothing else about it changed: send a new request",
                kind=Kind.PRECONDITION,
                field="HI1Object",
            )
        return kept

    def _look_up(self, message: Message) -> list[Outcome]:
        sender = message.header.sender.name
        self._means.store.remember(self._taken(message))
        outcomes = []
        for one in message.actions:
            if one.verb == "LIST":
                outcomes.append(self._listed(one, sender))
            elif self._owned(one.target, sender) is None:
                unknown = RefusedError(
                    "OBJECT_UNKNOWN", "the sender has no such object", kind=Kind.NOT_FOUND, field="Identifier"
                )
                outcomes.append(Outcome(one.identifier, failure=failure_of(unknown)))
            else:
                outcomes.append(self._shown(one, "GET"))
        return outcomes

    def _listed(self, action: Action, sender: str) -> Outcome:
        found = self._means.store.hi1_objects_of(sender, MAX_LISTED)
        wanted = [one for one in found if action.object_type in ("", names.OBJECT_TYPES[one.tree.kind])]
        records = (
            Record(one.tree.kind, one.identifier, one.owner, one.generation, one.changed_ms) for one in wanted
        )
        return Outcome(action.identifier, "LIST", records=tuple(records))

    def _owned(self, identifier: str, sender: str) -> KeptObject | None:
        kept = self._means.store.hi1_object(identifier)
        return kept if kept is not None and kept.owner == sender else None

    def _shown(self, action: Action, verb: str) -> Outcome:
        kept = self._means.store.hi1_object(action.target)
        case = None if kept is None else self._means.store.by_id(kept.case)
        if kept is None or case is None:
            raise RefusedError("OBJECT_UNKNOWN", "the object is gone", kind=Kind.DATA_LOSS)
        if case.state in UNDECIDED:
            case = self._warrants.resume(case)
        return Outcome(action.identifier, verb, kept.identifier, self._object(kept, case))

    def _object(self, kept: KeptObject, case: Case) -> Node:
        reasons = [RefusedError(one.reason, one.message, field=one.field) for one in case.refusal]
        moved = max((one.at_ms for one in case.events), default=kept.changed_ms)
        return with_status(
            kept.tree,
            status=status_of(case, kept.tree.kind, self._means.clock.now_ms()),
            generation=kept.generation,
            changed_ms=max(kept.changed_ms, moved),
            reason=failure_of(_together(reasons)) if reasons else None,
        )


def _together(reasons: list[RefusedError]) -> RefusedError:
    return reasons[0] if len(reasons) == 1 else RefusedWithReasonsError(reasons)


def _demand_request(message: Message) -> None:
    if message.is_answer:
        raise RefusedError("MESSAGE_IS_ANSWER", "an answer was sent where a request must be", field="Payload")
    if not message.header.version.startswith("V1."):
        raise RefusedError(
            "VERSION_UNKNOWN", "this version of the standard is not known", field="ETSIVersion"
        )


def _unsupported(action: Action) -> RefusedError | None:
    if action.verb in _OUT_OF_SCOPE:
        return RefusedError("ACTION_UNSUPPORTED", "this action is not offered", field=action.verb)
    if action.subject is not None and action.subject.kind not in names.KINDS:
        kind = names.local(action.subject.kind)[:64]
        return RefusedError("OBJECT_UNSUPPORTED", "an object of this type is not taken in", field=kind)
    return None


def _none_carried_out(message: Message, refused: dict[int, RefusedError]) -> list[Outcome]:
    """Return the failures of some actions, and that therefore none of the others was carried out."""
    other = RefusedError("NOT_CARRIED_OUT", "another action of the message is refused: none took effect")
    return [
        Outcome(one.identifier, failure=failure_of(refused.get(one.identifier, other)))
        for one in message.actions
    ]


def _all_failed(message: Message, failure: Failure) -> list[Outcome]:
    return [Outcome(one.identifier, failure=failure) for one in message.actions]


def _only_cancels(tree: Node) -> bool:
    """Tell whether an object says nothing but which one it is, and that it shall be cancelled."""
    named = {"ObjectIdentifier", "Generation", "CountryCode", "OwnerIdentifier"}
    rest = [one for one in tree.children if names.local(one.tag) not in named]
    if len(rest) != 1 or not names.local(rest[0].tag).endswith("DesiredStatus"):
        return False
    return Reader(rest[0], "DesiredStatus").entry()[2] == "Cancelled"


def _cancel_note(case: bytes, taken: Taken, data: bytes) -> Note:
    digest = hashlib.sha256(data).hexdigest()
    body = strict_json.dump(
        {
            "case": case.hex(),
            "message": digest,
            "sender": taken.sender,
            "time": taken.at_ms,
            "transaction": taken.transaction,
        }
    )
    return Note(ENTRY_CANCEL, body, digest)
