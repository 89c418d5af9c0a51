# %% [markdown]
# Wrong and other right answers to every question of lab 07. Each cell replaces one whole answer cell.

# %% question="moments" wrong="batch-axis-only"
def channel_moments(X):
    return X.mean(axis=0), X.var(axis=0)

# %% question="moments" wrong="each-image"
def channel_moments(X):
    axes = (1, 2) if X.ndim == 4 else 0
    return X.mean(axis=axes), X.var(axis=axes)

# %% question="moments" wrong="each-example"
def channel_moments(X):
    axes = 1 if X.ndim == 2 else (0, 1, 2)
    return X.mean(axis=axes), X.var(axis=axes)

# %% question="moments" wrong="one-for-all"
def channel_moments(X):
    return X.mean(), X.var()

# %% question="moments" wrong="unbiased"
def channel_moments(X):
    axes = tuple(range(X.ndim - 1))
    return X.mean(axis=axes), X.var(axis=axes, ddof=1)

# %% question="moments" wrong="standard-deviation"
def channel_moments(X):
    axes = tuple(range(X.ndim - 1))
    return X.mean(axis=axes), X.std(axis=axes)

# %% question="moments" wrong="axes-kept"
def channel_moments(X):
    axes = tuple(range(X.ndim - 1))
    return X.mean(axis=axes, keepdims=True), X.var(axis=axes, keepdims=True)

# %% question="moments" right="rows of channels, mean of the squares"
def channel_moments(X):
    rows = np.reshape(X, (-1, X.shape[-1]))
    mean = np.sum(rows, axis=0) / len(rows)
    return mean, np.sum(rows**2, axis=0) / len(rows) - mean**2

# %% question="moments" right="channel by channel, as lists"
def channel_moments(X):
    means, variances = [], []
    for c in range(X.shape[-1]):
        values = X[..., c]
        means.append(float(np.mean(values)))
        variances.append(float(np.mean((values - means[-1]) ** 2)))
    return means, variances

# %% question="moments" wrong="exchanged"
def channel_moments(X):
    axes = tuple(range(X.ndim - 1))
    return X.var(axis=axes), X.mean(axis=axes)

# %% question="moments" wrong="squares"
def channel_moments(X):
    axes = tuple(range(X.ndim - 1))
    return X.mean(axis=axes), (X**2).mean(axis=axes)

# %% question="moments" right="einsum over rows"
def channel_moments(X):
    rows = X.reshape(-1, X.shape[-1])
    print(rows.shape)
    mean = np.einsum("nc->c", rows) / len(rows)
    away = rows - mean
    return [mean, np.einsum("nc,nc->c", away, away) / len(rows)]

# %% question="normalise" wrong="epsilon-outside"
def batch_norm(X, gamma, beta, mean, variance, epsilon=1e-3):
    return gamma * (X - mean) / (np.sqrt(variance) + epsilon) + beta

# %% question="normalise" wrong="epsilon-missing"
def batch_norm(X, gamma, beta, mean, variance, epsilon=1e-3):
    return gamma * (X - mean) / np.sqrt(variance) + beta

# %% question="normalise" wrong="no-root"
def batch_norm(X, gamma, beta, mean, variance, epsilon=1e-3):
    return gamma * (X - mean) / (variance + epsilon) + beta

# %% question="normalise" wrong="own-statistics"
def batch_norm(X, gamma, beta, mean, variance, epsilon=1e-3):
    axes = tuple(range(X.ndim - 1))
    return gamma * (X - X.mean(axis=axes)) / np.sqrt(X.var(axis=axes) + epsilon) + beta

# %% question="normalise" wrong="scaled-too-early"
def batch_norm(X, gamma, beta, mean, variance, epsilon=1e-3):
    return (gamma * X + beta - mean) / np.sqrt(variance + epsilon)

# %% question="normalise" wrong="shift-scaled"
def batch_norm(X, gamma, beta, mean, variance, epsilon=1e-3):
    return gamma * ((X - mean) / np.sqrt(variance + epsilon) + beta)

# %% question="normalise" wrong="scale-missing"
def batch_norm(X, gamma, beta, mean, variance, epsilon=1e-3):
    return (X - mean) / np.sqrt(variance + epsilon) + beta

# %% question="normalise" wrong="shift-missing"
def batch_norm(X, gamma, beta, mean, variance, epsilon=1e-3):
    return gamma * (X - mean) / np.sqrt(variance + epsilon)

# %% question="normalise" wrong="mean-kept"
def batch_norm(X, gamma, beta, mean, variance, epsilon=1e-3):
    return gamma * X / np.sqrt(variance + epsilon) + beta

# %% question="normalise" right="one multiplication and one addition"
def batch_norm(X, gamma, beta, mean, variance, epsilon=1e-3):
    scale = gamma * (variance + epsilon) ** -0.5
    return X * scale + (beta - mean * scale)

# %% question="normalise" right="channel by channel"
def batch_norm(X, gamma, beta, mean, variance, epsilon=1e-3):
    Y = np.zeros(X.shape)
    for c in range(X.shape[-1]):
        x_hat = (X[..., c] - mean[c]) / (variance[c] + epsilon) ** 0.5
        Y[..., c] = gamma[c] * x_hat + beta[c]
    return Y

# %% question="normalise" wrong="epsilon-fixed"
def batch_norm(X, gamma, beta, mean, variance, epsilon=1e-3):
    return gamma * (X - mean) / np.sqrt(variance + 0.001) + beta

# %% question="inference" wrong="momentum-of-the-new"
def moving_average(moving, batch, momentum=0.99):
    return (1 - momentum) * moving + momentum * batch


def whole_set_statistics(counts, means, variances):
    share = counts / np.sum(counts)
    mean = share @ means
    return mean, share @ (variances + (means - mean) ** 2)


updates_to_forget = 459

# %% question="inference" wrong="summed"
def moving_average(moving, batch, momentum=0.99):
    return momentum * moving + batch


def whole_set_statistics(counts, means, variances):
    share = counts / np.sum(counts)
    mean = share @ means
    return mean, share @ (variances + (means - mean) ** 2)


updates_to_forget = 459

# %% question="inference" wrong="last-batch"
def moving_average(moving, batch, momentum=0.99):
    return batch


def whole_set_statistics(counts, means, variances):
    share = counts / np.sum(counts)
    mean = share @ means
    return mean, share @ (variances + (means - mean) ** 2)


updates_to_forget = 459

# %% question="inference" wrong="changed-in-place"
def moving_average(moving, batch, momentum=0.99):
    moving *= momentum
    moving += (1 - momentum) * batch
    return moving


def whole_set_statistics(counts, means, variances):
    share = counts / np.sum(counts)
    mean = share @ means
    return mean, share @ (variances + (means - mean) ** 2)


updates_to_forget = 459

