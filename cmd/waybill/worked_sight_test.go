package main

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
)

// sighting is who sees something for a time, each by a fact.
type sighting struct {
	thing    string
	from, to time.Time // zero to: for ever
	by       map[string]string
}

func readSight(t *testing.T) []sighting {
	t.Helper()
	var all []sighting
	for _, line := range workedLines(t, "sight.txt") {
		f := strings.Split(line, "\t")
		if len(f) != 4 {
			t.Fatalf("sight.txt: %q", line)
		}
		s := sighting{thing: f[0], from: workedTime(t, f[1]), by: map[string]string{}}
		if f[2] != "-" {
			s.to = workedTime(t, f[2])
		}
		for _, who := range strings.Fields(f[3]) {
			name, fact, _ := strings.Cut(who, "#")
			s.by[name] = fact
		}
		all = append(all, s)
	}
	return all
}

// seenAt returns who sees what at a time, by which fact.
func (w *worked) seenAt(at time.Time) map[string]map[string]string {
	all := map[string]map[string]string{}
	for _, s := range w.sight {
		if !at.Before(s.from) && (s.to.IsZero() || at.Before(s.to)) {
			all[s.thing] = s.by
		}
	}
	return all
}

// look asks, as everybody who has joined, for everything there is, and compares.
func (w *worked) look() {
	w.Helper()
	w.visible()
	expected := w.seenAt(w.time())
	for _, name := range w.joined {
		var want []string
		for thing, by := range expected {
			if by[name] != "" {
				want = append(want, thing)
			}
		}
		slices.Sort(want)
		if got := w.listed(name); !slices.Equal(got, want) {
			w.Errorf("%s: %s sees %v, want %v", w.time(), name, got, want)
		}
		for thing, path := range map[string]string{"D1": "deliveries", "D2": "deliveries", "D3": "deliveries", "D4": "deliveries", "D5": "deliveries",
			"Apple": "groups", "Banana": "groups", "Orange": "groups", "Cherry": "groups", "Damson": "groups", "van_1": "vehicles"} {
			if w.names[thing] == "" || w.people[name].token == "" {
				continue
			}
			status, _ := w.send(w.people[name].token, "GET", "/v1/"+path+"/"+w.names[thing], "")
			if seen := expected[thing][name] != ""; seen && status != http.StatusOK || !seen && status != http.StatusNotFound && status != http.StatusUnauthorized {
				w.Errorf("%s: %s gets %s by its id: status %d", w.time(), name, thing, status)
			}
		}
	}
}

// listed returns the names of the things in somebody's lists.
func (w *worked) listed(name string) []string {
	w.Helper()
	found := map[string]bool{}
	for _, kind := range []string{"deliveries", "groups", "vehicles"} {
		status, answer := w.send(w.people[name].token, "GET", "/v1/"+kind, "")
		if status == http.StatusUnauthorized {
			continue // signed out for good, which is to see nothing
		}
		if status != http.StatusOK {
			w.Fatalf("%s: %s lists %s: %d %s", w.time(), name, kind, status, answer)
		}
		var list map[string]any
		w.must(json.Unmarshal([]byte(answer), &list))
		rows, _ := list[kind].([]any)
		for _, row := range rows {
			id, _ := row.(map[string]any)["id"].(string)
			found[w.ids[id]] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}
