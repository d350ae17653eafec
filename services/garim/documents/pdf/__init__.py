"""Documents as signed PDF (PAdES): opened strictly; drafted and signed for rehearsals.

Invariants:

- the claims are the bytes of the one embedded file, which every signature covers and one way leads to;
- every byte belongs to an object that a table lists and something uses, and is covered by the last signature,
  whose gap holds its own value and nothing else;
- after the first signature nothing is added but the second: no page, no file and no appearance that the first
  signer did not see;
- nothing in the file acts, links, hides or points outside;
- our judgement and pyHanko's must agree; no file, clock or network is read.
"""

from garim.documents.pdf.opening import open_pdf

__all__ = ["open_pdf"]
