package readmodel_test

import (
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"waybill/events"
)

// Texts that have to survive: quotes, escapes, what Postgres does not store.
var awkward = []string{"plain", "", `quo"te \ back`, "日本 ✓", "line\nbreak", `\u0041`, "tab\t<&>"}

// randomHistory draws a log of n events in two small organisations, in which
// every stream begins with its creation and goes on in any order.
func randomHistory(t *rapid.T, n int) *history {
	h := newHistory()
	orgs := []uuid.UUID{number(1001), number(1002)}
	abandoned := map[uuid.UUID]bool{}
	categories := []string{events.CategoryDelivery, events.CategoryUser, events.CategoryGroup, events.CategoryClientAccount}
	focus := rapid.SampledFrom(categories).Draw(t, "focus") // most events meet in few streams
	for range n {
		o, category := 0, focus
		if rapid.IntRange(0, 3).Draw(t, "elsewhere") == 0 {
			o = rapid.IntRange(0, len(orgs)-1).Draw(t, "org")
			category = rapid.SampledFrom(categories).Draw(t, "category")
		}
		g := generator{t: t, org: o}
		var id uuid.UUID
		switch category {
		case events.CategoryGroup:
			id = g.group()
		case events.CategoryUser:
			id = g.user()
		case events.CategoryClientAccount:
			id = g.member(300, 2)
		default:
			id = g.member(400, 4)
		}
		if abandoned[id] {
			continue
		}
		first := h.revisions[events.Stream(category, orgs[o], id).String()] == 0
		if first && g.one(12) {
			abandoned[id] = true
			h.happens(category, orgs[o], id, &events.CreationAbandoned{Claim: "Claim-x"})
			continue
		}
		h.happens(category, orgs[o], id, g.payload(category, id, first), g.metadata)
	}
	for _, subject := range []int{200, 301, 1400, 402} {
		if rapid.Bool().Draw(t, "erased") {
			h.ring.erase(number(subject))
		}
	}
	return h
}

type generator struct {
	t   *rapid.T
	org int
}

// member draws one of n ids of this organisation; the other's are 1000 higher.
func (g generator) member(base, n int) uuid.UUID {
	return number(1000*g.org + base + rapid.IntRange(0, n-1).Draw(g.t, "member"))
}

func (g generator) group() uuid.UUID   { return g.member(100, 3) }
func (g generator) user() uuid.UUID    { return g.member(200, 2) }
func (g generator) vehicle() uuid.UUID { return g.member(500, 2) }
func (g generator) one(in int) bool    { return rapid.IntRange(1, in).Draw(g.t, "chance") == 1 }
func (g generator) text() string       { return rapid.SampledFrom(awkward).Draw(g.t, "text") }
func (g generator) name() string       { return "n" + g.text() }

func (g generator) maybe(u uuid.UUID) uuid.UUID {
	if g.one(3) {
		return uuid.Nil
	}
	return u
}

func (g generator) metadata(m *events.Metadata) {
	if g.one(3) {
		m.Reason = g.text()
	}
	if g.one(4) {
		m.Approval = events.Approval{By: "u:1", Reference: g.text()}
	}
	if g.one(4) {
		m.Actor = events.Actor{Type: events.ActorSystem}
	}
}

func (g generator) payload(category string, id uuid.UUID, first bool) events.Payload {
	switch category {
	case events.CategoryGroup:
		return g.ofGroup(id, first)
	case events.CategoryUser:
		return g.ofUser(id, first)
	case events.CategoryClientAccount:
		return g.ofClient(id, first)
	default:
		return g.ofDelivery(id, first)
	}
}

func (g generator) ofGroup(id uuid.UUID, first bool) events.Payload {
	if first {
		p := &events.GroupCreated{Kind: events.GroupKindClient, Name: g.name(), Client: g.maybe(g.member(300, 2))}
		if id == number(1000*g.org+100) {
			p.Kind, p.Organisation = events.GroupKindAll, &events.Organisation{Name: g.name(), Kind: events.OrganisationOperator, Timezone: "Asia/Singapore"}
		}
		return p
	}
	code := rapid.SampledFrom([]string{"A", "B"}).Draw(g.t, "code")
	return rapid.SampledFrom([]events.Payload{
		&events.CustomerCodeMapped{Code: code}, &events.CustomerCodeUnmapped{Code: code},
		&events.GroupArchived{}, &events.GroupRestored{}, &events.GroupFieldEnabled{}, &events.GroupFieldDisabled{},
		&events.VehicleAddedToGroup{Vehicle: g.vehicle()}, &events.OwnerAdded{User: number(1)},
		&events.VehicleAddedToGroup{Vehicle: g.vehicle(), Name: g.name(), Plate: g.text()},
		&events.VehicleRemovedFromGroup{Vehicle: g.vehicle()}, &events.TimezoneSet{To: rapid.SampledFrom([]string{"UTC", "Asia/Tokyo"}).Draw(g.t, "timezone")},
		&events.GroupRenamed{From: "n", To: g.name()}, &events.GroupMerged{Into: g.group()},
		&events.GroupImportTemplateSet{}, &events.GroupImportTemplateSet{Template: events.ImportTemplate{Columns: map[string]string{"group": g.text()}}},
	}).Draw(g.t, "event")
}

