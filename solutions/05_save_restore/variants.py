# %% [markdown]
# Wrong and other right answers to every question of lab 05. Each cell replaces one whole answer cell.

# %% question="inventory" wrong="trainable-only"
def inventory(meta_file):
    graph = v1.Graph()
    with graph.as_default():
        v1.train.import_meta_graph(meta_file)
        variables = {v.op.name: tuple(v.shape) for v in v1.trainable_variables()}
    return variables, [op.name for op in graph.get_operations()]


# %% question="inventory" wrong="tensor-names"
def inventory(meta_file):
    with v1.Graph().as_default() as graph:
        v1.train.import_meta_graph(meta_file)
        variables = {v.name: tuple(v.shape) for v in v1.global_variables()}
        return variables, [out.name for op in graph.get_operations() for out in op.outputs]


# %% question="inventory" wrong="variables-left-out"
def inventory(meta_file):
    with v1.Graph().as_default() as graph:
        v1.train.import_meta_graph(meta_file)
        variables = {v.op.name: tuple(v.shape) for v in v1.global_variables()}
        return variables, [op.name for op in graph.get_operations() if op.name not in variables]


# %% question="inventory" wrong="kinds"
def inventory(meta_file):
    with v1.Graph().as_default() as graph:
        v1.train.import_meta_graph(meta_file)
        variables = {v.op.name: tuple(v.shape) for v in v1.global_variables()}
        return variables, sorted({op.type for op in graph.get_operations()})


# %% question="inventory" right="the protocol buffer itself"
def inventory(meta_file):
    meta = v1.MetaGraphDef()
    with open(meta_file, "rb") as file:
        meta.ParseFromString(file.read())
    variables = {}
    for node in meta.graph_def.node:
        if node.op in ("VarHandleOp", "VariableV2"):
            variables[node.name] = tuple(dim.size for dim in node.attr["shape"].shape.dim)
    return variables, [node.name for node in meta.graph_def.node]


# %% question="inventory" right="lists, and the graph as a GraphDef"
def inventory(meta_file):
    graph = tf.Graph()
    with graph.as_default():
        v1.train.import_meta_graph(meta_file)
        found = v1.get_collection(v1.GraphKeys.GLOBAL_VARIABLES)
    shapes = {}
    for variable in found:
        shapes[variable.name.split(":")[0]] = variable.get_shape().as_list()
    print(len(shapes), "variables")
    return shapes, {node.name for node in graph.as_graph_def().node}


# %% question="save" wrong="saved-before-training"
def save_trained(prefix, X, y, steps):
    with build_graph().as_default(), v1.Session() as session:
        saver = v1.train.Saver()
        session.run(v1.global_variables_initializer())
        path = saver.save(session, prefix)
        for _ in range(steps):
            session.run("train", {"X:0": X, "y:0": y})
        return path


which_file = {
    "the operations, and how they are connected": ".meta",
    "the values of the variables": ".data",
    "names and shapes of the variables, and where their values begin": ".index",
    "which checkpoint is the newest": "checkpoint",
}

# %% question="save" wrong="one-step"
def save_trained(prefix, X, y, steps):
    with build_graph().as_default(), v1.Session() as session:
        session.run(v1.global_variables_initializer())
        session.run("train", {"X:0": X, "y:0": y})
        return v1.train.Saver().save(session, prefix)


which_file = {
    "the operations, and how they are connected": ".meta",
    "the values of the variables": ".data",
    "names and shapes of the variables, and where their values begin": ".index",
    "which checkpoint is the newest": "checkpoint",
}

# %% question="save" wrong="weights-only"
def save_trained(prefix, X, y, steps):
    with build_graph().as_default(), v1.Session() as session:
        saver = v1.train.Saver(v1.trainable_variables())
        session.run(v1.global_variables_initializer())
        for _ in range(steps):
            session.run("train", {"X:0": X, "y:0": y})
        return saver.save(session, prefix)


which_file = {
    "the operations, and how they are connected": ".meta",
    "the values of the variables": ".data",
    "names and shapes of the variables, and where their values begin": ".index",
    "which checkpoint is the newest": "checkpoint",
}

# %% question="save" wrong="graph-left-out"
def save_trained(prefix, X, y, steps):
    with build_graph().as_default(), v1.Session() as session:
        saver = v1.train.Saver()
        session.run(v1.global_variables_initializer())
        for _ in range(steps):
            session.run("train", {"X:0": X, "y:0": y})
        return saver.save(session, prefix, write_meta_graph=False)


which_file = {
    "the operations, and how they are connected": ".meta",
    "the values of the variables": ".data",
    "names and shapes of the variables, and where their values begin": ".index",
    "which checkpoint is the newest": "checkpoint",
}

# %% question="save" wrong="saved-elsewhere"
def save_trained(prefix, X, y, steps):
    with build_graph().as_default(), v1.Session() as session:
        saver = v1.train.Saver()
        session.run(v1.global_variables_initializer())
        for _ in range(steps):
            session.run("train", {"X:0": X, "y:0": y})
        saver.save(session, prefix, global_step=steps)
        return prefix


which_file = {
    "the operations, and how they are connected": ".meta",
    "the values of the variables": ".data",
    "names and shapes of the variables, and where their values begin": ".index",
    "which checkpoint is the newest": "checkpoint",
}

# %% question="save" wrong="values-in-the-graph"
def save_trained(prefix, X, y, steps):
    with build_graph().as_default(), v1.Session() as session:
        saver = v1.train.Saver()
        session.run(v1.global_variables_initializer())
        for _ in range(steps):
            session.run("train", {"X:0": X, "y:0": y})
        return saver.save(session, prefix)


which_file = {
    "the operations, and how they are connected": ".data",
    "the values of the variables": ".meta",
    "names and shapes of the variables, and where their values begin": ".index",
    "which checkpoint is the newest": "checkpoint",
}

# %% question="save" wrong="values-in-the-index" name="index and data mixed up"
def save_trained(prefix, X, y, steps):
    with build_graph().as_default(), v1.Session() as session:
        saver = v1.train.Saver()
        session.run(v1.global_variables_initializer())
        for _ in range(steps):
            session.run("train", {"X:0": X, "y:0": y})
        return saver.save(session, prefix)


which_file = {
    "the operations, and how they are connected": ".meta",
    "the values of the variables": ".index",
    "names and shapes of the variables, and where their values begin": ".data",
    "which checkpoint is the newest": "checkpoint",
}

# %% question="save" wrong="graph-in-the-index"
def save_trained(prefix, X, y, steps):
    with build_graph().as_default(), v1.Session() as session:
        saver = v1.train.Saver()
        session.run(v1.global_variables_initializer())
        for _ in range(steps):
            session.run("train", {"X:0": X, "y:0": y})
        return saver.save(session, prefix)


which_file = {
    "the operations, and how they are connected": ".index",
    "the values of the variables": ".data",
    "names and shapes of the variables, and where their values begin": ".meta",
    "which checkpoint is the newest": "checkpoint",
}

# %% question="save" wrong="newest-in-the-index"
def save_trained(prefix, X, y, steps):
    with build_graph().as_default(), v1.Session() as session:
        saver = v1.train.Saver()
        session.run(v1.global_variables_initializer())
        for _ in range(steps):
            session.run("train", {"X:0": X, "y:0": y})
        return saver.save(session, prefix)


