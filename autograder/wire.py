"""What crosses between two rooms: JSON and the raw bytes of arrays, never anything that could run.

A frame is the length of its header and the number of its buffers (two little-endian uint32), the header (a JSON
object), and for each buffer its length (uint64) and its bytes. `Channel` carries frames. `encode()` turns a value
into a node of JSON and buffers, `Decoder` turns them back, with exact types.

The decoder reads what an enemy wrote. It allocates no more than a small multiple of what has arrived, it calls nothing
by a name that arrived, and whatever is wrong ends in one of two ways: a broken frame is a `ProtocolError`, after which
nothing from the other side can be believed; a broken value in a whole frame is a `CannotCross`, which concerns that
value alone.

A node is None, a bool, int, finite float or str as itself, a list of nodes, or an object whose "t" names one of the
kinds below. Kinds of one direction only (functions, models) are the business of those who hold the two ends: `encode()`
hands them what it does not know, and `Decoder` the kinds that it does not know.
"""

from __future__ import annotations

import json
import math
import os
import pathlib
import socket
import struct
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

MAX_HEADER = 4 << 20
MAX_BUFFERS = 4096
MAX_BYTES = 64 << 20
MAX_DEPTH = 40
MAX_NODES = 1_000_000
MAX_BITS = 13_000  # of an int: 3,900 digits
MAX_RANGE = 10_000_000
MAX_KEYS = 4096  # of a dict or set, other than str and int: their hashes can be made to collide
MAX_EMPTY = 1 << 20  # product of the other dimensions beside a 0, since a test may run along them
CHUNK = 1 << 20

Node = Any  # what JSON knows
Buffers = list[Any]  # bytes-like


class ProtocolError(Exception):
    """The other side sent something that is no message of ours."""


class CannotCross(Exception):
    """A value without a form in which it could cross. No ValueError or TypeError: a test may expect one of those."""


class RoomLost(Exception):
    """The room at the other end died, hung or talked nonsense.

    Args:
        reason: "crashed" or "timeout".
        detail: what happened, for our own log.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason


# ------------------------------------------------------------------------------------------------------- frames


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key twice")
    return found


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


_PARSE = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant).decode
_WRITE = json.JSONEncoder(allow_nan=False, separators=(",", ":"), ensure_ascii=True).encode


def pack_frame(header: dict[str, Any], buffers: Sequence[Any] = ()) -> list[Any]:
    """The pieces to send, one after the other.

    Raises:
        CannotCross: if they are too large, or the header holds what JSON does not.
    """
    try:
        head = _WRITE(header).encode()
    except (ValueError, TypeError, RecursionError) as error:
        raise CannotCross(f"not to be written as JSON: {error}") from None
    views = [memoryview(b).cast("B") if memoryview(b).nbytes else memoryview(b"") for b in buffers]
    if len(head) > MAX_HEADER or len(views) > MAX_BUFFERS or sum(v.nbytes for v in views) > MAX_BYTES:
        raise CannotCross(
            f"too large to cross: at most {MAX_HEADER >> 20} MiB of text, {MAX_BYTES >> 20} MiB of arrays"
        )
    pieces: list[Any] = [bytearray(struct.pack("<II", len(head), len(views)) + head)]
    for view in views:
        pieces[-1] += struct.pack("<Q", view.nbytes)
        if view.nbytes < 65_536:  # small ones go out together
            pieces[-1] += view
        else:
            pieces += [view, bytearray()]
    return pieces


class Channel:
    """One end of a connection between two rooms."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock

    def send(
        self, header: dict[str, Any], buffers: Sequence[Any] = (), deadline: float | None = None
    ) -> None:
        """Send a frame.

        Raises:
            CannotCross: if it is too large; nothing has been sent.
            RoomLost: if nobody takes it before `deadline` (of `time.monotonic()`).
        """
        for piece in pack_frame(header, buffers):
            view = memoryview(piece)
            while view.nbytes:
                self._patience(deadline)
                try:
                    sent = self.socket.send(view)
                except TimeoutError:
                    raise RoomLost("timeout") from None
                except OSError as error:
                    raise RoomLost("crashed", str(error)) from None
                view = view[sent:]

    def receive(self, deadline: float | None = None) -> tuple[dict[str, Any], Buffers]:
        """Receive a frame: its header and its buffers, which are bytearrays.

        Raises:
            ProtocolError: if it is none.
            RoomLost: if the other side hung up, or it did not come before `deadline`.
        """
        length, count = struct.unpack("<II", self._exactly(8, deadline))
        if length > MAX_HEADER or count > MAX_BUFFERS:
            raise ProtocolError("a frame too large")
        try:
            header = _PARSE(self._exactly(length, deadline).decode())
        except (ValueError, RecursionError) as error:
            raise ProtocolError(f"no JSON: {type(error).__name__}") from None
        if not isinstance(header, dict):
            raise ProtocolError("no JSON object")
        buffers: Buffers = []
        total = 0
        for _ in range(count):
            (size,) = struct.unpack("<Q", self._exactly(8, deadline))
            total += size
            if total > MAX_BYTES:
                raise ProtocolError("a frame too large")
            buffers.append(self._exactly(size, deadline))
        return header, buffers

    def close(self) -> None:
        """Hang up."""
        self.socket.close()

    def _exactly(self, number: int, deadline: float | None) -> bytearray:
        """Read so many bytes; memory is taken as they come, not as they are promised."""
        got = bytearray()
        while len(got) < number:
            at = len(got)
            got += bytes(min(number - at, max(CHUNK, at)))
            with memoryview(got) as whole:
                while at < len(got):
                    self._patience(deadline)
                    try:
                        received = self.socket.recv_into(whole[at:])
                    except TimeoutError:
                        raise RoomLost("timeout") from None
                    except OSError as error:
                        raise RoomLost("crashed", str(error)) from None
                    if not received:
                        raise RoomLost("crashed", "connection closed")
                    at += received
        return got

    def _patience(self, deadline: float | None) -> None:
        if deadline is None:
            self.socket.settimeout(None)
            return
        left = deadline - time.monotonic()
        if left <= 0:
            raise RoomLost("timeout")
        self.socket.settimeout(left)


