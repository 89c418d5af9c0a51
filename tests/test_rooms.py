"""The rooms together: the kinds of value that labs exchange, rooms that are lost, and what may not be seen."""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograder import walls
from autograder.rooms import control, models, outputs
from autograder.rooms.control import Limits, examine
from labkit.forkserver import Ending, Server

pytestmark = pytest.mark.skipif(not walls.landlock_abi(), reason="this kernel has no Landlock")

SETUP = """
import numpy as np
import tensorflow as tf
import keras
from collections import Counter, OrderedDict, defaultdict, namedtuple
from dataclasses import dataclass
from labkit import check
"""
QUICK = Limits(cell_seconds=4, question_seconds=4, notebook_seconds=60)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server.start() as running:
        yield running


def setup(source: str = SETUP) -> dict[str, Any]:
    return {"id": "setup", "kind": "setup", "source": source}


def answer(name: str, source: str) -> dict[str, Any]:
    return {"id": name, "kind": "answer", "source": source}


def question_cell(name: str, checks: str, points: float = 1) -> dict[str, Any]:
    source = f'q = check.question("{name}", points={points})\n{checks}\nq.score()'
    return {"id": f"test-{name}", "kind": "test", "source": source, "points": points}


def one(server: Server, source: str, checks: str, **more: Any) -> dict[str, Any]:
    """The result of a notebook of one answer and one test."""
    return examine(server, [setup(), answer("a", source), question_cell("a", checks)], limits=QUICK, **more)