which_file = {
    "the operations, and how they are connected": ".meta",
    "the values of the variables": ".data",
    "names and shapes of the variables, and where their values begin": "checkpoint",
    "which checkpoint is the newest": ".index",
}

# %% question="save" right="tensors and operations fetched by name"
def save_trained(prefix, X, y, steps):
    graph = build_graph()
    train = graph.get_operation_by_name("train")
    feed = {graph.get_tensor_by_name("X:0"): X, graph.get_tensor_by_name("y:0"): y}
    with graph.as_default():
        start = v1.global_variables_initializer()
        saver = v1.train.Saver(v1.global_variables(), max_to_keep=1)
    session = v1.Session(graph=graph)
    session.run(start)
    for i in range(steps):
        session.run(train, feed_dict=feed)
    with graph.as_default():
        path = saver.save(session, prefix)
    session.close()
    return path


which_file = {
    "the operations, and how they are connected": ".meta",
    "the values of the variables": ".data-00000-of-00001",
    "names and shapes of the variables, and where their values begin": ".index",
    "which checkpoint is the newest": "checkpoint",
}

# %% question="save" right="MetaGraph written by itself"
def save_trained(prefix, X, y, steps):
    with build_graph().as_default(), v1.Session() as sess:
        sess.run(v1.initializers.global_variables())
        losses = [sess.run(["train", "loss:0"], {"X:0": X, "y:0": y})[1] for _ in range(steps)]
        print("losses:", losses)
        saver = v1.train.Saver()
        path = saver.save(sess, prefix, write_meta_graph=False)
        saver.export_meta_graph(prefix + ".meta")
    return path


which_file = {"the operations, and how they are connected": ".meta"}
which_file["the values of the variables"] = ".data"
which_file["names and shapes of the variables, and where their values begin"] = ".index"
which_file["which checkpoint is the newest"] = "checkpoint"

# %% question="save" right="without a session"
def save_trained(prefix, X, y, steps):
    values, _ = by_hand(beginning(), X, y, steps)
    write_checkpoint(prefix, values)
    with build_graph().as_default():
        v1.train.Saver().export_meta_graph(prefix + ".meta")
    v1.train.update_checkpoint_state(str(Path(prefix).parent), prefix)
    return prefix


which_file = {
    "the operations, and how they are connected": "meta",
    "the values of the variables": "data-00000-of-00001",
    "names and shapes of the variables, and where their values begin": "index",
    "which checkpoint is the newest": "checkpoint",
}

# %% question="save" wrong="one-step" name="the initializer before every step"
def save_trained(prefix, X, y, steps):
    with build_graph().as_default(), v1.Session() as session:
        for _ in range(steps):
            session.run(v1.global_variables_initializer())
            session.run("train", {"X:0": X, "y:0": y})
        return v1.train.Saver().save(session, prefix)

which_file = {
    "the operations, and how they are connected": ".meta",
    "the values of the variables": ".data",
    "names and shapes of the variables, and where their values begin": ".index",
    "which checkpoint is the newest": "checkpoint",
}

# %% question="save" wrong="saved-elsewhere" name="numbered"
def save_trained(prefix, X, y, steps):
    with build_graph().as_default(), v1.Session() as session:
        session.run(v1.global_variables_initializer())
        for _ in range(steps):
            session.run("train", {"X:0": X, "y:0": y})
        return v1.train.Saver().save(session, prefix, global_step=steps)

which_file = {
    "the operations, and how they are connected": ".meta",
    "the values of the variables": ".data",
    "names and shapes of the variables, and where their values begin": ".index",
    "which checkpoint is the newest": "checkpoint",
}

# %% question="continue" wrong="initialised-again"
def continue_training(prefix, X, y, steps):
    with v1.Graph().as_default(), v1.Session() as session:
        saver = v1.train.import_meta_graph(f"{prefix}.meta")
        saver.restore(session, prefix)
        session.run(v1.global_variables_initializer())
        feed, losses = {"X:0": X, "y:0": y}, []
        for _ in range(steps):
            losses.append(session.run("loss:0", feed))
            session.run("train", feed)
        return [*losses, session.run("loss:0", feed)]


# %% question="continue" wrong="velocities-lost"
def continue_training(prefix, X, y, steps):
    with v1.Graph().as_default(), v1.Session() as session:
        v1.train.import_meta_graph(f"{prefix}.meta")
        session.run(v1.global_variables_initializer())
        v1.train.Saver(v1.trainable_variables()).restore(session, prefix)
        feed, losses = {"X:0": X, "y:0": y}, []
        for _ in range(steps):
            losses.append(session.run("loss:0", feed))
            session.run("train", feed)
        return [*losses, session.run("loss:0", feed)]


# %% question="continue" wrong="not-trained"
def continue_training(prefix, X, y, steps):
    with v1.Graph().as_default(), v1.Session() as session:
        v1.train.import_meta_graph(f"{prefix}.meta").restore(session, prefix)
        return [float(session.run("loss:0", {"X:0": X, "y:0": y})) for _ in range(steps + 1)]


# %% question="continue" wrong="after-only"
def continue_training(prefix, X, y, steps):
    with v1.Graph().as_default(), v1.Session() as session:
        v1.train.import_meta_graph(f"{prefix}.meta").restore(session, prefix)
        feed, losses = {"X:0": X, "y:0": y}, []
        for _ in range(steps):
            session.run("train", feed)
            losses.append(session.run("loss:0", feed))
        return losses


# %% question="continue" wrong="before-only"
def continue_training(prefix, X, y, steps):
    with v1.Graph().as_default(), v1.Session() as session:
        v1.train.import_meta_graph(f"{prefix}.meta").restore(session, prefix)
        losses = []
        for _ in range(steps):
            losses.append(session.run("loss:0", {"X:0": X, "y:0": y}))
            session.run("train", {"X:0": X, "y:0": y})
        return losses


# %% question="continue" wrong="before-the-step"
def continue_training(prefix, X, y, steps):
    with v1.Graph().as_default(), v1.Session() as session:
        v1.train.import_meta_graph(f"{prefix}.meta").restore(session, prefix)
        feed = {"X:0": X, "y:0": y}
        losses = [session.run("loss:0", feed)]
        for _ in range(steps):
            loss = session.run("loss:0", feed)
            session.run("train", feed)
            losses.append(loss)
        return losses


# %% question="continue" wrong="built-here"
def continue_training(prefix, X, y, steps):
    with build_graph().as_default(), v1.Session() as session:
        v1.train.Saver().restore(session, prefix)
        feed = {"X:0": X, "y:0": y}
        losses = [session.run("loss:0", feed)]
        for _ in range(steps):
            session.run("train", feed)
            losses.append(session.run("loss:0", feed))
        return losses


# %% question="continue" right="graph and session by hand"
def continue_training(prefix, X, y, steps):
    graph = tf.Graph()
    with graph.as_default():
        saver = v1.train.import_meta_graph(prefix + ".meta", clear_devices=True)
        session = v1.Session()
        saver.restore(session, prefix)
    loss, train = graph.get_tensor_by_name("loss:0"), graph.get_operation_by_name("train")
    feed = {"X:0": X, "y:0": y}
    losses = []
    for _ in range(steps):
        losses.append(float(session.run(loss, feed)))
        session.run(train, feed)
    losses.append(float(loss.eval(feed, session)))
    session.close()
    return losses


