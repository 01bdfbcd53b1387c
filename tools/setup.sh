#!/usr/bin/env bash
# Installs what kiln needs on Debian and puts QuickJS's sources into .deps/quickjs.
#
#   tools/setup.sh build    what `make` needs (the default)
#   tools/setup.sh test     … and what `make test` needs
#   tools/setup.sh fuzz     … and what `make fuzz` needs
#   tools/setup.sh bench    … `make test` and what `make bench` needs
#
# Says what it does, does only what is missing, and may run as often as one likes: with everything in
# place it calls neither apt nor npm. Works as root or through sudo. Mirrors are those of the machine's
# own apt and npm configuration.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
deps=$root/.deps
level=${1:-build}

say() { printf 'setup: %s\n' "$*"; }
die() {
    printf 'setup: %s\n' "$*" >&2
    exit 1
}

case $level in
build | test | fuzz | bench) ;;
*) die "unknown level '$level': expected build, test, fuzz or bench" ;;
esac

# ---------------------------------------------------------------- packages

packages_build="gcc g++ make cmake ninja-build pkg-config python3 git ca-certificates xz-utils patch
    libuv1-dev libssl-dev libc-ares-dev libnghttp2-dev zlib1g-dev libbrotli-dev libzstd-dev
    libmicrohttpd-dev libsqlite3-dev libpq-dev libcrypt-dev libjansson-dev libgumbo-dev
    libcurl4-openssl-dev libsnappy-dev nodejs npm"
packages_test="libcmocka-dev clang-format curl openssl zsh fish nghttp2-server postgresql chromium
    prometheus influxdb python3-grpcio python3-jsonschema python3-yaml redis-server iproute2 busybox"
packages_fuzz="clang"
packages_bench="wrk hey nginx-light nghttp2-client"

# A package is there when dpkg says so, or when what we want of it is there by another way: a newer
# clang-format from elsewhere, a node that some other package brought, a compiler put there by hand.
has_package() {
    case $1 in
    gcc | g++ | make | cmake | python3 | git | curl | wrk | hey | clang | clang-format | patch | openssl)
        command -v "$1" >/dev/null && return 0 ;;
    xz-utils) command -v xz >/dev/null && return 0 ;;
    ninja-build) command -v ninja >/dev/null && return 0 ;;
    pkg-config) command -v pkg-config >/dev/null && return 0 ;;
    nginx-light) { command -v nginx || [ -x /usr/sbin/nginx ]; } >/dev/null && return 0 ;;
    nodejs) command -v node >/dev/null && return 0 ;;
    npm) command -v npm >/dev/null && return 0 ;;
    chromium) { command -v chromium || command -v google-chrome; } >/dev/null && return 0 ;;
    esac
    dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'ok installed'
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "needs root for: $* (run it as root, or install sudo)"
    fi
}

lists_are_fresh=no
refresh_lists() {
    [ $lists_are_fresh = yes ] && return
    say "reading the package lists (apt-get update)"
    as_root apt-get -qq update || say "apt-get update had errors; going on with the lists there are"
    lists_are_fresh=yes
}

# Of these only the programs are wanted: the tests start servers of their own, on ports of their own.
services="prometheus influxdb redis-server"
policy=/usr/sbin/policy-rc.d

# Debian starts a service when its package is installed, unless policy-rc.d says no.
forbid_services() {
    [ -e $policy ] && return
    printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null
    as_root chmod +x $policy
    trap allow_services EXIT
}

allow_services() {
    trap - EXIT
    as_root rm -f $policy
}

# disable_services PACKAGE…: nor shall what was just installed start with the machine.
disable_services() {
    local name
    command -v systemctl >/dev/null || return 0
    for name in "$@"; do
        case " $services " in
        *" $name "*) as_root systemctl disable "$name" >/dev/null 2>&1 || say "could not disable the service $name" ;;
        esac
    done
}

