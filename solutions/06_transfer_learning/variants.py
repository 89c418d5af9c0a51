# %% [markdown]
# Wrong and other right answers to every question of lab 06. Each cell replaces one whole answer cell.

# %% question="names" wrong="operation-for-tensor"
graph_names = {
    "doubling": "mul",
    "doubled": "mul",
    "tripled": "mul_1",
    "second third": "split",
    "mean": "moments/Squeeze",
    "variance": "moments/Squeeze_1",
}


def fetch(graph_def, name, feed):
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(tf.compat.v1.GraphDef.FromString(graph_def), name="")
        element = graph.as_graph_element(name)
        with tf.compat.v1.Session() as session:
            return session.run(element if ":" in name else element.outputs, feed)


# %% question="names" wrong="tensor-for-operation"
graph_names = {
    "doubling": "mul:0",
    "doubled": "mul:0",
    "tripled": "mul_1:0",
    "second third": "split:1",
    "mean": "moments/Squeeze:0",
    "variance": "moments/Squeeze_1:0",
}


def fetch(graph_def, name, feed):
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(tf.compat.v1.GraphDef.FromString(graph_def), name="")
        element = graph.as_graph_element(name)
        with tf.compat.v1.Session() as session:
            return session.run(element if ":" in name else element.outputs, feed)


# %% question="names" wrong="lectures-moments"
graph_names = {
    "doubling": "mul",
    "doubled": "mul:0",
    "tripled": "mul_1:0",
    "second third": "split:1",
    "mean": "moments:0",
    "variance": "moments:1",
}


def fetch(graph_def, name, feed):
    graph = tf.Graph()
    with graph.as_default():
        tf.import_graph_def(tf.compat.v1.GraphDef.FromString(graph_def), name="")
    element = graph.as_graph_element(name)
    with tf.compat.v1.Session(graph=graph) as session:
        return session.run(element if ":" in name else element.outputs, feed)


# %% question="names" wrong="number-on-the-output"
graph_names = {
    "doubling": "mul",
    "doubled": "mul:0",
    "tripled": "mul:1",
    "second third": "split:1",
    "mean": "moments/Squeeze:0",
    "variance": "moments/Squeeze:1",
}


def fetch(graph_def, name, feed):
    graph = tf.Graph()
    with graph.as_default():
        tf.import_graph_def(tf.compat.v1.GraphDef.FromString(graph_def), name="")
    element = graph.as_graph_element(name)
    with tf.compat.v1.Session(graph=graph) as session:
        return session.run(element if ":" in name else element.outputs, feed)


# %% question="names" wrong="counted-from-one"
graph_names = {
    "doubling": "mul",
    "doubled": "mul:1",
    "tripled": "mul_1:1",
    "second third": "split:2",
    "mean": "moments/Squeeze:0",
    "variance": "moments/Squeeze_1:0",
}


def fetch(graph_def, name, feed):
    graph = tf.Graph()
    with graph.as_default():
        tf.import_graph_def(tf.compat.v1.GraphDef.FromString(graph_def), name="")
    element = graph.as_graph_element(name)
    with tf.compat.v1.Session(graph=graph) as session:
        return session.run(element if ":" in name else element.outputs, feed)


# %% question="names" wrong="axis-kept"
graph_names = {
    "doubling": "mul",
    "doubled": "mul:0",
    "tripled": "mul_1:0",
    "second third": "split:1",
    "mean": "moments/mean:0",
    "variance": "moments/variance:0",
}


def fetch(graph_def, name, feed):
    graph = tf.Graph()
    with graph.as_default():
        tf.import_graph_def(tf.compat.v1.GraphDef.FromString(graph_def), name="")
    element = graph.as_graph_element(name)
    with tf.compat.v1.Session(graph=graph) as session:
        return session.run(element if ":" in name else element.outputs, feed)


# %% question="names" wrong="swapped"
graph_names = {
    "doubling": "mul",
    "doubled": "mul:0",
    "tripled": "mul_1:0",
    "second third": "split:1",
    "mean": "moments/Squeeze_1:0",
    "variance": "moments/Squeeze:0",
}


def fetch(graph_def, name, feed):
    graph = tf.Graph()
    with graph.as_default():
        tf.import_graph_def(tf.compat.v1.GraphDef.FromString(graph_def), name="")
    element = graph.as_graph_element(name)
    with tf.compat.v1.Session(graph=graph) as session:
        return session.run(element if ":" in name else element.outputs, feed)


# %% question="names" wrong="first-output-only"
graph_names = {
    "doubling": "mul",
    "doubled": "mul:0",
    "tripled": "mul_1:0",
    "second third": "split:1",
    "mean": "moments/Squeeze:0",
    "variance": "moments/Squeeze_1:0",
}


def fetch(graph_def, name, feed):
    if ":" not in name:
        name += ":0"
    with tf.Graph().as_default():
        tf.import_graph_def(tf.compat.v1.GraphDef.FromString(graph_def), name="")
        with tf.compat.v1.Session() as session:
            return session.run(name, feed)


# %% question="names" wrong="number-ignored"
graph_names = {
    "doubling": "mul",
    "doubled": "mul:0",
    "tripled": "mul_1:0",
    "second third": "split:1",
    "mean": "moments/Squeeze:0",
    "variance": "moments/Squeeze_1:0",
}


def fetch(graph_def, name, feed):
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(tf.compat.v1.GraphDef.FromString(graph_def), name="")
        outputs = graph.get_operation_by_name(name.split(":")[0]).outputs
        with tf.compat.v1.Session() as session:
            values = session.run(outputs, feed)
    return values[0] if ":" in name else values


# %% question="names" wrong="import-prefix"
graph_names = {
    "doubling": "mul",
    "doubled": "mul:0",
    "tripled": "mul_1:0",
    "second third": "split:1",
    "mean": "moments/Squeeze:0",
    "variance": "moments/Squeeze_1:0",
}


def fetch(graph_def, name, feed):
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(tf.compat.v1.GraphDef.FromString(graph_def))
        wanted = graph.get_tensor_by_name(name) if ":" in name else graph.get_operation_by_name(name).outputs
        with tf.compat.v1.Session() as session:
            return session.run(wanted, feed)


