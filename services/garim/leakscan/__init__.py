"""The leak scan: does anybody who is no subject still stand in what is about to leave?

Role: redaction gives it every line that masking made, and then the bytes of the package itself. Pure: no I/O,
no clock, no randomness. It is the second pair of eyes behind `garim.masking` and imports nothing of it: its
folding, its word lists, its patterns and its idea of a boundary are its own, and an import contract keeps it
so. Read it in this order: `folding`, `words`, `known` (what is looked for), `boundaries` (where a name stands
for certain), `numbers`, `engine` (maskingtape, a third party's detectors), `shapes` (kinds that it does not
know), `encoded`, `scan`; then `unzip`, `parts` and `package` for the finished package. Invariants:

- a finding names a place, a kind and at most a member's key, never the value;
- what is certain has one reading only and is something that masking promises to mask: it blocks;
- whatever has a second reading is doubtful: two reviewers judge it;
- a line that the cheap first look passes over can hold nothing that the detectors behind it would find.
"""
