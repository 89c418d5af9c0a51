# %% [markdown]
# # Lab 03 · Dropout: noise that teaches
#
# **About 2½ hours · 10 questions · 30 points**
#
# You will be able to
#
# * draw a dropout mask, and put the factor that belongs to it in the right place: at test time or in training;
# * say what a network with dropout computes on average, when that is exact and when it is not;
# * write a training step with dropout by hand, backwards as well;
# * use `keras.layers.Dropout` without mixing up the rate and the keep probability;
# * measure what dropout gains, what it costs, and what it changes inside a network;
# * write the other common regularisers, L2, L1 and elastic net, with their gradients.
#
# **You need** labs 01 and 02, the chain rule, and what an expectation is. An example is a row: `X` has the
# shape `(examples, features)`, and a layer computes `X @ W + b`.

# %% tags=["parameters"]
SEED = 0
SCALE = "smoke"

# %% setup="imports"
from functools import cache
from itertools import pairwise, product

import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from keras import layers

from labkit import check, data, metrics, plots


def softmax(logits):
    """Probabilities along the last axis."""
    e = np.exp(logits - np.max(logits, axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def spread(mask, axis):
    """How much the share of ones varies along the other axis; about 1 where all entries are independent."""
    p, shares = np.mean(mask), np.mean(mask, axis=axis)
    return np.var(shares) * np.shape(mask)[axis] / max(p * (1 - p), 1e-9)


def looks_like_a_mask(mask, keep_prob):
    """Whether these are independent zeros and ones, a 1 with probability `keep_prob`: within 6 deviations."""
    mask = np.asarray(mask, float)
    binary = np.all((abs(mask) < 1e-5) | (abs(mask - 1) < 1e-5))
    near = abs(mask.mean() - keep_prob) < 6 * np.sqrt(keep_prob * (1 - keep_prob) / mask.size)
    return binary and near and all(0.4 < spread(mask, axis) < 1.6 for axis in (0, 1))


# %% [markdown]
# ## Where it comes from
#
# Many networks, trained apart and averaged, err less than one. AlexNet's best entry averaged seven (lab 02), but
# training a single one took five to six days. In July 2012 Geoffrey Hinton, Nitish Srivastava, Alex Krizhevsky, Ilya
# Sutskever and Ruslan Salakhutdinov proposed something cheaper [1]: in training, every time an example is
# shown, **leave out each hidden unit with probability ½**. AlexNet was trained so, in its first two fully
# connected layers [2, section 4.2]; without it, the authors say, the network overfits substantially. The full
# account came in 2014 [3].
#
# Two stories are told about why it works, and both are in the papers:
#
# * **No unit can rely on another.** A unit that corrects the mistakes of one particular neighbour is useless
#   when that neighbour is missing: such *co-adaptations* do not pay. (Ten conspiracies of five people each are
#   harder to foil than one of fifty, section 2 of [3] puts it.) A lecture says the same with other words: the
#   network is forced to represent things redundantly.
# * **It is an ensemble.** Each way of leaving units out is a network of its own, thinner than the whole. They
#   share their weights, and a step of training trains one of them for each example.

# %% tags=["explore"]
rng = np.random.default_rng(SEED + 6)
with plots.style():
    fig, axes = plt.subplots(1, 2, figsize=(6.4, 2.8))
    for ax, p, title in zip(axes, (1, 0.5), ("All units", "One thinned network"), strict=True):
        kept = [np.ones(4), rng.random(6) < p, rng.random(6) < p, np.ones(3)]
        place = [(np.arange(len(k)) - (len(k) - 1) / 2) for k in kept]
        for i, (first, second) in enumerate(pairwise(kept)):
            for a, b in product(np.flatnonzero(first), np.flatnonzero(second)):
                ax.plot([i, i + 1], [place[i][a], place[i + 1][b]], color=plots.COLOURS[0], linewidth=0.8)
        for i, k in enumerate(kept):
            face = [plots.COLOURS[0] if on else "none" for on in k]
            ax.scatter([i] * len(k), place[i], s=80, c=face, edgecolors=plots.GREY, zorder=3)
        ax.set(title=title, xticks=range(4), yticks=[], xticklabels=["input", "hidden", "hidden", "output"])
        ax.spines[:].set_visible(False)
plots.show(
    fig,
    alt="Two drawings of a network with two hidden layers of six units. On the left all units are filled and "
    "joined to all of the next layer; on the right some hidden units are hollow and have lost their lines.",
)

# %% [markdown]
# ## Four names, two meanings
#
# Before you write a line, look at what is called $p$:
#
# | where | name | it is the probability of |
# |---|---|---|
# | Srivastava et al. 2014 [3] | $p$ | **keeping** a unit |
# | old TensorFlow, `tf.nn.dropout` | `keep_prob` | **keeping** a unit |
# | Keras, and today's TensorFlow | `rate` | **dropping** a unit |
# | PyTorch, `nn.Dropout` | `p` | **dropping** a unit |
#
# At ½, the value of 2012, they are all the same; that is why mistakes live so long. This lab says
# `keep_prob` for $p$, and `rate` for $1 - p$.
#
# ## 1 · A mask
#
# A mask has an entry for each unit **of each example**: 1 keeps it, 0 drops it, and no entry knows of any
# other. All randomness comes from a generator that you are given, so that a run can be repeated.


# %% answer="dropout-mask"
def dropout_mask(shape, keep_prob, rng):
    """A dropout mask.

    Args:
        shape: of the mask, a tuple of two ints, (examples, units).
        keep_prob: the probability of a 1, a float above 0 and at most 1; the same for all entries, which are
            independent.
        rng: a `numpy.random.Generator`, the only source of randomness.

    Returns:
        An array of zeros and ones of that shape; floats, ints or booleans.
    """
    ### BEGIN SOLUTION
    return rng.random(shape) < keep_prob
    ### END SOLUTION


# %% test="dropout-mask" points=3
q = check.question(
    "dropout-mask",
    points=3,
    why="Every example gets a thinned network of its own, and the same generator gives the same one again.",
    misconceptions={
        "rate-for-keep-prob": "So many are dropped, not kept. keep_prob is the probability of a 1.",
        "one-mask-for-the-batch": "Every example has the same units dropped. Draw for each example anew.",
        "whole-examples": "Whole examples are dropped. Draw for each unit anew.",
        "fixed-number": "The number of ones is always the same. Each entry is drawn by itself, so it has to vary.",
        "not-zeros-and-ones": "A mask keeps or drops: its entries are 0 and 1, nothing in between.",
        "scaled": "These are not ones. Here the mask is bare; scaling comes in question 3.",
        "own-generator": "The same generator has to give the same mask, and another generator another one.",
        "keep-prob-ignored": "Half of them are kept, whatever keep_prob is.",
        "normal-numbers": "Is a number of that distribution below keep_prob with the probability keep_prob?",
    },
)


def draw(shape, keep_prob, seed):
    """The answer's mask from a fresh generator."""
    return np.asarray(dropout_mask(shape, keep_prob, np.random.default_rng(seed)), float)


def mask_mistakes(keep_prob):
    """For each mistake a condition that its masks meet."""
    return {
        "scaled": lambda m: m.max() > 1.01 and len(np.unique(m)) == 2,
        "not-zeros-and-ones": lambda m: len(np.unique(m)) > 2,
        "one-mask-for-the-batch": lambda m: len(m) > 1 and np.all(m == m[0]),
        "whole-examples": lambda m: np.all(m == m[:, :1]),
        "rate-for-keep-prob": lambda m: abs(m.mean() - 1 + keep_prob) < 0.01,
        "fixed-number": lambda m: min(spread(m, 0), spread(m, 1)) < 0.1,
        "keep-prob-ignored": lambda m: abs(m.mean() - 0.5) < 0.01,
    }


wrong = {"one-mask-for-the-batch": (5,), "whole-examples": (3, 1)}
q.equal("3 examples, 5 units: the shape", lambda: np.shape(draw((3, 5), 0.5, 1)), (3, 5), wrong, weight=0.5)
binary = lambda m: set(np.unique(m)) == {0, 1}
q.satisfies("zeros and ones", lambda: draw((40, 60), 0.5, 2), binary, mask_mistakes(0.5), 0.5, "zeros and ones")
share = lambda: draw((200, 500), 0.8, 3).mean()
wrong = {"rate-for-keep-prob": 0.2, "keep-prob-ignored": 0.5, "normal-numbers": 0.788145}
q.close("keep_prob 0.8: the share of ones", share, 0.8, 0, 0.0076, wrong, 0.5)  # 6 standard deviations
free = lambda m: looks_like_a_mask(m, 0.8)
answer = lambda: draw((200, 500), 0.8, 3)
q.satisfies("no entry knows of any other", answer, free, mask_mistakes(0.8), 0.5, "independent zeros and ones")
same = lambda: [np.array_equal(draw((30, 40), 0.5, 1), draw((30, 40), 0.5, seed)) for seed in (1, 2)]
wrong = {"own-generator": lambda v: not v[0] or v[1]}
q.satisfies("seeds 1 and 1, 1 and 2: the same mask?", same, lambda v: v[0] and not v[1], wrong, 0.5, "[True, False]")
### BEGIN HIDDEN TESTS
with q.hidden():
    rng = check.rng()
    p, first, second = rng.uniform(0.6, 0.9), *rng.integers(10**6, size=2)
    independent = lambda m: looks_like_a_mask(m, p)
    q.satisfies("independent entries", lambda: draw((300, 400), p, first), independent, mask_mistakes(p), 1.5)
    totals = lambda: [draw((100, 150), p, first + i).sum() for i in range(6)]
    fixed = lambda t: max(abs(np.array(t) - 15_000 * p)) <= 1
    q.satisfies("the number of ones", totals, lambda t: not fixed(t), {"fixed-number": fixed}, 0.5)
    whole = lambda: draw((20, 30), 1.0, first)
    wrong = {"rate-for-keep-prob": lambda m: m.max() == 0}
    q.satisfies("keep_prob 1", whole, lambda m: m.min() == m.max() == 1, wrong, 0.5)
    pair = lambda: [np.all(draw((30, 40), p, first) == draw((30, 40), p, seed)) for seed in (first, second)]
    wrong = {"own-generator": lambda v: not v[0] or v[1]}
    q.satisfies("the generator", pair, lambda v: v[0] and not v[1], wrong)
### END HIDDEN TESTS
q.score()

# %% [markdown]
# **Look.** Masks for a batch of 12 examples and a layer of 40 units. Do you find two rows that are the same?

# %% tags=["explore"]
with check.waits_for("dropout-mask"):
    rng = np.random.default_rng(SEED)
    masks = {p: np.asarray(dropout_mask((12, 40), p, rng), bool) for p in (0.8, 0.5, 0.2)}
    blue, grey = (0.15, 0.52, 0.78), (0.8, 0.8, 0.8)
    plots.images(
        [np.where(mask[..., None], blue, grey) for mask in masks.values()],
        [f"keep_prob {p}: {mask.mean():.0%} are kept" for p, mask in masks.items()],
        columns=1,
        title="Masks: a row is an example, a column a unit, blue is kept",
        alt="Three masks of 12 rows and 40 columns. The first is mostly blue, the second half, the third mostly "
        "grey, without a pattern along rows or columns.",
    )

# %% [markdown]
# ## 2 · Vanilla dropout
#
# The form of the papers. **In training** the activations are multiplied by a mask. **At test time** every unit
# is there, which is more than the next layer has ever seen; so its activations are made smaller by the factor
# that they had on average.
#
# > **Find it, settle it with the original.** A lecture says under its formula: "at test time, multiply by
# > dropout probability". Its program multiplies by `p`, and a comment in it calls `p` the
# > "probability of keeping a unit active". With ½ nobody notices. Section 1 of [3] and its Figure 2 settle it.
# > The visible check below does not; the hidden ones do.


# %% answer="vanilla-dropout"
def vanilla_dropout(A, keep_prob, training, rng=None):
    """Dropout as in the papers: nothing is scaled in training, everything at test time.

    Args:
        A: activations, floats, shape `(examples, units)`; A itself is not changed.
        keep_prob: the probability of keeping a unit, a float above 0 and at most 1.
        training: a bool; True drops units at random, False is test time.
        rng: a `numpy.random.Generator`, the only source of randomness; it may be None at test time.

    Returns:
        Floats of the shape of `A`, of whatever precision.
    """
    ### BEGIN SOLUTION
    return A * (rng.random(A.shape) < keep_prob) if training else A * keep_prob
    ### END SOLUTION


# %% test="vanilla-dropout" points=2
q = check.question(
    "vanilla-dropout",
    points=2,
    why="What the next layer gets at test time should be what it got in training, on average.",
    misconceptions={
        "test-untouched": "At test time more units are there than in training. Something has to make up for it.",
        "made-larger": "At test time there are more units than in training, so each has to count for less.",
        "dropped-at-test-time": "At test time nothing is random, and no unit is missing.",
        "changed-in-place": "The caller's array has changed: `*=` works on it, not on a copy.",
        "scaled-in-training": "In this form the units that are kept stay as they are in training.",
        "nothing-dropped": "In training some units have to be zero.",
        "one-mask-for-the-batch": "Every example has the same units dropped. Draw for each example anew.",
    },
)


def vanilla_mistakes(A, p):
    """For each mistake a condition on what it makes of A in training."""
    kept_at = lambda Z, factor: np.allclose(Z[Z != 0], factor * A[Z != 0])
    return {
        "nothing-dropped": lambda Z: np.all(Z != 0),
        "scaled-in-training": lambda Z: any(kept_at(Z, f) for f in (p, 1 / p, 1 - p, 1 / (1 - p))),
        "one-mask-for-the-batch": lambda Z: np.all((Z != 0) == (Z[0] != 0)),
        "rate-for-keep-prob": lambda Z: looks_like_a_mask(Z != 0, 1 - p),
    }


A = np.array([[10.0, 20.0, -30.0], [40.0, 50.0, 60.0]])
is_like = lambda C: lambda B: np.shape(B) == C.shape and np.allclose(B, C)
wrong = {"test-untouched": is_like(A), "made-larger": is_like(2 * A), "dropped-at-test-time": lambda B: np.any(B == 0)}
answer = lambda: np.asarray(vanilla_dropout(A, 0.5, False), float)
q.satisfies("test time, where both readings agree", answer, is_like(A / 2), wrong, 1, "half of A")
threes = np.full((200, 300), 3.0)
answer = lambda: np.asarray(vanilla_dropout(threes, 0.5, True, np.random.default_rng(2)), float)
thinned = lambda Z: looks_like_a_mask(Z / 3, 0.5)
wrong = vanilla_mistakes(threes, 0.5)
q.satisfies("60,000 threes in training", answer, thinned, wrong, 0.5, "independent zeros and threes")
both = lambda: [check.after(vanilla_dropout, A, 0.5, t, np.random.default_rng(1))[1][0] for t in (True, False)]
wrong = {"changed-in-place": lambda B: np.shape(B) == (2, 2, 3)}
q.satisfies("A afterwards", both, lambda B: np.array_equal(B, [A, A]), wrong, 0.25, "A as it was")
### BEGIN HIDDEN TESTS
hints = {
    "rate_at_test_time": "That is the lecture's sentence: the probability of dropping. Read section 1 of the paper.",
    "rate_for_keep_prob": "So many are dropped, not kept.",
}
with q.hidden(**hints):
    rng = check.rng()
    p, seed, A = rng.uniform(0.65, 0.9), int(rng.integers(10**6)), 1 + rng.random((200, 300))
    wrong = {"rate-at-test-time": (1 - p) * A, "test-untouched": A, "made-larger": A / p}
    q.close("test time", lambda: vanilla_dropout(A, p, False), p * A, wrong=wrong, weight=1.5)
    trained = lambda: np.asarray(vanilla_dropout(A, p, True, np.random.default_rng(seed)), float)
    right = lambda Z: looks_like_a_mask(Z / A, p)
    q.satisfies("training", trained, right, vanilla_mistakes(A, p), weight=1.5)
    again = lambda: np.ptp([vanilla_dropout(A[:9], p, False, np.random.default_rng(s)) for s in (1, 2)], axis=0)
    random = {"dropped-at-test-time": lambda gap: np.max(gap) > 0}
    q.satisfies("no randomness", again, lambda gap: np.max(gap) == 0, random, weight=0.5)
### END HIDDEN TESTS
q.score()

# %% [markdown]
# ## 3 · Inverted dropout
#
# Nothing says that the factor has to wait for test time. If the units that are kept are made **larger in
# training**, as much as is missing on average, the network can be used as it is. Predicting is what a network
# does most often, so this is what every library does today. (Section 10 of [3] mentions it.)


# %% answer="inverted-dropout"
def inverted_dropout(A, keep_prob, training, rng=None):
    """Dropout as in today's libraries: scaled in training, so that nothing is left to do at test time.

    Args:
        A: activations, floats, shape `(examples, units)`; A itself is not changed.
        keep_prob: the probability of keeping a unit, a float above 0 and at most 1.
        training: a bool; True drops units at random, False is test time.
        rng: a `numpy.random.Generator`, the only source of randomness; it may be None at test time.

    Returns:
        Floats of the shape of `A`, in training with the expectation `A`. At test time A itself will do.
    """
    ### BEGIN SOLUTION
    return A * (rng.random(A.shape) < keep_prob) / keep_prob if training else A
    ### END SOLUTION


# %% test="inverted-dropout" points=3
q = check.question(
    "inverted-dropout",
    points=3,
    why="The network that you test is the one that you trained: no factor to forget when you use it elsewhere.",
    misconceptions={
        "scaled-at-test-time": "The factor is in training now. At test time nothing is left to do.",
        "dropped-at-test-time": "At test time nothing is random, and no unit is missing.",
        "not-scaled": "On average that is less than A: what is kept has to make up for what is dropped.",
        "made-smaller": "What is kept has to make up for what is dropped: larger, not smaller.",
        "rate-for-keep-prob": "So many are dropped, not kept.",
        "one-mask-for-the-batch": "Every example has the same units dropped. Draw for each example anew.",
        "nothing-dropped": "In training some units have to be zero.",
        "scaled-by-the-batch": "The factor follows from keep_prob alone, not from how many this draw has kept.",
        "scaled-by-the-rate": "The fewer are kept, the larger the factor has to be: it belongs to the kept ones.",
        "changed-in-place": "The caller's array has changed: `*=` works on it, not on a copy.",
    },
)


def inverted_mistakes(A, p):
    """For each mistake a condition on what it makes of A in training."""
    factor = lambda Z: np.unique(np.round(Z[Z != 0] / A[Z != 0], 6))
    kept_at = lambda Z, f: len(factor(Z)) == 1 and abs(factor(Z)[0] - f) < 1e-5
    return {
        "nothing-dropped": lambda Z: np.all(Z != 0),
        "one-mask-for-the-batch": lambda Z: np.all((Z != 0) == (Z[0] != 0)),
        "not-scaled": lambda Z: kept_at(Z, 1),
        "made-smaller": lambda Z: kept_at(Z, p) or kept_at(Z, 1 - p),
        "scaled-by-the-rate": lambda Z: kept_at(Z, 1 / (1 - p)) and looks_like_a_mask(Z != 0, p),
        "rate-for-keep-prob": lambda Z: looks_like_a_mask(Z != 0, 1 - p),
        "scaled-by-the-batch": lambda Z: abs(Z.mean() / A.mean() - 1) < 0.01 and not kept_at(Z, 1 / p),
    }


def with_seed(seed):
    """What the answer makes of 60,000 ones in training."""
    return np.asarray(inverted_dropout(np.ones((200, 300)), 0.8, True, np.random.default_rng(seed)), float)


in_training = lambda: with_seed(1)
wrong = inverted_mistakes(np.ones((200, 300)), 0.8)
mean = lambda Z: abs(Z.mean() - 1) < 0.0123  # 6 standard deviations of the mean
q.satisfies("60,000 ones, keep_prob 0.8: their mean", in_training, mean, wrong, expected="a mean of 1 ± 0.0123")
fifth = lambda Z: looks_like_a_mask(Z != 0, 0.8)
q.satisfies("and which are zero", in_training, fifth, wrong, 0.5, "about a fifth, drawn independently")
largest = lambda: np.array([with_seed(seed).max() for seed in (1, 2, 3)])
wrong = {"scaled-by-the-batch": lambda v: np.ptp(v) > 0}
q.satisfies("the largest of three draws", largest, lambda v: np.ptp(v) == 0, wrong, 0.5, "the same three times")
B = np.array([[10.0, 20.0], [-30.0, 40.0]])
wrong = {"scaled-at-test-time": 0.8 * B}
q.close("test time, keep_prob 0.8", lambda: inverted_dropout(B.copy(), 0.8, False), B, wrong=wrong, weight=0.5)
after = lambda: check.after(inverted_dropout, B, 0.8, True, np.random.default_rng(1))[1][0]
wrong = {"changed-in-place": lambda C: np.shape(C) == (2, 2)}
q.satisfies("B afterwards", after, lambda C: np.array_equal(C, B), wrong, 0.25, "B as it was")
### BEGIN HIDDEN TESTS
with q.hidden():
    rng = check.rng()
    p, seed, A2 = rng.uniform(0.65, 0.9), int(rng.integers(10**6)), 1 + rng.random((200, 300))
    trained = lambda: np.asarray(inverted_dropout(A2, p, True, np.random.default_rng(seed)), float)
    right = lambda Z: looks_like_a_mask(Z * p / A2, p)
    q.satisfies("training", trained, right, inverted_mistakes(A2, p), weight=2)
    wrong = {"scaled-at-test-time": lambda Z: any(np.allclose(Z, f * A2) for f in (p, 1 / p, 1 - p))}
    wrong |= {"dropped-at-test-time": lambda Z: np.any(Z == 0)}
    test_time = lambda: inverted_dropout(A2, p, False, np.random.default_rng(seed))
    q.satisfies("test time", test_time, lambda Z: np.allclose(Z, A2), wrong)
### END HIDDEN TESTS
q.score()

# %% [markdown]
# **Think.** Do both forms train the same network? Follow one neuron of the next layer: what does it receive in
# training and at test time in either form? What would you have to change in a program if you exchanged one for
# the other?

# %% [markdown] tags=["think-answer"]
# In the inverted form it receives $1/p$ times as much, in training and at test time alike. So both forms compute
# the same, mask by mask, if the weights behind the dropout are $p$ times as large in the inverted form. For a step
# to keep them so, the learning rate of that layer has to be $p^2$ times as large: the gradient by the smaller
# weights is $1/p$ times as large, and the step has to be $p$ times as large. Without these two factors the same
# program trains another network (section 10 of [3] says so as well).

# %% [markdown]
# ## 4 · What one neuron gets on average
#
# A neuron adds up $w_1 x + w_2 y$. With dropout on its inputs, keep probability ½, there are four masks, each
# as likely as the others, and a lecture writes the expectation in training as
#
# $$E[a] = \tfrac14 (w_1 x + w_2 y) + \tfrac14 (w_1 x + 0y) + \tfrac14 (0x + 0y) + \tfrac14 (0x + w_2 y)
# = \tfrac12 (w_1 x + w_2 y)$$
#
# Do it for any number of inputs, any keep probability and any function. `product([0, 1], repeat=n)` goes
# through all masks of $n$ units. How likely is a mask of which $k$ entries are 1?


# %% answer="expected-output"
def expected_output(f, x, keep_prob):
    """What f gives on average if each of its inputs is kept with keep_prob, exactly: over all masks.

    Args:
        f: a function of an array of shape `(n,)` that gives a number.
        x: the inputs, floats, shape `(n,)`, n at most 10.
        keep_prob: the probability of keeping an input, a float from 0 to 1. Nothing is scaled.

    Returns:
        A float: the expectation of `f(x * mask)`, up to rounding.
    """
    ### BEGIN SOLUTION
    total = 0.0
    for mask in product([0, 1], repeat=len(x)):
        k = sum(mask)
        total += keep_prob**k * (1 - keep_prob) ** (len(x) - k) * f(x * np.array(mask))
    return total
    ### END SOLUTION


# %% test="expected-output" points=3
q = check.question(
    "expected-output",
    points=3,
    why="For a linear neuron that is the neuron at keep_prob times its inputs, exactly; for a bent one it is not.",
    misconceptions={
        "test-time": "That is what all inputs together give. Some of them are missing, and nothing makes up for it.",
        "masks-equally-likely": "The masks are equally likely only at ½. Ask how likely each of them is.",
        "rate-for-keep-prob": "keep_prob is the probability of a 1 in the mask.",
        "empty-mask-forgotten": "The mask that drops everything is a mask, too.",
        "function-of-the-mean": "That is f of the average input. The average of f is asked for, and f may be bent.",
        "scaled": "Nothing is scaled here: an input that is kept goes in as it is.",
        "counted-again": "All masks with k ones have a term of their own already: do not count them once more.",
    },
)
neuron = lambda x: x @ np.array([3.0, 1.0]) + 1
x = np.array([2.0, 4.0])
wrong = {"test-time": 11, "empty-mask-forgotten": 23 / 3, "counted-again": 9}
q.close("3x + y + 1 at x = 2, y = 4, keep_prob 0.5", lambda: expected_output(neuron, x, 0.5), 6, wrong=wrong)
wrong = {"test-time": 11, "masks-equally-likely": 6, "rate-for-keep-prob": 3, "empty-mask-forgotten": 8.96 / 0.96}
q.close("the same, keep_prob 0.8", lambda: expected_output(neuron, x, 0.8), 9, wrong=wrong | {"counted-again": 10.92})
bent = lambda x: max(x.sum() - 3, 0)
wrong = {"test-time": 3, "masks-equally-likely": 1, "rate-for-keep-prob": 0.28, "empty-mask-forgotten": 13 / 6}
wrong |= {"function-of-the-mean": 1.8, "scaled": 3.2}
q.close("max(x + y − 3, 0), keep_prob 0.8", lambda: expected_output(bent, x, 0.8), 2.08, wrong=wrong)
### BEGIN HIDDEN TESTS


def average_case(f, x, p, right):
    """Whether it is the right expectation, and what common mistakes would give."""
    masks = np.array(list(product([0, 1], repeat=len(x))))
    over = lambda p, masks=masks: p ** masks.sum(axis=1) * (1 - p) ** (1 - masks).sum(axis=1)
    values = np.array([f(x * mask) for mask in masks])
    rest = over(p)[1:] @ values[1:]
    wrong = {"test-time": [f(x)], "masks-equally-likely": [values.mean()], "rate-for-keep-prob": [over(1 - p) @ values]}
    wrong |= {"empty-mask-forgotten": [rest, rest / (1 - over(p)[0])], "function-of-the-mean": [f(p * x)]}
    wrong |= {"scaled": [over(p) @ [f(x * mask / p) for mask in masks]]}
    judged = {name: lambda v, some=some: any(np.isclose(v, w, 1e-6) for w in some) for name, some in wrong.items()}
    judged |= {"sampled": lambda v: abs(v - right) < 0.1 * abs(right)}
    return {"condition": lambda v: np.shape(v) == () and np.isclose(v, right, 1e-6), "wrong": judged}


hints = {
    "sampled": "That is near, but drawn. So few masks can all be counted, and then the answer is exact.",
}
with q.hidden(**hints):
    rng = check.rng()
    w, x, b = rng.uniform(0.5, 1.5, 6), rng.uniform(0.5, 1.5, 6), rng.uniform(1, 2)
    p = rng.uniform(0.65, 0.85)
    square = lambda x: (x @ w + b) ** 2
    right = (p * w @ x + b) ** 2 + p * (1 - p) * np.sum((w * x) ** 2)
    q.satisfies("a neuron, squared", lambda: expected_output(square, x, p), **average_case(square, x, p, right))
    relu = lambda x: max(0.0, x @ w - 0.7 * w @ x0) + b
    x0 = x[:5]
    w = w[:5]
    masks = np.array(list(product([0, 1], repeat=5)))
    chances = np.prod(np.where(masks, p, 1 - p), axis=1)
    right = chances @ [relu(x0 * mask) for mask in masks]
    q.satisfies("with ReLU", lambda: expected_output(relu, x0, p), **average_case(relu, x0, p, right))
### END HIDDEN TESTS
q.score()

# %% [markdown]
# **Look.** A neuron with twelve inputs has 4,096 masks. What it adds up is spread widely, but the mean lies where
# weight scaling says. Then it goes through a ReLU, and the two part: the mean of the outputs is not the output
# at the mean.

# %% tags=["explore"]
rng = np.random.default_rng(SEED)
wx = rng.normal(0, 1, 12)  # the twelve products of a weight and an input
sums = np.array(list(product([0, 1], repeat=12))) @ wx
assert len(sums) == 4096
assert np.isclose(sums.mean(), 0.5 * wx.sum())
half_on = wx.sum() / 2  # what weight scaling gives
panels = {"what the neuron adds up": (sums, half_on), "the same after a ReLU": (np.maximum(sums, 0), max(half_on, 0))}
with plots.style():
    fig, axes = plt.subplots(1, 2, figsize=(6.4, 3.2), sharey=True, layout="constrained")
    fig.suptitle("4,096 masks: weight scaling hits the mean, until the ReLU", x=0.01, ha="left")
    for ax, (label, (a, scaled)) in zip(axes, panels.items(), strict=True):
        ax.hist(a, 40, color=plots.COLOURS[5])
        ax.axvline(a.mean(), color=plots.COLOURS[1], label=f"mean over all masks: {a.mean():.2f}")
        ax.axvline(scaled, color=plots.GREY, linestyle=":", label=f"weight scaling: {scaled:.2f}")
        ax.set(xlabel=label, ylim=(0, 300))
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), fontsize=9)
    axes[0].set_ylabel("masks")
