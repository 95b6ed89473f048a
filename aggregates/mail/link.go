package mail

import (
	"net/url"
	"strings"

	"waybill/aggregates/access"
)

// Link returns the link in which a one-time token of a purpose travels. base is
// where people reach the server. The token stands in the fragment, which browsers
// send to nobody.
func Link(base, purpose string, token access.Token, email string) string {
	v := url.Values{"token": {token.Reveal()}, "email": {email}}
	if purpose == access.PurposeClientInvitation {
		v.Set("for", "client")
	}
	return strings.TrimRight(base, "/") + "/set-password#" + v.Encode()
}
