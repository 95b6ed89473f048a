package store

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"
	"unicode/utf8"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/persistent"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"waybill/events"
	"waybill/events/fault"
)

// GroupConfig names a consumer group of one stream. It is a persistent
// subscription that keeps the order: the server lets one member in at a time,
// which holds one event at a time. The others wait to take its place.
type GroupConfig struct {
	// Stream is what the group consumes, from its first event on. It need not
	// exist yet. Required.
	Stream string

	// Name is the group's. Required.
	Name string

	// MaxRetries is how often an event that was refused is handed out again
	// before the server parks it; an outage while a member holds the event
	// counts as a refusal. It is settled when the group is created. Zero means
	// no limit: an event is parked only at its handler's word.
	MaxRetries int
}

// Delivery is an event that a group hands to its member.
type Delivery struct {
	Record events.Record

	// Retries is how often the server has handed it out before, as far as it
	// remembers.
	Retries int

	// Replayed says that the event had been parked and that somebody had the
	// parked events replayed: it comes out of order.
	Replayed bool
}

// ErrPark has an event parked when a handler of [Store.Consume] returns it, alone
// or wrapped: the server sets the event aside, where an operator can have it
// replayed.
var ErrPark = errors.New("park this event")

const (
	exceptionNoGroup   = "persistent-subscription-does-not-exist"
	exceptionHasGroup  = "persistent-subscription-exists"
	exceptionDropped   = "persistent-subscription-dropped"
	exceptionGroupFull = "maximum-subscribers-reached"
)

// CreateGroup creates a group unless there is one of this name already. Errors:
// fault.Conflict when the one that exists lets several members in at once, so
// that it cannot keep the order; fault.Unavailable.
func (s *Store) CreateGroup(ctx context.Context, cfg GroupConfig) error {
	if err := cfg.validate(); err != nil {
		return err
	}
	return s.call(ctx, "create "+cfg.String(), func(ctx context.Context, l *link) error { return l.ensureGroup(ctx, cfg) })
}

// String names the group and its stream.
func (c GroupConfig) String() string { return fmt.Sprintf("group %s of stream %s", c.Name, c.Stream) }

func (c GroupConfig) validate() error {
	if c.Stream == "" || c.Name == "" || !utf8.ValidString(c.Name) || c.MaxRetries < 0 || c.MaxRetries > math.MaxInt32 {
		return fault.New(fault.Invalid, "bad-group", "A group needs a stream, a name, and a number of retries that is not negative.")
	}
	return nil
}

// ensureGroup looks for the group and creates it where it is missing.
func (l *link) ensureGroup(ctx context.Context, cfg GroupConfig) error {
	api := persistent.NewPersistentSubscriptionsClient(l.cc)
	for {
		var trailer metadata.MD
		info, err := api.GetInfo(ctx, cfg.infoRequest(), grpc.Trailer(&trailer))
		if err == nil {
			if n := info.GetSubscriptionInfo().GetMaxSubscriberCount(); n != 1 {
				return fault.New(fault.Conflict, "group-without-order",
					"The %s exists and was made to let several consumers in at once, so it keeps no order; choose another name or delete it.", cfg)
			}
			return nil
		}
		if failed := (&rpcError{err, trailer}); failed.exception() != exceptionNoGroup {
			return failed
		}
		trailer = nil
		if _, err = api.Create(ctx, cfg.createRequest(), grpc.Trailer(&trailer)); err == nil {
			return nil
		}
		if failed := (&rpcError{err, trailer}); failed.exception() != exceptionHasGroup {
			return failed // otherwise somebody else was faster: look again
		}
	}
}

func (c GroupConfig) streamIdentifier() *shared.StreamIdentifier {
	return &shared.StreamIdentifier{StreamName: []byte(c.Stream)}
}

func (c GroupConfig) infoRequest() *persistent.GetInfoReq {
	return &persistent.GetInfoReq{Options: &persistent.GetInfoReq_Options{
		StreamOption: &persistent.GetInfoReq_Options_StreamIdentifier{StreamIdentifier: c.streamIdentifier()},
		GroupName:    c.Name,
	}}
}

// createRequest asks for what keeps the order: one member, and no time limit
// after which the server would hand an event out beside the one who holds it.
func (c GroupConfig) createRequest() *persistent.CreateReq {
	retries := int32(c.MaxRetries)
	if retries == 0 {
		retries = math.MaxInt32
	}
	settings := &persistent.CreateReq_Settings{
		MaxSubscriberCount: 1,
		MaxRetryCount:      retries,
		MessageTimeout:     &persistent.CreateReq_Settings_MessageTimeoutMs{MessageTimeoutMs: 0},
		MinCheckpointCount: 1,
		MaxCheckpointCount: 500,
		CheckpointAfter:    &persistent.CreateReq_Settings_CheckpointAfterMs{CheckpointAfterMs: int32(time.Second / time.Millisecond)},
		LiveBufferSize:     500,
		ReadBatchSize:      100,
		HistoryBufferSize:  500,
		ConsumerStrategy:   "RoundRobin",
	}
	return &persistent.CreateReq{Options: &persistent.CreateReq_Options{
		StreamOption: &persistent.CreateReq_Options_Stream{Stream: &persistent.CreateReq_StreamOptions{
			StreamIdentifier: c.streamIdentifier(),
			RevisionOption:   &persistent.CreateReq_StreamOptions_Start{Start: &shared.Empty{}},
		}},
		GroupName: c.Name,
		Settings:  settings,
	}}
}
