# %% [markdown]
# Wrong and other right answers to every question of lab 04. Each cell replaces one whole answer cell.

# %% question="sgd" wrong="uphill"
def sgd_step(w, grad, learning_rate):
    return w + learning_rate * grad

# %% question="sgd" wrong="rate-forgotten"
def sgd_step(w, grad, learning_rate):
    return w - grad

# %% question="sgd" wrong="step-only"
def sgd_step(w, grad, learning_rate):
    return -learning_rate * grad

# %% question="sgd" wrong="changed-in-place"
def sgd_step(w, grad, learning_rate):
    w -= learning_rate * grad
    return w

# %% question="sgd" wrong="length-one"
def sgd_step(w, grad, learning_rate):
    return w - learning_rate * grad / np.linalg.norm(grad)

# %% question="sgd" wrong="sign-only"
def sgd_step(w, grad, learning_rate):
    return w - learning_rate * np.sign(grad)

# %% question="sgd" wrong="rate-divides"
def sgd_step(w, grad, learning_rate):
    return w - grad / learning_rate

# %% question="sgd" wrong="averaged-over-weights"
def sgd_step(w, grad, learning_rate):
    return w - learning_rate * grad.mean()

# %% question="sgd" right="number by number"
def sgd_step(w, grad, learning_rate):
    new = np.empty_like(w)
    for i in np.ndindex(w.shape):
        new[i] = w[i] - learning_rate * grad[i]
    return new

# %% question="sgd" right="in place on a copy, single precision"
def sgd_step(w, grad, learning_rate):
    w = np.array(w, dtype=np.float32)
    w -= np.float32(learning_rate) * grad.astype(np.float32)
    return w

# %% question="sgd" right="as a list"
def sgd_step(w, grad, learning_rate):
    return np.add(w, np.multiply(-learning_rate, grad)).tolist()

# %% question="momentum" wrong="uphill" name="as the lecture prints it"
def momentum_step(w, v, grad, learning_rate, momentum=0.9):
    v = momentum * v - learning_rate * grad
    return w - v, v


def momentum_step_outside(w, u, grad, learning_rate, momentum=0.9):
    u = momentum * u + grad
    return w - learning_rate * u, u


def carry_over(u, learning_rate, new_learning_rate):
    return u * learning_rate / new_learning_rate

# %% question="momentum" wrong="gradient-added"
def momentum_step(w, v, grad, learning_rate, momentum=0.9):
    v = momentum * v + learning_rate * grad
    return w + v, v


def momentum_step_outside(w, u, grad, learning_rate, momentum=0.9):
    u = momentum * u + grad
    return w - learning_rate * u, u


def carry_over(u, learning_rate, new_learning_rate):
    return u * learning_rate / new_learning_rate

# %% question="momentum" wrong="velocity-reversed"
def momentum_step(w, v, grad, learning_rate, momentum=0.9):
    v = momentum * v + learning_rate * grad
    return w - v, v


def momentum_step_outside(w, u, grad, learning_rate, momentum=0.9):
    u = momentum * u + grad
    return w - learning_rate * u, u


def carry_over(u, learning_rate, new_learning_rate):
    return u * learning_rate / new_learning_rate

# %% question="momentum" wrong="old-velocity"
def momentum_step(w, v, grad, learning_rate, momentum=0.9):
    return w + v, momentum * v - learning_rate * grad


def momentum_step_outside(w, u, grad, learning_rate, momentum=0.9):
    u = momentum * u + grad
    return w - learning_rate * u, u


def carry_over(u, learning_rate, new_learning_rate):
    return u * learning_rate / new_learning_rate

# %% question="momentum" wrong="velocity-forgotten"
def momentum_step(w, v, grad, learning_rate, momentum=0.9):
    v = -learning_rate * grad
    return w + v, v


def momentum_step_outside(w, u, grad, learning_rate, momentum=0.9):
    u = momentum * u + grad
    return w - learning_rate * u, u


def carry_over(u, learning_rate, new_learning_rate):
    return u * learning_rate / new_learning_rate

# %% question="momentum" wrong="single-precision"
def momentum_step(w, v, grad, learning_rate, momentum=0.9):
    v = np.float32(momentum * v - learning_rate * grad)
    return np.float32(w) + v, v


def momentum_step_outside(w, u, grad, learning_rate, momentum=0.9):
    u = momentum * u + grad
    return w - learning_rate * u, u


def carry_over(u, learning_rate, new_learning_rate):
    return u * learning_rate / new_learning_rate

# %% question="momentum" wrong="uphill" name="outside"
def momentum_step(w, v, grad, learning_rate, momentum=0.9):
    v = momentum * v - learning_rate * grad
    return w + v, v


def momentum_step_outside(w, u, grad, learning_rate, momentum=0.9):
    u = momentum * u + grad
    return w + learning_rate * u, u


def carry_over(u, learning_rate, new_learning_rate):
    return u * learning_rate / new_learning_rate

# %% question="momentum" wrong="rate-twice"
def momentum_step(w, v, grad, learning_rate, momentum=0.9):
    v = momentum * v - learning_rate * grad
    return w + v, v


def momentum_step_outside(w, u, grad, learning_rate, momentum=0.9):
    u = momentum * u + learning_rate * grad
    return w - learning_rate * u, u


def carry_over(u, learning_rate, new_learning_rate):
    return u * learning_rate / new_learning_rate

# %% question="momentum" wrong="averaged"
def momentum_step(w, v, grad, learning_rate, momentum=0.9):
    v = momentum * v - learning_rate * grad
    return w + v, v


def momentum_step_outside(w, u, grad, learning_rate, momentum=0.9):
    u = momentum * u + (1 - momentum) * grad
    return w - learning_rate * u, u


def carry_over(u, learning_rate, new_learning_rate):
    return u * learning_rate / new_learning_rate

# %% question="momentum" wrong="forms-swapped"
def momentum_step(w, v, grad, learning_rate, momentum=0.9):
    v = momentum * v - learning_rate * grad
    return w + v, v


def momentum_step_outside(w, u, grad, learning_rate, momentum=0.9):
    u = momentum * u - learning_rate * grad
    return w + u, u


def carry_over(u, learning_rate, new_learning_rate):
    return u * learning_rate / new_learning_rate

# %% question="momentum" wrong="old-velocity" name="outside, the old u"
def momentum_step(w, v, grad, learning_rate, momentum=0.9):
    v = momentum * v - learning_rate * grad
    return w + v, v


def momentum_step_outside(w, u, grad, learning_rate, momentum=0.9):
    return w - learning_rate * u, momentum * u + grad


def carry_over(u, learning_rate, new_learning_rate):
    return u * learning_rate / new_learning_rate

# %% question="momentum" wrong="velocity-forgotten" name="outside, no memory"
def momentum_step(w, v, grad, learning_rate, momentum=0.9):
    v = momentum * v - learning_rate * grad
    return w + v, v


def momentum_step_outside(w, u, grad, learning_rate, momentum=0.9):
    return w - learning_rate * grad, grad


def carry_over(u, learning_rate, new_learning_rate):
    return u * learning_rate / new_learning_rate

# %% question="momentum" wrong="left-as-it-is"
def momentum_step(w, v, grad, learning_rate, momentum=0.9):
    v = momentum * v - learning_rate * grad
    return w + v, v


def momentum_step_outside(w, u, grad, learning_rate, momentum=0.9):
    u = momentum * u + grad
    return w - learning_rate * u, u


def carry_over(u, learning_rate, new_learning_rate):
    return u

# %% question="momentum" wrong="ratio-inverted"
def momentum_step(w, v, grad, learning_rate, momentum=0.9):
    v = momentum * v - learning_rate * grad
    return w + v, v


def momentum_step_outside(w, u, grad, learning_rate, momentum=0.9):
    u = momentum * u + grad
    return w - learning_rate * u, u


def carry_over(u, learning_rate, new_learning_rate):
    return u * new_learning_rate / learning_rate

# %% question="momentum" wrong="turned-into-velocity"
def momentum_step(w, v, grad, learning_rate, momentum=0.9):
    v = momentum * v - learning_rate * grad
    return w + v, v


def momentum_step_outside(w, u, grad, learning_rate, momentum=0.9):
    u = momentum * u + grad
    return w - learning_rate * u, u


def carry_over(u, learning_rate, new_learning_rate):
    return -learning_rate * u

# %% question="momentum" wrong="velocity-negated"
def momentum_step(w, v, grad, learning_rate, momentum=0.9):
    v = learning_rate * grad - momentum * v
    return w - v, v


def momentum_step_outside(w, u, grad, learning_rate, momentum=0.9):
    u = momentum * u + grad
    return w - learning_rate * u, u


def carry_over(u, learning_rate, new_learning_rate):
    return u * learning_rate / new_learning_rate

# %% question="momentum" wrong="momentum-written-in"
def momentum_step(w, v, grad, learning_rate, momentum=0.9):
    v = 0.9 * v - learning_rate * grad
    return w + v, v


def momentum_step_outside(w, u, grad, learning_rate, momentum=0.9):
    u = momentum * u + grad
    return w - learning_rate * u, u


def carry_over(u, learning_rate, new_learning_rate):
    return u * learning_rate / new_learning_rate

