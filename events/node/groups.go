package node

import (
	"context"
	"errors"

	"waybill/events/node/group"
	"waybill/events/node/journal"
)

// groupDeps are what persistent subscriptions work with.
func (n *Node) groupDeps() group.Deps {
	return group.Deps{
		Journal: n.journal, Now: n.cfg.Now, Log: n.cfg.Logger,
		NewEvent: func(eventType string, data, metadata []byte) journal.Event {
			return journal.Event{ID: n.cfg.NewID(), Type: eventType, JSON: eventType == journal.TypeMetadata, Data: data, Metadata: metadata}
		},
		Resolve: n.target,
	}
}

// target reads the event that a link points at, nil when it is gone.
func (n *Node) target(ctx context.Context, link *journal.Record) (*journal.Record, error) {
	var event *journal.Record
	err := visitTarget(ctx, n.journal, link, func(r *journal.Record) { event = r.Clone() })
	if errors.Is(err, errNotFound) {
		return nil, nil
	}
	return event, err
}
