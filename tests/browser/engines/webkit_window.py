"""WebKitGTK in a bare window, with a profile: `/usr/bin/python3 webkit_window.py PROFILE`.

Run by WebKitWebDriver, with the Python that has Debian's python3-gi. Debian's own MiniBrowser would do, but
while it is driven it forgets everything when it ends, and here a restart has to be tested.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import gi

gi.require_version("Gtk", "3.0")
gi.require_version("WebKit2", "4.1")
from gi.repository import Gtk, WebKit2  # noqa: E402 - the versions come first

views: list[Any] = []


def main(profile: Path) -> None:
    profile.mkdir(parents=True, exist_ok=True)
    (profile / "pid").write_text(str(os.getpid()))
    store = WebKit2.WebsiteDataManager(
        base_data_directory=str(profile / "data"), base_cache_directory=str(profile / "cache")
    )
    context = WebKit2.WebContext(website_data_manager=store)
    context.set_automation_allowed(True)
    context.connect("automation-started", begin)
    context.connect("download-started", lambda _, download: save(download, profile / "downloads"))
    Gtk.main()


def begin(context: Any, session: Any) -> None:
    """WebDriver has come: tell who this is, as its client expects it, and open what it asks for."""
    told = WebKit2.ApplicationInfo()
    told.set_name("MiniBrowser")
    told.set_version(WebKit2.get_major_version(), WebKit2.get_minor_version(), WebKit2.get_micro_version())
    session.set_application_info(told)
    session.connect("create-web-view", lambda _: open_window(context))


def open_window(context: Any) -> Any:
    view = WebKit2.WebView(web_context=context, is_controlled_by_automation=True)
    view.get_settings().set_enable_write_console_messages_to_stdout(True)
    view.connect("close", closed)
    window = Gtk.Window(default_width=1400, default_height=900)
    window.add(view)
    window.show_all()
    views.append(view)
    return view


def save(download: Any, folder: Path) -> None:
    """Without a question where to."""
    folder.mkdir(exist_ok=True)

    def decide(download: Any, name: str) -> bool:
        download.set_destination((folder / name).as_uri())
        return True

    download.connect("decide-destination", decide)


def closed(view: Any) -> None:
    views.remove(view)
    view.get_toplevel().destroy()
    if not views:
        Gtk.main_quit()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
