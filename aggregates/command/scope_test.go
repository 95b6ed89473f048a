package command_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"waybill/aggregates/access"
	"waybill/aggregates/command"
	"waybill/events"
	"waybill/events/fault"
)

func TestWhatACallerDoesNotSeeDoesNotExistAndVerbsAreDeniedOnWhatItSees(t *testing.T) {
	t.Parallel()
	b := setup(t)
	apple, banana, gone := b.group("Apple"), b.group("Banana"), b.group("Gone")
	_, err := b.s.ArchiveGroup(b.ctx, b.owner, because("closed"), gone)
	b.must(err)
	d1, d2, d4 := b.delivery("D1", apple), b.delivery("D2", banana), b.delivery("D4", uuid.Nil)
	adam, betty := b.user(access.RoleCustomer, "adam@example.com", apple), b.user(access.RoleCustomer, "betty@example.com", banana)
	wayne := b.user(access.RoleCSO, "wayne@example.com", apple, banana)
	nobody := b.user(access.RoleManager, "nobody@example.com")
	van, err := b.s.RegisterVehicle(b.ctx, b.owner, env(), command.RegisterVehicle{Name: "Van", Plate: "B 1"})
	b.must(err)

	manager := b.somebody(access.RoleManager, false, apple) // may much, sees Apple
	customer := b.caller(adam.ID, access.RoleCustomer, false, apple)
	both := b.somebody(access.RoleDispatcher, false, apple, banana)
	vincent := b.somebody(access.RoleManager, true)
	foreign := b.owner
	foreign.Org = uuid.New()

	dispatch := func(c access.Caller, d uuid.UUID) error {
		_, err := b.s.Dispatch(b.ctx, c, env(), command.Dispatch{Delivery: d})
		return err
	}
	tag := func(c access.Caller, d, g uuid.UUID) error {
		_, err := b.s.TagDelivery(b.ctx, c, because("moved"), command.TagDelivery{Delivery: d, Group: g})
		return err
	}
	grant := func(c access.Caller, u, g uuid.UUID) error {
		_, err := b.s.GrantGroupAccess(b.ctx, c, env(), command.GrantGroupAccess{User: u, Group: g})
		return err
	}
	revoke := func(c access.Caller, u, g uuid.UUID) error {
		_, err := b.s.RevokeGroupAccess(b.ctx, c, env(), command.RevokeGroupAccess{User: u, Group: g})
		return err
	}
	create := func(c access.Caller, number string, g uuid.UUID) error {
		_, err := b.s.CreateDelivery(b.ctx, c, env(), command.CreateDelivery{DONumber: number, Date: "2026-03-02", Group: g})
		return err
	}
	code := func(c access.Caller, code string, g uuid.UUID) error {
		_, err := b.s.MapCustomerCode(b.ctx, c, env(), command.MapCustomerCode{Code: code, Group: g})
		return err
	}
	add := func(c access.Caller, role, scope string, groups ...uuid.UUID) error {
		_, err := b.s.AddUser(b.ctx, c, env(), command.AddUser{Name: "X", Email: uuid.NewString() + "@example.com", Role: role, Access: scope, Groups: groups})
		return err
	}
	assign := func(c access.Caller, d, v uuid.UUID) error {
		_, err := b.s.AssignVehicle(b.ctx, c, env(), command.AssignVehicle{Delivery: d, Vehicle: v})
		return err
	}
	withAll := manager
	withAll.Permissions |= access.SetOf(access.GrantAllAccess)
	none, denied, invalid, conflict := fault.NotFound, fault.Denied, fault.Invalid, fault.Conflict
	for name, tc := range map[string]struct {
		err  error
		kind fault.Kind
		code string
	}{
		"a foreign group's delivery":              {dispatch(manager, d2), none, "delivery-not-found"},
		"an untagged one":                         {dispatch(both, d4), none, "delivery-not-found"},
		"one that is not there":                   {dispatch(vincent, uuid.New()), none, "delivery-not-found"},
		"another organisation's":                  {dispatch(foreign, d1), none, "delivery-not-found"},
		"the verb on a visible one":               {dispatch(customer, d1), denied, "permission-missing"},
		"the verb on an invisible one":            {dispatch(customer, d2), none, "delivery-not-found"},
		"moving into an invisible group":          {tag(manager, d1, banana), none, "group-not-found"},
		"moving out of an invisible group":        {tag(manager, d2, apple), none, "delivery-not-found"},
		"moving into ALL":                         {tag(vincent, d1, b.all), conflict, "group-reserved"},
		"moving into an archived group, seen":     {tag(vincent, d1, gone), conflict, "group-archived"},
		"moving into an archived group, not seen": {tag(manager, d1, gone), none, "group-not-found"},
		"moving into no group":                    {tag(vincent, d1, uuid.Nil), none, "group-not-found"},
		"moving without the verb":                 {tag(customer, d1, apple), denied, "permission-missing"},
		"untagging with groups only": {func() error {
			_, err := b.s.UntagDelivery(b.ctx, manager, env(), d1)
			return err
		}(), denied, "access-to-all-missing"},
		"creating without the verb":              {create(customer, "N1", apple), denied, "permission-missing"},
		"creating in an invisible group":         {create(manager, "N1", banana), none, "group-not-found"},
		"creating without choosing":              {create(both, "N1", uuid.Nil), invalid, "invalid-field"},
		"a code for an invisible group":          {code(manager, "C", banana), none, "group-not-found"},
		"a code for a visible one, no verb":      {code(customer, "C", apple), denied, "permission-missing"},
		"a vehicle in none of one's groups":      {assign(both, d1, van.ID), none, "vehicle-not-found"},
		"a vehicle that is not there":            {assign(vincent, d1, uuid.New()), none, "vehicle-not-found"},
		"granting to somebody invisible":         {grant(manager, betty.ID, apple), none, "user-not-found"},
		"granting to somebody reaching beyond":   {grant(manager, wayne.ID, apple), denied, "user-beyond-caller"},
		"granting an invisible group":            {grant(manager, adam.ID, banana), none, "group-not-found"},
		"granting without the verb":              {grant(customer, adam.ID, apple), denied, "user-beyond-caller"},
		"granting to a user with ALL":            {grant(vincent, nobody.ID, apple), conflict, "user-has-all"},
		"granting to an owner":                   {grant(b.owner, b.owner.User, apple), conflict, "role-holds-all"},
		"granting to nobody":                     {grant(vincent, uuid.New(), apple), none, "user-not-found"},
		"a manager acting on the owner":          {revoke(vincent, b.owner.User, apple), denied, "user-beyond-caller"},
		"revoking from somebody invisible":       {revoke(manager, betty.ID, banana), none, "user-not-found"},
		"giving ALL without the permission":      {add(vincent, access.RoleCSO, ""), denied, "all-not-conferrable"},
		"giving ALL with groups only":            {add(withAll, access.RoleCSO, "all"), denied, "all-not-conferrable"},
		"giving a foreign group":                 {add(manager, access.RoleCSO, "", banana), none, "group-not-found"},
		"giving an archived group":               {add(vincent, access.RoleCSO, "", gone), conflict, "group-archived"},
		"giving ALL's own group":                 {add(vincent, access.RoleCSO, "", b.all), conflict, "group-reserved"},
		"giving a role above one's own":          {add(vincent, access.RoleOwner, ""), denied, "role-not-conferrable"},
		"adding users without the verb":          {add(customer, access.RoleCustomer, "", apple), denied, "permission-missing"},
		"the settings with groups only":          {settings(b, manager), denied, "access-to-all-missing"},
		"the settings of a foreign organisation": {settings(b, foreign), none, "organisation-not-found"},
		"blocking oneself":                       {block(b, b.caller(nobody.ID, access.RoleManager, true), nobody.ID), denied, "not-oneself"},
		"blocking the owner":                     {block(b, b.owner, b.owner.User), denied, "not-oneself"},
		"blocking the last owner":                {block(b, b.somebody(access.RoleOwner, true), b.owner.User), conflict, "last-owner"},
	} {
		t.Run(name, func(t *testing.T) { wantCode(t, tc.err, tc.kind, tc.code) })
	}
	b.wantTypes(events.CategoryDelivery, d1, "DeliveryCreated")
	b.wantTypes(events.CategoryUser, adam.ID, "UserAdded", "GroupAccessGranted", "UserInvited")

	// And what is allowed.
	b.must(dispatch(manager, d1))
	b.must(dispatch(both, d2))
	b.must(dispatch(vincent, d4))
	b.must(tag(both, d1, banana))
	b.must(create(manager, "N1", uuid.Nil)) // falls into Apple
	b.must(add(manager, access.RoleCSO, "", apple))
	b.must(add(manager, access.RoleCSO, "none"))
	b.must(grant(vincent, adam.ID, banana))
	b.must(revoke(vincent, adam.ID, banana))
	b.must(revoke(manager, adam.ID, apple))
	b.must(revoke(vincent, adam.ID, apple)) // nothing is left to take
	b.wantTypes(events.CategoryUser, adam.ID, "UserAdded", "GroupAccessGranted", "UserInvited", "GroupAccessGranted", "GroupAccessRevoked", "GroupAccessRevoked")
	b.must(assign(vincent, d2, van.ID))
	b.must(code(manager, "C", apple))
	wantCode(t, share(b, manager, van.ID, apple), fault.NotFound, "vehicle-not-found")
	wantCode(t, share(b, manager, van.ID, banana), fault.NotFound, "group-not-found")
	wantCode(t, share(b, customer, van.ID, apple), fault.Denied, "permission-missing")
	b.must(share(b, vincent, van.ID, banana))
	b.must(assign(both, d1, van.ID)) // through Banana
	blind := both
	blind.Permissions &^= access.SetOf(access.ViewVehicles)
	wantCode(t, assign(blind, d2, van.ID), fault.NotFound, "vehicle-not-found")
}

