//go:build unix

package main

import "syscall"

// ownSession makes a child outlive the terminal it was started from.
func ownSession() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }
