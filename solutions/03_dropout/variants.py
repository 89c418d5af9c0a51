# %% [markdown]
# Wrong and other right answers to every question of lab 03. Each cell replaces one whole answer cell.

# %% question="dropout-mask" wrong="rate-for-keep-prob"
def dropout_mask(shape, keep_prob, rng):
    return (rng.random(shape) > keep_prob).astype(int)

# %% question="dropout-mask" wrong="one-mask-for-the-batch"
def dropout_mask(shape, keep_prob, rng):
    examples, units = shape
    mask = rng.random(units) < keep_prob
    return np.tile(mask, (examples, 1))

# %% question="dropout-mask" wrong="one-mask-for-the-batch" name="shape of a single example"
def dropout_mask(shape, keep_prob, rng):
    return rng.random(shape[1]) < keep_prob

# %% question="dropout-mask" wrong="whole-examples"
def dropout_mask(shape, keep_prob, rng):
    return np.repeat(rng.random((shape[0], 1)) < keep_prob, shape[1], axis=1)

# %% question="dropout-mask" wrong="fixed-number"
def dropout_mask(shape, keep_prob, rng):
    mask = np.zeros(shape)
    for row in mask:
        row[rng.permutation(shape[1])[: round(keep_prob * shape[1])]] = 1
    return mask

# %% question="dropout-mask" wrong="fixed-number" name="fixed number in the whole mask"
def dropout_mask(shape, keep_prob, rng):
    size = shape[0] * shape[1]
    return rng.permutation(np.arange(size) < keep_prob * size).reshape(shape)

# %% question="dropout-mask" wrong="not-zeros-and-ones"
def dropout_mask(shape, keep_prob, rng):
    return rng.random(shape)

# %% question="dropout-mask" wrong="scaled"
def dropout_mask(shape, keep_prob, rng):
    return (rng.random(shape) < keep_prob) / keep_prob

# %% question="dropout-mask" wrong="own-generator"
def dropout_mask(shape, keep_prob, rng):
    return np.random.rand(*shape) < keep_prob

# %% question="dropout-mask" wrong="own-generator" name="a seed of its own"
def dropout_mask(shape, keep_prob, rng):
    rng = np.random.default_rng(42)
    return rng.random(shape) < keep_prob

# %% question="dropout-mask" right="binomial"
def dropout_mask(shape, keep_prob, rng):
    return rng.binomial(1, keep_prob, size=shape)

# %% question="dropout-mask" right="entry by entry, in lists"
def dropout_mask(shape, keep_prob, rng):
    rows, columns = shape
    return [[1.0 if rng.uniform() <= keep_prob else 0.0 for _ in range(columns)] for _ in range(rows)]

# %% question="dropout-mask" right="choice, as a tensor"
def dropout_mask(shape, keep_prob, rng):
    return tf.constant(rng.choice([0.0, 1.0], size=shape, p=[1 - keep_prob, keep_prob]))

# %% question="dropout-mask" wrong="keep-prob-ignored"
def dropout_mask(shape, keep_prob, rng):
    return rng.integers(0, 2, size=shape)

# %% question="dropout-mask" wrong="normal-numbers"
def dropout_mask(shape, keep_prob, rng):
    return (rng.normal(size=shape) < keep_prob).astype(float)

# %% question="dropout-mask" right="floor, as in the old TensorFlow"
def dropout_mask(shape, keep_prob, rng):
    return np.floor(keep_prob + rng.random(shape))

# %% question="vanilla-dropout" wrong="rate-at-test-time"
def vanilla_dropout(A, keep_prob, training, rng=None):
    if training:
        return A * (rng.random(A.shape) < keep_prob)
    return A * (1 - keep_prob)

# %% question="vanilla-dropout" wrong="test-untouched"
def vanilla_dropout(A, keep_prob, training, rng=None):
    if training:
        return A * (rng.random(A.shape) < keep_prob)
    return A

# %% question="vanilla-dropout" wrong="made-larger"
def vanilla_dropout(A, keep_prob, training, rng=None):
    if training:
        return A * (rng.random(A.shape) < keep_prob)
    return A / keep_prob

# %% question="vanilla-dropout" wrong="dropped-at-test-time"
def vanilla_dropout(A, keep_prob, training, rng=None):
    rng = rng or np.random.default_rng()
    A = A * (rng.random(A.shape) < keep_prob)
    return A if training else A * keep_prob

# %% question="vanilla-dropout" wrong="changed-in-place"
def vanilla_dropout(A, keep_prob, training, rng=None):
    if training:
        A *= rng.random(A.shape) < keep_prob
        return A
    return keep_prob * A

# %% question="vanilla-dropout" wrong="scaled-in-training"
def vanilla_dropout(A, keep_prob, training, rng=None):
    if training:
        return A * (rng.random(A.shape) < keep_prob) / keep_prob
    return A * keep_prob

# %% question="vanilla-dropout" wrong="nothing-dropped"
def vanilla_dropout(A, keep_prob, training, rng=None):
    return A + 0 if training else A * keep_prob

# %% question="vanilla-dropout" wrong="rate-for-keep-prob"
def vanilla_dropout(A, keep_prob, training, rng=None):
    if training:
        return A * (rng.random(A.shape) > keep_prob)
    return A * keep_prob

# %% question="vanilla-dropout" wrong="one-mask-for-the-batch"
def vanilla_dropout(A, keep_prob, training, rng=None):
    if training:
        return A * (rng.random(A.shape[1]) < keep_prob)
    return A * keep_prob

# %% question="vanilla-dropout" right="where"
def vanilla_dropout(A, keep_prob, training, rng=None):
    if not training:
        return keep_prob * np.asarray(A)
    return np.where(rng.uniform(size=np.shape(A)) <= keep_prob, A, 0.0)

# %% question="vanilla-dropout" right="a copy with holes"
def vanilla_dropout(A, keep_prob, training, rng=None):
    out = np.array(A, dtype=float)
    if training:
        out[rng.binomial(1, 1 - keep_prob, out.shape) == 1] = 0
        return out
    out *= keep_prob
    return out

# %% question="vanilla-dropout" wrong="changed-in-place" name="at test time only"
def vanilla_dropout(A, keep_prob, training, rng=None):
    if training:
        return A * (rng.random(A.shape) < keep_prob)
    A *= keep_prob
    return A

# %% question="inverted-dropout" wrong="not-scaled"
def inverted_dropout(A, keep_prob, training, rng=None):
    if training:
        return A * (rng.random(A.shape) < keep_prob)
    return A

# %% question="inverted-dropout" wrong="made-smaller"
def inverted_dropout(A, keep_prob, training, rng=None):
    if training:
        return A * (rng.random(A.shape) < keep_prob) * keep_prob
    return A

# %% question="inverted-dropout" wrong="scaled-by-the-rate"
def inverted_dropout(A, keep_prob, training, rng=None):
    if training:
        return A * (rng.random(A.shape) < keep_prob) / (1 - keep_prob)
    return A

# %% question="inverted-dropout" wrong="scaled-at-test-time"
def inverted_dropout(A, keep_prob, training, rng=None):
    if training:
        return A * (rng.random(A.shape) < keep_prob) / keep_prob
    return A * keep_prob

# %% question="inverted-dropout" wrong="scaled-at-test-time" name="divided at test time"
def inverted_dropout(A, keep_prob, training, rng=None):
    mask = rng.random(A.shape) < keep_prob if training else 1
    return A * mask / keep_prob

# %% question="inverted-dropout" wrong="dropped-at-test-time"
def inverted_dropout(A, keep_prob, training, rng=None):
    rng = rng or np.random.default_rng()
    return A * (rng.random(A.shape) < keep_prob) / keep_prob

# %% question="inverted-dropout" wrong="rate-for-keep-prob"
def inverted_dropout(A, keep_prob, training, rng=None):
    if training:
        return A * (rng.random(A.shape) < 1 - keep_prob) / (1 - keep_prob)
    return A

# %% question="inverted-dropout" wrong="rate-for-keep-prob" name="only the mask turned round"
def inverted_dropout(A, keep_prob, training, rng=None):
    if training:
        return A * (rng.random(A.shape) > keep_prob) / keep_prob
    return A

# %% question="inverted-dropout" wrong="one-mask-for-the-batch"
def inverted_dropout(A, keep_prob, training, rng=None):
    if training:
        return A * (rng.random((1, A.shape[1])) < keep_prob) / keep_prob
    return A

# %% question="inverted-dropout" wrong="nothing-dropped"
def inverted_dropout(A, keep_prob, training, rng=None):
    return A / keep_prob if training else A

# %% question="inverted-dropout" wrong="scaled-by-the-batch"
def inverted_dropout(A, keep_prob, training, rng=None):
    if training:
        mask = rng.random(A.shape) < keep_prob
        return A * mask / mask.mean()
    return A

# %% question="inverted-dropout" right="TensorFlow, the mask drawn in NumPy"
def inverted_dropout(A, keep_prob, training, rng=None):
    A = tf.convert_to_tensor(A)
    if not training:
        return tf.identity(A)
    mask = tf.cast(rng.random(A.shape) < keep_prob, A.dtype)
    return A * mask / keep_prob

# %% question="inverted-dropout" right="where, and an early return"
def inverted_dropout(A, keep_prob, training, rng=None):
    if not training or keep_prob == 1:
        return A
    dropped = rng.uniform(0, 1, size=A.shape) >= keep_prob
    return np.where(dropped, 0, A * (1 / keep_prob))

