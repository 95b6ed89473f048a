package node

import (
	"context"
	"errors"
	"strconv"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"waybill/events/node/group"
	"waybill/events/node/journal"
)

// trailers takes what the client learns besides the status; a gRPC server stream is one.
type trailers interface{ SetTrailer(metadata.MD) }

// unaryTrailers are those of a call without a stream.
type unaryTrailers struct{ ctx context.Context }

// SetTrailer fails only when the call is over, and then nobody is left to read it.
func (u unaryTrailers) SetTrailer(md metadata.MD) { _ = grpc.SetTrailer(u.ctx, md) }

// refuse turns an error of the journal into the status and the trailers that a server gives.
func refuse(to trailers, err error) error {
	var deleted *journal.Deleted
	var wrong *journal.WrongExpected
	switch {
	case err == nil:
		return nil
	case errors.As(err, &deleted):
		to.SetTrailer(metadata.Pairs("exception", "stream-deleted", "stream-name", deleted.Stream))
		return status.Errorf(codes.FailedPrecondition, "Event stream '%s' is deleted.", deleted.Stream)
	case errors.As(err, &wrong):
		to.SetTrailer(metadata.Pairs("exception", "wrong-expected-version", "stream-name", wrong.Stream,
			"expected-version", strconv.FormatInt(wrong.Expected, 10), "actual-version", strconv.FormatInt(wrong.Current, 10)))
		return status.Errorf(codes.FailedPrecondition,
			"Append failed due to WrongExpectedVersion. Stream: %s, Expected version: %d, Actual version: %d",
			wrong.Stream, wrong.Expected, wrong.Current)
	}
	return failure(err)
}

// failure is the status of what went wrong for no fault of the caller.
func failure(err error) error {
	switch {
	case errors.Is(err, journal.ErrClosed), errors.Is(err, errStopping), errors.Is(err, journal.ErrFailed):
		return status.Error(codes.Unavailable, err.Error())
	case errors.Is(err, journal.ErrDamaged):
		return status.Error(codes.DataLoss, err.Error())
	case errors.Is(err, journal.ErrTimeout):
		return status.Error(codes.Aborted, "Operation timed out")
	case errors.Is(err, context.DeadlineExceeded):
		return status.Error(codes.DeadlineExceeded, "the call's deadline has passed")
	case errors.Is(err, context.Canceled):
		return status.Error(codes.Canceled, "the call was cancelled")
	}
	if _, ok := status.FromError(err); ok {
		return err
	}
	return status.Error(codes.Internal, err.Error())
}

var errStopping = errors.New("the event store node is stopping")

// refuseGroup turns an error of a persistent subscription into the status and the trailers that a server gives.
func refuseGroup(to trailers, key group.Key, err error) error {
	stream := key.Stream
	pairs := []string{"stream-name", stream, "group-name", key.Name}
	answer := func(exception string, code codes.Code, format string, args ...any) error {
		to.SetTrailer(metadata.Pairs(append(pairs, "exception", exception)...))
		return status.Errorf(code, format, args...)
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, group.ErrExists):
		return answer("persistent-subscription-exists", codes.AlreadyExists, "Subscription group %s on stream %s exists.", key.Name, stream)
	case errors.Is(err, group.ErrMissing):
		return answer("persistent-subscription-does-not-exist", codes.NotFound, "Subscription group %s on stream %s does not exist.", key.Name, stream)
	case errors.Is(err, group.ErrSettings):
		pairs = append(pairs, "reason", err.Error())
		return answer("persistent-subscription-failed", codes.Internal, "Subscription group %s on stream %s failed: '%v'", key.Name, stream, err)
	case errors.Is(err, group.ErrFull):
		return answer("maximum-subscribers-reached", codes.FailedPrecondition, "Maximum subscriptions reached for subscription group %s on stream %s", key.Name, stream)
	case errors.Is(err, group.ErrDropped):
		return answer("persistent-subscription-dropped", codes.Canceled, "Subscription group %s on stream %s was dropped.", key.Name, stream)
	case errors.Is(err, group.ErrStopped):
		return failure(errStopping)
	}
	return refuse(to, err)
}

func invalid(format string, args ...any) error {
	return status.Errorf(codes.InvalidArgument, format, args...)
}

func accessDenied(to trailers) error {
	to.SetTrailer(metadata.Pairs("exception", "access-denied"))
	return status.Error(codes.PermissionDenied, "Access Denied")
}

func tooLarge(to trailers, limit int) error {
	to.SetTrailer(metadata.Pairs("exception", "maximum-append-size-exceeded", "maximum-append-size", strconv.Itoa(limit)))
	return invalid("Maximum Append Size of %d Exceeded.", limit)
}

func missingMetadata(to trailers, property string) error {
	to.SetTrailer(metadata.Pairs("exception", "missing-required-metadata-property",
		"required-metadata-properties", metadataType+","+metadataContent))
	return invalid("Required Metadata Property '%s' is missing", property)
}
