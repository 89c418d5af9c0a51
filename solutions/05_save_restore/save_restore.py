# %% [markdown]
# # Lab 05 · Save and restore: what outlives the process
#
# **About 2 hours · 9 questions · 30 points**
#
# You will be able to
#
# * tell the graph from the values, in memory and on disk, and say what each file of a checkpoint holds;
# * save, restore and go on training with `tf.compat.v1.train.Saver`, which wrote most of the checkpoints in the world;
# * read a checkpoint without the program that wrote it, and move its weights into a Keras model;
# * write a training loop that can be killed at any moment and ends with the same bits as one that was not;
# * say what `.keras`, `.weights.h5` and a SavedModel bring back, and what each leaves behind;
# * recognise a damaged checkpoint, and fall back to the last good one.
#
# **You need** lab 02 for what a layer holds and lab 04 for what an optimizer remembers.
#
# **How it works.** Your functions get the path of a folder or a file, as text. The checks put files there that
# TensorFlow has written, or read what your code has written, with other code than yours. Everything happens in a
# folder of its own, which is gone when the notebook is closed.

# %% tags=["parameters"]
SEED = 0
SCALE = "smoke"

# %% setup="imports"
import linecache
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from functools import cache
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from labkit import check, data, metrics, plots, workdir

v1 = tf.compat.v1  # what `import tensorflow` gave until 2019
tf.get_logger().setLevel("ERROR")
tf.config.set_visible_devices([], "GPU")  # small files and equal bits: this lab stays on the CPU
tf.config.experimental.enable_op_determinism()  # no sum depends on which thread is first
tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})  # small graphs run as they are
keras.utils.set_random_seed(SEED)


def cell_of(function):
    """The text of the cell that defines a function."""
    return "".join(linecache.getlines(function.__code__.co_filename))


# %% tags=["explore"]
digits = data.digits(28)  # to look at; the checks make up images of their own

# %% [markdown]
# ## Where it comes from
#
# A network that trains for a week meets a power cut sooner or later. The first paper on TensorFlow says what it does
# about it [1, section 3.3]: each variable is connected to a *Save* node, run every so many steps or seconds, and to a
# *Restore* node, run only at a restart. So a variable is saved and the rest is not: the **graph**, which says what is
# computed, is one thing, and the **values** of its variables are another. Everything in this lab follows from that.
#
# In TensorFlow 1 you first described the graph, and then ran parts of it in a **session**, which owned the values.
# Here is the network of this lab as it was written then: a convolution, a dense layer, and an operation `train`
# that makes one step with momentum. It is what today's `@tf.function` makes for you behind the scenes.


# %% setup="graph"
def network(X, kernel, bias, dense_kernel, dense_bias):
    """The logits: 5×5 convolution with stride 3, ReLU, dense layer."""
    maps = tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(X, kernel, 3, "VALID"), bias))
    return tf.nn.bias_add(tf.reshape(maps, (-1, dense_kernel.shape[0])) @ dense_kernel, dense_bias)


def mean_loss(logits, y):
    """The cross-entropy, averaged over the images: in a graph, an operation called `loss`."""
    labels = tf.one_hot(y, logits.shape[-1])
    losses, _ = tf.raw_ops.SoftmaxCrossEntropyWithLogits(features=logits, labels=labels)
    return tf.reduce_mean(losses, name="loss")


def first_values(*shape):
    """What a kernel begins with: always the same numbers."""
    return (tf.raw_ops.StatelessRandomUniform(shape=shape, seed=(5, len(shape))) - 0.5) / 5


def new_layer(scope, *shape):
    """A kernel and a bias in the graph."""
    with v1.variable_scope(scope):
        kernel = v1.get_variable("kernel", initializer=first_values(*shape))
        return kernel, v1.get_variable("bias", initializer=tf.zeros(shape[-1:]))


def build_graph(filters=8, learning_rate=0.1):
    """A graph with X, y, logits, loss and train in it, as one wrote it in 2016."""
    graph = v1.Graph()
    with graph.as_default():
        X = v1.placeholder(tf.float32, (None, 28, 28, 1), name="X")
        y = v1.placeholder(tf.int64, (None,), name="y")
        features = new_layer("features", 5, 5, 1, filters)
        classes = new_layer("classes", 64 * filters, 10)
        logits = tf.identity(network(X, *features, *classes), name="logits")
        optimizer = v1.train.MomentumOptimizer(learning_rate, 0.9)
        counter, loss = v1.train.get_or_create_global_step(), mean_loss(logits, y)
        optimizer.minimize(loss, counter, gate_gradients=optimizer.GATE_NONE, name="train")
    return graph


# %% [markdown]
# An operation has a name such as `train`; what it gives is a **tensor**, `loss:0`, output number 0 of the operation
# `loss`. A graph by itself holds no values. A session is asked for tensors and operations by their names:

# %% tags=["explore"]
graph = build_graph()
with v1.Session(graph=graph) as session:
    feed = {"X:0": digits.X_train[:64], "y:0": digits.y_train[:64]}
    try:
        session.run("loss:0", feed)
    except tf.errors.FailedPreconditionError:
        print("No values yet: ask the initializer first.")
    with graph.as_default():
        session.run(v1.global_variables_initializer())
    print("loss", [round(float(session.run(["loss:0", "train"], feed)[0]), 3) for _ in range(5)])

# %% [markdown]
# And here is the same network, and the same step with momentum, without graph and session: the checks of this lab
# compute with it what your graphs should come to. (The learning rate stands outside of the velocity, as it did in
# TensorFlow 1; lab 04.)


# %% setup="references"
WEIGHTS = ("features/kernel", "features/bias", "classes/kernel", "classes/bias")


def beginning(filters=8):
    """The values of all variables before the first step, by the names that they have in `build_graph`."""
    values = [first_values(5, 5, 1, filters), tf.zeros(filters), first_values(64 * filters, 10), tf.zeros(10)]
    values = {name: value.numpy() for name, value in zip(WEIGHTS, values, strict=True)}
    slots = {f"{name}/Momentum": np.zeros_like(value) for name, value in values.items()}
    return values | slots | {"global_step": np.int64(0)}


def by_hand(values, X, y, steps, learning_rate=0.1):
    """All values after so many steps of `train`, and the losses: before each step and after the last."""
    values, losses = dict(values), []
    for i in range(steps + 1):
        weights = [tf.constant(values[name]) for name in WEIGHTS]
        with tf.GradientTape() as tape:
            tape.watch(weights)
            loss = mean_loss(network(X, *weights), y)
        losses.append(float(loss))
        for name, gradient in zip(WEIGHTS, tape.gradient(loss, weights) if i < steps else [], strict=False):
            slot = values[f"{name}/Momentum"] = 0.9 * values[f"{name}/Momentum"] + gradient.numpy()
            values[name] = values[name] - learning_rate * slot
    return values | {"global_step": values["global_step"] + steps}, losses


@cache
def meta_graph(filters=2):
    """The MetaGraph of `build_graph(filters)`, with a Saver's operations."""
    with build_graph(filters).as_default():
        return v1.train.Saver().export_meta_graph()


def write_checkpoint(prefix, values):
    """A checkpoint of these arrays, written by TensorFlow's own operation: no graph, no variables."""
    shape_and_slices = [""] * len(values)
    tf.raw_ops.SaveV2(
        prefix=prefix, tensor_names=list(values), shape_and_slices=shape_and_slices, tensors=list(values.values())
    )


def copy_checkpoint(prefix, *others):
    """The files of a checkpoint once more, under other prefixes."""
    for other in others:
        for ending in (".index", ".data-00000-of-00001"):
            shutil.copy(prefix + ending, other + ending)


# %% [markdown]
# ## 1 · What is graph, and what is a variable?
#
# The graph itself can be written to disk. As a protocol buffer it is a **GraphDef**: a list of operations, each with
# its inputs. A **MetaGraph** is that plus what else one needs to work with it: among other things, which of the
# operations are variables. It stands in a `.meta` file, and `v1.train.import_meta_graph(path)` puts it into the
# graph that is the default at that moment.
#
# Draw the network on paper. Which of its parts must be saved every hundred steps, and which only once?


# %% answer="inventory"
def inventory(meta_file):
    """What a MetaGraph consists of.

    Args:
        meta_file: path of a .meta file, written by TensorFlow 1 or `tf.compat.v1`; of any network.

    Returns:
        A tuple of two:
        - every variable that belongs in a checkpoint, a dict from its name to its shape (a tuple of ints), for
          instance `{"features/bias": (8,), "global_step": (), …}`;
        - the names of all operations of the graph, a list in any order, for instance `["X", "loss", "train", …]`.
        These are names of variables and operations, not of tensors: "loss", not "loss:0".
    """
    ### BEGIN SOLUTION
    with v1.Graph().as_default() as graph:
        v1.train.import_meta_graph(meta_file)
        variables = {variable.op.name: tuple(variable.shape) for variable in v1.global_variables()}
    return variables, [operation.name for operation in graph.get_operations()]
    ### END SOLUTION


# %% test="inventory" points=3
q = check.question(
    "inventory",
    points=3,
    why="More than a hundred operations, nine variables: only those nine change, so only they are saved again and again.",
    misconceptions={
        "trainable-only": "Those are the variables that the optimizer changes. It has variables of its own, and there is a counter.",
        "tensor-names": "“name:0” is a tensor, what an operation gives. Here names of variables and operations are asked for.",
        "variables-left-out": "A variable is an operation of the graph, too; its value is not.",
        "kinds": "Those are the kinds of operations. Each operation has a name of its own.",
    },
)


def is_set(*names):
    """For `q.satisfies`: the answer has just these names, in whatever order."""
    return lambda answer: sorted(answer) == sorted(names)


