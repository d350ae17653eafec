"""A valid pair of documents, one mutation, and what a custodian's client says of it.

    PYTHONPATH=tests python -m document_support.pairs [--count 5000] [--format NAME] [--seed N] [--json]

Whoever mutates has no key, one role's key, both keys of strangers with the right names and roles, both right
keys without a grant, or grants for whatever they like without both right keys. Nothing but the same pair may
be accepted; the same payloads in another envelope are the same pair.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime as dt
import json
import random
import sys
import tempfile
import unicodedata
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

import etsi_support
from cli_support.world import SampleCase, make_world, with_subject
from document_support import SIGN, Signer, signed_message
from garim.cli import document_files
from garim.cli.unmask_check import UnmaskRequest, check_request
from garim.documents import base64url
from garim.documents.fields import write_instant
from garim.documents.formats import open_document
from garim.documents.media_types import ETSI_MEDIA_TYPE, JWS_MEDIA_TYPE, PDF_MEDIA_TYPE
from garim.kit.convert import Received
from garim.statements.refusal import RefusedError
from garim.testing.pki import make_pki
from garim.translog.keys import VerifierKey
from garim.translog.proven import LogProof, verify_logged

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
Chance = random.Random


@dataclasses.dataclass(frozen=True)
class Pair:
    """A first and a second request in one format, with all that custody shows a custodian beside them."""

    case: SampleCase
    media_type: str
    hands: dict[str, Signer]
    honest: UnmaskRequest
    second: bytes

    @classmethod
    def of(cls, case: SampleCase, media_type: str) -> Pair:
        """Return the pair of a sample case."""
        agency = case.world.places.agency
        hands: dict[str, Signer] = {
            name: (
                document_files.read_private_key(agency / f"{name}.key", None),
                document_files.read_chain(agency / f"{name}.pem"),
            )
            for name in ("judge", "chief")
        }
        strangers = make_pki(_at(case))
        hands |= {"other judge": strangers.judge.signer, "other chief": etsi_support.agency(strangers).signer}
        second = case.second()
        pair = cls(case, media_type, hands, case.request(second), second)
        first = Received(media_type, pair.signed(case.first.payload), ())
        honest = dataclasses.replace(
            pair.honest, first_document=first, document=Received(media_type, pair.signed(second), ())
        )
        return dataclasses.replace(pair, honest=honest)

    def signed(self, payload: bytes, *names: str) -> bytes:
        """Return a document of these claims, signed by both roles or by those named."""
        return SIGN[self.media_type](payload, *(self.hands[name] for name in names or ("judge", "chief")))

    def with_second(self, payload: bytes, *names: str, granted: bool) -> UnmaskRequest:
        """Return the request with another second document.

        Args:
            payload: Its claims.
            names: Who signs; both roles where empty.
            granted: Whether warrants grants it and custody states its subject, as if both were tampered with.
        """
        request = self.honest
        if granted:
            draft = Received(JWS_MEDIA_TYPE, payload, ())
            request = dataclasses.replace(request, document=draft, grant=self.case.grant(payload))
            request = with_subject(request)
        document = Received(self.media_type, self.signed(payload, *names), ())
        return dataclasses.replace(request, document=document)


def make_case(folder: Path) -> SampleCase:
    """Return a case on a whole second, as HI1 writes it."""
    world = make_world(folder / "mesh")
    world = dataclasses.replace(world, now_ms=(world.now_ms // 1000 + 1) * 1000)
    return SampleCase(world, folder / "case")


def _at(case: SampleCase) -> dt.datetime:
    return dt.datetime.fromtimestamp(case.world.now_ms // 1000, tz=dt.UTC)


WRONG_HANDS = (
    ("judge", "judge"),
    ("chief", "chief"),
    ("other judge", "other chief"),
    ("judge", "other chief"),
    ("other judge", "chief"),
    ("other chief", "chief"),
)


def identity(pair: Pair, _chance: Chance) -> UnmaskRequest:
    """Change nothing."""
    return pair.honest


def swap(pair: Pair, chance: Chance) -> UnmaskRequest:
    """Exchange both documents, or put one in both places."""
    first, second = pair.honest.first_document, pair.honest.document
    places = chance.choice([(second, first), (first, first), (second, second)])
    return dataclasses.replace(pair.honest, first_document=places[0], document=places[1])


def repeat(pair: Pair, chance: Chance) -> UnmaskRequest:
    """Name an identity, a ground or a field twice, signed by both roles and granted."""
    members = json.loads(pair.second)
    place = chance.randrange(3)
    if place == 0:
        members["identities"] *= 2
    elif place == 1:
        members["identities"][0]["grounds"] *= 2
    payload = _written(members)
    if place == 2:
        name = chance.choice(sorted(members))
        payload = payload[:-1] + f",{json.dumps(name)}:{json.dumps(members[name])}}}".encode()
    document = Received(pair.media_type, pair.signed(payload), ())
    return dataclasses.replace(pair.honest, document=document)


def _changed(pair: Pair, chance: Chance) -> bytes:
    members = json.loads(pair.second)
    one = members["identities"][0]
    change = chance.randrange(6)
    if change == 0:
        one["grounds"] = one["grounds"][: chance.randrange(1, len(one["grounds"]))]
    elif change == 1:
        recipient = members["recipient"]
        members["recipient"] = recipient[:-1] + ("p" if recipient.endswith("q") else "q")
    elif change == 2:
        members["acknowledger"] = chance.randbytes(32).hex()
    elif change == 3:
        one["sealed_sha256"] = chance.randbytes(32).hex()
    elif change == 4:
        one["pseudonym"] = "P-" + "".join(chance.choices("ABCDEFGHJKMNPQRSTVWXYZ234567", k=5)) + "-M9XAT"
    else:
        members["number"] = f"TEST-{chance.randrange(10, 10**6)}"
    return _written(members)


def widen(pair: Pair, chance: Chance) -> UnmaskRequest:
    """Change what is asked: both roles sign what was not granted, or wrong hands what is granted."""
    if pair.media_type == ETSI_MEDIA_TYPE and chance.random() < 0.5:
        # The agency alone asks for more, around what the court signed; warrants and custody go along.
        payload = _changed(pair, chance)
        request = pair.with_second(payload, granted=True)
        data = signed_message(payload, pair.hands["judge"], pair.hands["chief"], court=pair.second)
        return dataclasses.replace(request, document=Received(ETSI_MEDIA_TYPE, data, ()))
    if chance.random() < 0.5:
        return pair.with_second(_changed(pair, chance), granted=False)
    return _granted_to_wrong_hands(pair, _changed(pair, chance), chance)


def wrong_role(pair: Pair, chance: Chance) -> UnmaskRequest:
    """Sign either document with the wrong hands, or with one hand."""
    hands = chance.choice([*WRONG_HANDS, ("judge",), ("chief",)])
    if chance.random() < 0.5:
        first = Received(pair.media_type, pair.signed(pair.case.first.payload, *hands), ())
        return dataclasses.replace(pair.honest, first_document=first)
    return pair.with_second(pair.second, *hands, granted=False)


def redate(pair: Pair, chance: Chance) -> UnmaskRequest:
    """Give the second document another date."""
    members = json.loads(pair.second)
    days = chance.choice([-4000, -400, -3, -1, 1, 3, 400, 4000])
    members["issued_at"] = write_instant(pair.case.world.now_ms + days * 86_400_000)
    if days > 0 and chance.random() < 0.5:
        return pair.with_second(_written(members), granted=True)
    return pair.with_second(_written(members), granted=False)


def move(pair: Pair, chance: Chance) -> UnmaskRequest:
    """Move the second document to another case, agency, court, operator or dossier, signed and granted."""
    members = json.loads(pair.second)
    name = chance.choice(
        ["case_number", "authority", "court", "audience", "first_document", "dossier", "format", "kind"]
    )
    former = members[name]
    bent = chance.randbytes(len(former) // 2).hex() if name in {"first_document", "dossier"} else former + "2"
    members[name] = bent
    granted = name not in {"format", "kind"}
    return pair.with_second(_written(members), granted=granted)


def reencode(pair: Pair, chance: Chance) -> UnmaskRequest:
    """Write the same claims in other bytes, signed by both roles again."""
    members = json.loads(pair.second)
    ways: list[Callable[[], str]] = [
        lambda: json.dumps(members, indent=chance.randrange(1, 9), ensure_ascii=False),
        lambda: json.dumps(members, ensure_ascii=True, separators=(",", ":"), sort_keys=True),
        lambda: json.dumps(dict(chance.sample(list(members.items()), len(members))), ensure_ascii=False),
        lambda: unicodedata.normalize("NFD", pair.second.decode()),
        lambda: pair.second.decode() + " " * chance.randrange(1, 9),
        lambda: "\ufeff" + pair.second.decode(),
    ]
    return pair.with_second(chance.choice(ways)().encode(), granted=False)


def malleate(pair: Pair, chance: Chance) -> UnmaskRequest:
    """Change the envelope of either document and not what it says."""
    field = chance.choice(["document", "first_document"])
    data = getattr(pair.honest, field).content
    if pair.media_type == JWS_MEDIA_TYPE:
        data = _malleated_jws(data, pair, chance)
    elif pair.media_type == ETSI_MEDIA_TYPE:
        ways = [
            (b"><", b">\n<"),
            (b"/>", b" />"),
            (b"<?xml ", b"<?xml  "),
            (b'="', b'= "'),
            (b"</", b"<!-- --></"),
        ]
        data = data.replace(*chance.choice(ways), chance.randrange(1, 9))
    else:
        bent = bytearray(data)
        start = data.rindex(b"/Contents <")
        bent[chance.randrange(start, data.index(b">", start) + 2)] ^= 1 << chance.randrange(8)
        data = bytes(bent)
    return _with_content(pair, field, data)


def _malleated_jws(data: bytes, pair: Pair, chance: Chance) -> bytes:
    envelope = json.loads(data)
    if chance.random() < 0.3:
        envelope["signatures"].reverse()
    index = chance.randrange(2)
    raw = base64url.decode(envelope["signatures"][index]["signature"], field="")
    if isinstance(pair.hands["judge"][0], ec.EllipticCurvePrivateKey) and chance.random() < 0.7:
        raw = raw[:32] + (P256_ORDER - int.from_bytes(raw[32:], "big")).to_bytes(32, "big")
    envelope["signatures"][index]["signature"] = base64url.encode(raw)
    return json.dumps(envelope, indent=chance.choice([None, 1, 2])).encode()


def bend(pair: Pair, chance: Chance) -> UnmaskRequest:
    """Flip, cut, insert, repeat or exchange bytes of either document, or call it another format."""
    field = chance.choice(["document", "first_document"])
    data = getattr(pair.honest, field).content
    other = getattr(pair.honest, "first_document" if field == "document" else "document").content
    place, size = chance.randrange(len(data)), chance.randrange(1, 40)
    ways: list[Callable[[], bytes]] = [
        lambda: data[:place] + bytes([data[place] ^ (1 << chance.randrange(8))]) + data[place + 1 :],
        lambda: data[:place] + data[place + size :],
        lambda: data[:place] + chance.randbytes(size) + data[place:],
        lambda: data[:place] + data[place : place + size] + data[place:],
        lambda: data[:place] + other[place:],
        lambda: data + other,
    ]
    return _with_content(pair, field, chance.choice(ways)())


def relabel(pair: Pair, chance: Chance) -> UnmaskRequest:
    """Call either document another format."""
    field = chance.choice(["document", "first_document"])
    names = [name for name in (*SIGN, "application/json", "") if name != pair.media_type]
    received = getattr(pair.honest, field)._replace(media_type=chance.choice(names))
    return dataclasses.replace(pair.honest, **{field: received})


MUTATIONS: dict[str, Callable[[Pair, Chance], UnmaskRequest]] = {
    one.__name__: one
    for one in (identity, swap, repeat, widen, wrong_role, redate, move, reencode, malleate, bend, relabel)
}
ENVELOPE_ONLY = {
    JWS_MEDIA_TYPE: {"identity", "malleate", "bend"},
    PDF_MEDIA_TYPE: {"identity", "malleate", "bend"},
    ETSI_MEDIA_TYPE: {"identity", "malleate", "bend", "reencode"},
}
"""Those that may leave the same pair; what they leave is accepted only as that. In an HI1 message claims are
elements, so that how the court's file spells them leaves no trace in the payload."""


