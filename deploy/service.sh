#!/bin/sh
# The coordinator of the run in a folder, for whatever starts it again and again (systemd, Compose, Kubernetes):
#
#     service.sh DIR [flags of lockstep coordinator]
#
# A run that was interrupted and saved goes on from there. One whose coordinator was lost is taken over while its workers
# go on. One that lost everybody goes on from its newest checkpoint. Where there is none, a run begins.
#
# With NATS (LOCKSTEP_NATS, LOCKSTEP_RUN) a coordinator that is started again stands by: its own lease may not have run out
# yet, or a standby may have taken the run over. A run that lost everybody then waits for a person.
set -u
dir=${1:?the folder of the run is missing}
shift

# The last word of a run that has ended: its workers were told.
if tail -n 1 "$dir/journal.jsonl" 2>/dev/null | grep -q '"kind":"told"'; then
  unset LOCKSTEP_STANDBY # there is nobody to wait for
  exec lockstep coordinator --resume "$dir" "$@"
fi

if [ -n "${LOCKSTEP_NATS:-}" ] && [ -s "$dir/journal.jsonl" ]; then
  export LOCKSTEP_STANDBY=true
fi
lockstep coordinator --restore --out "$dir" "$@" &
coordinator=$!
told=yes
trap 'told=yes; kill -TERM "$coordinator"' TERM INT
while [ -n "$told" ]; do
  told=
  wait "$coordinator" # a signal interrupts it; the coordinator then still has to save
  code=$?
done

# 3: nobody was left who had the state.
if [ "$code" -eq 3 ] && [ -z "${LOCKSTEP_NATS:-}" ] && [ -n "$(find "$dir/checkpoints" -name '*.safetensors' 2>/dev/null)" ]; then
  exec lockstep coordinator --resume "$dir" "$@"
fi
exit "$code"
