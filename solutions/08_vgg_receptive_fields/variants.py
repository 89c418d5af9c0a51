# %% [markdown]
# Wrong and other right answers to every question of lab 08. Each cell replaces one whole answer cell.

# %% question="rf-recursion" wrong="new-jump"
def receptive_fields(stack):
    size, jump, centre, rows = 1, 1, 0.0, []
    for kernel_size, stride, padding in stack:
        jump *= stride
        size += (kernel_size - 1) * jump
        centre += ((kernel_size - 1) / 2 - padding) * jump
        rows.append((size, jump, centre))
    return rows

# %% question="rf-recursion" wrong="own-stride"
def receptive_fields(stack):
    size, jump, centre, rows = 1, 1, 0.0, []
    for kernel_size, stride, padding in stack:
        size += (kernel_size - 1) * stride
        centre += ((kernel_size - 1) / 2 - padding) * stride
        jump *= stride
        rows.append((size, jump, centre))
    return rows

# %% question="rf-recursion" wrong="no-minus-one"
def receptive_fields(stack):
    size, jump, centre, rows = 1, 1, 0.0, []
    for kernel_size, stride, padding in stack:
        size += kernel_size * jump
        centre += ((kernel_size - 1) / 2 - padding) * jump
        jump *= stride
        rows.append((size, jump, centre))
    return rows

# %% question="rf-recursion" wrong="starts-at-zero"
def receptive_fields(stack):
    size, jump, centre, rows = 0, 1, 0.0, []
    for kernel_size, stride, padding in stack:
        size += (kernel_size - 1) * jump
        centre += ((kernel_size - 1) / 2 - padding) * jump
        jump *= stride
        rows.append((size, jump, centre))
    return rows

# %% question="rf-recursion" wrong="stride-as-jump"
def receptive_fields(stack):
    size, jump, centre, rows = 1, 1, 0.0, []
    for kernel_size, stride, padding in stack:
        size += (kernel_size - 1) * jump
        centre += ((kernel_size - 1) / 2 - padding) * jump
        jump = stride
        rows.append((size, jump, centre))
    return rows

# %% question="rf-recursion" wrong="strides-added"
def receptive_fields(stack):
    size, jump, centre, rows = 1, 1, 0.0, []
    for kernel_size, stride, padding in stack:
        size += (kernel_size - 1) * jump
        centre += ((kernel_size - 1) / 2 - padding) * jump
        jump += stride - 1
        rows.append((size, jump, centre))
    return rows

# %% question="rf-recursion" wrong="padding-counted"
def receptive_fields(stack):
    size, jump, centre, rows = 1, 1, 0.0, []
    for kernel_size, stride, padding in stack:
        size += (kernel_size - 1 - 2 * padding) * jump
        centre += ((kernel_size - 1) / 2 - padding) * jump
        jump *= stride
        rows.append((size, jump, centre))
    return rows

# %% question="rf-recursion" wrong="padding-ignored"
def receptive_fields(stack):
    size, jump, centre, rows = 1, 1, 0.0, []
    for kernel_size, stride, _ in stack:
        size += (kernel_size - 1) * jump
        centre += (kernel_size - 1) / 2 * jump
        jump *= stride
        rows.append((size, jump, centre))
    return rows

# %% question="rf-recursion" wrong="half-a-kernel"
def receptive_fields(stack):
    size, jump, centre, rows = 1, 1, 0.0, []
    for kernel_size, stride, padding in stack:
        size += (kernel_size - 1) * jump
        centre += (kernel_size / 2 - padding) * jump
        jump *= stride
        rows.append((size, jump, centre))
    return rows

# %% question="rf-recursion" wrong="counted-from-one"
def receptive_fields(stack):
    size, jump, centre, rows = 1, 1, 1.0, []
    for kernel_size, stride, padding in stack:
        size += (kernel_size - 1) * jump
        centre += ((kernel_size - 1) / 2 - padding) * jump
        jump *= stride
        rows.append((size, jump, centre))
    return rows

# %% question="rf-recursion" wrong="edge-based"
def receptive_fields(stack):
    size, jump, centre, rows = 1, 1, 0.5, []
    for kernel_size, stride, padding in stack:
        size += (kernel_size - 1) * jump
        centre += ((kernel_size - 1) / 2 - padding) * jump
        jump *= stride
        rows.append((size, jump, centre))
    return rows

# %% question="rf-recursion" wrong="padding-in-pixels"
def receptive_fields(stack):
    size, jump, centre, rows = 1, 1, 0.0, []
    for kernel_size, stride, padding in stack:
        size += (kernel_size - 1) * jump
        centre += (kernel_size - 1) / 2 * jump - padding
        jump *= stride
        rows.append((size, jump, centre))
    return rows

