"""The answer room: runs the student's cells and answers questions about what they have defined.

Nothing in this process is to be trusted once the first cell has run: the student's code shares it and may replace
any of it. So nothing here guards anything but the comfort of honest students; what guards is `walls` around it and
the distrust of the examination room at the other end of its one connection.
"""

from __future__ import annotations

import base64
import contextlib
import os
import signal
import socket
import sys
import tempfile
import threading
import types
from collections.abc import Callable
from typing import Any

from autograder import walls, wire
from autograder.rooms import models, outputs

_shell: Any = None


class TimeLimit(BaseException):
    """The student's code ran longer than it may. No Exception: it is not to be swallowed by `except Exception`."""


def prepare() -> None:
    """In the fork server: an IPython shell, which takes half a second to make and is in every room by the fork."""
    global _shell
    import matplotlib
    import matplotlib_inline.backend_inline as inline
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    with tempfile.TemporaryDirectory() as folder:
        os.environ["IPYTHONDIR"] = folder
        config = Config()
        config.HistoryManager.enabled = False  # a database and a thread
        config.InteractiveShell.colors = "nocolor"
        _shell = InteractiveShell.instance(config=config)
        del os.environ["IPYTHONDIR"]
    _shell.xmode = "Plain"
    _shell.enable_gui = lambda gui=None: None  # or an honest "%matplotlib inline" is an error
    matplotlib.use("module://matplotlib_inline.backend_inline")
    matplotlib.interactive(True)  # or figures vanish
    inline.configure_inline_support(_shell, "inline")
    walls.prepare()


