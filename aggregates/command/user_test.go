package command_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"waybill/aggregates/access"
	"waybill/aggregates/command"
	"waybill/events"
	"waybill/events/fault"
)

// The people of an organisation with two groups.
type people struct {
	*bundle
	apple, banana, gone uuid.UUID
	vincent             access.Caller // sees everything, manager
	betty               command.UserAdded
}

func populate(t *testing.T) *people {
	p := &people{bundle: setup(t)}
	p.apple, p.banana, p.gone = p.group("Apple"), p.group("Banana"), p.group("Gone")
	_, err := p.s.ArchiveGroup(p.ctx, p.owner, because("closed"), p.gone)
	p.must(err)
	made, err := p.s.AddUser(p.ctx, p.owner, env(), command.AddUser{Name: "Vincent", Email: "vincent@example.com", Role: access.RoleManager})
	p.must(err)
	p.vincent = p.caller(made.ID, access.RoleManager, true)
	p.betty = p.user(access.RoleCustomer, "betty@example.com", p.banana)
	return p
}

func (p *people) refused(t *testing.T, cases map[string]refusal) {
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) { wantCode(t, tc.err, tc.kind, tc.code) })
	}
}

type refusal struct {
	err  error
	kind fault.Kind
	code string
}

const (
	none, denied, invalid, conflict = fault.NotFound, fault.Denied, fault.Invalid, fault.Conflict
)

func TestRolesAreGivenByThoseWhoCould(t *testing.T) {
	t.Parallel()
	p := populate(t)
	role := func(c access.Caller, u uuid.UUID, role, scope string, groups ...uuid.UUID) error {
		_, err := p.s.ChangeRole(p.ctx, c, env(), command.ChangeRole{User: u, Role: role, Access: scope, Groups: groups})
		return err
	}
	manager := p.somebody(access.RoleManager, false, p.banana)
	raised := p.vincent
	raised.Permissions |= access.SetOf(access.GrantAllAccess)
	p.refused(t, map[string]refusal{
		"a manager makes no owner":           {role(p.vincent, p.betty.ID, "owner", ""), denied, "role-not-conferrable"},
		"a role above one's own":             {role(p.somebody(access.RoleSuperAdmin, true), p.betty.ID, "owner", ""), denied, "role-not-conferrable"},
		"a user that is not seen":            {role(p.somebody(access.RoleManager, false, p.apple), p.betty.ID, "cso", ""), none, "user-not-found"},
		"a group that is not seen":           {role(manager, p.betty.ID, "cso", "", p.apple), none, "group-not-found"},
		"an archived group":                  {role(p.vincent, p.betty.ID, "cso", "", p.gone), conflict, "group-archived"},
		"ALL without the permission":         {role(p.vincent, p.betty.ID, "cso", "all"), denied, "all-not-conferrable"},
		"without manage_users":               {role(p.somebody(access.RoleCSO, true), p.betty.ID, "cso", ""), denied, "user-beyond-caller"},
		"the last owner":                     {role(p.owner, p.owner.User, "manager", "all"), conflict, "last-owner"},
		"an owner's new access must be said": {role(p.owner, p.owner.User, "manager", ""), invalid, "invalid-field"},
	})
	p.must(role(manager, p.betty.ID, access.RoleCSO, ""))
	p.must(role(raised, p.betty.ID, access.RoleCSO, "")) // it is one
	p.must(role(p.owner, p.betty.ID, access.RoleOwner, ""))
	p.wantTypes(events.CategoryUser, p.betty.ID, "UserAdded", "GroupAccessGranted", "UserInvited", "UserRoleChanged",
		"UserRoleChanged", "GroupAccessRevoked", "AllGroupsAccessGranted")
	p.accepts(p.betty.ID)
	p.must(role(p.owner, p.owner.User, access.RoleManager, "all")) // there is another owner now
	p.wantTypes(events.CategoryGroup, p.all, "GroupCreated", "OwnerAdded", "GroupFieldEnabled", "OwnerAdded", "OwnerRemoved")
	owner := p.caller(p.betty.ID, access.RoleOwner, true)
	wantCode(t, role(owner, p.betty.ID, "manager", "none"), conflict, "last-owner")
}

