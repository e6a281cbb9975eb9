# shellcheck shell=bash
# Shared by the scripts of this folder; sourced, never run.

say() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; }

die() {
  say "$@"
  exit 1
}

# install_packages REASON PACKAGE...: installs Debian packages, or says what to install and stops.
install_packages() {
  local reason=$1 as_root=()
  shift
  command -v apt-get >/dev/null || die "$reason: please install $*"
  if [ "$(id -u)" -ne 0 ]; then
    # Without a terminal, a sudo that asks would wait forever.
    if command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
      as_root=(sudo)
    else
      die "$reason: please install $* (apt-get needs root)"
    fi
  fi
  say "$reason: installing $*"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq >&2 ||
    # One unreachable source among several fails the update, though the packages may come from the others.
    say "could not update all package lists; going on with what is there"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >&2 </dev/null
}
