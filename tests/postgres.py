"""A private PostgreSQL server for the tests: its own folder, no network port, gone when the tests end."""

from __future__ import annotations

import atexit
import collections
import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

PROGRAMS = Path("/usr/lib/postgresql/15/bin")
SUPERUSER = "fugong"
READY_WITHIN_SECONDS = 60
PR_SET_PDEATHSIG = 1

# Speed for safety: a test database that a power cut damages is thrown away anyway.
SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "128MB",
    "max_connections": "60",
    "autovacuum": "off",
    "max_wal_size": "2GB",
    "timezone": "UTC",
    "lc_messages": "C",
}


def why_not() -> str | None:
    """Why no cluster can be started here, in words that say what to install; None when one can."""
    if not (PROGRAMS / "initdb").is_file():
        return f"PostgreSQL 15 is not in {PROGRAMS}; install it with: apt-get install postgresql-15"
    if os.geteuid() == 0 and _owner() is None:
        return "PostgreSQL refuses to run as root, and there is no account 'postgres' or 'nobody' to run it as"
    return None


@dataclass(frozen=True)
class Cluster:
    """A running server; ``folder`` holds its data and its socket."""

    folder: Path
    server: subprocess.Popen[str]

    def url_for(self, dbname: str) -> str:
        """The SQLAlchemy URL of the database ``dbname`` on this server."""
        return f"postgresql+psycopg://{SUPERUSER}@/{quote(dbname)}?host={quote(str(self.folder), safe='')}"

    def create_database(self, name: str, template: str = "template0") -> str:
        """Create ``name`` as a copy of ``template`` (which nobody may be connected to) and return its URL."""
        # Copied file by file: without fsync that takes half of what writing every page to the log takes.
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")
        self._execute(statement.format(sql.Identifier(name), sql.Identifier(template)))
        return self.url_for(name)

    def drop_database(self, name: str) -> None:
        """Drop ``name`` if it exists, ending whatever is still connected to it."""
        self._execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def stop(self) -> None:
        """Stop the server at once and remove its folder; harmless when repeated."""
        if self.server.poll() is None:
            self.server.send_signal(signal.SIGQUIT)
            try:
                self.server.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.server.kill()
                self.server.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _execute(self, statement: sql.Composed) -> None:
        with psycopg.connect(host=str(self.folder), user=SUPERUSER, dbname="postgres", autocommit=True) as connection:
            connection.execute(statement)


def start_cluster() -> Cluster:
    """Make and start a cluster that stops when this process ends, however it ends; RuntimeError says why it can't."""
    reason = why_not()
    if reason is not None:
        raise RuntimeError(reason)
    # A short path of its own: a socket's path may have 107 characters, and pytest's folders are closed to `postgres`.
    folder = Path(tempfile.mkdtemp(prefix="fugong-pg-", dir="/tmp"))
    try:
        _give_away(folder)
        _initialise(folder)
        server, last_words = _launch(folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    cluster = Cluster(folder, server)
    atexit.register(cluster.stop)
    if server.poll() is not None or not _answers(cluster):
        cluster.stop()
        raise RuntimeError("PostgreSQL did not start:\n" + "".join(last_words))
    return cluster


def _owner() -> pwd.struct_passwd | None:
    """Whom to run the server as: nobody but us when we are not root (None), else an account without rights."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    return None


def _give_away(folder: Path) -> None:
    owner = _owner()
    if owner is not None:
        os.chown(folder, owner.pw_uid, owner.pw_gid)


def _initialise(folder: Path) -> None:
    command: list[str | Path] = [PROGRAMS / "initdb", "-D", folder / "data", "-U", SUPERUSER, "--auth=trust"]
    command += ["--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions"]
    done = _run(command, folder)
    if done.returncode != 0:
        raise RuntimeError(f"initdb failed:\n{done.stderr}")


def _run(command: list[str | Path], folder: Path) -> subprocess.CompletedProcess[str]:
    user, group, groups = _identity()
    return subprocess.run(
        command, cwd=folder, user=user, group=group, extra_groups=groups, capture_output=True, text=True, check=False
    )


def _identity() -> tuple[int | None, int | None, list[int] | None]:
    """User, group and further groups for a child process; None leaves ours."""
    owner = _owner()
    return (owner.pw_uid, owner.pw_gid, []) if owner else (None, None, None)


def _launch(folder: Path) -> tuple[subprocess.Popen[str], collections.deque[str]]:
    """Start the server and wait until it says that it is ready, or ends, or the time is over."""
    user, group, groups = _identity()
    settings = SETTINGS | {"unix_socket_directories": str(folder)}
    command: list[str | Path] = [PROGRAMS / "postgres", "-D", folder / "data"]
    command += [f"--{name}={value}" for name, value in settings.items()]
    server = subprocess.Popen(
        command,
        cwd=folder,
        user=user,
        group=group,
        extra_groups=groups,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=_die_with_parent,
    )
    last_words: collections.deque[str] = collections.deque(maxlen=40)
    settled = threading.Event()
    threading.Thread(target=_listen, args=(server, last_words, settled), daemon=True).start()
    settled.wait(READY_WITHIN_SECONDS)
    return server, last_words


_libc = ctypes.CDLL(None)


def _die_with_parent() -> None:
    """Asks Linux to stop the server when the tests are killed: no exit handler runs after SIGKILL."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)


def _listen(server: subprocess.Popen[str], last_words: collections.deque[str], settled: threading.Event) -> None:
    """Keep the server's last words, and keep its pipe from filling, until it ends."""
    if server.stderr is None:
        raise ValueError("the server's words go nowhere")
    with server.stderr:
        for line in server.stderr:
            last_words.append(line)
            if "ready to accept connections" in line:
                settled.set()
    settled.set()


def _answers(cluster: Cluster) -> bool:
    try:
        cluster._execute(sql.Composed([sql.SQL("SELECT 1")]))
    except psycopg.OperationalError:
        return False
    return True
