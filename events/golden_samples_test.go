package events

import (
	"crypto/sha256"
	"testing"
	"time"

	"github.com/google/uuid"
)

func sha256Sum(b []byte) []byte {
	s := sha256.Sum256(b)
	return s[:]
}

// sample is one payload of every type with every field filled in.
func sample(t *testing.T, name string) Payload {
	t.Helper()
	at := time.Date(2026, 3, 10, 9, 30, 0, 0, time.UTC)
	text := func(s string) Personal { return PersonalText(testUser, s) }
	for _, p := range []Payload{
		&GroupCreated{Kind: GroupKindAll, Name: "ALL", Client: testUser, Organisation: &Organisation{Name: "Swift", Kind: OrganisationOperator, Timezone: "Europe/London"}},
		&OwnerAdded{User: testUser}, &GroupFieldEnabled{}, &GroupFieldDisabled{},
		&CustomerCodeMapped{Code: "APL"}, &CustomerCodeUnmapped{Code: "APL"},
		&VehicleAddedToGroup{Vehicle: testUser, Name: "van_1", Plate: "AB12 CDE"},
		&GroupArchived{}, &GroupRestored{},
		&UserAdded{Identity: testUser, Name: text("Olivia Öberg"), Email: text("olivia@example.com"), Role: "owner", Access: AccessAll},
		&AllGroupsAccessGranted{Grant: testUser, Basis: BasisRole},
		&GroupAccessGranted{Grant: testUser, Group: testOrg, Basis: BasisRequest, Origin: "req_1", ExpiresAt: at},
		&GroupAccessRevoked{Grant: testUser, Group: testOrg, RemainingGroups: 2},
		&UserPermissionsSet{Before: Permissions{"view_vehicles": true}, After: Permissions{"view_vehicles": false}},
		&UserInvited{Invitation: testUser, ExpiresAt: at}, &UserInvitationAccepted{Invitation: testUser}, &PasswordSet{},
		&UserBlocked{Client: testOrg}, &UserUnblocked{Client: testOrg, StillBlocked: true},
		&ClientAdded{BusinessName: "Cherry Ltd", Contact: text("Carl"), Email: text("carl@example.com")},
		&DispatcherAssigned{From: testOrg, To: testUser}, &ClientGroupLinked{Group: testOrg, GroupName: "Cherry"},
		&DeliveryCreated{
			DONumber: "D1", Type: TypeCollection, Date: "2026-03-10", Group: testOrg, Address: text("1 Long Street"),
			Recipient: text("R. Ecipient"), Phone: text("+44 20 7946 0000"), Email: text("r@example.com"),
			Items:   []Item{{ID: "1", SKU: "S", Description: "Pens", Quantity: 9007199254740993, Unit: "box"}},
			Vehicle: testUser, Attempt: 1, Previous: testOrg, Import: &Import{ID: testUser, File: "export.xlsx", Row: 2},
		},
		&DeliveryTagged{FromGroup: testOrg, Group: testUser}, &DeliveryUntagged{FromGroup: testOrg},
		&DeliveryAssigned{Vehicle: testUser}, &DeliveryDispatched{OccurredAt: at},
		&DeliveryCompleted{OccurredAt: at, Proof: []Proof{{Reference: "photo-1", SHA256: "00ff"}}}, &DeliveryFailed{OccurredAt: at},
		&OwnerRemoved{User: testUser}, &GroupRenamed{From: "Banana", To: "Banana Wholesale"},
		&GroupMerged{Into: testOrg, Widened: []uuid.UUID{testUser}}, &TimezoneSet{From: "UTC", To: "Europe/London"},
		&VehicleRemovedFromGroup{Vehicle: testUser},
		&GroupImportTemplateSet{Template: ImportTemplate{Columns: map[string]string{"group": "Customer Code", "date": "Delivery Date"}, DateFormat: "DD/MM/YYYY"}},
		&UserInvitationResent{Invitation: testUser, ExpiresAt: at}, &UserInvitationRevoked{Invitation: testUser},
		&UserInvitationExpired{Invitation: testUser}, &UserInvitationAcceptanceRefused{Invitation: testUser, Cause: "email_mismatch"},
		&PasswordResetRequested{ExpiresAt: at}, &UserRoleChanged{From: "cso", To: "manager"}, &AllGroupsAccessRevoked{Grant: testUser},
		&GroupAccessRequested{Request: testUser, Group: testOrg, ExpiresAt: at}, &GroupAccessRequestApproved{Request: testUser},
		&GroupAccessRequestDenied{Request: testUser}, &GroupAccessExpired{Grant: testUser, Group: testOrg, RemainingGroups: 1},
		&AccessReviewed{Decision: ReviewReduce}, &UserRemoved{},
		&ClientDetailsChanged{Before: ClientDetails{BusinessName: "Cherry", Email: text("c@example.com")},
			After: ClientDetails{BusinessName: "Cherry Ltd", Contact: text("Carl"), Email: text("carl@example.com"), Phone: text("+44 1632 960001")}},
		&ClientAccountCreated{Mode: ModeOnBehalf, Approval: ApprovalNotRequired, User: testUser, Identity: testOrg,
			Details: ClientDetails{BusinessName: "Cherry Ltd", Contact: text("Carl"), Email: text("carl@example.com"), Phone: text("+44 1632 960001")}},
		&ClientNotified{Kind: NoticeAccountCreated}, &ClientInvited{Invitation: testUser, Email: text("carl@example.com"), ExpiresAt: at},
		&ClientInvitationResent{Invitation: testUser, ExpiresAt: at}, &ClientInvitationRevoked{Invitation: testUser},
		&ClientInvitationExpired{Invitation: testUser}, &ClientInvitationAccepted{Invitation: testUser},
		&ClientInvitationAcceptanceRefused{Invitation: testUser, Cause: "email_mismatch"}, &ClientInvitationDeclined{Invitation: testUser},
		&ClientApprovalGranted{Scope: ScopeManageDispatches}, &ClientApprovalWithdrawn{}, &DispatcherUnassigned{From: testUser},
		&ClientRemoved{Fate: FateKeptByClient}, &ClientReinstated{},
		&DeliveryChanged{Before: DeliveryDetails{DONumber: "D1", Date: "2026-03-10"},
			After: DeliveryDetails{DONumber: "D1b", Date: "2026-03-11", Address: text("2 Long Street"), Recipient: text("S. Ecipient"), Phone: text("+44 1632 960002"),
				Email: text("s@example.com"), Items: []Item{{ID: "1", Quantity: 2}}}},
		&DeliveryUnassigned{Vehicle: testUser}, &DeliveryGoodsReceived{OccurredAt: at}, &DeliveryHeadingStarted{OccurredAt: at}, &DeliveryArrived{OccurredAt: at},
		&DeliveryPartiallyCompleted{OccurredAt: at, Rejected: []RejectedItem{{Item: "1", Quantity: 1}}, Proof: []Proof{{Reference: "photo-1", SHA256: "00ff"}}},
		&DeliveryPutOnHold{}, &DeliveryReleased{To: StatusDispatched}, &DeliveryReturned{OccurredAt: at}, &DeliveryCancelled{},
		&DeliveryReattempted{Date: "2026-03-12", Next: testUser}, &DeliveryEtaRevised{Eta: at},
		&DeliveryOutcomeCorrected{From: StatusFailed, To: StatusCompleted}, &DeliveryDeleted{},
		&KeyClaimed{Kind: KeyDelivery, Category: CategoryDelivery, Holder: testUser, Imported: true},
		&KeyReleased{Holder: testUser}, &CreationAbandoned{Claim: "Claim-x"},
		&SignedIn{User: testUser, Session: testOrg}, &SignInRefused{Cause: "password"},
		&CommandRefused{Command: "CreateGroup", Cause: "denied", Target: "t"}, &FactsDropped{Facts: 7, Since: at},
	} {
		if p.EventType() == name {
			return p
		}
	}
	t.Fatalf("no sample payload for %s", name)
	return nil
}
