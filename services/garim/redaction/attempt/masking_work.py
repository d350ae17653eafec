"""A worker's first pass: a batch of segments into masked lines, in its spool."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from garim.api.messages.v1 import messages_pb2
from garim.dossier.commitments import SENDER, original_commitment
from garim.dossier.line_writer import LineWriter
from garim.dossier.lines import number
from garim.dossier.outline import Outline
from garim.dossier.times import cut
from garim.masking.engine import Engine
from garim.masking.finding import Finding
from garim.masking.infotype import InfoType
from garim.masking.mask import Masked as MaskedText
from garim.masking.mask import mask, value_of
from garim.masking.open_names.every_name import EveryName
from garim.masking.people import Person
from garim.redaction.attempt.accounts import inconsistent
from garim.redaction.attempt.batches import Batch, Chunk, Given, Masked, Scope, Value, Wanted
from garim.redaction.attempt.blocks import open_messages
from garim.redaction.attempt.custody_keys import AttemptKey
from garim.redaction.attempt.lines import KINDS, Origin, attachment_note
from garim.redaction.attempt.spool import Spool
from garim.sealing.segment import SegmentHeader
from garim.statements.labels import lp


class _Chosen(NamedTuple):
    """A message of the period, when it is shown as sent, and where it came from."""

    conversation: int
    segment: bytes
    position: int
    message: messages_pb2.ChatMessage
    shown_ms: int
    sender: Person


class _Names:
    """What a worker knows of the attempt's table: enough to write pseudonyms and commitments."""

    def __init__(self) -> None:
        self._known: dict[tuple[InfoType, str], tuple[str, bytes]] = {}
        self._openings: dict[str, bytes] = {}
        self._spellings: set[Value] = set()

    def unknown(self, values: Iterable[Value]) -> list[Value]:
        """Return which values the table has not been asked for by this worker, each once."""
        return [one for one in dict.fromkeys(values) if one not in self._spellings]

    def learn(self, values: Sequence[Value], names: Sequence[tuple[str, bytes]]) -> None:
        """Take in the table's answer."""
        for value, name in zip(values, names, strict=True):
            self._spellings.add(value)
            self._known[value[0], value[1]] = name
            self._openings[name[0]] = name[1]

    def of(self, type: InfoType, value: str) -> str:  # noqa: A002 - as the table has it
        """Return the pseudonym of a value."""
        return self._known[type, value][0]

    def opening_of(self, pseudonym: str) -> bytes:
        """Return the secret that opens what a pseudonym masks."""
        return self._openings[pseudonym]

    def name(self, type_: InfoType, value: str) -> tuple[str, bytes]:
        """Return a value's pseudonym and the secret that opens it."""
        return self._known[type_, value]