# install_packages NAME…: those that are missing, in one call of apt-get.
install_packages() {
    local missing=() name
    for name in "$@"; do
        has_package "$name" || missing+=("$name")
    done
    [ ${#missing[@]} = 0 ] && return
    command -v apt-get >/dev/null ||
        die "missing: ${missing[*]}. This script installs packages on Debian only; install them by your system's own means"
    refresh_lists
    say "installing ${missing[*]}"
    forbid_services
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install \
        -o Dpkg::Use-Pty=0 "${missing[@]}" >"$deps/apt.log" 2>&1 || {
        tail -n 30 "$deps/apt.log" >&2
        die "apt-get could not install ${missing[*]}"
    }
    [ "$(trap -p EXIT)" = '' ] || allow_services
    disable_services "${missing[@]}"
}

# ---------------------------------------------------------------- QuickJS
# Debian 13's source package, also on Debian 12: a temporary apt configuration names Debian 13 at the
# mirror which the machine itself uses for its release, so the signatures are checked by apt as ever.

quickjs_version=2025.04.26
quickjs_tar=quickjs_$quickjs_version.orig.tar.xz
quickjs_sha256=ec81da5b3249ed648dbc7df4a1654988910e66a118d9b71cb63534216efcfbbe
quickjs_suite=trixie

# The stamp changes with the tarball and with our patches, so that a new patch unpacks afresh.
quickjs_stamp() {
    { echo "$quickjs_sha256" && cat "$root"/third_party/quickjs/*.patch 2>/dev/null || true; } |
        sha256sum | cut -d ' ' -f 1
}

# Prints 'URI signed-by' of the first apt source that serves main of a Debian release: no security,
# updates or backports suites, no third party. Reads *.sources and one-line lists.
debian_mirror() {
    python3 - "$(. /etc/os-release && echo "${VERSION_CODENAME:-}")" <<'PY'
import glob, re, sys
suites = {sys.argv[1], 'stable', 'oldstable'} - {''}
keyring = '/usr/share/keyrings/debian-archive-keyring.gpg'
rows = []
for path in sorted(glob.glob('/etc/apt/sources.list.d/*.sources')):
    for stanza in re.split(r'\n\s*\n', open(path, encoding='utf-8', errors='replace').read()):
        fields, key = {}, None
        for line in stanza.splitlines():
            if line.startswith('#') or not line.strip():
                continue
            if line[0] in ' \t' and key:
                fields[key] += ' ' + line.strip()
            elif ':' in line:
                key, value = line.split(':', 1)
                key = key.strip().lower()
                fields[key] = value.strip()
        if fields.get('enabled', 'yes').lower() in ('no', 'false', '0'):
            continue
        if 'deb' not in fields.get('types', 'deb').split():
            continue
        for uri in fields.get('uris', '').split():
            rows.append((uri, fields.get('suites', '').split(), fields.get('components', '').split(),
                         fields.get('signed-by', '')))
for path in ['/etc/apt/sources.list'] + sorted(glob.glob('/etc/apt/sources.list.d/*.list')):
    try:
        text = open(path, encoding='utf-8', errors='replace').read()
    except OSError:
        continue
    for line in text.splitlines():
        m = re.match(r'\s*deb(?:-src)?\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+(.*)', line.split('#')[0])
        if m:
            signed = re.search(r'signed-by=(\S+)', m.group(1) or '')
            rows.append((m.group(2), [m.group(3)], m.group(4).split(), signed.group(1) if signed else ''))
for uri, names, components, signed in rows:
    if suites & set(names) and 'main' in components and not uri.startswith('cdrom:'):
        print(uri, signed if signed.startswith('/') else keyring)
        break
PY
}

fetch_quickjs() {
    local work=$1 mirror signed candidate
    # The machine's own release first, when its sources are in its configuration.
    if candidate=$(cd "$work" && apt-get -qq source --download-only "quickjs=$quickjs_version-1" 2>/dev/null); then
        if [ -f "$work/$quickjs_tar" ]; then
            return
        fi
    fi
    read -r mirror signed <<<"$(debian_mirror)"
    [ -n "${mirror:-}" ] || die "cannot find a Debian mirror in /etc/apt: put $quickjs_tar (Debian source package quickjs) into .deps/ and run this again"
    say "taking the source package quickjs $quickjs_version of Debian $quickjs_suite from this machine's mirror"
    mkdir -p "$work/state/lists/partial" "$work/cache/archives/partial" "$work/etc"
    echo "deb-src [signed-by=$signed] $mirror $quickjs_suite main" >"$work/etc/sources.list"
    cat >"$work/apt.conf" <<EOF
Dir::State "$work/state";
Dir::State::status "/var/lib/dpkg/status";
Dir::Cache "$work/cache";
Dir::Etc::SourceList "$work/etc/sources.list";
Dir::Etc::SourceParts "/dev/null";
APT::Sandbox::User "";
EOF
    (
        cd "$work"
        export APT_CONFIG=$work/apt.conf
        apt-get -qq update && apt-get -qq source --download-only "quickjs=$quickjs_version-1"
    ) >"$deps/quickjs.log" 2>&1 || {
        cat "$deps/quickjs.log" >&2
        die "cannot fetch the source package quickjs"
    }
}

setup_quickjs() {
    local dir=$deps/quickjs stamp patch work
    stamp=$(quickjs_stamp)
    if [ "$(cat "$dir/.stamp" 2>/dev/null)" = "$stamp" ]; then
        return
    fi
    if ! echo "$quickjs_sha256  $deps/$quickjs_tar" | sha256sum --status -c 2>/dev/null; then
        work=$(mktemp -d)
        fetch_quickjs "$work"
        echo "$quickjs_sha256  $work/$quickjs_tar" | sha256sum --status -c ||
            die "$quickjs_tar does not have the SHA-256 that this script expects"
        mv "$work/$quickjs_tar" "$deps/"
        rm -rf "$work"
    fi
    say "unpacking QuickJS $quickjs_version into .deps/quickjs"
    rm -rf "$dir" "$dir.new"
    mkdir -p "$dir.new"
    # -m: new times, so that what was built from the former sources is built again.
    tar -xJmf "$deps/$quickjs_tar" -C "$dir.new" --strip-components=1
    for patch in "$root"/third_party/quickjs/*.patch; do
        [ -e "$patch" ] || continue
        say "applying ${patch#"$root"/}"
        patch -s -p1 -d "$dir.new" <"$patch" || die "${patch#"$root"/} does not apply"
    done
    echo "$stamp" >"$dir.new/.stamp"
    mv "$dir.new" "$dir"
}

# ---------------------------------------------------------------- scripts from npm

# take_from_npm NAME: the packages of third_party/NAME's lock file, into .deps/NAME. False when they are there
# already; the caller writes the stamp when it is done with them.
take_from_npm() {
    local name=$1 dir=$deps/$1
    npm_stamp=$(cat "$root/third_party/$name"/*.json | sha256sum | cut -d ' ' -f 1)
    if [ "$(cat "$dir/.stamp" 2>/dev/null)" = "$npm_stamp" ]; then
        return 1
    fi
    say "taking the packages of third_party/$name from npm into .deps/$name"
    rm -rf "$dir"
    mkdir -p "$dir"
    cp "$root/third_party/$name"/*.json "$dir/"
    npm ci --prefix "$dir" --ignore-scripts --no-audit --no-fund --loglevel=error >"$deps/npm.log" 2>&1 || {
        cat "$deps/npm.log" >&2
        die "npm could not install the packages of third_party/$name"
    }
}

# What kiln embeds for scripts that import libraries from jslib.k6.io.
setup_jslib() {
    local dir=$deps/jslib
    take_from_npm jslib || return 0
    mkdir -p "$dir/embed"
    cp "$dir/node_modules/ajv/dist/ajv.min.js" "$dir/embed/ajv.js"
    cp "$dir/node_modules/chai/chai.js" "$dir/embed/chai.js"
    cp "$dir/node_modules/jsonpath/jsonpath.min.js" "$dir/embed/jsonpath.js"
    cp "$dir/node_modules/papaparse/papaparse.min.js" "$dir/embed/papaparse.js"
    echo "$npm_stamp" >"$dir/.stamp"
}

# What kiln embeds to run inside of pages.
setup_browser_scripts() {
    local dir=$deps/browser
    take_from_npm browser || return 0
    # The page's side of Playwright is a JavaScript string in a module: the string's contents.
    node -e 'require("fs").writeFileSync(process.argv[2], require(process.argv[1]).source)' \
        "$dir/node_modules/playwright-core/lib/generated/injectedScriptSource.js" "$dir/injected.js"
    cp "$dir/node_modules/web-vitals/dist/web-vitals.iife.js" "$dir/web-vitals.js"
    node -e '
        const all = require(process.argv[1]), out = {};
        for (const name of Object.keys(all)) {
            const { userAgent, viewport, deviceScaleFactor, isMobile, hasTouch } = all[name];
            out[name] = { name, userAgent, viewport, deviceScaleFactor, isMobile, hasTouch };
        }
        require("fs").writeFileSync(process.argv[2], JSON.stringify(out));' \
        "$dir/node_modules/playwright-core/lib/server/deviceDescriptorsSource.json" "$dir/devices.json"
    echo "$npm_stamp" >"$dir/.stamp"
}

# gRPC's own server in JavaScript, which tests talk to.
setup_grpc_server() {
    take_from_npm grpc-js || return 0
    echo "$npm_stamp" >"$deps/grpc-js/.stamp"
}

# ---------------------------------------------------------------- Node.js
# The test server of the conformance suite is made for Node 20. The machine's own when it is new enough;
# otherwise the npm package `node`, which carries the program, in .deps/node. Debian 12's Node 18 starts
# the server too, so it has to do where npm is of no help.

node_is_new() {
    [ -x "$1" ] && [ "$("$1" -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0)" -ge 20 ]
}

setup_node() {
    local own
    own=$(command -v node || true)
    if [ -n "$own" ] && node_is_new "$own"; then
        return
    fi
    if node_is_new "$deps/node/node_modules/node/bin/node"; then
        return
    fi
    say "this machine's node is $("$own" --version): taking Node.js 20 from npm into .deps/node"
    mkdir -p "$deps/node"
    npm install --prefix "$deps/node" --no-audit --no-fund --loglevel=error node@20 >"$deps/npm.log" 2>&1 ||
        cat "$deps/npm.log" >&2
    if ! node_is_new "$deps/node/node_modules/node/bin/node"; then
        rm -rf "$deps/node"
        say "npm could not install Node.js 20: going on with $("$own" --version), for which the suite is not made"
    fi
}

# ---------------------------------------------------------------- main

mkdir -p "$deps"
wanted=$packages_build
[ $level = build ] || wanted="$wanted $packages_test"
[ $level != fuzz ] || wanted="$wanted $packages_fuzz"
[ $level != bench ] || wanted="$wanted $packages_bench"
# shellcheck disable=SC2086
install_packages $wanted
setup_quickjs
setup_browser_scripts
setup_jslib
[ $level = build ] || setup_node
[ $level = build ] || setup_grpc_server
