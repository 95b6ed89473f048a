package readapi_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"waybill/aggregates/access"
	"waybill/aggregates/command"
	"waybill/readapi"
)

// lifeVerbs are the commands on one delivery, with a body that any of them takes.
var lifeVerbs = [][3]string{
	{"PATCH", "", `{"address": "2 Side Street"}`}, {"DELETE", "", ""}, {"POST", "/unassign", ""}, {"POST", "/receive", ""}, {"POST", "/head", ""},
	{"POST", "/arrive", ""}, {"POST", "/hold", ""}, {"POST", "/release", ""}, {"POST", "/return", ""}, {"POST", "/cancel", ""},
	{"POST", "/complete-partially", `{"items": [{"id": "1", "rejected": 1}]}`}, {"POST", "/correct", `{"to": "failed", "reason": "x"}`},
	{"POST", "/reattempt", `{"date": "2026-04-01"}`}, {"POST", "/eta", `{"eta": "2026-03-02T12:00:00Z"}`},
}

func (p person) whole(t testing.TB, id uuid.UUID, position string) readapi.DeliveryWhole {
	t.Helper()
	return exactly[readapi.DeliveryWhole](t, p.ok(t, "/v1/deliveries/"+id.String(), "Waybill-Position", position))
}

// verb sends a command on a delivery that must go well.
func (p person) verb(t testing.TB, id uuid.UUID, verb, body string) string {
	t.Helper()
	return p.done(t, "POST", "/v1/deliveries/"+id.String()+"/"+verb, body).Position
}

func testADeliveryGoesThroughItsWholeLife(t *testing.T, s *stack) {
	f := newFruit(t, s)
	van := f.owner.done(t, "POST", "/v1/vehicles", `{"name": "Van", "plate": "SG 3"}`).ID
	d := f.owner.done(t, "POST", "/v1/deliveries", `{"do_number": "L-1", "date": "2026-03-02", "group": "`+f.apple.String()+`", "items": [{"quantity": 5}, {"quantity": 1}]}`).ID
	for _, step := range []struct{ verb, body, status, tracking, mark string }{
		{"receive", `{"occurred_at": "2026-03-02T01:00:00Z"}`, "in_transit", "Info received", ""},
		{"hold", `{"reason": "customs"}`, "on_hold", "On hold", ""},
		{"release", ``, "in_transit", "Info received", ""},
		{"assign", `{"vehicle": "` + van.String() + `"}`, "in_transit", "Info received", ""},
		{"dispatch", ``, "dispatched", "Out for delivery", ""},
		{"head", ``, "dispatched", "Out for delivery", "heading"},
		{"unassign", ``, "dispatched", "Info received", ""},
		{"assign", `{"vehicle": "` + van.String() + `"}`, "dispatched", "Out for delivery", ""},
		{"eta", `{"eta": "2026-03-02T12:00:00+08:00"}`, "dispatched", "Out for delivery", ""},
		{"head", ``, "dispatched", "Out for delivery", "heading"},
		{"arrive", `{"occurred_at": "2026-03-02T04:00:00Z"}`, "dispatched", "Out for delivery", "arrived"},
		{"complete-partially", `{"items": [{"id": "1", "rejected": "2"}]}`, "completed_partial", "Partially completed", "arrived"},
		{"correct", `{"to": "failed", "reason": "wrong door"}`, "failed", "Failed", "arrived"},
		{"correct", `{"to": "completed_partial", "reason": "right door", "items": [{"id": "1", "rejected": 3}]}`, "completed_partial", "Partially completed", "arrived"},
	} {
		got := f.adam.whole(t, d, f.owner.verb(t, d, step.verb, step.body))
		if got.Status != step.status || got.TrackingStatus != step.tracking || got.Mark != step.mark {
			t.Errorf("after %s it is %s (%s), marked %q; want %s (%s), %q", step.verb, got.Status, got.TrackingStatus, got.Mark, step.status, step.tracking, step.mark)
		}
		if counted := f.adam.progress(t, "/v1/progress").Progress[step.tracking]; counted != 1 && step.tracking != "Info received" || counted == 0 {
			t.Errorf("after %s, %d are counted as %s", step.verb, counted, step.tracking)
		}
	}
	made := f.owner.done(t, "POST", "/v1/deliveries/"+d.String()+"/reattempt", `{"date": "2026-03-03"}`)
	res, err := s.commands.CreateReattempt(t.Context(), access.System(f.owner.org(t)), command.Envelope{}, command.CreateReattempt{Delivery: d, Next: made.ID, Date: "2026-03-03"})
	must(t, err)
	whole := f.adam.whole(t, d, res.Position.String())
	if whole.Next == nil || *whole.Next != made.ID || whole.Eta == nil || whole.Eta.UTC().Hour() != 4 {
		t.Errorf("the delivery's next attempt is %v, its ETA %v", whole.Next, whole.Eta)
	}
	again := f.adam.whole(t, made.ID, "")
	if again.Previous == nil || *again.Previous != d || again.Attempt != 2 || again.DONumber != "L-1" || again.Date != "2026-03-03" ||
		again.Group == nil || *again.Group != f.apple || len(again.Items) != 1 || again.Items[0].Quantity != 3 {
		t.Errorf("the next attempt is %+v", again)
	}
	var types []string
	for _, e := range whole.Timeline {
		types = append(types, strings.TrimPrefix(e.Type, "Delivery"))
	}
	want := []string{"Created", "GoodsReceived", "PutOnHold", "Released", "Assigned", "Dispatched", "HeadingStarted", "Unassigned", "Assigned", "EtaRevised",
		"HeadingStarted", "Arrived", "PartiallyCompleted", "OutcomeCorrected", "OutcomeCorrected", "Reattempted"}
	if !slices.Equal(types, want) {
		t.Errorf("timeline %v, want %v", types, want)
	}
	if a := f.owner.do(t, "DELETE", "/v1/deliveries/"+d.String(), ""); a.status != http.StatusConflict || !strings.Contains(a.body, "delivery-concluded") {
		t.Errorf("deleting what has an outcome: %d %s", a.status, a.body)
	}
	// The next attempt goes to a group that adam does not see: he is told nothing of it.
	f.owner.done(t, "POST", "/v1/deliveries/"+made.ID.String()+"/tag", `{"group": "`+f.banana.String()+`", "reason": "sold"}`)
	if text := f.adam.ok(t, "/v1/deliveries/"+d.String()).body; strings.Contains(text, made.ID.String()) {
		t.Errorf("adam is told of another group's delivery: %s", text)
	}
	if got := f.betty.whole(t, made.ID, ""); got.Previous != nil {
		t.Errorf("betty is told of another group's delivery %s", got.Previous)
	}
}