class MaskingWork:
    """Masks batches.

    Args:
        scope: What is asked for and who is in it.
        key: The attempt's, which opens segment keys.
        spool: The worker's own.
    """

    def __init__(self, scope: Scope, key: AttemptKey, spool: Spool) -> None:
        self._scope = scope
        self._key = key
        self._spool = spool
        self._engine = Engine(
            list(scope.people.values()), open_names=EveryName() if scope.open_names else None
        )
        self._names = _Names()
        self._writer = LineWriter()

    def mask(self, batch: Batch, ask: Callable[[Wanted], Given]) -> Masked:
        """Decrypt a batch, trim it to the exact period, mask it and write its lines.

        Args:
            batch: Segments with their keys.
            ask: Asks the attempt's table and counts.

        Raises:
            RefusedError: `SEALING_OPEN`, `KEY_COUNT`, `STORE_INCONSISTENT`.
        """
        chosen = self._chosen(batch)
        texts = [_text(one) for one in chosen]
        findings = self._engine.find(texts)
        counts = Counter(one.conversation for one in chosen)
        values = self._names.unknown(_values(chosen, texts, findings))
        given = ask(Wanted(counts, values))
        self._names.learn(values, given.names)
        return self._written(chosen, texts, findings, dict(given.places))

    def _chosen(self, batch: Batch) -> list[_Chosen]:
        scope, chosen = self._scope, list[_Chosen]()
        roster_keys, segment_keys = self._key.open(batch.keys)
        own = slice(batch.first, batch.first + len(batch.segments))
        for key in (*roster_keys, *segment_keys[: own.start], *segment_keys[own.stop :]):
            key.wipe()
        for served, key in zip(batch.segments, segment_keys[own], strict=True):
            header = SegmentHeader.decode(served.header)
            with key:
                messages = open_messages(key, header, served.header, served.ciphertext)
            conversation = scope.numbers[served.conversation]
            for position, message in enumerate(messages):
                sent_ms = message.sent_at_ms
                if scope.period_start <= sent_ms < scope.period_end:
                    sender = scope.people.get(message.sender)
                    if sender is None:
                        raise inconsistent("a message's sender stands in no roster")
                    shown_ms = cut(sent_ms, scope.times)
                    one = _Chosen(conversation, header.segment, position, message, shown_ms, sender)
                    chosen.append(one)
        return chosen

    def _written(
        self,
        chosen: Sequence[_Chosen],
        texts: Sequence[str],
        findings: Sequence[Sequence[Finding]],
        places: dict[int, int],
    ) -> Masked:
        outline = Outline()
        lines: dict[int, list[bytes]] = {}
        for one, text, found in zip(chosen, texts, findings, strict=True):
            place = places[one.conversation] = places[one.conversation] + 1
            masked = mask(text, found, self._names) if found else None
            line = self._line(one, place, text, masked)
            origin = Origin(one.segment, one.position, _lengths(masked))
            lines.setdefault(one.conversation, []).append(lp(line) + lp(origin.encode()))
            self._count(outline, one, place, masked)
        chunks = [
            Chunk(conversation, len(own), self._spool.put(b"".join(own)))
            for conversation, own in lines.items()
        ]
        return Masked(chunks, outline)

    def _line(self, one: _Chosen, place: int, text: str, masked: MaskedText | None) -> bytes:
        cited, message = number(one.conversation, place), one.message
        masks = []
        for at, span in enumerate(masked.spans if masked else ()):
            opening = self._names.opening_of(span.pseudonym)
            commitment = original_commitment(opening, self._key.mesh, cited, at, span.original).hex()
            masks.append(self._writer.mask(span.start, span.end, span.pseudonym, span.type.value, commitment))
        return self._writer.line(
            cited,
            one.shown_ms,
            self._sender(one.sender, cited),
            KINDS.get(message.kind, "text"),
            masked.text if masked else text,
            masks,
            attachment_note(message),
        )

    def _sender(self, sender: Person, cited: str) -> str:
        if sender.subject:
            return self._writer.subject(sender.account, sender.names[0] if sender.names else sender.account)
        pseudonym, opening = self._names.name(InfoType.PERSON, sender.key)
        commitment = original_commitment(opening, self._key.mesh, cited, SENDER, sender.account)
        return self._writer.bystander(pseudonym, commitment.hex())

    def _count(self, outline: Outline, one: _Chosen, place: int, masked: MaskedText | None) -> None:
        sender = one.sender
        pseudonym = None if sender.subject else self._names.of(InfoType.PERSON, sender.key)
        masks = [(span.pseudonym, span.type.value) for span in masked.spans] if masked else ()
        outline.count(one.conversation, place, one.shown_ms, pseudonym, sender.account, masks)


def _text(one: _Chosen) -> str:
    # A bystander's new name says who they are; that they took one is said by the kind.
    renamed = one.message.kind == messages_pb2.MESSAGE_KIND_RENAMED
    return "" if renamed and not one.sender.subject else one.message.text


def _lengths(masked: MaskedText | None) -> tuple[int, ...]:
    return tuple(len(span.original) for span in masked.spans) if masked else ()


def _values(
    chosen: Sequence[_Chosen], texts: Sequence[str], findings: Sequence[Sequence[Finding]]
) -> Iterable[Value]:
    """Yield everything that needs a pseudonym; a sender has no spelling."""
    for one, text, found in zip(chosen, texts, findings, strict=True):
        if not one.sender.subject:
            yield InfoType.PERSON, one.sender.key, ""
        for finding in found:
            kind, value = value_of(finding)
            yield kind, value, text[finding.start : finding.end]
