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

// A search goes one of three ways. A frequent word is met soon by walking the list
// in its order. A rare one is found by the index of texts, whose few rows are then
// put in order. Which of the two a word is shows a short walk; what is neither, as
// a word that is frequent but not lately, takes the whole walk. The index has
// [Config.IndexLimit], for it also meets what the caller does not see.
const (
	walkedRows = 400  // of the short walk
	walkedArms = 8    // groups and statuses of a list, beyond which there is no short walk
	foundRows  = 1000 // of the index, at most
)

// search runs a page of a list with words in it.
func (a *api) search(ctx context.Context, c access.Caller, f *deliveryFilter, row func(pgx.Rows) error) error {
	grams := search.Grams(c.Org, f.text())
	if f.doNumber != "" || len(grams) == 0 {
		return a.walk(ctx, c, f, row)
	}
	ids, all, err := a.searchWalking(ctx, c, f)
	if err == nil && !all && len(ids) <= f.limit {
		ids, all, err = a.searchIndex(ctx, c, grams)
		if err == nil && !all {
			return a.walk(ctx, c, f, row)
		}
	}
	if err != nil || len(ids) == 0 {
		return err
	}
	b := scoped(c)
	text, args := f.amongSQL(c, ids)
	b.Queue(text, args...)
	return a.run(ctx, b, func(results pgx.BatchResults) error { return rows(results, row) })
}

// walk runs a page of a list in the order of the list.
func (a *api) walk(ctx context.Context, c access.Caller, f *deliveryFilter, row func(pgx.Rows) error) error {
	b := scopedPage(c)
	text, args := f.sql(c)
	b.Queue(text, args...)
	return a.run(ctx, b, func(results pgx.BatchResults) error { return rows(results, row) })
}

// searchWalking looks at the first rows of a list and returns what it finds there;
// all says that these are all rows of the list.
func (a *api) searchWalking(ctx context.Context, c access.Caller, f *deliveryFilter) (ids []uuid.UUID, all bool, err error) {
	if f.armCount() > walkedArms {
		return nil, false, nil
	}
	b := scopedPage(c)
	text, args := f.walkSQL()
	b.Queue(text, args...)
	err = a.run(ctx, b, func(results pgx.BatchResults) error {
		return rows(results, func(rs pgx.Rows) error {
			var n int
			err := rs.Scan(&n, &ids)
			all = n < walkedRows
			return err
		})
	})
	return ids[:min(len(ids), f.limit+1)], all, err
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
