# %% [markdown]
# # Lab 08 · VGG: receptive fields
#
# **About 2 hours · 9 questions · 30 points**
#
# You will be able to
#
# * say of any unit in any layer how many pixels it sees, where they are, and prove it with a gradient;
# * say why two 3×3 convolutions stand for one of 5×5 and three for one of 7×7, what that saves, and when it saves
#   nothing;
# * tell the receptive field, which is arithmetic, from the *effective* one, which is where the influence is;
# * write down the five VGG networks from one table, with every parameter and every number that a forward pass keeps;
# * see further without pooling, by dilation, and say what can go wrong.
#
# **You need** labs 01 and 02: output sizes, padding, stride, counting parameters. Arrays are NHWC. Nothing graded has to
# be trained. Cells tagged `explore` are yours to play with and are not run when your work is graded.

# %% tags=["parameters"]
SEED = 0
SCALE = "smoke"

# %% setup="imports"
from functools import partial
from itertools import pairwise

import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from keras import layers
from matplotlib.patches import Rectangle

from labkit import check, data, metrics, plots, training

# Table 1 of the VGG paper: how many convolutions stand in each of the five stages, and how many filters each has.
# All kernels are 3×3, padding 1, but for C: there the third convolution of a stage is 1×1, padding 0.
# After each stage the maximum over 2×2, stride 2; at the end layers of 4096, 4096 and 1000 units.
CONVOLUTIONS = {
    "A": (1, 1, 2, 2, 2),
    "B": (2, 2, 2, 2, 2),
    "C": (2, 2, 3, 3, 3),
    "D": (2, 2, 3, 3, 3),
    "E": (2, 2, 4, 4, 4),
}
FILTERS = (64, 128, 256, 512, 512)

# kernel_size, stride and padding of each layer; the first fully connected layer is a kernel as large as all that it
# reads, the others are kernels of one pixel
VGG16 = {}
for stage, number in enumerate(CONVOLUTIONS["D"], start=1):
    VGG16 |= {f"conv{stage}_{i}": (3, 1, 1) for i in range(1, number + 1)} | {f"pool{stage}": (2, 2, 0)}
NETWORKS = {
    "LeNet-5": {"C1": (5, 1, 0), "S2": (2, 2, 0), "C3": (5, 1, 0), "S4": (2, 2, 0), "C5": (5, 1, 0)},
    "AlexNet": {"conv1": (11, 4, 0), "pool1": (3, 2, 0), "conv2": (5, 1, 2), "pool2": (3, 2, 0)},
    "VGG-16": VGG16 | {"fc6": (7, 1, 0), "fc7": (1, 1, 0), "fc8": (1, 1, 0)},
}
NETWORKS["LeNet-5"] |= {"F6": (1, 1, 0), "output": (1, 1, 0)}
NETWORKS["AlexNet"] |= {"conv3": (3, 1, 1), "conv4": (3, 1, 1), "conv5": (3, 1, 1), "pool5": (3, 2, 0)}
NETWORKS["AlexNet"] |= {"fc6": (6, 1, 0), "fc7": (1, 1, 0), "fc8": (1, 1, 0)}
INPUT = {"LeNet-5": 32, "AlexNet": 227, "VGG-16": 224}  # pixels along a side

# %% [markdown]
# ## Where it comes from
#
# After AlexNet everybody had to decide, layer by layer: 11×11? 7×7? 5×5? Karen Simonyan and Andrew Zisserman took the
# question away [1]. Every kernel is 3×3, the smallest that knows left from right and above from below (but for three of 1×1
# in one of their networks); what they varied was how many there are. With 16 and 19 layers that have weights, their networks
# came second in classifying and first in localising at ILSVRC-2014. The group is Oxford's *Visual Geometry Group*, and the
# networks are called VGG.
#
# How can so small a kernel do? Because kernels stack. A unit in the second layer reads 3 units of the first, each of
# which reads 3 pixels, and their pixels overlap:

# %% tags=["explore"]
with plots.style():
    fig, ax = plt.subplots(figsize=(6.4, 2.4))
    ax.set(xticks=[], yticks=range(3), title="One unit of layer 2 sees five pixels")
seen = [range(2, 7), range(3, 6), range(4, 5)]
for y in (1, 2):
    for x in range(1, 8):
        for source in (x - 1, x, x + 1):
            lit = x in seen[y]
            ax.plot([source, x], [y - 1, y], color=plots.COLOURS[1] if lit else plots.GREY, alpha=1 if lit else 0.25, lw=1.2)
for y in range(3):
    for x in range(9):
        ax.plot(x, y, "o", color=plots.COLOURS[1] if x in seen[y] else plots.GREY, markersize=9)
ax.set_yticklabels(["image", "layer 1", "layer 2"])
ax.spines[:].set_visible(False)
plots.show(fig, "Three rows of dots: image, layer 1, layer 2. One unit of layer 2 is lit, with it three units of layer 1 and five pixels.")

# %% [markdown]
# These pixels are the unit's **receptive field**. (The word is older than computers: Hartline used it in 1938 for the
# part of the eye's retina from which a nerve fibre can be excited [2].)
#
# > **Find it, settle it with the original.** A lecture says that three 3×3 convolutions are "effectively a 7×7
# > convolution". The same word is used in another sense: the *effective* receptive field of Luo and others [3] is the much
# > smaller part where the influence really is. Question 6 is about that one. Without the word, in this lab, the receptive
# > field is all the pixels that can make any difference.

# %% [markdown]
# ## 1 · Size, jump, first centre
#
# Three numbers say what the units of a layer see, along one side of the image:
#
# * the **size** of a receptive field in pixels;
# * the **jump**: how many pixels further the next unit's field lies;
# * the **first centre**: where the middle of the first unit's field is. Pixel 0 is the image's first pixel and its middle
#   is at 0, so the middle of pixels 0, 1, 2 is 1, and that of pixels 0 and 1 is 0.5.
#
# A pixel sees itself: size 1, jump 1, first centre 0. Now go up through the layers one at a time. A layer's unit reads
# `kernel_size` units of the layer below. How far apart are *their* fields? Padding puts the first kernel's corner before
# the first unit; what it reads there is nothing, but we count it as if the image went on.


# %% answer="rf-recursion"
def receptive_fields(stack):
    """What a unit of each layer sees, along one side of the image.

    Args:
        stack: a list with a tuple for each layer, from the image up: (kernel_size, stride, padding), ints; so many
            zeros are added at EACH end of the side.

    Returns:
        A list with a tuple for each layer: (size, jump, first_centre), two ints and a float. The size is that of a unit
        far from the edges. For instance `receptive_fields([(3, 2, 0)]) == [(3, 2, 1.0)]`.
    """
    ### BEGIN SOLUTION
    size, jump, centre, rows = 1, 1, 0.0, []
    for kernel_size, stride, padding in stack:
        size += (kernel_size - 1) * jump
        centre += ((kernel_size - 1) / 2 - padding) * jump
        jump *= stride
        rows.append((size, jump, centre))
    return rows
    ### END SOLUTION


# %% test="rf-recursion" points=4
q = check.question(
    "rf-recursion",
    points=4,
    why="Strides multiply, and every kernel after them counts for that much more: that is why pooling sees far.",
    misconceptions={
        "new-jump": "A kernel steps over the units BELOW: it is their jump that counts, not the new one.",
        "own-stride": "How far apart the units below are was settled by all the layers before, not by this one's stride.",
        "no-minus-one": "Of three units in a row the first is there already: only two more are further on.",
        "starts-at-zero": "A pixel sees a pixel: the size begins with 1.",
        "stride-as-jump": "This layer steps over units that lie more than a pixel apart already.",
        "strides-added": "Every second one of every second one is every fourth: strides multiply.",
        "padding-counted": "Padding moves the fields. It makes none of them larger or smaller.",
        "padding-ignored": "Padding puts the first kernel's corner before the first unit.",
        "padding-in-pixels": "Padding adds units of the layer BELOW: how many pixels is one of them?",
        "rounded": "The middle of two neighbours lies between them: 0.5, not 0.",
        "half-a-kernel": "The middle of three neighbours is one step from the first, not one and a half.",
        "counted-from-one": "The middle of the first pixel is at 0 here.",
        "edge-based": "Here 0 is the MIDDLE of the first pixel, not its left edge.",
    },
)
LENET = [(5, 1, 0), (2, 2, 0), (5, 1, 0), (2, 2, 0), (5, 1, 0)]


def column_of(stack, i):
    """One of the three numbers for every layer."""
    rows = receptive_fields(stack)
    return None if rows is None else [row[i] for row in rows]


wrong = {"new-jump": [5, 7, 15, 19, 35], "own-stride": [5, 7, 11, 13, 17], "no-minus-one": [6, 8, 18, 22, 42]}
wrong |= {"starts-at-zero": [4, 5, 13, 15, 31], "stride-as-jump": [5, 6, 14, 15, 23], "strides-added": [5, 6, 14, 16, 28]}
q.equal("LeNet-5, sizes", lambda: column_of(LENET, 0), [5, 6, 14, 16, 32], wrong)
wrong = {"stride-as-jump": [1, 2, 1, 2, 1], "strides-added": [1, 2, 2, 3, 3]}
q.equal("LeNet-5, jumps", lambda: column_of(LENET, 1), [1, 2, 2, 4, 4], wrong, weight=0.5)
wrong = {"half-a-kernel": [2.5, 3.5, 8.5, 10.5, 20.5], "counted-from-one": [3, 3.5, 7.5, 8.5, 16.5]}
wrong |= {"edge-based": [2.5, 3, 7, 8, 16], "new-jump": [2, 3, 7, 9, 17], "rounded": [2, 2, 6, 6, 14]}
q.equal("LeNet-5, first centres", lambda: column_of(LENET, 2), [2, 2.5, 6.5, 7.5, 15.5], wrong, weight=0.5)
PADDED = [(5, 1, 1), (2, 2, 0), (3, 1, 1)]
q.equal("with padding, sizes", lambda: column_of(PADDED, 0), [5, 6, 10], {"padding-counted": [3, 4, 4]}, weight=0.25)
wrong = {"padding-ignored": [2, 2.5, 4.5], "padding-in-pixels": [1, 1.5, 2.5]}
q.equal("with padding, first centres", lambda: column_of(PADDED, 2), [1, 1.5, 1.5], wrong, weight=0.25)
### BEGIN HIDDEN TESTS


