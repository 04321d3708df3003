#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Makes the files of this folder again, with NumPy 1.24.

state.safetensors has the weights of layers under the names and in the shapes of PyTorch 2, and
cases.safetensors their inputs and outputs, by the formulas of its documentation.
"""
import json
import os
import struct

import numpy as np

here = os.path.dirname(os.path.abspath(__file__))
random = np.random.default_rng(7)
state, cases = {}, {}


def draw(*shape):
    return random.normal(size=shape).round(3)


def weights(layer, **shapes):
    """Draws the weights of a layer; returns them by their names."""
    own = {name: draw(*shape) for name, shape in shapes.items()}
    state.update({f"{layer}.{name}": value for name, value in own.items()})
    return own


def case(layer, y, **inputs):
    cases.update({f"{layer}.{name}": value for name, value in inputs.items()})
    cases[f"{layer}.y"] = y


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def normalised(x, axes, eps=1e-5):
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + eps)


# torch.nn.Linear: y = x A^T + b
w = weights("linear", weight=(3, 4), bias=(3,))
x = draw(2, 5, 4)
case("linear", x @ w["weight"].T + w["bias"], x=x)

# torch.nn.Bilinear: y = x1^T A x2 + b
w = weights("bilinear", weight=(2, 3, 4), bias=(2,))
x, x2 = draw(5, 3), draw(5, 4)
case("bilinear", np.einsum("ni,oij,nj->no", x, w["weight"], x2) + w["bias"], x=x, x2=x2)

# torch.nn.Embedding
w = weights("embedding", weight=(6, 3))
labels = np.array([5, 0, 2, 2])
case("embedding", w["weight"][labels], labels=labels)

# torch.nn.PReLU(3): max(0, x) + a min(0, x), one a for each channel
w = weights("prelu", weight=(3,))
x = draw(2, 3, 4)
case("prelu", np.maximum(x, 0) + w["weight"][:, None] * np.minimum(x, 0), x=x)

# torch.nn.Conv1d(4, 6, 3, stride=2, padding=1, dilation=2, groups=2)
w = weights("conv1d", weight=(6, 2, 3), bias=(6,))
x = draw(2, 4, 9)
padded = np.pad(x, ((0, 0), (0, 0), (1, 1)))
size = (9 + 2 - 2 * 2 - 1) // 2 + 1
y = np.empty((2, 6, size))
for o in range(6):
    group = o // 3
    for t in range(size):
        window = padded[:, 2 * group:2 * group + 2, 2 * t:2 * t + 5:2]
        y[:, o, t] = (window * w["weight"][o]).sum((1, 2)) + w["bias"][o]
case("conv1d", y, x=x)

# torch.nn.Conv2d(2, 3, (2, 3), padding=(1, 0))
w = weights("conv2d", weight=(3, 2, 2, 3), bias=(3,))
x = draw(2, 2, 4, 5)
padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (0, 0)))
y = np.empty((2, 3, 5, 3))
for i in range(5):
    for j in range(3):
        y[:, :, i, j] = np.einsum("nchw,ochw->no", padded[:, :, i:i + 2, j:j + 3], w["weight"])
y += w["bias"][:, None, None]
case("conv2d", y, x=x)

# torch.nn.ConvTranspose2d(2, 3, 3, stride=2, padding=1, output_padding=1), weight (in, out, ...)
w = weights("conv_transpose2d", weight=(2, 3, 3, 3), bias=(3,))
x = draw(2, 2, 3, 4)
whole = np.zeros((2, 3, 2 * 2 + 3 + 1, 2 * 3 + 3 + 1))
for i in range(3):
    for j in range(4):
        whole[:, :, 2 * i:2 * i + 3, 2 * j:2 * j + 3] += np.einsum(
            "nc,cohw->nohw", x[:, :, i, j], w["weight"])
y = whole[:, :, 1:-1, 1:-1] + w["bias"][:, None, None]
case("conv_transpose2d", y, x=x)

# torch.nn.BatchNorm2d in evaluation
w = weights("batch_norm", weight=(3,), bias=(3,), running_mean=(3,))
state["batch_norm.running_var"] = var = np.exp(draw(3))
state["batch_norm.num_batches_tracked"] = np.array(11)
x = draw(2, 3, 2, 2)
at = (slice(None), None, None)
y = (x - w["running_mean"][at]) / np.sqrt(var[at] + 1e-5) * w["weight"][at] + w["bias"][at]
case("batch_norm", y, x=x)

# torch.nn.LayerNorm((3, 4)), RMSNorm(4, eps=1e-6), GroupNorm(2, 4)
w = weights("layer_norm", weight=(3, 4), bias=(3, 4))
x = draw(2, 3, 4)
case("layer_norm", normalised(x, (1, 2)) * w["weight"] + w["bias"], x=x)
w = weights("rms_norm", weight=(4,))
case("rms_norm", x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-6) * w["weight"], x=x)
w = weights("group_norm", weight=(4,), bias=(4,))
x = draw(2, 4, 3)
y = normalised(x.reshape(2, 2, 6), 2).reshape(2, 4, 3)
case("group_norm", y * w["weight"][:, None] + w["bias"][:, None], x=x)


# torch.nn.LSTM, GRU, RNN, with batch_first=True
def lstm_cell(of_input, of_state, state):
    i, f, g, o = np.split(of_input + of_state, 4, -1)
    cell = sigmoid(f) * state[1] + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(cell), cell


def gru_cell(of_input, of_state, state):
    ir, iz, i_n = np.split(of_input, 3, -1)
    hr, hz, h_n = np.split(of_state, 3, -1)
    z = sigmoid(iz + hz)
    return ((1 - z) * np.tanh(i_n + sigmoid(ir + hr) * h_n) + z * state[0],)


def rnn_cell(of_input, of_state, state):
    return (np.tanh(of_input + of_state),)


def recurrent(layer, cell, gates, states, x, hidden, layers, directions):
    n = x.shape[0]
    last = []
    for number in range(layers):
        outputs = []
        for suffix in ("", "_reverse")[:directions]:
            end = f"l{number}{suffix}"
            rows = gates * hidden
            w = weights(layer, **{f"weight_ih_{end}": (rows, x.shape[2]),
                                  f"weight_hh_{end}": (rows, hidden),
                                  f"bias_ih_{end}": (rows,), f"bias_hh_{end}": (rows,)})
            now = tuple(np.zeros((n, hidden)) for _ in range(states))
            output = np.empty((n, x.shape[1], hidden))
            steps = range(x.shape[1])
            for t in reversed(steps) if suffix else steps:
                now = cell(x[:, t] @ w[f"weight_ih_{end}"].T + w[f"bias_ih_{end}"],
                           now[0] @ w[f"weight_hh_{end}"].T + w[f"bias_hh_{end}"], now)
                output[:, t] = now[0]
            outputs.append(output)
            last.append(now[0])
        x = np.concatenate(outputs, -1)
    return x, np.stack(last)


for name, cell, gates, states, layers, directions in (("lstm", lstm_cell, 4, 2, 2, 2),
                                                      ("gru", gru_cell, 3, 1, 2, 1),
                                                      ("rnn", rnn_cell, 1, 1, 1, 2)):
    x = draw(2, 4, 3)
    y, last = recurrent(name, cell, gates, states, x, 2, layers, directions)
    case(name, y, x=x, last=last)


# torch.nn.MultiheadAttention(4, 2, batch_first=True), and what is built of it
def attention(layer, query, memory, heads=2, causal=False):
    features = query.shape[2]
    w = weights(layer, in_proj_weight=(3 * features, features), in_proj_bias=(3 * features,))
    out = weights(layer + ".out_proj", weight=(features, features), bias=(features,))
    parts = []
    for k, of in enumerate((query, memory, memory)):
        rows = slice(k * features, (k + 1) * features)
        part = of @ w["in_proj_weight"][rows].T + w["in_proj_bias"][rows]
        parts.append(part.reshape(*part.shape[:2], heads, -1).transpose(0, 2, 1, 3))
    q, k, v = parts
    scores = q @ k.transpose(0, 1, 3, 2) / np.sqrt(q.shape[-1])
    if causal:
        scores[..., np.triu(np.ones(scores.shape[-2:], bool), 1)] = -np.inf
    y = (softmax(scores) @ v).transpose(0, 2, 1, 3).reshape(query.shape)
    return y @ out["weight"].T + out["bias"]


def linear(layer, x, size):
    w = weights(layer, weight=(size, x.shape[-1]), bias=(size,))
    return x @ w["weight"].T + w["bias"]


def norm(layer, x):
    w = weights(layer, weight=x.shape[-1:], bias=x.shape[-1:])
    return normalised(x, -1) * w["weight"] + w["bias"]


def feed_forward(layer, x):
    return linear(layer + ".linear2", np.maximum(linear(layer + ".linear1", x, 6), 0), 4)


x = draw(2, 3, 4)
case("attention", attention("attention", x, x, causal=True), x=x)

# torch.nn.TransformerEncoder of 2 layers, of which each normalises what was added
y = x
for number in range(2):
    layer = f"encoder.layers.{number}"
    y = norm(layer + ".norm1", y + attention(layer + ".self_attn", y, y))
    y = norm(layer + ".norm2", y + feed_forward(layer, y))
case("encoder", y, x=x)

# torch.nn.TransformerDecoderLayer(4, 2, 6, norm_first=True)
memory = draw(2, 5, 4)
y = x + attention("decoder.self_attn", *[norm("decoder.norm1", x)] * 2, causal=True)
y = y + attention("decoder.multihead_attn", norm("decoder.norm2", y), memory)
y = y + feed_forward("decoder", norm("decoder.norm3", y))
case("decoder", y, x=x, memory=memory)


def save(name, arrays):
    header, data = {}, b""
    for key, value in arrays.items():
        value = np.asarray(value)
        content = value.astype("<i8" if value.dtype.kind == "i" else "<f8").tobytes()
        header[key] = {"dtype": "I64" if value.dtype.kind == "i" else "F64",
                       "shape": list(value.shape),
                       "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(os.path.join(here, name), "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


save("state.safetensors", state)
save("cases.safetensors", cases)
