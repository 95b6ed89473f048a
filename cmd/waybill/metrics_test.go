package main

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// fetched returns the status and the text of a URL.
func fetched(t *testing.T, url string) (int, string) {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

func TestMetricsAreToldWhereTheOperatorSays(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	s := startServer(t, "serve", "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0", "--data", dir)
	_, after, _ := strings.Cut(s.stdout.String(), "Prometheus are on ")
	apart, _, ok := strings.Cut(after, "\n")
	if !ok || strings.HasPrefix(apart, s.url) {
		t.Fatalf("where figures are told is not said:\n%s", s.stdout)
	}
	if status, text := fetched(t, apart); status != http.StatusOK || !strings.Contains(text, "waybill_http_requests_total") {
		t.Errorf("%s: %d %s", apart, status, text)
	}
	if status, _ := fetched(t, strings.TrimSuffix(apart, "/metrics")+"/v1/me"); status != http.StatusNotFound {
		t.Errorf("the address for figures answers other things: %d", status)
	}
	if status, text := fetched(t, s.url+"/metrics"); status != http.StatusNotFound || strings.Contains(text, "waybill_") {
		t.Errorf("with another address, everybody is told: %d %s", status, text)
	}
	if _, text := fetched(t, s.url+"/openapi.json"); strings.Contains(text, `"/metrics"`) {
		t.Error("the OpenAPI document tells of a route that is not there")
	}
	if out := mustRun(t, "server", "metrics", "--server", strings.TrimSuffix(apart, "/metrics")); !strings.Contains(out, "waybill_http_requests_total") {
		t.Errorf("waybill server metrics: %s", out)
	}
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(s.url, "http://"))
	e := run(t, "serve", "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:"+port, "--data", dataDir(t))
	if e.code != exitUnavailable || !strings.Contains(e.stderr, "--metrics-listen") || !strings.Contains(e.stderr, port) {
		t.Errorf("a port in use: exit code %d, %s", e.code, e.stderr)
	}
}

func TestMetricsAreToldUnaskedToThisMachineAlone(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, listen, said string
		public             bool
		proxies            []string
		here               bool
	}{
		{name: "loopback", listen: "127.0.0.1:0", here: true},
		{name: "every interface", listen: "0.0.0.0:0"},
		{name: "behind a public URL", listen: "127.0.0.1:0", public: true},
		{name: "behind a proxy", listen: "127.0.0.1:0", proxies: []string{"127.0.0.1"}},
		{name: "off", listen: "127.0.0.1:0", said: metricsOff},
	} {
		l, err := listen(c.listen)
		if err != nil {
			t.Fatal(err)
		}
		got, err := serverFlags{metricsFlags: metricsFlags{c.said}, edgeFlags: edgeFlags{TrustedProxy: c.proxies}}.metrics(l, c.public)
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if err != nil || got.apart != nil || got.here != c.here {
			t.Errorf("%s: told to everybody %v (%v), want %v", c.name, got.here, err, c.here)
		}
	}
}
