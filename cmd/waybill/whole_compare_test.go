package main

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"waybill/aggregates/access"
)

// askers is everybody of both organisations, with and without keys.
func (w *world) askers() []asker {
	var all []asker
	for _, o := range w.tenants {
		for _, u := range o.users {
			all = append(append(all, asker{u, nil}), u.with()...)
		}
	}
	return all
}

// next is whose turn it is to be asked over HTTP.
func (w *world) next() asker {
	all := w.askers()
	w.turn++
	return all[w.turn%len(all)]
}

// compare compares what everybody sees, after something happened: by the tables
// under row-level security alone for all, over HTTP for one in turn.
func (w *world) compare(rt *rapid.T) {
	rt.Helper()
	if !w.moved {
		return
	}
	w.moved = false
	w.compareRows(rt)
	w.compareOverHTTP(rt, w.next())
}

// compareRows asks the tables as everybody, with no condition at all.
func (w *world) compareRows(rt *rapid.T) {
	rt.Helper()
	batch := &pgx.Batch{}
	var asking []asker
	found := w.callers(rt)
	for i, a := range w.askers() {
		c, err := found[i].c, found[i].err
		if !a.awake() {
			if err == nil {
				rt.Fatalf("%s is let in", a.name())
			}
			continue
		}
		if err != nil {
			rt.Fatalf("%s is not let in: %v", a.name(), err)
		}
		w.compareCaller(rt, a, c)
		asking = append(asking, a)
		batch.Queue(`
			SELECT set_config('waybill.org', $1, true), set_config('waybill.user', $2, true), set_config('waybill.all', $3, true),
			       set_config('waybill.groups', $4, true), set_config('waybill.manage_users', $5, true),
			       set_config('waybill.view_vehicles', $6, true), set_config('waybill.narrowed', $7, true), set_config('waybill.at', $8, true)`,
			c.Org.String(), c.User.String(), on(c.All), joined(c.Groups), on(c.May(access.ManageUsers)), on(c.May(access.ViewVehicles)), on(c.Narrowed), w.time.Now().Format(time.RFC3339Nano))
		batch.Queue(`
			SELECT 'deliveries', delivery_id FROM read.deliveries
			UNION ALL SELECT 'groups', group_id FROM read.groups
			UNION ALL SELECT 'users', user_id FROM read.users
			UNION ALL SELECT 'clients', client_id FROM read.clients
			UNION ALL SELECT 'vehicles', vehicle_id FROM read.vehicles`)
	}
	results := w.pools.Reader.SendBatch(w.ctx, batch)
	defer results.Close()
	for _, a := range asking {
		_, err := results.Exec()
		must(rt, err)
		rows, err := results.Query()
		must(rt, err)
		type row struct {
			List string
			ID   uuid.UUID
		}
		all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[row])
		must(rt, err)
		got := view{}
		for _, r := range all {
			if r.ID != a.of.all { // what stands for the organisation is no group to look into
				got[r.List] = append(got[r.List], r.ID)
			}
		}
		w.same(rt, a, "under row-level security", got)
	}
}

// lookedUp is who the bearer of a token turned out to be.
type lookedUp struct {
	c   access.Caller
	err error
}

// callers looks everybody up, all at once.
func (w *world) callers(rt *rapid.T) []lookedUp {
	rt.Helper()
	all := w.askers()
	found := make([]lookedUp, len(all))
	var looking sync.WaitGroup
	for i, a := range all {
		token := w.token(rt, a)
		looking.Go(func() { found[i].c, found[i].err = w.access.Caller(w.ctx, token) })
	}
	looking.Wait()
	return found
}

// compareCaller compares who somebody is found to be with the rules: R5 and R8.
func (w *world) compareCaller(rt *rapid.T, a asker, c access.Caller) {
	rt.Helper()
	may := c.Permissions.Names()
	want := a.permissions()
	slices.Sort(may)
	slices.Sort(want)
	var groups []*mgroup
	if !a.everything() {
		groups = a.seen()
	}
	if !slices.Equal(may, want) || c.All != a.everything() || differ(c.Groups, ids(groups)) != "" {
		rt.Fatalf("%s may %v, sees all %v, groups %v; the rules say %v, %v, %v", a.name(), may, c.All, c.Groups, want, a.everything(), ids(groups))
	}
}

