package user

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"waybill/aggregates/access"
	"waybill/aggregates/aggregatetest"
	"waybill/events"
)

type tests = map[string]aggregatetest.Case[State]

func given(evs ...events.Payload) []events.Payload { return evs }

var then = given

var (
	id         = uuid.MustParse("5a0a9c4e-63c5-4f0f-9d0e-1a2b3c4d5e6f")
	identity   = uuid.MustParse("44444444-63c5-4f0f-9d0e-1a2b3c4d5e6f")
	invitation = uuid.MustParse("55555555-63c5-4f0f-9d0e-1a2b3c4d5e6f")
	apple      = uuid.MustParse("11111111-63c5-4f0f-9d0e-1a2b3c4d5e6f")
	banana     = uuid.MustParse("22222222-63c5-4f0f-9d0e-1a2b3c4d5e6f")
	noon       = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	week       = noon.AddDate(0, 0, 7)
)

func grantOf(g uuid.UUID) uuid.UUID { return uuid.NewSHA1(g, []byte("grant")) }

// request is a valid AddUser but for what the test says.
func request(role, scope string, groups ...uuid.UUID) Add {
	return Add{
		User: id, Identity: identity, Name: "Ann", Email: "ann@example.com", Role: role, Access: scope, Groups: groups,
		Invitation: invitation, InvitationExpires: week, NewGrant: grantOf,
	}
}

func added(role, scope string) *events.UserAdded {
	return &events.UserAdded{
		Identity: identity, Role: role, Access: scope,
		Name: events.PersonalText(id, "Ann"), Email: events.PersonalText(id, "ann@example.com"),
	}
}

func granted(g uuid.UUID) *events.GroupAccessGranted {
	return &events.GroupAccessGranted{Grant: grantOf(g), Group: g, Basis: events.BasisDirect}
}

func all(basis string) *events.AllGroupsAccessGranted {
	return &events.AllGroupsAccessGranted{Grant: grantOf(uuid.Nil), Basis: basis}
}

var invited = &events.UserInvited{Invitation: invitation, ExpiresAt: week}

func TestScopeAtCreation(t *testing.T) {
	t.Parallel()
	const g, a = events.AccessGroups, events.AccessAll
	aggregatetest.Decide(t, Evolve, tests{
		"groups given are the scope":            {When: request("cso", "", apple, banana, apple), Then: then(added("cso", g), granted(apple), granted(banana), invited)},
		"groups may be spelled out":             {When: request("cso", "groups", apple), Then: then(added("cso", g), granted(apple), invited)},
		"no groups are ALL, recorded as such":   {When: request("manager", ""), Then: then(added("manager", a), all(events.BasisNoGroupsAtCreation), invited)},
		"all may be spelled out":                {When: request("manager", "all"), Then: then(added("manager", a), all(events.BasisDirect), invited)},
		"none is the empty set, not ALL":        {When: request("manager", "none"), Then: then(added("manager", g), invited)},
		"a customer without groups is refused":  {When: request("customer", ""), Refused: "invalid-field", Field: "groups"},
		"a customer with all spelled out":       {When: request("customer", "all"), Then: then(added("customer", a), all(events.BasisDirect), invited)},
		"a customer with none spelled out":      {When: request("customer", "none"), Then: then(added("customer", g), invited)},
		"an owner has ALL by role":              {When: request("owner", ""), Then: then(added("owner", a), all(events.BasisRole), invited)},
		"a super admin may be said to have all": {When: request("super_admin", "all"), Then: then(added("super_admin", a), all(events.BasisRole), invited)},
		"an owner is given no groups":           {When: request("owner", "", apple), Refused: "invalid-field", Field: "access"},
		"an owner is not narrowed":              {When: request("owner", "none"), Refused: "invalid-field", Field: "access"},
		"groups and all contradict":             {When: request("cso", "all", apple), Refused: "invalid-field", Field: "access"},
		"groups and none contradict":            {When: request("cso", "none", apple), Refused: "invalid-field", Field: "access"},
		"groups spelled out need one":           {When: request("cso", "groups"), Refused: "invalid-field", Field: "groups"},
		"nothing else can be said":              {When: request("cso", "some"), Refused: "invalid-field", Field: "access"},
	})
}