listed = cache(lambda file: inventory(file))
folder = check.folder()
Path(f"{folder}/net.meta").write_bytes(meta_graph(2).SerializeToString())
check.hand_over(folder)
nodes = {node.name: node.op for node in meta_graph(2).graph_def.node}
shapes = {name: np.shape(value) for name, value in beginning(2).items()}
wrong = {
    "trainable-only": {name: shapes[name] for name in WEIGHTS},
    "tensor-names": {f"{name}:0": shape for name, shape in shapes.items()},
}
q.equal("the variables of this lab's network", lambda: listed(f"{folder}/net.meta")[0], shapes, wrong)
wrong = {
    "variables-left-out": is_set(*[name for name, kind in nodes.items() if kind != "VarHandleOp"]),
    "tensor-names": lambda names: any(":" in name for name in names),
    "kinds": lambda names: set(names) == set(nodes.values()),
}
q.satisfies(
    "its operations",
    lambda: listed(f"{folder}/net.meta")[1],
    is_set(*nodes),
    wrong,
    expected=f"the names of {len(nodes)} operations",
)
### BEGIN HIDDEN TESTS
with q.hidden():
    rng = check.rng()
    folder, letters = check.folder(), [str(letter) for letter in rng.permutation(list("abcdef"))]
    sizes = [int(n) for n in rng.integers(2, 9, 6)]
    with v1.Graph().as_default() as graph:
        for i, letter in enumerate(letters):
            with v1.variable_scope(letter):
                if i % 2:
                    v1.get_variable("w", initializer=np.zeros((i, sizes[i])), trainable=i > 3)
                else:
                    tf.constant([1.0] * sizes[i], name="c")
        v1.train.Saver().export_meta_graph(f"{folder}/other.meta")
    check.hand_over(folder)
    shapes = {f"{letter}/w": (i, sizes[i]) for i, letter in enumerate(letters) if i % 2}
    wrong = {
        "trainable-only": {f"{letter}/w": (i, sizes[i]) for i, letter in enumerate(letters) if i % 2 and i > 3},
        "tensor-names": {f"{name}:0": shape for name, shape in shapes.items()},
    }
    q.equal("another graph's variables", lambda: listed(f"{folder}/other.meta")[0], shapes, wrong)
    operations = [o.name for o in graph.get_operations()]
    q.satisfies("another graph's operations", lambda: listed(f"{folder}/other.meta")[1], is_set(*operations))
### END HIDDEN TESTS
q.score()

# %% [markdown]
# **Look.** What is all this? Two layers, a loss and a step make this many operations. Find those that compute the
# network, those that go backwards, and those that save and restore: a Saver adds operations to the graph.

# %% tags=["explore"]
graph = build_graph()
before = len(graph.get_operations())
with graph.as_default():
    v1.train.Saver()
operations = graph.get_operations()
print(f"{len(operations)} operations, {len(operations) - before} of them the Saver's; by the first part of their names:")
first = [operation.name.split("/")[0].split("_")[0] for operation in operations]
print(", ".join(f"{name} {first.count(name)}" for name in sorted(set(first), key=first.count, reverse=True)[:9]))
assert {operation.type for operation in operations} >= {"Conv2D", "Conv2DBackpropFilter", "SaveV2", "RestoreV2"}
assert sum(operation.type == "VarHandleOp" for operation in operations) == len(beginning()) == 9

# %% [markdown]
# ## 2 · Save
#
# `saver = v1.train.Saver()` is made **in the graph**, when all variables are there, and
# `saver.save(session, "./my_model")` then writes the values that the session holds. The path is a **prefix**: several
# files come of it. (In today's TensorFlow `save` and `restore`, too, stand inside of `with graph.as_default()`: outside of it
# there is no graph any more.)
#
# > **Find it.** A lecture prints
# >
# >     with graph.as_default():
# >         ..create a graph, define some variables
# >     saver = tf.train.Saver()
# >
# > One thing is in the wrong place. What does the third line say about it when it is run?
#
# > **Find it, too.** The same lecture says that the values stand in two files, `.index` and `.data`, “older file format
# > = .ckpt”. Search the web, and you will find many who look for a file `model.ckpt` that does not exist. Where did it go?


# %% answer="save"
def save_trained(prefix, X, y, steps):
    """Train this lab's network from the beginning, and save it.

    Args:
        prefix: of the checkpoint's files, a path.
        X: images, float32, shape `(n, 28, 28, 1)`.
        y: digits, int64, shape `(n,)`.
        steps: how often to run `train`, every time with all images.

    Returns:
        What `Saver.save` returns. A checkpoint of ALL variables of `build_graph()` and its MetaGraph are on disk
        then.
    """
    ### BEGIN SOLUTION
    with build_graph().as_default(), v1.Session() as session:
        saver = v1.train.Saver()
        session.run(v1.global_variables_initializer())
        for _ in range(steps):
            session.run("train", {"X:0": X, "y:0": y})
        return saver.save(session, prefix)
    ### END SOLUTION


# Which file holds it? Choose among ".meta", ".index", ".data" and "checkpoint".
which_file = {
    "the operations, and how they are connected": None,
    "the values of the variables": None,
    "names and shapes of the variables, and where their values begin": None,
    "which checkpoint is the newest": None,
}
### BEGIN SOLUTION
which_file = {
    "the operations, and how they are connected": ".meta",
    "the values of the variables": ".data",
    "names and shapes of the variables, and where their values begin": ".index",
    "which checkpoint is the newest": "checkpoint",
}
### END SOLUTION

# %% test="save" points=3
q = check.question(
    "save",
    points=3,
    why="Whoever has .index and .data has every value, by name. Whoever has .meta as well has the program.",
    misconceptions={
        "saved-before-training": "These are the values of the beginning: save when the steps are done.",
        "one-step": "These are the values after a single step.",
        "weights-only": "The optimizer's velocities and the counter are variables, too. Let the Saver take all.",
        "graph-left-out": "There is no .meta: let `save` write the MetaGraph as well.",
        "saved-elsewhere": "There is no checkpoint with this prefix. Did your function save anything, and under that very path?",
        "values-in-the-graph": "A graph says what is computed, whatever the values are.",
        "values-in-the-index": "An index is short: it says where to look. Compare the files' sizes.",
        "graph-in-the-index": "An index knows the variables. Does it know a convolution?",
        "newest-in-the-index": "Each checkpoint has an index of its own, which knows of no other.",
    },
)
rng = check.rng()
X, y, steps = rng.random((8, 28, 28, 1), dtype=np.float32), rng.integers(0, 10, 8), int(rng.integers(2, 5))
prefix = f"{check.folder()}/net"
expected = by_hand(beginning(), X, y, steps)[0]


@cache
def saved():
    """What the student's function saved, read by other code, and what it returned."""
    returned = save_trained(prefix, X, y, steps)
    return check.read(prefix), returned


def all_values(values):
    """All values but the counter in one row, in the order of the names."""
    return np.concatenate([np.ravel(values[name]).astype(float) for name in sorted(values) if name != "global_step"])


wrong = {"weights-only": sorted(WEIGHTS), "saved-elsewhere": FileNotFoundError}
q.equal("the names of what was saved", lambda: sorted(saved()[0]), sorted(expected), wrong)
one_step = lambda: by_hand(beginning(), X, y, 1)[0]
wrong = lambda: {"saved-before-training": all_values(beginning()), "one-step": all_values(one_step())}
q.close(f"the values after {steps} steps, to 1e-3", lambda: all_values(saved()[0]), all_values(expected), 1e-3, 1e-3, wrong)
q.equal("what is returned", lambda: saved()[1], prefix, weight=0.5)
files = ["checkpoint", "net.data-00000-of-00001", "net.index", "net.meta"]
wrong = {"graph-left-out": files[:3]}
q.equal("the files", lambda: saved() and sorted(check.listing(Path(prefix).parent)), files, wrong, weight=0.5)

# Four files that are written now; what is in them decides, not we
own = check.folder()
write_checkpoint(f"{own}/net", beginning(2))
Path(f"{own}/net.meta").write_bytes(meta_graph(2).SerializeToString())
v1.train.update_checkpoint_state(own, f"{own}/net")
contents = {path.suffix.split("-")[0] or path.name: path.read_bytes() for path in Path(own).iterdir()}


def file_with(present, absent=b"\0no such text"):
    """The one file with these bytes in it, and without those."""
    (found,) = [name for name, content in contents.items() if present in content and absent not in content]
    return found


def chosen(text):
    """The student's choice; .data with or without the number of its part, and with or without the dot."""
    choice = which_file[text]
    if not isinstance(choice, str) or choice == "checkpoint":
        return choice
    return "." + choice.removeprefix(".").split("-")[0]


wrong = {"values-in-the-graph": ".data", "graph-in-the-index": ".index"}
text = "the operations, and how they are connected"
q.equal(text, lambda: chosen("the operations, and how they are connected"), file_with(b"Conv2D"), wrong, 0.25)
wrong = {"values-in-the-graph": ".meta", "values-in-the-index": ".index"}
text = "the values of the variables"
holder = file_with(beginning(2)["features/kernel"].tobytes())
q.equal(text, lambda: chosen("the values of the variables"), holder, wrong, 0.25)
text = "names and shapes of the variables, and where their values begin"
q.equal(text, lambda: chosen(text), file_with(b"features/", b"Conv2D"), weight=0.25)
wrong = {"newest-in-the-index": ".index"}
q.equal("which is the newest", lambda: chosen("which checkpoint is the newest"), file_with(b"model_checkpoint"), wrong, 0.25)
### BEGIN HIDDEN TESTS
with q.hidden():
    q.equal("the counter", lambda: saved()[0]["global_step"], steps, {"saved-before-training": 0, "one-step": 1}, weight=0.5)
### END HIDDEN TESTS
q.score()

# %% [markdown] tags=["think-answer"]
# **The lecture's third line.** It stands outside of `with graph.as_default()`. The Saver looks for variables in the
# graph that is the default there, which is another one: `ValueError: No variables to save`.
#
# **Where .ckpt went.** It never was an ending that TensorFlow asked for: people named their prefix `model.ckpt`. In the
# first format (`SaverDef.V1`) prefix and file were the same, and a file `model.ckpt` held names and values. With
# the second, the default since 2016 (version 0.12), no file has that name any more: `model.ckpt` still is the prefix
# to be given to `restore`, and on disk there are `model.ckpt.index` and `model.ckpt.data-00000-of-00001`. The number
# counts parts: a big model on many machines writes many of them side by side.

# %% tags=["explore"]
try:
    with v1.Graph().as_default():
        v1.train.Saver()
except ValueError as error:
    print("ValueError:", error)
for version in ("V1", "V2"):
    here = workdir() / f"format {version}"
    here.mkdir(exist_ok=True)
    with build_graph().as_default(), v1.Session() as session:
        session.run(v1.global_variables_initializer())
        v1.train.Saver(write_version=v1.train.SaverDef.CheckpointFormatVersion.Value(version)).save(session, f"{here}/model.ckpt")
    assert (here / "model.ckpt").exists() == (version == "V1")
    print(version, {path.name: path.stat().st_size for path in sorted(here.iterdir())})

# %% [markdown]
# **Look.** What lies where in a `.data` file? The values lie in it one after the other, with nothing between them, in
# the order of their names; the `.index` says at which byte each begins. How much of it would you need to *use* the
# network, and how much only to go on training?