# %% question="rf-recursion" wrong="rounded"
def receptive_fields(stack):
    size, jump, centre, rows = 1, 1, 0.0, []
    for kernel_size, stride, padding in stack:
        size += (kernel_size - 1) * jump
        centre += ((kernel_size - 1) // 2 - padding) * jump
        jump *= stride
        rows.append((size, jump, centre))
    return rows

# %% question="rf-recursion" wrong="padding-ignored" name="half of the size"
def receptive_fields(stack):
    size, jump, rows = 1, 1, []
    for kernel_size, stride, _ in stack:
        size += (kernel_size - 1) * jump
        jump *= stride
        rows.append((size, jump, (size - 1) / 2))
    return rows

# %% question="rf-recursion" right="first and last pixel of units 0 and 1, from the top down"
def receptive_fields(stack):
    def pixels(depth, unit):
        first = last = unit
        for kernel_size, stride, padding in reversed(stack[:depth]):
            first, last = first * stride - padding, last * stride - padding + kernel_size - 1
        return first, last

    rows = []
    for depth in range(1, len(stack) + 1):
        first, last = pixels(depth, 0)
        rows.append([last - first + 1, pixels(depth, 1)[0] - first, (first + last) / 2])
    return rows

# %% question="rf-recursion" right="NumPy, all layers at once"
def receptive_fields(stack):
    k, s, p = np.array(stack).T
    jumps = np.cumprod(s)
    below = np.concatenate([[1], jumps[:-1]])
    sizes = 1 + np.cumsum((k - 1) * below)
    centres = np.cumsum(((k - 1) / 2 - p) * below)
    return np.stack([sizes, jumps, centres], axis=1)

# %% question="rf-recursion" right="by itself, one layer less"
def receptive_fields(stack):
    if len(stack) == 0:
        return []
    below = receptive_fields(stack[:-1])
    r, j, c = below[-1] if below else (1, 1, 0)
    k, s, p = stack[-1]
    return below + [(r + (k - 1) * j, j * s, c + j * (k - 1) / 2 - j * p)]

# %% question="merge-kernels" wrong="flipped"
def merge_kernels(A, B):
    n, m = len(A), len(B)
    K = np.zeros((n + m - 1, n + m - 1))
    for i in range(m):
        for j in range(m):
            K[i : i + n, j : j + n] += B[m - 1 - i, m - 1 - j] * A
    return K


def threes_needed(kernel_size):
    return (kernel_size - 1) // 2

# %% question="merge-kernels" wrong="flipped" name="TensorFlow's correlation"
def merge_kernels(A, B):
    m = len(B)
    image = np.pad(A, m - 1)[None, :, :, None]
    return tf.nn.conv2d(image, B[:, :, None, None], 1, "VALID")[0, :, :, 0]


def threes_needed(kernel_size):
    return (kernel_size - 1) // 2

# %% question="merge-kernels" wrong="multiplied"
def merge_kernels(A, B):
    return A * B


def threes_needed(kernel_size):
    return (kernel_size - 1) // 2

# %% question="merge-kernels" wrong="matrix-product"
def merge_kernels(A, B):
    return A @ B


def threes_needed(kernel_size):
    return (kernel_size - 1) // 2

# %% question="merge-kernels" wrong="added"
def merge_kernels(A, B):
    n, m = len(A), len(B)
    K = np.zeros((n + m - 1, n + m - 1))
    K[:n, :n] += A
    K[n - 1 :, n - 1 :] += B
    return K


def threes_needed(kernel_size):
    return (kernel_size - 1) // 2

# %% question="merge-kernels" wrong="cut-off"
def merge_kernels(A, B):
    n, m = len(A), len(B)
    K = np.zeros((n + m - 1, n + m - 1))
    for i in range(m):
        for j in range(m):
            K[i : i + n, j : j + n] += B[i, j] * A
    size = max(n, m)
    return K[:size, :size]


def threes_needed(kernel_size):
    return (kernel_size - 1) // 2

# %% question="merge-kernels" wrong="too-large"
def merge_kernels(A, B):
    n, m = len(A), len(B)
    K = np.zeros((n + m, n + m))
    for i in range(m):
        for j in range(m):
            K[i : i + n, j : j + n] += B[i, j] * A
    return K


def threes_needed(kernel_size):
    return (kernel_size - 1) // 2

# %% question="merge-kernels" wrong="divided-by-three"
def merge_kernels(A, B):
    n, m = len(A), len(B)
    K = np.zeros((n + m - 1, n + m - 1))
    for i in range(m):
        for j in range(m):
            K[i : i + n, j : j + n] += B[i, j] * A
    return K


def threes_needed(kernel_size):
    return kernel_size // 3

# %% question="merge-kernels" wrong="one-a-pixel"
def merge_kernels(A, B):
    n, m = len(A), len(B)
    K = np.zeros((n + m - 1, n + m - 1))
    for i in range(m):
        for j in range(m):
            K[i : i + n, j : j + n] += B[i, j] * A
    return K


def threes_needed(kernel_size):
    return kernel_size - 3

# %% question="merge-kernels" wrong="image-counted"
def merge_kernels(A, B):
    n, m = len(A), len(B)
    K = np.zeros((n + m - 1, n + m - 1))
    for i in range(m):
        for j in range(m):
            K[i : i + n, j : j + n] += B[i, j] * A
    return K


def threes_needed(kernel_size):
    return (kernel_size - 3) // 2

# %% question="merge-kernels" wrong="divided-by-three" name="rounded up"
def merge_kernels(A, B):
    side = len(A) + len(B) - 1
    return np.fft.irfft2(np.fft.rfft2(A, (side, side)) * np.fft.rfft2(B, (side, side)), (side, side))


def threes_needed(kernel_size):
    return int(np.ceil(kernel_size / 3))

# %% question="merge-kernels" right="SciPy's convolution, and counting up"
from scipy.signal import convolve2d


def merge_kernels(A, B):
    return convolve2d(A, B)


def threes_needed(kernel_size):
    layers, seen = 0, 1
    while seen < kernel_size:
        layers, seen = layers + 1, seen + 2
    return layers

# %% question="merge-kernels" right="products of polynomials by Fourier"
def merge_kernels(A, B):
    side = len(A) + len(B) - 1
    spectrum = np.fft.fft2(A, (side, side)) * np.fft.fft2(B, (side, side))
    return np.fft.ifft2(spectrum).real


def threes_needed(kernel_size):
    return kernel_size / 2 - 0.5

# %% question="merge-kernels" right="the gradient of two convolutions"
def merge_kernels(A, B):
    side = len(A) + len(B) - 1
    X = tf.zeros((1, side, side, 1), tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(X)
        for K in (A, B):
            Y = tf.nn.conv2d(X if K is A else Y, tf.constant(K)[:, :, None, None], 1, "VALID")
    return tape.gradient(Y, X)[0, :, :, 0]


def threes_needed(kernel_size):
    return 1 if kernel_size == 3 else 1 + threes_needed(kernel_size - 2)

# %% question="merge-kernels" right="what two convolutions make of one bright pixel, turned round"
def merge_kernels(A, B):
    A, B = np.asarray(A, "float32"), np.asarray(B, "float32")
    s = len(A) + len(B) - 1
    X = np.zeros((1, 2 * s - 1, 2 * s - 1, 1), "float32")
    X[0, s - 1, s - 1, 0] = 1
    Y = tf.nn.conv2d(tf.nn.conv2d(X, A[:, :, None, None], 1, "VALID"), B[:, :, None, None], 1, "VALID")
    return Y.numpy()[0, ::-1, ::-1, 0]


def threes_needed(kernel_size):
    return np.int64(kernel_size // 2)

# %% question="stack-weights" wrong="biases-counted"
def stack_weights(kernel_sizes, channels):
    return sum((k * k * c + 1) * f for k, c, f in zip(kernel_sizes, channels[:-1], channels[1:]))


fewer_than_seven = 100 * 22 / 49
more_than_threes = 100 * 22 / 27
fewer_than_five = 28.0

# %% question="stack-weights" wrong="channels-once"
def stack_weights(kernel_sizes, channels):
    return sum(k * k * f for k, c, f in zip(kernel_sizes, channels[:-1], channels[1:]))


fewer_than_seven = 100 * 22 / 49
more_than_threes = 100 * 22 / 27
fewer_than_five = 28.0

# %% question="stack-weights" wrong="kernel-not-square"
def stack_weights(kernel_sizes, channels):
    return sum(k * c * f for k, c, f in zip(kernel_sizes, channels[:-1], channels[1:]))


fewer_than_seven = 100 * 22 / 49
more_than_threes = 100 * 22 / 27
fewer_than_five = 28.0

# %% question="stack-weights" wrong="own-channels"
def stack_weights(kernel_sizes, channels):
    return sum(k * k * f * f for k, c, f in zip(kernel_sizes, channels[:-1], channels[1:]))


fewer_than_seven = 100 * 22 / 49
more_than_threes = 100 * 22 / 27
fewer_than_five = 28.0

# %% question="stack-weights" wrong="one-layer-only"
def stack_weights(kernel_sizes, channels):
    return kernel_sizes[0] ** 2 * channels[0] * channels[1]


fewer_than_seven = 100 * 22 / 49
more_than_threes = 100 * 22 / 27
fewer_than_five = 28.0

# %% question="stack-weights" wrong="kernels-multiplied"
def stack_weights(kernel_sizes, channels):
    total = 1
    for k, c, f in zip(kernel_sizes, channels[:-1], channels[1:]):
        total *= k * k * c * f
    return total


fewer_than_seven = 100 * 22 / 49
more_than_threes = 100 * 22 / 27
fewer_than_five = 28.0

# %% question="stack-weights" wrong="share"
def stack_weights(kernel_sizes, channels):
    return sum(k * k * c * f for k, c, f in zip(kernel_sizes, channels[:-1], channels[1:]))


fewer_than_seven = 22 / 49
more_than_threes = 22 / 27
fewer_than_five = 7 / 25

# %% question="stack-weights" wrong="of-the-other"
def stack_weights(kernel_sizes, channels):
    return sum(k * k * c * f for k, c, f in zip(kernel_sizes, channels[:-1], channels[1:]))


fewer_than_seven = 100 * 22 / 27
more_than_threes = 100 * 22 / 49
fewer_than_five = 100 * 7 / 18

# %% question="stack-weights" wrong="what-is-left"
def stack_weights(kernel_sizes, channels):
    return sum(k * k * c * f for k, c, f in zip(kernel_sizes, channels[:-1], channels[1:]))


fewer_than_seven = 100 * 27 / 49
more_than_threes = 100 * 22 / 27
fewer_than_five = 100 * 18 / 25

# %% question="stack-weights" wrong="the-whole"
def stack_weights(kernel_sizes, channels):
    return sum(k * k * c * f for k, c, f in zip(kernel_sizes, channels[:-1], channels[1:]))


fewer_than_seven = 100 * 22 / 49
more_than_threes = 100 * 49 / 27
fewer_than_five = 28

# %% question="stack-weights" wrong="minus"
def stack_weights(kernel_sizes, channels):
    return sum(k * k * c * f for k, c, f in zip(kernel_sizes, channels[:-1], channels[1:]))


fewer_than_seven = 100 * (27 - 49) / 49
more_than_threes = 100 * (49 - 27) / 27
fewer_than_five = 100 * (18 - 25) / 25

# %% question="stack-weights" right="arrays"
def stack_weights(kernel_sizes, channels):
    channels = np.array(channels)
    return np.sum(np.array(kernel_sizes) ** 2 * channels[1:] * channels[:-1])


fewer_than_seven = np.float32(44.9)
more_than_threes = 81.5
fewer_than_five = 28

# %% question="stack-weights" right="shapes of kernels"
def stack_weights(kernel_sizes, channels):
    total = 0
    for i in range(len(kernel_sizes)):
        total += np.empty((kernel_sizes[i], kernel_sizes[i], channels[i], channels[i + 1])).size
    return total


fewer_than_seven = (1 - stack_weights([3] * 3, [10] * 4) / stack_weights([7], [10, 10])) * 100
more_than_threes = (stack_weights([7], [10, 10]) / stack_weights([3] * 3, [10] * 4) - 1) * 100
fewer_than_five = (1 - stack_weights([3] * 2, [10] * 3) / stack_weights([5], [10, 10])) * 100

# %% question="stack-weights" right="counted by Keras; whole numbers"
def stack_weights(kernel_sizes, channels):
    model = keras.Sequential([keras.Input((None, None, channels[0]))])
    for k, f in zip(kernel_sizes, channels[1:]):
        model.add(layers.Conv2D(f, k, use_bias=False))
    return model.count_params()


fewer_than_seven = 45
more_than_threes = 81
fewer_than_five = 28

# %% question="networks" wrong="strides-ignored"
fields = {}
for network, stack in NETWORKS.items():
    size, jump, fields[network] = 1, 1, {}
    for layer, (k, s, p) in stack.items():
        size += k - 1
        fields[network][layer] = size

first_to_see_all = {"LeNet-5": "C5", "AlexNet": "fc6", "VGG-16": "fc6"}

# %% question="networks" wrong="pooling-skipped"
fields = {}
for network, stack in NETWORKS.items():
    size, jump, fields[network] = 1, 1, {}
    for layer, (k, s, p) in stack.items():
        if not layer.startswith(("pool", "S")):
            size += (k - 1) * jump
        jump *= s
        fields[network][layer] = size

first_to_see_all = {"LeNet-5": "C5", "AlexNet": "fc6", "VGG-16": "fc6"}

# %% question="networks" wrong="new-jump"
fields = {}
for network, stack in NETWORKS.items():
    size, jump, fields[network] = 1, 1, {}
    for layer, (k, s, p) in stack.items():
        jump *= s
        size += (k - 1) * jump
        fields[network][layer] = size

first_to_see_all = {"LeNet-5": "C5", "AlexNet": "fc6", "VGG-16": "fc6"}

# %% question="networks" wrong="jump-reported"
fields = {}
for network, stack in NETWORKS.items():
    size, jump, fields[network] = 1, 1, {}
    for layer, (k, s, p) in stack.items():
        size += (k - 1) * jump
        jump *= s
        fields[network][layer] = jump

first_to_see_all = {"LeNet-5": "C5", "AlexNet": "fc6", "VGG-16": "fc6"}

# %% question="networks" wrong="no-minus-one"
fields = {}
for network, stack in NETWORKS.items():
    size, jump, fields[network] = 1, 1, {}
    for layer, (k, s, p) in stack.items():
        size += k * jump
        jump *= s
        fields[network][layer] = size

first_to_see_all = {"LeNet-5": "C5", "AlexNet": "fc6", "VGG-16": "fc6"}

# %% question="networks" wrong="clipped"
fields = {}
for network, stack in NETWORKS.items():
    size, jump, fields[network] = 1, 1, {}
    for layer, (k, s, p) in stack.items():
        size += (k - 1) * jump
        jump *= s
        fields[network][layer] = min(size, INPUT[network])

first_to_see_all = {"LeNet-5": "C5", "AlexNet": "fc6", "VGG-16": "fc6"}

# %% question="networks" wrong="output-size"
fields = {}
for network, stack in NETWORKS.items():
    side, fields[network] = INPUT[network], {}
    for layer, (k, s, p) in stack.items():
        side = (side + 2 * p - k) // s + 1
        fields[network][layer] = side

first_to_see_all = {"LeNet-5": "C5", "AlexNet": "fc6", "VGG-16": "fc6"}

# %% question="networks" wrong="not-yet"
fields = {}
for network, stack in NETWORKS.items():
    size, jump, fields[network] = 1, 1, {}
    for layer, (k, s, p) in stack.items():
        size += (k - 1) * jump
        jump *= s
        fields[network][layer] = size

first_to_see_all = {"LeNet-5": "S4", "AlexNet": "pool5", "VGG-16": "pool5"}

# %% question="networks" wrong="earlier-one"
fields = {}
for network, stack in NETWORKS.items():
    size, jump, fields[network] = 1, 1, {}
    for layer, (k, s, p) in stack.items():
        size += (k - 1) * jump
        jump *= s
        fields[network][layer] = size

first_to_see_all = {"LeNet-5": "output", "AlexNet": "fc8", "VGG-16": "fc8"}

# %% question="networks" wrong="not-yet" name="the last convolution"
fields = {}
for network, stack in NETWORKS.items():
    size, jump, fields[network] = 1, 1, {}
    for layer, (k, s, p) in stack.items():
        size += (k - 1) * jump
        jump *= s
        fields[network][layer] = size


first_to_see_all = {"LeNet-5": "S4", "AlexNet": "conv5", "VGG-16": "conv5_3"}

# %% question="networks" right="by hand"
fields = {
    "LeNet-5": {"C1": 5, "S2": 6, "C3": 14, "S4": 16, "C5": 32, "F6": 32, "output": 32},
    "AlexNet": {"conv1": 11, "pool1": 19, "conv2": 51, "pool2": 67, "conv3": 99, "conv4": 131, "conv5": 163},
    "VGG-16": dict(zip(VGG16, (3, 5, 6, 10, 14, 16, 24, 32, 40, 44, 60, 76, 92, 100, 132, 164, 196, 212))),
}
fields["AlexNet"] |= {"pool5": 195, "fc6": 355, "fc7": 355, "fc8": 355}
fields["VGG-16"] |= dict.fromkeys(("fc6", "fc7", "fc8"), 404)
first_to_see_all = dict(zip(NETWORKS, ("C5", "fc6", "fc6")))

# %% question="networks" right="cumulative sums"
fields = {}
first_to_see_all = {}
for network, stack in NETWORKS.items():
    k, s, _ = np.array(list(stack.values())).T
    sizes = 1 + np.cumsum((k - 1) * np.cumprod([1, *s[:-1]]))
    fields[network] = {layer: np.int64(size) for layer, size in zip(stack, sizes)}
    first_to_see_all[network] = list(stack)[np.argmax(sizes >= INPUT[network])]

# %% question="networks" right="how many units of the layer below, down to the image"
def back(stack):
    n = 1
    for k, s, p in stack[::-1]:
        n = (n - 1) * s + k
    return np.int32(n)
fields = {n: {l: back(list(t.values())[: i + 1]) for i, l in enumerate(t)} for n, t in NETWORKS.items()}
first_to_see_all = {n: [l for l in t if t[l] >= INPUT[n]][0] for n, t in fields.items()}

# %% question="seen-by" wrong="exchanged"
def seen_by(stack, unit, size):
    X = tf.ones((1, size, size, 1))
    with tf.GradientTape() as tape:
        tape.watch(X)
        Y = X
        for k, stride, p in stack:
            Y = tf.nn.conv2d(Y, tf.ones((k, k, 1, 1)), stride, [(0, 0), (p, p), (p, p), (0, 0)])
        y = Y[0, unit[1], unit[0], 0]
    return tape.gradient(y, X).numpy()[0, :, :, 0] != 0

# %% question="seen-by" wrong="unpadded"
def seen_by(stack, unit, size):
    X = tf.ones((1, size, size, 1))
    with tf.GradientTape() as tape:
        tape.watch(X)
        Y = X
        for k, stride, p in stack:
            Y = tf.nn.conv2d(Y, tf.ones((k, k, 1, 1)), stride, "VALID")
        y = Y[0, unit[0], unit[1], 0]
    return tape.gradient(y, X).numpy()[0, :, :, 0] != 0

# %% question="seen-by" wrong="all-units"
def seen_by(stack, unit, size):
    X = tf.ones((1, size, size, 1))
    with tf.GradientTape() as tape:
        tape.watch(X)
        Y = X
        for k, stride, p in stack:
            Y = tf.nn.conv2d(Y, tf.ones((k, k, 1, 1)), stride, [(0, 0), (p, p), (p, p), (0, 0)])
        y = tf.reduce_sum(Y)
    return tape.gradient(y, X).numpy()[0, :, :, 0] != 0

# %% question="seen-by" wrong="first-unit"
def seen_by(stack, unit, size):
    X = tf.ones((1, size, size, 1))
    with tf.GradientTape() as tape:
        tape.watch(X)
        Y = X
        for k, stride, p in stack:
            Y = tf.nn.conv2d(Y, tf.ones((k, k, 1, 1)), stride, [(0, 0), (p, p), (p, p), (0, 0)])
        y = Y[0, 0, 0, 0]
    return tape.gradient(y, X).numpy()[0, :, :, 0] != 0

# %% question="seen-by" wrong="some-missing"
def seen_by(stack, unit, size):
    X = tf.random.stateless_uniform((1, size, size, 1), (1, 2))
    with tf.GradientTape() as tape:
        tape.watch(X)
        Y = X
        for k, stride, p in stack:
            Y = tf.pad(Y, [(0, 0), (p, p), (p, p), (0, 0)])
            if stride == k:
                Y = tf.nn.max_pool2d(Y, k, stride, "VALID")
            else:
                Y = tf.nn.conv2d(Y, tf.ones((k, k, 1, 1)), stride, "VALID")
        y = Y[0, unit[0], unit[1], 0]
    return tape.gradient(y, X).numpy()[0, :, :, 0] != 0

# %% question="seen-by" wrong="end-missing"
def seen_by(stack, unit, size):
    sides = [size]
    for k, stride, p in stack:
        sides.append((sides[-1] + 2 * p - k) // stride + 1)

    def pixels(first):
        last = first
        for (k, stride, p), side in list(zip(stack, sides))[::-1]:
            first, last = max(first * stride - p, 0), min(last * stride - p + k - 1, side - 1)
        return first, last

    r, c = pixels(unit[0]), pixels(unit[1])
    seen = np.zeros((size, size), bool)
    seen[r[0] : r[1], c[0] : c[1]] = True
    return seen

# %% question="seen-by" wrong="last-layer-only"
def seen_by(stack, unit, size):
    sides = [size]
    for k, stride, p in stack:
        sides.append((sides[-1] + 2 * p - k) // stride + 1)

    def pixels(first):
        last = first
        for (k, stride, p), side in list(zip(stack, sides))[:-2:-1]:
            first, last = max(first * stride - p, 0), min(last * stride - p + k - 1, side - 1)
        return first, last

    r, c = pixels(unit[0]), pixels(unit[1])
    seen = np.zeros((size, size), bool)
    seen[r[0] : r[1] + 1, c[0] : c[1] + 1] = True
    return seen

# %% question="seen-by" wrong="stride-missing"
def seen_by(stack, unit, size):
    sides = [size]
    for k, stride, p in stack:
        sides.append((sides[-1] + 2 * p - k) // stride + 1)

    def pixels(first):
        last = first
        for (k, stride, p), side in list(zip(stack, sides))[::-1]:
            first, last = max(first - p, 0), min(last - p + k - 1, side - 1)
        return first, last

    r, c = pixels(unit[0]), pixels(unit[1])
    seen = np.zeros((size, size), bool)
    seen[r[0] : r[1] + 1, c[0] : c[1] + 1] = True
    return seen

# %% question="seen-by" wrong="frame-returned"
def seen_by(stack, unit, size):
    p = stack[0][2]
    X = tf.ones((1, size + 2 * p, size + 2 * p, 1))
    with tf.GradientTape() as tape:
        tape.watch(X)
        Y = X
        for i, (k, stride, p) in enumerate(stack):
            p = p if i else 0
            Y = tf.nn.conv2d(Y, tf.ones((k, k, 1, 1)), stride, [(0, 0), (p, p), (p, p), (0, 0)])
        y = Y[0, unit[0], unit[1], 0]
    return tape.gradient(y, X).numpy()[0, :, :, 0] != 0

# %% question="seen-by" wrong="same-padding"
def seen_by(stack, unit, size):
    X = tf.ones((1, size, size, 1))
    with tf.GradientTape() as tape:
        tape.watch(X)
        Y = X
        for k, s, p in stack:
            Y = tf.nn.conv2d(Y, tf.ones((k, k, 1, 1)), s, "SAME" if p else "VALID")
        y = Y[0, unit[0], unit[1], 0]
    return tape.gradient(y, X).numpy()[0, :, :, 0] > 0

# %% question="seen-by" wrong="nothing-seen"
def seen_by(stack, unit, size):
    seen = np.zeros((size, size), bool)
    spans = []
    for u in unit:
        lo = hi = u
        for k, s, p in reversed(stack):
            lo, hi = lo * s - p, hi * s - p + k - 1
        spans.append(slice(lo, hi + 1))
    seen[spans[0], spans[1]] = True
    return seen

# %% question="seen-by" wrong="gradient-returned"
def seen_by(stack, unit, size):
    X = tf.ones((1, size, size, 1))
    with tf.GradientTape() as tape:
        tape.watch(X)
        Y = X
        for k, s, p in stack:
            Y = tf.nn.conv2d(tf.pad(Y, [[0, 0], [p, p], [p, p], [0, 0]]), tf.ones((k, k, 1, 1)) / k**2, s, "VALID")
        y = Y[0, unit[0], unit[1], 0]
    return tape.gradient(y, X).numpy()[0, :, :, 0]

# %% question="seen-by" right="no gradient: what each layer reads"
def seen_by(stack, unit, size):
    sides = [size]
    for k, stride, p in stack:
        sides.append((sides[-1] + 2 * p - k) // stride + 1)

    def pixels(first):
        last = first
        for (k, stride, p), side in list(zip(stack, sides))[::-1]:
            first, last = max(first * stride - p, 0), min(last * stride - p + k - 1, side - 1)
        return first, last

    r, c = pixels(unit[0]), pixels(unit[1])
    seen = np.zeros((size, size), bool)
    seen[r[0] : r[1] + 1, c[0] : c[1] + 1] = True
    return seen

# %% question="seen-by" right="a Keras model with average pooling and random weights"
def seen_by(stack, unit, size):
    model = keras.Sequential([keras.Input((size, size, 1))])
    for k, stride, p in stack:
        model.add(layers.ZeroPadding2D(p))
        if k == stride:
            model.add(layers.AveragePooling2D(k, stride))
        else:
            positive = keras.initializers.RandomUniform(0.5, 1.5)
            model.add(layers.Conv2D(1, k, stride, kernel_initializer=positive, use_bias=False))
    X = tf.Variable(tf.ones((1, size, size, 1)))
    with tf.GradientTape() as tape:
        y = model(X)[0, unit[0], unit[1], 0]
    return tape.gradient(y, X).numpy().squeeze() > 0

# %% question="seen-by" right="rows and columns by matrices of zeros and ones"
def seen_by(stack, unit, size):
    M = np.eye(size, dtype=int)
    for k, stride, p in stack:
        M = np.pad(M, [(p, p), (0, 0)])
        M = np.array([M[i : i + k].max(axis=0) for i in range(0, len(M) - k + 1, stride)])
    return np.outer(M[unit[0]], M[unit[1]])

# %% question="seen-by" right="masks, layer by layer"
def seen_by(stack, unit, size):
    sides = [size]
    for k, s, p in stack:
        sides.append((sides[-1] + 2 * p - k) // s + 1)
    mask = np.zeros((sides[-1],) * 2, bool)
    mask[tuple(unit)] = True
    for (k, s, p), n in zip(stack[::-1], sides[-2::-1]):
        below = np.zeros((n + 2 * p, n + 2 * p), bool)
        for i, j in np.argwhere(mask):
            below[i * s:i * s + k, j * s:j * s + k] = True
        mask = below[p:p + n, p:p + n]
    return mask

# %% question="seen-by" right="Keras, a list of lists"
def seen_by(stack, unit, size):
    model = keras.Sequential([keras.Input((size, size, 1))])
    for k, s, p in stack:
        model.add(layers.ZeroPadding2D(p))
        model.add(layers.Conv2D(1, k, strides=s, kernel_initializer="ones", use_bias=False))
    x = tf.Variable(np.ones((1, size, size, 1), "float32"))
    with tf.GradientTape() as t:
        y = model(x)[0, unit[0], unit[1], 0]
    return (t.gradient(y, x).numpy()[0, ..., 0] != 0).tolist()

# %% question="effective-field" wrong="signed"
def effective_field(G, share=0.9):
    mass, n = G, len(G)
    for margin in range((n - 1) // 2, -1, -1):
        if mass[margin : n - margin, margin : n - margin].sum() >= share * mass.sum():
            return n - 2 * margin
    return n

# %% question="effective-field" wrong="squared"
def effective_field(G, share=0.9):
    mass, n = G**2, len(G)
    for margin in range((n - 1) // 2, -1, -1):
        if mass[margin : n - margin, margin : n - margin].sum() >= share * mass.sum():
            return n - 2 * margin
    return n

# %% question="effective-field" wrong="half-side"
def effective_field(G, share=0.9):
    mass, n = np.abs(G), len(G)
    for margin in range((n - 1) // 2, -1, -1):
        if mass[margin : n - margin, margin : n - margin].sum() >= share * mass.sum():
            return (n - 2 * margin) // 2
    return n

# %% question="effective-field" wrong="pixels-counted"
def effective_field(G, share=0.9):
    mass, n = np.abs(G), len(G)
    for margin in range((n - 1) // 2, -1, -1):
        if mass[margin : n - margin, margin : n - margin].sum() >= share * mass.sum():
            return (n - 2 * margin) ** 2
    return n

# %% question="effective-field" wrong="just-below"
def effective_field(G, share=0.9):
    mass, n = np.abs(G), len(G)
    for margin in range((n - 1) // 2, -1, -1):
        if mass[margin : n - margin, margin : n - margin].sum() >= share * mass.sum():
            return n - 2 * margin - 2
    return n

# %% question="effective-field" wrong="margin"
def effective_field(G, share=0.9):
    mass, n = np.abs(G), len(G)
    for margin in range((n - 1) // 2, -1, -1):
        if mass[margin : n - margin, margin : n - margin].sum() >= share * mass.sum():
            return margin
    return n

# %% question="effective-field" wrong="one-row"
def effective_field(G, share=0.9):
    mass, n = np.abs(G), len(G)
    for margin in range((n - 1) // 2, -1, -1):
        if mass[n // 2, margin : n - margin].sum() >= share * mass[n // 2].sum():
            return n - 2 * margin
    return n

# %% question="effective-field" wrong="part-of-peak"
def effective_field(G, share=0.9):
    mass = np.abs(G)
    return int(np.sqrt((mass > (1 - share) * mass.max()).sum()))

# %% question="effective-field" wrong="off-centre"
def effective_field(G, share=0.9):
    mass, c = np.abs(G), len(G) // 2
    for side in range(1, len(G) + 1):
        first = max(c - side // 2, 0)
        if mass[first : first + side, first : first + side].sum() >= share * mass.sum():
            return side
    return len(G)

# %% question="effective-field" wrong="off-centre" name="around one pixel"
def effective_field(G, share=0.9):
    M = np.abs(G)
    n = len(G)
    c = n // 2
    for r in range(n):
        if M[max(0, c - r):c + r + 1, max(0, c - r):c + r + 1].sum() >= share * M.sum():
            return 2 * r + 1
    return n

# %% question="effective-field" wrong="wanders"
def effective_field(G, share=0.9):
    M = np.abs(G)
    n = len(G)
    for side in range(2 - n % 2, n + 1, 2):
        for i in range(n - side + 1):
            for j in range(n - side + 1):
                if M[i:i + side, j:j + side].sum() >= share * M.sum():
                    return side

# %% question="effective-field" right="rings"
def effective_field(G, share=0.9):
    n = len(G)
    i = np.abs(2 * np.arange(n) - (n - 1))
    ring = np.maximum.outer(i, i)
    mass = np.abs(G)
    for width in np.unique(ring):
        if mass[ring <= width].sum() >= share * mass.sum():
            return width + 1

# %% question="effective-field" right="from outside, peeling"
def effective_field(G, share=0.9):
    mass = np.abs(np.array(G))
    least = share * mass.sum()
    while len(mass) > 2 and mass[1:-1, 1:-1].sum() >= least:
        mass = mass[1:-1, 1:-1]
    return len(mass)

# %% question="effective-field" right="rings, counted"
def effective_field(G, share=0.9):
    A = np.abs(np.asarray(G, dtype=np.float64))
    n = A.shape[0]
    d = np.abs(np.arange(n) - (n - 1) / 2)
    ring = (np.maximum(d[:, None], d) - (1 - n % 2) / 2).astype(int)
    mass = np.cumsum(np.bincount(ring.ravel(), weights=A.ravel()))
    i = np.argmax(mass >= share * mass[-1])
    return 2 * i + (2 if n % 2 == 0 else 1)

# %% question="effective-field" right="from inside out"
def effective_field(G, share=0.9):
    n = np.shape(G)[0]
    total = np.sum(np.abs(G))
    for side in range(2 - n % 2, n + 1, 2):
        m = (n - side) // 2
        if np.sum(np.abs(np.asarray(G)[m:m + side, m:m + side])) >= share * total:
            return side
    return n

# %% question="vgg-layers" wrong="no-bias"
def vgg_layers(name):
    rows, channels = [], 3
    for number, filters in zip(CONVOLUTIONS[name], FILTERS):
        for i in range(number):
            rows.append((1 if name == "C" and i == 2 else 3, channels, filters))
            channels = filters
    return [*rows, (7, channels, 4096), (1, 4096, 4096), (1, 4096, 1000)]


def vgg_parameters(name):
    return sum(k * k * channels * filters for k, channels, filters in vgg_layers(name))

# %% question="vgg-layers" wrong="convolutions-only"
def vgg_layers(name):
    rows, channels = [], 3
    for number, filters in zip(CONVOLUTIONS[name], FILTERS):
        for i in range(number):
            rows.append((1 if name == "C" and i == 2 else 3, channels, filters))
            channels = filters
    return rows


def vgg_parameters(name):
    return sum((k * k * channels + 1) * filters for k, channels, filters in vgg_layers(name))

# %% question="vgg-layers" wrong="fc6-reads-a-place"
def vgg_layers(name):
    rows, channels = [], 3
    for number, filters in zip(CONVOLUTIONS[name], FILTERS):
        for i in range(number):
            rows.append((1 if name == "C" and i == 2 else 3, channels, filters))
            channels = filters
    return [*rows, (1, channels, 4096), (1, 4096, 4096), (1, 4096, 1000)]


def vgg_parameters(name):
    return sum((k * k * channels + 1) * filters for k, channels, filters in vgg_layers(name))

# %% question="vgg-layers" wrong="not-pooled"
def vgg_layers(name):
    rows, channels = [], 3
    for number, filters in zip(CONVOLUTIONS[name], FILTERS):
        for i in range(number):
            rows.append((1 if name == "C" and i == 2 else 3, channels, filters))
            channels = filters
    return [*rows, (14, channels, 4096), (1, 4096, 4096), (1, 4096, 1000)]


def vgg_parameters(name):
    return sum((k * k * channels + 1) * filters for k, channels, filters in vgg_layers(name))

# %% question="vgg-layers" wrong="no-one-by-one"
def vgg_layers(name):
    rows, channels = [], 3
    for number, filters in zip(CONVOLUTIONS[name], FILTERS):
        for i in range(number):
            rows.append((3, channels, filters))
            channels = filters
    return [*rows, (7, channels, 4096), (1, 4096, 4096), (1, 4096, 1000)]


def vgg_parameters(name):
    return sum((k * k * channels + 1) * filters for k, channels, filters in vgg_layers(name))

# %% question="vgg-layers" wrong="filters-doubled"
def vgg_layers(name):
    rows, channels = [], 3
    for number, filters in zip(CONVOLUTIONS[name], (64, 128, 256, 512, 1024)):
        for i in range(number):
            rows.append((1 if name == "C" and i == 2 else 3, channels, filters))
            channels = filters
    return [*rows, (7, channels, 4096), (1, 4096, 4096), (1, 4096, 1000)]


def vgg_parameters(name):
    return sum((k * k * channels + 1) * filters for k, channels, filters in vgg_layers(name))

# %% question="vgg-layers" wrong="own-channels"
def vgg_layers(name):
    rows, channels = [], 3
    for number, filters in zip(CONVOLUTIONS[name], FILTERS):
        for i in range(number):
            rows.append((1 if name == "C" and i == 2 else 3, filters, filters))
            channels = filters
    return [*rows, (7, channels, 4096), (1, 4096, 4096), (1, 4096, 1000)]


def vgg_parameters(name):
    return sum((k * k * channels + 1) * filters for k, channels, filters in vgg_layers(name))

# %% question="vgg-layers" wrong="one-convolution-a-stage"
def vgg_layers(name):
    rows, channels = [], 3
    for number, filters in zip((1, 1, 1, 1, 1), FILTERS):
        for i in range(number):
            rows.append((1 if name == "C" and i == 2 else 3, channels, filters))
            channels = filters
    return [*rows, (7, channels, 4096), (1, 4096, 4096), (1, 4096, 1000)]


def vgg_parameters(name):
    return sum((k * k * channels + 1) * filters for k, channels, filters in vgg_layers(name))

# %% question="vgg-layers" wrong="kernel-not-square"
def vgg_layers(name):
    rows, channels = [], 3
    for number, filters in zip(CONVOLUTIONS[name], FILTERS):
        for i in range(number):
            rows.append((1 if name == "C" and i == 2 else 3, channels, filters))
            channels = filters
    return [*rows, (7, channels, 4096), (1, 4096, 4096), (1, 4096, 1000)]


def vgg_parameters(name):
    return sum((k * channels + 1) * filters for k, channels, filters in vgg_layers(name))

# %% question="vgg-layers" wrong="pooling-listed"
def vgg_layers(name):
    rows, channels = [], 3
    for number, filters in zip(CONVOLUTIONS[name], FILTERS):
        for i in range(number):
            rows.append((1 if name == "C" and i == 2 else 3, channels, filters))
            channels = filters
        rows.append((2, filters, filters))
    return [*rows, (7, channels, 4096), (1, 4096, 4096), (1, 4096, 1000)]


def vgg_parameters(name):
    return sum((k * k * channels + 1) * filters for k, channels, filters in vgg_layers(name) if k != 2)

# %% question="vgg-layers" wrong="flattened"
def vgg_layers(name):
    rows, c = [], 3
    for n, f in zip(CONVOLUTIONS[name], FILTERS):
        for i in range(n):
            rows.append((1 if name == "C" and i == 2 else 3, c, f))
            c = f
    return rows + [(1, 7 * 7 * 512, 4096), (1, 4096, 4096), (1, 4096, 1000)]


def vgg_parameters(name):
    return sum((k * k * c + 1) * f for k, c, f in vgg_layers(name))

# %% question="vgg-layers" right="written out, the dense part counted as units"
def vgg_layers(name):
    maps = [3] + [filters for filters, number in zip(FILTERS, CONVOLUTIONS[name]) for _ in range(number)]
    kernels = [3] * (len(maps) - 1)
    if name == "C":
        for i in (6, 9, 12):
            kernels[i] = 1
    rows = [[k, c, f] for k, c, f in zip(kernels, maps, maps[1:])]
    return rows + [[7, 512, 4096], [1, 4096, 4096], [1, 4096, 1000]]


def vgg_parameters(name):
    weights = np.array(vgg_layers(name))
    return (weights[:, 0] ** 2 * weights[:, 1] * weights[:, 2]).sum() + weights[:, 2].sum()

# %% question="vgg-layers" right="the published numbers, tuples of arrays"
def vgg_layers(name):
    def stage(read, filters, number):
        yield 3, read, filters
        for i in range(1, number):
            yield (1 if i == 2 and name == "C" else 3), filters, filters

    rows = []
    for read, filters, number in zip((3, *FILTERS), FILTERS, CONVOLUTIONS[name]):
        rows += map(np.array, stage(read, filters, number))
    rows.extend(np.array(row) for row in [(224 // 2**5, 512, 4096), (1, 4096, 4096), (1, 4096, 1000)])
    return tuple(rows)


def vgg_parameters(name):
    return {"A": 132863336, "B": 133047848, "C": 133638952, "D": 138357544, "E": 143667240}[name]

# %% question="vgg-layers" right="three lists"
def vgg_layers(name):
    filters = np.concatenate([np.repeat(FILTERS, CONVOLUTIONS[name]), [4096, 4096, 1000]])
    channels = np.concatenate([[3], filters[:-1]])
    kernels = [1 if (name == "C" and i == 2) else 3 for n in CONVOLUTIONS[name] for i in range(n)] + [224 // 2**5, 1, 1]
    return [tuple(r) for r in np.stack([kernels, channels, filters], axis=1)]


def vgg_parameters(name):
    L = np.array(vgg_layers(name))
    return np.sum(L[:, 0] ** 2 * L[:, 1] * L[:, 2]) + L[:, 2].sum()

# %% question="forward-memory" wrong="pooling-forgotten"
def forward_memory(convolutions, size=224):
    numbers, side = [3 * size**2], size
    for number, filters in zip(convolutions, FILTERS):
        numbers.append(number * side**2 * filters)
        side //= 2
    return [*numbers, 9192]


megabytes = 60.95

# %% question="forward-memory" wrong="pooled-in-full"
def forward_memory(convolutions, size=224):
    numbers, side = [3 * size**2], size
    for number, filters in zip(convolutions, FILTERS):
        numbers.append((number + 1) * side**2 * filters)
        side //= 2
    return [*numbers, 9192]


megabytes = 60.95

# %% question="forward-memory" wrong="input-forgotten"
def forward_memory(convolutions, size=224):
    numbers, side = [size**2], size
    for number, filters in zip(convolutions, FILTERS):
        numbers.append((number * side**2 + (side // 2) ** 2) * filters)
        side //= 2
    return [*numbers, 9192]


megabytes = 60.95

# %% question="forward-memory" wrong="input-forgotten" name="not in the list"
def forward_memory(convolutions, size=224):
    numbers, side = [3 * size**2], size
    for number, filters in zip(convolutions, FILTERS):
        numbers.append((number * side**2 + (side // 2) ** 2) * filters)
        side //= 2
    return [*numbers[1:], 9192]


megabytes = 60.95

# %% question="forward-memory" wrong="one-convolution"
def forward_memory(convolutions, size=224):
    numbers, side = [3 * size**2], size
    for number, filters in zip(convolutions, FILTERS):
        numbers.append((side**2 + (side // 2) ** 2) * filters)
        side //= 2
    return [*numbers, 9192]


megabytes = 60.95

# %% question="forward-memory" wrong="maps-ignored"
def forward_memory(convolutions, size=224):
    numbers, side = [3 * size**2], size
    for number, filters in zip(convolutions, FILTERS):
        numbers.append(number * side**2 + (side // 2) ** 2)
        side //= 2
    return [*numbers, 9192]


megabytes = 60.95

# %% question="forward-memory" wrong="bytes"
def forward_memory(convolutions, size=224):
    numbers, side = [3 * size**2], size
    for number, filters in zip(convolutions, FILTERS):
        numbers.append((number * side**2 + (side // 2) ** 2) * filters)
        side //= 2
    return [4 * n for n in (*numbers, 9192)]


megabytes = 60.95

# %% question="forward-memory" wrong="not-halved"
def forward_memory(convolutions, size=224):
    numbers, side = [3 * size**2], size
    for number, filters in zip(convolutions, FILTERS):
        numbers.append((number * side**2 + (side // 2) ** 2) * filters)
    return [*numbers, 9192]


megabytes = 60.95

# %% question="forward-memory" wrong="the-notes"
def forward_memory(convolutions, size=224):
    numbers, side = [3 * size**2], size
    for number, filters in zip(convolutions, FILTERS):
        numbers.append((number * side**2 + (side // 2) ** 2) * filters)
        side //= 2
    return [*numbers, 9192]


megabytes = 24e6 * 4 / 1e6

# %% question="forward-memory" wrong="mebibytes"
def forward_memory(convolutions, size=224):
    numbers, side = [3 * size**2], size
    for number, filters in zip(convolutions, FILTERS):
        numbers.append((number * side**2 + (side // 2) ** 2) * filters)
        side //= 2
    return [*numbers, 9192]


megabytes = 4 * sum(forward_memory(CONVOLUTIONS["D"])) / 2**20

# %% question="forward-memory" wrong="numbers"
def forward_memory(convolutions, size=224):
    numbers, side = [3 * size**2], size
    for number, filters in zip(convolutions, FILTERS):
        numbers.append((number * side**2 + (side // 2) ** 2) * filters)
        side //= 2
    return [*numbers, 9192]


megabytes = sum(forward_memory(CONVOLUTIONS["D"])) / 1e6

# %% question="forward-memory" wrong="bytes" name="in all"
def forward_memory(convolutions, size=224):
    numbers, side = [3 * size**2], size
    for number, filters in zip(convolutions, FILTERS):
        numbers.append((number * side**2 + (side // 2) ** 2) * filters)
        side //= 2
    return [*numbers, 9192]


megabytes = 4 * sum(forward_memory(CONVOLUTIONS["D"]))

# %% question="forward-memory" right="layer by layer"
def forward_memory(convolutions, size=224):
    kept = [np.prod((size, size, 3))]
    for stage, (number, filters) in enumerate(zip(convolutions, FILTERS)):
        side = size // 2**stage
        outputs = [(side, side, filters)] * number + [(side // 2, side // 2, filters)]
        kept.append(sum(np.prod(shape) for shape in outputs))
    kept.append(4096 + 4096 + 1000)
    return np.array(kept)


megabytes = np.float32(4e-6 * forward_memory((2, 2, 3, 3, 3)).sum())

# %% question="forward-memory" right="quarters"
def forward_memory(convolutions, size=224):
    stages = [(n + 1 / 4) * f * (size / 2**i) ** 2 for i, (n, f) in enumerate(zip(convolutions, FILTERS))]
    return tuple([size * size * 3] + [round(n) for n in stages] + [2 * 4096 + 1000])


megabytes = 61

# %% question="forward-memory" right="shifts and quarters"
def forward_memory(convolutions, size=224):
    return np.array([3 * size**2] + [f * (n * (size >> i) ** 2 + (size >> (i + 1)) ** 2) for i, (n, f) in enumerate(zip(convolutions, FILTERS))] + [9192])


megabytes = np.float32(forward_memory(CONVOLUTIONS["D"]).sum() * 4 / 1e6)

# %% question="dilation" wrong="zeros-at-the-end"
def dilate(W, dilation):
    D = np.zeros((len(W) * dilation,) * 2)
    D[::dilation, ::dilation] = W
    return D


def dilated_field(kernel_size, dilations):
    return 1 + (kernel_size - 1) * sum(dilations)

# %% question="dilation" wrong="one-zero-too-many"
def dilate(W, dilation):
    side = (len(W) - 1) * (dilation + 1) + 1
    D = np.zeros((side, side))
    D[:: dilation + 1, :: dilation + 1] = W
    return D


def dilated_field(kernel_size, dilations):
    return 1 + (kernel_size - 1) * sum(dilations)

# %% question="dilation" wrong="repeated"
def dilate(W, dilation):
    return np.repeat(np.repeat(W, dilation, axis=0), dilation, axis=1)


def dilated_field(kernel_size, dilations):
    return 1 + (kernel_size - 1) * sum(dilations)

# %% question="dilation" wrong="padded"
def dilate(W, dilation):
    return np.pad(W, (len(W) - 1) * (dilation - 1) // 2 + (len(W) - 1) * (dilation - 1) % 2)


def dilated_field(kernel_size, dilations):
    return 1 + (kernel_size - 1) * sum(dilations)

# %% question="dilation" wrong="rows-only"
def dilate(W, dilation):
    D = np.zeros(((len(W) - 1) * dilation + 1, len(W)))
    D[::dilation] = W
    return D


def dilated_field(kernel_size, dilations):
    return 1 + (kernel_size - 1) * sum(dilations)

# %% question="dilation" wrong="like-a-stride"
def dilate(W, dilation):
    side = (len(W) - 1) * dilation + 1
    D = np.zeros((side, side))
    D[::dilation, ::dilation] = W
    return D


def dilated_field(kernel_size, dilations):
    size = jump = 1
    for d in dilations:
        size += (kernel_size - 1) * d * jump
        jump *= d
    return size

# %% question="dilation" wrong="no-minus-one"
def dilate(W, dilation):
    side = (len(W) - 1) * dilation + 1
    D = np.zeros((side, side))
    D[::dilation, ::dilation] = W
    return D


def dilated_field(kernel_size, dilations):
    return 1 + kernel_size * sum(dilations)

# %% question="dilation" wrong="last-only"
def dilate(W, dilation):
    side = (len(W) - 1) * dilation + 1
    D = np.zeros((side, side))
    D[::dilation, ::dilation] = W
    return D


def dilated_field(kernel_size, dilations):
    return 1 + (kernel_size - 1) * dilations[-1]

# %% question="dilation" wrong="dilation-ignored"
def dilate(W, dilation):
    side = (len(W) - 1) * dilation + 1
    D = np.zeros((side, side))
    D[::dilation, ::dilation] = W
    return D


def dilated_field(kernel_size, dilations):
    return 1 + (kernel_size - 1) * len(dilations)

# %% question="dilation" wrong="added-twice"
def dilate(W, dilation):
    side = (len(W) - 1) * dilation + 1
    D = np.zeros((side, side))
    D[::dilation, ::dilation] = W
    return D


def dilated_field(kernel_size, dilations):
    return sum((kernel_size - 1) * d + 1 for d in dilations)

# %% question="dilation" right="np.kron, cut; and merging sizes"
def dilate(W, dilation):
    hole = np.zeros((dilation, dilation))
    hole[0, 0] = 1
    side = (len(W) - 1) * dilation + 1
    return np.kron(W, hole)[:side, :side]


def dilated_field(kernel_size, dilations):
    size = 1
    for dilation in dilations:
        size += len(dilate(np.ones((kernel_size, kernel_size)), dilation)) - 1
    return size

# %% question="dilation" right="place by place, in TensorFlow"
def dilate(W, dilation):
    side = dilation * (W.shape[0] - 1) + 1
    places = [(i * dilation, j * dilation) for i in range(W.shape[0]) for j in range(W.shape[1])]
    return tf.scatter_nd(places, tf.reshape(tf.constant(W, tf.float32), -1), (side, side))


def dilated_field(kernel_size, dilations):
    edges = [0, 0]
    for dilation in dilations:
        edges = [edges[0] - dilation * (kernel_size - 1) / 2, edges[1] + dilation * (kernel_size - 1) / 2]
    return int(edges[1] - edges[0]) + 1

# %% question="dilation" right="place by place, lists"
def dilate(W, dilation):
    k = len(W)
    n = (k - 1) * dilation + 1
    return [[float(W[i // dilation][j // dilation]) if i % dilation == 0 == j % dilation else 0 for j in range(n)] for i in range(n)]


def dilated_field(kernel_size, dilations):
    return sum((kernel_size - 1) * d for d in dilations) + 1
