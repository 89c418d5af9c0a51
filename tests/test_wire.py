"""What may cross between two rooms comes back as it was; what may not ends in a clean refusal, in little memory."""

from __future__ import annotations

import collections
import contextlib
import json
import math
import pathlib
import random
import resource
import socket
import struct
import threading
import time
import tracemalloc
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograder import wire
from autograder.wire import CannotCross, Channel, Decoder, ProtocolError, Record, RoomLost, encode
from tests.classroom import examples


def refuse(value: object, _: object) -> None:
    raise CannotCross(f"a {type(value).__name__} cannot cross")


def frame(header: dict[str, Any], buffers: list[Any]) -> bytes:
    return b"".join(bytes(piece) for piece in wire.pack_frame(header, buffers))


@pytest.fixture
def ends() -> Iterator[tuple[Channel, Channel]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Channel(ours), Channel(theirs)


def receive(message: bytes) -> tuple[dict[str, Any], list[Any]]:
    """What a room sees when the other sends these bytes and hangs up."""
    ours, theirs = socket.socketpair()
    with ours, theirs:

        def write() -> None:
            with contextlib.suppress(OSError):  # it hung up on us
                theirs.sendall(message)
            theirs.close()

        writer = threading.Thread(target=write)
        writer.start()
        try:
            return Channel(ours).receive(time.monotonic() + 20)
        finally:
            ours.close()
            writer.join()


def cross(value: Any) -> Any:
    buffers: list[Any] = []
    node = encode(value, buffers, refuse)
    header, buffers = receive(frame({"value": node}, buffers))
    return Decoder(buffers)(header["value"])


def same(a: Any, b: Any) -> bool:
    """Equal, of the same exact type, all the way down; NaN equals NaN."""
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray | np.generic):
        if a.dtype != b.dtype or np.shape(a) != np.shape(b):
            return False
        if a.dtype == object:
            return all(same(x, y) for x, y in zip(a.ravel(), b.ravel(), strict=True))
        return np.asarray(a).tobytes() == np.asarray(b).tobytes()
    if isinstance(a, float):
        return struct.pack("d", a) == struct.pack("d", b) or (math.isnan(a) and math.isnan(b))
    if isinstance(a, complex):
        return same(a.real, b.real) and same(a.imag, b.imag)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    return bool(a == b)


