# %% [markdown]
# # Lab 07 · Batch normalization: everyone measured against the batch
#
# **About 2½ hours · 9 questions · 30 points**
#
# You will be able to
#
# * say which numbers a mean and a variance are taken over, in a dense layer and in a convolution;
# * write batch normalization forwards, backwards and for a single image, and show that it is what TensorFlow computes;
# * leave out the biases that it makes useless, and fold the whole layer away once the training is over;
# * recognise its four classic mistakes, among them a famous bug of TensorFlow 1;
# * measure what it gains, and tell that from the story that is told about it.
#
# **You need** labs 01 and 02, the chain rule, and means and variances. An array is `(examples, features)` in a dense
# layer and `(images, height, width, channels)` in a convolution; the last axis holds the channels in either case.

# %% tags=["parameters"]
SEED = 0
SCALE = "smoke"

# %% setup="imports"
from functools import cache
from types import SimpleNamespace

import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from keras import layers

from labkit import check, data, metrics, plots

v1 = tf.compat.v1
SOME_MAPS = np.random.default_rng(7).normal(2, 3, (8, 4, 4, 3)).astype("float32")
V1_WEIGHTS = np.array([[1, -1], [0.5, 2], [-1, 0.5]], "float32")


def v1_network():
    """A dense layer with batch norm, as one wrote it in TensorFlow 1, in the graph that is the default one.

    Returns:
        `X`, a placeholder of shape (n, 3); `loss`; and the variables `w`, `moving_mean` and `moving_variance`.
        The operations that update the two moving averages (momentum 0.9) are in the collection UPDATE_OPS.
    """
    X = v1.placeholder(tf.float32, (None, 3))
    w = v1.get_variable("w", initializer=V1_WEIGHTS)
    moving_mean = v1.get_variable("moving_mean", initializer=np.zeros(2, "float32"))
    moving_variance = v1.get_variable("moving_variance", initializer=np.ones(2, "float32"))
    a = X @ w
    mean, variance = tf.nn.moments(a, [0])
    for moving, batch in ((moving_mean, mean), (moving_variance, variance)):
        v1.add_to_collection(v1.GraphKeys.UPDATE_OPS, moving.assign(0.9 * moving + 0.1 * batch))
    a = tf.nn.batch_normalization(a, mean, variance, None, None, 1e-3)
    loss = tf.reduce_mean((tf.tanh(a) - X[:, :2]) ** 2)
    return SimpleNamespace(X=X, loss=loss, w=w, moving_mean=moving_mean, moving_variance=moving_variance)


def close_to(expected, tolerance=1e-5):
    """For `q.satisfies`: a condition that arrays near this one meet."""
    expected = np.asarray(expected, float)
    return lambda v: np.shape(v) == expected.shape and np.allclose(v, expected, tolerance, tolerance)


# %% [markdown]
# ## Where it comes from
#
# In February 2015 Sergey Ioffe and Christian Szegedy put a new layer between the convolutions and the ReLUs of
# Google's Inception network [1]. With it, and a recipe made for it, they reached the old accuracy in **14 times fewer
# steps**, and went on to a better one;
# six such networks together came to a top-5 error of 4.8 % on ImageNet's test set, where AlexNet's seven had come to
# 15.3 % (lab 02). For years hardly a convolutional network was trained without that layer.
#
# Why it works, a lecture tells as the paper does: while a network learns, every layer's inputs change, because the
# layers before it learn as well. The authors called this **internal covariate shift**, and set out to reduce it. You
# will meet the layer first, then its effects, and the dispute about the reason at the end.
#
# **Look.** What becomes of activations in a deep network whose first weights are a little too small? Eight dense layers
# of 256 units with ReLU, untrained, read digits; below each histogram, normalised before every ReLU.

# %% tags=["explore"]
first_digits = data.digits(16).X_train[:500].reshape(500, -1)


def activations_by_depth(scale, normalised, depth=8):
    """What enters the ReLU of each layer; the weights have this standard deviation times √(2/n)."""
    rng, H, seen = np.random.default_rng(SEED), first_digits, []
    for _ in range(depth):
        a = H @ rng.normal(0, scale * np.sqrt(2 / H.shape[1]), (H.shape[1], 256))
        seen.append((a - a.mean(axis=0)) / np.sqrt(a.var(axis=0) + 1e-9) if normalised else a)
        H = np.maximum(seen[-1], 0)
    return seen


# %% tags=["explore"]
shown = {"without": activations_by_depth(0.6, False), "with": activations_by_depth(0.6, True)}
with plots.style():
    fig, axes = plt.subplots(2, 4, figsize=(6.4, 3.4), layout="constrained", sharex=True)
    fig.suptitle("Without, the deeper layers fall silent", x=0.01, ha="left")
for row, (name, seen), colour in zip(axes, shown.items(), plots.COLOURS, strict=False):
    for ax, layer in zip(row, (1, 3, 5, 8), strict=True):
        ax.hist(seen[layer - 1].ravel(), np.linspace(-3, 3, 61), density=True, color=colour)
        ax.set(title=f"layer {layer}" if name == "without" else "", yticks=[], xlim=(-3, 3))
        ax.text(0.97, 0.9, f"sd {seen[layer - 1].std():.1g}", transform=ax.transAxes, ha="right", color=colour, fontsize=9)
    row[0].set_ylabel(name)
fig.supxlabel("what enters the ReLU", color=plots.GREY, fontsize=11)
plots.show(
    fig,
    alt="Two rows of histograms, for layers 1, 3, 5 and 8. Without batch norm they become narrower from layer to layer, "
    "until the last is a spike at zero; with it all four have the same width.",
)

# %% [markdown]
# ## 1 · A mean and a variance for each channel
#
# Batch norm asks of each number: how far is it from what is usual here? "Here" is a channel: all that the same
# weights have computed. The mean and the variance are taken over the whole batch, and every channel has its own.
#
# > **Find it.** A lecture computes them with `tf.nn.moments(a, [0])`, "for depth/channels". For which layer is that right,
# > and what would be wrong about it for the other?
#
# The variance is the one that divides by the number of values, as in the paper's algorithm 1.


# %% answer="moments"
def channel_moments(X):
    """The mean and the variance of each channel. NumPy only.

    Args:
        X: a batch, a float64 array, shape (examples, features) or (images, height, width, channels).

    Returns:
        A tuple of two arrays of shape (features,) or (channels,): the means and the variances.
    """
    ### BEGIN SOLUTION
    axes = tuple(range(X.ndim - 1))
    return X.mean(axis=axes), X.var(axis=axes)
    ### END SOLUTION


# %% test="moments" points=3
q = check.question(
    "moments",
    points=3,
    why="A channel's numbers all come from the same weights, at every place of every image: they are measured together.",
    misconceptions={
        "batch-axis-only": "In a convolution the same weights work at every place, so every place of the map counts.",
        "each-image": "These are numbers for each image by itself. The batch is measured together.",
        "exchanged": "The means come first, then the variances.",
        "squares": "The variance is the mean square of the *distances from the mean*.",
        "each-example": "These are numbers for each example. Each feature has its own, over all examples.",
        "one-for-all": "That is one number for everything. Each channel has its own.",
        "unbiased": "This variance divides by n − 1. The paper's divides by n.",
        "standard-deviation": "That is the standard deviation. The variance is its square.",
        "axes-kept": "The numbers are right, but one for each channel is asked for, without axes of length 1.",
    },
)


def moments_and_mistakes(X):
    """The right mean and variance from TensorFlow, and what common mistakes would give."""
    axes = list(range(X.ndim - 1))
    mean, variance = (t.numpy() for t in tf.nn.moments(tf.constant(X), axes))
    n = X.size / X.shape[-1]
    wrong = {
        "unbiased": (mean, variance * n / (n - 1)),
        "standard-deviation": (mean, np.sqrt(variance)),
        "exchanged": (variance, mean),
        "squares": (mean, variance + mean**2),
        "one-for-all": (X.mean(), X.var()),
        "axes-kept": (X.mean(axis=tuple(axes), keepdims=True), X.var(axis=tuple(axes), keepdims=True)),
    }
    if X.ndim == 2:
        wrong["each-example"] = (X.mean(axis=1), X.var(axis=1))
    else:
        wrong["batch-axis-only"] = (X.mean(axis=0), X.var(axis=0))
        wrong["each-image"] = (X.mean(axis=(1, 2)), X.var(axis=(1, 2)))
    return (mean, variance), wrong


q.forbids("tensorflow", "keras", "torch", "jax", answer=lambda: channel_moments)
X = np.array([[1.0, 2], [3, 6]])
_, wrong = moments_and_mistakes(X)
q.close("dense: two examples of two features", lambda: channel_moments(X), [[2, 4], [1, 4]], wrong=wrong)
maps = np.arange(8.0).reshape(2, 1, 2, 2)
_, wrong = moments_and_mistakes(maps)
q.close("two images of 1×2 pixels and two channels", lambda: channel_moments(maps), [[3, 4], [5, 5]], wrong=wrong)
### BEGIN HIDDEN TESTS
with q.hidden():
    rng = check.rng()
    X = rng.normal(rng.uniform(-2, 2, 6), rng.uniform(0.5, 2, 6), (7, 6))
    right, wrong = moments_and_mistakes(X)
    q.close("dense", lambda: channel_moments(X), right, wrong=wrong)
    maps = rng.normal(rng.uniform(-2, 2, 4), rng.uniform(0.5, 2, 4), (5, 3, 6, 4))
    right, wrong = moments_and_mistakes(maps)
    q.close("convolution", lambda: channel_moments(maps), right, wrong=wrong)
### END HIDDEN TESTS
q.score()

# %% [markdown] tags=["think-answer"]
# **The lecture's axes.** `[0]` is right for a dense layer. After a convolution it would leave a mean for each place of
# each map, `(height, width, channels)` of them, taken over the few numbers that the batch has there, and two places of
# one map would be measured differently, although the same kernel looked at both. There the axes are `[0, 1, 2]`.

# %% [markdown]
# **Think.** A batch of 32 images, maps of 16×16: of how many numbers is a channel's mean? And in a dense layer?

# %% [markdown] tags=["think-answer"]
# Of 32 · 16 · 16 = 8,192, and of 32. (The 8,192 are not independent, since neighbours resemble each other. Still, the
# statistics of a convolution are the steadier ones.)

# %% tags=["think-answer"]
assert 32 * 16 * 16 == 8192

# %% [markdown]
# ## 2 · Normalise, scale, shift
#
# $$\hat x = \frac{x - \mu}{\sqrt{\sigma^2 + \varepsilon}}, \qquad y = \gamma\, \hat x + \beta$$
#
# After the first formula every channel has mean 0 and variance 1. Is that what the next layer wants? Nobody knows, so
# two numbers for each channel are learned: the scale $\gamma$, which starts at 1, and the shift $\beta$, which starts at
# 0. The small number $\varepsilon$ stands **under** the root; 0.001 in Keras.


