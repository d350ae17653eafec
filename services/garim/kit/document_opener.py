"""Opening documents in children without keys, files or network: no parser runs beside a secret.

`DocumentOpener` starts ``python -m garim.kit.document_child``, a zygote that has loaded the parsers and
nothing else; each document is opened in a child of its own (`kit.confinement`). Whatever happens to a child
is a refusal of its document. Of a JWS document the child's word counts for nothing: what it has survived is
opened once more here, by strict JSON and certificates alone, which the service reads anyway. Of PDF and
XML its answer is held against the document's bytes (`documents.recheck`). Trust, people and claims are judged
by whoever asked; an HI1 message that is only read is believed.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from garim.documents import jws
from garim.documents.envelope import Envelope, Shown
from garim.documents.media_types import JWS_MEDIA_TYPE
from garim.documents.recheck import recheck
from garim.kit import zygote
from garim.kit.confinement import Limits
from garim.statements.refusal import Kind, RefusedError

LIMITS = Limits(memory_bytes=256 * 1024 * 1024, cpu_s=10, wall_s=20.0)
"""What opening one document may cost."""
AT_ONCE = 4
"""Documents that one opener opens at the same time."""
_WAIT_S = 20.0
_MARGIN_S = 5.0
_NAME_BYTES = 1
_MESSAGE = ""
_COSTLY = frozenset({-signal.SIGXCPU, -signal.SIGALRM, -signal.SIGKILL})


class Opened(BaseModel):
    """An envelope on its way back from a child.

    Attributes:
        payload: See `Envelope`.
        chains: See `Envelope`.
        shown: See `Envelope`.
    """

    model_config = ConfigDict(
        extra="forbid", hide_input_in_errors=True, ser_json_bytes="base64", val_json_bytes="base64"
    )

    payload: bytes
    chains: tuple[tuple[bytes, ...], ...]
    shown: Shown | None = None


class DocumentOpener:
    """The service's end; `open` is an `OpenDocument`.

    Args:
        module: What the zygote runs; tests run attackers.
        limits: What a child of that module may use.
        schemas: Folder of the schemas that HI1 messages must fit; none are asked for without.
    """

    def __init__(
        self,
        module: str = "garim.kit.document_child",
        limits: Limits = LIMITS,
        schemas: Path | None = None,
    ) -> None:
        self._places = threading.BoundedSemaphore(AT_ONCE)
        self._zygote = zygote.Zygote(
            module,
            [] if schemas is None else [str(schemas)],
            failed=_failed,
            timeout_s=limits.wall_s + _MARGIN_S,
            # Secrets may stand in the service's environment.
            environment={name: value for name, value in os.environ.items() if name == "PYTHONPATH"},
        )

    def open(self, media_type: str, data: bytes) -> Envelope:
        """Open a document in a child.

        Args:
            media_type: Its format.
            data: The document as received.

        Raises:
            RefusedError: Whatever is wrong with it; `DOCUMENT_OPENER_DIED`, `DOCUMENT_TOO_COSTLY`,
                `DOCUMENT_OPENER_BUSY`, `DOCUMENT_OPENER_UNAVAILABLE`, `FORMAT_NOT_CONFINED`.
        """
        if not media_type:
            raise _unknown_format()
        answer = self._ask(media_type, data)
        # A child that was taken over says what it likes; that it ended in time shows what opening costs.
        return jws.open_envelope(data) if media_type == JWS_MEDIA_TYPE else recheck(media_type, data, answer)

    def read_message(self, data: bytes) -> Envelope:
        """Read an HI1 message in a child; see `garim.documents.etsi.opening.read_exchange`.

        Args:
            data: The message as received.

        Raises:
            RefusedError: As `open`; what is wrong with the message stands in the answer.
        """
        return self._ask(_MESSAGE, data)

    def _ask(self, name: str, data: bytes) -> Envelope:
        with self._place():
            answer = self._zygote.run(_write_job(name, data))
        try:
            opened = Opened.model_validate_json(answer)
        except ValidationError:
            raise _died() from None
        return Envelope(opened.payload, opened.chains, opened.shown)

    def check(self) -> None:
        """Return if the zygote lives; for `health.Health.register`.

        Raises:
            RefusedError: `DOCUMENT_OPENER_UNAVAILABLE`.
        """
        self._zygote.check()

    def close(self) -> None:
        """End the zygote; documents under way are finished."""
        self._zygote.close()

    @contextlib.contextmanager
    def _place(self) -> Iterator[None]:
        if not self._places.acquire(timeout=_WAIT_S):
            raise RefusedError(
                "DOCUMENT_OPENER_BUSY",
                "too many documents are being opened: try again",
                kind=Kind.EXHAUSTED,
                retry_after_s=int(_WAIT_S),
            )
        try:
            yield
        finally:
            self._places.release()


def _write_job(media_type: str, data: bytes) -> bytes:
    name = media_type.encode()
    if len(name) >= 1 << 8 * _NAME_BYTES:
        raise _unknown_format()
    return len(name).to_bytes(_NAME_BYTES, "big") + name + data


def _unknown_format() -> RefusedError:
    return RefusedError("FORMAT_UNKNOWN", "no format has such a name", field="media_type")


def read_job(job: bytes) -> tuple[str, bytes]:
    """Return media type and bytes of what a child shall open; an HI1 message to be read has none."""
    start = _NAME_BYTES + int.from_bytes(job[:_NAME_BYTES], "big")
    return job[_NAME_BYTES:start].decode(), job[start:]


def _failed(status: int | None) -> RefusedError:
    if status is None:
        return RefusedError(
            "DOCUMENT_OPENER_UNAVAILABLE",
            "the process that opens documents gives no answer: try again",
            kind=Kind.UNAVAILABLE,
        )
    return too_costly() if status in _COSTLY else _died()


def _died() -> RefusedError:
    return RefusedError("DOCUMENT_OPENER_DIED", "the document broke what opened it: it is refused")


def too_costly() -> RefusedError:
    """Return the refusal of a document that takes too much."""
    return RefusedError(
        "DOCUMENT_TOO_COSTLY", "opening the document takes more memory or time than any document may"
    )
