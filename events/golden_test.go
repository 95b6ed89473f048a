package events

import (
	"bytes"
	"encoding/hex"
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"
)

// A golden file holds one event exactly as some released version wrote it, and
// what it must read as today. A file, once committed, is never changed: the logs
// of our users hold such events for ever.
type golden struct {
	Stream    string         `json:"stream"`
	Revision  uint64         `json:"revision,string"`
	ID        uuid.UUID      `json:"id"`
	Type      string         `json:"type"`
	Metadata  jsontext.Value `json:"metadata"`
	Data      jsontext.Value `json:"data"`
	Reads     jsontext.Value `json:"reads_as"`       // the payload in its current version
	Opens     []string       `json:"opens"`          // plain texts of the personal fields, in order
	Canonical string         `json:"canonical_hash"` // SHA-256 of the canonical bytes, hex
}

var writeGolden = flag.Bool("golden", false, "write golden files that are missing; never changes one that exists")

func marshal(v any) ([]byte, error) { return json.Marshal(v, json.Deterministic(true)) }

func goldenPath(name string, version int) string {
	return filepath.Join("testdata", "golden", name+".v"+strconv.Itoa(version)+".json")
}

func TestEveryVersionOfEveryEventReadsForEver(t *testing.T) {
	t.Parallel()
	c := testCodec(t, newMemoryKeys())
	for _, name := range c.catalogue.Names() {
		for v := 1; v <= c.catalogue.Version(name); v++ {
			t.Run(name+"/v"+strconv.Itoa(v), func(t *testing.T) {
				t.Parallel()
				path := goldenPath(name, v)
				raw, err := os.ReadFile(path)
				if os.IsNotExist(err) && *writeGolden {
					raw = makeGolden(t, c, name, v, path)
				} else if err != nil {
					t.Fatalf("every version of every event needs a golden file: %v", err)
				}
				checkGolden(t, raw)
			})
		}
	}
}

func checkGolden(t *testing.T, raw []byte) {
	t.Helper()
	var g golden
	if err := json.Unmarshal(raw, &g); err != nil {
		t.Fatal(err)
	}
	keys := newMemoryKeys()
	c := testCodec(t, keys)
	e, err := c.Decode(Record{Stream: g.Stream, Revision: g.Revision, ID: g.ID, Type: g.Type, Metadata: g.Metadata, Data: g.Data})
	if err != nil {
		t.Fatal(err)
	}
	reads, err := marshal(e.Payload)
	if err != nil {
		t.Fatal(err)
	}
	if want := compact(t, g.Reads); !bytes.Equal(reads, want) {
		t.Errorf("reads as\n%s\nwant\n%s", reads, want)
	}
	if _, err := keys.Ensure(t.Context(), []uuid.UUID{testUser}); err != nil {
		t.Fatal(err)
	}
	if err := c.Open(t.Context(), []Event{e}); err != nil {
		t.Fatal(err)
	}
	if got := opened(e.Payload); !equal(got, g.Opens) {
		t.Errorf("opens to %q, want %q", got, g.Opens)
	}
	if got := canonicalHash(t, e.Record); got != g.Canonical {
		t.Errorf("canonical bytes hash to %s, want %s", got, g.Canonical)
	}
}

func compact(t *testing.T, v jsontext.Value) []byte {
	t.Helper()
	v = bytes.Clone(v)
	if err := v.Compact(); err != nil {
		t.Fatal(err)
	}
	return v
}

func opened(p Payload) []string {
	h, ok := p.(hasPersonal)
	if !ok {
		return nil
	}
	var texts []string
	for _, f := range h.personal() {
		texts = append(texts, f.Text())
	}
	return texts
}

func equal(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// makeGolden writes the file of a current version from a filled-in payload. Old
// versions cannot be made any more: their files come from when they were new.
func makeGolden(t *testing.T, c *Codec, name string, version int, path string) []byte {
	t.Helper()
	if version != c.catalogue.Version(name) {
		t.Fatalf("the golden file of an old version is missing: %s", path)
	}
	d := Draft{
		ID: uuid.NewSHA1(testOrg, []byte(name)),
		Metadata: Metadata{
			Org: testOrg, Actor: Actor{Type: ActorUser, ID: testUser.String()}, OnBehalfOf: "client",
			CommandID: testUser, CorrelationID: testUser, CausationID: testOrg,
			RecordedAt: time.Date(2026, 3, 2, 8, 0, 0, 123456000, time.UTC), Reason: "because",
			Approval: Approval{By: "a", RequestedBy: "b", Request: "c", Reference: "OPS-7"},
			Source:   Source{IP: "192.0.2.1", UserAgent: "test", Portal: "client"}, Groups: []uuid.UUID{testUser},
		},
		Payload: sample(t, name),
	}
	opens := opened(d.Payload)
	out, err := c.Encode(t.Context(), []Draft{d})
	if err != nil {
		t.Fatal(err)
	}
	r := recordOf(out[0], Stream("Golden", testOrg, testUser).String())
	g := golden{Stream: r.Stream, ID: r.ID, Type: r.Type, Metadata: r.Metadata, Data: r.Data, Reads: r.Data, Opens: opens, Canonical: canonicalHash(t, r)}
	raw, err := json.Marshal(&g, jsontext.WithIndent("  "))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(raw, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
	return raw
}

func canonicalHash(t *testing.T, r Record) string {
	t.Helper()
	b, err := Canonical(r)
	if err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(sha256Sum(b))
}