# %% answer="normalise"
def batch_norm(X, gamma, beta, mean, variance, epsilon=1e-3):
    """Normalise each channel with a given mean and variance, then scale and shift it. NumPy only.

    Args:
        X: a float64 array, shape (examples, features) or (images, height, width, channels).
        gamma, beta: scale and shift of each channel, float64, shape (features,) or (channels,).
        mean, variance: what to normalise each channel with, likewise; where they come from is the caller's affair.
        epsilon: added to the variance, a float.

    Returns:
        An array of the shape of X.
    """
    ### BEGIN SOLUTION
    return gamma * (X - mean) / np.sqrt(variance + epsilon) + beta
    ### END SOLUTION


# %% test="normalise" points=3
q = check.question(
    "normalise",
    points=3,
    why="With constants for μ and σ² it is one multiplication and one addition: you will fold it away in question 8.",
    misconceptions={
        "epsilon-outside": "ε belongs under the root: it is added to the variance.",
        "epsilon-missing": "What if all numbers of a channel are the same? ε is there for that.",
        "no-root": "Divide by the standard deviation, not by the variance.",
        "own-statistics": "Normalise with the mean and the variance that are given, not with those of X.",
        "scaled-too-early": "First normalise, then scale and shift.",
        "shift-scaled": "β is added at the end; γ does not multiply it.",
        "scale-missing": "γ has no effect.",
        "shift-missing": "β has no effect.",
        "mean-kept": "The mean is still in it.",
        "epsilon-fixed": "ε is an argument, and 0.001 only where the caller gives none.",
    },
)


def norm_mistakes(X, g, b, m, v, e):
    """What common mistakes would give."""
    root, own = np.sqrt(v + e), tuple(range(X.ndim - 1))
    return {
        "epsilon-outside": g * (X - m) / (np.sqrt(v) + e) + b,
        "epsilon-missing": g * (X - m) / np.sqrt(v) + b,
        "no-root": g * (X - m) / (v + e) + b,
        "own-statistics": g * (X - X.mean(axis=own)) / np.sqrt(X.var(axis=own) + e) + b,
        "scaled-too-early": (g * X + b - m) / root,
        "shift-scaled": g * ((X - m) / root + b),
        "scale-missing": (X - m) / root + b,
        "shift-missing": g * (X - m) / root,
        "mean-kept": g * X / root + b,
        "epsilon-fixed": g * (X - m) / np.sqrt(v + 1e-3) + b,
    }


X, four, ten, two, three = np.array([[1.0], [3]]), np.array([4.0]), np.array([10.0]), np.array([2.0]), np.array([3.0])
wrong = norm_mistakes(X, four, ten, two, three, 1)
q.forbids("tensorflow", "keras", "torch", "jax", answer=lambda: batch_norm)
answer = lambda: batch_norm(X, four, ten, two, three, 1.0)
q.close("1 and 3 with γ = 4, β = 10, μ = 2, σ² = 3, ε = 1", answer, [[8], [12]], wrong=wrong)
same = np.full((3, 1), 2.0)
wrong = {"epsilon-missing": lambda v: np.isnan(v).any(), "shift-missing": lambda v: np.all(v == 0)}
answer = lambda: np.asarray(batch_norm(same, four, ten, two, np.zeros(1)), float)
q.satisfies("a channel of equal numbers", answer, close_to(np.full((3, 1), 10)), wrong, 0.5, "β everywhere")
layer = layers.BatchNormalization(gamma_initializer="ones", beta_initializer="zeros")
expected = np.asarray(layer(SOME_MAPS, training=True))
mean, variance = (np.float64(t) for t in tf.nn.moments(SOME_MAPS, [0, 1, 2]))
answer = lambda: batch_norm(SOME_MAPS.astype(float), np.ones(3), np.zeros(3), mean, variance)
q.close("the layer of Keras in training, to 1e-5", answer, expected, 1e-5, 1e-5)
### BEGIN HIDDEN TESTS
with q.hidden():
    rng = check.rng()
    for shape in ((5, 3), (2, 4, 3, 3)):
        X, g, b = rng.normal(1, 2, shape), rng.uniform(1.5, 3, 3), rng.uniform(2, 4, 3)
        m, v, e = rng.uniform(-2, -1, 3), rng.uniform(0.2, 0.6, 3), rng.uniform(0.1, 0.3)
        expected = tf.nn.batch_normalization(*(tf.constant(t) for t in (X, m, v, b, g)), e)
        answer = lambda X=X, g=g, b=b, m=m, v=v, e=e: batch_norm(X, g, b, m, v, epsilon=e)
        q.close("tf.nn.batch_normalization", answer, expected, 1e-5, 1e-5, norm_mistakes(X, g, b, m, v, e))
    answer = lambda: batch_norm(X, g, b, m, np.full(3, 1e-4))
    expected = tf.nn.batch_normalization(*(tf.constant(t) for t in (X, m, np.full(3, 1e-4), b, g)), 1e-3)
    q.close("the ε of Keras", answer, expected, 1e-5, 1e-5, {"epsilon-missing": g * (X - m) / 1e-2 + b}, weight=0.5)
### END HIDDEN TESTS
q.score()

# %% [markdown]
# > **Find it, settle it with the original.** A lecture writes 'normalize ("whiten")', and hopes for activations that are
# > "(more) normally distributed". Are the channels of this picture whitened? Are they normally distributed? Section 3 of
# > the paper [1] says what the authors left out, and why.

# %% tags=["explore"]
with check.waits_for("normalise"):
    rng = np.random.default_rng(SEED)
    skew = rng.exponential(1, 2000)
    two_channels = np.stack([3 * skew, skew + rng.exponential(0.4, 2000)], axis=1)
    after = batch_norm(two_channels, np.ones(2), np.zeros(2), two_channels.mean(axis=0), two_channels.var(axis=0))
    with plots.style():
        fig, axes = plt.subplots(1, 2, figsize=(6.4, 3), layout="constrained")
        fig.suptitle("Centred and scaled, but the shape is the old one", x=0.01, ha="left")
    for ax, Z, name in zip(axes, (two_channels, after), ("before", "after"), strict=True):
        ax.plot(*Z.T, ".", color=plots.COLOURS[0], markersize=2, alpha=0.5)
        ax.set(xlabel="channel 1", ylabel="channel 2", xlim=(-4, 12), ylim=(-4, 12), aspect="equal")
        ax.set_title(f"{name}: correlation {np.corrcoef(Z.T)[0, 1]:.2f}", fontsize=10, weight="normal")
    plots.show(
        fig,
        alt="Two clouds of points, channel 2 over channel 1, with one sharp corner at the lower left and a tail to the upper "
        "right. After batch norm the cloud is smaller and centred; its corner, its tail and its correlation are as before.",
    )

# %% [markdown] tags=["think-answer"]
# **Neither.** Whitening would make the channels uncorrelated as well; here the correlation stays what it was. Section 3 calls
# full whitening costly and not everywhere differentiable, so each feature is normalised by itself. And a channel that
# was skewed stays skewed: subtracting and dividing changes no shape. Mean 0 and variance 1 do not make a normal distribution.
# (Section 3.2 does hope for something "more Gaussian", but of $Wu + b$ compared with what comes out of a ReLU: it is a reason for
# the place of the layer, not something that the layer does.)

# %% [markdown]
# ## 3 · When there is no batch
#
# In training the statistics are those of the batch. But a prediction must not depend on who else happens to be
# asked about. So when the training is over, μ and σ² become constants, and there are two ways to get them:
#
# * **The whole training set's.** Let all its batches pass once more, and put their statistics together.
# * **Moving averages**, kept while training: after each batch
#   $\text{moving} \leftarrow m \cdot \text{moving} + (1 - m) \cdot \text{batch}$. They begin with mean 0 and variance 1. Keras calls $m$
#   `momentum`, and it is 0.99. (In PyTorch `momentum` is $1 - m$.)
#
# The first way has a trap: the batches' *means* differ as well. Two batches, one all 0 and one all 4, both have variance
# 0; their union has not. The second way has another: how many updates does it take until the start, which means nothing,
# has a share of less than 1 %?


# %% answer="inference"
def moving_average(moving, batch, momentum=0.99):
    """A moving average after one more batch.

    Args:
        moving: the moving average so far, a float64 array of shape (channels,).
        batch: the statistic of the new batch, likewise.
        momentum: the share of the old average, a float, as in Keras.

    Returns:
        The new moving average, an array of that shape; `moving` itself stays as it is.
    """
    ### BEGIN SOLUTION
    return momentum * moving + (1 - momentum) * batch
    ### END SOLUTION


def whole_set_statistics(counts, means, variances):
    """The mean and the variance of all numbers, from those of the batches. NumPy only.

    Args:
        counts: how many numbers a channel has in each batch, ints, shape (batches,); the last batch may be smaller.
        means, variances: of each batch and channel (dividing by the count), float64, shape (batches, channels).

    Returns:
        A tuple of two arrays of shape (channels,): mean and variance (dividing by their number) of all the numbers.
    """
    ### BEGIN SOLUTION
    share = counts / np.sum(counts)
    mean = share @ means
    return mean, share @ (variances + (means - mean) ** 2)
    ### END SOLUTION


updates_to_forget = None  # an int: after how many updates with momentum 0.99 the start counts less than 1 %
### BEGIN SOLUTION
updates_to_forget = 459
### END SOLUTION

# %% test="inference" points=4
q = check.question(
    "inference",
    points=4,
    why="An hour of training, or a hundred steps: whether moving averages mean something depends on their momentum.",
    misconceptions={
        "momentum-of-the-new": "That gives the momentum to the new batch (PyTorch counts so). In Keras it is the share of the old.",
        "summed": "The new batch needs its share: 1 − m of it, or the average grows and grows.",
        "last-batch": "That is the last batch by itself. Where is its past?",
        "changed-in-place": "The caller's array has changed. Return a new one.",
        "batches-alike": "Somewhere you take all batches for equally large. They have counts.",
        "between-forgotten": "The batches' means differ, too: what does that add to the variance of all numbers?",
        "unbiased": "Divide by the number of all numbers, not by one less.",
        "summed-up": "That grows with the number of batches. Weigh each by its share.",
        "no-whole-number": "There are no parts of updates.",
    },
)
old, batch = np.array([1.0, 2]), np.array([3.0, -2])
wrong = {"momentum-of-the-new": [2.8, -1.6], "summed": [3.9, -0.2], "last-batch": [3, -2]}
q.close("momentum 0.9", lambda: moving_average(old.copy(), batch, 0.9), [1.2, 1.6], wrong=wrong)
kept = lambda: check.after(moving_average, old, batch, 0.9)[1][0]
q.close("the old average afterwards", kept, old, wrong={"changed-in-place": [1.2, 1.6]}, weight=0.5)


def set_mistakes(n, m, v):
    """What common mistakes would give for the statistics of the whole set."""
    w, total = np.asarray(n) / np.sum(n), np.sum(n)
    mean = w @ m
    whole = w @ (v + (m - mean) ** 2)
    return {
        "between-forgotten": (mean, w @ v),
        "batches-alike": (m.mean(axis=0), (v + (m - m.mean(axis=0)) ** 2).mean(axis=0)),
        "unbiased": (mean, whole * total / (total - 1)),
        "summed-up": (m.sum(axis=0), v.sum(axis=0)),
    }