VALUES = {
    "callback": (
        "def descend(grad, w, n):\n    for _ in range(n): w = w - 0.1*grad(w)\n    return w",
        "descend(lambda w: 2*w, np.array([1.0, -1.0]), 2)",
        [0.64, -0.64],
    ),
    "callback that raises": (
        "def f(g):\n    try: return g(1.0)\n    except RuntimeError as e: return str(e)",
        "f(lambda w: 1/0)",
        "ZeroDivisionError: division by zero",
    ),
    "callback that calls the student's": (
        "def apply(h, x): return h(x)\ndef sq(x): return x*x",
        "apply(lambda x: sq(x) + 1, 3)",
        10,
    ),
    "student's function given to student's": (
        "def apply(h, x): return h(x)\ndef sq(x): return x*x",
        "apply(sq, 3)",
        9,
    ),
    "callback kept by an object": (
        "class Opt:\n    def __init__(s, g): s.g = g\n    def step(s, w): return w - s.g(w)",
        "Opt(lambda w: 2*w).step(3)",
        -3,
    ),
    "callback returned": ("def same(f): return f", "same(lambda x: x + 1)(2)", 3),
    "recursion between rooms": (
        "def f(g, n): return g(n - 1) if n else 0",
        "(lambda F: F(F, 20))(lambda s, n: f(lambda k: s(s, k), n))",
        0,
    ),
    "function of a function": ("def make(k): return lambda x: k*x", "make(3)(7)", 21),
    "in place": ("def scale(x): x *= 2", "check.after(scale, np.ones(2))[1][0]", [2, 2]),
    "in place, in a dict": (
        "def step(p, lr):\n    for k in p: p[k] -= lr",
        "check.after(step, {'w': np.ones(2)}, 0.5)[1][0]",
        {"w": [0.5, 0.5]},
    ),
    "generator": (
        "def batches(x, n):\n    for i in range(0, len(x), n): yield x[i:i+n]",
        "[len(b) for b in batches(np.arange(5), 2)]",
        [2, 2, 1],
    ),
    "endless generator": (
        "def count():\n    i = 0\n    while True:\n        yield i\n        i += 1",
        "[n for n, _ in zip(count(), range(3))]",
        [0, 1, 2],
    ),
    "class": (
        "class D:\n    def __init__(s, keep): s.keep = keep\n    def go(s, x): s.seen = x; return x*s.keep",
        "(lambda d: (d.go(np.ones(2)), d.seen, d.keep))(D(0.5))",
        ([0.5, 0.5], [1, 1], 0.5),
    ),
    "dataclass": ("@dataclass\nclass P:\n    a: int\ndef p(): return P(1)", "p().a", 1),
    "namedtuple": (
        "R = namedtuple('R', 'loss acc')\ndef r(): return R(0.5, 0.9)",
        "(r().loss, r()[1], r())",
        (0.5, 0.9, (0.5, 0.9)),
    ),
    "subclasses of dict": (
        "def d():\n    x = defaultdict(int); x['a'] += 1\n    return x, Counter('aab'), OrderedDict(z=1)",
        "d()",
        ({"a": 1}, {"a": 2, "b": 1}, {"z": 1}),
    ),
    "scalars": (
        "def d(): return np.float32(1.5), tf.TensorShape([None, 3]), np.int64(3), np.bool_(True)",
        "d()",
        (1.5, (None, 3), 3, True),
    ),
    "dtypes": (
        "def d(): return np.dtype('float32'), tf.float32",
        "d()[0] == np.dtype('float32') and d()[1] is tf.float32",
        True,
    ),
    "keyword arguments": ("def f(a, *, b=2): return a + b", "(f(1, b=5), f(1))", (6, 3)),
    "generator of random numbers": (
        "def f(rng): return rng.normal(size=2)",
        "np.array_equal(f(np.random.default_rng(5)), np.random.default_rng(5).normal(size=2))",
        True,
    ),
    "legacy bit generator": (
        "def f(rng): return rng.integers(9, size=3)",
        "(lambda g: np.array_equal(f(g), g.integers(9, size=3)))(np.random.Generator(np.random.MT19937(1)))",
        True,
    ),
    "tensor in and out": (
        "def f(x):\n    assert isinstance(x, tf.Tensor)\n    return tf.reduce_sum(x*x)",
        "f(tf.constant([1.0, 2.0])).numpy()",
        5,
    ),
    "tf.function": ("@tf.function\ndef f(x): return x*2", "f(tf.constant([1.0, 2.0]))", [2, 4]),
    "variable": ("def f(): return tf.Variable([1.0])", "f()", [1.0]),
    "gradient": (
        "def f(x): return tf.reduce_sum(x*x)",
        "check.gradient(f, tf.constant([1.0, 2.0]))",
        [[2, 4]],
    ),
    "history": (
        "m = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])\n"
        "def train(X, y):\n    m.compile('sgd', 'mse'); return m.fit(X, y, epochs=2, verbose=0)",
        "len(train(np.ones((8, 4), 'float32'), np.ones((8, 2), 'float32')).history['loss'])",
        2,
    ),
    "optimizer": ("def f(): return keras.optimizers.SGD(0.1, momentum=0.9)", "f().momentum", 0.9),
    "loss of ours": ("def f(loss): return loss([1.0], [2.0])", "f(keras.losses.MeanSquaredError())", 1.0),
    "dataset": (
        "def ds(): return tf.data.Dataset.range(5).batch(2)",
        "[b.numpy() for b in ds()]",
        [[0, 1], [2, 3], [4]],
    ),
    "v1 graph and saver": (
        "def save(path):\n    with tf.Graph().as_default():\n        tf.compat.v1.get_variable('v', initializer=3.0)\n"
        "        with tf.compat.v1.Session() as s:\n            s.run(tf.compat.v1.global_variables_initializer())\n"
        "            return tf.compat.v1.train.Saver().save(s, path, global_step=7)",
        "save('my')",
        "my-7",
    ),
    "graph tensor": (
        "def f():\n    with tf.Graph().as_default(): return tf.constant(3.0, name='c')",
        "f().name",
        "c:0",
    ),
    "eager off": ("tf.compat.v1.disable_eager_execution()\ndef f(x): return x + 1", "f(np.ones(2))", [2, 2]),
    "figure": (
        "import matplotlib.pyplot as plt\ndef f():\n    fig, ax = plt.subplots(); ax.plot([1, 2, 3])\n"
        "    ax.set_xlabel('steps'); return fig",
        "(f().axes[0].get_xlabel(), f().axes[0].lines[0].get_ydata())",
        ("steps", [1, 2, 3]),
    ),
    "path": ("import pathlib\ndef f(): return pathlib.Path('a/b')", "str(f())", "a/b"),
    "texts": ("def f(): return np.array(['a', 'b'])", "f()", ["a", "b"]),
    "masked": ("def f(): return np.ma.array([1, 2], mask=[0, 1])", "f()", [1, 2]),
    "not finite": ("def f(): return [float('nan'), -np.inf]", "repr(f())", "[nan, -inf]"),
    "top-level await": ("import asyncio\nx = await asyncio.sleep(0.01, 5)", "x", 5),
    "magics": (
        "%matplotlib inline\n%config InlineBackend.figure_format = 'png'\n!ls\n%pip install nothing\nx = 5",
        "x",
        5,
    ),
    "threads": (
        "from concurrent.futures import ThreadPoolExecutor\ndef f():\n    with ThreadPoolExecutor(4) as p:\n"
        "        return list(p.map(abs, [-1, -2]))",
        "f()",
        [1, 2],
    ),
    "scikit-learn": (
        "from sklearn.datasets import load_digits\ndef f(): return load_digits().data.shape",
        "f()",
        (1797, 64),
    ),
    "copies of files": (
        "import shutil\nopen('a', 'w').write('x'); shutil.copy2('a', 'b'); x = open('b').read()",
        "x",
        "x",
    ),
    "temporary files": (
        "import tempfile\nwith tempfile.NamedTemporaryFile() as f: f.write(b'x'); x = 1",
        "x",
        1,
    ),
    "workdir": (
        "import labkit\n(labkit.workdir() / 'a').write_text('x')\nx = (labkit.workdir() / 'a').read_text()",
        "x",
        "x",
    ),
    "user": (
        "import getpass, os\nx = [getpass.getuser(), os.path.basename(os.path.expanduser('~')) != 'root']",
        "x",
        ["student", True],
    ),
    "names of ours win": (
        "np = None\nlen = lambda x: 3\ncheck = None\nx = [1]",
        "(len(x), np is not None)",
        (1, True),
    ),
}


@pytest.mark.parametrize("name", VALUES)
def test_values_cross(server: Server, name: str) -> None:
    source, expression, expected = VALUES[name]
    result = one(server, source, f"q.equal('it', lambda: {expression}, {expected!r})")
    assert result["questions"]["a"]["status"] == "passed", (result["questions"]["a"], result["cells"])
    assert result["passes"] == 1


L = "keras.layers"
MODELS = {
    "sequential": (
        f"layers = [{L}.Dense(3, activation='relu'), {L}.BatchNormalization(), {L}.Dense(2)]\n"
        "m = keras.Sequential([keras.Input((4,)), *layers])",
        35,
    ),
    "shared layer, two outputs": (
        f"i = keras.Input((4,)); d = {L}.Dense(4); a = d(i); m = keras.Model(i, {L}.Add()([a, d(a)]))",
        20,
    ),
    "nested, frozen": (
        f"b = keras.Sequential([keras.Input((4,)), {L}.Dense(3)]); b.trainable = False\n"
        f"m = keras.Sequential([keras.Input((4,)), b, {L}.Dense(2)])",
        23,
    ),
    "functions of TensorFlow": (
        f"m = keras.Sequential([keras.Input((4,)), {L}.Dense(3, activation=tf.nn.relu)])",
        15,
    ),
    "functions of Keras": (
        f"m = keras.Sequential([keras.Input((4,)), {L}.Dense(3, activation=keras.activations.tanh)])",
        15,
    ),
    "compiled and fitted": (
        f"m = keras.Sequential([keras.Input((4,)), {L}.Dense(2)])\nm.compile('adam', 'mse')\n"
        "m.fit(np.ones((4, 4)), np.ones((4, 2)), verbose=0)",
        10,
    ),
    "operations": (f"i = keras.Input((4,)); m = keras.Model(i, {L}.Dense(2)(i * 2.0 + 1))", 10),
    "returned": (f"def make(): return keras.Sequential([keras.Input((4,)), {L}.Dense(2)])\nm = make()", 10),
}


