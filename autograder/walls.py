"""What a room may do. This is the part to audit: nobody's code is trusted once `confine()` has returned.

`confine()` is called by a freshly forked process with one thread, about to run a student's code or to parse what a
student's code has made. It gives up, for good:

* files: Landlock lets it read the named paths and write in the named folders, and nothing else;
* everything that is not a file: seccomp allows a list of system calls by name and refuses all others. No process can be
  made (threads can), no program executed, no socket opened, no other process signalled, traced, slowed or looked at,
  no memory allocated that the limits do not count, no mode, owner, time or attribute of any file changed;
* means: limits on memory, size of files, open files, CPU time and core dumps;
* privileges: no capability is left and none can be gained, so that root is as confined as anybody.

What is left to it: computing until its time is over, its one connection to its examiner, the names and sizes of files
whose paths it guesses (Landlock does not govern stat), what its own /proc/self tells, and faults in the kernel.

A room that can make no process and reach no other needs no namespace, which an ordinary user may be refused. So
root and user, container and host are the same here.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import functools
import json
import os
import resource
import signal
import socket
import struct
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

MIB = 1 << 20


class WallsMissing(RuntimeError):
    """This machine cannot confine a room; the message says what it lacks."""


_LIBRARY = ctypes.CDLL(None, use_errno=True)


def _libc(name: str, *arguments: Any) -> int:
    """Call a function of the C library that returns -1 and sets errno where it fails."""
    result: int = getattr(_LIBRARY, name)(*arguments)
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


# ------------------------------------------------------------------------------------------------- files: Landlock
# System calls since Linux 5.11 have one number on every architecture, and so do these three.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_RULESET_VERSION = 1
_PATH_BENEATH = 1
_PR_SET_NO_NEW_PRIVS = 38

WRITE_FILE, READ_FILE, READ_DIR, REMOVE_DIR, REMOVE_FILE = (1 << n for n in range(1, 6))
MAKE_DIR, MAKE_REG, MAKE_SYM, REFER, TRUNCATE = 1 << 7, 1 << 8, 1 << 12, 1 << 13, 1 << 14

# The rights a kernel knows, by the ABI of its Landlock: what is handled and not granted is refused.
#   1 (Linux 5.13) bits 0-12, 2 (5.19) REFER, 3 (6.2) TRUNCATE, 4 (6.7) binding and connecting TCP sockets,
#   5 (6.10) ioctl on devices, 6 (6.12) abstract Unix sockets and signals, 7 (6.15) nothing but what is logged.
_FILE_BITS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
_TCP_RIGHTS = 0b11
_SCOPES = 0b11

# Never granted, in no folder: executing; making devices, sockets and pipes (our side would hang opening one).
_READ = READ_FILE | READ_DIR
_WRITE = _READ | WRITE_FILE | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG | MAKE_SYM | REFER | TRUNCATE
_OF_A_FILE = READ_FILE | WRITE_FILE | TRUNCATE


def landlock_abi() -> int:
    """Version of the kernel's Landlock, 0 where it has none."""
    try:
        return _libc("syscall", _CREATE_RULESET, None, ctypes.c_size_t(0), _RULESET_VERSION)
    except OSError:
        return 0


