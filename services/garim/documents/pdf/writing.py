"""Making a document as PDF and signing it: for rehearsals and tests; agencies use their own tools."""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import io
from collections.abc import Sequence

from asn1crypto import keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from pyhanko.pdf_utils import embed, generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import PageObject, PdfFileWriter
from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter
from pyhanko.sign.signers import SimpleSigner, cms_embedder, pdf_byterange
from pyhanko_certvalidator.registry import SimpleCertificateStore

from garim.documents.pdf import drawing
from garim.documents.pdf.profile import EMBEDDED_NAME, EMBEDDED_TYPE
from garim.statements import strict_json
from garim.statements.refusal import RefusedError

SigningKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey

_RESERVED = 2048
"""Bytes kept for a signature's value besides its certificates: attributes and an RSA signature fit."""
_FIELDS = ("Garim1", "Garim2")


class _Writer(PdfFileWriter):
    """Writes a file that depends on its content alone, without dates, in the plainest structure."""

    output_version = (2, 0)

    def __init__(self, seed: bytes) -> None:
        super().__init__(stream_xrefs=False)  # type: ignore[no-untyped-call]
        name = generic.ByteStringObject(hashlib.sha256(seed).digest()[:16])
        self._document_id = generic.ArrayObject([name, name])

    def _update_meta(self) -> None:
        """Write no metadata: dates and producers are nobody's claim."""


class _Updater(IncrementalPdfFileWriter):
    """Adds a signature and nothing else."""

    def _update_meta(self) -> None:
        """Leave the metadata as the signers before saw them."""


def draft_pdf(payload: bytes) -> bytes:
    """Return an unsigned PDF that shows claims in Korean and English and carries them as an embedded file.

    Args:
        payload: Claims as `garim.documents.draft` made them.

    Raises:
        RefusedError: `JSON_*`: they are no JSON object.
    """
    members = strict_json.parse_object(payload)
    writer = _Writer(payload)
    fonts = generic.DictionaryObject(
        {
            pdf_name(drawing.LATIN): writer.add_object(_latin_font()),
            pdf_name(drawing.KOREAN): writer.add_object(_korean_font()),
        }
    )
    resources = generic.DictionaryObject({pdf_name("/Font"): fonts})
    for content in drawing.draw_pages(payload, members):
        stream = generic.StreamObject(stream_data=content)
        stream.compress()
        writer.insert_page(  # type: ignore[no-untyped-call]
            PageObject(writer.add_object(stream), (0, 0, drawing.WIDTH, drawing.HEIGHT), resources)
        )
    writer.root["/Lang"] = generic.TextStringObject("ko-KR")
    file = embed.EmbeddedFileObject.from_file_data(writer, payload, mime_type=EMBEDDED_TYPE)
    embed.embed_file(
        writer,
        embed.FileSpec(
            EMBEDDED_NAME,
            file_name=EMBEDDED_NAME,
            embedded_data=file,
            af_relationship=pdf_name("/Data"),
        ),
    )
    out = io.BytesIO()
    writer.write(out)  # type: ignore[no-untyped-call]
    return out.getvalue()


