"""`receipt.json`: custody's logged receipt with the governance chain that shows whose keys signed it."""

from __future__ import annotations

import base64
import itertools
from dataclasses import dataclass
from typing import Any

from garim.statements import dsse, strict_json
from garim.statements.governance import Governance, raw_key, verify_genesis, verify_next
from garim.statements.receipts import DossierReceipt
from garim.statements.refusal import RefusedError
from garim.translog.checkpoint import parse_checkpoint_text
from garim.translog.keys import VerifierKey
from garim.translog.note import parse_note
from garim.translog.proven import LogProof, verify_logged


@dataclass(frozen=True, slots=True)
class LoggedStatement:
    """A statement whose payload is logged.

    Args:
        statement: The signed statement.
        proof: Proof over its payload.
    """

    statement: dsse.Envelope
    proof: LogProof

    def to_json(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return {"statement": dsse.to_json(self.statement), "proof": self.proof.to_object()}

    @classmethod
    def from_json(cls, value: Any) -> LoggedStatement:
        """Read it from a JSON object.

        Raises:
            RefusedError: `STATEMENT_ENVELOPE` or `LOG_PROOF`.
        """
        if not isinstance(value, dict) or value.keys() != {"statement", "proof"}:
            raise RefusedError("STATEMENT_ENVELOPE", "must hold statement and proof, nothing else")
        return cls(dsse.from_json(value["statement"]), LogProof.from_object(value["proof"]))


@dataclass(frozen=True, slots=True)
class GovernanceLink:
    """A governance version with the decisions that put it in force.

    Args:
        document: Its exact bytes.
        decisions: The custodians' decisions.
    """

    document: bytes
    decisions: tuple[dsse.Envelope, ...]


@dataclass(frozen=True, slots=True)
class ReceiptFile:
    """What `receipt.json` holds.

    Args:
        receipt: Custody's logged receipt.
        governance: Every governance version up to the one in force, in order.
    """

    receipt: LoggedStatement
    governance: tuple[GovernanceLink, ...]

    def to_bytes(self) -> bytes:
        """Return the file's bytes."""
        return strict_json.dump(
            {
                "format": "garim-receipt/1",
                "receipt": self.receipt.to_json(),
                "governance": [
                    {
                        "document": base64.b64encode(link.document).decode(),
                        "decisions": [dsse.to_json(one) for one in link.decisions],
                    }
                    for link in self.governance
                ],
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> ReceiptFile:
        """Read the file.

        Raises:
            RefusedError: `RECEIPT_FILE` and those of its parts.
        """
        value = strict_json.parse_object(data)
        if value.keys() != {"format", "receipt", "governance"} or value["format"] != "garim-receipt/1":
            raise RefusedError("RECEIPT_FILE", "this is no garim-receipt/1 file")
        try:
            if any(link.keys() != {"document", "decisions"} for link in value["governance"]):
                raise KeyError
            links = tuple(
                GovernanceLink(
                    base64.b64decode(link["document"], validate=True),
                    tuple(dsse.from_json(one) for one in link["decisions"]),
                )
                for link in value["governance"]
            )
        except (AttributeError, KeyError, TypeError, ValueError):
            raise RefusedError(
                "RECEIPT_FILE", "the governance chain is malformed", field="governance"
            ) from None
        return cls(LoggedStatement.from_json(value["receipt"]), links)


def verify_governance(links: tuple[GovernanceLink, ...], genesis: str) -> list[Governance]:
    """Return the governance versions of an unbroken chain from the genesis digest, in order.

    Args:
        links: Versions in order.
        genesis: SHA-256 of version 1, known from elsewhere.

    Raises:
        RefusedError: `GOVERNANCE_GENESIS`, `GOVERNANCE_VERSION`, `GOVERNANCE_QUORUM`, `GOVERNANCE_LOG`.
    """
    if not links:
        raise RefusedError("GOVERNANCE_GENESIS", "there is no governance version", field="governance")
    versions = [verify_genesis(links[0].document, links[0].decisions, genesis)]
    for before, link in itertools.pairwise(links):
        versions.append(verify_next(versions[-1], before.document, link.document, link.decisions))
    return versions


def _of_log(versions: list[Governance], proof: LogProof) -> Governance:
    """Return the last version that names the log of a proof; the one in force where none does.

    Raises:
        RefusedError: `LOG_SUCCEEDED`: the former log's checkpoint lies behind what its successor carries.
    """
    claimed = parse_checkpoint_text(parse_note(proof.checkpoint).text)
    for version, after in itertools.pairwise(versions):
        if version.log.origin == claimed.origin != after.log.origin:
            if claimed.size > max(pin.size for pin in after.log.old_pins):
                raise RefusedError(
                    "LOG_SUCCEEDED",
                    "the proof is of a log that had been succeeded by then: fetch the receipt anew",
                    field="proof",
                )
            return version
    return versions[-1]


def log_key(governance: Governance) -> VerifierKey:
    """Return the verifier key of the governance's log."""
    return VerifierKey(governance.log.origin, raw_key(governance.log.key))


def witness_keys(governance: Governance) -> list[VerifierKey]:
    """Return the verifier keys of the governance's witnesses."""
    return [VerifierKey.parse(one) for one in governance.log.witnesses]


def verify_statement_logged(logged: LoggedStatement, governance: Governance, kind: str, service: str) -> int:
    """Demand that a statement's payload was logged by a service; returns the entry's time.

    Args:
        logged: The statement with its proof.
        governance: Names the log and its key.
        kind: Type that the entry must have.
        service: Which service must have logged it.

    Raises:
        RefusedError: The `LOG_*` reasons of `translog.proven.verify_logged`.
    """
    leaf, _ = verify_logged(
        logged.statement.payload,
        logged.proof,
        log_key=log_key(governance),
        origin=governance.log.origin,
        witnesses=witness_keys(governance),
        expect_type=kind,
        expect_actor=f"spiffe://{governance.mesh}/service/{service}",
    )
    return leaf.time_ms


def verify_receipt(file: ReceiptFile, genesis: str) -> tuple[DossierReceipt, Governance]:
    """Verify a receipt file completely, offline.

    Args:
        file: What was read.
        genesis: SHA-256 of governance version 1, known from elsewhere.

    Raises:
        RefusedError: Those of `verify_governance`, `Statement.verify` and `verify_statement_logged`.
    """
    versions = verify_governance(file.governance, genesis)
    governance = versions[-1]
    receipt = DossierReceipt.verify(
        file.receipt.statement, governance.keys_of("custody"), mesh=governance.mesh, now=None
    )
    logged_under = _of_log(versions, file.receipt.proof)
    verify_statement_logged(file.receipt, logged_under, "dossier-closed", "custody")
    return receipt, governance