# %% question="inverted-dropout" wrong="changed-in-place"
def inverted_dropout(A, keep_prob, training, rng=None):
    if training:
        A *= rng.random(A.shape) < keep_prob
        A /= keep_prob
    return A

# %% question="inverted-dropout" wrong="scaled-by-the-batch" name="row by row"
def inverted_dropout(A, keep_prob, training, rng=None):
    if training:
        mask = rng.random(A.shape) < keep_prob
        return A * mask / mask.mean(axis=1, keepdims=True)
    return A

# %% question="inverted-dropout" right="TensorFlow's own, seeded by the generator"
def inverted_dropout(A, keep_prob, training, rng=None):
    if not training or keep_prob == 1:
        return A
    seed = rng.integers(0, 2**31 - 1, size=2)
    return tf.nn.experimental.stateless_dropout(A, rate=1 - keep_prob, seed=seed).numpy()

# %% question="expected-output" wrong="test-time"
def expected_output(f, x, keep_prob):
    return f(x)

# %% question="expected-output" wrong="masks-equally-likely"
def expected_output(f, x, keep_prob):
    masks = list(product([0, 1], repeat=len(x)))
    return sum(f(x * np.array(mask)) for mask in masks) / len(masks)

# %% question="expected-output" wrong="rate-for-keep-prob"
def expected_output(f, x, keep_prob):
    total = 0
    for mask in product([0, 1], repeat=len(x)):
        probability = 1
        for kept in mask:
            probability *= 1 - keep_prob if kept else keep_prob
        total += probability * f(x * np.array(mask))
    return total

# %% question="expected-output" wrong="empty-mask-forgotten"
def expected_output(f, x, keep_prob):
    total = 0
    for mask in product([0, 1], repeat=len(x)):
        k = sum(mask)
        if k:
            total += keep_prob**k * (1 - keep_prob) ** (len(x) - k) * f(x * np.array(mask))
    return total

# %% question="expected-output" wrong="empty-mask-forgotten" name="and the rest renormalised"
def expected_output(f, x, keep_prob):
    total = weight = 0
    for number in range(1, 2 ** len(x)):
        mask = np.array([number >> i & 1 for i in range(len(x))])
        p = np.prod(np.where(mask, keep_prob, 1 - keep_prob))
        total, weight = total + p * f(x * mask), weight + p
    return total / weight

# %% question="expected-output" wrong="function-of-the-mean"
def expected_output(f, x, keep_prob):
    return f(keep_prob * x)

# %% question="expected-output" wrong="scaled"
def expected_output(f, x, keep_prob):
    total = 0
    for mask in product([0, 1], repeat=len(x)):
        k = sum(mask)
        total += keep_prob**k * (1 - keep_prob) ** (len(x) - k) * f(x * np.array(mask) / keep_prob)
    return total

# %% question="expected-output" wrong="sampled"
def expected_output(f, x, keep_prob):
    rng = np.random.default_rng(0)
    return np.mean([f(x * (rng.random(len(x)) < keep_prob)) for _ in range(3000)])

# %% question="expected-output" right="probabilities as products"
def expected_output(f, x, keep_prob):
    masks = np.array(list(product([0, 1], repeat=len(x))))
    chances = np.prod(np.where(masks == 1, keep_prob, 1 - keep_prob), axis=1)
    return np.dot(chances, [float(f(mask * x)) for mask in masks])

# %% question="expected-output" right="one input after the other"
def expected_output(f, x, keep_prob):
    def average(kept, rest):
        if not rest:
            return f(np.array(kept))
        return keep_prob * average(kept + rest[:1], rest[1:]) + (1 - keep_prob) * average(kept + [0.0], rest[1:])

    return average([], list(x))

# %% question="expected-output" wrong="counted-again"
def expected_output(f, x, keep_prob):
    from math import comb

    n, total = len(x), 0
    for mask in product([0, 1], repeat=n):
        k = sum(mask)
        total += comb(n, k) * keep_prob**k * (1 - keep_prob) ** (n - k) * f(x * np.array(mask))
    return total

# %% question="expected-output" right="masks and probabilities by doubling"
def expected_output(f, x, keep_prob):
    masks, p = np.zeros((1, 0)), np.ones(1)
    for _ in x:
        masks = np.vstack([np.hstack([masks, np.full((len(masks), 1), bit)]) for bit in (0.0, 1.0)])
        p = np.concatenate([p * (1 - keep_prob), p * keep_prob])
    return sum(pi * f(np.asarray(x) * mi) for pi, mi in zip(p, masks))

# %% question="count-masks" wrong="natural-logarithm"
def log10_masks(units):
    return units * np.log(2)


units_beyond_atoms = 119

# %% question="count-masks" wrong="binary-logarithm"
def log10_masks(units):
    return float(units)


units_beyond_atoms = 83

# %% question="count-masks" wrong="two-for-each-unit"
def log10_masks(units):
    return np.log10(2 * units)


units_beyond_atoms = 273

# %% question="count-masks" wrong="no-logarithm"
def log10_masks(units):
    return 2**units if units < 5000 else float("inf")


units_beyond_atoms = 273

# %% question="count-masks" wrong="too-large"
def log10_masks(units):
    return np.log10(2.0**units)


units_beyond_atoms = 273

# %% question="count-masks" wrong="infinite"
def log10_masks(units):
    return np.log10(np.power(2.0, units))


units_beyond_atoms = 273

# %% question="count-masks" wrong="one-less"
def log10_masks(units):
    return units * np.log10(2)


units_beyond_atoms = int(82 / np.log10(2))

# %% question="count-masks" wrong="exponents-compared"
def log10_masks(units):
    return units * np.log10(2)


units_beyond_atoms = 83

# %% question="count-masks" wrong="not-whole"
def log10_masks(units):
    return units * np.log10(2)


units_beyond_atoms = 82 / np.log10(2)

# %% question="count-masks" right="change of base"
import math


def log10_masks(units):
    return units / math.log2(10)


units_beyond_atoms = math.ceil(82 * math.log2(10))

# %% question="count-masks" right="Python's whole numbers have no end"
import math


def log10_masks(units):
    return math.log10(1 << units)


units_beyond_atoms = (10**82).bit_length()

# %% question="count-masks" wrong="wrapped"
def log10_masks(units):
    return np.log10(np.power(2, units))


units_beyond_atoms = 273

# %% question="count-masks" right="rounded up, a whole number with a point"
def log10_masks(units):
    return units * 0.3010299956639812


units_beyond_atoms = np.ceil(82 / np.log10(2))

# %% question="dropout-backward" wrong="no-mask"
def dropout_backward(grad, mask, keep_prob):
    return grad / keep_prob

# %% question="dropout-backward" wrong="no-mask" name="untouched"
def dropout_backward(grad, mask, keep_prob):
    return grad

# %% question="dropout-backward" wrong="no-scale"
def dropout_backward(grad, mask, keep_prob):
    return grad * mask

# %% question="dropout-backward" wrong="made-smaller"
def dropout_backward(grad, mask, keep_prob):
    return grad * mask * keep_prob

# %% question="dropout-backward" wrong="other-units"
def dropout_backward(grad, mask, keep_prob):
    return np.where(mask, 0, grad / keep_prob)

# %% question="dropout-backward" wrong="mask-drawn-anew"
def dropout_backward(grad, mask, keep_prob):
    mask = np.random.rand(*grad.shape) < keep_prob
    return grad * mask / keep_prob

# %% question="dropout-backward" wrong="scaled-by-the-rate"
def dropout_backward(grad, mask, keep_prob):
    return grad * mask / (1 - keep_prob)

# %% question="dropout-backward" right="where"
def dropout_backward(grad, mask, keep_prob):
    return np.where(mask == 1, grad / keep_prob, 0)

# %% question="dropout-backward" right="by automatic differentiation"
def dropout_backward(grad, mask, keep_prob):
    A = tf.Variable(tf.zeros_like(grad))
    with tf.GradientTape() as tape:
        out = A * mask / keep_prob
    return tape.gradient(out, A, output_gradients=tf.constant(grad))

# %% question="dropout-backward" wrong="scaled-by-the-batch"
def dropout_backward(grad, mask, keep_prob):
    return grad * mask / mask.mean()

# %% question="dropout-backward" wrong="scaled-twice"
def dropout_backward(grad, mask, keep_prob):
    return grad * mask / keep_prob**2

# %% question="dropout-backward" wrong="changed-in-place"
def dropout_backward(grad, mask, keep_prob):
    grad *= mask
    grad /= keep_prob
    return grad

# %% question="train-step" wrong="not-scaled"
def train_step(params, X, y, masks, keep_prob, learning_rate):
    Z1 = X @ params["W1"] + params["b1"]
    H1 = np.maximum(Z1, 0) * masks[0]
    Z2 = H1 @ params["W2"] + params["b2"]
    H2 = np.maximum(Z2, 0) * masks[1]
    d3 = softmax(H2 @ params["W3"] + params["b3"])
    d3[np.arange(len(y)), y] -= 1
    d3 /= len(y)
    d2 = (d3 @ params["W3"].T) * masks[1] * (Z2 > 0)
    d1 = (d2 @ params["W2"].T) * masks[0] * (Z1 > 0)
    new = {}
    for i, (H, d) in enumerate([(X, d1), (H1, d2), (H2, d3)], start=1):
        new[f"W{i}"] = params[f"W{i}"] - learning_rate * H.T @ d
        new[f"b{i}"] = params[f"b{i}"] - learning_rate * d.sum(axis=0)
    return new


