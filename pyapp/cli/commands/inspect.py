"""Shows the sessions of SOURCE in the inspector, in the browser: serves the built page on this machine, until Ctrl-C.

The page only reads them, and follows what is written meanwhile. Its address holds a key: keep it to yourself."""

from __future__ import annotations

import asyncio
import webbrowser
from argparse import ArgumentParser, Namespace
from pathlib import Path
from threading import Thread

from ...errors import StoreUnavailableError
from ..addresses import open_source, read_address
from ..exits import OK
from ..serving import Answers, PageServer
from ..terminal import safe

HELP = "show the sessions of a source in the browser"

BUILT = Path(__file__).parents[3] / "dist"
"""Where `make build` puts the page, in a checkout."""


def arguments(parser: ArgumentParser) -> None:
    """The arguments of `inspect`."""
    parser.add_argument("source", metavar="SOURCE", help="where the sessions are")
    parser.add_argument("--page", metavar="DIR", help="the built page (dist/ of a checkout)")
    parser.add_argument("--no-browser", action="store_true", help="print the address, and open nothing")


async def run(options: Namespace) -> int:
    """Serve until the task is cancelled."""
    address = read_address(options.source)
    page = find_page(options.page)
    async with open_source(address) as store:
        await store.totals()  # what is wrong with it is said now, not in the browser
        answers = Answers(store, str(address.absolute))
        server = PageServer(page, answers, asyncio.get_running_loop())
        server.start()
        try:
            print(f"{safe(str(address))} is shown at {server.address}\nCtrl-C ends it.", flush=True)
            if not options.no_browser:
                # In a thread that nobody waits for: some browsers stay in the foreground until they end.
                Thread(target=webbrowser.open, args=(server.address,), daemon=True).start()
            await asyncio.Event().wait()
        except asyncio.CancelledError:  # Ctrl-C
            print()
        finally:
            answers.close()
            server.close()
    return OK


def find_page(given: str | None) -> Path:
    """The folder of the built page. Raises StoreUnavailableError when there is none."""
    folder = Path(given) if given else BUILT
    if (folder / "index.html").is_file() and (folder / "boot.json").is_file():
        return folder
    raise StoreUnavailableError(
        f"{folder} holds no built page. Run `make build` in a checkout of this project, which makes dist/, and name "
        "that folder as --page DIR"
    )
