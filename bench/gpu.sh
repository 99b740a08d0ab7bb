#!/usr/bin/env bash
# The engine webgpu on this machine's GPU: its contract suite, images a second beside PyTorch on the same GPU, and MNIST to 0.99.
#
#     bench/gpu.sh [--quick] [--gpu auto] [--json FILE] [--compile] [--sweep] [--models lenet5,fast,lenet] [--batches 128,512,...]
#
# PYTHON names an interpreter with PyTorch and CUDA (default python3; without one PyTorch is not run), NODE a Node.js. Builds
# first, unless PREBUILT=1 says that dist/ is there. --quick tries everything once with tiny sizes, also where a
# program plays the GPU (--gpu swiftshader). What is measured is printed as it comes.
set -euo pipefail
cd "$(dirname "$0")/.."
node=${NODE:-node}
quick='' gpu=auto
arguments=("$@")
while (($#)); do
  case $1 in
    --quick) quick=1 ;;
    --gpu) gpu=$2; shift ;;
  esac
  shift
done
[ "${PREBUILT:-}" ] || "$node" scripts/build.mjs

echo "== contract suite"
LOCKSTEP_GPU=$gpu "$node" --test --test-reporter=dot dist/test/unit/engine/wgsl-engine.test.js || failed=1
echo "== ${failed:+NOT }passed"

torch=(--python "${PYTHON:-python3}")
[ -z "$quick" ] || torch+=(--torch-device cpu)
"$node" dist/bench/gpu.js "${torch[@]}" "${arguments[@]}" || failed=1

echo "== MNIST to 0.99"
run=(--engine webgpu --gpu "$gpu" --model lenet5 --workers 1 --global-batch 256 --micro-batch 256 --seed 1)
if [ "$quick" ]; then run+=(--steps 2); else run+=(--epochs 20 --target-accuracy 0.99); fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
time "$node" bin/lockstep.js train "${run[@]}" --metrics-port 0 --out "$folder/run" || failed=1
exit "${failed:-0}"
