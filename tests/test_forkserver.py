"""The fork server: what it starts, how it says what became of it, and that it leaves nothing."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import random
import re
import resource
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from labkit import forkserver
from labkit.forkserver import Ending, Server, ServerError, Spec

HERE = Path(__file__).parent
KERNEL = tuple(int(number) for number in re.findall(r"\d+", platform.release())[:2])


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder whose path leaves room for a socket's name, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def child(what: str, **limits: Any) -> Spec:
    """A child that executes a line of Python with `fds` and `say` at hand."""
    return Spec("forked_target:run", {"source": what}, **limits)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    old = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join([str(HERE), *([old] if old else [])])
    try:
        with Server.start() as running:
            yield running
    finally:
        if old is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = old


def ask(server: Server, what: str, **limits: Any) -> Any:
    """What the child says, as JSON over its one descriptor."""
    ours, theirs = socket.socketpair()
    with ours, theirs, server.fork(child(what, **limits), [theirs.fileno()]) as forked:
        theirs.close()
        with ours.makefile("rb") as stream:
            said = stream.read()
        ending = forked.wait(10)
    assert ending is not None
    assert ending.status == "ended", ending
    return json.loads(said)


def alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def eventually(true: Callable[[], bool], seconds: float = 5) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.02)
    return true()


def test_a_child_has_tensorflow_at_once(server: Server) -> None:
    began = time.monotonic()
    assert ask(server, "say(sorted({'tensorflow', 'keras', 'numpy'} & set(sys.modules)))") == [
        "keras",
        "numpy",
        "tensorflow",
    ]
    assert time.monotonic() - began < 1


def test_tensorflow_works_in_two_children(server: Server) -> None:
    for _ in range(2):
        assert ask(server, "say(float(sys.modules['tensorflow'].reduce_sum([1.0, 2.0])))") == 3.0


def test_a_child_traces_a_function_without_looking_at_all_modules(server: Server) -> None:
    """Each look is at a page of its own, which is then copied."""
    trace = """
from tensorflow.python.autograph.pyct import inspect_utils
asked = []
class Module(type(sys)):
    def __getattribute__(self, name):
        asked.append(name)
        return super().__getattribute__(name)
sys.modules["seen"] = Module("seen")
source = inspect_utils.getimmediatesource(json.dumps)
say([asked, source[:10]])
"""
    assert ask(server, "import json" + trace) == [[], "def dumps("]


def test_a_child_does_not_make_a_function_of_each_operation(server: Server) -> None:
    """An error's text tells: it names the function in which an operation failed."""
    failing = """
tf = sys.modules["tensorflow"]
try:
    tf.raw_ops.MatMul(a=tf.ones((2, 3)), b=tf.ones((2, 3)))
except tf.errors.InvalidArgumentError as error:
    say(error.message)
"""
    message = ask(server, failing)
    assert "Matrix size-incompatible" in message
    assert "function" not in message


@pytest.mark.skipif(os.geteuid() == 0, reason="root may have any number of processes")
def test_a_server_that_cannot_fork_lives_and_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(HERE))
    with Server.start() as server:
        pid, (few, most) = server.pid, resource.getrlimit(resource.RLIMIT_NPROC)
        resource.prlimit(pid, resource.RLIMIT_NPROC, (1, most))
        monkeypatch.setattr(forkserver, "BUSY_SECONDS", 0.2)
        with pytest.raises(ServerError, match=r"refused forked_target:run: .*unavailable"):
            ask(server, "say(1)")
        monkeypatch.setattr(forkserver, "BUSY_SECONDS", 30)
        threading.Timer(0.5, resource.prlimit, [pid, resource.RLIMIT_NPROC, (few, most)]).start()
        assert ask(server, "say(2)") == 2


@pytest.mark.parametrize(
    "what",
    [
        "sum(hasattr(int, name) for name in names)",
        "issubclass(MultiDeviceSaver, CompositeTensor), issubclass(inspect.FullArgSpec, abc.Mapping)",
        "tensor_conversion_registry.get(numpy.ndarray)",
    ],
    ids=["attributes", "abstract classes", "conversions"],
)
def test_a_child_asks_without_copying_what_it_asks(server: Server, what: str) -> None:
    """Python keeps the answers and counts references: where it is asked first, pages are written to."""
    source = f"""
import inspect, json, numpy
from collections import abc
from tensorflow.python.checkpoint.functional_saver import MultiDeviceSaver
from tensorflow.python.framework import tensor_conversion_registry
from tensorflow.python.framework.composite_tensor import CompositeTensor
def copied():
    with open("/proc/self/smaps_rollup") as file:
        return int(file.read().split("Private_Dirty:")[1].split()[0])
names = [f"name{{number}}" for number in range(20_000)]  # more than the interpreter keeps
copied()
before = copied()
kept = {what}
say(copied() - before)
"""
    assert min(ask(server, source) for _ in range(3)) < 100  # KiB