# %% question="continue" right="loss and step together, the last one apart"
def continue_training(prefix, X, y, steps):
    with v1.Graph().as_default(), v1.Session() as session:
        v1.train.import_meta_graph(f"{prefix}.meta")
        v1.train.Saver().restore(session, prefix)
        feed = {"X:0": X, "y:0": y}
        losses = np.zeros(steps + 1)
        for i in range(steps):
            losses[i] = session.run("loss:0", feed)
            session.run("train", feed)
        losses[steps] = session.run("loss:0", feed)
        return losses

# %% question="continue" right="every variable loaded by its name"
def continue_training(prefix, X, y, steps):
    reader = tf.train.load_checkpoint(prefix)
    with v1.Graph().as_default(), v1.Session() as session:
        v1.train.import_meta_graph(prefix + ".meta")
        session.run(v1.global_variables_initializer())
        for v in v1.global_variables():
            v.load(reader.get_tensor(v.op.name), session)
        feed, losses = {"X:0": X, "y:0": y}, []
        for step in range(steps + 1):
            losses.append(float(session.run("loss:0", feed)))
            if step < steps:
                session.run("train", feed)
        return tuple(losses)

# %% question="keep" wrong="all-kept"
def train_and_keep(folder, X, y, steps, every, keep):
    with build_graph().as_default(), v1.Session() as session:
        session.run(v1.global_variables_initializer())
        for step in range(1, steps + 1):
            session.run("train", {"X:0": X, "y:0": y})
            if step % every == 0:
                saver = v1.train.Saver(max_to_keep=keep)
                path = saver.save(session, f"{folder}/net", global_step=step)
    return path


def steps_done(folder):
    prefix = tf.train.latest_checkpoint(folder)
    return int(tf.train.load_variable(prefix, "global_step")) if prefix else 0


# %% question="keep" wrong="all-kept" name="five kept, as a Saver does unasked"
def train_and_keep(folder, X, y, steps, every, keep):
    with build_graph().as_default(), v1.Session() as session:
        saver = v1.train.Saver()
        session.run(v1.global_variables_initializer())
        for step in range(1, steps + 1):
            session.run("train", {"X:0": X, "y:0": y})
            if step % every == 0:
                path = saver.save(session, f"{folder}/net", global_step=step)
    return path


def steps_done(folder):
    prefix = tf.train.latest_checkpoint(folder)
    return int(tf.train.load_variable(prefix, "global_step")) if prefix else 0