@pytest.mark.parametrize("name", MODELS)
def test_models_of_built_in_layers_are_handles(server: Server, name: str) -> None:
    source, parameters = MODELS[name]
    source += "\ndef reference(x): return m(x)"
    checks = f"""
x = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")
q.equal("kind", lambda: type(m).__name__, "Model")
q.equal("parameters", lambda: m.count_params(), {parameters})
q.close("call", lambda: m(x), reference(x))
q.close("predict", lambda: m.predict(x, verbose=0), reference(x))
q.equal("described", lambda: sum(layer["parameters"] for layer in check.describe(m)), {parameters})
q.equal("layers", lambda: m.layers[-1].output_shape, m.output_shape)
q.equal("weights", lambda: sum(w.size for w in m.get_weights()), {parameters})
q.equal("input", lambda: m.input_shape, (None, 4))
"""
    result = one(server, source, checks)
    assert result["questions"]["a"]["status"] == "passed", result["questions"]["a"]
    assert result["passes"] == 1


def test_models_are_called_in_pieces_as_if_at_once(server: Server) -> None:
    source = f"""
i = keras.Input((4,))
a = {L}.BatchNormalization()({L}.Dense(3)(i))
m = keras.Model(i, [a, {L}.Dense(2)(a)])
def reference(x, **how): return m(x, **how)
"""
    checks = """
x = np.random.default_rng(0).normal(size=(150, 4)).astype("float32")
for how in ({}, {"training": True}):  # then each depends on all the others
    for number in (0, 1):
        q.close(f"{how} {number}", lambda: m(x, **how)[number], reference(x, **how)[number], 1e-5, 1e-6)
"""
    result = one(server, source, checks)
    assert result["questions"]["a"]["status"] == "passed", result["questions"]["a"]


OWN = {
    "own activation": f"m = keras.Sequential([keras.Input((4,)), {L}.Dense(2, activation=lambda x: x * 2)])",
    "lambda layer": f"m = keras.Sequential([keras.Input((4,)), {L}.Lambda(lambda x: x[:, :2])])",
    "own layer": f"class Cut({L}.Layer):\n    def call(self, x): return x[:, :2]\n"
    "m = keras.Sequential([keras.Input((4,)), Cut()])",
    "own model": f"class Net(keras.Model):\n    def __init__(s):\n        super().__init__(); s.d = {L}.Dense(2)\n"
    "    def call(s, x): return s.d(x)\nm = Net()",
    "not built": f"m = keras.Sequential([{L}.Dense(2)])",
    "large": f"m = keras.Sequential([keras.Input((4,)), {L}.Dense(3000), {L}.Dense(2000), {L}.Dense(2)])",
}


@pytest.mark.parametrize("name", OWN)
def test_models_with_code_of_their_own_stay_where_they_are(server: Server, name: str) -> None:
    checks = """
q.equal("kind", lambda: type(m).__name__, "Remote")
q.equal("call", lambda: m(np.ones((3, 4), "float32")).shape, (3, 2))
"""
    result = one(server, OWN[name], checks)
    assert result["questions"]["a"]["status"] == "passed", result["questions"]["a"]


def test_a_model_of_ours_goes_there_and_comes_back(server: Server) -> None:
    source = (
        "def train(model, X, y):\n    model.compile('sgd', 'mse'); model.fit(X, y, verbose=0); return model"
    )
    checks = """
ours = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
theirs = train(ours, np.ones((8, 4), "float32"), np.ones((8, 2), "float32"))
q.equal("moved", lambda: not np.array_equal(theirs.get_weights()[0], ours.get_weights()[0]), True)
again = train(theirs, np.ones((8, 4), "float32"), np.ones((8, 2), "float32"))
q.equal("moved again", lambda: not np.array_equal(theirs.get_weights()[0], again.get_weights()[0]), True)
"""
    result = one(server, source, checks)
    assert result["questions"]["a"]["status"] == "passed", result["questions"]["a"]


HOSTILE_CONFIGS = {
    "huge": ".replace('\"units\": 2', '\"units\": 200000000')",
    "lambda": ".replace('\"Dense\"', '\"Lambda\"')",
    "module": '.replace(\'"module": "keras.layers"\', \'"module": "os"\')',
    "reads files": ".replace('\"Dense\"', '\"StringLookup\"')",
    "no JSON": "[:50]",
    "huge padding": ".replace('\"Dense\"', '\"ZeroPadding2D\"')",
}


@pytest.mark.parametrize("name", HOSTILE_CONFIGS)
def test_forged_configurations_cost_their_question(server: Server, name: str) -> None:
    source = f"""
m = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
from autograder.rooms import models
real = models.pack_model
def forged(model):
    config, weights = real(model)
    return config{HOSTILE_CONFIGS[name]}, weights
models.pack_model = forged
"""
    result = one(server, source, 'q.equal("call", lambda: m(np.ones((3, 4), "float32")).shape, (3, 2))')
    assert result["questions"]["a"]["points"] == 0
    assert result["questions"]["a"]["status"] in ("error", "failed", "crashed|timeout", "out_of_memory")


