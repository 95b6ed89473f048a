package storetest

import "time"

// slowness is how a proxy slows down what passes; zero is not at all.
type slowness struct {
	piece int
	pause time.Duration
}

// halfway is where a proxy breaks off the answers; zero is nowhere.
type halfway struct {
	left int
	then func()
}

// Slow lets what passes do so in pieces of so many bytes, each after a pause.
// Pieces of zero end it.
func (p *Proxy) Slow(piece int, pause time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.slow = slowness{piece, pause}
}

// Half lets so many more bytes of answers pass, then calls one of the proxy's
// methods, such as Stall or Cut.
func (p *Proxy) Half(bytes int, then func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.half = halfway{bytes, then}
}

// admit waits until something may pass, and returns how many of n bytes, and
// what is to be done after them.
func (p *Proxy) admit(n int, answers bool) (admitted int, then func()) {
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
	if answers && p.half.then != nil {
		n = min(n, p.half.left)
		if p.half.left -= n; p.half.left == 0 {
			then, p.half = p.half.then, halfway{}
		}
	}
	return n, then
}
