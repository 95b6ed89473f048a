package readapi_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/uuid"
)

// BenchmarkCommands compares a command over HTTP, acknowledged durable, on warm
// state, with the client's bare AppendToStream of an event of the same size to
// the same node. The command appends one event to one stream each time. Nobody
// follows the limit's events; the read model and a policy follow the command's,
// unless it is measured alone, which is what the write side costs by itself.
func BenchmarkCommands(b *testing.B) {
	s := newStack(b)
	config, err := esdb.ParseConnectionString(s.node)
	must(b, err)
	config.Logger = esdb.NoopLogging()
	bare, err := esdb.NewClient(config)
	must(b, err)
	b.Cleanup(func() { _ = bare.Close() })
	client := manyConnections(s.Client())
	var owners []person
	for i := range 64 {
		owners = append(owners, s.organisation(b, fmt.Sprintf("Bench%d", i)))
	}
	measure := func(n int) func(b *testing.B) {
		return func(b *testing.B) {
			turn, streams, revision := make([]int, n), make([]string, n), make([]esdb.ExpectedRevision, n)
			for i := range n {
				streams[i], revision[i] = "Bare-"+uuid.NewString(), esdb.NoStream{}
				owners[i].done(b, http.MethodPut, "/v1/settings/group-field", `{"enabled": true}`)
			}
			work := func(ctx context.Context, i int) error {
				turn[i]++
				return toggle(ctx, client, owners[i], turn[i]%2 == 0)
			}
			metadata := []byte(`{"schema_version":1,"padding":"` + strings.Repeat("x", 420) + `"}`)
			limit := func(ctx context.Context, i int) error {
				res, err := bare.AppendToStream(ctx, streams[i], esdb.AppendToStreamOptions{ExpectedRevision: revision[i]}, esdb.EventData{
					EventID: uuid.New(), EventType: "GroupFieldEnabled", ContentType: esdb.ContentTypeJson, Data: []byte(`{}`), Metadata: metadata})
				if err == nil {
					revision[i] = esdb.Revision(res.NextExpectedVersion)
				}
				return err
			}
			compare(b, n, work, limit)
		}
	}
	for _, n := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("%d-clients/beside-the-consumers", n), measure(n))
	}
	s.stopConsumers()
	for _, n := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("%d-clients/alone", n), measure(n))
	}
}

// toggle switches the Group field, which it must change.
func toggle(ctx context.Context, client *http.Client, p person, on bool) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, p.s.URL+"/v1/settings/group-field", strings.NewReader(fmt.Sprintf(`{"enabled": %v}`, on)))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+p.token)
	req.Header.Set("Content-Type", "application/json")
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err == nil && (res.StatusCode != http.StatusOK || !strings.Contains(string(answer), `"changed":true`)) {
		err = fmt.Errorf("%s: %s", res.Status, answer)
	}
	return err
}

// BenchmarkCallerLookUp is what every request pays to know who asks.
func BenchmarkCallerLookUp(b *testing.B) {
	s := newStack(b)
	f := newFruit(b, s)
	b.SetParallelism(clients)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := s.access.Caller(b.Context(), f.wayne.token); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "lookups/s")
}

// BenchmarkAcknowledgedToVisible measures from a command's answer to the first
// query that shows it, on an otherwise idle system.
func BenchmarkAcknowledgedToVisible(b *testing.B) {
	s := newStack(b)
	f := newFruit(b, s)
	var took []time.Duration
	for b.Loop() {
		d := f.owner.done(b, "POST", "/v1/deliveries", `{"do_number": "V-`+uuid.NewString()[:12]+`", "date": "2026-03-02", "group": "`+f.apple.String()+`"}`)
		start := time.Now()
		if a := f.adam.get(b, "/v1/deliveries/"+d.ID.String(), "Waybill-Position", d.Position); a.status != http.StatusOK {
			b.Fatalf("%d %s", a.status, a.body)
		}
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
}
