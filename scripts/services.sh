#!/usr/bin/env bash
# services.sh COMMAND [ARGUMENT]...: runs COMMAND beside a private PostgreSQL and a private Redis, and stops them afterwards.
#
# COMMAND finds them under TEST_DATABASE_URL and TEST_REDIS_URL. A variable that is set already is left as it is and its server is
# not started. Each server has its own folder and a free port, so several of these run side by side, and none touches a server
# of the system. Missing programs are installed with apt-get where that is possible.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

[ $# -gt 0 ] || die "usage: services.sh COMMAND [ARGUMENT]..."

folder=
pg_bin=
redis_pid=

stop() {
  local status=$?
  trap '' INT TERM
  if [ -n "$pg_bin" ] && [ -f "$folder/postgres/postmaster.pid" ]; then
    # The data is thrown away: nothing is worth waiting for.
    as_postgres "$pg_bin/pg_ctl" --pgdata "$folder/postgres" --mode immediate --silent stop >&2 || say "could not stop PostgreSQL in $folder"
  fi
  if [ -n "$redis_pid" ]; then
    # On Ctrl-C the terminal has told Redis as well.
    kill "$redis_pid" 2>/dev/null || true
    wait "$redis_pid" 2>/dev/null || true
  fi
  [ -z "$folder" ] || rm -rf "$folder"
  exit "$status"
}

# PostgreSQL refuses to run as root.
as_postgres() {
  if [ "$(id -u)" -eq 0 ]; then
    (cd / && exec runuser --user postgres -- "$@")
  else
    "$@"
  fi
}

find_postgres() {
  local candidate
  # Debian keeps the server's programs off the path, one folder per major version; the newest wins.
  for candidate in $(printf '%s\n' /usr/lib/postgresql/*/bin | sort --version-sort --reverse) "$(pg_config --bindir 2>/dev/null || true)"; do
    if [ -x "$candidate/initdb" ] && [ -x "$candidate/postgres" ]; then
      printf '%s' "$candidate"
      return
    fi
  done
}

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

start_postgres() {
  local port
  pg_bin=$(find_postgres)
  if [ -z "$pg_bin" ]; then
    install_packages "PostgreSQL is missing" postgresql
    pg_bin=$(find_postgres)
    [ -n "$pg_bin" ] || die "could not find initdb after the installation of PostgreSQL"
  fi
  if [ "$(id -u)" -eq 0 ]; then
    id postgres >/dev/null 2>&1 || die "PostgreSQL does not run as root, and there is no user postgres to run it as"
    install --directory --owner postgres --mode 0700 "$folder/postgres" "$folder/socket"
  else
    install --directory --mode 0700 "$folder/postgres" "$folder/socket"
  fi
  as_postgres "$pg_bin/initdb" --pgdata "$folder/postgres" --username postgres --auth trust --encoding UTF8 --locale C.UTF-8 --no-sync \
    >"$folder/initdb.log" 2>&1 || { cat "$folder/initdb.log" >&2; die "could not make a PostgreSQL data folder"; }
  port=$(free_port)
  # Durability is off because the data does not outlive the command; tests run in parallel, each with a database of its own.
  if ! as_postgres "$pg_bin/pg_ctl" --pgdata "$folder/postgres" --log "$folder/postgres/server.log" --silent --wait --timeout 60 --options "\
    -c listen_addresses=127.0.0.1 -c port=$port -c unix_socket_directories=$folder/socket \
    -c max_connections=400 -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c timezone=UTC" start >&2; then
    cat "$folder/postgres/server.log" >&2
    die "could not start PostgreSQL"
  fi
  export TEST_DATABASE_URL="postgres://postgres@127.0.0.1:$port/postgres"
}

start_redis() {
  local port
  command -v redis-server >/dev/null || install_packages "Redis is missing" redis-server
  port=$(free_port)
  mkdir "$folder/redis"
  redis-server --bind 127.0.0.1 --port "$port" --dir "$folder/redis" --save '' --appendonly no --logfile "$folder/redis/server.log" \
    </dev/null >/dev/null 2>&1 &
  redis_pid=$!
  for _ in {1..100}; do
    if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
      export TEST_REDIS_URL="redis://127.0.0.1:$port/0"
      return
    fi
    kill -0 "$redis_pid" 2>/dev/null || break
    sleep 0.1
  done
  cat "$folder/redis/server.log" >&2
  die "could not start Redis"
}

trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Below the temporary folder and not the home: the user postgres must be able to enter it.
folder=$(mktemp --directory "${TMPDIR:-/tmp}/appstrate-services.XXXXXX")
chmod 0755 "$folder"
[ -n "${TEST_DATABASE_URL:-}" ] || start_postgres
[ -n "${TEST_REDIS_URL:-}" ] || start_redis

"$@"
