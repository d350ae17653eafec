"""Secrets of a running mesh, worked out from everything that lies on its disks, and the search for them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from ahocorasick_rs import BytesAhoCorasick

from garim.cli.keyfiles import KeyKind, read_key
from garim.custody.kinds import DOSSIER, EPOCH
from garim.kit.providers import KeyHandle
from garim.kit.providers.file import FileKeyProvider
from garim.sealing import identity, quorum, roster, segment, write_secret
from garim.sealing.quorum import SealedShare
from garim.sealing.roster import RosterRecord
from garim.sealing.secret import Secret
from garim.sealing.segment import SegmentHeader
from garim.sealing.write_secret import SealedWriteSecret, WriteSecretRecord
from mesh_support.live import LiveMesh
from mesh_support.reading import stolen_store

MIB = 1024 * 1024
Needles = dict[str, bytes]


def found_in_process(pid: int, needles: Mapping[str, bytes]) -> set[str]:
    """Return which needles lie in the writable memory of a process."""
    search = _Search(needles)
    maps = Path(f"/proc/{pid}/maps").read_text()
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in maps.splitlines():
            span, rights = line.split()[:2]
            if not rights.startswith("rw"):
                continue
            low, high = (int(part, 16) for part in span.split("-"))
            for start in range(low, high, 8 * MIB):
                try:
                    memory.seek(start)
                    search.look(memory.read(min(8 * MIB + search.longest, high - start)))
                except (OSError, ValueError, OverflowError):
                    continue
    return search.found


def found_in_files(folder: Path, needles: Mapping[str, bytes]) -> dict[str, set[str]]:
    """Return which needles lie in which files below a folder."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            search = _Search(needles)
            search.look(path.read_bytes())
            if search.found:
                found[str(path.relative_to(folder))] = search.found
    return found


class _Search:
    def __init__(self, needles: Mapping[str, bytes]) -> None:
        self._names = list(needles)
        self._automaton = BytesAhoCorasick(list(needles.values()))
        self.longest = max(len(one) for one in needles.values())
        self.found: set[str] = set()

    def look(self, data: bytes) -> None:
        """Note what is in it."""
        matches = self._automaton.find_matches_as_indexes(data, overlapping=True)
        self.found |= {self._names[number] for number, _, _ in matches}


def children(pid: int, module: str) -> list[int]:
    """Return the running children of a process that run a module."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
            command = (stat.parent / "cmdline").read_bytes()
        except OSError:
            continue
        if parent == pid and module.encode() in command:
            found.append(int(stat.parent.name))
    return found


def storage_secrets(mesh: LiveMesh, ended_by_ms: int) -> Needles:
    """Return every write secret that ended, what it derives, and the epochs' private keys."""
    provider = FileKeyProvider(mesh.places.service("custody") / "keys", mesh.file.mesh)
    privates: dict[str, Secret] = {}
    needles: Needles = {}
    for epoch_id, wrapped in mesh.query("custody", "SELECT epoch_id, wrapped_private FROM epochs"):
        privates[epoch_id] = provider.unwrap(KeyHandle(EPOCH, epoch_id), wrapped, b"private")
        needles |= _halves(f"epoch {epoch_id[:4]}", privates[epoch_id])
    loot = stolen_store(mesh)
    for name, kept in loot.secrets.items():
        record = WriteSecretRecord.decode(kept.record)
        if record.not_after >= ended_by_ms:
            continue
        sealed = SealedWriteSecret(kept.record, kept.signature, kept.sealed)
        w = write_secret.open_secret(sealed, privates[record.epoch.hex()])
        needles |= _derived(mesh.file.mesh, name.hex()[:6], w)
        segments = segment.segment_root(w, mesh.file.mesh)
        for header, _ in loot.segments:
            if SegmentHeader.decode(header).write_secret == name:
                key = segment.segment_key(segments, mesh.file.mesh, header)
                needles[f"segment {hashlib.sha256(header).hexdigest()[:8]}"] = bytes(key.buffer)
        rosters = roster.roster_root(w, mesh.file.mesh)
        for digest, one in loot.rosters.items():
            plain = RosterRecord.decode(one)
            if plain.plain.write_secret == name:
                key = roster.roster_key(rosters, mesh.file.mesh, plain.plain_bytes)
                needles[f"roster {digest.hex()[:8]}"] = bytes(key.buffer)
    return needles


def _halves(name: str, private: Secret) -> Needles:
    """Return the beginning of the ML-KEM seed and the X25519 key of an HPKE private key."""
    return {f"{name} seed": bytes(private.buffer[:32]), f"{name} x25519": bytes(private.buffer[-32:])}


def _derived(mesh: str, name: str, w: Secret) -> Needles:
    return {
        f"W {name}": bytes(w.buffer),
        f"K_seg {name}": bytes(segment.segment_root(w, mesh).buffer),
        f"K_roster {name}": bytes(roster.roster_root(w, mesh).buffer),
    }


def index_keys(mesh: LiveMesh) -> Needles:
    """Return the index key of every epoch."""
    provider = FileKeyProvider(mesh.places.service("custody") / "keys", mesh.file.mesh)
    rows = mesh.query("custody", "SELECT epoch_id, wrapped_index FROM epochs")
    return {
        f"K {epoch_id[:4]}": bytes(provider.unwrap(KeyHandle(EPOCH, epoch_id), wrapped, b"index").buffer)
        for epoch_id, wrapped in rows
    }


def dossier_secrets(mesh: LiveMesh) -> Needles:
    """Return Q, private key and S of every closed dossier: what only a quorum's shares open."""
    provider = FileKeyProvider(mesh.places.service("custody") / "keys", mesh.file.mesh)
    needles: Needles = {}
    rows = mesh.query(
        "custody",
        "SELECT dossier_id, wrapped_private, sealed_secret, grant_digest FROM dossiers"
        " WHERE state = 'closed' AND wrapped_private IS NOT NULL",
    )
    for dossier_id, wrapped, sealed, grant in rows:
        dossier = bytes.fromhex(dossier_id)
        shares = list(_shares(mesh, dossier_id, dossier))
        q = quorum.combine([one for one in shares if one.subset == shares[0].subset])
        twice = provider.unwrap(KeyHandle(DOSSIER, dossier_id), wrapped, b"private")
        private = quorum.unwrap_private(q, bytes(twice.buffer), mesh.file.mesh, dossier)
        secret = identity.open_secret(sealed, private, mesh.file.mesh, dossier, bytes.fromhex(grant))
        name = dossier_id[:6]
        needles[f"Q {name}"] = bytes(q.buffer)
        needles |= _halves(f"private {name}", private)
        needles[f"S {name}"] = bytes(secret.buffer)
        needles |= {f"share {name} {at}": bytes(one.share.buffer) for at, one in enumerate(shares)}
    return needles


def _shares(mesh: LiveMesh, dossier_id: str, dossier: bytes) -> Iterator[quorum.OpenShare]:
    rows = mesh.query(
        "custody",
        "SELECT subset, custodian, sealed, digest, holder FROM dossier_shares"
        " JOIN share_holders USING (dossier_id, custodian) WHERE dossier_id = ? ORDER BY subset",
        dossier_id,
    )
    for subset, custodian, sealed, digest, holder in rows:
        folder = mesh.folder_of(f"person/custodian/{holder}")
        passphrase = Secret(bytearray((folder / "passphrase").read_bytes().strip()))
        private = read_key(folder / "share.key", KeyKind.SHARE, passphrase)
        one = SealedShare(tuple(json.loads(subset)), custodian, sealed, digest, holder)
        yield quorum.open_share(one, private, mesh.file.mesh, dossier)