HOSTILE_WEIGHTS = {
    "other shapes": "[np.ones((9, 9), 'float32'), np.ones(2, 'float32')]",
    "fewer": "[np.ones((4, 2), 'float32')]",
    "texts": "[np.array([['a'] * 2] * 4), np.ones(2, 'float32')]",
    "no list": "{'a': 1}",
    "nested": "[[1, 2], [3, 4]]",
}


@pytest.mark.parametrize("name", HOSTILE_WEIGHTS)
def test_forged_weights_cost_their_check(server: Server, name: str) -> None:
    source = f"""
m = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
from autograder.rooms.answer import Room
Room.do_weights = lambda room, model: {HOSTILE_WEIGHTS[name]}
"""
    checks = """
q.equal("call", lambda: m(np.ones((3, 4), "float32")).shape, (3, 2))
q.equal("weights", lambda: len(m.get_weights()), 2)
q.equal("count", lambda: m.count_params(), 10)
"""
    result = one(server, source, checks)["questions"]["a"]
    assert [part["status"] for part in result["parts"]] == ["error", "error", "passed"]


@pytest.mark.parametrize("shapes", ["[[3, 2], [2]]", "[[4, 2]]", "[[-4, 2], [2]]", "[[4.0, 2], [2]]", "'ab'"])
def test_forged_shapes_are_found_out(server: Server, shapes: str) -> None:
    source = f"""
m = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
from autograder.rooms import models
real = models.pack_model
models.pack_model = lambda model: (real(model)[0], {shapes})
"""
    result = one(server, source, 'q.equal("count", lambda: m.count_params(), 8)')["questions"]["a"]
    assert (result["points"], result["status"]) == (0, "error")


def test_weights_are_those_of_the_moment_they_are_asked_for(server: Server) -> None:
    source = """
m = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
def set_to(value): m.set_weights([np.full((4, 2), value), np.zeros(2)]); return value
"""
    checks = """
q.equal("set", lambda: (m.name and set_to(3.0), m.get_weights()[0].max(), m(np.ones((1, 4)))[0, 0]), (3.0, 3.0, 12.0))
q.equal("kept", lambda: (set_to(5.0), m.get_weights()[0].max()), (5.0, 3.0))
"""
    result = one(server, source, checks)["questions"]["a"]
    assert result["status"] == "passed", result


def layer(kind: str = "Dense", module: str = "keras.layers", **config: Any) -> dict[str, Any]:
    return {"module": module, "class_name": kind, "config": config, "registered_name": None}


def model_config(*layers: dict[str, Any]) -> str:
    first = layer("InputLayer", batch_shape=[None, 4], dtype="float32", name="first")
    config = {"name": "m", "trainable": True, "layers": [first, *layers], "build_input_shape": [None, 4]}
    return json.dumps(
        {"module": "keras", "class_name": "Sequential", "config": config, "registered_name": None}
    )


@pytest.mark.parametrize(
    "bad",
    [
        layer("Lambda"),
        layer("StringLookup", vocabulary="/etc/passwd"),
        layer("Dense", "os"),
        layer("Dense", "keras.layers") | {"registered_name": "Mine>Dense"},
        layer(
            "Dense", units=2, activation={"module": "builtins", "class_name": "function", "config": "exec"}
        ),
        layer("Dense", units=2, activation="exec"),
        layer("Dense", units=2, kernel_initializer=layer("Mine", "my.module")),
        layer("TimeDistributed", layer=layer("Dense", units=2)),
        layer("Dense", units=2, extra={"module": "os", "config": "system"}),
        layer("Dense", units=2**70),
    ],
)
def test_configurations_off_our_lists_are_refused_before_keras_sees_them(bad: dict[str, Any]) -> None:
    assert models.check_config(model_config(layer("Dense", units=2, activation="relu")))
    with pytest.raises(models.NotBuiltIn):
        models.check_config(model_config(bad))


def test_parameters_are_counted_before_they_are_allocated() -> None:
    pytest.importorskip("keras")
    small = models.unpack_model(model_config(layer("Dense", units=3, name="d")))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(models.NotBuiltIn, match="parameters"):
        models.unpack_model(model_config(layer("Dense", units=200_000_000, name="d")))
    with pytest.raises(models.NotBuiltIn, match="shapes"):
        small.fill([np.ones((4, 4)), np.zeros(3)])
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 << 10
    assert small.fill([np.ones((4, 3)), np.zeros(3)])(np.ones((1, 4))).numpy().tolist() == [[4, 4, 4]]


FILES = """
import json, labkit
work = labkit.workdir()
m = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
def npy(): np.save(work / "a.npy", np.arange(3)); return str(work / "a.npy")
def npz(): np.savez("b.npz", x=np.arange(3), y=np.ones((2, 2))); return "b.npz"
def data(): json.dump({"a": [1, 2]}, open("c.json", "w")); return "c.json"
def whole(): m.save("m.keras"); return "m.keras"
def weights(): m.save_weights("m.weights.h5"); return "m.weights.h5"
def checkpoint(): return tf.train.Checkpoint(v=tf.Variable([1.0, 2.0])).save("ck/a")
def old():
    with tf.Graph().as_default():
        tf.compat.v1.get_variable("v", initializer=[3.0])
        with tf.compat.v1.Session() as s:
            s.run(tf.compat.v1.global_variables_initializer())
            return tf.compat.v1.train.Saver().save(s, "old")
def pickled(): np.save("p.npy", np.array([print], dtype=object), allow_pickle=True); return "p.npy"
def one_file():
    (work / "f" / "a").mkdir(parents=True)
    (work / "f" / "a" / "b.txt").write_text("abc")
    (work / "f" / "link").symlink_to("/etc/passwd")
    return str(work / "f")
def broken(): open("d.keras", "wb").write(b"PK nonsense"); return "d.keras"
"""