def walk_up(stack, grow=lambda k, s, p, j: (k - 1) * j, move=None, leap=lambda j, s: j * s, start=1, first=0):
    """Sizes, jumps and first centres by the recursion, or by what a mistake makes of it."""
    move = move or (lambda k, s, p, j: ((k - 1) / 2 - p) * j)
    size, jump, centre, rows = start, 1, first, []
    for k, s, p in stack:
        size, centre, jump = size + grow(k, s, p, jump), centre + move(k, s, p, jump), leap(jump, s)
        rows.append((size, jump, centre))
    return list(zip(*rows, strict=True))


with q.hidden():
    rng = check.rng()
    pick = lambda *values: int(rng.choice(values))
    stack = [(pick(5, 7), pick(1, 2), 1), (3, 2, 0), (pick(4, 6), 1, 2), (2, 3, 0), (pick(3, 5), 1, 1), (3, 2, 1)]
    odd = {
        "new-jump": {"grow": lambda k, s, p, j: (k - 1) * j * s, "move": lambda k, s, p, j: ((k - 1) / 2 - p) * j * s},
        "own-stride": {"grow": lambda k, s, p, j: (k - 1) * s, "move": lambda k, s, p, j: ((k - 1) / 2 - p) * s},
        "no-minus-one": {"grow": lambda k, s, p, j: k * j},
        "starts-at-zero": {"start": 0},
        "stride-as-jump": {"leap": lambda j, s: s},
        "strides-added": {"leap": lambda j, s: j + s - 1},
        "padding-counted": {"grow": lambda k, s, p, j: (k - 1 - 2 * p) * j},
        "padding-ignored": {"move": lambda k, s, p, j: (k - 1) / 2 * j},
        "padding-in-pixels": {"move": lambda k, s, p, j: (k - 1) / 2 * j - p},
        "rounded": {"move": lambda k, s, p, j: ((k - 1) // 2 - p) * j},
        "half-a-kernel": {"move": lambda k, s, p, j: (k / 2 - p) * j},
        "counted-from-one": {"first": 1},
        "edge-based": {"first": 0.5},
    }
    right, mistaken = walk_up(stack), {name: walk_up(stack, **how) for name, how in odd.items()}
    for i, label in enumerate(("sizes", "jumps", "first centres")):
        wrong = {name: columns[i] for name, columns in mistaken.items() if columns[i] != right[i]}
        q.equal(label, lambda i=i: column_of(stack, i), right[i], wrong, weight=1 if i == 0 else 0.5)
### END HIDDEN TESTS
q.score()

# %% [markdown]
# ## 2 · Two kernels make a larger one
#
# Leave out what stands between two convolutions, the biases and the ReLU, and they are *one* convolution. Two 3×3 kernels,
# one after the other, are a 5×5 kernel; you can write down its 25 numbers. (Convolution here is what lab 01 found it
# to be: the kernel is laid on the image as it is and not flipped.)


# %% answer="merge-kernels"
def merge_kernels(A, B):
    """The one kernel that does what two convolutions do one after the other, stride 1, unpadded, a single channel.

    Args:
        A: the first kernel, floats, shape `(n, n)`.
        B: the second kernel, which reads what the first has made, floats, shape `(m, m)`.

    Returns:
        A square array, floats: laid on the image, it gives what A and then B would give.
    """
    ### BEGIN SOLUTION
    n, m = len(A), len(B)
    K = np.zeros((n + m - 1, n + m - 1))
    for i in range(m):
        for j in range(m):
            K[i : i + n, j : j + n] += B[i, j] * A
    return K
    ### END SOLUTION


def threes_needed(kernel_size):
    """How many layers of 3×3, stride 1, see what one kernel sees: an int.

    `kernel_size` is an odd int of at least 3; for instance `threes_needed(5) == 2`.
    """
    ### BEGIN SOLUTION
    return (kernel_size - 1) // 2
    ### END SOLUTION


# %% test="merge-kernels" points=3
q = check.question(
    "merge-kernels",
    points=3,
    why="With a ReLU between them they are more than any single kernel can be; the pixels that they see are the same.",
    misconceptions={
        "flipped": "One of your kernels is upside down. Follow one pixel through both.",
        "multiplied": "That multiplies numbers at the same place. The second kernel reads several places of the first.",
        "matrix-product": "A convolution is a sum over places, not a product of matrices.",
        "added": "The second convolution reads what the first has made, not the image.",
        "cut-off": "Two kernels see further than the larger of them: the outer rows are missing.",
        "too-large": "The two kernels share a place: there is a row of zeros too many.",
        "divided-by-three": "Fields overlap. How many pixels does each further layer add?",
        "one-a-pixel": "Each further layer adds a pixel on BOTH sides.",
        "image-counted": "Count the layers: the first one sees 3 already.",
    },
)
A, B = np.array([[1.0, 2], [3, 4]]), np.array([[1.0, 0], [0, 10]])
wrong = {"flipped": [[10, 20, 0], [30, 41, 2], [0, 3, 4]], "multiplied": [[1, 0], [0, 40]], "matrix-product": [[1, 20], [3, 40]]}
wrong |= {"added": [[1, 0, 0], [0, 11, 2], [0, 3, 4]], "cut-off": [[1, 2], [3, 14]]}
wrong |= {"too-large": [[1, 2, 0, 0], [3, 14, 20, 0], [0, 30, 40, 0], [0, 0, 0, 0]]}
expected = [[1, 2, 0], [3, 14, 20], [0, 30, 40]]
q.close("two kernels of 2×2", lambda: merge_kernels(A, B), expected, wrong=wrong)
wrong = {"divided-by-three": lambda n: n == 5, "one-a-pixel": lambda n: n in (12, 13), "image-counted": lambda n: n in (6, 8)}
q.satisfies("to see what 15×15 sees", lambda: threes_needed(15), lambda n: n == 7, wrong, weight=0.5)
### BEGIN HIDDEN TESTS


def placed(K, size, top=0):
    """K in a frame of zeros."""
    frame = np.zeros((size, size))
    frame[top : top + len(K), top : top + len(K)] = K
    return frame


def merge_case(A, B):
    """The kernel by what it does to single pixels, and what common mistakes would give."""
    n, m = len(A), len(B)
    side = n + m - 1
    pixels = np.eye(side**2).reshape(-1, side, side, 1)
    by_pixel = lambda A, B: tf.nn.conv2d(tf.nn.conv2d(pixels, A[:, :, None, None], 1, "VALID"), B[:, :, None, None], 1, "VALID")
    right = by_pixel(A, B).numpy().reshape(side, side)
    flips = [by_pixel(A[::-1, ::-1], B), by_pixel(A, B[::-1, ::-1]), by_pixel(A[::-1, ::-1], B[::-1, ::-1])]
    flips = [np.reshape(K, (side, side)) for K in flips]
    cuts = [right[i : i + k, i : i + k] for k in (n, m) for i in range(side - k + 1)]
    sums = [placed(A, side, i) + placed(B, side, j) for i in range(m) for j in range(n)]
    large = [placed(right, side + more, i) for more in (1, 2) for i in range(more + 1)]
    same = lambda K, L: np.shape(K) == L.shape and np.allclose(K, L, 1e-5, 1e-6)
    some = lambda many: lambda K: any(same(K, L) for L in many)
    wrong = {"flipped": some(flips), "cut-off": some(cuts), "added": some(sums), "too-large": some(large)}
    if n == m:
        wrong |= {"multiplied": some([A * B]), "matrix-product": some([A @ B, B @ A])}
    return {"condition": lambda K: same(K, right), "wrong": wrong}


with q.hidden():
    rng = check.rng()
    for n, m in [(3, 3), (3, 5)]:
        A, B = rng.normal(size=(n, n)), rng.normal(size=(m, m))
        q.satisfies("random kernels", lambda A=A, B=B: merge_kernels(A, B), **merge_case(A, B))
    k = 2 * int(rng.integers(8, 14)) + 1
    wrong = {"divided-by-three": lambda n: n in (k // 3, -(-k // 3)), "one-a-pixel": lambda n: n in (k - 3, k - 2)}
    wrong |= {"image-counted": lambda n: n in ((k - 3) // 2, (k + 1) // 2)}
    q.satisfies("another kernel", lambda: threes_needed(k), lambda n: n == (k - 1) // 2, wrong, weight=0.5)
### END HIDDEN TESTS
q.score()

# %% [markdown]
# **Look.** A photograph, blurred and then its upright edges looked for, and the same with your one kernel.

# %% tags=["explore"]
photo = data.photos()["china"][:, 106:533]
grey = photo.mean(axis=2)[None, :, :, None]
blur, edges = np.ones((3, 3)) / 9, np.array([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])
conv = lambda X, K: tf.nn.conv2d(X, np.asarray(K, "float32")[:, :, None, None], 1, "VALID").numpy()
with check.waits_for("merge-kernels"):
    twice, once = conv(conv(grey, blur), edges), conv(grey, merge_kernels(blur, edges))
    print(f"the largest difference is {np.abs(twice - once).max():.1e}")
    plots.images(
        [grey[0], *(abs(X[0]) / abs(X).max() for X in (twice, once))],
        ["as it is", "3×3, then 3×3", "your 5×5"],
        columns=3,
        title="Two kernels, or the one that they make",
        alt="A pavilion in grey, and twice the same picture of its upright edges, bright on black.",
    )

# %% [markdown]
# **Think.** Is every 5×5 kernel two 3×3 kernels in a row? And what does the ReLU between them change?

# %% [markdown] tags=["think-answer"]
# No: two 3×3 kernels have 18 numbers to choose, a 5×5 kernel has 25, so most of these cannot be had. The paper calls that
# a regularisation of the larger kernel (section 2.3). Against it stands the ReLU: with it the pair is no longer linear and
# does what no single kernel can. With many channels the limit is looser, because the maps between the two may be many.

# %% [markdown]
# ## 3 · 27C² against 49C²
#
# Three layers of 3×3 see as much as one of 7×7. What do they cost? Biases are left out here, as in the paper.
#
# > **Find it, settle it with the original.** "49C² > 27C² → ~45 % reduction", says a lecture. The paper (section 2.3) says of
# > the same two numbers: "81 % more". Which of the two is right?


# %% answer="stack-weights"
def stack_weights(kernel_sizes, channels):
    """The weights of a stack of convolutions, without biases.

    Args:
        kernel_sizes: the kernel of each layer from the bottom up, a list of ints.
        channels: how many maps there are, a list of ints that is longer by one: first those of the input, then those
            that each layer makes.

    Returns:
        An int, for instance `stack_weights([3, 1], [2, 4, 5]) == 92`.
    """
    ### BEGIN SOLUTION
    return sum(k * k * c * f for k, c, f in zip(kernel_sizes, channels[:-1], channels[1:], strict=True))
    ### END SOLUTION


# With as many maps everywhere, in %, floats, to the nearest whole or better: how many weights FEWER three layers of 3×3
# have than one of 7×7; …
fewer_than_seven = None
# … how many MORE the one of 7×7 has than the three; …
more_than_threes = None
# … and how many fewer two layers of 3×3 have than one of 5×5.
fewer_than_five = None
### BEGIN SOLUTION
seven, threes = stack_weights([7], [64, 64]), stack_weights([3, 3, 3], 4 * [64])
five, twos = stack_weights([5], [64, 64]), stack_weights([3, 3], 3 * [64])
fewer_than_seven = 100 * (seven - threes) / seven
more_than_threes = 100 * (seven - threes) / threes
fewer_than_five = 100 * (five - twos) / five
### END SOLUTION


# %% test="stack-weights" points=3
q = check.question(
    "stack-weights",
    points=3,
    why="Both are right: 22C² of 49C² are 45 %, and 22C² of 27C² are 81 %. A percentage needs its whole.",
    misconceptions={
        "biases-counted": "Without biases, please.",
        "channels-once": "Every filter reads all the maps: C maps in and C out make C² kernels.",
        "kernel-not-square": "A 3×3 kernel has nine weights for each map that it reads.",
        "one-layer-only": "Every layer of the stack has weights.",
        "own-channels": "A kernel is as deep as what it READS: the maps of the layer below.",
        "kernels-multiplied": "The layers' weights are added.",
        "share": "That is a fraction. In per cent, please.",
        "of-the-other": "Of which of the two is that so many per cent?",
        "what-is-left": "That is what is left. How many fewer are there?",
        "the-whole": "That is how many times 100 % there are. How many MORE than 100 %?",
        "minus": "As a positive number, please.",
    },
)
wrong = {"biases-counted": 110_784, "channels-once": 1_728}
q.equal("three of 3×3, 64 maps", lambda: stack_weights([3, 3, 3], [64, 64, 64, 64]), 110_592, wrong)
wrong = {"biases-counted": 200_768, "channels-once": 3_136, "kernel-not-square": 28_672}
q.equal("one of 7×7, 64 maps", lambda: stack_weights([7], [64, 64]), 200_704, wrong, weight=0.5)
near = lambda *values: lambda v: any(abs(v - value) < 0.5 for value in values)
wrong = {"share": lambda v: 0 < v < 1, "of-the-other": near(38.9), "what-is-left": near(72), "minus": near(-28, -38.9)}
q.satisfies("two of 3×3, fewer than 5×5", lambda: fewer_than_five, near(28), wrong, weight=0.5)
### BEGIN HIDDEN TESTS


def percent_case(fewer, other):
    """The right percentage of two counts of weights, and what common mistakes would give."""
    right, near = 100 * abs(fewer - other) / other, lambda v, w: abs(v - w) < 0.5
    whole = 100 * fewer / other
    wrong = {"share": lambda v: near(100 * v, right) or near(100 * v, 100 * abs(fewer - other) / fewer)}
    wrong |= {"of-the-other": lambda v: near(v, 100 * abs(fewer - other) / fewer), "minus": lambda v: near(-v, right)}
    wrong |= {"what-is-left" if fewer < other else "the-whole": lambda v: near(v, whole) or near(100 * v, whole)}
    return {"condition": lambda v: near(v, right), "wrong": wrong}


with q.hidden():
    rng = check.rng()
    kernels = [int(k) for k in rng.permutation([1, 3, 5, 7])]
    maps = [int(c) for c in rng.choice(np.arange(3, 40), 5, replace=False)]
    rows = list(zip(kernels, maps[:-1], maps[1:], strict=True))
    right = sum(k * k * c * f for k, c, f in rows)
    wrong = {"biases-counted": right + sum(maps[1:]), "channels-once": sum(k * k * f for k, _, f in rows)}
    wrong |= {"kernel-not-square": sum(k * c * f for k, c, f in rows), "own-channels": sum(k * k * f * f for k, _, f in rows)}
    wrong |= {"one-layer-only": kernels[0] ** 2 * maps[0] * maps[1]}
    wrong |= {"kernels-multiplied": int(np.prod([k * k * c * f for k, c, f in rows], dtype=object))}
    q.equal("another stack", lambda: stack_weights(kernels, maps), right, wrong)
    q.satisfies("fewer than 7×7", lambda: fewer_than_seven, **percent_case(27, 49), weight=0.5)
    q.satisfies("more than the threes", lambda: more_than_threes, **percent_case(49, 27), weight=0.5)
### END HIDDEN TESTS
q.score()

# %% [markdown]
# **Look.** The larger the field, the more a stack saves.

# %% tags=["explore"]
sizes = list(range(3, 17, 2))
with check.waits_for("stack-weights"), check.waits_for("merge-kernels"):
    stacks = {k: [3] * int(threes_needed(k)) for k in sizes}
    counts = {"one kernel": [stack_weights([k], [1, 1]) for k in sizes]}
    counts["stack of 3×3"] = [stack_weights(stack, [1] * (len(stack) + 1)) for stack in stacks.values()]
    plots.curves(
        counts,
        sizes,
        xlabel="receptive field (pixels along a side)",
        ylabel="weights / C²",
        title="One kernel grows with the square, a stack with the side",
        alt="Two curves over the receptive field from 3 to 15 pixels. Both begin at 9; the single kernel's rises steeply to "
        "225, the stack's is a line that reaches 63.",
    )
    assert (counts["one kernel"][2], counts["stack of 3×3"][2]) == (49, 27)

# %% [markdown]
# **Think.** The first layer reads an image with 3 channels. Count one layer of 7×7 that makes 64 maps of it, and three
# layers of 3×3 that make 64 maps each. And what does a stack cost in time and memory, beside weights?

# %% [markdown] tags=["think-answer"]
# 49 · 3 · 64 = 9,408 weights against 27 · 64 + 2 · 9 · 64² = 75,456: at the image the stack has *eight times as many*. "27C²
# against 49C²" holds for C maps in and C out. In work the saving is the same as in weights, because every weight is used
# at every place; but there are three layers of outputs to keep instead of one, and question 8 shows where that leads.

# %% tags=["explore"]
with check.waits_for("stack-weights", fewer_than_seven):
    at_the_image = stack_weights([7], [3, 64]), stack_weights([3, 3, 3], [3, 64, 64, 64])
    print("at the image: {:,} weights against {:,}".format(*at_the_image))
    metrics.record("weights_saved_by_three_3x3", fewer_than_seven, "%", published=45, source="a lecture, rounded")
assert (49 * 3 * 64, 27 * 64 + 2 * 9 * 64**2) == (9_408, 75_456)
assert 75_456 // 9_408 == 8

# %% [markdown]
# ## 4 · Three networks, layer by layer
#
# Now for the networks of labs 01 and 02 and for VGG-16, which is configuration D. `NETWORKS` in the first cell has kernel
# size, stride and padding of every layer, and `INPUT` the sides of their images. Pooling reads its window like a
# convolution, and a fully connected layer is a convolution whose kernel is as large as everything it reads.
#
# Fill in the whole table. By hand for LeNet-5, if you like; the others have 11 and 21 layers.


# %% answer="networks"
# A dict: network → dict: layer → its receptive field, pixels along a side, an int. All networks and layers of NETWORKS;
# {"LeNet-5": {"C1": 5, …}, …}. Counted as if the image had no edges, so it may be larger than the image.
fields = None
# A dict: network → the name of its first layer whose units, counted like this, see as many pixels as the image has along
# a side, or more.
first_to_see_all = None
### BEGIN SOLUTION
fields = {}
for network, table in NETWORKS.items():
    size, jump, fields[network] = 1, 1, {}
    for layer, (kernel_size, stride, _) in table.items():
        size += (kernel_size - 1) * jump
        jump *= stride
        fields[network][layer] = size
first_to_see_all = {
    network: next(layer for layer, size in fields[network].items() if size >= INPUT[network]) for network in NETWORKS
}
### END SOLUTION


# %% test="networks" points=4
q = check.question(
    "networks",
    points=4,
    why="212 pixels at VGG's last pooling, 195 at AlexNet's: with 3×3 kernels only, and thirteen of them.",
    misconceptions={
        "strides-ignored": "After a stride of 2 a kernel's steps are two pixels wide.",
        "pooling-skipped": "A pooling window sees as well: its units read `kernel_size` units.",
        "new-jump": "A layer steps over the units below it: their jump counts.",
        "jump-reported": "That is the jump. How many pixels does one unit see?",
        "no-minus-one": "Of `kernel_size` units in a row the first is there already.",
        "clipped": "As if the image had no edges: the field may be larger than the image.",
        "output-size": "That is how many units the layer has along a side.",
        "not-yet": "Look again: a few pixels at the edge are still missing there.",
        "earlier-one": "There is an earlier one.",
    },
)


def field_of(network, layer):
    """The receptive field that the answer gives, or None before there is one."""
    return fields and fields[network][layer]


def first_of(network):
    """The layer that the answer names, or None before there is one."""
    return first_to_see_all and first_to_see_all[network]


wrong = {"strides-ignored": 13, "new-jump": 27, "jump-reported": 8, "no-minus-one": 24, "output-size": 27}
q.equal("AlexNet, pool1", lambda: field_of("AlexNet", "pool1"), 19, wrong, weight=0.5)
wrong = {"strides-ignored": 8, "pooling-skipped": 9, "jump-reported": 2, "no-minus-one": 17, "output-size": 112}
q.equal("VGG-16, conv2_1", lambda: field_of("VGG-16", "conv2_1"), 10, wrong, weight=0.5)
q.equal("AlexNet, fc6", lambda: field_of("AlexNet", "fc6"), 355, {"clipped": 227, "jump-reported": 32, "output-size": 1}, weight=0.25)
wrong = {"not-yet": lambda layer: layer in ("C1", "S2", "C3", "S4"), "earlier-one": lambda layer: layer in ("F6", "output")}
q.satisfies("LeNet-5, the first to see all", lambda: first_of("LeNet-5"), lambda layer: layer == "C5", wrong, weight=0.25)
### BEGIN HIDDEN TESTS


def fields_by(network, grow=lambda k, s, j: (k - 1) * j, leap=lambda j, s: j * s, skips=False):
    """A network's receptive fields by the recursion, or by what a mistake makes of it."""
    size, jump, found = 1, 1, {}
    for layer, (k, s, _) in NETWORKS[network].items():
        size += 0 if skips and layer[0] in "pS" else grow(k, s, jump)
        jump = leap(jump, s)
        found[layer] = size
    return found


def fields_case(network):
    """The right receptive fields of a network, and what common mistakes would give."""
    right = fields_by(network)
    side, jump, sides, jumps = INPUT[network], 1, {}, {}
    for layer, (k, s, p) in NETWORKS[network].items():
        side, jump = (side + 2 * p - k) // s + 1, jump * s
        sides[layer], jumps[layer] = side, jump
    wrong = {"strides-ignored": fields_by(network, leap=lambda j, s: 1), "pooling-skipped": fields_by(network, skips=True)}
    wrong |= {"new-jump": fields_by(network, grow=lambda k, s, j: (k - 1) * j * s), "jump-reported": jumps}
    wrong |= {"no-minus-one": fields_by(network, grow=lambda k, s, j: k * j), "output-size": sides}
    wrong |= {"clipped": {layer: min(size, INPUT[network]) for layer, size in right.items()}}
    return {"expected": right, "wrong": {name: table for name, table in wrong.items() if table != right}}


with q.hidden():
    for network in NETWORKS:
        q.equal(network, lambda network=network: fields and fields[network], **fields_case(network))
        seeing = [layer for layer, size in fields_by(network).items() if size >= INPUT[network]]
        wrong = {"earlier-one": lambda layer, late=seeing[1:]: layer in late}
        wrong |= {"not-yet": lambda layer, network=network: layer in NETWORKS[network]}
        answer = lambda network=network: first_of(network)
        q.satisfies("who sees all", answer, lambda layer, first=seeing[0]: layer == first, wrong, weight=0.3)
### END HIDDEN TESTS
q.score()

# %% [markdown]
# **Look.** What a unit in the middle of each layer sees of a photograph, by your recursion. The photograph is as large as
# the network's input; outside the field it is dimmed.


# %% tags=["explore"]
def whereabouts(network, layer, across=50, down=50):
    """Size and jump of a layer's fields, how many units it has along a side, and a unit's place in numbers and in pixels."""
    stack, side = [], INPUT[network]
    for name, (kernel_size, stride, padding) in NETWORKS[network].items():
        stack.append((kernel_size, stride, padding))
        side = (side + 2 * padding - kernel_size) // stride + 1
        if name == layer:
            break
    size, jump, first = receptive_fields(stack)[-1]
    unit = [round(percent / 100 * (side - 1)) for percent in (down, across)]
    return size, jump, side, unit, [first + jump * i for i in unit]


def draw_field(ax, network, layer, across=50, down=50):
    """The photograph, bright where the unit sees it."""
    size, _, _, _, (y, x) = whereabouts(network, layer, across, down)
    low, high = -0.5, INPUT[network] - 0.5
    ax.imshow(0.3 + 0.35 * photo, extent=(low, high, high, low))
    bright = ax.imshow(photo, extent=(low, high, high, low))
    square = {"xy": (x - size / 2, y - size / 2), "width": size, "height": size}
    bright.set_clip_path(Rectangle(**square, transform=ax.transData))
    ax.add_patch(Rectangle(**square, fill=False, edgecolor=plots.COLOURS[1], linewidth=2))
    ax.set_axis_off()


# %% tags=["explore"]
panels = [(network, layer) for network, stack in NETWORKS.items() for layer, row in stack.items() if row != (1, 1, 0)]
with check.waits_for("rf-recursion"), plots.style():
    fig, axes = plt.subplots(5, 7, figsize=(6.4, 6.6), layout="compressed")
    fig.suptitle("What one unit sees: LeNet-5, AlexNet, VGG-16", x=0.01, ha="left")
    for ax, (network, layer) in zip(axes.flat, panels, strict=False):
        draw_field(ax, network, layer)
        ax.set_title(f"{network}\n{layer}: {whereabouts(network, layer)[0]}", loc="center", fontsize=8, weight="normal", pad=2)
    for ax in axes.flat[len(panels) :]:
        ax.remove()
    words = ", ".join(f"{network} {layer} {whereabouts(network, layer)[0]}" for network, layer in panels)
    plots.show(fig, f"The same photograph for every layer, a square of it bright: what a unit in the middle sees, in pixels. {words}.")

# %% [markdown]
# **Try it.** In JupyterLab the picture can be asked: choose a layer, and how far across and down its unit lies (in %), by mouse
# or by keyboard: Tab to a slider, then the arrow keys. What does a unit in a corner see? (Elsewhere you see a single state of
# it; the figure above shows all layers.)


# %% tags=["explore"]
def picture_of_unit(layer, across, down):
    """The picture of one unit's field, and the same in words."""
    network, name = layer.split(", ")
    size, jump, side, unit, middle = whereabouts(network, name, across, down)
    with plots.style():
        fig, ax = plt.subplots(figsize=(4, 4.5), layout="constrained")
    draw_field(ax, network, name, across, down)
    first, last = ([max(0, min(INPUT[network] - 1, c + sign * (size - 1) / 2)) for c in middle] for sign in (-1, 1))
    place = f"rows {first[0]:.0f} to {last[0]:.0f} and columns {first[1]:.0f} to {last[1]:.0f}"
    which = f"unit {tuple(unit)} of {side}×{side}"
    ax.set_title(f"{layer}: {size} pixels, jump {jump}\n{which}\n{place}", color=plots.GREY, fontsize=10)
    return fig, f"{layer}, {which}, jump {jump}: sees {size}×{size} pixels; of the image, {place}."


with check.waits_for("rf-recursion"):
    places = [f"{network}, {layer}" for network, layer in panels]
    percent = range(0, 101, 5)
    start = {"layer": "VGG-16, conv4_1", "across": 50, "down": 50}
    plots.interactive(picture_of_unit, {"layer": places, "across": percent, "down": percent}, start)

# %% [markdown]
# **Think.** LeNet-5's C5, AlexNet's fc6 and VGG-16's fc6 have all pixels before them. Give these networks a larger image: what
# would these layers, and those after them, have to be for that to work, `Dense` or convolutions, and what would come out?

# %% [markdown] tags=["think-answer"]
# A `Dense` layer expects so many numbers and no others; a convolution does not mind. With the first fully connected layer
# written as a kernel of 5×5, 6×6 or 7×7, and the next ones as 1×1, a larger image gives a map of outputs instead of one: the
# network is slid across the image, a jump of 4, 32 or 32 pixels at a time, and nearly all the work is shared. The authors of
# VGG tested their networks that way (section 3.2 of the paper).

# %% [markdown]
# ## 5 · Ask the gradient
#
# The recursion is arithmetic about a network. Here is a measurement: the gradient of **one unit** with respect to **all
# pixels**. A pixel that cannot move the unit has a gradient of exactly zero.
#
# One thing can go wrong. If weights have different signs, contributions may cancel, and a maximum passes the gradient to
# one pixel only, the largest. So measure with **positive weights** everywhere and with the **average** where the network
# takes the maximum. An average over a window is a convolution, too, so every layer can be one of ones.


# %% answer="seen-by"
def seen_by(stack, unit, size):
    """Which pixels can move one unit.

    Args:
        stack: a list with a tuple for each layer, from the image up: (kernel_size, stride, padding), ints; pixels that
            are left over at the end of a side are not used.
        unit: (row, column) of a unit of the last layer, counted from 0.
        size: height and width of the image, an int.

    Returns:
        A bool array of shape (size, size): True where a pixel moves the unit. The image has edges: beyond them there
        is nothing. `tf.nn.conv2d` and `tf.GradientTape` are allowed; any other way is as good.
    """
    ### BEGIN SOLUTION
    X = tf.ones((1, size, size, 1))
    with tf.GradientTape() as tape:
        tape.watch(X)
        Y = X
        for k, stride, p in stack:
            Y = tf.nn.conv2d(Y, tf.ones((k, k, 1, 1)), stride, [(0, 0), (p, p), (p, p), (0, 0)])
        y = Y[0, unit[0], unit[1], 0]
    return tape.gradient(y, X).numpy()[0, :, :, 0] != 0
    ### END SOLUTION


# %% test="seen-by" points=4
q = check.question(
    "seen-by",
    points=4,
    why="Nothing was assumed: whatever a network is made of, the gradient knows what it looks at.",
    misconceptions={
        "exchanged": "Rows come first: unit (0, 1) is in the first row.",
        "unpadded": "The padding is missing: it moves what a unit sees.",
        "all-units": "That is what all units see together. Take the gradient of one.",
        "some-missing": "Some pixels are missing: take the average instead of the maximum, and positive weights.",
        "end-missing": "The last row and column are missing.",
        "first-unit": "That is what the first unit sees, whichever is asked for.",
        "last-layer-only": "Those are the units that it reads in the layer below. Go on down to the image.",
        "frame-returned": "The padding is no part of the image: shape (size, size).",
        "stride-missing": "With a stride of s the next unit's kernel lies s places further.",
        "same-padding": "“SAME” chooses a padding of its own. Here it is given.",
        "nothing-seen": "No pixel at all? Beyond the edge there is nothing: a first row of −1 is row 0.",
        "gradient-returned": "The pixels are right. True or False, please, not how much.",
    },
)


def area(size, rows, columns):
    """True between these first and last rows and columns."""
    seen = np.zeros((size, size), bool)
    seen[rows[0] : rows[1] + 1, columns[0] : columns[1] + 1] = True
    return seen


wrong = {"exchanged": area(8, (1, 6), (0, 4)), "unpadded": area(8, (0, 5), (2, 7)), "all-units": area(8, (0, 7), (0, 7))}
wrong |= {"end-missing": area(8, (0, 3), (1, 5)), "first-unit": area(8, (0, 4), (0, 4)), "last-layer-only": area(8, (0, 1), (2, 3))}
wrong |= {"stride-missing": area(8, (0, 4), (0, 5)), "same-padding": area(8, (0, 3), (0, 5))}
right = area(8, (0, 4), (1, 6))
mistakes = {name: partial(np.array_equal, w) for name, w in wrong.items()}
mistakes |= {"frame-returned": lambda seen: np.shape(seen) == (10, 10), "nothing-seen": lambda seen: not np.any(seen)}
mistakes |= {"gradient-returned": lambda seen: np.array_equal(right, np.not_equal(seen, 0))}
mistakes |= {"some-missing": lambda seen: np.all(right | ~np.array(seen))}
answer = lambda: seen_by([(5, 1, 1), (2, 2, 0)], (0, 1), 8)
q.satisfies("5×5, padding 1, then pooling 2×2, unit (0, 1) of 8×8 pixels", answer, partial(np.array_equal, right), mistakes, weight=1.5)
### BEGIN HIDDEN TESTS


def walk_down(stack, unit, size, padded=True, strided=True, deep=None):
    """The first and the last pixel, along one side, that a unit sees: what it reads, layer by layer."""
    sides, first, last = [size], unit, unit
    for k, s, p in stack:
        sides.append((sides[-1] + 2 * p - k) // s + 1)
    for (k, s, p), side in list(zip(stack, sides, strict=False))[::-1][:deep]:
        p, s = p if padded else 0, s if strided else 1
        first, last = max(first * s - p, 0), min(last * s - p + k - 1, side - 1)
    return first, last


def seen_case(stack, unit, size):
    """The right pixels, and what common mistakes would give."""
    pixels = lambda unit, **how: area(size, *(walk_down(stack, i, size, **how) for i in unit))
    right, side = pixels(unit), size
    for k, s, p in stack:
        side = (side + 2 * p - k) // s + 1
    (top, bottom), (left, end) = (walk_down(stack, i, size) for i in unit)
    begin, finish = walk_down(stack, 0, size)[0], walk_down(stack, side - 1, size)[1]
    wrong = {"exchanged": pixels(unit[::-1]), "unpadded": pixels(unit, padded=False), "first-unit": pixels((0, 0))}
    wrong |= {"all-units": area(size, (begin, finish), (begin, finish))}
    wrong |= {"end-missing": area(size, (top, bottom - 1), (left, end - 1)), "last-layer-only": pixels(unit, deep=1)}
    wrong |= {"stride-missing": pixels(unit, strided=False)}
    mistakes = {name: partial(np.array_equal, w) for name, w in wrong.items() if not np.array_equal(w, right)}
    mistakes |= {"frame-returned": lambda seen: len(seen) > size, "nothing-seen": lambda seen: not np.any(seen)}
    mistakes |= {"gradient-returned": lambda seen: np.array_equal(right, np.not_equal(seen, 0))}
    mistakes |= {"some-missing": lambda seen: np.all(right | ~np.array(seen))}
    return {"condition": partial(np.array_equal, right), "wrong": mistakes}


with q.hidden():
    rng = check.rng()
    pick = lambda *values: int(rng.choice(values))
    stack = [(5, pick(1, 2), 1), (3, 2, 0), (3, 1, 1), (2, 2, 0), (3, 1, pick(0, 1))]
    for unit in [(3, 1), (0, 2)]:
        size = pick(61, 64, 66)
        q.satisfies("another stack", lambda u=unit, n=size: seen_by(stack, u, n), **seen_case(stack, unit, size))
    for network, depth, unit in [("AlexNet", 4, (5, 3)), ("VGG-16", 10, (9, 12))]:
        stack, size = list(NETWORKS[network].values())[:depth], INPUT[network]
        q.satisfies(network, lambda s=stack, u=unit, n=size: seen_by(s, u, n), **seen_case(stack, unit, size), weight=0.75)
### END HIDDEN TESTS
q.score()

# %% [markdown]
# **Look.** Recursion and gradient, side by side: every layer of the three networks, on an image that is large enough for all
# of them, and a unit in the middle. Do you get the same pixels every time, as many and in the same place?


# %% tags=["explore"]
def measured_field(stack, size=500):
    """The first and the last row, and the first and the last column, that move a unit near the middle; and that unit's number."""
    side = size
    for kernel_size, stride, padding in stack:
        side = (side + 2 * padding - kernel_size) // stride + 1
    rows, columns = np.nonzero(seen_by(stack, (side // 2, side // 2), size))
    return [(rows.min(), rows.max()), (columns.min(), columns.max())], side // 2


with check.waits_for("seen-by"), check.waits_for("rf-recursion"):
    for network, table in NETWORKS.items():
        stack, words = list(table.values()), []
        for depth, (layer, (size, jump, first)) in enumerate(zip(table, receptive_fields(stack), strict=True), start=1):
            measured, unit = measured_field(stack[:depth])
            middle = first + jump * unit
            assert measured == 2 * [(middle - (size - 1) / 2, middle + (size - 1) / 2)]
            words.append(f"{layer} {size}")
        print(f"{network}:", ", ".join(words))

# %% [markdown]
# **Look.** And with maximum pooling? Here is the gradient of one unit on a photograph, after three poolings of 2×2 between two
# convolutions of ones: once the poolings average, once they take the maximum.

# %% tags=["explore"]
maps = {}
for name, pool in {"average": tf.nn.avg_pool2d, "maximum": tf.nn.max_pool2d}.items():
    X, ones = tf.constant(grey[:, 200:240, 200:240]), tf.ones((3, 3, 1, 1))
    with tf.GradientTape() as tape:
        tape.watch(X)
        Y = tf.nn.conv2d(X, ones, 1, "SAME")
        for _ in range(3):
            Y = pool(Y, 2, 2, "VALID")
        y = tf.nn.conv2d(Y, ones, 1, "SAME")[0, 2, 2, 0]
    maps[name] = np.sign(tape.gradient(y, X).numpy()[0])
    print(f"{name}: {int(maps[name].sum())} pixels")
plots.images(
    [X[0], *maps.values()],
    ["the image", *maps],
    columns=3,
    title="A maximum passes the gradient to one pixel of each window",
    alt="A detail of a photograph, then in white the pixels with a gradient: a full square where the network averages; "
    "with the maximum nine small patches in it.",
)

# %% [markdown]
# ## 6 · Where the influence is
#
# All these pixels *can* move the unit. Do they move it equally? The pixel in the middle is read by many units on the way
# up, a pixel in the corner by a single one. Luo and others [3] call the part that matters the **effective receptive
# field**. There is no sharp edge to it, so we settle on a rule: the smallest **centred square** that holds at least 90 % of the
# gradient's mass, the sum of its absolute values.


# %% answer="effective-field"
def effective_field(G, share=0.9):
    """The side of the smallest centred square that holds a share of the gradient's mass. NumPy only.

    Args:
        G: the gradient at the pixels of a receptive field, floats of either sign, shape `(n, n)`, n odd or even.
        share: which part of the sum of |G| the square has to hold at least, a float between 0 and 1.

    Returns:
        An int: n, n − 2, n − 4, …, since a centred square leaves margins of the same width on all four sides.
    """
    ### BEGIN SOLUTION
    mass, n = np.abs(G), len(G)
    for margin in range((n - 1) // 2, -1, -1):
        if mass[margin : n - margin, margin : n - margin].sum() >= share * mass.sum():
            return n - 2 * margin
    ### END SOLUTION


# %% test="effective-field" points=3
q = check.question(
    "effective-field",
    points=3,
    why="With n layers the receptive field grows like n, the effective one like √n: most of the field is hardly used.",
    misconceptions={
        "signed": "Gradients of both signs cancel in a sum. Their sizes count.",
        "squared": "The absolute values are summed, not the squares.",
        "half-side": "The side of the square, please, not the way from its middle to its edge.",
        "pixels-counted": "The side of the square, please, not its area.",
        "just-below": "That square holds less than asked for. At least so much, please.",
        "margin": "That is the margin. How large is the square?",
        "one-row": "The square has rows, too: mass lies above and below the middle one.",
        "part-of-peak": "That counts pixels above a part of the largest one. The mass within a square is asked for.",
        "off-centre": "With an even side the middle lies between two pixels: margins are equal on all four sides.",
        "wanders": "The square stays in the middle, even where there is more elsewhere.",
    },
)
G = np.array([[0, 1, 0, 0, 0], [0, 4, 0, 0, 0], [1, 0, 15, 0, -1], [0, 0, -3, 0, 0], [0, 0, 0, 0, -1.0]])
q.forbids("tensorflow", "keras", "torch", "jax", answer=lambda: effective_field)
wrong = {"pixels-counted": [25, 9, 1], "half-side": [2, 1, 0], "margin": [0, 1, 2], "just-below": [3, 1, -1], "off-centre": [4, 2, 1]}
wrong |= {"signed": [1, 1, 1], "squared": [3, 1, 1], "one-row": [5, 1, 1]}
q.equal("5×5 pixels, 90, 70 and 30 %", lambda: [effective_field(G, share) for share in (0.9, 0.7, 0.3)], [5, 3, 1], wrong)
even = np.array([[4, 0, 0, 0], [0, 2, 1, 0], [0, 1, 2, 0], [0, 0, 0, 11.0]])
q.equal("4×4 pixels, 60 %", lambda: effective_field(even, 0.6), 4, {"off-centre": 3, "wanders": 2}, weight=0.5)
### BEGIN HIDDEN TESTS


def field_case(G, share):
    """The right side, and what common mistakes would give."""

    def smallest(mass, least=share, rows=True):
        n, whole = len(mass), mass.sum()
        for side in range(2 - n % 2, n + 1, 2):
            inner = slice((n - side) // 2, (n + side) // 2)
            if (mass[inner, inner] if rows else mass[n // 2, inner]).sum() >= least * (whole if rows else mass[n // 2].sum()):
                return side
        return n

    n, right = len(G), smallest(abs(G))
    many = (abs(G) > (1 - share) * abs(G).max()).sum()
    wrong = {"just-below": right - 2, "signed": smallest(G), "half-side": {right // 2, right / 2}, "pixels-counted": right**2}
    wrong |= {"margin": (n - right) // 2, "one-row": smallest(abs(G), rows=False)}
    wrong |= {"part-of-peak": {many, int(many**0.5), many**0.5}, "off-centre": {right - 1, right + 1}, "squared": smallest(G**2)}
    sets = {name: v if isinstance(v, set) else {v} for name, v in wrong.items()}
    mistakes = {name: lambda side, v=v: side in v for name, v in sets.items() if right not in v}
    return {"condition": lambda side: side == right, "wrong": mistakes}


with q.hidden():
    rng = check.rng()
    for n, width, share in [(31, 5.0, 0.9), (40, 7.0, 0.95), (33, 4.0, 0.6)]:
        x = np.arange(n) - (n - 1) / 2
        bell = np.exp(-(x**2) / 2 / (width + rng.random()) ** 2)
        G = np.outer(bell, bell**3) * rng.uniform(0.5, 1.5, (n, n)) * np.where(rng.random((n, n)) < 0.7, -1, 1)
        middle = slice(n // 2 - 1, n // 2 + 1)
        G[middle, middle] = abs(G[middle, middle])
        q.satisfies("another gradient", lambda G=G, s=share: effective_field(G, s), **field_case(G, share))
### END HIDDEN TESTS
q.score()

# %% [markdown]
# **Look.** Layers of 3×3 in a row, all weights alike. The gradient at the image is then a kernel of ones, merged with itself
# again and again: it turns into a bell (that is the central limit theorem), whose width grows with the *root* of the depth.

# %% tags=["explore"]
depths = [1, 2, 4, 8, 16, 32, 64]
with check.waits_for("effective-field"):
    row, bells = np.ones(3) / 3, {}
    for depth in range(1, 65):
        bells[depth] = row
        row = np.convolve(row, np.ones(3) / 3)
    effective = [effective_field(np.outer(bells[n], bells[n])) for n in depths]
    metrics.record("effective_part_of_64_layers", 100 * effective[-1] / 129, "%")
    plots.curves(
        {"receptive field": [2 * n + 1 for n in depths], "effective": effective},
        depths,
        xlabel="layers of 3×3",
        ylabel="pixels along a side",
        xscale="log",
        yscale="log",
        title="The field grows with the depth, the effective one with its root",
        alt="Two rising lines, both axes logarithmic. The receptive field rises from 3 to 129 pixels over 64 layers, the effective "
        "one from 3 to about a fifth of that, with half the slope.",
    )

# %% [markdown]
# ### In a network that learns
#
# Two small networks in the manner of VGG, with the same receptive fields: the first has pairs of 3×3, the second one 5×5 in the
# place of each pair. They read the digits; with `SCALE = "full"` 10,000 images of CIFAR-10 (`cifar10_subset`, tested on the 1,000
# test images that come with it), with three seeds. Two questions: which of the two learns better, and what becomes of the
# effective receptive field of a unit in the last layer of convolutions?
#
# The paper made the first comparison with its network B on ImageNet: with 5×5 in the place of the pairs the top-1 error was
# "7% higher" (section 4.1; points or per cent of the error, it does not say). For the second question Luo and others report that in
# their networks training made the effective field *grow*.

# %% tags=["explore"]
images, EPOCHS, BATCH, SEEDS = data.digits(32), 4, 32, [SEED]
if SCALE == "full":
    images, EPOCHS, BATCH, SEEDS = data.load("cifar10_subset"), 4, 64, [SEED, SEED + 1, SEED + 2]
STACKS = {"3×3": [(3, 3), (3, 3), (3,)], "5×5": [(5,), (5,), (3,)]}
print(images)


# %% tags=["explore"]
def small_vgg(stages):
    """A network whose stages have these kernels, with 16, 32 and 64 filters, and a pooling between one stage and the next."""
    model = keras.Sequential([keras.Input(images.X_train.shape[1:])])
    for i, kernels in enumerate(stages):
        if i:
            model.add(layers.MaxPooling2D(2))
        for kernel_size in kernels:
            model.add(layers.Conv2D(16 * 2**i, kernel_size, padding="same", activation="relu"))
    model.add(layers.Flatten())
    model.add(layers.Dense(10))
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


# %% [markdown]
# The unit in question is number (4, 4) of the last 8×8. By the recursion it sees 24 pixels along a side, numbers 6 to 29.

# %% tags=["explore"]
with check.waits_for("rf-recursion"):
    for name, stages in STACKS.items():
        stack = [row for kernels in stages for row in (*((k, 1, k // 2) for k in kernels), (2, 2, 0))]
        size, jump, first = receptive_fields(stack[:-1])[-1]
        print(f"{name}: {size} pixels, from {first + 4 * jump - (size - 1) / 2:.0f} on, {small_vgg(stages).count_params():,} parameters")


# %% tags=["explore"]
def mean_gradient(model, X):
    """Within its field, the mean over images of the size of unit (4, 4)'s gradient, all maps together: shape (24, 24)."""
    trunk = keras.Model(model.inputs, model.layers[-3].output)
    X = tf.constant(X)
    with tf.GradientTape() as tape:
        tape.watch(X)
        y = tf.reduce_sum(trunk(X)[:, 4, 4])
    return np.abs(tape.gradient(y, X)).mean(axis=(0, 3))[6:30, 6:30]


# %% tags=["explore"]
gradients = {}
with check.waits_for("effective-field"):
    errors, before, after = ({name: [] for name in STACKS} for _ in range(3))
    for name, stages in STACKS.items():
        for seed in SEEDS:
            keras.utils.set_random_seed(seed)
            model = small_vgg(stages)
            gradients[name, "untrained"] = mean_gradient(model, images.X_test[:200])
            training.fit(model, images.X_train, images.y_train, epochs=EPOCHS, batch_size=BATCH, seed=seed)
            gradients[name, "trained"] = mean_gradient(model, images.X_test[:200])
            before[name].append(int(effective_field(gradients[name, "untrained"])))
            after[name].append(int(effective_field(gradients[name, "trained"])))
            errors[name].append(metrics.error_rate(images.y_test, model.predict(images.X_test, verbose=0).argmax(axis=1)))

# %% tags=["explore"]
with check.waits_for("effective-field"):
    print(f"errors in %: {errors}; effective fields: before {before}, after {after}")
    metrics.record("test_error_3x3", np.mean(errors["3×3"]), "%")
    metrics.record("test_error_5x5", np.mean(errors["5×5"]), "%")
    metrics.record("error_5x5_minus_3x3", np.mean(errors["5×5"]) - np.mean(errors["3×3"]), "percentage points")
    metrics.record("effective_field_before", np.mean(before["3×3"]), "pixels of 24")
    metrics.record("effective_field_after", np.mean(after["3×3"]), "pixels of 24")
    plots.images(
        [G / G.max() for G in gradients.values()],
        [f"{name}, {state}" for name, state in gradients],
        columns=4,
        title="Where the influence is, in a field of 24×24 pixels",
        alt="Four squares of 24×24 pixels, bright in the middle and dark at the edges: where the gradient of one unit is "
        "large, for both networks, before and after training.",
    )

# %% [markdown]
# **Think.** The receptive field is the same for both networks and stays the same. What has changed in the effective one, in which
# direction, and is it much beside the spread between seeds? What does this small experiment say about ImageNet?

# %% [markdown] tags=["think-answer"]
# Nothing in the arithmetic changes; what changes is which of the many paths from pixel to unit carry weight. The line above
# says which way it went. If the field became smaller, that is no contradiction: the networks of Luo and others are deeper,
# and their effective field begins as a small part of the receptive field, while this one begins as most of it and has little
# room to grow. Nor is it a proof: with one seed, and a rule that moves in steps of two pixels, a difference of two pixels
# says little. The errors say which of two small networks learned this set better in this time, not more.

# %% [markdown]
# ## 7 · Five networks in one table
#
# Table 1 of the paper has a column for each of its networks, A to E; the first cell of this lab has what differs. From it
# follow all their parameters. (A sixth, A-LRN, adds AlexNet's normalisation to A and no parameter.)


# %% answer="vgg-layers"
def vgg_layers(name):
    """The layers with weights of a VGG network that reads images of 224×224 pixels, 3 channels.

    Args:
        name: "A", "B", "C", "D" or "E"; `CONVOLUTIONS` and `FILTERS` of the first cell say what these are.

    Returns:
        A list with a tuple of ints for each layer, from the image up: (kernel_size, channels, filters), channels being
        what it reads. A fully connected layer that reads maps has a kernel as large as they are, the others have
        kernel_size 1. For instance the first is (3, 3, 64) in all networks, and the last (1, 4096, 1000).
    """
    ### BEGIN SOLUTION
    rows, channels = [], 3
    for number, filters in zip(CONVOLUTIONS[name], FILTERS, strict=True):
        for i in range(number):
            rows.append((1 if name == "C" and i == 2 else 3, channels, filters))
            channels = filters
    return [*rows, (7, channels, 4096), (1, 4096, 4096), (1, 4096, 1000)]
    ### END SOLUTION


def vgg_parameters(name):
    """All parameters of that network, weights and biases, an int."""
    ### BEGIN SOLUTION
    return sum((k * k * channels + 1) * filters for k, channels, filters in vgg_layers(name))
    ### END SOLUTION


# %% test="vgg-layers" points=4
q = check.question(
    "vgg-layers",
    points=4,
    why="Nine tenths of them are in three layers at the end. Later networks took the mean over the maps instead.",
    misconceptions={
        "no-bias": "Every filter and unit has a bias.",
        "convolutions-only": "The fully connected layers have weights as well, most of them.",
        "fc6-reads-a-place": "The first fully connected layer reads every place of every map, not only one.",
        "flattened": "So it is after flattening. Here it is a kernel as large as the maps, and the channels are the maps.",
        "no-one-by-one": "In C the third convolution of a stage has a kernel of 1×1.",
        "filters-doubled": "The last stage has as many filters as the one before it: look at FILTERS.",
        "own-channels": "A kernel is as deep as what it READS.",
        "one-convolution-a-stage": "CONVOLUTIONS says how many there are in each stage.",
        "kernel-not-square": "A 3×3 kernel has nine weights for each map.",
        "pooling-listed": "Only layers that have weights.",
        "not-pooled": "Five poolings halve the side five times before the first fully connected layer reads.",
    },
)


def rows_of(name):
    """The answer's rows as tuples, or None before there are any."""
    rows = vgg_layers(name)
    return None if rows is None else [tuple(map(int, row)) for row in rows]


wrong = {"fc6-reads-a-place": [(1, 512, 4096)], "not-pooled": [(14, 512, 4096)], "convolutions-only": [(3, 512, 512)]}
wrong |= {"flattened": [(1, 25088, 4096)]}
answer = lambda: rows_of("D")[-3:-2]
q.equal("the first fully connected layer of D", answer, [(7, 512, 4096)], wrong, weight=0.5)
wrong = {"no-bias": 138_344_128, "convolutions-only": 14_714_688, "fc6-reads-a-place": 37_694_248}
wrong |= {"kernel-not-square": 40_477_000, "filters-doubled": 254_868_776, "own-channels": 139_940_968}
q.equal("D, VGG-16, in all", lambda: vgg_parameters("D"), 138_357_544, wrong)
q.equal("C, in all", lambda: vgg_parameters("C"), 133_638_952, {"no-one-by-one": 138_357_544}, weight=0.25)
### BEGIN HIDDEN TESTS


def rows_by(name, filters=FILTERS, dense=7, ones=True, own=False, single=False):
    """A network's layers with weights, or what a mistake makes of them."""
    rows, channels = [], 3
    for number, maps in zip((1,) * 5 if single else CONVOLUTIONS[name], filters, strict=True):
        for i in range(number):
            rows.append((1 if ones and name == "C" and i == 2 else 3, maps if own else channels, maps))
            channels = maps
    return [*rows, (dense, channels, 4096), (1, 4096, 4096), (1, 4096, 1000)]


def count(rows, bias=1, power=2):
    """Their parameters."""
    return sum((k**power * channels + bias) * filters for k, channels, filters in rows)


with q.hidden():
    for name in CONVOLUTIONS:
        right = rows_by(name)
        mistaken = {
            "no-one-by-one": rows_by(name, ones=False),
            "fc6-reads-a-place": rows_by(name, dense=1),
            "not-pooled": rows_by(name, dense=14),
            "filters-doubled": rows_by(name, filters=(64, 128, 256, 512, 1024)),
            "own-channels": rows_by(name, own=True),
            "one-convolution-a-stage": rows_by(name, single=True),
            "convolutions-only": right[:-3],
            "flattened": [*right[:-3], (1, 49 * right[-3][1], 4096), *right[-2:]],
        }
        wrong = {mistake: rows for mistake, rows in mistaken.items() if rows != right}
        judged = {mistake: lambda rows, w=rows: rows == w for mistake, rows in wrong.items()}
        judged |= {"pooling-listed": lambda rows, right=right: len(rows) == len(right) + 5}
        q.satisfies(name, lambda name=name: rows_of(name), lambda rows, right=right: rows == right, judged, weight=0.4)
        wrong = {mistake: count(rows) for mistake, rows in wrong.items() if mistake != "flattened"}
        wrong |= {"no-bias": count(right, bias=0), "kernel-not-square": count(right, power=1)}
        q.equal(f"{name} in all", lambda name=name: vgg_parameters(name), count(right), wrong, weight=0.4)
### END HIDDEN TESTS
q.score()

# %% [markdown]
# **Look.** The paper's Table 2 gives 133, 133, 134, 138 and 144 million. Where are they?

# %% tags=["explore"]
with check.waits_for("vgg-layers"):
    counts = {name: vgg_parameters(name) for name in CONVOLUTIONS}
    print(", ".join(f"{name} {total:,}" for name, total in counts.items()))
    assert [round(total / 1e6) for total in counts.values()] == [133, 133, 134, 138, 144]
    assert counts["D"] == 138_357_544
    metrics.record("parameters_vgg16", counts["D"], published=138e6, source="Simonyan and Zisserman 2015, Table 2")
    dense = sum((k * k * channels + 1) * filters for k, channels, filters in vgg_layers("D")[-3:])
    plots.bars(
        {name: (total - dense) / 1e6 for name, total in counts.items()},
        dict.fromkeys(counts, dense / 1e6),
        xlabel="convolutions (million parameters)",
        second_xlabel="fully connected (million parameters)",
        title="Three layers at the end outweigh all convolutions",
        alt="Two panels of bars for the networks A to E. The convolutions have 9 to 20 million parameters, the fully connected "
        "layers 124 million each time.",
    )
    print(f"fully connected in VGG-16: {100 * dense / counts['D']:.1f} %")

# %% [markdown]
# Does Keras agree? Nobody needs half a gigabyte of VGG-16 to see that: at a sixteenth of the width every layer is there, and its
# count follows from your list in the same way.

# %% tags=["explore"]
with check.waits_for("vgg-layers"):
    slim = lambda maps: maps if maps in (3, 1000) else maps // 16
    narrow = keras.Sequential([keras.Input((224, 224, 3))])
    for number, filters in zip(CONVOLUTIONS["D"], FILTERS, strict=True):
        for _ in range(number):
            narrow.add(layers.Conv2D(slim(filters), 3, padding="same", activation="relu"))
        narrow.add(layers.MaxPooling2D(2))
    narrow.add(layers.Flatten())
    for units in (4096, 4096, 1000):
        narrow.add(layers.Dense(slim(units)))
    assert narrow.count_params() == sum((k * k * slim(c) + 1) * slim(f) for k, c, f in vgg_layers("D"))
    print(f"{narrow.count_params():,} parameters at a sixteenth of the width")
    del narrow

# %% [markdown]
# ## 8 · What a forward pass keeps
#
# To find gradients, a network keeps the output of every layer until the way back has used it. A well-known set of course
# notes, CS231n's [4], goes through VGG-16 and counts the numbers that one image leaves in memory:
#
# | layers | as the notes have it |
# |---|---|
# | input | 150K |
# | two CONV3-64, pool | 3.2M, 3.2M, 800K |
# | two CONV3-128, pool | 1.6M, 1.6M, 400K |
# | three CONV3-256, pool | 800K, 800K, 800K, 200K |
# | three CONV3-512, pool | 400K, 400K, 400K, 100K |
# | three CONV3-512, pool | 100K, 100K, 100K, 25K |
# | FC | 4096, 4096, 1000 |
#
# > **Find it.** Below it stands "TOTAL memory: 24M * 4 bytes ~= 93MB / image (only forward! ~*2 for bwd)". Is that what the
# > lines add up to?


# %% answer="forward-memory"
def forward_memory(convolutions, size=224):
    """How many numbers one image leaves in memory on its way up through a VGG network, stage by stage.

    Args:
        convolutions: how many convolutions of 3×3, padding 1, stand in each of the five stages, five ints; their filters
            are `FILTERS`. A pooling of 2×2, stride 2, ends each stage. At the end 4096, 4096 and 1000 units.
        size: height and width of the image, which has 3 channels, an int that is divisible by 32.

    Returns:
        A list of seven ints: the image itself; the outputs of each of the five stages' convolutions and pooling together; the
        three fully connected layers together. (A ReLU is done in place and keeps nothing of its own.)
    """
    ### BEGIN SOLUTION
    numbers, side = [3 * size**2], size
    for convolutions_here, filters in zip(convolutions, FILTERS, strict=True):
        numbers.append((convolutions_here * side**2 + (side // 2) ** 2) * filters)
        side //= 2
    return [*numbers, 4096 + 4096 + 1000]
    ### END SOLUTION


megabytes = None  # a float: the MB (10⁶ bytes) that one image takes in VGG-16 (D), float32
### BEGIN SOLUTION
megabytes = 4 * sum(forward_memory(CONVOLUTIONS["D"])) / 1e6
### END SOLUTION

# %% test="forward-memory" points=2
q = check.question(
    "forward-memory",
    points=2,
    why="Half of it is in the first stage, where hardly any parameters are: two different things to save.",
    misconceptions={
        "pooling-forgotten": "The output of a pooling is kept as well.",
        "pooled-in-full": "Pooling halves both sides: a quarter of the numbers is left.",
        "input-forgotten": "The image has three channels, and it is kept, too.",
        "one-convolution": "Every convolution of the stage keeps an output.",
        "maps-ignored": "There is one number for each place of EACH map.",
        "bytes": "Numbers, please, not bytes.",
        "not-halved": "After each stage the sides are half as long.",
        "the-notes": "So say the notes. Add up the lines yourself.",
        "mebibytes": "Those are MiB, of 1,048,576 bytes. A MB has a million.",
        "numbers": "That many million numbers, and each has four bytes.",
    },
)
wrong = {"input-forgotten": 50_176, "bytes": 602_112}
entry = lambda i, *args: (lambda numbers: None if numbers is None else numbers[i])(forward_memory(*args))
q.equal("the image", lambda: entry(0, (2, 2, 3, 3, 3)), 150_528, wrong, weight=0.25)
wrong = {"pooling-forgotten": 6_422_528, "pooled-in-full": 9_633_792, "one-convolution": 4_014_080, "maps-ignored": 112_896}
wrong |= {"bytes": 28_901_376}
q.equal("stage 1 of VGG-16", lambda: entry(1, (2, 2, 3, 3, 3)), 7_225_344, wrong, weight=0.75)
wrong = {"the-notes": lambda v: 90 < v < 98, "numbers": lambda v: 15 < v < 16, "bytes": lambda v: v > 1e6}
q.satisfies("in all, more or less", lambda: megabytes, lambda v: 40 < v < 80, wrong, weight=0.25)
### BEGIN HIDDEN TESTS


def memory_by(convolutions, size, bytes=1, pooled=0.25, halved=2, first=3, single=False, maps=True):
    """The seven numbers, or what a mistake makes of them."""
    numbers, side = [first * size**2 * bytes], size
    for number, filters in zip(convolutions, FILTERS, strict=True):
        numbers.append(round(((1 if single else number) + pooled) * side**2 * (filters if maps else 1) * bytes))
        side //= halved
    return [*numbers, 9192 * bytes]


with q.hidden():
    rng = check.rng()
    mistakes = {"pooling-forgotten": {"pooled": 0}, "pooled-in-full": {"pooled": 1}, "input-forgotten": {"first": 1}}
    mistakes |= {"one-convolution": {"single": True}, "bytes": {"bytes": 4}, "not-halved": {"halved": 1}, "maps-ignored": {"maps": False}}
    for convolutions, size in [((2, 2, 4, 4, 4), 224), (tuple(map(int, rng.integers(2, 6, 5))), 32 * int(rng.integers(3, 9)))]:
        right = memory_by(convolutions, size)
        wrong = {mistake: memory_by(convolutions, size, **how) for mistake, how in mistakes.items()}
        wrong |= {"input-forgotten": lambda numbers, right=right: len(numbers) == 6 or numbers[0] != right[0]}
        judged = {mistake: w if callable(w) else lambda numbers, w=w: list(numbers) == w for mistake, w in wrong.items()}
        judged = {mistake: judged[mistake] for mistake in (*[m for m in judged if m != "input-forgotten"], "input-forgotten")}
        answer = lambda c=convolutions, n=size: forward_memory(c, n)
        q.satisfies("another network", answer, lambda numbers, right=right: list(numbers) == right, judged, weight=0.5)
    right = 4 * sum(memory_by(CONVOLUTIONS["D"], 224)) / 1e6
    wrong = {"the-notes": lambda v: 90 < v < 98, "mebibytes": lambda v: abs(v - right / 1.048576) < 0.1}
    wrong |= {"numbers": lambda v: abs(v - right / 4) < 0.1, "bytes": lambda v: abs(v - right * 1e6) < 1e5}
    q.satisfies("in all", lambda: megabytes, lambda v: abs(v - right) < 0.1, wrong)
### END HIDDEN TESTS
q.score()

# %% [markdown]
# **Look.** Memory and parameters of VGG-16, stage by stage.

# %% tags=["explore"]
parts = ["image", *(f"stage {i}" for i in range(1, 6)), "fully connected"]
with check.waits_for("forward-memory", megabytes), check.waits_for("vgg-layers"):
    kept = [int(n) for n in forward_memory(CONVOLUTIONS["D"])]
    bounds = np.cumsum([0, 0, *CONVOLUTIONS["D"], 3])
    weights = [(k * k * c + 1) * f for k, c, f in vgg_layers("D")]
    weighing = [sum(weights[a:b]) for a, b in pairwise(bounds)]
    plots.bars(
        dict(zip(parts, (4 * n / 1e6 for n in kept), strict=True)),
        dict(zip(parts, (n / 1e6 for n in weighing), strict=True)),
        xlabel="kept for one image (MB)",
        second_xlabel="parameters (millions)",
        title="The memory is at the bottom, the parameters are at the top",
        alt="Two panels of bars. Kept for one image: stage 1 29 MB, stage 2 14, then less and less. Parameters: next to none in "
        "the first stages, 124 million in the fully connected layers.",
    )
    metrics.record("forward_memory_vgg16", megabytes, "MB", published=93, source="the total in the CS231n notes")

# %% [markdown] tags=["think-answer"]
# **The notes.** Their lines are right, rounded; together they make 15.2 million numbers, not 24, and 61 MB (58 MiB), not 93. Stage 1
# alone has nearly half. (That it doubles on the way back is a rule of thumb: the gradients of the outputs need as much again.)

# %% tags=["think-answer"]
lines = {"input": 150, "64": 3200 + 3200 + 800, "128": 1600 + 1600 + 400, "256": 3 * 800 + 200, "512": 3 * 400 + 100}
lines |= {"512 again": 3 * 100 + 25, "FC": 4.096 + 4.096 + 1}
assert round(sum(lines.values()) / 1000, 1) == 15.2
assert [round(4 * 15_237_608 / unit) for unit in (1e6, 2**20)] == [61, 58]

# %% [markdown]
# ## 9 · Holes: to see further
#
# Pooling and strides widen the view and lose places. **Dilation** widens it and keeps them: the kernel's nine weights stand
# apart, with `dilation − 1` zeros between neighbours. A dilation of 1 is the kernel as it is. Yu and Koltun [5] stacked 3×3
# kernels with dilations 1, 2, 4, 8, … to label every pixel of an image.


# %% answer="dilation"
def dilate(W, dilation):
    """A kernel with holes, as a larger kernel with zeros in it.

    Args:
        W: a kernel, floats, shape `(k, k)`.
        dilation: how many places further the next weight stands, an int of at least 1.

    Returns:
        A square array, floats, as small as can be: first and last row and column hold weights.
    """
    ### BEGIN SOLUTION
    side = (len(W) - 1) * dilation + 1
    D = np.zeros((side, side))
    D[::dilation, ::dilation] = W
    return D
    ### END SOLUTION


def dilated_field(kernel_size, dilations):
    """The receptive field of a stack of dilated convolutions, stride 1, all with the same kernel size.

    Args:
        kernel_size: places along a side that a kernel has weights for, an int.
        dilations: the dilation of each layer, a list of ints.

    Returns:
        An int: pixels along a side, from the first that a unit sees to the last; `dilated_field(3, [2]) == 5`.
    """
    ### BEGIN SOLUTION
    return 1 + (kernel_size - 1) * sum(dilations)
    ### END SOLUTION


# %% test="dilation" points=3
q = check.question(
    "dilation",
    points=3,
    why="With dilations 1, 2, 4, 8, … the field doubles with every layer, while the weights grow by nine.",
    misconceptions={
        "zeros-at-the-end": "The last row and column hold weights: nothing comes after the last weight.",
        "one-zero-too-many": "The next weight stands `dilation` places further: that leaves one place less in between.",
        "repeated": "Holes are zeros. The weights are not repeated.",
        "padded": "The zeros stand between the weights, not around them.",
        "rows-only": "Both rows and columns are spread.",
        "like-a-stride": "Dilation is no stride: the next unit is still one pixel further, whatever the layers below.",
        "no-minus-one": "Of three places in a row the first is there already.",
        "last-only": "All layers of the stack widen the view.",
        "dilation-ignored": "The steps of a dilated kernel are `dilation` pixels wide.",
        "added-twice": "A pixel sees a pixel: of each further kernel only the new places count.",
    },
)
W = np.array([[1.0, 2], [3, 4]])
wrong = {"zeros-at-the-end": [[1, 0, 2, 0], [0, 0, 0, 0], [3, 0, 4, 0], [0, 0, 0, 0]], "repeated": np.kron(W, np.ones((2, 2)))}
wrong |= {"one-zero-too-many": [[1, 0, 0, 2], [0, 0, 0, 0], [0, 0, 0, 0], [3, 0, 0, 4]], "padded": np.pad(W, 1)}
wrong |= {"rows-only": [[1, 2], [0, 0], [3, 4]]}
q.close("2×2, dilation 2", lambda: dilate(W, 2), [[1, 0, 2], [0, 0, 0], [3, 0, 4]], wrong=wrong)
wrong = {"like-a-stride": 23, "no-minus-one": 22, "last-only": 9, "dilation-ignored": 7, "added-twice": 17}
q.equal("3×3, dilations 1, 2, 4", lambda: dilated_field(3, [1, 2, 4]), 15, wrong)
### BEGIN HIDDEN TESTS


def dilate_case(W, d):
    """The kernel by what TensorFlow's dilated convolution does to single pixels, and what common mistakes would give."""
    k, side = len(W), (len(W) - 1) * d + 1
    pixels = np.eye(side**2).reshape(-1, side, side, 1)
    right = tf.nn.conv2d(pixels, W[:, :, None, None], 1, "VALID", dilations=d).numpy().reshape(side, side)
    end, gap, rows = np.pad(right, (0, d - 1)), np.zeros((k + (k - 1) * d,) * 2), np.zeros((side, k))
    gap[:: d + 1, :: d + 1], rows[::d] = W, W
    wrong = {"zeros-at-the-end": end, "one-zero-too-many": gap, "repeated": np.kron(W, np.ones((d, d)))}
    wrong |= {"padded": np.pad(W, (side - k + 1) // 2), "rows-only": rows}
    same = lambda w: lambda D: np.shape(D) == w.shape and np.allclose(D, w, 1e-5, 1e-6)
    mistakes = {name: same(w) for name, w in wrong.items()} | {"rows-only": lambda D: same(rows)(D) or same(rows)(np.transpose(D))}
    return {"condition": same(right), "wrong": mistakes}


with q.hidden():
    rng = check.rng()
    for k, d in [(3, 3), (5, 2), (4, 1)]:
        W = rng.uniform(0.5, 2, (k, k))
        q.satisfies("another kernel", lambda W=W, d=d: dilate(W, d), **dilate_case(W, d), weight=0.5)
    for k in (3, 5):
        dilations = [int(d) for d in rng.integers(2, 9, 4)]
        jumps = np.cumprod([1, *dilations])
        wrong = {"like-a-stride": int(1 + (k - 1) * (jumps[:-1] * dilations).sum()), "no-minus-one": 1 + k * sum(dilations)}
        wrong |= {"last-only": 1 + (k - 1) * dilations[-1], "dilation-ignored": 1 + (k - 1) * 4}
        wrong |= {"added-twice": sum((k - 1) * d + 1 for d in dilations)}
        q.equal("another stack", lambda k=k, d=dilations: dilated_field(k, d), 1 + (k - 1) * sum(dilations), wrong, weight=0.75)
### END HIDDEN TESTS
q.score()

# %% [markdown]
# **Look.** What two stacks of three layers see, and how often each pixel is read on the way up. Their weights are as many.

# %% tags=["explore"]
with check.waits_for("dilation"), check.waits_for("merge-kernels"):
    views = {}
    for dilations in ([1, 2, 4], [2, 2, 2], [1, 1, 1]):
        view = np.ones((1, 1))
        for d in dilations:
            view = np.asarray(merge_kernels(view, np.asarray(dilate(np.ones((3, 3)), d))))
        views[f"{dilations}: {len(view)} pixels"] = np.pad(view / view.max(), (15 - len(view)) // 2)
    plots.images(
        list(views.values()),
        list(views),
        columns=3,
        title="Dilations 1, 2, 4 see all of it; 2, 2, 2 only every second pixel",
        alt="Three squares of 15×15 pixels. Dilations 1, 2, 4: all pixels are seen, though not equally often. Dilations 2, 2, 2: a grid of dots "
        "with black rows and columns between them. Without dilation: a small bright patch of 7×7 pixels.",
    )

# %% [markdown]
# **Think.** With dilations 2, 2, 2, whom do two neighbouring units have in common? Where would you see it in a picture that
# such a network labels?

# %% [markdown] tags=["think-answer"]
# Nobody: even and odd pixels make four pictures of half the size that never meet. Neighbours may be labelled differently for no
# reason that can be seen: a chequered pattern, known as gridding. Any mixture of dilations that brings all pixels together helps.

# %% [markdown]
# ## Take-away
#
# * Size, jump, first centre: up through the layers, kernels widen the view by the jump *below* them, strides multiply the jump,
#   padding moves the middle.
# * Two 3×3 see 5×5, three see 7×7, with a ReLU between them and 28 % or 45 % fewer weights, if there are as many maps on both sides.
# * LeNet-5 sees 32 pixels, AlexNet 195, VGG-16 212 at the last pooling; the fully connected layer after it sees all.
# * A gradient measures what arithmetic promises: which pixels *can* move a unit, and which do. The effective field is a bell,
#   much smaller, and training changes it.
# * VGG-16: 138,357,544 parameters, nine tenths at the top; 61 MB an image, half of it at the bottom.
#
# ## References
#
# 1. K. Simonyan, A. Zisserman: *Very Deep Convolutional Networks for Large-Scale Image Recognition*. ICLR 2015.
# 2. H. K. Hartline: *The response of single optic nerve fibers of the vertebrate eye to illumination of the retina*. American
#    Journal of Physiology 121, 1938.
# 3. W. Luo, Y. Li, R. Urtasun, R. Zemel: *Understanding the Effective Receptive Field in Deep Convolutional Neural Networks*.
#    NIPS 2016.
# 4. A. Karpathy and others: *Convolutional Networks*. Notes of Stanford's course CS231n, cs231n.github.io.
# 5. F. Yu, V. Koltun: *Multi-Scale Context Aggregation by Dilated Convolutions*. ICLR 2016.
# 6. A. Araujo, W. Norris, J. Sim: *Computing Receptive Fields of Convolutional Neural Networks*. Distill, 2019.

# %% tags=["explore"]
assert [round(100 * (1 - a / b)) for a, b in ((18, 25), (27, 49))] == [28, 45]
assert round(100 * (49 - 27) / 27) == 81
