package storetest

import (
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// Proxy is a TCP connection to a store that a test can break.
type Proxy struct {
	url      string // connection string through the proxy
	target   string
	listener net.Listener
	work     sync.WaitGroup

	mu      sync.Mutex
	changed *sync.Cond
	mode    mode
	conns   map[net.Conn]bool // both ends of everything that passes
	opened  int
	slow    slowness
	half    *halfway // nil = nowhere
}

type mode uint8

const (
	passing mode = iota
	stalled      // connections are taken and nothing passes
	refusing
	closed
)

// NewProxy puts a proxy before the store that a connection string names.
func NewProxy(t testing.TB, connection string) *Proxy {
	t.Helper()
	u, err := url.Parse(connection)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{target: u.Host, listener: l, conns: make(map[net.Conn]bool)}
	p.url = strings.Replace(connection, u.Host, l.Addr().String(), 1)
	p.changed = sync.NewCond(&p.mu)
	p.work.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

// URL returns the connection string through the proxy.
func (p *Proxy) URL() string { return p.url }

// Address returns where the proxy listens.
func (p *Proxy) Address() string { return p.listener.Addr().String() }

// Cut breaks every connection; new ones pass.
func (p *Proxy) Cut() { p.set(passing, true) }

// Stall lets nothing pass any more and keeps the connections.
func (p *Proxy) Stall() { p.set(stalled, false) }

// Refuse breaks every connection and takes no new one.
func (p *Proxy) Refuse() { p.set(refusing, true) }

// Pass ends Stall, Refuse and Half.
func (p *Proxy) Pass() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.half = nil
	p.become(passing, false)
}

// Passing reports whether neither Stall nor Refuse is in force.
func (p *Proxy) Passing() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mode == passing
}

// Retarget sends new connections elsewhere, to host:port.
func (p *Proxy) Retarget(address string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = address
}

// Open returns how many connections are open, Opened how many ever were.
func (p *Proxy) Open() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.conns) / 2
}

// Opened returns how many connections there have been.
func (p *Proxy) Opened() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.opened
}

func (p *Proxy) set(m mode, cut bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.become(m, cut)
}

// become is set for who holds the lock.
func (p *Proxy) become(m mode, cut bool) {
	p.mode = m
	if cut {
		for c := range p.conns {
			reset(c)
		}
	}
	p.changed.Broadcast()
}

func (p *Proxy) close() {
	p.set(closed, true)
	p.listener.Close()
	p.work.Wait()
}

func (p *Proxy) accept() {
	for {
		c, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		refused, target := p.mode == refusing || p.mode == closed, p.target
		p.mu.Unlock()
		if refused {
			reset(c)
			continue
		}
		p.work.Go(func() { p.join(c, target) })
	}
}

func (p *Proxy) join(near net.Conn, target string) {
	defer near.Close()
	far, err := net.Dial("tcp", target)
	if err != nil {
		reset(near)
		return
	}
	defer far.Close()
	p.mu.Lock()
	if p.mode == refusing || p.mode == closed {
		p.mu.Unlock()
		return
	}
	p.conns[near], p.conns[far] = true, true
	p.opened++
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.conns, near)
		delete(p.conns, far)
	}()
	var both sync.WaitGroup
	both.Go(func() { p.copy(far, near, false); far.Close() })
	both.Go(func() { p.copy(near, far, true); near.Close() })
	both.Wait()
}

// copy passes bytes on as far and as fast as the proxy lets them.
func (p *Proxy) copy(to io.Writer, from io.Reader, answers bool) {
	b := make([]byte, 32<<10)
	for {
		n, err := from.Read(b)
		if err != nil {
			return
		}
		for rest := b[:n]; len(rest) > 0; {
			admitted, last := p.admit(len(rest), answers)
			if _, err := to.Write(rest[:admitted]); err != nil {
				return
			}
			rest = rest[admitted:]
			if last != nil {
				p.breakOff(last)
			}
		}
	}
}

// reset closes a connection so that the other side notices at once.
func reset(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	c.Close()
}
