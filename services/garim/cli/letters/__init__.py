"""Letters to agencies about their documents: refusals, certificates of delivery, answers without data.

Role: from what warrants states of a case, and the policy that governance pins, to plain text and HTML in
Korean and English. Called by `garim case letter` alone.

Invariants:

- no letter says whether an account exists, or how much data there is: one wording stands for every way in
  which there may be nothing, one for every refusal that rests on stored data, and no count is set;
- what a letter certifies was signed by the service that knows it, and the signature was verified first;
- HTML is escaped throughout and names no outside resource.
"""
