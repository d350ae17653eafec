"""The quorum is cryptographic: k of n custodians' shares, or the dossier's key stays shut.

The dossier's private key is encrypted under a random Q. For each k-subset of the n custodians Q is split by
XOR into k shares, one for each member, each HPKE-sealed to its custodian and bound to dossier, subset,
custodian and holder. Any k-1 custodians hold, of every subset, at least one share too few, and k-1 XOR shares
are uniformly random.

A custodian is a name in the subsets, and keeps standing there; the holder is who can open that custodian's
shares now. They are the same person until the custodian's client re-seals the shares to a successor.
"""

from __future__ import annotations

import hashlib
import hmac
import itertools
from collections.abc import Mapping
from dataclasses import dataclass

from garim.sealing import hpke, keys
from garim.sealing.secret import Secret
from garim.statements.labels import Purpose, bind, lp
from garim.statements.refusal import Kind, RefusedError

MAX_CUSTODIANS = 7
FRESH_BYTES = 16


@dataclass(frozen=True, slots=True)
class SealedShare:
    """One custodian's share for one subset.

    Args:
        subset: Names of the subset's k custodians, sorted.
        custodian: Whose place in the subset it fills.
        sealed: The share, HPKE-sealed to the holder.
        digest: SHA-256 of the share, by which a wrong one is attributed.
        holder: Who can open it.
    """

    subset: tuple[str, ...]
    custodian: str
    sealed: bytes
    digest: bytes
    holder: str


@dataclass(frozen=True, slots=True)
class OpenShare:
    """A share in the clear, on its way into `combine`.

    Args:
        subset: Names of the subset's custodians, sorted.
        custodian: Whose place in the subset it fills.
        share: The share; wiped by whoever opened it.
    """

    subset: tuple[str, ...]
    custodian: str
    share: Secret


def subset_bytes(subset: tuple[str, ...]) -> bytes:
    """Return a subset's names as bytes that bind it."""
    return b"".join(lp(name.encode()) for name in subset)


def _share_binding(mesh: str, dossier: bytes, subset: tuple[str, ...], custodian: str, holder: str) -> bytes:
    return bind(
        Purpose.QUORUM_SHARE, mesh, dossier, subset_bytes(subset), custodian.encode(), holder.encode()
    )


def _approval_binding(
    mesh: str, request: bytes, dossier: bytes, subset: tuple[str, ...], custodian: str
) -> bytes:
    return bind(Purpose.QUORUM_APPROVAL, mesh, request, dossier, subset_bytes(subset), custodian.encode())


def _xor_into(target: bytearray, other: bytearray) -> None:
    for position, byte in enumerate(other):
        target[position] ^= byte


def split(q: Secret, mesh: str, dossier: bytes, custodians: Mapping[str, bytes], k: int) -> list[SealedShare]:
    """Split Q for every k-subset of the custodians.

    Args:
        q: The wrapping key, 32 bytes.
        mesh: Name of the mesh.
        dossier: Id of the dossier, 16 bytes.
        custodians: HPKE public share keys by custodian.
        k: How many must act together; 1 < k < n.

    Raises:
        RefusedError: `QUORUM_SIZE`.
    """
    if not 1 < k < len(custodians) <= MAX_CUSTODIANS:
        raise RefusedError("QUORUM_SIZE", f"needs 1 < k < n <= {MAX_CUSTODIANS}", field="quorum")
    sealed = []
    for subset in itertools.combinations(sorted(custodians), k):
        with Secret(bytearray(q.buffer)) as last:
            for custodian in subset[:-1]:
                with Secret.random(len(q)) as share:
                    _xor_into(last.buffer, share.buffer)
                    sealed.append(_seal_share(share, mesh, dossier, subset, custodian, custodians[custodian]))
            sealed.append(_seal_share(last, mesh, dossier, subset, subset[-1], custodians[subset[-1]]))
    return sealed


def _seal_share(
    share: Secret, mesh: str, dossier: bytes, subset: tuple[str, ...], custodian: str, public: bytes
) -> SealedShare:
    binding = _share_binding(mesh, dossier, subset, custodian, custodian)
    digest = hashlib.sha256(share.buffer).digest()
    return SealedShare(subset, custodian, hpke.seal(share.buffer, public, binding), digest, custodian)


