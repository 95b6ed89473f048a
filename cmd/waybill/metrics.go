package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"waybill/aggregates/access/route"
)

// metricsFlags say who is told how the server is doing.
type metricsFlags struct {
	MetricsListen string `placeholder:"HOST:PORT" help:"Tell figures for Prometheus at /metrics of this address, to whoever reaches it; off tells nobody. Default: beside everything else while that is for this machine alone (a loopback address, no --public-url, no --trusted-proxy), else nobody."`
}

// metricsOff is the address that tells nobody.
const metricsOff = "off"

// metricsPlace is where figures are told. The zero value tells nobody.
type metricsPlace struct {
	here  bool         // beside everything else
	apart net.Listener // nil = nowhere else
}

// metrics takes the port for figures before anything is started. What listens on l
// is public when people reach it by another address.
func (f serverFlags) metrics(l net.Listener, public bool) (metricsPlace, error) {
	switch f.MetricsListen {
	case metricsOff:
		return metricsPlace{}, nil
	case "":
		at, ok := l.Addr().(*net.TCPAddr)
		return metricsPlace{here: ok && at.IP.IsLoopback() && !public && len(f.TrustedProxy) == 0}, nil
	}
	apart, err := net.Listen("tcp", f.MetricsListen)
	if err != nil {
		return metricsPlace{}, addressError("--metrics-listen", f.MetricsListen, err)
	}
	return metricsPlace{apart: apart}, nil
}

// close gives the port back; it may be called again.
func (p metricsPlace) close() {
	if p.apart != nil {
		_ = p.apart.Close() // of a server that has ended it is closed already
	}
}

// String says where figures are told.
func (p metricsPlace) String() string {
	switch {
	case p.apart != nil:
		return "figures for Prometheus are on " + urlOf(p.apart) + "/metrics"
	case p.here:
		return "figures for Prometheus are on /metrics"
	default:
		return "figures for Prometheus are told nobody; --metrics-listen says where"
	}
}

// serveMetrics tells figures at an address of their own until ctx ends.
func (s *system) serveMetrics(ctx context.Context) error {
	if s.metrics.apart == nil {
		return nil
	}
	only := http.NewServeMux()
	only.Handle("GET /metrics", promhttp.HandlerFor(s.registry, promhttp.HandlerOpts{}))
	server := route.Serve(only, s.log)
	served := make(chan error, 1)
	go func() { served <- server.Serve(s.metrics.apart) }()
	select {
	case err := <-served:
		return fmt.Errorf("metrics on %s: %w", s.metrics.apart.Addr(), err)
	case <-ctx.Done():
	}
	err := route.Shutdown(server, shutdownPatience)
	if e := <-served; !errors.Is(e, http.ErrServerClosed) {
		err = errors.Join(err, e)
	}
	return err
}
