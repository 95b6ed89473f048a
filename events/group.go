package events

import "github.com/google/uuid"

// Kinds of group.
const (
	GroupKindAll      = "all"      // the organisation itself; one each
	GroupKindClient   = "client"   // linked to one ClientAccount
	GroupKindStandard = "standard" // made by hand
)

// Kinds of organisation.
const (
	OrganisationOperator              = "operator"
	OrganisationIndependentDispatcher = "independent_dispatcher"
)

// GroupCreated is the first event of a group. For kind "all" it creates the
// organisation, and Organisation is set.
type GroupCreated struct {
	Kind         string        `json:"kind"`
	Name         string        `json:"name"`
	Client       uuid.UUID     `json:"client,omitzero"` // kind client only
	Organisation *Organisation `json:"organisation,omitempty"`
}

// Organisation is what the ALL group knows about its organisation.
type Organisation struct {
	Name     string `json:"name"`
	Kind     string `json:"kind"`
	Timezone string `json:"timezone"` // IANA name
}

// OwnerAdded records, on the ALL group, that a user is one of the owners.
type OwnerAdded struct {
	User uuid.UUID `json:"user"`
}

// GroupFieldEnabled records, on the ALL group, that deliveries may be tagged.
type GroupFieldEnabled struct{}

// GroupFieldDisabled records, on the ALL group, that tagging is refused from now
// on. Segregation stays enforced.
type GroupFieldDisabled struct{}

// CustomerCodeMapped records that rows with this customer code belong to the
// group.
type CustomerCodeMapped struct {
	Code string `json:"code"`
}

// CustomerCodeUnmapped takes a customer code away from the group.
type CustomerCodeUnmapped struct {
	Code string `json:"code"`
}

// VehicleAddedToGroup registers a vehicle (on the ALL group, with name and
// plate) or adds a registered one to another group.
type VehicleAddedToGroup struct {
	Vehicle uuid.UUID `json:"vehicle"`
	Name    string    `json:"name,omitzero"`
	Plate   string    `json:"plate,omitzero"`
}

// GroupArchived takes the group out of use: only ALL users see it or its
// deliveries from here on.
type GroupArchived struct{}

// GroupRestored brings an archived group back; ended grants stay ended.
type GroupRestored struct{}

// EventType implements Payload.
func (*GroupCreated) EventType() string { return "GroupCreated" }

// EventType implements Payload.
func (*OwnerAdded) EventType() string { return "OwnerAdded" }

// EventType implements Payload.
func (*GroupFieldEnabled) EventType() string { return "GroupFieldEnabled" }

// EventType implements Payload.
func (*GroupFieldDisabled) EventType() string { return "GroupFieldDisabled" }

// EventType implements Payload.
func (*CustomerCodeMapped) EventType() string { return "CustomerCodeMapped" }

// EventType implements Payload.
func (*CustomerCodeUnmapped) EventType() string { return "CustomerCodeUnmapped" }

// EventType implements Payload.
func (*GroupArchived) EventType() string { return "GroupArchived" }

// EventType implements Payload.
func (*GroupRestored) EventType() string { return "GroupRestored" }

// EventType implements Payload.
func (*VehicleAddedToGroup) EventType() string { return "VehicleAddedToGroup" }
