"""Released keys: asked for in batches, sealed to this attempt alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from garim.api.custody.v1 import custody_pb2, custody_pb2_grpc
from garim.api.messages.v1 import messages_pb2
from garim.sealing import hpke, released
from garim.sealing.secret import Secret


@dataclass(frozen=True, slots=True)
class SealedKeys:
    """Keys as custody released them.

    Args:
        sealed: Sealed to the attempt.
        digest: Binds them to the records that were asked for.
        rosters: How many are of rosters; they come first.
        segments: How many are of segments.
    """

    sealed: bytes
    digest: bytes
    rosters: int
    segments: int


class AttemptKey:
    """The attempt's one-time key pair, to which all its keys are sealed; its workers have it too.

    Args:
        mesh: Name of the mesh.
        dossier: Id of the dossier, 16 bytes.
    """

    def __init__(self, mesh: str, dossier: bytes) -> None:
        self.mesh = mesh
        self.dossier = dossier
        self._private, self.public = hpke.generate()

    def open(self, keys: SealedKeys) -> tuple[list[Secret], list[Secret]]:
        """Return the keys of rosters and of segments, in order; the caller wipes them.

        Raises:
            RefusedError: `SEALING_OPEN`, `KEY_COUNT`.
        """
        count = keys.rosters + keys.segments
        opened = released.open_keys(keys.sealed, self._private, self.mesh, self.dossier, keys.digest, count)
        return opened[: keys.rosters], opened[keys.rosters :]

    def close(self) -> None:
        """Overwrite the private key."""
        self._private.wipe()


@dataclass(frozen=True, slots=True)
class KeyRequester:
    """Asks custody for keys of one dossier.

    Args:
        custody: Custody's stub.
        key: The attempt's.
    """

    custody: custody_pb2_grpc.CustodyServiceStub
    key: AttemptKey

    def ask(
        self,
        write_secrets: Sequence[messages_pb2.WriteSecret],
        rosters: Sequence[bytes],
        headers: Sequence[bytes],
    ) -> SealedKeys:
        """Return the keys of rosters and of segments, in order.

        Args:
            write_secrets: All that rosters and headers name.
            rosters: Whole roster records.
            headers: Encoded segment headers, each naming one of the rosters.

        Raises:
            RefusedError: Custody's reasons.
        """
        response = self.custody.ReleaseSegmentKeys(
            custody_pb2.ReleaseSegmentKeysRequest(
                dossier_id=self.key.dossier,
                attempt_public_key=self.key.public,
                write_secrets=write_secrets,
                rosters=rosters,
                headers=headers,
            )
        )
        digest = released.request_digest(rosters, headers)
        return SealedKeys(response.sealed_keys, digest, len(rosters), len(headers))