func (g generator) ofUser(id uuid.UUID, first bool) events.Payload {
	if first {
		return &events.UserAdded{Identity: number(9), Name: events.PersonalText(id, g.text()),
			Email: events.PersonalText(id, g.name()), Role: "cso", Access: events.AccessGroups}
	}
	// Two grants per user, that begin and end again and again.
	grant := func() uuid.UUID { return uuid.NewSHA1(id, []byte{byte(rapid.IntRange(0, 1).Draw(g.t, "grant"))}) }
	granted := &events.GroupAccessGranted{Grant: grant(), Group: g.group(), Basis: events.BasisDirect, Origin: g.text()}
	if g.one(3) {
		granted.ExpiresAt = time.Date(2027, 1, 2, 3, 4, 5, 0, time.UTC)
	}
	// And two requests, that are asked and decided again and again.
	request := func() uuid.UUID { return uuid.NewSHA1(id, []byte{byte(rapid.IntRange(2, 3).Draw(g.t, "request"))}) }
	asked := &events.GroupAccessRequested{Request: request(), Group: g.group(), By: number(5), Why: g.text(), ExpiresAt: granted.ExpiresAt}
	if g.one(3) {
		return rapid.SampledFrom([]events.Payload{
			asked, asked, &events.GroupAccessRequestApproved{Request: request()}, &events.GroupAccessRequestDenied{Request: request()},
			&events.GroupAccessExpired{Grant: grant(), Group: g.group()}, &events.AllGroupsAccessRevoked{Grant: grant(), Cause: events.CauseReplaced},
			&events.UserRoleChanged{From: "cso", To: rapid.SampledFrom([]string{"owner", "customer"}).Draw(g.t, "role")}, &events.UserRemoved{},
			&events.UserInvitationResent{Invitation: number(1)}, &events.UserInvitationRevoked{Invitation: number(1)},
			&events.UserInvitationExpired{Invitation: number(1)}, &events.AccessReviewed{Decision: events.ReviewKeep}, &events.PasswordResetRequested{},
		}).Draw(g.t, "event")
	}
	return rapid.SampledFrom([]events.Payload{
		granted, &events.GroupAccessRevoked{Grant: grant(), Group: g.group()}, &events.GroupAccessRevoked{Grant: grant(), Group: g.group()},
		&events.AllGroupsAccessGranted{Grant: grant(), Basis: events.BasisRole},
		&events.UserInvited{Invitation: number(1)}, &events.UserInvitationAccepted{Invitation: number(1)}, &events.PasswordSet{},
		&events.UserBlocked{}, &events.UserUnblocked{}, &events.UserUnblocked{Client: number(7), StillBlocked: true},
		&events.UserPermissionsSet{After: events.Permissions{"manage_users": g.one(2)}},
	}).Draw(g.t, "event")
}

