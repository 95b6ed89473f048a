package user

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"waybill/aggregates/aggregatetest"
	"waybill/events"
)

var (
	orange  = uuid.MustParse("33333333-63c5-4f0f-9d0e-1a2b3c4d5e6f")
	asked   = uuid.MustParse("66666666-63c5-4f0f-9d0e-1a2b3c4d5e6f")
	vincent = uuid.MustParse("77777777-63c5-4f0f-9d0e-1a2b3c4d5e6f")
	another = uuid.MustParse("88888888-63c5-4f0f-9d0e-1a2b3c4d5e6f")
)

// Users as they stand before something happens.
var (
	scoped     = given(added("cso", "groups"), granted(apple), granted(banana), invited)
	empty      = given(added("cso", "groups"), invited)
	everything = given(added("manager", "all"), all(events.BasisNoGroupsAtCreation), invited)
	owner      = given(added("owner", "all"), all(events.BasisRole), invited)
	gone       = given(added("cso", "groups"), granted(apple), &events.UserRemoved{}, taken(apple, 0, events.CauseUserRemoved))
)

func taken(g uuid.UUID, left int, cause string) *events.GroupAccessRevoked {
	return &events.GroupAccessRevoked{Grant: grantOf(g), Group: g, RemainingGroups: left, Cause: cause}
}

func allTaken(cause string) *events.AllGroupsAccessRevoked {
	return &events.AllGroupsAccessRevoked{Grant: grantOf(uuid.Nil), Cause: cause}
}

func became(from, to string) *events.UserRoleChanged {
	return &events.UserRoleChanged{From: from, To: to}
}

func scope(access string, groups ...uuid.UUID) Scope { return Scope{Groups: groups, Access: access} }

func role(name string, to Scope) ChangeRole {
	return ChangeRole{Role: name, Scope: to, NewGrant: grantOf, At: noon}
}

func TestRoles(t *testing.T) {
	t.Parallel()
	const because = events.CauseRoleChanged
	ordinary, promoted, customers := scoped, all(events.BasisRole), given(added("manager", "all"), all(events.BasisDirect))
	aggregatetest.Decide(t, Evolve, tests{
		"another role leaves the access as it is":         {Given: ordinary, When: role("dispatcher", Scope{}), Then: then(became("cso", "dispatcher"))},
		"it may come with another access":                 {Given: ordinary, When: role("dispatcher", scope("", banana)), Then: then(became("cso", "dispatcher"), taken(apple, 1, because))},
		"owners get ALL and lose their groups":            {Given: ordinary, When: role("owner", Scope{}), Then: then(became("cso", "owner"), taken(apple, 1, because), taken(banana, 0, because), promoted)},
		"super admins too":                                {Given: empty, When: role("super_admin", scope("all")), Then: then(became("cso", "super_admin"), promoted)},
		"ALL of another basis becomes that of the role":   {Given: everything, When: role("owner", Scope{}), Then: then(became("manager", "owner"), allTaken(because), promoted)},
		"from owner to super admin the access stays":      {Given: owner, When: role("super_admin", Scope{}), Then: then(became("owner", "super_admin"))},
		"an owner is not narrowed":                        {Given: ordinary, When: role("owner", scope("", apple)), Refused: "invalid-field", Field: "access"},
		"an owner is not made to see nothing":             {Given: ordinary, When: role("owner", scope("none")), Refused: "invalid-field", Field: "access"},
		"from owner the access must be said":              {Given: owner, When: role("manager", Scope{}), Refused: "invalid-field", Field: "access"},
		"from owner to groups":                            {Given: owner, When: role("cso", scope("", apple)), Then: then(became("owner", "cso"), allTaken(because), granted(apple))},
		"from owner to nothing":                           {Given: owner, When: role("cso", scope("none")), Then: then(became("owner", "cso"), allTaken(because))},
		"from owner to ALL that is given, not the role's": {Given: owner, When: role("manager", scope("all")), Then: then(became("owner", "manager"), allTaken(because), all(events.BasisDirect))},
		"a customer does not keep ALL without a word":     {Given: customers, When: role("customer", Scope{}), Refused: "invalid-field", Field: "access"},
		"a customer may keep ALL spelled out":             {Given: customers, When: role("customer", scope("all")), Then: then(became("manager", "customer"))},
		"groups spelled out need one":                     {Given: ordinary, When: role("dispatcher", scope("groups")), Refused: "invalid-field", Field: "groups"},
		"the same role changes nothing":                   {Given: ordinary, When: role("cso", Scope{})},
		"the same role does not change access in passing": {Given: ordinary, When: role("cso", scope("", apple)), Refused: "invalid-field", Field: "access"},
		"roles have known names":                          {Given: ordinary, When: role("emperor", Scope{}), Refused: "invalid-field", Field: "role"},
		"a removed user gets no role":                     {Given: gone, When: role("manager", Scope{}), Refused: "user-removed"},
		"nobody gets no role":                             {When: role("manager", Scope{}), Refused: "user-not-found"},
	})
}