class Room:
    """The shell, the objects that the other side knows by number, and the connection to it."""

    def __init__(self, channel: wire.Channel) -> None:
        self.channel = channel
        self.shell = _shell
        self.objects: list[Any] = []
        self.numbers: dict[int, int] = {}
        self.shown: list[dict[str, Any]] = []
        # File name of a compiled cell to its number, and how many empty lines it has lost
        self.cells: dict[str, tuple[int, int]] = {}
        self.stdout, self.stderr = outputs.Capped(), outputs.Capped()
        self.listen()

    def listen(self) -> None:
        """Take over what the shell shows."""
        shell = self.shell
        shell.display_pub.publish = lambda data, metadata=None, **_: self.show("display_data", data=data)
        shell.displayhook.write_output_prompt = lambda: None
        shell.displayhook.write_format_data = lambda data, metadata=None: self.show(
            "execute_result", data=data
        )
        # Before IPython formats a traceback: that parses source files, and takes longer than many a cell.
        shell.showtraceback = shell.showsyntaxerror = lambda *_, **__: self.show_error(sys.exc_info()[1])
        shell.system = lambda command: print(f"(no command is run while grading: {command})")
        shell.user_ns["exit"] = shell.user_ns["quit"] = lambda *_: print("(exit is ignored while grading)")
        signal.signal(signal.SIGALRM, _time_is_up)

    # ---------------------------------------------------------------------------------------------------- output

    def flush(self) -> None:
        """What was printed becomes an output."""
        for name, stream in (("stdout", self.stdout), ("stderr", self.stderr)):
            if text := stream.take():
                self.shown.append({"output_type": "stream", "name": name, "text": text})

    def show(self, kind: str, data: dict[str, Any]) -> None:
        """Keep the text and the picture of something shown."""
        self.flush()
        kept = {"text/plain": str(data.get("text/plain", ""))}
        if picture := data.get("image/png"):
            kept["image/png"] = picture if isinstance(picture, str) else base64.b64encode(picture).decode()
        self.shown.append({"output_type": kind, "data": kept})

    def show_error(self, error: BaseException | None) -> None:
        """Keep an error without its traceback."""
        self.flush()
        self.shown.append({"output_type": "error", "ename": type(error).__name__, "evalue": _text(error)})

    def take_shown(self) -> list[dict[str, Any]]:
        """What was shown since the last time, as it may cross."""
        self.flush()
        shown, self.shown = self.shown, []
        return outputs.clean_outputs(shown)

    # ---------------------------------------------------------------------------------------------------- values

    def refer(self, value: Any, inner: Callable[[Any], Any]) -> Any:
        """The node of what is no data: a number, with which it can be asked for more, and a model's configuration."""
        if id(value) not in self.numbers:
            self.numbers[id(value)] = len(self.objects)
            self.objects.append(value)  # kept, so that the id stays its own
        number = self.numbers[id(value)]
        if isinstance(value, sys.modules["keras"].Model):
            with contextlib.suppress(models.NotBuiltIn):
                config, shapes = models.pack_model(value)
                return {"t": "model", "id": number, "c": config, "s": shapes}
        node = {"t": "ref", "id": number, "type": type(value).__name__, "name": ""}
        if isinstance(value, types.FunctionType | type):
            node["name"] = value.__name__
        return node

    def special(self, kind: str, node: dict[str, Any], decode: Callable[[Any], Any]) -> Any:
        """What only the examiner sends, who is trusted."""
        import numpy as np

        if kind == "own":
            return self.objects[node["id"]]
        if kind == "callback":
            return self.callback(node["id"])
        if kind == "model":
            return models.unpack_model(node["c"]).fill([decode(weight) for weight in node["w"]])
        if kind == "rng":
            bits = getattr(np.random, node["v"])()
            bits.state = decode(node["s"])
            return np.random.Generator(bits)
        raise wire.CannotCross(f"an unknown kind of value: {kind}")

    def callback(self, number: int) -> Callable[..., Any]:
        """The examiner's function, as the student's code sees it."""

        def call(*args: Any, **kwargs: Any) -> Any:
            if threading.current_thread() is not threading.main_thread():
                raise RuntimeError("this function can be called from the main thread only")
            buffers: wire.Buffers = []
            header = {"callback": number, "args": wire.encode(args, buffers, self.refer)}
            header["kwargs"] = wire.encode(kwargs, buffers, self.refer)
            self.channel.send(header, buffers)
            while True:
                header, buffers = self.channel.receive()
                if "op" not in header:
                    break
                self.handle(header, buffers)  # the function asks for something in its turn
            if "error" in header:
                raise RuntimeError(header["error"])
            return wire.Decoder(buffers, self.special)(header["value"])

        return call

    # -------------------------------------------------------------------------------------------------- requests

    def serve(self) -> None:
        """Until the other side hangs up."""
        while True:
            self.handle(*self.channel.receive())

    def handle(self, header: dict[str, Any], buffers: wire.Buffers) -> None:
        """Do what is asked, within its time, and reply whatever happens."""
        sys.stdout, sys.stderr = self.stdout, self.stderr
        reply: dict[str, Any]
        data: wire.Buffers = []
        before = signal.setitimer(signal.ITIMER_REAL, header["seconds"])[0]
        try:
            try:
                reply = self.answer(header, wire.Decoder(buffers, self.special), data)
            finally:
                signal.setitimer(signal.ITIMER_REAL, before)
        except BaseException as error:
            reply, data = {"error": self.describe(error)}, []
        reply |= {"n": header["n"], "outputs": self.take_shown()}
        try:
            self.channel.send(reply, data)
        except wire.CannotCross as error:
            self.channel.send({"n": header["n"], "outputs": [], "error": self.describe(error)})

    def answer(self, header: dict[str, Any], decode: wire.Decoder, data: wire.Buffers) -> dict[str, Any]:
        """The reply to one request; the bytes of its arrays go to `data`."""
        operation = header["op"]
        if operation == "run":
            return self.run_cell(header["cell"], header["source"])
        if operation == "put":
            return put_files(*decode(header["args"]))
        if operation == "get":
            if header["name"] not in self.shell.user_ns:
                return {"missing": True}
            value = self.shell.user_ns[header["name"]]
        else:
            args, kwargs = decode(header["args"]), decode(header["kwargs"])
            value = getattr(self, "do_" + operation)(self.objects[header["id"]], *args, **kwargs)
        return {"value": wire.encode(value, data, self.refer)}

    def run_cell(self, number: int, source: str) -> dict[str, Any]:
        """Run a cell in the shell, which leaves out the empty lines that it begins with."""
        left_out = source[: len(source) - len(source.lstrip())].count("\n")
        compiled = set(self.shell.compile._filename_map)
        result = self.shell.run_cell(source, store_history=False)
        for name in set(self.shell.compile._filename_map) - compiled:
            self.cells[name] = number, left_out
        self.shell.execution_count += 1
        error = result.error_before_exec or result.error_in_exec
        return {} if error is None else {"error": self.describe(error)}

    def do_call(self, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Call it."""
        return obj(*args, **kwargs)

    def do_getattr(self, obj: Any, name: str, /) -> Any:
        """One of its attributes."""
        return getattr(obj, name)

    def do_getitem(self, obj: Any, key: Any, /) -> Any:
        """One of its items."""
        return obj[key]

    def do_len(self, obj: Any, /) -> Any:
        """Its length."""
        return len(obj)

    def do_iter(self, obj: Any, /) -> Any:
        """An iterator over it."""
        return iter(obj)

    def do_next(self, obj: Any, /) -> Any:
        """A list of the next item, empty at the end."""
        for item in obj:
            return [item]
        return []

    def do_after(self, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        """The result, and what became of the arguments."""
        return obj(*args, **kwargs), list(args)

    def do_gradient(self, obj: Any, /, *args: Any) -> Any:
        """The gradients at `args`, by a tape on this side, since no tape crosses."""
        import tensorflow as tf

        xs = [tf.convert_to_tensor(x) for x in args]
        with tf.GradientTape() as tape:
            tape.watch(xs)
            y = obj(*xs)
        return [None if gradient is None else gradient.numpy() for gradient in tape.gradient(y, xs)]

    def do_weights(self, model: Any, /) -> list[Any]:
        """A model's weights, which are large, and asked for only where a test needs them."""
        return list(model.get_weights())

    def describe(self, error: BaseException) -> dict[str, Any]:
        """An error as data: the names of its classes, its text, and the student's lines on the way to it."""
        places = []
        if isinstance(error, SyntaxError) and type(error.filename) is str and type(error.lineno) is int:
            places.append((error.filename, error.lineno))
        trace = error.__traceback__
        while trace is not None:
            places.append((trace.tb_frame.f_code.co_filename, trace.tb_lineno))
            trace = trace.tb_next
        lines = []
        for file, line in places:
            if file in self.cells:
                number, left_out = self.cells[file]
                lines.append([number, left_out + line])
        kinds = [kind.__name__ for kind in type(error).__mro__ if kind is not object]
        return {"kinds": kinds[:8], "text": _text(error), "lines": lines[-4:]}


def put_files(folder: str, files: dict[str, bytes]) -> dict[str, Any]:
    """Write a test's files where the student's code finds them."""
    for name, content in {"": b"", **files}.items():
        place = os.path.join(folder, name)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        if name:
            with open(place, "wb") as file:
                file.write(content)
    return {}


def _text(error: BaseException | None) -> str:
    """The text of an error, whose __str__ may be the student's."""
    try:
        return outputs.clean_text(str(error), 2000)
    except BaseException:
        return ""


def _time_is_up(*_: object) -> None:
    raise TimeLimit("took too long")


def settle(work: str) -> None:
    """Make a forked process at home in `work`: its folder, its environment, its place to look for modules."""
    scratch = os.path.join(work, ".tmp")
    os.makedirs(scratch, exist_ok=True)
    kept = {
        name: value
        for name, value in os.environ.items()
        if name.startswith(("TF_", "OMP_", "KERAS_", "MPL", "LANG", "LC_"))
    }
    os.environ.clear()
    os.environ |= kept | {
        "HOME": work, "TMPDIR": scratch, "IPYTHONDIR": scratch, "MPLCONFIGDIR": scratch, "KERAS_HOME": scratch,
        "LABBOOK_BATCH": "1", "USER": "student", "LOGNAME": "student", "PATH": "/usr/bin:/bin",
        "CUDA_VISIBLE_DEVICES": "", "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1",
        "TENSORFLOW_USE_CUSTOM_CONTRACTION_KERNEL": "0",  # or it compiles one at the first product of each room
        "ONEDNN_MAX_CPU_ISA": "SSE41",  # or a convolution's first gradient waits 20 ms for a newer processor's kernels
    }  # fmt: skip
    tempfile.tempdir = None
    os.chdir(work)


def main(arguments: dict[str, Any], descriptors: list[int]) -> None:
    """Entered in a fresh fork: confine it, say so, and serve until the other side hangs up."""
    channel = wire.Channel(socket.socket(fileno=descriptors[0]))
    work = arguments["work"]
    settle(work)
    sys.path.append(work)
    sys.argv = ["notebook"]
    sys.modules["keras"].utils.set_random_seed(0)  # the same notebook, the same grade
    try:
        walls.confine(
            arguments["read"], [work], memory=arguments["memory"], cpu_seconds=arguments["cpu_seconds"],
            unsafe=arguments["unsafe"],
        )  # fmt: skip
    except walls.WallsMissing as error:
        channel.send({"walls": str(error)})
        return
    channel.send({"ready": True})
    with contextlib.suppress(wire.RoomLost):
        Room(channel).serve()
