#!/usr/bin/env bash
# check-openapi.sh: validates openapi/openapi.json against the OpenAPI 3.1 specification with openapi-spec-validator.
#
# The validator is installed once, outside the checkout, at the version below.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/lib.sh

version=0.9.0
folder=${XDG_CACHE_HOME:-$HOME/.cache}/appstrate/openapi-spec-validator-$version

if [ ! -d "$folder" ]; then
  say "installing openapi-spec-validator $version"
  # Under another name first: an interrupted installation must not pass for a whole one.
  unfinished=$(mktemp --directory "$(mkdir -p "${folder%/*}" && printf %s "${folder%/*}")/openapi.XXXXXX")
  python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore --target "$unfinished" "openapi-spec-validator==$version" ||
    die "could not install openapi-spec-validator $version"
  mv "$unfinished" "$folder" 2>/dev/null || rm -rf "$unfinished"
fi

PYTHONPATH=$folder python3 -m openapi_spec_validator --schema 3.1 --validation-errors all openapi/openapi.json
