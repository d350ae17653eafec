"""The walk over every streaming RPC: messages are appended all the time, none of them arrives."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest
from google.protobuf import descriptor_pool

from garim.api.audit.v1 import audit_pb2
from garim.api.custody.v1 import custody_pb2
from garim.api.messages.v1 import messages_pb2
from garim.api.redaction.v1 import redaction_pb2
from garim.api.warrants.v1 import warrants_pb2
from garim.cli.importing import conversation_id
from garim.cli.meshfolder import MeshFolder
from garim.dossier.verification import verify_opened
from garim.sdk import GarimStore, Member, Message, Producer, Roster, TlsPaths
from mesh_support.played import Played

pytestmark = pytest.mark.timeout(300)
# ReadSegments is walked in test_messages_during_streams.py, in both of its passes.
WALKED = {"ReadSegments", "BuildDossier", "FetchDossier"}


class Appending:
    """A back end that stores messages of the subject, in the asked period, as fast as it can."""

    def __init__(self, played: Played, room: str, said: str) -> None:
        mesh, chosen = played.mesh, played.chosen
        backend = MeshFolder(mesh.root).person("", "backend")
        tls = TlsPaths(backend.tls.certificate, backend.tls.key, backend.tls.trust)
        self._store = GarimStore(mesh.file.addresses["messages"], mesh=mesh.file.mesh, tls=tls)
        members = (Member(chosen.subject, names=("최현우",)), Member("kakao:이웃", names=("이웃",)))
        self._roster = Roster(room, members)
        self._message = Message(chosen.span[0] + 1, chosen.subject, said)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.stored = 0

    def __enter__(self) -> Self:
        self._thread.start()
        while self.stored == 0 and self._thread.is_alive():
            self._stop.wait(0.01)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._store.close()

    def _run(self) -> None:
        with Producer(self._store, batch_size=4) as producer:
            while not self._stop.wait(0.002):
                producer.put(self._roster, self._message)
                producer.flush()
                self.stored += 1


def methods() -> Iterator[tuple[str, bool, bool]]:
    for module in (audit_pb2, custody_pb2, messages_pb2, redaction_pb2, warrants_pb2):
        file = descriptor_pool.Default().FindFileByName(module.DESCRIPTOR.name)
        for service in file.services_by_name.values():
            for method in service.methods:
                yield method.name, method.client_streaming, method.server_streaming


def test_no_rpc_streams_but_those_that_are_walked_here() -> None:
    found = list(methods())
    assert len(found) > 30
    assert not [name for name, client, _ in found if client]
    assert {name for name, _, server in found if server} == WALKED


@pytest.mark.parametrize("room", ["kakaotalk:다른 방", ""], ids=["another room", "the same room"])
def test_nothing_appended_while_a_dossier_is_built_and_fetched_arrives(
    played: Played, tmp_path: Path, room: str
) -> None:
    mesh = played.mesh
    late = f"뒤늦게 온 말 {room or 'x'}"
    document = played.another()
    with Appending(played, room or conversation_id(played.chosen.source.reader), late) as appending:
        case = mesh.granted(document)
        mesh.build(case)
        built = appending.stored
        receipt, opened = mesh.fetch(case, tmp_path)
        fetched = appending.stored
    verify_opened(opened, receipt)
    assert 10 < built <= fetched
    assert sum(1 for _ in opened.messages()) > 600
    shown = b"".join(path.read_bytes() for path in sorted(opened.folder.rglob("*")) if path.is_file())
    assert late.encode() not in shown
