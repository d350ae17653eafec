"""The demo: one case from the stored room to one opened identity, on a throwaway mesh.

It goes the way of the commands, with their own functions, and checks each step's promise itself: what is not
as promised ends it with a status other than zero. Its leak scan shares nothing with the service's own but the
lists of common words.
"""
