//go:build unix

package quick

import (
	"net"
	"syscall"
)

// present reports whether the other end of a connection is still there, or may be, and whether that can be known. It takes nothing of
// what has come in.
func present(c net.Conn) (there, known bool) {
	socket, ok := c.(syscall.Conn)
	if !ok {
		return false, false
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return false, true
	}
	err = raw.Control(func(fd uintptr) {
		var b [1]byte
		n, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		there = n > 0 || err == syscall.EAGAIN || err == syscall.EWOULDBLOCK || err == syscall.EINTR
	})
	return there && err == nil, true
}
