package command_test

import (
	"slices"
	"testing"

	"github.com/google/uuid"

	"waybill/aggregates/command"
	"waybill/events"
	"waybill/events/fault"
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

func TestAnApprovalIsGivenAgainAndAgainButNotWithoutEnd(t *testing.T) {
	t.Parallel()
	c := newCherry(t)
	carl := c.customer(c.onBehalf().User)
	toggle := func() error {
		_, err := c.s.WithdrawClientApproval(c.ctx, carl, env(), c.id)
		c.must(err) // always
		_, err = c.s.GrantClientApproval(c.ctx, carl, env(), c.id)
		return err
	}
	for range 5 {
		c.must(toggle())
	}
	n := len(c.records(events.CategoryClientAccount, c.id))
	for range 3 {
		wantCode(t, toggle(), fault.Conflict, "approved-too-often")
	}
	if got := c.types(events.CategoryClientAccount, c.id)[n:]; !slices.Equal(got, []string{"ClientApprovalWithdrawn"}) {
		t.Errorf("the client's stream got %v", got)
	}
	if got, lost := c.sights(c.dana); got != lost || got > 7 {
		t.Errorf("the dispatcher got its sight %d times and lost it %d times", got, lost)
	}
}
