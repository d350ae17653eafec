"""Settings of warrants."""

from __future__ import annotations

from garim.kit.settings import DatabaseSettings, ServiceSettings, SettingPath
from garim.warrants.edge import EdgeSettings


class WarrantsSettings(ServiceSettings):
    """What warrants needs to start; everything secret is named by file path.

    Attributes:
        database: Its tables.
        statement_key: Ed25519 key that signs grants, status and no-data answers: PKCS #8 PEM, mode 0600.
        policy_file: The operator's policy; its digest must be the one that governance pins. The files of
            earlier policies lie in its folder (`*.yaml`), for the cases judged under them.
        crls_folder: Folder of revocation lists of the documents' authorities (`*.crl`, `*.pem`, `*.der`).
        hi1_schemas: Folder of TS 103 120's schemas, with those of TS 103 280 and XMLDSig; messages must fit
            them. None: messages are held to our profile only.
        edge: Where agencies send HI1 messages; none without.
    """

    database: DatabaseSettings
    statement_key: SettingPath
    policy_file: SettingPath
    crls_folder: SettingPath
    hi1_schemas: SettingPath | None = None
    edge: EdgeSettings | None = None