func testAChangeGoesByTheETagAndCountsAndFindsAnew(t *testing.T, s *stack) {
	f := newFruit(t, s)
	van := f.owner.done(t, "POST", "/v1/vehicles", `{"name": "Van", "plate": "SG 4"}`).ID
	d := f.owner.deliver(t, "C-1", "2026-03-02", f.apple)
	f.owner.verb(t, d, "assign", `{"vehicle": "`+van.String()+`"}`)
	at := f.owner.verb(t, d, "dispatch", "")
	path := "/v1/deliveries/" + d.String()
	tag := f.wayne.ok(t, path, "Waybill-Position", at).header.Get("ETag")
	change := func(body string, headers ...string) answer { return f.owner.do(t, "PATCH", path, body, headers...) }
	for name, tc := range map[string]struct {
		answer answer
		status int
		code   string
	}{
		"without an ETag":         {change(`{"date": "2026-03-09"}`), http.StatusPreconditionRequired, "if-match-required"},
		"with an older one":       {change(`{"date": "2026-03-09"}`, "If-Match", `"0"`), http.StatusPreconditionFailed, "revision-mismatch"},
		"with none at all":        {change(`{"date": "2026-03-09"}`, "If-Match", `zero`), http.StatusBadRequest, "invalid-if-match"},
		"to what is no date":      {change(`{"date": "2026-02-30"}`, "If-Match", tag), http.StatusUnprocessableEntity, "invalid-field"},
		"to what is taken":        {change(fmt.Sprintf(`{"do_number": %q}`, numbers[0]), "If-Match", tag), http.StatusConflict, "do-number-taken"},
		"of what is not foreseen": {change(`{"type": "collection"}`, "If-Match", tag), http.StatusBadRequest, "malformed-body"},
		"by whom it is hidden":    {f.betty.do(t, "PATCH", path, `{}`, "If-Match", `"0"`), http.StatusNotFound, "delivery-not-found"},
	} {
		if tc.answer.status != tc.status || !strings.Contains(tc.answer.body, tc.code) {
			t.Errorf("a change %s: %d %s, want %d %s", name, tc.answer.status, tc.answer.body, tc.status, tc.code)
		}
	}
	if got := f.wayne.progress(t, "/v1/progress").Progress["Out for delivery"]; got != 1 {
		t.Errorf("%d out for delivery, want 1", got)
	}
	done := f.owner.done(t, "PATCH", path, `{"date": "2199-01-01", "do_number": "C-2", "recipient": "Zoë", "address": "", "items": [{"quantity": 2, "sku": "new"}, {"quantity": 1}]}`, "If-Match", tag)
	got := f.wayne.whole(t, d, done.Position)
	if got.Date != "2199-01-01" || got.DONumber != "C-2" || got.Recipient == nil || *got.Recipient != "Zoë" || got.Address != nil || got.ItemCount != 2 ||
		len(got.Items) != 2 || got.Items[0].SKU != "new" || got.TrackingStatus != "Scheduled" || got.Type != "delivery" || got.Attempt != 1 {
		t.Errorf("after the change it is %+v", got)
	}
	if p := f.wayne.progress(t, "/v1/progress").Progress; p["Out for delivery"] != 0 || p["Scheduled"] != 1 {
		t.Errorf("after the change, %v are counted", p)
	}
	for number, want := range map[string]int{"C-1": 0, "C-2": 1} {
		if found := len(f.wayne.deliveries(t, "/v1/deliveries?do_number="+number).Deliveries); found != want {
			t.Errorf("%d found by %s, want %d", found, number, want)
		}
	}
	if last := string(got.Timeline[len(got.Timeline)-1].Detail); last != `{"changed":["do_number","date","address","recipient","items"]}` {
		t.Errorf("the timeline says %s", last)
	}
}

