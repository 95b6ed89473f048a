package group

import (
	"slices"
	"strings"

	"github.com/google/uuid"

	"waybill/events"
	"waybill/events/fault"
)

func errNone() error {
	return fault.New(fault.NotFound, "group-not-found", "There is no such group.")
}

// organisation refuses a group that is not an ALL group.
func (s State) organisation() error {
	if !s.Exists() || s.Kind != events.GroupKindAll {
		return fault.New(fault.NotFound, "organisation-not-found", "There is no such organisation.")
	}
	return nil
}

// ordinary refuses a group that does not exist or is the ALL group.
func (s State) ordinary() error {
	switch {
	case !s.Exists():
		return errNone()
	case s.Kind == events.GroupKindAll:
		return fault.New(fault.Conflict, "group-reserved", "The ALL group stands for the organisation and stays as it is.")
	}
	return nil
}

// Usable returns nil for a group that takes tags, grants and codes, else a
// fault: NotFound, or Conflict for the ALL group and for an archived one.
func (s State) Usable() error {
	if err := s.ordinary(); err != nil {
		return err
	}
	if s.Status == Archived {
		return fault.New(fault.Conflict, "group-archived", "The group %q is archived; restore it first.", s.Name)
	}
	return s.unmerged()
}

// unmerged refuses what was merged into another group, which is final.
func (s State) unmerged() error {
	if s.Status == Merged {
		return fault.New(fault.Conflict, "group-merged", "The group %q was merged into another one; use that.", s.Name)
	}
	return nil
}

// SetField turns the Group field of the organisation on or off.
type SetField struct{ Enabled bool }

// Decide gives GroupFieldEnabled or GroupFieldDisabled; nothing when it is so
// already.
func (c SetField) Decide(s State) ([]events.Payload, error) {
	switch err := s.organisation(); {
	case err != nil:
		return nil, err
	case s.FieldEnabled == c.Enabled:
		return nil, nil
	case c.Enabled:
		return []events.Payload{&events.GroupFieldEnabled{}}, nil
	default:
		return []events.Payload{&events.GroupFieldDisabled{}}, nil
	}
}

// AddOwner puts a user into the organisation's set of owners.
type AddOwner struct{ User uuid.UUID }

// Decide gives OwnerAdded; nothing when the user is one already.
func (c AddOwner) Decide(s State) ([]events.Payload, error) {
	if err := s.organisation(); err != nil {
		return nil, err
	}
	if slices.Contains(s.Owners, c.User) {
		return nil, nil
	}
	return []events.Payload{&events.OwnerAdded{User: c.User}}, nil
}

// RemoveOwner takes a user out of the organisation's set of owners.
type RemoveOwner struct{ User uuid.UUID }

// Decide gives OwnerRemoved; nothing when the user is none. The last owner
// stays.
func (c RemoveOwner) Decide(s State) ([]events.Payload, error) {
	if err := s.organisation(); err != nil {
		return nil, err
	}
	switch {
	case !slices.Contains(s.Owners, c.User):
		return nil, nil
	case len(s.Owners) == 1:
		return nil, fault.New(fault.Conflict, "last-owner", "The last owner of the organisation stays; somebody else must be an owner first, who has accepted the invitation.")
	}
	return []events.Payload{&events.OwnerRemoved{User: c.User}}, nil
}

// MapCode makes rows with a customer code belong to the group.
type MapCode struct{ Code string }

// Decide gives CustomerCodeMapped; nothing when it is mapped here already.
func (c MapCode) Decide(s State) ([]events.Payload, error) {
	if err := s.Usable(); err != nil {
		return nil, err
	}
	if err := CheckCode("code", c.Code); err != nil {
		return nil, err
	}
	if s.HasCode(c.Code) {
		return nil, nil
	}
	return []events.Payload{&events.CustomerCodeMapped{Code: Tidy(c.Code)}}, nil
}

// UnmapCode takes a customer code away from the group.
type UnmapCode struct{ Code string }

// Decide gives CustomerCodeUnmapped; nothing when it is not mapped here.
func (c UnmapCode) Decide(s State) ([]events.Payload, error) {
	if err := s.ordinary(); err != nil {
		return nil, err
	}
	i := s.code(c.Code)
	if i < 0 {
		return nil, nil
	}
	return []events.Payload{&events.CustomerCodeUnmapped{Code: s.Codes[i]}}, nil
}

// Archive takes the group out of use.
type Archive struct{ Reason string }

// Decide gives GroupArchived; nothing when it is archived already.
func (c Archive) Decide(s State) ([]events.Payload, error) {
	switch err := s.ordinary(); {
	case err != nil:
		return nil, err
	case s.Status == Archived:
		return nil, nil
	case s.Status == Merged:
		return nil, s.unmerged()
	case strings.TrimSpace(c.Reason) == "":
		return nil, fault.InvalidField("reason", "is required to archive a group")
	}
	return []events.Payload{&events.GroupArchived{}}, nil
}

// Restore brings an archived group back. Grants that ended stay ended.
type Restore struct{}

// Decide gives GroupRestored; nothing when it is active.
func (Restore) Decide(s State) ([]events.Payload, error) {
	switch err := s.ordinary(); {
	case err != nil:
		return nil, err
	case s.Status == Active:
		return nil, nil
	case s.Status == Merged:
		return nil, s.unmerged()
	}
	return []events.Payload{&events.GroupRestored{}}, nil
}