func TestReplacingGroups(t *testing.T) {
	t.Parallel()
	replace := func(to Scope) ReplaceGroups { return ReplaceGroups{Scope: to, NewGrant: grantOf, At: noon} }
	const because = events.CauseReplaced
	until := &events.GroupAccessGranted{Grant: grantOf(apple), Group: apple, Basis: events.BasisRequest, Origin: "r", ExpiresAt: week}
	aggregatetest.Decide(t, Evolve, tests{
		"revokes and grants in one":             {Given: scoped, When: replace(scope("", banana, orange, orange)), Then: then(taken(apple, 1, because), granted(orange))},
		"what is there already stays":           {Given: scoped, When: replace(scope("groups", banana, apple))},
		"a grant that ends is not made to last": {Given: given(added("cso", "groups"), until), When: replace(scope("", apple))},
		"an expired grant is given anew":        {Given: given(added("cso", "groups"), until), When: ReplaceGroups{Scope: scope("", apple), NewGrant: grantOf, At: week}, Then: then(granted(apple))},
		"an empty list is refused":              {Given: scoped, When: replace(Scope{}), Refused: "invalid-field", Field: "groups"},
		"none in so many words leaves nothing":  {Given: scoped, When: replace(scope("none")), Then: then(taken(apple, 1, because), taken(banana, 0, because))},
		"all in so many words gives ALL":        {Given: scoped, When: replace(scope("all")), Then: then(taken(apple, 1, because), taken(banana, 0, because), all(events.BasisDirect))},
		"ALL is narrowed":                       {Given: everything, When: replace(scope("", apple)), Then: then(allTaken(because), granted(apple))},
		"ALL stays ALL":                         {Given: everything, When: replace(scope("all"))},
		"all and groups contradict":             {Given: scoped, When: replace(scope("all", apple)), Refused: "invalid-field", Field: "access"},
		"nothing else can be said":              {Given: scoped, When: replace(scope("some")), Refused: "invalid-field", Field: "access"},
		"an owner's scope is its role's":        {Given: owner, When: replace(scope("", apple)), Refused: "role-holds-all"},
		"a removed user has no groups":          {Given: gone, When: replace(scope("", apple)), Refused: "user-removed"},
		"nobody has no groups":                  {When: replace(scope("", apple)), Refused: "user-not-found"},
	})
}

func TestAllGroups(t *testing.T) {
	t.Parallel()
	give := GrantAll{Reason: "head of desk", NewGrant: grantOf, At: noon}
	take := func(reason string, groups ...uuid.UUID) RevokeAll {
		return RevokeAll{Groups: groups, Reason: reason, NewGrant: grantOf, At: noon}
	}
	aggregatetest.Decide(t, Evolve, tests{
		"ALL takes the place of the groups":    {Given: scoped, When: give, Then: then(taken(apple, 1, events.CauseAllGranted), taken(banana, 0, events.CauseAllGranted), all(events.BasisDirect))},
		"giving ALL needs a reason":            {Given: scoped, When: GrantAll{Reason: " ", NewGrant: grantOf}, Refused: "invalid-field", Field: "reason"},
		"giving ALL twice is once":             {Given: everything, When: give},
		"a removed user is not given ALL":      {Given: gone, When: give, Refused: "user-removed"},
		"taking ALL leaves the groups said":    {Given: everything, When: take("moved", apple), Then: then(allTaken(events.CauseAllRevoked), granted(apple))},
		"taking ALL may leave nothing":         {Given: everything, When: take("moved"), Then: then(allTaken(events.CauseAllRevoked))},
		"taking ALL needs a reason":            {Given: everything, When: take(""), Refused: "invalid-field", Field: "reason"},
		"ALL is not taken from who has it not": {Given: scoped, When: take("moved", apple), Refused: "all-not-held"},
		"ALL is not taken from an owner":       {Given: owner, When: take("moved", apple), Refused: "role-holds-all"},
	})
}