func testADeletedDeliveryIsNowhereForAnybody(t *testing.T, s *stack) {
	f := newFruit(t, s)
	d := f.d[0]
	before := f.owner.progress(t, "/v1/progress").Total
	f.owner.done(t, "DELETE", "/v1/deliveries/"+d.String(), `{"reason": "a slip"}`)
	never := uuid.NewString()
	for name, p := range map[string]person{"the owner": f.owner, "adam": f.adam, "vincent": f.vincent} {
		for _, verb := range append(lifeVerbs, [3]string{"GET", "", ""}, [3]string{"POST", "/dispatch", ""}, [3]string{"POST", "/untag", ""}) {
			deleted := p.do(t, verb[0], "/v1/deliveries/"+d.String()+verb[1], verb[2], "If-Match", `"0"`)
			nothing := p.do(t, verb[0], "/v1/deliveries/"+never+verb[1], verb[2], "If-Match", `"0"`)
			if deleted.status != http.StatusNotFound || deleted.body != nothing.body {
				t.Errorf("%s: %s %s: %d %s, want what is said of nothing: %s", name, verb[0], verb[1], deleted.status, deleted.body, nothing.body)
			}
		}
		for _, list := range []string{"/v1/deliveries", "/v1/deliveries?group=" + f.apple.String(), "/v1/deliveries?do_number=" + numbers[0], "/v1/deliveries?status=info_received"} {
			if text := p.ok(t, list).body; strings.Contains(text, d.String()) {
				t.Errorf("%s finds it in %s", name, list)
			}
		}
		if got := p.progress(t, "/v1/progress?group="+f.apple.String()).Total; got != 0 {
			t.Errorf("%s: %d counted, want 0", name, got)
		}
	}
	if got := f.owner.progress(t, "/v1/progress").Total; got != before-1 {
		t.Errorf("%d counted after, %d before", got, before)
	}
	f.owner.deliver(t, numbers[0], "2026-03-02", f.apple) // its number is free
}

func testTheVerbsOfADeliveryAreForThoseWhoMayAndSee(t *testing.T, s *stack) {
	f := newFruit(t, s)
	ghost := uuid.New()
	for _, verb := range lifeVerbs {
		path := func(id uuid.UUID) string { return "/v1/deliveries/" + id.String() + verb[1] }
		if a := f.adam.do(t, verb[0], path(f.d[0]), verb[2], "If-Match", `"0"`); a.status != http.StatusForbidden {
			t.Errorf("a customer: %s %s on its own delivery: %d %s, want 403", verb[0], verb[1], a.status, a.body)
		}
		never := f.adam.do(t, verb[0], path(ghost), verb[2], "If-Match", `"0"`)
		for what, id := range map[string]uuid.UUID{"another group's": f.d[1], "an untagged one": f.d[3]} {
			if a := f.adam.do(t, verb[0], path(id), verb[2], "If-Match", `"0"`); a.status != http.StatusNotFound || a.body != never.body {
				t.Errorf("%s %s on %s: %d %s, want 404 as for nothing", verb[0], verb[1], what, a.status, a.body)
			}
		}
	}
}