plots.show(
    fig,
    alt="Two histograms over 4,096 masks. Before the ReLU a bell, the mean and weight scaling at the same place; "
    "after it all negative sums are at zero, in a bar that is cut off, and the mean is larger than weight scaling.",
)

# %% [markdown]
# > **Find it.** A transcript of that lecture's slide prints six terms with ¼ each: the four above, and
# > $\tfrac14 (0x + w_2 y)$ twice more. How can you tell without any knowledge of dropout that this is wrong, and
# > what would the sum be?

# %% [markdown] tags=["think-answer"]
# **The six quarters.** The factors are probabilities of masks that exclude each other and are all there are, so
# they must add up to 1, and six quarters do not. The sum would be $\tfrac12 w_1 x + w_2 y$, which treats the two
# inputs differently, although nothing else does.

# %% tags=["think-answer"]
six = np.array([[1, 1], [1, 0], [0, 0], [0, 1], [0, 1], [0, 1]])
assert (six.sum(axis=0) / 4).tolist() == [0.5, 1.0]

# %% [markdown]
# ## 5 · How many networks are that?
#
# "An FC layer with 4096 units has $2^{4096} \sim 10^{1233}$ possible masks", says a lecture, "only $\sim 10^{82}$
# atoms in the universe". Check the first half of it; the cell after the question checks the second. No float can
# hold a number like that, but its logarithm is an ordinary number.


