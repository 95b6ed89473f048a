package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/google/uuid"

	"waybill/aggregates/access/route"
	"waybill/aggregates/commandapi"
	"waybill/aggregates/problem"
	"waybill/aggregates/telemetry"
	"waybill/readapi"
)

// shutdownPatience is how long requests under way may take to end.
const shutdownPatience = 15 * time.Second

// listen takes the port before anything is started, so that one in use is known
// while nothing is half-done.
func listen(address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, addressError("--listen", address, err)
	}
	return l, nil
}

// serve is what a server does besides following the log, until ctx ends.
func (s *system) serve(ctx context.Context, l net.Listener, setupToken string, ready func()) error {
	here, err := s.presence()
	if err != nil {
		return err
	}
	if err := here.Announce(ctx); err != nil {
		return err
	}
	// The trail and the resets outlive the requests, so that they hold what the last
	// ones did.
	return runLayers(ctx, alongside(s.trail.Run, s.resets.Run), alongside(s.tidy, here.Run, s.serveMetrics, func(ctx context.Context) error { return s.serveHTTP(ctx, l, setupToken, ready) }))
}

// tidying is how often sessions and links whose time is over are deleted. They
// have stopped working before.
const tidying = time.Hour

func (s *system) tidy(ctx context.Context) error {
	tick := time.NewTicker(tidying)
	defer tick.Stop()
	for {
		n, err := s.access.PurgeExpired(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			s.log.WarnContext(ctx, "expired sessions could not be deleted, to be tried again", "error", err, "again_in", tidying)
		case n > 0:
			s.log.InfoContext(ctx, "expired sessions and links deleted", "rows", n)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// serveHTTP answers requests until ctx ends, then lets those under way finish.
func (s *system) serveHTTP(ctx context.Context, l net.Listener, setupToken string, ready func()) error {
	handler, err := s.handler(setupToken)
	if err != nil {
		return err
	}
	if handler, err = s.edge.behind(handler); err != nil {
		return err
	}
	server := route.Serve(handler, s.log)
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	ready()
	select {
	case err := <-served:
		return fmt.Errorf("http server on %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	err = route.Shutdown(server, shutdownPatience)
	if e := <-served; !errors.Is(e, http.ErrServerClosed) {
		err = errors.Join(err, e)
	}
	return err
}

// handler assembles the command routes and the query routes.
func (s *system) handler(setupToken string) (http.Handler, error) {
	problems := problem.NewRenderer(s.log, uuid.New)
	queries, err := readapi.Routes(s.queryConfig(problems))
	if err != nil {
		return nil, err
	}
	positions, err := telemetry.New(telemetry.Config{Pool: s.pools.Identity, Now: s.clock.Now})
	if err != nil {
		return nil, err
	}
	commands, err := commandapi.Routes(commandapi.Config{
		Uploads: s.edge.uploads(), Positions: positions, Commands: s.commands, Access: s.access, Progress: s.progress, Problems: problems, SetupToken: setupToken, Trail: s.trail, Resets: s.resets, VisibleLimit: s.pace.limit, Logger: s.log,
	})
	if err != nil {
		return nil, err
	}
	return route.Router(route.Config{Access: s.access, Problems: problems, Registry: s.registry, Version: version()}, append(queries, commands...)...)
}

func (s *system) queryConfig(problems *problem.Renderer) readapi.Config {
	cfg := readapi.Config{
		Pool: s.pools.Reader, Access: s.access, Progress: s.progress, Problems: problems, CursorKey: s.cursors, WaitLimit: s.pace.limit, Now: s.clock.Now,
		Checks: map[string]func(context.Context) error{
			"postgres":   s.pools.Reader.Ping,
			"eventstore": func(ctx context.Context) error { _, err := s.store.Head(ctx); return err },
		},
	}
	if s.metrics.here {
		cfg.Metrics = s.registry
	}
	return cfg
}

// urlOf is the address of the server as a person opens it.
func urlOf(l net.Listener) string {
	host, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return "http://" + l.Addr().String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}