def predict(params, X):
    H = np.maximum(X @ params["W1"] + params["b1"], 0)
    H = np.maximum(H @ params["W2"] + params["b2"], 0)
    return H @ params["W3"] + params["b3"]

# %% question="train-step" wrong="scale-missing-in-backward"
def train_step(params, X, y, masks, keep_prob, learning_rate):
    Z1 = X @ params["W1"] + params["b1"]
    H1 = np.maximum(Z1, 0) * masks[0] / keep_prob
    Z2 = H1 @ params["W2"] + params["b2"]
    H2 = np.maximum(Z2, 0) * masks[1] / keep_prob
    d3 = softmax(H2 @ params["W3"] + params["b3"])
    d3[np.arange(len(y)), y] -= 1
    d3 /= len(y)
    d2 = (d3 @ params["W3"].T) * masks[1] * (Z2 > 0)
    d1 = (d2 @ params["W2"].T) * masks[0] * (Z1 > 0)
    new = {}
    for i, (H, d) in enumerate([(X, d1), (H1, d2), (H2, d3)], start=1):
        new[f"W{i}"] = params[f"W{i}"] - learning_rate * H.T @ d
        new[f"b{i}"] = params[f"b{i}"] - learning_rate * d.sum(axis=0)
    return new


def predict(params, X):
    H = np.maximum(X @ params["W1"] + params["b1"], 0)
    H = np.maximum(H @ params["W2"] + params["b2"], 0)
    return H @ params["W3"] + params["b3"]

# %% question="train-step" wrong="mask-missing-in-backward"
def train_step(params, X, y, masks, keep_prob, learning_rate):
    Z1 = X @ params["W1"] + params["b1"]
    H1 = np.maximum(Z1, 0) * masks[0] / keep_prob
    Z2 = H1 @ params["W2"] + params["b2"]
    H2 = np.maximum(Z2, 0) * masks[1] / keep_prob
    d3 = softmax(H2 @ params["W3"] + params["b3"])
    d3[np.arange(len(y)), y] -= 1
    d3 /= len(y)
    d2 = (d3 @ params["W3"].T) * (Z2 > 0)
    d1 = (d2 @ params["W2"].T) * (Z1 > 0)
    new = {}
    for i, (H, d) in enumerate([(X, d1), (H1, d2), (H2, d3)], start=1):
        new[f"W{i}"] = params[f"W{i}"] - learning_rate * H.T @ d
        new[f"b{i}"] = params[f"b{i}"] - learning_rate * d.sum(axis=0)
    return new


def predict(params, X):
    H = np.maximum(X @ params["W1"] + params["b1"], 0)
    H = np.maximum(H @ params["W2"] + params["b2"], 0)
    return H @ params["W3"] + params["b3"]

# %% question="train-step" wrong="mask-missing-in-backward" name="the factor alone goes back"
def train_step(params, X, y, masks, keep_prob, learning_rate):
    Z1 = X @ params["W1"] + params["b1"]
    H1 = np.maximum(Z1, 0) * masks[0] / keep_prob
    Z2 = H1 @ params["W2"] + params["b2"]
    H2 = np.maximum(Z2, 0) * masks[1] / keep_prob
    d3 = softmax(H2 @ params["W3"] + params["b3"])
    d3[np.arange(len(y)), y] -= 1
    d3 /= len(y)
    d2 = (d3 @ params["W3"].T) / keep_prob * (Z2 > 0)
    d1 = (d2 @ params["W2"].T) / keep_prob * (Z1 > 0)
    new = {}
    for i, (H, d) in enumerate([(X, d1), (H1, d2), (H2, d3)], start=1):
        new[f"W{i}"] = params[f"W{i}"] - learning_rate * H.T @ d
        new[f"b{i}"] = params[f"b{i}"] - learning_rate * d.sum(axis=0)
    return new


def predict(params, X):
    H = np.maximum(X @ params["W1"] + params["b1"], 0)
    H = np.maximum(H @ params["W2"] + params["b2"], 0)
    return H @ params["W3"] + params["b3"]

# %% question="train-step" wrong="masks-drawn-anew"
def train_step(params, X, y, masks, keep_prob, learning_rate):
    v = {name: tf.Variable(value) for name, value in params.items()}
    with tf.GradientTape() as tape:
        H = X
        for i in "12":
            H = tf.nn.relu(H @ v["W" + i] + v["b" + i])
            H = H * (np.random.rand(*H.shape) < keep_prob) / keep_prob
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(y, H @ v["W3"] + v["b3"])
        loss = tf.reduce_mean(losses)
    grads = tape.gradient(loss, v)
    return {name: (v[name] - learning_rate * grads[name]).numpy() for name in params}


def predict(params, X):
    H = np.maximum(X @ params["W1"] + params["b1"], 0)
    H = np.maximum(H @ params["W2"] + params["b2"], 0)
    return H @ params["W3"] + params["b3"]

# %% question="train-step" wrong="uphill"
def train_step(params, X, y, masks, keep_prob, learning_rate):
    v = {name: tf.Variable(value) for name, value in params.items()}
    with tf.GradientTape() as tape:
        H = X
        for i, mask in zip("12", masks):
            H = tf.nn.relu(H @ v["W" + i] + v["b" + i]) * mask / keep_prob
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(y, H @ v["W3"] + v["b3"])
        loss = tf.reduce_mean(losses)
    grads = tape.gradient(loss, v)
    return {name: (v[name] + learning_rate * grads[name]).numpy() for name in params}


def predict(params, X):
    H = np.maximum(X @ params["W1"] + params["b1"], 0)
    H = np.maximum(H @ params["W2"] + params["b2"], 0)
    return H @ params["W3"] + params["b3"]

# %% question="train-step" wrong="sum-over-batch"
def train_step(params, X, y, masks, keep_prob, learning_rate):
    v = {name: tf.Variable(value) for name, value in params.items()}
    with tf.GradientTape() as tape:
        H = X
        for i, mask in zip("12", masks):
            H = tf.nn.relu(H @ v["W" + i] + v["b" + i]) * mask / keep_prob
        loss = tf.nn.sparse_softmax_cross_entropy_with_logits(y, H @ v["W3"] + v["b3"])
    grads = tape.gradient(loss, v)
    return {name: (v[name] - learning_rate * grads[name]).numpy() for name in params}


def predict(params, X):
    H = np.maximum(X @ params["W1"] + params["b1"], 0)
    H = np.maximum(H @ params["W2"] + params["b2"], 0)
    return H @ params["W3"] + params["b3"]

# %% question="train-step" wrong="relu-missing-in-backward"
def train_step(params, X, y, masks, keep_prob, learning_rate):
    H1 = np.maximum(X @ params["W1"] + params["b1"], 0) * masks[0] / keep_prob
    H2 = np.maximum(H1 @ params["W2"] + params["b2"], 0) * masks[1] / keep_prob
    d3 = softmax(H2 @ params["W3"] + params["b3"])
    d3[np.arange(len(y)), y] -= 1
    d3 /= len(y)
    d2 = (d3 @ params["W3"].T) * masks[1] / keep_prob
    d1 = (d2 @ params["W2"].T) * masks[0] / keep_prob
    new = {}
    for i, (H, d) in enumerate([(X, d1), (H1, d2), (H2, d3)], start=1):
        new[f"W{i}"] = params[f"W{i}"] - learning_rate * H.T @ d
        new[f"b{i}"] = params[f"b{i}"] - learning_rate * d.sum(axis=0)
    return new


def predict(params, X):
    H = np.maximum(X @ params["W1"] + params["b1"], 0)
    H = np.maximum(H @ params["W2"] + params["b2"], 0)
    return H @ params["W3"] + params["b3"]

# %% question="train-step" wrong="new-weights-in-backward"
def train_step(params, X, y, masks, keep_prob, learning_rate):
    new = dict(params)
    Z1 = X @ params["W1"] + params["b1"]
    H1 = np.maximum(Z1, 0) * masks[0] / keep_prob
    Z2 = H1 @ params["W2"] + params["b2"]
    H2 = np.maximum(Z2, 0) * masks[1] / keep_prob
    d = softmax(H2 @ params["W3"] + params["b3"])
    d[np.arange(len(y)), y] -= 1
    d /= len(y)
    new["W3"] = new["W3"] - learning_rate * H2.T @ d
    new["b3"] = new["b3"] - learning_rate * d.sum(axis=0)
    d = (d @ new["W3"].T) * masks[1] / keep_prob * (Z2 > 0)
    new["W2"] = new["W2"] - learning_rate * H1.T @ d
    new["b2"] = new["b2"] - learning_rate * d.sum(axis=0)
    d = (d @ new["W2"].T) * masks[0] / keep_prob * (Z1 > 0)
    new["W1"] = new["W1"] - learning_rate * X.T @ d
    new["b1"] = new["b1"] - learning_rate * d.sum(axis=0)
    return new


def predict(params, X):
    H = np.maximum(X @ params["W1"] + params["b1"], 0)
    H = np.maximum(H @ params["W2"] + params["b2"], 0)
    return H @ params["W3"] + params["b3"]

