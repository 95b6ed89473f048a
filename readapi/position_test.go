package readapi_test

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func testAQueryWithAPositionSeesWhatWasWritten(t *testing.T, s *stack) {
	f := newFruit(t, s)
	for range 20 {
		d := f.owner.done(t, "POST", "/v1/deliveries", `{"do_number": "`+"R-"+time.Now().Format("150405.000000000")+`", "date": "2026-03-02", "group": "`+f.apple.String()+`"}`)
		a := f.adam.get(t, "/v1/deliveries/"+d.ID.String(), "Waybill-Position", d.Position)
		if a.status != http.StatusOK {
			t.Fatalf("right after it was written: %d %s", a.status, a.body)
		}
	}
}

func TestAPositionThatIsNotReachedIsAClearAnswerInTime(t *testing.T) {
	t.Parallel()
	const limit = 300 * time.Millisecond
	s := newStack(t)
	hasty := *s
	hasty.serve(t, limit)
	owner := s.organisation(t, "Late")
	d := owner.done(t, "POST", "/v1/deliveries", `{"do_number": "L-1", "date": "2026-03-02"}`)
	s.progress.close(true)
	start := time.Now()
	a := owner.at(&hasty).get(t, "/v1/deliveries", "Waybill-Position", d.Position)
	if a.status != http.StatusGatewayTimeout || !strings.Contains(a.body, "position-not-reached") || !strings.Contains(a.body, d.Position) {
		t.Errorf("%d %s", a.status, a.body)
	}
	if took := time.Since(start); took < limit || took > plenty {
		t.Errorf("took %v, want about the limit of %v", took, limit)
	}
	s.progress.close(false)
	owner.ok(t, "/v1/deliveries", "Waybill-Position", d.Position)

	for _, bad := range []string{"x", "-1", "1/2/3", "18446744073709551616", " "} {
		if a := owner.get(t, "/v1/deliveries", "Waybill-Position", "?"+bad); a.status != http.StatusBadRequest || !strings.Contains(a.body, "invalid-position") {
			t.Errorf("position %q: %d %s", bad, a.status, a.body)
		}
	}
	if a := (person{s: s}).get(t, "/v1/deliveries", "Waybill-Position", "99999999999"); a.status != http.StatusUnauthorized {
		t.Errorf("a stranger makes nobody wait: %d", a.status)
	}
}

func testACommandThatWidensSightSaysWhetherItCanBeSeenYet(t *testing.T, s *stack) {
	f := newFruit(t, s)
	path := "/v1/users/" + f.adam.user.String() + "/groups/" + f.banana.String()
	a := f.owner.do(t, "PUT", path, "")
	if a.status != http.StatusOK || a.header.Get("Waybill-Visible") != "now" || a.header.Get("Waybill-Position") == "" {
		t.Errorf("%d %v", a.status, a.header)
	}
	if got := len(f.adam.deliveries(t, "/v1/deliveries").Deliveries); got != 2 {
		t.Errorf("adam sees %d deliveries at once, want 2", got)
	}
}
