package trail

import (
	"slices"
	"sync"

	"github.com/google/uuid"
)

// waiting is what waits to be written: a line for each organisation, which take
// turns. When there is no more room, the longest line gives way: who records much
// pushes out nobody's facts but its own.
type waiting struct {
	most int
	some chan struct{} // says that there may be something

	mu    sync.Mutex
	n     int
	lines map[uuid.UUID][]fact
	order []uuid.UUID // of those with a line, the next one first
}

func newWaiting(most int) *waiting {
	return &waiting{most: most, some: make(chan struct{}, 1), lines: map[uuid.UUID][]fact{}}
}

// push lines a fact up, and returns the one that had to give way; ok is false when
// there is one.
func (w *waiting) push(f fact) (lost fact, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	org := f.cmd.Org
	if ok = w.n < w.most; !ok {
		longest := org
		for _, o := range w.order {
			if len(w.lines[o]) > len(w.lines[longest]) {
				longest = o
			}
		}
		if longest == org {
			return f, false
		}
		line := w.lines[longest]
		lost = line[len(line)-1] // what came before it is kept in its order
		w.lines[longest] = line[:len(line)-1]
		if len(line) == 1 {
			w.end(longest)
		}
		w.n--
	}
	if _, has := w.lines[org]; !has {
		w.order = append(w.order, org)
	}
	w.lines[org] = append(w.lines[org], f)
	w.n++
	select {
	case w.some <- struct{}{}:
	default:
	}
	return lost, ok
}

// pop takes the first of what waits, one of each organisation in turn, at most so
// many.
func (w *waiting) pop(most int) []fact {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []fact
	for len(out) < most && len(w.order) > 0 {
		org := w.order[0]
		w.order = append(w.order[1:], org)
		line := w.lines[org]
		out = append(out, line[0])
		w.n--
		if w.lines[org] = line[1:]; len(line) == 1 {
			w.end(org)
		}
	}
	if w.n > 0 {
		select {
		case w.some <- struct{}{}:
		default:
		}
	}
	return out
}

func (w *waiting) end(org uuid.UUID) {
	delete(w.lines, org)
	w.order = slices.DeleteFunc(w.order, func(o uuid.UUID) bool { return o == org })
}
