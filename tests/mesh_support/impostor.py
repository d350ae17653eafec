"""A service in the test's own process, under the stolen certificate of the real one, which is not running."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
from google.rpc import status_pb2  # type: ignore[import-untyped] # it has no py.typed
from grpc_status import rpc_status

from garim.kit.errors import status_of
from garim.statements.refusal import RefusedError


class _Refusals(grpc.ServerInterceptor):
    """Turns a refusal of the servicer into a status, as every service does."""

    def intercept_service(self, continuation: Any, details: grpc.HandlerCallDetails) -> Any:
        """Wrap unary handlers; see `grpc.ServerInterceptor`."""
        handler = continuation(details)
        if handler is None or handler.unary_unary is None:
            return handler
        inner = handler.unary_unary

        def answer(request: object, context: grpc.ServicerContext) -> object:
            try:
                return inner(request, context)
            except RefusedError as refusal:
                status: status_pb2.Status = status_of(refusal)
                context.abort_with_status(rpc_status.to_status(status))

        return grpc.unary_unary_rpc_method_handler(
            answer, handler.request_deserializer, handler.response_serializer
        )


@contextlib.contextmanager
def impostor(folder: Path, address: str, register: Callable[[grpc.Server], None]) -> Iterator[None]:
    """Serve on a service's address with its certificate.

    Args:
        folder: The victim's folder.
        address: Where the real service listened.
        register: Adds the servicer.
    """
    credentials = grpc.ssl_server_credentials(
        [((folder / "tls.key").read_bytes(), (folder / "tls.pem").read_bytes())],
        root_certificates=(folder / "ca.pem").read_bytes(),
        require_client_auth=True,
    )
    server = grpc.server(futures.ThreadPoolExecutor(8), interceptors=[_Refusals()])
    register(server)
    assert server.add_secure_port(address, credentials)
    server.start()
    try:
        yield
    finally:
        server.stop(0).wait()
