#!/usr/bin/env bash
# Cargo calls this in place of rustc for the workspace's own crates (.cargo/config.toml).
#
# It links the tool host statically and changes nothing else. The tool host runs where no library of the system may be, so no build may
# leave a dynamic one behind. Cargo has no stable setting for one binary; a flag for all would build every dependency anew, and
# `cargo rustc -p toolhost` unifies features for that package alone, which compiles most dependencies a second time.
#
# bash, because the sh of Debian drops variables with a hyphen in their name, such as CARGO_BIN_EXE_appstrate-toolhost.
set -eu
for argument in "$@"; do
  if [ "$argument" = appstrate_toolhost ]; then
    exec "$@" -C target-feature=+crt-static
  fi
done
exec "$@"
