#!/usr/bin/env bash
# The first minute: starts the playground, runs examples/test.js against it, stops it again.
# The exit code is kiln's.
set -euo pipefail
cd "$(dirname "$0")/.."

build=${BUILD:-build}
script=${SCRIPT:-examples/test.js}
port=3333

listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

if listens $port; then
    port=$(free_port)
    echo "demo: something listens on port 3333 already: the playground takes $port"
fi

log=$(mktemp)
pid=
stop() {
    if [ -n "$pid" ]; then
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    fi
    rm -f "$log"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

echo "demo: $build/quickpizza --listen 127.0.0.1:$port"
"$build/quickpizza" --listen "127.0.0.1:$port" >"$log" 2>&1 &
pid=$!
for _ in $(seq 100); do
    listens "$port" && break
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
done
if ! kill -0 "$pid" 2>/dev/null || ! listens "$port"; then
    echo "demo: the playground did not start:" >&2
    cat "$log" >&2
    exit 1
fi

echo "demo: $build/kiln run -e BASE_URL=http://localhost:$port $script"
code=0
"$build/kiln" run -e BASE_URL="http://localhost:$port" "$script" || code=$?

cat <<EOF

That was $script. To go on:

  $build/quickpizza
      the playground: open http://localhost:3333 in a browser
  $build/kiln run $script
      the same test, in a second terminal
  $build/kiln --help
      what else there is; examples/ has more scripts, one a chapter
  make install
      kiln, quickpizza and the link k6 -> kiln, into ${PREFIX:-/usr/local}/bin (PREFIX=… for elsewhere)
EOF
exit $code