@pytest.mark.skipif(KERNEL < (5, 14), reason="the kernel cannot map pages before they are used")
def test_the_code_of_the_libraries_is_mapped_once_for_all(server: Server) -> None:
    sizes: dict[str, int] = {"Size": 0, "Rss": 0}
    code = False
    for line in Path(f"/proc/{server.pid}/smaps").read_text().splitlines():
        name, _, rest = line.partition(":")
        if "-" in name.split()[0]:
            code = "x" in line.split()[1] and "libtensorflow" in line
        elif code and name in sizes:
            sizes[name] += int(rest.split()[0])
    assert sizes["Rss"] == sizes["Size"] > 100_000


def test_a_child_has_no_descriptor_but_its_own(server: Server) -> None:
    listing = "os.listdir('/proc/self/fd')"
    what = f"say([os.readlink(f'/proc/self/fd/{{n}}') for n in {listing} if os.path.exists(f'/proc/self/fd/{{n}}')])"
    listed = [to for to in ask(server, what) if to != "/dev/null"]
    assert len(listed) == 1, listed
    assert listed[0].startswith("socket:")


def test_a_child_cannot_read_the_users_environment(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_PASSWORD", "sesame")
    with Server.start() as started:
        said = ask(started, "say(open('/proc/self/environ').read() + str(dict(os.environ)))")
    assert "PATH=" in said
    assert "sesame" not in said


def test_children_draw_different_numbers(server: Server) -> None:
    draw = "say([random.random(), float(sys.modules['numpy'].random.rand())])"
    first, second = ask(server, draw), ask(server, draw)
    assert first[0] != second[0]
    assert first[1] != second[1]


@pytest.mark.parametrize(
    ("what", "limits", "expected"),
    [
        ("pass", {}, ("ended", 0, None)),
        ("os._exit(3)", {}, ("crashed", 3, None)),
        ("raise ValueError", {}, ("crashed", 1, None)),
        ("os.kill(os.getpid(), 11)", {}, ("crashed", None, 11)),
        ("time.sleep(60)", {"seconds": 0.2}, ("timeout", None, 9)),
        ("x = bytearray(b'1') * (300 << 20); time.sleep(60)", {"memory": 100 << 20},
         ("out_of_memory", None, 9)),
        ("import mmap; m = mmap.mmap(-1, 300 << 20); m.write(b'1' * (300 << 20)); time.sleep(60)",
         {"memory": 100 << 20}, ("out_of_memory", None, 9)),
        ("import threading\nfor _ in range(50): threading.Thread(target=time.sleep, args=(9,)).start()\ntime.sleep(9)",
         {"threads": 20}, ("too_many_threads", None, 9)),
    ],
)  # fmt: skip
def test_how_it_ended(
    server: Server, what: str, limits: dict[str, Any], expected: tuple[str, int | None, int | None]
) -> None:
    with server.fork(child(what, **limits)) as forked:
        ending = forked.wait(10)
    assert ending is not None
    assert (ending.status, ending.code, ending.signal) == expected
    assert not alive(forked.pid)


def test_page_tables_count(server: Server) -> None:
    """Reading one byte of every second megabyte costs a page of page table each, and no resident memory."""
    what = "import mmap\nwhile True:\n    m = mmap.mmap(-1, 1 << 40, mmap.MAP_PRIVATE | 0x4000, mmap.PROT_READ)\n"
    what += "    for i in range(0, 1 << 40, 2 << 20): m[i]\n    keep.append(m)"
    with server.fork(child(what, memory=200 << 20, seconds=20)) as forked:
        ending = forked.wait(30)
    assert ending is not None
    assert ending.status == "out_of_memory"


@pytest.mark.parametrize(
    "what",
    [
        "open('big', 'wb').write(b'1' * (20 << 20))",
        "f = open('big', 'wb'); os.unlink('big'); f.write(b'1' * (20 << 20)); f.flush()",
        "for i in range(500): open(str(i), 'w').close()",
        "for i in range(500): os.mkdir('d'); os.chdir('d')",
        "os.mkdir('d', 0o300); open('d/big', 'wb').write(b'1' * (20 << 20))",
        "os.mkdir('d'); os.symlink('/', 'd/root')\nfor i in range(500): os.symlink('/usr', f'd/{i}')",
    ],
)
def test_a_full_folder_ends_its_child_and_is_removed(server: Server, what: str) -> None:
    folder = server.folder()
    what = f"os.chdir({str(folder)!r})\n{what}\nos.umask(0o777)\ntime.sleep(60)"
    with server.fork(child(what, folder=str(folder), disk=10 << 20, files=400, seconds=20)) as forked:
        ending = forked.wait(30)
        assert folder.exists()
    assert ending is not None
    assert ending.status == "disk_full"
    assert eventually(lambda: not folder.exists())


def test_the_folder_of_a_client_who_was_killed_in_between_is_removed_with_the_next(server: Server) -> None:
    leave = "import os\nfrom pathlib import Path\nfrom labkit.forkserver import Server\n"
    leave += f"print(Server(Path({str(server.path)!r})).folder(), flush=True)\nos.abort()"
    killed = subprocess.run([sys.executable, "-c", leave], capture_output=True, text=True, check=False)
    left, mine, other = Path(killed.stdout.strip()), server.folder(), server.folder()
    assert left.parent == mine.parent
    assert left.is_dir()
    with server.fork(child("pass", folder=str(mine))) as forked:
        assert forked.wait(10) is not None
    assert eventually(lambda: not left.exists() and not mine.exists())
    assert other.is_dir()  # we live
    other.rmdir()


def test_folders_of_any_depth_and_mode_are_removed(tmp_path: Path) -> None:
    top = tmp_path / "top"
    top.mkdir()
    script = (
        "import os\nfor i in range(3000):\n    os.mkdir('d' * 50); os.chdir('d' * 50)\nopen('f', 'w').close()"
    )
    subprocess.run([sys.executable, "-c", script], cwd=top, check=True)
    (top / "shut").mkdir()
    (top / "shut" / "file").touch()
    (top / "shut").chmod(0)
    (top / os.fsdecode(b"\xff\n")).touch()
    (top / "link").symlink_to(tmp_path)
    forkserver.remove_tree(top)
    assert not top.exists()
    assert tmp_path.exists()


def test_two_may_remove_the_same_folder(tmp_path: Path) -> None:
    for _ in range(20):
        top = tmp_path / "top"
        for i in range(60):
            (top / str(i) / "a" / "b").mkdir(parents=True)
            (top / str(i) / "file").touch()
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(forkserver.remove_tree, [top] * 4))
        assert not top.exists()


