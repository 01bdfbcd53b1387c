#!/usr/bin/env bash
# Is the C code laid out as .clang-format says? `--fix` makes it so.
set -euo pipefail
cd "$(dirname "$0")/.."

mapfile -t files < <(git ls-files -- 'src/*.[ch]' 'playground/*.[ch]' 'tests/unit/*.[ch]' \
    'tests/fuzz/*.[ch]' 'bench/*.[ch]')
[ ${#files[@]} -gt 0 ] || exit 0

if [ "${1:-}" = --fix ]; then
    clang-format -i "${files[@]}"
    exit
fi

bad=0
for file in "${files[@]}"; do
    if ! clang-format "$file" | cmp -s - "$file"; then
        echo "$file: not formatted; the first lines that differ (- as it is, + as it should be):"
        { clang-format "$file" | diff -u0 "$file" - || true; } | sed -n '3,8p'
        bad=$((bad + 1))
    fi
done
[ $bad = 0 ] || {
    echo "$bad of ${#files[@]} files: run make format"
    exit 1
}
