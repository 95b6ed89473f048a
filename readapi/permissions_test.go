package readapi_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"waybill/aggregates/access"
)

// Every cell of the table of role x command is tried on things that the role sees.
// The revision that If-Match names is never right, so that nothing comes of it
// where the role may.
func TestEveryCellOfRoleByCommandIsAsTheTableSays(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	f := newFruit(t, s)
	client := f.owner.done(t, "POST", "/v1/clients", `{"business_name": "Cherry Ltd", "contact": "Carl", "email": "carl@example.com"}`)
	van := f.owner.done(t, "POST", "/v1/vehicles", `{"name": "Van", "plate": "B 1"}`)
	asked := f.vincent.done(t, "POST", f.betty.path("/access-requests"), fmt.Sprintf(`{"group": %q, "reason": "x"}`, f.apple))
	ids := map[string]uuid.UUID{"users": f.betty.user, "groups": f.apple, "deliveries": f.d[0], "clients": client.ID, "vehicles": van.ID}
	f.owner.done(t, "PUT", "/v1/customer-codes/APL", fmt.Sprintf(`{"group": %q}`, f.apple))
	bodies := map[string]string{ // of those that name a thing there too
		"mapCustomerCode": fmt.Sprintf(`{"group": %q}`, f.apple), "mergeGroup": fmt.Sprintf(`{"into": %q}`, f.banana),
	}
	people := map[string]person{access.RoleOwner: f.owner}
	for _, role := range access.Roles()[1:] {
		scope := `, "access": "all"`
		if access.HoldsAll(role) {
			scope = ""
		}
		people[role] = f.owner.add(t, role, role, scope)
	}
	tried := 0
	for _, r := range s.routes {
		if r.Public || r.Needs == 0 {
			continue
		}
		path := strings.NewReplacer("{group}", f.apple.String(), "{vehicle}", van.ID.String(), "{request}", asked.ID.String(), "{code}", "APL").Replace(r.Path)
		path = strings.ReplaceAll(path, "{id}", ids[strings.Split(r.Path, "/")[2]].String())
		for role, p := range people {
			set, _ := access.Defaults(role)
			may := set.Holds(r.Needs)
			body := bodies[r.Name]
			if body == "" {
				body = `{"reason": "x"}`
			}
			a := p.do(t, r.Method, path, body, "If-Match", `"0"`)
			// A vehicle that may not be viewed is not there.
			unseen := strings.Contains(r.Path, "/vehicles") && !set.Has(access.ViewVehicles) && a.status == http.StatusNotFound
			refused := a.status == http.StatusForbidden || unseen
			if refused == may {
				t.Errorf("%s as %s: %d %s; the table says %v", r.Name, role, a.status, a.body, may)
			}
			tried++
			if r.Own {
				own := strings.ReplaceAll(r.Path, "{id}", p.user.String())
				if a := p.do(t, r.Method, own, body); a.status == http.StatusForbidden {
					t.Errorf("%s for oneself as %s: %d %s; the table says that everybody may", r.Name, role, a.status, a.body)
				}
			}
		}
	}
	if tried < 7*40 {
		t.Errorf("%d cells were tried: the table is not there", tried)
	}
}
