"""One guard around every served call: a fixed stack of layers, entered outside in, left inside out.

gRPC's own server interceptors see only a method and metadata; who calls and how a call ends is known inside
the handler. So the guard wraps each handler and runs the layers there, for unary and for streaming calls
alike.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import grpc
from google.protobuf.message import DecodeError

from garim.kit.access import Rule, Table
from garim.kit.deadlines import Deadline, within
from garim.kit.identity import Peer
from garim.statements.refusal import Kind, RefusedError

# The guard takes handlers of any message types and passes messages through untouched.
Context: TypeAlias = grpc.ServicerContext
if TYPE_CHECKING:
    Handler: TypeAlias = grpc.RpcMethodHandler[Any, Any]


@dataclasses.dataclass(slots=True)
class ActiveCall:
    """What the layers know of the call being served; they fill it in from the outside in.

    Attributes:
        method: Path of the RPC.
        context: gRPC's side of the call.
        rule: The RPC's rule; None if it is in no table.
        metadata: What the caller sent beside the request.
        deadline: When the call ends, once the deadline layer has judged.
        peer: Who calls, once the access layer has judged.
    """

    method: str
    context: Context
    rule: Rule | None
    metadata: dict[str, str]
    deadline: Deadline | None = None
    peer: Peer | None = None


Layer = Callable[[ActiveCall], contextlib.AbstractContextManager[None]]


class Guard(grpc.ServerInterceptor):
    """The only interceptor of a server: it wraps every handler, also that of an RPC nobody offers.

    Args:
        table: Rules of all RPCs of the server.
        layers: Context managers around each call, outermost first.
    """

    def __init__(self, table: Table, layers: Sequence[Layer]) -> None:
        self._table = table
        self._layers = tuple(layers)

    def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Handler | None],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler:
        """Return the handler of an RPC with all layers around it."""
        method = handler_call_details.method
        metadata = {
            key: value for key, value in handler_call_details.invocation_metadata if isinstance(value, str)
        }
        handler = continuation(handler_call_details) or _unknown_rpc()

        def begin(context: Context) -> ActiveCall:
            return ActiveCall(method, context, self._table.get(method), metadata)

        return self._wrapped(handler, begin)

    def _wrapped(self, handler: Handler, begin: Callable[[Context], ActiveCall]) -> Handler:
        behaviour = cast(
            "Callable[[Any, Context], Any]",
            handler.unary_unary or handler.unary_stream or handler.stream_unary or handler.stream_stream,
        )

        # Messages are parsed and written inside the guard: nothing of a caller without right is parsed, and
        # an answer that cannot be written is an incident like any other.
        parse = _parser_of(handler)
        write = handler.response_serializer or (lambda answer: answer)

        def unary(received: Any, context: Context) -> Any:
            with self._entered(begin(context)) as call, within(call.deadline):
                return write(behaviour(parse(received), context))

        def stream(received: Any, context: Context) -> Iterator[Any]:
            with self._entered(begin(context)) as call:
                answers = _bounded(lambda: behaviour(parse(received), context), call.deadline)
                with contextlib.closing(answers):
                    for answer in answers:
                        yield write(answer)

        make = {
            (False, False): grpc.unary_unary_rpc_method_handler,
            (False, True): grpc.unary_stream_rpc_method_handler,
            (True, False): grpc.stream_unary_rpc_method_handler,
            (True, True): grpc.stream_stream_rpc_method_handler,
        }[(handler.request_streaming, handler.response_streaming)]
        return make(stream if handler.response_streaming else unary)

    @contextlib.contextmanager
    def _entered(self, call: ActiveCall) -> Iterator[ActiveCall]:
        with contextlib.ExitStack() as stack:
            for layer in self._layers:
                stack.enter_context(layer(call))
            yield call


def _bounded(start: Callable[[], Iterator[Any]], deadline: Deadline | None) -> Generator[Any]:
    """Yield a handler's answers, each made under the deadline, and none after it."""
    with contextlib.ExitStack() as stack:
        with within(deadline):
            answers = iter(start())
        if isinstance(answers, Generator):
            stack.enter_context(contextlib.closing(answers))
        while True:
            with within(deadline):
                try:
                    answer = next(answers)
                except StopIteration:
                    return
            yield answer
            if deadline:
                deadline.check()


def status_code(context: Context) -> grpc.StatusCode | None:
    """Return the status that was set on a call so far; the type stubs do not know of it."""
    return cast("grpc.StatusCode | None", cast("Any", context).code())


def _parser_of(handler: Handler) -> Callable[[Any], Any]:
    """Return what makes a handler's request, or its stream of requests, of the bytes received."""
    deserialize = handler.request_deserializer

    def parse_one(received: bytes) -> Any:
        if deserialize is None:
            return received
        try:
            return deserialize(received)
        except DecodeError:
            raise RefusedError("REQUEST_MALFORMED", "the request is no message of this RPC") from None

    def parse_all(received: Iterator[bytes]) -> Iterator[Any]:
        return map(parse_one, received)

    return parse_all if handler.request_streaming else parse_one


def _unknown_rpc() -> Handler:
    """Return a handler for what the server does not offer; the access layer refuses before it runs."""

    def refuse(_requests: Iterator[bytes], _context: Context) -> Iterator[bytes]:
        raise RefusedError("ACCESS_UNLISTED_RPC", "this server offers no such RPC", kind=Kind.FORBIDDEN)

    return grpc.stream_stream_rpc_method_handler(refuse)
