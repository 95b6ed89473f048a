package readapi_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
)

func TestTheOpenAPIDocumentSaysWhichRoutesRefuseAPIKeys(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	f := newFruit(t, s)
	var made struct {
		Key  string         `json:"key"`
		Rest map[string]any `json:",unknown"`
	}
	f.owner.do(t, http.MethodPost, "/v1/api-keys", `{"name": "machine"}`).into(t, &made)
	machine := person{s: s, token: made.Key}
	var doc struct {
		Paths map[string]map[string]struct {
			Security []map[string][]string `json:"security"`
			Rest     map[string]any        `json:",unknown"`
		} `json:"paths"`
		Components struct {
			Schemes map[string]map[string]string `json:"securitySchemes"`
			Rest    map[string]any               `json:",unknown"`
		} `json:"components"`
		Rest map[string]any `json:",unknown"`
	}
	person{s: s}.ok(t, "/openapi.json").into(t, &doc)
	refusing := []string{}
	for path, methods := range doc.Paths {
		for method, op := range methods {
			keys, sessions := false, false
			for _, way := range op.Security {
				for scheme := range way {
					if doc.Components.Schemes[scheme]["scheme"] != "bearer" {
						t.Errorf("%s %s: the scheme %s is not declared", method, path, scheme)
					}
					keys, sessions = keys || scheme == "apiKey", sessions || scheme == "session"
				}
			}
			if len(op.Security) == 0 { // public
				continue
			}
			if !sessions {
				t.Errorf("%s %s is documented as taking no session", method, path)
			}
			path = strings.NewReplacer("{code}", "APL", "{id}", uuid.NewString(), "{group}", uuid.NewString(), "{vehicle}", uuid.NewString(), "{request}", uuid.NewString()).Replace(path)
			a := machine.do(t, strings.ToUpper(method), path, "{}")
			refused := a.status == http.StatusForbidden && strings.Contains(a.body, "session-needed")
			if refused == keys {
				t.Errorf("%s %s: documented as taking API keys: %v; it answers %d %s", method, path, keys, a.status, a.body)
			}
			if refused {
				refusing = append(refusing, method+" "+path)
			}
		}
	}
	if !slices.Contains(refusing, "post /v1/api-keys") || len(refusing) < 6 {
		t.Errorf("API keys are refused by %v only", refusing)
	}
}