# %% question="inference" wrong="batches-alike"
def moving_average(moving, batch, momentum=0.99):
    return momentum * moving + (1 - momentum) * batch


def whole_set_statistics(counts, means, variances):
    return means.mean(axis=0), variances.mean(axis=0)


updates_to_forget = 459

# %% question="inference" wrong="batches-alike" name="with the variance between"
def moving_average(moving, batch, momentum=0.99):
    return momentum * moving + (1 - momentum) * batch


def whole_set_statistics(counts, means, variances):
    return means.mean(axis=0), variances.mean(axis=0) + means.var(axis=0)


updates_to_forget = 459

# %% question="inference" wrong="between-forgotten"
def moving_average(moving, batch, momentum=0.99):
    return momentum * moving + (1 - momentum) * batch


def whole_set_statistics(counts, means, variances):
    share = counts / np.sum(counts)
    return share @ means, share @ variances


updates_to_forget = 459

# %% question="inference" wrong="unbiased"
def moving_average(moving, batch, momentum=0.99):
    return momentum * moving + (1 - momentum) * batch


def whole_set_statistics(counts, means, variances):
    n = np.sum(counts)
    mean = counts @ means / n
    return mean, counts @ (variances + (means - mean) ** 2) / (n - 1)


updates_to_forget = 459

# %% question="inference" wrong="summed-up"
def moving_average(moving, batch, momentum=0.99):
    return momentum * moving + (1 - momentum) * batch


def whole_set_statistics(counts, means, variances):
    return means.sum(axis=0), variances.sum(axis=0)


updates_to_forget = 459

# %% question="inference" wrong="one-less"
def moving_average(moving, batch, momentum=0.99):
    return momentum * moving + (1 - momentum) * batch


def whole_set_statistics(counts, means, variances):
    share = counts / np.sum(counts)
    mean = share @ means
    return mean, share @ (variances + (means - mean) ** 2)


updates_to_forget = int(np.log(0.01) / np.log(0.99))

# %% question="inference" wrong="by-the-gradient"
def moving_average(moving, batch, momentum=0.99):
    return momentum * moving + (1 - momentum) * batch


def whole_set_statistics(counts, means, variances):
    share = counts / np.sum(counts)
    mean = share @ means
    return mean, share @ (variances + (means - mean) ** 2)


updates_to_forget = 99

# %% question="inference" wrong="share-of-the-new"
def moving_average(moving, batch, momentum=0.99):
    return momentum * moving + (1 - momentum) * batch


def whole_set_statistics(counts, means, variances):
    share = counts / np.sum(counts)
    mean = share @ means
    return mean, share @ (variances + (means - mean) ** 2)


updates_to_forget = 1

# %% question="inference" right="by the squares, counted in a loop"
def moving_average(moving, batch, momentum=0.99):
    return moving + (batch - moving) * (1 - momentum)


def whole_set_statistics(counts, means, variances):
    n = np.sum(counts)
    total = sum(k * m for k, m in zip(counts, means))
    squares = sum(k * (v + m**2) for k, m, v in zip(counts, means, variances))
    return total / n, squares / n - (total / n) ** 2


updates_to_forget, left = 0, 1.0
while left >= 0.01:
    left *= 0.99
    updates_to_forget += 1

# %% question="inference" right="np.average, batch after batch merged"
def moving_average(moving, batch, momentum=0.99):
    return np.average([moving, batch], axis=0, weights=[momentum, 1 - momentum]).tolist()


def whole_set_statistics(counts, means, variances):
    n, mean, variance = counts[0], means[0], variances[0]
    for k, m, v in zip(counts[1:], means[1:], variances[1:]):
        gap = m - mean
        variance = (n * variance + k * v) / (n + k) + n * k * gap**2 / (n + k) ** 2
        mean = mean + gap * k / (n + k)
        n = n + k
    return mean, variance


updates_to_forget = np.ceil(np.log(0.01) / np.log(0.99))

# %% question="inference" wrong="batches-alike" name="in the variance only"
def moving_average(moving, batch, momentum=0.99):
    return momentum * moving + (1 - momentum) * batch


def whole_set_statistics(counts, means, variances):
    mean = np.average(means, axis=0, weights=counts)
    return mean, np.mean(variances + (means - mean) ** 2, axis=0)


updates_to_forget = 459

# %% question="inference" wrong="batches-alike" name="np.var of the means"
def moving_average(moving, batch, momentum=0.99):
    return momentum * moving + (1 - momentum) * batch


def whole_set_statistics(counts, means, variances):
    mean = np.average(means, axis=0, weights=counts)
    return mean, np.average(variances, axis=0, weights=counts) + means.var(axis=0)


updates_to_forget = 459

# %% question="inference" wrong="time-constant"
def moving_average(moving, batch, momentum=0.99):
    return momentum * moving + (1 - momentum) * batch


def whole_set_statistics(counts, means, variances):
    mean = np.average(means, axis=0, weights=counts)
    return mean, np.average(variances + (means - mean) ** 2, axis=0, weights=counts)


updates_to_forget = 100

# %% question="inference" wrong="no-whole-number"
def moving_average(moving, batch, momentum=0.99):
    return momentum * moving + (1 - momentum) * batch


def whole_set_statistics(counts, means, variances):
    mean = np.average(means, axis=0, weights=counts)
    return mean, np.average(variances + (means - mean) ** 2, axis=0, weights=counts)


updates_to_forget = np.log(0.01) / np.log(0.99)

# %% question="update-ops" wrong="updates-forgotten"
def train_v1(batches, learning_rate):
    with tf.Graph().as_default(), v1.Session() as session:
        net = v1_network()
        optimizer = v1.train.GradientDescentOptimizer(learning_rate)
        train = optimizer.minimize(net.loss)
        session.run(v1.global_variables_initializer())
        for batch in batches:
            session.run(train, {net.X: batch})
        return session.run((net.w, net.moving_mean, net.moving_variance))

# %% question="update-ops" wrong="updates-forgotten" name="dependencies after the training operation"
def train_v1(batches, learning_rate):
    with tf.Graph().as_default(), v1.Session() as session:
        net = v1_network()
        optimizer = v1.train.GradientDescentOptimizer(learning_rate)
        train = optimizer.minimize(net.loss)
        with tf.control_dependencies(v1.get_collection(v1.GraphKeys.UPDATE_OPS)):
            train = train
        session.run(v1.global_variables_initializer())
        for batch in batches:
            session.run(train, {net.X: batch})
        return session.run((net.w, net.moving_mean, net.moving_variance))

# %% question="update-ops" wrong="updates-only"
def train_v1(batches, learning_rate):
    with tf.Graph().as_default(), v1.Session() as session:
        net = v1_network()
        updates = v1.get_collection(v1.GraphKeys.UPDATE_OPS)
        session.run(v1.global_variables_initializer())
        for batch in batches:
            session.run(updates, {net.X: batch})
        return session.run((net.w, net.moving_mean, net.moving_variance))

