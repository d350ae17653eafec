"""A small dossier of people who do not exist, with the receipt and the log that custody would have."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import io
import json
import secrets
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pyrage
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dossier_support.writing import write_package
from garim.dossier.answer_file import AnswerFile
from garim.dossier.commitments import SENDER, original_commitment
from garim.dossier.lines import Mask, MessageLine, Sender, number
from garim.dossier.opening import OpenedDossier, unpack
from garim.dossier.package import Roots
from garim.dossier.receipt import GovernanceLink, LoggedStatement, ReceiptFile
from garim.dossier.times import rfc3339
from garim.dossier.transcript import About
from garim.kit.identity import service_id
from garim.sealing import identity
from garim.sealing.secret import Secret
from garim.statements.governance import Governance, ServiceKey
from garim.statements.model import CheckpointSeen
from garim.statements.receipts import DossierReceipt, IdentitiesReleased, ReleasedIdentity, UnmaskAnswer
from garim.testing.audit import FakeAudit
from garim.testing.clock import ManualClock
from garim.testing.governance import SampleGovernance, key_text
from garim.translog.leaf import Leaf, commitment
from garim.translog.memory import MemoryTree
from garim.translog.proven import LogProof

MESH = "test.mesh"
ORIGIN = "log.test.mesh/garim"
DOSSIER = b"\x03" * 16
GRANT = b"\x09" * 32
START = 1_790_000_000_000
DAY = 86_400_000
HANEUL = "P-7K4Q2-M9XAT"
MARU = "P-2B8CD-QWERT"
PHONE = "PHONE-3F8RA-22KQD"
ABOUT = About(
    dossier=DOSSIER.hex(),
    authority="가온지방검찰청",
    case_number="2026형제1",
    number="2026-1",
    period_start=START,
    period_end=START + 7 * DAY,
    mode="sealed",
)
SUBJECT = Sender(pseudonym=None, account="acct-00001", name="다온", commitment=None)
IDENTITIES: dict[str, dict[str, Any]] = {
    HANEUL: {
        "type": "PERSON",
        "value": "acct-00002",
        "account": "acct-00002",
        "names": ["하늘"],
        "phones": [],
        "emails": [],
    },
    MARU: {
        "type": "PERSON",
        "value": "acct-00003",
        "account": "acct-00003",
        "names": ["마루"],
        "phones": [],
        "emails": [],
    },
    PHONE: {"type": "PHONE", "value": "+821000001234"},
}
ORIGINALS = {HANEUL: "하늘이", MARU: "마루", PHONE: "010 0000 1234"}
for _at, _one in enumerate(IDENTITIES):
    IDENTITIES[_one] |= {"opening": bytes([0x40 + _at] * 32).hex(), "originals": [ORIGINALS[_one]]}

FRESH = {name: bytes([at]) * 16 for at, name in enumerate(IDENTITIES)}


def committed(name: str, number: str, place: int | str, original: str) -> str:
    """Return the commitment to what stood behind a pseudonym of the sample."""
    opening = bytes.fromhex(IDENTITIES[name]["opening"])
    return original_commitment(opening, MESH, number, place, original).hex()


def bystander(name: str, number: str) -> Sender:
    """Return a pseudonym of the sample as a message's sender."""
    account = IDENTITIES[name]["account"]
    commitment = committed(name, number, SENDER, account)
    return Sender(pseudonym=name, account=None, name=None, commitment=commitment)


def line(
    room: int, place: int, sender: str | None, text: str, *, at: int | None = None, kind: str = "text"
) -> bytes:
    """Return an encoded message; pseudonyms of the sample in its text become masks."""
    when = START + place * 60_000 if at is None else at
    cited = number(room, place)
    found = sorted((text.find(name), name) for name in IDENTITIES if name in text)
    masks = [
        Mask(
            start=start,
            end=start + len(name),
            pseudonym=name,
            type=IDENTITIES[name]["type"],
            commitment=committed(name, cited, order, ORIGINALS[name]),
        )
        for order, (start, name) in enumerate(found)
    ]
    return MessageLine(
        number=cited,
        at=when,
        time=rfc3339(when),
        sender=SUBJECT if sender is None else bystander(sender, cited),
        kind=kind,
        text=text,
        masks=tuple(masks),
        attachment=None,
    ).to_bytes()


LINES = (
    line(1, 1, None, "내일 산에 갈까?"),
    line(1, 2, HANEUL, "좋아. PHONE-3F8RA-22KQD 로 전화해"),
    line(1, 3, None, f"{HANEUL}아 고마워", at=START + DAY),
    line(2, 1, MARU, '<script>alert(1)</script> & "따옴표"'),
)


def secret() -> Secret:
    return Secret(bytearray([1] * 32))


def sealed_identities(dossier: bytes = DOSSIER) -> list[tuple[str, str, bytes]]:
    return [
        (
            name,
            value["type"],
            identity.seal_identity(secret(), MESH, dossier, name, json.dumps(value).encode(), FRESH[name]),
        )
        for name, value in sorted(IDENTITIES.items())
    ]


