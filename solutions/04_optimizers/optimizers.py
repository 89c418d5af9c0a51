# %% [markdown]
# # Lab 04 · Optimizers: the way down
#
# **About 2½ hours · 10 questions · 30 points**
#
# You will be able to
#
# * write SGD, momentum, Nesterov's momentum, AdaGrad, RMSProp, AdaDelta and Adam in a line or two each, and
#   show that they are what Keras computes;
# * find a wrong sign, or a wrong letter, in a printed update rule, and settle it with the original paper;
# * tell weight decay from an L2 penalty, and say when the two part;
# * say why a narrow valley is slow, what a saddle point does, and how much noise a batch leaves in the gradient;
# * choose an optimizer and a learning rate for a network, and say what the choice rests on.
#
# **You need** NumPy arrays, gradients, and labs 01 and 02 for the network that you will train.
#
# **How it works.** An optimizer is a rule that is applied again and again. Here every rule is a function of one
# step: weights, state and gradient go in, new weights and new state come out, as new NumPy arrays in float64. The
# checks drive your function along fifty gradients and compare it with `keras.optimizers`. Cells tagged `explore`
# are yours to play with and are not run when your work is graded.

# %% tags=["parameters"]
SEED = 0
SCALE = "smoke"

# %% setup="imports"
import inspect
from itertools import count
from types import SimpleNamespace

import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from keras import layers, optimizers

from labkit import check, data, metrics, plots

# ½ wᵀHw for two weights; its gradient is Hw
LANDSCAPES = {"bowl": np.diag([1.0, 2]), "ravine": np.diag([1.0, 20]), "saddle": np.diag([1.0, -0.3])}


def some_gradients(rng, steps=50):
    """One gradient a step for four weights; no number is nearer to zero than 0.5."""
    return rng.choice([-1, 1, 1], (steps, 4)) * rng.uniform(0.5, 2, (steps, 4))


def on_copies(f, *arguments, **settings):
    """What f gives for copies of these arguments: whatever it does to them, the next check does not notice."""
    return check.after(f, *arguments, **settings)[0]


def follow(step, w, gradients, *state):
    """The weights after each step: `step(w, *state, gradient)` gives the new w and the new state.

    A gradient is an array, or a function that gives it at w.
    """
    path = []
    for gradient in gradients:
        gradient = gradient(w) if callable(gradient) else np.copy(gradient)
        result = step(np.copy(w), *map(np.copy, state), gradient)
        if result is None:
            return None
        w, *new = map(np.asarray, result if state else [result])
        if len(new) != len(state):
            raise ValueError(f"Expected {1 + len(state)} arrays in a tuple. Received {1 + len(new)}.")
        path.append(w)
        state = new
    return np.array(path)


def by_keras(optimizer, w, gradients):
    """The weights after each step of a Keras optimizer, computed in float64; gradients as for `follow`."""
    w = keras.Variable(w, dtype="float64")
    optimizer.build([w])
    step = tf.function(lambda gradient: optimizer.apply([gradient], [w]), autograph=False)
    path = []
    for gradient in gradients:
        step(tf.constant(gradient(w.numpy()) if callable(gradient) else gradient))
        path.append(w.numpy())
    return np.array(path)


def paths(rules, gradients, *state):
    """For `wrong`: a function that gives the path from `BEGIN` by each of these rules."""
    return lambda: {name: follow(rule, BEGIN, gradients, *state) for name, rule in rules.items()}


def to_twelve_digits(path, mistakes):
    """For `q.satisfies`: equal to this path up to 1e-12, or what single precision or one of the mistakes() would give."""
    near = lambda p, q, tolerance: np.shape(p) == q.shape and np.abs(p - q).max() <= tolerance

    def wrong():
        judged = {name: lambda p, other=other: near(p, other, 1e-5) for name, other in mistakes().items()}
        return judged | {"single-precision": lambda p: near(p, path, 1e-3)}

    return {"condition": lambda p: near(p, path, 1e-12), "wrong": wrong}


FIFTY = some_gradients(np.random.default_rng(4))
BEGIN = np.array([1.0, -2, 3, 0.5])
ZEROS = np.zeros(4)

# %% [markdown]
# ## Where it comes from
#
# Going downhill along the gradient is Cauchy's, 1847 [1]. That it still arrives when every gradient is noisy, if
# only the steps become smaller, Robbins and Monro proved in 1951 [2]: that is the S in SGD. Polyak gave the walker
# mass in 1964 [3], Nesterov taught it to look ahead in 1983 [4]. Both were written for exact gradients; that they
# are what deep networks need, too, if they are tuned with care, Sutskever and others showed in 2013 [5]. A second
# family gives every weight a learning rate of its own: AdaGrad (2011) [6], RMSProp [7] and AdaDelta [8] (both
# 2012), Adam (2015) [9].
#
# (All of them in one notation, on a few pages: Ruder [10].)
#
# The lectures that this lab grew from print most of these rules, and print some of them wrongly: a sign, a letter, a
# word. You will find out which, because a rule can be *asked*: what does it do when the gradient is constant?

# %% [markdown]
# ## 1 · One step downhill
#
# $$w \leftarrow w - \alpha \, \nabla L(w)$$
#
# $\alpha$ is the learning rate, and $\nabla L$ is averaged over a batch of the training set. (One lecture writes
# $\Delta W$ for the gradient. Elsewhere that is the *change* of $W$; here the gradient is `grad`.)


# %% answer="sgd"
def sgd_step(w, grad, learning_rate):
    """One step of stochastic gradient descent. NumPy only.

    Args:
        w: weights, a float64 array of any shape. It belongs to the caller: leave it as it is.
        grad: the gradient at w, an array of the same shape.
        learning_rate: a float.

    Returns:
        The new weights, a new array; for instance `sgd_step(np.array([1.0]), np.array([2.0]), 0.25)` is `[0.5]`.
    """
    ### BEGIN SOLUTION
    return w - learning_rate * grad
    ### END SOLUTION


# %% test="sgd" points=2
q = check.question(
    "sgd",
    points=2,
    why="Whatever else an optimizer does, it ends in a line like this one.",
    misconceptions={
        "uphill": "The gradient points uphill.",
        "rate-forgotten": "The learning rate says how long the step is.",
        "step-only": "That is the step. The new weights are asked for.",
        "changed-in-place": "Your function has changed the caller's array: `w -= …` does that. Make a new one.",
        "length-one": "The step is as long as the gradient is: nothing is divided by its length.",
        "sign-only": "The size of the gradient counts, not only its sign.",
        "rate-divides": "Multiply by the learning rate: a small one makes a small step.",
        "averaged-over-weights": "Each weight has a gradient of its own. It is the batch that was averaged over, long before.",
    },
)


def old_and_new(w, grad, learning_rate):
    """What `sgd_step` returns, above what became of the array that it was given."""
    result, arguments = check.after(sgd_step, w, grad, learning_rate)
    return None if result is None else np.stack([result, arguments[0]])


w, grad = np.array([1.0, 2]), np.array([3.0, -4])
wrong = {"uphill": [2.5, 0], "rate-forgotten": [-2, 6], "step-only": [-1.5, 2], "rate-divides": [-5, 10]}
wrong |= {"length-one": [0.7, 2.4], "sign-only": [0.5, 2.5], "averaged-over-weights": [1.25, 2.25]}
q.forbids("tensorflow", "keras", "torch", "jax", answer=lambda: sgd_step)
q.close("one step", lambda: on_copies(sgd_step, w, grad, 0.5), [-0.5, 4], wrong=wrong)
wrong = {"changed-in-place": [[-0.5, 4], [-0.5, 4]]}
q.close("new weights, and the old ones as they were", lambda: old_and_new(w, grad, 0.5), [[-0.5, 4], [1, 2]], wrong=wrong)
expected = by_keras(optimizers.SGD(0.125), BEGIN, FIFTY)
answer = lambda: follow(lambda w, g: sgd_step(w, g, 0.125), BEGIN, FIFTY)
q.close("50 steps are those of keras.optimizers.SGD, to 1e-5", answer, expected, 1e-5, 1e-5)
### BEGIN HIDDEN TESTS
with q.hidden():
    rng = check.rng()
    w, grad, rate = rng.normal(size=(3, 2)), rng.choice([-1, 1], (3, 2)) * rng.uniform(1.5, 4, (3, 2)), 0.3 * rng.uniform(1, 2)
    wrong = {"uphill": w + rate * grad, "rate-forgotten": w - grad, "step-only": -rate * grad}
    wrong |= {"length-one": w - rate * grad / np.linalg.norm(grad), "sign-only": w - rate * np.sign(grad)}
    wrong |= {"rate-divides": w - grad / rate}
    q.close("a matrix of weights", lambda: on_copies(sgd_step, w, grad, rate), w - rate * grad, 1e-5, 1e-5, wrong)
    wrong = {"changed-in-place": [w - rate * grad] * 2}
    q.close("unchanged", lambda: old_and_new(w, grad, rate), [w - rate * grad, w], 1e-5, 1e-5, wrong)
### END HIDDEN TESTS
q.score()

# %% [markdown]
# **Look.** Three learning rates on the parabola $\frac12 w^2$, from $w = 1$. Each step multiplies $w$ by
# $1 - \alpha$. From which $\alpha$ on does it never arrive?

# %% tags=["explore"]
with check.waits_for("sgd"):
    walks = {}
    for rate in (0.1, 1.8, 2.05):
        w, walks[f"α = {rate}"] = np.array([1.0]), []
        for _ in range(20):
            walks[f"α = {rate}"].append(float(w[0]))
            w = np.asarray(sgd_step(w, w.copy(), rate))
    plots.curves(
        walks,
        range(20),
        xlabel="step",
        ylabel="w",
        title="Creeping, swinging, running away",
        alt="Three curves over twenty steps. With α = 0.1 w sinks slowly towards zero; with 1.8 it swings around "
        "zero and settles; with 2.05 it swings wider and wider.",
    )

# %% [markdown]
# ## 2 · Momentum
#
# A ball that rolls does not forget where it came from. The **velocity** $v$ is what is *added* to the weights in a
# step: the last velocity times the **momentum** $\rho$, usually 0.9, and then the push of the slope.
#
# > **Find it, settle it with the original.** One lecture prints
# > $v_t := \eta\, v_{t-1} - \alpha\, \Delta W$, then $W := W - v_t$, with $\eta$ for the momentum. Begin with
# > $v = 0$ on a slope: which way does the weight go? The rule is Polyak's [3]; in this notation it stands in
# > Sutskever and others [5], equations 1 and 2, which is free to read.
#
# You will meet it in two forms. In the first the learning rate is **inside** the velocity, as in the sources above
# and in Keras. In the second the memory $u$ is a sum of bare gradients, $u_{t+1} = \rho\, u_t + \nabla L(w_t)$, and
# the learning rate stands **outside**, $w_{t+1} = w_t - \alpha\, u_{t+1}$, as in TensorFlow 1 and PyTorch.
#
# > **Find it.** "They are equivalent, they give the same sequence of $x$", another lecture says. While $\alpha$
# > stays the same, they do. What if it changes between two steps?


# %% answer="momentum"
def momentum_step(w, v, grad, learning_rate, momentum=0.9):
    """One step with momentum, the learning rate inside the velocity. NumPy only.

    Args:
        w: weights, a float64 array.
        v: the velocity before the step, likewise: what was added to the weights last time.
        grad: the gradient at w, likewise.
        learning_rate, momentum: floats.

    Returns:
        A tuple: the new weights and the new velocity, float64 arrays.
    """
    ### BEGIN SOLUTION
    v = momentum * v - learning_rate * grad
    return w + v, v
    ### END SOLUTION


def momentum_step_outside(w, u, grad, learning_rate, momentum=0.9):
    """One step with momentum, the learning rate outside. NumPy only.

    Args:
        w, grad, learning_rate, momentum: as for `momentum_step`.
        u: the decaying sum of the gradients before this one, a float64 array.

    Returns:
        A tuple: the new weights and the new u, float64 arrays.
    """
    ### BEGIN SOLUTION
    u = momentum * u + grad
    return w - learning_rate * u, u
    ### END SOLUTION


def carry_over(u, learning_rate, new_learning_rate):
    """What u must become between two steps when the learning rate changes. NumPy only.

    Args:
        u: the sum that `momentum_step_outside` returned last, with the old learning rate.
        learning_rate, new_learning_rate: the old and the new one, floats above zero.

    Returns:
        A float64 array: the u with which `momentum_step_outside` goes on, at the new learning rate, through the
        same points as `momentum_step` does.
    """
    ### BEGIN SOLUTION
    return u * learning_rate / new_learning_rate
    ### END SOLUTION


# %% test="momentum" points=4
q = check.question(
    "momentum",
    points=4,
    why="A constant gradient ends in steps of α/(1 − ρ): with ρ = 0.9 ten times as long as without momentum.",
    misconceptions={
        "uphill": "That goes uphill: begin with a velocity of zero and take one step.",
        "gradient-added": "The push of the slope goes against the gradient.",
        "velocity-reversed": "The points are right, but v is to be what is ADDED to the weights.",
        "old-velocity": "The weights move by the NEW velocity.",
        "velocity-forgotten": "The old velocity has gone missing: what does the momentum multiply?",
        "rate-twice": "The learning rate acts once: here it stands outside, and u sums bare gradients.",
        "velocity-negated": "This step is right, but v is to be what was ADDED: the next step would go astray.",
        "momentum-written-in": "The momentum is an argument: 0.9 is only what it is when nobody says.",
        "averaged": "That is a running mean, with a 1 − ρ before the gradient. Momentum sums.",
        "forms-swapped": "That is the other form. Here u knows nothing of the learning rate.",
        "left-as-it-is": "Then the remembered steps shrink with the new rate. In the other form they do not.",
        "ratio-inverted": "The remembered step, α·u, is to stay as long. If α becomes smaller, what must u do?",
        "always-ten": "The rate need not fall to a tenth: the old and the new one are arguments.",
        "turned-into-velocity": "That is the velocity of the other form. What is asked for is a u.",
        "single-precision": "Right to seven digits, but float64 has sixteen: where did the others get lost?",
    },
)
w, m, grad = np.array([1.0, 2]), np.array([0.5, -1]), np.array([2.0, -4])
wrong = {"uphill": [[1.1, 1.8], [-0.1, 0.2]], "gradient-added": [[1.7, 0.6], [0.7, -1.4]]}
wrong |= {"velocity-reversed": [[0.3, 3.4], [0.7, -1.4]], "old-velocity": [[1.5, 1], [-0.1, 0.2]]}
wrong |= {"velocity-forgotten": [[0.6, 2.8], [-0.4, 0.8]], "velocity-negated": [[0.9, 2.2], [0.1, -0.2]]}
wrong |= {"averaged": [[1.14, 1.72], [0.14, -0.28]], "momentum-written-in": [[1.05, 1.9], [0.05, -0.1]]}
q.forbids("tensorflow", "keras", "torch", "jax", answer=lambda: momentum_step)
answer = lambda: on_copies(momentum_step, w, m, grad, 0.2, 0.6)
q.close("one step, inside, ρ = 0.6", answer, [[0.9, 2.2], [-0.1, 0.2]], wrong=wrong)
wrong = {"rate-twice": [[0.86, 2.28], [0.7, -1.4]], "averaged": [[0.78, 2.44], [1.1, -2.2]]}
wrong |= {"uphill": [[1.46, 1.08], [2.3, -4.6]], "forms-swapped": [[0.9, 2.2], [-0.1, 0.2]]}
wrong |= {"old-velocity": [[0.9, 2.2], [2.3, -4.6]], "velocity-forgotten": [[0.6, 2.8], [2, -4]]}
wrong |= {"momentum-written-in": [[0.51, 2.98], [2.45, -4.9]]}
answer = lambda: on_copies(momentum_step_outside, w, m, grad, 0.2, 0.6)
q.close("one step, outside, ρ = 0.6", answer, [[0.54, 2.92], [2.3, -4.6]], wrong=wrong)
answer = lambda: follow(lambda w, v, g: momentum_step(w, v, g, 0.125), BEGIN, FIFTY, ZEROS)
expected = by_keras(optimizers.SGD(0.125, momentum=0.9), BEGIN, FIFTY)
q.close("50 steps are those of Keras's SGD with momentum, to 1e-5", answer, expected, 1e-5, 1e-5)
wrong = {"left-as-it-is": [3, -6], "ratio-inverted": [2, -4], "turned-into-velocity": [-0.9, 1.8], "always-ten": [30, -60]}
q.close("the rate falls from 0.3 to 0.2", lambda: carry_over(np.array([3.0, -6]), 0.3, 0.2), [4.5, -9], wrong=wrong)
### BEGIN HIDDEN TESTS