# ------------------------------------------------------------------------------------------------- value to node

_ARRAY_TYPES = {
    code: np.dtype(code)
    for code in (
        "|b1",
        "|i1",
        "|u1",
        *(f"<{k}{n}" for k, n in zip("iiiuuufffcc", (2, 4, 8) * 3 + (8, 16), strict=True)),
    )
}
_WIDER = {"g": np.dtype("<f8"), "G": np.dtype("<c16")}  # long double and its complex have no common form

Foreign = Callable[[Any, Callable[[Any], Node]], Node]


class Record(tuple[Any, ...]):
    """A named tuple as it crosses: a tuple whose items also have names."""

    names: tuple[str, ...]

    def __new__(cls, names: Sequence[str], values: Sequence[Any]) -> Record:
        """Of as many names as values."""
        record = super().__new__(cls, values)
        record.names = tuple(names)
        return record

    def __getattr__(self, name: str) -> Any:
        if name != "names" and name in self.names:
            return self[self.names.index(name)]
        raise AttributeError(name)


def encode(value: Any, buffers: Buffers, foreign: Foreign, depth: int = 0) -> Node:
    """The node that stands for `value`; the bytes of its arrays are appended to `buffers`.

    Subclasses cross as what they extend. `foreign(value, encode)` gives the node of a value that is no data.

    Raises:
        CannotCross: if it is too deep, or `foreign` does not know it either.
    """
    if depth > MAX_DEPTH:
        raise CannotCross("nested too deeply to cross")

    def inner(item: Any) -> Node:
        return encode(item, buffers, foreign, depth + 1)

    def put(data: Any) -> int:
        buffers.append(data)
        return len(buffers) - 1

    if value is None or value is True or value is False:
        return value
    if isinstance(value, np.ndarray | np.generic):
        return _encode_array(value, put, inner, foreign)
    if isinstance(value, int):
        number = int(value)
        if number.bit_length() > MAX_BITS:
            raise CannotCross(f"an int of more than {MAX_BITS} bits")
        return number
    if isinstance(value, float):
        number_ = float(value)
        return number_ if math.isfinite(number_) else {"t": "float", "v": repr(number_)}
    if isinstance(value, str):
        return str(value)
    if isinstance(value, complex):
        return {"t": "complex", "v": [inner(value.real), inner(value.imag)]}
    if isinstance(value, bytes | bytearray):
        return {"t": "bytes", "b": put(bytes(value))}
    if isinstance(value, list):
        return [inner(item) for item in value]
    if isinstance(value, tuple):
        items = [inner(item) for item in value]
        names = getattr(value, "names" if isinstance(value, Record) else "_fields", None)
        if isinstance(names, tuple) and len(names) == len(items) and all(isinstance(n, str) for n in names):
            return {"t": "record", "n": list(names), "v": items}
        return {"t": "tuple", "v": items}
    if isinstance(value, set | frozenset):
        return {"t": "set" if isinstance(value, set) else "frozenset", "v": [inner(item) for item in value]}
    if isinstance(value, dict):
        return {"t": "dict", "v": [[inner(key), inner(item)] for key, item in value.items()]}
    if isinstance(value, range):
        return {"t": "range", "v": [value.start, value.stop, value.step]}
    if isinstance(value, slice):
        return {"t": "slice", "v": [inner(value.start), inner(value.stop), inner(value.step)]}
    if value is Ellipsis:
        return {"t": "ellipsis"}
    if isinstance(value, np.dtype):
        code = value.newbyteorder("<").str
        return {"t": "dtype", "v": code} if code in _ARRAY_TYPES else foreign(value, inner)
    if isinstance(value, os.PathLike):
        return {"t": "path", "v": os.fsdecode(value)}
    if type(value).__module__.partition(".")[0] in ("tensorflow", "keras"):
        return _encode_tensor(value, inner, foreign)
    return foreign(value, inner)