# %% answer="count-masks"
def log10_masks(units):
    """How many dropout masks a layer has, as a decimal logarithm.

    Args:
        units: of the layer, an int, up to ten million.

    Returns:
        A float: the decimal logarithm of the number of masks. Ten units have 1,024 masks: 3.0103.
    """
    ### BEGIN SOLUTION
    return units * np.log10(2)
    ### END SOLUTION


# The smallest layer that has more masks than 10^82: how many units, an int.
units_beyond_atoms = None
### BEGIN SOLUTION
units_beyond_atoms = next(n for n in range(4096) if log10_masks(n) > 82)
### END SOLUTION


# %% test="count-masks" points=2
q = check.question(
    "count-masks",
    points=2,
    why="No training ever sees more than a vanishing share of these networks. They learn because they share weights.",
    misconceptions={
        "natural-logarithm": "That is the natural logarithm. The decimal one counts digits.",
        "binary-logarithm": "That is the logarithm to base 2.",
        "two-for-each-unit": "Each unit that joins doubles the number of masks. It does not add to it.",
        "no-logarithm": "That is the number itself. It will not fit for long.",
        "too-large": "The number itself is too large for a float. Take the logarithm before it is.",
        "infinite": "The number itself became infinite: a float ends near 10^308. Take the logarithm before it does.",
        "wrapped": "NumPy's whole numbers have 64 bits, and the power became 0. Take the logarithm before it does.",
        "not-whole": "There is no fraction of a unit.",
    },
)
wrong = {"natural-logarithm": 6.931472, "binary-logarithm": 10, "two-for-each-unit": 1.30103, "no-logarithm": 1024}
q.close("10 units", lambda: log10_masks(10), 3.0103, 1e-4, wrong=wrong, weight=0.5)
wrong = {"natural-logarithm": 2839.13, "binary-logarithm": 4096, "two-for-each-unit": 3.91339}
wrong |= {"too-large": OverflowError, "infinite": np.inf, "wrapped": -np.inf}
q.close("the lecture's 4096", lambda: log10_masks(4096), 1233.02, 1e-4, wrong=wrong)
whole = lambda v: v == int(v) > 0
what = "units_beyond_atoms (that it is the smallest, a hidden check sees)"
q.satisfies(what, lambda: units_beyond_atoms, whole, {"not-whole": lambda v: v > 0}, 0.25, "a whole number")
### BEGIN HIDDEN TESTS
hints = {
    "one_less": "So many do not quite reach it.",
    "exponents_compared": "One is a power of 2, the other a power of 10: their exponents do not compare directly.",
}
with q.hidden(**hints):
    n = int(check.rng().integers(10**6, 10**7))
    wrong = {"too-large": lambda v: not np.isfinite(v), "natural-logarithm": lambda v: np.isclose(v, n * np.log(2))}
    wrong |= {"binary-logarithm": lambda v: v == n, "two-for-each-unit": lambda v: v < 20}
    large = lambda v: np.isclose(v, n * np.log10(2))
    q.satisfies("many units", lambda: log10_masks(n), large, wrong, weight=0.5)
    wrong = {"one-less": lambda v: v == 272, "exponents-compared": lambda v: v in (82, 83)}
    wrong["natural-logarithm"] = lambda v: v in (118, 119)
    q.satisfies("beyond the atoms", lambda: units_beyond_atoms, lambda v: v == 273, wrong)
### END HIDDEN TESTS
q.score()

# %% [markdown]
# And the atoms? Ordinary matter in the part of the universe that we can see: its mean density (the Planck
# satellite's [6]) times a ball of 46.5 billion light-years, as if it were all hydrogen.

# %% tags=["explore"]
density = 0.0224 * 1.878e-26  # kg/m³: Ω_b h² times the critical density over h²
radius = 46.5e9 * 9.461e15  # m
atoms = density * 4 / 3 * np.pi * radius**3 / 1.674e-27  # kg of a hydrogen atom
print(f"10^{np.log10(atoms):.1f} atoms; 10^{4096 * np.log10(2):.2f} masks for one layer of 4096 units")
assert 79 < np.log10(atoms) < 81

# %% [markdown]
# So the lecture's 10⁸² is about a hundred times too many, and it does not matter in the least.

# %% [markdown]
# ## 6 · Backwards
#
# "Dropped out neurons do not contribute to forward pass or backpropagation", a set of notes sums it up. What
# went through the mask on its way forward goes through **the same mask** on its way back. Inverted dropout has a
# factor as well; what does the chain rule make of it?


# %% answer="dropout-backward"
def dropout_backward(grad, mask, keep_prob):
    """The backward pass of inverted dropout.

    Args:
        grad: the gradient of the loss by what dropout gave, floats, shape `(examples, units)`. It stays as it is.
        mask: the zeros and ones of the forward pass, floats, same shape.
        keep_prob: the keep probability of the forward pass, a float.

    Returns:
        The gradient of the loss by the activations before dropout, floats, same shape.
    """
    ### BEGIN SOLUTION
    return grad * mask / keep_prob
    ### END SOLUTION


# %% test="dropout-backward" points=2
q = check.question(
    "dropout-backward",
    points=2,
    why="Forward a unit is multiplied by a number, mask over keep_prob; so its gradient is multiplied by that number.",
    misconceptions={
        "no-mask": "A unit that was dropped had no say in the loss, so its gradient is zero.",
        "no-scale": "The units that were kept were also made larger. The chain rule knows of that.",
        "made-smaller": "Larger forward is larger backward.",
        "other-units": "These are the gradients of the dropped units.",
        "mask-drawn-anew": "That is another mask. The gradient goes back through the one that was used forward.",
        "scaled-by-the-rate": "The factor is the one of the forward pass.",
        "scaled-by-the-batch": "The factor follows from keep_prob, not from how many this mask has kept.",
        "scaled-twice": "The factor was there once forward, so it is there once on the way back.",
        "changed-in-place": "The caller's gradient has changed: `*=` works on it, not on a copy.",
    },
)
grad, mask = np.array([[1.0, 2.0], [3.0, -4.0]]), np.array([[1.0, 0.0], [0.0, 1.0]])
right = np.array([[1.25, 0.0], [0.0, -5.0]])
wrong = {
    "no-mask": [[1.25, 2.5], [3.75, -5]],
    "no-scale": [[1, 0], [0, -4]],
    "made-smaller": [[0.8, 0], [0, -3.2]],
    "scaled-by-the-rate": [[5, 0], [0, -20]],
    "scaled-by-the-batch": [[2, 0], [0, -8]],
    "scaled-twice": [[1.5625, 0], [0, -6.25]],
    "other-units": [[0, 2.5], [3.75, 0]],
}
answer = lambda: dropout_backward(grad, mask, 0.8)
q.close("2 examples, 2 units, keep_prob 0.8", answer, right, wrong=wrong)
after = lambda: check.after(dropout_backward, grad, mask, 0.8)[1][0]
wrong = {"changed-in-place": lambda g: np.shape(g) == (2, 2)}
q.satisfies("grad afterwards", after, lambda g: np.array_equal(g, grad), wrong, 0.25, "grad as it was")
### BEGIN HIDDEN TESTS
with q.hidden():
    rng = check.rng()
    p, G, A = rng.uniform(0.6, 0.85), rng.normal(size=(30, 40)), rng.normal(size=(30, 40))
    M = (rng.random(G.shape) < p).astype(float)
    with tf.GradientTape() as tape:
        Z = tf.constant(A)
        tape.watch(Z)
        loss = tf.reduce_sum(G * (Z * M / p))
    right = tape.gradient(loss, Z).numpy()
    same = lambda C: lambda g: np.shape(g) == C.shape and np.allclose(g, C)
    wrong = {"no-scale": G * M, "made-smaller": G * M * p, "other-units": G * (1 - M) / p}
    judged = {name: same(C) for name, C in wrong.items()} | {"scaled-by-the-rate": same(G * M / (1 - p))}
    judged |= {"no-mask": lambda g: np.all(np.asarray(g) != 0)}
    judged |= {"mask-drawn-anew": lambda g: np.any((np.asarray(g) != 0) != (M != 0))}
    q.satisfies("another gradient", lambda: dropout_backward(G, M, p), same(right), judged)
### END HIDDEN TESTS
q.score()

# %% [markdown]
# **Think.** The sources say that each example trains a network of its own. Which weights does a training step
# leave as they are, if the batch is a single example? And if it is 128 examples?

