package main

import (
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"waybill/cmd/waybill/sample"
	"waybill/readapi"
)

// operator is somebody who types verbs.
type operator struct {
	t        *testing.T
	settings string // where sign-ins are kept
	server   string
}

// try types a verb.
func (o operator) try(words ...string) ended {
	o.t.Helper()
	return as(o.t, o.settings, "", append(words, "--server", o.server)...)
}

// ok types a verb that has to work, and returns what it says.
func (o operator) ok(words ...string) string {
	o.t.Helper()
	e := o.try(words...)
	if e.code != exitOK {
		o.t.Fatalf("waybill %s: exit code %d\n%s%s", strings.Join(words, " "), e.code, e.stdout, e.stderr)
	}
	return e.stdout
}

// one is ok for a single line.
func (o operator) one(words ...string) string {
	o.t.Helper()
	text := strings.TrimSuffix(o.ok(words...), "\n")
	if text == "" || strings.Contains(text, "\n") {
		o.t.Fatalf("waybill %s says %q, want one line", strings.Join(words, " "), text)
	}
	return text
}

// no types a verb that has to be refused, in one line that says something.
func (o operator) no(code int, says string, words ...string) {
	o.t.Helper()
	e := o.try(words...)
	if e.code != code || !strings.Contains(e.stderr, says) || strings.Count(e.stderr, "\n") != 1 || !strings.HasPrefix(e.stderr, "waybill: ") {
		o.t.Errorf("waybill %s: exit code %d, want %d and one line with %q\n%s", strings.Join(words, " "), e.code, code, says, e.stderr)
	}
}

func TestVerbsAreAnsweredByAServer(t *testing.T) {
	t.Parallel()
	s := serveDemo(t)
	o := operator{t: t, settings: t.TempDir(), server: s.url}
	olivia := s.shown.user(t, "Olivia").Email
	o.no(exitInput, "waybill login", "whoami")
	e := as(t, o.settings, "correct horse battery\n", "login", olivia, "--server", s.url+"/", "--password-file", "-")
	if e.code != exitOK || !strings.Contains(e.stdout, olivia) {
		t.Fatalf("login: exit code %d\n%s%s", e.code, e.stdout, e.stderr)
	}
	if me := o.ok("whoami"); !strings.Contains(me, "Olivia") || !strings.Contains(me, "organisation.name") {
		t.Errorf("whoami says\n%s", me)
	}
	o.keepsItsKey(s)
	o.people()
	o.deliveries()
	o.lists(s)
	o.keys()
	o.files(s)
	o.leaves(s)
}

// keepsItsKey: the file of the sign-ins is for its owner alone, and no key is
// ever printed.
func (o operator) keepsItsKey(s *served) {
	path := filepath.Join(o.settings, "logins.json")
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		o.t.Fatalf("%s: %v, %v", path, info, err)
	}
	var logins map[string]struct {
		Token string         `json:"token"`
		Rest  jsontext.Value `json:",unknown"`
	}
	text, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(text, &logins)
	}
	token := logins[s.url].Token
	if err != nil || token == "" {
		o.t.Fatalf("%v: nothing is kept for %s", err, s.url)
	}
	for _, words := range [][]string{{"whoami", "--help"}, {"whoami", "--json"}, {"session", "list"}, {"group", "show", "x"}, {"group", "show", anID}, {"whoami", "--api-key", token + "x"}} {
		if e := o.try(words...); strings.Contains(e.stdout+e.stderr, token) {
			o.t.Errorf("waybill %v prints the key", words)
		}
	}
	o.no(exitInput, "waybill login", "whoami", "--api-key", token+"x")
	o.no(exitUsage, "one key", "whoami", "--api-key", "two keys")
	if err := os.Chmod(path, 0o644); err != nil {
		o.t.Fatal(err)
	}
	o.no(exitUsage, "chmod 600", "whoami")
	if err := os.Chmod(path, 0o600); err != nil {
		o.t.Fatal(err)
	}
}

