"""The examination room: runs our setup and test cells, and asks next door for every name that they do not define.

It runs nothing of the student's. What comes from the answer room is data, decoded by `wire`, or a `Remote`, which asks
again. It is confined like the other rooms all the same, for it decodes what an enemy may have written.

Errors that end a sub-check for a reason other than a wrong answer carry it as their `reason`: "timeout" (`TimeUp`),
"out_of_memory", "crashed" (`wire.RoomLost`). The objects that tests hold answer to these names: `_after(*args)` and
`_gradient(*xs)` (Remote), `_source()` (Remote), `_describe()` (Model).
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import hashlib
import io
import json
import marshal
import math
import os
import secrets
import signal
import socket
import sys
import time
import types
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from autograder import walls, wire
from autograder.rooms import models, outputs
from autograder.rooms.answer import settle
from labkit import exchange
from labkit.exchange import Exchange, sizes

GRACE = 1.0  # seconds that a room has to say that its time is up
MAX_CALLBACKS = 100_000

SAFE_ERRORS = {
    name: getattr(builtins, name)
    for name in [
        "ArithmeticError",
        "AssertionError",
        "AttributeError",
        "BufferError",
        "EOFError",
        "FileExistsError",
        "FileNotFoundError",
        "FloatingPointError",
        "ImportError",
        "IndexError",
        "IsADirectoryError",
        "KeyError",
        "LookupError",
        "MemoryError",
        "ModuleNotFoundError",
        "NameError",
        "NotADirectoryError",
        "NotImplementedError",
        "OSError",
        "OverflowError",
        "PermissionError",
        "RecursionError",
        "RuntimeError",
        "SyntaxError",
        "TimeoutError",
        "TypeError",
        "UnboundLocalError",
        "ValueError",
        "ZeroDivisionError",
        "Exception",
    ]
}
TF_ERRORS = frozenset(
    [
        "InvalidArgumentError",
        "NotFoundError",
        "OutOfRangeError",
        "DataLossError",
        "FailedPreconditionError",
        "UnimplementedError",
        "ResourceExhaustedError",
    ]
)
OUT_OF_MEMORY = frozenset({"MemoryError", "ResourceExhaustedError"})


class TimeUp(Exception):
    """The student's code ran out of time; the room has stopped it and lives."""

    reason = "timeout"


def _hidden() -> bool:
    """Whether the sub-check that is running is a hidden one: `labkit.checks` knows."""
    from labkit import checks

    question = checks.current()
    return question is not None and question.is_hidden


# ------------------------------------------------------------------------------------------------ the answer room


def safe_error(info: Any, texts: bool, sources: list[str]) -> Exception:
    """The exception to raise here for one that was raised there.

    It is of the nearest class that we know, and never one that steers the interpreter: a StopIteration inside
    `all(map(f, xs))` would end the loop in silence.

    Args:
        info: what the other side said of it.
        texts: whether its text may be shown, and the name of its class where that is the student's own.
        sources: our copies of the cells, for the lines that it names.

    Raises:
        wire.ProtocolError: if `info` is malformed.
    """
    if type(info) is not dict or type(info.get("kinds")) is not list or type(info.get("lines")) is not list:
        raise wire.ProtocolError("a malformed error")
    kinds = [outputs.clean_text(kind, 80) for kind in info["kinds"][:8]]
    text = outputs.clean_text(info.get("text"), 2000) if texts else ""
    if kinds[:1] == ["TimeLimit"]:
        return TimeUp("took too long")
    if kinds[:1] == ["CannotCross"]:
        return wire.CannotCross(text)
    error: Exception | None = None
    for kind in kinds:
        if kind in TF_ERRORS:
            import tensorflow as tf

            error = getattr(tf.errors, kind)(None, None, text)
        elif kind in SAFE_ERRORS:
            error = SAFE_ERRORS[kind](text)
        if error is not None:
            break
    if error is None:
        error = RuntimeError(f"{kinds[0] if kinds else 'an error'}: {text}" if texts else "")
    error.student_type = kinds[0] if kinds and texts else ""  # type: ignore[attr-defined]
    error.student_lines = _lines(info["lines"], sources)  # type: ignore[attr-defined]
    if OUT_OF_MEMORY & set(kinds):
        error.reason = "out_of_memory"  # type: ignore[attr-defined]
    return error


