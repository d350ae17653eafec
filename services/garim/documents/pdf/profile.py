"""Names and limits of the PDF profile that several modules here judge by."""

from __future__ import annotations

from garim.documents.envelope import SIGNATURES

EMBEDDED_NAME = "garim-document.json"
"""Name of the embedded file that holds the claims."""
EMBEDDED_TYPE = "application/json"
"""Its media type."""
MAX_PDF_BYTES = 8 * 1024 * 1024
"""A larger file is refused."""
MAX_OBJECTS = 20_000
"""Objects of a file at most."""
MAX_REVISIONS = SIGNATURES + 1
"""Saves of a file at most: one before the first signature, and one for each."""
MAX_DEPTH = 64
"""Arrays and dictionaries inside each other at most."""