# %% [markdown] tags=["think-answer"]
# With one example: all weights into a dropped unit and all out of it; at keep probability ½ three quarters of
# the weights between two dropped layers. With 128 examples nearly none: the masks leave a weight as it is only if
# one of its two units is missing in every example, with probability $(3/4)^{128}$.

# %% tags=["think-answer"]
assert 1 - 0.5 * 0.5 == 3 / 4
assert 0.75**128 < 1e-15

# %% [markdown]
# ## 7 · A whole step
#
# A lecture gives a three-layer network with dropout in eleven lines and leaves two comments: "backward pass:
# compute gradients … (not shown)" and "perform parameter update … (not shown)". Show them.
#
# (The lecture writes `np.dot(W1, X) + b1`, an example in each *column*. Here an example is a row, `X @ W1 + b1`.)
# `softmax` stands in the first cell. Write the way back by hand: that is the point. `tf.GradientTape` is a good
# way to check yourself; an answer that uses it counts as well.


# %% answer="train-step"
def train_step(params, X, y, masks, keep_prob, learning_rate):
    """One step of gradient descent for a three-layer network with inverted dropout behind both hidden layers.

    Forward: H1 = ReLU(X W1 + b1), dropped by masks[0]; H2 = ReLU(H1 W2 + b2), dropped by masks[1]; logits =
    H2 W3 + b3. The loss is the softmax cross-entropy, the mean over the batch.

    Args:
        params: a dict of float64 arrays: "W1" (features, units1), "b1" (units1,), "W2" (units1, units2), "b2"
            (units2,), "W3" (units2, classes), "b3" (classes,). It stays as it is.
        X: a batch, float64, shape `(n, features)`.
        y: the right classes, ints, shape `(n,)`.
        masks: two arrays of zeros and ones, float64, shapes `(n, units1)` and `(n, units2)`: this step's masks.
        keep_prob: what the masks were drawn with, a float.
        learning_rate: a float.

    Returns:
        A new dict with the same names, of arrays of the same shapes: the parameters after the step.
    """
    ### BEGIN SOLUTION
    W1, b1, W2, b2, W3, b3 = (params[name] for name in ("W1", "b1", "W2", "b2", "W3", "b3"))
    U1, U2 = masks[0] / keep_prob, masks[1] / keep_prob
    Z1 = X @ W1 + b1
    H1 = np.maximum(Z1, 0) * U1
    Z2 = H1 @ W2 + b2
    H2 = np.maximum(Z2, 0) * U2
    d3 = (softmax(H2 @ W3 + b3) - np.eye(len(b3))[y]) / len(X)
    d2 = d3 @ W3.T * U2 * (Z2 > 0)
    d1 = d2 @ W2.T * U1 * (Z1 > 0)
    grads = {"W1": X.T @ d1, "b1": d1.sum(0), "W2": H1.T @ d2, "b2": d2.sum(0), "W3": H2.T @ d3, "b3": d3.sum(0)}
    return {name: params[name] - learning_rate * grads[name] for name in grads}
    ### END SOLUTION


def predict(params, X):
    """What the same network gives at test time.

    Args:
        params, X: as for `train_step`.

    Returns:
        Logits, floats, shape `(n, classes)`.
    """
    ### BEGIN SOLUTION
    H = X
    for layer in "12":
        H = np.maximum(H @ params["W" + layer] + params["b" + layer], 0)
    return H @ params["W3"] + params["b3"]
    ### END SOLUTION


# %% test="train-step" points=5
q = check.question(
    "train-step",
    points=5,
    why="Two masks forward, the same two backward, and nothing at all at test time: that is all of dropout.",
    misconceptions={
        "not-scaled": "This is vanilla dropout. In the inverted form what is kept is made larger, in training.",
        "scale-missing-in-backward": "Forward has the factor, backward has not. The chain rule wants it.",
        "mask-missing-in-backward": "The gradient has come through units that were dropped.",
        "masks-drawn-anew": "Two calls with the same masks give different steps. Use the masks that are given.",
        "uphill": "That step goes up the hill: mind the sign.",
        "scaled-at-test-time": "That is the test time of vanilla dropout. Here the factor is in training.",
        "dropped-at-test-time": "At test time nothing is random.",
        "params-changed": "The caller's parameters have changed. Return new ones.",
        "sum-over-batch": "The step grows with the batch: the loss is the mean over the examples.",
        "divided-twice": "The mean over the batch has been taken twice.",
        "relu-missing-in-backward": "Where a ReLU gave 0 its slope is 0, too. That is apart from the mask.",
        "new-weights-in-backward": "Compute all gradients before you change a weight: going back needs the old ones.",
        "undropped-activations": "A weight's gradient needs what came in through it: the dropped activations.",
        "biases-forgotten": "The biases are parameters, too.",
        "softmax-output": "These are probabilities. Logits are asked for.",
        "relu-on-logits": "The last layer has no ReLU.",
    },
)


def tiny():
    """A network small enough to follow with a pencil: two units in every layer."""
    W1, W2, W3 = np.eye(2), np.array([[1.0, 1.0], [1.0, -1.0]]), np.diag([0.5, -0.25])
    return {"W1": W1, "b1": np.zeros(2), "W2": W2, "b2": np.array([0.0, 1.0]), "W3": W3, "b3": np.zeros(2)}


X, y = np.array([[1.0, 2.0], [2.0, -1.0]]), np.array([0, 1])
masks = np.array([[1.0, 0.0], [1.0, 1.0]]), np.array([[1.0, 1.0], [0.0, 1.0]])
step = lambda: train_step(tiny(), X, y, masks, 0.5, 0.1)
wrong = {
    "uphill": [[1.088017, 0], [-0.055001, 1]],
    "not-scaled": [[0.993106, 0], [0.02866, 1]],
    "scale-missing-in-backward": [[0.977996, 0], [0.01375, 1]],
    "mask-missing-in-backward": [[0.727154, 0.001466], [0.147415, 1.002931]],
    "relu-missing-in-backward": [[0.911983, 0.092414], [0.055001, 0.953793]],
    "sum-over-batch": [[0.823965, 0], [0.110002, 1]],
    "divided-twice": [[0.955991, 0], [0.0275, 1]],
    "new-weights-in-backward": [[1.298909, 0], [-0.153853, 1]],
}
right = [[0.911983, 0], [0.055001, 1]]
q.close("W1 after a step of a tiny network", lambda: step()["W1"], right, 1e-4, 1e-5, wrong)
wrong = {
    "uphill": [[0.494138, 0.005862], [0.453277, -0.703277]],
    "not-scaled": [[0.513447, -0.013447], [-0.074983, -0.175017]],
    "sum-over-batch": [[0.511725, -0.011725], [-0.906554, 0.656554]],
    "divided-twice": [[0.502931, -0.002931], [-0.226639, -0.023361]],
    "undropped-activations": [[0.318103, 0.181897], [-0.226639, -0.023361]],
}
right = [[0.505862, -0.005862], [-0.453277, 0.203277]]
q.close("W3 after it", lambda: step()["W3"], right, 1e-4, 1e-5, wrong, 0.5)
wrong = {"biases-forgotten": [0, 0], "uphill": [0.04181, 0], "divided-twice": [-0.020905, 0]}
wrong |= {"sum-over-batch": [-0.083621, 0], "relu-missing-in-backward": [-0.04181, 0.046207]}
wrong["new-weights-in-backward"] = [0.120501, 0.0]
q.close("b1 after it", lambda: step()["b1"], [-0.04181, 0], 1e-4, 1e-5, wrong, 0.5)
names = lambda: sorted((name, np.shape(value)) for name, value in step().items())
shapes = sorted((name, np.shape(value)) for name, value in tiny().items())
q.equal("names and shapes after it", names, shapes, weight=0.25)
two = lambda: np.ptp([step()["W1"] for _ in range(2)], axis=0).max()
drawn = {"masks-drawn-anew": lambda g: g > 0}
q.satisfies("the same step twice, W1", two, lambda g: g == 0, drawn, 0.25, "no difference")
before = lambda: check.after(train_step, tiny(), X, y, masks, 0.5, 0.1)[1][0]["W1"]
wrong = {"params-changed": lambda W1: np.shape(W1) == (2, 2)}
q.satisfies("the old parameters afterwards", before, lambda W1: np.array_equal(W1, np.eye(2)), wrong, 0.25, "no change")
wrong = {
    "scaled-at-test-time": [[0.375, -0.0625], [0.25, -0.25]],
    "softmax-output": [[0.817574, 0.182426], [0.851953, 0.148047]],
    "relu-on-logits": [[1.5, 0], [1, 0]],
}
answer = lambda: predict(tiny(), X)
q.close("prediction of the tiny network", answer, [[1.5, 0], [1, -0.75]], wrong=wrong, weight=0.5)
### BEGIN HIDDEN TESTS


def network(rng, sizes):
    """Random parameters; no layer is so small that all its units are off."""
    params = {}
    for i, (n, m) in enumerate(pairwise(sizes), start=1):
        params |= {f"W{i}": rng.normal(0, 1 / np.sqrt(n), (n, m)), f"b{i}": rng.normal(0.2, 0.3, m)}
    return params


def right_step(params, X, y, masks, p, rate):
    """The step by automatic differentiation."""
    v = {name: tf.Variable(value) for name, value in params.items()}
    with tf.GradientTape() as tape:
        H1 = tf.nn.relu(X @ v["W1"] + v["b1"]) * masks[0] / p
        H2 = tf.nn.relu(H1 @ v["W2"] + v["b2"]) * masks[1] / p
        loss = tf.nn.sparse_softmax_cross_entropy_with_logits(y, H2 @ v["W3"] + v["b3"])
        loss = tf.reduce_mean(loss)
    grads = tape.gradient(loss, v)
    return {name: params[name] - rate * grads[name].numpy() for name in params}


def wrong_step(
    params, X, y, masks, p, rate, forward=True, back=(True, True), relu=True, size=None, late=False, whole=False
):
    """The step by hand, with a choice of mistakes."""
    W1, b1, W2, b2, W3, b3 = params.values()
    U = [m / p if forward else m for m in masks]
    B = [(m if back[0] else 1) / (p if back[1] and forward else 1) for m in masks]
    Z1 = X @ W1 + b1
    H1 = np.maximum(Z1, 0) * U[0]
    Z2 = H1 @ W2 + b2
    H2 = np.maximum(Z2, 0) * U[1]
    d3 = (softmax(H2 @ W3 + b3) - np.eye(len(b3))[y]) / (size or len(X))
    if whole:
        H1, H2 = np.maximum(Z1, 0), np.maximum(Z2, 0)
    W3_new = W3 - rate * H2.T @ d3
    d2 = d3 @ (W3_new if late else W3).T * B[1] * (Z2 > 0 if relu else 1)
    W2_new = W2 - rate * H1.T @ d2
    d1 = d2 @ (W2_new if late else W2).T * B[0] * (Z1 > 0 if relu else 1)
    new = [W1 - rate * X.T @ d1, b1 - rate * d1.sum(0), W2_new, b2 - rate * d2.sum(0), W3_new, b3 - rate * d3.sum(0)]
    return dict(zip(params, new, strict=True))


with q.hidden():
    rng = check.rng()
    p, rate, n = rng.uniform(0.6, 0.8), rng.uniform(0.3, 0.6), 12
    params2, X2, y2 = network(rng, (4, 9, 8, 3)), rng.normal(size=(n, 4)), rng.integers(0, 3, n)
    masks2 = tuple((rng.random((n, units)) < p).astype(float) for units in (9, 8))
    given = (params2, X2, y2, masks2, p, rate)
    right = right_step(*given)
    mistakes = {
        "uphill": {name: 2 * params2[name] - right[name] for name in right},
        "not-scaled": wrong_step(*given, forward=False),
        "scale-missing-in-backward": wrong_step(*given, back=(True, False)),
        "mask-missing-in-backward": wrong_step(*given, back=(False, True)),
        "sum-over-batch": wrong_step(*given, size=1),
        "divided-twice": wrong_step(*given, size=n * n),
        "undropped-activations": wrong_step(*given, whole=True),
        "relu-missing-in-backward": wrong_step(*given, relu=False),
        "new-weights-in-backward": wrong_step(*given, late=True),
        "biases-forgotten": {name: params2[name] if name[0] == "b" else right[name] for name in right},
    }
    unmasked = wrong_step(*given, back=(False, False))
    flat = lambda values, layer: np.concatenate([np.ravel(values["W" + layer]), np.ravel(values["b" + layer])])
    for layer, weight in (("3", 1), ("2", 1.5), ("1", 2)):
        wrong = {name: flat(step, layer) for name, step in mistakes.items()}
        close = lambda C: lambda v: np.shape(v) == C.shape and np.allclose(v, C, 1e-6, 1e-9)
        judged = {name: close(C) for name, C in wrong.items()}
        also = close(flat(unmasked, layer))
        judged["mask-missing-in-backward"] = lambda v, a=judged["mask-missing-in-backward"], b=also: a(v) or b(v)
        answer = lambda layer=layer: flat(train_step(*given), layer)
        q.satisfies("layer " + layer, answer, close(flat(right, layer)), judged, weight=weight)
    twice = lambda: np.ptp([flat(train_step(*given), "1") for _ in range(2)], axis=0).max()
    q.satisfies("no randomness", twice, lambda g: g == 0, {"masks-drawn-anew": lambda g: g > 0}, weight=0.25)

    H = X2
    for i in "12":
        H = tf.nn.relu(H @ params2["W" + i] + params2["b" + i])
    logits = (H @ params2["W3"] + params2["b3"]).numpy()
    wrong = {"softmax-output": lambda v: np.allclose(np.sum(v, axis=1), 1)}
    wrong |= {"relu-on-logits": lambda v: np.allclose(v, np.maximum(logits, 0))}
    q.satisfies("prediction", lambda: predict(params2, X2), lambda v: np.allclose(v, logits), wrong, weight=0.75)
    twice = lambda: np.ptp([predict(params2, X2) for _ in range(2)], axis=0).max()
    random = {"dropped-at-test-time": lambda g: g > 0}
    q.satisfies("prediction again", twice, lambda g: g == 0, random, weight=0.25)