# %% tags=["explore"]
with check.waits_for("save"):
    here = workdir() / "question 2"
    here.mkdir(exist_ok=True)
    assert save_trained(f"{here}/net", digits.X_train, digits.y_train, 20) is not None
    reader = tf.train.load_checkpoint(f"{here}/net")
    raw = Path(f"{here}/net.data-00000-of-00001").read_bytes()
    stored = {name: reader.get_tensor(name) for name in sorted(reader.get_variable_to_shape_map())}
    begins = {name: raw.find(value.tobytes()) for name, value in stored.items()}
    assert sorted(begins, key=begins.get) == list(stored)
    assert sum(value.nbytes for value in stored.values()) == len(raw)
    print(f"{len(raw):,} bytes of values")

# %% tags=["explore"]
with check.waits_for("save"), plots.style():
    from matplotlib.figure import Figure

    fig = Figure(figsize=(6.4, 2.2), layout="constrained")
    ax = fig.subplots()
    for name, value in stored.items():
        row, colour = ("/Momentum" in name, plots.COLOURS[name.startswith("features")])
        ax.barh(int(row), value.nbytes, 0.6, begins[name], color=colour, edgecolor=plots.GREY, linewidth=0.5)
        if value.nbytes > 10_000:
            ax.annotate(name, (begins[name] + value.nbytes / 2, row), ha="center", va="center", color="black", size=8)
    ax.annotate("features/…", (begins["features/bias"], 0.5), ha="left", va="center", color=plots.COLOURS[1], weight="bold")
    ax.set(yticks=[0, 1], yticklabels=["weights", "velocities"], xlabel="byte of the .data file", ylim=(-0.5, 1.5))
    ax.xaxis.set_major_formatter("{x:,.0f}")
    ax.set_title("Half of the file is the optimizer's")
    plots.show(fig, alt="A bar for the .data file in two rows, weights and velocities. The kernel of the dense layer and its "
        "velocity take up nearly all of it, side by side and equally long; the convolution's are slivers at the right.")

# %% [markdown]
# ## 3 · Restore, and go on
#
# The program that trained a network may be lost; its graph is in the `.meta` file. `import_meta_graph` gives the graph
# back *and* returns a Saver for it, whose `restore(session, prefix)` brings the values. After that a session can go
# on where the other one stopped.


# %% answer="continue"
def continue_training(prefix, X, y, steps):
    """Restore a network and go on training it.

    Args:
        prefix: of a checkpoint that has a .meta file. The graph in it has tensors "X:0", "y:0", "loss:0" and an
            operation "train", as `build_graph` has, but it may be ANOTHER network than `build_graph`'s.
        X, y: images and digits, as that graph wants them.
        steps: how often to run `train`, every time with all images.

    Returns:
        The loss on all images before each step and after the last: a list of steps + 1 floats.
    """
    ### BEGIN SOLUTION
    with v1.Graph().as_default(), v1.Session() as session:
        saver = v1.train.import_meta_graph(f"{prefix}.meta")
        saver.restore(session, prefix)
        feed = {"X:0": X, "y:0": y}
        losses = [session.run("loss:0", feed)]
        for _ in range(steps):
            session.run("train", feed)
            losses.append(session.run("loss:0", feed))
        return losses
    ### END SOLUTION


# %% test="continue" points=4
q = check.question(
    "continue",
    points=4,
    why="Nobody could tell that there had been an interruption: the velocities came back, too.",
    misconceptions={
        "initialised-again": "The initializer came after the restore, or instead of it: this network has forgotten everything.",
        "velocities-lost": "The weights are back, but the optimizer begins anew: restore ALL variables.",
        "not-trained": "The loss stays the same: is `train` run?",
        "after-only": "The loss before the first step belongs to the list.",
        "before-only": "The loss after the last step belongs to the list.",
        "built-here": "It need not be the network that `build_graph()` builds. Take the graph from the .meta file.",
        "before-the-step": "`session.run(['loss:0', 'train'])` gives a loss of before the step, so the last one is missing.",
    },
)


rng = np.random.default_rng(3)
X, y = rng.random((16, 28, 28, 1), dtype=np.float32), rng.integers(0, 10, 16)
folder = check.folder()
there = {name: np.float32(0.1 * rng.normal(size=np.shape(value))) for name, value in beginning(2).items()}
there |= {f"{name}/Momentum": 10 * there[f"{name}/Momentum"] for name in WEIGHTS} | {"global_step": np.int64(70)}
write_checkpoint(f"{folder}/net", there)
Path(f"{folder}/net.meta").write_bytes(meta_graph(2).SerializeToString())
check.hand_over(folder)
losses = by_hand(there, X, y, 2)[1]


def continued_wrongly():
    """The losses that common mistakes give."""
    at_rest = there | {f"{name}/Momentum": np.zeros_like(there[name]) for name in WEIGHTS}
    wrong = {"initialised-again": by_hand(beginning(2), X, y, 2)[1], "velocities-lost": by_hand(at_rest, X, y, 2)[1]}
    wrong |= {"not-trained": [losses[0]] * 3, "after-only": losses[1:], "before-only": losses[:-1]}
    return wrong | {"before-the-step": [losses[0], *losses[:-1]], "built-here": tf.errors.InvalidArgumentError}


answer = lambda: continue_training(f"{folder}/net", X, y, 2)
q.close("this lab's network with two filters, two steps more", answer, losses, 1e-3, 1e-4, continued_wrongly)
### BEGIN HIDDEN TESTS


def descended(w, X, y, rate, steps):
    """The losses of a dense layer without a bias, by gradient descent: before each step and after the last."""
    losses, right = [], np.eye(w.shape[1])[y]
    for _ in range(steps + 1):
        p = np.exp(X @ w) / np.exp(X @ w).sum(axis=1, keepdims=True)
        losses.append(float(-np.log((p * right).sum(axis=1)).mean()))
        w = w - rate * X.T @ (p - right) / len(X)
    return losses


with q.hidden():
    rng = check.rng()
    folder, inputs, classes, rate = check.folder(), *rng.integers(3, 9, 2), rng.uniform(0.1, 0.5)
    X, y = rng.random((12, inputs), dtype=np.float32), rng.integers(0, classes, 12)
    first, there = rng.normal(size=(2, inputs, classes)).astype("float32")
    with v1.Graph().as_default():
        w = v1.get_variable("w", initializer=first)
        loss = mean_loss(v1.placeholder(tf.float32, (None, inputs), "X") @ w, v1.placeholder(tf.int64, (None,), "y"))
        v1.train.GradientDescentOptimizer(rate).minimize(loss, gate_gradients=0, name="train")
        v1.train.Saver().export_meta_graph(f"{folder}/other-5.meta")
    write_checkpoint(f"{folder}/other-5", {"w": there})
    check.hand_over(folder)
    losses = descended(there, X, y, rate, 3)
    wrong = {"initialised-again": descended(first, X, y, rate, 3), "not-trained": [losses[0]] * 4}
    wrong |= {"after-only": losses[1:], "before-only": losses[:-1], "built-here": tf.errors.NotFoundError}
    answer = lambda: continue_training(f"{folder}/other-5", X, y, 3)
    q.close("another network and its rate", answer, losses, 1e-3, 1e-4, wrong)
### END HIDDEN TESTS
q.score()

# %% [markdown]
# **Think.** You send a colleague `net.index` and `net.data-00000-of-00001`, but no `.meta`. What can she do with them
# all the same? What if it were only the `.meta`?

# %% [markdown] tags=["think-answer"]
# With the two files she has every value under its name: if she writes the same network, with variables of the same
# names and shapes, a Saver brings the values back (questions 5 and 8 go further). With the `.meta` alone she has the
# program, can run it, and would have to train it from the beginning. That is why a Saver that saves a thousand times
# may leave out the graph each time but the first (`write_meta_graph=False`): it does not change.

# %% [markdown]
# ## 4 · Many checkpoints
#
# With `saver.save(session, prefix, global_step=n)` the files are called `my_model-100`, `my_model-200`, … and the Saver
# deletes the oldest when there are more than `max_to_keep`, five if you say nothing. The text file `checkpoint`
# beside them names the newest, and `tf.train.latest_checkpoint(folder)` gives its prefix. The graph does not change from
# one save to the next: with `write_meta_graph=False` it is left out.
#
# > **Find it.** “You can automatically get the latest version name with `tf.train.latest_checkpoint('./')`”, says the
# > lecture. Does it look at the files' dates, at the numbers in their names, or at something else?


# %% answer="keep"
def train_and_keep(folder, X, y, steps, every, keep):
    """Train this lab's network from the beginning, and save it again and again.

    Args:
        folder: where to save, with the prefix "net": an existing folder.
        X, y: images and digits; every step takes all of them.
        steps: how many steps to make.
        every: save after every so many steps, under the number of the step: net-20, net-40, …
        keep: so many checkpoints remain, the newest ones.

    Returns:
        The prefix of the newest checkpoint, for instance "…/net-40".
    """
    ### BEGIN SOLUTION
    with build_graph().as_default(), v1.Session() as session:
        saver = v1.train.Saver(max_to_keep=keep)
        session.run(v1.global_variables_initializer())
        for step in range(1, steps + 1):
            session.run("train", {"X:0": X, "y:0": y})
            if step % every == 0:
                saver.save(session, f"{folder}/net", global_step=step, write_meta_graph=False)
    return tf.train.latest_checkpoint(folder)
    ### END SOLUTION


def steps_done(folder):
    """After how many steps the newest checkpoint was saved, wherever its name comes from.

    Args:
        folder: a folder with checkpoints of any names, and with the file `checkpoint` that says which is the newest.

    Returns:
        The value of its variable "global_step", an int; 0 where the folder has no checkpoint at all.
    """
    ### BEGIN SOLUTION
    prefix = tf.train.latest_checkpoint(folder)
    return int(tf.train.load_checkpoint(prefix).get_tensor("global_step")) if prefix else 0
    ### END SOLUTION


# %% test="keep" points=3
q = check.question(
    "keep",
    points=3,
    why="Now a run of weeks leaves a handful of files, and whoever comes later finds the right one.",
    misconceptions={
        "all-kept": "None was deleted. A Saver deletes what it has saved itself, and keeps five unless told otherwise.",
        "saves-counted": "The number in the name is that of the step, not of the save.",
        "every-step": "That was saved after every step.",
        "counted-from-zero": "One step too many was made by then: the first step is number 1.",
        "no-number": "There is no number in the name: `save` takes a global_step.",
        "highest-name": "As text “net-900” comes after “net-1000”. The file `checkpoint` says which is the newest.",
        "highest-number": "The highest number need not be the newest: someone may have gone back. What does `checkpoint` say?",
        "step-from-name": "Not every name has a number. The step is in the checkpoint, as a variable.",
    },
)
prefixes = lambda folder: {name.removesuffix(".index") for name in check.listing(folder) if name.endswith(".index")}
nets = lambda *steps: {f"net-{step}" for step in steps}
rng, folder = check.rng(), check.folder()
every, keep = (int(n) for n in rng.integers(2, 4, 2))
saves = [every * i for i in range(1, keep + 2)]
last, steps = saves[-1], saves[-1] + int(rng.integers(1, every))