def _lines(named: list[Any], sources: list[str]) -> list[tuple[int, str]]:
    """Line numbers and the lines themselves, out of our copies of the cells."""
    found = []
    for pair in named[:4]:
        if type(pair) is not list or len(pair) != 2 or not all(type(n) is int for n in pair):
            raise wire.ProtocolError("a malformed line")
        cell, line = pair
        if 0 <= cell < len(sources):
            lines = sources[cell].splitlines()
            if 0 < line <= len(lines):
                found.append((line, lines[line - 1][:200]))
    return found


class Remote:
    """Something in the answer room: a function, a class, an object. It is equal to nothing but itself.

    It can be called, indexed, iterated and measured with len(), and has the attributes that it has there. Its truth,
    its type and its private names stay there.
    """

    __slots__ = ("__weakref__", "_info", "_number", "_room", "_root")

    def __init__(self, room: AnswerRoom, number: int, info: dict[str, str], root: str) -> None:
        self._room, self._number, self._info, self._root = room, number, info, root

    def __repr__(self) -> str:
        return f"<the student's {self._info['type']} {self._info['name']}>".replace(" >", ">")

    @property
    def __name__(self) -> str:
        """Its name there."""
        return str(self._info["name"])

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it there, with copies of the arguments."""
        return self._ask("call", *args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return self._ask("getattr", name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in Remote.__slots__:
            raise AttributeError("an object of the student's cannot be changed from here")
        object.__setattr__(self, name, value)

    def __getitem__(self, key: Any) -> Any:
        return self._ask("getitem", key)

    def __len__(self) -> int:
        length = self._ask("len")
        if type(length) is not int or not 0 <= length <= wire.MAX_RANGE:
            raise TypeError("a length that is none")
        return length

    def __bool__(self) -> bool:
        raise TypeError(f"{self!r} is no value that could be true or false")

    def __iter__(self) -> Iterator[Any]:
        iterator = self._ask("iter")
        if not isinstance(iterator, Remote):
            yield from iterator
            return
        while True:
            got = iterator._ask("next")
            if type(got) is not list or len(got) != 1:
                return
            yield got[0]

    def _ask(self, operation: str, *args: Any, **kwargs: Any) -> Any:
        return self._room.ask(operation, root=self._root, id=self._number, args=args, kwargs=kwargs)

    def _after(self, *args: Any, **kwargs: Any) -> Any:
        """The result of calling it, and the list of its arguments as they were afterwards."""
        return self._ask("after", *args, **kwargs)

    def _gradient(self, *xs: Any) -> Any:
        """Gradients of its (summed) result, by automatic differentiation where it lives."""
        return self._ask("gradient", *xs)

    def _source(self) -> str:
        """Source of the student's cell that defines it, from our copy; of all their cells where none visibly does."""
        return self._room.source_of(self._root)


