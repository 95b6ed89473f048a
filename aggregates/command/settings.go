package command

import (
	"context"

	"github.com/google/uuid"

	"waybill/aggregates"
	"waybill/aggregates/access"
	"waybill/aggregates/group"
	"waybill/aggregates/importing"
	"waybill/events"
)

// SetTimezone sets which days the organisation goes by, by an IANA name. Errors:
// Denied, Invalid.
func (s *Service) SetTimezone(ctx context.Context, c access.Caller, env Envelope, timezone string) (aggregates.Result, error) {
	if err := needAll(c, access.ManageGroups); err != nil {
		return aggregates.Result{}, err
	}
	return aggregates.Execute(ctx, s.x, groups, group.AllID(c.Org), s.command(c, env), group.SetTimezone{Timezone: timezone}.Decide)
}

// SetImportTemplate asks that delivery files are read in a certain way.
type SetImportTemplate struct {
	Group    uuid.UUID // zero: the organisation, for groups without a template
	Template events.ImportTemplate
}

// SetImportTemplate sets how the delivery files of a group, or of the
// organisation, are read when nothing is said with the file. Errors: NotFound,
// Denied, Invalid, Conflict (group-archived, group-merged, client-not-managed).
func (s *Service) SetImportTemplate(ctx context.Context, c access.Caller, env Envelope, in SetImportTemplate) (aggregates.Result, error) {
	decide := func(g group.State) ([]events.Payload, error) {
		if _, err := ImportConfig(in.Template, importing.Config{}); err != nil {
			return nil, err
		}
		return group.SetImportTemplate{Template: in.Template}.Decide(g)
	}
	cmd := s.command(c, env)
	if in.Group != uuid.Nil && (in.Group != group.AllID(c.Org) || !c.SeesAll()) { // the ALL group is no group to who does not see it
		return s.managing(ctx, c, cmd, in.Group, decide)
	}
	if err := needAll(c, access.ManageGroups); err != nil {
		return aggregates.Result{}, err
	}
	return aggregates.Execute(ctx, s.x, groups, group.AllID(c.Org), cmd, decide)
}

// ImportTemplate returns how the delivery files of a group are read when nothing
// is said: by its own template, else by the organisation's. A zero group is the
// caller's only one, if there is just one. Errors: NotFound, Denied.
func (s *Service) ImportTemplate(ctx context.Context, c access.Caller, id uuid.UUID) (events.ImportTemplate, error) {
	var none events.ImportTemplate
	if id != uuid.Nil && !c.Sees(id) {
		return none, noGroup()
	}
	if err := need(c, access.CreateDeliveries); err != nil {
		return none, err
	}
	if id == uuid.Nil && !c.SeesAll() && len(c.Groups) == 1 {
		id = c.Groups[0]
	}
	if id != uuid.Nil {
		g, err := aggregates.Load(ctx, s.x, groups, c.Org, id)
		if err != nil {
			return none, err
		}
		if !g.Exists() {
			return none, noGroup()
		}
		if len(g.Template.Columns) > 0 || g.Template.DateFormat != "" {
			return g.Template, nil
		}
	}
	all, err := s.organisation(ctx, c)
	return all.Template, err
}

// ImportConfig completes how a file is to be read with what a template says: about
// the columns, when cfg names none, and about the order of dates, likewise.
// Errors: Invalid.
func ImportConfig(t events.ImportTemplate, cfg importing.Config) (importing.Config, error) {
	if len(cfg.Columns) == 0 && len(t.Columns) > 0 {
		cfg.Columns = make(map[importing.Field]string, len(t.Columns))
		for field, header := range t.Columns {
			cfg.Columns[importing.Field(field)] = header
		}
	}
	if cfg.DateOrder == "" {
		cfg.DateOrder = t.DateFormat
	}
	return cfg, cfg.Check()
}
