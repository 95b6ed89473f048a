package mail

import (
	"time"

	"github.com/google/uuid"

	"waybill/events"
)

// Kinds of mail.
const (
	KindUserInvitation   = "user_invitation"   // a link that sets the first password, or the advice to sign in
	KindClientAccount    = "client_account"    // the same, for an account made on a client's behalf
	KindClientInvitation = "client_invitation" // a link that accepts the invitation
	KindPasswordReset    = "password_reset"    // a link that sets another password
	KindUserBlocked      = "user_blocked"      // no link
)

// Name is the name of the outbox as a consumer.
const Name = "mail"

// Prefixes are the stream prefixes that it follows.
func Prefixes() []string {
	return []string{events.CategoryUser + "-", events.CategoryClientAccount + "-"}
}

// concerns reports whether events of a type may be told by mail.
func concerns(eventType string) bool {
	switch eventType {
	case "UserInvited", "UserInvitationResent", "PasswordResetRequested", "UserBlocked",
		"ClientAccountCreated", "ClientInvited", "ClientInvitationResent":
		return true
	}
	return false
}

// occasion returns the kind of mail that an event is told by, and when it is not
// worth telling any more; false when it is not told. lasting is how long that is
// for an event that does not say.
func occasion(e events.Event, lasting time.Duration) (kind string, expires time.Time, told bool) {
	switch p := e.Payload.(type) {
	case *events.UserInvited:
		// A contact's invitation comes with the one notice of the client's account.
		return KindUserInvitation, p.ExpiresAt, p.Client == uuid.Nil
	case *events.UserInvitationResent:
		return KindUserInvitation, p.ExpiresAt, true
	case *events.PasswordResetRequested:
		return KindPasswordReset, p.ExpiresAt, true
	case *events.UserBlocked:
		return KindUserBlocked, e.Metadata.RecordedAt.Add(lasting), true
	case *events.ClientAccountCreated:
		return KindClientAccount, e.Metadata.RecordedAt.Add(lasting), p.Mode == events.ModeOnBehalf
	case *events.ClientInvited:
		return KindClientInvitation, p.ExpiresAt, true
	case *events.ClientInvitationResent:
		return KindClientInvitation, p.ExpiresAt, true
	}
	return "", time.Time{}, false
}
