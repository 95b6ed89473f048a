package readapi_test

import (
	"archive/zip"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
)

// table is the attack table: every route x every attacker.
type table struct {
	g      *grounds
	shapes []shape
	cells  atomic.Int64

	revisions map[string]string // ETags of what the owner sees, by id
	oneFile   sync.Mutex
	refusal   sync.Map // of who is nobody
	failed    sync.Map // what was reported, so that one mistake is one line
}

// fail reports a mistake in a route once for each attacker.
func (tb *table) fail(t *testing.T, a *attacker, what, format string, args ...any) {
	t.Helper()
	if _, twice := tb.failed.LoadOrStore(a.name+" "+what, true); twice {
		t.Fail()
		return
	}
	t.Errorf(what+" "+format, args...)
}

// way is one way to send a request.
type way struct {
	name  string
	query string // added to the path's
	// headers may depend on the revision of what the request is about.
	headers func(revision string) []string
	twice   bool
}

func ways(sh shape) []way {
	if sh.Method == http.MethodGet {
		return []way{
			{name: "plainly", headers: func(string) []string { return nil }},
			{name: "with a position", headers: func(string) []string { return []string{"Waybill-Position", "1"} }},
			{name: "with If-None-Match", headers: func(r string) []string { return []string{"If-None-Match", `"` + r + `"`} }},
		}
	}
	key := func() string { return uuid.NewString() }
	if sh.Name == "bulkDeliveries" || sh.Media != "" { // without one revision
		return []way{
			{name: "plainly", headers: func(string) []string { return nil }},
			{name: "with a key, twice", twice: true, headers: func(string) []string { return []string{"Idempotency-Key", key()} }},
		}
	}
	all := []way{
		{name: "plainly", headers: func(string) []string { return nil }},
		{name: "with the right If-Match", headers: func(r string) []string { return []string{"If-Match", `"` + r + `"`} }},
		{name: "with a wrong If-Match", headers: func(string) []string { return []string{"If-Match", `"7777"`} }},
		{name: "with a key, twice", twice: true, headers: func(r string) []string { return []string{"Idempotency-Key", key(), "If-Match", `"` + r + `"`} }},
	}
	for _, p := range sh.Params {
		if p.Name == "dry_run" {
			all = append(all, way{name: "as a dry run", query: "dry_run=true", headers: func(r string) []string { return []string{"If-Match", `"` + r + `"`} }})
		}
	}
	return all
}

