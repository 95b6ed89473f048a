package mail_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/google/uuid"
)

// firm is an organisation whose owner has come in by the link of the first mail.
type firm struct {
	*post
	org   uuid.UUID
	owner string // token
}

func (p *post) firm(t *testing.T, name string) *firm {
	t.Helper()
	email := "owner-" + uuid.NewString()[:8] + "@example.com"
	org := p.done(t, "", "POST", "/v1/organisations", fmt.Sprintf(`{"name": %q, "timezone": "UTC", "owner": {"name": "Olivia", "email": %q}}`, name, email), "Waybill-Setup-Token", setupToken)
	if status := p.use(t, linkOf(t, p, p.mailTo(t, email, 1)), password); status != http.StatusOK {
		t.Fatalf("the owner's link: %d", status)
	}
	f := &firm{post: p, org: org, owner: p.signIn(t, email, password)}
	if f.owner == "" {
		t.Fatal("the owner cannot sign in")
	}
	return f
}

func (f *firm) add(t testing.TB, name, email string) uuid.UUID {
	t.Helper()
	return f.done(t, f.owner, "POST", "/v1/users", fmt.Sprintf(`{"name": %q, "email": %q, "role": "manager"}`, name, email))
}

func (f *firm) client(t testing.TB, name, email string) string {
	t.Helper()
	id := f.done(t, f.owner, "POST", "/v1/clients", fmt.Sprintf(`{"business_name": %q, "contact": "Carl", "email": %q, "group_name": %q}`, name, email, name))
	return "/v1/clients/" + id.String()
}

func address(name string) string { return name + "-" + uuid.NewString()[:8] + "@example.com" }
