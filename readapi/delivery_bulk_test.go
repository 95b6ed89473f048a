package readapi_test

import (
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"waybill/aggregates/commandapi"
)

func bulk(do string, rest string, ids ...uuid.UUID) string {
	var quoted []string
	for _, id := range ids {
		quoted = append(quoted, fmt.Sprintf("%q", id))
	}
	return fmt.Sprintf(`{"do": %q, "deliveries": [%s]%s}`, do, strings.Join(quoted, ", "), rest)
}

func testABulkCommandDoesEachRowByItselfAndTellsNothingOfForeignOnes(t *testing.T, s *stack) {
	f := newFruit(t, s)
	ghost := uuid.New()
	send := func(p person, body string, headers ...string) commandapi.BulkDone {
		t.Helper()
		a := p.do(t, "POST", "/v1/deliveries/bulk", body, headers...)
		if a.status != http.StatusOK {
			t.Fatalf("bulk: %d %s", a.status, a.body)
		}
		return exactly[commandapi.BulkDone](t, a)
	}
	statuses := func(b commandapi.BulkDone) (out []int) {
		for _, r := range b.Results {
			out = append(out, r.Status)
		}
		return out
	}
	ann := f.owner.add(t, "Ann", "manager", `, "groups": ["`+f.apple.String()+`"]`)
	key := uuid.NewString()
	first := send(ann, bulk("dispatch", "", f.d[1], f.d[0], f.d[3], ghost), "Idempotency-Key", key)
	if got := statuses(first); !slices.Equal(got, []int{404, 200, 404, 404}) || first.Done != 1 || first.Refused != 3 {
		t.Errorf("dispatching: %v, %d done, %d refused", got, first.Done, first.Refused)
	}
	for i, row := range first.Results {
		if row.Status == http.StatusNotFound && !reflect.DeepEqual(row.Problem, first.Results[3].Problem) {
			t.Errorf("row %d is told apart from one that is not there: %+v", i, row.Problem)
		}
	}
	again := send(ann, bulk("dispatch", "", f.d[1], f.d[0], f.d[3], ghost), "Idempotency-Key", key)
	if again.Results[1].Revision != first.Results[1].Revision || again.Position != first.Position || !again.Results[1].Changed {
		t.Errorf("repeated it answers %+v, first %+v", again, first)
	}
	if got := statuses(send(ann, bulk("dispatch", "", f.d[0]))); !slices.Equal(got, []int{409}) {
		t.Errorf("dispatching what is dispatched: %v", got)
	}
	if got := statuses(send(f.adam, bulk("cancel", "", f.d[0], f.d[1]))); !slices.Equal(got, []int{403, 404}) {
		t.Errorf("a customer cancels: %v", got)
	}
	moved := send(f.owner, bulk("tag", `, "group": "`+f.banana.String()+`", "reason": "sold"`, f.d[0], f.d[2], f.d[3]))
	if got := statuses(moved); !slices.Equal(got, []int{200, 200, 200}) {
		t.Errorf("tagging: %v", got)
	}
	if n := len(f.betty.deliveries(t, "/v1/deliveries", "Waybill-Position", moved.Position).Deliveries); n != 4 {
		t.Errorf("betty sees %d deliveries, want 4", n)
	}
	if got := statuses(send(f.owner, bulk("delete", "", f.d[1], f.d[2]))); !slices.Equal(got, []int{200, 200}) {
		t.Errorf("deleting: %v", got)
	}
	if n := f.betty.progress(t, "/v1/progress").Total; n != 2 {
		t.Errorf("betty counts %d deliveries, want 2", n)
	}
	many := make([]uuid.UUID, 501)
	for i := range many {
		many[i] = uuid.New()
	}
	for name, body := range map[string]string{
		"an unknown command": bulk("explode", "", ghost), "no delivery": bulk("cancel", ""), "too many": bulk("cancel", "", many...), "one twice": bulk("cancel", "", ghost, ghost),
		"a tag without a group": bulk("tag", "", ghost), "a group without a tag": bulk("hold", `, "group": "`+f.apple.String()+`"`, ghost),
		"an assignment without a vehicle": bulk("assign", "", ghost),
	} {
		if a := f.owner.do(t, "POST", "/v1/deliveries/bulk", body); a.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	if a := f.owner.do(t, "POST", "/v1/deliveries/bulk", bulk("cancel", "", ghost), "If-Match", `"1"`); a.status != http.StatusBadRequest {
		t.Errorf("with an ETag: %d %s", a.status, a.body)
	}
}
