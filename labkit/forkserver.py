"""One process imports TensorFlow, and every other is a fork of it: started in milliseconds instead of seconds.

The server imports the heavy modules once, never runs an operation nor looks for a device, freezes what it has,
and then forks a child for every connection to its Unix socket. When the client hangs up, the child is killed; when
the child ends, the client is told how. The socket has mode 0600 in a folder of mode 0700, and every child closes it
before it runs anything.

A child is a function, named as "module:function", that is called with a dictionary and a list of file descriptors.
Its module is imported by the server, so that the second child of its kind has it already; a function `prepare()`
in that module, where there is one, is called once after the import.
"""

from __future__ import annotations

import array
import contextlib
import ctypes
import dataclasses
import errno
import fcntl
import gc
import hashlib
import importlib
import importlib.util
import inspect
import io
import itertools
import json
import math
import numbers
import os
import secrets
import selectors
import signal
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, MappingView, MutableMapping, Sequence
from pathlib import Path
from types import FunctionType, TracebackType
from typing import Any

HEAVY = (
    "numpy",
    "tensorflow",
    "keras",
    "matplotlib.pyplot",
    "matplotlib.font_manager",
    "matplotlib_inline.backend_inline",
    "IPython.core.interactiveshell",
    "IPython.core.completer",
    "sklearn.datasets",
    "PIL.Image",
    "labkit.checks",
    "labkit.data",
    "labkit.metrics",
    "labkit.models",
    "labkit.plots",
    "labkit.training",
)
# Read when the modules are imported, so it is the server that needs them. One thread each: a process that forks
# must have no other, and threads of a library's pool would not be in the child.
ENVIRONMENT = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_ENABLE_ONEDNN_OPTS": "0",  # it compiles its kernels anew in every room, which costs more than it gains
    # What a room has freed goes back at once, since many rooms would keep it all, and what it takes comes in huge
    # pages: TensorFlow takes megabytes for every convolution and every checkpoint, and would wait for each 4 KiB.
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": "2097152",
    "MALLOC_TRIM_THRESHOLD_": "131072",
    "MALLOC_TOP_PAD_": "65536",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "KERAS_BACKEND": "tensorflow",
    "PYTHONSAFEPATH": "1",
    "PYTHONNOUSERSITE": "1",
}
# All that the server keeps of its user's environment: a child can read in /proc what its server was started with.
INHERITED = ("HOME", "LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "PATH", "PYTHONPATH", "TMPDIR", "TZ")

IDLE_SECONDS = 600.0
START_SECONDS = 180.0
SWEEP_SECONDS = 0.05
BUSY_SECONDS = 10.0  # that a client tries again where the kernel has no process to give
REQUEST_BYTES = 60_000
MOST_DESCRIPTORS = 64  # the kernel takes 253 at once
MOST_DEPTH = 64  # of a child's folder
SHARED_MEMORY = "/dev/shm"
ENOUGH_MEMORY = 2 << 30  # bytes free there


class ServerError(RuntimeError):
    """The fork server could not be started or reached, or refused a request."""


@dataclasses.dataclass(frozen=True)
class Spec:
    """What a child is to run, and what it may use.

    Args:
        target: "module:function", called as `function(arguments, descriptors)`.
        arguments: data that JSON can carry, at most 60 kB.
        folder: a folder that belongs to the child; its size is watched, and it is removed when the child has ended
            and the client has hung up. `Server.folder()` makes one.
        seconds: wall time.
        memory: bytes of resident memory (page tables included) beyond what it had after the fork.
        threads: number of threads.
        disk: bytes in `folder`, files included that are deleted but open.
        files: number of files and folders in `folder`.
    """

    target: str
    arguments: dict[str, Any] = dataclasses.field(default_factory=dict)
    folder: str | None = None
    seconds: float | None = None
    memory: int | None = None
    threads: int | None = None
    disk: int | None = None
    files: int | None = None


@dataclasses.dataclass(frozen=True)
class Ending:
    """How a child ended.

    Args:
        status: "ended" (exit code 0), "crashed", "killed" (the client hung up or asked for it), "timeout",
            "out_of_memory", "disk_full", "too_many_threads", or "server_lost".
        code: exit code, or None.
        signal: number of the signal that ended it, or None.
        seconds: wall time from fork to end.
        peak_memory: largest growth of its resident memory after the fork, in bytes.
    """

    status: str
    code: int | None = None
    signal: int | None = None
    seconds: float = 0.0
    peak_memory: int = 0


# ---------------------------------------------------------------------------------------------- folders


def runtime_folder() -> Path:
    """The folder, readable by this user alone, that holds the sockets and the children's folders.

    It is where TMPDIR says; without it in memory (tmpfs) where there is room for that, since children may write
    hundreds of small files, else where temporary files go.

    Raises:
        ServerError: if somebody else owns it or may look into it.
    """
    parent = (
        SHARED_MEMORY if "TMPDIR" not in os.environ and _has_room(SHARED_MEMORY) else tempfile.gettempdir()
    )
    folder = Path(parent) / f"labbook-{os.getuid()}"
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise ServerError(
            f"Expected {folder} to be a folder of yours with mode 0700. Received owner {found.st_uid}, mode "
            f"{stat.S_IMODE(found.st_mode):04o}: remove it, or set TMPDIR to a folder of your own."
        )
    if len(os.fsencode(folder)) > 70:  # a socket's address has room for 107 bytes
        raise ServerError(
            f"Expected a shorter path than {folder} for a socket: set TMPDIR to one such as /tmp."
        )
    return folder


def _has_room(folder: str) -> bool:
    """Whether it may be written to and has much more room than the children of one moment may fill."""
    if not os.access(folder, os.W_OK | os.X_OK):
        return False
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize >= ENOUGH_MEMORY


def remove_tree(top: str | Path) -> None:
    """Remove a folder that a hostile process has filled: any depth, any mode, any name.

    Every folder in it is moved to the top before it is emptied, so no path grows and nothing recurses. Two processes
    may remove the same folder at once.
    """
    top = os.fspath(top)
    while os.path.lexists(top):
        try:
            _empty_folder(top)
            os.rmdir(top)
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENOTEMPTY):  # somebody else was quicker
                raise


