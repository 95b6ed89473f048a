package readapi_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"waybill/aggregates/access"
	"waybill/aggregates/group"
	"waybill/aggregates/policies"
	"waybill/events"
	"waybill/events/consume"
)

// racePassword is what one of many who use the same link would choose.
func racePassword(i int) string { return fmt.Sprint("correct horse battery ", i) }

// oneLink checks that one of those who used a link got in, by its password, and
// that the others were told no more than that the link does not work.
func oneLink(t *testing.T, s *stack, email string, answers []answer) {
	t.Helper()
	won := -1
	for i, a := range answers {
		switch {
		case a.status == http.StatusOK && won < 0:
			won = i
		case a.status == http.StatusUnprocessableEntity && strings.Contains(a.body, "token-not-valid"), a.status == http.StatusTooManyRequests:
		default:
			t.Errorf("writer %d: %d %s", i, a.status, a.body)
		}
	}
	if won < 0 {
		t.Fatal("nobody could use the link")
	}
	for i := max(0, won-1); i < min(racers, won+2); i++ {
		a := person{s: s}.do(t, "POST", "/v1/sessions", fmt.Sprintf(`{"email": %q, "password": %q}`, email, racePassword(i)))
		if (a.status == http.StatusCreated) != (i == won) {
			t.Errorf("with the password of writer %d: %d; the winner is %d", i, a.status, won)
		}
	}
}

func testOneOfManyUsesALink(t *testing.T, s, other *stack) {
	f := newFruit(t, s)
	org, email := f.owner.org(t), "ann-"+uuid.NewString()[:8]+"@example.com"
	ann := f.owner.done(t, "POST", "/v1/users", fmt.Sprintf(`{"name": "Ann", "email": %q, "role": "cso"}`, email)).ID
	token := s.invitation(t, org, ann, email)
	answers := race(racers, other, func(i int, at func(person) person) answer {
		return at(person{s: s}).do(t, "POST", "/v1/passwords", fmt.Sprintf(`{"token": %q, "email": %q, "password": %q}`, token, email, racePassword(i)))
	})
	oneLink(t, s, email, answers)
	all := s.stream(t, events.CategoryUser, org, ann)
	if accepted, set := count(all, "UserInvitationAccepted"), count(all, "PasswordSet"); accepted != 1 || set != 1 {
		t.Errorf("accepted %d times, passwords set %d times", accepted, set)
	}
}

func testOneOfManyAcceptsAClientsInvitation(t *testing.T, s, other *stack) {
	g := newGrove(t, s)
	token := g.invite(t)
	answers := race(racers, other, func(i int, at func(person) person) answer {
		return at(person{s: s}).do(t, "POST", "/v1/client-invitations/accept",
			fmt.Sprintf(`{"token": %q, "email": %q, "password": %q}`, token, g.email, racePassword(i)))
	})
	oneLink(t, s, g.email, answers)
	all := s.stream(t, events.CategoryClientAccount, g.org, g.client)
	for _, name := range []string{"ClientInvitationAccepted", "ClientAccountCreated", "ClientApprovalGranted"} {
		if n := count(all, name); n != 1 {
			t.Errorf("%s is in the log %d times", name, n)
		}
	}
	made, ok := all[len(all)-2].Payload.(*events.ClientAccountCreated)
	if !ok {
		t.Fatalf("the client's stream ends with %s, %s", all[len(all)-2].Record.Type, all[len(all)-1].Record.Type)
	}
	if n := count(s.stream(t, events.CategoryUser, g.org, made.User), "UserAdded"); n != 1 {
		t.Errorf("the contact was added %d times", n)
	}
}

// Every owner ends the next one's ownership, each in another way.
func testOwnersWhoEndEachOtherLeaveOne(t *testing.T, s, other *stack) {
	f := newFruit(t, s)
	org := f.owner.org(t)
	owners := []person{f.owner}
	for i := range racers - 1 {
		owners = append(owners, f.owner.add(t, fmt.Sprint("Owner", i), access.RoleOwner, ""))
	}
	etags := make([]string, racers)
	for i, o := range owners {
		etags[i] = f.owner.etag(t, o)
	}
	ended := 0
	for i, a := range race(racers, other, func(i int, at func(person) person) answer {
		p, next := at(owners[i]), owners[(i+1)%racers]
		switch i % 3 {
		case 0:
			return p.do(t, "PUT", next.path("/role"), `{"role": "manager", "access": "all", "reason": "race"}`, "If-Match", etags[(i+1)%racers])
		case 1:
			return p.do(t, "POST", next.path("/block"), "")
		default:
			return p.do(t, "DELETE", next.path(""), "")
		}
	}) {
		switch {
		case a.status == http.StatusOK:
			ended++
		case a.status == http.StatusConflict && strings.Contains(a.body, "last-owner"):
		case a.status == http.StatusUnauthorized || a.status == http.StatusForbidden: // ended before it could
		default:
			t.Errorf("writer %d: %d %s", i, a.status, a.body)
		}
	}
	counted := map[uuid.UUID]bool{}
	for _, ev := range s.stream(t, events.CategoryGroup, org, group.AllID(org)) {
		switch e := ev.Payload.(type) {
		case *events.OwnerAdded:
			counted[e.User] = true
		case *events.OwnerRemoved:
			delete(counted, e.User)
		}
	}
	left := 0
	for _, o := range owners {
		all := s.stream(t, events.CategoryUser, org, o.user)
		is := count(all, "UserRoleChanged")+count(all, "UserBlocked")+count(all, "UserRemoved") == 0
		if is {
			left++
		}
		if counted[o.user] != is {
			t.Errorf("a user is an owner: %v, counted as one: %v", is, counted[o.user])
		}
	}
	if left == 0 || left != racers-ended {
		t.Errorf("%d owners are left after %d of %d were ended", left, ended, racers)
	}
}

