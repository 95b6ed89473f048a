package aggregatetest

import (
	"bytes"
	"sync"
)

// Log keeps all that is written to it, for tests of what is in a log and what must
// not be. The zero value is ready; it may be written to and read at the same time.
type Log struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write implements io.Writer.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

// String returns what was written so far.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}