func TestAdd(t *testing.T) {
	t.Parallel()
	nameless, mailless, switched, wrong := request("cso", ""), request("cso", ""), request("cso", "", apple), request("cso", "")
	nameless.Name, mailless.Email = " ", ""
	switched.Permissions = events.Permissions{"export_deliveries": false}
	wrong.Permissions = events.Permissions{"fly": true}
	aggregatetest.Decide(t, Evolve, tests{
		"switches are recorded":              {When: switched, Then: then(added("cso", events.AccessGroups), granted(apple), &events.UserPermissionsSet{Before: events.Permissions{}, After: switched.Permissions}, invited)},
		"switches have known names":          {When: wrong, Refused: "invalid-field", Field: "permissions.fly"},
		"a user has a name":                  {When: nameless, Refused: "invalid-field", Field: "name"},
		"a user has an e-mail":               {When: mailless, Refused: "invalid-field", Field: "email"},
		"a user has a known role":            {When: request("emperor", ""), Refused: "invalid-field", Field: "role"},
		"a user is added once":               {Given: given(added("cso", "groups")), When: request("cso", ""), Refused: "user-exists"},
		"an abandoned user is never created": {Given: given(&events.CreationAbandoned{}), When: request("cso", ""), Refused: "creation-abandoned"},
	})
}

func TestGrants(t *testing.T) {
	t.Parallel()
	scoped := given(added("cso", "groups"), granted(apple), invited)
	everything := given(added("manager", "all"), all(events.BasisDirect), invited)
	assigned := &events.GroupAccessGranted{Grant: id, Group: apple, Basis: events.BasisDispatcherAssignment, Origin: "client"}
	until := &events.GroupAccessGranted{Grant: grantOf(banana), Group: banana, Basis: events.BasisDirect, ExpiresAt: week}
	grant := GrantGroup{Grant: grantOf(banana), Group: banana, At: noon}
	ending := grant
	ending.ExpiresAt = week
	past := grant
	past.ExpiresAt = noon
	again := GrantGroup{Grant: id, Group: apple, At: noon}
	aggregatetest.Decide(t, Evolve, tests{
		"a group is granted":                        {Given: scoped, When: grant, Then: then(granted(banana))},
		"a grant may end":                           {Given: scoped, When: ending, Then: then(until)},
		"it does not end before it began":           {Given: scoped, When: past, Refused: "invalid-field", Field: "expires_at"},
		"granting twice is once":                    {Given: scoped, When: again},
		"another basis is another grant":            {Given: scoped, When: GrantGroup{Grant: id, Group: apple, Basis: assigned.Basis, Origin: "client", At: noon}, Then: then(assigned)},
		"another expiry replaces the grant":         {Given: append(scoped[:2:2], until), When: grant, Then: then(&events.GroupAccessRevoked{Grant: grantOf(banana), Group: banana, RemainingGroups: 1}, granted(banana))},
		"an expired grant is given anew":            {Given: given(added("cso", "groups"), until), When: GrantGroup{Grant: id, Group: banana, At: week}, Then: then(&events.GroupAccessGranted{Grant: id, Group: banana, Basis: events.BasisDirect})},
		"a user with ALL is given no group":         {Given: everything, When: grant, Refused: "user-has-all"},
		"an owner is given no group":                {Given: given(added("owner", "all")), When: grant, Refused: "role-holds-all"},
		"what does not exist is given nothing":      {When: grant, Refused: "user-not-found"},
		"revoking the last group leaves nothing":    {Given: scoped, When: RevokeGroup{Group: apple, At: noon}, Then: then(&events.GroupAccessRevoked{Grant: grantOf(apple), Group: apple})},
		"revoking says what remains":                {Given: append(scoped[:2:2], granted(banana)), When: RevokeGroup{Group: apple, At: noon}, Then: then(&events.GroupAccessRevoked{Grant: grantOf(apple), Group: apple, RemainingGroups: 1})},
		"revoking a group ends all its grants":      {Given: append(scoped[:2:2], assigned), When: RevokeGroup{Group: apple, At: noon}, Then: then(&events.GroupAccessRevoked{Grant: grantOf(apple), Group: apple, RemainingGroups: 1}, &events.GroupAccessRevoked{Grant: id, Group: apple})},
		"taking one source away leaves the others":  {Given: append(scoped[:2:2], assigned), When: RevokeGroup{Group: apple, Basis: assigned.Basis, Origin: "client", At: noon}, Then: then(&events.GroupAccessRevoked{Grant: id, Group: apple, RemainingGroups: 1})},
		"another origin is another source":          {Given: append(scoped[:2:2], assigned), When: RevokeGroup{Group: apple, Basis: assigned.Basis, Origin: "other", At: noon}},
		"one grant ends by its id":                  {Given: append(scoped[:2:2], assigned), When: EndGrant{id, noon}, Then: then(&events.GroupAccessRevoked{Grant: id, Group: apple, RemainingGroups: 1})},
		"what is not open does not end":             {Given: scoped, When: EndGrant{id, noon}},
		"no grant of nobody ends":                   {When: EndGrant{id, noon}, Refused: "user-not-found"},
		"what is not granted is not revoked":        {Given: scoped, When: RevokeGroup{Group: banana, At: noon}},
		"single groups are not taken from ALL":      {Given: everything, When: RevokeGroup{Group: apple, At: noon}, Refused: "user-has-all"},
		"nothing is revoked from what is not there": {When: RevokeGroup{Group: apple, At: noon}, Refused: "user-not-found"},
	})
}

