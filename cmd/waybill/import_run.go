package main

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"waybill/aggregates/access"
	"waybill/aggregates/command"
	"waybill/aggregates/importing"
	"waybill/events"
)

// importJob is one file to import into an organisation.
type importJob struct {
	Org          uuid.UUID
	CreateGroups bool
	Config       importing.Config
	Open         func(context.Context, importing.Config) (*importing.File, error)
	Report       *report
	Bar          *bar
	Imported     func(command.Outcome) // may be nil
}

// importSummary is what came of it, as --json tells it.
type importSummary struct {
	File          string          `json:"file"`
	Rows          int             `json:"rows"`
	Deliveries    int             `json:"deliveries"` // that the rows make
	Items         int             `json:"items"`
	Created       int             `json:"created"`
	AlreadyKnown  int             `json:"already_known"`
	RejectedRows  int             `json:"rejected_rows"`
	GroupsCreated int             `json:"groups_created"`
	Position      events.Position `json:"-"`
	Seconds       float64         `json:"seconds"`
}

// importFile stages the file and imports it. It may be interrupted and run again
// at any instant.
func (s *system) importFile(ctx context.Context, job importJob) (sum importSummary, err error) {
	started := time.Now()
	defer job.Bar.finish()
	job.Config.Rejected = job.Report.reject
	job.Config.Noted = job.Report.note
	job.Config.Progress = func(read, size int64) {
		job.Bar.show("reading", read, size, size > 0)
	}
	f, err := job.Open(ctx, job.Config)
	if err != nil {
		return sum, err
	}
	defer func() {
		if e := f.Close(); err == nil && e != nil {
			err = fmt.Errorf("staging directory: %w", e)
		}
	}()
	sum = importSummary{File: f.Name(), Rows: f.Rows()}
	w := &watch{report: job.Report, told: job.Imported, under: map[int]importing.Draft{}}
	out, err := s.commands.ImportDeliveries(ctx, access.System(job.Org), command.Envelope{}, command.ImportDeliveries{
		File: f.Name(), CreateGroups: job.CreateGroups, Drafts: w.drafts(f.Deliveries()), Report: w.outcome,
		Progress: func(c command.ImportCounts) {
			job.Bar.show("importing deliveries", int64(c.Created+c.AlreadyKnown+c.Rejected), 0, false)
		},
	})
	sum.Created, sum.AlreadyKnown, sum.GroupsCreated, sum.Position = out.Created, out.AlreadyKnown, out.GroupsCreated, out.Position
	sum.Deliveries, sum.Items, sum.RejectedRows = w.deliveries, w.items, job.Report.rows
	sum.Seconds = time.Since(started).Seconds()
	return sum, err
}
