package commandapi

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"waybill/aggregates/problem"
)

func read(t testing.TB, body string) (NewDelivery, error) {
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	var in NewDelivery
	return in, readBody(httptest.NewRecorder(), r, &in, false)
}

func FuzzReadBody(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"do_number": "1", "items": [{"quantity": "7"}]}`, `{"do_number": {"a": [1, "s3cret"]}}`, `{"s3cret": 1}`, `[`, `{"items": [{"quantity": 1e9}]}`, "\xff", `{"a":1}{}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		in, err := read(t, body)
		if err == nil {
			return
		}
		var he *problem.HTTPError
		if !errors.As(err, &he) || he.Status < 400 || he.Status > 499 || he.Detail == "" {
			t.Errorf("%q: %v (%+v), want a refusal of the request", body, err, in)
		}
	})
}

func TestAnErrorAboutABodyRepeatsNoValue(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{"do_number": ["s3cret"]}`, `{"do_number": {"x": "s3cret"}}`, `{"items": "s3cret"}`, `{"vehicle": "s3cret"}`, `{"do_number": "s3cret`,
		`{"items": [{"quantity": "s3cret"}]}`, `{"approval": {"by": 1, "x": "s3cret"}}`, `"s3cret"`, `{"do_number": "a"} s3cret`,
	} {
		_, err := read(t, body)
		if err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v, want an error that does not repeat what was sent", body, err)
		}
	}
}

func TestAQuantityIsAWholeNumberOrItsText(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]Quantity{
		`3`: 3, `"3"`: 3, `"9007199254740993"`: 9007199254740993, `9007199254740993`: 9007199254740993, `-1`: -1,
	} {
		in, err := read(t, `{"items": [{"quantity": `+body+`}]}`)
		if err != nil || in.Items[0].Quantity != want {
			t.Errorf("%s: %+v, %v, want %d", body, in.Items, err, want)
		}
	}
	for _, body := range []string{`1.5`, `"1.5"`, `""`, `null`, `true`, `1e3`, `[1]`, `"9223372036854775808"`} {
		_, err := read(t, `{"items": [{"quantity": `+body+`}]}`)
		if err == nil || !strings.Contains(err.Error(), "items[0].quantity") {
			t.Errorf("%s: %v, want an error that names the member", body, err)
		}
	}
}
