package group

import (
	"maps"
	"time"
	_ "time/tzdata" // a timezone's name must mean the same on every machine

	"waybill/events"
	"waybill/events/fault"
)

// checkTimezone refuses what is no name of a timezone.
func checkTimezone(name string) error {
	if _, err := time.LoadLocation(name); err != nil || name == "" || name == "Local" {
		return fault.InvalidField("timezone", "must be the name of a timezone, such as \"Europe/Berlin\" or \"UTC\"")
	}
	return nil
}

// SetTimezone sets which days the organisation goes by.
type SetTimezone struct{ Timezone string } // IANA name

// Decide gives TimezoneSet; nothing when it is so already.
func (c SetTimezone) Decide(s State) ([]events.Payload, error) {
	if err := s.organisation(); err != nil {
		return nil, err
	}
	if err := checkTimezone(c.Timezone); err != nil {
		return nil, err
	}
	if s.Organisation.Timezone == c.Timezone {
		return nil, nil
	}
	return []events.Payload{&events.TimezoneSet{From: s.Organisation.Timezone, To: c.Timezone}}, nil
}

// SetImportTemplate says how the group's delivery files are read; on the ALL
// group, how those of groups without a template are. The zero template takes
// what was said before away.
type SetImportTemplate struct{ Template events.ImportTemplate }

// Decide gives GroupImportTemplateSet; nothing when it is so already. That its
// fields and its order of dates are known is checked by who reads files.
func (c SetImportTemplate) Decide(s State) ([]events.Payload, error) {
	switch {
	case !s.Exists():
		return nil, errNone()
	case s.Kind != events.GroupKindAll:
		if err := s.Usable(); err != nil {
			return nil, err
		}
	}
	for field, header := range c.Template.Columns {
		if err := checkText("columns."+field, header); err != nil {
			return nil, err
		}
	}
	if s.Template.DateFormat == c.Template.DateFormat && maps.Equal(s.Template.Columns, c.Template.Columns) {
		return nil, nil
	}
	return []events.Payload{&events.GroupImportTemplateSet{Template: c.Template}}, nil
}
