package readapi

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"waybill/aggregates/access"
)

// scopeQuery says who asks, for this transaction only: a pooled connection
// forgets it with the transaction's end. Row-level security goes by it.
const scopeQuery = `
	SELECT set_config('waybill.org', $1, true), set_config('waybill.user', $2, true), set_config('waybill.all', $3, true),
	       set_config('waybill.groups', $4, true), set_config('waybill.manage_users', $5, true), set_config('waybill.view_vehicles', $6, true),
	       set_config('waybill.narrowed', $7, true), set_config('waybill.at', $8, true)`

// pageQuery says besides that an index in the order of the list is to be walked,
// and not all that fits to be fetched and sorted. The planner thinks otherwise
// while it has no statistics yet, such as after an import, and row-level security
// makes it expect fewer rows than there are.
const pageQuery = scopeQuery + `, set_config('enable_sort', 'off', true)`

// scoped begins a batch with the caller's scope. A batch is one round trip and
// one transaction.
func scoped(c access.Caller) *pgx.Batch { return begin(scopeQuery, c) }

// scopedPage begins a batch for a page of deliveries.
func scopedPage(c access.Caller) *pgx.Batch { return begin(pageQuery, c) }

func begin(query string, c access.Caller) *pgx.Batch {
	b := &pgx.Batch{}
	b.Queue(query, c.Org.String(), c.User.String(), setting(c.SeesAll()), joined(c.Groups),
		setting(c.May(access.ManageUsers)), setting(c.May(access.ViewVehicles)), setting(c.Narrowed), instant(c.At))
	return b
}

// instant writes a time as Postgres reads it; empty for none.
func instant(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(time.RFC3339Nano)
}

// raw is an id as it goes to Postgres in one step; what is merely a
// driver.Valuer goes by way of its text.
func raw(id uuid.UUID) pgtype.UUID { return pgtype.UUID{Bytes: id, Valid: true} }

func setting(on bool) string {
	if on {
		return "on"
	}
	return ""
}

func joined(groups []uuid.UUID) string {
	if len(groups) == 0 {
		return ""
	}
	var b strings.Builder
	b.Grow(len(groups) * 37)
	var text [36]byte
	for i, g := range groups {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(appendUUID(text[:0], g))
	}
	return b.String()
}

// run sends a scoped batch and hands its results to read, past that of the scope
// itself.
func (a *api) run(ctx context.Context, b *pgx.Batch, read func(pgx.BatchResults) error) (err error) {
	results := a.cfg.Pool.SendBatch(ctx, b)
	defer func() {
		if cerr := results.Close(); err == nil && cerr != nil {
			err = access.Storage(fmt.Errorf("query: %w", cerr))
		}
	}()
	if _, err := results.Exec(); err != nil {
		return access.Storage(fmt.Errorf("set the scope: %w", err))
	}
	return access.Storage(read(results))
}

// rows reads all rows of the next result of a batch.
func rows(results pgx.BatchResults, each func(pgx.Rows) error) error {
	rs, err := results.Query()
	if err != nil {
		return fmt.Errorf("query: %w", err)
	}
	defer rs.Close()
	for rs.Next() {
		if err := each(rs); err != nil {
			return err
		}
	}
	if err := rs.Err(); err != nil {
		return fmt.Errorf("query: %w", err)
	}
	return nil
}

// send writes a JSON answer.
func send(w http.ResponseWriter, body []byte) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body) // the caller may have gone away
}
