package commandapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"waybill/aggregates/access"
	"waybill/aggregates/access/route"
	"waybill/aggregates/problem"
	"waybill/events/fault"
)

// Headers of requests that may be repeated, and of the answer to a repetition.
const (
	keyHeader      = "Idempotency-Key"
	replayedHeader = "Idempotency-Replayed"
)

// keyParam describes the key of a command.
func keyParam() route.Param {
	return route.Param{In: "header", Name: keyHeader, Summary: "Makes a repetition harmless: a UUID, or any text of 1 to 255 printable ASCII characters, " +
		"yours alone and of this method and path alone. For 24 hours the same request (body, query and If-Match) gets the same answer, with " +
		replayedHeader + ": true; another one is refused with 422 idempotency-key-reused; while the first is executed the answer is " +
		"409 idempotency-key-in-flight. Kept are answers that a repetition would not change: not 401, 403, 404, 429 and 5xx, after which the same request is executed again; " +
		"nor is an answer given to a caller who sees or may something else by then. What was executed is not executed twice, also after the 24 hours."}
}

// importKeyParam describes the key of a command whose body is not held.
func importKeyParam() route.Param {
	return route.Param{In: "header", Name: keyHeader, Summary: "Marks what is written as one import, also when it is sent again. " +
		"The body is not compared and the answer not kept: the file is read again, and what it holds is known already."}
}

// requestID makes an id of the caller's key: one key of one caller is one request
// of one method and path. It reports whether there is a key at all.
func requestID(r *http.Request, c access.Caller) (uuid.UUID, bool, error) {
	keys := r.Header.Values(keyHeader)
	if len(keys) == 0 {
		return uuid.Nil, false, nil
	}
	key := keys[0]
	if len(keys) > 1 || !printable(key) || len(key) < 1 || len(key) > 255 {
		return uuid.Nil, false, &problem.HTTPError{Status: http.StatusBadRequest, Code: "invalid-idempotency-key",
			Detail: "The header " + keyHeader + " must be there once, with 1 to 255 printable ASCII characters."}
	}
	// None of the parts but the last can hold a NUL.
	text := c.Actor.String() + "\x00" + r.Method + "\x00" + r.URL.EscapedPath() + "\x00" + key
	return uuid.NewSHA1(c.User, []byte(text)), true, nil
}

func printable(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// requestHash is equal for requests that ask for the same: the body, the query
// and the revision that the caller saw.
func requestHash(r *http.Request, body []byte) [sha256.Size]byte {
	sum := sha256.Sum256(body)
	text := slices.Concat(sum[:], []byte(r.URL.RawQuery), []byte{0}, []byte(r.Header.Get(matchHeader)))
	return sha256.Sum256(text)
}

// commandID makes the id of a command whose body is not held, such as an import.
func (a *api) commandID(r *http.Request, c access.Caller) (uuid.UUID, error) {
	id, keyed, err := requestID(r, c)
	if err == nil && !keyed {
		id = a.cfg.NewID()
	}
	return id, err
}

// once executes a request unless it has an answer already, and keeps the answer.
// The command's id comes of the key and the body, so that whatever happens to
// the kept answer, the log recognises a repetition and takes nothing else for one.
func (a *api) once(w http.ResponseWriter, r *http.Request, req access.Repeatable, do func(http.ResponseWriter) (settled bool, err error)) error {
	at, kept, err := a.cfg.Access.Begin(r.Context(), req)
	if err != nil {
		return err
	}
	if kept != nil {
		w.Header().Set(replayedHeader, "true")
		return give(w, *kept)
	}
	rec := &recorder{header: http.Header{}}
	settled := false
	func() {
		defer func() { a.settle(r.Context(), at, rec, settled) }() // also when the handler panics
		var failed error
		if settled, failed = do(rec); failed != nil {
			a.cfg.Problems.Write(rec, r, failed)
			settled = final(failed)
		}
	}()
	maps.Copy(w.Header(), rec.header)
	w.WriteHeader(rec.status)
	_, _ = w.Write(rec.body.Bytes()) // the caller may have gone away
	return nil
}

// settle keeps an answer, or lets the request be tried again, before anybody has
// the answer, and also when the caller has gone away.
func (a *api) settle(ctx context.Context, at access.Attempt, rec *recorder, keep bool) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	var err error
	if keep {
		err = a.cfg.Access.Finish(ctx, at, rec.answer())
	} else {
		err = a.cfg.Access.Release(ctx, at)
	}
	if err != nil { // its time will be over by itself
		a.cfg.Logger.WarnContext(ctx, "the answer to a request could not be kept", "error", err)
	}
}

// settleTime bounds the keeping of an answer.
const settleTime = 5 * time.Second

// final reports whether the same request would be refused for the same reason
// again, as far as that lies in the request and in what was found.
func final(err error) bool {
	var he *problem.HTTPError
	if errors.As(err, &he) {
		return he.Status == http.StatusPreconditionFailed
	}
	var fe *fault.Error
	if !errors.As(err, &fe) {
		return false
	}
	switch fe.Kind {
	case fault.Invalid:
		return true
	case fault.Conflict:
		return fe.Code != "stream-busy" && fe.Code != "stream-moved"
	default:
		return false
	}
}

// give sends an answer that was kept.
func give(w http.ResponseWriter, kept access.Answer) error {
	for name, value := range kept.Header {
		w.Header().Set(name, value)
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(kept.Body)))
	w.WriteHeader(kept.Status)
	_, _ = w.Write(kept.Body) // the caller may have gone away
	return nil
}

// recorder holds an answer back.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (r *recorder) Header() http.Header { return r.header }

// WriteHeader implements http.ResponseWriter.
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
}

// Write implements http.ResponseWriter.
func (r *recorder) Write(p []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(p)
}

func (r *recorder) answer() access.Answer {
	kept := access.Answer{Status: r.status, Header: map[string]string{}, Body: r.body.Bytes()}
	for _, name := range [...]string{"Content-Type", "Location", "ETag", positionHeader, visibleHeader} {
		if v := r.header.Get(name); v != "" {
			kept.Header[name] = v
		}
	}
	return kept
}