func share(b *bundle, c access.Caller, vehicle, group uuid.UUID) error {
	_, err := b.s.AddVehicleToGroup(b.ctx, c, env(), command.AddVehicleToGroup{Vehicle: vehicle, Group: group})
	return err
}

func settings(b *bundle, c access.Caller) error {
	_, err := b.s.EnableGroupField(b.ctx, c, env())
	return err
}

func block(b *bundle, c access.Caller, u uuid.UUID) error {
	_, err := b.s.BlockUser(b.ctx, c, env(), u)
	return err
}

func TestPermissionsAreConferredByThoseWhoHaveThem(t *testing.T) {
	t.Parallel()
	b := setup(t)
	apple := b.group("Apple")
	cso := b.user(access.RoleCSO, "cso@example.com", apple)
	manager := b.somebody(access.RoleManager, false, apple)
	set := func(c access.Caller, p events.Permissions) error {
		_, err := b.s.SetPermissions(b.ctx, c, env(), command.SetPermissions{User: cso.ID, Permissions: p})
		return err
	}
	wantCode(t, set(manager, events.Permissions{"grant_all_access": true}), fault.Denied, "permission-not-conferrable")
	b.must(set(manager, events.Permissions{"manage_users": true, "export_deliveries": false}))
	b.must(set(b.owner, events.Permissions{"grant_all_access": true}))
	b.must(set(manager, events.Permissions{"grant_all_access": true, "manage_users": true})) // what it has already is not conferred
	b.must(set(manager, events.Permissions{}))
	wantCode(t, set(b.owner, events.Permissions{"fly": true}), fault.Invalid, "invalid-field")
	b.wantTypes(events.CategoryUser, cso.ID, "UserAdded", "GroupAccessGranted", "UserInvited",
		"UserPermissionsSet", "UserPermissionsSet", "UserPermissionsSet", "UserPermissionsSet")
	_, err := b.s.AddUser(b.ctx, manager, env(), command.AddUser{Name: "X", Email: "x@example.com", Role: access.RoleCSO,
		Groups: []uuid.UUID{apple}, Permissions: events.Permissions{"view_audit": true}})
	wantCode(t, err, fault.Denied, "permission-not-conferrable")
}