@cache
def kept():
    """The names of the checkpoints that the student's function has left, and what it returned."""
    newest = train_and_keep(folder, rng.random((8, 28, 28, 1), dtype=np.float32), np.arange(8), steps, every, keep)
    return prefixes(folder), newest


wrong = {"all-kept": nets(*saves), "no-number": {"net"}}
wrong |= {"saves-counted": nets(*range(2, keep + 2)), "every-step": nets(*range(steps + 1 - keep, steps + 1))}
q.equal(f"{steps} steps, saved every {every}, {keep} kept", lambda: kept()[0], nets(*saves[-keep:]), wrong)
q.equal("the newest", lambda: kept()[1], f"{folder}/net-{last}", {"no-number": f"{folder}/net"}, weight=0.5)
counter = lambda: kept() and check.read(f"{folder}/net-{last}")["global_step"]
q.equal(f"the steps made in net-{last}", counter, last, {"counted-from-zero": last + 1}, weight=0.5)
back, step = check.folder(), int(rng.integers(100, 200))
for number, name in ((step, f"net-{step}"), (800, "net-800")):
    write_checkpoint(f"{back}/{name}", {"global_step": np.int64(number)})
copy_checkpoint(f"{back}/net-800", f"{back}/net-90")
v1.train.update_checkpoint_state(back, f"{back}/net-{step}")
check.hand_over(back)
wrong = {"highest-name": 90, "highest-number": 800}
q.equal(f"gone back from 800 steps to {step}", lambda: steps_done(back), step, wrong, weight=0.5)
q.equal("an empty folder", lambda: steps_done(check.folder()), 0, weight=0.25)
### BEGIN HIDDEN TESTS
with q.hidden():
    best = check.folder()
    copy_checkpoint(f"{back}/net-{step}", f"{best}/best")
    copy_checkpoint(f"{back}/net-800", f"{best}/run-800")
    v1.train.update_checkpoint_state(best, f"{best}/best")
    check.hand_over(best)
    wrong = {"step-from-name": ValueError, "highest-number": 800}
    q.equal("without a number", lambda: steps_done(best), step, wrong)
### END HIDDEN TESTS
q.score()

# %% [markdown] tags=["think-answer"]
# **What `latest_checkpoint` looks at.** Only at the text file `checkpoint` in that folder. Whoever copies the files of
# one checkpoint elsewhere and leaves `checkpoint` behind gets `None`, and whoever restores an old one and goes on from
# there has a newest one with a low number. The paths in that file are written as the Saver was given them: absolute ones
# break when the folder is moved, unless the Saver was made with `save_relative_paths=True`.

# %% tags=["explore"]
here, elsewhere = workdir() / "numbered", workdir() / "copied"
for folder in (here, elsewhere):
    folder.mkdir(exist_ok=True)
for step in (1, 2):
    write_checkpoint(f"{here}/net-{step}", {"global_step": np.int64(step)})
v1.train.update_checkpoint_state(str(here), f"{here}/net-1")
assert tf.train.latest_checkpoint(here) == f"{here}/net-1"
for path in here.glob("net-*"):
    shutil.copy(path, elsewhere)
assert tf.train.latest_checkpoint(elsewhere) is None

# %% [markdown]
# ## 5 · Reading a checkpoint without its graph
#
# A checkpoint that came without a program can still be opened: `tf.train.load_checkpoint(prefix)` gives a reader, which
# knows what is in it by name. Then one can ask, for instance, what a night of training has changed.


# %% answer="read"
def checkpoint_shapes(prefix):
    """What is in a checkpoint.

    Args:
        prefix: of a checkpoint without a .meta file.

    Returns:
        A dict from every name in it to the shape, a list or tuple of ints.
    """
    ### BEGIN SOLUTION
    return tf.train.load_checkpoint(prefix).get_variable_to_shape_map()
    ### END SOLUTION


def largest_changes(before, after):
    """How far training has moved each variable.

    Args:
        before, after: prefixes of two checkpoints without .meta files. All that they hold are numbers; what has the
            same name in both has the same shape.

    Returns:
        A dict from every name that BOTH have to the largest change of any of its numbers, upwards or downwards: a
        float of at least 0.
    """
    ### BEGIN SOLUTION
    old, new = tf.train.load_checkpoint(before), tf.train.load_checkpoint(after)
    names = [name for name in old.get_variable_to_shape_map() if new.has_tensor(name)]
    return {name: float(np.abs(new.get_tensor(name) - old.get_tensor(name)).max()) for name in names}
    ### END SOLUTION


# %% test="read" points=3
q = check.question(
    "read",
    points=3,
    why="A file of numbers with names on them can be questioned by anyone, years later, in any program.",
    misconceptions={
        "graph-needed": "There is no .meta file here, and none is needed.",
        "slots-left-out": "Everything in the file is asked for, what the optimizer has saved as well.",
        "signed": "A change downwards counts as much as one upwards.",
        "average": "The largest change is asked for, not the average one.",
        "relative": "The change itself is asked for, not its share of the value.",
        "missing-name": "Not every name is in both of them: compare what both have.",
        "largest-values": "Subtract first, then look for the largest.",
    },
)
folder = check.folder()
old = {"w": np.array([[1.0, -2], [3, 4]]), "w/Momentum": np.zeros((2, 2)), "b": np.array([4.0, 8]), "global_step": np.int64(10)}
new = {"w": np.array([[1.5, -2], [1, 4]]), "w/Momentum": np.ones((2, 2)), "b": np.array([4.0, 6]), "global_step": np.int64(30)}
write_checkpoint(f"{folder}/old", old)
write_checkpoint(f"{folder}/new", new)
check.hand_over(folder)
shapes = {"w": (2, 2), "w/Momentum": (2, 2), "b": (2,), "global_step": ()}
wrong = {"graph-needed": OSError, "slots-left-out": {name: shapes[name] for name in ("w", "b", "global_step")}}
q.equal("names and shapes", lambda: checkpoint_shapes(f"{folder}/old"), shapes, wrong)
expected = {"w": 2.0, "w/Momentum": 1.0, "b": 2.0, "global_step": 20}
wrong = {
    "signed": expected | {"w": 0.5, "b": 0.0},
    "average": expected | {"w": 0.625, "b": 1.0},
    "largest-values": expected | {"w": 0.0, "b": 2.0},
    "graph-needed": OSError,
}
q.equal("from old to new", lambda: largest_changes(f"{folder}/old", f"{folder}/new"), expected, wrong)
### BEGIN HIDDEN TESTS


def changes(before, after, of):
    """What a way of measuring the change makes of each variable that both have."""
    return {name: float(of(before[name], after[name])) for name in before if name in after}


def near(expected):
    """For `q.satisfies`: the same names, and numbers that are close."""
    return lambda answer: answer.keys() == expected.keys() and all(abs(answer[k] - expected[k]) < 1e-4 for k in expected)


with q.hidden():
    rng = check.rng()
    folder = check.folder()
    sizes = {f"layer_{i}/{part}": tuple(rng.integers(2, 6, n)) for i in range(3) for part, n in (("kernel", 4), ("bias", 1))}
    before = {name: rng.normal(size=shape).astype("float32") for name, shape in sizes.items()}
    after = {name: value + rng.uniform(-2, 1, value.shape).astype("float32") for name, value in before.items()}
    after["layer_9/kernel"], before["save_counter"] = np.ones((3, 3), "float32"), np.int64(3)
    write_checkpoint(f"{folder}/a", before)
    write_checkpoint(f"{folder}/b", after)
    check.hand_over(folder)
    shapes = {name: np.shape(value) for name, value in before.items()}
    wrong = {"graph-needed": OSError}
    q.equal("another one's names and shapes", lambda: checkpoint_shapes(f"{folder}/a"), shapes, wrong)
    ways = {
        "signed": lambda a, b: (b - a).max(),
        "average": lambda a, b: np.abs(b - a).mean(),
        "largest-values": lambda a, b: abs(b.max() - a.max()),
        "relative": lambda a, b: np.abs(b / a - 1).max(),
    }
    wrong = {name: near(changes(before, after, way)) for name, way in ways.items()}
    expected = changes(before, after, lambda a, b: np.abs(b - a).max())
    wrong |= {"missing-name": tf.errors.NotFoundError, "graph-needed": OSError}
    q.satisfies("other changes", lambda: largest_changes(f"{folder}/a", f"{folder}/b"), near(expected), wrong)
### END HIDDEN TESTS
q.score()

# %% [markdown]
# **Look.** Two checkpoints of your network, 20 steps apart, without any graph: which layer moves most?

# %% tags=["explore"]
with check.waits_for("read"):
    here, now = workdir() / "read", beginning()
    here.mkdir(exist_ok=True)
    for steps in (0, 20):
        now = by_hand(now, digits.X_train[:200], digits.y_train[:200], steps)[0]
        write_checkpoint(f"{here}/net-{steps}", now)
    moved = largest_changes(f"{here}/net-0", f"{here}/net-20")
    print({name: round(moved[name], 3) for name in WEIGHTS})

# %% [markdown]
# ## 6 · Killed, and none the worse
#
# Today there is no graph to be saved first: the program is Python, and `tf.train.Checkpoint(name=object, …)` saves
# the variables of whatever objects you name, and again those of their parts, each under its way from the
# root, `optimizer/_iterations` for instance [2, 3]. `restore(prefix)` goes the same ways in the new
# program's objects. A `tf.train.CheckpointManager` numbers the checkpoints, keeps the last few and knows the latest.
#
# But what has to be saved? The bits are the same in the end only if **everything** comes back that the next
# step depends on. Here is a run of this lab, and one step of it. Go through its lines with a pencil: what has changed
# when it is done?


# %% setup="runs"
def new_run():
    """A run before its first step: a network without biases, Adam, and the generator that draws the images of each step."""
    start = [{"kernel_initializer": keras.initializers.GlorotUniform(seed), "use_bias": False} for seed in (1, 2)]
    convolution = layers.Conv2D(8, 5, 3, activation="relu", **start[0])
    net = keras.Sequential([keras.Input((28, 28, 1)), convolution, layers.Flatten(), layers.Dense(10, **start[1])])
    optimizer = keras.optimizers.Adam(0.003)
    optimizer.build(net.trainable_variables)
    return net, optimizer, tf.random.Generator.from_seed(SEED + 1)


def train_step(net, optimizer, generator, X, y):
    """One step on 32 images that the generator draws; the loss before it. `optimizer.iterations` counts the steps."""
    rows = generator.uniform((32,), 0, len(y), tf.int64).numpy()
    with tf.GradientTape() as tape:
        loss = mean_loss(net(X[rows], training=True), y[rows])
    optimizer.apply(tape.gradient(loss, net.trainable_variables))
    return float(loss)


