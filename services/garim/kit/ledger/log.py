"""The audit service as the ledger sees it, and what its failures mean."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

import grpc

from garim.api.audit.v1 import audit_pb2 as pb
from garim.statements.refusal import Kind, RefusedError

Request_contra = TypeVar("Request_contra", contravariant=True)
Answer_co = TypeVar("Answer_co", covariant=True)

# The log says that it does not know what it has signed: its tree is another one, or went back.
_FORKED = frozenset({"LOG_PIN", "LOG_RANGE", "LOG_WITNESS_CONFLICT"})
_TOLD = frozenset({"LOG_TIME", "LOG_WITNESS_SILENT"})


class Rpc(Protocol[Request_contra, Answer_co]):
    """One unary call; a generated stub's member fits."""

    def __call__(self, request: Request_contra, /) -> Answer_co:
        """Send the request."""
        ...


class AuditLog(Protocol):
    """The calls of the audit service that a ledger makes; its generated stub fits."""

    @property
    def AppendEntry(self) -> Rpc[pb.AppendEntryRequest, pb.AppendEntryResponse]:  # noqa: N802 - the RPC's name
        """Append one entry and prove it."""
        ...

    @property
    def GetCheckpoint(self) -> Rpc[pb.GetCheckpointRequest, pb.GetCheckpointResponse]:  # noqa: N802 - as above
        """Return the newest checkpoint."""
        ...

    @property
    def GetInclusionProof(  # noqa: N802 - as above
        self,
    ) -> Rpc[pb.GetInclusionProofRequest, pb.GetInclusionProofResponse]:
        """Prove that a leaf lies in a tree."""
        ...

    @property
    def GetConsistencyProof(  # noqa: N802 - as above
        self,
    ) -> Rpc[pb.GetConsistencyProofRequest, pb.GetConsistencyProofResponse]:
        """Prove one tree a prefix of another."""
        ...


RequestT = TypeVar("RequestT")
AnswerT = TypeVar("AnswerT")


def ask(call: Callable[[RequestT], AnswerT], request: RequestT) -> AnswerT:
    """Call the log.

    Args:
        call: Member of its stub.
        request: What to ask.

    Raises:
        RefusedError: `LOG_FORK` (data loss): it does not know our pin, or a size it has signed. `LOG_TIME`:
            our clock and its own differ. `LOG_WITNESS_SILENT`: a witness has not cosigned. `LOG_UNAVAILABLE`:
            anything else; the same call may succeed later.
    """
    try:
        return call(request)
    except RefusedError as error:
        if error.reason in _FORKED:
            raise fork("the log does not know what it has signed before") from error
        if error.reason in _TOLD:
            raise RefusedError(error.reason, error.message, kind=Kind.UNAVAILABLE) from error
        raise unavailable() from error
    except grpc.RpcError as error:
        raise unavailable() from error


def unavailable() -> RefusedError:
    """Return the refusal of what the log has to prove but does not."""
    return RefusedError(
        "LOG_UNAVAILABLE",
        "the log does not answer, and nothing opens without it: try again",
        kind=Kind.UNAVAILABLE,
    )


def fork(what: str) -> RefusedError:
    """Return the refusal of a log that shows two histories.

    Args:
        what: What it did, in a clause.
    """
    return RefusedError("LOG_FORK", f"{what}: stop using this log, call the auditors", kind=Kind.DATA_LOSS)
