#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs the npm packages of the checkout, exactly as locked and without running any of their scripts.
set -eu
cd "$(dirname "$0")/.."

if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
  echo "setting up: node or npm is missing: install Node 20 or newer (https://nodejs.org/en/download)" >&2
  exit 1
fi
major=$(node -p 'process.versions.node.split(".")[0]')
if [ "$major" -lt 20 ]; then
  echo "setting up: Node 20 or newer is needed, this is $(node --version): https://nodejs.org/en/download" >&2
  exit 1
fi
echo "Installing npm packages"
npm ci --ignore-scripts --no-audit --no-fund --loglevel=error

# npm 9 does not link the programs of a workspace's packages: the checkout's own Node must be found there.
for own in node_modules/node-linux-*/bin/node; do
  [ -x "$own" ] && [ ! -e node_modules/.bin/node ] && ln -s "../${own#node_modules/}" node_modules/.bin/node
done
node_modules/.bin/node --version >/dev/null || {
  echo "setting up: the npm package with Node 24 for this machine is missing; is it Linux on x64 or arm64?" >&2
  exit 1
}
