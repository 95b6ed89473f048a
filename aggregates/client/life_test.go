package client

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"waybill/aggregates/aggregatetest"
	"waybill/events"
)

var (
	id         = uuid.MustParse("5a0a9c4e-63c5-4f0f-9d0e-1a2b3c4d5e6f")
	dana       = uuid.MustParse("11111111-63c5-4f0f-9d0e-1a2b3c4d5e6f")
	carl       = uuid.MustParse("22222222-63c5-4f0f-9d0e-1a2b3c4d5e6f")
	person     = uuid.MustParse("33333333-63c5-4f0f-9d0e-1a2b3c4d5e6f")
	cherry     = uuid.MustParse("44444444-63c5-4f0f-9d0e-1a2b3c4d5e6f")
	invitation = uuid.MustParse("55555555-63c5-4f0f-9d0e-1a2b3c4d5e6f")
	noon       = time.Date(2026, 3, 5, 12, 0, 0, 0, time.UTC)
	week       = noon.AddDate(0, 0, 7)

	known     = Details{BusinessName: "Cherry Ltd", Contact: "Carl", Email: "carl@example.com"}
	added     = &events.ClientAdded{BusinessName: "Cherry Ltd", Contact: events.PersonalText(id, "Carl"), Email: events.PersonalText(id, "carl@example.com")}
	linked    = &events.ClientGroupLinked{Group: cherry, GroupName: "Cherry"}
	invited   = &events.ClientInvited{Invitation: invitation, Email: events.PersonalText(id, "carl@example.com"), ExpiresAt: week}
	accepted  = &events.ClientInvitationAccepted{Invitation: invitation, PasswordSet: true}
	onBehalf  = &events.ClientAccountCreated{Mode: events.ModeOnBehalf, Approval: events.ApprovalNotRequired, Details: known.about(id), User: carl, Identity: person}
	byItself  = &events.ClientAccountCreated{Mode: events.ModeInvited, Approval: events.ApprovalGranted, Details: known.about(id), User: carl, Identity: person}
	approved  = &events.ClientApprovalGranted{Scope: events.ScopeManageDispatches}
	withdrawn = &events.ClientApprovalWithdrawn{}
	revoked   = &events.ClientInvitationRevoked{Invitation: invitation}
	expired   = &events.ClientInvitationExpired{Invitation: invitation}
	ended     = &events.ClientRemoved{Fate: events.FateEnded}
	kept      = &events.ClientRemoved{Fate: events.FateKeptByClient}
	back      = &events.ClientReinstated{}
)

func after(evs ...events.Payload) []events.Payload {
	return append(given(added, linked), evs...)
}

func TestTheStatusFollowsTheLife(t *testing.T) {
	t.Parallel()
	for want, evs := range map[string][][]events.Payload{
		"":        {nil},
		Added:     {given(added), after(), after(invited, revoked), after(invited, expired), after(invited, &events.ClientInvitationDeclined{Invitation: invitation}), after(ended, back), after(invited, ended, expired, back)},
		Invited:   {after(invited), after(invited, ended, back), after(invited, revoked, invited), after(invited, &events.ClientInvitationAcceptanceRefused{Invitation: invitation})},
		Active:    {after(onBehalf), after(invited, accepted, byItself, approved), after(onBehalf, withdrawn, approved), after(onBehalf, ended, back), after(invited, revoked, onBehalf)},
		Withdrawn: {after(onBehalf, withdrawn), after(onBehalf, withdrawn, kept, back)},
		Removed:   {given(added, ended), after(onBehalf, ended), after(onBehalf, withdrawn, kept), after(invited, ended)},
	} {
		for i, some := range evs {
			s := aggregatetest.From(Evolve, some...)
			if got := s.Status(); got != want {
				t.Errorf("history %d of %q gives status %q", i, want, got)
			}
			if got := s.Manageable(); got != (want != Withdrawn && want != Removed) {
				t.Errorf("status %q is manageable: %v", want, got)
			}
		}
	}
}

