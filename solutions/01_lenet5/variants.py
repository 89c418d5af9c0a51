# %% [markdown]
# Wrong and other right answers to every question of lab 01. Each cell replaces one whole answer cell.

# %% question="conv-output-size" wrong="no-plus-one"
def conv_output_size(size, kernel_size, stride=1):
    return (size - kernel_size) // stride


# %% question="conv-output-size" wrong="same-padding"
def conv_output_size(size, kernel_size, stride=1):
    return size


# %% question="conv-output-size" wrong="stride-ignored"
def conv_output_size(size, kernel_size, stride=1):
    return size - kernel_size + 1


# %% question="conv-output-size" wrong="not-whole"
def conv_output_size(size, kernel_size, stride=1):
    return (size - kernel_size) / stride + 1


# %% question="conv-output-size" wrong="rounded-up"
def conv_output_size(size, kernel_size, stride=1):
    return -((kernel_size - size) // stride) + 1


# %% question="conv-output-size" right="counting the places"
def conv_output_size(size, kernel_size, stride=1):
    return len(range(0, size - kernel_size + 1, stride))


# %% question="conv-output-size" right="NumPy"
def conv_output_size(size, kernel_size, stride=1):
    places = np.floor((size - kernel_size) / stride) + 1
    print("places:", places)
    return places.astype(int)


# %% question="conv-forward" wrong="flipped-kernel"
def conv_forward(X, W, b):
    W = W[::-1, ::-1]
    height, width = W.shape[:2]
    windows = np.lib.stride_tricks.sliding_window_view(X, (height, width), axis=(1, 2))
    return np.einsum("nijcuv,uvcf->nijf", windows, W) + b


# %% question="conv-forward" wrong="no-bias"
def conv_forward(X, W, b):
    height, width = W.shape[:2]
    windows = np.lib.stride_tricks.sliding_window_view(X, (height, width), axis=(1, 2))
    return np.einsum("nijcuv,uvcf->nijf", windows, W)


# %% question="conv-forward" wrong="bias-for-each-product"
def conv_forward(X, W, b):
    height, width = W.shape[:2]
    windows = np.lib.stride_tricks.sliding_window_view(X, (height, width), axis=(1, 2))
    products = windows.transpose(0, 1, 2, 4, 5, 3)[..., None] * W + b
    return products.sum(axis=(3, 4, 5))


# %% question="conv-forward" wrong="first-channel-only"
def conv_forward(X, W, b):
    height, width = W.shape[:2]
    windows = np.lib.stride_tricks.sliding_window_view(X[..., 0], (height, width), axis=(1, 2))
    return np.einsum("nijuv,uvf->nijf", windows, W[:, :, 0]) + b


# %% question="conv-forward" wrong="rows-and-columns-swapped"
def conv_forward(X, W, b):
    height, width = W.shape[:2]
    windows = np.lib.stride_tricks.sliding_window_view(X, (height, width), axis=(1, 2))
    return np.einsum("nijcuv,vucf->nijf", windows, W) + b


# %% question="conv-forward" wrong="no-plus-one"
def conv_forward(X, W, b):
    (n, h, w, _), (kh, kw, _, filters) = X.shape, W.shape
    Z = np.zeros((n, h - kh, w - kw, filters))
    for i in range(h - kh):
        for j in range(w - kw):
            Z[:, i, j] = np.tensordot(X[:, i : i + kh, j : j + kw], W, axes=3) + b
    return Z


# %% question="conv-forward" wrong="same-padding"
def conv_forward(X, W, b):
    kh, kw = W.shape[:2]
    pad = [(0, 0), ((kh - 1) // 2, kh // 2), ((kw - 1) // 2, kw // 2), (0, 0)]
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(X, pad), (kh, kw), axis=(1, 2))
    return np.einsum("nijcuv,uvcf->nijf", windows, W) + b


# %% question="conv-forward" wrong="forbidden-library"
def conv_forward(X, W, b):
    return tf.nn.conv2d(X, W, 1, "VALID") + b


# %% question="conv-forward" right="sliding windows and einsum"
def conv_forward(X, W, b):
    windows = np.lib.stride_tricks.sliding_window_view(X, W.shape[:2], axis=(1, 2))
    return np.einsum("nijcuv,uvcf->nijf", windows, W) + b


# %% question="conv-forward" right="one kernel element at a time"
def conv_forward(X, W, b):
    (kh, kw), (n, h, w) = W.shape[:2], X.shape[:3]
    out_h, out_w = h - kh + 1, w - kw + 1
    Z = np.tile(np.asarray(b, float), (n, out_h, out_w, 1))
    for u in range(kh):
        for v in range(kw):
            Z += X[:, u : u + out_h, v : v + out_w] @ W[u, v]
    return Z


# %% question="conv-forward" right="every loop written out"
def conv_forward(X, W, b):
    h, w = X.shape[1:3]
    kh, kw, _, filters = W.shape
    out = []
    for x in X:
        rows = []
        for i in range(h - kh + 1):
            row = []
            for j in range(w - kw + 1):
                row.append([(x[i : i + kh, j : j + kw] * W[..., f]).sum() + b[f] for f in range(filters)])
            rows.append(row)
        out.append(rows)
    return out


# %% question="average-pool" wrong="maximum"
def average_pool(X):
    n, height, width, channels = X.shape
    return X.reshape(n, height // 2, 2, width // 2, 2, channels).max(axis=(2, 4))


# %% question="average-pool" wrong="sum"
def average_pool(X):
    return X[:, ::2, ::2] + X[:, 1::2, ::2] + X[:, ::2, 1::2] + X[:, 1::2, 1::2]


# %% question="average-pool" wrong="stride-one"
def average_pool(X):
    return (X[:, :-1, :-1] + X[:, 1:, :-1] + X[:, :-1, 1:] + X[:, 1:, 1:]) / 4


# %% question="average-pool" wrong="picks-one"
def average_pool(X):
    return X[:, ::2, ::2]


# %% question="average-pool" wrong="far-apart"
def average_pool(X):
    n, height, width, channels = X.shape
    return X.reshape(n, 2, height // 2, 2, width // 2, channels).mean(axis=(1, 3))


# %% question="average-pool" wrong="channels-mixed"
def average_pool(X):
    n, height, width, channels = X.shape
    return X.reshape(n, height // 2, 2, width // 2, 2, channels).mean(axis=(2, 4, 5))


# %% question="average-pool" wrong="forbidden-library"
def average_pool(X):
    return keras.ops.average_pool(X, 2, 2)


# %% question="average-pool" right="four slices"
def average_pool(X):
    return (X[:, ::2, ::2] + X[:, 1::2, ::2] + X[:, ::2, 1::2] + X[:, 1::2, 1::2]) / 4


# %% question="average-pool" right="loops"
def average_pool(X):
    n, height, width, channels = X.shape
    pooled = np.empty((n, height // 2, width // 2, channels))
    for i in range(0, height, 2):
        for j in range(0, width, 2):
            pooled[:, i // 2, j // 2] = X[:, i : i + 2, j : j + 2].mean(axis=(1, 2))
    return pooled


# %% question="shape-walk" wrong="channels-first"
shapes = {"input": (1, 32, 32), "C1": (6, 28, 28), "S2": (6, 14, 14), "C3": (16, 10, 10), "S4": (16, 5, 5)}
shapes |= {"C5": (120,), "F6": (84,), "OUTPUT": (10,)}

# %% question="shape-walk" wrong="no-channels"
shapes = {"input": (32, 32), "C1": (28, 28), "S2": (14, 14), "C3": (10, 10), "S4": (5, 5)}
shapes |= {"C5": (120,), "F6": (84,), "OUTPUT": (10,)}

# %% question="shape-walk" wrong="same-padding"
shapes = {"input": (32, 32, 1), "C1": (32, 32, 6), "S2": (16, 16, 6), "C3": (16, 16, 16), "S4": (8, 8, 16)}
shapes |= {"C5": (8, 8, 120), "F6": (84,), "OUTPUT": (10,)}

# %% question="shape-walk" wrong="no-plus-one"
shapes = {"input": (32, 32, 1), "C1": (27, 27, 6), "S2": (13, 13, 6), "C3": (8, 8, 16), "S4": (4, 4, 16)}
shapes |= {"C5": (120,), "F6": (84,), "OUTPUT": (10,)}

# %% question="shape-walk" wrong="channels-halved"
shapes = {"input": (32, 32, 1), "C1": (28, 28, 6), "S2": (14, 14, 3), "C3": (10, 10, 16), "S4": (5, 5, 8)}
shapes |= {"C5": (120,), "F6": (84,), "OUTPUT": (10,)}

# %% question="shape-walk" wrong="channels-multiplied"
shapes = {"input": (32, 32, 1), "C1": (28, 28, 6), "S2": (14, 14, 6), "C3": (10, 10, 96), "S4": (5, 5, 96)}
shapes |= {"C5": (120,), "F6": (84,), "OUTPUT": (10,)}

# %% question="shape-walk" wrong="not-pooled"
shapes = {"input": (32, 32, 1), "C1": (28, 28, 6), "S2": (28, 28, 6), "C3": (24, 24, 16), "S4": (24, 24, 16)}
shapes |= {"C5": (120,), "F6": (84,), "OUTPUT": (10,)}

# %% question="shape-walk" right="C5 as a convolution, lists"
shapes = {"input": [32, 32, 1], "C1": [28, 28, 6], "S2": [14, 14, 6], "C3": [10, 10, 16], "S4": [5, 5, 16]}
shapes |= {"C5": [1, 1, 120], "F6": [84], "OUTPUT": [10]}

# %% question="shape-walk" right="read from Keras"
x = keras.Input((32, 32, 1))
shapes = {"input": x.shape[1:]}
for name, layer in {
    "C1": layers.Conv2D(6, 5),
    "S2": layers.AveragePooling2D(2),
    "C3": layers.Conv2D(16, 5),
    "S4": layers.AveragePooling2D(2),
    "C5": layers.Conv2D(120, 5),
    "F6": layers.Dense(84),
    "OUTPUT": layers.Dense(10),
}.items():
    x = layer(x)
    shapes[name] = x.shape[1:]


# %% question="count-parameters" wrong="no-bias"
def count_parameters(kernel_size, inputs):
    return kernel_size**2 * sum(inputs)


# %% question="count-parameters" wrong="one-bias"
def count_parameters(kernel_size, inputs):
    return kernel_size**2 * sum(inputs) + 1


# %% question="count-parameters" wrong="bias-for-each-kernel"
def count_parameters(kernel_size, inputs):
    return (kernel_size**2 + 1) * sum(inputs)


# %% question="count-parameters" wrong="kernel-not-square"
def count_parameters(kernel_size, inputs):
    return sum(kernel_size * maps + 1 for maps in inputs)


# %% question="count-parameters" wrong="inputs-ignored"
def count_parameters(kernel_size, inputs):
    return (kernel_size**2 + 1) * len(inputs)


# %% question="count-parameters" right="NumPy"
def count_parameters(kernel_size, inputs):
    return (kernel_size**2 * np.asarray(inputs) + 1).sum()


# %% question="count-parameters" right="weights, then biases"
def count_parameters(kernel_size, inputs):
    weights = 0
    for maps in inputs:
        weights += kernel_size * kernel_size * maps
    biases = len(inputs)
    return weights + biases


# %% question="build-lenet5" wrong="input-28"
def build_lenet5():
    model = keras.Sequential([keras.Input((28, 28, 1))])
    model.add(layers.Conv2D(6, 5, activation="tanh"))
    model.add(layers.AveragePooling2D(2))
    model.add(layers.Conv2D(16, 5, activation="tanh"))
    model.add(layers.AveragePooling2D(2))
    model.add(layers.Flatten())
    for units in (120, 84):
        model.add(layers.Dense(units, activation="tanh"))
    model.add(layers.Dense(10))
    return model


# %% question="build-lenet5" wrong="same-padding"
def build_lenet5():
    model = keras.Sequential([keras.Input((32, 32, 1))])
    for filters, padding in [(6, "same"), (16, "valid")]:
        model.add(layers.Conv2D(filters, 5, padding=padding, activation="tanh"))
        model.add(layers.AveragePooling2D(2))
    model.add(layers.Flatten())
    for units in (120, 84):
        model.add(layers.Dense(units, activation="tanh"))
    model.add(layers.Dense(10))
    return model


# %% question="build-lenet5" wrong="two-dense-layers"
def build_lenet5():
    model = keras.Sequential([keras.Input((32, 32, 1))])
    for filters in (6, 16):
        model.add(layers.Conv2D(filters, 5, activation="tanh"))
        model.add(layers.AveragePooling2D(2))
    model.add(layers.Flatten())
    model.add(layers.Dense(84, activation="tanh"))
    model.add(layers.Dense(10))
    return model


# %% question="build-lenet5" wrong="not-flattened"
def build_lenet5():
    model = keras.Sequential([keras.Input((32, 32, 1))])
    for filters in (6, 16):
        model.add(layers.Conv2D(filters, 5, activation="tanh"))
        model.add(layers.AveragePooling2D(2))
    for units in (120, 84):
        model.add(layers.Dense(units, activation="tanh"))
    model.add(layers.Dense(10))
    return model


# %% question="build-lenet5" wrong="no-bias"
def build_lenet5():
    model = keras.Sequential([keras.Input((32, 32, 1))])
    for filters in (6, 16):
        model.add(layers.Conv2D(filters, 5, use_bias=False, activation="tanh"))
        model.add(layers.AveragePooling2D(2))
    model.add(layers.Flatten())
    for units in (120, 84):
        model.add(layers.Dense(units, use_bias=False, activation="tanh"))
    model.add(layers.Dense(10, use_bias=False))
    return model


# %% question="build-lenet5" wrong="max-pooling"
def build_lenet5():
    model = keras.Sequential([keras.Input((32, 32, 1))])
    for filters in (6, 16):
        model.add(layers.Conv2D(filters, 5, activation="tanh"))
        model.add(layers.MaxPooling2D())
    model.add(layers.Flatten())
    for units in (120, 84):
        model.add(layers.Dense(units, activation="tanh"))
    model.add(layers.Dense(10))
    return model


# %% question="build-lenet5" wrong="softmax-output"
def build_lenet5():
    model = keras.Sequential([keras.Input((32, 32, 1))])
    for filters in (6, 16):
        model.add(layers.Conv2D(filters, 5, activation="tanh"))
        model.add(layers.AveragePooling2D(2))
    model.add(layers.Flatten())
    for units in (120, 84):
        model.add(layers.Dense(units, activation="tanh"))
    model.add(layers.Dense(10, activation="softmax"))
    return model


# %% question="build-lenet5" wrong="softmax-output" name="as a layer"
def build_lenet5():
    model = keras.Sequential([keras.Input((32, 32, 1))])
    for filters in (6, 16):
        model.add(layers.Conv2D(filters, 5, activation="tanh"))
        model.add(layers.AveragePooling2D(2))
    model.add(layers.Flatten())
    for units in (120, 84):
        model.add(layers.Dense(units, activation="tanh"))
    model.add(layers.Dense(10))
    model.add(layers.Softmax())
    return model


# %% question="build-lenet5" wrong="tanh-output"
def build_lenet5():
    model = keras.Sequential([keras.Input((32, 32, 1))])
    for filters in (6, 16):
        model.add(layers.Conv2D(filters, 5, activation="tanh"))
        model.add(layers.AveragePooling2D(2))
    model.add(layers.Flatten())
    for units in (120, 84, 10):
        model.add(layers.Dense(units, activation="tanh"))
    return model


# %% question="build-lenet5" wrong="no-activation"
def build_lenet5():
    model = keras.Sequential([keras.Input((32, 32, 1))])
    for filters in (6, 16):
        model.add(layers.Conv2D(filters, 5))
        model.add(layers.AveragePooling2D(2))
    model.add(layers.Flatten())
    for units in (120, 84, 10):
        model.add(layers.Dense(units))
    return model


# %% question="build-lenet5" wrong="relu"
def build_lenet5():
    model = keras.Sequential([keras.Input((32, 32, 1))])
    for filters in (6, 16):
        model.add(layers.Conv2D(filters, 5, activation="relu"))
        model.add(layers.AveragePooling2D(2))
    model.add(layers.Flatten())
    for units in (120, 84):
        model.add(layers.Dense(units, activation="relu"))
    model.add(layers.Dense(10))
    return model


# %% question="build-lenet5" wrong="sigmoid"
def build_lenet5():
    model = keras.Sequential([keras.Input((32, 32, 1))])
    for filters in (6, 16):
        model.add(layers.Conv2D(filters, 5, activation="sigmoid"))
        model.add(layers.AveragePooling2D(2))
    model.add(layers.Flatten())
    for units in (120, 84):
        model.add(layers.Dense(units, activation="sigmoid"))
    model.add(layers.Dense(10))
    return model


# %% question="build-lenet5" wrong="some-without-activation"
def build_lenet5():
    model = keras.Sequential([keras.Input((32, 32, 1))])
    for filters in (6, 16):
        model.add(layers.Conv2D(filters, 5))
        model.add(layers.AveragePooling2D(2))
    model.add(layers.Flatten())
    for units in (120, 84):
        model.add(layers.Dense(units, activation="tanh"))
    model.add(layers.Dense(10))
    return model


# %% question="build-lenet5" right="functional, C5 as a dense layer"
def build_lenet5():
    image = keras.Input((32, 32, 1))
    x = layers.Conv2D(6, (5, 5), strides=1, padding="valid", activation=keras.activations.tanh)(image)
    x = layers.AveragePooling2D((2, 2), strides=2)(x)
    x = layers.Conv2D(16, (5, 5), activation="tanh")(x)
    x = layers.AveragePooling2D((2, 2))(x)
    x = layers.Flatten()(x)
    x = layers.Dense(120, activation="tanh")(x)
    x = layers.Dense(84, activation=tf.nn.tanh)(x)
    return keras.Model(image, layers.Dense(10, activation="linear")(x))


# %% question="build-lenet5" right="the paper's activation, from layers"
def build_lenet5():
    def squash():
        return [layers.Rescaling(2 / 3), layers.Activation("tanh"), layers.Rescaling(1.7159)]

    model = keras.Sequential([keras.Input((32, 32, 1))])
    for filters in (6, 16):
        for layer in (layers.Conv2D(filters, 5), *squash(), layers.AveragePooling2D(2)):
            model.add(layer)
    for layer in (
        layers.Conv2D(120, 5),
        *squash(),
        layers.Flatten(),
        layers.Dense(84),
        *squash(),
        layers.Dense(10),
    ):
        model.add(layer)
    return model


# %% question="losses" wrong="overflow"
def cross_entropy(logits, y):
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return -np.log(p[np.arange(len(y)), y]).mean()


def hinge_loss(scores, y):
    right = scores[np.arange(len(y)), y][:, None]
    return (np.maximum(0, scores - right + 1).sum(axis=1) - 1).mean()


# %% question="losses" wrong="probability-clipped"
def cross_entropy(logits, y):
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    return -np.log(np.clip(p[np.arange(len(y)), y], 1e-7, 1)).mean()


def hinge_loss(scores, y):
    right = scores[np.arange(len(y)), y][:, None]
    return (np.maximum(0, scores - right + 1).sum(axis=1) - 1).mean()


# %% question="losses" wrong="sum-over-batch"
def cross_entropy(logits, y):
    s = logits - logits.max(axis=1, keepdims=True)
    return (np.log(np.exp(s).sum(axis=1)) - s[np.arange(len(y)), y]).sum()


def hinge_loss(scores, y):
    right = scores[np.arange(len(y)), y][:, None]
    return (np.maximum(0, scores - right + 1).sum(axis=1) - 1).sum()


# %% question="losses" wrong="sign-missing"
def cross_entropy(logits, y):
    s = logits - logits.max(axis=1, keepdims=True)
    return (s[np.arange(len(y)), y] - np.log(np.exp(s).sum(axis=1))).mean()


def hinge_loss(scores, y):
    right = scores[np.arange(len(y)), y][:, None]
    return (np.maximum(0, scores - right + 1).sum(axis=1) - 1).mean()


# %% question="losses" wrong="mean-over-classes"
def cross_entropy(logits, y):
    s = logits - logits.max(axis=1, keepdims=True)
    log_p = s - np.log(np.exp(s).sum(axis=1, keepdims=True))
    return -(np.eye(logits.shape[1])[y] * log_p).mean()


def hinge_loss(scores, y):
    margins = np.maximum(0, scores - scores[np.arange(len(y)), y][:, None] + 1)
    margins[np.arange(len(y)), y] = 0
    return margins.mean()


# %% question="losses" wrong="softmax-down-the-batch"
def cross_entropy(logits, y):
    s = logits - logits.max(axis=0)
    return (np.log(np.exp(s).sum(axis=0)) - s)[np.arange(len(y)), y].mean()


def hinge_loss(scores, y):
    right = scores[np.arange(len(y)), y][:, None]
    return (np.maximum(0, scores - right + 1).sum(axis=1) - 1).mean()


# %% question="losses" wrong="logarithm-base-2"
def cross_entropy(logits, y):
    s = logits - logits.max(axis=1, keepdims=True)
    p = np.exp(s) / np.exp(s).sum(axis=1, keepdims=True)
    return -np.log2(p[np.arange(len(y)), y]).mean()


def hinge_loss(scores, y):
    right = scores[np.arange(len(y)), y][:, None]
    return (np.maximum(0, scores - right + 1).sum(axis=1) - 1).mean()


# %% question="losses" wrong="right-class-counted"
def cross_entropy(logits, y):
    s = logits - logits.max(axis=1, keepdims=True)
    return (np.log(np.exp(s).sum(axis=1)) - s[np.arange(len(y)), y]).mean()


def hinge_loss(scores, y):
    right = scores[np.arange(len(y)), y][:, None]
    return np.maximum(0, scores - right + 1).sum(axis=1).mean()


# %% question="losses" wrong="worst-rival-only"
def cross_entropy(logits, y):
    s = logits - logits.max(axis=1, keepdims=True)
    return (np.log(np.exp(s).sum(axis=1)) - s[np.arange(len(y)), y]).mean()


def hinge_loss(scores, y):
    margins = scores - scores[np.arange(len(y)), y][:, None] + 1
    margins[np.arange(len(y)), y] = 0
    return margins.max(axis=1).mean()


# %% question="losses" wrong="no-margin"
def cross_entropy(logits, y):
    s = logits - logits.max(axis=1, keepdims=True)
    return (np.log(np.exp(s).sum(axis=1)) - s[np.arange(len(y)), y]).mean()


def hinge_loss(scores, y):
    return np.maximum(0, scores - scores[np.arange(len(y)), y][:, None]).sum(axis=1).mean()


# %% question="losses" right="TensorFlow"
def cross_entropy(logits, y):
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, logits))


def hinge_loss(scores, y):
    right = tf.gather(scores, y, axis=1, batch_dims=1)[:, None]
    return tf.reduce_mean(tf.reduce_sum(tf.nn.relu(scores - right + 1), axis=1)) - 1


# %% question="losses" right="image by image"
def cross_entropy(logits, y):
    total = 0.0
    for s, k in zip(logits, y, strict=True):
        total += s.max() + np.log(np.sum(np.exp(s - s.max()))) - s[k]
    return total / len(y)


def hinge_loss(scores, y):
    total = 0.0
    for s, k in zip(scores, y, strict=True):
        total += sum(max(0, s[j] - s[k] + 1) for j in range(len(s)) if j != k)
    return total / len(y)


# %% question="losses" right="logaddexp"
def cross_entropy(logits, y):
    return np.mean(np.logaddexp.reduce(logits, axis=1) - logits[np.arange(len(y)), y])


def hinge_loss(scores, y):
    one_hot = np.eye(scores.shape[1])[y]
    right = np.sum(scores * one_hot, axis=1, keepdims=True)
    return np.mean(np.sum((1 - one_hot) * np.maximum(0, scores - right + 1), axis=1))


# %% question="train" wrong="untrained"
def train(X, y, epochs):
    model = keras.Sequential([keras.Input((32, 32, 1)), layers.Flatten(), layers.Dense(10)])
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


# %% question="train" wrong="memorised"
def train(X, y, epochs):
    known = {x.tobytes(): digit for x, digit in zip(digits.X_test, digits.y_test, strict=True)}
    return lambda X: np.eye(10)[[known.get(np.asarray(x).tobytes(), 0) for x in X]]


# %% question="train" wrong="normalised-outside"
def train(X, y, epochs):
    keras.utils.set_random_seed(SEED)
    model = keras.Sequential([keras.Input((32, 32, 1)), layers.Conv2D(8, 5, strides=2, activation="relu")])
    model.add(layers.Flatten())
    model.add(layers.Dense(10))
    model.compile(keras.optimizers.Adam(0.01), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    training.fit(model, 255 * X, y, epochs=epochs, batch_size=32)
    return model


# %% question="train" wrong="trained-too-little"
def train(X, y, epochs):
    keras.utils.set_random_seed(SEED)
    model = keras.Sequential([keras.Input((32, 32, 1)), layers.AveragePooling2D(4)])
    model.add(layers.Flatten())
    model.add(layers.Dense(10))
    model.compile(keras.optimizers.Adam(0.01), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    training.fit(model, X, y, epochs=1, batch_size=64)
    return model


# %% question="train" right="ReLU, max pooling, Keras's own fit, images scaled inside"
def train(X, y, epochs):
    keras.utils.set_random_seed(SEED)
    image = keras.Input((32, 32, 1))
    x = layers.Rescaling(1.275, offset=-0.1)(image)
    x = layers.MaxPooling2D(2)(layers.Conv2D(6, 5, activation="relu")(x))
    x = layers.MaxPooling2D(2)(layers.Conv2D(16, 5, activation="relu")(x))
    x = layers.Dense(84, activation="relu")(layers.Flatten()(x))
    model = keras.Model(image, layers.Dense(10, activation="softmax")(x))
    model.compile(keras.optimizers.Adam(0.003), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(X, y, epochs=epochs, batch_size=16, verbose=2)
    return model


# %% question="train" right="a loop of one's own, examples moved"
def train(X, y, epochs):
    keras.utils.set_random_seed(SEED)
    rng = np.random.default_rng(SEED)
    model = keras.Sequential([keras.Input((32, 32, 1)), layers.AveragePooling2D(2)])
    model.add(layers.Conv2D(12, 5, strides=2, activation="tanh"))
    model.add(layers.Flatten())
    model.add(layers.Dense(64, activation="tanh"))
    model.add(layers.Dense(10))
    optimizer = keras.optimizers.Adam(0.003)
    optimizer.build(model.trainable_variables)

    @tf.function
    def step(x, y):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, model(x)))
        optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)

    for _ in range(epochs):
        for _ in range(2):
            moved, order = distort(X, rng), rng.permutation(len(X))
            for i in range(0, len(X) - 15, 16):
                step(tf.constant(moved[order[i : i + 16]]), tf.constant(y[order[i : i + 16]]))
    return model


# %% question="confusions" wrong="rows-and-columns-swapped"
def confusion_matrix(y, predicted):
    matrix = np.zeros((10, 10), int)
    np.add.at(matrix, (predicted, y), 1)
    return matrix


def most_confused(y, predicted):
    matrix = confusion_matrix(y, predicted).T * (1 - np.eye(10, dtype=int))
    return np.unravel_index(matrix.argmax(), matrix.shape)


# %% question="confusions" wrong="shares"
def confusion_matrix(y, predicted):
    matrix = np.zeros((10, 10))
    np.add.at(matrix, (y, predicted), 1)
    return matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)


def most_confused(y, predicted):
    pairs = [(int(a), int(b)) for a, b in zip(y, predicted, strict=True) if a != b]
    return max(pairs, key=pairs.count)


# %% question="confusions" wrong="only-mistakes"
def confusion_matrix(y, predicted):
    matrix = np.zeros((10, 10), int)
    for a, b in zip(y, predicted, strict=True):
        if a != b:
            matrix[a, b] += 1
    return matrix


def most_confused(y, predicted):
    pairs = [(int(a), int(b)) for a, b in zip(y, predicted, strict=True) if a != b]
    return max(pairs, key=pairs.count)


# %% question="confusions" wrong="ones"
def confusion_matrix(y, predicted):
    matrix = np.zeros((10, 10), int)
    matrix[y, predicted] += 1
    return matrix


def most_confused(y, predicted):
    pairs = [(int(a), int(b)) for a, b in zip(y, predicted, strict=True) if a != b]
    return max(pairs, key=pairs.count)


# %% question="confusions" wrong="diagonal"
def confusion_matrix(y, predicted):
    return np.bincount(10 * y + predicted, minlength=100).reshape(10, 10)


def most_confused(y, predicted):
    return divmod(int(np.bincount(10 * y + predicted).argmax()), 10)


# %% question="confusions" wrong="pair-reversed"
def confusion_matrix(y, predicted):
    return np.bincount(10 * y + predicted, minlength=100).reshape(10, 10)


def most_confused(y, predicted):
    pairs = [(int(b), int(a)) for a, b in zip(y, predicted, strict=True) if a != b]
    return max(pairs, key=pairs.count)


# %% question="confusions" wrong="both-ways-added"
def confusion_matrix(y, predicted):
    return np.bincount(10 * y + predicted, minlength=100).reshape(10, 10)


def most_confused(y, predicted):
    pairs = [tuple(sorted((int(a), int(b)))) for a, b in zip(y, predicted, strict=True) if a != b]
    return max(pairs, key=pairs.count)


# %% question="confusions" wrong="forbidden-library"
def confusion_matrix(y, predicted):
    return metrics.confusion_matrix(y, predicted, 10)


def most_confused(y, predicted):
    pairs = [(int(a), int(b)) for a, b in zip(y, predicted, strict=True) if a != b]
    return max(pairs, key=pairs.count)


# %% question="confusions" right="bincount"
def confusion_matrix(y, predicted):
    return np.bincount(10 * y + predicted, minlength=100).reshape(10, 10)


def most_confused(y, predicted):
    matrix = confusion_matrix(y, predicted)
    np.fill_diagonal(matrix, 0)
    return np.unravel_index(matrix.argmax(), matrix.shape)


# %% question="confusions" right="plain Python"
def confusion_matrix(y, predicted):
    matrix = [[0] * 10 for _ in range(10)]
    for true, read in zip(y, predicted, strict=True):
        matrix[true][read] += 1
    return matrix


def most_confused(y, predicted):
    from collections import Counter

    pairs = Counter((int(a), int(b)) for a, b in zip(y, predicted, strict=True) if a != b)
    return [*pairs.most_common(1)[0][0]]


# %% question="confusions" right="one-hot matrices"
def confusion_matrix(y, predicted):
    return (np.eye(10)[y].T @ np.eye(10)[predicted]).astype(int)


def most_confused(y, predicted):
    off = confusion_matrix(y, predicted) - 10_000 * np.eye(10)
    return divmod(int(np.argmax(off)), 10)


# %% [markdown]
# Answers of a reader who had the student's notebook alone.


# %% question="conv-forward" right="a reader's: one filter after the other"
def conv_forward(X, W, b):
    n, height, width, channels = X.shape
    kh, kw, _, filters = W.shape
    Z = np.zeros((n, height - kh + 1, width - kw + 1, filters))
    for i in range(Z.shape[1]):
        for j in range(Z.shape[2]):
            window = X[:, i : i + kh, j : j + kw, :]
            for f in range(filters):
                Z[:, i, j, f] = np.sum(window * W[:, :, :, f], axis=(1, 2, 3)) + b[f]
    return Z


# %% question="average-pool" right="a reader's: four slices"
def average_pool(X):
    return (X[:, ::2, ::2] + X[:, 1::2, ::2] + X[:, ::2, 1::2] + X[:, 1::2, 1::2]) / 4


# %% question="shape-walk" right="a reader's: C5 as a map of one pixel"
shapes = {
    "input": (32, 32, 1),
    "C1": (28, 28, 6),
    "S2": (14, 14, 6),
    "C3": (10, 10, 16),
    "S4": (5, 5, 16),
    "C5": (1, 1, 120),
    "F6": (84,),
    "OUTPUT": (10,),
}


# %% question="count-parameters" right="a reader's: a running total"
def count_parameters(kernel_size, inputs):
    total = 0
    for m in inputs:
        total += kernel_size**2 * m + 1
    return total


# %% question="losses" right="a reader's: the right class taken off at the end"
def cross_entropy(logits, y):
    logits = logits - logits.max(axis=1, keepdims=True)
    log_p = logits - np.log(np.sum(np.exp(logits), axis=1, keepdims=True))
    return -np.mean(log_p[np.arange(len(y)), y])


def hinge_loss(scores, y):
    right = scores[np.arange(len(y)), y]
    return np.mean(np.sum(np.maximum(0, scores - right[:, None] + 1), axis=1)) - 1


# %% question="train" right="a reader's: the network of question 6"
def train(X, y, epochs):
    model = build_lenet5()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.Adam(0.002), loss=loss, metrics=["accuracy"])
    training.fit(model, X, y, epochs=epochs, batch_size=32)
    return model


# %% question="confusions" right="a reader's: a loop, and the diagonal emptied"
def confusion_matrix(y, predicted):
    matrix = np.zeros((10, 10), int)
    for true, guess in zip(y, predicted):
        matrix[true, guess] += 1
    return matrix


def most_confused(y, predicted):
    matrix = confusion_matrix(y, predicted)
    np.fill_diagonal(matrix, 0)
    true, guess = np.unravel_index(matrix.argmax(), matrix.shape)
    return int(true), int(guess)