# %% question="keep" wrong="saves-counted"
def train_and_keep(folder, X, y, steps, every, keep):
    with build_graph().as_default(), v1.Session() as session:
        saver = v1.train.Saver(max_to_keep=keep)
        session.run(v1.global_variables_initializer())
        for i in range(1, steps // every + 1):
            for _ in range(every):
                session.run("train", {"X:0": X, "y:0": y})
            path = saver.save(session, f"{folder}/net", global_step=i)
    return path


def steps_done(folder):
    prefix = tf.train.latest_checkpoint(folder)
    return int(tf.train.load_variable(prefix, "global_step")) if prefix else 0


# %% question="keep" wrong="every-step"
def train_and_keep(folder, X, y, steps, every, keep):
    with build_graph().as_default(), v1.Session() as session:
        saver = v1.train.Saver(max_to_keep=keep)
        session.run(v1.global_variables_initializer())
        for step in range(1, steps + 1):
            session.run("train", {"X:0": X, "y:0": y})
            path = saver.save(session, f"{folder}/net", global_step=step, write_meta_graph=False)
    return path


def steps_done(folder):
    prefix = tf.train.latest_checkpoint(folder)
    return int(tf.train.load_variable(prefix, "global_step")) if prefix else 0


# %% question="keep" wrong="no-number"
def train_and_keep(folder, X, y, steps, every, keep):
    with build_graph().as_default(), v1.Session() as session:
        saver = v1.train.Saver(max_to_keep=keep)
        session.run(v1.global_variables_initializer())
        for step in range(1, steps + 1):
            session.run("train", {"X:0": X, "y:0": y})
            if step % every == 0:
                path = saver.save(session, f"{folder}/net")
    return path


def steps_done(folder):
    prefix = tf.train.latest_checkpoint(folder)
    return int(tf.train.load_variable(prefix, "global_step")) if prefix else 0


# %% question="keep" wrong="highest-name"
def train_and_keep(folder, X, y, steps, every, keep):
    with build_graph().as_default(), v1.Session() as session:
        saver = v1.train.Saver(max_to_keep=keep)
        session.run(v1.global_variables_initializer())
        for step in range(1, steps + 1):
            session.run("train", {"X:0": X, "y:0": y})
            if step % every == 0:
                path = saver.save(session, f"{folder}/net", global_step=step)
    return path


def steps_done(folder):
    names = sorted(path.stem for path in Path(folder).glob("*.index"))
    return int(names[-1].split("-")[-1]) if names else 0


# %% question="keep" wrong="highest-number"
def train_and_keep(folder, X, y, steps, every, keep):
    with build_graph().as_default(), v1.Session() as session:
        saver = v1.train.Saver(max_to_keep=keep)
        session.run(v1.global_variables_initializer())
        for step in range(1, steps + 1):
            session.run("train", {"X:0": X, "y:0": y})
            if step % every == 0:
                path = saver.save(session, f"{folder}/net", global_step=step)
    return path


def steps_done(folder):
    return max([int(path.stem.split("-")[-1]) for path in Path(folder).glob("*-*.index")], default=0)


# %% question="keep" wrong="step-from-name"
def train_and_keep(folder, X, y, steps, every, keep):
    with build_graph().as_default(), v1.Session() as session:
        saver = v1.train.Saver(max_to_keep=keep)
        session.run(v1.global_variables_initializer())
        for step in range(1, steps + 1):
            session.run("train", {"X:0": X, "y:0": y})
            if step % every == 0:
                path = saver.save(session, f"{folder}/net", global_step=step)
    return path


def steps_done(folder):
    prefix = tf.train.latest_checkpoint(folder)
    return int(prefix.split("-")[-1]) if prefix else 0


# %% question="keep" right="the graph's own counter"
def train_and_keep(folder, X, y, steps, every, keep):
    graph = build_graph()
    with v1.Session(graph=graph) as session:
        with graph.as_default():
            session.run(v1.global_variables_initializer())
            saver = v1.train.Saver(max_to_keep=keep)
            counter = v1.train.get_global_step()
        while session.run(counter) < steps:
            session.run("train", {"X:0": X, "y:0": y})
            if session.run(counter) % every == 0:
                saver.save(session, folder + "/net", global_step=counter)
        return saver.last_checkpoints[-1]


def steps_done(folder):
    state = v1.train.get_checkpoint_state(folder)
    if state is None:
        return 0
    return tf.train.load_variable(state.model_checkpoint_path, "global_step")


# %% question="keep" right="the graph written once"
def train_and_keep(folder, X, y, steps, every, keep):
    path = None
    with build_graph().as_default(), v1.Session() as session:
        session.run(v1.global_variables_initializer())
        saver = v1.train.Saver(v1.global_variables(), max_to_keep=keep)
        for start in range(0, steps - every + 1, every):
            for _ in range(every):
                session.run("train", {"X:0": X, "y:0": y})
            path = saver.save(session, str(Path(folder) / "net"), start + every, write_meta_graph=start == 0)
    return path


def steps_done(folder):
    newest = v1.train.latest_checkpoint(folder)
    if not newest:
        return 0
    return tf.train.load_checkpoint(newest).get_tensor("global_step").item()

# %% question="keep" right="the graph's counter, deleted by hand"
def train_and_keep(folder, X, y, steps, every, keep):
    newest, names = None, []
    with build_graph().as_default(), v1.Session() as session:
        saver = v1.train.Saver(max_to_keep=0)
        session.run(v1.global_variables_initializer())
        counter = v1.train.get_global_step()
        while session.run(counter) < steps:
            session.run("train", {"X:0": X, "y:0": y})
            if session.run(counter) % every == 0:
                newest = saver.save(session, str(Path(folder) / "net"), counter)
                names.append(newest)
    for name in names[:-keep]:
        v1.train.remove_checkpoint(name)
    return newest


def steps_done(folder):
    state = v1.train.get_checkpoint_state(folder)
    if not state or not state.model_checkpoint_path:
        return 0
    return tf.train.load_checkpoint(state.model_checkpoint_path).get_tensor("global_step")

# %% question="keep" wrong="counted-from-zero"
def train_and_keep(folder, X, y, steps, every, keep):
    with build_graph().as_default(), v1.Session() as session:
        saver = v1.train.Saver(max_to_keep=keep)
        session.run(v1.global_variables_initializer())
        for step in range(steps):
            session.run("train", {"X:0": X, "y:0": y})
            if step % every == 0:
                saver.save(session, f"{folder}/net", global_step=step)
    return tf.train.latest_checkpoint(folder)


def steps_done(folder):
    newest = tf.train.latest_checkpoint(folder)
    return int(tf.train.load_variable(newest, "global_step")) if newest else 0

# %% question="read" wrong="graph-needed"
def checkpoint_shapes(prefix):
    with v1.Graph().as_default():
        v1.train.import_meta_graph(prefix + ".meta")
        return {v.op.name: tuple(v.shape) for v in v1.global_variables()}


def largest_changes(before, after):
    old, new = tf.train.load_checkpoint(before), tf.train.load_checkpoint(after)
    both = [name for name in old.get_variable_to_shape_map() if new.has_tensor(name)]
    return {name: np.abs(new.get_tensor(name) - old.get_tensor(name)).max() for name in both}


# %% question="read" wrong="slots-left-out"
def checkpoint_shapes(prefix):
    shapes = tf.train.load_checkpoint(prefix).get_variable_to_shape_map()
    return {name: shape for name, shape in shapes.items() if "Momentum" not in name}


def largest_changes(before, after):
    old, new = tf.train.load_checkpoint(before), tf.train.load_checkpoint(after)
    both = [name for name in old.get_variable_to_shape_map() if new.has_tensor(name)]
    return {name: np.abs(new.get_tensor(name) - old.get_tensor(name)).max() for name in both}


# %% question="read" wrong="signed"
def checkpoint_shapes(prefix):
    return tf.train.load_checkpoint(prefix).get_variable_to_shape_map()


def largest_changes(before, after):
    old, new = tf.train.load_checkpoint(before), tf.train.load_checkpoint(after)
    both = [name for name in old.get_variable_to_shape_map() if new.has_tensor(name)]
    return {name: np.max(new.get_tensor(name) - old.get_tensor(name)) for name in both}


# %% question="read" wrong="average"
def checkpoint_shapes(prefix):
    return tf.train.load_checkpoint(prefix).get_variable_to_shape_map()


def largest_changes(before, after):
    old, new = tf.train.load_checkpoint(before), tf.train.load_checkpoint(after)
    both = [name for name in old.get_variable_to_shape_map() if new.has_tensor(name)]
    return {name: np.mean(np.abs(new.get_tensor(name) - old.get_tensor(name))) for name in both}


# %% question="read" wrong="relative"
def checkpoint_shapes(prefix):
    return tf.train.load_checkpoint(prefix).get_variable_to_shape_map()


def largest_changes(before, after):
    old, new = tf.train.load_checkpoint(before), tf.train.load_checkpoint(after)
    both = [name for name in old.get_variable_to_shape_map() if new.has_tensor(name)]
    return {name: np.max(np.abs(new.get_tensor(name) / old.get_tensor(name) - 1)) for name in both}


# %% question="read" wrong="largest-values"
def checkpoint_shapes(prefix):
    return tf.train.load_checkpoint(prefix).get_variable_to_shape_map()


def largest_changes(before, after):
    old, new = tf.train.load_checkpoint(before), tf.train.load_checkpoint(after)
    both = [name for name in old.get_variable_to_shape_map() if new.has_tensor(name)]
    return {name: abs(np.max(new.get_tensor(name)) - np.max(old.get_tensor(name))) for name in both}


# %% question="read" wrong="missing-name"
def checkpoint_shapes(prefix):
    return tf.train.load_checkpoint(prefix).get_variable_to_shape_map()


def largest_changes(before, after):
    old, new = tf.train.load_checkpoint(before), tf.train.load_checkpoint(after)
    names = old.get_variable_to_shape_map()
    return {name: np.abs(new.get_tensor(name) - old.get_tensor(name)).max() for name in names}


# %% question="read" right="list_variables and load_variable"
def checkpoint_shapes(prefix):
    return dict(tf.train.list_variables(prefix))


def largest_changes(before, after):
    changes = {}
    after_names = [name for name, _ in tf.train.list_variables(after)]
    for name, _ in tf.train.list_variables(before):
        if name in after_names:
            change = tf.train.load_variable(after, name) - tf.train.load_variable(before, name)
            changes[name] = np.max(np.abs(change))
    return changes


# %% question="read" right="all values first"
def everything_in(prefix):
    reader = tf.train.load_checkpoint(prefix)
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_dtype_map()}


def checkpoint_shapes(prefix):
    return {name: list(np.shape(value)) for name, value in everything_in(prefix).items()}


def largest_changes(before, after):
    old, new = everything_in(before), everything_in(after)
    return {name: tf.reduce_max(tf.abs(new[name] - old[name])) for name in old.keys() & new.keys()}

# %% question="read" right="loops and TensorShapes"
def checkpoint_shapes(prefix):
    out = {}
    for name, shape in tf.train.list_variables(prefix):
        out[name] = tf.TensorShape(shape)
    return out


def largest_changes(before, after):
    out = {}
    theirs = [n for n, _ in tf.train.list_variables(after)]
    for name, _ in tf.train.list_variables(before):
        if name not in theirs:
            continue
        d = np.asarray(tf.train.load_variable(after, name), float) - tf.train.load_variable(before, name)
        biggest = 0.0
        for x in np.ravel(d):
            biggest = max(biggest, abs(x))
        out[name] = biggest
    return out

# %% question="resume" wrong="from-the-beginning"
def train_on(folder, X, y, steps, every=10):
    net, optimizer, generator = new_run()
    checkpoint = tf.train.Checkpoint(net=net, optimizer=optimizer, generator=generator)
    manager = tf.train.CheckpointManager(checkpoint, folder, max_to_keep=3)
    losses = []
    for step in range(1, steps + 1):
        losses.append(train_step(net, optimizer, generator, X, y))
        if step % every == 0:
            manager.save(checkpoint_number=step)
    return net.get_weights(), losses


# %% question="resume" wrong="optimizer-left-behind"
def train_on(folder, X, y, steps, every=10):
    net, optimizer, generator = new_run()
    step = tf.Variable(0, dtype=tf.int64)
    checkpoint = tf.train.Checkpoint(net=net, generator=generator, step=step)
    manager = tf.train.CheckpointManager(checkpoint, folder, max_to_keep=3)
    checkpoint.restore(manager.latest_checkpoint)
    losses = []
    while step < steps:
        losses.append(train_step(net, optimizer, generator, X, y))
        step.assign_add(1)
        if step % every == 0:
            manager.save(checkpoint_number=step)
    return net.get_weights(), losses


