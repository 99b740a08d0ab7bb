"""PyTorch's side of bench/training.ts: LeNet-5 on MNIST with DistributedDataParallel over gloo, one CPU thread a process.

    python3 -m pip install torch==2.13.0 numpy
    python3 ddp_lenet.py FOLDER WORKERS BATCH_PER_WORKER STEPS [none|core]

FOLDER has the four IDX files of MNIST. Adam with its defaults, channels_last, which is PyTorch's faster layout here. With `core` each
process keeps to a core of its own (Linux). Prints
one line, {"version": ..., "imagesPerSecond": ...}, of training alone, after some steps to warm up.
"""

import json
import os
import socket
import sys
import time

import numpy
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import nn
from torch.nn.parallel import DistributedDataParallel

WARM_UP_STEPS = 10


def images_and_labels(folder):
    pixels = numpy.fromfile(os.path.join(folder, "train-images-idx3-ubyte"), numpy.uint8)[16:]
    labels = numpy.fromfile(os.path.join(folder, "train-labels-idx1-ubyte"), numpy.uint8)[8:]
    images = torch.from_numpy(pixels.astype(numpy.float32) / 255).reshape(-1, 1, 28, 28)
    return images, torch.from_numpy(labels.astype(numpy.int64))


def lenet5():
    convolutions = [nn.Conv2d(1, 6, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2)]
    dense = [nn.Linear(256, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)]
    return nn.Sequential(*convolutions, nn.Flatten(), *dense).to(memory_format=torch.channels_last)


def run(rank, folder, workers, batch, steps, port, bind_to):
    if bind_to == "core":
        os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[rank]})
    torch.set_num_threads(1)
    torch.manual_seed(1)
    model = lenet5()
    if workers > 1:
        os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port), GLOO_SOCKET_IFNAME="lo")
        dist.init_process_group("gloo", rank=rank, world_size=workers)
        model = DistributedDataParallel(model)
    images, labels = images_and_labels(folder)
    optimizer = torch.optim.Adam(model.parameters())
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(1))
    begin = 0.0
    for step in range(WARM_UP_STEPS + steps):
        if step == WARM_UP_STEPS:
            begin = time.perf_counter()
        first = (step * workers + rank) * batch % (len(images) - batch)
        chosen = order[first : first + batch]
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(images[chosen]), labels[chosen]).backward()
        optimizer.step()
    if rank == 0:
        rate = steps * workers * batch / (time.perf_counter() - begin)
        print(json.dumps({"version": "torch " + torch.__version__, "imagesPerSecond": round(rate)}), flush=True)
    if workers > 1:
        dist.barrier()
        dist.destroy_process_group()


def main():
    folder, (workers, batch, steps) = sys.argv[1], map(int, sys.argv[2:5])
    bind_to = sys.argv[5] if len(sys.argv) > 5 else "none"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    if workers == 1:
        run(0, folder, workers, batch, steps, port, bind_to)
    else:
        mp.spawn(run, (folder, workers, batch, steps, port, bind_to), nprocs=workers)


if __name__ == "__main__":
    main()