def test_files_are_read_next_door(server: Server) -> None:
    checks = """
read = check.read
q.equal("npy", lambda: read(npy()), [0, 1, 2])
q.equal("npz", lambda: read(npz()), {"x": [0, 1, 2], "y": [[1, 1], [1, 1]]})
q.equal("json", lambda: read(data()), {"a": [1, 2]})
q.equal("keras", lambda: (read(whole()).count_params(), read(whole())(np.ones((1, 4), "float32")).shape), (10, (1, 2)))
q.close("same", lambda: read(whole()).get_weights()[0], m.get_weights()[0])
q.equal("weights", lambda: sorted(a.size for a in read(weights()).values() if a.size), [2, 8])
q.equal("checkpoint", lambda: [v for k, v in read(checkpoint()).items() if k.startswith("v/")], [[1, 2]])
q.equal("old", lambda: read(old()), {"v": [3.0]})
q.raises("pickle", lambda: read(pickled()), ValueError)
q.raises("broken", lambda: read(broken()), ValueError)
q.raises("none", lambda: read("none.npy"), FileNotFoundError)
q.raises("elsewhere", lambda: read("/etc/passwd"), (ValueError, FileNotFoundError))
q.equal("listing", lambda: check.listing(one_file()), {"a/b.txt": 3})
"""
    result = one(server, FILES, checks)
    assert result["questions"]["a"]["status"] == "passed", (
        result["questions"]["a"],
        result["cells"]["test-a"],
    )


HANDED = """
import os
def last(folder): return tf.train.load_checkpoint(f"{folder}/sub/c").get_tensor("v/.ATTRIBUTES/VARIABLE_VALUE")
def seen(folder): return sorted(os.listdir(folder))
def double(folder):
    np.save(f"{folder}/b.npy", 2 * np.load(f"{folder}/a.npy"))
    return f"{folder}/b.npy"
"""


def test_a_test_hands_files_over(server: Server) -> None:
    checks = """
one, two = check.folder(), check.folder()
tf.train.Checkpoint(v=tf.Variable([1.0, 2.0])).write(f"{one}/sub/c")
np.save(f"{two}/a.npy", [1, 2])
q.equal("not yet", lambda: seen(one), [])
check.hand_over(one)
check.hand_over(two)
q.close("read there", lambda: last(one), [1, 2])
q.equal("and back", lambda: check.read(double(two)), [2, 4])
q.equal("apart", lambda: (seen(one), list(check.listing(two))), (["sub"], ["a.npy", "b.npy"]))
"""
    result = one(server, HANDED, checks)
    assert result["questions"]["a"]["status"] == "passed", result["questions"]["a"]