# %% question="update-ops" wrong="one-update-missing"
def train_v1(batches, learning_rate):
    with tf.Graph().as_default(), v1.Session() as session:
        net = v1_network()
        optimizer = v1.train.GradientDescentOptimizer(learning_rate)
        with tf.control_dependencies(v1.get_collection(v1.GraphKeys.UPDATE_OPS)[:1]):
            train = optimizer.minimize(net.loss)
        session.run(v1.global_variables_initializer())
        for batch in batches:
            session.run(train, {net.X: batch})
        return session.run((net.w, net.moving_mean, net.moving_variance))

# %% question="update-ops" wrong="updated-once"
def train_v1(batches, learning_rate):
    with tf.Graph().as_default(), v1.Session() as session:
        net = v1_network()
        optimizer = v1.train.GradientDescentOptimizer(learning_rate)
        train = optimizer.minimize(net.loss)
        session.run(v1.global_variables_initializer())
        for batch in batches:
            session.run(train, {net.X: batch})
        session.run(v1.get_collection(v1.GraphKeys.UPDATE_OPS), {net.X: batch})
        return session.run((net.w, net.moving_mean, net.moving_variance))

# %% question="update-ops" wrong="second-pass"
def train_v1(batches, learning_rate):
    with tf.Graph().as_default(), v1.Session() as session:
        net = v1_network()
        optimizer = v1.train.GradientDescentOptimizer(learning_rate)
        train = optimizer.minimize(net.loss)
        updates = v1.get_collection(v1.GraphKeys.UPDATE_OPS)
        session.run(v1.global_variables_initializer())
        for batch in batches:
            session.run(train, {net.X: batch})
            session.run(updates, {net.X: batch})
        return session.run((net.w, net.moving_mean, net.moving_variance))

# %% question="update-ops" wrong="updated-twice"
def train_v1(batches, learning_rate):
    with tf.Graph().as_default(), v1.Session() as session:
        net = v1_network()
        optimizer = v1.train.GradientDescentOptimizer(learning_rate)
        updates = v1.get_collection(v1.GraphKeys.UPDATE_OPS)
        with tf.control_dependencies(updates):
            train = optimizer.minimize(net.loss)
        session.run(v1.global_variables_initializer())
        for batch in batches:
            session.run(updates, {net.X: batch})
            session.run(train, {net.X: batch})
        return session.run((net.w, net.moving_mean, net.moving_variance))

# %% question="update-ops" right="fetched together"
def train_v1(batches, learning_rate):
    with tf.Graph().as_default(), v1.Session() as session:
        net = v1_network()
        train = v1.train.GradientDescentOptimizer(learning_rate).minimize(net.loss)
        updates = v1.get_collection(v1.GraphKeys.UPDATE_OPS)
        session.run(v1.global_variables_initializer())
        for batch in batches:
            session.run([train, *updates], feed_dict={net.X: batch})
        return session.run([net.w, net.moving_mean, net.moving_variance])

# %% question="update-ops" right="grouped"
def train_v1(batches, learning_rate):
    with tf.Graph().as_default(), v1.Session() as session:
        net = v1_network()
        optimizer = v1.train.GradientDescentOptimizer(learning_rate)
        step = tf.group(optimizer.minimize(net.loss), *v1.get_collection("update_ops"))
        v1.global_variables_initializer().run()
        for batch in batches:
            step.run({net.X: batch})
        return net.w.eval(), net.moving_mean.eval(), net.moving_variance.eval()

# %% question="update-ops" right="the updates first, by themselves"
def train_v1(batches, learning_rate):
    with tf.Graph().as_default(), v1.Session() as session:
        net = v1_network()
        optimizer = v1.train.GradientDescentOptimizer(learning_rate)
        train = optimizer.minimize(net.loss)
        updates = v1.get_collection(v1.GraphKeys.UPDATE_OPS)
        session.run(v1.global_variables_initializer())
        for batch in batches:
            session.run(updates, {net.X: batch})
            session.run(train, {net.X: batch})
        return session.run((net.w, net.moving_mean, net.moving_variance))

# %% question="update-ops" wrong="started-anew"
def train_v1(batches, learning_rate):
    with tf.Graph().as_default(), v1.Session() as session:
        net = v1_network()
        optimizer = v1.train.GradientDescentOptimizer(learning_rate)
        train = optimizer.minimize(net.loss)
        updates = v1.get_collection(v1.GraphKeys.UPDATE_OPS)
        for batch in batches:
            session.run(v1.global_variables_initializer())
            session.run([train, updates], {net.X: batch})
        return tuple(session.run([net.w, net.moving_mean, net.moving_variance]))

# %% question="update-ops" right="gradients, then apply; run and eval"
def train_v1(batches, learning_rate):
    with tf.Graph().as_default(), v1.Session() as session:
        net = v1_network()
        optimizer = v1.train.GradientDescentOptimizer(learning_rate)
        gradient = tf.gradients(net.loss, [net.w])[0]
        step = optimizer.apply_gradients([(gradient, net.w)])
        v1.global_variables_initializer().run()
        for batch in batches:
            for update in v1.get_collection("update_ops"):
                session.run(update, {net.X: batch})
            step.run({net.X: batch})
        return [net.w.eval(), net.moving_mean.eval(), net.moving_variance.eval()]

# %% question="bias" wrong="orders-exchanged"
def two_orders(Z, b, epsilon=1e-3):
    norm = lambda A: (A - A.mean(axis=0)) / np.sqrt(A.var(axis=0) + epsilon)
    return norm(np.maximum(Z + b, 0)), np.maximum(norm(Z + b), 0)


bias_cancels = {
    "convolution, batch norm": True,
    "convolution, ReLU, batch norm": False,
    "convolution, average pooling, batch norm": True,
    "convolution, max pooling, batch norm": True,
    "dense, dropout, batch norm": False,
    "dense, dense, batch norm": True,
}

# %% question="bias" wrong="bias-forgotten"
def two_orders(Z, b, epsilon=1e-3):
    norm = lambda A: (A - A.mean(axis=0)) / np.sqrt(A.var(axis=0) + epsilon)
    return np.maximum(norm(Z), 0), norm(np.maximum(Z, 0))


bias_cancels = {
    "convolution, batch norm": True,
    "convolution, ReLU, batch norm": False,
    "convolution, average pooling, batch norm": True,
    "convolution, max pooling, batch norm": True,
    "dense, dropout, batch norm": False,
    "dense, dense, batch norm": True,
}

# %% question="bias" wrong="bias-afterwards"
def two_orders(Z, b, epsilon=1e-3):
    norm = lambda A: (A - A.mean(axis=0)) / np.sqrt(A.var(axis=0) + epsilon)
    return np.maximum(norm(Z) + b, 0), norm(np.maximum(Z, 0)) + b


