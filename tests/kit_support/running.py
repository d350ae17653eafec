"""A served echo over real mutual TLS on loopback."""

from __future__ import annotations

import dataclasses
import functools
import io
import time
from collections.abc import Callable
from pathlib import Path

from garim.kit.channel import PeerChannel
from garim.kit.clock import SystemClock
from garim.kit.refusals import Refusal
from garim.kit.retries import Retries
from garim.kit.server import MeshServer
from garim.kit.settings import ServiceSettings, load_settings
from garim.kit.telemetry import Telemetry
from garim.kit.tls import Rotation, TlsFiles
from kit_support.authority import Authority
from kit_support.echo import Echo, EchoStub


@dataclasses.dataclass
class Running:
    """A served echo, and how to reach it."""

    authority: Authority
    echo: Echo
    server: MeshServer
    telemetry: Telemetry
    log: io.StringIO
    refusals: list[Refusal]
    files: TlsFiles
    _channels: list[PeerChannel] = dataclasses.field(default_factory=list)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server.port}"

    def channel(
        self,
        files: TlsFiles,
        *,
        mesh: str | None = None,
        expects: str = "custody",
        retries: Retries | None = None,
    ) -> PeerChannel:
        clock = SystemClock()
        rotation = Rotation(files, mesh or self.authority.mesh, clock, self.telemetry)
        channel = PeerChannel(
            rotation, expects, self.address, clock=clock, telemetry=self.telemetry, retries=retries
        )
        self._channels.append(channel)
        return channel

    def stub(self, files: TlsFiles, **options: str) -> EchoStub:
        return EchoStub(self.channel(files, **options))

    def close(self) -> None:
        for channel in self._channels:
            channel.close()
        self.server.drain()


def settings_of(folder: Path, authority: Authority, files: TlsFiles, more: str = "") -> ServiceSettings:
    path = folder / "settings.toml"
    path.write_text(
        f"""
mesh = "{authority.mesh}"
governance_genesis = "{"ab" * 32}"
listen = "127.0.0.1:0"
health_listen = "127.0.0.1:0"
workers = 4
drain_s = 5
{more}
[tls]
certificate = "{files.certificate}"
key = "{files.key}"
trust = "{files.trust}"
"""
    )
    return load_settings(path, ServiceSettings)


def serve(folder: Path, authority: Authority) -> Running:
    files = authority.service("custody")
    echo = Echo()
    log = io.StringIO()
    clock = SystemClock()
    telemetry = Telemetry("custody", clock, stream=log, strict=True)
    refusals: list[Refusal] = []
    server = MeshServer(
        settings_of(folder, authority, files),
        [functools.partial(Echo.register, echo)],
        clock=clock,
        telemetry=telemetry,
        refusal_sink=refusals.append,
    )
    server.start()
    return Running(authority, echo, server, telemetry, log, refusals, files)


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < until, "it did not happen within ten seconds"
        time.sleep(0.02)