def inside(w, v, g):
    """The form with the learning rate inside."""
    return w + rho * v - rate * g, rho * v - rate * g


def outside(w, u, g):
    """The form with the learning rate outside."""
    return w - rate * (rho * u + g), rho * u + g


with q.hidden():
    rng = check.rng()
    gradients, rho, rate = some_gradients(rng), 0.8 + 0.1 * rng.random(), 0.05 + 0.05 * rng.random()
    mistakes = {
        "uphill": lambda w, v, g: (w - (rho * v - rate * g), rho * v - rate * g),
        "old-velocity": lambda w, v, g: (w + v, rho * v - rate * g),
        "velocity-forgotten": lambda w, v, g: (w - rate * g, -rate * g),
    }
    right = follow(outside, BEGIN, gradients, ZEROS)  # the points of either form
    answer = lambda: follow(lambda w, v, g: momentum_step(w, v, g, rate, momentum=rho), BEGIN, gradients, ZEROS)
    q.satisfies("inside, against outside to 1e-12", answer, **to_twelve_digits(right, paths(mistakes, gradients, ZEROS)))
    mistakes = {
        "uphill": lambda w, u, g: (w + rate * (rho * u + g), rho * u + g),
        "rate-twice": lambda w, u, g: (w - rate * (rho * u + rate * g), rho * u + rate * g),
        "averaged": lambda w, u, g: (w - rate * (rho * u + (1 - rho) * g), rho * u + (1 - rho) * g),
        "old-velocity": lambda w, u, g: (w - rate * u, rho * u + g),
        "velocity-forgotten": lambda w, u, g: (w - rate * g, g),
    }
    answer = lambda: follow(lambda w, u, g: momentum_step_outside(w, u, g, rate, rho), BEGIN, gradients, ZEROS)
    right = follow(inside, BEGIN, gradients, ZEROS)
    q.satisfies("outside, against inside to 1e-12", answer, **to_twelve_digits(right, paths(mistakes, gradients, ZEROS)))
    u, new = rng.normal(size=4), rate * rng.uniform(0.1, 0.6)
    wrong = {"left-as-it-is": u, "ratio-inverted": u * new / rate, "turned-into-velocity": -rate * u}
    q.close("another change", lambda: carry_over(u, rate, new), u * rate / new, 1e-5, 1e-5, wrong)
    q.close("upwards", lambda: carry_over(u, new, rate), u * new / rate, 1e-5, 1e-5, {"ratio-inverted": u * rate / new})
### END HIDDEN TESTS
q.score()

# %% [markdown] tags=["think-answer"]
# **The lecture and the papers.** With $v = 0$ the lecture's first step is $W := W + \alpha\, \Delta W$: uphill. One
# sign repairs it: $W := W + v_t$ (Sutskever's equations), or $v_t := \eta\, v_{t-1} + \alpha\, \Delta W$ with $v$
# subtracted (so in Ruder's much-read overview [10]). In Polyak's paper there is no $v$ at all, but the last step,
# $w_t - w_{t-1}$, which is the velocity of the first form. And the mean: a constant gradient $g$ brings $u$ to
# $g/(1-\rho)$, ten times $g$ at $\rho = 0.9$, so it is a sum that forgets, not a mean.

# %% tags=["explore"]
u = 0.0
for _ in range(200):  # is it a "running mean of gradients", as a lecture says?
    u = 0.9 * u + 1
print(f"After 200 gradients of 1 u is {u:.2f}.")
assert abs(u - 10) < 1e-6

# %% [markdown]
# **Look.** Your momentum in a ravine: steep across, nearly flat along it. What does it gain along the ravine, and
# what does it pay across?


# %% tags=["explore"]
def draw_landscape(ax, H, levels=8):
    """The height ½ wᵀHw as grey: the fainter, the lower."""
    x, y = np.meshgrid(np.linspace(-4.6, 2.6, 120), np.linspace(-2.2, 2.2, 80))
    height = (H[0, 0] * x**2 + 2 * H[0, 1] * x * y + H[1, 1] * y**2) / 2
    steps = height.min() + np.ptp(height) * np.linspace(0, 1, levels + 1) ** 2
    greys = [(*plt.matplotlib.colors.to_rgb(plots.GREY), a) for a in np.linspace(0.03, 0.55, levels)]
    ax.contourf(x, y, height, steps, colors=greys)
    ax.set(aspect="equal", xlim=(-4.6, 2.6), ylim=(-2.2, 2.2), xticks=[], yticks=[])
    ax.spines[:].set_visible(False)


# %% tags=["explore"]
with check.waits_for("sgd"), check.waits_for("momentum"):
    H, first = LANDSCAPES["ravine"], np.array([-4.0, 1.6])
    still = follow(lambda w, g: sgd_step(w, g, 0.06), first, 40 * [lambda w: H @ w])
    rolls = follow(lambda w, v, g: momentum_step(w, v, g, 0.06, 0.7), first, 40 * [lambda w: H @ w], np.zeros(2))
    with plots.style():
        fig, axes = plt.subplots(1, 2, figsize=(6.4, 2.4), layout="compressed")
        fig.suptitle("A ravine, forty steps", x=0.01, ha="left")
    for ax, name, path, colour in zip(axes, ["without momentum", "ρ = 0.7"], [still, rolls], plots.COLOURS, strict=False):
        draw_landscape(ax, H)
        ax.plot(*np.vstack([first, path]).T, ".-", color=colour, linewidth=1.5)
        ax.set_title(name, loc="center", fontsize=10, weight="normal", color=colour)
    plots.show(
        fig,
        alt="Two pictures of a long narrow valley. Without momentum the path settles in the middle and then creeps along "
        "in ever shorter steps; with momentum it swings across much longer and is at the lowest point much sooner.",
    )

# %% [markdown]
# **Look.** Where the two forms part: on the parabola $\frac12 w^2$ the learning rate falls to a tenth after step 5.
# Which form notices at once, and which rolls on? Does your `carry_over` bring them together again? (Neither is wrong. A
# rate that is lowered in order to settle wants the brake; in the middle of a descent the brake costs the speed.)

# %% tags=["explore"]
with check.waits_for("momentum"):
    forms = {name: [np.array([10.0])] for name in ("inside", "outside", "outside, carried over")}
    memory = {name: np.zeros(1) for name in forms}
    for t in range(20):
        rate = 0.1 if t < 5 else 0.01
        for name, path in forms.items():
            if t == 5 and "carried" in name:
                memory[name] = np.asarray(carry_over(memory[name], 0.1, 0.01))
            step = momentum_step if name == "inside" else momentum_step_outside
            new, memory[name] = map(np.asarray, step(path[-1].copy(), memory[name].copy(), path[-1].copy(), rate))
            path.append(new)
    plots.curves(
        {name: np.concatenate(path) for name, path in forms.items()},
        range(21),
        xlabel="step",
        ylabel="w",
        title="Inside, the old speed remains; outside, the brake acts at once",
        alt="Three curves that fall together for five steps. Then the form with the rate outside slows down at once, the "
        "other rolls on far below it; what was carried over lies on the latter.",
    )

# %% [markdown]
# ## 3 · Looking ahead
#
# "Momentum might accidentally roll up the other side of the hill", a lecture warns. Nesterov's remedy: the old
# velocity is going to take the weights to $w + \rho v$ anyway, so ask for the slope *there*, and correct the
# velocity by it. Everything else stays as it was.
#
# > **Find it, settle it with the original.** The same lecture prints $u_t = \eta\, v_{t-1}$, then
# > $v_t = u_t - \alpha\, \Delta(W - u_t)$, then $W := W - v_t$. Sutskever's equations 3 and 4 [5] differ from it
# > in two signs. But changing one sign alone is enough, too: which?
#
# A framework hands you the gradient at the weights that it holds, not at another place. So it holds the place ahead:
# $\tilde x_t = x_t + \rho v_t$ is what is stored, evaluated and trained; $x_t$ is never seen. Write down
# $\tilde x_{t+1}$, put in $x_{t+1}$, and get rid of $x_t$: you need both velocities, the old one and the new one.
# (Bengio and others published this form in 2013 [11].)


# %% answer="nesterov"
def nesterov_step(x, v, A, learning_rate, momentum=0.9):
    """One step of Nesterov's momentum by looking ahead. NumPy only.

    Args:
        x: weights, a float64 array of shape (n,).
        v: the velocity before the step, likewise.
        A: a symmetric float64 array of shape (n, n): the loss is ½ wᵀAw, so that its gradient at any w is `A @ w`.
        learning_rate, momentum: floats.

    Returns:
        A tuple: the new weights and the new velocity, which is what was added.
    """
    ### BEGIN SOLUTION
    v = momentum * v - learning_rate * A @ (x + momentum * v)
    return x + v, v
    ### END SOLUTION


def nesterov_tilde_step(x_tilde, v, grad, learning_rate, momentum=0.9):
    """The same step for x̃ = x + momentum · v, which is where the gradient is taken. NumPy only.

    Args:
        x_tilde: the place ahead before the step, a float64 array.
        v: the velocity before the step, likewise.
        grad: the gradient at x_tilde, likewise.
        learning_rate, momentum: floats.

    Returns:
        A tuple: the new x_tilde and the new velocity v, the same velocity as in `nesterov_step`.
    """
    ### BEGIN SOLUTION
    old_v = v
    v = momentum * old_v - learning_rate * grad
    return x_tilde - momentum * old_v + (1 + momentum) * v, v
    ### END SOLUTION


def from_tilde(x_tilde, v, momentum=0.9):
    """The weights x of `nesterov_step` that belong to x_tilde and v, a float64 array."""
    ### BEGIN SOLUTION
    return x_tilde - momentum * v
    ### END SOLUTION


# %% test="nesterov" points=3
q = check.question(
    "nesterov",
    points=3,
    why="One sign mends the print: + α, if v is what is subtracted. Keras, PyTorch and TensorFlow 1 store x̃: what you save "
    "are the weights ahead.",
    misconceptions={
        "uphill": "With both signs as printed it goes uphill: begin with a velocity of zero.",
        "looks-back": "That asks for the slope where the velocity would have come from. Where does it lead?",
        "no-look-ahead": "That is plain momentum: the gradient is to be taken ahead, not here.",
        "too-far-ahead": "The velocity will be multiplied by ρ first: look no further ahead than that.",
        "subtracted": "The right rule, but v is to be what is ADDED: that is the other way of mending the print.",
        "from-ahead": "The slope is taken ahead, but the step is made from x.",
        "diagonal-only": "The gradient is A @ w: A has more to it than its diagonal.",
        "plain-momentum": "That moves x̃ as if it were x. x̃ is ahead of x by ρv, before the step as well as after it.",
        "old-velocity-missing": "The new place is right relative to the old x, but x̃ was ahead of it already.",
        "old-velocity-added": "x̃ was ahead of x before the step: to get back to x, which way?",
        "further-ahead": "That is even further ahead. x lies behind x̃.",
        "not-mapped": "x̃ is not x: by how much is it ahead?",
        "whole-velocity": "It is ahead by ρv, not by all of v.",
        "single-precision": "Right to seven digits, but float64 has sixteen: where did the others get lost?",
    },
)
A = np.array([[2.0, 1], [1, 4]])
x, v = np.array([2.0, 1]), np.array([1.0, -1])
wrong = {"uphill": [[1.95, 2.25], [0.05, -1.25]], "looks-back": [[2.05, -0.25], [0.05, -1.25]]}
wrong |= {"no-look-ahead": [[2, -0.1], [0, -1.1]], "too-far-ahead": [[1.9, 0.2], [-0.1, -0.8]]}
wrong |= {"subtracted": [[1.05, 0.75], [0.95, 0.25]], "from-ahead": [[2.45, -0.45], [-0.05, -0.95]]}
wrong |= {"diagonal-only": [[2, 0.3], [0, -0.7]]}
q.forbids("tensorflow", "keras", "torch", "jax", answer=lambda: nesterov_step)
answer = lambda: on_copies(nesterov_step, x, v, A, 0.1, 0.5)
q.close("one step", answer, [[1.95, 0.05], [-0.05, -0.95]], wrong=wrong)
ahead, grad = np.array([2.5, 0.5]), np.array([5.5, 4.5])
wrong = {"plain-momentum": [[2.45, -0.45], [-0.05, -0.95]], "old-velocity-missing": [[2.425, -0.925], [-0.05, -0.95]]}
wrong |= {"old-velocity-added": [[2.925, -1.425], [-0.05, -0.95]]}
answer = lambda: on_copies(nesterov_tilde_step, ahead, v, grad, 0.1, 0.5)
q.close("the same step of x̃", answer, [[1.925, -0.425], [-0.05, -0.95]], wrong=wrong)
wrong = {"not-mapped": [2.5, 0.5], "further-ahead": [3, 0], "whole-velocity": [1.5, 1.5]}
q.close("and back", lambda: on_copies(from_tilde, ahead, v, 0.5), [2, 1], wrong=wrong, weight=0.5)
answer = lambda: follow(lambda w, v, g: nesterov_tilde_step(w, v, g, 0.125), BEGIN, FIFTY, ZEROS)
expected = by_keras(optimizers.SGD(0.125, momentum=0.9, nesterov=True), BEGIN, FIFTY)
q.close("50 steps of x̃ are those of Keras's SGD with nesterov=True, to 1e-5", answer, expected, 1e-5, 1e-5)
### BEGIN HIDDEN TESTS


def pairs(rule, begin):
    """Weights and velocities along the bowl, shape (50, 2, 4); the rule takes and gives (w, v)."""
    return follow(lambda pair, _: np.stack(rule(*pair)), np.stack([begin, push]), 50 * [lambda pair: 0])


