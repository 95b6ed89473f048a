package main

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"waybill/events/consume"
	"waybill/projections"
	"waybill/projections/readmodel"
)

// standingOf is what waybill status tells of a data directory.
func standingOf(t *testing.T, dir string) (now standing, of map[string]projections.Status) {
	t.Helper()
	if err := json.Unmarshal([]byte(mustRun(t, "status", "--json", "--data", dir)), &now); err != nil {
		t.Fatal(err)
	}
	of = map[string]projections.Status{}
	for _, one := range now.Consumers {
		of[one.Name] = one
	}
	return now, of
}

func TestAConsumerStaysPausedOverARestartAndStatusTellsSo(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	serve := []string{"serve", "--listen", "127.0.0.1:0", "--data", dir}
	create := func(name string) {
		mustRun(t, "organisation", "create", name, "--owner-name", "Otto", "--owner-email", name+"@otto.example", "--data", dir)
	}
	s := startServer(t, serve...)
	create("first")
	now, of := standingOf(t, dir)
	eventually(t, "all consumers have begun", func() bool { now, of = standingOf(t, dir); return len(of) > 5 })
	if len(now.Servers) != 1 || now.Servers[0].URL != s.url || of[readmodel.Name].State != consume.Running || of[readmodel.Name].Position == 0 {
		t.Errorf("while a server runs: %+v", now)
	}
	if e := run(t, "consumer", "pause", "nobody", "--reason", "because", "--data", dir); e.code != exitInput || !strings.Contains(e.stderr, readmodel.Name) {
		t.Errorf("pause one that is not there: exit code %d, %s", e.code, e.stderr)
	}
	eventually(t, "the first mail is queued", func() bool { return len(mailsOf(t, "--data", dir)) == 1 })
	mustRun(t, "consumer", "pause", "mail", "--reason", "The mail server moves", "--data", dir)
	create("second")
	at := of["mail"].Position
	if code := s.stop(); code != exitOK {
		t.Fatalf("exit code %d", code)
	}
	now, of = standingOf(t, dir) // of a database that nobody runs
	if mail := of["mail"]; len(now.Servers) != 0 || mail.State != consume.Paused || mail.Reason != "The mail server moves" || mail.Position > of[readmodel.Name].Position {
		t.Errorf("while no server runs: %+v", now)
	}
	paused := of["mail"].Position
	if paused < at {
		t.Errorf("a paused consumer went back from %d to %d", at, paused)
	}

	startServer(t, serve...)
	create("third")
	if list := mailsOf(t, "--data", dir); len(list) != 1 || list[0].To != "first@otto.example" {
		t.Errorf("with paused mail, there are the mails %+v", list)
	}
	if text := mustRun(t, "status", "--data", dir); !strings.Contains(text, "paused") || !strings.Contains(text, "The mail server moves") {
		t.Errorf("after a restart:\n%s", text)
	}
	mustRun(t, "consumer", "resume", "mail", "--data", dir)
	eventually(t, "the mails of the others come", func() bool { return len(mailsOf(t, "--data", dir)) == 3 })
	eventually(t, "it runs", func() bool { _, of := standingOf(t, dir); return of["mail"].State == consume.Running })
	if e := run(t, "consumer", "resume", "mail", "--data", dir); e.code != exitInput {
		t.Errorf("resume one that is not paused: exit code %d, %s", e.code, e.stderr)
	}
}
