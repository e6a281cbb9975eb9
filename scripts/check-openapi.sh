#!/usr/bin/env bash
# check-openapi.sh: holds the documents in openapi/ against the OpenAPI 3.1 specification (openapi-spec-validator), Spectral's rules for
# OpenAPI with our own (openapi/spectral.yaml), and Redocly's recommended rules (openapi/redocly.yaml). Any finding fails, warnings too.
#
# The tools are installed once, outside the checkout, at the versions below.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/lib.sh

validator=0.9.0
spectral=6.16.0
redocly=2.77.0
cache=${XDG_CACHE_HOME:-$HOME/.cache}/appstrate

# install FOLDER COMMAND...: runs COMMAND with an empty folder as its last argument and keeps that as FOLDER.
install_once() {
  local folder=$1 unfinished
  shift
  [ ! -d "$folder" ] || return 0
  say "installing ${folder##*/}"
  # Under another name first: an interrupted installation must not pass for a whole one.
  mkdir -p "$cache"
  unfinished=$(mktemp --directory "$cache/unfinished.XXXXXX")
  "$@" "$unfinished" >&2 || die "could not install ${folder##*/}"
  mv "$unfinished" "$folder" 2>/dev/null || rm -rf "$unfinished"
}

command -v npm >/dev/null || install_packages "npm is missing" nodejs npm

install_once "$cache/openapi-spec-validator-$validator" \
  python3 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts --root-user-action ignore "openapi-spec-validator==$validator" --target
install_once "$cache/openapi-lint-$spectral-$redocly" \
  npm install --silent --no-audit --no-fund --ignore-scripts "@stoplight/spectral-cli@$spectral" "@redocly/cli@$redocly" --prefix

tools=$cache/openapi-lint-$spectral-$redocly/node_modules/.bin
for document in openapi/*.json; do
  PYTHONPATH=$cache/openapi-spec-validator-$validator python3 -m openapi_spec_validator --schema 3.1 --validation-errors all "$document"
  "$tools/spectral" lint --quiet --ruleset openapi/spectral.yaml --fail-severity hint "$document"
  REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true "$tools/redocly" lint --config openapi/redocly.yaml --max-problems 1000 "$document" 2>&1 |
    grep --invert-match --extended-regexp '^ *(║|╔|╚)|^$' | tee "$cache/redocly.log"
  ! grep --quiet --ignore-case --extended-regexp 'warning|error' "$cache/redocly.log" || die "Redocly found something in $document"
done
