"""Where spans go: nowhere, to the service's own output, or to a collector that speaks OTLP over gRPC."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TextIO

import grpc
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import (
    BatchSpanProcessor,
    ConsoleSpanExporter,
    SimpleSpanProcessor,
    SpanExporter,
)

from garim.kit.files import read_file

TracingTarget = Literal["none", "console", "otlp"]


@dataclass(frozen=True, slots=True)
class Tracing:
    """Where spans go.

    Attributes:
        target: `none`, `console` (standard error) or `otlp`.
        collector: For `otlp`: `host:port` of the collector.
        trust: For `otlp`: PEM of the authorities that the collector's certificate must chain to; plaintext
            if None, for a collector on the same machine or behind the mesh's own transport.
    """

    target: TracingTarget = "none"
    collector: str | None = None
    trust: Path | None = None


NO_TRACING = Tracing()


def tracer_provider(service: str, tracing: Tracing, stream: TextIO | None) -> TracerProvider | None:
    """Return what makes a service's spans; None where none are made.

    Args:
        service: Its name, the only attribute of the resource.
        tracing: Where spans go.
        stream: Where those for the console go; standard error if None.

    Raises:
        RefusedError: `FILE_MISSING` or `FILE_UNREADABLE`: the collector's trust store.
    """
    if tracing.target == "none":
        return None
    provider = TracerProvider(resource=Resource({"service.name": service}))
    if tracing.target == "console":
        exporter = ConsoleSpanExporter(out=stream if stream is not None else sys.stderr)
        provider.add_span_processor(SimpleSpanProcessor(exporter))
    else:
        provider.add_span_processor(BatchSpanProcessor(_to_collector(tracing)))
    return provider


def _to_collector(tracing: Tracing) -> SpanExporter:
    # Two hundred modules that nobody needs who does not trace.
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

    trust = read_file(tracing.trust, "collector's trust store") if tracing.trust else None
    return OTLPSpanExporter(
        endpoint=tracing.collector,
        insecure=trust is None,
        credentials=None if trust is None else grpc.ssl_channel_credentials(trust),
    )
