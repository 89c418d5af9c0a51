"""Each wall by itself, tried from inside, as root (where the tests run as root) and as an ordinary user."""

from __future__ import annotations

import errno
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from autograder import walls

NOBODY = 65534
needs_walls = pytest.mark.skipif(not walls.landlock_abi(), reason="this kernel has no Landlock")
users = pytest.mark.parametrize(
    "uid",
    [
        pytest.param(0, marks=pytest.mark.skipif(os.getuid() != 0, reason="not run as root")),
        pytest.param(NOBODY if os.getuid() == 0 else os.getuid(), id="user"),
    ],
)

PROGRAM = """
import asyncio, ctypes, errno, fcntl, json, mmap, os, resource, shutil, signal, socket, struct, subprocess, sys
import termios, threading, time
import pyseccomp
from autograder import walls
arguments = json.loads(sys.argv[1])
parent, work, outside = os.getppid(), arguments["work"], arguments["outside"]
readable = walls.readable()
walls._own_signals_only()
if arguments["uid"] != os.getuid():
    os.setgroups([]); os.setgid(arguments["uid"]); os.setuid(arguments["uid"])
open(outside).close()                  # it could be read before
os.chdir(work)
if "abi" in arguments:
    walls.landlock_abi = lambda: arguments["abi"]
walls.confine(readable, [work], memory=arguments.get("memory"), file_size=1 << 20, open_files=64)
libc = ctypes.CDLL(None, use_errno=True)
def call(name, *args):
    result = getattr(libc, name)(*args)
    if result < 0:
        raise OSError(ctypes.get_errno(), name)
    return result
x86 = os.uname().machine == "x86_64"
def attempt(code):
    try:
        return {"value": eval(code) if arguments["mode"] == "eval" else exec(code, globals())}
    except OSError as error:
        return {"errno": errno.errorcode[error.errno]}
    except BaseException as error:
        return {"error": f"{type(error).__name__}: {error}"}
os.write(1, json.dumps([attempt(code) for code in arguments["codes"]], default=str).encode())
"""


class Room:
    """Tries lines of code in one confined process."""

    def __init__(self, root: Path, uid: int) -> None:
        self.uid = uid
        self.work = root / "work"
        self.outside = root / "yours" / "gradebook.db"
        for folder in (self.work, self.outside.parent):
            folder.mkdir()
        self.outside.write_text("grades")
        for path in (root, self.work, self.outside.parent, self.outside):
            os.chown(path, uid, -1)

    def run(
        self, codes: list[str], program: str = PROGRAM, **more: Any
    ) -> subprocess.CompletedProcess[bytes]:
        arguments = {
            "uid": self.uid,
            "work": str(self.work),
            "outside": str(self.outside),
            "codes": codes,
        } | more
        return subprocess.run(
            [sys.executable, "-c", program, json.dumps(arguments)],
            capture_output=True,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(walls.__file__).parents[1])},
            timeout=60,
            check=False,
        )

    def do(self, *codes: str, mode: str = "eval", **more: Any) -> list[dict[str, Any]]:
        done = self.run(list(codes), mode=mode, **more)
        assert done.returncode == 0, done.stderr.decode()[-1500:]
        found: list[dict[str, Any]] = json.loads(done.stdout)
        return found


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that any user can reach, unlike pytest's own."""
    root = Path(tempfile.mkdtemp())
    root.chmod(0o755)
    yield root
    shutil.rmtree(root)


@pytest.fixture(scope="module")
def tried() -> dict[int, dict[str, dict[str, Any]]]:
    """Every attempt of the two lists, once for each user."""
    found: dict[int, dict[str, dict[str, Any]]] = {}
    for uid in {0, NOBODY} if os.getuid() == 0 else {os.getuid()}:
        root = Path(tempfile.mkdtemp())
        root.chmod(0o755)
        room = Room(root, uid)
        codes = [*FILES, *EVERYTHING_ELSE]
        found[uid] = dict(zip(codes, room.do(*codes), strict=True))
        assert room.outside.read_text() == "grades"
        shutil.rmtree(root)
    return found


@pytest.fixture
def room(place: Path, uid: int) -> Room:
    return Room(place, uid)