class AnswerRoom:
    """Our end of the connection. Every request has its time; whatever is wrong with a reply loses the room.

    Args:
        channel: the connection.
        cells: the notebook's cells, our copy.
    """

    def __init__(self, channel: wire.Channel, cells: list[dict[str, Any]]) -> None:
        self.channel = channel
        self.cells = cells
        self.sources = [cell["source"] for cell in cells]
        self.at = 0  # the cell that is running
        self.deadline = 0.0
        self.lost: wire.RoomLost | None = None
        self.shown: list[dict[str, Any]] = []
        self.reading: ReadingRoom | None = None
        self._requests = 0
        self._callbacks: list[Callable[..., Any]] = []

    def begin(self, cell: int, seconds: float) -> None:
        """All that is asked from now on belongs to this cell, and has so many seconds together."""
        self.at, self.deadline = cell, time.monotonic() + seconds
        self._callbacks.clear()
        self.shown = []

    def run(self, cell: int) -> None:
        """Run one of the cells over there."""
        self.ask("run", cell=cell, source=self.sources[cell])

    def get(self, name: str) -> Any:
        """The value of a name. Raises KeyError if there is none."""
        return self.ask("get", root=name, name=name)

    def ask(self, operation: str, root: str = "", **fields: Any) -> Any:
        """Ask for something and wait for it.

        Raises:
            TimeUp: the time of this cell is over; the room lives.
            wire.RoomLost: the room does not.
            wire.CannotCross: the value cannot come here.
            Exception: what the student's code raised, made safe.
        """
        if self.lost is not None:
            raise self.lost
        left = self.deadline - time.monotonic()
        if left < 0.005:
            raise TimeUp("no time left for this question")
        self._requests += 1
        number, limit, hidden = self._requests, self.deadline + GRACE, _hidden()
        buffers: wire.Buffers = []
        for name in ("args", "kwargs"):
            if name in fields:
                fields[name] = wire.encode(fields[name], buffers, self._refer)
        try:
            self.channel.send({"op": operation, "n": number, "seconds": left, **fields}, buffers, limit)
            while True:
                header, buffers = self.channel.receive(limit)
                if "callback" not in header:
                    break
                self._serve_callback(header, buffers, limit, root)
            if type(header.get("n")) is not int or header["n"] != number:
                raise wire.ProtocolError("a reply to another request")
            shown = outputs.clean_outputs(header.get("outputs"))
            if not hidden:
                self.shown = outputs.clean_outputs(self.shown + shown)  # of all calls together
            error = None
            if header.get("error") is not None:
                error = safe_error(header["error"], not hidden, self.sources)
        except wire.RoomLost as lost:
            self.lost = lost
            raise
        except (wire.ProtocolError, MemoryError, RecursionError) as nonsense:
            self.lost = wire.RoomLost("crashed", f"{type(nonsense).__name__}: {nonsense}")
            raise self.lost from None
        if error is not None:
            raise error
        if header.get("missing") is True:
            raise KeyError(root)
        if operation in ("run", "put"):
            return None
        try:
            return wire.Decoder(buffers, self._special(root))(header.get("value"))
        except MemoryError:
            raise wire.CannotCross("too large a value") from None

    def source_of(self, name: str) -> str:
        """Source of the last student's cell before this one that binds `name`; of all of them where none does."""
        before = [cell["source"] for cell in self.cells[: self.at] if cell["kind"] == "answer"]
        for source in reversed(before):
            if name in bound_names(source):
                return str(source)
        return "\n\n".join(before)

    # What crosses by more than its value

    def _refer(self, value: Any, inner: Callable[[Any], Any]) -> Any:
        if isinstance(value, Remote):
            return {"t": "own", "id": value._number}
        if isinstance(value, Model):
            return {"t": "model", "c": value._config, "w": [inner(weight) for weight in value.get_weights()]}
        if isinstance(value, np.random.Generator):
            state = value.bit_generator.state
            return {"t": "rng", "v": state["bit_generator"], "s": inner(state)}
        if isinstance(value, sys.modules["keras"].Model):
            with contextlib.suppress(models.NotBuiltIn):
                config, _ = models.pack_model(value)
                return {"t": "model", "c": config, "w": [inner(weight) for weight in value.get_weights()]}
        if callable(value):
            self._callbacks.append(value)
            return {"t": "callback", "id": len(self._callbacks) - 1}
        raise wire.CannotCross(f"a {type(value).__name__} cannot be given to the student's code")

    def _special(self, root: str) -> wire.Special:
        def special(kind: str, node: dict[str, Any], decode: Callable[[Any], Any]) -> Any:
            if kind == "ref" and set(node) == {"t", "id", "type", "name"}:
                number = node["id"]
                if type(number) is not int or number < 0:
                    raise wire.CannotCross("a malformed reference")
                info = {key: outputs.clean_text(node[key], 80) for key in ("type", "name")}
                return Remote(self, number, info, root)
            if kind == "model" and set(node) == {"t", "id", "c", "s"}:
                number, shapes = node["id"], node["s"]
                if type(number) is not int or number < 0 or not _are_shapes(shapes):
                    raise wire.CannotCross("a malformed model")
                if self.reading is None:
                    raise wire.CannotCross("a model")
                config = wire.clean_text(node["c"], models.MAX_CONFIG + 1)
                return Model(
                    self.reading,
                    config,
                    shapes,
                    lambda: self.ask("weights", root, id=number, args=(), kwargs={}),
                )
            raise wire.CannotCross("a malformed value")

        return special

    def _serve_callback(self, header: dict[str, Any], buffers: wire.Buffers, limit: float, root: str) -> None:
        """The student's code calls a function that a test gave to it."""
        number = header["callback"]
        if type(number) is not int or number < 0 or set(header) != {"callback", "args", "kwargs"}:
            raise wire.ProtocolError("a malformed callback")
        data: wire.Buffers = []
        try:
            decode = wire.Decoder(buffers, self._special(root))
            args, kwargs = decode(header["args"]), decode(header["kwargs"])
            if (
                not isinstance(args, tuple)
                or type(kwargs) is not dict
                or not all(type(key) is str for key in kwargs)
            ):
                raise wire.ProtocolError("a malformed callback")
            if number >= len(self._callbacks):
                raise wire.CannotCross("this function belonged to an earlier test")
            reply = {"value": wire.encode(self._callbacks[number](*args, **kwargs), data, self._refer)}
        except (wire.RoomLost, wire.ProtocolError):
            raise
        except Exception as error:
            reply, data = {"error": f"{type(error).__name__}: {error}"[:500]}, []
        try:
            self.channel.send(reply, data, limit)
        except wire.CannotCross as error:
            self.channel.send({"error": str(error)}, [], limit)


