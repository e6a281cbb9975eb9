#!/usr/bin/env bash
# fuzz.sh [SECONDS] [TARGET]...: runs the fuzz targets of fuzz/ (libFuzzer), each for SECONDS (30), and stops at the first finding.
#
# cargo-fuzz is installed where it is missing. The instrumentation is unstable in rustc, so the stable compiler is told to allow it, here only.
# Inputs that a target found interesting are kept outside the checkout and used again.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/lib.sh

seconds=${1:-30}
shift || true
cache=${XDG_CACHE_HOME:-$HOME/.cache}/appstrate/fuzz
cargo fuzz --version >/dev/null 2>&1 || cargo install --locked --quiet cargo-fuzz@0.13.2
[ $# -gt 0 ] || set -- $(awk -F '"' '/^name = / && $2 != "fuzz" { print $2 }' fuzz/Cargo.toml)

export RUSTC_BOOTSTRAP=1
for target in "$@"; do
  say "$target for $seconds s"
  mkdir -p "$cache/corpus/$target"
  cargo fuzz run --fuzz-dir fuzz --target-dir "$cache/target" "$target" "$cache/corpus/$target" -- -max_total_time="$seconds" -rss_limit_mb=2048 -timeout=10
done