# %% question="train-step" wrong="biases-forgotten"
def train_step(params, X, y, masks, keep_prob, learning_rate):
    v = {name: tf.Variable(value) for name, value in params.items()}
    with tf.GradientTape() as tape:
        H = X
        for i, mask in zip("12", masks):
            H = tf.nn.relu(H @ v["W" + i] + v["b" + i]) * mask / keep_prob
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(y, H @ v["W3"] + v["b3"])
        loss = tf.reduce_mean(losses)
    grads = tape.gradient(loss, v)
    for name in ("W1", "W2", "W3"):
        v[name].assign_sub(learning_rate * grads[name])
    return {name: value.numpy() for name, value in v.items()}


def predict(params, X):
    H = np.maximum(X @ params["W1"] + params["b1"], 0)
    H = np.maximum(H @ params["W2"] + params["b2"], 0)
    return H @ params["W3"] + params["b3"]

# %% question="train-step" wrong="params-changed"
def train_step(params, X, y, masks, keep_prob, learning_rate):
    Z1 = X @ params["W1"] + params["b1"]
    H1 = np.maximum(Z1, 0) * masks[0] / keep_prob
    Z2 = H1 @ params["W2"] + params["b2"]
    H2 = np.maximum(Z2, 0) * masks[1] / keep_prob
    d3 = softmax(H2 @ params["W3"] + params["b3"])
    d3[np.arange(len(y)), y] -= 1
    d3 /= len(y)
    d2 = (d3 @ params["W3"].T) * masks[1] / keep_prob * (Z2 > 0)
    d1 = (d2 @ params["W2"].T) * masks[0] / keep_prob * (Z1 > 0)
    for i, (H, d) in enumerate([(X, d1), (H1, d2), (H2, d3)], start=1):
        params[f"W{i}"] -= learning_rate * H.T @ d
        params[f"b{i}"] -= learning_rate * d.sum(axis=0)
    return params


def predict(params, X):
    H = np.maximum(X @ params["W1"] + params["b1"], 0)
    H = np.maximum(H @ params["W2"] + params["b2"], 0)
    return H @ params["W3"] + params["b3"]

# %% question="train-step" wrong="scaled-at-test-time"
def train_step(params, X, y, masks, keep_prob, learning_rate):
    v = {name: tf.Variable(value) for name, value in params.items()}
    with tf.GradientTape() as tape:
        H = X
        for i, mask in zip("12", masks):
            H = tf.nn.relu(H @ v["W" + i] + v["b" + i]) * mask / keep_prob
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(y, H @ v["W3"] + v["b3"])
        loss = tf.reduce_mean(losses)
    grads = tape.gradient(loss, v)
    return {name: (v[name] - learning_rate * grads[name]).numpy() for name in params}


def predict(params, X, p=0.5):
    H = np.maximum(X @ params["W1"] + params["b1"], 0) * p
    H = np.maximum(H @ params["W2"] + params["b2"], 0) * p
    return H @ params["W3"] + params["b3"]

# %% question="train-step" wrong="dropped-at-test-time"
def train_step(params, X, y, masks, keep_prob, learning_rate):
    v = {name: tf.Variable(value) for name, value in params.items()}
    with tf.GradientTape() as tape:
        H = X
        for i, mask in zip("12", masks):
            H = tf.nn.relu(H @ v["W" + i] + v["b" + i]) * mask / keep_prob
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(y, H @ v["W3"] + v["b3"])
        loss = tf.reduce_mean(losses)
    grads = tape.gradient(loss, v)
    return {name: (v[name] - learning_rate * grads[name]).numpy() for name in params}


def predict(params, X):
    H = np.maximum(X @ params["W1"] + params["b1"], 0)
    H = H * (np.random.rand(*H.shape) < 0.5) / 0.5
    H = np.maximum(H @ params["W2"] + params["b2"], 0)
    H = H * (np.random.rand(*H.shape) < 0.5) / 0.5
    return H @ params["W3"] + params["b3"]

# %% question="train-step" wrong="softmax-output"
def train_step(params, X, y, masks, keep_prob, learning_rate):
    v = {name: tf.Variable(value) for name, value in params.items()}
    with tf.GradientTape() as tape:
        H = X
        for i, mask in zip("12", masks):
            H = tf.nn.relu(H @ v["W" + i] + v["b" + i]) * mask / keep_prob
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(y, H @ v["W3"] + v["b3"])
        loss = tf.reduce_mean(losses)
    grads = tape.gradient(loss, v)
    return {name: (v[name] - learning_rate * grads[name]).numpy() for name in params}


def predict(params, X):
    H = np.maximum(X @ params["W1"] + params["b1"], 0)
    H = np.maximum(H @ params["W2"] + params["b2"], 0)
    return softmax(H @ params["W3"] + params["b3"])

# %% question="train-step" wrong="relu-on-logits"
def train_step(params, X, y, masks, keep_prob, learning_rate):
    v = {name: tf.Variable(value) for name, value in params.items()}
    with tf.GradientTape() as tape:
        H = X
        for i, mask in zip("12", masks):
            H = tf.nn.relu(H @ v["W" + i] + v["b" + i]) * mask / keep_prob
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(y, H @ v["W3"] + v["b3"])
        loss = tf.reduce_mean(losses)
    grads = tape.gradient(loss, v)
    return {name: (v[name] - learning_rate * grads[name]).numpy() for name in params}


def predict(params, X):
    H = X
    for i in (1, 2, 3):
        H = np.maximum(H @ params[f"W{i}"] + params[f"b{i}"], 0)
    return H

# %% question="train-step" right="by automatic differentiation"
def train_step(params, X, y, masks, keep_prob, learning_rate):
    names = ["W1", "b1", "W2", "b2", "W3", "b3"]
    v = [tf.constant(params[name]) for name in names]
    with tf.GradientTape() as tape:
        tape.watch(v)
        H1 = tf.nn.relu(X @ v[0] + v[1]) * (masks[0] / keep_prob)
        H2 = tf.nn.relu(H1 @ v[2] + v[3]) * (masks[1] / keep_prob)
        loss = keras.losses.sparse_categorical_crossentropy(y, H2 @ v[4] + v[5], from_logits=True)
        loss = tf.reduce_mean(loss)
    return {n: w - learning_rate * g for n, w, g in zip(names, v, tape.gradient(loss, v))}


def predict(params, X):
    H = tf.nn.relu(tf.constant(X) @ params["W1"] + params["b1"])
    H = tf.nn.relu(H @ params["W2"] + params["b2"])
    return H @ params["W3"] + params["b3"]

# %% question="train-step" right="a loop over the layers"
def train_step(params, X, y, masks, keep_prob, learning_rate):
    inputs, slopes = [X], []
    for i, mask in enumerate(masks, start=1):
        Z = inputs[-1] @ params[f"W{i}"] + params[f"b{i}"]
        slope = np.where(Z > 0, mask / keep_prob, 0)
        inputs.append(Z * slope)
        slopes.append(slope)
    logits = inputs[-1] @ params["W3"] + params["b3"]
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    delta = e / e.sum(axis=1, keepdims=True)
    delta[range(len(y)), y] -= 1
    delta = delta / len(y)
    new = {}
    for i in (3, 2, 1):
        new[f"W{i}"] = params[f"W{i}"] - learning_rate * inputs[i - 1].T.dot(delta)
        new[f"b{i}"] = params[f"b{i}"] - learning_rate * delta.sum(axis=0)
        if i > 1:
            delta = delta.dot(params[f"W{i}"].T) * slopes[i - 2]
    return new


def predict(params, X):
    for i in (1, 2):
        X = (X @ params[f"W{i}"] + params[f"b{i}"]).clip(0)
    return X @ params["W3"] + params["b3"]

# %% question="train-step" right="example by example"
def train_step(params, X, y, masks, keep_prob, learning_rate):
    new = {name: value.copy() for name, value in params.items()}
    for x, label, m1, m2 in zip(X, y, *masks):
        h1 = np.maximum(x @ params["W1"] + params["b1"], 0) * m1 / keep_prob
        h2 = np.maximum(h1 @ params["W2"] + params["b2"], 0) * m2 / keep_prob
        d3 = softmax(h2 @ params["W3"] + params["b3"])
        d3[label] -= 1
        d2 = (params["W3"] @ d3) * (h2 > 0) / keep_prob
        d1 = (params["W2"] @ d2) * (h1 > 0) / keep_prob
        for i, h, d in (("1", x, d1), ("2", h1, d2), ("3", h2, d3)):
            new["W" + i] -= learning_rate * np.outer(h, d) / len(X)
            new["b" + i] -= learning_rate * d / len(X)
    return new


def predict(params, X):
    relu = lambda a: a * (a > 0)
    H = relu(X @ params["W1"] + params["b1"])
    return relu(H @ params["W2"] + params["b2"]) @ params["W3"] + params["b3"]

# %% question="train-step" wrong="divided-twice"
def train_step(params, X, y, masks, keep_prob, learning_rate):
    W1, b1, W2, b2, W3, b3 = (params[k] for k in ("W1", "b1", "W2", "b2", "W3", "b3"))
    n, M1, M2 = len(X), masks[0] / keep_prob, masks[1] / keep_prob
    Z1 = X @ W1 + b1
    D1 = np.maximum(Z1, 0) * M1
    Z2 = D1 @ W2 + b2
    D2 = np.maximum(Z2, 0) * M2
    d = softmax(D2 @ W3 + b3)
    d[np.arange(n), y] -= 1
    d /= n
    grads = {"W3": D2.T @ d, "b3": d.sum(axis=0)}
    d = d @ W3.T * M2 * (Z2 > 0)
    grads["W2"], grads["b2"] = D1.T @ d, d.sum(axis=0)
    d = d @ W2.T * M1 * (Z1 > 0)
    grads["W1"], grads["b1"] = X.T @ d, d.sum(axis=0)
    grads = {k: g / n for k, g in grads.items()}
    return {k: params[k] - learning_rate * grads[k] for k in params}


