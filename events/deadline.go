package events

import (
	"time"

	"github.com/google/uuid"
)

// What ends by itself.
const (
	DeadlineGrant            = "grant"             // a grant of a user
	DeadlineUserInvitation   = "user_invitation"   // an invitation of a user
	DeadlineClientInvitation = "client_invitation" // an invitation of a client
)

// Deadline is when something ends by itself, unless it ends before.
type Deadline struct {
	Kind      string
	Key       uuid.UUID // of the grant or the invitation
	Org       uuid.UUID
	Aggregate uuid.UUID // whose it is
	DueAt     time.Time
	Event     uuid.UUID // the event that set it
}
