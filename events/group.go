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

// OwnerAdded records, on the ALL group, that a user counts as one of the owners: it
// can act as one, or is whom the organisation was made for.
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

// OwnerRemoved records, on the ALL group, that a user counts as an owner no more.
type OwnerRemoved struct {
	User uuid.UUID `json:"user"`
}

// GroupRenamed changes what the group is called; its id stays its key.
type GroupRenamed struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// GroupMerged ends the group for good: its deliveries move to another, whose
// members thereby see more. Widened are those who gain sight of them.
type GroupMerged struct {
	Into    uuid.UUID   `json:"into"`
	Widened []uuid.UUID `json:"widened,omitempty"`
}

// TimezoneSet records, on the ALL group, which timezone "today" goes by.
type TimezoneSet struct {
	From string `json:"from"`
	To   string `json:"to"` // IANA name
}

// VehicleRemovedFromGroup takes a vehicle out of a group; on the ALL group, out
// of the register and of every group.
type VehicleRemovedFromGroup struct {
	Vehicle uuid.UUID `json:"vehicle"`
}

// GroupImportTemplateSet records how the group's delivery files are read; on the
// ALL group, how those of groups without one are.
type GroupImportTemplateSet struct {
	Template ImportTemplate `json:"template"`
}

// ImportTemplate says how a delivery file is read. The zero value is "found from
// the file".
type ImportTemplate struct {
	Columns    map[string]string `json:"columns,omitempty"` // field -> header, such as "group" -> "Customer Code"
	DateFormat string            `json:"date_format,omitzero"`
}

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

// EventType implements Payload.
func (*OwnerRemoved) EventType() string { return "OwnerRemoved" }

// EventType implements Payload.
func (*GroupRenamed) EventType() string { return "GroupRenamed" }

// EventType implements Payload.
func (*GroupMerged) EventType() string { return "GroupMerged" }

// EventType implements Payload.
func (*TimezoneSet) EventType() string { return "TimezoneSet" }

// EventType implements Payload.
func (*VehicleRemovedFromGroup) EventType() string { return "VehicleRemovedFromGroup" }

// EventType implements Payload.
func (*GroupImportTemplateSet) EventType() string { return "GroupImportTemplateSet" }