# %% question="resume" wrong="generator-left-behind"
def train_on(folder, X, y, steps, every=10):
    net, optimizer, generator = new_run()
    checkpoint = tf.train.Checkpoint(net=net, optimizer=optimizer)
    manager = tf.train.CheckpointManager(checkpoint, folder, max_to_keep=3)
    checkpoint.restore(manager.latest_checkpoint)
    losses = []
    while int(optimizer.iterations) < steps:
        losses.append(train_step(net, optimizer, generator, X, y))
        if int(optimizer.iterations) % every == 0:
            manager.save(checkpoint_number=int(optimizer.iterations))
    return net.get_weights(), losses


# %% question="resume" wrong="so-many-more"
def train_on(folder, X, y, steps, every=10):
    net, optimizer, generator = new_run()
    checkpoint = tf.train.Checkpoint(net=net, optimizer=optimizer, generator=generator)
    manager = tf.train.CheckpointManager(checkpoint, folder, max_to_keep=3)
    checkpoint.restore(manager.latest_checkpoint)
    losses = []
    for _ in range(steps):
        losses.append(train_step(net, optimizer, generator, X, y))
        if int(optimizer.iterations) % every == 0:
            manager.save(checkpoint_number=int(optimizer.iterations))
    return net.get_weights(), losses


# %% question="resume" wrong="saves-counted"
def train_on(folder, X, y, steps, every=10):
    net, optimizer, generator = new_run()
    checkpoint = tf.train.Checkpoint(net=net, optimizer=optimizer, generator=generator)
    manager = tf.train.CheckpointManager(checkpoint, folder, max_to_keep=3)
    checkpoint.restore(manager.latest_checkpoint)
    losses = []
    while int(optimizer.iterations) < steps:
        losses.append(train_step(net, optimizer, generator, X, y))
        if int(optimizer.iterations) % every == 0:
            manager.save()
    return net.get_weights(), losses


# %% question="resume" wrong="all-kept"
def train_on(folder, X, y, steps, every=10):
    net, optimizer, generator = new_run()
    checkpoint = tf.train.Checkpoint(net=net, optimizer=optimizer, generator=generator)
    manager = tf.train.CheckpointManager(checkpoint, folder, max_to_keep=None)
    checkpoint.restore(manager.latest_checkpoint)
    losses = []
    while int(optimizer.iterations) < steps:
        losses.append(train_step(net, optimizer, generator, X, y))
        if int(optimizer.iterations) % every == 0:
            manager.save(checkpoint_number=int(optimizer.iterations))
    return net.get_weights(), losses


# %% question="resume" wrong="saved-at-the-end"
def train_on(folder, X, y, steps, every=10):
    net, optimizer, generator = new_run()
    checkpoint = tf.train.Checkpoint(net=net, optimizer=optimizer, generator=generator)
    manager = tf.train.CheckpointManager(checkpoint, folder, max_to_keep=3)
    manager.restore_or_initialize()
    losses = []
    while int(optimizer.iterations) < steps:
        losses.append(train_step(net, optimizer, generator, X, y))
    manager.save(checkpoint_number=steps)
    return net.get_weights(), losses


# %% question="resume" wrong="nothing-saved"
def train_on(folder, X, y, steps, every=10):
    net, optimizer, generator = new_run()
    losses = [train_step(net, optimizer, generator, X, y) for _ in range(steps)]
    return net.get_weights(), losses


# %% question="resume" right="restore_or_initialize and a for loop"
def train_on(folder, X, y, steps, every=10):
    run = dict(zip(("net", "optimizer", "generator"), new_run()))
    manager = tf.train.CheckpointManager(tf.train.Checkpoint(**run), folder, 3, checkpoint_name="ckpt")
    manager.restore_or_initialize()
    begin = int(run["optimizer"].iterations.numpy())
    losses = []
    for step in range(begin + 1, steps + 1):
        losses += [train_step(**run, X=X, y=y)]
        if step % every == 0:
            manager.save(checkpoint_number=step)
    return run["net"].get_weights(), losses


# %% question="resume" right="the step from the name of the latest"
def train_on(folder, X, y, steps, every=10):
    net, optimizer, generator = new_run()
    checkpoint = tf.train.Checkpoint(net=net, optimizer=optimizer, generator=generator)
    manager = tf.train.CheckpointManager(checkpoint, directory=folder, max_to_keep=3)
    latest = tf.train.latest_checkpoint(folder)
    step = 0
    if latest:
        checkpoint.restore(latest).assert_existing_objects_matched()
        step = int(latest.split("-")[-1])
        print("going on from step", step)
    losses = np.zeros(0)
    while step < steps:
        losses = np.append(losses, train_step(net, optimizer, generator, X, y))
        step += 1
        if not step % every:
            manager.save(step)
    return [w.numpy() for w in net.trainable_variables], losses

# %% question="resume" right="a manager that counts the steps"
def train_on(folder, X, y, steps, every=10):
    run = new_run()
    c = tf.train.Checkpoint(**dict(zip(["net", "optimizer", "generator"], run)))
    m = tf.train.CheckpointManager(c, str(folder), 3, step_counter=run[1].iterations, checkpoint_interval=every)
    m.restore_or_initialize()
    start = run[1].iterations.numpy()
    print("from step", start)
    losses = np.empty(max(0, steps - start))
    for i, step in enumerate(range(start + 1, steps + 1)):
        losses[i] = train_step(*run, X, y)
        if step % every == 0:
            m.save(step)
    return run[0].get_weights(), losses

# %% question="resume" wrong="generator-left-behind" name="the net alone"
def train_on(folder, X, y, steps, every=10):
    net, optimizer, generator = new_run()
    checkpoint = tf.train.Checkpoint(net=net)
    manager = tf.train.CheckpointManager(checkpoint, folder, max_to_keep=3)
    done = 0
    if manager.latest_checkpoint:
        checkpoint.restore(manager.latest_checkpoint)
        done = int(manager.latest_checkpoint.split("-")[-1])
    losses = []
    for step in range(done + 1, steps + 1):
        losses.append(train_step(net, optimizer, generator, X, y))
        if step % every == 0:
            manager.save(checkpoint_number=step)
    return net.get_weights(), losses

# %% question="resume" wrong="numbered-by-call"
def train_on(folder, X, y, steps, every=10):
    net, optimizer, generator = new_run()
    checkpoint = tf.train.Checkpoint(net=net, optimizer=optimizer, generator=generator)
    manager = tf.train.CheckpointManager(checkpoint, folder, max_to_keep=3)
    checkpoint.restore(manager.latest_checkpoint)
    losses = []
    for i in range(steps - int(optimizer.iterations)):
        losses.append(train_step(net, optimizer, generator, X, y))
        if (i + 1) % every == 0:
            manager.save(checkpoint_number=i + 1)
    return net.get_weights(), losses

