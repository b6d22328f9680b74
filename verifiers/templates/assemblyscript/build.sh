#!/bin/sh
# Makes verifier.wasm. Needs Node.js 20 or later.
set -e
cd "$(dirname "$0")"
npm ci --no-audit --no-fund --ignore-scripts --prefer-offline
npm run build