func (o operator) people() {
	kiwi := o.one("group", "create", "Kiwi", "--field", "id", "--reason", "a new client")
	kim := o.one("user", "add", "--name", "Kim", "--email", "kim@example.com", "--role", "dispatcher", "--group", kiwi, "--field", "id", "--wait")
	if shown := o.ok("user", "show", kim); !strings.Contains(shown, kiwi) || !strings.Contains(shown, "dispatcher") {
		o.t.Errorf("user show says\n%s", shown)
	}
	apple := o.group("Apple")
	o.ok("group", "grant", kim, apple, "--expires-at", "2999-01-01T00:00:00Z", "--wait")
	if shown := o.ok("user", "show", kim); !strings.Contains(shown, apple) {
		o.t.Errorf("after the grant user show says\n%s", shown)
	}
	o.ok("group", "revoke", "KIM@example.com", "Apple", "--reason", "by mistake", "--wait")
	if shown := o.ok("user", "show", kim); strings.Contains(shown, apple) {
		o.t.Errorf("after the grant was revoked user show says\n%s", shown)
	}
	o.no(exitInput, "--email", "user", "add", "--name", "Kim", "--email", "nothing like it", "--role", "dispatcher")
	o.no(exitUsage, "--role must be one of", "user", "add", "--name", "Kim", "--email", "k@example.com", "--role", "king")
	o.no(exitUsage, "--email", "user", "add", "--name", "Kim", "--role", "dispatcher")
	o.no(exitUsage, "user --help", "user", "ad")
	o.no(exitUsage, "takes an id", "access-request", "show", "Kim")
	o.no(exitInput, "no user called \"Kimberley\"", "user", "show", "Kimberley")
	o.no(exitInput, "--group", "user", "add", "--name", "X", "--email", "x@example.com", "--role", "cso", "--group", "Apple,Nowhere")
	if shown := o.one("user", "show", "kim", "--field", "email"); shown != "kim@example.com" {
		o.t.Errorf("by name one sees %s", shown)
	}
	other := o.one("user", "add", "--name", "Kim", "--email", "other@example.com", "--role", "cso", "--group", "Kiwi,Apple", "--wait", "--field", "id")
	o.no(exitUsage, other, "user", "show", "Kim")
	o.no(exitInput, "no such thing", "user", "show", anID)
	o.no(exitInput, "group create", "group", "create", "Kiwi")

	revision := o.one("user", "show", kim, "--field", "revision")
	o.no(exitUsage, "--if-match "+revision, "user", "set-role", kim, "cso")
	o.ok("user", "set-role", kim, "cso", "--if-match", revision)
	o.no(exitInput, "--if-match", "user", "set-role", kim, "dispatcher", "--if-match", revision)
	if e := o.try("user", "set-role", kim, "dispatcher", "--if-match", "current"); e.code != exitOK || !strings.Contains(e.stderr, "revision") {
		o.t.Errorf("--if-match current: exit code %d\n%s", e.code, e.stderr)
	}

	if gains := o.ok("group", "merge", kiwi, apple, "--dry-run"); !strings.Contains(gains, kim) || !strings.Contains(gains, "dry_run") {
		o.t.Errorf("the dry run does not say that Kim gains sight:\n%s", gains)
	}
	if status := o.one("group", "show", kiwi, "--field", "status"); status != "active" {
		o.t.Errorf("after a dry run the group is %s", status)
	}
}

// group returns the id of a group.
func (o operator) group(name string) string {
	o.t.Helper()
	for line := range strings.Lines(o.ok("group", "list", "--all")) {
		if f := strings.Fields(line); len(f) > 1 && f[1] == name {
			return f[0]
		}
	}
	o.t.Fatalf("there is no group %s", name)
	return ""
}

