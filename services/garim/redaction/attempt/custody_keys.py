"""Released keys: asked for in batches, sealed to this attempt alone."""

from __future__ import annotations

from collections.abc import Sequence

from garim.api.custody.v1 import custody_pb2, custody_pb2_grpc
from garim.api.messages.v1 import messages_pb2
from garim.sealing import hpke, released
from garim.sealing.secret import Secret


class KeyRequester:
    """Asks custody for keys of one dossier.

    Args:
        custody: Custody's stub.
        mesh: Name of the mesh.
        dossier: Id of the dossier, 16 bytes.
    """

    def __init__(self, custody: custody_pb2_grpc.CustodyServiceStub, mesh: str, dossier: bytes) -> None:
        self._custody = custody
        self._mesh = mesh
        self._dossier = dossier
        self._private, self._public = hpke.generate()

    def keys(
        self,
        write_secrets: Sequence[messages_pb2.WriteSecret],
        rosters: Sequence[bytes],
        headers: Sequence[bytes],
    ) -> tuple[list[Secret], list[Secret]]:
        """Return the keys of rosters and of segments, in order; the caller wipes them.

        Args:
            write_secrets: All that rosters and headers name.
            rosters: Whole roster records.
            headers: Encoded segment headers, each naming one of the rosters.

        Raises:
            RefusedError: Custody's reasons, `SEALING_OPEN`, `KEY_COUNT`.
        """
        response = self._custody.ReleaseSegmentKeys(
            custody_pb2.ReleaseSegmentKeysRequest(
                dossier_id=self._dossier,
                attempt_public_key=self._public,
                write_secrets=write_secrets,
                rosters=rosters,
                headers=headers,
            )
        )
        digest = released.request_digest(rosters, headers)
        count = len(rosters) + len(headers)
        opened = released.open_keys(
            response.sealed_keys, self._private, self._mesh, self._dossier, digest, count
        )
        return opened[: len(rosters)], opened[len(rosters) :]

    def close(self) -> None:
        """Overwrite the attempt's private key."""
        self._private.wipe()
