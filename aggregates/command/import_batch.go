package command

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"

	"waybill/aggregates"
	"waybill/aggregates/access"
	"waybill/aggregates/delivery"
	"waybill/aggregates/importing"
	"waybill/events"
	"waybill/events/fault"
	"waybill/events/store"
)

// importer is one import under way.
type importer struct {
	s      *Service
	caller access.Caller // as it was when the import began
	cmd    aggregates.Command
	now    bool // every row is recorded when it is written
	in     ImportDeliveries
	bulk   *store.Bulk // nil in a dry run
	plan   *plan       // nil unless it is a dry run
	tally  tally

	deciding sync.Mutex // batches are decided on one after the other
	codes    *codes
	ended    string // why nothing more is taken; empty = it goes on
}

// run reads the drafts in batches and writes several of these at a time.
func (im *importer) run(ctx context.Context) error {
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(importBatches)
	var batch []importing.Draft
	text := 0
	flush := func() {
		drafts := batch
		batch, text = make([]importing.Draft, 0, importBatch), 0
		work.Go(func() error { return im.batch(ctx, drafts) })
	}
	err := im.read(ctx, func(d importing.Draft) {
		batch = append(batch, d)
		if text += textOf(d); len(batch) == importBatch || text >= importBatchText {
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

func (im *importer) read(ctx context.Context, take func(importing.Draft)) error {
	for d, err := range im.in.Drafts {
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		im.tally.read()
		take(d)
	}
	return nil
}

// textOf is about what a draft takes in memory, in bytes.
func textOf(d importing.Draft) int {
	n := 200 + len(d.Code) + len(d.DONumber) + len(d.Address) + len(d.Recipient) + len(d.Phone) + len(d.Email) + 8*len(d.Rows)
	for _, it := range d.Items {
		n += 100 + len(it.ID) + len(it.SKU) + len(it.Description) + len(it.Unit)
	}
	return n
}

// batch decides on drafts, and at once writes what is to be taken.
func (im *importer) batch(ctx context.Context, drafts []importing.Draft) error {
	rows, err := im.decide(ctx, drafts)
	switch {
	case err != nil:
	case im.plan != nil:
		err = im.foresee(ctx, rows)
	case len(rows) > 0:
		err = im.write(ctx, rows)
	}
	im.tally.progress()
	return err
}

// decide turns drafts into rows, as things stand now, and rejects the others.
func (im *importer) decide(ctx context.Context, drafts []importing.Draft) ([]row, error) {
	im.deciding.Lock()
	defer im.deciding.Unlock()
	if err := im.again(ctx); err != nil {
		return nil, err
	}
	rows := make([]row, 0, len(drafts))
	for _, d := range drafts {
		if im.ended != "" {
			im.reject(d, im.ended)
			continue
		}
		r, err := im.row(ctx, d)
		var refused *fault.Error
		switch {
		case err == nil:
			rows = append(rows, r)
		case errors.As(err, &refused) && refused.Code != tooLargeForDryRun && (refused.Kind == fault.Invalid || refused.Kind == fault.NotFound):
			im.reject(d, reason(refused))
		default:
			return nil, err
		}
	}
	return rows, nil
}

func (im *importer) reject(d importing.Draft, why string) {
	im.tally.add(Outcome{Row: d.Row(), DONumber: d.DONumber, Status: OutcomeRejected, Reason: why}, events.Position{})
}

// again looks the caller up anew. Who is nobody any more, or may not import any
// more, ends the import; it does not go on when that is taken back.
func (im *importer) again(ctx context.Context) error {
	if im.ended != "" {
		return nil
	}
	c, err := im.s.cfg.Identities.Again(ctx, im.caller)
	switch {
	case fault.Is(err, fault.Unauthenticated):
		im.ended = "the import was ended: whoever started it was signed out, blocked or removed meanwhile"
	case err != nil:
		return err
	case !c.May(access.CreateDeliveries):
		im.ended = fmt.Sprintf("the import was ended: whoever started it has lost the permission %q meanwhile", access.CreateDeliveries)
	default:
		im.codes.begin(c, im.in.CreateGroups && c.May(access.ManageGroups))
	}
	return nil
}

// row is one delivery that an import is about to create.
type row struct {
	number int // the first of its rows in the file
	cmd    aggregates.Command
	create delivery.Create // without its id
	twin   bool            // of a dry run: a draft before it has the same key
}

// row checks a draft and finds its group. Errors of kind Invalid and NotFound
// reject the draft.
func (im *importer) row(ctx context.Context, d importing.Draft) (row, error) {
	g, err := im.codes.group(ctx, d.Code)
	if err != nil {
		return row{}, err
	}
	// Its own command, so that two rows with one key never pass for a
	// repetition of one another.
	r := row{number: d.Row(), cmd: im.cmd.Then(fmt.Sprintf("row %d", d.Row()))}
	if im.now {
		r.cmd.At = im.s.x.Now()
	}
	r.create = delivery.Create{
		DONumber: d.DONumber, Type: d.Type, Date: d.Date, Group: g, Address: d.Address,
		Recipient: d.Recipient, Phone: d.Phone, Email: d.Email, Items: numbered(d.Items),
		Import: &events.Import{ID: im.cmd.ID, File: im.in.File, Row: d.Row()},
	}
	if _, err := r.create.Decide(delivery.State{}); err != nil {
		return row{}, err
	}
	if im.plan != nil {
		r.twin, err = im.plan.seen(r.create.Key())
	}
	return r, err
}