### END HIDDEN TESTS
q.score()

# %% [markdown]
# **Look.** Your step at work: a small network learns digits of 8×8 pixels, 20 passes through 500 of them.

# %% tags=["explore"]
small = data.digits(16)
crop = lambda X: X[:, 4:-4, 4:-4].reshape(len(X), -1).astype(float)  # without the empty margin
X_few, y_few, X_new = crop(small.X_train[:500]), small.y_train[:500], crop(small.X_test)
with check.waits_for("train-step"):
    rng = np.random.default_rng(SEED)
    network_now = {}
    for i, (n, m) in enumerate([(64, 100), (100, 100), (100, 10)], start=1):
        network_now |= {f"W{i}": rng.normal(0, np.sqrt(2 / n), (n, m)), f"b{i}": np.zeros(m)}
    for _ in range(20):
        for batch in np.split(rng.permutation(500), 10):
            masks_now = [(rng.random((50, 100)) < 0.5).astype(float) for _ in range(2)]
            stepped = train_step(network_now, X_few[batch], y_few[batch], masks_now, 0.5, 0.2)
            network_now = {name: np.asarray(value) for name, value in stepped.items()}
    error = metrics.error_rate(small.y_test, np.argmax(predict(network_now, X_new), axis=1))
    print(f"{error:.1f} % of the test digits are misread; guessing would miss 90 %.")

# %% [markdown]
# ## 8 · Averaging, three ways
#
# The mask $z$ makes the output random, $f(x, z)$, and what one would like at test time is its average over all
# masks, each with its probability $q(z)$,
#
# $$y(x) = E_z[f(x, z)] = \int q(z)\, f(x, z)\, dz .$$
#
# "But this integral seems hard", says a lecture. There are three ways round it:
#
# * **Monte Carlo**: draw $k$ masks, average the $k$ probability distributions. The more, the better and slower.
# * **Weight scaling**: one pass, activations times $p$ (or, after inverted dropout, as they are). What everybody does.
# * **Counting all masks**, where the layer is small enough. That shows what the other two are worth.
#
# > **Find it, settle it with the original.** For a softmax behind one layer with dropout, weight scaling is
# > "exactly equivalent to taking the geometric mean" of all $2^N$ networks' distributions, says [1]. AlexNet's
# > paper [2] calls it "a reasonable approximation" to that. Do they contradict each other?
#
# Here is the smallest case: hidden activations $h$, dropped **without scaling** (as in the papers), then
# softmax$(hW + b)$. (`softmax` stands in the first cell.)


# %% answer="averages"
def mean_predictions(h, W, b, keep_prob):
    """The prediction of a softmax layer, averaged over all masks of its inputs in two ways, exactly.

    Args:
        h: activations, floats, shape `(units,)`, at most 10 units. Those that a mask keeps are not scaled.
        W, b: the layer's weights and biases, shapes `(units, classes)` and `(classes,)`.
        keep_prob: the probability of keeping a unit, a float.

    Returns:
        A tuple of two arrays of shape `(classes,)`, over all masks, each mask with its probability: the arithmetic
        mean of the distributions, and their geometric mean, divided by its sum so that it adds up to 1.
    """
    ### BEGIN SOLUTION
    masks = np.array(list(product([0, 1], repeat=len(h))))
    chances = np.prod(np.where(masks, keep_prob, 1 - keep_prob), axis=1)
    distributions = softmax((h * masks) @ W + b)
    geometric = np.exp(chances @ np.log(distributions))
    return chances @ distributions, geometric / geometric.sum()
    ### END SOLUTION


def monte_carlo(H, W, b, keep_prob, k, rng):
    """The prediction of the same layer for a batch, averaged over k passes with dropout.

    Args:
        H: activations, floats, shape `(n, units)`.
        W, b, keep_prob: as for `mean_predictions`.
        k: how many passes, an int. In each of them each example has a mask of its own.
        rng: a `numpy.random.Generator`, the only source of randomness.

    Returns:
        The arithmetic mean of the k distributions, shape `(n, classes)`.
    """
    ### BEGIN SOLUTION
    return sum(softmax(H * (rng.random(H.shape) < keep_prob) @ W + b) for _ in range(k)) / k
    ### END SOLUTION


# %% test="averages" points=4
q = check.question(
    "averages",
    points=4,
    why="Weight scaling, softmax(p·hW + b), is the second of your two means, exactly: no mask has to be counted.",
    misconceptions={
        "means-exchanged": "First the arithmetic mean, then the geometric one.",
        "not-renormalised": "A geometric mean of distributions does not add up to 1. Divide it by its sum.",
        "logits-averaged": "The arithmetic mean is taken of the probabilities. Averaging logits does something else.",
        "masks-equally-likely": "The masks are equally likely only at ½.",
        "no-dropout": "That is the prediction with all units. Some of them are missing, and nothing makes up for it.",
        "rate-for-keep-prob": "keep_prob is the probability of a 1 in the mask.",
        "scaled": "What is kept is not scaled here.",
        "bias-forgotten": "The bias belongs to the layer, and no mask drops it.",
        "not-averaged": "Divide by the number of passes.",
        "no-masks": "These are no predictions of thinned networks: nothing was dropped at random.",
        "one-mask-for-the-batch": "In a pass all rows had the same units dropped. Each example has a mask of its own.",
        "one-mask-for-all-passes": "All passes had the same masks: there was nothing to average. Draw in each anew.",
        "own-generator": "The same generator has to give the same average, and another generator another one.",
    },
)
h, W, b = np.array([2.0, 1.0]), np.array([[1.0, -1.0], [0.0, 2.0]]), np.array([0.5, 0.0])
means = lambda: np.array(mean_predictions(h, W, b, 0.8), float)
first = {"logits-averaged": 0.890903, "masks-equally-likely": 0.67951, "no-dropout": 0.924142}
first |= {"rate-for-keep-prob": 0.62277, "scaled": 0.812967, "bias-forgotten": 0.759905}
near = lambda value: lambda m: np.shape(m) == (2, 2) and np.allclose(m[0], [value, 1 - value], 1e-4)
wrong = {"means-exchanged": lambda m: np.allclose(m[:, 0], [0.890903, 0.803779], 1e-4)}
wrong |= {name: near(value) for name, value in first.items()}
told = "0.8038 and 0.1962 in the first place"
q.satisfies("two units, keep_prob 0.8: the arithmetic mean", means, near(0.803779), wrong, expected=told)
wrong = {
    "not-renormalised": [0.709322, 0.086861],
    "means-exchanged": [0.803779, 0.196221],
    "masks-equally-likely": [0.817574, 0.182426],
    "rate-for-keep-prob": [0.71095, 0.28905],
    "bias-forgotten": [0.832018, 0.167982],
    "no-dropout": [0.924142, 0.075858],
}
q.close("and the geometric mean", lambda: means()[1], [0.890903, 0.109097], 1e-4, wrong=wrong)
rows = lambda k, seed=1: np.asarray(
    monte_carlo(np.tile(h, (400, 1)), W, b, 0.8, k, np.random.default_rng(seed)), float
)
thinned = softmax(np.array([[0.5, 0.0], [0.5, 2.0], [2.5, -2.0], [2.5, 0.0]]))  # by the four masks
one_of_four = lambda v: np.abs(v[:, None] - thinned).max(axis=-1).min(axis=1).max() < 1e-4
scaled = softmax(np.array([[0.5, 0.0], [0.5, 2.5], [3.0, -2.5], [3.0, 0.0]]))
wrong = {
    "scaled": lambda v: np.abs(v[:, None] - scaled).max(axis=-1).min(axis=1).max() < 1e-4 and np.ptp(v) > 0.9,
    "one-mask-for-the-batch": lambda v: np.all(v == v[0]) and one_of_four(v),
    "no-masks": lambda v: np.all(v == v[0]),
}
right = lambda v: np.shape(v) == (400, 2) and one_of_four(v) and np.any(v != v[0])
told = "a row for each example, each of them by one of the four masks"
q.satisfies("Monte Carlo, one pass for 400 examples", lambda: rows(1), right, wrong, 0.5, told)
sums = lambda v: np.sum(v, axis=1)
hits = lambda v: abs(v[:, 0].mean() - 0.803779) < 0.0118  # 6 standard deviations
wrong = {
    "not-averaged": lambda v: np.allclose(sums(v), 50),
    "one-mask-for-all-passes": one_of_four,
    "rate-for-keep-prob": lambda v: abs(v[:, 0].mean() - 0.62277) < 0.0118,
    "no-masks": lambda v: np.allclose(v[:, 0], 0.890903, 1e-4),
    "logits-averaged": lambda v: abs(v[:, 0].mean() - 0.890903) < 0.0118,
}
right = lambda v: np.allclose(sums(v), 1) and hits(v) and not one_of_four(v)
q.satisfies("Monte Carlo, 50 passes", lambda: rows(50), right, wrong, 0.5, "a mean near the arithmetic one")
same = lambda: [np.array_equal(rows(2), rows(2, seed)) for seed in (1, 2)]
wrong = {"own-generator": lambda v: not v[0] or v[1]}
q.satisfies("seeds 1 and 1, 1 and 2: the same?", same, lambda v: v[0] and not v[1], wrong, 0.25, "[True, False]")
### BEGIN HIDDEN TESTS


def layer(rng, units, classes):
    """A softmax layer whose two means differ clearly."""
    while True:
        h, W, b = rng.uniform(0.5, 1.5, units), rng.normal(0, 2, (units, classes)), rng.normal(size=classes)
        p = rng.uniform(0.6, 0.8)
        masks = np.array(list(product([0, 1], repeat=units)))
        chances = np.prod(np.where(masks, p, 1 - p), axis=1)
        P = softmax((h * masks) @ W + b)
        scaled = softmax(p * h @ W + b)
        far = [softmax(h @ W + b), P.mean(axis=0), chances[::-1] @ P, scaled]
        if min(abs(chances @ P - Q).max() for Q in far) > 0.05:
            return (h, W, b, p), masks, chances, P, scaled


with q.hidden():
    rng = check.rng()
    given, masks, chances, P, scaled = layer(rng, 6, 4)
    h, W, b, p = given
    inverted = softmax((h * masks / p) @ W + b)
    reverse = np.prod(np.where(masks, 1 - p, p), axis=1)
    close = lambda C: lambda v: np.shape(v) == C.shape and np.allclose(v, C, 1e-6, 1e-9)
    both = lambda: np.array(mean_predictions(*given), float)
    wrong = {"logits-averaged": scaled, "masks-equally-likely": P.mean(axis=0), "no-dropout": softmax(h @ W + b)}
    wrong |= {"rate-for-keep-prob": reverse @ P, "scaled": chances @ inverted}
    judged = {"means-exchanged": close(np.array([scaled, chances @ P]))}
    judged |= {name: lambda m, C=C: close(C)(m[0]) for name, C in wrong.items()}
    q.satisfies("arithmetic", both, lambda m: close(chances @ P)(m[0]), judged)
    equal = np.exp(np.log(P).mean(axis=0))
    wrong = {"not-renormalised": np.exp(chances @ np.log(P)), "means-exchanged": chances @ P}
    wrong |= {"masks-equally-likely": equal / equal.sum(), "no-dropout": softmax(h @ W + b)}
    wrong |= {"rate-for-keep-prob": softmax((1 - p) * h @ W + b)}
    judged = {name: close(C) for name, C in wrong.items()}
    q.satisfies("geometric", lambda: both()[1], close(scaled), judged)

    H, seed = np.tile(h, (400, 1)), int(rng.integers(10**6))
    drawn = lambda k: np.asarray(monte_carlo(H, W, b, p, k, np.random.default_rng(seed)), float)
    one_of = lambda v, P: np.abs(v[:, None] - P).max(axis=-1).min(axis=1).max() < 1e-6
    wrong = {"one-mask-for-the-batch": lambda v: np.all(v == v[0]), "scaled": lambda v: one_of(v, inverted)}
    right = lambda v: one_of(v, P) and len(np.unique(v.round(9), axis=0)) > 5
    q.satisfies("Monte Carlo, one pass", lambda: drawn(1), right, wrong)
    sd = np.sqrt(chances @ (P - chances @ P) ** 2 / (400 * 200)) + 1e-9
    hits = lambda C: lambda v: np.all(abs(v.mean(axis=0) - C) < 6 * sd)
    wrong = {"one-mask-for-all-passes": lambda v: one_of(v, P), "not-averaged": lambda v: v.sum() > 401}
    wrong |= {"one-mask-for-the-batch": lambda v: np.all(v == v[0])}
    wrong |= {"rate-for-keep-prob": hits(reverse @ P), "scaled": hits(chances @ inverted)}
    wrong["logits-averaged"] = lambda v: np.abs(v.mean(axis=0) - scaled).max() < 0.03
    q.satisfies("Monte Carlo, 200 passes", lambda: drawn(200), hits(chances @ P), wrong)