texts = st.text(st.characters(codec="utf-8"), max_size=20)
atoms = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(2**12_000), 2**12_000)
    | st.floats()
    | st.complex_numbers()
    | texts
    | st.binary(max_size=40)
    | st.just(Ellipsis)
    | st.builds(range, st.integers(-100, 100), st.integers(-100, 100), st.integers(1, 9))
    | st.builds(slice, st.none() | st.integers(), st.none() | st.integers(), st.none() | st.integers())
    | texts.map(pathlib.PurePosixPath)
)
dtypes = st.sampled_from(sorted(wire._ARRAY_TYPES)).map(np.dtype)
shapes = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
arrays = dtypes.flatmap(lambda dtype: hnp.arrays(dtype, shapes)) | hnp.arrays(
    object, shapes, elements=texts | st.integers()
).filter(lambda a: a.dtype == object and (a.size == 0 or not all(type(x) is str for x in a.ravel())))
scalars = dtypes.flatmap(lambda dtype: hnp.arrays(dtype, ())).map(lambda a: a[()])
hashable = st.recursive(
    st.booleans() | st.integers() | texts | st.binary(max_size=9), lambda s: st.tuples(s, s), max_leaves=4
)
values = st.recursive(
    atoms | arrays | scalars | dtypes,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(hashable, inner, max_size=4)
        | st.sets(hashable, max_size=4)
        | st.frozensets(hashable, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=examples(4000), deadline=None, suppress_health_check=list(HealthCheck))
@given(values)
def test_what_may_cross_comes_back_as_it_was(value: Any) -> None:
    assert same(cross(value), value)


def test_many_numpy_scalars_cross_in_a_list() -> None:
    many = [[np.float64(i), np.bool_(i % 2)] for i in range(wire.MAX_BUFFERS)]
    assert same(cross(many), many)


def test_what_crosses_as_something_else() -> None:
    Point = collections.namedtuple("Point", "x y")

    class Mine(float):
        def __eq__(self, other: object) -> bool:
            return True

        __hash__ = None  # type: ignore[assignment]

    assert type(cross(Mine(2))) is float
    assert type(cross(collections.Counter("aab"))) is dict
    got = cross(Point(1, [2]))
    assert isinstance(got, Record)
    assert (got, got.x, got.y) == ((1, [2]), 1, [2])
    with pytest.raises(AttributeError):
        _ = got.z
    assert type(cross(np.ma.array([[1, 2]], mask=[[0, 1]]))) is np.ndarray
    assert cross(np.longdouble(0.5)).dtype == np.float64
    assert same(cross(np.arange(6, dtype=">i4").reshape(2, 3).T), np.arange(6, dtype="<i4").reshape(2, 3).T)
    assert same(cross(np.array(["a", "bcd"])), np.array(["a", "bcd"]))
    assert cross(np.array([b"x"])).tolist() == [b"x"]
    assert same(cross(np.str_("x")), "x")
    assert cross(np.array([[1, None], ["a", 2.5]], object)).tolist() == [[1, None], ["a", 2.5]]
    writable = cross(np.zeros(3))
    writable += 1


def test_tensors_stay_tensors() -> None:
    tf = pytest.importorskip("tensorflow")
    for tensor in (
        tf.constant([[1.0, 2.0]]),
        tf.constant(3),
        tf.constant(True),
        tf.constant([1.5], tf.bfloat16),
        tf.constant("text"),
        tf.constant(["a", "b"]),
        tf.zeros((0, 3)),
    ):
        got = cross(tensor)
        assert (got.dtype, got.shape) == (tensor.dtype, tensor.shape)
        assert np.array_equal(got.numpy(), tensor.numpy())
    assert same(cross(tf.Variable([1.0])), np.array([1.0], np.float32))
    assert cross(tf.TensorShape([None, 3])) == (None, 3)
    assert cross(tf.TensorShape(None)) is None
    assert cross(tf.float32) is tf.float32
    with tf.Graph().as_default():
        symbolic = tf.constant(1.0)
    with pytest.raises(CannotCross):
        cross(symbolic)


@pytest.mark.parametrize(
    "value",
    [
        object(),
        lambda: 0,
        2**20_000,
        np.zeros(1, "M8[s]"),
        np.zeros(1, [("a", "i4")]),
        b"x" * (65 << 20),
        [b""] * 5000,
    ],
    ids=["object", "function", "int", "dates", "fields", "bytes", "buffers"],
)
def test_what_may_not_cross_says_so(value: Any) -> None:
    with pytest.raises(CannotCross):
        cross(value)


def test_cycles_and_half_characters_say_so() -> None:
    cycle: list[Any] = []
    cycle.append(cycle)
    with pytest.raises(CannotCross, match="deeply"):
        cross(cycle)
    with pytest.raises(CannotCross, match="text"):
        cross("\ud800")


NODES = {
    "zero-stride": {"t": "array", "d": "<f8", "s": [1 << 40, 0], "b": 0},
    "many dimensions": {"t": "array", "d": "<f8", "s": [1] * 70, "b": 0},
    "huge": {"t": "array", "d": "<f8", "s": [1 << 40], "b": 0},
    "negative": {"t": "array", "d": "<f8", "s": [-1, -1], "b": 0},
    "overflowing": {"t": "array", "d": "<f8", "s": [1 << 32, 1 << 32], "b": 0},
    "float shape": {"t": "array", "d": "<f8", "s": [0.0], "b": 0},
    "bool shape": {"t": "array", "d": "<f8", "s": [False], "b": 0},
    "objects": {"t": "array", "d": "|O", "s": [0], "b": 0},
    "void": {"t": "array", "d": "|V8", "s": [0], "b": 0},
    "huge item": {"t": "array", "d": "<U99999999", "s": [0], "b": 0},
    "dtype list": {"t": "array", "d": ["<f8"], "s": [0], "b": 0},
    "no such buffer": {"t": "array", "d": "<f8", "s": [0], "b": 1},
    "last buffer": {"t": "array", "d": "<f8", "s": [0], "b": -1},
    "buffer twice": [{"t": "bytes", "b": 0}, {"t": "bytes", "b": 0}],
    "items": {"t": "items", "s": [1 << 40, 0], "v": []},
    "wide texts": {"t": "items", "s": [2000], "v": ["x"] * 1999 + ["x" * 100_000]},
    "scalar with shape": {"t": "scalar", "d": "<f8", "s": [0], "v": "0000000000000000"},
    "scalar too short": {"t": "scalar", "d": "<f8", "v": "00000000"},
    "scalar of no digits": {"t": "scalar", "d": "<f8", "v": "000000000000000g"},
    "scalar that is none": {"t": "scalar", "d": "<f8", "v": 0},
    "scalar true beyond 1": {"t": "scalar", "d": "|b1", "v": "02"},
    "range": {"t": "range", "v": [0, 1 << 60, 1]},
    "range step": {"t": "range", "v": [0, 1, 0]},
    "range float": {"t": "range", "v": [0, 1.0, 1]},
    "nan in words": {"t": "float", "v": "1" * 4000},
    "complex text": {"t": "complex", "v": ["1", "2"]},
    "dict pairs": {"t": "dict", "v": [[1]]},
    "dict twice": {"t": "dict", "v": [[1, 1], [1, 2]]},
    "unhashable": {"t": "dict", "v": [[[], 1]]},
    "unhashable set": {"t": "set", "v": [[]]},
    "record names": {"t": "record", "n": ["a", "__class__"], "v": [1, 2]},
    "record lengths": {"t": "record", "n": ["a"], "v": [1, 2]},
    "record text": {"t": "record", "n": "ab", "v": [1, 2]},
    "unknown": {"t": "pickle", "v": "x"},
    "dunder": {"t": "_list", "v": []},
    "no kind": {"v": 1},
    "kind list": {"t": []},
    "more fields": {"t": "tuple", "v": [], "x": 1},
    "fewer fields": {"t": "tuple"},
    "tuple text": {"t": "tuple", "v": "abc"},
    "surrogate": "\ud800",
    "path": {"t": "path", "v": "\udfff"},
    "dtype": {"t": "dtype", "v": "O"},
    "tensor of text": {"t": "tensor", "v": "x"},
    "tensor of anything": {"t": "tensor", "v": {"t": "items", "s": [2], "v": [None, 1]}},
    "tf dtype": {"t": "tfdtype", "v": "resource_of_mine"},
    "big int": 10**3999,
    "colliding": {"t": "set", "v": [i * (2**61 - 1) for i in range(50_000)]},
    "colliding keys": {"t": "dict", "v": [[i * (2**61 - 1), 0] for i in range(50_000)]},
    "many": [[]] * 1_000_001,
}


@pytest.mark.parametrize("name", NODES)
def test_bad_value_is_refused_in_little_memory(name: str) -> None:
    message = frame({"value": NODES[name]}, [b""])
    if name == "many":  # slow to trace, and no more than text of its length can hold
        with pytest.raises(CannotCross, match="many"):
            Decoder([])(NODES[name])
        return
    tracemalloc.start()
    try:
        began = time.monotonic()
        header, buffers = receive(message)
        with pytest.raises(CannotCross):
            Decoder(buffers)(header["value"])
        assert time.monotonic() - began < 10
        assert tracemalloc.get_traced_memory()[1] < 20 << 20
    finally:
        tracemalloc.stop()


def raw(text: str, length: int | None = None, buffers: int = 0, tail: bytes = b"") -> bytes:
    data = text.encode()
    return struct.pack("<II", len(data) if length is None else length, buffers) + data + tail


FRAMES = {
    "nan": raw('{"value": NaN}'),
    "infinity": raw('{"value": -Infinity}'),
    "key twice": raw('{"value": 1, "value": 2}'),
    "inner key twice": raw('{"value": {"t": "tuple", "t": "set", "v": []}}'),
    "deep": raw("[" * 100_000),
    "deep objects": raw('{"a":' * 50_000),
    "int of many digits": raw('{"value": ' + "9" * 5000 + "}"),
    "list": raw("[]"),
    "text": raw('"x"'),
    "nothing": raw(""),
    "not UTF-8": struct.pack("<II", 2, 0) + b"\xff\xff",
    "too long": raw("{}", length=1 << 31),
    "too many buffers": raw("{}", buffers=1 << 31),
    "too large a buffer": raw("{}", buffers=1, tail=struct.pack("<Q", 1 << 62)),
    "large together": raw("{}", buffers=3, tail=struct.pack("<Q", 0) * 2 + struct.pack("<Q", (64 << 20) + 1)),
}


@pytest.mark.parametrize("name", FRAMES)
def test_bad_frame_is_refused(name: str) -> None:
    with pytest.raises(ProtocolError):
        receive(FRAMES[name])


def test_overflowing_float_is_refused() -> None:
    header, buffers = receive(raw('{"value": 1e999}'))
    with pytest.raises(CannotCross):
        Decoder(buffers)(header["value"])


@pytest.mark.parametrize(
    "promise", [raw("{}", length=4 << 20), raw("{}", buffers=1, tail=struct.pack("<Q", 64 << 20))]
)
def test_promises_take_no_memory(promise: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(RoomLost, match="closed"):
            receive(promise)
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


def test_silence_ends_at_the_deadline(ends: tuple[Channel, Channel]) -> None:
    ours, theirs = ends
    theirs.socket.send(b"\x02")
    began = time.monotonic()
    with pytest.raises(RoomLost, match="timeout"):
        ours.receive(began + 0.1)
    with pytest.raises(RoomLost, match="timeout"):
        ours.send({}, [bytes(8 << 20)], time.monotonic() + 0.1)
    assert time.monotonic() - began < 1


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 5 << 20])
def test_buffers_of_any_size(size: int) -> None:
    header, buffers = receive(frame({"n": 1}, [bytes(size), b"z"]))
    assert (header, [len(b) for b in buffers], bytes(buffers[1])) == ({"n": 1}, [size, 1], b"z")