def test_hanging_up_kills(server: Server) -> None:
    folder = server.folder()
    forked = server.fork(child("time.sleep(60)", folder=str(folder)))
    assert alive(forked.pid)
    forked.close()
    assert eventually(lambda: not alive(forked.pid))
    assert eventually(lambda: not folder.exists())


def test_killing_says_so(server: Server) -> None:
    with server.fork(child("time.sleep(60)")) as forked:
        assert forked.wait(0.05) is None
        ending = forked.kill()
        assert (ending.status, ending.signal) == ("killed", 9)
        assert forked.wait() == ending


def test_peak_memory_is_the_childs_own(server: Server) -> None:
    with server.fork(child("x = b'1' * (100 << 20)")) as forked:
        ending = forked.wait(10)
    assert ending is not None
    assert 80 << 20 < ending.peak_memory < 300 << 20


@pytest.mark.parametrize("target", ["no_such_module:run", "forked_target:absent", "forked_target"])
def test_a_request_that_cannot_be_met_is_refused(server: Server, target: str) -> None:
    with pytest.raises(ServerError, match="refused"):
        server.fork(Spec(target))
    assert ask(server, "say(1)") == 1


def test_nonsense_on_the_socket_harms_nobody(server: Server) -> None:
    rng = random.Random(0)
    for _ in range(50):
        with server._dial() as connection, contextlib.suppress(OSError):
            connection.send(rng.randbytes(rng.randrange(1, 2000)))
    for message in ("[]", "{}", '{"target": 3}', '{"target": "os:getpid", "x": 1}', "[" * 20_000):
        with server._dial() as connection:
            connection.send(message.encode())
            assert "error" in json.loads(connection.recv(10_000))
    assert ask(server, "say(1)") == 1


def test_too_large_a_request_is_refused_before_it_is_sent(server: Server) -> None:
    with pytest.raises(ServerError, match="at most 60000 bytes"):
        server.fork(Spec("forked_target:run", {"source": "#" * 70_000}))


def test_the_socket_is_private(server: Server) -> None:
    assert stat.S_IMODE(server.path.lstat().st_mode) == 0o600
    assert stat.S_IMODE(server.path.parent.lstat().st_mode) == 0o700


def test_a_folder_that_others_can_open_is_refused(monkeypatch: pytest.MonkeyPatch, short: Path) -> None:
    monkeypatch.setenv("TMPDIR", str(short))
    monkeypatch.setattr(forkserver.tempfile, "gettempdir", lambda: str(short))
    folder = forkserver.runtime_folder()
    folder.chmod(0o750)
    with pytest.raises(ServerError, match="mode 0750"):
        forkserver.runtime_folder()
    folder.rmdir()
    folder.symlink_to("/tmp")
    with pytest.raises(ServerError, match="Expected"):
        forkserver.runtime_folder()


