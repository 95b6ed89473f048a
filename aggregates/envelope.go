package aggregates

import (
	"github.com/google/uuid"

	"waybill/events"
)

// Draft returns the index-th event of a command on a stream, for those who
// append in bulk.
func (x *Executor) Draft(cmd Command, stream string, index int, groups []uuid.UUID, p events.Payload) events.Draft {
	return events.Draft{
		ID:       events.EventID(cmd.Org, cmd.Actor, cmd.ID, stream, index),
		Metadata: cmd.metadata(x.recordedAt(cmd), groups),
		Payload:  p,
	}
}
