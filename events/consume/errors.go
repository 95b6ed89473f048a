package consume

import (
	"context"
	"errors"
	"io"
	"net"

	"github.com/ThreeDotsLabs/watermill/message/router/middleware"

	"waybill/events/fault"
)

// errStreamParked is why an event is parked whose stream was parked before it.
var errStreamParked = errors.New("an earlier event of this stream is parked")

// permanent marks an error that no retry cures.
type permanent struct{ err error }

func (p permanent) Error() string { return p.err.Error() }
func (p permanent) Unwrap() error { return p.err }

// Permanent wraps an error that no retry can cure, such as an event that cannot
// be decoded: its event is parked at once. Nil stays nil.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return permanent{err}
}

// splitError is the failure of a run of several events: nobody knows yet which
// of them is the culprit.
type splitError struct{ err error }

func (s *splitError) Error() string { return s.err.Error() }
func (s *splitError) Unwrap() error { return s.err }

// isPermanent reports whether trying again is useless.
func isPermanent(err error) bool {
	var marked permanent
	var panicked middleware.RecoveredPanicError
	return errors.As(err, &marked) || errors.As(err, &panicked) || fault.Is(err, fault.Invalid)
}

// isOutage reports whether err says that something needed is away, or that the
// work was interrupted: the event is not to blame.
func isOutage(err error) bool {
	if isPermanent(err) {
		return false
	}
	if fault.Is(err, fault.Unavailable) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) {
		return true
	}
	var network net.Error
	if errors.As(err, &network) {
		return true
	}
	var sql interface{ SQLState() string }
	if !errors.As(err, &sql) || len(sql.SQLState()) < 2 {
		return false
	}
	switch sql.SQLState()[:2] {
	case "08", "40", "53", "55", "57", "58": // connection, rollback, resources, locks, operator, system
		return true
	}
	return false
}