def _empty_folder(top: str) -> None:
    os.chmod(top, 0o700)
    while names := os.listdir(top):
        for name in names:
            path = os.path.join(top, name)
            if not stat.S_ISDIR(os.lstat(path).st_mode):
                os.unlink(path)
                continue
            os.chmod(path, 0o700)
            for inner in os.listdir(path):
                child = os.path.join(path, inner)
                if stat.S_ISDIR(os.lstat(child).st_mode):
                    os.chmod(child, 0o700)
                    os.rename(child, os.path.join(top, secrets.token_hex(16)))
                else:
                    os.unlink(child)
            os.rmdir(path)


def folder_usage(top: str, most_files: float = math.inf) -> tuple[float, float]:
    """Bytes and number of entries below `top`; infinite where they cannot be counted."""
    total, number = 0, 0
    folders = [(top, 0)]
    while folders:
        folder, depth = folders.pop()
        if depth > MOST_DEPTH:  # following it down would take us longer than it took to make it
            return math.inf, math.inf
        try:
            entries = os.scandir(folder)
        except PermissionError:
            os.chmod(folder, 0o700)  # made with a mode that hides what is in it
            folders.append((folder, depth))
            continue
        except FileNotFoundError:
            continue
        with entries:
            for entry in entries:
                number += 1
                if number > most_files:
                    return total, math.inf
                with contextlib.suppress(FileNotFoundError):
                    total += entry.stat(follow_symlinks=False).st_blocks * 512
                    if entry.is_dir(follow_symlinks=False):
                        folders.append((entry.path, depth + 1))
    return total, number


