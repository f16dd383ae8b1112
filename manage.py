#!/usr/bin/env python
"""The command line. A command with `door = True` finds the database started, migrated and seeded."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    from project.management import Doors

    Doors(sys.argv).execute()


if __name__ == "__main__":
    main()