def test_a_room_that_was_given_files_serves_no_other_question(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[int] = []
    endings: list[Ending | None] = []
    start = control._Pass._start_reading

    def watched(one_pass: control._Pass) -> None:
        if one_pass.reader is not None:
            endings.append(one_pass.reader.wait(10))
        start(one_pass)
        assert one_pass.reader is not None
        started.append(one_pass.reader.pid)

    monkeypatch.setattr(control._Pass, "_start_reading", watched)
    model = "import numpy as np\nq.equal('{0}', lambda: m(np.ones((1, 4), 'float32')).shape, (1, 2))"
    folder = "folder = check.folder()\nq.equal('{0}', lambda: check.listing(folder), {{}})"
    file = "kept = check.read(whole())\nq.equal('{0}', kept.count_params, 10)"
    again = "q.close('{0}', lambda: kept(np.ones((1, 4))), m.predict(np.ones((1, 4))))"
    cells = [setup(), answer("a", FILES)]
    cells += [question_cell(f"model-{n}", model.format(n)) for n in "12"]
    cells += [question_cell(f"files-{n}", what.format(n)) for n, what in enumerate((folder, file, again), 3)]
    result = examine(server, cells, limits=QUICK)
    assert [question["status"] for question in result["questions"].values()] == ["passed"] * 5
    assert len(set(started)) == 3
    assert [ending and ending.status for ending in endings] == ["ended"] * 2


# ------------------------------------------------------------------------------------------------------ lost rooms

THREE = [
    setup(),
    answer("one", "def one(x): return x + 1"),
    question_cell(
        "one", "q.equal('a', lambda: one(1), 2)\nwith q.hidden():\n    q.equal('b', lambda: one(7), 8)"
    ),
    answer("two", "def two(x): return x + 2"),
    question_cell(
        "two", "q.equal('a', lambda: two(1), 3)\nwith q.hidden():\n    q.equal('b', lambda: two(7), 9)"
    ),
    answer("three", "def three(x): return x + 3"),
    question_cell(
        "three", "q.equal('a', lambda: three(1), 4)\nwith q.hidden():\n    q.equal('b', lambda: three(7), 10)"
    ),
]


def with_answer(name: str, source: str) -> list[dict[str, Any]]:
    return [cell | {"source": source} if cell["id"] == name else cell for cell in THREE]


def statuses(result: dict[str, Any]) -> list[tuple[float, str]]:
    return [(question["points"], question["status"]) for question in result["questions"].values()]


FATES = {
    "exits": ("import os\ndef two(x): os._exit(0)", "crashed", 2),
    "segfault": ("import ctypes\ndef two(x): ctypes.string_at(0)", "crashed", 2),
    "kills itself": ("import os\ndef two(x): os.kill(os.getpid(), 9)", "crashed", 2),
    "loops": ("def two(x):\n    while True: pass", "timeout", 1),
    "loops and swallows": (
        "import time\ndef two(x):\n    while True:\n        try:\n            while True: time.sleep(0.01)\n"
        "        except BaseException: pass",
        "timeout",
        2,
    ),
    "loops in C": ("def two(x): return sum(range(10**12))", "timeout", 2),
    "memory in one go": ("def two(x): return bytearray(3 << 30)", "out_of_memory", 1),
    "memory bit by bit": (
        "def two(x):\n    kept = []\n    while True: kept.append(bytearray(1 << 20))",
        "out_of_memory|timeout",
        1,
    ),
    "tensor too large": ("def two(x): return tf.zeros((1 << 30,))", "out_of_memory", 1),
    "cell exits": ("import os\nos._exit(0)", "crashed", 2),
    "cell loops": ("while True: pass", "timeout", 1),
    "cell swallows": (
        "import time\nwhile True:\n    try:\n        while True: time.sleep(0.01)\n    except BaseException: pass",
        "timeout",
        2,
    ),
    "cell raises": ("def two(x) return x", "error", 1),
    "cell raises late": ("1/0\ndef two(x): return x + 2", "error", 1),
    "stub": ("def two(x): raise NotImplementedError", "not_attempted", 1),
    "nothing": ("", "not_attempted", 1),
    "disk": (
        "def two(x):\n    for i in range(20): open(str(i), 'wb').write(b'1' * (30 << 20))",
        "crashed|timeout",
        2,
    ),
    "many files": (
        "def two(x):\n    i = 0\n    while True: open(str(i), 'w').close(); i += 1",
        "crashed|timeout",
        2,
    ),
    "threads": (
        "import threading, time\ndef two(x):\n    threading.stack_size(65536)\n"
        "    for i in range(400): threading.Thread(target=time.sleep, args=(99,)).start()\n    time.sleep(3)",
        "crashed",
        3,
    ),
    "recursion in C": (
        "import sys\nsys.setrecursionlimit(10**9)\nclass R:\n    def __repr__(s): return repr([s])\n"
        "def two(x): return repr(R())",
        "crashed|timeout",
        2,
    ),
    "recursion, honest": ("def two(x): return two(x)", "error", 1),
}


@pytest.mark.parametrize("name", FATES)
def test_one_question_pays(server: Server, name: str) -> None:
    source, status, passes = FATES[name]
    result = examine(server, with_answer("two", source), limits=Limits(cell_seconds=3, question_seconds=3))
    (first, (points, found), last) = statuses(result)
    assert (first, points, last) == ((1, "passed"), 0, (1, "passed")), result
    assert found in status.split("|"), result
    assert result["passes"] == passes or "|" in status


def test_what_one_question_keeps_costs_the_next_nothing(server: Server) -> None:
    answers = {
        "one": "kept = []\ndef one(x):\n    kept or kept.append(b'1' * (200 << 20))\n    return x + 1",
        "two": "import time\ndef two(x):\n    more = b'1' * (200 << 20)\n    time.sleep(0.3)\n    return x + 2",
    }
    cells = [cell | {"source": answers.get(cell["id"], cell["source"])} for cell in THREE]
    result = examine(server, cells, limits=Limits(resident=350 << 20))
    assert statuses(result) == [(1, "passed")] * 3
    assert result["passes"] == 2


def test_what_cell_said_explains_its_question(server: Server) -> None:
    result = examine(server, with_answer("two", "x = 1\n1/0\ndef two(x): return x + 2"), limits=QUICK)
    assert result["questions"]["two"]["message"].startswith(
        "The answer cell stopped with ZeroDivisionError (line 2): division"
    )
    assert result["cells"]["two"]["error"] == {
        "type": "ZeroDivisionError",
        "text": "division by zero",
        "lines": [[2, "1/0"]],
    }
    shown = result["cells"]["two"]["outputs"]
    assert [(o["output_type"], o["ename"]) for o in shown] == [("error", "ZeroDivisionError")]


@pytest.mark.parametrize("line", ["1/0", "1 +"])
@pytest.mark.parametrize("before", ["", "\n \n", "%matplotlib inline\n", "import os\n%pwd\n\n"])
def test_lines_are_counted_as_the_student_sees_them(server: Server, before: str, line: str) -> None:
    result = examine(server, with_answer("two", before + line), limits=QUICK)
    assert result["cells"]["two"]["error"]["lines"] == [[before.count("\n") + 1, line]]
    result = examine(server, with_answer("two", "def two(x) return x"), limits=QUICK)
    assert "SyntaxError (line 1)" in result["questions"]["two"]["message"]


@pytest.mark.parametrize("wrong", ["q = (", "x = '\0'"])
def test_a_cell_of_ours_that_is_no_python_says_so(server: Server, wrong: str) -> None:
    broken = {"test-two": wrong, "setup": wrong}
    result = examine(server, [cell | {"source": broken.get(cell["id"], cell["source"])} for cell in THREE])
    assert "SyntaxError" in result["cells"][THREE[0]["id"]]["broken"]
    assert statuses(result)[1] == (0, "error")
    assert "SyntaxError" in result["questions"]["two"]["message"]


def test_everybody_dies_and_a_result_comes(server: Server) -> None:
    cells = [c | {"source": "import os\nos._exit(0)"} if c["kind"] == "answer" else c for c in THREE]
    result = examine(server, cells, limits=QUICK)
    assert statuses(result) == [(0, "crashed")] * 3
    assert result["passes"] == 4


def test_the_notebooks_time_is_over(server: Server) -> None:
    slow = "import time\ntime.sleep(3)\ndef two(x): return x + 2"
    result = examine(server, with_answer("two", slow), limits=Limits(notebook_seconds=2))
    assert statuses(result)[0] == (1, "passed")
    assert statuses(result)[2] == (0, "timeout")
    assert result["seconds"] < 4


def test_a_questions_time_is_for_all_its_calls(server: Server) -> None:
    slow = "import time\ndef two(x):\n    time.sleep(1.2)\n    return x + 2"
    began = time.monotonic()
    result = examine(server, with_answer("two", slow), limits=Limits(question_seconds=2))
    assert statuses(result) == [(1, "passed"), (0.5, "timeout"), (1, "passed")]
    assert time.monotonic() - began < 4


def test_every_pass_finds_its_folder_as_it_was(server: Server, tmp_path: Path) -> None:
    (tmp_path / "data.txt").write_text("given")
    cells = [
        setup(),
        answer(
            "a",
            "open('data.txt', 'a').write('!')\nimport os\ndef a(): os._exit(0)\n"
            "def b(): return open('data.txt').read()",
        ),
        question_cell("a", "q.equal('a', lambda: a(), 1)"),
        question_cell("b", "q.equal('b', lambda: b(), 'given!')"),
    ]
    assert statuses(examine(server, cells, tmp_path, QUICK)) == [(0, "crashed"), (1, "passed")]
    assert (tmp_path / "data.txt").read_text() == "given"


# ------------------------------------------------------------------------------------------------- what may be seen

SECRET = """
def f(x):
    print("input", x); print("warning", x, file=__import__("sys").stderr)
    if x > 100: raise ValueError(f"input {x}")
    return x
"""
HIDING = """
q.equal("seen", lambda: f(3), 3)
with q.hidden():
    print("hidden 31337")
    q.equal("not seen", lambda: f(31337), 1)
    q.equal("nor this", lambda: f(42), 41)
q.equal("raised", lambda: f(101), 1)
"""


def test_nothing_is_shown_of_hidden_checks(server: Server) -> None:
    result = one(server, SECRET, HIDING)
    said = json.dumps(result)
    assert "input 3" in said
    assert "input 101" in said
    assert "31337" not in said
    assert "input 42" not in said


def test_an_error_that_ends_a_test_cell_under_a_hidden_check_says_nothing(server: Server) -> None:
    result = one(server, SECRET, "with q.hidden():\n    y = f(31337)")
    assert result["questions"]["a"] == {
        "points": 0,
        "max_points": 1,
        "status": "error",
        "misconceptions": [],
        "message": "",
    } or "31337" not in json.dumps(result)


def test_hidden_inputs_depend_on_the_seed_alone(server: Server) -> None:
    source = "def f(x): print(x); return 0"
    checks = "q.equal('a', lambda: f(check.rng().integers(10**9)), 0)"
    said = [
        one(server, source, checks, seed=seed)["cells"]["test-a"]["outputs"][0]["text"]
        for seed in (b"a", b"a", b"b")
    ]
    assert said[0] == said[1] != said[2]


def test_unseeded_numbers_repeat(server: Server) -> None:
    source = "import random\nprint(np.random.rand(), random.random(), float(tf.random.normal(())))\n"
    source += "print(keras.random.normal((1,)).numpy())"
    said = [one(server, source, "pass")["cells"]["a"]["outputs"][0]["text"] for _ in range(2)]
    assert said[0] == said[1]


def test_outputs_are_text_and_pictures_only(server: Server) -> None:
    source = """
from IPython.display import HTML, Javascript, display
import matplotlib.pyplot as plt
display(HTML("<script>alert(1)</script>")); display(Javascript("alert(2)"))
plt.plot([1, 2]); plt.show()
print("\\x1b[31mred\\x1b[0m\\x07", "x" * 100_000)
5
"""
    shown = one(server, source, "pass")["cells"]["a"]["outputs"]
    said = json.dumps([output for output in shown if "image/png" not in output.get("data", {})])
    assert "alert" not in said
    assert "\\u001b" not in said
    assert "red" in said
    assert len(said) < 30_000
    assert sum("image/png" in output.get("data", {}) for output in shown) == 1
    assert {mime for output in shown for mime in output.get("data", {})} <= {"text/plain", "image/png"}


PICTURE = """
import os
from IPython.display import Image, display
def picture(x=0):
    "700 kB, 933 thousand characters of base64"
    head = b"\\x89PNG\\r\\n\\x1a\\n\\x00\\x00\\x00\\x0dIHDR" + (10).to_bytes(4, "big") * 2
    display(Image(data=head + os.urandom(700_000)))
    return x
"""


def pictures(shown: dict[str, Any]) -> list[int]:
    """How many pictures each cell shows."""
    return [
        sum("image/png" in output.get("data", {}) for output in cell["outputs"]) for cell in shown.values()
    ]


def test_a_function_that_draws_at_every_call_costs_no_question(server: Server) -> None:
    result = one(server, PICTURE, "for x in range(6): q.equal('x', lambda: picture(x), x)")
    assert result["questions"]["a"]["status"] == "passed"
    assert pictures(result["cells"]) == [0, 0, 1]


def test_a_notebook_shows_so_much_and_no_more(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outputs, "MAX_NOTEBOOK", 3 << 20)
    cells = [setup(), answer("a", PICTURE), *(answer(f"a{n}", "picture(); print(1)") for n in range(6))]
    result = examine(
        server, [*cells, question_cell("a", "q.equal('x', lambda: picture(5), 5)")], limits=QUICK
    )
    assert result["questions"]["a"]["status"] == "passed"
    assert pictures(result["cells"]) == [0, 0, 1, 1, 1, 0, 0, 0, 0]
    assert result["cells"]["a5"]["outputs"] == [outputs.LEFT_OUT]


def test_the_answer_room_never_has_a_test(server: Server) -> None:
    """It looks for a word of the test in all of its memory, while the test runs."""
    source = """
def f(x):
    flipped = bytes(c ^ 1 for c in range(256))
    word, found = bytes(reversed(b"rnsdbnohiS")), 0       # not the word itself, which we would find here
    with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", 0) as memory:
        for line in maps:
            area, mode = line.split()[:2]
            if mode.startswith("rw"):
                start, end = (int(part, 16) for part in area.split("-"))
                if end - start < 200 << 20:
                    try:
                        memory.seek(start); found += memory.read(end - start).translate(flipped).count(word)
                    except OSError:
                        pass
    return found
"""
    checks = "q.equal('Rhinoceros', lambda: f(1), 0)"
    cells = [setup(), answer("a", source), question_cell("a", checks)]
    assert statuses(examine(server, cells, limits=Limits(question_seconds=20))) == [(1, "passed")]
    cells[1]["source"] += "# Rhinoceros"
    assert statuses(examine(server, cells, limits=Limits(question_seconds=20))) == [(0, "failed")]


def test_source_is_ours_to_tell(server: Server) -> None:
    """A student's room cannot say that a function came from another cell than it did."""
    cells = [
        setup(),
        answer("x1", "def f(x):\n    return tf.add(x, 1)"),
        answer(
            "x2",
            "def g(x): return x\nf.__module__ = g.__module__\n"
            "f.__code__ = f.__code__.replace(co_filename=g.__code__.co_filename)",
        ),
        question_cell("a", "q.forbids('tensorflow', answer=lambda: f)\nq.equal('a', lambda: f(1), 2)"),
        question_cell("b", "q.forbids('tensorflow', answer=lambda: g)\nq.equal('a', lambda: g(1), 1)"),
    ]
    assert statuses(examine(server, cells, limits=QUICK)) == [(0, "failed"), (1, "passed")]


def test_nothing_is_left(server: Server) -> None:
    rooms = server.path.with_suffix(".rooms")
    examine(
        server,
        with_answer("two", "import os\nopen('x', 'w').write('x')\ndef two(x): os._exit(0)"),
        limits=QUICK,
    )
    end = time.monotonic() + 5
    while time.monotonic() < end and (list(rooms.iterdir()) or len(children(server.pid)) > 0):
        time.sleep(0.05)
    assert list(rooms.iterdir()) == []
    assert children(server.pid) == []


def children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


@pytest.mark.proof
def test_a_room_stays_small(server: Server) -> None:
    """Private and shared memory that a submission in the middle of its examination adds to the server's."""
    source = (
        f"m = keras.Sequential([keras.Input((28, 28, 1)), {L}.Conv2D(6, 5), {L}.Flatten(), {L}.Dense(10)])\n"
    )
    source += "def f(x): return tf.nn.relu(x)\ndef wait(): __import__('time').sleep(2)"
    checks = "q.equal('a', lambda: f(np.ones(2)), [1, 1])\n"
    checks += "q.equal('b', lambda: m(np.ones((1, 28, 28, 1), 'float32')).shape, (1, 10))\nwait()"
    import threading

    def pss(pids: list[str]) -> float:
        total = 0
        for pid in pids:
            with open(f"/proc/{pid}/smaps_rollup") as file:
                total += next(int(line.split()[1]) for line in file if line.startswith("Pss:"))
        return total / 1024

    alone = pss([str(server.pid)])
    thread = threading.Thread(target=one, args=(server, source, checks))
    thread.start()
    time.sleep(1.5)
    together = pss([str(server.pid), *children(server.pid)])
    thread.join()
    print(f"{together - alone:.0f} MB beside {alone:.0f} MB")
    assert 0 < together - alone < 120
    assert os.getpid()


CLIENT = """
import sys
sys.path[:0] = sys.argv[1:]
from autograder.rooms.control import examine
from labkit.forkserver import Server
from test_rooms import FATES, QUICK, THREE, with_answer
with Server.start() as server:
    print(server.pid, server.path, flush=True)
    while True:
        examine(server, THREE, limits=QUICK)
        examine(server, with_answer("two", FATES["exits"][0]), limits=QUICK)
"""


@pytest.mark.parametrize("rounds", [3, pytest.param(30, marks=pytest.mark.proof)])
def test_kills_at_random_moments_leave_nothing(rounds: int) -> None:
    """The grader, its server or both are killed in the middle of an examination."""
    rng = random.Random(rounds)
    here = Path(__file__).parent
    for number in range(rounds):
        command = [sys.executable, "-c", CLIENT, str(here), str(here.parent)]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as client:
            assert client.stdout is not None
            pid, path = client.stdout.readline().split()
            time.sleep(rng.uniform(0.2, 2))
            rooms = children(int(pid))
            victims = [[client.pid], [int(pid)], [client.pid, int(pid)]][number % 3]
            for victim in victims:
                os.kill(victim, signal.SIGKILL)
        end = time.monotonic() + 10
        left: list[str] = []
        while time.monotonic() < end:
            left = [name for name in [pid, *rooms] if is_running(name)]
            if number % 3 != 2:  # where both are gone, the next server sweeps
                left += [place.name for place in Path(path).parent.glob(Path(path).name + "*")]
            if not left:
                break
            time.sleep(0.05)
        assert left == []
    with Server.start() as last:
        names = [place.name for place in last.path.parent.glob("private-*") if place.stem != last.path.stem]
        assert [name for name in names if not is_running(name.split("-")[1])] == []


def is_running(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