FILES = [
    "open(outside)",
    "open(outside, 'a')",
    "os.open(outside, os.O_RDONLY | os.O_TRUNC)",
    "os.truncate(outside, 0)",
    "os.listdir(os.path.dirname(outside))",
    "os.listdir('/')",
    "os.listdir('/home')",
    "os.listdir('/tmp')",
    "os.unlink(outside)",
    "os.rename(outside, 'mine')",
    "os.rename(outside, outside + '2')",
    "os.link(outside, 'mine')",
    "os.mkdir(os.path.dirname(outside) + '/new')",
    "(os.symlink(outside, 'link'), open('link'))",
    "open('/etc/passwd')",
    "open('/etc/shadow')",
    f"open('/proc/{os.getpid()}/environ')",
    "open(f'/proc/{parent}/environ')",
    "open(f'/proc/{parent}/mem', 'rb+')",
    "open('/proc/1/environ')",
    "open('/proc/self/oom_score_adj', 'w')",
    "open('/dev/shm/x', 'w')",
    "open('/dev/tty')",
    "open('/proc/self/root/etc/passwd')",
    "os.mkfifo('pipe')",
    "os.mknod('node', 0o666 | 0o140000)",
    "os.listdir(os.path.dirname(sys.modules['autograder'].__file__) + '/rooms')",
]
EVERYTHING_ELSE = [
    # processes
    "os.fork()",
    "call('syscall', 58) if x86 else os.fork()",
    "subprocess.run(['/bin/true'])",
    "os.execv('/bin/true', ['true'])",
    "os.posix_spawn('/bin/true', ['true'], {})",
    "call('syscall', 435, (ctypes.c_uint64 * 11)(0, 0, 0, 0, 17), 88)",
    "call('unshare', 0x10000000)",
    "call('setns', 0, 0)",
    # network
    "socket.socket()",
    "socket.socket(socket.AF_INET6)",
    "socket.socket(socket.AF_UNIX)",
    "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
    "socket.socket(socket.AF_VSOCK)",
    "socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
    "socket.socketpair(type=socket.SOCK_DGRAM)",
    "socket.socketpair(type=socket.SOCK_SEQPACKET)",
    "socket.socketpair()[0].sendto(b'x', '/run/systemd/journal/socket')",
    "socket.socketpair()[0].connect('/run/x')",
    "socket.socketpair()[0].bind('mine')",
    "socket.send_fds(socket.socketpair()[0], [b'x'], [0])",
    "socket.socketpair()[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)",
    "call('syscall', 425, 8, bytes(120))",  # io_uring_setup
    # other processes
    "os.kill(parent, 0)",
    "os.kill(parent, 9)",
    "os.kill(0, 0)",
    "os.kill(-1, 0)",
    "call('tgkill', parent, parent, 0)",
    "os.killpg(os.getpgrp(), 0)",
    "os.pidfd_open(parent)",
    "call('ptrace', 16, parent, 0, 0)",
    "call('process_vm_readv', parent, 0, 0, 0, 0, 0)",
    "resource.prlimit(parent, resource.RLIMIT_CPU)",
    "resource.prlimit(parent, resource.RLIMIT_CPU, (1, 1))",
    "os.setpriority(os.PRIO_PROCESS, parent, 19)",
    "os.sched_setaffinity(parent, {0})",
    "os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))",
    "os.setpgid(0, 0)",
    "os.setsid()",
    "fcntl.fcntl(0, 8, parent)",  # F_SETOWN: a signal to another when this descriptor can be read
    "fcntl.fcntl(0, 10, 9)",  # F_SETSIG: and which
    "fcntl.ioctl(0, 0x8901, struct.pack('i', parent))",  # FIOSETOWN
    "fcntl.ioctl(0, termios.TIOCSTI, b'x')",
    "fcntl.fcntl(os.open(sys.executable, os.O_RDONLY), 1024, 0)",  # F_SETLEASE
    "fcntl.fcntl(os.pipe()[0], 1031, 1 << 20)",  # F_SETPIPE_SZ
    "fcntl.lockf(open('f', 'w'), fcntl.LOCK_EX)",
    "call('prctl', 1, 0, 0, 0, 0)",  # PR_SET_PDEATHSIG
    "call('prctl', 4, 0, 0, 0, 0)",  # PR_SET_DUMPABLE
    "call('syscall', 254 if x86 else 27, 0)",  # inotify
    # memory that no limit counts
    "os.memfd_create('x')",
    "mmap.mmap(-1, 4096)",
    "mmap.mmap(-1, 4096, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x40000)",
    "mmap.mmap(-1, 4096, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x100)",
    "call('shmget', 0, 4096, 0o1600)",
    "call('semget', 0, 1, 0o1600)",
    "call('msgget', 0, 0o1600)",
    # the machine
    "time.clock_settime(time.CLOCK_REALTIME, 0)",
    "socket.sethostname('x')",
    "call('mount', b'x', b'/mnt', b'tmpfs', 0, 0)",
    "os.chroot('.')",
    "call('syscall', 321 if x86 else 280, 0, 0, 0)",  # bpf
    "call('syscall', 298 if x86 else 241, bytes(128), 0, -1, -1, 0)",  # perf_event_open
    "call('syscall', 323 if x86 else 282, 0)",  # userfaultfd
    "call('syscall', 448, 0, 0)",  # process_mrelease
    "call('syscall', 447, 0)",  # memfd_secret
    "call('syscall', 9999)",  # whatever comes
    "call('reboot', 0)",
    "os.setuid(1)",
    "os.setgid(1)",
    "os.sync() or call('syscall', 306 if x86 else 267, 0)",
]


