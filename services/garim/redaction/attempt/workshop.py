"""What one attempt works with: its key, its spools and its workers, made before it reads or connects."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from garim.masking.open_names import morphemes
from garim.masking.people import Person
from garim.redaction.attempt.batches import Batch, Finish, Page, Scope
from garim.redaction.attempt.crew import Ask, Crew
from garim.redaction.attempt.custody_keys import AttemptKey
from garim.redaction.attempt.masking_work import MaskingWork
from garim.redaction.attempt.page_work import PageWork
from garim.redaction.attempt.spool import Spools


class _Worker:
    """Does whatever task comes, with what earlier tasks have told it."""

    def __init__(self, number: int, key: AttemptKey, spools: Spools) -> None:
        self._key = key
        self._spools = spools
        self._own = spools.own[number]
        self._people: Mapping[str, Person] = {}
        self._masking: MaskingWork | None = None
        self._pages: PageWork | None = None

    def __call__(self, task: object, ask: Ask) -> Any:
        if isinstance(task, Batch) and self._masking is not None:
            return self._masking.mask(task, ask)
        if isinstance(task, Page) and self._pages is not None:
            return self._pages.finish(task)
        if isinstance(task, Scope):
            self._people = task.people
            self._masking = MaskingWork(task, self._key, self._own)
            return None
        if isinstance(task, Finish):
            self._masking = None
            self._pages = PageWork(task, self._people, self._spools, self._own)
            return None
        raise TypeError("no such task, or not yet")


class Workshop:
    """An attempt's means.

    Args:
        folder: Where its nameless spools lie.
        mesh: Name of the mesh.
        dossier: Id of the dossier, 16 bytes.
        workers: How many processes share its work.
        open_names: Whether people in no roster are looked for: their large model is loaded once for all.
    """

    def __init__(self, folder: Path, mesh: str, dossier: bytes, workers: int, *, open_names: bool) -> None:
        if open_names:
            morphemes.load()
        self.key = AttemptKey(mesh, dossier)
        self.spools = Spools(workers, folder, mesh, secrets.token_bytes(16))
        self.crew = Crew([_Worker(number, self.key, self.spools) for number in range(workers)])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.crew.__exit__(kind, error, trace)
        self.spools.__exit__(kind, error, trace)
        self.key.close()
