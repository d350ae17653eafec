"""Documents verified a second, by format: `PYTHONPATH=tests python tests/bench/documents.py [--seconds N]`.

Beside each figure stands a bare check in the same run: two P-256 signatures over the same bytes, and both
certificate chains. `here` opens the document in this process, as no service does; `confined` in a child, as
all do; `four` in children, four at a time. Everything is written to `.garim/bench/documents.json`.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import json
import platform
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from rich.console import Console
from rich.table import Table

from document_support import AT, SIGN
from etsi_support import agency
from garim.documents import paths, x509
from garim.documents.envelope import OpenDocument
from garim.documents.formats import open_document
from garim.documents.verify import verify_document
from garim.kit.document_opener import AT_ONCE, DocumentOpener
from garim.testing import documents
from garim.testing.pki import make_pki

RESULTS = Path(".garim/bench/documents.json")
COLUMNS = ("bare", "here", "confined", "four")


def rate(work: Callable[[], object], seconds: float, threads: int = 1) -> float:
    """Return how often a second something is done, after it was done once."""
    work()
    until = time.perf_counter() + seconds

    def again(_number: int) -> int:
        done = 0
        while time.perf_counter() < until:
            work()
            done += 1
        return done

    begun = time.perf_counter()
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        done = sum(pool.map(again, range(threads)))
    return done / (time.perf_counter() - begun)


def measure(media_type: str, opener: DocumentOpener, seconds: float) -> dict[str, float]:
    """Return documents a second of one format, for each column."""
    pki = make_pki(AT)
    # A key that each format takes.
    chief = agency(pki)
    data = SIGN[media_type](documents.payload(documents.disclosure(pki)), pki.judge.signer, chief.signer)
    lists, trust, now_ms = pki.crls, pki.trust, documents.millis(pki)
    key = ec.generate_private_key(ec.SECP256R1())
    signature, public = key.sign(data, ec.ECDSA(hashes.SHA256())), key.public_key()
    chains = [x509.read_chain(one, field="") for one in open_document(media_type, data).chains]

    def bare() -> None:
        for chain in chains:
            public.verify(signature, data, ec.ECDSA(hashes.SHA256()))
            paths.verify_path(chain, trust, now_ms, field="")

    def verify(how: OpenDocument) -> Callable[[], object]:
        return lambda: verify_document(
            data,
            media_type=media_type,
            open_document=how,
            trust=trust,
            audience=documents.AUDIENCE,
            now_ms=now_ms,
            crls=lists,
            revoked=lambda _identity: False,
        )

    return {
        "bytes": len(data),
        "bare": rate(bare, seconds),
        "here": rate(verify(open_document), seconds),
        "confined": rate(verify(opener.open), seconds),
        "four": rate(verify(opener.open), seconds, AT_ONCE),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=2.0, help="for each figure")
    seconds = parser.parse_args().seconds
    with closing(DocumentOpener()) as opener:
        found = {media_type: measure(media_type, opener, seconds) for media_type in SIGN}
    machine = {"machine": platform.machine(), "python": platform.python_version()}
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps({**machine, "documents_per_second": found}, indent=2), encoding="utf-8")
    table = Table("format", "bytes", *COLUMNS, title="documents verified a second (ratio to bare)")
    for media_type, one in found.items():
        figures = [f"{one[name]:,.0f} ({one[name] / one['bare']:.2f})" for name in COLUMNS]
        table.add_row(media_type, f"{one['bytes']:,}", *figures)
    Console().print(table)


if __name__ == "__main__":
    main()
