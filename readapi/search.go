package readapi

import (
	"context"
	"errors"
	"strconv"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"waybill/aggregates/access"
	"waybill/events/search"
)

// A search walks the list in its order and meets a frequent word soon. A rare one
// is found by the index of texts, whose few rows are then put in order. Which of the
// two a word is, a look at the first rows tells. A word that is neither, because it
// is frequent but not lately, or too short for the index, is walked for; a request
// walks [Config.WalkLimit] rows and no more, and where it stopped the next page goes
// on, so that a page may have fewer rows than were asked for, or none. The index has
// [Config.IndexLimit], for it also meets what the caller does not see.
const (
	lookedRows = 400  // of the first look
	lookedArms = 8    // groups and statuses of a list, beyond which there is no first look
	foundRows  = 1000 // of the index, at most
)

// search runs a page of a list with words in it.
func (a *api) search(ctx context.Context, c access.Caller, f *deliveryFilter, page *deliveryPage) error {
	if f.doNumber != "" {
		return a.walk(ctx, c, f, page.row)
	}
	s := searching{f: f, at: f.after, more: true}
	if grams := search.Grams(c.Org, f.text()); len(grams) > 0 && !f.walking {
		if f.armCount() <= lookedArms {
			if err := a.walkOn(ctx, c, &s, lookedRows); err != nil {
				return err
			}
		}
		if s.more && !s.full() && !s.promising(a.cfg.WalkLimit) {
			ids, all, err := a.searchIndex(ctx, c, grams)
			if err != nil {
				return err
			}
			if all {
				return a.among(ctx, c, f, ids, page.row)
			}
			f.walking = true
		}
	}
	if s.more && !s.full() {
		if err := a.walkOn(ctx, c, &s, a.cfg.WalkLimit); err != nil {
			return err
		}
	}
	if err := a.among(ctx, c, f, s.ids(), page.row); err != nil {
		return err
	}
	page.more, page.last = s.next()
	return nil
}

// walk runs a page of a list in the order of the list.
func (a *api) walk(ctx context.Context, c access.Caller, f *deliveryFilter, row func(pgx.Rows) error) error {
	b := scopedPage(c)
	text, args := f.sql(c)
	b.Queue(text, args...)
	return a.run(ctx, b, func(results pgx.BatchResults) error { return rows(results, row) })
}

// among runs a page of some deliveries.
func (a *api) among(ctx context.Context, c access.Caller, f *deliveryFilter, ids []uuid.UUID, row func(pgx.Rows) error) error {
	if len(ids) == 0 {
		return nil
	}
	b := scoped(c)
	text, args := f.amongSQL(c, ids)
	b.Queue(text, args...)
	return a.run(ctx, b, func(results pgx.BatchResults) error { return rows(results, row) })
}

// indexQuery says what is searched for, that the index is to be used, whatever
// little the planner knows about the table yet, and how long that may take.
const indexQuery = `SELECT set_config('waybill.grams', $1, true), set_config('enable_seqscan', 'off', true), set_config('statement_timeout', $2, true)`

// searchIndex returns what the index of texts holds of some grams, as far as the
// caller sees it; all is false when that is too much.
func (a *api) searchIndex(ctx context.Context, c access.Caller, grams []int32) (ids []uuid.UUID, all bool, err error) {
	b := scoped(c)
	b.Queue(indexQuery, array(grams), strconv.Itoa(int(a.cfg.IndexLimit.Milliseconds())))
	b.Queue(`SELECT s.delivery_id FROM read.delivery_search s WHERE s.org_id = $1 LIMIT `+strconv.Itoa(foundRows+1), c.Org)
	err = a.run(ctx, b, func(results pgx.BatchResults) error {
		if _, err := results.Exec(); err != nil {
			return err
		}
		return rows(results, func(rs pgx.Rows) error {
			var id uuid.UUID
			err := rs.Scan(&id)
			ids = append(ids, id)
			return err
		})
	})
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == queryCanceled && ctx.Err() == nil {
		return nil, false, nil
	}
	return ids, len(ids) <= foundRows, err
}

// queryCanceled is Postgres' code of what took too long.
const queryCanceled = "57014"

// array writes numbers as Postgres reads an array.
func array(numbers []int32) string {
	b := []byte{'{'}
	for i, n := range numbers {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(n), 10)
	}
	return string(append(b, '}'))
}
