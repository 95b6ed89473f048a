package client

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"waybill/aggregates/aggregatetest"
	"waybill/events"
)

type tests = map[string]aggregatetest.Case[State]

func given(evs ...events.Payload) []events.Payload { return evs }

var then = given

func TestClient(t *testing.T) {
	t.Parallel()
	user, group := uuid.New(), uuid.New()
	added := &events.ClientAdded{BusinessName: "Apple Inc", Contact: events.PersonalText(id, "Tim"), Email: events.PersonalText(id, "t@example.com")}
	linked := &events.ClientGroupLinked{Group: group, GroupName: "Apple"}
	add := Add{Client: id, BusinessName: " Apple  Inc ", Contact: "Tim", Email: "t@example.com"}
	looked := add
	looked.Dispatcher = user
	aggregatetest.Decide(t, Evolve, tests{
		"a client is added to the list":            {When: add, Then: then(added)},
		"a dispatcher may be named at once":        {When: looked, Then: then(added, &events.DispatcherAssigned{To: user})},
		"it is added once":                         {Given: given(added), When: add, Refused: "client-exists"},
		"it has a name":                            {When: Add{Client: id, Email: "t@example.com"}, Refused: "invalid-field", Field: "business_name"},
		"its name is bounded":                      {When: Add{Client: id, BusinessName: strings.Repeat("a", 201), Email: "t@example.com"}, Refused: "invalid-field", Field: "business_name"},
		"it has an e-mail":                         {When: Add{Client: id, BusinessName: "Apple"}, Refused: "invalid-field", Field: "email"},
		"it is linked to its group":                {Given: given(added), When: LinkGroup{group, "Apple"}, Then: then(linked)},
		"linking again does nothing":               {Given: given(added, linked), When: LinkGroup{group, "Apple"}},
		"it has one group only":                    {Given: given(added, linked), When: LinkGroup{user, "Banana"}, Refused: "client-has-group"},
		"what does not exist is linked to nothing": {When: LinkGroup{group, "Apple"}, Refused: "client-not-found"},
	})
	state := aggregatetest.From(Evolve, added, linked)
	if got := Touches(id, state, &events.DispatcherAssigned{To: user}); !slices.Equal(got, []uuid.UUID{group}) {
		t.Errorf("an event of a linked client touches %v, want its group", got)
	}
	if got := Touches(id, State{}, linked); !slices.Equal(got, []uuid.UUID{group}) {
		t.Errorf("linking touches %v, want the group", got)
	}
}

func TestAStateKnowsWhereItsStreamSaysWhatItLeavesOut(t *testing.T) {
	t.Parallel()
	dana, dora, group := uuid.New(), uuid.New(), uuid.New()
	s := State{}
	for i, step := range []struct {
		event                                        events.Payload
		details, invited, assigned, approved, rights uint64 // the last approval
		entitled                                     uuid.UUID
	}{
		{&events.ClientAdded{}, 1, 0, 0, 0, 0, uuid.Nil},
		{&events.DispatcherAssigned{To: dana}, 1, 0, 2, 0, 0, uuid.Nil},
		{&events.ClientInvited{}, 1, 3, 2, 0, 0, uuid.Nil},
		{&events.ClientDetailsChanged{}, 4, 3, 2, 0, 0, uuid.Nil},
		{&events.ClientGroupLinked{Group: group}, 4, 3, 2, 0, 0, uuid.Nil},
		{&events.ClientAccountCreated{Mode: events.ModeInvited, Approval: events.ApprovalGranted}, 6, 3, 2, 0, 6, dana},
		{&events.ClientApprovalGranted{}, 6, 3, 2, 7, 6, dana},
		{&events.DispatcherAssigned{From: dana, To: dora}, 6, 3, 8, 7, 8, dora},
		{&events.ClientApprovalWithdrawn{}, 6, 3, 8, 7, 9, uuid.Nil},
		{&events.ClientApprovalGranted{}, 6, 3, 8, 10, 10, dora},
		{&events.ClientRemoved{Fate: events.FateEnded}, 6, 3, 8, 10, 11, uuid.Nil},
		{&events.ClientReinstated{}, 6, 3, 8, 10, 12, dora},
	} {
		s = Evolve(s, step.event)
		if s.Events != uint64(i+1) || s.Details != step.details || s.Invited != step.invited || s.Assigned != step.assigned ||
			last(s.Approved) != step.approved || s.Entitled != step.rights || s.EntitledTo() != step.entitled {
			t.Errorf("after event %d, %s: %+v", i+1, step.event.EventType(), s)
		}
	}
	before := s
	for range 2 * ApprovalsKept {
		s = Evolve(s, &events.ClientApprovalGranted{})
	}
	if !slices.Equal(s.Approved, []uint64{18, 19, 20, 21, 22}) || !slices.Equal(before.Approved, []uint64{7, 10}) {
		t.Errorf("the last approvals are %v, and were %v", s.Approved, before.Approved)
	}
}

func last(numbers []uint64) uint64 {
	if len(numbers) == 0 {
		return 0
	}
	return numbers[len(numbers)-1]
}
