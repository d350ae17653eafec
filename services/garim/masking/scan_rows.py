"""`garim redact scan`: rows of text in, rows of spans out, with the engine that redaction uses."""

from __future__ import annotations

import itertools
import secrets
from typing import TYPE_CHECKING, Any

from garim.masking.engine import Engine
from garim.masking.mask import pseudonym_of
from garim.masking.open_names.every_name import EveryName
from garim.masking.people import Person
from garim.masking.pseudonyms import PseudonymTable
from garim.statements.refusal import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from garim.masking.open_names import OpenNameDetector

BATCH = 512
_ENGINES_KEPT = 32


def scan_rows(
    rows: Iterable[dict[str, Any]],
    *,
    random_bytes: Callable[[int], bytes] = secrets.token_bytes,
    open_names: OpenNameDetector | None = None,
) -> Iterator[dict[str, Any]]:
    """Yield for each row its spans, in order.

    Args:
        rows: `{id, text, participants?, sender?}`: a participant is a display name or nick.
        random_bytes: Source of randomness for the pseudonyms.
        open_names: Detector of people in no roster; by default those for Korean and for English.

    Yields:
        `{id, spans: [{start, end, type, pseudonym}]}`, offsets in code points, end exclusive.

    Raises:
        RefusedError: `ROW_MALFORMED`, a row lacks its id or text or has a wrong type.
    """
    table = PseudonymTable(random_bytes)
    detector = open_names or EveryName()
    engines: dict[tuple[str, ...], Engine] = {}
    for names, group in itertools.groupby(_checked(rows), key=_people_of):
        if names not in engines:
            while len(engines) >= _ENGINES_KEPT:
                del engines[next(iter(engines))]
            engines[names] = Engine([Person(name, "", (name,)) for name in names], open_names=detector)
        while batch := list(itertools.islice(group, BATCH)):
            for row, findings in zip(batch, engines[names].find([row["text"] for row in batch]), strict=True):
                spans = [
                    {
                        "start": f.start,
                        "end": f.end,
                        "type": f.type.value,
                        "pseudonym": pseudonym_of(f, table),
                    }
                    for f in findings
                ]
                yield {"id": row["id"], "spans": spans}


def _checked(rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for number, row in enumerate(rows, 1):
        participants = row.get("participants") or ()
        sender = row.get("sender")
        if "id" not in row or not isinstance(row.get("text"), str):
            raise RefusedError("ROW_MALFORMED", f"Row {number} needs an id and a text.", field="text")
        if not isinstance(participants, list | tuple) or not all(isinstance(p, str) for p in participants):
            raise RefusedError(
                "ROW_MALFORMED", f"Row {number}: participants is a list of names.", field="participants"
            )
        if sender is not None and not isinstance(sender, str):
            raise RefusedError("ROW_MALFORMED", f"Row {number}: sender is a name.", field="sender")
        yield row


def _people_of(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of a row's people; a sender outside the participants takes part, too."""
    names: tuple[str, ...] = tuple(row.get("participants") or ())
    sender = row.get("sender")
    return names if not sender or sender in names else (*names, sender)
