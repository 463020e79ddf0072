"""WebKitGTK, driven by selenium on a screen of its own."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selenium.common.exceptions import WebDriverException
from selenium.webdriver import ActionChains, Keys, Remote, WebKitGTKOptions, WebKitGTKService
from selenium.webdriver.remote.client_config import ClientConfig
from selenium.webdriver.remote.file_detector import UselessFileDetector
from selenium.webdriver.remote.remote_connection import RemoteConnection
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.select import Select

WINDOW = Path(__file__).parent / "webkit_window.py"

KEYS = {
    "Shift": Keys.SHIFT,
    "Escape": Keys.ESCAPE,
    "Space": Keys.SPACE,
    "Home": Keys.HOME,
    "End": Keys.END,
    "Tab": Keys.TAB,
    "ArrowLeft": Keys.ARROW_LEFT,
    "ArrowRight": Keys.ARROW_RIGHT,
}

LOG = "log"
"""The file in a profile to which the driver and the browser write."""

PATIENCE = 120
"""How long a call may take, in seconds; what waits in the page gives up before."""

ERROR = re.compile(r"^(\S+: )?CONSOLE (\w+ )?ERROR ")
"""As WebKitGTK writes `console.error` and uncaught errors, of workers too, to its standard output."""

RUN = """
const [done, ...given] = [...arguments].reverse();
Promise.resolve().then(() => (FUNCTION)(...given.reverse())).then(
  (value) => done({ value }),
  (error) => done({ error: `${error}` }),
);
"""

UNKNOWN = "Unrecognized Content-Security-Policy directive 'manifest-src'"
"""WebKit knows no such directive, and says so of every page that has it."""


@dataclass(frozen=True)
class WebDriverTab:
    driver: Remote
    window: str

    def _shown(self) -> Remote:
        """The driver speaks to one window at a time."""
        self.driver.switch_to.window(self.window)
        return self.driver

    def _find(self, selector: str) -> WebElement:
        return self._shown().find_element("css selector", selector)

    def go(self, url: str) -> None:
        self._shown().get("about:blank")
        self.driver.get(url)

    def reload(self) -> None:
        self._shown().refresh()

    def run(self, function: str, *arguments: object) -> Any:
        answer = self._shown().execute_async_script(RUN.replace("FUNCTION", function), *arguments)
        if "error" in answer:
            raise AssertionError(answer["error"])
        return answer.get("value")

    def click(self, selector: str, across: float = 0.5) -> None:
        target = self._find(selector)
        offset = round(target.size["width"] * (across - 0.5))
        ActionChains(self.driver).move_to_element_with_offset(target, offset, 0).click().perform()

    def press(self, keys: str) -> None:
        *held, last = (KEYS.get(key, key) for key in keys.split("+"))
        actions = ActionChains(self._shown())
        for key in held:
            actions.key_down(key)
        actions.send_keys(last)
        for key in reversed(held):
            actions.key_up(key)
        actions.perform()

    def choose_files(self, selector: str, *paths: Path) -> None:
        self._find(selector).send_keys("\n".join(map(str, paths)))

    def choose_option(self, selector: str, value: str) -> None:
        Select(self._find(selector)).select_by_value(value)

    def resize(self, width: int, height: int) -> None:
        self._shown().set_window_size(width, height)

    def close(self) -> None:
        self._shown().close()


@dataclass
class WebDriverBrowser:
    driver: Remote
    pid: int
    profile: Path

    def __post_init__(self) -> None:
        self.unused = list(self.driver.window_handles)

    def open_tab(self) -> WebDriverTab:
        if not self.unused:
            self.driver.switch_to.new_window("tab")
            self.unused = [self.driver.current_window_handle]
        return WebDriverTab(self.driver, self.unused.pop())

    def saved(self) -> list[Path]:
        return list(self.profile.glob("downloads/*"))

    def errors(self) -> list[str]:
        lines = (self.profile / LOG).read_text().splitlines()
        return [line for line in lines if ERROR.search(line) and UNKNOWN not in line]

    def close(self) -> None:
        """As a user ends a browser: its windows are closed, then it ends by itself."""
        processes = family(self.pid)
        with suppress(WebDriverException):  # when it was killed
            for window in self.driver.window_handles:
                WebDriverTab(self.driver, window).close()
        await_end(processes)

    def kill(self) -> None:
        processes = family(self.pid)
        for pid in processes:
            with suppress(ProcessLookupError):  # some end with the first
                os.kill(pid, signal.SIGKILL)
        await_end(processes)


@dataclass(frozen=True)
class WebKitEngine:
    """`display` is the X display on which its windows are opened."""

    path: str
    display: str
    name: str = "webkit"

    @contextmanager
    def start(self, profile: Path) -> Iterator[WebDriverBrowser]:
        profile.mkdir(exist_ok=True)
        log = str(profile / LOG)
        service = WebKitGTKService(self.path, log_output=log, env=os.environ | {"DISPLAY": self.display})
        service.start()
        try:
            driver = connect(service.service_url, profile)
            browser = WebDriverBrowser(driver, int((profile / "pid").read_text()), profile)
            try:
                yield browser
            finally:
                browser.close()
        finally:
            service.stop()


def connect(address: str, profile: Path) -> Remote:
    connection = RemoteConnection(client_config=ClientConfig(address, timeout=PATIENCE))
    driver = Remote(connection, options=options(profile), file_detector=UselessFileDetector())
    driver.set_script_timeout(PATIENCE)
    return driver


def options(profile: Path) -> WebKitGTKOptions:
    options = WebKitGTKOptions()
    options.binary_location = "/usr/bin/python3"
    options.add_argument(str(WINDOW))
    options.add_argument(str(profile))
    return options


@contextmanager
def screen() -> Iterator[str]:
    """An X display in memory, by its name."""
    command = ["Xvfb", "-displayfd", "1", "-screen", "0", "1600x1000x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            assert server.stdout
            number = server.stdout.readline().strip()
            assert number, "Xvfb did not start"
            yield f":{number}"
        finally:
            server.terminate()


def family(pid: int) -> list[int]:
    """A process and all that it started."""
    listing = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = [tuple(map(int, line.split())) for line in listing.splitlines()]
    found = [pid]
    for one in found:
        found += [child for child, parent in parents if parent == one]
    return found


def await_end(processes: Iterable[int]) -> None:
    """Wait until these have ended: a browser that starts while another still has its profile would find it locked."""
    for pid in processes:
        try:
            watched = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        try:
            ended, _, _ = select.select([watched], [], [], 30)
            assert ended, f"process {pid} of the browser has not ended"
        finally:
            os.close(watched)
