"""The connection to a message store: mutual TLS from PEM files, two calls."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import grpc

from garim.api.messages.v1 import messages_pb2 as pb
from garim.api.messages.v1.messages_pb2_grpc import MessageStoreServiceStub
from garim.sdk.errors import GarimError, error_of
from garim.sdk.model import Roster

MAX_MESSAGE_BYTES = 16 * 1024 * 1024
ROSTERS_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class TlsPaths:
    """Where the back end's identity lies, as PEM files.

    Args:
        certificate: Its certificate, followed by intermediates.
        key: Its private key; nobody but its owner may read the file.
        trust: The mesh's authorities.
    """

    certificate: Path | str
    key: Path | str
    trust: Path | str


class GarimStore:
    """A connection to a message store; use it as a context manager, share it between threads.

    Renewed files of the identity are taken up with the next call.

    Args:
        address: `host:port` of the store.
        mesh: Name of the mesh; a server that is not its message store is refused.
        tls: The back end's identity.
        timeout_s: Longest time one call may take, in seconds.

    Raises:
        GarimError: `KEY_FILE_MODE`: others may read the private key.
        OSError: A file cannot be read.
    """

    def __init__(self, address: str, *, mesh: str, tls: TlsPaths, timeout_s: float = 30.0) -> None:
        self._address = address
        self._mesh = mesh
        self._tls = tls
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._stamp = _stamp(tls)
        self._channels = [self._open()]

    def _open(self) -> grpc.Channel:
        tls = self._tls
        if _is_open_to_others(Path(tls.key).stat()):
            raise GarimError("KEY_FILE_MODE", f"others may read {tls.key}: run chmod 600 on it")
        credentials = grpc.ssl_channel_credentials(
            Path(tls.trust).read_bytes(), Path(tls.key).read_bytes(), Path(tls.certificate).read_bytes()
        )
        return grpc.secure_channel(
            self._address,
            credentials,
            options=(
                # A service's certificate carries this name beside its SPIFFE id.
                ("grpc.ssl_target_name_override", f"messages.{self._mesh}.garim.internal"),
                ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
                ("grpc.keepalive_time_ms", 60_000),
                # A name with many addresses is a store of many processes: each batch goes to the next.
                ("grpc.lb_policy_name", "round_robin"),
                ("grpc.initial_reconnect_backoff_ms", 200),
                ("grpc.max_reconnect_backoff_ms", 2_000),
                ("grpc.dns_min_time_between_resolutions_ms", 2_000),
                ("grpc.enable_http_proxy", 0),
                ("grpc.enable_retries", 0),
            ),
        )

    def _stub(self) -> MessageStoreServiceStub:
        """Return a stub over a connection with the newest files.

        Files that are missing or open to others leave the former connection in use. That one ends only when
        the next but one is opened: calls may still be under way on it.
        """
        with self._lock:
            stamp = _stamp(self._tls)
            if stamp != self._stamp:
                self._stamp = stamp
                with contextlib.suppress(OSError, GarimError):
                    self._channels.append(self._open())
                for channel in self._channels[:-2]:
                    channel.close()
                del self._channels[:-2]
            return MessageStoreServiceStub(self._channels[-1])

    def append(self, request: pb.AppendMessagesRequest) -> pb.AppendMessagesResponse:
        """Send one batch once; `Producer` does all around it.

        Args:
            request: The batch.

        Raises:
            StoreRefusedError: The store refuses the batch.
            StoreUnavailableError: It may succeed later.
        """
        return self.begin(request, lambda: None)()

    def begin(
        self, request: pb.AppendMessagesRequest, answered: Callable[[], None]
    ) -> Callable[[], pb.AppendMessagesResponse]:
        """Begin to send one batch once; what is returned waits for the answer, and raises as `append`.

        Args:
            request: The batch.
            answered: Called in some thread when the answer is there.
        """
        call = self._stub().AppendMessages.future(request, timeout=self._timeout_s)
        call.add_done_callback(lambda _call: answered())

        def answer() -> pb.AppendMessagesResponse:
            try:
                return call.result()
            except grpc.RpcError as failure:
                raise error_of(failure) from failure

        return answer

    def put_rosters(self, rosters: Iterable[Roster]) -> None:
        """Let the store keep rosters for this epoch; `Producer` does so where they are unknown.

        Args:
            rosters: Any number.

        Raises:
            StoreRefusedError: The store refuses a roster.
            StoreUnavailableError: It may succeed later.
        """
        waiting = [one.to_proto() for one in rosters]
        for first in range(0, len(waiting), ROSTERS_AT_ONCE):
            request = pb.PutRostersRequest(rosters=waiting[first : first + ROSTERS_AT_ONCE])
            try:
                self._stub().PutRosters(request, timeout=self._timeout_s)
            except grpc.RpcError as failure:
                raise error_of(failure) from failure

    def close(self) -> None:
        """End the connection."""
        with self._lock:
            for channel in self._channels:
                channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _is_open_to_others(status: os.stat_result) -> bool:
    """Tell whether others may read a key; root's may be readable to its group, as Kubernetes mounts it."""
    mounted = status.st_uid == 0 and os.geteuid() != 0
    return bool(status.st_mode & (0o037 if mounted else 0o077))


def _stamp(tls: TlsPaths) -> tuple[tuple[int, int, int] | None, ...]:
    stamps: list[tuple[int, int, int] | None] = []
    for path in (tls.certificate, tls.key, tls.trust):
        try:
            status = Path(path).stat()
        except OSError:
            stamps.append(None)
        else:
            stamps.append((status.st_ino, status.st_mtime_ns, status.st_size))
    return tuple(stamps)
