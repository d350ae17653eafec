"""A mesh of ledgers around one fake log, for the tests of the kit, of the audit service and of attacks."""