func (o operator) deliveries() {
	d := o.one("delivery", "create", "--do-number", "CLI-1", "--date", "2026-04-01", "--group", o.group("Apple"), "--address", "4 Mill Lane",
		"--item", "description=Apples, red,quantity=12", "--item", `{"description": "a=b", "quantity": "9007199254740993"}`, "--idempotency-key", "first", "--field", "id", "--wait")
	again := o.one("delivery", "create", "--json-body", o.file(`{"do_number": "CLI-2", "date": "2026-04-01"}`), "--do-number", "CLI-3", "--field", "id")
	if again == d {
		o.t.Error("another delivery has the same id")
	}
	o.ok("delivery", "dispatch", "CLI-1")
	o.ok("delivery", "complete", d, "--occurred-at", "2026-04-01T10:00:00Z", "--wait")
	shown := o.ok("delivery", "show", d)
	for _, want := range []string{"CLI-1", "Completed", "Apples, red", "9007199254740993", "a=b", "DeliveryDispatched"} {
		if !strings.Contains(shown, want) {
			o.t.Errorf("delivery show lacks %q:\n%s", want, shown)
		}
	}
	if n := o.one("delivery", "show", again, "--field", "do_number"); n != "CLI-3" {
		o.t.Errorf("a flag besides --json-body came to %s", n)
	}
	o.no(exitUsage, "--item", "delivery", "create", "--do-number", "CLI-4", "--date", "2026-04-01", "--item", "quantity=many")
	o.no(exitUsage, "--item", "delivery", "create", "--do-number", "CLI-4", "--date", "2026-04-01", "--item", "weight=1")
	o.no(exitInput, "delivery dispatch", "delivery", "dispatch", d)
	o.no(exitInput, "--date", "delivery", "create", "--do-number", "CLI-4", "--date", "tomorrow")
	o.no(exitUsage, "--limit", "delivery", "list", "--limit", "1000")
}

func (o operator) file(text string) string {
	path := filepath.Join(o.t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		o.t.Fatal(err)
	}
	return path
}

// lists: pages come as they are, or all, one object per line.
func (o operator) lists(s *served) {
	var page readapi.DeliveryList
	if err := json.Unmarshal([]byte(o.ok("delivery", "list", "--limit", "20", "--json")), &page); err != nil || len(page.Deliveries) != 20 || page.Next == "" {
		o.t.Fatalf("a page of JSON: %v, %d deliveries", err, len(page.Deliveries))
	}
	ids := map[string]bool{}
	for line := range strings.Lines(o.ok("delivery", "list", "--limit", "20", "--all", "--json")) {
		var d readapi.Delivery
		if err := json.Unmarshal([]byte(line), &d); err != nil {
			o.t.Fatalf("%v in %q", err, line)
		}
		ids[d.ID.String()] = true
	}
	if len(ids) != sample.Deliveries+2 {
		o.t.Errorf("--all --json lists %d deliveries", len(ids))
	}
	if n := strings.Count(o.ok("delivery", "list", "--limit", "20", "--all"), "\n"); n != len(ids)+1 {
		o.t.Errorf("--all lists %d lines for %d deliveries and one header", n, len(ids))
	}
	e := o.try("delivery", "list", "--limit", "20")
	if !strings.Contains(e.stderr, "--cursor ") || strings.Count(e.stdout, "\n") != 21 {
		o.t.Errorf("a page does not say how to go on: %s", e.stderr)
	}
	found := strings.Fields(o.ok("delivery", "list", "--q", "cli-1", "--field", "do_number"))
	if !slices.Equal(found, []string{"CLI-1"}) {
		o.t.Errorf("by text one finds %v", found)
	}
	file := filepath.Join(o.t.TempDir(), "export.csv")
	o.ok("delivery", "export", "--group", "Apple", "--output", file)
	if text, err := os.ReadFile(file); err != nil || !strings.Contains(string(text), "CLI-1") || strings.Contains(string(text), "D2") {
		o.t.Errorf("the export: %v\n%s", err, text)
	}
	if text := o.ok("delivery", "export", "--do-number", "CLI-1"); !strings.Contains(text, "Apples, red") {
		o.t.Errorf("the export to standard output is\n%s", text)
	}
	o.no(exitUsage, "--output", "delivery", "export", "--output", o.t.TempDir())
	for _, words := range [][]string{{"server", "live"}, {"server", "ready"}, {"server", "metrics"}, {"server", "openapi"}, {"delivery", "progress"}, {"organisation", "show"}, {"session", "list"}} {
		if o.ok(words...) == "" {
			o.t.Errorf("waybill %v says nothing", words)
		}
	}
}