func (g generator) ofClient(id uuid.UUID, first bool) events.Payload {
	if first {
		return &events.ClientAdded{BusinessName: g.name(), Contact: events.PersonalText(id, g.text()), Email: events.PersonalText(id, g.name())}
	}
	told := events.ClientDetails{BusinessName: g.name(), Contact: events.PersonalText(id, g.text()),
		Email: events.PersonalText(id, g.name()), Phone: events.PersonalText(id, g.text())}
	later := time.Date(2026, 4, rapid.IntRange(1, 9).Draw(g.t, "day"), 8, 0, 0, 0, time.UTC)
	return rapid.SampledFrom([]events.Payload{
		&events.DispatcherAssigned{To: g.maybe(g.user())}, &events.DispatcherUnassigned{From: g.user()},
		&events.ClientGroupLinked{Group: g.group(), GroupName: "g"}, &events.ClientDetailsChanged{After: told},
		&events.ClientAccountCreated{Mode: events.ModeInvited, Approval: events.ApprovalGranted, Details: told, User: g.user()},
		&events.ClientAccountCreated{Mode: events.ModeOnBehalf, Approval: events.ApprovalNotRequired, Details: told, User: g.user()},
		&events.ClientNotified{Kind: events.NoticeAccountCreated}, &events.ClientInvited{Invitation: number(1), Email: told.Email, ExpiresAt: later},
		&events.ClientInvited{Invitation: number(2), Email: told.Email, ExpiresAt: later}, &events.ClientInvitationResent{ExpiresAt: later},
		&events.ClientInvitationRevoked{}, &events.ClientInvitationExpired{}, &events.ClientInvitationAccepted{},
		&events.ClientInvitationDeclined{}, &events.ClientInvitationAcceptanceRefused{},
		&events.ClientApprovalGranted{}, &events.ClientApprovalWithdrawn{},
		&events.ClientRemoved{Fate: events.FateEnded}, &events.ClientRemoved{Fate: events.FateKeptByClient}, &events.ClientReinstated{},
	}).Draw(g.t, "event")
}

func (g generator) ofDelivery(id uuid.UUID, first bool) events.Payload {
	if first {
		p := &events.DeliveryCreated{
			DONumber: g.name(), Type: events.TypeDelivery, Date: rapid.SampledFrom([]string{"2026-03-01", "2026-03-02"}).Draw(g.t, "date"),
			Group: g.maybe(g.group()), Vehicle: g.maybe(g.vehicle()), Attempt: 1,
			Address: events.PersonalText(id, g.text()), Recipient: events.PersonalText(id, g.text()),
			Phone: events.PersonalText(id, g.text()), Email: events.PersonalText(id, g.text()),
		}
		for range rapid.IntRange(0, 2).Draw(g.t, "items") {
			p.Items = append(p.Items, events.Item{ID: g.text(), SKU: g.text(), Description: g.text(), Quantity: 3, Unit: "box"})
		}
		if g.one(4) {
			p.Previous, p.Attempt = g.member(400, 4), 2
		}
		if g.one(2) {
			p.Import = &events.Import{ID: number(8), File: g.name(), Row: 2}
		}
		return p
	}
	var at time.Time
	if g.one(2) {
		at = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	}
	dispatched := &events.DeliveryDispatched{OccurredAt: at}
	details := func() events.DeliveryDetails {
		d := events.DeliveryDetails{DONumber: g.name(), Date: rapid.SampledFrom([]string{"2026-03-01", "2026-03-02"}).Draw(g.t, "date"),
			Address: events.PersonalText(id, g.text()), Recipient: events.PersonalText(id, g.text())}
		for range rapid.IntRange(0, 3).Draw(g.t, "items") {
			d.Items = append(d.Items, events.Item{ID: g.text(), Quantity: 4})
		}
		return d
	}
	return rapid.SampledFrom([]events.Payload{
		&events.DeliveryTagged{FromGroup: g.maybe(g.group()), Group: g.group()}, &events.DeliveryUntagged{FromGroup: g.group()},
		&events.DeliveryAssigned{Vehicle: g.vehicle()}, dispatched, dispatched, &events.DeliveryFailed{},
		&events.DeliveryCompleted{Proof: []events.Proof{{Reference: g.name(), SHA256: "00"}}},
		&events.DeliveryPartiallyCompleted{Rejected: []events.RejectedItem{{Item: g.name(), Quantity: 2}}},
		&events.DeliveryChanged{Before: details(), After: details()}, &events.DeliveryChanged{Before: details(), After: details()},
		&events.DeliveryUnassigned{Vehicle: g.vehicle()}, &events.DeliveryGoodsReceived{OccurredAt: at},
		&events.DeliveryHeadingStarted{OccurredAt: at}, &events.DeliveryArrived{}, &events.DeliveryPutOnHold{},
		&events.DeliveryReleased{To: events.StatusDispatched}, &events.DeliveryReturned{OccurredAt: at}, &events.DeliveryCancelled{},
		&events.DeliveryReattempted{Date: "2026-03-03", Next: g.member(400, 4)},
		&events.DeliveryEtaRevised{Eta: time.Date(2026, 3, 1, 10, rapid.IntRange(0, 59).Draw(g.t, "eta"), 0, 0, time.UTC)},
		&events.DeliveryOutcomeCorrected{From: events.StatusFailed, To: events.StatusCompleted}, &events.DeliveryDeleted{},
	}).Draw(g.t, "event")
}