bias_cancels = {
    "convolution, batch norm": True,
    "convolution, ReLU, batch norm": False,
    "convolution, average pooling, batch norm": True,
    "convolution, max pooling, batch norm": True,
    "dense, dropout, batch norm": False,
    "dense, dense, batch norm": True,
}

# %% question="bias" wrong="both-the-same"
def two_orders(Z, b, epsilon=1e-3):
    A = Z + b
    Y = np.maximum((A - A.mean(axis=0)) / np.sqrt(A.var(axis=0) + epsilon), 0)
    return Y, Y


bias_cancels = {
    "convolution, batch norm": True,
    "convolution, ReLU, batch norm": False,
    "convolution, average pooling, batch norm": True,
    "convolution, max pooling, batch norm": True,
    "dense, dropout, batch norm": False,
    "dense, dense, batch norm": True,
}

# %% question="bias" wrong="relu-overlooked"
def two_orders(Z, b, epsilon=1e-3):
    norm = lambda A: (A - A.mean(axis=0)) / np.sqrt(A.var(axis=0) + epsilon)
    return np.maximum(norm(Z + b), 0), norm(np.maximum(Z + b, 0))


bias_cancels = {
    "convolution, batch norm": True,
    "convolution, ReLU, batch norm": True,
    "convolution, average pooling, batch norm": True,
    "convolution, max pooling, batch norm": True,
    "dense, dropout, batch norm": False,
    "dense, dense, batch norm": True,
}

# %% question="bias" wrong="max-pooling-misjudged"
def two_orders(Z, b, epsilon=1e-3):
    norm = lambda A: (A - A.mean(axis=0)) / np.sqrt(A.var(axis=0) + epsilon)
    return np.maximum(norm(Z + b), 0), norm(np.maximum(Z + b, 0))


bias_cancels = {
    "convolution, batch norm": True,
    "convolution, ReLU, batch norm": False,
    "convolution, average pooling, batch norm": True,
    "convolution, max pooling, batch norm": False,
    "dense, dropout, batch norm": False,
    "dense, dense, batch norm": True,
}

# %% question="bias" wrong="mean-misjudged"
def two_orders(Z, b, epsilon=1e-3):
    norm = lambda A: (A - A.mean(axis=0)) / np.sqrt(A.var(axis=0) + epsilon)
    return np.maximum(norm(Z + b), 0), norm(np.maximum(Z + b, 0))


bias_cancels = {
    "convolution, batch norm": True,
    "convolution, ReLU, batch norm": False,
    "convolution, average pooling, batch norm": False,
    "convolution, max pooling, batch norm": False,
    "dense, dropout, batch norm": False,
    "dense, dense, batch norm": True,
}

# %% question="bias" wrong="dropout-overlooked"
def two_orders(Z, b, epsilon=1e-3):
    norm = lambda A: (A - A.mean(axis=0)) / np.sqrt(A.var(axis=0) + epsilon)
    return np.maximum(norm(Z + b), 0), norm(np.maximum(Z + b, 0))


bias_cancels = {
    "convolution, batch norm": True,
    "convolution, ReLU, batch norm": False,
    "convolution, average pooling, batch norm": True,
    "convolution, max pooling, batch norm": True,
    "dense, dropout, batch norm": True,
    "dense, dense, batch norm": True,
}

# %% question="bias" wrong="second-layer-misjudged"
def two_orders(Z, b, epsilon=1e-3):
    norm = lambda A: (A - A.mean(axis=0)) / np.sqrt(A.var(axis=0) + epsilon)
    return np.maximum(norm(Z + b), 0), norm(np.maximum(Z + b, 0))


bias_cancels = {
    "convolution, batch norm": True,
    "convolution, ReLU, batch norm": False,
    "convolution, average pooling, batch norm": True,
    "convolution, max pooling, batch norm": True,
    "dense, dropout, batch norm": False,
    "dense, dense, batch norm": False,
}

# %% question="bias" right="without the bias where it cancels"
def two_orders(Z, b, epsilon=1e-3):
    first = (Z - np.mean(Z, axis=0)) / np.sqrt(np.var(Z, axis=0) + epsilon)
    A = (Z + b) * (Z + b > 0)
    second = (A - np.mean(A, axis=0)) * (np.var(A, axis=0) + epsilon) ** -0.5
    return [first * (first > 0), second]


bias_cancels = {}
bias_cancels["convolution, batch norm"] = True
bias_cancels["convolution, ReLU, batch norm"] = False
bias_cancels["convolution, average pooling, batch norm"] = True
bias_cancels["convolution, max pooling, batch norm"] = True
bias_cancels["dense, dropout, batch norm"] = False
bias_cancels["dense, dense, batch norm"] = True

# %% question="bias" right="unit by unit, NumPy booleans"
def two_orders(Z, b, epsilon=1e-3):
    before, after = np.zeros(Z.shape), np.zeros(Z.shape)
    for u in range(Z.shape[1]):
        z = Z[:, u] + b[u]
        before[:, u] = np.clip((z - z.mean()) / np.sqrt(z.var() + epsilon), 0, None)
        a = np.clip(z, 0, None)
        after[:, u] = (a - a.mean()) / np.sqrt(a.var() + epsilon)
    return before, after


arrangements = ["convolution", "convolution, ReLU", "convolution, average pooling", "convolution, max pooling"]
arrangements += ["dense, dropout", "dense, dense"]
bias_cancels = dict(zip((a + ", batch norm" for a in arrangements), np.array([1, 0, 1, 1, 0, 1]) == 1))

# %% question="bias" wrong="relu-forgotten"
def two_orders(Z, b, epsilon=1e-3):
    norm = lambda A: (A - A.mean(axis=0)) / np.sqrt(A.var(axis=0) + epsilon)
    return norm(Z + b), norm(np.maximum(Z + b, 0))


bias_cancels = {name: "ReLU" not in name and "dropout" not in name for name in bias_cancels}

# %% question="bias" wrong="epsilon-fixed"
def two_orders(Z, b, epsilon=1e-3):
    norm = lambda A: (A - A.mean(axis=0)) / np.sqrt(A.var(axis=0) + 1e-3)
    return np.maximum(norm(Z + b), 0), norm(np.maximum(Z + b, 0))


bias_cancels = {name: "ReLU" not in name and "dropout" not in name for name in bias_cancels}

# %% question="keras-layer" wrong="trained-only"
def bn_parameters(channels):
    return 2 * channels, 2 * channels


def build_bn_net(width=1.0):
    a = int(16 * width)
    return keras.Sequential([
        keras.Input((16, 16, 1)),
        layers.Conv2D(a, 3, padding="same", use_bias=False), layers.BatchNormalization(), layers.ReLU(),
        layers.Conv2D(2 * a, 3, 2, padding="same", use_bias=False), layers.BatchNormalization(), layers.ReLU(),
        layers.GlobalAveragePooling2D(), layers.Dense(10),
    ])