def _landlock(read: Iterable[str], write: Iterable[str], abi: int) -> None:
    """Reading below `read`, reading and writing below `write`, and no other file for this thread from now on."""
    handled = (1 << _FILE_BITS[min(abi, 5)]) - 1
    attributes = struct.pack("=QQQ", handled, _TCP_RIGHTS, _SCOPES)[: 8 if abi < 4 else 16 if abi < 6 else 24]
    ruleset = _libc("syscall", _CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), 0)
    try:
        for paths, rights in ((read, _READ), (write, _WRITE)):
            for path in paths:
                try:
                    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
                except (FileNotFoundError, PermissionError):
                    continue  # systems differ in what they have; what cannot be reached needs no leave
                try:
                    granted = rights & handled & (-1 if os.path.isdir(path) else _OF_A_FILE)
                    rule = struct.pack("=Qi", granted, descriptor)
                    _libc("syscall", _ADD_RULE, ruleset, _PATH_BENEATH, rule, 0)
                finally:
                    os.close(descriptor)
        _libc("syscall", _RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


# --------------------------------------------------------------------------------------- everything else: seccomp
# A list of what is allowed: a system call that nobody thought of, or that a newer kernel brings, does not exist in a
# room (ENOSYS, so that libraries fall back to what they did before it).
ALLOWED = [
    "read",
    "write",
    "readv",
    "writev",
    "pread64",
    "pwrite64",
    "preadv",
    "pwritev",
    "preadv2",
    "pwritev2",
    "lseek",
    "close",
    "close_range",
    "stat",
    "fstat",
    "lstat",
    "newfstatat",
    "statx",
    "access",
    "faccessat",
    "faccessat2",
    "readlink",
    "readlinkat",
    "getcwd",
    "chdir",
    "fchdir",
    "umask",
    "getdents",
    "getdents64",
    "statfs",
    "fstatfs",
    "rename",
    "renameat",
    "renameat2",
    "link",
    "linkat",
    "symlink",
    "symlinkat",
    "mkdir",
    "mkdirat",
    "rmdir",
    "unlink",
    "unlinkat",
    "creat",
    "ftruncate",
    "fallocate",
    "fadvise64",
    "readahead",
    "fsync",
    "fdatasync",
    "sync_file_range",
    "flock",
    "sendfile",
    "copy_file_range",
    "dup",
    "dup2",
    "dup3",
    "pipe",
    "pipe2",
    "eventfd2",
    "poll",
    "ppoll",
    "select",
    "pselect6",
    "epoll_create",
    "epoll_create1",
    "epoll_ctl",
    "epoll_wait",
    "epoll_pwait",
    "epoll_pwait2",
    "recvfrom",
    "shutdown",
    "getsockname",
    "getpeername",
    "getsockopt",
    "brk",
    "munmap",
    "mprotect",
    "mremap",
    "madvise",
    "msync",
    "mincore",
    "membarrier",
    "futex",
    "futex_waitv",
    "set_robust_list",
    "set_tid_address",
    "rseq",
    "gettid",
    "sched_yield",
    "sched_getaffinity",
    "sched_getparam",
    "sched_getscheduler",
    "sched_get_priority_max",
    "sched_get_priority_min",
    "getcpu",
    "arch_prctl",
    "exit",
    "exit_group",
    "wait4",
    "waitid",
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigreturn",
    "rt_sigpending",
    "rt_sigsuspend",
    "rt_sigtimedwait",
    "sigaltstack",
    "restart_syscall",
    "pause",
    "nanosleep",
    "clock_nanosleep",
    "clock_gettime",
    "clock_getres",
    "gettimeofday",
    "time",
    "times",
    "alarm",
    "getitimer",
    "setitimer",
    "getpid",
    "getppid",
    "getpgid",
    "getpgrp",
    "getsid",
    "getuid",
    "geteuid",
    "getgid",
    "getegid",
    "getresuid",
    "getresgid",
    "getgroups",
    "capget",
    "getrusage",
    "getrlimit",
    "setrlimit",
    "getpriority",
    "uname",
    "sysinfo",
    "getrandom",
    "kill",
    "tgkill",
]

# Landlock does not govern these, and the instructor's files have the same owner. They do nothing and say that all is
# well, because shutil.copy and its like call them.
PRETENDED = [
    "chmod",
    "fchmod",
    "fchmodat",
    "fchmodat2",
    "chown",
    "fchown",
    "lchown",
    "fchownat",
    "utime",
    "utimes",
    "futimesat",
    "utimensat",
    "setxattr",
    "lsetxattr",
    "fsetxattr",
    "removexattr",
    "lremovexattr",
    "fremovexattr",
]

# Attempts at these say why they fail: PermissionError is clearer to an honest student than "not implemented".
REFUSED = [
    "fork",
    "vfork",
    "execve",
    "execveat",
    "socket",
    "connect",
    "bind",
    "listen",
    "accept",
    "accept4",
    "ptrace",
    "process_vm_readv",
    "process_vm_writev",
    "pidfd_open",
    "pidfd_send_signal",
    "tkill",
    "rt_sigqueueinfo",
    "rt_tgsigqueueinfo",
    "setpriority",
    "setuid",
    "setgid",
    "setsid",
    "setpgid",
    "unshare",
    "setns",
    "mount",
    "umount2",
    "chroot",
    "pivot_root",
    "memfd_create",
    "shmget",
    "msgget",
    "semget",
    "mq_open",
    "bpf",
    "inotify_init1",
    "clock_settime",
    "settimeofday",
    "sethostname",
    "reboot",
]

# shutil.copy2 takes this for "this file system has none"
NO_ATTRIBUTES = ["getxattr", "lgetxattr", "fgetxattr", "listxattr", "llistxattr", "flistxattr"]

_CLONE_THREAD = 0x10000
_CLONE_OTHER = (
    0x7E020000 | 0x80 | 0x2000 | 0x8000 | 0x800000
)  # namespaces, cgroup, time, tracing, parent, untraced
_MAP_SHARED, _MAP_ANONYMOUS, _MAP_GROWSDOWN, _MAP_HUGETLB = 0x01, 0x20, 0x100, 0x40000
_MAP_KINDS = _MAP_SHARED | _MAP_ANONYMOUS | _MAP_GROWSDOWN | _MAP_HUGETLB
_FCNTL = {
    "F_DUPFD": 0, "F_GETFD": 1, "F_SETFD": 2, "F_GETFL": 3, "F_SETFL": 4, "F_GETPIPE_SZ": 1032, "F_DUPFD_CLOEXEC": 1030,
}  # fmt: skip
_IOCTL = {
    "TCGETS": 0x5401,
    "TIOCGWINSZ": 0x5413,
    "FIONREAD": 0x541B,
    "FIONBIO": 0x5421,
    "FIONCLEX": 0x5450,
    "FIOCLEX": 0x5451,
}
_PRCTL = {
    "PR_GET_DUMPABLE": 3, "PR_SET_NAME": 15, "PR_GET_NAME": 16, "PR_GET_SECCOMP": 21, "PR_CAPBSET_READ": 23,
    "PR_GET_NO_NEW_PRIVS": 39, "PR_SET_VMA": 0x53564D41,
}  # fmt: skip


class _Test(NamedTuple):
    """That argument number `argument`, with only the bits of `mask` looked at, equals `value`."""

    argument: int
    value: int
    mask: int = (1 << 64) - 1


def _conditions(truncate: bool) -> list[tuple[str, tuple[_Test, ...]]]:
    """What is allowed with certain arguments only: a call passes if one of its lines fits."""
    lines: list[tuple[str, tuple[_Test, ...]]] = []
    # A thread, but no process; clone3 is not allowed since its flags cannot be seen, and libraries fall back to this.
    lines.append(("clone", (_Test(0, _CLONE_THREAD, _CLONE_THREAD | _CLONE_OTHER),)))
    # No shared memory but files: RLIMIT_DATA does not count it. Nor stacks that grow, nor huge pages.
    lines += [("mmap", (_Test(3, kind, _MAP_KINDS),)) for kind in (_MAP_ANONYMOUS, _MAP_SHARED, 0)]
    # Landlock before ABI 3 lets a file be emptied that may be read only.
    modes = [os.O_RDONLY, os.O_WRONLY, os.O_RDWR, os.O_WRONLY | os.O_TRUNC, os.O_RDWR | os.O_TRUNC]
    for name, argument in (("open", 1), ("openat", 2)):
        lines += [(name, (_Test(argument, mode, os.O_ACCMODE | os.O_TRUNC),)) for mode in modes]
    if truncate:
        lines.append(("truncate", ()))
    # fcntl can send signals to others (F_SETOWN, F_SETSIG), lease our files (F_SETLEASE), fill the kernel's memory with
    # pipes and locks; ioctl likewise.
    lines += [("fcntl", (_Test(1, command),)) for command in _FCNTL.values()]
    lines += [("ioctl", (_Test(1, command),)) for command in _IOCTL.values()]
    # PR_SET_PDEATHSIG would let a room outlive its server.
    lines += [("prctl", (_Test(0, option),)) for option in _PRCTL.values()]
    # Event loops need a pair of streams. One of datagrams could send to any socket that has a path.
    lines.append(("socketpair", (_Test(0, socket.AF_UNIX), _Test(1, socket.SOCK_STREAM, 0xF))))
    lines.append(("sendto", (_Test(4, 0),)))
    # Of no process but oneself
    lines += [(name, (_Test(0, 0),)) for name in ("prlimit64", "sched_setaffinity")]
    return lines


def build_filter(truncate: bool, architecture: int | None = None) -> Any:
    """The filter of all rooms, as a `pyseccomp.SyscallFilter`.

    Args:
        truncate: whether Landlock sees to truncate(), which it does from ABI 3.
        architecture: one of `pyseccomp.Arch`, this machine's if None. A call that an architecture does not have is
            left out: aarch64 never had open, fork or chmod, only their successors.
    """
    import pyseccomp

    native = pyseccomp.system_arch()
    architecture = architecture or native
    filter_ = pyseccomp.SyscallFilter(pyseccomp.ERRNO(errno.ENOSYS))
    if architecture != native:
        filter_.add_arch(architecture)
        filter_.remove_arch(native)
    filter_.set_attr(pyseccomp.Attr.ACT_BADARCH, pyseccomp.KILL_PROCESS)  # 32-bit calls have other numbers
    filter_.set_attr(pyseccomp.Attr.CTL_NNP, 0)  # set by confine(), for Landlock too

    def add(action: int, name: str, tests: Sequence[_Test] = ()) -> None:
        if pyseccomp.resolve_syscall(architecture, name) < 0:
            return
        comparisons = [pyseccomp.Arg(t.argument, pyseccomp.MASKED_EQ, t.mask, t.value) for t in tests]
        filter_.add_rule(action, name, *comparisons)

    for name in ALLOWED:
        add(pyseccomp.ALLOW, name)
    for name, tests in _conditions(truncate):
        add(pyseccomp.ALLOW, name, tests)
    for names, number in ((PRETENDED, 0), (REFUSED, errno.EPERM), (NO_ATTRIBUTES, errno.ENOTSUP)):
        for name in names:
            add(pyseccomp.ERRNO(number), name)
    return filter_


@functools.cache
def _shared_filter(truncate: bool) -> Any:
    return build_filter(truncate)


def _own_signals_only() -> Any:
    """A second filter, since a room's process id is only known in the room: signals to itself alone."""
    import pyseccomp

    filter_ = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
    filter_.set_attr(pyseccomp.Attr.CTL_NNP, 0)
    for name in ("kill", "tgkill"):
        filter_.add_rule(pyseccomp.ERRNO(errno.EPERM), name, pyseccomp.Arg(0, pyseccomp.NE, os.getpid()))
    return filter_


# ------------------------------------------------------------------------------------------ privileges and limits
_PR_CAPBSET_DROP, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 24, 47, 4
_CAPABILITY_VERSION_3 = 0x20080522


def _drop_privileges() -> None:
    """Keep no capability, neither root's nor one that an ordinary user was lent, nor a way to gain one."""
    _libc("prctl", _PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    for capability in range(64):
        with contextlib.suppress(OSError):  # the kernel has fewer, or we are no root and have nothing to drop
            _libc("prctl", _PR_CAPBSET_DROP, capability, 0, 0, 0)
    with contextlib.suppress(OSError):
        _libc("prctl", _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    _libc("capset", struct.pack("=Ii", _CAPABILITY_VERSION_3, 0), bytes(24))


def _data_size() -> int:
    """Bytes of private writable memory that this process has mapped."""
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith("VmData:"):
                return int(line.split()[1]) << 10
    raise WallsMissing("Expected VmData in /proc/self/status. Received none: is /proc mounted?")


def _limit(memory: int | None, file_size: int, open_files: int, cpu_seconds: int | None) -> None:
    """Limits that a process keeps whatever it does; it may only lower them."""
    limits = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: file_size,
        resource.RLIMIT_NOFILE: open_files,
        resource.RLIMIT_MEMLOCK: 0,
        resource.RLIMIT_MSGQUEUE: 0,
    }
    if memory is not None:  # RLIMIT_AS would count what TensorFlow reserves and never touches
        limits[resource.RLIMIT_DATA] = _data_size() + memory
    if cpu_seconds is not None:
        limits[resource.RLIMIT_CPU] = cpu_seconds
    for which, value in limits.items():
        hard = resource.getrlimit(which)[1]
        if hard != resource.RLIM_INFINITY:
            value = min(value, hard)
        resource.setrlimit(which, (value, value))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # writing past the limit is an OSError, not the end


# ------------------------------------------------------------------------------------------------------- together


def readable() -> list[str]:
    """What every room may read: Python, its packages, shared libraries, fonts, and what TensorFlow asks the system.

    No folder of the instructor is among them, unless it is on Python's path as a `site-packages`.
    """
    import labkit

    paths = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    for prefix in (sys.prefix, sys.base_prefix):
        paths |= {f"{prefix}/lib", f"{prefix}/lib64", f"{prefix}/share", f"{prefix}/etc/fonts"}
    paths |= {path for path in sys.path if path.rstrip("/").endswith(("site-packages", "dist-packages"))}
    paths |= {os.path.dirname(os.path.abspath(labkit.__file__))}
    paths |= {
        "/usr/lib",
        "/usr/lib64",
        "/lib",
        "/lib64",
        "/usr/share",
        "/usr/local/lib",
        "/usr/local/share/fonts",
    }
    paths |= {"/etc/ld.so.cache", "/etc/localtime", "/etc/fonts", "/dev/urandom", "/dev/zero", "/dev/null"}
    paths |= {"/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/filesystems"}
    paths |= {"/sys/devices/system/cpu", "/sys/fs/cgroup"}
    return sorted(paths)


def prepare() -> None:
    """Do beforehand, in the fork server, what all rooms need."""
    with contextlib.suppress(RuntimeError, ImportError, OSError):  # confine() will say what is wrong
        _shared_filter(landlock_abi() >= 3)


def confine(
    read: Sequence[str],
    write: Sequence[str] = (),
    *,
    memory: int | None = None,
    file_size: int = 64 * MIB,
    open_files: int = 256,
    cpu_seconds: int | None = None,
    unsafe: bool = False,
) -> None:
    """Confine this process for good. It must have one thread: Landlock and seccomp bind the calling thread.

    Args:
        read: files and folders that may be read; those that do not exist are left out.
        write: files and folders that may be written too.
        memory: bytes of private writable memory beyond what is mapped now. Python raises MemoryError at the limit
            and TensorFlow ResourceExhaustedError.
        file_size: largest file, in bytes.
        open_files: number of open files.
        cpu_seconds: processor time, after which the kernel ends the process.
        unsafe: go on with the walls that there are. Only for code that its caller trusts.

    Raises:
        WallsMissing: if one of the walls is not to be had. The process is then not confined and must end.
    """
    try:
        threads = len(os.listdir("/proc/self/task"))
        if threads != 1:
            raise WallsMissing(
                f"Expected one thread. Received {threads}: the others would stay outside the walls."
            )
        _limit(memory, file_size, open_files, cpu_seconds)
        abi = landlock_abi()
        filters: list[Any] = []
        try:
            filters = [_own_signals_only(), _shared_filter(abi >= 3)]
        except (ImportError, RuntimeError) as error:
            if not unsafe:
                raise WallsMissing(f"Expected libseccomp and pyseccomp. Received: {error}.") from None
        _drop_privileges()
        if abi:
            _landlock(read, [*write, "/dev/null"], abi)
        elif not unsafe:
            raise WallsMissing(
                "Expected a kernel with Landlock (Linux 5.13 or newer, `landlock` in /sys/kernel/security/lsm)."
            )
        for filter_ in filters:
            filter_.load()  # the last of them forbids to load another
    except OSError as error:
        raise WallsMissing(f"The kernel refused to confine a room: {error}.") from error


# ------------------------------------------------------------------------------------------------- what is there


class Wall(NamedTuple):
    """One wall of this machine: whether it holds, and what is the matter."""

    wall: str
    ok: bool
    reason: str


def _attempts(outside: str) -> dict[str, tuple[str, str]]:
    """What a room must not be able to do, tried in a room: name to (wall, what happened)."""

    def tried(what: Any) -> str:
        try:
            what()
        except OSError as error:
            return errno.errorcode.get(error.errno or 0, str(error))
        return "it worked"

    def fork() -> None:
        if os.fork() == 0:
            os._exit(0)

    def pair() -> None:
        one, other = socket.socketpair(type=socket.SOCK_DGRAM)
        one.close()
        other.close()

    return {
        "reading a file of yours": ("files", tried(lambda: Path(outside).read_bytes())),
        "writing a file of yours": ("files", tried(lambda: Path(outside).write_bytes(b""))),
        "listing your folder": ("files", tried(lambda: os.listdir(os.path.dirname(outside)))),
        "opening an internet socket": ("network", tried(lambda: socket.socket().close())),
        "opening a Unix socket": ("network", tried(lambda: socket.socket(socket.AF_UNIX).close())),
        "a pair of datagram sockets": ("network", tried(pair)),
        "starting a process": ("processes", tried(fork)),
        "executing a program": ("processes", tried(lambda: os.execv("/bin/true", ["true"]))),
        "signalling another process": ("processes", tried(lambda: os.kill(os.getppid(), 0))),
    }


def available() -> list[Wall]:
    """The walls that this machine gives, each tried in a process of its own. For `labbook doctor`."""
    with tempfile.TemporaryDirectory() as folder:
        outside = Path(folder) / "yours"
        outside.write_text("secret")
        command = [sys.executable, "-P", "-m", "autograder.walls", str(outside)]
        environment = dict(os.environ, PYTHONPATH=os.pathsep.join(path for path in sys.path if path))
        tried = subprocess.run(command, capture_output=True, text=True, env=environment, cwd="/", check=False)
    try:
        said = json.loads(tried.stdout)
    except ValueError:
        lines = tried.stderr.strip().splitlines() or [f"exit code {tried.returncode}"]
        said = {"missing": lines[-1]}
    walls = {name: Wall(name, True, "") for name in ("files", "network", "processes")}
    if "missing" in said:
        walls = {name: Wall(name, False, said["missing"]) for name in walls}
    for what, (name, happened) in said.get("attempts", {}).items():
        if happened == "it worked":
            walls[name] = Wall(name, False, f"{what} worked in a room")
    abi = landlock_abi()
    if walls["files"].ok and abi == 1:
        reason = "Landlock ABI 1 lets no file move between folders: TensorFlow cannot save checkpoints (Linux 5.19 can)"
        walls["checkpoints"] = Wall("checkpoints", False, reason)
    return [*walls.values()]


def require() -> None:
    """Refuse where files or network cannot be walled off.

    Raises:
        WallsMissing: saying which, and why.
    """
    missing = [wall for wall in available() if not wall.ok and wall.wall in ("files", "network", "processes")]
    if missing:
        raise WallsMissing("; ".join(f"{wall.wall}: {wall.reason}" for wall in missing))


def _try_out(outside: str) -> None:
    """What `available()` runs in a process of its own."""
    try:
        confine(readable())
        said: dict[str, Any] = {"attempts": _attempts(outside)}
    except WallsMissing as error:
        said = {"missing": str(error)}
    os.write(1, json.dumps(said).encode())


if __name__ == "__main__":
    _try_out(sys.argv[1])
