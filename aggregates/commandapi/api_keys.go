package commandapi

import (
	"net/http"
	"time"

	"github.com/google/uuid"

	"waybill/aggregates/access"
	"waybill/aggregates/access/route"
	"waybill/events"
)

// NewAPIKey asks for a key for a machine.
type NewAPIKey struct {
	Name        string      `json:"name"`
	Permissions []string    `json:"permissions,omitempty" doc:"The key may no more than these, nor more than you may at the time. Absent: what you may."`
	Groups      []uuid.UUID `json:"groups,omitempty" doc:"The key sees no more than these, nor more than you see at the time. Absent: what you see."`
	ExpiresAt   time.Time   `json:"expires_at,omitzero" doc:"Absent: never."`
}

// APIKeyMade is the answer.
type APIKeyMade struct {
	ID  uuid.UUID `json:"id"`
	Key string    `json:"key" doc:"Send it as Authorization: Bearer. It cannot be had again."`
}

// APIKeys are the caller's own keys.
type APIKeys struct {
	Keys []APIKey `json:"keys"`
}

// APIKey is one of them.
type APIKey struct {
	ID          uuid.UUID   `json:"id"`
	Name        string      `json:"name"`
	Permissions []string    `json:"permissions,omitzero" doc:"Absent: what its user may."`
	Groups      []uuid.UUID `json:"groups,omitzero" doc:"Absent: what its user sees."`
	CreatedAt   time.Time   `json:"created_at"`
	ExpiresAt   time.Time   `json:"expires_at,omitzero"`
	LastUsedAt  time.Time   `json:"last_used_at,omitzero" doc:"To ten minutes."`
}

// apiKeyRoutes take no Idempotency-Key: the answer would have to be kept, and it
// holds the key.
func (a *api) apiKeyRoutes() []route.Route {
	return []route.Route{
		{Method: http.MethodPost, Path: "/v1/api-keys", Name: "makeAPIKey", Verb: "api-key create", Args: []string{"name"}, Open: true, Personal: true,
			Example: NewAPIKey{Name: "warehouse", Permissions: []string{access.CreateDeliveries.String()}, Groups: []uuid.UUID{route.Sample("group")}},
			Summary: "Make a key with which a machine acts on the caller's behalf.",
			Handler: a.handler(a.noting("makeAPIKey", a.makeKey)), Body: route.Of[NewAPIKey](), Answer: route.Of[APIKeyMade](), Status: http.StatusCreated},
		{Method: http.MethodGet, Path: "/v1/api-keys", Name: "listAPIKeys", Verb: "api-key list", Personal: true, Columns: []string{"id", "name", "permissions", "groups", "expires_at", "last_used_at"}, Summary: "The caller's own API keys, the latest first.",
			Handler: a.handler(a.listKeys), Answer: route.Of[APIKeys](), Status: http.StatusOK},
		{Method: http.MethodDelete, Path: "/v1/api-keys/{id}", Name: "revokeAPIKey", Verb: "api-key revoke", Open: true, Personal: true, Summary: "End one of the caller's own API keys.",
			Handler: a.endOwn(a.cfg.Access.RevokeKey), Status: http.StatusNoContent},
	}
}

// behalf returns on whose behalf a machine acts; empty for a person.
func behalf(c access.Caller) string {
	if c.Actor.Type != events.ActorAPIKey {
		return ""
	}
	return events.Actor{Type: events.ActorUser, ID: c.User.String()}.String()
}

func (a *api) makeKey(w http.ResponseWriter, r *http.Request) error {
	var in NewAPIKey
	c, _, err := a.readAs(w, r, &in, false)
	if err != nil {
		return err
	}
	id, token, err := a.cfg.Access.MakeKey(r.Context(), c, access.NewKey{Name: in.Name, Permissions: in.Permissions, Groups: in.Groups, ExpiresAt: in.ExpiresAt})
	if err != nil {
		return err
	}
	return send(w, http.StatusCreated, APIKeyMade{ID: id, Key: token.Reveal()})
}

func (a *api) listKeys(w http.ResponseWriter, r *http.Request) error {
	c := access.CallerOf(r.Context())
	keys, err := a.cfg.Access.KeysOf(r.Context(), c.Org, c.User)
	if err != nil {
		return err
	}
	answer := APIKeys{Keys: make([]APIKey, len(keys))}
	for i, k := range keys {
		answer.Keys[i] = APIKey{ID: k.ID, Name: k.Name, Permissions: k.Permissions, Groups: k.Groups,
			CreatedAt: k.CreatedAt.UTC(), ExpiresAt: k.ExpiresAt.UTC(), LastUsedAt: k.LastUsed.UTC()}
	}
	return send(w, http.StatusOK, answer)
}
