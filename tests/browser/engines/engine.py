"""What the core tests ask of a browser, whichever engine it has and whatever drives it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol


class Tab(Protocol):
    """One page of a browser. Selectors are CSS."""

    def go(self, url: str) -> None:
        """Load this address, also if only its fragment differs from what is shown, and wait for `load`."""

    def reload(self) -> None: ...

    def run(self, function: str, *arguments: object) -> Any:
        """Call a JavaScript function, wait for the promise that it may return, and give its value as JSON has it."""

    def click(self, selector: str, across: float = 0.5) -> None:
        """Click with the mouse, half way down and so far `across` from left to right."""

    def press(self, keys: str) -> None:
        """Press a key by its name in KeyboardEvent, or some together: `Shift+ArrowRight`."""

    def choose_files(self, selector: str, *paths: Path) -> None:
        """Choose these files in a file input."""

    def choose_option(self, selector: str, value: str) -> None: ...

    def resize(self, width: int, height: int) -> None:
        """Give the page about this size."""

    def close(self) -> None: ...


class Browser(Protocol):
    """A browser that runs with a profile on disk."""

    def open_tab(self) -> Tab: ...

    def saved(self) -> list[Path]:
        """The files that its pages have saved, whole or in part."""

    def errors(self) -> list[str]:
        """What its pages have reported as errors."""

    def kill(self) -> None:
        """End all of it as a power cut would."""


class Engine(Protocol):
    @property
    def name(self) -> str: ...

    def start(self, profile: Path) -> AbstractContextManager[Browser]:
        """The browser with the profile in this folder, new or used before; it is closed, and gone, at the end."""


def wait(tab: Tab, condition: str, *arguments: object, within: float = 30) -> Any:
    """Wait, for so many seconds, until a JavaScript function gives something true in the page; this is returned."""
    return tab.run(_WAIT.replace("CONDITION", condition), within * 1000, *arguments)


# One function and no text for `eval`, which a content security policy may forbid.
_WAIT = """(within, ...given) => new Promise((resolve, reject) => {
  const condition = CONDITION;
  const end = performance.now() + within;
  const look = () => {
    const value = condition(...given);
    if (value) return resolve(value);
    if (performance.now() < end) return void setTimeout(() => attempt(), 20);
    const said = document.querySelector('[role=alert]')?.innerText;
    reject(new Error(`this did not come true: ${condition} ${JSON.stringify(given)}; the page says: ${said}`));
  };
  const attempt = () => { try { look(); } catch (error) { reject(error); } };
  attempt();
})"""
