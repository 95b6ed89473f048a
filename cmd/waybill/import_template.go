package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/google/uuid"

	"waybill/aggregates/access"
	"waybill/aggregates/importing"
	"waybill/events"
	"waybill/events/fault"
)

// read stages the file, before anything is started.
func (c *importCmd) read(ctx context.Context, m *Main, flags fileFlags) (*importJob, error) {
	return m.stage(ctx, flags, c.Report, func(ctx context.Context, cfg importing.Config) (*importing.File, error) {
		return importing.Stage(ctx, c.File, cfg)
	})
}

// hopeful reports whether a file that cannot be read as it is may be read once
// the import template is known: there is an organisation that can have one.
func (c *importCmd) hopeful(err error) bool {
	var refused *fault.Error
	if !errors.As(err, &refused) || len(c.Column) > 0 && c.DateOrder != "" {
		return false
	}
	switch refused.Code {
	case "missing-column", "ambiguous-dates", "mixed-dates":
	default:
		return false
	}
	_, missing := os.Stat(orHere(c.Data))
	return c.Eventstore != "" || missing == nil
}

// templated reads the file again when a template says about it what the flags
// leave open. Without one, what came of the first reading holds.
func (c *importCmd) templated(ctx context.Context, m *Main, s *system, org uuid.UUID, job *importJob, unread error) (*importJob, error) {
	t, err := c.template(ctx, s, org)
	if err != nil {
		return job, err
	}
	flags := c.fileFlags
	if len(flags.Column) == 0 {
		flags.Column = t.Columns
	}
	if flags.DateOrder == "" {
		flags.DateOrder = t.DateFormat
	}
	if len(flags.Column) == len(c.Column) && flags.DateOrder == c.DateOrder {
		return job, unread
	}
	if job != nil {
		if err := job.close(); err != nil {
			return nil, err
		}
	}
	return c.read(ctx, m, flags)
}

func (c *importCmd) template(ctx context.Context, s *system, org uuid.UUID) (events.ImportTemplate, error) {
	group := uuid.Nil
	if c.Template != "" {
		var err error
		if group, err = uuid.Parse(c.Template); err != nil {
			return events.ImportTemplate{}, &usageError{fmt.Errorf("--template takes the id of a group, not %q", c.Template)}
		}
	}
	return s.commands.ImportTemplate(ctx, access.System(org), group)
}