def deleted_usage(pid: int) -> int:
    """Bytes on disk of the files that process `pid` holds open and that no folder shows any more."""
    total = 0
    for name in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(OSError):
            found = os.stat(f"/proc/{pid}/fd/{name}")
            if stat.S_ISREG(found.st_mode) and found.st_nlink == 0:
                total += found.st_blocks * 512
    return total


# ---------------------------------------------------------------------------------------------- the client


class Child:
    """A forked process, which lives as long as this object's connection to the server."""

    def __init__(self, connection: socket.socket, pid: int) -> None:
        self.pid = pid
        self._connection = connection
        self._ending: Ending | None = None

    def wait(self, seconds: float | None = None) -> Ending | None:
        """How the child ended, or None if it is still running after `seconds`."""
        if self._ending is None:
            self._connection.settimeout(seconds)
            try:
                message = self._connection.recv(REQUEST_BYTES)
            except (TimeoutError, BlockingIOError):
                return None
            except OSError:
                message = b""
            self._ending = Ending(**json.loads(message)) if message else Ending("server_lost")
        return self._ending

    def kill(self) -> Ending:
        """End the child now, and say how it ended."""
        with contextlib.suppress(OSError):
            self._connection.send(b"kill")
        ending = self.wait()
        assert ending is not None
        return ending

    def close(self) -> None:
        """Hang up: the server kills the child if it still runs, and removes its folder."""
        self._connection.close()

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Server:
    """The way to a fork server. `start()` makes a private one, `connect()` finds or makes the user's."""

    def __init__(self, path: Path, process: subprocess.Popen[bytes] | None = None) -> None:
        self.path = path
        self._process = process

    @classmethod
    def start(cls) -> Server:
        """Start a private server, which ends when this process ends or calls `close()`."""
        path = runtime_folder() / f"private-{os.getpid()}-{secrets.token_hex(4)}"
        return cls(path, _spawn(path, idle_seconds=None))

    @classmethod
    def connect(cls, idle_seconds: float = IDLE_SECONDS) -> Server:
        """The user's server; started on first use, gone after `idle_seconds` without a child.

        A server that was started with other code or another Python is left to its own users.
        """
        path = runtime_folder() / f"shared-{_fingerprint()}"
        if not _answers(path):
            with open(path.with_suffix(".lock"), "w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)  # let go by the kernel, however we end
                if not _answers(path):
                    _spawn(path, idle_seconds)
        return cls(path)

    @property
    def pid(self) -> int:
        """Process id of the server."""
        with self._dial() as connection:
            return _peer(connection)[0]

    def folder(self) -> Path:
        """A new empty folder, for `Spec.folder`."""
        parent = self.path.with_suffix(".rooms")
        with contextlib.suppress(FileExistsError):
            parent.mkdir(mode=0o700)
        return Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=parent))

    def fork(self, spec: Spec, descriptors: Sequence[int] = ()) -> Child:
        """Fork a child that runs `spec` with copies of these file descriptors.

        Raises:
            ServerError: if the server is gone, or refuses (its reason is in the message).
        """
        request = json.dumps(dataclasses.asdict(spec)).encode()
        if len(request) > REQUEST_BYTES or len(descriptors) > MOST_DESCRIPTORS:
            raise ServerError(
                f"Expected at most {REQUEST_BYTES} bytes and {MOST_DESCRIPTORS} descriptors. Received "
                f"{len(request)} and {len(descriptors)}: send the rest over a descriptor."
            )
        patience = time.monotonic() + BUSY_SECONDS
        while True:
            connection = self._dial()
            try:
                socket.send_fds(connection, [request], list(descriptors))
                connection.settimeout(START_SECONDS)
                reply = connection.recv(REQUEST_BYTES)
            except OSError as error:
                connection.close()
                raise ServerError(f"The fork server at {self.path} is gone: {error}.") from None
            answer: dict[str, Any] = json.loads(reply) if reply else {"error": "it hung up"}
            if "pid" in answer:
                return Child(connection, answer["pid"])
            connection.close()
            if "busy" not in answer or time.monotonic() > patience:
                raise ServerError(f"The fork server refused {spec.target}: {answer['error']}")
            time.sleep(SWEEP_SECONDS)

    def close(self) -> None:
        """End a private server with all its children; leave a shared one alone."""
        if self._process is not None:
            assert self._process.stdin is not None
            self._process.stdin.close()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            _forget(self.path)  # it does so itself, unless it was killed

    def _dial(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            connection.connect(os.fspath(self.path))
        except OSError as error:
            connection.close()
            raise ServerError(f"No fork server answers at {self.path}: {error.strerror}.") from None
        return connection

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _peer(connection: socket.socket) -> tuple[int, int]:
    """Process id and user id at the other end."""
    pid, uid, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return pid, uid


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as probe:
        try:
            probe.connect(os.fspath(path))
        except OSError:
            return False
        return True


def _fingerprint() -> str:
    """Says which Python and which of our code a server runs."""
    parts = [sys.executable, sys.version, os.environ.get("PYTHONPATH", "")]
    for package in ("labkit", "autograder"):
        found = importlib.util.find_spec(package)
        for place in (found and found.submodule_search_locations) or ():
            for source in sorted(Path(place).rglob("*.py")):
                parts.append(f"{source} {source.stat().st_mtime_ns}")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _forget(path: Path) -> None:
    """Remove what a server of this name left: its socket and its children's folders."""
    path.unlink(missing_ok=True)
    remove_tree(path.with_suffix(".rooms"))


def _sweep_dead(folder: Path) -> None:
    """Remove what servers left that were killed."""
    for path in folder.iterdir():
        if path.suffix == ".rooms":
            path = path.with_suffix("")
        elif path.suffix:
            continue
        if not _answers(path):
            _forget(path)


def _spawn(path: Path, idle_seconds: float | None) -> subprocess.Popen[bytes] | None:
    """Start a server and wait until it answers: a child of ours that dies with us, or a daemon."""
    if not hasattr(os, "pidfd_open"):
        raise ServerError(
            "Expected Linux 5.3 or newer: other systems cannot fork a process that uses TensorFlow."
        )
    environment = {name: os.environ[name] for name in INHERITED if name in os.environ} | ENVIRONMENT
    ours = os.path.dirname(
        os.path.dirname(os.path.abspath(__file__))
    )  # found here, so it must be found there
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [ours, environment.get("PYTHONPATH")]))
    ready, theirs = os.pipe()
    command = [sys.executable, "-P", "-m", "labkit.forkserver", os.fspath(path), str(theirs)]
    if idle_seconds is not None:
        command.append(str(idle_seconds))
    process = subprocess.Popen(
        command,
        env=environment,
        cwd="/",
        pass_fds=[theirs],
        stdin=subprocess.PIPE if idle_seconds is None else subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    os.close(theirs)
    with open(ready, "rb") as pipe, selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        said = pipe.read() if selector.select(START_SECONDS) else b"it took too long"
    if said != b"ready":
        process.kill()
    if idle_seconds is not None or said != b"ready":
        process.wait()  # a daemon's first process has forked and is gone
        if process.stdin is not None:
            process.stdin.close()
    if said != b"ready":
        raise ServerError(
            f"The fork server did not start: {said.decode(errors='replace') or 'no reason given'}"
        )
    return process if idle_seconds is None else None


# ---------------------------------------------------------------------------------------------- the server


class _Process:
    """What the server knows about one child."""

    def __init__(self, connection: socket.socket, pid: int, spec: Spec) -> None:
        self.connection: socket.socket | None = connection
        self.pid = pid
        self.pidfd = os.pidfd_open(pid)
        self.spec = spec
        self.started = time.monotonic()
        self.why: str | None = None  # we killed it, for this reason
        self.base = _memory(pid)[0]

    def over(self) -> str | None:
        """The limit that the child has passed, if any."""
        spec = self.spec
        if spec.seconds is not None and time.monotonic() - self.started > spec.seconds:
            return "timeout"
        memory, threads = _memory(self.pid)
        if spec.memory is not None and memory - self.base > spec.memory:
            return "out_of_memory"
        if spec.threads is not None and threads > spec.threads:
            return "too_many_threads"
        if spec.folder is not None and (spec.disk is not None or spec.files is not None):
            disk = math.inf if spec.disk is None else spec.disk
            files = math.inf if spec.files is None else spec.files
            used, number = folder_usage(spec.folder, files)
            if number > files or used + deleted_usage(self.pid) > disk:
                return "disk_full"
        return None

    def kill(self, why: str) -> None:
        self.why = self.why or why
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)  # a kernel has children of its own; a room cannot


