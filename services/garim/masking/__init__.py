"""The detection and masking engine: what in a text identifies a person, and what stands in its place.

Role: redaction and `garim redact scan` call it with plain texts that they already may read. Pure: no
I/O, no clock, no randomness of its own. The layers can be read alone, in this order: `normalise`,
`patterns` (RE2 over joined bytes) with `classify`, `forms` and `roster` (Aho-Corasick over the same
bytes) with `korean`, `open_names`, `engine`; then `pseudonyms` and `mask`. `garim.leakscan` looks at the
outcome and shares none of them. Invariants:

- offsets are code points of the text as given, end exclusive, whatever normalisation did;
- masking changes no character outside a finding;
- what a finding covers does not depend on the other texts of the batch;
- where two detections overlap, every character of both is masked (a subject's own name aside);
- one canonical value has one pseudonym in a table, and a member's identifiers have the member's.
"""
