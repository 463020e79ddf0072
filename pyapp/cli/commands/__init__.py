"""The commands: each module here is one, and `pyapp.cli` finds it by being here.

A module `NAME.py` has

    HELP                         what the command does, in one line; its docstring is what `--help` shows
    arguments(parser)            adds its arguments to an `argparse.ArgumentParser`
    async run(options) -> int    carries it out and gives its exit code, or raises a PyappError

It imports what it needs at its head only if that is the standard library or this package; other libraries inside of
functions, so that no command needs what another one does.
"""
