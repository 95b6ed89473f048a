package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"

	"waybill/cmd/waybill/sample"
	"waybill/readapi"
)

// client is somebody who talks to a server over HTTP.
type client struct {
	t     *testing.T
	url   string
	token string
}

// send returns the status, and reads the answer into out unless that is nil.
func (c *client) send(method, path string, body, out any) int {
	c.t.Helper()
	var in io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			c.t.Fatal(err)
		}
		in = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.url+path, in)
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	if out != nil && res.StatusCode < 300 {
		if err := json.Unmarshal(text, out); err != nil {
			c.t.Fatalf("%s %s: %v in %s", method, path, err, text)
		}
	}
	if res.Header.Get("Waybill-Visible") == "pending" { // a busy machine; nothing is to be asked before
		eventually(c.t, "what was commanded can be seen", func() bool { return c.sees(res.Header.Get("Waybill-Position")) })
	}
	return res.StatusCode
}

// sees reports whether a position is in the read models, after waiting for it for
// as long as the server does.
func (c *client) sees(position string) bool {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), "GET", c.url+"/v1/me", nil)
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	req.Header.Set("Waybill-Position", position)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	res.Body.Close()
	return res.StatusCode != http.StatusGatewayTimeout
}

// enter opens a one-time link, sets a password and signs in.
func enter(t *testing.T, base, email, link string) *client {
	t.Helper()
	_, fragment, _ := strings.Cut(link, "#")
	values, err := url.ParseQuery(fragment)
	if err != nil || values.Get("token") == "" {
		t.Fatalf("no token in the link of %s", email)
	}
	const password = "correct horse battery"
	c := &client{t: t, url: base}
	switch status := c.send("POST", "/v1/passwords", map[string]string{"token": values.Get("token"), "email": email, "password": password}, nil); status {
	case http.StatusOK:
	case http.StatusServiceUnavailable: // it is set, and the read models are too busy to tell
		eventually(t, "the account of "+email+" is ready", func() bool {
			return c.send("POST", "/v1/sessions", map[string]string{"email": email, "password": password}, nil) == http.StatusCreated
		})
	default:
		t.Fatalf("set the password of %s: status %d", email, status)
	}
	var session struct {
		Token string `json:"token"`
	}
	if status := c.send("POST", "/v1/sessions", map[string]string{"email": email, "password": password}, &session); status != http.StatusCreated {
		t.Fatalf("sign in as %s: status %d", email, status)
	}
	c.token = session.Token
	return c
}

// served is a running demo with its people signed in.
type served struct {
	*server
	dir    string
	shown  shown
	people map[string]*client // by first name
}

func serveDemo(t *testing.T) *served {
	t.Helper()
	s := &served{dir: dataDir(t), people: map[string]*client{}}
	s.server = startServer(t, "demo", "--json", "--listen", "127.0.0.1:0", "--data", s.dir)
	if err := json.Unmarshal([]byte(s.stdout.String()), &s.shown); err != nil {
		t.Fatal(err)
	}
	for _, u := range s.shown.Users {
		if _, ok := truth[u.Name]; ok {
			s.people[u.Name] = enter(t, s.url, u.Email, u.Link)
		}
	}
	return s
}

