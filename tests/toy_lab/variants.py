# %% question="output-size" wrong="no-plus-one"
def output_size(n, kernel_size):
    return n - kernel_size


# %% question="output-size" right="by counting"
def output_size(n, kernel_size):
    return sum(1 for start in range(n) if start + kernel_size <= n)


# %% question="biases" wrong="one-a-weight"
biases = 150

# %% question="biases" right="computed"
biases = np.array(2 * 3)


# %% question="softmax" wrong="overflow"
def softmax(z):
    e = np.exp(z)
    return e / e.sum(axis=1, keepdims=True)


# %% question="softmax" right="through logarithms"
def softmax(z):
    return np.exp(z - np.logaddexp.reduce(z, axis=1)[:, None])
