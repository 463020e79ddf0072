"""A site of its own for a test: a copy of dist/ that can get a new version, and a server that can be stopped."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import threading
import zipfile
from collections.abc import Callable
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any

from .conftest import DIST, ROOT, Server

DEMO = "demo/mock-1-rich.jsonl"

STAND_IN = """
self.onmessage = () => {};
self.postMessage({type: 'listening'});
self.postMessage({type: 'patch', regions: {main: '<h1>Ready</h1>'}, root: {'data-ready': 'true'}});
"""
"""A worker without Python, for tests that need none: the page is ready at once."""


class Site:
    """A folder and a server on a port that stays."""

    def __init__(self, folder: Path, with_python: bool = True, validators: bool = True) -> None:
        self.folder = folder
        self.validators = validators
        self.sent: list[str] = []
        """What was sent with its bytes: an answer that a copy is still right is not among them."""
        self.asked: list[str] = []
        self.before: dict[str, Callable[[], None]] = {}
        """What is to happen, once, before a file is sent."""
        self.failing: set[str] = set()
        shutil.copytree(DIST, folder)
        if not with_python:
            shutil.rmtree(folder / "pyodide")
            shutil.rmtree(folder / "python")
            [worker] = (folder / "assets").glob("worker-*.js")
            worker.write_text(STAND_IN)
        self.deploy("A")
        self._server: Server | None = None
        self.address = ""
        self.start()

    def deploy(self, name: str) -> None:
        """Make this version of the site: it shows in the page, in the version of Python and in the demo's sessions."""
        self._name = name
        self.change("index.html", lambda text: re.sub(r'<html( data-test="\w*")?', f'<html data-test="{name}"', text))
        self.change("demo/index.json", lambda text: json.dumps(json.loads(text)[:1]))
        self.change(DEMO, lambda text: re.sub(r'"agent":"mock(-\w+)?"', f'"agent":"mock-{name}"', text))
        self._change_wheel(name)
        self._tell_worker()
        subprocess.run(["node", "web/build/offline.mjs", str(self.folder)], cwd=ROOT, check=True)
        for made in ("boot.json", "index.html", "sw.js"):
            self._date(self.folder / made)

    def change(self, name: str, how: Callable[[str], str]) -> None:
        path = self.folder / name
        path.write_text(how(path.read_text()))
        self._date(path)

    def _date(self, path: Path) -> None:
        """A day of its own for each version: servers tell whole seconds, and a test deploys faster."""
        day = 1_700_000_000 + 86_400 * ord(self._name)
        os.utime(path, (day, day))

    def _change_wheel(self, name: str) -> None:
        [wheel] = self.folder.glob("wheels/sandbox_agent_pyodide-*.whl")
        with zipfile.ZipFile(wheel) as old:
            members = {info: old.read(info) for info in old.infolist()}
        with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as new:
            for info, data in members.items():
                if info.filename == "pyapp/__init__.py":
                    data = re.sub(rb'__version__ = "[^"]*"', b'__version__ = "%s"' % name.encode(), data)
                new.writestr(info, data)
        self._date(wheel)

    def _tell_worker(self) -> None:
        """The worker knows the hashes of wheels and demo, and files of another content get other names."""
        [worker] = (self.folder / "assets").glob("worker-*.js")
        [script] = (self.folder / "assets").glob("index-*.js")
        text = worker.read_text()
        boot = json.loads((self.folder / "boot.json").read_text())
        for path in (DEMO, "demo/index.json", *boot["plain"]["wheels"]):
            digest = base64.b64encode(hashlib.sha256((self.folder / path).read_bytes()).digest()).decode()
            text = text.replace(boot["hashes"][path], f"sha256-{digest}")
        worker.write_text(text)
        renamed = self._rename(worker)
        script.write_text(script.read_text().replace(worker.name, renamed.name))
        page = self.folder / "index.html"
        page.write_text(page.read_text().replace(script.name, self._rename(script).name))
        self._date(page)

    def _rename(self, path: Path) -> Path:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()[:8]
        renamed = path.rename(path.with_name(f"{path.name.partition('-')[0]}-{digest}.js"))
        self._date(renamed)
        return renamed

    def start(self) -> None:
        port = int(self.address.rpartition(":")[2].partition("/")[0]) if self.address else 0
        self._server = Server(("127.0.0.1", port), partial(Handler, self))
        self.address = f"http://127.0.0.1:{self._server.server_port}/deep/folder/"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """As without a network: nothing answers any more."""
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


class Handler(SimpleHTTPRequestHandler):
    """A plain server: HTTP/1.0, a date of change, no word about caches; without validators not even the date."""

    extensions_map = {  # noqa: RUF012 - so declared in the base class
        **SimpleHTTPRequestHandler.extensions_map,
        ".js": "text/javascript",
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
    }

    def __init__(self, site: Site, *arguments: Any) -> None:
        self.site = site
        super().__init__(*arguments, directory=str(site.folder))

    def do_GET(self) -> None:
        name = self.path.partition("?")[0].removeprefix("/deep/folder/")
        self.site.asked.append(name)
        self.site.before.pop(name, lambda: None)()
        if self.path.startswith("/deep/folder/") and name not in self.site.failing:
            self.path = f"/{name}"
            super().do_GET()
        else:
            self.send_error(404)

    def send_response(self, code: int, message: str | None = None) -> None:
        if code == 200:
            self.site.sent.append(self.path.removeprefix("/"))
        super().send_response(code, message)

    def send_header(self, keyword: str, value: str) -> None:
        if keyword != "Last-Modified" or self.site.validators:
            super().send_header(keyword, value)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - so named in the base class
        """Quiet: what matters is in `sent` and `asked`."""