func TestAServedDemoHoldsItsTruthTableOverHTTP(t *testing.T) {
	t.Parallel()
	s := serveDemo(t)
	ids := map[string]uuid.UUID{}
	for _, number := range s.shown.Numbers {
		var list readapi.DeliveryList
		s.people["Vincent"].send("GET", "/v1/deliveries?do_number="+number, nil, &list)
		if len(list.Deliveries) != 1 {
			t.Fatalf("the manager sees %d deliveries %s", len(list.Deliveries), number)
		}
		ids[number] = list.Deliveries[0].ID
	}
	for name, row := range truth {
		c := s.people[name]
		whole := c.everything()
		var progress readapi.Progressed
		c.send("GET", "/v1/progress", nil, &progress)
		if int(progress.Total) != len(whole) {
			t.Errorf("%s lists %d deliveries and counts %d", name, len(whole), progress.Total)
		}
		for i, number := range s.shown.Numbers {
			if _, listed := whole[ids[number]]; listed != row[i] {
				t.Errorf("%s has %s in the list: %v", name, number, listed)
			}
			var found readapi.DeliveryList
			c.send("GET", "/v1/deliveries?do_number="+number, nil, &found)
			if (len(found.Deliveries) == 1) != row[i] {
				t.Errorf("%s finds %s: %d times", name, number, len(found.Deliveries))
			}
			want := http.StatusNotFound
			if row[i] {
				want = http.StatusOK
			}
			if status := c.send("GET", "/v1/deliveries/"+ids[number].String(), nil, nil); status != want {
				t.Errorf("%s gets %s by id: status %d, want %d", name, number, status, want)
			}
		}
	}
	s.takeApplesFromWayne(t, ids["D1"])
	s.archiveOranges(t, ids["D3"])
}

// everything lists all deliveries that the caller sees, page by page.
func (c *client) everything() map[uuid.UUID]string {
	c.t.Helper()
	all := map[uuid.UUID]string{}
	for next := ""; ; {
		var page readapi.DeliveryList
		if status := c.send("GET", "/v1/deliveries?limit=20&cursor="+url.QueryEscape(next), nil, &page); status != http.StatusOK {
			c.t.Fatalf("list: status %d", status)
		}
		for _, d := range page.Deliveries {
			if all[d.ID] != "" {
				c.t.Errorf("delivery %s is listed twice", d.DONumber)
			}
			all[d.ID] = d.DONumber
		}
		if next = page.Next; next == "" {
			return all
		}
	}
}

// takeApplesFromWayne revokes a grant: what was revoked a moment ago is gone now.
func (s *served) takeApplesFromWayne(t *testing.T, d1 uuid.UUID) {
	t.Helper()
	var wayne, apple struct {
		ID string `json:"id"`
	}
	s.people["Wayne"].send("GET", "/v1/me", nil, &wayne)
	var groups readapi.Groups
	s.people["Adam"].send("GET", "/v1/groups", nil, &groups)
	if len(groups.Groups) != 1 || groups.Groups[0].Name != "Apple" {
		t.Fatalf("Adam sees groups %+v", groups.Groups)
	}
	apple.ID = groups.Groups[0].ID.String()
	if status := s.people["Vincent"].send("DELETE", "/v1/users/"+wayne.ID+"/groups/"+apple.ID, nil, nil); status >= 300 {
		t.Fatalf("revoke: status %d", status)
	}
	if status := s.people["Wayne"].send("GET", "/v1/deliveries/"+d1.String(), nil, nil); status != http.StatusNotFound {
		t.Errorf("Wayne still gets D1: status %d", status)
	}
}

// archiveOranges archives a group: its users see nothing of it from then on, and
// a policy ends their grants, so that restoring it brings nothing back.
func (s *served) archiveOranges(t *testing.T, d3 uuid.UUID) {
	t.Helper()
	ortega, olivia := s.people["Ortega"], s.people["Olivia"]
	var groups readapi.Groups
	ortega.send("GET", "/v1/groups", nil, &groups)
	if len(groups.Groups) != 1 {
		t.Fatalf("Ortega sees groups %+v", groups.Groups)
	}
	orange := "/v1/groups/" + groups.Groups[0].ID.String()
	if status := olivia.send("POST", orange+"/archive", map[string]string{"reason": "the season is over"}, nil); status != http.StatusOK {
		t.Fatalf("archive: status %d", status)
	}
	if status := ortega.send("GET", "/v1/deliveries/"+d3.String(), nil, nil); status != http.StatusNotFound {
		t.Errorf("Ortega still gets D3 of an archived group: status %d", status)
	}
	if status := olivia.send("GET", "/v1/deliveries/"+d3.String(), nil, nil); status != http.StatusOK {
		t.Errorf("the owner does not get D3 of an archived group: status %d", status)
	}
	eventually(t, "the policy ends the grant", func() bool {
		open, err := s.grantsOf(t, "Ortega")
		return err == nil && open == 0
	})
	if status := olivia.send("POST", orange+"/restore", map[string]string{}, nil); status != http.StatusOK {
		t.Fatalf("restore: status %d", status)
	}
	if status := ortega.send("GET", "/v1/deliveries/"+d3.String(), nil, nil); status != http.StatusNotFound {
		t.Errorf("Ortega gets D3 again because the group was restored: status %d", status)
	}
}