# %% answer="resume"
def train_on(folder, X, y, steps, every=10):
    """Train up to a step, from wherever an earlier call has come to, which may have been killed at any moment.

    Every call makes a `new_run()`, and one `tf.train.Checkpoint` of all in it that the next step depends on, each under
    the name that it has in `train_step`.

    Args:
        folder: of the checkpoints, a path. If there are any in it, go on from the latest, else begin anew.
        X, y: images and digits, for `train_step`.
        steps: train until so many steps have been made IN ALL, those before the kill included.
        every: save after every so many steps, by a `tf.train.CheckpointManager`, under the number of the step:
            ckpt-10, ckpt-20, … The newest three remain.

    Returns:
        A tuple: the net's weights (`net.get_weights()`), and the losses of the steps that THIS call has made, a list.
    """
    ### BEGIN SOLUTION
    net, optimizer, generator = new_run()
    checkpoint = tf.train.Checkpoint(net=net, optimizer=optimizer, generator=generator)
    manager = tf.train.CheckpointManager(checkpoint, folder, max_to_keep=3)
    checkpoint.restore(manager.latest_checkpoint)
    losses = []
    while int(optimizer.iterations) < steps:
        losses.append(train_step(net, optimizer, generator, X, y))
        if int(optimizer.iterations) % every == 0:
            manager.save(checkpoint_number=int(optimizer.iterations))
    return net.get_weights(), losses
    ### END SOLUTION


# %% test="resume" points=5
q = check.question(
    "resume",
    points=5,
    why="Not nearly the same: the same bits. That is how you notice that nothing has been forgotten.",
    misconceptions={
        "from-the-beginning": "The second call began anew, as if there were no checkpoint.",
        "optimizer-left-behind": "Adam came back without its memory: its means, and the count of its steps.",
        "generator-left-behind": "The generator began anew, so the same images were drawn a second time.",
        "so-many-more": "`steps` counts all steps, those before the interruption, too.",
        "nothing-saved": "No checkpoint has been written, or under another name: ckpt- and the number of the step.",
        "saves-counted": "ckpt-1, ckpt-2, … are numbers of saves. Number them by the step.",
        "all-kept": "More than three checkpoints remain.",
        "saved-at-the-end": "Save after every so many steps, while the work goes on, and not because a call ends.",
        "numbered-by-call": "The number is that of the step in all, those of earlier calls included.",
    },
)
rng = np.random.default_rng(6)
X, y = rng.random((40, 28, 28, 1), dtype=np.float32), rng.integers(0, 10, 40)


def go_on(weights, means, squares, done, generator, steps):
    """What `train_step` does, by hand: the losses, then weights, Adam's means and the count of steps afterwards."""
    losses = []
    for t in range(done + 1, done + steps + 1):
        rows = generator.uniform((32,), 0, len(y), tf.int64).numpy()
        patches = np.lib.stride_tricks.sliding_window_view(X[rows, ..., 0], (5, 5), (1, 2))[:, ::3, ::3].reshape(32, 64, 25)
        kernel, dense = weights
        maps = np.maximum(patches @ kernel.reshape(25, 8), 0)
        logits = maps.reshape(32, -1) @ dense
        p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        losses.append(float(-np.log(p[range(32), y[rows]]).mean()))
        to_logits = (p - np.eye(10)[y[rows]]) / 32
        to_maps = (to_logits @ dense.T).reshape(maps.shape) * (maps > 0)
        gradients = [np.tensordot(patches, to_maps, ((0, 1), (0, 1))).reshape(5, 5, 1, 8), maps.reshape(32, -1).T @ to_logits]
        means = [0.9 * m + 0.1 * gradient for m, gradient in zip(means, gradients, strict=True)]
        squares = [0.999 * v + 0.001 * gradient**2 for v, gradient in zip(squares, gradients, strict=True)]
        rate = 0.003 * (1 - 0.999**t) ** 0.5 / (1 - 0.9**t)
        moves = [rate * m / (np.sqrt(v) + 1e-7) for m, v in zip(means, squares, strict=True)]
        weights = [w - move for w, move in zip(weights, moves, strict=True)]
    return losses, weights, means, squares, done + steps


in_a_row = lambda weights: np.concatenate([np.ravel(w) for w in weights])
near = lambda answer, losses: len(answer) == len(losses) and np.allclose(answer, losses, 1e-3, 1e-4)
generator = tf.random.Generator.from_seed(SEED + 1)
start = [keras.initializers.GlorotUniform(i)(shape).numpy() for i, shape in ((1, (5, 5, 1, 8)), (2, (512, 10)))]
zeros = [np.zeros_like(w) for w in start]
losses, *after_two = go_on(start, zeros, zeros, 0, generator, 2)
third, *after_three = go_on(*after_two, generator, 1)


def gone_on_wrongly():
    """What the losses of the second call look like after common mistakes."""
    fourth = go_on(*after_three, generator, 1)[0]
    generator.reset_from_seed(SEED + 1)
    same_images = go_on(*after_two, generator, 1)[0]
    return {
        "saved-at-the-end": lambda answer: len(answer) == 0,
        "generator-left-behind": lambda answer: near(answer[:1], same_images),
        "from-the-beginning": lambda answer: near(answer, losses + third),
        "so-many-more": lambda answer: near(answer[:2], third + fourth),
        "optimizer-left-behind": lambda answer: len(answer) > 1 and near(answer[:1], third),
    }


@cache
def call(turn, folder, steps, every):
    """What the student's function returned at its first or second call, and the checkpoints that it left."""
    weights, losses = train_on(folder, X, y, steps, every=every)
    names = [name.removesuffix(".index") for name in check.listing(folder) if name.endswith(".index")]
    return in_a_row(weights), losses, names


folder = check.folder()
once = lambda: call(1, folder, 3, 2)
again = lambda: once() and call(2, folder, 3, 2)
q.close("three steps: the losses, to 1e-3", lambda: once()[1], losses + third, 1e-3, 1e-4, weight=0.5)
q.close("and the weights", lambda: once()[0], in_a_row(after_three[0]), 1e-3, 1e-4, weight=0.5)
names = {
    "saves-counted": lambda names: names == ["ckpt-1"],
    "saved-at-the-end": lambda names: "ckpt-3" in names,
    "nothing-saved": lambda names: "ckpt-2" not in names,
}
q.satisfies("what was saved on the way", lambda: once()[2], lambda names: names == ["ckpt-2"], names, 0.5, "['ckpt-2']")
right = lambda answer: near(answer, third)
expected = f"its loss, {third[0]:.4f}"
q.satisfies("killed after that, and called again: step 3", lambda: again()[1], right, gone_on_wrongly, expected=expected)
different = lambda: int(np.count_nonzero(again()[0] != once()[0]))
wrong = {"optimizer-left-behind": lambda number: number and right(again()[1])}
expected = "none"
q.satisfies("weights with other bits than without the kill", different, lambda number: number == 0, wrong, expected=expected)
### BEGIN HIDDEN TESTS
with q.hidden():
    rng = check.rng()
    X, y = rng.random((50, 28, 28, 1), dtype=np.float32), rng.integers(0, 10, 50)
    net, optimizer, generator = new_run()
    for variable in optimizer.variables[2:]:
        variable.assign(rng.uniform(0.01, 0.02, variable.shape))
    net.set_weights([rng.normal(size=w.shape, scale=0.05) for w in net.get_weights()])
    number = int(rng.integers(4, 9))
    optimizer.iterations.assign(number)
    generator.reset_from_seed(int(rng.integers(1000, 10_000)))
    ours = check.folder()
    names = [f"{ours}/ckpt-{number + i}" for i in (0, -1, -2)]
    checkpoint = tf.train.Checkpoint(net=net, optimizer=optimizer, generator=generator)
    tf.train.CheckpointManager(checkpoint, ours, 3).save(checkpoint_number=number)
    copy_checkpoint(*names)
    v1.train.update_checkpoint_state(ours, names[0], names[::-1], all_model_checkpoint_timestamps=3 * [time.time()])
    check.hand_over(ours)
    kinds = ([v.numpy() for v in optimizer.variables if v.path.endswith(kind)] for kind in ("momentum", "velocity"))
    losses, weights, *_ = go_on(net.get_weights(), *kinds, number, generator, 1)
    there = lambda: call(1, ours, number + 1, 1)
    q.close("from another's checkpoint", lambda: there()[1], losses, 1e-3, 1e-4)
    q.close("its weights", lambda: there()[0], in_a_row(weights), 1e-3, 1e-4)
    left = [f"ckpt-{number + i}" for i in range(-2, 2)]
    names = {"all-kept": lambda names: names == left, "numbered-by-call": lambda names: "ckpt-1" in names}
    q.satisfies("three remain", lambda: there()[2], lambda names: names == left[1:], names, 0.5)
    stored = lambda: there() and [np.shape(value) for value in check.read(f"{ours}/{left[-1]}").values()]
    shapes = lambda found: sorted(found).count((512, 10)) == 3  # the dense kernel, and Adam's two means of its gradients
    q.satisfies("what is in it", stored, shapes, {"optimizer-left-behind": lambda found: True}, weight=0.5)
### END HIDDEN TESTS
q.score()

# %% [markdown]
# **Look.** Does the optimizer's memory matter? One run of 60 steps goes on from the same weights twice: once with
# Adam's means, once with a new Adam, whose first steps have full length whatever the gradients are. (It may even
# end lower. But it is another run, and nobody asked for one.)

# %% tags=["explore"]
first, train, labels = new_run(), digits.X_train[:200], digits.y_train[:200]
loss_now = lambda net: float(keras.losses.sparse_categorical_crossentropy(labels, net(train), from_logits=True).numpy().mean())
trace = []
for _ in range(60):
    train_step(*first, train, labels)
    trace.append(loss_now(first[0]))
prefix = tf.train.Checkpoint(net=first[0], optimizer=first[1], generator=first[2]).write(f"{workdir()}/at-60")
reader = tf.train.load_checkpoint(prefix)
sizes = {name: np.prod(shape, dtype=int) for name, shape in reader.get_variable_to_shape_map().items()}
print(f"{sum(sizes.values()):,} numbers are saved, of which {first[0].count_params():,} are weights")

# %% tags=["explore"]
branches = {}
for name, parts in {"with its memory": ("net", "optimizer", "generator"), "a new Adam": ("net", "generator")}.items():
    again = dict(zip(("net", "optimizer", "generator"), new_run(), strict=True))
    tf.train.Checkpoint(**{part: again[part] for part in parts}).restore(prefix).expect_partial()
    branches[name] = 59 * [np.nan] + trace[-1:]
    for _ in range(30):
        train_step(*again.values(), train, labels)
        branches[name].append(loss_now(again["net"]))
