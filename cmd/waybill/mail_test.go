package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"waybill/aggregates/mail"
	"waybill/events"
	"waybill/events/store"
	"waybill/projections"
)

// mailsOf lists the mails of a data directory.
func mailsOf(t *testing.T, args ...string) []shownMail {
	t.Helper()
	var list []shownMail
	if err := json.Unmarshal([]byte(mustRun(t, append([]string{"mail", "--json"}, args...)...)), &list); err != nil {
		t.Fatal(err)
	}
	return list
}

// mailed reports whether the outbox has seen all that there is to be mails of.
func mailed(t *testing.T, at storageFlags) bool {
	t.Helper()
	all := false
	err := withSystem(t.Context(), systemConfig{storageFlags: at, Guest: true, Pace: pace{limit: unhurried}, Log: discard()}, func(ctx context.Context, s *system) error {
		seen, err := projections.NewProgress(projections.ProgressConfig{Name: mail.Name, Pool: s.pools.Reader}).Position(ctx)
		if err != nil {
			return err
		}
		for r, err := range s.store.ReadAll(ctx, events.Position{}, store.Backwards) {
			if err != nil {
				return err
			}
			if slices.ContainsFunc(mail.Prefixes(), func(p string) bool { return strings.HasPrefix(r.Stream, p) }) {
				all = !r.Position.After(seen)
				break
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// settled reports whether nothing is left to be sent.
func settled(list []shownMail) bool {
	return !slices.ContainsFunc(list, func(m shownMail) bool { return m.State != mail.StateSent && m.State != mail.StateDropped })
}

func sentOf(list []shownMail) int {
	n := 0
	for _, m := range list {
		if m.State == mail.StateSent {
			n++
		}
	}
	return n
}

func TestWithoutAMailServerMailsAreFilesThatAreListedAndPrinted(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	s := startServer(t, "demo", "--json", "--listen", "127.0.0.1:0", "--data", dir)
	var d shown
	if err := json.Unmarshal([]byte(s.stdout.String()), &d); err != nil {
		t.Fatal(err)
	}
	adam := d.user(t, "Adam")
	var list []shownMail
	eventually(t, "everybody got a mail", func() bool {
		if !mailed(t, storageFlags{Data: dir}) {
			return false
		}
		list = mailsOf(t, "--data", dir)
		return settled(list) && slices.ContainsFunc(list, func(m shownMail) bool { return m.To == adam.Email }) && len(list) >= len(d.Users)
	})
	files, err := os.ReadDir(filepath.Join(dir, "mail"))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range list {
		if m.Organisation != d.Organisation {
			t.Errorf("%+v", m)
		}
	}
	if len(files) != sentOf(list) {
		t.Errorf("%d files, and %d mails are sent", len(files), sentOf(list))
	}
	i := slices.IndexFunc(list, func(m shownMail) bool { return m.To == adam.Email })
	id := list[i].Event.String()
	text := mustRun(t, "mail", "show", id, "--data", dir)
	for _, want := range []string{"Subject: " + d.Organisation + " has invited you", "Hello Adam,", "To: \"Adam\" <" + adam.Email + ">", s.url + "/set-password#"} {
		if !strings.Contains(text, want) {
			t.Errorf("the mail does not say %q:\n%s", want, text)
		}
	}
	// The link of the mail and the one that the demo printed both work, until one
	// is used.
	_, fragment, _ := strings.Cut(text, "#")
	fragment, _, _ = strings.Cut(fragment, "\n")
	mailed, err := url.ParseQuery(fragment)
	if err != nil {
		t.Fatal(err)
	}
	body := fmt.Sprintf(`{"token": %q, "email": %q, "password": "one fruit a day"}`, mailed.Get("token"), mailed.Get("email"))
	res, err := http.Post(s.url+"/v1/passwords", "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Errorf("the mailed link: %d", res.StatusCode)
	}
	vincent := d.user(t, "Vincent")
	if got := enter(t, s.url, vincent.Email, vincent.Link); got.token == "" {
		t.Error("the printed link does not work beside the mailed one")
	}
	for _, args := range [][]string{{"mail", "retry", id}, {"mail", "show", "x"}, {"mail", "show", "00000000-0000-0000-0000-000000000001"}} {
		if e := run(t, append(args, "--data", dir)...); e.code != exitInput && e.code != exitUsage {
			t.Errorf("%v: %d %s", args, e.code, e.stderr)
		}
	}
	s.stop()
	mustRun(t, "rebuild", "--data", dir)
	if after := mailsOf(t, "--data", dir); len(after) != len(list) {
		t.Errorf("%d mails after a rebuild, %d before", len(after), len(list))
	}
	if again, err := os.ReadDir(filepath.Join(dir, "mail")); err != nil || len(again) != len(files) {
		t.Errorf("%d files after a rebuild, %d before (%v)", len(again), len(files), err)
	}
}

func TestSettingsOfMailAreCheckedBeforeAnythingStarts(t *testing.T) {
	t.Parallel()
	const secret = "very-secret"
	for name, args := range map[string][]string{
		"no sender":         {"--smtp", "smtps://u:" + secret + "@mail.example.com", "--public-url", "https://w.example"},
		"no public address": {"--smtp", "smtps://u:" + secret + "@mail.example.com", "--mail-from", "a@example.com"},
		"no mail server":    {"--smtp", "https://u:" + secret + "@mail.example.com", "--mail-from", "a@example.com", "--public-url", "https://w.example"},
		"no address":        {"--mail-from", "nobody"},
		"no URL":            {"--public-url", "deliveries.example.com"},
	} {
		e := run(t, append([]string{"serve", "--listen", "127.0.0.1:0", "--data", filepath.Join(t.TempDir(), "none")}, args...)...)
		if e.code != exitInput || strings.Contains(e.stderr+e.stdout, secret) || strings.Count(e.stderr, "\n") != 1 {
			t.Errorf("%s: %d %s", name, e.code, e.stderr)
		}
	}
}
