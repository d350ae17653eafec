"""Documents as signed PDF (PAdES): opened strictly; drafted and signed for rehearsals.

Invariants:

- the claims are the bytes of the one embedded file, which every signature covers and one way leads to;
- every byte of the file belongs to an object that its table lists and something uses, and to the last signature,
  whose gap holds that signature's value and nothing else;
- after the first signature nothing is added but the second: no page, no file and no appearance that the first
  signer did not see;
- nothing in the file acts, links, hides or points outside;
- our judgement and pyHanko's must agree; no file, clock or network is read.
"""

from garim.documents.pdf.opening import open_pdf

__all__ = ["open_pdf"]
