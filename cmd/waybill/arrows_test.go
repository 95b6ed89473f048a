package main_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// listed is what `go list` tells of one package.
type listed struct {
	ImportPath string
	Imports    []string
}

func packages(t *testing.T) []listed {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", "waybill/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []listed
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// within reports whether a package is one of the rooms or inside one.
func within(path string, rooms ...string) bool {
	return slices.ContainsFunc(rooms, func(room string) bool {
		return path == room || strings.HasPrefix(path, room+"/")
	})
}

func TestImportsPointDownOnly(t *testing.T) {
	t.Parallel()
	// What the packages of a room may import of waybill. The first room that
	// holds a package counts.
	rules := []struct {
		room string
		may  []string
	}{
		{"waybill/events/fault", nil},
		{"waybill/events/node", []string{"waybill/events/node"}},
		{"waybill/events", []string{"waybill/events"}},
		{"waybill/aggregates/importing", []string{"waybill/aggregates/group", "waybill/aggregates/delivery", "waybill/events", "!waybill/events/store", "!waybill/events/consume", "!waybill/events/node"}},
		{"waybill/aggregates/aggregatetest", []string{"waybill/aggregates", "waybill/events"}}, // for tests
		{"waybill/aggregates", []string{"waybill/aggregates", "waybill/events", "!waybill/events/node"}},
		{"waybill/projections", []string{"waybill/projections", "waybill/events", "!waybill/events/node"}},
		{"waybill/readapi", []string{"waybill/readapi", "waybill/aggregates/access", "waybill/aggregates/problem", "waybill/events", "!waybill/events/store", "!waybill/events/consume", "!waybill/events/node"}},
		{"waybill/cmd", []string{"waybill"}},
	}
	for _, p := range packages(t) {
		at := slices.IndexFunc(rules, func(r struct {
			room string
			may  []string
		}) bool {
			return within(p.ImportPath, r.room)
		})
		if at < 0 {
			t.Errorf("%s is in no room of the house", p.ImportPath)
			continue
		}
		for _, imported := range p.Imports {
			if !within(imported, "waybill") {
				continue
			}
			allowed := false
			for _, room := range rules[at].may {
				if not, forbidden := strings.CutPrefix(room, "!"); forbidden {
					allowed = allowed && !within(imported, not)
				} else {
					allowed = allowed || within(imported, room)
				}
			}
			if !allowed {
				t.Errorf("%s imports %s: the arrow points up, or sideways", p.ImportPath, imported)
			}
		}
	}
}

func TestDecidersKnowNoClockNoStoreAndNoNetwork(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t) {
		if !within(p.ImportPath, "waybill/aggregates/group", "waybill/aggregates/user", "waybill/aggregates/client", "waybill/aggregates/delivery") {
			continue
		}
		for _, imported := range p.Imports {
			if within(imported, "os", "net", "database", "context", "crypto/rand", "math/rand", "waybill/events/store", "waybill/events/consume", "github.com/jackc") {
				t.Errorf("%s imports %s", p.ImportPath, imported)
			}
		}
	}
}

func TestTestRoomsAreImportedByTestsOnly(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t) {
		for _, imported := range p.Imports {
			if within(imported, "waybill/projections/pgtest", "waybill/aggregates/aggregatetest") && !strings.HasSuffix(p.ImportPath, "test") {
				t.Errorf("%s imports %s outside its tests", p.ImportPath, imported)
			}
		}
	}
}
