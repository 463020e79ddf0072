"""Sessions in PostgreSQL, in upstream's tables."""

from .driver import PostgresSessionPersistDriver

__all__ = ["PostgresSessionPersistDriver"]
