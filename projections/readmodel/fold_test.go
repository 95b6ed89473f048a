package readmodel_test

import (
	"context"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"waybill/events"
	"waybill/events/consume"
)

// However the log is cut into runs, whatever is delivered again, and wherever a
// projector dies, the tables are those of one event after the other.
func TestAnyRunsRedeliveriesAndCrashesGiveTheTablesOfOneEventAtATime(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	fast := newBench(t, newHistory().codec)
	slow := newBench(t, newHistory().codec).owner(t)
	watch := fast.owner(t)
	rapid.Check(t, func(t *rapid.T) {
		h := randomHistory(t, rapid.IntRange(20, 60).Draw(t, "events"))
		if len(h.records) == 0 {
			return
		}
		fast.use(h.codec)
		empty(t, watch)
		// What comes after the end is folded at times and never committed.
		end := len(h.records) - rapid.IntRange(0, min(10, len(h.records)-1)).Draw(t, "never")
		live := &projector{t: t, bench: fast, watch: watch, records: h.records[:end], beyond: h.records}
		for !live.done(ctx) {
			live.step(ctx)
		}
		differ(t, tablesOf(t, watch), tablesByHand(t, slow, h.codec, h.records[:end]))
	})
}

// empty makes the tables as they were before the first event. It is the quick way
// of Model.Clear.
func empty(t rapid.TB, conn *pgx.Conn) {
	t.Helper()
	batch := &pgx.Batch{}
	for _, table := range readTables {
		batch.Queue(`DELETE FROM read.` + table)
	}
	batch.Queue(`DELETE FROM ops.projections`)
	if err := conn.SendBatch(context.Background(), batch).Close(); err != nil {
		t.Fatal(err)
	}
}

// projector delivers a log as a consumer does, with every accident it may have.
type projector struct {
	t       *rapid.T
	bench   *bench
	watch   *pgx.Conn
	records []events.Record
	beyond  []events.Record // records and more

	accidents int
}

func (p *projector) load(ctx context.Context) events.Position {
	c, err := p.bench.model.Log().Load(ctx)
	if err != nil {
		p.t.Fatal(err)
	}
	return c.Position
}

func (p *projector) done(ctx context.Context) bool {
	return p.load(ctx) == p.records[len(p.records)-1].Position
}

func (p *projector) step(ctx context.Context) {
	after := p.load(ctx)
	first := 0
	for first < len(p.records) && !p.records[first].Position.After(after) {
		first++
	}
	run := p.run(after, first, len(p.records))
	n := len(run.Records)
	if rapid.Bool().Draw(p.t, "retried") { // an earlier try left less or more of it
		other := *run
		other.Records = p.beyond[first:rapid.IntRange(first, min(first+n+10, len(p.beyond))).Draw(p.t, "tried")]
		if err := p.bench.model.Handle(ctx, &other); err != nil {
			p.t.Fatal(err)
		}
		run.Unit.Reset()
	}
	if err := p.bench.model.Handle(ctx, run); err != nil {
		p.t.Fatal(err)
	}
	accident := rapid.IntRange(0, 5).Draw(p.t, "accident")
	if p.accidents++; p.accidents > 20 {
		accident = 0
	}
	switch accident {
	case 1: // killed before the commit
		return
	case 2: // killed at some moment of the commit: the checkpoint tells what became of it
		dying, cancel := context.WithCancel(ctx)
		go cancel()
		_ = run.Unit.Commit(dying, run.After, run.Last)
		cancel()
		p.buried(ctx)
		return
	case 3: // committed, but nobody heard of it: the same again is refused
		p.commit(ctx, run)
		if err := run.Unit.Commit(ctx, run.After, run.Last); !errors.Is(err, consume.ErrFenced) {
			p.t.Fatalf("committing a run twice: %v; want ErrFenced", err)
		}
	case 4: // an older checkpoint is restored: events come again to rows that have them
		p.commit(ctx, run)
		p.again(ctx, rapid.IntRange(0, first+n-1).Draw(p.t, "back"), first+n)
	default:
		p.commit(ctx, run)
	}
}

// buried waits until no connection of a killed projector is left, so that what
// it was about to commit is committed or never will be.
func (p *projector) buried(ctx context.Context) {
	p.bench.pools.Projector.Reset()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for left := 1; left > 0; {
		err := p.watch.QueryRow(ctx, `
			SELECT count(*) FROM pg_stat_activity
			WHERE datname = current_database() AND application_name = 'waybill_projector'`).Scan(&left)
		if err != nil {
			p.t.Fatalf("waiting for a killed projector to be gone: %v", err)
		}
	}
}

// run draws a run of the records from first on, before end.
func (p *projector) run(after events.Position, first, end int) *consume.Run {
	n := rapid.IntRange(1, min(20, end-first)).Draw(p.t, "run")
	return p.bench.run(after, p.records[first:first+n])
}

// again sets the checkpoint back to a record and delivers everything up to end
// again, which changes nothing.
func (p *projector) again(ctx context.Context, back, end int) {
	before := tablesOf(p.t, p.watch)
	// What leaves, leaves no row to tell that it did, and is there again until its
	// end comes again.
	leaving := map[string]string{}
	for _, table := range []string{"customer_codes", "vehicles", "group_vehicles"} {
		leaving[table] = before[table]
		delete(before, table)
	}
	at := p.records[back].Position
	if _, err := p.watch.Exec(ctx, `UPDATE ops.projections SET commit_position = $1, prepare_position = $1`, at.Commit); err != nil {
		p.t.Fatal(err)
	}
	for first := back + 1; first < end; {
		run := p.run(at, first, end)
		if err := p.bench.model.Handle(ctx, run); err != nil {
			p.t.Fatal(err)
		}
		p.commit(ctx, run)
		differ(p.t, tablesOf(p.t, p.watch), before)
		first, at = first+len(run.Records), run.Last
	}
	differ(p.t, tablesOf(p.t, p.watch), leaving)
}

func (p *projector) commit(ctx context.Context, run *consume.Run) {
	if err := run.Unit.Commit(ctx, run.After, run.Last); err != nil {
		p.t.Fatal(err)
	}
}
