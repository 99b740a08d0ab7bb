"""gloo's side of bench/exchange.ts: all-reduce between processes over loopback, the collective of PyTorch DDP on CPUs.

    python3 -m pip install torch==2.13.0 numpy

Answers questions, so that both sides take turns within the same minutes. `python3 gloo_allreduce.py WORKERS` writes one line,
{"version": ...}, when all ranks are connected. For each line in, {"floats": 44426, "calls": 12}, one line out: the
milliseconds of each call on rank 0 and the processor seconds of all ranks together. Ends with its input.
"""

import json
import os
import socket
import sys
import time

import torch
import torch.distributed as dist
import torch.multiprocessing as mp

WARM_UP_CALLS = 2


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def measure(vectors, floats, calls):
    """@returns milliseconds of each call, processor seconds of this rank"""
    if floats not in vectors:
        vectors[floats] = torch.zeros(floats)
    vector, milliseconds, cpu = vectors[floats], [], 0.0
    for call in range(WARM_UP_CALLS + calls):
        if call == WARM_UP_CALLS:
            cpu = time.process_time()
        begin = time.perf_counter()
        dist.all_reduce(vector)
        if call >= WARM_UP_CALLS:
            milliseconds.append((time.perf_counter() - begin) * 1e3)
    return milliseconds, time.process_time() - cpu


def run(rank, workers, port, questions):
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port), GLOO_SOCKET_IFNAME="lo")
    torch.set_num_threads(1)
    dist.init_process_group("gloo", rank=rank, world_size=workers)
    vectors = {}
    while True:
        question = questions[rank].get()
        if question is None:
            break
        milliseconds, cpu = measure(vectors, question["floats"], question["calls"])
        questions[workers].put((rank, milliseconds, cpu))
    dist.destroy_process_group()


def main():
    workers = int(sys.argv[1])
    questions = [mp.get_context("spawn").Queue() for _ in range(workers + 1)]
    ranks = mp.spawn(run, (workers, free_port(), questions), nprocs=workers, join=False)
    print(json.dumps({"version": "gloo of torch " + torch.__version__}), flush=True)
    for line in sys.stdin:
        for rank in range(workers):
            questions[rank].put(json.loads(line))
        answers = sorted(questions[workers].get() for _ in range(workers))
        cpu = sum(seconds for _, _, seconds in answers)
        print(json.dumps({"milliseconds": answers[0][1], "cpuSeconds": cpu}), flush=True)
    for rank in range(workers):
        questions[rank].put(None)
    ranks.join()


if __name__ == "__main__":
    main()