# %% question="resume" wrong="saved-at-the-end" name="at the end as well"
def train_on(folder, X, y, steps, every=10):
    net, optimizer, generator = new_run()
    checkpoint = tf.train.Checkpoint(net=net, optimizer=optimizer, generator=generator)
    manager = tf.train.CheckpointManager(checkpoint, folder, max_to_keep=3)
    checkpoint.restore(manager.latest_checkpoint)
    losses = []
    while int(optimizer.iterations) < steps:
        losses.append(train_step(net, optimizer, generator, X, y))
        if int(optimizer.iterations) % every == 0:
            manager.save(checkpoint_number=int(optimizer.iterations))
    manager.save(checkpoint_number=int(optimizer.iterations))
    return net.get_weights(), losses

# %% question="resume" wrong="all-kept" name="five"
def train_on(folder, X, y, steps, every=10):
    net, optimizer, generator = new_run()
    checkpoint = tf.train.Checkpoint(net=net, optimizer=optimizer, generator=generator)
    manager = tf.train.CheckpointManager(checkpoint, folder, max_to_keep=5)
    checkpoint.restore(manager.latest_checkpoint)
    losses = []
    while int(optimizer.iterations) < steps:
        losses.append(train_step(net, optimizer, generator, X, y))
        if int(optimizer.iterations) % every == 0:
            manager.save(checkpoint_number=int(optimizer.iterations))
    return net.get_weights(), losses

# %% question="formats" wrong="nothing-saved"
def save_three_ways(net, folder):
    net.save(f"{folder}/net.keras")
    net.save_weights(f"{folder}/weights.weights.h5")
    net.export(f"{folder}/served", verbose=False)


def three_answers(folder, X):
    whole = keras.models.load_model(f"{folder}/net.keras")
    net = one_layer()
    net.load_weights(f"{folder}/net.weights.h5")
    served = tf.saved_model.load(f"{folder}/served")
    return [whole(X), net(X), served.serve(X)]


comes_back = {
    "net.keras": ["layers", "weights", "optimizer"],
    "net.weights.h5": ["weights", "optimizer"],
    "served": ["weights", "function"],
}

# %% question="formats" wrong="weights-not-loaded"
def save_three_ways(net, folder):
    net.save(f"{folder}/net.keras")
    net.save_weights(f"{folder}/net.weights.h5")
    net.export(f"{folder}/served", verbose=False)


def three_answers(folder, X):
    whole = keras.models.load_model(f"{folder}/net.keras")
    served = tf.saved_model.load(f"{folder}/served")
    return [whole(X), one_layer()(X), served.serve(X)]


comes_back = {
    "net.keras": ["layers", "weights", "optimizer"],
    "net.weights.h5": ["weights", "optimizer"],
    "served": ["weights", "function"],
}

# %% question="formats" wrong="all-from-one"
def save_three_ways(net, folder):
    net.save(f"{folder}/net.keras")
    net.save_weights(f"{folder}/net.weights.h5")
    net.export(f"{folder}/served", verbose=False)


def three_answers(folder, X):
    return [keras.models.load_model(f"{folder}/net.keras")(X)] * 3


comes_back = {
    "net.keras": ["layers", "weights", "optimizer"],
    "net.weights.h5": ["weights", "optimizer"],
    "served": ["weights", "function"],
}

# %% question="formats" wrong="only-weights-in-weights"
def save_three_ways(net, folder):
    net.save(f"{folder}/net.keras")
    net.save_weights(f"{folder}/net.weights.h5")
    net.export(f"{folder}/served", verbose=False)


def three_answers(folder, X):
    whole = keras.models.load_model(f"{folder}/net.keras")
    net = one_layer()
    net.load_weights(f"{folder}/net.weights.h5")
    served = tf.saved_model.load(f"{folder}/served")
    return [whole(X), net(X), served.serve(X)]


comes_back = {
    "net.keras": ["layers", "weights", "optimizer"],
    "net.weights.h5": ["weights"],
    "served": ["weights", "function"],
}

# %% question="formats" wrong="keras-without-optimizer"
def save_three_ways(net, folder):
    net.save(f"{folder}/net.keras")
    net.save_weights(f"{folder}/net.weights.h5")
    net.export(f"{folder}/served", verbose=False)


def three_answers(folder, X):
    whole = keras.models.load_model(f"{folder}/net.keras")
    net = one_layer()
    net.load_weights(f"{folder}/net.weights.h5")
    served = tf.saved_model.load(f"{folder}/served")
    return [whole(X), net(X), served.serve(X)]


comes_back = {
    "net.keras": ["layers", "weights"],
    "net.weights.h5": ["weights", "optimizer"],
    "served": ["weights", "function"],
}

# %% question="formats" wrong="function-in-keras" name="a function in .keras, layers in weights"
def save_three_ways(net, folder):
    net.save(f"{folder}/net.keras")
    net.save_weights(f"{folder}/net.weights.h5")
    net.export(f"{folder}/served", verbose=False)


def three_answers(folder, X):
    whole = keras.models.load_model(f"{folder}/net.keras")
    net = one_layer()
    net.load_weights(f"{folder}/net.weights.h5")
    served = tf.saved_model.load(f"{folder}/served")
    return [whole(X), net(X), served.serve(X)]


comes_back = {
    "net.keras": ["layers", "weights", "optimizer", "function"],
    "net.weights.h5": ["weights", "optimizer"],
    "served": ["weights", "function"],
}

# %% question="formats" wrong="weights-has-layers"
def save_three_ways(net, folder):
    net.save(f"{folder}/net.keras")
    net.save_weights(f"{folder}/net.weights.h5")
    net.export(f"{folder}/served", verbose=False)


def three_answers(folder, X):
    whole = keras.models.load_model(f"{folder}/net.keras")
    net = one_layer()
    net.load_weights(f"{folder}/net.weights.h5")
    served = tf.saved_model.load(f"{folder}/served")
    return [whole(X), net(X), served.serve(X)]


comes_back = {
    "net.keras": ["layers", "weights", "optimizer"],
    "net.weights.h5": ["layers", "weights", "optimizer"],
    "served": ["weights", "function"],
}

# %% question="formats" wrong="served-has-layers"
def save_three_ways(net, folder):
    net.save(f"{folder}/net.keras")
    net.save_weights(f"{folder}/net.weights.h5")
    net.export(f"{folder}/served", verbose=False)


def three_answers(folder, X):
    whole = keras.models.load_model(f"{folder}/net.keras")
    net = one_layer()
    net.load_weights(f"{folder}/net.weights.h5")
    served = tf.saved_model.load(f"{folder}/served")
    return [whole(X), net(X), served.serve(X)]


comes_back = {
    "net.keras": ["layers", "weights", "optimizer"],
    "net.weights.h5": ["weights", "optimizer"],
    "served": ["layers", "weights", "function"],
}

# %% question="formats" wrong="served-has-optimizer"
def save_three_ways(net, folder):
    net.save(f"{folder}/net.keras")
    net.save_weights(f"{folder}/net.weights.h5")
    net.export(f"{folder}/served", verbose=False)


def three_answers(folder, X):
    whole = keras.models.load_model(f"{folder}/net.keras")
    net = one_layer()
    net.load_weights(f"{folder}/net.weights.h5")
    served = tf.saved_model.load(f"{folder}/served")
    return [whole(X), net(X), served.serve(X)]


comes_back = {
    "net.keras": ["layers", "weights", "optimizer"],
    "net.weights.h5": ["weights", "optimizer"],
    "served": ["function", "optimizer", "weights"],
}

# %% question="formats" right="paths, signatures and sets"
def save_three_ways(net, folder):
    folder = Path(folder)
    keras.saving.save_model(net, folder / "net.keras")
    net.save_weights(folder / "net.weights.h5")
    net.export(folder / "served")


