package readapi

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/google/uuid"
	"github.com/gorilla/mux"
	"github.com/jackc/pgx/v5"

	"waybill/aggregates/access"
)

// named is the place in a list that runs by name and id; a null name, which was
// erased, comes last.
type named struct {
	Name *string   `json:"n"`
	ID   uuid.UUID `json:"i"`
}

// namedList is a list that runs by name and id.
type namedList struct {
	query string // up to its WHERE, with at least one condition
	name  string // column
	id    string // column
	args  []any  // of query
}

// page runs one page of a list. scan adds a row to the answer and returns its
// place; it is called for at most limit rows.
func (a *api) page(r *http.Request, c access.Caller, l namedList, limit int, cursor string, scan func(pgx.Rows) (named, error)) (string, error) {
	s := &statement{args: l.args}
	s.text.WriteString(l.query)
	if cursor != "" {
		var after named
		if err := a.cursors.openJSON(c, list(r), cursor, &after); err != nil {
			return "", err
		}
		if after.Name == nil {
			s.text.WriteString(` AND ` + l.name + ` IS NULL AND ` + l.id + ` > ` + s.arg(after.ID))
		} else {
			s.text.WriteString(` AND ((` + l.name + `, ` + l.id + `) > (` + s.arg(*after.Name) + `, ` + s.arg(after.ID) + `) OR ` + l.name + ` IS NULL)`)
		}
	}
	s.text.WriteString(` ORDER BY ` + l.name + `, ` + l.id + ` LIMIT ` + strconv.Itoa(limit+1))
	batch := scoped(c)
	batch.Queue(s.text.String(), s.args...)
	n, more := 0, false
	var last named
	err := a.run(r.Context(), batch, func(results pgx.BatchResults) error {
		return rows(results, func(rs pgx.Rows) (err error) {
			if n == limit {
				more = true
				return nil
			}
			n++
			if last, err = scan(rs); err != nil {
				return fmt.Errorf("list: %w", err)
			}
			return nil
		})
	})
	if err != nil || !more {
		return "", err
	}
	return a.cursors.sealJSON(c, list(r), last)
}

// named reads the parameters of a list by name, runs a page of it and announces
// the next one.
func (a *api) named(w http.ResponseWriter, r *http.Request, c access.Caller, l namedList, scan func(pgx.Rows) (named, error)) (string, error) {
	p := paramsOf(r, "limit", "cursor")
	limit := p.limit()
	if err := p.err(); err != nil {
		return "", err
	}
	next, err := a.page(r, c, l, limit, p.text("cursor"), scan)
	if err != nil {
		return "", err
	}
	link(w, r, next)
	return next, nil
}

// item answers with the one row of a list that has the id of the path. scan
// returns the answer and the revision of its stream, nil without a stream.
func (a *api) item(w http.ResponseWriter, r *http.Request, c access.Caller, l namedList, scan func(pgx.Rows) (any, *uint64, error)) error {
	if err := paramsOf(r).err(); err != nil {
		return err
	}
	id, err := uuid.Parse(mux.Vars(r)["id"])
	if err != nil {
		return errNotFound()
	}
	s := &statement{args: l.args}
	s.text.WriteString(l.query + ` AND ` + l.id + ` = ` + s.arg(id))
	batch := scoped(c)
	batch.Queue(s.text.String(), s.args...)
	var answer any
	var revision *uint64
	err = a.run(r.Context(), batch, func(results pgx.BatchResults) error {
		return rows(results, func(rs pgx.Rows) (err error) {
			answer, revision, err = scan(rs)
			return err
		})
	})
	switch {
	case err != nil:
		return err
	case answer == nil:
		return errNotFound()
	}
	if revision != nil {
		tag(w, *revision)
	}
	return reply(w, answer)
}

// tag sets the ETag: the revision of the stream that the answer is about.
func tag(w http.ResponseWriter, revision uint64) {
	w.Header().Set("ETag", `"`+strconv.FormatUint(revision, 10)+`"`)
}
