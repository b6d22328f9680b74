//go:build !unix

package wasm

import "io/fs"

// owned reports whether a file belongs to this user, which other systems cannot be asked in this way.
func owned(fs.FileInfo) bool { return true }
