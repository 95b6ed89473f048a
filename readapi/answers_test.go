package readapi_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"

	"waybill/aggregates/access"
	"waybill/readapi"
)

// exactly decodes an answer that must hold nothing but what its type describes.
func exactly[T any](t testing.TB, a answer) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(a.body), &v, json.RejectUnknownMembers(true)); err != nil {
		t.Fatalf("%v in %s", err, a.body)
	}
	return v
}

func testAnswersAreWhatTheyAreDescribedAs(t *testing.T, s *stack) {
	f := newFruit(t, s)
	for _, p := range []person{f.owner, f.adam, f.wayne} {
		exactly[readapi.Me](t, p.ok(t, "/v1/me"))
		exactly[readapi.Organisation](t, p.ok(t, "/v1/organisation"))
		exactly[readapi.Groups](t, p.ok(t, "/v1/groups"))
		exactly[readapi.Group](t, p.ok(t, "/v1/groups/"+f.apple.String()))
		exactly[readapi.Users](t, p.ok(t, "/v1/users"))
		exactly[readapi.User](t, p.ok(t, "/v1/users/"+p.user.String()))
		exactly[readapi.Clients](t, p.ok(t, "/v1/clients"))
		exactly[readapi.Vehicles](t, p.ok(t, "/v1/vehicles"))
		exactly[readapi.Progressed](t, p.ok(t, "/v1/progress"))
		list := exactly[readapi.DeliveryList](t, p.ok(t, "/v1/deliveries"))
		whole := exactly[readapi.DeliveryWhole](t, p.ok(t, "/v1/deliveries/"+f.d[0].String()))
		i := slices.IndexFunc(list.Deliveries, func(d readapi.Delivery) bool { return d.ID == f.d[0] })
		if i < 0 || fmt.Sprint(deref(list.Deliveries[i])) != fmt.Sprint(deref(whole.Delivery)) {
			t.Errorf("the list and the thing itself differ: %+v and %+v", list.Deliveries, whole.Delivery)
		}
		d := whole.Delivery
		if d.DONumber != numbers[0] || d.Date != "2026-03-02" || d.Address == nil || *d.Address != "1 Main Street" || *d.Recipient != "Rita" ||
			d.Group == nil || *d.Group != f.apple || d.TrackingStatus != "Info received" || d.ItemCount != 1 || d.UpdatedAt.IsZero() {
			t.Errorf("delivery %+v", d)
		}
		if len(whole.Items) != 1 || whole.Items[0] != (readapi.Item{ID: "1", SKU: "A-1", Quantity: 3, Unit: "box"}) {
			t.Errorf("items %+v", whole.Items)
		}
		if len(whole.Timeline) != 1 || whole.Timeline[0].Type != "DeliveryCreated" || whole.Timeline[0].To == nil || *whole.Timeline[0].To != f.apple {
			t.Errorf("timeline %+v", whole.Timeline)
		}
	}
	var me readapi.Me
	f.adam.ok(t, "/v1/me").into(t, &me)
	if me.Access != "groups" || len(me.Groups) != 1 || me.Groups[0] != (readapi.GroupName{ID: f.apple, Name: "Apple"}) || !slices.Equal(me.Permissions, []string{"export_deliveries", "view_vehicles"}) {
		t.Errorf("adam is %+v", me)
	}
}

func deref(d readapi.Delivery) map[string]any {
	b, _ := json.Marshal(d)
	var m map[string]any
	_ = json.Unmarshal(b, &m)
	return m
}