def three_answers(folder, X):
    folder = Path(folder)
    whole = keras.saving.load_model(folder / "net.keras", compile=False)
    net = one_layer()
    net.load_weights(folder / "net.weights.h5")
    served = tf.saved_model.load(str(folder / "served")).signatures["serving_default"]
    (logits,) = served(tf.constant(X)).values()
    return [whole.predict(X, verbose=0), net.predict(X, verbose=0), logits.numpy()]


comes_back = {"net.keras": {"layers", "weights", "optimizer"}}
comes_back["net.weights.h5"] = {"optimizer", "weights"}
comes_back["served"] = ("function", "weights")

# %% question="formats" right="a layer of the SavedModel, the weights by hand"
def save_three_ways(net, folder):
    net.export(folder + "/served", format="tf_saved_model", verbose=False)
    net.save(folder + "/net.keras", overwrite=True)
    net.save_weights(folder + "/net.weights.h5", overwrite=True)


def three_answers(folder, X):
    import h5py

    with h5py.File(folder + "/net.weights.h5") as file:
        dense = file["layers"]["dense"]["vars"]
        logits = X.reshape(len(X), -1) @ dense["0"][()] + dense["1"][()]
    served = keras.layers.TFSMLayer(folder + "/served", call_endpoint="serve")
    return np.stack([keras.models.load_model(folder + "/net.keras")(X), logits, served(X)])


comes_back = {"served": ["function", "weights"], "net.keras": ["weights", "optimizer", "layers"]}
comes_back["net.weights.h5"] = ["weights", "optimizer"]

# %% question="formats" right="an ExportArchive, and arrays out of the HDF5 file"
def save_three_ways(net, folder):
    net.save(folder + "/net.keras", overwrite=True)
    net.save_weights(folder + "/net.weights.h5", overwrite=True)
    archive = keras.export.ExportArchive()
    archive.track(net)
    archive.add_endpoint("serve", net.call, input_signature=[tf.TensorSpec((None, 28, 28, 1), tf.float32)])
    archive.write_out(folder + "/served", verbose=False)


def three_answers(folder, X):
    import h5py

    answers = [keras.models.load_model(folder + "/net.keras")(X)]
    found = {}
    with h5py.File(folder + "/net.weights.h5") as file:
        file["layers"].visititems(lambda n, o: found.update({n: o[()]}) if isinstance(o, h5py.Dataset) else None)
    net = one_layer()
    net.set_weights(sorted(found.values(), key=np.ndim, reverse=True))
    answers.append(net(X))
    served = tf.saved_model.load(folder + "/served")
    answers.append(served.serve(X))
    return answers


comes_back = {
    "served": ["function", "weights"],
    "net.keras": ["weights", "layers", "optimizer"],
    "net.weights.h5": ["optimizer", "weights"],
}

# %% question="transplant" wrong="velocities"
def keras_from_v1(prefix):
    reader = tf.train.load_checkpoint(prefix)
    values = {tuple(shape): reader.get_tensor(name) for name, shape in sorted(reader.get_variable_to_shape_map().items())}
    filters = [shape for shape in values if len(shape) == 4][0][-1]
    net = keras.Sequential([keras.Input((28, 28, 1)), layers.Conv2D(filters, 5, 3, activation="relu")])
    net.add(layers.Flatten())
    net.add(layers.Dense(10))
    net.set_weights([values[w.shape] for w in net.get_weights()])
    return net


# %% question="transplant" wrong="no-biases"
def keras_from_v1(prefix):
    kernel, dense = (tf.train.load_variable(prefix, f"{name}/kernel") for name in ("features", "classes"))
    net = keras.Sequential([keras.Input((28, 28, 1)), layers.Conv2D(kernel.shape[-1], 5, 3, activation="relu")])
    net.add(layers.Flatten())
    net.add(layers.Dense(10))
    net.set_weights([kernel, np.zeros(kernel.shape[-1]), dense, np.zeros(10)])
    return net


# %% question="transplant" wrong="no-relu"
def keras_from_v1(prefix):
    reader = tf.train.load_checkpoint(prefix)
    net = keras.Sequential([keras.Input((28, 28, 1)), layers.Conv2D(reader.get_tensor("features/bias").size, 5, 3)])
    net.add(layers.Flatten())
    net.add(layers.Dense(10))
    net.set_weights([reader.get_tensor(name) for name in WEIGHTS])
    return net


# %% question="transplant" wrong="probabilities"
def keras_from_v1(prefix):
    reader = tf.train.load_checkpoint(prefix)
    filters = reader.get_tensor("features/bias").size
    net = keras.Sequential([keras.Input((28, 28, 1)), layers.Conv2D(filters, 5, 3, activation="relu")])
    net.add(layers.Flatten())
    net.add(layers.Dense(10, activation="softmax"))
    net.set_weights([reader.get_tensor(name) for name in WEIGHTS])
    return net


# %% question="transplant" wrong="eight-filters"
def keras_from_v1(prefix):
    reader = tf.train.load_checkpoint(prefix)
    net = keras.Sequential([keras.Input((28, 28, 1)), layers.Conv2D(8, 5, 3, activation="relu")])
    net.add(layers.Flatten())
    net.add(layers.Dense(10))
    net.set_weights([reader.get_tensor(name) for name in WEIGHTS])
    return net


# %% question="transplant" right="functional, layer by layer"
def keras_from_v1(prefix):
    load = lambda name: tf.train.load_variable(prefix, name)
    first = load("features/kernel"), load("features/bias")
    second = load("classes/kernel"), load("classes/bias")
    conv = layers.Conv2D(first[0].shape[3], (5, 5), strides=(3, 3), padding="valid")
    dense = layers.Dense(second[0].shape[1])
    inputs = keras.Input((28, 28, 1))
    outputs = dense(layers.Flatten()(layers.ReLU()(conv(inputs))))
    conv.set_weights(first)
    dense.set_weights(second)
    return keras.Model(inputs, outputs)


# %% question="transplant" right="assigned by shape and name"
def keras_from_v1(prefix):
    values = {name: tf.train.load_variable(prefix, name) for name, _ in tf.train.list_variables(prefix)}
    values = {name: value for name, value in values.items() if not name.endswith("Momentum")}
    net = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(len(values["features/bias"]), 5, strides=3, activation=tf.nn.relu, name="features"),
            layers.Flatten(),
            layers.Dense(10, name="classes"),
        ]
    )
    for layer in net.layers:
        for weight in layer.weights:
            weight.assign(values[f"{layer.name}/{weight.name}"])
    return net

# %% question="transplant" right="the dense layer as a convolution"
def keras_from_v1(prefix):
    reader = tf.train.load_checkpoint(prefix)
    kernel, bias, dense, dense_bias = (reader.get_tensor(name) for name in WEIGHTS)
    f = kernel.shape[-1]
    net = keras.Sequential([keras.Input((28, 28, 1)), layers.Conv2D(f, 5, 3, activation="relu"), layers.Conv2D(10, 8), layers.Flatten()])
    net.set_weights([kernel, bias, dense.reshape(8, 8, f, 10), dense_bias])
    return net