func TestAnOwnerWhoseDemotionIsRefusedStaysCounted(t *testing.T) {
	t.Parallel()
	p := populate(t)
	p.accepts(p.vincent.User)
	p.must(second(p.ChangeRole(p.owner, env(), p.vincent.User, access.RoleOwner)))
	stale := env()
	stale.ExpectedRevision = new(uint64)
	for range 2 { // also when the same command comes again
		_, err := p.s.ChangeRole(p.ctx, p.owner, stale, command.ChangeRole{User: p.vincent.User, Role: access.RoleCSO, Access: "none"})
		wantCode(t, err, conflict, "revision-mismatch")
	}
	// Both count, so either may go; then the other may not.
	p.must(second(p.s.RemoveUser(p.ctx, p.caller(p.vincent.User, access.RoleOwner, true), env(), p.owner.User)))
	_, err := p.s.ChangeRole(p.ctx, p.somebody(access.RoleOwner, true), env(), command.ChangeRole{User: p.vincent.User, Role: access.RoleCSO, Access: "none"})
	wantCode(t, err, conflict, "last-owner")
}

func second[T any](_ T, err error) error { return err }

// ChangeRole changes a role and nothing else.
func (p *people) ChangeRole(c access.Caller, e command.Envelope, u uuid.UUID, role string) (any, error) {
	return p.s.ChangeRole(p.ctx, c, e, command.ChangeRole{User: u, Role: role})
}

func TestTwoOwnersWhoRemoveEachOtherLeaveOne(t *testing.T) {
	t.Parallel()
	p := populate(t)
	p.accepts(p.vincent.User)
	p.must(second(p.ChangeRole(p.owner, env(), p.vincent.User, access.RoleOwner)))
	vincent := p.caller(p.vincent.User, access.RoleOwner, true)
	var wait sync.WaitGroup
	errs := make([]error, 2)
	for i, pair := range [][2]access.Caller{{p.owner, vincent}, {vincent, p.owner}} {
		wait.Go(func() { _, errs[i] = p.s.RemoveUser(p.ctx, pair[0], env(), pair[1].User) })
	}
	wait.Wait()
	if (errs[0] == nil) == (errs[1] == nil) {
		t.Fatalf("the removals came to %v and %v, want one of them refused", errs[0], errs[1])
	}
	for _, err := range errs {
		if err != nil {
			wantCode(t, err, conflict, "last-owner")
		}
	}
}

func TestWholeScopesAreGivenByThoseWhoHaveThem(t *testing.T) {
	t.Parallel()
	p := populate(t)
	replace := func(c access.Caller, u uuid.UUID, scope string, groups ...uuid.UUID) error {
		_, err := p.s.ReplaceGroups(p.ctx, c, env(), command.ReplaceGroups{User: u, Access: scope, Groups: groups})
		return err
	}
	giveAll := func(c access.Caller, e command.Envelope, u uuid.UUID) error {
		return second(p.s.GrantAllGroupsAccess(p.ctx, c, e, u))
	}
	takeAll := func(c access.Caller, e command.Envelope, u uuid.UUID, groups ...uuid.UUID) error {
		return second(p.s.RevokeAllGroupsAccess(p.ctx, c, e, command.RevokeAllGroupsAccess{User: u, Groups: groups}))
	}
	manager := p.somebody(access.RoleManager, false, p.banana)
	p.refused(t, map[string]refusal{
		"a group that is not seen":       {replace(manager, p.betty.ID, "", p.banana, p.apple), none, "group-not-found"},
		"one that is not there":          {replace(p.owner, p.betty.ID, "", uuid.New()), none, "group-not-found"},
		"the ALL group":                  {replace(p.owner, p.betty.ID, "", p.all), conflict, "group-reserved"},
		"an archived one":                {replace(p.owner, p.betty.ID, "", p.gone), conflict, "group-archived"},
		"an empty list":                  {replace(p.owner, p.betty.ID, ""), invalid, "invalid-field"},
		"ALL without the permission":     {replace(p.vincent, p.betty.ID, "all"), denied, "all-not-conferrable"},
		"somebody who sees everything":   {replace(manager, p.vincent.User, "", p.banana), none, "user-not-found"},
		"an owner's":                     {replace(p.owner, p.owner.User, "", p.banana), conflict, "role-holds-all"},
		"giving ALL as a manager":        {giveAll(p.vincent, because("x"), p.betty.ID), denied, "all-not-conferrable"},
		"giving ALL without a reason":    {giveAll(p.owner, env(), p.betty.ID), invalid, "invalid-field"},
		"taking ALL from who has it not": {takeAll(p.owner, because("x"), p.betty.ID), conflict, "all-not-held"},
		"taking ALL without a reason":    {takeAll(p.owner, env(), p.vincent.User), invalid, "invalid-field"},
		"leaving a group not there":      {takeAll(p.owner, because("x"), p.vincent.User, uuid.New()), none, "group-not-found"},
		"taking ALL from an owner":       {takeAll(p.owner, because("x"), p.owner.User), conflict, "role-holds-all"},
		"taking ALL as somebody scoped":  {takeAll(manager, because("x"), p.vincent.User, p.banana), none, "user-not-found"},
	})
	p.must(replace(p.vincent, p.betty.ID, "", p.apple))
	p.must(giveAll(p.owner, because("head of desk"), p.betty.ID))
	p.must(takeAll(p.owner, because("moved on"), p.betty.ID, p.banana))
	p.must(replace(manager, p.betty.ID, "none"))
	p.wantTypes(events.CategoryUser, p.betty.ID, "UserAdded", "GroupAccessGranted", "UserInvited",
		"GroupAccessRevoked", "GroupAccessGranted", "GroupAccessRevoked", "AllGroupsAccessGranted",
		"AllGroupsAccessRevoked", "GroupAccessGranted", "GroupAccessRevoked")
}