# %% question="momentum" wrong="averaged" name="inside, a mean"
def momentum_step(w, v, grad, learning_rate, momentum=0.9):
    v = momentum * v - (1 - momentum) * learning_rate * grad
    return w + v, v


def momentum_step_outside(w, u, grad, learning_rate, momentum=0.9):
    u = momentum * u + grad
    return w - learning_rate * u, u


def carry_over(u, learning_rate, new_learning_rate):
    return u * learning_rate / new_learning_rate

# %% question="momentum" wrong="always-ten"
def momentum_step(w, v, grad, learning_rate, momentum=0.9):
    v = momentum * v - learning_rate * grad
    return w + v, v


def momentum_step_outside(w, u, grad, learning_rate, momentum=0.9):
    u = momentum * u + grad
    return w - learning_rate * u, u


def carry_over(u, learning_rate, new_learning_rate):
    return 10 * u

# %% question="momentum" right="Polyak's two points"
def momentum_step(w, v, grad, learning_rate, momentum=0.9):
    last = w - v
    new = w - learning_rate * grad + momentum * (w - last)
    return new, momentum * v - learning_rate * grad


def momentum_step_outside(w, u, grad, learning_rate, momentum=0.9):
    w, u = w.copy(), u.copy()
    u *= momentum
    u += grad
    w -= learning_rate * u
    return w, u


def carry_over(u, learning_rate, new_learning_rate):
    return np.asarray(u) * (learning_rate / new_learning_rate)

# %% question="momentum" right="lists of numbers"
def momentum_step(w, v, grad, learning_rate, momentum=0.9):
    v = [momentum * a - learning_rate * g for a, g in zip(v, grad)]
    return [a + b for a, b in zip(w, v)], v


def momentum_step_outside(w, u, grad, learning_rate, momentum=0.9):
    u = [momentum * a + g for a, g in zip(u, grad)]
    return [a - learning_rate * b for a, b in zip(w, u)], u


def carry_over(u, learning_rate, new_learning_rate):
    velocity = [-learning_rate * a for a in u]
    return [-a / new_learning_rate for a in velocity]

# %% question="momentum" right="the difference of the weights, a matrix"
def momentum_step(w, v, grad, learning_rate, momentum=0.9):
    new = w + momentum * v - learning_rate * grad
    return [new, new - w]


def momentum_step_outside(w, u, grad, learning_rate, momentum=0.9):
    M = np.array([[1, -learning_rate * momentum, -learning_rate], [0, momentum, 1]])
    return M @ np.stack([w, u, grad])


def carry_over(u, learning_rate, new_learning_rate):
    return u * learning_rate / new_learning_rate

# %% question="nesterov" wrong="uphill"
def nesterov_step(x, v, A, learning_rate, momentum=0.9):
    u = momentum * v
    v = u - learning_rate * A @ (x - u)
    return x - v, v


def nesterov_tilde_step(x_tilde, v, grad, learning_rate, momentum=0.9):
    new = momentum * v - learning_rate * grad
    return x_tilde - momentum * v + (1 + momentum) * new, new


def from_tilde(x_tilde, v, momentum=0.9):
    return x_tilde - momentum * v

# %% question="nesterov" wrong="looks-back"
def nesterov_step(x, v, A, learning_rate, momentum=0.9):
    u = momentum * v
    v = u - learning_rate * A @ (x - u)
    return x + v, v


def nesterov_tilde_step(x_tilde, v, grad, learning_rate, momentum=0.9):
    new = momentum * v - learning_rate * grad
    return x_tilde - momentum * v + (1 + momentum) * new, new


def from_tilde(x_tilde, v, momentum=0.9):
    return x_tilde - momentum * v

# %% question="nesterov" wrong="no-look-ahead"
def nesterov_step(x, v, A, learning_rate, momentum=0.9):
    v = momentum * v - learning_rate * A @ x
    return x + v, v


def nesterov_tilde_step(x_tilde, v, grad, learning_rate, momentum=0.9):
    new = momentum * v - learning_rate * grad
    return x_tilde - momentum * v + (1 + momentum) * new, new


def from_tilde(x_tilde, v, momentum=0.9):
    return x_tilde - momentum * v

# %% question="nesterov" wrong="too-far-ahead"
def nesterov_step(x, v, A, learning_rate, momentum=0.9):
    v = momentum * v - learning_rate * A @ (x + v)
    return x + v, v


def nesterov_tilde_step(x_tilde, v, grad, learning_rate, momentum=0.9):
    new = momentum * v - learning_rate * grad
    return x_tilde - momentum * v + (1 + momentum) * new, new


def from_tilde(x_tilde, v, momentum=0.9):
    return x_tilde - momentum * v

# %% question="nesterov" wrong="plain-momentum"
def nesterov_step(x, v, A, learning_rate, momentum=0.9):
    v = momentum * v - learning_rate * A @ (x + momentum * v)
    return x + v, v


def nesterov_tilde_step(x_tilde, v, grad, learning_rate, momentum=0.9):
    v = momentum * v - learning_rate * grad
    return x_tilde + v, v


def from_tilde(x_tilde, v, momentum=0.9):
    return x_tilde - momentum * v

# %% question="nesterov" wrong="plain-momentum" name="the old velocity overwritten"
def nesterov_step(x, v, A, learning_rate, momentum=0.9):
    v = momentum * v - learning_rate * A @ (x + momentum * v)
    return x + v, v


def nesterov_tilde_step(x_tilde, v, grad, learning_rate, momentum=0.9):
    old_v = v
    v = momentum * v - learning_rate * grad
    old_v = v
    return x_tilde - momentum * old_v + (1 + momentum) * v, v


def from_tilde(x_tilde, v, momentum=0.9):
    return x_tilde - momentum * v

# %% question="nesterov" wrong="old-velocity-missing"
def nesterov_step(x, v, A, learning_rate, momentum=0.9):
    v = momentum * v - learning_rate * A @ (x + momentum * v)
    return x + v, v


def nesterov_tilde_step(x_tilde, v, grad, learning_rate, momentum=0.9):
    v = momentum * v - learning_rate * grad
    return x_tilde + (1 + momentum) * v, v


def from_tilde(x_tilde, v, momentum=0.9):
    return x_tilde - momentum * v

# %% question="nesterov" wrong="old-velocity-added"
def nesterov_step(x, v, A, learning_rate, momentum=0.9):
    v = momentum * v - learning_rate * A @ (x + momentum * v)
    return x + v, v


def nesterov_tilde_step(x_tilde, v, grad, learning_rate, momentum=0.9):
    new = momentum * v - learning_rate * grad
    return x_tilde + momentum * v + (1 + momentum) * new, new


def from_tilde(x_tilde, v, momentum=0.9):
    return x_tilde - momentum * v

# %% question="nesterov" wrong="further-ahead"
def nesterov_step(x, v, A, learning_rate, momentum=0.9):
    v = momentum * v - learning_rate * A @ (x + momentum * v)
    return x + v, v


def nesterov_tilde_step(x_tilde, v, grad, learning_rate, momentum=0.9):
    new = momentum * v - learning_rate * grad
    return x_tilde - momentum * v + (1 + momentum) * new, new


def from_tilde(x_tilde, v, momentum=0.9):
    return x_tilde + momentum * v

# %% question="nesterov" wrong="not-mapped"
def nesterov_step(x, v, A, learning_rate, momentum=0.9):
    v = momentum * v - learning_rate * A @ (x + momentum * v)
    return x + v, v


def nesterov_tilde_step(x_tilde, v, grad, learning_rate, momentum=0.9):
    new = momentum * v - learning_rate * grad
    return x_tilde - momentum * v + (1 + momentum) * new, new


def from_tilde(x_tilde, v, momentum=0.9):
    return x_tilde

# %% question="nesterov" wrong="whole-velocity"
def nesterov_step(x, v, A, learning_rate, momentum=0.9):
    v = momentum * v - learning_rate * A @ (x + momentum * v)
    return x + v, v


def nesterov_tilde_step(x_tilde, v, grad, learning_rate, momentum=0.9):
    new = momentum * v - learning_rate * grad
    return x_tilde - momentum * v + (1 + momentum) * new, new


def from_tilde(x_tilde, v, momentum=0.9):
    return x_tilde - v

# %% question="nesterov" wrong="single-precision"
def nesterov_step(x, v, A, learning_rate, momentum=0.9):
    x, v = np.float32(x), np.float32(v)
    v = np.float32(momentum) * v - np.float32(learning_rate) * np.float32(A) @ (x + np.float32(momentum) * v)
    return x + v, v


def nesterov_tilde_step(x_tilde, v, grad, learning_rate, momentum=0.9):
    new = momentum * v - learning_rate * grad
    return x_tilde - momentum * v + (1 + momentum) * new, new


def from_tilde(x_tilde, v, momentum=0.9):
    return x_tilde - momentum * v

# %% question="nesterov" wrong="subtracted"
def nesterov_step(x, v, A, learning_rate, momentum=0.9):
    u = momentum * v
    v = u + learning_rate * A @ (x - u)
    return x - v, v


