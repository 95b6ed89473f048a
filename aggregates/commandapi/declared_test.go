package commandapi

import (
	"net/http"
	"testing"
)

func TestEveryCommandSaysWhatItNeedsOrThatItIsOpen(t *testing.T) {
	t.Parallel()
	for _, r := range Declared() {
		if r.Method == http.MethodGet || r.Public {
			continue
		}
		if (r.Needs == 0) == !r.Open {
			t.Errorf("%s (%s %s) declares needs %v and open %v; it must declare one of the two", r.Name, r.Method, r.Path, r.Needs.Names(), r.Open)
		}
	}
}