def _encode_array(
    value: Any, put: Callable[[Any], int], inner: Callable[[Any], Node], foreign: Foreign
) -> Node:
    array = np.asarray(value)
    array = array.astype(_WIDER[array.dtype.char]) if array.dtype.char in _WIDER else array
    is_scalar = isinstance(value, np.generic)
    code, data = array.dtype.newbyteorder("<").str, None
    if array.dtype.name == "bfloat16":
        code, data = "bfloat16", np.ascontiguousarray(array).view("<u2")
    elif code in _ARRAY_TYPES:
        data = np.ascontiguousarray(array.astype(_ARRAY_TYPES[code], copy=False))
    if data is not None and is_scalar:  # in the text: there may be many, and few buffers cross
        return {"t": "scalar", "d": code, "v": data.tobytes().hex()}
    if data is not None:
        return {"t": "array", "d": code, "s": list(np.shape(value)), "b": put(data)}
    if array.dtype.kind in "OUS" and not is_scalar:
        return {"t": "items", "s": list(array.shape), "v": [inner(item) for item in array.ravel().tolist()]}
    if array.dtype.kind in "US":
        return inner(value.item())
    return foreign(value, inner)


def _encode_tensor(value: Any, inner: Callable[[Any], Node], foreign: Foreign) -> Node:
    import tensorflow as tf

    if isinstance(value, tf.TensorShape):
        return inner(None if value.rank is None else tuple(value.as_list()))
    if isinstance(value, tf.DType):
        return {"t": "tfdtype", "v": value.name}
    keras = sys.modules.get("keras")
    if isinstance(value, tf.Tensor | tf.Variable) or (keras and isinstance(value, keras.Variable)):
        try:
            array = value.numpy()
        except (AttributeError, NotImplementedError, ValueError):  # it belongs to a graph and has no value
            return foreign(value, inner)
        node = inner(np.asarray(array, dtype=object if isinstance(array, bytes) else None))
        return {"t": "tensor", "v": node} if isinstance(value, tf.Tensor) else node
    return foreign(value, inner)


# ------------------------------------------------------------------------------------------------- node to value

Special = Callable[[str, dict[str, Any], Callable[[Node], Any]], Any]


def no_special(kind: str, node: dict[str, Any], decode: Callable[[Node], Any]) -> Any:
    """For a `Decoder` of data alone."""
    raise CannotCross(f"an unknown kind of value: {kind[:40]!r}")


def clean_text(text: Any, most: int) -> str:
    """A str of at most `most` characters that can be written as UTF-8.

    Raises:
        CannotCross: if it is none.
    """
    if type(text) is not str or not (text.isascii() or _is_unicode(text)):
        raise CannotCross("malformed text")
    return text[:most]


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # half a character
        return False
    return True