func TestRequests(t *testing.T) {
	t.Parallel()
	ask := RequestGroup{Request: asked, Group: apple, By: vincent, Reason: "cover for Adam", ExpiresAt: week, At: noon}
	lasting, unexplained, past := ask, ask, ask
	lasting.ExpiresAt, unexplained.Reason, past.ExpiresAt = time.Time{}, "", noon
	requested := &events.GroupAccessRequested{Request: asked, Group: apple, By: vincent, Why: "cover for Adam", ExpiresAt: week}
	open := append(empty[:2:2], requested)
	approve := ApproveRequest{Request: asked, Grant: another, At: noon}
	approved := then(&events.GroupAccessRequestApproved{Request: asked},
		&events.GroupAccessGranted{Grant: another, Group: apple, Basis: events.BasisRequest, Origin: asked.String(), ExpiresAt: week})
	denied := &events.GroupAccessRequestDenied{Request: asked}
	aggregatetest.Decide(t, Evolve, tests{
		"access is asked for":                   {Given: empty, When: ask, Then: then(requested)},
		"for good as well":                      {Given: empty, When: lasting, Then: then(&events.GroupAccessRequested{Request: asked, Group: apple, By: vincent, Why: "cover for Adam"})},
		"with a reason":                         {Given: empty, When: unexplained, Refused: "invalid-field", Field: "reason"},
		"not for the past":                      {Given: empty, When: past, Refused: "invalid-field", Field: "expires_at"},
		"once at a time":                        {Given: open, When: ask, Refused: "access-already-requested"},
		"not for what is there":                 {Given: scoped, When: ask, Refused: "access-already-held"},
		"not for who sees everything":           {Given: everything, When: ask, Refused: "user-has-all"},
		"not for an owner":                      {Given: owner, When: ask, Refused: "role-holds-all"},
		"not for a removed user":                {Given: gone, When: ask, Refused: "user-removed"},
		"approval and grant come together":      {Given: open, When: approve, Then: approved},
		"a request is approved once":            {Given: append(open[:3:3], approved...), When: approve, Refused: "request-not-open"},
		"a denied request is not approved":      {Given: append(open[:3:3], denied), When: approve, Refused: "request-not-open"},
		"what nobody asked for is not approved": {Given: empty, When: approve, Refused: "request-not-open"},
		"a request whose time is over is not":   {Given: open, When: ApproveRequest{Request: asked, Grant: another, At: week}, Refused: "request-outdated"},
		"nor for who sees everything by now":    {Given: append(open[:3:3], all(events.BasisDirect)), When: approve, Refused: "user-has-all"},
		"nor for who was removed":               {Given: append(open[:3:3], &events.UserRemoved{}), When: approve, Refused: "user-removed"},
		"a request is denied":                   {Given: open, When: DenyRequest{asked}, Then: then(denied)},
		"once":                                  {Given: append(open[:3:3], denied), When: DenyRequest{asked}, Refused: "request-not-open"},
		"after a denial it may be asked again":  {Given: append(open[:3:3], denied), When: ask, Then: then(requested)},
	})
}

func TestReviews(t *testing.T) {
	t.Parallel()
	review := func(decision string, groups ...uuid.UUID) Review {
		return Review{Decision: decision, Groups: groups, At: noon}
	}
	reviewed := func(decision string) *events.AccessReviewed { return &events.AccessReviewed{Decision: decision} }
	const because = events.CauseAccessReview
	aggregatetest.Decide(t, Evolve, tests{
		"keep changes nothing":               {Given: scoped, When: review("keep"), Then: then(reviewed("keep"))},
		"an owner's access may be kept":      {Given: owner, When: review("keep"), Then: then(reviewed("keep"))},
		"reduce takes what is named":         {Given: scoped, When: review("reduce", apple), Then: then(reviewed("reduce"), taken(apple, 1, because))},
		"reduce names something":             {Given: scoped, When: review("reduce"), Refused: "invalid-field", Field: "groups"},
		"reduce names what is there":         {Given: scoped, When: review("reduce", orange), Refused: "invalid-field", Field: "groups"},
		"reduce leaves something":            {Given: scoped, When: review("reduce", banana, apple), Refused: "invalid-field", Field: "groups"},
		"ALL is not reduced by groups":       {Given: everything, When: review("reduce", apple), Refused: "user-has-all"},
		"an owner's access is not reduced":   {Given: owner, When: review("reduce", apple), Refused: "role-holds-all"},
		"revoke takes every group":           {Given: scoped, When: review("revoke"), Then: then(reviewed("revoke"), taken(apple, 1, because), taken(banana, 0, because))},
		"revoke takes ALL":                   {Given: everything, When: review("revoke"), Then: then(reviewed("revoke"), allTaken(because))},
		"revoke takes nothing from an owner": {Given: owner, When: review("revoke"), Refused: "role-holds-all"},
		"revoke names no groups":             {Given: scoped, When: review("revoke", apple), Refused: "invalid-field", Field: "groups"},
		"nothing else can be decided":        {Given: scoped, When: review("perhaps"), Refused: "invalid-field", Field: "decision"},
		"a removed user is not reviewed":     {Given: gone, When: review("keep"), Refused: "user-removed"},
	})
}

