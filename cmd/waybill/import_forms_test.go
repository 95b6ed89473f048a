package main

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/go-json-experiment/json"
	"golang.org/x/text/encoding/charmap"
)

// forms are the same file in every form that is read, each with its flags.
func forms(t *testing.T) map[string]struct {
	contents string
	flags    []string
} {
	t.Helper()
	const plain = "Customer Code,D.O. No.,Date,Address,Qty\nÄpfel,F-1,2026-03-01,\"Straße 1,\nHof\",3\nÄpfel,F-2,2026-03-02,,\n"
	wide := func(text string, big int) string {
		var b strings.Builder
		for _, u := range utf16.Encode([]rune(text)) {
			pair := [2]byte{byte(u), byte(u >> 8)}
			b.WriteByte(pair[big])
			b.WriteByte(pair[1-big])
		}
		return b.String()
	}
	ansi, err := charmap.Windows1252.NewEncoder().String(plain)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]struct {
		contents string
		flags    []string
	}{
		"LF":               {plain, nil},
		"mark":             {"\uFEFF" + plain, nil},
		"CRLF":             {strings.ReplaceAll(plain, "\n", "\r\n"), nil},
		"CR":               {strings.ReplaceAll(plain, "\n", "\r"), nil},
		"mixed":            {strings.Replace(strings.Replace(plain, "\n", "\r", 1), "Hof\",3\n", "Hof\",3\r\n", 1), nil},
		"tabs":             {strings.NewReplacer("1,\n", "1,\n", ",", "\t").Replace(plain), nil},
		"bars":             {strings.NewReplacer("1,\n", "1,\n", ",", "|").Replace(plain), []string{"--delimiter", "|"}},
		"semicolons":       {strings.NewReplacer("1,\n", "1,\n", ",", ";").Replace(plain), nil},
		"UTF-16LE, mark":   {wide("\uFEFF"+plain, 0), nil},
		"UTF-16BE, mark":   {wide("\uFEFF"+plain, 1), nil},
		"UTF-16LE, named":  {wide(plain, 0), []string{"--encoding", "utf-16le"}},
		"UTF-16BE, named":  {wide(plain, 1), []string{"--encoding", "utf-16be"}},
		"windows-1252":     {ansi, []string{"--encoding", "windows-1252"}},
		"ISO-8859-1, CRLF": {strings.ReplaceAll(ansi, "\n", "\r\n"), []string{"--encoding", "iso-8859-1"}},
	}
}

// imported is what --json tells of an import.
func imported(t *testing.T, args ...string) (importResult, int) {
	t.Helper()
	e := run(t, append([]string{"import"}, args...)...)
	var got importResult
	if err := json.Unmarshal([]byte(e.stdout), &got); err != nil {
		t.Fatalf("waybill import %q: exit code %d: %v\n%s%s", args, e.code, err, e.stdout, e.stderr)
	}
	return got, e.code
}

// Not in parallel inside: the organisation's file is one after the other.
func TestAFileIsReadInEveryFormAndADryRunTellsWhatWillBe(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	mustRun(t, "organisation", "create", "Test", "--owner-name", "Olivia", "--owner-email", "olivia@example.com", "--data", dir)
	mustRun(t, "organisation", "group-field", "on", "--data", dir)
	server := startServer(t, "serve", "--listen", "127.0.0.1:0", "--data", dir) // the imports work beside it
	defer server.stop()
	first := true
	for name, form := range forms(t) {
		path := filepath.Join(t.TempDir(), "form.csv")
		if err := os.WriteFile(path, []byte(form.contents), 0o600); err != nil {
			t.Fatal(err)
		}
		flags := append([]string{path, "--create-groups", "--json", "--data", dir}, form.flags...)
		planned, code := imported(t, append(flags, "--dry-run")...)
		if !first { // read alike, it is what the first one was
			if code != exitOK || planned.Rows != 2 || planned.Items != 1 || planned.AlreadyKnown != 2 {
				t.Errorf("%s: exit code %d, %+v, want what is known already", name, code, planned)
			}
			continue
		}
		if code != exitOK || !planned.DryRun || planned.Rows != 2 || planned.Items != 1 || planned.Created != 2 || planned.GroupsCreated != 1 || planned.Groups[0] != "Äpfel" {
			t.Errorf("%s, dry: exit code %d, %+v", name, code, planned)
		}
		made, code := imported(t, flags...)
		planned.DryRun, planned.Seconds, made.Seconds = false, 0, 0
		if code != exitOK || !reflect.DeepEqual(made, planned) {
			t.Errorf("%s: exit code %d, %+v, and the dry run told %+v", name, code, made, planned)
		}
		first = false
	}
	path := filepath.Join(t.TempDir(), "unnamed.csv")
	if err := os.WriteFile(path, []byte("Customer Code,D.O. No.,Date,Address\nA,y-1,2026-03-01,Stra\xdfe\nA,y-2,2026-03-01,Weg\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	e := run(t, "import", path, "--create-groups", "--dry-run", "--data", dir)
	for _, want := range []string{"nothing was changed", "1 new", "1 groups to be made", "groups that would be made: A", `row 2, column "Address", delivery y-1`, "name its encoding"} {
		if e.code != exitRejected || !strings.Contains(e.stdout, want) {
			t.Errorf("exit code %d, and it does not say %q:\n%s%s", e.code, want, e.stdout, e.stderr)
		}
	}
}
