package main

import (
	netmail "net/mail"
	"net/url"

	"waybill/aggregates/mail"
	"waybill/events/fault"
)

// mailFlags say how mail is sent.
type mailFlags struct {
	SMTP      string `name:"smtp" group:"mail" placeholder:"smtp://…" help:"Mail server: smtp://user:password@host:587, or smtps://. Better given as WAYBILL_SMTP. Default: mails are files, see waybill mail."`
	MailFrom  string `group:"mail" placeholder:"E-MAIL" help:"Whom mails come from, such as 'Waybill <mail@example.com>'. Needed with --smtp."`
	PublicURL string `name:"public-url" group:"mail" placeholder:"URL" help:"Where people reach the server, the base of links in mails. Needed with --smtp. Default: the address it listens on."`
}

// mailing is how a process sends mail. The zero value sends none: that is for
// those that serve.
type mailing struct {
	on     bool
	smtp   *mail.SMTP // nil = mails are files
	from   netmail.Address
	base   string // of links
	public bool   // an operator said the base; otherwise it is where the server listens
}

// mailing checks the flags. listens is the address of the server.
func (f mailFlags) mailing(listens string) (mailing, error) {
	m := mailing{on: true, base: listens, from: netmail.Address{Name: "Waybill", Address: "waybill@localhost"}}
	if f.MailFrom != "" {
		from, err := netmail.ParseAddress(f.MailFrom)
		if err != nil {
			return m, badMail("--mail-from must be an address such as mail@example.com or 'Waybill <mail@example.com>'")
		}
		m.from = *from
	}
	if f.PublicURL != "" {
		if err := checkPublicURL(f.PublicURL); err != nil {
			return m, err
		}
		m.base, m.public = f.PublicURL, true
	}
	if f.SMTP == "" {
		return m, nil
	}
	if f.MailFrom == "" || f.PublicURL == "" {
		return m, badMail("with --smtp, --mail-from and --public-url are needed")
	}
	var err error
	m.smtp, err = mail.ParseSMTP(f.SMTP)
	return m, err
}

// checkPublicURL refuses what links cannot begin with.
func checkPublicURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return badMail("--public-url must be an address such as https://deliveries.example.com")
	}
	return nil
}

func badMail(what string) error { return fault.New(fault.Invalid, "mail-settings", "%s", what) }
