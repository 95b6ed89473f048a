package readmodel_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"waybill/events"
)

func TestGrantsOfOthersEndByTheTimeOfTheQuestion(t *testing.T) {
	t.Parallel()
	h := sample()
	ends := time.Date(2026, 3, 6, 9, 0, 0, 0, time.UTC)
	h.happens(events.CategoryUser, org, people["Nobody"], &events.GroupAccessGranted{Grant: number(50), Group: apple, Basis: events.BasisDirect, ExpiresAt: ends})
	b := newBench(t, h.codec)
	b.project(t, h.records)
	adam := b.caller(t, people["Adam"], "manage_users")
	for what, c := range map[string]struct {
		at   string
		want int // users that Adam sees, each by one grant
	}{
		"a moment before the end":              {ends.Add(-time.Microsecond).Format(time.RFC3339Nano), 3},
		"at the end":                           {ends.Format(time.RFC3339Nano), 2},
		"unsaid, by the database's own clock,": {"", 2},
	} {
		batch := &pgx.Batch{}
		adam.settings(batch)
		batch.Queue(`SELECT set_config('waybill.at', $1, true)`, c.at)
		for _, table := range []string{"users", "grants"} {
			batch.Queue(`SELECT count(*) FROM read.` + table).QueryRow(func(r pgx.Row) error {
				var n int
				if err := r.Scan(&n); err != nil || n != c.want {
					t.Errorf("%s one sees %d rows of read.%s, want %d (%v)", what, n, table, c.want, err)
				}
				return nil
			})
		}
		if err := b.pools.Reader.SendBatch(t.Context(), batch).Close(); err != nil {
			t.Fatal(err)
		}
	}
}