func TestAccessIsApprovedByNeitherWhoAskedNorWhoGetsIt(t *testing.T) {
	t.Parallel()
	p := populate(t)
	soon := time.Now().Add(48 * time.Hour).UTC().Truncate(time.Microsecond)
	ask := func(c access.Caller, u, g uuid.UUID) error {
		return second(p.s.RequestGroupAccess(p.ctx, c, because("x"), command.RequestGroupAccess{User: u, Group: g}))
	}
	asked, err := p.s.RequestGroupAccess(p.ctx, p.vincent, because("cover for Adam, OPS-7"), command.RequestGroupAccess{User: p.betty.ID, Group: p.apple, ExpiresAt: soon})
	p.must(err)
	approve := func(c access.Caller, e command.Envelope) error {
		return second(p.s.ApproveGroupAccess(p.ctx, c, e, command.DecideRequest{User: p.betty.ID, Request: asked.ID}))
	}
	deny := func(c access.Caller) error {
		return second(p.s.DenyGroupAccess(p.ctx, c, env(), command.DecideRequest{User: p.betty.ID, Request: asked.ID}))
	}
	betty := p.caller(p.betty.ID, access.RoleCustomer, false, p.banana)
	mighty := p.caller(p.betty.ID, access.RoleManager, true) // as if she had become one
	of := func(groups ...uuid.UUID) access.Caller { return p.somebody(access.RoleManager, false, groups...) }
	p.refused(t, map[string]refusal{
		"asking for oneself what is not seen": {ask(betty, p.betty.ID, p.apple), none, "group-not-found"},
		"asking for an archived group":        {ask(p.vincent, p.betty.ID, p.gone), conflict, "group-archived"},
		"asking for somebody not seen":        {ask(of(p.apple), p.betty.ID, p.apple), none, "user-not-found"},
		"asking for others without the verb":  {ask(p.somebody(access.RoleCSO, true), p.betty.ID, p.apple), denied, "permission-missing"},
		"asking twice":                        {ask(p.vincent, p.betty.ID, p.apple), conflict, "access-already-requested"},
		"asking for what is there":            {ask(p.vincent, p.betty.ID, p.banana), conflict, "access-already-held"},
		"who asked approves":                  {approve(p.vincent, env()), denied, "approver-not-independent"},
		"who gets it approves":                {approve(mighty, env()), denied, "approver-not-independent"},
		"who gets it, not seeing the group":   {approve(betty, env()), none, "request-not-found"},
		"somebody who does not see the group": {approve(of(p.banana), env()), none, "request-not-found"},
		"somebody who does not see the user":  {approve(of(p.apple), env()), none, "user-not-found"},
		"somebody without the verb":           {approve(p.somebody(access.RoleCSO, true), env()), denied, "user-beyond-caller"},
		"denying what is not seen":            {deny(of(p.banana)), none, "request-not-found"},
		"denying without the verb":            {deny(p.somebody(access.RoleCSO, true)), denied, "user-beyond-caller"},
	})
	once := env()
	p.must(approve(p.owner, once))
	p.must(approve(p.owner, once)) // repeated
	wantCode(t, approve(p.owner, env()), conflict, "request-not-open")
	wantCode(t, deny(p.owner), conflict, "request-not-open")
	p.wantTypes(events.CategoryUser, p.betty.ID, "UserAdded", "GroupAccessGranted", "UserInvited",
		"GroupAccessRequested", "GroupAccessRequestApproved", "GroupAccessGranted")
	for _, r := range p.records(events.CategoryUser, p.betty.ID)[4:] {
		ev, err := p.codec.Decode(r)
		p.must(err)
		want := events.Approval{By: p.owner.User.String(), RequestedBy: p.vincent.User.String(), Request: asked.ID.String()}
		if ev.Metadata.Approval != want || ev.Metadata.Reason != "cover for Adam, OPS-7" {
			t.Errorf("%s says %+v, reason %q", r.Type, ev.Metadata.Approval, ev.Metadata.Reason)
		}
		if g, ok := ev.Payload.(*events.GroupAccessGranted); ok && (!g.ExpiresAt.Equal(soon) || g.Basis != events.BasisRequest || g.Origin != asked.ID.String()) {
			t.Errorf("granted %+v", g)
		}
	}
}