@needs_walls
@users
@pytest.mark.parametrize("what", FILES)
def test_no_file_but_its_own(tried: dict[int, dict[str, dict[str, Any]]], uid: int, what: str) -> None:
    assert tried[uid][what].get("errno") in {"EACCES", "EPERM", "EXDEV", "ENOSYS"}, tried[uid][what]


@needs_walls
@users
@pytest.mark.parametrize("what", EVERYTHING_ELSE)
def test_nothing_but_files(tried: dict[int, dict[str, dict[str, Any]]], uid: int, what: str) -> None:
    assert tried[uid][what].get("errno") in {"EPERM", "ENOSYS", "EACCES"}, tried[uid][what]


@needs_walls
@users
def test_modes_owners_and_times_stay(room: Room) -> None:
    """They seem to change, for the sake of shutil.copy2, and do not."""
    before = room.outside.stat()
    code = "[os.chmod(outside, 0), os.chown(outside, 1, 1), os.utime(outside, (0, 0)), "
    code += "os.setxattr(outside, 'user.x', b'')]"
    assert room.do(code) == [{"value": [None] * 4}]
    after = room.outside.stat()
    assert (after.st_mode, after.st_uid, after.st_mtime_ns) == (
        before.st_mode,
        before.st_uid,
        before.st_mtime_ns,
    )
    assert os.listxattr(room.outside) == []


@needs_walls
@users
def test_what_an_honest_room_needs(room: Room) -> None:
    code = """
import asyncio, ctypes, threading
open('a', 'w').write('text')
os.makedirs('deep/er'); os.rename('a', 'deep/er/b'); shutil.copy2('deep/er/b', 'c'); assert open('c').read() == 'text'
os.symlink('c', 'd'); os.remove('d'); shutil.rmtree('deep')
with open('c', 'r+') as f: f.truncate(2)
os.truncate('c', 1)
m = mmap.mmap(os.open('c', os.O_RDWR), 1); m[0:1] = b'x'; m.close()
seen = []
threads = [threading.Thread(target=seen.append, args=(i,)) for i in range(20)]
for t in threads: t.start()
for t in threads: t.join()
assert sorted(seen) == list(range(20))
assert asyncio.run(asyncio.sleep(0.01, 5)) == 5
a, b = socket.socketpair(); a.sendall(b'x'); assert b.recv(1) == b'x'
signal.signal(signal.SIGALRM, lambda *_: seen.append('alarm'))
signal.setitimer(signal.ITIMER_REAL, 0.02); time.sleep(0.1)
assert 'alarm' in seen
signal.signal(signal.SIGUSR1, lambda *_: seen.append('me')); os.kill(os.getpid(), signal.SIGUSR1); assert 'me' in seen
os.isatty(1); os.cpu_count(); os.getloadavg if False else None; resource.getrlimit(resource.RLIMIT_DATA)
resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32)); os.urandom(8); time.strftime('%c')
ctypes.CFUNCTYPE(ctypes.c_int)(lambda: 3)()
"""
    assert room.do(code, mode="exec", memory=1 << 30) == [{"value": None}]