# %% question="names" wrong="ran-the-operation"
graph_names = {
    "doubling": "mul",
    "doubled": "mul:0",
    "tripled": "mul_1:0",
    "second third": "split:1",
    "mean": "moments/Squeeze:0",
    "variance": "moments/Squeeze_1:0",
}


def fetch(graph_def, name, feed):
    with tf.Graph().as_default():
        tf.import_graph_def(tf.compat.v1.GraphDef.FromString(graph_def), name="")
        with tf.compat.v1.Session() as session:
            return session.run(name, feed)


# %% question="names" right="tensors by string, operations found by looking"
graph_names = dict(doubling="mul", doubled="mul:0", tripled="mul_1:0", mean="moments/Squeeze:0")
graph_names["second third"] = "split:1"
graph_names["variance"] = "moments/Squeeze_1:0"


def fetch(graph_def, name, feed):
    definition = tf.compat.v1.GraphDef()
    definition.ParseFromString(graph_def)
    graph = tf.Graph()
    with graph.as_default():
        tf.graph_util.import_graph_def(definition, name="")
    with tf.compat.v1.Session(graph=graph) as session:
        if ":" in name:
            return session.run(name, feed_dict=feed)
        (operation,) = [op for op in graph.get_operations() if op.name == name]
        return [session.run(output, feed_dict=feed) for output in operation.outputs]


# %% question="names" right="a function of today made of the graph"
_ops = {op.name: op for op in old_graph().get_operations()}
graph_names = {
    "doubling": _ops["mul"].name,
    "doubled": _ops["mul"].outputs[0].name,
    "tripled": _ops["mul_1"].outputs[0].name,
    "second third": _ops["split"].outputs[1].name,
    "mean": _ops["moments/Squeeze"].outputs[0].name,
    "variance": _ops["moments/Squeeze_1"].outputs[0].name,
}


def fetch(graph_def, name, feed):
    definition = tf.compat.v1.GraphDef.FromString(graph_def)
    wrapped = tf.compat.v1.wrap_function(lambda: tf.import_graph_def(definition, name=""), [])
    element = wrapped.graph.as_graph_element(name)
    outputs = [element] if ":" in name else list(element.outputs)
    inputs = [wrapped.graph.as_graph_element(key) for key in feed]
    values = wrapped.prune(inputs, outputs)(*map(tf.constant, feed.values()))
    return values[0].numpy() if ":" in name else [v.numpy() for v in values]


# %% question="names" right="the prefix of import_graph_def, put before every name"
graph_names = {"doubling": "mul", "doubled": "mul:0", "tripled": "mul_1:0", "second third": "split:1",
               "mean": "moments/Squeeze:0", "variance": "moments/Squeeze_1:0"}


def fetch(graph_def, name, feed):
    definition = tf.compat.v1.GraphDef()
    definition.ParseFromString(graph_def)
    graph = tf.Graph()
    with graph.as_default():
        tf.graph_util.import_graph_def(definition)
    with tf.compat.v1.Session(graph=graph) as s:
        feeding = {graph.get_tensor_by_name("import/" + k): v for k, v in feed.items()}
        if ":" in name:
            return s.run("import/" + name + "", feeding)
        results = []
        for out in graph.get_operation_by_name("import/" + name).outputs:
            results.append(s.run(out, feeding))
        return results


# %% question="names" wrong="axis-kept" name="the means before they are squeezed, and an operation that is run"
graph_names = {"doubling": "mul", "doubled": "mul:0", "tripled": "mul_1:0", "second third": "split:1",
               "mean": "moments/mean:0", "variance": "moments/variance:0"}


def fetch(graph_def, name, feed):
    stored = tf.compat.v1.GraphDef()
    stored.ParseFromString(graph_def)
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(stored, name="")
        with tf.compat.v1.Session(graph=graph) as session:
            return session.run(name, feed)


# %% question="cut" wrong="softmax-only"
def cut(model):
    return keras.Model(model.inputs[0], [layer for layer in model.layers if layer.weights][-1].output)


# %% question="cut" wrong="softmax-only" name="the second-to-last layer, whatever it is"
def cut(model):
    return keras.Model(model.inputs[0], model.layers[-2].output)


# %% question="cut" wrong="cut-too-deep"
def cut(model):
    return keras.Model(model.inputs[0], [layer for layer in model.layers if layer.weights][-2].input)


# %% question="cut" wrong="nothing-cut"
def cut(model):
    return keras.Model(model.inputs[0], model.layers[-1].output)


# %% question="cut" wrong="weights-lost"
def cut(model):
    copy = keras.models.clone_model(model)
    return keras.Model(copy.inputs[0], [layer for layer in copy.layers if layer.weights][-1].input)


# %% question="cut" wrong="original-cut"
def cut(model):
    if not isinstance(model, keras.Sequential):
        return keras.Model(model.inputs[0], [layer for layer in model.layers if layer.weights][-1].input)
    while not model.layers[-1].weights:
        model.pop()
    model.pop()
    return model


# %% question="cut" right="Sequential, from its layers"
def cut(model):
    last = max(i for i, layer in enumerate(model.layers) if layer.count_params())
    kept = [layer for layer in model.layers[:last] if not isinstance(layer, layers.InputLayer)]
    return keras.Sequential([keras.Input(model.input_shape[1:]), *kept])


# %% question="cut" right="the output of the layer before, found from the end"
def cut(model):
    position = len(model.layers) - 1
    while len(model.layers[position].get_weights()) == 0:
        position -= 1
    print("cut before", model.layers[position].name)
    return keras.Model(inputs=model.inputs[0], outputs=model.layers[position - 1].output)


# %% question="cut" right="the end of a clone popped off, or a functional one cut"
def cut(model):
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    if isinstance(clone, keras.Sequential):
        while clone.layers[-1].count_params() == 0:
            clone.pop()
        clone.pop()
        return clone
    i = max(i for i, l in enumerate(clone.layers) if l.count_params() > 0)
    return keras.Model(clone.input, clone.layers[i - 1].output)


# %% question="cut" wrong="cut-too-deep" name="the third from the end, whatever it is"
def cut(model):
    return keras.Model(model.inputs, model.layers[-3].output)


# %% question="with-head" wrong="nothing-frozen"
def with_head(base, classes):
    return keras.Model(base.inputs[0], layers.Dense(classes)(base.outputs[0]))


