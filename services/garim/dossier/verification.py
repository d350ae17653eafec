"""Verify a package against its receipt, and make the proofs that a second request needs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO

from garim.dossier import commitments
from garim.dossier.lines import MessageLine
from garim.dossier.opened_identity import OpenedIdentity
from garim.dossier.opening import OpenedDossier
from garim.statements.receipts import DossierReceipt
from garim.statements.refusal import RefusedError
from garim.translog.memory import MemoryTree

_CHUNK = 1 << 20


def _message_tree(dossier: OpenedDossier) -> tuple[MemoryTree, list[MessageLine], list[bytes]]:
    salts = dossier.salts()
    tree, lines, contents = MemoryTree(), [], []
    for position, raw in enumerate(dossier.raw_lines()):
        if position >= len(salts):
            raise RefusedError("PACKAGE_MESSAGES", "there are more messages than salts")
        line = MessageLine.from_bytes(raw)
        content = commitments.content_digest(salts[position], raw)
        tree.append([commitments.message_leaf(line.number, line.pseudonyms(), content)])
        lines.append(line)
        contents.append(content)
    if len(lines) != len(salts):
        raise RefusedError("PACKAGE_MESSAGES", "there are fewer messages than salts")
    return tree, lines, contents


def verify_package_file(package: IO[bytes], receipt: DossierReceipt) -> None:
    """Demand that the encrypted package is the one that custody signed for.

    Args:
        package: The `.age` file.
        receipt: The verified receipt.

    Raises:
        RefusedError: `PACKAGE_DIGEST`.
    """
    hasher, size = hashlib.sha256(), 0
    while chunk := package.read(_CHUNK):
        hasher.update(chunk)
        size += len(chunk)
    if hasher.hexdigest() != receipt.package or size != receipt.package_bytes:
        raise RefusedError("PACKAGE_DIGEST", "the package is not the one that the receipt names")


def verify_opened(dossier: OpenedDossier, receipt: DossierReceipt) -> None:
    """Demand that nothing in an opened package is missing, added or changed.

    Args:
        dossier: The opened package.
        receipt: The verified receipt.

    Raises:
        RefusedError: `PACKAGE_DOSSIER` (another dossier's receipt), `PACKAGE_MESSAGES` or
            `PACKAGE_IDENTITIES`.
    """
    about = dossier.about
    masking = receipt.masking
    if (about.dossier, about.case_number, about.mode, about.authority, about.names, about.times) != (
        receipt.dossier,
        receipt.case_number,
        receipt.mode,
        receipt.authority,
        masking.names,
        masking.times,
    ):
        raise RefusedError("PACKAGE_DOSSIER", "the receipt belongs to another dossier")
    tree, _, _ = _message_tree(dossier)
    if tree.root().hex() != receipt.messages_root or tree.size != receipt.messages:
        raise RefusedError("PACKAGE_MESSAGES", "the messages are not those that the receipt commits to")
    identities = dossier.identities()
    sealed = commitments.tree_of(commitments.identity_leaf(one.pseudonym, one.sealed) for one in identities)
    ordered = [one.pseudonym for one in identities]
    if (
        sealed.root().hex() != receipt.identities_root
        or sealed.size != receipt.identities
        or ordered != sorted(set(ordered))
    ):
        raise RefusedError("PACKAGE_IDENTITIES", "the identities are not those that the receipt commits to")


@dataclass(frozen=True, slots=True)
class MessageProof:
    """That a message with these pseudonyms stands in the dossier, without its text.

    Args:
        number: Its citable number.
        pseudonyms: All pseudonyms in it, sorted.
        content: SHA-256(salt, line).
        index: Position in the tree.
        path: Inclusion path.
    """

    number: str
    pseudonyms: tuple[str, ...]
    content: bytes
    index: int
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class IdentityProof:
    """That a sealed identity stands behind a pseudonym.

    Args:
        pseudonym: As it stands in the dossier.
        sealed: The sealed identity.
        index: Position in the tree.
        path: Inclusion path.
    """

    pseudonym: str
    sealed: bytes
    index: int
    path: tuple[bytes, ...]


def prove_messages(dossier: OpenedDossier, numbers: list[str]) -> list[MessageProof]:
    """Return a proof for each cited message.

    Args:
        dossier: The opened package.
        numbers: Citable numbers.

    Raises:
        RefusedError: `MESSAGE_UNKNOWN` where a number is not in the package.
    """
    tree, lines, contents = _message_tree(dossier)
    positions = {line.number: at for at, line in enumerate(lines)}
    proofs = []
    for number in numbers:
        if number not in positions:
            raise RefusedError(
                "MESSAGE_UNKNOWN", "no message of this dossier has this number", field=number[:20]
            )
        at = positions[number]
        path = tuple(tree.inclusion(at, tree.size))
        proofs.append(MessageProof(number, tuple(lines[at].pseudonyms()), contents[at], at, path))
    return proofs


def prove_identities(dossier: OpenedDossier, pseudonyms: list[str]) -> list[IdentityProof]:
    """Return a proof for each named pseudonym, sorted.

    Args:
        dossier: The opened package.
        pseudonyms: As they stand in the messages.

    Raises:
        RefusedError: `PSEUDONYM_UNKNOWN` where one is not in the package.
    """
    identities = dossier.identities()
    tree = commitments.tree_of(commitments.identity_leaf(one.pseudonym, one.sealed) for one in identities)
    positions = {one.pseudonym: at for at, one in enumerate(identities)}
    proofs = []
    for pseudonym in sorted(set(pseudonyms)):
        if pseudonym not in positions:
            raise RefusedError("PSEUDONYM_UNKNOWN", "no pseudonym of this dossier", field=pseudonym[:40])
        at = positions[pseudonym]
        path = tuple(tree.inclusion(at, tree.size))
        proofs.append(IdentityProof(pseudonym, identities[at].sealed, at, path))
    return proofs


def verify_originals(dossier: OpenedDossier, opened: Mapping[str, OpenedIdentity]) -> int:
    """Demand that each mask of the opened pseudonyms hides exactly what their identities say.

    Nothing was hidden behind these pseudonyms but what the identities say, and none of them stands without
    its mask. That the text outside masks is as it was written stays redaction's word: no one commits to it.

    Args:
        dossier: The opened package, verified against its receipt.
        opened: Released identities by pseudonym.

    Returns:
        How many masks and senders were opened.

    Raises:
        RefusedError: `MASK_DISHONEST`, with the message's number.
    """
    return sum(_verify_line(line, opened) for line in dossier.messages())


def _verify_line(line: MessageLine, opened: Mapping[str, OpenedIdentity]) -> int:
    count = 0
    if (sender := opened.get(line.sender.pseudonym or "")) is not None:
        if not sender.sent(line.number, line.sender.commitment):
            raise _dishonest(line.number)
        count += 1
    for place, mask in enumerate(line.masks):
        if (one := opened.get(mask.pseudonym)) is not None:
            if one.original(line.number, place, mask.commitment) is None:
                raise _dishonest(line.number)
            count += 1
    # A pseudonym without its mask would hide something that nobody can open.
    shown = sum(line.text.count(pseudonym) for pseudonym in opened)
    if shown != sum(mask.pseudonym in opened for mask in line.masks):
        raise _dishonest(line.number)
    return count


def _dishonest(number: str) -> RefusedError:
    return RefusedError(
        "MASK_DISHONEST",
        f"message {number} did not hold what the released identity says; keep package and answer as evidence",
        field=number,
    )