// compareOverHTTP compares all lists, and some things by their ids.
func (w *world) compareOverHTTP(rt *rapid.T, a asker) {
	rt.Helper()
	token := w.token(rt, a)
	if !a.awake() {
		res, err := w.send(w.ctx, token, "GET", "/v1/deliveries", nil)
		must(rt, err)
		if res.status != 401 {
			rt.Fatalf("%s is let in: %d", a.name(), res.status)
		}
		return
	}
	got := view{}
	for _, list := range lists() {
		got[list] = w.list(rt, token, list, "")
	}
	got["clients"] = append(got["clients"], w.list(rt, token, "clients", "&status=removed")...)
	w.same(rt, a, "over HTTP", got)
	w.comparePoints(rt, a, token)
	w.compareProgress(rt, a, token)
}

// list reads a list to its end.
func (w *world) list(rt *rapid.T, token, list, more string) []uuid.UUID {
	rt.Helper()
	var all []uuid.UUID
	for cursor := ""; ; {
		path := "/v1/" + list + "?limit=100" + more
		if cursor != "" {
			path += "&cursor=" + cursor
		}
		res, err := w.send(w.ctx, token, "GET", path, nil)
		must(rt, err)
		if res.status != 200 {
			rt.Fatalf("GET %s: %d %s", path, res.status, res.body)
		}
		var page map[string]any
		must(rt, res.into(&page))
		for _, one := range page[list].([]any) {
			all = append(all, uuid.MustParse(one.(map[string]any)["id"].(string)))
		}
		if cursor, _ = page["next"].(string); cursor == "" {
			return all
		}
	}
}

// comparePoints reads some things by their ids, of whatever organisation: a delivery,
// and one of another kind in turn.
func (w *world) comparePoints(rt *rapid.T, a asker, token string) {
	rt.Helper()
	sees := viewOf(a)
	for i, list := range lists() {
		if i > 0 && i != 1+w.turn%(len(lists())-1) {
			continue
		}
		o := w.tenants[(w.turn+i)/3%2]
		there := [][]uuid.UUID{
			idsOf(o.deliveries, func(d *mdelivery) uuid.UUID { return d.id }), ids(o.groups), idsOf(o.users, func(u *muser) uuid.UUID { return u.id }),
			idsOf(o.clients, func(k *mclient) uuid.UUID { return k.id }), idsOf(o.vehicles, func(v *mvehicle) uuid.UUID { return v.id }),
		}[i]
		if len(there) == 0 {
			continue
		}
		id := there[w.turn%len(there)]
		res, err := w.send(w.ctx, token, "GET", "/v1/"+list+"/"+id.String(), nil)
		must(rt, err)
		want := 404
		if slices.Contains(sees[list], id) {
			want = 200
		}
		if res.status != want {
			rt.Fatalf("%s gets one of %s by its id: %d %s, the rules say %d", a.name(), list, res.status, res.body, want)
		}
	}
}

func idsOf[T any](all []T, id func(T) uuid.UUID) []uuid.UUID {
	out := make([]uuid.UUID, len(all))
	for i, one := range all {
		out[i] = id(one)
	}
	return out
}

// same compares what somebody got to see with the rules.
func (w *world) same(rt *rapid.T, a asker, how string, got view) {
	rt.Helper()
	want := viewOf(a)
	for _, list := range lists() {
		if diff := differ(got[list], want[list]); diff != "" {
			rt.Fatalf("%s, %s: %s %s\n%s", a.name(), how, list, diff, a.detail())
		}
	}
}

// detail tells what the model knows of somebody's access.
func (a asker) detail() string {
	var b strings.Builder
	for _, g := range a.grants {
		fmt.Fprintf(&b, "grant of %q (%s) %s until %s; ", g.group.name, g.group.status, g.basis, g.ends)
	}
	return b.String()
}

// differ tells how two sets differ; empty when they do not.
func differ(got, want []uuid.UUID) string {
	missing := slices.DeleteFunc(slices.Clone(want), func(id uuid.UUID) bool { return slices.Contains(got, id) })
	more := slices.DeleteFunc(slices.Clone(got), func(id uuid.UUID) bool { return slices.Contains(want, id) })
	if len(missing)+len(more) == 0 && len(got) == len(want) {
		return ""
	}
	return fmt.Sprintf("lacks %v, has too much %v, %d of %d", missing, more, len(got), len(want))
}

func on(yes bool) string {
	if yes {
		return "on"
	}
	return ""
}

func joined(ids []uuid.UUID) string {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = id.String()
	}
	return strings.Join(texts, ",")
}
