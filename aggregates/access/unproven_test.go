package access_test

import (
	"testing"

	"github.com/google/uuid"

	"waybill/events"
)

func TestWhoMerelyGivesAnEmailIsCalledTheSameEachTimeAndDoesNotBecomeKnown(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	known, err := b.Ensure(t.Context(), "adam@example.com")
	must(t, err)
	called := map[string]string{}
	for _, email := range []string{"adam@example.com", "frank@example.com", " Frank@Example.COM ", "fred@example.com"} {
		identity, who, err := b.Unproven(t.Context(), email)
		must(t, err)
		if id, err := uuid.Parse(who.ID); err != nil || who.Type != events.ActorIdentity || (id.Version() == 8) != (identity == uuid.Nil) {
			t.Errorf("%s is called %+v, identity %s (%v)", email, who, identity, err)
		}
		called[email] = who.ID
		if id, err := b.IdentityOf(t.Context(), email); err != nil || id != identity {
			t.Errorf("%s has become %s (%v)", email, id, err)
		}
	}
	if called["adam@example.com"] != known.String() {
		t.Errorf("adam is called %s, want his identity", called["adam@example.com"])
	}
	if called["frank@example.com"] != called[" Frank@Example.COM "] || called["frank@example.com"] == called["fred@example.com"] {
		t.Errorf("frank and fred are called %v", called)
	}
}
