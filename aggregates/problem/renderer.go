package problem

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"

	"waybill/events/fault"
)

// Renderer writes problems. It is safe for concurrent use.
type Renderer struct {
	logger *slog.Logger
	newID  func() uuid.UUID
}

// NewRenderer returns a renderer. Internal errors are logged to logger under an
// id of newID, which the caller is told.
func NewRenderer(logger *slog.Logger, newID func() uuid.UUID) *Renderer {
	return &Renderer{logger: logger, newID: newID}
}

// Write answers a request with what went wrong. It is to be called before
// anything else of the answer was written.
func (w *Renderer) Write(rw http.ResponseWriter, r *http.Request, err error) {
	p := w.render(r, err)
	h := rw.Header()
	for _, name := range [...]string{"ETag", "Location", "Link", "Content-Length"} {
		h.Del(name)
	}
	h.Set("Content-Type", MediaType)
	h.Set("Cache-Control", "no-store")
	if p.Allow != "" {
		h.Set("Allow", p.Allow)
	}
	if p.retry > 0 {
		h.Set("Retry-After", strconv.Itoa(p.retry))
	}
	if p.sign {
		h.Set("WWW-Authenticate", `Bearer realm="waybill"`)
	}
	body, merr := json.Marshal(p)
	if merr != nil { // a Problem always encodes
		rw.WriteHeader(http.StatusInternalServerError)
		return
	}
	body = append(body, '\n')
	h.Set("Content-Length", strconv.Itoa(len(body)))
	rw.WriteHeader(p.Status)
	if r.Method != http.MethodHead {
		_, _ = rw.Write(body) // the caller may have gone away
	}
}

func (w *Renderer) render(r *http.Request, err error) Problem {
	return w.Problem(r.Context(), r.Method, r.URL.Path, err)
}

// Problem renders an error without answering, for answers that hold several.
// method and path are for the log.
func (w *Renderer) Problem(ctx context.Context, method, path string, err error) Problem {
	var he *HTTPError
	if errors.As(err, &he) {
		return he.problem()
	}
	var fe *fault.Error
	if errors.As(err, &fe) && fe.Kind != fault.Internal {
		if fe.Kind == fault.Unavailable {
			w.logger.WarnContext(ctx, "unavailable", "method", method, "path", path, "error", err)
		}
		return of(fe)
	}
	if errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
		return of(fault.New(fault.Unavailable, "timeout", "This took too long. Try again."))
	}
	p := of(&fault.Error{})
	id := w.newID()
	p.Instance = "urn:uuid:" + id.String()
	w.logger.ErrorContext(ctx, "internal error", "instance", id, "method", method, "path", path, "error", err)
	return p
}

// NotFound answers for paths that no route has. It is the same answer as that of
// a thing that does not exist.
func (w *Renderer) NotFound(rw http.ResponseWriter, r *http.Request) {
	w.Write(rw, r, fault.New(fault.NotFound, "", "no route"))
}

// Recover turns a handler's panic into an internal error.
func (w *Renderer) Recover(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		defer func() {
			v := recover()
			if v == nil {
				return
			}
			if v == http.ErrAbortHandler { //nolint:errorlint // net/http compares it so
				panic(v)
			}
			err, ok := v.(error)
			if !ok {
				err = errors.New("panic")
			}
			w.logger.ErrorContext(r.Context(), "panic in a handler", "panic", v)
			w.Write(rw, r, err)
		}()
		next.ServeHTTP(rw, r)
	})
}
