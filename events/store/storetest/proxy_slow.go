package storetest

import "time"

// slowness is how a proxy slows down what passes; zero is not at all.
type slowness struct {
	piece int
	pause time.Duration
}

// Outage is what a proxy can do to the connections through it.
type Outage uint8

// The outages, named like the methods that begin them.
const (
	Cuts Outage = iota + 1
	Stalls
)

// halfway is where a proxy breaks off the answers; zero is nowhere.
type halfway struct {
	left int
	then Outage
}

// Slow lets what passes do so in pieces of so many bytes, each after a pause.
// Pieces of zero end it.
func (p *Proxy) Slow(piece int, pause time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.slow = slowness{piece, pause}
}

// Half lets so many more bytes of answers pass, then begins an outage.
func (p *Proxy) Half(bytes int, then Outage) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.half = &halfway{bytes, then}
}

// admit waits until something may pass, and returns how many of n bytes, and
// what is to break off after them; nil for nothing.
func (p *Proxy) admit(n int, answers bool) (admitted int, last *halfway) {
	p.mu.Lock()
	slow := p.slow
	p.mu.Unlock()
	if slow.piece > 0 {
		n = min(n, slow.piece)
		time.Sleep(slow.pause)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.mode == stalled {
		p.changed.Wait()
	}
	if answers && p.half != nil {
		n = min(n, p.half.left)
		if p.half.left -= n; p.half.left == 0 {
			last = p.half
		}
	}
	return n, last
}

// breakOff begins the outage of a Half that nobody has ended in the meantime.
func (p *Proxy) breakOff(h *halfway) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.half != h {
		return
	}
	p.half = nil
	switch h.then {
	case Cuts:
		p.become(passing, true)
	case Stalls:
		p.become(stalled, false)
	}
}