def mutate(message: bytes, rng: random.Random) -> bytes:
    data = bytearray(message)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(data) + 1)
        kind = rng.randrange(5)
        if kind == 0 and at < len(data):
            data[at] = rng.randrange(256)
        elif kind == 1:
            data[at:at] = rng.choice(
                [b"[", b"{", b"0", b'"t":', b'"array"', b"-", b"9" * 50, b"\xff", b"null", b"]", b"}"]
            )
        elif kind == 2:
            del data[at : at + rng.randrange(1, 9)]
        elif kind == 3 and len(data) >= 8:
            struct.pack_into(
                "<I", data, rng.choice([0, 4]), rng.choice([0, 1, 2**31, len(data), rng.randrange(4096)])
            )
        else:
            data[at:at] = data[: rng.randrange(40)]
        if not data:
            data = bytearray(b"\0")
    return bytes(data)


def samples() -> list[bytes]:
    made = []
    for value in (
        [1, 2.5, "text", None, True],
        {"a": np.arange(6.0).reshape(2, 3), (1, 2): {3, 4}},
        np.float32(1),
        1 + 2j,
        [np.zeros((2, 0)), b"bytes", range(5), slice(1, None)],
        Record(["a"], [1]),
        np.array(["a", "b"]),
        [float("nan"), Ellipsis, np.dtype("f4"), pathlib.PurePosixPath("a/b")],
    ):
        buffers: list[Any] = []
        made.append(frame({"n": 7, "value": encode(value, buffers, refuse)}, buffers))
    return made


@pytest.mark.parametrize("number", [500, pytest.param(5000, marks=pytest.mark.proof)])
def test_mutated_messages_end_in_a_refusal_or_a_value(number: int) -> None:
    rng, made = random.Random(number), samples()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(number):
        message = mutate(rng.choice(made), rng) if rng.random() < 0.9 else rng.randbytes(rng.randrange(200))
        try:
            header, buffers = receive(message)
            Decoder(buffers)(header.get("value"))
        except (ProtocolError, RoomLost, CannotCross):
            pass
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 << 10


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=6)
    | st.sampled_from(sorted(Decoder._FIELDS)),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from("tvsdbn"), inner, max_size=4)
        | st.builds(
            lambda k, v: {"t": k, **dict.fromkeys(Decoder._FIELDS[k], v)},
            st.sampled_from(sorted(Decoder._FIELDS)),
            inner,
        )
    ),
    max_leaves=10,
)


@settings(max_examples=examples(5000), deadline=None, suppress_health_check=list(HealthCheck))
@given(json_values)
def test_any_json_is_a_value_or_a_refusal(node: Any) -> None:
    with contextlib.suppress(CannotCross):
        Decoder([b"", bytearray(8), b"x"])(json.loads(json.dumps(node)))