def _memory(pid: int) -> tuple[int, int]:
    """Bytes that a process occupies (resident, swapped, page tables) and its number of threads."""
    memory = threads = 0
    with open(f"/proc/{pid}/status") as status:
        for line in status:
            name, _, rest = line.partition(":")
            if name in ("VmRSS", "VmSwap", "VmPTE"):
                memory += int(rest.split()[0]) << 10
            elif name == "Threads":
                threads = int(rest)
    return memory, threads


class _Forker:
    """The server's loop."""

    def __init__(self, listener: socket.socket, lifeline: int | None, idle_seconds: float | None) -> None:
        self.listener = listener
        self.lifeline = lifeline
        self.idle_seconds = idle_seconds
        self.selector = selectors.DefaultSelector()
        self.processes: dict[int, _Process] = {}
        self.loaded: dict[str, Callable[[dict[str, Any], list[int]], object]] = {}
        self.last_used = time.monotonic()
        self.next_sweep = 0.0
        self.selector.register(listener, selectors.EVENT_READ, self.accept)
        if lifeline is not None:
            self.selector.register(lifeline, selectors.EVENT_READ, self.stop)
        self.running = True

    def serve(self) -> None:
        """Until the owner is gone or nobody has come for a while."""
        while self.running:
            for key, _ in self.selector.select(self.patience()):
                key.data(key.fileobj)
            if self.processes and time.monotonic() >= self.next_sweep:
                self.sweep()
            if self.idle():
                break
        for process in self.processes.values():
            process.kill("killed")
        for pid in list(self.processes):
            self.reap(self.processes[pid])

    def patience(self) -> float | None:
        if self.processes:
            return max(0.0, self.next_sweep - time.monotonic())
        if self.idle_seconds is not None:
            return max(0.0, self.last_used + self.idle_seconds - time.monotonic())
        return None

    def idle(self) -> bool:
        if self.idle_seconds is None or self.processes:
            return False
        return time.monotonic() - self.last_used >= self.idle_seconds

    def stop(self, _: Any) -> None:
        self.running = False

    def accept(self, _: Any) -> None:
        connection, _address = self.listener.accept()
        if _peer(connection)[1] != os.getuid():
            connection.close()
            return
        self.selector.register(connection, selectors.EVENT_READ, self.request)

    def request(self, connection: socket.socket) -> None:
        """Somebody asks for a child, or has only looked whether we are there."""
        self.selector.unregister(connection)
        descriptors: list[int] = []
        try:
            message, descriptors = _receive(connection)
            if not message:
                connection.close()
                return
            spec = Spec(**json.loads(message))
            function = self.load(spec.target)
        except Exception as error:
            _refuse(connection, error=f"{type(error).__name__}: {error}"[:2000])
        else:
            self.fork(connection, spec, function, descriptors)
        finally:
            for descriptor in descriptors:
                os.close(descriptor)

    def load(self, target: str) -> Callable[[dict[str, Any], list[int]], object]:
        """The function to call, its module imported here so that the next child has it."""
        if target not in self.loaded:
            name, _, function = target.partition(":")
            fresh = name not in sys.modules
            module = importlib.import_module(name)
            if fresh and hasattr(module, "prepare"):
                module.prepare()
            self.loaded[target] = getattr(module, function)
            _freeze()
        return self.loaded[target]

    def fork(
        self,
        connection: socket.socket,
        spec: Spec,
        function: Callable[[dict[str, Any], list[int]], object],
        descriptors: list[int],
    ) -> None:
        self.last_used = time.monotonic()
        server = os.getpid()
        try:
            pid = os.fork()
        except (
            OSError
        ) as error:  # a child may have started more threads than this user may have, for a moment
            _refuse(connection, error=str(error), busy=True)
            return
        if pid == 0:
            code = 1
            try:
                _enter(descriptors, server)
                function(spec.arguments, descriptors)
                code = 0
            finally:
                os._exit(code)
        process = self.processes[pid] = _Process(connection, pid, spec)
        self.selector.register(process.pidfd, selectors.EVENT_READ, lambda _: self.reap(process))
        self.selector.register(connection, selectors.EVENT_READ, lambda _: self.hear(process))
        with contextlib.suppress(OSError):
            connection.send(json.dumps({"pid": pid}).encode())

    def hear(self, process: _Process) -> None:
        """The client wants its child dead: it says so, or it hangs up."""
        assert process.connection is not None
        try:
            asked = process.connection.recv(64)
        except OSError:
            asked = b""
        process.kill("killed")
        if not asked:
            self.hang_up(process)

    def hang_up(self, process: _Process) -> None:
        if process.connection is not None:
            self.selector.unregister(process.connection)
            process.connection.close()
            process.connection = None
        if process.pid not in self.processes and process.spec.folder is not None:
            with contextlib.suppress(OSError):  # it is tried again at the end
                remove_tree(process.spec.folder)
                if not self.processes:
                    _remove_abandoned(Path(process.spec.folder).parent)

    def reap(self, process: _Process) -> None:
        """The child has ended: say how."""
        _, status, usage = os.wait4(process.pid, 0)
        self.selector.unregister(process.pidfd)
        os.close(process.pidfd)
        del self.processes[process.pid]
        self.last_used = time.monotonic()
        code = os.waitstatus_to_exitcode(status)
        ending = Ending(
            status=process.why or ("ended" if code == 0 else "crashed"),
            code=code if code >= 0 else None,
            signal=-code if code < 0 else None,
            seconds=round(time.monotonic() - process.started, 4),
            peak_memory=max(0, usage.ru_maxrss * 1024 - process.base),
        )
        if process.connection is None:
            self.hang_up(process)
            return
        with contextlib.suppress(OSError):
            process.connection.send(json.dumps(dataclasses.asdict(ending)).encode())
        self.selector.modify(
            process.connection, selectors.EVENT_READ, lambda _: self.hang_up(process)
        )  # its folder stays until the client has seen it

    def sweep(self) -> None:
        """Kill whoever has passed a limit."""
        for process in self.processes.values():
            with contextlib.suppress(
                OSError
            ):  # it has ended meanwhile; a zombie's /proc is closed to an ordinary user
                if process.why is None and (why := process.over()):
                    process.kill(why)
        self.next_sweep = time.monotonic() + SWEEP_SECONDS