def _granted_to_wrong_hands(pair: Pair, payload: bytes, chance: Chance) -> UnmaskRequest:
    try:
        return pair.with_second(payload, *chance.choice(WRONG_HANDS), granted=True)
    except RefusedError:
        # Nobody can even read these claims: no grant is to be had for them.
        return pair.with_second(payload, granted=False)


def _with_content(pair: Pair, field: str, data: bytes) -> UnmaskRequest:
    return dataclasses.replace(pair.honest, **{field: getattr(pair.honest, field)._replace(content=data)})


def _written(members: dict[str, Any]) -> bytes:
    return json.dumps(members, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def verdict(pair: Pair, request: UnmaskRequest) -> str:
    """Return `accepted`, for the same pair and nothing else, or the reason of the refusal.

    Raises:
        AssertionError: Another pair was accepted.
    """
    world = pair.case.world
    log = world.governance.log.origin

    def proven(body: bytes, proof: LogProof, *, kind: str, actor: str) -> Any:
        key = VerifierKey(log, world.log.key.public_key)
        return verify_logged(
            body, proof, log_key=key, origin=log, witnesses=(), expect_type=kind, expect_actor=actor
        )[0]

    try:
        checked = check_request(
            request,
            open_document=open_document,
            governance=world.governance,
            crls=world.crls(),
            now_ms=world.now_ms,
            verify_logged=proven,
        )
    except RefusedError as refusal:
        return refusal.reason
    first = open_document(request.first_document.media_type, request.first_document.content)
    second = open_document(request.document.media_type, request.document.content)
    assert (first.payload, second.payload) == (pair.case.first.payload, pair.second), (
        "another pair was accepted"
    )
    assert checked.subject == pair.honest.subject
    return "accepted"


def attempt(pair: Pair, name: str, seed: int) -> str:
    """Mutate once; returns the verdict, after demanding that it is the right one.

    Raises:
        AssertionError: Something else was accepted, or the same pair was not.
    """
    try:
        request = MUTATIONS[name](pair, random.Random(f"{name} {seed}"))
    except RefusedError as refusal:
        # Only messages are written from claims that were read; what cannot be written cannot be sent.
        if pair.media_type != ETSI_MEDIA_TYPE:
            raise
        return f"not written: {refusal.reason}"
    said = verdict(pair, request)
    assert said == "accepted" or name != "identity", said
    assert said != "accepted" or name in ENVELOPE_ONLY[pair.media_type], f"{name} {seed} was accepted"
    return said


def main() -> None:
    """Run so many mutations of each format and print what came of them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--count", type=int, default=5000, help="mutations of each format")
    parser.add_argument(
        "--format", choices=sorted(SIGN), action="append", help="only this one; may be repeated"
    )
    parser.add_argument("--seed", type=int, default=0, help="where to begin")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found: dict[str, dict[str, dict[str, int]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        case = make_case(Path(folder))
        names = sorted(MUTATIONS)
        for media_type in options.format or sorted(SIGN):
            pair = Pair.of(case, media_type)
            counts: dict[str, Counter[str]] = {name: Counter() for name in names}
            for number in range(options.count):
                name = names[number % len(names)]
                counts[name][attempt(pair, name, options.seed + number)] += 1
            found[media_type] = {name: dict(sorted(one.items())) for name, one in counts.items()}
    if options.json:
        sys.stdout.write(json.dumps(found, indent=2) + "\n")
        return
    for media_type, by_name in found.items():
        total = sum(sum(one.values()) for one in by_name.values())
        sys.stdout.write(f"{media_type}: {total} mutations; accepted as another pair: 0\n")
        for name, one in by_name.items():
            sys.stdout.write(f"  {name:11} " + ", ".join(f"{k} {v}" for k, v in one.items()) + "\n")


if __name__ == "__main__":
    main()
