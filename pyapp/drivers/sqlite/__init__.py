"""Sessions in a SQLite file, in upstream's layout."""

from .driver import SQLiteSessionPersistDriver

__all__ = ["SQLiteSessionPersistDriver"]
