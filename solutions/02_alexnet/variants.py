# %% [markdown]
# Wrong and other right answers to every question of lab 02. Each cell replaces one whole answer cell.

# %% question="output-size" wrong="no-plus-one"
def output_size(size, kernel_size, stride=1, padding=0):
    if (size + 2 * padding - kernel_size) % stride or size + 2 * padding < kernel_size:
        raise ValueError("does not come out whole")
    return (size + 2 * padding - kernel_size) // stride

# %% question="output-size" wrong="padding-once"
def output_size(size, kernel_size, stride=1, padding=0):
    if (size + padding - kernel_size) % stride:
        raise ValueError("does not come out whole")
    return (size + padding - kernel_size) // stride + 1

# %% question="output-size" wrong="padding-ignored"
def output_size(size, kernel_size, stride=1, padding=0):
    return (size - kernel_size) // stride + 1

# %% question="output-size" wrong="stride-ignored"
def output_size(size, kernel_size, stride=1, padding=0):
    if (size + 2 * padding - kernel_size) % stride or size + 2 * padding < kernel_size:
        raise ValueError("does not come out whole")
    return size + 2 * padding - kernel_size + 1

# %% question="output-size" wrong="rounded-down"
def output_size(size, kernel_size, stride=1, padding=0):
    return (size + 2 * padding - kernel_size) // stride + 1

# %% question="output-size" wrong="rounded-up"
def output_size(size, kernel_size, stride=1, padding=0):
    return int(np.ceil((size + 2 * padding - kernel_size) / stride)) + 1

# %% question="output-size" wrong="not-whole"
def output_size(size, kernel_size, stride=1, padding=0):
    return (size + 2 * padding - kernel_size) / stride + 1

# %% question="output-size" wrong="larger-kernel"
def output_size(size, kernel_size, stride=1, padding=0):
    if (size + 2 * padding - kernel_size) % stride:
        raise ValueError("does not come out whole")
    return (size + 2 * padding - kernel_size) // stride + 1

# %% question="output-size" right="NumPy, and a comparison of floats"
def output_size(size, kernel_size, stride=1, padding=0):
    places = (size + 2 * padding - kernel_size) / stride + 1
    if places < 1 or places != np.floor(places):
        raise ValueError(f"{places} places")
    return np.int64(places)

# %% question="output-size" right="walking along the side"
def output_size(size, kernel_size, stride=1, padding=0):
    end = size + 2 * padding
    left, places = 0, 0
    while left + kernel_size <= end:
        places, last = places + 1, left + kernel_size
        left += stride
    if places == 0 or last != end:
        raise ValueError(f"{size} pixels do not suit a kernel of {kernel_size}")
    return places

# %% question="output-size" wrong="exact-fit-refused"
def output_size(size, kernel_size, stride=1, padding=0):
    room = size + 2 * padding - kernel_size
    if room <= 0 or room % stride:
        raise ValueError("does not come out whole")
    return room // stride + 1

# %% question="output-size" wrong="exact-fit-refused" name="compared with the image without its zeros"
def output_size(size, kernel_size, stride=1, padding=0):
    if kernel_size > size or (size + 2 * padding - kernel_size) % stride:
        raise ValueError("does not come out whole")
    return (size + 2 * padding - kernel_size) // stride + 1

# %% question="output-size" right="a range of first pixels"
def output_size(size, kernel_size, stride=1, padding=0):
    starts = range(-padding, size + padding - kernel_size + 1, stride)
    if len(starts) == 0:
        raise ValueError("kernel too large")
    if starts[-1] + kernel_size != size + padding:
        raise ValueError("pixels left over")
    return len(starts)

# %% question="shape-table" wrong="channels-first"
shapes = {"input": (3, 227, 227), "CONV1": (96, 55, 55), "POOL1": (96, 27, 27), "NORM1": (96, 27, 27)}
shapes |= {"CONV2": (256, 27, 27), "POOL2": (256, 13, 13), "NORM2": (256, 13, 13)}
shapes |= {"CONV3": (384, 13, 13), "CONV4": (384, 13, 13), "CONV5": (256, 13, 13), "POOL5": (256, 6, 6)}
shapes |= {"FC6": (4096,), "FC7": (4096,), "FC8": (1000,)}

# %% question="shape-table" wrong="no-channels"
shapes = {"input": (227, 227), "CONV1": (55, 55), "POOL1": (27, 27), "NORM1": (27, 27)}
shapes |= {"CONV2": (27, 27), "POOL2": (13, 13), "NORM2": (13, 13)}
shapes |= {"CONV3": (13, 13), "CONV4": (13, 13), "CONV5": (13, 13), "POOL5": (6, 6)}
shapes |= {"FC6": (4096,), "FC7": (4096,), "FC8": (1000,)}

# %% question="shape-table" wrong="no-plus-one"
shapes = {"input": (227, 227, 3), "CONV1": (54, 54, 96), "POOL1": (26, 26, 96), "NORM1": (26, 26, 96)}
shapes |= {"CONV2": (26, 26, 256), "POOL2": (12, 12, 256), "NORM2": (12, 12, 256)}
shapes |= {"CONV3": (12, 12, 384), "CONV4": (12, 12, 384), "CONV5": (12, 12, 256), "POOL5": (5, 5, 256)}
shapes |= {"FC6": (4096,), "FC7": (4096,), "FC8": (1000,)}

# %% question="shape-table" wrong="padding-ignored"
shapes = {"input": (227, 227, 3), "CONV1": (55, 55, 96), "POOL1": (27, 27, 96), "NORM1": (27, 27, 96)}
shapes |= {"CONV2": (23, 23, 256), "POOL2": (11, 11, 256), "NORM2": (11, 11, 256)}
shapes |= {"CONV3": (9, 9, 384), "CONV4": (9, 9, 384), "CONV5": (5, 5, 256), "POOL5": (2, 2, 256)}
shapes |= {"FC6": (4096,), "FC7": (4096,), "FC8": (1000,)}

# %% question="shape-table" wrong="pooling-padded"
shapes = {"input": (227, 227, 3), "CONV1": (55, 55, 96), "POOL1": (28, 28, 96), "NORM1": (28, 28, 96)}
shapes |= {"CONV2": (28, 28, 256), "POOL2": (14, 14, 256), "NORM2": (14, 14, 256)}
shapes |= {"CONV3": (14, 14, 384), "CONV4": (14, 14, 384), "CONV5": (14, 14, 256), "POOL5": (7, 7, 256)}
shapes |= {"FC6": (4096,), "FC7": (4096,), "FC8": (1000,)}

# %% question="shape-table" wrong="channels-multiplied"
shapes = {"input": (227, 227, 3), "CONV1": (55, 55, 288), "POOL1": (27, 27, 288), "NORM1": (27, 27, 288)}
shapes |= {"CONV2": (27, 27, 73728), "POOL2": (13, 13, 73728), "NORM2": (13, 13, 73728)}
shapes |= {"CONV3": (13, 13, 98304), "CONV4": (13, 13, 98304), "CONV5": (13, 13, 256), "POOL5": (6, 6, 256)}
shapes |= {"FC6": (4096,), "FC7": (4096,), "FC8": (1000,)}

# %% question="shape-table" wrong="one-tower-of-two"
shapes = {"input": (227, 227, 3), "CONV1": (55, 55, 48), "POOL1": (27, 27, 48), "NORM1": (27, 27, 48)}
shapes |= {"CONV2": (27, 27, 128), "POOL2": (13, 13, 128), "NORM2": (13, 13, 128)}
shapes |= {"CONV3": (13, 13, 192), "CONV4": (13, 13, 192), "CONV5": (13, 13, 128), "POOL5": (6, 6, 128)}
shapes |= {"FC6": (2048,), "FC7": (2048,), "FC8": (1000,)}

# %% question="shape-table" wrong="input-of-224"
shapes = {"input": (224, 224, 3), "CONV1": (55, 55, 96), "POOL1": (27, 27, 96), "NORM1": (27, 27, 96)}
shapes |= {"CONV2": (27, 27, 256), "POOL2": (13, 13, 256), "NORM2": (13, 13, 256)}
shapes |= {"CONV3": (13, 13, 384), "CONV4": (13, 13, 384), "CONV5": (13, 13, 256), "POOL5": (6, 6, 256)}
shapes |= {"FC6": (4096,), "FC7": (4096,), "FC8": (1000,)}

# %% question="shape-table" wrong="not-flattened"
shapes = {"input": (227, 227, 3), "CONV1": (55, 55, 96), "POOL1": (27, 27, 96), "NORM1": (27, 27, 96)}
shapes |= {"CONV2": (27, 27, 256), "POOL2": (13, 13, 256), "NORM2": (13, 13, 256)}
shapes |= {"CONV3": (13, 13, 384), "CONV4": (13, 13, 384), "CONV5": (13, 13, 256), "POOL5": (6, 6, 256)}
shapes |= {"FC6": (6, 6, 4096), "FC7": (6, 6, 4096), "FC8": (6, 6, 1000)}

# %% question="shape-table" wrong="norm-shrinks"
shapes = {"input": (227, 227, 3), "CONV1": (55, 55, 96), "POOL1": (27, 27, 96), "NORM1": (23, 23, 96)}
shapes |= {"CONV2": (27, 27, 256), "POOL2": (13, 13, 256), "NORM2": (13, 13, 256)}
shapes |= {"CONV3": (13, 13, 384), "CONV4": (13, 13, 384), "CONV5": (13, 13, 256), "POOL5": (6, 6, 256)}
shapes |= {"FC6": (4096,), "FC7": (4096,), "FC8": (1000,)}

# %% question="shape-table" right="lists, fully connected as 1×1"
shapes = {"input": [227, 227, 3], "CONV1": [55, 55, 96], "POOL1": [27, 27, 96], "NORM1": [27, 27, 96]}
shapes |= {"CONV2": [27, 27, 256], "POOL2": [13, 13, 256], "NORM2": [13, 13, 256]}
shapes |= {"CONV3": [13, 13, 384], "CONV4": [13, 13, 384], "CONV5": [13, 13, 256], "POOL5": [6, 6, 256]}
shapes |= {"FC6": [1, 1, 4096], "FC7": [1, 1, 4096], "FC8": [1, 1, 1000]}

# %% question="shape-table" right="walking down the list"
def walk():
    n, channels = 227, 3
    yield "input", (n, n, channels)
    for name, (kernel_size, stride, padding, filters) in ALEXNET.items():
        n, channels = (n + 2 * padding - kernel_size) // stride + 1, filters or channels
        yield name, (n, n, channels)
        if name in ("POOL1", "POOL2"):
            yield name.replace("POOL", "NORM"), (n, n, channels)
    yield from ((name, (units,)) for name, units in UNITS.items())


shapes = dict(walk())

# %% question="shape-table" right="read from Keras"
x = keras.Input((227, 227, 3), batch_size=1)
shapes = {"input": x.shape[1:]}
shape = x.shape
for name, (kernel_size, stride, padding, filters) in ALEXNET.items():
    shape = layers.ZeroPadding2D(padding).compute_output_shape(shape)
    if filters:
        shape = layers.Conv2D(filters, kernel_size, stride).compute_output_shape(shape)
    else:
        shape = layers.MaxPool2D(kernel_size, stride).compute_output_shape(shape)
        shapes[name.replace("POOL", "NORM")] = shape[1:]
    shapes[name] = np.array(shape[1:])
shapes |= {"FC6": tf.TensorShape([4096]), "FC7": tf.TensorShape([4096]), "FC8": tf.TensorShape([1000])}

# %% question="shape-table" wrong="comma-missing"
shapes = {"input": (227, 227, 3), "CONV1": (55, 55, 96), "POOL1": (27, 27, 96), "NORM1": (27, 27, 96)}
shapes |= {"CONV2": (27, 27, 256), "POOL2": (13, 13, 256), "NORM2": (13, 13, 256)}
shapes |= {"CONV3": (13, 13, 384), "CONV4": (13, 13, 384), "CONV5": (13, 13, 256), "POOL5": (6, 6, 256)}
shapes |= {"FC6": (4096), "FC7": (4096), "FC8": (1000)}

# %% question="shape-table" wrong="paper-order"
shapes = {"input": (227, 227, 3), "CONV1": (55, 55, 96), "NORM1": (55, 55, 96), "POOL1": (27, 27, 96)}
shapes |= {"CONV2": (27, 27, 256), "NORM2": (27, 27, 256), "POOL2": (13, 13, 256)}
shapes |= {"CONV3": (13, 13, 384), "CONV4": (13, 13, 384), "CONV5": (13, 13, 256), "POOL5": (6, 6, 256)}
shapes |= {"FC6": (4096,), "FC7": (4096,), "FC8": (1000,)}

