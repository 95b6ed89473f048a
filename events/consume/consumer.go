package consume

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"waybill/events"
	"waybill/events/store"
)

// Config describes one consumer.
type Config struct {
	// Name identifies the consumer in logs, metrics and errors. Required.
	Name string

	// Prefixes are the stream prefixes to follow, such as "Delivery-".
	// Required; see [events.AggregatePrefixes].
	Prefixes []string

	// Store is where the events come from. Required.
	Store *store.Store

	// Log is where progress lives. Required.
	Log Log

	// Handler folds a run into run.Unit. It is called for one run at a time,
	// possibly several times for the same events, and must take nothing for
	// done before its unit is committed. An error that is [Permanent], of kind
	// fault.Invalid, or a panic parks the event it is about (found by splitting
	// the run); an outage (fault.Unavailable, network and connection errors) is
	// waited out; any other error is retried Retries times and then parks the
	// event, provided that Log can be loaded at that moment. Required.
	Handler func(ctx context.Context, run *Run) error

	// MaxRun is the greatest number of events in a run. A run is whatever is
	// there, without waiting for more. Defaults to 500.
	MaxRun int

	// Retries is how often an error that is neither permanent nor an outage is
	// tried again before its event is parked. Defaults to 8; -1 means never.
	Retries int

	// MinBackoff and MaxBackoff bound the pause between two tries, of a handler
	// or of a commit. Default to 100 ms and 10 s.
	MinBackoff, MaxBackoff time.Duration

	// Progress is how often, at most, the checkpoint is moved when there are
	// only events of other consumers. Defaults to 5 s.
	Progress time.Duration

	// Committed, when set, is called after each commit with the new checkpoint,
	// in order, by one goroutine. It must not block.
	Committed func(events.Position)

	// Logger defaults to discarding.
	Logger *slog.Logger

	// Registry gets the consumer's metrics; nil for none. Consumers may share
	// one: the name is a label.
	Registry prometheus.Registerer
}

// Consumer feeds a handler from the log. Make one with [New].
type Consumer struct {
	cfg Config
}
