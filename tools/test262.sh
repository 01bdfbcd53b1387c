#!/usr/bin/env bash
# The ECMAScript conformance suite against QuickJS as kiln builds it.
#
#   git clone https://github.com/tc39/test262 /tmp/test262
#   tools/test262.sh /tmp/test262
#
# Runs test/language and test/built-ins, each test in sloppy and in strict mode. Features that this
# QuickJS does not have (test262.conf of its sources names them) are skipped and counted as such. Needs
# a build (make); what failed is in build/test262/failures.txt. Takes some minutes of one core.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
suite=$(cd "${1:?usage: tools/test262.sh TEST262_DIR}" && pwd)
build=${BUILD:-$root/build}
quickjs=$root/.deps/quickjs
work=$build/test262

die() {
    printf 'test262: %s\n' "$*" >&2
    exit 1
}

[ -d "$suite/harness" ] || die "$suite is no checkout of test262"
[ -e "$build/libquickjs.a" ] || die "no $build/libquickjs.a, run make first"
mkdir -p "$work/test262/test"
ln -sfn "$suite/harness" "$work/test262/harness"
for part in language built-ins; do ln -sfn "$suite/test/$part" "$work/test262/test/$part"; done

# QuickJS's own runner, with import() allowed as in --compatibility-mode web.
sed 's/^\( *\)JS_SetModuleLoaderFunc(rt, /\1JS_AllowDynamicImport(rt);\n&/' "$quickjs/run-test262.c" >"$work/run.c"
cc -O1 -w -D_GNU_SOURCE -DCONFIG_VERSION='"kiln"' -DCONFIG_AGENT -I"$quickjs" -o "$work/run" \
    "$work/run.c" "$quickjs/quickjs-libc.c" "$build/libquickjs.a" -lm -lpthread -ldl

cd "$work"
: >test262_errors.txt # all failures are new ones
./run -m -c "$quickjs/test262.conf" -a >log.txt 2>&1 || true
tr '\r' '\n' <log.txt | grep -ao 'test262/test/.*' | sort -u >failures.txt || true
grep -a '^Result' log.txt || die "the run ended early, see $work/log.txt"
