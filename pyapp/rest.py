"""What of this package the page's snapshot lacks: modules that few pages need are fetched when one does.

The snapshot has what was imported when it was made, and no files. The wheel that it was made from lies beside it.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import AsyncIterator, Callable

RARE = "pyapp.drivers.sqlite"
"""A module that no start imports: where it is there, all of them are."""


async def install_rest(fetch: Callable[[str], AsyncIterator[bytes]]) -> None:
    """Make every module of this package importable. `fetch` gives the bytes of a file of the site; raises OSError."""
    from importlib.util import find_spec

    if find_spec(RARE) is not None:
        return
    from io import BytesIO
    from zipfile import ZipFile

    version = sys.modules["pyapp"].__version__  # an import of it would import every driver, says the linter
    try:
        wheel = b"".join([piece async for piece in fetch(f"wheels/sandbox_agent_pyodide-{version}-py3-none-any.whl")])
    except OSError:  # its words are for those who host the page
        raise OSError(
            "A part of this page could not be loaded, and nothing was changed. Check the connection "
            "and try again; if that does not help, reload the page."
        ) from None
    folder = os.path.dirname(os.path.dirname(__file__))
    os.makedirs(folder, exist_ok=True)
    with ZipFile(BytesIO(wheel)) as archive:
        archive.extractall(folder, [name for name in archive.namelist() if name.startswith(f"{__package__}/")])
    if folder not in sys.path:
        sys.path.append(folder)
    importlib.invalidate_caches()
