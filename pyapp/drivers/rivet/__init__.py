"""Sessions in the state of a Rivet actor, with live events."""

from .driver import RivetSessionPersistDriver

__all__ = ["RivetSessionPersistDriver"]