class Decoder:
    """Turns the nodes of one frame into values. Every buffer is used by one value, every size is looked at first.

    Args:
        buffers: the frame's buffers.
        special: `special(kind, node, decode)` makes the values of other kinds.
    """

    _FIELDS: ClassVar[dict[str, str]] = {
        "float": "v", "complex": "v", "bytes": "b", "tuple": "v", "record": "nv", "set": "v", "frozenset": "v",
        "dict": "v", "range": "v", "slice": "v", "ellipsis": "", "array": "dsb", "scalar": "dv", "items": "sv",
        "dtype": "v", "tfdtype": "v", "path": "v", "tensor": "v",
    }  # fmt: skip

    def __init__(self, buffers: Buffers, special: Special = no_special) -> None:
        self._buffers: list[Any] = list(buffers)
        self._special = special
        self._nodes = 0
        self._depth = 0

    def __call__(self, node: Node) -> Any:
        """The value.

        Raises:
            CannotCross: whatever is wrong with it.
        """
        self._nodes += 1
        if self._nodes > MAX_NODES or self._depth > MAX_DEPTH:
            raise CannotCross("too many or too deeply nested values")
        kind = type(node)
        if node is None or kind is bool:
            return node
        if kind is int:
            if node.bit_length() > MAX_BITS:
                raise CannotCross(f"an int of more than {MAX_BITS} bits")
            return node
        if kind is str:
            return clean_text(node, len(node))
        if kind is float:
            if not math.isfinite(node):
                raise CannotCross("malformed float")
            return node
        self._depth += 1
        try:
            if kind is list:
                return [self(item) for item in node]
            return self._object(node)
        except CannotCross:
            raise
        except (
            ValueError,
            TypeError,
            KeyError,
            IndexError,
            OverflowError,
            AttributeError,
            RecursionError,
        ) as error:
            raise CannotCross(f"malformed value: {type(error).__name__}") from None
        finally:
            self._depth -= 1

    def _object(self, node: Any) -> Any:
        if type(node) is not dict or type(node.get("t")) is not str:
            raise CannotCross("malformed value")
        kind = node["t"]
        if kind not in self._FIELDS:
            return self._special(kind, node, self)
        if set(node) != {"t", *self._FIELDS[kind]}:
            raise CannotCross(f"malformed {kind}")
        return getattr(self, "_" + kind)(node)

    def _list(self, nodes: Any, length: int | None = None) -> list[Any]:
        if type(nodes) is not list or (length is not None and len(nodes) != length):
            raise CannotCross("malformed value")
        return [self(node) for node in nodes]

    def _ints(self, nodes: Any) -> list[int]:
        if type(nodes) is not list or not all(type(n) is int for n in nodes):
            raise CannotCross("malformed numbers")
        return nodes

    def _take(self, node: dict[str, Any]) -> Any:
        index = node["b"]
        if type(index) is not int or not 0 <= index < len(self._buffers) or self._buffers[index] is None:
            raise CannotCross("malformed buffer")
        taken, self._buffers[index] = self._buffers[index], None
        return taken

    def _shape(self, node: dict[str, Any]) -> list[int]:
        shape = self._ints(node["s"])
        if len(shape) > 32 or min(shape, default=0) < 0:
            raise CannotCross("malformed shape")
        if math.prod(n for n in shape if n) > (MAX_EMPTY if 0 in shape else MAX_BYTES):
            raise CannotCross("malformed shape")
        return shape

    def _float(self, node: dict[str, Any]) -> float:
        if node["v"] not in ("nan", "inf", "-inf"):
            raise CannotCross("malformed float")
        return float(node["v"])

    def _complex(self, node: dict[str, Any]) -> complex:
        real, imaginary = self._list(node["v"], 2)
        if type(real) is not float or type(imaginary) is not float:
            raise CannotCross("malformed complex")
        return complex(real, imaginary)

    def _bytes(self, node: dict[str, Any]) -> bytes:
        return bytes(self._take(node))

    def _tuple(self, node: dict[str, Any]) -> tuple[Any, ...]:
        return tuple(self._list(node["v"]))

    def _record(self, node: dict[str, Any]) -> Record:
        names = node["n"]
        values = self._list(node["v"], len(names))
        if type(names) is not list or not all(
            type(n) is str and n.isidentifier() and n[0] != "_" for n in names
        ):
            raise CannotCross("malformed record")
        return Record([clean_text(name, 80) for name in names], values)

    def _keys(self, keys: list[Any]) -> list[Any]:
        """Keys that can be hashed in short time, whoever chose them."""
        plain = sum(
            type(key) is str or (type(key) is int and -sys.hash_info.modulus < key < sys.hash_info.modulus)
            for key in keys
        )
        if len(keys) - plain > MAX_KEYS:
            raise CannotCross(f"more than {MAX_KEYS} keys that are neither text nor small numbers")
        return keys

    def _set(self, node: dict[str, Any]) -> set[Any]:
        return set(self._keys(self._list(node["v"])))

    def _frozenset(self, node: dict[str, Any]) -> frozenset[Any]:
        return frozenset(self._keys(self._list(node["v"])))

    def _dict(self, node: dict[str, Any]) -> dict[Any, Any]:
        if type(node["v"]) is not list or not all(
            type(pair) is list and len(pair) == 2 for pair in node["v"]
        ):
            raise CannotCross("malformed dict")
        keys = self._keys([self(key) for key, _ in node["v"]])
        found = dict(zip(keys, [self(item) for _, item in node["v"]], strict=True))
        if len(found) != len(keys):
            raise CannotCross("a key twice")
        return found

    def _range(self, node: dict[str, Any]) -> range:
        start, stop, step = self._ints(node["v"])
        found = range(start, stop, step)
        if len(found) > MAX_RANGE:
            raise CannotCross("too long a range")
        return found

    def _slice(self, node: dict[str, Any]) -> slice:
        return slice(*self._list(node["v"], 3))

    def _ellipsis(self, node: dict[str, Any]) -> Any:
        return Ellipsis

    def _array(self, node: dict[str, Any]) -> Any:
        return self._numbers(node["d"], self._shape(node), self._take(node))

    def _scalar(self, node: dict[str, Any]) -> Any:
        return self._numbers(node["d"], [], bytes.fromhex(node["v"]))[()]

    def _numbers(self, code: str, shape: list[int], buffer: Any) -> Any:
        brain = code == "bfloat16"
        dtype = np.dtype("<u2") if brain else _ARRAY_TYPES[code]
        if math.prod(shape) * dtype.itemsize != len(buffer):
            raise CannotCross("an array unlike its buffer")
        if dtype.kind == "b" and len(buffer) and np.frombuffer(buffer, "|u1").max() > 1:
            raise CannotCross("malformed array of booleans")
        array = np.frombuffer(buffer, dtype) if len(buffer) else np.empty(0, dtype)
        if brain:
            import ml_dtypes

            array = array.view(ml_dtypes.bfloat16)
        return array.reshape(shape)

    def _items(self, node: dict[str, Any]) -> Any:
        shape, values = self._shape(node), self._list(node["v"])
        if math.prod(shape) != len(values):
            raise CannotCross("an array unlike its items")
        for text in (str, bytes):
            if values and all(type(value) is text for value in values):
                if 4 * len(values) * max(len(value) for value in values) > MAX_BYTES:
                    raise CannotCross("too large an array of texts")
                return np.array(values).reshape(shape)
        array = np.empty(len(values), object)
        for index, value in enumerate(values):
            array[index] = value
        return array.reshape(shape)

    def _dtype(self, node: dict[str, Any]) -> Any:
        return _ARRAY_TYPES[node["v"]]

    def _tfdtype(self, node: dict[str, Any]) -> Any:
        import tensorflow as tf

        return tf.as_dtype(clean_text(node["v"], 40))

    def _path(self, node: dict[str, Any]) -> pathlib.PurePosixPath:
        return pathlib.PurePosixPath(clean_text(node["v"], 4096))

    def _tensor(self, node: dict[str, Any]) -> Any:
        import tensorflow as tf

        inner = node["v"]
        if type(inner) is not dict or inner.get("t") not in ("array", "items"):
            raise CannotCross("malformed tensor")
        array = self(inner)
        try:
            return tf.constant(array)
        except Exception as error:  # TensorFlow's own kinds too
            raise CannotCross(f"malformed tensor: {type(error).__name__}") from None