### END HIDDEN TESTS
q.score()

# %% [markdown]
# **Look.** The three ways side by side, for a layer of ten units and four classes.

# %% tags=["explore"]
rng = np.random.default_rng(SEED)
h, W, b = rng.uniform(0, 2, 10), rng.normal(0, 1.5, (10, 4)), np.zeros(4)
with check.waits_for("averages"):
    arithmetic, geometric = mean_predictions(h, W, b, 0.5)
    drawn = monte_carlo(h[None], W, b, 0.5, 1000, np.random.default_rng(SEED))[0]
    scaled = softmax(0.5 * h @ W + b)
    rows = {"all masks, arithmetic": arithmetic, "1000 masks, arithmetic": drawn}
    rows |= {"all masks, geometric": geometric, "weight scaling": scaled}
    for name, row in rows.items():
        print(f"{name:24}", np.round(row, 5))
    print(f"weight scaling is off the geometric mean by {np.abs(geometric - scaled).max():.0e}")

# %% [markdown]
# **Think.** Prove it: why is weight scaling the renormalised geometric mean here, and why does the proof break
# as soon as a second layer with a ReLU stands in between?

# %% [markdown] tags=["think-answer"]
# The logarithm of a softmax is its logits less a number $c$ that is the same for all classes: $\log P_m = (h
# \odot m) W + b - c_m$. The mean of the logarithms over all masks is the logarithm of the geometric mean, and
# the mean of a linear function is the function of the mean: $p\,hW + b - \bar c$. Renormalising takes care of
# $\bar c$. So [1] is right for one such layer, "equivalent" meaning after renormalising, and [2] is right for
# AlexNet, which has dropout in two layers: with a ReLU in between, the logits are no linear function of the
# masks any more, and question 4 showed that then the mean over masks is not the function at the mean. ([4] works
# out how good the approximation is.)

# %% [markdown]
# ## The experiment: what dropout gains and what it costs
#
# Twelve networks of the same shape, two hidden layers of 512 units, on few images: four rates, and each
# rate three times. Networks with the same number start from the same weights and see the same images in the
# same order; they differ in their masks alone. That is a **paired** comparison: what one draw of images does to
# all of them cancels in the difference.
#
# They are trained side by side: all arrays have one axis more, for the network. At the scale of this notebook
# they learn from 500 digits and are tested on 400 others, so that one digit is 0.25 % of error. With `SCALE =
# "full"` they learn from 2,000 images of Fashion-MNIST and are tested on 2,000 others.

# %% tags=["explore"]
RATES, PAIRS = (0, 0.25, 0.5, 0.7), 3
FEW, PASSES, BATCH, STEP, TARGET = 500, 30, 50, 0.05, 1  # TARGET: a training error in %, used further down
flat = lambda X: X.reshape(len(X), -1)
if SCALE == "full":
    FEW, PASSES, BATCH, STEP, TARGET = 2000, 45, 100, 0.02, 10
    images = data.load("fashion_mnist")
    pool, X_test = flat(images.X_train), flat(images.X_test[:2000])
else:
    images = data.digits(16)  # 8×8 pixels and an empty margin
    pool, X_test = (flat(X[:, 4:-4, 4:-4]) for X in (images.X_train, images.X_test))
    assert 100 / len(X_test) == 0.25
y_pool, y_test = images.y_train, images.y_test[: len(X_test)]
print(f"{FEW} images of {pool.shape[1]} pixels to learn from, {len(X_test):,} to test")


# %% tags=["explore"]
def for_each_network(draw):
    """What `draw(rng)` gives for each network: the same for all rates, other for each of the pairs."""
    pairs = [draw(np.random.default_rng([SEED, pair])) for pair in range(PAIRS)]
    return np.stack([pairs[pair] for _ in RATES for pair in range(PAIRS)])


keep = np.float32([1 - rate for rate in RATES for _ in range(PAIRS)])[:, None, None]
sizes = [(pool.shape[1], 512), (512, 512), (512, 10)]
chosen = for_each_network(lambda rng: rng.permutation(len(pool))[:FEW])
weights = [tf.Variable(tf.zeros((len(keep), n, m))) for n, m in sizes]
biases = [tf.Variable(tf.zeros((len(keep), 1, m))) for _, m in sizes]
velocities = [tf.Variable(tf.zeros_like(v)) for v in weights + biases]


# %% tags=["explore"]
def forward(X, weights, biases, keep):
    """Logits of all networks for `X`, shape (networks or 1, n, pixels), with inverted dropout."""
    for W, b in zip(weights[:-1], biases, strict=False):
        H = tf.nn.relu(X @ W + b)
        X = H * tf.cast(tf.random.uniform(tf.shape(H)) < keep, H.dtype) / keep
    return X @ weights[-1] + biases[-1]


@tf.function
def descend(X, y):
    """A step with momentum 0.9 for all networks."""
    with tf.GradientTape() as tape:
        loss = tf.nn.sparse_softmax_cross_entropy_with_logits(y, forward(X, weights, biases, keep))
        loss = tf.reduce_sum(tf.reduce_mean(loss, axis=1))  # one term for each network
    gradients = tape.gradient(loss, weights + biases)
    for w, v, g in zip(weights + biases, velocities, gradients, strict=True):
        v.assign(0.9 * v - STEP * g)
        w.assign_add(v)


# %% tags=["explore"]
@tf.function
def guesses(X):
    """The classes that all networks read, without dropout."""
    return tf.argmax(forward(X, weights, biases, 1.0), axis=-1)