def open_share(sealed: SealedShare, private: Secret, mesh: str, dossier: bytes) -> OpenShare:
    """Open a share with its holder's private key and check its digest.

    Raises:
        RefusedError: `SEALING_OPEN` or `SHARE_WRONG`.
    """
    binding = _share_binding(mesh, dossier, sealed.subset, sealed.custodian, sealed.holder)
    share = hpke.open_sealed(sealed.sealed, private, binding)
    check_share(share, sealed.digest)
    return OpenShare(sealed.subset, sealed.custodian, share)


def check_share(share: Secret, digest: bytes) -> None:
    """Refuse a share that is not the one custody split.

    Raises:
        RefusedError: `SHARE_WRONG`.
    """
    if not hmac.compare_digest(hashlib.sha256(share.buffer).digest(), digest):
        raise RefusedError("SHARE_WRONG", "the share is not the one that was split for this custodian")


def reseal_for_request(
    share: OpenShare, one_time_public: bytes, mesh: str, request: bytes, dossier: bytes
) -> bytes:
    """Seal an opened share to an unmask request's one-time key, as part of an approval.

    Args:
        share: The share.
        one_time_public: HPKE public key of the request.
        mesh: Name of the mesh.
        request: Id of the request, 16 bytes.
        dossier: Id of the dossier, 16 bytes.
    """
    binding = _approval_binding(mesh, request, dossier, share.subset, share.custodian)
    return hpke.seal(share.share.buffer, one_time_public, binding)


def open_for_request(
    sealed: bytes,
    one_time_private: Secret,
    mesh: str,
    request: bytes,
    dossier: bytes,
    subset: tuple[str, ...],
    custodian: str,
) -> OpenShare:
    """Open a share that came with an approval.

    Raises:
        RefusedError: `SEALING_OPEN`.
    """
    binding = _approval_binding(mesh, request, dossier, subset, custodian)
    return OpenShare(subset, custodian, hpke.open_sealed(sealed, one_time_private, binding))


def reseal_for_successor(
    share: OpenShare, successor_public: bytes, successor: str, mesh: str, dossier: bytes
) -> bytes:
    """Seal a leaving custodian's share to the successor, who fills the same place in the subset.

    Args:
        share: The share.
        successor_public: The successor's HPKE public key, as governance names it.
        successor: Their name.
        mesh: Name of the mesh.
        dossier: Id of the dossier, 16 bytes.
    """
    binding = _share_binding(mesh, dossier, share.subset, share.custodian, successor)
    return hpke.seal(share.share.buffer, successor_public, binding)


def combine(shares: list[OpenShare], size: int = 32) -> Secret:
    """Rebuild Q from one subset's complete shares.

    Raises:
        RefusedError: `SHARES_INCOMPLETE` where they are not exactly one subset's, `SHARE_WRONG` where one has
            another length than Q.
    """
    subsets = {one.subset for one in shares}
    if len(subsets) != 1 or tuple(sorted(one.custodian for one in shares)) != shares[0].subset:
        raise RefusedError(
            "SHARES_INCOMPLETE", "the shares are not one whole subset's", kind=Kind.PRECONDITION
        )
    if any(len(one.share) != size for one in shares):
        raise RefusedError("SHARE_WRONG", f"a share has {size} bytes")
    q = Secret(bytearray(size))
    for one in shares:
        _xor_into(q.buffer, one.share.buffer)
    return q


def wrap_private(q: Secret, private: Secret, mesh: str, dossier: bytes, fresh: bytes) -> bytes:
    """Encrypt a dossier's private key under Q.

    Args:
        q: The wrapping key.
        private: HPKE private key of the dossier.
        mesh: Name of the mesh.
        dossier: Id of the dossier, 16 bytes.
        fresh: 16 random bytes.
    """
    label = bind(Purpose.DOSSIER_PRIVATE_KEY, mesh, dossier, fresh)
    with keys.expand(q, label) as key:
        return fresh + keys.encrypt_once(key, private.buffer, label)


def unwrap_private(q: Secret, wrapped: bytes, mesh: str, dossier: bytes) -> Secret:
    """Decrypt a dossier's private key with the rebuilt Q.

    Raises:
        RefusedError: `SEALING_OPEN`.
    """
    fresh, ciphertext = wrapped[:FRESH_BYTES], wrapped[FRESH_BYTES:]
    label = bind(Purpose.DOSSIER_PRIVATE_KEY, mesh, dossier, fresh)
    with keys.expand(q, label) as key:
        return Secret(bytearray(keys.decrypt_once(key, ciphertext, label)))