def predict(params, X):
    H = np.maximum(X @ params["W1"] + params["b1"], 0)
    H = np.maximum(H @ params["W2"] + params["b2"], 0)
    return H @ params["W3"] + params["b3"]

# %% question="train-step" wrong="divided-twice" name="the biases only"
def train_step(params, X, y, masks, keep_prob, learning_rate):
    W1, b1, W2, b2, W3, b3 = (params[k] for k in ("W1", "b1", "W2", "b2", "W3", "b3"))
    n, M1, M2 = len(X), masks[0] / keep_prob, masks[1] / keep_prob
    Z1 = X @ W1 + b1
    D1 = np.maximum(Z1, 0) * M1
    Z2 = D1 @ W2 + b2
    D2 = np.maximum(Z2, 0) * M2
    d = softmax(D2 @ W3 + b3)
    d[np.arange(n), y] -= 1
    d /= n
    grads = {"W3": D2.T @ d, "b3": d.mean(axis=0)}
    d = d @ W3.T * M2 * (Z2 > 0)
    grads["W2"], grads["b2"] = D1.T @ d, d.mean(axis=0)
    d = d @ W2.T * M1 * (Z1 > 0)
    grads["W1"], grads["b1"] = X.T @ d, d.mean(axis=0)
    return {k: params[k] - learning_rate * grads[k] for k in params}


def predict(params, X):
    H = np.maximum(X @ params["W1"] + params["b1"], 0)
    H = np.maximum(H @ params["W2"] + params["b2"], 0)
    return H @ params["W3"] + params["b3"]

# %% question="train-step" wrong="undropped-activations"
def train_step(params, X, y, masks, keep_prob, learning_rate):
    W1, b1, W2, b2, W3, b3 = (params[k] for k in ("W1", "b1", "W2", "b2", "W3", "b3"))
    n, M1, M2 = len(X), masks[0] / keep_prob, masks[1] / keep_prob
    Z1 = X @ W1 + b1
    D1 = np.maximum(Z1, 0) * M1
    Z2 = D1 @ W2 + b2
    D2 = np.maximum(Z2, 0) * M2
    d = softmax(D2 @ W3 + b3)
    d[np.arange(n), y] -= 1
    d /= n
    grads = {"W3": np.maximum(Z2, 0).T @ d, "b3": d.sum(axis=0)}
    d = d @ W3.T * M2 * (Z2 > 0)
    grads["W2"], grads["b2"] = np.maximum(Z1, 0).T @ d, d.sum(axis=0)
    d = d @ W2.T * M1 * (Z1 > 0)
    grads["W1"], grads["b1"] = X.T @ d, d.sum(axis=0)
    return {k: params[k] - learning_rate * grads[k] for k in params}


def predict(params, X):
    H = np.maximum(X @ params["W1"] + params["b1"], 0)
    H = np.maximum(H @ params["W2"] + params["b2"], 0)
    return H @ params["W3"] + params["b3"]

# %% question="train-step" wrong="undropped-activations" name="W3 only"
def train_step(params, X, y, masks, keep_prob, learning_rate):
    W1, b1, W2, b2, W3, b3 = (params[k] for k in ("W1", "b1", "W2", "b2", "W3", "b3"))
    n, M1, M2 = len(X), masks[0] / keep_prob, masks[1] / keep_prob
    Z1 = X @ W1 + b1
    D1 = np.maximum(Z1, 0) * M1
    Z2 = D1 @ W2 + b2
    D2 = np.maximum(Z2, 0) * M2
    d = softmax(D2 @ W3 + b3)
    d[np.arange(n), y] -= 1
    d /= n
    grads = {"W3": np.maximum(Z2, 0).T @ d, "b3": d.sum(axis=0)}
    d = d @ W3.T * M2 * (Z2 > 0)
    grads["W2"], grads["b2"] = D1.T @ d, d.sum(axis=0)
    d = d @ W2.T * M1 * (Z1 > 0)
    grads["W1"], grads["b1"] = X.T @ d, d.sum(axis=0)
    return {k: params[k] - learning_rate * grads[k] for k in params}


def predict(params, X):
    H = np.maximum(X @ params["W1"] + params["b1"], 0)
    H = np.maximum(H @ params["W2"] + params["b2"], 0)
    return H @ params["W3"] + params["b3"]

# %% question="train-step" wrong="new-weights-in-backward" name="W3 only"
def train_step(params, X, y, masks, keep_prob, learning_rate):
    W1, b1, W2, b2, W3, b3 = (params[k] for k in ("W1", "b1", "W2", "b2", "W3", "b3"))
    n, M1, M2 = len(X), masks[0] / keep_prob, masks[1] / keep_prob
    Z1 = X @ W1 + b1
    D1 = np.maximum(Z1, 0) * M1
    Z2 = D1 @ W2 + b2
    D2 = np.maximum(Z2, 0) * M2
    d = softmax(D2 @ W3 + b3)
    d[np.arange(n), y] -= 1
    d /= n
    grads = {"W3": D2.T @ d, "b3": d.sum(axis=0)}
    W3 = W3 - learning_rate * grads["W3"]
    d = d @ W3.T * M2 * (Z2 > 0)
    grads["W2"], grads["b2"] = D1.T @ d, d.sum(axis=0)
    d = d @ W2.T * M1 * (Z1 > 0)
    grads["W1"], grads["b1"] = X.T @ d, d.sum(axis=0)
    return {k: params[k] - learning_rate * grads[k] for k in params}


def predict(params, X):
    H = np.maximum(X @ params["W1"] + params["b1"], 0)
    H = np.maximum(H @ params["W2"] + params["b2"], 0)
    return H @ params["W3"] + params["b3"]

# %% question="averages" wrong="means-exchanged"
def mean_predictions(h, W, b, keep_prob):
    masks = np.array(list(product([0, 1], repeat=len(h))))
    chances = np.prod(np.where(masks, keep_prob, 1 - keep_prob), axis=1)
    P = softmax((h * masks) @ W + b)
    geometric = np.exp(chances @ np.log(P))
    return geometric / geometric.sum(), chances @ P


def monte_carlo(H, W, b, keep_prob, k, rng):
    passes = [softmax(H * (rng.random(H.shape) < keep_prob) @ W + b) for _ in range(k)]
    return np.mean(passes, axis=0)

# %% question="averages" wrong="not-renormalised"
def mean_predictions(h, W, b, keep_prob):
    masks = np.array(list(product([0, 1], repeat=len(h))))
    chances = np.prod(np.where(masks, keep_prob, 1 - keep_prob), axis=1)
    P = softmax((h * masks) @ W + b)
    return chances @ P, np.exp(chances @ np.log(P))


def monte_carlo(H, W, b, keep_prob, k, rng):
    passes = [softmax(H * (rng.random(H.shape) < keep_prob) @ W + b) for _ in range(k)]
    return np.mean(passes, axis=0)

# %% question="averages" wrong="logits-averaged"
def mean_predictions(h, W, b, keep_prob):
    masks = np.array(list(product([0, 1], repeat=len(h))))
    chances = np.prod(np.where(masks, keep_prob, 1 - keep_prob), axis=1)
    logits = (h * masks) @ W + b
    geometric = np.exp(chances @ np.log(softmax(logits)))
    return softmax(chances @ logits), geometric / geometric.sum()


def monte_carlo(H, W, b, keep_prob, k, rng):
    passes = [softmax(H * (rng.random(H.shape) < keep_prob) @ W + b) for _ in range(k)]
    return np.mean(passes, axis=0)

# %% question="averages" wrong="logits-averaged" name="in Monte Carlo"
def mean_predictions(h, W, b, keep_prob):
    masks = np.array(list(product([0, 1], repeat=len(h))))
    chances = np.prod(np.where(masks, keep_prob, 1 - keep_prob), axis=1)
    P = softmax((h * masks) @ W + b)
    geometric = np.exp(chances @ np.log(P))
    return chances @ P, geometric / geometric.sum()


def monte_carlo(H, W, b, keep_prob, k, rng):
    logits = [H * (rng.random(H.shape) < keep_prob) @ W + b for _ in range(k)]
    return softmax(np.mean(logits, axis=0))

# %% question="averages" wrong="masks-equally-likely"
def mean_predictions(h, W, b, keep_prob):
    masks = np.array(list(product([0, 1], repeat=len(h))))
    P = softmax((h * masks) @ W + b)
    geometric = np.exp(np.log(P).mean(axis=0))
    return P.mean(axis=0), geometric / geometric.sum()


def monte_carlo(H, W, b, keep_prob, k, rng):
    passes = [softmax(H * (rng.random(H.shape) < keep_prob) @ W + b) for _ in range(k)]
    return np.mean(passes, axis=0)

# %% question="averages" wrong="no-dropout"
def mean_predictions(h, W, b, keep_prob):
    return softmax(h @ W + b), softmax(h @ W + b)


def monte_carlo(H, W, b, keep_prob, k, rng):
    passes = [softmax(H * (rng.random(H.shape) < keep_prob) @ W + b) for _ in range(k)]
    return np.mean(passes, axis=0)

