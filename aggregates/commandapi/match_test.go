package commandapi

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"waybill/aggregates/problem"
)

func TestIfMatchIsOneETagAsItWasGiven(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		values   []string
		required bool
		revision uint64
		status   int // 0: taken
	}{
		"an ETag":                   {[]string{`"7"`}, true, 7, 0},
		"nothing, needed":           {nil, true, 0, http.StatusPreconditionRequired},
		"any, needed":               {[]string{`*`}, true, 0, http.StatusPreconditionRequired},
		"no quotes":                 {[]string{`7`}, true, 0, http.StatusBadRequest},
		"half the quotes":           {[]string{`"7`}, true, 0, http.StatusBadRequest},
		"a weak one":                {[]string{`W/"7"`}, false, 0, http.StatusBadRequest},
		"several":                   {[]string{`"7", "8"`}, false, 0, http.StatusBadRequest},
		"twice":                     {[]string{`"7"`, `"7"`}, false, 0, http.StatusBadRequest},
		"another way to write it":   {[]string{`"07"`}, false, 0, http.StatusBadRequest},
		"more than there can be":    {[]string{`"18446744073709551615"`}, false, 0, http.StatusBadRequest},
		"an ETag that is no number": {[]string{`"seven"`}, false, 0, http.StatusBadRequest},
	} {
		r := httptest.NewRequest(http.MethodPatch, "/", nil)
		for _, v := range tc.values {
			r.Header.Add("If-Match", v)
		}
		got, err := matching(r, tc.required)
		var he *problem.HTTPError
		switch {
		case tc.status == 0 && (err != nil || got == nil || *got != tc.revision):
			t.Errorf("%s: %v, %v", name, got, err)
		case tc.status != 0 && (!errors.As(err, &he) || he.Status != tc.status):
			t.Errorf("%s: %v, want status %d", name, err, tc.status)
		}
	}
	for _, values := range [][]string{nil, {"*"}} {
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.Header["If-Match"] = values
		if got, err := matching(r, false); got != nil || err != nil {
			t.Errorf("%v where it is not needed: %v, %v", values, got, err)
		}
	}
}
