package mail_test

import (
	"net/http"
	"strings"
	"testing"

	"waybill/aggregates/access"
	"waybill/aggregates/mail"
)

func TestEveryMailArrivesAndItsLinkWorksOnce(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	p.deliver(t, nil)
	f := p.firm(t, "Fruit & <b>Veg</b>")
	for rule, test := range map[string]func(*testing.T, *firm){
		"an invitation":                          testInvitation,
		"an invitation of who has a password":    testInvitationOfTheKnown,
		"an account made on a client's behalf":   testClientAccount,
		"an account for who has a password":      testClientAccountOfTheKnown,
		"an invitation of a client":              testClientInvitation,
		"a request for another password":         testPasswordReset,
		"a block":                                testBlock,
		"links by hand beside those of the mail": testLinksByHand,
	} {
		t.Run(rule, func(t *testing.T) { test(t, f) })
	}
	if text := f.logs.String(); strings.Contains(text, "@example.com") || strings.Contains(text, "set-password#") || strings.Contains(text, smtpPassword) || strings.Contains(text, "token=") {
		t.Error("the log holds an address, a link or a password")
	}
	for _, m := range f.server.mails("") {
		token := linkish(m.letter(t).Text)
		if token != "" && strings.Contains(f.logs.String(), token) {
			t.Error("the log holds a token")
		}
		_, web, _ := strings.Cut(m.raw, "text/html")
		if web = strings.ReplaceAll(web, "=\r\n", ""); !strings.Contains(web, "&lt;b&gt;Veg") && strings.Contains(web, "Veg") || strings.Contains(web, "<b>Veg") || strings.Contains(m.raw, "go-mail") {
			t.Errorf("what an organisation is called is not escaped:\n%s", m.raw)
		}
	}
	var rows string
	must(t, f.pools.Identity.QueryRow(t.Context(), `SELECT string_agg(o::text, ' ') FROM mail.outbox o`).Scan(&rows))
	if strings.Contains(rows, "@") || strings.Contains(rows, "Adam") {
		t.Errorf("the outbox holds personal data: %s", rows)
	}
}

func linkish(text string) string {
	_, rest, _ := strings.Cut(text, "token=")
	token, _, _ := strings.Cut(rest, "\n")
	return token
}

func testInvitation(t *testing.T, f *firm) {
	email := address("adam")
	id := f.add(t, "Adam", email)
	l := f.mailTo(t, email, 1)
	if l.Subject != "Fruit & <b>Veg</b> has invited you" || !strings.Contains(l.Text, "Hello Adam,") || !strings.Contains(l.Text, "Fruit & <b>Veg</b>") || !strings.Contains(l.From, "Waybill") {
		t.Errorf("%+v", l)
	}
	first := linkOf(t, f.post, l)
	f.done(t, f.owner, "POST", "/v1/users/"+id.String()+"/invitation/resend", "")
	again := f.mailTo(t, email, 2)
	if again.MessageID == l.MessageID {
		t.Error("two mails have one Message-ID")
	}
	if status := f.use(t, first, password); status != http.StatusUnprocessableEntity && status != http.StatusBadRequest {
		t.Errorf("the link before: %d", status)
	}
	link := linkOf(t, f.post, again)
	if status := f.use(t, link, password); status != http.StatusOK {
		t.Fatalf("the link: %d", status)
	}
	if f.use(t, link, password+"!") == http.StatusOK {
		t.Error("the link works twice")
	}
	if f.signIn(t, email, password) == "" {
		t.Error("no sign-in after it")
	}
}

func testInvitationOfTheKnown(t *testing.T, f *firm) {
	email := address("known")
	f.add(t, "Known", email)
	f.use(t, linkOf(t, f.post, f.mailTo(t, email, 1)), password)
	other := f.post.firm(t, "Other")
	other.add(t, "Known", email)
	l := f.mailTo(t, email, 2)
	if strings.Contains(l.Text, "token") || strings.Contains(l.Text, "set-password") || !strings.Contains(l.Text, f.URL+"/forgot-password") || !strings.Contains(l.Text, "Other has invited you") {
		t.Errorf("%s", l.Text)
	}
	var tokens int
	must(t, f.pools.Identity.QueryRow(t.Context(), `SELECT count(*) FROM identity.tokens t JOIN identity.identities i USING (identity_id) WHERE i.email = $1 AND t.org_id = $2`, email, other.org).Scan(&tokens))
	if tokens != 0 {
		t.Error("a token was made for who has a password")
	}
}

func testClientAccount(t *testing.T, f *firm) {
	email := address("carl")
	f.done(t, f.owner, "POST", f.client(t, "Cherry Ltd", email)+"/account", "")
	l := f.mailTo(t, email, 1)
	if !strings.Contains(l.Subject, "Cherry Ltd") || !strings.Contains(l.Text, "has made an account for Cherry Ltd") {
		t.Errorf("%+v", l)
	}
	if status := f.use(t, linkOf(t, f.post, l), password); status != http.StatusOK {
		t.Fatalf("the link: %d", status)
	}
	if f.signIn(t, email, password) == "" {
		t.Error("no sign-in after it")
	}
	f.settled(t)
	f.mailTo(t, email, 1) // one mail, though its contact is an invited user
}