# %% question="with-head" wrong="everything-frozen"
def with_head(base, classes):
    model = keras.Model(base.inputs[0], layers.Dense(classes)(base.outputs[0]))
    model.trainable = False
    return model


# %% question="with-head" wrong="nested"
def with_head(base, classes):
    base.trainable = False
    return keras.Sequential([base, layers.Dense(classes)])


# %% question="with-head" wrong="no-bias"
def with_head(base, classes):
    base.trainable = False
    return keras.Model(base.inputs[0], layers.Dense(classes, use_bias=False)(base.outputs[0]))


# %% question="with-head" wrong="softmax-output"
def with_head(base, classes):
    base.trainable = False
    return keras.Model(base.inputs[0], layers.Dense(classes, activation="softmax")(base.outputs[0]))


# %% question="with-head" wrong="softmax-output" name="a softmax layer on top"
def with_head(base, classes):
    base.trainable = False
    logits = layers.Dense(classes)(base.outputs[0])
    return keras.Model(base.inputs[0], layers.Softmax()(logits))


# %% question="with-head" wrong="relu-output"
def with_head(base, classes):
    base.trainable = False
    return keras.Model(base.inputs[0], layers.Dense(classes, activation="relu")(base.outputs[0]))


# %% question="with-head" wrong="weights-lost"
def with_head(base, classes):
    base = keras.models.clone_model(base)
    base.trainable = False
    return keras.Model(base.inputs[0], layers.Dense(classes)(base.outputs[0]))


# %% question="with-head" right="Sequential, layer by layer"
def with_head(base, classes):
    model = keras.Sequential([keras.Input(base.input_shape[1:])])
    for layer in base.layers:
        if not isinstance(layer, layers.InputLayer):
            layer.trainable = False
            model.add(layer)
    model.add(layers.Dense(classes, kernel_initializer="zeros"))
    return model


# %% question="with-head" right="freeze all, then thaw the head"
def with_head(base, classes):
    head = layers.Dense(classes, activation="linear", kernel_initializer=keras.initializers.RandomNormal(stddev=0.01))
    model = keras.Model(base.inputs[0], head(base.outputs[0]))
    for layer in model.layers:
        layer.trainable = layer is head
    return model


# %% question="with-head" right="functional, from the output of the base"
def with_head(base, classes):
    for layer in base.layers:
        layer.trainable = False
    return keras.Model(base.inputs, layers.Dense(classes)(base.output))


# %% question="with-head" right="every layer called anew"
def with_head(base, classes):
    base.trainable = False
    inp = keras.Input(base.input_shape[1:])
    x = inp
    for l in base.layers:
        if isinstance(l, layers.InputLayer):
            continue
        x = l(x)
    out = layers.Dense(units=int(classes), activation="linear", use_bias=True)(x)
    return keras.Model(inputs=inp, outputs=out)


# %% question="with-head" wrong="batch-norm-thawed"
def with_head(base, classes):
    for layer in base.layers:
        if isinstance(layer, (layers.Conv2D, layers.Dense)):
            layer.trainable = False
    return keras.Model(base.inputs, layers.Dense(classes)(base.outputs[0]))


# %% question="train-head" wrong="everything-trained"
def changed(before, after):
    return [i for i, (a, b) in enumerate(zip(before, after)) if a.tobytes() != b.tobytes()]


def train_head(model, X, y, learning_rate, steps):
    for _ in range(steps):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, model(X)))
        for w, g in zip(model.trainable_variables, tape.gradient(loss, model.trainable_variables)):
            w.assign_sub(learning_rate * g)
    return model.get_weights()


# %% question="train-head" wrong="moving-averages"
def changed(before, after):
    return [i for i, (a, b) in enumerate(zip(before, after)) if a.tobytes() != b.tobytes()]


def train_head(model, X, y, learning_rate, steps):
    head = model.layers[-1].trainable_variables
    for _ in range(steps):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, model(X, training=True)))
        for w, g in zip(head, tape.gradient(loss, head)):
            w.assign_sub(learning_rate * g)
    return model.get_weights()


# %% question="train-head" wrong="nothing-trained"
def changed(before, after):
    return [i for i, (a, b) in enumerate(zip(before, after)) if a.tobytes() != b.tobytes()]


def train_head(model, X, y, learning_rate, steps):
    weights = model.get_weights()
    for _ in range(steps):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, model(X)))
        for w, g in zip(weights[-2:], tape.gradient(loss, model.layers[-1].trainable_variables)):
            w = w - learning_rate * g
    return weights


# %% question="train-head" wrong="kernel-only"
def changed(before, after):
    return [i for i, (a, b) in enumerate(zip(before, after)) if a.tobytes() != b.tobytes()]


def train_head(model, X, y, learning_rate, steps):
    kernel = model.layers[-1].kernel
    for _ in range(steps):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, model(X)))
        kernel.assign_sub(learning_rate * tape.gradient(loss, kernel))
    return model.get_weights()


# %% question="train-head" wrong="sum-over-images"
def changed(before, after):
    return [i for i, (a, b) in enumerate(zip(before, after)) if a.tobytes() != b.tobytes()]


def train_head(model, X, y, learning_rate, steps):
    head = model.layers[-1].trainable_variables
    for _ in range(steps):
        with tf.GradientTape() as tape:
            loss = tf.nn.sparse_softmax_cross_entropy_with_logits(y, model(X))
        for w, g in zip(head, tape.gradient(loss, head)):
            w.assign_sub(learning_rate * g)
    return model.get_weights()


# %% question="train-head" wrong="softmax-twice"
def changed(before, after):
    return [i for i, (a, b) in enumerate(zip(before, after)) if a.tobytes() != b.tobytes()]


def train_head(model, X, y, learning_rate, steps):
    head = model.layers[-1].trainable_variables
    for _ in range(steps):
        with tf.GradientTape() as tape:
            P = tf.nn.softmax(model(X))
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, P))
        for w, g in zip(head, tape.gradient(loss, head)):
            w.assign_sub(learning_rate * g)
    return model.get_weights()


# %% question="train-head" wrong="one-step"
def changed(before, after):
    return [i for i, (a, b) in enumerate(zip(before, after)) if a.tobytes() != b.tobytes()]


