package gateway

import (
	"errors"
	"fmt"
	"syscall"
)

// port is one of loopback that is bound, but not listened at: the kernel gives it to nobody else, and the proxy can take it.
type port struct {
	fd, number int
}

// holdPort binds a port that is free.
func holdPort() (*port, error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("holding a port: %w", err)
	}
	p := &port{fd: fd}
	err = errors.Join(syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1),
		syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	var name syscall.Sockaddr
	if err == nil {
		name, err = syscall.Getsockname(fd)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("holding a port: %w", err), p.release())
	}
	p.number = name.(*syscall.SockaddrInet4).Port
	return p, nil
}

func (p *port) address() string { return fmt.Sprintf("%s:%d", host, p.number) }

func (p *port) release() error { return syscall.Close(p.fd) }