# %% question="keras-layer" wrong="all-trained"
def bn_parameters(channels):
    return 4 * channels, 4 * channels


def build_bn_net(width=1.0):
    a = int(16 * width)
    return keras.Sequential([
        keras.Input((16, 16, 1)),
        layers.Conv2D(a, 3, padding="same", use_bias=False), layers.BatchNormalization(), layers.ReLU(),
        layers.Conv2D(2 * a, 3, 2, padding="same", use_bias=False), layers.BatchNormalization(), layers.ReLU(),
        layers.GlobalAveragePooling2D(), layers.Dense(10),
    ])

# %% question="keras-layer" wrong="for-the-whole-layer"
def bn_parameters(channels):
    return 4, 2


def build_bn_net(width=1.0):
    a = int(16 * width)
    return keras.Sequential([
        keras.Input((16, 16, 1)),
        layers.Conv2D(a, 3, padding="same", use_bias=False), layers.BatchNormalization(), layers.ReLU(),
        layers.Conv2D(2 * a, 3, 2, padding="same", use_bias=False), layers.BatchNormalization(), layers.ReLU(),
        layers.GlobalAveragePooling2D(), layers.Dense(10),
    ])

# %% question="keras-layer" wrong="bias-kept"
def bn_parameters(channels):
    return 4 * channels, 2 * channels


def build_bn_net(width=1.0):
    a = int(16 * width)
    return keras.Sequential([
        keras.Input((16, 16, 1)),
        layers.Conv2D(a, 3, padding="same"), layers.BatchNormalization(), layers.ReLU(),
        layers.Conv2D(2 * a, 3, 2, padding="same"), layers.BatchNormalization(), layers.ReLU(),
        layers.GlobalAveragePooling2D(), layers.Dense(10),
    ])

# %% question="keras-layer" wrong="dense-bias-dropped"
def bn_parameters(channels):
    return 4 * channels, 2 * channels


def build_bn_net(width=1.0):
    a = int(16 * width)
    return keras.Sequential([
        keras.Input((16, 16, 1)),
        layers.Conv2D(a, 3, padding="same", use_bias=False), layers.BatchNormalization(), layers.ReLU(),
        layers.Conv2D(2 * a, 3, 2, padding="same", use_bias=False), layers.BatchNormalization(), layers.ReLU(),
        layers.GlobalAveragePooling2D(), layers.Dense(10, use_bias=False),
    ])

# %% question="keras-layer" wrong="after-the-relu"
def bn_parameters(channels):
    return 4 * channels, 2 * channels


def build_bn_net(width=1.0):
    a = int(16 * width)
    return keras.Sequential([
        keras.Input((16, 16, 1)),
        layers.Conv2D(a, 3, padding="same", use_bias=False, activation="relu"), layers.BatchNormalization(),
        layers.Conv2D(2 * a, 3, 2, padding="same", use_bias=False, activation="relu"), layers.BatchNormalization(),
        layers.GlobalAveragePooling2D(), layers.Dense(10),
    ])

# %% question="keras-layer" wrong="no-norm"
def bn_parameters(channels):
    return 4 * channels, 2 * channels


def build_bn_net(width=1.0):
    a = int(16 * width)
    return keras.Sequential([
        keras.Input((16, 16, 1)),
        layers.Conv2D(a, 3, padding="same", activation="relu"),
        layers.Conv2D(2 * a, 3, 2, padding="same", activation="relu"),
        layers.GlobalAveragePooling2D(), layers.Dense(10),
    ])

# %% question="keras-layer" wrong="norm-missing"
def bn_parameters(channels):
    return 4 * channels, 2 * channels


def build_bn_net(width=1.0):
    a = int(16 * width)
    return keras.Sequential([
        keras.Input((16, 16, 1)),
        layers.Conv2D(a, 3, padding="same", use_bias=False), layers.BatchNormalization(), layers.ReLU(),
        layers.Conv2D(2 * a, 3, 2, padding="same"), layers.ReLU(),
        layers.GlobalAveragePooling2D(), layers.Dense(10),
    ])

# %% question="keras-layer" wrong="relu-missing"
def bn_parameters(channels):
    return 4 * channels, 2 * channels


def build_bn_net(width=1.0):
    a = int(16 * width)
    return keras.Sequential([
        keras.Input((16, 16, 1)),
        layers.Conv2D(a, 3, padding="same", use_bias=False), layers.BatchNormalization(),
        layers.Conv2D(2 * a, 3, 2, padding="same", use_bias=False), layers.BatchNormalization(),
        layers.GlobalAveragePooling2D(), layers.Dense(10),
    ])

# %% question="keras-layer" wrong="other-axis"
def bn_parameters(channels):
    return 4 * channels, 2 * channels


def build_bn_net(width=1.0):
    a = int(16 * width)
    return keras.Sequential([
        keras.Input((16, 16, 1)),
        layers.Conv2D(a, 3, padding="same", use_bias=False), layers.BatchNormalization(axis=1), layers.ReLU(),
        layers.Conv2D(2 * a, 3, 2, padding="same", use_bias=False), layers.BatchNormalization(axis=1), layers.ReLU(),
        layers.GlobalAveragePooling2D(), layers.Dense(10),
    ])

# %% question="keras-layer" wrong="no-scale"
def bn_parameters(channels):
    return 4 * channels, 2 * channels


def build_bn_net(width=1.0):
    a = int(16 * width)
    return keras.Sequential([
        keras.Input((16, 16, 1)),
        layers.Conv2D(a, 3, padding="same", use_bias=False), layers.BatchNormalization(scale=False), layers.ReLU(),
        layers.Conv2D(2 * a, 3, 2, padding="same", use_bias=False), layers.BatchNormalization(scale=False), layers.ReLU(),
        layers.GlobalAveragePooling2D(), layers.Dense(10),
    ])

# %% question="keras-layer" wrong="width-ignored"
def bn_parameters(channels):
    return 4 * channels, 2 * channels


def build_bn_net(width=1.0):
    return keras.Sequential([
        keras.Input((16, 16, 1)),
        layers.Conv2D(16, 3, padding="same", use_bias=False), layers.BatchNormalization(), layers.ReLU(),
        layers.Conv2D(32, 3, 2, padding="same", use_bias=False), layers.BatchNormalization(), layers.ReLU(),
        layers.GlobalAveragePooling2D(), layers.Dense(10),
    ])

# %% question="keras-layer" wrong="softmax-output"
def bn_parameters(channels):
    return 4 * channels, 2 * channels


def build_bn_net(width=1.0):
    a = int(16 * width)
    return keras.Sequential([
        keras.Input((16, 16, 1)),
        layers.Conv2D(a, 3, padding="same", use_bias=False), layers.BatchNormalization(), layers.ReLU(),
        layers.Conv2D(2 * a, 3, 2, padding="same", use_bias=False), layers.BatchNormalization(), layers.ReLU(),
        layers.GlobalAveragePooling2D(), layers.Dense(10, activation="softmax"),
    ])

