# %% [markdown]
# # Lab 02 · AlexNet: shapes and parameters
#
# **About two hours · 10 questions · 30 points**
#
# You will be able to
#
# * work out the shape of every layer of a network with padding and strides, and say when a size cannot be;
# * count its weights, biases, multiply–adds and neurons, and say where the parameters are and where the work
#   is;
# * carry out local response normalisation, overlapping pooling and a convolution in two towers;
# * build AlexNet in Keras at any width, without ever holding all of it in memory;
# * quote what was published (errors, speed, sizes) for what it was measured on.
#
# **You need** lab 01. Arrays are NHWC throughout: image, row, column, channel. Nothing that is graded has to
# be trained: this lab is arithmetic, and nearly every wrong number in it is a known mistake with a name.

# %% tags=["parameters"]
SEED = 0
SCALE = "smoke"

# %% setup="imports"
from functools import cache

import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from keras import layers

from labkit import check, data, metrics, plots

# kernel_size, stride, padding on each side, filters; the pooling layers have windows and no filters
ALEXNET = {
    "CONV1": (11, 4, 0, 96),
    "POOL1": (3, 2, 0, None),
    "CONV2": (5, 1, 2, 256),
    "POOL2": (3, 2, 0, None),
    "CONV3": (3, 1, 1, 384),
    "CONV4": (3, 1, 1, 384),
    "CONV5": (3, 1, 1, 256),
    "POOL5": (3, 2, 0, None),
}
UNITS = {"FC6": 4096, "FC7": 4096, "FC8": 1000}

# %% [markdown]
# ## Where it comes from
#
# The ImageNet challenge of 2012 gave 1.2 million training images and asked which of 1000 things each of
# 100,000 test images shows. Five guesses were allowed: the **top-5 error** is the share of images whose right
# class is not among them. Alex Krizhevsky, Ilya Sutskever and Geoffrey Hinton entered a convolutional network
# [1], trained for five to six days on two GTX 580 cards with 3 GB each, about 90 times through all images.
#
# Four numbers are quoted for what came out, and they do not mean the same:
#
# | top-5 error | of what | measured on |
# |---|---|---|
# | 26.2 % | the best other entry (Fisher vectors of SIFT and other features) | test images |
# | 18.2 % | **one** such network | validation images |
# | 15.4 % | **seven** networks, their predictions averaged; two of them had seen more of ImageNet | validation images |
# | 15.3 % | the same seven | test images |
#
# > **Find it, settle it with the original.** A lecture gives AlexNet's error as 15.4 % and the next best as
# > 26.2 %. Both are in Table 2 of the paper, but in different columns, and 15.4 % is not what *a* network
# > does. The lab below is about the one network.

# %% tags=["explore"]
plots.bars(
    {
        "best other entry (test)": 26.2,
        "one network (validation)": 18.2,
        "seven networks (validation)": 15.4,
        "seven networks (test)": 15.3,
    },
    xlabel="top-5 error (%)",
    title="ILSVRC-2012: four numbers, four meanings",
    alt="Bars of the top-5 error: best other entry 26.2 %, one network 18.2 %, seven networks 15.4 % on the "
    "validation images and 15.3 % on the test images.",
)

# %% [markdown]
# Little in it was new by itself. It is a larger LeNet-5: five convolutional layers instead of two, three
# fully connected ones, and $\max(0, a)$ instead of tanh.
#
# > **Find it, settle it with the original.** "First use of ReLU", a lecture says. The paper does not: it
# > cites Nair and Hinton (2010) [2] for the unit. Fukushima had it in 1969 [3], Jarrett and others used
# > rectified convolutional networks in 2009 [4], Glorot and others deep ones in 2011 [5]. New was how far it
# > went: a network of this size, on this many images, and a measurement of how much faster such a network
# > learns, which you will try to repeat.

# %% [markdown]
# ## 1 · A size that cannot be
#
# A kernel steps along a side of the image: at how many places does it come to lie? So many numbers come out. In
# lab 01 pixels at the end that were too few for another step stayed unused. Now zeros may be **padded** around
# the image, the same number on each side, and nothing may be left over: if the kernel's last step does not
# end exactly at the edge, somebody has made a mistake, and your function raises an error.


# %% answer="output-size"
def output_size(size, kernel_size, stride=1, padding=0):
    """The number of places for a kernel along one side of a padded image.

    Args:
        size: pixels along the side, an int.
        kernel_size: pixels of the kernel, an int.
        stride: pixels from one place to the next, an int.
        padding: pixels of zeros added at EACH end of the side, an int.

    Returns:
        An int, for instance `output_size(5, 3, stride=2, padding=1) == 3`.

    Raises:
        ValueError: the kernel is larger than the padded image, or pixels would be left over.
    """
    ### BEGIN SOLUTION
    steps, rest = divmod(size + 2 * padding - kernel_size, stride)
    if steps < 0 or rest:
        raise ValueError(f"Expected whole steps. Received {size=}, {kernel_size=}, {stride=}, {padding=}.")
    return steps + 1
    ### END SOLUTION


# %% test="output-size" points=3
q = check.question(
    "output-size",
    points=3,
    why="The paper prints 224, and with 224 its own first layer cannot be: the arithmetic wants 227.",
    misconceptions={
        "no-plus-one": "That counts the steps. The place where the kernel starts counts, too.",
        "padding-once": "The zeros are added at both ends: they make the side longer by twice the padding.",
        "padding-ignored": "The padding makes the image larger before the kernel starts.",
        "stride-ignored": "With a stride of s the next place is s pixels on.",
        "rounded-down": "Rounding down hides that pixels are left over. Here that is an error: raise ValueError.",
        "rounded-up": "Rounding up lets the kernel hang over the edge. Here that is an error: raise ValueError.",
        "not-whole": "There is no such thing as a fraction of a place. Raise ValueError.",
        "larger-kernel": "A kernel that is larger than the padded image has no place at all: raise ValueError.",
        "exact-fit-refused": "A kernel exactly as wide as the image with its zeros has one place.",
    },
)


wrong = {"no-plus-one": 54, "stride-ignored": 217}
q.equal("CONV1: 11 on 227, stride 4", lambda: output_size(227, 11, stride=4), 55, wrong)
wrong = {"no-plus-one": 26, "stride-ignored": 53}
q.equal("POOL1: 3 on 55, stride 2", lambda: output_size(55, 3, stride=2), 27, wrong)
wrong = {"no-plus-one": 26, "padding-once": 25, "padding-ignored": 23}
q.equal("CONV2: 5 on 27, padding 2", lambda: output_size(27, 5, padding=2), 27, wrong)
wrong = {"rounded-down": 54, "rounded-up": 55, "not-whole": 54.25}
q.raises("the paper's 224", lambda: output_size(224, 11, stride=4), ValueError, wrong)
wrong = {"exact-fit-refused": ValueError}
q.equal("5 on 3, padding 1", lambda: output_size(3, 5, padding=1), 1, wrong, weight=0.5)
q.raises("7 on 3", lambda: output_size(3, 7), ValueError, {"larger-kernel": -3, "no-plus-one": -4}, weight=0.5)
### BEGIN HIDDEN TESTS