func testOneKeyIsExecutedOnceByWhicheverProcess(t *testing.T, s, other *stack) {
	f := newFruit(t, s)
	good := map[string]bool{}
	for i, a := range race(racers, other, func(_ int, at func(person) person) answer {
		return at(f.owner).do(t, "POST", "/v1/deliveries", fmt.Sprintf(`{"do_number": "ONCE", "date": "2026-03-02", "group": %q}`, f.apple), "Idempotency-Key", "once")
	}) {
		switch {
		case a.status == http.StatusCreated:
			good[a.body] = true
		case a.status != http.StatusConflict || !strings.Contains(a.body, "idempotency-key-in-flight"):
			t.Errorf("writer %d: %d %s", i, a.status, a.body)
		}
	}
	if len(good) != 1 {
		t.Errorf("there are %d different answers, want one", len(good))
	}
	if n := len(f.owner.deliveries(t, "/v1/deliveries?do_number=ONCE", "Waybill-Position", f.owner.last(t)).Deliveries); n != 1 {
		t.Errorf("%d deliveries were made", n)
	}
}

// last returns a position that is after everything before.
func (p person) last(t *testing.T) string {
	t.Helper()
	return p.done(t, "POST", "/v1/groups", fmt.Sprintf(`{"name": %q}`, uuid.NewString())).Position
}

func testWhatIsGrantedWhileAGroupIsArchivedDoesNotComeBack(t *testing.T, s, other *stack) {
	f := newFruit(t, s)
	users := make([]person, racers)
	for i := range users {
		users[i] = f.owner.add(t, fmt.Sprint("User", i), access.RoleCSO, `, "access": "none"`)
	}
	path := "/v1/groups/" + f.apple.String()
	for i, a := range race(racers, other, func(i int, at func(person) person) answer {
		if i == racers/2 {
			return at(f.owner).do(t, "POST", path+"/archive", `{"reason": "race"}`)
		}
		return at(f.owner).do(t, "PUT", users[i].path("/groups/"+f.apple.String()), "")
	}) {
		if a.status != http.StatusOK && (a.status != http.StatusConflict || !strings.Contains(a.body, "group-archived")) {
			t.Errorf("writer %d: %d %s", i, a.status, a.body)
		}
	}
	look := func(when string) {
		t.Helper()
		for i, u := range users {
			if a := u.get(t, "/v1/deliveries/"+f.d[0].String(), "Waybill-Position", f.owner.last(t)); a.status != http.StatusNotFound {
				t.Errorf("%s user %d sees its delivery: %d", when, i, a.status)
			}
		}
	}
	look("archived,")
	f.owner.done(t, "POST", path+"/restore", "")
	look("restored,")
}

func testWhatIsTaggedWhileAGroupIsMergedFollowsIt(t *testing.T, s, other *stack) {
	f := newFruit(t, s)
	drops := make([]uuid.UUID, racers)
	for i := range drops {
		drops[i] = f.owner.deliver(t, fmt.Sprint("M-", i), "2026-03-02", uuid.Nil)
	}
	answers := race(racers, other, func(i int, at func(person) person) answer {
		if i == racers/2 {
			return at(f.owner).do(t, "POST", "/v1/groups/"+f.apple.String()+"/merge", fmt.Sprintf(`{"into": %q, "acknowledge_widening": true}`, f.banana))
		}
		return at(f.owner).do(t, "POST", "/v1/deliveries/"+drops[i].String()+"/tag", fmt.Sprintf(`{"group": %q, "reason": "race"}`, f.apple))
	})
	if a := answers[racers/2]; a.status != http.StatusOK {
		t.Fatalf("merge: %d %s", a.status, a.body)
	}
	for i, a := range answers {
		if a.status != http.StatusOK && (a.status != http.StatusConflict || !strings.Contains(a.body, "group-merged")) {
			t.Errorf("writer %d: %d %s", i, a.status, a.body)
			continue
		}
		want := "none"
		if a.status == http.StatusOK {
			want = f.banana.String()
		}
		eventually(t, fmt.Sprintf("delivery %d is where it belongs", i), func() bool {
			return i == racers/2 || len(f.owner.deliveries(t, "/v1/deliveries?do_number=M-"+fmt.Sprint(i)+"&group="+want).Deliveries) == 1
		})
	}
}

// unknown is nobody's grants.
type unknown struct{}

func (unknown) Open(context.Context, uuid.UUID, uuid.UUID, events.Position) ([]policies.Grant, error) {
	return nil, nil
}

// late runs the policy by which a delivery follows the group that it was put into
// at the very moment when that was merged, however late.
func (s *stack) late(t testing.TB) {
	t.Helper()
	policy, err := policies.New(policies.Config{Commands: s.commands, Codec: s.codec, Grants: unknown{}, Logger: s.logger()})
	must(t, err)
	s.consume(t, policies.Name, policies.Prefixes(), func(ctx context.Context, run *consume.Run) error {
		only := slices.DeleteFunc(slices.Clone(run.Records), func(r events.Record) bool {
			return r.Type != "GroupMerged" && r.Type != "DeliveryCreated" && r.Type != "DeliveryTagged"
		})
		return policy.Handle(ctx, &consume.Run{Records: only})
	})
}
