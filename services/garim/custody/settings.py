"""Settings of custody."""

from __future__ import annotations

from garim.kit.settings import DatabaseSettings, KeyProviderSettings, ServiceSettings, SettingPath


class CustodySettings(ServiceSettings):
    """What custody needs to start; everything secret is named by file path.

    Attributes:
        database: Its tables.
        keys: The provider whose objects wrap every key.
        statement_key: Ed25519 key that signs custody's statements: PKCS #8 PEM, mode 0600.
        policy_file: Custody's own copy of the policy; its digest must be the one that governance pins.
            The files of earlier policies lie in its folder (`*.yaml`), for the cases judged under them.
        crls_folder: Folder of revocation lists of the documents' authorities (`*.crl`, `*.pem`, `*.der`).
        governance_folder: Folder with `version-1.json` and `decisions-1.json`, read at the first start.
    """

    database: DatabaseSettings
    keys: KeyProviderSettings
    statement_key: SettingPath
    policy_file: SettingPath
    crls_folder: SettingPath
    governance_folder: SettingPath