def _refuse(connection: socket.socket, **why: Any) -> None:
    with contextlib.suppress(OSError):
        connection.send(json.dumps(why).encode())
    connection.close()


def _remove_abandoned(rooms: Path) -> None:
    """Remove the folders of clients who were killed before they asked for a child."""
    for folder in rooms.glob("*-*") if rooms.suffix == ".rooms" else ():
        owner = folder.name.partition("-")[0]
        if owner.isdecimal() and not os.path.exists(f"/proc/{owner}"):
            remove_tree(folder)


def _receive(connection: socket.socket) -> tuple[bytes, list[int]]:
    """One message and the descriptors that came with it."""
    numbers = array.array("i")
    message, ancillary, *_ = connection.recvmsg(
        REQUEST_BYTES + 1, socket.CMSG_SPACE(MOST_DESCRIPTORS * numbers.itemsize), socket.MSG_CMSG_CLOEXEC
    )
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            numbers.frombytes(data[: len(data) - len(data) % numbers.itemsize])
    return message, list(numbers)


def _enter(descriptors: list[int], server: int) -> None:
    """In the child, before anything else: a process of its own that has its own descriptors only."""
    libc = ctypes.CDLL(None)
    libc.prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG: do not outlive the server
    if os.getppid() != server:
        os._exit(1)
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2 and int(name) not in descriptors:
            with contextlib.suppress(OSError):  # the listing's own
                os.close(int(name))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    sys.modules["numpy"].random.seed()  # or all children would draw the same


