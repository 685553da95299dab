#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs those of the named Debian packages that are missing: `sh scripts/setup-host.sh git buildah`.
# Lists them first. One that this release does not have is left out and remembered in .cache/absent-packages.
set -eu
[ $# -gt 0 ] || exit 0

if ! command -v dpkg-query >/dev/null; then
  echo "setting up: this is not Debian or Ubuntu; install yourself what is missing of: $*" >&2
  exit 0
fi
installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null | sed -n 's/^installed //p')
absent=$(dirname "$0")/../.cache/absent-packages
missing=
for package in "$@"; do
  printf '%s\n' "$installed" | grep -qxF "$package" && continue
  [ -f "$absent" ] && grep -qxF "$package" "$absent" && continue
  missing="$missing $package"
done
[ -n "$missing" ] || exit 0

sudo=
if [ "$(id -u)" != 0 ]; then
  sudo=sudo
  if ! command -v sudo >/dev/null; then
    echo "setting up: packages are missing and this is neither root nor is there sudo; as root run:" >&2
    echo "  apt-get install --no-install-recommends$missing" >&2
    exit 1
  fi
fi

echo "Debian packages to install:$missing"
$sudo apt-get update -qq
wanted=
for package in $missing; do
  if apt-cache show "$package" >/dev/null 2>&1; then
    wanted="$wanted $package"
  else
    echo "not in this release: $package"
    mkdir -p "$(dirname "$absent")"
    echo "$package" >>"$absent"
  fi
done
[ -n "$wanted" ] || exit 0
# shellcheck disable=SC2086 # a list of words
$sudo env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 apt-get install -y -qq --no-install-recommends $wanted >/dev/null