def train_head(model, X, y, learning_rate, steps):
    head = model.layers[-1].trainable_variables
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, model(X)))
    for w, g in zip(head, tape.gradient(loss, head)):
        w.assign_sub(learning_rate * g)
    return model.get_weights()


# %% question="train-head" wrong="close-enough"
def changed(before, after):
    return [i for i in range(len(before)) if not np.allclose(before[i], after[i], equal_nan=True)]


def train_head(model, X, y, learning_rate, steps):
    optimizer = keras.optimizers.SGD(learning_rate)
    head = model.layers[-1].trainable_variables
    for _ in range(steps):
        with tf.GradientTape() as tape:
            loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)(y, model(X))
        optimizer.apply_gradients(zip(tape.gradient(loss, head), head))
    return model.get_weights()


# %% question="train-head" wrong="nan-has-changed"
def changed(before, after):
    return [i for i in range(len(before)) if not np.array_equal(before[i], after[i])]


def train_head(model, X, y, learning_rate, steps):
    optimizer = keras.optimizers.SGD(learning_rate)
    head = model.layers[-1].trainable_variables
    for _ in range(steps):
        with tf.GradientTape() as tape:
            loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)(y, model(X))
        optimizer.apply_gradients(zip(tape.gradient(loss, head), head))
    return model.get_weights()


# %% question="train-head" wrong="zeros-are-equal"
def changed(before, after):
    return [i for i in range(len(before)) if not np.array_equal(before[i], after[i], equal_nan=True)]


def train_head(model, X, y, learning_rate, steps):
    optimizer = keras.optimizers.SGD(learning_rate)
    head = model.layers[-1].trainable_variables
    for _ in range(steps):
        with tf.GradientTape() as tape:
            loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)(y, model(X))
        optimizer.apply_gradients(zip(tape.gradient(loss, head), head))
    return model.get_weights()


# %% question="train-head" wrong="the-same-ones"
def changed(before, after):
    return [i for i, (a, b) in enumerate(zip(before, after)) if a.tobytes() == b.tobytes()]


def train_head(model, X, y, learning_rate, steps):
    head = model.layers[-1].trainable_variables
    for _ in range(steps):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, model(X)))
        for w, g in zip(head, tape.gradient(loss, head)):
            w.assign_sub(learning_rate * g)
    return model.get_weights()


# %% question="train-head" right="trainable, compile, fit"
def changed(before, after):
    bits = lambda arrays: [np.ascontiguousarray(a).view(np.uint32) for a in arrays]
    return [i for i, (a, b) in enumerate(zip(bits(before), bits(after))) if np.any(a != b)]


def train_head(model, X, y, learning_rate, steps):
    for layer in model.layers[:-1]:
        layer.trainable = False
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(learning_rate), loss)
    model.fit(X, y, batch_size=len(X), epochs=steps, verbose=0)
    return model.get_weights()


# %% question="train-head" right="the features once, a softmax regression in NumPy"
def changed(before, after):
    places = []
    for i in range(len(before)):
        if bytes(memoryview(np.ascontiguousarray(before[i]))) != bytes(memoryview(np.ascontiguousarray(after[i]))):
            places.append(i)
    return np.array(places, int)


def train_head(model, X, y, learning_rate, steps):
    F = keras.Model(model.inputs[0], model.layers[-1].input).predict(X, verbose=0)
    weights = model.get_weights()
    W, b = weights[-2:]
    for _ in range(steps):
        Z = F @ W + b
        P = np.exp(Z - Z.max(axis=1, keepdims=True))
        P /= P.sum(axis=1, keepdims=True)
        P[np.arange(len(y)), y] -= 1
        W, b = W - learning_rate * F.T @ P / len(y), b - learning_rate * P.mean(axis=0)
    return [*weights[:-2], W, b]


# %% question="train-head" right="train_on_batch"
def changed(before, after):
    out = []
    for i in range(len(before)):
        b = np.ascontiguousarray(before[i]).view(np.uint32)
        a = np.ascontiguousarray(after[i]).view(np.uint32)
        if np.any(a != b):
            out.append(i)
    return out


def train_head(model, X, y, learning_rate, steps):
    for l in model.layers[:-1]:
        l.trainable = False
    model.compile(keras.optimizers.SGD(learning_rate), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    for _ in range(steps):
        model.train_on_batch(X, y)
    return model.get_weights()


# %% question="train-head" wrong="head-returned"
def changed(before, after):
    return [i for i, (b, a) in enumerate(zip(before, after)) if not np.array_equal(b, a, equal_nan=True)]


def train_head(model, X, y, learning_rate, steps):
    variables = model.layers[-1].trainable_variables
    for _ in range(steps):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, model(X, training=False)))
        for v, g in zip(variables, tape.gradient(loss, variables)):
            v.assign_sub(learning_rate * g)
    return model.layers[-1].get_weights()


# %% question="train-head" wrong="yes-or-no"
def changed(before, after):
    return [b.tobytes() != a.tobytes() for b, a in zip(before, after)]


def train_head(model, X, y, learning_rate, steps):
    variables = model.layers[-1].trainable_variables
    for _ in range(steps):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, model(X, training=False)))
        for v, g in zip(variables, tape.gradient(loss, variables)):
            v.assign_sub(learning_rate * g)
    return model.get_weights()


# %% question="train-on-features" wrong="features-every-step"
def train_on_features(frozen, X, y, W, b, learning_rate, steps):
    for _ in range(steps):
        F = np.asarray(frozen(X), float)
        G = (tf.nn.softmax(F @ W + b).numpy() - np.eye(len(b))[y]) / len(y)
        W, b = W - learning_rate * F.T @ G, b - learning_rate * G.sum(axis=0)
    return W, b


def speed_up(base, head, epochs):
    return epochs * (base + head) / (base + epochs * head)


# %% question="train-on-features" wrong="uphill"
def train_on_features(frozen, X, y, W, b, learning_rate, steps):
    F = np.asarray(frozen(X), float)
    for _ in range(steps):
        G = (tf.nn.softmax(F @ W + b).numpy() - np.eye(len(b))[y]) / len(y)
        W, b = W + learning_rate * F.T @ G, b + learning_rate * G.sum(axis=0)
    return W, b


def speed_up(base, head, epochs):
    return epochs * (base + head) / (base + epochs * head)


