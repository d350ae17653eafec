"""The package handed over: written, read, verified and, after an unmasking, opened in one place.

Pure: it reads and writes the streams it is given. Used by redaction to write and by investigators, offline,
to open, verify and apply.

Invariants:

- every message and every sealed identity is committed to in the roots that custody signs, so that anything
  added, dropped or changed shows;
- a proof about a message shows its number and its pseudonyms, never its text;
- opening an archive writes only the file names of this format, inside one folder.
"""
