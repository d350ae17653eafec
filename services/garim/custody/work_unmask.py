"""The opener's work for a second request: the only place where a dossier's secret is ever open."""

from __future__ import annotations

from contextlib import ExitStack

from garim.custody import jobs
from garim.custody.kinds import REQUEST
from garim.kit.providers import KeyHandle, KeyProvider
from garim.sealing import hpke, identity, quorum
from garim.sealing.secret import Secret


def make_request_key(job: jobs.MakeRequestKey, provider: KeyProvider) -> jobs.RequestKeyMade:
    """Make a one-time key pair; the private key is wrapped under the request's object."""
    private, public = hpke.generate()
    with private:
        wrapped = provider.wrap(KeyHandle(REQUEST, job.id), private.buffer, b"private")
    return jobs.RequestKeyMade(public=public, private=wrapped)


def check_shares(job: jobs.CheckShares, provider: KeyProvider) -> jobs.SharesRight:
    """Open every share and compare it with its digest.

    Raises:
        RefusedError: `SEALING_OPEN` or `SHARE_WRONG`.
    """
    with ExitStack() as stack:
        private = stack.enter_context(_unwrap(provider, job.request))
        for share in job.shares:
            _open_share(share, private, job.mesh, job.request_id, job.dossier, stack)
    return jobs.SharesRight()


def open_identities(job: jobs.OpenIdentities, provider: KeyProvider) -> jobs.IdentitiesOpened:
    """Open the named identities with one whole subset's shares.

    Raises:
        RefusedError: `SEALING_OPEN`, `SHARE_WRONG` or `SHARES_INCOMPLETE`.
    """
    with ExitStack() as stack:
        one_time = stack.enter_context(_unwrap(provider, job.request))
        shares = [
            _open_share(one, one_time, job.mesh, job.request_id, job.dossier, stack) for one in job.shares
        ]
        q = stack.enter_context(quorum.combine(shares))
        under_q = stack.enter_context(_unwrap(provider, job.dossier_key))
        private = stack.enter_context(quorum.unwrap_private(q, bytes(under_q.buffer), job.mesh, job.dossier))
        secret = stack.enter_context(
            identity.open_secret(job.sealed_secret, private, job.mesh, job.dossier, job.grant)
        )
        opened = tuple(
            identity.open_identity(secret, job.mesh, job.dossier, one.pseudonym, one.sealed)
            for one in job.identities
        )
    return jobs.IdentitiesOpened(identities=opened)


def _open_share(
    share: jobs.Share, private: Secret, mesh: str, request: bytes, dossier: bytes, stack: ExitStack
) -> quorum.OpenShare:
    opened = quorum.open_for_request(
        share.sealed, private, mesh, request, dossier, share.subset, share.custodian
    )
    stack.enter_context(opened.share)
    quorum.check_share(opened.share, share.digest)
    return opened


def _unwrap(provider: KeyProvider, wrapped: jobs.Wrapped) -> Secret:
    return provider.unwrap(KeyHandle(wrapped.kind, wrapped.id), wrapped.wrapped, b"private")
