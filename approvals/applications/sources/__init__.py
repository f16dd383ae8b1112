"""What applications are matched against, each a plugin: the lists of other offices, and the applications themselves.

A kind of source says which columns its list needs, how it is matched, and what it may find (DOMAIN.md §2.8, §3.1).
It is one module in `kinds/`, registered when the room is ready; a contract test takes every registered kind through
the same.
"""