plots.curves(
    {"": trace + 30 * [np.nan], **branches},
    xlabel="step",
    ylabel="training loss (nats)",
    yscale="log",
    title="A new Adam stumbles first",
    alt="A falling loss curve that splits at step 60. With the optimizer's memory it goes on falling in small waves; with a "
    "new Adam it first climbs for some steps, and then falls as well.",
)
for name, losses in branches.items():
    metrics.record(f"loss_five_steps_later_{name.replace(' ', '_').lower()}", losses[64], "nats")

# %% [markdown]
# > **Find it.** Keras's own dropout draws its masks with a generator of its own, whose state is a variable of the
# > model. Save such a model in a `tf.train.Checkpoint`, restore it, and ask whether everything has come back:
# > `assert_consumed()` says yes. Has it? And would `.keras` have done better?

# %% tags=["explore"]
nets = []
for _ in range(2):
    nets.append(keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.Dropout(0.5, seed=7)]))
saved_net, restored_net = nets
saved_net(np.ones((2, 4)), training=True)  # draws a mask
prefix = tf.train.Checkpoint(net=saved_net).save(f"{workdir()}/dropout")
tf.train.Checkpoint(net=restored_net).restore(prefix).assert_consumed()
for mine, other in zip(saved_net.variables, restored_net.variables, strict=True):
    print(mine.path, "came back" if np.array_equal(mine, other) else "did NOT come back")
assert not np.array_equal(saved_net.variables[-1], restored_net.variables[-1])
saved_net.save(f"{workdir()}/dropout.keras")
loaded_net = keras.models.load_model(f"{workdir()}/dropout.keras")
assert not np.array_equal(saved_net.variables[-1], loaded_net.variables[-1])

# %% [markdown] tags=["think-answer"]
# **The generator of the masks.** `assert_consumed` checks that everything *in the file* was used. It cannot know what
# never got into the file: the state of the dropout's generator is a variable of the model, but neither the checkpoint
# nor `.keras` takes it along (Keras 3.15). The weights are all right, and for nearly all purposes that will do; for the
# same bits, name the state yourself: `tf.train.Checkpoint(…, masks=net.variables[-1].value)`.

# %% tags=["explore"]
mask_state = lambda net: net.variables[-1].value
prefix = tf.train.Checkpoint(net=saved_net, masks=mask_state(saved_net)).save(f"{workdir()}/with-masks")
tf.train.Checkpoint(net=restored_net, masks=mask_state(restored_net)).restore(prefix).assert_consumed()
assert all(np.array_equal(*pair) for pair in zip(saved_net.variables, restored_net.variables, strict=True))

# %% [markdown]
# ### The kill
#
# Now for real. The cells of this notebook that define `new_run` and your `train_on` are written to a file, and another
# Python runs it: a process of its own, which takes some seconds to load TensorFlow. Meanwhile the same training runs
# here without interruption. Then the other process is killed, without warning, between two saves; and your function
# goes on from what it has left on disk.

# %% tags=["explore"]
STEPS, EVERY, KILL_AFTER = (600, 50, 320) if SCALE == "full" else (120, 10, 57)
images = data.load("mnist") if SCALE == "full" else digits
MAIN = f"""
made_step = train_step


def train_step(*run):
    loss = made_step(*run)
    print(loss, flush=True)  # for whoever watches
    time.sleep(0.05)
    return loss


images = data.load("mnist") if SCALE == "full" else data.digits(28)
train_on(sys.argv[1], images.X_train, images.y_train, {STEPS}, every={EVERY})
"""


# %% tags=["explore"]
def start_process(folder):
    """Train in a process of its own; its losses go to the file losses.txt in the same folder."""
    program = [f"SEED, SCALE = {SEED}, {SCALE!r}", cell_of(cell_of), cell_of(network), cell_of(new_run), cell_of(train_on), MAIN]
    Path(folder, "program.py").write_text("\n\n".join(program), encoding="utf-8")
    with open(f"{folder}/losses.txt", "w") as out, open(f"{folder}/messages.txt", "w") as messages:
        return subprocess.Popen([sys.executable, f"{folder}/program.py", folder], stdout=out, stderr=messages)


# %% tags=["explore"]
uninterrupted = killed = None
with check.waits_for("resume"):
    train_on(check.folder(), images.X_train, images.y_train, 0)  # nothing to do yet
    scene = check.folder()
    process = start_process(scene)
    try:
        uninterrupted = train_on(check.folder(), images.X_train, images.y_train, STEPS, every=EVERY)
        lines = lambda: Path(scene, "losses.txt").read_text().split("\n")[:-1]
        while len(lines()) < KILL_AFTER and process.poll() is None:
            time.sleep(0.02)
        assert process.poll() is None, Path(scene, "messages.txt").read_text()[-500:]
    finally:
        process.kill()
        process.wait()
    killed = [float(line) for line in lines()]
    print(f"Killed after step {len(killed)} (exit code {process.returncode}). It left:")
    print(", ".join(name for name in check.listing(scene) if "ckpt" in name or name == "checkpoint"))

# %% tags=["explore"]
resumed = None
with check.waits_for("resume", killed):
    backup = check.folder()  # as it was found, for question 9
    shutil.copytree(scene, backup, dirs_exist_ok=True)
    resumed = train_on(scene, images.X_train, images.y_train, STEPS, every=EVERY)
    again_from = STEPS - len(resumed[1])
    gap = max(float(np.abs(a - b).max()) for a, b in zip(uninterrupted[0], resumed[0], strict=True))
    metrics.record("largest_difference_after_the_kill", gap)
    metrics.record("steps_made_twice", len(killed) - again_from, "steps")
    net = new_run()[0]
    net.set_weights(resumed[0])
    predicted = np.argmax(net.predict(images.X_test, verbose=0), axis=-1)
    metrics.record("test_error_resumed", metrics.error_rate(images.y_test, predicted), "%")

# %% tags=["explore"]
with check.waits_for("resume", resumed):
    empty = lambda n: n * [np.nan]
    fig = plots.draw_curves(
        {
            "not interrupted": uninterrupted[1],
            "killed": killed + empty(STEPS - len(killed)),
            "resumed": empty(again_from) + resumed[1],
        },
        xlabel="step",
        ylabel="loss of the batch (nats)",
        title="Across a kill and a restart, the same curve",
    )
    fig.axes[0].lines[0].set(linewidth=7, alpha=0.35)
    fig.axes[0].axvline(len(killed), color=plots.GREY, linewidth=1, linestyle=":")
    plots.show(fig, alt="A broad jagged loss curve runs from the first step to the last. On it lies a dashed one that stops at a "
        "dotted line, where it was killed, and a third that begins a few steps before that line; both follow every turn of "
        "the broad one exactly.")

# %% [markdown]
# **Think.** A save takes $\delta$ seconds, and a failure comes every $M$ seconds on average. Saving often costs time,
# saving seldom costs work. What is the best interval?

# %% [markdown] tags=["think-answer"]
# With an interval $\tau$ the share of time lost is about $\delta/\tau$ for the saves, plus $\tau/(2M)$, since a failure costs
# half an interval on average. The sum is least at $\tau = \sqrt{2 \delta M}$, a formula of 1974 [4]. With saves of half a second
# and one failure a day that is every five minutes, and costs a third of a percent.

# %% tags=["explore"]
save, failure = 0.5, 24 * 3600
best = np.sqrt(2 * save * failure)
lost = lambda interval: save / interval + interval / (2 * failure)
assert 4.5 < best / 60 < 5.5
assert 0.3 < 100 * lost(best) < 0.36
assert lost(best) < min(lost(0.9 * best), lost(1.1 * best))

# %% [markdown]
# ## 7 · Three ways to put a model on disk
#
# A checkpoint belongs to a training. For a model that is done, Keras has three ways:
#
# * `net.save("net.keras")`, a zip file; `keras.models.load_model` opens it;
# * `net.save_weights("net.weights.h5")`, an HDF5 file, for `net.load_weights` of a net that was built the same way;
# * `net.export("folder", verbose=False)`, a **SavedModel**: functions, traced into graphs, with their variables.
#   `served = tf.saved_model.load("folder")` brings them back, and `served.serve(X)` calls the network. (Keep `served` in a
#   variable: the weights are gone when it is.)
#
# Try it with the smallest net there is, a single layer on the pixels:


# %% setup="one-layer"
def one_layer():
    """A dense layer on the pixels, whose weights begin with zero; it gives logits."""
    return keras.Sequential([keras.Input((28, 28, 1)), layers.Flatten(), layers.Dense(10, kernel_initializer="zeros")])


# %% answer="formats"
def save_three_ways(net, folder):
    """Save a Keras model in three ways: as net.keras, as net.weights.h5, and as a SavedModel in the folder served.

    Args:
        net: a built Keras model.
        folder: an existing folder, a path. Afterwards it has `net.keras`, `net.weights.h5` and `served/` in it.
    """
    ### BEGIN SOLUTION
    net.save(f"{folder}/net.keras")
    net.save_weights(f"{folder}/net.weights.h5")
    net.export(f"{folder}/served", verbose=False)
    ### END SOLUTION


def three_answers(folder, X):
    """What the three of them say about some images.

    Args:
        folder: with `net.keras`, `net.weights.h5` and `served/` in it. They need not be of the same net, but all are
            built as `one_layer()`'s, and expect no other answer than that of what is in THEIR file.
        X: images, float32, shape `(n, 28, 28, 1)`.

    Returns:
        A list of three arrays of logits, each of shape `(n, 10)`: by net.keras, by net.weights.h5, by served.
    """
    ### BEGIN SOLUTION
    whole = keras.models.load_model(f"{folder}/net.keras")
    net = one_layer()
    net.load_weights(f"{folder}/net.weights.h5")
    served = tf.saved_model.load(f"{folder}/served")
    return [model(X).numpy() for model in (whole, net, served.serve)]
    ### END SOLUTION


# A net was compiled with Adam and trained, then saved in three ways. What of it does each file hold? A list of any of:
# "layers" (what they are and how they are connected, to go on building and training with), "weights" (their values),
# "optimizer" (its memory: Adam's means), "function" (a traced graph, to be called without Keras and without layers)
comes_back = {
    "net.keras": None,
    "net.weights.h5": None,
    "served": None,
}
### BEGIN SOLUTION
comes_back = {
    "net.keras": ["layers", "weights", "optimizer"],
    "net.weights.h5": ["weights", "optimizer"],
    "served": ["weights", "function"],
}
### END SOLUTION