def ahead_by(places, sign=1):
    """The rule that takes the gradient `places` velocities ahead of w."""

    def rule(w, v):
        new = rho * v - rate * A @ (w + places * v)
        return w + sign * new, new

    return rule


def tilde(old, new):
    """The rule x̃ + old · v + new · v′."""

    def rule(x, v):
        after = rho * v - rate * A @ x
        return x + old * v + new * after, after

    return rule


with q.hidden():
    rng = check.rng()
    Q, _ = np.linalg.qr(rng.normal(size=(4, 4)))
    A = Q @ np.diag(rng.uniform(0.3, 6, 4)) @ Q.T
    A, rho, rate = (A + A.T) / 2, 0.7 + 0.1 * rng.random(), 0.1
    x, push = rng.normal(size=4), rng.normal(size=4)

    ahead = x + rho * push
    places, speeds = pairs(tilde(-rho, 1 + rho), ahead).swapaxes(0, 1)
    seen = pairs(ahead_by(rho), x)
    slopes = 50 * [lambda x: A @ x]
    mistakes = {"looks-back": ahead_by(-rho), "uphill": ahead_by(-rho, -1)}
    mistakes |= {"no-look-ahead": ahead_by(0), "too-far-ahead": ahead_by(1)}
    wrong = lambda: {name: pairs(rule, x)[:, 0] for name, rule in mistakes.items()}
    answer = lambda: follow(lambda x, v, g: nesterov_step(x, v, A, rate, momentum=rho), x, slopes, push)
    q.satisfies("ahead, against x̃ mapped back", answer, **to_twelve_digits(places - rho * speeds, wrong))
    tildes = {"plain-momentum": tilde(0, 1), "old-velocity-missing": tilde(0, 1 + rho)}
    tildes |= {"old-velocity-added": tilde(rho, 1 + rho)}
    wrong = lambda: {name: pairs(rule, ahead)[:, 0] for name, rule in tildes.items()}
    step = lambda x, v, g: nesterov_tilde_step(x, v, g, rate, momentum=rho)
    answer = lambda: follow(step, ahead, slopes, push)
    right = seen[:, 0] + rho * seen[:, 1]
    q.satisfies("x̃, against looking ahead", answer, **to_twelve_digits(right, wrong))
    wrong = lambda: {"not-mapped": places, "further-ahead": places + rho * speeds, "whole-velocity": places - speeds}
    answer = lambda: from_tilde(places, speeds, momentum=rho)
    q.satisfies("mapped back", answer, **to_twelve_digits(seen[:, 0], wrong), weight=0.5)
### END HIDDEN TESTS
q.score()

# %% [markdown] tags=["think-answer"]
# **The lecture and the paper.** Read the lecture's $v$ as the step that is *subtracted*. Then looking at $W - u$ and
# moving to $W - v$ are both right, and only the sign before $\alpha$ is wrong: $v_t = u_t + \alpha\,\Delta(W - u_t)$.
# Sutskever's form turns the two others round instead: $\nabla f(w + \rho v)$ and $w + v$.

# %% [markdown]
# **Think.** On a parabola of curvature $\lambda$ the gradient ahead is $\lambda(w + \rho v)$. Compare it with plain
# momentum's $\lambda w$: what does the extra term do to the velocity, and in which directions of a ravine does it
# do most?

# %% [markdown] tags=["think-answer"]
# It takes $\alpha\lambda\rho v$ off the velocity: friction. It grows with the curvature, so it brakes the swinging
# across the ravine, where $\lambda$ is large, and leaves the roll along it nearly alone. The pictures below show it.

# %% [markdown]
# ## 4 · A learning rate for every weight
#
# Some weights get large gradients all the time, others a small one now and then. AdaGrad [6] keeps a tally $G$ for
# each weight by itself, of *squared* gradients (not of "updates", as a lecture has it), this one included, and
# divides by its root:
#
# $$G \leftarrow G + g^2 \qquad w \leftarrow w - \frac{\alpha}{\sqrt G + \varepsilon}\; g$$
#
# All operations are elementwise. $\varepsilon$ keeps the first division from being one by zero; it stands outside
# the root here, as $\delta$ does in the paper's Figure 1. (Keras has it inside; with $\varepsilon = 10^{-7}$
# you will not see the difference. Keras also begins with $G = 0.1$; that you will see, in the first steps.)


# %% answer="adagrad"
def adagrad_step(w, G, grad, learning_rate, epsilon=1e-7):
    """One step of AdaGrad. NumPy only.

    Args:
        w: weights, a float64 array.
        G: the tally before this step, likewise, at least 0.
        grad: the gradient at w, likewise.
        learning_rate, epsilon: floats.

    Returns:
        A tuple: the new weights and the new tally.
    """
    ### BEGIN SOLUTION
    G = G + grad**2
    return w - learning_rate * grad / (np.sqrt(G) + epsilon), G
    ### END SOLUTION


# %% test="adagrad" points=3
q = check.question(
    "adagrad",
    points=3,
    why="A rare feature keeps a large rate, a frequent one gets a small one, and nobody had to say which is which.",
    misconceptions={
        "uphill": "That goes uphill.",
        "not-squared": "The tally is one of SQUARED gradients.",
        "tally-of-steps": "The squares are those of the gradients, without the learning rate.",
        "root-missing": "Divide by the root of the tally.",
        "old-tally": "This gradient belongs to the tally before it is divided by it.",
        "tally-replaced": "The tally is kept from step to step, and only grows.",
        "averaged": "A tally adds up. A running mean is what comes in the next question.",
        "one-tally": "Each weight has a tally of its own: nothing is summed over the weights.",
        "epsilon-inside-root": "ε is added to the root, not under it.",
        "epsilon-forgotten": "Where is ε?",
        "root-kept": "The tally itself is to be kept and returned, not its root.",
        "gradient-forgotten": "The step is in the direction of the gradient, and proportional to it.",
    },
)
w, G, grad = np.ones(2), np.array([7.0, 9]), np.array([3.0, -4])
wrong = {"uphill": [[1.6, 0.36], [16, 25]], "root-missing": [[0.85, 1.128], [16, 25]]}
wrong |= {"tally-replaced": [[0.2, 1.8], [9, 16]], "not-squared": [1 - 0.8 * grad / np.sqrt([10, 13]), [10, 13]]}
wrong |= {"old-tally": [1 - 0.8 * grad / np.sqrt([7, 9]), [16, 25]], "root-kept": [[0.4, 1.64], [4, 5]]}
wrong |= {"one-tally": [1 - 0.8 * grad / np.sqrt([32, 34]), [32, 34]], "averaged": [[0.1514719, 1.9050967], [8, 12.5]]}
wrong |= {"gradient-forgotten": [[0.8, 0.84], [16, 25]], "tally-of-steps": [[0.32813, 1.72954], [12.76, 19.24]]}
q.forbids("tensorflow", "keras", "torch", "jax", answer=lambda: adagrad_step)
q.close("one step", lambda: on_copies(adagrad_step, w, G, grad, 0.8), [[0.4, 1.64], [16, 25]], wrong=wrong)
wrong = {"epsilon-inside-root": [1 - 0.8 * grad / np.sqrt([18, 27]), [16, 25]], "epsilon-forgotten": [[0.4, 1.64], [16, 25]]}
wrong |= {"not-squared": [1 - 0.8 * grad / [12, 15], [10, 13]]}
answer = lambda: on_copies(adagrad_step, w, G, grad, 0.8, epsilon=2.0)
q.close("with ε = 2", answer, [[0.6, 1.45714], [16, 25]], wrong=wrong, weight=0.5)
answer = lambda: follow(lambda w, G, g: adagrad_step(w, G, g, 0.125), BEGIN, FIFTY, ZEROS + 0.1)
expected = by_keras(optimizers.Adagrad(0.125), BEGIN, FIFTY)
q.close("50 steps from G = 0.1 are those of keras.optimizers.Adagrad, to 1e-5", answer, expected, 1e-5, 1e-5)
### BEGIN HIDDEN TESTS


def tallied(tally, step=lambda g, G, e: g / (np.sqrt(G) + e), sign=-1):
    """The rule with this tally and this step."""
    return lambda w, G, g: (w + sign * rate * step(g, tally(G, g), eps), tally(G, g))


with q.hidden():
    rng = check.rng()
    gradients, rate, eps = some_gradients(rng), 0.1 + 0.2 * rng.random(), 0.05 + 0.1 * rng.random()
    plus = lambda G, g: G + g**2
    mistakes = {
        "uphill": tallied(plus, sign=1),
        "not-squared": tallied(lambda G, g: G + abs(g)),
        "root-missing": tallied(plus, lambda g, G, e: g / (G + e)),
        "old-tally": lambda w, G, g: (w - rate * g / (np.sqrt(G) + eps), G + g**2),
        "tally-replaced": tallied(lambda G, g: g**2),
        "averaged": tallied(lambda G, g: (G + g**2) / 2),
        "one-tally": tallied(lambda G, g: G + np.sum(g**2)),
        "epsilon-inside-root": tallied(plus, lambda g, G, e: g / np.sqrt(G + e)),
        "epsilon-forgotten": tallied(plus, lambda g, G, e: g / np.sqrt(G)),
        "gradient-forgotten": tallied(plus, lambda g, G, e: 1 / (np.sqrt(G) + e)),
        "root-kept": lambda w, G, g: (w - rate * g / (np.sqrt(G + g**2) + eps), np.sqrt(G + g**2)),
    }
    wrong = paths(mistakes, gradients, ZEROS + 0.1)
    right = follow(tallied(plus), BEGIN, gradients, ZEROS + 0.1)
    step = lambda w, G, g: adagrad_step(w, G, g, rate, eps)
    answer = lambda: follow(step, BEGIN, gradients, ZEROS + 0.1)
    q.close("fifty other gradients", answer, right, 1e-5, 1e-5, wrong, weight=1.5)
### END HIDDEN TESTS
q.score()

# %% [markdown]
# > **Find it, settle it with the original.** "Downside: eventually, all weights diminish to zero", a lecture says.
# > Let the gradient be 1 for ever. What does $\alpha / \sqrt{G}$ do after $t$ steps? And where is the weight by then?
# > Zeiler [8], section 2, names as the drawback what it is.

# %% [markdown] tags=["think-answer"]
# **The lecture and the paper.** It is the *steps* that shrink: after $t$ gradients of 1 the tally is $t$ and the step
# $\alpha/\sqrt t$. The weight is not drawn anywhere: its steps add up to about $2\alpha\sqrt t$, without limit.
# Zeiler's complaint is that the learning rate shrinks throughout training and in the end is "infinitesimally small".

# %% tags=["explore"]
with check.waits_for("adagrad"):
    walk = follow(lambda w, G, g: adagrad_step(w, G, g, 0.1), np.zeros(1), 400 * [np.ones(1)], np.zeros(1))
    last, far = float(walk[-2, 0] - walk[-1, 0]), float(-walk[-1, 0])
    print(f"AdaGrad, α = 0.1, after 400 gradients of 1: the last step is {last:.4f}, the weight has moved {far:.2f}")
assert abs(0.1 / np.sqrt(400) - 0.005) < 1e-9
assert abs(0.1 * sum(t**-0.5 for t in range(1, 401)) - 2 * 0.1 * 20) < 0.2

# %% [markdown]
# ## 5 · A tally that forgets
#
# RMSProp was never published in a paper: it is on slide 29 of the sixth lecture of Hinton's course, with Tieleman,
# 2012 [7]. Instead of a sum it keeps a running **mean** of the squared gradients,
#
# $$G \leftarrow \gamma\, G + (1 - \gamma)\, g^2$$
#
# and divides as AdaGrad does. (The slide has no $\varepsilon$ at all, a lecture has it outside the root, Keras inside.
# Here: outside. The lecture calls $\gamma$ a momentum; it is not one, it is how slowly the mean forgets. Keras calls it
# `rho`, as AdaDelta's paper does; TensorFlow 1 said `decay`. The $\rho$ of the sections above is another.)
#
# AdaDelta [8], of the same year, wants the step to have the unit of a weight. A second running mean, $D$, of the
# squared *steps*, takes the place of the learning rate. With $\mathrm{RMS}(a) = \sqrt{a + \varepsilon}$, $\varepsilon$
# inside this time,
#
# $$G \leftarrow \gamma\, G + (1-\gamma)\, g^2 \qquad \Delta = -\frac{\mathrm{RMS}(D)}{\mathrm{RMS}(G)}\, g \qquad
# D \leftarrow \gamma\, D + (1-\gamma)\, \Delta^2 \qquad w \leftarrow w + \alpha\,\Delta$$
#
# in this order: the step is made with the $D$ of before. In the paper there is no $\alpha$; libraries have added one,
# and $D$ takes no notice of it.


# %% answer="rmsprop-adadelta"
def rmsprop_step(w, G, grad, learning_rate, rho=0.9, epsilon=1e-7):
    """One step of RMSProp. NumPy only.

    Args:
        w: weights, a float64 array.
        G: the running mean of squared gradients before this step, likewise.
        grad: the gradient at w, likewise.
        learning_rate, rho, epsilon: floats; rho is the γ above.

    Returns:
        A tuple: the new weights and the new G.
    """
    ### BEGIN SOLUTION
    G = rho * G + (1 - rho) * grad**2
    return w - learning_rate * grad / (np.sqrt(G) + epsilon), G
    ### END SOLUTION


def adadelta_step(w, G, D, grad, learning_rate=1.0, rho=0.95, epsilon=1e-7):
    """One step of AdaDelta. NumPy only.

    Args:
        w, G, grad, rho: as for `rmsprop_step`.
        D: the running mean of squared steps Δ before this one, an array like w.
        learning_rate: α, a float that multiplies Δ where it is added to the weights, and nowhere else.
        epsilon: a float, added under both roots.

    Returns:
        A tuple: the new weights, the new G and the new D.
    """
    ### BEGIN SOLUTION
    G = rho * G + (1 - rho) * grad**2
    delta = -np.sqrt(D + epsilon) / np.sqrt(G + epsilon) * grad
    D = rho * D + (1 - rho) * delta**2
    return w + learning_rate * delta, G, D
    ### END SOLUTION


