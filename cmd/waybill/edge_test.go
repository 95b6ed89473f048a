package main

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"waybill/events"
)

func TestTheAuditKnowsTheClientsOfTrustedProxies(t *testing.T) {
	t.Parallel()
	for want, flags := range map[string][]string{
		"198.51.100.7": {"--trusted-proxy", "127.0.0.0/8", "--trusted-proxy", "10.0.0.1"},
		"127.0.0.1":    nil,
	} {
		dir := dataDir(t)
		s := startServer(t, append([]string{"serve", "--listen", "127.0.0.1:0", "--data", dir}, flags...)...)
		req, err := http.NewRequestWithContext(t.Context(), "POST", s.url+"/v1/sessions", strings.NewReader(`{"email": "nobody@example.com", "password": "wrong horse"}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("X-Forwarded-For", "203.0.113.9, 198.51.100.7, 10.0.0.1")
		req.Header.Set("Forwarded", "for=192.0.2.1")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if err := res.Body.Close(); err != nil || res.StatusCode != http.StatusUnauthorized {
			t.Fatalf("%s (%v)", res.Status, err)
		}
		if code := s.stop(); code != exitOK { // the trail is written by then
			t.Fatalf("exit code %d", code)
		}
		if got := strangers(t, dir); len(got) != 1 || got[0] != want {
			t.Errorf("with %v the audit has the addresses %v, want %s", flags, got, want)
		}
	}
	e := run(t, "serve", "--trusted-proxy", "everybody", "--data", dataDir(t))
	if e.code != exitUsage || !strings.Contains(e.stderr, "everybody") || !strings.Contains(e.stderr, "--trusted-proxy") {
		t.Errorf("a proxy that is none: exit code %d, %s", e.code, e.stderr)
	}
}

// strangers are the addresses from which nobody in particular was refused.
func strangers(t *testing.T, dir string) []string {
	t.Helper()
	var all []string
	err := withSystem(t.Context(), systemConfig{storageFlags: storageFlags{Data: dir}, Log: discard()}, func(ctx context.Context, s *system) error {
		for _, day := range []time.Time{time.Now().Add(-time.Hour), time.Now()} {
			stream := "Trail-" + uuid.Nil.String() + "." + day.UTC().Format(time.DateOnly)
			records, err := s.store.Read(ctx, stream, 0, 100)
			if err != nil {
				continue // not yet, or not any more
			}
			all = nil
			for _, r := range records {
				e, err := s.codec.Decode(r)
				if err != nil {
					return err
				}
				if _, ok := e.Payload.(*events.SignInRefused); ok {
					all = append(all, e.Metadata.Source.IP)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