def sign_pdf(data: bytes, key: SigningKey, chain: Sequence[x509.Certificate], at: dt.datetime) -> bytes:
    """Return a PDF with one signature more (PAdES B-B, ETSI EN 319 142-1), added as an incremental update.

    The first signature certifies the document and leaves room for signatures only (DocMDP 2).

    Args:
        data: As `draft_pdf` or this function returned it.
        key: P-256, Ed25519 or RSA.
        chain: Its certificate, then intermediates, without the anchor.
        at: When the signer says to have signed, with its offset.

    Raises:
        RefusedError: `ENVELOPE_SIGNATURES` (both have signed already) or `KEY_ALGORITHM_MISMATCH`.
    """
    if not chain or chain[0].public_key() != key.public_key():
        raise RefusedError("KEY_ALGORITHM_MISMATCH", "the certificate belongs to another key", field="chain")
    already = signatures_on(data)
    writer = _Updater(io.BytesIO(data))
    if already >= len(_FIELDS):
        raise RefusedError("ENVELOPE_SIGNATURES", "both signatures are there already", field="signatures")
    digest_algorithm = "sha512" if isinstance(key, ed25519.Ed25519PrivateKey) else "sha256"
    process = cms_embedder.PdfCMSEmbedder().write_cms(_FIELDS[already], writer)
    next(process)
    placeholder = pdf_byterange.SignatureObject(
        timestamp=at, subfilter=SigSeedSubFilter.PADES, bytes_reserved=2 * (_RESERVED + _size(chain))
    )
    certify = cms_embedder.SigMDPSetup(
        md_algorithm=digest_algorithm, certify=True, docmdp_perms=MDPPerm.FILL_FORMS
    )
    process.send(cms_embedder.SigObjSetup(placeholder, mdp_setup=None if already else certify))
    prepared, output = process.send(cms_embedder.SigIOSetup(md_algorithm=digest_algorithm))
    signing = _signer(key, chain).async_sign(prepared.document_digest, digest_algorithm, use_pades=True)
    process.send(asyncio.run(signing))
    signed: bytes = output.getvalue()
    return signed


def signatures_on(data: bytes) -> int:
    """Return how many signatures a PDF carries; whether they are right is for `open_pdf`.

    Raises:
        RefusedError: `PDF_UNREADABLE`.
    """
    try:
        return len(PdfFileReader(io.BytesIO(data), strict=True).embedded_signatures)
    except (PdfError, ValueError):
        raise RefusedError("PDF_UNREADABLE", "the file is no PDF that can be read strictly") from None


def _size(chain: Sequence[x509.Certificate]) -> int:
    return sum(len(one.public_bytes(serialization.Encoding.DER)) for one in chain)


def _signer(key: SigningKey, chain: Sequence[x509.Certificate]) -> SimpleSigner:
    leaf, *others = (
        asn1_x509.Certificate.load(one.public_bytes(serialization.Encoding.DER)) for one in chain
    )
    private = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return SimpleSigner(
        signing_cert=leaf,
        signing_key=keys.PrivateKeyInfo.load(private),
        cert_registry=SimpleCertificateStore.from_certs(others),
        embed_roots=False,
    )


def _latin_font() -> generic.DictionaryObject:
    return _dictionary(Type="/Font", Subtype="/Type1", BaseFont="/Courier", Encoding="/WinAnsiEncoding")


def _korean_font() -> generic.DictionaryObject:
    """Return HYSMyeongJo by name, every glyph one em wide (ISO 32000-1 clause 9.7.4.3)."""
    descriptor = _dictionary(Type="/FontDescriptor", FontName="/HYSMyeongJo-Medium")
    numbers = {"Flags": 6, "ItalicAngle": 0, "Ascent": 752, "Descent": -271, "CapHeight": 737, "StemV": 58}
    for name, value in numbers.items():
        descriptor[pdf_name("/" + name)] = generic.NumberObject(value)
    descriptor[pdf_name("/FontBBox")] = generic.ArrayObject(
        generic.NumberObject(value) for value in (0, -271, 1000, 752)
    )
    system = generic.DictionaryObject(
        {
            pdf_name("/Registry"): generic.TextStringObject("Adobe"),
            pdf_name("/Ordering"): generic.TextStringObject("Korea1"),
            pdf_name("/Supplement"): generic.NumberObject(1),
        }
    )
    descendant = _dictionary(Type="/Font", Subtype="/CIDFontType0", BaseFont="/HYSMyeongJo-Medium")
    descendant[pdf_name("/CIDSystemInfo")] = system
    descendant[pdf_name("/FontDescriptor")] = descriptor
    descendant[pdf_name("/DW")] = generic.NumberObject(1000)
    font = _dictionary(
        Type="/Font",
        Subtype="/Type0",
        BaseFont="/HYSMyeongJo-Medium-UniKS-UTF16-H",
        Encoding="/UniKS-UTF16-H",
    )
    font[pdf_name("/DescendantFonts")] = generic.ArrayObject([descendant])
    return font


def _dictionary(**names: str) -> generic.DictionaryObject:
    return generic.DictionaryObject({pdf_name("/" + key): pdf_name(value) for key, value in names.items()})
