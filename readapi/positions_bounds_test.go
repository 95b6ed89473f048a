package readapi_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"waybill/aggregates/commandapi"
	"waybill/readapi"
)

func testPositionsAreBoundedHoweverTheyCome(t *testing.T, s *stack) {
	f := newFruit(t, s)
	mia := f.owner.add(t, "Mia", "manager", `, "groups": ["`+f.apple.String()+`"]`)
	van := f.owner.done(t, "POST", "/v1/vehicles", `{"name": "Van 2", "plate": "B-WB 2"}`)
	f.owner.done(t, "PUT", "/v1/groups/"+f.apple.String()+"/vehicles/"+van.ID.String(), "")
	path := "/v1/vehicles/" + van.ID.String()
	at := func(text string, longitude int) string {
		return fmt.Sprintf(`{"at": %q, "latitude": 1, "longitude": %d}`, text, longitude)
	}
	send := func(list ...string) answer {
		return mia.do(t, "POST", path+"/positions", `{"positions": [`+strings.Join(list, ",")+`]}`)
	}
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	many := func(n int) []string {
		list := make([]string, n)
		for i := range list {
			list[i] = at(noon.Add(time.Duration(i)*time.Second).Format(time.RFC3339), i%180)
		}
		return list
	}
	for what, tc := range map[string]struct {
		a      answer
		status int
		says   string
	}{
		"more than a batch":          {send(many(1001)...), 422, `"positions"`},
		"a body without end":         {mia.do(t, "POST", path+"/positions", `{"positions": [], "reason": "`+strings.Repeat("x", 1<<20)+`"}`), 413, "body-too-large"},
		"no number":                  {send(`{"at": "2026-03-01T12:00:00Z", "latitude": NaN, "longitude": 0}`), 400, "malformed-body"},
		"a number that is too large": {send(`{"at": "2026-03-01T12:00:00Z", "latitude": 1e999, "longitude": 0}`), 400, "malformed-body"},
		"a speed that is one":        {send(`{"at": "2026-03-01T12:00:00Z", "latitude": 1, "longitude": 0, "speed": 1e300}`), 422, "positions[0].speed"},
		"no time":                    {send(at("yesterday", 1)), 400, "malformed-body"},
		"before there were any":      {send(at("1999-12-31T23:59:59Z", 1)), 422, "positions[0].at"},
		"in an hour":                 {send(at(time.Now().Add(time.Hour).UTC().Format(time.RFC3339), 1)), 422, "positions[0].at"},
		"one of many that is wrong":  {send(at("2026-03-01T12:00:00Z", 1), at("2026-03-01T12:00:01Z", 181)), 422, "positions[1].longitude"},
	} {
		if tc.a.status != tc.status || !strings.Contains(tc.a.body, tc.says) {
			t.Errorf("%s: %d %s, want %d with %s", what, tc.a.status, tc.a.body, tc.status, tc.says)
		}
	}
	if v := exactly[readapi.Vehicle](t, mia.ok(t, path)); v.Position != nil {
		t.Errorf("what was refused is there: %+v", v.Position)
	}
	// The same moment, said in other ways, and a clock that is a little ahead.
	if got := exactly[commandapi.PositionsTaken](t, send(at("2026-03-01T12:00:00Z", 1), at("2026-03-01T13:00:00+01:00", 2), at("2026-03-01T12:00:00.0000004Z", 3))); got.Taken != 1 {
		t.Errorf("%d taken of one moment, want 1", got.Taken)
	}
	if got := exactly[commandapi.PositionsTaken](t, send(many(1000)...)); got.Taken != 999 {
		t.Errorf("%d taken, want 999", got.Taken)
	}
	if got := exactly[commandapi.PositionsTaken](t, send(at("2026-03-01T11:00:00Z", 9))); got.Taken > 1 { // older than what is kept
		t.Errorf("%d taken", got.Taken)
	}
	var ended sync.WaitGroup
	for w := range 4 { // in any order, at once
		ended.Go(func() {
			for i := range 5 {
				send(at(noon.Add(time.Duration(5000-20*i-w)*time.Second).Format(time.RFC3339), w+1))
			}
		})
	}
	ended.Wait()
	latest := noon.Add(5000 * time.Second)
	trail := exactly[readapi.VehicleTrail](t, mia.ok(t, path+"/positions"))
	if len(trail.Positions) != 5 || !trail.Positions[0].At.Equal(latest) {
		t.Errorf("the trail is %+v, want the last five up to %v", trail.Positions, latest)
	}
	if v := exactly[readapi.Vehicle](t, mia.ok(t, path)); v.Position == nil || !v.Position.At.Equal(latest) {
		t.Errorf("the vehicle is at %+v, want %v", v.Position, latest)
	}
	if got := exactly[commandapi.PositionsTaken](t, send(at(time.Now().Add(time.Minute).UTC().Format(time.RFC3339), 1))); got.Taken != 1 {
		t.Errorf("a clock that is a little ahead: %d taken", got.Taken)
	}
	// Whose sight of the group ends does not see where the vehicle is.
	f.owner.done(t, "POST", "/v1/groups/"+f.apple.String()+"/archive", `{"reason": "closed"}`)
	for what, a := range map[string]answer{"the vehicle": mia.get(t, path), "its trail": mia.get(t, path+"/positions"), "a report": send(many(1)...)} {
		if a.status != http.StatusNotFound {
			t.Errorf("%s, through an archived group: %d %s", what, a.status, a.body)
		}
	}
	if a := mia.ok(t, "/v1/vehicles"); strings.Contains(a.body, van.ID.String()) {
		t.Errorf("listed through an archived group: %s", a.body)
	}
	if v := exactly[readapi.Vehicle](t, f.owner.ok(t, path)); v.Position == nil {
		t.Error("who sees everything sees it no more")
	}
}
