package command

import (
	"context"
	"fmt"
	"iter"
	"sync"

	"github.com/google/uuid"
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
	Delivery uuid.UUID // what was created; zero in a dry run
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

	// DryRun finds out what would become of every draft, and appends nothing:
	// neither deliveries nor groups nor claims of numbers.
	DryRun bool

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
	Groups   []string        // names of the first groups that were made, 1000 at most
	Position events.Position // of the last event; zero when nothing was written
}

// Sizes of an import: drafts that are decided on and written together, their text
// in bytes, and how many such batches are under way at a time.
const (
	importBatch     = 500
	importBatchText = 2 << 20
	importBatches   = 6
)

// ImportDeliveries creates the deliveries of a file that are not known yet.
// However often the same file is imported, by whatever command, at the same
// time or after being interrupted at any instant, every delivery is created
// once. With an error the report says how far it came.
//
// The caller, the customer codes and the groups are looked up anew for every
// batch: from the moment that the caller is blocked or loses a permission or a
// group, that a code is unmapped or a group archived, what has not been decided on
// is rejected for that reason.
//
// Errors: Denied, Conflict (group-field-off), Unavailable, Invalid for a dry run
// of more than it can hold (dry-run-too-large), and those of the drafts.
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
	im := &importer{s: s, caller: c, cmd: cmd, now: env.At.IsZero(), in: in, tally: tally{in: in}, codes: newCodes(s, cmd)}
	if in.DryRun {
		im.plan = newPlan()
		im.codes.plan = im.plan
	} else {
		var err error
		if im.bulk, err = s.cfg.Store.Bulk(ctx, store.BulkConfig{InFlight: 4 * importBatch}); err != nil {
			return ImportReport{}, fmt.Errorf("import %s: %w", cmd.ID, err)
		}
	}
	err := im.run(ctx)
	if im.bulk != nil {
		// Everything under way was waited for, unless the import broke off.
		if closeErr := im.bulk.Close(ctx); err == nil {
			err = closeErr
		}
	}
	report := im.tally.report()
	report.GroupsCreated, report.Groups = im.codes.created, im.codes.names
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
	return ImportReport{ImportCounts: t.counts, Position: t.position}
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