def size_case(n, k, s, p):
    """The right number of places where they come out whole, and what common mistakes would give."""
    steps = (n + 2 * p - k) / s
    wrong = {"no-plus-one": steps, "stride-ignored": steps * s + 1}
    wrong |= {"padding-once": (n + p - k) // s + 1, "padding-ignored": (n - k) // s + 1}
    return {"expected": steps + 1, "wrong": wrong}


with q.hidden():
    rng = check.rng()
    k, s, p, steps = (int(rng.integers(low, high)) for low, high in [(7, 12), (3, 6), (1, 4), (5, 20)])
    n = k + s * steps - 2 * p
    q.equal("another size", lambda: output_size(n, k, stride=s, padding=p), **size_case(n, k, s, p))
    wrong = {"rounded-down": steps + 1, "rounded-up": steps + 2, "not-whole": steps + 1 + 1 / s}
    q.raises(
        "a pixel too many", lambda: output_size(n + 1, k, stride=s, padding=p), ValueError, wrong, weight=0.5
    )
    wrong = {"larger-kernel": -1, "no-plus-one": -2}
    q.raises("no place", lambda: output_size(k, k + 2 * s, s), ValueError, wrong, weight=0.5)
### END HIDDEN TESTS
q.score()

# %% [markdown]
# **Think.** How many pixels of zeros does an image of 224 need, in all, to give the paper's 55 places? Can
# they be shared equally between the two ends?

# %% [markdown] tags=["think-answer"]
# 55 places with a stride of 4 need 54 · 4 + 11 = 227 pixels, so 3 are missing: 1 at one end and 2 at the
# other. Equal shares never work, since 224 + 2p − 11 is odd for every p, and no odd number can be divided
# by 4. Why the paper says 224 it does not tell; its program may have padded crops of 224 pixels. The labs say
# 227.

# %% tags=["think-answer"]
assert (227 - 11) / 4 + 1 == 55
assert all((224 + 2 * padding - 11) % 4 for padding in range(1000))
padded = layers.ZeroPadding2D(((1, 2), (1, 2))).compute_output_shape((None, 224, 224, 3))
assert padded == (None, 227, 227, 3)

# %% [markdown]
# ## 2 · The whole table
#
# Here is the network with a single tower, as lectures draw it. (The paper's own has two; that is question 8.)
#
# | layer | what it does |
# |---|---|
# | input | an image of 227×227 pixels, 3 channels |
# | CONV1 | 96 kernels of 11×11, stride 4 |
# | POOL1 | maximum over 3×3, stride 2 |
# | NORM1 | local response normalisation: each number is divided by another (question 6) |
# | CONV2 | 256 kernels of 5×5, padding 2 |
# | POOL2 | maximum over 3×3, stride 2 |
# | NORM2 | local response normalisation |
# | CONV3 | 384 kernels of 3×3, padding 1 |
# | CONV4 | 384 kernels of 3×3, padding 1 |
# | CONV5 | 256 kernels of 3×3, padding 1 |
# | POOL5 | maximum over 3×3, stride 2 |
# | FC6, FC7 | 4096 units each |
# | FC8 | 1000 units, one for each class |
#
# `ALEXNET` and `UNITS`, at the top of the notebook, hold these numbers for a loop, all but NORM1 and NORM2.

# %% answer="shape-table"
# A dict: layer name → shape of its output as a tuple, (height, width, channels) or (units,), one image only.
# All fourteen, from "input", "CONV1", "POOL1", "NORM1" to "FC8": {"input": (227, 227, 3), …}. A tuple of one
# number, say 10, is written (10,).
shapes = None
### BEGIN SOLUTION
shapes = {
    "input": (227, 227, 3),
    "CONV1": (55, 55, 96),
    "POOL1": (27, 27, 96),
    "NORM1": (27, 27, 96),
    "CONV2": (27, 27, 256),
    "POOL2": (13, 13, 256),
    "NORM2": (13, 13, 256),
    "CONV3": (13, 13, 384),
    "CONV4": (13, 13, 384),
    "CONV5": (13, 13, 256),
    "POOL5": (6, 6, 256),
    "FC6": (4096,),
    "FC7": (4096,),
    "FC8": (1000,),
}
### END SOLUTION


# %% test="shape-table" points=3
q = check.question(
    "shape-table",
    points=3,
    why="Three poolings and one stride of 4 do all the shrinking: from 227 pixels to 6.",
    misconceptions={
        "channels-first": "Channels come last here: (height, width, channels).",
        "no-channels": "The number of feature maps belongs to the shape.",
        "no-plus-one": "Question 1: the place where the kernel starts counts, too.",
        "padding-ignored": "Look at the table again: this convolution is padded.",
        "pooling-padded": "Pooling is not padded: the last window ends at the edge.",
        "channels-multiplied": "Each kernel reads all the maps at once and makes one new map.",
        "one-tower-of-two": "That is what lies on one of the paper's two cards. Here there is a single tower.",
        "input-of-224": "With 224 pixels CONV1 does not come out whole. The input has 227.",
        "not-flattened": "A fully connected layer reads all numbers at once and knows no rows and columns.",
        "comma-missing": "`(10)` is the number 10. A tuple of one needs its comma: `(10,)`.",
        "layers-missing": "Fourteen are asked for: the input is one of them, and so are NORM1 and NORM2.",
        "batch-axis": "One image only: leave out the axis along which Keras counts images.",
    },
)


def shape_in_table(name):
    """The shape that the answer gives, or None before there is one."""
    return shapes and tuple(shapes[name])


def shape_mistakes(size, channels, **more):
    """What common mistakes would write for a shape (size, size, channels)."""
    wrong = {"channels-first": (channels, size, size), "no-channels": (size, size)}
    wrong |= {"batch-axis": (None, size, size, channels)}
    return wrong | {name.replace("_", "-"): shape for name, shape in more.items()}


names = {"input", *ALEXNET, "NORM1", "NORM2", *UNITS}
all_there = lambda table: all(len(table[name]) for name in names)
wrong = {"comma-missing": lambda table: any(isinstance(shape, int | np.integer) for shape in table.values())}
wrong |= {"layers-missing": lambda table: not names <= table.keys()}
q.satisfies("fourteen shapes", lambda: shapes, all_there, wrong, 0.5, "a shape for each of the fourteen")
wrong = shape_mistakes(227, 3, input_of_224=(224, 224, 3))
q.equal("input", lambda: shape_in_table("input"), (227, 227, 3), wrong, weight=0.5)
wrong = shape_mistakes(55, 96, no_plus_one=(54, 54, 96), one_tower_of_two=(55, 55, 48))
wrong |= {"channels-multiplied": (55, 55, 288)}
q.equal("CONV1", lambda: shape_in_table("CONV1"), (55, 55, 96), wrong)
wrong = shape_mistakes(27, 96, no_plus_one=(26, 26, 96), pooling_padded=(28, 28, 96))
q.equal("POOL1", lambda: shape_in_table("POOL1"), (27, 27, 96), wrong, weight=0.5)
wrong = shape_mistakes(27, 256, padding_ignored=(23, 23, 256), one_tower_of_two=(27, 27, 128))
q.equal("CONV2", lambda: shape_in_table("CONV2"), (27, 27, 256), wrong, weight=0.5)
### BEGIN HIDDEN TESTS
hints = {
    "norm_shrinks": "Normalisation divides every number by another: there are as many afterwards as before.",
    "paper_order": "In this table pooling comes before normalisation. (In the paper it comes after.)",
}
with q.hidden(**hints):
    size, channels = 227, 3
    for name, (kernel_size, stride, padding, filters) in ALEXNET.items():
        before = size
        size = (size + 2 * padding - kernel_size) // stride + 1
        channels = filters or channels
        wrong = shape_mistakes(size, channels, no_plus_one=(size - 1, size - 1, channels))
        unpadded = (before - kernel_size) // stride + 1
        wrong |= {"padding-ignored": (unpadded, unpadded, channels)} if padding else {}
        wrong |= {} if filters else {"pooling-padded": (-(-before // stride),) * 2 + (channels,)}
        wrong |= {"one-tower-of-two": (size, size, channels // 2)}
        wrong |= {"channels-multiplied": lambda s, c=channels: s[2] > c}
        right = (size, size, channels)
        judged = {mistake: s if callable(s) else lambda t, s=s: t == s for mistake, s in wrong.items()}
        q.satisfies(
            name, lambda name=name: shape_in_table(name), lambda s, right=right: s == right, judged, weight=0.5
        )
        if name in ("POOL1", "POOL2"):
            norm = name.replace("POOL", "NORM")
            judged |= {"norm-shrinks": lambda s, n=size: s[0] < n, "paper-order": lambda s, n=before: s[0] == n}
            q.satisfies(
                norm, lambda norm=norm: shape_in_table(norm), lambda s, right=right: s == right, judged, weight=0.5
            )
    for name, units in UNITS.items():
        right = ((units,), (1, 1, units))
        wrong = {"not-flattened": lambda s, units=units: len(s) == 3 and s[2] == units}
        wrong |= {"one-tower-of-two": lambda s, units=units: s[-1] == units // 2}
        q.satisfies(
            name, lambda name=name: shape_in_table(name), lambda s, right=right: s in right, wrong, weight=0.5
        )
### END HIDDEN TESTS
q.score()

# %% [markdown]
# **Look.** A Keras layer can say what its output will look like before it has a single weight:
# `layer.compute_output_shape(shape)`. That is how this lab asks Keras about the whole network. Building all of
# it would take 250 MB for the weights alone.


# %% tags=["explore"]
def keras_layers():
    """The layers of AlexNet, described but not built: they have no weights yet."""
    for name, (kernel_size, stride, padding, filters) in ALEXNET.items():
        if filters:
            yield name, layers.Conv2D(filters, kernel_size, stride, "same" if padding else "valid")
        else:
            yield name, layers.MaxPooling2D(kernel_size, stride)
    yield "flatten", layers.Flatten()
    yield from ((name, layers.Dense(units)) for name, units in UNITS.items())


# %% tags=["explore"]
shape, by_keras = (None, 227, 227, 3), {}
for name, layer in keras_layers():
    shape = layer.compute_output_shape(shape)
    by_keras[name] = shape[1:]
assert by_keras["flatten"] == (9216,)
with check.waits_for("shape-table", shapes):
    for name, shape in by_keras.items():
        same = np.array_equal(shapes.get(name, shape), shape)
        print(f"{name:8} {shape!s:14}", "" if same else f"and you say {shapes[name]}")

# %% [markdown]
# **Think.** The lecture's table normalises after pooling. The paper normalises first: convolution, ReLU,
# normalisation, pooling. Which shapes change? What does it cost?

# %% [markdown] tags=["think-answer"]
# Only NORM1 and NORM2: 55×55×96 instead of 27×27×96, and 27×27×256 instead of 13×13×256, so the normalisation
# has more than four times as many numbers to work on. What comes out of the pair has the same shape either
# way, and no parameter is counted differently; the values do differ, since the maximum is taken among
# normalised numbers.

# %% tags=["think-answer"]
assert 55 * 55 * 96 / (27 * 27 * 96) > 4
assert 27 * 27 * 256 / (13 * 13 * 256) > 4

# %% [markdown]
# ## 3 · Where the parameters are
#
# A kernel of $k×k$ is as deep as its input has channels: $k^2 c$ weights and one bias for each filter. A fully
# connected layer is the same with $k = 1$: its channels are all the numbers that it reads.
#
# The paper's network lies on **two cards**. In CONV2, CONV4 and CONV5 a kernel reads only the maps on its own
# card, half of them: these layers work in 2 **groups**. Everything else reads all there is.
#
# > **Find it, settle it with the original.** A lecture gives CONV1's parameters as (11·11·3)·96 ≈ 34,848.
# > Those are its *weights*. The parameters that a framework reports are a few more.


# %% answer="count-parameters"
def count_parameters(kernel_size, channels, filters, groups=1):
    """The weights and the biases of a layer.

    Args:
        kernel_size: height and width of the kernels, an int; 1 for a fully connected layer.
        channels: how many maps (or numbers) the layer's input has, an int, all groups together.
        filters: how many maps (or units) the layer makes, an int, all groups together.
        groups: into how many equal groups input and filters are parted, an int; a filter reads its own group.

    Returns:
        A tuple of two ints, (weights, biases); for instance `count_parameters(5, 3, 8) == (600, 8)`.
    """
    ### BEGIN SOLUTION
    return kernel_size**2 * (channels // groups) * filters, filters
    ### END SOLUTION


# A dict: layer name → its parameters, weights and biases together, an int. A single tower; all layers from
# "CONV1" to "FC8", pooling and normalisation too.
parameters = None
# The parameters in all: {"one tower": an int, "two towers": an int}.
all_parameters = None
### BEGIN SOLUTION
rows = {"CONV1": (11, 3, 96), "CONV2": (5, 96, 256), "CONV3": (3, 256, 384), "CONV4": (3, 384, 384)}
rows |= {"CONV5": (3, 384, 256), "FC6": (1, 6 * 6 * 256, 4096), "FC7": (1, 4096, 4096), "FC8": (1, 4096, 1000)}
parameters = {name: sum(count_parameters(*row)) for name, row in rows.items()}
parameters |= dict.fromkeys(("POOL1", "NORM1", "POOL2", "NORM2", "POOL5"), 0)
groups = {"CONV2": 2, "CONV4": 2, "CONV5": 2}
two_towers = sum(sum(count_parameters(*row, groups.get(name, 1))) for name, row in rows.items())
all_parameters = {"one tower": sum(parameters.values()), "two towers": two_towers}
### END SOLUTION


# %% test="count-parameters" points=4
q = check.question(
    "count-parameters",
    points=4,
    why="Two towers save 1.4 million parameters, hardly noticed beside the 37.8 million of FC6.",
    misconceptions={
        "no-bias": "Those are the weights. Every filter has a bias, and parameters are both.",
        "one-bias": "One bias is not enough for the layer: every filter has its own.",
        "bias-for-each-channel": "A filter has one bias, however many channels it reads.",
        "kernel-not-square": "An 11×11 kernel has 121 weights for each channel.",
        "channels-ignored": "A kernel is as deep as its input has channels.",
        "own-channels": "A kernel is as deep as the layer's INPUT. How many maps come out is the number of kernels.",
        "groups-ignored": "With two groups a kernel reads only half of the channels.",
        "one-group-only": "That is one group. The filters of all groups count.",
        "groups-twice": "Groups divide what a filter reads. All the filters are still there.",
        "biases-divided": "Groups halve what a filter reads, not its bias.",
        "towers-doubled": "Two towers are one network in two halves, not two networks.",
        "pooling-has-none": "Taking a maximum, or dividing by a formula, needs nothing that is learned.",
        "layers-missing": "Thirteen are asked for: pooling and normalisation have a number, too.",
    },
)


wrong = {
    "no-bias": (34_848, 0),
    "one-bias": (34_848, 1),
    "bias-for-each-channel": (34_848, 288),
    "kernel-not-square": (3_168, 96),
    "channels-ignored": (11_616, 96),
    "own-channels": (1_115_136, 96),
}
q.equal("CONV1: weights, biases", lambda: count_parameters(11, 3, 96), (34_848, 96), wrong)
wrong = {"groups-ignored": (614_400, 256), "one-group-only": (153_600, 128), "biases-divided": (307_200, 128)}
wrong |= {"groups-twice": (153_600, 256)}
q.equal("CONV2 in two groups", lambda: count_parameters(5, 96, 256, groups=2), (307_200, 256), wrong)
wrong = {"no-bias": 34_848, "one-bias": 34_849}
q.equal("parameters of CONV1", lambda: parameters and parameters["CONV1"], 34_944, wrong, weight=0.5)
names = {*ALEXNET, "NORM1", "NORM2", *UNITS}
all_there = lambda table: all(table[name] >= 0 for name in names)
wrong = {"layers-missing": lambda table: not names <= table.keys()}
q.satisfies("thirteen layers", lambda: parameters, all_there, wrong, 0.25, "a number for each of the thirteen")
fewer = lambda sums: 0 < sums["two towers"] < sums["one tower"]
wrong = {"towers-doubled": lambda sums: sums["two towers"] > sums["one tower"]}
wrong |= {"groups-ignored": lambda sums: sums["two towers"] == sums["one tower"]}
q.satisfies("two sums", lambda: all_parameters, fewer, wrong, 0.25, "fewer for two towers than for one")
### BEGIN HIDDEN TESTS


def layer_case(k, c, f, g=1):
    """The right (weights, biases) of a layer, and what common mistakes would give."""
    w = k * k * (c // g) * f
    wrong = {"no-bias": (w, 0), "one-bias": (w, 1), "bias-for-each-channel": (w, c // g * f)}
    wrong |= {"kernel-not-square": (w // k, f), "channels-ignored": (k * k * f, f)}
    wrong |= {"own-channels": (k * k * (f // g) * f, f), "groups-ignored": (w * g, f)}
    wrong |= {"one-group-only": (w // g, f // g), "biases-divided": (w, f // g), "groups-twice": (w // g, f)}
    return {"expected": (w, f), "wrong": wrong}


def summed_case(*rows):
    """The same for several layers, weights and biases added up."""
    cases = [layer_case(*row) for row in rows]
    add = lambda pairs: sum(map(sum, pairs))
    wrong = {name: add(case["wrong"][name] for case in cases) for name in cases[0]["wrong"]}
    return {"expected": add(case["expected"] for case in cases), "wrong": wrong}


hints = {
    "not_flattened": "FC6 reads every number of every map of POOL5, not one number a map.",
    "towers_never_talk": "CONV3 reads the maps of both cards: it has no groups.",
    "another_alexnet": "That is torchvision's AlexNet, with 64, 192, 384, 256 and 256 filters: a later paper's.",
}
with q.hidden(**hints):
    one = [(11, 3, 96), (5, 96, 256), (3, 256, 384), (3, 384, 384), (3, 384, 256)]
    one += [(1, 9216, 4096), (1, 4096, 4096), (1, 4096, 1000)]
    names = [name for name in (*ALEXNET, *UNITS) if "POOL" not in name]
    for name, row in list(zip(names, one, strict=True))[1:]:
        case = summed_case(row)
        case["wrong"] |= {"not-flattened": 256 * 4096 + 4096} if name == "FC6" else {}
        q.equal(name, lambda name=name: parameters and parameters[name], **case, weight=0.25)
    for name in ("POOL1", "POOL2", "POOL5", "NORM1", "NORM2"):
        q.satisfies(
            name,
            lambda name=name: parameters and parameters[name],
            lambda count: count == 0,
            {"pooling-has-none": lambda count: count > 0},
            weight=0.1,
        )
    rng = check.rng()
    k, c, f, g = (int(rng.integers(low, high)) for low, high in [(2, 8), (5, 20), (21, 40), (2, 5)])
    c, f = g * c, g * f
    q.equal("another layer", lambda: count_parameters(k, c, f, groups=g), **layer_case(k, c, f, g))
    q.equal("without groups", lambda: count_parameters(k, c, f), **layer_case(k, c, f))
    two = [(*row, 2) if i in (1, 3, 4) else row for i, row in enumerate(one)]
    case = summed_case(*one)
    case["wrong"] |= {"not-flattened": case["expected"] - (9216 - 256) * 4096, "another-alexnet": 61_100_840}
    q.equal("one tower", lambda: all_parameters and all_parameters["one tower"], **case)
    case = summed_case(*two)
    never = case["expected"] - 9 * 128 * 384
    case["wrong"] |= {"towers-never-talk": never, "another-alexnet": 61_100_840}
    case["wrong"] |= {"groups-ignored": summed_case(*one)["expected"]}
    q.equal("two towers", lambda: all_parameters and all_parameters["two towers"], **case)
### END HIDDEN TESTS
q.score()

# %% [markdown]
# ## 4 · Where the work is
#
# A weight of a convolution is used at every place of its output; a weight of a fully connected layer once. So
# the work is a count of its own: the **MACs**, multiplications with an addition each. (FLOPs count the two
# apart: there are twice as many.) Biases, activations, pooling and normalisation are left out.


# %% answer="count-macs"
def count_macs(output_shape, kernel_size, channels, groups=1):
    """The multiply–adds that one image costs in a layer; biases do not count.

    Args:
        output_shape: the layer's output, a tuple (height, width, filters), or (units,) if fully connected.
        kernel_size: height and width of the kernels, an int; 1 for a fully connected layer.
        channels: how many maps (or numbers) the layer's input has, an int, all groups together.
        groups: into how many equal groups input and filters are parted, an int.

    Returns:
        An int, for instance `count_macs((10, 10, 8), 5, 3) == 60_000`.
    """
    ### BEGIN SOLUTION
    return int(np.prod(output_shape)) * kernel_size**2 * (channels // groups)
    ### END SOLUTION


# The MACs of the whole network for one image: {"one tower": an int, "two towers": an int}.
all_macs = None
### BEGIN SOLUTION
reads = {"CONV1": ((55, 55, 96), 11, 3), "CONV2": ((27, 27, 256), 5, 96), "CONV3": ((13, 13, 384), 3, 256)}
reads |= {"CONV4": ((13, 13, 384), 3, 384), "CONV5": ((13, 13, 256), 3, 384)}
reads |= {"FC6": ((4096,), 1, 9216), "FC7": ((4096,), 1, 4096), "FC8": ((1000,), 1, 4096)}
halved = {"CONV2": 2, "CONV4": 2, "CONV5": 2}
all_macs = {
    "one tower": sum(count_macs(*layer) for layer in reads.values()),
    "two towers": sum(count_macs(*layer, halved.get(name, 1)) for name, layer in reads.items()),
}
### END SOLUTION


# %% test="count-macs" points=3
q = check.question(
    "count-macs",
    points=3,
    why="With one tower, 6 % of the parameters do 95 % of the work: those of the convolutions.",
    misconceptions={
        "flops": "That counts multiplications and additions apart. A MAC is one of each.",
        "biases-counted": "Adding a bias is no multiply–add.",
        "positions-ignored": "Those are the weights. Each is used at every place of the output.",
        "one-side-only": "The places of the output are its height times its width.",
        "kernel-not-square": "At each place an 11×11 kernel multiplies 121 numbers in each channel.",
        "channels-ignored": "At each place a kernel multiplies numbers of all the channels that it reads.",
        "own-channels": "The kernels are as deep as the layer's INPUT.",
        "groups-ignored": "With two groups a kernel reads only half of the channels.",
        "one-group-only": "That is the work of one group.",
        "towers-never-talk": "CONV3 reads the maps of both towers: it has no groups.",
    },
)


wrong = {
    "flops": 210_830_400,
    "biases-counted": 105_705_600,
    "positions-ignored": 34_848,
    "one-side-only": 1_916_640,
    "kernel-not-square": 9_583_200,
    "channels-ignored": 35_138_400,
    "own-channels": 3_373_286_400,
}
q.equal("CONV1", lambda: count_macs((55, 55, 96), 11, 3), 105_415_200, wrong)
wrong = {"flops": 33_554_432, "biases-counted": 16_781_312}
q.equal("FC7", lambda: count_macs((4096,), 1, 4096), 16_777_216, wrong, weight=0.5)
fewer = lambda sums: 0 < sums["two towers"] < sums["one tower"]
wrong = {"groups-ignored": lambda sums: sums["two towers"] == sums["one tower"]}
q.satisfies("two sums", lambda: all_macs, fewer, wrong, 0.25, "less for two towers than for one")
### BEGIN HIDDEN TESTS


def macs_case(shape, k, c, g=1):
    """The right MACs of a layer, and what common mistakes would give."""
    *sides, f = shape
    places = int(np.prod(sides, dtype=int))
    right = places * k * k * (c // g) * f
    wrong = {"flops": 2 * right, "biases-counted": right + places * f, "positions-ignored": right // places}
    wrong |= {"one-side-only": right // (sides or [1])[0], "kernel-not-square": right // k}
    wrong |= {"channels-ignored": right // (c // g), "own-channels": right // c * f}
    wrong |= {"groups-ignored": right * g, "one-group-only": right // g}
    return {"expected": right, "wrong": wrong}


with q.hidden():
    rng = check.rng()
    k, c, f, g, n = (int(rng.integers(low, high)) for low, high in [(2, 8), (5, 20), (21, 40), (2, 5), (9, 30)])
    shape = n, n + 3, g * f
    answer = lambda: count_macs(shape, k, g * c, groups=g)
    q.equal("groups", answer, **macs_case(shape, k, g * c, g))
    q.equal("no groups", lambda: count_macs(shape, k, g * c), **macs_case(shape, k, g * c))
    network, size, channels = [], 227, 3
    for name, (k, s, p, filters) in ALEXNET.items():
        size = (size + 2 * p - k) // s + 1
        if filters:
            network.append((name, (size, size, filters), k, channels))
            channels = filters
    channels *= size**2
    for name, units in UNITS.items():
        network.append((name, (units,), 1, channels))
        channels = units
    one = {name: macs_case(*row) for name, *row in network}
    two = {name: macs_case(*row, 2 if name in ("CONV2", "CONV4", "CONV5") else 1) for name, *row in network}
    apart = two | {"CONV3": macs_case(*network[2][1:], 2)}
    never = {"towers-never-talk": sum(case["expected"] for case in apart.values())}
    for label, cases in {"one tower": one, "two towers": two}.items():
        mistakes = next(iter(cases.values()))["wrong"]
        wrong = {mistake: sum(case["wrong"][mistake] for case in cases.values()) for mistake in mistakes} | never
        expected = sum(case["expected"] for case in cases.values())
        q.equal(label, lambda label=label: all_macs and all_macs[label], expected, wrong)
### END HIDDEN TESTS
q.score()

# %% [markdown]
# **Look.** Where the parameters are, and where the work is.

# %% tags=["explore"]
depth = {"CONV1": 3, "CONV2": 96, "CONV3": 256, "CONV4": 384, "CONV5": 384}
depth |= {"FC6": 9216, "FC7": 4096, "FC8": 4096}
plan = [(name, ALEXNET.get(name, [1])[0], channels, by_keras[name]) for name, channels in depth.items()]
with check.waits_for("count-parameters"), check.waits_for("count-macs"):
    weighing = {name: sum(count_parameters(k, c, shape[-1])) for name, k, c, shape in plan}
    work = {name: count_macs(shape, k, c) for name, k, c, shape in plan}
    print(f"{sum(weighing.values()):,} parameters, {sum(work.values()):,} MACs with one tower")
    share = lambda counts: 100 * sum(counts[name] for name in UNITS) / sum(counts.values())
    print(f"fully connected: {share(weighing):.0f} % of the parameters, {share(work):.0f} % of the MACs")
    plots.bars(
        {name: count / 1e6 for name, count in weighing.items()},
        {name: count / 1e6 for name, count in work.items()},
        xlabel="parameters (millions)",
        second_xlabel="MACs for one image (millions)",
        title="The parameters are in FC6, the work is in the convolutions",
        alt="Two panels of bars. Parameters: the convolutions hardly show, FC6 has 37.8 million, FC7 16.8. "
        "Multiply–adds: CONV2 has 448 million, CONV4 224, the fully connected layers hardly any.",
    )

# %% [markdown]
# **Look.** Memory is a third matter. All outputs are kept until the way back has used them, for each of the
# 128 images of the paper's batches.

# %% tags=["explore"]
memory = {name: 4 * 128 * np.prod(by_keras[name]) / 2**20 for name in (*ALEXNET, *UNITS)}
plots.bars(
    memory,
    xlabel="outputs of a batch of 128 (MiB, four bytes each)",
    title="The memory is in CONV1 and CONV2",
    alt="Bars of the memory for each layer's outputs: CONV1 142 MiB, POOL1 34, CONV2 91, POOL2 21, CONV3 and "
    "CONV4 32 each, CONV5 21, and under 5 for all after it.",
)

# %% [markdown]
# **Think.** Count what training must hold: the parameters, their gradients, the velocities of momentum; the
# outputs of a batch, and the gradients of these. Which of it shrinks with the batch? Would it fit a card of
# 3 GB?

# %% [markdown] tags=["think-answer"]
# Three times 62.4 million numbers are 0.75 GB, whatever the batch. The outputs are 0.4 GB, their gradients as
# much again, and these two shrink with it. That makes 1.5 GB and would fit; but it is the least that can be.
# What the normalisation and dropout keep for the way back, the images, and the working space of the
# convolutions come on top, and the authors write that their network was too large for one card.

# %% tags=["think-answer"]
assert round(3 * 4 * 62.4e6 / 1e9, 2) == 0.75
assert round(sum(memory.values()) * 2**20 / 1e9, 2) == 0.4

# %% [markdown]
# ## 5 · 650,000 neurons
#
# The abstract says "60 million parameters and 650,000 neurons". Figure 2 of the paper gives the neurons layer
# by layer: "253,440–186,624–64,896–64,896–43,264–4096–4096–1000". A layer with weights has a neuron for each
# number that comes out of it: CONV1 to CONV5, FC6 to FC8. Pooling has none.
#
# > **Find it, settle it with the original.** One of the eight numbers is not the product of its layer's shape.


# %% answer="neurons"
# A dict: "CONV1" … "CONV5", "FC6", "FC7", "FC8" → how many neurons the layer has by its shape, an int.
neurons = None
# The name of the layer for which the paper prints another number.
misprinted = None
### BEGIN SOLUTION
neurons = {"CONV1": 55 * 55 * 96, "CONV2": 27 * 27 * 256, "CONV3": 13 * 13 * 384, "CONV4": 13 * 13 * 384}
neurons |= {"CONV5": 13 * 13 * 256, "FC6": 4096, "FC7": 4096, "FC8": 1000}
misprinted = "CONV1"
### END SOLUTION


# %% test="neurons" points=2
q = check.question(
    "neurons",
    points=2,
    why="The eight should add up to 659,272, which the abstract's 650,000 fits; the caption's make 622,312.",
    misconceptions={
        "after-pooling": "That is what pooling leaves. The neurons are the numbers before it.",
        "one-card": "That is what lies on one of the two cards. Count both.",
        "one-map": "That is one feature map. There is one for every filter.",
        "maps-counted": "A feature map is as many neurons as it has places.",
        "weights-counted": "Those are parameters. Neurons share them: count the numbers that come out.",
        "input-counted": "The pixels of the input are no neurons.",
        "another-layer": "For that layer the paper's number is the product of its shape.",
        "as-printed": "For the layer that you name, you have the very number that the paper prints.",
    },
)


wrong = {"after-pooling": 43_264, "one-card": 93_312, "one-map": 729, "maps-counted": 256}
wrong |= {"weights-counted": 614_400}
q.equal("CONV2", lambda: neurons and neurons["CONV2"], 186_624, wrong)
all_there = lambda table: all(table[name] > 0 for name in (*ALEXNET, *UNITS) if "POOL" not in name)
q.satisfies("eight layers", lambda: neurons, all_there, weight=0.25, expected="a number for each of the eight")
q.satisfies("a layer", lambda: misprinted, lambda name: name in (*ALEXNET, *UNITS), None, 0.25, "its name, a str")
caption = [253_440, 186_624, 64_896, 64_896, 43_264, 4096, 4096, 1000]
yours = lambda: neurons and misprinted and neurons.get(misprinted, 0)
wrong = {"as-printed": lambda count: count in caption}
q.satisfies("its number, by its shape", yours, lambda count: count > 0 and count not in caption, wrong, 0.25)
### BEGIN HIDDEN TESTS


def neurons_case(size, maps, kernel_size, channels):
    """The right number of neurons of a layer, and what common mistakes would give."""
    pooled = ((size - 3) // 2 + 1) ** 2 * maps
    weights = kernel_size**2 * channels * maps
    wrong = {"after-pooling": pooled, "one-card": size**2 * maps // 2, "one-map": size**2}
    wrong |= {"maps-counted": maps, "weights-counted": lambda v: v in (weights, weights + maps)}
    judged = {name: v if callable(v) else lambda w, v=v: w == v for name, v in wrong.items()}
    return {"condition": lambda v: v == size**2 * maps, "wrong": judged}


hints = {
    "the_papers_number": "So the paper prints it. Multiply height, width and maps of CONV1 yourself.",
    "the_papers_sum": "That is the sum of the paper's eight numbers, of which one is not right.",
}
with q.hidden(**hints):
    case = neurons_case(55, 96, 11, 3)
    case["wrong"] |= {"the-papers-number": lambda v: v == 253_440}
    q.satisfies("CONV1", lambda: neurons and neurons["CONV1"], **case)
    for name, channels, maps in [("CONV3", 256, 384), ("CONV4", 384, 384), ("CONV5", 384, 256)]:
        case = neurons_case(13, maps, 3, channels)
        q.satisfies(name, lambda name=name: neurons and neurons[name], **case, weight=0.25)
    for name, units in UNITS.items():
        q.equal(name, lambda name=name: neurons and neurons[name], units, weight=0.25)
    wrong = {"the-papers-sum": lambda v: v == 622_312, "input-counted": lambda v: v - 659_272 in (154_587, 150_528)}
    wrong |= {"one-card": lambda v: 2 * v >= 659_272 > 1.9 * v}
    right = 55**2 * 96 + 27**2 * 256 + 13**2 * (384 + 384 + 256) + 4096 + 4096 + 1000
    q.satisfies("in all", lambda: neurons and sum(neurons.values()), lambda v: v == right, wrong, weight=0.5)
    wrong = {"another-layer": lambda name: name in (*ALEXNET, *UNITS)}
    q.satisfies("the misprint", lambda: misprinted, lambda name: name == "CONV1", wrong)
### END HIDDEN TESTS
q.score()

# %% [markdown] tags=["think-answer"]
# **The paper's sum.** 253,440 would be 55·48·96, one side of CONV1 too short; nobody has explained it. The
# abstract's 650,000 is nearer to the right sum, 659,272, than to the sum of the caption, 622,312. The caption
# also calls the input 150,528-dimensional: that is 224·224·3.

# %% tags=["think-answer"]
caption = [253_440, 186_624, 64_896, 64_896, 43_264, 4096, 4096, 1000]
counted = [int(np.prod(by_keras[name])) for name in depth]
assert sum(a != b for a, b in zip(caption, counted, strict=True)) == 1
assert 55 * 48 * 96 in caption
assert (sum(caption), sum(counted), 224 * 224 * 3) == (622_312, 659_272, 150_528)

# %% [markdown]
# ## 6 · Neighbours that damp each other
#
# After the ReLU of CONV1 and CONV2 each number is divided by something that grows with the numbers **at the
# same place in the neighbouring maps**. A unit that is strongly excited damps its neighbours:
#
# $$b^i = \frac{a^i}{\Big(k + \alpha \sum_{j=\max(0,\, i-h)}^{\min(N-1,\, i+h)} (a^j)^2\Big)^{\beta}}
# \qquad h = \lfloor n/2 \rfloor$$
#
# with $N$ maps and $k = 2$, $n = 5$, $\alpha = 10^{-4}$, $\beta = 0.75$. With it the authors' top-1 error was lower
# by 1.4 percentage points, and the top-5 error by 1.2. Later networks do without.
#
# > **Find it, settle it with the original.** One set of notes prints the lower end of the sum as
# > max(0, 1 − n/2). Then the last map would have all the others for neighbours.


# %% answer="lrn"
def normalise_responses(A, k=2, n=5, alpha=1e-4, beta=0.75):
    """Local response normalisation across the maps. NumPy only.

    Args:
        A: feature maps after their ReLU, floats, shape `(images, height, width, maps)`.
        k, alpha, beta: the formula's constants, floats.
        n: how many neighbouring maps count, an odd int: the map itself and `n // 2` on each side, as far as
            there are so many.

    Returns:
        Floats of the shape of `A`, equal to `tf.nn.local_response_normalization(A, n // 2, k, alpha, beta)`
        to a millionth of each number.
    """
    ### BEGIN SOLUTION
    B = np.empty_like(A)
    for i in range(A.shape[-1]):
        neighbours = A[..., max(0, i - n // 2) : i + n // 2 + 1]
        B[..., i] = A[..., i] / (k + alpha * (neighbours**2).sum(axis=-1)) ** beta
    return B
    ### END SOLUTION


# %% test="lrn" points=4
q = check.question(
    "lrn",
    points=4,
    why="TensorFlow has the paper's formula to the letter. PyTorch's layer of this name divides α by n.",
    misconceptions={
        "alpha-divided": "Here α is not divided by n. (Some libraries do that, and their α means something else.)",
        "last-map-missing": "The window is as wide on one side as on the other: a slice leaves out its end.",
        "window-too-wide": "n maps in all, not n on each side; and half of 5 is rounded down, to 2 on each side.",
        "own-map-only": "The map's neighbours belong to the sum.",
        "all-maps": "Not all maps count, only the n around this one.",
        "squares-missing": "The squares are added up.",
        "power-missing": "The denominator is raised to the power β.",
        "multiplied": "That makes the strong ones stronger. Divide.",
        "window-wraps": "The first map is no neighbour of the last. Beyond either end there is nothing.",
        "neighbouring-pixels": "The neighbours are other maps at the same place, not other places of the same map.",
        "window-from-one": "That is the misprint's window: it begins at the first map, wherever i is.",
        "negative-start": "A slice that starts at −1 starts at the last map, and is empty here.",
        "both-ends": "Two things: a slice that starts at −1 starts at the last map, and each leaves out its end.",
        "end-left-out": "The formula's upper limit is the last map that counts. A slice leaves out its end.",
        "square-of-sum": "Square first, then add up.",
        "in-place": "The sums are of what came in, not of maps that are normalised already.",
        "places-mixed": "Each place has a sum of its own: add up along the maps alone.",
        "constants-ignored": "k, n, α and β are arguments: here they are not the paper's.",
    },
)


A = np.array([[1.0, 2, 3, 1], [0, 0, 0, 2]]).reshape(1, 1, 2, 4)


def over(*first, last=5):
    """A divided by these: the four maps of the first place, and the last map of the second."""
    return A / np.reshape([*first, 1, 1, 1, last], A.shape)


wrong = {
    "alpha-divided": 3 * over(8, 17, 17, 13, last=7),
    "last-map-missing": over(2, 6, 14, 11),
    "window-too-wide": over(15, 16, 16, 15),
    "own-map-only": over(2, 5, 10, 2),
    "all-maps": over(16, 16, 16, 16),
    "squares-missing": over(4, 7, 7, 5, last=3),
    "multiplied": A * np.reshape([6, 15, 15, 11, 1, 1, 1, 5], A.shape),
    "window-wraps": over(7, 15, 15, 12),
    "window-from-one": over(6, 15, 16, 16),
    "negative-start": over(1, 15, 15, 11),
    "both-ends": over(1, 6, 14, 11),
    "end-left-out": over(2, 6, 14, 10, last=1),
    "square-of-sum": over(10, 37, 37, 17),
    "in-place": over(6, 14.0277778, 11.0203274, 2.07410602),
    "places-mixed": over(6, 15, 19, 15, last=15),
    "neighbouring-pixels": over(2, 5, 10, 6, last=6),
    "constants-ignored": over(1.68267569, 1.68273875, 1.68273875, 1.68267569, last=1.68204509),
}
answer = lambda: normalise_responses(A, k=1, n=3, alpha=1, beta=1)
q.forbids("tensorflow", "keras", "scipy", "torch", "jax", answer=lambda: normalise_responses)
q.close("two places, four maps, all constants 1 and n = 3", answer, over(6, 15, 15, 11), wrong=wrong)
C = 40.0 + 30 * np.cos(np.arange(36)).reshape(1, 2, 2, 9)
B = tf.nn.local_response_normalization(C.astype("float32"), 2, 2, 1e-4, 0.75).numpy()
wrong = {"power-missing": C / (C / B) ** (4 / 3)}
q.close("nine maps, the paper's constants", lambda: normalise_responses(C), B, 1e-6, 1e-6, wrong)
### BEGIN HIDDEN TESTS


def lrn_case(A, k=2, n=5, alpha=1e-4, beta=0.75):
    """What TensorFlow gives, and what common mistakes would."""
    j, i = np.indices((A.shape[-1],) * 2)
    half, N = n // 2, A.shape[-1]
    damp = lambda S, alpha=alpha, beta=beta: A / (k + alpha * S) ** beta
    near = lambda width: A**2 @ (abs(i - j) <= width)
    right = tf.nn.local_response_normalization(A.astype("float32"), half, k, alpha, beta).numpy()
    wrong = {"alpha-divided": damp(near(half), alpha=alpha / n), "own-map-only": damp(A**2)}
    wrong |= {"last-map-missing": damp(A**2 @ ((i - half <= j) & (j < i + half))), "all-maps": damp(near(N))}
    wrong |= {"window-from-one": damp(A**2 @ (j <= i + half)), "power-missing": damp(near(half), beta=1)}
    wrong |= {"squares-missing": damp(A @ (abs(i - j) <= half)), "multiplied": damp(near(half), beta=-beta)}
    wrong |= {"window-wraps": damp(A**2 @ ((j - i + half) % N <= 2 * half))}
    wrong |= {"power-on-the-sum": damp(near(half) ** beta, beta=1)}
    columns = np.subtract.outer(*2 * [range(A.shape[2])])
    pixels = (A**2).swapaxes(2, 3) @ (abs(columns) <= half)
    wrong |= {"neighbouring-pixels": damp(pixels.swapaxes(2, 3))}
    too_wide = damp(near(half + 1)), damp(near(n)), damp(near(n - 1))
    wrong["window-too-wide"] = lambda B: any(np.allclose(B, C, 1e-6, 1e-6) for C in too_wide)
    same = lambda C: lambda B: np.shape(B) == C.shape and np.allclose(B, C, 1e-6, 1e-6)
    judged = {name: C if callable(C) else same(C) for name, C in wrong.items()}
    return {"condition": same(right), "wrong": judged, "expected": "what TensorFlow gives (tolerance 1e-6)"}


with q.hidden(power_on_the_sum="The whole denominator is raised to the power β, k included."):
    rng = check.rng()
    A = np.abs(rng.normal(40, 30, size=(2, 4, 5, 12))) + 1
    q.satisfies("the paper's constants", lambda: normalise_responses(A), **lrn_case(A))
    constants = {"k": 1.0 + rng.random(), "alpha": 0.1 + rng.random(), "beta": 0.5 + 0.2 * rng.random()}
    for n in (3, 7):
        B = np.abs(rng.normal(size=(2, 3, 6, 16))) + 0.1
        answer = lambda B=B, n=n: normalise_responses(B, n=n, **constants)
        q.satisfies("other constants", answer, **lrn_case(B, n=n, **constants))
### END HIDDEN TESTS
q.score()

# %% [markdown]
# **Look.** Sixteen maps at one place. Two peaks stand out, and what lies beside them is pushed down. (All the
# others are damped as well, those at both ends less: they have fewer neighbours. With the paper's constants
# activations have to reach the hundreds to stand out.)

# %% tags=["explore"]
a = np.full((1, 1, 1, 16), 60.0)
a[..., 4], a[..., 11] = 300, 150
with check.waits_for("lrn"):
    plots.curves(
        {"before": a.ravel(), "after": np.asarray(normalise_responses(a)).ravel()},
        range(16),
        xlabel="map",
        ylabel="activation",
        title="A strong unit damps its neighbours",
        alt="Two curves over sixteen maps. Before: level at 60 with peaks of 300 and 150. After: all is lower, "
        "a little less at both ends, and within two maps of each peak the level has dropped below the rest.",
    )

# %% [markdown]
# ## 7 · Windows that overlap
#
# LeNet-5's pooling windows touch: 2×2 with a stride of 2. AlexNet's overlap: $z = 3$ pixels wide, $s = 2$
# apart, and the **maximum** counts instead of the mean. From 55 pixels both make 27. (Windows of 2×2 leave one
# row and one column unused: what question 1 refused, pooling layers permit.) With $z = 3$ instead of $z = 2$ the
# authors' top-1 error was lower by 0.4 percentage points, the top-5 error by 0.3, and the network overfitted a
# little less.


# %% answer="max-pool"
def max_pool(X, size=3, stride=2):
    """Max pooling, unpadded. NumPy only.

    Args:
        X: feature maps, floats, shape `(n, height, width, channels)`; numbers may be negative.
        size: height and width of a window in pixels, an int.
        stride: pixels from one window to the next, an int. Pixels left over at the end are not used.

    Returns:
        Shape `(n, (height - size) // stride + 1, (width - size) // stride + 1, channels)`: the maximum of each
        window, channel by channel.
    """
    ### BEGIN SOLUTION
    n, height, width, channels = X.shape
    Z = np.empty((n, (height - size) // stride + 1, (width - size) // stride + 1, channels))
    for i in range(Z.shape[1]):
        for j in range(Z.shape[2]):
            window = X[:, i * stride : i * stride + size, j * stride : j * stride + size]
            Z[:, i, j] = window.max(axis=(1, 2))
    return Z
    ### END SOLUTION


# %% test="max-pool" points=3
q = check.question(
    "max-pool",
    points=3,
    why="Every pixel on a seam belongs to two windows, so little depends on where exactly the seams are.",
    misconceptions={
        "windows-touch": "These windows only touch. The stride says how far apart they are, not their size.",
        "window-too-small": "That is z = s. Here the windows are wider than the stride.",
        "mean": "That is average pooling. Here each window gives its largest number.",
        "stride-one": "The next window starts `stride` pixels on.",
        "last-missing": "The last window along each side is missing: the first place counts, too.",
        "hangs-over": "A window that hangs over the edge is left out.",
        "channels-mixed": "Each channel has a maximum of its own.",
        "images-mixed": "Each image and each channel has a maximum of its own: along which axes do you take it?",
        "at-least-zero": "The maximum of negative numbers is negative. Where did your 0 come from?",
        "largest-size": "The largest number, sign included: 1 is more than −2.",
        "left-over-refused": "Question 1 refused pixels left over. Pooling does not use them, and goes on.",
        "axes-exchanged": "An array made of a list of rows has the rows first. The images come first.",
    },
)


X = [[1, 5, 2, 0, 3, 1, 6, 2, 0], [0, 2, 1, 7, 1, 4, 2, 5, 8], [3, 1, 4, 1, 0, 2, 0, 1, 3], [2, 8, 0, 1, 6, 0, 3, 7, 2]]
X = np.array([*X, [1, 0, 2, 3, 9, 5, 1, 0, 4]], "float32").reshape(1, 5, 9, 1)


def pooled(*rows):
    """One feature map, written row by row."""
    return np.array(rows, "float32")[None, :, :, None]


expected = pooled([5, 7, 6, 8], [8, 9, 9, 7])
wrong = {
    "windows-touch": pooled([5, 7, 8]),
    "window-too-small": pooled([5, 7, 4, 6], [8, 4, 6, 7]),
    "mean": pooled([19, 19, 19, 27], [21, 26, 26, 21]) / 9,
    "stride-one": pooled([5, 7, 7, 7, 6, 6, 8], [8, 8, 7, 7, 6, 7, 8], [8, 8, 9, 9, 9, 7, 7]),
    "last-missing": pooled([5, 7, 6]),
    "axes-exchanged": expected.reshape(2, 4, 1, 1),
}
q.forbids("tensorflow", "keras", "scipy", "skimage", "torch", "jax", answer=lambda: max_pool)
q.close("3×3 on 5×9, stride 2", lambda: max_pool(X), expected, wrong=wrong)
pair = lambda *numbers: np.reshape(numbers, (2, 1, 1, 2))
wrong = {
    "at-least-zero": pair(0, 0, 0, 0),
    "largest-size": pair(48, 47, 24, 23),
    "channels-mixed": pair(-31, -31, -7, -7),
    "images-mixed": pair(-7, -7, -7, -7),
    "window-too-small": np.reshape([-40, -39, -28, -27, -16, -15, -4, -3], (2, 2, 1, 2)),
    "hangs-over": np.reshape([-32, -31, -26, -25, -8, -7, -2, -1], (2, 2, 1, 2)),
    "left-over-refused": ValueError,
}
Y = np.arange(-48, 0, dtype="float32").reshape(2, 4, 3, 2)
q.close("two images, two channels, a row left over", lambda: max_pool(Y), pair(-32, -31, -8, -7), wrong=wrong)
### BEGIN HIDDEN TESTS


def pool_case(X, z, s):
    """The right maxima, and what common mistakes would give."""
    pool = lambda X, z, s: tf.nn.max_pool2d(X, z, s, "VALID").numpy()
    right = pool(X, z, s)
    wrong = {"windows-touch": pool(X, z, z), "window-too-small": pool(X, s, s), "stride-one": pool(X, z, 1)}
    wrong |= {"mean": tf.nn.avg_pool2d(X, z, s, "VALID").numpy(), "last-missing": right[:, :-1, :-1]}
    wrong |= {"at-least-zero": np.maximum(right, 0), "channels-mixed": right.max(axis=-1, keepdims=True)}
    low = np.pad(X, [(0, 0), (0, z - 1), (0, z - 1), (0, 0)], constant_values=-1e9)
    over = pool(low, z, s)[:, : -(-(X.shape[1] - z) // s) + 1, : -(-(X.shape[2] - z) // s) + 1]
    wrong |= {"hangs-over": over, "largest-size": np.where(pool(-X, z, s) > right, -pool(-X, z, s), right)}
    mixed = np.broadcast_to(wrong["channels-mixed"], right.shape), wrong["channels-mixed"][..., 0]
    same = lambda C: lambda Z: np.shape(Z) == C.shape and np.allclose(Z, C)
    judged = {name: same(C) for name, C in wrong.items()}
    judged["channels-mixed"] = lambda Z: any(same(C)(Z) for C in (wrong["channels-mixed"], *mixed))
    judged["largest-size"] = lambda Z: same(wrong["largest-size"])(Z) or same(abs(wrong["largest-size"]))(Z)
    return {"condition": same(right), "wrong": judged, "expected": "the largest number of each window"}


with q.hidden():
    rng = check.rng()
    for z, s, height, width in [(3, 2, 10, 13), (4, 3, 13, 15)]:
        X = rng.normal(-0.5, 1, size=(2, height, width, 3)).astype("float32")
        q.satisfies("other images", lambda X=X, z=z, s=s: max_pool(X, z, s), **pool_case(X, z, s))
    X = -1 - rng.random((2, 7, 9, 2)).astype("float32")
    q.satisfies("negative numbers", lambda: max_pool(X, size=2, stride=2), **pool_case(X, 2, 2), weight=0.5)
### END HIDDEN TESTS
q.score()

# %% [markdown]
# **Look.** A photograph, pooled three times with windows that touch and three times with windows that
# overlap.

# %% tags=["explore"]
photo = data.photos()["flower"][None, 42:-10, 120:-145]
with check.waits_for("max-pool"):
    touching = overlapping = photo
    for _ in range(3):
        touching, overlapping = np.asarray(max_pool(touching, 2, 2)), np.asarray(max_pool(overlapping))
    pixels = [f"{X.shape[1]}×{X.shape[2]} pixels" for X in (photo, touching, overlapping)]
    plots.images(
        [photo[0], touching[0], overlapping[0]],
        [f"as it is, {pixels[0]}", f"z = s = 2: {pixels[1]}", f"z = 3, s = 2: {pixels[2]}"],
        columns=3,
        title="Touching and overlapping windows",
        alt="A dahlia, and twice the same much coarser and brighter. With overlapping windows the bright "
        "petals have grown wider and the dark gaps between them have closed.",
    )

# %% [markdown]
# **Think.** The same pixels, the same stride: what does the wider window keep, and what does it lose?

# %% [markdown] tags=["think-answer"]
# It keeps every peak, and may report it twice, in both windows that share it; so moving the image by a pixel
# changes less. It loses what is small and dark between peaks, and it says less about where they are.

# %% [markdown]
# ## 8 · Two towers
#
# On two cards CONV2 goes like this: each holds 48 of the 96 maps and 128 of the 256 kernels; its kernels read
# its own maps; neither asks the other. You can do the same on any machine by splitting tensors in two.
# Frameworks call it a **grouped convolution**.


# %% answer="two-towers"
def convolve_in_two_towers(X, W, b):
    """A convolution of two towers, stride 1, padded so that height and width stay ("same").

    Args:
        X: feature maps, float32, shape `(n, height, width, channels)`, channels even: the first half of the
            channels lies in the first tower, the second half in the second.
        W: kernels, float32, shape `(k, k, channels // 2, filters)`, filters even: the first half of the filters
            belongs to the first tower and reads its maps, the second half to the second.
        b: biases, float32, shape `(filters,)`.

    Returns:
        Shape `(n, height, width, filters)`, the first tower's maps first. `tf.nn.conv2d` is allowed.
    """
    ### BEGIN SOLUTION
    towers = zip(tf.split(X, 2, axis=-1), tf.split(W, 2, axis=-1), strict=True)
    return tf.concat([tf.nn.conv2d(maps, kernels, 1, "SAME") for maps, kernels in towers], axis=-1) + b
    ### END SOLUTION


# Which layers read maps, or numbers, that the other card has made? (The image itself lies on both cards.)
# A list of names, from "CONV1" … "FC8", in any order.
talk_across = None
### BEGIN SOLUTION
talk_across = ["CONV3", "FC6", "FC7", "FC8"]
### END SOLUTION


# %% test="two-towers" points=3
q = check.question(
    "two-towers",
    points=3,
    why="Half the weights and half the work in three layers, and the cards seldom need to talk.",
    misconceptions={
        "towers-crossed": "Each tower's kernels read their own tower's maps.",
        "towers-exchanged": "The first tower's maps come first.",
        "same-maps-twice": "Both towers have read the same half of the maps.",
        "towers-added": "The towers' maps stand side by side; they are not added.",
        "every-other-map": "The first half of the maps is one tower, not every other map.",
        "every-other-filter": "The first half of the filters is one tower, not every other filter.",
        "no-bias": "Each filter has a bias as well.",
        "valid-padding": "Height and width stay: pad with zeros.",
        "wrong-axis": "The towers are put together along the channels.",
    },
)


X = np.array([1, 2, 3, 4], "float32").reshape(1, 1, 1, 4)
W = np.array([[1, 10, 100, 1000], [2, 20, 200, 2000]], "float32").reshape(1, 1, 2, 4)
b = np.array([5, 6, 7, 8], "float32")
wrong = {
    "towers-crossed": [16, 116, 507, 5008],
    "towers-exchanged": [1105, 11006, 12, 58],
    "same-maps-twice": [10, 56, 507, 5008],
    "towers-added": [1110, 11056],
    "every-other-map": [12, 76, 1007, 10008],
    "every-other-filter": [10, 116, 507, 11008],
    "no-bias": [5, 50, 1100, 11000],
}
answer = lambda: np.ravel(convolve_in_two_towers(X, W, b))
q.close("1×1 kernels, one pixel, the four maps 1, 2, 3, 4", answer, [10, 56, 1107, 11008], wrong=wrong)
Y, V = np.ones((2, 5, 7, 4), "float32"), np.ones((3, 3, 2, 2), "float32")
wrong = {"valid-padding": lambda shape: shape[1] == 3, "towers-added": lambda shape: shape == (2, 5, 7, 1)}
wrong |= {"wrong-axis": lambda shape: shape[:3] in ((4, 5, 7), (2, 10, 7), (2, 5, 14))}
answer, right = lambda: np.shape(convolve_in_two_towers(Y, V, b[:2])), (2, 5, 7, 2)
q.satisfies("a shape", answer, lambda shape: shape == right, wrong, weight=0.5, expected=f"{right}")
layer_names = lambda names: names and not isinstance(names, str) and set(names) <= {*ALEXNET, *UNITS}
q.satisfies("names of layers", lambda: talk_across, layer_names, weight=0.25, expected="a list of names from the table")
### BEGIN HIDDEN TESTS


def towers_case(X, W, b):
    """One convolution whose kernels are zero across the towers, and what common mistakes would give."""
    c, f = X.shape[-1] // 2, W.shape[-1] // 2

    def conv(first, second, padding="SAME", bias=b):
        whole = np.zeros((*W.shape[:2], 2 * c, 2 * f), "float32")
        whole[:, :, first, :f], whole[:, :, second, f:] = W[..., :f], W[..., f:]
        return tf.nn.conv2d(X, whole, 1, padding).numpy() + bias

    front, back = slice(0, c), slice(c, None)
    right, bare = conv(front, back), conv(front, back, bias=0)
    wrong = {"no-bias": bare, "valid-padding": conv(front, back, "VALID"), "towers-crossed": conv(back, front)}
    wrong |= {"same-maps-twice": conv(front, front), "towers-exchanged": np.roll(bare, f, axis=-1) + b}
    wrong |= {"every-other-map": conv(slice(0, None, 2), slice(1, None, 2))}
    wrong |= {"towers-added": bare[..., :f] + bare[..., f:] + b[:f]}
    wrong |= {"wrong-axis": np.concatenate([right[..., :f], right[..., f:]], axis=2)}
    return {"expected": right, "rtol": 1e-4, "atol": 1e-3, "wrong": wrong}


hints = {
    "image_is_no_map": "CONV1 reads the image, which lies on both cards: nothing has to come across.",
    "kept_apart": "Look at question 3: the kernels of CONV2, CONV4 and CONV5 read half of the maps, their own card's.",
    "dense_forgotten": "A fully connected layer reads all there is, on both cards.",
    "conv3_forgotten": "One of the convolutions has kernels as deep as all the maps before it.",
}
with q.hidden(**hints):
    rng = check.rng()
    for k, c, f in [(3, 6, 8), (5, 4, 6)]:
        X, W, b = (
            rng.normal(size=size).astype("float32") for size in [(2, 7, 9, c), (k, k, c // 2, f), (f,)]
        )
        answer = lambda X=X, W=W, b=b: convolve_in_two_towers(X, W, b)
        q.close("other maps", answer, **towers_case(X, W, b))
    wrong = {"image-is-no-map": lambda names: "CONV1" in names}
    wrong |= {"kept-apart": lambda names: {"CONV2", "CONV4", "CONV5"} & set(names)}
    wrong |= {"dense-forgotten": lambda names: not {"FC6", "FC7", "FC8"} <= set(names)}
    wrong |= {"conv3-forgotten": lambda names: "CONV3" not in names}
    right = {"CONV3", *UNITS}
    q.satisfies("who talks across", lambda: talk_across, lambda names: set(names) == right, wrong)
### END HIDDEN TESTS
q.score()

# %% [markdown]
# **Look.** The two towers, with what comes across by your list. Compare it with the paper's Figure 2.

# %% tags=["explore"]
with check.waits_for("two-towers", talk_across), plots.style():
    fig, ax = plt.subplots(figsize=(6.4, 2.2))
    for x, name in enumerate(depth):
        for card in (0, 1):
            sources = (0, 1) if name in talk_across else (0.5,) if name == "CONV1" else (card,)
            for source in sources:
                ax.plot([x - 1, x], [source, card], color=plots.COLOURS[source == 1 - card], zorder=0)
            ax.plot(x, card, "o", color=plots.GREY, markersize=9)
    ax.plot(-1, 0.5, "s", color=plots.GREY, markersize=9)
    ax.set(xticks=range(-1, 8), yticks=[0, 1], ylim=(1.4, -0.4), title="Who reads from the other card")
    ax.set_xticklabels(["image", *depth])
    ax.set_yticklabels(["card 1", "card 2"])
    crossings = ", ".join(talk_across)
    plots.show(fig, f"Two rows of dots from the image to FC8. Lines cross between them on the way to {crossings}.")

# %% [markdown]
# Is what you wrote what Keras calls `groups=2`? (`tf.nn.conv2d` groups unasked where kernels are half as deep as
# the maps that they are given.) And what do two towers save in all?

# %% tags=["explore"]
with check.waits_for("two-towers"):
    grouped = layers.Conv2D(6, 3, padding="same", groups=2, bias_initializer="normal")
    X = np.random.default_rng(SEED).normal(size=(2, 8, 8, 4)).astype("float32")
    gap = np.abs(grouped(X) - np.asarray(convolve_in_two_towers(X, *grouped.get_weights()))).max()
    print(f"the largest difference from Keras's groups=2 is {gap:.1e}; up to 1e-5 is rounding")

# %% tags=["explore"]
with check.waits_for("count-parameters", all_parameters), check.waits_for("count-macs", all_macs):
    for name, counts in {"parameters": all_parameters, "MACs": all_macs}.items():
        one, two = counts["one tower"], counts["two towers"]
        print(f"{name:10} {one:13,} → {two:13,}, {100 * (1 - two / one):.1f} % saved")

# %% [markdown]
# > **Find it, settle it with the original.** Load "AlexNet" from torchvision and you get 61,100,840
# > parameters. That is neither of your sums, because it is another network: 64, 192, 384, 256 and 256 filters,
# > one tower, from a later paper by Krizhevsky alone [6]. A pretrained AlexNet is usually that one.

# %% tags=["explore"]
later = [(11, 3, 64), (5, 64, 192), (3, 192, 384), (3, 384, 256), (3, 256, 256)]
later += [(1, 9216, 4096), (1, 4096, 4096), (1, 4096, 1000)]
total = sum((k * k * channels + 1) * filters for k, channels, filters in later)
assert total == 61_100_840
print(f"{total:,} parameters")

# %% [markdown]
# ## 9 · Build it, at any width
#
# A network is often made narrower by one factor: `width=1/8` gives every hidden layer an eighth of its filters
# and units. Maps and kernels keep their sizes in pixels, most layers' weights shrink to a sixty-fourth (CONV1's and
# FC8's to an eighth), and what is true of the narrow network can be told of the full one. The checks build only
# narrow ones; do the same. (A `keras.Sequential` is made fastest from one list of layers.)
#
# Local response normalisation and dropout have no parameters and are left out here: Keras has no layer for the
# one, and lab 03 is about the other.


# %% answer="build-alexnet"
def build_alexnet(width=1.0, towers=1):
    """AlexNet, untrained, without normalisation and dropout.

    Args:
        width: the share of the filters of CONV1 to CONV5 and the units of FC6 and FC7 that the network has, a
            float. The input and the 1000 classes stay. The checks give whole 16ths: then every number comes
            out whole, and only needs to be made an int.
        towers: the `groups` of the layers CONV2, CONV4 and CONV5, 1 or 2.

    Returns:
        A Keras model of built-in layers that begins with `keras.Input` (Sequential or functional, not nested).
        It reads images, shape `(n, 227, 227, 3)`, and gives logits, shape `(n, 1000)`. Every layer with weights
        has biases and, but for the last, ReLU.
    """
    ### BEGIN SOLUTION
    stack = [keras.Input((227, 227, 3))]
    for name, (kernel_size, stride, padding, filters) in ALEXNET.items():
        if filters:
            settings = {"padding": "same" if padding else "valid", "activation": "relu", "name": name}
            settings["groups"] = towers if name in ("CONV2", "CONV4", "CONV5") else 1
            stack.append(layers.Conv2D(round(width * filters), kernel_size, stride, **settings))
        else:
            stack.append(layers.MaxPooling2D(kernel_size, stride, name=name))
    stack.append(layers.Flatten())
    stack += [layers.Dense(round(width * 4096), activation="relu", name=name) for name in ("FC6", "FC7")]
    return keras.Sequential([*stack, layers.Dense(1000, name="FC8")])
    ### END SOLUTION


# %% test="build-alexnet" points=3
q = check.question(
    "build-alexnet",
    points=3,
    why="An eighth as wide, it has 1.4 million parameters, and every height and width of the full one.",
    misconceptions={
        "output-scaled": "However narrow the network, there are 1000 classes.",
        "not-flattened": "A dense layer on 6×6 maps works on each place by itself. Flatten first.",
        "padding-forgotten": "FC6 reads 2×2 maps instead of 6×6. Is each of CONV2 to CONV5 padded? Is each pooling's "
        "stride 2? (Unless told, Keras takes the window's size.)",
        "input-of-224": "So it is with 224 pixels. The input has 227.",
        "dense-layer-missing": "Three fully connected layers: FC6, FC7 and FC8.",
        "no-bias": "Every filter and unit has a bias.",
        "groups-forgotten": "With two towers CONV2, CONV4 and CONV5 have groups=2.",
        "towers-never-talk": "CONV3 reads the maps of both towers: it has no groups.",
        "branches": "Two branches compute the same, but as layers of their own. `groups` is one layer.",
        "width-ignored": "The width is an argument: every filter and hidden unit counts in proportion.",
        "windows-touch": "AlexNet's pooling windows overlap: 3 pixels wide, 2 apart. (Sizes come out the same.)",
        "stride-of-three": "Unless told, Keras takes the window's size as the stride. Here it is 2.",
        "average-pooling": "AlexNet takes the maximum of each window.",
        "no-activation": "Without activations, all these layers together are one linear function.",
        "relu-missing": "CONV1 to CONV5, FC6 and FC7 each have ReLU: seven in all.",
        "not-relu": "Tanh or sigmoid would saturate: AlexNet has ReLU.",
        "softmax-output": "These are probabilities. Logits come straight out of the last layer.",
        "relu-output": "ReLU would cut off all negative logits. The last layer has no activation.",
        "first-padded": "CONV1 is not padded: 227 pixels give 55 places, as in question 2.",
        "pooling-padded": "Pooling is not padded: the last window ends at the edge.",
    },
)
described = cache(lambda width, towers: check.describe(build_alexnet(width=width, towers=towers)))


def counts_of(width, towers):
    """The parameters of the layers that have any."""
    return [layer["parameters"] for layer in described(width, towers) if layer["parameters"]]


eighth = {"CONV1": 4_368, "CONV2": 4_832, "CONV3": 13_872, "CONV4": 10_416, "CONV5": 6_944}
eighth |= {"FC6": 590_336, "FC7": 262_656, "FC8": 513_000}
instead = lambda **layers: list((eighth | layers).values())
wrong = {
    "output-scaled": instead(FC8=64_125),
    "not-flattened": instead(FC6=16_896),
    "padding-forgotten": instead(FC6=66_048),
    "input-of-224": instead(FC6=410_112),
    "dense-layer-missing": [count for name, count in eighth.items() if name != "FC7"],
    "no-bias": [4_356, 4_800, 13_824, 10_368, 6_912, 589_824, 262_144, 512_000],
    "groups-forgotten": instead(CONV2=9_632, CONV4=20_784, CONV5=13_856),
    "towers-never-talk": instead(CONV3=6_960),
    "branches": [4_368, 2_416, 2_416, 13_872, 5_208, 5_208, 3_472, 3_472, *instead()[5:]],
    "width-ignored": instead(FC6=4_722_688, FC7=16_781_312, FC8=4_097_000),
}
q.equal("parameters, width 1/8, two towers", lambda: counts_of(1 / 8, 2), instead(), wrong, weight=1.5)

pools = lambda: [(x["kind"], x["pool_size"], x["strides"]) for x in described(1 / 8, 2) if "Pool" in x["kind"]]
windows = lambda size, stride, kind="Max": 3 * [(f"{kind}Pooling2D", (size, size), (stride, stride))]
wrong = {"windows-touch": windows(2, 2), "stride-of-three": windows(3, 3), "average-pooling": windows(3, 2, "Average")}
q.equal("pooling", pools, windows(3, 2), wrong)

mapped = lambda: [x for x in described(1 / 8, 2) if "Pool" in x["kind"] or x["kind"] == "Conv2D"]
heights = lambda: [x["output_shape"][1] for x in mapped()[:8]]
wrong = {"first-padded": [57, 28, 28, 13, 13, 13, 13, 6], "pooling-padded": [55, 28, 28, 14, 14, 14, 14, 7]}
q.equal("heights of the maps, CONV1 to POOL5", heights, [55, 27, 27, 13, 13, 13, 13, 6], wrong, weight=0.5)

bent = lambda: [
    "relu" if x["kind"] == "ReLU" else x["activation"]
    for x in described(1 / 8, 2)[:-1]
    if x["kind"] == "ReLU" or x.get("activation", "linear") != "linear"
]
wrong = {"no-activation": lambda a: not a, "not-relu": lambda a: set(a) != {"relu"}}
wrong |= {"relu-missing": lambda a: len(a) < 7}
q.satisfies("activations", bent, lambda a: a == 7 * ["relu"], wrong, expected="ReLU, seven times")

last = lambda: described(1 / 8, 2)[-1]
out = lambda: (last()["output_shape"], last().get("activation", last()["kind"]).lower())
wrong = {f"{name}-output": ((None, 1000), name) for name in ("softmax", "relu")}
q.equal("1000 logits for every image", out, ((None, 1000), "linear"), wrong)
### BEGIN HIDDEN TESTS


def counts_at(width, groups):
    """The parameters, layer by layer, of a network of this width."""
    depths = [3, *(round(width * n) for n in (96, 256, 384, 384, 256))]
    rows = zip((11, 5, 3, 3, 3), depths, depths[1:], (1, groups, 1, groups, groups), strict=False)
    flat, units = 6 * 6 * depths[-1], round(width * 4096)
    dense = [(flat + 1) * units, (units + 1) * units, (units + 1) * 1000]
    return [*((k * k * c // g + 1) * f for k, c, f, g in rows), *dense]


with q.hidden(groups_always="With one tower no layer has groups: `towers` is an argument."):
    width = int(check.rng().choice([1, 3])) / 16
    wrong = {"width-ignored": counts_at(1 / 8, 1), "groups-always": counts_at(width, 2)}
    q.equal("another width, one tower", lambda: counts_of(width, 1), counts_at(width, 1), wrong, weight=1.5)
### END HIDDEN TESTS
q.score()

# %% [markdown]
# **Look.** Keras counts the full network without building it. Most layers' weights go with the product of two
# widths, CONV1's and FC8's weights and the biases with one, the last biases with none: the count is a parabola,
# $aw^2 + bw + c$, and three narrow networks fix it. The same holds for the MACs, and for the neurons. What
# does each parabola say at $w = 1$, and is it what you counted in questions 3 to 5?


# %% tags=["explore"]
def keras_counts(width, towers):
    """Parameters, MACs and neurons of a narrow network, read from its layers."""
    model = build_alexnet(width=width, towers=towers)
    weighted = [layer for layer in model.layers if layer.weights]
    places = [int(np.prod(layer.output.shape[1:-1], dtype=int)) for layer in weighted]
    work = [n * int(np.prod(layer.kernel.shape)) for n, layer in zip(places, weighted, strict=True)]
    units = [n * layer.output.shape[-1] for n, layer in zip(places, weighted, strict=True)]
    return model.count_params(), sum(work), sum(units)


widths = np.array([1, 2, 3]) / 16
with check.waits_for("build-alexnet"):
    for towers in (1, 2):
        counts = np.array([keras_counts(width, towers) for width in widths])
        full = [round(np.polyval(np.polyfit(widths, column, 2), 1)) for column in counts.T]
        print(f"{towers} tower(s): {full[0]:,} parameters, {full[1]:,} MACs, {full[2]:,} neurons at full width")
    print("You counted", all_parameters, "and", all_macs, "and", neurons and sum(neurons.values()))

# %% [markdown]
# ## What ReLU is for
#
# A tanh or a sigmoid **saturates**: beyond ±3 (tanh) or ±5 (sigmoid) it is flat, its gradient nearly zero, and
# whatever comes back through it is nearly lost. ReLU is flat on one side only. In five layers one below the
# other the gradients multiply.

# %% tags=["explore"]
a = tf.constant(np.linspace(-6, 6, 121))
functions = {"ReLU": tf.nn.relu, "tanh": tf.tanh, "sigmoid": tf.sigmoid}
with tf.GradientTape(persistent=True) as tape:
    tape.watch(a)
    values = {name: f(a) for name, f in functions.items()}
gradients = {name: tape.gradient(value, a).numpy() for name, value in values.items()}
plots.curves(
    {name: np.where(value < 1.6, value, np.nan) for name, value in values.items()},
    a.numpy(),
    xlabel="a, what the unit adds up",
    ylabel="activation",
    title="Two of three flatten out on both sides",
    alt="Three curves. ReLU is zero up to 0 and then rises steadily out of the picture; tanh and sigmoid are "
    "S-shaped and flat beyond ±3 and ±5.",
)

# %% tags=["explore"]
plots.curves(
    gradients,
    a.numpy(),
    xlabel="a, what the unit adds up",
    ylabel="gradient of the activation",
    title="Where the gradient gets through",
    alt="Three curves. ReLU's gradient is 0 below zero and 1 above. Tanh's is a narrow hill of height 1, "
    "sigmoid's a wide one of height one quarter; both are near zero at ±6.",
)
assert gradients["sigmoid"].max() == 0.25
assert gradients["tanh"][-1] < 1e-4

# %% [markdown]
# **Think.** Five sigmoid layers: at most how much of a gradient is left by these five slopes? And when is
# ReLU's gradient lost?

# %% [markdown] tags=["think-answer"]
# At most $(1/4)^5$, less than a thousandth, and only if all five units stand at zero, where the sigmoid is
# steepest. ReLU passes a gradient whole or not at all; it is lost for good if a unit's sum is negative for
# every image. A learning rate that is too large does that.

# %% tags=["think-answer"]
assert (1 / 4) ** 5 < 1e-3

# %% [markdown]
# ### The paper's experiment: how much faster?
#
# "Six times faster" is quoted for ReLU everywhere. Figure 1 of the paper says exactly this: a **four-layer**
# convolutional network (not AlexNet) with ReLU gets to **25 % training error** on **CIFAR-10** in a sixth of
# the passes that an equivalent one with **tanh** takes; the learning rate of each was chosen by itself to be
# fast, and nothing was regularised. How large the effect is, the authors add, depends on the network. It is
# not about test error, nor about wall time, and nothing is said about the sigmoid.
#
# Here you try it with four layers that are small enough for this machine. With `SCALE = "smoke"` (top of the
# notebook) they read digits, until 2 % of the training images are wrong; with `SCALE = "full"` they read 10,000
# images of CIFAR-10, drawn in equal shares from its 50,000 (`cifar10_subset`), until 25 % are. The lab records whatever
# comes out. It is one run each, counted in whole passes, so a pass or two may be chance; a ratio below 1 means
# that tanh was first, and you should be ready for it. The error is counted while the network learns: the mean
# over a pass, in which the weights change.

# %% tags=["explore"]
images, target, most = data.digits(28), 2, 12
rates = {"relu": (0.05, 0.02), "tanh": (0.05, 0.02), "sigmoid": (0.1,)}
if SCALE == "full":
    images, target, most = data.load("cifar10_subset"), 25, 15
    rates |= {"relu": (0.02, 0.01, 0.05), "tanh": (0.02, 0.01, 0.05)}
mean = images.X_train.mean(axis=0)
print(images)


# %% tags=["explore"]
class StopAt(keras.callbacks.Callback):
    """Ends the training with the first pass whose error is at most the target."""

    def on_epoch_end(self, epoch, logs):
        self.model.stop_training = 100 * (1 - logs["accuracy"]) <= target


# %% tags=["explore"]
def four_layers(activation):
    """Three convolutions and a dense layer, untrained."""
    keras.utils.set_random_seed(SEED)
    stack = [keras.Input(mean.shape), layers.Conv2D(32, 5, 2, "same", activation=activation)]
    stack += [layers.MaxPooling2D(3, 2)]
    stack += [layers.Conv2D(64, 3, padding="same", activation=activation) for _ in range(2)]
    return keras.Sequential([*stack, layers.MaxPooling2D(3, 2), layers.Flatten(), layers.Dense(10)])


# %% tags=["explore"]
def errors_of(activation, learning_rate, passes):
    """Train until the target is met: the network, and its training error (%) in each pass."""
    model = four_layers(activation)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(learning_rate, momentum=0.9), loss, metrics=["accuracy"])
    X, y = images.X_train - mean, images.y_train
    history = model.fit(X, y, epochs=passes, batch_size=64, verbose=0, callbacks=[StopAt()]).history
    return model, [100 * (1 - accuracy) for accuracy in history["accuracy"]]


# %% tags=["explore"]
runs = {}
for activation, choices in rates.items():
    tries = []
    for rate in choices:  # no longer than the fastest took so far
        limit = min((len(errors) for _, errors in tries if errors[-1] <= target), default=most)
        tries.append(errors_of(activation, rate, limit))
        error, count = tries[-1][1][-1], len(tries[-1][1])
        print(f"{activation}, learning rate {rate}: {error:.1f} % when stopped after {count} passes")
    runs[activation] = min(tries, key=lambda t: (t[1][-1] > target, len(t[1]), t[1][-1]))
curves = {name: errors for name, (_, errors) in runs.items()}

# %% tags=["explore"]
longest, names = max(map(len, curves.values())), {"relu": "ReLU", "tanh": "tanh", "sigmoid": "sigmoid"}
fig = plots.draw_curves(
    {names[name]: errors + [np.nan] * (longest - len(errors)) for name, errors in curves.items()},
    xlabel="passes through the training images",
    ylabel="training error (%)",
    yscale="log",
    title=f"How soon to {target} %? Each at the best rate tried",
)
fig.axes[0].axhline(target, color=plots.GREY, linewidth=1)
fig.axes[0].annotate(f"{target} %", (longest, target), ha="right", va="bottom", color=plots.GREY)
plots.show(
    fig,
    alt=f"Curves of the training error, pass by pass, and a line at {target} %. Those of ReLU and tanh lie close "
    "together and end at the line; the sigmoid's stays where guessing is.",
)

# %% tags=["explore"]
passes = {name: len(errors) for name, errors in curves.items()}
reached = {name: errors[-1] <= target for name, errors in curves.items()}
paper = (6, "Krizhevsky et al. 2012, Figure 1: all of CIFAR-10, other four layers") if SCALE == "full" else (None, "")
for name, count in passes.items():
    metrics.record(f"passes_{name}", count, "passes" if reached[name] else "passes were not enough")
if reached["relu"]:
    unit = "times" if reached["tanh"] else "times or more"
    so = "reached it in" if reached["tanh"] else "had not after"
    print(f"ReLU reached {target} % in {passes['relu']} passes; tanh {so} {passes['tanh']}.")
    metrics.record("relu_faster_than_tanh", passes["tanh"] / passes["relu"], unit, *paper)

# %% [markdown]
# **Think.** Is it six? Which way does it point at all, and by how many passes? What is different here from what
# the paper measured, and what would have to happen inside a tanh network to make it slow?

# %% [markdown] tags=["think-answer"]
# It is not: in our runs tanh was no slower than ReLU, on digits and on CIFAR-10, and on the digits it was first
# by a pass or two, which says no more than that the two are close. So "six times" is no law about ReLU but one
# measurement, and the authors said that it varies. Much is different here: other layers; two or three learning
# rates instead of a search (on the digits the best was the largest tried); at full scale a fifth of the images;
# pixels from 0 to 1; and Keras's initial weights, which are scaled to each layer so that tanh begins where it is
# steep (Glorot and Bengio found that in 2010). A tanh network is slow when its units saturate and their
# gradients vanish; the sigmoid shows how that looks, with at most a quarter of the gradient left in each layer.
# ReLU needs none of that care, and this, more than a number, made it the habit in deep networks.

# %% [markdown]
# ## 10 · Five guesses
#
# An image of ImageNet often shows more than one thing, but has one label. So the challenge allowed five
# guesses. **Top-5 error**: the share of images whose class is not among the five largest scores; top-1 error is
# what you have called test error so far.


# %% answer="top-k-error"
def top_k_error(scores, y, k=5):
    """The share of images whose class is not among the k best guesses. NumPy only.

    Args:
        scores: logits or probabilities, floats, shape `(n, classes)`; no two in a row are equal.
        y: the right class of each image, ints, shape `(n,)`.
        k: how many guesses are allowed, an int of at least 1.

    Returns:
        A float in %, from 0 to 100.
    """
    ### BEGIN SOLUTION
    guesses = np.argsort(scores, axis=1)[:, -k:]
    return 100 * np.mean(np.all(guesses != y[:, None], axis=1))
    ### END SOLUTION


# %% test="top-k-error" points=2
q = check.question(
    "top-k-error",
    points=2,
    why="With 1000 classes a blind guess has 99.5 % top-5 error. With 10 classes it would have 50 %.",
    misconceptions={
        "accuracy": "That is the share of images that were right.",
        "share": "Percent, please: 0.25 is 25 %.",
        "worst-k": "Those are the k smallest scores. argsort goes upwards.",
        "one-too-many": "That is one guess too many. A class with k better ones before it is not among the k.",
        "always-five": "How many guesses count is the argument k.",
        "wrong-axis": "The guesses of an image come from its own row: sort along the classes.",
        "any-image": "An image is right if its class is among its OWN guesses.",
        "scores-not-classes": "Sorted scores are scores. Which classes have them?",
        "kth-only": "The class may be any of the k guesses, not just the k-th.",
        "one-guess": "That is the top-1 error, whatever k is.",
        "best-left-out": "The best guess is one of the k. Does your slice end too early?",
        "divided-by-k": "An image is right or wrong: of its k guesses one is enough.",
    },
)


base = [1.5, 7.5, 0.5, 3.5, 6.5, 2.5, 9.5, 4.5]  # from best to worst: classes 6, 1, 4, 7, 3, 5, 0, 2
scores = np.array([np.roll(base, i) + i / 100 for i in range(20)])  # one class further in each row
y = np.array([1, 2, 6, 2, 7, 4, 7, 5, 4, 4, 6, 0, 5, 6, 6, 2, 4, 3, 6, 0])
wrong = {
    "accuracy": 55,
    "share": 0.45,
    "worst-k": 80,
    "one-too-many": 35,
    "always-five": 20,
    "wrong-axis": 90,
    "any-image": 0,
    "scores-not-classes": 100,
    "kth-only": 75,
    "one-guess": 95,
    "best-left-out": 50,
    "divided-by-k": 100 * 49 / 60,
}
q.forbids("sklearn", "tensorflow", "keras", "torch", answer=lambda: top_k_error)
q.close("twenty images, three guesses", lambda: top_k_error(scores, y, 3), 45, wrong=wrong)
### BEGIN HIDDEN TESTS


def top_case(scores, y, k):
    """The right error, and what common mistakes would give."""
    right = 100 * (1 - np.mean(tf.math.in_top_k(y, scores.astype("float32"), k)))
    better = np.sum(scores > np.take_along_axis(scores, y[:, None], axis=1), axis=1)
    error = lambda hit: 100 * (1 - np.mean(hit))
    wrong = {"accuracy": 100 - right, "share": right / 100, "kth-only": error(better == k - 1)}
    wrong |= {"one-guess": error(better == 0), "worst-k": error(better >= scores.shape[1] - k)}
    wrong |= {"one-too-many": error(better <= k), "always-five": error(better < 5)}
    wrong |= {"best-left-out": error((better >= 1) & (better < k)), "divided-by-k": error((better < k) / k)}
    return {"expected": right, "wrong": wrong}


with q.hidden():
    rng = check.rng()
    scores = rng.permuted(np.tile(np.linspace(-4, 4, 20), (40, 1)), axis=1)
    ranks = np.repeat([0, 1, 2, 3, 4, 5, 18, 19], [4, 3, 7, 5, 6, 2, 8, 5])
    y = np.argsort(-scores, axis=1)[np.arange(40), rng.permutation(ranks)]
    for k in (1, 3, 5):
        answer = lambda k=k: top_k_error(scores, y, k=k)
        q.close("other images", answer, **top_case(scores, y, k), weight=0.5)
    q.close("five guesses unless said", lambda: top_k_error(scores, y), **top_case(scores, y, 5), weight=0.5)
### END HIDDEN TESTS
q.score()

# %% [markdown]
# **Look.** The network with ReLU that you have just trained, on images that it has not seen: the more guesses,
# the fewer errors, and that holds for blind guesses, too.

# %% tags=["explore"]
with check.waits_for("top-k-error"):
    logits = runs["relu"][0].predict(images.X_test - mean, verbose=0)
    top = [float(top_k_error(logits, images.y_test, k)) for k in range(1, 6)]
    metrics.record("top_1_error", top[0], "%")
    metrics.record("top_5_error", top[4], "%")
    plots.curves(
        {"the network": top, "blind guesses": [100 * (1 - k / 10) for k in range(1, 6)]},
        xlabel="guesses allowed, k",
        ylabel="top-k test error (%)",
        title="What five guesses forgive",
        alt="Two falling curves over one to five guesses. Blind guesses go straight from 90 % to 50 %; the network "
        "lies far below them and falls towards zero.",
    )

# %% [markdown]
# ## To take away
#
# * $(n + 2p - k)/s + 1$, and if it is not whole something is wrong: 224 is printed, 227 is meant.
# * Parameters, work and memory are in different places (one tower): 94 % of the parameters are fully connected,
#   95 % of the work is in the convolutions, most of the activations are in CONV1 and CONV2.
# * Two towers save 2 % of the parameters and 36 % of the work. That was worth having in 2012, and grouped
#   convolutions have come back since.
# * ReLU passes the gradient whole or not at all. How much faster that makes a network depends on the network:
#   measure it.
# * Ask of every number: of how many networks, on which images, weights or parameters, MACs or FLOPs?
#
# ## References
#
# 1. A. Krizhevsky, I. Sutskever, G. E. Hinton: *ImageNet classification with deep convolutional neural
#    networks.* NIPS 25, 1097–1105, 2012.
# 2. V. Nair, G. E. Hinton: *Rectified linear units improve restricted Boltzmann machines.* ICML, 807–814, 2010.
# 3. K. Fukushima: *Visual feature extraction by a multilayered network of analog threshold elements.* IEEE
#    Transactions on Systems Science and Cybernetics 5(4), 322–333, 1969.
# 4. K. Jarrett, K. Kavukcuoglu, M. Ranzato, Y. LeCun: *What is the best multi-stage architecture for object
#    recognition?* ICCV, 2146–2153, 2009.
# 5. X. Glorot, A. Bordes, Y. Bengio: *Deep sparse rectifier neural networks.* AISTATS, 315–323, 2011.
# 6. A. Krizhevsky: *One weird trick for parallelizing convolutional neural networks.* arXiv:1404.5997, 2014.