func TestRemoval(t *testing.T) {
	t.Parallel()
	remove := Remove{At: noon}
	const because = events.CauseUserRemoved
	over := &events.GroupAccessGranted{Grant: grantOf(orange), Group: orange, Basis: events.BasisDirect, ExpiresAt: noon}
	aggregatetest.Decide(t, Evolve, tests{
		"everything held ends with it":     {Given: scoped, When: remove, Then: then(&events.UserRemoved{}, taken(apple, 1, because), taken(banana, 0, because))},
		"ALL too":                          {Given: everything, When: remove, Then: then(&events.UserRemoved{}, allTaken(because))},
		"what had expired before does not": {Given: append(empty[:2:2], over), When: remove, Then: then(&events.UserRemoved{})},
		"also from who is blocked":         {Given: append(empty[:2:2], &events.UserBlocked{}), When: remove, Then: then(&events.UserRemoved{})},
		"once":                             {Given: gone, When: remove},
		"nobody is removed":                {When: remove, Refused: "user-not-found"},
		"a removed user is not blocked":    {Given: gone, When: Block{}, Refused: "user-removed"},
		"nor unblocked":                    {Given: gone, When: Unblock{}, Refused: "user-removed"},
		"nor given groups":                 {Given: gone, When: GrantGroup{Grant: another, Group: apple, At: noon}, Refused: "user-removed"},
		"nor relieved of them":             {Given: gone, When: RevokeGroup{Group: apple, At: noon}, Refused: "user-removed"},
		"nor given switches":               {Given: gone, When: SetPermissions{}, Refused: "user-removed"},
		"nor added again":                  {Given: gone, When: request("cso", "", apple), Refused: "user-exists"},
		"its invitation is void":           {Given: append(scoped[:4:4], &events.UserRemoved{}), When: AcceptInvitation{At: noon}, Refused: "invitation-not-open"},
		"its password is no fact of ours":  {Given: gone, When: RecordPasswordSet{}, Refused: "user-not-found"},
	})
}

func TestInvitationsEndAndComeBack(t *testing.T) {
	t.Parallel()
	later := week.AddDate(0, 0, 7)
	resent := &events.UserInvitationResent{Invitation: invitation, ExpiresAt: later}
	revoked, expired := &events.UserInvitationRevoked{Invitation: invitation}, &events.UserInvitationExpired{Invitation: invitation}
	accepted := &events.UserInvitationAccepted{Invitation: invitation}
	expire := ExpireInvitation{Invitation: invitation, At: week}
	with := func(more ...events.Payload) []events.Payload { return append(empty[:2:2], more...) }
	aggregatetest.Decide(t, Evolve, tests{
		"it is resent":                        {Given: empty, When: ResendInvitation{later}, Then: then(resent)},
		"after it was revoked too":            {Given: with(revoked), When: ResendInvitation{later}, Then: then(resent)},
		"after it expired too":                {Given: with(expired), When: ResendInvitation{later}, Then: then(resent)},
		"not once it was accepted":            {Given: with(accepted), When: ResendInvitation{later}, Refused: "invitation-accepted"},
		"not to a removed user":               {Given: gone, When: ResendInvitation{later}, Refused: "user-removed"},
		"it is revoked":                       {Given: empty, When: RevokeInvitation{}, Then: then(revoked)},
		"once":                                {Given: with(revoked), When: RevokeInvitation{}},
		"not once it was accepted, either":    {Given: with(accepted), When: RevokeInvitation{}, Refused: "invitation-accepted"},
		"a revoked one lets nobody in":        {Given: with(revoked), When: AcceptInvitation{At: noon}, Refused: "invitation-not-open"},
		"resent, it does":                     {Given: with(revoked, resent), When: AcceptInvitation{At: week}, Then: then(accepted)},
		"it expires":                          {Given: empty, When: expire, Then: then(expired)},
		"also for a blocked user":             {Given: with(&events.UserBlocked{}), When: expire, Then: then(expired)},
		"not before its time":                 {Given: empty, When: ExpireInvitation{Invitation: invitation, At: noon}},
		"not once it was resent":              {Given: with(resent), When: expire},
		"not once it was accepted, of course": {Given: with(accepted), When: expire},
		"not once it was revoked":             {Given: with(revoked), When: expire},
		"not twice":                           {Given: with(expired), When: expire},
		"not that of a removed user":          {Given: gone, When: expire},
		"not that of nobody":                  {When: expire, Refused: "user-not-found"},
	})
}

