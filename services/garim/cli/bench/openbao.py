"""An OpenBao of a bench's own: its transit engine unwraps what it wrapped, over HTTP on loopback."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import secrets
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from garim.cli.bench.plan import timed
from garim.statements.refusal import Kind, RefusedError

START_S = 30.0
_POLL_S = 0.1
_OK = 300


class Transit:
    """A running server with one transit key.

    Args:
        port: Where it listens.
        token: Its root token.
    """

    def __init__(self, port: int, token: str) -> None:
        self._token = token
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def call(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Post a request and return the answer's data.

        Raises:
            RefusedError: `BENCH_PEER`.
        """
        headers = {"X-Vault-Token": self._token, "Content-Type": "application/json"}
        self._connection.request("POST", f"/v1/{path}", json.dumps(body), headers)
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status >= _OK:
            raise RefusedError("BENCH_PEER", f"openbao answered {answer.status}", kind=Kind.UNAVAILABLE)
        return dict(json.loads(content).get("data") or {}) if content else {}

    def unwraps_per_second(self, count: int, batch: int) -> float:
        """Return how many 32-byte keys are unwrapped a second.

        Args:
            count: How many in all.
            batch: How many a request.
        """
        plain = [{"plaintext": base64.b64encode(secrets.token_bytes(32)).decode()} for _ in range(batch)]
        wrapped = self.call("transit/encrypt/bench", {"batch_input": plain})["batch_results"]
        asked = {"batch_input": [{"ciphertext": one["ciphertext"]} for one in wrapped]}
        requests = max(1, count // batch)

        def work() -> None:
            for _ in range(requests):
                self.call("transit/decrypt/bench", asked)

        return requests * batch / timed(work)


@contextmanager
def transit(programs: Path) -> Iterator[Transit]:
    """Run a server in memory with one key.

    Args:
        programs: Folder of its program.

    Raises:
        RefusedError: `BENCH_PEER`: it does not start.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    process = subprocess.Popen(
        [
            str(programs / "bao"),
            "server",
            "-dev",
            "-dev-no-store-token",
            f"-dev-root-token-id={token}",
            f"-dev-listen-address=127.0.0.1:{port}",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield _prepared(port, token)
    finally:
        process.terminate()
        process.wait()


def _prepared(port: int, token: str) -> Transit:
    ends = time.monotonic() + START_S
    while time.monotonic() < ends:
        with contextlib.suppress(OSError):
            made = Transit(port, token)
            made.call("sys/mounts/transit", {"type": "transit"})
            made.call("transit/keys/bench", {})
            return made
        time.sleep(_POLL_S)
    raise RefusedError("BENCH_PEER", "openbao does not start", kind=Kind.UNAVAILABLE)
