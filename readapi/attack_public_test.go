package readapi_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
)

// whatPublicRoutesTell are the routes that are for everybody, and how strangers
// are answered: 0 = in the same way whatever they name.
var whatPublicRoutesTell = map[string]int{
	"live": http.StatusOK, "ready": http.StatusOK, "metrics": http.StatusOK, "setPasswordPage": http.StatusOK, "setPasswordScript": http.StatusOK,
	"forgotPasswordPage": http.StatusOK, "forgotPasswordScript": http.StatusOK,
	"createOrganisation": http.StatusForbidden,
	"signIn":             0, "setPassword": 0, "acceptClientInvitation": 0, "declineClientInvitation": 0, "requestPasswordReset": 0,
}

// public tries the routes for everybody with addresses that are known here, and
// with one that is not, in alternation: answer and work are the same.
func (tb *table) public(t *testing.T) {
	g := tb.g
	known := tb.addresses(t)
	stranger := &attacker{name: "a stranger", person: person{s: g.s}, foreign: []holdings{g.own, g.secret, g.beyond, g.ward}, marks: []string{markOrg, markMine, markHidden, markOld, markLoose, markWard, markLater}}
	for _, sh := range tb.shapes {
		if !sh.Public {
			continue
		}
		want, ok := whatPublicRoutesTell[sh.Name]
		if !ok {
			t.Errorf("%s: what do strangers learn of this route?", sh.Name)
			continue
		}
		if want != 0 {
			path, body := sh.request(g.own, nil)
			if got := tb.send(t, stranger, sh, ways(sh)[0], path, body, ""); got.status != want {
				t.Errorf("%s: %d %s, want %d", sh.Name, got.status, got.body, want)
			}
			continue
		}
		tb.addressed(t, stranger, sh, known)
	}
}

// addresses are those of people in all sorts of states, by what is known of them.
func (tb *table) addresses(t *testing.T) map[string]string {
	t.Helper()
	g := tb.g
	add := func(name string) string {
		email := markOrg + "-" + name + "@example.com"
		id := g.owner.done(t, http.MethodPost, "/v1/users", fmt.Sprintf(`{"name": %q, "email": %q, "role": "cso", "access": "none"}`, name, email)).ID
		if name != "invited" {
			g.s.join(t, g.org, id, email)
		}
		switch name {
		case "blocked":
			g.owner.done(t, http.MethodPost, "/v1/users/"+id.String()+"/block", "")
		case "removed":
			g.owner.done(t, http.MethodDelete, "/v1/users/"+id.String(), "")
		}
		return email
	}
	return map[string]string{"active": add("active"), "invited": add("invited"), "blocked": add("blocked"), "removed": add("removed")}
}

// An address is tried so often; the fastest counts, for everything else only slows
// down. While that looks different, it is tried again, for as long as patience
// lasts.
const (
	tries    = 3
	patience = 60
)

func (tb *table) addressed(t *testing.T, stranger *attacker, sh shape, known map[string]string) {
	t.Helper()
	_, text := sh.request(tb.g.own, nil)
	var members map[string]any
	must(t, json.Unmarshal([]byte(text), &members))
	if _, ok := members["email"]; !ok {
		t.Errorf("%s: it names no e-mail; what do strangers learn of it?", sh.Name)
		return
	}
	for _, name := range []string{"password", "token"} {
		if _, ok := members[name]; ok {
			members[name] = strings.Repeat("zy", 21) + "A"
		}
	}
	send := func(email string) (string, time.Duration) {
		members["email"] = email
		body, err := json.Marshal(members)
		must(t, err)
		start := time.Now()
		got := tb.send(t, stranger, sh, ways(sh)[0], sh.Path, string(body), "")
		return told(got, []string{email}), time.Since(start)
	}
	for state, email := range known {
		unknown := strings.Repeat("q", utf8.RuneCountInString(email)-len("@example.com")) + "@example.com"
		var quickest [2]time.Duration
		for n := 0; n < tries || n < patience && apart(quickest); n++ {
			text, took := send(email)
			nobodys, other := send(unknown)
			if text != nobodys {
				t.Errorf("%s with an address that is %s:\n%s\n\nwith one of nobody:\n%s", sh.Name, state, text, nobodys)
			}
			if n == 0 {
				quickest = [2]time.Duration{took, other}
			}
			quickest = [2]time.Duration{min(quickest[0], took), min(quickest[1], other)}
		}
		if apart(quickest) {
			t.Errorf("%s with an address that is %s takes %s, with one of nobody %s", sh.Name, state, quickest[0], quickest[1])
		}
	}
}

// apart reports whether one takes so much longer than the other that a password's
// hash, which takes many times what all the rest takes, must be in it.
func apart(d [2]time.Duration) bool {
	return (d[0]-d[1]).Abs() > 10*time.Millisecond && (d[0]-d[1]).Abs() > max(d[0], d[1])*2/3
}
