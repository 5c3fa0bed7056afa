"""`python -m escalier` is the `escalier` command."""

import sys

from escalier.commands import main

if __name__ == "__main__":
    sys.exit(main())
