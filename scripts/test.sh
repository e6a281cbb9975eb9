#!/usr/bin/env bash
# test.sh [--fast]: runs the tests. The runner's own totals are the last lines.
#
# Without an option: the repository's checks, the fuzzer of the API, then every test, on SQLite and on a private PostgreSQL and Redis.
# --fast: the tests on SQLite only, without the whole-system stories of `testkit`; no service is started or installed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/lib.sh

export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$HOME/.cache/appstrate/target}
fast=
case "${1:-}" in
  '') ;;
  --fast) fast=yes ;;
  *) die "usage: test.sh [--fast]" ;;
esac

scripts/tools.sh

# Stories start the real programs. All packages at once, as the runner builds them, so that nothing is compiled twice.
cargo build --workspace --bins

if cargo nextest --version >/dev/null 2>&1; then
  profile=default
  [ -z "${CI:-}" ] || profile=ci
  [ -z "$fast" ] || profile=fast
  runner=(cargo nextest run --workspace --profile "$profile")
else
  say "cargo-nextest is not installed; cargo test runs the same tests, more slowly"
  runner=(cargo test --workspace --all-targets --no-fail-fast)
  [ -z "$fast" ] || runner+=(--exclude testkit)
fi

if [ -n "$fast" ]; then
  unset TEST_DATABASE_URL TEST_REDIS_URL
  exec "${runner[@]}"
fi

cargo xtask check-layers
cargo xtask check-size
scripts/check-openapi.sh
scripts/services.sh scripts/fuzz-api.py "$CARGO_TARGET_DIR/debug/appstrate"
cargo test --workspace --doc --quiet
exec scripts/services.sh "${runner[@]}"
