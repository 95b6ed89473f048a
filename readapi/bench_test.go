package readapi_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"waybill/aggregates/access"
	"waybill/readapi"
)

// Figures are ratios to a limit measured in the same run, in turns, so that a
// busy machine slows both down alike.
const (
	rounds   = 7
	roundFor = 500 * time.Millisecond
	clients  = 8
)

// rate runs work on n goroutines for the time of a round and returns calls per
// second.
func rate(b *testing.B, n int, work func(ctx context.Context, worker int) error) float64 {
	b.Helper()
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	var calls atomic.Int64
	var wg sync.WaitGroup
	start := time.Now()
	for i := range n {
		wg.Go(func() {
			for time.Since(start) < roundFor {
				if err := work(ctx, i); err != nil {
					b.Error(err)
					return
				}
				calls.Add(1)
			}
		})
	}
	wg.Wait()
	return float64(calls.Load()) / time.Since(start).Seconds()
}

// compare measures work and its limit in turns and reports the medians.
func compare(b *testing.B, n int, work, limit func(ctx context.Context, worker int) error) {
	b.Helper()
	rate(b, n, work) // warm
	rate(b, n, limit)
	var is, could, ratio []float64
	for b.Loop() {
		is, could, ratio = nil, nil, nil
		for range rounds {
			i, c := rate(b, n, work), rate(b, n, limit)
			is, could, ratio = append(is, i), append(could, c), append(ratio, i/c)
		}
	}
	b.ReportMetric(median(is), "req/s")
	b.ReportMetric(median(could), "limit/s")
	b.ReportMetric(median(ratio), "of-limit")
	b.ReportMetric(0, "ns/op")
}

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}

// getter requests a URL with a token, draining the answer.
func getter(client *http.Client, url, token string) func(context.Context, int) error {
	return func(ctx context.Context, _ int) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		req.Header.Set("Authorization", "Bearer "+token)
		res, err := client.Do(req)
		if err != nil {
			return err
		}
		defer res.Body.Close()
		if _, err := io.Copy(io.Discard, res.Body); err != nil {
			return err
		}
		if res.StatusCode != http.StatusOK {
			return fmt.Errorf("%s: %s", url, res.Status)
		}
		return nil
	}
}

func manyConnections(c *http.Client) *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 128
	c.Transport = transport
	return c
}

// fill puts many deliveries into the tables, as the projections would.
func fill(b *testing.B, s *stack, f *fruit, n int) {
	b.Helper()
	_, err := s.pools.Projector.Exec(b.Context(), `
		INSERT INTO read.deliveries (delivery_id, org_id, group_id, do_number, type, date, status, attempt, item_count, details, created_at, updated_at, revision, position)
		SELECT gen_random_uuid(), $1, ($2::uuid[])[1 + i % 3], 'B-' || i, 'delivery', date '2025-01-01' + i % 400, 'info_received', 1, 2,
		       '"do_number":"B-' || i || '","type":"delivery","date":"' || (date '2025-01-01' + i % 400) ||
		       '","attempt":1,"item_count":2,"address":"' || i || ' Some Longer Street Name, 123456 Singapore","recipient":"Somebody With A Name"',
		       now(), now(), 0, 1
		FROM generate_series(1, $3) i`, organisationOf(b, f), []uuid.UUID{f.apple, f.banana, f.orange}, n)
	must(b, err)
	_, err = s.pools.Projector.Exec(b.Context(), `
		INSERT INTO read.delivery_items (delivery_id, line, org_id, item_id, sku, description, quantity, unit)
		SELECT delivery_id, l, org_id, l::text, 'SKU-' || l, 'An article', 3, 'box' FROM read.deliveries, generate_series(1, 2) l WHERE do_number LIKE 'B-%'`)
	must(b, err)
	_, err = s.pools.Projector.Exec(b.Context(), `
		INSERT INTO read.delivery_timeline (delivery_id, revision, org_id, type, at, actor, to_group, reason)
		SELECT delivery_id, 0, org_id, 'DeliveryCreated', now(), 'system:', group_id, '' FROM read.deliveries WHERE do_number LIKE 'B-%'`)
	must(b, err)
}

func organisationOf(b *testing.B, f *fruit) uuid.UUID { return f.owner.org(b) }

// minimal serves what the batch of a query brings, as it comes, after looking
// the caller up.
func minimal(b *testing.B, s *stack, query func(access.Caller) *batch, lookUp bool, fixed access.Caller) *httptest.Server {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := fixed
		if lookUp {
			var err error
			if c, err = s.access.CallerOfRequest(r); err != nil {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
		}
		body, err := query(c).run(r.Context(), s.pools.Reader)
		if err != nil {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		_, _ = w.Write(body)
	}))
	b.Cleanup(server.Close)
	return server
}

func BenchmarkReads(b *testing.B) {
	s := newStack(b)
	f := newFruit(b, s)
	fill(b, s, f, 200_000)
	_, err := s.pools.Projector.Exec(b.Context(), `SELECT 1`)
	must(b, err)
	client := manyConnections(s.Client())
	for _, p := range []struct {
		name string
		who  person
	}{{"one-group", f.adam}, {"three-groups", f.wayne}, {"all", f.vincent}} {
		caller, err := s.access.Caller(b.Context(), p.who.token)
		must(b, err)
		var some uuid.UUID
		must(b, s.pools.Projector.QueryRow(b.Context(), `SELECT delivery_id FROM read.deliveries WHERE group_id = $1 AND do_number = 'B-3000'`, f.apple).Scan(&some))
		for _, q := range []struct {
			name, path string
			query      func(access.Caller) *batch
		}{
			{"page", "/v1/deliveries", func(c access.Caller) *batch { return &batch{readapi.ScopedPage(c), 1} }},
			{"point", "/v1/deliveries/" + some.String(), func(c access.Caller) *batch { return &batch{readapi.ScopedDelivery(c, some), 3} }},
		} {
			work := getter(client, s.URL+q.path, p.who.token)
			for name, lookUp := range map[string]bool{"vs-same-SQL": true, "vs-same-SQL-without-look-up": false} {
				limit := minimal(b, s, q.query, lookUp, caller)
				b.Run(q.name+"/"+p.name+"/"+name, func(b *testing.B) {
					compare(b, clients, work, getter(client, limit.URL, p.who.token))
				})
			}
		}
	}
}