def errors(X, y):
    """The error of each network, in %."""
    parts = np.array_split(X, max(1, X.shape[1] // 1000), axis=1)
    read = np.concatenate([guesses(tf.constant(part)) for part in parts], axis=1)
    return 100 * np.mean(read != y, axis=1)


# %% tags=["explore"]
tf.random.set_seed(SEED)
for W, (n, m) in zip(weights, sizes, strict=True):
    W.assign(for_each_network(lambda rng, n=n, m=m: rng.normal(0, np.sqrt(2 / n), (n, m))))
order = np.random.default_rng(SEED)
history = []
for _ in range(PASSES):
    for batch in np.split(order.permutation(FEW), FEW // BATCH):
        rows = chosen[:, batch]
        descend(tf.constant(pool[rows]), tf.constant(y_pool[rows]))
    seen = errors(pool[chosen[:, :1000]], y_pool[chosen[:, :1000]])
    unseen = errors(X_test[None], y_test)
    history.append(np.reshape([seen, unseen], (2, len(RATES), PAIRS)))
training_error, test_error = np.moveaxis(history, 0, -1)  # shape (rates, pairs, passes)

# %% [markdown]
# **Look.** Training and test error, with and without. (For counting errors dropout is switched off, and of the
# training images the first 1,000 at most are counted.)

# %% tags=["explore"]
half = RATES.index(0.5)
shown = {
    "test, no dropout": test_error[0],
    "test, rate ½": test_error[half],
    "training, no dropout": training_error[0],
    "training, rate ½": training_error[half],
}
fig = plots.draw_curves(
    {name: error.mean(axis=0) for name, error in shown.items()},
    xlabel="passes through the training images",
    ylabel="error (%)",
    title="Dropout learns its examples later. Does it read others better?",
)
for colour, error in zip(plots.COLOURS, shown.values(), strict=False):
    fig.axes[0].fill_between(range(1, PASSES + 1), error.min(0), error.max(0), color=colour, alpha=0.2, linewidth=0)
fig.axes[0].set_ylim(0, np.quantile(test_error[: half + 1], 0.98))
plots.show(
    fig,
    alt="Four falling curves with bands for the three pairs. On the training images the error falls towards zero, "
    "with dropout more slowly; on the test images both level off, dropout a little lower, with bands that come close.",
)

# %% tags=["explore"]
final = test_error[:, :, -5:].mean(axis=-1)  # the mean of the last five passes
gain = final[0] - final[half]
metrics.record("test_error_without", final[0].mean(), "%")
metrics.record("test_error_dropout", final[half].mean(), "%")
metrics.record("gain", gain.mean(), "percentage points")
metrics.record("gain_standard_error", gain.std(ddof=1) / np.sqrt(PAIRS), "percentage points")
print("gain in each pair:", np.round(gain, 2), "percentage points")

# %% [markdown]
# **Think.** What would three networks with dropout and three others without have told you? What does the
# standard error from three pairs not tell? And all rates share one step size: is that fair?

# %% [markdown] tags=["think-answer"]
# Less: networks of the same rate differ from each other because they drew other images, and that difference may
# be larger than the gain. In a pair it is the same on both sides and cancels. The standard error is itself
# estimated from three numbers, so it is rough; and it speaks of this shape, this step size and this many images
# only. With 100 or 500 images of MNIST, section 7.4 of [3] found no gain at all. Fair it is to nobody in particular:
# dropout's noisy gradients bear larger steps and more momentum, and appendix A of [3] advises both.

# %% [markdown]
# ### Which rate, and how much longer?
#
# "Dropout roughly doubles the number of iterations required to converge", says AlexNet's paper [2, section 4.2].
# Two lectures have dropped the "roughly", and what *converge* means the paper does not say. The later paper [3]
# speaks, in section 11, of two to three times the training time. Here count passes until **at most 1 % of the
# training images are still misread** (10 % at full scale, where 1 % is far off).


# %% tags=["explore"]
def passes_until(error, target):
    """The first pass after which the error is at most `target`, for each network; NaN where there is none."""
    reached = error <= target
    return np.where(reached.any(axis=-1), reached.argmax(axis=-1) + 1.0, np.nan)


needed = passes_until(training_error, TARGET)
with plots.style():
    fig, axes = plt.subplots(1, 2, figsize=(6.4, 3.2), layout="constrained")
    panels = [(final, "test error (%)", "Some helps, too much does not")]
    panels += [(needed, "passes", f"Passes to {TARGET} % training error")]
    for ax, (values, label, title) in zip(axes, panels, strict=True):
        ax.plot(RATES, values, "o", color=plots.COLOURS[5])
        ax.plot(RATES, np.mean(values, axis=1), color=plots.COLOURS[0])
        ax.set(xlabel="rate (share dropped)", ylabel=label, xticks=RATES)
        ax.set_title(title, fontsize=11)
        ax.set_ylim(0 if values is needed else None)
        ax.grid(axis="y")
plots.show(
    fig,
    alt="Two panels over the rates 0, 0.25, 0.5 and 0.7, with a dot for each network and a line through the means. "
    "The test error is lowest in the middle. The passes rise with the rate, faster and faster.",
)

# %% tags=["explore"]
for rate, count in zip(RATES, needed, strict=True):
    print(f"rate {rate}: {count} passes")
longer = needed[half] / needed[0]
paper = (2, "Krizhevsky et al. 2012, section 4.2: AlexNet, “roughly”") if SCALE == "full" else (None, "")
if np.isfinite(longer).all():
    metrics.record("times_as_many_passes", longer.mean(), "times", *paper)

# %% [markdown]
# **Think.** Is "doubles" right, as far as so few passes can tell? Would you find the same if you counted passes
# until the *test* error is near its best? And why does it take longer at all?

# %% [markdown] tags=["think-answer"]
# "Roughly" is the word to keep. By this count, at rate ½, we found somewhat less than double on the digits and
# somewhat more on Fashion-MNIST; and it is no constant: the higher the rate, the longer. By the test error the
# answer is much vaguer: the curve without dropout is at its best early and then stays, the one with dropout keeps
# getting a little better for as long as one looks, and chance decides when it has come near enough. Each step
# trains only half the units for each example, in a network that will hardly come back, so the gradient is noisy
# [3, section 11]; and the noise keeps the loss from zero, so there is always something left to learn.

# %% [markdown]
# ### Co-adaptation
#
# The first story says that without dropout units rely on each other. One way to see it: **take units away from
# networks that have finished learning**, a random share of both hidden layers, with what is left made larger as
# in training.

# %% tags=["explore"]
shares = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
some, y_some = X_test[None, :1000], y_test[:1000]
damaged = np.array(
    [
        [
            [metrics.error_rate(y_some, row) for row in np.argmax(forward(some, weights, biases, 1 - share), axis=-1)]
            for _ in range(3)
        ]
        for share in shares
    ]
)
damaged = damaged.mean(axis=1).reshape(len(shares), len(RATES), PAIRS).mean(axis=-1)

# %% tags=["explore"]
plots.curves(
    {"no dropout" if rate == 0 else f"rate {rate}": damaged[:, i] for i, rate in enumerate(RATES)},
    shares,
    xlabel="share of the hidden units taken away after training",
    ylabel="test error (%)",
    title="Whoever never missed a neighbour cannot do without one",
    alt="Four rising curves. Trained without dropout, the error rises soonest; trained at rate ½ or more, half of the "
    "units can be taken away before it rises much.",
)
metrics.record("error_half_removed_without", damaged[5, 0], "%")
metrics.record("error_half_removed_dropout", damaged[5, half], "%")

# %% [markdown]
# That is plain to see, and a little unfair: it is what these networks were trained for. So look for something
# that nobody asked of them. Do hidden units vary together less? And how strongly are they on?


# %% tags=["explore"]
def correlation(H):
    """The mean absolute correlation between two units that are not constant."""
    together = np.abs(np.corrcoef(H[:, H.std(axis=0) > 1e-6].T))
    return (together.sum() - len(together)) / (together.size - len(together))


H = some
for number in (0, 1):
    H = tf.nn.relu(H @ weights[number] + biases[number]).numpy()
    correlations = np.reshape([correlation(one) for one in H], (len(RATES), PAIRS)).mean(axis=1)
    means = H.mean(axis=(1, 2)).reshape(len(RATES), PAIRS).mean(axis=1)
    for rate, together, mean in zip(RATES, correlations, means, strict=True):
        print(f"hidden layer {number + 1}, rate {rate}: correlation {together:.3f}, mean activation {mean:.3f}")

# %% [markdown]
# **Think.** Section 7 of [3] shows features that look tidier with dropout, and units that are on less often and
# more weakly. Which of that do you see here? Does the correlation between units tell you about co-adaptation?

# %% [markdown] tags=["think-answer"]
# The activations: with dropout they are clearly weaker, the more so the higher the rate, as section 7.2 of [3]
# reports. The correlations tell no clear story: in our runs they fall in the first layer, and in the second they
# stay or rise. It is the wrong question: two units may be correlated because each of them is useful (that is the
# redundancy which dropout asks for), and two units that correct each other's mistakes need not be correlated at
# all. Tidy features we did not find either: on images of 8×8 pixels, after so few passes, first-layer weights look
# like the noise that they started from, with dropout and without.

# %% [markdown]
# ### Monte Carlo against weight scaling, in a real network
#
# Two hidden layers with ReLU: here weight scaling is only an approximation. How many masks does it take to be as
# good? Section 7.5 of [3] found about 50, on MNIST, and a Monte Carlo average that was only slightly better
# beyond that. (Which mask comes first is chance, so the curve is a mean over 20 orders of the same 100 masks.)

# %% tags=["explore"]
K = 100
mine = [[v[PAIRS * half : PAIRS * (half + 1)] for v in group] for group in (weights, biases)]  # rate ½
passes = np.stack([tf.nn.softmax(forward(some, *mine, 0.5)) for _ in range(K)])
by_scaling = tf.nn.softmax(forward(some, *mine, 1.0)).numpy()
read = lambda P: 100 * np.mean(np.argmax(P, axis=-1) != y_some, axis=-1).mean(axis=-1)
counts, orders = np.arange(1, K + 1)[:, None, None, None], np.random.default_rng(SEED)
averages = (np.cumsum(orders.permutation(passes), axis=0) / counts for _ in range(20))
by_masks, scaled_error = np.mean([read(P) for P in averages], axis=0), read(by_scaling)
gap = np.abs(passes.mean(axis=0) - by_scaling).max(axis=-1)
print(f"the probabilities differ by {gap.mean():.3f} on average, by {gap.max():.2f} for the image that differs most")

# %% tags=["explore"]
fig = plots.draw_curves(
    {f"average of k masks: {by_masks[-1]:.1f} %": by_masks},
    xlabel="masks, k",
    ylabel="test error (%)",
    title="Many masks come near what one pass with weight scaling gives",
)
fig.axes[0].axhline(scaled_error, color=plots.COLOURS[1])
lowest = min(by_masks.min(), scaled_error)
fig.axes[0].set(xscale="log", ylim=(lowest - 0.15 * (by_masks.max() - lowest), None))
fig.axes[0].set_xticks([1, 10, 100], ["1", "10", "100"])
where = {"xytext": (0, -14), "textcoords": "offset points", "color": plots.COLOURS[1], "weight": "bold"}
fig.axes[0].annotate(f"weight scaling: {scaled_error:.1f} %", (1, scaled_error), **where)
plots.show(
    fig,
    alt="A falling curve of the test error over the number of masks, on a logarithmic axis, and a level line for "
    "weight scaling, which the curve approaches within a few tens of masks.",
)
if (by_masks <= scaled_error).any():
    paper = (50, "Srivastava et al. 2014, section 7.5: MNIST, “around”") if SCALE == "full" else (None, "")
    metrics.record("masks_as_good_as_scaling", int(np.argmax(by_masks <= scaled_error)) + 1, "masks", *paper)

# %% [markdown]
# ## 9 · In Keras
#
# `keras.layers.Dropout(rate)` is inverted dropout. Two things are worth knowing. Its argument is the
# **rate**. And it drops only where somebody says `training=True`: `fit` does, `predict` and `evaluate` do not,
# `model(X)` does not, `model(X, training=True)` does.
#
# AlexNet has dropout in the first two fully connected layers: "setting to zero the output of each hidden neuron
# with probability 0.5" [2, section 4.2]. Build what follows POOL5, at any width, as in lab 02.
#
# > **Find it, settle it with the original.** torchvision's AlexNet has two dropout layers as well: one in front
# > of FC6 and one in front of FC7. Is it the outputs of the first two fully connected layers that they drop?


# %% answer="keras-dropout"
def keras_dropout(A, keep_prob, training):
    """What `keras.layers.Dropout` makes of activations.

    Args:
        A: activations, float32, shape `(examples, units)`.
        keep_prob: the probability of keeping a unit, a float.
        training: a bool, True as in training, False as at test time.

    Returns:
        What the layer gives, same shape; other units are dropped in every call.
    """
    ### BEGIN SOLUTION
    return layers.Dropout(1 - keep_prob)(A, training=training)
    ### END SOLUTION


def build_head(width=1.0, keep_prob=0.5):
    """AlexNet from POOL5 on, with dropout, untrained.

    Args:
        width: the share of the channels of POOL5 (256) and of the units of FC6 and FC7 (4096 each) that the
            network has, a float. The 1000 classes stay.
        keep_prob: the probability of keeping a unit, a float.

    Returns:
        A Keras model of built-in layers that begins with `keras.Input` (Sequential or functional, not nested). It
        reads feature maps, shape `(n, 6, 6, round(256 * width))`, and gives logits, shape `(n, 1000)`. FC6, FC7 and
        FC8 are `layers.Dense`, dropout is `layers.Dropout`. FC6 and FC7 have ReLU.
    """
    ### BEGIN SOLUTION
    model = keras.Sequential([keras.Input((6, 6, round(256 * width))), layers.Flatten()])
    for name in ("FC6", "FC7"):
        model.add(layers.Dense(round(4096 * width), activation="relu", name=name))
        model.add(layers.Dropout(1 - keep_prob))
    model.add(layers.Dense(1000, name="FC8"))
    return model
    ### END SOLUTION


# %% test="keras-dropout" points=3
q = check.question(
    "keras-dropout",
    points=3,
    why="Dropout has no parameters: all that it does is in where it stands, its rate, and `training`.",
    misconceptions={
        "rate-for-keep-prob": "Keras asks for the rate, the share that is dropped.",
        "training-forgotten": "Nothing was dropped: a layer that is not told that it trains does nothing.",
        "always-on": "Units are dropped at test time, too. `training` is for whoever calls to say.",
        "dropout-in-front": "What goes into FC6 is dropped here. The paper drops what comes out of FC6 and FC7.",
        "on-the-logits": "The outputs of FC8 are the logits: dropping some would be guessing.",
        "one-only": "Both of the first two fully connected layers have dropout.",
        "no-dropout": "There is no `layers.Dropout` in it.",
        "width-ignored": "The width is an argument: the channels of POOL5 and the units of FC6 and FC7 follow it.",
        "output-scaled": "However narrow the network, there are 1000 classes.",
        "not-flattened": "FC6 is joined to every number of the maps, at all 6×6 places. Flatten first.",
        "keep-prob-ignored": "The keep probability is an argument.",
        "relu-missing": "FC6 and FC7 each have ReLU.",
        "relu-on-logits": "The last layer has no ReLU: logits may be negative.",
        "softmax-output": "These are probabilities. Logits come straight out of the last layer.",
    },
)
A = np.full((200, 300), 2, "float32")
dropped = lambda training: np.asarray(keras_dropout(A, 0.8, training))
wrong = {"training-forgotten": lambda Z: np.all(Z == 2), "rate-for-keep-prob": lambda Z: looks_like_a_mask(Z != 0, 0.2)}
right = lambda Z: looks_like_a_mask(Z * 0.8 / 2, 0.8)
what = "about a fifth zero, the others 2.5"
q.satisfies("60,000 twos in training, keep_prob 0.8", lambda: dropped(True), right, wrong, 1, what)
wrong = {"always-on": lambda Z: np.any(Z == 0)}
q.satisfies("at test time", lambda: dropped(False), lambda Z: np.all(Z == 2), wrong, 0.5, "twos")
head = cache(lambda width, keep_prob: build_head(width=width, keep_prob=keep_prob))
described = cache(lambda width, keep_prob: check.describe(head(width, keep_prob)))


def order_of(width, keep_prob):
    """The units of the dense layers and the rates of the dropout layers, in order."""
    kinds = {"Dense": "units", "Dropout": "rate"}
    return [round(x[kinds[x["kind"]]], 6) for x in described(width, keep_prob) if x["kind"] in kinds]


wrong = {
    "rate-for-keep-prob": [128, 0.8, 128, 0.8, 1000],
    "dropout-in-front": [0.2, 128, 0.2, 128, 1000],
    "on-the-logits": [128, 0.2, 128, 0.2, 1000, 0.2],
    "one-only": [128, 128, 0.2, 1000],
    "no-dropout": [128, 128, 1000],
    "output-scaled": [128, 0.2, 128, 0.2, 31],
    "width-ignored": [4096, 0.2, 4096, 0.2, 1000],
    "keep-prob-ignored": [128, 0.5, 128, 0.5, 1000],
}
order = lambda: order_of(1 / 32, 0.8)
q.equal("width 1/32, keep_prob 0.8: units and rates", order, [128, 0.2, 128, 0.2, 1000], wrong, weight=1.5)
counts = lambda: [x["parameters"] for x in described(1 / 32, 0.8) if x["parameters"]]
wrong = {"not-flattened": [1152, 16512, 129000], "output-scaled": [36992, 16512, 3999]}
wrong["width-ignored"] = [1179776, 16512, 129000]
q.equal("parameters of its layers", counts, [36992, 16512, 129000], wrong, 0.5)


def bends(width, keep_prob):
    """The activations in order, wherever they stand."""
    told = ["relu" if x["kind"] == "ReLU" else x.get("activation") for x in described(width, keep_prob)]
    return [name for name in told if name not in (None, "linear")]


wrong = {"softmax-output": lambda a: "softmax" in a, "relu-missing": lambda a: len(a) < 2}
wrong["relu-on-logits"] = lambda a: a == ["relu"] * 3
twice_relu = lambda a: a == ["relu", "relu"]
q.satisfies("its activations", lambda: bends(1 / 32, 0.8), twice_relu, wrong, 0.5, "ReLU twice")
### BEGIN HIDDEN TESTS
with q.hidden():
    rng = check.rng()
    p, n = int(rng.integers(55, 95)) / 100, int(rng.integers(2, 5))
    r = round(1 - p, 6)
    units = 128 * n
    wrong = {"keep-prob-ignored": [units, 0.5, units, 0.5, 1000], "rate-for-keep-prob": [units, p, units, p, 1000]}
    wrong |= {"dropout-in-front": [r, units, r, units, 1000], "on-the-logits": [units, r, units, r, 1000, r]}
    wrong |= {"width-ignored": [128, r, 128, r, 1000], "one-only": [units, r, units, 1000]}
    q.equal("another head", lambda: order_of(n / 32, p), [units, r, units, r, 1000], wrong)
    X = rng.random((3, 6, 6, 8)).astype("float32")
    twice = lambda: np.ptp([np.asarray(head(1 / 32, 0.8)(X, training=True)) for _ in range(2)], axis=0).max()
    q.satisfies("the head in training", twice, lambda g: g > 0, weight=0.5)
### END HIDDEN TESTS
q.score()

# %% [markdown] tags=["think-answer"]
# **torchvision and the paper.** It is not. In front of FC6 stand the outputs of POOL5, so torchvision drops
# those and the outputs of FC6; the outputs of FC7 all reach FC8. The paper drops the outputs of FC6 and FC7. Both
# have two dropout layers and the same parameters, and an ensemble of different networks.

# %% tags=["explore"]
with check.waits_for("keras-dropout"):
    head_now = build_head(width=1 / 32)
    maps = np.random.default_rng(SEED).random((1, 6, 6, 8)).astype("float32")
    for training in (False, True):
        logits = [np.asarray(head_now(maps, training=training))[0, :4] for _ in range(2)]
        print(f"training={training}:", *(np.round(row, 3) for row in logits))

# %% [markdown]
# ## 10 · The other regularisers
#
# Dropout is one answer to overfitting. An older one adds a term to the loss, $L = L_\text{data} + \lambda R(W)$:
#
# | name | $R(W)$ |
# |---|---|
# | L2, "weight decay" | $\sum_{kl} W_{kl}^2$ |
# | L1 | $\sum_{kl} \lvert W_{kl} \rvert$ |
# | elastic net, after [5] | $\sum_{kl} \left( \beta W_{kl}^2 + \lvert W_{kl} \rvert \right)$ |
#
# Write them, $\lambda$ included, and what they add to the gradient. At $W = 0$, where $\lvert W \rvert$ has a
# corner, take 0 for its slope.


# %% answer="regularisers"
def penalties(W, lam, beta):
    """The three penalties.

    Args:
        W: weights, floats, any shape.
        lam: λ, a float.
        beta: β of the elastic net, a float.

    Returns:
        A dict "L2", "L1", "elastic net" → λR(W), floats.
    """
    ### BEGIN SOLUTION
    L2, L1 = np.sum(W**2), np.sum(np.abs(W))
    return {"L2": lam * L2, "L1": lam * L1, "elastic net": lam * (beta * L2 + L1)}
    ### END SOLUTION


def penalty_gradients(W, lam, beta):
    """The gradients of the three penalties by the weights.

    Args:
        W, lam, beta: as for `penalties`.

    Returns:
        A dict "L2", "L1", "elastic net" → an array of the shape of `W`. The slope of |W| at 0 is 0.
    """
    ### BEGIN SOLUTION
    L2, L1 = 2 * W, np.sign(W)
    return {"L2": lam * L2, "L1": lam * L1, "elastic net": lam * (beta * L2 + L1)}
    ### END SOLUTION


# %% test="regularisers" points=3
q = check.question(
    "regularisers",
    points=3,
    why="L2 pulls a weight back the harder the larger it is, L1 always with the same force, until it is 0.",
    misconceptions={
        "half": "With a factor ½ the gradient looks nicer, but it is not in this formula.",
        "root": "The squares are added up; no root is taken.",
        "mean": "The sum is meant, not the mean.",
        "no-absolute-value": "Weights of opposite sign must not cancel.",
        "lambda-missing": "λ belongs to the penalty, so it belongs to its gradient.",
        "two-missing": "The derivative of a square has a factor.",
        "sign-missing": "A weight is pulled towards 0: from above and from below that is not the same direction.",
        "sign-turned": "That would push the weights away from 0. The gradient points uphill.",
        "magnitude-kept": "The slope of |W| is as steep far from 0 as near it.",
        "not-a-number-at-zero": "W/|W| is not a number at 0.",
        "slope-at-zero": "At 0 the slope of |W| is to be 0.",
        "matrix-product": "`@` multiplies matrices. Here each entry is squared by itself.",
        "matrix-norm": "Of a matrix, `norm(W, 1)` and `norm(W, 2)` are something else: they do not add up all entries.",
        "beta-on-the-other": "β weighs the squares.",
        "beta-on-both": "β weighs the squares only.",
        "one-minus-beta": "β is no mixture here: look at what stands in front of |W|.",
        "lambda-on-one": "λ weighs the whole of R(W).",
    },
)
W = np.array([[1.0, -2.0], [0.0, 3.0]])
wrong = {"half": 0.7, "root": 0.374166, "mean": 0.35, "lambda-missing": 14}
wrong |= {"matrix-product": 0.2, "matrix-norm": 1.332456}
q.close("L2, λ = 0.1", lambda: penalties(W, 0.1, 0.5)["L2"], 1.4, wrong=wrong, weight=0.5)
wrong = {"no-absolute-value": 0.2, "mean": 0.15, "lambda-missing": 6, "matrix-norm": 0.5}
q.close("L1", lambda: penalties(W, 0.1, 0.5)["L1"], 0.6, wrong=wrong, weight=0.5)
wrong = {"half": 0.775, "no-absolute-value": 0.55, "mean": 0.2375, "lambda-missing": 9.5, "lambda-on-one": 6.35}
wrong |= {"beta-on-the-other": 1.55, "beta-on-both": 0.5, "one-minus-beta": 0.8}
q.close("elastic net, β = 0.25", lambda: penalties(W, 0.1, 0.25)["elastic net"], 0.95, wrong=wrong, weight=0.5)
right = np.array([[0.2, -0.4], [0.0, 0.6]])
wrong = {"two-missing": right / 2, "lambda-missing": 10 * right, "sign-turned": -right}
q.close("the gradient of L2", lambda: penalty_gradients(W, 0.1, 0.5)["L2"], right, wrong=wrong, weight=0.5)
slope = np.array([[0.1, -0.1], [0.0, 0.1]])
wrong = {
    "sign-missing": np.abs(slope),
    "sign-turned": -slope,
    "lambda-missing": 10 * slope,
    "magnitude-kept": 0.1 * np.abs(W),
    "not-a-number-at-zero": lambda g: np.isnan(g[1, 0]),
    "slope-at-zero": lambda g: np.allclose(g[W != 0], slope[W != 0]),
}
judged = {name: g if callable(g) else lambda v, g=g: np.allclose(v, g) for name, g in wrong.items()}
first = lambda: np.asarray(penalty_gradients(W, 0.1, 0.5)["L1"], float)
q.satisfies("the gradient of L1", first, lambda g: np.allclose(g, slope), judged, 1, "±0.1, and 0 at 0")
### BEGIN HIDDEN TESTS


def penalty_case(W, lam, beta):
    """The right penalties and gradients by automatic differentiation, and what common mistakes would give."""
    v = tf.Variable(W)
    with tf.GradientTape(persistent=True) as tape:
        squares, sizes = tf.reduce_sum(v * v), tf.reduce_sum(abs(v))
        R = {"L2": lam * squares, "L1": lam * sizes, "elastic net": lam * (beta * squares + sizes)}
    right = {name: (float(R[name]), tape.gradient(R[name], v).numpy()) for name in R}
    s, a, sign, net = float(squares), float(sizes), np.sign(W), "elastic net"
    wrong = {name: [{}, {}] for name in R}
    wrong["L2"][0] |= {"half": lam * s / 2, "root": lam * s**0.5, "mean": lam * s / W.size, "lambda-missing": s}
    wrong["L2"][1] |= {"two-missing": lam * W, "lambda-missing": 2 * W, "sign-turned": -2 * lam * W}
    wrong["L1"][0] |= {"no-absolute-value": lam * W.sum(), "mean": lam * a / W.size, "lambda-missing": a}
    wrong["L1"][1] |= {"sign-missing": np.full_like(W, lam), "sign-turned": -lam * sign, "lambda-missing": sign}
    wrong["L1"][1] |= {"magnitude-kept": lam * abs(W)}
    wrong[net][0] |= {"half": lam * (beta * s / 2 + a), "beta-on-the-other": lam * (s + beta * a)}
    wrong[net][0] |= {"beta-on-both": lam * beta * (s + a), "lambda-on-one": lam * beta * s + a}
    wrong[net][0] |= {"lambda-missing": beta * s + a}
    wrong[net][0] |= {"no-absolute-value": lam * (beta * s + W.sum()), "mean": lam * (beta * s + a) / W.size}
    wrong[net][1] |= {"two-missing": lam * (beta * W + sign), "beta-on-the-other": lam * (2 * W + beta * sign)}
    wrong[net][1] |= {"sign-missing": lam * (2 * beta * W + 1), "lambda-on-one": 2 * lam * beta * W + sign}
    wrong[net][1] |= {"sign-turned": -lam * (2 * beta * W + sign), "lambda-missing": 2 * beta * W + sign}
    wrong[net][0] |= {"one-minus-beta": lam * (beta * s + (1 - beta) * a)}
    wrong[net][1] |= {"one-minus-beta": lam * (2 * beta * W + (1 - beta) * sign)}
    wrong[net][1] |= {"beta-on-both": lam * beta * (2 * W + sign), "magnitude-kept": lam * (2 * beta * W + abs(W))}
    return right, wrong


with q.hidden():
    rng = check.rng()
    W, lam, beta = rng.normal(size=(4, 7)), rng.uniform(0.01, 0.1), rng.uniform(0.2, 0.8)
    right, wrong = penalty_case(W, lam, beta)
    for i, answer in enumerate((lambda n: penalties(W, lam, beta)[n], lambda n: penalty_gradients(W, lam, beta)[n])):
        for name in right:
            value = lambda name=name, answer=answer: answer(name)
            q.close(name, value, right[name][i], wrong=wrong[name][i], weight=(0.5, 1)[i])
### END HIDDEN TESTS
q.score()

# %% [markdown]
# **Look.** A weight that no data asks for, under each of the penalties, step by step.

# %% tags=["explore"]
with check.waits_for("regularisers"):
    paths = {}
    for name in ("L2", "L1", "elastic net"):
        w = [np.array([1.0])]
        for _ in range(120):
            w.append(w[-1] - 0.02 * np.asarray(penalty_gradients(w[-1], 1.0, 0.5)[name]))
        paths[name] = np.array(w, float)[:, 0]
    plots.curves(
        paths,
        range(121),
        xlabel="steps",
        ylabel="the weight",
        title="L1 arrives at zero, L2 only comes near",
        alt="Three falling curves that start at 1. L1 falls in a straight line to 0 in 50 steps and then jumps between "
        "0 and one step; L2 falls ever more slowly and never arrives; the elastic net arrives first, after 35 steps.",
    )

# %% [markdown]
# > **Find it, settle it with the original.** A lecture writes AlexNet's loss with $+\,\epsilon \lVert w
# > \rVert^2$, and right after it its update rule with $-\,0.0005 \cdot \epsilon \cdot w$, where ε is the
# > learning rate. In the paper [2, section 5] ε is the learning rate only. Which $\lambda$ of your table belongs
# > to that update rule?

# %% [markdown] tags=["think-answer"]
# **AlexNet's decay.** A step along the gradient of $\lambda \sum W^2$ is $-\,\epsilon \cdot 2 \lambda w$, so
# $2\lambda = 0.0005$ and $\lambda = 0.00025$. The ε in front of the norm is a slip: with it the penalty would
# shrink whenever the learning rate does. ("Weight decay" and L2 are the same thing here because the step is plain
# gradient descent with momentum. With Adam they part; lab 04 is about that.)

# %% tags=["think-answer"]
assert 2 * 0.00025 == 0.0005

# %% [markdown]
# ## The pattern
#
# **In training add noise; at test time average it out**, exactly or nearly. Dropout is one case among several:
#
# | | the noise in training | its average at test time | where |
# |---|---|---|---|
# | dropout | a mask | a factor $p$, or nothing | here |
# | data augmentation | crops, flips, colours | ten crops averaged, or the centre | lab 09 |
# | batch normalisation | whoever else is in the batch | moving averages | lab 07 |
# | Gaussian dropout [3, section 10] | a factor drawn around 1 | nothing to do | `layers.GaussianDropout` |
#
# **Think.** AlexNet uses dropout in two of its eight layers only. Look at lab 02's table of parameters: why these
# two? What would be different about dropping single numbers of a convolution's output?

# %% [markdown] tags=["think-answer"]
# FC6 and FC7 hold 54.5 of the 62.4 million parameters of the single tower, so that is where overfitting lives. A
# convolution's weights are shared over all places, which holds them back already, and neighbouring places say
# nearly the same: dropping one of them hides little. (Dropping whole feature maps does: `SpatialDropout2D`.)

# %% tags=["think-answer"]
assert round((37_752_832 + 16_781_312) / 1e6, 1) == 54.5
assert round(62_378_344 / 1e6, 1) == 62.4

# %% [markdown]
# ## To take away
#
# * A mask for every example, in every step; the same mask forward and backward.
# * Ask every $p$ whether it keeps or drops. The papers' $p$ keeps, Keras's rate drops, and ½ hides the difference.
# * The factor belongs to the keep probability: times $p$ at test time, or over $p$ in training and then never
#   again.
# * Weight scaling averages exactly where all behind the mask is linear, and a softmax after that is the
#   renormalised geometric mean. Elsewhere it is an approximation, and a good one.
# * Dropout gains where a large network has few examples, and it costs training time. How much of each, measure,
#   in pairs.
#
# ## References
#
# 1. G. E. Hinton, N. Srivastava, A. Krizhevsky, I. Sutskever, R. R. Salakhutdinov: *Improving neural networks by
#    preventing co-adaptation of feature detectors.* arXiv:1207.0580, 2012.
# 2. A. Krizhevsky, I. Sutskever, G. E. Hinton: *ImageNet classification with deep convolutional neural networks.*
#    NIPS 25, 1097–1105, 2012.
#    https://papers.nips.cc/paper/4824-imagenet-classification-with-deep-convolutional-neural-networks
# 3. N. Srivastava, G. Hinton, A. Krizhevsky, I. Sutskever, R. Salakhutdinov: *Dropout: a simple way to prevent
#    neural networks from overfitting.* Journal of Machine Learning Research 15, 1929–1958, 2014.
#    https://jmlr.org/papers/v15/srivastava14a.html
# 4. P. Baldi, P. Sadowski: *Understanding dropout.* NIPS 26, 2814–2822, 2013. (The geometric mean, at length.)
# 5. H. Zou, T. Hastie: *Regularization and variable selection via the elastic net.* Journal of the Royal
#    Statistical Society B 67(2), 301–320, 2005.
# 6. Planck Collaboration: *Planck 2018 results. VI. Cosmological parameters.* Astronomy & Astrophysics 641, A6, 2020.