# %% test="rmsprop-adadelta" points=4
q = check.question(
    "rmsprop-adadelta",
    points=4,
    why="What was long ago no longer counts, so the steps do not die away. AdaDelta's first steps are a few √ε.",
    misconceptions={
        "never-forgets": "That is AdaGrad's tally. A running mean weighs the old by γ and the new by 1 − γ.",
        "weights-swapped": "The old mean weighs γ, the new square 1 − γ: you have them the other way round.",
        "not-squared": "It is the mean of SQUARED gradients.",
        "root-missing": "Divide by the root of the mean.",
        "epsilon-inside-root": "In this RMSProp ε is added to the root, not under it.",
        "old-mean": "This gradient belongs to G before G is used.",
        "epsilon-outside-root": "In AdaDelta ε is under both roots. Outside, the first step would be thousands of times smaller.",
        "new-steps-mean": "The step is made with the D of before: D can only learn of it afterwards.",
        "upside-down": "The root of D is to stand above the fraction bar, that of G below.",
        "never-starts": "D begins at zero: without an ε beside it the weights would never move.",
        "rate-in-d": "D takes no notice of the learning rate.",
        "d-of-gradients": "D is the mean of squared STEPS, not of squared gradients.",
        "rate-ignored": "The learning rate multiplies the step where it is added.",
        "uphill": "That goes uphill.",
    },
)
w, G, grad = np.ones(2), np.array([5.0, 0]), np.array([1.0, -6])
wrong = {"never-forgets": [1 - 0.4 * grad / [6**0.5, 6], [6, 36]], "root-missing": [[0.9, 1 + 2.4 / 9], [4, 9]]}
wrong |= {"weights-swapped": [1 - 0.4 * grad / np.sqrt([2, 27]), [2, 27]], "uphill": [[1.2, 0.2], [4, 9]]}
q.forbids("tensorflow", "keras", "torch", "jax", answer=lambda: rmsprop_step)
answer = lambda: on_copies(rmsprop_step, w, G, grad, 0.4, 0.75)
q.close("RMSProp, one step", answer, [[0.8, 1.8], [4, 9]], wrong=wrong)
wrong = {"epsilon-inside-root": [1 - 0.4 * grad / np.sqrt([6, 11]), [4, 9]]}
wrong |= {"old-mean": [[1 - 0.4 / (5**0.5 + 2), 2.2], [4, 9]], "not-squared": [1 - 0.4 * grad / [4, 1.5**0.5 + 2], [4, 1.5]]}
answer = lambda: on_copies(rmsprop_step, w, G, grad, 0.4, 0.75, epsilon=2.0)
q.close("RMSProp, with ε = 2", answer, [[0.9, 1.48], [4, 9]], wrong=wrong, weight=0.5)
answer = lambda: follow(lambda w, G, g: rmsprop_step(w, G, g, 0.125), BEGIN, FIFTY, ZEROS)
expected = by_keras(optimizers.RMSprop(0.125), BEGIN, FIFTY)
q.close("50 steps are those of keras.optimizers.RMSprop, to 1e-5", answer, expected, 1e-5, 1e-5)
G, D, grad = np.array([1.0, 8]), np.array([15.0, 3]), np.array([3.0, -6])
wrong = {"upside-down": [[0.25, 7], [3, 15], [11.8125, 38.25]], "rate-ignored": [[-5, 4], [3, 15], [20.25, 4.5]]}
wrong |= {"rate-in-d": [[-2, 2.5], [3, 15], [13.5, 2.8125]], "uphill": [[4, -0.5], [3, 15], [20.25, 4.5]]}
wrong |= {"epsilon-outside-root": [[-1.67545, 2.68196], [3, 15], [18.40805, 5.07898]]}
wrong |= {"never-starts": [[-1.90474, 2.29904], [3, 15], [19.6875, 3.9375]]}
wrong |= {"never-forgets": [[-0.80907, 1.89443], [10, 44], [28.09091, 6.2]]}
wrong |= {"root-missing": [[-5, 1.75], [3, 15], [47.25, 2.8125]]}
wrong |= {"weights-swapped": [[-1.12132, 2.09545], [7, 29], [17.25, 4.35]]}
wrong |= {"d-of-gradients": [[-2, 2.5], [3, 15], [13.5, 11.25]]}
wrong |= {"new-steps-mean": [[-2.45733, 2.75891], [3, 15], [20.25, 4.5]]}
answer = lambda: on_copies(adadelta_step, w, G, D, grad, 0.5, 0.75, epsilon=1.0)
q.close("AdaDelta, one step with ε = 1", answer, [[-2, 2.5], [3, 15], [20.25, 4.5]], 1e-5, 1e-5, wrong)
answer = lambda: follow(lambda w, G, D, g: adadelta_step(w, G, D, g), BEGIN, FIFTY, ZEROS, ZEROS)
expected = by_keras(optimizers.Adadelta(1.0), BEGIN, FIFTY)
q.close("50 steps are those of keras.optimizers.Adadelta(1.0), to 1e-5", answer, expected, 1e-5, 1e-5)
### BEGIN HIDDEN TESTS


def rms_rule(mean, step=lambda g, G, e: g / (np.sqrt(G) + e), sign=-1):
    """RMSProp with this mean and this step."""
    return lambda w, G, g: (w + sign * rate * step(g, mean(G, g), eps), mean(G, g))


def delta_rule(mean=lambda G, g: rho * G + (1 - rho) * g**2, root=lambda a: np.sqrt(a + eps), sign=-1, **odd):
    """AdaDelta, or what a mistake makes of it."""

    def rule(w, G, D, g):
        G = mean(G, g)
        up, down = (root(G), root(D)) if odd.get("turned") else (root(D), root(G))
        delta = sign * up / down * g
        new_D = mean(D, odd.get("learned", lambda delta, g: delta)(delta, g))
        if odd.get("early"):
            delta = sign * root(new_D) / down * g
        return w + odd.get("rate", rate) * delta, G, new_D

    return rule


with q.hidden():
    rng = check.rng()
    gradients, rate, rho, eps = some_gradients(rng), 0.2 + 0.2 * rng.random(), 0.8 + 0.1 * rng.random(), 0.05
    mean, swapped = lambda G, g: rho * G + (1 - rho) * g**2, lambda G, g: (1 - rho) * G + rho * g**2
    flat = lambda G, g: rho * G + (1 - rho) * abs(g)
    mistakes = {
        "never-forgets": rms_rule(lambda G, g: G + g**2),
        "weights-swapped": rms_rule(swapped),
        "not-squared": rms_rule(flat),
        "root-missing": rms_rule(mean, lambda g, G, e: g / (G + e)),
        "epsilon-inside-root": rms_rule(mean, lambda g, G, e: g / np.sqrt(G + e)),
        "old-mean": lambda w, G, g: (w - rate * g / (np.sqrt(G) + eps), mean(G, g)),
        "uphill": rms_rule(mean, sign=1),
    }
    wrong = paths(mistakes, gradients, ZEROS + 0.1)
    right = follow(rms_rule(mean), BEGIN, gradients, ZEROS + 0.1)
    step = lambda w, G, g: rmsprop_step(w, G, g, rate, rho=rho, epsilon=eps)
    answer = lambda: follow(step, BEGIN, gradients, ZEROS + 0.1)
    q.close("RMSProp, fifty other gradients", answer, right, 1e-5, 1e-5, wrong, weight=1.5)
    mistakes = {
        "epsilon-outside-root": delta_rule(root=lambda a: np.sqrt(a) + eps),
        "never-forgets": delta_rule(lambda G, g: G + g**2),
        "weights-swapped": delta_rule(swapped),
        "not-squared": delta_rule(flat),
        "root-missing": delta_rule(root=lambda a: a + eps),
        "new-steps-mean": delta_rule(early=True),
        "upside-down": delta_rule(turned=True),
        "rate-in-d": delta_rule(learned=lambda delta, g: rate * delta),
        "d-of-gradients": delta_rule(learned=lambda delta, g: g),
        "rate-ignored": delta_rule(rate=1.0),
        "uphill": delta_rule(sign=1),
    }
    wrong = paths(mistakes, gradients, ZEROS + 0.1, ZEROS)
    right = follow(delta_rule(), BEGIN, gradients, ZEROS + 0.1, ZEROS)
    step = lambda w, G, D, g: adadelta_step(w, G, D, g, rate, rho=rho, epsilon=eps)
    answer = lambda: follow(step, BEGIN, gradients, ZEROS + 0.1, ZEROS)
    q.close("AdaDelta, fifty other gradients", answer, right, 1e-5, 1e-5, wrong, weight=1.5)
### END HIDDEN TESTS
q.score()

# %% [markdown]
# **Look.** How long the steps are while the gradient is 1. Which of the three tires, and what does AdaDelta, with no
# learning rate to tell it, make of it?

# %% tags=["explore"]
with check.waits_for("adagrad"), check.waits_for("rmsprop-adadelta"):
    one, ones = np.zeros(1), 300 * [np.ones(1)]
    walks = {
        "AdaGrad": follow(lambda w, G, g: adagrad_step(w, G, g, 0.1), one, ones, one),
        "RMSProp": follow(lambda w, G, g: rmsprop_step(w, G, g, 0.1), one, ones, one),
        "AdaDelta": follow(adadelta_step, one, ones, one, one),
    }
    plots.curves(
        {name: -np.diff(walk[:, 0], prepend=0) for name, walk in walks.items()},
        xlabel="step",
        ylabel="length of the step",
        yscale="log",
        title="AdaGrad tires, RMSProp settles, AdaDelta warms up",
        alt="Three curves over 300 steps, the length on a logarithmic scale. AdaGrad's falls steadily from 0.1; "
        "RMSProp's falls from 0.3 to 0.1 and stays; AdaDelta's begins near 0.001 and rises.",
    )

# %% [markdown]
# ## 6 · Adam
#
# Adam keeps two running means: $m$ of the gradients and $v$ of their squares,
#
# $$m \leftarrow \beta_1 m + (1-\beta_1)\, g \qquad v \leftarrow \beta_2 v + (1-\beta_2)\, g^2 \qquad
# w \leftarrow w - \frac{\alpha}{\sqrt{\hat v} + \varepsilon}\, \hat m$$
#
# Both begin at zero and are therefore too small at first. The hats mend that: each is divided by what it would be if
# every gradient so far had been 1.


