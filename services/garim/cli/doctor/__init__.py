"""`garim doctor`: what is wrong with a service's machine or with a mesh, and what to do about it.

It changes nothing: it makes no file or table, takes in no revocation list, opens no key object. Its findings
name settings, files and versions, never what is stored.
"""