func TestARefusedAcceptanceIsRecordedAndLeavesTheInvitationOpen(t *testing.T) {
	t.Parallel()
	refused := &events.UserInvitationAcceptanceRefused{Invitation: invitation, Cause: CauseEmailMismatch}
	refuse := RefuseInvitation{Invitation: invitation, Cause: CauseEmailMismatch, At: noon}
	many := append([]events.Payload{}, empty[:2]...)
	for range maxRefusals {
		many = append(many, refused)
	}
	with := func(more ...events.Payload) []events.Payload { return append(empty[:2:2], more...) }
	resent := &events.UserInvitationResent{Invitation: invitation, ExpiresAt: week}
	aggregatetest.Decide(t, Evolve, tests{
		"it is recorded":                         {Given: empty, When: refuse, Then: then(refused)},
		"whichever is open":                      {Given: empty, When: RefuseInvitation{Cause: CauseEmailMismatch, At: noon}, Then: then(refused)},
		"and the invitation is accepted":         {Given: with(refused), When: AcceptInvitation{At: noon}, Then: then(&events.UserInvitationAccepted{Invitation: invitation})},
		"not without end":                        {Given: many, When: refuse},
		"but again once it was resent":           {Given: append(many[:len(many):len(many)], resent), When: refuse, Then: then(refused)},
		"not of another invitation":              {Given: empty, When: RefuseInvitation{Invitation: id, At: noon}, Refused: "invitation-not-open"},
		"not once it was accepted":               {Given: with(&events.UserInvitationAccepted{Invitation: invitation}), When: refuse, Refused: "invitation-not-open"},
		"nor when its time is over":              {Given: empty, When: RefuseInvitation{Invitation: invitation, At: week}, Refused: "invitation-not-open"},
		"nor when it was withdrawn":              {Given: with(&events.UserInvitationRevoked{Invitation: invitation}), When: refuse, Refused: "invitation-not-open"},
		"nor to a user who is blocked meanwhile": {Given: with(&events.UserBlocked{}), When: refuse, Refused: "invitation-not-open"},
		"nobody is invited to be nobody":         {When: refuse, Refused: "user-not-found"},
	})
}

func TestGrantsExpire(t *testing.T) {
	t.Parallel()
	until := &events.GroupAccessGranted{Grant: another, Group: apple, Basis: events.BasisRequest, Origin: "r", ExpiresAt: week}
	expire := ExpireGrant{Grant: another, At: week}
	expired := &events.GroupAccessExpired{Grant: another, Group: apple, RemainingGroups: 1}
	aggregatetest.Decide(t, Evolve, tests{
		"when its time is over":           {Given: given(added("cso", "groups"), granted(banana), until), When: expire, Then: then(expired)},
		"the group stays through another": {Given: given(added("cso", "groups"), granted(apple), until), When: expire, Then: then(expired)},
		"not before":                      {Given: given(added("cso", "groups"), until), When: ExpireGrant{Grant: another, At: noon}},
		"not when it was revoked":         {Given: given(added("cso", "groups"), until, &events.GroupAccessRevoked{Grant: another, Group: apple}), When: expire},
		"not twice":                       {Given: given(added("cso", "groups"), until, expired), When: expire},
		"not when it lasts":               {Given: scoped, When: ExpireGrant{Grant: grantOf(apple), At: week}},
		"also that of a removed user":     {Given: given(added("cso", "groups"), until, &events.UserRemoved{}), When: expire, Then: then(&events.GroupAccessExpired{Grant: another, Group: apple})},
		"not that of nobody":              {When: expire, Refused: "user-not-found"},
	})
}
