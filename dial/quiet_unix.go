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
		w.raw, w.probe = raw, w.tryRead
	}
	err := w.raw.Read(w.probe)
	return err == nil && w.open
}

// tryRead reads where nothing should be to read. Whoever has the connection to himself calls it.
func (w *wire) tryRead(fd uintptr) bool {
	_, err := syscall.Read(int(fd), w.one[:])
	w.open = err == syscall.EAGAIN || err == syscall.EWOULDBLOCK
	return true
}
