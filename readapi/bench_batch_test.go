package readapi_test

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// batch is a scoped query with a number of results, answered with nothing more
// done to it than what a row of text takes.
type batch struct {
	*pgx.Batch
	results int
}

func (b *batch) run(ctx context.Context, pool *pgxpool.Pool) ([]byte, error) {
	results := pool.SendBatch(ctx, b.Batch)
	defer results.Close()
	if _, err := results.Exec(); err != nil {
		return nil, err
	}
	body := make([]byte, 0, 16<<10)
	for range b.results {
		rows, err := results.Query()
		if err != nil {
			return nil, err
		}
		for rows.Next() {
			body = append(body, '{')
			for _, raw := range rows.RawValues() {
				body = append(body, raw...)
			}
			body = append(body, '}', ',')
		}
		rows.Close()
		if rows.Err() != nil {
			return nil, rows.Err()
		}
	}
	return body, nil
}
