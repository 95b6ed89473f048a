package commandapi

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/gorilla/mux"

	"waybill/aggregates/access"
	"waybill/events/fault"
)

// Sessions are the caller's own open sessions.
type Sessions struct {
	Sessions []OwnSession `json:"sessions" doc:"The latest 200, the latest first."`
}

// OwnSession is one of them.
type OwnSession struct {
	ID         uuid.UUID `json:"id" doc:"Not the token."`
	Portal     string    `json:"portal"`
	IP         string    `json:"ip,omitzero" doc:"Where it was opened."`
	UserAgent  string    `json:"user_agent,omitzero"`
	CreatedAt  time.Time `json:"created_at"`
	ExpiresAt  time.Time `json:"expires_at"`
	LastSeenAt time.Time `json:"last_seen_at,omitzero" doc:"To ten minutes."`
	Current    bool      `json:"current,omitzero" doc:"True of the one that asks."`
}

func (a *api) listSessions(w http.ResponseWriter, r *http.Request) error {
	c := access.CallerOf(r.Context())
	open, err := a.cfg.Access.SessionsOf(r.Context(), c.Org, c.User)
	if err != nil {
		return err
	}
	answer := Sessions{Sessions: make([]OwnSession, len(open))}
	for i, s := range open {
		answer.Sessions[i] = OwnSession{ID: s.ID, Portal: s.Portal, IP: s.IP, UserAgent: s.UserAgent, CreatedAt: s.CreatedAt.UTC(), ExpiresAt: s.ExpiresAt.UTC(),
			LastSeenAt: s.LastSeen.UTC(), Current: s.ID == c.Session}
	}
	return send(w, http.StatusOK, answer)
}

// endOwn ends one thing of the person who asks, a session or an API key, by its
// id in the path.
func (a *api) endOwn(end func(ctx context.Context, org, user, id uuid.UUID) error) http.Handler {
	return a.handler(func(w http.ResponseWriter, r *http.Request) error {
		c := access.CallerOf(r.Context())
		id, err := uuid.Parse(mux.Vars(r)["id"])
		if err != nil {
			return fault.New(fault.NotFound, "", "no id in the path")
		}
		if err := end(r.Context(), c.Org, c.User, id); err != nil {
			return err
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	})
}
