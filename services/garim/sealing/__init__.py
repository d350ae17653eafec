"""Make, seal, use, forget: the construction behind storage and dossiers.

A 32-byte secret is made, HPKE-sealed to a custody key, used to derive keys by HKDF-Expand, and overwritten.
For storage it is the write secret W, for a dossier the sealing secret S. Pure: randomness comes in as an
argument where bytes are drawn that are not secret; secrets are drawn straight into overwritable buffers.

Invariants:

- whoever holds only what is stored can derive no key without the custody key that W or S is sealed to;
- every AEAD key is used once: a fresh 128-bit id goes into each derivation, and the nonce is twelve zero
  bytes;
- each sealing is bound to what it is for (mesh, epoch, dossier, pseudonym, custodian): moved elsewhere it
  does not open;
- records have a fixed layout; decoding consumes everything and re-encodes identically.
"""
