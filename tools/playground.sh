#!/usr/bin/env bash
# The playground without containers: quickpizza, and Prometheus where it is installed, until Ctrl-C.
# Each run begins with an empty database; ports that are taken give way to others.
#
# PIZZA_PORT (3333) and PROMETHEUS_PORT (9090) are the ports to try first; QUICKPIZZA_* goes to quickpizza.
set -euo pipefail
cd "$(dirname "$0")/.."

build=${BUILD:-build}
say() { printf 'playground: %s\n' "$*"; }

listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# port_or_other WANTED NAME: the wanted port, or a free one and a word about it on stderr.
port_or_other() {
    if listens "$1"; then
        local other
        other=$(free_port)
        say "something listens on port $1 already: $2 takes $other" >&2
        echo "$other"
    else
        echo "$1"
    fi
}

folder=$(mktemp -d)
pids=()
stop() {
    trap - EXIT INT TERM
    local pid
    for pid in "${pids[@]}"; do
        kill "$pid" 2>/dev/null || true
    done
    for pid in "${pids[@]}"; do
        wait "$pid" 2>/dev/null || true
    done
    rm -rf "$folder"
}
trap stop EXIT
trap 'exit 0' INT
trap 'exit 143' TERM

# is_ready PORT PATH: does it answer 200 there?
is_ready() {
    local status
    status=$( (exec 3<>"/dev/tcp/127.0.0.1/$1" && printf 'GET %s HTTP/1.0\r\n\r\n' "$2" >&3 && head -n 1 <&3) 2>/dev/null)
    [[ $status == 'HTTP/1.'?' 200 '* ]]
}

# started PORT PATH PID NAME LOG: waits until the server is ready.
started() {
    for _ in $(seq 400); do
        is_ready "$1" "$2" && return
        kill -0 "$3" 2>/dev/null || break
        sleep 0.05
    done
    say "$4 did not start:" >&2
    cat "$5" >&2
    exit 1
}

# In sessions of their own: a Ctrl-C in the terminal is for this script, which then stops them.
pizza=$(port_or_other "${PIZZA_PORT:-3333}" quickpizza)
setsid "$build/quickpizza" --listen "127.0.0.1:$pizza" 2>"$folder/quickpizza.log" &
pids+=($!)
started "$pizza" /ready $! quickpizza "$folder/quickpizza.log"

prometheus=
if command -v prometheus >/dev/null; then
    prometheus=$(port_or_other "${PROMETHEUS_PORT:-9090}" prometheus)
    sed "s/quickpizza:3333/127.0.0.1:$pizza/" deploy/prometheus.yaml >"$folder/prometheus.yaml"
    setsid prometheus --config.file "$folder/prometheus.yaml" --storage.tsdb.path "$folder/data" \
        --web.listen-address "127.0.0.1:$prometheus" --web.enable-remote-write-receiver \
        --enable-feature native-histograms >"$folder/prometheus.log" 2>&1 &
    pids+=($!)
    started "$prometheus" /-/ready $! prometheus "$folder/prometheus.log"
fi

say "quickpizza is at http://localhost:$pizza (log: $folder/quickpizza.log)"
test="$build/kiln run"
[ "$pizza" = 3333 ] || test="$test -e BASE_URL=http://localhost:$pizza"
if [ -n "$prometheus" ]; then
    say "Prometheus is at http://localhost:$prometheus"
    test="$test --out experimental-prometheus-rw"
    [ "$prometheus" = 9090 ] || test="K6_PROMETHEUS_RW_SERVER_URL=http://localhost:$prometheus/api/v1/write $test"
else
    say "Prometheus is not installed: without it there is no --out experimental-prometheus-rw"
fi
say "a test, in another terminal: $test examples/test.js"
say "Ctrl-C stops it all"

# Whichever ends first by itself ends the rest.
wait -n "${pids[@]}" || true
say "a server has stopped:" >&2
tail -n 5 "$folder"/*.log >&2
exit 1