// told is an answer as it is compared: without what is of the moment, and with a
// placeholder for what the request named.
func told(a answer, named []string) string {
	h := a.header.Clone()
	h.Del("Date")
	if strings.Contains(h.Get("Content-Type"), "spreadsheet") {
		h.Del("Content-Length")
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d\n", a.status)
	for _, name := range slices.Sorted(maps.Keys(h)) {
		fmt.Fprintf(&b, "%s: %s\n", name, strings.Join(h[name], ", "))
	}
	b.WriteString(a.body)
	text := b.String()
	for _, n := range named {
		text = strings.ReplaceAll(text, n, "<it>")
	}
	return text
}

// leaks returns what of an answer its receiver must not meet: marks, and ids that
// it has not named itself.
func (tb *table) leaks(a *attacker, text, request string) []string {
	var found []string
	lower, asked := strings.ToLower(text), strings.ToLower(request)
	for _, mark := range append([]string{hiddenLatitude}, a.marks...) {
		if mark == hiddenLatitude && !slices.Contains(a.marks, markHidden) {
			continue
		}
		if strings.Contains(lower, mark) && !strings.Contains(asked, mark) {
			found = append(found, mark)
		}
	}
	for _, h := range a.foreign {
		for kind, ids := range h {
			if kind == aText {
				continue
			}
			for _, id := range ids {
				if id == a.user.String() || id == tb.g.all.String() { // which everybody there may know
					continue
				}
				if id = strings.ToLower(id); strings.Contains(lower, id) && !strings.Contains(asked, id) {
					found = append(found, kind+" "+id)
				}
			}
		}
	}
	return found
}

// unpacked returns an answer's body, of a workbook what is in it.
func unpacked(t *testing.T, a answer) string {
	t.Helper()
	if !strings.Contains(a.header.Get("Content-Type"), "spreadsheet") {
		return a.body
	}
	files, err := zip.NewReader(strings.NewReader(a.body), int64(len(a.body)))
	must(t, err)
	var b strings.Builder
	for _, f := range files.File {
		if strings.HasPrefix(f.Name, "docProps/") { // when it was made
			continue
		}
		r, err := f.Open()
		must(t, err)
		text, err := io.ReadAll(r)
		must(t, err)
		fmt.Fprintf(&b, "%s\n%s\n", f.Name, text)
	}
	return b.String()
}

// send sends one request, and looks through the answer.
func (tb *table) send(t *testing.T, a *attacker, sh shape, w way, path, body, revision string) answer {
	t.Helper()
	if w.query != "" {
		path += map[bool]string{true: "&", false: "?"}[strings.Contains(path, "?")] + w.query
	}
	headers := w.headers(revision)
	if sh.Media != "" {
		tb.oneFile.Lock() // more at once are sent away
		defer tb.oneFile.Unlock()
		body, headers = "Customer Code,D.O. Number,Date\n,PROBE-1,2026-03-02\n", append(headers, "Content-Type", "text/csv")
	}
	got := a.do(t, sh.Method, path, body, headers...)
	tb.cells.Add(1)
	got.body = unpacked(t, got)
	whole := fmt.Sprint(got.status, got.header, got.body)
	if found := tb.leaks(a, whole, path+body); len(found) > 0 {
		tb.fail(t, a, sh.Name+" leaks", "(%s) %s: %q: %d %v %s", w.name, path, found, got.status, got.header, got.body)
	}
	if at := got.header.Get("Waybill-Position"); got.status >= http.StatusBadRequest && at != "" {
		tb.fail(t, a, sh.Name+" tells where the log is", "(%s) %s: %d %s", w.name, path, got.status, at)
	}
	if got.status >= http.StatusInternalServerError {
		tb.fail(t, a, sh.Name+" breaks", "(%s) %s: %d %s", w.name, path, got.status, got.body)
	}
	if w.twice {
		again := a.do(t, sh.Method, path, body, headers...)
		if again.status != got.status || again.body != got.body {
			tb.fail(t, a, sh.Name+" again", "%s: %d %s, first %d %s", path, again.status, again.body, got.status, got.body)
		}
	}
	return got
}

// attack tries one slot of a route with foreign things, with made-up ones and with
// what is no name at all, and compares.
func (tb *table) attack(t *testing.T, a *attacker, sh shape, sl slot) {
	t.Helper()
	if unavoidable[sh.Name+" "+sl.name] {
		return
	}
	targets := a.things(sl.kind)
	for n, w := range ways(sh) {
		if !a.thorough && n > 0 && n != 1+(len(a.name)+len(sh.Name)+len(sl.name))%(len(ways(sh))-1) {
			continue // of the other ways, one each
		}
		if !unhurried && (n > 0) != (len(sh.Name)%2 == 0) && len(ways(sh)) > 1 {
			continue // plainly or the other one
		}
		baseline := map[string]string{} // by what differs between two requests on purpose
		for i, target := range targets {
			if n > 0 && i > len(a.foreign) || !unhurried && i > 0 {
				break // the rest plainly, or not at all
			}
			lists := [][2][]string{{{target}, {madeUp(target)}}}
			if sl.many && sh.Name != "bulkDeliveries" { // which would do one's own
				mine := a.own[sl.kind][0]
				lists = append(lists, [2][]string{{mine, target}, {mine, madeUp(target)}})
			}
			for _, list := range lists {
				revision := tb.revision(a, sh, sl, target)
				known := revision + " " + fmt.Sprint(len(list[0]), len(target))
				if baseline[known] == "" {
					path, body := sh.request(a.own, called{sl: list[1]})
					nothing := tb.send(t, a, sh, w, path, body, revision)
					baseline[known] = told(nothing, list[1])
					tb.expect(t, a, sh, sl, w, nothing)
				}
				path, body := sh.request(a.own, called{sl: list[0]})
				got := told(tb.send(t, a, sh, w, path, body, revision), list[0])
				if got != baseline[known] {
					tb.fail(t, a, sh.Name+" "+sl.in+" "+sl.name, "(%s): %s %s\n%s\n\nbut of nobody:\n%s", w.name, path, body, got, baseline[known])
				}
			}
			if a.thorough && i == 0 && w.name == "plainly" && sl.in == "path" && sl.kind != aCode {
				tb.misspell(t, a, sh, sl, w, target)
			}
		}
	}
}

// misspell names something in other ways, and in ways that are no names.
func (tb *table) misspell(t *testing.T, a *attacker, sh shape, sl slot, w way, target string) {
	t.Helper()
	try := func(text string) answer {
		path, body := sh.request(a.own, called{sl: {text}})
		return tb.send(t, a, sh, w, path, body, "0")
	}
	for name, spell := range map[string]func(string) string{
		"upper case": strings.ToUpper, "braces": func(id string) string { return "{" + id + "}" }, "a URN": func(id string) string { return "urn:uuid:" + id },
		"no hyphens": func(id string) string { return strings.ReplaceAll(id, "-", "") },
	} {
		foreign, nobodys := spell(target), spell(madeUp(target))
		got, want := told(try(foreign), []string{foreign}), told(try(nobodys), []string{nobodys})
		if got != want {
			tb.fail(t, a, sh.Name+" "+sl.name+" in "+name, "\n%s\n\nbut of nobody:\n%s", got, want)
		}
	}
	for _, text := range []string{uuid.Nil.String(), uuid.Max.String(), "x", "%00", "' OR true --", target + " ", "..", strings.Repeat("9", 300)} {
		tb.expect(t, a, sh, sl, w, try(text))
	}
}

// revision is what is at risk of being told by If-Match: that of the foreign thing
// in the path, or of one's own there.
func (tb *table) revision(a *attacker, sh shape, sl slot, target string) string {
	of := target
	for _, other := range sh.slots {
		if other.in == "path" && other.name == "id" && other != sl {
			of = a.own[other.kind][0]
		}
	}
	if r := tb.revisions[of]; r != "" {
		return r
	}
	return "3"
}

// madeUp is a name of nothing, as long as another one.
func madeUp(like string) string {
	if _, err := uuid.Parse(like); err == nil {
		return uuid.NewString()
	}
	return strings.Repeat("q", len(like))
}

// expect holds the answer about what is not there against rule R9.
func (tb *table) expect(t *testing.T, a *attacker, sh shape, sl slot, w way, got answer) {
	t.Helper()
	want := http.StatusNotFound
	switch {
	case expected[sh.Name+" "+sl.name] != 0:
		want = expected[sh.Name+" "+sl.name]
	case a.all && expectedOfAll[sh.Name+" "+sl.name] != 0:
		want = expectedOfAll[sh.Name+" "+sl.name]
	case sl.in == "query" && sh.Method == http.MethodGet:
		want = http.StatusOK // and nothing in it
	}
	switch {
	case got.status == want, got.status == http.StatusNotFound && want != http.StatusOK:
	case got.status == http.StatusForbidden && (!a.may || strings.Contains(got.body, "session-needed")): // whatever the row
	case got.status == http.StatusPreconditionRequired && sh.matched() && !strings.Contains(fmt.Sprint(w.headers("0")), "If-Match"):
	case got.status == http.StatusPreconditionFailed && want != http.StatusNotFound && strings.Contains(w.name, "wrong"): // whatever the row
	default:
		tb.fail(t, a, sh.Name+" "+sl.in+" "+sl.name, "(%s) of nobody: %d %s, want %d", w.name, got.status, got.body, want)
	}
}

// expected are answers about what is not there that are no 404, by the names of
// route and slot.
var expected = map[string]int{
	// Each row has an answer of its own.
	"bulkDeliveries deliveries": http.StatusOK, "bulkDeliveries group": http.StatusOK, "bulkDeliveries vehicle": http.StatusOK,
}

// expectedOfAll are those to somebody who sees everything of an organisation: to
// them, what is not there was perhaps there before, or is no more.
var expectedOfAll = map[string]int{
	"approveGroupAccess request": http.StatusConflict, "denyGroupAccess request": http.StatusConflict,
	"recordAccessReview groups": http.StatusUnprocessableEntity, "revokeAllGroupsAccess groups": http.StatusConflict,
}

// unavoidable are slots with which one learns that a name is taken in one's own
// organisation, because names are unique there. What is said then, another test
// looks at.
var unavoidable = map[string]bool{"mapCustomerCode code": true}

func (s shape) matched() bool {
	for _, p := range s.Params {
		if p.Name == "If-Match" && strings.HasPrefix(p.Summary, "Required") {
			return true
		}
	}
	return false
}