def _fill_registries() -> None:
    """TensorFlow fills its registries of operations and kernels at the first look: once here, or in every child."""
    from tensorflow.python.framework import kernels, op_def_registry
    from tensorflow.python.util import pywrap_xla_ops

    op_def_registry.get("Const")
    op_def_registry.get("an operation that it does not know, for which it lists all those that it knows")
    kernels.get_registered_kernels_for_op("Const")
    pywrap_xla_ops.get_cpu_kernel_names()


def _run_operations_directly() -> None:
    """Have an operation's kernel called as such, and not as a function of one node.

    TensorFlow passes such a function through all that it does to optimize graphs, half a millisecond for every
    operation and dtype that a process has not run before: a fifth of an examination. The kernel is the same.
    """
    from tensorflow.python import pywrap_tfe

    choose = pywrap_tfe.TFE_ContextOptionsSetRunEagerOpAsFunction
    pywrap_tfe.TFE_ContextOptionsSetRunEagerOpAsFunction = lambda options, _: choose(options, False)


def _spare_pages() -> None:
    """Do what would copy pages all over a child's memory here, once for all children, or not at all."""
    from tensorflow.python.autograph.pyct import inspect_utils

    from labkit import data

    for size in (16, 28, 32):  # those that the labs ask for
        data._prepared[size] = data.digits(size)
    _fill_abstract_classes()
    # For every function that it traces, it goes through all modules twice, to mend what is known of a source's lines.
    inspect_utils._fix_linecache_record = lambda _: None


