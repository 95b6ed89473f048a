package command_test

import (
	"testing"

	"github.com/google/uuid"

	"waybill/aggregates/command"
	"waybill/events"
)

// raw appends events to a client's stream as if as many commands had.
func (c *cherry) raw(ps ...events.Payload) {
	c.Helper()
	n := len(c.records(events.CategoryClientAccount, c.id))
	drafts := make([]events.Draft, len(ps))
	for i, p := range ps {
		drafts[i] = events.Draft{ID: uuid.New(), Metadata: events.Metadata{Org: c.org, Actor: c.owner.Actor, CommandID: uuid.New(), CorrelationID: uuid.New()}, Payload: p}
	}
	evs, err := c.codec.Encode(c.ctx, drafts)
	c.must(err)
	_, err = c.store.Append(c.ctx, events.Stream(events.CategoryClientAccount, c.org, c.id).String(), events.Expected(n-1), evs)
	c.must(err)
}

// Whoever may withdraw and grant an approval may do so without end; nobody else
// pays for it. Not parallel: it counts what is allocated.
func TestAClientsStoryCostsTheSameHoweverLongItIs(t *testing.T) {
	c := newCherry(t)
	c.onBehalf()
	nothing := command.UpdateClientDetails{Client: c.id, Details: command.ClientDetails{BusinessName: "Cherry Ltd", Contact: "Carl", Email: "carl@example.com"}}
	look := func() {
		res, err := c.s.UpdateClientDetails(c.ctx, c.owner, env(), nothing)
		if err != nil || res.Events != 0 {
			t.Fatalf("%+v, %v; want nothing to be changed", res, err)
		}
	}
	short := testing.AllocsPerRun(3, look) // and once before, to be known
	toggles := make([]events.Payload, 900)
	for i := range toggles {
		toggles[i] = &events.ClientApprovalWithdrawn{}
		if i%2 == 1 {
			toggles[i] = &events.ClientApprovalGranted{}
		}
	}
	c.raw(toggles...)
	if long := testing.AllocsPerRun(3, look); long > 2*short+1000 {
		t.Errorf("%.0f allocations with a long stream, %.0f with a short one", long, short)
	}
}
