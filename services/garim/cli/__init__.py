"""The `garim` command: what operators, reviewers, custodians, investigators and auditors do by hand.

It holds no rights of its own: whoever runs it acts with the certificate and keys in one person's folder. It
may see what that person may see. Invariants:

- a person's client verifies what it signs itself: documents, grants, receipts, proofs; the subject of a
  decision is computed here and compared, never taken from a service;
- private keys of people lie in files of mode 0600, encrypted under a passphrase;
- content is printed only by the commands that are asked for it (`dossier show`, `unmask open`, the demo);
- every command has `--json`; a refusal names its reason, its field and what to do, and ends with status 1.
"""
