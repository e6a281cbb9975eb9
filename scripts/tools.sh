#!/usr/bin/env bash
# Checks for what a build needs: a Rust toolchain and a C compiler with the static C library. Installs the latter where it can.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

command -v cargo >/dev/null || die "Rust is missing: see https://rustup.rs"

# The tool host is linked statically, so the C library must be there as an archive too (libc6-dev has it on Debian).
if ! command -v cc >/dev/null || [ "$(cc -print-file-name=libc.a)" = libc.a ]; then
  install_packages "a C compiler with a static C library is missing" gcc libc6-dev
fi
