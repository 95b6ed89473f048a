package store

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/serverfeatures"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"waybill/events/fault"
)

// errSilent ends a session in which the server says nothing though it should;
// errBehind one that may only be behind, on a connection that works.
var (
	errSilent = errors.New("the server has gone silent")
	errBehind = errors.New("the log has grown and the subscription was not told")
)

// watch looks after a subscription that hears nothing. A quiet log is no fault,
// so it asks on the same connection where the log ends. No answer means that
// the connection is dead. An end beyond what the subscription knows means that
// it was forgotten, or that only unwanted events were written: subscribing
// again is right in both cases, because it moves the checkpoint as well.
func (f *follower) watch(ctx context.Context, cancel context.CancelCauseFunc, l *link) {
	tick := time.NewTicker(f.store.cfg.Silence)
	defer tick.Stop()
	heard := f.heard.Load()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		if now := f.heard.Load(); now != heard || !f.receiving.Load() {
			heard = now
			continue
		}
		probe, stop := context.WithTimeout(f.store.outgoing(ctx), f.store.cfg.AttemptTimeout)
		behind, err := f.behind(probe, l)
		stop()
		if f.heard.Load() != heard {
			continue
		}
		switch {
		case err != nil:
			cancel(errSilent)
			return
		case behind:
			cancel(errBehind)
			return
		}
	}
}

// behind reports whether there is something after what the subscription knows.
func (f *follower) behind(ctx context.Context, l *link) (bool, error) {
	if f.stream == "" {
		head, err := l.head(ctx)
		return head.Commit > f.reached.Load(), err
	}
	next, err := l.end(ctx, f.stream)
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	return next > f.reached.Load(), err
}

// end returns the revision that the next event of a stream will have.
func (l *link) end(ctx context.Context, stream string) (uint64, error) {
	last, err := l.page(ctx, &streams.ReadReq_Options{
		StreamOption: &streams.ReadReq_Options_Stream{Stream: &streams.ReadReq_Options_StreamOptions{
			StreamIdentifier: &shared.StreamIdentifier{StreamName: []byte(stream)},
			RevisionOption:   &streams.ReadReq_Options_StreamOptions_End{End: &shared.Empty{}},
		}},
		ReadDirection: streams.ReadReq_Options_Backwards,
		CountOption:   &streams.ReadReq_Options_Count{Count: 1},
	})
	if err != nil || len(last) == 0 {
		return 0, err
	}
	return last[0].Revision + 1, nil
}

// trustsCheckpoints reports whether the server's checkpoints are safe to keep.
// EventStoreDB 24.10.0 to 24.10.4 could send one for a filtered subscription
// that was ahead of what it had delivered.
func (l *link) trustsCheckpoints(ctx context.Context) (bool, error) {
	const trusted, untrusted = 1, 2
	if known := l.checkpoints.Load(); known != 0 {
		return known == trusted, nil
	}
	methods, err := serverfeatures.NewServerFeaturesClient(l.cc).GetSupportedMethods(ctx, &shared.Empty{})
	if c := status.Code(err); err != nil && c != codes.Unimplemented && c != codes.NotFound {
		return false, &rpcError{err: err}
	}
	verdict := int32(trusted)
	if unsafeCheckpoints(methods.GetEventStoreServerVersion()) {
		verdict = untrusted
	}
	l.checkpoints.Store(verdict)
	return verdict == trusted, nil
}

func unsafeCheckpoints(version string) bool {
	patch, ok := strings.CutPrefix(version, "24.10.")
	if !ok {
		return false
	}
	digits := patch
	if i := strings.IndexFunc(patch, func(r rune) bool { return r < '0' || r > '9' }); i >= 0 {
		digits = patch[:i]
	}
	n, err := strconv.Atoi(digits)
	return err == nil && n < 5
}
