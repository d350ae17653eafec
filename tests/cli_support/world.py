"""One case from warrant to unmask request, made with a throwaway mesh's own keys."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import io
import secrets
from pathlib import Path
from typing import Any

import pyrage
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from dossier_support.writing import write_package
from garim.cli import document_files
from garim.cli.draft_commands import common
from garim.cli.mesh_plan import AUDIENCE, Places
from garim.cli.mesh_setup import set_up
from garim.cli.meshfolder import SERVICES
from garim.cli.unmask_check import UnmaskRequest
from garim.cli.unmask_draft import draft_unmask
from garim.documents import draft, scope
from garim.documents.claims import read_claims
from garim.documents.fields import write_instant
from garim.documents.media_types import JWS_MEDIA_TYPE
from garim.dossier import opening
from garim.dossier.lines import Mask, MessageLine, Sender, number
from garim.dossier.opening import OpenedDossier
from garim.dossier.package import Roots
from garim.dossier.receipt import GovernanceLink, LoggedStatement, ReceiptFile
from garim.dossier.times import rfc3339
from garim.dossier.transcript import About
from garim.kit.convert import Logged, Received
from garim.sealing import hpke, identity
from garim.sealing.secret import Secret
from garim.statements import dsse, strict_json, subjects
from garim.statements.governance import Governance
from garim.statements.grants import DocumentId, UnmaskGrant
from garim.statements.receipts import DossierReceipt
from garim.statements.scope import Forecast
from garim.translog.checkpoint import Checkpoint, sign_checkpoint
from garim.translog.keys import Signer
from garim.translog.leaf import Leaf, commitment
from garim.translog.memory import MemoryTree
from garim.translog.proven import LogProof

PERSON, PHONE, LINK = "P-7K4Q2-M9XAT", "PHONE-22222-33333", "URL-44444-55555"
KINDS = {PERSON: "PERSON", PHONE: "PHONE", LINK: "URL"}
DOSSIER = "ab" * 16
REQUEST = bytes(range(16))
CASE_NUMBER = "TEST-2026-0001"


def load_key(path: Path) -> Ed25519PrivateKey:
    key = load_pem_private_key(path.read_bytes(), password=None)
    assert isinstance(key, Ed25519PrivateKey)
    return key


@dataclasses.dataclass
class World:
    """A mesh folder with the keys of its services.

    Args:
        root: The mesh's folder.
        now_ms: Its time.
    """

    root: Path
    now_ms: int

    def __post_init__(self) -> None:
        self.places = Places(self.root)
        self.document = (self.places.governance / "version-1.json").read_bytes()
        self.governance = Governance.from_bytes(self.document)
        self.genesis = (self.places.governance / "genesis").read_text().strip()
        self.mesh = self.governance.mesh
        self.tree = MemoryTree()
        self.log = Signer.of_private_key(
            self.governance.log.origin, load_key(self.places.service("audit") / "log.key")
        )

    def key(self, service: str) -> Ed25519PrivateKey:
        return load_key(self.places.service(service) / "statement.key")

    def head(self, purpose: str, **changes: Any) -> dict[str, Any]:
        stated = {
            "mesh": self.mesh,
            "purpose": purpose,
            "issued": self.now_ms,
            "expires": None,
            "checkpoint": None,
        }
        return stated | changes

    def logged(self, statement: dsse.Envelope, kind: str, service: str) -> Logged:
        salt = secrets.token_bytes(32)
        actor = f"spiffe://{self.mesh}/service/{service}"
        leaf = Leaf(kind, self.now_ms, actor, commitment(salt, statement.payload)).encode()
        self.tree.append([leaf])
        size = self.tree.size
        note = sign_checkpoint(Checkpoint(self.governance.log.origin, size, self.tree.root()), self.log)
        path = tuple(self.tree.inclusion(size - 1, size))
        return Logged(statement, LogProof(leaf, salt, size - 1, path, note))

    def common(self, name: str) -> dict[str, str]:
        court, authority = (self.places.agency / "names.txt").read_text().split("\n")[:2]
        issued = write_instant(self.now_ms - 1000)
        return common(AUDIENCE, authority, court, name, CASE_NUMBER, issued)

    @property
    def recipient(self) -> str:
        return (self.places.agency / "recipient.txt").read_text().strip()

    @property
    def acknowledger(self) -> str:
        return document_files.acknowledger_of(self.places.agency / "clerk.pem")

    def warrant(self) -> bytes:
        day = 24 * 3_600_000
        return draft.draft_disclosure(
            self.common("TEST-1"),
            offence="drugs",
            warrant_type="search-and-seizure-stored",
            subjects=[("account", "acct-subject")],
            period=(write_instant(self.now_ms - 2 * day), write_instant(self.now_ms - day)),
            recipient=self.recipient,
            acknowledger=self.acknowledger,
        )

    def sign(self, payload: bytes, *names: str) -> bytes:
        document = payload
        for name in names or ("judge", "chief"):
            key = document_files.read_private_key(self.places.agency / f"{name}.key", None)
            chain = document_files.read_chain(self.places.agency / f"{name}.pem")
            document = document_files.sign_file(document, key, chain)
        return document

    def crls(self) -> list[bytes]:
        return document_files.crls_in(self.places.crls)


def fixed_addresses() -> tuple[dict[str, str], dict[str, str]]:
    """Return addresses on which nobody ever listens: unit tests use no sockets."""
    served = {name: f"127.0.0.1:{1 + position}" for position, name in enumerate(SERVICES)}
    return served, {name: f"127.0.0.1:{11 + position}" for position, name in enumerate(SERVICES)}


def make_world(root: Path) -> World:
    now = dt.datetime.now(dt.UTC)
    set_up(root, now, addresses=fixed_addresses)
    return World(root, int(now.timestamp() * 1000))


def line(place: int, text: str, sender: Sender, masks: tuple[Mask, ...] = ()) -> bytes:
    at = 1_700_000_000_000 + place
    return MessageLine(
        number=number(1, place),
        at=at,
        time=rfc3339(at),
        sender=sender,
        kind="text",
        text=text,
        masks=masks,
        attachment=None,
    ).to_bytes()


SUBJECT = Sender(pseudonym=None, account="acct-subject", name="나루", commitment=None)
COMMITMENT = "0c" * 32
BYSTANDER = Sender(pseudonym=PERSON, account=None, name=None, commitment=COMMITMENT)


def sample_lines() -> list[bytes]:
    text = f"{PERSON}님 {PHONE} 맞죠?"
    first = Mask(start=0, end=len(PERSON), pseudonym=PERSON, type="PERSON", commitment=COMMITMENT)
    begin = text.index(PHONE)
    second = Mask(start=begin, end=begin + len(PHONE), pseudonym=PHONE, type="PHONE", commitment=COMMITMENT)
    return [
        line(1, "안녕하세요", SUBJECT),
        line(2, "물건은 내가 넣었지만", BYSTANDER),
        line(3, text, SUBJECT, (first, second)),
    ]


class SampleCase:
    """A closed dossier of a world, and a second request for one of its two pseudonyms.

    Args:
        world: Whose keys sign.
        folder: Where the package is written and opened.
    """

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.warrant = world.sign(world.warrant())
        self.first = document_files.open_file(self.warrant)
        self.secret = Secret.random()
        self.sealed = {
            pseudonym: identity.seal_identity(
                self.secret,
                world.mesh,
                bytes.fromhex(DOSSIER),
                pseudonym,
                strict_json.dump({"type": kind, "value": pseudonym}),
                secrets.token_bytes(16),
            )
            for pseudonym, kind in KINDS.items()
        }
        self.roots = self._write_package()
        self.receipt = self._receipt()
        self.receipt_logged = world.logged(self.receipt, "dossier-closed", "custody")
        self.receipt_path = folder / "receipt.json"
        self.receipt_path.write_bytes(self._receipt_file().to_bytes())
        self.opened = folder / "opened"
        with (folder / "dossier.zip").open("rb") as archive:
            opening.unpack(archive, self.opened)
        self.dossier = OpenedDossier(self.opened)

    def _write_package(self) -> Roots:
        claims = read_claims(self.first.payload)
        about = About(
            dossier=DOSSIER,
            authority=claims.authority,
            case_number=claims.case_number,
            number=claims.number,
            period_start=0,
            period_end=1,
            mode="sealed",
        )
        plain = io.BytesIO()
        roots = write_package(
            plain,
            about=about,
            lines=sample_lines(),
            identities=[(one, KINDS[one], self.sealed[one]) for one in sorted(KINDS)],
            opaque=0,
            random_bytes=secrets.token_bytes,
        )
        (self.folder / "dossier.zip").write_bytes(plain.getvalue())
        recipient = pyrage.x25519.Recipient.from_str(self.world.recipient)
        self.package = self.folder / "dossier.zip.age"
        self.package.write_bytes(pyrage.encrypt(plain.getvalue(), [recipient]))
        return roots

    def _receipt(self, **changes: Any) -> dsse.Envelope:
        claims, world, data = self.first.claims, self.world, self.package.read_bytes()
        stated = world.head("receipt") | {
            "dossier": DOSSIER,
            "grant": "cd" * 32,
            "document": self.first.digest,
            "authority": claims.authority,
            "case_number": claims.case_number,
            "mode": "sealed",
            "package": hashlib.sha256(data).hexdigest(),
            "package_bytes": len(data),
            "identities_root": self.roots.identities_root.hex(),
            "identities": self.roots.identities,
            "messages_root": self.roots.messages_root.hex(),
            "messages": self.roots.messages,
            "unmask_until": world.now_ms + 3_600_000,
        }
        return DossierReceipt.from_json(stated | changes).sign(world.key("custody").sign)

    def other_receipt(self, **changes: Any) -> Logged:
        return self.world.logged(self._receipt(**changes), "dossier-closed", "custody")

    def _receipt_file(self) -> ReceiptFile:
        import json

        text = (self.world.places.governance / "decisions-1.json").read_text()
        decisions = tuple(dsse.from_json(one) for one in json.loads(text))
        link = GovernanceLink(self.world.document, decisions)
        return ReceiptFile(LoggedStatement(self.receipt, self.receipt_logged.proof), (link,))

    def stated_receipt(self) -> DossierReceipt:
        return DossierReceipt.from_bytes(self.receipt.payload)

    def second(self, **changes: Any) -> bytes:
        payload, _ = draft_unmask(
            self.dossier,
            self.stated_receipt(),
            {PERSON: ["C1-0002", "C1-0003"]},
            self.world.common("TEST-2"),
            recipient=self.world.recipient,
            acknowledger=self.world.acknowledger,
        )
        if not changes:
            return payload
        return strict_json.dump(strict_json.parse_object(payload) | changes)

    def grant(self, payload: bytes, **changes: Any) -> Logged:
        claims: Any = read_claims(payload)
        world = self.world
        identity_of = DocumentId(
            authority=claims.authority,
            number=claims.number,
            case_number=claims.case_number,
            digest=hashlib.sha256(payload).hexdigest(),
        )
        stated = world.head("unmask", expires=world.now_ms + 3_600_000) | {
            "grant": "11" * 16,
            "case": "22" * 16,
            "document": identity_of.to_json(),
            "document_issued": claims.issued_ms,
            "governance": 1,
            "policy": world.governance.policy,
            "first": claims.first_document,
            "dossier": claims.dossier,
            "identities": [one.to_json() for one in scope.identities_of(claims)],
            "recipient": claims.recipient,
            "filer": "eun-ha",
        }
        envelope = UnmaskGrant.from_json(stated | changes).sign(world.key("warrants").sign)
        return world.logged(envelope, "unmask-granted", "warrants")

    def request(self, payload: bytes | None = None) -> UnmaskRequest:
        body = payload or self.second()
        claims: Any = read_claims(body)
        private, public = hpke.generate()
        private.wipe()
        made = UnmaskRequest(
            request=REQUEST,
            document=Received(JWS_MEDIA_TYPE, self.world.sign(body), ()),
            first_document=Received(JWS_MEDIA_TYPE, self.warrant, ()),
            grant=self.grant(body),
            receipt=self.receipt_logged,
            identities=tuple((one.pseudonym, self.sealed[one.pseudonym]) for one in claims.identities),
            one_time_public=public,
            subject="",
        )
        return with_subject(made)

    def forecast(self, **changes: Any) -> dsse.Envelope:
        world = self.world
        stated = world.head("forecast") | {
            "store": "store-1",
            "document": self.first.digest,
            "ticket": "33" * 32,
            "messages": 10,
            "conversations": 1,
            "bystanders": 2,
            "opaque": 0,
            "conversation_tags": [],
        }
        return Forecast.from_json(stated | changes).sign(world.key("messages").sign)


def with_subject(request: UnmaskRequest) -> UnmaskRequest:
    """Return the request with the subject that custody would honestly state."""
    body = document_files.open_file(request.document.content)
    claims: Any = body.claims
    grant = UnmaskGrant.from_bytes(request.grant.statement.payload)
    subject = subjects.unmask(
        request=request.request,
        dossier=bytes.fromhex(claims.dossier),
        grant=request.grant.statement.payload,
        first=claims.first_document,
        supplementary=body.digest,
        recipient=claims.recipient,
        filer=grant.filer,
        one_time_public=request.one_time_public,
        identities=request.identities,
    )
    return dataclasses.replace(request, subject=subject)
