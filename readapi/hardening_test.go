package readapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"waybill/aggregates/access"
	"waybill/events"
	"waybill/readapi"
)

func testNobodyGivesGroupsToOneself(t *testing.T, s *stack) {
	owner := s.organisation(t, "Oneself")
	group := owner.group(t, "Apple")
	manager := owner.add(t, "Manager", access.RoleManager, `, "groups": ["`+group.String()+`"]`)
	a := manager.do(t, "PUT", "/v1/users/"+manager.user.String()+"/groups/"+group.String(), `{"expires_at": "2199-01-01T00:00:00Z"}`)
	if a.status != http.StatusForbidden || !strings.Contains(string(a.body), "not-oneself") {
		t.Errorf("giving oneself a group: %d %s", a.status, a.body)
	}
}

func testReasonsAreBounded(t *testing.T, s *stack) {
	owner := s.organisation(t, "Reasons")
	for field, body := range map[string]string{
		"reason":             `{"name": "Apple", "reason": "` + strings.Repeat("x", 2001) + `"}`,
		"approval.reference": `{"name": "Apple", "approval": {"reference": "` + strings.Repeat("x", 201) + `"}}`,
	} {
		a := owner.do(t, "POST", "/v1/groups", body)
		if a.status != http.StatusUnprocessableEntity || !strings.Contains(string(a.body), `"`+field+`"`) {
			t.Errorf("a long %s: %d %s", field, a.status, a.body)
		}
	}
	owner.done(t, "POST", "/v1/groups", `{"name": "Apple", "reason": "`+strings.Repeat("x", 2000)+`"}`)
}

func testWhoApprovedIsNotForTheCallerToSay(t *testing.T, s *stack) {
	f := newFruit(t, s)
	path := f.adam.path("/groups/" + f.banana.String())
	for member, claim := range map[string]string{
		"approval.by":           `{"by": "` + f.vincent.user.String() + `"}`,
		"approval.requested_by": `{"requested_by": "` + f.vincent.user.String() + `", "reference": "OPS-7"}`,
		"approval.request":      `{"request": "` + uuid.NewString() + `"}`,
	} {
		a := f.owner.do(t, "PUT", path, `{"approval": `+claim+`}`)
		if a.status != http.StatusBadRequest || !strings.Contains(a.body, `"`+member+`"`) {
			t.Errorf("%s in a body: %d %s", member, a.status, a.body)
		}
	}
	f.owner.done(t, "PUT", path, `{"approval": {"reference": "OPS-7"}, "reason": "cover"}`)
	grants := exactly[readapi.Grants](t, f.owner.ok(t, f.adam.path("/grants"))).Grants
	if last := grants[len(grants)-1]; len(grants) != 2 || last.Approval != (events.Approval{Reference: "OPS-7"}) {
		t.Errorf("the grants are told as %+v", grants)
	}
}

func testABlockEndsAPIKeys(t *testing.T, s *stack) {
	owner := s.organisation(t, "Keys")
	user := owner.add(t, "Ann", access.RoleManager, `, "access": "all"`)
	machine, _ := user.key(t, "")
	wantStatus(t, "a fresh key", machine.get(t, "/v1/me"), http.StatusOK)
	owner.done(t, "POST", "/v1/users/"+user.user.String()+"/block", "")
	owner.done(t, "POST", "/v1/users/"+user.user.String()+"/unblock", "")
	wantStatus(t, "a key from before a block", machine.get(t, "/v1/me"), http.StatusUnauthorized)
}
