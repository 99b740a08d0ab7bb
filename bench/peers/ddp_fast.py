"""PyTorch's side of bench/fast-99.ts: the net and recipe of the preset fast-99 with DistributedDataParallel over gloo.

    python3 -m pip install torch==2.13.0 numpy
    python3 ddp_fast.py FOLDER WORKERS SEED

FOLDER has the four IDX files of MNIST. One epoch, 256 images a step over all workers, one CPU thread each, channels_last, which is
PyTorch's faster layout here. Prints one line, {"testAccuracy": ..., "imagesPerSecond": ...}, the latter of training alone.
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

BATCH = 256
MEAN, DEVIATION = 0.1307, 0.3081


def images_and_labels(folder, which):
    pixels = numpy.fromfile(os.path.join(folder, which + "-images-idx3-ubyte"), numpy.uint8)[16:]
    labels = numpy.fromfile(os.path.join(folder, which + "-labels-idx1-ubyte"), numpy.uint8)[8:]
    images = torch.from_numpy(pixels.astype(numpy.float32) / 255).reshape(-1, 1, 28, 28)
    return (images - MEAN) / DEVIATION, torch.from_numpy(labels.astype(numpy.int64))


def fast():
    convolutions = [nn.Conv2d(1, 24, 5), nn.MaxPool2d(2), nn.ReLU(), nn.Conv2d(24, 32, 3), nn.MaxPool2d(2), nn.ReLU()]
    return nn.Sequential(*convolutions, nn.Flatten(), nn.Linear(800, 256), nn.ReLU(), nn.Linear(256, 10))


def run(rank, folder, workers, seed, port):
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    net = fast().to(memory_format=torch.channels_last)
    model = net
    if workers > 1:
        os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port), GLOO_SOCKET_IFNAME="lo")
        dist.init_process_group("gloo", rank=rank, world_size=workers)
        model = DistributedDataParallel(net)
    images, labels = images_and_labels(folder, "train")
    steps = len(images) // BATCH
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01, betas=(0.7, 0.9))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.01, total_steps=steps, cycle_momentum=False)
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))
    begin = time.perf_counter()
    for step in range(steps):
        chosen = order[step * BATCH : (step + 1) * BATCH].chunk(workers)[rank]
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(images[chosen]), labels[chosen]).backward()
        optimizer.step()
        schedule.step()
    rate = steps * BATCH / (time.perf_counter() - begin)
    if rank == 0:
        images, labels = images_and_labels(folder, "t10k")
        with torch.no_grad():
            accuracy = (net(images).argmax(1) == labels).float().mean().item()
        print(json.dumps({"testAccuracy": round(accuracy, 4), "imagesPerSecond": round(rate)}), flush=True)
    if workers > 1:
        dist.barrier()
        dist.destroy_process_group()


def main():
    folder, (workers, seed) = sys.argv[1], map(int, sys.argv[2:4])
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    arguments = (folder, workers, seed, port)
    if workers == 1:
        run(0, *arguments)
    else:
        mp.spawn(run, arguments, nprocs=workers)


if __name__ == "__main__":
    main()
