#!/bin/sh
# Makes verifier.wasm. Needs cargo, and the target: rustup target add wasm32-unknown-unknown
set -e
cd "$(dirname "$0")"
cargo build --release --target wasm32-unknown-unknown --target-dir target
cp target/wasm32-unknown-unknown/release/verifier.wasm .