# %% question="train-on-features" wrong="sum-over-images"
def train_on_features(frozen, X, y, W, b, learning_rate, steps):
    F = np.asarray(frozen(X), float)
    for _ in range(steps):
        G = tf.nn.softmax(F @ W + b).numpy() - np.eye(len(b))[y]
        W, b = W - learning_rate * F.T @ G, b - learning_rate * G.sum(axis=0)
    return W, b


def speed_up(base, head, epochs):
    return epochs * (base + head) / (base + epochs * head)


# %% question="train-on-features" wrong="bias-forgotten"
def train_on_features(frozen, X, y, W, b, learning_rate, steps):
    F = np.asarray(frozen(X), float)
    for _ in range(steps):
        G = (tf.nn.softmax(F @ W + b).numpy() - np.eye(len(b))[y]) / len(y)
        W = W - learning_rate * F.T @ G
    return W, b


def speed_up(base, head, epochs):
    return epochs * (base + head) / (base + epochs * head)


# %% question="train-on-features" wrong="probabilities-only"
def train_on_features(frozen, X, y, W, b, learning_rate, steps):
    F = np.asarray(frozen(X), float)
    for _ in range(steps):
        G = tf.nn.softmax(F @ W + b).numpy() / len(y)
        W, b = W - learning_rate * F.T @ G, b - learning_rate * G.sum(axis=0)
    return W, b


def speed_up(base, head, epochs):
    return epochs * (base + head) / (base + epochs * head)


# %% question="train-on-features" wrong="softmax-down-the-batch"
def train_on_features(frozen, X, y, W, b, learning_rate, steps):
    F = np.asarray(frozen(X), float)
    for _ in range(steps):
        G = (tf.nn.softmax(F @ W + b, axis=0).numpy() - np.eye(len(b))[y]) / len(y)
        W, b = W - learning_rate * F.T @ G, b - learning_rate * G.sum(axis=0)
    return W, b


def speed_up(base, head, epochs):
    return epochs * (base + head) / (base + epochs * head)


# %% question="train-on-features" wrong="one-step"
def train_on_features(frozen, X, y, W, b, learning_rate, steps):
    F = np.asarray(frozen(X), float)
    G = (tf.nn.softmax(F @ W + b).numpy() - np.eye(len(b))[y]) / len(y)
    return W - learning_rate * F.T @ G, b - learning_rate * G.sum(axis=0)


def speed_up(base, head, epochs):
    return epochs * (base + head) / (base + epochs * head)


# %% question="train-on-features" wrong="features-are-free"
def train_on_features(frozen, X, y, W, b, learning_rate, steps):
    F = np.asarray(frozen(X), float)
    for _ in range(steps):
        G = (tf.nn.softmax(F @ W + b).numpy() - np.eye(len(b))[y]) / len(y)
        W, b = W - learning_rate * F.T @ G, b - learning_rate * G.sum(axis=0)
    return W, b


def speed_up(base, head, epochs):
    return (base + head) / head


# %% question="train-on-features" wrong="head-is-free"
def train_on_features(frozen, X, y, W, b, learning_rate, steps):
    F = np.asarray(frozen(X), float)
    for _ in range(steps):
        G = (tf.nn.softmax(F @ W + b).numpy() - np.eye(len(b))[y]) / len(y)
        W, b = W - learning_rate * F.T @ G, b - learning_rate * G.sum(axis=0)
    return W, b


def speed_up(base, head, epochs):
    return epochs * (base + head) / base


# %% question="train-on-features" wrong="upside-down"
def train_on_features(frozen, X, y, W, b, learning_rate, steps):
    F = np.asarray(frozen(X), float)
    for _ in range(steps):
        G = (tf.nn.softmax(F @ W + b).numpy() - np.eye(len(b))[y]) / len(y)
        W, b = W - learning_rate * F.T @ G, b - learning_rate * G.sum(axis=0)
    return W, b


def speed_up(base, head, epochs):
    return (base + epochs * head) / (epochs * (base + head))


# %% question="train-on-features" right="in batches, with a tape"
def train_on_features(frozen, X, y, W, b, learning_rate, steps):
    F = tf.cast(np.concatenate([frozen(X[i : i + 7]) for i in range(0, len(X), 7)]), tf.float64)
    W, b = tf.Variable(W), tf.Variable(b)
    for _ in range(steps):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, F @ W + b))
        for w, g in zip([W, b], tape.gradient(loss, [W, b])):
            w.assign_sub(learning_rate * g)
    return W.numpy(), b.numpy()


def speed_up(base, head, epochs):
    through = sum(base + head for _ in range(epochs))
    return through / (base + sum(head for _ in range(epochs)))


# %% question="train-on-features" right="one matrix, with a column of ones"
def train_on_features(frozen, X, y, W, b, learning_rate, steps):
    F = np.column_stack([frozen(X), np.ones(len(X))]).astype(float)
    V = np.vstack([W, b])
    for _ in range(steps):
        Z = F @ V
        P = np.exp(Z - Z.max(axis=1, keepdims=True))
        P /= P.sum(axis=1, keepdims=True)
        P[range(len(y)), y] -= 1
        V -= learning_rate / len(y) * F.T @ P
    return [V[:-1], V[-1]]


def speed_up(base, head, epochs):
    return np.divide(base + head, base / epochs + head)


# %% question="train-on-features" right="image by image, in loops"
def train_on_features(frozen, X, y, W, b, learning_rate, steps):
    F = [np.asarray(frozen(X[i : i + 1]))[0].astype(np.float64) for i in range(len(X))]
    W, b = np.array(W), np.array(b)
    for step in range(steps):
        dW, db = np.zeros_like(W), np.zeros_like(b)
        for f, label in zip(F, y):
            z = f @ W + b
            p = np.exp(z - np.logaddexp.reduce(z))
            p[label] -= 1
            dW += np.outer(f, p)
            db += p
        W -= learning_rate * dW / len(F)
        b -= learning_rate * db / len(F)
    return [W, b]


def speed_up(base, head, epochs):
    return 1 / (base / (epochs * (base + head)) + head / (base + head))