func TestTaggingNeedsTheGroupFieldAndSegregationDoesNot(t *testing.T) {
	t.Parallel()
	b := setup(t)
	apple := b.group("Apple")
	d := b.delivery("D1", uuid.Nil)
	_, err := b.s.DisableGroupField(b.ctx, b.owner, env())
	b.must(err)
	_, err = b.s.TagDelivery(b.ctx, b.owner, env(), command.TagDelivery{Delivery: d, Group: apple})
	wantCode(t, err, fault.Conflict, "group-field-off")
	_, err = b.s.CreateDelivery(b.ctx, b.owner, env(), command.CreateDelivery{DONumber: "D2", Date: "2026-03-02", Group: apple})
	wantCode(t, err, fault.Conflict, "group-field-off")
	made, err := b.s.CreateDelivery(b.ctx, b.somebody(access.RoleCSO, false, apple), env(), command.CreateDelivery{DONumber: "D2", Date: "2026-03-02"})
	b.must(err)
	ev, err := b.codec.Decode(b.records(events.CategoryDelivery, made.ID)[0])
	b.must(err)
	if got := ev.Payload.(*events.DeliveryCreated).Group; got != apple {
		t.Errorf("a scoped creator's delivery is in group %s, want its own", got)
	}
}

func TestAnInvitationIsAcceptedByItsIdentityOnly(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ann := b.user(access.RoleManager, "ann@example.com")
	person := func(identity uuid.UUID) access.Caller {
		return access.Caller{Org: b.org, Identity: identity, Actor: events.Actor{Type: events.ActorIdentity, ID: identity.String()}}
	}
	accept := func(c access.Caller, e command.Envelope) error {
		_, err := b.s.AcceptInvitation(b.ctx, c, e, command.AcceptInvitation{User: ann.ID, Invitation: ann.Invitation, PasswordSet: true})
		return err
	}
	wantCode(t, accept(person(uuid.New()), env()), fault.NotFound, "user-not-found")
	wantCode(t, accept(person(uuid.Nil), env()), fault.NotFound, "user-not-found")
	wantCode(t, accept(b.owner, env()), fault.NotFound, "user-not-found")
	late := env()
	late.At = ann.InvitationExpires
	wantCode(t, accept(person(ann.Identity), late), fault.Conflict, "invitation-not-open")
	b.must(accept(person(ann.Identity), env()))
	_, err := b.s.RecordPasswordSet(b.ctx, person(ann.Identity), env(), ann.ID)
	b.must(err)
	b.wantTypes(events.CategoryUser, ann.ID, "UserAdded", "AllGroupsAccessGranted", "UserInvited", "UserInvitationAccepted", "PasswordSet", "PasswordSet")
	if left := time.Until(ann.InvitationExpires); left < 6*24*time.Hour || left > 8*24*time.Hour {
		t.Errorf("the invitation ends in %v, want in a week", left)
	}
}

