package access

import (
	"context"
	"net"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"waybill/aggregates/problem"
	"waybill/events"
	"waybill/events/fault"
)

type callerKey struct{}

// CallerOf returns the caller that [Service.Require] found for a request; the
// zero Caller, which may nothing, when the route did not require one.
func CallerOf(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey{}).(Caller)
	return c
}

// WithCaller returns a context that carries a caller.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// Require lets only requests of a known caller through, looked up anew for every
// request.
func (s *Service) Require(problems *problem.Renderer, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := s.CallerOfRequest(r)
		if err != nil {
			problems.Write(w, r, err)
			return
		}
		next.ServeHTTP(w, r.WithContext(WithCaller(r.Context(), c)))
	})
}

// PersonOnly lets only people through, who have a session: a machine manages
// neither sessions nor keys, lest who found one key makes others. refused, unless
// nil, is told whom it turns away. It stands within [Service.Require].
func PersonOnly(problems *problem.Renderer, refused func(*http.Request, error), next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if CallerOf(r.Context()).Session == uuid.Nil {
			err := fault.New(fault.Denied, "session-needed", "This needs a session; an API key will not do.")
			if refused != nil {
				refused(r, err)
			}
			problems.Write(w, r, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// CallerOfRequest finds the caller of a request by its bearer token. Errors:
// Unauthenticated.
func (s *Service) CallerOfRequest(r *http.Request) (Caller, error) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return Caller{}, errNoSession()
	}
	c, err := s.Caller(r.Context(), strings.TrimSpace(token))
	if err != nil {
		return Caller{}, err
	}
	c.Source = SourceOf(r)
	c.Source.Portal = c.Portal
	return c, nil
}

// maxUserAgent bounds what is kept of a header that anybody can fill, in bytes.
const maxUserAgent = 256

// SourceOf returns where a request came from.
func SourceOf(r *http.Request) events.Source {
	ip, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		ip = ""
	}
	agent := r.UserAgent()
	if len(agent) > maxUserAgent {
		agent = agent[:maxUserAgent]
	}
	if !utf8.ValidString(agent) {
		agent = strings.ToValidUTF8(agent, "")
	}
	return events.Source{IP: ip, UserAgent: agent}
}