def bound_names(source: str) -> set[str]:
    """The names that a cell binds at its top level, as far as its text shows; IPython's own lines are left out."""
    lines = ["" if line.lstrip().startswith(("%", "!", "?")) else line for line in source.splitlines()]
    try:
        tree = ast.parse("\n".join(lines))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    found: set[str] = set()
    todo: list[ast.AST] = [tree]
    while todo:
        for node in ast.iter_child_nodes(todo.pop()):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                found.add(node.name)
            elif isinstance(node, ast.alias):
                found.add((node.asname or node.name).partition(".")[0])
            elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
                found.add(node.id)
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
                todo.append(node)
    return found


# ----------------------------------------------------------------------------------------------- the reading room


class ReadingRoom:
    """Our end of the connection to the room that builds models and reads files.

    It is started at the first request, or before, so that nobody has to wait for it. One that was given files ends
    with its question, and the next question gets another: neither harm nor memory goes from one to the next.

    Args:
        channels: a connection for each room that there may be.
        start: has a room started at the other end of the next connection.
        room: whose time it is. A loss here is a loss there.
    """

    def __init__(self, channels: list[wire.Channel], start: Callable[[], None], room: AnswerRoom) -> None:
        self._channels = channels
        self._start = start
        self._room = room
        self._channel: wire.Channel | None = None
        self._has_files = False
        self._requests = 0

    def start(self) -> wire.Channel:
        """Have a room started, unless one is there; the connection to it."""
        if self._channel is None:
            self._start()
            self._channel = self._channels.pop(0)
        return self._channel

    def expect_files(self) -> None:
        """Have the room started for a question that comes with files."""
        self.start()
        self._has_files = True

    def end_question(self) -> None:
        """End the room if the question came with files. The last one stays: `control.MOST_READERS`."""
        if self._channel is not None and self._has_files and self._channels:
            self._channel.close()
            self._channel, self._has_files = None, False

    def ask(self, operation: str, **fields: Any) -> Any:
        """As `AnswerRoom.ask`; what is wrong with a configuration or a file is a ValueError."""
        if self._room.lost is not None:
            raise self._room.lost
        left = self._room.deadline - time.monotonic()
        if left < 0.005:
            raise TimeUp("no time left for this question")
        channel = self.start()
        self._requests += 1
        buffers: wire.Buffers = []
        node = wire.encode(fields, buffers, _no_reference)
        limit = time.monotonic() + left + GRACE
        try:
            channel.send({"n": self._requests, "op": operation, "fields": node}, buffers, limit)
            header, buffers = channel.receive(limit)
            if type(header.get("n")) is not int or header["n"] != self._requests:
                raise wire.ProtocolError("a reply to another request")
            if "error" in header:
                raise ValueError(outputs.clean_text(header["error"], 500))
            return wire.Decoder(buffers)(header.get("value"))
        except wire.RoomLost as lost:
            self._room.lost = lost
            raise
        except (wire.ProtocolError, MemoryError, RecursionError) as nonsense:
            self._room.lost = wire.RoomLost("crashed", f"{type(nonsense).__name__}: {nonsense}")
            raise self._room.lost from None