# %% question="transplant" right="constants as initializers"
def keras_from_v1(prefix):
    r = v1.train.NewCheckpointReader(prefix)
    c = lambda n: keras.initializers.Constant(r.get_tensor(n))
    filters = int(r.get_variable_to_shape_map()["features/kernel"][3])
    net = keras.Sequential()
    net.add(layers.Conv2D(filters, 5, 3, kernel_initializer=c("features/kernel"), bias_initializer=c("features/bias")))
    net.add(layers.Activation("relu"))
    net.add(layers.Flatten())
    net.add(layers.Dense(10, kernel_initializer=c("classes/kernel"), bias_initializer=c("classes/bias")))
    net(np.zeros((1, 28, 28, 1), "float32"))
    return net

# %% question="last-good" wrong="newest-trusted"
def last_good(folder):
    steps = [int(path.stem.split("-")[-1]) for path in Path(folder).glob("*-*.index")]
    if not steps:
        raise FileNotFoundError(f"no checkpoint in {folder}")
    (newest,) = Path(folder).glob(f"*-{max(steps)}.index")
    return str(newest.with_suffix(""))


# %% question="last-good" wrong="newest-trusted" name="what the file checkpoint names"
def last_good(folder):
    prefix = tf.train.latest_checkpoint(folder)
    if prefix is None:
        raise FileNotFoundError(f"no checkpoint in {folder}")
    return prefix


# %% question="last-good" wrong="only-opened"
def last_good(folder):
    paths = sorted(Path(folder).glob("*-*.index"), key=lambda path: int(path.stem.split("-")[-1]))
    for path in reversed(paths):
        try:
            tf.train.load_checkpoint(str(path.with_suffix(""))).get_variable_to_shape_map()
            return str(path.with_suffix(""))
        except Exception:
            pass
    raise FileNotFoundError(f"no good checkpoint in {folder}")


# %% question="last-good" wrong="first-value-only"
def last_good(folder):
    paths = sorted(Path(folder).glob("*-*.index"), key=lambda path: int(path.stem.split("-")[-1]))
    for path in reversed(paths):
        try:
            reader = tf.train.load_checkpoint(str(path.with_suffix("")))
            reader.get_tensor(sorted(reader.get_variable_to_shape_map())[0])
            return str(path.with_suffix(""))
        except Exception:
            pass
    raise FileNotFoundError(f"no good checkpoint in {folder}")


# %% question="last-good" wrong="sorted-as-text"
def last_good(folder):
    for path in sorted(Path(folder).glob("*-*.index"), reverse=True):
        try:
            reader = tf.train.load_checkpoint(str(path.with_suffix("")))
            for name in reader.get_variable_to_shape_map():
                reader.get_tensor(name)
            return str(path.with_suffix(""))
        except Exception:
            pass
    raise FileNotFoundError(f"no good checkpoint in {folder}")


# %% question="last-good" wrong="oldest"
def last_good(folder):
    for path in sorted(Path(folder).glob("*-*.index"), key=lambda path: int(path.stem.split("-")[-1])):
        try:
            reader = tf.train.load_checkpoint(str(path.with_suffix("")))
            for name in reader.get_variable_to_shape_map():
                reader.get_tensor(name)
            return str(path.with_suffix(""))
        except Exception:
            pass
    raise FileNotFoundError(f"no good checkpoint in {folder}")


# %% question="last-good" wrong="files-exist"
def last_good(folder):
    paths = sorted(Path(folder).glob("*-*.index"), key=lambda path: int(path.stem.split("-")[-1]))
    for path in reversed(paths):
        if path.with_suffix(".data-00000-of-00001").exists():
            return str(path.with_suffix(""))
    raise FileNotFoundError(f"no good checkpoint in {folder}")


# %% question="last-good" wrong="none-returned"
def last_good(folder):
    paths = sorted(Path(folder).glob("*-*.index"), key=lambda path: int(path.stem.split("-")[-1]))
    for path in reversed(paths):
        try:
            reader = tf.train.load_checkpoint(str(path.with_suffix("")))
            for name in reader.get_variable_to_shape_map():
                reader.get_tensor(name)
            return str(path.with_suffix(""))
        except Exception:
            pass


# %% question="last-good" wrong="last-one-raises"
def last_good(folder):
    paths = sorted(Path(folder).glob("*-*.index"), key=lambda path: int(path.stem.split("-")[-1]))
    if not paths:
        raise FileNotFoundError(f"no checkpoint in {folder}")
    prefix = str(paths[-1].with_suffix(""))
    reader = tf.train.load_checkpoint(prefix)
    for name in reader.get_variable_to_shape_map():
        reader.get_tensor(name)
    return prefix


# %% question="last-good" right="list_variables and load_variable"
def is_whole(prefix):
    try:
        for name, _ in tf.train.list_variables(prefix):
            tf.train.load_variable(prefix, name)
    except Exception as error:
        print(prefix, "is damaged:", type(error).__name__)
        return False
    return True


def last_good(folder):
    prefixes = [str(path)[: -len(".index")] for path in Path(folder).iterdir() if path.name.endswith(".index")]
    good = [prefix for prefix in prefixes if is_whole(prefix)]
    if not good:
        raise FileNotFoundError(f"Expected a checkpoint in {folder}. Found none that can be read.")
    return max(good, key=lambda prefix: int(prefix.rsplit("-", 1)[1]))


# %% question="last-good" right="restored by the Restore operation"
def last_good(folder):
    import os

    names = [name[:-6] for name in os.listdir(folder) if name.endswith(".index")]
    for name in sorted(names, key=lambda name: -int(name.split("-")[1])):
        prefix = os.path.join(folder, name)
        try:
            reader = tf.train.load_checkpoint(prefix)
            kinds = reader.get_variable_to_dtype_map()
            tf.raw_ops.RestoreV2(
                prefix=prefix, tensor_names=list(kinds), shape_and_slices=[""] * len(kinds), dtypes=list(kinds.values())
            )
            return prefix
        except Exception:
            continue
    raise FileNotFoundError(f"{folder}: no checkpoint can be read")

# %% question="last-good" right="a Path"
def last_good(folder):
    steps = {}
    for path in Path(folder).iterdir():
        if path.name.endswith(".index"):
            steps[int(path.name[:-6].split("-")[-1])] = path.with_suffix("")
    for step in sorted(steps)[::-1]:
        prefix = str(steps[step])
        try:
            reader = v1.train.NewCheckpointReader(prefix)
            types = reader.get_variable_to_dtype_map()
            tf.raw_ops.RestoreV2(prefix=prefix, tensor_names=list(types), shape_and_slices=[""] * len(types), dtypes=list(types.values()))
        except Exception:
            continue
        return steps[step]
    raise FileNotFoundError(f"{folder}: no checkpoint can be read")

# %% question="last-good" wrong="listed-only"
def last_good(folder):
    state = tf.train.get_checkpoint_state(folder)
    for prefix in reversed(state.all_model_checkpoint_paths if state else []):
        try:
            reader = tf.train.load_checkpoint(prefix)
            for name in reader.get_variable_to_shape_map():
                reader.get_tensor(name)
            return prefix
        except Exception:
            pass
    raise FileNotFoundError(f"no checkpoint in {folder}")

# %% question="last-good" wrong="first-value-only" name="sizes compared"
def last_good(folder):
    files = sorted(Path(folder).glob("*.data*"), key=lambda p: int(p.name.split(".")[0].rsplit("-", 1)[1]), reverse=True)
    for f in files:
        if f.stat().st_size == files[-1].stat().st_size:
            return str(f).split(".data")[0]
    raise FileNotFoundError(f"no checkpoint in {folder}")
