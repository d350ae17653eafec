"""Names and limits of the PDF profile that several modules here judge by."""

from __future__ import annotations

EMBEDDED_NAME = "garim-document.json"
"""Name of the embedded file that holds the claims."""
EMBEDDED_TYPE = "application/json"
"""Its media type."""
