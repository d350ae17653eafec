"""Publishing checkpoints that every witness has cosigned: one round at a time, for all who wait for it."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import threading
from collections.abc import Callable, Sequence

from garim.audit.witnesses import Prove, Witness
from garim.statements.refusal import Kind, RefusedError
from garim.translog.checkpoint import Checkpoint, sign_checkpoint
from garim.translog.keys import Signer
from garim.translog.note import Note, parse_note


@dataclasses.dataclass(frozen=True, slots=True)
class Published:
    """A checkpoint that every witness has cosigned.

    Attributes:
        size: Its size.
        note: The exact bytes of the note.
    """

    size: int
    note: bytes


@dataclasses.dataclass(frozen=True, slots=True)
class _Round:
    size: int
    failure: RefusedError


class Publisher:
    """Has checkpoints cosigned. While a round is under way appends go on; the next round covers them all.

    Args:
        signer: The log's.
        witnesses: All of them have to cosign.
        state: Returns the stored tree's size and root.
        prove: Proves one stored tree a prefix of another.
        timeout_s: Longest time of a round, in seconds.
    """

    def __init__(
        self,
        signer: Signer,
        witnesses: Sequence[Witness],
        *,
        state: Callable[[], tuple[int, bytes]],
        prove: Prove,
        timeout_s: float,
    ) -> None:
        self._signer = signer
        self._witnesses = witnesses
        self._state = state
        self._prove = prove
        self._timeout_s = timeout_s
        self._changed = threading.Condition()
        self._busy = False
        self._last: Published | None = None
        self._failed: _Round | None = None
        self._pool = concurrent.futures.ThreadPoolExecutor(len(witnesses), "witness")

    def covering(self, size: int) -> Published:
        """Return a published checkpoint of at least `size` leaves, all of which are stored.

        Raises:
            RefusedError: `LOG_WITNESS_SILENT`, `LOG_WITNESS_CONFLICT`.
        """
        waited = False
        while True:
            with self._changed:
                if self._last is not None and self._last.size >= size:
                    return self._last
                if waited and self._failed is not None and self._failed.size >= size:
                    raise self._failed.failure
                if not self._busy:
                    self._busy = True
                    break
                # Woken at a round's end, and by nothing else.
                waited = self._changed.wait(3 * self._timeout_s)
        return self._lead()

    def close(self) -> None:
        """End; a round under way fails."""
        for one in self._witnesses:
            one.abort()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _lead(self) -> Published:
        size, done, failure = 0, None, None
        try:
            size, root = self._state()
            done = self._round(size, root)
        except RefusedError as error:
            failure = error
            raise
        finally:
            with self._changed:
                self._busy = False
                self._last = done or self._last
                self._failed = None if failure is None else _Round(size, failure)
                self._changed.notify_all()
        return done

    def _round(self, size: int, root: bytes) -> Published:
        note = parse_note(sign_checkpoint(Checkpoint(self._signer.key.name, size, root), self._signer))
        asked = {self._pool.submit(one.cosigned, note, size, self._prove): one for one in self._witnesses}
        _, late = concurrent.futures.wait(asked, self._timeout_s)
        for future in late:
            asked[future].abort()
        failures = [one.silent() for future, one in asked.items() if future in late]
        lines = []
        for future in asked.keys() - late:
            try:
                lines.append(future.result().signatures[-1])
            except RefusedError as error:
                failures.append(error)
        if failures:
            # A witness that contradicts the log weighs more than one that is away.
            raise max(failures, key=lambda one: one.kind is Kind.DATA_LOSS)
        return Published(size, Note(note.text, (*note.signatures, *lines)).encode())