@needs_walls
@users
def test_limits(room: Room) -> None:
    expected = {
        "bytearray(300 << 20)": {"error": "MemoryError: "},
        "mmap.mmap(-1, 300 << 20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)": {"errno": "ENOMEM"},
        "open('big', 'wb', 0).write(bytes(1 << 20)) + open('big', 'ab', 0).write(b'x')": {"errno": "EFBIG"},
        "[open('f', 'w') for _ in range(100)]": {"errno": "EMFILE"},
        "resource.getrlimit(resource.RLIMIT_CORE)": {"value": [0, 0]},
    }
    assert dict(zip(expected, room.do(*expected, memory=200 << 20), strict=True)) == expected
    (raising,) = room.do("resource.setrlimit(resource.RLIMIT_NOFILE, (1000, 1000))")
    assert "not allowed to raise maximum limit" in raising["error"]


@needs_walls
@users
def test_no_capability_is_left(room: Room) -> None:
    said = room.do(
        "[l for l in open('/proc/self/status') if l.startswith(('Cap', 'NoNewPrivs', 'Seccomp:'))]"
    )[0]["value"]
    found = dict(line.split() for line in said)
    assert found.pop("NoNewPrivs:") == "1"
    assert found.pop("Seccomp:") == "2"
    if room.uid != 0:
        del found["CapBnd:"]  # an ordinary user cannot drop what it could never gain
    assert {int(value, 16) for value in found.values()} == {0}


@needs_walls
@users
@pytest.mark.parametrize("abi", range(1, 8))
def test_every_landlock_keeps_files_apart(room: Room, abi: int) -> None:
    if abi > walls.landlock_abi():
        pytest.skip(f"this kernel's Landlock has ABI {walls.landlock_abi()}")
    for what, got in zip(FILES, room.do(*FILES, abi=abi), strict=True):
        assert got.get("errno") in {"EACCES", "EPERM", "EXDEV", "ENOSYS"}, (what, got)
    assert room.outside.read_text() == "grades"
    assert room.do("open('mine', 'w').write('x')", abi=abi) == [{"value": 1}]


@needs_walls
def test_another_thread_is_refused(place: Path) -> None:
    thread = "threading.Thread(target=time.sleep, args=(9,), daemon=True).start(); walls.confine("
    done = Room(place, os.getuid()).run(["1"], PROGRAM.replace("walls.confine(", thread), mode="eval")
    assert b"WallsMissing: Expected one thread. Received 2" in done.stderr


# -------------------------------------------------------------------------------- the filter on other architectures


