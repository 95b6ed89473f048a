package access

import (
	"slices"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"waybill/events"
)

func caller(role string, all bool, groups ...uuid.UUID) Caller {
	s, _ := Defaults(role)
	return Caller{User: uuid.New(), Role: role, Permissions: s, All: all, Groups: groups}
}

func TestPublishedTruthTable(t *testing.T) {
	t.Parallel()
	apple, banana, orange := uuid.New(), uuid.New(), uuid.New()
	deliveries := []uuid.UUID{apple, banana, orange, uuid.Nil}
	for name, tc := range map[string]struct {
		caller Caller
		sees   []bool
	}{
		"Adam":         {caller(RoleCustomer, false, apple), []bool{true, false, false, false}},
		"Betty":        {caller(RoleCustomer, false, banana), []bool{false, true, false, false}},
		"Ortega":       {caller(RoleCustomer, false, orange), []bool{false, false, true, false}},
		"Vincent":      {caller(RoleManager, true), []bool{true, true, true, true}},
		"Wayne":        {caller(RoleDispatcher, false, apple, banana, orange), []bool{true, true, true, false}},
		"no grant":     {caller(RoleManager, false), []bool{false, false, false, false}},
		"nobody":       {Caller{}, []bool{false, false, false, false}},
		"the system":   {System(uuid.New()), []bool{true, true, true, true}},
		"a zero grant": {caller(RoleManager, false, uuid.Nil), []bool{false, false, false, false}},
	} {
		for i, g := range deliveries {
			if got := tc.caller.Sees(g); got != tc.sees[i] {
				t.Errorf("%s sees D%d = %v, want %v", name, i+1, got, tc.sees[i])
			}
		}
	}
}

func TestUsersAreSeenByThemselvesByAllAndByOverlap(t *testing.T) {
	t.Parallel()
	apple, banana := uuid.New(), uuid.New()
	manager := caller(RoleManager, false, apple)
	dispatcher := caller(RoleDispatcher, false, apple)
	for name, tc := range map[string]struct {
		caller  Caller
		subject Subject
		sees    bool
		acts    bool
	}{
		"oneself":                     {dispatcher, Subject{User: dispatcher.User, Role: RoleDispatcher, Groups: []uuid.UUID{apple}}, true, false},
		"overlap without the verb":    {dispatcher, Subject{User: uuid.New(), Groups: []uuid.UUID{apple}}, false, false},
		"overlap within":              {manager, Subject{User: uuid.New(), Role: RoleCSO, Groups: []uuid.UUID{apple}}, true, true},
		"overlap reaching beyond":     {manager, Subject{User: uuid.New(), Role: RoleCSO, Groups: []uuid.UUID{apple, banana}}, true, false},
		"elsewhere":                   {manager, Subject{User: uuid.New(), Role: RoleCSO, Groups: []uuid.UUID{banana}}, false, false},
		"somebody with ALL":           {manager, Subject{User: uuid.New(), Role: RoleManager, All: true}, false, false},
		"ALL sees all":                {caller(RoleCustomer, true), Subject{User: uuid.New(), Role: RoleOwner, All: true}, true, false},
		"a manager on the owner":      {caller(RoleManager, true), Subject{User: uuid.New(), Role: RoleOwner, All: true}, true, false},
		"a super admin on the owner":  {caller(RoleSuperAdmin, true), Subject{User: uuid.New(), Role: RoleOwner, All: true}, true, false},
		"an owner on the super admin": {caller(RoleOwner, true), Subject{User: uuid.New(), Role: RoleSuperAdmin, All: true}, true, true},
		"no user sees the zero user":  {Caller{}, Subject{}, false, false},
	} {
		if got := tc.caller.SeesUser(tc.subject); got != tc.sees {
			t.Errorf("%s: sees = %v, want %v", name, got, tc.sees)
		}
		if got := tc.caller.MayActOn(tc.subject); got != tc.acts {
			t.Errorf("%s: acts = %v, want %v", name, got, tc.acts)
		}
	}
}

func TestRolesAreGivenByThoseWhoHoldThem(t *testing.T) {
	t.Parallel()
	all := []string{RoleOwner, RoleSuperAdmin, RoleManager, RoleDispatcher, RoleCSO, RoleCustomer, RoleAuditor}
	for giver, may := range map[string][]string{
		RoleOwner:      all,
		RoleSuperAdmin: all[1:],
		RoleManager:    {RoleManager, RoleDispatcher, RoleCSO, RoleCustomer},
		RoleDispatcher: {RoleDispatcher, RoleCSO, RoleCustomer},
		RoleCSO:        {RoleCSO, RoleCustomer},
		RoleCustomer:   {RoleCustomer},
		RoleAuditor:    {RoleCustomer, RoleAuditor},
	} {
		for _, role := range append(all, "emperor") {
			if got, want := caller(giver, true).MayGiveRole(role), slices.Contains(may, role); got != want {
				t.Errorf("%s gives %s = %v, want %v", giver, role, got, want)
			}
		}
	}
}

func TestAllIsGivenOnlyWithThePermissionAndTheScope(t *testing.T) {
	t.Parallel()
	if caller(RoleManager, true).MayGiveAll() {
		t.Error("a manager without grant_all_access gave ALL")
	}
	scoped := caller(RoleManager, false, uuid.New())
	scoped.Permissions |= SetOf(GrantAllAccess)
	if scoped.MayGiveAll() {
		t.Error("a caller with scope GROUPS gave ALL")
	}
	if !caller(RoleOwner, true).MayGiveAll() {
		t.Error("an owner could not give ALL")
	}
}

func TestSwitchesOverrideTheRolesDefaults(t *testing.T) {
	t.Parallel()
	got := Effective(RoleCustomer, events.Permissions{"create_deliveries": true, "export_deliveries": false, "of_the_future": true})
	if want := SetOf(CreateDeliveries, ViewVehicles); got != want {
		t.Errorf("effective = %v, want %v", got.Names(), want.Names())
	}
}

func TestEveryPermissionHasOneName(t *testing.T) {
	t.Parallel()
	for p := range permissionCount {
		back, ok := ParsePermission(p.String())
		if !ok || back != p {
			t.Errorf("%d %q reads back as %d, %v", p, p, back, ok)
		}
	}
	if _, ok := ParsePermission("unknown"); ok {
		t.Error("an unknown name was found")
	}
}

func TestRaisingAddsNothingTheCallerLacks(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		set := rapid.Custom(func(t *rapid.T) Set { return Set(rapid.Uint32().Draw(t, "bits")) & Everything })
		c := Caller{Permissions: set.Draw(t, "caller")}
		from, to := set.Draw(t, "from"), set.Draw(t, "to")
		want := true
		for p := range permissionCount {
			if to.Has(p) && !from.Has(p) && !c.May(p) {
				want = false
			}
		}
		if got := c.MayRaise(from, to); got != want {
			t.Fatalf("MayRaise = %v, want %v", got, want)
		}
	})
}
