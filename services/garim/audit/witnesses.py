"""The log as a client of its witnesses (C2SP tlog-witness, https://c2sp.org/tlog-witness).

A witness cosigns a checkpoint only where it is consistent with the last one that it has cosigned; it
remembers that one, so a log that forks or goes back is refused. What a witness answers is read within a limit
of bytes and of time, and counts only if its cosignature verifies.
"""

from __future__ import annotations

import contextlib
import dataclasses
import http.client
import re
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from garim.statements.refusal import Kind, RefusedError
from garim.translog.cosignature import verify_cosignature
from garim.translog.encoding import encode_base64
from garim.translog.keys import VerifierKey
from garim.translog.note import Note, parse_note

MAX_ANSWER_BYTES = 16 * 1024

_OK, _CONFLICT, _INCONSISTENT = 200, 409, 422
_SIZE = re.compile(r"(0|[1-9][0-9]{0,18})\n")

Prove = Callable[[int, int], list[bytes]]
"""Returns the path that proves the tree of one size a prefix of the tree of another."""


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """What a witness answered.

    Attributes:
        status: HTTP status.
        body: At most `MAX_ANSWER_BYTES`.
    """

    status: int
    body: bytes


class Post(Protocol):
    """Sends a request to one witness."""

    def __call__(self, body: bytes, /) -> Answer:
        """Send `add-checkpoint`.

        Raises:
            OSError, http.client.HTTPException: There is no whole answer.
        """
        ...

    def abort(self) -> None:
        """End a call that is under way in another thread."""
        ...


class HttpPost:
    """`add-checkpoint` over HTTP; no redirect is followed.

    Args:
        url: The witness's prefix: https, or http on this machine.
        timeout_s: For each step of the connection, in seconds.
        trust: PEM file of authorities for https; the system's where None.
    """

    def __init__(self, url: str, timeout_s: float, trust: Path | None) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port
        self._path = parts.path.rstrip("/") + "/add-checkpoint"
        self._timeout_s = timeout_s
        self._context = ssl.create_default_context(cafile=trust) if parts.scheme == "https" else None
        self._lock = threading.Lock()
        self._connection: http.client.HTTPConnection | None = None

    def __call__(self, body: bytes, /) -> Answer:
        """Send `add-checkpoint`; see `Post`."""
        connection = self._connect()
        try:
            connection.request("POST", self._path, body, {"Content-Type": "text/plain; charset=utf-8"})
            response = connection.getresponse()
            data = response.read(MAX_ANSWER_BYTES + 1)
            if len(data) > MAX_ANSWER_BYTES:
                raise http.client.HTTPException
            return Answer(response.status, data)
        finally:
            with self._lock:
                self._connection = None
            connection.close()

    def abort(self) -> None:
        """End a call that is under way in another thread."""
        with self._lock:
            opened = None if self._connection is None else self._connection.sock
        if opened is not None:
            with contextlib.suppress(OSError):
                opened.shutdown(socket.SHUT_RDWR)

    def _connect(self) -> http.client.HTTPConnection:
        connection = (
            http.client.HTTPConnection(self._host, self._port, timeout=self._timeout_s)
            if self._context is None
            else http.client.HTTPSConnection(
                self._host, self._port, timeout=self._timeout_s, context=self._context
            )
        )
        with self._lock:
            self._connection = connection
        return connection


class Witness:
    """One witness whose cosignature every checkpoint needs; used by one thread at a time.

    Args:
        key: Verifies its cosignatures.
        post: How it is reached.
    """

    def __init__(self, key: VerifierKey, post: Post) -> None:
        self.key = key
        self._post = post
        self._size = 0

    def cosigned(self, note: Note, size: int, prove: Prove) -> Note:
        """Return the note with this witness's cosignature alone added.

        Args:
            note: The log's signed checkpoint.
            size: Its size.
            prove: Proves earlier trees its prefixes.

        Raises:
            RefusedError: `LOG_WITNESS_SILENT` (unavailable): no valid cosignature. `LOG_WITNESS_CONFLICT`
                (data loss): it has cosigned another history of this log, or a larger tree.
        """
        answer = self._ask(note, min(self._size, size), size, prove)
        if answer.status == _CONFLICT:
            known = self._known(answer)
            if known > size:
                raise self._conflict()
            answer = self._ask(note, known, size, prove)
        if answer.status in {_CONFLICT, _INCONSISTENT}:
            raise self._conflict()
        if answer.status != _OK:
            raise self.silent()
        return self._with(note, answer, size)

    def abort(self) -> None:
        """End a question that is under way in another thread."""
        self._post.abort()

    def silent(self) -> RefusedError:
        """Return the refusal of a checkpoint that this witness has not cosigned."""
        return RefusedError(
            "LOG_WITNESS_SILENT",
            f"witness {self.key.name} has not cosigned, and nothing opens without it: try again",
            kind=Kind.UNAVAILABLE,
        )

    def _ask(self, note: Note, old: int, size: int, prove: Prove) -> Answer:
        path = [] if old in {0, size} else prove(old, size)
        head = "".join(f"{line}\n" for line in (f"old {old}", *(encode_base64(one) for one in path)))
        try:
            return self._post(head.encode() + b"\n" + note.encode())
        except (OSError, http.client.HTTPException) as error:
            raise self.silent() from error

    def _known(self, answer: Answer) -> int:
        matched = _SIZE.fullmatch(answer.body.decode("latin-1"))
        if matched is None:
            raise self.silent()
        return int(matched[1])

    def _with(self, note: Note, answer: Answer, size: int) -> Note:
        try:
            answered = parse_note(f"{note.text}\n".encode() + answer.body)
            own = answered.signatures_by(self.key)[-1:]
            cosigned = dataclasses.replace(note, signatures=(*note.signatures, *own))
            if answered.text != note.text or verify_cosignature(cosigned, self.key) is None:
                raise self.silent()
        except RefusedError as error:
            raise self.silent() from error
        self._size = size
        return cosigned

    def _conflict(self) -> RefusedError:
        return RefusedError(
            "LOG_WITNESS_CONFLICT",
            f"witness {self.key.name} has cosigned another history of this log, or more of it: stop using it",
            kind=Kind.DATA_LOSS,
        )