def write(
    target: io.BytesIO,
    *,
    messages: Sequence[bytes] = LINES,
    identities: Iterable[tuple[str, str, bytes]] | None = None,
    about: About = ABOUT,
    opaque: int = 2,
    random_bytes: Callable[[int], bytes] = secrets.token_bytes,
) -> Roots:
    return write_package(
        target,
        about=about,
        lines=messages,
        identities=sealed_identities() if identities is None else identities,
        opaque=opaque,
        random_bytes=random_bytes,
    )


@dataclasses.dataclass
class DossierGovernance(SampleGovernance):
    """A governance that pins custody."""

    custody_key: Ed25519PrivateKey = dataclasses.field(default_factory=Ed25519PrivateKey.generate)

    def draft(self, **named: Any) -> bytes:
        drawn = Governance.from_bytes(super().draft(**named))
        pinned = ServiceKey(service="custody", instance="custody", key=key_text(self.custody_key))
        return drawn.model_copy(update={"services": (pinned,)}).to_bytes()


class Office:
    """Custody's signatures and the log behind them."""

    def __init__(self) -> None:
        self.log_key = Ed25519PrivateKey.generate()
        self.clock = ManualClock(START)
        self.governance = DossierGovernance(MESH, self.log_key, ORIGIN, START)
        self.audit = FakeAudit(MESH, ORIGIN, self.clock, key=self.log_key)
        self.tree = MemoryTree()
        self.age = pyrage.x25519.Identity.generate()

    @property
    def links(self) -> tuple[GovernanceLink, ...]:
        return tuple(GovernanceLink(one.document, one.decisions) for one in self.governance.versions)

    def logged(self, body: bytes, kind: str, service: str = "custody") -> LogProof:
        salt = secrets.token_bytes(32)
        leaf = Leaf(
            type=kind,
            time_ms=START,
            actor=service_id(MESH, service),
            commitment=commitment(salt, body),
            magnitudes={},
        ).encode()
        index = self.audit.add(leaf)
        self.tree.append([leaf])
        path = tuple(self.tree.inclusion(index, self.tree.size))
        return LogProof(leaf=leaf, salt=salt, index=index, path=path, checkpoint=self.audit.note())

    def head(self, purpose: str) -> dict[str, Any]:
        return {
            "mesh": MESH,
            "purpose": purpose,
            "issued": START,
            "expires": None,
            "checkpoint": CheckpointSeen(size=1, root="00" * 32).to_json(),
        }

    def receipt(self, roots: Roots, encrypted: bytes, **change: Any) -> DossierReceipt:
        return DossierReceipt.from_json(
            self.head("receipt")
            | {
                "dossier": DOSSIER.hex(),
                "grant": GRANT.hex(),
                "document": "bb" * 32,
                "authority": ABOUT.authority,
                "case_number": ABOUT.case_number,
                "mode": "sealed",
                "package": hashlib.sha256(encrypted).hexdigest(),
                "package_bytes": len(encrypted),
                "identities_root": roots.identities_root.hex(),
                "identities": roots.identities,
                "messages_root": roots.messages_root.hex(),
                "messages": roots.messages,
                "unmask_until": START + 90 * DAY,
            }
            | change
        )

    def receipt_file(
        self, receipt: DossierReceipt, kind: str = "dossier-closed", service: str = "custody"
    ) -> ReceiptFile:
        envelope = receipt.sign(self.governance.custody_key.sign)
        return ReceiptFile(
            LoggedStatement(envelope, self.logged(envelope.payload, kind, service)), self.links
        )

    def answers(
        self,
        *names: str,
        dossier: str = DOSSIER.hex(),
        request: str = "0a" * 16,
        kind: str = "identities-released",
        released: Sequence[str] | None = None,
        sealed: dict[str, bytes] | None = None,
    ) -> AnswerFile:
        known = sealed or {name: value for name, _, value in sealed_identities()}

        def digest(name: str) -> str:
            return hashlib.sha256(known[name]).hexdigest()

        release = IdentitiesReleased(
            format="garim-identities-released/1",
            mesh=MESH,
            request="0a" * 16,
            dossier=dossier,
            recipient="age1x",
            identities=tuple(
                ReleasedIdentity(pseudonym=name, sealed=digest(name))
                for name in sorted(names if released is None else released)
            ),
        ).to_bytes()
        answers = tuple(
            UnmaskAnswer.from_json(
                self.head("unmask-answer")
                | {
                    "request": request,
                    "dossier": dossier,
                    "pseudonym": name,
                    "identity": base64.b64encode(json.dumps(IDENTITIES[name]).encode()).decode(),
                    "sealed": digest(name),
                }
            ).sign(self.governance.custody_key.sign)
            for name in names
        )
        return AnswerFile(release, self.logged(release, kind), answers)


@dataclasses.dataclass
class Made:
    """A package that was written, encrypted, decrypted and unpacked."""

    office: Office
    encrypted: bytes
    receipt: DossierReceipt
    opened: OpenedDossier


def make(folder: Path, **change: Any) -> Made:
    office = Office()
    plain = io.BytesIO()
    roots = write(plain, **change)
    encrypted = pyrage.encrypt(plain.getvalue(), [office.age.to_public()])
    unpack(io.BytesIO(pyrage.decrypt(encrypted, [office.age])), folder)
    return Made(office, encrypted, office.receipt(roots, encrypted), OpenedDossier(folder))