def bpf(program: bytes, number: int, architecture: int, arguments: tuple[int, ...]) -> int:
    """What a filter answers to a system call: the few instructions of classic BPF that libseccomp emits."""
    data = struct.pack("=iIQ6Q", number, architecture, 0, *(*arguments, *[0] * 6)[:6])
    code = [struct.unpack_from("=HBBI", program, 8 * i) for i in range(len(program) // 8)]
    at, accumulator = 0, 0
    while True:
        operation, true, false, k = code[at]
        at += 1
        if operation == 0x20:
            (accumulator,) = struct.unpack_from("=I", data, k)
        elif operation == 0x54:
            accumulator &= k
        elif operation == 0x05:
            at += k
        elif operation == 0x06:
            return k
        else:
            fits = {
                0x15: accumulator == k,
                0x25: accumulator > k,
                0x35: accumulator >= k,
                0x45: bool(accumulator & k),
            }
            at += true if fits[operation] else false


def decide(architecture: int, name: str, *arguments: int) -> str:
    pyseccomp = pytest.importorskip("pyseccomp")
    with tempfile.TemporaryFile() as file:
        walls.build_filter(truncate=True, architecture=architecture).export_bpf(file)
        file.seek(0)
        answer = bpf(file.read(), pyseccomp.resolve_syscall(architecture, name), architecture, arguments)
    if answer == pyseccomp.ALLOW:
        return "allowed"
    return errno.errorcode.get(answer & 0xFFFF, "pretended") if answer >> 16 == 5 else hex(answer)


@pytest.mark.parametrize("architecture", ["X86_64", "AARCH64"])
def test_the_filter_is_the_same_on_every_architecture(architecture: str) -> None:
    pyseccomp = pytest.importorskip("pyseccomp")
    machine = getattr(pyseccomp.Arch, architecture)
    expected = {
        ("openat", 0, 0, os.O_RDONLY): "allowed",
        ("openat", 0, 0, os.O_WRONLY | os.O_CREAT | os.O_TRUNC): "allowed",
        ("openat", 0, 0, os.O_RDONLY | os.O_TRUNC): "ENOSYS",
        ("clone", 0x3D0F00): "allowed",
        ("clone", 17): "ENOSYS",
        ("clone", 0x3D0F00 | 0x10000000): "ENOSYS",
        ("clone3",): "ENOSYS",
        ("execve",): "EPERM",
        ("execveat",): "EPERM",
        ("socket", 1, 1): "EPERM",
        ("socketpair", 1, 1 | os.O_CLOEXEC): "allowed",
        ("socketpair", 1, 2): "ENOSYS",
        ("sendmsg",): "ENOSYS",
        ("fchmodat",): "pretended",
        ("setpriority",): "EPERM",
        ("prlimit64", 0): "allowed",
        ("prlimit64", 1): "ENOSYS",
        ("mmap", 0, 4096, 3, 0x22): "allowed",
        ("mmap", 0, 4096, 3, 0x21): "ENOSYS",
        ("ptrace",): "EPERM",
        ("seccomp",): "ENOSYS",
        ("prctl", 1): "ENOSYS",
        ("prctl", 22): "ENOSYS",
        ("futex",): "allowed",
        ("rseq",): "allowed",
        ("io_uring_setup",): "ENOSYS",
    }
    assert {what: decide(machine, *what) for what in expected} == expected


def test_numbers_of_another_architecture_end_the_process() -> None:
    pyseccomp = pytest.importorskip("pyseccomp")
    with tempfile.TemporaryFile() as file:
        walls.build_filter(truncate=True, architecture=pyseccomp.Arch.X86_64).export_bpf(file)
        file.seek(0)
        program = file.read()
    assert bpf(program, 1, pyseccomp.Arch.X86, ()) == pyseccomp.KILL_PROCESS
    assert bpf(program, 0x40000000 | 1, pyseccomp.Arch.X86_64, ()) != pyseccomp.ALLOW  # x32


# --------------------------------------------------------------------------------------------- telling what there is


@needs_walls
def test_available_tries_every_wall() -> None:
    assert [(wall.wall, wall.ok) for wall in walls.available()] == [
        ("files", True),
        ("network", True),
        ("processes", True),
    ]
    walls.require()


def test_missing_landlock_is_one_clean_refusal(place: Path) -> None:
    done = Room(place, os.getuid()).run(["1"], mode="eval", abi=0)
    assert done.returncode == 1
    assert b"WallsMissing: Expected a kernel with Landlock" in done.stderr


def test_a_wall_that_leaks_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    said = json.dumps({"attempts": {"opening an internet socket": ["network", "it worked"]}})
    monkeypatch.setattr(
        walls.subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], 0, stdout=said, stderr="")
    )
    assert walls.Wall("network", False, "opening an internet socket worked in a room") in walls.available()
    with pytest.raises(walls.WallsMissing, match="network: opening an internet socket"):
        walls.require()


def test_readable_holds_no_folder_of_the_instructor() -> None:
    home, here = os.path.expanduser("~"), str(Path(walls.__file__).parents[1])
    for path in walls.readable():
        assert not home.startswith(path.rstrip("/") + "/"), path
        assert not here.startswith(path), path
