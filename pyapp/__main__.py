"""`python -m pyapp`: the command line."""

import sys

if __name__ == "__main__":
    try:
        from .cli import main

        code = main()
    except KeyboardInterrupt:  # while it was being loaded; `main` tells of any later one
        code = 130
    sys.exit(code)
