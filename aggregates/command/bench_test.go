package command_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/uuid"

	"waybill/aggregates/access"
	"waybill/aggregates/command"
	"waybill/aggregates/importing"
	"waybill/events"
	"waybill/events/store"
)

// rate runs n calls of work by some clients at a time and returns calls/s.
func rate(b *testing.B, clients, n int, work func(client int) error) float64 {
	b.Helper()
	var next atomic.Int64
	var end sync.WaitGroup
	start := time.Now()
	for c := range clients {
		end.Go(func() {
			for next.Add(1) <= int64(n) {
				if err := work(c); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	end.Wait()
	return float64(n) / time.Since(start).Seconds()
}

// BenchmarkCommand compares commands on warm states, acknowledged durable, with
// bare AppendToStream calls of the unmodified client to the same node in the
// same run, in turns.
func BenchmarkCommand(b *testing.B) {
	for _, clients := range []int{1, 8, 64} {
		b.Run(fmt.Sprint(clients), func(b *testing.B) {
			o := setup(b)
			o.ctx = context.Background()
			conf, err := esdb.ParseConnectionString(eventstore)
			o.must(err)
			bare, err := esdb.NewClient(conf)
			o.must(err)
			defer bare.Close()
			append := bareAppend(o, bare, clients)
			set, create := setPermissions(o, clients), createDelivery(o)
			for _, work := range []func(int) error{append, set, create} {
				rate(b, clients, 2*clients, work) // connected and warm
			}
			const rounds = 20
			each := max(b.N/rounds, clients)
			var appended, commanded, created float64
			b.ResetTimer()
			for range rounds {
				appended += rate(b, clients, each, append)
				commanded += rate(b, clients, each, set)
				created += rate(b, clients, each, create)
			}
			b.ReportMetric(appended/rounds, "appends/s")
			b.ReportMetric(commanded/rounds, "commands/s")
			b.ReportMetric(commanded/appended, "of-append")
			b.ReportMetric(created/rounds, "creations/s")
		})
	}
}

// bareAppend appends an event of the usual size to each client's own stream.
func bareAppend(o *bundle, c *esdb.Client, clients int) func(int) error {
	last := make([]esdb.ExpectedRevision, clients)
	streams := make([]string, clients)
	for i := range last {
		last[i], streams[i] = esdb.NoStream{}, "Bare-"+uuid.NewString()
	}
	data, meta := make([]byte, 64), make([]byte, 480)
	for i := range data {
		data[i] = ' '
	}
	for i := range meta {
		meta[i] = ' '
	}
	copy(data, `{"vehicle":""}`)
	copy(meta, `{}`)
	return func(i int) error {
		res, err := c.AppendToStream(o.ctx, streams[i], esdb.AppendToStreamOptions{ExpectedRevision: last[i]},
			esdb.EventData{EventID: uuid.New(), EventType: "DeliveryDispatched", ContentType: esdb.ContentTypeJson, Data: data, Metadata: meta})
		if err != nil {
			return err
		}
		last[i] = esdb.Revision(res.NextExpectedVersion)
		return nil
	}
}

// setPermissions changes the switches of each client's own user back and forth:
// a command that looks at its own aggregate only.
func setPermissions(o *bundle, clients int) func(int) error {
	users := make([]uuid.UUID, clients)
	on := make([]bool, clients)
	for i := range users {
		users[i] = o.user(access.RoleManager, fmt.Sprintf("u%d@example.com", i)).ID
	}
	return func(i int) error {
		on[i] = !on[i]
		_, err := o.s.SetPermissions(o.ctx, o.owner, env(), command.SetPermissions{
			User: users[i], Permissions: events.Permissions{"export_deliveries": on[i]},
		})
		return err
	}
}

// createDelivery makes deliveries: a claim and a creation each.
func createDelivery(o *bundle) func(int) error {
	group := o.group("Apple")
	var n atomic.Int64
	return func(int) error {
		_, err := o.s.CreateDelivery(o.ctx, o.owner, env(), command.CreateDelivery{
			DONumber: fmt.Sprint("DO-", n.Add(1)), Date: "2026-03-02", Group: group, Address: "Main Street 1", Recipient: "Ann",
		})
		return err
	}
}

// BenchmarkImport imports drafts that nobody knows, claims included, in turns
// with bare bulk appends of two ready-made events to two new streams each.
func BenchmarkImport(b *testing.B) {
	o := setup(b)
	o.ctx = context.Background()
	o.imports(file(10, codes...), len(codes))
	drafts := many(b.N)
	const rounds = 5
	each := max(b.N/rounds, 1)
	var imported, appended time.Duration
	n := 0
	b.ResetTimer()
	for part := range slices.Chunk(drafts, each) {
		start := time.Now()
		if r := o.imports(part, 0); r.Created != len(part) {
			b.Errorf("the import reports %+v", r.ImportCounts)
		}
		imported += time.Since(start)
		start = time.Now()
		o.bulk(len(part))
		appended += time.Since(start)
		n += len(part)
	}
	b.ReportMetric(float64(n)/imported.Seconds(), "deliveries/s")
	b.ReportMetric(float64(n)/appended.Seconds(), "pairs/s")
	b.ReportMetric(appended.Seconds()/imported.Seconds(), "of-bulk")
}

// bulk appends n pairs of events as large as those of an import.
func (b *bundle) bulk(n int) {
	b.Helper()
	bulk, err := b.store.Bulk(b.ctx, store.BulkConfig{InFlight: 2000})
	b.must(err)
	claim := events.Proposed{Type: "KeyClaimed", Metadata: []byte(`{"` + strings.Repeat("m", 400) + `":1}`), Data: []byte(`{"` + strings.Repeat("d", 120) + `":1}`)}
	creation := events.Proposed{Type: "DeliveryCreated", Metadata: []byte(`{"` + strings.Repeat("m", 450) + `":1}`), Data: []byte(`{"` + strings.Repeat("d", 600) + `":1}`)}
	var end sync.WaitGroup
	for range 4 {
		end.Go(func() {
			for range n / 4 {
				for _, e := range []events.Proposed{claim, creation} {
					e.ID = uuid.New()
					bulk.Append(b.ctx, "Bare-"+e.ID.String(), events.NoStream, []events.Proposed{e})
				}
			}
		})
	}
	end.Wait()
	b.must(bulk.Close(b.ctx))
}

// BenchmarkImportAgain imports drafts that are all known.
func BenchmarkImportAgain(b *testing.B) {
	o := setup(b)
	o.ctx = context.Background()
	o.imports(file(10, codes...), len(codes))
	drafts := many(b.N)
	o.imports(drafts, 0)
	b.ResetTimer()
	start := time.Now()
	if r := o.imports(drafts, 0); r.AlreadyKnown != b.N {
		b.Errorf("the import reports %+v", r.ImportCounts)
	}
	b.ReportMetric(float64(b.N)/time.Since(start).Seconds(), "deliveries/s")
}

var codes = []string{"apple", "banana", "orange"}

// many are n drafts as a warehouse's file has them.
func many(n int) []importing.Draft {
	drafts := make([]importing.Draft, n)
	for i := range drafts {
		drafts[i] = importing.Draft{
			Rows: []int{i + 2}, Code: codes[i%len(codes)], Type: events.TypeDelivery, DONumber: fmt.Sprintf("WMS-%d", i), Date: "2026-03-02",
			Address: "Main Street 1", Recipient: "Ann", Items: []events.Item{{ID: "1", SKU: "A-1", Description: "Apples", Quantity: 3, Unit: "box"}},
		}
	}
	return drafts
}

func (b *bundle) imports(drafts []importing.Draft, groups int) command.ImportReport {
	b.Helper()
	r, err := b.s.ImportDeliveries(b.ctx, b.owner, env(), command.ImportDeliveries{File: "wms.csv", CreateGroups: true, Drafts: each(drafts)})
	b.must(err)
	if r.GroupsCreated != groups {
		b.Errorf("the import made %d groups, want %d", r.GroupsCreated, groups)
	}
	return r
}