def set_mistaken(n, m, v):
    """The same as conditions; the counts may be forgotten for the mean, for the variance or for one part of it."""
    wrong = {name: close_to(value) for name, value in set_mistakes(n, m, v).items()}
    share, mean = n / np.sum(n), n @ m / np.sum(n)
    alike = [(v + (m - mean) ** 2).mean(axis=0), share @ v + m.var(axis=0)]
    equal_shares = lambda s: close_to(m.mean(axis=0))(s[0]) or any(close_to(part)(s[1]) for part in alike)
    return wrong | {"batches-alike": equal_shares}


n, m, v = np.array([2, 6]), np.array([[0.0], [4]]), np.array([[1.0], [3]])
whole = lambda: np.array([np.asarray(part, float) for part in whole_set_statistics(n, m, v)])
q.satisfies("two batches", whole, close_to([[3], [5.5]]), set_mistaken(n, m, v), 1, "mean 3 and variance 5.5")
whole_number = lambda v: v > 0 and v % 1 == 0
wrong = {"no-whole-number": lambda v: v % 1 != 0}
q.satisfies("updates: a whole number", lambda: updates_to_forget, whole_number, wrong, 0.25, "an int")
### BEGIN HIDDEN TESTS
hints = {
    "one_less": "So many do not quite reach it.",
    "by_the_gradient": "That would be right if each update took away a hundredth of the start. It takes a hundredth of what is left.",
    "share_of_the_new": "The share of the start shrinks by the factor m with each update.",
    "time_constant": "After 1/(1 − m) updates about 37 % of it are left, one part in e.",
}
with q.hidden(**hints):
    rng = check.rng()
    old, batch, share = rng.normal(size=5), rng.normal(size=5), rng.uniform(0.7, 0.9)
    wrong = {"momentum-of-the-new": (1 - share) * old + share * batch, "summed": share * old + batch, "last-batch": batch}
    expected = share * old + (1 - share) * batch
    q.close("another momentum", lambda: moving_average(old, batch, momentum=share), expected, 1e-5, 1e-5, wrong)
    wrong = {"momentum-of-the-new": 0.01 * old + 0.99 * batch, "summed": 0.99 * old + batch, "last-batch": batch}
    q.close("Keras's", lambda: moving_average(old, batch), 0.99 * old + 0.01 * batch, 1e-5, 1e-5, wrong, weight=0.5)
    n = np.array([9, 9, 9, 4])
    parts = [rng.normal(mean, sd, (k, 3)) for k, mean, sd in zip(n, (0, 2, -1, 6), (1, 2, 1, 0.5), strict=True)]
    m, v = np.array([part.mean(axis=0) for part in parts]), np.array([part.var(axis=0) for part in parts])
    everything = np.concatenate(parts)
    expected = close_to([everything.mean(axis=0), everything.var(axis=0)])
    q.satisfies("batches of different sizes", whole, expected, set_mistaken(n, m, v), 1.5)
    wrong = {"one-less": 458, "by-the-gradient": 99, "time-constant": 100, "share-of-the-new": 1}
    q.equal("updates", lambda: updates_to_forget, 459, wrong)
    assert 0.99**459 < 0.01 < 0.99**458
    assert 24 * 19 < 459 < 25 * 19
### END HIDDEN TESTS
q.score()

# %% [markdown]
# **Look.** The share of the start, update by update. Lab 01's network saw 1,197 digits in batches of 64, that is 19 updates
# a pass. With how many passes would you trust Keras's moving averages?