// grantsOf counts the open grants of a user in the tables.
func (s *served) grantsOf(t *testing.T, name string) (open int, err error) {
	t.Helper()
	err = withSystem(t.Context(), systemConfig{storageFlags: storageFlags{Data: s.dir}, Guest: true, Log: discard()}, func(ctx context.Context, sys *system) error {
		return sys.pools.Identity.QueryRow(ctx, `
			SELECT count(*)
			FROM read.grants g JOIN read.users u USING (user_id)
			WHERE u.name = $1 AND g.ended_at IS NULL`, name).Scan(&open)
	})
	return open, err
}

func TestOtherVerbsWorkBesideARunningServer(t *testing.T) {
	t.Parallel()
	s := serveDemo(t)
	path := filepath.Join(t.TempDir(), "more.csv")
	if err := os.WriteFile(path, []byte("customer code,do number,date\nApple,NEW-1,2026-04-01\nBanana,NEW-2,2026-04-01\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	mustRun(t, "import", path, "--data", s.dir)
	if got := len(s.people["Adam"].everything()); got != s.shown.user(t, "Adam").Deliveries+1 {
		t.Errorf("Adam sees %d deliveries after one more was imported", got)
	}
	if got := len(s.people["Vincent"].everything()); got != sample.Deliveries+2 {
		t.Errorf("Vincent sees %d deliveries", got)
	}
	mango := s.shown.user(t, "Client Mango")
	link, _, _ := strings.Cut(mustRun(t, "sign-in-link", mango.Email, "--public-url", s.url, "--data", s.dir), "\n")
	if got := len(enter(t, s.url, mango.Email, link).everything()); got != mango.Deliveries {
		t.Errorf("with the link one sees %d deliveries, want %d", got, mango.Deliveries)
	}
	e := run(t, "serve", "--listen", "127.0.0.1:0", "--data", s.dir)
	if e.code != exitUnavailable || !strings.Contains(e.stderr, fmt.Sprint(os.Getpid())) {
		t.Errorf("a second server: exit code %d, %q", e.code, e.stderr)
	}
	if code := s.stop(); code != exitOK {
		t.Errorf("the server ended with exit code %d", code)
	}
	if postgresOf(s.dir) != 0 {
		t.Error("a Postgres still runs")
	}
	d := demoOf(t, "--data", s.dir)
	if d.Deliveries != sample.Deliveries+2 || d.user(t, "Wayne").Deliveries != s.shown.user(t, "Wayne").Deliveries+2 {
		t.Errorf("the next run finds %d deliveries", d.Deliveries)
	}
}

func (d *shown) user(t *testing.T, name string) shownUser {
	t.Helper()
	for _, u := range d.Users {
		if u.Name == name {
			return u
		}
	}
	t.Fatalf("there is no user %s", name)
	return shownUser{}
}

func TestASignalEndsTheServerInOrder(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	cmd, out := start(t, nil, "serve", "--listen", "127.0.0.1:0", "--data", dir)
	eventually(t, "the server answers", func() bool { return strings.Contains(out.String(), "serves on") })
	if postgresOf(dir) == 0 {
		t.Fatal("no Postgres runs")
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ended with %v\n%s", err, out.String())
	}
	if postgresOf(dir) != 0 {
		t.Error("a Postgres still runs")
	}
	if _, err := os.Stat(filepath.Join(dir, runningFile)); err == nil {
		t.Error("it left the file that says how to get in")
	}
}