func TestAnOrganisationHasItsAllGroupAndItsOwners(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.wantTypes(events.CategoryGroup, b.all, "GroupCreated", "OwnerAdded", "GroupFieldEnabled")
	b.wantTypes(events.CategoryUser, b.owner.User, "UserAdded", "AllGroupsAccessGranted", "UserInvited")
	second, err := b.s.AddUser(b.ctx, b.owner, env(), command.AddUser{Name: "Otto", Email: "otto@example.com", Role: access.RoleOwner})
	b.must(err)
	b.wantTypes(events.CategoryGroup, b.all, "GroupCreated", "OwnerAdded", "GroupFieldEnabled") // who is but invited counts for nothing
	accepted := b.accepts(second.ID)
	b.wantTypes(events.CategoryGroup, b.all, "GroupCreated", "OwnerAdded", "GroupFieldEnabled", "OwnerAdded")
	if at := b.records(events.CategoryGroup, b.all)[3].Position; accepted.Position != at {
		t.Errorf("an owner's acceptance answers position %v, want that of its last event, %v", accepted.Position, at)
	}
	_, err = b.s.CreateOrganisation(b.ctx, b.owner, env(), command.CreateOrganisation{})
	wantCode(t, err, fault.Denied, "system-only")
	system := access.System(uuid.Nil)
	for field, in := range map[string]command.CreateOrganisation{
		"name":     {Kind: events.OrganisationOperator, Timezone: "UTC", Owner: command.Owner{Name: "O", Email: "o@example.com"}},
		"kind":     {Name: "S", Timezone: "UTC", Owner: command.Owner{Name: "O", Email: "o@example.com"}},
		"timezone": {Name: "S", Kind: events.OrganisationOperator, Owner: command.Owner{Name: "O", Email: "o@example.com"}},
		"email":    {Name: "S", Kind: events.OrganisationOperator, Timezone: "UTC", Owner: command.Owner{Name: "O", Email: "nowhere"}},
	} {
		_, err := b.s.CreateOrganisation(b.ctx, system, env(), in)
		wantCode(t, err, fault.Invalid, "invalid-field")
		var f *fault.Error
		if errors.As(err, &f) && (len(f.Fields) != 1 || f.Fields[0].Name != field) {
			t.Errorf("the fields at fault are %v, want %q", f.Fields, field)
		}
	}
}

