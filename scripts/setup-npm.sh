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
