package verb_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"

	"waybill/aggregates/access/route"
	"waybill/cmd/waybill/verb"
)

type line struct {
	Text   string  `json:"text"`
	Amount int64   `json:"amount"`
	Share  float64 `json:"share,omitzero"`
}

type inner struct {
	Name string `json:"name"`
}

type body struct {
	Name  string            `json:"name"`
	Who   inner             `json:"who"`
	Lines []line            `json:"lines,omitempty"`
	Marks map[string]bool   `json:"marks,omitempty"`
	Size  int64             `json:"size,string,omitzero"`
	Raw   jsontext.Value    `json:"raw,omitzero"`
	Group uuid.UUID         `json:"group,omitzero"`
	Words map[string]string `json:"words,omitempty"`
}

func making(t testing.TB) verb.Verb {
	t.Helper()
	v, err := verb.Of(route.Route{Method: http.MethodPost, Path: "/v1/things/{id}/parts/{code}", Name: "make", Verb: "thing make", Body: route.Of[body](), Args: []string{"name"}})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

const id = "0b9c2a5e-7d1f-4c3a-9e8b-6f5d4c3b2a19"

// given returns what is required, with more.
func given(more map[string][]string) verb.Given {
	values := map[string][]string{"thing": {id}, "code": {"a/b"}, "name": {"N"}, "who-name": {"W"}}
	for name, list := range more {
		values[name] = list
	}
	return verb.Given{Values: values}
}

func TestWhatIsTypedIsSent(t *testing.T) {
	t.Parallel()
	v := making(t)
	for _, c := range []struct {
		given map[string][]string
		base  string
		want  string
	}{
		{nil, ``, `{"name":"N","who":{"name":"W"}}`},
		{map[string][]string{"size": {"9007199254740993"}}, ``, `{"name":"N","size":"9007199254740993","who":{"name":"W"}}`},
		{map[string][]string{"line": {"text=a,amount=1", "text=a, b,share=0.5", `{"text":"a=b,c"}`}}, ``,
			`{"lines":[{"amount":1,"text":"a"},{"share":0.5,"text":"a, b"},{"text":"a=b,c"}],"name":"N","who":{"name":"W"}}`},
		{map[string][]string{"line": {""}}, ``, `{"lines":[],"name":"N","who":{"name":"W"}}`},
		{map[string][]string{"mark": {"x=true", "y=false"}, "word": {"a=b=c"}}, ``, `{"marks":{"x":true,"y":false},"name":"N","who":{"name":"W"},"words":{"a":"b=c"}}`},
		{map[string][]string{"raw": {`{"a":[1]}`}, "group": {id}}, ``, `{"group":"` + id + `","name":"N","raw":{"a":[1]},"who":{"name":"W"}}`},
		{map[string][]string{"who-name": {"V"}}, `{"who":{"name":"X","age":12345678901234567890},"other":1}`, `{"name":"N","other":1,"who":{"age":12345678901234567890,"name":"V"}}`},
	} {
		g := given(c.given)
		g.Body = []byte(c.base)
		r, err := v.Request(g)
		if err != nil {
			t.Errorf("%v: %v", c.given, err)
			continue
		}
		text, err := io.ReadAll(r.Body)
		if err != nil || string(text) != c.want || r.Path != "/v1/things/"+id+"/parts/a%2Fb" {
			t.Errorf("%v: %s %s, want %s", c.given, r.Path, text, c.want)
		}
	}
}

func TestWhatCannotBeSentIsNamed(t *testing.T) {
	t.Parallel()
	v := making(t)
	for _, c := range []struct {
		given map[string][]string
		base  string
		says  string
	}{
		{map[string][]string{"line": {"amount=x"}}, ``, "--line"},
		{map[string][]string{"line": {"weight=1"}}, ``, "--line"},
		{map[string][]string{"line": {"text"}}, ``, "--line"},
		{map[string][]string{"line": {"text=a,text=b"}}, ``, "twice"},
		{map[string][]string{"line": {"{no"}}, ``, "--line"},
		{map[string][]string{"mark": {"x"}}, ``, "--mark"},
		{map[string][]string{"mark": {"x=maybe"}}, ``, "--mark"},
		{map[string][]string{"size": {"1.5"}}, ``, "--size"},
		{map[string][]string{"raw": {"{"}}, ``, "--raw"},
		{map[string][]string{"group": {"Apple"}}, ``, "--group"},
		{map[string][]string{"thing": {"Apple"}}, ``, "<thing>"},
		{map[string][]string{"code": {""}}, ``, "<code>"},
		{map[string][]string{"who-name": nil}, ``, "--who-name"},
		{map[string][]string{"name": nil, "who-name": nil}, `[]`, "--json-body"},
		{map[string][]string{"who-name": {"W"}}, `{"who": 7}`, "--who-name"},
		{nil, `{"name": 1, "name": 2}`, "--json-body"},
	} {
		g := given(c.given)
		g.Body = []byte(c.base)
		_, err := v.Request(g)
		var usage *verb.UsageError
		if !errors.As(err, &usage) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v %s: %v, want %q", c.given, c.base, err, c.says)
		}
	}
}

func TestADotIsNoStepInAPath(t *testing.T) {
	t.Parallel()
	r, err := making(t).Request(given(map[string][]string{"code": {".."}}))
	if err != nil || !strings.HasSuffix(r.Path, "/parts/%2E%2E") {
		t.Errorf("%s, %v", r.Path, err)
	}
}

func TestErrorsAreNamedByWhatOneTypes(t *testing.T) {
	t.Parallel()
	v := making(t)
	for field, want := range map[string]string{"who.name": "--who-name", "lines[2].amount": "--line", "name": "<name>", "nothing": "", "code": "<code>"} {
		if got := v.Flag(field); got != want {
			t.Errorf("%s is %q, want %q", field, got, want)
		}
	}
}

func TestTwoRoutesCannotHaveOneVerb(t *testing.T) {
	t.Parallel()
	r := making(t).Route
	other := r
	other.Name = "other"
	none := r
	none.Verb = ""
	three := r
	three.Verb = "a b c"
	lost := r
	lost.Args = []string{"lost"}
	for _, routes := range [][]route.Route{{r, other}, {none}, {three}, {lost}} {
		if _, err := verb.All(routes); err == nil {
			t.Errorf("%v was taken", routes)
		}
	}
	if all, err := verb.All([]route.Route{r, {Page: true}}); err != nil || len(all) != 1 {
		t.Errorf("%v, %v", all, err)
	}
}

func FuzzWhatIsTypedIsRefusedOrIsJSON(f *testing.F) {
	v := making(f)
	for _, seed := range []string{"text=a,amount=1", `{"text":"x"}`, "a=b", "=", ",", `{"a":1}{`, "text=\xff", "x=true"} {
		f.Add(seed, seed, seed)
	}
	f.Fuzz(func(t *testing.T, line, mark, raw string) {
		r, err := v.Request(given(map[string][]string{"line": {line}, "mark": {mark}, "raw": {raw}}))
		if err != nil {
			return
		}
		text, err := io.ReadAll(r.Body)
		if err != nil || !jsontext.Value(text).IsValid() {
			t.Errorf("%q %q %q were sent as %s", line, mark, raw, text)
		}
	})
}
