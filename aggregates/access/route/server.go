package route

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/gorilla/mux"
	"github.com/prometheus/client_golang/prometheus"

	"waybill/aggregates/access"
	"waybill/aggregates/problem"
)

// Config says what stands around the handlers of routes.
type Config struct {
	// Access finds the callers of routes that are not public. Required.
	Access *access.Service
	// Problems renders errors. Required.
	Problems *problem.Renderer
	// Registry takes the metrics. Required.
	Registry prometheus.Registerer
	// Now is the clock. Defaults to time.Now.
	Now func() time.Time
	// Title and Version stand in the OpenAPI document. Default to "waybill" and
	// "0".
	Title, Version string
}

func (c *Config) setDefaults() {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Title == "" {
		c.Title = "waybill"
	}
	if c.Version == "" {
		c.Version = "0"
	}
}

// Router returns one router for all routes, with GET /openapi.json, which tells
// of them, beside them.
func Router(cfg Config, routes ...Route) (*mux.Router, error) {
	cfg.setDefaults()
	if cfg.Access == nil || cfg.Problems == nil || cfg.Registry == nil {
		return nil, errors.New("route: Access, Problems and Registry are required")
	}
	served, err := measure(cfg)
	if err != nil {
		return nil, err
	}
	own := Own()
	doc, err := Document(cfg.Title, cfg.Version, append([]Route{own}, routes...))
	if err != nil {
		return nil, err
	}
	own.Handler = serveDocument(doc)

	r := mux.NewRouter().UseEncodedPath().SkipClean(true)
	names := map[string]bool{}
	all := append([]Route{own}, routes...)
	// The router tries one route after the other: the queries, which are most of
	// the requests, come first.
	slices.SortStableFunc(all, func(x, y Route) int { return cmp.Compare(rank(x), rank(y)) })
	for _, rt := range all {
		if names[rt.Name] || rt.Handler == nil {
			return nil, fmt.Errorf("route: %s %s: its name %q is taken or it has no handler", rt.Method, rt.Path, rt.Name)
		}
		names[rt.Name] = true
		h := rt.Handler
		if rt.Personal {
			h = access.PersonOnly(cfg.Problems, rt.Refused, h)
		}
		if !rt.Public {
			h = cfg.Access.Require(cfg.Problems, h)
		}
		h = served.wrap(rt, cfg.Problems.Recover(h))
		at(r, rt.Path).Handler(h).Methods(rt.Method).Name(rt.Name)
	}
	r.NotFoundHandler = guarded(http.HandlerFunc(cfg.Problems.NotFound))
	r.MethodNotAllowedHandler = guarded(notAllowed(cfg.Problems, r))
	return r, nil
}

// Own is the route that tells of the others. It has no handler.
func Own() Route {
	return Route{Method: http.MethodGet, Path: "/openapi.json", Name: "openapi", Verb: "server openapi",
		Summary: "The OpenAPI document of all routes.", Public: true, Files: []string{"application/json"}, Status: http.StatusOK}
}

func rank(r Route) int {
	switch {
	case r.Method != http.MethodGet:
		return 2
	case r.Public:
		return 1
	default:
		return 0
	}
}

// notAllowed answers for a path that has other methods, and names them.
func notAllowed(problems *problem.Renderer, router *mux.Router) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		var allow []string
		for _, m := range [...]string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
			probe := req.Clone(req.Context())
			probe.Method = m
			var match mux.RouteMatch
			if router.Match(probe, &match) && match.MatchErr == nil {
				allow = append(allow, m)
			}
		}
		problems.Write(w, req, &problem.HTTPError{Status: http.StatusMethodNotAllowed, Code: "method-not-allowed",
			Detail: "This path does not have the method " + req.Method + ".", Allow: allow})
	})
}

func serveDocument(doc []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "public, max-age=60")
		w.Header().Set("Content-Length", strconv.Itoa(len(doc)))
		_, _ = w.Write(doc) // the caller may have gone away
	})
}

// Serve is how long-lived the pieces of a request may be. Bodies of imports are
// the exception: their handler moves the deadline itself.
func Serve(handler http.Handler, logger *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      60 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
}

// Shutdown ends a server: no new requests, the running ones finish, for as long
// as patience lasts.
func Shutdown(server *http.Server, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		return errors.Join(fmt.Errorf("shut down http server: %w", err), server.Close())
	}
	return nil
}
