package readapi_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
)

func testSearchFindsWordsWithinOnesScopeOnly(t *testing.T, s *stack) {
	f := newFruit(t, s)
	newFruit(t, s) // another organisation with the same texts
	create := func(number, group, recipient, address string) uuid.UUID {
		if group != "" {
			group = fmt.Sprintf(`, "group": %q`, group)
		}
		return f.owner.done(t, "POST", "/v1/deliveries", fmt.Sprintf(`{"do_number": %q, "date": "2026-03-02", "recipient": %q, "address": %q%s}`,
			number, recipient, address, group)).ID
	}
	zoe := create("S-100", f.apple.String(), "Zoë Tan", "7 Straße 100%_x")
	create("S-200", f.banana.String(), "Tan Zoe", "9 Side Street")
	create("S-300", "", "Zoë Loose", "Nowhere")
	gone := create("S-400", f.apple.String(), "Zoë Gone", "Nowhere")
	last := f.owner.done(t, "DELETE", "/v1/deliveries/"+gone.String(), "").Position
	found := func(p person, q, more string) string {
		var numbers []string
		for _, d := range p.deliveries(t, "/v1/deliveries?q="+url.QueryEscape(q)+more, "Waybill-Position", last).Deliveries {
			numbers = append(numbers, d.DONumber)
		}
		return strings.Join(numbers, " ")
	}
	sorted := func(text string) string {
		var out []string
		for _, n := range []string{"S-100", "S-200", "S-300", "S-400"} {
			if strings.Contains(text, n) {
				out = append(out, n)
			}
		}
		return strings.Join(out, " ")
	}
	for name, tc := range map[string]struct {
		who           person
		q, more, want string
	}{
		"a name, without its accent":                {f.adam, "zoe", "", "S-100"},
		"a name in capitals":                        {f.adam, "ZOË", "", "S-100"},
		"all words, in any order and place":         {f.adam, "strasse tan s-1", "", "S-100"},
		"one word that is not there":                {f.adam, "zoe banana", "", ""},
		"a part of a word":                          {f.adam, "00%_", "", "S-100"},
		"signs that mean something in SQL":          {f.adam, "1_0", "", ""},
		"only in one's groups":                      {f.betty, "zoe", "", "S-200"},
		"in all of one's groups":                    {f.wayne, "zoe", "", "S-100 S-200"},
		"in one of them":                            {f.wayne, "zoe", "&group=" + f.banana.String(), "S-200"},
		"everywhere":                                {f.vincent, "zoe", "", "S-100 S-200 S-300"},
		"in no group":                               {f.vincent, "zoe", "&group=none", "S-300"},
		"with a status":                             {f.wayne, "zoe", "&status=info_received", "S-100 S-200"},
		"with a number":                             {f.vincent, "zoe", "&do_number=S-200", "S-200"},
		"in a group of somebody else":               {f.adam, "zoe", "&group=" + f.banana.String(), ""},
		"in vain, for a customer without the group": {f.ortega, "zoe", "", ""},
	} {
		if got := sorted(found(tc.who, tc.q, tc.more)); got != tc.want || strings.Contains(got, "S-400") {
			t.Errorf("%s: found %q, want %q", name, got, tc.want)
		}
	}
	etag := f.owner.ok(t, "/v1/deliveries/"+zoe.String()).header.Get("ETag")
	last = f.owner.done(t, "PATCH", "/v1/deliveries/"+zoe.String(), `{"recipient": "Ben"}`, "If-Match", etag).Position
	if got := found(f.adam, "zoe", ""); got != "" {
		t.Errorf("by the name before it finds %q", got)
	}
	if got := found(f.adam, "BEN", ""); got != "S-100" {
		t.Errorf("by the new name it finds %q", got)
	}
	if met := f.vincent.walk(t, "/v1/deliveries?q=s-&limit=1", func() {}); len(met) != 3 {
		t.Errorf("page by page it finds %d, want 3", len(met))
	}
	for name, q := range map[string]string{"blank": " ", "a NUL": "a\x00b", "no text": "\xff", "too many words": "a b c d e f g h i", "too long": strings.Repeat("a", 201)} {
		if a := f.adam.get(t, "/v1/deliveries?q="+url.QueryEscape(q)); a.status != http.StatusBadRequest {
			t.Errorf("%s: %d %s, want 400", name, a.status, a.body)
		}
	}
}

