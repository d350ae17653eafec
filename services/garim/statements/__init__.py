"""Every byte that is signed or hashed: DSSE statements, labels and the rules of their JSON.

Pure: no I/O, no clock, no randomness of its own. Invariants:

- what is signed is the exact bytes that travel; they are verified before they are parsed and are
  never serialised again;
- a payloadType pins whose key may have signed it; a key id in an envelope selects nothing;
- duplicate, unknown or missing keys, floats and surplus bytes are refused.
"""
