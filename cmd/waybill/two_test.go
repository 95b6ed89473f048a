package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/go-json-experiment/json"

	"waybill/cmd/waybill/sample"
	"waybill/projections/postgres"
)

func TestSeveralServersShareExternalStoresAndTakeOver(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	pg, err := postgres.Start(t.Context(), postgres.Config{Dir: filepath.Join(dir, "postgres"), NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := pg.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	if err := pg.EnsureDatabase(t.Context(), "shared"); err != nil {
		t.Fatal(err)
	}
	node := startServer(t, "eventstore", "--listen", "127.0.0.1:0", "--data", filepath.Join(dir, "events"))
	stores := []string{"--eventstore", node.url, "--postgres", pg.URL("shared")}

	a := startServer(t, append([]string{"demo", "--json", "--listen", "127.0.0.1:0", "--data", filepath.Join(dir, "a")}, stores...)...)
	b := startServer(t, append([]string{"serve", "--listen", "127.0.0.1:0", "--data", filepath.Join(dir, "b")}, stores...)...)
	var d shown
	if err := json.Unmarshal([]byte(a.stdout.String()), &d); err != nil {
		t.Fatal(err)
	}
	vincent := d.user(t, "Vincent")
	atA := enter(t, a.url, vincent.Email, vincent.Link)
	atB := &client{t: t, url: b.url, token: atA.token}
	if got := len(atB.everything()); got != sample.Deliveries {
		t.Errorf("the second server shows %d deliveries", got)
	}

	more := func(name, row string) {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte("customer code,do number,date\n"+row+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		mustRun(t, append([]string{"import", path}, stores...)...)
	}
	more("one.csv", "Apple,NEW-1,2026-04-01")
	if got := len(atB.everything()); got != sample.Deliveries+1 {
		t.Errorf("after an import beside both: %d deliveries", got)
	}
	outbox := append([]string{"--data", filepath.Join(dir, "c")}, stores...)
	shared := storageFlags{Data: filepath.Join(dir, "c"), Eventstore: node.url, Postgres: pg.URL("shared")}
	eventually(t, "every mail is sent", func() bool {
		if !mailed(t, shared) {
			return false
		}
		list := mailsOf(t, outbox...)
		return len(list) >= len(d.Users) && settled(list)
	})
	if code := a.stop(); code != exitOK {
		t.Errorf("the first server ended with exit code %d", code)
	}
	more("two.csv", "Apple,NEW-2,2026-04-01")
	if got := len(atB.everything()); got != sample.Deliveries+2 {
		t.Errorf("after the first server ended: %d deliveries", got)
	}
	mustRun(t, append([]string{"organisation", "create", "Second", "--owner-name", "Otto", "--owner-email", "otto@second.example"}, outbox...)...)
	eventually(t, "the other server has taken over the mails", func() bool {
		list := mailsOf(t, outbox...)
		return list[0].To == "otto@second.example" && settled(list)
	})
	for place, want := range map[string]int{"a": sentOf(mailsOf(t, outbox...)) - 1, "b": 1} { // each mail once
		if files, err := os.ReadDir(filepath.Join(dir, place, "mail")); err != nil || len(files) != want {
			t.Errorf("server %s sent %d mails, want %d (%v)", place, len(files), want, err)
		}
	}
}