# %% question="shape-table" wrong="layers-missing"
shapes = {"input": (227, 227, 3), "CONV1": (55, 55, 96), "POOL1": (27, 27, 96)}
shapes |= {"CONV2": (27, 27, 256), "POOL2": (13, 13, 256)}
shapes |= {"CONV3": (13, 13, 384), "CONV4": (13, 13, 384), "CONV5": (13, 13, 256), "POOL5": (6, 6, 256)}
shapes |= {"FC6": (4096,), "FC7": (4096,), "FC8": (1000,)}

# %% question="shape-table" wrong="batch-axis"
shapes = {"input": (227, 227, 3), "CONV1": (55, 55, 96), "POOL1": (27, 27, 96), "NORM1": (27, 27, 96)}
shapes |= {"CONV2": (27, 27, 256), "POOL2": (13, 13, 256), "NORM2": (13, 13, 256)}
shapes |= {"CONV3": (13, 13, 384), "CONV4": (13, 13, 384), "CONV5": (13, 13, 256), "POOL5": (6, 6, 256)}
shapes |= {"FC6": (4096,), "FC7": (4096,), "FC8": (1000,)}
shapes = {name: (None, *shape) for name, shape in shapes.items()}

# %% question="count-parameters" wrong="no-bias"
def count_parameters(kernel_size, channels, filters, groups=1):
    return kernel_size**2 * channels // groups * filters, 0


rows = {"CONV1": (11, 3, 96), "CONV2": (5, 96, 256), "CONV3": (3, 256, 384), "CONV4": (3, 384, 384)}
rows |= {"CONV5": (3, 384, 256), "FC6": (1, 6 * 6 * 256, 4096), "FC7": (1, 4096, 4096), "FC8": (1, 4096, 1000)}
parameters = {name: sum(count_parameters(*row)) for name, row in rows.items()}
all_parameters = {"one tower": sum(parameters.values())}
parameters |= dict.fromkeys(("POOL1", "NORM1", "POOL2", "NORM2", "POOL5"), 0)
groups = {"CONV2": 2, "CONV4": 2, "CONV5": 2}
all_parameters["two towers"] = sum(sum(count_parameters(*row, groups.get(name, 1))) for name, row in rows.items())

# %% question="count-parameters" wrong="one-bias"
def count_parameters(kernel_size, channels, filters, groups=1):
    return kernel_size**2 * channels // groups * filters, 1


rows = {"CONV1": (11, 3, 96), "CONV2": (5, 96, 256), "CONV3": (3, 256, 384), "CONV4": (3, 384, 384)}
rows |= {"CONV5": (3, 384, 256), "FC6": (1, 6 * 6 * 256, 4096), "FC7": (1, 4096, 4096), "FC8": (1, 4096, 1000)}
parameters = {name: sum(count_parameters(*row)) for name, row in rows.items()}
all_parameters = {"one tower": sum(parameters.values())}
parameters |= dict.fromkeys(("POOL1", "NORM1", "POOL2", "NORM2", "POOL5"), 0)
groups = {"CONV2": 2, "CONV4": 2, "CONV5": 2}
all_parameters["two towers"] = sum(sum(count_parameters(*row, groups.get(name, 1))) for name, row in rows.items())

# %% question="count-parameters" wrong="bias-for-each-channel"
def count_parameters(kernel_size, channels, filters, groups=1):
    kernels = channels // groups * filters
    return kernel_size**2 * kernels, kernels


rows = {"CONV1": (11, 3, 96), "CONV2": (5, 96, 256), "CONV3": (3, 256, 384), "CONV4": (3, 384, 384)}
rows |= {"CONV5": (3, 384, 256), "FC6": (1, 6 * 6 * 256, 4096), "FC7": (1, 4096, 4096), "FC8": (1, 4096, 1000)}
parameters = {name: sum(count_parameters(*row)) for name, row in rows.items()}
all_parameters = {"one tower": sum(parameters.values())}
parameters |= dict.fromkeys(("POOL1", "NORM1", "POOL2", "NORM2", "POOL5"), 0)
groups = {"CONV2": 2, "CONV4": 2, "CONV5": 2}
all_parameters["two towers"] = sum(sum(count_parameters(*row, groups.get(name, 1))) for name, row in rows.items())

# %% question="count-parameters" wrong="kernel-not-square"
def count_parameters(kernel_size, channels, filters, groups=1):
    return kernel_size * channels // groups * filters, filters


rows = {"CONV1": (11, 3, 96), "CONV2": (5, 96, 256), "CONV3": (3, 256, 384), "CONV4": (3, 384, 384)}
rows |= {"CONV5": (3, 384, 256), "FC6": (1, 6 * 6 * 256, 4096), "FC7": (1, 4096, 4096), "FC8": (1, 4096, 1000)}
parameters = {name: sum(count_parameters(*row)) for name, row in rows.items()}
all_parameters = {"one tower": sum(parameters.values())}
parameters |= dict.fromkeys(("POOL1", "NORM1", "POOL2", "NORM2", "POOL5"), 0)
groups = {"CONV2": 2, "CONV4": 2, "CONV5": 2}
all_parameters["two towers"] = sum(sum(count_parameters(*row, groups.get(name, 1))) for name, row in rows.items())

# %% question="count-parameters" wrong="channels-ignored"
def count_parameters(kernel_size, channels, filters, groups=1):
    return kernel_size**2 * filters, filters


rows = {"CONV1": (11, 3, 96), "CONV2": (5, 96, 256), "CONV3": (3, 256, 384), "CONV4": (3, 384, 384)}
rows |= {"CONV5": (3, 384, 256), "FC6": (1, 6 * 6 * 256, 4096), "FC7": (1, 4096, 4096), "FC8": (1, 4096, 1000)}
parameters = {name: sum(count_parameters(*row)) for name, row in rows.items()}
all_parameters = {"one tower": sum(parameters.values())}
parameters |= dict.fromkeys(("POOL1", "NORM1", "POOL2", "NORM2", "POOL5"), 0)
groups = {"CONV2": 2, "CONV4": 2, "CONV5": 2}
all_parameters["two towers"] = sum(sum(count_parameters(*row, groups.get(name, 1))) for name, row in rows.items())

# %% question="count-parameters" wrong="own-channels"
def count_parameters(kernel_size, channels, filters, groups=1):
    return kernel_size**2 * filters // groups * filters, filters


rows = {"CONV1": (11, 3, 96), "CONV2": (5, 96, 256), "CONV3": (3, 256, 384), "CONV4": (3, 384, 384)}
rows |= {"CONV5": (3, 384, 256), "FC6": (1, 6 * 6 * 256, 4096), "FC7": (1, 4096, 4096), "FC8": (1, 4096, 1000)}
parameters = {name: sum(count_parameters(*row)) for name, row in rows.items()}
all_parameters = {"one tower": sum(parameters.values())}
parameters |= dict.fromkeys(("POOL1", "NORM1", "POOL2", "NORM2", "POOL5"), 0)
groups = {"CONV2": 2, "CONV4": 2, "CONV5": 2}
all_parameters["two towers"] = sum(sum(count_parameters(*row, groups.get(name, 1))) for name, row in rows.items())

# %% question="count-parameters" wrong="groups-ignored"
def count_parameters(kernel_size, channels, filters, groups=1):
    return kernel_size**2 * channels * filters, filters


rows = {"CONV1": (11, 3, 96), "CONV2": (5, 96, 256), "CONV3": (3, 256, 384), "CONV4": (3, 384, 384)}
rows |= {"CONV5": (3, 384, 256), "FC6": (1, 6 * 6 * 256, 4096), "FC7": (1, 4096, 4096), "FC8": (1, 4096, 1000)}
parameters = {name: sum(count_parameters(*row)) for name, row in rows.items()}
all_parameters = {"one tower": sum(parameters.values())}
parameters |= dict.fromkeys(("POOL1", "NORM1", "POOL2", "NORM2", "POOL5"), 0)
groups = {"CONV2": 2, "CONV4": 2, "CONV5": 2}
all_parameters["two towers"] = sum(sum(count_parameters(*row, groups.get(name, 1))) for name, row in rows.items())

