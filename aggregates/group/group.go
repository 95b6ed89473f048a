package group

import (
	"slices"

	"github.com/google/uuid"

	"waybill/events"
)

// The rules of a group.
//
//   - A group is created once, with a kind that never changes: "all" (the
//     organisation itself), "client" (linked to one client) or "standard".
//   - The ALL group carries what belongs to the whole organisation: its name,
//     kind and timezone, whether the Group field is on, the vehicle register and
//     the set of owners who can act, which never becomes empty. It is never archived,
//     tagged, renamed, merged, or given a code. A vehicle that leaves its register
//     has left every group.
//   - active <-> archived. An archived group takes no new tags, grants or codes.
//   - active -> merged, which is final: its deliveries move to another active
//     group, and its codes with them; its name is free again. Groups of different
//     clients never merge, and a client keeps its own group.
//   - Its name is unique in the organisation by its normal form, and "ALL" is
//     reserved; a customer code is unique in the organisation. Both are kept so
//     by claims, around this package.
//   - A stream that was abandoned before its creation never becomes a group.

// Statuses of a group.
const (
	Active   = "active"
	Archived = "archived"
	Merged   = "merged"
)

// Vehicle is one entry of the register (on the ALL group) or of a group.
type Vehicle struct {
	ID    uuid.UUID
	Name  string // empty but on the ALL group
	Plate string
}

// State is what a group has become. The zero value is a group that does not
// exist yet. Its slices are shared between states: do not modify them.
type State struct {
	Abandoned    bool
	Status       string // empty = does not exist
	Kind         string
	Name         string
	Client       uuid.UUID
	Organisation events.Organisation // kind "all" only
	Owners       []uuid.UUID         // kind "all" only
	FieldEnabled bool                // kind "all" only
	Codes        []string            // customer codes as they were mapped
	Vehicles     []Vehicle
	Template     events.ImportTemplate // how its delivery files are read
	Into         uuid.UUID             // status merged only
}

// Exists reports whether the group was created.
func (s State) Exists() bool { return s.Status != "" }

// IsActive reports whether the group takes tags and grants.
func (s State) IsActive() bool { return s.Status == Active && s.Kind != events.GroupKindAll }

// HasCode reports whether a customer code, in any spelling, is mapped to the
// group.
func (s State) HasCode(code string) bool { return s.Status != Merged && s.code(code) >= 0 }

// HasName reports whether the group has a name, in any spelling. A merged group
// has given its name up.
func (s State) HasName(name string) bool {
	return s.Exists() && s.Status != Merged && NormalName(s.Name) == NormalName(name)
}

func (s State) code(code string) int {
	want := NormalCode(code)
	return slices.IndexFunc(s.Codes, func(c string) bool { return NormalCode(c) == want })
}

// HasVehicle reports whether a vehicle is registered here.
func (s State) HasVehicle(id uuid.UUID) bool {
	return slices.ContainsFunc(s.Vehicles, func(v Vehicle) bool { return v.ID == id })
}

// Evolve returns the state after an event.
func Evolve(s State, p events.Payload) State {
	switch e := p.(type) {
	case *events.CreationAbandoned:
		s.Abandoned = true
	case *events.GroupCreated:
		s.Status, s.Kind, s.Name, s.Client = Active, e.Kind, e.Name, e.Client
		if e.Organisation != nil {
			s.Organisation = *e.Organisation
		}
	case *events.OwnerAdded:
		s.Owners = with(s.Owners, e.User)
	case *events.OwnerRemoved:
		s.Owners = slices.DeleteFunc(slices.Clone(s.Owners), func(u uuid.UUID) bool { return u == e.User })
	case *events.GroupFieldEnabled:
		s.FieldEnabled = true
	case *events.GroupFieldDisabled:
		s.FieldEnabled = false
	case *events.CustomerCodeMapped:
		s.Codes = with(s.Codes, e.Code)
	case *events.CustomerCodeUnmapped:
		if i := s.code(e.Code); i >= 0 {
			s.Codes = slices.Delete(slices.Clone(s.Codes), i, i+1)
		}
	case *events.VehicleAddedToGroup:
		s.Vehicles = with(s.Vehicles, Vehicle{e.Vehicle, e.Name, e.Plate})
	case *events.VehicleRemovedFromGroup:
		s.Vehicles = slices.DeleteFunc(slices.Clone(s.Vehicles), func(v Vehicle) bool { return v.ID == e.Vehicle })
	case *events.GroupRenamed:
		s.Name = e.To
	case *events.TimezoneSet:
		s.Organisation.Timezone = e.To
	case *events.GroupImportTemplateSet:
		s.Template = e.Template
	case *events.GroupMerged:
		s.Status, s.Into = Merged, e.Into
	case *events.GroupArchived:
		s.Status = Archived
	case *events.GroupRestored:
		s.Status = Active
	}
	return s
}

// with returns a copy of list with v at its end.
func with[T any](list []T, v T) []T {
	return append(slices.Clip(list), v)
}

// Touches returns the groups that an event of the group id touches.
func Touches(id uuid.UUID, _ State, p events.Payload) []uuid.UUID {
	if e, ok := p.(*events.GroupMerged); ok {
		return []uuid.UUID{id, e.Into}
	}
	return []uuid.UUID{id}
}