func testATimelineTellsNothingOfGroupsAndPeopleThatTheCallerDoesNotSee(t *testing.T, s *stack) {
	f := newFruit(t, s)
	van := f.owner.done(t, "POST", "/v1/vehicles", `{"name": "Van", "plate": "SG 1"}`).ID
	path := "/v1/deliveries/" + f.d[0].String()
	f.owner.done(t, "POST", path+"/tag", `{"group": "`+f.banana.String()+`", "reason": "Apple said it is Banana's"}`)
	f.owner.done(t, "POST", path+"/assign", `{"vehicle": "`+van.String()+`"}`)
	d := f.wayne.done(t, "POST", path+"/dispatch", `{"reason": "on its way", "occurred_at": "2026-03-02T09:30:00Z"}`)

	whole := exactly[readapi.DeliveryWhole](t, f.betty.ok(t, path, "Waybill-Position", d.Position))
	text := f.betty.ok(t, path).body
	for what, secret := range map[string]string{
		"Apple": f.apple.String(), "the owner": f.owner.user.String(), "wayne": f.wayne.user.String(), "a reason about Apple": "Apple said", "the vehicle": van.String(),
	} {
		if strings.Contains(text, secret) {
			t.Errorf("betty is told of %s: %s", what, text)
		}
	}
	var types []string
	for _, e := range whole.Timeline {
		types = append(types, e.Type+" by "+e.Actor)
	}
	want := []string{"DeliveryCreated by user", "DeliveryTagged by user", "DeliveryAssigned by user", "DeliveryDispatched by user"}
	if !slices.Equal(types, want) {
		t.Errorf("timeline %v, want %v", types, want)
	}
	if last := whole.Timeline[3]; last.Reason != "on its way" || !strings.Contains(string(last.Detail), "2026-03-02T09:30:00Z") {
		t.Errorf("what concerns betty is left out: %+v", last)
	}
	if got := whole.Timeline[1].To; got == nil || *got != f.banana {
		t.Errorf("betty's own group is left out: %v", got)
	}
	whole = exactly[readapi.DeliveryWhole](t, f.wayne.ok(t, path))
	if whole.Timeline[1].From == nil || *whole.Timeline[1].From != f.apple || whole.Timeline[3].Actor != "user:"+f.wayne.user.String() {
		t.Errorf("wayne sees both groups and himself: %+v", whole.Timeline)
	}
	whole = exactly[readapi.DeliveryWhole](t, f.vincent.ok(t, path))
	if whole.Vehicle == nil || *whole.Vehicle != van || !strings.Contains(string(whole.Timeline[2].Detail), van.String()) || whole.Timeline[0].Actor != "user:"+f.owner.user.String() {
		t.Errorf("vincent sees everything: %+v", whole)
	}
	blind := f.owner.add(t, "Blind", access.RoleManager, `, "permissions": {"view_vehicles": false}`)
	if text := blind.ok(t, path).body; strings.Contains(text, van.String()) {
		t.Errorf("with view_vehicles off, also ALL sees no vehicle: %s", text)
	}
	for _, list := range []string{"/v1/vehicles", "/v1/deliveries"} {
		for name, p := range map[string]person{"blind": blind, "betty": f.betty, "wayne": f.wayne} {
			if text := p.ok(t, list).body; strings.Contains(text, van.String()) {
				t.Errorf("%s sees the vehicle in %s", name, list)
			}
		}
	}
}

func testTrackingStatusGoesByTheOrganisationsDay(t *testing.T, s *stack) {
	f := newFruit(t, s)
	singapore, err := time.LoadLocation("Asia/Singapore")
	must(t, err)
	now := time.Now() // of who asks: no day ends meanwhile
	today, o := now.In(singapore), s.beside(t)
	o.clock.stop(now)
	van := f.owner.done(t, "POST", "/v1/vehicles", `{"name": "Van", "plate": "SG 2"}`).ID
	want := map[string]uuid.UUID{}
	for name, tc := range map[string]struct {
		date  time.Time
		steps []string
	}{
		"Info received":    {today, nil},
		"Scheduled":        {today.AddDate(0, 0, 1), []string{"assign", "dispatch"}},
		"Out for delivery": {today, []string{"assign", "dispatch"}},
		"Completed":        {today, []string{"assign", "dispatch", "complete"}},
		"Failed":           {today, []string{"dispatch", "fail"}},
	} {
		id := f.owner.deliver(t, "T-"+name, tc.date.Format(time.DateOnly), f.orange)
		want[name] = id
		for _, step := range tc.steps {
			body := map[string]string{"assign": `{"vehicle": "` + van.String() + `"}`, "fail": `{"reason": "nobody there"}`}[step]
			f.owner.done(t, "POST", "/v1/deliveries/"+id.String()+"/"+step, body)
		}
	}
	dispatched := f.owner.deliver(t, "T-no-vehicle", today.Format(time.DateOnly), f.orange)
	f.owner.caughtUp(t, f.owner.done(t, "POST", "/v1/deliveries/"+dispatched.String()+"/dispatch", "").Position)
	for status, id := range want {
		for name, p := range map[string]person{"ortega": f.ortega, "wayne": f.wayne, "vincent": f.vincent} {
			found := false
			list := p.at(o).deliveries(t, "/v1/deliveries?status="+strings.ReplaceAll(status, " ", "_"))
			for _, d := range list.Deliveries {
				found = found || d.ID == id
				if d.TrackingStatus != status {
					t.Errorf("%s: %s stands among %s", name, d.TrackingStatus, status)
				}
			}
			counted := p.at(o).progress(t, "/v1/progress").Progress[status]
			if !found || counted != int64(len(list.Deliveries)) {
				t.Errorf("%s: %s found: %v, %d listed, %d counted", name, status, found, len(list.Deliveries), counted)
			}
		}
	}
	if got := exactly[readapi.DeliveryWhole](t, f.ortega.at(o).ok(t, "/v1/deliveries/"+dispatched.String())); got.Status != "dispatched" || got.TrackingStatus != "Info received" {
		t.Errorf("dispatched without a vehicle is %s, want Info received", got.TrackingStatus)
	}
}
