"""The opener's work: the only code of custody that holds an open private key, write secret or derived key.

It runs in a child process that exits after one job (`opener`); in tests it may run in place. Everything
opened is wiped before an answer is given.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from garim.custody import jobs, work_unmask
from garim.custody.kinds import DOSSIER, EPOCH, ORDER, RECOVERY, recovery_binding
from garim.kit.providers import KeyHandle, KeyProvider
from garim.sealing import hpke, keys, quorum, released, roster, segment, tags, write_secret
from garim.sealing.keys import KEY_BYTES
from garim.sealing.secret import Secret
from garim.statements.labels import Purpose, bind

FRESH_BYTES = 16


def perform(encoded: bytes, provider: KeyProvider) -> bytes:
    """Perform an encoded job and return its encoded answer.

    Args:
        encoded: From `jobs.Message.encode`.
        provider: Holds the objects.

    Raises:
        RefusedError: What the provider or the sealing refused.
    """
    job = jobs.JOBS.validate_json(encoded)
    return _WORK[type(job)](job, provider).encode()


def unwrap(provider: KeyProvider, wrapped: jobs.Wrapped, use: str) -> Secret:
    """Open something under its provider object.

    Args:
        provider: Holds the object.
        wrapped: What was wrapped.
        use: Which of the object's values it is: `private`, `index`, `key`.

    Raises:
        RefusedError: `KEY_OBJECT_MISSING`, `KEY_UNWRAP`.
    """
    return provider.unwrap(KeyHandle(wrapped.kind, wrapped.id), wrapped.wrapped, use.encode())


def _wrap(provider: KeyProvider, kind: str, object_id: str, use: str, secret: Secret) -> bytes:
    return provider.wrap(KeyHandle(kind, object_id), secret.buffer, use.encode())


def _lock(key: Secret, mesh: str, what: bytes, bound: bytes, secret: Secret) -> bytes:
    fresh = secrets.token_bytes(FRESH_BYTES)
    label = bind(Purpose.PRESERVED_KEYS, mesh, what, bound, fresh)
    with keys.expand(key, label) as once:
        return fresh + keys.encrypt_once(once, secret.buffer, label)


def _unlock(key: Secret, mesh: str, what: bytes, bound: bytes, kept: bytes) -> Secret:
    fresh, ciphertext = kept[:FRESH_BYTES], kept[FRESH_BYTES:]
    label = bind(Purpose.PRESERVED_KEYS, mesh, what, bound, fresh)
    with keys.expand(key, label) as once:
        return Secret(bytearray(keys.decrypt_once(once, ciphertext, label)))


def _make_epoch(job: jobs.MakeEpoch, provider: KeyProvider) -> jobs.EpochMade:
    private, public = hpke.generate()
    with private, Secret.random() as index:
        return jobs.EpochMade(
            public=public,
            private=_wrap(provider, EPOCH, job.id, "private", private),
            index=_wrap(provider, EPOCH, job.id, "index", index),
        )


def _make_recovery_key(job: jobs.MakeRecoveryKey, provider: KeyProvider) -> jobs.RecoveryKeyMade:
    private, public = hpke.generate()
    with private:
        wrapped = _wrap(provider, RECOVERY, job.id, "private", private)
        return jobs.RecoveryKeyMade(public=public, private=wrapped)


def _blind(job: jobs.BlindSubjects, provider: KeyProvider) -> jobs.Tags:
    with unwrap(provider, job.index, "index") as index:
        return jobs.Tags(tags=tuple(tags.tag(index, job.mesh, one.kind, one.value) for one in job.subjects))


def _make_dossier(job: jobs.MakeDossier, provider: KeyProvider) -> jobs.DossierMade:
    private, public = hpke.generate()
    with private, Secret.random() as q:
        shares = quorum.split(q, job.mesh, job.dossier, job.custodians, job.quorum)
        under_q = quorum.wrap_private(q, private, job.mesh, job.dossier, job.fresh)
    with Secret(bytearray(under_q)) as twice:
        wrapped = _wrap(provider, DOSSIER, job.id, "private", twice)
    made = tuple(
        jobs.Share(subset=one.subset, custodian=one.custodian, sealed=one.sealed, digest=one.digest)
        for one in shares
    )
    return jobs.DossierMade(public=public, private=wrapped, shares=made)


def _release(job: jobs.ReleaseKeys, provider: KeyProvider) -> jobs.Sealed:
    with ExitStack() as stack:
        derived = _derive(job.sources, job.mesh, provider, stack)
        return jobs.Sealed(sealed=released.seal_keys(derived, job.attempt, job.mesh, job.dossier, job.digest))


def _keep_keys(job: jobs.KeepKeys, provider: KeyProvider) -> jobs.Sealed:
    with ExitStack() as stack:
        derived = _derive(job.sources, job.mesh, provider, stack)
        joined = stack.enter_context(Secret(bytearray(KEY_BYTES * len(derived))))
        for position, one in enumerate(derived):
            joined.buffer[position * KEY_BYTES : (position + 1) * KEY_BYTES] = one.buffer
        order = stack.enter_context(unwrap(provider, job.order, "key"))
        return jobs.Sealed(sealed=_lock(order, job.mesh, b"keys", job.batch, joined))


def _derive(sources: jobs.KeySources, mesh: str, provider: KeyProvider, stack: ExitStack) -> list[Secret]:
    """Return the wanted keys in order; `stack` wipes all that was opened on the way."""
    privates = [stack.enter_context(unwrap(provider, one, "private")) for one in sources.epochs]
    roots = [_roots(one, privates[one.epoch], mesh, stack) for one in sources.secrets]
    batches = [_open_batch(one, mesh, provider, stack) for one in sources.batches]
    derived = []
    for want in sources.wanted:
        if want.source == "kept":
            key = Secret(bytearray(batches[want.number][want.position]))
        elif want.kind == "roster":
            key = roster.roster_key(roots[want.number][0], mesh, want.data)
        else:
            key = segment.segment_key(roots[want.number][1], mesh, want.data)
        derived.append(stack.enter_context(key))
    return derived


def _roots(opened: jobs.OpenedFrom, private: Secret, mesh: str, stack: ExitStack) -> tuple[Secret, Secret]:
    kept = write_secret.SealedWriteSecret(opened.record, b"", opened.sealed)
    with write_secret.open_secret(kept, private) as w:
        return (
            stack.enter_context(roster.roster_root(w, mesh)),
            stack.enter_context(segment.segment_root(w, mesh)),
        )


def _open_batch(
    batch: jobs.KeptBatch, mesh: str, provider: KeyProvider, stack: ExitStack
) -> list[memoryview]:
    with unwrap(provider, batch.order, "key") as order:
        return _parts(stack.enter_context(_unlock(order, mesh, b"keys", batch.batch, batch.kept)))


def _parts(joined: Secret) -> list[memoryview]:
    view = memoryview(joined.buffer)
    return [view[at : at + KEY_BYTES] for at in range(0, len(view), KEY_BYTES)]


def _make_order(job: jobs.MakeOrder, provider: KeyProvider) -> jobs.Sealed:
    with Secret.random() as key:
        return jobs.Sealed(sealed=_wrap(provider, ORDER, job.id, "key", key))


def _keep_tags(job: jobs.KeepTags, provider: KeyProvider) -> jobs.Sealed:
    with unwrap(provider, job.order, "key") as key, Secret(bytearray(b"".join(job.tags))) as joined:
        return jobs.Sealed(sealed=_lock(key, job.mesh, b"tags", job.epoch, joined))


def _open_tags(job: jobs.OpenTags, provider: KeyProvider) -> jobs.Tags:
    with (
        unwrap(provider, job.order, "key") as key,
        _unlock(key, job.mesh, b"tags", job.epoch, job.kept) as joined,
    ):
        return jobs.Tags(tags=tuple(bytes(part) for part in _parts(joined)))


def _open_log_bodies(job: jobs.OpenLogBodies, provider: KeyProvider) -> jobs.LogBodiesOpened:
    with unwrap(provider, job.key, "private") as private:
        return jobs.LogBodiesOpened(
            signed=tuple(_open_log_body(one, private, job.mesh) for one in job.bodies)
        )


def _open_log_body(body: jobs.SealedBody, private: Secret, mesh: str) -> bytes:
    with hpke.open_sealed(body.sealed, private, recovery_binding(mesh, body.kind)) as signed:
        return bytes(signed.buffer)


_WORK: dict[type[jobs.Message], Callable[[Any, KeyProvider], jobs.Message]] = {
    jobs.MakeEpoch: _make_epoch,
    jobs.MakeRecoveryKey: _make_recovery_key,
    jobs.BlindSubjects: _blind,
    jobs.MakeDossier: _make_dossier,
    jobs.ReleaseKeys: _release,
    jobs.MakeOrder: _make_order,
    jobs.KeepKeys: _keep_keys,
    jobs.KeepTags: _keep_tags,
    jobs.OpenTags: _open_tags,
    jobs.MakeRequestKey: work_unmask.make_request_key,
    jobs.CheckShares: work_unmask.check_shares,
    jobs.OpenIdentities: work_unmask.open_identities,
    jobs.OpenLogBodies: _open_log_bodies,
}
"""What is done for each job."""