# %% tags=["explore"]
updates = np.arange(0, 501, 5)
fig = plots.draw_curves(
    {f"momentum {m}": np.where(m**updates > 0.005, 100 * m**updates, np.nan) for m in (0.99, 0.97, 0.9)},
    updates,
    xlabel="updates",
    ylabel="share of the start (%)",
    yscale="log",
    title="A long memory also remembers that it knew nothing",
)
fig.axes[0].axhline(1, color=plots.GREY, linewidth=1, linestyle=":")
fig.axes[0].set_ylim(0.1, 130)  # room for the labels
plots.show(
    fig,
    alt="Three straight falling lines on a logarithmic scale, and a dotted one at 1 percent. With momentum 0.9 the share of the "
    "start crosses it before 50 updates, with 0.97 at about 150, with 0.99 far to the right.",
)
assert -(-1197 // 64) == 19
assert 0.9**45 < 0.01
assert 0.97**152 < 0.01 < 0.97**150

# %% [markdown] tags=["think-answer"]
# With 25: 25 passes are 475 updates. In shorter trainings a momentum of 0.9 is wiser, and this lab uses it. (The paper's own
# recipe, its algorithm 2, is a third one: the mean of the batches' means, and for the variance the mean of the batches'
# variances times $n/(n-1)$. For batches drawn at random from one set that is nearly the same as yours.)

# %% [markdown]
# ## 4 · The update that nobody asked for
#
# In TensorFlow 1 a network was a graph, and `session.run(train)` computed what `train` needed, **nothing else**. The
# loss does not need the moving averages. So the operations that update them lay in a collection, `tf.GraphKeys.UPDATE_OPS`,
# and waited. Who did not fetch them trained a network that looked well in training, and guessed in use.
#
# > **Find it.** A lecture's program reads `bn = tf.layers.batch_normalization(a)`, and says below that it "keeps a decaying
# > average of activation mean and variance". The signature was `batch_normalization(inputs, axis=-1, momentum=0.99,
# > epsilon=0.001, …, training=False, …)`. What does that line do, and what two things are missing?
#
# `tf.compat.v1.layers` is gone from today's TensorFlow. So `v1_network()`, in the first code cell, writes its
# update operations by hand, as that layer did. Train it, so that **each step** also makes one update of both moving
# averages, with the statistics of its own batch and of the weights before the step. (In a session a variable has no value
# until the operation that `v1.global_variables_initializer()` makes has been run.)


# %% answer="update-ops"
def train_v1(batches, learning_rate):
    """Train the network of `v1_network`, one step of gradient descent for each batch, and keep its moving averages.

    Args:
        batches: a list of float32 arrays of shape (n, 3).
        learning_rate: a float.

    Returns:
        A tuple of three arrays, what the variables hold after the last step: w (3, 2), moving_mean (2,) and
        moving_variance (2,).
    """
    with tf.Graph().as_default(), v1.Session() as session:
        net = v1_network()
        optimizer = v1.train.GradientDescentOptimizer(learning_rate)
        ### BEGIN SOLUTION
        with tf.control_dependencies(v1.get_collection(v1.GraphKeys.UPDATE_OPS)):
            train = optimizer.minimize(net.loss)
        session.run(v1.global_variables_initializer())
        for batch in batches:
            session.run(train, {net.X: batch})
        return tuple(session.run([net.w, net.moving_mean, net.moving_variance]))
        ### END SOLUTION


# %% test="update-ops" points=3
q = check.question(
    "update-ops",
    points=3,
    why="Keras updates in the call itself, when training=True. The bug's heir is a forgotten training=.",
    misconceptions={
        "updates-forgotten": "The moving averages are those of the start: nobody has run their updates.",
        "updates-only": "The weights are those of the start: nobody has run the training step.",
        "one-update-missing": "One of the two averages has been updated, the other has not.",
        "updated-once": "The averages have been updated once only. Each batch needs its update.",
        "second-pass": "The averages are those of the NEXT weights: a second run asks the network again, after its step.",
        "updated-twice": "Each batch has been counted twice in the averages.",
        "started-anew": "These are the results of the last batch alone. Initialise the variables once, before the first.",
    },
)


def v1_by_hand(batches, rate):
    """The same in today's TensorFlow: the last weights, and each batch's statistics before and after its step."""
    w, before, after = tf.Variable(V1_WEIGHTS), [], []
    for X in batches:
        with tf.GradientTape() as tape:
            a = X @ w
            mean, variance = tf.nn.moments(a, [0])
            loss = tf.reduce_mean((tf.tanh((a - mean) / tf.sqrt(variance + 1e-3)) - X[:, :2]) ** 2)
        w.assign_sub(rate * tape.gradient(loss, w))
        before.append([mean.numpy(), variance.numpy()])
        after.append([(X @ w.numpy()).mean(axis=0), (X @ w.numpy()).var(axis=0)])
    return w.numpy(), before, after


def averaged(statistics):
    """The moving averages, momentum 0.9, after these means and variances."""
    moving = np.array([[0.0, 0], [1, 1]])
    for batch in statistics:
        moving = 0.9 * moving + 0.1 * np.array(batch)
    return moving


def v1_mistaken(batches, rate):
    """For `q.satisfies`: the right weights and averages, one upon the other, and what common mistakes would give."""
    w, before, after = v1_by_hand(batches, rate)
    last_w, last, _ = v1_by_hand(batches[-1:], rate)
    near = lambda statistics: close_to(np.vstack([w, averaged(statistics)]), 1e-4)
    once = [near([part[i]]) for part in (before, after) for i in (0, -1)]
    wrong = {
        "updates-forgotten": near([]),
        "updates-only": lambda v: np.allclose(v[:3], V1_WEIGHTS) and not np.allclose(v[3:], averaged([])),
        "second-pass": near(after),
        "one-update-missing": lambda v: any(np.allclose(v[3 + i], averaged([])[i], 1e-4) for i in (0, 1)),
        "updated-twice": lambda v: any(near([x for pair in zip(before, p, strict=True) for x in pair])(v) for p in (before, after)),
        "updated-once": lambda v: any(condition(v) for condition in once),
        "started-anew": close_to(np.vstack([last_w, averaged(last)]), 1e-4),
    }
    return {"condition": near(before), "wrong": wrong}


flowing = [(SOME_MAPS[i, :, j] / 2).astype("float32") for i in range(4) for j in range(3)]
trained = lambda batches, rate: np.vstack([np.asarray(part, float) for part in train_v1(batches, rate)])
told = "the weights and the averages of 12 batches"
q.satisfies("12 batches", lambda: trained(flowing, 0.1), **v1_mistaken(flowing, 0.1), expected=told)
### BEGIN HIDDEN TESTS
with q.hidden():
    rng = check.rng()
    others = [rng.normal(1, 1.5, (6, 3)).astype("float32") for _ in range(7)]
    q.satisfies("other batches", lambda: trained(others, 0.2), **v1_mistaken(others, 0.2))
### END HIDDEN TESTS
q.score()

# %% [markdown] tags=["think-answer"]
# **The lecture's line.** `training=False` was the default, so it normalises with the moving averages as they were
# made, mean 0 and variance 1: it divides by $\sqrt{1.001}$ and does nothing else, in training as in use. Missing are
# `training=True` (a placeholder, in fact, since it had to be False later) and the update operations. The documentation of
# `tf.layers.batch_normalization` said so in a note, and the bug was met for years all the same.

# %% [markdown]
# ## 5 · The bias that cancels
#
# $z = xW + b$ is normalised next: what happens to $b$? "Simply need weights $W$", a lecture says, "the bias term
# gets cancelled out". That is right there, **before** the activation. The two programs on its next slides read
# `a = tf.nn.relu(z)`, and then normalise `a`.
#
# Compute both orders, with γ = 1 and β = 0. Then decide for six arrangements in training whether the bias of their
# **first** layer can be left out without any change in what comes out of the batch norm.


# %% answer="bias"
def two_orders(Z, b, epsilon=1e-3):
    """Batch norm before the ReLU, and after it. NumPy only.

    Args:
        Z: what a dense layer computes without its bias, a float64 array of shape (examples, units).
        b: the bias, shape (units,): it is added to Z first, in either order.
        epsilon: as in batch norm, a float.

    Returns:
        A tuple of two arrays of the shape of Z: the ReLU of the normalised Z + b, and the normalised ReLU of Z + b.
    """
    ### BEGIN SOLUTION
    norm = lambda A: (A - A.mean(axis=0)) / np.sqrt(A.var(axis=0) + epsilon)
    return np.maximum(norm(Z + b), 0), norm(np.maximum(Z + b, 0))
    ### END SOLUTION


bias_cancels = {  # True or False for each: the first layer has a bias; does it cancel in the batch norm?
    "convolution, batch norm": None,
    "convolution, ReLU, batch norm": None,
    "convolution, average pooling, batch norm": None,
    "convolution, max pooling, batch norm": None,
    "dense, dropout, batch norm": None,
    "dense, dense, batch norm": None,
}
### BEGIN SOLUTION
bias_cancels = {name: "ReLU" not in name and "dropout" not in name for name in bias_cancels}
### END SOLUTION

# %% test="bias" points=3
q = check.question(
    "bias",
    points=3,
    why="β does the work of the bias. A bias in front of it costs memory and gets a gradient of zero.",
    misconceptions={
        "orders-exchanged": "First the ReLU of the normalised, then the normalised ReLU.",
        "bias-forgotten": "The second one has to know of b.",
        "bias-afterwards": "b is added to Z, before anything else.",
        "relu-forgotten": "The ReLU is missing in the first: nothing below zero comes out of it.",
        "epsilon-fixed": "ε is an argument, and 0.001 only where the caller gives none.",
        "both-the-same": "These are the same twice. Does the order not matter?",
    },
)


def order_mistakes(Z, b, e):
    """Both orders, and what common mistakes would give."""
    norm = lambda A, e=e: (A - A.mean(axis=0)) / np.sqrt(A.var(axis=0) + e)
    relu = lambda A: np.maximum(A, 0)
    right = np.array([relu(norm(Z + b)), norm(relu(Z + b))])
    wrong = {
        "orders-exchanged": right[::-1],
        "bias-forgotten": np.array([relu(norm(Z)), norm(relu(Z))]),
        "bias-afterwards": np.array([relu(norm(Z) + b), norm(relu(Z)) + b]),
        "relu-forgotten": np.array([norm(Z + b), norm(relu(Z + b))]),
        "epsilon-fixed": np.array([relu(norm(Z + b, 1e-3)), norm(relu(Z + b), 1e-3)]),
    }
    judged = {name: close_to(value) for name, value in wrong.items()}
    judged["both-the-same"] = lambda v: np.allclose(v[0], v[1])
    return {"condition": close_to(right), "wrong": judged}


Z, b = np.array([[-3.0], [-1], [1], [3]]), np.array([1.0])
both = lambda: np.array([np.asarray(part, float) for part in two_orders(Z, b, 4.0)])
q.forbids("tensorflow", "keras", "torch", "jax", answer=lambda: two_orders)
told = "0, 0, 1/3, 1 in the first place"
q.satisfies("−3, −1, 1, 3 with b = 1 and ε = 4", both, **order_mistakes(Z, b, 4.0), expected=told)
cancels = lambda: None if bias_cancels is None or None in bias_cancels.values() else bias_cancels
six = lambda v: set(map(type, v.values())) <= {bool, np.bool_} and len(v) == 6
q.satisfies("six arrangements", cancels, six, weight=0.25, expected="True or False for each of the six")
### BEGIN HIDDEN TESTS
hints = {
    "relu_overlooked": "A ReLU cuts off at zero, and the bias decides what lies below.",
    "max_pooling_misjudged": "What is the maximum of z + b, if b is the same everywhere?",
    "mean_misjudged": "What is the average of z + b?",
    "dropout_overlooked": "Dropout sets z + b to zero here and there, its b as well. Is b still the same for all?",
    "second_layer_misjudged": "Follow the b through the second layer: what does it add to each of its units?",
}
with q.hidden(**hints):
    rng = check.rng()
    Z, b = rng.normal(size=(9, 4)), rng.choice([-1, 1], 4) * rng.uniform(0.5, 1, 4)
    both_now = lambda: np.array([np.asarray(part, float) for part in two_orders(Z, b)])
    q.satisfies("others", both_now, **order_mistakes(Z, b, 1e-3))
    right = [True, False, True, True, False, True]
    names = ["", "relu-overlooked", "mean-misjudged", "max-pooling-misjudged", "dropout-overlooked", "second-layer-misjudged"]
    wrong = {name: lambda v, i=i: list(v.values())[i] != right[i] for i, name in enumerate(names) if name}
    q.satisfies("the bias", cancels, lambda v: list(v.values()) == right, wrong, 1.5)
### END HIDDEN TESTS
q.score()

# %% [markdown] tags=["think-answer"]
# **Which cancel.** Whatever adds the *same* number to a channel everywhere is subtracted with the mean. Average and maximum
# of $z + b$ are the average and the maximum of $z$, plus $b$. A second dense layer makes $bW_2$ of it, the same for every
# example. (A second *convolution* with zero padding would not: at the edge part of the kernel sees zeros instead of
# $b$.) A ReLU and a dropout mask treat $b$ differently from example to example, so it stays.

# %% [markdown]
# **Look.** The gradient by the bias, in both orders. The paper normalises before the activation (section 3.2); others have
# found it after the ReLU to be no worse. Which of the two needs its bias is not a matter of taste.

# %% tags=["explore"]
rng = np.random.default_rng(SEED)
Z, b, target = tf.constant(rng.normal(size=(64, 4))), tf.Variable(rng.normal(size=4)), rng.normal(size=(64, 4))
standardised = lambda A: (A - tf.reduce_mean(A, 0)) / tf.sqrt(tf.math.reduce_variance(A, 0) + 1e-3)
orders = {
    "before the ReLU": lambda: tf.nn.relu(standardised(Z + b)),
    "after the ReLU": lambda: standardised(tf.nn.relu(Z + b)),
}
for name, order in orders.items():
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((order() - target) ** 2)
    slopes = tape.gradient(loss, b).numpy()
    print(f"{name:16}", np.array2string(slopes, precision=3, suppress_small=True))
    assert (np.abs(slopes).max() < 1e-12) == (name == "before the ReLU")

# %% [markdown]
# ## 6 · In Keras
#
# `layers.BatchNormalization()` keeps four numbers for each channel. Which of them are trained? (By gradient descent, that
# is. `trainable_weights` of a layer lists them.)


# %% answer="keras-layer"
def bn_parameters(channels):
    """How many numbers a batch normalization layer keeps, and how many of them gradient descent trains.

    Args:
        channels: an int.

    Returns:
        A tuple of two ints: all of them, and the trained ones.
    """
    ### BEGIN SOLUTION
    return 4 * channels, 2 * channels
    ### END SOLUTION


def build_bn_net(width=1.0):
    """A small convolutional network with batch norm before each ReLU, built-in layers only.

    Images of 16×16×1; a convolution 3×3 with 16·width filters, stride 1, "same" padding; batch norm; ReLU; a convolution 3×3
    with 32·width filters, stride 2, "same" padding; batch norm; ReLU; global average pooling; a dense layer that gives
    10 logits. Each step is a layer, the ReLUs as well. No parameter that batch norm makes useless.

    Args:
        width: a float; the filters are multiplied by it. 16·width is whole.

    Returns:
        A `keras.Model`, built.
    """
    ### BEGIN SOLUTION
    net = keras.Sequential([keras.Input((16, 16, 1))])
    for filters, stride in ((16, 1), (32, 2)):
        net.add(layers.Conv2D(int(filters * width), 3, stride, "same", use_bias=False))
        net.add(layers.BatchNormalization())
        net.add(layers.ReLU())
    net.add(layers.GlobalAveragePooling2D())
    net.add(layers.Dense(10))
    return net
    ### END SOLUTION


# %% test="keras-layer" points=4
q = check.question(
    "keras-layer",
    points=4,
    why="γ and β are learned, the moving averages are measured: an optimizer never touches them.",
    misconceptions={
        "trained-only": "The moving averages are kept in the layer, too: they are saved with it.",
        "all-trained": "Gradient descent does not train the moving averages: they are measured.",
        "for-the-whole-layer": "Each channel has its own.",
        "bias-kept": "The convolutions still have their biases, and the batch norm behind them subtracts those.",
        "dense-bias-dropped": "No batch norm comes after the dense layer: it needs its bias.",
        "after-the-relu": "Here the batch norm comes before the ReLU.",
        "no-norm": "There is no batch norm in it.",
        "norm-missing": "Each of the two convolutions has a batch norm of its own.",
        "relu-missing": "Each batch norm is followed by a ReLU, a layer of its own.",
        "other-axis": "These batch norms take another axis for the channels. They are the last axis.",
        "no-scale": "γ or β has been turned off. They stay.",
        "width-ignored": "The filters are to be multiplied by the width.",
        "stride-missing": "The second convolution takes steps of 2, and so halves the map.",
        "valid-padding": "A kernel without padding loses the edge. These maps keep it: the padding is \"same\".",
        "one-of-two-trained": "The two moving averages are one kind of thing: either both are trained, or neither is.",
        "softmax-output": "These are probabilities. Logits come straight out of the last layer.",
    },
)
wrong = {"trained-only": (6, 6), "all-trained": (12, 12), "for-the-whole-layer": (4, 2), "one-of-two-trained": (12, 9)}
q.equal("3 channels", lambda: bn_parameters(3), (12, 6), wrong, 0.5)
described = cache(lambda width: check.describe(build_bn_net(width=width)))


def order_of(width):
    """What the layers do, in order: conv, norm and relu."""
    words = {"Conv2D": "conv", "BatchNormalization": "norm", "ReLU": "relu"}
    found = []
    for layer in described(width):
        found += [words[layer["kind"]]] if layer["kind"] in words else []
        found += ["relu"] if layer.get("activation") == "relu" else []
    return found


wrong = {
    "after-the-relu": ["conv", "relu", "norm", "conv", "relu", "norm"],
    "no-norm": ["conv", "relu", "conv", "relu"],
    "norm-missing": ["conv", "norm", "relu", "conv", "relu"],
    "relu-missing": ["conv", "norm", "conv", "norm"],
}
q.equal("the order", lambda: order_of(0.5), ["conv", "norm", "relu", "conv", "norm", "relu"], wrong)
maps = lambda: [layer["output_shape"][1:] for layer in described(0.5) if layer["kind"] == "Conv2D"]
wrong = {
    "stride-missing": [(16, 16, 8), (16, 16, 16)],
    "valid-padding": [(14, 14, 8), (6, 6, 16)],
    "width-ignored": [(16, 16, 16), (8, 8, 32)],
}
q.equal("the maps of both convolutions at width 0.5", maps, [(16, 16, 8), (8, 8, 16)], wrong, 0.5)
### BEGIN HIDDEN TESTS


def count_mistakes(a):
    """The parameters of each layer for `a` filters and then 2a, and what common mistakes would give."""
    first, second, dense = 9 * a, 18 * a * a, (2 * a + 1) * 10
    right = [first, 4 * a, second, 8 * a, dense]
    wrong = {
        "bias-kept": [first + a, 4 * a, second + 2 * a, 8 * a, dense],
        "dense-bias-dropped": [first, 4 * a, second, 8 * a, dense - 10],
        "other-axis": [first, 64, second, 32, dense],
        "no-scale": [first, 3 * a, second, 6 * a, dense],
        "width-ignored": [144, 64, 4608, 128, 330],
    }
    return right, wrong


with q.hidden():
    rng = check.rng()
    a = 2 * int(rng.choice([2, 3, 5]))
    right, wrong = count_mistakes(a)
    counts = lambda: [layer["parameters"] for layer in described(a / 16) if layer["parameters"]]
    q.equal("parameters", counts, right, wrong, 1.5)
    channels = int(rng.integers(20, 90))
    wrong = {"trained-only": (2 * channels,) * 2, "all-trained": (4 * channels,) * 2, "for-the-whole-layer": (4, 2)}
    q.equal("other channels", lambda: bn_parameters(channels), (4 * channels, 2 * channels), wrong, 0.5)
    images = rng.random((6, 16, 16, 1)).astype("float32")
    outputs = lambda: [np.asarray(net(images, training=training)) for net in [build_bn_net(0.25)] for training in (False, True)]
    wrong = {"softmax-output": lambda v: np.allclose(np.sum(v[0], axis=1), 1)}
    wrong |= {"no-norm": lambda v: np.allclose(v[0], v[1])}
    batch_counts = lambda v: np.shape(v[0]) == (6, 10) and not np.allclose(v[0], v[1]) and not np.allclose(v[0].sum(axis=1), 1)
    q.satisfies("what comes out", outputs, batch_counts, wrong)
### END HIDDEN TESTS
q.score()

# %% [markdown]
# Your formulas of questions 1 to 3 and this layer are the same thing: forwards in training, its moving averages after that, and
# forwards in use.

# %% tags=["explore"]
with check.waits_for("moments"), check.waits_for("normalise"), check.waits_for("inference"):
    norm = layers.BatchNormalization()
    X = SOME_MAPS.astype(float)
    in_training, (mean, variance) = norm(SOME_MAPS, training=True), channel_moments(X)
    gap = np.abs(batch_norm(X, np.ones(3), np.zeros(3), mean, variance) - in_training).max()
    moving = moving_average(np.zeros(3), mean), moving_average(np.ones(3), variance)
    gap_moving = max(np.abs(m - k).max() for m, k in zip(moving, norm.non_trainable_weights, strict=True))
    gap_use = np.abs(batch_norm(X, np.ones(3), np.zeros(3), *moving) - norm(SOME_MAPS)).max()
    print(f"largest differences: in training {gap:.0e}, moving averages {gap_moving:.0e}, in use {gap_use:.0e}")
    assert max(gap, gap_moving, gap_use) < 1e-5

# %% [markdown]
# ## 7 · Backwards
#
# Let $G$ be the gradient of the loss by $y$. Then $\beta$ and $\gamma$ are easy; $x$ is not, because it reaches the loss on three
# ways: straight through $\hat x$, through the mean, and through the variance. Written out and put together, with all
# means over the same axes as in question 1,
#
# $$\frac{\partial L}{\partial x} = \frac{\gamma}{\sqrt{\sigma^2 + \varepsilon}} \left( G - \text{mean}(G) - \ldots \right)$$
#
# The last term is yours. (Chain rule on paper; or ask: which change of $x$ can the output not notice?) TensorFlow's gradients are
# the judge, to 1e-5.


# %% answer="backward"
def batch_norm_backward(G, X, gamma, epsilon=1e-3):
    """The backward pass of batch norm in training, where mean and variance are those of X. NumPy only.

    Args:
        G: the gradient of the loss by the output, a float64 array of the shape of X.
        X: the input, shape (examples, features) or (images, height, width, channels), float64.
        gamma: scale of each channel, float64, shape (features,) or (channels,).
        epsilon: a float.

    Returns:
        A tuple: the gradients by X, by gamma and by beta, of the shapes of X, gamma and gamma.
    """
    ### BEGIN SOLUTION
    axes = tuple(range(X.ndim - 1))
    root = np.sqrt(X.var(axis=axes) + epsilon)
    x_hat = (X - X.mean(axis=axes)) / root
    dX = gamma / root * (G - G.mean(axis=axes) - x_hat * (G * x_hat).mean(axis=axes))
    return dX, (G * x_hat).sum(axis=axes), G.sum(axis=axes)
    ### END SOLUTION


# %% test="backward" points=4
q = check.question(
    "backward",
    points=4,
    why="Up to ε, no gradient moves a channel's mean, and none stretches it: what the layer would undo, it never learns.",
    misconceptions={
        "statistics-constant": "Mean and variance are made of X as well: this takes them for constants.",
        "variance-constant": "The mean's way back is there, the variance's is missing.",
        "mean-constant": "The variance's way back is there, the mean's is missing.",
        "gamma-forgotten": "Between the loss and x̂ stands γ.",
        "root-forgotten": "Each way to x leads through the division by the root.",
        "gamma-by-x": "γ multiplies x̂, so its gradient is made of G and x̂, not of G and X.",
        "averaged": "γ and β act on every number of the channel, and what they do adds up.",
        "gamma-in-its-own": "γ does not occur in its own gradient.",
        "exchanged": "The order is: by X, by gamma, by beta.",
        "batch-axis-only": "In a convolution every place of the map shares γ, β and the statistics.",
        "last-term-of-x": "Your last term is made of the numbers that came in. It is made of the normalised ones.",
        "last-term-added": "Like the mean of G, the last term is taken away.",
        "last-term-the-same": "Your last term is the same for all numbers of a channel: no stretching, another shift.",
    },
)


def gradient_mistakes(G, X, g, e):
    """What common mistakes would give: of the gradient by X, and of those by γ and β."""
    axes = tuple(range(X.ndim - 1))
    mean = lambda A: A.mean(axis=axes)
    root = np.sqrt(X.var(axis=axes) + e)
    h = (X - mean(X)) / root
    by_x = {
        "statistics-constant": g / root * G,
        "variance-constant": g / root * (G - mean(G)),
        "mean-constant": g / root * (G - h * mean(G * h)),
        "gamma-forgotten": (G - mean(G) - h * mean(G * h)) / root,
        "root-forgotten": g * (G - mean(G) - h * mean(G * h)),
        "last-term-of-x": g / root * (G - mean(G) - X * mean(G * X)),
        "last-term-added": g / root * (G - mean(G) + h * mean(G * h)),
        "last-term-the-same": g / root * (G - mean(G) - mean(G * h)),
    }
    gamma, beta = (G * h).sum(axis=axes), G.sum(axis=axes)
    others = {
        "exchanged": (beta, gamma),
        "gamma-by-x": ((G * X).sum(axis=axes), beta),
        "averaged": (mean(G * h), mean(G)),
        "gamma-in-its-own": (g * gamma, beta),
    }
    judged = {name: close_to(value) for name, value in by_x.items()}, {n: close_to(v) for n, v in others.items()}
    if X.ndim == 4:
        judged[1]["batch-axis-only"] = lambda v: np.shape(v[1]) == X.shape[1:]
        r0 = np.sqrt(X.var(axis=0) + e)
        h0 = (X - X.mean(axis=0)) / r0
        judged[0]["batch-axis-only"] = close_to(g / r0 * (G - G.mean(axis=0) - h0 * (G * h0).mean(axis=0)))
    return judged


X, G, g = np.array([[0.0], [0], [3], [3]]), np.array([[0.0], [0], [1], [0]]), np.array([2.0])
q.forbids("tensorflow", "keras", "torch", "jax", answer=lambda: batch_norm_backward)
by_x = lambda G, X, g, e: np.asarray(batch_norm_backward(G.copy(), X.copy(), g, e)[0], float)
others = lambda G, X, g, e: [np.asarray(part, float) for part in batch_norm_backward(G.copy(), X.copy(), g, e)[1:]]
of_x, of_others = gradient_mistakes(G, X, g, 4.0)
told = "−0.128, −0.128, 0.528, −0.272"
right = close_to([[-0.128], [-0.128], [0.528], [-0.272]])
q.satisfies("by 0, 0, 3, 3 with γ = 2 and ε = 4", lambda: by_x(G, X, g, 4.0), right, of_x, 1, told)
right = close_to([[0.6], [1]])
q.satisfies("by γ and β", lambda: others(G, X, g, 4.0), right, of_others, 0.5, "0.6 and 1")
### BEGIN HIDDEN TESTS


def by_tape(G, X, g, e):
    """The three gradients by automatic differentiation."""
    X, g, b = tf.Variable(X), tf.Variable(g), tf.Variable(np.zeros_like(g))
    with tf.GradientTape() as tape:
        mean, variance = tf.nn.moments(X, list(range(X.shape.rank - 1)))
        loss = tf.reduce_sum(G * tf.nn.batch_normalization(X, mean, variance, b, g, e))
    return [t.numpy() for t in tape.gradient(loss, [X, g, b])]


with q.hidden():
    rng = check.rng()
    for shape in ((6, 3), (4, 3, 2, 3)):
        given = rng.normal(size=shape), rng.normal(1, 2, shape), rng.uniform(1.5, 3, 3), rng.uniform(0.1, 0.5)
        expected, (of_x, of_others) = by_tape(*given), gradient_mistakes(*given)
        q.satisfies("by X", lambda given=given: by_x(*given), close_to(expected[0]), of_x, 1.5)
        q.satisfies("by γ and β", lambda given=given: others(*given), close_to(expected[1:]), of_others, 0.5)
### END HIDDEN TESTS
q.score()

# %% tags=["explore"]
with check.waits_for("backward"):
    X, G, gamma = SOME_MAPS.astype(float), rng.normal(size=SOME_MAPS.shape), np.array([1.0, 2, 3])
    kept = [tf.Variable(part) for part in (X, gamma, np.zeros(3))]
    with tf.GradientTape() as tape:
        mean, variance = tf.nn.moments(kept[0], [0, 1, 2])
        loss = tf.reduce_sum(G * tf.nn.batch_normalization(kept[0], mean, variance, kept[2], kept[1], 1e-3))
    pairs = zip(batch_norm_backward(G, X, gamma), tape.gradient(loss, kept), strict=True)
    gap = max(np.abs(yours - theirs).max() for yours, theirs in pairs)
    print(f"largest difference from TensorFlow's gradients: {gap:.0e}")
    assert gap < 1e-5

# %% [markdown]
# **Think.** A lecture: batch norm lets you use larger learning rates. Multiply all weights in front of it by 10: what
# becomes of the output, and of the gradient by those weights?

# %% [markdown] tags=["think-answer"]
# The output stays (up to ε): mean and deviation grow by 10 as well. So the slope along that direction is zero, and the
# gradient by the weights is a *tenth*: larger weights take relatively smaller steps (section 3.3 of [1]). A step that was
# too long makes the weights large, and with that the next ones short: the network brakes by itself.

# %% tags=["explore"]
rng = np.random.default_rng(SEED)
X, target = rng.normal(size=(64, 5)), rng.normal(size=(64, 4))
W = rng.normal(size=(5, 4))
slopes = []
for factor in (1, 10):
    scaled = tf.Variable(factor * W)
    with tf.GradientTape() as tape:
        a = X @ scaled
        loss = tf.reduce_mean(((a - tf.reduce_mean(a, 0)) / tf.math.reduce_std(a, 0) - target) ** 2)
    slopes.append(tape.gradient(loss, scaled).numpy())
    print(f"weights × {factor:2}: loss {loss.numpy():.6f}, largest slope {np.abs(slopes[-1]).max():.6f}")
assert np.allclose(slopes[0], 10 * slopes[1])
assert np.allclose((slopes[0] * W).sum(axis=0), 0, atol=1e-12)  # no slope along the weights of a unit

# %% [markdown]
# ## 8 · Fold it away
#
# In use μ and σ² are constants. Then a convolution and the batch norm behind it are two linear maps, one after the
# other; so they are one, with other weights and a bias. Networks are shipped like this: one layer less, and only the
# rounding changes [2, section 3.2].


# %% answer="fold"
def fold(kernel, bias, gamma, beta, mean, variance, epsilon=1e-3):
    """Fold a batch norm in use into the convolution before it. NumPy only.

    Args:
        kernel: of the convolution, float64, shape (height, width, input channels, output channels).
        bias: of the convolution, shape (output channels,); zeros where it has none.
        gamma, beta, mean, variance: of the batch norm, shape (output channels,): mean and variance as they are used.
        epsilon: a float.

    Returns:
        A tuple, kernel and bias of one convolution that gives what the two layers gave; shapes as above.
    """
    ### BEGIN SOLUTION
    scale = gamma / np.sqrt(variance + epsilon)
    return kernel * scale, (bias - mean) * scale + beta
    ### END SOLUTION


# %% test="fold" points=4
q = check.question(
    "fold",
    points=4,
    why="One layer less to compute and to store, and the same prediction: this is done to nearly every network on a phone.",
    misconceptions={
        "mean-forgotten": "The bias has to make up for the mean, too.",
        "mean-added": "The mean is subtracted.",
        "bias-not-scaled": "The convolution's bias goes through the batch norm like everything else.",
        "bias-forgotten": "The convolution had a bias.",
        "epsilon-missing": "ε belongs to the batch norm, so it belongs into the fold.",
        "gamma-only": "The division by the root is missing.",
        "gamma-forgotten": "γ is missing.",
        "shift-scaled": "β is added after the scaling.",
        "kernel-unchanged": "This kernel is the old one. Who does the batch norm's multiplication now?",
        "input-channels": "Scale the OUTPUT channels, the kernel's last axis: the batch norm comes after the convolution.",
    },
)


def fold_mistakes(W, c, g, b, m, v, e):
    """Conditions on a kernel and a bias, one row each, that common mistakes would meet."""
    s = g / np.sqrt(v + e)
    bare = g / np.sqrt(v)
    biases = {
        "mean-forgotten": c * s + b,
        "mean-added": (c + m) * s + b,
        "bias-not-scaled": c - m * s + b,
        "bias-forgotten": b - m * s,
        "shift-scaled": (c - m + b) * s,
        "epsilon-missing": (c - m) * bare + b,
        "gamma-only": (c - m) * g + b,
        "gamma-forgotten": (c - m) / np.sqrt(v + e) + b,
    }
    kernels = {"epsilon-missing": W * bare, "gamma-only": W * g, "gamma-forgotten": W / np.sqrt(v + e)}
    kernels["kernel-unchanged"] = W
    if W.shape[2] in (1, W.shape[3]):
        kernels["input-channels"] = W * s[:, None]
    return {n: close_to(k) for n, k in kernels.items()}, {n: close_to(k) for n, k in biases.items()}


W, c, g = np.array([[[[2.0, 4]]]]), np.array([1.0, 1]), np.array([3.0, 1])
b, m, v = np.array([10.0, 20]), np.array([3.0, 0]), np.array([8.0, 3])
folded = lambda i: np.asarray(fold(W.copy(), c.copy(), g, b, m, v, 1.0)[i], float)
of_kernel, of_bias = fold_mistakes(W, c, g, b, m, v, 1.0)
q.forbids("tensorflow", "keras", "torch", "jax", answer=lambda: fold)
q.satisfies("a 1×1 kernel for two channels", lambda: folded(0), close_to([[[[2, 2]]]]), of_kernel, 0.75, "2 and 2")
q.satisfies("its bias", lambda: folded(1), close_to([8, 20.5]), of_bias, 0.75, "8 and 20.5")
### BEGIN HIDDEN TESTS
with q.hidden():
    rng = check.rng()
    c, g, b, m = rng.uniform(0.5, 1, 3), rng.uniform(1.5, 3, 3), rng.uniform(2, 4, 3), rng.uniform(1, 2, 3)
    v, e, W, X = rng.uniform(0.2, 0.6, 3), rng.uniform(0.1, 0.3), rng.normal(size=(3, 3, 3, 3)), rng.normal(size=(2, 6, 6, 3))
    s = g / np.sqrt(v + e)
    of_kernel, of_bias = fold_mistakes(W, c, g, b, m, v, e)
    whole = lambda i: np.asarray(fold(W.copy(), c.copy(), g, b, m, v, epsilon=e)[i], float)
    q.satisfies("a larger kernel", lambda: whole(0), close_to(W * s), of_kernel)
    q.satisfies("a larger kernel's bias", lambda: whole(1), close_to((c - m) * s + b), of_bias)
    after = tf.nn.batch_normalization(tf.nn.conv2d(X, W, 1, "SAME") + c, m, v, b, g, e)
    through = lambda: tf.nn.conv2d(X, whole(0), 1, "SAME") + whole(1)
    q.close("images through it", through, after, 1e-5, 1e-5)
### END HIDDEN TESTS
q.score()

# %% [markdown]
# ## 9 · In company
#
# In training every image is judged in the company of its batch, on purpose: whoever else is there is noise, and noise
# teaches (lab 03). In use it is a mistake, and hard to see, since with a large mixed batch the numbers look fine.
#
# Write a detector for it, for models that you know nothing of. And take the extreme case: which company does a batch
# of one have, in a dense layer?


# %% answer="company"
def depends_on_company(model, X):
    """Whether the model's output for an example depends on the other examples in the batch.

    Args:
        model: a function; given a float32 array of n examples, one or more, it returns an array of n outputs, finite
            numbers, in that order. It is deterministic. Outputs that differ by less than 1e-4 count as equal: that is
            rounding.
        X: at least eight examples, no two alike, a float32 array of shape (n, ...).

    Returns:
        True or False.
    """
    ### BEGIN SOLUTION
    alone = np.concatenate([model(X[i : i + 1]) for i in range(len(X))])
    return bool(np.abs(alone - model(X)).max() > 1e-4)
    ### END SOLUTION


def lone_output(x, gamma, beta):
    """What a dense batch norm layer gives in training for a batch of one example. NumPy only.

    Args:
        x: the example, a float64 array of shape (1, features).
        gamma, beta: of the layer, shape (features,).

    Returns:
        The output, an array of shape (1, features).
    """
    ### BEGIN SOLUTION
    return np.zeros_like(x) + beta
    ### END SOLUTION


# %% test="company" points=2
q = check.question(
    "company",
    points=2,
    why="One image alone, and the same image among others: the cheapest test of a network before it is used.",
    misconceptions={
        "always-the-same": "Asked with the same batch twice, every deterministic model gives the same.",
        "only-shuffled": "A batch in another order has the same mean and variance. The company itself has to change.",
        "answers-exchanged": "True means that the company matters.",
        "first-only": "The company may matter to any example, not only to the first.",
        "last-only": "The company may matter to any example, not only to the last.",
        "rounding": "Differences below 1e-4 are rounding.",
        "normalised-over-features": "Each feature is normalised over the batch, and here the batch is one example.",
        "shift-forgotten": "β is added after normalising.",
        "axis-lost": "The output has the shape of the input, with an axis for the one example.",
        "not-normalised": "That would be right for the moving averages of the start. In training the mean is that of the batch.",
    },
)
line = np.linspace(1, 3, 10, dtype="float32")[:, None] ** np.array([1, 2, 3], "float32")
centred = lambda A: A - np.mean(A, axis=0)
shrunk = lambda A: np.asarray(A) / 2
rounded = lambda A: np.asarray(A) / 2 + np.float32(1e-6 * len(A))
after_first = lambda A: np.asarray(A) - np.concatenate([np.zeros_like(A[:1]), A[:-1]])
before_last = lambda A: after_first(A[::-1])[::-1]
models = [centred, shrunk, after_first, before_last]
wrong = {"always-the-same": [False] * 4, "only-shuffled": [False, False, True, True]}
wrong |= {"answers-exchanged": [False, True, False, False]}
wrong |= {"first-only": [True, False, False, True], "last-only": [True, False, True, False]}
found = lambda: [depends_on_company(model, line) for model in models]
q.equal("x − mean(x), x/2, each less the one before, each less the next", found, [True, False, True, True], wrong)
x, g, b = np.array([[3.0, -5]]), np.array([2.0, 2]), np.array([1.0, 4])
wrong = {"shift-forgotten": lambda v: np.all(v == 0), "normalised-over-features": close_to([[3, 2]], 0.01)}
wrong |= {"not-normalised": close_to([[7, -6]], 0.01)}
lone = lambda: np.asarray(lone_output(x, g, b), float)
wrong |= {"axis-lost": lambda v: np.shape(v) == (2,)}
q.satisfies("a batch of one", lone, close_to([[1, 4]]), wrong, 0.5, "other numbers, shape (1, 2)")
### BEGIN HIDDEN TESTS


def in_training(A):
    """A convolution's batch norm with the statistics of the batch."""
    return (A - np.mean(A, axis=(0, 1, 2))) / np.sqrt(np.var(A, axis=(0, 1, 2)) + 1e-3)


def each_by_itself(A):
    """Every image with its own statistics."""
    return (A - np.mean(A, axis=(1, 2), keepdims=True)) / np.sqrt(np.var(A, axis=(1, 2), keepdims=True) + 1e-3)


with q.hidden():
    rng = check.rng()
    images = rng.normal(1, 2, (9, 4, 4, 2)).astype("float32")
    found = lambda: [depends_on_company(model, images) for model in (in_training, each_by_itself, shrunk)]
    wrong = {"answers-exchanged": [False, True, True]}
    q.equal("convolutions", found, [True, False, False], wrong)
    q.equal("rounding", lambda: depends_on_company(rounded, images), False, {"rounding": True}, 0.5)
    seen = lambda: [depends_on_company(model, images) for model in (after_first, before_last, centred)]
    wrong = {"first-only": [False, True, True], "last-only": [True, False, True], "only-shuffled": [True, True, False]}
    q.equal("neighbours", seen, [True, True, True], wrong, 0.5)
    x, g, b = rng.normal(size=(1, 4)), rng.uniform(1, 2, 4), rng.uniform(1, 2, 4)
    over = g * (x - x.mean()) / x.std() + b
    wrong = {"shift-forgotten": lambda v: np.all(v == 0), "normalised-over-features": close_to(over, 0.01)}
    wrong |= {"not-normalised": close_to(g * x + b, 0.01)}
    q.satisfies("another one", lone, close_to(b[None]), wrong, 0.5)
### END HIDDEN TESTS
q.score()

# %% [markdown]
# ## What it gains
#
# Now a real network: seven convolutions, global average pooling and a dense layer, plain gradient descent in batches of 64.
# It reads the digits; with `SCALE = "full"` a subset of CIFAR-10, 10,000 training images, 2,000 for validation and 1,000
# of the official test images. Plain or with batch norm, every pair begins with the same weights and sees the same batches.
# So that two processor cores do it in minutes, even the full race is 300 steps, not two passes: it compares, it sets no record.
#
# The activation is a *leaky* ReLU, with slope 0.1 below zero. An ordinary ReLU that a long step pushes below zero for
# every image is dead and stops learning; a leaky one cannot die, and so a run that fails here fails for its
# steps alone.

# %% tags=["explore"]
images, FILTERS, TARGET = data.digits(16), (8, 8, 16, 16, 32, 32, 32), 20
SWEPT, RACED, EVERY, SEEDS = 30, 90, 5, 5  # steps in the sweep and in the race; how often the race is timed
if SCALE == "full":
    images, FILTERS, TARGET = data.load("cifar10_subset"), (16, 16, 32, 32, 64, 64, 64), 70
    SWEPT, RACED, EVERY = 60, 300, 20
centre, spread = images.X_train.mean(), images.X_train.std()
X_train, X_val, X_test = ((X - centre) / spread for X in (images.X_train, images.X_val, images.X_test))
X_all, y_all = tf.constant(X_train), tf.constant(images.y_train)
print(images)


# %% tags=["explore"]
class Shaken(layers.Layer):
    """In training shifts and stretches each channel at random, anew in each step; you will need it at the end."""

    def call(self, a, training=False):
        noise = tf.random.normal((2, a.shape[-1]), [[1.0], [0.0]], 0.25)
        return a * noise[0] + noise[1] if training else a


def deep_net(*extra):
    """The network; `extra` are kinds of layers that come between each convolution and its activation."""
    net = keras.Sequential([keras.Input(X_train.shape[1:])])
    for filters, stride in zip(FILTERS, (2, 1, 2, 1, 2, 1, 1), strict=True):
        net.add(layers.Conv2D(filters, 3, stride, "same", use_bias=not extra))
        for kind in extra:
            net.add(layers.BatchNormalization(momentum=0.9) if kind is layers.BatchNormalization else kind())
        net.add(layers.LeakyReLU(0.1))
    net.add(layers.GlobalAveragePooling2D())
    net.add(layers.Dense(10))
    return net


# %% tags=["explore"]
def trainer(net):
    """A function that makes one step for each row of batches and gives their losses."""
    net.rate = tf.Variable(0.1)
    net.untrained = net.get_weights()

    def step(batch):
        with tf.GradientTape() as tape:
            logits = net(tf.gather(X_all, batch), training=True)
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(tf.gather(y_all, batch), logits))
        for w, slope in zip(net.trainable_variables, tape.gradient(loss, net.trainable_variables), strict=True):
            w.assign_sub(net.rate * slope)
        return loss

    @tf.function(input_signature=[tf.TensorSpec((None, 64), tf.int64)], autograph=False)
    def run(batches):
        return tf.map_fn(step, batches, parallel_iterations=1, fn_output_signature=tf.float32)

    return run


