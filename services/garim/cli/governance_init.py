"""Genesis: people's keys in separate files, governance version 1, its custodians' signatures.

What is written: for each person ``<people>/<role>-<name>/decision.key`` (and ``share.key`` for custodians),
and into the governance folder ``version-1.json`` (the exact bytes), ``decisions-1.json`` (a list of DSSE
envelopes) and ``genesis`` (the digest that every setting names).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from garim.cli import keyfiles
from garim.cli.decisions import make_decision
from garim.cli.files import write_private
from garim.sealing.secret import Secret
from garim.statements import dsse, governance
from garim.statements.governance import (
    Custodian,
    DocumentAnchor,
    Governance,
    LogIdentity,
    Reviewer,
    ServiceKey,
    Terms,
)
from garim.statements.refusal import Kind, RefusedError

VERSION_FILE = "version-1.json"
DECISIONS_FILE = "decisions-1.json"
GENESIS_FILE = "genesis"

PassphraseFor = Callable[[str], Secret]


@dataclass(frozen=True, slots=True)
class Plan:
    """What version 1 is to say, without the people's keys.

    Attributes:
        mesh: Name of the mesh.
        audience: The operator's name as documents address it.
        environment: `production`, or `development` where marked certificates count.
        custodians: Their names.
        quorum: How many of them open something.
        reviewers: Their names.
        review_quorum: How many reviewers decide.
        services: Statement keys.
        log: The log.
        anchors: Whose certificates sign documents.
        policy: SHA-256 of the policy file.
        terms: Times.
    """

    mesh: str
    audience: str
    environment: str
    custodians: Sequence[str]
    quorum: int
    reviewers: Sequence[str]
    review_quorum: int
    services: Sequence[ServiceKey]
    log: LogIdentity
    anchors: Sequence[DocumentAnchor]
    policy: str
    terms: Terms


@dataclass(frozen=True, slots=True)
class Genesis:
    """Version 1, signed.

    Attributes:
        document: Its exact bytes.
        decisions: Every custodian's.
        digest: SHA-256 that settings name.
    """

    document: bytes
    decisions: tuple[dsse.Envelope, ...]
    digest: str


def key_text(raw: bytes) -> str:
    """Return a public key as governance writes it."""
    return base64.b64encode(raw).decode()


def draw_up(
    plan: Plan,
    people: Path,
    passphrase_for: PassphraseFor,
    now_ms: int,
    *,
    log2_cost: int,
) -> Genesis:
    """Make every key, draw up version 1 and let its custodians sign it.

    Args:
        plan: What version 1 says.
        people: Folder of people's folders.
        passphrase_for: Asks for the passphrase of `<role>-<name>`.
        now_ms: Time in milliseconds since 1970.
        log2_cost: Cost of scrypt in the key files.

    Raises:
        RefusedError: `FILE_EXISTS` where somebody has keys already, `FIELD_VALUE` where version 1 makes no
            sense, and those of `passphrase_for`.
    """
    _demand_fresh(plan, people)
    custodian_keys: dict[str, Ed25519PrivateKey] = {}
    custodians = []
    for name in sorted(plan.custodians):
        folder = people / f"custodian-{name}"
        with passphrase_for(f"custodian-{name}") as passphrase:
            key = keyfiles.make_decision_key(folder / "decision.key", passphrase, log2_cost=log2_cost)
            share = keyfiles.make_share_key(folder / "share.key", passphrase, log2_cost=log2_cost)
        custodian_keys[name] = key
        custodians.append(
            Custodian(person=name, decision_key=_public(key), share_key=key_text(share)).to_json()
        )
    reviewers = []
    for name in sorted(plan.reviewers):
        with passphrase_for(f"reviewer-{name}") as passphrase:
            path = people / f"reviewer-{name}" / "decision.key"
            key = keyfiles.make_decision_key(path, passphrase, log2_cost=log2_cost)
        reviewers.append(Reviewer(person=name, decision_key=_public(key)).to_json())
    document = Governance.from_json(
        {
            "format": "garim-governance/1",
            "mesh": plan.mesh,
            "version": 1,
            "previous": None,
            "issued": now_ms,
            "audience": plan.audience,
            "environment": plan.environment,
            "custodians": custodians,
            "quorum": plan.quorum,
            "reviewers": reviewers,
            "review_quorum": plan.review_quorum,
            "services": [one.to_json() for one in plan.services],
            "log": plan.log.to_json(),
            "anchors": [one.to_json() for one in plan.anchors],
            "policy": plan.policy,
            "terms": plan.terms.to_json(),
        }
    ).to_bytes()
    decisions = tuple(
        _first_decision(plan.mesh, name, document, key, now_ms) for name, key in custodian_keys.items()
    )
    return Genesis(document, decisions, governance.digest(document))


def _demand_fresh(plan: Plan, people: Path) -> None:
    """Refuse before any key is made: nothing is half done."""
    if not 1 < plan.quorum < len(set(plan.custodians)) <= 7 or len(set(plan.custodians)) < 3:
        raise RefusedError(
            "FIELD_VALUE", "name 3 to 7 custodians and a quorum of two or more, below their number",
            field="quorum",
        )  # fmt: skip
    if not 1 <= plan.review_quorum <= len(set(plan.reviewers)):
        raise RefusedError(
            "FIELD_VALUE", "the review quorum is 1 up to the number of reviewers", field="review_quorum"
        )
    if set(plan.custodians) & set(plan.reviewers):
        raise RefusedError("FIELD_VALUE", "a person holds one role only", field="reviewers")
    folders = [people / f"custodian-{name}" for name in plan.custodians]
    folders += [people / f"reviewer-{name}" for name in plan.reviewers]
    for folder in folders:
        if (folder / "decision.key").exists() or (folder / "share.key").exists():
            raise RefusedError(
                "FILE_EXISTS", f"{folder} holds keys already: keep them, or name another folder",
                kind=Kind.EXISTS,
            )  # fmt: skip


def _public(key: Ed25519PrivateKey) -> str:
    return key_text(key.public_key().public_bytes_raw())


def _first_decision(
    mesh: str, name: str, document: bytes, key: Ed25519PrivateKey, now_ms: int
) -> dsse.Envelope:
    return make_decision(
        mesh=mesh,
        person=name,
        action="governance",
        subject=governance.decision_subject(document),
        reason="",
        governance=0,
        freeze=None,
        checkpoint=None,
        now_ms=now_ms,
        key=key,
    )


def write_genesis(genesis: Genesis, folder: Path) -> None:
    """Write version 1, its decisions and its digest into the governance folder.

    Raises:
        RefusedError: `FILE_EXISTS`.
    """
    decisions = json.dumps([dsse.to_json(one) for one in genesis.decisions]).encode()
    write_private(folder / VERSION_FILE, genesis.document)
    write_private(folder / DECISIONS_FILE, decisions)
    write_private(folder / GENESIS_FILE, genesis.digest.encode() + b"\n")
