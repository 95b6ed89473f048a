package storetest

import (
	"fmt"
	"net"
	"sync"
	"syscall"
	"testing"
)

// address returns a free address, host:port, that nobody else gets before the
// end of the test: a node that is stopped or killed can come back to it.
//
// A socket that is bound to the port and does not listen keeps it: the system
// gives the port to nobody who asks for any, connections to it are refused, and
// who asks for just this one may listen there.
func address(t testing.TB) string {
	t.Helper()
	s, err := socket()
	if err != nil {
		t.Fatalf("a socket to keep a port: %v", err)
	}
	release := sync.OnceFunc(func() { syscall.Close(s) })
	t.Cleanup(release)
	port, err := bind(s)
	if err != nil {
		t.Fatalf("keep a port: %v", err)
	}
	a := fmt.Sprintf("127.0.0.1:%d", port)
	if l, err := net.Listen("tcp", a); err == nil {
		l.Close()
	} else { // not every system lets two share it
		release()
	}
	return a
}

// socket returns one that processes started by this one do not inherit.
func socket() (int, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	s, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(s)
	}
	return s, err
}

func bind(s int) (port int, err error) {
	if err := syscall.SetsockoptInt(s, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1); err != nil {
		return 0, err
	}
	if err := syscall.Bind(s, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return 0, err
	}
	at, err := syscall.Getsockname(s)
	if err != nil {
		return 0, err
	}
	return at.(*syscall.SockaddrInet4).Port, nil
}
