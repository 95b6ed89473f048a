package main

import (
	"io"
	"os"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// bar shows how far an import is, on a terminal; elsewhere nothing. The zero
// value shows nothing.
type bar struct {
	w       io.Writer // nil = no terminal
	current *progressbar.ProgressBar
	title   string
}

// newBar returns a bar on w if that is a terminal.
func newBar(w io.Writer) *bar {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return &bar{}
	}
	return &bar{w: w}
}

// show moves the bar of a phase; total 0 = not known. Bytes of a file are written
// as such.
func (b *bar) show(title string, done, total int64, bytes bool) {
	if b.w == nil {
		return
	}
	if b.title != title {
		b.finish()
		b.title = title
		if total <= 0 {
			total = -1
		}
		b.current = progressbar.NewOptions64(total,
			progressbar.OptionSetWriter(b.w), progressbar.OptionSetDescription(title),
			progressbar.OptionShowCount(), progressbar.OptionShowBytes(bytes), progressbar.OptionShowIts(),
			progressbar.OptionSetWidth(30), progressbar.OptionThrottle(100e6), progressbar.OptionClearOnFinish())
	}
	// A terminal that cannot be written to shows no progress, and that is all.
	_ = b.current.Set64(done)
}

// finish takes the bar away.
func (b *bar) finish() {
	if b.current != nil {
		_ = b.current.Finish()
	}
	b.current, b.title = nil, ""
}
