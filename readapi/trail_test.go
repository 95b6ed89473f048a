package readapi_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"waybill/aggregates/access/route"
	"waybill/aggregates/commandapi"
	"waybill/aggregates/problem"
	"waybill/events"
)

// notes keeps what was recorded.
type notes struct {
	mu  sync.Mutex
	all []string
}

func (n *notes) Record(org uuid.UUID, who events.Actor, from events.Source, p events.Payload) {
	n.mu.Lock()
	defer n.mu.Unlock()
	var what string
	switch p := p.(type) {
	case *events.SignedIn:
		what = "of " + p.User.String()
	case *events.SignInRefused:
		what = p.Cause
	case *events.CommandRefused:
		what = p.Command + " " + p.Cause + " " + p.Target
	}
	n.all = append(n.all, fmt.Sprintf("%s %s %s %s ip=%t", org, who.Type, p.EventType(), what, from.IP != ""))
}

func (n *notes) take() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	all := n.all
	n.all = nil
	return all
}

func testSignInsAndRefusalsAreOnTheTrail(t *testing.T, s *stack) {
	f := newFruit(t, s)
	org := f.owner.org(t)
	const email = "ann-trail@example.com"
	user := f.owner.done(t, "POST", "/v1/users", `{"name": "Ann", "email": "`+email+`", "role": "cso", "groups": ["`+f.apple.String()+`"]}`).ID
	s.join(t, org, user, email)

	trail := &notes{}
	problems := problem.NewRenderer(slog.New(slog.DiscardHandler), uuid.New)
	routes, err := commandapi.Routes(commandapi.Config{Commands: s.commands, Access: s.access, Progress: s.progress, Problems: problems, Trail: trail, VisibleLimit: plenty})
	must(t, err)
	router, err := route.Router(route.Config{Access: s.access, Problems: problems, Registry: prometheus.NewRegistry()}, routes...)
	must(t, err)
	noted := &stack{Server: httptest.NewServer(router)}
	t.Cleanup(noted.Server.Close)

	ann := person{s: noted}
	expect := func(step string, want ...string) {
		t.Helper()
		var got []string // what is recorded after the answer may come late
		eventually(t, step, func() bool {
			got = append(got, trail.take()...)
			return len(got) >= len(want)
		})
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: the trail has %q, want %q", step, got, want)
		}
	}
	noted.credentials(t, fmt.Sprintf(`{"email": %q, "password": "wrong horse"}`, email))
	noted.credentials(t, `{"email": "nobody-trail@example.com", "password": "wrong horse"}`)
	expect("a wrong password, and nobody's e-mail", org.String()+" identity SignInRefused sign-in-failed ip=true",
		uuid.Nil.String()+" identity SignInRefused sign-in-failed ip=true")
	// Of several organisations, and of those only where she is and not where she is
	// but invited: whom one invites is no business of one's own before.
	const bea = "bea-trail@example.com"
	body := `{"name": "Bea", "email": "` + bea + `", "role": "cso", "access": "none"}`
	s.join(t, org, f.owner.done(t, "POST", "/v1/users", body).ID, bea)
	second := s.organisation(t, "TrailSecond")
	second.done(t, "POST", "/v1/users", body)
	noted.credentials(t, fmt.Sprintf(`{"email": %q, "password": %q, "organisation": %q}`, bea, password, second.org(t)))
	trail.take()
	s.organisation(t, "TrailThird").done(t, "POST", "/v1/users", body)
	noted.credentials(t, fmt.Sprintf(`{"email": %q, "password": "wrong horse"}`, bea))
	expect("a wrong password of somebody in two organisations and invited to a third", org.String()+" identity SignInRefused sign-in-failed ip=true",
		second.org(t).String()+" identity SignInRefused sign-in-failed ip=true")
	noted.credentials(t, fmt.Sprintf(`{"email": %q, "password": %q, "portal": "client"}`, email, password))
	expect("the wrong portal", org.String()+" identity SignInRefused wrong-portal ip=true")
	var opened commandapi.SessionOpened
	noted.credentials(t, fmt.Sprintf(`{"email": %q, "password": %q}`, email, password)).into(t, &opened)
	ann.token = opened.Token
	expect("signing in", org.String()+" user SignedIn of "+user.String()+" ip=true")
	if a := ann.do(t, "POST", "/v1/groups", `{"name": "Mine"}`); a.status != http.StatusForbidden {
		t.Errorf("%d %s", a.status, a.body)
	}
	expect("a verb that is not hers", org.String()+" user CommandRefused CreateGroup permission-missing  ip=true")
	ann.do(t, "POST", "/v1/deliveries/"+f.d[1].String()+"/hold", `{}`)
	expect("what she does not see", org.String()+" user CommandRefused Hold delivery-not-found id "+f.d[1].String()+" ip=true")
	guessed := []uuid.UUID{f.d[1]}
	for range 11 {
		guessed = append(guessed, uuid.New())
	}
	ann.do(t, "POST", "/v1/deliveries/bulk", bulk("hold", "", append([]uuid.UUID{f.d[0]}, guessed...)...))
	var named []string
	for _, id := range guessed[:10] {
		named = append(named, id.String())
	}
	expect("many at once that she does not see", org.String()+" user CommandRefused BulkDeliveries delivery-not-found hold "+strings.Join(named, ", ")+" and 2 more ip=true")
	ann.do(t, "POST", "/v1/deliveries/bulk", bulk("delete", "", f.d[0], f.d[1]))
	expect("many at once for two reasons", org.String()+" user CommandRefused BulkDeliveries permission-missing delete "+f.d[0].String()+" ip=true",
		org.String()+" user CommandRefused BulkDeliveries delivery-not-found delete "+f.d[1].String()+" ip=true")
	ann.do(t, "POST", "/v1/imports?filename=x.csv&template="+f.banana.String(), "a,b\n")
	expect("an import by the template of a group that she does not see", org.String()+" user CommandRefused ImportDeliveries group-not-found  ip=true")
	ann.do(t, "POST", "/v1/api-keys", `{"name": "more", "permissions": ["manage_users"]}`)
	expect("a key that may more than she", org.String()+" user CommandRefused MakeAPIKey permission-missing  ip=true")

	machine, key := f.owner.key(t, "")
	robot := person{s: noted, token: machine.token}
	robot.do(t, "POST", "/v1/api-keys", `{"name": "another"}`)
	robot.do(t, "DELETE", "/v1/api-keys/"+key.String(), "")
	robot.do(t, "GET", "/v1/api-keys", "")
	expect("a key that is to make a key and to end one", org.String()+" api_key CommandRefused MakeAPIKey session-needed  ip=true",
		org.String()+" api_key CommandRefused RevokeAPIKey session-needed  ip=true")

	// What a rule protects is refused to who may everything else, too; what is but
	// taken is not worth a fact.
	owner := person{s: noted, token: f.owner.token}
	owner.do(t, "PUT", f.owner.path("/role"), `{"role": "manager", "access": "all"}`, "If-Match", f.owner.etag(t, f.owner))
	expect("the last owner goes", org.String()+" user CommandRefused ChangeRole last-owner id "+f.owner.user.String()+" ip=true")
	if a := owner.do(t, "POST", "/v1/groups", `{"name": "Apple"}`); a.status != http.StatusConflict {
		t.Errorf("%d %s", a.status, a.body)
	}
	f.owner.done(t, "POST", "/v1/groups/"+f.orange.String()+"/archive", `{"reason": "closed"}`)
	owner.do(t, "PUT", f.adam.path("/groups/"+f.orange.String()), `{}`)
	expect("a grant of an archived group, after a name that is taken",
		org.String()+" user CommandRefused GrantGroupAccess group-archived id "+f.adam.user.String()+", group "+f.orange.String()+" ip=true")
}
