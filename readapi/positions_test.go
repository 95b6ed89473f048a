package readapi_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"waybill/aggregates/commandapi"
	"waybill/readapi"
)

func testWhereAVehicleIsShowsToWhoSeesItAndOnlyTheLatestCounts(t *testing.T, s *stack) {
	f := newFruit(t, s)
	mia := f.owner.add(t, "Mia", "manager", `, "groups": ["`+f.apple.String()+`"]`)
	other := f.owner.add(t, "Olaf", "manager", `, "groups": ["`+f.banana.String()+`"]`)
	dora := f.owner.add(t, "Dora", "dispatcher", `, "groups": ["`+f.apple.String()+`"]`)
	van := f.owner.done(t, "POST", "/v1/vehicles", `{"name": "Van 1", "plate": "B-WB 1"}`)
	f.owner.done(t, "PUT", "/v1/groups/"+f.apple.String()+"/vehicles/"+van.ID.String(), "")
	path := "/v1/vehicles/" + van.ID.String()
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	at := func(minutes ...int) string {
		var list []string
		for _, m := range minutes {
			list = append(list, fmt.Sprintf(`{"at": %q, "latitude": 52.5, "longitude": %d, "heading": 90}`, noon.Add(time.Duration(m)*time.Minute).Format(time.RFC3339), m))
		}
		return `{"positions": [` + strings.Join(list, ", ") + `]}`
	}
	send := func(p person, body string) answer { return p.do(t, "POST", path+"/positions", body) }
	taken := func(p person, want int, minutes ...int) {
		t.Helper()
		if got := exactly[commandapi.PositionsTaken](t, send(p, at(minutes...))); got.Taken != want {
			t.Errorf("%v: %d taken, want %d", minutes, got.Taken, want)
		}
	}
	if v := exactly[readapi.Vehicle](t, f.owner.ok(t, path)); v.Position != nil {
		t.Errorf("a vehicle that never told where it is, is at %+v", v.Position)
	}
	taken(mia, 3, 2, 1, 3)
	taken(mia, 0, 2, 1, 3)
	taken(f.owner, 1, 0) // late: it changes nothing about where the vehicle is
	for _, p := range []person{f.owner, mia, dora} {
		v := exactly[readapi.Vehicle](t, p.ok(t, path))
		if v.Position == nil || v.Position.Longitude != 3 || v.Position.Speed != nil || *v.Position.Heading != 90 {
			t.Errorf("the vehicle is at %+v, want minute 3", v.Position)
		}
	}
	taken(mia, 4, 4, 5, 6, 7)
	trail := exactly[readapi.VehicleTrail](t, mia.ok(t, path+"/positions"))
	if len(trail.Positions) != 5 || trail.Positions[0].Longitude != 7 || trail.Positions[4].Longitude != 3 {
		t.Errorf("the trail is %+v, want the last five", trail.Positions)
	}
	for what, a := range map[string]answer{
		"a manager of another group": send(other, at(9)), "its look": other.get(t, path+"/positions"), "a customer of another group": send(f.betty, at(9)),
		"that customer's look": f.betty.get(t, path+"/positions"), "no vehicle": f.owner.do(t, "POST", "/v1/vehicles/"+uuid.NewString()+"/positions", at(9)),
	} {
		if a.status != http.StatusNotFound {
			t.Errorf("%s: %d %s, want 404", what, a.status, a.body)
		}
	}
	for who, p := range map[string]person{"a dispatcher": dora, "a customer of the group": f.adam} {
		if a := send(p, at(9)); a.status != http.StatusForbidden {
			t.Errorf("%s, who may look and not manage: %d %s", who, a.status, a.body)
		}
		if a := p.get(t, path+"/positions"); a.status != http.StatusOK {
			t.Errorf("%s looks: %d %s", who, a.status, a.body)
		}
	}
	for body, field := range map[string]string{
		`{"positions": []}`: "positions",
		`{"positions": [{"at": "2026-03-01T12:00:00Z", "latitude": 91, "longitude": 0}]}`:                "positions[0].latitude",
		`{"positions": [{"at": "2026-03-01T12:00:00Z", "latitude": 0, "longitude": -181}]}`:              "positions[0].longitude",
		`{"positions": [{"at": "2226-03-01T12:00:00Z", "latitude": 0, "longitude": 0}]}`:                 "positions[0].at",
		`{"positions": [{"latitude": 0, "longitude": 0}]}`:                                               "positions[0].at",
		`{"positions": [{"at": "2026-03-01T12:00:00Z", "latitude": 0, "longitude": 0, "speed": -1}]}`:    "positions[0].speed",
		`{"positions": [{"at": "2026-03-01T12:00:00Z", "latitude": 0, "longitude": 0, "heading": 360}]}`: "positions[0].heading",
	} {
		if a := send(mia, body); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, `"`+field+`"`) {
			t.Errorf("%s: %d %s, want a refusal of %s", body, a.status, a.body, field)
		}
	}
	user := "/v1/users/" + mia.user.String()
	f.owner.done(t, "PUT", user+"/permissions", `{"permissions": {"view_vehicles": false}}`, "If-Match", f.owner.ok(t, user).header.Get("ETag"))
	if a := mia.get(t, path); a.status != http.StatusNotFound {
		t.Errorf("with view_vehicles off: %d", a.status)
	}
}