# %% question="averages" wrong="rate-for-keep-prob"
def mean_predictions(h, W, b, keep_prob):
    masks = np.array(list(product([0, 1], repeat=len(h))))
    chances = np.prod(np.where(masks, 1 - keep_prob, keep_prob), axis=1)
    P = softmax((h * masks) @ W + b)
    geometric = np.exp(chances @ np.log(P))
    return chances @ P, geometric / geometric.sum()


def monte_carlo(H, W, b, keep_prob, k, rng):
    passes = [softmax(H * (rng.random(H.shape) > keep_prob) @ W + b) for _ in range(k)]
    return np.mean(passes, axis=0)

# %% question="averages" wrong="scaled"
def mean_predictions(h, W, b, keep_prob):
    masks = np.array(list(product([0, 1], repeat=len(h))))
    chances = np.prod(np.where(masks, keep_prob, 1 - keep_prob), axis=1)
    P = softmax((h * masks / keep_prob) @ W + b)
    geometric = np.exp(chances @ np.log(P))
    return chances @ P, geometric / geometric.sum()


def monte_carlo(H, W, b, keep_prob, k, rng):
    passes = [softmax(H * (rng.random(H.shape) < keep_prob) / keep_prob @ W + b) for _ in range(k)]
    return np.mean(passes, axis=0)

# %% question="averages" wrong="one-mask-for-the-batch"
def mean_predictions(h, W, b, keep_prob):
    masks = np.array(list(product([0, 1], repeat=len(h))))
    chances = np.prod(np.where(masks, keep_prob, 1 - keep_prob), axis=1)
    P = softmax((h * masks) @ W + b)
    geometric = np.exp(chances @ np.log(P))
    return chances @ P, geometric / geometric.sum()


def monte_carlo(H, W, b, keep_prob, k, rng):
    passes = [softmax(H * (rng.random(H.shape[1]) < keep_prob) @ W + b) for _ in range(k)]
    return np.mean(passes, axis=0)

# %% question="averages" wrong="one-mask-for-all-passes"
def mean_predictions(h, W, b, keep_prob):
    masks = np.array(list(product([0, 1], repeat=len(h))))
    chances = np.prod(np.where(masks, keep_prob, 1 - keep_prob), axis=1)
    P = softmax((h * masks) @ W + b)
    geometric = np.exp(chances @ np.log(P))
    return chances @ P, geometric / geometric.sum()


def monte_carlo(H, W, b, keep_prob, k, rng):
    mask = rng.random(H.shape) < keep_prob
    total = 0
    for _ in range(k):
        total = total + softmax((H * mask) @ W + b)
    return total / k

# %% question="averages" wrong="not-averaged"
def mean_predictions(h, W, b, keep_prob):
    masks = np.array(list(product([0, 1], repeat=len(h))))
    chances = np.prod(np.where(masks, keep_prob, 1 - keep_prob), axis=1)
    P = softmax((h * masks) @ W + b)
    geometric = np.exp(chances @ np.log(P))
    return chances @ P, geometric / geometric.sum()


def monte_carlo(H, W, b, keep_prob, k, rng):
    return sum(softmax(H * (rng.random(H.shape) < keep_prob) @ W + b) for _ in range(k))

# %% question="averages" right="weight scaling for the geometric mean"
def mean_predictions(h, W, b, keep_prob):
    arithmetic = np.zeros(W.shape[1])
    for mask in product([False, True], repeat=len(h)):
        chance = np.prod([keep_prob if kept else 1 - keep_prob for kept in mask])
        arithmetic += chance * softmax(np.where(mask, h, 0) @ W + b)
    return arithmetic, softmax(keep_prob * h @ W + b)


def monte_carlo(H, W, b, keep_prob, k, rng):
    masks = rng.binomial(1, keep_prob, (k, *H.shape))
    return softmax((masks * H) @ W + b).mean(axis=0)

# %% question="averages" right="products of powers, in TensorFlow"
def mean_predictions(h, W, b, keep_prob):
    n = len(h)
    masks = np.array([[i >> j & 1 for j in range(n)] for i in range(2**n)])
    ones = masks.sum(axis=1)
    chances = keep_prob**ones * (1 - keep_prob) ** (n - ones)
    P = tf.nn.softmax((masks * h) @ W + b).numpy()
    product_of_all = np.prod(P ** chances[:, None], axis=0)
    return [(P * chances[:, None]).sum(axis=0), product_of_all / np.sum(product_of_all)]


def monte_carlo(H, W, b, keep_prob, k, rng):
    mean = tf.zeros((len(H), len(b)), tf.float64)
    for _ in range(k):
        mask = tf.constant(rng.uniform(size=H.shape) <= keep_prob, dtype=bool)
        mean += tf.nn.softmax(tf.where(mask, H, 0.0) @ W + b) / k
    return mean

# %% question="averages" wrong="bias-forgotten"
def mean_predictions(h, W, b, keep_prob):
    masks = np.array(list(product([0, 1], repeat=len(h))))
    chances = np.prod(np.where(masks, keep_prob, 1 - keep_prob), axis=1)
    P = softmax((h * masks) @ W)
    geometric = np.exp(chances @ np.log(P))
    return chances @ P, geometric / geometric.sum()


def monte_carlo(H, W, b, keep_prob, k, rng):
    passes = [softmax(H * (rng.random(H.shape) < keep_prob) @ W) for _ in range(k)]
    return np.mean(passes, axis=0)

# %% question="averages" wrong="no-masks"
def mean_predictions(h, W, b, keep_prob):
    masks = np.array(list(product([0, 1], repeat=len(h))))
    chances = np.prod(np.where(masks, keep_prob, 1 - keep_prob), axis=1)
    P = softmax((h * masks) @ W + b)
    geometric = np.exp(chances @ np.log(P))
    return chances @ P, geometric / geometric.sum()


def monte_carlo(H, W, b, keep_prob, k, rng):
    return sum(softmax(keep_prob * H @ W + b) for _ in range(k)) / k

# %% question="averages" wrong="own-generator"
def mean_predictions(h, W, b, keep_prob):
    masks = np.array(list(product([0, 1], repeat=len(h))))
    chances = np.prod(np.where(masks, keep_prob, 1 - keep_prob), axis=1)
    P = softmax((h * masks) @ W + b)
    geometric = np.exp(chances @ np.log(P))
    return chances @ P, geometric / geometric.sum()


def monte_carlo(H, W, b, keep_prob, k, rng):
    passes = [softmax(H * (np.random.random(H.shape) < keep_prob) @ W + b) for _ in range(k)]
    return np.mean(passes, axis=0)

# %% question="averages" wrong="masks-equally-likely" name="in the geometric mean only"
def mean_predictions(h, W, b, keep_prob):
    masks = np.array(list(product([0, 1], repeat=len(h))))
    chances = np.prod(np.where(masks, keep_prob, 1 - keep_prob), axis=1)
    P = softmax((h * masks) @ W + b)
    geometric = np.prod(P, axis=0) ** (1 / len(P))
    return chances @ P, geometric / geometric.sum()


def monte_carlo(H, W, b, keep_prob, k, rng):
    passes = [softmax(H * (rng.random(H.shape) < keep_prob) @ W + b) for _ in range(k)]
    return np.mean(passes, axis=0)

# %% question="averages" right="powers multiplied, every row repeated k times"
def mean_predictions(h, W, b, keep_prob):
    arithmetic, geometric = np.zeros(len(b)), np.ones(len(b))
    for number in range(2 ** len(h)):
        m = np.array([number >> i & 1 for i in range(len(h))], dtype=float)
        chance = np.prod([keep_prob if one else 1 - keep_prob for one in m])
        d = softmax((m * h) @ W + b)
        arithmetic += chance * d
        geometric *= d**chance
    return [arithmetic, geometric / np.sum(geometric)]


def monte_carlo(H, W, b, keep_prob, k, rng):
    big = np.repeat(H, k, axis=0)
    P = softmax(big * (rng.random(big.shape) < keep_prob) @ W + b)
    return P.reshape(len(H), k, -1).mean(axis=1)

# %% question="keras-dropout" wrong="rate-for-keep-prob"
def keras_dropout(A, keep_prob, training):
    return layers.Dropout(keep_prob)(A, training=training)


def build_head(width=1.0, keep_prob=0.5):
    model = keras.Sequential([keras.Input((6, 6, round(256 * width))), layers.Flatten()])
    for _ in range(2):
        model.add(layers.Dense(round(4096 * width), activation="relu"))
        model.add(layers.Dropout(keep_prob))
    model.add(layers.Dense(1000))
    return model

# %% question="keras-dropout" wrong="training-forgotten"
def keras_dropout(A, keep_prob, training):
    return layers.Dropout(1 - keep_prob)(A)


def build_head(width=1.0, keep_prob=0.5):
    model = keras.Sequential([keras.Input((6, 6, round(256 * width))), layers.Flatten()])
    for _ in range(2):
        model.add(layers.Dense(round(4096 * width), activation="relu"))
        model.add(layers.Dropout(1 - keep_prob))
    model.add(layers.Dense(1000))
    return model

# %% question="keras-dropout" wrong="always-on"
def keras_dropout(A, keep_prob, training):
    return layers.Dropout(1 - keep_prob)(A, training=True)


def build_head(width=1.0, keep_prob=0.5):
    model = keras.Sequential([keras.Input((6, 6, round(256 * width))), layers.Flatten()])
    for _ in range(2):
        model.add(layers.Dense(round(4096 * width), activation="relu"))
        model.add(layers.Dropout(1 - keep_prob))
    model.add(layers.Dense(1000))
    return model