# %% question="train-on-features" wrong="one-after-the-other"
def train_on_features(frozen, X, y, W, b, learning_rate, steps):
    F, Y = np.asarray(frozen(X), "float64"), np.eye(W.shape[1])[y]

    def softmax(Z):
        e = np.exp(Z)
        return e / e.sum(axis=1, keepdims=True)

    for _ in range(steps):
        W = W - learning_rate * F.T @ (softmax(F @ W + b) - Y) / len(y)
        b = b - learning_rate * (softmax(F @ W + b) - Y).mean(axis=0)
    return W, b


def speed_up(base, head, epochs):
    return (base + epochs * head) / (epochs * (base + head))


# %% question="fine-tune" wrong="head-only"
def fine_tune(model, first, X, y, learning_rate, steps):
    block = model.layers[-1].trainable_variables
    for _ in range(steps):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, model(X)))
        for w, g in zip(block, tape.gradient(loss, block)):
            w.assign_sub(learning_rate * g)
    return model.get_weights()


# %% question="fine-tune" wrong="everything-trained"
def fine_tune(model, first, X, y, learning_rate, steps):
    block = model.trainable_variables
    for _ in range(steps):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, model(X)))
        for w, g in zip(block, tape.gradient(loss, block)):
            w.assign_sub(learning_rate * g)
    return model.get_weights()


# %% question="fine-tune" wrong="first-left-out"
def fine_tune(model, first, X, y, learning_rate, steps):
    at = [layer.name for layer in model.layers].index(first)
    block = [w for layer in model.layers[at + 1 :] for w in layer.trainable_variables]
    for _ in range(steps):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, model(X)))
        for w, g in zip(block, tape.gradient(loss, block)):
            w.assign_sub(learning_rate * g)
    return model.get_weights()


# %% question="fine-tune" wrong="moving-averages"
def fine_tune(model, first, X, y, learning_rate, steps):
    at = [layer.name for layer in model.layers].index(first)
    block = [w for layer in model.layers[at:] for w in layer.trainable_variables]
    for _ in range(steps):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, model(X, training=True)))
        for w, g in zip(block, tape.gradient(loss, block)):
            w.assign_sub(learning_rate * g)
    return model.get_weights()


# %% question="fine-tune" wrong="batch-statistics"
def fine_tune(model, first, X, y, learning_rate, steps):
    at = [layer.name for layer in model.layers].index(first)
    block = [w for layer in model.layers[at:] for w in layer.trainable_variables]
    averages = [w.numpy() for w in model.non_trainable_variables]
    for _ in range(steps):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, model(X, training=True)))
        for w, g in zip(block, tape.gradient(loss, block)):
            w.assign_sub(learning_rate * g)
    for w, average in zip(model.non_trainable_variables, averages):
        w.assign(average)
    return model.get_weights()


# %% question="fine-tune" wrong="batch-norm-frozen"
def fine_tune(model, first, X, y, learning_rate, steps):
    at = [layer.name for layer in model.layers].index(first)
    for i, layer in enumerate(model.layers):
        layer.trainable = i >= at and not isinstance(layer, layers.BatchNormalization)
    block = model.trainable_variables
    for _ in range(steps):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, model(X, training=True)))
        for w, g in zip(block, tape.gradient(loss, block)):
            w.assign_sub(learning_rate * g)
    return model.get_weights()


# %% question="fine-tune" wrong="nothing-trained"
def fine_tune(model, first, X, y, learning_rate, steps):
    weights = model.get_weights()
    for _ in range(steps):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, model(X)))
        tape.gradient(loss, model.trainable_variables)
    return weights


# %% question="fine-tune" wrong="sum-over-images"
def fine_tune(model, first, X, y, learning_rate, steps):
    at = [layer.name for layer in model.layers].index(first)
    block = [w for layer in model.layers[at:] for w in layer.trainable_variables]
    for _ in range(steps):
        with tf.GradientTape() as tape:
            loss = tf.nn.sparse_softmax_cross_entropy_with_logits(y, model(X))
        for w, g in zip(block, tape.gradient(loss, block)):
            w.assign_sub(learning_rate * g)
    return model.get_weights()


# %% question="fine-tune" right="trainable layers and a Keras optimizer"
def fine_tune(model, first, X, y, learning_rate, steps):
    reached = False
    for layer in model.layers:
        reached = reached or layer.name == first
        layer.trainable = reached
    optimizer = keras.optimizers.SGD(learning_rate)
    loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    for _ in range(steps):
        with tf.GradientTape() as tape:
            loss = loss_of(y, model(X, training=False))
        variables = model.trainable_variables
        optimizer.apply(tape.gradient(loss, variables), variables)
    return model.get_weights()


# %% question="fine-tune" right="a graph of the block alone, on maps computed once"
def fine_tune(model, first, X, y, learning_rate, steps):
    maps = keras.Model(model.inputs[0], model.get_layer(first).input)(X)
    names = [layer.name for layer in model.layers]
    block = model.layers[names.index(first) :]
    variables = [w for layer in block for w in layer.trainable_variables]

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            Z = maps
            for layer in block:
                Z = layer(Z, training=False) if isinstance(layer, layers.BatchNormalization) else layer(Z)
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, Z))
        for w, g in zip(variables, tape.gradient(loss, variables)):
            w.assign_sub(learning_rate * g)

    for _ in range(steps):
        step()
    return model.get_weights()


# %% question="fine-tune" wrong="head-first"
def fine_tune(model, first, X, y, learning_rate, steps):
    names = [layer.name for layer in model.layers]
    for variables in (model.layers[-1].trainable_variables, [v for layer in model.layers[names.index(first):] for v in layer.trainable_variables]):
        for _ in range(steps):
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, model(X, training=False)))
            for v, g in zip(variables, tape.gradient(loss, variables)):
                v.assign_sub(learning_rate * g)
    return model.get_weights()


# %% question="learning-curves" wrong="not-balanced"
def few_labels(labels, per_class, rng):
    classes, counts = np.unique(labels, return_counts=True)
    if counts.min() < per_class:
        raise ValueError("too few")
    return rng.permutation(len(labels))[: per_class * len(classes)]


def labels_needed(counts, errors, target):
    for i in range(len(counts)):
        if errors[i] <= target:
            if i == 0:
                return counts[0]
            share = (errors[i - 1] - target) / (errors[i - 1] - errors[i])
            return counts[i - 1] * (counts[i] / counts[i - 1]) ** share
    return np.inf