def _fill_abstract_classes() -> None:
    """An abstract class that is first asked about a class asks all its own subclasses, and keeps the answer.

    So does TensorFlow, of all that it can convert to tensors.
    """
    import keras
    import numpy as np
    import tensorflow as tf
    from keras.src.utils import tracking
    from tensorflow.python.checkpoint.functional_saver import MultiDeviceSaver
    from tensorflow.python.framework import composite_tensor, ops, tensor_conversion_registry
    from tensorflow.python.ops.resource_variable_ops import ResourceVariable
    from tensorflow.python.types import core, trace

    collections = (Mapping, MutableMapping, MappingView, Sequence, io.IOBase)
    protocols = (core.TensorProtocol, trace.SupportsTracingProtocol, trace.TraceType, numbers.Number)
    abstract = (*collections, *protocols, composite_tensor.CompositeTensor, tf.TypeSpec, tf.Variable)
    plain = (bool, int, float, str, bytes, list, tuple, dict, type(None), FunctionType, np.ndarray, np.int64)
    tensors = (core.Tensor, core.TensorProtocol, ops.EagerTensor, ops.SymbolicTensor, ops.Operation)
    variables = (ResourceVariable, keras.Variable, keras.KerasTensor, tf.TensorShape, tf.TensorSpec, tf.DType)
    tracked = (tracking.TrackedList, tracking.TrackedDict, tracking.TrackedSet)
    others = (*tracked, tf.random.Generator, MultiDeviceSaver, inspect.FullArgSpec)
    modules = (keras.layers, keras.models, keras.initializers, keras.optimizers, keras.dtype_policies)
    named = [vars(module).values() for module in modules]
    for kind in (*plain, *tensors, *variables, *others, *itertools.chain(*named)):
        for asked in abstract if isinstance(kind, type) else ():
            issubclass(kind, asked)
    for kind in (*plain, *tensors, *variables):
        tensor_conversion_registry.get(kind)