func TestDetails(t *testing.T) {
	t.Parallel()
	changed := known
	changed.Phone, changed.Contact = "+44 1632 960001", " Carl  "
	tidied := changed.Tidy()
	bad := func(change func(*Details)) ChangeDetails {
		d := known
		change(&d)
		return ChangeDetails{Client: id, Before: known, After: d}
	}
	long := func(n int) string { return string(make([]rune, n)) + "x" }
	aggregatetest.Decide(t, Evolve, tests{
		"details are replaced, and both are recorded": {Given: given(added), When: ChangeDetails{Client: id, Before: known, After: changed}, Then: then(&events.ClientDetailsChanged{Before: known.about(id), After: tidied.about(id)})},
		"the same details change nothing":             {Given: given(added), When: ChangeDetails{Client: id, Before: known, After: known}},
		"a client keeps a name":                       {Given: given(added), When: bad(func(d *Details) { d.BusinessName = " " }), Refused: "invalid-field", Field: "business_name"},
		"a client keeps an e-mail":                    {Given: given(added), When: bad(func(d *Details) { d.Email = "" }), Refused: "invalid-field", Field: "email"},
		"a phone number is bounded":                   {Given: given(added), When: bad(func(d *Details) { d.Phone = long(50) }), Refused: "invalid-field", Field: "phone"},
		"a contact is bounded":                        {Given: given(added), When: bad(func(d *Details) { d.Contact = long(200) }), Refused: "invalid-field", Field: "contact"},
		"a removed client's details stay":             {Given: given(added, ended), When: ChangeDetails{Client: id, Before: known, After: changed}, Refused: "client-removed"},
		"nobody has no details":                       {When: ChangeDetails{Client: id, After: known}, Refused: "client-not-found"},
	})
}

func TestAccountOnBehalf(t *testing.T) {
	t.Parallel()
	create := CreateAccount{Client: id, Details: known, User: carl, Identity: person, At: noon}
	late := create
	late.At = week
	nameless := create
	nameless.Details.BusinessName = ""
	aggregatetest.Decide(t, Evolve, tests{
		"an account is made without approval":         {Given: after(), When: create, Then: then(onBehalf)},
		"it closes an open invitation":                {Given: after(invited), When: create, Then: then(revoked, onBehalf)},
		"it records that an invitation had expired":   {Given: after(invited), When: late, Then: then(expired, onBehalf)},
		"a closed invitation is not closed again":     {Given: after(invited, revoked), When: create, Then: then(onBehalf)},
		"it is made once":                             {Given: after(onBehalf), When: create, Refused: "client-has-account"},
		"it is not made beside an accepted one":       {Given: after(invited, accepted, byItself, approved), When: create, Refused: "client-has-account"},
		"it sees a group":                             {Given: given(added), When: create, Refused: "client-has-no-group"},
		"its details are complete":                    {Given: after(), When: nameless, Refused: "invalid-field", Field: "business_name"},
		"a removed client gets none":                  {Given: after(ended), When: create, Refused: "client-removed"},
		"nobody gets none":                            {When: create, Refused: "client-not-found"},
		"a notice is recorded":                        {Given: after(onBehalf), When: Notify{events.NoticeAccountCreated}, Then: then(&events.ClientNotified{Kind: events.NoticeAccountCreated})},
		"a notice is recorded once":                   {Given: after(onBehalf, &events.ClientNotified{Kind: events.NoticeAccountCreated}), When: Notify{events.NoticeAccountCreated}},
		"nobody is told nothing":                      {When: Notify{events.NoticeAccountCreated}, Refused: "client-not-found"},
		"approval is withdrawn":                       {Given: after(onBehalf), When: WithdrawApproval{}, Then: then(withdrawn)},
		"withdrawing twice is once":                   {Given: after(onBehalf, withdrawn), When: WithdrawApproval{}},
		"approval is granted again":                   {Given: after(onBehalf, withdrawn), When: GrantApproval{}, Then: then(approved)},
		"what was never withdrawn is not granted":     {Given: after(onBehalf), When: GrantApproval{}},
		"without an account there is nothing to end":  {Given: after(), When: WithdrawApproval{}, Refused: "client-has-no-account"},
		"without an account there is nothing to give": {Given: after(), When: GrantApproval{}, Refused: "client-has-no-account"},
		"a removed client withdraws nothing":          {Given: after(onBehalf, kept), When: WithdrawApproval{}, Refused: "client-removed"},
	})
}

