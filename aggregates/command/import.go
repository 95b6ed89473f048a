package command

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"waybill/aggregates"
	"waybill/aggregates/access"
	"waybill/aggregates/importing"
	"waybill/events"
	"waybill/events/fault"
	"waybill/events/store"
)

// What became of one draft of an import.
const (
	OutcomeCreated  = "created"
	OutcomeKnown    = "already_known" // a delivery has that key, or was imported with it once
	OutcomeRejected = "rejected"
)

// Outcome is the report on one draft.
type Outcome struct {
	Row      int // the first of its rows
	DONumber string
	Status   string
	Reason   string    // why it was rejected
	Delivery uuid.UUID // what was created
}

// ImportCounts is how far an import has come. All count drafts, but
// GroupsCreated.
type ImportCounts struct {
	Read, Created, AlreadyKnown, Rejected int
	GroupsCreated                         int
}

// ImportDeliveries asks for the deliveries of a file.
type ImportDeliveries struct {
	File string // base name, for the record

	// CreateGroups makes a group, and maps the code to it, for every customer
	// code that is unknown. Otherwise rows with such a code are rejected.
	CreateGroups bool

	// Drafts are the deliveries. An error ends the import.
	Drafts iter.Seq2[importing.Draft, error]

	// Report is told what became of every draft, one at a time, in no
	// particular order. May be nil.
	Report func(Outcome)

	// Progress is told the counts now and then, and at the end. May be nil.
	Progress func(ImportCounts)
}

// ImportReport is the sum of an import.
type ImportReport struct {
	ImportCounts
	Position events.Position // of the last event; zero when nothing was written
}

// Sizes of an import: rows whose claims are sent together, and how many such
// batches are under way at a time.
const (
	importBatch   = 500
	importBatches = 6
)

// ImportDeliveries creates the deliveries of a file that are not known yet.
// However often the same file is imported, by whatever command, at the same
// time or after being interrupted at any instant, every delivery is created
// once. With an error the report says how far it came. Errors: Denied, Conflict
// (group-field-off), Unavailable, and those of the drafts.
func (s *Service) ImportDeliveries(ctx context.Context, c access.Caller, env Envelope, in ImportDeliveries) (ImportReport, error) {
	if err := need(c, access.CreateDeliveries); err != nil {
		return ImportReport{}, err
	}
	if in.CreateGroups {
		if err := need(c, access.ManageGroups); err != nil {
			return ImportReport{}, err
		}
	}
	cmd := s.command(c, env)
	bulk, err := s.cfg.Store.Bulk(ctx, store.BulkConfig{InFlight: 4 * importBatch})
	if err != nil {
		return ImportReport{}, fmt.Errorf("import %s: %w", cmd.ID, err)
	}
	im := &importer{s: s, caller: c, cmd: cmd, now: env.At.IsZero(), in: in, bulk: bulk, tally: tally{in: in}, codes: newCodes(s, c, cmd, in.CreateGroups)}
	err = im.run(ctx)
	// Everything under way was waited for, unless the import broke off.
	if closeErr := bulk.Close(ctx); err == nil {
		err = closeErr
	}
	report := im.tally.report()
	report.GroupsCreated = im.codes.created
	report.Position = later(report.Position, im.codes.position)
	if err != nil {
		return report, fmt.Errorf("import %s: %w", cmd.ID, err)
	}
	return report, nil
}

func later(a, b events.Position) events.Position {
	if b.After(a) {
		return b
	}
	return a
}

// importer is one import under way.
type importer struct {
	s      *Service
	caller access.Caller
	cmd    aggregates.Command
	now    bool // every row is recorded when it is written
	in     ImportDeliveries
	bulk   *store.Bulk
	tally  tally
	codes  *codes
}

func (im *importer) run(ctx context.Context) error {
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(importBatches)
	batch := make([]row, 0, importBatch)
	flush := func() {
		rows := batch
		batch = make([]row, 0, importBatch)
		work.Go(func() error { return im.write(ctx, rows) })
	}
	err := im.read(ctx, func(r row) {
		if batch = append(batch, r); len(batch) == importBatch {
			flush()
		}
	})
	if len(batch) > 0 && err == nil {
		flush()
	}
	workErr := work.Wait()
	if workErr != nil && (err == nil || errors.Is(err, context.Canceled)) {
		return workErr
	}
	return err
}

// read turns drafts into rows.
func (im *importer) read(ctx context.Context, take func(row)) error {
	for d, err := range im.in.Drafts {
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		im.tally.read()
		r, err := im.row(ctx, d)
		var refused *fault.Error
		switch {
		case err == nil:
			take(r)
		case errors.As(err, &refused) && (refused.Kind == fault.Invalid || refused.Kind == fault.NotFound):
			im.tally.add(Outcome{Row: d.Row(), DONumber: d.DONumber, Status: OutcomeRejected, Reason: reason(refused)}, events.Position{})
		default:
			return err
		}
	}
	return nil
}

// tally counts and reports, for several goroutines.
type tally struct {
	in       ImportDeliveries
	mu       sync.Mutex
	counts   ImportCounts
	position events.Position
}

func (t *tally) read() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts.Read++
}

func (t *tally) add(o Outcome, at events.Position) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch o.Status {
	case OutcomeCreated:
		t.counts.Created++
	case OutcomeKnown:
		t.counts.AlreadyKnown++
	case OutcomeRejected:
		t.counts.Rejected++
	}
	t.position = later(t.position, at)
	if t.in.Report != nil {
		t.in.Report(o)
	}
}

func (t *tally) progress() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.in.Progress != nil {
		t.in.Progress(t.counts)
	}
}

func (t *tally) report() ImportReport {
	t.progress()
	t.mu.Lock()
	defer t.mu.Unlock()
	return ImportReport{t.counts, t.position}
}

// reason says in one line what is wrong with a row.
func reason(f *fault.Error) string {
	if len(f.Fields) == 0 {
		return f.Detail
	}
	out := ""
	for i, field := range f.Fields {
		if i > 0 {
			out += "; "
		}
		out += field.Name + " " + field.Detail
	}
	return out
}