# %% answer="adam"
def adam_step(w, m, v, t, grad, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    """One step of Adam, as Algorithm 1 of Kingma and Ba (2015) has it. NumPy only.

    Args:
        w: weights, a float64 array.
        m, v: the running means before this step, likewise, not corrected.
        t: the number of this step, an int: 1 for the first.
        grad: the gradient at w, an array like w.
        learning_rate, beta_1, beta_2, epsilon: floats.

    Returns:
        A tuple: the new weights and the new m and v, not corrected.
    """
    ### BEGIN SOLUTION
    m = beta_1 * m + (1 - beta_1) * grad
    v = beta_2 * v + (1 - beta_2) * grad**2
    m_hat, v_hat = m / (1 - beta_1**t), v / (1 - beta_2**t)
    return w - learning_rate * m_hat / (np.sqrt(v_hat) + epsilon), m, v
    ### END SOLUTION


# %% test="adam" points=4
q = check.question(
    "adam",
    points=4,
    why="Whatever the size of the gradients, a step is about as long as the learning rate, from the first one on.",
    misconceptions={
        "no-correction": "The hats are missing: at first both means are far too small, and not equally so.",
        "the-misprint": "With a constant gradient your v̂ is not its square. A lecture has it so, too: v forgets with β₂.",
        "one-step-behind": "The first step has t = 1.",
        "epsilon-inside-root": "ε is added to the root, not under it.",
        "corrected-kept": "Return m and v as they are. What is corrected is used for this step and forgotten.",
        "betas-swapped": "β₁ belongs to m, β₂ to v.",
        "not-squared": "v is the mean of SQUARED gradients.",
        "root-missing": "Divide by the root of v̂.",
        "old-means": "This gradient belongs to both means before they are used.",
        "power-forgotten": "Is t in your hats? The longer it goes on, the less there is to correct.",
        "epsilon-before-hat": "ε is added to √v̂. Keras adds its ε to √v, before the correction; Algorithm 1 does not.",
        "gradient-instead": "The step is made with m̂, the mean, not with the last gradient.",
        "uphill": "That goes uphill.",
    },
)
w, grad = np.ones(2), np.array([4.0, -0.25])
means = [[0.4, -0.025], [0.016, 0.0000625]]
wrong = {"the-misprint": [[0, 2], *means], "no-correction": [[0.683772, 1.316228], *means], "uphill": [[1.1, 0.9], *means]}
wrong |= {"corrected-kept": [[0.9, 1.1], [4, -0.25], [16, 0.0625]], "root-missing": [[0.975, 1.4], *means]}
q.forbids("tensorflow", "keras", "torch", "jax", answer=lambda: adam_step)
answer = lambda: on_copies(adam_step, w, np.zeros(2), np.zeros(2), 1, grad, 0.1)
q.close("the first step", answer, [[0.9, 1.1], *means], 1e-5, 1e-6, wrong)
m, v, grad, means = np.array([2.0, -1]), np.array([2.0, 8]), np.array([1.0, -2]), [[1.5, -1.5], [1.75, 7]]
wrong = {"no-correction": [0.80627, 1.12343], "the-misprint": [0.76261, 1.14796], "one-step-behind": [0.81229, 1.11480]}
wrong |= {"power-forgotten": [0.75314, 1.14305], "epsilon-inside-root": [0.73167, 1.14552], "root-missing": [0.88, 1.03529]}
wrong |= {"epsilon-before-hat": [0.82915, 1.10886], "old-means": [0.74507, 1.07581], "gradient-instead": [0.9, 1.12]}
wrong = {name: [new, *means] for name, new in wrong.items()} | {"not-squared": [[0.8, 1.12360], [1.5, -1.5], [1.75, 6.5]]}
wrong |= {"betas-swapped": [[0.50294, 1.22389], [1.75, -1.25], [1.5, 6]]}
answer = lambda: on_copies(adam_step, w, m, v, 2, grad, 0.3, 0.5, 0.75, epsilon=1.0)
q.close("the second step, with ε = 1", answer, [[0.8, 1.12], *means], 1e-5, 1e-5, wrong)


def adam_path(w, gradients, **settings):
    """The weights after each step of `adam_step`, which is told the number of the step."""
    t = count(1)
    return follow(lambda w, m, v, g: adam_step(w, m, v, next(t), g, **settings), w, gradients, ZEROS, ZEROS)


expected = by_keras(optimizers.Adam(0.125), BEGIN, FIFTY)
answer = lambda: adam_path(BEGIN, FIFTY, learning_rate=0.125)
q.close("50 steps are those of keras.optimizers.Adam, to 1e-5", answer, expected, 1e-5, 1e-5)
### BEGIN HIDDEN TESTS


def adam_reference(w, gradients, b1, b2, kept=False, late=0, v_power=None, v_of=np.square, **odd):
    """The weights after each step by Algorithm 1, or by what a mistake makes of it."""
    m, v, path = 0 * w, 0 * w, []
    for t, g in enumerate(gradients, start=1):
        new_m, new_v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * v_of(g)
        used = (m, v) if odd.get("old") else (new_m, new_v)
        m, v = new_m, new_v
        m_hat, v_hat = used[0] / (1 - b1 ** (t + late)), used[1] / (1 - (v_power or b2) ** (t + late))
        if odd.get("bare"):
            m_hat, v_hat = used
        if kept:
            m, v = m_hat, v_hat
        top = g if odd.get("last") else m_hat
        w = w + odd.get("sign", -1) * rate * top / odd.get("root", lambda v: np.sqrt(v) + eps)(v_hat)
        path.append(w)
    return np.array(path)


with q.hidden():
    rng = check.rng()
    gradients, rate, eps = some_gradients(rng), 0.05 + 0.1 * rng.random(), 0.1
    b1, b2 = 0.75 + 0.1 * rng.random(), 0.95 + 0.03 * rng.random()
    odd = {
        "the-misprint": {"v_power": b1},
        "no-correction": {"bare": True},
        "one-step-behind": {"late": 1},
        "epsilon-inside-root": {"root": lambda v: np.sqrt(v + eps)},
        "corrected-kept": {"kept": True},
        "not-squared": {"v_of": abs},
        "root-missing": {"root": lambda v: v + eps},
        "old-means": {"old": True},
        "gradient-instead": {"last": True},
        "uphill": {"sign": 1},
    }
    right = adam_reference(BEGIN, gradients, b1, b2)
    swapped = lambda: {"betas-swapped": adam_reference(BEGIN, gradients, b2, b1)}
    wrong = lambda: {name: adam_reference(BEGIN, gradients, b1, b2, **how) for name, how in odd.items()} | swapped()
    settings = {"learning_rate": rate, "beta_1": b1, "beta_2": b2, "epsilon": eps}
    answer = lambda: adam_path(BEGIN, gradients, **settings)
    q.close("fifty other gradients", answer, right, 1e-5, 1e-5, wrong, weight=2)
### END HIDDEN TESTS
q.score()

# %% [markdown] tags=["think-answer"]
# **The lecture and the paper.** $v$ decays with $\beta_2$, so $\hat v_t = v_t/(1-\beta_2^t)$. With the misprint
# $\hat v_1 = 0.001\,g^2/0.1$, a hundredth of $g^2$, and the first step is ten times as long as it should be.

# %% [markdown]
# > **Find it, settle it with the original.** A lecture prints $\hat m_t = m_t/(1-\beta_1^t)$ and
# > $\hat v_t = v_t/(1-\beta_1^t)$. Try both with a constant gradient $g$, at $t = 1$. Algorithm 1 of Kingma and Ba [9]
# > has the last word.
#
# **Look.** The length of Adam's steps while the gradient is 1, in units of the learning rate: yours, the lecture's,
# and without any correction. (Without, the steps are too *long*: $v$ is further behind than $m$.)

# %% tags=["explore"]
with check.waits_for("adam"):
    t = np.arange(1, 61)
    m, v, numbers = 1 - 0.9**t, 1 - 0.999**t, count(1)
    step = lambda w, m, v, g: adam_step(w, m, v, next(numbers), g, 1.0)
    walk = follow(step, np.zeros(1), 60 * [np.ones(1)], np.zeros(1), np.zeros(1))
    # v̂ with β₁ is v/m, because m is 1 − β₁ᵗ here, and m̂ is 1
    lengths = {"yours": -np.diff(walk[:, 0], prepend=0), "v̂ with β₁": 1 / np.sqrt(v / m), "no hats": m / np.sqrt(v)}
    plots.curves(
        lengths,
        t,
        xlabel="step",
        ylabel="step / learning rate",
        title="What the hats are for",
        alt="Three curves over sixty steps. Adam's own is level at 1. With the misprinted hat the steps begin at 10 and "
        "are still 4 in the end; without hats they begin at 3, rise above 6 and come down slowly.",
    )
assert round(float(1 / np.sqrt(0.001 / 0.1))) == 10

# %% [markdown]
# ## Three landscapes
#
# Six of them on a bowl, in a ravine, and at a saddle, where the slope goes down on two sides. All begin at the same
# place. Those above share a learning rate, those below have one each, and all begin with Keras's tally. (AdaDelta, whose
# first steps are a few $\sqrt\varepsilon$, would hardly have left by the end.) Before you look: on which of the three will the two rows differ most?

# %% tags=["explore"]
rows = [
    {"SGD": optimizers.SGD(0.04), "momentum": optimizers.SGD(0.04, 0.9), "Nesterov": optimizers.SGD(0.04, 0.9, True)},
    {"AdaGrad": optimizers.Adagrad(0.5), "RMSProp": optimizers.RMSprop(0.1), "Adam": optimizers.Adam(0.2)},
]
trails = {}
for name, optimizer in (rows[0] | rows[1]).items():
    for place, H in LANDSCAPES.items():
        first = np.array([-4.0, 0.01 if place == "saddle" else 1.6])
        fresh = type(optimizer).from_config(optimizer.get_config())
        trails[name, place] = np.vstack([first, by_keras(fresh, first, 60 * [lambda w, H=H: H @ w])])


# %% tags=["explore"]
def draw_trails():
    """The landscapes, and the lines on them by optimizer and place, still empty."""
    with plots.style():
        fig, axes = plt.subplots(2, 3, figsize=(6.4, 3.1), layout="compressed")
        fig.suptitle("Sixty steps in three landscapes: the fainter the grey, the lower", x=0.01, ha="left")
    lines = {}
    for row, names in enumerate(rows):
        for ax, (place, H) in zip(axes[row], LANDSCAPES.items(), strict=True):
            draw_landscape(ax, H)
            ax.set_title("" if row else place, loc="center", fontsize=10, weight="normal", color=plots.GREY)
            for i, (name, colour) in enumerate(zip(names, plots.COLOURS, strict=False)):
                (lines[name, place],) = ax.plot([], [], "o-", color=colour, lw=3.5 - i, ms=5.5 - i, markevery=[-1])
                if place == "saddle":
                    ax.text(1.03, 0.95 - 0.19 * i, name, color=colour, weight="bold", transform=ax.transAxes, va="top")
    return fig, lines


# %% tags=["explore"]
def walk_to(lines, step):
    """Move every line on to this step."""
    for key, line in lines.items():
        line.set_data(*trails[key][: step + 1].T)


words = (
    "Above SGD, momentum and Nesterov, below AdaGrad, RMSProp and Adam, each on a bowl, in a ravine and at a saddle. "
    "On the bowl all arrive, those with momentum after swinging round. In the ravine momentum swings across most, "
    "the lower row walks as on the bowl. At the saddle the upper row runs into the middle and leaves late or never; "
    "of the lower row RMSProp and Adam turn away at once, AdaGrad a little later."
)
fig, lines = draw_trails()
walk_to(lines, 60)
plots.show(fig, alt=words)

# %% tags=["explore"]
fig, lines = draw_trails()
plots.animation(fig, lambda i: walk_to(lines, 2 * i), 31, seconds=6, alt="The same, step by step. " + words)

# %% [markdown]
# **Think.** In the lower row bowl and ravine look alike. Would they still, if the ravine ran at 45° to the axes? What
# about the upper row?

# %% [markdown] tags=["think-answer"]
# No. AdaGrad, RMSProp and Adam have one divisor for each weight, so they straighten a ravine that runs along an axis;
# across the axes they cannot see it. SGD and momentum do not know where the axes are: turn the landscape and the whole
# path turns with it. The cell below counts the steps. Nobody knows along which axes the ravines of a network run.


# %% tags=["explore"]
def steps_in_ravine(optimizer, degrees):
    """How many steps until the height is a thousandth of what it was, in a ravine turned by this angle."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turn = np.array([[c, -s], [s, c]])
    H, first = turn @ np.diag([1.0, 200]) @ turn.T, turn @ np.array([-4.0, 1])
    path = by_keras(optimizer, first, 320 * [lambda w: H @ w])
    heights = np.einsum("ti,ij,tj->t", path, H, path) / (first @ H @ first)
    return int(np.argmax(heights < 1e-3)) + 1 if heights.min() < 1e-3 else None


for name, make in {"AdaGrad": lambda: optimizers.Adagrad(0.5), "momentum": lambda: optimizers.SGD(0.006, 0.9)}.items():
    for degrees in (0, 45):
        print(f"{name}, ravine at {degrees:2}°: {steps_in_ravine(make(), degrees) or 'more than 320'} steps")

# %% [markdown]
# ### Keras's conventions
#
# | | original | Keras |
# |---|---|---|
# | momentum | rate inside [5] | rate inside |
# | Nesterov | looks ahead [4, 5] | stores x̃ |
# | AdaGrad | δ outside the root, tally from 0 [6] | ε inside, tally from 0.1 |
# | RMSProp | no ε [7] | ε inside, mean from 0, `rho` 0.9 |
# | AdaDelta | ε inside, no learning rate [8] | ε inside, learning rate 0.001: set 1.0 to have the paper's |
# | Adam | ε = 10⁻⁸, added to √v̂ [9] | ε = 10⁻⁷, added to √v before the correction: the ε̂ at the end of section 2 |
#
# These are the reasons for a tolerance of $10^{-5}$ above. In a network with gradients of $10^{-6}$ they
# would matter.

# %% tags=["explore"]
default = lambda f, name: inspect.signature(f).parameters[name].default
assert default(optimizers.Adagrad, "initial_accumulator_value") == 0.1
assert default(optimizers.RMSprop, "rho") == 0.9
assert default(optimizers.Adadelta, "learning_rate") == 0.001
assert default(optimizers.Adam, "epsilon") == 1e-7

# %% [markdown]
# ## 7 · Weights that fade
#
# AlexNet was trained with this rule [12, section 5]; $\epsilon$ is the learning rate and $D_i$ the batch:
#
# $$v_{i+1} := 0.9\, v_i - 0.0005\, \epsilon\, w_i - \epsilon\, \Big\langle \tfrac{\partial L}{\partial w} \Big|_{w_i}
# \Big\rangle_{D_i} \qquad w_{i+1} := w_i + v_{i+1}$$
#
# The term in the middle is **weight decay**. Up to the factor $-\epsilon$ it is the gradient of a penalty
# $c \lVert w \rVert^2$ in the loss, so it goes through the velocity like the rest of the gradient.
#
# > **Find it, settle it with the original.** A lecture writes the loss with $+\,\epsilon \lVert w \rVert^2$ and, three
# > lines on, the rule above. That would make one letter the learning rate, 0.01, and the penalty's factor. (Beside the
# > roots of sections 4 to 6 it is a third thing.) Which factor $c$ gives the rule its 0.0005?
#
# **Decoupled** decay, which Loshchilov and Hutter [13] argue for, keeps out of the gradient and of the velocity: each
# step takes $\alpha\, d\, w$ off the old weights *beside* the step with momentum, $d$ being `weight_decay`. (Their paper
# multiplies $d$ by the schedule only; Keras and PyTorch multiply by the learning rate, as you do here.)


# %% answer="weight-decay"
def alexnet_step(w, v, grad, learning_rate=0.01, momentum=0.9, weight_decay=0.0005):
    """One step of AlexNet's rule: the decay goes through the velocity. NumPy only.

    Args:
        w, v: weights and velocity before the step, float64 arrays.
        grad: the gradient of the loss without penalty, at w, likewise.
        learning_rate, momentum, weight_decay: floats; weight_decay is the 0.0005 of the rule.

    Returns:
        A tuple: the new weights and the new velocity.
    """
    ### BEGIN SOLUTION
    v = momentum * v - learning_rate * (weight_decay * w + grad)
    return w + v, v
    ### END SOLUTION


def decoupled_step(w, v, grad, learning_rate=0.01, momentum=0.9, weight_decay=0.0005):
    """The same with decoupled decay: it does not enter the velocity. Arguments and result as above."""
    ### BEGIN SOLUTION
    v = momentum * v - learning_rate * grad
    return w - learning_rate * weight_decay * w + v, v
    ### END SOLUTION


penalty_factor = None  # a float: the c of a penalty c‖w‖² in the loss that gives AlexNet's rule its 0.0005
### BEGIN SOLUTION
penalty_factor = 0.00025
### END SOLUTION

# %% test="weight-decay" points=3
q = check.question(
    "weight-decay",
    points=3,
    why="With plain SGD the two are one and the same; momentum parts them a little, Adam a lot.",
    misconceptions={
        "weights-grow": "That makes the weights grow: the decay goes against them, as the gradient's step does.",
        "rate-forgotten": "The decay, too, is multiplied by the learning rate.",
        "decay-forgotten": "There is no decay in it.",
        "not-through-velocity": "In AlexNet's rule the decay is part of the velocity, so it is felt for many steps.",
        "through-velocity": "Decoupled decay does not enter the velocity: the next step must not remember it.",
        "new-weights-decay": "The OLD weights decay, not the ones that the step has led to.",
        "decays-twice": "Your decay is twice as strong: mind whether the 2 of the derivative is in it already.",
        "decays-half": "`weight_decay` is the number in the rule, not the factor of the penalty.",
        "numbers-written-in": "0.9 and 0.0005 are AlexNet's values for two of the arguments.",
        "sign-decays": "That is the gradient of |w|, an L1 penalty.",
        "two-forgotten": "What is the gradient of c·w²?",
        "two-inverted": "The derivative makes the factor larger, so the penalty's has to be the smaller one.",
        "rate-in-factor": "The learning rate multiplies the whole gradient: it is not part of the penalty.",
    },
)
w, v, grad = np.array([4.0, -2]), np.array([1.0, 1]), np.array([2.0, -1])
wrong = {"weights-grow": [[4.6, -1.4], [0.6, 0.6]], "rate-forgotten": [[2.4, -0.3], [-1.6, 1.7]]}
wrong |= {"decay-forgotten": [[4.4, -1.3], [0.4, 0.7]], "not-through-velocity": [[4.2, -1.2], [0.4, 0.7]]}
wrong |= {"decays-twice": [[4, -1.1], [0, 0.9]], "sign-decays": [[4.35, -1.25], [0.35, 0.75]]}
wrong |= {"decays-half": [[4.3, -1.25], [0.3, 0.75]], "numbers-written-in": [[4.6998, -0.9999], [0.6998, 1.0001]]}
expected = [[4.2, -1.2], [0.2, 0.8]]
settings = {"learning_rate": 0.1, "momentum": 0.6, "weight_decay": 0.5}
q.forbids("tensorflow", "keras", "torch", "jax", answer=lambda: alexnet_step)
q.close("AlexNet's rule, one step", lambda: on_copies(alexnet_step, w, v, grad, **settings), expected, wrong=wrong)
wrong = {"weights-grow": [[4.6, -1.4], [0.4, 0.7]], "rate-forgotten": [[2.4, -0.3], [0.4, 0.7]]}
wrong |= {"decay-forgotten": [[4.4, -1.3], [0.4, 0.7]], "new-weights-decay": [[4.18, -1.235], [0.4, 0.7]]}
wrong |= {"through-velocity": [[4.2, -1.2], [0.2, 0.8]], "decays-twice": [[4, -1.1], [0.4, 0.7]]}
wrong |= {"decays-half": [[4.3, -1.25], [0.4, 0.7]], "numbers-written-in": [[4.6998, -0.9999], [0.7, 1]]}
expected = [[4.2, -1.2], [0.4, 0.7]]
q.close("decoupled, one step", lambda: on_copies(decoupled_step, w, v, grad, **settings), expected, wrong=wrong)
answer = lambda: follow(lambda w, v, g: decoupled_step(w, v, g, 0.125, 0.9, 0.05), BEGIN, FIFTY, ZEROS)
expected = by_keras(optimizers.SGD(0.125, momentum=0.9, weight_decay=0.05), BEGIN, FIFTY)
q.close("50 decoupled steps are those of Keras's SGD with weight_decay, to 1e-5", answer, expected, 1e-5, 1e-5)
wrong = {"two-forgotten": lambda c: abs(c - 0.0005) < 1e-9, "two-inverted": lambda c: abs(c - 0.001) < 1e-9}
wrong |= {"rate-in-factor": lambda c: 0 < c < 1e-4}
q.satisfies("penalty_factor, roughly", lambda: penalty_factor, lambda c: 1e-4 < c < 5e-4, wrong, weight=0.5)
### BEGIN HIDDEN TESTS


def decayed(inner, outer):
    """The rule with these decays inside and outside the velocity, each a function of w."""
    return lambda w, v, g: (w + rho * v - rate * g - inner(w) - outer(w), rho * v - rate * g - inner(w))


def fading(through, mistakes):
    """The right points of fifty steps, and those of common mistakes."""
    right = follow(decayed(*through), BEGIN, gradients, ZEROS)
    return {"expected": right, "rtol": 1e-5, "atol": 1e-5, "wrong": paths(mistakes, gradients, ZEROS)}


with q.hidden():
    rng = check.rng()
    gradients, rho, rate, fade = some_gradients(rng), 0.7 + 0.2 * rng.random(), 0.06 + 0.04 * rng.random(), 0.3
    none, full = lambda w: 0 * w, lambda w: rate * fade * w
    mistakes = {
        "weights-grow": decayed(lambda w: -full(w), none),
        "rate-forgotten": decayed(lambda w: fade * w, none),
        "decay-forgotten": decayed(none, none),
        "not-through-velocity": decayed(none, full),
        "decays-twice": decayed(lambda w: 2 * full(w), none),
        "sign-decays": decayed(lambda w: rate * fade * np.sign(w), none),
    }
    step = lambda w, v, g: alexnet_step(w, v, g, rate, rho, fade)
    q.close("AlexNet's rule", lambda: follow(step, BEGIN, gradients, ZEROS), **fading((full, none), mistakes))
    mistakes = {
        "weights-grow": decayed(none, lambda w: -full(w)),
        "rate-forgotten": decayed(none, lambda w: fade * w),
        "decay-forgotten": decayed(none, none),
        "through-velocity": decayed(full, none),
        "decays-twice": decayed(none, lambda w: 2 * full(w)),
        "new-weights-decay": lambda w, v, g: ((w + rho * v - rate * g) * (1 - rate * fade), rho * v - rate * g),
    }
    apart = lambda w, v, g: decoupled_step(w, v, g, rate, rho, fade)
    q.close("decoupled", lambda: follow(apart, BEGIN, gradients, ZEROS), **fading((none, full), mistakes))
    wrong = {"two-forgotten": 0.0005, "two-inverted": 0.001, "rate-in-factor": lambda f: f < 1e-4}
    judged = {name: f if callable(f) else lambda g, f=f: abs(g - f) < 1e-9 for name, f in wrong.items()}
    q.satisfies("the penalty's factor", lambda: penalty_factor, lambda f: abs(f - 0.00025) < 1e-9, judged)
### END HIDDEN TESTS
q.score()

# %% [markdown]
# **Look.** Why decoupled decay was invented. Two thousand weights begin at 1; there is nothing to learn, their
# gradients are pure noise, for some weak and for some strong. The only thing that should happen is decay. With Adam and a penalty in
# the loss, Adam divides the penalty's gradient, like any other, by the size of the gradients.

# %% tags=["explore"]
noise = np.geomspace(0.01, 10, 40)
rng = np.random.default_rng(SEED)
pure = [np.outer(noise, rng.choice([-1, 1], 50)) for _ in range(500)]
begin = np.ones((40, 50))
penalised = by_keras(optimizers.Adam(0.002), begin, [lambda w, g=g: g + 0.5 * w for g in pure])[-1].mean(axis=1)
decoupled = by_keras(optimizers.AdamW(0.002, weight_decay=0.5), begin, pure)[-1].mean(axis=1)
plots.curves(
    {"penalty in the loss": penalised, "decoupled": decoupled},
    noise,
    xlabel="size of the weight's noisy gradient",
    ylabel="weight after 500 steps",
    xscale="log",
    title="Adam: a penalty spares weights with large gradients",
    alt="Two curves over the size of the gradient noise, logarithmic. Decoupled decay takes every weight from 1 to about "
    "0.6, whatever the noise; with a penalty in the loss weights with little noise sink much lower, those with much noise "
    "stay close to 1.",
)

# %% [markdown]
# ## 8 · Ravines and saddles
#
# Near a point where the gradient vanishes the loss is $\frac12 w^\top H w$, up to a constant; $H$ is the Hessian,
# symmetric. Along its eigenvectors the landscape is a parabola, and the eigenvalue $\lambda$ is its curvature. Gradient
# descent multiplies each of these directions by $1 - \alpha\lambda$ in every step, each by itself.
#
# * All curvatures positive: a **minimum**. All negative: a maximum. Both signs: a **saddle point**.
# * The **condition number** $\kappa$ is the ratio of the largest to the smallest singular value of $H$, which for a
#   symmetric matrix is the ratio of the absolute eigenvalues.
# * In a bowl one learning rate has to serve the flattest direction, $\lambda_{\min}$, and the steepest,
#   $\lambda_{\max}$. The **best** one shrinks both equally fast, $|1 - \alpha\lambda|$ being the same for both.


# %% answer="bowls"
def kind_of_point(H):
    """What a point without slope is, from its Hessian.

    Args:
        H: a symmetric float64 array, shape (n, n), without eigenvalues of zero.

    Returns:
        "minimum", "maximum" or "saddle".
    """
    ### BEGIN SOLUTION
    curvatures = np.linalg.eigvalsh(H)
    return "minimum" if np.all(curvatures > 0) else "maximum" if np.all(curvatures < 0) else "saddle"
    ### END SOLUTION


def condition_number(H):
    """The condition number of H, a float of at least 1; H as for `kind_of_point`."""
    ### BEGIN SOLUTION
    sizes = np.abs(np.linalg.eigvalsh(H))
    return sizes.max() / sizes.min()
    ### END SOLUTION


def best_learning_rate(H):
    """The constant learning rate with which gradient descent's slowest direction shrinks fastest, a float.

    H is as for `kind_of_point`, and all its eigenvalues are positive.
    """
    ### BEGIN SOLUTION
    curvatures = np.linalg.eigvalsh(H)
    return 2 / (curvatures.min() + curvatures.max())
    ### END SOLUTION


# %% test="bowls" points=3
q = check.question(
    "bowls",
    points=3,
    why="At its best gradient descent shrinks the error by (κ − 1)/(κ + 1) a step: with κ = 100 that is 2 % a step.",
    misconceptions={
        "diagonal": "The diagonal is curvature along the axes. The landscape may be turned: ask for eigenvalues.",
        "determinant": "A determinant is positive for two negative curvatures as well as for none.",
        "one-curvature": "One curvature does not tell: look at all of them.",
        "signs-swapped": "A positive curvature bends upwards.",
        "always-saddle": "Not every such point is a saddle.",
        "signed": "Singular values are never negative: the sizes of the eigenvalues count.",
        "inverted": "The largest size over the smallest: never below 1.",
        "squared": "That is the ratio of the squares.",
        "largest-only": "That suits the steepest direction and leaves the flattest slow. A longer step still arrives.",
        "at-the-edge": "With that rate the steepest direction swings for ever and never shrinks.",
        "smallest-only": "With that rate the steepest direction runs away.",
        "mean-of-all": "The curvatures in between do not matter: the two ends do.",
        "half": "Half of what would be best: look at 1 − αλ at both ends.",
    },
)
saddle = np.array([[-1.0, 3, 0], [3, -1, 0], [0, 0, -5]])  # eigenvalues −5, −4 and 2
bowl = np.array([[3.5, 2.5, 0], [2.5, 3.5, 0], [0, 0, 3]])  # eigenvalues 1, 3 and 6
wrong = {"diagonal": ["maximum", "minimum", "maximum"], "always-saddle": ["saddle"] * 3}
wrong |= {"one-curvature": ["minimum", "minimum", "maximum"], "signs-swapped": ["saddle", "maximum", "minimum"]}
wrong |= {"determinant": ["minimum", "minimum", "saddle"]}
answer = lambda: [on_copies(kind_of_point, H) for H in (saddle, bowl, -bowl)]
q.equal("curvatures −5, −4 and 2; 1, 3 and 6; −1, −3 and −6", answer, ["saddle", "minimum", "maximum"], wrong, weight=0.5)
wrong = {"diagonal": 5, "inverted": 0.4, "squared": 6.25, "signed": lambda k: k < 0}
judged = {name: k if callable(k) else lambda value, k=k: abs(value - k) < 1e-6 for name, k in wrong.items()}
answer = lambda: on_copies(condition_number, saddle)
q.satisfies("the first one's condition number", answer, lambda k: abs(k - 2.5) < 1e-6, judged, 0.5, "2.5")
wrong = {"largest-only": 1 / 6, "at-the-edge": 1 / 3, "smallest-only": 1, "half": 1 / 7, "mean-of-all": 0.3}
wrong |= {"diagonal": 2 / 6.5}
q.close("curvatures 1, 3 and 6", lambda: on_copies(best_learning_rate, bowl), 0.285714, wrong=wrong, weight=0.5)
### BEGIN HIDDEN TESTS


def turned_bowl(curvatures):
    """A Hessian with these eigenvalues in some direction."""
    Q, _ = np.linalg.qr(rng.normal(size=(len(curvatures), len(curvatures))))
    H = Q @ np.diag(curvatures) @ Q.T
    return (H + H.T) / 2


def pattern(numbers):
    """What somebody says of a point who looks at these numbers."""
    numbers = np.atleast_1d(numbers)
    return "minimum" if np.all(numbers > 0) else "maximum" if np.all(numbers < 0) else "saddle"


with q.hidden():
    rng = check.rng()
    kinds = [[1, 1, 1], [-1, -1], [-1, -1, -1], [-1, -1, 1, 1], [-1, 1, 1]]
    Hs = [turned_bowl(signs * rng.uniform(0.5, 3, len(signs))) for signs in kinds]
    Hs.append(np.array([[2.0, 3, 0], [3, 1, 0], [0, 0, 4]]))  # curvatures −1.5, 4 and 4.5
    right = [pattern(np.linalg.eigvalsh(H)) for H in Hs]
    swap = {"minimum": "maximum", "maximum": "minimum", "saddle": "saddle"}
    wrong = {"signs-swapped": [swap[kind] for kind in right], "always-saddle": ["saddle"] * 6}
    wrong |= {"diagonal": [pattern(np.diag(H)) for H in Hs]}
    wrong |= {"one-curvature": [pattern(np.linalg.eigvalsh(H)[-1]) for H in Hs]}
    determinant = [np.linalg.det(H) > 0 for H in Hs]
    judged = {name: lambda kinds, w=w: list(kinds) == w for name, w in wrong.items()}
    judged |= {"determinant": lambda kinds: [kind == "minimum" for kind in kinds] == determinant}
    q.satisfies("six points", lambda: [kind_of_point(H) for H in Hs], lambda kinds: list(kinds) == right, judged)

    sizes = np.sort(rng.uniform(1, 2, 4)) * [1, 3, 9, 27]
    for flip in ([1, 1, 1, 1], [-1, 1, 1, 1], [1, 1, 1, -1]):
        H, right = turned_bowl(sizes * flip), sizes[-1] / sizes[0]
        D = np.abs(np.diag(H))
        wrong = {"inverted": 1 / right, "squared": right**2, "diagonal": D.max() / D.min()}
        judged = {name: lambda k, w=w: abs(k / w - 1) < 1e-5 for name, w in wrong.items()} | {"signed": lambda k: k < 0}
        near = lambda k, right=right: abs(k / right - 1) < 1e-5
        q.satisfies("a condition number", lambda H=H: condition_number(H), near, judged, weight=0.3)
    H, low, high = turned_bowl(sizes), sizes[0], sizes[-1]
    wrong = {"largest-only": 1 / high, "at-the-edge": 2 / high, "smallest-only": 1 / low, "half": 1 / (low + high)}
    wrong |= {"diagonal": 2 / (np.diag(H).min() + np.diag(H).max()), "mean-of-all": 1 / sizes.mean()}
    q.close("another bowl", lambda: best_learning_rate(H), 2 / (low + high), wrong=wrong)
### END HIDDEN TESTS
q.score()

# %% [markdown]
# **Look.** Steps until the distance has shrunk to a hundredth, in bowls with curvatures 1 and $\kappa$: SGD at its best
# rate, and momentum at the best rate and momentum that Polyak found, $\rho = \big((\sqrt\kappa - 1)/(\sqrt\kappa +
# 1)\big)^2$ and $\alpha = 4/(1 + \sqrt\kappa)^2$. How do the two grow?


# %% tags=["explore"]
def steps_needed(kappa, rate, rho=0.0):
    """Steps of momentum in the bowl with curvatures 1 and kappa until the distance is a hundredth for good."""
    curvature, w, v, far = np.array([1.0, kappa]), np.ones(2), np.zeros(2), []
    for _ in range(3000):
        v = rho * v - rate * curvature * w
        w = w + v
        far.append(np.linalg.norm(w))
    return int(np.flatnonzero(np.array(far) > 0.01 * np.sqrt(2))[-1]) + 2


kappas = np.array([2, 5, 10, 20, 50, 100, 200, 500, 1000])
polyak = [(4 / (1 + k**0.5) ** 2, ((k**0.5 - 1) / (k**0.5 + 1)) ** 2) for k in kappas]
by_momentum = [steps_needed(k, *best) for k, best in zip(kappas, polyak, strict=True)]
with check.waits_for("bowls"):
    plain = [steps_needed(k, float(best_learning_rate(np.diag([1.0, k])))) for k in kappas]
    metrics.record("steps_at_condition_1000", plain[-1], "steps")
    plots.curves(
        {"SGD": plain, "momentum": by_momentum},
        kappas,
        xlabel="condition number κ",
        ylabel="steps to a hundredth of the distance",
        xscale="log",
        yscale="log",
        title="SGD pays κ, momentum √κ",
        alt="Two straight rising lines, both axes logarithmic. SGD's rises ten times for ten times the condition number, "
        "momentum's three to four times.",
    )
metrics.record("steps_at_condition_1000_with_momentum", by_momentum[-1], "steps")

# %% [markdown]
# **Think.** With a local minimum or a saddle point, a lecture says, "gradient descent gets stuck". The paper that it
# cites, Dauphin and others [14], says something finer. Look at the curve below first (random matrices are no
# network's Hessians, but they can count), then at the saddle of the landscapes: who is stuck there, and for how long?

# %% tags=["explore"]
rng = np.random.default_rng(SEED)
dimensions = range(1, 9)
with check.waits_for("bowls"):
    share = []
    for n in dimensions:
        R = rng.normal(size=(1000, n, n))
        share.append(100 * np.mean([kind_of_point(H + H.T) != "saddle" for H in R]))
    plots.curves(
        {"minima and maxima": share},
        dimensions,
        xlabel="dimensions",
        ylabel="of 1000 random Hessians (%)",
        title="In many dimensions nearly everything flat is a saddle",
        alt="A curve that falls from 100 % in one dimension to about 30 % in two and close to zero from five on: the share "
        "of random symmetric matrices whose eigenvalues all have the same sign.",
    )

# %% [markdown] tags=["think-answer"]
# A local minimum keeps whatever has come to rest in it. A saddle does so only if the walker comes exactly along the
# ridge: the slightest sideways push grows by $1 + \alpha|\lambda|$ a step. But while it is small that takes long, and
# seen from outside the loss has stopped falling: SGD *lingers*. That is the paper's point: in high dimensions it is not
# bad local minima that slow learning down but saddles with their plateaus. Noise gives the push, momentum makes the most of it,
# and a divisor for each weight makes a small slope as good as a large one.

# %% [markdown]
# **Look.** A local minimum, and what momentum can do about it: it rolls through a dip that holds SGD, if it comes
# with enough speed. It may as well roll out of a good one.

# %% tags=["explore"]
height = lambda x: 0.05 * x**2 + 0.5 * np.cos(2 * x) + 0.1 * x
slope = lambda x: 0.1 * x - np.sin(2 * x) + 0.1
rolls = {"SGD": optimizers.SGD(0.05), "momentum": optimizers.SGD(0.05, 0.9)}
rolls = {name: by_keras(o, np.array([6.2]), 150 * [slope])[:, 0] for name, o in rolls.items()}
with plots.style():
    fig, ax = plt.subplots(figsize=(6.4, 2.8), layout="constrained")
    ax.set(xlabel="w", ylabel="loss", title="A dip stops SGD; momentum rolls through", ylim=(-1.3, 3.6))
x = np.linspace(-6, 7, 300)
ax.plot(x, height(x), color=plots.GREY, linewidth=1)
for (name, path), colour, side in zip(rolls.items(), plots.COLOURS, (-1, 1), strict=False):
    ax.plot(path, height(path) + 0.1 * side, "o", color=colour, markersize=3)
    ax.text(path[-1], height(path[-1]) - 0.5, name, color=colour, ha="center", va="center", weight="bold")
plots.show(
    fig,
    alt="A wavy valley. Coming from the right, SGD's points stop in the first dip, high up; those of momentum run "
    "through it and come to rest in a lower one.",
)

# %% [markdown]
# ## 9 · The noise of a batch
#
# The loss is a mean over $N$ examples, so its gradient is the mean $\bar g$ of $N$ gradients. A batch of $B$ different
# examples, drawn at random, gives the mean $\bar g_B$ of its own. How far off is that? Call
#
# $$\text{noise}(B) = \text{mean over all batches of size } B \text{ of } \lVert \bar g_B - \bar g \rVert^2$$
#
# Plotted against $1/B$, not against $B$, it is a **straight line**, and you know two points of it: a batch of all $N$, and batches of one.


# %% answer="batch-noise"
def gradient_noise(gradients, batch_size):
    """The mean squared distance of a batch's gradient from the gradient of all examples.

    Args:
        gradients: the gradient of each example, a float64 array of shape (N, weights), N from 2 to thousands:
            too many for going through all batches.
        batch_size: B, an int from 1 to N; the B examples of a batch are different ones.

    Returns:
        A float: the mean of ‖mean of the batch − mean of all‖² over all possible batches, exactly.
    """
    ### BEGIN SOLUTION
    N = len(gradients)
    one_by_one = gradients.var(axis=0).sum()
    return one_by_one * (1 / batch_size - 1 / N) / (1 - 1 / N)
    ### END SOLUTION


# %% test="batch-noise" points=2
q = check.question(
    "batch-noise",
    points=2,
    why="As long as B is small beside N, four times the batch halves the error of the gradient, for four times the work.",
    misconceptions={
        "drawn-with-replacement": "σ²/B would be right if an example could come twice. What is the noise of a batch of all?",
        "root": "The squared distance, please, not its root.",
        "sum-not-mean": "The gradient of a batch is the mean of its gradients, not their sum.",
        "batch-ignored": "That is the noise of a single example, whatever the batch.",
        "mean-over-weights": "The squared distance is summed over the weights.",
        "divided-by-n-minus-one": "There are N batches of one: their mean divides by N, not by N − 1.",
        "line-in-b": "A straight line in B. In 1/B it is one.",
        "slope-too-small": "Almost: with B = 1 it must be the noise of a single example.",
        "root-of-batch": "The squared distance falls with B, the distance with its root.",
    },
)
gradients = np.array([[0.0, 0], [6, 0], [0, 3], [6, 9]])
wrong = {"root": 22.5**0.5, "mean-over-weights": 11.25, "divided-by-n-minus-one": 30, "slope-too-small": 16.875}
q.close("batches of one", lambda: on_copies(gradient_noise, gradients, 1), 22.5, wrong=wrong, weight=0.5)
wrong = {"drawn-with-replacement": 11.25, "root": 7.5**0.5, "batch-ignored": 22.5, "line-in-b": 15, "sum-not-mean": 30}
wrong |= {"mean-over-weights": 3.75, "divided-by-n-minus-one": 10, "root-of-batch": 22.5 / 2**0.5}
q.close("batches of two", lambda: on_copies(gradient_noise, gradients, 2), 7.5, wrong=wrong)
wrong = {"drawn-with-replacement": 5.625, "root": 0, "batch-ignored": 22.5}
q.close("a batch of all four", lambda: on_copies(gradient_noise, gradients, 4), 0, wrong=wrong, weight=0.5)
### BEGIN HIDDEN TESTS
from itertools import combinations


def noise_case(G, B):
    """The right noise, from all batches one by one, and what common mistakes would give."""
    means = np.array([G[list(batch)].mean(axis=0) for batch in combinations(range(len(G)), B)])
    right = np.mean(np.sum((means - G.mean(axis=0)) ** 2, axis=1))
    one, N = G.var(axis=0).sum(), len(G)
    wrong = {"drawn-with-replacement": one / B, "root": right**0.5, "sum-not-mean": right * B**2}
    wrong |= {"batch-ignored": one, "mean-over-weights": right / G.shape[1], "root-of-batch": one / B**0.5}
    wrong |= {"divided-by-n-minus-one": right * N / (N - 1)}
    return {"expected": right, "wrong": wrong}


with q.hidden():
    rng = check.rng()
    for N, B in [(7, 3), (8, 5)]:
        G = rng.normal(rng.normal(size=3), [0.5, 1, 3], size=(N, 3))
        q.close("all batches", lambda G=G, B=B: gradient_noise(G, B), **noise_case(G, B))
    G = rng.normal(size=(400, 5))
    one = G.var(axis=0).sum()
    wrong = {"drawn-with-replacement": one / 100, "batch-ignored": one, "root-of-batch": one / 10}
    wrong |= {"root": (one / 100 * 300 / 399) ** 0.5, "sum-not-mean": one * 100 * 300 / 399}
    q.close("many examples", lambda: gradient_noise(G, 100), one / 100 * 300 / 399, wrong=wrong, weight=0.5)
### END HIDDEN TESTS
q.score()

# %% [markdown]
# **Look.** Real gradients: softmax regression on the digits, before it has learned anything. Dots are measured on 100
# batches each, the line is your formula.

# %% tags=["explore"]
few = data.digits(16)
pixels = few.X_train[:, 4:-4, 4:-4].reshape(len(few.X_train), -1).astype(float)  # without the empty margin
off = 0.1 - np.eye(10)[few.y_train]  # every class has probability 0.1 before training
per_example = np.einsum("np,nc->npc", pixels, off).reshape(len(pixels), -1)
sizes = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]
rng = np.random.default_rng(SEED)
draw = lambda B: per_example[rng.choice(len(pixels), B, replace=False)].mean(axis=0) - per_example.mean(axis=0)
measured = [float(np.mean([np.sum(draw(B) ** 2) for _ in range(100)])) for B in sizes]
assert (len(pixels), len(pixels) // 64) == (1197, 18)
metrics.record("batch_noise_128_over_1", 100 * measured[7] / measured[0], "%")

# %% tags=["explore"]
with check.waits_for("batch-noise"):
    line = [float(gradient_noise(per_example, B)) for B in sizes]
    fig = plots.draw_curves(
        {"your formula": line, "1/B": [line[0] / B for B in sizes]},
        sizes,
        xlabel="batch size B",
        ylabel="noise: mean squared distance",
        xscale="log",
        yscale="log",
        title="Twice the batch, half the noise, and none when all are in it",
    )
    for drawn in fig.axes[0].lines:
        drawn.set_marker("")
    fig.axes[0].plot(sizes, measured, "o", color=plots.COLOURS[2])
    fig.axes[0].text(sizes[0], measured[0] / 7, "measured", color=plots.COLOURS[2], weight="bold")
    plots.show(
        fig,
        alt="Falling dots, measured, on a falling line, the formula; both axes logarithmic. Up to batches of a few hundred "
        "the line is that of 1/B; from there on it bends down towards zero, which it reaches at 1,197 examples.",
    )

# %% [markdown]
# **Think.** An epoch of 1,197 examples is 1,197 noisy steps, or 18 of batch size 64, or a single exact one. Which makes
# the most progress, and why does nobody use $B = 1$ all the same?

# %% [markdown] tags=["think-answer"]
# At the beginning many noisy steps win: any gradient that points roughly downhill will do, and the noise even helps to
# leave saddles. Near the end the noise keeps the weights from settling, and one either takes larger batches or a smaller
# learning rate (question 10). A batch of one wastes the machine: 64 examples take hardly longer than one, because their
# products can be computed together.

# %% [markdown]
# ## 10 · When to take smaller steps
#
# The authors of AlexNet watched the validation error and divided the learning rate by 10 when it "stopped improving"
# [12, section 5]: from 0.01, three times before the end. (A lecture says "reduced *by* 10". It is divided.) Make a
# function of it: when **patience** epochs in a row have brought no error below the best one so far, the rate is divided
# by 10 and the counting begins anew. An error that equals the best is no improvement. The best one is never forgotten.


# %% answer="plateau"
def next_learning_rate(errors, start=0.01, patience=3):
    """The learning rate for the next epoch.

    Args:
        errors: the validation error (%) after each epoch so far, a list of floats; empty before the first.
        start: the learning rate of the first epoch, a float.
        patience: after how many epochs in a row without a new best error the rate is divided by 10, an int.

    Returns:
        A float, for instance `next_learning_rate([9, 8, 8, 8, 8.5]) == 0.001`.
    """
    ### BEGIN SOLUTION
    rate, best, waited = start, float("inf"), 0
    for error in errors:
        waited += 1
        if error < best:
            best, waited = error, 0
        if waited == patience:
            rate, waited = rate / 10, 0
    return rate
    ### END SOLUTION


# %% test="plateau" points=2
q = check.question(
    "plateau",
    points=2,
    why="Keras has it as ReduceLROnPlateau. The noise falls with the learning rate, and the weights settle.",
    misconceptions={
        "compared-with-last": "Compare with the best error so far, not with the last one.",
        "not-in-a-row": "In a row: a new best error ends the waiting.",
        "only-once": "It may fall again, and again.",
        "too-late": "`patience` epochs without a new best are enough.",
        "too-early": "Wait for `patience` epochs.",
        "every-epoch-after": "After a fall the counting begins anew.",
        "equal-is-better": "An error that equals the best one is no improvement.",
        "best-forgotten": "The best error is kept when the rate falls.",
        "subtracted": "The rate is divided by 10, never negative, never zero.",
        "multiplied-up": "Smaller steps: divide.",
        "settings-ignored": "`start` and `patience` are arguments: is there still a 0.01 or a 3 in your code?",
    },
)
errors = [30, 20, 21, 20.5, 19, 19.5, 19.2, 19, 19.3, 18, 18.5, 18.2, 18.4, 18.3, 18.6, 18.1]
after = lambda errors, **settings: [next_learning_rate(errors[:n], **settings) for n in range(len(errors) + 1)]


def falls(errors):
    """How often the rate has fallen after 0, 1, 2, … epochs, a digit each; a ? is neither 0.01 nor a 10ᵏth of it."""
    rates = after(errors)
    digit = lambda rate: next((str(k) for k in range(9) if abs(100 * 10**k * float(rate) - 1) < 1e-4), "?")
    return None if any(rate is None for rate in rates) else "".join(map(digit, rates))


q.close("before the first epoch", lambda: next_learning_rate([]), 0.01, weight=0.5)
near = lambda *rates: lambda r: any(abs(r / rate - 1) < 1e-5 for rate in rates)
judged = {"multiplied-up": lambda r: r > 0.01, "subtracted": lambda r: r <= 0}
answer = lambda: next_learning_rate([9, 8, 8, 8, 8.5])
q.satisfies("after 9, 8, 8, 8, 8.5", answer, near(0.001), judged, 0.5, "0.001")
answer = lambda: next_learning_rate([5, 6, 6], start=0.4, patience=2)
judged = {"settings-ignored": near(0.01, 0.001)}
q.satisfies("after 5, 6, 6, from 0.4 and with patience 2", answer, near(0.04), judged, 0.5, "0.04")
wrong = {"compared-with-last": "0" * 17, "not-in-a-row": "00000011122223334", "only-once": "0" * 8 + "1" * 9}
wrong |= {"too-late": "00000000011111222", "too-early": "00001112233344556", "every-epoch-after": "00000000122223456"}
wrong |= {"equal-is-better": "00000000000001112", "best-forgotten": "00000000111112222"}
q.equal("sixteen epochs: how often it has fallen, from epoch to epoch", lambda: falls(errors), "00000000111112223", wrong)
### BEGIN HIDDEN TESTS


def rates_by_keras(errors, start, patience):
    """The learning rate before each epoch and after the last, by Keras's callback."""
    callback = keras.callbacks.ReduceLROnPlateau("val_error", 0.1, patience, mode="min", min_delta=0)
    callback.set_model(SimpleNamespace(optimizer=optimizers.SGD(start)))
    callback.on_train_begin()
    rates = [start]
    for epoch, error in enumerate(errors):
        callback.on_epoch_end(epoch, {"val_error": error})
        rates.append(float(callback.model.optimizer.learning_rate))
    return rates


def mistaken(errors, start, patience, last=False, total=False, once=False, forget=False, go_on=False, equal=False):
    """The rates that a mistake gives."""
    rates, best, waited = [start], np.inf, 0
    for error in errors:
        better = error <= best if equal else error < best
        waited = (waited if total else 0) if better else waited + 1
        best = error if last else min(best, error)
        fall = not better and (waited >= patience if go_on else waited == patience) and not (once and rates[-1] < start)
        rates.append(rates[-1] / 10 if fall else rates[-1])
        waited = 0 if fall and not go_on else waited
        best = np.inf if fall and forget else best
    return rates


def mistaken_rates(errors, start, patience):
    """What each of the mistakes gives."""
    odd = {"compared-with-last": "last", "not-in-a-row": "total", "only-once": "once", "best-forgotten": "forget"}
    odd |= {"every-epoch-after": "go_on", "equal-is-better": "equal"}
    wrong = {name: mistaken(errors, start, patience, **{flag: True}) for name, flag in odd.items()}
    wrong |= {"too-late": rates_by_keras(errors, start, patience + 1)}
    return wrong | ({"too-early": rates_by_keras(errors, start, patience - 1)} if patience > 2 else {})


with q.hidden():
    rng = check.rng()
    for patience in (2, 4):
        falls = [[b, *(b + rng.integers(1, 5, n)), b - 1, b, b - 1] for b, n in zip((40, 30, 20), (1, patience - 1, 1), strict=True)]
        stalls = [[10, *(10 + rng.integers(1, 9, n - 1)), 10, 9.5] for n in (patience, 2 * patience)]
        errors = [float(e) for part in [*falls, *stalls] for e in part]
        errors += [e + more for e in (9.0, 8.0) for more in (0, 2, 1, 0)]
        errors += [9.0 - 0.1 * i for i in range(3 * patience + 1)]
        start = 0.5 + float(rng.random())
        answer = lambda e=errors, s=start, p=patience: after(e, start=s, patience=p)
        wrong = lambda e=errors, s=start, p=patience: mistaken_rates(e, s, p)
        q.close("as Keras's callback", answer, rates_by_keras(errors, start, patience), 1e-5, 0, wrong)
### END HIDDEN TESTS
q.score()

# %% [markdown]
# ## One network, seven optimizers
#
# Enough of parabolas. A small convolutional network reads the digits; with `SCALE = "full"` it tells the clothes of
# Fashion-MNIST apart (58,000 training images, the last 2,000 kept for validation). Every run begins with the same
# weights and sees the same batches of 64.

# %% tags=["explore"]
images, PASSES, STALLING = data.digits(28), 8, 18
X_train, y_train, X_val, y_val = images.X_train, images.y_train, images.X_val, images.y_val
if SCALE == "full":
    images, PASSES, STALLING = data.load("fashion_mnist"), 4, 18
    X_train, y_train = images.X_train[:-2000], images.y_train[:-2000]
    X_val, y_val = images.X_train[-2000:], images.y_train[-2000:]
keras.utils.set_random_seed(SEED)
net = keras.Sequential([keras.Input((28, 28, 1)), layers.Conv2D(8, 5, 2, activation="relu")])
net.add(layers.Conv2D(16, 3, 2, activation="relu"))
net.add(layers.Flatten())
net.add(layers.Dense(10))
X_all, y_all = tf.constant(X_train), tf.constant(y_train)
print(images, f"and {net.count_params():,} parameters")


# %% tags=["explore"]
def stepper(optimizer):
    """An optimizer, its state before the first step, and a pass through batches, which gives their mean loss."""
    optimizer.build(net.trainable_variables)
    state = [variable.numpy() for variable in optimizer.variables]

    def step(batch):
        with tf.GradientTape() as tape:
            logits = net(tf.gather(X_all, batch), training=True)
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(tf.gather(y_all, batch), logits))
        optimizer.apply(tape.gradient(loss, net.trainable_variables))
        return loss

    @tf.function(input_signature=[tf.TensorSpec((None, None), tf.int64)], autograph=False)
    def run_pass(batches):
        return tf.reduce_mean(tf.map_fn(step, batches, parallel_iterations=1, fn_output_signature=tf.float32))

    return optimizer, state, run_pass