def _no_reference(value: Any, _: Callable[[Any], Any]) -> Any:
    raise wire.CannotCross(f"a {type(value).__name__} cannot be given to the reading room")


class Files(Exchange):
    """The files of a test here and those of the student's code next door, under the same relative paths."""

    def __init__(self, room: AnswerRoom, reading: ReadingRoom) -> None:
        self._room, self._reading = room, reading

    def folder(self) -> str:
        """A fresh empty folder in both rooms. The room that reads files is started, so that it is ready by then."""
        self._reading.expect_files()
        name = f"files-{secrets.token_hex(4)}"  # which nobody can have filled beforehand
        os.mkdir(name)
        self.hand_over(name)
        return name

    def hand_over(self, folder: str) -> None:
        """Copy its files to the answer room."""
        files = {name: (Path(folder) / name).read_bytes() for name in sizes(folder)}
        self._room.ask("put", args=(folder, files))

    def listing(self, folder: str) -> dict[str, int]:
        """The sizes of the files there, which the reading room has looked up."""
        return dict(self._ask("listing", folder)["value"])

    def read(self, path: str) -> Any:
        """What is in a file there: plain data, or a `Model`."""
        self._reading.expect_files()
        got = self._ask("read", path)
        if "config" in got:
            weights = got["weights"]
            shapes = [weight.shape for weight in weights]
            return Model(self._reading, got["config"], shapes, lambda: weights, int(got["model"]))
        return got["value"]

    def _ask(self, operation: str, path: str) -> dict[str, Any]:
        got: dict[str, Any] = self._reading.ask(operation, path=path)
        if "missing" in got:
            raise FileNotFoundError(path)
        return got