func TestInvitation(t *testing.T) {
	t.Parallel()
	second := uuid.New()
	invite := Invite{Client: id, Invitation: invitation, Email: "carl@example.com", ExpiresAt: week, At: noon}
	again := Invite{Client: id, Invitation: second, Email: "carl@example.com", ExpiresAt: week.AddDate(0, 0, 7), At: week}
	fresh := &events.ClientInvited{Invitation: second, Email: invited.Email, ExpiresAt: again.ExpiresAt}
	mailless := invite
	mailless.Email = ""
	resent := &events.ClientInvitationResent{Invitation: invitation, ExpiresAt: week.AddDate(0, 0, 1)}
	aggregatetest.Decide(t, Evolve, tests{
		"a client is invited":                          {Given: after(), When: invite, Then: then(invited)},
		"one invitation is open at a time":             {Given: after(invited), When: invite, Refused: "invitation-open"},
		"an expired one makes room, and is recorded":   {Given: after(invited), When: again, Then: then(expired, fresh)},
		"a revoked one makes room":                     {Given: after(invited, revoked), When: again, Then: then(fresh)},
		"an account is not invited":                    {Given: after(onBehalf), When: invite, Refused: "client-has-account"},
		"the account will see a group":                 {Given: given(added), When: invite, Refused: "client-has-no-group"},
		"a removed client is not invited":              {Given: after(ended), When: invite, Refused: "client-removed"},
		"an invitation has an e-mail":                  {Given: after(), When: mailless, Refused: "invalid-field", Field: "email"},
		"nobody is not invited":                        {When: invite, Refused: "client-not-found"},
		"it is sent again":                             {Given: after(invited), When: Resend{resent.ExpiresAt, noon}, Then: then(resent)},
		"an expired one is not sent again":             {Given: after(invited), When: Resend{resent.ExpiresAt, week}, Refused: "invitation-not-open"},
		"sent again it has more time":                  {Given: after(invited, resent), When: Resend{resent.ExpiresAt, week}, Then: then(resent)},
		"what is not open is not sent again":           {Given: after(), When: Resend{resent.ExpiresAt, noon}, Refused: "invitation-not-open"},
		"it is revoked":                                {Given: after(invited), When: Revoke{noon}, Then: then(revoked)},
		"revoking twice is once":                       {Given: after(invited, revoked), When: Revoke{noon}},
		"what has expired is not revoked":              {Given: after(invited), When: Revoke{week}},
		"it expires":                                   {Given: after(invited), When: Expire{invitation, week}, Then: then(expired)},
		"it does not expire before its time":           {Given: after(invited), When: Expire{invitation, week.Add(-time.Microsecond)}},
		"sent again it does not expire at the old end": {Given: after(invited, resent), When: Expire{invitation, week}},
		"it expires once":                              {Given: after(invited, expired), When: Expire{invitation, week}},
		"another one does not expire":                  {Given: after(invited), When: Expire{second, week}},
		"it expires while the client is removed":       {Given: after(invited, ended), When: Expire{invitation, week}, Then: then(expired)},
	})
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	accept := Accept{Client: id, Invitation: invitation, Details: known, User: carl, Identity: person, PasswordSet: true, At: noon}
	late, other, somebody := accept, accept, accept
	late.At, other.Invitation, somebody.Identity = week, uuid.New(), dana
	yes := then(accepted, byItself, approved)
	refuse := Refuse{Invitation: invitation, Cause: CauseEmailMismatch, At: noon}
	refused := &events.ClientInvitationAcceptanceRefused{Invitation: invitation, Cause: CauseEmailMismatch}
	often := after(invited)
	for range maxRefusals {
		often = append(often, refused)
	}
	declined := &events.ClientInvitationDeclined{Invitation: invitation}
	cases := tests{
		"accepting makes the account and is the approval": {Given: after(invited), When: accept, Then: yes},
		"the same person accepts once":                    {Given: after(invited, accepted, byItself, approved), When: accept},
		"a refused attempt is recorded":                   {Given: after(invited), When: refuse, Then: then(refused)},
		"the invitation stays open after a refusal":       {Given: after(invited, refused), When: accept, Then: yes},
		"very many attempts are not recorded for ever":    {Given: often, When: refuse},
		"declining is recorded":                           {Given: after(invited), When: Decline{invitation, noon}, Then: then(declined)},
		"nobody accepts nothing":                          {When: accept, Refused: "client-not-found"},
	}
	closed := map[string][]events.Payload{
		"revoked": after(invited, revoked), "expired": after(invited, expired), "declined": after(invited, declined),
		"superseded by an account": after(invited, revoked, onBehalf), "of a removed client": after(invited, ended), "never there": after(),
	}
	for name, history := range closed {
		for verb, when := range map[string]interface {
			Decide(State) ([]events.Payload, error)
		}{"accepted": accept, "refused": refuse, "declined": Decline{invitation, noon}} {
			cases["an invitation that is "+name+" is not "+verb] = aggregatetest.Case[State]{Given: history, When: when, Refused: "invitation-not-open"}
		}
	}
	for name, when := range map[string]Accept{"after its time": late, "in place of another": other} {
		cases["an invitation is not accepted "+name] = aggregatetest.Case[State]{Given: after(invited), When: when, Refused: "invitation-not-open"}
	}
	cases["what somebody accepted is not accepted by somebody else"] = aggregatetest.Case[State]{Given: after(invited, accepted, byItself, approved), When: somebody, Refused: "invitation-not-open"}
	aggregatetest.Decide(t, Evolve, cases)
	if s := aggregatetest.From(Evolve, often...); s.Refused != maxRefusals {
		t.Errorf("%d refusals are counted, want %d", s.Refused, maxRefusals)
	}
}