# %% tags=["explore"]
steppers = {
    "SGD": optimizers.SGD(),
    "momentum": optimizers.SGD(momentum=0.9),
    "Nesterov": optimizers.SGD(momentum=0.9, nesterov=True),
    "AdaGrad": optimizers.Adagrad(),
    "RMSProp": optimizers.RMSprop(),
    "AdaDelta": optimizers.Adadelta(),
    "Adam": optimizers.Adam(),
}
steppers = {name: stepper(optimizer) for name, optimizer in steppers.items()}
untrained = net.get_weights()


# %% tags=["explore"]
def train_net(name, rates, images_used=None, batch=64):
    """Train anew, a pass for each rate that the iterable gives; yield the mean loss of each pass."""
    optimizer, state, run_pass = steppers[name]
    net.set_weights(untrained)
    for variable, value in zip(optimizer.variables, state, strict=True):
        variable.assign(value)
    rng = np.random.default_rng(SEED)
    for rate in rates:
        optimizer.learning_rate = rate
        order = rng.permutation(len(y_train[:images_used]))
        yield float(run_pass(order[: len(order) // batch * batch].reshape(-1, batch)))


def net_error(X, y):
    """The network's error on these images in %."""
    return metrics.error_rate(y, np.argmax(net(X), axis=-1))


# %% [markdown]
# ### A sweep of learning rates
#
# First the learning rate, for each by itself: the mean loss of the last of two short passes (at full scale: of one,
# through 12,000 images). A network that guesses has a loss of $\ln 10 = 2.3$; what is above 2.6 is not drawn.

# %% tags=["explore"]
sweep_rates = 10.0 ** np.arange(-3, 1.6, 0.5)
tries = 1 if SCALE == "full" else 2
sweep = {
    name: np.array([list(train_net(name, [rate] * tries, 12_000))[-1] for rate in sweep_rates]) for name in steppers
}
best = {name: float(sweep_rates[np.nanargmin(losses)]) for name, losses in sweep.items()}
assert round(float(np.log(10)), 1) == 2.3

# %% tags=["explore"]
with plots.style():
    fig, axes = plt.subplots(1, 2, figsize=(6.4, 3.4), sharey=True, layout="constrained")
    fig.suptitle("Every optimizer has its own valley of learning rates", x=0.01, ha="left")
sides = {"Nesterov": "right", "RMSProp": "right", "SGD": "left", "Adam": "left"}
for i, (name, losses) in enumerate(sweep.items()):
    ax, k = axes[int(i >= 3)], i if i < 3 else i - 3
    lowest = sweep_rates[np.nanargmin(losses)], np.nanmin(losses)
    losses, colour = np.where(losses < 2.6, losses, np.nan), plots.COLOURS[k]
    ax.plot(sweep_rates, losses, color=colour, linestyle=plots.DASHES[k], marker="o", markersize=3)
    place = {"ha": sides.get(name, "center"), "textcoords": "offset points"}
    ax.annotate(name, lowest, (0, -13), color=colour, weight="bold", **place)
for ax in axes:
    ax.set(xscale="log", yscale="log", xlabel="learning rate", ylim=(0.12, 3))
axes[0].set_ylabel("training loss (nats)")
plots.show(
    fig,
    alt="Two panels of U-shaped curves of the loss over the learning rate, both axes logarithmic. Left SGD, momentum and Nesterov, "
    "right AdaGrad, RMSProp, AdaDelta and Adam. Each has its lowest point at another learning rate; to the right of it the "
    "loss soon jumps back to 2.3.",
)
print(", ".join(f"{name} {rate:.2g}" for name, rate in best.items()))

# %% [markdown]
# **Look.** Now all seven, each at its own best rate. Who is first, and how large are the differences after the last
# pass? (One network and one seed: this is a race, not a law. Nor can so few validation images rank them.)

# %% tags=["explore"]
races = {}
for name, rate in best.items():
    races[name] = list(train_net(name, [rate] * PASSES))
    metrics.record(f"validation_error_{name.lower()}", net_error(X_val, y_val), "%")
plots.curves(
    races,
    xlabel="passes through the training images",
    ylabel="training loss (nats)",
    yscale="log",
    title="Seven optimizers, each at its best learning rate",
    alt="Seven falling curves of the training loss, pass by pass, on a logarithmic scale. They start far apart, those "
    "with a rate for every weight ahead of plain SGD, and end close together.",
)

# %% [markdown]
# **Look.** The plateau, live: momentum with batches of 16 and a rate too large to settle, once constant and once with your
# rule of question 10. (At full scale with the first 12,000 images only.)

# %% tags=["explore"]
def watched(rule):
    """Train with the rate that the rule makes of the validation errors so far: the errors and the rates, pass by pass."""
    errors, rates = [], []
    training = train_net("momentum", (rates[-1] for _ in range(STALLING)), 12_000, 16)
    for _ in range(STALLING):
        rates.append(float(rule(errors)))
        next(training)
        errors.append(net_error(X_val, y_val))
    return errors, rates


constant = falling = None
with check.waits_for("plateau"):
    constant, _ = watched(lambda errors: 0.05)
    falling, by_pass = watched(lambda errors: next_learning_rate(errors, start=0.05))
    metrics.record("validation_error_constant_rate", np.mean(constant[-5:]), "%")
    metrics.record("validation_error_falling_rate", np.mean(falling[-5:]), "%")

# %% tags=["explore"]
with check.waits_for("plateau", falling):
    fig = plots.draw_curves(
        {"constant": constant, "÷10 when it stalls": falling},
        range(1, STALLING + 1),
        xlabel="passes through the training images",
        ylabel="validation error (%)",
        title="Smaller steps, and the error settles",
    )
    for i in range(1, STALLING):
        if by_pass[i] < by_pass[i - 1]:
            fig.axes[0].axvline(i + 0.5, color=plots.GREY, linewidth=1, linestyle=":")
    plots.show(fig, alt="Two curves of the validation error. With a constant rate it keeps jumping up and down; with the "
        "rule it jumps until the first dotted line, where the rate falls, and is low and level from there on.")

# %% [markdown]
# ## From the old names to today's
#
# | TensorFlow 1 | today, `keras.optimizers` | mind |
# |---|---|---|
# | `tf.train.GradientDescentOptimizer` | `SGD` | |
# | `tf.train.MomentumOptimizer` | `SGD(momentum=0.9)` | the rate was outside: question 2 |
# | `tf.train.MomentumOptimizer(use_nesterov=True)` | `SGD(momentum=0.9, nesterov=True)` | likewise |
# | `tf.train.AdagradOptimizer` | `Adagrad` | had no ε |
# | `tf.train.RMSPropOptimizer` | `RMSprop` | `decay` is now `rho`; the mean began at 1, now at 0; ε was 10⁻¹⁰ |
# | `tf.train.AdadeltaOptimizer` | `Adadelta` | both have the rate 0.001, the paper none, that is 1 |
# | `tf.train.AdamOptimizer` | `Adam` | ε was 10⁻⁸, is 10⁻⁷ |
#
# The old ones live on in `tf.compat.v1.train`.

# %% tags=["explore"]
old = tf.compat.v1.train
assert default(old.RMSPropOptimizer, "decay") == 0.9
assert default(old.RMSPropOptimizer, "epsilon") == 1e-10
assert default(old.AdadeltaOptimizer, "learning_rate") == default(optimizers.Adadelta, "learning_rate") == 0.001
assert default(old.AdamOptimizer, "epsilon") == 1e-8
assert "epsilon" not in inspect.signature(old.AdagradOptimizer).parameters
w, rate = tf.Variable([10.0]), tf.Variable(0.1)
momentum = old.MomentumOptimizer(lambda: rate, 0.9)
momentum.apply_gradients([(tf.constant([1.0]), w)])
rate.assign(0.01)
momentum.apply_gradients([(tf.constant([1.0]), w)])
assert abs(float(w[0]) - (10 - 0.1 * 1 - 0.01 * 1.9)) < 1e-5  # outside: the memory is scaled down as well

# %% [markdown]
# ## Which to use
#
# * **SGD with momentum 0.9** (or Nesterov's), the learning rate swept and lowered towards the end. Nearly all the
#   networks of this course were trained like this, AlexNet first.
# * **Adam** when you want something that works soon: its best rate lies near 0.001 for many networks (higher for our small
#   one and its few passes), since its steps do not depend on the size of the gradients. With weight decay take **AdamW**, which is Adam with decoupled decay.
# * **RMSProp** has a name for recurrent networks; it is Adam without the mean of gradients and without hats. **AdaGrad**
#   where gradients are sparse, as with words. **AdaDelta** hardly any more.
# * Do not believe a comparison, this one included, in which the learning rates were not swept for each by itself. Wilson
#   and others [15] found that SGD with momentum generalised better than Adam; Choi and others [16] that a richer rule never
#   lost to a simpler one once all its settings were tuned. Both measured; the difference was in how they tuned.
#
# ## To take away
#
# * The gradient points uphill. Every sign of a printed rule can be tested with one step from rest.
# * Momentum is a sum that forgets: $1/(1-\rho)$ times as far in a steady slope. Its two forms part when the rate changes.
# * Nesterov looks ahead; frameworks store the place ahead.
# * AdaGrad's *steps* shrink; RMSProp forgets; Adam adds momentum and corrects both means, each with its own $\beta$.
# * Per-weight rates straighten ravines along the axes, and only those.
# * Decay in the loss and decay of the weights are the same thing for plain SGD, and not for Adam.
# * In many dimensions it is saddles where SGD lingers, rather than bad minima where it is stuck (Dauphin and others).
# * Twice the batch, half the noise; a tenth of the rate when it stalls.
#
# ## References
#
# 1. A. Cauchy: *Méthode générale pour la résolution des systèmes d'équations simultanées.* Comptes rendus 25, 536–538,
#    1847.
# 2. H. Robbins, S. Monro: *A stochastic approximation method.* Annals of Mathematical Statistics 22(3), 400–407, 1951.
# 3. B. T. Polyak: *Some methods of speeding up the convergence of iteration methods.* USSR Computational Mathematics and
#    Mathematical Physics 4(5), 1–17, 1964.
# 4. Yu. E. Nesterov: *A method of solving a convex programming problem with convergence rate O(1/k²).* Soviet
#    Mathematics Doklady 27(2), 372–376, 1983.
# 5. I. Sutskever, J. Martens, G. Dahl, G. Hinton: *On the importance of initialization and momentum in deep learning.*
#    ICML, PMLR 28(3), 1139–1147, 2013.
# 6. J. Duchi, E. Hazan, Y. Singer: *Adaptive subgradient methods for online learning and stochastic optimization.* JMLR
#    12, 2121–2159, 2011.
# 7. T. Tieleman, G. Hinton: *Lecture 6.5, RMSProp: divide the gradient by a running average of its recent magnitude.*
#    COURSERA: Neural Networks for Machine Learning, 2012.
# 8. M. D. Zeiler: *ADADELTA: an adaptive learning rate method.* arXiv:1212.5701, 2012.
# 9. D. P. Kingma, J. Ba: *Adam: a method for stochastic optimization.* ICLR, 2015. arXiv:1412.6980
# 10. S. Ruder: *An overview of gradient descent optimization algorithms.* arXiv:1609.04747, 2016.
# 11. Y. Bengio, N. Boulanger-Lewandowski, R. Pascanu: *Advances in optimizing recurrent networks.* ICASSP, 8624–8628,
#     2013.
# 12. A. Krizhevsky, I. Sutskever, G. E. Hinton: *ImageNet classification with deep convolutional neural networks.* NIPS 25,
#     1097–1105, 2012.
# 13. I. Loshchilov, F. Hutter: *Decoupled weight decay regularization.* ICLR, 2019. arXiv:1711.05101
# 14. Y. N. Dauphin, R. Pascanu, C. Gulcehre, K. Cho, S. Ganguli, Y. Bengio: *Identifying and attacking the saddle point
#     problem in high-dimensional non-convex optimization.* NIPS 27, 2933–2941, 2014.
# 15. A. C. Wilson, R. Roelofs, M. Stern, N. Srebro, B. Recht: *The marginal value of adaptive gradient methods in machine
#     learning.* NIPS 30, 4148–4158, 2017.
# 16. D. Choi, C. J. Shallue, Z. Nado, J. Lee, C. J. Maddison, G. E. Dahl: *On empirical comparisons of optimizers for
#     deep learning.* arXiv:1910.05446, 2019.
