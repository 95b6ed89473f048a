package readapi

import (
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"
)

func TestAnEntryIsWrittenAsItsTypeSays(t *testing.T) {
	t.Parallel()
	group, at := uuid.New(), time.Date(2026, 3, 2, 9, 30, 0, 123_000, time.UTC)
	for name, e := range map[string]Entry{
		"empty":    {},
		"whole":    {"DeliveryTagged", at, "user:\"7\"\n", &group, &group, "sold <to> Zoë", jsontext.Value(`{"was":"A","n":1}`), 1<<64 - 1},
		"to only":  {Type: "DeliveryCreated", At: at.Truncate(time.Second), Actor: "system:", To: &group},
		"no group": {Type: "DeliveryUntagged", At: at, Actor: "user:1", Reason: "x", Detail: jsontext.Value(`{}`), Revision: 3},
	} {
		want, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		got, err := e.append([]byte("before"))
		if err != nil || string(got) != "before"+string(want) {
			t.Errorf("%s: %s, %v, want %s", name, got, err, want)
		}
	}
	blank := Entry{Detail: jsontext.Value(`{"was": "A"}`)}
	if got, err := blank.append(nil); err != nil || string(got) != `{"type":"","at":"0001-01-01T00:00:00Z","actor":"","detail":{"was":"A"},"revision":"0"}` {
		t.Errorf("%s, %v: want the detail without blanks", got, err)
	}
	if _, err := (&Entry{Detail: jsontext.Value(`{`)}).append(nil); err == nil {
		t.Error("a detail that is no JSON is written")
	}
}