func TestAccessIsReviewedBySomebodyElse(t *testing.T) {
	t.Parallel()
	p := populate(t)
	review := func(c access.Caller, u uuid.UUID, decision string, groups ...uuid.UUID) error {
		return second(p.s.RecordAccessReview(p.ctx, c, because("quarterly"), command.RecordAccessReview{User: u, Decision: decision, Groups: groups}))
	}
	p.refused(t, map[string]refusal{
		"one's own":             {review(p.vincent, p.vincent.User, "keep"), denied, "not-oneself"},
		"without the verb":      {review(p.somebody(access.RoleAuditor, true), p.betty.ID, "keep"), denied, "user-beyond-caller"},
		"of somebody not seen":  {review(p.somebody(access.RoleManager, false, p.apple), p.betty.ID, "keep"), none, "user-not-found"},
		"with a group not seen": {review(p.somebody(access.RoleManager, false, p.banana), p.betty.ID, "reduce", p.apple), none, "group-not-found"},
		"with another decision": {review(p.vincent, p.betty.ID, "maybe"), invalid, "invalid-field"},
	})
	p.must(review(p.vincent, p.betty.ID, events.ReviewKeep))
	p.must(review(p.vincent, p.betty.ID, events.ReviewRevoke))
	p.wantTypes(events.CategoryUser, p.betty.ID, "UserAdded", "GroupAccessGranted", "UserInvited", "AccessReviewed", "AccessReviewed", "GroupAccessRevoked")
}

