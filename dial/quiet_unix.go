//go:build unix

package dial

import "syscall"

// quiet reports whether a connection is open and nothing has come on it: what nobody asked for is no answer to what is asked next.
func (w *wire) quiet() bool {
	if w.raw == nil {
		c, ok := w.bare.(syscall.Conn)
		if !ok {
			return true
		}
		raw, err := c.SyscallConn()
		if err != nil {
			return false
		}
		w.raw = raw
	}
	open := false
	err := w.raw.Read(func(fd uintptr) bool {
		var b [1]byte
		_, err := syscall.Read(int(fd), b[:])
		open = err == syscall.EAGAIN || err == syscall.EWOULDBLOCK
		return true
	})
	return err == nil && open
}
