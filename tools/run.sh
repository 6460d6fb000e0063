#!/usr/bin/env bash
# Runs the product for development: database ready, demo data the first time, then web and worker side by side.
# Settings: HOST (127.0.0.1), PORT (8000), and whatever config.py reads. Ctrl-C or SIGTERM stops both.
set -euo pipefail
cd "$(dirname "$0")/.."
host=${HOST:-127.0.0.1}
port=${PORT:-8000}
var=${FUGONG_VAR_DIR:-var}
bin="$PWD/.venv/bin"
web='' worker='' announcer='' stopping=''

fail() {
    echo "make run: $*" >&2
    exit 1
}

if ! [[ $port =~ ^[1-9][0-9]{0,4}$ && $port -le 65535 ]]; then
    fail "PORT must be a number between 1 and 65535, not '$port'."
fi

# config.py makes the addresses in documents and QR codes from it.
export PORT="$port"

bash tools/setup.sh

# Asks for the address the way gunicorn will; says why not.
port_problem() {
    "$bin/python" - "$host" "$port" <<'PY'
import errno, socket, sys
host, port = sys.argv[1], int(sys.argv[2])
try:
    family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    with socket.socket(family, kind) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)
except OSError as error:
    taken = getattr(error, "errno", None) == errno.EADDRINUSE
    print(f"port {port} on {host} is taken by another program; choose one: make run PORT={port % 65535 + 1}"
          if taken else f"cannot listen on {host} port {port}: {error}")
PY
}

problem=$(port_problem)
[ -z "$problem" ] || fail "$problem"

flask() { "$bin/python" -m flask --app wsgi "$@"; }

# Which database the stamp speaks of: its address, and for the SQLite file the very file (a new one is seeded anew).
database_identity() {
    { printf '%s\n' "${FUGONG_DATABASE_URL:-}"; stat -c '%i %W' "$var/fugong.sqlite3" 2>/dev/null || true; } |
        sha256sum | cut -d' ' -f1
}

# Only what the application itself would not start without; each command is idempotent.
prepare() {
    mkdir -p "$var"
    flask db upgrade -d workflow/migrations
    flask flows sync
    flask areas sync
    local stamp="$var/.demo-seeded"
    if [ "$(cat "$stamp" 2>/dev/null)" != "$(database_identity)" ]; then
        echo "Putting in the demo data (the first time only)"
        flask demo seed
        database_identity >"$stamp"
    fi
}

address="$host"
case $host in *:*) address="[$host]" ;; esac

announce() {
    local reachable="$host"
    case $host in 0.0.0.0) reachable=127.0.0.1 ;; ::) reachable=::1 ;; esac
    while ! (exec 3<>"/dev/tcp/$reachable/$port") 2>/dev/null; do
        sleep 0.2
    done
    case $reachable in *:*) reachable="[$reachable]" ;; esac
    printf '\n  Fugong 复工通 is running: http://%s:%s/\n' "$reachable" "$port"
    printf '  Demo: the login page has one button per role. Ctrl-C stops it; data stays in %s/.\n\n' "$var"
}

stop_all() {
    local pid
    for pid in $announcer $web $worker; do
        kill -TERM "$pid" 2>/dev/null || true
    done
    # A deadline for what does not listen; ended as soon as both are gone.
    (sleep 25 && kill -KILL -- "-$web" "-$worker") >/dev/null 2>&1 &
    local deadline=$!
    for pid in $web $worker; do
        while kill -0 "$pid" 2>/dev/null; do
            wait "$pid" 2>/dev/null || true
        done
        # What a process that was killed left of its children.
        kill -KILL -- "-$pid" 2>/dev/null || true
    done
    pkill -P "$deadline" 2>/dev/null || true
    kill "$deadline" 2>/dev/null || true
}

prepare

# The signal is passed on from the trap itself: one that comes just before `wait` would otherwise go unnoticed.
trap 'stopping=yes; kill -TERM $web $worker 2>/dev/null || true' INT TERM HUP
# Sessions of their own: Ctrl-C in the terminal reaches this script only, which then stops both in order.
setsid "$bin/python" -m gunicorn wsgi:app --worker-class gthread --workers 2 --threads 4 --bind "$address:$port" \
    --graceful-timeout 10 --log-level warning --no-control-socket </dev/null &
web=$!
setsid "$bin/python" -m flask --app wsgi worker </dev/null &
worker=$!
announce &
announcer=$!

ended=''
while [ -z "$stopping" ]; do
    code=0
    wait -n -p ended "$web" "$worker" || code=$?
    [ -z "${ended:-}" ] || break
done
stop_all
if [ -n "$stopping" ]; then
    echo "Fugong has stopped."
    exit 0
fi
name=worker
[ "$ended" != "$web" ] || name="web server"
fail "the $name ended by itself (exit code $code), so the other was stopped too. Its last words are above."
