package readmodel

import (
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"

	"waybill/events"
)

// group folds an event of a Group's stream.
func (f *fold) group(at place, e events.Event) error {
	switch p := e.Payload.(type) {
	case *events.GroupCreated:
		if err := key("name", p.Name); err != nil {
			return err
		}
		f.groups[at.id] = group{place: at, created: p, createdAt: e.Metadata.RecordedAt, status: groupActive}
		if o := p.Organisation; o != nil {
			f.organisations[at.org] = organisation{all: at.id, created: o, position: at.position}
		}
		return nil
	case *events.GroupArchived:
		f.groups.change(at, groupArchived)
		return nil
	case *events.GroupRestored:
		f.groups.change(at, groupActive)
		return nil
	case *events.GroupMerged:
		row := f.groups.change(at, groupMerged)
		row.into = p.Into
		f.groups[at.id] = row
		return nil
	case *events.GroupRenamed:
		if err := key("name", p.To); err != nil {
			return err
		}
		row := f.groups.change(at, "")
		row.name = p.To
		f.groups[at.id] = row
		return nil
	case *events.GroupImportTemplateSet:
		return f.groups.templated(at, p.Template)
	case *events.GroupFieldEnabled:
		f.organisations.groupField(at, true)
	case *events.GroupFieldDisabled:
		f.organisations.groupField(at, false)
	case *events.TimezoneSet:
		f.organisations.timezone(at, p.To)
	case *events.CustomerCodeMapped:
		if err := key("code", p.Code); err != nil {
			return err
		}
		f.codes.mapped(at, p.Code)
	case *events.CustomerCodeUnmapped:
		f.codes.unmapped(at, p.Code)
	case *events.VehicleAddedToGroup:
		if err := f.vehicles.added(at, p); err != nil {
			return err
		}
	case *events.VehicleRemovedFromGroup:
		f.vehicles.removed(at, p.Vehicle)
	case *events.OwnerAdded, *events.OwnerRemoved, *events.CreationAbandoned:
	default:
		return unexpected(e)
	}
	f.groups.change(at, "")
	return nil
}

// Statuses of a group.
const (
	groupActive   = "active"
	groupArchived = "archived"
	groupMerged   = "merged"
)

// group is what a run does to a row of read.groups.
type group struct {
	place
	created   *events.GroupCreated // nil: the row is there already
	createdAt time.Time
	status    string    // empty: unchanged
	name      string    // after the creation; empty: unchanged
	into      uuid.UUID // status merged only
	template  *string   // JSON, empty for none; nil: unchanged
}

type groups map[uuid.UUID]group

func (g groups) change(at place, status string) group {
	row := g[at.id]
	row.place = at
	if status != "" {
		row.status = status
	}
	g[at.id] = row
	return row
}

func (g groups) templated(at place, t events.ImportTemplate) error {
	text := ""
	if len(t.Columns) > 0 || t.DateFormat != "" {
		b, err := json.Marshal(t, json.Deterministic(true))
		if err != nil {
			return fmt.Errorf("import template: %w", err)
		}
		text = jsonText(b)
	}
	row := g.change(at, "")
	row.template = &text
	g[at.id] = row
	return nil
}

// organisation is what a run does to a row of read.organisations.
type organisation struct {
	all        uuid.UUID
	created    *events.Organisation // nil: the row is there already
	groupField *bool                // nil: unchanged
	zone       string               // after the creation; empty: unchanged
	position   int64
}

type organisations map[uuid.UUID]organisation

func (o organisations) groupField(at place, on bool) {
	row := o[at.org]
	row.groupField, row.position = &on, at.position
	o[at.org] = row
}

func (o organisations) timezone(at place, name string) {
	row := o[at.org]
	row.zone, row.position = name, at.position
	o[at.org] = row
}
