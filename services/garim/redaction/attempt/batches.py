"""What passes between an attempt and its workers: sealed batches one way, compressed pages the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from garim.dossier.archive import Part
from garim.dossier.outline import Outline
from garim.leakscan.package import Scanned
from garim.masking.infotype import InfoType
from garim.masking.people import Person
from garim.redaction.attempt.custody_keys import SealedKeys
from garim.redaction.attempt.job import Hold, Place
from garim.redaction.attempt.spool import Kept
from garim.statements.grants import TimeUnit


@dataclass(frozen=True, slots=True)
class Scope:
    """What a worker must know to mask.

    Args:
        people: Everybody by account id.
        numbers: Number of each conversation by its id.
        period_start: First millisecond asked for.
        period_end: First millisecond behind it.
        open_names: Whether people in no roster are looked for.
        times: How exactly times are shown.
    """

    people: Mapping[str, Person]
    numbers: Mapping[str, int]
    period_start: int
    period_end: int
    open_names: bool
    times: TimeUnit


class ReadSegment(NamedTuple):
    """A segment as it was served.

    Args:
        header: Its encoded header.
        ciphertext: Its encrypted block.
        conversation: Id of its conversation.
    """

    header: bytes
    ciphertext: bytes
    conversation: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Segments with their keys, sealed to the attempt.

    Args:
        segments: In the store's order.
        keys: Theirs and those of neighbouring batches: what custody released at a time.
        first: Which of the segment keys is that of the first segment.
    """

    segments: Sequence[ReadSegment]
    keys: SealedKeys
    first: int


Value = tuple[InfoType, str, str]
"""Something to be masked: its kind, its canonical value, and the spelling that stands there."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a worker asks of the one table of pseudonyms, and of the one count of each conversation.

    Args:
        messages: How many messages of the batch each conversation gets.
        values: What the worker has met for the first time.
    """

    messages: Mapping[int, int]
    values: Sequence[Value]


@dataclass(frozen=True, slots=True)
class Given:
    """The answer.

    Args:
        places: How many messages each conversation had before.
        names: For each value its pseudonym and the secret that opens what it masks.
    """

    places: Mapping[int, int]
    names: Sequence[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Neighbouring lines of one conversation in the spool.

    Args:
        conversation: Its number.
        lines: How many.
        kept: Where.
    """

    conversation: int
    lines: int
    kept: Kept


@dataclass(frozen=True, slots=True)
class Masked:
    """What became of a batch.

    Args:
        chunks: Its lines, in order.
        outline: What the transcript's index needs of them.
    """

    chunks: Sequence[Chunk]
    outline: Outline


@dataclass(frozen=True, slots=True)
class Finish:
    """What a worker must know to scan and to pack.

    Args:
        outline: Of the whole dossier.
        table: All pseudonyms, with kind and canonical value.
        lifted: Places whose holds are lifted.
        times: How exactly times are shown.
    """

    outline: Outline
    table: Sequence[tuple[str, InfoType, str]]
    lifted: frozenset[Place]
    times: TimeUnit


@dataclass(frozen=True, slots=True)
class Page:
    """A page to be made.

    Args:
        room: Number of the conversation.
        page: Number of the page, from 1.
        pieces: Where its lines lie: a chunk, how many lines to leave out, how many to take.
    """

    room: int
    page: int
    pieces: Sequence[tuple[Kept, int, int]]


@dataclass(frozen=True, slots=True)
class KeptPart:
    """A part of an archive's entry that waits in the spool.

    Args:
        kept: Where its compressed bytes lie.
        crc: As in `archive.Part`.
        size: As there.
    """

    kept: Kept
    crc: int
    size: int


@dataclass(frozen=True, slots=True)
class FinishedPage:
    """A page that was scanned and compressed.

    Args:
        room: Number of the conversation.
        page: Number of the page.
        messages: How many stand on it.
        lines: Its stretch of `messages.jsonl`.
        leaves: The messages' leaf hashes, joined.
        salts: Its stretch of `salts.txt`.
        html: Its page of the transcript.
        holds: Places that people must judge.
        scanned: What of it the scan has seen.
    """

    room: int
    page: int
    messages: int
    lines: Part
    leaves: bytes
    salts: KeptPart
    html: KeptPart
    holds: Sequence[Hold]
    scanned: Scanned
