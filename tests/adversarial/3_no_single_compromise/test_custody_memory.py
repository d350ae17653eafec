"""Custody's main process and the opener's zygote never hold a write secret or a released key."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from custody_support.process import CustodyMesh
from custody_support.vault import MESH, records_of
from garim.api.custody.v1 import custody_pb2 as pb
from garim.api.messages.v1 import messages_pb2
from garim.documents.fields import write_instant
from garim.kit.convert import document_to, envelope_to, logged_to
from garim.sealing import hpke, released, segment
from garim.testing.records import StoredEpoch

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root reads another process's memory")


@pytest.fixture
def mesh(tmp_path: Path) -> Iterator[CustodyMesh]:
    started = CustodyMesh(tmp_path)
    yield started
    started.close()


DOCUMENTS = "garim.kit.document_child"


def memory_of(pid: int) -> bytes:
    """Return all that a process holds in memory that it can write to."""
    parts = []
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            span, rights, *_ = line.split()
            if not rights.startswith("rw"):
                continue
            start, end = (int(one, 16) for one in span.split("-"))
            with contextlib.suppress(OSError, ValueError, OverflowError):
                memory.seek(start)
                parts.append(memory.read(end - start))
    return b"".join(parts)


def test_no_process_of_custody_holds_w_or_a_released_key_after_a_release(mesh: CustodyMesh) -> None:
    offer = mesh.stub("messages").GetEpoch(pb.GetEpochRequest()).epochs[0]
    epoch = StoredEpoch(offer.epoch_id, offer.public_key, offer.index_key)
    drafts = mesh.drafts
    begins_ms = max(offer.not_before_ms, drafts.clock.now_ms() - 30_000)
    written = drafts.store.write_secret(epoch, begins_ms)
    room = drafts.store.roster(epoch, written, ("subject-1", "bystander-1"))
    made = drafts.store.segment(written, room, begins_ms, received_ms=begins_ms)
    request = drafts.request(
        document={
            "issued_at": write_instant(begins_ms + 2),
            "period": {"from": write_instant(begins_ms - 1000), "to": write_instant(begins_ms + 1)},
        }
    )
    redaction = mesh.stub("redaction")
    dossier = redaction.CreateDossierKey(
        pb.CreateDossierKeyRequest(
            document=document_to(request.received),
            grant=logged_to(request.grant.statement, request.grant.proof),
            forecast=envelope_to(request.forecast),
        )
    )
    private, public = hpke.generate()
    records = records_of(made)
    answer = redaction.ReleaseSegmentKeys(
        pb.ReleaseSegmentKeysRequest(
            dossier_id=dossier.dossier_id,
            attempt_public_key=public,
            write_secrets=[
                messages_pb2.WriteSecret(record=one.record, signature=one.signature, sealed=one.sealed)
                for one in records.write_secrets
            ],
            rosters=records.rosters,
            headers=records.headers,
        )
    )
    digest = released.request_digest(records.rosters, records.headers)
    keys = released.open_keys(answer.sealed_keys, private, MESH, dossier.dossier_id, digest, 2)
    assert segment.open_block(keys[1], made.header, made.ciphertext) == made.block
    zygotes = {one.cmdline()[2]: one.pid for one in psutil.Process(mesh.process.pid).children()}
    assert zygotes.keys() == {"garim.custody.opener", DOCUMENTS}
    for pid in (mesh.process.pid, *zygotes.values()):
        memory = memory_of(pid)
        # The search does find what is there; what opens documents does not even know where keys lie.
        assert (str(mesh.folder / "keys").encode() in memory) == (pid != zygotes[DOCUMENTS])
        assert DOCUMENTS.encode() in memory or pid != zygotes[DOCUMENTS]
        assert bytes(written.secret.buffer) not in memory
        assert all(bytes(key.buffer) not in memory for key in keys)
