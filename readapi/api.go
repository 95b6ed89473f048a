package readapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"waybill/aggregates/access"
	"waybill/aggregates/problem"
	"waybill/events"
	"waybill/events/fault"
)

// Progress tells how far the read model has come.
type Progress interface {
	// Wait returns when everything up to a position is in the tables, or with
	// ctx's error.
	Wait(ctx context.Context, p events.Position) error
}

// Config says what the query API works with.
type Config struct {
	// Pool connects as the role waybill_reader. Required.
	Pool *pgxpool.Pool
	// Access looks callers up again after a wait. Required.
	Access *access.Service
	// Progress makes reading one's own writes possible. Required.
	Progress Progress
	// Problems renders errors. Required.
	Problems *problem.Renderer
	// CursorKey seals cursors, 32 bytes, the same in all processes. Required.
	CursorKey []byte
	// Metrics is what GET /metrics tells, to everybody; nil = there is no such route.
	Metrics prometheus.Gatherer
	// Checks are what GET /readyz asks, by name: nil means ready.
	Checks map[string]func(context.Context) error
	// TempDir is where workbooks are put together. Defaults to the system's.
	TempDir string
	// WaitLimit bounds the wait for Waybill-Position. Defaults to 5 s.
	WaitLimit time.Duration
	// ExportStall is how long whoever reads an export may take for a piece.
	// Defaults to 30 s.
	ExportStall time.Duration
	// IndexLimit bounds the look of a search into the index of texts, after which
	// the list is walked instead. Defaults to 100 ms.
	IndexLimit time.Duration
	// WalkLimit is how many deliveries one request for a search reads, in the order
	// of the list, before the next page has to go on. Defaults to 20,000.
	WalkLimit int
	// Now is the clock. Defaults to time.Now.
	Now func() time.Time
}

type api struct {
	cfg     Config
	cursors *cursors
	zones   zones
	buffers sync.Pool
	exports exports
}

func newAPI(cfg Config) (*api, error) {
	switch {
	case cfg.Pool == nil, cfg.Access == nil, cfg.Progress == nil, cfg.Problems == nil:
		return nil, errors.New("readapi: Pool, Access, Progress and Problems are required")
	}
	if cfg.WaitLimit == 0 {
		cfg.WaitLimit = 5 * time.Second
	}
	if cfg.ExportStall <= 0 {
		cfg.ExportStall = 30 * time.Second
	}
	if cfg.IndexLimit <= 0 {
		cfg.IndexLimit = 100 * time.Millisecond
	}
	if cfg.WalkLimit <= 0 {
		cfg.WalkLimit = 20_000
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	c, err := newCursors(cfg.CursorKey)
	if err != nil {
		return nil, err
	}
	return &api{cfg: cfg, cursors: c, buffers: sync.Pool{New: func() any { b := make([]byte, 0, 32<<10); return &b }}}, nil
}

// maxKept bounds the buffers that are kept for later answers, in bytes: one large
// answer must not make all of them large for good.
const maxKept = 1 << 20

// putBack keeps a buffer for a later answer.
func (a *api) putBack(buf *[]byte) {
	if cap(*buf) <= maxKept {
		a.buffers.Put(buf)
	}
}

// positionHeader is the position that a query's answer must contain.
const positionHeader = "Waybill-Position"

// query makes a handler of a query: it waits for the position that the caller
// names, finds the caller as it stands then, and renders errors.
func (a *api) query(do func(w http.ResponseWriter, r *http.Request, c access.Caller) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := access.CallerOf(r.Context())
		if at := r.Header.Get(positionHeader); at != "" {
			var err error
			if c, err = a.await(r, at); err != nil {
				a.cfg.Problems.Write(w, r, err)
				return
			}
		}
		c.At = a.cfg.Now()
		if err := do(w, r, c); err != nil {
			a.cfg.Problems.Write(w, r, err)
		}
	})
}

// await waits until the read model holds the position, and looks the caller up
// again: what was waited for may be the caller's own access.
func (a *api) await(r *http.Request, at string) (access.Caller, error) {
	p, err := events.ParsePosition(at)
	if err != nil {
		return access.Caller{}, &problem.HTTPError{Status: http.StatusBadRequest, Code: "invalid-position",
			Detail: "The header " + positionHeader + " must hold a position as an answer gave it."}
	}
	ctx, cancel := context.WithTimeout(r.Context(), a.cfg.WaitLimit)
	defer cancel()
	if err := a.cfg.Progress.Wait(ctx, p); err != nil {
		if ctx.Err() != nil && r.Context().Err() == nil {
			return access.Caller{}, &problem.HTTPError{Status: http.StatusGatewayTimeout, Code: "position-not-reached",
				Detail: fmt.Sprintf("The read model has not reached position %s within %s. Try again, or ask without %s for what it holds now.", p, a.cfg.WaitLimit, positionHeader),
				Err:    err}
		}
		return access.Caller{}, fault.Wrap(err, fault.Unavailable, "progress-unknown", "How far the read model has come cannot be told at the moment. Try again.")
	}
	return a.cfg.Access.CallerOfRequest(r)
}