class Model:
    """A student's Keras model of built-in layers, as a test holds it: data here, built in the reading room.

    Its weights are fetched when they are first needed, and are then what they were at that moment.

    Args:
        reading: where it is built.
        config: its configuration, JSON.
        shapes: of its weights.
        fetch: gives its weights.
        number: of the model in the room that is there, which has built it already.
    """

    def __init__(
        self,
        reading: ReadingRoom,
        config: str,
        shapes: Sequence[Sequence[int]],
        fetch: Callable[[], Any],
        number: int | None = None,
    ) -> None:
        self._reading, self._config, self._fetch = reading, config, fetch
        self._shapes = [tuple(shape) for shape in shapes]
        self._weights: list[Any] | None = None
        self._number = number
        self._filled = number is not None
        self._channel = None if number is None else reading.start()  # to the room that has built it
        self._description: dict[str, Any] | None = None

    def __repr__(self) -> str:
        return "<the student's Keras model>"

    def __call__(self, x: Any, training: bool = False) -> Any:
        """Its output for `x`, as a tensor."""
        return self._ask("call", x=x, training=bool(training))

    def predict(self, x: Any, batch_size: int | None = None, verbose: Any = 0) -> Any:
        """Its output for `x`, as an array."""
        return np.asarray(self._ask("call", x=x, training=False))

    def get_weights(self) -> list[Any]:
        """Copies of its weights, in Keras's order."""
        return [weight.copy() for weight in self._values()]

    def count_params(self) -> int:
        """Number of its parameters, once it has been built."""
        self._build()
        return sum(math.prod(shape) for shape in self._shapes)

    def describe(self) -> list[dict[str, Any]]:
        """Plain data about every layer, as `labkit.models.describe` gives it."""
        return list(self._about()["layers"])

    _describe = describe

    @property
    def layers(self) -> list[types.SimpleNamespace]:
        """Descriptions of its layers, with the keys of `describe()` as attributes."""
        return [types.SimpleNamespace(**layer) for layer in self.describe()]

    @property
    def name(self) -> str:
        """Its name."""
        return str(self._about()["name"])

    @property
    def input_shape(self) -> Any:
        """Shape of its input, None for the batch."""
        return self._about()["input_shape"]

    @property
    def output_shape(self) -> Any:
        """Shape of its output, None for the batch."""
        return self._about()["output_shape"]

    def _about(self) -> dict[str, Any]:
        if self._description is None:
            self._description = self._ask("describe")
        return self._description

    def _ask(self, operation: str, **fields: Any) -> Any:
        number = self._build()
        if operation == "call" and not self._filled:
            self._reading.ask("fill", model=number, weights=self._values())
            self._filled = True
        return self._reading.ask(operation, model=number, **fields)

    def _build(self) -> int:
        """Have it built next door, which checks its shapes; its number there."""
        channel = self._reading.start()
        if self._number is None or self._channel is not channel:
            self._number = int(self._reading.ask("build", config=self._config, shapes=self._shapes))
            self._filled, self._channel = False, channel
        return self._number

    def _values(self) -> list[Any]:
        """Its weights, of the shapes that were announced."""
        if self._weights is None:
            weights = self._fetch()
            if (
                type(weights) is not list
                or not all(isinstance(w, np.ndarray) and w.dtype.kind in "fiu" for w in weights)
                or [w.shape for w in weights] != self._shapes
            ):
                raise wire.CannotCross("malformed weights")
            self._weights = weights
        return self._weights


def _are_shapes(shapes: Any) -> bool:
    return type(shapes) is list and all(
        type(shape) is list and all(type(side) is int and side >= 0 for side in shape) for shape in shapes
    )


# -------------------------------------------------------------------------------------------------- running a test


class Names(dict[str, Any]):
    """The built-ins of our cells: where Python looks last for a name, so here the answer room is asked for it.

    A student can so replace no built-in, and no name that setup or test defines. What is fetched is kept until the next
    test cell.
    """

    def __init__(self, room: AnswerRoom) -> None:
        super().__init__(vars(builtins))
        self._room = room
        self._fetched: dict[str, Any] = {}

    def __missing__(self, name: str) -> Any:
        if name.startswith("__"):
            raise KeyError(name)
        if name not in self._fetched:
            self._fetched[name] = self._room.get(name)
        return self._fetched[name]

    def forget(self) -> None:
        """What was fetched; a later cell may have defined it anew."""
        self._fetched.clear()


