"""A witness (C2SP tlog-witness) that cosigns, serves itself on 127.0.0.1, and misbehaves on demand."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import http.server
import threading
from collections.abc import Iterator

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from garim.statements.refusal import RefusedError
from garim.translog.checkpoint import Checkpoint, verify_checkpoint
from garim.translog.cosignature import cosign
from garim.translog.keys import SignatureType, Signer, VerifierKey
from garim.translog.note import parse_note
from garim.translog.proofs import verify_consistency

OK, REFUSED, MALFORMED, CONFLICT, INCONSISTENT = 200, 403, 400, 409, 422


@dataclasses.dataclass
class FakeWitness:
    """One witness of one log.

    Args:
        name: Its name in signature lines.
        log_key: The log's verifier key.
        seconds: Its time, whole seconds since 1970.

    Attributes:
        answer: Given instead of an answer of its own: HTTP status and body.
        stall: While clear, it answers nothing.
        asked: How often it was asked.
    """

    name: str
    log_key: VerifierKey
    seconds: int = 1_790_000_000

    def __post_init__(self) -> None:
        private = Ed25519PrivateKey.generate()
        self.signer = Signer.of_private_key(self.name, private, SignatureType.COSIGNATURE_V1)
        self.seen: Checkpoint | None = None
        self.answer: tuple[int, bytes] | None = None
        self.stall = threading.Event()
        self.stall.set()
        self.asked = 0
        self._lock = threading.Lock()

    def add_checkpoint(self, body: bytes) -> tuple[int, bytes]:
        """Serve `add-checkpoint`; return HTTP status and body."""
        self.asked += 1
        self.stall.wait(30)
        if self.answer is not None:
            return self.answer
        head, _, note_bytes = body.partition(b"\n\n")
        lines = head.decode().split("\n")
        with self._lock:
            try:
                checkpoint = verify_checkpoint(note_bytes, self.log_key, self.log_key.name)
                path = [base64.b64decode(line, validate=True) for line in lines[1:]]
                return self._judged(int(lines[0].removeprefix("old ")), path, checkpoint, note_bytes)
            except RefusedError:
                return REFUSED, b""
            except ValueError:
                return MALFORMED, b""

    def _judged(
        self, old: int, path: list[bytes], checkpoint: Checkpoint, note_bytes: bytes
    ) -> tuple[int, bytes]:
        known = 0 if self.seen is None else self.seen.size
        if old != known or (self.seen and checkpoint.size == known and checkpoint.root != self.seen.root):
            return CONFLICT, f"{known}\n".encode()
        if self.seen is not None:
            try:
                verify_consistency(known, self.seen.root, checkpoint.size, checkpoint.root, path)
            except RefusedError:
                return INCONSISTENT, b""
        self.seen = checkpoint
        note = cosign(parse_note(note_bytes), self.signer, self.seconds)
        line = dataclasses.replace(note, signatures=note.signatures[-1:]).encode()
        return OK, line.removeprefix(f"{note.text}\n".encode())

    @contextlib.contextmanager
    def served(self) -> Iterator[str]:
        """Serve over HTTP on 127.0.0.1; yields the prefix."""
        witness = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, answer = witness.add_checkpoint(body)
                with contextlib.suppress(OSError):
                    self.send_response(status)
                    self.send_header("Content-Length", str(len(answer)))
                    self.send_header("Location", "/elsewhere")
                    self.end_headers()
                    self.wfile.write(answer)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
                """Say nothing."""

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            self.stall.set()
            server.shutdown()
            server.server_close()
            thread.join(10)
