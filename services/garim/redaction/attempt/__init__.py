"""One attempt at a dossier, in a process of its own that ends with all it knew.

It reads one job from standard input and writes events to standard output, a JSON object a line. It holds, and
only while it runs, the released segment and roster keys, the messages, the pseudonym table and the sealing
secret.
"""
