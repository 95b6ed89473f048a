package readmodel_test

import (
	"context"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"

	"waybill/events"
	"waybill/events/consume"
	"waybill/projections"
	"waybill/projections/pgtest"
	"waybill/projections/readmodel"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// bench is a read model on a database of the test's own.
type bench struct {
	url   string
	pools *projections.Pools
	model *readmodel.Model
}

func newBench(t testing.TB, codec *events.Codec) *bench {
	t.Helper()
	url := pgtest.Template(t, "migrated", func(url string) error {
		_, err := projections.Migrate(context.Background(), url)
		return err
	})
	pools, err := projections.Open(context.Background(), projections.Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pools.Close)
	b := &bench{url: url, pools: pools}
	b.use(codec)
	return b
}

// use makes the model of a codec.
func (b *bench) use(codec *events.Codec) {
	model, err := readmodel.New(readmodel.Config{Codec: codec, Pool: b.pools.Projector, Owner: "test"})
	if err != nil {
		panic(err) // only for a config that lacks something
	}
	b.model = model
}

// commit folds records into one unit and commits it after the given position.
func (b *bench) commit(ctx context.Context, after events.Position, records []events.Record) error {
	run := b.run(after, records)
	if err := b.model.Handle(ctx, run); err != nil {
		return err
	}
	return run.Unit.Commit(ctx, run.After, run.Last)
}

func (b *bench) run(after events.Position, records []events.Record) *consume.Run {
	run := &consume.Run{Records: records, After: after, Last: records[len(records)-1].Position, Unit: b.model.Log().Begin()}
	run.Unit.Reset()
	return run
}

// project commits all records, in one run.
func (b *bench) project(t testing.TB, records []events.Record) {
	t.Helper()
	if err := b.commit(context.Background(), events.Position{}, records); err != nil {
		t.Fatal(err)
	}
}

// owner returns a connection of the owner, who is a superuser here and sees every
// row.
func (b *bench) owner(t testing.TB) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), b.url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}
