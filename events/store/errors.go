package store

import (
	"context"
	"errors"
	"fmt"
	"net"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"waybill/events"
	"waybill/events/fault"
)

// ConflictError says that a stream was not where an append expected it. Nothing
// was written. Its kind is fault.Conflict.
type ConflictError struct {
	Stream   string
	Expected events.Expected // what the append demanded
	Actual   events.Expected // where the stream was; NoStream when it did not exist
}

// Error names the stream and both revisions.
func (e *ConflictError) Error() string {
	return fmt.Sprintf("stream %s is at revision %d, not %d", e.Stream, e.Actual, e.Expected)
}

// Unwrap returns the error's kind.
func (e *ConflictError) Unwrap() error {
	return fault.New(fault.Conflict, "stream-moved", "Somebody else changed this at the same time; look again, then decide.")
}

// UnknownOutcomeError says that an append was sent and its answer never came
// within the time allowed: it may have been written or not. The same append
// with the same event ids settles it. Its kind is fault.Unavailable.
type UnknownOutcomeError struct {
	Stream string
	Err    error // what was wrong last
}

// Error names the stream and the cause.
func (e *UnknownOutcomeError) Error() string {
	return fmt.Sprintf("append to stream %s: outcome unknown: %v", e.Stream, e.Err)
}

// Unwrap returns the error's kind, which wraps the cause.
func (e *UnknownOutcomeError) Unwrap() error {
	return fault.Wrap(e.Err, fault.Unavailable, "append-outcome-unknown",
		"The event store did not answer in time, so it is not known whether this was done; send the same request again to settle it.")
}

// unreachable is a failure to get through to the store at all.
type unreachable struct{ err error }

func (e *unreachable) Error() string { return e.err.Error() }
func (e *unreachable) Unwrap() error { return e.err }

// rpcError is a failed call with what the server attached to its status.
type rpcError struct {
	err     error
	trailer metadata.MD
}

func (e *rpcError) Error() string { return e.err.Error() }
func (e *rpcError) Unwrap() error { return e.err }

func (e *rpcError) exception() string { return first(e.trailer, "exception") }

// leader returns where a node that is not the leader says the leader is.
func (e *rpcError) leader() string {
	host, port := first(e.trailer, "leader-endpoint-host"), first(e.trailer, "leader-endpoint-port")
	if host == "" || port == "" {
		return ""
	}
	return net.JoinHostPort(host, port)
}

func first(md metadata.MD, key string) string {
	if v := md.Get(key); len(v) > 0 {
		return v[0]
	}
	return ""
}

// retryable reports whether another try may end differently; `tries` have been
// made. What the server cannot classify is given three tries, an outage is
// waited out.
func retryable(err error, tries int) bool {
	if errors.Is(err, ErrClosed) {
		return false
	}
	if u := (*unreachable)(nil); errors.As(err, &u) {
		return true
	}
	var e *rpcError
	if fault.KindOf(err) != fault.Internal || !errors.As(err, &e) {
		return false
	}
	if e.exception() == "not-leader" {
		return true
	}
	switch status.Code(e.err) {
	case codes.Unavailable, codes.Aborted, codes.DeadlineExceeded, codes.Canceled, codes.ResourceExhausted:
		return true
	case codes.Unknown, codes.Internal:
		return tries < 3
	default:
		return false
	}
}

// explain turns the last error of a call into what its caller gets. ctx is the
// context of the caller, without the store's own limits.
func (s *Store) explain(ctx context.Context, op string, err error) error {
	if closed := context.Cause(s.ctx); closed != nil {
		return fmt.Errorf("%s: %w", op, closed)
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return fmt.Errorf("%s: %w", op, context.Canceled)
	}
	var e *rpcError
	if errors.As(err, &e) {
		if refused := refusal(e); refused != nil {
			return fmt.Errorf("%s: %w", op, refused)
		}
	}
	if !retryable(err, 0) && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s: %w", op, err)
	}
	return fmt.Errorf("%s: %w", op, fault.Wrap(err, fault.Unavailable, "event-store-unreachable",
		"The event store at %s cannot be reached or does not answer; check that it runs and that the address is right, then try again.", s.addr))
}

// refusal recognises what the server decided and no retry changes; nil
// otherwise.
func refusal(e *rpcError) error {
	switch e.exception() {
	case "stream-deleted":
		return fault.Wrap(e.err, fault.NotFound, "stream-deleted", "The stream was deleted for good.")
	case "maximum-append-size-exceeded":
		return fault.Wrap(e.err, fault.Invalid, "append-too-large", "These events together are larger than the event store takes at once.")
	case "access-denied":
		return fmt.Errorf("the event store's access rules do not allow this to waybill: %w", e.err)
	}
	switch status.Code(e.err) {
	case codes.Unauthenticated, codes.PermissionDenied:
		return fmt.Errorf("the event store does not accept waybill's credentials; check the user and password of its connection string: %w", e.err)
	}
	return nil
}
