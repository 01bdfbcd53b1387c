#!/usr/bin/env bash
# Measures this build beside wrk and hey, everything over loopback; bench/README.md says how to read it.
#
#   bench/run.sh                    all measurements, less than ten minutes
#   bench/run.sh get_loop memory    some of them
#   bench/run.sh --store            all, and bench/SCORECARD.md
#
# KILN=path (default build/kiln), BENCH_SECONDS and BENCH_ROUNDS for the HTTP loops, BENCH_VUS for many_vus.
set -euo pipefail
cd "$(dirname "$0")/.."

tools/setup.sh bench
export KILN=${KILN:-$PWD/build/kiln}
# 20,000 VUs of a server test need descriptors; raising the soft limit is free.
ulimit -n "$(ulimit -Hn)" 2>/dev/null || true
exec python3 bench/all.py "$@"
