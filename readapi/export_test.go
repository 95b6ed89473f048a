package readapi

import (
	"math"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"waybill/aggregates/access"
)

// Scoped is the beginning of every batch: who asks.
func Scoped(c access.Caller) *pgx.Batch { return scoped(c) }

// ScopedPage is the batch that a list of deliveries sends, for benchmarks against
// a handler that does nothing else.
func ScopedPage(c access.Caller) *pgx.Batch {
	f := deliveryFilter{org: c.Org, limit: defaultLimit, today: time.Now()}
	f.narrow(c, uuid.Nil, false)
	b := scopedPage(c)
	text, args := f.sql(c)
	b.Queue(text, args...)
	return b
}

// ScopedDelivery is the batch that one delivery takes.
func ScopedDelivery(c access.Caller, id uuid.UUID) *pgx.Batch {
	b := scoped(c)
	b.Queue(`SELECT `+deliveryColumns(c)+` FROM read.deliveries d WHERE d.delivery_id = $1 AND d.org_id = $2`, raw(id), raw(c.Org))
	b.Queue(itemsQuery, raw(id))
	b.Queue(timelineQuery, raw(id), int64(math.MaxInt64), int64(shownSteps+1))
	return b
}