# %% question="keras-dropout" wrong="dropout-in-front"
def keras_dropout(A, keep_prob, training):
    return layers.Dropout(1 - keep_prob)(A, training=training)


def build_head(width=1.0, keep_prob=0.5):
    model = keras.Sequential([keras.Input((6, 6, round(256 * width))), layers.Flatten()])
    for _ in range(2):
        model.add(layers.Dropout(1 - keep_prob))
        model.add(layers.Dense(round(4096 * width), activation="relu"))
    model.add(layers.Dense(1000))
    return model

# %% question="keras-dropout" wrong="on-the-logits"
def keras_dropout(A, keep_prob, training):
    return layers.Dropout(1 - keep_prob)(A, training=training)


def build_head(width=1.0, keep_prob=0.5):
    model = keras.Sequential([keras.Input((6, 6, round(256 * width))), layers.Flatten()])
    for units, activation in [(round(4096 * width), "relu"), (round(4096 * width), "relu"), (1000, None)]:
        model.add(layers.Dense(units, activation=activation))
        model.add(layers.Dropout(1 - keep_prob))
    return model

# %% question="keras-dropout" wrong="one-only"
def keras_dropout(A, keep_prob, training):
    return layers.Dropout(1 - keep_prob)(A, training=training)


def build_head(width=1.0, keep_prob=0.5):
    units = round(4096 * width)
    return keras.Sequential(
        [
            keras.Input((6, 6, round(256 * width))),
            layers.Flatten(),
            layers.Dense(units, activation="relu"),
            layers.Dense(units, activation="relu"),
            layers.Dropout(1 - keep_prob),
            layers.Dense(1000),
        ]
    )

# %% question="keras-dropout" wrong="no-dropout"
def keras_dropout(A, keep_prob, training):
    return layers.Dropout(1 - keep_prob)(A, training=training)


def build_head(width=1.0, keep_prob=0.5):
    units = round(4096 * width)
    return keras.Sequential(
        [
            keras.Input((6, 6, round(256 * width))),
            layers.Flatten(),
            layers.Dense(units, activation="relu"),
            layers.Dense(units, activation="relu"),
            layers.Dense(1000),
        ]
    )

# %% question="keras-dropout" wrong="output-scaled"
def keras_dropout(A, keep_prob, training):
    return layers.Dropout(1 - keep_prob)(A, training=training)


def build_head(width=1.0, keep_prob=0.5):
    model = keras.Sequential([keras.Input((6, 6, round(256 * width))), layers.Flatten()])
    for _ in range(2):
        model.add(layers.Dense(round(4096 * width), activation="relu"))
        model.add(layers.Dropout(1 - keep_prob))
    model.add(layers.Dense(round(1000 * width)))
    return model

# %% question="keras-dropout" wrong="not-flattened"
def keras_dropout(A, keep_prob, training):
    return layers.Dropout(1 - keep_prob)(A, training=training)


def build_head(width=1.0, keep_prob=0.5):
    model = keras.Sequential([keras.Input((6, 6, round(256 * width)))])
    for _ in range(2):
        model.add(layers.Dense(round(4096 * width), activation="relu"))
        model.add(layers.Dropout(1 - keep_prob))
    model.add(layers.Dense(1000))
    return model

# %% question="keras-dropout" wrong="keep-prob-ignored"
def keras_dropout(A, keep_prob, training):
    return layers.Dropout(1 - keep_prob)(A, training=training)


def build_head(width=1.0, keep_prob=0.5):
    model = keras.Sequential([keras.Input((6, 6, round(256 * width))), layers.Flatten()])
    for _ in range(2):
        model.add(layers.Dense(round(4096 * width), activation="relu"))
        model.add(layers.Dropout(0.5))
    model.add(layers.Dense(1000))
    return model

# %% question="keras-dropout" wrong="width-ignored"
def keras_dropout(A, keep_prob, training):
    return layers.Dropout(1 - keep_prob)(A, training=training)


def build_head(width=1.0, keep_prob=0.5):
    model = keras.Sequential([keras.Input((6, 6, round(256 * width))), layers.Flatten()])
    for _ in range(2):
        model.add(layers.Dense(128, activation="relu"))
        model.add(layers.Dropout(1 - keep_prob))
    model.add(layers.Dense(1000))
    return model

# %% question="keras-dropout" wrong="relu-missing"
def keras_dropout(A, keep_prob, training):
    return layers.Dropout(1 - keep_prob)(A, training=training)


def build_head(width=1.0, keep_prob=0.5):
    model = keras.Sequential([keras.Input((6, 6, round(256 * width))), layers.Flatten()])
    for _ in range(2):
        model.add(layers.Dense(round(4096 * width)))
        model.add(layers.Dropout(1 - keep_prob))
    model.add(layers.Dense(1000))
    return model

# %% question="keras-dropout" wrong="softmax-output"
def keras_dropout(A, keep_prob, training):
    return layers.Dropout(1 - keep_prob)(A, training=training)


def build_head(width=1.0, keep_prob=0.5):
    model = keras.Sequential([keras.Input((6, 6, round(256 * width))), layers.Flatten()])
    for _ in range(2):
        model.add(layers.Dense(round(4096 * width), activation="relu"))
        model.add(layers.Dropout(1 - keep_prob))
    model.add(layers.Dense(1000, activation="softmax"))
    return model

# %% question="keras-dropout" right="functional, ReLU as a layer of its own after dropout"
def keras_dropout(A, keep_prob, training):
    model = keras.Sequential([keras.Input(A.shape[1:]), layers.Dropout(rate=1 - keep_prob)])
    return model(A, training=training)


def build_head(width=1.0, keep_prob=0.5):
    x = inputs = keras.Input(shape=(6, 6, int(256 * width)))
    x = layers.Flatten()(x)
    for number in (6, 7):
        x = layers.Dense(int(4096 * width), name=f"fc{number}")(x)
        x = layers.Dropout(1.0 - keep_prob)(x)
        x = layers.ReLU()(x)
    return keras.Model(inputs, layers.Dense(1000, name="fc8")(x))

# %% question="keras-dropout" right="FC6 as dense on a reshaped input, activations as layers"
def keras_dropout(A, keep_prob, training):
    drop = layers.Dropout(1 - keep_prob)
    return drop(tf.constant(A), training=bool(training)).numpy()


def build_head(width=1.0, keep_prob=0.5):
    channels, units = round(256 * width), round(4096 * width)
    return keras.Sequential(
        [
            keras.Input((6, 6, channels)),
            layers.Reshape((36 * channels,)),
            layers.Dense(units),
            layers.Activation("relu"),
            layers.Dropout(1 - keep_prob),
            layers.Dense(units),
            layers.Activation("relu"),
            layers.Dropout(1 - keep_prob),
            layers.Dense(1000, activation="linear"),
        ]
    )

# %% question="keras-dropout" wrong="relu-on-logits"
def keras_dropout(A, keep_prob, training):
    return layers.Dropout(1 - keep_prob)(A, training=training)


def build_head(width=1.0, keep_prob=0.5):
    model = keras.Sequential([keras.Input((6, 6, round(256 * width))), layers.Flatten()])
    for _ in range(2):
        model.add(layers.Dense(round(4096 * width), activation="relu"))
        model.add(layers.Dropout(1 - keep_prob))
    model.add(layers.Dense(1000, activation="relu"))
    return model

# %% question="keras-dropout" wrong="not-flattened" name="pooled instead"
def keras_dropout(A, keep_prob, training):
    return layers.Dropout(1 - keep_prob)(A, training=training)


def build_head(width=1.0, keep_prob=0.5):
    model = keras.Sequential([keras.Input((6, 6, round(256 * width))), layers.GlobalAveragePooling2D()])
    for _ in range(2):
        model.add(layers.Dense(round(4096 * width), activation="relu"))
        model.add(layers.Dropout(1 - keep_prob))
    model.add(layers.Dense(1000))
    return model

# %% question="regularisers" wrong="half"
def penalties(W, lam, beta):
    L2, L1 = np.sum(W**2) / 2, np.sum(np.abs(W))
    return {"L2": lam * L2, "L1": lam * L1, "elastic net": lam * (beta * L2 + L1)}


def penalty_gradients(W, lam, beta):
    L2, L1 = 2 * W, np.sign(W)
    return {"L2": lam * L2, "L1": lam * L1, "elastic net": lam * (beta * L2 + L1)}

# %% question="regularisers" wrong="two-missing"
def penalties(W, lam, beta):
    L2, L1 = np.sum(W**2), np.sum(np.abs(W))
    return {"L2": lam * L2, "L1": lam * L1, "elastic net": lam * (beta * L2 + L1)}


def penalty_gradients(W, lam, beta):
    return {"L2": lam * W, "L1": lam * np.sign(W), "elastic net": lam * (beta * W + np.sign(W))}

# %% question="regularisers" wrong="root"
def penalties(W, lam, beta):
    L2, L1 = np.linalg.norm(W), np.abs(W).sum()
    return {"L2": lam * L2, "L1": lam * L1, "elastic net": lam * (beta * np.sum(W**2) + L1)}


def penalty_gradients(W, lam, beta):
    L2, L1 = 2 * W, np.sign(W)
    return {"L2": lam * L2, "L1": lam * L1, "elastic net": lam * (beta * L2 + L1)}

# %% question="regularisers" wrong="mean"
def penalties(W, lam, beta):
    L2, L1 = np.mean(W**2), np.mean(np.abs(W))
    return {"L2": lam * L2, "L1": lam * L1, "elastic net": lam * (beta * L2 + L1)}