# %% tags=["explore"]
def restart(net, seed, rate):
    """Draw the kernels anew, He's way, and give the batches of this seed, one after the other."""
    rng = np.random.default_rng([SEED, seed])
    draw = lambda w: rng.normal(0, np.sqrt(2 / np.prod(w.shape[:-1])), w.shape)
    net.set_weights([draw(w) if w.ndim > 1 else w for w in net.untrained])
    net.rate.assign(rate)
    passes = -(-64 * RACED // len(X_train)) + 1
    order = np.concatenate([rng.permutation(len(X_train)) for _ in range(passes)])
    return order[: 64 * RACED].reshape(RACED, 64)


@cache
def reader(net, training):
    """A function that gives the classes which the network reads in a batch."""
    read = lambda X: tf.argmax(net(X, training=training), axis=1)
    return tf.function(read, autograph=False, reduce_retracing=True)


def error_of(net, X, y, size=500, training=False):
    """The test or validation error in %, asked in batches of this size; in use, if not told otherwise."""
    parts = [X[first : first + size] for first in range(0, len(X), size)]
    return metrics.error_rate(y, np.concatenate([reader(net, training)(tf.constant(part)) for part in parts]))


# %% [markdown]
# ### Learning rates that diverge without, and train with
#
# Six learning rates, five seeds for each, a few steps. Every point is the mean loss of a run's last ten steps; a run whose loss
# is no number any more, or larger than 10, has **diverged**, and stands as a cross at the upper edge.

# %% tags=["explore"]
nets = {"without": deep_net(), "with": deep_net(layers.BatchNormalization)}
runs = {name: trainer(net) for name, net in nets.items()}
rates = (0.02, 0.06, 0.2, 0.6, 2.0, 6.0)
course = {  # every loss: of a rate, a seed and a step
    name: np.array([[runs[name](restart(net, seed, rate)[:SWEPT]) for seed in range(SEEDS)] for rate in rates])
    for name, net in nets.items()
}
swept = {name: losses[..., -10:].mean(axis=-1) for name, losses in course.items()}
lost = {name: ~(losses < 10) for name, losses in swept.items()}

# %% tags=["explore"]
medians = {name: np.where(lost[name].any(axis=1), np.nan, np.median(losses, axis=1)) for name, losses in swept.items()}
fig = plots.draw_curves(
    medians, rates, xlabel="learning rate", ylabel="training loss (nats)", xscale="log", title="Where the plain network diverges, the other one learns"
)
for name, colour, side in zip(swept, plots.COLOURS, (0.93, 1.07), strict=False):
    at = np.repeat(np.array(rates)[:, None], SEEDS, axis=1)
    fig.axes[0].plot(at[~lost[name]], swept[name][~lost[name]], ".", color=colour, alpha=0.5)
    fig.axes[0].plot(side * at[lost[name]], np.full(lost[name].sum(), 3.0), "x", color=colour)
fig.axes[0].set_ylim(0, 3.1)
plots.show(
    fig,
    alt="The training loss over the learning rate, points for five seeds and a curve through their medians. Without batch norm "
    "the curve has a valley and then, from 0.6 or 2 on, crosses at the upper edge; with it, it lies lower and goes on to the right.",
)

# %% tags=["explore"]
shown_rate = rates.index(2.0)
for name in nets:
    print(f"learning rate 2, {name:7}", np.round(swept[name][shown_rate], 2), f"{lost[name][shown_rate].sum()} of 5 diverged")
print("its highest loss with batch norm", np.round(course["with"][shown_rate].max(axis=1), 1))
assert lost["without"][shown_rate].all()
assert np.all(swept["with"][shown_rate] < 2.2)  # guessing has a loss of ln 10, that is 2.3
metrics.record("diverged_without", lost["without"][shown_rate].sum(), "of 5 runs")
metrics.record("diverged_with", lost["with"][shown_rate].sum(), "of 5 runs")
best = {name: rates[int(np.nanargmin(np.where(lost[name].any(axis=1), np.nan, losses.mean(axis=1))))] for name, losses in swept.items()}
for name, rate in best.items():
    metrics.record(f"best_rate_{name}", rate)

# %% [markdown]
# **Think.** With rate 2 and batch norm the loss begins by rising, too. Why does it come back? (You have seen it in question 7.)

# %% [markdown] tags=["think-answer"]
# A step that is too long makes the weights long, and the gradient of a normalised layer is the smaller the longer its weights
# are. After a few steps the weights have grown until the steps suit them. Without batch norm long weights make *larger*
# gradients, which make longer weights.

# %% [markdown]
# ### Steps to a given error
#
# Now each at its own best rate of that sweep, three seeds. The paper counts steps until Inception's 72.2 % of top-1 accuracy on
# ImageNet (its figure 3): 31.0 million without, 13.3 million with batch norm and nothing else changed, 2.1 million with five
# times the learning rate and a recipe made for it: no dropout, less weight decay, a faster schedule and more (section 4.2.1).
# That is the "14 times" of the abstract. Inception itself did not survive the fivefold rate: its parameters reached infinity.

# %% tags=["explore"]
nets["shaken"] = deep_net(layers.BatchNormalization, Shaken)
runs["shaken"] = trainer(nets["shaken"])
best["shaken"] = best["with"]
tf.random.set_seed(SEED)


def race(name):
    """The validation errors of three runs, every few steps, shape (3, times)."""
    errors = []
    for seed in range(3):
        batches, errors_now = restart(nets[name], seed, best[name]), []
        for first in range(0, RACED, EVERY):
            runs[name](batches[first : first + EVERY])
            errors_now.append(error_of(nets[name], X_val, images.y_val))
        errors.append(errors_now)
    return np.array(errors)


# %% tags=["explore"]
raced = {"without": race("without"), "shaken": race("shaken"), "with": race("with")}
steps = np.arange(EVERY, RACED + 1, EVERY)
fig = plots.draw_curves(
    {name: raced[name].mean(axis=0) for name in ("without", "with")},
    steps,
    xlabel="steps",
    ylabel="validation error (%)",
    title="The same error in fewer steps",
)
fig.axes[0].axhline(TARGET, color=plots.GREY, linewidth=1, linestyle=":")
for name, colour in zip(("without", "with"), plots.COLOURS, strict=False):
    fig.axes[0].fill_between(steps, raced[name].min(0), raced[name].max(0), color=colour, alpha=0.2, linewidth=0)
plots.show(
    fig,
    alt="Two falling curves of the validation error with bands for three seeds, over the steps, and a dotted line at the target. "
    "The one with batch norm reaches it in about half the steps of the other, or fewer.",
)

# %% tags=["explore"]
def steps_to_target(errors):
    """The first number of steps at which the mean error of the seeds is at the target."""
    return int(steps[np.flatnonzero(errors.mean(axis=0) <= TARGET)[0]])


for name in ("without", "with"):
    metrics.record(f"steps_{name}", steps_to_target(raced[name]), "steps")
fewer = steps_to_target(raced["without"]) / steps_to_target(raced["with"])
metrics.record("times_fewer_steps", fewer, "times", 14, "Ioffe and Szegedy 2015, abstract: Inception on ImageNet, with a new recipe")
metrics.record("test_error", error_of(nets["with"], X_test, images.y_test), "%")

# %% [markdown]
# ### The mistakes, measured
#
# The last network with batch norm, and the test images asked in six ways. Which of the mistakes would you have noticed?

# %% tags=["explore"]
net, y_test = nets["with"], images.y_test
trained_weights = net.get_weights()
norms = [layer for layer in net.layers if isinstance(layer, layers.BatchNormalization)]


# %% tags=["explore"]
mixed, by_class = np.random.default_rng(SEED).permutation(len(y_test)), np.argsort(y_test, kind="stable")
asked = {"moving averages": error_of(net, X_test, y_test)}
for name, order, size in (("mixed batches of 64", mixed, 64), ("sorted by class", by_class, 64), ("one at a time", mixed, 1)):
    asked[f"training=True, {name}"] = error_of(net, X_test[order], y_test[order], size, training=True)
for norm in norms:
    norm.set_weights([*norm.get_weights()[:2], np.zeros(norm.gamma.shape), np.ones(norm.gamma.shape)])
asked["moving averages never updated"] = error_of(net, X_test, y_test)
for norm in norms:
    norm.momentum = 0.0
net(X_train, training=True)  # with momentum 0 the moving averages are those of this one batch, which is everything
asked["the whole training set's"] = error_of(net, X_test, y_test)
net.set_weights(trained_weights)

# %% tags=["explore"]
ordered = sorted(asked, key=asked.get)
plots.bars(
    {name: asked[name] for name in ordered},
    xlabel="test error (%)",
    title="One network, asked in six ways",
    alt="Six bars of the test error. The moving averages, the whole training set's statistics and mixed test batches are close "
    "together; one image at a time, batches of a single class and moving averages that were never updated are far worse.",
)
for name, value in zip(("moving", "mixed", "sorted", "alone", "not_updated", "whole_set"), asked.values(), strict=True):
    metrics.record(f"test_error_{name}", value, "%")
assert asked[ordered[2]] + 10 < asked[ordered[3]]
assert set(ordered[:3]) == {"moving averages", "training=True, mixed batches of 64", "the whole training set's"}

# %% [markdown] tags=["think-answer"]
# The mixed batches one would not notice: the error is about the same. That is what makes the mistake dangerous; the day when
# somebody sorts the images, or asks about a single one, the network fails.

# %% [markdown]
# **Look.** Your `fold`, on that network: seven batch norms go, and the logits?

# %% tags=["explore"]
with check.waits_for("fold"):
    folded_net = deep_net()
    pairs = [layer for layer in net.layers if layer.weights]
    for target, first in zip((layer for layer in folded_net.layers if layer.weights), pairs[::2], strict=True):
        if first is pairs[-1]:
            target.set_weights(first.get_weights())
        else:
            W, norm = first.get_weights()[0].astype(float), pairs[pairs.index(first) + 1]
            target.set_weights(fold(W, np.zeros(W.shape[-1]), *norm.get_weights(), norm.epsilon))
    logits = [np.asarray(network(X_test, training=False)) for network in (net, folded_net)]
    print(f"{net.count_params():,} parameters become {folded_net.count_params():,}")
    metrics.record("fold_largest_difference", np.abs(logits[0] - logits[1]).max(), "nats")
    assert np.abs(logits[0] - logits[1]).max() < 1e-3
    assert np.array_equal(*(part.argmax(axis=1) for part in logits))

# %% [markdown]
# ### Does dropout still help?
#
# "Reduces effectiveness/need for dropout", a lecture says. The paper's authors took dropout out of their Inception: that sped up
# training, they write, and did not increase overfitting (section 4.2.1). Twelve networks of two hidden layers of 128 units on
# few images, side by side as in lab 03: with or without batch norm, with or without dropout at rate ½, each three times,
# paired. All have γ and β. In use, batch norm has the statistics of the whole (small) training set.

# %% tags=["explore"]
FEW, PASSES, UNITS, STEP, PAIRS = (1000, 40, 128, 0.1, 3) if SCALE == "full" else (300, 60, 128, 0.1, 3)
normed = np.repeat([False, False, True, True], PAIRS)[:, None, None]
keep = np.repeat([1, 0.5, 1, 0.5], PAIRS).astype("float32")[:, None, None]
flat = [X.reshape(len(X), -1) for X in (X_train, X_test)]
sizes = [(flat[0].shape[1], UNITS), (UNITS, UNITS), (UNITS, 10)]
draws = [np.random.default_rng([SEED, pair]) for pair in range(PAIRS)]
chosen = np.tile([rng.permutation(len(X_train))[:FEW] for rng in draws], (4, 1))
Ws = [tf.Variable(np.tile([rng.normal(0, np.sqrt(2 / n), (n, m)) for rng in draws], (4, 1, 1)), dtype=tf.float32) for n, m in sizes]
scales, shifts = ([tf.Variable(fill((12, 1, m))) for _, m in sizes] for fill in (tf.ones, tf.zeros))


# %% tags=["explore"]
def forward(X, keep, count):
    """The logits of all twelve; batch norm takes the statistics of the first `count` examples."""
    for W, scale, shift in zip(Ws[:-1], scales, shifts, strict=False):
        a = X @ W
        mean, variance = tf.nn.moments(a[:, :count], [1], keepdims=True)
        H = tf.nn.relu(scale * tf.where(normed, (a - mean) / tf.sqrt(variance + 1e-3), a) + shift)
        X = H * tf.cast(tf.random.uniform(tf.shape(H)) < keep, H.dtype) / keep
    return X @ Ws[-1] + shifts[-1]


@tf.function(autograph=False)
def descend(X, y):
    """A step of gradient descent for all twelve."""
    with tf.GradientTape() as tape:
        loss = tf.nn.sparse_softmax_cross_entropy_with_logits(y, forward(X, keep, X.shape[1]))
        loss = tf.reduce_sum(tf.reduce_mean(loss, axis=1))
    weights = Ws + scales[:-1] + shifts
    for w, slope in zip(weights, tape.gradient(loss, weights), strict=True):
        w.assign_sub(STEP * slope)


# %% tags=["explore"]
tf.random.set_seed(SEED)
rng = np.random.default_rng(SEED)
for _ in range(PASSES):
    for batch in np.split(rng.permutation(FEW), FEW // 50):
        descend(tf.constant(flat[0][chosen[:, batch]]), tf.constant(images.y_train[chosen[:, batch]]))
everyone = np.concatenate([flat[0][chosen], np.tile(flat[1], (12, 1, 1))], axis=1)
read = np.argmax(forward(tf.constant(everyone), 1.0, FEW)[:, FEW:], axis=-1)
few_error = 100 * np.mean(read != y_test, axis=1).reshape(2, 2, PAIRS)  # norm, dropout, pair
gains = few_error[:, 0] - few_error[:, 1]

# %% tags=["explore"]
names = [["neither", "dropout"], ["batch norm", "batch norm and dropout"]]
plots.bars(
    {names[i][j]: few_error[i, j].mean() for i in range(2) for j in range(2)},
    xlabel="test error (%), mean of three",
    title="Dropout and batch norm, alone and together",
    alt="Four bars of the test error of networks on few images: with neither, with dropout, with batch norm, and with both.",
)
for name, gain in zip(("without", "with"), gains, strict=True):
    print(f"dropout gains {gain.mean():.2f} ± {gain.std(ddof=1) / np.sqrt(PAIRS):.2f} percentage points {name} batch norm")
    metrics.record(f"dropout_gain_{name}", gain.mean(), "percentage points")

# %% [markdown]
# Look at the uncertainty before you believe a difference, and at the networks: small, dense, on few images. The paper's
# claim is about Inception.
#
# ## Why does it work? A dispute
#
# The paper's reason was internal covariate shift. In 2018 Santurkar and others [3] put it to the test: they *made* the
# inputs of each layer change from step to step, by noise **behind** the batch norm whose own mean and variance changed in every
# step. If a steady distribution were what helps, this should undo it; they found next to no difference. You trained such a
# network above, in a cruder form: the layer `Shaken`.

# %% tags=["explore"]
fig = plots.draw_curves(
    {name: raced[name].mean(axis=0) for name in ("without", "with", "shaken")},
    steps,
    xlabel="steps",
    ylabel="validation error (%)",
    title="Shaken in every step, and still ahead",
)
plots.show(
    fig,
    alt="Three falling curves of the validation error. Without batch norm it falls slowly, with batch norm fast; with batch norm and "
    "random shifts behind it in every step it lies between them.",
)
metrics.record("steps_shaken", steps_to_target(raced["shaken"]), "steps")
assert steps_to_target(raced["with"]) <= steps_to_target(raced["shaken"]) < steps_to_target(raced["without"])

# %% [markdown]
# The shaking costs something here, and takes back a part of the gain, not all of it. What is not disputed is *that* batch norm
# helps, and that larger learning rates are part of it. About the reason:
#
# * **Ioffe and Szegedy** [1]: it reduces internal covariate shift. Reading this experiment against that, mind that the shaken
#   network still has its gradients passed through the mean and the variance.
# * **Santurkar and others** [3]: it makes the loss smoother, so that a gradient holds good for a longer step. They also measured
#   the shift, in a way of their own, and found it no smaller with batch norm.
# * **Bjorck and others** [4]: without it large steps make the activations grow out of control from layer to layer; it is the larger
#   learning rate which it permits that trains faster and generalises better.
# * **Zhang and others** [5]: with careful first weights very deep residual networks train without any normalization. So it is not necessary.
#
# And its weak point is the batch: with few images in it the statistics are poor. Group normalization [6] measures each image by
# itself, and does not need company.
#
# **Think.** Which of a lecture's four results did you see here: faster training, larger learning rates, less need for dropout,
# a more accurate final model? For which would you need another experiment?

# %% [markdown] tags=["think-answer"]
# The first two, clearly, with several seeds. For dropout the answer is in the figures above, with its uncertainty, and holds for one small dense
# network. "More accurate" was not tested: both networks would have to be trained to the end, each with its own best schedule. The race
# stops long before.

# %% [markdown]
# ## To take away
#
# * A channel is measured over the batch, and in a convolution over all places as well; γ and β give back what that takes away.
# * In use the statistics are constants: moving averages, which have to be *updated*, or those of the whole training set.
# * The bias before a batch norm cancels. Behind a ReLU it does not.
# * Backwards: subtract what moves the mean and what stretches the channel. Longer weights, smaller gradients.
# * A constant batch norm is part of the convolution before it. Fold it.
# * Ask one image alone, and among others. If the answers differ, somebody forgot `training=False`.
# * That it helps is measured. Why it helps is disputed. Keep the two apart, here and elsewhere.
#
# ## References
#
# 1. S. Ioffe, C. Szegedy: *Batch normalization: accelerating deep network training by reducing internal covariate shift.*
#    ICML, PMLR 37, 448–456, 2015. arXiv:1502.03167
# 2. B. Jacob, S. Kligys, B. Chen, M. Zhu, M. Tang, A. Howard, H. Adam, D. Kalenichenko: *Quantization and training of neural
#    networks for efficient integer-arithmetic-only inference.* CVPR, 2704–2713, 2018. (Section 3.2 folds.)
# 3. S. Santurkar, D. Tsipras, A. Ilyas, A. Madry: *How does batch normalization help optimization?* NeurIPS 31, 2018.
#    arXiv:1805.11604
# 4. N. Bjorck, C. P. Gomes, B. Selman, K. Q. Weinberger: *Understanding batch normalization.* NeurIPS 31, 2018. arXiv:1806.02375
# 5. H. Zhang, Y. N. Dauphin, T. Ma: *Fixup initialization: residual learning without normalization.* ICLR, 2019.
#    arXiv:1901.09321
# 6. Y. Wu, K. He: *Group normalization.* ECCV, 2018. arXiv:1803.08494
