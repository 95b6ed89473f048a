package mail_test

import (
	"errors"
	"fmt"
	netmail "net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"waybill/aggregates/mail"
	"waybill/events/fault"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func message() mail.Message {
	return mail.Message{Event: uuid.New(), Date: time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC), From: netmail.Address{Name: "Waybill", Address: "mail@waybill.example"},
		To: netmail.Address{Name: "Adam", Address: "adam@example.com"}, Subject: "Welcome", Text: "Hello Adam,\n\nhttps://w.example/set-password#token=abc&email=adam%40example.com\n", Web: "<p>Hello Adam</p>"}
}

func TestMailGoesOverTLSToWhoeverSignsIn(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"starttls", "smtps", "plain"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			server, m := newMailServer(t, kind), message()
			must(t, server.smtp(t).Send(t.Context(), m))
			got := server.mails("adam@example.com")
			if len(got) != 1 || got[0].from != "mail@waybill.example" || got[0].secured != (kind != "plain") {
				t.Fatalf("%+v: want one mail, over TLS unless there is none", got)
			}
			l := got[0].letter(t)
			if l.Text != m.Text || l.Subject != m.Subject || l.MessageID != m.Event.String()+"@waybill.example" || !l.Date.Equal(m.Date) ||
				!strings.Contains(l.To, "adam@example.com") || !strings.Contains(got[0].raw, "text/html") {
				t.Errorf("%+v in\n%s", l, got[0].raw)
			}
		})
	}
}

func TestAHeaderHoldsWhatItIsGivenAndNothingElse(t *testing.T) {
	t.Parallel()
	server := newMailServer(t, "smtps")
	for _, name := range []string{
		"Zoë Ångström", "王小明", "Eve\r\nBcc: victim@example.com", `Eve" <victim@example.com>, "x`, "Eve\x00\u202e\u2028evil",
		"Line\nBreak", strings.Repeat("long ", 100), "=?utf-8?q?=0d=0aBcc:_victim@example.com?=", "",
	} {
		m := message()
		m.To.Name, m.Subject, m.From.Name = name, name+" invites you", name
		must(t, server.smtp(t).Send(t.Context(), m))
		all := server.mails("")
		last := all[len(all)-1]
		head, _, _ := strings.Cut(last.raw, "\r\n\r\n")
		parsed, err := netmail.ReadMessage(strings.NewReader(last.raw))
		must(t, err)
		to, err := parsed.Header.AddressList("To")
		if err != nil || len(to) != 1 || to[0].Address != "adam@example.com" || len(all) == 0 || last.to != "adam@example.com" {
			t.Errorf("%q: it goes to %v, %v", name, to, err)
		}
		for field := range parsed.Header {
			switch field {
			case "Date", "Message-Id", "From", "To", "Subject", "Mime-Version", "Content-Type", "Auto-Submitted":
			default:
				t.Errorf("%q makes a header %s", name, field)
			}
		}
		for _, r := range head {
			if r > 126 || r < 32 && r != '\r' && r != '\n' {
				t.Fatalf("%q leaves %q in a header", name, r)
			}
		}
		if l := last.letter(t); name == "Zoë Ångström" && (l.Subject != name+" invites you" || to[0].Name != name) {
			t.Errorf("%q has become %q and %q", name, l.Subject, to[0].Name)
		}
	}
}

func TestWhatAServerRefusesIsToldFromItsAbsence(t *testing.T) {
	t.Parallel()
	type want struct{ away, permanent bool }
	for name, tc := range map[string]struct {
		verb, answer string
		want         want
	}{
		"a recipient for good":        {"RCPT", "550 5.1.1 no adam@example.com here", want{permanent: true}},
		"a recipient for now":         {"RCPT", "451 4.7.1 try adam@example.com later", want{}},
		"the sender":                  {"MAIL", "553 5.7.1 not you", want{permanent: true}},
		"the mail for good":           {"DATA", "554 5.6.0 I read token=abc in it", want{permanent: true}},
		"the mail for now":            {"DATA", "452 4.3.1 full", want{}},
		"everybody, at the door":      {"EHLO", "421 4.3.2 not now", want{away: true}},
		"whoever cannot prove itself": {"AUTH", "535 5.7.8 wrong: " + smtpPassword, want{away: true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newMailServer(t, "starttls")
			server.answers(tc.verb, tc.answer)
			if tc.verb == "EHLO" {
				server.answers("HELO", tc.answer)
			}
			err := server.smtp(t).Send(t.Context(), message())
			var gone *mail.Away
			var refused *mail.Refusal
			got := want{away: errors.As(err, &gone), permanent: errors.As(err, &refused) && refused.Permanent}
			if err == nil || got != tc.want || !got.away && refused == nil {
				t.Fatalf("%v (%T), want %+v", err, err, tc.want)
			}
			for _, secret := range []string{"token", "adam@", smtpPassword, "w@rd"} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("%q repeats %q", err, secret)
				}
			}
		})
	}
	nobody, err := mail.ParseSMTP("smtp://127.0.0.1:1")
	must(t, err)
	var gone *mail.Away
	if err := nobody.Send(t.Context(), message()); !errors.As(err, &gone) {
		t.Errorf("without a server: %v", err)
	}
	server := newMailServer(t, "starttls")
	smtp := server.smtp(t)
	server.down()
	if err := smtp.Send(t.Context(), message()); !errors.As(err, &gone) {
		t.Errorf("a server that cuts us off: %v", err)
	}
	server.up()
	smtp.Roots = nil
	if err := smtp.Send(t.Context(), message()); !errors.As(err, &gone) || !strings.Contains(err.Error(), "not trusted") {
		t.Errorf("a certificate that nobody vouches for: %v", err)
	}
	odd := message()
	odd.To.Address = "a<b>c@example.com"
	var refused *mail.Refusal
	if err := server.smtp(t).Send(t.Context(), odd); !errors.As(err, &refused) || !refused.Permanent || len(server.mails("")) != 0 {
		t.Errorf("an address that is none: %v", err)
	}
}