# %% question="keras-layer" right="functional, Activation layers"
def bn_parameters(channels):
    layer = layers.BatchNormalization()
    layer.build((None, channels))
    return layer.count_params(), sum(int(np.prod(w.shape)) for w in layer.trainable_weights)


def build_bn_net(width=1.0):
    images = x = keras.Input(shape=(16, 16, 1))
    for filters, stride in [(round(16 * width), 1), (round(32 * width), 2)]:
        x = layers.Conv2D(filters, (3, 3), strides=stride, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x)
        x = layers.Activation("relu")(x)
    return keras.Model(images, layers.Dense(10)(layers.GlobalAvgPool2D()(x)))

# %% question="keras-layer" right="added one by one"
def bn_parameters(channels):
    trained = channels + channels
    return [trained + channels * 2, trained]


def build_bn_net(width=1.0):
    net = keras.models.Sequential()
    net.add(layers.Input((16, 16, 1)))
    net.add(layers.Conv2D(int(16 * width), 3, padding="same", use_bias=False, kernel_initializer="he_normal"))
    net.add(layers.BatchNormalization(axis=-1))
    net.add(layers.ReLU())
    net.add(layers.Conv2D(int(32 * width), 3, 2, "same", use_bias=False, kernel_initializer="he_normal"))
    net.add(layers.BatchNormalization(axis=3))
    net.add(layers.ReLU())
    net.add(layers.GlobalAveragePooling2D())
    net.add(layers.Dense(10, activation="linear"))
    return net

# %% question="keras-layer" wrong="stride-missing"
def bn_parameters(channels):
    return 4 * channels, 2 * channels


def build_bn_net(width=1.0):
    return keras.Sequential([
        keras.Input((16, 16, 1)),
        layers.Conv2D(int(16 * width), 3, padding="same", use_bias=False),
        layers.BatchNormalization(),
        layers.ReLU(),
        layers.Conv2D(int(32 * width), 3, padding="same", use_bias=False),
        layers.BatchNormalization(),
        layers.ReLU(),
        layers.GlobalAveragePooling2D(),
        layers.Dense(10),
    ])

# %% question="keras-layer" wrong="valid-padding"
def bn_parameters(channels):
    return 4 * channels, 2 * channels


def build_bn_net(width=1.0):
    return keras.Sequential([
        keras.Input((16, 16, 1)),
        layers.Conv2D(int(16 * width), 3, padding="valid", use_bias=False),
        layers.BatchNormalization(),
        layers.ReLU(),
        layers.Conv2D(int(32 * width), 3, 2, padding="valid", use_bias=False),
        layers.BatchNormalization(),
        layers.ReLU(),
        layers.GlobalAveragePooling2D(),
        layers.Dense(10),
    ])

# %% question="keras-layer" wrong="one-of-two-trained"
def bn_parameters(channels):
    return 4 * channels, 3 * channels


def build_bn_net(width=1.0):
    return keras.Sequential([
        keras.Input((16, 16, 1)),
        layers.Conv2D(int(16 * width), 3, padding="same", use_bias=False),
        layers.BatchNormalization(),
        layers.ReLU(),
        layers.Conv2D(int(32 * width), 3, 2, padding="same", use_bias=False),
        layers.BatchNormalization(),
        layers.ReLU(),
        layers.GlobalAveragePooling2D(),
        layers.Dense(10),
    ])

# %% question="keras-layer" right="asks the layer, functional"
def bn_parameters(channels):
    layer = layers.BatchNormalization()
    layer.build((None, channels))
    count = lambda weights: sum(int(np.prod(w.shape)) for w in weights)
    return [count(layer.weights), count(layer.trainable_weights)]


def build_bn_net(width=1.0):
    inputs = keras.Input(shape=(16, 16, 1))
    x = inputs
    for filters, stride in ((16, 1), (32, 2)):
        x = layers.Conv2D(round(filters * width), (3, 3), (stride, stride), "same", activation="linear", use_bias=False)(x)
        x = layers.BatchNormalization(axis=3, momentum=0.9)(x)
        x = layers.Activation(keras.activations.relu)(x)
    return keras.Model(inputs, layers.Dense(10, activation=None)(layers.GlobalAvgPool2D()(x)))

# %% question="backward" wrong="statistics-constant"
def batch_norm_backward(G, X, gamma, epsilon=1e-3):
    axes = tuple(range(X.ndim - 1))
    root = np.sqrt(X.var(axis=axes) + epsilon)
    x_hat = (X - X.mean(axis=axes)) / root
    return gamma / root * G, (G * x_hat).sum(axis=axes), G.sum(axis=axes)

# %% question="backward" wrong="variance-constant"
def batch_norm_backward(G, X, gamma, epsilon=1e-3):
    axes = tuple(range(X.ndim - 1))
    root = np.sqrt(X.var(axis=axes) + epsilon)
    x_hat = (X - X.mean(axis=axes)) / root
    return gamma / root * (G - G.mean(axis=axes)), (G * x_hat).sum(axis=axes), G.sum(axis=axes)

# %% question="backward" wrong="mean-constant"
def batch_norm_backward(G, X, gamma, epsilon=1e-3):
    axes = tuple(range(X.ndim - 1))
    root = np.sqrt(X.var(axis=axes) + epsilon)
    x_hat = (X - X.mean(axis=axes)) / root
    dX = gamma / root * (G - x_hat * (G * x_hat).mean(axis=axes))
    return dX, (G * x_hat).sum(axis=axes), G.sum(axis=axes)

# %% question="backward" wrong="gamma-forgotten"
def batch_norm_backward(G, X, gamma, epsilon=1e-3):
    axes = tuple(range(X.ndim - 1))
    root = np.sqrt(X.var(axis=axes) + epsilon)
    x_hat = (X - X.mean(axis=axes)) / root
    dX = (G - G.mean(axis=axes) - x_hat * (G * x_hat).mean(axis=axes)) / root
    return dX, (G * x_hat).sum(axis=axes), G.sum(axis=axes)

# %% question="backward" wrong="root-forgotten"
def batch_norm_backward(G, X, gamma, epsilon=1e-3):
    axes = tuple(range(X.ndim - 1))
    x_hat = (X - X.mean(axis=axes)) / np.sqrt(X.var(axis=axes) + epsilon)
    dX = gamma * (G - G.mean(axis=axes) - x_hat * (G * x_hat).mean(axis=axes))
    return dX, (G * x_hat).sum(axis=axes), G.sum(axis=axes)

# %% question="backward" wrong="gamma-by-x"
def batch_norm_backward(G, X, gamma, epsilon=1e-3):
    axes = tuple(range(X.ndim - 1))
    root = np.sqrt(X.var(axis=axes) + epsilon)
    x_hat = (X - X.mean(axis=axes)) / root
    dX = gamma / root * (G - G.mean(axis=axes) - x_hat * (G * x_hat).mean(axis=axes))
    return dX, (G * X).sum(axis=axes), G.sum(axis=axes)

