# %% [markdown]
# # Toy
# A lab of three questions for the tests of the engine. The threshold is {{thresholds.half}}.

# %% tags=["parameters"]
SEED = 0
SCALE = "smoke"

# %% setup="imports"
import numpy as np

from labkit import check, metrics

# %% [markdown]
# ## Output size


# %% answer="output-size"
def output_size(n, kernel_size):
    """How many positions a kernel of ``kernel_size`` has on ``n`` pixels."""
    ### BEGIN SOLUTION
    return n - kernel_size + 1
    ### END SOLUTION


# %% test="output-size" points=3
q = check.question(
    "output-size",
    points=3,
    why="Every shape of the course follows from it.",
    misconceptions={"no-plus-one": "Count the first position too."},
)
q.equal("a kernel of 5 on 32 pixels", lambda: output_size(32, 5), 28, wrong={"no-plus-one": 27})
### BEGIN HIDDEN TESTS
with q.hidden():
    n, k = (int(v) for v in check.rng().integers((20, 2), (40, 9)))
    q.equal("SECRET-SIZE", lambda: output_size(n, k), n - k + 1, wrong={"no-plus-one": n - k})
### END HIDDEN TESTS
q.score()

# %% [markdown]
# ## A value

# %% answer="biases"
biases = None  # an int: how many biases six feature maps have
### BEGIN SOLUTION
biases = 6
### END SOLUTION

# %% test="biases" points=1
q = check.question(
    "biases", points=1, misconceptions={"one-a-weight": "A bias belongs to a map, not to a weight."}
)
q.equal("six maps", lambda: biases, 6, wrong={"one-a-weight": 150})
q.score()

# %% [markdown]
# ## Softmax


# %% answer="softmax"
def softmax(z):
    """Probabilities from logits ``z``, of shape (n, classes)."""
    ### BEGIN SOLUTION
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)
    ### END SOLUTION


# %% test="softmax" points=2
q = check.question(
    "softmax", points=2, misconceptions={"overflow": "Subtract the largest logit of each row first."}
)
q.close("two logits", lambda: softmax(np.array([[0.0, np.log(3)]])), [[0.25, 0.75]])
q.raises("a text", lambda: softmax("logits"), Exception)
### BEGIN HIDDEN TESTS
with q.hidden():
    z = 1000 * (1 + check.rng().random((4, 3)))  # their exponentials are all infinite
    e = np.exp(z - z.max(axis=1, keepdims=True))
    q.close("SECRET-LOGITS", lambda: softmax(z), e / e.sum(axis=1, keepdims=True))
    q.satisfies(
        "SECRET-FINITE",
        lambda: softmax(z),
        lambda p: np.isfinite(p).all(),
        wrong={"overflow": lambda p: not np.isfinite(p).all()},
    )
### END HIDDEN TESTS
q.score()

# %% tags=["explore"]
with check.waits_for("output-size"):
    metrics.record("positions", output_size(32, 5), unit="pixels", published=28, source="arithmetic")

# %% [markdown]
# **Think.** Why does the bias not depend on the kernel's size?

# %% [markdown] tags=["think-answer"]
# THINK-ANSWER: it is added once a map.
