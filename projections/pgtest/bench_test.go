package pgtest_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"

	"waybill/projections/pgtest"
)

// BenchmarkRoundTrip is one empty query over the address that tests get.
func BenchmarkRoundTrip(b *testing.B) {
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, pgtest.Database(b))
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close(ctx)
	for b.Loop() {
		if err := conn.Ping(ctx); err != nil {
			b.Fatal(err)
		}
	}
}
