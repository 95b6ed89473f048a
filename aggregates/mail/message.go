package mail

import (
	"fmt"
	netmail "net/mail"
	"strings"
	"time"

	"github.com/google/uuid"
	gomail "github.com/wneessen/go-mail"
)

// Message is a mail as it is handed over. Its text holds a token: it is nothing to
// be logged.
type Message struct {
	Event              uuid.UUID // that it is about
	Date               time.Time
	From, To           netmail.Address
	Subject, Text, Web string // Web is HTML
}

// MessageID returns the identification of the message, without angle brackets: the
// same one however often the mail about an event is sent.
func (m Message) MessageID() string {
	_, domain, _ := strings.Cut(m.From.Address, "@")
	return m.Event.String() + "@" + domain
}

// String shows nothing of the mail but what it is about.
func (m Message) String() string { return "(mail " + m.Event.String() + ")" }

// GoString is String for %#v.
func (m Message) GoString() string { return m.String() }

// compose makes the message that goes over the wire, multipart, encoded so that
// every server takes it. An address that is none is refused for good.
func (m Message) compose() (*gomail.Msg, error) {
	if a, err := netmail.ParseAddress("<" + m.To.Address + ">"); err != nil || a.Address != m.To.Address {
		return nil, &Refusal{Permanent: true, Reason: "the recipient's e-mail is no address that mail can be sent to"}
	}
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	msg.FromMailAddress(&netmail.Address{Name: plain(m.From.Name), Address: m.From.Address})
	msg.ToMailAddress(&netmail.Address{Name: plain(m.To.Name), Address: m.To.Address})
	msg.Subject(plain(m.Subject))
	msg.SetDateWithValue(m.Date.UTC())
	msg.SetMessageIDWithValue(m.MessageID())
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetBodyString(gomail.TypeTextPlain, m.Text)
	msg.AddAlternativeString(gomail.TypeTextHTML, m.Web)
	return msg, nil
}

// Refusal is an answer of the mail server about one mail.
type Refusal struct {
	Permanent bool   // it would refuse it again
	Reason    string // what it refused, and its codes; never what it said
}

func (r *Refusal) Error() string { return r.Reason }

// Away says that no mail can be sent at the moment, whichever it is.
type Away struct{ Reason string }

func (a *Away) Error() string { return a.Reason }

func away(format string, args ...any) error { return &Away{fmt.Sprintf(format, args...)} }
