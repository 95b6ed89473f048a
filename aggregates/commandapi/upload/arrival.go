package upload

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"syscall"
	"time"

	"github.com/google/uuid"

	"waybill/aggregates/problem"
)

// arrival is a file on its way in: the body of a request, counted.
type arrival struct {
	dock *Dock
	org  uuid.UUID
	pace *pace
	kept int64
}

// Read implements io.Reader.
func (a *arrival) Read(b []byte) (int, error) {
	n, err := a.pace.Read(b)
	if n == 0 {
		return 0, err
	}
	if a.kept+int64(n) > a.dock.cfg.MaxFile {
		return 0, a.dock.tooLarge()
	}
	if full := a.dock.store(a.org, int64(n)); full != nil {
		return 0, full
	}
	a.kept += int64(n)
	return n, err
}

func (a *arrival) leave() { a.dock.leave(a.org, a.kept) }

// explain says what went wrong with the sender rather than with us.
func (a *arrival) explain(err error) error {
	var fit *problem.HTTPError
	switch {
	case errors.As(err, &fit):
		return err
	case errors.Is(err, errTooSlow):
		return &problem.HTTPError{Status: http.StatusRequestTimeout, Code: "upload-too-slow", Err: err, Detail: fmt.Sprintf(
			"The file came too slowly: nothing for %v, or less than %d bytes per second on the whole. Send it again.", a.dock.cfg.Patience, a.dock.cfg.Rate)}
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, context.Canceled), errors.Is(err, syscall.ECONNRESET):
		return &problem.HTTPError{Status: http.StatusBadRequest, Code: "upload-broken-off", Err: err, Detail: "The file broke off before its end. Send it again."}
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return &problem.HTTPError{Status: http.StatusServiceUnavailable, Code: "disk-full", Err: err, RetryAfter: soon,
			Detail: "There is no space on disk for the file at the moment. Try again later."}
	}
	return err
}

func (d *Dock) tooLarge() error {
	return &problem.HTTPError{Status: http.StatusRequestEntityTooLarge, Code: "body-too-large",
		Detail: fmt.Sprintf("The file has more than %d bytes; divide it, or use waybill import.", d.cfg.MaxFile)}
}

func tooMany(most int) error {
	return &problem.HTTPError{Status: http.StatusTooManyRequests, Code: "too-many-uploads", RetryAfter: soon,
		Detail: fmt.Sprintf("Your organisation has %d files on their way already. Try again when one of them is done.", most)}
}

func full(most int64) error {
	return &problem.HTTPError{Status: http.StatusTooManyRequests, Code: "too-many-uploads", RetryAfter: soon,
		Detail: fmt.Sprintf("The files that your organisation has on their way take more than %d bytes together. Try again when one of them is done.", most)}
}

// pace keeps a sender going: the connection's deadline moves on with what comes.
type pace struct {
	body     io.Reader
	conn     *http.ResponseController
	now      func() time.Time
	patience time.Duration
	rate     int64
	started  time.Time
	n        int64
}

var errTooSlow = errors.New("the sender is too slow")

func (d *Dock) pace(w http.ResponseWriter, r *http.Request) *pace {
	return &pace{body: r.Body, conn: http.NewResponseController(w), now: d.cfg.Now, patience: d.cfg.Patience, rate: d.cfg.Rate, started: d.cfg.Now()}
}

// Read implements io.Reader.
func (p *pace) Read(b []byte) (int, error) {
	now := p.now()
	// What has come pays for time: who trickles runs out of it.
	earned := p.patience + time.Duration(float64(p.n)/float64(p.rate)*float64(time.Second))
	left := min(p.patience, earned-now.Sub(p.started))
	if left <= 0 {
		// Nobody waits for the rest any more, neither the server, which reads on
		// before it answers.
		_ = p.conn.SetReadDeadline(time.Unix(1, 0))
		return 0, errTooSlow
	}
	// A connection that cannot move its deadline keeps the server's.
	_ = p.conn.SetReadDeadline(now.Add(left))
	n, err := p.body.Read(b)
	p.n += int64(n)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = errTooSlow
	}
	return n, err
}

// done lets the connection rest: a deadline that passed while the request is
// worked on would look as if the sender had gone away.
func (p *pace) done() { _ = p.conn.SetReadDeadline(time.Time{}) }