def test_children_write_to_memory_where_there_is_room_for_it(
    monkeypatch: pytest.MonkeyPatch, short: Path
) -> None:
    memory, disk = short / "memory", short / "disk"
    memory.mkdir()
    disk.mkdir()
    monkeypatch.delenv("TMPDIR", raising=False)
    monkeypatch.setattr(forkserver, "SHARED_MEMORY", str(memory))
    monkeypatch.setattr(forkserver.tempfile, "gettempdir", lambda: str(disk))
    monkeypatch.setattr(forkserver, "ENOUGH_MEMORY", 1)
    assert forkserver.runtime_folder().parent == memory
    monkeypatch.setattr(forkserver, "ENOUGH_MEMORY", 1 << 60)
    assert forkserver.runtime_folder().parent == disk
    monkeypatch.setattr(forkserver, "ENOUGH_MEMORY", 1)
    monkeypatch.setattr(forkserver, "SHARED_MEMORY", str(short / "absent"))
    assert forkserver.runtime_folder().parent == disk
    monkeypatch.setattr(forkserver, "SHARED_MEMORY", str(memory))
    monkeypatch.setenv("TMPDIR", str(disk))
    assert forkserver.runtime_folder().parent == disk


def leftovers() -> set[str]:
    return {p.name for p in forkserver.runtime_folder().iterdir() if p.suffix != ".lock"}


def test_a_private_server_leaves_nothing() -> None:
    before = leftovers()
    with Server.start() as started:
        pid = started.pid
        folder = started.folder()
        forked = started.fork(child("time.sleep(60)", folder=str(folder)))
        assert leftovers() > before
    assert not alive(pid)
    assert not alive(forked.pid)
    assert leftovers() == before
    ending = forked.wait()
    forked.close()
    assert ending is not None
    assert ending.status == "killed"


def test_killed_server_takes_its_children_and_leaves_nothing() -> None:
    before = leftovers()
    with Server.start() as started:
        folder = started.folder()
        children = [started.fork(child("time.sleep(60)", folder=str(folder))) for _ in range(3)]
        os.kill(started.pid, signal.SIGKILL)
        assert eventually(lambda: not any(alive(c.pid) for c in children))
        assert [c.wait(5) for c in children] == [Ending("server_lost")] * 3
        with pytest.raises(ServerError, match=r"No fork server|is gone"):
            started.fork(child("pass"))
        for forked in children:
            forked.close()
    assert leftovers() == before


def test_killed_client_takes_server_and_children() -> None:
    before = leftovers()
    script = """
import os, sys, time
from labkit.forkserver import Server, Spec
server = Server.start()
folder = server.folder()
spec = Spec("time:sleep", {}, folder=str(folder))
child = server.fork(Spec("forked_target:run", {"source": "time.sleep(60)"}, folder=str(folder)))
print(server.pid, child.pid, flush=True)
time.sleep(60)
"""
    path = os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")])
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, env=dict(os.environ, PYTHONPATH=path)
    ) as client:
        assert client.stdout is not None
        pids = [int(word) for word in client.stdout.readline().split()]
        assert all(alive(pid) for pid in pids)
        client.kill()
    assert eventually(lambda: not any(alive(pid) for pid in pids))
    assert eventually(lambda: leftovers() == before)


def test_two_who_start_at_once_share_one_server_that_leaves_when_idle(
    monkeypatch: pytest.MonkeyPatch, short: Path
) -> None:
    monkeypatch.setenv("TMPDIR", str(short))
    monkeypatch.setattr(forkserver.tempfile, "tempdir", None)
    script = "from labkit.forkserver import Server; print(Server.connect(idle_seconds=1.5).pid)"
    both = [subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) for _ in range(2)]
    said = {process.communicate(timeout=120)[0] for process in both}
    assert len(said) == 1
    pid = int(said.pop())
    assert alive(pid)
    server = Server.connect()
    assert server.pid == pid
    assert eventually(lambda: not forkserver._answers(server.path), 10)  # a look does not keep it
    assert eventually(lambda: not alive(pid), 10)
    assert [p.suffix for p in (short / f"labbook-{os.getuid()}").iterdir()] == [".lock"]
    monkeypatch.undo()
    forkserver.tempfile.tempdir = None


def test_what_dead_servers_left_is_swept_by_the_next(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = forkserver.runtime_folder()
    dead = folder / "private-0-dead"
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as stale:
        stale.bind(str(dead))
    (folder / "private-0-dead.rooms" / "x").mkdir(parents=True)
    with Server.start():
        assert not dead.exists()
        assert not (folder / "private-0-dead.rooms").exists()
