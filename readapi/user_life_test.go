package readapi_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"waybill/aggregates/access"
	"waybill/aggregates/commandapi"
	"waybill/aggregates/policies"
	"waybill/events"
	"waybill/events/consume"
	"waybill/projections/deadlines"
	"waybill/readapi"
)

func TestTheLifeOfUsersOverHTTP(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	for name, test := range map[string]func(*testing.T, *stack){
		"whole scopes":    testAWholeScopeIsTriedThenReplacedOnWhatWasSeen,
		"roles":           testARoleBringsItsAccess,
		"access requests": testAccessIsAskedForApprovedAndEndsByItself,
		"removal":         testARemovedUserIsOutAtOnceAndComesBackAnew,
		"invitations":     testARevokedInvitationsLinkIsDead,
		"forbidden verbs": testForbiddenVerbsOnVisibleUsersAre403,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, s)
		})
	}
}

func (p person) path(rest string) string { return "/v1/users/" + p.user.String() + rest }

// etag returns the ETag of a user as p sees it.
func (p person) etag(t *testing.T, of person) string {
	t.Helper()
	return p.ok(t, of.path("")).header.Get("ETag")
}

// refused checks a status and a code.
func (p person) refused(t *testing.T, status int, code, method, path, body string, headers ...string) {
	t.Helper()
	a := p.do(t, method, path, body, headers...)
	if a.status != status || !strings.Contains(a.body, code) {
		t.Errorf("%s %s %s: %d %s; want %d with %q", method, path, body, a.status, a.body, status, code)
	}
}

func testAWholeScopeIsTriedThenReplacedOnWhatWasSeen(t *testing.T, s *stack) {
	f := newFruit(t, s)
	path, body := f.adam.path("/groups"), fmt.Sprintf(`{"groups": [%q, %q]}`, f.banana, f.orange)
	f.owner.refused(t, http.StatusPreconditionRequired, "if-match-required", "PUT", path, body)
	f.owner.refused(t, http.StatusPreconditionFailed, "revision-mismatch", "PUT", path, body, "If-Match", `"0"`)
	tag := f.owner.etag(t, f.adam)
	f.owner.refused(t, http.StatusUnprocessableEntity, "groups", "PUT", path, `{}`, "If-Match", tag)

	tried := exactly[commandapi.Widened](t, f.owner.do(t, "PUT", path+"?dry_run=true", body, "If-Match", tag))
	if !tried.DryRun || len(tried.Gains) != 1 || len(tried.Loses) != 1 {
		t.Fatalf("the dry run answers %+v", tried)
	}
	gains, loses := tried.Gains[0], tried.Loses[0]
	if gains.User != f.adam.user || len(gains.Groups) != 2 || gains.Deliveries != 2 || gains.All ||
		loses.User != f.adam.user || !slices.Equal(loses.Groups, []uuid.UUID{f.apple}) || loses.Deliveries != 1 {
		t.Errorf("the dry run answers gains %+v, loses %+v", gains, loses)
	}
	if got := f.owner.etag(t, f.adam); got != tag {
		t.Errorf("the dry run changed the user: %s, was %s", got, tag)
	}
	f.owner.done(t, "PUT", path, body, "If-Match", tag)
	if got := f.adam.numbers(t); got != "DO-2 DO-3" {
		t.Errorf("adam sees %s", got)
	}
	f.owner.refused(t, http.StatusPreconditionFailed, "revision-mismatch", "PUT", path, body, "If-Match", tag)

	// Everything, and back.
	all := f.adam.path("/all-groups")
	f.owner.refused(t, http.StatusUnprocessableEntity, "reason", "PUT", all, `{}`)
	whole := exactly[commandapi.Widened](t, f.owner.do(t, "PUT", all+"?dry_run=true", `{"reason": "x"}`))
	if len(whole.Gains) != 1 || !whole.Gains[0].All || whole.Gains[0].Deliveries != 2 || len(whole.Loses) != 0 {
		t.Errorf("a dry run of ALL answers %+v", whole)
	}
	f.owner.done(t, "PUT", all, `{"reason": "head of desk"}`)
	if got := f.adam.numbers(t); got != "DO-1 DO-2 DO-3 DO-4" {
		t.Errorf("with ALL adam sees %s", got)
	}
	f.owner.done(t, "DELETE", all, fmt.Sprintf(`{"reason": "moved on", "groups": [%q]}`, f.orange))
	if got := f.adam.numbers(t); got != "DO-3" {
		t.Errorf("after ALL adam sees %s", got)
	}
	f.owner.done(t, "PUT", path, `{"access": "none"}`, "If-Match", f.owner.etag(t, f.adam))
	if got := f.adam.numbers(t); got != "" {
		t.Errorf("with none adam sees %s", got)
	}
	grants := exactly[readapi.Grants](t, f.owner.ok(t, f.adam.path("/grants"))).Grants
	var told []string
	for _, g := range grants {
		told = append(told, g.EndedCause+" "+g.EndedReason)
	}
	want := []string{"groups_replaced ", "all_granted head of desk", "all_granted head of desk", "all_revoked moved on", "groups_replaced "}
	if !slices.Equal(told, want) {
		t.Errorf("the grants ended with %q, want %q", told, want)
	}
	if own := exactly[readapi.Grants](t, f.adam.ok(t, f.adam.path("/grants"))).Grants; len(own) != 1 || own[0].Group != nil {
		t.Errorf("of groups that adam does not see he is told %+v", own)
	}
}