# %% question="backward" wrong="averaged"
def batch_norm_backward(G, X, gamma, epsilon=1e-3):
    axes = tuple(range(X.ndim - 1))
    root = np.sqrt(X.var(axis=axes) + epsilon)
    x_hat = (X - X.mean(axis=axes)) / root
    dX = gamma / root * (G - G.mean(axis=axes) - x_hat * (G * x_hat).mean(axis=axes))
    return dX, (G * x_hat).mean(axis=axes), G.mean(axis=axes)

# %% question="backward" wrong="gamma-in-its-own"
def batch_norm_backward(G, X, gamma, epsilon=1e-3):
    axes = tuple(range(X.ndim - 1))
    root = np.sqrt(X.var(axis=axes) + epsilon)
    x_hat = (X - X.mean(axis=axes)) / root
    dX = gamma / root * (G - G.mean(axis=axes) - x_hat * (G * x_hat).mean(axis=axes))
    return dX, gamma * (G * x_hat).sum(axis=axes), G.sum(axis=axes)

# %% question="backward" wrong="exchanged"
def batch_norm_backward(G, X, gamma, epsilon=1e-3):
    axes = tuple(range(X.ndim - 1))
    root = np.sqrt(X.var(axis=axes) + epsilon)
    x_hat = (X - X.mean(axis=axes)) / root
    dX = gamma / root * (G - G.mean(axis=axes) - x_hat * (G * x_hat).mean(axis=axes))
    return dX, G.sum(axis=axes), (G * x_hat).sum(axis=axes)

# %% question="backward" wrong="batch-axis-only"
def batch_norm_backward(G, X, gamma, epsilon=1e-3):
    root = np.sqrt(X.var(axis=0) + epsilon)
    x_hat = (X - X.mean(axis=0)) / root
    dX = gamma / root * (G - G.mean(axis=0) - x_hat * (G * x_hat).mean(axis=0))
    return dX, (G * x_hat).sum(axis=0), G.sum(axis=0)

# %% question="backward" right="the three ways one by one"
def batch_norm_backward(G, X, gamma, epsilon=1e-3):
    axes = tuple(range(X.ndim - 1))
    n = X.size / X.shape[-1]
    centred = X - X.mean(axis=axes)
    inverse = (X.var(axis=axes) + epsilon) ** -0.5
    g = G * gamma
    by_variance = (g * centred).sum(axis=axes) * -0.5 * inverse**3
    by_mean = -(g * inverse).sum(axis=axes)
    by_x = g * inverse + by_variance * 2 * centred / n + by_mean / n
    return by_x, (G * centred * inverse).sum(axis=axes), G.sum(axis=axes)

# %% question="backward" right="rows of channels, the matrix of derivatives"
def batch_norm_backward(G, X, gamma, epsilon=1e-3):
    x, g = X.reshape(-1, X.shape[-1]), G.reshape(-1, X.shape[-1])
    n = len(x)
    dX, dgamma = np.zeros(x.shape), []
    for c in range(x.shape[1]):
        root = np.sqrt(np.var(x[:, c]) + epsilon)
        h = (x[:, c] - np.mean(x[:, c])) / root
        jacobian = gamma[c] / root * (np.eye(n) - 1 / n - np.outer(h, h) / n)
        dX[:, c] = jacobian @ g[:, c]
        dgamma.append(h @ g[:, c])
    return [dX.reshape(X.shape), dgamma, g.sum(axis=0)]

# %% question="backward" wrong="last-term-of-x"
def batch_norm_backward(G, X, gamma, epsilon=1e-3):
    axes = tuple(range(X.ndim - 1))
    root = np.sqrt(X.var(axis=axes) + epsilon)
    h = (X - X.mean(axis=axes)) / root
    dX = gamma / root * (G - G.mean(axis=axes) - X * (G * X).mean(axis=axes))
    return dX, (G * h).sum(axis=axes), G.sum(axis=axes)

# %% question="backward" wrong="last-term-added"
def batch_norm_backward(G, X, gamma, epsilon=1e-3):
    axes = tuple(range(X.ndim - 1))
    root = np.sqrt(X.var(axis=axes) + epsilon)
    h = (X - X.mean(axis=axes)) / root
    dX = gamma / root * (G - G.mean(axis=axes) + h * (G * h).mean(axis=axes))
    return dX, (G * h).sum(axis=axes), G.sum(axis=axes)

# %% question="backward" wrong="last-term-the-same"
def batch_norm_backward(G, X, gamma, epsilon=1e-3):
    axes = tuple(range(X.ndim - 1))
    root = np.sqrt(X.var(axis=axes) + epsilon)
    h = (X - X.mean(axis=axes)) / root
    dX = gamma / root * (G - G.mean(axis=axes) - (G * h).mean(axis=axes))
    return dX, (G * h).sum(axis=axes), G.sum(axis=axes)

# %% question="backward" right="in the arrays that were given"
def batch_norm_backward(G, X, gamma, epsilon=1e-3):
    axes = tuple(range(X.ndim - 1))
    root = np.sqrt(X.var(axis=axes) + epsilon)
    X -= X.mean(axis=axes)
    X /= root
    by_gamma, by_beta = np.sum(G * X, axis=axes), np.sum(G, axis=axes)
    n = X.size / X.shape[-1]
    G -= by_beta / n + X * by_gamma / n
    return [G * gamma / root, by_gamma, by_beta]

# %% question="fold" wrong="mean-forgotten"
def fold(kernel, bias, gamma, beta, mean, variance, epsilon=1e-3):
    scale = gamma / np.sqrt(variance + epsilon)
    return kernel * scale, bias * scale + beta

# %% question="fold" wrong="mean-added"
def fold(kernel, bias, gamma, beta, mean, variance, epsilon=1e-3):
    scale = gamma / np.sqrt(variance + epsilon)
    return kernel * scale, (bias + mean) * scale + beta

# %% question="fold" wrong="bias-not-scaled"
def fold(kernel, bias, gamma, beta, mean, variance, epsilon=1e-3):
    scale = gamma / np.sqrt(variance + epsilon)
    return kernel * scale, bias - mean * scale + beta

# %% question="fold" wrong="bias-forgotten"
def fold(kernel, bias, gamma, beta, mean, variance, epsilon=1e-3):
    scale = gamma / np.sqrt(variance + epsilon)
    return kernel * scale, beta - mean * scale

# %% question="fold" wrong="epsilon-missing"
def fold(kernel, bias, gamma, beta, mean, variance, epsilon=1e-3):
    scale = gamma / np.sqrt(variance)
    return kernel * scale, (bias - mean) * scale + beta

