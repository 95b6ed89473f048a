package events

import "github.com/google/uuid"

// Kinds of key that a claim keeps unique within an organisation.
const (
	KeyGroupName    = "group_name"
	KeyCustomerCode = "customer_code"
	KeyUserEmail    = "user_email"
	KeyDelivery     = "delivery"    // (group or none, type, D.O. number, date)
	KeyGroupMerge   = "group_merge" // one per organisation, held while groups are being merged
)

// KeyClaimed records that a key belongs to a holder. The key itself is not
// written: the stream's name is its HMAC.
type KeyClaimed struct {
	Kind     string    `json:"kind"`
	Category string    `json:"category"` // of the holder's stream
	Holder   uuid.UUID `json:"holder"`
	Imported bool      `json:"imported,omitzero"` // the key is also the holder's import key, known for life
}

// KeyReleased records that the holder has another key now. An import key stays
// known.
type KeyReleased struct {
	Holder uuid.UUID `json:"holder"`
}

// CreationAbandoned is appended, as the first event, to the stream of a holder
// that claimed a key and never came to be. After it the holder cannot be
// created any more, so the key may be taken over.
type CreationAbandoned struct {
	Claim string `json:"claim"` // the claim's stream
}

// EventType implements Payload.
func (*KeyClaimed) EventType() string { return "KeyClaimed" }

// EventType implements Payload.
func (*KeyReleased) EventType() string { return "KeyReleased" }

// EventType implements Payload.
func (*CreationAbandoned) EventType() string { return "CreationAbandoned" }
