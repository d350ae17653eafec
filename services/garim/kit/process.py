"""What the process of every service begins with: its identity, its peers, its telemetry.

A service's ``__main__`` is then::

    def main() -> None:
        with refusals_end_the_process("garim-custody"):
            settings = load_settings(settings_path(sys.argv), CustodySettings)
            process = Process("custody", settings)
            database = Database(settings.database.place)
            service = CustodyService(database, process.peers, process.clock)
            server = process.server([partial(add_CustodyServiceServicer_to_server, CustodyServicer(service))])
            server.health.register("database", database.check)
            server.serve_until_signalled()
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from garim.kit.channel import Peers
from garim.kit.clock import SystemClock
from garim.kit.hardening import harden_process
from garim.kit.refusals import RefusalSink
from garim.kit.server import MeshServer, Registration
from garim.kit.settings import ServiceSettings
from garim.kit.telemetry import Telemetry
from garim.kit.tls import Rotation
from garim.statements.refusal import Kind, RefusedError, RefusedWithReasonsError

EXIT_REFUSED = 2


class Process:
    """The parts that a service is wired from.

    Args:
        service: Name of the service; its certificate must name the same.
        settings: Its settings.

    Attributes:
        clock: The system's clocks.
        telemetry: Logs to standard error.
        rotation: The service's identity.
        peers: Its channels to other services.

    Raises:
        RefusedError: `CERTIFICATE_IDENTITY` (the certificate names somebody else), or as `tls.load`.
    """

    def __init__(self, service: str, settings: ServiceSettings) -> None:
        harden_process()
        self._settings = settings
        self.clock = SystemClock()
        self.telemetry = Telemetry(service, self.clock, tracing=settings.telemetry.target)
        self.rotation = Rotation(settings.tls.files(), settings.mesh, self.clock, self.telemetry)
        if self.rotation.current().identity.path != f"service/{service}":
            raise RefusedError(
                "CERTIFICATE_IDENTITY",
                f"the certificate in the settings is not that of {service}",
                kind=Kind.PRECONDITION,
                field="tls.certificate",
            )
        self.peers = Peers(self.rotation, settings.peers, clock=self.clock, telemetry=self.telemetry)

    def server(
        self, registrations: Sequence[Registration], refusal_sink: RefusalSink | None = None
    ) -> MeshServer:
        """Return the service's server, not yet started.

        Args:
            registrations: The servicers.
            refusal_sink: Where refused callers are appended to the audit log.

        Raises:
            RefusedError: As `MeshServer`.
        """
        return MeshServer(
            self._settings,
            registrations,
            clock=self.clock,
            telemetry=self.telemetry,
            refusal_sink=refusal_sink,
            rotation=self.rotation,
        )


def settings_path(arguments: Sequence[str]) -> Path:
    """Return the settings file that a command line names as its only argument.

    Raises:
        RefusedError: `SETTINGS_ARGUMENT`.
    """
    if len(arguments) != 2:
        raise RefusedError("SETTINGS_ARGUMENT", "name the settings file as the only argument")
    return Path(arguments[1])


@contextlib.contextmanager
def refusals_end_the_process(program: str) -> Iterator[None]:
    """Write every reason of a refusal on a line of its own to standard error, and exit with status 2.

    Args:
        program: Name before each line.
    """
    try:
        yield
    except RefusedError as refusal:
        reasons = refusal.reasons if isinstance(refusal, RefusedWithReasonsError) else (refusal,)
        for reason in reasons:
            sys.stderr.write(f"{program}: {reason.reason}: {reason.message}\n")
        raise SystemExit(EXIT_REFUSED) from None
