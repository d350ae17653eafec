"""Signed PDFs bent in every way: files put together from objects, and a signer that does what it is told."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
import io
import re
from collections.abc import Callable, Mapping
from typing import Any

from asn1crypto import cms
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import MDPPerm, SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.signers import cms_embedder, pdf_byterange
from pyhanko.sign.signers.pdf_cms import PdfCMSSignedAttributes

from garim.documents.pdf import layout, writing
from garim.testing.pki import Identity

AT = dt.datetime(2026, 11, 22, 6, 0, tzinfo=dt.UTC)
Change = Callable[[IncrementalPdfFileWriter], None]
Reasons = Callable[..., list[str]]
"""The fixture that calls something and returns the reasons with which it refuses."""


@dataclasses.dataclass(frozen=True)
class Stages:
    """The claims, and the file unsigned, with the court's signature, and with both."""

    payload: bytes
    draft: bytes
    half: bytes
    full: bytes


@dataclasses.dataclass(frozen=True)
class Signing:
    """How one signature is made; each member is one way to make it wrong, or right in another way."""

    field: str = ""
    spec: SigFieldSpec | None = None
    subfilter: SigSeedSubFilter = SigSeedSubFilter.PADES
    certify: MDPPerm | None = None
    digest: str = ""
    signer: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    signing_time: bool = False
    bend: Callable[[cms.ContentInfo], cms.ContentInfo | bytes] = lambda content: content
    writer: type[IncrementalPdfFileWriter] = writing._Updater
    beside: generic.PdfObject | None = None


def sign(data: bytes, identity: Identity, change: Change | None = None, how: Signing | None = None) -> bytes:
    """Add a signature over whatever `change` does to the file in the same save."""
    how = how or Signing()
    writer = how.writer(io.BytesIO(data), strict=False)
    if change is not None:
        change(writer)
    field = how.field or f"Garim{len(writer.prev.embedded_signatures) + 1}"
    process = cms_embedder.PdfCMSEmbedder(new_field_spec=how.spec).write_cms(field, writer)
    next(process)
    digest = how.digest or ("sha512" if isinstance(identity.key, ed25519.Ed25519PrivateKey) else "sha256")
    setup = None
    if how.certify is not None:
        setup = cms_embedder.SigMDPSetup(md_algorithm=digest, certify=True, docmdp_perms=how.certify)
    placeholder = pdf_byterange.SignatureObject(timestamp=AT, subfilter=how.subfilter, bytes_reserved=8192)
    if how.beside is not None:
        placeholder[generic.pdf_name("/Prop_Build")] = writer.add_object(how.beside)
    process.send(cms_embedder.SigObjSetup(placeholder, mdp_setup=setup))
    prepared, output = process.send(cms_embedder.SigIOSetup(md_algorithm=digest))
    attributes = PdfCMSSignedAttributes(signing_time=AT if how.signing_time else None)
    signer = writing._signer(identity.key, identity.chain)
    for name, value in how.signer.items():
        setattr(signer, name, value)
    content = asyncio.run(
        signer.async_sign(
            prepared.document_digest, digest, use_pades=not how.signing_time, signed_attr_settings=attributes
        )
    )
    process.send(how.bend(content))
    return bytes(output.getvalue())


def bodies(data: bytes) -> dict[int, bytes]:
    """Return what stands between `obj` and `endobj`, of a file that was saved once."""
    reader = PdfFileReader(io.BytesIO(data), strict=True)
    (revision,) = layout.read_revisions(data, reader)
    found = {}
    for number, (start, end) in revision.spans.items():
        text = data[start:end]
        found[number] = text[text.index(b"obj") + 4 : text.rindex(b"endobj")].rstrip(b"\n")
    return found


def stream(content: bytes, members: bytes = b"") -> bytes:
    """Return the body of a stream."""
    return b"<< %s /Length %d >>\nstream\n%s\nendstream" % (members, len(content), content)


def build(objects: Mapping[int, bytes], *, trailer: bytes = b"", free: int = 0) -> bytes:
    """Put a file together; object 1 is its catalog, `free` the number of a deleted one."""
    return _revision(b"%PDF-1.7\n", objects, b"/Root 1 0 R " + trailer, max(objects), free=free)


def append(data: bytes, objects: Mapping[int, bytes], *, trailer: bytes = b"", free: int = 0) -> bytes:
    """Append an incremental update that nobody signs."""
    previous = re.findall(rb"startxref\s+(\d+)", data)[-1]
    size = int(re.findall(rb"/Size (\d+)", data)[-1])
    top = max([size - 1, *objects])
    return _revision(data, objects, b"/Root 1 0 R /Prev %s %s" % (previous, trailer), top, free=free)


def _revision(data: bytes, objects: Mapping[int, bytes], trailer: bytes, top: int, *, free: int = 0) -> bytes:
    out = data
    rows = [b"0 1\n0000000000 65535 f \n"]
    if free:
        rows.append(b"%d 1\n0000000000 00001 f \n" % free)
    for number, body in sorted(objects.items()):
        rows.append(b"%d 1\n%010d 00000 n \n" % (number, len(out)))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = len(out)
    out += b"xref\n" + b"".join(rows)
    return out + b"trailer\n<< /Size %d %s>>\nstartxref\n%d\n%%%%EOF\n" % (max(top, free) + 1, trailer, table)


def rsa_key(bits: int) -> rsa.RSAPrivateKey:
    """Return a fresh RSA key."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def p384_key() -> ec.EllipticCurvePrivateKey:
    """Return a fresh key on a curve that documents do not use."""
    return ec.generate_private_key(ec.SECP384R1())