def nesterov_tilde_step(x_tilde, v, grad, learning_rate, momentum=0.9):
    new = momentum * v - learning_rate * grad
    return x_tilde - momentum * v + (1 + momentum) * new, new


def from_tilde(x_tilde, v, momentum=0.9):
    return x_tilde - momentum * v

# %% question="nesterov" wrong="from-ahead"
def nesterov_step(x, v, A, learning_rate, momentum=0.9):
    ahead = x + momentum * v
    v = momentum * v - learning_rate * A @ ahead
    return ahead + v, v


def nesterov_tilde_step(x_tilde, v, grad, learning_rate, momentum=0.9):
    new = momentum * v - learning_rate * grad
    return x_tilde - momentum * v + (1 + momentum) * new, new


def from_tilde(x_tilde, v, momentum=0.9):
    return x_tilde - momentum * v

# %% question="nesterov" wrong="diagonal-only"
def nesterov_step(x, v, A, learning_rate, momentum=0.9):
    v = momentum * v - learning_rate * np.diag(A) * (x + momentum * v)
    return x + v, v


def nesterov_tilde_step(x_tilde, v, grad, learning_rate, momentum=0.9):
    new = momentum * v - learning_rate * grad
    return x_tilde - momentum * v + (1 + momentum) * new, new


def from_tilde(x_tilde, v, momentum=0.9):
    return x_tilde - momentum * v

# %% question="nesterov" right="as Keras writes it"
def nesterov_step(x, v, A, learning_rate, momentum=0.9):
    ahead = np.add(x, momentum * v)
    slope = np.einsum("ij,j->i", A, ahead)
    new_v = momentum * v - learning_rate * slope
    return [x + new_v, new_v]


def nesterov_tilde_step(x_tilde, v, grad, learning_rate, momentum=0.9):
    v = momentum * v - learning_rate * grad
    return x_tilde + momentum * v - learning_rate * grad, v


def from_tilde(x_tilde, v, momentum=0.9):
    return np.subtract(x_tilde, np.multiply(momentum, v))

# %% question="nesterov" right="there and back"
def nesterov_step(x, v, A, learning_rate, momentum=0.9):
    step = -learning_rate * A.dot(x + momentum * v)
    v = v.copy()
    v *= momentum
    v += step
    return x + v, v


def nesterov_tilde_step(x_tilde, v, grad, learning_rate, momentum=0.9):
    x = x_tilde - momentum * v
    v = momentum * v - learning_rate * grad
    x = x + v
    return x + momentum * v, v


def from_tilde(x_tilde, v, momentum=0.9):
    return x_tilde + -momentum * v

# %% question="nesterov" right="each through the other"
def from_tilde(x_tilde, v, momentum=0.9):
    return np.asarray(x_tilde) - np.asarray(v) * momentum


def nesterov_tilde_step(x_tilde, v, grad, learning_rate, momentum=0.9):
    x = from_tilde(x_tilde, v, momentum)
    v = momentum * v - learning_rate * grad
    x = x + v
    return x + momentum * v, v


def nesterov_step(x, v, A, learning_rate, momentum=0.9):
    ahead = x + momentum * v
    ahead, v = nesterov_tilde_step(ahead, v, A @ ahead, learning_rate, momentum)
    return from_tilde(ahead, v, momentum), v

# %% question="adagrad" wrong="uphill"
def adagrad_step(w, G, grad, learning_rate, epsilon=1e-7):
    G = G + grad**2
    return w + learning_rate * grad / (np.sqrt(G) + epsilon), G

# %% question="adagrad" wrong="not-squared"
def adagrad_step(w, G, grad, learning_rate, epsilon=1e-7):
    G = G + abs(grad)
    return w - learning_rate * grad / (np.sqrt(G) + epsilon), G

# %% question="adagrad" wrong="root-missing"
def adagrad_step(w, G, grad, learning_rate, epsilon=1e-7):
    G = G + grad**2
    return w - learning_rate * grad / (G + epsilon), G

# %% question="adagrad" wrong="old-tally"
def adagrad_step(w, G, grad, learning_rate, epsilon=1e-7):
    return w - learning_rate * grad / (np.sqrt(G) + epsilon), G + grad**2

# %% question="adagrad" wrong="tally-replaced"
def adagrad_step(w, G, grad, learning_rate, epsilon=1e-7):
    G = grad**2
    return w - learning_rate * grad / (np.sqrt(G) + epsilon), G

# %% question="adagrad" wrong="averaged"
def adagrad_step(w, G, grad, learning_rate, epsilon=1e-7):
    G = (G + grad**2) / 2
    return w - learning_rate * grad / (np.sqrt(G) + epsilon), G

# %% question="adagrad" wrong="one-tally"
def adagrad_step(w, G, grad, learning_rate, epsilon=1e-7):
    G = G + np.sum(grad**2)
    return w - learning_rate * grad / (np.sqrt(G) + epsilon), G

# %% question="adagrad" wrong="epsilon-inside-root"
def adagrad_step(w, G, grad, learning_rate, epsilon=1e-7):
    G = G + grad**2
    return w - learning_rate * grad / np.sqrt(G + epsilon), G

# %% question="adagrad" wrong="epsilon-forgotten"
def adagrad_step(w, G, grad, learning_rate, epsilon=1e-7):
    G = G + grad**2
    return w - learning_rate * grad / np.sqrt(G), G

# %% question="adagrad" wrong="root-kept"
def adagrad_step(w, G, grad, learning_rate, epsilon=1e-7):
    G = np.sqrt(G + grad**2)
    return w - learning_rate * grad / (G + epsilon), G

# %% question="adagrad" wrong="gradient-forgotten"
def adagrad_step(w, G, grad, learning_rate, epsilon=1e-7):
    G = G + grad**2
    return w - learning_rate / (np.sqrt(G) + epsilon), G

# %% question="adagrad" wrong="tally-of-steps"
def adagrad_step(w, G, grad, learning_rate, epsilon=1e-7):
    G = G + (learning_rate * grad) ** 2
    return w - learning_rate / (np.sqrt(G) + epsilon) * grad, G

# %% question="adagrad" wrong="not-squared" name="sizes, and no root"
def adagrad_step(w, G, grad, learning_rate, epsilon=1e-7):
    G = G + np.abs(grad)
    return w - learning_rate / (G + epsilon) * grad, G

# %% question="adagrad" right="a rate for every weight, in place on copies"
def adagrad_step(w, G, grad, learning_rate, epsilon=1e-7):
    G = G.copy()
    G += np.square(grad)
    rates = learning_rate / (G**0.5 + epsilon)
    w = w.copy()
    w -= rates * grad
    return w, G

# %% question="adagrad" right="weight by weight, as lists"
def adagrad_step(w, G, grad, learning_rate, epsilon=1e-7):
    G = [a + g * g for a, g in zip(G, grad)]
    return [x - learning_rate * g / (a**0.5 + epsilon) for x, g, a in zip(w, grad, G)], G

# %% question="adagrad" right="single precision"
def adagrad_step(w, G, grad, learning_rate, epsilon=1e-7):
    w, G, grad = (np.asarray(a, dtype="float32") for a in (w, G, grad))
    G = G + grad * grad
    return w - learning_rate * grad / (np.sqrt(G) + epsilon), G

# %% question="adagrad" right="one array of two rows, np.hypot"
def adagrad_step(w, G, grad, learning_rate, epsilon=1e-7):
    root = np.hypot(np.sqrt(G), grad)
    return np.array([w - learning_rate * grad / (root + epsilon), G + np.square(grad)])

# %% question="rmsprop-adadelta" wrong="never-forgets"
def rmsprop_step(w, G, grad, learning_rate, rho=0.9, epsilon=1e-7):
    G = G + grad**2
    return w - learning_rate * grad / (np.sqrt(G) + epsilon), G


def adadelta_step(w, G, D, grad, learning_rate=1.0, rho=0.95, epsilon=1e-7):
    G = rho * G + (1 - rho) * grad**2
    delta = -np.sqrt((D + epsilon) / (G + epsilon)) * grad
    return w + learning_rate * delta, G, rho * D + (1 - rho) * delta**2

# %% question="rmsprop-adadelta" wrong="weights-swapped"
def rmsprop_step(w, G, grad, learning_rate, rho=0.9, epsilon=1e-7):
    G = (1 - rho) * G + rho * grad**2
    return w - learning_rate * grad / (np.sqrt(G) + epsilon), G


def adadelta_step(w, G, D, grad, learning_rate=1.0, rho=0.95, epsilon=1e-7):
    G = rho * G + (1 - rho) * grad**2
    delta = -np.sqrt((D + epsilon) / (G + epsilon)) * grad
    return w + learning_rate * delta, G, rho * D + (1 - rho) * delta**2

# %% question="rmsprop-adadelta" wrong="not-squared"
def rmsprop_step(w, G, grad, learning_rate, rho=0.9, epsilon=1e-7):
    G = rho * G + (1 - rho) * abs(grad)
    return w - learning_rate * grad / (np.sqrt(G) + epsilon), G


def adadelta_step(w, G, D, grad, learning_rate=1.0, rho=0.95, epsilon=1e-7):
    G = rho * G + (1 - rho) * grad**2
    delta = -np.sqrt((D + epsilon) / (G + epsilon)) * grad
    return w + learning_rate * delta, G, rho * D + (1 - rho) * delta**2

