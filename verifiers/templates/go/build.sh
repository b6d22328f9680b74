#!/bin/sh
# Makes verifier.wasm. Needs Go 1.24 or later.
set -e
cd "$(dirname "$0")"
GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -buildvcs=false -trimpath -ldflags='-s -w' -o verifier.wasm .