# %% question="count-parameters" wrong="one-group-only"
def count_parameters(kernel_size, channels, filters, groups=1):
    return kernel_size**2 * (channels // groups) * (filters // groups), filters // groups


rows = {"CONV1": (11, 3, 96), "CONV2": (5, 96, 256), "CONV3": (3, 256, 384), "CONV4": (3, 384, 384)}
rows |= {"CONV5": (3, 384, 256), "FC6": (1, 6 * 6 * 256, 4096), "FC7": (1, 4096, 4096), "FC8": (1, 4096, 1000)}
parameters = {name: sum(count_parameters(*row)) for name, row in rows.items()}
all_parameters = {"one tower": sum(parameters.values())}
parameters |= dict.fromkeys(("POOL1", "NORM1", "POOL2", "NORM2", "POOL5"), 0)
groups = {"CONV2": 2, "CONV4": 2, "CONV5": 2}
all_parameters["two towers"] = sum(sum(count_parameters(*row, groups.get(name, 1))) for name, row in rows.items())

# %% question="count-parameters" wrong="biases-divided"
def count_parameters(kernel_size, channels, filters, groups=1):
    return kernel_size**2 * (channels // groups) * filters, filters // groups


rows = {"CONV1": (11, 3, 96), "CONV2": (5, 96, 256), "CONV3": (3, 256, 384), "CONV4": (3, 384, 384)}
rows |= {"CONV5": (3, 384, 256), "FC6": (1, 6 * 6 * 256, 4096), "FC7": (1, 4096, 4096), "FC8": (1, 4096, 1000)}
parameters = {name: sum(count_parameters(*row)) for name, row in rows.items()}
all_parameters = {"one tower": sum(parameters.values())}
parameters |= dict.fromkeys(("POOL1", "NORM1", "POOL2", "NORM2", "POOL5"), 0)
groups = {"CONV2": 2, "CONV4": 2, "CONV5": 2}
all_parameters["two towers"] = sum(sum(count_parameters(*row, groups.get(name, 1))) for name, row in rows.items())

# %% question="count-parameters" wrong="pooling-has-none"
def count_parameters(kernel_size, channels, filters, groups=1):
    return kernel_size**2 * channels // groups * filters, filters


rows = {"CONV1": (11, 3, 96), "CONV2": (5, 96, 256), "CONV3": (3, 256, 384), "CONV4": (3, 384, 384)}
rows |= {"CONV5": (3, 384, 256), "FC6": (1, 6 * 6 * 256, 4096), "FC7": (1, 4096, 4096), "FC8": (1, 4096, 1000)}
parameters = {name: sum(count_parameters(*row)) for name, row in rows.items()}
all_parameters = {"one tower": sum(parameters.values())}
parameters |= dict.fromkeys(("POOL1", "NORM1", "POOL2", "NORM2", "POOL5"), 3 * 3)
groups = {"CONV2": 2, "CONV4": 2, "CONV5": 2}
all_parameters["two towers"] = sum(sum(count_parameters(*row, groups.get(name, 1))) for name, row in rows.items())

# %% question="count-parameters" wrong="layers-missing"
def count_parameters(kernel_size, channels, filters, groups=1):
    return kernel_size**2 * channels // groups * filters, filters


rows = {"CONV1": (11, 3, 96), "CONV2": (5, 96, 256), "CONV3": (3, 256, 384), "CONV4": (3, 384, 384)}
rows |= {"CONV5": (3, 384, 256), "FC6": (1, 6 * 6 * 256, 4096), "FC7": (1, 4096, 4096), "FC8": (1, 4096, 1000)}
parameters = {name: sum(count_parameters(*row)) for name, row in rows.items()}
groups = {"CONV2": 2, "CONV4": 2, "CONV5": 2}
all_parameters = {"one tower": sum(parameters.values())}
all_parameters["two towers"] = sum(sum(count_parameters(*row, groups.get(name, 1))) for name, row in rows.items())

# %% question="count-parameters" right="walking down the network, a total for either"
def count_parameters(kernel_size, channels, filters, groups=1):
    one_filter = kernel_size**2 * (channels // groups)
    return filters * one_filter, filters


def table(groups):
    size, channels, counted = 227, 3, {"NORM1": 0, "NORM2": 0}
    for name, (kernel_size, stride, padding, filters) in ALEXNET.items():
        size = (size + 2 * padding - kernel_size) // stride + 1
        counted[name] = 0
        if filters is not None:
            counted[name] = sum(count_parameters(kernel_size, channels, filters, groups.get(name, 1)))
            channels = filters
    channels *= size * size
    for name, units in UNITS.items():
        counted[name] = sum(count_parameters(1, channels, units))
        channels = units
    return counted


parameters = table({})
all_parameters = {"one tower": sum(parameters.values())}
all_parameters["two towers"] = sum(table({"CONV2": 2, "CONV4": 2, "CONV5": 2}).values())

# %% question="count-parameters" wrong="not-flattened"
def count_parameters(kernel_size, channels, filters, groups=1):
    return kernel_size**2 * channels // groups * filters, filters


rows = {"CONV1": (11, 3, 96), "CONV2": (5, 96, 256), "CONV3": (3, 256, 384), "CONV4": (3, 384, 384)}
rows |= {"CONV5": (3, 384, 256), "FC6": (1, 256, 4096), "FC7": (1, 4096, 4096), "FC8": (1, 4096, 1000)}
parameters = {name: sum(count_parameters(*row)) for name, row in rows.items()}
all_parameters = {"one tower": sum(parameters.values())}
parameters |= dict.fromkeys(("POOL1", "NORM1", "POOL2", "NORM2", "POOL5"), 0)
groups = {"CONV2": 2, "CONV4": 2, "CONV5": 2}
all_parameters["two towers"] = sum(sum(count_parameters(*row, groups.get(name, 1))) for name, row in rows.items())

# %% question="count-parameters" wrong="towers-never-talk"
def count_parameters(kernel_size, channels, filters, groups=1):
    return kernel_size**2 * channels // groups * filters, filters


rows = {"CONV1": (11, 3, 96), "CONV2": (5, 96, 256), "CONV3": (3, 256, 384), "CONV4": (3, 384, 384)}
rows |= {"CONV5": (3, 384, 256), "FC6": (1, 6 * 6 * 256, 4096), "FC7": (1, 4096, 4096), "FC8": (1, 4096, 1000)}
parameters = {name: sum(count_parameters(*row)) for name, row in rows.items()}
all_parameters = {"one tower": sum(parameters.values())}
parameters |= dict.fromkeys(("POOL1", "NORM1", "POOL2", "NORM2", "POOL5"), 0)
groups = {"CONV2": 2, "CONV3": 2, "CONV4": 2, "CONV5": 2}
all_parameters["two towers"] = sum(sum(count_parameters(*row, groups.get(name, 1))) for name, row in rows.items())

# %% question="count-parameters" wrong="another-alexnet"
def count_parameters(kernel_size, channels, filters, groups=1):
    return kernel_size**2 * channels // groups * filters, filters


rows = {"CONV1": (11, 3, 96), "CONV2": (5, 96, 256), "CONV3": (3, 256, 384), "CONV4": (3, 384, 384)}
rows |= {"CONV5": (3, 384, 256), "FC6": (1, 6 * 6 * 256, 4096), "FC7": (1, 4096, 4096), "FC8": (1, 4096, 1000)}
parameters = {name: sum(count_parameters(*row)) for name, row in rows.items()}
all_parameters = {"one tower": sum(parameters.values())}
parameters |= dict.fromkeys(("POOL1", "NORM1", "POOL2", "NORM2", "POOL5"), 0)
groups = {"CONV2": 2, "CONV4": 2, "CONV5": 2}
all_parameters = {"one tower": 61_100_840, "two towers": 61_100_840}

# %% question="count-parameters" wrong="groups-ignored" name="in the sum only"
def count_parameters(kernel_size, channels, filters, groups=1):
    return kernel_size**2 * channels // groups * filters, filters


rows = {"CONV1": (11, 3, 96), "CONV2": (5, 96, 256), "CONV3": (3, 256, 384), "CONV4": (3, 384, 384)}
rows |= {"CONV5": (3, 384, 256), "FC6": (1, 6 * 6 * 256, 4096), "FC7": (1, 4096, 4096), "FC8": (1, 4096, 1000)}
parameters = {name: sum(count_parameters(*row)) for name, row in rows.items()}
all_parameters = {"one tower": sum(parameters.values())}
parameters |= dict.fromkeys(("POOL1", "NORM1", "POOL2", "NORM2", "POOL5"), 0)
groups = {}
all_parameters["two towers"] = sum(sum(count_parameters(*row, groups.get(name, 1))) for name, row in rows.items())

# %% question="count-parameters" right="group by group"
def count_parameters(kernel_size, channels, filters, groups=1):
    weights = 0
    for _ in range(groups):
        weights += (filters // groups) * (channels // groups) * kernel_size * kernel_size
    return weights, filters


rows = {"CONV1": (11, 3, 96), "CONV2": (5, 96, 256), "CONV3": (3, 256, 384), "CONV4": (3, 384, 384)}
rows |= {"CONV5": (3, 384, 256), "FC6": (1, 6 * 6 * 256, 4096), "FC7": (1, 4096, 4096), "FC8": (1, 4096, 1000)}
parameters = {name: sum(count_parameters(*row)) for name, row in rows.items()}
all_parameters = {"one tower": sum(parameters.values())}
parameters |= dict.fromkeys(("POOL1", "NORM1", "POOL2", "NORM2", "POOL5"), 0)
groups = {"CONV2": 2, "CONV4": 2, "CONV5": 2}
all_parameters["two towers"] = sum(sum(count_parameters(*row, groups.get(name, 1))) for name, row in rows.items())

# %% question="count-parameters" right="numbers, and a list"
def count_parameters(kernel_size, channels, filters, groups=1):
    return [np.prod([kernel_size, kernel_size, channels, filters]) // groups, np.array(filters)]


parameters = {"CONV1": 34_944, "POOL1": 0, "NORM1": 0, "CONV2": 614_656, "POOL2": 0, "NORM2": 0}
parameters |= {"CONV3": 885_120, "CONV4": 1_327_488, "CONV5": 884_992, "POOL5": 0}
parameters |= {"FC6": 37_752_832, "FC7": 16_781_312, "FC8": 4_097_000}
saved = (614_400 + 1_327_104 + 884_736) / 2
all_parameters = {"one tower": sum(parameters.values()), "two towers": sum(parameters.values()) - saved}

# %% question="count-parameters" right="read from Keras"
def count_parameters(kernel_size, channels, filters, groups=1):
    layer = layers.Conv2D(filters, kernel_size, groups=groups)
    layer.build((None, None, None, channels))
    weights, biases = (int(np.prod(w.shape)) for w in layer.weights)
    return weights, biases


convs = [(11, 3, 96, 1), (5, 96, 256, 2), (3, 256, 384, 1), (3, 384, 384, 2), (3, 384, 256, 2)]
dense = {"FC6": (9216 + 1) * 4096, "FC7": (4096 + 1) * 4096, "FC8": (4096 + 1) * 1000}
names = [name for name in ALEXNET if name.startswith("CONV")]
parameters = {name: sum(count_parameters(*row[:3])) for name, row in zip(names, convs)} | dense
all_parameters = {"one tower": sum(parameters.values())}
all_parameters["two towers"] = sum(sum(count_parameters(*row)) for row in convs) + sum(dense.values())
for name in ("POOL1", "NORM1", "POOL2", "NORM2", "POOL5"):
    parameters[name] = 0

# %% question="count-parameters" wrong="groups-twice"
def count_parameters(kernel_size, channels, filters, groups=1):
    return kernel_size**2 * (channels // groups) * (filters // groups), filters


rows = {"CONV1": (11, 3, 96), "CONV2": (5, 96, 256), "CONV3": (3, 256, 384), "CONV4": (3, 384, 384)}
rows |= {"CONV5": (3, 384, 256), "FC6": (1, 6 * 6 * 256, 4096), "FC7": (1, 4096, 4096), "FC8": (1, 4096, 1000)}
parameters = {name: sum(count_parameters(*row)) for name, row in rows.items()}
all_parameters = {"one tower": sum(parameters.values())}
parameters |= dict.fromkeys(("POOL1", "NORM1", "POOL2", "NORM2", "POOL5"), 0)
groups = {"CONV2": 2, "CONV4": 2, "CONV5": 2}
all_parameters["two towers"] = sum(sum(count_parameters(*row, groups.get(name, 1))) for name, row in rows.items())

# %% question="count-parameters" wrong="towers-doubled"
def count_parameters(kernel_size, channels, filters, groups=1):
    return kernel_size**2 * channels * filters // groups, filters


parameters = {"CONV1": 34_944, "POOL1": 0, "NORM1": 0, "CONV2": 614_656, "POOL2": 0, "NORM2": 0}
parameters |= {"CONV3": 885_120, "CONV4": 1_327_488, "CONV5": 884_992, "POOL5": 0}
parameters |= {"FC6": 37_752_832, "FC7": 16_781_312, "FC8": 4_097_000}
all_parameters = {"one tower": sum(parameters.values()), "two towers": 2 * sum(parameters.values())}

# %% question="count-parameters" right="a table in NumPy, FC6 as a convolution"
def count_parameters(kernel_size, channels, filters, groups=1):
    kernels = np.empty((groups, filters // groups, kernel_size, kernel_size, channels // groups), dtype=bool)
    return kernels.size, kernels.shape[0] * kernels.shape[1]


names = ["CONV1", "CONV2", "CONV3", "CONV4", "CONV5", "FC6", "FC7", "FC8"]
k, c, f, g = np.array(
    [[11, 3, 96, 1], [5, 96, 256, 2], [3, 256, 384, 1], [3, 384, 384, 2]]
    + [[3, 384, 256, 2], [6, 256, 4096, 1], [1, 4096, 4096, 1], [1, 4096, 1000, 1]]
).T
weights = k**2 * c * f
parameters = dict(zip(names, weights + f)) | dict.fromkeys("POOL1 NORM1 POOL2 NORM2 POOL5".split(), 0)
all_parameters = {"two towers": (weights // g + f).sum(), "one tower": (weights + f).sum()}

# %% question="count-macs" wrong="flops"
def count_macs(output_shape, kernel_size, channels, groups=1):
    return 2 * int(np.prod(output_shape)) * kernel_size**2 * (channels // groups)


reads = {"CONV1": ((55, 55, 96), 11, 3), "CONV2": ((27, 27, 256), 5, 96), "CONV3": ((13, 13, 384), 3, 256)}
reads |= {"CONV4": ((13, 13, 384), 3, 384), "CONV5": ((13, 13, 256), 3, 384)}
reads |= {"FC6": ((4096,), 1, 9216), "FC7": ((4096,), 1, 4096), "FC8": ((1000,), 1, 4096)}
halved = {"CONV2": 2, "CONV4": 2, "CONV5": 2}
all_macs = {"one tower": sum(count_macs(*layer) for layer in reads.values())}
all_macs["two towers"] = sum(count_macs(*layer, halved.get(name, 1)) for name, layer in reads.items())

# %% question="count-macs" wrong="biases-counted"
def count_macs(output_shape, kernel_size, channels, groups=1):
    return int(np.prod(output_shape)) * (kernel_size**2 * (channels // groups) + 1)


reads = {"CONV1": ((55, 55, 96), 11, 3), "CONV2": ((27, 27, 256), 5, 96), "CONV3": ((13, 13, 384), 3, 256)}
reads |= {"CONV4": ((13, 13, 384), 3, 384), "CONV5": ((13, 13, 256), 3, 384)}
reads |= {"FC6": ((4096,), 1, 9216), "FC7": ((4096,), 1, 4096), "FC8": ((1000,), 1, 4096)}
halved = {"CONV2": 2, "CONV4": 2, "CONV5": 2}
all_macs = {"one tower": sum(count_macs(*layer) for layer in reads.values())}
all_macs["two towers"] = sum(count_macs(*layer, halved.get(name, 1)) for name, layer in reads.items())

# %% question="count-macs" wrong="positions-ignored"
def count_macs(output_shape, kernel_size, channels, groups=1):
    return output_shape[-1] * kernel_size**2 * (channels // groups)


reads = {"CONV1": ((55, 55, 96), 11, 3), "CONV2": ((27, 27, 256), 5, 96), "CONV3": ((13, 13, 384), 3, 256)}
reads |= {"CONV4": ((13, 13, 384), 3, 384), "CONV5": ((13, 13, 256), 3, 384)}
reads |= {"FC6": ((4096,), 1, 9216), "FC7": ((4096,), 1, 4096), "FC8": ((1000,), 1, 4096)}
halved = {"CONV2": 2, "CONV4": 2, "CONV5": 2}
all_macs = {"one tower": sum(count_macs(*layer) for layer in reads.values())}
all_macs["two towers"] = sum(count_macs(*layer, halved.get(name, 1)) for name, layer in reads.items())

# %% question="count-macs" wrong="one-side-only"
def count_macs(output_shape, kernel_size, channels, groups=1):
    return output_shape[-1] * kernel_size**2 * (channels // groups) * (output_shape[1] if len(output_shape) > 1 else 1)


reads = {"CONV1": ((55, 55, 96), 11, 3), "CONV2": ((27, 27, 256), 5, 96), "CONV3": ((13, 13, 384), 3, 256)}
reads |= {"CONV4": ((13, 13, 384), 3, 384), "CONV5": ((13, 13, 256), 3, 384)}
reads |= {"FC6": ((4096,), 1, 9216), "FC7": ((4096,), 1, 4096), "FC8": ((1000,), 1, 4096)}
halved = {"CONV2": 2, "CONV4": 2, "CONV5": 2}
all_macs = {"one tower": sum(count_macs(*layer) for layer in reads.values())}
all_macs["two towers"] = sum(count_macs(*layer, halved.get(name, 1)) for name, layer in reads.items())

# %% question="count-macs" wrong="kernel-not-square"
def count_macs(output_shape, kernel_size, channels, groups=1):
    return int(np.prod(output_shape)) * kernel_size * (channels // groups)


reads = {"CONV1": ((55, 55, 96), 11, 3), "CONV2": ((27, 27, 256), 5, 96), "CONV3": ((13, 13, 384), 3, 256)}
reads |= {"CONV4": ((13, 13, 384), 3, 384), "CONV5": ((13, 13, 256), 3, 384)}
reads |= {"FC6": ((4096,), 1, 9216), "FC7": ((4096,), 1, 4096), "FC8": ((1000,), 1, 4096)}
halved = {"CONV2": 2, "CONV4": 2, "CONV5": 2}
all_macs = {"one tower": sum(count_macs(*layer) for layer in reads.values())}
all_macs["two towers"] = sum(count_macs(*layer, halved.get(name, 1)) for name, layer in reads.items())

# %% question="count-macs" wrong="channels-ignored"
def count_macs(output_shape, kernel_size, channels, groups=1):
    return int(np.prod(output_shape)) * kernel_size**2


reads = {"CONV1": ((55, 55, 96), 11, 3), "CONV2": ((27, 27, 256), 5, 96), "CONV3": ((13, 13, 384), 3, 256)}
reads |= {"CONV4": ((13, 13, 384), 3, 384), "CONV5": ((13, 13, 256), 3, 384)}
reads |= {"FC6": ((4096,), 1, 9216), "FC7": ((4096,), 1, 4096), "FC8": ((1000,), 1, 4096)}
halved = {"CONV2": 2, "CONV4": 2, "CONV5": 2}
all_macs = {"one tower": sum(count_macs(*layer) for layer in reads.values())}
all_macs["two towers"] = sum(count_macs(*layer, halved.get(name, 1)) for name, layer in reads.items())

# %% question="count-macs" wrong="own-channels"
def count_macs(output_shape, kernel_size, channels, groups=1):
    return int(np.prod(output_shape)) * kernel_size**2 * (output_shape[-1] // groups)


reads = {"CONV1": ((55, 55, 96), 11, 3), "CONV2": ((27, 27, 256), 5, 96), "CONV3": ((13, 13, 384), 3, 256)}
reads |= {"CONV4": ((13, 13, 384), 3, 384), "CONV5": ((13, 13, 256), 3, 384)}
reads |= {"FC6": ((4096,), 1, 9216), "FC7": ((4096,), 1, 4096), "FC8": ((1000,), 1, 4096)}
halved = {"CONV2": 2, "CONV4": 2, "CONV5": 2}
all_macs = {"one tower": sum(count_macs(*layer) for layer in reads.values())}
all_macs["two towers"] = sum(count_macs(*layer, halved.get(name, 1)) for name, layer in reads.items())

# %% question="count-macs" wrong="groups-ignored"
def count_macs(output_shape, kernel_size, channels, groups=1):
    return int(np.prod(output_shape)) * kernel_size**2 * channels


reads = {"CONV1": ((55, 55, 96), 11, 3), "CONV2": ((27, 27, 256), 5, 96), "CONV3": ((13, 13, 384), 3, 256)}
reads |= {"CONV4": ((13, 13, 384), 3, 384), "CONV5": ((13, 13, 256), 3, 384)}
reads |= {"FC6": ((4096,), 1, 9216), "FC7": ((4096,), 1, 4096), "FC8": ((1000,), 1, 4096)}
halved = {"CONV2": 2, "CONV4": 2, "CONV5": 2}
all_macs = {"one tower": sum(count_macs(*layer) for layer in reads.values())}
all_macs["two towers"] = sum(count_macs(*layer, halved.get(name, 1)) for name, layer in reads.items())

# %% question="count-macs" wrong="one-group-only"
def count_macs(output_shape, kernel_size, channels, groups=1):
    return int(np.prod(output_shape)) // groups * kernel_size**2 * (channels // groups)


reads = {"CONV1": ((55, 55, 96), 11, 3), "CONV2": ((27, 27, 256), 5, 96), "CONV3": ((13, 13, 384), 3, 256)}
reads |= {"CONV4": ((13, 13, 384), 3, 384), "CONV5": ((13, 13, 256), 3, 384)}
reads |= {"FC6": ((4096,), 1, 9216), "FC7": ((4096,), 1, 4096), "FC8": ((1000,), 1, 4096)}
halved = {"CONV2": 2, "CONV4": 2, "CONV5": 2}
all_macs = {"one tower": sum(count_macs(*layer) for layer in reads.values())}
all_macs["two towers"] = sum(count_macs(*layer, halved.get(name, 1)) for name, layer in reads.items())

# %% question="count-macs" wrong="groups-ignored" name="in the sum only"
def count_macs(output_shape, kernel_size, channels, groups=1):
    return int(np.prod(output_shape)) * kernel_size**2 * channels // groups


reads = {"CONV1": ((55, 55, 96), 11, 3), "CONV2": ((27, 27, 256), 5, 96), "CONV3": ((13, 13, 384), 3, 256)}
reads |= {"CONV4": ((13, 13, 384), 3, 384), "CONV5": ((13, 13, 256), 3, 384)}
reads |= {"FC6": ((4096,), 1, 9216), "FC7": ((4096,), 1, 4096), "FC8": ((1000,), 1, 4096)}
halved = {}
all_macs = {"one tower": sum(count_macs(*layer) for layer in reads.values())}
all_macs["two towers"] = sum(count_macs(*layer, halved.get(name, 1)) for name, layer in reads.items())

# %% question="count-macs" wrong="towers-never-talk"
def count_macs(output_shape, kernel_size, channels, groups=1):
    return int(np.prod(output_shape)) * kernel_size**2 * channels // groups


reads = {"CONV1": ((55, 55, 96), 11, 3), "CONV2": ((27, 27, 256), 5, 96), "CONV3": ((13, 13, 384), 3, 256)}
reads |= {"CONV4": ((13, 13, 384), 3, 384), "CONV5": ((13, 13, 256), 3, 384)}
reads |= {"FC6": ((4096,), 1, 9216), "FC7": ((4096,), 1, 4096), "FC8": ((1000,), 1, 4096)}
halved = {"CONV2": 2, "CONV3": 2, "CONV4": 2, "CONV5": 2}
all_macs = {"one tower": sum(count_macs(*layer) for layer in reads.values())}
all_macs["two towers"] = sum(count_macs(*layer, halved.get(name, 1)) for name, layer in reads.items())

# %% question="count-macs" right="weights times places"
def count_macs(output_shape, kernel_size, channels, groups=1):
    *sides, filters = output_shape
    macs = kernel_size * kernel_size * channels * filters / groups
    for side in sides:
        macs *= side
    return macs


reads = {"CONV1": ((55, 55, 96), 11, 3), "CONV2": ((27, 27, 256), 5, 96), "CONV3": ((13, 13, 384), 3, 256)}
reads |= {"CONV4": ((13, 13, 384), 3, 384), "CONV5": ((13, 13, 256), 3, 384)}
reads |= {"FC6": ((4096,), 1, 9216), "FC7": ((4096,), 1, 4096), "FC8": ((1000,), 1, 4096)}
halved = {"CONV2": 2, "CONV4": 2, "CONV5": 2}
all_macs = {"one tower": sum(count_macs(*layer) for layer in reads.values())}
all_macs["two towers"] = sum(count_macs(*layer, halved.get(name, 1)) for name, layer in reads.items())

# %% question="count-macs" right="numbers"
def count_macs(output_shape, kernel_size, channels, groups=1):
    print("counting", output_shape)
    height, width, filters = (1, 1, *output_shape)[-3:]
    return tf.constant(height * width * filters) * (kernel_size**2 * channels // groups)


all_macs = {"one tower": 1_135_256_096}
all_macs["two towers"] = all_macs["one tower"] - (447_897_600 + 224_280_576 + 149_520_384) // 2

# %% question="count-macs" right="fully connected apart"
def count_macs(output_shape, kernel_size, channels, groups=1):
    if len(output_shape) == 1:
        return np.int64(output_shape[0]) * channels // groups
    height, width, filters = output_shape
    return height * width * groups * (filters // groups) * (channels // groups) * kernel_size**2


convs = [([55, 55, 96], 11, 3, 1), ([27, 27, 256], 5, 96, 2), ([13, 13, 384], 3, 256, 1)]
convs += [([13, 13, 384], 3, 384, 2), ([13, 13, 256], 3, 384, 2), ([1, 1, 4096], 6, 256, 1)]
dense = count_macs([4096], 1, 4096) + count_macs([1000], 1, 4096)
all_macs = {"one tower": dense + sum(count_macs(shape, k, c) for shape, k, c, _ in convs)}
all_macs["two towers"] = dense + sum(count_macs(*conv) for conv in convs)

# %% question="neurons" wrong="after-pooling"
neurons = {"CONV1": 27 * 27 * 96, "CONV2": 13 * 13 * 256, "CONV3": 64_896, "CONV4": 64_896, "CONV5": 6 * 6 * 256}
neurons |= {"FC6": 4096, "FC7": 4096, "FC8": 1000}
misprinted = "CONV1"

# %% question="neurons" wrong="one-card"
neurons = {"CONV1": 55 * 55 * 48, "CONV2": 27 * 27 * 128, "CONV3": 13 * 13 * 192, "CONV4": 13 * 13 * 192, "CONV5": 13 * 13 * 128}
neurons |= {"FC6": 2048, "FC7": 2048, "FC8": 1000}
misprinted = "CONV1"

# %% question="neurons" wrong="one-map"
neurons = {"CONV1": 55**2, "CONV2": 27**2, "CONV3": 13**2, "CONV4": 13**2, "CONV5": 13**2}
neurons |= {"FC6": 4096, "FC7": 4096, "FC8": 1000}
misprinted = "CONV1"

# %% question="neurons" wrong="maps-counted"
neurons = {"CONV1": 96, "CONV2": 256, "CONV3": 384, "CONV4": 384, "CONV5": 256}
neurons |= {"FC6": 4096, "FC7": 4096, "FC8": 1000}
misprinted = "CONV1"

# %% question="neurons" wrong="weights-counted"
neurons = {"CONV1": 34_848, "CONV2": 614_400, "CONV3": 884_736, "CONV4": 884_736, "CONV5": 884_736}
neurons |= {"FC6": 4096, "FC7": 4096, "FC8": 1000}
misprinted = "CONV1"

# %% question="neurons" wrong="weights-counted" name="with biases"
neurons = {"CONV1": 34_944, "CONV2": 614_656, "CONV3": 885_120, "CONV4": 885_120, "CONV5": 884_992}
neurons |= {"FC6": 4096, "FC7": 4096, "FC8": 1000}
misprinted = "CONV1"

# %% question="neurons" wrong="input-counted"
neurons = {"CONV1": 290_400, "CONV2": 186_624, "CONV3": 64_896, "CONV4": 64_896, "CONV5": 43_264, "input": 227 * 227 * 3}
neurons |= {"FC6": 4096, "FC7": 4096, "FC8": 1000}
misprinted = "CONV1"

# %% question="neurons" wrong="another-layer"
neurons = {"CONV1": 290_400, "CONV2": 186_624, "CONV3": 64_896, "CONV4": 64_896, "CONV5": 43_264}
neurons |= {"FC6": 4096, "FC7": 4096, "FC8": 1000}
misprinted = "CONV5"

# %% question="neurons" wrong="the-papers-number"
neurons = {"CONV1": 253_440, "CONV2": 186_624, "CONV3": 64_896, "CONV4": 64_896, "CONV5": 43_264}
neurons |= {"FC6": 4096, "FC7": 4096, "FC8": 1000}
misprinted = "CONV1"

# %% question="neurons" wrong="the-papers-sum"
neurons = {"CONV1": 253_440, "CONV2": 186_624, "CONV3": 64_896, "CONV4": 64_896, "CONV5": 43_264}
neurons |= {"FC6": 4096, "FC7": 4096, "FC8": 1000}
misprinted = "CONV1"

# %% question="neurons" right="height × width × maps"
maps = {"CONV1": (55, 96), "CONV2": (27, 256), "CONV3": (13, 384), "CONV4": (13, 384), "CONV5": (13, 256)}
neurons = {name: n**2 * m for name, (n, m) in maps.items()} | UNITS
misprinted = next(name for name, n in neurons.items() if n not in (186_624, 64_896, 43_264, 4096, 1000))

# %% question="neurons" right="NumPy"
neurons = {"CONV1": np.prod((55, 55, 96)), "CONV2": np.prod((27, 27, 256)), "CONV3": np.prod((13, 13, 384))}
neurons |= {"CONV4": neurons["CONV3"], "CONV5": np.float64(43_264), "FC6": 4096.0, "FC7": 4096, "FC8": 1000}
misprinted = np.str_("CONV1")

# %% question="neurons" wrong="as-printed"
neurons = {"CONV1": 290_400, "CONV2": 186_624, "CONV3": 64_896, "CONV4": 64_896, "CONV5": 43_264}
neurons |= {"FC6": 4096, "FC7": 4096, "FC8": 1000}
misprinted = "CONV2"

# %% question="neurons" right="compared with the caption"
neurons, n = {}, 227
for name, (kernel_size, stride, padding, filters) in ALEXNET.items():
    n = (n + 2 * padding - kernel_size) // stride + 1
    if filters:
        neurons[name] = np.int64(n * n * filters)
neurons.update(UNITS)
printed = "253,440–186,624–64,896–64,896–43,264–4096–4096–1000".replace(",", "").split("–")
misprinted = [name for name, p in zip(neurons, printed) if neurons[name] != int(p)][0]

# %% question="lrn" wrong="window-from-one"
def normalise_responses(A, k=2, n=5, alpha=1e-4, beta=0.75):
    B = np.zeros_like(A)
    for i in range(A.shape[-1]):
        low, high = max(0, 1 - n // 2), i + n // 2 + 1
        S = (A[..., low:high] ** 2).sum(axis=-1)
        B[..., i] = A[..., i] / (k + alpha * S) ** beta
    return B

# %% question="lrn" wrong="alpha-divided"
def normalise_responses(A, k=2, n=5, alpha=1e-4, beta=0.75):
    alpha = alpha / n
    B = np.zeros_like(A)
    for i in range(A.shape[-1]):
        low, high = max(0, i - n // 2), i + n // 2 + 1
        S = (A[..., low:high] ** 2).sum(axis=-1)
        B[..., i] = A[..., i] / (k + alpha * S) ** beta
    return B

# %% question="lrn" wrong="last-map-missing"
def normalise_responses(A, k=2, n=5, alpha=1e-4, beta=0.75):
    B = np.zeros_like(A)
    for i in range(A.shape[-1]):
        low, high = max(0, i - n // 2), i + n // 2
        S = (A[..., low:high] ** 2).sum(axis=-1)
        B[..., i] = A[..., i] / (k + alpha * S) ** beta
    return B

# %% question="lrn" wrong="window-too-wide"
def normalise_responses(A, k=2, n=5, alpha=1e-4, beta=0.75):
    B = np.zeros_like(A)
    for i in range(A.shape[-1]):
        low, high = max(0, i - n), i + n + 1
        S = (A[..., low:high] ** 2).sum(axis=-1)
        B[..., i] = A[..., i] / (k + alpha * S) ** beta
    return B

# %% question="lrn" wrong="window-too-wide" name="half rounded up"
def normalise_responses(A, k=2, n=5, alpha=1e-4, beta=0.75):
    B = np.zeros_like(A)
    for i in range(A.shape[-1]):
        low, high = max(0, i - (n + 1) // 2), i + (n + 1) // 2 + 1
        S = (A[..., low:high] ** 2).sum(axis=-1)
        B[..., i] = A[..., i] / (k + alpha * S) ** beta
    return B

# %% question="lrn" wrong="own-map-only"
def normalise_responses(A, k=2, n=5, alpha=1e-4, beta=0.75):
    return A / (k + alpha * A**2) ** beta

# %% question="lrn" wrong="all-maps"
def normalise_responses(A, k=2, n=5, alpha=1e-4, beta=0.75):
    return A / (k + alpha * (A**2).sum(axis=-1, keepdims=True)) ** beta

# %% question="lrn" wrong="squares-missing"
def normalise_responses(A, k=2, n=5, alpha=1e-4, beta=0.75):
    B = np.zeros_like(A)
    for i in range(A.shape[-1]):
        low, high = max(0, i - n // 2), i + n // 2 + 1
        S = A[..., low:high].sum(axis=-1)
        B[..., i] = A[..., i] / (k + alpha * S) ** beta
    return B

# %% question="lrn" wrong="power-missing"
def normalise_responses(A, k=2, n=5, alpha=1e-4, beta=0.75):
    B = np.zeros_like(A)
    for i in range(A.shape[-1]):
        low, high = max(0, i - n // 2), i + n // 2 + 1
        S = (A[..., low:high] ** 2).sum(axis=-1)
        B[..., i] = A[..., i] / (k + alpha * S)
    return B

# %% question="lrn" wrong="multiplied"
def normalise_responses(A, k=2, n=5, alpha=1e-4, beta=0.75):
    B = np.zeros_like(A)
    for i in range(A.shape[-1]):
        low, high = max(0, i - n // 2), i + n // 2 + 1
        S = (A[..., low:high] ** 2).sum(axis=-1)
        B[..., i] = A[..., i] * (k + alpha * S) ** beta
    return B

# %% question="lrn" wrong="window-wraps"
def normalise_responses(A, k=2, n=5, alpha=1e-4, beta=0.75):
    S = sum(np.roll(A**2, shift, axis=-1) for shift in range(-(n // 2), n // 2 + 1))
    return A / (k + alpha * S) ** beta

# %% question="lrn" wrong="neighbouring-pixels"
def normalise_responses(A, k=2, n=5, alpha=1e-4, beta=0.75):
    S = np.zeros_like(A)
    for j in range(A.shape[2]):
        S[:, :, j] = (A[:, :, max(0, j - n // 2) : j + n // 2 + 1] ** 2).sum(axis=2)
    return A / (k + alpha * S) ** beta

# %% question="lrn" wrong="forbidden-library"
def normalise_responses(A, k=2, n=5, alpha=1e-4, beta=0.75):
    return tf.nn.local_response_normalization(A, n // 2, k, alpha, beta)

# %% question="lrn" right="one matrix product"
def normalise_responses(A, k=2, n=5, alpha=1e-4, beta=0.75):
    i = np.arange(A.shape[-1])
    near = abs(i[:, None] - i) <= n // 2
    return A / (k + alpha * (A**2 @ near)) ** beta

# %% question="lrn" right="shifted sums of the padded squares"
def normalise_responses(A, k=2, n=5, alpha=1e-4, beta=0.75):
    squares = np.pad(A**2, [(0, 0)] * 3 + [(n // 2, n // 2)])
    S = sum(squares[..., j : j + A.shape[-1]] for j in range(n))
    return A * (k + alpha * S) ** -beta

# %% question="lrn" right="running sums"
def normalise_responses(A, k=2, n=5, alpha=1e-4, beta=0.75):
    half, maps = n // 2, A.shape[-1]
    running = np.pad(np.cumsum(A**2, axis=-1), [(0, 0)] * 3 + [(1, 0)])
    high = np.minimum(np.arange(maps) + half + 1, maps)
    low = np.maximum(np.arange(maps) - half, 0)
    return A / np.power(k + alpha * (running[..., high] - running[..., low]), beta)

# %% question="lrn" right="every loop written out, float32"
def normalise_responses(A, k=2, n=5, alpha=1e-4, beta=0.75):
    A = A.astype("float32")
    B = A.copy()
    images, height, width, maps = A.shape
    for m in range(images):
        for x in range(height):
            for y in range(width):
                for i in range(maps):
                    total = 0
                    for j in range(max(0, i - n // 2), min(maps - 1, i + n // 2) + 1):
                        total += A[m, x, y, j] ** 2
                    B[m, x, y, i] = A[m, x, y, i] / (k + alpha * total) ** beta
    return B

# %% question="lrn" wrong="negative-start"
def normalise_responses(A, k=2, n=5, alpha=1e-4, beta=0.75):
    h = n // 2
    B = np.zeros(A.shape)
    for i in range(A.shape[-1]):
        B[..., i] = A[..., i] / (k + alpha * (A[..., i - h : i + h + 1] ** 2).sum(-1)) ** beta
    return B

# %% question="lrn" wrong="both-ends"
def normalise_responses(A, k=2, n=5, alpha=1e-4, beta=0.75):
    h = n // 2
    B = np.zeros(A.shape)
    for i in range(A.shape[-1]):
        B[..., i] = A[..., i] / (k + alpha * (A[..., i - h : i + h] ** 2).sum(-1)) ** beta
    return B

# %% question="lrn" wrong="end-left-out"
def normalise_responses(A, k=2, n=5, alpha=1e-4, beta=0.75):
    N, h = A.shape[-1], n // 2
    B = np.zeros(A.shape)
    for i in range(N):
        near = A[..., max(0, i - h) : min(N - 1, i + h)]
        B[..., i] = A[..., i] / (k + alpha * (near**2).sum(-1)) ** beta
    return B

# %% question="lrn" wrong="square-of-sum"
def normalise_responses(A, k=2, n=5, alpha=1e-4, beta=0.75):
    h = n // 2
    B = np.zeros(A.shape)
    for i in range(A.shape[-1]):
        B[..., i] = A[..., i] / (k + alpha * A[..., max(0, i - h) : i + h + 1].sum(-1) ** 2) ** beta
    return B

# %% question="lrn" wrong="in-place"
def normalise_responses(A, k=2, n=5, alpha=1e-4, beta=0.75):
    h = n // 2
    B = A.copy()
    for i in range(B.shape[-1]):
        B[..., i] = B[..., i] / (k + alpha * (B[..., max(0, i - h) : i + h + 1] ** 2).sum(-1)) ** beta
    return B

# %% question="lrn" wrong="places-mixed"
def normalise_responses(A, k=2, n=5, alpha=1e-4, beta=0.75):
    h = n // 2
    B = np.zeros(A.shape)
    for i in range(A.shape[-1]):
        B[..., i] = A[..., i] / (k + alpha * (A[..., max(0, i - h) : i + h + 1] ** 2).sum()) ** beta
    return B

# %% question="lrn" wrong="constants-ignored"
def normalise_responses(A, k=2, n=5, alpha=1e-4, beta=0.75):
    B = np.zeros(A.shape)
    for i in range(A.shape[-1]):
        B[..., i] = A[..., i] / (2 + 1e-4 * (A[..., max(0, i - 2) : i + 3] ** 2).sum(-1)) ** 0.75
    return B

# %% question="lrn" wrong="power-on-the-sum"
def normalise_responses(A, k=2, n=5, alpha=1e-4, beta=0.75):
    h = n // 2
    B = np.zeros(A.shape)
    for i in range(A.shape[-1]):
        B[..., i] = A[..., i] / (k + alpha * (A[..., max(0, i - h) : i + h + 1] ** 2).sum(-1) ** beta)
    return B

# %% question="max-pool" wrong="windows-touch"
def max_pool(X, size=3, stride=2):
    Z = np.empty((len(X), (X.shape[1] - size) // size + 1, (X.shape[2] - size) // size + 1, X.shape[3]))
    for i in range(Z.shape[1]):
        for j in range(Z.shape[2]):
            window = X[:, i * size : i * size + size, j * size : j * size + size]
            Z[:, i, j] = window.max(axis=(1, 2))
    return Z

# %% question="max-pool" wrong="window-too-small"
def max_pool(X, size=3, stride=2):
    Z = np.empty((len(X), (X.shape[1] - stride) // stride + 1, (X.shape[2] - stride) // stride + 1, X.shape[3]))
    for i in range(Z.shape[1]):
        for j in range(Z.shape[2]):
            window = X[:, i * stride : i * stride + stride, j * stride : j * stride + stride]
            Z[:, i, j] = window.max(axis=(1, 2))
    return Z

# %% question="max-pool" wrong="mean"
def max_pool(X, size=3, stride=2):
    Z = np.empty((len(X), (X.shape[1] - size) // stride + 1, (X.shape[2] - size) // stride + 1, X.shape[3]))
    for i in range(Z.shape[1]):
        for j in range(Z.shape[2]):
            window = X[:, i * stride : i * stride + size, j * stride : j * stride + size]
            Z[:, i, j] = window.mean(axis=(1, 2))
    return Z

# %% question="max-pool" wrong="stride-one"
def max_pool(X, size=3, stride=2):
    Z = np.empty((len(X), (X.shape[1] - size) // 1 + 1, (X.shape[2] - size) // 1 + 1, X.shape[3]))
    for i in range(Z.shape[1]):
        for j in range(Z.shape[2]):
            window = X[:, i * 1 : i * 1 + size, j * 1 : j * 1 + size]
            Z[:, i, j] = window.max(axis=(1, 2))
    return Z

# %% question="max-pool" wrong="last-missing"
def max_pool(X, size=3, stride=2):
    Z = np.empty((len(X), (X.shape[1] - size) // stride, (X.shape[2] - size) // stride, X.shape[3]))
    for i in range(Z.shape[1]):
        for j in range(Z.shape[2]):
            window = X[:, i * stride : i * stride + size, j * stride : j * stride + size]
            Z[:, i, j] = window.max(axis=(1, 2))
    return Z

# %% question="max-pool" wrong="hangs-over"
def max_pool(X, size=3, stride=2):
    Z = np.empty((len(X), -(-(X.shape[1] - size) // stride) + 1, -(-(X.shape[2] - size) // stride) + 1, X.shape[3]))
    for i in range(Z.shape[1]):
        for j in range(Z.shape[2]):
            window = X[:, i * stride : i * stride + size, j * stride : j * stride + size]
            Z[:, i, j] = window.max(axis=(1, 2))
    return Z

# %% question="max-pool" wrong="channels-mixed"
def max_pool(X, size=3, stride=2):
    Z = np.empty((len(X), (X.shape[1] - size) // stride + 1, (X.shape[2] - size) // stride + 1, X.shape[3]))
    for i in range(Z.shape[1]):
        for j in range(Z.shape[2]):
            window = X[:, i * stride : i * stride + size, j * stride : j * stride + size]
            Z[:, i, j] = window.max(axis=(1, 2, 3))[:, None]
    return Z

# %% question="max-pool" wrong="images-mixed"
def max_pool(X, size=3, stride=2):
    Z = np.empty((len(X), (X.shape[1] - size) // stride + 1, (X.shape[2] - size) // stride + 1, X.shape[3]))
    for i in range(Z.shape[1]):
        for j in range(Z.shape[2]):
            Z[:, i, j] = X[:, i * stride : i * stride + size, j * stride : j * stride + size].max()
    return Z

# %% question="max-pool" wrong="at-least-zero"
def max_pool(X, size=3, stride=2):
    Z = np.zeros((len(X), (X.shape[1] - size) // stride + 1, (X.shape[2] - size) // stride + 1, X.shape[3]))
    for i in range(Z.shape[1]):
        for j in range(Z.shape[2]):
            window = X[:, i * stride : i * stride + size, j * stride : j * stride + size]
            Z[:, i, j] = np.maximum(Z[:, i, j], window.max(axis=(1, 2)))
    return Z

# %% question="max-pool" wrong="largest-size"
def max_pool(X, size=3, stride=2):
    Z = np.empty((len(X), (X.shape[1] - size) // stride + 1, (X.shape[2] - size) // stride + 1, X.shape[3]))
    for i in range(Z.shape[1]):
        for j in range(Z.shape[2]):
            window = X[:, i * stride : i * stride + size, j * stride : j * stride + size]
            Z[:, i, j] = abs(window).max(axis=(1, 2))
    return Z

# %% question="max-pool" wrong="forbidden-library"
def max_pool(X, size=3, stride=2):
    return tf.nn.max_pool2d(X, size, stride, "VALID")

# %% question="max-pool" right="sliding windows"
def max_pool(X, size=3, stride=2):
    windows = np.lib.stride_tricks.sliding_window_view(X, (size, size), axis=(1, 2))
    return windows[:, ::stride, ::stride].max(axis=(-2, -1))

# %% question="max-pool" right="one pixel of the window at a time"
def max_pool(X, size=3, stride=2):
    rows = (X.shape[1] - size) // stride + 1
    columns = (X.shape[2] - size) // stride + 1
    Z = np.full((X.shape[0], rows, columns, X.shape[3]), -np.inf, "float32")
    for u in range(size):
        for v in range(size):
            part = X[:, u : u + rows * stride : stride, v : v + columns * stride : stride]
            Z = np.maximum(Z, part[:, :rows, :columns])
    return Z

# %% question="max-pool" wrong="left-over-refused"
def max_pool(X, size=3, stride=2):
    if (X.shape[1] - size) % stride or (X.shape[2] - size) % stride:
        raise ValueError("pixels left over")
    windows = np.lib.stride_tricks.sliding_window_view(X, (size, size), axis=(1, 2))
    return windows[:, ::stride, ::stride].max(axis=(-2, -1))

# %% question="max-pool" wrong="axes-exchanged"
def max_pool(X, size=3, stride=2):
    rows = []
    for i in range(0, X.shape[1] - size + 1, stride):
        starts = range(0, X.shape[2] - size + 1, stride)
        rows.append([X[:, i : i + size, j : j + size].max(axis=(1, 2)) for j in starts])
    return np.array(rows)

# %% question="max-pool" right="rows first, then columns"
def max_pool(X, size=3, stride=2):
    def along(Z, axis):
        starts = range(0, Z.shape[axis] - size + 1, stride)
        return np.stack([np.take(Z, range(s, s + size), axis).max(axis) for s in starts], axis)

    return along(along(X, 1), 2)

# %% question="two-towers" wrong="towers-crossed"
def convolve_in_two_towers(X, W, b):
    c, f = X.shape[-1] // 2, W.shape[-1] // 2
    first = tf.nn.conv2d(X[..., c:], W[..., :f], 1, "SAME")
    second = tf.nn.conv2d(X[..., :c], W[..., f:], 1, "SAME")
    return tf.concat([first, second], -1) + b


talk_across = ["CONV3", "FC6", "FC7", "FC8"]

# %% question="two-towers" wrong="towers-exchanged"
def convolve_in_two_towers(X, W, b):
    c, f = X.shape[-1] // 2, W.shape[-1] // 2
    first = tf.nn.conv2d(X[..., :c], W[..., :f], 1, "SAME")
    second = tf.nn.conv2d(X[..., c:], W[..., f:], 1, "SAME")
    return tf.concat([second, first], -1) + b


talk_across = ["CONV3", "FC6", "FC7", "FC8"]

# %% question="two-towers" wrong="same-maps-twice"
def convolve_in_two_towers(X, W, b):
    c, f = X.shape[-1] // 2, W.shape[-1] // 2
    first = tf.nn.conv2d(X[..., :c], W[..., :f], 1, "SAME")
    second = tf.nn.conv2d(X[..., :c], W[..., f:], 1, "SAME")
    return tf.concat([first, second], -1) + b


talk_across = ["CONV3", "FC6", "FC7", "FC8"]

# %% question="two-towers" wrong="towers-added"
def convolve_in_two_towers(X, W, b):
    c, f = X.shape[-1] // 2, W.shape[-1] // 2
    first = tf.nn.conv2d(X[..., :c], W[..., :f], 1, "SAME")
    second = tf.nn.conv2d(X[..., c:], W[..., f:], 1, "SAME")
    return first + second + b[:f]


talk_across = ["CONV3", "FC6", "FC7", "FC8"]

# %% question="two-towers" wrong="every-other-map"
def convolve_in_two_towers(X, W, b):
    c, f = X.shape[-1] // 2, W.shape[-1] // 2
    first = tf.nn.conv2d(X[..., ::2], W[..., :f], 1, "SAME")
    second = tf.nn.conv2d(X[..., 1::2], W[..., f:], 1, "SAME")
    return tf.concat([first, second], -1) + b


talk_across = ["CONV3", "FC6", "FC7", "FC8"]

# %% question="two-towers" wrong="no-bias"
def convolve_in_two_towers(X, W, b):
    c, f = X.shape[-1] // 2, W.shape[-1] // 2
    first = tf.nn.conv2d(X[..., :c], W[..., :f], 1, "SAME")
    second = tf.nn.conv2d(X[..., c:], W[..., f:], 1, "SAME")
    return tf.concat([first, second], -1)


talk_across = ["CONV3", "FC6", "FC7", "FC8"]

# %% question="two-towers" wrong="valid-padding"
def convolve_in_two_towers(X, W, b):
    c, f = X.shape[-1] // 2, W.shape[-1] // 2
    first = tf.nn.conv2d(X[..., :c], W[..., :f], 1, "VALID")
    second = tf.nn.conv2d(X[..., c:], W[..., f:], 1, "VALID")
    return tf.concat([first, second], -1) + b


talk_across = ["CONV3", "FC6", "FC7", "FC8"]

# %% question="two-towers" wrong="wrong-axis"
def convolve_in_two_towers(X, W, b):
    c, f = X.shape[-1] // 2, W.shape[-1] // 2
    first = tf.nn.conv2d(X[..., :c], W[..., :f], 1, "SAME")
    second = tf.nn.conv2d(X[..., c:], W[..., f:], 1, "SAME")
    return tf.concat([first + b[:f], second + b[f:]], 2)


talk_across = ["CONV3", "FC6", "FC7", "FC8"]

# %% question="two-towers" wrong="wrong-axis" name="along the rows, the bias afterwards"
def convolve_in_two_towers(X, W, b):
    c, f = X.shape[-1] // 2, W.shape[-1] // 2
    first = tf.nn.conv2d(X[..., :c], W[..., :f], 1, "SAME")
    second = tf.nn.conv2d(X[..., c:], W[..., f:], 1, "SAME")
    return tf.concat([first, second], 1) + b


talk_across = ["CONV3", "FC6", "FC7", "FC8"]

# %% question="two-towers" wrong="image-is-no-map"
def convolve_in_two_towers(X, W, b):
    c, f = X.shape[-1] // 2, W.shape[-1] // 2
    first = tf.nn.conv2d(X[..., :c], W[..., :f], 1, "SAME")
    second = tf.nn.conv2d(X[..., c:], W[..., f:], 1, "SAME")
    return tf.concat([first, second], -1) + b


talk_across = ["CONV1", "CONV3", "FC6", "FC7", "FC8"]

# %% question="two-towers" wrong="kept-apart"
def convolve_in_two_towers(X, W, b):
    c, f = X.shape[-1] // 2, W.shape[-1] // 2
    first = tf.nn.conv2d(X[..., :c], W[..., :f], 1, "SAME")
    second = tf.nn.conv2d(X[..., c:], W[..., f:], 1, "SAME")
    return tf.concat([first, second], -1) + b


talk_across = ["CONV2", "CONV4", "CONV5"]

# %% question="two-towers" wrong="dense-forgotten"
def convolve_in_two_towers(X, W, b):
    c, f = X.shape[-1] // 2, W.shape[-1] // 2
    first = tf.nn.conv2d(X[..., :c], W[..., :f], 1, "SAME")
    second = tf.nn.conv2d(X[..., c:], W[..., f:], 1, "SAME")
    return tf.concat([first, second], -1) + b


talk_across = ["CONV3"]

# %% question="two-towers" wrong="conv3-forgotten"
def convolve_in_two_towers(X, W, b):
    c, f = X.shape[-1] // 2, W.shape[-1] // 2
    first = tf.nn.conv2d(X[..., :c], W[..., :f], 1, "SAME")
    second = tf.nn.conv2d(X[..., c:], W[..., f:], 1, "SAME")
    return tf.concat([first, second], -1) + b


talk_across = ["FC6", "FC7", "FC8"]

# %% question="two-towers" right="Keras's groups"
def convolve_in_two_towers(X, W, b):
    layer = layers.Conv2D(W.shape[-1], W.shape[0], padding="same", groups=2)
    layer.build(X.shape)
    layer.set_weights([W, b])
    return layer(X)


talk_across = {"FC8", "FC7", "FC6", "CONV3"}

# %% question="two-towers" right="NumPy, tower by tower"
def convolve_in_two_towers(X, W, b):
    k, c, f = W.shape[0], X.shape[-1] // 2, W.shape[-1] // 2
    padded = np.pad(X, [(0, 0), (k // 2, k // 2), (k // 2, k // 2), (0, 0)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, (k, k), axis=(1, 2))
    maps = []
    for tower in (0, 1):
        own = windows[:, :, :, tower * c : (tower + 1) * c]
        maps.append(np.einsum("nijcuv,uvcf->nijf", own, W[..., tower * f : (tower + 1) * f]))
    return np.concatenate(maps, axis=-1) + b


talk_across = ("CONV3", "FC6", "FC7", "FC8")

# %% question="two-towers" right="kernels with zeros across"
def convolve_in_two_towers(X, W, b):
    zeros = np.zeros_like(W[..., : W.shape[-1] // 2])
    first, second = np.split(W, 2, axis=-1)
    whole = np.concatenate([np.concatenate([first, zeros], 2), np.concatenate([zeros, second], 2)], 3)
    return tf.nn.bias_add(tf.nn.conv2d(X, whole, 1, "SAME"), b)


talk_across = [name for name in ("CONV3", *UNITS)]

# %% question="two-towers" wrong="every-other-filter"
def convolve_in_two_towers(X, W, b):
    c = X.shape[-1] // 2
    Y = np.zeros((*X.shape[:3], W.shape[-1]), "float32")
    Y[..., ::2] = tf.nn.conv2d(X[..., :c], W[..., ::2], 1, "SAME")
    Y[..., 1::2] = tf.nn.conv2d(X[..., c:], W[..., 1::2], 1, "SAME")
    return Y + b


talk_across = ["CONV3", "FC6", "FC7", "FC8"]

# %% question="two-towers" right="TensorFlow sees from the shapes that there are two"
def convolve_in_two_towers(X, W, b):
    return tf.nn.bias_add(tf.nn.conv2d(X, W, strides=1, padding="SAME"), b).numpy()


talk_across = ("FC8", "FC7", "FC6", "CONV3")

# %% question="build-alexnet" wrong="output-scaled"
def build_alexnet(width=1.0, towers=1):
    stack = [keras.Input((227, 227, 3))]
    for name, (kernel_size, stride, padding, filters) in ALEXNET.items():
        if filters:
            groups = towers if name in ("CONV2", "CONV4", "CONV5") else 1
            pad = "same" if padding else "valid"
            filters = int(width * filters)
            stack.append(layers.Conv2D(filters, kernel_size, stride, pad, groups=groups, activation="relu"))
        else:
            stack.append(layers.MaxPooling2D(kernel_size, stride))
    stack.append(layers.Flatten())
    for _ in ("FC6", "FC7"):
        stack.append(layers.Dense(int(width * 4096), activation="relu"))
    stack.append(layers.Dense(int(width * 1000)))
    return keras.Sequential(stack)

# %% question="build-alexnet" wrong="not-flattened"
def build_alexnet(width=1.0, towers=1):
    stack = [keras.Input((227, 227, 3))]
    for name, (kernel_size, stride, padding, filters) in ALEXNET.items():
        if filters:
            groups = towers if name in ("CONV2", "CONV4", "CONV5") else 1
            pad = "same" if padding else "valid"
            filters = int(width * filters)
            stack.append(layers.Conv2D(filters, kernel_size, stride, pad, groups=groups, activation="relu"))
        else:
            stack.append(layers.MaxPooling2D(kernel_size, stride))
    for _ in ("FC6", "FC7"):
        stack.append(layers.Dense(int(width * 4096), activation="relu"))
    stack.append(layers.Dense(1000))
    return keras.Sequential(stack)

# %% question="build-alexnet" wrong="padding-forgotten"
def build_alexnet(width=1.0, towers=1):
    stack = [keras.Input((227, 227, 3))]
    for name, (kernel_size, stride, padding, filters) in ALEXNET.items():
        if filters:
            groups = towers if name in ("CONV2", "CONV4", "CONV5") else 1
            pad = "valid"
            filters = int(width * filters)
            stack.append(layers.Conv2D(filters, kernel_size, stride, pad, groups=groups, activation="relu"))
        else:
            stack.append(layers.MaxPooling2D(kernel_size, stride))
    stack.append(layers.Flatten())
    for _ in ("FC6", "FC7"):
        stack.append(layers.Dense(int(width * 4096), activation="relu"))
    stack.append(layers.Dense(1000))
    return keras.Sequential(stack)

# %% question="build-alexnet" wrong="first-padded"
def build_alexnet(width=1.0, towers=1):
    stack = [keras.Input((227, 227, 3))]
    for name, (kernel_size, stride, padding, filters) in ALEXNET.items():
        if filters:
            groups = towers if name in ("CONV2", "CONV4", "CONV5") else 1
            pad = "same"
            filters = int(width * filters)
            stack.append(layers.Conv2D(filters, kernel_size, stride, pad, groups=groups, activation="relu"))
        else:
            stack.append(layers.MaxPooling2D(kernel_size, stride))
    stack.append(layers.Flatten())
    for _ in ("FC6", "FC7"):
        stack.append(layers.Dense(int(width * 4096), activation="relu"))
    stack.append(layers.Dense(1000))
    return keras.Sequential(stack)

# %% question="build-alexnet" wrong="pooling-padded"
def build_alexnet(width=1.0, towers=1):
    stack = [keras.Input((227, 227, 3))]
    for name, (kernel_size, stride, padding, filters) in ALEXNET.items():
        if filters:
            groups = towers if name in ("CONV2", "CONV4", "CONV5") else 1
            pad = "same" if padding else "valid"
            filters = int(width * filters)
            stack.append(layers.Conv2D(filters, kernel_size, stride, pad, groups=groups, activation="relu"))
        else:
            stack.append(layers.MaxPooling2D(kernel_size, stride, padding="same"))
    stack.append(layers.Flatten())
    for _ in ("FC6", "FC7"):
        stack.append(layers.Dense(int(width * 4096), activation="relu"))
    stack.append(layers.Dense(1000))
    return keras.Sequential(stack)

# %% question="build-alexnet" right="functional, in a loop, dropout left in"
def build_alexnet(width=1.0, towers=1):
    inputs = keras.Input((227, 227, 3))
    x = inputs
    for name, (kernel_size, stride, padding, filters) in ALEXNET.items():
        if filters is None:
            x = layers.MaxPooling2D(kernel_size, strides=stride)(x)
            continue
        groups = towers if name in ("CONV2", "CONV4", "CONV5") else 1
        pad = "same" if padding > 0 else "valid"
        convolution = layers.Conv2D(int(filters * width), kernel_size, strides=stride, padding=pad, groups=groups)
        x = layers.Activation("relu")(convolution(x))
    x = layers.Flatten()(x)
    for name in ("FC6", "FC7"):
        x = layers.Dropout(0.5)(layers.Dense(int(UNITS[name] * width), activation="relu")(x))
    return keras.Model(inputs, layers.Dense(UNITS["FC8"])(x))

# %% question="build-alexnet" wrong="input-of-224"
def build_alexnet(width=1.0, towers=1):
    stack = [keras.Input((224, 224, 3))]
    for name, (kernel_size, stride, padding, filters) in ALEXNET.items():
        if filters:
            groups = towers if name in ("CONV2", "CONV4", "CONV5") else 1
            pad = "same" if padding else "valid"
            filters = int(width * filters)
            stack.append(layers.Conv2D(filters, kernel_size, stride, pad, groups=groups, activation="relu"))
        else:
            stack.append(layers.MaxPooling2D(kernel_size, stride))
    stack.append(layers.Flatten())
    for _ in ("FC6", "FC7"):
        stack.append(layers.Dense(int(width * 4096), activation="relu"))
    stack.append(layers.Dense(1000))
    return keras.Sequential(stack)

# %% question="build-alexnet" wrong="dense-layer-missing"
def build_alexnet(width=1.0, towers=1):
    stack = [keras.Input((227, 227, 3))]
    for name, (kernel_size, stride, padding, filters) in ALEXNET.items():
        if filters:
            groups = towers if name in ("CONV2", "CONV4", "CONV5") else 1
            pad = "same" if padding else "valid"
            filters = int(width * filters)
            stack.append(layers.Conv2D(filters, kernel_size, stride, pad, groups=groups, activation="relu"))
        else:
            stack.append(layers.MaxPooling2D(kernel_size, stride))
    stack.append(layers.Flatten())
    for _ in ("FC6",):
        stack.append(layers.Dense(int(width * 4096), activation="relu"))
    stack.append(layers.Dense(1000))
    return keras.Sequential(stack)

# %% question="build-alexnet" wrong="no-bias"
def build_alexnet(width=1.0, towers=1):
    stack = [keras.Input((227, 227, 3))]
    for name, (kernel_size, stride, padding, filters) in ALEXNET.items():
        if filters:
            groups = towers if name in ("CONV2", "CONV4", "CONV5") else 1
            pad = "same" if padding else "valid"
            filters = int(width * filters)
            stack.append(layers.Conv2D(filters, kernel_size, stride, pad, groups=groups, activation="relu", use_bias=False))
        else:
            stack.append(layers.MaxPooling2D(kernel_size, stride))
    stack.append(layers.Flatten())
    for _ in ("FC6", "FC7"):
        stack.append(layers.Dense(int(width * 4096), activation="relu", use_bias=False))
    stack.append(layers.Dense(1000, use_bias=False))
    return keras.Sequential(stack)

# %% question="build-alexnet" wrong="groups-forgotten"
def build_alexnet(width=1.0, towers=1):
    stack = [keras.Input((227, 227, 3))]
    for name, (kernel_size, stride, padding, filters) in ALEXNET.items():
        if filters:
            groups = 1
            pad = "same" if padding else "valid"
            filters = int(width * filters)
            stack.append(layers.Conv2D(filters, kernel_size, stride, pad, groups=groups, activation="relu"))
        else:
            stack.append(layers.MaxPooling2D(kernel_size, stride))
    stack.append(layers.Flatten())
    for _ in ("FC6", "FC7"):
        stack.append(layers.Dense(int(width * 4096), activation="relu"))
    stack.append(layers.Dense(1000))
    return keras.Sequential(stack)

# %% question="build-alexnet" wrong="towers-never-talk"
def build_alexnet(width=1.0, towers=1):
    stack = [keras.Input((227, 227, 3))]
    for name, (kernel_size, stride, padding, filters) in ALEXNET.items():
        if filters:
            groups = towers if name != "CONV1" else 1
            pad = "same" if padding else "valid"
            filters = int(width * filters)
            stack.append(layers.Conv2D(filters, kernel_size, stride, pad, groups=groups, activation="relu"))
        else:
            stack.append(layers.MaxPooling2D(kernel_size, stride))
    stack.append(layers.Flatten())
    for _ in ("FC6", "FC7"):
        stack.append(layers.Dense(int(width * 4096), activation="relu"))
    stack.append(layers.Dense(1000))
    return keras.Sequential(stack)

# %% question="build-alexnet" wrong="width-ignored"
def build_alexnet(width=1.0, towers=1):
    stack = [keras.Input((227, 227, 3))]
    for name, (kernel_size, stride, padding, filters) in ALEXNET.items():
        if filters:
            groups = towers if name in ("CONV2", "CONV4", "CONV5") else 1
            pad = "same" if padding else "valid"
            filters = int(1 / 8 * filters)
            stack.append(layers.Conv2D(filters, kernel_size, stride, pad, groups=groups, activation="relu"))
        else:
            stack.append(layers.MaxPooling2D(kernel_size, stride))
    stack.append(layers.Flatten())
    for _ in ("FC6", "FC7"):
        stack.append(layers.Dense(int(1 / 8 * 4096), activation="relu"))
    stack.append(layers.Dense(1000))
    return keras.Sequential(stack)

# %% question="build-alexnet" wrong="windows-touch"
def build_alexnet(width=1.0, towers=1):
    stack = [keras.Input((227, 227, 3))]
    for name, (kernel_size, stride, padding, filters) in ALEXNET.items():
        if filters:
            groups = towers if name in ("CONV2", "CONV4", "CONV5") else 1
            pad = "same" if padding else "valid"
            filters = int(width * filters)
            stack.append(layers.Conv2D(filters, kernel_size, stride, pad, groups=groups, activation="relu"))
        else:
            stack.append(layers.MaxPooling2D(2))
    stack.append(layers.Flatten())
    for _ in ("FC6", "FC7"):
        stack.append(layers.Dense(int(width * 4096), activation="relu"))
    stack.append(layers.Dense(1000))
    return keras.Sequential(stack)

# %% question="build-alexnet" wrong="average-pooling"
def build_alexnet(width=1.0, towers=1):
    stack = [keras.Input((227, 227, 3))]
    for name, (kernel_size, stride, padding, filters) in ALEXNET.items():
        if filters:
            groups = towers if name in ("CONV2", "CONV4", "CONV5") else 1
            pad = "same" if padding else "valid"
            filters = int(width * filters)
            stack.append(layers.Conv2D(filters, kernel_size, stride, pad, groups=groups, activation="relu"))
        else:
            stack.append(layers.AveragePooling2D(kernel_size, stride))
    stack.append(layers.Flatten())
    for _ in ("FC6", "FC7"):
        stack.append(layers.Dense(int(width * 4096), activation="relu"))
    stack.append(layers.Dense(1000))
    return keras.Sequential(stack)

# %% question="build-alexnet" wrong="no-activation"
def build_alexnet(width=1.0, towers=1):
    stack = [keras.Input((227, 227, 3))]
    for name, (kernel_size, stride, padding, filters) in ALEXNET.items():
        if filters:
            groups = towers if name in ("CONV2", "CONV4", "CONV5") else 1
            pad = "same" if padding else "valid"
            filters = int(width * filters)
            stack.append(layers.Conv2D(filters, kernel_size, stride, pad, groups=groups))
        else:
            stack.append(layers.MaxPooling2D(kernel_size, stride))
    stack.append(layers.Flatten())
    for _ in ("FC6", "FC7"):
        stack.append(layers.Dense(int(width * 4096)))
    stack.append(layers.Dense(1000))
    return keras.Sequential(stack)

# %% question="build-alexnet" wrong="relu-missing"
def build_alexnet(width=1.0, towers=1):
    stack = [keras.Input((227, 227, 3))]
    for name, (kernel_size, stride, padding, filters) in ALEXNET.items():
        if filters:
            groups = towers if name in ("CONV2", "CONV4", "CONV5") else 1
            pad = "same" if padding else "valid"
            filters = int(width * filters)
            stack.append(layers.Conv2D(filters, kernel_size, stride, pad, groups=groups, activation="relu"))
        else:
            stack.append(layers.MaxPooling2D(kernel_size, stride))
    stack.append(layers.Flatten())
    for _ in ("FC6", "FC7"):
        stack.append(layers.Dense(int(width * 4096)))
    stack.append(layers.Dense(1000))
    return keras.Sequential(stack)

# %% question="build-alexnet" wrong="not-relu"
def build_alexnet(width=1.0, towers=1):
    stack = [keras.Input((227, 227, 3))]
    for name, (kernel_size, stride, padding, filters) in ALEXNET.items():
        if filters:
            groups = towers if name in ("CONV2", "CONV4", "CONV5") else 1
            pad = "same" if padding else "valid"
            filters = int(width * filters)
            stack.append(layers.Conv2D(filters, kernel_size, stride, pad, groups=groups, activation="tanh"))
        else:
            stack.append(layers.MaxPooling2D(kernel_size, stride))
    stack.append(layers.Flatten())
    for _ in ("FC6", "FC7"):
        stack.append(layers.Dense(int(width * 4096), activation="tanh"))
    stack.append(layers.Dense(1000))
    return keras.Sequential(stack)

# %% question="build-alexnet" wrong="softmax-output"
def build_alexnet(width=1.0, towers=1):
    stack = [keras.Input((227, 227, 3))]
    for name, (kernel_size, stride, padding, filters) in ALEXNET.items():
        if filters:
            groups = towers if name in ("CONV2", "CONV4", "CONV5") else 1
            pad = "same" if padding else "valid"
            filters = int(width * filters)
            stack.append(layers.Conv2D(filters, kernel_size, stride, pad, groups=groups, activation="relu"))
        else:
            stack.append(layers.MaxPooling2D(kernel_size, stride))
    stack.append(layers.Flatten())
    for _ in ("FC6", "FC7"):
        stack.append(layers.Dense(int(width * 4096), activation="relu"))
    stack.append(layers.Dense(1000, activation="softmax"))
    return keras.Sequential(stack)

# %% question="build-alexnet" wrong="softmax-output" name="as a layer"
def build_alexnet(width=1.0, towers=1):
    stack = [keras.Input((227, 227, 3))]
    for name, (kernel_size, stride, padding, filters) in ALEXNET.items():
        if filters:
            groups = towers if name in ("CONV2", "CONV4", "CONV5") else 1
            pad = "same" if padding else "valid"
            filters = int(width * filters)
            stack.append(layers.Conv2D(filters, kernel_size, stride, pad, groups=groups, activation="relu"))
        else:
            stack.append(layers.MaxPooling2D(kernel_size, stride))
    stack.append(layers.Flatten())
    for _ in ("FC6", "FC7"):
        stack.append(layers.Dense(int(width * 4096), activation="relu"))
    stack.append(layers.Dense(1000))
    stack.append(layers.Softmax())
    return keras.Sequential(stack)

# %% question="build-alexnet" wrong="relu-output"
def build_alexnet(width=1.0, towers=1):
    stack = [keras.Input((227, 227, 3))]
    for name, (kernel_size, stride, padding, filters) in ALEXNET.items():
        if filters:
            groups = towers if name in ("CONV2", "CONV4", "CONV5") else 1
            pad = "same" if padding else "valid"
            filters = int(width * filters)
            stack.append(layers.Conv2D(filters, kernel_size, stride, pad, groups=groups, activation="relu"))
        else:
            stack.append(layers.MaxPooling2D(kernel_size, stride))
    stack.append(layers.Flatten())
    for _ in ("FC6", "FC7"):
        stack.append(layers.Dense(int(width * 4096), activation="relu"))
    stack.append(layers.Dense(1000, activation="relu"))
    return keras.Sequential(stack)

# %% question="build-alexnet" right="functional, layer by layer"
def build_alexnet(width=1.0, towers=1):
    def conv(x, filters, kernel_size, **settings):
        x = layers.Conv2D(int(filters * width), kernel_size, **settings)(x)
        return layers.ReLU()(x)

    image = keras.Input((227, 227, 3), name="image")
    x = conv(image, 96, (11, 11), strides=(4, 4))
    x = layers.MaxPool2D((3, 3), strides=(2, 2))(x)
    x = conv(x, 256, 5, padding="same", groups=towers)
    x = layers.MaxPool2D(3, strides=2)(x)
    x = conv(x, 384, 3, padding="same")
    x = conv(x, 384, 3, padding="same", groups=towers)
    x = conv(x, 256, 3, padding="same", groups=towers)
    x = layers.MaxPool2D(3, strides=2)(x)
    x = layers.Flatten()(x)
    for _ in range(2):
        x = layers.Dense(int(4096 * width), activation=keras.activations.relu)(x)
        x = layers.Dropout(0.5)(x)
    return keras.Model(image, layers.Dense(1000, activation="linear")(x))

# %% question="build-alexnet" right="padded by layers of their own, dense layers as they are"
def build_alexnet(width=1.0, towers=1):
    w = lambda n: round(n * width)
    stack = [keras.Input((227, 227, 3)), layers.Rescaling(1 / 255)]
    stack += [layers.Conv2D(w(96), 11, 4), layers.Activation("relu"), layers.MaxPooling2D(3, 2)]
    stack += [layers.ZeroPadding2D(2), layers.Conv2D(w(256), 5, groups=towers), layers.Activation("relu")]
    stack += [layers.MaxPooling2D(3, 2)]
    for filters, groups in [(384, 1), (384, towers), (256, towers)]:
        stack += [layers.ZeroPadding2D(1), layers.Conv2D(w(filters), 3, groups=groups), layers.Activation("relu")]
    stack += [layers.MaxPooling2D(3, 2), layers.Reshape((-1,))]
    stack += [layers.Dense(w(4096), "relu"), layers.Dense(w(4096), tf.nn.relu), layers.Dense(1000)]
    return keras.Sequential(stack)

# %% question="build-alexnet" wrong="stride-of-three"
def build_alexnet(width=1.0, towers=1):
    stack = [keras.Input((227, 227, 3))]
    for name, (kernel_size, stride, padding, filters) in ALEXNET.items():
        if filters:
            groups = towers if name in ("CONV2", "CONV4", "CONV5") else 1
            pad = "same" if padding else "valid"
            filters = int(width * filters)
            stack.append(layers.Conv2D(filters, kernel_size, stride, pad, groups=groups, activation="relu"))
        else:
            stack.append(layers.MaxPooling2D(3))
    stack.append(layers.Flatten())
    for _ in ("FC6", "FC7"):
        stack.append(layers.Dense(int(width * 4096), activation="relu"))
    stack.append(layers.Dense(1000))
    return keras.Sequential(stack)

# %% question="build-alexnet" wrong="branches"
def build_alexnet(width=1.0, towers=1):
    def conv(x, filters, kernel_size):
        filters = int(filters * width) // towers
        parts = [layers.Conv2D(filters, kernel_size, padding="same", activation="relu")(p) for p in split(x)]
        return layers.Concatenate()(parts) if towers == 2 else parts[0]

    def split(x):
        half = x.shape[-1] // 2
        return [x[..., :half], x[..., half:]] if towers == 2 else [x]

    image = keras.Input((227, 227, 3))
    x = layers.Conv2D(int(96 * width), 11, 4, activation="relu")(image)
    x = conv(layers.MaxPooling2D(3, 2)(x), 256, 5)
    x = layers.MaxPooling2D(3, 2)(x)
    x = layers.Conv2D(int(384 * width), 3, padding="same", activation="relu")(x)
    x = layers.MaxPooling2D(3, 2)(conv(conv(x, 384, 3), 256, 3))
    x = layers.Flatten()(x)
    for _ in ("FC6", "FC7"):
        x = layers.Dense(int(width * 4096), activation="relu")(x)
    return keras.Model(image, layers.Dense(1000)(x))

# %% question="build-alexnet" wrong="groups-always"
def build_alexnet(width=1.0, towers=1):
    stack = [keras.Input((227, 227, 3))]
    for name, (kernel_size, stride, padding, filters) in ALEXNET.items():
        if filters:
            groups = 2 if name in ("CONV2", "CONV4", "CONV5") else 1
            pad = "same" if padding else "valid"
            filters = int(width * filters)
            stack.append(layers.Conv2D(filters, kernel_size, stride, pad, groups=groups, activation="relu"))
        else:
            stack.append(layers.MaxPooling2D(kernel_size, stride))
    stack.append(layers.Flatten())
    for _ in ("FC6", "FC7"):
        stack.append(layers.Dense(int(width * 4096), activation="relu"))
    stack.append(layers.Dense(1000))
    return keras.Sequential(stack)

# %% question="build-alexnet" right="added one by one, FC6 as a convolution, CONV1's ReLU after its pooling"
def build_alexnet(width=1.0, towers=1):
    model = keras.Sequential([keras.Input((227, 227, 3))])
    model.add(layers.Conv2D(int(96 * width), (11, 11), (4, 4)))
    model.add(layers.MaxPooling2D((3, 3), (2, 2)))
    model.add(layers.Activation("relu"))
    model.add(layers.ZeroPadding2D(2))
    model.add(layers.Conv2D(int(256 * width), 5, groups=towers, activation="relu"))
    model.add(layers.MaxPooling2D((3, 3), (2, 2)))
    for filters, groups in ((384, 1), (384, towers), (256, towers)):
        model.add(layers.Conv2D(int(filters * width), 3, padding="same", groups=groups, activation="relu"))
    model.add(layers.MaxPooling2D((3, 3), (2, 2)))
    model.add(layers.Conv2D(int(4096 * width), 6, activation=keras.activations.relu))
    model.add(layers.Reshape((-1,)))
    model.add(layers.Dense(int(4096 * width), activation=tf.nn.relu))
    model.add(layers.Dense(1000))
    model.summary()
    return model

# %% question="top-k-error" wrong="accuracy"
def top_k_error(scores, y, k=5):
    guesses = np.argsort(scores, axis=1)[:, -k:]
    return 100 * np.mean((guesses == y[:, None]).any(axis=1))

# %% question="top-k-error" wrong="share"
def top_k_error(scores, y, k=5):
    guesses = np.argsort(scores, axis=1)[:, -k:]
    return np.mean(~(guesses == y[:, None]).any(axis=1))

# %% question="top-k-error" wrong="worst-k"
def top_k_error(scores, y, k=5):
    guesses = np.argsort(scores, axis=1)[:, :k]
    return 100 * np.mean(~(guesses == y[:, None]).any(axis=1))

# %% question="top-k-error" wrong="kth-only"
def top_k_error(scores, y, k=5):
    guesses = np.argsort(scores, axis=1)[:, -k]
    return 100 * np.mean(guesses != y)

# %% question="top-k-error" wrong="one-guess"
def top_k_error(scores, y, k=5):
    return 100 * np.mean(scores.argmax(axis=1) != y)

# %% question="top-k-error" wrong="best-left-out"
def top_k_error(scores, y, k=5):
    guesses = np.argsort(scores, axis=1)[:, -k:-1]
    return 100 * np.mean(~(guesses == y[:, None]).any(axis=1))

# %% question="top-k-error" wrong="divided-by-k"
def top_k_error(scores, y, k=5):
    guesses = np.argsort(scores, axis=1)[:, -k:]
    return 100 * (1 - np.mean(guesses == y[:, None]))

# %% question="top-k-error" wrong="forbidden-library"
def top_k_error(scores, y, k=5):
    return 100 * (1 - np.mean(tf.math.in_top_k(y, tf.cast(scores, tf.float32), k)))

# %% question="top-k-error" right="how many are better"
def top_k_error(scores, y, k=5):
    own = scores[np.arange(len(y)), y]
    better = (scores > own[:, None]).sum(axis=1)
    return 100 * (better >= k).mean()

# %% question="top-k-error" right="partition"
def top_k_error(scores, y, k=5):
    guesses = np.argpartition(-scores, k - 1, axis=1)[:, :k]
    return np.float32(100 * np.mean([label not in row for label, row in zip(y, guesses)]))

# %% question="top-k-error" right="image by image"
def top_k_error(scores, y, k=5):
    misses = 0
    for row, label in zip(scores, y):
        ranked = sorted(range(len(row)), key=lambda c: row[c], reverse=True)
        if label not in ranked[:k]:
            misses += 1
    return misses / len(y) * 100

# %% question="top-k-error" wrong="one-too-many"
def top_k_error(scores, y, k=5):
    rank = (scores > scores[np.arange(len(y)), y][:, None]).sum(1)
    return 100 * np.mean(rank > k)

# %% question="top-k-error" wrong="always-five"
def top_k_error(scores, y, k=5):
    best = np.argsort(scores, axis=1)[:, -5:]
    return 100 * (1 - (best == y[:, None]).any(1).mean())

# %% question="top-k-error" wrong="wrong-axis"
def top_k_error(scores, y, k=5):
    best = np.argsort(scores, axis=0)[:, ::-1][:, :k]
    return 100 * (1 - (best == y[:, None]).any(1).mean())

# %% question="top-k-error" wrong="any-image"
def top_k_error(scores, y, k=5):
    best = np.argsort(scores, axis=1)[:, -k:]
    return 100 * (1 - np.isin(y, best).mean())

# %% question="top-k-error" wrong="scores-not-classes"
def top_k_error(scores, y, k=5):
    best = np.sort(scores, axis=1)[:, -k:]
    return 100 * (1 - (best == y[:, None]).any(1).mean())
