"""What every session store promises: one plain async function a promise, for any driver, of ours or yours.

Each takes a fresh, empty driver and raises ContractBroken when the promise is not kept. `DRIVER_CONTRACT`
asks for the five methods of SessionPersistDriver, `STORE_CONTRACT` for the further ones of SessionStore,
`WHOLE_CONTRACT` for writes that happen whole or not at all. `NOTES_CONTRACT` is that of a NoteStore. With pytest:

    @pytest.mark.parametrize("promise", DRIVER_CONTRACT, ids=lambda promise: promise.__name__)
    def test_promise(promise):
        asyncio.run(promise(MyDriver()))
"""

from .caps import MEMORY_CAPS, CapPromise
from .events import EVENTS
from .kit import ContractBroken, DriverPromise
from .notes import NOTES_CONTRACT, NotePromise
from .sessions import SESSIONS
from .store import STORE_CONTRACT, StorePromise
from .values import VALUES
from .whole import WHOLE_CONTRACT

DRIVER_CONTRACT: tuple[DriverPromise, ...] = (*SESSIONS, *EVENTS, *VALUES)
"""What every SessionPersistDriver promises."""

__all__ = [
    "DRIVER_CONTRACT",
    "MEMORY_CAPS",
    "NOTES_CONTRACT",
    "STORE_CONTRACT",
    "WHOLE_CONTRACT",
    "CapPromise",
    "ContractBroken",
    "DriverPromise",
    "NotePromise",
    "StorePromise",
]
