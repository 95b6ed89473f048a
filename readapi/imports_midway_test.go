package readapi_test

import (
	"fmt"
	"strings"
	"testing"

	"waybill/aggregates/command"
	"waybill/aggregates/commandapi"
	"waybill/aggregates/importing"
	"waybill/events"
)

// What a request takes with it does not outlive what its sender may: neither a
// session's nor an API key's.
func testABlockEndsAnImportThatIsRunning(t *testing.T, s *stack) {
	owner := s.organisation(t, "Midway")
	for name, tc := range map[string]struct {
		key  bool // by an API key instead of a session
		take func(p person)
		says string
	}{
		"a blocked user":      {false, func(p person) { owner.done(t, "POST", "/v1/users/"+p.user.String()+"/block", `{"reason": "left"}`) }, "signed out, blocked or removed"},
		"a blocked user, key": {true, func(p person) { owner.done(t, "POST", "/v1/users/"+p.user.String()+"/block", `{"reason": "left"}`) }, "signed out, blocked or removed"},
		"a removed user":      {false, func(p person) { owner.done(t, "DELETE", "/v1/users/"+p.user.String(), "") }, "signed out, blocked or removed"},
		"signed out":          {false, func(p person) { p.do(t, "DELETE", "/v1/sessions", "") }, "signed out, blocked or removed"},
		"without the permission": {false, func(p person) {
			path := "/v1/users/" + p.user.String()
			owner.done(t, "PUT", path+"/permissions", `{"permissions": {"create_deliveries": false}}`, "If-Match", owner.ok(t, path).header.Get("ETag"))
		}, "create_deliveries"},
	} {
		t.Run(name, func(t *testing.T) {
			p := owner.add(t, "M"+strings.ReplaceAll(name, " ", ""), "manager", "")
			token := p.token
			if tc.key {
				var made commandapi.APIKeyMade
				p.do(t, "POST", "/v1/api-keys", `{"name": "machine"}`).into(t, &made)
				token = made.Key
			}
			c, err := s.access.Caller(t.Context(), token)
			must(t, err)
			begun := make(chan struct{})
			n, all := 0, 1600
			var reasons []string
			report, err := s.commands.ImportDeliveries(t.Context(), c, command.Envelope{}, command.ImportDeliveries{File: "m.csv",
				Drafts: func(yield func(importing.Draft, error) bool) {
					for i := range all {
						if i == all/2 {
							<-begun
							tc.take(p)
						}
						if !yield(importing.Draft{Rows: []int{i + 2}, Type: events.TypeDelivery, DONumber: fmt.Sprintf("%s %d", name, i), Date: "2026-03-02"}, nil) {
							return
						}
					}
				},
				Report: func(o command.Outcome) {
					if n++; n == 1 {
						close(begun)
					}
					if o.Status == command.OutcomeRejected {
						reasons = append(reasons, o.Reason)
					}
				}})
			must(t, err)
			if report.Created == 0 || report.Rejected < all/2 || report.Created+report.Rejected != all || !strings.Contains(reasons[0], tc.says) {
				t.Errorf("%+v, first for the reason %q; want everything behind the first half rejected", report.ImportCounts, reasons[0])
			}
		})
	}
}