// keys: machines are given less, and cannot make keys.
func (o operator) keys() {
	apple := o.group("Apple")
	key := o.one("api-key", "create", "till", "--group", apple, "--permission", "create_deliveries", "--field", "key")
	file := o.file(key + "\n")
	if groups := strings.Fields(o.ok("group", "list", "--field", "id", "--api-key-file", file)); !slices.Equal(groups, []string{apple}) {
		o.t.Errorf("the key sees groups %v", groups)
	}
	o.no(exitInput, "waybill login", "api-key", "create", "more", "--api-key-file", file)
	o.no(exitInput, "waybill permissions", "group", "create", "Plum", "--api-key-file", file)
	id, _, _ := strings.Cut(o.ok("api-key", "list", "--field", "id"), "\n")
	if said := o.ok("api-key", "revoke", id); said != "done\n" {
		o.t.Errorf("api-key revoke says %q", said)
	}
	o.no(exitInput, "waybill login", "whoami", "--api-key-file", file)
}

// files: a delivery file goes to the server, and its report comes back.
func (o operator) files(s *served) {
	path := filepath.Join(o.t.TempDir(), "more.csv")
	if err := os.WriteFile(path, []byte("wer,do number,date\nApple,CLI-7,2026-04-01\nNobody,CLI-8,2026-04-01\n"), 0o600); err != nil {
		o.t.Fatal(err)
	}
	report := filepath.Join(o.t.TempDir(), "report.csv")
	e := o.try("import", path, "--column", "group=wer", "--dry-run")
	if e.code != exitRejected || !strings.Contains(e.stdout, "nothing was changed") {
		o.t.Errorf("import --dry-run: exit code %d\n%s%s", e.code, e.stdout, e.stderr)
	}
	e = o.try("import", path, "--column", "group=wer", "--report", report)
	if e.code != exitRejected || !strings.Contains(e.stdout, "1 new") || !strings.Contains(e.stdout, "CLI-8") {
		o.t.Errorf("import: exit code %d\n%s%s", e.code, e.stdout, e.stderr)
	}
	if text, err := os.ReadFile(report); err != nil || !strings.Contains(string(text), "CLI-8") {
		o.t.Errorf("the report: %v\n%s", err, text)
	}
	if e := o.try("import", path, "--column", "group=wer", "--create-groups", "--json"); e.code != exitOK || !strings.Contains(e.stdout, `"created":1`) {
		o.t.Errorf("import --create-groups: exit code %d\n%s%s", e.code, e.stdout, e.stderr)
	}
	o.no(exitUsage, "--organisation", "import", path, "--organisation", "Fruit Logistics")
	o.no(exitInput, "--column", "import", o.file("nothing\n"))
	if said := o.ok("organisation", "group-field", "on"); !strings.Contains(said, "on") {
		o.t.Errorf("group-field says %s", said)
	}
}

// leaves: after signing out nothing is kept, and the session has ended.
func (o operator) leaves(s *served) {
	mango := s.shown.user(o.t, "Client Mango")
	link := mustRun(o.t, "sign-in-link", mango.Email, "--public-url", s.url, "--data", s.dir)
	e := as(o.t, o.settings, "another fruit a day\n", "login", mango.Email, "--server", s.url, "--password-file", "-", "--link", link)
	if e.code != exitOK {
		o.t.Fatalf("login with a link: exit code %d\n%s", e.code, e.stderr)
	}
	if me := o.ok("whoami", "--field", "email"); strings.TrimSpace(me) != mango.Email {
		o.t.Errorf("signed in as %s", me)
	}
	if e := as(o.t, o.settings, "a wrong one\n", "login", mango.Email, "--server", s.url, "--password-file", "-"); e.code != exitInput {
		o.t.Errorf("a wrong password: exit code %d\n%s", e.code, e.stderr)
	}
	copied := o.t.TempDir()
	if err := os.CopyFS(copied, os.DirFS(o.settings)); err != nil {
		o.t.Fatal(err)
	}
	if err := filepath.WalkDir(copied, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return os.Chmod(path, 0o600)
	}); err != nil {
		o.t.Fatal(err)
	}
	o.ok("logout")
	o.no(exitInput, "nobody is signed in", "logout")
	o.no(exitInput, "waybill login", "whoami")
	stale := operator{t: o.t, settings: copied, server: s.url}
	stale.no(exitInput, "waybill login", "whoami")
	stale.ok("logout") // the session has ended already
}

