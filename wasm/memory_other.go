//go:build !linux

package wasm

import "bytes"

func freeze(content []byte) (frozen, error) { return copies(bytes.Clone(content)), nil }
