package importing

import (
	"bufio"
	"bytes"
	"cmp"
	"container/heap"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"slices"
)

// maxRuns is how many sorted files are merged at a time: it bounds open files and
// buffers however large the input is.
const maxRuns = 64

// sorter sorts records by key on disk: what fits into memory is sorted there and
// written as a run; runs are merged.
type sorter struct {
	dir   string
	limit int

	arena []byte // keys and values, one after the other
	index []span
	runs  []*os.File
}

type span struct{ key, value, end int }

func newSorter(dir string, limit int) *sorter { return &sorter{dir: dir, limit: limit} }

// add takes a record; key and value may be reused afterwards. Records with equal
// keys come out in no particular order.
func (s *sorter) add(key, value []byte) error {
	const perSpan = 24
	if len(s.arena)+len(s.index)*perSpan+len(key)+len(value) > s.limit && len(s.index) > 0 {
		if err := s.spill(); err != nil {
			return err
		}
	}
	at := len(s.arena)
	s.arena = append(append(s.arena, key...), value...)
	s.index = append(s.index, span{at, at + len(key), len(s.arena)})
	return nil
}

func (s *sorter) sortMemory() {
	slices.SortFunc(s.index, func(a, b span) int {
		return cmp.Or(bytes.Compare(s.arena[a.key:a.value], s.arena[b.key:b.value]), a.key-b.key)
	})
}

// spill writes what is in memory as a run.
func (s *sorter) spill() error {
	s.sortMemory()
	i := 0
	err := s.writeRun(func() ([]byte, []byte, error) {
		if i == len(s.index) {
			return nil, nil, io.EOF
		}
		sp := s.index[i]
		i++
		return s.arena[sp.key:sp.value], s.arena[sp.value:sp.end], nil
	})
	s.arena, s.index = s.arena[:0], s.index[:0]
	if err != nil || len(s.runs) < maxRuns {
		return err
	}
	return s.fold()
}

// fold merges all runs into one.
func (s *sorter) fold() error {
	old := s.runs
	m, err := newMerge(old)
	if err != nil {
		return err
	}
	s.runs = nil
	err = s.writeRun(m.next)
	for _, f := range old {
		err = errors.Join(err, f.Close())
	}
	return err
}

func (s *sorter) writeRun(next func() (key, value []byte, err error)) error {
	f, err := scratchFile(s.dir)
	if err != nil {
		return err
	}
	s.runs = append(s.runs, f)
	w := bufio.NewWriterSize(f, 64<<10)
	for {
		key, value, err := next()
		if errors.Is(err, io.EOF) {
			return w.Flush()
		}
		if err != nil {
			return err
		}
		if err := writeRecord(w, key, value); err != nil {
			return err
		}
	}
}

// sorted returns the records in the order of their keys; io.EOF after the last.
// What it returns is valid until the next call. Nothing may be added any more.
func (s *sorter) sorted() (next func() (key, value []byte, err error), err error) {
	if len(s.runs) > 0 {
		if err := s.spill(); err != nil {
			return nil, err
		}
		s.arena, s.index = nil, nil
		m, err := newMerge(s.runs)
		if err != nil {
			return nil, err
		}
		return m.next, nil
	}
	s.sortMemory()
	i := 0
	return func() ([]byte, []byte, error) {
		if i == len(s.index) {
			return nil, nil, io.EOF
		}
		sp := s.index[i]
		i++
		return s.arena[sp.key:sp.value], s.arena[sp.value:sp.end], nil
	}, nil
}

// close closes the files, and with that they are gone.
func (s *sorter) close() error {
	var err error
	for _, f := range s.runs {
		err = errors.Join(err, f.Close())
	}
	s.runs, s.arena, s.index = nil, nil, nil
	return err
}

// merge is a heap of runs, least key first.
type merge struct {
	heads   []*head
	current *head // whose record was handed out and is not replaced yet
}

type head struct {
	r          *bufio.Reader
	key, value []byte
}

func newMerge(runs []*os.File) (*merge, error) {
	m := &merge{}
	for _, f := range runs {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return nil, err
		}
		h := &head{r: bufio.NewReaderSize(f, 64<<10)}
		switch err := h.advance(); {
		case errors.Is(err, io.EOF):
		case err != nil:
			return nil, err
		default:
			m.heads = append(m.heads, h)
		}
	}
	heap.Init(m)
	return m, nil
}

func (m *merge) next() (key, value []byte, err error) {
	if m.current != nil {
		switch err := m.current.advance(); {
		case errors.Is(err, io.EOF):
			heap.Pop(m)
		case err != nil:
			return nil, nil, err
		default:
			heap.Fix(m, 0)
		}
		m.current = nil
	}
	if len(m.heads) == 0 {
		return nil, nil, io.EOF
	}
	m.current = m.heads[0]
	return m.current.key, m.current.value, nil
}

func (h *head) advance() (err error) {
	h.key, h.value, err = readRecord(h.r, h.key, h.value)
	return err
}

// Len implements heap.Interface.
func (m *merge) Len() int { return len(m.heads) }

// Less implements heap.Interface.
func (m *merge) Less(i, j int) bool { return bytes.Compare(m.heads[i].key, m.heads[j].key) < 0 }

// Swap implements heap.Interface.
func (m *merge) Swap(i, j int) { m.heads[i], m.heads[j] = m.heads[j], m.heads[i] }

// Push implements heap.Interface.
func (m *merge) Push(x any) { m.heads = append(m.heads, x.(*head)) }

// Pop implements heap.Interface.
func (m *merge) Pop() any {
	last := m.heads[len(m.heads)-1]
	m.heads = m.heads[:len(m.heads)-1]
	return last
}

func writeRecord(w *bufio.Writer, key, value []byte) error {
	var n [2 * binary.MaxVarintLen64]byte
	b := binary.AppendUvarint(n[:0], uint64(len(key)))
	b = binary.AppendUvarint(b, uint64(len(value)))
	_, err := w.Write(b)
	if err == nil {
		_, err = w.Write(key)
	}
	if err == nil {
		_, err = w.Write(value)
	}
	return err
}

func readRecord(r *bufio.Reader, key, value []byte) ([]byte, []byte, error) {
	k, err := binary.ReadUvarint(r)
	if err != nil {
		return key, value, err
	}
	v, err := binary.ReadUvarint(r)
	if err != nil {
		return key, value, unexpected(err)
	}
	key = slices.Grow(key[:0], int(k))[:k]
	value = slices.Grow(value[:0], int(v))[:v]
	if _, err = io.ReadFull(r, key); err == nil {
		_, err = io.ReadFull(r, value)
	}
	return key, value, unexpected(err)
}

// unexpected keeps an end inside a record from looking like the end of all.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