# %% question="rmsprop-adadelta" wrong="root-missing"
def rmsprop_step(w, G, grad, learning_rate, rho=0.9, epsilon=1e-7):
    G = rho * G + (1 - rho) * grad**2
    return w - learning_rate * grad / (G + epsilon), G


def adadelta_step(w, G, D, grad, learning_rate=1.0, rho=0.95, epsilon=1e-7):
    G = rho * G + (1 - rho) * grad**2
    delta = -np.sqrt((D + epsilon) / (G + epsilon)) * grad
    return w + learning_rate * delta, G, rho * D + (1 - rho) * delta**2

# %% question="rmsprop-adadelta" wrong="epsilon-inside-root"
def rmsprop_step(w, G, grad, learning_rate, rho=0.9, epsilon=1e-7):
    G = rho * G + (1 - rho) * grad**2
    return w - learning_rate * grad / np.sqrt(G + epsilon), G


def adadelta_step(w, G, D, grad, learning_rate=1.0, rho=0.95, epsilon=1e-7):
    G = rho * G + (1 - rho) * grad**2
    delta = -np.sqrt((D + epsilon) / (G + epsilon)) * grad
    return w + learning_rate * delta, G, rho * D + (1 - rho) * delta**2

# %% question="rmsprop-adadelta" wrong="old-mean"
def rmsprop_step(w, G, grad, learning_rate, rho=0.9, epsilon=1e-7):
    return w - learning_rate * grad / (np.sqrt(G) + epsilon), rho * G + (1 - rho) * grad**2


def adadelta_step(w, G, D, grad, learning_rate=1.0, rho=0.95, epsilon=1e-7):
    G = rho * G + (1 - rho) * grad**2
    delta = -np.sqrt((D + epsilon) / (G + epsilon)) * grad
    return w + learning_rate * delta, G, rho * D + (1 - rho) * delta**2

# %% question="rmsprop-adadelta" wrong="uphill"
def rmsprop_step(w, G, grad, learning_rate, rho=0.9, epsilon=1e-7):
    G = rho * G + (1 - rho) * grad**2
    return w + learning_rate * grad / (np.sqrt(G) + epsilon), G


def adadelta_step(w, G, D, grad, learning_rate=1.0, rho=0.95, epsilon=1e-7):
    G = rho * G + (1 - rho) * grad**2
    delta = -np.sqrt((D + epsilon) / (G + epsilon)) * grad
    return w + learning_rate * delta, G, rho * D + (1 - rho) * delta**2

# %% question="rmsprop-adadelta" wrong="epsilon-outside-root"
def rmsprop_step(w, G, grad, learning_rate, rho=0.9, epsilon=1e-7):
    G = rho * G + (1 - rho) * grad**2
    return w - learning_rate * grad / (np.sqrt(G) + epsilon), G


def adadelta_step(w, G, D, grad, learning_rate=1.0, rho=0.95, epsilon=1e-7):
    G = rho * G + (1 - rho) * grad**2
    delta = -(np.sqrt(D) + epsilon) / (np.sqrt(G) + epsilon) * grad
    D = rho * D + (1 - rho) * delta**2
    return w + learning_rate * delta, G, D

# %% question="rmsprop-adadelta" wrong="weights-swapped" name="in AdaDelta"
def rmsprop_step(w, G, grad, learning_rate, rho=0.9, epsilon=1e-7):
    G = rho * G + (1 - rho) * grad**2
    return w - learning_rate * grad / (np.sqrt(G) + epsilon), G


def adadelta_step(w, G, D, grad, learning_rate=1.0, rho=0.95, epsilon=1e-7):
    G = (1 - rho) * G + rho * grad**2
    delta = -np.sqrt(D + epsilon) / np.sqrt(G + epsilon) * grad
    D = (1 - rho) * D + rho * delta**2
    return w + learning_rate * delta, G, D

# %% question="rmsprop-adadelta" wrong="never-forgets" name="in AdaDelta, sums"
def rmsprop_step(w, G, grad, learning_rate, rho=0.9, epsilon=1e-7):
    G = rho * G + (1 - rho) * grad**2
    return w - learning_rate * grad / (np.sqrt(G) + epsilon), G


def adadelta_step(w, G, D, grad, learning_rate=1.0, rho=0.95, epsilon=1e-7):
    G = G + grad**2
    delta = -np.sqrt(D + epsilon) / np.sqrt(G + epsilon) * grad
    D = D + delta**2
    return w + learning_rate * delta, G, D

# %% question="rmsprop-adadelta" wrong="not-squared" name="in AdaDelta, sizes"
def rmsprop_step(w, G, grad, learning_rate, rho=0.9, epsilon=1e-7):
    G = rho * G + (1 - rho) * grad**2
    return w - learning_rate * grad / (np.sqrt(G) + epsilon), G


def adadelta_step(w, G, D, grad, learning_rate=1.0, rho=0.95, epsilon=1e-7):
    G = rho * G + (1 - rho) * abs(grad)
    delta = -np.sqrt(D + epsilon) / np.sqrt(G + epsilon) * grad
    D = rho * D + (1 - rho) * abs(delta)
    return w + learning_rate * delta, G, D

# %% question="rmsprop-adadelta" wrong="root-missing" name="in AdaDelta, no roots"
def rmsprop_step(w, G, grad, learning_rate, rho=0.9, epsilon=1e-7):
    G = rho * G + (1 - rho) * grad**2
    return w - learning_rate * grad / (np.sqrt(G) + epsilon), G


def adadelta_step(w, G, D, grad, learning_rate=1.0, rho=0.95, epsilon=1e-7):
    G = rho * G + (1 - rho) * grad**2
    delta = -(D + epsilon) / (G + epsilon) * grad
    D = rho * D + (1 - rho) * delta**2
    return w + learning_rate * delta, G, D

# %% question="rmsprop-adadelta" wrong="new-steps-mean"
def rmsprop_step(w, G, grad, learning_rate, rho=0.9, epsilon=1e-7):
    G = rho * G + (1 - rho) * grad**2
    return w - learning_rate * grad / (np.sqrt(G) + epsilon), G


def adadelta_step(w, G, D, grad, learning_rate=1.0, rho=0.95, epsilon=1e-7):
    G = rho * G + (1 - rho) * grad**2
    delta = -np.sqrt(D + epsilon) / np.sqrt(G + epsilon) * grad
    D = rho * D + (1 - rho) * delta**2
    delta = -np.sqrt(D + epsilon) / np.sqrt(G + epsilon) * grad
    return w + learning_rate * delta, G, D

# %% question="rmsprop-adadelta" wrong="upside-down"
def rmsprop_step(w, G, grad, learning_rate, rho=0.9, epsilon=1e-7):
    G = rho * G + (1 - rho) * grad**2
    return w - learning_rate * grad / (np.sqrt(G) + epsilon), G


def adadelta_step(w, G, D, grad, learning_rate=1.0, rho=0.95, epsilon=1e-7):
    G = rho * G + (1 - rho) * grad**2
    delta = -np.sqrt(G + epsilon) / np.sqrt(D + epsilon) * grad
    D = rho * D + (1 - rho) * delta**2
    return w + learning_rate * delta, G, D

# %% question="rmsprop-adadelta" wrong="rate-in-d"
def rmsprop_step(w, G, grad, learning_rate, rho=0.9, epsilon=1e-7):
    G = rho * G + (1 - rho) * grad**2
    return w - learning_rate * grad / (np.sqrt(G) + epsilon), G


def adadelta_step(w, G, D, grad, learning_rate=1.0, rho=0.95, epsilon=1e-7):
    G = rho * G + (1 - rho) * grad**2
    delta = -learning_rate * np.sqrt(D + epsilon) / np.sqrt(G + epsilon) * grad
    return w + delta, G, rho * D + (1 - rho) * delta**2

# %% question="rmsprop-adadelta" wrong="d-of-gradients"
def rmsprop_step(w, G, grad, learning_rate, rho=0.9, epsilon=1e-7):
    G = rho * G + (1 - rho) * grad**2
    return w - learning_rate * grad / (np.sqrt(G) + epsilon), G


def adadelta_step(w, G, D, grad, learning_rate=1.0, rho=0.95, epsilon=1e-7):
    G = rho * G + (1 - rho) * grad**2
    delta = -np.sqrt(D + epsilon) / np.sqrt(G + epsilon) * grad
    D = rho * D + (1 - rho) * grad**2
    return w + learning_rate * delta, G, D

# %% question="rmsprop-adadelta" wrong="rate-ignored"
def rmsprop_step(w, G, grad, learning_rate, rho=0.9, epsilon=1e-7):
    G = rho * G + (1 - rho) * grad**2
    return w - learning_rate * grad / (np.sqrt(G) + epsilon), G


def adadelta_step(w, G, D, grad, learning_rate=1.0, rho=0.95, epsilon=1e-7):
    G = rho * G + (1 - rho) * grad**2
    delta = -np.sqrt(D + epsilon) / np.sqrt(G + epsilon) * grad
    D = rho * D + (1 - rho) * delta**2
    return w + delta, G, D

