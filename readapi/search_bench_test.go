package readapi_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"waybill/events/search"
)

// searchedText is what is in the texts of the i-th of n deliveries, latest first:
// street is in all, ward12 in one of 97, oldtown in the older half only, needle in
// three.
func searchedText(i, n int) (number, recipient, address string) {
	address = fmt.Sprintf("%d Long Street ward%d", i%1000, i%97)
	if i > n/2 {
		address += " oldtown"
	}
	if i%(n/3) == n/3-1 {
		address += " needle"
	}
	return fmt.Sprintf("B-%07d", i), fmt.Sprintf("Somebody %x", i*7919), address
}

// fillSearched puts deliveries with texts into the tables, as the projections
// would: of three groups and none in turns, over three years.
func fillSearched(b testing.TB, s *stack, f *fruit, total int) {
	b.Helper()
	ctx, org := b.Context(), f.owner.org(b)
	start := time.Now()
	groups := [4]*uuid.UUID{&f.apple, &f.banana, &f.orange, nil}
	const piece = 5000
	for from := 0; from < total; from += piece {
		var ids, group []*uuid.UUID
		var number, address, recipient, normal, grams []string
		var date []time.Time
		for i := from; i < min(from+piece, total); i++ {
			id := uuid.NewSHA1(org, fmt.Appendf(nil, "%d", i))
			n, r, a := searchedText(i, total)
			all := search.Normal(n) + "\n" + search.Normal(r) + "\n" + search.Normal(a)
			ids, group = append(ids, &id), append(group, groups[i%4])
			number, recipient, address, normal = append(number, n), append(recipient, r), append(address, a), append(normal, all)
			grams = append(grams, strings.NewReplacer("[", "{", "]", "}", " ", ",").Replace(fmt.Sprint(search.Grams(org, all))))
			date = append(date, start.AddDate(0, 0, -i*1000/total))
		}
		_, err := s.pools.Projector.Exec(ctx, `
			INSERT INTO read.deliveries (delivery_id, org_id, group_id, do_number, type, date, status, attempt, item_count, details, search, created_at, updated_at, revision, position)
			SELECT u.id, $1, u.g, u.n, 'delivery', u.d, 'info_received', 1, 2,
			       '"type":"delivery","attempt":1,"do_number":"' || u.n || '","date":"2026-01-01","item_count":2,"address":"' || u.a || '","recipient":"' || u.r || '"',
			       u.s, now(), now(), 0, 1
			FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::date[]) AS u(id, g, n, r, a, s, d)`,
			org, ids, group, number, recipient, address, normal, date)
		must(b, err)
		_, err = s.pools.Projector.Exec(ctx, `
			INSERT INTO read.delivery_search (delivery_id, org_id, grams)
			SELECT u.id, $1, u.grams::int[] FROM unnest($2::uuid[], $3::text[]) AS u(id, grams)`, org, ids, grams)
		must(b, err)
	}
}

// BenchmarkSearch is a search of a word over HTTP, by how frequent the word is and
// how much the caller sees.
func BenchmarkSearch(b *testing.B) {
	s := newStack(b)
	f := newFruit(b, s)
	fillSearched(b, s, f, 300_000)
	client := manyConnections(s.Client())
	for _, q := range []string{"street", "ward12", "oldtown", "needle", "nowhere", "street+needle", "de"} {
		for name, who := range map[string]person{"one-group": f.adam, "three-groups": f.wayne, "all": f.vincent} {
			work := getter(client, s.URL+"/v1/deliveries?q="+q, who.token)
			b.Run(q+"/"+name, func(b *testing.B) {
				for b.Loop() {
					if err := work(context.Background(), 0); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
