"""The kinds of identifying values that can be found, and how their pseudonyms begin."""

from __future__ import annotations

import enum


class InfoType(enum.StrEnum):
    """What sort of value a finding is."""

    PERSON = "PERSON"
    PHONE = "PHONE"
    EMAIL = "EMAIL"
    RRN = "RRN"
    FRN = "FRN"
    CARD = "CARD"
    BANK_ACCOUNT = "BANK_ACCOUNT"
    IBAN = "IBAN"
    IP = "IP"
    MAC = "MAC"
    USER_HOST = "USER_HOST"
    URL_HANDLE = "URL_HANDLE"
    HANDLE = "HANDLE"
    PASSPORT = "PASSPORT"
    DRIVER_LICENSE = "DRIVER_LICENSE"
    BUSINESS_REG = "BUSINESS_REG"
    VEHICLE = "VEHICLE"
    DATE_OF_BIRTH = "DATE_OF_BIRTH"
    ADDRESS = "ADDRESS"
    GPS = "GPS"
    SSN = "SSN"

    @property
    def prefix(self) -> str:
        """What a pseudonym of this kind begins with, before the hyphen."""
        return _SHORT.get(self, self.value.replace("_", ""))


_SHORT = {
    InfoType.PERSON: "P",
    InfoType.BANK_ACCOUNT: "ACCOUNT",
    InfoType.USER_HOST: "HOST",
    InfoType.URL_HANDLE: "URL",
    InfoType.DRIVER_LICENSE: "LICENCE",
    InfoType.BUSINESS_REG: "BUSINESS",
    InfoType.DATE_OF_BIRTH: "BIRTH",
}
