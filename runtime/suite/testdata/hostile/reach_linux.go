package main

import (
	"context"
	"errors"
	"net"
	"os"
	"syscall"
	"time"
)

// reach tries to find somebody to talk to, or more rights.
func reach(how, what string) error {
	switch how {
	case "tcp", "udp", "unix":
		c, err := net.DialTimeout(how, what, time.Second)
		if err == nil && how == "udp" {
			_, err = c.Write([]byte("x"))
		}
		return err
	case "resolve":
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_, err := net.DefaultResolver.LookupHost(ctx, what)
		return err
	case "mount":
		return syscall.Mount("tmpfs", what, "tmpfs", 0, "")
	case "unshare":
		return syscall.Unshare(syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET)
	case "root":
		return syscall.Setuid(0)
	case "raw":
		_, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_RAW, syscall.IPPROTO_ICMP)
		return err
	case "execute": // its own file, from the only place that can be written to
		b, err := os.ReadFile("/proc/self/exe")
		if err == nil {
			err = os.WriteFile("/tmp/x", b, 0o700)
		}
		defer os.Remove("/tmp/x")
		if err == nil {
			_, err = os.StartProcess("/tmp/x", []string{"x", "sleep"}, &os.ProcAttr{})
		}
		return err
	}
	return errors.ErrUnsupported
}

// fork starts itself, at most a thousand times, until it cannot, and returns how often it could.
func fork() (n int) {
	var children []*os.Process
	for ; n < 1000; n++ {
		c, err := os.StartProcess("/proc/self/exe", []string{"x", "sleep"}, &os.ProcAttr{})
		if err != nil {
			break
		}
		children = append(children, c)
	}
	for _, c := range children {
		_ = c.Kill()
		_, _ = c.Wait()
	}
	return n
}
