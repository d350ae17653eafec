"""Store the sample room slowly, and other traffic beside it, until a line comes in; then the rest at once.

`test_upgrade.py` runs it with the sources of the version before, whose sdk is then the one under test.
"""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path

from garim.cli.demo.chosen import choose
from garim.cli.importing import import_export
from garim.cli.meshfolder import MeshFolder
from garim.sdk import GarimError, GarimStore, Message, Producer, Roster
from operations_support import Traffic, backend_tls

PAUSE_S = 0.5


class Slowly:
    """A sink that pauses after each message until it is told to hurry."""

    def __init__(self, producer: Producer, hurry: threading.Event) -> None:
        self._producer = producer
        self._hurry = hurry
        self.put_slowly = 0

    def put(self, roster: Roster, message: Message) -> None:
        self._producer.put(roster, message)
        if not self._hurry.is_set():
            self.put_slowly += 1
            self._hurry.wait(PAUSE_S)


def main(mesh: Path) -> None:
    file, hurry = MeshFolder(mesh).read(), threading.Event()

    def listen() -> None:
        sys.stdin.readline()
        hurry.set()

    threading.Thread(target=listen, daemon=True).start()
    failed: list[str] = []
    with Traffic(mesh) as traffic:
        try:
            with (
                GarimStore(file.addresses["messages"], mesh=file.mesh, tls=backend_tls(mesh)) as store,
                Producer(store) as producer,
            ):
                sink = Slowly(producer, hurry)
                done = import_export(choose(None, "", "").source.reader, sink, lambda _read, _total: None)
                hurry.wait()
        except GarimError as error:
            failed.append(error.reason)
    figures = {
        "put": traffic.put,
        "acknowledged": traffic.acknowledged,
        "failed": failed + traffic.failed,
        "room": done.messages + done.changes,
        "room_slowly": sink.put_slowly,
    }
    sys.stdout.write(json.dumps(figures))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