// numbers are the D.O. numbers that somebody sees, in order.
func (p person) numbers(t *testing.T) string {
	t.Helper()
	var list []string
	for _, d := range p.deliveries(t, "/v1/deliveries").Deliveries {
		list = append(list, d.DONumber)
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

func testARoleBringsItsAccess(t *testing.T, s *stack) {
	f := newFruit(t, s)
	path := f.vincent.path("/role")
	f.owner.refused(t, http.StatusPreconditionRequired, "if-match-required", "PUT", path, `{"role": "owner"}`)
	f.owner.done(t, "PUT", path, `{"role": "owner"}`, "If-Match", f.owner.etag(t, f.vincent))
	f.owner.refused(t, http.StatusUnprocessableEntity, "access", "PUT", f.owner.path("/role"), `{"role": "cso"}`, "If-Match", f.owner.etag(t, f.owner))
	f.owner.done(t, "PUT", f.owner.path("/role"), fmt.Sprintf(`{"role": "cso", "groups": [%q]}`, f.apple), "If-Match", f.owner.etag(t, f.owner))
	if got := f.owner.numbers(t); got != "DO-1" {
		t.Errorf("a former owner sees %s", got)
	}
	f.vincent.refused(t, http.StatusConflict, "last-owner", "PUT", path, `{"role": "manager", "access": "all"}`, "If-Match", f.vincent.etag(t, f.vincent))
	u := exactly[readapi.User](t, f.vincent.ok(t, f.vincent.path("")))
	if u.Role != access.RoleOwner || u.Access != "all" {
		t.Errorf("vincent is told as %+v", u)
	}
}

func testAccessIsAskedForApprovedAndEndsByItself(t *testing.T, s *stack) {
	clock, passes := keepTime(t, s)
	f := newFruit(t, s)
	ends := clock.now().Add(time.Hour).UTC()
	body := fmt.Sprintf(`{"group": %q, "reason": "cover for Adam, OPS-7", "expires_at": %q}`, f.apple, ends.Format(time.RFC3339Nano))
	asked := f.vincent.done(t, "POST", f.betty.path("/access-requests"), body)
	approve := f.betty.path("/access-requests/" + asked.ID.String() + "/approve")
	f.vincent.refused(t, http.StatusForbidden, "approver-not-independent", "POST", approve, "")
	robot, _ := f.vincent.key(t, "")
	robot.refused(t, http.StatusForbidden, "approver-not-independent", "POST", approve, "")
	f.adam.refused(t, http.StatusNotFound, "", "POST", approve, "")
	requests := func(p person, query string) []readapi.AccessRequest {
		return exactly[readapi.AccessRequests](t, p.ok(t, "/v1/access-requests"+query)).AccessRequests
	}
	if got := requests(f.owner, "?status=open"); len(got) != 1 || got[0].ID != asked.ID || got[0].User != f.betty.user || got[0].Reason != "cover for Adam, OPS-7" {
		t.Errorf("open requests are %+v", got)
	}
	for name, p := range map[string]person{"who asked for nothing": f.adam, "who is to get it": f.betty} {
		if got := requests(p, ""); len(got) != 0 {
			t.Errorf("%s is told %+v", name, got)
		}
	}
	f.owner.done(t, "POST", approve, "")
	if got := f.betty.numbers(t); got != "DO-1 DO-2" {
		t.Errorf("betty sees %s", got)
	}
	if got := requests(f.owner, "?status=approved&user="+f.betty.user.String()); len(got) != 1 || got[0].DecidedBy != "user:"+f.owner.user.String() {
		t.Errorf("approved requests are %+v", got)
	}
	passes(time.Hour)
	var last readapi.Grant
	until(t, func() bool {
		grants := exactly[readapi.Grants](t, f.owner.ok(t, f.betty.path("/grants"))).Grants
		last = grants[len(grants)-1]
		return last.EndedBy == "system:"
	})
	if last.EndedCause != "expired" || last.Basis != events.BasisRequest || last.Approval.By != f.owner.user.String() || last.Approval.RequestedBy != f.vincent.user.String() {
		t.Errorf("the grant is told as %+v", last)
	}
	if got := f.betty.numbers(t); got != "DO-2" {
		t.Errorf("after its end betty sees %s", got)
	}
}

// keepTime lets a process of its own end what is to end by itself, on a clock of
// its own, and returns that, and what lets time pass there.
func keepTime(t *testing.T, s *stack) (*clock, func(time.Duration)) {
	t.Helper()
	o := s.beside(t)
	keep, err := deadlines.New(deadlines.Config{Codec: o.codec, Pool: o.pools.Projector})
	must(t, err)
	ends, err := policies.NewClock(policies.ClockConfig{Commands: o.commands, Deadlines: keep, Now: o.clock.now})
	must(t, err)
	consumer, err := consume.New(consume.Config{Name: deadlines.Name, Prefixes: deadlines.Prefixes(), Store: o.store,
		Log: keep.Log(), Handler: keep.Handle, Committed: func(events.Position) { ends.Wake() }})
	must(t, err)
	running(t, consumer.Run)
	running(t, ends.Run)
	return o.clock, func(d time.Duration) {
		o.clock.advance(d)
		ends.Wake()
	}
}

func testARemovedUserIsOutAtOnceAndComesBackAnew(t *testing.T, s *stack) {
	f := newFruit(t, s)
	f.vincent.refused(t, http.StatusForbidden, "not-oneself", "DELETE", f.vincent.path(""), "")
	email := *exactly[readapi.User](t, f.owner.ok(t, f.ortega.path(""))).Email
	f.vincent.done(t, "DELETE", f.ortega.path(""), `{"reason": "left client"}`)
	if a := f.ortega.get(t, "/v1/me"); a.status != http.StatusUnauthorized {
		t.Errorf("a removed user gets %d %s", a.status, a.body)
	}
	u := exactly[readapi.User](t, f.owner.ok(t, f.ortega.path("")))
	if u.Status != "removed" || len(u.Groups) != 0 {
		t.Errorf("it is told as %+v", u)
	}
	grants := exactly[readapi.Grants](t, f.owner.ok(t, f.ortega.path("/grants"))).Grants
	if len(grants) != 1 || grants[0].EndedCause != events.CauseUserRemoved || grants[0].EndedReason != "left client" || grants[0].EndedBy != "user:"+f.vincent.user.String() {
		t.Errorf("its grants are %+v", grants)
	}
	f.owner.refused(t, http.StatusConflict, "user-removed", "POST", f.ortega.path("/unblock"), "")
	back := f.owner.done(t, "POST", "/v1/users", fmt.Sprintf(`{"name": "Ortega", "email": %q, "role": "customer", "groups": [%q]}`, email, f.orange))
	if back.ID == f.ortega.user {
		t.Error("the same user came back")
	}
	if got := s.enter(t, f.owner.org(t), back.ID, access.RoleCustomer).numbers(t); got != "DO-3" {
		t.Errorf("who came back sees %s", got)
	}
}

func testARevokedInvitationsLinkIsDead(t *testing.T, s *stack) {
	f := newFruit(t, s)
	email := "ines-" + uuid.NewString()[:8] + "@example.com"
	d := f.owner.done(t, "POST", "/v1/users", fmt.Sprintf(`{"name": "Ines", "email": %q, "role": "cso", "groups": [%q]}`, email, f.apple))
	path := "/v1/users/" + d.ID.String() + "/invitation"
	org := f.owner.org(t)
	use := func(token string) int {
		return person{s: s}.do(t, "POST", "/v1/passwords", fmt.Sprintf(`{"token": %q, "email": %q, "password": %q}`, token, email, password)).status
	}
	token := s.invitation(t, org, d.ID, email)
	f.owner.done(t, "DELETE", path, "")
	if got := use(token); got == http.StatusOK {
		t.Error("a revoked link still works")
	}
	resent := exactly[commandapi.InvitationResent](t, f.owner.do(t, "POST", path+"/resend", ""))
	if !resent.InvitationExpires.After(time.Now()) {
		t.Errorf("the invitation was resent as %+v", resent)
	}
	if got := use(s.invitation(t, org, d.ID, email)); got != http.StatusOK {
		t.Errorf("the link of a resent invitation: %d", got)
	}
	f.owner.refused(t, http.StatusConflict, "invitation-accepted", "POST", path+"/resend", "")
}

func testForbiddenVerbsOnVisibleUsersAre403(t *testing.T, s *stack) {
	f := newFruit(t, s)
	auditor := f.owner.add(t, "Audrey", access.RoleAuditor, "")
	for _, try := range []struct{ method, path, body string }{
		{"PUT", "/role", `{"role": "cso"}`}, {"PUT", "/groups", `{"access": "none"}`}, {"PUT", "/all-groups", `{"reason": "x"}`},
		{"DELETE", "/all-groups", `{"reason": "x"}`}, {"POST", "/access-reviews", `{"decision": "keep"}`},
		{"POST", "/access-requests", fmt.Sprintf(`{"group": %q, "reason": "x"}`, f.apple)}, {"DELETE", "", ""},
		{"POST", "/invitation/resend", ""}, {"DELETE", "/invitation", ""}, {"PUT", "/permissions", `{"permissions": {}}`},
	} {
		auditor.refused(t, http.StatusForbidden, "", try.method, f.betty.path(try.path), try.body, "If-Match", `"0"`)
	}
}