def penalty_gradients(W, lam, beta):
    L2, L1 = 2 * W, np.sign(W)
    return {"L2": lam * L2, "L1": lam * L1, "elastic net": lam * (beta * L2 + L1)}

# %% question="regularisers" wrong="no-absolute-value"
def penalties(W, lam, beta):
    L2, L1 = np.sum(W**2), np.sum(W)
    return {"L2": lam * L2, "L1": lam * L1, "elastic net": lam * (beta * L2 + L1)}


def penalty_gradients(W, lam, beta):
    L2, L1 = 2 * W, np.sign(W)
    return {"L2": lam * L2, "L1": lam * L1, "elastic net": lam * (beta * L2 + L1)}

# %% question="regularisers" wrong="lambda-missing"
def penalties(W, lam, beta):
    L2, L1 = np.sum(W**2), np.sum(np.abs(W))
    return {"L2": lam * L2, "L1": lam * L1, "elastic net": lam * (beta * L2 + L1)}


def penalty_gradients(W, lam, beta):
    return {"L2": 2 * W, "L1": np.sign(W), "elastic net": 2 * beta * W + np.sign(W)}

# %% question="regularisers" wrong="sign-missing"
def penalties(W, lam, beta):
    L2, L1 = np.sum(W**2), np.sum(np.abs(W))
    return {"L2": lam * L2, "L1": lam * L1, "elastic net": lam * (beta * L2 + L1)}


def penalty_gradients(W, lam, beta):
    L1 = (W != 0) * 1.0
    return {"L2": 2 * lam * W, "L1": lam * L1, "elastic net": lam * (2 * beta * W + L1)}

# %% question="regularisers" wrong="sign-turned"
def penalties(W, lam, beta):
    L2, L1 = np.sum(W**2), np.sum(np.abs(W))
    return {"L2": lam * L2, "L1": lam * L1, "elastic net": lam * (beta * L2 + L1)}


def penalty_gradients(W, lam, beta):
    return {"L2": -2 * lam * W, "L1": -lam * np.sign(W), "elastic net": -lam * (2 * beta * W + np.sign(W))}

# %% question="regularisers" wrong="magnitude-kept"
def penalties(W, lam, beta):
    L2, L1 = np.sum(W**2), np.sum(np.abs(W))
    return {"L2": lam * L2, "L1": lam * L1, "elastic net": lam * (beta * L2 + L1)}


def penalty_gradients(W, lam, beta):
    return {"L2": 2 * lam * W, "L1": lam * np.abs(W), "elastic net": lam * (2 * beta * W + np.abs(W))}

# %% question="regularisers" wrong="not-a-number-at-zero"
def penalties(W, lam, beta):
    L2, L1 = np.sum(W**2), np.sum(np.abs(W))
    return {"L2": lam * L2, "L1": lam * L1, "elastic net": lam * (beta * L2 + L1)}


def penalty_gradients(W, lam, beta):
    L1 = W / np.abs(W)
    return {"L2": 2 * lam * W, "L1": lam * L1, "elastic net": lam * (2 * beta * W + L1)}

# %% question="regularisers" wrong="beta-on-the-other"
def penalties(W, lam, beta):
    L2, L1 = np.sum(W**2), np.sum(np.abs(W))
    return {"L2": lam * L2, "L1": lam * L1, "elastic net": lam * (L2 + beta * L1)}


def penalty_gradients(W, lam, beta):
    L2, L1 = 2 * W, np.sign(W)
    return {"L2": lam * L2, "L1": lam * L1, "elastic net": lam * (L2 + beta * L1)}

# %% question="regularisers" wrong="beta-on-both"
def penalties(W, lam, beta):
    L2, L1 = np.sum(W**2), np.sum(np.abs(W))
    return {"L2": lam * L2, "L1": lam * L1, "elastic net": lam * beta * (L2 + L1)}


def penalty_gradients(W, lam, beta):
    L2, L1 = 2 * W, np.sign(W)
    return {"L2": lam * L2, "L1": lam * L1, "elastic net": lam * beta * (L2 + L1)}

# %% question="regularisers" wrong="lambda-on-one"
def penalties(W, lam, beta):
    L2, L1 = np.sum(W**2), np.sum(np.abs(W))
    return {"L2": lam * L2, "L1": lam * L1, "elastic net": lam * beta * L2 + L1}


def penalty_gradients(W, lam, beta):
    L2, L1 = 2 * W, np.sign(W)
    return {"L2": lam * L2, "L1": lam * L1, "elastic net": lam * beta * L2 + L1}

# %% question="regularisers" right="by automatic differentiation"
def all_three(W, lam, beta):
    squares, sizes = tf.reduce_sum(W * W), tf.reduce_sum(tf.abs(W))
    return {"L2": lam * squares, "L1": lam * sizes, "elastic net": lam * (beta * squares + sizes)}


def penalties(W, lam, beta):
    return all_three(tf.constant(W), lam, beta)


def penalty_gradients(W, lam, beta):
    gradients = {}
    for name in ("L2", "L1", "elastic net"):
        w = tf.Variable(W)
        with tf.GradientTape() as tape:
            loss = all_three(w, lam, beta)[name]
        gradients[name] = tape.gradient(loss, w).numpy()
    return gradients

# %% question="regularisers" right="comparisons instead of sign"
def penalties(W, lam, beta):
    flat = [float(w) for w in np.ravel(W)]
    return {
        "L2": lam * sum(w * w for w in flat),
        "L1": lam * sum(abs(w) for w in flat),
        "elastic net": sum(lam * (beta * w * w + abs(w)) for w in flat),
    }


def penalty_gradients(W, lam, beta):
    direction = (W > 0).astype(float) - (W < 0)
    return {"L2": lam * (W + W), "L1": lam * direction, "elastic net": lam * (W * 2 * beta + direction)}

# %% question="regularisers" wrong="slope-at-zero"
def penalties(W, lam, beta):
    L2, L1 = np.sum(W**2), np.sum(np.abs(W))
    return {"L2": lam * L2, "L1": lam * L1, "elastic net": lam * (beta * L2 + L1)}


def penalty_gradients(W, lam, beta):
    L2, L1 = 2 * W, np.where(W >= 0, 1.0, -1.0)
    return {"L2": lam * L2, "L1": lam * L1, "elastic net": lam * (beta * L2 + L1)}

# %% question="regularisers" wrong="matrix-product"
def penalties(W, lam, beta):
    L2, L1 = np.sum(W @ W), np.sum(np.abs(W))
    return {"L2": lam * L2, "L1": lam * L1, "elastic net": lam * (beta * L2 + L1)}


def penalty_gradients(W, lam, beta):
    L2, L1 = 2 * W, np.sign(W)
    return {"L2": lam * L2, "L1": lam * L1, "elastic net": lam * (beta * L2 + L1)}

# %% question="regularisers" wrong="matrix-norm"
def penalties(W, lam, beta):
    L2, L1 = np.sum(W**2), np.linalg.norm(W, 1)
    return {"L2": lam * L2, "L1": lam * L1, "elastic net": lam * (beta * L2 + L1)}


def penalty_gradients(W, lam, beta):
    L2, L1 = 2 * W, np.sign(W)
    return {"L2": lam * L2, "L1": lam * L1, "elastic net": lam * (beta * L2 + L1)}

# %% question="regularisers" wrong="matrix-norm" name="the largest singular value"
def penalties(W, lam, beta):
    L2, L1 = np.linalg.norm(W, 2) ** 2, np.sum(np.abs(W))
    return {"L2": lam * L2, "L1": lam * L1, "elastic net": lam * (beta * L2 + L1)}


def penalty_gradients(W, lam, beta):
    L2, L1 = 2 * W, np.sign(W)
    return {"L2": lam * L2, "L1": lam * L1, "elastic net": lam * (beta * L2 + L1)}

# %% question="regularisers" wrong="one-minus-beta"
def penalties(W, lam, beta):
    L2, L1 = np.sum(W**2), np.sum(np.abs(W))
    return {"L2": lam * L2, "L1": lam * L1, "elastic net": lam * (beta * L2 + (1 - beta) * L1)}


def penalty_gradients(W, lam, beta):
    L2, L1 = 2 * W, np.sign(W)
    return {"L2": lam * L2, "L1": lam * L1, "elastic net": lam * (beta * L2 + (1 - beta) * L1)}

# %% question="regularisers" right="the slope mended at 0"
def penalties(W, lam, beta):
    L2, L1 = np.sum(W**2), np.sum(np.abs(W))
    return {"L2": lam * L2, "L1": lam * L1, "elastic net": lam * (beta * L2 + L1)}


def penalty_gradients(W, lam, beta):
    with np.errstate(all="ignore"):
        slope = W / np.abs(W)
    slope[W == 0] = 0
    return {"L2": 2 * lam * W, "L1": lam * slope, "elastic net": lam * (2 * beta * W + slope)}

# %% question="regularisers" right="norms of the flattened weights"
def penalties(W, lam, beta):
    w = np.ravel(W)
    L2, L1 = lam * np.linalg.norm(w) ** 2, lam * np.linalg.norm(w, 1)
    return {"L2": L2, "L1": L1, "elastic net": beta * L2 + L1}


def penalty_gradients(W, lam, beta):
    L2, L1 = 2 * W, np.sign(W)
    return {"L2": lam * L2, "L1": lam * L1, "elastic net": lam * (beta * L2 + L1)}