func TestPermissionsAndAccount(t *testing.T) {
	t.Parallel()
	scoped := given(added("cso", "groups"), invited)
	set := &events.UserPermissionsSet{Before: events.Permissions{}, After: events.Permissions{"manage_users": true}}
	accepted := &events.UserInvitationAccepted{Invitation: invitation}
	accept := AcceptInvitation{Invitation: invitation, PasswordSet: true, At: noon}
	late := accept
	late.At = week
	aggregatetest.Decide(t, Evolve, tests{
		"switches are set":                       {Given: scoped, When: SetPermissions{set.After}, Then: then(set)},
		"switches record what was before":        {Given: append(scoped, set), When: SetPermissions{events.Permissions{}}, Then: then(&events.UserPermissionsSet{Before: set.After, After: events.Permissions{}})},
		"the same switches change nothing":       {Given: append(scoped, set), When: SetPermissions{set.After}},
		"switches set later have known names":    {Given: scoped, When: SetPermissions{events.Permissions{"fly": true}}, Refused: "invalid-field", Field: "permissions.fly"},
		"saying no switches resets none":         {Given: append(scoped, set), When: SetPermissions{}, Refused: "invalid-field", Field: "permissions"},
		"nobody has no switches":                 {When: SetPermissions{}, Refused: "user-not-found"},
		"a user is blocked":                      {Given: scoped, When: Block{}, Then: then(&events.UserBlocked{})},
		"blocking twice is once":                 {Given: append(scoped, &events.UserBlocked{}), When: Block{}},
		"nobody is not blocked":                  {When: Block{}, Refused: "user-not-found"},
		"a blocked user is unblocked":            {Given: append(scoped, &events.UserBlocked{}), When: Unblock{}, Then: then(&events.UserUnblocked{})},
		"only a blocked user is unblocked":       {Given: scoped, When: Unblock{}},
		"nobody is not unblocked":                {When: Unblock{}, Refused: "user-not-found"},
		"an invitation is accepted":              {Given: scoped, When: accept, Then: then(accepted, &events.PasswordSet{})},
		"whichever is open is accepted":          {Given: scoped, When: AcceptInvitation{At: noon}, Then: then(accepted)},
		"a known identity sets no password":      {Given: scoped, When: AcceptInvitation{Invitation: invitation, At: noon}, Then: then(accepted)},
		"it is accepted once":                    {Given: append(scoped, accepted), When: AcceptInvitation{Invitation: invitation, At: noon}},
		"another invitation is not open":         {Given: scoped, When: AcceptInvitation{Invitation: id, At: noon}, Refused: "invitation-not-open"},
		"it is not accepted after its time":      {Given: scoped, When: late, Refused: "invitation-not-open"},
		"a blocked user does not accept":         {Given: append(scoped, &events.UserBlocked{}), When: accept, Refused: "user-blocked"},
		"nobody accepts nothing":                 {When: accept, Refused: "user-not-found"},
		"a password that was set is recorded":    {Given: append(scoped, accepted), When: RecordPasswordSet{}, Then: then(&events.PasswordSet{})},
		"the password of nobody is not recorded": {When: RecordPasswordSet{}, Refused: "user-not-found"},
	})
}

func TestUnblockingGivesBackWhatItWas(t *testing.T) {
	t.Parallel()
	for want, before := range map[string][]events.Payload{
		Invited: given(added("cso", "groups"), granted(apple), invited),
		Active:  given(added("cso", "groups"), granted(apple), invited, &events.UserInvitationAccepted{Invitation: invitation}),
	} {
		blocked := aggregatetest.From(Evolve, append(before, &events.UserBlocked{})...)
		if blocked.Status != Blocked {
			t.Errorf("blocked user is %s", blocked.Status)
		}
		back := Evolve(blocked, &events.UserUnblocked{})
		if back.Status != want || len(back.Groups(noon)) != 1 {
			t.Errorf("unblocked user is %s with groups %v, want %s with one", back.Status, back.Groups(noon), want)
		}
	}
}

func TestAGrantEndsAtItsExpiry(t *testing.T) {
	t.Parallel()
	s := aggregatetest.From(Evolve, added("cso", "groups"),
		&events.GroupAccessGranted{Grant: id, Group: apple, Basis: events.BasisDirect, ExpiresAt: week})
	if got := s.Subject(id, week.Add(-time.Microsecond)).Groups; len(got) != 1 {
		t.Errorf("just before its end the grant shows %v", got)
	}
	if got := s.Subject(id, week).Groups; len(got) != 0 {
		t.Errorf("at its end the grant shows %v", got)
	}
	if s.All || s.Subject(id, week).All {
		t.Error("an empty set turned into ALL")
	}
	if !s.May().Has(access.CreateDeliveries) {
		t.Error("a cso may not create deliveries")
	}
}