# %% question="rmsprop-adadelta" wrong="uphill" name="in AdaDelta, up"
def rmsprop_step(w, G, grad, learning_rate, rho=0.9, epsilon=1e-7):
    G = rho * G + (1 - rho) * grad**2
    return w - learning_rate * grad / (np.sqrt(G) + epsilon), G


def adadelta_step(w, G, D, grad, learning_rate=1.0, rho=0.95, epsilon=1e-7):
    G = rho * G + (1 - rho) * grad**2
    delta = np.sqrt(D + epsilon) / np.sqrt(G + epsilon) * grad
    D = rho * D + (1 - rho) * delta**2
    return w + learning_rate * delta, G, D

# %% question="rmsprop-adadelta" wrong="never-starts"
def rmsprop_step(w, G, grad, learning_rate, rho=0.9, epsilon=1e-7):
    G = rho * G + (1 - rho) * grad**2
    return w - learning_rate * grad / (np.sqrt(G) + epsilon), G


def adadelta_step(w, G, D, grad, learning_rate=1.0, rho=0.95, epsilon=1e-7):
    G = rho * G + (1 - rho) * grad**2
    delta = -np.sqrt(D) / np.sqrt(G + epsilon) * grad
    D = rho * D + (1 - rho) * delta**2
    return w + learning_rate * delta, G, D

# %% question="rmsprop-adadelta" right="means that move towards the new"
def rmsprop_step(w, G, grad, learning_rate, rho=0.9, epsilon=1e-7):
    G = G + (1 - rho) * (grad * grad - G)
    root = np.sqrt(G)
    return w - (learning_rate / (root + epsilon)) * grad, G


def adadelta_step(w, G, D, grad, learning_rate=1.0, rho=0.95, epsilon=1e-7):
    G = G + (1 - rho) * (np.square(grad) - G)
    rms = lambda a: (a + epsilon) ** 0.5
    step = grad * rms(D) / rms(G)
    D = D + (1 - rho) * (np.square(step) - D)
    return [w - learning_rate * step, G, D]

# %% question="rmsprop-adadelta" right="np.average, in place, single precision"
def rmsprop_step(w, G, grad, learning_rate, rho=0.9, epsilon=1e-7):
    G = np.average([G, grad**2], axis=0, weights=[rho, 1 - rho]).astype("float32")
    w = np.array(w, "float32")
    w -= learning_rate * grad / (np.sqrt(G) + epsilon)
    return w, G


def adadelta_step(w, G, D, grad, learning_rate=1.0, rho=0.95, epsilon=1e-7):
    G = np.average([G, grad**2], axis=0, weights=[rho, 1 - rho])
    delta = -np.sqrt((D + epsilon) / (G + epsilon)) * grad
    D = np.average([D, delta**2], axis=0, weights=[rho, 1 - rho])
    return np.float32(w + learning_rate * delta), G, D

