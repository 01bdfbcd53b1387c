#!/usr/bin/env bash
# One minute of libFuzzer for each target of tests/fuzz, or for those named: tools/fuzz.sh url hpack
set -euo pipefail
cd "$(dirname "$0")/.."

cmake -S . -B build-fuzz -G Ninja -DCMAKE_C_COMPILER=clang -DKILN_FUZZ=ON -DKILN_SANITIZE=address --log-level=NOTICE
names=("$@")
if [ ${#names[@]} = 0 ]; then
    for file in tests/fuzz/fuzz_*.c; do
        [ -e "$file" ] || continue
        name=${file##*/fuzz_}
        names+=("${name%.c}")
    done
fi
for name in "${names[@]}"; do
    echo "fuzz: $name"
    cmake --build build-fuzz --target "run_fuzz_$name"
done
