"""Word of what changed, between all drivers of one database: in this tab and in the others (BroadcastChannel).

The word comes after the write: who hears it, finds what was written. It may be lost with a tab that is killed in
between, so whoever comes back to a page looks for himself.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from ...interop import Callbacks, JsValue, scope
from ...listeners import Listeners
from ..base import StoreChange
from ..gathering import Gathering

PAUSE = 0.04
"""Seconds for which changes are gathered, so that a flood of writes costs a few words."""

MOST_NAMED = 200
"""Sessions that are named in one word; if more of them changed it is everything."""


class Changes:
    """What one driver tells and hears. The channel is open from the first change or listener on, until `release`."""

    def __init__(self, database_name: str) -> None:
        self._name = f"sandbox-agent-pyodide:{database_name}"
        self._channel: JsValue = None
        self._callbacks = Callbacks()
        self._listeners: Listeners[StoreChange] = Listeners()
        self._gathering = Gathering(self._announce, PAUSE)

    def listen(self, listener: Callable[[StoreChange], None]) -> Callable[[], None]:
        """Call `listener` after changes; the returned function ends it."""
        self._open()
        return self._listeners.add(listener)

    def touch(self, session_id: str) -> None:
        """A session was changed here; say so soon."""
        self._gathering.touch((session_id,))

    def flush(self) -> None:
        """Say what changed here, if anything did."""
        self._gathering.flush()

    def _announce(self, change: StoreChange) -> None:
        if len(change.session_ids) > MOST_NAMED:
            change = StoreChange(everything=True)
        self._open()
        if self._channel is not None:
            self._channel.postMessage(json.dumps({"sessions": sorted(change.session_ids)}))
        self.tell(change)

    def tell(self, change: StoreChange) -> None:
        """Tell the listeners of this driver."""
        self._listeners.tell(change)

    def release(self) -> None:
        """Say what is to be said and close the channel; the next change, or `resume`, opens another."""
        self.flush()
        if self._channel is not None:
            self._channel.onmessage = None
            self._channel.close()
            self._channel = None
            self._callbacks.release()

    def resume(self) -> None:
        """Hear of changes again, if anybody listens."""
        if self._listeners:
            self._open()

    def _open(self) -> None:
        if self._channel is None and hasattr(scope(), "BroadcastChannel"):
            self._channel = scope().BroadcastChannel.new(self._name)
            self._channel.onmessage = self._callbacks.lend(self._hear)

    def _hear(self, event: JsValue) -> None:
        self.tell(_read(event.data))


def _read(text: object) -> StoreChange:
    """What another driver said; whatever cannot be read means that anything may have changed."""
    try:
        match json.loads(text) if isinstance(text, str) and len(text) < 1 << 20 else None:
            case {"sessions": [_, *_] as ids} if all(isinstance(id_, str) for id_ in ids):
                return StoreChange(frozenset(ids))
    except ValueError:
        pass
    return StoreChange(everything=True)