func TestDispatcherAndRemoval(t *testing.T) {
	t.Parallel()
	assigned := &events.DispatcherAssigned{To: dana}
	aggregatetest.Decide(t, Evolve, tests{
		"a dispatcher is assigned":                        {Given: given(added), When: AssignDispatcher{dana}, Then: then(assigned)},
		"assigning again names the one before":            {Given: given(added, assigned), When: AssignDispatcher{carl}, Then: then(&events.DispatcherAssigned{From: dana, To: carl})},
		"assigning the same changes nothing":              {Given: given(added, assigned), When: AssignDispatcher{dana}},
		"a removed client gets no dispatcher":             {Given: given(added, ended), When: AssignDispatcher{dana}, Refused: "client-removed"},
		"a dispatcher is unassigned":                      {Given: given(added, assigned), When: UnassignDispatcher{}, Then: then(&events.DispatcherUnassigned{From: dana})},
		"who does not look after it is not unassigned":    {Given: given(added, assigned), When: UnassignDispatcher{From: carl}},
		"nobody is not unassigned":                        {Given: given(added), When: UnassignDispatcher{}},
		"a dispatcher leaves a removed client, too":       {Given: given(added, assigned, ended), When: UnassignDispatcher{From: dana}, Then: then(&events.DispatcherUnassigned{From: dana})},
		"the logins of an account on behalf end":          {Given: after(onBehalf), When: Remove{}, Then: then(ended)},
		"an account by invitation is kept by the client":  {Given: after(invited, accepted, byItself, approved), When: Remove{}, Then: then(kept)},
		"a fate may be said":                              {Given: after(onBehalf), When: Remove{events.FateKeptByClient}, Then: then(kept)},
		"the other fate may be said":                      {Given: after(invited, accepted, byItself, approved), When: Remove{events.FateEnded}, Then: then(ended)},
		"a client without an account just ends":           {Given: after(invited), When: Remove{}, Then: then(ended)},
		"without an account there is nothing to keep":     {Given: after(), When: Remove{events.FateKeptByClient}, Refused: "invalid-field", Field: "fate"},
		"there are two fates":                             {Given: after(onBehalf), When: Remove{"lost"}, Refused: "invalid-field", Field: "fate"},
		"removing twice is once":                          {Given: after(onBehalf, ended), When: Remove{}},
		"a fate is not changed under a removed client":    {Given: after(onBehalf, ended), When: Remove{events.FateKeptByClient}, Refused: "client-removed"},
		"nobody is not removed":                           {When: Remove{}, Refused: "client-not-found"},
		"a removed client is reinstated":                  {Given: after(onBehalf, ended), When: Reinstate{}, Then: then(back)},
		"what was not removed is not reinstated":          {Given: after(onBehalf), When: Reinstate{}},
		"what never was is not reinstated":                {When: Reinstate{}, Refused: "client-not-found"},
		"a reinstated client is removed again":            {Given: after(onBehalf, ended, back), When: Remove{events.FateKeptByClient}, Then: then(kept)},
		"the fate of the new removal is by the same rule": {Given: after(onBehalf, kept, back), When: Remove{}, Then: then(ended)},
	})
}
