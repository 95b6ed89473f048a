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
