package user

import (
	"testing"

	"github.com/google/uuid"

	"waybill/aggregates/aggregatetest"
	"waybill/events"
)

func TestThePeopleOfAClient(t *testing.T) {
	t.Parallel()
	client := uuid.MustParse("77777777-63c5-4f0f-9d0e-1a2b3c4d5e6f")
	add := AddContact{
		User: id, Identity: identity, Name: "Ann", Email: "ann@example.com", Client: client, Group: apple, Grant: grantOf(apple),
		Invitation: invitation, InvitationExpires: week, At: noon,
	}
	accepting, signedIn := add, add
	accepting.Accepted, accepting.PasswordSet, signedIn.Accepted = true, true, true
	seen := &events.GroupAccessGranted{Grant: grantOf(apple), Group: apple, Basis: events.BasisClientAccount, Origin: client.String()}
	customer, accepted := added("customer", events.AccessGroups), &events.UserInvitationAccepted{Invitation: invitation}
	contact := given(customer, seen, accepted)
	sight := &events.GroupAccessGranted{Grant: grantOf(banana), Group: apple, Basis: events.BasisDispatcherAssignment, Origin: client.String()}
	over := func(grant uuid.UUID, remaining int) *events.GroupAccessRevoked {
		return &events.GroupAccessRevoked{Grant: grant, Group: apple, RemainingGroups: remaining}
	}
	blocked := &events.UserBlocked{Client: client}
	lost := append(contact[:3:3], over(grantOf(apple), 0), blocked)
	end, restore := EndLogin{Client: client, Group: apple, At: noon}, RestoreLogin{Client: client, Group: apple, Grant: grantOf(apple), At: noon}
	source := EndSource{Basis: events.BasisDispatcherAssignment, Origin: client.String(), At: noon}
	aggregatetest.Decide(t, Evolve, tests{
		"a contact is a customer who sees the group":         {When: add, Then: then(customer, seen, &events.UserInvited{Invitation: invitation, ExpiresAt: week, Client: client})},
		"whoever accepted for the client needs no link":      {When: accepting, Then: then(customer, seen, accepted, &events.PasswordSet{})},
		"whoever was signed in chose no password":            {When: signedIn, Then: then(customer, seen, accepted)},
		"a contact who is there already sees one more":       {Given: given(customer, granted(banana), accepted), When: add, Then: then(seen)},
		"adding a contact twice is once":                     {Given: contact, When: add},
		"what was abandoned never becomes a contact":         {Given: given(&events.CreationAbandoned{}), When: add, Refused: "creation-abandoned"},
		"a source ends alone":                                {Given: given(added("dispatcher", events.AccessGroups), granted(apple), sight), When: source, Then: then(over(grantOf(banana), 1))},
		"a source ends also under ALL":                       {Given: given(added("dispatcher", events.AccessGroups), sight, all(events.BasisDirect)), When: source, Then: then(over(grantOf(banana), 0))},
		"another client's source stays":                      {Given: given(added("dispatcher", events.AccessGroups), sight), When: EndSource{events.BasisDispatcherAssignment, "other", noon}},
		"a login ends when nothing remains":                  {Given: contact, When: end, Then: then(over(grantOf(apple), 0), blocked)},
		"a login stays when something remains":               {Given: append(contact[:3:3], granted(banana)), When: end, Then: then(over(grantOf(apple), 1))},
		"a direct grant of the group ends as well":           {Given: append(contact[:3:3], &events.GroupAccessGranted{Grant: id, Group: apple, Basis: events.BasisDirect}), When: end, Then: then(over(grantOf(apple), 1), over(id, 0), blocked)},
		"an invited customer's login ends, too":              {Given: contact[:2], When: end, Then: then(over(grantOf(apple), 0), blocked)},
		"staff are no logins of a client":                    {Given: given(added("cso", events.AccessGroups), granted(apple)), When: end},
		"who sees another group only is left alone":          {Given: given(customer, granted(banana)), When: end},
		"who is blocked is so for the client as well":        {Given: append(contact[:3:3], &events.UserBlocked{}), When: end, Then: then(over(grantOf(apple), 0), blocked)},
		"a login comes back":                                 {Given: lost, When: restore, Then: then(&events.UserUnblocked{Client: client}, seen)},
		"blocked by somebody meanwhile, it stays blocked":    {Given: append(lost, &events.UserBlocked{}), When: restore, Then: then(&events.UserUnblocked{Client: client, StillBlocked: true}, seen)},
		"somebody may block who is blocked for a client":     {Given: lost, When: Block{}, Then: then(&events.UserBlocked{})},
		"and twice is once":                                  {Given: append(lost, &events.UserBlocked{}), When: Block{}},
		"unblocking takes one reason at a time":              {Given: append(lost, &events.UserBlocked{}), When: Unblock{}, Then: then(&events.UserUnblocked{StillBlocked: true})},
		"and then the other one":                             {Given: append(lost, &events.UserBlocked{}, &events.UserUnblocked{StillBlocked: true}), When: Unblock{}, Then: then(&events.UserUnblocked{Client: client})},
		"both taken back, nothing is left to take":           {Given: append(lost, &events.UserBlocked{}, &events.UserUnblocked{Client: client, StillBlocked: true}, &events.UserUnblocked{}), When: Unblock{}},
		"a block for another reason stays":                   {Given: append(contact[:3:3], &events.UserBlocked{}, over(grantOf(apple), 0)), When: restore, Then: then(seen)},
		"whoever sees everything by now needs no grant":      {Given: append(lost[:5:5], all(events.BasisDirect)), When: restore, Then: then(&events.UserUnblocked{Client: client})},
		"what was not taken does not come back":              {Given: contact, When: restore},
		"no login of nobody ends":                            {When: end, Refused: "user-not-found"},
		"no login of nobody comes back":                      {When: restore, Refused: "user-not-found"},
		"no source of nobody ends":                           {When: source, Refused: "user-not-found"},
		"a login blocked for another client does not return": {Given: append(contact[:3:3], over(grantOf(apple), 0), &events.UserBlocked{Client: apple}), When: restore, Then: then(seen)},
	})
	both := aggregatetest.From(Evolve, append(lost, &events.UserBlocked{})...)
	for name, reasons := range map[string][]events.Payload{
		"the client first":   then(&events.UserUnblocked{Client: client, StillBlocked: true}, &events.UserUnblocked{}),
		"the client at last": then(&events.UserUnblocked{StillBlocked: true}, &events.UserUnblocked{Client: client}),
	} {
		one := Evolve(both, reasons[0])
		if now := Evolve(one, reasons[1]); one.Status != Blocked || now.Status != Active || now.BlockedFor != uuid.Nil {
			t.Errorf("%s: %s with one reason, %s without; want blocked until both are gone", name, one.Status, now.Status)
		}
	}
}
