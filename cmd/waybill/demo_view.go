package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"waybill/aggregates/access"
	"waybill/aggregates/problem"
	"waybill/events"
	"waybill/readapi"
)

// viewer asks the query API as one user, in this process and without a session:
// invited users cannot sign in yet, but hold what they will see.
type viewer struct {
	handlers map[string]http.Handler // by the route's name
}

func (d *demo) viewer() (*viewer, error) {
	routes, err := readapi.Routes(d.s.queryConfig(problem.NewRenderer(d.s.log, uuid.New)))
	if err != nil {
		return nil, err
	}
	v := &viewer{handlers: map[string]http.Handler{}}
	for _, r := range routes {
		v.handlers[r.Name] = r.Handler
	}
	return v, nil
}

// answer takes a handler's answer in memory.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(status int) { a.status = status }

// Write implements http.ResponseWriter.
func (a *answer) Write(p []byte) (int, error) { return a.body.Write(p) }

// ask sends a query as the caller and reads its answer into out.
func (v *viewer) ask(ctx context.Context, c access.Caller, route string, query url.Values, out any) error {
	req, err := http.NewRequestWithContext(access.WithCaller(ctx, c), http.MethodGet, "/?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	a := &answer{header: http.Header{}, status: http.StatusOK}
	v.handlers[route].ServeHTTP(a, req)
	if a.status != http.StatusOK {
		return fmt.Errorf("query %s?%s as user %s: status %d: %s", route, query.Encode(), c.User, a.status, a.body.Bytes())
	}
	if err := json.Unmarshal(a.body.Bytes(), out); err != nil {
		return fmt.Errorf("query %s as user %s: %w", route, c.User, err)
	}
	return nil
}

// count returns how many deliveries the caller sees, of one group when given.
func (v *viewer) count(ctx context.Context, c access.Caller, group string) (int, error) {
	query := url.Values{}
	if group != "" {
		query.Set("group", group)
	}
	var p readapi.Progressed
	err := v.ask(ctx, c, "progress", query, &p)
	return int(p.Total), err
}

// sees reports whether the caller finds a delivery of that number in its list.
func (v *viewer) sees(ctx context.Context, c access.Caller, number string) (bool, error) {
	var list readapi.DeliveryList
	err := v.ask(ctx, c, "listDeliveries", url.Values{"do_number": {number}}, &list)
	return len(list.Deliveries) > 0, err
}

// callers returns the callers that the users of the organisation are or will be,
// as they stand now, and their status.
func (d *demo) callers(ctx context.Context) (map[uuid.UUID]access.Caller, map[uuid.UUID]string, error) {
	rows, err := d.s.pools.Identity.Query(ctx, `
		SELECT u.user_id, u.identity_id, u.role, u.status, u.permissions,
		       coalesce(bool_or(g.grant_id IS NOT NULL AND g.group_id IS NULL), false),
		       coalesce(array_agg(r.group_id) FILTER (WHERE r.group_id IS NOT NULL), '{}')
		FROM read.users u
		LEFT JOIN read.grants g ON g.user_id = u.user_id AND g.ended_at IS NULL AND (g.expires_at IS NULL OR g.expires_at > $2)
		LEFT JOIN read.groups r ON r.group_id = g.group_id AND r.status = 'active'
		WHERE u.org_id = $1 AND u.status IN ('invited', 'active')
		GROUP BY u.user_id`, d.org.ID, d.s.clock.Now())
	if err != nil {
		return nil, nil, access.Storage(fmt.Errorf("find users: %w", err))
	}
	callers, status := map[uuid.UUID]access.Caller{}, map[uuid.UUID]string{}
	c := access.Caller{Org: d.org.ID, Timezone: "UTC"}
	var state string
	var switches []byte
	_, err = pgx.ForEachRow(rows, []any{&c.User, &c.Identity, &c.Role, &state, &switches, &c.All, &c.Groups}, func() error {
		var p events.Permissions
		if len(switches) > 0 {
			if err := json.Unmarshal(switches, &p); err != nil {
				return err
			}
		}
		one := c
		one.Groups = append([]uuid.UUID(nil), c.Groups...)
		one.Permissions = access.Effective(c.Role, p)
		one.Actor = events.Actor{Type: events.ActorUser, ID: c.User.String()}
		callers[c.User], status[c.User] = one, state
		return nil
	})
	if err != nil {
		return nil, nil, access.Storage(fmt.Errorf("find users: %w", err))
	}
	return callers, status, nil
}
