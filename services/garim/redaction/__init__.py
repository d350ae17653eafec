"""Redaction: decrypts inside a grant, masks, seals, packs, scans, delivers.

Role: makes dossiers. Holds: spools encrypted to their recipient, custody's receipts, places of holds; it has
no signing key. Called by: clerks (build, fetch, acknowledge) and reviewers (holds). It must never see: a key
outside a grant, a sealed identity of a closed dossier, its own sealing secret after an attempt.

Everything that touches content or secrets happens in a child process for each attempt
(`garim.redaction.attempt`), which ends before custody closes the dossier; what it knew ends with it.
"""

# Before anything imports gRPC, which reads the environment once.
from garim.kit import quiet as quiet