func TestTheLastOwnerWhoCanSignInStaysWhoeverIsInvited(t *testing.T) {
	t.Parallel()
	b := setup(t)
	invited := b.user(access.RoleOwner, "otto@example.com")
	leave := func() error {
		_, err := b.s.ChangeRole(b.ctx, b.owner, env(), command.ChangeRole{User: b.owner.User, Role: access.RoleManager, Access: "all"})
		return err
	}
	wantCode(t, leave(), fault.Conflict, "last-owner")
	// Nor does it count after a block that is taken back.
	_, err := b.s.BlockUser(b.ctx, b.owner, env(), invited.ID)
	b.must(err)
	_, err = b.s.UnblockUser(b.ctx, b.owner, env(), invited.ID)
	b.must(err)
	wantCode(t, leave(), fault.Conflict, "last-owner")
	b.accepts(invited.ID)
	b.must(leave())
}

func TestOneOfTwoOwnersWhoBlockEachOtherStays(t *testing.T) {
	t.Parallel()
	b := setup(t)
	invited := b.user(access.RoleOwner, "otto@example.com")
	b.accepts(invited.ID)
	_, err := b.s.AcceptInvitation(b.ctx, access.System(b.owner.Org), env(), command.AcceptInvitation{User: b.owner.User})
	b.must(err)
	second := b.caller(invited.ID, access.RoleOwner, true)
	other := b.process()
	errs := make([]error, 2)
	var end sync.WaitGroup
	end.Go(func() { _, errs[0] = b.s.BlockUser(b.ctx, b.owner, env(), second.User) })
	end.Go(func() { _, errs[1] = other.BlockUser(b.ctx, second, env(), b.owner.User) })
	end.Wait()
	loser, survivor, blocked := errs[1], b.owner, second
	if errs[0] != nil {
		loser, survivor, blocked = errs[0], second, b.owner
	}
	wantCode(t, loser, fault.Conflict, "last-owner")
	_, err = b.s.UnblockUser(b.ctx, survivor, env(), blocked.User)
	b.must(err)
	_, err = b.s.BlockUser(b.ctx, blocked, env(), survivor.User) // counted again
	b.must(err)
}

func TestPersonalDataIsSealedInTheLog(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ann := b.user(access.RoleManager, "ann.secret@example.com")
	made, err := b.s.CreateDelivery(b.ctx, b.owner, env(), command.CreateDelivery{DONumber: "D1", Date: "2026-03-02", Recipient: "Ann Secret", Address: "Secret Street"})
	b.must(err)
	for _, r := range append(b.records(events.CategoryUser, ann.ID), b.records(events.CategoryDelivery, made.ID)...) {
		if s := string(r.Data) + string(r.Metadata); containsFold(s, "secret") {
			t.Errorf("%s@%d holds personal data in the clear: %s", r.Stream, r.Revision, s)
		}
	}
	ev, err := b.codec.Decode(b.records(events.CategoryDelivery, made.ID)[0])
	b.must(err)
	b.must(b.codec.Open(b.ctx, []events.Event{ev}))
	p := ev.Payload.(*events.DeliveryCreated)
	if p.Recipient.Text() != "Ann Secret" || p.Recipient.Subject != made.ID || p.Address.Text() != "Secret Street" {
		t.Errorf("the recipient opens as %q of %s", p.Recipient.Text(), p.Recipient.Subject)
	}
}
