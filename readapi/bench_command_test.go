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
// the same node.
func BenchmarkCommands(b *testing.B) {
	s := newStack(b)
	f := newFruit(b, s)
	var vans [2]string
	for i := range vans {
		vans[i] = f.owner.done(b, "POST", "/v1/vehicles", fmt.Sprintf(`{"name": "Van %d", "plate": "SG %d"}`, i, i)).ID.String()
	}
	config, err := esdb.ParseConnectionString(s.node)
	must(b, err)
	config.Logger = esdb.NoopLogging()
	bare, err := esdb.NewClient(config)
	must(b, err)
	b.Cleanup(func() { _ = bare.Close() })
	client := manyConnections(s.Client())
	for _, n := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("%d-clients", n), func(b *testing.B) {
			deliveries, streams := make([]string, n), make([]string, n)
			turn, revision := make([]int, n), make([]esdb.ExpectedRevision, n)
			for i := range n {
				deliveries[i] = f.owner.deliver(b, "C-"+uuid.NewString()[:8], "2026-03-02", f.apple).String()
				streams[i], revision[i] = "Bare-"+uuid.NewString(), esdb.NoStream{}
			}
			work := func(ctx context.Context, i int) error {
				turn[i]++
				body := `{"vehicle": "` + vans[turn[i]%2] + `"}`
				req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+"/v1/deliveries/"+deliveries[i]+"/assign", strings.NewReader(body))
				if err != nil {
					return err
				}
				req.Header.Set("Authorization", "Bearer "+f.owner.token)
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
			data := []byte(`{"vehicle":"` + vans[0] + `"}`)
			metadata := []byte(`{"schema_version":1,"padding":"` + strings.Repeat("x", 400) + `"}`)
			limit := func(ctx context.Context, i int) error {
				res, err := bare.AppendToStream(ctx, streams[i], esdb.AppendToStreamOptions{ExpectedRevision: revision[i]}, esdb.EventData{
					EventID: uuid.New(), EventType: "DeliveryAssigned", ContentType: esdb.ContentTypeJson, Data: data, Metadata: metadata})
				if err == nil {
					revision[i] = esdb.Revision(res.NextExpectedVersion)
				}
				return err
			}
			compare(b, n, work, limit)
		})
	}
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