func TestAServerIsNamedWithoutItsSecretsAndNeverUsedWithoutTLSByAccident(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"smtp://u:secret@mail.example.com":       "mail.example.com:587",
		"smtps://u:secret@mail.example.com":      "mail.example.com:465",
		"smtp://mail.example.com:25?tls=off":     "mail.example.com:25",
		"smtp://u:secret@127.0.0.1:1025?tls=off": "127.0.0.1:1025",
		"smtp://[::1]:1025":                      "[::1]:1025",
	} {
		s, err := mail.ParseSMTP(url)
		must(t, err)
		if shown := fmt.Sprintf("%s %v %+v %#v", s, s, s, s); !strings.HasPrefix(shown, want+" ") || strings.Contains(shown, "secret") {
			t.Errorf("%s is shown as %s", url, shown)
		}
	}
	for _, url := range []string{
		"", "mail.example.com", "http://u:secret@mail.example.com", "smtp://", "smtp://u:sec%ret@h", "smtp://u:secret@h:0", "smtp://u:secret@h:99999999",
		"smtp://u:secret@h/path", "smtp://u:secret@h?tls=on", "smtp://u:secret@h?secret=off", "smtps://h?tls=off",
		"smtp://u:secret@mail.example.com?tls=off", "smtp://u:secret@h:a secret",
	} {
		if _, err := mail.ParseSMTP(url); !fault.Is(err, fault.Invalid) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", url, err)
		}
	}
	// A server that offers no TLS gets nothing, unless it is this machine's own.
	plain := newMailServer(t, "plain")
	s, err := mail.ParseSMTP("smtp://" + plain.address)
	must(t, err)
	s.Timeout = patience
	must(t, s.Send(t.Context(), message()))
	if s, err = mail.ParseSMTP("smtps://" + plain.address); err == nil {
		s.Timeout = 5 * time.Second
		err = s.Send(t.Context(), message())
	}
	if err == nil || len(plain.mails("")) != 1 {
		t.Errorf("%v: what must go over TLS went without", err)
	}
}

func TestMailsInFilesAreForTheirOwnerAndOnlyTheLatestAreKept(t *testing.T) {
	t.Parallel()
	f := &mail.Files{Dir: filepath.Join(t.TempDir(), "data", "mail"), Keep: 3}
	var last []mail.Message
	for i := range 5 {
		m := message()
		m.Date = m.Date.Add(time.Duration(i) * time.Millisecond)
		must(t, f.Send(t.Context(), m))
		last = append(last, m)
	}
	dir, err := os.Stat(f.Dir)
	must(t, err)
	entries, err := os.ReadDir(f.Dir)
	must(t, err)
	if dir.Mode().Perm() != 0o700 || len(entries) != 3 {
		t.Errorf("the directory is %v and holds %d files", dir.Mode(), len(entries))
	}
	for _, e := range entries {
		if info, err := e.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s is %v, %v", e.Name(), info.Mode(), err)
		}
	}
	l, err := f.Read(last[4].Event)
	must(t, err)
	if l.Text != last[4].Text || l.Subject != "Welcome" || filepath.Base(l.Path) != "20260302T120000.004000Z-"+last[4].Event.String()+".eml" {
		t.Errorf("%+v", l)
	}
	if _, err := f.Read(last[0].Event); !fault.Is(err, fault.NotFound) {
		t.Errorf("the oldest: %v", err)
	}
	if _, err := (&mail.Files{Dir: filepath.Join(f.Dir, "none")}).Read(uuid.New()); !fault.Is(err, fault.NotFound) {
		t.Errorf("without a directory: %v", err)
	}
}
