"""A service of four shapes of RPC, described at run time, with the access option beside each RPC."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, wrappers_pb2

from garim.api.common.v1 import access_pb2

Text = wrappers_pb2.StringValue
NAME = "kit.test.v1.EchoService"
UNLISTED = "kit.test.v1.UnlistedService"
NOBODY = "kit.test.v1.NobodyService"
WIDE = "kit.test.v1.WideService"


def _describe() -> None:
    file = descriptor_pb2.FileDescriptorProto(
        name="kit/test/v1/echo.proto",
        package="kit.test.v1",
        syntax="proto3",
        dependency=["google/protobuf/wrappers.proto", "garim/api/common/v1/access.proto"],
    )
    echo = file.service.add(name="EchoService")
    callers = ["service/redaction", "person/custodian"]
    _add(echo, "Say", access_pb2.Access(callers=callers, idempotent=True, deadline_seconds=5))
    _add(echo, "SayOnce", access_pb2.Access(callers=callers, deadline_seconds=5))
    _add(echo, "Count", access_pb2.Access(callers=callers, deadline_seconds=2), server_streaming=True)
    _add(echo, "Gather", access_pb2.Access(callers=callers, deadline_seconds=5), client_streaming=True)
    _add(
        echo,
        "Talk",
        access_pb2.Access(callers=callers, deadline_seconds=5),
        client_streaming=True,
        server_streaming=True,
    )
    _add(file.service.add(name="UnlistedService"), "Say", None)
    _add(file.service.add(name="NobodyService"), "Say", access_pb2.Access(idempotent=True))
    _add(file.service.add(name="WideService"), "Say", access_pb2.Access(callers=["*"]))
    if not _known():
        descriptor_pool.Default().Add(file)


def _known() -> bool:
    try:
        descriptor_pool.Default().FindServiceByName(NAME)
    except KeyError:
        return False
    return True


def _add(
    service: descriptor_pb2.ServiceDescriptorProto,
    name: str,
    access: access_pb2.Access | None,
    *,
    client_streaming: bool = False,
    server_streaming: bool = False,
) -> None:
    method = service.method.add(
        name=name,
        input_type=".google.protobuf.StringValue",
        output_type=".google.protobuf.StringValue",
        client_streaming=client_streaming,
        server_streaming=server_streaming,
    )
    if access is not None:
        method.options.Extensions[access_pb2.access].CopyFrom(access)


_describe()

Handler = Callable[[str, grpc.ServicerContext], str]


class Echo:
    """Answers with what was sent; a test replaces `say` to make it do something else."""

    def __init__(self) -> None:
        self.say: Handler = lambda text, _context: text
        self.count: Callable[[str], Iterator[str]] = lambda text: iter([text] * 3)
        self.answer: Callable[[str], Any] = lambda text: Text(value=text)
        self.calls = 0

    def Say(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 - the name of the RPC
        self.calls += 1
        return self.answer(self.say(request.value, context))

    def Count(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:  # noqa: N802 - the name of the RPC
        for text in self.count(request.value):
            yield Text(value=text)

    def Gather(self, requests: Iterator[Any], context: grpc.ServicerContext) -> Any:  # noqa: N802 - the name of the RPC
        return Text(value=",".join(request.value for request in requests))

    def Talk(self, requests: Iterator[Any], context: grpc.ServicerContext) -> Iterator[Any]:  # noqa: N802 - the name of the RPC
        for request in requests:
            yield Text(value=self.say(request.value, context))

    def register(self, server: grpc.Server, name: str = NAME) -> None:
        """Do what generated code does."""
        codec = {"request_deserializer": Text.FromString, "response_serializer": Text.SerializeToString}
        handlers: dict[str, Any] = {
            "Say": grpc.unary_unary_rpc_method_handler(self.Say, **codec),
            "SayOnce": grpc.unary_unary_rpc_method_handler(self.Say, **codec),
            "Count": grpc.unary_stream_rpc_method_handler(self.Count, **codec),
            "Gather": grpc.stream_unary_rpc_method_handler(self.Gather, **codec),
            "Talk": grpc.stream_stream_rpc_method_handler(self.Talk, **codec),
        }
        if name != NAME:
            handlers = {"Say": handlers["Say"]}
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, handlers),))
        server.add_registered_method_handlers(name, handlers)


class EchoStub:
    """What generated code gives a client."""

    def __init__(self, channel: grpc.Channel) -> None:
        def make(shape: str, method: str) -> Any:
            return getattr(channel, shape)(
                f"/{NAME}/{method}",
                request_serializer=Text.SerializeToString,
                response_deserializer=Text.FromString,
                _registered_method=True,
            )

        self.Say = make("unary_unary", "Say")
        self.SayOnce = make("unary_unary", "SayOnce")
        self.Count = make("unary_stream", "Count")
        self.Gather = make("stream_unary", "Gather")
        self.Talk = make("stream_stream", "Talk")