def _use_huge_pages() -> None:
    """Gather the server's own memory in huge pages: a fork copies an entry for each page, and they are 512 times fewer.

    The kernel may refuse any of it (madvise(2), MADV_COLLAPSE, since Linux 6.1); forks are then slower, no more.
    """
    collapse, size = 25, 1 << 21
    for first, end, access, name in _areas():
        if "w" in access and name in ("", "[heap]"):
            for start in range(-(-first // size) * size, end - size + 1, size):
                _advise(start, size, collapse)


def _map_code() -> None:
    """Map all code of the libraries here: a page that the server has, too, costs its children nothing.

    The kernel may refuse it (madvise(2), MADV_POPULATE_READ, since Linux 5.14); each child then maps what it runs.
    """
    populate = 22
    for first, end, access, name in _areas():
        if "x" in access and name.startswith("/"):
            _advise(first, end - first, populate)


def _areas() -> list[tuple[int, int, str, str]]:
    """First address, end, access such as "r-xp", and name, where there is one, of this process's areas of memory."""
    found = []
    for line in Path("/proc/self/maps").read_text().splitlines():
        addresses, access, _offset, _device, _inode, *name = line.split(maxsplit=5)
        first, end = addresses.split("-")
        found.append((int(first, 16), int(end, 16), access, "".join(name)))
    return found


def _advise(first: int, size: int, advice: int) -> None:
    """madvise(2), whose answer nothing depends on."""
    ctypes.CDLL(None).madvise(ctypes.c_void_p(first), ctypes.c_size_t(size), advice)


def _freeze() -> None:
    """Keep the hands of collector and interpreter off what is shared: a page that they write to is a page copied.

    Children live for seconds, in which there is little to collect: let them look for it more seldom. The interpreter's
    cache of attributes holds names, and a child counts one down wherever it puts its own in the place of ours.
    """
    if sys.version_info >= (3, 13):
        sys._clear_internal_caches()
    else:
        sys._clear_type_cache()
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@contextlib.contextmanager
def _listening(path: Path) -> Iterator[socket.socket]:
    """A socket at `path` that answers from the moment it can be seen."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        new = path.with_suffix(".new")
        new.unlink(missing_ok=True)
        listener.bind(os.fspath(new))
        os.chmod(new, 0o600)
        listener.listen(128)
        new.rename(path)
        try:
            yield listener
        finally:
            _forget(path)


def _main(path: Path, ready: int, idle_seconds: float | None) -> None:
    """What the server process runs."""
    os.umask(0o077)
    if idle_seconds is not None and os.fork():
        os._exit(0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it ends with its owner, not at the owner's Ctrl-C
    try:
        for name in HEAVY:
            importlib.import_module(name)
        _fill_registries()
        _run_operations_directly()
        _spare_pages()
        _use_huge_pages()
        _map_code()
        _sweep_dead(path.parent)
        threads = len(os.listdir("/proc/self/task"))
        if threads != 1:
            raise ServerError(f"Expected one thread after the imports. Received {threads}: forks would hang.")
        with _listening(path) as listener:
            _freeze()
            os.write(ready, b"ready")
            os.close(ready)
            _Forker(listener, None if idle_seconds is not None else 0, idle_seconds).serve()
    except Exception as error:
        with contextlib.suppress(OSError):
            os.write(ready, f"{type(error).__name__}: {error}".encode()[:2000])


if __name__ == "__main__":
    _main(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]) if len(sys.argv) > 3 else None)
