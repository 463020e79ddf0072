"""Sessions in the browser, in upstream's IndexedDB layout."""

from .driver import IndexedDBSessionPersistDriver

__all__ = ["IndexedDBSessionPersistDriver"]