# %% question="adam" wrong="no-correction"
def adam_step(w, m, v, t, grad, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    m = beta_1 * m + (1 - beta_1) * grad
    v = beta_2 * v + (1 - beta_2) * grad**2
    return w - learning_rate * m / (np.sqrt(v) + epsilon), m, v

# %% question="adam" wrong="the-misprint"
def adam_step(w, m, v, t, grad, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    m = beta_1 * m + (1 - beta_1) * grad
    v = beta_2 * v + (1 - beta_2) * grad**2
    m_hat, v_hat = m / (1 - beta_1**t), v / (1 - beta_1**t)
    return w - learning_rate * m_hat / (np.sqrt(v_hat) + epsilon), m, v

# %% question="adam" wrong="one-step-behind"
def adam_step(w, m, v, t, grad, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    t = t + 1
    m = beta_1 * m + (1 - beta_1) * grad
    v = beta_2 * v + (1 - beta_2) * grad**2
    m_hat, v_hat = m / (1 - beta_1**t), v / (1 - beta_2**t)
    return w - learning_rate * m_hat / (np.sqrt(v_hat) + epsilon), m, v

# %% question="adam" wrong="epsilon-inside-root"
def adam_step(w, m, v, t, grad, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    m = beta_1 * m + (1 - beta_1) * grad
    v = beta_2 * v + (1 - beta_2) * grad**2
    m_hat, v_hat = m / (1 - beta_1**t), v / (1 - beta_2**t)
    return w - learning_rate * m_hat / np.sqrt(v_hat + epsilon), m, v

# %% question="adam" wrong="corrected-kept"
def adam_step(w, m, v, t, grad, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    m = beta_1 * m + (1 - beta_1) * grad
    v = beta_2 * v + (1 - beta_2) * grad**2
    m, v = m / (1 - beta_1**t), v / (1 - beta_2**t)
    return w - learning_rate * m / (np.sqrt(v) + epsilon), m, v

# %% question="adam" wrong="betas-swapped"
def adam_step(w, m, v, t, grad, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    m = beta_2 * m + (1 - beta_2) * grad
    v = beta_1 * v + (1 - beta_1) * grad**2
    m_hat, v_hat = m / (1 - beta_2**t), v / (1 - beta_1**t)
    return w - learning_rate * m_hat / (np.sqrt(v_hat) + epsilon), m, v

# %% question="adam" wrong="not-squared"
def adam_step(w, m, v, t, grad, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    m = beta_1 * m + (1 - beta_1) * grad
    v = beta_2 * v + (1 - beta_2) * abs(grad)
    m_hat, v_hat = m / (1 - beta_1**t), v / (1 - beta_2**t)
    return w - learning_rate * m_hat / (np.sqrt(v_hat) + epsilon), m, v

# %% question="adam" wrong="root-missing"
def adam_step(w, m, v, t, grad, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    m = beta_1 * m + (1 - beta_1) * grad
    v = beta_2 * v + (1 - beta_2) * grad**2
    m_hat, v_hat = m / (1 - beta_1**t), v / (1 - beta_2**t)
    return w - learning_rate * m_hat / (v_hat + epsilon), m, v

# %% question="adam" wrong="old-means"
def adam_step(w, m, v, t, grad, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    m_hat, v_hat = m / (1 - beta_1**t), v / (1 - beta_2**t)
    w = w - learning_rate * m_hat / (np.sqrt(v_hat) + epsilon)
    m = beta_1 * m + (1 - beta_1) * grad
    v = beta_2 * v + (1 - beta_2) * grad**2
    return w, m, v

# %% question="adam" wrong="gradient-instead"
def adam_step(w, m, v, t, grad, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    m = beta_1 * m + (1 - beta_1) * grad
    v = beta_2 * v + (1 - beta_2) * grad**2
    m_hat, v_hat = m / (1 - beta_1**t), v / (1 - beta_2**t)
    return w - learning_rate * grad / (np.sqrt(v_hat) + epsilon), m, v

# %% question="adam" wrong="uphill"
def adam_step(w, m, v, t, grad, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    m = beta_1 * m + (1 - beta_1) * grad
    v = beta_2 * v + (1 - beta_2) * grad**2
    m_hat, v_hat = m / (1 - beta_1**t), v / (1 - beta_2**t)
    return w + learning_rate * m_hat / (np.sqrt(v_hat) + epsilon), m, v

# %% question="adam" wrong="power-forgotten"
def adam_step(w, m, v, t, grad, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    m = beta_1 * m + (1 - beta_1) * grad
    v = beta_2 * v + (1 - beta_2) * grad**2
    return w - learning_rate * m / (1 - beta_1) / (np.sqrt(v / (1 - beta_2)) + epsilon), m, v

# %% question="adam" wrong="epsilon-before-hat"
def adam_step(w, m, v, t, grad, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    m = beta_1 * m + (1 - beta_1) * grad
    v = beta_2 * v + (1 - beta_2) * grad**2
    alpha = learning_rate * np.sqrt(1 - beta_2**t) / (1 - beta_1**t)
    return w - alpha * m / (np.sqrt(v) + epsilon), m, v

# %% question="adam" right="one corrected rate, ε corrected with it"
def adam_step(w, m, v, t, grad, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    m = m + (1 - beta_1) * (grad - m)
    v = v + (1 - beta_2) * (grad * grad - v)
    root = np.sqrt(1 - beta_2**t)
    rate = learning_rate * root / (1 - beta_1**t)
    return w - rate * m / (np.sqrt(v) + epsilon * root), m, v

# %% question="adam" right="in place on copies"
def adam_step(w, m, v, t, grad, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    w, m, v = w.copy(), m.copy(), v.copy()
    m *= beta_1
    m += (1 - beta_1) * grad
    v *= beta_2
    v += (1 - beta_2) * np.square(grad)
    w -= learning_rate * (m / (1 - beta_1**t)) / ((v / (1 - beta_2**t)) ** 0.5 + epsilon)
    return w, m, v

# %% question="adam" right="lists, single precision"
def adam_step(w, m, v, t, grad, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    new = []
    for x, a, b, g in zip(w, m, v, grad):
        a, b = beta_1 * a + (1 - beta_1) * g, beta_2 * b + (1 - beta_2) * g * g
        x = np.float32(x - learning_rate * a / (1 - beta_1**t) / (np.sqrt(b / (1 - beta_2**t)) + epsilon))
        new.append((x, a, b))
    return tuple(map(list, zip(*new)))

# %% question="adam" right="hats by running the means on gradients of one"
def adam_step(w, m, v, t, grad, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    a = b = 0.0
    for _ in range(t):
        a = beta_1 * a + (1 - beta_1) * 1
        b = beta_2 * b + (1 - beta_2) * 1
    m = np.array([beta_1 * x + (1 - beta_1) * g for x, g in zip(m, grad)])
    v = np.array([beta_2 * x + (1 - beta_2) * g * g for x, g in zip(v, grad)])
    return [w - learning_rate / ((v / b) ** 0.5 + epsilon) * (m / a), m, v]

# %% question="weight-decay" wrong="weights-grow"
def alexnet_step(w, v, grad, learning_rate=0.01, momentum=0.9, weight_decay=0.0005):
    v = momentum * v + weight_decay * learning_rate * w - learning_rate * grad
    return w + v, v


def decoupled_step(w, v, grad, learning_rate=0.01, momentum=0.9, weight_decay=0.0005):
    v = momentum * v - learning_rate * grad
    return w + v - learning_rate * weight_decay * w, v


penalty_factor = 0.00025

# %% question="weight-decay" wrong="rate-forgotten"
def alexnet_step(w, v, grad, learning_rate=0.01, momentum=0.9, weight_decay=0.0005):
    v = momentum * v - weight_decay * w - learning_rate * grad
    return w + v, v


def decoupled_step(w, v, grad, learning_rate=0.01, momentum=0.9, weight_decay=0.0005):
    v = momentum * v - learning_rate * grad
    return w + v - learning_rate * weight_decay * w, v


penalty_factor = 0.00025

# %% question="weight-decay" wrong="decay-forgotten"
def alexnet_step(w, v, grad, learning_rate=0.01, momentum=0.9, weight_decay=0.0005):
    v = momentum * v - learning_rate * grad
    return w + v, v


def decoupled_step(w, v, grad, learning_rate=0.01, momentum=0.9, weight_decay=0.0005):
    v = momentum * v - learning_rate * grad
    return w + v - learning_rate * weight_decay * w, v


penalty_factor = 0.00025

# %% question="weight-decay" wrong="not-through-velocity"
def alexnet_step(w, v, grad, learning_rate=0.01, momentum=0.9, weight_decay=0.0005):
    v = momentum * v - learning_rate * grad
    return w + v - learning_rate * weight_decay * w, v


def decoupled_step(w, v, grad, learning_rate=0.01, momentum=0.9, weight_decay=0.0005):
    v = momentum * v - learning_rate * grad
    return w + v - learning_rate * weight_decay * w, v


penalty_factor = 0.00025

# %% question="weight-decay" wrong="decays-twice"
def alexnet_step(w, v, grad, learning_rate=0.01, momentum=0.9, weight_decay=0.0005):
    v = momentum * v - 2 * weight_decay * learning_rate * w - learning_rate * grad
    return w + v, v


def decoupled_step(w, v, grad, learning_rate=0.01, momentum=0.9, weight_decay=0.0005):
    v = momentum * v - learning_rate * grad
    return w + v - learning_rate * weight_decay * w, v


penalty_factor = 0.00025

# %% question="weight-decay" wrong="sign-decays"
def alexnet_step(w, v, grad, learning_rate=0.01, momentum=0.9, weight_decay=0.0005):
    v = momentum * v - weight_decay * learning_rate * np.sign(w) - learning_rate * grad
    return w + v, v


def decoupled_step(w, v, grad, learning_rate=0.01, momentum=0.9, weight_decay=0.0005):
    v = momentum * v - learning_rate * grad
    return w + v - learning_rate * weight_decay * w, v


penalty_factor = 0.00025

# %% question="weight-decay" wrong="through-velocity"
def alexnet_step(w, v, grad, learning_rate=0.01, momentum=0.9, weight_decay=0.0005):
    v = momentum * v - learning_rate * (grad + weight_decay * w)
    return w + v, v


def decoupled_step(w, v, grad, learning_rate=0.01, momentum=0.9, weight_decay=0.0005):
    v = momentum * v - learning_rate * (grad + weight_decay * w)
    return w + v, v


penalty_factor = 0.00025

# %% question="weight-decay" wrong="new-weights-decay"
def alexnet_step(w, v, grad, learning_rate=0.01, momentum=0.9, weight_decay=0.0005):
    v = momentum * v - learning_rate * (grad + weight_decay * w)
    return w + v, v


def decoupled_step(w, v, grad, learning_rate=0.01, momentum=0.9, weight_decay=0.0005):
    v = momentum * v - learning_rate * grad
    w = w + v
    return w - learning_rate * weight_decay * w, v


penalty_factor = 0.00025

# %% question="weight-decay" wrong="rate-forgotten" name="decoupled"
def alexnet_step(w, v, grad, learning_rate=0.01, momentum=0.9, weight_decay=0.0005):
    v = momentum * v - learning_rate * (grad + weight_decay * w)
    return w + v, v


def decoupled_step(w, v, grad, learning_rate=0.01, momentum=0.9, weight_decay=0.0005):
    v = momentum * v - learning_rate * grad
    return w + v - weight_decay * w, v


penalty_factor = 0.00025

# %% question="weight-decay" wrong="weights-grow" name="decoupled, growing"
def alexnet_step(w, v, grad, learning_rate=0.01, momentum=0.9, weight_decay=0.0005):
    v = momentum * v - learning_rate * (grad + weight_decay * w)
    return w + v, v


def decoupled_step(w, v, grad, learning_rate=0.01, momentum=0.9, weight_decay=0.0005):
    v = momentum * v - learning_rate * grad
    return w + v + learning_rate * weight_decay * w, v


penalty_factor = 0.00025

# %% question="weight-decay" wrong="decays-twice" name="decoupled, twice"
def alexnet_step(w, v, grad, learning_rate=0.01, momentum=0.9, weight_decay=0.0005):
    v = momentum * v - learning_rate * (grad + weight_decay * w)
    return w + v, v


def decoupled_step(w, v, grad, learning_rate=0.01, momentum=0.9, weight_decay=0.0005):
    v = momentum * v - learning_rate * grad
    return w + v - 2 * learning_rate * weight_decay * w, v


penalty_factor = 0.00025

# %% question="weight-decay" wrong="decay-forgotten" name="decoupled, none"
def alexnet_step(w, v, grad, learning_rate=0.01, momentum=0.9, weight_decay=0.0005):
    v = momentum * v - learning_rate * (grad + weight_decay * w)
    return w + v, v


def decoupled_step(w, v, grad, learning_rate=0.01, momentum=0.9, weight_decay=0.0005):
    v = momentum * v - learning_rate * grad
    return w + v, v


penalty_factor = 0.00025

# %% question="weight-decay" wrong="two-forgotten"
def alexnet_step(w, v, grad, learning_rate=0.01, momentum=0.9, weight_decay=0.0005):
    v = momentum * v - learning_rate * (grad + weight_decay * w)
    return w + v, v


def decoupled_step(w, v, grad, learning_rate=0.01, momentum=0.9, weight_decay=0.0005):
    v = momentum * v - learning_rate * grad
    return w + v - learning_rate * weight_decay * w, v


penalty_factor = 0.0005

# %% question="weight-decay" wrong="two-inverted"
def alexnet_step(w, v, grad, learning_rate=0.01, momentum=0.9, weight_decay=0.0005):
    v = momentum * v - learning_rate * (grad + weight_decay * w)
    return w + v, v


def decoupled_step(w, v, grad, learning_rate=0.01, momentum=0.9, weight_decay=0.0005):
    v = momentum * v - learning_rate * grad
    return w + v - learning_rate * weight_decay * w, v


penalty_factor = 0.001

# %% question="weight-decay" wrong="rate-in-factor"
def alexnet_step(w, v, grad, learning_rate=0.01, momentum=0.9, weight_decay=0.0005):
    v = momentum * v - learning_rate * (grad + weight_decay * w)
    return w + v, v


def decoupled_step(w, v, grad, learning_rate=0.01, momentum=0.9, weight_decay=0.0005):
    v = momentum * v - learning_rate * grad
    return w + v - learning_rate * weight_decay * w, v


penalty_factor = 0.000005

# %% question="weight-decay" wrong="decays-half"
def alexnet_step(w, v, grad, learning_rate=0.01, momentum=0.9, weight_decay=0.0005):
    v = momentum * v - learning_rate * (grad + weight_decay * w)
    return w + v, v


def decoupled_step(w, v, grad, learning_rate=0.01, momentum=0.9, weight_decay=0.0005):
    v = momentum * v - learning_rate * grad
    return w - learning_rate * weight_decay / 2 * w + v, v


penalty_factor = 0.00025

# %% question="weight-decay" wrong="numbers-written-in"
def alexnet_step(w, v, grad, learning_rate=0.01, momentum=0.9, weight_decay=0.0005):
    v = 0.9 * v - 0.0005 * learning_rate * w - learning_rate * grad
    return w + v, v


def decoupled_step(w, v, grad, learning_rate=0.01, momentum=0.9, weight_decay=0.0005):
    v = 0.9 * v - learning_rate * grad
    return w - learning_rate * 0.0005 * w + v, v


penalty_factor = 0.00025

# %% question="weight-decay" right="shrinking the weights first"
def alexnet_step(w, v, grad, learning_rate=0.01, momentum=0.9, weight_decay=0.0005):
    grad = grad + weight_decay * w
    v = momentum * v - learning_rate * grad
    return w + v, v


def decoupled_step(w, v, grad, learning_rate=0.01, momentum=0.9, weight_decay=0.0005):
    shrunk = (1 - learning_rate * weight_decay) * w
    v = momentum * v - learning_rate * grad
    return shrunk + v, v


penalty_factor = 0.0005 / 2

# %% question="weight-decay" right="in place on copies, single precision, lists"
def alexnet_step(w, v, grad, learning_rate=0.01, momentum=0.9, weight_decay=0.0005):
    v = np.array(v, np.float32)
    v *= momentum
    v -= learning_rate * weight_decay * np.asarray(w)
    v -= learning_rate * np.asarray(grad)
    return np.float32(w) + v, v


def decoupled_step(w, v, grad, learning_rate=0.01, momentum=0.9, weight_decay=0.0005):
    steps = [momentum * a - learning_rate * g for a, g in zip(v, grad)]
    return [x - learning_rate * weight_decay * x + a for x, a in zip(w, steps)], steps


penalty_factor = np.float64(25e-5)

# %% question="bowls" wrong="diagonal"
def kind_of_point(H):
    c = np.diag(H)
    if np.all(c > 0):
        return "minimum"
    return "maximum" if np.all(c < 0) else "saddle"


def condition_number(H):
    sizes = np.linalg.svd(H, compute_uv=False)
    return sizes[0] / sizes[-1]


def best_learning_rate(H):
    curvatures = np.linalg.eigvalsh(H)
    return 2 / (curvatures[0] + curvatures[-1])

# %% question="bowls" wrong="determinant"
def kind_of_point(H):
    return "minimum" if np.linalg.det(H) > 0 else "saddle"


def condition_number(H):
    sizes = np.linalg.svd(H, compute_uv=False)
    return sizes[0] / sizes[-1]


def best_learning_rate(H):
    curvatures = np.linalg.eigvalsh(H)
    return 2 / (curvatures[0] + curvatures[-1])

# %% question="bowls" wrong="one-curvature"
def kind_of_point(H):
    return "minimum" if np.linalg.eigvalsh(H)[-1] > 0 else "maximum"


def condition_number(H):
    sizes = np.linalg.svd(H, compute_uv=False)
    return sizes[0] / sizes[-1]


def best_learning_rate(H):
    curvatures = np.linalg.eigvalsh(H)
    return 2 / (curvatures[0] + curvatures[-1])

# %% question="bowls" wrong="signs-swapped"
def kind_of_point(H):
    c = -np.linalg.eigvalsh(H)
    if np.all(c > 0):
        return "minimum"
    return "maximum" if np.all(c < 0) else "saddle"


def condition_number(H):
    sizes = np.linalg.svd(H, compute_uv=False)
    return sizes[0] / sizes[-1]


def best_learning_rate(H):
    curvatures = np.linalg.eigvalsh(H)
    return 2 / (curvatures[0] + curvatures[-1])

# %% question="bowls" wrong="always-saddle"
def kind_of_point(H):
    return "saddle"


def condition_number(H):
    sizes = np.linalg.svd(H, compute_uv=False)
    return sizes[0] / sizes[-1]


def best_learning_rate(H):
    curvatures = np.linalg.eigvalsh(H)
    return 2 / (curvatures[0] + curvatures[-1])

# %% question="bowls" wrong="signed"
def kind_of_point(H):
    curvatures = np.linalg.eigvalsh(H)
    if curvatures.min() > 0:
        return "minimum"
    return "maximum" if curvatures.max() < 0 else "saddle"


def condition_number(H):
    c = np.linalg.eigvalsh(H)
    return c.max() / c.min()


def best_learning_rate(H):
    curvatures = np.linalg.eigvalsh(H)
    return 2 / (curvatures[0] + curvatures[-1])

# %% question="bowls" wrong="inverted"
def kind_of_point(H):
    curvatures = np.linalg.eigvalsh(H)
    if curvatures.min() > 0:
        return "minimum"
    return "maximum" if curvatures.max() < 0 else "saddle"


def condition_number(H):
    c = np.abs(np.linalg.eigvalsh(H))
    return c.min() / c.max()


def best_learning_rate(H):
    curvatures = np.linalg.eigvalsh(H)
    return 2 / (curvatures[0] + curvatures[-1])

# %% question="bowls" wrong="squared"
def kind_of_point(H):
    curvatures = np.linalg.eigvalsh(H)
    if curvatures.min() > 0:
        return "minimum"
    return "maximum" if curvatures.max() < 0 else "saddle"


def condition_number(H):
    c = np.linalg.eigvalsh(H.T @ H)
    return c.max() / c.min()


def best_learning_rate(H):
    curvatures = np.linalg.eigvalsh(H)
    return 2 / (curvatures[0] + curvatures[-1])

# %% question="bowls" wrong="diagonal" name="condition of the diagonal"
def kind_of_point(H):
    curvatures = np.linalg.eigvalsh(H)
    if curvatures.min() > 0:
        return "minimum"
    return "maximum" if curvatures.max() < 0 else "saddle"


def condition_number(H):
    c = np.abs(np.diag(H))
    return c.max() / c.min()


def best_learning_rate(H):
    curvatures = np.linalg.eigvalsh(H)
    return 2 / (curvatures[0] + curvatures[-1])

# %% question="bowls" wrong="largest-only"
def kind_of_point(H):
    curvatures = np.linalg.eigvalsh(H)
    if curvatures.min() > 0:
        return "minimum"
    return "maximum" if curvatures.max() < 0 else "saddle"


def condition_number(H):
    sizes = np.linalg.svd(H, compute_uv=False)
    return sizes[0] / sizes[-1]


def best_learning_rate(H):
    c = np.linalg.eigvalsh(H)
    return 1 / c[-1]

# %% question="bowls" wrong="at-the-edge"
def kind_of_point(H):
    curvatures = np.linalg.eigvalsh(H)
    if curvatures.min() > 0:
        return "minimum"
    return "maximum" if curvatures.max() < 0 else "saddle"


def condition_number(H):
    sizes = np.linalg.svd(H, compute_uv=False)
    return sizes[0] / sizes[-1]


def best_learning_rate(H):
    c = np.linalg.eigvalsh(H)
    return 2 / c[-1]

# %% question="bowls" wrong="smallest-only"
def kind_of_point(H):
    curvatures = np.linalg.eigvalsh(H)
    if curvatures.min() > 0:
        return "minimum"
    return "maximum" if curvatures.max() < 0 else "saddle"


def condition_number(H):
    sizes = np.linalg.svd(H, compute_uv=False)
    return sizes[0] / sizes[-1]


def best_learning_rate(H):
    c = np.linalg.eigvalsh(H)
    return 1 / c[0]

# %% question="bowls" wrong="half"
def kind_of_point(H):
    curvatures = np.linalg.eigvalsh(H)
    if curvatures.min() > 0:
        return "minimum"
    return "maximum" if curvatures.max() < 0 else "saddle"


def condition_number(H):
    sizes = np.linalg.svd(H, compute_uv=False)
    return sizes[0] / sizes[-1]


def best_learning_rate(H):
    c = np.linalg.eigvalsh(H)
    return 1 / (c[0] + c[-1])

# %% question="bowls" wrong="diagonal" name="rate of the diagonal"
def kind_of_point(H):
    curvatures = np.linalg.eigvalsh(H)
    if curvatures.min() > 0:
        return "minimum"
    return "maximum" if curvatures.max() < 0 else "saddle"


def condition_number(H):
    sizes = np.linalg.svd(H, compute_uv=False)
    return sizes[0] / sizes[-1]


def best_learning_rate(H):
    c = np.diag(H)
    return 2 / (c.min() + c.max())

# %% question="bowls" wrong="mean-of-all"
def kind_of_point(H):
    curvatures = np.linalg.eigvalsh(H)
    if curvatures.min() > 0:
        return "minimum"
    return "maximum" if curvatures.max() < 0 else "saddle"


def condition_number(H):
    return np.linalg.cond(H)


def best_learning_rate(H):
    return 1 / np.mean(np.linalg.eigvalsh(H))

# %% question="bowls" right="by signs, NumPy's cond, the middle curvature"
def kind_of_point(H):
    signs = set(np.sign(np.linalg.eigvals(H).real))
    return {(1.0,): "minimum", (-1.0,): "maximum"}.get(tuple(signs), "saddle")


def condition_number(H):
    return np.linalg.cond(H)


def best_learning_rate(H):
    c = np.linalg.eigvals(H).real
    return 1 / np.mean([c.min(), c.max()])

# %% question="bowls" right="Cholesky, norms, TensorFlow"
def kind_of_point(H):
    def positive(H):
        try:
            np.linalg.cholesky(H)
            return True
        except np.linalg.LinAlgError:
            return False

    return "minimum" if positive(H) else "maximum" if positive(-H) else "saddle"


def condition_number(H):
    return float(np.linalg.norm(H, 2) * np.linalg.norm(np.linalg.inv(H), 2))


def best_learning_rate(H):
    c = tf.linalg.eigvalsh(tf.constant(H))
    return 2 / (tf.reduce_min(c) + tf.reduce_max(c))

# %% question="bowls" right="leading minors, bisection"
def kind_of_point(H):
    minors = [np.linalg.det(H[:k, :k]) for k in range(1, len(H) + 1)]
    if all(d > 0 for d in minors):
        return "minimum"
    return "maximum" if all(d * (-1) ** k > 0 for k, d in enumerate(minors, 1)) else "saddle"


def condition_number(H):
    return np.sqrt(np.linalg.cond(H @ H))


def best_learning_rate(H):
    flattest, *_, steepest = np.linalg.eigvalsh(H)
    low, high = 1 / steepest, 1 / flattest
    for _ in range(100):
        rate = (low + high) / 2
        if abs(1 - rate * flattest) > abs(1 - rate * steepest):
            low = rate
        else:
            high = rate
    return np.array(rate)

# %% question="batch-noise" wrong="drawn-with-replacement"
def gradient_noise(gradients, batch_size):
    return gradients.var(axis=0).sum() / batch_size

# %% question="batch-noise" wrong="root"
def gradient_noise(gradients, batch_size):
    N = len(gradients)
    one = gradients.var(axis=0).sum()
    return np.sqrt(one / batch_size * (N - batch_size) / (N - 1))

# %% question="batch-noise" wrong="sum-not-mean"
def gradient_noise(gradients, batch_size):
    N = len(gradients)
    one = gradients.var(axis=0).sum()
    return one * batch_size * (N - batch_size) / (N - 1)

# %% question="batch-noise" wrong="batch-ignored"
def gradient_noise(gradients, batch_size):
    return gradients.var(axis=0).sum()

# %% question="batch-noise" wrong="mean-over-weights"
def gradient_noise(gradients, batch_size):
    N = len(gradients)
    return gradients.var(axis=0).mean() / batch_size * (N - batch_size) / (N - 1)

# %% question="batch-noise" wrong="divided-by-n-minus-one"
def gradient_noise(gradients, batch_size):
    N = len(gradients)
    return gradients.var(axis=0, ddof=1).sum() / batch_size * (N - batch_size) / (N - 1)

# %% question="batch-noise" wrong="root-of-batch"
def gradient_noise(gradients, batch_size):
    return gradients.var(axis=0).sum() / np.sqrt(batch_size)

# %% question="batch-noise" wrong="line-in-b"
def gradient_noise(gradients, batch_size):
    N = len(gradients)
    return gradients.var(axis=0).sum() * (N - batch_size) / (N - 1)

# %% question="batch-noise" wrong="slope-too-small"
def gradient_noise(gradients, batch_size):
    N = len(gradients)
    return gradients.var(axis=0).sum() * (1 / batch_size - 1 / N)

# %% question="batch-noise" right="the finite population's variance"
def gradient_noise(gradients, batch_size):
    N = len(gradients)
    spread = np.var(gradients, axis=0, ddof=1)
    return float(np.sum(spread) / batch_size * (1 - batch_size / N))

# %% question="batch-noise" right="through the covariance of two draws, in TensorFlow"
def gradient_noise(gradients, batch_size):
    G = tf.constant(gradients, tf.float64)
    G = G - tf.reduce_mean(G, axis=0)
    N, B = len(gradients), batch_size
    own = tf.reduce_sum(G * G) / N
    pair = -own / (N - 1)
    return (B * own + B * (B - 1) * pair) / B**2

# %% question="batch-noise" right="a line through two points"
def gradient_noise(gradients, batch_size):
    N = len(gradients)
    one = np.mean(np.linalg.norm(gradients - gradients.mean(axis=0), axis=1) ** 2)
    return np.interp(1 / batch_size, [1 / N, 1], [0, one])

# %% question="plateau" wrong="compared-with-last"
def next_learning_rate(errors, start=0.01, patience=3):
    rate, best, waited = start, float("inf"), 0
    for error in errors:
        if error < best:
            waited = 0
        else:
            waited += 1
        if waited == patience:
            rate, waited = rate / 10, 0
        best = error
    return rate

# %% question="plateau" wrong="not-in-a-row"
def next_learning_rate(errors, start=0.01, patience=3):
    rate, best, waited = start, float("inf"), 0
    for error in errors:
        if error < best:
            best = error
        else:
            waited += 1
        if waited == patience:
            rate, waited = rate / 10, 0
    return rate

# %% question="plateau" wrong="only-once"
def next_learning_rate(errors, start=0.01, patience=3):
    rate, best, waited = start, float("inf"), 0
    for error in errors:
        if error < best:
            best, waited = error, 0
        else:
            waited += 1
        if waited == patience:
            return start / 10
    return rate

# %% question="plateau" wrong="too-late"
def next_learning_rate(errors, start=0.01, patience=3):
    rate, best, waited = start, float("inf"), 0
    for error in errors:
        if error < best:
            best, waited = error, 0
        else:
            waited += 1
        if waited > patience:
            rate, waited = rate / 10, 0
    return rate

# %% question="plateau" wrong="too-early"
def next_learning_rate(errors, start=0.01, patience=3):
    rate, best, waited = start, float("inf"), 0
    for error in errors:
        if error < best:
            best, waited = error, 0
        else:
            waited += 1
        if waited == patience - 1:
            rate, waited = rate / 10, 0
    return rate

# %% question="plateau" wrong="every-epoch-after"
def next_learning_rate(errors, start=0.01, patience=3):
    rate, best, waited = start, float("inf"), 0
    for error in errors:
        if error < best:
            best, waited = error, 0
        else:
            waited += 1
        if waited >= patience:
            rate = rate / 10
    return rate

# %% question="plateau" wrong="equal-is-better"
def next_learning_rate(errors, start=0.01, patience=3):
    rate, best, waited = start, float("inf"), 0
    for error in errors:
        if error <= best:
            best, waited = error, 0
        else:
            waited += 1
        if waited == patience:
            rate, waited = rate / 10, 0
    return rate

# %% question="plateau" wrong="best-forgotten"
def next_learning_rate(errors, start=0.01, patience=3):
    rate, best, waited = start, float("inf"), 0
    for error in errors:
        if error < best:
            best, waited = error, 0
        else:
            waited += 1
        if waited == patience:
            rate, best, waited = rate / 10, float("inf"), 0
    return rate

# %% question="plateau" wrong="subtracted"
def next_learning_rate(errors, start=0.01, patience=3):
    rate, best, waited = start, float("inf"), 0
    for error in errors:
        if error < best:
            best, waited = error, 0
        else:
            waited += 1
        if waited == patience:
            rate, waited = rate - 10, 0
    return rate

# %% question="plateau" wrong="multiplied-up"
def next_learning_rate(errors, start=0.01, patience=3):
    rate, best, waited = start, float("inf"), 0
    for error in errors:
        if error < best:
            best, waited = error, 0
        else:
            waited += 1
        if waited == patience:
            rate, waited = rate * 10, 0
    return rate

# %% question="plateau" wrong="settings-ignored"
def next_learning_rate(errors, start=0.01, patience=3):
    rate, best, waited = 0.01, 100, 0
    for error in errors:
        if error < best:
            best, waited = error, 0
        else:
            waited += 1
            if waited == 3:
                rate, waited = rate / 10, 0
    return rate

# %% question="plateau" right="counting the falls"
def next_learning_rate(errors, start=0.01, patience=3):
    falls = since = 0
    for i, error in enumerate(errors):
        since = 0 if error < min(errors[:i], default=float("inf")) else since + 1
        falls, since = (falls + 1, 0) if since == patience else (falls, since)
    return start * 0.1**falls

# %% question="plateau" right="Keras's callback"
def next_learning_rate(errors, start=0.01, patience=3):
    callback = keras.callbacks.ReduceLROnPlateau("error", factor=0.1, patience=patience, min_delta=0, mode="min")
    callback.set_model(SimpleNamespace(optimizer=keras.optimizers.SGD(start)))
    callback.on_train_begin()
    for epoch, error in enumerate(errors):
        callback.on_epoch_end(epoch, {"error": error})
    return callback.model.optimizer.learning_rate

# %% question="plateau" right="calling itself"
def next_learning_rate(errors, start=0.01, patience=3):
    best, waited = np.inf, 0
    for i, error in enumerate(errors):
        waited = 0 if error < best else waited + 1
        best = min(best, error)
        if waited == patience:
            later = [best, *errors[i + 1 :]]
            return next_learning_rate(later, np.float32(start / 10), patience)
    return start

# %% question="plateau" right="runs between new bests"
def next_learning_rate(errors, start=0.01, patience=3):
    if len(errors) == 0:
        return start
    lows = np.minimum.accumulate(np.asarray(errors, float))
    new = np.r_[True, lows[1:] < lows[:-1]]
    runs = np.diff(np.r_[np.flatnonzero(new), len(lows)]) - 1
    falls = int((runs // patience).sum())
    return float(start * 0.1**falls)
