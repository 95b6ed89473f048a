package postgres

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
)

// oldLog is what the name of the older part ends with.
const oldLog = ".old"

const (
	logLimit  = 8 << 20 // bytes of log after which it is cut
	tailBytes = 2 << 10 // bytes of log that go into an error
)

// serverLog is the file that the server prints into. The server has the file
// itself, not a pipe to us, so that it can neither be held up by us nor lose
// its last words when we die; it is open for appending, so that cutting it
// under the server is safe.
type serverLog struct {
	file  *os.File
	start int64 // where the last start's output begins
}

func openServerLog(path string) (*serverLog, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	log := &serverLog{file: file}
	if err := log.bound(); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return log, nil
}

// mark remembers that a new start's output begins here.
func (l *serverLog) mark() {
	l.start = 0
	if info, err := l.file.Stat(); err == nil {
		l.start = info.Size()
	}
}

// bound cuts the log when it has grown too long, keeping one older part beside
// it.
func (l *serverLog) bound() error {
	info, err := l.file.Stat()
	if err != nil || info.Size() <= logLimit {
		return err
	}
	old, err := os.OpenFile(l.file.Name()+oldLog, os.O_CREATE|os.O_WRONLY|os.O_TRUNC|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	from := info.Size() - logLimit
	_, err = io.Copy(old, io.NewSectionReader(l.file, from, logLimit))
	return errors.Join(err, old.Close(), l.file.Truncate(0))
}

// tail is the end of what the server printed since its start, ready to be
// appended to an error; empty when it printed nothing.
func (l *serverLog) tail() string {
	info, err := l.file.Stat()
	if err != nil {
		return ""
	}
	from := l.start
	if from > info.Size() {
		from = 0 // it was cut since
	}
	from = max(from, info.Size()-tailBytes)
	text, err := io.ReadAll(io.NewSectionReader(l.file, from, tailBytes))
	if err != nil || len(text) == 0 {
		return ""
	}
	return fmt.Sprintf("\n%s ends with:\n%s", l.file.Name(), strings.TrimSpace(string(text)))
}

// close closes our side. Nothing of ours is buffered, so an error has no
// consequence.
func (l *serverLog) close() { _ = l.file.Close() }
