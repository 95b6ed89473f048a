package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"waybill/cmd/waybill/sample"
)

// demoOf runs a demo to its summary.
func demoOf(t *testing.T, args ...string) shown {
	t.Helper()
	text := mustRun(t, append([]string{"demo", "--exit", "--json"}, args...)...)
	var d shown
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return d
}

// truth is the published truth table, by user.
var truth = map[string][]bool{
	"Adam":    {true, false, false, false},
	"Betty":   {false, true, false, false},
	"Ortega":  {false, false, true, false},
	"Olivia":  {true, true, true, true},
	"Vincent": {true, true, true, true},
	"Wayne":   {true, true, true, false},
}

func TestTheDemoShowsWhoSeesWhatAndFindsItsDataAgain(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	first := demoOf(t, "--data", dir)
	if first.Import.Created != sample.Deliveries || first.Import.RejectedRows != 0 || first.Import.GroupsCreated != sample.Groups {
		t.Errorf("imported %+v", first.Import)
	}
	second := demoOf(t, "--data", dir)
	if second.Import.Created != 0 || second.Import.AlreadyKnown != sample.Deliveries || second.Import.GroupsCreated != 0 {
		t.Errorf("the second run imported %+v", second.Import)
	}
	for _, d := range []shown{first, second} {
		if d.Deliveries != sample.Deliveries || d.Items != sample.Items || d.GroupsInAll != sample.Groups || d.Untagged != 1 || d.ID != first.ID {
			t.Errorf("%d deliveries, %d items, %d groups, %d untagged", d.Deliveries, d.Items, d.GroupsInAll, d.Untagged)
		}
		if len(d.Users) != sample.Groups+3 {
			t.Errorf("%d users, want one per group, an owner, a manager and an employee", len(d.Users))
		}
		if c := d.Clients; len(c) != 2 || c[0].Name != "Cherry Ltd" || c[0].Mode != "invited" || c[0].Approval != "granted" ||
			c[1].Name != "Damson Ltd" || c[1].Mode != "on_behalf" || c[1].Approval != "not_required" || c[0].Status != "active" || c[1].Status != "active" {
			t.Errorf("the clients are %+v, want an account each way", c)
		}
		for _, u := range d.Users {
			if want, ok := truth[u.Name]; ok && !slices.Equal(u.Truth, want) {
				t.Errorf("%s sees %v of D1 to D4, want %v", u.Name, u.Truth, want)
			}
		}
	}
	text := mustRun(t, "demo", "--exit", "--data", dir)
	for _, want := range []string{"92 deliveries with 179 items in 5 groups, 1 untagged", "Who sees which delivery", "Vincent"} {
		if !strings.Contains(text, want) {
			t.Errorf("the summary does not say %q:\n%s", want, text)
		}
	}
	if postgresOf(dir) != 0 {
		t.Error("a Postgres still runs")
	}
}

func TestTheDemoTakesAnotherFileWithItsColumns(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("id;project code;asn #;delivered;country;what;how many\r\n")
	for i := range 300 {
		fmt.Fprintf(&b, "%d;P%02d;ASN-%d;%d-Jun-06;Côte d'Ivoire;Nevirapine;%d\r\n", i, i%150%20, i%150, 1+i%150%28, i)
	}
	b.WriteString("300;P00;ASN-900;soon;Chad;Nevirapine;1\r\n")
	path := filepath.Join(t.TempDir(), "my export.csv")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	d := demoOf(t, "--data", dataDir(t), "--file", path, "--column", "group=project code", "--column", "number=asn #", "--column", "date=delivered",
		"--column", "address=country", "--column", "item=id", "--column", "description=what", "--column", "quantity=how many")
	if d.Deliveries != 150 || d.Items != 300 || d.GroupsInAll != 20 || d.Import.RejectedRows != 1 || d.Organisation != "my export" {
		t.Errorf("%d deliveries, %d items, %d groups, %d rows rejected, organisation %q", d.Deliveries, d.Items, d.GroupsInAll, d.Import.RejectedRows, d.Organisation)
	}
	if len(d.Users) != 23 || d.Users[0].Deliveries != 150 {
		t.Errorf("%d users, the manager sees %d", len(d.Users), d.Users[0].Deliveries)
	}
}