func testClientAccountOfTheKnown(t *testing.T, f *firm) {
	email := address("customer")
	id := f.add(t, "Customer", email)
	f.use(t, linkOf(t, f.post, f.mailTo(t, email, 1)), password)
	f.done(t, f.owner, "DELETE", "/v1/users/"+id.String(), "")
	f.done(t, f.owner, "POST", f.client(t, "Damson Ltd", email)+"/account", "")
	l := f.mailTo(t, email, 2)
	if strings.Contains(l.Text, "token") || !strings.Contains(l.Text, "Damson Ltd") || !strings.Contains(l.Text, "Sign in") {
		t.Errorf("%s", l.Text)
	}
}

func testClientInvitation(t *testing.T, f *firm) {
	email := address("clive")
	path := f.client(t, "Elder Ltd", email)
	f.done(t, f.owner, "POST", path+"/invitation", "")
	first := f.mailTo(t, email, 1)
	if !strings.Contains(first.Text, "Elder Ltd") || linkOf(t, f.post, first).role != "client" {
		t.Errorf("%s", first.Text)
	}
	f.done(t, f.owner, "POST", path+"/invitation/resend", "")
	link := linkOf(t, f.post, f.mailTo(t, email, 2))
	if f.use(t, linkOf(t, f.post, first), password) == http.StatusOK {
		t.Error("the link before works still")
	}
	if status := f.use(t, link, password); status != http.StatusOK {
		t.Fatalf("the link: %d", status)
	}
	if f.use(t, link, password) == http.StatusOK {
		t.Error("the link works twice")
	}
	if f.signIn(t, email, password) == "" {
		t.Error("no sign-in after it")
	}
	f.settled(t)
	f.mailTo(t, email, 2) // an account that the client made itself is no news to it
}

func testBlock(t *testing.T, f *firm) {
	email := address("blocked")
	id := f.add(t, "Bert", email)
	f.use(t, linkOf(t, f.post, f.mailTo(t, email, 1)), password)
	f.done(t, f.owner, "POST", "/v1/users/"+id.String()+"/block", "")
	l := f.mailTo(t, email, 2)
	if !strings.Contains(l.Subject, "blocked") || strings.Contains(l.Text, "http") {
		t.Errorf("%+v", l)
	}
}

func testLinksByHand(t *testing.T, f *firm) {
	email := address("hand")
	id := f.add(t, "Hanna", email)
	identity, err := f.access.Ensure(t.Context(), email)
	must(t, err)
	printed, _, err := f.access.IssueToken(t.Context(), access.Ticket{Purpose: access.PurposeInvitation, Identity: identity, Org: f.org, User: id})
	must(t, err)
	mailed := linkOf(t, f.post, f.mailTo(t, email, 1))
	if status := f.use(t, link{token: printed.Reveal(), email: email}, password); status != http.StatusOK {
		t.Errorf("the link by hand, beside the mail: %d", status)
	}
	if f.use(t, mailed, password+"!") == http.StatusOK {
		t.Error("the mail's link works after the other one was used")
	}
}

func testPasswordReset(t *testing.T, f *firm) {
	email := address("reset")
	f.add(t, "Rita", email)
	f.use(t, linkOf(t, f.post, f.mailTo(t, email, 1)), password)
	session := f.signIn(t, email, password)
	var key struct {
		Key  string         `json:"key"`
		Rest map[string]any `json:",unknown"`
	}
	f.call(t, session, "POST", "/v1/api-keys", `{"name": "robot"}`, &key)
	f.done(t, key.Key, "POST", "/v1/groups", `{"name": "By the key"}`)
	if status, _, text := f.call(t, "", "POST", "/v1/password-resets", `{"email": " `+strings.ToUpper(email)+` "}`, nil); status != http.StatusAccepted {
		t.Fatalf("%d %s", status, text)
	}
	link := linkOf(t, f.post, f.mailTo(t, email, 2))
	const another = "another good password"
	if status := f.use(t, link, another); status != http.StatusOK {
		t.Fatalf("the link: %d", status)
	}
	if f.use(t, link, password) == http.StatusOK {
		t.Error("the link works twice")
	}
	if status, _, _ := f.call(t, session, "GET", "/v1/sessions", "", nil); session == "" || status != http.StatusUnauthorized {
		t.Errorf("the session before: %d", status)
	}
	if status, _, _ := f.call(t, key.Key, "POST", "/v1/groups", `{"name": "Once more"}`, nil); status != http.StatusUnauthorized {
		t.Errorf("the API key before: %d", status)
	}
	if f.signIn(t, email, password) != "" || f.signIn(t, email, another) == "" {
		t.Error("the password before works, or the new one does not")
	}
	for _, e := range f.settled(t)[mail.KindPasswordReset] {
		if e.State != mail.StateSent {
			t.Errorf("%+v", e)
		}
	}
}