# %% test="formats" points=3
q = check.question(
    "formats",
    points=3,
    why="Give away a SavedModel to be used, .keras to be worked with, and keep the checkpoints for yourself.",
    misconceptions={
        "nothing-saved": "One of the three is missing, or has another name.",
        "weights-not-loaded": "The net that is to get the weights answers as a new one does: load them into it.",
        "all-from-one": "One file has answered for two. Each of the three is to be read.",
        "only-weights-in-weights": "“Weights only” is what it is called. Save a compiled, trained net and look into the file with h5py.",
        "keras-without-optimizer": "Compile a net, train it, save it, load it: can the loaded one go on with `fit` where the first stopped?",
        "served-has-layers": "A SavedModel of `export` is called, not looked into: what is left of the layers is a graph.",
        "served-has-optimizer": "Exported is what is needed to answer. Is the optimizer?",
        "weights-has-layers": "There are names and numbers in that file, and no word of strides or activations.",
        "function-in-keras": "A .keras file holds no traced function: Keras builds the layers anew from their description.",
    },
)
rng, folder, net = check.rng(), check.folder(), one_layer()
X = rng.random((5, 28, 28, 1), dtype=np.float32)
weights = [[rng.normal(size=w.shape, scale=0.1).astype("float32") for w in net.get_weights()] for _ in range(3)]


def number(i):
    """The net with the i-th weights."""
    net.set_weights(weights[i])
    return net


answers = [X.reshape(5, -1) @ kernel + bias for kernel, bias in weights]


@cache
def saved_three_ways():
    """The names of what the student has saved."""
    save_three_ways(number(0), folder)
    return {name.split("/")[0] for name in check.listing(folder)}


def mixed():
    """The student's answers when net.keras is another net's, and net.weights.h5 a third one's."""
    saved_three_ways()
    number(1).save(f"{folder}/net.keras")
    number(2).save_weights(f"{folder}/net.weights.h5")
    check.hand_over(folder)
    return three_answers(folder, X)


def listed(name=None):
    """The student's list for a file, in order; without a name all of them, as they are."""
    if None in comes_back.values():
        return None
    return sorted(comes_back[name]) if name else comes_back


names = {"net.keras", "net.weights.h5", "served"}
wrong = {"nothing-saved": lambda found: not names <= found}
q.satisfies("three ways", saved_three_ways, names.issubset, wrong, expected=f"{sorted(names)}")
answer = lambda: saved_three_ways() and check.read(f"{folder}/net.keras")(X)
q.close("net.keras, called", answer, answers[0], 1e-3, 1e-4, {"nothing-saved": FileNotFoundError}, weight=0.5)
whole = sorted(w.shape for w in weights[0])
stored = lambda: saved_three_ways() and sorted(np.shape(w) for w in check.read(f"{folder}/net.weights.h5").values())
q.equal("shapes in net.weights.h5", stored, whole, {"nothing-saved": FileNotFoundError}, weight=0.5)
expected = [answers[1], answers[2], answers[0]]
wrong = {"weights-not-loaded": [answers[1], np.zeros((5, 10)), answers[0]], "all-from-one": [answers[1]] * 3}
q.close("three files of three nets", mixed, expected, 1e-3, 1e-4, wrong, weight=1.5)
words = {"layers", "weights", "optimizer", "function"}
form = lambda found: found.keys() == names and all(set(listed(name)) <= words for name in found)
q.satisfies("lists of those four words", listed, form, weight=0.25, expected="three lists of the four words")
### BEGIN HIDDEN TESTS
with q.hidden():
    wrong = {"keras-without-optimizer": ["layers", "weights"], "function-in-keras": ["function", "layers", "optimizer", "weights"]}
    q.equal("what .keras brings", lambda: listed("net.keras"), ["layers", "optimizer", "weights"], wrong, weight=0.5)
    wrong = {"only-weights-in-weights": ["weights"], "weights-has-layers": ["layers", "optimizer", "weights"]}
    q.equal("what .weights.h5 brings", lambda: listed("net.weights.h5"), ["optimizer", "weights"], wrong, weight=0.5)
    wrong = {
        "served-has-layers": lambda found: "layers" in found,
        "served-has-optimizer": lambda found: "optimizer" in found,
    }
    q.satisfies("what a SavedModel brings", lambda: listed("served"), lambda found: found == ["function", "weights"], wrong, 0.5)
### END HIDDEN TESTS
q.score()

# %% [markdown]
# **Look.** Try it out with a net that is compiled and trained. What do the three say of themselves?

# %% tags=["explore"]
here = workdir() / "formats"
here.mkdir(exist_ok=True)


def compiled():
    """The net, compiled; its optimizer is not built yet."""
    net = new_run()[0]
    net.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return net


trained = compiled()
trained.fit(digits.X_train, digits.y_train, epochs=3, verbose=0)
steps = int(trained.optimizer.iterations)
with check.waits_for("formats"):
    save_three_ways(trained, here)
    again = keras.models.load_model(here / "net.keras")
    print("net.keras:", [type(layer).__name__ for layer in again.layers], f"and Adam after {int(again.optimizer.iterations)} steps")
    served = tf.saved_model.load(here / "served")
    print(f"served: a {type(served).__name__.strip('_')} with layers? {hasattr(served, 'layers')}; functions {list(served.signatures)}")
    assert int(again.optimizer.iterations) == steps

# %% [markdown]
# > **Find it.** “Weights only.” Is it? `load_weights` brings Adam's means back as well, if the optimizer is
# > built when it is called. If it is not, which is how most programs do it, they are dropped, and a warning says so.

# %% tags=["explore"]
with check.waits_for("formats"):
    import h5py

    with h5py.File(here / "net.weights.h5") as file:
        print("net.weights.h5:", {name: len(file[name]["vars"]) for name in file if "vars" in file[name]}, "and", *file["layers"])
    for built in (False, True):
        again = compiled()
        if built:
            again.optimizer.build(again.trainable_variables)
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            again.load_weights(here / "net.weights.h5")
        print(f"optimizer built: {built} → Adam after {int(again.optimizer.iterations)} steps; {len(told)} warning(s)")
        assert int(again.optimizer.iterations) == (steps if built else 0)

# %% [markdown]
# **Look.** A weight takes 4 bytes. Adam keeps two means of every weight, so a checkpoint of the run holds three numbers for
# each; HDF5 adds some order of its own. And one of these files holds every weight twice: which?

# %% tags=["explore"]
with check.waits_for("formats"), check.waits_for("save"):
    files = {f"formats/{name}": size for name, size in check.listing(here).items()}
    files |= {f"question 2/{name}": size for name, size in check.listing(workdir() / "question 2").items()}
    tf.train.Checkpoint(net=trained, optimizer=trained.optimizer).write(f"{workdir()}/formats-checkpoint")
    shown = {
        "Saver: .meta": files["question 2/net.meta"],
        "Saver: .index": files["question 2/net.index"],
        "Saver: .data (with momentum)": files["question 2/net.data-00000-of-00001"],
        "Checkpoint: .data (with Adam)": Path(f"{workdir()}/formats-checkpoint.data-00000-of-00001").stat().st_size,
        ".keras": files["formats/net.keras"],
        ".weights.h5": files["formats/net.weights.h5"],
        "SavedModel: graph": files["formats/served/saved_model.pb"],
        "SavedModel: values": files["formats/served/variables/variables.data-00000-of-00001"],
    }
    plots.bars(
        {name: size / 1000 for name, size in shown.items()},
        xlabel="kB",
        title="The same small network on disk",
        alt="Horizontal bars of the sizes of eight files, in kilobytes. The index is tiny; the two graphs are as large as the values of "
        "this small net; .keras and .weights.h5, with Adam's means in them, are the largest.",
    )
    for name, times in {"Checkpoint: .data (with Adam)": 3, "Saver: .data (with momentum)": 2, "SavedModel: values": 2}.items():
        assert 1 < shown[name] / (times * 4 * trained.count_params()) < 1.1, name

# %% [markdown]
# **Think.** A stranger sends you a model. Why would you rather open its `.weights.h5` than its SavedModel?

# %% [markdown] tags=["think-answer"]
# A graph is a program: a SavedModel or a `.meta` file can hold operations that read and write files, and they run
# when you run the model. So can a pickle, and so can a `.keras` file with Lambda layers, which is why `load_model`
# refuses those unless told otherwise. A file of arrays with names can at worst be wrong.

# %% [markdown]
# ## 8 · From a checkpoint of 2016 into a Keras model of today
#
# Arrays with names: that is enough to move. Build the same network in Keras, then give each layer *its* kernel and
# *its* bias. The names say which is which; the order in which a reader lists them does not.


# %% answer="transplant"
def keras_from_v1(prefix):
    """A Keras model with the weights of a v1 checkpoint.

    Args:
        prefix: of a checkpoint of `build_graph(filters)`, by a Saver that saved all variables; without its .meta.
            How many filters it was built with, the shapes in it tell.

    Returns:
        A Keras model of built-in layers that gives, for images of shape `(n, 28, 28, 1)`, the logits that the graph
        gave: see `network`, above.
    """
    ### BEGIN SOLUTION
    reader = tf.train.load_checkpoint(prefix)
    kernel = reader.get_tensor("features/kernel")
    convolution = layers.Conv2D(kernel.shape[-1], 5, 3, activation="relu")
    net = keras.Sequential([keras.Input((28, 28, 1)), convolution, layers.Flatten(), layers.Dense(10)])
    net.set_weights([reader.get_tensor(name) for name in WEIGHTS])
    return net
    ### END SOLUTION


# %% test="transplant" points=3
q = check.question(
    "transplant",
    points=3,
    why="Same arrays, same logits: the network does not know in which program it lives.",
    misconceptions={
        "velocities": "These are the optimizer's velocities: “kernel/Momentum” is not “kernel”.",
        "no-biases": "The biases have not come along.",
        "no-relu": "After the convolution comes a ReLU.",
        "probabilities": "Logits are asked for: no softmax at the end.",
        "eight-filters": "It need not have eight filters: look at the kernel's shape.",
    },
)


def a_checkpoint(folder, filters, rng):
    """Write values at random, and give the values."""
    values = {name: rng.normal(size=np.shape(value), scale=0.2).astype("float32") for name, value in beginning(filters).items()}
    values |= {"global_step": np.int64(77)}
    write_checkpoint(f"{folder}/old-77", values)
    check.hand_over(folder)
    return values