# %% question="learning-curves" wrong="same-twice"
def few_labels(labels, per_class, rng):
    classes, counts = np.unique(labels, return_counts=True)
    if counts.min() < per_class:
        raise ValueError("too few")
    return np.concatenate([rng.choice(np.flatnonzero(labels == c), per_class) for c in classes])


def labels_needed(counts, errors, target):
    for i in range(len(counts)):
        if errors[i] <= target:
            if i == 0:
                return counts[0]
            share = (errors[i - 1] - target) / (errors[i - 1] - errors[i])
            return counts[i - 1] * (counts[i] / counts[i - 1]) ** share
    return np.inf


# %% question="learning-curves" wrong="not-random"
def few_labels(labels, per_class, rng):
    classes, counts = np.unique(labels, return_counts=True)
    if counts.min() < per_class:
        raise ValueError("too few")
    return np.concatenate([np.flatnonzero(labels == c)[:per_class] for c in classes])


def labels_needed(counts, errors, target):
    for i in range(len(counts)):
        if errors[i] <= target:
            if i == 0:
                return counts[0]
            share = (errors[i - 1] - target) / (errors[i - 1] - errors[i])
            return counts[i - 1] * (counts[i] / counts[i - 1]) ** share
    return np.inf


# %% question="learning-curves" wrong="labels-themselves"
def few_labels(labels, per_class, rng):
    classes, counts = np.unique(labels, return_counts=True)
    if counts.min() < per_class:
        raise ValueError("too few")
    drawn = [rng.choice(np.flatnonzero(labels == c), per_class, replace=False) for c in classes]
    return labels[np.concatenate(drawn)]


def labels_needed(counts, errors, target):
    for i in range(len(counts)):
        if errors[i] <= target:
            if i == 0:
                return counts[0]
            share = (errors[i - 1] - target) / (errors[i - 1] - errors[i])
            return counts[i - 1] * (counts[i] / counts[i - 1]) ** share
    return np.inf


# %% question="learning-curves" wrong="linear-axis"
def few_labels(labels, per_class, rng):
    classes = np.unique(labels)
    return np.concatenate([rng.choice(np.flatnonzero(labels == c), per_class, replace=False) for c in classes])


def labels_needed(counts, errors, target):
    for i in range(len(counts)):
        if errors[i] <= target:
            if i == 0:
                return counts[0]
            share = (errors[i - 1] - target) / (errors[i - 1] - errors[i])
            return counts[i - 1] + share * (counts[i] - counts[i - 1])
    return np.inf


# %% question="learning-curves" wrong="next-measured"
def few_labels(labels, per_class, rng):
    classes = np.unique(labels)
    return np.concatenate([rng.choice(np.flatnonzero(labels == c), per_class, replace=False) for c in classes])


def labels_needed(counts, errors, target):
    return next((count for count, error in zip(counts, errors) if error <= target), np.inf)


# %% question="learning-curves" wrong="last-crossing"
def few_labels(labels, per_class, rng):
    classes = np.unique(labels)
    return np.concatenate([rng.choice(np.flatnonzero(labels == c), per_class, replace=False) for c in classes])


def labels_needed(counts, errors, target):
    if errors[0] <= target:
        return counts[0]
    for i in range(len(counts) - 1, 0, -1):
        if errors[i] <= target < errors[i - 1]:
            share = (errors[i - 1] - target) / (errors[i - 1] - errors[i])
            return counts[i - 1] * (counts[i] / counts[i - 1]) ** share
    return np.inf


# %% question="learning-curves" wrong="never-is-the-last"
def few_labels(labels, per_class, rng):
    classes = np.unique(labels)
    return np.concatenate([rng.choice(np.flatnonzero(labels == c), per_class, replace=False) for c in classes])


def labels_needed(counts, errors, target):
    for i in range(len(counts)):
        if errors[i] <= target:
            if i == 0:
                return counts[0]
            share = (errors[i - 1] - target) / (errors[i - 1] - errors[i])
            return counts[i - 1] * (counts[i] / counts[i - 1]) ** share
    return counts[-1]


# %% question="learning-curves" right="one permutation, and interpolation by NumPy"
def few_labels(labels, per_class, rng):
    order = rng.permutation(len(labels))
    chosen = []
    for label in set(labels.tolist()):
        mine = [int(i) for i in order if labels[i] == label][:per_class]
        if len(mine) < per_class:
            raise ValueError(f"class {label} has only {len(mine)}")
        chosen += mine
    return sorted(chosen)


def labels_needed(counts, errors, target):
    logs = np.log10(counts)
    down = np.flatnonzero(np.asarray(errors) <= target)
    if down.size == 0:
        return float("inf")
    i = down[0]
    if i == 0:
        return counts[0]
    return 10 ** np.interp(target, [errors[i], errors[i - 1]], [logs[i], logs[i - 1]])


# %% question="learning-curves" right="choice raises by itself, and a line over the logarithm"
def few_labels(labels, per_class, rng):
    classes = np.unique(labels)
    return np.stack([rng.choice(np.where(labels == c)[0], per_class, replace=False) for c in classes]).ravel()


def labels_needed(counts, errors, target):
    below = [i for i, error in enumerate(errors) if error <= target]
    if not below:
        return np.inf
    last = below[0]
    if last == 0:
        return float(counts[0])
    x0, x1 = np.log(counts[last - 1]), np.log(counts[last])
    slope = (errors[last] - errors[last - 1]) / (x1 - x0)
    return float(np.exp(x0 + (target - errors[last - 1]) / slope))


# %% question="learning-curves" right="random keys, sorted"
def few_labels(labels, per_class, rng):
    labels = np.asarray(labels)
    places = []
    for c in sorted(set(labels)):
        mine = np.where(labels == c)[0]
        if len(mine) < per_class:
            raise ValueError(f"class {c} has only {len(mine)}")
        places.extend(mine[np.argsort(rng.random(len(mine)))[:per_class]])
    return np.sort(np.array(places, dtype=np.int32))


def labels_needed(counts, errors, target):
    best = counts[0] if errors[0] <= target else np.inf
    if best == counts[0]:
        return best
    for (c0, e0), (c1, e1) in zip(zip(counts, errors), list(zip(counts, errors))[1:]):
        if e0 > target >= e1:
            return c0 * (c1 / c0) ** ((e0 - target) / (e0 - e1))
    return best


