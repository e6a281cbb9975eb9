#!/usr/bin/env bash
# fresh-clone.sh [--warm]: does what a new user does, and times it.
#
# Clones HEAD into a temporary folder, types `make run`, waits for the finished demo run and the curl below it, runs that curl, and stops
# everything. The build starts from nothing; --warm uses the build products of the last `make build` instead. Exits with 0 when the
# demo run and the curl succeeded and nothing was left running.
#
# PORT: where the server listens, 3000 unless set. DEADLINE_S: how long to wait, 1200 unless set.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/lib.sh

warm=
case "${1:-}" in
  '') ;;
  --warm) warm=yes ;;
  *) die "usage: fresh-clone.sh [--warm]" ;;
esac
export PORT=${PORT:-3000}
deadline=${DEADLINE_S:-1200}

folder=$(mktemp --directory "${TMPDIR:-/tmp}/appstrate-clone.XXXXXX")
group=

# The process and all below it, in whatever group or session they have put themselves.
descendants() {
  local child
  echo "$1"
  for child in $(pgrep --parent "$1" || true); do descendants "$child"; done
}

# Those of the given processes that live; one that only waits to be reaped does not.
alive() {
  local process
  for process in $1; do
    if [ -r "/proc/$process/stat" ] && ! grep -q '^State:[[:space:]]*Z' "/proc/$process/status" 2>/dev/null; then echo "$process"; fi
  done
}

stop() {
  local status=$?
  trap - EXIT
  if [ -n "$group" ]; then
    local tree left
    tree=$(descendants "$group")
    kill -TERM -- "-$group" 2>/dev/null || true
    for _ in {1..100}; do
      left=$(alive "$tree")
      [ -n "$left" ] || break
      sleep 0.1
    done
    if [ -n "$left" ]; then
      say "still running 10 s after the end:"
      # shellcheck disable=SC2086 # One word per process id.
      ps -o pid,ppid,stat,args $left >&2 || true
      # shellcheck disable=SC2086
      kill -KILL $left 2>/dev/null || true
      status=1
    fi
  fi
  [ "$status" -eq 0 ] || tail -n 40 "$folder/out" >&2 || true
  rm -rf "$folder"
  exit "$status"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

(exec 3<>"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null && die "port $PORT is taken; set PORT"

git clone --quiet --no-hardlinks . "$folder/clone"
[ -n "$warm" ] || export CARGO_TARGET_DIR="$folder/target"
: >"$folder/out"

started=$(date +%s%N)
elapsed() { echo $((($(date +%s%N) - started) / 1000000)); }

# A session of its own, so that everything that it starts can be ended with it.
setsid make --directory "$folder/clone" run >"$folder/out" 2>&1 </dev/null &
group=$!

# The first curl that the demo prints, whole: a command goes on over lines that end in a backslash.
printed_curl() {
  awk '/^[[:space:]]*curl / { found = 1 }
       found { command = command $0 "\n"; if ($0 !~ /\\$/) { printf "%s", command; exit } }' "$folder/out"
}

until [ -n "$(printed_curl)" ]; do
  kill -0 "$group" 2>/dev/null || die "make run ended after $(elapsed) ms"
  [ "$(elapsed)" -lt $((deadline * 1000)) ] || die "no finished demo run within $deadline s"
  sleep 0.2
done
printf 'demo run finished after %s ms (%s)\n' "$(elapsed)" "$([ -n "$warm" ] && echo warm || echo cold)"
grep -qE 'Run run_[0-9a-z]+ .*: success' "$folder/out" || die "the demo run did not succeed"
sed -n '/Finished.*profile/,$p' "$folder/out" | tail -n 60

printf '\nthe curl that it printed answers:\n'
answer=$(bash -c "$(printed_curl)") || die "the printed curl failed"
printf '%s\n' "$answer"
[[ $answer == *run_* ]] || die "the printed curl started no run"
curl --fail --silent --show-error --output /dev/null "http://localhost:$PORT/health" || die "/health does not answer"