func TestWhoWasRemovedComesBackAsAnotherUserOfTheSameIdentity(t *testing.T) {
	t.Parallel()
	p := populate(t)
	remove := func(c access.Caller, u uuid.UUID) error {
		return second(p.s.RemoveUser(p.ctx, c, because("left client"), u))
	}
	p.refused(t, map[string]refusal{
		"oneself":           {remove(p.vincent, p.vincent.User), denied, "not-oneself"},
		"without the verb":  {remove(p.somebody(access.RoleCSO, true), p.betty.ID), denied, "user-beyond-caller"},
		"somebody not seen": {remove(p.somebody(access.RoleManager, false, p.apple), p.betty.ID), none, "user-not-found"},
		"the owner":         {remove(p.vincent, p.owner.User), denied, "user-beyond-caller"},
		"the last owner":    {remove(p.somebody(access.RoleOwner, true), p.owner.User), conflict, "last-owner"},
	})
	p.must(remove(p.vincent, p.betty.ID))
	p.must(remove(p.vincent, p.betty.ID)) // nothing more happens
	p.wantTypes(events.CategoryUser, p.betty.ID, "UserAdded", "GroupAccessGranted", "UserInvited", "UserRemoved", "GroupAccessRevoked")
	wantCode(t, second(p.s.GrantGroupAccess(p.ctx, p.owner, env(), command.GrantGroupAccess{User: p.betty.ID, Group: p.apple})), conflict, "user-removed")
	wantCode(t, second(p.s.UnblockUser(p.ctx, p.owner, env(), p.betty.ID)), conflict, "user-removed")
	back := p.user(access.RoleCustomer, "betty@example.com", p.apple)
	if back.ID == p.betty.ID || back.Identity != p.betty.Identity {
		t.Errorf("betty came back as user %s of identity %s, was %s of %s", back.ID, back.Identity, p.betty.ID, p.betty.Identity)
	}
	_, err := p.s.AddUser(p.ctx, p.owner, env(), command.AddUser{Name: "B", Email: "Betty@example.com", Role: access.RoleCSO, Access: "none"})
	wantCode(t, err, conflict, "email-taken")
}

func TestInvitationsAreResentRevokedAndExpire(t *testing.T) {
	t.Parallel()
	p := populate(t)
	accept := func() error {
		return second(p.s.AcceptInvitation(p.ctx, access.System(p.org), env(), command.AcceptInvitation{User: p.betty.ID}))
	}
	expire := func(c access.Caller, at time.Time) error {
		e := env()
		e.At = at
		return second(p.s.ExpireInvitation(p.ctx, c, e, p.betty.ID, p.betty.Invitation))
	}
	wantCode(t, expire(p.owner, p.betty.InvitationExpires), denied, "system-only")
	wantCode(t, second(p.s.ExpireGrant(p.ctx, p.owner, env(), p.betty.ID, uuid.New())), denied, "system-only")
	p.must(second(p.s.RevokeInvitation(p.ctx, p.vincent, env(), p.betty.ID)))
	wantCode(t, accept(), conflict, "invitation-not-open")
	resent, err := p.s.ResendInvitation(p.ctx, p.vincent, env(), p.betty.ID)
	p.must(err)
	p.must(expire(access.System(p.org), p.betty.InvitationExpires)) // the first one's time, which does not count any more
	p.must(expire(access.System(p.org), resent.Expires))
	wantCode(t, accept(), conflict, "invitation-not-open")
	p.must(second(p.s.ResendInvitation(p.ctx, p.vincent, env(), p.betty.ID)))
	p.must(accept())
	wantCode(t, second(p.s.ResendInvitation(p.ctx, p.vincent, env(), p.betty.ID)), conflict, "invitation-accepted")
	wantCode(t, second(p.s.RevokeInvitation(p.ctx, p.somebody(access.RoleCSO, true), env(), p.betty.ID)), denied, "user-beyond-caller")
	want := []string{"UserAdded", "GroupAccessGranted", "UserInvited", "UserInvitationRevoked", "UserInvitationResent",
		"UserInvitationExpired", "UserInvitationResent", "UserInvitationAccepted"}
	if got := p.types(events.CategoryUser, p.betty.ID); !slices.Equal(got, want) {
		t.Errorf("the stream holds %v, want %v", got, want)
	}
}

func TestOneOfManyWhoReplaceTheSameRevisionWins(t *testing.T) {
	t.Parallel()
	p := populate(t)
	seen := uint64(2)
	const writers = 32
	errs := make([]error, writers)
	var wait sync.WaitGroup
	for i := range writers {
		wait.Go(func() {
			e := env()
			e.ExpectedRevision = &seen
			_, errs[i] = p.s.ReplaceGroups(p.ctx, p.owner, e, command.ReplaceGroups{User: p.betty.ID, Groups: []uuid.UUID{p.apple}})
		})
	}
	wait.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
			continue
		}
		wantCode(t, err, conflict, "revision-mismatch")
	}
	if won != 1 {
		t.Errorf("%d writers won, want 1", won)
	}
	p.wantTypes(events.CategoryUser, p.betty.ID, "UserAdded", "GroupAccessGranted", "UserInvited", "GroupAccessRevoked", "GroupAccessGranted")
}
