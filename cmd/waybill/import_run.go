package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"waybill/aggregates/access"
	"waybill/aggregates/command"
	"waybill/aggregates/importing"
	"waybill/events"
	"waybill/events/fault"
)

// importJob is one file on its way into an organisation. It is staged before
// anything is started, so that a file that cannot be taken leaves no trace.
type importJob struct {
	staging  time.Duration
	file     *importing.File
	report   *report
	bar      *bar
	imported func(command.Outcome) // may be nil
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
	Groups        []string        `json:"groups"` // names of the first of them
	DryRun        bool            `json:"dry_run"`
	Position      events.Position `json:"-"`
	Seconds       float64         `json:"seconds"` // reading and importing
}

// stage reads a file; open is importing.Stage or the like. The job must be closed.
func (m *Main) stage(ctx context.Context, flags fileFlags, reportTo string, open func(context.Context, importing.Config) (*importing.File, error)) (*importJob, error) {
	config, err := flags.config()
	if err != nil {
		return nil, err
	}
	started := time.Now()
	j := &importJob{bar: newBar(m.Stderr), imported: m.Imported}
	defer j.bar.finish()
	if j.report, err = newReport(reportTo); err != nil {
		return nil, err
	}
	config.Rejected, config.Noted = j.report.reject, j.report.note
	config.Progress = func(read, size int64) { j.bar.show("reading", read, size, size > 0) }
	if j.file, err = open(ctx, config); err != nil {
		_ = j.report.close() // it holds nothing yet
		return nil, withFlag(err)
	}
	j.staging = time.Since(started)
	return j, nil
}

// withFlag adds to what is wrong with a file the flag that helps.
func withFlag(err error) error {
	var refused *fault.Error
	if !errors.As(err, &refused) {
		return err
	}
	if flag := importFlag(refused.Code); flag != "" {
		return fmt.Errorf("%w (%s)", err, flag)
	}
	return err
}

// importFlag returns the flag that helps against a refusal of a file; empty when
// none does.
func importFlag(code string) string {
	return map[string]string{
		"missing-column":   "--column FIELD='HEADER'",
		"ambiguous-dates":  "--date-order ORDER",
		"mixed-dates":      "--date-order ORDER",
		"not-utf-8":        "--encoding NAME",
		"unknown-encoding": "--encoding NAME",
		"no-such-sheet":    "--sheet NAME",
		"wrong-delimiter":  "--delimiter CHAR",
	}[code]
}

// close removes what was staged and finishes the report. It may be called again.
func (j *importJob) close() error {
	err := j.report.close()
	if e := j.file.Close(); err == nil && e != nil {
		err = fmt.Errorf("staging directory: %w", e)
	}
	return err
}

// importOptions say what an import may do.
type importOptions struct{ CreateGroups, DryRun bool }

// importFile imports a staged file. It may be interrupted and run again at any
// instant.
func (s *system) importFile(ctx context.Context, org uuid.UUID, o importOptions, j *importJob) (importSummary, error) {
	defer j.bar.finish()
	started := time.Now()
	w := &watch{report: j.report, bar: j.bar, total: j.file.Rows(), told: j.imported, under: map[int]importing.Draft{}}
	out, err := s.commands.ImportDeliveries(ctx, access.System(org), command.Envelope{}, command.ImportDeliveries{
		File: j.file.Name(), CreateGroups: o.CreateGroups, DryRun: o.DryRun, Drafts: w.drafts(j.file.Deliveries()), Report: w.outcome,
	})
	return importSummary{
		File: j.file.Name(), Rows: j.file.Rows(), Deliveries: w.deliveries, Items: w.items,
		Created: out.Created, AlreadyKnown: out.AlreadyKnown, RejectedRows: j.report.rows,
		GroupsCreated: out.GroupsCreated, Groups: append([]string{}, out.Groups...), DryRun: o.DryRun, Position: out.Position, Seconds: (j.staging + time.Since(started)).Seconds(),
	}, err
}
