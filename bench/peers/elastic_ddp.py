"""PyTorch DDP under torchrun's elastic agent: what a killed worker costs there. bench/recovery.ts runs it.

    torchrun --nnodes=1 --nproc-per-node=2 --max-restarts=3 --rdzv-backend=c10d --rdzv-endpoint=127.0.0.1:0 \
        --local-addr=127.0.0.1 elastic_ddp.py STEPS CHECKPOINT

Each rank prints a JSON line a step: step, pid, rank. Rank 0 writes a checkpoint after each step, as users of torchrun
have to: a restart begins from it. The model is trivial, so that nothing but the restart is measured.
"""
import json
import os
import sys
import time

import torch
import torch.distributed as dist

steps, checkpoint = int(sys.argv[1]), sys.argv[2]
dist.init_process_group("gloo")
rank = dist.get_rank()
model = torch.nn.parallel.DistributedDataParallel(torch.nn.Linear(64, 10))
optimizer = torch.optim.Adam(model.parameters())
first = 1
if os.path.exists(checkpoint):
    state = torch.load(checkpoint)
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    first = state["step"] + 1
for step in range(first, steps + 1):
    time.sleep(0.01)
    optimizer.zero_grad()
    model(torch.randn(32, 64)).square().mean().backward()
    optimizer.step()
    if rank == 0:
        torch.save({"step": step, "model": model.state_dict(), "optimizer": optimizer.state_dict()}, checkpoint + ".tmp")
        os.replace(checkpoint + ".tmp", checkpoint)
    line = json.dumps({"step": step, "pid": os.getpid(), "rank": rank}) + "\n"
    os.write(1, line.encode())  # in one piece: the ranks share the pipe
dist.destroy_process_group()