def transplant_case(values, X):
    """The right logits, and what common mistakes would give."""
    kernel, bias, dense, dense_bias = (values[name] for name in WEIGHTS)
    maps = tf.nn.conv2d(X, kernel, 3, "VALID")
    flat = lambda maps: tf.reshape(maps, (len(X), -1)).numpy()
    right = network(X, kernel, bias, dense, dense_bias).numpy()
    wrong = {
        "velocities": network(X, *(values[f"{name}/Momentum"] for name in WEIGHTS)).numpy(),
        "no-biases": flat(tf.nn.relu(maps)) @ dense,
        "no-relu": flat(maps + bias) @ dense + dense_bias,
        "probabilities": tf.nn.softmax(right).numpy(),
    }
    return {"expected": right, "rtol": 1e-3, "atol": 1e-3, "wrong": wrong}


rng, folder = check.rng(), check.folder()
X, filters = rng.random((6, 28, 28, 1), dtype=np.float32), int(rng.integers(3, 8))
values = a_checkpoint(folder, filters, rng)
moved = cache(lambda: keras_from_v1(f"{folder}/old-77"))
case = transplant_case(values, X)
case["wrong"] |= {"eight-filters": ValueError}
q.close(f"six images, by a network with {filters} filters", lambda: moved()(X), **case)
counts = lambda: sum(layer["parameters"] for layer in check.describe(moved()))
q.equal("how many parameters", counts, sum(values[name].size for name in WEIGHTS), weight=0.5)
### BEGIN HIDDEN TESTS
with q.hidden():
    X = rng.random((5, 28, 28, 1), dtype=np.float32)
    q.close("other images", lambda: moved()(X), **transplant_case(values, X))
### END HIDDEN TESTS
q.score()

# %% [markdown]
# **Look.** The checkpoint that your `save_trained` wrote in question 2, now as a Keras model: how many test digits
# does it get wrong, and does it agree with the session?

# %% tags=["explore"]
with check.waits_for("transplant"), check.waits_for("save"):
    prefix = f"{workdir()}/question 2/net"
    net = keras_from_v1(prefix)
    logits = net.predict(digits.X_test, verbose=0)
    with v1.Graph().as_default(), v1.Session() as session:
        v1.train.import_meta_graph(f"{prefix}.meta").restore(session, prefix)
        gap = np.abs(session.run("logits:0", {"X:0": digits.X_test}) - logits).max()
    metrics.record("test_error_transplanted", metrics.error_rate(digits.y_test, np.argmax(logits, axis=-1)), "%")
    print(f"largest difference to the session's logits: {gap:.1e}")

# %% [markdown]
# ## 9 · When the newest one is broken
#
# TensorFlow writes a checkpoint under another name first and renames it when it is whole, so a killed process leaves
# no half of one. Full disks, interrupted copies and tired hardware do. The newest checkpoint may then be **cut off**, have a
# **flipped bit**, or lack a **file**. The `.index` has a checksum (CRC-32C) of every value, which is compared when
# that value is *read*: opening a checkpoint proves nothing.


# %% answer="last-good"
def last_good(folder):
    """The newest checkpoint in a folder that can be read from beginning to end.

    Args:
        folder: with checkpoints called NAME-STEP, for instance net-900 and net-1000 or ckpt-20, of which any may be
            damaged: cut off, changed, or without one of its files. A file `checkpoint` may be there or not, and may
            name a damaged one.

    Returns:
        The prefix of the one with the highest STEP that is not damaged, for instance f"{folder}/net-900".

    Raises:
        FileNotFoundError: there is no checkpoint that can be read. Its text says so, and names the folder.
    """
    ### BEGIN SOLUTION
    prefixes = [str(path.with_suffix("")) for path in Path(folder).glob("*-*.index")]
    for prefix in sorted(prefixes, key=lambda prefix: int(prefix.split("-")[-1]), reverse=True):
        try:
            reader = tf.train.load_checkpoint(prefix)
            for name in reader.get_variable_to_shape_map():
                reader.get_tensor(name)
        except (tf.errors.OpError, IndexError, ValueError):
            continue
        return prefix
    raise FileNotFoundError(f"Expected a checkpoint that can be read in {folder}. Found {len(prefixes)}, all damaged.")
    ### END SOLUTION


# %% test="last-good" points=3
q = check.question(
    "last-good",
    points=3,
    why="A few minutes of training are lost, and not a week.",
    misconceptions={
        "newest-trusted": "The newest one is damaged, which neither its name nor the file `checkpoint` tells: try to read it.",
        "only-opened": "That one can be opened, but not read to its end: a checksum is compared when its value is read.",
        "first-value-only": "One bit of its last value is wrong, which shows only when that value is read: read all of them.",
        "listed-only": "`checkpoint` need not list all that are there: look into the folder itself.",
        "sorted-as-text": "As text, “net-9” comes after “net-10”. Steps are numbers.",
        "oldest": "That is the oldest good one. How much work may be lost?",
        "files-exist": "All its files are there. What is in them?",
        "none-returned": "Where none can be read, say so: raise FileNotFoundError.",
        "last-one-raises": "A damaged one is no reason to stop: catch what TensorFlow raises, and look at the one before.",
    },
)


def checkpoints(home, name, *steps, named=True):
    """A new folder of checkpoints, all of the same three values, if so wanted with the file `checkpoint` that names the last."""
    folder = tempfile.mkdtemp(dir=home)
    copy_checkpoint(original, *(f"{folder}/{name}-{step}" for step in steps))
    if named:
        v1.train.update_checkpoint_state(folder, f"{folder}/{name}-{steps[-1]}")
    return folder


def damage(file, change):
    """Change the bytes of a file."""
    path = Path(file)
    path.write_bytes(change(path.read_bytes()))


cut = lambda content: content[: len(content) // 2]
flip = lambda content: content[:-700] + bytes([content[-700] ^ 1]) + content[-699:]  # one bit of “c”
DATA = "data-00000-of-00001"
found = lambda folder: Path(last_good(folder)).name
home = check.folder()
original = f"{home}/original"
write_checkpoint(original, {part: np.random.default_rng(9).normal(size=300) for part in "abc"})
whole = checkpoints(home, "net", 8, 9, 10)
torn = checkpoints(home, "net", 8, 10, 9, 11)
damage(f"{torn}/net-11.{DATA}", cut)
flipped = checkpoints(home, "net", 100, 200, 300)
damage(f"{flipped}/net-300.{DATA}", flip)
check.hand_over(home)
wrong = {"sorted-as-text": "net-9", "oldest": "net-8"}
q.equal("nothing is damaged", lambda: found(whole), "net-10", wrong, weight=0.5)
wrong = {"newest-trusted": "net-11", "sorted-as-text": "net-9", "oldest": "net-8", "listed-only": FileNotFoundError}
wrong |= {"last-one-raises": Exception}
q.equal("11 is cut off", lambda: found(torn), "net-10", wrong)
wrong = {"first-value-only": "net-300", "oldest": "net-100", "last-one-raises": Exception}
q.equal("one bit of 300 is flipped", lambda: found(flipped), "net-200", wrong)
q.raises("an empty folder", lambda: last_good(check.folder()), FileNotFoundError, {"none-returned": None}, weight=0.5)
### BEGIN HIDDEN TESTS
with q.hidden():
    rng = check.rng()
    steps = [int(step) for step in 7 + np.cumsum(rng.integers(3, 90, 6))]
    names = [f"model-{step}" for step in steps]
    home = check.folder()
    folder = checkpoints(home, "model", *steps)
    Path(f"{folder}/{names[5]}.{DATA}").unlink()
    for name in names[4:]:
        damage(f"{folder}/{name}.index", cut)
    damage(f"{folder}/{names[3]}.{DATA}", flip)
    damage(f"{folder}/{names[0]}.{DATA}", cut)
    bare = checkpoints(home, "model", *steps[3:], named=False)
    damage(f"{bare}/{names[5]}.{DATA}", cut)
    broken = checkpoints(home, "model", *steps[:3])
    for name in names[:3]:
        damage(f"{broken}/{name}.{DATA}", cut)
    check.hand_over(home)
    wrong = {"newest-trusted": names[5], "files-exist": names[4], "only-opened": names[3], "oldest": names[1]}
    q.equal("three are damaged", lambda: found(folder), names[2], wrong | {"last-one-raises": Exception})
    q.equal("without the file checkpoint", lambda: found(bare), names[4], {"newest-trusted": names[5], "oldest": names[3]}, weight=0.5)
    wrong = {"none-returned": None, "newest-trusted": f"{broken}/{names[2]}"}
    q.raises("all are damaged", lambda: last_good(broken), FileNotFoundError, wrong)
### END HIDDEN TESTS
q.score()

# %% [markdown]
# **Look.** Back to the process that was killed. Its newest checkpoint is now cut off in the middle, as an interrupted
# copy would leave it. Your `last_good` finds the one before, `checkpoint` is made to name that one, and your `train_on` goes on.

# %% tags=["explore"]
mended = None
with check.waits_for("resume", killed), check.waits_for("last-good"):
    newest = tf.train.latest_checkpoint(backup)
    damage_at = Path(f"{newest}.data-00000-of-00001")
    damage_at.write_bytes(damage_at.read_bytes()[:20_000])
    try:
        train_on(backup, images.X_train, images.y_train, STEPS, every=EVERY)
    except Exception as error:
        print(f"{Path(newest).name}: {type(error).__name__}")
    good = last_good(backup)
    print(f"the last good one: {Path(good).name}")
    v1.train.update_checkpoint_state(backup, good)
    mended = train_on(backup, images.X_train, images.y_train, STEPS, every=EVERY)
    gap = max(float(np.abs(a - b).max()) for a, b in zip(uninterrupted[0], mended[0], strict=True))
    metrics.record("largest_difference_after_the_damage", gap)

# %% [markdown]
# ## To take away
#
# * The graph says what is computed, the values are what was learned. They are saved apart, because only one of them changes.
# * A prefix is no file: `.index` says where, `.data` has the values, `.meta` the graph, and `checkpoint` names the newest.
# * A file of arrays with names can be read by anyone, without the program that wrote it.
# * To go on as if nothing had happened takes *everything* that the next step depends on: weights, optimizer, counter,
#   random numbers. Same bits or not is the test.
# * “Everything in the file was used” does not mean that everything was in the file.
# * A SavedModel is to be called, `.keras` to be worked with, and both can hold programs. Weights are data.
# * The newest checkpoint is not always a good one: read it to the end before you rely on it, and keep a few.
#
# ## References
#
# 1. M. Abadi et al.: *TensorFlow: Large-scale machine learning on heterogeneous distributed systems.* 2015.
#    arXiv:1603.04467
# 2. A. Agrawal et al.: *TensorFlow Eager: A multi-stage, Python-embedded DSL for machine learning.* MLSys, 2019.
#    arXiv:1903.01855
# 3. TensorFlow guide: *Training checkpoints.* tensorflow.org/guide/checkpoint
# 4. J. W. Young: *A first order approximation to the optimum checkpoint interval.* Communications of the ACM 17(9),
#    530–531, 1974.
