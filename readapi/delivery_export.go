package readapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"waybill/aggregates/access"
	"waybill/aggregates/problem"
	"waybill/events/fault"
)

// Bounds of exports. Those of number are of one process.
const (
	exportTime     = 15 * time.Minute // for all of it
	exportPage     = 1000             // deliveries read at a time, after which access is looked up again
	exportItems    = 10_000           // items read at a time, unless one delivery has more
	exportsOfOrg   = 2                // at once
	exportsAtOnce  = 4                // of all organisations: each keeps a connection to Postgres
	exportsRetryIn = 10 * time.Second
)

// exportDeliveries answers GET /v1/deliveries/export: the deliveries of a list,
// item by item, as a file that an import knows. It is of one moment, whatever
// happens while it is written; a caller who loses sight of something meanwhile
// does not get the rest. What fails after the first byte breaks the connection:
// no file ends short without that being seen.
func (a *api) exportDeliveries(w http.ResponseWriter, r *http.Request, c access.Caller) error {
	if !c.May(access.ExportDeliveries) {
		return fault.New(fault.Denied, "permission-missing", "This needs the permission %q.", access.ExportDeliveries)
	}
	p := paramsOf(r, append(filterParams(), "format")...)
	f := a.filter(p, c)
	format, ok := formatOf(p.text("format"))
	if !ok {
		p.refuse("format", "must be csv or xlsx")
	}
	if err := p.err(); err != nil {
		return err
	}
	f.limit = exportPage
	done, err := a.exports.begin(c.Org)
	if err != nil {
		return err
	}
	defer done()
	ctx, cancel := context.WithTimeout(r.Context(), exportTime)
	defer cancel()
	name := "deliveries-" + f.today.Format(time.DateOnly) + format.extension
	out := &fileWriter{to: w, connection: http.NewResponseController(w), media: format.media, name: name, stall: a.cfg.ExportStall, until: time.Now().Add(exportTime)}
	// What cannot move its deadlines keeps the server's.
	_ = out.connection.SetReadDeadline(out.until)
	_ = out.connection.SetWriteDeadline(out.until)
	e := &export{api: a, request: r, caller: c, filter: f}
	if err := e.run(ctx, format, out); err != nil {
		if !out.begun {
			return err
		}
		a.cfg.Problems.Problem(r.Context(), r.Method, r.URL.Path, err) // for the log
		panic(http.ErrAbortHandler)
	}
	return nil
}

// exports counts the exports under way.
type exports struct {
	mu  sync.Mutex
	of  map[uuid.UUID]int
	all int
}

// begin takes a place for an export of an organisation; done gives it back.
func (x *exports) begin(org uuid.UUID) (done func(), err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	switch {
	case x.of[org] >= exportsOfOrg:
		return nil, &problem.HTTPError{Status: http.StatusTooManyRequests, Code: "exports-busy", RetryAfter: exportsRetryIn,
			Detail: fmt.Sprintf("Your organisation has %d exports under way. Wait for one of them.", exportsOfOrg)}
	case x.all >= exportsAtOnce:
		return nil, &problem.HTTPError{Status: http.StatusServiceUnavailable, Code: "exports-busy", RetryAfter: exportsRetryIn,
			Detail: "Too many exports are under way at the moment. Try again later."}
	}
	if x.of == nil {
		x.of = map[uuid.UUID]int{}
	}
	x.of[org]++
	x.all++
	return func() {
		x.mu.Lock()
		defer x.mu.Unlock()
		x.all--
		if x.of[org]--; x.of[org] == 0 {
			delete(x.of, org)
		}
	}, nil
}

// fileWriter sends a file. The headers go with its first bytes, so that until then
// the answer can still be a problem.
type fileWriter struct {
	to         http.ResponseWriter
	connection *http.ResponseController
	media      string
	name       string
	stall      time.Duration
	until      time.Time
	begun      bool
}

// Write implements io.Writer.
func (f *fileWriter) Write(p []byte) (int, error) {
	if !f.begun {
		f.begun = true
		h := f.to.Header()
		h.Set("Content-Type", f.media)
		h.Set("Content-Disposition", `attachment; filename="`+f.name+`"`)
	}
	deadline := time.Now().Add(f.stall)
	if deadline.After(f.until) {
		deadline = f.until
	}
	_ = f.connection.SetWriteDeadline(deadline)
	return f.to.Write(p)
}

// export is one export under way.
type export struct {
	api     *api
	request *http.Request
	caller  access.Caller
	filter  deliveryFilter
	tx      pgx.Tx
	names   exportNames
}

// run writes the whole file.
func (e *export) run(ctx context.Context, format exportFormat, out *fileWriter) (err error) {
	e.tx, err = e.api.cfg.Pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return access.Storage(fmt.Errorf("begin an export: %w", err))
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		_ = e.tx.Rollback(ctx) // it has written nothing
	}()
	if err := e.scope(ctx); err != nil {
		return access.Storage(fmt.Errorf("scope of an export: %w", err))
	}
	if format.most > 0 && !e.filter.nothing {
		if err := e.fits(ctx, format.most); err != nil {
			return err
		}
	}
	file, err := format.begin(out, e.api.cfg.TempDir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.close()) }()
	if err := file.row(exportHeader()); err != nil {
		return err
	}
	for more := !e.filter.nothing; more; {
		if more, err = e.page(ctx, file); err != nil {
			return err
		}
		if !more {
			break
		}
		if err := e.still(); err != nil {
			return err
		}
	}
	return file.finish()
}

// scope says who asks, for the whole transaction, and how long one statement and
// one silence may last. Pages run along an index in the order of the list (see
// pageQuery), and whether items are seen is looked up by the delivery, not by
// reading all deliveries for every piece.
func (e *export) scope(ctx context.Context) error {
	b := scopedPage(e.caller)
	b.Queue(`SELECT set_config('statement_timeout', '60s', true), set_config('idle_in_transaction_session_timeout', $1, true),
		set_config('enable_seqscan', 'off', true)`, strconv.Itoa(int(2*e.api.cfg.ExportStall.Milliseconds())))
	return e.tx.SendBatch(ctx, b).Close()
}

// fits refuses what one sheet cannot hold, before anything of it is made.
func (e *export) fits(ctx context.Context, most int64) error {
	text, args := e.filter.countSQL()
	var n int64
	if err := e.tx.QueryRow(ctx, text, args...).Scan(&n); err != nil {
		return access.Storage(fmt.Errorf("count an export: %w", err))
	}
	if n > most {
		return errTooManyRows(n, most)
	}
	return nil
}

func errTooManyRows(n, most int64) error {
	return fault.New(fault.Invalid, "export-too-large",
		"The export has %d rows, and a sheet holds %d with its header. Take fewer days or groups at a time, or format=csv.", n, most+1)
}

// still looks the caller up again and ends an export of what the caller sees no
// more.
func (e *export) still() error {
	now, err := e.api.cfg.Access.CallerOfRequest(e.request)
	if err != nil {
		return err
	}
	lost := now.User != e.caller.User || now.Org != e.caller.Org || !now.May(access.ExportDeliveries) ||
		e.caller.May(access.ViewVehicles) && !now.May(access.ViewVehicles) || e.caller.SeesAll() && !now.SeesAll()
	for _, g := range e.caller.Groups {
		lost = lost || !now.Sees(g)
	}
	if lost {
		return fault.New(fault.Denied, "access-changed", "You see less than when the export began. Begin again.")
	}
	return nil
}