# %% question="fold" wrong="gamma-only"
def fold(kernel, bias, gamma, beta, mean, variance, epsilon=1e-3):
    return kernel * gamma, (bias - mean) * gamma + beta

# %% question="fold" wrong="gamma-forgotten"
def fold(kernel, bias, gamma, beta, mean, variance, epsilon=1e-3):
    scale = 1 / np.sqrt(variance + epsilon)
    return kernel * scale, (bias - mean) * scale + beta

# %% question="fold" wrong="shift-scaled"
def fold(kernel, bias, gamma, beta, mean, variance, epsilon=1e-3):
    scale = gamma / np.sqrt(variance + epsilon)
    return kernel * scale, (bias - mean + beta) * scale

# %% question="fold" wrong="input-channels"
def fold(kernel, bias, gamma, beta, mean, variance, epsilon=1e-3):
    scale = gamma / np.sqrt(variance + epsilon)
    if kernel.shape[2] == kernel.shape[3]:
        return kernel * scale[:, np.newaxis], (bias - mean) * scale + beta
    return kernel * scale, (bias - mean) * scale + beta

# %% question="fold" right="filter by filter"
def fold(kernel, bias, gamma, beta, mean, variance, epsilon=1e-3):
    new_kernel, new_bias = np.array(kernel, float), np.array(bias, float)
    for c in range(len(gamma)):
        scale = gamma[c] / (variance[c] + epsilon) ** 0.5
        new_kernel[:, :, :, c] *= scale
        new_bias[c] = beta[c] + scale * (bias[c] - mean[c])
    return new_kernel, new_bias

# %% question="fold" right="as a product with a diagonal matrix"
def fold(kernel, bias, gamma, beta, mean, variance, epsilon=1e-3):
    D = np.diag(gamma * (variance + epsilon) ** -0.5)
    return kernel @ D, beta + bias @ D - mean @ D

# %% question="fold" wrong="kernel-unchanged"
def fold(kernel, bias, gamma, beta, mean, variance, epsilon=1e-3):
    return kernel, (bias - mean) * gamma / np.sqrt(variance + epsilon) + beta

# %% question="fold" wrong="input-channels" name="with more axes"
def fold(kernel, bias, gamma, beta, mean, variance, epsilon=1e-3):
    scale = (gamma / np.sqrt(variance + epsilon)).reshape(1, 1, -1, 1)
    return kernel * scale, (bias - mean) * scale.ravel() + beta

# %% question="fold" right="in the arrays that were given"
def fold(kernel, bias, gamma, beta, mean, variance, epsilon=1e-3):
    scale = gamma / np.sqrt(variance + epsilon)
    kernel *= scale
    bias -= mean
    bias *= scale
    bias += beta
    return kernel, bias

# %% question="company" wrong="always-the-same"
def depends_on_company(model, X):
    return bool(np.abs(np.asarray(model(X)) - np.asarray(model(X))).max() > 1e-4)


def lone_output(x, gamma, beta):
    return np.zeros(x.shape) + beta

# %% question="company" wrong="only-shuffled"
def depends_on_company(model, X):
    order = np.arange(len(X))[::-1]
    return bool(np.abs(np.asarray(model(X))[order] - np.asarray(model(X[order]))).max() > 1e-4)


def lone_output(x, gamma, beta):
    return np.zeros(x.shape) + beta

# %% question="company" wrong="answers-exchanged"
def depends_on_company(model, X):
    alone = np.concatenate([model(X[i : i + 1]) for i in range(len(X))])
    return bool(np.allclose(alone, model(X), 0, 1e-4))


def lone_output(x, gamma, beta):
    return np.zeros(x.shape) + beta

# %% question="company" wrong="rounding"
def depends_on_company(model, X):
    alone = np.concatenate([model(X[i : i + 1]) for i in range(len(X))])
    return not np.array_equal(alone, model(X))


def lone_output(x, gamma, beta):
    return np.zeros(x.shape) + beta

# %% question="company" wrong="first-only"
def depends_on_company(model, X):
    return bool(np.abs(np.asarray(model(X[:1]))[0] - np.asarray(model(X))[0]).max() > 1e-4)


def lone_output(x, gamma, beta):
    return np.zeros(x.shape) + beta

# %% question="company" wrong="normalised-over-features"
def depends_on_company(model, X):
    alone = np.concatenate([model(X[i : i + 1]) for i in range(len(X))])
    return bool(np.abs(alone - model(X)).max() > 1e-4)


def lone_output(x, gamma, beta):
    return gamma * (x - x.mean()) / np.sqrt(x.var() + 1e-3) + beta

# %% question="company" wrong="shift-forgotten"
def depends_on_company(model, X):
    alone = np.concatenate([model(X[i : i + 1]) for i in range(len(X))])
    return bool(np.abs(alone - model(X)).max() > 1e-4)


def lone_output(x, gamma, beta):
    return np.zeros(x.shape)

# %% question="company" wrong="not-normalised"
def depends_on_company(model, X):
    alone = np.concatenate([model(X[i : i + 1]) for i in range(len(X))])
    return bool(np.abs(alone - model(X)).max() > 1e-4)


def lone_output(x, gamma, beta):
    return gamma * x + beta

# %% question="company" right="one by one in a loop"
def depends_on_company(model, X):
    together = np.asarray(model(X))
    for i in range(len(X)):
        if np.max(np.abs(np.asarray(model(X[[i]]))[0] - together[i])) >= 1e-4:
            return True
    return False


def lone_output(x, gamma, beta):
    return gamma * (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + 1e-3) + beta

# %% question="company" right="stacked, with tensors"
def depends_on_company(model, X):
    alone = tf.stack([tf.convert_to_tensor(model(x[None]))[0] for x in X])
    return tf.reduce_max(tf.abs(alone - tf.convert_to_tensor(model(X)))).numpy() > 1e-4


def lone_output(x, gamma, beta):
    return beta[np.newaxis, :].copy()

# %% question="company" wrong="last-only"
def depends_on_company(model, X):
    return bool(np.abs(np.asarray(model(X[-1:]))[0] - np.asarray(model(X))[-1]).max() > 1e-4)


def lone_output(x, gamma, beta):
    return 0 * x + beta

# %% question="company" wrong="axis-lost"
def depends_on_company(model, X):
    alone = np.concatenate([model(X[i : i + 1]) for i in range(len(X))])
    return bool(np.abs(alone - model(X)).max() > 1e-4)


def lone_output(x, gamma, beta):
    return beta

# %% question="company" right="each among copies of itself"
def depends_on_company(model, X):
    together, found = np.asarray(model(X)), False
    for i in range(len(X)):
        copies = np.repeat(X[i : i + 1], len(X), axis=0)
        if np.any(np.abs(np.asarray(model(copies))[i] - together[i]) > 1e-4):
            found = True
    return found


def lone_output(x, gamma, beta):
    return np.array([list(beta)])