class Examiner:
    """Runs our cells with the names of both rooms."""

    def __init__(self, room: AnswerRoom, seed: bytes) -> None:
        self.room = room
        self.seed = seed
        self.names = Names(room)
        self.globals: dict[str, Any] = {
            "__name__": "__examination__",
            "__builtins__": self.names,
            "display": lambda *_, **__: None,
            "get_ipython": lambda: None,
        }

    def run(self, code: types.CodeType | str) -> Exception | None:
        """Run one of our cells, or what is wrong with it; the error that ended it, if one did."""
        if isinstance(code, str):
            return SyntaxError(code)
        try:
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                exec(code, self.globals)
        except Exception as error:
            return error
        return None

    def examine(
        self, cell: dict[str, Any], code: types.CodeType | str, number: int, seconds: float
    ) -> dict[str, Any]:
        """Run a test cell: its question's result."""
        from labkit import checks

        checks.seed(hashlib.sha256(self.seed + cell["id"].encode()).digest())
        self.names.forget()
        self.room.begin(number, seconds)
        before = checks.current()
        error = self.run(code)
        question = checks.current()
        if question is None or question is before or error is not None:
            reason = getattr(error, "reason", "error")
            text = (
                ""
                if error is None or (question is not before and _hidden())
                else f"{type(error).__name__}: {error}"
            )
            result: dict[str, Any] = {"points": 0.0, "status": reason, "misconceptions": [], "message": text}
        else:
            result = question.result().to_dict()
        if self.room.reading is not None:
            self.room.reading.end_question()
        return {"question": result}


def prepare() -> None:
    """In the fork server: what our cells import."""
    from labkit import checks  # noqa: F401


def main(arguments: dict[str, Any], descriptors: list[int]) -> None:
    """Entered in a fresh fork: read what to examine, confine this process, run cell after cell and report each."""
    answer, boss, *reading = (wire.Channel(socket.socket(fileno=descriptor)) for descriptor in descriptors)
    exam, codes = boss.receive()  # the answer room has been forked before: it cannot know this
    settle(arguments["work"])
    sys.modules["keras"].utils.set_random_seed(0)
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
    try:
        walls.confine(
            arguments["read"], [arguments["work"]], memory=arguments["memory"], unsafe=arguments["unsafe"]
        )
        hello, _ = answer.receive(time.monotonic() + 30)
        if "walls" in hello:
            raise walls.WallsMissing(str(hello["walls"]))
    except walls.WallsMissing as error:
        boss.send({"walls": str(error)})
        return
    room = AnswerRoom(answer, exam["cells"])
    room.reading = ReadingRoom(reading, lambda: boss.send({"want": "reading"}), room)
    examiner = Examiner(room, bytes.fromhex(exam["seed"]))
    exchange.use(Files(room, room.reading))
    for number, (cell, code) in enumerate(zip(exam["cells"], marshal.loads(codes[0]), strict=True)):
        began = time.monotonic()
        report = {"cell": number, **_one_cell(examiner, cell, code, number, exam)}
        report |= {"outputs": room.shown, "seconds": round(time.monotonic() - began, 4)}
        if room.lost is not None:
            report["lost"] = [room.lost.reason, str(room.lost)[:200]]
        boss.send(report)
        if room.lost is not None:
            return
    boss.send({"done": True})


def _one_cell(
    examiner: Examiner, cell: dict[str, Any], code: types.CodeType | str, number: int, exam: dict[str, Any]
) -> dict[str, Any]:
    """Do with a cell what its kind asks for."""
    room = examiner.room
    report: dict[str, Any] = {}
    room.shown = []
    if cell["kind"] in ("setup", "answer") and number not in exam["skip"]:
        room.begin(number, exam["cell_seconds"])
        try:
            room.run(number)
        except Exception as error:
            report["error"] = {
                "type": getattr(error, "student_type", type(error).__name__),
                "text": str(error)[:2000],
                "reason": getattr(error, "reason", ""),
                "lines": [list(line) for line in getattr(error, "student_lines", [])],
            }
    if cell["kind"] == "setup":
        room.begin(number, exam["cell_seconds"])
        broken = examiner.run(code)
        if broken is not None:
            report["broken"] = f"{type(broken).__name__}: {broken}"[:500]
    elif cell["kind"] == "test" and number >= exam["start"]:
        report |= examiner.examine(cell, code, number, exam["question_seconds"])
        report["question"] = json.loads(json.dumps(report["question"], default=str)) | {
            "points": _finite(report["question"].get("points"))
        }
    return report


def _finite(points: Any) -> float:
    try:
        number = float(points)
    except (TypeError, ValueError):
        return 0.0
    return number if math.isfinite(number) else 0.0
