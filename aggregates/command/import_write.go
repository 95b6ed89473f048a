package command

import (
	"context"
	"errors"

	"golang.org/x/sync/errgroup"

	"waybill/aggregates"
	"waybill/aggregates/delivery"
	"waybill/events"
	"waybill/events/fault"
	"waybill/events/store"
)

// write makes the deliveries of a batch that nobody knows. Mostly, either all rows
// of a file are new or all were imported before; each is cheap in an order of its
// own, and a few rows of the batch tell which it is.
func (im *importer) write(ctx context.Context, rows []row) error {
	few, _, err := im.look(ctx, []row{rows[0], rows[len(rows)/2], rows[len(rows)-1]})
	if err == nil && len(few) > 1 {
		var known []row
		known, rows, err = im.look(ctx, rows)
		for _, r := range known {
			im.known(r)
		}
	}
	if err != nil {
		return err
	}
	return im.claim(ctx, rows)
}

// look parts rows whose delivery was imported before from those of which a look at
// one stream does not tell.
func (im *importer) look(ctx context.Context, rows []row) (known, left []row, err error) {
	there := make([]bool, len(rows))
	work, ctx := errgroup.WithContext(ctx)
	for first := range min(contestants, len(rows)) {
		work.Go(func() error { // one goroutine for many: each would grow its stack anew
			for i := first; i < len(rows); i += contestants {
				var err error
				if there[i], err = im.s.claims.Imported(ctx, rows[i].cmd, deliveryKey(rows[i].create.Key())); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := work.Wait(); err != nil {
		return nil, nil, err
	}
	for i, r := range rows {
		if there[i] {
			known = append(known, r)
		} else {
			left = append(left, r)
		}
	}
	return known, left, nil
}

// claim claims the keys of rows, then creates the deliveries whose keys were won;
// what somebody claimed before is looked at one by one.
func (im *importer) claim(ctx context.Context, rows []row) error {
	claims := make([]aggregates.ImportClaim, len(rows))
	drafts := make([]events.Draft, len(rows))
	for i, r := range rows {
		claims[i] = im.s.claims.Import(r.cmd, deliveryKey(r.create.Key()))
		drafts[i] = claims[i].Event
		rows[i].create.Delivery = claims[i].Holder
	}
	sent, err := im.send(ctx, drafts, func(i int) string { return claims[i].Stream })
	if err != nil {
		return err
	}
	won := make([]row, 0, len(rows))
	var contested []row
	for i, p := range sent {
		_, err := p.Wait(ctx)
		switch {
		case err == nil:
			won = append(won, rows[i])
		case isConflict(err):
			contested = append(contested, rows[i])
		default:
			return err
		}
	}
	met, err := im.create(ctx, won)
	if err != nil {
		return err
	}
	return im.contest(ctx, append(contested, met...))
}

// create makes deliveries, and returns those whose stream exists already.
func (im *importer) create(ctx context.Context, rows []row) (met []row, err error) {
	drafts := make([]events.Draft, len(rows))
	streams := make([]string, len(rows))
	for i, r := range rows {
		streams[i] = events.Stream(events.CategoryDelivery, r.cmd.Org, r.create.Delivery).String()
		drafts[i], err = im.created(r, streams[i])
		if err != nil {
			return nil, err
		}
	}
	sent, err := im.send(ctx, drafts, func(i int) string { return streams[i] })
	if err != nil {
		return nil, err
	}
	for i, p := range sent {
		at, err := p.Wait(ctx)
		switch {
		case err == nil:
			im.tally.add(Outcome{rows[i].number, rows[i].create.DONumber, OutcomeCreated, "", rows[i].create.Delivery}, at)
		case isConflict(err):
			met = append(met, rows[i])
		default:
			return nil, err
		}
	}
	return met, nil
}

// created returns the first event of a row's delivery.
func (im *importer) created(r row, stream string) (events.Draft, error) {
	evs, err := r.create.Decide(delivery.State{})
	if err != nil {
		return events.Draft{}, err
	}
	return im.s.x.Draft(r.cmd, stream, 0, delivery.Touches(r.create.Delivery, delivery.State{}, evs[0]), evs[0]), nil
}

// send seals and encodes drafts and hands them to the bulk writer, each as the
// first event of its stream.
func (im *importer) send(ctx context.Context, drafts []events.Draft, stream func(int) string) ([]*store.Pending, error) {
	encoded, err := im.s.cfg.Codec.Encode(ctx, drafts)
	if err != nil {
		return nil, err
	}
	sent := make([]*store.Pending, len(encoded))
	for i := range encoded {
		sent[i] = im.bulk.Append(ctx, stream(i), events.NoStream, encoded[i:i+1])
	}
	return sent, nil
}

// contestants is how many rows of a batch are looked at one by one at a time.
const contestants = 8

// contest deals with rows whose key, or delivery, somebody was first with.
func (im *importer) contest(ctx context.Context, rows []row) error {
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(contestants)
	for _, r := range rows {
		work.Go(func() error { return im.one(ctx, r) })
	}
	return work.Wait()
}

func (im *importer) one(ctx context.Context, r row) error {
	for {
		id, known, err := im.s.claims.TakeImport(ctx, r.cmd, deliveryKey(r.create.Key()))
		if err != nil {
			return err
		}
		if known {
			im.known(r)
			return nil
		}
		r.create.Delivery = id
		met, err := im.create(ctx, []row{r})
		if err != nil || len(met) == 0 {
			return err
		}
		// Somebody created or abandoned it meanwhile; the claim tells.
	}
}

// known reports a row whose delivery is there.
func (im *importer) known(r row) {
	im.tally.add(Outcome{Row: r.number, DONumber: r.create.DONumber, Status: OutcomeKnown}, events.Position{})
}

func isConflict(err error) bool {
	var moved *store.ConflictError
	return errors.As(err, &moved) || fault.Is(err, fault.Conflict)
}
