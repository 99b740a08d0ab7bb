"""PyTorch's side of bench/engines.ts and bench/gpu.ts: forward and backward of one micro-batch, on one CPU thread or a GPU.

    python3 -m pip install torch==2.13.0 numpy

Answers questions, so that both sides take turns within the same minutes. The first line out is {"version": ...}. For
each line in, {"model": "lenet5", "batch": 128, "repeats": 5}, one line out: the median milliseconds of each memory
layout, {"contiguous": 8.1, "channels_last": 9.0}. Ends with its input.

With --device the answer has other names: {"eager": 0.9, "eager without reading": 0.8}, the better layout of each, and for
"compile": true in the question also {"compile": 0.5}. A step then ends when all gradients are in pinned memory of the host, as
one copy; "without reading" when the device is done. Matrix products and convolutions are in float32 proper: TF32 is off.
"""

import argparse
import json
import statistics
import sys
import time

import torch
from torch import nn


def classifier(filters, kernels, features, activation, dense):
    """Two convolutions with max pooling and an activation behind each, then dense layers with activations between them."""
    (first, second), (first_size, second_size) = filters, kernels
    layers = [nn.Conv2d(1, first, first_size), nn.MaxPool2d(2), activation()]
    layers += [nn.Conv2d(first, second, second_size), nn.MaxPool2d(2), activation(), nn.Flatten()]
    for width in dense:
        layers += [nn.Linear(features, width), activation()]
        features = width
    return nn.Sequential(*layers, nn.Linear(features, 10))


def untuned():
    """Three 3x3 convolutions of 32, 64 and 64 channels with batch normalisation, pooled twice; global average pooling."""
    layers = []
    for (channels, filters), pooled in zip(((3, 32), (32, 64), (64, 64)), (True, True, False)):
        layers += [nn.Conv2d(channels, filters, 3, padding=1, bias=False), nn.BatchNorm2d(filters), nn.ReLU()]
        layers += [nn.MaxPool2d(2)] if pooled else []
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


MODELS = {
    "lenet5": lambda: classifier((6, 16), (5, 5), 256, nn.ReLU, (120, 84)),
    "lenet": lambda: classifier((20, 50), (5, 5), 800, nn.Tanh, (500,)),
    "fast": lambda: classifier((24, 32), (5, 3), 800, nn.ReLU, (256,)),
    "untuned": untuned,
    "mlp": lambda: nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10)),
}
SHAPES = {"untuned": (3, 32, 32)}  # else MNIST's
LAYOUTS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}
prepared = {}


def trial(model, batch, layout):
    """A network with its samples, made when it is first asked for and warmed up."""
    key = (model, batch, layout)
    if key not in prepared:
        torch.manual_seed(1)
        network = MODELS[model]().to(memory_format=LAYOUTS[layout])
        samples = torch.rand(batch, *SHAPES.get(model, (1, 28, 28))).to(memory_format=LAYOUTS[layout])
        prepared[key] = (network, samples, torch.arange(batch) % 10)
        for _ in range(3):
            step(*prepared[key])
    return prepared[key]


def step(network, samples, labels):
    """@returns milliseconds"""
    begin = time.perf_counter()
    network.zero_grad()
    nn.functional.cross_entropy(network(samples), labels).backward()
    return (time.perf_counter() - begin) * 1e3


class DeviceTrial:
    """A network with its samples on a device."""

    def __init__(self, device, model, batch, layout, compiled):
        torch.manual_seed(1)
        self.device = device
        network = MODELS[model]().to(device).to(memory_format=LAYOUTS[layout])
        self.parameters = list(network.parameters())
        self.network = torch.compile(network) if compiled else network
        samples = torch.rand(batch, *SHAPES.get(model, (1, 28, 28)), device=device)
        self.samples = samples.to(memory_format=LAYOUTS[layout])
        self.labels = torch.arange(batch, device=device) % 10
        count = sum(parameter.numel() for parameter in self.parameters)
        self.host = torch.empty(count, pin_memory=device == "cuda")
        for _ in range(3):
            self.step(True)

    def step(self, reads):
        """@returns milliseconds"""
        begin = time.perf_counter()
        for parameter in self.parameters:
            parameter.grad = None
        nn.functional.cross_entropy(self.network(self.samples), self.labels, reduction="sum").backward()
        if reads:
            whole = torch.cat([parameter.grad.reshape(-1) for parameter in self.parameters])
            self.host.copy_(whole, non_blocking=True)
        if self.device == "cuda":
            torch.cuda.synchronize()
        return (time.perf_counter() - begin) * 1e3


def device_answer(device, ask):
    def median(layout, compiled, reads):
        key = (ask["model"], ask["batch"], layout, compiled)
        if key not in prepared:
            prepared[key] = DeviceTrial(device, *key)
        return statistics.median(prepared[key].step(reads) for _ in range(ask["repeats"]))

    times = {
        "eager": min(median(layout, False, True) for layout in LAYOUTS),
        "eager without reading": min(median(layout, False, False) for layout in LAYOUTS),
    }
    if ask.get("compile"):
        times["compile"] = median("contiguous", True, True)
    return times


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", choices=("cpu", "cuda"))
    device = parser.parse_args().device
    version = "torch " + torch.__version__
    if device == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False
        version += f", CUDA {torch.version.cuda}, {torch.cuda.get_device_name()}"
    else:
        torch.set_num_threads(1)
    print(json.dumps({"version": version}), flush=True)
    for line in sys.stdin:
        ask = json.loads(line)
        if device:
            print(json.dumps(device_answer(device, ask)), flush=True)
            continue
        times = {}
        for layout in LAYOUTS:
            parts = trial(ask["model"], ask["batch"], layout)
            times[layout] = statistics.median(step(*parts) for _ in range(ask["repeats"]))
        print(json.dumps(times), flush=True)


if __name__ == "__main__":
    main()