func testASearchFindsTheSameWhicheverWayItGoes(t *testing.T, s *stack) {
	f := newFruit(t, s)
	newFruit(t, s)
	const n = 5_000
	fillSearched(t, s, f, n)
	// The other process walks a few deliveries at a time only: its pages are shorter,
	// but it finds the same.
	brief := *s
	brief.walkLimit = 450
	brief.serve(t, plenty)
	for _, q := range []string{"street", "ward12", "oldtown", "needle", "oldtown needle", "ward12 street", "7 st", "b-00049", "nowhere", "12"} {
		for who, p := range map[string]person{"adam": f.adam, "wayne": f.wayne, "vincent": f.vincent,
			"adam, briefly": f.adam.at(&brief), "wayne, briefly": f.wayne.at(&brief), "vincent, briefly": f.vincent.at(&brief)} {
			var want []string
			for i := range n {
				number, recipient, address := searchedText(i, n)
				all := strings.ToLower(number + "\n" + recipient + "\n" + address)
				sees := strings.HasPrefix(who, "vincent") || strings.HasPrefix(who, "wayne") && i%4 < 3 || i%4 == 0
				if sees && !slices.ContainsFunc(strings.Fields(q), func(w string) bool { return !strings.Contains(all, w) }) {
					want = append(want, number)
				}
			}
			var got []string
			next := "/v1/deliveries?limit=200&q=" + url.QueryEscape(q)
			for len(got) < 450 && next != "" { // some pages of the many
				page := p.deliveries(t, next)
				for _, d := range page.Deliveries {
					if strings.HasPrefix(d.DONumber, "B-") { // the others have streets, too
						got = append(got, d.DONumber)
					}
				}
				if next = ""; page.Next != "" {
					next = "/v1/deliveries?limit=200&q=" + url.QueryEscape(q) + "&cursor=" + page.Next
				}
			}
			if next == "" && len(got) != len(want) || next != "" && len(got) > len(want) {
				t.Errorf("%s searches for %q and finds %d, want %d", who, q, len(got), len(want))
			}
			for i, number := range got {
				if i > 0 && slices.Contains(got[:i], number) || !slices.Contains(want, number) {
					t.Errorf("%s searches for %q and finds %s, which is not in it, or twice", who, q, number)
				}
			}
		}
	}
	// Where a request stops is said: the first of the older half is not reached.
	if page := f.vincent.at(&brief).deliveries(t, "/v1/deliveries?q=ol"); len(page.Deliveries) != 0 || page.Next == "" {
		t.Errorf("a walk of %d of %d deliveries ends with %d and the cursor %q, want none and to go on", brief.walkLimit, n, len(page.Deliveries), page.Next)
	}
	// A word that is far down the list and rare is found by the index, not by
	// walking: what is not in the index is not found.
	if got := f.adam.deliveries(t, "/v1/deliveries?q=b-0004996").Deliveries; len(got) != 1 {
		t.Fatalf("the last but three is found %d times", len(got))
	}
	_, err := s.pools.Projector.Exec(t.Context(), `DELETE FROM read.delivery_search USING read.deliveries d WHERE d.delivery_id = delivery_search.delivery_id AND d.org_id = $1 AND d.do_number = 'B-0004996'`, f.owner.org(t))
	must(t, err)
	if got := f.adam.deliveries(t, "/v1/deliveries?q=b-0004996").Deliveries; len(got) != 0 {
		t.Error("a rare word far down the list is found by walking the list")
	}
}