# %% question="learning-curves" wrong="not-random" name="the first ones, and NumPy over a curve turned round"
def few_labels(labels, per_class, rng):
    return np.concatenate([np.flatnonzero(labels == c)[:per_class] for c in np.unique(labels)])


def labels_needed(counts, errors, target):
    return float(np.exp(np.interp(target, errors[::-1], np.log(counts)[::-1])))


# %% question="does-it-help" wrong="bytes-expected"
def for_mobilenet(X):
    return keras.applications.mobilenet.preprocess_input(np.array(X))


def verdict(scratch, transfer):
    gain = np.asarray(scratch) - np.asarray(transfer)
    mean, error = gain.mean(), gain.std(ddof=1) / len(gain) ** 0.5
    return mean, error, "helps" if mean > 2 * error else "harms" if mean < -2 * error else "cannot tell"


# %% question="does-it-help" wrong="half-range"
def for_mobilenet(X):
    return X - 0.5


def verdict(scratch, transfer):
    gain = np.asarray(scratch) - np.asarray(transfer)
    mean, error = gain.mean(), gain.std(ddof=1) / len(gain) ** 0.5
    return mean, error, "helps" if mean > 2 * error else "harms" if mean < -2 * error else "cannot tell"


# %% question="does-it-help" wrong="not-shifted"
def for_mobilenet(X):
    return 2 * X


def verdict(scratch, transfer):
    gain = np.asarray(scratch) - np.asarray(transfer)
    mean, error = gain.mean(), gain.std(ddof=1) / len(gain) ** 0.5
    return mean, error, "helps" if mean > 2 * error else "harms" if mean < -2 * error else "cannot tell"


# %% question="does-it-help" wrong="own-mean"
def for_mobilenet(X):
    return (X - X.mean()) / X.std()


def verdict(scratch, transfer):
    gain = np.asarray(scratch) - np.asarray(transfer)
    mean, error = gain.mean(), gain.std(ddof=1) / len(gain) ** 0.5
    return mean, error, "helps" if mean > 2 * error else "harms" if mean < -2 * error else "cannot tell"


# %% question="does-it-help" wrong="sign-turned"
def for_mobilenet(X):
    return 2 * X - 1


def verdict(scratch, transfer):
    gain = np.asarray(transfer) - np.asarray(scratch)
    mean, error = gain.mean(), gain.std(ddof=1) / len(gain) ** 0.5
    return mean, error, "helps" if mean > 2 * error else "harms" if mean < -2 * error else "cannot tell"


# %% question="does-it-help" wrong="not-paired"
def for_mobilenet(X):
    return 2 * X - 1


def verdict(scratch, transfer):
    mean = np.mean(scratch) - np.mean(transfer)
    error = np.sqrt(np.var(scratch, ddof=1) / len(scratch) + np.var(transfer, ddof=1) / len(transfer))
    return mean, error, "helps" if mean > 2 * error else "harms" if mean < -2 * error else "cannot tell"


# %% question="does-it-help" wrong="divided-by-n"
def for_mobilenet(X):
    return 2 * X - 1


def verdict(scratch, transfer):
    gain = np.asarray(scratch) - np.asarray(transfer)
    mean, error = gain.mean(), gain.std() / len(gain) ** 0.5
    return mean, error, "helps" if mean > 2 * error else "harms" if mean < -2 * error else "cannot tell"


# %% question="does-it-help" wrong="deviation-not-error"
def for_mobilenet(X):
    return 2 * X - 1


def verdict(scratch, transfer):
    gain = np.asarray(scratch) - np.asarray(transfer)
    mean, error = gain.mean(), gain.std(ddof=1)
    return mean, error, "helps" if mean > 2 * error else "harms" if mean < -2 * error else "cannot tell"


# %% question="does-it-help" wrong="one-error"
def for_mobilenet(X):
    return 2 * X - 1


def verdict(scratch, transfer):
    gain = np.asarray(scratch) - np.asarray(transfer)
    mean, error = gain.mean(), gain.std(ddof=1) / len(gain) ** 0.5
    return mean, error, "helps" if mean > error else "harms" if mean < -error else "cannot tell"


# %% question="does-it-help" wrong="never-undecided"
def for_mobilenet(X):
    return 2 * X - 1


def verdict(scratch, transfer):
    gain = np.asarray(scratch) - np.asarray(transfer)
    mean, error = gain.mean(), gain.std(ddof=1) / len(gain) ** 0.5
    return mean, error, "helps" if mean > 0 else "harms"


# %% question="does-it-help" wrong="never-harms"
def for_mobilenet(X):
    return 2 * X - 1


def verdict(scratch, transfer):
    gain = np.asarray(scratch) - np.asarray(transfer)
    mean, error = gain.mean(), gain.std(ddof=1) / len(gain) ** 0.5
    return mean, error, "helps" if mean > 2 * error else "cannot tell"


# %% question="does-it-help" right="preprocess_input, and statistics of the standard library"
def for_mobilenet(X):
    return keras.applications.mobilenet.preprocess_input(255 * np.asarray(X))


def verdict(scratch, transfer):
    import statistics

    gains = [float(s - t) for s, t in zip(scratch, transfer)]
    mean, error = statistics.fmean(gains), statistics.stdev(gains) / len(gains) ** 0.5
    if mean > 2 * error:
        return mean, error, "helps"
    if mean < -2 * error:
        return mean, error, "harms"
    return mean, error, "cannot tell"


# %% question="does-it-help" right="SciPy's standard error"
def for_mobilenet(X):
    return (np.asarray(X) - 0.5) / 0.5


def verdict(scratch, transfer):
    from scipy.stats import sem

    gain = np.subtract(scratch, transfer)
    mean, error = np.mean(gain), sem(gain)
    word = {1: "helps", -1: "harms", 0: "cannot tell"}[int(np.sign(mean) * (abs(mean) > 2 * error))]
    return [mean, error, word]


# %% question="does-it-help" wrong="not-paired" name="half the range, too"
def for_mobilenet(X):
    return X - 0.5


def verdict(scratch, transfer):
    m = scratch.mean() - transfer.mean()
    e = np.sqrt(scratch.var(ddof=1) / len(scratch) + transfer.var(ddof=1) / len(transfer))
    return m, e, "helps" if m > 2 * e else "harms" if m < -2 * e else "cannot tell"