func TestWhoAsksNobodyIsToldWhereTheServerShouldBe(t *testing.T) {
	t.Parallel()
	o := operator{t: t, settings: t.TempDir(), server: "http://127.0.0.1:1"}
	o.no(exitUnavailable, "http://127.0.0.1:1 cannot be reached", "whoami")
	o.no(exitUnavailable, "waybill serve", "login", "a@example.com", "--password-file", o.file("x"))
	for server, says := range map[string]string{
		"ftp://x":             "--server takes the URL",
		"127.0.0.1:8080":      "--server takes the URL",
		"http://u:p@x":        "--server takes the URL",
		"http://192.0.2.1":    "--insecure-http",
		"http://[2001:db8::]": "--insecure-http",
	} {
		o.server = server
		o.no(exitUsage, says, "whoami", "--api-key", "wbk_secret")
	}
	o.server = "http://192.0.2.1"
	o.no(exitUsage, "--insecure-http", "login", "a@example.com", "--password-file", o.file("x"))
	o.no(exitUsage, "--insecure-http", "password", "set", "--email", "a@example.com", "--token-file", o.file("x"), "--password-file", o.file("x"))
	o.no(exitUsage, "--password-file", "login", "a@example.com", "--insecure-http")
}

func TestCommandsWithADataDirectoryGoToAServerWhereOneIsNamed(t *testing.T) {
	t.Parallel()
	server := catch(t)
	o := operator{t: t, settings: t.TempDir(), server: server.URL}
	o.no(exitUsage, "WAYBILL_SETUP_TOKEN", "organisation", "create", "X", "--owner-name", "Me", "--owner-email", "me@example.com")
	o.ok("organisation", "create", "X", "--owner-name", "Me", "--owner-email", "me@example.com", "--timezone", "Asia/Tokyo", "--setup-token", "s3cret")
	if r := server.last(); r.method != http.MethodPost || r.path != "/v1/organisations" || r.header.Get("Waybill-Setup-Token") != "s3cret" ||
		string(r.body) != `{"kind":"operator","name":"X","owner":{"email":"me@example.com","name":"Me"},"timezone":"Asia/Tokyo"}` {
		t.Errorf("it sent %s %s %s", r.method, r.path, r.body)
	}
	o.ok("organisation", "group-field", "off")
	if r := server.last(); r.path != "/v1/settings/group-field" || string(r.body) != `{"enabled":false}` {
		t.Errorf("it sent %s %s", r.path, r.body)
	}
	path := filepath.Join(t.TempDir(), "a b.csv")
	if err := os.WriteFile(path, []byte("whatever it is"), 0o600); err != nil {
		t.Fatal(err)
	}
	o.ok("import", path, "--create-groups", "--dry-run", "--column", "group=x y", "--date-order", "DD/MM/YYYY", "--delimiter", "tab", "--encoding", "utf-8", "--sheet", "one", "--template", anID)
	const want = "/v1/imports?create_groups=true&date_order=DD%2FMM%2FYYYY&delimiter=%09&dry_run=true&encoding=utf-8&filename=a+b.csv&mapping=%7B%22group%22%3A%22x+y%22%7D&sheet=one&template=" + anID
	if r := server.last(); r.path != want || string(r.body) != "whatever it is" || r.header.Get("Content-Type") != "application/octet-stream" {
		t.Errorf("it sent %s %s\nwant %s", r.path, r.body, want)
	}
}
