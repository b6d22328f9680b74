#!/bin/sh
# Makes verifier.wasm. Needs clang and wasm-ld of LLVM 14 or later; on Debian: apt-get install clang lld
set -e
cd "$(dirname "$0")"
${CC:-clang} --target=wasm32 -O2 -Wall -Wextra -ffreestanding -nostdlib -mbulk-memory \
	-Wl,--no-entry -Wl,--strip-all -o verifier.wasm verifier.c
