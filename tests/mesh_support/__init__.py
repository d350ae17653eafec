"""A running mesh for attacks: stolen certificates and keys, memory and files, processes that are killed."""
